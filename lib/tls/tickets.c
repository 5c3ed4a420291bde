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

/* The host name in a ClientHello as it stands there (RFC 6066 3). */
static struct bytes
name_in_hello(SSL *ssl)
{
	const unsigned char *p;
	struct bytes s, head;
	size_t n;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p,
	    &n) != 1)
		return BYTES_EMPTY;
	s = bytes_of(p, n);
	/* Length of the list, type 0, length of the name, the one name. */
	if (!bytes_cut(&s, 5, &head) || head.p[2] != 0)
		return BYTES_EMPTY;
	return bytes_first(s, (size_t)head.p[3] << 8 | head.p[4]);
}

/* RFC 6066 3: with another name a session must not be resumed; from TLS 1.3
 * on names do not belong to sessions (RFC 8446 4.2.11). */
static bool
same_name(SSL *ssl, const SSL_SESSION *session)
{
	return SSL_version(ssl) >= TLS1_3_VERSION ||
	    bytes_caseeq(bytes_str(SSL_SESSION_get0_hostname(session)),
	    name_in_hello(ssl));
}

SSL_TICKET_RETURN
tickets_decrypted(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
    size_t name_size, SSL_TICKET_STATUS status, void *arg)
{
	(void)name;
	(void)name_size;
	(void)arg;
	if ((status != SSL_TICKET_SUCCESS &&
	    status != SSL_TICKET_SUCCESS_RENEW) || !same_name(ssl, session))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE
	    : SSL_TICKET_RETURN_USE_RENEW;
}
