/*
 * iprev.h - is the client's reverse name confirmed forward? RFC 8601 3
 */
#ifndef IPREV_H
#define IPREV_H

#include "base/base.h"
#include "dns/dns.h"

enum iprev_result {
	IPREV_PASS,		/* a PTR name has this address */
	IPREV_FAIL,		/* PTR names, and none has it */
	IPREV_TEMPERROR,	/* DNS failed: may be answered later */
	IPREV_PERMERROR,	/* no PTR record */
};

enum {
	IPREV_NAMES_MAX = 10,	/* PTR names confirmed, as RFC 7208 4.6.4 */
};

struct iprev {
	enum iprev_result result;
	struct ip ip;
	struct bytes name;	/* pass: confirmed; fail: first PTR name, or
				 * empty. Lower case, any bytes but "." NUL */
	bool authentic;		/* every answer it rests on was DNSSEC-secure */
	const char *why;	/* constant text; "" for pass */
};

/*
 * RFC 8601 3: look up the PTR names of ip, then the A or AAAA records of the
 * first IPREV_NAMES_MAX of them, all at the same time. Results live in the
 * arena. An ip of family 0 gives IPREV_PERMERROR. Never fails.
 */
void iprev_check(struct dns *d, struct arena *a, const struct ip *ip,
    struct iprev *out);
/*
 * The same in steps, so that other look-ups run at the same time: start asks
 * for the PTR names, go_on (may be left out) waits for them and asks for their
 * addresses, finish waits and judges. *ip is copied.
 */
struct iprev_finder;
struct iprev_finder *iprev_start(struct dns *d, struct arena *a,
    const struct ip *ip);
void iprev_go_on(struct iprev_finder *f);
void iprev_finish(struct iprev_finder *f, struct iprev *out);
/* "pass", "fail", "temperror", "permerror": RFC 8601 2.7.3. */
const char *iprev_result_name(enum iprev_result result);
/* The name if it is made of host name bytes (letters, digits, "-", "_", "."),
 * so that it may stand in a header field or environment; else empty. */
struct bytes iprev_host(const struct iprev *r);
/*
 * Append the resinfo of RFC 8601 2.2, without ";" and folding:
 * iprev=pass policy.iprev=192.0.2.1 (mail.example.org); "(with dnssec)" stands
 * behind the result where every answer was secure. -1 EMSGSIZE.
 */
int iprev_format_resinfo(struct buf *out, const struct iprev *r);
/*
 * Append a line for -q without LF, tab separated, "-" for what is empty:
 * result, address, name, reason. -1 EMSGSIZE.
 */
int iprev_format_line(struct buf *out, const struct iprev *r);

#endif
