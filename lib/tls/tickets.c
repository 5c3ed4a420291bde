/*
 * tickets.c - keys that protect session tickets (RFC 5077 4)
 *
 * From each period's key come the name in the ticket, the cipher key, the
 * MAC key, and the key of the next period, each a hash with another label.
 */
#include "tls/internal.h"

#include <openssl/core_names.h>

#include "os/os.h"

static void
derive(const unsigned char key[32], const char *label, unsigned char out[32])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, bytes_of(key, 32));
	sha256_add(&h, bytes_str(label));
	sha256_end(&h, out);
	secret_wipe(&h, sizeof(h));
}

void
tls_tickets_init(struct tls_tickets *t, int64_t now_seconds)
{
	t->period = now_seconds / TLS_TICKET_SECONDS;
	os_random(t->current, sizeof(t->current));
	/* Nothing was made with it, and nobody knows it. */
	os_random(t->previous, sizeof(t->previous));
}

void
tls_tickets_advance(struct tls_tickets *t, int64_t now_seconds)
{
	int64_t period = now_seconds / TLS_TICKET_SECONDS;

	while (t->period < period) {
		memcpy(t->previous, t->current, sizeof(t->previous));
		derive(t->previous, "next", t->current);
		t->period++;
	}
}

static int
set_keys(const unsigned char key[32], const unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypting)
{
	unsigned char k[32];
	char digest[] = "SHA256";
	OSSL_PARAM params[3];
	int ok;

	derive(key, "mac", k);
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k,
	    sizeof(k));
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
	    digest, 0);
	params[2] = OSSL_PARAM_construct_end();
	ok = EVP_MAC_CTX_set_params(mac, params);
	derive(key, "cipher", k);
	ok = ok == 1 && EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k,
	    iv, encrypting) == 1;
	secret_wipe(k, sizeof(k));
	return ok ? 0 : -1;
}

/* 1; 2: take it and give a new one; 0: not ours; -1. */
int
tickets_callback(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypting)
{
	const struct tls_tickets *t =
	    SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	unsigned char current[32], previous[32];

	derive(t->current, "name", current);
	if (encrypting) {
		memcpy(name, current, 16);
		os_random(iv, EVP_MAX_IV_LENGTH);
		return set_keys(t->current, iv, cipher, mac, 1) == 0 ? 1 : -1;
	}
	/* A ticket of TLS 1.3 is for one use (RFC 8446 C.4): a new one. */
	if (memcmp(name, current, 16) == 0)
		return set_keys(t->current, iv, cipher, mac, 0) == -1 ? -1
		    : SSL_version(ssl) >= TLS1_3_VERSION ? 2 : 1;
	derive(t->previous, "name", previous);
	if (memcmp(name, previous, 16) == 0)
		return set_keys(t->previous, iv, cipher, mac, 0) == 0 ? 2 : -1;
	return 0;
}
