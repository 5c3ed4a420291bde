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
static void
describe_exporter(SSL *ssl, struct arena *a, struct preface *p)
{
	unsigned char out[PREFACE_HASH];

	if (SSL_version(ssl) < TLS1_3_VERSION &&
	    SSL_get_extms_support(ssl) != 1)
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
 * RFC 5929 4.1: the certificate under the hash of its signature, MD5 and
 * SHA-1 being replaced. Where the signature names no hash (Ed25519) there
 * is no such binding.
 */
static void
describe_end_point(SSL *ssl, struct arena *a, struct preface *p)
{
	X509 *x = SSL_get_certificate(ssl);
	unsigned char out[EVP_MAX_MD_SIZE];
	const EVP_MD *md;
	unsigned int n;
	int nid;

	if (x == NULL || X509_get_signature_info(x, &nid, NULL, NULL,
	    NULL) != 1)
		return;
	if (nid == NID_md5 || nid == NID_sha1)
		nid = NID_sha256;
	md = EVP_get_digestbynid(nid);
	if (md != NULL && X509_digest(x, md, out, &n) == 1 &&
	    n >= PREFACE_END_POINT_MIN && n <= PREFACE_END_POINT_MAX)
		p->end_point = arena_bytes(a, bytes_of(out, n));
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

int
tls_describe(const struct tls *t, struct arena *a, struct preface *p,
    struct tls_facts *f)
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
	f->version = version_of(ssl);
	f->resumed = SSL_session_reused(ssl) == 1;
	f->kernel = BIO_get_ktls_send(SSL_get_wbio(ssl)) == 1;
	f->named = t->named;
	f->name_unknown = t->name_unknown;
	p->version = bytes_str(version_names[f->version]);
	p->cipher = bytes_str(name != NULL ? name
	    : SSL_CIPHER_get_name(cipher));
	describe_names(ssl, a, p);
	describe_exporter(ssl, a, p);
	describe_end_point(ssl, a, p);
	describe_unique(ssl, a, p);
	ERR_clear_error();
	return 0;
}
