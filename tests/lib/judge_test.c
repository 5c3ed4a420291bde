/* Tests of lib/judge: each step, their order, what is asked and when. */
#include "judge_fixture.h"

/* Whatever stands later too, the earliest step decides. */
static const struct {
	const char *what, *reason;
	void (*on)(struct world *w);
	bool accept;
	int code;
	const char *status;
	unsigned int asked;	/* with nothing else on */
	bool to_rejects, slow;
} steps[] = {
	{ "J-1 R-29 step 1: rates", "high-rate", on_rates, false, 452,
	    "4.2.2", RATES, false, true },
	{ "J-1 B-20 step 2: a rule refuses", "rule", on_rule, false, 553,
	    "5.7.1", RATES, false, false },
	{ "J-1 D-6 step 3: mailing list", "list-allow", on_list, true, 0,
	    "", RATES, false, false },
	{ "J-1 step 6: DMARC", "dmarc-policy", on_dmarc, false, 550,
	    "5.7.26", RATES, true, true },
	{ "J-1 D-8 step 9: From must be vouched for", "msg-auth-required",
	    on_required, false, 550, "5.7.26", RATES, true, true },
	{ "J-1 J-5 step 10: reputation cannot be read", "reputation-error",
	    on_rep_error, false, 451, "4.3.0", RATES | REPUTATION, true,
	    true },
	{ "J-1 step 12: conclusive reputation", "dkimspf", on_conclusive,
	    true, 0, "", RATES | REPUTATION, false, false },
	{ "J-1 step 13: a report", "reporting", on_report, true, 0, "",
	    RATES | REPORT | REPUTATION, false, false },
	{ "J-1 J-19 step 14: SPF of MAIL FROM", "spf-policy", on_spf, false,
	    451, "4.3.0", RATES | REPUTATION, true, true },
	{ "J-1 J-19 step 15: iprev and signs of junk", "iprev", on_iprev,
	    false, 451, "4.3.0", RATES | REPUTATION, true, true },
	{ "J-1 J-16 step 16: subjectpass", "subjectpass", on_token, true, 0,
	    "", RATES | REPUTATION | KEY, false, false },
	{ "J-1 J-5 step 17: content", "junk-content", on_content, false,
	    451, "4.3.0", RATES | REPUTATION | CONTENT, true, true },
	{ "J-1 J-18 step 18: block lists", "dns-blocklisted", on_listed,
	    false, 451, "4.3.0", RATES | REPUTATION | CONTENT | LISTED,
	    true, true },
	{ "J-1 step 19: nothing bad", "no-bad-signals", on_nothing, true, 0,
	    "", RATES | REPUTATION | CONTENT | LISTED, false, false },
};

/* The row of step 9. */
#define FIRST_AFTER_REPORTS 4

static void
test_steps(void **state)
{
	struct judge_result r;
	struct world w;

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		print_message("# %s\n", steps[i].what);
		set_up(&w);
		steps[i].on(&w);
		decide(&w, &r);
		assert_string_equal(r.reason, steps[i].reason);
		assert_int_equal(r.accept, steps[i].accept);
		assert_int_equal(r.code, steps[i].code);
		assert_true(bytes_eq(r.status, bytes_str(steps[i].status)));
		assert_int_equal(w.asked, steps[i].asked);
		assert_int_equal(r.to_rejects, steps[i].to_rejects);
		assert_int_equal(r.slow, steps[i].slow);
		assert_int_equal(r.first_time, i == COUNT(steps) - 1);
		if (r.code == 451)
			assert_true(bytes_eq(r.text,
			    BYTES("error processing")));
	}
}

/*
 * The reason of a step when later ones are on, too, and what was asked:
 * nothing of a later step. Only a report (7, 8) is looked for before step 9,
 * though it speaks in step 13.
 */
static void
expect_step(size_t i, const struct world *w, const struct judge_result *r)
{
	const char *reason = steps[i].reason;
	unsigned int asked = steps[i].asked;

	if (w->rule.takes_reports && i >= FIRST_AFTER_REPORTS)
		asked |= REPORT;
	assert_int_equal(w->asked, asked);
	/* With a bad reverse name content has less room. */
	if (strcmp(reason, "junk-content") == 0 &&
	    strcmp(r->reason, "junk-content-strict") == 0)
		return;
	assert_string_equal(r->reason, reason);
}

static void
test_order(void **state)
{
	struct judge_result r;
	struct world w;

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		for (size_t k = i + 1; k < COUNT(steps); k++) {
			print_message("# J-1 order: %s, before %s\n",
			    steps[i].what, steps[k].what);
			set_up(&w);
			steps[k].on(&w);
			steps[i].on(&w);
			decide(&w, &r);
			expect_step(i, &w, &r);
		}
		set_up(&w);
		for (size_t k = COUNT(steps); k-- > i;)
			steps[k].on(&w);
		decide(&w, &r);
		expect_step(i, &w, &r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_order),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
