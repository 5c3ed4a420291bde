/*
 * verifier.c - what is stored of a password: SCRAM keys, never the password
 *
 * RFC 5802 3: SaltedPassword = PBKDF2(password), StoredKey =
 * H(HMAC(SaltedPassword, "Client Key")), ServerKey = HMAC(SaltedPassword,
 * "Server Key"). A password shown by PLAIN is checked against StoredKey.
 * Only the SHA-256 keys are used for that; those of SHA-1 are kept for
 * clients whose SCRAM knows nothing newer.
 */
#include "sasl/internal.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "os/os.h"
#include "unicode/unicode.h"

/*
 * Version 1 had SHA-256 and SHA-1 only, without kinds; it is still read, and
 * its accounts lack the other secrets until their password is set (U-7).
 */
#define VERSION_OLD 1
#define VERSION_NOW 2
/* Kinds of what follows the head, in ascending order. */
enum { KIND_SHA256 = 1, KIND_SHA1, KIND_SHA512, KIND_CRAM };

static const char client_key_text[] = "Client Key";
static const char server_key_text[] = "Server Key";

static const struct {
	const char *name;
	size_t bytes;
	uint32_t iterations;
	int kind;
} hashes[SASL_HASHES] = {
	[SASL_SHA256] = { "SHA-256", 32, SASL_ITERATIONS_SHA256,
	    KIND_SHA256 },
	[SASL_SHA1] = { "SHA-1", 20, SASL_ITERATIONS_SHA1, KIND_SHA1 },
	[SASL_SHA512] = { "SHA-512", 64, SASL_ITERATIONS_SHA512,
	    KIND_SHA512 },
};

size_t
sasl_hash_bytes(enum sasl_hash hash)
{
	return hashes[hash].bytes;
}

uint32_t
sasl_hash_iterations(enum sasl_hash hash)
{
	return hashes[hash].iterations;
}

const char *
sasl_hash_name(enum sasl_hash hash)
{
	return hashes[hash].name;
}

static const EVP_MD *
hash_md(enum sasl_hash hash)
{
	return hash == SASL_SHA1 ? EVP_sha1()
	    : hash == SASL_SHA256 ? EVP_sha256() : EVP_sha512();
}

static int
hmac_of(const EVP_MD *md, const unsigned char *key, size_t key_bytes,
    const char *text, unsigned char *out)
{
	unsigned int n = 0;

	if (HMAC(md, key, (int)key_bytes, (const unsigned char *)text,
	    strlen(text), out, &n) == NULL || n != key_bytes) {
		errno = EIO;
		return -1;
	}
	return 0;
}

/* Both keys for the iterations and salt in *k. */
static int
keys_derive(enum sasl_hash hash, const struct sasl_keys *k,
    struct bytes password, unsigned char stored[SASL_HASH_MAX],
    unsigned char server[SASL_HASH_MAX])
{
	const EVP_MD *md = hash_md(hash);
	size_t bytes = sasl_hash_bytes(hash);
	unsigned char salted[SASL_HASH_MAX], client[SASL_HASH_MAX];
	unsigned int n = 0;
	int r = -1;

	if (PKCS5_PBKDF2_HMAC((const char *)password.p, (int)password.n,
	    k->salt, SASL_SALT_BYTES, (int)k->iterations, md, (int)bytes,
	    salted) != 1) {
		errno = EIO;
		goto out;
	}
	if (hmac_of(md, salted, bytes, client_key_text, client) == -1 ||
	    hmac_of(md, salted, bytes, server_key_text, server) == -1)
		goto out;
	if (EVP_Digest(client, bytes, stored, &n, md, NULL) != 1 ||
	    n != bytes) {
		errno = EIO;
		goto out;
	}
	r = 0;
out:
	secret_wipe(salted, sizeof(salted));
	secret_wipe(client, sizeof(client));
	return r;
}

static int
keys_make(enum sasl_hash hash, const struct sasl_verifier *like,
    struct bytes password, struct sasl_keys *k)
{
	*k = (struct sasl_keys){ .iterations = sasl_hash_iterations(hash) };
	if (like != NULL && like->keys[hash].iterations != 0) {
		k->iterations = like->keys[hash].iterations;
		memcpy(k->salt, like->keys[hash].salt, SASL_SALT_BYTES);
	} else {
		os_random(k->salt, sizeof(k->salt));
	}
	return keys_derive(hash, k, password, k->stored_key, k->server_key);
}

int
sasl_verifier_make(struct bytes password, const struct sasl_verifier *like,
    bool cram, struct sasl_verifier *out)
{
	struct sasl_verifier v = { .changed = time_wall_us() / 1000000 };
	unsigned int i;

	if (password.n == 0 || password.n > SASL_PASSWORD_MAX) {
		errno = EBADMSG;
		return -1;
	}
	for (i = 0; i < SASL_HASHES; i++) {
		if (keys_make(i, like, password, &v.keys[i]) == -1)
			return -1;
	}
	if (cram) {
		sasl_cram_pads(password, v.cram);
		v.has_cram = true;
	}
	*out = v;
	secret_wipe(&v, sizeof(v));
	return 0;
}

int
sasl_stored_key(const struct sasl_keys *k, struct bytes password,
    unsigned char stored_key[32])
{
	const struct sasl_keys other = {
		.iterations = SASL_ITERATIONS_SHA256
	};
	unsigned char stored[SASL_HASH_MAX], server[SASL_HASH_MAX];
	int r = keys_derive(SASL_SHA256, k != NULL ? k : &other, password,
	    stored, server);

	if (r == 0)
		memcpy(stored_key, stored, 32);
	secret_wipe(stored, sizeof(stored));
	secret_wipe(server, sizeof(server));
	return r;
}

int
sasl_verifier_check(const struct sasl_verifier *v, struct bytes password)
{
	const struct sasl_keys *k = v != NULL ? &v->keys[SASL_SHA256] : NULL;
	unsigned char stored[32];
	bool same, possible = true;

	if (password.n == 0 || password.n > SASL_PASSWORD_MAX) {
		password = BYTES("x");	/* for the same time only */
		possible = false;
	}
	if (sasl_stored_key(k, password, stored) == -1)
		return -1;
	same = k != NULL && bytes_equal_secret(bytes_of(stored, 32),
	    bytes_of(k->stored_key, 32));
	secret_wipe(stored, sizeof(stored));
	return same && possible ? 1 : 0;
}

/* ---- the stored form ---- */

static void
keys_format(enum sasl_hash hash, const struct sasl_keys *k, struct buf *out)
{
	unsigned char n[4];

	be32_put(n, k->iterations);
	buf_addc(out, hashes[hash].kind);
	buf_add(out, bytes_of(n, 4));
	buf_add(out, bytes_of(k->salt, SASL_SALT_BYTES));
	buf_add(out, bytes_of(k->stored_key, sasl_hash_bytes(hash)));
	buf_add(out, bytes_of(k->server_key, sasl_hash_bytes(hash)));
}

static bool
keys_parse(enum sasl_hash hash, struct bytes *s, struct sasl_keys *k)
{
	struct bytes n, salt, stored, server;
	size_t bytes = sasl_hash_bytes(hash);

	if (!bytes_cut(s, 4, &n) || !bytes_cut(s, SASL_SALT_BYTES, &salt) ||
	    !bytes_cut(s, bytes, &stored) || !bytes_cut(s, bytes, &server))
		return false;
	*k = (struct sasl_keys){ .iterations = be32_get(n.p) };
	memcpy(k->salt, salt.p, salt.n);
	memcpy(k->stored_key, stored.p, stored.n);
	memcpy(k->server_key, server.p, server.n);
	return k->iterations >= 1 && k->iterations <= SASL_ITERATIONS_MAX;
}

int
sasl_verifier_format(const struct sasl_verifier *v, struct buf *out)
{
	unsigned char head[10] = { 0, VERSION_NOW };
	unsigned int i;

	be64_put(head + 2, (uint64_t)v->changed);
	buf_add(out, bytes_of(head, sizeof(head)));
	for (i = 0; i < SASL_HASHES; i++) {
		if (v->keys[i].iterations != 0)
			keys_format(i, &v->keys[i], out);
	}
	if (v->has_cram) {
		buf_addc(out, KIND_CRAM);
		buf_add(out, bytes_of(v->cram, sizeof(v->cram)));
	}
	if (!out->full)
		return 0;
	errno = EMSGSIZE;
	return -1;
}

/* The parts of version 2: kinds, ascending. */
static bool
parts_parse(struct bytes s, struct sasl_verifier *v)
{
	int kind, last = 0;
	struct bytes pads;

	while ((kind = bytes_next(&s)) != -1) {
		if (kind <= last)
			return false;
		last = kind;
		switch (kind) {
		case KIND_SHA256:
		case KIND_SHA1:
		case KIND_SHA512:
			/* the kinds stand in the order of the hashes */
			if (!keys_parse((unsigned int)kind - 1, &s,
			    &v->keys[kind - 1]))
				return false;
			break;
		case KIND_CRAM:
			if (!bytes_cut(&s, SASL_CRAM_BYTES, &pads))
				return false;
			memcpy(v->cram, pads.p, pads.n);
			v->has_cram = true;
			break;
		default:
			return false;
		}
	}
	return v->keys[SASL_SHA256].iterations != 0;
}

int
sasl_verifier_parse(struct bytes s, struct sasl_verifier *out)
{
	struct sasl_verifier v = { 0 };
	struct bytes head;
	bool good = bytes_cut(&s, 10, &head) && head.p[0] == 0 &&
	    be64_get(head.p + 2) <= INT64_MAX;

	if (good && head.p[1] == VERSION_OLD)
		good = keys_parse(SASL_SHA256, &s, &v.keys[SASL_SHA256]) &&
		    keys_parse(SASL_SHA1, &s, &v.keys[SASL_SHA1]) &&
		    s.n == 0;
	else if (good)
		good = head.p[1] == VERSION_NOW && parts_parse(s, &v);
	if (!good) {
		secret_wipe(&v, sizeof(v));
		errno = EBADMSG;
		return -1;
	}
	v.changed = (int64_t)be64_get(head.p + 2);
	*out = v;
	secret_wipe(&v, sizeof(v));
	return 0;
}

/* ---- passwords ---- */

int
sasl_password_normal(struct bytes password, struct buf *out, const char **why)
{
	struct arena a = ARENA_INIT;
	struct bytes normal;
	int r = -1;

	if (password.n > SASL_PASSWORD_MAX) {
		*why = "longer than 1024 bytes";
		errno = EBADMSG;
		return -1;
	}
	if (precis_opaque_string(&a, password, &normal, why) == 0) {
		r = buf_add(out, normal);
		secret_wipe((void *)(uintptr_t)normal.p, normal.n);
	}
	arena_free(&a);
	return r;
}

const char *
sasl_password_problem(struct bytes normal)
{
	struct bytes rest = normal;
	uint32_t c;
	size_t n = 0;

	while (unicode_next(&rest, &c) == 1)
		n++;
	if (n < SASL_PASSWORD_MIN)
		return "shorter than 8 characters";
	/* Lost when it is copied, and not seen on paper. */
	if (bytes_at(normal, 0) == ' ' || bytes_at(normal, normal.n - 1) == ' ')
		return "begins or ends with a blank";
	if (bytes_find(normal, BYTES("  "), &n))
		return "holds two blanks in a row";
	return NULL;
}

void
sasl_password_generate(char out[17])
{
	/* Without those that are read as another: 0 O 1 l I. */
	static const char letters[] =
	    "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	unsigned char r;
	size_t i = 0;

	while (i < 16) {
		os_random(&r, 1);
		/* Each letter equally likely: no remainder of 256. */
		if (r >= 256 / (sizeof(letters) - 1) * (sizeof(letters) - 1))
			continue;
		out[i++] = letters[r % (sizeof(letters) - 1)];
	}
	out[16] = '\0';
	secret_wipe(&r, 1);
}
