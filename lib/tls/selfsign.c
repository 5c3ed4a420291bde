/* selfsign.c - a key and its own certificate, for test servers */
#include "tls/tls.h"

#include <errno.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define SERIAL_BYTES 16		/* random, so that no two are alike */
#define COMMON_NAME_MAX 64	/* RFC 5280 appendix A, ub-common-name */

static bool
is_name(struct bytes s)
{
	size_t i;

	if (s.n == 0 || s.n > 253 || s.p[0] == '.' || s.p[0] == '-')
		return false;
	(void)bytes_skip(&s, BYTES("*."));	/* may be there */
	for (i = 0; i < s.n; i++) {
		if (!ascii_is_alnum(s.p[i]) && s.p[i] != '-' &&
		    s.p[i] != '.' && s.p[i] != '_')
			return false;
	}
	return s.n > 0;
}

static bool
add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	if ((e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value)) == NULL)
		return false;
	ok = X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool
set_names(X509 *x, const char *name, bool is_ip, struct arena *a)
{
	X509_NAME *subject = X509_get_subject_name(x);

	if (strlen(name) <= COMMON_NAME_MAX &&
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0) != 1)
		return false;
	return X509_set_issuer_name(x, subject) == 1 &&
	    add_extension(x, NID_subject_alt_name,
	    arena_printf(a, "%s:%s", is_ip ? "IP" : "DNS", name));
}

static bool
set_serial(X509 *x)
{
	unsigned char random[SERIAL_BYTES];
	BIGNUM *n = NULL;
	bool ok;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return false;
	random[0] &= 0x7f;	/* positive, RFC 5280 4.1.2.2 */
	n = BN_bin2bn(random, sizeof(random), NULL);
	ok = n != NULL &&
	    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return ok;
}

static X509 *
make_cert(EVP_PKEY *key, const char *name, bool is_ip, unsigned int days,
    struct arena *a)
{
	X509 *x = X509_new();

	if (x != NULL && X509_set_version(x, X509_VERSION_3) == 1 &&
	    set_serial(x) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(x), (int)days, 0,
	    NULL) != NULL &&
	    X509_set_pubkey(x, key) == 1 && set_names(x, name, is_ip, a) &&
	    add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
	    add_extension(x, NID_key_usage, "critical,digitalSignature") &&
	    add_extension(x, NID_ext_key_usage, "serverAuth") &&
	    X509_sign(x, key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	return NULL;
}

static bool
write_pem(struct buf *out, EVP_PKEY *key, X509 *x)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *p;
	long n;
	bool ok;

	ok = bio != NULL &&
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL,
	    NULL) == 1 && PEM_write_bio_X509(bio, x) == 1;
	if (ok) {
		n = BIO_get_mem_data(bio, &p);
		ok = n > 0 && buf_add(out, bytes_of(p, (size_t)n)) == 0;
	}
	BIO_free(bio);
	return ok;
}

int
tls_self_signed(struct buf *out, struct bytes name, bool rsa,
    unsigned int days, const char **why)
{
	struct arena a = ARENA_INIT;
	EVP_PKEY *key = NULL;
	X509 *x = NULL;
	struct ip ip;
	bool is_ip = ip_parse(name, &ip) == 0, ok;

	*why = "it must be a DNS name or an IP address";
	errno = EINVAL;
	if (!is_ip && !is_name(name))
		return -1;
	*why = "the days are 1 to 36500";
	if (days == 0 || days > TLS_SELF_SIGNED_DAYS_MAX)
		return -1;
	key = rsa ? EVP_RSA_gen(TLS_RSA_BITS_MIN) : EVP_EC_gen("P-256");
	if (key != NULL)
		x = make_cert(key, arena_str(&a, name), is_ip, days, &a);
	ok = x != NULL && write_pem(out, key, x);
	X509_free(x);
	EVP_PKEY_free(key);
	arena_free(&a);
	ERR_clear_error();
	if (ok)
		return 0;
	*why = "OpenSSL cannot make it";
	errno = ENOMEM;
	return -1;
}
