/*
 * rules_limit_test.c - B-20, D-4: the steps and domains of one message, all of
 * them and one more
 */
#include "rules/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "regex/regex.h"

static struct rule
rule(struct bytes mail_from)
{
	return (struct rule){ .name = BYTES("r"), .mailbox = BYTES("M"),
	    .mail_from = mail_from, .msg_from = BYTES_EMPTY,
	    .verified_domain = BYTES_EMPTY, .comment = BYTES_EMPTY,
	    .list_allow_domain = BYTES_EMPTY,
	    .accept_rejects_to = BYTES_EMPTY, .reply = BYTES_EMPTY };
}

/* ---- steps ---- */

/* Steps an expression needs for a text it does not match. */
static uint64_t
cost_of(struct arena *a, struct bytes pattern, struct bytes text)
{
	const char *why;
	struct regex *r = regex_compile(a, pattern, &why);
	uint64_t left = RULES_STEPS_MAX;

	assert_non_null(r);
	assert_int_equal(regex_match(a, r, text, &left), 0);
	return RULES_STEPS_MAX - left;
}

/* Rules that need all steps there are for their kind, none less: those that
 * need most first, then smaller ones, at last one step each. How many. */
static size_t
use_all(struct arena *a, struct rule *r, size_t max, struct bytes text)
{
	uint64_t left = RULES_STEPS_MAX / 2, cost;
	size_t n = 0;

	for (int k = 20; k >= 0; k--) {
		struct bytes pattern = k == 0 ? BYTES("^b$") : bytes_str(
		    arena_printf(a, "^(a|a){%d}[bc]", k));

		cost = cost_of(a, pattern, text);
		for (; left >= cost && n < max; left -= cost)
			r[n++] = rule(pattern);
	}
	assert_int_equal(cost, 1);
	assert_int_equal(left, 0);
	return n;
}

/* All steps there are, and one more, of rules that deliver or refuse. */
static void
test_steps(void **state)
{
	static struct rule r[RULES_MAX];
	struct rules_facts f = { .mail_from =
	    BYTES("aaaaaaaaaaaaaaaaaaaaaaaa") };
	struct arena a = ARENA_INIT;
	struct rules_result out;
	size_t n, i;

	(void)state;
	n = use_all(&a, r, RULES_MAX - 1, f.mail_from);
	r[n] = rule(BYTES("^b$"));
	for (int refuses = 0; refuses <= 1; refuses++) {
		for (i = 0; i <= n && refuses; i++)
			r[i].reply = BYTES("550 5.7.1 no");
		rules_match(&a, r, n, BYTES("Own"), &f, &out);
		assert_int_equal(out.nsteps, n);
		assert_false(out.steps[n - 1].undecided);
		assert_false(out.over_budget);
		assert_int_equal(out.reply_code, 0);
		rules_match(&a, r, n + 1, BYTES("Own"), &f, &out);
		assert_int_equal(out.nsteps, n + 1);
		assert_false(out.steps[n - 1].undecided);
		assert_true(out.steps[n].undecided);
		assert_true(out.over_budget);
		assert_int_equal(out.reply_code, refuses ? 451 : 0);
	}
	arena_free(&a);
}

/* ---- domains ---- */

/* Signatures of different domains, and one that is known. */
static void
test_domains(void **state)
{
	struct bytes info[RULES_DOMAINS_MAX + 2], last = BYTES_EMPTY;
	struct trace_block b = { .resinfo = info };
	struct trace_envelope e = { .sender = BYTES_EMPTY };
	struct arena a = ARENA_INIT;
	struct rules_facts f;
	size_t n;

	(void)state;
	info[0] = BYTES("dkim=pass header.d=d1.example");
	for (n = 1; n < RULES_DOMAINS_MAX + 2; n++) {
		last = bytes_str(arena_printf(&a, "d%zu.example", n));
		info[n] = bytes_str(arena_printf(&a, "dkim=pass header.d=%.*s",
		    BYTES_ARG(last)));
		b.nresinfo = n + 1;
		rules_facts_read(&a, &b, &e, BYTES("From: a@b.example\n\n"),
		    &f);
		assert_int_equal(f.ndkim_domains, n <= RULES_DOMAINS_MAX ? n
		    : RULES_DOMAINS_MAX);
		assert_int_equal(bytes_eq(f.dkim_domain[f.ndkim_domains - 1],
		    last), n <= RULES_DOMAINS_MAX);
	}
	arena_free(&a);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "B-20 all the steps there are, and one more", test_steps,
		    NULL, NULL, NULL },
		{ "D-4 the most domains that vouch, and one more",
		    test_domains, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
