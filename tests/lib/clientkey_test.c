/* clientkey_test.c - ids of public keys, new keys */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "clientkey/clientkey.h"

/*
 * A P-256 key made once, and what
 *	openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64
 * says of it.
 */
static const char public_key[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEP1zQxTNon2TzU7zVsOGl7qMCEzuv\n"
    "gF+PLn3tPzfo2dTOVtXvMrWN2HUTl6GaW6dCiYx8miRVe6v4ZuWLoNN+Yw==\n"
    "-----END PUBLIC KEY-----\n";
static const char public_id[] = "LzIcNkE6CbVodShd3RcCqkTSz3IiJeFQQK2mStxf7FI";

static void
known_id(void **state)
{
	unsigned char id[CLIENTKEY_ID_BYTES], again[CLIENTKEY_ID_BYTES];
	char text[CLIENTKEY_ID_CHARS + 1];
	const char *why;
	size_t i;

	(void)state;
	assert_int_equal(clientkey_id(bytes_str(public_key), id, &why), 0);
	clientkey_id_format(id, text);
	assert_string_equal(text, public_id);
	assert_int_equal(clientkey_id_parse(bytes_str(text), again), 0);
	assert_memory_equal(id, again, sizeof(id));
	for (i = 0; i < CLIENTKEY_ID_CHARS; i++) {
		assert_int_equal(clientkey_id_parse(bytes_of(text, i), again),
		    -1);
		assert_int_equal(errno, EBADMSG);
	}
	text[5] = '+';		/* of the other alphabet */
	assert_int_equal(clientkey_id_parse(bytes_str(text), again), -1);
	text[5] = '\n';
	assert_int_equal(clientkey_id_parse(bytes_str(text), again), -1);
}

static void
generated(void **state)
{
	static const enum clientkey_type types[] = {
		CLIENTKEY_ECDSA, CLIENTKEY_RSA, CLIENTKEY_ED25519,
	};
	unsigned char from_cert[CLIENTKEY_ID_BYTES];
	unsigned char from_p12[CLIENTKEY_ID_BYTES];
	const unsigned char *p;
	unsigned char *der;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct buf key = BUF_INIT(CLIENTKEY_FILE_MAX);
		struct buf cert = BUF_INIT(CLIENTKEY_FILE_MAX);
		struct buf p12 = BUF_INIT(CLIENTKEY_FILE_MAX);
		PKCS12 *bag;
		EVP_PKEY *k = NULL;
		X509 *c = NULL;
		int n;

		assert_int_equal(clientkey_generate(types[i],
		    "T\xc3\xa9l\xc3\xa9phone", "secret", &key, &cert, &p12),
		    0);
		assert_int_equal(clientkey_id(buf_bytes(&cert), from_cert,
		    &why), 0);
		/* A private key is not what is added. */
		assert_int_equal(clientkey_id(buf_bytes(&key), from_p12,
		    &why), -1);
		p = p12.p;
		bag = d2i_PKCS12(NULL, &p, (long)p12.n);
		assert_non_null(bag);
		assert_int_equal(PKCS12_parse(bag, "wrong", &k, &c, NULL), 0);
		assert_int_equal(PKCS12_parse(bag, "secret", &k, &c, NULL),
		    1);
		der = NULL;
		n = i2d_PUBKEY(k, &der);
		sha256_of(bytes_of(der, (size_t)n), from_p12);
		assert_memory_equal(from_cert, from_p12, 32);
		OPENSSL_free(der);
		EVP_PKEY_free(k);
		X509_free(c);
		PKCS12_free(bag);
		buf_free(&key);
		buf_free(&cert);
		buf_free(&p12);
	}
}

static void
refused_keys(void **state)
{
	unsigned char id[CLIENTKEY_ID_BYTES];
	struct buf big = BUF_INIT(70000);
	const char *why;
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	long n;

	(void)state;
	assert_int_equal(PEM_write_bio_PUBKEY(b, key), 1);
	n = BIO_get_mem_data(b, &p);
	assert_int_equal(clientkey_id(bytes_of(p, (size_t)n), id, &why), -1);
	assert_string_equal(why, "RSA key under 2048 bits");
	BIO_free(b);
	EVP_PKEY_free(key);
	key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	b = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PUBKEY(b, key), 1);
	n = BIO_get_mem_data(b, &p);
	assert_int_equal(clientkey_id(bytes_of(p, (size_t)n), id, &why), -1);
	assert_string_equal(why, "not an RSA, ECDSA or Ed25519 key");
	BIO_free(b);
	EVP_PKEY_free(key);
	assert_int_equal(clientkey_id(BYTES("nonsense"), id, &why), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(clientkey_id(BYTES_EMPTY, id, &why), -1);
	while (big.n <= 65536)
		buf_adds(&big, public_key);
	assert_int_equal(clientkey_id(buf_bytes(&big), id, &why), -1);
	assert_string_equal(why, "larger than 64 kB");
	buf_free(&big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "U-8 id of a known key", known_id, NULL, NULL, NULL },
		{ "U-9 new key, certificate and PKCS #12 belong together",
		    generated, NULL, NULL, NULL },
		{ "U-8 keys that are refused", refused_keys, NULL, NULL,
		    NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
