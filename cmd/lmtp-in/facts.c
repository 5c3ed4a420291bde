/*
 * facts.c - what the index remembers of a reception
 *
 * Read from the trusted block only: reputation rests on it.
 */
#include "lmtp_in.h"

#include <errno.h>
#include <openssl/evp.h>

/* HELO names and paths as they come; longer ones say nothing. */
#define FACT_MAX 1024
/* A text up to this is hashed before OpenSSL has begun. */
#define SHORT_MAX 4096

static int
add_ips(struct buf *out, const struct ip *ip)
{
	static const enum store_tag tags[ORIGIN_MASKS] = { STORE_TAG_IP_MASK1,
	    STORE_TAG_IP_MASK2, STORE_TAG_IP_MASK3 };
	struct ip masked[ORIGIN_MASKS];
	char text[IP_TEXT_MAX];

	if (ip->family == 0)
		return 0;
	if (store_field_add(out, STORE_TAG_REMOTE_IP,
	    bytes_str(ip_format(ip, text))) == -1)
		return -1;
	origin_masks(ip, masked);
	for (int i = 0; i < ORIGIN_MASKS; i++) {
		if (store_field_add(out, tags[i],
		    bytes_str(ip_format(&masked[i], text))) == -1)
			return -1;
	}
	return 0;
}

static int
add_text(struct buf *out, enum store_tag tag, struct bytes value)
{
	return value.n == 0 || value.n > FACT_MAX ? 0
	    : store_field_add(out, tag, value);
}

/* The value of a property "header.d=..." of a resinfo. */
static struct bytes
property(struct bytes info, struct bytes name)
{
	struct bytes word;

	while (bytes_word(&info, &word)) {
		if (bytes_skip(&word, name))
			return word;
	}
	return BYTES_EMPTY;
}

/* "spf=pass smtp.mailfrom=...", "dkim=pass ... header.d=...". */
static int
add_resinfo(struct buf *out, struct bytes info)
{
	struct bytes rest = info, word;

	if (!bytes_word(&rest, &word))
		return 0;
	if (bytes_skip(&word, BYTES("spf=")))
		return add_text(out, property(rest, BYTES("smtp.helo=")).n > 0
		    ? STORE_TAG_HELO_STATUS : STORE_TAG_MAIL_FROM_STATUS,
		    word);
	if (bytes_eq(word, BYTES("dkim=pass")))
		return add_text(out, STORE_TAG_DKIM_DOMAIN,
		    property(rest, BYTES("header.d=")));
	return 0;
}

/*
 * A long text: OpenSSL is several times faster than sha256_of. To look up the
 * function takes it as long as to hash 50 kB, so that is done once.
 */
static int
hash_message(struct hasher *s, struct bytes message, unsigned char h[32])
{
	if (message.n <= SHORT_MAX) {
		sha256_of(message, h);
		return 0;
	}
	if (s->md == NULL)
		s->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (s->ctx == NULL)
		s->ctx = EVP_MD_CTX_new();
	if (s->md != NULL && s->ctx != NULL &&
	    EVP_DigestInit_ex2(s->ctx, s->md, NULL) == 1 &&
	    EVP_DigestUpdate(s->ctx, message.p, message.n) == 1 &&
	    EVP_DigestFinal_ex(s->ctx, h, NULL) == 1)
		return 0;
	errno = ENOMEM;		/* what else could it lack */
	return -1;
}

int
facts_add_hash(struct buf *out, struct hasher *hasher, struct bytes message)
{
	struct buf hex = BUF_INIT(64);
	unsigned char h[32];
	int r;

	if (hash_message(hasher, message, h) == -1)
		return -1;
	(void)hex_encode(&hex, bytes_of(h, sizeof(h)));	/* fits */
	r = store_field_add(out, STORE_TAG_MESSAGE_HASH, buf_bytes(&hex));
	buf_free(&hex);
	return r;
}

int
facts_add(struct buf *out, const struct trace_envelope *e,
    struct bytes recipient, const struct trace_block *block)
{
	struct bytes tls = BYTES_EMPTY;

	if (add_ips(out, &e->remote) == -1 ||
	    add_text(out, STORE_TAG_HELO, e->helo) == -1 ||
	    add_text(out, STORE_TAG_MAIL_FROM, e->sender) == -1 ||
	    add_text(out, STORE_TAG_RCPT_TO, recipient) == -1)
		return -1;
	if (trace_received_tls(block->received, &tls) &&
	    add_text(out, STORE_TAG_TLS, tls) == -1)
		return -1;
	if (e->requiretls &&
	    store_field_add(out, STORE_TAG_REQUIRETLS, BYTES("1")) == -1)
		return -1;
	for (size_t i = 0; i < block->nresinfo; i++) {
		if (add_resinfo(out, block->resinfo[i]) == -1)
			return -1;
	}
	return 0;
}
