/* internal.h - what the files of lib/spf share */
#ifndef SPF_INTERNAL_H
#define SPF_INTERNAL_H

#include "spf/spf.h"

/* What a macro may stand in: RFC 7208 7.2, 6.2. */
enum spf_text {
	SPF_IN_DOMAIN,		/* no c, r, t; visible characters */
	SPF_IN_MODIFIER,	/* every letter; visible characters */
	SPF_IN_EXPLANATION,	/* every letter, and spaces */
};

/* Syntax of a macro-string (7.1); empty is right. */
bool spf_macro_valid(struct bytes s, enum spf_text in);
/* Syntax of a domain-spec (7.1): with its end, so never empty. */
bool spf_domain_spec_valid(struct bytes s);
/* Whether one of the letters (lower case) is used. s must be valid. */
bool spf_macro_uses(struct bytes s, const char *letters);

struct spf_names {		/* validated names of the client, 5.5 */
	bool done;
	bool is_void;		/* no PTR record */
	struct bytes name[SPF_PTR_MAX];
	size_t n;
};

/* One run of check_host() and all it calls. */
struct spf_check {
	struct dns *dns;
	struct arena *arena;
	const struct spf_args *args;
	struct spf *out;
	struct bytes local_part, sender_domain;
	unsigned int lookups, voids;
	struct spf_names names;
	struct dns_query *first;	/* started ahead; NULL once used */
};

/*
 * Expand a valid macro-string for the domain whose record it stands in, at
 * most SPF_EXPANSION_MAX bytes. -1 EMSGSIZE.
 */
int spf_expand(struct spf_check *c, struct bytes s, struct bytes domain,
    struct buf *out);
/* Look up, and note in c->out whether the answer was authentic. */
const struct dns_answer *spf_lookup(struct spf_check *c, enum dns_type type,
    struct bytes name);
const struct dns_answer *spf_wait(struct spf_check *c, struct dns_query *q);
/* The name or record does not exist: 4.6.4. */
bool spf_is_void(const struct dns_answer *answer);
/* A, or AAAA for an IPv6 client: 5. */
enum dns_type spf_address_type(const struct spf_check *c);
/* Look up the names of the client once. */
const struct spf_names *spf_client_names(struct spf_check *c);

#endif
