/* describe.c - what a handshake gave, as a preface */
#include "tls/internal.h"

#include <errno.h>

#include <openssl/err.h>

#define EXPORTER_LABEL "EXPORTER-Channel-Binding"

static const char *const version_names[TLS_VERSIONS] = {
	"TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3",
};

const char *
tls_version_name(enum tls_version v)
{
	return version_names[v];
}

static enum tls_version
version_of(const SSL *ssl)
{
	switch (SSL_version(ssl)) {
	case TLS1_VERSION:
		return TLS_1_0;
	case TLS1_1_VERSION:
		return TLS_1_1;
	case TLS1_2_VERSION:
		return TLS_1_2;
	default:
		return TLS_1_3;
	}
}

/*
 * RFC 9266 4.2: up to TLS 1.2 only with the extended master secret, or two
 * connections could be made to share it. The context is there and empty.
 */
static bool
has_exporter(SSL *ssl)
{
	return SSL_version(ssl) >= TLS1_3_VERSION ||
	    SSL_get_extms_support(ssl) == 1;
}

static void
describe_exporter(SSL *ssl, struct arena *a, struct preface *p)
{
	unsigned char out[PREFACE_HASH];

	if (!has_exporter(ssl))
		return;
	if (SSL_export_keying_material(ssl, out, sizeof(out), EXPORTER_LABEL,
	    sizeof(EXPORTER_LABEL) - 1, (const unsigned char *)"", 0, 1) == 1)
		p->exporter = arena_bytes(a, bytes_of(out, sizeof(out)));
}

/*
 * RFC 5929 3.1: the first Finished message of the handshake, which is the
 * client's unless a session goes on. Where there is no TLS 1.3; and with the
 * extended master secret only, as above.
 */
static void
describe_unique(SSL *ssl, struct arena *a, struct preface *p)
{
	unsigned char out[PREFACE_UNIQUE];
	size_t n;

	if (SSL_version(ssl) >= TLS1_3_VERSION ||
	    SSL_get_extms_support(ssl) != 1)
		return;
	n = SSL_session_reused(ssl) == 1
	    ? SSL_get_finished(ssl, out, sizeof(out))
	    : SSL_get_peer_finished(ssl, out, sizeof(out));
	if (n == sizeof(out))
		p->unique = arena_bytes(a, bytes_of(out, sizeof(out)));
}

/*
 * A session that is resumed shows no certificate: what counts is the one
 * that the client was shown when it began, by now perhaps of another type or
 * replaced. So the ticket holds the hash (RFC 5929 4.1).
 */
int
describe_in_ticket(SSL *ssl, void *arg)
{
	struct cert shown = { .leaf = SSL_get_certificate(ssl) };

	(void)arg;
	if (SSL_session_reused(ssl) == 1)
		return 1;	/* it is there already */
	certs_find_end_point(&shown);
	return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl),
	    shown.end_point, shown.end_point_size);
}

/* Of the certificate shown: it was made when that was loaded. */
static struct bytes
shown_end_point(const struct tls *t)
{
	const X509 *x = SSL_get_certificate(t->ssl);
	const struct cert *c;
	int i;

	for (i = 0; i < KEY_TYPES && t->hs->group != NULL; i++) {
		c = &t->hs->group->certs[i];
		if (c->leaf != NULL && c->leaf == x)
			return bytes_of(c->end_point, c->end_point_size);
	}
	return BYTES_EMPTY;
}

static struct bytes
end_point(const struct tls *t)
{
	struct bytes hash;
	void *kept = NULL;
	size_t n = 0;

	if (SSL_session_reused(t->ssl) != 1)
		return shown_end_point(t);
	if (SSL_SESSION_get0_ticket_appdata(SSL_get_session(t->ssl), &kept,
	    &n) != 1 || kept == NULL)
		return BYTES_EMPTY;
	hash = bytes_of(kept, n);
	return n >= PREFACE_END_POINT_MIN && n <= PREFACE_END_POINT_MAX ? hash
	    : BYTES_EMPTY;
}

int
tls_greeting(const struct tls *t)
{
	/* it may be logged in by its key */
	if (SSL_get0_peer_certificate(t->ssl) != NULL)
		return -1;
	return has_exporter(t->ssl) || end_point(t).n > 0 ? 1 : 0;
}

static int
describe_client(SSL *ssl, struct arena *a, struct preface *p)
{
	X509 *x = SSL_get0_peer_certificate(ssl);
	unsigned char *der = NULL, hash[PREFACE_HASH];
	int n;

	if (x == NULL)
		return 0;
	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	if (n <= 0) {
		errno = EBADMSG;
		return -1;
	}
	sha256_of(bytes_of(der, (size_t)n), hash);
	OPENSSL_free(der);
	p->client_cert = true;
	p->client_key = arena_bytes(a, bytes_of(hash, sizeof(hash)));
	return 0;
}

static void
describe_names(SSL *ssl, struct arena *a, struct preface *p)
{
	const unsigned char *alpn;
	unsigned int n;
	struct bytes name = bytes_str(SSL_get_servername(ssl,
	    TLSEXT_NAMETYPE_host_name));
	size_t i;

	SSL_get0_alpn_selected(ssl, &alpn, &n);
	p->alpn = arena_bytes(a, bytes_of(alpn, n));
	/* It comes from a stranger: a name is passed on, other bytes not. */
	for (i = 0; i < name.n; i++) {
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f)
			return;
	}
	if (name.n <= PREFACE_NAME_MAX)
		p->authority = arena_bytes(a, name);
}

void
tls_facts(const struct tls *t, struct tls_facts *f)
{
	f->version = version_of(t->ssl);
	f->resumed = SSL_session_reused(t->ssl) == 1;
	f->kernel = BIO_get_ktls_send(SSL_get_wbio(t->ssl)) == 1;
	f->named = t->named;
	f->name_unknown = t->name_unknown;
}

int
tls_describe(struct tls *t, struct arena *a, struct preface *p)
{
	SSL *ssl = t->ssl;
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	const char *name = SSL_CIPHER_standard_name(cipher);

	*p = (struct preface){ .tls = true, .end_point = BYTES_EMPTY,
	    .exporter = BYTES_EMPTY, .client_key = BYTES_EMPTY,
	    .unique = BYTES_EMPTY,
	    .authority = BYTES_EMPTY, .alpn = BYTES_EMPTY };
	ERR_clear_error();
	if (describe_client(ssl, a, p) == -1)
		return -1;
	p->version = bytes_str(version_names[version_of(ssl)]);
	p->cipher = bytes_str(name != NULL ? name
	    : SSL_CIPHER_get_name(cipher));
	describe_names(ssl, a, p);
	describe_exporter(ssl, a, p);
	p->end_point = arena_bytes(a, end_point(t));
	describe_unique(ssl, a, p);
	handshake_free(t);
	ERR_clear_error();
	return 0;
}
