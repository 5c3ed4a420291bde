/*
 * clientkey.c - ids of public keys, and new ones with their files
 */
#include "clientkey/clientkey.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "os/os.h"

/* PEM files people have hold a chain at most. */
#define PEM_MAX (64 * 1024)
#define LABEL_MAX 64		/* RFC 5280 ub-common-name */
#define CERTIFICATE_DAYS (100 * 365L)

static int
malformed(const char **why, const char *what)
{
	ERR_clear_error();
	*why = what;
	errno = EBADMSG;
	return -1;
}

static int
crypto_failed(void)
{
	ERR_clear_error();
	errno = EIO;
	return -1;
}

/* Nothing read here may ask on a terminal. */
static int
no_password(char *out, int size, int writing, void *ctx)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

/* The public key of a certificate, or a bare one; NULL: neither. */
static EVP_PKEY *
read_public(struct bytes pem)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = NULL;
	X509 *cert;

	if (in == NULL)
		return NULL;
	if ((cert = PEM_read_bio_X509(in, NULL, no_password, NULL)) != NULL) {
		key = X509_get_pubkey(cert);
		X509_free(cert);
	}
	BIO_free(in);
	if (key != NULL ||
	    (in = BIO_new_mem_buf(pem.p, (int)pem.n)) == NULL)
		return key;
	key = PEM_read_bio_PUBKEY(in, NULL, no_password, NULL);
	BIO_free(in);
	return key;
}

static const char *
problem_of(EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		return EVP_PKEY_get_bits(key) < CLIENTKEY_RSA_BITS_MIN
		    ? "RSA key under 2048 bits" : NULL;
	case EVP_PKEY_EC:
		return EVP_PKEY_get_bits(key) < 256
		    ? "ECDSA key under 256 bits" : NULL;
	case EVP_PKEY_ED25519:
		return NULL;
	default:
		return "not an RSA, ECDSA or Ed25519 key";
	}
}

int
clientkey_id(struct bytes pem, unsigned char id[CLIENTKEY_ID_BYTES],
    const char **why)
{
	EVP_PKEY *key;
	unsigned char *der = NULL;
	const char *problem;
	int n;

	if (pem.n > PEM_MAX)
		return malformed(why, "larger than 64 kB");
	if ((key = read_public(pem)) == NULL)
		return malformed(why,
		    "neither a certificate nor a public key in PEM");
	if ((problem = problem_of(key)) != NULL) {
		EVP_PKEY_free(key);
		return malformed(why, problem);
	}
	n = i2d_PUBKEY(key, &der);
	EVP_PKEY_free(key);
	if (n <= 0)
		return malformed(why, "a key that cannot be encoded");
	sha256_of(bytes_of(der, (size_t)n), id);
	OPENSSL_free(der);
	ERR_clear_error();
	return 0;
}

/* ---- making ---- */

static EVP_PKEY *
make_key(enum clientkey_type type)
{
	switch (type) {
	case CLIENTKEY_ECDSA:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	case CLIENTKEY_RSA:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	case CLIENTKEY_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
	return NULL;
}

/* Signed by itself; nobody reads its dates. */
static X509 *
make_certificate(EVP_PKEY *key, enum clientkey_type type, const char *label)
{
	X509 *cert = X509_new();
	X509_NAME *name;
	uint64_t serial;

	if (cert == NULL)
		return NULL;
	os_random(&serial, sizeof(serial));
	name = X509_get_subject_name(cert);
	if (X509_set_version(cert, 2) != 1 ||
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert),
	    serial >> 1 | 1) != 1 ||
	    X509_gmtime_adj(X509_getm_notBefore(cert), 0) == NULL ||
	    X509_time_adj_ex(X509_getm_notAfter(cert), CERTIFICATE_DAYS, 0,
	    NULL) == NULL ||
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)label, -1, -1, 0) != 1 ||
	    X509_set_issuer_name(cert, name) != 1 ||
	    X509_set_pubkey(cert, key) != 1 ||
	    X509_sign(cert, key, type == CLIENTKEY_ED25519 ? NULL
	    : EVP_sha256()) <= 0) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

/* What was written to a memory BIO, wiped there. */
static bool
take(BIO *from, struct buf *to)
{
	char *p = NULL;
	long n = BIO_get_mem_data(from, &p);
	bool good = n > 0 && buf_add(to, bytes_of(p, (size_t)n)) == 0;

	if (n > 0)
		secret_wipe(p, (size_t)n);
	return good;
}

static bool
write_files(EVP_PKEY *key, X509 *cert, PKCS12 *p12, struct buf *key_pem,
    struct buf *cert_pem, struct buf *p12_out)
{
	BIO *k = BIO_new(BIO_s_mem()), *c = BIO_new(BIO_s_mem());
	BIO *p = BIO_new(BIO_s_mem());
	bool good = k != NULL && c != NULL && p != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(k, key, NULL, NULL, 0, NULL,
	    NULL) == 1 && PEM_write_bio_X509(c, cert) == 1 &&
	    i2d_PKCS12_bio(p, p12) == 1 && take(k, key_pem) &&
	    take(c, cert_pem) && take(p, p12_out);

	BIO_free(k);
	BIO_free(c);
	BIO_free(p);
	return good;
}

int
clientkey_generate(enum clientkey_type type, const char *label,
    const char *password, struct buf *key_pem, struct buf *cert_pem,
    struct buf *p12)
{
	EVP_PKEY *key;
	X509 *cert = NULL;
	PKCS12 *bag = NULL;
	bool good = false;

	if (label[0] == '\0' || strlen(label) > LABEL_MAX) {
		errno = EINVAL;
		return -1;
	}
	key = make_key(type);
	if (key != NULL)
		cert = make_certificate(key, type, label);
	if (cert != NULL)
		bag = PKCS12_create(password, label, key, cert, NULL, 0, 0,
		    0, 0, 0);
	if (bag != NULL)
		good = write_files(key, cert, bag, key_pem, cert_pem, p12);
	PKCS12_free(bag);
	X509_free(cert);
	EVP_PKEY_free(key);
	return good ? 0 : crypto_failed();
}
