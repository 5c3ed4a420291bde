/*
 * maildir_test.c - names and small files of a Maildir++ tree
 */
#include "maildir/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NONE UINT64_MAX

static struct bytes
str(const char *s)
{
	return bytes_str(s);
}

static void
names_are_parsed(void **state)
{
	static const struct {
		const char *file, *base, *letters;
		uint64_t size, crlf;
		uint32_t uid;
		int64_t time;
	} row[] = {
		{ "17.M1P2Q3.h,S=10,W=12,U=5:2,FS", "17.M1P2Q3.h,S=10,W=12,U=5",
		    "FS", 10, 12, 5, 17 },
		{ "17.M1P2Q3.h", "17.M1P2Q3.h", "", NONE, NONE, 0, 17 },
		{ "17.x,U=9", "17.x,U=9", "", NONE, NONE, 9, 17 },
		{ "17.x,U=0:2,", "17.x,U=0", "", NONE, NONE, 0, 17 },
		{ "17.x,U=4294967295", "17.x,U=4294967295", "", NONE, NONE,
		    4294967295u, 17 },
		{ "17.x,U=4294967296", "17.x,U=4294967296", "", NONE, NONE, 0,
		    17 },
		{ "17.x,S=,W=1x,U=-1", "17.x,S=,W=1x,U=-1", "", NONE, NONE,
		    0, 17 },
		{ "name:1,x", "name", "", NONE, NONE, 0, 0 },
		{ ":2,S", "", "S", NONE, NONE, 0, 0 },
		{ "a,U=1,U=2:2,", "a,U=1,U=2", "", NONE, NONE, 2, 0 },
		{ "99999999999999999999.x", "99999999999999999999.x", "",
		    NONE, NONE, 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(row); i++) {
		struct maildir_name n;

		maildir_name_parse(str(row[i].file), &n);
		assert_true(bytes_eq(n.base, str(row[i].base)));
		assert_true(bytes_eq(n.letters, str(row[i].letters)));
		assert_true(n.size == row[i].size);
		assert_true(n.size_crlf == row[i].crlf);
		assert_int_equal(n.uid, row[i].uid);
		assert_true(n.time == row[i].time);
	}
}

static void
uids_are_put_into_names(void **state)
{
	static const struct {
		const char *base, *want;
	} row[] = {
		{ "17.x", "17.x,U=7" },
		{ "17.x,U=3", "17.x,U=7" },
		{ "17.x,S=1,U=3,W=2", "17.x,S=1,W=2,U=7" },
		{ "U=3", "U=3,U=7" },
	};
	char long_base[MAILDIR_BASE_MAX + 1];
	struct buf b = BUF_INIT(512);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(row); i++) {
		buf_reset(&b);
		assert_int_equal(maildir_name_with_uid(&b, str(row[i].base),
		    7), 0);
		assert_true(bytes_eq(buf_bytes(&b), str(row[i].want)));
	}
	/* At the limit, and one past it. */
	memset(long_base, 'x', sizeof(long_base));
	buf_reset(&b);
	assert_int_equal(maildir_name_with_uid(&b,
	    bytes_of(long_base, MAILDIR_BASE_MAX - 4), 7), 0);
	buf_reset(&b);
	assert_int_equal(maildir_name_with_uid(&b,
	    bytes_of(long_base, MAILDIR_BASE_MAX - 3), 7), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&b);
}

static void
new_names_escape_the_host(void **state)
{
	struct buf b = BUF_INIT(512);

	(void)state;
	assert_int_equal(maildir_name_new(&b, 17000042, 5, 3, "a/b:c,d"), 0);
	assert_true(bytes_eq(buf_bytes(&b),
	    str("17.M42P5Q3.a\\057b\\072c\\054d")));
	buf_reset(&b);
	assert_int_equal(maildir_name_new(&b, 0, 1, 1, ""), 0);
	assert_true(bytes_eq(buf_bytes(&b), str("0.M0P1Q1.localhost")));
	buf_free(&b);
}

static void
folder_names_go_both_ways(void **state)
{
	static const struct {
		const char *mailbox, *folder;
	} row[] = {
		{ "INBOX", "" },
		{ "Sent", ".Sent" },
		{ "Archive/2024", ".Archive.2024" },
		{ "INBOX/x", ".INBOX.x" },
		{ "a.b", ".a&AC4-b" },
		{ "a&b", ".a&-b" },
		{ "Entw\303\274rfe", ".Entw&APw-rfe" },
		{ "\303\244.\303\266", ".&AOQALgD2-" },
		{ "\360\237\230\200", ".&2D3eAA-" },
		{ "~peter", ".~peter" },
		{ "a b", ".a b" },
	};
	struct buf b = BUF_INIT(512);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(row); i++) {
		buf_reset(&b);
		assert_int_equal(maildir_folder_format(&b,
		    str(row[i].mailbox)), 0);
		assert_true(bytes_eq(buf_bytes(&b), str(row[i].folder)));
		buf_reset(&b);
		assert_int_equal(maildir_folder_parse(&b,
		    str(row[i].folder)), 0);
		assert_true(bytes_eq(buf_bytes(&b), str(row[i].mailbox)));
	}
	buf_reset(&b);
	assert_int_equal(maildir_folder_format(&b, str("a\377b")), -1);
	assert_int_equal(errno, EBADMSG);
	buf_free(&b);
}

static void
foreign_folder_names_are_refused(void **state)
{
	static const char *const row[] = {
		"Sent", ".a&b", ".a&AC4b", ".&AGE-", ".&2D0-", ".&3gA-",
		".Entw\303\274rfe", ".a&", ".a&-&", ".&APw-&APw-", ".a\001",
		".&AP-", ".&,,,,-x",
	};
	struct buf b = BUF_INIT(512);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(row); i++) {
		assert_int_equal(maildir_folder_parse(&b, str(row[i])), -1);
		assert_int_equal(errno, EBADMSG);
		assert_int_equal(b.n, 0);
	}
	buf_free(&b);
}

/* ---- files ---- */

static int
make_dir(void **state)
{
	char *path = strdup("/tmp/maildir_test.XXXXXX");
	static int fd;

	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(fd, -1);
	free(path);
	*state = &fd;
	return 0;
}

static int
drop_dir(void **state)
{
	char link[64], path[256];
	int fd = *(int *)*state;
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = '\0';
	(void)close(fd);
	return maildir_remove(AT_FDCWD, path);
}

static void
put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void
uidvalidity_is_as_mbsync_writes_it(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint32_t uidvalidity, highest;
	} row[] = {
		{ "1795214046\n128\n", 1, 1795214046, 128 },
		{ "1\n0", 1, 1, 0 },
		{ "", 0, 0, 0 },
		{ "0\n5\n", -1, 0, 0 },
		{ "17\n", -1, 0, 0 },
		{ "x\n1\n", -1, 0, 0 },
		{ "4294967296\n1\n", -1, 0, 0 },
	};
	int dir = *(int *)*state;
	struct maildir_uids u = { 7, 8 };
	struct buf b = BUF_INIT(100);
	size_t i;

	assert_int_equal(maildir_uids_read(dir, &u), 0);
	assert_int_equal(u.uidvalidity, 7);
	for (i = 0; i < COUNT(row); i++) {
		put(dir, ".uidvalidity", row[i].text);
		assert_int_equal(maildir_uids_read(dir, &u), row[i].result);
		if (row[i].result == -1)
			assert_int_equal(errno, EBADMSG);
		if (row[i].result != 1)
			continue;
		assert_int_equal(u.uidvalidity, row[i].uidvalidity);
		assert_int_equal(u.highest, row[i].highest);
	}
	put(dir, ".uidvalidity", "1795214046\n4000000000\n");
	u = (struct maildir_uids){ 12, 3 };
	assert_int_equal(maildir_uids_write(dir, &u), 0);
	assert_int_equal(io_read_file(dir, ".uidvalidity", &b), 0);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("12\n3\n")));
	buf_free(&b);
}

static void
uidvalidity_lock_waits_and_gives_up(void **state)
{
	int dir = *(int *)*state, fd, status, ready[2];
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char c;
	pid_t pid;

	assert_int_equal(maildir_uids_lock(dir, 0), -1);
	assert_int_equal(errno, ENOENT);
	put(dir, ".uidvalidity", "1\n1\n");
	assert_int_equal(pipe(ready), 0);
	if ((pid = fork()) == 0) {
		/* As mbsync: a lock of the process. */
		fd = openat(dir, ".uidvalidity", O_RDWR);
		if (fcntl(fd, F_SETLKW, &lock) == -1 ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		(void)pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(maildir_uids_lock(dir, 50), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fd = maildir_uids_lock(dir, 50);
	assert_int_not_equal(fd, -1);
	(void)close(fd);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

static void
keywords_file_is_read_and_written(void **state)
{
	int dir = *(int *)*state;
	struct maildir_keywords k;
	struct buf b = BUF_INIT(1000);

	assert_int_equal(maildir_keywords_read(dir, &k), 0);
	put(dir, "dovecot-keywords",
	    "0 $Junk\n25 last\n26 beyond\nx bad\n3\n1 one two\n1 again\n");
	assert_int_equal(maildir_keywords_read(dir, &k), 1);
	assert_string_equal(k.name[0], "$Junk");
	assert_string_equal(k.name[1], "one two");
	assert_string_equal(k.name[25], "last");
	assert_null(k.name[3]);
	assert_int_equal(maildir_keywords_write(dir, &k), 0);
	maildir_keywords_free(&k);
	assert_int_equal(io_read_file(dir, "dovecot-keywords", &b), 0);
	assert_true(bytes_eq(buf_bytes(&b),
	    BYTES("0 $Junk\n1 one two\n25 last\n")));
	buf_free(&b);
}

static void
subscriptions_are_read_and_written(void **state)
{
	static const char names[] = "INBOX\0Sent\0A.b/c\0";
	int dir = *(int *)*state;
	struct buf b = BUF_INIT(1000), list = BUF_INIT(1000);

	assert_int_equal(maildir_subscriptions_read(dir, &list), 0);
	assert_int_equal(maildir_subscriptions_write(dir,
	    bytes_of(names, sizeof(names) - 1)), 0);
	assert_int_equal(io_read_file(dir, "subscriptions", &b), 0);
	assert_true(bytes_eq(buf_bytes(&b),
	    BYTES("INBOX\nSent\nA&AC4-b.c\n")));
	assert_int_equal(maildir_subscriptions_read(dir, &list), 1);
	assert_true(bytes_eq(buf_bytes(&list),
	    bytes_of(names, sizeof(names) - 1)));
	put(dir, "subscriptions", "inbox\nbad&\n\nOk\n");
	buf_reset(&list);
	assert_int_equal(maildir_subscriptions_read(dir, &list), 1);
	assert_true(bytes_eq(buf_bytes(&list),
	    bytes_of("INBOX\0Ok\0", 9)));
	buf_free(&b);
	buf_free(&list);
}

static void
files_are_written_whole_or_not(void **state)
{
	static const unsigned char big[100000];
	int dir = *(int *)*state, fd;
	struct bytes pieces[200];
	struct buf b = BUF_INIT(1 << 20);
	struct stat st;
	size_t i;

	for (i = 0; i < COUNT(pieces); i++)
		pieces[i] = i % 3 == 0 ? BYTES_EMPTY : BYTES("abc\n");
	pieces[100] = bytes_of(big, sizeof(big));
	assert_int_equal(maildir_write(dir, "one", pieces, COUNT(pieces),
	    1000), 0);
	assert_int_equal(io_read_file(dir, "one", &b), 0);
	assert_int_equal(b.n, sizeof(big) + 132 * 4);
	assert_int_equal(fstatat(dir, "one", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(maildir_write(dir, "one", pieces, 1, 0), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(maildir_move(dir, "one", dir, "two"), 0);
	put(dir, "one", "x");
	assert_int_equal(maildir_move(dir, "one", dir, "two"), -1);
	assert_int_equal(errno, EEXIST);
	fd = maildir_write_unnamed(dir, pieces, 3, 2000);
	if (fd == -1) {
		assert_int_equal(errno, EOPNOTSUPP);
		print_message("# SKIP no unnamed files in this directory\n");
	} else {
		assert_int_equal(maildir_publish(fd, dir, "two"), -1);
		assert_int_equal(errno, EEXIST);
		assert_int_equal(maildir_publish(fd, dir, "three"), 0);
		(void)close(fd);
		buf_reset(&b);
		assert_int_equal(io_read_file(dir, "three", &b), 0);
		assert_true(bytes_eq(buf_bytes(&b), BYTES("abc\nabc\n")));
	}
	buf_free(&b);
}

static void
folders_are_removed_two_levels_deep(void **state)
{
	int dir = *(int *)*state;

	assert_int_equal(mkdirat(dir, "f", 0700), 0);
	assert_int_equal(mkdirat(dir, "f/cur", 0700), 0);
	put(dir, "f/cur/x", "x");
	assert_int_equal(mkdirat(dir, "f/cur/sub", 0700), 0);
	assert_int_equal(maildir_remove(dir, "f"), 0);
	assert_int_equal(faccessat(dir, "f", F_OK, 0), -1);
	assert_int_equal(mkdirat(dir, "f", 0700), 0);
	assert_int_equal(mkdirat(dir, "f/a", 0700), 0);
	assert_int_equal(mkdirat(dir, "f/a/b", 0700), 0);
	assert_int_equal(mkdirat(dir, "f/a/b/c", 0700), 0);
	assert_int_equal(maildir_remove(dir, "f"), -1);
	assert_int_equal(unlinkat(dir, "f/a/b/c", AT_REMOVEDIR), 0);
	assert_int_equal(maildir_remove(dir, "f"), 0);
}

#define DIR_TEST(name, fn) { name, fn, make_dir, drop_dir, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "message file names are parsed", names_are_parsed, NULL,
		    NULL, NULL },
		{ "U= is put into names, limit and one past",
		    uids_are_put_into_names, NULL, NULL, NULL },
		{ "new names escape the host", new_names_escape_the_host,
		    NULL, NULL, NULL },
		{ "folder names go both ways", folder_names_go_both_ways,
		    NULL, NULL, NULL },
		{ "foreign folder names are refused",
		    foreign_folder_names_are_refused, NULL, NULL, NULL },
		DIR_TEST(".uidvalidity is as mbsync writes it",
		    uidvalidity_is_as_mbsync_writes_it),
		DIR_TEST(".uidvalidity lock waits and gives up",
		    uidvalidity_lock_waits_and_gives_up),
		DIR_TEST("dovecot-keywords is read and written",
		    keywords_file_is_read_and_written),
		DIR_TEST("subscriptions are read and written",
		    subscriptions_are_read_and_written),
		DIR_TEST("files are written whole or not",
		    files_are_written_whole_or_not),
		DIR_TEST("folders are removed two levels deep",
		    folders_are_removed_two_levels_deep),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
