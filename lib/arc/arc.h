/*
 * arc.h - the Authenticated Received Chain (RFC 8617): verify and seal
 *
 * Who forwards a message records what it found of it
 * (ARC-Authentication-Results), signs the message as it leaves
 * (ARC-Message-Signature) and seals both together with the sets before
 * (ARC-Seal). Hashes, keys and signatures are lib/dkim's, with its limits.
 */
#ifndef ARC_H
#define ARC_H

#include "base/base.h"

struct dkim_key;
struct dns;

/* ---- limits ---- */

/* Instances of a chain (RFC 8617 4.2.1). */
#define ARC_SETS_MAX 50
/* Octets of one field of a set; as DKIM_FIELD_MAX. */
#define ARC_FIELD_MAX 65536

/* ---- results ---- */

/*
 * RFC 8617 4.4: there is no temporary result. A key that cannot be fetched
 * breaks the chain like a wrong one (5.2.1); struct arc_verdict tells them
 * apart for who wants to know.
 */
enum arc_result {
	ARC_NONE,		/* no ARC field at all */
	ARC_PASS,
	ARC_FAIL,
};
/* "none", "pass", "fail": also the words of cv=. */
const char *arc_result_text(enum arc_result r);

/* One set. Slices lie in the message or the arena, or are empty. */
struct arc_set {
	struct bytes results;	/* ARC-Authentication-Results after "i=N;" */
	enum arc_result cv;	/* of the seal */
	struct bytes domain, selector;	/* of the seal: lower case, A-labels */
	struct bytes message_domain;	/* d= of the ARC-Message-Signature */
	bool signs_from;	/* its h= covers every From field */
	int64_t timestamp;	/* t= of the seal; -1: absent */
};

struct arc_verdict {
	enum arc_result result;
	const char *reason;	/* constant text; "": none needed */
	unsigned int instance;	/* the set the reason is about; 0: none */
	bool temporary;		/* fail, for want of a key now */
	/*
	 * With a chain of sound structure: its sets, set[0] that of i=1.
	 * Otherwise n is 0.
	 */
	struct arc_set set[ARC_SETS_MAX];
	size_t n;
	/*
	 * Of a chain that passes: the lowest instance whose message signature,
	 * and all those above it, still verify; 0: all do (RFC 8617 5.2).
	 */
	unsigned int oldest_pass;
};

struct arc_policy {
	int64_t now;		/* seconds since 1970, for x= */
	int64_t timeout_ms;	/* for all keys together; 0: DKIM's */
};

/* ---- verifying (RFC 8617 5.2) ---- */

/*
 * Evaluate the chain of a message, in LF or CRLF form; the keys of all its
 * signatures are asked for at the same time. d may be NULL if none can be
 * fetched. Never fails: what goes wrong is in the verdict.
 *
 * Beyond the RFC, as for DKIM: a message signature with l= does not verify,
 * since the body after it is anyone's, and a public suffix signs nothing.
 */
void arc_verify(struct arena *a, struct dns *d, struct bytes message,
    const struct arc_policy *policy, struct arc_verdict *out);

/*
 * The same in two steps, so that other look-ups can run in between. What is
 * given to start must live until finish, which is to be called once.
 */
struct arc_verifier;
struct arc_verifier *arc_verify_start(struct arena *a, struct dns *d,
    struct bytes message, const struct arc_policy *policy);
void arc_verify_finish(struct arc_verifier *v, struct arc_verdict *out);

/*
 * The chain as it stands, no signature checked: result is none or fail as the
 * structure is (RFC 8617 5.2, steps 1 to 3), and pass for what arc_verify has
 * still to verify. Asks for nothing: for who already has the result.
 */
void arc_read(struct arena *a, struct bytes message, struct arc_verdict *out);

/*
 * Append the resinfo (RFC 8617 10.1; RFC 8601 2.2), no line end:
 * arc=pass (i=2 sealed by example.org) header.oldest-pass=0
 *     smtp.remote-ip=192.0.2.1
 * on one line; remote may be of family 0. 0, or -1 EMSGSIZE.
 */
int arc_format_resinfo(struct buf *out, const struct arc_verdict *v,
    const struct ip *remote);
/*
 * Append the line arc-verify -q prints, without LF: result, domain and
 * selector of the newest seal, number of sets, oldest-pass, instance that
 * fails, reason; tab separated, "-" for what is absent. 0, or -1 EMSGSIZE.
 */
int arc_format_line(struct buf *out, const struct arc_verdict *v);

/* ---- trust: local policy (doc/judging.md) ---- */

/*
 * Does a chain that passes vouch that the message passed DMARC, before it was
 * forwarded? v: from arc_verify, or from arc_read where the chain is known to
 * pass. Looked at are the newest sets, down to the first whose seal is by no
 * domain of trusted nor one below; the newest must sign every From field.
 * True if the results of one say dmarc=pass with header.from= from_domain
 * (A-labels, case ignored); *instance is then the newest that does.
 */
bool arc_vouches(const struct arc_verdict *v, const struct bytes *trusted,
    size_t n, struct bytes from_domain, unsigned int *instance);

/*
 * Append what a DMARC report says of a chain that passes and was followed
 * (RFC 8617 7.2.2): "arc=pass as[2].d=list.example as[2].s=s2 as[1].d=...
 * remote-ip[1]=192.0.2.1", on one line; the address is left out if the first
 * set has none. The type of that reason is local_policy. 0, or -1 EMSGSIZE.
 */
int arc_format_reason(struct buf *out, const struct arc_verdict *v);

/* ---- sealing (RFC 8617 5.1) ---- */

/* Field names signed when none are given: DKIM's, and DKIM-Signature. */
extern const char *const ARC_SEAL_FIELDS[];
extern const size_t ARC_SEAL_FIELDS_COUNT;

struct arc_sealer {
	const struct dkim_key *key;
	struct bytes domain, selector;	/* A-labels, or U-labels */
	/*
	 * What was found when the message came, as in the body of an
	 * Authentication-Results field: "mx.example.org; spf=pass ...";
	 * LF line ends, folded.
	 */
	struct bytes results;
	/* What arc_verify said then. A chain that failed is sealed as such
	 * (cv=fail), for all who come after. */
	enum arc_result chain;
	const struct bytes *fields;	/* NULL: ARC_SEAL_FIELDS */
	size_t field_count;
	int64_t now;			/* t= */
};

/*
 * Append the three fields of one more set (LF line ends), to be put in front
 * of the message as it leaves. -1 with EBADMSG (results, domain, selector or
 * field name are bad, a field that must not be signed, From not in fields,
 * chain not as the message has it, a blank at the start), EACCES (the newest
 * seal says fail: nothing may follow it), EMSGSIZE (ARC_SETS_MAX sets,
 * results over ARC_RESULTS_MAX, out full) or EIO (libcrypto), *why; out
 * unchanged then.
 */
int arc_seal(struct arena *a, struct bytes message,
    const struct arc_sealer *sealer, struct buf *out, const char **why);
/* Octets of arc_sealer.results: with its name it stays a field others, too,
 * will read. */
#define ARC_RESULTS_MAX 32768

#endif
