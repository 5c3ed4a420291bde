/*
 * parts.h - what DKIM signatures are made of, for ARC, which shares it
 * (RFC 8617 4.1): the message as fields, hashes, public keys, tags
 */
#ifndef DKIM_PARTS_H
#define DKIM_PARTS_H

#include "dkim/dkim.h"

#define DKIM_HASH_SIZE 32	/* SHA-256 */

/* ---- the message (fields.c) ---- */

struct dkim_field {
	struct bytes raw;
	struct bytes name;
	uint64_t hash;		/* of the name in lower case */
	size_t above;		/* next of equal hash bits; SIZE_MAX: none */
};
struct dkim_message {
	struct dkim_field *field;	/* from the top */
	size_t n;
	/* The lowest field by the low bits of its hash, SIZE_MAX: none, so
	 * that many names are found among many fields. */
	size_t *lowest;
	uint64_t mask;
	struct bytes body;
};
void dkim_message_split(struct arena *a, struct bytes message,
    struct dkim_message *out);
uint64_t dkim_name_hash(struct bytes name);
size_t dkim_message_count(const struct dkim_message *m, struct bytes name);

/* Body hashes wanted: equal wishes share one; all made in one pass. */
struct dkim_body_wish {
	enum dkim_canon canon;
	bool has_length;
	uint64_t length;
	/* results */
	bool is_short;		/* the body has less than length octets */
	unsigned char hash[DKIM_HASH_SIZE];
};
struct dkim_body_wishes {
	struct dkim_body_wish w[DKIM_SIGNATURES_MAX];
	size_t n;
};
/* Index of an equal wish, added if there is none and room. */
size_t dkim_body_wish(struct dkim_body_wishes *s, enum dkim_canon canon,
    bool has_length, uint64_t length);
/* -1 EIO: libcrypto failed. */
int dkim_body_hash(struct dkim_body_wishes *s, struct bytes body);

/*
 * The header hash of RFC 6376 3.7: the fields h= names, then the signature
 * field (unsigned_field, b= already empty). skip: index of the signature
 * field itself, which h= cannot name; SIZE_MAX: none. -1 EIO.
 */
int dkim_header_hash(struct arena *a, const struct dkim_message *m,
    enum dkim_canon canon, const struct bytes *names, size_t n, size_t skip,
    struct bytes unsigned_field, unsigned char out[DKIM_HASH_SIZE]);
/* A copy of a signature field whose b= tag is empty. */
struct bytes dkim_without_b(struct arena *a, struct bytes field);

/* ---- signature fields of three kinds (signature.c) ---- */

enum dkim_kind {
	DKIM_KIND_DKIM,		/* DKIM-Signature */
	/* ARC-Message-Signature: v= and i= are no tags of it, and h= may be
	 * empty or without From (RFC 8617 4.1.2). Without c= relaxed/relaxed,
	 * though the RFC says as in DKIM: so the signers do. */
	DKIM_KIND_MESSAGE,
	/* ARC-Seal: of the tags a=, b=, d=, s=, t=; h= is an error (4.1.3). */
	DKIM_KIND_SEAL,
};
/* As dkim_signature_parse, of the tags of a field of that kind. */
int dkim_signature_read(struct arena *a, const struct dkim_tags *tags,
    enum dkim_kind kind, struct dkim_signature *out, const char **why);

/* What forbids this key for a signature of that algorithm (RFC 6376 6.1.2,
 * steps 6 to 8), constant text; NULL: nothing. */
const char *dkim_record_refusal(const struct dkim_record *r,
    enum dkim_algorithm algorithm);

/* ---- the keys of signatures (ask.c) ---- */

struct dns_answer;
struct dns_query;

/* Of one message: who asks, and what was asked. */
struct dkim_question {
	struct dkim_question *next;
	struct bytes name;
	struct dns_query *query;	/* NULL: there is no resolver */
};
struct dkim_asker {
	struct arena *arena;
	struct dns *dns;
	int64_t now, deadline;
	struct dkim_question *asked;
};
/* d may be NULL. now: seconds since 1970, for x=. timeout_ms: of all keys
 * together, from here on; 0: DKIM_TIMEOUT_MS. */
void dkim_asker_init(struct dkim_asker *k, struct arena *a, struct dns *d,
    int64_t now, int64_t timeout_ms);
/*
 * Send the question for the key of a signature, once for all of a selector
 * and domain. NULL with *why, constant text: it can never verify. The
 * question lives in the arena.
 */
const struct dkim_question *dkim_ask(struct dkim_asker *k,
    const struct dkim_signature *s, const char **why);
/* Wait for its records, until the deadline at most. NULL with *why: there
 * are none, *temporary: now. */
const struct dns_answer *dkim_answer(struct dkim_asker *k,
    const struct dkim_question *q, const char **why, bool *temporary);

/* ---- folded text (fold.c) ---- */

struct dkim_folder {
	struct buf *out;	/* marked full if too small: look at the end */
	size_t column;
};
/* Text as one piece, on a new line if it does not fit; space: a blank goes
 * before it if it stays on the line. */
void dkim_fold_add(struct dkim_folder *f, struct bytes text, bool space);
/* "name=value;", after a blank. */
void dkim_fold_tag(struct dkim_folder *f, struct arena *a, const char *name,
    struct bytes value);
/* Base64, broken wherever a line is full. */
void dkim_fold_base64(struct dkim_folder *f, struct bytes text);

/* ---- libcrypto (crypto.c) ---- */

/*
 * The public key of a record. 0, or -1 EBADMSG with *why. *bits is set also
 * when the key is refused for its size.
 */
struct dkim_public;
int dkim_public_new(const struct dkim_record *r, struct dkim_public **out,
    unsigned int *bits, const char **why);
/* The same; the process keeps the last few, until it ends. */
int dkim_public_get(const struct dkim_record *r, struct dkim_public **out,
    unsigned int *bits, const char **why);
void dkim_public_free(struct dkim_public *p);
/* 1 the signature is right, 0 it is not. */
int dkim_public_check(const struct dkim_public *p,
    const unsigned char hash[DKIM_HASH_SIZE], struct bytes signature);

/* Signature over a hash, appended. -1 EIO, EMSGSIZE. */
int dkim_key_sign(const struct dkim_key *k,
    const unsigned char hash[DKIM_HASH_SIZE], struct buf *out);

/* ---- names (tags.c) ---- */

/*
 * A domain or selector: U-labels or A-labels to lower-case A-labels of
 * letters, digits, "-" and "_". -1 EBADMSG.
 */
int dkim_name_parse(struct arena *a, struct bytes s, struct bytes *out);
/* name is parent or below it. */
bool dkim_name_within(struct bytes name, struct bytes parent);

#endif
