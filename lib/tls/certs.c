/*
 * certs.c - certificate files, and which one is for a name
 *
 * Groups are kept in the order they came; names, of files and out of
 * certificates, are sorted once and searched by halves.
 */
#include "tls/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define NAME_MAX_BYTES 255	/* of a DNS name */

enum rank { RANK_FILE, RANK_CERT };

struct name {
	char *text;		/* lower case; may begin with "*." */
	struct cert_group *group;
	enum rank rank;
	size_t order;
};

struct tls_certs {
	struct cert_group **groups;
	size_t ngroups;
	struct name *names;
	size_t nnames, size;
};

struct tls_certs *
tls_certs_new(void)
{
	return mem_zalloc(1, sizeof(struct tls_certs));
}

static void
group_free(struct cert_group *g)
{
	int t;

	for (t = 0; t < KEY_TYPES; t++) {
		X509_free(g->certs[t].leaf);
		EVP_PKEY_free(g->certs[t].key);
		sk_X509_pop_free(g->certs[t].chain, X509_free);
	}
	free(g->name);
	free(g);
}

void
tls_certs_free(struct tls_certs *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < c->nnames; i++)
		free(c->names[i].text);
	for (i = 0; i < c->ngroups; i++)
		group_free(c->groups[i]);
	free(c->names);
	free(c->groups);
	free(c);
}

size_t
tls_certs_count(const struct tls_certs *c)
{
	return c->ngroups;
}

static int
bad(const char **why, const char *text)
{
	ERR_clear_error();
	*why = text;
	errno = EBADMSG;
	return -1;
}

/* ---- names ---- */

static bool
is_dns_name(struct bytes s)
{
	size_t i;

	(void)bytes_skip(&s, BYTES("*."));	/* may be there */
	if (s.n == 0 || s.n > NAME_MAX_BYTES)
		return false;
	for (i = 0; i < s.n; i++) {
		if (!ascii_is_alnum(s.p[i]) && s.p[i] != '-' &&
		    s.p[i] != '_' && s.p[i] != '.')
			return false;
	}
	return bytes_at(s, 0) != '.';
}

static char *
lower(struct bytes s)
{
	char *p = mem_alloc(s.n + 1);
	size_t i;

	for (i = 0; i < s.n; i++)
		p[i] = (char)ascii_lower(s.p[i]);
	p[s.n] = '\0';
	return p;
}

static void
add_name(struct tls_certs *c, struct bytes name, struct cert_group *g,
    enum rank rank)
{
	if (c->nnames == c->size) {
		c->size = c->size == 0 ? 16 : c->size * 2;
		c->names = mem_realloc(c->names, c->size * sizeof(*c->names));
	}
	c->names[c->nnames] = (struct name){ lower(name), g, rank, c->nnames };
	c->nnames++;
}

static int
compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int r = strcmp(x->text, y->text);

	if (r != 0)
		return r;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

void
tls_certs_seal(struct tls_certs *c)
{
	if (c->nnames > 0)
		qsort(c->names, c->nnames, sizeof(*c->names), compare_names);
}

/* The first of the entries for text. */
static const struct name *
search(const struct tls_certs *c, struct bytes text)
{
	size_t low = 0, high = c->nnames, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (bytes_cmp(bytes_str(c->names[mid].text), text) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == c->nnames ||
	    !bytes_eq(bytes_str(c->names[low].text), text))
		return NULL;
	return &c->names[low];
}

const struct cert_group *
certs_find(const struct tls_certs *c, struct bytes name)
{
	unsigned char text[NAME_MAX_BYTES + 1];
	const struct name *exact, *wild = NULL;
	size_t i, dot;

	if (name.n > 1 && bytes_ends(name, BYTES(".")))
		name = bytes_first(name, name.n - 1);
	if (!is_dns_name(name) || bytes_at(name, 0) == '*')
		return NULL;
	for (i = 0; i < name.n; i++)
		text[i] = (unsigned char)ascii_lower(name.p[i]);
	exact = search(c, bytes_of(text, name.n));
	if (exact != NULL && exact->rank == RANK_FILE)
		return exact->group;
	if (bytes_chr(bytes_of(text, name.n), '.', &dot) && dot > 0) {
		text[dot - 1] = '*';
		wild = search(c, bytes_of(text + dot - 1, name.n - dot + 1));
	}
	/* A certificate with this very name before a file for its like. */
	if (exact != NULL)
		return exact->group;
	return wild == NULL ? NULL : wild->group;
}

const char *
tls_certs_find(const struct tls_certs *c, struct bytes name)
{
	const struct cert_group *g = certs_find(c, name);

	return g == NULL ? NULL : g->name;
}

/* ---- files ---- */

/* The NAME of a file, and the type of key it tells, if it does. */
static int
parse_file_name(struct bytes file, struct bytes *name, int *type)
{
	static const char *const types[KEY_TYPES] = {
		".ecdsa", ".rsa", ".ed25519",
	};
	int t;

	*type = -1;
	if (!bytes_ends(file, BYTES(".pem")))
		return -1;
	*name = bytes_first(file, file.n - 4);
	for (t = 0; t < KEY_TYPES; t++) {
		if (bytes_ends(*name, bytes_str(types[t]))) {
			*name = bytes_first(*name,
			    name->n - strlen(types[t]));
			*type = t;
			break;
		}
	}
	return is_dns_name(*name) ? 0 : -1;
}

static int
no_password(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static EVP_PKEY *
read_key(struct bytes pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	return key;
}

/* The certificates of the file in order: leaf and chain. */
static int
read_certs(struct bytes pem, struct cert *cert, const char **why)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = NULL;
	int n = 0;

	cert->chain = sk_X509_new_null();
	if (bio == NULL || cert->chain == NULL) {
		BIO_free(bio);
		return bad(why, "out of memory");
	}
	while (n <= TLS_CHAIN_MAX &&
	    (x = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
		if (n++ == 0)
			cert->leaf = x;
		else if (sk_X509_push(cert->chain, x) == 0)
			X509_free(x);
	}
	BIO_free(bio);
	if (n == 0)
		return bad(why, "it holds no certificate");
	if (n > TLS_CHAIN_MAX)
		return bad(why, "it holds too many certificates");
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return bad(why, "a certificate in it is damaged");
	ERR_clear_error();
	return 0;
}

static int
type_of(EVP_PKEY *key, int *type, const char **why)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
		*type = KEY_EC;
		return 0;
	case EVP_PKEY_ED25519:
		*type = KEY_ED25519;
		return 0;
	case EVP_PKEY_RSA:
		*type = KEY_RSA;
		if (EVP_PKEY_get_bits(key) < TLS_RSA_BITS_MIN)
			return bad(why, "its RSA key has less than 2048 bits");
		return 0;
	default:
		return bad(why, "its key is not of type EC, RSA or Ed25519");
	}
}

void
certs_find_end_point(struct cert *c)
{
	const EVP_MD *md;
	unsigned int n;
	int nid;

	c->end_point_size = 0;
	if (c->leaf == NULL ||
	    X509_get_signature_info(c->leaf, &nid, NULL, NULL, NULL) != 1)
		return;
	if (nid == NID_md5 || nid == NID_sha1)
		nid = NID_sha256;
	md = EVP_get_digestbynid(nid);
	if (md != NULL && X509_digest(c->leaf, md, c->end_point, &n) == 1 &&
	    n >= PREFACE_END_POINT_MIN && n <= PREFACE_END_POINT_MAX)
		c->end_point_size = n;
}

static int
read_file(struct bytes pem, struct cert *cert, int *type, const char **why)
{
	if (pem.n > TLS_CERT_FILE_MAX)
		return bad(why, "it is too long");
	cert->key = read_key(pem);
	if (cert->key == NULL)
		return bad(why, "it holds no private key without password");
	if (type_of(cert->key, type, why) == -1 ||
	    read_certs(pem, cert, why) == -1)
		return -1;
	if (X509_check_private_key(cert->leaf, cert->key) != 1)
		return bad(why,
		    "its first certificate is not for its private key");
	return 0;
}

static void
cert_reset(struct cert *cert)
{
	X509_free(cert->leaf);
	EVP_PKEY_free(cert->key);
	sk_X509_pop_free(cert->chain, X509_free);
	*cert = (struct cert){ .leaf = NULL };
}

static struct cert_group *
group_of(struct tls_certs *c, struct bytes name)
{
	struct cert_group *g;
	size_t i;

	for (i = 0; i < c->ngroups; i++) {
		if (bytes_caseeq(bytes_str(c->groups[i]->name), name))
			return c->groups[i];
	}
	g = mem_zalloc(1, sizeof(*g));
	g->name = lower(name);
	c->groups = mem_realloc(c->groups,
	    (c->ngroups + 1) * sizeof(struct cert_group *));
	c->groups[c->ngroups++] = g;
	add_name(c, name, g, RANK_FILE);
	return g;
}

/* The DNS names in a certificate. */
static void
add_cert_names(struct tls_certs *c, X509 *x, struct cert_group *g)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL,
	    NULL);
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(all, i);
		struct bytes s;

		if (n->type != GEN_DNS)
			continue;
		s = bytes_of(ASN1_STRING_get0_data(n->d.dNSName),
		    (size_t)ASN1_STRING_length(n->d.dNSName));
		if (is_dns_name(s))
			add_name(c, s, g, RANK_CERT);
	}
	GENERAL_NAMES_free(all);
	ERR_clear_error();
}

/* What is wrong with the dates of x, or NULL. */
static const char *
check_dates(const X509 *x)
{
	time_t soon = time(NULL) + (time_t)TLS_EXPIRY_DAYS * 24 * 3600;

	if (X509_cmp_current_time(X509_get0_notAfter(x)) < 0)
		return "a certificate in it has expired";
	if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0)
		return "a certificate in it is not valid yet";
	if (X509_cmp_time(X509_get0_notAfter(x), &soon) < 0)
		return "a certificate in it expires within 7 days";
	return NULL;
}

static const char *
check_all_dates(const struct cert *cert)
{
	const char *why = check_dates(cert->leaf);
	int i;

	for (i = 0; why == NULL && i < sk_X509_num(cert->chain); i++)
		why = check_dates(sk_X509_value(cert->chain, i));
	return why;
}

int
tls_certs_add(struct tls_certs *c, const char *file, struct bytes pem,
    const char **why)
{
	struct cert cert = { .leaf = NULL };
	struct cert_group *g;
	struct bytes name;
	int told, type = KEY_EC;

	if (parse_file_name(bytes_str(file), &name, &told) == -1)
		return bad(why, "its name is not NAME.pem, NAME a DNS name");
	ERR_clear_error();
	if (read_file(pem, &cert, &type, why) == -1) {
		cert_reset(&cert);
		return -1;
	}
	if (told != -1 && told != type) {
		cert_reset(&cert);
		return bad(why, "its key is of another type than its name");
	}
	g = group_of(c, name);
	if (g->certs[type].leaf != NULL) {
		cert_reset(&cert);
		return bad(why, "another file has a key of that type for NAME");
	}
	certs_find_end_point(&cert);
	ERR_clear_error();
	g->certs[type] = cert;
	add_cert_names(c, cert.leaf, g);
	*why = check_all_dates(&cert);
	return 0;
}

int
certs_use(const struct cert_group *g, SSL *ssl)
{
	int t;

	/* Those of the context are another name's. */
	SSL_certs_clear(ssl);
	for (t = 0; t < KEY_TYPES; t++) {
		const struct cert *c = &g->certs[t];

		if (c->leaf != NULL && SSL_use_cert_and_key(ssl, c->leaf,
		    c->key, c->chain, 1) != 1)
			return -1;
	}
	return 0;
}

int
certs_use_all(const struct cert_group *g, SSL_CTX *ctx)
{
	int t;

	for (t = 0; t < KEY_TYPES; t++) {
		const struct cert *c = &g->certs[t];

		if (c->leaf != NULL && SSL_CTX_use_cert_and_key(ctx, c->leaf,
		    c->key, c->chain, 1) != 1)
			return -1;
	}
	return 0;
}
