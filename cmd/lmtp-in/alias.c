/*
 * alias.c - an address that stands for several (BEHAVIOUR 6)
 *
 * Every member's own rules and history judge its copy; the message is
 * accepted if one of them does. Who is a recipient of the message itself, or
 * its author, is asked too, but gets no second copy (D-10).
 */
#include "lmtp_in.h"

#include "mime/mime.h"

struct expansion {
	struct smtp_session *s;
	struct deliverer *d;
	struct recipient_alias alias;
	struct bytes author;		/* canonical; empty: not of ours */
	struct smtp_answer accepted, refused, failed;	/* code 0: none */
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

static void
deliver_member(struct expansion *x, const struct smtp_recipient *rcpt,
    const struct recipient *member, struct bytes text)
{
	struct copy c = { .rcpt = rcpt, .to = member, .is_member = true };
	struct smtp_answer answer;

	c.judge_only = is_recipient(x, member->address) ||
	    bytes_eq(x->author, member->address);
	deliver_copy(x->s, &c, text, &answer);
	if (answer.code < 300) {
		keep_first(x->d, &x->accepted, &answer);
		if (!c.judge_only)
			note_reached(x->d, member->address);
	} else if (answer.code == 452 || answer.code == 451)
		keep_first(x->d, &x->failed, &answer);
	else
		keep_first(x->d, &x->refused, &answer);
	arena_reset(&x->d->job);
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
	x->author = BYTES_EMPTY;
	if (has_from && recipient_find(c, a, &from, &who) == 1)
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
	log_bytes(&l, "id", smtp_envelope(x->s->smtp)->xforward.ident);
	log_bytes(&l, "from", smtp_envelope(x->s->smtp)->sender_text);
	log_bytes(&l, "to", rcpt->text);
	log_bytes(&l, "alias", x->alias.name);
	log_num(&l, "code", 550);
	log_str(&l, "why", "this From address may not post");
	log_end(&l);
}

void
alias_deliver(struct smtp_session *s, const struct smtp_recipient *rcpt,
    struct bytes text, struct smtp_answer *out)
{
	struct deliverer *d = s->ctx;
	struct expansion x = { .s = s, .d = d };
	const struct recipient *r = rcpt->user;

	recipient_alias_read(d->settings->config, &d->transaction, r->alias,
	    &x.alias);
	if (!check_author(&x, text)) {
		log_refused(&x, rcpt);
		*out = (struct smtp_answer){ 550, BYTES("5.7.2"),
		    BYTES("you may not send to this address") };
		return;
	}
	for (size_t i = 0; i < x.alias.nmembers; i++)
		deliver_member(&x, rcpt, &x.alias.member[i], text);
	*out = x.accepted.code != 0 ? x.accepted : x.failed.code != 0
	    ? x.failed : x.refused;
	if (out->code == 0)
		*out = (struct smtp_answer){ 550, BYTES("5.1.1"),
		    BYTES("nobody is behind this address") };
}
