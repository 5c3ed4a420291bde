/*
 * unicode_class_test.c - what code points are, and UTF-8 of two bytes
 */
#include "unicode/unicode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	uint32_t code_point, lower;
	enum unicode_class class;
} classes[] = {
	{ '@', '@', UNICODE_OTHER }, { 'A', 'a', UNICODE_LETTER },
	{ 'z', 'z', UNICODE_LETTER }, { '7', '7', UNICODE_DIGIT },
	{ 0x80, 0x80, UNICODE_OTHER }, { 0xad, 0xad, UNICODE_IGNORABLE },
	{ 0xc4, 0xe4, UNICODE_LETTER }, { 0xd7, 0xd7, UNICODE_OTHER },
	{ 0x130, 'i', UNICODE_LETTER }, { 0x23a, 0x2c65, UNICODE_LETTER },
	{ 0x301, 0x301, UNICODE_IGNORABLE }, { 0x416, 0x436, UNICODE_LETTER },
	{ 0x663, 0x663, UNICODE_DIGIT }, { 0x7ff, 0x7ff, UNICODE_OTHER },
	{ 0x800, 0x800, UNICODE_LETTER }, { 0x65e5, 0x65e5, UNICODE_IDEOGRAPH },
};

/* Whatever was asked before: each twice, with all others between. */
static void
test_classes(void **state)
{
	uint32_t c, lower, other;
	size_t i, k;

	(void)state;
	for (k = 0; k < 2; k++) {
		for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
			assert_int_equal(unicode_classify(
			    classes[i].code_point, &lower), classes[i].class);
			assert_int_equal(lower, classes[i].lower);
		}
		for (c = 0; c < 0x1000; c++) {
			assert_int_equal(unicode_classify(c, &lower),
			    unicode_classify(c, &other));
			assert_int_equal(lower, other);
		}
	}
}

/* Each two bytes, as long as a whole text and as its end. */
static void
test_two_bytes(void **state)
{
	unsigned char b[3];
	unsigned int i;
	uint32_t c;

	(void)state;
	for (i = 0; i < 0x10000; i++) {
		struct bytes s = bytes_of(b + 1, 2);
		int r = 1;

		b[0] = 'x';
		b[1] = (unsigned char)(i >> 8);
		b[2] = (unsigned char)i;
		while (r == 1)
			r = unicode_next(&s, &c);
		assert_int_equal(unicode_valid_utf8(bytes_of(b + 1, 2)),
		    r == 0);
		assert_int_equal(unicode_two(bytes_of(b + 1, 2)),
		    r == 0 && b[1] >= 0x80 ? c : 0);
		assert_int_equal(unicode_two(bytes_of(b + 1, 1)), 0);
		assert_int_equal(unicode_valid_utf8(bytes_of(b, 3)), r == 0);
	}
}

/* Of ASCII eight bytes are looked at in one: a sequence, good or bad, at each
 * place among it and at each distance from the end. */
static void
test_among_ascii(void **state)
{
	static const struct {
		struct bytes s;
		bool valid;
	} table[] = {
		{ BYTES("\xc3\xa9"), true }, { BYTES("\xe2\x82\xac"), true },
		{ BYTES("\xf0\x9f\x98\x80"), true },
		{ BYTES("\x80"), false }, { BYTES("\xc3"), false },
		{ BYTES("\xe2\x82"), false }, { BYTES("\xff"), false },
		{ BYTES("\xed\xa0\x80"), false },
	};
	unsigned char b[40];
	size_t i, n, at;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (n = 6; n <= sizeof(b); n++) {
			for (at = 2; at + table[i].s.n <= n; at++) {
				memset(b, 'x', n);
				b[0] = 0xc3;	/* never ASCII alone */
				b[1] = 0xa9;
				memcpy(b + at, table[i].s.p, table[i].s.n);
				assert_int_equal(unicode_valid_utf8(
				    bytes_of(b, n)), table[i].valid);
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "UTF-8 of two bytes is checked", test_two_bytes, NULL, NULL,
		    NULL },
		{ "UTF-8 among ASCII is checked", test_among_ascii, NULL, NULL,
		    NULL },
		{ "classes of code points, asked again", test_classes, NULL,
		    NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
