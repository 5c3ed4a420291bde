/*
 * scram.c - SCRAM, client side (RFC 5802, RFC 7677), with channel binding
 *
 * client-first names us and binds to the TLS connection, server-first gives
 * salt and iterations, client-final holds our proof; server-final proves that
 * the server knew the password's keys: without it nothing it says counts.
 */
#include "saslc/internal.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "os/os.h"

static const EVP_MD *
md_of(enum sasl_hash hash)
{
	return hash == SASL_SHA1 ? EVP_sha1()
	    : hash == SASL_SHA256 ? EVP_sha256() : EVP_sha512();
}

/* RFC 5802 5.1: "," and "=" in a name. */
void
saslc_add_name(struct buf *out, struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == ',')
			(void)buf_adds(out, "=2C");
		else if (name.p[i] == '=')
			(void)buf_adds(out, "=3D");
		else
			(void)buf_addc(out, name.p[i]);
	}
}

static void
make_nonce(struct saslc *s)
{
	unsigned char random[SASL_NONCE_CHARS / 4 * 3];

	if (s->login->nonce != NULL) {
		(void)buf_adds(&s->nonce, s->login->nonce);
		return;
	}
	os_random(random, sizeof(random));
	(void)base64_encode(&s->nonce, bytes_of(random, sizeof(random)));
}

/* RFC 5802 6: "p" we bind, "y" we could and the server seems not to, "n". */
static void
make_gs2(struct saslc *s)
{
	if (s->mech->plus)
		(void)buf_printf(&s->gs2, "p=%s,",
		    sasl_binding_name(s->binding_type));
	else
		(void)buf_adds(&s->gs2, s->binding != NULL && !s->plus_offered
		    ? "y," : "n,");
	if (s->login->authzid.n > 0) {
		(void)buf_adds(&s->gs2, "a=");
		saslc_add_name(&s->gs2, s->login->authzid);
	}
	(void)buf_addc(&s->gs2, ',');
}

int
saslc_scram_first(struct saslc *s, struct buf *out, const char **why)
{
	make_nonce(s);
	make_gs2(s);
	(void)buf_adds(&s->auth, "n=");
	saslc_add_name(&s->auth, s->login->user);
	(void)buf_adds(&s->auth, ",r=");
	(void)buf_add(&s->auth, buf_bytes(&s->nonce));
	if (s->auth.full || s->gs2.full || s->nonce.full ||
	    buf_add(out, buf_bytes(&s->gs2)) == -1 ||
	    buf_add(out, buf_bytes(&s->auth)) == -1)
		return saslc_broken(why, "user name too long");
	(void)buf_addc(&s->auth, ',');
	s->step = SASLC_SERVER_FIRST;
	return 0;
}

/* ---- server-first ---- */

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

/* RFC 5802 7: printable; no comma is left. */
static bool
printable(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	}
	return true;
}

struct server_first {
	struct bytes nonce;
	struct buf salt;
	uint64_t iterations;
};

static int
read_nonce(const struct saslc *s, struct bytes nonce, const char **why)
{
	if (nonce.n > SASLC_NONCE_MAX)
		return saslc_broken(why, "server's nonce too long");
	if (!printable(nonce))
		return saslc_broken(why, "server's nonce has bytes that may "
		    "not be in it");
	if (!bytes_starts(nonce, buf_bytes(&s->nonce)))
		return saslc_broken(why, "server's nonce does not begin with "
		    "ours");
	if (nonce.n == s->nonce.n)
		return saslc_broken(why, "server adds nothing to the nonce");
	return 0;
}

static int
read_first(const struct saslc *s, struct bytes text, struct server_first *f,
    const char **why)
{
	struct bytes salt, count;

	if (bytes_starts(text, BYTES("m=")))
		return saslc_broken(why, "server demands an extension");
	if (bytes_starts(text, BYTES("e=")))
		return saslc_refused(why, "server refuses the first message");
	if (!attribute(&text, 'r', &f->nonce) ||
	    !attribute(&text, 's', &salt) || !attribute(&text, 'i', &count))
		return saslc_broken(why, "malformed first message of the "
		    "server");
	if (read_nonce(s, f->nonce, why) == -1)
		return -1;
	if (base64_decode(&f->salt, salt) == -1 || f->salt.n == 0)
		return saslc_broken(why, f->salt.full ? "salt too long"
		    : "malformed salt");
	if (num_parse(count, 1, UINT32_MAX, &f->iterations) == -1)
		return saslc_broken(why, "malformed iteration count");
	if (f->iterations < SASLC_ITERATIONS_MIN)
		return saslc_broken(why, "iteration count too low");
	if (f->iterations > SASLC_ITERATIONS_MAX)
		return saslc_broken(why, "iteration count too high");
	return 0;
}

/* ---- client-final ---- */

struct keys {
	unsigned char salted[SASL_HASH_MAX], client[SASL_HASH_MAX];
	unsigned char stored[SASL_HASH_MAX], server[SASL_HASH_MAX];
	unsigned char proof[SASL_HASH_MAX];
};

static bool
hmac(const EVP_MD *md, const unsigned char *key, size_t n, struct bytes text,
    unsigned char *out)
{
	unsigned int size = 0;

	return HMAC(md, key, (int)n, text.p, text.n, out, &size) != NULL &&
	    size == n;
}

/* RFC 5802 3: ClientProof, and ServerSignature into s->signature. */
static bool
prove(struct saslc *s, const struct server_first *f, struct keys *k)
{
	const EVP_MD *md = md_of(s->mech->hash);
	struct bytes text = buf_bytes(&s->auth);
	size_t n = sasl_hash_bytes(s->mech->hash);

	if (PKCS5_PBKDF2_HMAC((const char *)s->password.p, (int)s->password.n,
	    f->salt.p, (int)f->salt.n, (int)f->iterations, md, (int)n,
	    k->salted) != 1 ||
	    !hmac(md, k->salted, n, BYTES("Client Key"), k->client) ||
	    !hmac(md, k->salted, n, BYTES("Server Key"), k->server) ||
	    EVP_Digest(k->client, n, k->stored, NULL, md, NULL) != 1 ||
	    !hmac(md, k->stored, n, text, k->proof) ||
	    !hmac(md, k->server, n, text, s->signature))
		return false;
	for (size_t i = 0; i < n; i++)
		k->proof[i] ^= k->client[i];
	return true;
}

/* "c=": the GS2 header, and the connection's binding after it. */
static void
add_binding(struct saslc *s, struct buf *out)
{
	struct buf b = BUF_INIT(s->gs2.n + SASL_BINDING_MAX);

	(void)buf_add(&b, buf_bytes(&s->gs2));
	if (s->mech->plus)
		(void)buf_add(&b, bytes_of(s->binding->p, s->binding->n));
	(void)buf_adds(out, "c=");
	(void)base64_encode(out, buf_bytes(&b));
	buf_free(&b);
}

static int
add_final(struct saslc *s, const struct server_first *f, struct buf *out,
    const char **why)
{
	struct buf final = BUF_INIT(SASLC_RESPONSE_MAX);
	struct keys k;
	int r = -1;

	add_binding(s, &final);
	(void)buf_adds(&final, ",r=");
	(void)buf_add(&final, f->nonce);
	(void)buf_addc(&s->auth, ',');
	(void)buf_add(&s->auth, buf_bytes(&final));
	if (s->auth.full || final.full) {
		(void)saslc_broken(why, "message too long");
	} else if (!prove(s, f, &k)) {
		(void)saslc_broken(why, "this machine cannot compute the "
		    "proof");
	} else {
		(void)buf_adds(&final, ",p=");
		(void)base64_encode(&final, bytes_of(k.proof,
		    sasl_hash_bytes(s->mech->hash)));
		r = buf_add(out, buf_bytes(&final));
		if (r == -1)
			(void)saslc_broken(why, "message too long");
	}
	secret_wipe(&k, sizeof(k));
	buf_free(&final);
	return r;
}

static int
server_first(struct saslc *s, struct bytes text, struct buf *out,
    const char **why)
{
	struct server_first f = { .salt = BUF_INIT(SASLC_SALT_MAX) };
	int r = read_first(s, text, &f, why);

	if (r == 0) {
		(void)buf_add(&s->auth, text);
		r = add_final(s, &f, out, why);
	}
	buf_free(&f.salt);
	s->step = r == 0 ? SASLC_SERVER_FINAL : SASLC_OVER;
	return r;
}

/* ---- server-final ---- */

static int
server_final(struct saslc *s, struct bytes text, const char **why)
{
	struct buf got = BUF_INIT(SASL_HASH_MAX);
	struct bytes value;
	bool same;

	s->step = SASLC_OVER;
	if (attribute(&text, 'e', &value))
		return saslc_refused(why, "server refuses the proof");
	if (!attribute(&text, 'v', &value))
		return saslc_broken(why, "malformed last message of the "
		    "server");
	same = base64_decode(&got, value) == 0 &&
	    bytes_equal_secret(buf_bytes(&got), bytes_of(s->signature,
	    sasl_hash_bytes(s->mech->hash)));
	buf_free(&got);
	if (!same)
		return saslc_refused(why, "the server does not know the "
		    "password: its signature is wrong");
	s->step = SASLC_PROVEN;
	return 0;		/* answered by an empty response */
}

int
saslc_scram_step(struct saslc *s, struct bytes challenge, struct buf *out,
    const char **why)
{
	if (s->step == SASLC_SERVER_FIRST)
		return server_first(s, challenge, out, why);
	if (s->step == SASLC_SERVER_FINAL)
		return server_final(s, challenge, why);
	return saslc_broken(why, "challenge out of turn");
}
