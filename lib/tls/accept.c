/*
 * accept.c - the handshake of one connection, and why it failed
 *
 * OpenSSL's error queue is per process: it is emptied before each call, so
 * that what is found in it afterwards belongs to this connection.
 */
#include "tls/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <openssl/err.h>

/* ---- callbacks ---- */

static int
refuse(struct tls *t, int *alert, int number, enum tls_reason reason)
{
	t->reason = reason;
	*alert = number;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* An address is no name (RFC 6066 3), though some clients send one. */
static struct bytes
name_asked_for(SSL *ssl)
{
	struct bytes name = bytes_str(SSL_get_servername(ssl,
	    TLSEXT_NAMETYPE_host_name));
	struct ip ip;

	return ip_parse(name, &ip) == 0 ? BYTES_EMPTY : name;
}

/* The certificates for the name the client gives (L-7, R-31). */
int
accept_name(SSL *ssl, int *alert, void *arg)
{
	struct tls *t = SSL_get_app_data(ssl);
	const struct tls_server *s = t->hs->server;
	struct bytes name = name_asked_for(ssl);
	const struct cert_group *g = NULL;

	(void)arg;
	t->named = name.n > 0;
	if (t->named) {
		g = certs_find(s->certs, name);
		t->name_unknown = g == NULL;
	}
	if (t->name_unknown && t->hs->listener != TLS_SMTP &&
	    !bytes_caseeq(name, bytes_str(s->hostname)))
		return refuse(t, alert, SSL_AD_UNRECOGNIZED_NAME,
		    TLS_REASON_UNKNOWN_NAME);
	if (g == NULL)
		g = s->host;
	if (g == NULL)
		return refuse(t, alert, SSL_AD_INTERNAL_ERROR,
		    TLS_REASON_NO_CERT);
	t->hs->group = g;
	if (g == s->host && s->host_set[t->hs->listener])
		return SSL_TLSEXT_ERR_OK;
	if (certs_use(g, ssl) == -1)
		return refuse(t, alert, SSL_AD_INTERNAL_ERROR,
		    TLS_REASON_INTERNAL);
	return SSL_TLSEXT_ERR_OK;
}

/* Our first choice that the client has (RFC 7301 3.2). */
int
accept_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned int inlen, void *arg)
{
	const struct handshake *hs =
	    ((struct tls *)SSL_get_app_data(ssl))->hs;
	struct bytes ours = bytes_of(hs->alpn, hs->alpn_size), a, b, theirs;
	int n;

	(void)arg;
	if (ours.n == 0)
		return SSL_TLSEXT_ERR_NOACK;
	while ((n = bytes_next(&ours)) > 0 && bytes_cut(&ours, (size_t)n, &a)) {
		theirs = bytes_of(in, inlen);
		while ((n = bytes_next(&theirs)) > 0 &&
		    bytes_cut(&theirs, (size_t)n, &b)) {
			if (bytes_eq(a, b)) {
				*out = b.p;
				*outlen = (unsigned char)b.n;
				return SSL_TLSEXT_ERR_OK;
			}
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* ---- why ---- */

static enum tls_result
handshake_failed(struct tls *t, int error, int err)
{
	if (t->reason == TLS_REASON_NONE)	/* else a callback said it */
		t->reason = tls_reason_take(error, err, &t->alert);
	return TLS_FAILED;
}

enum tls_reason
tls_failure(const struct tls *t)
{
	return t->reason;
}

int
tls_alert(const struct tls *t)
{
	return t->alert;
}

void
tls_names(const struct tls *t, bool *named, bool *unknown)
{
	*named = t->named;
	*unknown = t->name_unknown;
}

/* ---- the connection ---- */

void
handshake_free(struct tls *t)
{
	if (t->hs == NULL)
		return;
	tls_server_unref(t->hs->server);
	free(t->hs);
	t->hs = NULL;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	handshake_free(t);
	free(t);
}

static void
copy_alpn(struct handshake *hs, const struct tls_accept *a)
{
	size_t i;

	for (i = 0; i < a->nalpn; i++) {
		struct bytes s = a->alpn[i];

		if (s.n == 0 || s.n > 255 ||
		    hs->alpn_size + 1 + s.n > sizeof(hs->alpn))
			continue;
		hs->alpn[hs->alpn_size++] = (unsigned char)s.n;
		memcpy(hs->alpn + hs->alpn_size, s.p, s.n);
		hs->alpn_size += (unsigned int)s.n;
	}
}

struct tls *
tls_accept(struct tls_server *s, const struct tls_accept *a, int fd)
{
	struct tls *t = mem_zalloc(1, sizeof(*t));

	t->ssl = SSL_new(s->ctx[a->listener]);
	if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1) {
		ERR_clear_error();
		tls_free(t);
		errno = ENOMEM;
		return NULL;
	}
	t->hs = mem_zalloc(1, sizeof(*t->hs));
	t->hs->server = s;
	s->refs++;
	t->hs->listener = a->listener;
	copy_alpn(t->hs, a);
	SSL_set_app_data(t->ssl, t);
	if (a->client_cert && s->client_auth)
		SSL_set_verify(t->ssl, SSL_VERIFY_PEER, NULL);
	SSL_set_accept_state(t->ssl);
	return t;
}

enum tls_result
tls_handshake(struct tls *t)
{
	int r, error, err;

	ERR_clear_error();
	errno = 0;
	r = SSL_do_handshake(t->ssl);
	err = errno;
	if (r == 1) {
		t->ticket_due = t->hs->server->tickets[t->hs->listener] &&
		    SSL_version(t->ssl) >= TLS1_3_VERSION;
		return TLS_OK;
	}
	error = SSL_get_error(t->ssl, r);
	if (error == SSL_ERROR_WANT_READ)
		return TLS_WANT_READ;
	if (error == SSL_ERROR_WANT_WRITE)
		return TLS_WANT_WRITE;
	(void)handshake_failed(t, error, err);
	ERR_clear_error();
	return TLS_FAILED;
}
