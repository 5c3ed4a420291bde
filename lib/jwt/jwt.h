/*
 * jwt.h - signed tokens of an issuer (JWT, RFC 7519; JWS, RFC 7515)
 *
 * RS256, ES256 and EdDSA with Ed25519, checked against the issuer's public
 * keys (JWKS, RFC 7517). Other algorithms, "none" first of all, are refused;
 * so is a key used with another algorithm than its kind's. JSON is read with
 * lib/json, which is bounded and refuses a member given twice.
 */
#ifndef JWT_H
#define JWT_H

#include "base/base.h"

/* A JWKS file: issuers publish a handful of keys. What JSON_TEXT_MAX is. */
#define JWT_JWKS_MAX ((size_t)256 * 1024)
#define JWT_KEYS_MAX 64
/* A token: what fits into a SASL response. */
#define JWT_TOKEN_MAX 8192
#define JWT_RSA_BITS_MIN 2048
#define JWT_RSA_BITS_MAX 8192
/* Clocks differ (RFC 7519 4.1.4: "no more than a few minutes"). */
#define JWT_LEEWAY_SECONDS 60

struct jwt_keys;
/*
 * The keys that can be used; those of other kinds are left out. NULL with
 * EBADMSG and *why: not a JWKS, or no usable key in it.
 */
struct jwt_keys *jwt_keys_parse(struct bytes json, const char **why);
void jwt_keys_free(struct jwt_keys *k);
size_t jwt_keys_count(const struct jwt_keys *k);

/*
 * Where the fetched keys of an issuer are: a file JWT_DIR/HASH.json below the
 * directory of state, HASH being the issuer's SHA-256 in hex.
 */
#define JWT_DIR "jwks"
#define JWT_FILE_MAX 70		/* "HASH.json" with its NUL */
void jwt_keys_file(struct bytes issuer, char out[JWT_FILE_MAX]);
/* There, a FIFO: one byte asks who fetches to look for new keys. */
#define JWT_POKE "poke"

/* What is asked of a token; all must be there. */
struct jwt_policy {
	struct bytes issuer;		/* iss */
	struct bytes audience;		/* aud is it, or names it */
	struct bytes claim;		/* which claim is the result */
	int64_t now;			/* seconds since 1970 */
};

/*
 * Check signature, iss, aud, exp (required), nbf; *value becomes the claim's
 * text, in the arena. A claim "email" is refused when "email_verified" is
 * there and false. -1 with *why: EBADMSG not a token, EACCES refused, ENOKEY
 * there is no key of its algorithm and kid: the issuer may have a new one.
 */
int jwt_check(struct arena *a, const struct jwt_keys *keys,
    struct bytes token, const struct jwt_policy *policy, struct bytes *value,
    const char **why);

#endif
