/* gram_test - filters of texts: never wrong about what is there */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "gram/internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t seed = 1;

static uint32_t
roll(uint32_t n)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(seed >> 33) % n;
}

static bool
maybe(struct bytes filter, const char *word)
{
	struct gram_query q;

	gram_query_make(&q, bytes_str(word));
	return gram_maybe(&q, filter);
}

static void
test_words(void **state)
{
	static const struct {
		const char *text, *word;
		bool maybe;
	} t[] = {
		{ "the quick brown fox", "quick", true },
		{ "the quick brown fox", "the quick brown fox", true },
		{ "the quick brown fox", "k br", true },
		{ "the quick brown fox", "slow", false },
		{ "the quick brown fox", "quickbrown", false },
		{ "the quick brown fox", "Quick", false },
		{ "the quick brown fox", "zzz", true },	/* too short */
		{ "the quick brown fox", "", true },
		{ "abc", "abc", true },
		{ "abc", "abcd", false },
		{ "", "", true },
		{ "", "word", false },
		/* characters of three bytes: three, one of them alone */
		{ "\xe6\xbc\xa2\xe5\xad\x97\xe8\xaa\x9e", "\xe5\xad\x97",
		    true },
		{ "\xe6\xbc\xa2\xe5\xad\x97\xe8\xaa\x9e", "\xe8\xaa\x9e",
		    true },
		{ "\xe6\xbc\xa2\xe5\xad\x97\xe8\xaa\x9e", "\xe8\xaa\x9f",
		    false },
		{ "\xe6\xbc\xa2", "\xe6\xbc\xa2", true },
		{ "\xe6\xbc\xa2", "\xe5\xad\x97", false },
		{ "", "\xe5\xad\x97", false },
		{ "the quick brown fox", "\xe5\xad\x97", false },
		{ "the quick brown fox", "\xc3\xbc", true },
		{ "gr\xc3\xbc\xc3\x9f" "e", "\xc3\xbc\xc3\x9f", true },
	};
	struct gram_set *g = gram_set_new();
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		gram_set_add(g, bytes_str(t[i].text));
		if (maybe(gram_set_filter(g), t[i].word) != t[i].maybe)
			fail_msg("%s in %s", t[i].word, t[i].text);
	}
	gram_set_free(g);
}

static void
test_across(void **state)
{
	struct gram_set *g = gram_set_new();
	struct bytes f;

	(void)state;
	gram_set_add(g, BYTES("first part"));
	gram_set_add(g, BYTES("next part"));
	f = gram_set_filter(g);
	assert_true(maybe(f, "first") && maybe(f, "next part"));
	assert_false(maybe(f, "partnext"));
	/* the next text begins anew, also where nothing was added */
	assert_int_equal(gram_set_filter(g).n, 0);
	gram_set_add(g, BYTES("other words"));
	f = gram_set_filter(g);
	assert_false(maybe(f, "first"));
	assert_true(maybe(f, "other"));
	gram_set_free(g);
}

static void
fill(unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (unsigned char)('a' + roll(26));
}

static unsigned int
set_bits(struct bytes f)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < f.n * 8; i++)
		n += f.p[i / 8] >> i % 8 & 1;
	return n;
}

/* Sizes of texts to sizes of filters; every part of each text is found. */
static void
test_sizes(void **state)
{
	static const struct {
		size_t text, filter;
	} t[] = {
		{ 3, 0 }, { 4, GRAM_FILTER_MIN }, { 14, 8 }, { 15, 16 },
		{ 2000, 2048 }, { 20000, GRAM_FILTER_MAX },
		{ 90000, GRAM_FILTER_MAX }, { 1 << 20, GRAM_FILTER_MAX },
	};
	struct gram_set *g = gram_set_new();
	unsigned char *text = malloc(1 << 20);
	struct gram_query q;
	struct bytes f;
	size_t i, at, n;
	int k;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < COUNT(t); i++) {
		fill(text, t[i].text);
		gram_set_add(g, bytes_of(text, t[i].text));
		f = gram_set_filter(g);
		if (f.n != t[i].filter)
			fail_msg("%zu: %zu", t[i].text, f.n);
		if (t[i].text <= 20000)
			assert_true(set_bits(f) * 100 <=
			    f.n * 8 * GRAM_DENSITY);
		for (k = 0; k < 1000; k++) {
			at = roll((uint32_t)t[i].text);
			n = 1 + roll((uint32_t)(t[i].text - at));
			gram_query_make(&q, bytes_of(text + at, n));
			assert_true(q.n <= GRAM_QUERY_MAX);
			assert_true(gram_maybe(&q, f));
		}
	}
	free(text);
	gram_set_free(g);
}

/* The filter of a text by its definition, sequence by sequence. */
static size_t
define(const unsigned char *text, size_t text_n, unsigned char *out)
{
	static unsigned char all[GRAM_FILTER_MAX];
	size_t set = 0, n = GRAM_FILTER_MIN, i, k, length;
	struct gram_query q;

	memset(all, 0, sizeof(all));
	for (i = 0; i < text_n; i++) {
		for (length = 3; length <= GRAM_BYTES; length++) {
			if (length > text_n - i)
				break;
			gram_query_make(&q, bytes_of(text + i, length));
			for (k = 0; k < q.n; k++) {
				uint32_t h = q.hash[k] % (sizeof(all) * 8);

				set += (all[h / 8] >> h % 8 & 1) == 0;
				all[h / 8] |= (unsigned char)(1 << h % 8);
			}
		}
	}
	while (n < GRAM_FILTER_MAX && set * 100 > n * 8 * GRAM_DENSITY)
		n *= 2;
	memset(out, 0, n);
	for (i = 0; i < sizeof(all); i++)
		out[i % n] |= all[i];
	return set == 0 ? 0 : n;
}

/* Those of this way to hash are those of the definition. */
static void
check_same(bool vectors)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 5, 66, 67, 255, 256, 257,
	    258, 259, 260, 511, 512, 513, 514, 515, 516, 1000, 4098, 4099,
	    4100, 4355, 5000, 40000, 300000 };
	struct gram_set *g = gram_set_new_as(vectors);
	unsigned char *text = malloc(300000);
	unsigned char *want = malloc(GRAM_FILTER_MAX);
	struct bytes f;
	size_t n, i;

	assert_non_null(text);
	assert_non_null(want);
	/* letters; any bytes; many characters of three; ASCII to be folded */
	for (int kind = 0; kind < 4; kind++) {
		for (i = 0; i < 2 * COUNT(sizes); i++) {
			n = sizes[kind == 1 ? COUNT(sizes) - 1 -
			    i % COUNT(sizes) : i % COUNT(sizes)];
			fill(text, n);
			for (size_t k = 0; kind > 0 && k < n; k++)
				text[k] = (unsigned char)(kind == 1
				    ? roll(256) : kind == 2 ? 0xe0 + roll(20)
				    : roll(128));
			if (kind == 3) {
				gram_set_add_ascii(g, bytes_of(text, n));
				bytes_lower(text, bytes_of(text, n));
			} else
				gram_set_add(g, bytes_of(text, n));
			f = gram_set_filter(g);
			assert_int_equal(f.n, define(text, n, want));
			assert_memory_equal(f.p, want, f.n);
		}
	}
	free(want);
	free(text);
	gram_set_free(g);
}

/*
 * Filters are kept: they are the same whatever way they are made, and on
 * whatever processor.
 */
static void
test_same(void **state)
{
	(void)state;
	check_same(false);
	if (gram_has_vectors())
		check_same(true);
	else
		print_message("# no vectors here\n");
}

/* Words of 8 letters that are not there: few get past. */
static void
test_rate(void **state)
{
	struct gram_set *g = gram_set_new();
	unsigned char text[3000], word[8];
	struct gram_query q;
	struct bytes f;
	size_t at, past = 0;
	int i;

	(void)state;
	fill(text, sizeof(text));
	gram_set_add(g, bytes_of(text, sizeof(text)));
	f = gram_set_filter(g);
	for (i = 0; i < 100000; i++) {
		fill(word, sizeof(word));
		gram_query_make(&q, bytes_of(word, sizeof(word)));
		if (!bytes_find(bytes_of(text, sizeof(text)),
		    bytes_of(word, sizeof(word)), &at))
			past += gram_maybe(&q, f);
	}
	print_message("# %zu of 100000 got past\n", past);
	assert_true(past < 60);
	gram_set_free(g);
}

/* Filters of the length that was once the greatest are still read: those of
 * today laid side by side are such. */
static void
test_longer(void **state)
{
	static unsigned char long_filter[GRAM_FILTER_READ_MAX];
	struct gram_set *g = gram_set_new();
	struct bytes f;
	size_t at;

	(void)state;
	gram_set_add(g, BYTES("a text of some words"));
	f = gram_set_filter(g);
	for (at = 0; at < sizeof(long_filter); at += f.n)
		memcpy(long_filter + at, f.p, f.n);
	assert_true(maybe(bytes_of(long_filter, at), "some"));
	assert_false(maybe(bytes_of(long_filter, at), "other"));
	gram_set_free(g);
}

/* What is no filter rules out nothing. */
static void
test_damaged(void **state)
{
	static unsigned char zero[2 * GRAM_FILTER_READ_MAX];
	static const size_t sizes[] = { 1, 2, 4, 7, 9, 24, 100,
	    2 * GRAM_FILTER_READ_MAX };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++)
		assert_true(maybe(bytes_of(zero, sizes[i]), "word"));
	assert_false(maybe(bytes_of(zero, GRAM_FILTER_MIN), "word"));
	assert_false(maybe(bytes_of(zero, GRAM_FILTER_READ_MAX), "word"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_across),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_longer),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("gram", tests, NULL, NULL);
}
