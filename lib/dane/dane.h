/*
 * dane.h - TLSA records and what they say about a server's certificate
 *
 * DANE for SMTP: RFC 6698, 7671, 7672. Records are read, found by the way of
 * RFC 7672 2.2 (lib/dns does the asking, and tells what is authentic), and
 * compared with a chain of certificates. Only usages 2 (DANE-TA) and 3
 * (DANE-EE) are for SMTP. Certificates are read and checked by OpenSSL's
 * libcrypto; there is no connection here.
 */
#ifndef DANE_H
#define DANE_H

#include "base/base.h"
#include "dns/dns.h"
#include "tlsresult/tlsresult.h"

/* Values of the wire, RFC 6698 7 and RFC 7218. */
enum {
	DANE_PKIX_TA = 0,
	DANE_PKIX_EE = 1,
	DANE_TA = 2,
	DANE_EE = 3,
	DANE_CERT = 0,		/* selector: the certificate */
	DANE_SPKI = 1,		/* its public key */
	DANE_FULL = 0,		/* matching: the bytes themselves */
	DANE_SHA256 = 1,
	DANE_SHA512 = 2,
};

/* A record comes from DNS, whose message is the limit. */
#define DANE_DATA_MAX 65535
/* Records looked at; RFC 7671 10.1.1 advises a handful. Later ones (in the
 * order of lib/dns) are as if they were not there. */
#define DANE_RECORDS_MAX 64
#define DANE_NAMES_MAX 4	/* names a certificate may be for */
#define DANE_CHAIN_MAX 20	/* certificates of a chain looked at */

struct dane_record {
	unsigned char usage, selector, matching;
	struct bytes data;
};

/* ---- records ---- */

/* RDATA as on the wire, RFC 6698 2.1; data is a view into rdata. -1 EBADMSG
 * (shorter than four bytes). */
int dane_parse(struct bytes rdata, struct dane_record *out);
/* RDATA; -1 EMSGSIZE. */
int dane_format(const struct dane_record *r, struct buf *out);
/*
 * As in a zone file: three numbers and hex digits, which may be in groups
 * (RFC 6698 2.2). The mnemonics of RFC 7218 are not taken. The data is made
 * in the arena. -1 EBADMSG with *why.
 */
int dane_parse_text(struct bytes text, struct arena *a,
    struct dane_record *out, const char **why);
/* "3 1 1 hex"; -1 EMSGSIZE. */
int dane_format_text(const struct dane_record *r, struct buf *out);
/*
 * Whether SMTP can use it: usage 2 or 3, selector 0 or 1, matching 0 with
 * data that OpenSSL can read as what the selector says, 1 with 32 bytes or 2
 * with 64 (BEHAVIOUR 15). If not, *why (unless NULL) is constant text.
 */
bool dane_usable(const struct dane_record *r, const char **why);

/*
 * The record for a PEM or DER certificate, or, with selector DANE_SPKI, a
 * PEM private or public key; of several in PEM the first certificate, else
 * the first key. Data is in the arena. -1 EBADMSG with *why: no certificate
 * or key, or values that dane_usable would not take.
 */
int dane_make(struct bytes file, unsigned char usage, unsigned char selector,
    unsigned char matching, struct arena *a, struct dane_record *out,
    const char **why);

/* The certificates of a PEM file, as DER in the arena, in their order: the
 * number, 1 to DANE_CHAIN_MAX. -1 EBADMSG: none, or EMSGSIZE: more. */
int dane_read_chain(struct bytes file, struct arena *a,
    struct bytes chain[DANE_CHAIN_MAX]);

/* ---- look-up (BEHAVIOUR 15, RFC 7672 2.2) ---- */

enum dane_state {
	DANE_NONE,		/* no records, or not authentic: no DANE */
	DANE_UNUSABLE,		/* TLS is required; nothing is verified */
	DANE_USABLE,		/* TLS is required and verified */
	DANE_FAILED,		/* look-up failed: try again later */
};
/* "none", "unusable", "usable", "failed". */
const char *dane_state_name(enum dane_state s);

/* What is known when a host is about to be connected to. Names are those of
 * lib/dns (lower case, A-labels). */
struct dane_host {
	struct bytes host;		/* MX target, or the domain itself */
	/* The answer that gave the address: of A or AAAA, either. */
	const struct dns_answer *addresses;
	/*
	 * Whether all look-ups that led to host (MX, CNAME of the domain)
	 * were authentic; true where the host was named by hand.
	 */
	bool authentic;
	/* With MX: the domain of the recipient and where its CNAMEs lead;
	 * both are allowed names then. Empty: there was no MX. */
	struct bytes domain, expanded_domain;
	int port;
};

struct dane {
	enum dane_state state;
	struct bytes base;		/* TLSA base domain; SNI */
	const struct dane_record *records;	/* usable ones */
	size_t nrecords;
	size_t nunusable;
	/* Names that certificates may be for, the first for SNI. */
	struct bytes names[DANE_NAMES_MAX];
	size_t nnames;
	enum tlsresult result;		/* of DANE_FAILED, for reports */
	const char *why;		/* constant text; "" when usable */
	struct bytes detail;		/* of the failure: DNS's own words (RFC
					 * 8914), printable; may be empty */
};

/*
 * One step of the look-up, for those who show them: the name asked for and
 * the answer.
 */
typedef void dane_step(void *ctx, enum dns_type type, struct bytes name,
    const struct dns_answer *answer);

/*
 * Find the records for a host. Asks for _port._tcp.base at the end of the
 * CNAMEs if all of them were authentic, then at the host. Where the addresses
 * are not authentic but host is an alias that is (RFC 7672 2.2.2), only at
 * the host. step may be NULL. Never fails; *out lives in the arena.
 */
void dane_find(struct dns *d, struct arena *a, const struct dane_host *h,
    dane_step *step, void *ctx, struct dane *out);

/* ---- verification ---- */

struct dane_verdict {
	bool verified;
	size_t record;			/* which one of those given */
	size_t depth;			/* its certificate in the chain; chain
					 * length: it came from the record */
	struct bytes name;		/* DANE-TA: the allowed name it has */
	enum tlsresult result;		/* if not: for reports */
	const char *why;		/* constant text; "" if verified */
};

/*
 * Compare a chain of DER certificates (leaf first, as presented) with usable
 * records; the first that is satisfied counts. Usage 3: the leaf matches, and
 * neither name, date nor issuer is looked at (RFC 7672 3.1.1). Usage 2: a
 * certificate that was presented, or the full one in the record, is the trust
 * anchor; the chain from the leaf to it must verify at now_seconds, and the
 * leaf be for one of the names (3.1.2). Records that are not usable match
 * nothing.
 */
void dane_verify(const struct dane_record *records, size_t nrecords,
    const struct bytes *chain, size_t nchain, const struct bytes *names,
    size_t nnames, int64_t now_seconds, struct dane_verdict *out);

#endif
