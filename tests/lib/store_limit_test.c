/*
 * store_limit_test.c - several messages at once, on a full disk and others;
 * more keywords and mailboxes than there may be
 */
#include "store_fixture.h"

#include <signal.h>
#include <sys/resource.h>

/* ---- several messages at once: all or none (RFC 3502) ---- */

static void
assert_unchanged(struct account_dir *d, const char *list)
{
	char now[4096];

	assert_string_equal(listing(d, "INBOX", now), list);
	assert_int_equal(files_in(d, "Maildir/new") +
	    files_in(d, "Maildir/cur"), 1);
	assert_int_equal(files_in(d, "Maildir/tmp"), 0);
	assert_content(d);
}

/* A file that cannot be written whole: the third, of more than are held open
 * without name, or the last. */
static void
appends_on_a_full_disk_add_nothing(void **state)
{
	static const struct {
		size_t count, large;
	} row[] = { { 3, 2 }, { 3, 0 }, { 20, 2 }, { 20, 19 } };
	struct account_dir *d = *state;
	struct rlimit old, low;
	struct bytes piece = BYTES("Subject: x\n\nbody\n"), large;
	struct store_incoming in[20];
	unsigned char *text = malloc(8 << 20);
	size_t i, j;
	int r, err;

	deliver(d, "INBOX", "old");
	memset(text, 'x', 8 << 20);
	large = bytes_of(text, 8 << 20);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = old;
	low.rlim_cur = 4 << 20;
	(void)signal(SIGXFSZ, SIG_IGN);
	for (i = 0; i < COUNT(row); i++) {
		for (j = 0; j < row[i].count; j++)
			in[j] = (struct store_incoming){ .count = 1,
			    .pieces = j == row[i].large ? &large : &piece };
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
		r = store_append(d->s, 1, in, row[i].count, NULL);
		err = errno;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_int_equal(r, -1);
		assert_int_equal(err, EFBIG);
		assert_unchanged(d, "1:old");
	}
	free(text);
}

/* The last one cannot be placed when the others are in the folder. */
static void
appends_that_fail_late_add_nothing(void **state)
{
	struct account_dir *d = *state;
	struct bytes piece = BYTES("Subject: x\n\nbody\n");
	struct bytes bad = BYTES("no atom(");
	struct store_incoming in[20];
	size_t i;

	deliver(d, "INBOX", "old");
	for (i = 0; i < 20; i++)
		in[i] = (struct store_incoming){ .pieces = &piece,
		    .count = 1, .flags = i % 2 == 0 ? 0 : STORE_SEEN };
	in[19].keywords = &bad;
	in[19].keyword_count = 1;
	assert_int_equal(store_append(d->s, 1, in, 20, NULL), -1);
	assert_int_equal(errno, EINVAL);
	assert_unchanged(d, "1:old");
	assert_int_equal(store_append(d->s, 1, in + 17, 3, NULL), -1);
	assert_unchanged(d, "1:old");
}

/* ---- limits ---- */

static bool
is_folder(struct account_dir *d, const char *name)
{
	char path[1024];

	return access(path_of(d, path, "Maildir/%s", name), F_OK) == 0;
}

/* Records without folders, as many as there may be mailboxes but one. */
static void
mailboxes_end_at_their_limit(void **state)
{
	struct account_dir *d = *state;
	struct mbox m = { .uidvalidity = 1, .uidnext = 1 };
	struct buf record = BUF_INIT(1024);
	unsigned char key[4];
	struct work w;
	struct box *b;
	char name[16];
	uint32_t i, first = 1000000;

	assert_int_equal(work_begin(d->s, &w), 0);
	for (i = first; kv_count(w.t, TABLE_MAILBOX) <
	    STORE_MAILBOXES_MAX - 1; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		m.name = bytes_str(name);
		be32_put(key, i);
		buf_reset(&record);
		assert_int_equal(mbox_encode(&record, &m), 0);
		assert_int_equal(kv_put(w.t, TABLE_MAILBOX, key_of(key, 4),
		    buf_bytes(&record)), 0);
	}
	assert_int_equal(box_create(&w, BYTES("Last"), 0, &b), 0);
	assert_int_equal(box_create(&w, BYTES("Over"), 0, &b), -1);
	assert_int_equal(errno, EOVERFLOW);
	/* The folder of the last one is taken in, or was not there. */
	work_abort(&w);
	assert_int_not_equal(store_sync(d->s, 0, false), -1);
	assert_false(is_folder(d, ".Over"));
	assert_content(d);
	buf_free(&record);
}

static void
keywords_end_at_their_limit(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "INBOX", "x");
	char text[32];
	struct bytes name;
	struct store_flag_change c = { .how = STORE_ADD,
	    .keywords = &name, .keyword_count = 1,
	    .unchanged_since = UINT64_MAX };
	unsigned int i, taken = 0;

	for (i = 0; i < 10000; i++) {
		(void)snprintf(text, sizeof(text), "k%u", i);
		name = bytes_str(text);
		if (store_flags(d->s, 1, &uid, 1, &c, NULL, NULL) == 0) {
			assert_int_equal(i, taken++);
		} else {
			assert_int_equal(errno, EOVERFLOW);
			/* 9,744 refusals need not all be waited for. */
			i = i < 300 ? i : i + 97;
		}
	}
	assert_int_equal(taken, STORE_KEYWORDS_MAX);
	assert_content(d);
	/* Those that are there are still good. */
	name = BYTES("k255");
	c.how = STORE_REMOVE;
	assert_int_equal(store_flags(d->s, 1, &uid, 1, &c, NULL, NULL), 0);
	assert_content(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("I-5 appends on a full disk add nothing",
		    appends_on_a_full_disk_add_nothing),
		TEST("I-5 appends that fail late add nothing",
		    appends_that_fail_late_add_nothing),
		TEST("S-11 mailboxes end at their limit",
		    mailboxes_end_at_their_limit),
		TEST("S-8 keywords end at their limit",
		    keywords_end_at_their_limit),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
