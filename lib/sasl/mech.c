/*
 * mech.c - the mechanisms PLAIN (RFC 4616) and LOGIN
 *
 * LOGIN has no standard, only an expired draft and a habit: clients look at
 * the challenges, so they are exactly "Username:" and "Password:" (U-4).
 */
#include "sasl/sasl.h"

static bool
text_set(struct sasl_text *t, struct bytes s, size_t max)
{
	if (s.n > max || s.n > sizeof(t->p))
		return false;
	memcpy(t->p, s.p, s.n);
	t->n = s.n;
	return true;
}

static enum sasl_action
plain_step(struct sasl *s, struct bytes response, struct buf *challenge)
{
	struct bytes authzid, authcid, password = response;

	(void)challenge;	/* PLAIN has one message only */
	if (s->step++ > 0)
		return SASL_MALFORMED;
	if (!bytes_split(&password, '\0', &authzid) ||
	    !bytes_split(&password, '\0', &authcid))
		return SASL_MALFORMED;
	if (authcid.n == 0 || password.n == 0 || bytes_has_nul(password))
		return SASL_MALFORMED;
	if (!text_set(&s->authzid, authzid, SASL_NAME_MAX) ||
	    !text_set(&s->authcid, authcid, SASL_NAME_MAX) ||
	    !text_set(&s->password, password, SASL_PASSWORD_MAX))
		return SASL_MALFORMED;
	return SASL_PASSWORD;
}

static enum sasl_action
login_step(struct sasl *s, struct bytes response, struct buf *challenge)
{
	if (response.n == 0 || bytes_has_nul(response))
		return SASL_MALFORMED;
	switch (s->step++) {
	case 0:
		if (!text_set(&s->authcid, response, SASL_NAME_MAX) ||
		    buf_adds(challenge, "Password:") == -1)
			return SASL_MALFORMED;
		return SASL_CHALLENGE;
	case 1:
		if (!text_set(&s->password, response, SASL_PASSWORD_MAX))
			return SASL_MALFORMED;
		return SASL_PASSWORD;
	default:
		return SASL_MALFORMED;
	}
}

/* In order of preference. */
static const struct sasl_mech mechs[] = {
	{ "PLAIN", true, plain_step, true },
	{ "LOGIN", true, login_step, false },
};

const struct sasl_mech *
sasl_mech_at(size_t i)
{
	return i < sizeof(mechs) / sizeof(mechs[0]) ? &mechs[i] : NULL;
}

const struct sasl_mech *
sasl_mech_find(struct bytes name)
{
	const struct sasl_mech *m;
	size_t i;

	for (i = 0; (m = sasl_mech_at(i)) != NULL; i++) {
		if (bytes_caseeq(bytes_str(m->name), name))
			return m;
	}
	return NULL;
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
		return s->mech->step(s, response, challenge);
	if (!s->mech->client_first &&
	    buf_adds(challenge, "Username:") == -1)
		return SASL_MALFORMED;
	return SASL_CHALLENGE;
}

enum sasl_action
sasl_continue(struct sasl *s, struct bytes response, struct buf *challenge)
{
	return s->mech->step(s, response, challenge);
}

void
sasl_wipe(struct sasl *s)
{
	secret_wipe(s, sizeof(*s));
}
