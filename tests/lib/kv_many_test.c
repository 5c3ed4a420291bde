/* kv_many_test.c - keys in order; many at once: as one by one */
#include "kv_fixture.h"

#include <errno.h>

#define WANTED 3000
#define VALUE 8

/* The same numbers in every run. */
static uint64_t
next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Every third one is near the one before, so that neighbours are met. */
static uint64_t
key_number(uint64_t *x, uint64_t last)
{
	uint64_t n = next_random(x);

	return n % 3 == 0 ? last + n % 5 : n;
}

static void
put(struct kv_txn *t, unsigned int table, uint64_t n)
{
	unsigned char key[8], value[VALUE];

	be64_put(key, n);
	be64_put(value, n * 7 + 1);
	assert_int_equal(kv_put(t, table, bytes_of(key, 8),
	    bytes_of(value, VALUE)), 0);
}

/* n entries, and those at the ends of what there can be. */
static void
fill(struct kv *k, unsigned int table, size_t n, uint64_t seed)
{
	struct kv_txn *t = kv_begin(k, true);
	uint64_t last = 0;

	assert_non_null(t);
	while (n-- > 0) {
		last = key_number(&seed, last);
		put(t, table, last);
	}
	put(t, table, 0);
	put(t, table, UINT64_MAX);
	/* what the shorter key looks like with zeros behind it */
	put(t, table, (uint64_t)'-' << 56);
	assert_int_equal(kv_put(t, table, BYTES("-"), BYTES("12345678")), 0);
	assert_int_equal(kv_put(t, table, BYTES("~~~"), BYTES("x")), 0);
	assert_int_equal(kv_commit(t, false), 0);
}

static int
ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Some that are there, some beside them, some of the ends. */
static void
wanted(uint64_t *key, uint64_t seed, bool sorted)
{
	uint64_t last = 0, other = 99;
	size_t i;

	for (i = 0; i < WANTED; i++) {
		last = key_number(&seed, last);
		key[i] = i % 4 == 3 ? next_random(&other) : last + i % 2;
	}
	key[0] = UINT64_MAX;
	key[1] = 0;
	key[2] = (uint64_t)'-' << 56;
	key[3] = (uint64_t)0x7e7e7e << 40;
	key[4] = UINT64_MAX - 1;
	if (sorted)
		qsort(key, WANTED, sizeof(*key), ascending);
}

static void
same_as_one_by_one(struct kv_txn *t, unsigned int table, bool sorted)
{
	static uint64_t key[WANTED];
	static const unsigned char *value[WANTED];
	unsigned char b[8];
	struct bytes one;
	size_t i;
	int r;

	wanted(key, 7, sorted);
	memset(value, 0x55, sizeof(value));
	assert_int_equal(kv_get_many(t, table, key, WANTED, VALUE, value), 0);
	for (i = 0; i < WANTED; i++) {
		be64_put(b, key[i]);
		r = kv_get(t, table, bytes_of(b, 8), &one);
		assert_int_equal(r, value[i] != NULL);
		if (r == 1) {
			assert_ptr_equal(value[i], one.p);
			assert_int_equal(be64_get(value[i]), key[i] * 7 + 1);
		}
	}
}

/* From no entry to a tree of three levels. */
static void
many_are_as_one_by_one(void **state)
{
	static const size_t sizes[] = { 0, 1, 50, 130, 1000, 60000 };
	struct fixture *f = *state;
	struct kv_txn *t;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		t = kv_begin(f->k, true);
		assert_int_equal(kv_empty(t, 1), 0);
		assert_int_equal(kv_commit(t, false), 0);
		t = kv_begin(f->k, false);
		same_as_one_by_one(t, 1, true);		/* nothing there */
		kv_abort(t);
		fill(f->k, 1, sizes[i], 7);
		t = kv_begin(f->k, false);
		same_as_one_by_one(t, 0, true);
		same_as_one_by_one(t, 1, true);
		same_as_one_by_one(t, 1, false);
		assert_int_equal(kv_get_many(t, 1, NULL, 0, VALUE, NULL), 0);
		kv_abort(t);
	}
}

/* Of few kinds of bytes, so that many begin alike, or are the beginning of
 * others: shorter than eight bytes, of eight, and longer. */
static struct bytes
some_key(unsigned char b[40], uint64_t *x)
{
	static const unsigned char kinds[] = { 0, 1, 0x7f, 0x80, 0xff };
	size_t i, n = 1 + next_random(x) % (next_random(x) % 2 == 0 ? 9 : 40);

	for (i = 0; i < n; i++)
		b[i] = i == 7 || i == n - 1 || next_random(x) % 8 == 0
		    ? kinds[next_random(x) % sizeof(kinds)] : 0x80;
	return bytes_of(b, n);
}

static void
keys_are_in_the_order_of_memcmp(void **state)
{
	struct fixture *f = *state;
	struct kv_txn *t = kv_begin(f->k, true);
	struct bytes key, value, last = BYTES_EMPTY;
	const char *why = "";
	struct kv_cursor *c;
	unsigned char b[40];
	uint64_t x = 11;
	int64_t n = 0;
	size_t i;
	int r;

	for (i = 0; i < 20000; i++)
		assert_int_equal(kv_put(t, 0, some_key(b, &x), BYTES("v")),
		    0);
	assert_int_equal(kv_commit(t, false), 0);
	assert_int_equal(kv_check(f->dir, &why), 0);
	t = kv_begin(f->k, false);
	assert_true(kv_count(t, 0) > 3000);
	x = 11;
	for (i = 0; i < 20000; i++)
		assert_int_equal(kv_get(t, 0, some_key(b, &x), &value), 1);
	assert_non_null(c = kv_cursor_open(t, 0));
	key = BYTES_EMPTY;
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		assert_true(n == 0 || bytes_cmp(last, key) < 0);
		last = key;
		n++;
	}
	assert_int_equal(n, kv_count(t, 0));
	kv_cursor_close(c);
	kv_abort(t);
}

/* A view stays what it was, and who writes sees what is written. */
static void
many_of_a_snapshot(void **state)
{
	struct fixture *f = *state;
	const unsigned char *value[2];
	const uint64_t key[2] = { 5, 6 };
	struct kv_txn *r, *w;

	fill(f->k, 0, 5000, 7);
	r = kv_begin(f->k, false);
	w = kv_begin(f->k, true);
	put(w, 0, 6);
	same_as_one_by_one(w, 0, true);
	assert_int_equal(kv_get_many(w, 0, key, 2, VALUE, value), 0);
	assert_null(value[0]);
	assert_int_equal(be64_get(value[1]), 43);
	assert_int_equal(kv_commit(w, false), 0);
	assert_int_equal(kv_get_many(r, 0, key, 2, VALUE, value), 0);
	assert_null(value[1]);
	kv_abort(r);
	r = kv_begin(f->k, false);
	assert_int_equal(kv_get_many(r, 0, key, 2, VALUE, value), 0);
	assert_int_equal(be64_get(value[1]), 43);
	kv_abort(r);
}

static void
values_of_another_length_are_told(void **state)
{
	struct fixture *f = *state;
	const unsigned char *value[1];
	const uint64_t key[1] = { 0 };
	struct kv_txn *t;
	int write;

	fill(f->k, 0, 500, 7);
	for (write = 0; write < 2; write++) {
		t = kv_begin(f->k, write == 1);
		assert_int_equal(kv_get_many(t, 0, key, 1, VALUE + 1, value),
		    -1);
		assert_int_equal(errno, EBADMSG);
		kv_abort(t);
	}
}

#define TEST(name, fn) { name, fn, setup, teardown, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("many keys are found as one by one",
		    many_are_as_one_by_one),
		TEST("keys are in the order of memcmp",
		    keys_are_in_the_order_of_memcmp),
		TEST("many keys are those of one snapshot",
		    many_of_a_snapshot),
		TEST("values of another length are told",
		    values_of_another_length_are_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
