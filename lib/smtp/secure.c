/*
 * secure.c - STARTTLS (RFC 3207) and AUTH (RFC 4954)
 *
 * Neither TLS nor a mechanism is known here: both are the caller's. The
 * client's responses are wiped when they were handed on.
 */
#include "smtp/smtp.h"
#include "smtp/internal.h"

#include <assert.h>

/* Known, and not offered here: refused, nothing else happens. */
static void
not_offered(struct smtp *s)
{
	smtp_sayf(s, 502, "5.5.1", "command not offered");
}

/* ---- STARTTLS ---- */

void
smtp_cmd_starttls(struct smtp *s, struct bytes args)
{
	if (s->o.lmtp || (!s->o.starttls && !s->o.tls))
		not_offered(s);
	else if (s->o.tls)
		smtp_sayf(s, 503, "5.5.1", "TLS is active already");
	else if (args.n > 0)
		smtp_sayf(s, 501, "5.5.4", "no parameters are allowed here");
	else if (!s->e.ehlo || s->in_mail)
		smtp_sayf(s, 503, "5.5.1", s->in_mail
		    ? "not within a transaction" : "say EHLO first");
	else
		s->state = STATE_ASK_TLS;
}

void
smtp_starttls(struct smtp *s, bool begins)
{
	assert(s->state == STATE_ASK_TLS);
	s->state = STATE_COMMAND;
	if (begins)
		smtp_sayf(s, 220, "2.0.0", "begin TLS now");
	else
		smtp_sayf(s, 454, "4.7.0", "TLS is not available now");
}

void
smtp_secured(struct smtp *s, const struct smtp_options *options)
{
	smtp_end_transaction(s, false);
	smtp_auth_wipe(s);
	s->e.helo = BYTES_EMPTY;
	s->e.ehlo = false;
	s->greeted = false;
	s->authenticated = false;
	s->line_n = 0;
	arena_reset(&s->session);
	s->o = *options;
}

/* ---- AUTH ---- */

void
smtp_auth_wipe(struct smtp *s)
{
	if (s->response.size > 0)
		secret_wipe(s->response.p, s->response.size);
	buf_free(&s->response);
	s->has_response = false;
}

bool
smtp_offers_auth(const struct smtp *s)
{
	return s->o.submission && (s->o.tls || s->o.auth_in_clear) &&
	    s->o.mechanisms != NULL && s->o.mechanisms[0] != '\0';
}

static bool
set_mechanism(struct smtp *s, struct bytes name)
{
	struct bytes list = bytes_str(s->o.mechanisms), word;

	while (bytes_word(&list, &word)) {
		if (!bytes_caseeq(word, name) ||
		    word.n >= sizeof(s->mechanism))
			continue;
		memcpy(s->mechanism, word.p, word.n);
		s->mechanism[word.n] = '\0';
		return true;
	}
	return false;
}

/* The client's words go to whoever knows the mechanism. */
static bool
set_response(struct smtp *s, struct bytes response)
{
	smtp_auth_wipe(s);
	if (!base64_valid(response) || buf_add(&s->response, response) == -1)
		return false;
	s->has_response = true;
	return true;
}

/* 0, or the code that refuses AUTH as such. */
static int
refusal(const struct smtp *s, const char **status, const char **why)
{
	*status = "5.5.1";
	if (!s->o.submission) {
		*why = "command not offered";
		return 502;
	}
	if (s->authenticated || s->in_mail || !s->e.ehlo) {
		*why = s->authenticated ? "authenticated already"
		    : s->in_mail ? "not within a transaction"
		    : "say EHLO first";
		return 503;
	}
	if (!s->o.tls && !s->o.auth_in_clear) {
		*status = "5.7.11";
		*why = "say STARTTLS first";
		return 538;
	}
	return 0;
}

void
smtp_cmd_auth(struct smtp *s, struct bytes args)
{
	const char *status, *why;
	int code = refusal(s, &status, &why);
	struct bytes name, response = args;
	bool has_response = bytes_split(&response, ' ', &name);

	if (code != 0) {
		smtp_sayf(s, code, status, why);
		return;
	}
	if (name.n == 0 || !smtp_offers_auth(s) || !set_mechanism(s, name)) {
		smtp_sayf(s, name.n == 0 ? 501 : 504, "5.5.4",
		    "mechanism is not offered");
		return;
	}
	smtp_auth_wipe(s);
	/* RFC 4954 4: "=" is an empty response */
	if (has_response && !set_response(s, bytes_eq(response, BYTES("="))
	    ? BYTES_EMPTY : response)) {
		smtp_sayf(s, 501, "5.5.2", "response is not base64");
		return;
	}
	s->auth_begins = true;
	s->state = STATE_ASK_AUTH;
}

void
smtp_auth_line(struct smtp *s, struct bytes line)
{
	s->auth_begins = false;
	if (bytes_eq(line, BYTES("*"))) {
		smtp_auth_wipe(s);
		smtp_sayf(s, 501, "5.7.0", "authentication cancelled");
		s->state = STATE_CANCELLED;
	} else if (!set_response(s, line)) {
		smtp_sayf(s, 501, "5.5.2", "response is not base64");
		s->state = STATE_CANCELLED;
	} else {
		s->state = STATE_ASK_AUTH;
	}
}

struct smtp_auth
smtp_auth(const struct smtp *s)
{
	return (struct smtp_auth){ .begins = s->auth_begins,
	    .mechanism = s->mechanism, .has_response = s->has_response,
	    .response64 = buf_bytes(&s->response) };
}

void
smtp_auth_challenge(struct smtp *s, struct bytes challenge64)
{
	assert(s->state == STATE_ASK_AUTH);
	smtp_auth_wipe(s);
	s->state = STATE_RESPONSE;
	/* longer than a reply line may be: RFC 4954 4 allows it */
	if (buf_adds(&s->out, "334 ") == -1 ||
	    buf_add(&s->out, challenge64) == -1 ||
	    buf_adds(&s->out, "\r\n") == -1)
		s->state = STATE_CLOSED;	/* the client never reads */
}

void
smtp_auth_accept(struct smtp *s)
{
	assert(s->state == STATE_ASK_AUTH);
	smtp_auth_wipe(s);
	s->state = STATE_COMMAND;
	s->authenticated = true;
	smtp_sayf(s, 235, "2.7.0", "authenticated");
}

void
smtp_auth_refuse(struct smtp *s, int code, const char *status,
    struct bytes text)
{
	assert(s->state == STATE_ASK_AUTH);
	s->state = STATE_COMMAND;
	smtp_say(s, code, status, text);	/* text may be the response */
	smtp_auth_wipe(s);
}
