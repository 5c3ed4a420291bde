/* jwt_test.c - issuers' keys, tokens */
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
#include <openssl/x509.h>
#include <stdio.h>

#include "jwt/jwt.h"

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
		    "token of an unknown key" },
		/* a key too short is not taken, so it is not known */
		{ "{\"alg\":\"RS256\",\"kid\":\"small\"}", SMALL_RSA,
		    "token of an unknown key" },
		/* the kid of a key of another kind */
		{ "{\"alg\":\"EdDSA\",\"kid\":\"r\"}", R2048_KEY,
		    "token of an unknown key" },
		{ "{\"alg\":\"EdDSA\"}", R2048_KEY,
		    "wrong signature of token" },
		{ "{\"alg\":\"RS256\",\"kid\":7}", R2048_KEY, NULL },
		{ "{\"alg\":\"RS256\",\"alg\":\"none\"}", R2048_KEY,
		    "token header is not JSON" },
		{ "{\"alg\":\"None\"}", R2048_KEY,
		    "token of another algorithm" },
		{ "{\"alg\":\"\"}", R2048_KEY,
		    "token of another algorithm" },
		{ "{}", R2048_KEY, "token of another algorithm" },
		{ "{\"alg\":\"RS256\",\"crit\":[]}", R2048_KEY,
		    "token with critical extensions" },
		{ "{\"alg\":\"RS256\",\"crit\":null}", R2048_KEY,
		    "token with critical extensions" },
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
		if (cases[i].why == NULL)
			continue;
		assert_string_equal(why, cases[i].why);
		assert_int_equal(errno == ENOKEY,
		    strcmp(why, "token of an unknown key") == 0);
	}
	buf_free(&b);
}

/*
 * The classic confusion: HS256 with the issuer's public key, which everybody
 * has, as the secret. And "none" with an empty signature.
 */
static void
confusion(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"HS256\",\"kid\":\"r\"}",
		"{\"alg\":\"RS256\",\"kid\":\"r\"}",
	};
	static const char none[] = "{\"alg\":\"none\"}";
	struct buf b = BUF_INIT(10000);
	unsigned char *der = NULL, mac[32];
	unsigned int mac_size = sizeof(mac);
	const char *why;
	size_t i;
	int n = i2d_PUBKEY(keys[R2048_KEY], &der);

	(void)state;
	assert_true(n > 0);
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		buf_reset(&b);
		add64url(&b, headers[i], strlen(headers[i]));
		buf_addc(&b, '.');
		add64url(&b, good_body, strlen(good_body));
		assert_non_null(HMAC(EVP_sha256(), der, n, b.p, b.n, mac,
		    &mac_size));
		buf_addc(&b, '.');
		add64url(&b, mac, sizeof(mac));
		assert_int_equal(check(buf_bytes(&b), "email", &why), -1);
		assert_string_equal(why, i == 0 ? "token of another algorithm"
		    : "wrong signature of token");
	}
	OPENSSL_free(der);
	buf_reset(&b);
	add64url(&b, none, strlen(none));
	buf_addc(&b, '.');
	add64url(&b, good_body, strlen(good_body));
	buf_addc(&b, '.');
	assert_int_equal(check(buf_bytes(&b), "email", &why), -1);
	assert_string_equal(why, "token of another algorithm");
	buf_free(&b);
}

/* Known answer: SHA-256 of "https://login.example" (sha256sum). */
static void
files(void **state)
{
	char name[JWT_FILE_MAX];

	(void)state;
	jwt_keys_file(BYTES("https://login.example"), name);
	assert_string_equal(name, "ced4229bf4ad3faa114cd9e344f79886"
	    "fa2158efff049fd22b1e53d2b453177e.json");
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
		/* any way to write the number (RFC 7519 2) */
		{ "{" ISS AUD "\"exp\":18.000001e8," MAIL "}", "email",
		    NULL },
		{ "{" ISS AUD "\"exp\":1799999940.9," MAIL "}", "email",
		    "token expired" },
		/* at the largest date, one past, and far past */
		{ "{" ISS AUD "\"exp\":1099511627776," MAIL "}", "email",
		    NULL },
		{ "{" ISS AUD "\"exp\":1099511627777," MAIL "}", "email",
		    "token without expiry" },
		{ "{" ISS AUD "\"exp\":1099511627777.5," MAIL "}", "email",
		    "token without expiry" },
		{ "{" ISS AUD "\"exp\":1e300," MAIL "}", "email",
		    "token without expiry" },
		{ "{" ISS AUD "\"exp\":-1e300," MAIL "}", "email",
		    "token without expiry" },
		{ "{" ISS AUD "\"exp\":1e999," MAIL "}", "email",
		    "token is not JSON" },
		{ "{" ISS AUD "\"exp\":9223372036854775808," MAIL "}",
		    "email", "token is not JSON" },
		{ "{" ISS AUD "\"exp\":9223372036854775807," MAIL "}",
		    "email", "token without expiry" },
		{ "{" ISS AUD "\"exp\":0," MAIL "}", "email",
		    "token expired" },
		{ "{" ISS AUD "\"exp\":null," MAIL "}", "email",
		    "token without expiry" },
		{ "{" ISS AUD "\"exp\":true," MAIL "}", "email",
		    "token without expiry" },
		{ "{" ISS AUD "\"exp\":1800000100,\"nbf\":-1," MAIL "}",
		    "email", "wrong nbf in token" },
		{ "{" ISS AUD "\"exp\":1800000100,\"nbf\":0," MAIL "}",
		    "email", NULL },
		/* iat says how old it is: no rule is made from it */
		{ "{" ISS AUD "\"exp\":1800000100,\"iat\":1900000000," MAIL
		    "}", "email", NULL },
		{ "{" ISS AUD "\"exp\":1800000100,\"iat\":\"x\"," MAIL "}",
		    "email", NULL },
		{ "{" ISS AUD AUD "\"exp\":1800000100," MAIL "}", "email",
		    "token is not JSON" },
		{ "{" ISS "\"aud\":[],\"exp\":1800000100," MAIL "}",
		    "email", "token for another audience" },
		{ "{" ISS "\"aud\":[7,\"mailx\",\"Mail\"],\"exp\":"
		    "1800000100," MAIL "}", "email",
		    "token for another audience" },
		{ "{" ISS "\"aud\":{\"mail\":\"mail\"},\"exp\":1800000100,"
		    MAIL "}", "email", "token for another audience" },
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
		    "email", "token is not JSON" },
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
		{ "B-6 algorithms: RS256, ES256, EdDSA, no others",
		    algorithms, NULL, NULL, NULL },
		{ "B-6 claims: iss, aud, exp, nbf, the user", claims, NULL,
		    NULL, NULL },
		{ "B-6 HS256 with the public key as secret; none", confusion,
		    NULL, NULL, NULL },
		{ "B-6 the name of an issuer's file", files, NULL, NULL,
		    NULL },
		{ "B-6 a changed or cut token is never good",
		    damaged_tokens, NULL, NULL, NULL },
		{ "B-6 key sets without a usable key", key_sets, NULL, NULL,
		    NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
