/*
 * client.c - the certificate we show to servers that ask for one
 *
 * Who knows clients by their public key (RFC 7250 in spirit, our own
 * submission service) needs no more than the key: around an Ed25519 key alone
 * a certificate is made that says nothing.
 */
#include "tlsc/internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define BARE_DAYS 30		/* it is made anew by each process */
#define CHAIN_LENGTH_MAX 10

/* Nobody is asked for a passphrase. */
static int
no_passphrase(char *p, int size, int writing, void *arg)
{
	(void)p;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static X509 *
make_cert(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = x == NULL ? NULL : X509_get_subject_name(x);

	if (name != NULL && X509_set_version(x, X509_VERSION_3) == 1 &&
	    ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(x), BARE_DAYS, 0,
	    NULL) != NULL && X509_set_pubkey(x, key) == 1 &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"client", -1, -1, 0) == 1 &&
	    X509_set_issuer_name(x, name) == 1 &&
	    X509_sign(x, key, NULL) > 0)
		return x;
	X509_free(x);
	return NULL;
}

static EVP_PKEY *
read_key(struct bytes pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	return key;
}

static int
use_chain(SSL_CTX *ctx, BIO *bio, const char **why)
{
	X509 *x;
	int n = 0;

	while ((x = PEM_read_bio_X509(bio, NULL, no_passphrase,
	    NULL)) != NULL) {
		if (++n > CHAIN_LENGTH_MAX ||
		    SSL_CTX_add0_chain_cert(ctx, x) != 1) {
			X509_free(x);
			*why = "the chain is too long";
			return -1;
		}
	}
	return 0;
}

/* With certificates in it the first is the client's; else one is made. */
static int
use_certs(SSL_CTX *ctx, struct bytes pem, EVP_PKEY *key, const char **why)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = bio == NULL ? NULL
	    : PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	int r = -1;

	*why = "there is a key without a certificate, and it is not an "
	    "Ed25519 key";
	if (x == NULL && EVP_PKEY_is_a(key, "ED25519"))
		x = make_cert(key);
	if (x != NULL) {
		*why = "the key is not that of the certificate";
		if (SSL_CTX_use_certificate(ctx, x) == 1 &&
		    SSL_CTX_use_PrivateKey(ctx, key) == 1)
			r = use_chain(ctx, bio, why);
	}
	X509_free(x);
	BIO_free(bio);
	return r;
}

int
client_use(SSL_CTX *ctx, struct bytes pem, const char **why)
{
	EVP_PKEY *key;
	int r;

	*why = "the file with the client's key is too large";
	if (pem.n > TLSC_CERT_MAX)
		return -1;
	*why = "there is no private key in PEM without a passphrase";
	if ((key = read_key(pem)) == NULL)
		return -1;
	ERR_clear_error();
	r = use_certs(ctx, pem, key, why);
	EVP_PKEY_free(key);
	return r;
}
