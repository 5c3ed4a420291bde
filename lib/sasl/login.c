/*
 * login.c - who is it, and may they log in?
 *
 * Whatever is wrong with a password (no such user, none set, another one)
 * costs one key derivation and gives the same answer, so that nobody learns
 * which addresses exist; for SCRAM the challenge of an unknown user is made
 * from a secret of the server, and so always the same.
 */
#include "sasl/internal.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "addr/addr.h"
#include "config/config.h"
#include "jwt/jwt.h"
#include "unicode/unicode.h"

static bool
copy_account(char to[SASL_ACCOUNT_MAX + 1], struct bytes name)
{
	if (name.n > SASL_ACCOUNT_MAX || bytes_has_nul(name))
		return false;
	memcpy(to, name.p, name.n);
	to[name.n] = '\0';
	return true;
}

/* An address exactly as configured: no separators, no catch-all. */
static bool
account_of_address(const struct config *config, struct arena *a,
    struct bytes name, char account[SASL_ACCOUNT_MAX + 1])
{
	struct config_address found;
	struct bytes domain, local;
	struct path path;
	const char *why;

	if (addr_parse_mailbox(a, name, ADDR_SMTPUTF8, &path, &why) == -1 ||
	    !config_domain_find(config, path.domain, &domain))
		return false;
	local = path.local_part;
	if (!config_get_bool(config, "domain", (const char *)domain.p,
	    "case-sensitive") && unicode_lower(a, local, &local) == -1)
		return false;
	return config_address_find(config, &local, domain, &found) &&
	    copy_account(account, found.account);
}

int
sasl_account_of(const struct config *config, struct bytes name,
    char account[SASL_ACCOUNT_MAX + 1])
{
	struct arena a = ARENA_INIT;
	struct bytes normal;
	bool found = false;
	size_t at;

	if (unicode_nfc(&a, name, &normal) == 0) {
		if (bytes_chr(normal, '@', &at)) {
			found = account_of_address(config, &a, normal,
			    account);
		} else {
			found = config_account_valid(normal) &&
			    config_account_exists(config, normal) &&
			    copy_account(account, normal);
		}
	}
	arena_free(&a);
	return found;
}

int
sasl_account_named(const char *name, char account[SASL_ACCOUNT_MAX + 1])
{
	struct config *c = config_open();
	int r, saved;

	if (c == NULL)
		return -1;
	r = sasl_account_of(c, bytes_str(name), account);
	saved = errno;
	config_close(c);
	errno = saved;
	return r;
}

const char *
sasl_result_name(enum sasl_result r)
{
	switch (r) {
	case SASL_OK:
		return "ok";
	case SASL_WRONG:
		return "wrong";
	case SASL_DISABLED:
		return "disabled";
	case SASL_TEMPORARY:
		return "temporary";
	case SASL_LIMITED:
		return "limited";
	case SASL_ABORTED:
		return "aborted";
	case SASL_LATER:
		break;
	}
	return "later";
}

bool
sasl_mech_offered(const struct config *config, const struct sasl_mech *mech)
{
	if (mech->know == sasl_cram_know)
		return config_get_bool(config, "auth", NULL, "cram-md5");
	if (mech->last == sasl_oauthbearer_last ||
	    mech->last == sasl_xoauth2_last)
		return config_get_text(config, "oauth", NULL, "issuer").n > 0;
	return true;
}

static void
outcome(struct sasl_outcome *out, enum sasl_result result, const char *reason,
    const char *why)
{
	size_t n = strlen(reason);

	if (n > SASL_REASON_MAX)
		n = SASL_REASON_MAX;
	out->result = result;
	memcpy(out->reason, reason, n);
	out->reason[n] = '\0';
	out->why = why;
}

static void
unavailable(struct sasl_outcome *out, const char *why)
{
	outcome(out, SASL_TEMPORARY, "authentication is unavailable", why);
}

/* ---- what every right login still has to pass ---- */

/* U-11: a client key that is known must be the same account's. */
static int
key_agrees(const struct sasl_users *u, const struct sasl_origin *from,
    const char *account)
{
	struct sasl_client_key k;
	int r;

	if (!from->has_client_key || u->db == NULL)
		return 1;
	r = sasl_db_key_get(u->db, from->client_key, &k);
	return r == 1 ? strcmp(k.account, account) == 0 : r == 0 ? 1 : -1;
}

/* It is out->account: may this account log in, and as authzid? */
static void
allow(const struct sasl_users *u, const struct sasl_origin *from,
    struct bytes authzid, struct sasl_outcome *out)
{
	char other[SASL_ACCOUNT_MAX + 1];
	struct bytes text;
	int agrees;

	if (authzid.n > 0 &&
	    (sasl_account_of(u->config, authzid, other) != 1 ||
	    strcmp(other, out->account) != 0)) {
		outcome(out, SASL_WRONG, "", "authorization as another user");
		return;
	}
	agrees = key_agrees(u, from, out->account);
	if (agrees == -1) {
		unavailable(out, "cannot read client key");
		return;
	}
	if (agrees == 0) {
		outcome(out, SASL_WRONG,
		    "the client certificate is of another account",
		    "client key of another account");
		return;
	}
	if (config_get(u->config, "account", out->account, "login-disabled",
	    &text) == 1 && text.n > 0) {
		text = unicode_first(text, SASL_REASON_MAX);
		outcome(out, SASL_DISABLED, "", "login disabled");
		memcpy(out->reason, text.p, text.n);
		out->reason[text.n] = '\0';
		return;
	}
	outcome(out, SASL_OK, "", "ok");
}

/* ---- passwords ---- */

/* Those of an account that are good for a service. */
struct found {
	char account[SASL_ACCOUNT_MAX + 1];
	struct sasl_credential *list;
	size_t count;
	const char *why;
	bool failed;		/* cannot tell: errors of the system */
};

static void
find(const struct sasl_users *u, const struct sasl_origin *from,
    struct bytes authcid, struct found *f)
{
	size_t i, n = 0;
	int r;

	*f = (struct found){ .why = "unknown user" };
	r = sasl_account_of(u->config, authcid, f->account);
	if (r == 1) {
		f->why = "no password set";
		if (u->db != NULL)
			r = sasl_db_credentials(u->db, f->account, &f->list,
			    &f->count);
	} else {
		f->account[0] = '\0';
	}
	f->failed = r == -1;
	for (i = 0; i < f->count; i++) {
		f->why = "wrong password";
		if (!sasl_services_has(f->list[i].services, from->service))
			continue;
		if (n != i)
			f->list[n] = f->list[i];
		n++;
	}
	if (n == 0 && f->count > 0)
		f->why = "no password for this service";
	f->count = n;
}

static void
found_free(struct found *f)
{
	/* The list has room for all, used or not. */
	sasl_credentials_wipe(f->list, f->list != NULL
	    ? 1 + SASL_APPS_MAX : 0);
}

static bool
same_salt(const struct sasl_keys *a, const struct sasl_keys *b)
{
	return a->iterations == b->iterations &&
	    memcmp(a->salt, b->salt, SASL_SALT_BYTES) == 0;
}

/* 1 the password is list[*which]'s, 0, -1. One derivation per salt. */
static int
match(const struct found *f, struct bytes password, size_t *which)
{
	unsigned char stored[32];
	const struct sasl_keys *k, *last = NULL;
	bool possible = password.n > 0, found = false;
	size_t i;

	if (!possible)
		password = BYTES("x");	/* for the same time only */
	if (f->count == 0)
		return sasl_stored_key(NULL, password, stored);
	for (i = 0; i < f->count; i++) {
		k = &f->list[i].verifier.keys[SASL_SHA256];
		if ((last == NULL || !same_salt(last, k)) &&
		    sasl_stored_key(k, password, stored) == -1)
			return -1;
		last = k;
		if (bytes_equal_secret(bytes_of(stored, 32),
		    bytes_of(k->stored_key, 32)) && possible && !found) {
			*which = i;
			found = true;
		}
	}
	secret_wipe(stored, sizeof(stored));
	return found;
}

static void
copy_label(struct sasl_outcome *out, const char *label)
{
	assert(label != NULL);	/* found ones have one, "" at least */
	memcpy(out->label, label, strlen(label) + 1);
}

static void
decide_password(const struct sasl_users *u, const struct sasl_origin *from,
    const struct sasl *s, struct sasl_outcome *out)
{
	struct buf normal = BUF_INIT(4 * SASL_PASSWORD_MAX);
	const char *ignored;
	struct found f;
	size_t which = 0;
	int right;

	find(u, from, sasl_text_bytes(&s->authcid), &f);
	memcpy(out->account, f.account, sizeof(f.account));
	if (sasl_password_normal(sasl_text_bytes(&s->password), &normal,
	    &ignored) == -1)
		buf_reset(&normal);	/* never a password: checked as wrong */
	right = sasl_cache_find(u->cache, f.list, f.count,
	    buf_bytes(&normal), u->now, &which);
	if (right == 0) {
		right = match(&f, buf_bytes(&normal), &which);
		if (right == 1)
			sasl_cache_note(u->cache, f.list, f.count,
			    buf_bytes(&normal), u->now, which);
	}
	if (f.failed || right == -1) {
		unavailable(out, "cannot read verifier");
	} else if (right == 1) {
		copy_label(out, f.list[which].label);
		allow(u, from, sasl_text_bytes(&s->authzid), out);
	} else {
		outcome(out, SASL_WRONG, "", f.why);
		out->unproven = true;
	}
	found_free(&f);
	if (normal.size > 0)
		secret_wipe(normal.p, normal.size);
	buf_free(&normal);
}

void
sasl_decide_foreign(const struct sasl_users *u,
    const struct sasl_origin *from, struct bytes authzid,
    struct bytes authcid, bool right, struct sasl_outcome *out)
{
	char account[SASL_ACCOUNT_MAX + 1];
	int r = sasl_account_of(u->config, authcid, account);

	if (r == 1)
		memcpy(out->account, account, sizeof(account));
	if (r == -1)
		unavailable(out, "cannot look up account");
	else if (r == 0)
		outcome(out, SASL_WRONG, "", "unknown user");
	else if (!right)
		outcome(out, SASL_WRONG, "", "wrong password");
	else
		allow(u, from, authzid, out);
}

/* ---- secrets ---- */

/* The same for a name each time, and nothing a client could foretell. */
static void
made_up_salt(const struct sasl_users *u, struct bytes name,
    const struct sasl_mech *mech, unsigned char salt[SASL_SALT_BYTES])
{
	struct buf b = BUF_INIT(4 * SASL_NAME_MAX + 32);
	struct arena a = ARENA_INIT;
	unsigned char mac[32] = { 0 };
	unsigned int n;

	if (unicode_lower(&a, name, &name) == -1)
		name = BYTES_EMPTY;
	if (mech->hash < SASL_HASHES)
		buf_adds(&b, sasl_hash_name(mech->hash));
	buf_addc(&b, 0);
	buf_add(&b, name);
	/* Without memory for it the salt is zeros: no harm but a hint. */
	(void)HMAC(EVP_sha256(), u->server_secret, 32, b.p, b.n, mac, &n);
	memcpy(salt, mac, SASL_SALT_BYTES);
	arena_free(&a);
	buf_free(&b);
}

static void
add_secret(const struct sasl_credential *c, const struct sasl_mech *mech,
    struct sasl_secrets *out)
{
	struct sasl_secret *to = &out->secret[out->count];
	const struct sasl_keys *k;

	if (mech->hash == SASL_HASHES) {
		if (!c->verifier.has_cram)
			return;
		memcpy(to->cram, c->verifier.cram, SASL_CRAM_BYTES);
	} else {
		k = &c->verifier.keys[mech->hash];
		if (k->iterations == 0)
			return;
		if (out->count == 0) {
			out->iterations = k->iterations;
			memcpy(out->salt, k->salt, SASL_SALT_BYTES);
		} else if (k->iterations != out->iterations ||
		    memcmp(k->salt, out->salt, SASL_SALT_BYTES) != 0) {
			return;	/* of a salt that is not in the challenge */
		}
		memcpy(to->stored_key, k->stored_key, SASL_HASH_MAX);
		memcpy(to->server_key, k->server_key, SASL_HASH_MAX);
	}
	memcpy(to->label, c->label, sizeof(to->label));
	out->count++;
}

void
sasl_secrets_find(const struct sasl_users *u, const struct sasl_origin *from,
    struct bytes authcid, const struct sasl_mech *mech,
    struct sasl_secrets *out)
{
	struct found f;
	size_t i;

	*out = (struct sasl_secrets){ .salt_bytes = SASL_SALT_BYTES };
	if (mech->hash < SASL_HASHES)
		out->iterations = sasl_hash_iterations(mech->hash);
	made_up_salt(u, authcid, mech, out->salt);
	find(u, from, authcid, &f);
	memcpy(out->account, f.account, sizeof(f.account));
	out->why = f.why;
	out->temporary = f.failed;
	if (f.count > 0)
		out->secret = mem_zalloc(f.count, sizeof(*out->secret));
	for (i = 0; i < f.count; i++)
		add_secret(&f.list[i], mech, out);
	if (f.count > 0 && out->count == 0) {
		out->why = "no derived secret for this mechanism";
		out->missing = true;
		free(out->secret);
		out->secret = NULL;
	}
	found_free(&f);
}

static void
decide_proof(const struct sasl_users *u, const struct sasl_origin *from,
    const struct sasl *s, bool right, struct sasl_outcome *out)
{
	memcpy(out->account, s->secrets.account, sizeof(out->account));
	if (right) {
		copy_label(out, s->secrets.secret[s->matched].label);
		allow(u, from, sasl_text_bytes(&s->authzid), out);
	} else if (s->secrets.temporary) {
		unavailable(out, "cannot read verifier");
	} else if (s->mismatch) {
		outcome(out, SASL_WRONG, "channel binding does not match: "
		    "possible man in the middle", s->why);
	} else {
		outcome(out, SASL_WRONG, "", s->why);
		out->uncharged = s->secrets.missing;
	}
}

/* ---- client keys ---- */

static void
decide_key(const struct sasl_users *u, const struct sasl_origin *from,
    const struct sasl *s, struct sasl_outcome *out)
{
	struct sasl_client_key k;
	char account[SASL_ACCOUNT_MAX + 1];
	struct bytes authzid = sasl_text_bytes(&s->authzid);
	int r = 0;

	if (from->has_client_key && u->db != NULL &&
	    (r = sasl_db_key_get(u->db, from->client_key, &k)) == -1) {
		unavailable(out, "cannot read client key");
		return;
	}
	if (r == 0) {
		outcome(out, SASL_WRONG, "", from->has_client_key
		    ? "unknown client key" : "no client key");
		/* Programs show certificates that are for others. */
		out->uncharged = from->preauth;
		return;
	}
	memcpy(out->account, k.account, sizeof(k.account));
	copy_label(out, k.label);
	if (!config_account_exists(u->config, bytes_str(k.account))) {
		outcome(out, SASL_WRONG, "", "client key of no account");
		return;
	}
	/* U-10: it is greetings of IMAP that some clients cannot take. */
	if (from->preauth && k.no_preauth &&
	    strcmp(from->service, "imap") == 0) {
		outcome(out, SASL_WRONG, "", "client key not for PREAUTH");
		out->uncharged = out->no_preauth = true;
		return;
	}
	/* An address that is the account's no more is not handed on. */
	if (sasl_account_of(u->config, bytes_str(k.login), account) == 1 &&
	    strcmp(account, k.account) == 0)
		memcpy(out->login, k.login, sizeof(k.login));
	if (authzid.n > 0) {
		memcpy(out->login, authzid.p, authzid.n);
		out->login[authzid.n] = '\0';
	}
	allow(u, from, authzid, out);
}

/* ---- tokens ---- */

static void
decide_token(const struct sasl_users *u, const struct sasl_origin *from,
    const struct sasl *s, struct sasl_outcome *out)
{
	const struct config *c = u->config;
	struct jwt_policy policy = {
		.issuer = config_get_text(c, "oauth", NULL, "issuer"),
		.audience = config_get_text(c, "oauth", NULL, "audience"),
		.claim = config_get_text(c, "oauth", NULL, "claim"),
		.now = u->now,
	};
	struct arena a = ARENA_INIT;
	struct bytes user;
	const char *why;

	if (u->keys == NULL || policy.issuer.n == 0 ||
	    policy.audience.n == 0) {
		unavailable(out, "no issuer, audience or issuer's keys");
		return;
	}
	if (jwt_check(&a, u->keys, buf_bytes(&s->token), &policy, &user,
	    &why) == -1) {
		outcome(out, SASL_WRONG, "", why);
	} else if (sasl_account_of(c, user, out->account) != 1) {
		out->account[0] = '\0';
		outcome(out, SASL_WRONG, "", "token of an unknown user");
	} else {
		/* a= and user= must name whom the token names. */
		allow(u, from, sasl_text_bytes(&s->authcid), out);
	}
	arena_free(&a);
}

void
sasl_decide(const struct sasl_users *u, const struct sasl_origin *from,
    const struct sasl *s, enum sasl_action action, struct sasl_outcome *out)
{
	*out = (struct sasl_outcome){ .result = SASL_WRONG };
	switch (action) {
	case SASL_PASSWORD:
		decide_password(u, from, s, out);
		break;
	case SASL_PROVEN:
	case SASL_REFUSED:
		decide_proof(u, from, s, action == SASL_PROVEN, out);
		break;
	case SASL_CLIENT_KEY:
		decide_key(u, from, s, out);
		break;
	case SASL_TOKEN:
		decide_token(u, from, s, out);
		break;
	default:
		outcome(out, SASL_WRONG, "malformed response", s->why);
		break;
	}
}
