/* internal.h - shared by the files of lib/tlsc */
#ifndef TLSC_INTERNAL_H
#define TLSC_INTERNAL_H

#include "tlsc/tlsc.h"

#include <openssl/ssl.h>

struct tlsc_ctx {
	SSL_CTX *ctx;
};

struct tlsc {
	SSL *ssl;
	int fd;
	struct tlsc_options o;
	struct tlsc_finding finding;
	unsigned int verified;
	struct dane_verdict verdict;
	bool refused;		/* by a check, not by TLS */
	bool client_cert;	/* ours was asked for */
};

/* 0; -1 with *why: the client's certificate and key for all connections. */
int client_use(SSL_CTX *ctx, struct bytes pem, const char **why);
/* For SSL_CTX_set_cert_verify_callback. */
int verify_chain(X509_STORE_CTX *store, void *arg);
/* What is to be checked of this connection; false: OpenSSL refuses. */
bool verify_set(struct tlsc *t);

#endif
