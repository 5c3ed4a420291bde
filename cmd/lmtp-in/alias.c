/*
 * alias.c - an address that stands for several (BEHAVIOUR 6)
 *
 * Every member's own rules and history judge its copy; the message is
 * accepted if one of them does. Who is a recipient of the message itself, or
 * its author, is asked too, but gets no second copy (D-10).
 *
 * The client gets one reply for all of them, and repeats the whole message if
 * that is 4xx. So members elsewhere are queued before the first copy is
 * stored: if that fails nobody has it yet. A member whose copy cannot be
 * stored when others have theirs gets it through the queue (doc/queue.md).
 */
#include "lmtp_in.h"

#include "mime/mime.h"

struct expansion {
	struct smtp_session *s;
	struct deliverer *d;
	const struct smtp_recipient *rcpt;
	struct bytes text;
	struct recipient_alias alias;
	bool passed_on;			/* those elsewhere had their turn ... */
	bool queued;			/* ... and queue-add has it ... */
	bool stopped;			/* ... or cannot have it now: no
					 * member gets it this time */
	const struct recipient **missing;	/* could not be stored */
	enum missed *why;
	size_t nmissing;
	struct bytes from;		/* empty: none, or several */
	struct bytes author;		/* canonical; empty: not of ours */
	/* The first of each kind, code 0: none. Unstored: it was not refused,
	 * only could not be stored, or judged. Failed: what is for members
	 * elsewhere cannot be passed on. */
	struct smtp_answer accepted, refused, unstored, failed;
};

/* ---- who gets no copy ---- */

static bool
is_recipient(const struct expansion *x, struct bytes address)
{
	const struct smtp_envelope *e = smtp_envelope(x->s->smtp);
	const struct recipient *r;

	for (size_t i = 0; i < e->nrecipients; i++) {
		r = e->recipients[i].user;
		if (r->alias.n == 0 && bytes_eq(r->address, address))
			return true;
	}
	for (size_t i = 0; i < x->d->nreached; i++) {
		if (bytes_eq(x->d->reached[i], address))
			return true;
	}
	return false;
}

/* Another alias of this message need not reach it again. */
static void
note_reached(struct deliverer *d, struct bytes address)
{
	struct bytes *more;

	if (d->nreached == d->reached_size) {
		d->reached_size = d->reached_size == 0 ? 16
		    : d->reached_size * 2;
		more = arena_zalloc(&d->transaction, d->reached_size,
		    sizeof(*more));
		for (size_t i = 0; i < d->nreached; i++)
			more[i] = d->reached[i];
		d->reached = more;
	}
	d->reached[d->nreached++] = arena_bytes(&d->transaction, address);
}

/* ---- members ---- */

static void
keep_first(struct deliverer *d, struct smtp_answer *kept,
    const struct smtp_answer *answer)
{
	if (kept->code != 0)
		return;
	*kept = *answer;
	kept->status = arena_bytes(&d->transaction, answer->status);
	kept->text = arena_bytes(&d->transaction, answer->text);
}

static bool pass_on(void *ctx, struct smtp_answer *out);

static void
deliver_member(struct expansion *x, const struct recipient *member)
{
	struct copy c = { .rcpt = x->rcpt, .to = member, .is_member = true,
	    .before = pass_on, .ctx = x };
	struct smtp_answer answer;

	c.judge_only = is_recipient(x, member->address) ||
	    bytes_eq(x->author, member->address);
	deliver_copy(x->s, &c, x->text, &answer);
	if (answer.code < 300) {
		keep_first(x->d, &x->accepted, &answer);
		if (!c.judge_only)
			note_reached(x->d, member->address);
	} else {
		keep_first(x->d, x->d->missed == MISSED_NOT ? &x->refused
		    : &x->unstored, &answer);
		if (!c.judge_only && x->d->missed != MISSED_NOT) {
			x->missing[x->nmissing] = member;
			x->why[x->nmissing++] = x->d->missed;
		}
	}
	arena_reset(&x->d->job);
}

/*
 * Others have it: through the queue, which comes again. Where that cannot be,
 * one that is full goes without (BEHAVIOUR 6); for another one the client
 * comes again: a copy too many is better than one lost.
 */
static void
queue_missing(struct expansion *x)
{
	struct smtp_answer answer;

	for (size_t i = 0; i < x->nmissing; i++) {
		forward_message(x->s, x->rcpt, &x->alias, x->missing[i],
		    &x->missing[i]->address, 1, x->text, &answer);
		if (answer.code < 300)
			keep_first(x->d, &x->accepted, &answer);
		else if (x->why[i] == MISSED_FAILED) {
			x->accepted.code = 0;
			keep_first(x->d, &x->failed, &answer);
		}
		arena_reset(&x->d->job);
	}
}

/* ---- members elsewhere ---- */

/* With nobody here to judge the message, who gets the bounces does. */
static void
ask_owner(struct expansion *x)
{
	struct copy c = { .rcpt = x->rcpt, .is_member = true,
	    .judge_only = true };
	struct recipient owner;
	struct smtp_answer answer;
	struct path path;
	const char *why;

	if (addr_parse_mailbox(&x->d->transaction, x->alias.bounces_to,
	    ADDR_SMTPUTF8, &path, &why) == -1 ||
	    recipient_find(x->d->settings->config, &x->d->transaction, &path,
	    &owner) != 1 || owner.alias.n > 0)
		return;
	c.to = &owner;
	deliver_copy(x->s, &c, x->text, &answer);
	keep_first(x->d, answer.code < 300 ? &x->accepted : &x->refused,
	    &answer);
	arena_reset(&x->d->job);
}

/* Before the first copy is stored, once. False: come again. */
static bool
pass_on(void *ctx, struct smtp_answer *out)
{
	struct expansion *x = ctx;
	struct bytes *members;
	size_t n = 0;

	if (x->passed_on)
		return true;
	x->passed_on = true;
	members = arena_zalloc(&x->d->transaction, x->alias.nexternals + 1,
	    sizeof(*members));
	for (size_t i = 0; i < x->alias.nexternals; i++) {
		if (!recipient_same(&x->d->transaction,
		    x->alias.external[i], x->from))
			members[n++] = x->alias.external[i];
	}
	if (n == 0)
		return true;
	forward_message(x->s, x->rcpt, &x->alias, NULL, members, n, x->text,
	    out);
	x->queued = out->code < 300;
	if (out->code >= 400)
		keep_first(x->d, &x->failed, out);
	x->stopped = out->code >= 400 && out->code < 500;
	return !x->stopped;
}

/* What is left to do when every member here had its turn. */
static void
finish(struct expansion *x)
{
	const struct smtp_answer queued = { 250, BYTES("2.0.0"),
	    BYTES("delivered") };
	struct smtp_answer answer;

	if (x->accepted.code != 0 && !x->passed_on) {
		(void)pass_on(x, &answer);	/* the answer is kept */
		if (x->alias.nmembers == 0 && x->failed.code != 0)
			x->accepted.code = 0;
		arena_reset(&x->d->job);
	}
	if (x->queued)
		keep_first(x->d, &x->accepted, &queued);
	if (x->stopped)
		x->accepted.code = 0;
	else if (x->accepted.code != 0)
		queue_missing(x);
}

/* The From address: false if it may not post. */
static bool
check_author(struct expansion *x, struct bytes text)
{
	const struct config *c = x->d->settings->config;
	struct arena *a = &x->d->transaction;
	struct bytes header, body;
	struct recipient who;
	struct path from;
	bool has_from;

	mime_split(text, &header, &body);
	has_from = rules_from(a, header, &from);
	x->author = x->from = BYTES_EMPTY;
	if (has_from)
		x->from = addr_path_text(a, &from, false);
	if (has_from && recipient_find_any(c, a, &from, &who) == 1)
		x->author = who.address;
	return recipient_alias_may_post(c, a, &x->alias,
	    has_from ? &from : NULL);
}

static void
log_refused(struct expansion *x, const struct smtp_recipient *rcpt)
{
	struct logline l;

	log_begin(&l, LOG_INFO, "refused");
	log_num(&l, "cid", (int64_t)x->d->conn->id);
	log_str(&l, "id", deliver_id(x->s));
	log_bytes(&l, "from", smtp_envelope(x->s->smtp)->sender_text);
	log_bytes(&l, "to", rcpt->text);
	log_bytes(&l, "alias", x->alias.name);
	log_num(&l, "code", 550);
	log_str(&l, "why", "this From address may not post");
	log_end(&l);
}

/* One that could not be stored may come again, whoever else refuses it. */
static struct smtp_answer
the_answer(const struct expansion *x)
{
	static const struct smtp_answer nobody = { 550, BYTES("5.1.1"),
	    BYTES("nobody is behind this address") };
	const struct smtp_answer *in_order[] = { &x->accepted, &x->failed,
	    &x->unstored, &x->refused };

	for (size_t i = 0; i < sizeof(in_order) / sizeof(in_order[0]); i++) {
		if (in_order[i]->code != 0)
			return *in_order[i];
	}
	return nobody;
}

void
alias_deliver(struct smtp_session *s, const struct smtp_recipient *rcpt,
    struct bytes text, struct smtp_answer *out)
{
	struct deliverer *d = s->ctx;
	struct expansion x = { .s = s, .d = d, .rcpt = rcpt, .text = text };
	const struct recipient *r = rcpt->user;

	recipient_alias_read(d->settings->config, &d->transaction, r->alias,
	    &x.alias);
	if (!check_author(&x, text)) {
		log_refused(&x, rcpt);
		*out = (struct smtp_answer){ 550, BYTES("5.7.2"),
		    BYTES("you may not send to this address") };
		return;
	}
	x.missing = arena_zalloc(&d->transaction, x.alias.nmembers + 1,
	    sizeof(struct recipient *));
	x.why = arena_zalloc(&d->transaction, x.alias.nmembers + 1,
	    sizeof(*x.why));
	for (size_t i = 0; i < x.alias.nmembers && !x.stopped; i++)
		deliver_member(&x, &x.alias.member[i]);
	if (x.alias.nmembers == 0)
		ask_owner(&x);
	finish(&x);
	*out = the_answer(&x);
}
