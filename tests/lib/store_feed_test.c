/* store_feed_test.c - S-9: the change feed is cut, expunges stay */
#include "store_fixture.h"

#define DAY 86400

/* "kind:first " of the changes that are left. */
static const char *
feed(struct account_dir *d, char out[4096])
{
	struct store_view *v = store_view_open(d->s);
	struct store_change c;
	size_t n = 0;
	int r;

	out[0] = '\0';
	for (r = store_change_first(v, 0, &c); r == 1;
	    r = store_change_next(v, &c)) {
		static const char letters[] = "?AFX";

		if (c.kind <= STORE_CHANGE_EXPUNGED)
			n += (size_t)snprintf(out + n, 4096 - n, "%c%u ",
			    letters[c.kind], c.uid_first);
	}
	assert_int_equal(r, 0);
	store_view_close(v);
	return out;
}

static uint64_t
floor_of(struct account_dir *d)
{
	struct store_view *v = store_view_open(d->s);
	uint64_t n = store_change_floor(v);

	store_view_close(v);
	return n;
}

static uint64_t
modseq_of(struct account_dir *d)
{
	struct store_view *v = store_view_open(d->s);
	uint64_t n = store_view_modseq(v);

	store_view_close(v);
	return n;
}

static uint64_t
changes(struct account_dir *d)
{
	struct store_view *v = store_view_open(d->s);
	struct store_change c;
	uint64_t n = 0;
	int r;

	for (r = store_change_first(v, store_change_floor(v), &c); r == 1;
	    r = store_change_next(v, &c))
		n++;
	store_view_close(v);
	return n;
}

static void
fill(struct account_dir *d)
{
	uint32_t id = id_of(d, "INBOX"), uid;

	for (uid = 1; uid <= 6; uid++)
		(void)deliver(d, "INBOX", "x");
	uid = 2;
	assert_int_equal(store_expunge(d->s, id, &uid, 1, true, NULL), 0);
	uid = 5;
	assert_int_equal(store_expunge(d->s, id, &uid, 1, true, NULL), 0);
	(void)deliver(d, "INBOX", "x");
}

static void
only_the_last_are_kept(void **state)
{
	struct account_dir *d = *state;
	uint64_t n, last;
	char out[4096];

	fill(d);
	n = changes(d);
	last = modseq_of(d);
	assert_int_equal(changes_cut(d->s, n, 1000), 0);
	assert_int_equal(floor_of(d), 0);
	assert_int_equal(changes(d), n);
	assert_int_equal(changes_cut(d->s, n - 1, 1000), 0);
	assert_true(floor_of(d) > 0);
	assert_int_equal(changes_cut(d->s, 2, 1000), 0);
	assert_string_equal(feed(d, out), "X2 X5 A7 ");
	assert_int_equal(floor_of(d), last - 2);
	assert_content(d);
	assert_int_equal(changes_cut(d->s, 0, 1000), 0);
	assert_string_equal(feed(d, out), "X2 X5 ");
	assert_int_equal(floor_of(d), last);
	(void)deliver(d, "INBOX", "x");
	assert_string_equal(feed(d, out), "X2 X5 A8 ");
	assert_content(d);
}

static void
old_ones_are_dropped(void **state)
{
	struct account_dir *d = *state;
	char out[4096];
	uint64_t last;

	/* The opening has set a mark before all of this. */
	assert_int_equal(changes_cut(d->s, 1000, time_wall_us() / 1000000 +
	    30 * DAY + 10), 0);
	fill(d);
	last = modseq_of(d);
	assert_int_equal(changes_cut(d->s, 1000, time_wall_us() / 1000000 +
	    60 * DAY), 0);
	assert_string_equal(feed(d, out), "A1 A2 A3 A4 A5 A6 X2 X5 A7 ");
	assert_int_equal(changes_cut(d->s, 1000, time_wall_us() / 1000000 +
	    61 * DAY), 0);
	assert_true(floor_of(d) < last);
	assert_string_equal(feed(d, out), "A1 A2 A3 A4 A5 A6 X2 X5 A7 ");
	assert_int_equal(changes_cut(d->s, 1000, time_wall_us() / 1000000 +
	    92 * DAY), 0);
	assert_string_equal(feed(d, out), "X2 X5 ");
	assert_int_equal(floor_of(d), last);
	assert_content(d);
}

/* The limit itself, at an opening an hour later. */
static void
the_limit_is_kept_at_openings(void **state)
{
	static const size_t extra[] = { 0, 1 };
	struct account_dir *d = *state;
	unsigned char key[KEY_CHANGE];
	struct store_change c = { .kind = STORE_CHANGE_FLAGS, .mailbox = 999,
	    .uid_first = 1, .uid_last = 1, .name = BYTES_EMPTY,
	    .old_name = BYTES_EMPTY };
	struct buf b = BUF_INIT(100);
	size_t i;

	assert_int_equal(change_encode(&b, &c), 0);
	for (i = 0; i < COUNT(extra); i++) {
		uint64_t n = changes(d);
		struct work w;

		assert_int_equal(work_begin(d->s, &w), 0);
		for (; n < CHANGES_MAX + extra[i]; n++) {
			key_change(key, ++w.state.modseq, 0);
			assert_int_equal(kv_put(w.t, TABLE_CHANGE,
			    key_of(key, KEY_CHANGE), buf_bytes(&b)), 0);
		}
		w.state.swept = 1;
		w.dirty = true;
		assert_int_equal(work_commit(&w), 0);
		reopen(d);
		/* The account's first change was eleven at once. */
		assert_int_equal(changes(d), CHANGES_MAX -
		    (i == 1 ? 11 : 0));
		assert_int_equal(floor_of(d) > 0, i == 1);
	}
	buf_free(&b);
}

/* S-9: who made a change, for listeners that leave their own out. */
static void
own_changes_are_known(void **state)
{
	struct account_dir *d = *state;
	struct store *other = store_open(&d->o);
	uint64_t first, modseq;
	size_t i;

	assert_non_null(other);
	assert_false(store_change_own(d->s, 0));
	(void)deliver(d, "INBOX", "x");
	first = modseq_of(d);
	assert_true(store_change_own(d->s, first));
	assert_false(store_change_own(other, first));
	assert_int_equal(store_mailbox_create(other, BYTES("B"), 0, NULL), 0);
	assert_false(store_change_own(d->s, modseq_of(d)));
	assert_true(store_change_own(other, modseq_of(d)));
	for (i = 1; i < STORE_OWN_MAX; i++)
		(void)deliver(d, "INBOX", "x");
	assert_true(store_change_own(d->s, first));
	(void)deliver(d, "INBOX", "x");
	assert_false(store_change_own(d->s, first));
	/* What another program put there is not ours, though we record it. */
	put_file(d, "Maildir/new/1.M1P1.host", "x\n");
	modseq = modseq_of(d);
	assert_int_equal(store_sync(d->s, id_of(d, "INBOX"), true), 1);
	assert_true(modseq_of(d) > modseq);
	assert_false(store_change_own(d->s, modseq_of(d)));
	store_close(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S-9 only the last changes are kept, and all expunges",
		    only_the_last_are_kept),
		TEST("S-9 old changes are dropped", old_ones_are_dropped),
		TEST("S-9 the limit is kept at openings",
		    the_limit_is_kept_at_openings),
		TEST("S-9 a store knows its last 64 changes, one more is "
		    "forgotten", own_changes_are_known),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
