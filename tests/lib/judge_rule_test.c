/* Tests of lib/judge, steps 1 to 11: what an account and its rules want. */
#include "judge_fixture.h"

static void with_rule_mailbox(struct world *w)
{
	w->rule.mailbox = BYTES("Lists/x");
}
static void list_by_spf(struct world *w)
{
	w->f.sender.ndkim = 0;
	on_list(w);
}
static void list_unverified(struct world *w)
{
	list_by_spf(w);
	w->f.sender.mail_from_validated = false;
}
static void list_below(struct world *w)
{
	w->rule.list_domain = BYTES("example");
}
static void forward_dmarc(struct world *w)
{
	on_dmarc(w);
	w->rule.is_forward = true;
}
static void rejects_to(struct world *w)
{
	w->rule.accept_rejects_to = BYTES("Spam/kept");
	on_content(w);
}
static void rejects_to_rates(struct world *w)
{
	rejects_to(w);
	w->rates = 1;
}
static void rates_error(struct world *w) { w->rates = -1; }
static void dmarc_temp(struct world *w)
{
	w->f.dmarc = DMARC_TEMPERROR;
	w->f.disposition = DMARC_POLICY_REJECT;
}
static void required_temp(struct world *w)
{
	on_required(w);
	w->f.dmarc = DMARC_TEMPERROR;
}
static void required_relaxed(struct world *w)
{
	on_required(w);
	w->f.sender.alignment = DMARC_ALIGNED_RELAXED;
}
static void introbox(struct world *w) { w->s.introbox = BYTES("Introbox"); }
static void introbox_other(struct world *w)
{
	introbox(w);
	w->rule.mailbox = BYTES("Inbox/x");
}
static void introbox_from(struct world *w)
{
	introbox(w);
	w->rep = (struct judge_reputation){ JUDGE_HAM, true, "msgfromfull",
	    BYTES_EMPTY };
}
static void introbox_to(struct world *w)
{
	introbox(w);
	w->rep = (struct judge_reputation){ JUDGE_HAM, true, "msgtofull",
	    BYTES_EMPTY };
}
static void introbox_domain(struct world *w)
{
	introbox(w);
	w->rep = (struct judge_reputation){ JUDGE_HAM, true, "msgfromdomain",
	    BYTES_EMPTY };
}
static void introbox_forward(struct world *w)
{
	introbox(w);
	w->rule.is_forward = true;
}
static void introbox_report(struct world *w)
{
	introbox(w);
	on_report(w);
}
static void introbox_junk(struct world *w)
{
	introbox(w);
	on_content(w);
}
static void introbox_required(struct world *w)
{
	introbox(w);
	on_required(w);
}
static void report_none(struct world *w)
{
	on_report(w);
	w->report = 0;
}

static const struct expect rows[] = {
	{ "step 1: rates cannot be read", rates_error, "reputation-error",
	    false, 451, "", "" },
	{ "step 2: the rule's mailbox", with_rule_mailbox, "no-bad-signals",
	    true, 0, "Lists/x", "" },
	{ "D-6 step 3: the list by SPF", list_by_spf, "list-allow", true, 0,
	    "Inbox", "" },
	{ "D-6 step 3: not by MAIL FROM alone", list_unverified,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "D-6 step 3: a domain below is another", list_below,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "D-5 step 4: DMARC is not used for forwarded mail", forward_dmarc,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "D-7 step 5: accepted all the same", rejects_to, "junk-content",
	    true, 0, "Spam/kept", "Inbox" },
	{ "D-7 step 5: not what is over the rates", rejects_to_rates,
	    "high-rate", false, 452, "", "" },
	{ "A-5 step 6: a temporary error never refuses", dmarc_temp,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "step 7: no report", report_none, "no-bad-signals", true, 0,
	    "Inbox", "" },
	{ "D-8 step 9: temporary", required_temp, "msg-auth-required", false,
	    451, "Inbox", "Inbox" },
	{ "D-8 step 9: relaxed is validated", required_relaxed,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-17 step 11: unknown to the Introbox", introbox,
	    "no-bad-signals", true, 0, "Introbox", "Inbox" },
	{ "J-17 step 11: other mailboxes have none", introbox_other,
	    "no-bad-signals", true, 0, "Inbox/x", "" },
	{ "J-17 step 11: the author is known", introbox_from, "msgfromfull",
	    true, 0, "Inbox", "" },
	{ "J-17 step 11: the author was written to", introbox_to,
	    "msgtofull", true, 0, "Inbox", "" },
	{ "J-17 step 11: the domain alone is known", introbox_domain,
	    "msgfromdomain", true, 0, "Introbox", "Inbox" },
	{ "J-17 step 11: not forwarded mail", introbox_forward,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-17 step 11: not a report", introbox_report, "reporting", true,
	    0, "Inbox", "" },
	{ "J-17 step 11: it can still be refused", introbox_junk,
	    "junk-content", false, 451, "Introbox", "Inbox" },
	{ "J-17 step 9 before 11: refused, it is not moved",
	    introbox_required, "msg-auth-required", false, 550, "Inbox",
	    "Inbox" },
};

static void
test_rows(void **state)
{
	(void)state;
	check_rows(rows, COUNT(rows));
}

/* ---- what else comes out ---- */

static void
test_forward(void **state)
{
	struct judge_result r;
	struct world w;

	(void)state;
	print_message("# D-5 step 4: the forwarder's marks are taken out\n");
	set_up(&w);
	w.rule.is_forward = true;
	w.rule.verified_domain = BYTES("Forward.example");
	decide(&w, &r);
	assert_true(r.is_forward && r.sender_blanked && !r.first_time);
	assert_string_equal(r.override, "forwarded");
	assert_int_equal(w.asked_sender.remote.family, 0);
	assert_int_equal(w.asked_sender.mail_from.n, 0);
	assert_int_equal(w.asked_sender.mail_from_domain.n, 0);
	assert_int_equal(w.asked_sender.helo.n, 0);
	assert_false(w.asked_sender.mail_from_validated);
	assert_false(w.asked_sender.helo_validated);
	assert_int_equal(w.asked_sender.ndkim, 1);
	assert_true(bytes_eq(w.asked_sender.dkim[0],
	    BYTES("author.example")));
	assert_true(bytes_eq(w.asked_sender.from_address,
	    BYTES("a@author.example")));
	assert_int_equal(r.sender.ndkim, 1);

	print_message("# D-6 R-27 step 3: a list, no delay\n");
	set_up(&w);
	on_list(&w);
	decide(&w, &r);
	assert_true(r.is_list && !r.first_time);
	assert_string_equal(r.override, "mailing_list");

	print_message("# D-7 step 5: marked as what would be refused\n");
	set_up(&w);
	rejects_to(&w);
	decide(&w, &r);
	assert_true(r.is_reject && !r.to_rejects && !r.slow);

	print_message("# R-27 the account does without a delay\n");
	set_up(&w);
	w.s.first_time_delay = false;
	decide(&w, &r);
	assert_true(r.accept && !r.first_time);

	print_message("# D-5 D-6 step 3 before 4: a list is no forwarder\n");
	set_up(&w);
	list_by_spf(&w);
	w.rule.is_forward = true;
	decide(&w, &r);
	assert_true(r.is_list && !r.is_forward && !r.sender_blanked);
	assert_string_equal(r.override, "mailing_list");
}

static void
test_reports(void **state)
{
	struct judge_result r;
	struct world w;

	(void)state;
	print_message("# step 7, step 8: why it is no report\n");
	set_up(&w);
	report_none(&w);
	decide(&w, &r);
	assert_true(bytes_eq(r.report_error, BYTES("no report in it")));
	assert_false(r.is_report);

	print_message("# step 8 before 9: said of what is refused, too\n");
	set_up(&w);
	report_none(&w);
	on_required(&w);
	decide(&w, &r);
	assert_false(r.accept);
	assert_true(bytes_eq(r.report_error, BYTES("no report in it")));

	print_message("# step 7, step 8: nobody takes reports\n");
	set_up(&w);
	on_report(&w);
	w.ask.report = NULL;
	decide(&w, &r);
	assert_string_equal(r.reason, "no-bad-signals");
	assert_int_equal(r.report_error.n, 0);
}

static void
test_mailbox_asked(void **state)
{
	struct judge_result r;
	struct world w;

	(void)state;
	print_message("# step 10: over the history of the rule's mailbox\n");
	set_up(&w);
	with_rule_mailbox(&w);
	decide(&w, &r);
	assert_true(bytes_eq(w.asked_mailbox, BYTES("Lists/x")));
	set_up(&w);
	introbox(&w);
	decide(&w, &r);
	assert_true(bytes_eq(w.asked_mailbox, BYTES("Inbox")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_forward),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_mailbox_asked),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
