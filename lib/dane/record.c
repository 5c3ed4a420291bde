/* record.c - TLSA records: bytes, text, what can be used, making them */
#include "dane/internal.h"

#include <errno.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define SHA512_BYTES 64

/* ---- bytes and text ---- */

int
dane_parse(struct bytes rdata, struct dane_record *out)
{
	struct bytes head;

	/* RFC 6698 2.1: three numbers, and data that is never empty. */
	if (rdata.n < 4 || !bytes_cut(&rdata, 3, &head)) {
		errno = EBADMSG;
		return -1;
	}
	*out = (struct dane_record){ head.p[0], head.p[1], head.p[2],
	    rdata };
	return 0;
}

int
dane_format(const struct dane_record *r, struct buf *out)
{
	unsigned char head[3] = { r->usage, r->selector, r->matching };

	if (r->data.n > DANE_DATA_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (buf_add(out, bytes_of(head, sizeof(head))) == -1)
		return -1;
	return buf_add(out, r->data);
}

static int
bad(const char **why, const char *text)
{
	*why = text;
	errno = EBADMSG;
	return -1;
}

static int
parse_hex(struct bytes text, struct arena *a, struct bytes *out,
    const char **why)
{
	struct buf data = BUF_INIT(DANE_DATA_MAX), digits = BUF_INIT(
	    2 * DANE_DATA_MAX);
	struct bytes word;
	int r = 0;

	/* Groups may end between the two digits of a byte. */
	while (r == 0 && bytes_word(&text, &word))
		r = buf_add(&digits, word);
	if (r == -1)
		*why = "the data is too long";
	else if (digits.n == 0)
		r = bad(why, "there is no data");
	else if ((r = hex_decode(&data, buf_bytes(&digits))) == -1)
		*why = "the data is not hexadecimal";
	else
		*out = arena_bytes(a, buf_bytes(&data));
	buf_free(&digits);
	buf_free(&data);
	if (r == -1)
		errno = EBADMSG;
	return r;
}

int
dane_parse_text(struct bytes text, struct arena *a, struct dane_record *out,
    const char **why)
{
	struct dane_record r = { .data = BYTES_EMPTY };
	unsigned char *const field[] = { &r.usage, &r.selector, &r.matching };
	struct bytes word;
	uint64_t v;
	size_t i;

	for (i = 0; i < 3; i++) {
		if (!bytes_word(&text, &word) ||
		    num_parse(word, 0, 255, &v) == -1)
			return bad(why, "usage, selector and matching type "
			    "are numbers up to 255");
		*field[i] = (unsigned char)v;
	}
	if (parse_hex(text, a, &r.data, why) == -1)
		return -1;
	*out = r;
	return 0;
}

int
dane_format_text(const struct dane_record *r, struct buf *out)
{
	if (buf_printf(out, "%u %u %u ", r->usage, r->selector,
	    r->matching) == -1)
		return -1;
	return hex_encode(out, r->data);
}

/* ---- what can be used ---- */

X509 *
dane_read_cert(struct bytes der)
{
	const unsigned char *p = der.p;
	X509 *x = NULL;

	if (der.n > 0 && der.n <= DANE_DATA_MAX)
		x = d2i_X509(NULL, &p, (long)der.n);
	if (x != NULL && p != der.p + der.n) {
		X509_free(x);
		x = NULL;
	}
	ERR_clear_error();
	return x;
}

static bool
is_spki(struct bytes der)
{
	const unsigned char *p = der.p;
	EVP_PKEY *key = NULL;

	if (der.n > 0 && der.n <= DANE_DATA_MAX)
		key = d2i_PUBKEY(NULL, &p, (long)der.n);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return key != NULL && p == der.p + der.n;
}

static bool
is_cert(struct bytes der)
{
	X509 *x = dane_read_cert(der);

	X509_free(x);
	return x != NULL;
}

static const char *
unusable(const struct dane_record *r)
{
	if (r->usage == DANE_PKIX_TA || r->usage == DANE_PKIX_EE)
		return "usages 0 and 1 are not for SMTP";
	if (r->usage != DANE_TA && r->usage != DANE_EE)
		return "unknown usage";
	if (r->selector != DANE_CERT && r->selector != DANE_SPKI)
		return "unknown selector";
	switch (r->matching) {
	case DANE_FULL:
		if (r->selector == DANE_CERT && !is_cert(r->data))
			return "the data is not a certificate";
		if (r->selector == DANE_SPKI && !is_spki(r->data))
			return "the data is not a public key";
		return NULL;
	case DANE_SHA256:
		return r->data.n == 32 ? NULL
		    : "a SHA-256 hash has 32 bytes";
	case DANE_SHA512:
		return r->data.n == SHA512_BYTES ? NULL
		    : "a SHA-512 hash has 64 bytes";
	default:
		return "unknown matching type";
	}
}

bool
dane_usable(const struct dane_record *r, const char **why)
{
	const char *text = unusable(r);

	if (text != NULL && why != NULL)
		*why = text;
	return text == NULL;
}

/* ---- making ---- */

bool
dane_spki(X509 *x, struct arena *a, struct bytes *out)
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

	if (n <= 0) {
		ERR_clear_error();
		return false;
	}
	*out = arena_bytes(a, bytes_of(der, (size_t)n));
	OPENSSL_free(der);
	return true;
}

bool
dane_association(unsigned char matching, struct bytes selected,
    struct arena *a, struct bytes *out)
{
	unsigned char hash[SHA512_BYTES];
	unsigned int n = 0;

	switch (matching) {
	case DANE_FULL:
		*out = selected;
		return true;
	case DANE_SHA256:
		sha256_of(selected, hash);
		n = 32;
		break;
	case DANE_SHA512:
		if (EVP_Digest(selected.p, selected.n, hash, &n,
		    EVP_sha512(), NULL) != 1) {
			ERR_clear_error();
			return false;
		}
		break;
	default:
		return false;
	}
	*out = arena_bytes(a, bytes_of(hash, n));
	return true;
}

static bool
cert_der(X509 *x, struct arena *a, struct bytes *out)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);

	if (n <= 0) {
		ERR_clear_error();
		return false;
	}
	*out = arena_bytes(a, bytes_of(der, (size_t)n));
	OPENSSL_free(der);
	return true;
}

/* Nobody is asked for the passphrase of a key. */
static int
no_passphrase(char *p, int size, int writing, void *arg)
{
	(void)p;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

int
dane_read_chain(struct bytes file, struct arena *a,
    struct bytes chain[DANE_CHAIN_MAX])
{
	BIO *bio = file.n == 0 || file.n > INT32_MAX ? NULL
	    : BIO_new_mem_buf(file.p, (int)file.n);
	int n = 0;
	X509 *x;

	errno = EBADMSG;
	while (bio != NULL && n != -1 && (x = PEM_read_bio_X509(bio, NULL,
	    no_passphrase, NULL)) != NULL) {
		if (n == DANE_CHAIN_MAX) {
			errno = EMSGSIZE;
			n = -1;
		} else if (cert_der(x, a, &chain[n])) {
			n++;
		}
		X509_free(x);
	}
	BIO_free(bio);
	ERR_clear_error();
	return n == 0 ? -1 : n;
}

static X509 *
read_cert_file(struct bytes file)
{
	BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
	X509 *x = NULL;

	if (bio != NULL)
		x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return x != NULL ? x : dane_read_cert(file);
}

static EVP_PKEY *
read_key_file(struct bytes file)
{
	BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
	EVP_PKEY *key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	if (bio != NULL && key == NULL && BIO_reset(bio) == 1)
		key = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static bool
select_key(EVP_PKEY *key, struct arena *a, struct bytes *out)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	if (n <= 0) {
		ERR_clear_error();
		return false;
	}
	*out = arena_bytes(a, bytes_of(der, (size_t)n));
	OPENSSL_free(der);
	return true;
}

static int
select_from(struct bytes file, unsigned char selector, struct arena *a,
    struct bytes *out, const char **why)
{
	X509 *x = read_cert_file(file);
	EVP_PKEY *key;
	bool ok;

	if (x != NULL) {
		ok = selector == DANE_SPKI ? dane_spki(x, a, out)
		    : cert_der(x, a, out);
		X509_free(x);
		return ok ? 0 : bad(why, "OpenSSL cannot write it");
	}
	key = read_key_file(file);
	if (key == NULL)
		return bad(why, "it holds no certificate and no key");
	ok = selector == DANE_SPKI && select_key(key, a, out);
	EVP_PKEY_free(key);
	return ok ? 0 : bad(why, "it holds a key and no certificate");
}

int
dane_make(struct bytes file, unsigned char usage, unsigned char selector,
    unsigned char matching, struct arena *a, struct dane_record *out,
    const char **why)
{
	struct dane_record r = { usage, selector, matching, BYTES_EMPTY };
	struct bytes selected;

	if (file.n == 0 || file.n > INT32_MAX)
		return bad(why, "it holds no certificate and no key");
	if (select_from(file, selector, a, &selected, why) == -1)
		return -1;
	if (!dane_association(matching, selected, a, &r.data))
		return bad(why, "unknown matching type");
	if (!dane_usable(&r, why)) {
		errno = EBADMSG;
		return -1;
	}
	*out = r;
	return 0;
}
