/*
 * regex_test.c - expressions at a bounded cost (D-4, BEHAVIOUR 1.1)
 */
#include "regex/regex.h"

#include <errno.h>
#include <regex.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PLENTY ((uint64_t)1000 * 1000 * 1000)

/* 1, 0, or -1: the expression is none. */
static int
match(const char *pattern, struct bytes text)
{
	struct arena a = ARENA_INIT;
	uint64_t steps = PLENTY;
	const char *why = NULL;
	struct regex *r = regex_compile(&a, bytes_str(pattern), &why);
	int result = -1;

	if (r != NULL) {
		result = regex_match(&a, r, text, &steps);
		assert_int_not_equal(result, -1);
	} else
		assert_non_null(why);
	arena_free(&a);
	return result;
}

static void
test_table(void **state)
{
	static const struct {
		const char *pattern, *text;
		int want;
	} rows[] = {
		{ "", "", 1 }, { "", "x", 1 }, { "a", "", 0 },
		{ "a", "ba", 1 }, { "^a", "ba", 0 }, { "^a", "ab", 1 },
		{ "a$", "ab", 0 }, { "a$", "ba", 1 }, { "^$", "", 1 },
		{ "^$", "a", 0 }, { "a^b", "ab", 0 }, { "a$b", "ab", 0 },
		{ "x|^a", "ba", 0 }, { "x|^a", "bx", 1 }, { "(^a|b)c", "bc", 1 },
		{ "(^a|b)c", "ac", 1 }, { "(^a|b)c", "dac", 0 },
		{ "a|b|c", "c", 1 }, { "a|b|c", "d", 0 }, { "(|a)b", "b", 1 },
		{ "^a*$", "aaaa", 1 }, { "^a*$", "aab", 0 },
		{ "^a+$", "", 0 }, { "^a?b$", "b", 1 }, { "^a?b$", "aab", 0 },
		{ "^a{2}$", "aa", 1 }, { "^a{2}$", "a", 0 },
		{ "^a{2}$", "aaa", 0 }, { "^a{2,}$", "aaaa", 1 },
		{ "^a{2,3}$", "aaa", 1 }, { "^a{2,3}$", "aaaa", 0 },
		{ "^a{0}$", "", 1 }, { "^(ab){1,2}$", "abab", 1 },
		{ "^(a*)*$", "aaa", 1 }, { "^(a|b*)+c$", "abbac", 1 },
		{ "^.$", "x", 1 }, { "^.$", "\303\244", 1 },
		{ "^.$", "\377", 1 }, { "^..$", "\303\244", 0 },
		{ "^\303\244+$", "\303\244\303\244", 1 },
		{ "^[\303\240-\303\244]$", "\303\243", 1 },
		{ "^[a-c]$", "b", 1 }, { "^[a-c]$", "d", 0 },
		{ "^[^a-c]$", "d", 1 }, { "^[^a-c]$", "a", 0 },
		{ "^[^a]$", "\377", 1 }, { "^[a]$", "\377", 0 },
		{ "^[]a]+$", "a]", 1 }, { "^[^]a]$", "]", 0 },
		{ "^[a-]+$", "-a", 1 }, { "^[-a]+$", "-a", 1 },
		{ "^[[:digit:]]+$", "123", 1 }, { "^[[:digit:]]+$", "1a", 0 },
		{ "^[[:alpha:]_]+$", "aZ_", 1 }, { "^[[:alnum:]]$", "-", 0 },
		{ "^[[:space:]]$", "\t", 1 }, { "^[[:blank:]]$", "\n", 0 },
		{ "^[[:upper:]]$", "a", 0 }, { "^[[:lower:]]$", "a", 1 },
		{ "^[[:punct:]]+$", "!.@_~", 1 }, { "^[[:xdigit:]]+$", "aF9", 1 },
		{ "^[[=a=][.b.]]+$", "ab", 1 }, { "^[a.*]$", "*", 1 },
		{ "^[[.a.]-c]$", "b", 1 },
		{ "\\.", "a", 0 }, { "\\.", ".", 1 }, { "\\\\", "\\", 1 },
		{ "a]", "a]", 1 }, { "a}", "a}", 1 },
		{ "@(.*\\.)?example\\.org$", "a@x.example.org", 1 },
		{ "@(.*\\.)?example\\.org$", "a@badexample.org", 0 },
		{ "A", "a", 0 },
		/* no expressions */
		{ "*", "", -1 }, { "+a", "", -1 }, { "a|*", "", -1 },
		{ "(*)", "", -1 }, { "{1}", "", -1 }, { "a{", "", -1 },
		{ "a{x}", "", -1 }, { "a{1", "", -1 }, { "a{2,1}", "", -1 },
		{ "a{256}", "", -1 }, { "a{1,256}", "", -1 }, { "(", "", -1 },
		{ "(a", "", -1 }, { ")", "", -1 }, { "a)", "", -1 },
		{ "[a", "", -1 }, { "[]", "", -1 }, { "[[:no:]]", "", -1 },
		{ "[[:alpha:", "", -1 }, { "[b-a]", "", -1 },
		{ "[[.ab.]]", "", -1 }, { "[a-[:digit:]]", "", -1 },
		{ "[[..]]", "", -1 },
		{ "\\", "", -1 }, { "(a)\\1", "", -1 }, { "\\d", "", -1 },
		{ "\303", "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (match(rows[i].pattern, bytes_str(rows[i].text)) !=
		    rows[i].want)
			fail_msg("%s on \"%s\" is not %d", rows[i].pattern,
			    rows[i].text, rows[i].want);
	}
	assert_int_equal(match("a.b", BYTES("a\0b")), 1);
}

/* A random expression over few letters, small enough for glibc. */
static void
make(struct buf *b, unsigned int *seed, int depth)
{
	static const char *const atoms[] = { "a", "b", "c", ".", "[ab]",
	    "[^a]", "[[:alpha:]]", "\\." };
	static const char *const repeats[] = { "", "", "", "*", "+", "?",
	    "{2}", "{1,2}", "{0,1}", "{2,}" };
	int parts = 1 + rand_r(seed) % 3;

	for (int i = 0; i < parts; i++) {
		const char *repeat = repeats[(size_t)rand_r(seed) %
		    COUNT(repeats)];

		if (depth > 0 && rand_r(seed) % 3 == 0) {
			buf_addc(b, '(');
			make(b, seed, depth - 1);
			buf_addc(b, ')');
			buf_adds(b, repeat);
		} else {
			buf_adds(b, atoms[(size_t)rand_r(seed) %
			    COUNT(atoms)]);
			buf_adds(b, repeat);
		}
		if (i + 1 < parts && rand_r(seed) % 4 == 0)
			buf_addc(b, '|');
	}
}

static void
test_oracle(void **state)
{
	struct buf pattern = BUF_INIT(4096);
	unsigned int seed = 7, compared = 0;
	char text[16];
	regex_t glibc;

	(void)state;
	for (int round = 0; round < 6000; round++) {
		buf_reset(&pattern);
		/* anchors in the middle: glibc errs with some of them */
		if (round % 3 == 0)
			buf_addc(&pattern, '^');
		make(&pattern, &seed, 2);
		if (round % 5 == 0)
			buf_addc(&pattern, '$');
		buf_addc(&pattern, '\0');
		if (regcomp(&glibc, (char *)pattern.p, REG_EXTENDED |
		    REG_NOSUB) != 0)
			continue;
		for (int k = 0; k < 6; k++) {
			size_t n = (size_t)rand_r(&seed) % 8, i;
			int ours, theirs;

			for (i = 0; i < n; i++)
				text[i] = "abc."[rand_r(&seed) % 4];
			text[n] = '\0';
			ours = match((char *)pattern.p, bytes_str(text));
			theirs = regexec(&glibc, text, 0, NULL, 0) == 0;
			if (ours != theirs)
				fail_msg("%s on \"%s\": %d, glibc %d",
				    (char *)pattern.p, text, ours, theirs);
			compared++;
		}
		regfree(&glibc);
	}
	assert_true(compared > 20000);
	buf_free(&pattern);
}

static int
compiles(const char *pattern, size_t n)
{
	struct arena a = ARENA_INIT;
	const char *why = NULL;
	int err;

	errno = 0;
	err = regex_compile(&a, bytes_of(pattern, n), &why) == NULL ? errno
	    : 0;
	arena_free(&a);
	return err;
}

static void
test_limits(void **state)
{
	char pattern[REGEX_PATTERN_MAX + 2];
	size_t n;

	(void)state;
	memset(pattern, 'a', sizeof(pattern));
	assert_int_equal(compiles(pattern, REGEX_PATTERN_MAX), 0);
	assert_int_equal(compiles(pattern, REGEX_PATTERN_MAX + 1), EMSGSIZE);
	for (n = 0; n < REGEX_DEPTH_MAX + 1; n++) {
		pattern[n] = '(';
		pattern[2 * REGEX_DEPTH_MAX + 2 - 1 - n] = ')';
	}
	assert_int_equal(compiles(pattern + 1, 2 * REGEX_DEPTH_MAX), 0);
	assert_int_equal(compiles(pattern, 2 * REGEX_DEPTH_MAX + 2),
	    EMSGSIZE);
	assert_int_equal(compiles("a{255}", 6), 0);
	assert_int_equal(compiles("a{256}", 6), EMSGSIZE);
	/* 7 * 255 + 214 + the final one: 2000 */
	assert_int_equal(compiles("((a{255}){7})a{214}", 19), 0);
	assert_int_equal(compiles("((a{255}){7})a{215}", 19), EMSGSIZE);
	/* what fills all memory elsewhere, and what fills none but takes for
	 * ever */
	assert_int_equal(compiles("((a{1,200}){1,200}){1,200}", 26), EMSGSIZE);
	assert_int_equal(compiles("(((){255}){255}){255}", 21), EMSGSIZE);
}

/* Whatever text and expression: the steps are the product at most. */
static void
test_cost(void **state)
{
	static const char *const rows[] = { "(a*)*b", "(a|a)*b", "(a|aa)+$b",
	    "(.*)(.*)(.*)(.*)x", "a{1,150}{1,5}b", "((a?){100}){9}b" };
	struct arena a = ARENA_INIT;
	char *text = arena_alloc(&a, 8192);
	struct bytes all = bytes_of(text, 8192);
	uint64_t steps, used;

	(void)state;
	memset(text, 'a', all.n);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *why = NULL;
		struct regex *r = regex_compile(&a, bytes_str(rows[i]), &why);

		assert_non_null(r);
		steps = PLENTY;
		assert_int_equal(regex_match(&a, r, all, &steps), 0);
		used = PLENTY - steps;
		assert_true(used <= (all.n + 1) * (2 * REGEX_PROGRAM_MAX + 1));
		/* exactly enough is enough, one less is not */
		steps = used;
		assert_int_equal(regex_match(&a, r, all, &steps), 0);
		steps = used / 2;
		errno = 0;
		assert_int_equal(regex_match(&a, r, all, &steps), -1);
		assert_int_equal(errno, EMSGSIZE);
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_oracle),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cost),
	};

	return cmocka_run_group_tests_name("regex", tests, NULL, NULL);
}
