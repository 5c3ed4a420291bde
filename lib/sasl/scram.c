/*
 * scram.c - SCRAM, server side (RFC 5802, RFC 7677), with channel binding
 *
 * Three messages: client-first names the user, server-first gives salt and
 * iterations, client-final holds the proof; server-final proves that the
 * server knew the keys. All passwords of an account share one salt, so each
 * of their keys is tried on the one proof. For users that do not exist the
 * salt is made up and the proof fails at the end.
 *
 * Whatever a client sends wrong is its error, never ours (U-5).
 */
#include "sasl/internal.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "os/os.h"
#include "unicode/unicode.h"

/* A client's nonce: RFC 5802 sets no limit; clients use 16 to 64. */
#define NONCE_MAX 256
/* client-first, server-first and client-final together. */
#define TEXT_MAX (2 * SASL_RESPONSE_MAX + 1024)

enum { CLIENT_FIRST, KNOW, CLIENT_FINAL, DECIDED, LAST, OVER };

static const EVP_MD *
scram_md(enum sasl_hash hash)
{
	return hash == SASL_SHA1 ? EVP_sha1()
	    : hash == SASL_SHA256 ? EVP_sha256() : EVP_sha512();
}

/* The value of attribute c, taken off with the comma after it. */
static bool
attribute(struct bytes *s, int c, struct bytes *value)
{
	if (bytes_at(*s, 0) != c || bytes_at(*s, 1) != '=')
		return false;
	*s = bytes_from(*s, 2);
	(void)bytes_split(s, ',', value);	/* the last has none */
	return true;
}

/* RFC 5802 7: printable, which is %x21-2B / %x2D-7E; no comma is left. */
static bool
printable(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	}
	return s.n > 0;
}

bool
sasl_name_unescape(struct bytes s, struct sasl_text *t)
{
	size_t n = 0;
	int c;

	while ((c = bytes_next(&s)) != -1) {
		if (c == '\0' || n == SASL_NAME_MAX)
			return false;
		if (c == '=' && bytes_skip(&s, BYTES("2C")))
			c = ',';
		else if (c == '=' && !bytes_skip(&s, BYTES("3D")))
			return false;
		t->p[n++] = (unsigned char)c;
	}
	t->n = n;
	return unicode_valid_utf8(bytes_of(t->p, n));
}

const char *
sasl_gs2_parse(struct bytes *s, int *flag, struct bytes *binding,
    struct bytes *authzid)
{
	struct bytes part;

	*binding = *authzid = BYTES_EMPTY;
	if (!bytes_split(s, ',', &part))
		return "no GS2 header";
	*flag = bytes_at(part, 0);
	if (*flag == 'p' && bytes_at(part, 1) == '=' && part.n > 2)
		*binding = bytes_from(part, 2);
	else if (part.n != 1 || (*flag != 'n' && *flag != 'y'))
		return "wrong channel binding flag";
	if (!bytes_split(s, ',', &part))
		return "no GS2 header";
	if (part.n > 0 && (!bytes_skip(&part, BYTES("a=")) || part.n == 0))
		return "wrong authorization identity";
	*authzid = part;
	return NULL;
}

/* ---- client-first ---- */

/* The binding a client names, if it may; NULL with s->why. */
static const struct sasl_binding *
find_binding(struct sasl *s, struct bytes name)
{
	unsigned int i;

	for (i = 0; i < SASL_BINDINGS; i++) {
		if (s->binding != NULL && s->binding[i].n > 0 &&
		    bytes_eq(bytes_str(sasl_binding_name(i)), name))
			return &s->binding[i];
	}
	s->why = "unsupported channel binding type";
	return NULL;
}

static bool
has_binding(const struct sasl *s)
{
	unsigned int i;

	for (i = 0; s->binding != NULL && i < SASL_BINDINGS; i++) {
		if (s->binding[i].n > 0)
			return true;
	}
	return false;
}

/*
 * The rules of RFC 5802 6, and what client-final's c= must decode to: the
 * header and the binding's bytes.
 */
static bool
check_flag(struct sasl *s, int flag, struct bytes name, struct bytes header)
{
	const struct sasl_binding *b;

	buf_add(&s->gs2, header);
	if (flag != 'p') {
		if (s->mech->plus) {
			s->why = "no channel binding for a -PLUS mechanism";
		} else if (flag == 'y' && has_binding(s)) {
			/* Somebody hid our -PLUS mechanisms from it. */
			s->why = "client sees no channel binding offered: "
			    "possible man in the middle";
			s->mismatch = true;
		}
		return s->why == NULL;
	}
	if (!s->mech->plus) {
		s->why = "channel binding for a mechanism without";
		return false;
	}
	if ((b = find_binding(s, name)) == NULL)
		return false;
	buf_add(&s->gs2, bytes_of(b->p, b->n));
	return true;
}

/* "r=" of server-first: the client's nonce and ours. */
static void
add_nonce(struct sasl *s, struct bytes client_nonce, struct buf *out)
{
	unsigned char random[SASL_NONCE_CHARS / 4 * 3];
	struct buf b = BUF_INIT(SASL_NONCE_CHARS);

	if (s->nonce[0] == '\0') {
		os_random(random, sizeof(random));
		(void)base64_encode(&b, bytes_of(random, sizeof(random)));
		memcpy(s->nonce, b.p, SASL_NONCE_CHARS);
		buf_free(&b);
	}
	buf_adds(out, "r=");
	buf_add(out, client_nonce);
	buf_adds(out, s->nonce);
}

static enum sasl_action
client_first(struct sasl *s, struct bytes response)
{
	struct bytes rest = response, name, authzid, nonce, bare;
	const char *why;
	int flag;

	if (!unicode_valid_utf8(response) || bytes_has_nul(response))
		return sasl_malformed(s, "not UTF-8");
	why = sasl_gs2_parse(&rest, &flag, &name, &authzid);
	if (why != NULL)
		return sasl_malformed(s, why);
	bare = rest;
	if (!check_flag(s, flag, name, bytes_first(response,
	    response.n - bare.n)))
		return s->mismatch ? SASL_REFUSED
		    : sasl_malformed(s, s->why);
	if (bytes_starts(bare, BYTES("m=")))
		return sasl_malformed(s, "extensions not supported");
	if (!attribute(&rest, 'n', &name) ||
	    !attribute(&rest, 'r', &nonce) || !printable(nonce) ||
	    nonce.n > NONCE_MAX)
		return sasl_malformed(s, "wrong first message");
	if (name.n == 0 || !sasl_name_unescape(name, &s->authcid) ||
	    !sasl_name_unescape(authzid, &s->authzid))
		return sasl_malformed(s, "wrong user name encoding");
	buf_add(&s->text, bare);
	buf_addc(&s->text, ',');
	s->server_first = s->text.n;
	add_nonce(s, nonce, &s->text);
	s->step = KNOW;
	return SASL_SECRETS;
}

enum sasl_action
sasl_scram_know(struct sasl *s, struct buf *challenge)
{
	buf_adds(&s->text, ",s=");
	base64_encode(&s->text, bytes_of(s->secrets.salt,
	    s->secrets.salt_bytes));
	buf_printf(&s->text, ",i=%lu", (unsigned long)s->secrets.iterations);
	if (s->text.full)
		return sasl_malformed(s, "message too long");
	buf_add(challenge, bytes_from(buf_bytes(&s->text), s->server_first));
	s->step = CLIENT_FINAL;
	return SASL_CHALLENGE;
}

/* ---- client-final ---- */

/* c=: the header as it was sent, and the connection it was sent on. */
static enum sasl_action
check_binding(struct sasl *s, struct bytes value)
{
	struct buf got = BUF_INIT(SASL_RESPONSE_MAX);
	struct bytes want = buf_bytes(&s->gs2);
	bool same = base64_decode(&got, value) == 0;

	if (!same) {
		buf_free(&got);
		return sasl_malformed(s, "channel binding is not base64");
	}
	same = bytes_equal_secret(buf_bytes(&got), want);
	buf_free(&got);
	if (same)
		return SASL_PROVEN;
	/*
	 * Another header or another TLS connection at the client's end: in
	 * both cases somebody in between may have changed something (U-3).
	 */
	s->why = "channel binding does not match: possible man in the middle";
	s->mismatch = true;
	return SASL_REFUSED;
}

/* Whether proof is the client key's, for AuthMessage (RFC 5802 3). */
static bool
proof_fits(const struct sasl *s, const struct sasl_secret *key,
    struct bytes proof)
{
	const EVP_MD *md = scram_md(s->mech->hash);
	size_t n = sasl_hash_bytes(s->mech->hash), i;
	unsigned char client[SASL_HASH_MAX], stored[SASL_HASH_MAX];
	unsigned int size = 0;
	bool fits;

	if (HMAC(md, key->stored_key, (int)n, s->text.p, s->text.n, client,
	    &size) == NULL || size != n)
		return false;
	for (i = 0; i < n; i++)
		client[i] ^= proof.p[i];
	fits = EVP_Digest(client, n, stored, &size, md, NULL) == 1 &&
	    bytes_equal_secret(bytes_of(stored, n),
	    bytes_of(key->stored_key, n));
	secret_wipe(client, sizeof(client));
	secret_wipe(stored, sizeof(stored));
	return fits;
}

static enum sasl_action
check_proof(struct sasl *s, struct bytes value)
{
	size_t n = sasl_hash_bytes(s->mech->hash), i;
	const struct sasl_secret nobody = { .label = "" };
	struct buf proof = BUF_INIT(SASL_HASH_MAX);
	bool found = false;

	if (base64_decode(&proof, value) == -1 || proof.n != n) {
		buf_free(&proof);
		return sasl_malformed(s, "proof of wrong length");
	}
	for (i = 0; i < s->secrets.count; i++) {
		if (proof_fits(s, &s->secrets.secret[i], buf_bytes(&proof))) {
			s->matched = i;
			found = true;
		}
	}
	if (s->secrets.count == 0)	/* for the same time only */
		(void)proof_fits(s, &nobody, buf_bytes(&proof));
	buf_free(&proof);
	if (found)
		return SASL_PROVEN;
	s->why = s->secrets.why != NULL ? s->secrets.why : "wrong password";
	return SASL_REFUSED;
}

/* Whether nonce is the one of server-first, which begins with it. */
static bool
same_nonce(const struct sasl *s, struct bytes nonce)
{
	struct bytes rest = bytes_from(buf_bytes(&s->text), s->server_first);
	struct bytes want;

	return attribute(&rest, 'r', &want) &&
	    bytes_equal_secret(nonce, want);
}

static enum sasl_action
client_final(struct sasl *s, struct bytes response)
{
	struct bytes rest = response, binding, nonce, proof, without;
	enum sasl_action action;
	size_t at;

	if (bytes_has_nul(response) || !attribute(&rest, 'c', &binding) ||
	    !attribute(&rest, 'r', &nonce))
		return sasl_malformed(s, "wrong final message");
	/* The proof is last; extensions before it are for others. */
	if (!bytes_rchr(response, ',', &at) ||
	    !bytes_starts(bytes_from(response, at), BYTES(",p=")) ||
	    at + 1 < response.n - rest.n)
		return sasl_malformed(s, "no proof");
	without = bytes_first(response, at);
	proof = bytes_from(response, at + 3);
	if (!same_nonce(s, nonce))
		return sasl_malformed(s, "wrong nonce");
	action = check_binding(s, binding);
	if (action != SASL_PROVEN)
		return action;
	buf_addc(&s->text, ',');
	buf_add(&s->text, without);
	if (s->text.full)
		return sasl_malformed(s, "message too long");
	s->step = DECIDED;
	return check_proof(s, proof);
}

enum sasl_action
sasl_scram_step(struct sasl *s, struct bytes response, struct buf *challenge)
{
	(void)challenge;
	switch (s->step) {
	case CLIENT_FIRST:
		s->step = OVER;		/* unless it is right */
		s->gs2 = BUF_INIT(SASL_RESPONSE_MAX + SASL_BINDING_MAX);
		s->text = BUF_INIT(TEXT_MAX);
		return client_first(s, response);
	case CLIENT_FINAL:
		s->step = OVER;		/* one try for each challenge */
		return client_final(s, response);
	case LAST:
		s->step = OVER;
		return response.n == 0 ? SASL_ENDED
		    : sasl_malformed(s, "response after the end");
	default:
		return sasl_malformed(s, "response out of turn");
	}
}

/* server-final: "v=" and the server's signature. */
bool
sasl_scram_last(struct sasl *s, bool good, struct buf *challenge)
{
	const EVP_MD *md = scram_md(s->mech->hash);
	unsigned char signature[SASL_HASH_MAX];
	size_t n = sasl_hash_bytes(s->mech->hash);
	unsigned int size = 0;

	if (!good || s->step != DECIDED)
		return false;
	if (HMAC(md, s->secrets.secret[s->matched].server_key, (int)n,
	    s->text.p, s->text.n, signature, &size) == NULL)
		return false;
	buf_adds(challenge, "v=");
	base64_encode(challenge, bytes_of(signature, n));
	s->step = LAST;
	return true;
}
