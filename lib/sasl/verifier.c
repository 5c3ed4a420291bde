/*
 * verifier.c - what is stored of a password: SCRAM keys, never the password
 *
 * RFC 5802 3: SaltedPassword = PBKDF2(password), StoredKey =
 * H(HMAC(SaltedPassword, "Client Key")), ServerKey = HMAC(SaltedPassword,
 * "Server Key"). A password shown by PLAIN is checked against StoredKey.
 * Only the SHA-256 keys are used for that; those of SHA-1 are kept for
 * clients whose SCRAM knows nothing newer.
 */
#include "sasl/sasl.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "os/os.h"
#include "unicode/unicode.h"

#define VERIFIER_VERSION 1

static const char client_key_text[] = "Client Key";
static const char server_key_text[] = "Server Key";

static const EVP_MD *
keys_md(const struct sasl_keys *k)
{
	return k->key_bytes == 20 ? EVP_sha1() : EVP_sha256();
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
keys_derive(const struct sasl_keys *k, struct bytes password,
    unsigned char stored[32], unsigned char server[32])
{
	const EVP_MD *md = keys_md(k);
	unsigned char salted[32], client[32];
	unsigned int n = 0;
	int r = -1;

	if (PKCS5_PBKDF2_HMAC((const char *)password.p, (int)password.n,
	    k->salt, SASL_SALT_BYTES, (int)k->iterations, md,
	    (int)k->key_bytes, salted) != 1) {
		errno = EIO;
		goto out;
	}
	if (hmac_of(md, salted, k->key_bytes, client_key_text, client) == -1 ||
	    hmac_of(md, salted, k->key_bytes, server_key_text, server) == -1)
		goto out;
	if (EVP_Digest(client, k->key_bytes, stored, &n, md, NULL) != 1 ||
	    n != k->key_bytes) {
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
keys_make(struct sasl_keys *k, size_t key_bytes, uint32_t iterations,
    struct bytes password)
{
	*k = (struct sasl_keys){ .iterations = iterations,
	    .key_bytes = key_bytes };
	os_random(k->salt, sizeof(k->salt));
	return keys_derive(k, password, k->stored_key, k->server_key);
}

int
sasl_verifier_make(struct bytes password, struct sasl_verifier *out)
{
	struct sasl_verifier v = { .changed = time_wall_us() / 1000000 };

	if (password.n == 0 || password.n > SASL_PASSWORD_MAX) {
		errno = EBADMSG;
		return -1;
	}
	if (keys_make(&v.sha256, 32, SASL_ITERATIONS_SHA256, password) == -1 ||
	    keys_make(&v.sha1, 20, SASL_ITERATIONS_SHA1, password) == -1)
		return -1;
	*out = v;
	secret_wipe(&v, sizeof(v));
	return 0;
}

int
sasl_verifier_check(const struct sasl_verifier *v, struct bytes password)
{
	const struct sasl_keys dummy = { .iterations = SASL_ITERATIONS_SHA256,
	    .key_bytes = 32 };
	const struct sasl_keys *k = v != NULL ? &v->sha256 : &dummy;
	unsigned char stored[32], server[32];
	bool same, possible = true;

	if (password.n == 0 || password.n > SASL_PASSWORD_MAX) {
		password = BYTES("x");	/* for the same time only */
		possible = false;
	}
	if (keys_derive(k, password, stored, server) == -1)
		return -1;
	same = bytes_equal_secret(bytes_of(stored, 32),
	    bytes_of(k->stored_key, 32));
	secret_wipe(stored, sizeof(stored));
	secret_wipe(server, sizeof(server));
	return same && possible && v != NULL ? 1 : 0;
}

static int
keys_format(const struct sasl_keys *k, struct buf *out)
{
	unsigned char n[4];

	be32_put(n, k->iterations);
	if (buf_add(out, bytes_of(n, 4)) == -1 ||
	    buf_add(out, bytes_of(k->salt, SASL_SALT_BYTES)) == -1 ||
	    buf_add(out, bytes_of(k->stored_key, k->key_bytes)) == -1 ||
	    buf_add(out, bytes_of(k->server_key, k->key_bytes)) == -1)
		return -1;
	return 0;
}

static bool
keys_parse(struct bytes *s, size_t key_bytes, struct sasl_keys *k)
{
	struct bytes n, salt, stored, server;

	if (!bytes_cut(s, 4, &n) || !bytes_cut(s, SASL_SALT_BYTES, &salt) ||
	    !bytes_cut(s, key_bytes, &stored) ||
	    !bytes_cut(s, key_bytes, &server))
		return false;
	*k = (struct sasl_keys){ .iterations = be32_get(n.p),
	    .key_bytes = key_bytes };
	memcpy(k->salt, salt.p, salt.n);
	memcpy(k->stored_key, stored.p, stored.n);
	memcpy(k->server_key, server.p, server.n);
	return k->iterations >= 1 && k->iterations <= SASL_ITERATIONS_MAX;
}

int
sasl_verifier_format(const struct sasl_verifier *v, struct buf *out)
{
	unsigned char head[10] = { 0, VERIFIER_VERSION };

	be64_put(head + 2, (uint64_t)v->changed);
	if (buf_add(out, bytes_of(head, sizeof(head))) == -1 ||
	    keys_format(&v->sha256, out) == -1 ||
	    keys_format(&v->sha1, out) == -1)
		return -1;
	return 0;
}

int
sasl_verifier_parse(struct bytes s, struct sasl_verifier *out)
{
	struct sasl_verifier v = { 0 };
	struct bytes head;

	if (!bytes_cut(&s, 10, &head) || head.p[0] != 0 ||
	    head.p[1] != VERIFIER_VERSION ||
	    be64_get(head.p + 2) > INT64_MAX ||
	    !keys_parse(&s, 32, &v.sha256) || !keys_parse(&s, 20, &v.sha1) ||
	    s.n != 0) {
		errno = EBADMSG;
		return -1;
	}
	v.changed = (int64_t)be64_get(head.p + 2);
	*out = v;
	return 0;
}

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
