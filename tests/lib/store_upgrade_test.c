/*
 * store_upgrade_test.c - S-19, S-21: an index as the first format wrote it,
 * made here byte by byte, is opened, upgraded and brought up to date
 */
#include "store_fixture.h"
#include "os/os.h"

#define MESSAGES 250		/* more than one piece */
#define BOX_SIZE 112
#define RECORD_SIZE 76

static const char *const tables[] = { "meta", "mailbox", "mailbox_name",
	"keyword", "message", "change", "message_id", "annotation", "setting",
	NULL };

/* ---- the first format ---- */

static void
put16(unsigned char *out, unsigned int v)
{
	out[0] = (unsigned char)(v >> 8);
	out[1] = (unsigned char)(v & 0xff);
}

static void
put(struct kv_txn *t, unsigned int table, struct bytes key, struct bytes v)
{
	assert_int_equal(kv_put(t, table, key, v), 0);
}

static void
put_state(struct kv_txn *t, uint64_t bytes)
{
	unsigned char format[4] = { 0, 0, 0, 1 }, r[104] = { 1 };
	char boot[37];

	assert_int_equal(os_boot_id(boot), 0);
	be32_put(r + 4, 2);		/* next mailbox */
	be32_put(r + 8, 1000);		/* last uidvalidity */
	be64_put(r + 12, MESSAGES + 1);	/* modseq */
	be64_put(r + 28, bytes);
	memcpy(r + 68, boot, 36);
	put(t, 0, BYTES("format"), bytes_of(format, 4));
	put(t, 0, BYTES("state"), bytes_of(r, sizeof(r)));
}

static void
put_inbox(struct kv_txn *t, uint64_t size_crlf)
{
	unsigned char id[4] = { 0, 0, 0, 1 }, r[BOX_SIZE + 5] = { 1, 1 };

	be32_put(r + 4, 1000);			/* uidvalidity */
	be32_put(r + 8, MESSAGES + 1);		/* uidnext */
	be32_put(r + 12, MESSAGES + 128);	/* promised */
	be64_put(r + 16, 1);			/* createseq */
	be64_put(r + 24, MESSAGES + 1);		/* modseq */
	be64_put(r + 32, size_crlf);
	be32_put(r + 40, MESSAGES);		/* total */
	be32_put(r + 44, 0);			/* all are seen */
	memcpy(r + BOX_SIZE, "INBOX", 5);
	put(t, 1, bytes_of(id, 4), bytes_of(r, sizeof(r)));
	put(t, 2, BYTES("INBOX"), bytes_of(id, 4));
	{
		unsigned char key[6] = { 0, 0, 0, 1, 0, 30 };

		/* a keyword that only the index has */
		put(t, 3, bytes_of(key, 6), BYTES("beyond"));
	}
}

static void
put_change(struct kv_txn *t, uint32_t uid)
{
	unsigned char key[12], r[16] = { 1, STORE_CHANGE_ADDED };

	be64_put(key, uid + 1);
	be32_put(key + 8, 0);
	be32_put(r + 2, 1);
	be32_put(r + 6, uid);
	be32_put(r + 10, uid);
	put(t, 5, bytes_of(key, 12), bytes_of(r, 16));
}

/* A record whose cached texts an older parser made. */
static void
put_message(struct kv_txn *t, uint32_t uid, struct bytes name,
    struct bytes text, uint64_t size_crlf)
{
	unsigned char key[8], r[RECORD_SIZE + 600] = { 1 };
	struct bytes rest = name, base;
	size_t at = RECORD_SIZE;

	assert_true(bytes_split(&rest, ':', &base));
	be32_put(key, 1);
	be32_put(key + 4, uid);
	r[1] = STORE_TRAINED_HAM;
	put16(r + 2, STORE_SEEN);
	be64_put(r + 4, text.n);
	be64_put(r + 12, size_crlf);
	be64_put(r + 20, 1600000000 + uid);
	be64_put(r + 28, 1600000000);
	be64_put(r + 36, uid + 1);
	be64_put(r + 44, uid + 1);
	r[60] = 4;			/* keyword 30 */
	r[61] = 4;			/* ":2,S" */
	r[62] = (unsigned char)base.n;
	put16(r + 64, 3);		/* preview */
	be32_put(r + 68, 3);		/* envelope */
	be32_put(r + 72, 3);		/* bodystructure */
	r[at + 3] = 1 << 6;
	memcpy(r + at + 4, ":2,S", 4);
	memcpy(r + at + 8, base.p, base.n);
	memcpy(r + at + 8 + base.n, "oldNILNIL", 9);
	put(t, 4, bytes_of(key, 8), bytes_of(r, at + 17 + base.n));
	put_change(t, uid);
}

static void
write_file(const char *path, struct bytes text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text.p, text.n), text.n);
	assert_int_equal(close(fd), 0);
}

static void
make_dirs(struct account_dir *d, struct arena *a)
{
	static const char *const names[] = { "", "/Maildir", "/Maildir/cur",
		"/Maildir/new", "/Maildir/tmp", "/index" };
	char boot[37];
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		assert_int_equal(mkdir(arena_printf(a, "%s%s", d->dir,
		    names[i]), 0700), 0);
	assert_int_equal(os_boot_id(boot), 0);
	write_file(arena_printf(a, "%s/index/boot", d->dir), bytes_str(boot));
	write_file(arena_printf(a, "%s/Maildir/.uidvalidity", d->dir),
	    bytes_str(arena_printf(a, "1000\n%d\n", MESSAGES + 128)));
}

/* Message 2n answers message 2n - 1. */
static struct bytes
text_of(struct arena *a, uint32_t uid)
{
	return bytes_str(arena_printf(a, "Subject: %sMatter %u\n"
	    "Message-ID: <%u@x>\n%s\nbody of %u\n", uid % 2 == 0 ? "Re: "
	    : "", (uid + 1) / 2, uid, uid % 2 == 0 ? arena_printf(a,
	    "In-Reply-To: <%u@x>\n", uid - 1) : "", uid));
}

static void
make_first_format(struct account_dir *d)
{
	struct arena a = ARENA_INIT;
	struct kv_txn *t;
	struct kv *k;
	uint64_t bytes = 0, crlf = 0;
	uint32_t uid;

	make_dirs(d, &a);
	k = kv_open(arena_printf(&a, "%s/index", d->dir), (size_t)1 << 26,
	    tables);
	assert_non_null(k);
	assert_non_null(t = kv_begin(k, true));
	for (uid = 1; uid <= MESSAGES; uid++) {
		struct bytes text = text_of(&a, uid);
		uint64_t wire = text.n + (uid % 2 == 0 ? 5 : 4);
		char *name = arena_printf(&a, "%u.M1P1Q1.host,S=%zu,W=%llu,"
		    "U=%u:2,S", 1600000000 + uid, text.n,
		    (unsigned long long)wire, uid);

		write_file(arena_printf(&a, "%s/Maildir/cur/%s", d->dir,
		    name), text);
		put_message(t, uid, bytes_str(name), text, wire);
		bytes += text.n;
		crlf += wire;
	}
	put_state(t, bytes);
	put_inbox(t, crlf);
	assert_int_equal(kv_commit(t, true), 0);
	kv_close(k);
	arena_free(&a);
}

static int
setup(void **state)
{
	struct account_dir *d;

	if (account_setup(state) != 0)
		return -1;
	d = *state;
	store_close(d->s);
	d->s = NULL;
	d->events[0] = '\0';
	remove_tree(d->dir);
	return 0;
}

/* ---- tests ---- */

static uint32_t
stored_format(struct account_dir *d)
{
	struct kv_txn *t = kv_begin(d->s->kv, false);
	struct bytes v;
	uint32_t n;

	assert_int_equal(kv_get(t, TABLE_META, BYTES("format"), &v), 1);
	n = be32_get(v.p);
	kv_abort(t);
	return n;
}

static void
check_messages(struct account_dir *d)
{
	struct store_view *v = store_view_open(d->s);
	struct store_message m;
	uint32_t uid;

	for (uid = 1; uid <= MESSAGES; uid++) {
		assert_int_equal(store_message_get(v, 1, uid, &m), 1);
		assert_int_equal(m.flags, STORE_SEEN);
		assert_true(store_keyword_has(&m.keywords, 30));
		assert_int_equal(m.internal_date, 1600000000 + uid);
		assert_int_equal(m.modseq, uid + 1);
		assert_int_equal(m.training, STORE_TRAINED_HAM);
	}
	store_view_close(v);
}

static struct store_thread
thread_at(struct account_dir *d, uint32_t uid)
{
	struct store_view *v = store_view_open(d->s);
	struct store_thread t = { 0 };

	assert_int_not_equal(store_thread_get(v, 1, uid, &t), -1);
	store_view_close(v);
	return t;
}

static unsigned int
parse_version_at(struct account_dir *d, uint32_t uid)
{
	struct store_view *v = store_view_open(d->s);
	struct store_message m;

	assert_int_equal(store_message_get(v, 1, uid, &m), 1);
	store_view_close(v);
	return m.parse_version;
}

static void
the_first_format_is_upgraded(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid;

	make_first_format(d);
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_non_null(strstr(d->events, "upgraded "));
	assert_null(strstr(d->events, "damaged"));
	assert_int_equal(stored_format(d), STORE_FORMAT);
	assert_int_equal(box_of(d, "INBOX").uidvalidity, 1000);
	assert_int_equal(box_of(d, "INBOX").uidnext, MESSAGES + 1);
	check_messages(d);
	assert_int_equal(store_finish(d->s), 0);
	check_messages(d);
	for (uid = 1; uid <= MESSAGES; uid += 2) {
		assert_true(thread_at(d, uid).id != 0);
		assert_true(thread_at(d, uid).id == thread_at(d, uid + 1).id);
		assert_int_equal(thread_at(d, uid + 1).parent_count, 1);
	}
	assert_content(d);
	d->events[0] = '\0';
	reopen(d);
	assert_string_equal(d->events, "");
	assert_int_equal(store_background(d->s), 0);
}

/* S-21: what an older parser read is read again, a piece at each opening. */
static void
old_mail_is_read_in_pieces(void **state)
{
	struct account_dir *d = *state;
	int openings;

	make_first_format(d);
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_int_equal(parse_version_at(d, 1), STORE_PARSE_VERSION);
	assert_int_equal(parse_version_at(d, 200), STORE_PARSE_VERSION);
	assert_int_equal(parse_version_at(d, 201), 0);
	assert_int_equal(thread_at(d, 1).id, 0);
	assert_content(d);		/* there is more to do, not wrong */
	/* New mail is matched at once, among those that have a thread. */
	assert_int_equal(deliver(d, "INBOX", "new"), MESSAGES + 1);
	assert_true(thread_at(d, MESSAGES + 1).id != 0);
	for (openings = 0; store_background(d->s) == 1; openings++) {
		assert_true(openings < 10);
		reopen(d);
	}
	assert_int_equal(parse_version_at(d, MESSAGES), STORE_PARSE_VERSION);
	assert_true(thread_at(d, MESSAGES).id ==
	    thread_at(d, MESSAGES - 1).id);
	check_messages(d);
	assert_content(d);
}

/* Killed between the pieces, or with the upgrade alone done. */
static void
upgrades_go_on_after_a_kill(void **state)
{
	struct account_dir *d = *state;
	int status;
	pid_t pid;

	make_first_format(d);
	if ((pid = fork()) == 0) {
		d->s = store_open(&d->o);
		_exit(d->s == NULL);	/* nothing is closed */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_int_equal(store_finish(d->s), 0);
	check_messages(d);
	assert_content(d);
}

#define UPGRADE(name, fn) { name, fn, setup, account_teardown, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UPGRADE("S-19 an index of the first format is upgraded",
		    the_first_format_is_upgraded),
		UPGRADE("S-21 S-15 old mail is read again in pieces",
		    old_mail_is_read_in_pieces),
		UPGRADE("S-19 upgrades go on after a kill",
		    upgrades_go_on_after_a_kill),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
