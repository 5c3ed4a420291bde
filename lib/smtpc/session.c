/*
 * session.c - the session machine: greeting, EHLO, STARTTLS, the end
 *
 * Commands are made by say(), one state after the other, as far as they may
 * go ahead of replies; s->due counts the replies that are to come. A reply
 * that comes when none is due was made up by somebody: the session is broken,
 * unless it is 421 (RFC 5321 3.8: the server may go at any time).
 */
#include "smtpc/internal.h"

#include <stdlib.h>

/* Of a server that has not said anything, or only HELO. */
static struct smtpc_offer
no_offer(void)
{
	return (struct smtpc_offer){ .name = BYTES_EMPTY,
	    .auth = BYTES_EMPTY, .hold_until_max = BYTES_EMPTY,
	    .priority = BYTES_EMPTY };
}

struct smtpc *
smtpc_new(const struct smtpc_options *options)
{
	struct smtpc *s = mem_zalloc(1, sizeof(*s));

	s->o = *options;
	if (s->o.recipients_max == 0 ||
	    s->o.recipients_max > SMTPC_RECIPIENTS_MAX)
		s->o.recipients_max = SMTPC_RECIPIENTS_MAX;
	s->login = s->o.login;
	s->secured = s->o.secured;
	s->offer = no_offer();
	s->state = STATE_GREETING;
	s->due = 1;
	s->reader = SMTPC_READER_INIT;
	s->reader.allow = s->o.pedantic ? SMTPC_ASCII : SMTPC_ANY;
	s->out = BUF_INIT(OUT_MAX);
	s->chunk = BUF_INIT(SMTPC_CHUNK_BYTES);
	s->response = BUF_INIT(SASLC_RESPONSE_MAX);
	s->session = s->end = ARENA_INIT;
	s->failure.text = BYTES_EMPTY;
	return s;
}

void
smtpc_free(struct smtpc *s)
{
	if (s == NULL)
		return;
	buf_reset(&s->out);
	smtpc_auth_forget(s);
	smtpc_reader_free(&s->reader);
	buf_free(&s->out);
	buf_free(&s->chunk);
	buf_free(&s->response);
	arena_free(&s->session);
	arena_free(&s->end);
	free(s->attempt);
	free(s);
}

/* ---- the end of it ---- */

static enum smtpc_step
step_of(const struct smtpc *s)
{
	static const enum smtpc_step steps[] = {
		[STATE_EHLO] = SMTPC_AT_EHLO,
		[STATE_HELO] = SMTPC_AT_EHLO,
		[STATE_STARTTLS] = SMTPC_AT_STARTTLS,
		[STATE_TLS] = SMTPC_AT_TLS,
		[STATE_AUTH] = SMTPC_AT_AUTH,
		[STATE_READY] = SMTPC_AT_READY,
		[STATE_NOOP] = SMTPC_AT_READY,
		[STATE_QUIT] = SMTPC_AT_QUIT,
		[STATE_TEXT] = SMTPC_AT_TEXT,
		[STATE_END] = SMTPC_AT_END,
		[STATE_LONE] = SMTPC_AT_DATA,
		[STATE_CLOSED] = SMTPC_AT_QUIT,
	};

	if (s->state == STATE_GREETING)
		return s->due == 0 || smtpc_reply_begun(&s->reader)
		    ? SMTPC_AT_GREETING : SMTPC_AT_CONNECT;
	if (s->state == STATE_ENVELOPE)
		return smtpc_envelope_step(s);
	return steps[s->state];
}

/* After QUIT, whatever the server makes of it. */
static void
closed_in_order(struct smtpc *s)
{
	s->failure = (struct smtpc_result){ .class = SMTPC_OK,
	    .step = SMTPC_AT_QUIT, .text = BYTES_EMPTY };
	buf_reset(&s->out);
	s->due = 0;
	s->state = STATE_CLOSED;
}

/* The mail, if there is one, ends by s->failure, and so does the session. */
static void
close_session(struct smtpc *s)
{
	struct smtpc_result *f = &s->failure;

	/*
	 * The end mark is the last of the output: with nothing left of it the
	 * server may have all, and have taken it.
	 */
	if (s->state == STATE_END && s->out.n == 0 && f->code == 0)
		f->doubtful = true;
	if (s->mail != NULL)
		smtpc_mail_end(s, f);
	buf_reset(&s->out);
	s->due = 0;
	s->state = STATE_CLOSED;
}

/* Whether the server can read a word of goodbye as one. */
static bool
is_in_step(const struct smtpc *s)
{
	return !s->broken && s->due == 0 && s->state != STATE_TEXT;
}

void
smtpc_end_reply(struct smtpc *s, enum smtpc_class class,
    const struct smtpc_reply *r)
{
	bool goodbye = is_in_step(s) && r->code != 421;

	smtpc_result_reply(&s->failure, &s->end, class, step_of(s), r);
	close_session(s);
	if (goodbye)
		(void)buf_adds(&s->out, "QUIT\r\n");
}

void
smtpc_end_why(struct smtpc *s, enum smtpc_class class, const char *status,
    const char *why)
{
	bool goodbye = is_in_step(s);

	smtpc_result_why(&s->failure, class, step_of(s), status, why);
	close_session(s);
	if (goodbye)
		(void)buf_adds(&s->out, "QUIT\r\n");
}

void
smtpc_broken(struct smtpc *s, const char *why)
{
	if (s->state == STATE_QUIT) {	/* nothing hangs on it any more */
		closed_in_order(s);
		return;
	}
	s->broken = true;
	smtpc_end_why(s, SMTPC_TEMPORARY, "4.5.0", why);
}

static void
gone(struct smtpc *s, const char *why)
{
	if (s->state == STATE_CLOSED)
		return;
	if (s->state == STATE_QUIT) {
		closed_in_order(s);
		return;
	}
	smtpc_result_why(&s->failure, SMTPC_TEMPORARY, step_of(s), "4.4.2",
	    why);
	close_session(s);
}

void
smtpc_lost(struct smtpc *s, const char *why)
{
	gone(s, why);
}

void
smtpc_timed_out(struct smtpc *s)
{
	gone(s, "time-out");
}

/* ---- what is said ---- */

void
smtpc_say(struct smtpc *s, const char *line)
{
	(void)buf_adds(&s->out, line);
	(void)buf_adds(&s->out, "\r\n");
	assert(!s->out.full);	/* text leaves room for commands */
	s->due++;
}

static void
say_hello(struct smtpc *s, const char *verb)
{
	(void)buf_printf(&s->out, "%s ", verb);
	(void)buf_add(&s->out, s->o.hostname);
	smtpc_say(s, "");
}

/* Whatever the state may say now. */
static void
say(struct smtpc *s)
{
	if (s->state == STATE_ENVELOPE) {
		smtpc_envelope_say(s);
		return;
	}
	if (s->state == STATE_TEXT) {
		smtpc_text_say(s);
		return;
	}
	if (s->due > 0)
		return;
	switch (s->state) {
	case STATE_EHLO:
		say_hello(s, s->o.lmtp ? "LHLO" : "EHLO");
		break;
	case STATE_HELO:
		say_hello(s, "HELO");
		break;
	case STATE_STARTTLS:
		smtpc_say(s, "STARTTLS");
		break;
	case STATE_AUTH:
		smtpc_auth_say(s);
		break;
	case STATE_NOOP:
		smtpc_say(s, "NOOP");
		break;
	case STATE_QUIT:
		smtpc_say(s, "QUIT");
		break;
	default:
		break;
	}
}

/* ---- replies ---- */

/* After EHLO: what comes before the first mail. */
static void
go_on(struct smtpc *s)
{
	bool offered = (s->offer.ext & SMTPC_EXT_STARTTLS) != 0;

	if (!s->secured && s->o.tls != SMTPC_TLS_NEVER && offered) {
		s->state = STATE_STARTTLS;
	} else if (!s->secured && s->o.tls == SMTPC_TLS_REQUIRED) {
		s->state = STATE_STARTTLS;
		smtpc_end_why(s, SMTPC_TEMPORARY, "4.7.4",
		    "the server does not offer STARTTLS");
	} else {
		s->state = s->login != NULL ? STATE_AUTH : STATE_READY;
	}
}

static void
greeting(struct smtpc *s, const struct smtpc_reply *r)
{
	if (r->code == 220)
		s->state = STATE_EHLO;
	else if (r->code < 400)
		smtpc_broken(s, "greeting is neither 220 nor a refusal");
	else
		smtpc_end_reply(s, smtpc_class_of(r->code), r);
}

static void
hello(struct smtpc *s, const struct smtpc_reply *r)
{
	if (r->code == 250) {
		if (s->state == STATE_EHLO)
			smtpc_offer_parse(&s->session, r, &s->offer);
		go_on(s);
	} else if (r->code < 400) {
		smtpc_broken(s, "wrong code in the reply to EHLO");
	} else if (r->code >= 500 && s->state == STATE_EHLO && !s->o.lmtp &&
	    r->code != 521) {
		/* RFC 5321 3.2: a server that does not know EHLO */
		s->state = STATE_HELO;
	} else {
		smtpc_end_reply(s, smtpc_class_of(r->code), r);
	}
}

static void
starttls(struct smtpc *s, const struct smtpc_reply *r)
{
	if (r->code == 220)
		s->state = STATE_TLS;
	else if (r->code < 400)
		smtpc_broken(s, "wrong code in the reply to STARTTLS");
	else if (s->o.tls == SMTPC_TLS_REQUIRED)
		/* another day, or another server, may have it */
		smtpc_end_reply(s, SMTPC_TEMPORARY, r);
	else
		s->state = s->login != NULL ? STATE_AUTH : STATE_READY;
}

static void
noop(struct smtpc *s, const struct smtpc_reply *r)
{
	if (r->code < 300 || r->code >= 400)	/* alive, whatever it says */
		s->state = STATE_READY;
	else
		smtpc_broken(s, "wrong code in the reply to NOOP");
}

static void
lone_dot(struct smtpc *s, const struct smtpc_reply *r)
{
	if (r->code >= 300 && r->code < 400) {
		smtpc_broken(s, "wrong code after the end mark");
		return;
	}
	s->need_rset = false;
	smtpc_mail_end(s, NULL);	/* there was nothing to take */
}

static void
reply(struct smtpc *s, const struct smtpc_reply *r)
{
	s->due--;
	if (r->code == 421 && s->state != STATE_QUIT) {
		smtpc_end_reply(s, SMTPC_TEMPORARY, r);
		return;
	}
	switch (s->state) {
	case STATE_GREETING:
		greeting(s, r);
		break;
	case STATE_EHLO:
	case STATE_HELO:
		hello(s, r);
		break;
	case STATE_STARTTLS:
		starttls(s, r);
		break;
	case STATE_AUTH:
		smtpc_auth_reply(s, r);
		break;
	case STATE_NOOP:
		noop(s, r);
		break;
	case STATE_ENVELOPE:
		smtpc_envelope_reply(s, r);
		break;
	case STATE_TEXT:
		smtpc_text_reply(s, r);
		break;
	case STATE_END:
		smtpc_end_mark_reply(s, r);
		break;
	case STATE_LONE:
		lone_dot(s, r);
		break;
	case STATE_QUIT:
		closed_in_order(s);
		break;
	default:
		break;
	}
}

/* Nothing was asked. */
static void
unasked(struct smtpc *s, const struct smtpc_reply *r)
{
	if (r->code == 421)
		smtpc_end_reply(s, SMTPC_TEMPORARY, r);
	else if (s->state == STATE_TEXT && r->code >= 400)
		/* it has seen enough; the rest and the end mark stay here */
		smtpc_end_reply(s, smtpc_class_of(r->code), r);
	else
		smtpc_broken(s, "a reply to nothing");
}

/* Read one reply. False: all input is used. */
static bool
take_reply(struct smtpc *s, struct bytes *in)
{
	struct smtpc_reply r;
	const char *why;
	int got;

	if (s->state == STATE_TLS) {
		*in = BYTES_EMPTY;
		smtpc_broken(s, "bytes after the reply to STARTTLS");
		return true;
	}
	if ((got = smtpc_reply_read(&s->reader, in, &r, &why)) == 0)
		return false;
	if (got == -1) {
		*in = BYTES_EMPTY;
		smtpc_broken(s, why);
	} else if (s->due == 0) {
		unasked(s, &r);
	} else {
		reply(s, &r);
	}
	return true;
}

/* Part of a reply is there although nothing was asked. */
static bool
is_out_of_step(const struct smtpc *s)
{
	return s->due == 0 && smtpc_reply_begun(&s->reader) &&
	    s->state != STATE_READY && s->state != STATE_TEXT &&
	    s->state != STATE_CLOSED;
}

enum smtpc_event
smtpc_next(struct smtpc *s, struct bytes *in)
{
	for (;;) {
		if (s->done) {
			s->done = false;
			return SMTPC_DONE;
		}
		if (s->state == STATE_CLOSED) {
			*in = BYTES_EMPTY;
			return SMTPC_CLOSED;
		}
		if (in->n > 0 && take_reply(s, in))
			continue;
		if (is_out_of_step(s)) {
			smtpc_broken(s, "a reply to nothing");
			continue;
		}
		say(s);
		if (s->out.n >= SMTPC_CHUNK_BYTES)
			return SMTPC_FLUSH;
		if (s->done || s->state == STATE_CLOSED)
			continue;
		if (s->state == STATE_READY)
			return SMTPC_READY;
		if (s->state == STATE_TLS)
			return SMTPC_STARTTLS;
		if (s->due > 0)
			return SMTPC_READ;
	}
}

struct bytes
smtpc_output(const struct smtpc *s)
{
	return buf_bytes(&s->out);
}

void
smtpc_written(struct smtpc *s, size_t n)
{
	buf_drop(&s->out, n);
}

/* ---- the caller's turn ---- */

enum smtpc_phase
smtpc_phase(const struct smtpc *s)
{
	switch (s->state) {
	case STATE_GREETING:
		return SMTPC_WAIT_GREETING;
	case STATE_ENVELOPE:
		return smtpc_envelope_step(s) == SMTPC_AT_DATA
		    ? SMTPC_WAIT_DATA : SMTPC_WAIT_COMMAND;
	case STATE_TEXT:
		return SMTPC_WAIT_TEXT;
	case STATE_END:
	case STATE_LONE:
		return SMTPC_WAIT_END;
	case STATE_QUIT:
	case STATE_CLOSED:
		return SMTPC_WAIT_QUIT;
	default:
		return SMTPC_WAIT_COMMAND;
	}
}

int64_t
smtpc_wait_ms(const struct smtpc *s)
{
	static const int64_t usual[SMTPC_PHASES] = {
		[SMTPC_WAIT_GREETING] = 300 * 1000,
		[SMTPC_WAIT_COMMAND] = 300 * 1000,
		[SMTPC_WAIT_DATA] = 120 * 1000,
		[SMTPC_WAIT_TEXT] = 180 * 1000,
		[SMTPC_WAIT_END] = 600 * 1000,
		[SMTPC_WAIT_QUIT] = 10 * 1000,
	};
	enum smtpc_phase p = smtpc_phase(s);
	int64_t ms = s->o.wait_ms[p] > 0 ? s->o.wait_ms[p] : usual[p];

	return s->o.wait_max_ms > 0 && ms > s->o.wait_max_ms
	    ? s->o.wait_max_ms : ms;
}

void
smtpc_secured(struct smtpc *s, const struct saslc_login *login)
{
	if (s->state != STATE_TLS)
		return;
	s->secured = true;
	if (login != NULL)
		s->login = login;
	arena_reset(&s->session);
	s->offer = no_offer();
	s->state = STATE_EHLO;
}

void
smtpc_secured_not(struct smtpc *s, const char *why)
{
	if (s->state != STATE_TLS)
		return;
	smtpc_result_why(&s->failure, SMTPC_TEMPORARY, SMTPC_AT_TLS, "4.7.5",
	    why);
	close_session(s);	/* nothing can be said any more */
}

void
smtpc_noop(struct smtpc *s)
{
	if (s->state == STATE_READY && !s->done)
		s->state = STATE_NOOP;
}

void
smtpc_quit(struct smtpc *s)
{
	if (s->state == STATE_READY && !s->done)
		s->state = STATE_QUIT;
}

const struct smtpc_offer *
smtpc_offer(const struct smtpc *s)
{
	return &s->offer;
}

bool
smtpc_is_secured(const struct smtpc *s)
{
	return s->secured;
}

const char *
smtpc_auth_mechanism(const struct smtpc *s)
{
	return s->authenticated;
}

bool
smtpc_is_broken(const struct smtpc *s)
{
	return s->broken;
}

const struct smtpc_result *
smtpc_failure(const struct smtpc *s)
{
	return &s->failure;
}
