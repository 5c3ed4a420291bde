/*
 * internal.h - parts of lib/queue
 *
 * record.c    records to fields and back     schedule.c  destinations, jobs
 * queue.c     open, transactions, files      end.c       retired ones
 * rule.c      hold rules                     suppress.c  suppression
 * sent.c      limits of accounts, what is known of domains
 * tlsresult.c results of TLS for reports
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
/* Take a recipient out of or into the schedule. */
int queue_schedule_remove(struct queue_txn *t, const struct queue_rcpt *r);
int queue_schedule_add(struct queue_txn *t, const struct queue_rcpt *r);
/* A value copied into the arena. */
int queue_get(struct queue_txn *t, struct arena *a, unsigned int table,
    struct bytes key, struct bytes *value);
/* Whether a rule holds it: 1, 0, -1. */
int queue_is_held(struct queue_txn *t, const struct queue_message *m,
    const struct queue_rcpt *r);
/* Remove all attempts of a recipient. */
int queue_drop_attempts(struct queue_txn *t, uint64_t id, uint64_t n);
/* Remove a retired one with all that belongs to it. */
int queue_drop_retired(struct queue_txn *t, uint64_t id, uint64_t n);

#endif
