/*
 * slots.h - the places of a desk (desk.c): a part of internal.h
 *
 * An owner offers bytes in a slot; a leader, of whom each key has one at a
 * time, takes what is offered, and says what became of it. No function here
 * knows what the bytes mean.
 */
#ifndef STORE_SLOTS_H
#define STORE_SLOTS_H

#include "store/desk.h"
#include "store/internal.h"

#define DESK_SLOTS 64		/* messages on their way at a time */
#define DESK_BYTES 49152	/* of one: all but those of long headers */
#define DESK_BATCH_MAX 16	/* taken by a leader: bounds its memory, and how
				long the account is held */
#define DESK_WAIT_MS 2000	/* what nobody takes is delivered alone */
#define DESK_LOOK_MS 100	/* then a waiting owner looks who lives */

/* Where a message goes: an index as it was opened, and a mailbox of it. */
struct desk_key {
	dev_t dev;
	ino_t inode;
	uint32_t mailbox;
};

/* ---- who leads ---- */

/* Never waits. What a leader had taken that ended is orphaned by this. */
bool desk_lead(struct store_desk *d, const struct desk_key *k);
/* Also wakes one of those that wait, to be the next. */
void desk_leave(struct store_desk *d, const struct desk_key *k);

/* ---- owners ---- */

struct desk_offer {
	struct store_desk *desk;
	struct desk_key key;
	unsigned int slot;
	uint32_t claim;
	int64_t until;		/* time_mono_ms */
};
/* false: too many bytes, no slot is free, or who leads is of another account
 * that has the same lock; nothing is offered. */
bool desk_offer(struct store_desk *d, const struct desk_key *k,
    struct bytes s, struct desk_offer *out);
enum desk_end {
	DESK_LEAD,	/* the owner leads now, and nobody took it */
	DESK_ALONE,	/* nobody took it in time, or will; or it was given
			back */
	DESK_STORED,	/* it is durable */
	DESK_COMMITTED,	/* but for new/ and cur/, which nobody synced */
	DESK_FAILED,	/* committed, and the sync failed: errno EIO */
	DESK_ORPHAN,	/* its leader ended: the files have the truth */
};
/* The slot is free afterwards. *done is of those that were committed. */
enum desk_end desk_wait(const struct desk_offer *o,
    struct store_delivered *done);

/* ---- leaders ---- */

struct desk_taken {
	struct bytes data;	/* in the slot */
	unsigned int slot;
	uint32_t word;
};
/* What is offered for the key, at most max. */
size_t desk_take(struct store_desk *d, const struct desk_key *k,
    struct desk_taken *out, size_t max);
/* Before the leader leaves, one of: */
void desk_give_back(struct store_desk *d, const struct desk_taken *t);
void desk_committed(struct store_desk *d, struct desk_taken *t,
    const struct store_delivered *done);
/* And later, whether new/ and cur/ were synced. */
void desk_done(struct store_desk *d, const struct desk_taken *t, bool synced);

#endif
