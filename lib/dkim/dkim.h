/*
 * dkim.h - DKIM signatures: verify, sign, keys (RFC 6376, 8301, 8463, 8616)
 *
 * Messages are LF or CRLF form, or mixed: an LF without a CR before it counts
 * as CRLF, so both forms of a message give the same result. The one module
 * that uses libcrypto for signatures.
 */
#ifndef DKIM_H
#define DKIM_H

#include "base/base.h"

struct dns;

/* ---- limits ---- */

/*
 * Signatures looked at per message, from the top. Each may cost a look-up and
 * a public key operation; real mail has at most four or five.
 */
#define DKIM_SIGNATURES_MAX 8
/* Octets of one DKIM-Signature field; z= copies can make it large. */
#define DKIM_FIELD_MAX 65536
/* Tags in one tag list; the standards know 14. */
#define DKIM_TAGS_MAX 64
/* Names in h=; oversigned lists found in mail have up to about 60. */
#define DKIM_NAMES_MAX 256
/* Octets of i=, decoded: a local part of 64, a domain, and room. */
#define DKIM_IDENTITY_MAX 512
/* Octets of a key record, all its strings together. */
#define DKIM_RECORD_MAX 8192
/* Keys tried when a name has several (RFC 6376 6.1.2 step 4). */
#define DKIM_RECORDS_MAX 4
/* RSA modulus, RFC 8301 3.2; above the upper one verifying costs too much. */
#define DKIM_RSA_BITS_MIN 1024
#define DKIM_RSA_BITS_MAX 8192
/* For waiting for all key records together. */
#define DKIM_TIMEOUT_MS 60000

/* Call once in a server parent, so that children find the algorithms ready
 * (they share the pages). Not needed for correctness. */
void dkim_init(void);

/* ---- results ---- */

/* RFC 8601 2.7.1. */
enum dkim_result {
	DKIM_NONE,		/* no signature, or a key in testing mode */
	DKIM_PASS,
	DKIM_FAIL,		/* the signature or body hash is wrong */
	DKIM_NEUTRAL,		/* reserved for callers: never given here */
	DKIM_POLICY,		/* not acceptable to us */
	DKIM_TEMPERROR,		/* the key could not be fetched now */
	DKIM_PERMERROR,		/* signature or key can never be evaluated */
};
/* The word of RFC 8601: "pass". */
const char *dkim_result_text(enum dkim_result r);

/*
 * What became of one signature. Slices lie in the message or the arena; what
 * could not be parsed is empty.
 */
struct dkim_verdict {
	enum dkim_result result;
	const char *reason;	/* constant text; "" for a plain pass */
	struct bytes domain;	/* d=, lower case, A-labels */
	struct bytes selector;	/* s=, lower case, A-labels */
	struct bytes identity;	/* i= as given, decoded; empty: absent */
	struct bytes algorithm;	/* a=, lower case: "rsa-sha256" */
	struct bytes b_prefix;	/* first 8 characters of b= (RFC 6008) */
	unsigned int key_bits;	/* 0: no usable key was found */
	int64_t timestamp;	/* t=, seconds since 1970; -1: absent */
	int64_t expiration;	/* x=; -1: absent */
	bool testing;		/* the key record has t=y */
	bool length_used;	/* the signature has l= */
	bool authentic;		/* the key record was DNSSEC validated */
};

struct dkim_verdicts {
	/*
	 * One per signature, in the order of the fields. When there are more
	 * than DKIM_SIGNATURES_MAX, one last verdict "policy" stands for all
	 * the others. Never 0: without a signature one verdict "none".
	 */
	struct dkim_verdict v[DKIM_SIGNATURES_MAX + 1];
	size_t n;
	size_t signatures;	/* DKIM-Signature fields in the message */
};

/*
 * What is done with a signature that verifies. All zero, with now set, is the
 * default policy: l=, or a From or Subject field that h= does not cover, give
 * "policy"; t=y in the key gives "none" whether it verifies or not.
 */
struct dkim_policy {
	int64_t now;		/* seconds since 1970, for x= */
	int64_t timeout_ms;	/* 0: DKIM_TIMEOUT_MS */
	bool allow_length;	/* a signature with l= may pass */
	bool allow_testing;	/* t=y does not change the result */
	bool allow_unsigned;	/* From and Subject fields beyond h= */
};

/* ---- verifying ---- */

/*
 * Evaluate every signature of the message (RFC 6376 6.1); the key records of
 * all of them are asked for at the same time. d may be NULL if no key can be
 * fetched: temperror. Never fails: what goes wrong is a verdict.
 *
 * A public suffix in d= (psl.h) is refused with "policy".
 */
void dkim_verify(struct arena *a, struct dns *d, struct bytes message,
    const struct dkim_policy *policy, struct dkim_verdicts *out);

/*
 * The same in two steps, so that other look-ups can run in between: start
 * parses and sends the questions, finish waits, hashes and judges. Everything
 * given to start must live until finish.
 */
struct dkim_verifier;
struct dkim_verifier *dkim_verify_start(struct arena *a, struct dns *d,
    struct bytes message, const struct dkim_policy *policy);
void dkim_verify_finish(struct dkim_verifier *v, struct dkim_verdicts *out);

/*
 * Append the resinfo of one verdict (RFC 8601 2.2, RFC 6008), no line end:
 * dkim=pass (2048-bit key) header.d=example.org header.s=sel
 *     header.a=rsa-sha256 header.b=AbCd1234
 * on one line; a key record that DNSSEC vouched for makes it "(2048-bit key
 * with dnssec)". reason="..." stands after the result when there is a reason.
 * Values that are no token are quoted. 0, or -1 EMSGSIZE.
 */
int dkim_format_resinfo(struct buf *out, const struct dkim_verdict *v);
/*
 * Append the line dkim-verify -q prints, without LF: result, domain,
 * selector, algorithm, identity, key bits, b= prefix, reason; tab separated,
 * "-" for what is absent. 0, or -1 EMSGSIZE.
 */
int dkim_format_line(struct buf *out, const struct dkim_verdict *v);

/* ---- signatures and key records as values (also for ARC) ---- */

enum dkim_algorithm {
	DKIM_RSA_SHA256,
	DKIM_ED25519_SHA256,
};
enum dkim_canon {
	DKIM_SIMPLE,
	DKIM_RELAXED,
};

/* A parsed tag list (RFC 6376 3.2): names and values as slices. */
struct dkim_tag {
	struct bytes name, value;	/* value without surrounding FWS */
};
struct dkim_tags {
	struct dkim_tag tag[DKIM_TAGS_MAX];
	size_t n;
};
/*
 * -1 EBADMSG (syntax, duplicate name) or EMSGSIZE (DKIM_TAGS_MAX) with *why.
 * Folds are LF or CRLF followed by SP or HTAB.
 */
int dkim_tags_parse(struct bytes s, struct dkim_tags *out, const char **why);
/* The value of the tag of that name; false if there is none. */
bool dkim_tags_find(const struct dkim_tags *t, const char *name,
    struct bytes *value);

struct dkim_signature {
	enum dkim_algorithm algorithm;
	enum dkim_canon header_canon, body_canon;
	struct bytes domain, selector;	/* lower case, A-labels */
	struct bytes identity;		/* decoded; empty: absent */
	struct bytes identity_domain;	/* lower case, A-labels; d= if absent */
	struct bytes b, bh;		/* decoded */
	struct bytes b_prefix;
	struct bytes *names;		/* h=, in order, as written */
	size_t name_count;
	int64_t timestamp, expiration;	/* -1: absent */
	bool has_length;
	uint64_t length;		/* UINT64_MAX also for larger values */
};
/*
 * The value of a DKIM-Signature field (RFC 6376 3.5, 6.1.1): syntax, required
 * tags, From in h=, i= within d=, x= after t=. Known algorithms only. -1 with
 * EBADMSG, EMSGSIZE or EACCES (refused by policy: d= is a public suffix),
 * *why, and in *out whatever was parsed up to there.
 */
int dkim_signature_parse(struct arena *a, struct bytes value,
    struct dkim_signature *out, const char **why);

struct dkim_record {
	bool is_ed25519;
	bool revoked;			/* p= is empty */
	bool testing, strict;		/* t=y, t=s */
	bool sha256;			/* h= absent or includes it */
	bool email;			/* s= absent or includes email or * */
	struct bytes key;		/* p= decoded, in the arena */
};
/* A key record (RFC 6376 3.6.1). -1 EBADMSG, EMSGSIZE with *why. */
int dkim_record_parse(struct arena *a, struct bytes text,
    struct dkim_record *out, const char **why);

/*
 * What keeps every signature from being verified with a key record, "" if
 * nothing does: revoked, for something else, no key, or one of a wrong size.
 * *bits: of the key, 0 if there is none.
 */
const char *dkim_record_problem(const struct dkim_record *r,
    unsigned int *bits);

/* ---- canonical forms (RFC 6376 3.4) ---- */

/* Append the canonical form of one whole field, line end included. */
int dkim_canon_field(struct buf *out, enum dkim_canon c, struct bytes field);
/* Append the canonical form of a body. */
int dkim_canon_body(struct buf *out, enum dkim_canon c, struct bytes body);

/* ---- private keys ---- */

struct dkim_key;

/*
 * A private key from a file: PEM (PKCS#8 or PKCS#1, not encrypted) with RSA
 * or Ed25519, or the base64 of the 32 byte Ed25519 seed alone on the first
 * line. NULL with errno of the system or EBADMSG, and *why in every case.
 */
struct dkim_key *dkim_key_open(const char *path, const char **why);
/* The same from bytes. */
struct dkim_key *dkim_key_parse(struct bytes text, const char **why);
/* A new key; bits for RSA only, 1024 to 8192. NULL with EINVAL, EIO. */
struct dkim_key *dkim_key_generate(bool ed25519, unsigned int bits);
/* Wipes it. NULL is allowed. */
void dkim_key_free(struct dkim_key *k);
bool dkim_key_is_ed25519(const struct dkim_key *k);
unsigned int dkim_key_bits(const struct dkim_key *k);
/* Append the private key as PKCS#8 PEM; the caller wipes the buffer. */
int dkim_key_format(struct buf *out, const struct dkim_key *k);
/* Append the key record: "v=DKIM1; k=rsa; p=..." */
int dkim_key_format_record(struct buf *out, const struct dkim_key *k);
/*
 * Append a record as zone file text, split in strings of at most 255 octets:
 * `NAME IN TXT ( "..." "..." )` with LF; domain and selector empty: without
 * name, only the strings. -1 EBADMSG (no domain name), EMSGSIZE.
 */
int dkim_record_format_zone(struct buf *out, struct bytes selector,
    struct bytes domain, struct bytes record);

/* ---- signing ---- */

/* Field names signed when none are given. */
extern const char *const DKIM_SIGN_FIELDS[];
extern const size_t DKIM_SIGN_FIELDS_COUNT;

/* The names in a list separated by ":", views into it, at least one (it may be
 * empty); the array is in the arena. Not checked here. */
const struct bytes *dkim_names(struct arena *a, struct bytes list,
    size_t *count);

struct dkim_signer {
	const struct dkim_key *key;
	struct bytes domain, selector;	/* A-labels, or U-labels */
	struct bytes identity;		/* i=; empty: not written */
	enum dkim_canon header_canon, body_canon;
	const struct bytes *fields;	/* NULL: DKIM_SIGN_FIELDS */
	size_t field_count;
	bool no_seal;		/* do not sign one instance more than there
				 * are of each name (oversigning) */
	int64_t now;		/* t= */
	int64_t lifetime;	/* seconds until x=; 0: no x= */
};

/*
 * Append to out one DKIM-Signature field per signer (LF line ends, folded
 * below 78 columns), to be put in front of the message. No signature covers
 * another. -1 with EBADMSG (not exactly one From field, a blank at the start,
 * bad domain, selector or field name, From not in fields), EMSGSIZE (h= over
 * DKIM_NAMES_MAX, out full) or EIO (libcrypto), *why; out unchanged then.
 */
int dkim_sign(struct arena *a, struct bytes message,
    const struct dkim_signer *signer, size_t n, struct buf *out,
    const char **why);

#endif
