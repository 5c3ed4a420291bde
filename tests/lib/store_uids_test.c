/* store_uids_test.c - S-6: the table of UIDs is what the records make of it */
#include "store_fixture.h"

static void
note(void *ctx, const struct store_contradiction *c)
{
	*(bool *)ctx |= strcmp(c->kind, "uids") == 0;
}

static bool
is_contradicted(struct account_dir *d)
{
	bool seen = false;
	struct store_verify v = { .found = note, .ctx = &seen };
	uint64_t count;

	assert_int_equal(store_verify(d->s, &v, &count), 0);
	return seen;
}

/* "first:count/unseen=uid,uid* " of each block; "*" is not \Seen. */
static const char *
blocks(struct account_dir *d, char out[1024])
{
	struct store_view *v = store_view_open(d->s);
	struct store_uids u;
	size_t n = 0;
	uint32_t i;
	int r;

	out[0] = '\0';
	for (r = store_uids_first(v, id_of(d, "INBOX"), &u); r == 1;
	    r = store_uids_next(v, &u)) {
		assert_int_equal(store_uids_want_unseen(v, &u), 0);
		n += (size_t)snprintf(out + n, 1024 - n, "%u:%u/%u",
		    u.first, u.count, u.unseen);
		for (i = 0; i < STORE_UID_BLOCK; i++) {
			if (store_uids_has(&u, i))
				n += (size_t)snprintf(out + n, 1024 - n,
				    " %u%s", u.first + i,
				    store_uids_unseen(&u, i) ? "*" : "");
		}
		n += (size_t)snprintf(out + n, 1024 - n, ";");
		assert_true(n < 1024);
	}
	assert_int_equal(r, 0);
	store_view_close(v);
	return out;
}

static int64_t
entries(struct account_dir *d)
{
	struct store_view *v = store_view_open(d->s);
	int64_t n = kv_count(v->t, TABLE_UID);

	store_view_close(v);
	return n;
}

/* The next messages get these UIDs on. */
static void
go_on_at(struct account_dir *d, uint32_t uid)
{
	struct work w;
	struct box *b;

	assert_int_equal(work_begin(d->s, &w), 0);
	assert_non_null(b = work_box(&w, id_of(d, "INBOX")));
	b->rec.uidnext = uid;
	b->dirty = true;
	assert_int_equal(work_commit(&w), 0);
}

static void
set_format(struct account_dir *d, uint32_t number)
{
	/* Block 0 of mailbox 1 with 1 and 2, of which 1 is not \Seen. */
	static const unsigned char third[] = { 1, 0, 0, 2, 0, 1, 0, 1, 6, 2 };
	unsigned char format[4], key[8] = { 0, 0, 0, 1, 0, 0, 0, 0 };
	struct work w;

	be32_put(format, number);
	assert_int_equal(work_begin(d->s, &w), 0);
	assert_int_equal(kv_empty(w.t, TABLE_UID), 0);
	if (number >= 3)
		assert_int_equal(kv_put(w.t, TABLE_UID, bytes_of(key, 8),
		    bytes_of(third, sizeof(third))), 0);
	assert_int_equal(kv_put(w.t, TABLE_META, BYTES("format"),
	    bytes_of(format, 4)), 0);
	assert_int_equal(work_commit(&w), 0);
}

static void
uids_follow_the_records(void **state)
{
	struct account_dir *d = *state;
	struct store_flag_change seen = { .how = STORE_ADD,
	    .flags = STORE_SEEN, .unchanged_since = UINT64_MAX };
	uint32_t box = id_of(d, "INBOX"), uids[2] = { 4096, 4097 };
	uint64_t modseq;
	char out[1024];

	assert_string_equal(blocks(d, out), "");
	deliver(d, "INBOX", "one");
	go_on_at(d, STORE_UID_BLOCK - 1);
	deliver(d, "INBOX", "last of a block");
	deliver(d, "INBOX", "first of the next");
	deliver_flags(d, "INBOX", "seen", STORE_SEEN);
	assert_string_equal(blocks(d, out),
	    "0:2/2 1* 4095*;4096:2/1 4096* 4097;");
	assert_int_equal(store_flags(d->s, box, uids, 1, &seen, &modseq,
	    NULL), 0);
	assert_string_equal(blocks(d, out),
	    "0:2/2 1* 4095*;4096:2/0 4096 4097;");
	assert_int_equal(store_expunge(d->s, box, uids, 2, true, NULL), 0);
	assert_string_equal(blocks(d, out), "0:2/2 1* 4095*;");
	assert_content(d);
}

static void
a_full_block_needs_no_bitmap(void **state)
{
	struct account_dir *d = *state;
	struct store_view *v;
	struct store_uids u;
	struct work w;
	uint32_t i;

	assert_int_equal(work_begin(d->s, &w), 0);
	for (i = 0; i < STORE_UID_BLOCK; i++)
		assert_int_equal(work_uid(&w, 7, STORE_UID_BLOCK + i, true,
		    i != 5), 0);
	assert_int_equal(work_commit(&w), 0);
	assert_non_null(v = store_view_open(d->s));
	assert_int_equal(store_uids_first(v, 7, &u), 1);
	assert_int_equal(u.first, STORE_UID_BLOCK);
	assert_int_equal(u.count, STORE_UID_BLOCK);
	assert_int_equal(u.present.n, 0);
	assert_int_equal(store_uids_want_unseen(v, &u), 0);
	assert_true(store_uids_has(&u, 0));
	assert_true(store_uids_has(&u, STORE_UID_BLOCK - 1));
	assert_false(store_uids_unseen(&u, 4));
	assert_true(store_uids_unseen(&u, 5));
	assert_int_equal(store_uids_next(v, &u), 0);
	store_view_close(v);
	assert_true(is_contradicted(d));	/* there are no such messages */
}

/* The entry of those not \Seen comes and goes, also beside another block. */
static void
mixed_blocks_have_a_second_entry(void **state)
{
	static const struct {
		uint32_t uid;
		enum store_how how;
		int64_t entries;
		const char *blocks;
	} row[] = {
		{ 1, STORE_ADD, 4, "0:2/1 1 4095*;4096:1/1 4096*;" },
		{ 4096, STORE_ADD, 4, "0:2/1 1 4095*;4096:1/0 4096;" },
		{ 4095, STORE_ADD, 3, "0:2/0 1 4095;4096:1/0 4096;" },
		{ 1, STORE_REMOVE, 4, "0:2/1 1* 4095;4096:1/0 4096;" },
		{ 4095, STORE_REMOVE, 3, "0:2/2 1* 4095*;4096:1/0 4096;" },
		{ 1, STORE_ADD, 4, "0:2/1 1 4095*;4096:1/0 4096;" },
	};
	struct account_dir *d = *state;
	struct store_flag_change c = { .flags = STORE_SEEN,
	    .unchanged_since = UINT64_MAX };
	char out[1024];
	size_t i;

	deliver(d, "INBOX", "one");
	go_on_at(d, STORE_UID_BLOCK - 1);
	deliver(d, "INBOX", "last of a block");
	deliver(d, "INBOX", "first of the next");
	for (i = 0; i < COUNT(row); i++) {
		c.how = row[i].how;
		assert_int_equal(store_flags(d->s, id_of(d, "INBOX"),
		    &row[i].uid, 1, &c, NULL, NULL), 0);
		assert_string_equal(blocks(d, out), row[i].blocks);
		assert_int_equal(entries(d), row[i].entries);
		assert_content(d);
	}
	assert_int_equal(store_expunge(d->s, id_of(d, "INBOX"), NULL, 0, true,
	    NULL), 0);
	assert_int_equal(entries(d), 0);
	assert_content(d);
}

/* A block says that some are not \Seen, and no entry says which. */
static void
a_lost_second_entry_is_damage(void **state)
{
	static const unsigned char key[8] = { 0, 0, 0, 1, 0x80, 0, 0, 0 };
	struct account_dir *d = *state;
	struct store_view *v;
	struct store_uids u;
	struct work w;

	deliver(d, "INBOX", "one");
	deliver_flags(d, "INBOX", "two", STORE_SEEN);
	assert_int_equal(work_begin(d->s, &w), 0);
	assert_int_equal(kv_delete(w.t, TABLE_UID, bytes_of(key, 8)), 1);
	assert_int_equal(work_commit(&w), 0);
	assert_non_null(v = store_view_open(d->s));
	assert_int_equal(store_uids_first(v, 1, &u), 1);
	assert_int_equal(store_uids_want_unseen(v, &u), -1);
	assert_int_equal(errno, EBADMSG);
	store_view_close(v);
	assert_true(is_contradicted(d));
	assert_int_equal(store_rebuild(d->s), 0);
	assert_content(d);
}

static void
damage_is_seen_and_mended(void **state)
{
	struct account_dir *d = *state;
	char before[1024], out[1024];
	struct work w;

	deliver(d, "INBOX", "one");
	deliver(d, "INBOX", "two");
	blocks(d, before);
	assert_int_equal(work_begin(d->s, &w), 0);
	assert_int_equal(work_uid(&w, id_of(d, "INBOX"), 2, false, false), 0);
	assert_int_equal(work_commit(&w), 0);
	assert_true(is_contradicted(d));
	assert_int_equal(store_rebuild(d->s), 0);
	assert_string_equal(blocks(d, out), before);
	assert_content(d);
}

static void
older_formats_are_upgraded(void **state)
{
	struct account_dir *d = *state;
	char before[1024], out[1024];
	uint32_t format;

	deliver(d, "INBOX", "one");
	deliver_flags(d, "INBOX", "two", STORE_SEEN);
	blocks(d, before);
	for (format = 2; format < STORE_FORMAT; format++) {
		set_format(d, format);
		d->events[0] = '\0';
		reopen(d);
		assert_non_null(strstr(d->events, "upgraded "));
		assert_string_equal(blocks(d, out), before);
		/* Only before the fourth messages were read for less. */
		assert_int_equal(store_background(d->s), 0);
		assert_content(d);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S-6 the table of UIDs follows the records",
		    uids_follow_the_records),
		TEST("S-6 a block without gaps", a_full_block_needs_no_bitmap),
		TEST("S-22 a damaged table of UIDs is seen and mended",
		    damage_is_seen_and_mended),
		TEST("S-6 blocks of which some are seen",
		    mixed_blocks_have_a_second_entry),
		TEST("S-22 which are seen is lost, noticed and mended",
		    a_lost_second_entry_is_damage),
		TEST("S-19 an index of the second format or later gets "
		    "its UIDs",
		    older_formats_are_upgraded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
