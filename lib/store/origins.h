/*
 * origins.h - where messages came from, as the index keeps it: a part of
 * internal.h
 *
 * A message that came from outside has a row in the table origin, by its
 * place, with hashes of what it can be found by. While it carries one of $Junk
 * and $NotJunk the table history leads from each of them to it. The table rate
 * counts what came from an address lately.
 */
#ifndef STORE_ORIGINS_H
#define STORE_ORIGINS_H

#include "store/internal.h"

/* From 3, DKIM, MAIL FROM 2, HELO, masks. */
#define ORIGIN_ENTRIES_MAX (3 + ORIGIN_DKIM_MAX + 2 + 1 + ORIGIN_MASKS)

/* How a message is judged: by $Junk or $NotJunk; with both as with none, not
 * at all (RFC 9051 2.3.2, as training_wanted). */
enum judged { JUDGED_NOT, JUDGED_HAM, JUDGED_JUNK };
enum judged judged_by(uint32_t flags);

struct origin_row {
	uint32_t mailbox, uid;
	uint32_t original_mailbox;	/* where it came first */
	uint32_t original_uid;		/* and as what */
	enum judged listed;	/* as that the table history leads to it */
	bool counted;		/* in the table rate; copies are not */
	bool from_validated;
	int64_t date;		/* of reception */
	uint64_t size;
	uint64_t local_part;	/* hash, or 0 */
	size_t n;		/* 0: nothing is known, it has no row */
	struct {
		enum store_origin_key key;
		uint64_t hash;
	} entry[ORIGIN_ENTRIES_MAX];
};

/* ---- origin.c ---- */

/* The hashes of an origin; NULL: none. */
void origin_row_make(struct origin_row *out, const struct origin *o);
/* The same of a message as it is in a file; hostname NULL: none. */
void origin_row_read(struct arena *a, struct bytes message,
    const char *hostname, struct origin_row *out);
int origin_decode(struct bytes key, struct bytes value,
    struct origin_row *out);
/* 1, 0 no row, -1. */
int origin_get(struct kv_txn *t, uint32_t mailbox, uint32_t uid,
    struct origin_row *out);
/* The row of a new message whose record is there; what came lately counts. It
 * came to where it is if no original_mailbox is given. */
int work_origin_put(struct work *w, const struct store_message *m,
    struct origin_row *row);
/* The row of a message that was read again, unless it has one. */
int work_origin_renew(struct work *w, const struct store_message *m,
    struct origin_row *row);
/* Between the two work_put of a copy or move. original: the mailbox it counts
 * for from now on, or 0 (destined.h). */
int work_origin_copy(struct work *w, const struct store_message *from,
    const struct store_message *to, bool move, uint32_t original);
/* The flags of a message changed: list it or not, now or with what follows
 * (store_names) if there are many in one transaction. */
int work_origin_flags(struct work *w, const struct store_message *m);
/* What waits for store_names is put down; work_commit calls it. */
int work_origin_flush(struct work *w);
/* Do a piece of what waits; left_some's brother. 0, -1. */
int origin_settle_some(struct work *w);
/* Whether a message waits. 1, 0, -1. */
int origin_waits(struct kv_txn *t, uint32_t mailbox, uint32_t uid);
/* What goes with messages whose keys are noted. */
int origin_leave(struct work *w, struct bytes keys);
/* The table history from the rows, those of no message removed. */
int history_build(struct work *w);

#define KEY_HISTORY 33
#define HISTORY_VALUE 9		/* local part 8, 1 if junk */
#define HISTORY_DATE 13		/* of reception, all bits turned, in the key */
#define HISTORY_PLACE 25	/* of the message, in the key */
/* The key of an entry of a row in the table history. */
void history_key(unsigned char out[KEY_HISTORY], const struct origin_row *row,
    size_t entry);

/* ---- rate.c ---- */

/* Count a message, or take it out again. */
int work_rate(struct work *w, const struct origin_row *row, bool add);
/* Whether it could still be in the table. */
bool rate_is_recent(const struct origin_row *row);
/* Remove what is a day old. 0, -1. */
int rates_sweep(struct store *s, int64_t now);

/* ---- sent.c ---- */

/* The table sent_domain from sent_to. */
int sent_domains_build(struct work *w);

#endif
