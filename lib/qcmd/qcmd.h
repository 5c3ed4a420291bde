/*
 * qcmd.h - what the administrator's commands over the queue share
 *
 * Choosing recipients by operands and filters (queue-select(7), Q-18, Q-19),
 * changing them in transactions of a bounded size, printing lines or JSON,
 * telling queue-run. Above queue, route and sched; the commands keep only
 * their options and what they change.
 */
#ifndef QCMD_H
#define QCMD_H

#include "base/base.h"
#include "config/config.h"
#include "queue/queue.h"
#include "sched/sched.h"

/* ---- filters ---- */

/* For getopt(3), and for the usage line, of every command that chooses. */
#define QCMD_OPTIONS "Aa:f:t:s:n:T:H:N:S:"
#define QCMD_USAGE "[-A] [-a account] [-f sender] [-t recipient]\n" \
    "           [-s times] [-n times] [-T transport] [-H yes|no] [-N max]\n" \
    "           [-S key]"

/* Recipients changed in one transaction: it holds the writer lock no longer
 * than some milliseconds. */
#define QCMD_BATCH 500

struct qcmd_times {
	int64_t from, to;	/* both inclusive */
};
struct qcmd_place {
	uint64_t id, n;		/* n 0: all recipients of the message */
};
enum qcmd_sort {
	QCMD_BY_ID,		/* order of submission */
	QCMD_BY_NEXT,
	QCMD_BY_FROM,
	QCMD_BY_TO,
	QCMD_BY_DEST,
};
/* Everything given must hold; a member of 0 or NULL says nothing. */
struct qcmd_filter {
	bool all;		/* -A: no choice is meant so */
	bool given;		/* any option that chooses */
	const char *account, *from, *to, *transport;
	struct qcmd_times submitted, next;
	int held;		/* 1, 0; -1: both */
	uint64_t max;		/* UINT64_MAX: no bound */
	enum qcmd_sort sort;
	bool reverse;
	struct qcmd_place *ids;	/* operands; with none every recipient */
	size_t nids;
};
void qcmd_filter_init(struct qcmd_filter *f);
/* An option of QCMD_OPTIONS. -1 EBADMSG with *why constant text. */
int qcmd_filter_option(struct qcmd_filter *f, int option, const char *value,
    int64_t now, const char **why);
/* Operands "ID" and "ID.N", in the arena. -1 EBADMSG: *bad is the wrong one. */
int qcmd_filter_ids(struct qcmd_filter *f, struct arena *a,
    char *const args[], size_t count, const char **bad);
/* Whether m and r are chosen, apart from operands and the bound. */
bool qcmd_matches(const struct qcmd_filter *f, const struct queue_message *m,
    const struct queue_rcpt *r);

/*
 * "now", "@SECONDS", "2026-11-20", "2026-11-20T22:00" with ":SS" and "Z" or
 * not (UTC all the same), "+DURATION" or "-DURATION" from now (duration as in
 * main.conf(5)). -1 EBADMSG.
 */
int qcmd_time_parse(struct bytes s, int64_t now, int64_t *out);
/* "FROM..TO", either end may be missing. */
int qcmd_times_parse(struct bytes s, int64_t now, struct qcmd_times *out);
/* "*" stands for any bytes, "?" for one; ASCII letters without case. */
bool qcmd_glob(struct bytes pattern, struct bytes s);

/* ---- the queue as a command has it ---- */

struct qcmd {
	struct qcmd_filter filter;
	struct queue *queue;
	struct config *config;		/* NULL until qcmd_open_config */
	struct arena arena;
	int64_t now;
	struct buf wake;		/* lines for queue-run */
	size_t nwake;
	const char *wake_word;		/* "wake" or "revive" */
	const char *problem;		/* what could not be done */
	bool is_wrong;			/* what was asked for was */
	size_t damaged;			/* records passed over, that cannot be
					 * read or have no message */
	struct qcmd_place damaged_at;	/* the last of them */
};

/*
 * For the commands that change what is chosen: an empty q; each option of
 * QCMD_OPTIONS, and '?', as getopt(3) gives it; then the operands. What is
 * wrong is kept until qcmd_choice tells it: 0, or -1 EINVAL with problem a
 * whole message, or NULL for the usage line (nothing chosen, or -A and a
 * choice).
 */
void qcmd_init(struct qcmd *q);
void qcmd_option(struct qcmd *q, int option, const char *value);
int qcmd_choice(struct qcmd *q, char *const args[], int count);

/*
 * Started as root it becomes the owner of var/queue first, so that no file of
 * another owner appears there. 1; 0 there is no queue yet (with make: it is
 * made instead, for pm-queue if there is that user); -1 errno with problem.
 */
int qcmd_open(struct qcmd *q, bool make);
int qcmd_open_config(struct qcmd *q);
/* Tells queue-run what qcmd_wake collected, and frees everything. */
void qcmd_close(struct qcmd *q);
void qcmd_wake(struct qcmd *q, struct bytes dest);

/* Count a damaged record. */
void qcmd_damaged(struct qcmd *q, uint64_t id, uint64_t n);
/* What is said of them; NULL: there is none. */
const char *qcmd_damage(struct qcmd *q);
/* The chosen recipients in order; *list is the caller's to free. -1 errno. */
int qcmd_select(struct qcmd *q, struct qcmd_place **list, size_t *count);
/* A recipient and its message. 1, 0 gone, -1. */
int qcmd_get(struct queue_txn *t, struct arena *a,
    const struct qcmd_place *p, struct queue_message *m,
    struct queue_rcpt *r);

/* Changes r. 1 changed, 0 it was so already, -1 errno. */
typedef int (*qcmd_change_fn)(struct qcmd *q, struct arena *a,
    const struct queue_message *m, struct queue_rcpt *r, void *ctx);
/*
 * Change what is chosen, in durable transactions of QCMD_BATCH, each
 * recipient read again within it; print the ids changed to fd after each
 * commit. 1 some were chosen, 0 none, -1 errno with problem.
 */
int qcmd_change(struct qcmd *q, qcmd_change_fn change, void *ctx, int fd);
/*
 * End what is chosen as queue-run would: outcome QUEUE_FAILED (with DSNs) or
 * QUEUE_DROPPED, reason for the record. As qcmd_change.
 */
int qcmd_end(struct qcmd *q, uint64_t outcome, struct bytes reason, int fd);
/* Set r's destination by its transport and the routes. */
void qcmd_reroute(struct qcmd *q, struct arena *a,
    const struct queue_message *m, struct queue_rcpt *r);

/*
 * What an address of a command line is listed under for suppression, in the
 * arena. -1 EBADMSG, is_wrong and problem a whole message: it is none, and
 * would never match.
 */
int qcmd_suppress_base(struct qcmd *q, const char *text, struct bytes *base);

/* ---- output ---- */

/*
 * Values in columns with a TAB between ("-" for an empty one, control bytes
 * escaped), or as an object of JSON on each line, or one value a line with
 * its name.
 */
enum qcmd_form { QCMD_COLUMNS, QCMD_JSON, QCMD_NAMED };
struct qcmd_out {
	struct writer writer;
	struct buf line;
	enum qcmd_form form;
	bool first;
	unsigned char space[16384];
};
void qcmd_out_init(struct qcmd_out *o, enum qcmd_form form, int fd);
void qcmd_out_text(struct qcmd_out *o, const char *name, struct bytes value);
void qcmd_out_num(struct qcmd_out *o, const char *name, int64_t value);
/* Zero: empty. */
void qcmd_out_time(struct qcmd_out *o, const char *name, int64_t seconds);
void qcmd_out_bool(struct qcmd_out *o, const char *name, bool value);
void qcmd_out_id(struct qcmd_out *o, uint64_t id, uint64_t n);
/* The end of a line or record. -1 errno: it cannot be written. */
int qcmd_out_end(struct qcmd_out *o);
/* Instead: put the line at the end of to. -1 EMSGSIZE, and nothing of it. */
int qcmd_out_take(struct qcmd_out *o, struct buf *to);
/* Write the rest. -1 errno. */
int qcmd_out_close(struct qcmd_out *o);

/*
 * Records of the database as lines, a page of them in each transaction: who
 * reads may take his time, and as long as one is open no page of the database
 * is used again. next puts one record with qcmd_out_take into page; it
 * returns 1, 0 there is none, -1 errno. What it remembers from call to call
 * lies in ctx, nothing of it in the transaction. 0, -1 errno; the output is
 * closed.
 */
#define QCMD_PAGE_RECORDS 1000
#define QCMD_PAGE_BYTES 65536
typedef int qcmd_next_fn(void *ctx, struct queue_txn *t, struct buf *page);
int qcmd_list(struct qcmd *q, struct qcmd_out *o, qcmd_next_fn *next,
    void *ctx);

/* What queue-list tells of one, and queue-show and queue-retired in full. */
void qcmd_put_line(struct qcmd_out *o, const struct queue_message *m,
    const struct queue_rcpt *r);
void qcmd_put_message(struct qcmd_out *o, const struct queue_message *m);
/* ended: it is not in the queue any more, and has no next attempt. */
void qcmd_put_rcpt(struct qcmd_out *o, const struct queue_rcpt *r,
    bool ended);
void qcmd_put_attempt(struct qcmd_out *o, const struct queue_attempt *a);
void qcmd_put_suppressed(struct qcmd_out *o,
    const struct queue_suppressed *s);

#endif
