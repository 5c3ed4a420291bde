/*
 * jwt.c - issuers' keys, and tokens checked against them
 */
#include "jwt/jwt.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/json.h"

enum alg { RS256, ES256, EDDSA, ALGS };
static const char *const alg_names[ALGS] = { "RS256", "ES256", "EdDSA" };

#define KID_MAX 256
#define ES256_BYTES 32		/* of each of r, s, x, y (RFC 7518 3.4) */
#define ED25519_BYTES 32

struct key {
	enum alg alg;
	size_t kid_bytes;	/* 0: it has none */
	unsigned char kid[KID_MAX];
	EVP_PKEY *key;
};

struct jwt_keys {
	size_t count;
	struct key key[JWT_KEYS_MAX];
};

static int
refuse(const char **why, int err, const char *what)
{
	*why = what;
	errno = err;
	return -1;
}

/* RFC 7515 2: base64url without padding; false: not that. */
static bool
decode64url(struct arena *a, struct bytes s, struct bytes *out)
{
	struct buf text = BUF_INIT(JWT_JWKS_MAX + 4);
	struct buf raw = BUF_INIT(JWT_JWKS_MAX);
	bool good;
	int c;

	while ((c = bytes_next(&s)) != -1) {
		/* what only the other alphabet has becomes wrong */
		(void)buf_addc(&text, c == '-' ? '+' : c == '_' ? '/'
		    : c == '+' || c == '/' || c == '=' ? '!' : c);
	}
	while (text.n % 4 != 0)
		(void)buf_addc(&text, '=');
	good = !text.full && base64_decode(&raw, buf_bytes(&text)) == 0;
	if (good)
		*out = arena_bytes(a, buf_bytes(&raw));
	buf_free(&text);
	buf_free(&raw);
	return good;
}

/* ---- keys ---- */

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *
rsa_key(struct bytes n, struct bytes e)
{
	OSSL_PARAM_BLD *build;
	BIGNUM *bn, *be;
	EVP_PKEY *key = NULL;

	if (n.n > JWT_RSA_BITS_MAX / 8 || e.n == 0 || e.n > 8)
		return NULL;
	build = OSSL_PARAM_BLD_new();
	bn = BN_bin2bn(n.p, (int)n.n, NULL);
	be = BN_bin2bn(e.p, (int)e.n, NULL);
	if (build != NULL && bn != NULL && be != NULL &&
	    BN_num_bits(bn) >= JWT_RSA_BITS_MIN && BN_is_odd(bn) &&
	    BN_is_odd(be) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, be) == 1)
		key = from_params("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(bn);
	BN_free(be);
	return key;
}

static EVP_PKEY *
ec_key(struct bytes x, struct bytes y)
{
	OSSL_PARAM_BLD *build;
	unsigned char point[1 + 2 * ES256_BYTES] = { 4 };
	EVP_PKEY *key = NULL;

	if (x.n != ES256_BYTES || y.n != ES256_BYTES)
		return NULL;
	memcpy(point + 1, x.p, x.n);
	memcpy(point + 1 + x.n, y.p, y.n);
	build = OSSL_PARAM_BLD_new();
	/* a point off the curve is refused by fromdata */
	if (build != NULL && OSSL_PARAM_BLD_push_utf8_string(build,
	    OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
	    point, sizeof(point)) == 1)
		key = from_params("EC", build);
	OSSL_PARAM_BLD_free(build);
	return key;
}

static bool
part(struct arena *a, const struct json *j, const char *name,
    struct bytes *out)
{
	struct bytes s = json_text(j, name);

	return s.n > 0 && decode64url(a, s, out) && out->n > 0;
}

/* One JWK; false: not of use here. */
static bool
take_key(struct arena *a, const struct json *j, struct key *k)
{
	struct bytes kty = json_text(j, "kty"), x, y;
	struct bytes crv = json_text(j, "crv"), kid = json_text(j, "kid");
	struct bytes use = json_text(j, "use"), alg = json_text(j, "alg");

	*k = (struct key){ .kid_bytes = kid.n };
	if (kid.n > KID_MAX || (use.n > 0 && !bytes_eq(use, BYTES("sig"))))
		return false;
	memcpy(k->kid, kid.p, kid.n);
	if (bytes_eq(kty, BYTES("RSA"))) {
		k->alg = RS256;
		if (part(a, j, "n", &x) && part(a, j, "e", &y))
			k->key = rsa_key(x, y);
	} else if (bytes_eq(kty, BYTES("EC"))) {
		k->alg = ES256;
		if (bytes_eq(crv, BYTES("P-256")) && part(a, j, "x", &x) &&
		    part(a, j, "y", &y))
			k->key = ec_key(x, y);
	} else if (bytes_eq(kty, BYTES("OKP"))) {
		k->alg = EDDSA;
		if (bytes_eq(crv, BYTES("Ed25519")) && part(a, j, "x", &x) &&
		    x.n == ED25519_BYTES)
			k->key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519,
			    NULL, x.p, x.n);
	}
	if (k->key != NULL && alg.n > 0 &&
	    !bytes_eq(alg, bytes_str(alg_names[k->alg]))) {
		EVP_PKEY_free(k->key);
		k->key = NULL;
	}
	return k->key != NULL;
}

struct jwt_keys *
jwt_keys_parse(struct bytes json, const char **why)
{
	struct jwt_keys *keys = mem_zalloc(1, sizeof(*keys));
	struct arena a = ARENA_INIT;
	const struct json *set = NULL, *j = NULL;

	*why = "larger than 256 kB";
	if (json.n <= JWT_JWKS_MAX)
		set = json_parse(&a, json, why);
	if (set != NULL) {
		*why = "no usable key";
		j = json_member(set, "keys");
	}
	for (j = j != NULL && j->kind == JSON_IS_ARRAY ? j->first : NULL;
	    j != NULL && keys->count < JWT_KEYS_MAX; j = j->next) {
		if (take_key(&a, j, &keys->key[keys->count]))
			keys->count++;
	}
	ERR_clear_error();
	arena_free(&a);
	if (keys->count > 0)
		return keys;
	free(keys);
	errno = EBADMSG;
	return NULL;
}

void
jwt_keys_free(struct jwt_keys *k)
{
	size_t i;

	if (k == NULL)
		return;
	for (i = 0; i < k->count; i++)
		EVP_PKEY_free(k->key[i].key);
	free(k);
}

size_t
jwt_keys_count(const struct jwt_keys *k)
{
	return k->count;
}

void
jwt_keys_file(struct bytes issuer, char out[JWT_FILE_MAX])
{
	unsigned char hash[32];
	size_t i;

	sha256_of(issuer, hash);
	for (i = 0; i < sizeof(hash); i++)	/* two digits and a NUL */
		(void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
	memcpy(out + 2 * sizeof(hash), ".json", sizeof(".json"));
}

/* ---- signatures ---- */

static bool
verify_with(const struct key *k, struct bytes text, struct bytes signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL,
	    k->alg == EDDSA ? NULL : EVP_sha256(), NULL, k->key) == 1 &&
	    EVP_DigestVerify(ctx, signature.p, signature.n, text.p,
	    text.n) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

/* RFC 7518 3.4: r and s as they are; libcrypto wants them in DER. */
static bool
verify_es256(const struct key *k, struct bytes text, struct bytes signature)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	unsigned char *der = NULL;
	BIGNUM *r, *s;
	bool good = false;
	int n;

	if (sig == NULL || signature.n != 2 * ES256_BYTES) {
		ECDSA_SIG_free(sig);
		return false;
	}
	r = BN_bin2bn(signature.p, ES256_BYTES, NULL);
	s = BN_bin2bn(signature.p + ES256_BYTES, ES256_BYTES, NULL);
	if (ECDSA_SIG_set0(sig, r, s) == 1) {
		n = i2d_ECDSA_SIG(sig, &der);
		good = n > 0 && verify_with(k, text,
		    bytes_of(der, (size_t)n));
		OPENSSL_free(der);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	return good;
}

/*
 * Whether some key of that algorithm, of that kid if one is named, signed
 * it. A key without kid stands for any. *tried: there was one to try.
 */
static bool
verify(const struct jwt_keys *keys, enum alg alg, struct bytes kid,
    struct bytes text, struct bytes signature, bool *tried)
{
	bool good = false;
	size_t i;

	*tried = false;
	for (i = 0; i < keys->count && !good; i++) {
		const struct key *k = &keys->key[i];

		if (k->alg != alg || (kid.n > 0 && k->kid_bytes > 0 &&
		    !bytes_eq(kid, bytes_of(k->kid, k->kid_bytes))))
			continue;
		*tried = true;
		good = alg == ES256 ? verify_es256(k, text, signature)
		    : verify_with(k, text, signature);
	}
	ERR_clear_error();
	return good;
}

/* ---- claims ---- */

/* A NumericDate (RFC 7519 2), its fraction left out; up to the year 36812. */
#define DATE_MAX (INT64_C(1) << 40)

static bool
numeric_date(const struct json *j, int64_t *out)
{
	if (j == NULL)
		return false;
	if (j->kind == JSON_IS_INTEGER && j->integer >= 0 &&
	    j->integer <= DATE_MAX) {
		*out = j->integer;
		return true;
	}
	if (j->kind == JSON_IS_REAL && j->real >= 0 &&
	    j->real <= (double)DATE_MAX) {
		*out = (int64_t)j->real;
		return true;
	}
	return false;
}

static bool
names_audience(const struct json *aud, struct bytes wanted)
{
	const struct json *j;

	if (aud == NULL)
		return false;
	if (aud->kind == JSON_IS_STRING)
		return bytes_eq(aud->text, wanted);
	for (j = aud->kind == JSON_IS_ARRAY ? aud->first : NULL; j != NULL;
	    j = j->next) {
		if (j->kind == JSON_IS_STRING && bytes_eq(j->text, wanted))
			return true;
	}
	return false;
}

static int
check_claims(struct arena *a, const struct json *claims,
    const struct jwt_policy *policy, struct bytes *value, const char **why)
{
	const struct json *nbf = json_member(claims, "nbf"), *verified;
	int64_t exp, from = 0;
	struct bytes text;

	if (!bytes_eq(json_text(claims, "iss"), policy->issuer))
		return refuse(why, EACCES, "token of another issuer");
	if (!names_audience(json_member(claims, "aud"), policy->audience))
		return refuse(why, EACCES, "token for another audience");
	if (!numeric_date(json_member(claims, "exp"), &exp))
		return refuse(why, EBADMSG, "token without expiry");
	if (policy->now >= exp + JWT_LEEWAY_SECONDS)
		return refuse(why, EACCES, "token expired");
	if (nbf != NULL && !numeric_date(nbf, &from))
		return refuse(why, EBADMSG, "wrong nbf in token");
	if (policy->now < from - JWT_LEEWAY_SECONDS)
		return refuse(why, EACCES, "token not valid yet");
	text = json_text(claims, (const char *)arena_str(a, policy->claim));
	if (text.n == 0 || bytes_has_nul(text))
		return refuse(why, EACCES, "token names no user");
	verified = json_member(claims, "email_verified");
	if (bytes_eq(policy->claim, BYTES("email")) && verified != NULL &&
	    verified->kind != JSON_IS_TRUE)
		return refuse(why, EACCES, "address in token not verified");
	*value = text;
	return 0;
}

int
jwt_check(struct arena *a, const struct jwt_keys *keys, struct bytes token,
    const struct jwt_policy *policy, struct bytes *value, const char **why)
{
	struct bytes rest = token, head64, body64, head, body, signature, name;
	const struct json *header, *claims;
	unsigned int alg;
	bool tried;

	*why = NULL;
	if (token.n > JWT_TOKEN_MAX || !bytes_split(&rest, '.', &head64) ||
	    !bytes_split(&rest, '.', &body64) ||
	    !decode64url(a, head64, &head) || !decode64url(a, body64, &body) ||
	    !decode64url(a, rest, &signature))
		return refuse(why, EBADMSG, "not a signed token");
	header = json_parse(a, head, why);
	if (header == NULL)
		return refuse(why, EBADMSG, "token header is not JSON");
	name = json_text(header, "alg");
	for (alg = 0; alg < ALGS; alg++) {
		if (bytes_eq(name, bytes_str(alg_names[alg])))
			break;
	}
	if (alg == ALGS)
		return refuse(why, EACCES, "token of another algorithm");
	if (json_member(header, "crit") != NULL)
		return refuse(why, EACCES, "token with critical extensions");
	if (!verify(keys, alg, json_text(header, "kid"),
	    bytes_first(token, head64.n + 1 + body64.n), signature, &tried))
		return refuse(why, tried ? EACCES : ENOKEY, tried
		    ? "wrong signature of token" : "token of an unknown key");
	claims = json_parse(a, body, why);
	if (claims == NULL || claims->kind != JSON_IS_OBJECT)
		return refuse(why, EBADMSG, "token is not JSON");
	return check_claims(a, claims, policy, value, why);
}
