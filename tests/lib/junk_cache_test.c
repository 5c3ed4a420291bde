/* junk_cache_test.c - J-9: counts that were kept are those of the table */
#include "junk_fixture.h"

/* Some of the words 0 .. range: about one of step. */
static void
some_words(struct junk_words *w, uint64_t *x, unsigned int range,
    unsigned int step)
{
	char text[32];
	unsigned int i;

	junk_words_clear(w);
	for (i = 0; i < range; i++) {
		*x = *x * 6364136223846793005u + 1442695040888963407u;
		if ((*x >> 33) % step != 0)
			continue;
		(void)snprintf(text, sizeof(text), "w%xq", i);
		junk_words_put(w, &(struct junk_prefix){ BYTES_EMPTY, 1,
		    false }, bytes_str(text));
	}
}

/* How many counts, with the cache, are not those without it. */
static size_t
others(struct fixture *f, const struct junk_words *w)
{
	struct junk_counts *plain = junk_counts_open(f->file.txn,
	    f->file.table);
	struct junk_counts *kept = junk_counts_open(f->file.txn,
	    f->file.table);
	uint32_t (*a)[2] = calloc(w->n + 1, sizeof(*a));
	uint32_t (*b)[2] = calloc(w->n + 1, sizeof(*b));
	size_t i, n = 0;

	assert_non_null(a);
	assert_non_null(b);
	junk_counts_use(kept, f->cache, f->changes);
	assert_int_equal(junk_counts_all(plain, w, a), 0);
	assert_int_equal(junk_counts_all(kept, w, b), 0);
	for (i = 0; i < w->n; i++)
		n += memcmp(a[i], b[i], sizeof(a[i])) != 0;
	free(a);
	free(b);
	junk_counts_close(plain);
	junk_counts_close(kept);
	return n;
}

/* Fewer words than it holds, and more; known ones and others. */
static void
counts_are_those_of_the_table(void **state)
{
	static const struct {
		unsigned int range, step;
	} rows[] = { { 0, 1 }, { 100, 1 }, { 20000, 2 }, { 60000, 3 },
	    { JUNK_WORDS_MAX + 1, 1 } };
	struct fixture *f = *state;
	struct junk_words w;
	uint64_t x = 7;
	size_t i, k;

	junk_words_init(&w, 1, false);
	for (k = 0; k < 12; k++) {
		some_words(&w, &x, 30000, 5);
		train_words(f, &w, k % 3 == 0, 1);
		for (i = 0; i < 5 * sizeof(rows) / sizeof(rows[0]); i++) {
			some_words(&w, &x, rows[i % 5].range,
			    rows[i % 5].step);
			assert_int_equal(others(f, &w), 0);
		}
	}
	junk_words_free(&w);
}

/* Trained, untrained, one message for another, all gone. */
static void
each_change_is_seen(void **state)
{
	struct fixture *f = *state;
	struct junk_words w, v;
	uint64_t x = 3;

	junk_words_init(&w, 1, false);
	junk_words_init(&v, 1, false);
	some_words(&w, &x, 3000, 2);
	some_words(&v, &x, 3000, 2);
	assert_int_equal(others(f, &w), 0);	/* nothing is there */
	train_words(f, &w, JUNK_HAM, 1);
	assert_int_equal(others(f, &w), 0);
	assert_int_equal(others(f, &v), 0);
	train_words(f, &w, JUNK_SPAM, 1);
	assert_int_equal(others(f, &w), 0);
	/* as many messages as before */
	junk_batch_add(f->batch, &w, JUNK_HAM, -1);
	train_words(f, &v, JUNK_HAM, 1);
	assert_int_equal(others(f, &w), 0);
	assert_int_equal(others(f, &v), 0);
	train_words(f, &w, JUNK_SPAM, -1);
	assert_int_equal(others(f, &w), 0);
	assert_int_equal(kv_empty(f->file.txn, f->file.table), 0);
	f->changes++;
	assert_int_equal(others(f, &v), 0);
	junk_words_free(&w);
	junk_words_free(&v);
}

/* A count that changes, and the number of changes does not. */
static void
put(struct fixture *f, struct bytes key, uint32_t ham, uint32_t spam)
{
	const uint32_t count[2] = { ham, spam };
	unsigned char value[JUNK_VALUE];

	junk_value_put(value, count);
	assert_int_equal(kv_put(f->file.txn, f->file.table, key,
	    bytes_of(value, sizeof(value))), 0);
}

/* It answers until the number is another one, or the table's size is. */
static void
kept_until_the_state_is_another(void **state)
{
	struct fixture *f = *state;
	unsigned char key[8], new[8];
	struct junk_words w;
	uint64_t x = 3;

	junk_words_init(&w, 1, false);
	some_words(&w, &x, 1000, 1);
	train_words(f, &w, JUNK_HAM, 1);
	assert_int_equal(others(f, &w), 0);
	be64_put(key, w.word[7].hash);
	be64_put(new, 12345);
	put(f, bytes_of(key, 8), 2, 1);
	assert_int_equal(others(f, &w), 1);	/* that one was kept */
	f->changes++;
	assert_int_equal(others(f, &w), 0);
	put(f, bytes_of(key, 8), 3, 1);
	put(f, JUNK_TOTALS, 2, 0);
	assert_int_equal(others(f, &w), 0);
	put(f, bytes_of(key, 8), 4, 1);
	put(f, JUNK_TOTALS, 2, 1);
	assert_int_equal(others(f, &w), 0);
	put(f, bytes_of(key, 8), 5, 1);
	put(f, bytes_of(new, 8), 1, 0);
	assert_int_equal(others(f, &w), 0);
	junk_words_free(&w);
}

/* What many messages had stays when as many others come as there is room. */
static void
frequent_words_stay(void **state)
{
	struct fixture *f = *state;
	struct junk_state s = { .changes = 1 };
	struct junk_words often, w;
	uint32_t *missing = calloc(JUNK_WORDS_MAX, sizeof(*missing));
	uint32_t (*count)[2] = calloc(JUNK_WORDS_MAX, sizeof(*count));
	const uint32_t many[2] = { 5, 4 }, one[2] = { 0, 1 };
	uint64_t x = 1, y = 1;
	size_t i;

	assert_non_null(missing);
	assert_non_null(count);
	junk_words_init(&often, 1, false);
	junk_words_init(&w, 1, false);
	some_words(&often, &x, 1000, 1);
	some_words(&w, &y, 19000, 1);
	junk_cache_begin(f->cache, &s);
	/* half of it full: hardly one gives way */
	for (i = 0; i < JUNK_CACHE_WORDS / 2; i++)
		junk_cache_keep(f->cache, w.word[i].hash, one);
	assert_in_range(junk_cache_find(f->cache, &w, count, missing) -
	    (w.n - JUNK_CACHE_WORDS / 2), 0, JUNK_CACHE_WORDS / 200);
	s.changes++;
	junk_cache_begin(f->cache, &s);
	for (i = 0; i < often.n; i++)
		junk_cache_keep(f->cache, often.word[i].hash, many);
	for (i = often.n; i < w.n; i++)
		junk_cache_keep(f->cache, w.word[i].hash, one);
	assert_int_equal(junk_cache_find(f->cache, &often, count, missing),
	    0);
	assert_int_equal(count[0][0], 5);
	assert_int_equal(count[999][1], 4);
	/* and of the others as many as fit, nearly */
	i = junk_cache_find(f->cache, &w, count, missing);
	assert_in_range(w.n - i, JUNK_CACHE_WORDS / 4 * 3, JUNK_CACHE_WORDS);
	junk_cache_begin(f->cache, &s);
	assert_int_equal(junk_cache_find(f->cache, &often, count, missing),
	    0);
	s.words++;
	junk_cache_begin(f->cache, &s);
	assert_int_equal(junk_cache_find(f->cache, &often, count, missing),
	    1000);
	assert_int_equal(missing[999], 999);
	free(missing);
	free(count);
	junk_words_free(&often);
	junk_words_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("J-9 kept counts are those of the table",
		    counts_are_those_of_the_table),
		TEST("J-9 each change of counts is seen",
		    each_change_is_seen),
		TEST("J-9 counts are kept until the state is another",
		    kept_until_the_state_is_another),
		TEST("words of many messages are kept longest",
		    frequent_words_stay),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
