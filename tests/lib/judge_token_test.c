/*
 * judge_token_test.c - subjects with several words (J-16, BEHAVIOUR 1.6)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "judge/judge.h"

#define NOW 1800000000
#define AGE 43200

static const unsigned char key[JUDGE_KEY_BYTES] = "key";

/* %G: a good token, %O: an old one, %F: another sender's. */
static void
expand(struct buf *out, const char *template)
{
	const struct bytes from = BYTES("a@author.example");
	char token[JUDGE_TOKEN_SIZE];

	for (const char *p = template; *p != '\0'; p++) {
		if (*p != '%') {
			(void)buf_addc(out, (unsigned char)*p);
			continue;
		}
		p++;
		judge_token_make(key, *p == 'F' ? BYTES("b@author.example")
		    : from, *p == 'O' ? NOW - 10 * AGE : NOW, token);
		(void)buf_adds(out, token);
	}
}

static const struct {
	const char *title, *subject;
	bool good;
	const char *why;
} rows[] = {
	{ "one", "Re: hello %G", true, "" },
	{ "a new one behind an old one", "Re: %O %G", true, "" },
	{ "a new one before an old one", "%G %O", true, "" },
	{ "without a blank between", "%O%F%G", true, "" },
	{ "behind what is none", "(pass: x) %G", true, "" },
	{ "behind what has no end", "(pass:(pass:%G", true, "" },
	{ "none is good, the last one says why", "%F %O", false,
	    "token is too old" },
	{ "an end is missing", "%O (pass:AAAA", false, "token is too old" },
	{ "the eighth is tried", "(pass:)(pass:)(pass:)(pass:)(pass:)(pass:)"
	    "(pass:)%G", true, "" },
	{ "one past that is not", "(pass:)(pass:)(pass:)(pass:)(pass:)(pass:)"
	    "(pass:)(pass:)%G", false, "malformed token" },
};

static void
test_rows(void **state)
{
	struct buf b = BUF_INIT(1024);
	const char *why;
	bool good;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# J-16 BEHAVIOUR 1.6: %s\n", rows[i].title);
		buf_reset(&b);
		expand(&b, rows[i].subject);
		good = judge_token_check(key, BYTES("a@author.example"),
		    buf_bytes(&b), NOW, AGE, &why);
		assert_int_equal(good, rows[i].good);
		assert_string_equal(why, rows[i].why);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
