/*
 * crypto.c - hashes and public keys, over OpenSSL's EVP
 *
 * Public keys are taken apart here and handed over as numbers: OpenSSL's own
 * decoder of SubjectPublicKeyInfo tries every format it knows, and costs
 * several times what verifying does.
 */
#include "dkim/internal.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>

/* ---- SHA-256 ---- */

static void
digest_fail(struct dkim_digest *d)
{
	EVP_MD_CTX_free(d->ctx);
	d->ctx = NULL;
}

void
dkim_digest_init(struct dkim_digest *d)
{
	d->ctx = EVP_MD_CTX_new();
	if (d->ctx != NULL &&
	    EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1)
		digest_fail(d);
}

void
dkim_digest_add(struct dkim_digest *d, struct bytes b)
{
	if (d->ctx != NULL && EVP_DigestUpdate(d->ctx, b.p, b.n) != 1)
		digest_fail(d);
}

int
dkim_digest_end(struct dkim_digest *d, unsigned char out[DKIM_HASH_SIZE])
{
	bool ok = d->ctx != NULL && EVP_DigestFinal_ex(d->ctx, out, NULL) == 1;

	digest_fail(d);
	if (!ok)
		errno = EIO;
	return ok ? 0 : -1;
}

/* ---- DER, as much as a public key needs (X.690 8.1, 10.1) ---- */

#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_SEQUENCE 0x30

/* Take one element of that tag off *s; definite minimal lengths only. */
static bool
der_take(struct bytes *s, int tag, struct bytes *content)
{
	struct bytes rest = *s;
	size_t n = 0;
	int c, octets;

	if (bytes_next(&rest) != tag || (c = bytes_next(&rest)) == -1)
		return false;
	if (c < 0x80) {
		n = (size_t)c;
	} else {
		octets = c & 0x7f;
		if (octets < 1 || octets > 2)
			return false;
		while (octets-- > 0) {
			if ((c = bytes_next(&rest)) == -1)
				return false;
			n = n << 8 | (size_t)c;
		}
		if (n < 0x80)
			return false;
	}
	if (!bytes_cut(&rest, n, content))
		return false;
	*s = rest;
	return true;
}

/* A positive INTEGER, without leading zeros. */
static bool
der_take_positive(struct bytes *s, struct bytes *number)
{
	if (!der_take(s, DER_INTEGER, number) || number->n == 0 ||
	    number->p[0] >= 0x80)
		return false;
	while (number->n > 0 && number->p[0] == 0)
		*number = bytes_from(*number, 1);
	return number->n > 0;
}

/* RSAPublicKey (RFC 8017 A.1.1). */
static bool
der_rsa(struct bytes s, struct bytes *n, struct bytes *e)
{
	struct bytes seq;

	return der_take(&s, DER_SEQUENCE, &seq) && s.n == 0 &&
	    der_take_positive(&seq, n) && der_take_positive(&seq, e) &&
	    seq.n == 0;
}

/*
 * What p= holds for RSA: SubjectPublicKeyInfo (as RFC 6376 errata 3758 says,
 * and everybody writes), or RSAPublicKey (as 3.6.1 says).
 */
static bool
der_rsa_public(struct bytes s, struct bytes *n, struct bytes *e)
{
	/* SEQUENCE { OID 1.2.840.113549.1.1.1, NULL } */
	static const unsigned char rsa_encryption[] = { 0x30, 0x0d, 0x06, 0x09,
		0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
		0x00 };
	struct bytes outer = s, seq, bits;

	if (!der_take(&outer, DER_SEQUENCE, &seq) || outer.n != 0)
		return false;
	if (!bytes_skip(&seq, bytes_of(rsa_encryption, sizeof rsa_encryption)))
		return der_rsa(s, n, e);
	return der_take(&seq, DER_BIT_STRING, &bits) && seq.n == 0 &&
	    bytes_next(&bits) == 0 && der_rsa(bits, n, e);
}

/* ---- public keys ---- */

/* e has 64 bits at most: a huge one makes verifying as dear as signing. */
#define RSA_EXPONENT_MAX 8
#define ED25519_KEY_SIZE 32

struct dkim_public {
	EVP_PKEY *pkey;
	bool is_ed25519;
};

static unsigned int
bit_length(struct bytes n)
{
	unsigned int bits = (unsigned int)n.n * 8;
	int top = bytes_at(n, 0);

	for (; top > 0 && top < 0x80; top <<= 1)
		bits--;
	return bits;
}

/* OpenSSL takes numbers in the machine's order of bytes. */
static void
to_native(struct bytes n, unsigned char *out)
{
	const union { uint16_t v; unsigned char first; } one = { .v = 1 };
	size_t i;

	for (i = 0; i < n.n; i++)
		out[i] = n.p[one.first == 1 ? n.n - 1 - i : i];
}

static EVP_PKEY *
rsa_from_numbers(struct bytes n, struct bytes e)
{
	unsigned char native_n[DKIM_RSA_BITS_MAX / 8];
	unsigned char native_e[RSA_EXPONENT_MAX];
	OSSL_PARAM params[3];
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *pkey = NULL;

	to_native(n, native_n);
	to_native(e, native_e);
	params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, native_n,
	    n.n);
	params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, native_e,
	    e.n);
	params[2] = OSSL_PARAM_construct_end();
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static const char *
rsa_new(struct bytes key, EVP_PKEY **pkey, unsigned int *bits)
{
	struct bytes n, e;

	if (!der_rsa_public(key, &n, &e))
		return "key record holds no RSA public key";
	*bits = bit_length(n);
	if (*bits < DKIM_RSA_BITS_MIN)
		return "RSA key under 1024 bits";
	if (*bits > DKIM_RSA_BITS_MAX)
		return "RSA key over 8192 bits";
	if (e.n > RSA_EXPONENT_MAX)
		return "RSA key with a huge exponent";
	*pkey = rsa_from_numbers(n, e);
	return *pkey == NULL ? "RSA key is not usable" : NULL;
}

static const char *
ed25519_new(struct bytes key, EVP_PKEY **pkey, unsigned int *bits)
{
	if (key.n != ED25519_KEY_SIZE)
		return "Ed25519 key is not 32 octets";
	*bits = 256;
	*pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key.p,
	    key.n);
	return *pkey == NULL ? "Ed25519 key is not usable" : NULL;
}

/*
 * Keys that were made last, of the process: making one and what OpenSSL finds
 * out when it is used first cost a third of a verification, and who sends
 * several messages signs them alike. The key itself is compared, not where it
 * came from.
 */
#define KEPT 4
#define KEPT_BYTES_MAX 600	/* RSA of 4096 bits */
static struct kept {
	EVP_PKEY *pkey;		/* NULL: none */
	bool is_ed25519;
	unsigned int bits;
	size_t n;
	unsigned char key[KEPT_BYTES_MAX];
} kept[KEPT];
static unsigned int kept_next;	/* the oldest */

static bool
find_kept(const struct dkim_record *r, EVP_PKEY **pkey, unsigned int *bits)
{
	const struct kept *k;

	for (k = kept; k < kept + KEPT; k++) {
		if (k->pkey == NULL || k->is_ed25519 != r->is_ed25519 ||
		    !bytes_eq(bytes_of(k->key, k->n), r->key))
			continue;
		if (EVP_PKEY_up_ref(k->pkey) != 1)
			return false;
		*pkey = k->pkey;
		*bits = k->bits;
		return true;
	}
	return false;
}

static void
keep(const struct dkim_record *r, EVP_PKEY *pkey, unsigned int bits)
{
	struct kept *k = &kept[kept_next];

	if (r->key.n > KEPT_BYTES_MAX || EVP_PKEY_up_ref(pkey) != 1)
		return;
	kept_next = (kept_next + 1) % KEPT;
	EVP_PKEY_free(k->pkey);
	*k = (struct kept){ .pkey = pkey, .is_ed25519 = r->is_ed25519,
	    .bits = bits, .n = r->key.n };
	memcpy(k->key, r->key.p, r->key.n);
}

static int
make(const struct dkim_record *r, EVP_PKEY **pkey, unsigned int *bits,
    const char **why)
{
	*why = r->is_ed25519 ? ed25519_new(r->key, pkey, bits)
	    : rsa_new(r->key, pkey, bits);
	if (*why == NULL)
		return 0;
	errno = EBADMSG;
	return -1;
}

static struct dkim_public *
public_of(const struct dkim_record *r, EVP_PKEY *pkey)
{
	struct dkim_public *p = mem_alloc(sizeof *p);

	*p = (struct dkim_public){ pkey, r->is_ed25519 };
	return p;
}

int
dkim_public_new(const struct dkim_record *r, struct dkim_public **out,
    unsigned int *bits, const char **why)
{
	EVP_PKEY *pkey = NULL;

	if (make(r, &pkey, bits, why) == -1)
		return -1;
	*out = public_of(r, pkey);
	return 0;
}

int
dkim_public_get(const struct dkim_record *r, struct dkim_public **out,
    unsigned int *bits, const char **why)
{
	EVP_PKEY *pkey = NULL;

	*why = NULL;
	if (!find_kept(r, &pkey, bits)) {
		if (make(r, &pkey, bits, why) == -1)
			return -1;
		keep(r, pkey, *bits);
	}
	*out = public_of(r, pkey);
	return 0;
}

void
dkim_public_free(struct dkim_public *p)
{
	if (p == NULL)
		return;
	EVP_PKEY_free(p->pkey);
	free(p);
}

const char *
dkim_record_problem(const struct dkim_record *r, unsigned int *bits)
{
	const char *refusal = dkim_record_refusal(r, r->is_ed25519
	    ? DKIM_ED25519_SHA256 : DKIM_RSA_SHA256), *why;
	struct dkim_public *key;

	*bits = 0;
	if (r->revoked)
		return refusal;
	if (dkim_public_new(r, &key, bits, &why) == -1)
		return why;
	dkim_public_free(key);
	return refusal != NULL ? refusal : "";
}

static int
rsa_check(EVP_PKEY *pkey, const unsigned char *hash, struct bytes signature)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	int ok = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_verify(ctx, signature.p, signature.n, hash,
	    DKIM_HASH_SIZE) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

/* RFC 8463 3: PureEdDSA over the SHA-256 hash. */
static int
ed25519_check(EVP_PKEY *pkey, const unsigned char *hash,
    struct bytes signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	    EVP_DigestVerify(ctx, signature.p, signature.n, hash,
	    DKIM_HASH_SIZE) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}

int
dkim_public_check(const struct dkim_public *p,
    const unsigned char hash[DKIM_HASH_SIZE], struct bytes signature)
{
	return p->is_ed25519 ? ed25519_check(p->pkey, hash, signature)
	    : rsa_check(p->pkey, hash, signature);
}
