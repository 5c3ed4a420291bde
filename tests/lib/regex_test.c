/*
 * regex_test.c - expressions at a bounded cost (D-4, BEHAVIOUR 1.1)
 */
#include "regex/regex.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PLENTY ((uint64_t)1000 * 1000 * 1000)

/* What is kept from one match to the next changes none. */
static void
same_in_room(struct arena *a, const struct regex *r, struct bytes text,
    int result, uint64_t cost)
{
	struct regex_room *room = regex_room_new(a);
	uint64_t steps;

	for (int i = 0; i < 3; i++) {
		steps = PLENTY;
		assert_int_equal(regex_match_in(room, r, text, &steps),
		    result);
		assert_int_equal(PLENTY - steps, cost);
		/* what runs out of steps leaves nothing behind */
		steps = cost / 2;
		assert_int_equal(regex_match_in(room, r, text, &steps) == -1,
		    cost > 0);
	}
}

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
		same_in_room(&a, r, text, result, PLENTY - steps);
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
		{ "a$", "a\n", 0 }, { "^$", "a", 0 }, { "a|b|c", "c", 1 },
		{ "a|b|c", "d", 0 }, { "^a{2,3}$", "aaa", 1 },
		{ "^a{2,3}$", "aaaa", 0 }, { "^(a*)*$", "aaa", 1 },
		{ "^.$", "\303\244", 1 }, { "^..$", "\303\244", 0 },
		/* no UTF-8: what stands around it is looked at */
		{ "^.$", "\377", 0 }, { "b$", "\377ab", 1 },
		{ "\303\244+$", "\303\244\303\244", 1 },
		{ "^[\303\240-\303\244]$", "\303\243", 1 },
		{ "^[^a-c]$", "d", 1 }, { "^[^a-c]$", "a", 0 },
		{ "^[[:digit:]]+$", "123", 1 }, { "^\\d+$", "1a", 0 },
		{ "\\.", "a", 0 }, { "\\.", ".", 1 },
		{ "@(.*\\.)?example\\.org$", "a@x.example.org", 1 },
		{ "@(.*\\.)?example\\.org$", "a@badexample.org", 0 },
		{ "A", "a", 0 }, { "(?i)A", "a", 1 }, { "(a)\\1", "aa", 1 },
		/* a word alone is compared without PCRE2 */
		{ "^List-Id_2$", "List-Id_2", 1 },
		{ "^List-Id$", "list-id", 0 },
		{ "^list-id$", "list-id-", 0 }, { "^list-id$", "list-i", 0 },
		{ "^list-id$", "", 0 }, { "^list-id$", "list-id\n", 0 },
		{ "^a.c$", "abc", 1 }, { "^a.c$", "a.c", 1 },
		{ "^a|c$", "ab", 1 }, { "^a^c$", "a^c", 0 },
		/* no expressions */
		{ "*", "", -1 }, { "a{2,1}", "", -1 }, { "(", "", -1 },
		{ ")", "", -1 }, { "[a", "", -1 }, { "[[:no:]]", "", -1 },
		{ "[b-a]", "", -1 }, { "\\", "", -1 }, { "\\C", "", -1 },
		{ "\303", "", -1 }, { "(*NOSUCH)", "", -1 },
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
	/* what fills all memory elsewhere */
	assert_int_equal(compiles("(a{200}){200}", 13), 0);
	assert_int_equal(compiles("((a{1,200}){1,200}){1,200}", 26), EMSGSIZE);
}

/* Whatever text and expression: what is counted is the cost. */
static void
test_cost(void **state)
{
	static const struct {
		const char *pattern;
		bool within;	/* of the budget below */
	} rows[] = {
		{ "(a*)*b", true },	/* PCRE2 sees that there is no b */
		{ "(a*)*(b|a$c)", false }, { "(a|a)*(?:b|c)", false },
		{ "^(.*)(.*)(.*)[xy]", false }, { "(a|aa)+$[bc]", false },
		{ "^a*[bc]", true }, { "^(a|(?R)b)+[bc]", false },
		{ "^word$", true },
	};
	struct arena a = ARENA_INIT;
	char *text = arena_alloc(&a, 8192);
	struct bytes all = bytes_of(text, 8192);

	(void)state;
	memset(text, 'a', all.n);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *why = NULL;
		struct regex *r = regex_compile(&a,
		    bytes_str(rows[i].pattern), &why);
		uint64_t steps = 4000 * 1000, used;
		int got;

		assert_non_null(r);
		errno = 0;
		got = regex_match(&a, r, all, &steps);
		if (got != (rows[i].within ? 0 : -1))
			fail_msg("%s: %d", rows[i].pattern, got);
		if (!rows[i].within) {
			assert_int_equal(errno, EMSGSIZE);
			continue;
		}
		/* exactly enough is enough, less is not */
		used = 4000 * 1000 - steps;
		steps = used;
		assert_int_equal(regex_match(&a, r, all, &steps), 0);
		assert_int_equal(steps, 0);
		steps = used / 2;
		if (used > 0)
			assert_int_equal(regex_match(&a, r, all, &steps), -1);
	}
	arena_free(&a);
}

/* Whether a text of n letters, each of which may be another, matches: what is
 * to be put aside grows with it. What is used of memory in *used. */
static int
match_long(const struct regex *r, struct bytes text, size_t n, size_t *used)
{
	struct arena a = ARENA_INIT;
	struct regex_room *room = regex_room_new(&a);
	const uint64_t all = (uint64_t)1 << 40;
	uint64_t steps = all;
	int got;

	errno = 0;
	got = regex_match_in(room, r, bytes_first(text, n), &steps);
	assert_in_range(steps, all / 2, all - 1);
	*used = a.used_bytes;
	arena_free(&a);
	return got;
}

/* The longest that matches uses what there is of memory; one letter more, and
 * it is not known. */
static void
test_memory(void **state)
{
	struct arena a = ARENA_INIT;
	const char *why;
	struct regex *r = regex_compile(&a, BYTES("^(a|b)*$"), &why);
	size_t fits = 1, not = 1 << 20, used;
	struct bytes text;

	(void)state;
	assert_non_null(r);
	text = bytes_of(memset(arena_alloc(&a, not), 'a', not), not);
	assert_int_equal(match_long(r, text, fits, &used), 1);
	assert_int_equal(match_long(r, text, not, &used), -1);
	while (not - fits > 1) {
		size_t n = fits + (not - fits) / 2;

		if (match_long(r, text, n, &used) == 1)
			fits = n;
		else
			not = n;
	}
	assert_int_equal(match_long(r, text, not, &used), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(match_long(r, text, fits, &used), 1);
	print_message("# %zu letters, %zu bytes\n", fits, used);
	assert_in_range(used, REGEX_MEMORY_MAX, 3 * REGEX_MEMORY_MAX);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cost),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("regex", tests, NULL, NULL);
}
