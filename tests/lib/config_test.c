/*
 * config_test.c - files checked, compiled to config.cdb, and read
 */
#include "config_dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* ---- checks over files ---- */

struct text_file {
	const char *name, *text;
};

static const struct {
	struct text_file files[4];
	const char *problems;	/* whole, or the start of each line */
} check_rows[] = {
	{ { { "main.conf", "" } },
	    "main.conf:0: \"hostname\" in [server] is not set" },
	{ { { "main.conf", MAIN "sise-limit = 1M\n[smtp]\nx = 1\n"
	    "[imap \"x\"]\n[static-dns]\n[static-dns \"a b\"]\n"
	    "txt = x\n" } },
	    "main.conf:3: unknown key \"sise-limit\" in [server] "
	    "(did you mean \"size-limit\"?); allowed: hostname, \n"
	    "main.conf:4: unknown section \"smtp\" (did you mean "
	    "\"smtp-in\"?); allowed here: server, smtp-in, submission, \n"
	    "main.conf:6: [imap] has a name\n"
	    "main.conf:7: [static-dns] has no name\n"
	    "main.conf:8: \"a b\" is no DNS name" },
	{ { { "main.conf", MAIN "hostname = b.example\n" } },
	    "main.conf:3: \"hostname\" in [server] is set already at "
	    "main.conf:2" },
	{ { { "main.conf", MAIN }, { "accounts/a.conf",
	    "[account]\naddress = a@nowhere.example\n"
	    "[server]\nx = 1\n" } },
	    "accounts/a.conf:2: \"a@nowhere.example\": "
	    "\"nowhere.example\" is no domain\n"
	    "accounts/a.conf:3: unknown section \"server\"; allowed "
	    "here: account, mailboxes, junk, address" },
	{ { { "main.conf", MAIN }, { "domains/x.example.conf", "" },
	    { "accounts/a.conf", "[account]\naddress = A@x.example\n"
	    "address = @x.example\n" },
	    { "accounts/b.conf", "[account]\naddress = @X.example In\n"
	    "\naddress = a@x.example\n" } },
	    "accounts/b.conf:2: address \"@x.example\" is given to "
	    "account a already at accounts/a.conf:3\n"
	    "accounts/b.conf:4: address \"a@x.example\" is given to "
	    "account a already at accounts/a.conf:2" },
	{ { { "main.conf", MAIN }, { "domains/x.example.conf",
	    "[domain]\nseparators = - --\n" },
	    { "accounts/a.conf", "[account]\naddress = a-b@x.example\n"
	    "address = a+b@x.example\n" } },
	    "accounts/a.conf:2: \"a-b@x.example\" holds the separator "
	    "\"-\"" },
	{ { { "main.conf", MAIN }, { "domains/x.example.conf", "" },
	    { "accounts/a.conf", "[account]\naddress = a+b@x.example\n"
	    } }, "accounts/a.conf:2: \"a+b@x.example\" holds the "
	    "separator \"+\"" },
	{ { { "main.conf", MAIN }, { "domains/x.example.conf", "" },
	    { "accounts/a.conf", "[account]\n"
	    "address = a@x.example Work\n[address \"A@x.example\"]\n"
	    "mailbox = W\n[address \"b@x.example\"]\nmailbox = W\n" }
	    }, "accounts/a.conf:4: the mailbox of \"a@x.example\" is "
	    "given already at accounts/a.conf:2\n"
	    "accounts/a.conf:5: [address \"b@x.example\"]: account a "
	    "has no such address" },
	{ { { "main.conf", MAIN
	    "unknown-recipients-to = b@x.example\n" },
	    { "domains/x.example.conf", "" }, { "accounts/a.conf",
	    "[account]\naddress = a@x.example\n" } },
	    "main.conf:3: no account has the address "
	    "\"b@x.example\"" },
	{ { { "main.conf", MAIN }, { "domains/x_y.conf", "" },
	    { "accounts/Big.conf", "" },
	    { "domains/notes.txt", "junk" } },
	    "accounts/Big.conf:0: \"Big\" is no account name\n"
	    "domains/notes.txt:0: warning: ignored\n"
	    "domains/x_y.conf:0: \"x_y\" is no domain name" },
	{ { { "main.conf", MAIN },
	    { "domains/b\303\274cher.example.conf", "" },
	    { "domains/xn--bcher-kva.example.conf", "" } },
	    "domains/xn--bcher-kva.example.conf:0: the domain "
	    "\"b\303\274cher.example\" has the file domains/" },
	{ { { "main.conf", MAIN "[mailboxes]\nsent = X\ntrash = X\n" }
	    }, "main.conf:5: \"X\" is the mailbox for \"sent\" too" },
	{ { { "main.conf", MAIN "postmaster = b\n" },
	    { "domains/mx.example.org.conf", "" }, { "accounts/a.conf",
	    "[account]\naddress = postmaster@mx.example.org\n"
	    "address = x@[127.0.0.1]\n" },
	    { "accounts/b.conf", "[account]\n" } },
	    "accounts/a.conf:2: warning: mail to "
	    "\"postmaster@mx.example.org\" goes to account b, as "
	    "main.conf:3 says\n"
	    "accounts/a.conf:3: \"x@[127.0.0.1]\" is no value for "
	    "\"address\"" },
};

static void
checks(void **state)
{
	struct bytes got, want, line, start;
	struct dirs d;
	size_t i, f;

	(void)state;
	for (i = 0; i < COUNT(check_rows); i++) {
		dirs_init(&d);
		for (f = 0; f < 4 && check_rows[i].files[f].name != NULL; f++)
			write_file(&d, check_rows[i].files[f].name,
			    check_rows[i].files[f].text);
		if (compile(&d) == 0 || errno != EBADMSG)
			fail_msg("case %zu compiled", i);
		assert_null(config_open_at(d.var));
		assert_int_equal(errno, ENOENT);
		got = bytes_str(problems_text(&d));
		want = bytes_str(check_rows[i].problems);
		while (bytes_line(&want, &start)) {
			if (!bytes_line(&got, &line)
			    || !bytes_starts(line, start))
				fail_msg("case %zu: want %.*s in\n%s", i,
				    BYTES_ARG(start), problems_text(&d));
		}
		if (got.n != 0)
			fail_msg("case %zu: more: %.*s", i, BYTES_ARG(got));
		dirs_free(&d);
	}
}

static void
big_files(void **state)
{
	char *text = mem_alloc(CONFIG_FILE_MAX + 2);
	struct dirs d;

	(void)state;
	dirs_init(&d);
	memset(text, '\n', CONFIG_FILE_MAX + 1);
	memcpy(text, MAIN, strlen(MAIN));
	text[CONFIG_FILE_MAX] = '\0';
	write_file(&d, "main.conf", text);
	assert_int_equal(compile(&d), 0);
	text[CONFIG_FILE_MAX] = '\n';
	text[CONFIG_FILE_MAX + 1] = '\0';
	write_file(&d, "main.conf", text);
	assert_int_equal(compile(&d), -1);
	assert_int_equal(errno, EBADMSG);
	assert_non_null(strstr(problems_text(&d), "main.conf:0: file too big"));
	free(text);
	dirs_free(&d);
}

/* ---- reading ---- */

static void
reads(void **state)
{
	struct config_address addr;
	struct config_list list;
	struct bytes value, local = BYTES("sales");
	uint64_t three[3];
	struct config *c;
	struct dirs d;

	(void)state;
	dirs_init(&d);
	write_file(&d, "main.conf", MAIN "resolver = 127.0.0.1:53\n"
	    "resolver = [::1]:53\npedantic = yes\nopen-limits = 0 2 3\n"
	    "[smtp-in]\nstages-in =\n[mailboxes]\nsent = Gesendet\n"
	    "junk = Spam\n");
	write_file(&d, "domains/B\303\234CHER.example.conf",
	    "[domain]\ndisabled = yes\n");
	write_file(&d, "accounts/a.conf", "[account]\nquota = 1G\n"
	    "address = \"\\\"a b\\\"@xn--bcher-kva.example inbox\"\n"
	    "address = Sales@b\303\274cher.example\n"
	    "[address \"SALES@b\303\274cher.example\"]\nmailbox = Work/Sales\n"
	    "[mailboxes]\njunk = Rubbish\n");
	c = compiled(&d);
	assert_true(config_get_bool(c, "server", NULL, "pedantic"));
	assert_int_equal(config_get_size(c, "account", "a", "quota"),
	    1024 * 1024 * 1024);
	assert_int_equal(config_get_size(c, "account", "zz", "quota"), 0);
	config_get_three(c, "server", NULL, "open-limits", three);
	assert_int_equal(three[0] * 100 + three[1] * 10 + three[2], 23);
	config_get_three(c, "server", NULL, "rate-limits", three);
	assert_int_equal(three[0] + three[1] + three[2], 3900);
	assert_int_equal(config_get_num(c, "server", NULL, "received-max"),
	    100);
	assert_int_equal(config_get_size(c, "server", NULL, "size-limit"),
	    104857600);
	assert_int_equal(config_get_duration(c, "server", NULL,
	    "data-timeout"), 1800);

	/* Lists: several, set to nothing, the default. */
	config_list(c, "server", NULL, "resolver", &list);
	assert_true(config_list_next(&list, &value));
	assert_string_equal((const char *)value.p, "127.0.0.1:53");
	assert_true(config_list_next(&list, &value));
	assert_string_equal((const char *)value.p, "[::1]:53");
	assert_false(config_list_next(&list, &value));
	config_list(c, "smtp-in", NULL, "stages-in", &list);
	assert_false(config_list_next(&list, &value));
	config_list(c, "domain", "b\303\274cher.example", "separators",
	    &list);
	assert_true(config_list_next(&list, &value));
	assert_string_equal((const char *)value.p, "+");
	assert_false(config_list_next(&list, &value));

	/* Not set, no default; inherited; own. */
	value = BYTES("untouched");
	assert_int_equal(config_get(c, "smtp-in", NULL, "banner", &value), 0);
	assert_true(bytes_eq(value, BYTES("untouched")));
	assert_int_equal(config_get_text(c, "smtp-in", NULL, "banner").n, 0);
	assert_string_equal((const char *)config_get_text(c, "mailboxes", "a",
	    "sent").p, "Gesendet");
	assert_string_equal((const char *)config_get_text(c, "mailboxes", "a",
	    "junk").p, "Rubbish");
	assert_string_equal((const char *)config_get_text(c, "mailboxes", "b",
	    "junk").p, "Spam");
	assert_string_equal((const char *)config_get_text(c, "mailboxes", "a",
	    "trash").p, "Trash");

	/* Names, domains, addresses. */
	config_names(c, "account", &list);
	assert_true(config_list_next(&list, &value));
	assert_string_equal((const char *)value.p, "a");
	assert_false(config_list_next(&list, &value));
	assert_true(config_account_exists(c, BYTES("a")));
	assert_false(config_account_exists(c, BYTES("b")));
	assert_true(config_domain_find(c, BYTES("XN--bcher-KVA.example"),
	    &value));
	assert_string_equal((const char *)value.p, "b\303\274cher.example");
	assert_true(config_get_bool(c, "domain", (const char *)value.p,
	    "disabled"));
	assert_true(config_domain_find(c, value, &value));
	assert_false(config_domain_find(c, BYTES("example"), &value));
	assert_true(config_address_find(c, &local, value, &addr));
	assert_string_equal((const char *)addr.account.p, "a");
	assert_string_equal((const char *)addr.mailbox.p, "Work/Sales");
	assert_string_equal((const char *)addr.address.p,
	    "sales@b\303\274cher.example");
	assert_string_equal((const char *)config_get_text(c, "address",
	    (const char *)addr.address.p, "mailbox").p, "Work/Sales");
	local = BYTES("a b");
	assert_true(config_address_find(c, &local, value, &addr));
	assert_string_equal((const char *)addr.mailbox.p, "Inbox");
	assert_string_equal((const char *)addr.address.p,
	    "\"a b\"@b\303\274cher.example");
	assert_false(config_address_find(c, NULL, value, &addr));
	config_close(c);
	dirs_free(&d);
}

/* Every key set comes once, with all its values. */
static void
walks(void **state)
{
	struct config_walk walk = { 0 };
	struct config_entry e;
	struct bytes value;
	const char *text = "";
	struct config *c;
	struct dirs d;
	int r;

	(void)state;
	dirs_init(&d);
	write_file(&d, "main.conf", MAIN "[static-dns \"b\"]\ntxt = 1\n"
	    "txt = 2\n[static-dns \"a\"]\ntxt = 3\n");
	c = compiled(&d);
	while ((r = config_walk_next(c, &walk, &e)) == 1) {
		text = arena_printf(&d.a, "%s%s|%s|%.*s", text,
		    (const char *)e.section.p, (const char *)e.name.p,
		    BYTES_ARG(e.key));
		while (config_list_next(&e.values, &value))
			text = arena_printf(&d.a, "%s=%s", text,
			    (const char *)value.p);
		text = arena_printf(&d.a, "%s;", text);
	}
	assert_int_equal(r, 0);
	assert_string_equal(text, "server||hostname=mx.example.org;"
	    "static-dns|a|txt=3;static-dns|b|txt=1=2;");
	config_close(c);
	dirs_free(&d);
}

/* ---- the file: damaged, replaced, interrupted ---- */

static const char *
cdb_path(struct dirs *d)
{
	return arena_printf(&d->a, "%s/config.cdb", d->var);
}

static void
refuses_damaged(void **state)
{
	struct buf whole = BUF_INIT(100000);
	const char *path;
	struct config *c;
	struct dirs d;
	size_t n, at;
	int fd;

	(void)state;
	dirs_init(&d);
	errno = 0;
	assert_null(config_open_at(d.var));
	assert_int_equal(errno, ENOENT);
	write_file(&d, "main.conf", MAIN);
	config_close(compiled(&d));
	path = cdb_path(&d);
	assert_int_equal(io_read_file(AT_FDCWD, path, &whole), 0);
	/* Cut anywhere, as a file that was never wholly written. */
	for (n = whole.n - 1; n != SIZE_MAX; n--) {
		assert_int_equal(truncate(path, (off_t)n), 0);
		errno = 0;
		assert_null(config_open_at(d.var));
		assert_int_equal(errno, EBADMSG);
	}
	/* Of another format version; with something after the end. */
	assert_true(bytes_find(buf_bytes(&whole), BYTES("config 1"), &at));
	whole.p[at + 7] = '2';
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(io_write_all(fd, buf_bytes(&whole), DEADLINE_NONE),
	    0);
	assert_null(config_open_at(d.var));
	assert_int_equal(errno, EBADMSG);
	whole.p[at + 7] = '1';
	assert_int_equal(pwrite(fd, whole.p, whole.n, 0), (ssize_t)whole.n);
	c = config_open_at(d.var);
	assert_non_null(c);
	config_close(c);
	assert_int_equal(pwrite(fd, "x", 1, (off_t)whole.n), 1);
	assert_null(config_open_at(d.var));
	assert_int_equal(errno, EBADMSG);
	close(fd);
	buf_free(&whole);
	dirs_free(&d);
}

/* As another process opened it: what is in the file, not where it is. */
static void
reads_descriptor(void **state)
{
	struct config *c;
	struct dirs d;
	int fd;

	(void)state;
	dirs_init(&d);
	write_file(&d, "main.conf", MAIN "pedantic = yes\n");
	config_close(compiled(&d));
	fd = open(cdb_path(&d), O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(unlink(cdb_path(&d)), 0);
	c = config_open_fd(fd);
	assert_non_null(c);
	assert_int_equal(close(fd), 0);
	assert_true(config_get_bool(c, "server", NULL, "pedantic"));
	config_close(c);
	assert_null(config_open_fd(-1));
	assert_int_equal(errno, EBADF);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_null(config_open_fd(fd));
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(close(fd), 0);
	dirs_free(&d);
}

static void
replaces(void **state)
{
	struct config_problems problems = { .first = NULL };
	struct bytes value;
	struct config *c, *c2;
	struct dirs d;

	(void)state;
	dirs_init(&d);
	write_file(&d, "main.conf", MAIN);
	c = compiled(&d);
	assert_int_equal(config_replaced(c), 0);

	/* A check and a failed compilation change nothing. */
	write_file(&d, "main.conf", MAIN "pedantic = yes\n");
	assert_int_equal(config_compile(&d.a, d.etc, d.var, true, &problems,
	    NULL), 0);
	assert_int_equal(config_replaced(c), 0);
	write_file(&d, "main.conf", MAIN "pedantic = maybe\n");
	assert_int_equal(compile(&d), -1);
	assert_int_equal(config_replaced(c), 0);
	assert_int_equal(access(arena_printf(&d.a, "%s/config.cdb.tmp",
	    d.var), F_OK), -1);

	/* A new file: the old map stays readable until it is closed. */
	write_file(&d, "main.conf", MAIN "pedantic = yes\n");
	assert_int_equal(compile(&d), 0);
	assert_int_equal(config_replaced(c), 1);
	assert_false(config_get_bool(c, "server", NULL, "pedantic"));
	assert_int_equal(config_get(c, "server", NULL, "hostname", &value), 1);
	c2 = config_open_at(d.var);
	assert_non_null(c2);
	assert_true(config_get_bool(c2, "server", NULL, "pedantic"));
	assert_int_equal(config_replaced(c2), 0);
	assert_int_equal(unlink(cdb_path(&d)), 0);
	assert_int_equal(config_replaced(c2), 0);
	config_close(c);
	config_close(c2);
	config_close(NULL);
	dirs_free(&d);
}

static void
write_fails(void **state)
{
	struct rlimit old, small;
	const char *failed = NULL;
	struct config *c;
	struct dirs d;

	(void)state;
	dirs_init(&d);
	write_file(&d, "main.conf", MAIN);
	c = compiled(&d);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	errno = 0;
	assert_int_equal(compile(&d), -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(config_replaced(c), 0);
	config_close(c);
	c = config_open_at(d.var);
	assert_non_null(c);
	config_close(c);
	memset(&d.problems, 0, sizeof(d.problems));
	assert_int_equal(config_compile(&d.a, d.etc, "/nonexistent/var",
	    false, &d.problems, &failed), -1);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(failed, "/nonexistent/var/config.cdb");
	assert_int_equal(config_compile(&d.a, "/nonexistent/etc", d.var,
	    true, &d.problems, &failed), -1);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(failed, "/nonexistent/etc/.");
	dirs_free(&d);
}

/* Two writers, killed at random: every open finds a whole file. */
static void
killed(void **state)
{
	struct config *c;
	struct dirs d;
	pid_t pid[2];
	unsigned int seed = 1;
	int i, j, status;

	(void)state;
	dirs_init(&d);
	write_file(&d, "main.conf", MAIN "[static-dns \"x\"]\ntxt = x\n");
	config_close(compiled(&d));
	for (i = 0; i < 30; i++) {
		for (j = 0; j < 2; j++) {
			pid[j] = fork();
			assert_int_not_equal(pid[j], -1);
			if (pid[j] == 0) {
				while (compile(&d) == 0)
					arena_reset(&d.a);
				_exit(1);
			}
		}
		for (j = 0; j < 20; j++) {
			c = config_open_at(d.var);
			assert_non_null(c);
			config_close(c);
			usleep(rand_r(&seed) % 300);
		}
		for (j = 0; j < 2; j++)
			assert_int_equal(kill(pid[j], SIGKILL), 0);
		for (j = 0; j < 2; j++) {
			assert_int_equal(waitpid(pid[j], &status, 0), pid[j]);
			assert_true(WIFSIGNALED(status));
		}
		c = config_open_at(d.var);
		assert_non_null(c);
		config_close(c);
	}
	/* What a killed writer left is used again. */
	config_close(compiled(&d));
	dirs_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "C-2 all errors over all files are told", checks, NULL,
		    NULL, NULL },
		{ "a file of 1 MiB compiles, one byte more does not",
		    big_files, NULL, NULL, NULL },
		{ "compiled values, defaults, names, addresses read", reads,
		    NULL, NULL, NULL },
		{ "everything set can be walked", walks, NULL, NULL, NULL },
		{ "a torn or newer config.cdb is refused", refuses_damaged,
		    NULL, NULL, NULL },
		{ "a descriptor is read as the file is", reads_descriptor, NULL,
		    NULL, NULL },
		{ "C-1 the file is replaced as a whole, and that is seen",
		    replaces, NULL, NULL, NULL },
		{ "failing writes leave the old file", write_fails, NULL,
		    NULL, NULL },
		{ "writers killed at random leave a whole file", killed, NULL,
		    NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
