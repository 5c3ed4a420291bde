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

/*
 * Look-ups asked ahead in one check, besides the terms that may count (4.6.4)
 * the hosts of an mx: more are asked when it is their turn.
 */
#define SPF_AHEAD_MAX (4 * SPF_LOOKUPS_MAX)
struct spf_ahead {
	enum dns_type type;
	struct bytes name;
	struct dns_query *query;
	bool seen;		/* what follows from the answer is asked */
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
	struct spf_ahead ahead[SPF_AHEAD_MAX];
	size_t nahead;
	unsigned int terms_ahead;	/* of them, those that count */
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
/* The look-up that was asked ahead, or a new one. */
struct dns_query *spf_query(struct spf_check *c, enum dns_type type,
    struct bytes name);
/*
 * Ask what the terms of a record of that domain may need, all at once: no
 * more than SPF_LOOKUPS_MAX terms in the whole check, none behind a term that
 * is sure to match, and none whose name rests on other look-ups. It changes no
 * result: terms are judged, and counted, in their order.
 */
void spf_ask_ahead(struct spf_check *c, const struct spf_record *r,
    struct bytes domain);
/* The same for records, and mx hosts, whose answers have come meanwhile. */
void spf_go_on_ahead(struct spf_check *c);
/*
 * The name a domain-spec means: expanded, shortened from the left to what
 * DNS carries (7.3), without final dot. False: no name to ask for.
 */
bool spf_expand_name(struct spf_check *c, struct bytes spec,
    struct bytes domain, struct bytes *name);
/* The one record among the TXT records, 4.5. 1, 0 none, -1 several. */
int spf_select_record(const struct dns_answer *answer, struct bytes *text);
/* The name or record does not exist: 4.6.4. */
bool spf_is_void(const struct dns_answer *answer);
/* A, or AAAA for an IPv6 client: 5. */
enum dns_type spf_address_type(const struct spf_check *c);
/* Look up the names of the client once. */
const struct spf_names *spf_client_names(struct spf_check *c);

#endif
