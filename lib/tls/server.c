/* server.c - one context per listener, and what the configuration sets */
#include "tls/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include <openssl/err.h>

/*
 * Forward secrecy and authenticated encryption. CBC is for two: servers of
 * ten years ago, which would send in clear without it, and TLS before 1.2,
 * which has nothing else; both have it with SHA-1.
 */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define CIPHERS_SMTP CIPHERS ":ECDHE+AES+SHA1"
#define CIPHERS_OLD CIPHERS_SMTP ":@SECLEVEL=0"	/* for TLS 1.0 and 1.1 */
/* TLS 1.3: SHA-256, on which the rest of the handshake stands, is what
 * machines have in hardware; nothing here is stronger than 128 bits. */
#define SUITES "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:" \
	"TLS_AES_256_GCM_SHA384"
/* What clients send a key share for, so that no round trip is added. */
#define GROUPS "X25519:P-256:P-384"
#define CLIENT_CHAIN_MAX (32 * 1024)	/* bytes of client certificates */

static const char *const listener_names[TLS_LISTENERS] = {
	"smtp", "submission", "imap", "http",
};

const char *
tls_listener_name(enum tls_listener l)
{
	return listener_names[l];
}

int
tls_listener_find(struct bytes name, enum tls_listener *out)
{
	int i;

	for (i = 0; i < TLS_LISTENERS; i++) {
		if (bytes_eq(name, bytes_str(listener_names[i]))) {
			*out = (enum tls_listener)i;
			return 0;
		}
	}
	errno = ENOENT;
	return -1;
}

/* Any client certificate will do: only its public key is looked at. */
static int
accept_any(X509_STORE_CTX *store, void *arg)
{
	(void)store;
	(void)arg;
	return 1;
}

static int
version_of(struct bytes name)
{
	return bytes_eq(name, BYTES("1.0")) ? TLS1_VERSION
	    : bytes_eq(name, BYTES("1.1")) ? TLS1_1_VERSION
	    : bytes_eq(name, BYTES("1.3")) ? TLS1_3_VERSION : TLS1_2_VERSION;
}

static int
set_tickets(SSL_CTX *ctx, bool on)
{
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_timeout(ctx, TLS_TICKET_SECONDS);
	if (!on) {
		(void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		return SSL_CTX_set_num_tickets(ctx, 0);
	}
	/* In TLS 1.3 a client gets its ticket when it has said something
	 * (stream.c): those that only look who is there need none. */
	if (SSL_CTX_set_num_tickets(ctx, 0) != 1 ||
	    SSL_CTX_set_session_ticket_cb(ctx, describe_in_ticket,
	    tickets_decrypted, NULL) != 1)
		return 0;
	return (int)SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx,
	    tickets_callback);
}

static const char *
ciphers_for(enum tls_listener l, int min)
{
	return min < TLS1_2_VERSION ? CIPHERS_OLD
	    : l == TLS_SMTP ? CIPHERS_SMTP : CIPHERS;
}

/* Asking for it per connection where it is not costs two system calls, and
 * has the kernel look for a module if the superuser asks. */
static bool
kernel_has_tls(void)
{
	struct buf b = BUF_INIT(4096);
	struct bytes list, word;
	bool found = false;

	if (io_read_file(AT_FDCWD, "/proc/sys/net/ipv4/tcp_available_ulp",
	    &b) == 0) {
		list = bytes_rtrim(buf_bytes(&b));
		while (!found && bytes_word(&list, &word))
			found = bytes_eq(word, BYTES("tls"));
	}
	buf_free(&b);
	return found;
}

static SSL_CTX *
make_context(const struct tls_options *o, enum tls_listener l,
    const struct tls_tickets *tickets)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	const char *id = listener_names[l];
	int min = version_of(o->min_version);

	if (ctx == NULL)
		return NULL;
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
	    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
	    (o->kernel_tls && kernel_has_tls() ? SSL_OP_ENABLE_KTLS : 0));
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	    /* Files have whole chains; there is no store to look in. */
	    SSL_MODE_NO_AUTO_CHAIN);
	/* Or a stream of key updates would be read without a pause. */
	(void)SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_max_cert_list(ctx, CLIENT_CHAIN_MAX);
	SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
	SSL_CTX_set_app_data(ctx, (void *)(uintptr_t)tickets);
	(void)SSL_CTX_set_tlsext_servername_callback(ctx, accept_name);
	SSL_CTX_set_alpn_select_cb(ctx, accept_alpn, NULL);
	/* A ticket of one listener is not for another. */
	if (SSL_CTX_set_session_id_context(ctx, (const unsigned char *)id,
	    (unsigned int)strlen(id)) == 1 &&
	    SSL_CTX_set_min_proto_version(ctx, min) == 1 &&
	    SSL_CTX_set_cipher_list(ctx, ciphers_for(l, min)) == 1 &&
	    SSL_CTX_set_ciphersuites(ctx, SUITES) == 1 &&
	    SSL_CTX_set1_groups_list(ctx, GROUPS) == 1 &&
	    set_tickets(ctx, o->tickets[l]) == 1)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

struct tls_server *
tls_server_new(const struct tls_options *o, struct tls_certs *certs,
    const struct tls_tickets *tickets)
{
	struct tls_server *s = mem_zalloc(1, sizeof(*s));
	int l;

	s->refs = 1;
	s->certs = certs;
	s->hostname = mem_strdup(o->hostname);
	s->host = certs_find(certs, bytes_str(o->hostname));
	s->client_auth = o->client_auth;
	memcpy(s->tickets, o->tickets, sizeof(s->tickets));
	for (l = 0; l < TLS_LISTENERS; l++) {
		s->ctx[l] = make_context(o, (enum tls_listener)l, tickets);
		if (s->ctx[l] == NULL) {
			ERR_clear_error();
			tls_server_unref(s);
			errno = ENOMEM;
			return NULL;
		}
		/* What most ask for is set up once. If that fails, each
		 * handshake tries, and tells. */
		s->host_set[l] = s->host != NULL &&
		    certs_use_all(s->host, s->ctx[l]) == 0;
	}
	ERR_clear_error();
	return s;
}

void
tls_server_unref(struct tls_server *s)
{
	int l;

	if (s == NULL || --s->refs > 0)
		return;
	for (l = 0; l < TLS_LISTENERS; l++)
		SSL_CTX_free(s->ctx[l]);
	tls_certs_free(s->certs);
	free(s->hostname);
	free(s);
}
