/*
 * dmarc.h - does what SPF and DKIM found speak for the From domain? RFC 7489
 *
 * Policy records (6.3, 6.6.3), identifier alignment (3.1), the decision
 * (6.6.2) and the alignment class, which holds without any record, too.
 * Domains are compared as A-labels. Tags of RFC 9091 and of its successors
 * (np, psd, t) are read and shown, and decide nothing.
 */
#ifndef DMARC_H
#define DMARC_H

#include "base/base.h"
#include "dns/dns.h"

enum {
	/* Octets of a record, all its strings together: as for DKIM keys. */
	DMARC_RECORD_MAX = 8192,
	/* Tags of a record; the standards know 14. */
	DMARC_TAGS_MAX = 64,
	/* Report addresses of one tag; RFC 7489 6.2 wants two to be enough. */
	DMARC_URIS_MAX = 32,
};

/* ---- records ---- */

enum dmarc_policy {
	DMARC_POLICY_NONE,
	DMARC_POLICY_QUARANTINE,
	DMARC_POLICY_REJECT,
};
/* "none", "quarantine", "reject". */
const char *dmarc_policy_name(enum dmarc_policy p);

/* A report address (RFC 7489 6.2, dmarc-uri). */
struct dmarc_uri {
	struct bytes text;	/* as in the record, with the size limit */
	struct bytes uri;	/* without it; "%2C" and the like stay */
	uint64_t max_bytes;	/* 0: no limit is given */
};

enum {				/* fo=, RFC 7489 6.3 */
	DMARC_FO_ALL = 1,	/* 0: nothing aligned passes; the default */
	DMARC_FO_ANY = 2,	/* 1 */
	DMARC_FO_DKIM = 4,	/* d */
	DMARC_FO_SPF = 8,	/* s */
};

struct dmarc_record {
	enum dmarc_policy p, sp, np;	/* sp: p if absent; np: sp */
	bool has_p;			/* false: as none, for rua's sake */
	bool has_sp, has_np;
	bool strict_dkim, strict_spf;	/* adkim=s, aspf=s */
	unsigned int pct;		/* 0 to 100 */
	uint32_t interval_seconds;	/* ri= */
	unsigned int failure_options;	/* DMARC_FO_... */
	struct dmarc_uri *rua, *ruf;
	size_t nrua, nruf;
	bool testing;			/* t=y */
	char psd;			/* 'y', 'n', 'u' */
};

/* Begins with the version tag (RFC 7489 6.6.3 step 2): "v=DMARC1" with its
 * case, then ";" or the end. Other texts at the name are none of DMARC's. */
bool dmarc_is_record(struct bytes text);
/*
 * Parse a record. Unknown tags, and optional tags with values that are none,
 * count as absent (6.3). p=, sp= that are missing or wrong make it p=none if
 * there is a usable rua=, else the record is not applied (6.6.3 step 6): -1
 * ENOENT. -1 EBADMSG for syntax errors and a tag that is there twice, -1
 * EMSGSIZE over the limits above. *why is constant text. Lists lie in the
 * arena and point into text.
 */
int dmarc_record_parse(struct bytes text, struct arena *a,
    struct dmarc_record *out, const char **why);
/* Append the record in canonical form: parsing it gives an equal record. */
int dmarc_record_format(struct buf *out, const struct dmarc_record *r);

/* ---- looking a record up ---- */

enum dmarc_find_status {
	DMARC_FOUND,
	DMARC_ABSENT,		/* none, several, or none that is applied */
	DMARC_MALFORMED,	/* one, with wrong syntax or over a limit */
	DMARC_UNKNOWN,		/* DNS could not say now */
};

struct dmarc_found {
	enum dmarc_find_status status;
	const char *why;	/* constant text; "" unless there is a reason */
	struct bytes domain;	/* whose record it is: From or above it */
	bool from_above;	/* of the organisational domain: sp= holds */
	struct bytes text;	/* of the one record, also if not applied */
	struct dmarc_record record;	/* FOUND */
	bool authentic;		/* every answer it rests on was secure */
};

/*
 * RFC 7489 6.6.3: the record of the domain, else of its organisational
 * domain. start sends both questions at the same time; finish waits. domain
 * is in A-labels, lower case. Everything lies in the arena.
 */
struct dmarc_finder;
struct dmarc_finder *dmarc_find_start(struct dns *d, struct arena *a,
    struct bytes domain);
void dmarc_find_finish(struct dmarc_finder *f, struct dmarc_found *out);

/* ---- where reports may go ---- */

/*
 * RFC 7489 7.1: whoever has a report address outside the organisational domain
 * of the record must say so, at DOMAIN._report._dmarc.HOST. start asks, finish
 * waits; domain is that of the record. In the arena.
 */
enum dmarc_accept {
	DMARC_ACCEPTS,
	DMARC_REFUSES,		/* also what is no mailto address */
	DMARC_ACCEPT_UNKNOWN,	/* DNS could not say now */
};
struct dmarc_acceptor {
	struct bytes name;	/* asked for; empty: nobody need be */
	struct dns_query *query;
	const char *why;	/* constant text; "" if it accepts */
};
void dmarc_accept_start(struct dns *d, struct arena *a, struct bytes domain,
    struct bytes uri, struct dmarc_acceptor *out);
enum dmarc_accept dmarc_accept_finish(struct dns *d,
    struct dmarc_acceptor *c);

/* ---- the From domain ---- */

/*
 * The domain of the one address in the one From field, in A-labels and lower
 * case. -1 EBADMSG with *why: no From field, several of them, no address,
 * several addresses, an address without a domain name.
 */
int dmarc_from_domain(struct arena *a, struct bytes message,
    struct bytes *domain, const char **why);

/* ---- the decision ---- */

enum dmarc_result {		/* RFC 7489 11.2 */
	DMARC_NONE,		/* no record is applied, or no From domain */
	DMARC_PASS,
	DMARC_FAIL,
	DMARC_TEMPERROR,
	DMARC_PERMERROR,	/* the record is malformed */
};
/* "none", "pass", "fail", "temperror", "permerror". */
const char *dmarc_result_name(enum dmarc_result r);

/* How well the From domain is vouched for, record or not, weakest first. */
enum dmarc_alignment {
	DMARC_ALIGNED_NONE,
	DMARC_ALIGNED_RELAXED,	/* same organisational domain only */
	DMARC_ALIGNED_DMARC,	/* relaxed, and DMARC passes */
	DMARC_ALIGNED_STRICT,	/* the same domain */
};
/* "none", "relaxed", "dmarc", "strict". */
const char *dmarc_alignment_name(enum dmarc_alignment c);

/* What one SPF check or one signature says about a domain. */
enum dmarc_word { DMARC_WORD_OTHER, DMARC_WORD_PASS, DMARC_WORD_TEMPERROR };
struct dmarc_auth {
	enum dmarc_word word;
	struct bytes domain;	/* U- or A-labels, any case; or nonsense */
};

struct dmarc_input {
	struct bytes from;	/* as dmarc_from_domain gives it; empty: none */
	const char *from_why;	/* then: its reason */
	struct dmarc_auth spf;	/* of MAIL FROM, or HELO for a null one */
	const struct dmarc_auth *dkim;
	size_t ndkim;
	unsigned int draw;	/* 0 to 99, chance: for pct= */
};

struct dmarc {
	enum dmarc_result result;
	const char *reason;	/* constant text; may be empty */
	struct bytes from;
	struct dmarc_found found;
	enum dmarc_policy policy;	/* published for this domain */
	/* What its owner asks for now: none unless result is fail; none when
	 * pct= leaves this message out. Quarantine counts as reject with us;
	 * temperror never rejects. */
	enum dmarc_policy disposition;
	bool sampled_out;
	/*
	 * Local policy (RFC 8617 7.2.1): the ARC set by a trusted domain that
	 * says the message passed before it was forwarded; 0: none. Then
	 * disposition is none, and result stays fail.
	 */
	unsigned int arc_instance;
	bool spf_aligned, dkim_aligned;	/* and passing, as the record wants */
	enum dmarc_alignment alignment;
};

/* The look-up and the decision; f is NULL without a From domain. */
void dmarc_check(struct arena *a, const struct dmarc_input *in,
    struct dmarc_finder *f, struct dmarc *out);
/* Follow the word of that ARC set in place of the owner's wish. */
void dmarc_set_vouched(struct dmarc *r, unsigned int arc_instance);
/* A number of 0 to 99 out of a received-id: the same message is always drawn
 * the same, and its sender cannot choose. */
unsigned int dmarc_draw(struct bytes id);

/*
 * Append the resinfo (RFC 8601 2.2), without ";" and folding:
 * dmarc=fail (p=reject with dnssec) header.from=example.org
 *     policy.dmarc=reject policy.alignment=none
 * -1 EMSGSIZE.
 */
int dmarc_format_resinfo(struct buf *out, const struct dmarc *r);
/*
 * Append a line for -q without LF, tab separated, "-" for what is empty:
 * result, From domain, disposition, alignment, domain of the record, record,
 * reason. -1 EMSGSIZE.
 */
int dmarc_format_line(struct buf *out, const struct dmarc *r);

/* ---- reading results, in process and by hand alike ---- */

/* Take SPF and DKIM results out of resinfo of the trusted block. in->from
 * and in->draw are left alone. */
void dmarc_read_auth(struct arena *a, const struct bytes *resinfo, size_t n,
    struct dmarc_input *in);

/* What a decision needs of the DMARC result. */
struct dmarc_facts {
	enum dmarc_result result;
	enum dmarc_policy disposition;
	enum dmarc_alignment alignment;
	struct bytes from;	/* empty: no one From domain */
	unsigned int arc_instance;	/* as in struct dmarc */
};
/* Out of resinfo of the trusted block; false: dmarc-check has not run, *out
 * unchanged. */
bool dmarc_read_facts(struct arena *a, const struct bytes *resinfo, size_t n,
    struct dmarc_facts *out);

#endif
