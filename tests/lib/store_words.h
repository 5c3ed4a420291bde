/*
 * store_words.h - an account whose words are counted, for tests
 */
#ifndef STORE_WORDS_H
#define STORE_WORDS_H

#include "store_fixture.h"

#define BOTH ((uint32_t)(STORE_JUNK | STORE_NOTJUNK))

/* ---- what is counted ---- */

/* All of the table of words, each with its length in front. */
static inline void
words_of(struct account_dir *d, struct buf *out)
{
	struct store_view *v = store_view_open(d->s);
	struct kv_cursor *c;
	struct bytes key = BYTES_EMPTY, value;
	unsigned char n[2];
	int r;

	assert_non_null(v);
	assert_non_null(c = kv_cursor_open(v->t, TABLE_WORD));
	buf_reset(out);
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		n[0] = (unsigned char)key.n;
		n[1] = (unsigned char)value.n;
		assert_int_equal(buf_add(out, bytes_of(n, 2)), 0);
		assert_int_equal(buf_add(out, key), 0);
		assert_int_equal(buf_add(out, value), 0);
	}
	assert_int_equal(r, 0);
	kv_cursor_close(c);
	store_view_close(v);
}

static inline void
assert_totals(struct account_dir *d, uint32_t ham, uint32_t spam)
{
	struct store_view *v = store_view_open(d->s);
	struct junk_counts *c;
	uint32_t h, s;

	assert_non_null(v);
	c = store_junk_counts(v);
	assert_int_equal(junk_counts_totals(c, &h, &s), 0);
	junk_counts_close(c);
	store_view_close(v);
	if (h != ham || s != spam)
		fail_msg("ham %u spam %u, not %u %u", h, s, ham, spam);
}

/* Words of many subjects, judged by a view as it is, with what was kept from
 * others, and by its table alone. */
static inline void
assert_view_as_counted(struct store_view *v)
{
	struct junk_counts *kept = store_junk_counts(v);
	struct junk_counts *table = junk_counts_open(v->t, TABLE_WORD);
	struct junk_score a, b;
	struct junk_words w;
	char text[32];
	unsigned int i;

	junk_words_init(&w, 1, false);
	for (i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text), "w%u v%u", i % 40, i);
		junk_words_add(&w, i % 2 == 0 ? BYTES("subject:")
		    : BYTES_EMPTY, bytes_str(text));
	}
	assert_int_equal(junk_score(table, &w, &JUNK_DEFAULT, &b), 0);
	for (i = 0; i < 2; i++) {
		memset(&a, 0, sizeof(a));
		assert_int_equal(junk_score(kept, &w, &JUNK_DEFAULT, &a), 0);
		assert_int_equal(a.known, b.known);
		assert_int_equal(a.ham, b.ham);
		assert_int_equal(a.spam, b.spam);
		assert_memory_equal(&a.probability, &b.probability,
		    sizeof(double));
	}
	junk_words_free(&w);
	junk_counts_close(kept);
	junk_counts_close(table);
}

static inline void
assert_as_counted(struct store *s)
{
	struct store_view *v = store_view_open(s);

	assert_non_null(v);
	assert_view_as_counted(v);
	store_view_close(v);
}

static inline struct store_training_state
state_of(struct account_dir *d)
{
	struct store_training_state t;
	struct store_view *v = store_view_open(d->s);

	assert_non_null(v);
	assert_int_equal(store_training_state(v, &t), 0);
	store_view_close(v);
	return t;
}

static inline void
settle_words(struct account_dir *d)
{
	int r;

	while ((r = store_names(d->s)) == 1)
		continue;
	assert_int_equal(r, 0);
	assert_int_equal(state_of(d).waiting, 0);
	assert_int_equal(state_of(d).leaving, 0);
}

/* The counts are those of an account counted anew. */
static inline void
assert_as_anew(struct account_dir *d)
{
	struct store_training_fill ask = { .anew = true };
	struct buf before = BUF_INIT(SIZE_MAX / 2);
	struct buf after = BUF_INIT(SIZE_MAX / 2);

	words_of(d, &before);
	assert_int_equal(store_training_fill(d->s, &ask), 0);
	words_of(d, &after);
	assert_int_equal(before.n, after.n);
	assert_memory_equal(before.p, after.p, after.n);
	buf_free(&before);
	buf_free(&after);
}

static inline int
words_setup(void **state)
{
	struct account_dir *d;

	assert_int_equal(account_setup(state), 0);
	d = *state;
	d->o.junk.training = d->o.junk_flags = true;
	reopen(d);
	return 0;
}

#endif
