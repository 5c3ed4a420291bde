/*
 * rules.h - where mail for an address goes: the rules of its account
 *
 * A rule is a section [rule "NAME"] of account.conf(5). The first one, in the
 * order written, whose conditions all hold decides (BEHAVIOUR 1.1). What it
 * decides is told, nothing is done here: who accepts and refuses reads the
 * result. A script language would be one more source of such a result.
 *
 * rules_read takes rules out of the configuration, rules_facts_read facts out
 * of a message with its trusted block, rules_match joins the two; the last is
 * pure: same rules, same facts, same result. Who has many messages keeps the
 * rules, and their expressions as they are compiled, in a set.
 */
#ifndef RULES_H
#define RULES_H

#include "addr/addr.h"
#include "base/base.h"
#include "config/config.h"
#include "recipient/recipient.h"
#include "trace/trace.h"

enum {
	/* Rules of one account: a person writes them. */
	RULES_MAX = CONFIG_RULES_MAX,
	/* Header fields looked at, and bytes of one value; what stands beyond
	 * is of no rule's business. */
	RULES_FIELDS_MAX = 1000,
	RULES_VALUE_MAX = 8192,
	/* Verified domains looked at: signatures are bounded, see dkim.h. */
	RULES_DOMAINS_MAX = 100,
};
/* Steps of expressions over one message (regex.h), some 0.1 s: whoever writes
 * the message, or the rules, cannot have more. Half are for rules that
 * refuse: what others cost is not theirs. */
#define RULES_STEPS_MAX ((uint64_t)20 * 1000 * 1000)
/* What a set keeps: two thousand expressions as people write them. */
#define RULES_KEEP_MAX ((size_t)4 * 1024 * 1024)

/* ---- what is known of a message ---- */

struct rules_facts {
	/* "local@domain", domain in U-labels and lower case, case of the local
	 * part as given; empty: the null sender. */
	struct bytes mail_from;
	/* The one address of the one From field, in the same form. */
	bool has_from;
	struct bytes from;
	/* All in A-labels, lower case, each once; empty or 0: none. */
	struct bytes helo_domain;	/* SPF passed for HELO */
	struct bytes mail_from_domain;	/* SPF passed for MAIL FROM */
	const struct bytes *dkim_domain;	/* d= of signatures that pass */
	size_t ndkim_domains;
	/* Header sections, looked at in this order: fields put in front here,
	 * by filters for example, then the message's own. */
	const struct bytes *header;
	size_t nheaders;
};
/*
 * Facts of a message: from the results in its trusted block, the envelope
 * and its header section. They point into the three and the arena.
 */
void rules_facts_read(struct arena *a, const struct trace_block *block,
    const struct trace_envelope *e, struct bytes message,
    struct rules_facts *out);

/* The one address of the one From field of a header section; false: there is
 * none, or there are several. */
bool rules_from(struct arena *a, struct bytes header, struct path *out);

/* ---- rules ---- */

struct rules_header {
	struct bytes name, value;	/* expressions over lower-case text */
};

struct rule {
	struct bytes name;
	/* conditions; empty: not given */
	struct bytes mail_from, msg_from;	/* expressions (regex.h) */
	struct bytes verified_domain;		/* A-labels, lower case */
	struct rules_header *header;
	size_t nheaders;
	/* what it decides */
	struct bytes mailbox;		/* empty: the address's */
	struct bytes comment;
	bool forward;
	struct bytes list_allow_domain;	/* A-labels, lower case */
	struct bytes accept_rejects_to;	/* mailbox */
	struct bytes reply;		/* "550 5.7.1 text"; empty: none */
	struct bytes *command;		/* "/path" or "|command" each */
	size_t ncommands;
	/* Where its compiled expressions are kept, or NULL: nowhere. */
	struct rules_code *code;
};

/*
 * The rules of r's account that hold for its address, in order, in the
 * arena, with views into c. The number of them.
 */
size_t rules_read(const struct config *c, struct arena *a,
    const struct recipient *r, struct rule **out);

/* ---- the result ---- */

/* Why a rule was not the one, for people: the key of the first condition
 * that does not hold. NULL: all hold. */
struct rules_step {
	struct bytes rule;
	const char *failed;
	bool undecided;		/* it took too long to know */
};

struct rules_result {
	struct bytes rule;		/* its name; empty: none matched */
	struct bytes comment;
	struct bytes mailbox;		/* where to; never empty */
	/*
	 * D-5: DMARC does not refuse, the client's addresses, HELO and MAIL
	 * FROM are the forwarder's and so is verified_domain (may be empty)
	 * among the DKIM domains: they say nothing of the author.
	 */
	bool is_forward;
	struct bytes verified_domain;
	/* D-6: the rule's list domain, and whether SPF of MAIL FROM or a
	 * signature vouches for exactly it: then it is accepted, unread. */
	struct bytes list_allow_domain;
	bool list_allowed;
	/* D-7: what would be refused is accepted into this mailbox; empty:
	 * it is refused. */
	struct bytes accept_rejects_to;
	/* B-20: refuse with this; code 0: no such wish. */
	int reply_code;
	struct bytes reply_status, reply_text;
	/* B-32: the message goes through them when it was accepted. */
	const struct bytes *command;
	size_t ncommands;
	/* D-8, of the address, whichever rule: From must be vouched for, else
	 * the message is refused with this text; empty: not required. */
	struct bytes message_auth_required;
	/* RULES_STEPS_MAX was used up: rules that needed more count as not
	 * matching (steps tell which), but where that leaves open whether one
	 * refuses: rule is that one, reply_code 451. */
	bool over_budget;
	struct rules_step *steps;	/* each rule up to the matching one */
	size_t nsteps;
};

/*
 * The first of n rules that matches, in *out (arena). mailbox: where the
 * address's mail goes otherwise.
 */
void rules_match(struct arena *a, const struct rule *rules, size_t n,
    struct bytes mailbox, const struct rules_facts *f,
    struct rules_result *out);
/* All of it for a recipient: rules_read, the address's settings,
 * rules_match. */
void rules_apply(const struct config *c, struct arena *a,
    const struct recipient *r, const struct rules_facts *f,
    struct rules_result *out);


/* ---- kept ---- */

/*
 * The rules of a recipient, read once, for one message after the other. An
 * expression is compiled when it is first needed, and kept as long as all of
 * the set takes less than RULES_KEEP_MAX. It ends before c does; so do its
 * results.
 */
struct rules_set;
struct rules_set *rules_set_new(const struct config *c,
    const struct recipient *r);
void rules_set_free(struct rules_set *s);	/* NULL: nothing */
/* Whether these are the rules of that recipient. */
bool rules_set_is_for(const struct rules_set *s, const struct config *c,
    const struct recipient *r);
/* Bytes it takes. */
size_t rules_set_bytes(const struct rules_set *s);
/* As rules_apply. */
void rules_set_apply(struct rules_set *s, struct arena *a,
    const struct recipient *r, const struct rules_facts *f,
    struct rules_result *out);

/* Equal to domain or above it: "example.org" and "a.example.org". Both in
 * A-labels, lower case. */
bool rules_domain_is_within(struct bytes domain, struct bytes above);

#endif
