/* key.c - private keys: files, generating, signing, the record to publish */
#include "dkim/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

/* Octets of a key file; an RSA key of 8192 bits has about 6400 in PEM. */
#define KEY_FILE_MAX 65536
#define ED25519_SIZE 32
/* One character-string of a TXT record (RFC 1035 3.3). */
#define TXT_STRING_MAX 255

struct dkim_key {
	EVP_PKEY *pkey;
	bool is_ed25519;
};

static struct dkim_key *
key_new(EVP_PKEY *pkey, const char **why)
{
	struct dkim_key *k;
	int type = EVP_PKEY_get_base_id(pkey);
	int bits = EVP_PKEY_get_bits(pkey);

	*why = NULL;
	if (type != EVP_PKEY_RSA && type != EVP_PKEY_ED25519)
		*why = "key is neither RSA nor Ed25519";
	else if (type == EVP_PKEY_RSA && bits < DKIM_RSA_BITS_MIN)
		*why = "RSA key under 1024 bits";
	else if (type == EVP_PKEY_RSA && bits > DKIM_RSA_BITS_MAX)
		*why = "RSA key over 8192 bits";
	if (*why != NULL) {
		EVP_PKEY_free(pkey);
		errno = EBADMSG;
		return NULL;
	}
	k = mem_alloc(sizeof *k);
	*k = (struct dkim_key){ pkey, type == EVP_PKEY_ED25519 };
	return k;
}

/* Never asks a person for a pass phrase. */
static int
no_passphrase(char *out, int size, int writing, void *ctx)
{
	(void)out;	/* an OpenSSL callback: nothing of it is used */
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static EVP_PKEY *
pem_key(struct bytes text)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	EVP_PKEY *pkey = NULL;

	if (bio != NULL)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return pkey;
}

/* The seed of RFC 8032 5.1.5 in base64 on the first line. */
static EVP_PKEY *
seed_key(struct bytes text)
{
	struct buf seed = BUF_INIT(ED25519_SIZE + 3);
	struct bytes line = BYTES_EMPTY;
	EVP_PKEY *pkey = NULL;

	(void)bytes_line(&text, &line);
	if (bytes_trim(text).n == 0 &&
	    base64_decode(&seed, bytes_trim(line)) == 0 &&
	    seed.n == ED25519_SIZE)
		pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
		    seed.p, seed.n);
	if (seed.p != NULL)
		secret_wipe(seed.p, seed.size);
	buf_free(&seed);
	return pkey;
}

struct dkim_key *
dkim_key_parse(struct bytes text, const char **why)
{
	EVP_PKEY *pkey = NULL;
	size_t at;

	if (text.n <= KEY_FILE_MAX) {
		if (bytes_find(text, BYTES("-----BEGIN "), &at))
			pkey = pem_key(text);
		else
			pkey = seed_key(text);
	}
	if (pkey == NULL) {
		*why = "not a private key in PEM without pass phrase, "
		    "nor an Ed25519 seed in base64";
		errno = EBADMSG;
		return NULL;
	}
	return key_new(pkey, why);
}

struct dkim_key *
dkim_key_open(const char *path, const char **why)
{
	struct buf text = BUF_INIT(KEY_FILE_MAX);
	struct dkim_key *k = NULL;
	int err;

	if (io_read_file(AT_FDCWD, path, &text) == 0)
		k = dkim_key_parse(buf_bytes(&text), why);
	else
		*why = strerrordesc_np(errno);
	err = errno;
	if (text.p != NULL)
		secret_wipe(text.p, text.size);
	buf_free(&text);
	errno = err;
	return k;
}

struct dkim_key *
dkim_key_generate(bool ed25519, unsigned int bits)
{
	EVP_PKEY *pkey;
	const char *why;

	if (!ed25519 &&
	    (bits < DKIM_RSA_BITS_MIN || bits > DKIM_RSA_BITS_MAX)) {
		errno = EINVAL;
		return NULL;
	}
	pkey = ed25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
	    : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
	if (pkey == NULL) {
		errno = EIO;
		return NULL;
	}
	return key_new(pkey, &why);
}

void
dkim_key_free(struct dkim_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);		/* wipes the numbers */
	free(k);
}

bool
dkim_key_is_ed25519(const struct dkim_key *k)
{
	return k->is_ed25519;
}

unsigned int
dkim_key_bits(const struct dkim_key *k)
{
	return k->is_ed25519 ? 256 : (unsigned int)EVP_PKEY_get_bits(k->pkey);
}

/* ---- signing ---- */

static int
rsa_sign(EVP_PKEY *pkey, const unsigned char *hash, unsigned char *out,
    size_t *n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	int ok = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_sign(ctx, out, n, hash, DKIM_HASH_SIZE) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static int
ed25519_sign(EVP_PKEY *pkey, const unsigned char *hash, unsigned char *out,
    size_t *n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	    EVP_DigestSign(ctx, out, n, hash, DKIM_HASH_SIZE) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}

int
dkim_key_sign(const struct dkim_key *k,
    const unsigned char hash[DKIM_HASH_SIZE], struct buf *out)
{
	unsigned char signature[DKIM_RSA_BITS_MAX / 8];
	size_t n = sizeof signature;
	int ok;

	if (k->is_ed25519)
		ok = ed25519_sign(k->pkey, hash, signature, &n);
	else
		ok = rsa_sign(k->pkey, hash, signature, &n);
	if (!ok) {
		errno = EIO;
		return -1;
	}
	return buf_add(out, bytes_of(signature, n));
}

/* ---- as text ---- */

int
dkim_key_format(struct buf *out, const struct dkim_key *k)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text;
	long n;
	int r = -1;

	errno = EIO;
	if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL,
	    NULL, 0, NULL, NULL) == 1) {
		n = BIO_get_mem_data(bio, &text);
		r = buf_add(out, bytes_of(text, (size_t)n));
	}
	BIO_free(bio);
	return r;
}

static int
add_rsa_public(struct buf *out, EVP_PKEY *pkey)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(pkey, &der), r;

	if (n <= 0) {
		errno = EIO;
		return -1;
	}
	r = base64_encode(out, bytes_of(der, (size_t)n));
	OPENSSL_free(der);
	return r;
}

static int
add_ed25519_public(struct buf *out, EVP_PKEY *pkey)
{
	unsigned char raw[ED25519_SIZE];
	size_t n = sizeof raw;

	if (EVP_PKEY_get_raw_public_key(pkey, raw, &n) != 1) {
		errno = EIO;
		return -1;
	}
	return base64_encode(out, bytes_of(raw, n));
}

int
dkim_key_format_record(struct buf *out, const struct dkim_key *k)
{
	if (buf_printf(out, "v=DKIM1; k=%s; p=",
	    k->is_ed25519 ? "ed25519" : "rsa") == -1)
		return -1;
	return k->is_ed25519 ? add_ed25519_public(out, k->pkey)
	    : add_rsa_public(out, k->pkey);
}

/* The owner name, final dot included. */
static int
add_owner(struct buf *out, struct bytes selector, struct bytes domain)
{
	struct arena a = ARENA_INIT;
	int r = -1;

	if (dkim_name_parse(&a, selector, &selector) == 0 &&
	    dkim_name_parse(&a, domain, &domain) == 0)
		r = buf_printf(out, "%.*s._domainkey.%.*s.",
		    BYTES_ARG(selector), BYTES_ARG(domain));
	arena_free(&a);
	return r;
}

int
dkim_record_format_zone(struct buf *out, struct bytes selector,
    struct bytes domain, struct bytes record)
{
	bool has_owner = domain.n > 0 || selector.n > 0;
	const char *sep = "";
	struct bytes part;

	if (has_owner && add_owner(out, selector, domain) == -1)
		return -1;
	if (has_owner)
		(void)buf_adds(out, " IN TXT ( ");
	while (record.n > 0) {
		part = bytes_first(record, TXT_STRING_MAX);
		record = bytes_from(record, part.n);
		(void)buf_printf(out, "%s\"", sep);
		(void)buf_add(out, part);
		(void)buf_addc(out, '"');
		sep = has_owner ? "\n\t" : " ";
	}
	return buf_adds(out, has_owner ? " )\n" : "\n");
}
