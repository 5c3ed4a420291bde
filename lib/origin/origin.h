/*
 * origin.h - where a message came from, as far as our own checks vouch for it
 *
 * What reputation, limits and the index know of a sender. All of it is read
 * from the trusted block (trace.h) and the one From address; a name that a
 * stranger may have written himself has its own mark of being validated.
 * Domains are A-labels in lower case, local parts lower case; both empty:
 * not known.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include "base/base.h"
#include "trace/trace.h"

/* Domains with a passing signature that are kept; further ones are dropped:
 * each is a row of the index, and dkim-verify checks no more signatures. */
#define ORIGIN_DKIM_MAX 20
/* The masks of an address: /32 /26 /21 of IPv4, /64 /48 /32 of IPv6. */
#define ORIGIN_MASKS IP_NETS

struct origin {
	struct bytes from_local, from_domain;	/* of the one From address */
	struct bytes from_org;		/* its organisational domain */
	bool from_validated;		/* any alignment class but none */
	struct bytes mail_from_local, mail_from_domain;
	bool mail_from_validated;	/* SPF passed for it */
	struct bytes helo;
	bool helo_validated;
	struct bytes dkim[ORIGIN_DKIM_MAX];	/* passing, each once */
	size_t ndkim;
	struct ip ip;			/* family 0: not known */
};

/*
 * From the trusted block of a message and its envelope: the address of the
 * client, the HELO name and the reverse-path without <> (empty: that which SPF
 * looked at). rest is what follows the block. Everything lies in the arena or
 * points into the arguments.
 */
void origin_read(struct arena *a, const struct trace_block *block,
    const struct ip *ip, struct bytes helo, struct bytes sender,
    struct bytes rest, struct origin *out);
/*
 * The same from a message as it lies in a mailbox, Return-Path in front of
 * the block, or as stages pass it on, without. Its Received field must name
 * hostname. False: it is none of ours, *out is then empty. Where the block
 * says that a rule took it for forwarded, that is origin_forwarded; the
 * forwarder is then the domain SPF passed for.
 */
bool origin_of_stored(struct arena *a, struct bytes message,
    struct bytes hostname, struct origin *out);
/*
 * It was forwarded by somebody who is neither to gain nor to lose: without
 * addresses, HELO name and MAIL FROM, and without the signature of the
 * forwarder (verified_domain, exactly; may be empty).
 */
void origin_forwarded(struct origin *o, struct bytes verified_domain);
/* What an address is counted under, narrowest first; family 0 if ip's is. */
void origin_masks(const struct ip *ip, struct ip out[ORIGIN_MASKS]);
/* Whether there is nothing in it to remember. */
bool origin_is_empty(const struct origin *o);

#endif
