/*
 * spf.h - may this client use this sender domain? RFC 7208
 *
 * spf_check is check_host() of RFC 7208 4 for the identity that counts: MAIL
 * FROM, or for the null reverse-path postmaster@HELO (2.4). Domains are
 * compared and asked for as A-labels; local parts may be UTF-8 (RFC 8616 4).
 */
#ifndef SPF_H
#define SPF_H

#include "base/base.h"
#include "dns/dns.h"

enum spf_result {		/* RFC 7208 2.6 */
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR,
};

enum {
	SPF_LOOKUPS_MAX = 10,	/* terms that ask DNS, RFC 7208 4.6.4 */
	SPF_VOID_MAX = 2,	/* of them with nothing found, 4.6.4 */
	SPF_MX_MAX = 10,	/* hosts of one mx, 4.6.4 */
	SPF_PTR_MAX = 10,	/* names of one ptr or %{p}, 4.6.4 */
	SPF_TIME_MS = 20000,	/* of one check; at least 20 s, 4.6.4 */
	SPF_RECORD_MAX = 8192,	/* bytes of a record; 3.4 wants 450 */
	SPF_TERMS_MAX = 256,	/* terms of a record */
	SPF_EXPLANATION_MAX = 800,	/* characters handed on */
	SPF_EXPANSION_MAX = 2048,	/* bytes of an expanded macro-string */
};

enum spf_identity { SPF_MAILFROM, SPF_HELO };

struct spf_args {
	struct ip ip;		/* the client */
	struct bytes helo;	/* as given; may be a literal or nonsense */
	/* Both empty for the null reverse-path. The local part without
	 * quoting; the domain with A-labels, or as given if it is none. */
	struct bytes sender_local, sender_domain;
	struct bytes receiver;	/* our host name: %{r}, receiver=; may be "" */
	int64_t now_seconds;	/* %{t} */
};

struct spf {
	enum spf_result result;
	enum spf_identity identity;	/* what was checked */
	struct ip ip;
	struct bytes helo;
	struct bytes receiver;
	/* Of the identity; the local part is "postmaster" if it had none. */
	struct bytes local_part, domain;
	/* Text of the term that matched, as in the record ("-all",
	 * "include:_spf.example.org", "redirect=..." never); "default" when
	 * none did (4.7); empty for none and errors. */
	struct bytes mechanism;
	/* Printable ASCII of at most SPF_EXPLANATION_MAX characters, from
	 * the domain owner, not to be trusted (11.5); only for fail; empty:
	 * none was given, or it was not usable. */
	struct bytes explanation;
	const char *problem;	/* constant text; "" if there is none */
	struct bytes problem_domain;	/* whose record has it; may be empty */
	bool authentic;		/* every answer it rests on was DNSSEC-secure */
	unsigned int lookups;	/* terms that asked DNS */
};

/*
 * Check the identity. Everything in *out lives in the arena or in args.
 * Terms of a record are looked up at the same time, and judged in their
 * order: what was asked and not needed may still be in flight afterwards
 * (dns_cancel or dns_free before the arena is reset).
 * Takes at most SPF_TIME_MS (or what dns_set_deadline left), then temperror.
 * Never fails.
 */
void spf_check(struct dns *d, struct arena *a, const struct spf_args *args,
    struct spf *out);
/*
 * The same in two steps, so that other look-ups run at the same time: start
 * asks for the record of the identity's domain, finish waits and evaluates
 * it. *args is copied, what it points to must live until finish. The time of
 * SPF_TIME_MS runs for the first answer from start, for the rest from finish.
 */
struct spf_starter;
struct spf_starter *spf_start(struct dns *d, struct arena *a,
    const struct spf_args *args);
void spf_finish(struct spf_starter *s, struct spf *out);
/* "none", "neutral", "pass", "fail", "softfail", "temperror", "permerror". */
const char *spf_result_name(enum spf_result result);

/*
 * Append the Received-SPF field of RFC 7208 9.1 with name, folded to 78
 * columns with LF TAB, ending in LF. -1 EMSGSIZE.
 */
int spf_format_field(struct buf *out, const struct spf *r);
/*
 * Append the resinfo of RFC 8601 2.2, without ";" and folding:
 * spf=pass smtp.mailfrom=a@example.org, or smtp.helo=... -1 EMSGSIZE.
 */
int spf_format_resinfo(struct buf *out, const struct spf *r);
/*
 * Append a line for -q without LF, tab separated, "-" for what is empty:
 * result, "mailfrom" or "helo", address, domain, mechanism, problem,
 * explanation. -1 EMSGSIZE.
 */
int spf_format_line(struct buf *out, const struct spf *r);

/* ---- records ---- */

enum spf_kind {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
	SPF_REDIRECT,		/* modifiers from here on */
	SPF_EXP,
	SPF_UNKNOWN,
};

struct spf_term {
	enum spf_kind kind;
	char qualifier;		/* + - ~ ?; '+' when none is written */
	struct bytes text;	/* as in the record */
	struct bytes name;	/* SPF_UNKNOWN: modifier name */
	struct bytes spec;	/* domain-spec or macro-string, unexpanded;
				 * empty: none */
	struct ip net;		/* ip4, ip6; v4-mapped stays IPv6 */
	unsigned int bits4, bits6;	/* prefix lengths, 32 and 128 if none */
};

struct spf_record {
	struct spf_term *terms;	/* in the order of the record */
	size_t nterms;
	const struct spf_term *redirect, *exp;	/* or NULL */
	bool has_all;
};

enum spf_find_status {
	SPF_FOUND,
	SPF_ABSENT,		/* none */
	SPF_SEVERAL,		/* more than one: a permerror, 4.5 */
	SPF_NO_ANSWER,		/* DNS could not say now */
};
struct spf_found {
	enum spf_find_status status;
	const char *why;	/* constant text; "" if found */
	struct bytes text;	/* of the one record, not parsed */
	bool authentic;		/* the answer was DNSSEC-secure */
};
/* The record of a domain in A-labels (4.4, 4.5), for people to look at. In
 * the arena. */
void spf_find(struct dns *d, struct arena *a, struct bytes domain,
    struct spf_found *out);

/* Starts with "v=spf1" and then a space or the end, without case: 4.5. */
bool spf_is_record(struct bytes text);
/*
 * Parse a record by the grammar of RFC 7208 12; terms live in the arena and
 * point into text. -1 EBADMSG (any syntax error anywhere, 4.6) or EMSGSIZE;
 * *why names the rule.
 */
int spf_parse(struct bytes text, struct arena *a, struct spf_record *out,
    const char **why);
/* Append the record in canonical form: parsing it gives an equal record. */
int spf_format(struct buf *out, const struct spf_record *r);

#endif
