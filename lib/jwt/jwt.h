/*
 * jwt.h - signed tokens of an issuer (JWT, RFC 7519; JWS, RFC 7515)
 *
 * RS256, ES256 and EdDSA with Ed25519, checked against the issuer's public
 * keys (JWKS, RFC 7517). Other algorithms, "none" first of all, are refused;
 * so is a key used with another algorithm than its kind's. The JSON reader
 * is bounded and refuses a member given twice.
 */
#ifndef JWT_H
#define JWT_H

#include "base/base.h"

/* A JWKS file: issuers publish a handful of keys. */
#define JWT_JWKS_MAX (256 * 1024)
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
 * there and false. -1 with *why: EBADMSG not a token, EACCES refused.
 */
int jwt_check(struct arena *a, const struct jwt_keys *keys,
    struct bytes token, const struct jwt_policy *policy, struct bytes *value,
    const char **why);

/* ---- JSON (RFC 8259) ---- */

#define JSON_DEPTH_MAX 32
#define JSON_VALUES_MAX 10000

enum json_type {
	JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING,
	JSON_ARRAY, JSON_OBJECT
};
struct json {
	enum json_type type;
	struct bytes name;		/* in an object */
	struct bytes text;		/* string decoded; number as written */
	struct json *first, *next;	/* of arrays and objects; siblings */
};
/* The whole of s as one value, in the arena. NULL EBADMSG with *why. */
struct json *json_parse(struct arena *a, struct bytes s, const char **why);
/* A member of an object; NULL: none, or no object. */
const struct json *json_member(const struct json *j, const char *name);
/* A member that is a string, else the empty slice. */
struct bytes json_string(const struct json *j, const char *name);
/* Append a value as JSON text; strings escaped. */
int json_format(struct buf *out, const struct json *j);
/* Append a string with quotes; bytes that are not UTF-8 become U+FFFD. */
int json_quote(struct buf *out, struct bytes s);

#endif
