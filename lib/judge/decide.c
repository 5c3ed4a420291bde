/*
 * decide.c - the steps, in their order (doc/judging.md)
 *
 * Each step is a function that tells whether the decision is made. What it
 * asks for is asked there and nowhere else, so a message that is decided early
 * costs nothing of what comes later.
 */
#include "judge/judge.h"

#include <errno.h>

/* What is said of junk, whatever the reason: it teaches senders nothing. */
#define OPAQUE BYTES("error processing")

/* Unknown senders with a bad sign get this threshold. */
#define STRICT_THRESHOLD 0.25
/* Half the width of what chance adds to the threshold. */
#define JITTER 0.05

struct decision {
	struct arena *a;
	const struct judge_facts *f;
	const struct judge_rule *rule;
	const struct judge_settings *s;
	const struct judge_ask *ask;
	struct judge_result *r;
	struct judge_reputation rep;
	bool reported;		/* a report was taken */
	bool weak;		/* reputation rests on hosts, or nothing */
	bool suspicious;	/* and the host has no proper name */
	bool mild;		/* content is junk, but not by far */
	bool listed;
};

static void
say(struct decision *d, struct bytes text)
{
	if (text.n > 0 && d->r->ntexts < JUDGE_TEXTS_MAX)
		d->r->texts[d->r->ntexts++] = arena_bytes(d->a, text);
}

/* The same of a constant text and a name. */
static void
say_about(struct decision *d, const char *what, struct bytes name)
{
	struct buf b = BUF_INIT(JUDGE_FIELD_MAX);

	if (buf_adds(&b, what) == 0 && buf_add(&b, name) == 0)
		say(d, buf_bytes(&b));
	buf_free(&b);
}

static bool
accept(struct decision *d, const char *reason)
{
	d->r->accept = true;
	d->r->reason = reason;
	return true;
}

/* Refused without a copy: what is not to be kept, or cannot be judged. */
static bool
refuse(struct decision *d, int code, struct bytes status, struct bytes text,
    const char *reason)
{
	d->r->accept = false;
	d->r->code = code;
	d->r->status = status;
	d->r->text = text;
	d->r->reason = reason;
	d->r->slow = true;
	return true;
}

/* Step 5: refused, unless a rule wants such mail. */
static bool
reject(struct decision *d, int code, struct bytes status, struct bytes text,
    const char *reason)
{
	struct judge_result *r = d->r;

	if (r->destined.n == 0)
		r->destined = r->mailbox;
	if (d->rule->accept_rejects_to.n > 0) {
		r->mailbox = d->rule->accept_rejects_to;
		r->is_reject = true;
		say(d, BYTES("accepted by rule all the same"));
		return accept(d, reason);
	}
	r->to_rejects = true;
	return refuse(d, code, status, text, reason);
}

static bool
reject_junk(struct decision *d, const char *reason)
{
	return reject(d, 451, BYTES("4.3.0"), OPAQUE, reason);
}

/* What could not be found out: the reason says so, the reply does not. */
static bool
reject_unknown(struct decision *d, const char *reason)
{
	say(d, bytes_str(strerror(errno)));
	return reject_junk(d, reason);
}

/* ---- 1 to 5: rates, the recipient's own wishes ---- */

static bool
step_rates(struct decision *d)
{
	struct bytes text = BYTES_EMPTY;
	int n = d->ask->rates(d->ask->ctx, &text);

	if (n == -1) {
		say(d, bytes_str(strerror(errno)));
		return refuse(d, 451, BYTES("4.3.0"), OPAQUE,
		    "reputation-error");
	}
	if (n == 0)
		return false;
	say(d, text);
	return refuse(d, 452, BYTES("4.2.2"),
	    BYTES("too much mail from your network for now"), "high-rate");
}

static bool
step_mailbox(struct decision *d)
{
	const struct judge_rule *rule = d->rule;

	d->r->mailbox = rule->mailbox.n > 0 ? rule->mailbox : BYTES("Inbox");
	if (rule->name.n > 0)
		say_about(d, "rule ", rule->name);
	if (rule->reply_code == 0)
		return false;
	(void)refuse(d, rule->reply_code, rule->reply_status,
	    rule->reply_text, "rule");
	d->r->slow = false;	/* that one person blocks says little */
	return true;
}

static bool
is_domain(const struct judge_sender *s, struct bytes domain)
{
	if (s->mail_from_validated && bytes_caseeq(s->mail_from_domain,
	    domain))
		return true;
	for (size_t i = 0; i < s->ndkim; i++) {
		if (bytes_caseeq(s->dkim[i], domain))
			return true;
	}
	return false;
}

static bool
step_list(struct decision *d)
{
	if (d->rule->list_domain.n == 0 ||
	    !is_domain(&d->r->sender, d->rule->list_domain))
		return false;
	d->r->is_list = true;
	d->r->override = "mailing_list";
	say_about(d, "verified list domain ", d->rule->list_domain);
	return accept(d, "list-allow");
}

static void
drop_domain(struct decision *d, struct bytes domain)
{
	struct judge_sender *s = &d->r->sender;
	struct bytes *left = arena_zalloc(d->a, s->ndkim, sizeof(*left));
	size_t n = 0;

	for (size_t i = 0; i < s->ndkim; i++) {
		if (!bytes_caseeq(s->dkim[i], domain))
			left[n++] = s->dkim[i];
	}
	s->dkim = left;
	s->ndkim = n;
}

/* The forwarder neither gains nor loses by what it forwards. */
static void
step_forward(struct decision *d)
{
	struct judge_sender *s = &d->r->sender;

	if (!d->rule->is_forward)
		return;
	d->r->is_forward = true;
	d->r->override = "forwarded";
	d->r->sender_blanked = true;
	s->remote = (struct ip){ 0 };
	s->helo = s->mail_from = s->mail_from_domain = BYTES_EMPTY;
	s->helo_validated = s->mail_from_validated = false;
	if (d->rule->verified_domain.n > 0)
		drop_domain(d, d->rule->verified_domain);
}

/* ---- 6 to 9: the sender's domain, reports ---- */

static bool
step_dmarc(struct decision *d)
{
	if (d->r->is_forward || d->f->dmarc != DMARC_FAIL ||
	    d->f->disposition == DMARC_POLICY_NONE)
		return false;
	say_about(d, "policy of ", d->f->sender.from_domain);
	return reject(d, 550, BYTES("5.7.26"),
	    BYTES("refused by the DMARC policy of the From domain"),
	    "dmarc-policy");
}

static void
step_report(struct decision *d)
{
	struct bytes text = BYTES_EMPTY;

	if (!d->rule->takes_reports || d->ask->report == NULL)
		return;
	if (d->ask->report(d->ask->ctx, &text) == 1)
		d->reported = d->r->is_report = true;
	else
		d->r->report_error = arena_bytes(d->a, text);
}

static bool
step_required(struct decision *d)
{
	struct bytes text = d->rule->auth_required;

	if (text.n == 0 || d->f->sender.alignment != DMARC_ALIGNED_NONE)
		return false;
	if (d->f->dmarc != DMARC_TEMPERROR)
		return reject(d, 550, BYTES("5.7.26"), text,
		    "msg-auth-required");
	text = bytes_str(arena_printf(d->a, "transient: %.*s",
	    BYTES_ARG(text)));
	return reject(d, 451, BYTES("4.7.26"), text, "msg-auth-required");
}

/* ---- 10 to 15: who is known ---- */

static bool
method_is(const struct judge_reputation *rep, const char *name)
{
	return strcmp(rep->method, name) == 0;
}

static bool
method_is_weak(const struct judge_reputation *rep)
{
	return method_is(rep, "dkimspf") || method_is(rep, "ip1") ||
	    method_is(rep, "ip2") || method_is(rep, "ip3") ||
	    method_is(rep, "none");
}

static bool
step_reputation(struct decision *d)
{
	if (d->ask->reputation(d->ask->ctx, d->r->mailbox, &d->r->sender,
	    &d->rep) == -1)
		return reject_unknown(d, "reputation-error");
	d->r->method = d->rep.method;
	d->weak = method_is_weak(&d->rep);
	/* a check that was not made says nothing */
	d->suspicious = d->weak && d->f->iprev != JUDGE_PASS &&
	    d->f->iprev != JUDGE_NONE;
	say(d, d->rep.text);
	return false;
}

static void
step_introbox(struct decision *d)
{
	struct judge_result *r = d->r;

	if (d->s->introbox.n == 0 ||
	    !bytes_caseeq(r->mailbox, BYTES("Inbox")) ||
	    method_is(&d->rep, "msgfromfull") ||
	    method_is(&d->rep, "msgtofull") || r->is_forward || d->reported)
		return;
	r->destined = r->mailbox;
	r->mailbox = d->s->introbox;
}

static bool
step_conclusive(struct decision *d)
{
	if (!d->rep.conclusive || d->rep.junk == JUDGE_UNKNOWN)
		return false;
	return d->rep.junk == JUDGE_HAM ? accept(d, d->rep.method)
	    : reject_junk(d, d->rep.method);
}

static bool
step_spf(struct decision *d)
{
	if (!d->weak || (d->f->spf != JUDGE_FAIL &&
	    d->f->spf != JUDGE_SOFTFAIL))
		return false;
	say_about(d, "SPF of MAIL FROM: ",
	    bytes_str(judge_check_name(d->f->spf)));
	return reject_junk(d, "spf-policy");
}

static bool
step_iprev(struct decision *d)
{
	if (!d->suspicious || d->rep.junk != JUDGE_JUNK)
		return false;
	say_about(d, "iprev: ", bytes_str(judge_check_name(d->f->iprev)));
	return reject_junk(d, "iprev");
}

/* ---- 16 to 20: what is in it ---- */

static bool
step_token(struct decision *d)
{
	unsigned char key[JUDGE_KEY_BYTES];
	const char *why;
	bool good;

	if (d->s->subjectpass_seconds <= 0 ||
	    d->f->sender.from_address.n == 0)
		return false;
	/* without a token in sight the key stays where it is */
	if (!bytes_find(d->f->subject, BYTES("(pass:"), &(size_t){ 0 }))
		return false;
	if (d->ask->key(d->ask->ctx, key) == -1)
		return reject_unknown(d, "subjectpass-error");
	good = judge_token_check(key, d->f->sender.from_address,
	    d->f->subject, d->f->now, d->s->subjectpass_seconds, &why);
	secret_wipe(key, sizeof(key));
	if (good)
		return accept(d, "subjectpass");
	say_about(d, "subjectpass: ", bytes_str(why));
	return false;
}

/* By the received-id: the same message is always judged the same, and who
 * sends it cannot choose. */
static double
jitter(const struct judge_facts *f)
{
	unsigned char hash[32];

	sha256_of(f->id, hash);
	return ((double)be32_get(hash + 4) / UINT32_MAX * 2 - 1) * JITTER;
}

static bool
is_addressed(const struct decision *d)
{
	struct bytes rcpt = d->rule->address;

	/* An empty local part counts as found; so does what nobody knows. */
	if (rcpt.n == 0 || bytes_starts(rcpt, BYTES("\"\"@")) ||
	    bytes_starts(rcpt, BYTES("@")))
		return true;
	for (size_t i = 0; i < d->f->naddressed; i++) {
		if (bytes_caseeq(d->f->addressed[i], rcpt))
			return true;
	}
	return false;
}

/* The first bad sign that makes an unknown sender's content count more, or
 * NULL. */
static const char *
bad_sign(const struct decision *d)
{
	if (d->suspicious)
		return "no reverse name";
	if (!d->f->tls)
		return "no TLS";
	if (!d->rule->is_forward && !is_addressed(d))
		return "recipient not in To or Cc";
	return NULL;
}

/* *wanted: what content says; true: the decision is made. */
static bool
step_content(struct decision *d, bool *wanted)
{
	double threshold = d->s->threshold + jitter(d->f);
	struct judge_content c = { .text = BYTES_EMPTY };
	const char *sign = bad_sign(d);

	d->r->reason = "junk-content";
	if (sign != NULL && threshold > STRICT_THRESHOLD) {
		threshold = STRICT_THRESHOLD;
		d->r->reason = "junk-content-strict";
		say(d, bytes_str(sign));
	}
	if (d->ask->content(d->ask->ctx, &c) == -1)
		return reject_unknown(d, "junk-error");
	*wanted = c.probability <= threshold ||
	    (!c.significant && !d->suspicious);
	d->mild = !*wanted && c.probability < (threshold + 1) / 2;
	say(d, bytes_str(arena_printf(d->a, "content %.6f, threshold %.3f%s",
	    c.probability, threshold, c.significant ? ""
	    : ", few messages learnt")));
	say(d, c.text);
	return false;
}

static void
step_lists(struct decision *d)
{
	struct judge_listing l = { BYTES_EMPTY, BYTES_EMPTY };

	if (d->ask->listed == NULL || d->ask->listed(d->ask->ctx, &l) != 1)
		return;
	d->listed = true;
	d->r->reason = "dns-blocklisted";
	say_about(d, "listed by ", l.zone);
	say(d, l.text);
}

/* An explanation and a token for who could be wanted: -1 it cannot be. */
static int
offer_token(struct decision *d)
{
	unsigned char key[JUDGE_KEY_BYTES];
	char token[JUDGE_TOKEN_SIZE];

	if (d->ask->key(d->ask->ctx, key) == -1)
		return -1;
	judge_token_make(key, d->f->sender.from_address, d->f->now, token);
	secret_wipe(key, sizeof(key));
	(void)reject(d, 550, BYTES("5.7.1"), bytes_str(arena_printf(d->a,
	    "your message looks like junk; if a person wrote it, please send "
	    "it again with %s in its subject", token)), "give-subjectpass");
	return 0;
}

static bool
step_refuse(struct decision *d)
{
	if (d->s->subjectpass_seconds > 0 && d->f->dmarc == DMARC_PASS &&
	    method_is(&d->rep, "none") && (d->listed || d->mild) &&
	    d->f->sender.from_address.n > 0) {
		say(d, bytes_str(d->r->reason));
		if (offer_token(d) == 0)
			return true;
		return reject_unknown(d, "subjectpass-error");
	}
	return reject_junk(d, d->r->reason);
}

/* ---- all of it ---- */

/* Steps 16 to 20, for who is not known well. */
static void
judge_content(struct decision *d)
{
	bool wanted = true;

	if (step_token(d))
		return;
	if (d->s->junk && step_content(d, &wanted))
		return;
	if (wanted)
		step_lists(d);
	if (wanted && !d->listed)
		(void)accept(d, "no-bad-signals");
	else
		(void)step_refuse(d);
}

static void
decide(struct decision *d)
{
	if (step_rates(d) || step_mailbox(d) || step_list(d))
		return;
	step_forward(d);
	if (step_dmarc(d))
		return;
	step_report(d);
	if (step_required(d) || step_reputation(d))
		return;
	step_introbox(d);
	if (step_conclusive(d))
		return;
	if (d->reported) {
		(void)accept(d, "reporting");
		return;
	}
	if (step_spf(d) || step_iprev(d))
		return;
	judge_content(d);
}

void
judge_decide(struct arena *a, const struct judge_facts *f,
    const struct judge_rule *rule, const struct judge_settings *s,
    const struct judge_ask *ask, struct judge_result *out)
{
	struct decision d = { .a = a, .f = f, .rule = rule, .s = s,
	    .ask = ask, .r = out, .rep = { .method = "none",
	    .text = BYTES_EMPTY } };

	*out = (struct judge_result){ .status = BYTES_EMPTY,
	    .text = BYTES_EMPTY, .reason = "", .mailbox = BYTES_EMPTY,
	    .destined = BYTES_EMPTY, .report_error = BYTES_EMPTY,
	    .sender = f->sender };
	decide(&d);
	out->first_time = out->accept && s->first_time_delay &&
	    !out->is_forward &&
	    strcmp(out->reason, "no-bad-signals") == 0;
}
