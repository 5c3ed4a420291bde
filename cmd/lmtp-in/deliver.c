/*
 * deliver.c - one reply per recipient (RFC 2033 4.2)
 *
 * The peer on the Unix socket is trusted to say who the client was
 * (XFORWARD); the message's trusted block is the one above and including its
 * Received field with the received-id of XFORWARD IDENT.
 */
#include "lmtp_in.h"

#include <errno.h>

#include "trace/trace.h"

#define FACTS_MAX 65536
#define PREFIX_MAX (STAGE_PREFIX_MAX + 2 * TRACE_FIELD_MAX)

static struct deliverer *
deliverer_of(struct smtp_session *s)
{
	return s->ctx;
}

/* ---- recipients ---- */

static void
accept_rcpt(struct smtp_session *s, const struct recipient *found)
{
	struct deliverer *d = deliverer_of(s);
	struct recipient *copy;

	copy = arena_zalloc(&d->transaction, 1, sizeof(*copy));
	*copy = *found;
	smtp_asked(s->smtp)->user = copy;
	smtp_rcpt_accept(s->smtp);
}

/* what the address's smtp-error says. */
static void
refuse_as_configured(struct smtp_session *s, struct bytes reply)
{
	struct deliverer *d = deliverer_of(s);
	struct bytes status = BYTES("5.1.1"), text = BYTES("refused");
	int code = 550;

	(void)config_split_reply(reply, &code, &status, &text);	/* checked */
	smtp_rcpt_refuse(s->smtp, code, arena_str(&d->transaction, status),
	    text);
}

void
deliver_rcpt(struct smtp_session *s)
{
	struct deliverer *d = deliverer_of(s);
	struct recipient found;
	int n;

	if (smtp_envelope(s->smtp)->nrecipients == 0) {
		arena_reset(&d->transaction);
		d->reached = NULL;
		d->nreached = d->reached_size = 0;
	}
	n = recipient_find(d->settings->config, &d->transaction,
	    &smtp_asked(s->smtp)->path, &found);
	if (n == 1 && found.error.n > 0)
		refuse_as_configured(s, found.error);
	else if (n == 1)
		accept_rcpt(s, &found);
	else if (n == 0)
		smtp_rcpt_refuse(s->smtp, 550, "5.1.1",
		    BYTES("no such user"));
	else if (errno == EACCES)
		smtp_rcpt_refuse(s->smtp, 550, "5.7.1",
		    BYTES("not a domain of this server"));
	else
		smtp_rcpt_refuse(s->smtp, 450, "4.2.1",
		    BYTES("domain is disabled for now"));
}

/* ---- logs ---- */

const char *
deliver_id(struct smtp_session *s)
{
	struct bytes ident = smtp_envelope(s->smtp)->xforward.ident;

	return ident.n > 0 ? arena_str(&deliverer_of(s)->job, ident) : s->id;
}

/* What became of a copy. */
struct outcome {
	uint32_t uid;		/* 0: not delivered */
	struct bytes mailbox;
	const char *reason;	/* "": it was not judged */
};

static void
log_delivery(struct smtp_session *s, const struct copy *c,
    const struct rules_result *rules, const struct smtp_answer *answer,
    size_t size, const struct outcome *done, int64_t started)
{
	struct deliverer *d = deliverer_of(s);
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	struct logline l;

	log_begin(&l, LOG_INFO, answer->code < 300 ? "delivered"
	    : "refused");
	log_num(&l, "cid", (int64_t)d->conn->id);
	log_str(&l, "id", deliver_id(s));
	log_bytes(&l, "from", e->sender_text);
	log_bytes(&l, "to", c->rcpt->text);
	log_bytes(&l, "account", c->to->account);
	log_bytes(&l, "mailbox", done->mailbox);
	if (rules->rule.n > 0)
		log_bytes(&l, "rule", rules->rule);
	if (c->judge_only)
		log_str(&l, "copy", "none");
	if (done->uid != 0)
		log_num(&l, "uid", done->uid);
	if (done->reason[0] != '\0')
		log_str(&l, "reason", done->reason);
	log_num(&l, "size", (int64_t)size);
	log_num(&l, "code", answer->code);
	log_bytes(&l, "reply", answer->text);
	log_num(&l, "ms", time_mono_ms() - started);
	log_end(&l);
}

static void
log_failure(struct smtp_session *s, struct bytes account, const char *what,
    int err)
{
	struct deliverer *d = deliverer_of(s);
	struct logline l;

	log_begin(&l, LOG_ERROR, "failed");
	log_num(&l, "cid", (int64_t)d->conn->id);
	log_str(&l, "id", deliver_id(s));
	log_bytes(&l, "account", account);
	log_str(&l, "what", what);
	log_err(&l, err);
	log_end(&l);
}

void
deliver_refused(struct smtp_session *s, const char *why)
{
	struct deliverer *d = deliverer_of(s);
	struct logline l;

	log_begin(&l, LOG_INFO, "refused");
	log_num(&l, "cid", (int64_t)d->conn->id);
	log_bytes(&l, "from", smtp_envelope(s->smtp)->sender_text);
	log_str(&l, "why", why);
	log_end(&l);
}

/* ---- one recipient ---- */

static void
set_answer(struct smtp_answer *out, int code, const char *status,
    struct bytes text)
{
	out->code = code;
	out->status = bytes_str(status);
	out->text = text;
}

static void
fail(struct smtp_session *s, const struct recipient *r,
    struct smtp_answer *out, const char *what, int err)
{
	struct deliverer *d = deliverer_of(s);
	char text[SMTP_FAIL_TEXT];
	const char *status;
	int code;

	d->missed = err == EDQUOT ? MISSED_FULL : MISSED_FAILED;
	if (err == EDQUOT) {
		set_answer(out, 452, "4.2.2", BYTES("mailbox is full"));
		return;
	}
	code = smtp_fail_reply(err, deliver_id(s), text, &status);
	log_failure(s, r->account, what, err);
	set_answer(out, code, status, arena_bytes(&d->job, bytes_str(text)));
	accounts_forget(d->accounts, r->account);
}

static void
set_verdict(struct smtp_session *s, const struct stage_job *job,
    struct smtp_answer *out)
{
	struct deliverer *d = deliverer_of(s);

	switch (job->verdict) {
	case STAGE_REJECT:
		set_answer(out, 550, "5.7.1", job->reply);
		break;
	case STAGE_TEMP:
		d->missed = MISSED_FAILED;
		set_answer(out, 451, "4.3.0", bytes_str(arena_printf(&d->job,
		    "%.*s, received-id %s", BYTES_ARG(job->reply),
		    deliver_id(s))));
		break;
	default:
		set_answer(out, 250, "2.0.0", BYTES("ok"));
	}
}

/* The reason, where it would have gone, Delivered-To, Return-Path and, where
 * the message does not have it in front of it already, the trusted block
 * (R-35). */
static int
make_prefix(struct smtp_session *s, const struct copy *c,
    struct stage_job *job, const struct verdict *v, struct buf *out,
    struct buf *facts)
{
	const struct smtp_envelope *e = smtp_envelope(s->smtp);

	if (verdict_fields(v, out, facts) == -1)
		return -1;
	if (c->is_member && trace_delivered_to(out, c->to->address) == -1)
		return -1;
	if (trace_delivered_to(out, c->rcpt->text) == -1 ||
	    trace_return_path(out, e->sender_text) == -1)
		return -1;
	/* D-15: whose copy it is, which smtp-in does not say to several */
	if (job->received_done)
		job->block.received = trace_received_for(job->arena,
		    job->block.received, c->rcpt->text);
	return job->received_done ? stage_job_prefix(job, out) : 0;
}

static void
set_outcome(struct arena *a, const struct verdict *v,
    const struct store_delivered *where, struct smtp_answer *out,
    struct outcome *done)
{
	done->uid = where->uid;
	done->mailbox = v->r.mailbox;
	done->reason = v->r.reason;
	if (v->r.accept)
		set_answer(out, 250, "2.0.0", BYTES("delivered"));
	else
		set_answer(out, v->r.code, arena_str(a, v->r.status),
		    v->r.text);
}

/* No copy of a refused message: it is refused all the same. */
static bool
store_failed(struct smtp_session *s, const struct recipient *r,
    const struct verdict *v, struct smtp_answer *out)
{
	if (v->r.accept) {
		fail(s, r, out, "delivery", errno);
		return true;
	}
	log_failure(s, r->account, "copy of what is refused", errno);
	return false;
}

/* A prefix and what it stands on. */
struct front {
	unsigned char *p;
	struct bytes was;
};

/*
 * Put the prefix in front of the message where that is in memory, so that the
 * store need not join them in a copy. What it stands on, the trusted block the
 * prefix was made from, is put back for the next recipient: nothing is to look
 * at it in between. False: there is no room.
 */
static bool
front_put(struct smtp_session *s, struct bytes prefix, struct bytes message,
    struct front *f)
{
	f->p = smtp_session_front(s, message.p, prefix.n);
	if (f->p == NULL)
		return false;
	f->was = arena_bytes(&deliverer_of(s)->job, bytes_of(f->p, prefix.n));
	memcpy(f->p, prefix.p, prefix.n);
	return true;
}

static void
front_restore(const struct front *f)
{
	if (f->p != NULL)
		memcpy(f->p, f->was.p, f->was.n);
}

/* Of one that is accepted; others are stored once in a while. */
static int
store_joined(struct smtp_session *s, const struct verdict *v,
    struct store_incoming *m, struct bytes message,
    struct store_delivered *where)
{
	struct front f = { .p = NULL };
	struct bytes whole;
	int r;

	if (v->r.accept && m->origin == NULL &&
	    front_put(s, m->pieces[0], message, &f)) {
		whole = bytes_of(f.p, m->pieces[0].n + message.n);
		m->pieces = &whole;
		m->count = 1;
	}
	r = verdict_store(v, m, message, where);
	front_restore(&f);
	return r;
}

static void
store_message(struct smtp_session *s, const struct copy *c,
    struct stage_job *job, const struct verdict *v, struct smtp_answer *out,
    struct outcome *done)
{
	const struct recipient *r = c->to;
	struct origin origin;
	struct buf prefix = BUF_INIT(PREFIX_MAX), facts = BUF_INIT(FACTS_MAX);
	struct store_delivered where = { 0 };
	struct store_incoming m = { 0 };
	struct bytes pieces[2];
	int n = facts_add(&facts, &job->envelope, c->rcpt->text,
	    &job->block);

	if (n == 0 && verdict_needs_hash(v))
		n = facts_add_hash(&facts, deliverer_of(s)->hasher,
		    job->message);
	if (n == 0)
		n = make_prefix(s, c, job, v, &prefix, &facts);
	if (n == 0) {
		pieces[0] = buf_bytes(&prefix);
		pieces[1] = job->message;
		m.pieces = pieces;
		m.count = 2;
		m.extension = buf_bytes(&facts);
		if (origin_of_forward(job, v->rules, &origin))
			m.origin = &origin;
		n = store_joined(s, v, &m, job->message, &where);
	}
	if (n == 0 || !store_failed(s, r, v, out))
		set_outcome(&deliverer_of(s)->job, v, &where, out, done);
	buf_free(&prefix);
	buf_free(&facts);
}

void
deliver_envelope(struct smtp_session *s, const struct smtp_recipient *rcpt,
    struct trace_envelope *t)
{
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	const struct smtp_xforward *x = &e->xforward;

	*t = (struct trace_envelope){ .sender = e->sender_text,
	    .recipients = &rcpt->text, .nrecipients = 1,
	    .helo = x->helo.n > 0 ? x->helo : e->helo,
	    .with = x->proto.n > 0 ? x->proto : bytes_str(e->with),
	    .requiretls = e->requiretls, .id = x->ident,
	    .remote = x->addr, .remote_port = x->port,
	    .remote_host = x->name, .time = time_wall_us() / 1000000 };
}

/* nobody reads this any more. */
static void
set_gone(struct smtp_answer *out)
{
	set_answer(out, 451, "4.4.2", BYTES("the client is gone"));
}

/* What is decided, and the copy where it goes then. */
static void
judge_copy(struct smtp_session *s, const struct copy *c,
    struct stage_job *job, struct rules_result *rules,
    struct smtp_answer *out, struct outcome *done)
{
	struct deliverer *d = deliverer_of(s);
	const struct store_delivered nowhere = { 0 };
	struct store *store = accounts_open(d->accounts, c->to->account);
	struct verdict v;

	if (store == NULL) {
		fail(s, c->to, out, "store", errno);
		return;
	}
	if (!c->judge_only)
		filters_before(s, c->to, job);
	if (job->verdict != STAGE_PASS) {
		set_verdict(s, job, out);
		return;
	}
	stage_guard_timed(job, BYTES("judge"));
	choose(s, c->to, job, rules);
	verdict_make(s, c, job, rules, store, &v);
	stage_guard_untimed(job, BYTES("delivery"));
	d->slow = d->slow || v.r.slow;
	if (c->judge_only) {
		set_outcome(&d->job, &v, &nowhere, out, done);
		return;
	}
	verdict_wait(d, &v, &job->envelope.remote);
	if (d->gone) {
		set_gone(out);
		return;
	}
	if (v.r.accept && !v.r.is_reject)
		filters_after(s, c->to, rules, job);
	if (job->verdict != STAGE_PASS)
		set_verdict(s, job, out);
	else if (!v.r.accept || c->before == NULL || c->before(c->ctx, out))
		store_message(s, c, job, &v, out, done);
}

void
deliver_copy(struct smtp_session *s, const struct copy *c,
    struct bytes text, struct smtp_answer *out)
{
	struct deliverer *d = deliverer_of(s);
	struct rules_result rules = { .rule = BYTES_EMPTY,
	    .mailbox = c->to->mailbox };
	int64_t started = time_mono_ms();
	struct trace_envelope e;
	struct stage_job job;
	struct outcome done = { 0, c->to->mailbox, "" };

	*out = (struct smtp_answer){ 451, BYTES_EMPTY, BYTES_EMPTY };
	d->missed = MISSED_NOT;
	if (d->gone) {
		set_gone(out);
		return;
	}
	deliver_envelope(s, c->rcpt, &e);
	stage_job_init(&job, &d->job, d->settings->stage, &e, BYTES_EMPTY);
	stage_job_resume(&job, text);
	if (job.envelope.id.n == 0)
		job.envelope.id = bytes_str(s->id);
	stage_guard_begin(&job, s->out);
	d->accounts->job = &job;
	stage_run(&job, &d->settings->stages);
	stage_guard_untimed(&job, BYTES("delivery"));
	if (job.verdict == STAGE_PASS)
		judge_copy(s, c, &job, &rules, out, &done);
	else {
		set_verdict(s, &job, out);
		/* what a program of one person says is that one's wish */
		d->slow = d->slow || job.verdict == STAGE_REJECT;
	}
	d->accounts->job = NULL;
	stage_guard_end(&job);
	if (done.uid != 0)
		d->delivered++;
	log_delivery(s, c, &rules, out, text.n, &done, started);
	stage_job_end(&job);
}

static void
deliver_one(struct smtp_session *s, const struct smtp_recipient *rcpt,
    struct bytes text)
{
	struct deliverer *d = deliverer_of(s);
	struct copy c = { .rcpt = rcpt, .to = rcpt->user };
	struct smtp_answer answer;

	d->slow = false;
	if (c.to->alias.n > 0)
		alias_deliver(s, rcpt, text, &answer);
	else
		deliver_copy(s, &c, text, &answer);
	if (d->slow && answer.code >= 300)
		smtp_reply_marked(s->smtp, answer.code,
		    arena_str(&d->job, answer.status), answer.text,
		    SMTP_MARK_SLOW);
	else
		smtp_reply(s->smtp, answer.code,
		    arena_str(&d->job, answer.status), answer.text);
	arena_reset(&d->job);
}

void
deliver_message(struct smtp_session *s, struct bytes text)
{
	const struct smtp_envelope *e = smtp_envelope(s->smtp);
	size_t n = e->nrecipients;

	deliverer_of(s)->waited = deliverer_of(s)->gone = false;
	/* the envelope ends with the last reply */
	for (size_t i = 0; i < n; i++)
		deliver_one(s, &e->recipients[i], text);
}
