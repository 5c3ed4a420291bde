/*
 * store_suspect_test.c - a record that cannot be read mends itself at the
 * next opening
 */
#include "store_words.h"

/* A value that no reader takes, in place of what is there. */
static void
spoil(struct account_dir *d, unsigned int table, struct bytes key)
{
	struct work w;

	assert_int_equal(work_begin(d->s, &w), 0);
	assert_int_equal(kv_put(w.t, table, key, BYTES("bad")), 0);
	w.dirty = true;
	assert_int_equal(work_commit(&w), 0);
}

static void
a_record_is_built_anew(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "INBOX", "x");
	unsigned char key[KEY_MESSAGE];
	struct store_message m;
	struct store_view *v;

	assert_true(store_trusted(d->s));
	key_message(key, 1, uid);
	spoil(d, TABLE_MESSAGE, bytes_of(key, sizeof(key)));
	reopen(d);		/* nobody has met it */
	assert_null(strstr(d->events, "suspected-index"));
	v = store_view_open(d->s);
	assert_non_null(v);
	assert_int_equal(store_message_get(v, 1, uid, &m), -1);
	assert_int_equal(errno, EBADMSG);
	store_view_close(v);
	assert_false(store_trusted(d->s));
	reopen(d);
	assert_non_null(strstr(d->events, "suspected-index"));
	assert_non_null(strstr(d->events, "damaged-index"));
	assert_true(store_trusted(d->s));
	v = store_view_open(d->s);
	assert_int_equal(store_message_get(v, 1, uid, &m), 1);
	store_view_close(v);
	d->events[0] = '\0';
	reopen(d);
	assert_null(strstr(d->events, "suspected-index"));
}

static void
words_are_counted_anew(void **state)
{
	struct account_dir *d = *state;
	struct junk_counts *c;
	struct store_view *v;

	deliver(d, "Archive", "one");
	settle_words(d);
	assert_totals(d, 1, 0);
	spoil(d, TABLE_WORD, BYTES("12345678"));
	v = store_view_open(d->s);
	c = store_junk_counts(v);
	assert_int_equal(junk_counts_load(c), -1);
	assert_int_equal(errno, EBADMSG);
	junk_counts_close(c);
	store_view_close(v);
	assert_false(store_trusted(d->s));
	reopen(d);
	assert_non_null(strstr(d->events, "words-counted-anew"));
	assert_null(strstr(d->events, "damaged-index"));
	assert_true(store_trusted(d->s));
	settle_words(d);
	assert_totals(d, 1, 0);
	assert_as_anew(d);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "a record nobody can read: built anew at the next opening",
		    a_record_is_built_anew, account_setup, account_teardown,
		    NULL },
		{ "a word nobody can read: words are counted anew, no more",
		    words_are_counted_anew, words_setup, account_teardown,
		    NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
