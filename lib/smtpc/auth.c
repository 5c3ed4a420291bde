/*
 * auth.c - AUTH (RFC 4954): lib/saslc in base64 between commands and replies
 *
 * That we cannot log in is no fault of the mail: whatever is wrong with the
 * account, somebody can mend it, so the result is temporary always.
 */
#include "smtpc/internal.h"

#include <errno.h>

static void
failed(struct smtpc *s, const char *why)
{
	smtpc_end_why(s, SMTPC_TEMPORARY, "4.7.0", why);
}

void
smtpc_auth_forget(struct smtpc *s)
{
	saslc_free(s->sasl);
	s->sasl = NULL;
	if (s->response.size > 0)
		secret_wipe(s->response.p, s->response.size);
	buf_reset(&s->response);
	s->has_response = s->auth_begun = s->auth_cancelled = false;
	if (s->out.n == 0 && s->out.size > 0)	/* what was said */
		secret_wipe(s->out.p, s->out.size);
}

/* The response as a line: "=" stands for an empty initial one. */
static void
say_response(struct smtpc *s)
{
	if (base64_encode(&s->out, buf_bytes(&s->response)) == -1)
		assert(s->out.n < OUT_MAX);	/* it has room for all */
	smtpc_say(s, "");
	if (s->response.size > 0)
		secret_wipe(s->response.p, s->response.size);
	buf_reset(&s->response);
	s->has_response = false;
}

static void
begin(struct smtpc *s)
{
	const char *name, *why = NULL;
	size_t room;

	name = saslc_choose(s->login, s->offer.auth, &s->mechanism_from,
	    &why);
	if (name == NULL) {
		failed(s, (s->offer.ext & SMTPC_EXT_AUTH) == 0
		    ? "the server does not offer AUTH" : why);
		return;
	}
	s->sasl = saslc_new(s->login, name, s->offer.auth);
	if (s->sasl == NULL) {
		failed(s, "user or password do not fit the mechanism");
		return;
	}
	s->auth_begun = true;
	(void)buf_printf(&s->out, "AUTH %s", name);
	if (!saslc_speaks_first(s->sasl)) {
		smtpc_say(s, "");
		return;
	}
	if (saslc_first(s->sasl, &s->response, &why) == -1) {
		buf_reset(&s->out);
		failed(s, why);
		return;
	}
	/* RFC 4954 4: what is too long for a command waits for 334 */
	room = SMTPC_AUTH_FIRST_MAX - strlen("AUTH  \r\n") - strlen(name);
	if ((s->response.n + 2) / 3 * 4 > room) {
		smtpc_say(s, "");
		s->has_response = true;
		return;
	}
	(void)buf_adds(&s->out, s->response.n == 0 ? " =" : " ");
	say_response(s);
}

void
smtpc_auth_say(struct smtpc *s)
{
	if (!s->auth_begun)
		begin(s);
	else if (s->auth_cancelled)
		smtpc_say(s, "*");
	else
		say_response(s);
}

static void
cancel(struct smtpc *s, const char *why)
{
	s->auth_cancelled = true;
	s->auth_why = why;
}

/* 334: the next challenge. */
static void
challenge(struct smtpc *s, struct bytes text64)
{
	struct buf text = BUF_INIT(SASLC_CHALLENGE_MAX);
	const char *why = "challenge is not base64";
	int r;

	if (s->auth_cancelled) {
		smtpc_broken(s, "a challenge after AUTH was cancelled");
		return;
	}
	r = base64_decode(&text, bytes_trim(text64));
	if (r == -1 && errno == EMSGSIZE)
		why = "challenge too long";
	if (r == 0 && s->has_response) {
		/* the initial response that did not fit */
		r = text.n == 0 ? 0 : -1;
		why = "challenge before the initial response";
	} else if (r == 0) {
		r = saslc_step(s->sasl, buf_bytes(&text), &s->response,
		    &why);
	}
	buf_free(&text);
	if (r == -1)
		cancel(s, why);
}

static void
accepted(struct smtpc *s)
{
	const char *why;

	if (s->auth_cancelled || saslc_success(s->sasl, &why) == -1) {
		failed(s, s->auth_cancelled ? s->auth_why : why);
		return;
	}
	s->authenticated = saslc_mechanism(s->sasl);
	smtpc_auth_forget(s);
	s->state = STATE_READY;
}

/* RFC 4954 6, 504 and 534: not this mechanism; perhaps the next. */
static void
try_next(struct smtpc *s, const struct smtpc_reply *r)
{
	size_t from = s->mechanism_from;
	const char *why;

	smtpc_auth_forget(s);	/* begin() takes the next */
	if (saslc_choose(s->login, s->offer.auth, &from, &why) == NULL)
		smtpc_end_reply(s, SMTPC_TEMPORARY, r);
}

void
smtpc_auth_reply(struct smtpc *s, const struct smtpc_reply *r)
{
	if (r->code == 334) {
		challenge(s, r->text);
	} else if (r->code == 235) {
		accepted(s);
	} else if (r->code < 400) {
		smtpc_broken(s, "wrong code in the reply to AUTH");
	} else if (s->auth_cancelled) {
		failed(s, s->auth_why);
	} else if (r->code == 504 || r->code == 534) {
		try_next(s, r);
	} else {
		smtpc_end_reply(s, SMTPC_TEMPORARY, r);
	}
}
