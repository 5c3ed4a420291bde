/*
 * recipient.h - whose an address is
 *
 * The look-up of an envelope recipient in the configuration: local domains,
 * case folding, separators, catch-all, postmaster.
 */
#ifndef RECIPIENT_H
#define RECIPIENT_H

#include "addr/addr.h"
#include "base/base.h"
#include "config/config.h"

enum {
	RECIPIENT_DMARC_REPORTS = 1,	/* of a domain's dmarc-reports */
	RECIPIENT_TLS_REPORTS = 2,	/* of a domain's or the host's
					 * tls-reports */
};

struct recipient {
	struct bytes account;	/* a C string, lives as long as the config */
	struct bytes mailbox;	/* a C string, as above; "Inbox" if none set */
	struct bytes address;	/* canonical: local part folded and cut, domain
				 * in U-label form, quoted as RFC 5321 needs;
				 * in the arena */
	struct bytes domain;	/* the hosted domain, lives as the config; for
				 * postmaster and reports at a host name that
				 * is not hosted the host name */
	struct bytes key;	/* name for "address" section look-ups (its
				 * per-address settings); empty: none */
	struct bytes alias;	/* an alias: the name of its section, and the
				 * accounts are its members'; the three above
				 * but address and domain are empty */
	struct bytes error;	/* the address's smtp-error; empty: none. For
				 * config_split_reply */
	unsigned int reports;	/* RECIPIENT_..._REPORTS that it takes */
	bool catch_all;		/* found by "@domain" only */
	bool postmaster;	/* by the postmaster rules, not by an address */
	bool unknown;		/* sent to [server] unknown-recipients-to */
};

/*
 * recipient_find - look up path, given as it came in RCPT TO
 * 1: found, *out is filled. 0: the domain is local, the address is unknown.
 * -1 with errno: EACCES the domain is not local (not configured, or
 * reports-only, R-19; an address literal never is), EAGAIN the domain is
 * disabled (R-19: 450 4.2.1). *out is untouched unless 1.
 *
 * Order (first match wins):
 *  1. postmaster in any case, without a domain or at [server] hostname: the
 *     postmaster account, if one is set (RFC 5321 4.5.1, R-24); and [server]
 *     tls-reports-local-part in any case there: the account that takes
 *     reports about TLS to the host, if one is set;
 *  2. the local part in NFC, folded to lower case (all of Unicode) unless
 *     the domain is case-sensitive, then cut at each configured separator
 *     in turn (D-3; "+x" is cut to the empty local part), but one that takes
 *     reports, alone or with a separator behind it, is that one (D-16): the
 *     exact address (D-1), or the alias (D-9);
 *  3. "@domain" (D-2);
 *  4. postmaster in any case at a hosted domain: the postmaster account;
 *  5. [server] unknown-recipients-to.
 * With [server] simulate rule 5 also takes what is of no domain of ours.
 */
int recipient_find(const struct config *c, struct arena *a,
    const struct path *path, struct recipient *out);
/* The same in whatever state the domain is: whose an address is, where mail
 * was not sent to it (a member of an alias, an author). */
int recipient_find_any(const struct config *c, struct arena *a,
    const struct path *path, struct recipient *out);

/* ---- aliases (BEHAVIOUR 6) ---- */

/* Members of an alias that are expanded; a bigger list is a list manager's. */
#define RECIPIENT_MEMBERS_MAX 10000

struct recipient_alias {
	struct bytes name;		/* its address, as configured */
	struct recipient *member;	/* of accounts; each address once */
	size_t nmembers;
	struct bytes *external;		/* addresses elsewhere (B-4) */
	size_t nexternals;
	struct bytes bounces_to;	/* sender for those; empty: none */
	bool post_public, list_members, allow_msg_from;
};
/*
 * The alias a recipient was found to be (r.alias), in the arena. A member whose
 * address nobody has any more is left out.
 */
void recipient_alias_read(const struct config *c, struct arena *a,
    struct bytes name, struct recipient_alias *out);
/*
 * May this From address, NULL: none, or several, post to it? Whether it is
 * true nobody asks here: judging does.
 */
bool recipient_alias_may_post(const struct config *c, struct arena *a,
    const struct recipient_alias *alias, const struct path *from);
/* Are two addresses of strangers the same? Case is not known to matter, so it
 * does not, of no script. */
bool recipient_same(struct arena *a, struct bytes one, struct bytes other);
/* May the account write with the alias's address in From (D-11)? */
bool recipient_alias_may_use(const struct config *c, struct arena *a,
    struct bytes name, struct bytes account);

/* ---- [server] simulate: for trying, as localserve does (O-4) ---- */

/* Where a failure is to come: at MAIL by the sender, at RCPT or after the
 * message by the recipient. */
enum recipient_step { RECIPIENT_MAIL, RECIPIENT_RCPT, RECIPIENT_MESSAGE };
#define RECIPIENT_TIMEOUT 1
/*
 * What the local part asks for by how it ends: "temperror" 451, "permerror"
 * 550, three digits that code (400 to 599), "timeout" RECIPIENT_TIMEOUT, by a
 * wait of an hour. It comes after the message, or at MAIL where the local part
 * begins with "mailfrom", at RCPT where with "rcptto". 0: nothing, or not now,
 * or simulate is off.
 */
int recipient_simulated(const struct config *c, struct bytes local_part,
    enum recipient_step step);
/* A message to it stays in the queue, on hold: it begins with "queue". */
bool recipient_simulates_hold(const struct config *c,
    struct bytes local_part);

#endif
