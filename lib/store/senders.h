/*
 * senders.h - the part of store.h about who sent messages, and what became of
 * them: history for reputation (J-2, A-11), rates
 */
#ifndef STORE_SENDERS_H
#define STORE_SENDERS_H

#include "base/base.h"
#include "origin/origin.h"

struct store_view;

/*
 * What a message can be found by. Its identity is a text: "local@domain", a
 * domain, or the canonical text of a masked address (origin_masks), all as
 * struct origin has them.
 */
enum store_origin_key {
	STORE_ORIGIN_FROM,		/* each with its mark of validation */
	STORE_ORIGIN_FROM_DOMAIN,
	STORE_ORIGIN_FROM_ORG,
	STORE_ORIGIN_DKIM,		/* each domain that passed */
	STORE_ORIGIN_MAIL_FROM,		/* these three only if SPF passed */
	STORE_ORIGIN_MAIL_FROM_DOMAIN,
	STORE_ORIGIN_HELO,
	STORE_ORIGIN_IP1,
	STORE_ORIGIN_IP2,
	STORE_ORIGIN_IP3,
	STORE_ORIGIN_KEYS,
};

struct store_history_query {
	uint32_t original_mailbox;	/* where the messages came first */
	enum store_origin_key key;
	struct bytes identity;
	bool validated;		/* of the FROM keys: those it was so for */
	int64_t since;		/* received at that time or later */
	size_t max;
};
struct store_history {
	uint32_t mailbox, uid;	/* where the message is */
	int64_t date;		/* of reception */
	bool junk;		/* $Junk; otherwise $NotJunk alone */
	uint64_t local_part;	/* hash of that of its From address */
};
/*
 * Messages with that origin that carry $Junk or $NotJunk now, newest first;
 * the number of them (at most max) goes to *n. 0, -1. Cost: one range of keys
 * of a little more than max entries, however many messages there are.
 */
int store_history(struct store_view *v, const struct store_history_query *q,
    struct store_history *out, size_t *n);

/*
 * Messages, and their bytes, that came from an address under its masks in the
 * minute and in the 24 hours before now, and were not expunged since. Of the
 * day, what is older than a minute is known to ten minutes: a day is up to ten
 * minutes longer than 24 hours. ip.family 0: nothing.
 */
enum { STORE_RATE_MINUTE, STORE_RATE_DAY, STORE_RATE_WINDOWS };
struct store_rates {
	uint64_t count[STORE_RATE_WINDOWS][ORIGIN_MASKS];
	uint64_t bytes[STORE_RATE_WINDOWS][ORIGIN_MASKS];
};
int store_rates(struct store_view *v, const struct ip *ip, int64_t now,
    struct store_rates *out);

#endif
