/*
 * internal.h - parts of lib/queue
 *
 * record.c    records to fields and back     schedule.c  destinations, jobs
 * queue.c     open, transactions, files      end.c       retired ones
 * rule.c      hold rules                     suppress.c  suppression
 * sent.c      limits of accounts, what is known of domains
 * tlsresult.c results of TLS for reports     place.c     where records stand
 * job.c, add.c   frames between programs
 */
#ifndef QUEUE_INTERNAL_H
#define QUEUE_INTERNAL_H

#include "kv/kv.h"
#include "queue/queue.h"

enum {
	TABLE_META,
	TABLE_MESSAGE,		/* id: message */
	TABLE_RCPT,		/* id, n: recipient */
	TABLE_DUE,		/* dest NUL time id n: nothing */
	TABLE_ATTEMPT,		/* id, n, number: attempt */
	TABLE_RETIRED,		/* id, n: message, recipient, times */
	TABLE_RETIRED_DUE,	/* time id n: nothing */
	TABLE_FROMID,		/* fromid: id, n */
	TABLE_HOLDRULE,		/* id: rule */
	TABLE_SUPPRESS,		/* account NUL base: entry */
	TABLE_FAILURE,		/* account NUL address: two last outcomes */
	TABLE_SENT,		/* account NUL time: counts */
	TABLE_FIRST,		/* account NUL address: time */
	TABLE_KNOWN,		/* account NUL domain: what it can do */
	TABLE_TLSRESULT,	/* tlsresult.c: counts and failures */
	TABLE_FRESH,		/* number of a table, key there: as there */
};

struct queue {
	struct kv *kv;
	int dir;		/* var/queue */
};

struct queue_txn {
	struct kv_txn *kv;
	struct buf record;	/* for formatting */
};

#define KEY_RCPT 16
/* One record; extra data and a thousand lines of reply fit. */
#define RECORD_MAX (256 * 1024)

/*
 * A member of a record and its name as a field: record.c's tables end with a
 * NULL name. Zero and empty members are not written; unknown fields are passed
 * over. Slices read as "", never NULL.
 */
enum member_type {
	MEMBER_TEXT,		/* struct bytes */
	MEMBER_COUNT,		/* uint64_t, at most INT64_MAX */
	MEMBER_TIME,		/* int64_t */
	MEMBER_ATTEMPT,		/* struct queue_attempt */
};
struct member {
	const char *name;
	enum member_type type;
	size_t offset;
};
int queue_members_format(struct buf *out, const struct member *m,
    const void *record);
int queue_members_parse(struct bytes s, const struct member *table,
    void *record);
void queue_members_clear(const struct member *m, void *record);

int queue_fail(int err);
void queue_key(unsigned char out[KEY_RCPT], uint64_t id, uint64_t n);
/* Empty the record buffer and give it. */
struct buf *queue_record(struct queue_txn *t);
/* Store what the record buffer holds. */
int queue_put_record(struct queue_txn *t, unsigned int table,
    struct bytes key);
/* "first" NUL "second" in out; -1 EINVAL too long for a key or holds NUL. */
int queue_key_pair(struct buf *out, struct bytes first, struct bytes second);
/* As kv_seek in one table; what is found is copied. */
int queue_seek(struct queue_txn *t, struct arena *a, unsigned int table,
    struct bytes *key, struct bytes *value);
/* EBADMSG: the record at this key; where to go on is in *id and *n. */
int queue_fail_at(struct bytes key, uint64_t *id, uint64_t *n);
/* The key behind (id, n), as queue_next_rcpt means it. */
void queue_key_behind(unsigned char out[KEY_RCPT], uint64_t id, uint64_t n);
/* A value copied into the arena. */
int queue_get(struct queue_txn *t, struct arena *a, unsigned int table,
    struct bytes key, struct bytes *value);
/* ---- place.c: messages, recipients and the schedule ---- */

/*
 * A change writes every page from the root of a table to its entry, and a
 * table of 100,000 entries is three pages high. So what is new stands in
 * TABLE_FRESH, all of it together, and leaves it for the tables of its own
 * when it has to wait: with its first result, or held. What is delivered at
 * once never touches those of all that wait. It does not come back.
 *
 * A recipient's place in the schedule stands where its record does. A message
 * stands in TABLE_FRESH until the first of its recipients leaves it.
 */
/* A view of a record, and whether it is a fresh one. 1, 0, -1. */
int queue_place_get(struct queue_txn *t, unsigned int table, struct bytes key,
    struct bytes *value, bool *fresh);
int queue_place_put(struct queue_txn *t, unsigned int table, struct bytes key,
    struct bytes value, bool fresh);
/* -1 ENOENT too. */
int queue_place_delete(struct queue_txn *t, unsigned int table,
    struct bytes key, bool fresh);
/* The first of all, fresh or not, with a key >= from: copies. 1, 0, -1. */
int queue_place_seek(struct queue_txn *t, struct arena *a, unsigned int table,
    struct bytes from, struct bytes *key, struct bytes *value);
/* As queue_get_rcpt and queue_get_message. */
int queue_find_message(struct queue_txn *t, struct arena *a, uint64_t id,
    struct queue_message *m, bool *fresh);
int queue_find_rcpt(struct queue_txn *t, struct arena *a, uint64_t id,
    uint64_t n, struct queue_rcpt *r, bool *fresh);
int queue_put_message(struct queue_txn *t, const struct queue_message *m,
    bool fresh);
/* Take a recipient out of the schedule, if it is there. */
int queue_schedule_remove(struct queue_txn *t, const struct queue_rcpt *r,
    bool fresh);

/* Whether a rule holds it: 1, 0, -1. */
int queue_is_held(struct queue_txn *t, const struct queue_message *m,
    const struct queue_rcpt *r);
/* Remove all attempts of a recipient. */
int queue_drop_attempts(struct queue_txn *t, uint64_t id, uint64_t n);
/* Remove a retired one with all that belongs to it. */
int queue_drop_retired(struct queue_txn *t, uint64_t id, uint64_t n);

#endif
