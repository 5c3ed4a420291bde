/*
 * mech.c - which mechanism; PLAIN, LOGIN, CRAM-MD5, EXTERNAL, OAUTHBEARER,
 * XOAUTH2
 */
#include "saslc/internal.h"

#include <errno.h>
#include <stdlib.h>

int
saslc_broken(const char **why, const char *text)
{
	*why = text;
	errno = EPROTO;
	return -1;
}

int
saslc_refused(const char **why, const char *text)
{
	*why = text;
	errno = EACCES;
	return -1;
}

static int
out_of_turn(const char **why)
{
	return saslc_broken(why, "challenge out of turn");
}

/* ---- PLAIN, LOGIN, EXTERNAL ---- */

static int
plain_first(struct saslc *s, struct buf *out, const char **why)
{
	s->step = SASLC_SAID;
	if (buf_add(out, s->login->authzid) == -1 ||
	    buf_addc(out, '\0') == -1 || buf_add(out, s->login->user) == -1 ||
	    buf_addc(out, '\0') == -1 ||
	    buf_add(out, s->login->password) == -1)
		return saslc_broken(why, "message too long");
	return 0;
}

/* The words of its challenges differ between servers; their order does not. */
static int
login_step(struct saslc *s, struct bytes challenge, struct buf *out,
    const char **why)
{
	(void)challenge;
	if (s->step != SASLC_BEGIN && s->step != SASLC_PASSWORD)
		return out_of_turn(why);
	if (buf_add(out, s->step == SASLC_BEGIN ? s->login->user
	    : s->login->password) == -1)
		return saslc_broken(why, "message too long");
	s->step = s->step == SASLC_BEGIN ? SASLC_PASSWORD : SASLC_SAID;
	return 0;
}

static int
external_first(struct saslc *s, struct buf *out, const char **why)
{
	s->step = SASLC_SAID;
	if (buf_add(out, s->login->authzid) == -1)
		return saslc_broken(why, "message too long");
	return 0;
}

static int
no_step(struct saslc *s, struct bytes challenge, struct buf *out,
    const char **why)
{
	(void)s;
	(void)challenge;
	(void)out;
	return out_of_turn(why);
}

/* ---- CRAM-MD5 ---- */

static int
cram_step(struct saslc *s, struct bytes challenge, struct buf *out,
    const char **why)
{
	unsigned char pads[SASL_CRAM_BYTES], digest[16];
	int r;

	if (s->step != SASLC_BEGIN)
		return out_of_turn(why);
	s->step = SASLC_SAID;
	/* RFC 2195 2: a message id, never the same; so never nothing */
	if (challenge.n == 0)
		return saslc_broken(why, "empty challenge");
	sasl_cram_pads(buf_bytes(&s->password), pads);
	sasl_cram_digest(pads, challenge, digest);
	r = buf_add(out, s->login->user);
	if (r == 0)
		r = buf_addc(out, ' ');
	if (r == 0)
		r = hex_encode(out, bytes_of(digest, sizeof(digest)));
	secret_wipe(pads, sizeof(pads));
	return r == 0 ? 0 : saslc_broken(why, "message too long");
}

/* ---- OAuth ---- */

static int
bearer_first(struct saslc *s, struct buf *out, const char **why)
{
	const struct saslc_login *l = s->login;

	s->step = SASLC_SAID;
	(void)buf_adds(out, "n,");
	if (l->user.n > 0) {
		(void)buf_adds(out, "a=");
		saslc_add_name(out, l->user);
	}
	(void)buf_adds(out, ",\1");
	if (l->host.n > 0) {
		(void)buf_adds(out, "host=");
		(void)buf_add(out, l->host);
		(void)buf_adds(out, "\1");
	}
	if (l->port > 0)
		(void)buf_printf(out, "port=%d\1", l->port);
	(void)buf_adds(out, "auth=Bearer ");
	(void)buf_add(out, l->token);
	(void)buf_adds(out, "\1\1");
	return out->full ? saslc_broken(why, "message too long") : 0;
}

static int
xoauth2_first(struct saslc *s, struct buf *out, const char **why)
{
	s->step = SASLC_SAID;
	(void)buf_adds(out, "user=");
	(void)buf_add(out, s->login->user);
	(void)buf_adds(out, "\1auth=Bearer ");
	(void)buf_add(out, s->login->token);
	(void)buf_adds(out, "\1\1");
	return out->full ? saslc_broken(why, "message too long") : 0;
}

/*
 * The server refuses and says in JSON why; an answer without meaning lets it
 * send the reply that ends the exchange (RFC 7628 3.2.3).
 */
static int
oauth_step(struct saslc *s, struct bytes challenge, struct buf *out,
    const char **why)
{
	(void)challenge;
	if (s->step != SASLC_SAID)
		return out_of_turn(why);
	s->step = SASLC_OVER;
	if (bytes_eq(bytes_str(s->mech->name), BYTES("OAUTHBEARER")) &&
	    buf_addc(out, 1) == -1)
		return saslc_broken(why, "message too long");
	return 0;
}

/* ---- the table ---- */

#define SCRAM(name, plus, hash) \
	{ name, plus, false, hash, NEEDS_PASSWORD, saslc_scram_first, \
	    saslc_scram_step, SASLC_PROVEN }
static const struct saslc_mech mechs[] = {
	SCRAM("SCRAM-SHA-512-PLUS", true, SASL_SHA512),
	SCRAM("SCRAM-SHA-256-PLUS", true, SASL_SHA256),
	SCRAM("SCRAM-SHA-1-PLUS", true, SASL_SHA1),
	SCRAM("SCRAM-SHA-512", false, SASL_SHA512),
	SCRAM("SCRAM-SHA-256", false, SASL_SHA256),
	SCRAM("SCRAM-SHA-1", false, SASL_SHA1),
	{ "CRAM-MD5", false, false, SASL_HASHES, NEEDS_PASSWORD, NULL,
	    cram_step, SASLC_SAID },
	{ "PLAIN", false, true, SASL_HASHES, NEEDS_PASSWORD, plain_first,
	    no_step, SASLC_SAID },
	{ "LOGIN", false, true, SASL_HASHES, NEEDS_PASSWORD, NULL,
	    login_step, SASLC_SAID },
	{ "EXTERNAL", false, false, SASL_HASHES, NEEDS_CERT, external_first,
	    no_step, SASLC_SAID },
	{ "OAUTHBEARER", false, true, SASL_HASHES, NEEDS_TOKEN, bearer_first,
	    oauth_step, SASLC_SAID },
	{ "XOAUTH2", false, true, SASL_HASHES, NEEDS_TOKEN, xoauth2_first,
	    oauth_step, SASLC_SAID },
};

static const struct saslc_mech *
find(struct bytes name)
{
	for (size_t i = 0; i < sizeof(mechs) / sizeof(mechs[0]); i++) {
		if (bytes_caseeq(name, bytes_str(mechs[i].name)))
			return &mechs[i];
	}
	return NULL;
}

bool
saslc_known(struct bytes name)
{
	return find(name) != NULL;
}

const char *
saslc_default(const struct saslc_login *l)
{
	if (l->token.n > 0)
		return "OAUTHBEARER XOAUTH2";
	if (l->client_cert && l->password.n == 0)
		return "EXTERNAL";
	return "SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS "
	    "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5";
}

/*
 * RFC 9266 for every TLS 1.3 connection; up to 1.2 most servers know the one
 * that RFC 5802 makes the default, some that of the certificate.
 */
static const struct sasl_binding *
best_binding(const struct saslc_login *l, enum sasl_binding_type *type)
{
	static const enum sasl_binding_type order[] = {
		SASL_TLS_EXPORTER, SASL_TLS_UNIQUE, SASL_TLS_SERVER_END_POINT,
	};

	for (size_t i = 0; l->binding != NULL && i < 3; i++) {
		*type = order[i];
		if (l->binding[*type].n > 0)
			return &l->binding[*type];
	}
	return NULL;
}

static bool
has_word(struct bytes list, const char *name)
{
	struct bytes word;

	while (bytes_word(&list, &word)) {
		if (bytes_caseeq(word, bytes_str(name)))
			return true;
	}
	return false;
}

/* What stands in the way; NULL: nothing. */
static const char *
obstacle(const struct saslc_login *l, const struct saslc_mech *m)
{
	enum sasl_binding_type type;

	if (m->needs == NEEDS_PASSWORD && l->password.n == 0)
		return "there is no password";
	if (m->needs == NEEDS_TOKEN && l->token.n == 0)
		return "there is no token";
	if (m->needs == NEEDS_CERT && (!l->client_cert || !l->secured))
		return "there is no client certificate";
	if (m->plaintext && !l->secured && !l->in_clear)
		return "password or token would be shown without TLS";
	if (m->plus && best_binding(l, &type) == NULL)
		return "the connection has no channel binding";
	return NULL;
}

const char *
saslc_choose(const struct saslc_login *l, struct bytes offered, size_t *from,
    const char **why)
{
	struct bytes list = bytes_str(l->mechanisms != NULL ? l->mechanisms
	    : saslc_default(l)), word;
	const struct saslc_mech *m;
	const char *no;
	size_t place;

	*why = "no mechanism in common";
	for (place = 0; bytes_word(&list, &word); place++) {
		if (place < *from || (m = find(word)) == NULL ||
		    !has_word(offered, m->name))
			continue;
		if ((no = obstacle(l, m)) == NULL) {
			*from = place + 1;
			return m->name;
		}
		*why = no;
	}
	*from = place;
	return NULL;
}

/* ---- one authentication ---- */

static bool
offers_plus(struct bytes offered)
{
	struct bytes word;

	while (bytes_word(&offered, &word)) {
		if (bytes_casestarts(word, BYTES("SCRAM-")) &&
		    bytes_caseends(word, BYTES("-PLUS")))
			return true;
	}
	return false;
}

static bool
fits(const struct saslc_login *l, const struct saslc_mech *m)
{
	struct bytes parts[] = { l->user, l->password, l->authzid, l->token,
	    l->host };

	if (l->user.n > SASL_NAME_MAX || l->authzid.n > SASL_NAME_MAX ||
	    l->password.n > SASL_PASSWORD_MAX || l->token.n > SASL_TOKEN_MAX ||
	    l->host.n > SASL_NAME_MAX ||
	    (l->user.n == 0 && m->needs == NEEDS_PASSWORD))
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].n > 0 && bytes_has_nul(parts[i]))
			return false;
	}
	/* 0x01 ends the pairs of OAuth */
	return m->needs != NEEDS_TOKEN ||
	    (!memchr(l->token.p, 1, l->token.n) &&
	    (l->user.n == 0 || !memchr(l->user.p, 1, l->user.n)));
}

struct saslc *
saslc_new(const struct saslc_login *l, const char *mechanism,
    struct bytes offered)
{
	const struct saslc_mech *m = find(bytes_str(mechanism));
	struct saslc *s;
	const char *why;

	if (m == NULL || obstacle(l, m) != NULL || !fits(l, m)) {
		errno = EINVAL;
		return NULL;
	}
	s = mem_zalloc(1, sizeof(*s));
	s->copy = *l;
	s->copy.user = bytes_of(l->user.p, l->user.n);
	s->copy.password = bytes_of(l->password.p, l->password.n);
	s->copy.token = bytes_of(l->token.p, l->token.n);
	s->copy.authzid = bytes_of(l->authzid.p, l->authzid.n);
	s->copy.host = bytes_of(l->host.p, l->host.n);
	s->login = &s->copy;
	s->mech = m;
	s->plus_offered = offers_plus(offered);
	s->binding = best_binding(l, &s->binding_type);
	/* NFC grows a text at most threefold */
	s->password = BUF_INIT(3 * SASL_PASSWORD_MAX);
	s->nonce = BUF_INIT(SASLC_NONCE_MAX);
	s->gs2 = BUF_INIT(SASLC_RESPONSE_MAX);
	s->auth = BUF_INIT(2 * SASLC_RESPONSE_MAX);
	/* as it was derived from; without a normal form as it is */
	if (m->needs == NEEDS_PASSWORD && sasl_password_normal(
	    s->copy.password, &s->password, &why) == -1) {
		buf_reset(&s->password);
		(void)buf_add(&s->password, s->copy.password);
	}
	return s;
}

static void
wipe_buf(struct buf *b)
{
	if (b->size > 0)
		secret_wipe(b->p, b->size);
	buf_free(b);
}

void
saslc_free(struct saslc *s)
{
	if (s == NULL)
		return;
	wipe_buf(&s->password);
	wipe_buf(&s->nonce);
	wipe_buf(&s->gs2);
	wipe_buf(&s->auth);
	secret_wipe(s, sizeof(*s));
	free(s);
}

const char *
saslc_mechanism(const struct saslc *s)
{
	return s->mech->name;
}

bool
saslc_speaks_first(const struct saslc *s)
{
	return s->mech->first != NULL;
}

int
saslc_first(struct saslc *s, struct buf *out, const char **why)
{
	if (s->mech->first == NULL || s->step != SASLC_BEGIN)
		return saslc_broken(why, "response out of turn");
	return s->mech->first(s, out, why);
}

int
saslc_step(struct saslc *s, struct bytes challenge, struct buf *out,
    const char **why)
{
	if (challenge.n > SASLC_CHALLENGE_MAX)
		return saslc_broken(why, "challenge too long");
	if (s->mech->first != NULL && s->step == SASLC_BEGIN) {
		if (challenge.n > 0)
			return saslc_broken(why,
			    "challenge before the initial response");
		return s->mech->first(s, out, why);
	}
	return s->mech->step(s, challenge, out, why);
}

int
saslc_success(const struct saslc *s, const char **why)
{
	if (s->step == s->mech->last_step)
		return 0;
	return saslc_refused(why, s->mech->last_step == SASLC_PROVEN
	    ? "the server did not prove that it knows the password"
	    : "the server accepts before the exchange is over");
}
