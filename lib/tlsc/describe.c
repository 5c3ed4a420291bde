/* describe.c - what a handshake gave */
#include "tlsc/internal.h"

#include <openssl/err.h>

#define EXPORTER_LABEL "EXPORTER-Channel-Binding"
#define EXPORTER_BYTES 32	/* RFC 9266 2 */

/* RFC 9266 4.2: before TLS 1.3 only with the extended master secret. */
static void
describe_exporter(SSL *ssl, struct arena *a, struct tlsc_facts *f)
{
	unsigned char out[EXPORTER_BYTES];

	if (SSL_version(ssl) < TLS1_3_VERSION &&
	    SSL_get_extms_support(ssl) != 1)
		return;
	if (SSL_export_keying_material(ssl, out, sizeof(out), EXPORTER_LABEL,
	    sizeof(EXPORTER_LABEL) - 1, (const unsigned char *)"", 0, 1) == 1)
		f->exporter = arena_bytes(a, bytes_of(out, sizeof(out)));
}

/* RFC 5929 4.1, as the server computes it: see lib/tls. */
static void
describe_end_point(X509 *x, struct arena *a, struct tlsc_facts *f)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	const EVP_MD *md;
	unsigned int n;
	int nid;

	if (X509_get_signature_info(x, &nid, NULL, NULL, NULL) != 1)
		return;
	if (nid == NID_md5 || nid == NID_sha1)
		nid = NID_sha256;
	md = EVP_get_digestbynid(nid);
	if (md != NULL && X509_digest(x, md, out, &n) == 1)
		f->end_point = arena_bytes(a, bytes_of(out, n));
}

static void
describe_leaf(SSL *ssl, struct arena *a, struct tlsc_facts *f)
{
	X509 *x = SSL_get0_peer_certificate(ssl);
	unsigned char *der = NULL;
	int n;

	if (x == NULL)
		return;
	describe_end_point(x, a, f);
	n = i2d_X509(x, &der);
	if (n > 0) {
		f->leaf = arena_bytes(a, bytes_of(der, (size_t)n));
		OPENSSL_free(der);
	}
}

void
tlsc_describe(const struct tlsc *t, struct arena *a, struct tlsc_facts *f)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(t->ssl);
	const char *name = SSL_CIPHER_standard_name(cipher);

	*f = (struct tlsc_facts){
		.version = SSL_version(t->ssl) == TLS1_2_VERSION
		    ? TLS_1_2 : TLS_1_3,
		.cipher = name != NULL ? name : SSL_CIPHER_get_name(cipher),
		.kernel = BIO_get_ktls_send(SSL_get_wbio(t->ssl)) == 1,
		.client_cert = t->client_cert &&
		    SSL_get_certificate(t->ssl) != NULL,
		.verified = t->verified,
		.dane = t->verdict,
		.exporter = BYTES_EMPTY,
		.end_point = BYTES_EMPTY,
		.leaf = BYTES_EMPTY,
	};
	describe_exporter(t->ssl, a, f);
	describe_leaf(t->ssl, a, f);
	ERR_clear_error();
}
