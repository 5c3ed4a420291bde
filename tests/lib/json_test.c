/* json_test.c - JSON texts read and written */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "json/json.h"

static void
texts(void **state)
{
	/* want NULL: refused */
	static const struct {
		struct bytes in;
		const char *want;
	} cases[] = {
		{ BYTES("{}"), "{}" }, { BYTES(" [ ] "), "[]" },
		{ BYTES("{\"b\":[1,-2.5e+3,true,false,null],\"a\":{}}"),
		    "{\"b\":[1,-2500.0,true,false,null],\"a\":{}}" },
		{ BYTES("\"\\u00e9\\ud83d\\ude00\\n\\\"\\\\\\/\""),
		    "\"\xc3\xa9\xf0\x9f\x98\x80\\u000a\\\"\\\\/\"" },
		{ BYTES("\"\\u007f\\u009b\\u00a0\""),
		    "\"\\u007f\\u009b\xc2\xa0\"" },
		{ BYTES("0"), "0" }, { BYTES("-0"), "0" },
		{ BYTES("0.1"), "0.10000000000000001" },
		{ BYTES("1e0"), "1.0" }, { BYTES("1e300"),
		    "1.0000000000000001e+300" },
		/* numbers at their limits and one past */
		{ BYTES("9223372036854775807"), "9223372036854775807" },
		{ BYTES("-9223372036854775808"), "-9223372036854775808" },
		{ BYTES("9223372036854775808"), NULL },
		{ BYTES("-9223372036854775809"), NULL },
		{ BYTES("1e308"), "1e+308" }, { BYTES("1e309"), NULL },
		{ BYTES("[-1e999]"), NULL },
		/* NUL, written either way */
		{ BYTES("\"\\u0000\""), NULL }, { BYTES("\"a\0\""), NULL },
		{ BYTES("{\"a\\u0000\":1}"), NULL }, { BYTES("[1\0]"), NULL },
		{ BYTES("1\0"), NULL }, { BYTES("\0"), NULL },
		{ BYTES(""), NULL }, { BYTES(" "), NULL }, { BYTES("{"), NULL },
		{ BYTES("{\"a\"}"), NULL }, { BYTES("{\"a\":}"), NULL },
		{ BYTES("{\"a\":1,}"), NULL }, { BYTES("[1,]"), NULL },
		{ BYTES("{\"a\":1,\"a\":2}"), NULL }, { BYTES("01"), NULL },
		{ BYTES("{\"a\":1,\"\\u0061\":2}"), NULL },
		{ BYTES("[{\"a\":[{\"b\":1,\"b\":1}]}]"), NULL },
		{ BYTES("+1"), NULL }, { BYTES("1."), NULL },
		{ BYTES("1e"), NULL }, { BYTES(".5"), NULL },
		{ BYTES("NaN"), NULL }, { BYTES("Infinity"), NULL },
		{ BYTES("nul"), NULL }, { BYTES("1 2"), NULL },
		{ BYTES("\"a"), NULL }, { BYTES("\"\n\""), NULL },
		{ BYTES("\"\\x\""), NULL }, { BYTES("\"\\ud800\""), NULL },
		{ BYTES("\"\\udc00\""), NULL }, { BYTES("\"\xff\""), NULL },
		{ BYTES("\"\xed\xa0\x80\""), NULL },
		{ BYTES("\"\\ud800\\u0041\""), NULL },
		{ BYTES("\xef\xbb\xbf{}"), NULL },
		{ BYTES("{a:1}"), NULL }, { BYTES("'a'"), NULL },
		{ BYTES("[1]//x"), NULL },
	};
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(1000);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = NULL;
		struct json *j = json_parse(&a, cases[i].in, &why);

		if (cases[i].want == NULL) {
			assert_null(j);
			assert_int_equal(errno, EBADMSG);
			assert_non_null(why);
			continue;
		}
		assert_non_null(j);
		buf_reset(&b);
		assert_int_equal(json_format(&b, j), 0);
		buf_addc(&b, '\0');
		assert_string_equal((char *)b.p, cases[i].want);
	}
	buf_free(&b);
	arena_free(&a);
}

static void
reasons(void **state)
{
	static const struct {
		const char *in, *why;
	} cases[] = {
		{ "{\"a\":1,\"a\":1}", "JSON member given twice" },
		{ "\"\\u0000\"", "NUL in JSON string" },
		{ "\"\xff\"", "JSON is not UTF-8" },
		{ "[1", "JSON ends too early" },
		{ "1 1", "text after the JSON value" },
		{ "1e999", "JSON number too large" },
		{ "[secret]", "wrong JSON" },
	};
	struct arena a = ARENA_INIT;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(json_parse(&a, bytes_str(cases[i].in), &why));
		assert_string_equal(why, cases[i].why);
	}
	arena_free(&a);
}

static void
nest(struct buf *b, int depth, const char *open, const char *close)
{
	int i;

	buf_reset(b);
	for (i = 0; i < depth; i++)
		buf_adds(b, open);
	buf_adds(b, "0");
	for (i = 0; i < depth; i++)
		buf_adds(b, close);
}

/* 3000 is past what jansson itself takes. */
static void
depth(void **state)
{
	static const int depths[] = { JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1,
	    2000, 3000 };
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(100000);
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < 8; i++) {
		nest(&b, depths[i / 2], i % 2 == 0 ? "[" : "{\"a\":",
		    i % 2 == 0 ? "]" : "}");
		if (i / 2 == 0) {
			assert_non_null(json_parse(&a, buf_bytes(&b), &why));
			continue;
		}
		assert_null(json_parse(&a, buf_bytes(&b), &why));
		assert_int_equal(errno, EMSGSIZE);
		assert_string_equal(why, "JSON too deep");
	}
	buf_free(&b);
	arena_free(&a);
}

static void
sizes(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(JSON_TEXT_MAX + 10);
	const char *why;
	int past, i;

	(void)state;
	for (past = 0; past <= 1; past++) {
		buf_reset(&b);
		buf_addc(&b, '[');
		for (i = 0; i < JSON_VALUES_MAX - 2 + past; i++)
			buf_adds(&b, "0,");
		buf_adds(&b, "0]");
		assert_int_equal(json_parse(&a, buf_bytes(&b), &why) != NULL,
		    past == 0);
	}
	assert_string_equal(why, "too many JSON values");
	buf_reset(&b);
	buf_addc(&b, '"');
	while (b.n < JSON_TEXT_MAX - 1)
		buf_addc(&b, 'a');
	buf_addc(&b, '"');
	assert_non_null(json_parse(&a, buf_bytes(&b), &why));
	buf_addc(&b, ' ');
	assert_null(json_parse(&a, buf_bytes(&b), &why));
	assert_int_equal(errno, EMSGSIZE);
	assert_string_equal(why, "JSON larger than 256 kB");
	buf_free(&b);
	arena_free(&a);
}

static void
members(void **state)
{
	struct arena a = ARENA_INIT;
	const char *why;
	const struct json *j = json_parse(&a,
	    BYTES("{\"s\":\"x\",\"n\":1,\"o\":{\"s\":\"y\"}}"), &why);

	(void)state;
	assert_non_null(j);
	assert_true(bytes_eq(json_text(j, "s"), BYTES("x")));
	assert_int_equal(json_text(j, "n").n, 0);
	assert_int_equal(json_text(j, "none").n, 0);
	assert_int_equal(json_member(j, "n")->integer, 1);
	assert_true(bytes_eq(json_text(json_member(j, "o"), "s"), BYTES("y")));
	assert_null(json_member(json_member(j, "s"), "s"));
	assert_null(json_member(NULL, "s"));
	arena_free(&a);
}

static void
quoting(void **state)
{
	struct buf b = BUF_INIT(100), small = BUF_INIT(3);

	(void)state;
	assert_int_equal(json_quote(&b, BYTES("a\"\\\t\0\x7f\xc2\x9b\xff\xc3")),
	    0);
	buf_addc(&b, '\0');
	assert_string_equal((char *)b.p, "\"a\\\"\\\\\\u0009\\u0000\\u007f"
	    "\\u009b\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_int_equal(json_quote(&small, BYTES("a")), 0);
	buf_reset(&small);
	assert_int_equal(json_quote(&small, BYTES("ab")), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&b);
	buf_free(&small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "B-6 JSON, right and wrong", texts, NULL, NULL, NULL },
		{ "B-6 why JSON was refused", reasons, NULL, NULL, NULL },
		{ "B-6 JSON at its depth and past", depth, NULL, NULL, NULL },
		{ "B-6 JSON at its sizes and one past", sizes, NULL, NULL,
		    NULL },
		{ "members of objects", members, NULL, NULL, NULL },
		{ "strings written", quoting, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
