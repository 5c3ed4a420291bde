/*
 * mech.c - what mechanisms do; PLAIN (RFC 4616), LOGIN, EXTERNAL
 *
 * LOGIN has no standard, only an expired draft and a habit: clients look at
 * the challenges, so they are exactly "Username:" and "Password:" (U-4).
 */
#include "sasl/internal.h"

#include <stdlib.h>

#include "unicode/unicode.h"

bool
sasl_text_set(struct sasl_text *t, struct bytes s, size_t max)
{
	if (s.n > max || s.n > sizeof(t->p))
		return false;
	memcpy(t->p, s.p, s.n);
	t->n = s.n;
	return true;
}

struct bytes
sasl_text_bytes(const struct sasl_text *t)
{
	return bytes_of(t->p, t->n);
}

enum sasl_action
sasl_malformed(struct sasl *s, const char *why)
{
	s->why = why;
	return SASL_MALFORMED;
}

static enum sasl_action
plain_step(struct sasl *s, struct bytes response, struct buf *challenge)
{
	struct bytes authzid, authcid, password = response;

	(void)challenge;	/* PLAIN has one message only */
	if (s->step++ > 0)
		return sasl_malformed(s, "response out of turn");
	if (!bytes_split(&password, '\0', &authzid) ||
	    !bytes_split(&password, '\0', &authcid))
		return sasl_malformed(s, "no name and password");
	if (authcid.n == 0 || password.n == 0 || bytes_has_nul(password))
		return sasl_malformed(s, "name or password empty, or NUL");
	if (!sasl_text_set(&s->authzid, authzid, SASL_NAME_MAX) ||
	    !sasl_text_set(&s->authcid, authcid, SASL_NAME_MAX) ||
	    !sasl_text_set(&s->password, password, SASL_PASSWORD_MAX))
		return sasl_malformed(s, "name or password too long");
	return SASL_PASSWORD;
}

static void
login_greet(struct sasl *s, struct buf *challenge)
{
	(void)s;
	buf_adds(challenge, "Username:");
}

static enum sasl_action
login_step(struct sasl *s, struct bytes response, struct buf *challenge)
{
	if (response.n == 0 || bytes_has_nul(response))
		return sasl_malformed(s, "name or password empty, or NUL");
	switch (s->step++) {
	case 0:
		if (!sasl_text_set(&s->authcid, response, SASL_NAME_MAX) ||
		    buf_adds(challenge, "Password:") == -1)
			return sasl_malformed(s, "name too long");
		return SASL_CHALLENGE;
	case 1:
		if (!sasl_text_set(&s->password, response,
		    SASL_PASSWORD_MAX))
			return sasl_malformed(s, "password too long");
		return SASL_PASSWORD;
	default:
		return sasl_malformed(s, "response out of turn");
	}
}

/* RFC 4422 appendix A: the message is the authorization identity. */
static enum sasl_action
external_step(struct sasl *s, struct bytes response, struct buf *challenge)
{
	(void)challenge;
	if (s->step++ > 0)
		return sasl_malformed(s, "response out of turn");
	if (bytes_has_nul(response) || !unicode_valid_utf8(response) ||
	    !sasl_text_set(&s->authzid, response, SASL_NAME_MAX))
		return sasl_malformed(s, "wrong authorization identity");
	return SASL_CLIENT_KEY;
}

/* greet makes a first challenge and is NULL where the client speaks first;
 * step takes each response; know goes on once the secrets are there; last is
 * the message after the decision. */
struct ops {
	void (*greet)(struct sasl *s, struct buf *challenge);
	enum sasl_action (*step)(struct sasl *s, struct bytes response,
	    struct buf *challenge);
	enum sasl_action (*know)(struct sasl *s, struct buf *challenge);
	bool (*last)(struct sasl *s, bool good, struct buf *challenge);
};

static const struct ops all_ops[SASL_KINDS] = {
	[SASL_KIND_SCRAM] = { NULL, sasl_scram_step, sasl_scram_know,
	    sasl_scram_last },
	[SASL_KIND_CRAM] = { sasl_cram_greet, sasl_cram_step, sasl_cram_know,
	    NULL },
	[SASL_KIND_OAUTHBEARER] = { NULL, sasl_oauthbearer_step, NULL,
	    sasl_oauthbearer_last },
	[SASL_KIND_XOAUTH2] = { NULL, sasl_xoauth2_step, NULL,
	    sasl_xoauth2_last },
	[SASL_KIND_PLAIN] = { NULL, plain_step, NULL, NULL },
	[SASL_KIND_LOGIN] = { login_greet, login_step, NULL, NULL },
	[SASL_KIND_EXTERNAL] = { NULL, external_step, NULL, NULL },
};

static const struct ops *
ops_of(const struct sasl *s)
{
	return &all_ops[s->mech->kind];
}

void
sasl_init(struct sasl *s, const struct sasl_mech *mech)
{
	*s = (struct sasl){ .mech = mech };
}

enum sasl_action
sasl_start(struct sasl *s, struct bytes response, bool have_response,
    struct buf *challenge)
{
	if (have_response)
		return ops_of(s)->step(s, response, challenge);
	if (ops_of(s)->greet != NULL)
		ops_of(s)->greet(s, challenge);
	return SASL_CHALLENGE;
}

enum sasl_action
sasl_continue(struct sasl *s, struct bytes response, struct buf *challenge)
{
	return ops_of(s)->step(s, response, challenge);
}

enum sasl_action
sasl_know(struct sasl *s, struct sasl_secrets *secrets, struct buf *challenge)
{
	sasl_secrets_wipe(&s->secrets);
	s->secrets = *secrets;
	*secrets = (struct sasl_secrets){ 0 };
	return ops_of(s)->know(s, challenge);
}

bool
sasl_last(struct sasl *s, bool good, struct buf *challenge)
{
	return ops_of(s)->last != NULL && ops_of(s)->last(s, good, challenge);
}

void
sasl_secrets_wipe(struct sasl_secrets *s)
{
	if (s->secret != NULL)
		secret_wipe(s->secret, s->count * sizeof(*s->secret));
	free(s->secret);
	*s = (struct sasl_secrets){ 0 };
}

static void
wipe_buf(struct buf *b)
{
	if (b->size > 0)
		secret_wipe(b->p, b->size);
	buf_free(b);
}

void
sasl_wipe(struct sasl *s)
{
	sasl_secrets_wipe(&s->secrets);
	wipe_buf(&s->token);
	wipe_buf(&s->gs2);
	wipe_buf(&s->text);
	secret_wipe(s, sizeof(*s));
}
