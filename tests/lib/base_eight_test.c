/*
 * base_eight_test.c - eight bytes at a time say what each alone says
 */
#include "base/eight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cmocka.h>

static const unsigned char asked[] = { '\0', '\t', '\n', '\r', '\r' + 1, ' ',
    '0', '9', 'A', 'a', 'm', 'z', 0x7d, 0x7f };
#define ASKED_MAX sizeof(asked)

/* The top bits as the bytes alone have them. */
static uint64_t
answer_at(size_t place, bool of_it, bool of_others)
{
	uint64_t others = of_others ? EIGHT_TOP : 0;
	uint64_t it = (uint64_t)0x80 << 8 * place;

	return (others & ~it) | (of_it ? it : 0);
}

/* Byte c at a place, with others around it. */
static void
check_questions(const unsigned char b[8], size_t place)
{
	uint64_t x = eight_get(b);
	unsigned char c = b[place], o = b[(place + 1) % 8];
	size_t i, k;

	for (i = 0; i < ASKED_MAX; i++) {
		unsigned char a = asked[i];

		assert_true(eight_is(x, a) ==
		    answer_at(place, c == a, o == a));
		assert_true(eight_below(x, a) ==
		    answer_at(place, c < a, o < a));
		for (k = i; k < ASKED_MAX; k++) {
			unsigned char last = asked[k];

			assert_true(eight_within(x, a, last) ==
			    answer_at(place, c >= a && c <= last,
			    o >= a && o <= last));
		}
	}
	assert_true(eight_is(x, 0xff) ==
	    answer_at(place, c == 0xff, o == 0xff));
	assert_true(eight_below(x, 0x80) ==
	    answer_at(place, c < 0x80, o < 0x80));
}

/* Neighbours from which a carry or a borrow could come. */
static void
test_questions(void **state)
{
	static const unsigned char others[] = { 0, 1, ' ', 'm', 0x7f, 0x80,
	    0x81, 0xff };
	unsigned char b[8];
	size_t place, i;
	unsigned int c;

	(void)state;
	for (c = 0; c <= 0xff; c++) {
		for (i = 0; i < sizeof(others); i++) {
			for (place = 0; place < sizeof(b); place++) {
				memset(b, others[i], sizeof(b));
				b[place] = (unsigned char)c;
				check_questions(b, place);
			}
		}
	}
}

/* The first byte is the lowest one; and back again. */
static void
test_order(void **state)
{
	unsigned char b[8];
	uint64_t x = eight_get((const unsigned char *)"\x01\x02\x03\x04"
	    "\x05\x06\x07\xf8");

	(void)state;
	assert_true(x == UINT64_C(0xf807060504030201));
	eight_put(b, x);
	assert_memory_equal(b, "\x01\x02\x03\x04\x05\x06\x07\xf8", 8);
	assert_true(EIGHT(' ') == UINT64_C(0x2020202020202020));
}

/* All 256 answers. */
static void
test_answers(void **state)
{
	uint64_t bits, answer;
	size_t i, first;

	(void)state;
	for (bits = 0; bits <= 0xff; bits++) {
		answer = 0;
		first = 8;
		for (i = 8; i-- > 0;) {
			if ((bits >> i & 1) == 0)
				continue;
			answer |= (uint64_t)0x80 << 8 * i;
			first = i;
		}
		assert_true(eight_gather(answer) == bits);
		assert_int_equal(eight_first(answer), first);
	}
}

/* n bytes, a mark among them: copied up to it, and no byte behind them. */
static void
check_copy(const unsigned char *s, size_t n, size_t want)
{
	unsigned char out[64];

	memset(out, '#', sizeof(out));
	assert_int_equal(eight_copy_line(out, s, n), want);
	assert_memory_equal(out, s, want);
	assert_int_equal(out[n], '#');
}

/* Every byte at every place of texts of every length, among others that are
 * no marks and look like them. */
static void
test_copy(void **state)
{
	static const unsigned char others[] = { 'm', '\t', 0x8a };
	unsigned char s[50];
	size_t i, n, place;
	unsigned int c;

	(void)state;
	for (i = 0; i < sizeof(others); i++) {
		memset(s, others[i], sizeof(s));
		for (c = 0; c <= 0xff; c++) {
			bool mark = c == '\n' || c == '\r' || c == 0;

			for (n = 0; n < sizeof(s); n++) {
				for (place = 0; place < n; place++) {
					s[place] = (unsigned char)c;
					check_copy(s, n, mark ? place : n);
					s[place] = others[i];
				}
			}
		}
		check_copy(s, 0, 0);
	}
	/* the first of several */
	check_copy((const unsigned char *)"abc\t\v\f\b\x0e\x01 x\r\n\0..", 16,
	    11);
	check_copy((const unsigned char *)"\0\n\r.............", 16, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "each byte of eight is judged alone", test_questions, NULL,
		    NULL, NULL },
		{ "the first of eight bytes is the lowest", test_order, NULL,
		    NULL, NULL },
		{ "an answer as bits, and its first byte", test_answers, NULL,
		    NULL, NULL },
		{ "a copy ends before the first CR, LF or NUL", test_copy,
		    NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
