/*
 * queue.h - messages that wait to be sent (pipemail-queue(5), doc/queue.md)
 *
 * Below var/queue: message/XX/ID, the bytes to send (LF line ends, signed,
 * never changed), and db/, an LMDB environment with what may change. One
 * message record holds what all recipients share; each recipient has its own
 * record, schedule and results. A recipient is in the queue as long as
 * its record is; there is no state to mend after a crash: an attempt that was
 * cut off has its next time written already (BEHAVIOUR 7.1).
 *
 * Any number of processes may read and write; writers take LMDB's lock for
 * one short transaction. Views (slices) of records live in the arena given.
 *
 * errno of all that fail: kv.h's, EBADMSG (a damaged record), and as told.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "base/base.h"

/* ---- limits and times ---- */

/* First wait; doubled after each attempt up to QUEUE_WAIT_MAX_S. */
#define QUEUE_WAIT_S 450
#define QUEUE_WAIT_MAX_S (8 * 3600)
/* The delay DSN is sent at the first failure so long after the release. */
#define QUEUE_DELAY_S (4 * 3600)
/* Attempts kept of one recipient; the oldest but the first go. Five days of
 * waits make 21. */
#define QUEUE_ATTEMPTS_MAX 64
/* Extra data of one message, all keys and values. */
#define QUEUE_EXTRA_MAX 65536
/* A destination: a domain in A-labels, "transport:NAME", or both with a slash
 * between (route.h): 10 + 64 + 1 + 255 bytes. */
#define QUEUE_DEST_MAX 340

/* ---- records ---- */

enum queue_kind {
	QUEUE_MESSAGE,
	QUEUE_DSN,
	QUEUE_DMARC_REPORT,	/* Q-30, T-7 */
	QUEUE_TLS_REPORT,
	QUEUE_FORWARD,		/* B-4: of others, to members elsewhere */
};

/* REQUIRETLS (RFC 8689), or "TLS-Required: No". */
enum queue_tls {
	QUEUE_TLS_DEFAULT,
	QUEUE_TLS_REQUIRED,
	QUEUE_TLS_OPTIONAL,
};

/* RFC 3461 4.1; 0: none given. */
enum {
	QUEUE_NOTIFY_NEVER = 1,
	QUEUE_NOTIFY_SUCCESS = 2,
	QUEUE_NOTIFY_FAILURE = 4,
	QUEUE_NOTIFY_DELAY = 8,
};

/* What all recipients of one submission share. */
struct queue_message {
	uint64_t id;
	struct bytes account;	/* who pays for it and gets the results */
	struct bytes login;	/* the address logged in with */
	struct bytes sender;	/* reverse-path without <>; empty: null */
	struct bytes from;	/* address of the From field */
	struct bytes message_id;	/* with <>; empty: none */
	struct bytes subject;	/* decoded, cut, for listings */
	struct bytes envid;	/* RFC 3461 4.4, xtext decoded */
	struct bytes extra;	/* "key" NUL "value" NUL ... (U-22) */
	struct bytes received_id;	/* of the Received field */
	uint64_t size;		/* bytes of the file */
	int64_t submitted;	/* seconds since 1970, as all times */
	int64_t release;	/* no attempt before (U-21, Q-29) */
	int64_t expires;	/* failed for good after */
	int64_t deliver_by;	/* RFC 2852; 0: none */
	uint64_t by_return;	/* mode R, else N */
	uint64_t by_trace;
	uint64_t kind;		/* enum queue_kind */
	uint64_t tls;		/* enum queue_tls */
	uint64_t ret_full;	/* RET=FULL */
	uint64_t ret_headers;	/* RET=HDRS */
	uint64_t body_8bit, body_binary, smtputf8;
	uint64_t max_attempts;	/* 0: until it expires */
	uint64_t left;		/* recipients still in the queue */
};

/* The last result, and each attempt's. */
struct queue_attempt {
	int64_t start_ms;	/* wall clock */
	int64_t duration_ms;
	uint64_t code;		/* SMTP reply code; 0: none was given */
	struct bytes status;	/* "4.4.1" */
	struct bytes text;	/* what the peer said, or why not */
	struct bytes host, ip;	/* who was spoken to; empty: nobody */
	struct bytes tls;	/* "TLSv1.3 dane", ... ; empty: none */
	struct bytes transport;	/* empty: direct */
	uint64_t outcome;	/* enum queue_outcome */
};

enum queue_outcome {
	QUEUE_DELIVERED = 1,
	QUEUE_RELAYED,		/* to a host without the DSN extension */
	QUEUE_DELAYED,		/* temporary */
	QUEUE_FAILED,
	QUEUE_SUPPRESSED,	/* failed without an attempt */
	QUEUE_DROPPED,		/* by the administrator, without a DSN */
	QUEUE_EXPANDED,		/* into an alias */
	QUEUE_UNKNOWN,		/* cut off after the end mark: maybe twice */
};
const char *queue_outcome_text(uint64_t outcome);

struct queue_rcpt {
	uint64_t id;		/* of the message */
	uint64_t n;		/* 1 .. */
	struct bytes address;	/* forward-path without <>, U-labels */
	struct bytes domain;	/* A-labels, or an address literal */
	struct bytes sender;	/* its own reverse-path (U-23); empty: the
				 * message's */
	struct bytes fromid;
	struct bytes orcpt;	/* "rfc822;a@b", xtext decoded */
	struct bytes transport;	/* chosen by hand; empty: by the routes */
	struct bytes dest;	/* what it is scheduled under */
	struct bytes dialled;	/* "host ip" lines of the last attempts */
	uint64_t notify;
	uint64_t tls;		/* enum queue_tls, may differ */
	uint64_t attempts;
	int64_t next, last;	/* times of attempts; last 0: none yet */
	uint64_t held, delay_told;
	struct queue_attempt result;	/* of the last attempt */
};

/* Records as bytes: the fields of a frame (frame.h), names as documented in
 * pipemail-queue(5); also the form they travel in between programs. -1
 * EMSGSIZE; EBADMSG. Unknown fields are passed over, missing ones zero. */
int queue_message_format(struct buf *out, const struct queue_message *m);
int queue_message_parse(struct bytes s, struct queue_message *m);
int queue_rcpt_format(struct buf *out, const struct queue_rcpt *r);
int queue_rcpt_parse(struct bytes s, struct queue_rcpt *r);
int queue_attempt_format(struct buf *out, const struct queue_attempt *a);
int queue_attempt_parse(struct bytes s, struct queue_attempt *a);

/* Ids as people see them: "6440d5e1b3a40", with a recipient "6440...a40.3".
 * n 0: all recipients. -1 EBADMSG. */
#define QUEUE_ID_TEXT 32
void queue_id_format(char out[QUEUE_ID_TEXT], uint64_t id, uint64_t n);
int queue_id_parse(struct bytes s, uint64_t *id, uint64_t *n);

/* Seconds until the next attempt, after attempts of them; jitter is random
 * (BEHAVIOUR 7.1 and 19). */
int64_t queue_wait_s(uint64_t attempts, uint32_t jitter);

/* ---- the queue ---- */

struct queue;
struct queue_txn;

/* dir is var/queue; made if it is missing (mode 0700). NULL with errno. */
struct queue *queue_open(const char *dir);
void queue_close(struct queue *q);

/* NULL with errno. commit: -1 with errno, nothing changed; but where the last
 * sync failed all of it is to be seen, and may be lost with the power. */
struct queue_txn *queue_begin(struct queue *q, bool write);
void queue_abort(struct queue_txn *t);	/* NULL: nothing */
int queue_commit(struct queue_txn *t, bool durable);

/*
 * A message file: make one (a descriptor for writing), then keep it: synced,
 * linked under a fresh id, its directory synced. fd is closed in every case.
 * Without a record after QUEUE_ORPHAN_S the sweeper removes it.
 */
#define QUEUE_ORPHAN_S (24 * 3600)
int queue_file_make(struct queue *q);
int queue_file_keep(struct queue *q, int fd, uint64_t *id);
/* For reading; -1 (ENOENT). */
int queue_file_open(struct queue *q, uint64_t id);
void queue_file_remove(struct queue *q, uint64_t id);
/* After a commit that failed, without a transaction: remove the file unless
 * its records are to be seen. */
void queue_file_discard(struct queue *q, uint64_t id);
/* Remove files older than QUEUE_ORPHAN_S that no record names: how many. -1. */
int queue_sweep(struct queue *q, int64_t now);

/*
 * Put a message and its recipients in: n numbers them 1 .. count, dest must
 * be set, held is set where a hold rule says so. -1 EEXIST: a fromid is in use
 * (U-24); EINVAL no recipient or an impossible destination.
 */
int queue_put(struct queue_txn *t, struct queue_message *m,
    struct queue_rcpt *rcpts, size_t count);

/* 1, 0 not there, -1. */
int queue_get_message(struct queue_txn *t, struct arena *a, uint64_t id,
    struct queue_message *m);
int queue_get_rcpt(struct queue_txn *t, struct arena *a, uint64_t id,
    uint64_t n, struct queue_rcpt *r);
/* Replace a recipient's record and its place in the schedule. -1 ENOENT. */
int queue_set_rcpt(struct queue_txn *t, const struct queue_rcpt *r);
/* The next recipient after (id, n) in order of submission; start with 0, 0.
 * n UINT64_MAX passes over the rest of a message. 1, 0, -1; with EBADMSG r's
 * id and n are those of the damaged record, to go on behind it. */
int queue_next_rcpt(struct queue_txn *t, struct arena *a, uint64_t id,
    uint64_t n, struct queue_rcpt *r);
/* Every attempt's result is kept, in order. */
int queue_add_attempt(struct queue_txn *t, uint64_t id, uint64_t n,
    const struct queue_attempt *attempt);
int queue_attempts(struct queue_txn *t, struct arena *a, uint64_t id,
    uint64_t n, struct queue_attempt **list, size_t *count);

/* ---- the schedule ---- */

/*
 * The first destination after dest (empty: the first of all) in byte order
 * and the earliest time of a recipient there. Held ones do not count. 1, 0,
 * -1.
 */
int queue_next_dest(struct queue_txn *t, struct arena *a, struct bytes dest,
    struct bytes *next, int64_t *earliest);
/* The earliest time at one destination. 1, 0 none, -1. */
int queue_dest_time(struct queue_txn *t, struct bytes dest,
    int64_t *earliest);
/* One message with some of its recipients: a job for one transaction. */
struct queue_job {
	struct queue_message message;
	struct queue_rcpt *rcpts;
	size_t count;
	size_t damaged;		/* places in the schedule that were removed:
				 * no good record stands behind them */
	uint64_t damaged_id, damaged_n;	/* of the last of these */
};
/*
 * The first due recipient at dest, and with it those of the same message that
 * are due there, of the same sender, attempts, TLS demand and transport,
 * at most max. 1, 0 none due, -1.
 *
 * For a transaction that writes: a damaged record must not keep all others
 * waiting. It stays for whoever can mend it, but leaves the schedule, as does
 * a place there that is nobody's; job->damaged tells of it, with 0 too.
 */
int queue_take(struct queue_txn *t, struct arena *a, struct bytes dest,
    int64_t now, size_t max, struct queue_job *job);
/* Attempts begin: counted, last and next set (BEHAVIOUR 7.1), stored. */
int queue_start(struct queue_txn *t, struct queue_job *job, int64_t now,
    uint32_t jitter);

/* ---- ends ---- */

/*
 * A recipient leaves the queue with this as its last result: kept as retired
 * until keep_until (0: not kept), with the result as its last attempt, and its
 * fromid stays reserved as long. *last: it was the message's last one; the
 * caller removes the file after the commit.
 */
int queue_end(struct queue_txn *t, const struct queue_message *m,
    const struct queue_rcpt *r, const struct queue_attempt *result,
    int64_t now, int64_t keep_until, bool *last);

struct queue_retired {
	struct queue_message message;
	struct queue_rcpt rcpt;		/* result: the last */
	int64_t ended, keep_until;
};
/* As queue_next_rcpt over retired ones; r->rcpt has id and n. */
int queue_next_retired(struct queue_txn *t, struct arena *a, uint64_t id,
    uint64_t n, struct queue_retired *r);
/* Remove those kept long enough, at most max. How many, or -1. */
int queue_purge(struct queue_txn *t, int64_t now, size_t max);
/* Whose fromid this is, in the queue or retired (U-24, Q-22). 1, 0, -1. */
int queue_find_fromid(struct queue_txn *t, struct bytes fromid, uint64_t *id,
    uint64_t *n);

/* ---- hold rules (Q-16) ---- */

/* Every field given must match; an empty one matches anything. */
struct queue_holdrule {
	uint64_t id;
	struct bytes account, sender_domain, rcpt_domain;
};
/* Also holds what is in the queue and matches: *held how many. */
int queue_holdrule_add(struct queue_txn *t, struct queue_holdrule *rule,
    size_t *held);
int queue_holdrule_remove(struct queue_txn *t, uint64_t id);	/* 1, 0, -1 */
int queue_holdrule_next(struct queue_txn *t, struct arena *a, uint64_t after,
    struct queue_holdrule *rule);
bool queue_holdrule_matches(const struct queue_holdrule *rule,
    const struct queue_message *m, const struct queue_rcpt *r);

/* ---- suppression (BEHAVIOUR 10 and 19) ---- */

struct queue_suppressed {
	struct bytes account, base;	/* the key */
	struct bytes address;		/* as it was when added */
	struct bytes reason;
	int64_t added;
	uint64_t by_hand;
};
/* Base address of an address, in the arena. */
struct bytes queue_suppress_base(struct arena *a, struct bytes address);
int queue_suppress_add(struct queue_txn *t,
    const struct queue_suppressed *s);			/* 1 new, 0, -1 */
int queue_suppress_remove(struct queue_txn *t, struct bytes account,
    struct bytes base);					/* 1, 0, -1 */
int queue_suppress_get(struct queue_txn *t, struct arena *a,
    struct bytes account, struct bytes base, struct queue_suppressed *s);
/* In key order; start with an empty account and base. */
int queue_suppress_next(struct queue_txn *t, struct arena *a,
    struct bytes account, struct bytes base, struct queue_suppressed *s);
/*
 * A delivery ended: note it in the failure history of (account, address), and
 * add the address to the list if BEHAVIOUR 10 says so. 1 added, 0, -1.
 */
int queue_suppress_consider(struct queue_txn *t, struct arena *a,
    struct bytes account, struct bytes address,
    const struct queue_attempt *result, int64_t now);

/* ---- outgoing limits (U-18) ---- */

struct queue_sent {
	uint64_t day;		/* recipients in the last 24 h */
	uint64_t first_time;	/* of these, never written to before */
};
/* What was sent in 24 h up to now, and how many of addresses (canonical) are
 * new to the account. */
int queue_sent_count(struct queue_txn *t, struct bytes account,
    const struct bytes *addresses, size_t count, int64_t now,
    struct queue_sent *sent, uint64_t *fresh);
/* Note them as sent; entries past 24 h are removed. */
int queue_sent_add(struct queue_txn *t, struct bytes account,
    const struct bytes *addresses, size_t count, int64_t now);

/* ---- what is known of recipient domains (S-18) ---- */

struct queue_known {
	int64_t when;
	uint64_t starttls, requiretls;	/* of the last attempt */
	uint64_t mta_sts, dnssec, dane;
};
int queue_known_set(struct queue_txn *t, struct bytes account,
    struct bytes domain, const struct queue_known *k);
int queue_known_get(struct queue_txn *t, struct bytes account,
    struct bytes domain, struct queue_known *k);	/* 1, 0, -1 */
/* The next in order of account and domain: start with both empty; the arena
 * has what is found. 1, 0, -1. */
int queue_known_next(struct queue_txn *t, struct arena *a,
    struct bytes *account, struct bytes *domain, struct queue_known *k);

#endif
