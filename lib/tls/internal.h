/* internal.h - shared by the files of lib/tls */
#ifndef TLS_INTERNAL_H
#define TLS_INTERNAL_H

#include "tls/tls.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

enum key_type { KEY_EC, KEY_RSA, KEY_ED25519, KEY_TYPES };

/* What is served for a NAME: a certificate per type of key. */
struct cert {
	X509 *leaf;
	EVP_PKEY *key;
	STACK_OF(X509) *chain;
};
struct cert_group {
	char *name;
	struct cert certs[KEY_TYPES];	/* leaf NULL: none */
};

/* As tls_certs_find. */
const struct cert_group *certs_find(const struct tls_certs *c,
    struct bytes name);
/* -1: OpenSSL refuses. */
int certs_use(const struct cert_group *g, SSL *ssl);

/* For SSL_CTX_set_tlsext_ticket_key_evp_cb; the context's application data
 * is the struct tls_tickets. */
int tickets_callback(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypting);

/* For SSL_CTX_set_session_ticket_cb: what tls_describe wants to know when
 * the session is resumed; and whether it may be. */
int describe_in_ticket(SSL *ssl, void *arg);
SSL_TICKET_RETURN tickets_decrypted(SSL *ssl, SSL_SESSION *session,
    const unsigned char *name, size_t name_size, SSL_TICKET_STATUS status,
    void *arg);

struct tls_server {
	SSL_CTX *ctx[TLS_LISTENERS];
	struct tls_certs *certs;
	char *hostname;
	bool client_auth;
	unsigned int refs;
};

/* Of a connection while it is being made. */
struct handshake {
	struct tls_server *server;
	enum tls_listener listener;
	unsigned char alpn[264];	/* as on the wire */
	unsigned int alpn_size;
};

struct tls {
	SSL *ssl;
	struct handshake *hs;	/* NULL once it is over */
	enum tls_reason reason;
	int alert;
	bool named, name_unknown;
};

/* Callbacks of the contexts, in accept.c. */
int accept_name(SSL *ssl, int *alert, void *arg);
int accept_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned int inlen, void *arg);

#endif
