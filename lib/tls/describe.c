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

static struct bytes
end_point(const struct tls *t)
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

unsigned int
tls_greeting(const struct tls *t)
{
	bool bound = has_exporter(t->ssl) || end_point(t).n > 0;
	bool key = SSL_get0_peer_certificate(t->ssl) != NULL;

	return (bound ? 1 : 0) + (key ? 2 : 0);
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
	handshake_free(t);
	ERR_clear_error();
	return 0;
}
