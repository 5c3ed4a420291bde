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

struct recipient {
	struct bytes account;	/* a C string, lives as long as the config */
	struct bytes mailbox;	/* a C string, as above; "Inbox" if none set */
	struct bytes address;	/* canonical: local part folded and cut, domain
				 * in U-label form, quoted as RFC 5321 needs;
				 * in the arena */
	struct bytes domain;	/* the hosted domain, lives as the config; for
				 * postmaster at a host name that is not hosted
				 * the host name */
	struct bytes key;	/* name for "address" section look-ups (its
				 * per-address settings); empty: none */
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
 *     postmaster account, if one is set (RFC 5321 4.5.1, R-24);
 *  2. the local part in NFC, folded to lower case (all of Unicode) unless
 *     the domain is case-sensitive, then cut at each configured separator
 *     in turn (D-3; "+x" is cut to the empty local part): the exact
 *     address (D-1);
 *  3. "@domain" (D-2);
 *  4. postmaster in any case at a hosted domain: the postmaster account;
 *  5. [server] unknown-recipients-to.
 * With [server] simulate rule 5 also takes what is of no domain of ours.
 */
int recipient_find(const struct config *c, struct arena *a,
    const struct path *path, struct recipient *out);

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
