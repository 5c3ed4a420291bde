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
	/* tls-server-end-point (RFC 5929 4.1); 0: there is none. */
	unsigned char end_point[EVP_MAX_MD_SIZE];
	unsigned int end_point_size;
};
struct cert_group {
	char *name;
	struct cert certs[KEY_TYPES];	/* leaf NULL: none */
};

/* As tls_certs_find. */
const struct cert_group *certs_find(const struct tls_certs *c,
    struct bytes name);
/* In place of what its context has. -1: OpenSSL refuses. */
int certs_use(const struct cert_group *g, SSL *ssl);
/* For all connections of a context that has none yet. As certs_use. */
int certs_use_all(const struct cert_group *g, SSL_CTX *ctx);

/* For SSL_CTX_set_tlsext_ticket_key_evp_cb; the context's application data
 * is the struct tls_tickets. */
int tickets_callback(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypting);

/* For SSL_CTX_set_session_ticket_cb: what tls_describe wants to know when
 * the session is resumed; and whether it may be. */
/*
 * RFC 5929 4.1: the certificate under the hash of its signature, MD5 and
 * SHA-1 being replaced. Where the signature names no hash (Ed25519) there
 * is no such binding: size 0.
 */
void certs_find_end_point(struct cert *c);
int describe_in_ticket(SSL *ssl, void *arg);
SSL_TICKET_RETURN tickets_decrypted(SSL *ssl, SSL_SESSION *session,
    const unsigned char *name, size_t name_size, SSL_TICKET_STATUS status,
    void *arg);

struct tls_server {
	SSL_CTX *ctx[TLS_LISTENERS];
	struct tls_certs *certs;
	const struct cert_group *host;	/* the default; NULL: there is none */
	bool host_set[TLS_LISTENERS];	/* the context has it */
	char *hostname;
	bool client_auth;
	bool tickets[TLS_LISTENERS];
	unsigned int refs;
};

/* Of a connection while it is being made. */
struct handshake {
	struct tls_server *server;
	enum tls_listener listener;
	const struct cert_group *group;	/* chosen; the server's */
	unsigned char alpn[264];	/* as on the wire */
	unsigned int alpn_size;
};

struct tls {
	SSL *ssl;
	struct handshake *hs;	/* NULL once it is over and described */
	enum tls_reason reason;
	int alert;
	bool named, name_unknown;
	bool ticket_due;	/* of TLS 1.3, with the next record */
};
void handshake_free(struct tls *t);

/* Callbacks of the contexts, in accept.c. */
int accept_name(SSL *ssl, int *alert, void *arg);
int accept_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned int inlen, void *arg);

#endif
