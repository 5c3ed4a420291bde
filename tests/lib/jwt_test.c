/* jwt_test.c - JSON, issuers' keys, tokens */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/ecdsa.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "jwt/jwt.h"

/* ---- JSON ---- */

static void
json_texts(void **state)
{
	/* want NULL: refused */
	static const struct {
		struct bytes in;
		const char *want;
	} cases[] = {
		{ BYTES("{}"), "{}" }, { BYTES(" [ ] "), "[]" },
		{ BYTES("{\"a\":[1,-2.5e+3,true,false,null],\"b\":{}}"),
		    "{\"a\":[1,-2.5e+3,true,false,null],\"b\":{}}" },
		{ BYTES("\"\\u00e9\\ud83d\\ude00\\n\\\"\\\\\\/\""),
		    "\"\xc3\xa9\xf0\x9f\x98\x80\\u000a\\\"\\\\/\"" },
		{ BYTES("0"), "0" }, { BYTES("\"\\u0000\""), "\"\\u0000\"" },
		{ BYTES(""), NULL }, { BYTES("{"), NULL },
		{ BYTES("{\"a\"}"), NULL }, { BYTES("{\"a\":}"), NULL },
		{ BYTES("{\"a\":1,}"), NULL }, { BYTES("[1,]"), NULL },
		{ BYTES("{\"a\":1,\"a\":2}"), NULL }, { BYTES("01"), NULL },
		{ BYTES("+1"), NULL }, { BYTES("1."), NULL },
		{ BYTES("1e"), NULL }, { BYTES(".5"), NULL },
		{ BYTES("nul"), NULL }, { BYTES("1 2"), NULL },
		{ BYTES("\"a"), NULL }, { BYTES("\"\n\""), NULL },
		{ BYTES("\"\\x\""), NULL }, { BYTES("\"\\ud800\""), NULL },
		{ BYTES("\"\\udc00\""), NULL }, { BYTES("\"\xff\""), NULL },
		{ BYTES("\"\\ud800\\u0041\""), NULL },
		{ BYTES("{a:1}"), NULL }, { BYTES("'a'"), NULL },
		{ BYTES("[1\0]"), NULL },
	};
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(1000);
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json *j = json_parse(&a, cases[i].in, &why);

		if (cases[i].want == NULL) {
			assert_null(j);
			assert_int_equal(errno, EBADMSG);
			assert_non_null(why);
			continue;
		}
		assert_non_null(j);
		buf_reset(&b);
		assert_int_equal(json_format(&b, j), 0);
		assert_int_equal(b.n, strlen(cases[i].want));
		assert_memory_equal(b.p, cases[i].want, b.n);
	}
	buf_free(&b);
	arena_free(&a);
}

static void
json_limits(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(100000);
	const char *why;
	int depth, i;

	(void)state;
	for (depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
		buf_reset(&b);
		for (i = 0; i < depth; i++)
			buf_addc(&b, '[');
		for (i = 0; i < depth; i++)
			buf_addc(&b, ']');
		assert_int_equal(json_parse(&a, buf_bytes(&b), &why) != NULL,
		    depth == JSON_DEPTH_MAX);
	}
	for (depth = 0; depth <= 1; depth++) {
		buf_reset(&b);
		buf_addc(&b, '[');
		for (i = 0; i < JSON_VALUES_MAX - 2 + depth; i++)
			buf_adds(&b, "0,");
		buf_adds(&b, "0]");
		assert_int_equal(json_parse(&a, buf_bytes(&b), &why) != NULL,
		    depth == 0);
	}
	buf_free(&b);
	arena_free(&a);
}

/* ---- tokens ---- */

enum { R2048_KEY, P256_KEY, ED_KEY, SMALL_RSA, KEYS };
static EVP_PKEY *keys[KEYS];
static struct jwt_keys *issuer;

static void
add64url(struct buf *b, const void *p, size_t n)
{
	base64url_encode(b, bytes_of(p, n));
}

static void
add_bn(struct buf *b, EVP_PKEY *k, const char *param)
{
	unsigned char raw[1024];
	BIGNUM *bn = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(k, param, &bn), 1);
	add64url(b, raw, (size_t)BN_bn2bin(bn, raw));
	BN_free(bn);
}

static int
make_keys(void **state)
{
	struct buf b = BUF_INIT(10000);
	unsigned char raw[100];
	size_t n;
	const char *why;

	(void)state;
	keys[R2048_KEY] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	keys[P256_KEY] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	keys[ED_KEY] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	keys[SMALL_RSA] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	buf_adds(&b, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"r\","
	    "\"use\":\"sig\",\"alg\":\"RS256\",\"n\":\"");
	add_bn(&b, keys[R2048_KEY], OSSL_PKEY_PARAM_RSA_N);
	buf_adds(&b, "\",\"e\":\"");
	add_bn(&b, keys[R2048_KEY], OSSL_PKEY_PARAM_RSA_E);
	buf_adds(&b, "\"},{\"kty\":\"RSA\",\"kid\":\"small\",\"n\":\"");
	add_bn(&b, keys[SMALL_RSA], OSSL_PKEY_PARAM_RSA_N);
	buf_adds(&b, "\",\"e\":\"AQAB\"},{\"kty\":\"oct\",\"k\":\"AAAA\"},"
	    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
	assert_int_equal(EVP_PKEY_get_octet_string_param(keys[P256_KEY],
	    OSSL_PKEY_PARAM_PUB_KEY, raw, sizeof(raw), &n), 1);
	assert_int_equal(n, 65);
	add64url(&b, raw + 1, 32);
	buf_adds(&b, "\",\"y\":\"");
	add64url(&b, raw + 33, 32);
	buf_adds(&b, "\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
	    "\"kid\":\"e\",\"x\":\"");
	n = sizeof(raw);
	EVP_PKEY_get_raw_public_key(keys[ED_KEY], raw, &n);
	add64url(&b, raw, n);
	/* a point that is not on the curve; an encryption key */
	buf_adds(&b, "\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
	memset(raw, 7, sizeof(raw));
	add64url(&b, raw, 32);
	buf_adds(&b, "\",\"y\":\"");
	add64url(&b, raw, 32);
	buf_adds(&b, "\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":"
	    "\"enc\",\"x\":\"");
	add64url(&b, raw, 32);
	buf_adds(&b, "\"}]}");
	issuer = jwt_keys_parse(buf_bytes(&b), &why);
	buf_free(&b);
	return issuer == NULL;
}

static int
free_keys(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < KEYS; i++)
		EVP_PKEY_free(keys[i]);
	jwt_keys_free(issuer);
	return 0;
}

static void
sign(struct buf *token, int key)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char sig[600], raw[64];
	const unsigned char *p = sig;
	size_t n = sizeof(sig);
	ECDSA_SIG *ec;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL,
	    key == ED_KEY ? NULL : EVP_sha256(), NULL, keys[key]), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &n, token->p, token->n), 1);
	EVP_MD_CTX_free(ctx);
	buf_addc(token, '.');
	if (key != P256_KEY) {
		add64url(token, sig, n);
		return;
	}
	ec = d2i_ECDSA_SIG(NULL, &p, (long)n);
	BN_bn2binpad(ECDSA_SIG_get0_r(ec), raw, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(ec), raw + 32, 32);
	ECDSA_SIG_free(ec);
	add64url(token, raw, 64);
}

#define NOW 1800000000

static int
check(struct bytes token, const char *claim, const char **why)
{
	struct jwt_policy p = { BYTES("https://issuer"), BYTES("mail"),
	    bytes_str(claim), NOW };
	struct arena a = ARENA_INIT;
	struct bytes value;
	int r = jwt_check(&a, issuer, token, &p, &value, why);

	if (r == 0) {
		assert_int_equal(value.n, 7);
		assert_memory_equal(value.p, "a@x.org", 7);
	}
	arena_free(&a);
	return r;
}

static void
make_token(struct buf *b, const char *header, const char *body, int key)
{
	buf_reset(b);
	add64url(b, header, strlen(header));
	buf_addc(b, '.');
	add64url(b, body, strlen(body));
	sign(b, key);
}

static const char good_body[] = "{\"iss\":\"https://issuer\",\"aud\":"
    "\"mail\",\"exp\":1800000100,\"email\":\"a@x.org\"}";

static void
algorithms(void **state)
{
	static const struct {
		const char *header;
		int key;
		const char *why;	/* NULL: good */
	} cases[] = {
		{ "{\"alg\":\"RS256\",\"kid\":\"r\"}", R2048_KEY, NULL },
		{ "{\"alg\":\"RS256\"}", R2048_KEY, NULL },
		{ "{\"alg\":\"ES256\",\"kid\":\"any: it has none\"}", P256_KEY,
		    NULL },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"e\"}", ED_KEY, NULL },
		{ "{\"alg\":\"RS256\",\"kid\":\"x\"}", R2048_KEY,
		    "wrong signature of token" },
		{ "{\"alg\":\"RS256\",\"kid\":\"small\"}", SMALL_RSA,
		    "wrong signature of token" },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"r\"}", R2048_KEY,
		    "wrong signature of token" },
		{ "{\"alg\":\"ES256\"}", R2048_KEY,
		    "wrong signature of token" },
		{ "{\"alg\":\"none\"}", R2048_KEY,
		    "token of another algorithm" },
		{ "{\"alg\":\"HS256\"}", R2048_KEY,
		    "token of another algorithm" },
		{ "{\"alg\":\"rs256\"}", R2048_KEY,
		    "token of another algorithm" },
		{ "{\"alg\":7}", R2048_KEY, "token of another algorithm" },
		{ "[]", R2048_KEY, "token of another algorithm" },
		{ "{\"alg\":\"RS256\",\"crit\":[\"b64\"]}", R2048_KEY,
		    "token with critical extensions" },
		{ "alg", R2048_KEY, "token header is not JSON" },
	};
	struct buf b = BUF_INIT(10000);
	const char *why;
	size_t i;

	(void)state;
	assert_int_equal(jwt_keys_count(issuer), 3);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_token(&b, cases[i].header, good_body, cases[i].key);
		assert_int_equal(check(buf_bytes(&b), "email", &why),
		    cases[i].why == NULL ? 0 : -1);
		if (cases[i].why != NULL)
			assert_string_equal(why, cases[i].why);
	}
	buf_free(&b);
}

static void
claims(void **state)
{
#define ISS "\"iss\":\"https://issuer\","
#define AUD "\"aud\":\"mail\","
#define MAIL "\"email\":\"a@x.org\""
	static const struct {
		const char *body, *claim, *why;
	} cases[] = {
		{ "{" ISS "\"aud\":[\"x\",\"mail\"],\"exp\":1800000001.5,"
		    MAIL "}", "email", NULL },
		{ "{" ISS AUD "\"exp\":1800000001,\"sub\":\"a@x.org\"}",
		    "sub", NULL },
		{ "{" ISS AUD "\"exp\":1800000001,\"email_verified\":true,"
		    MAIL "}", "email", NULL },
		/* within the leeway, and at its end */
		{ "{" ISS AUD "\"exp\":1799999941," MAIL "}", "email", NULL },
		{ "{" ISS AUD "\"exp\":1799999940," MAIL "}", "email",
		    "token expired" },
		{ "{" ISS AUD "\"exp\":1800000100,\"nbf\":1800000060," MAIL
		    "}", "email", NULL },
		{ "{" ISS AUD "\"exp\":1800000100,\"nbf\":1800000061," MAIL
		    "}", "email", "token not valid yet" },
		{ "{" ISS AUD "\"exp\":1800000100,\"nbf\":\"x\"," MAIL "}",
		    "email", "wrong nbf in token" },
		{ "{" ISS AUD MAIL "}", "email", "token without expiry" },
		{ "{" ISS AUD "\"exp\":\"1800000100\"," MAIL "}", "email",
		    "token without expiry" },
		{ "{" ISS AUD "\"exp\":18e8," MAIL "}", "email",
		    "token without expiry" },
		{ "{" ISS AUD "\"exp\":1800000100.0e3," MAIL "}", "email",
		    "token without expiry" },
		{ "{" ISS AUD "\"exp\":-1," MAIL "}", "email",
		    "token without expiry" },
		{ "{\"iss\":\"https://issuer/\"," AUD "\"exp\":1800000100,"
		    MAIL "}", "email", "token of another issuer" },
		{ "{" AUD "\"exp\":1800000100," MAIL "}", "email",
		    "token of another issuer" },
		{ "{" ISS "\"exp\":1800000100," MAIL "}", "email",
		    "token for another audience" },
		{ "{" ISS "\"aud\":[\"x\",[\"mail\"]],\"exp\":1800000100,"
		    MAIL "}", "email", "token for another audience" },
		{ "{" ISS AUD "\"exp\":1800000100}", "email",
		    "token names no user" },
		{ "{" ISS AUD "\"exp\":1800000100,\"email\":[]}", "email",
		    "token names no user" },
		{ "{" ISS AUD "\"exp\":1800000100,\"email\":\"a\\u0000\"}",
		    "email", "token names no user" },
		{ "{" ISS AUD "\"exp\":1800000100,\"email_verified\":false,"
		    MAIL "}", "email", "address in token not verified" },
		{ "{" ISS AUD "\"exp\":1800000100," MAIL "," MAIL "}",
		    "email", "token is not JSON" },
		{ "[]", "email", "token is not JSON" },
	};
	struct buf b = BUF_INIT(10000);
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_token(&b, "{\"alg\":\"EdDSA\"}", cases[i].body, ED_KEY);
		assert_int_equal(check(buf_bytes(&b), cases[i].claim, &why),
		    cases[i].why == NULL ? 0 : -1);
		if (cases[i].why != NULL)
			assert_string_equal(why, cases[i].why);
	}
	buf_free(&b);
}

/* Each byte changed, each length cut: never good. */
static void
damaged_tokens(void **state)
{
	struct buf b = BUF_INIT(JWT_TOKEN_MAX + 10);
	const char *why;
	unsigned char old;
	size_t i;

	(void)state;
	make_token(&b, "{\"alg\":\"EdDSA\"}", good_body, ED_KEY);
	assert_int_equal(check(buf_bytes(&b), "email", &why), 0);
	for (i = 0; i < b.n; i++) {
		assert_int_equal(check(bytes_of(b.p, i), "email", &why), -1);
		old = b.p[i];
		b.p[i] = old == 'A' ? 'B' : 'A';
		assert_int_equal(check(buf_bytes(&b), "email", &why), -1);
		b.p[i] = '=';
		assert_int_equal(check(buf_bytes(&b), "email", &why), -1);
		b.p[i] = old;
	}
	buf_adds(&b, ".AAAA");
	assert_int_equal(check(buf_bytes(&b), "email", &why), -1);
	while (b.n <= JWT_TOKEN_MAX)
		buf_addc(&b, 'A');
	assert_int_equal(check(buf_bytes(&b), "email", &why), -1);
	assert_string_equal(why, "not a signed token");
	buf_free(&b);
}

static void
key_sets(void **state)
{
	static const char *const cases[] = {
		"", "{}", "{\"keys\":{}}", "{\"keys\":[]}",
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
		"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
		    "\"AAAA\"}]}",
		"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":"
		    "\"AQAB\"}]}",
	};
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(jwt_keys_parse(bytes_str(cases[i]), &why));
		assert_int_equal(errno, EBADMSG);
		assert_non_null(why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "B-6 JSON, right and wrong", json_texts, NULL, NULL, NULL },
		{ "B-6 JSON at its limits and one past", json_limits, NULL,
		    NULL, NULL },
		{ "B-6 algorithms: RS256, ES256, EdDSA, no others",
		    algorithms, NULL, NULL, NULL },
		{ "B-6 claims: iss, aud, exp, nbf, the user", claims, NULL,
		    NULL, NULL },
		{ "B-6 a changed or cut token is never good",
		    damaged_tokens, NULL, NULL, NULL },
		{ "B-6 key sets without a usable key", key_sets, NULL, NULL,
		    NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
