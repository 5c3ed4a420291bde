/* context.c - what all connections of a process have in common */
#include "tlsc/internal.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/err.h>

/*
 * TLS 1.2: forward secrecy first, and what old servers have last: without
 * verification the alternative is no encryption at all.
 */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:DHE+AESGCM:DHE+AES:" \
	"RSA+AESGCM:RSA+AES:!aNULL:!PSK:!SRP"
#define GROUPS "X25519:P-256:P-384:P-521"
#define CHAIN_MAX (64 * 1024)	/* bytes of a server's certificates */

/* OpenSSL asks for the client's certificate when the server does. */
static int
note_asked(SSL *ssl, void *arg)
{
	struct tlsc *t = SSL_get_app_data(ssl);

	(void)arg;
	t->client_cert = true;
	return 1;
}

static bool
set_up(SSL_CTX *ctx)
{
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
	    SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_ENABLE_KTLS);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_max_cert_list(ctx, CHAIN_MAX);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify_chain, NULL);
	SSL_CTX_set_cert_cb(ctx, note_asked, NULL);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_cipher_list(ctx, CIPHERS) == 1 &&
	    SSL_CTX_set1_groups_list(ctx, GROUPS) == 1;
}

static int
load_roots(SSL_CTX *ctx, const struct tlsc_settings *s, const char **why)
{
	const char *dir = s->ca_dir;

	if (s->ca_file != NULL &&
	    SSL_CTX_load_verify_file(ctx, s->ca_file) != 1) {
		*why = "the file of roots cannot be read or holds none";
		return -1;
	}
	if (s->ca_file == NULL && dir == NULL)
		dir = TLSC_CA_DIR;
	if (dir != NULL && SSL_CTX_load_verify_dir(ctx, dir) != 1) {
		*why = "the directory of roots cannot be used";
		return -1;
	}
	return 0;
}

struct tlsc_ctx *
tlsc_ctx_new(const struct tlsc_settings *s, const char **why)
{
	struct tlsc_ctx *c = mem_zalloc(1, sizeof(*c));
	int err = ENOMEM;

	*why = "OpenSSL cannot be set up";
	ERR_clear_error();
	c->ctx = SSL_CTX_new(TLS_client_method());
	if (c->ctx != NULL && set_up(c->ctx)) {
		err = EBADMSG;
		if (load_roots(c->ctx, s, why) == 0 &&
		    (s->client.n == 0 ||
		    client_use(c->ctx, s->client, why) == 0))
			return c;
	}
	ERR_clear_error();
	tlsc_ctx_free(c);
	errno = err;
	return NULL;
}

void
tlsc_ctx_free(struct tlsc_ctx *c)
{
	if (c == NULL)
		return;
	SSL_CTX_free(c->ctx);
	free(c);
}
