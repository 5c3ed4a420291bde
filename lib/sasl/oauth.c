/*
 * oauth.c - OAUTHBEARER (RFC 7628) and XOAUTH2, its predecessor
 *
 * Both carry key=value pairs ended by 0x01; "auth" holds "Bearer TOKEN". On
 * failure the server sends a JSON text, the client answers it with one more
 * message, and only then the exchange fails.
 */
#include "sasl/internal.h"

#define PAIR_END 1

enum { FIRST, DECIDED, LAST };

/* "Bearer" in any case, a blank, and a b64token (RFC 6750 2.1). */
static bool
take_token(struct sasl *s, struct bytes value)
{
	size_t i;

	if (!bytes_caseskip(&value, BYTES("Bearer ")))
		return false;
	value = bytes_trim(value);
	for (i = 0; i < value.n; i++) {
		if (value.p[i] <= ' ' || value.p[i] >= 0x7f)
			return false;
	}
	s->token = BUF_INIT(SASL_TOKEN_MAX);
	return value.n > 0 && buf_add(&s->token, value) == 0;
}

/* The pairs up to the empty one; *user is that of XOAUTH2. */
static enum sasl_action
take_pairs(struct sasl *s, struct bytes rest, struct bytes *user)
{
	struct bytes pair;
	bool found = false, whole;

	while ((whole = bytes_split(&rest, PAIR_END, &pair)) && pair.n > 0) {
		if (bytes_skip(&pair, BYTES("auth="))) {
			if (found || !take_token(s, pair))
				return sasl_malformed(s,
				    "no bearer token");
			found = true;
		} else if (bytes_skip(&pair, BYTES("user="))) {
			*user = pair;
		}
	}
	if (!whole || rest.n > 0 || !found)
		return sasl_malformed(s, "wrong pairs");
	s->step = DECIDED;
	return SASL_TOKEN;
}

/* What the client sends after the JSON text does not matter. */
static enum sasl_action
after_first(struct sasl *s)
{
	if (s->step != LAST)
		return sasl_malformed(s, "response out of turn");
	s->step++;
	return SASL_ENDED;
}

enum sasl_action
sasl_oauthbearer_step(struct sasl *s, struct bytes response,
    struct buf *challenge)
{
	struct bytes rest = response, binding, authzid, user = BYTES_EMPTY;
	struct bytes before;
	const char *why;
	int flag;

	(void)challenge;
	if (s->step != FIRST)
		return after_first(s);
	why = sasl_gs2_parse(&rest, &flag, &binding, &authzid);
	if (why != NULL)
		return sasl_malformed(s, why);
	if (flag == 'p')
		return sasl_malformed(s, "channel binding not supported");
	if (!sasl_name_unescape(authzid, &s->authcid))
		return sasl_malformed(s, "wrong user name encoding");
	if (!bytes_split(&rest, PAIR_END, &before) || before.n > 0)
		return sasl_malformed(s, "wrong pairs");
	return take_pairs(s, rest, &user);
}

enum sasl_action
sasl_xoauth2_step(struct sasl *s, struct bytes response,
    struct buf *challenge)
{
	struct bytes user = BYTES_EMPTY;
	enum sasl_action action;

	(void)challenge;
	if (s->step != FIRST)
		return after_first(s);
	action = take_pairs(s, response, &user);
	if (action != SASL_TOKEN)
		return action;
	if (user.n == 0 || bytes_has_nul(user) ||
	    !sasl_text_set(&s->authcid, user, SASL_NAME_MAX))
		return sasl_malformed(s, "wrong user name");
	return SASL_TOKEN;
}

bool
sasl_oauthbearer_last(struct sasl *s, bool good, struct buf *challenge)
{
	if (good || s->step != DECIDED)
		return false;
	/* RFC 7628 3.2.2. */
	buf_adds(challenge, "{\"status\":\"invalid_token\"}");
	s->step = LAST;
	return true;
}

bool
sasl_xoauth2_last(struct sasl *s, bool good, struct buf *challenge)
{
	if (good || s->step != DECIDED)
		return false;
	buf_adds(challenge, "{\"status\":\"401\",\"schemes\":\"bearer\"}");
	s->step = LAST;
	return true;
}
