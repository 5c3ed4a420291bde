/* judge_token_test.c - words in the subject (J-16, BEHAVIOUR 1.6) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "judge/judge.h"

#define NOW 1800000000
#define AGE 43200

static const unsigned char key[JUDGE_KEY_BYTES] = "0123456789abcdef";

/* ---- one word ---- */

static void
test_token(void **state)
{
	const struct bytes from = BYTES("a@author.example");
	const int64_t now = 1800000000;
	unsigned char other[JUDGE_KEY_BYTES] = "other";
	char token[JUDGE_TOKEN_SIZE], subject[200];
	struct bytes s;
	const char *why;

	(void)state;
	print_message(
	    "# J-16 BEHAVIOUR 1.6: of one sender, one key, for a time\n");
	judge_token_make(key, from, now, token);
	assert_int_equal(strlen(token), JUDGE_TOKEN_SIZE - 1);
	(void)snprintf(subject, sizeof(subject), "Re: hello %s again", token);
	s = bytes_str(subject);
	assert_true(judge_token_check(key, from, s, now, 43200, &why));
	assert_string_equal(why, "");
	assert_true(judge_token_check(key, from, s, now + 43200, 43200,
	    &why));
	assert_false(judge_token_check(key, from, s, now + 43200 + 512,
	    43200, &why));
	assert_string_equal(why, "token is too old");
	assert_false(judge_token_check(key, from, s, now - 512, 43200,
	    &why));
	assert_false(judge_token_check(other, from, s, now, 43200, &why));
	assert_string_equal(why, "token of another sender, or forged");
	assert_false(judge_token_check(key, BYTES("b@author.example"), s,
	    now, 43200, &why));
	assert_false(judge_token_check(key, from, BYTES("hello"), now, 43200,
	    &why));
	assert_string_equal(why, "no token");
	assert_false(judge_token_check(key, from, BYTES("(pass:"), now,
	    43200, &why));
	assert_false(judge_token_check(key, from, BYTES("(pass:x)"), now,
	    43200, &why));
	assert_string_equal(why, "malformed token");
	/* every changed letter is noticed; a version but 0 is not ours */
	for (size_t i = 6; i < JUDGE_TOKEN_SIZE - 2; i++) {
		char c = token[i];

		token[i] = c == 'A' ? 'B' : 'A';
		assert_false(judge_token_check(key, from, bytes_str(token),
		    now, 43200, &why));
		token[i] = c;
	}
	token[6] = 'Q';
	assert_false(judge_token_check(key, from, bytes_str(token), now,
	    43200, &why));
	assert_string_equal(why, "malformed token");
}

/* T and M as doc/judging.md has them, from another HMAC-SHA-256. */
static void
test_token_vector(void **state)
{
	char token[JUDGE_TOKEN_SIZE];

	(void)state;
	judge_token_make(key, BYTES("a@author.example"), 1800000000, token);
	assert_string_equal(token, "(pass:AGtJ0jJ1dl-krHVqFxThFA)");
}

/* ---- several ---- */

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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_token_vector),
		cmocka_unit_test(test_rows),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
