/*
 * dnsbl.h - is the client on a list of bad senders kept in DNS? RFC 5782
 *
 * A zone lists an address when the address, its parts in reverse order, has A
 * records below it (2.0.0.127.zone; IPv6 by nibbles), and says why in TXT
 * records there. A zone can be out of order: gone, bought by somebody, or
 * listing everything. RFC 5782 5 names two addresses by which that is seen,
 * one that every zone lists and one that none does.
 */
#ifndef DNSBL_H
#define DNSBL_H

#include "base/base.h"
#include "dns/dns.h"

enum {
	DNSBL_ZONES_MAX = 16,	/* asked for one client: each is a wait */
	DNSBL_TEXT_MAX = 300,	/* bytes of the explanation, as used in a
				 * reply and in header fields */
	DNSBL_ZONE_MS = 30000,	/* one zone */
	/* How long the health of a zone is remembered. */
	DNSBL_HEALTH_MS = 4 * 3600 * 1000,
	/* Zones remembered, twice when they list IPv6 too; more are asked
	 * each time. */
	DNSBL_HEALTH_SLOTS = 64,
};

enum dnsbl_result {
	DNSBL_PASS,		/* not listed */
	DNSBL_FAIL,		/* listed */
	DNSBL_TEMPERROR,	/* no answer, or one that means nothing: counts
				 * as not listed */
	DNSBL_POLICY,		/* listed by a zone that is not healthy: counts
				 * as not listed */
	DNSBL_NONE,		/* no zones, or no address */
};

/* What one zone says. */
struct dnsbl_answer {
	enum dnsbl_result result;
	struct bytes zone;
	struct ip code;		/* FAIL, POLICY: the first record that is a
				 * listing; else family 0 */
	struct bytes text;	/* FAIL: TXT records joined by "; ", printable
				 * ASCII, at most DNSBL_TEXT_MAX bytes; empty
				 * if there is none */
	bool authentic;		/* FAIL: the listing was DNSSEC-secure */
	const char *why;	/* constant text; "" for PASS and FAIL */
};

struct dnsbl {
	/* FAIL if a zone lists the client, else PASS if one does not, else
	 * TEMPERROR, POLICY, or NONE. */
	enum dnsbl_result result;
	const struct dnsbl_answer *answers;	/* of the zones asked, in */
	size_t nanswers;			/* order; the last has FAIL */
};

/*
 * What is known of zones' health: memory that processes forked later share,
 * so that one asks for all. Entries are single words, so no lock is needed. It
 * holds no secret and is lost with the parent. NULL with errno. Never freed:
 * one for each server.
 */
struct dnsbl_health;
struct dnsbl_health *dnsbl_health_new(void);

struct dnsbl_options {
	const struct bytes *zones;	/* A-labels, in the order to ask */
	size_t nzones;			/* those past DNSBL_ZONES_MAX are not
					 * asked */
	unsigned int zone_ms;		/* 0: DNSBL_ZONE_MS */
	struct dnsbl_health *health;	/* NULL: ask each time */
};

/*
 * Ask one zone after the other until one lists ip (J-18), each within zone_ms
 * and all within the deadline of d. Whether a zone is healthy matters only for
 * a listing: it is asked for then, beside the explanation. DNS failing there
 * counts as healthy and is not remembered. All in the arena. Never
 * fails. Nothing of its own is left in flight; look-ups others have in flight
 * on d go on.
 */
void dnsbl_check(struct dns *d, struct arena *a,
    const struct dnsbl_options *o, const struct ip *ip, struct dnsbl *out);

enum dnsbl_state {
	DNSBL_HEALTHY,
	DNSBL_UNKNOWN,		/* DNS failed: counts as healthy */
	DNSBL_LISTS_ALL,	/* 127.0.0.1 is listed */
	DNSBL_LISTS_NOTHING,	/* 127.0.0.2 is not */
};
/*
 * RFC 5782 5: 127.0.0.1 must not be listed, 127.0.0.2 must; for an IPv6 family
 * ::ffff:7f00:1 and ::ffff:7f00:2. Asks both at the same time, within zone_ms;
 * looks at no memory.
 */
enum dnsbl_state dnsbl_zone_state(struct dns *d, struct arena *a,
    struct bytes zone, int family, unsigned int zone_ms);
/* "healthy", "unknown", "lists all", "lists nothing". */
const char *dnsbl_state_name(enum dnsbl_state state);

/* The name to ask for, in the arena; RFC 5782 2.1, 2.4. -1 EMSGSIZE: longer
 * than a name can be; EINVAL: ip has no family. */
int dnsbl_name(struct arena *a, const struct ip *ip, struct bytes zone,
    struct bytes *out);
/*
 * What an answer to the A look-up says: PASS; FAIL with the first record that
 * is a listing in *code; TEMPERROR with *why. A listing is in 127.0.0.0/8
 * (RFC 5782 2.1), but 127.255.255.0/24 is how operators tell that they do not
 * answer who asks so; anything else is a name server that answers everything.
 */
enum dnsbl_result dnsbl_judge(const struct dns_answer *answer,
    struct ip *code, const char **why);
/* The explanation of TXT records, as struct dnsbl_answer has it. */
struct bytes dnsbl_text(struct arena *a, const struct dns_answer *answer);

/* "pass", "fail", "temperror", "policy", "none". */
const char *dnsbl_result_name(enum dnsbl_result result);
/*
 * Append the resinfo, as RFC 8904 has it for lists of good senders:
 * dnsbl=fail dns.zone=bl.example policy.ip=127.0.0.2 policy.txt="spam", or the
 * result alone. -1 EMSGSIZE.
 */
int dnsbl_format_resinfo(struct buf *out, const struct dnsbl *r);
/*
 * Append a line for -q without LF, tab separated, "-" for what is empty:
 * result, address, zone, code, explanation or reason. -1 EMSGSIZE.
 */
int dnsbl_format_line(struct buf *out, const struct ip *ip,
    const struct dnsbl_answer *answer);

#endif
