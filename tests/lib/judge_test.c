/* Tests of lib/judge: each step, their order, what is asked and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "judge/judge.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct arena arena;

/* ---- a message and its world, to be changed by each row ---- */

enum {				/* what was asked */
	RATES = 1, REPORT = 2, REPUTATION = 4, KEY = 8, CONTENT = 16,
	LISTED = 32,
};

struct world {
	struct judge_facts f;
	struct judge_rule rule;
	struct judge_settings s;
	int rates, report, rep_error, key_error, content_error, listed;
	struct judge_reputation rep;
	struct judge_content content;
	struct judge_ask ask;
	unsigned int asked;
	struct bytes asked_mailbox;
	struct judge_sender asked_sender;
};

static const unsigned char key[JUDGE_KEY_BYTES] = "0123456789abcdef";

static int
ask_rates(void *ctx, struct bytes *text)
{
	struct world *w = ctx;

	w->asked |= RATES;
	*text = BYTES("500 messages in a minute");
	errno = EIO;
	return w->rates;
}

static int
ask_report(void *ctx, struct bytes *text)
{
	struct world *w = ctx;

	w->asked |= REPORT;
	*text = BYTES("no report in it");
	return w->report;
}

static int
ask_reputation(void *ctx, struct bytes mailbox, const struct judge_sender *s,
    struct judge_reputation *out)
{
	struct world *w = ctx;

	w->asked |= REPUTATION;
	w->asked_mailbox = mailbox;
	w->asked_sender = *s;
	errno = EIO;
	if (w->rep_error == 0)
		*out = w->rep;
	return w->rep_error;
}

static int
ask_key(void *ctx, unsigned char out[JUDGE_KEY_BYTES])
{
	struct world *w = ctx;

	w->asked |= KEY;
	errno = EIO;
	memcpy(out, key, JUDGE_KEY_BYTES);
	return w->key_error;
}

static int
ask_content(void *ctx, struct judge_content *out)
{
	struct world *w = ctx;

	w->asked |= CONTENT;
	errno = EIO;
	if (w->content_error == 0)
		*out = w->content;
	return w->content_error;
}

static int
ask_listed(void *ctx, struct judge_listing *out)
{
	struct world *w = ctx;

	w->asked |= LISTED;
	*out = (struct judge_listing){ BYTES("bl.example"),
	    BYTES("open relay") };
	return w->listed;
}

static const struct bytes to[] = { { (const unsigned char *)
    "alice@example.org", 17 } };
static const struct bytes dkim[] = {
	{ (const unsigned char *)"author.example", 14 },
	{ (const unsigned char *)"forward.example", 15 },
};

/* A stranger whose message has nothing bad about it. */
static void
set_up(struct world *w)
{
	*w = (struct world){ 0 };
	w->f = (struct judge_facts){
		.iprev = JUDGE_PASS, .spf = JUDGE_PASS, .dmarc = DMARC_PASS,
		.tls = true, .addressed = to, .naddressed = 1,
		.subject = BYTES("hello"), .id = BYTES("id"),
		.size = 1000, .now = 1800000000,
	};
	w->f.sender = (struct judge_sender){
		.from_address = BYTES("a@author.example"),
		.from_domain = BYTES("author.example"),
		.alignment = DMARC_ALIGNED_STRICT,
		.mail_from = BYTES("bounce@author.example"),
		.mail_from_domain = BYTES("author.example"),
		.mail_from_validated = true,
		.helo = BYTES("mx.author.example"), .helo_validated = true,
		.dkim = dkim, .ndkim = 2,
	};
	assert_int_equal(ip_parse(BYTES("192.0.2.1"), &w->f.sender.remote),
	    0);
	w->rule = (struct judge_rule){ .address = BYTES("alice@example.org"),
	    .canonical = BYTES("alice@example.org"), .mailbox = BYTES_EMPTY,
	    .list_domain = BYTES_EMPTY, .verified_domain = BYTES_EMPTY,
	    .accept_rejects_to = BYTES_EMPTY, .auth_required = BYTES_EMPTY,
	    .reply_status = BYTES_EMPTY, .reply_text = BYTES_EMPTY };
	w->s = (struct judge_settings){ .introbox = BYTES_EMPTY,
	    .junk = true, .threshold = 0.95, .first_time_delay = true };
	w->rep = (struct judge_reputation){ .method = "none",
	    .text = BYTES_EMPTY };
	w->content = (struct judge_content){ 0.1, true, BYTES("ham=hello") };
	w->ask = (struct judge_ask){ .ctx = w, .rates = ask_rates,
	    .report = ask_report, .reputation = ask_reputation,
	    .key = ask_key, .content = ask_content, .listed = ask_listed };
}

static void
decide(struct world *w, struct judge_result *r)
{
	judge_decide(&arena, &w->f, &w->rule, &w->s, &w->ask, r);
}

/* ---- the order: whatever stands later too, the earliest step decides ---- */

static void on_rates(struct world *w) { w->rates = 1; }
static void on_rule(struct world *w)
{
	w->rule.reply_code = 553;
	w->rule.reply_status = BYTES("5.7.1");
	w->rule.reply_text = BYTES("not you");
}
static void on_list(struct world *w)
{
	w->rule.list_domain = BYTES("Author.example");
}
static void on_dmarc(struct world *w)
{
	w->f.dmarc = DMARC_FAIL;
	w->f.disposition = DMARC_POLICY_QUARANTINE;
}
static void on_required(struct world *w)
{
	w->rule.auth_required = BYTES("sign it");
	w->f.sender.alignment = DMARC_ALIGNED_NONE;
}
static void on_rep_error(struct world *w) { w->rep_error = -1; }
static void on_conclusive(struct world *w)
{
	w->rep.conclusive = true;
	w->rep.method = "dkimspf";
	if (w->rep.junk == JUDGE_UNKNOWN)
		w->rep.junk = JUDGE_HAM;
}
static void on_report(struct world *w)
{
	w->rule.takes_reports = true;
	w->report = 1;
}
static void on_spf(struct world *w) { w->f.spf = JUDGE_SOFTFAIL; }
static void on_iprev(struct world *w)
{
	w->f.iprev = JUDGE_FAIL;
	w->rep.junk = JUDGE_JUNK;
}
static void on_token(struct world *w)
{
	char text[JUDGE_TOKEN_SIZE];

	w->s.subjectpass_seconds = 43200;
	judge_token_make(key, w->f.sender.from_address, w->f.now - 3600,
	    text);
	w->f.subject = bytes_str(arena_printf(&arena, "hello %s", text));
}
static void on_content(struct world *w) { w->content.probability = 0.9999; }
static void on_listed(struct world *w) { w->listed = 1; }
static void on_nothing(struct world *w) { (void)w; }

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

/* ---- the rows that change something on the way ---- */

struct expect {
	const char *what;
	void (*on)(struct world *w);
	const char *reason;
	bool accept;
	int code;
	const char *mailbox, *destined;
};

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
static void conclusive_junk(struct world *w)
{
	on_conclusive(w);
	w->rep.junk = JUDGE_JUNK;
	w->rep.method = "msgfromfull";
}
static void conclusive_unknown(struct world *w)
{
	on_conclusive(w);
	w->rep.junk = JUDGE_UNKNOWN;
}
static void report_none(struct world *w)
{
	on_report(w);
	w->report = 0;
}
static void spf_known(struct world *w)
{
	on_spf(w);
	w->rep.method = "msgfromdomain";
}
static void spf_hard(struct world *w) { w->f.spf = JUDGE_FAIL; }
static void spf_neutral(struct world *w) { w->f.spf = JUDGE_NEUTRAL; }
static void spf_ip(struct world *w)
{
	on_spf(w);
	w->rep.method = "ip3";
}
static void iprev_known(struct world *w)
{
	on_iprev(w);
	w->rep.method = "msgfromdomain";
}
static void iprev_unknown(struct world *w) { w->f.iprev = JUDGE_FAIL; }
static void token_off(struct world *w)
{
	on_token(w);
	w->s.subjectpass_seconds = 0;
	on_content(w);
}
static void token_no_from(struct world *w)
{
	on_token(w);
	w->f.sender.from_address = BYTES_EMPTY;
	on_content(w);
}
static void token_error(struct world *w)
{
	on_token(w);
	w->key_error = -1;
}
static void junk_off(struct world *w)
{
	on_content(w);
	w->s.junk = false;
}
static void few_learnt(struct world *w)
{
	on_content(w);
	w->content.significant = false;
}
static void few_learnt_iprev(struct world *w)
{
	few_learnt(w);
	w->f.iprev = JUDGE_PERMERROR;
}
static void few_learnt_unchecked(struct world *w)
{
	few_learnt(w);
	w->f.iprev = JUDGE_NONE;
}
static void strict(struct world *w, double p)
{
	w->content.probability = p;
}
static void strict_iprev(struct world *w)
{
	strict(w, 0.26);
	w->f.iprev = JUDGE_TEMPERROR;
}
static void strict_iprev_below(struct world *w)
{
	strict(w, 0.25);
	w->f.iprev = JUDGE_TEMPERROR;
}
static void strict_tls(struct world *w)
{
	strict(w, 0.26);
	w->f.tls = false;
}
static void strict_to(struct world *w)
{
	strict(w, 0.26);
	w->f.naddressed = 0;
}
static void strict_to_forward(struct world *w)
{
	strict_to(w);
	w->rule.is_forward = true;
}
static void strict_to_empty(struct world *w)
{
	strict_to(w);
	w->rule.address = BYTES("\"\"@example.org");
}
static void strict_low(struct world *w)
{
	strict(w, 0.24);
	w->s.threshold = 0.1;
	w->f.tls = false;
}
static void content_error(struct world *w) { w->content_error = -1; }
static void no_lists(struct world *w)
{
	on_listed(w);
	w->ask.listed = NULL;
}
static void give(struct world *w)
{
	on_listed(w);
	w->s.subjectpass_seconds = 43200;
}
static void give_mild(struct world *w)
{
	w->s.subjectpass_seconds = 43200;
	w->s.threshold = 0.6;
	w->content.probability = 0.7;
}
static void give_not_mild(struct world *w)
{
	give_mild(w);
	w->content.probability = 0.9;
}
static void give_known(struct world *w)
{
	give(w);
	w->rep.method = "ip3";
}
static void give_no_dmarc(struct world *w)
{
	give(w);
	w->f.dmarc = DMARC_NONE;
}
static void give_error(struct world *w)
{
	give(w);
	w->key_error = -1;
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
	{ "J-5 step 12: conclusive junk", conclusive_junk, "msgfromfull",
	    false, 451, "Inbox", "Inbox" },
	{ "step 12: unknown concludes nothing", conclusive_unknown,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-19 step 14: not where the domain is known", spf_known,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-19 step 14: fail", spf_hard, "spf-policy", false, 451, "Inbox",
	    "Inbox" },
	{ "J-19 step 14: neutral is no failure", spf_neutral,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-19 step 14: addresses are weak", spf_ip, "spf-policy", false,
	    451, "Inbox", "Inbox" },
	{ "J-19 step 15: not where the domain is known", iprev_known,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-19 step 15: not without signs of junk", iprev_unknown,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-16 step 16: it is off", token_off, "junk-content", false, 451,
	    "Inbox", "Inbox" },
	{ "J-16 step 16: no From address", token_no_from, "junk-content",
	    false, 451, "Inbox", "Inbox" },
	{ "J-16 step 16: no key", token_error, "subjectpass-error", false,
	    451, "Inbox", "Inbox" },
	{ "step 17: content is not judged", junk_off, "no-bad-signals",
	    true, 0, "Inbox", "" },
	{ "J-7 step 17: too little learnt", few_learnt, "no-bad-signals",
	    true, 0, "Inbox", "" },
	{ "J-7 step 17: unless iprev is bad", few_learnt_iprev,
	    "junk-content-strict", false, 451, "Inbox", "Inbox" },
	{ "J-7 step 17: iprev was not checked", few_learnt_unchecked,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-6 step 17: bad iprev", strict_iprev, "junk-content-strict",
	    false, 451, "Inbox", "Inbox" },
	{ "J-6 step 17: at the threshold it passes", strict_iprev_below,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-6 step 17: no TLS", strict_tls, "junk-content-strict", false,
	    451, "Inbox", "Inbox" },
	{ "J-6 step 17: not in To or Cc", strict_to, "junk-content-strict",
	    false, 451, "Inbox", "Inbox" },
	{ "J-6 step 17: but forwarded", strict_to_forward, "no-bad-signals",
	    true, 0, "Inbox", "" },
	{ "J-6 step 17: an empty local part is found", strict_to_empty,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-6 step 17: a lower threshold stays", strict_low,
	    "junk-content", false, 451, "Inbox", "Inbox" },
	{ "J-5 step 17: it cannot be judged", content_error, "junk-error",
	    false, 451, "Inbox", "Inbox" },
	{ "J-18 step 18: no lists", no_lists, "no-bad-signals", true, 0,
	    "Inbox", "" },
	{ "J-16 step 20: a token for who is listed", give,
	    "give-subjectpass", false, 550, "Inbox", "Inbox" },
	{ "J-16 step 20: a token for mild junk", give_mild,
	    "give-subjectpass", false, 550, "Inbox", "Inbox" },
	{ "J-16 step 20: none for what is clear", give_not_mild,
	    "junk-content", false, 451, "Inbox", "Inbox" },
	{ "J-16 step 20: none for known hosts", give_known,
	    "dns-blocklisted", false, 451, "Inbox", "Inbox" },
	{ "J-16 step 20: none without DMARC", give_no_dmarc,
	    "dns-blocklisted", false, 451, "Inbox", "Inbox" },
	{ "J-16 step 20: no key", give_error, "subjectpass-error", false,
	    451, "Inbox", "Inbox" },
};

static void
test_rows(void **state)
{
	struct judge_result r;
	struct world w;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		print_message("# J-1 %s\n", rows[i].what);
		set_up(&w);
		rows[i].on(&w);
		decide(&w, &r);
		assert_string_equal(r.reason, rows[i].reason);
		assert_int_equal(r.accept, rows[i].accept);
		assert_int_equal(r.code, rows[i].code);
		assert_true(bytes_eq(r.mailbox, bytes_str(rows[i].mailbox)));
		assert_true(bytes_eq(r.destined,
		    bytes_str(rows[i].destined)));
	}
}

/* ---- what else comes out ---- */

static bool
has_text(const struct judge_result *r, const char *text)
{
	for (size_t i = 0; i < r->ntexts; i++) {
		if (bytes_find(r->texts[i], bytes_str(text),
		    &(size_t){ 0 }))
			return true;
	}
	return false;
}

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

static void
test_texts(void **state)
{
	struct buf b = BUF_INIT(2 * JUDGE_FIELD_MAX);
	struct judge_result r;
	struct world w;
	char token[JUDGE_TOKEN_SIZE];

	(void)state;
	print_message("# J-4 words, scores and threshold in the reason\n");
	set_up(&w);
	w.f.tls = false;
	strict(&w, 0.3);
	w.rep.text = BYTES("nothing known");
	decide(&w, &r);
	assert_true(has_text(&r, "nothing known"));
	assert_true(has_text(&r, "no TLS"));
	assert_true(has_text(&r, "content 0.300000, threshold 0.250"));
	assert_true(has_text(&r, "ham=hello"));
	assert_int_equal(judge_format_reason(&b, &r), 0);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("Pipemail-Reason: "
	    "junk-content-strict; nothing known; no TLS; content 0.300000,\n"
	    "\tthreshold 0.250; ham=hello\n")));
	buf_reset(&b);
	assert_int_equal(judge_format_line(&b, &r), 0);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("temperror\t"
	    "junk-content-strict\tInbox\t451\t4.3.0\tInbox\tnothing known\t"
	    "no TLS\tcontent 0.300000, threshold 0.250\tham=hello")));

	print_message("# J-6 step 17: of several signs the first is told\n");
	set_up(&w);
	strict_iprev(&w);
	strict_tls(&w);
	strict_to(&w);
	decide(&w, &r);
	assert_true(has_text(&r, "no reverse name"));
	assert_false(has_text(&r, "no TLS"));
	w.f.iprev = JUDGE_PASS;
	decide(&w, &r);
	assert_true(has_text(&r, "no TLS"));
	assert_false(has_text(&r, "recipient not in To or Cc"));

	print_message("# J-18 the list and its text\n");
	set_up(&w);
	on_listed(&w);
	decide(&w, &r);
	assert_true(has_text(&r, "listed by bl.example"));
	assert_true(has_text(&r, "open relay"));

	print_message("# J-16 the reply has a fresh token\n");
	set_up(&w);
	give(&w);
	decide(&w, &r);
	judge_token_make(key, w.f.sender.from_address, w.f.now, token);
	assert_true(bytes_find(r.text, bytes_str(token), &(size_t){ 0 }));
	assert_true(bytes_eq(r.status, BYTES("5.7.1")));
	assert_true(has_text(&r, "dns-blocklisted"));

	print_message("# J-4 nothing breaks out of the field\n");
	buf_reset(&b);
	r = (struct judge_result){ .reason = "junk-content",
	    .texts = { BYTES("a\nSubject: x\r\n\x01\xff b") }, .ntexts = 1 };
	assert_int_equal(judge_format_reason(&b, &r), 0);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("Pipemail-Reason: "
	    "junk-content; a?Subject: x???? b\n")));
	buf_free(&b);
}

/* Every line of a field of long texts is short and the whole has a limit. */
static void
test_long(void **state)
{
	struct buf b = BUF_INIT(2 * JUDGE_FIELD_MAX);
	struct judge_result r = { .reason = "junk-content" };
	char *long_text = arena_alloc(&arena, 2000);
	struct bytes rest, line;

	(void)state;
	print_message("# J-4 a field of JUDGE_FIELD_MAX, lines of 79\n");
	memset(long_text, 'x', 2000);
	for (size_t i = 0; i < 1000; i += 2)
		memcpy(long_text + i, "\xc3\xa4", 2);
	for (size_t i = 0; i < JUDGE_TEXTS_MAX; i++)
		r.texts[i] = bytes_of(long_text, i == 0 ? 20 : 2000);
	r.ntexts = JUDGE_TEXTS_MAX;
	assert_int_equal(judge_format_reason(&b, &r), 0);
	rest = buf_bytes(&b);
	assert_true(rest.n > JUDGE_FIELD_MAX / 2);
	assert_true(rest.n <= JUDGE_FIELD_MAX + 1);
	while (bytes_line(&rest, &line)) {
		assert_true(line.n > 0 && line.n <= 79);
		assert_false(bytes_find(line, BYTES("?"), &(size_t){ 0 }));
		assert_true(bytes_at(line, 0) == 'P' ||
		    bytes_at(line, 0) == '\t');
		/* no character is cut: a line does not begin within one */
		assert_true(bytes_at(line, 0) == 'P' ||
		    (bytes_at(line, 1) & 0xc0) != 0x80);
	}
	buf_free(&b);
}

/* J-7: chance by the received-id, within 0.05, and the same each time. */
static void
test_jitter(void **state)
{
	double least = 1, most = 0, sum = 0, first = 0;
	struct judge_result r;
	struct world w;
	int accepted;

	(void)state;
	print_message("# J-7 step 17: +-0.05 by the received-id\n");
	for (int i = 0; i < 400; i++) {
		set_up(&w);
		w.s.threshold = 0.5;
		w.f.id = bytes_str(arena_printf(&arena, "id%d", i));
		for (double p = 0.44; p < 0.56; p += 0.001) {
			w.content.probability = p;
			decide(&w, &r);
			accepted = r.accept;
			decide(&w, &r);
			assert_int_equal(r.accept, accepted);
			if (!r.accept) {
				first = p;
				break;
			}
		}
		least = first < least ? first : least;
		most = first > most ? first : most;
		sum += first;
	}
	assert_true(least > 0.449 && least < 0.455);
	assert_true(most < 0.552 && most > 0.545);
	assert_true(sum / 400 > 0.49 && sum / 400 < 0.51);
}

/* ---- subjectpass ---- */

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

static int
tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_forward),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_mailbox_asked),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_token_vector),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
