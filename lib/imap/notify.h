/*
 * notify.h - NOTIFY (RFC 5465): what a client wants to be told of
 */
#ifndef IMAP_NOTIFY_H
#define IMAP_NOTIFY_H

#include "imap/internal.h"

/* Notifications that may wait for the client to read (I-7); one more ends them
 * all. What happens to the selected mailbox waits as bits of its view and
 * counts only where attributes of new messages were asked for. */
#define NOTIFY_PENDING_MAX 1000
/* Names in one NOTIFY SET: each is compared with each event. */
#define NOTIFY_NAMES_MAX 1000

enum {
	NOTIFY_NEW = 1 << 0,
	NOTIFY_EXPUNGE = 1 << 1,
	NOTIFY_FLAGS = 1 << 2,
	NOTIFY_ANNOTATION = 1 << 3,	/* no message has any here */
	NOTIFY_MESSAGE = (1 << 4) - 1,	/* all these are about messages */
	NOTIFY_NAME = 1 << 4,
	NOTIFY_SUBSCRIPTION = 1 << 5,
	NOTIFY_METADATA = 1 << 6,
	NOTIFY_SERVER_METADATA = 1 << 7,
};

enum notify_kind { NOTIFY_SELECTED, NOTIFY_SELECTED_DELAYED, NOTIFY_INBOXES,
	NOTIFY_PERSONAL, NOTIFY_SUBSCRIBED, NOTIFY_SUBTREE, NOTIFY_MAILBOXES };

struct notify_name {
	struct notify_name *next;
	struct bytes name;
};

struct notify_group {
	struct notify_group *next;
	enum notify_kind kind;
	struct notify_name *names;	/* of SUBTREE and MAILBOXES */
	uint32_t events;
};

struct notify {
	struct arena a;			/* groups, names, items */
	struct notify_group *groups;	/* all but those of the selected */
	uint32_t selected;		/* events of the selected mailbox */
	bool delayed;			/* SELECTED-DELAYED */
	struct fetch_item *items;	/* of MessageNew */
	uint64_t modseq;		/* changes up to it were told */
	/* Announced messages whose items are still to be sent. */
	uint32_t fresh[NOTIFY_PENDING_MAX];
	size_t fresh_count;
};

void notify_free(struct notify *n);	/* NULL: nothing */

/* What is wanted of a mailbox by its name: events. */
uint32_t notify_wants(const struct notify *n, struct bytes name,
    bool subscribed);

/* Whether an event of the selected mailbox is told. */
static inline bool
notify_tells(const struct imap *im, uint32_t event)
{
	return im->notify == NULL || (im->notify->selected & event) != 0;
}

/* Whether there is something to tell without being asked. */
static inline bool
notify_listens(const struct imap *im)
{
	return im->notify != NULL &&
	    (im->notify->groups != NULL || im->notify->selected != 0);
}

/* ---- notifysay.c ---- */

/* Say what happened in the account, the selected mailbox aside. */
void notify_say(struct imap *im);
/* EXISTS is to be said of the messages behind the announced ones. */
void notify_fresh(struct imap *im);
/* The selected mailbox was left. */
void notify_left(struct imap *im);
/* Begin to FETCH what was asked for of new messages, here or by UPDATE (7);
 * false: none is left. */
bool notify_fetch(struct imap *im);

/* ---- context.c ---- */

/* Of *n > 0 ascending uids, which are sent with items: the first ones, *n from
 * then on, that the same contexts wait for; their items come to the others,
 * and the contexts wait for them no more. */
void contexts_join(struct imap *im, struct fetch_item **items,
    const uint32_t *uids, size_t *n);

/* ---- fetchparse.c ---- */

/* Add copies of those of more that are not among them; bytes are shared. */
void fetch_join_items(struct arena *a, struct fetch_item **items,
    const struct fetch_item *more);

#endif
