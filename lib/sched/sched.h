/*
 * sched.h - which destination is served next, and what results mean
 *
 * Two things without sockets or processes: the table of destinations that
 * queue-run keeps in memory, and the decision what becomes of a recipient
 * after an attempt.
 */
#ifndef SCHED_H
#define SCHED_H

#include "base/base.h"
#include "config/config.h"
#include "queue/job.h"
#include "queue/queue.h"

/* ---- destinations (table.c) ---- */

/* After so long without any host the next attempt at a destination; doubled
 * each time up to the second (B-33). */
#define SCHED_DEAD_S 60
#define SCHED_DEAD_MAX_S 1800
/* Nothing waits there. */
#define SCHED_NEVER INT64_MAX

struct sched_limits {
	unsigned int total;	/* connections at once */
	unsigned int per_dest;
};

/*
 * Each destination is known by name while something waits or is under way
 * there. Ready means: something is due, it is not dead, and it has less than
 * per_dest connections, or none while no host there was reached yet. Those
 * whose last attempt reached no host may have at most half of the connections,
 * so that dead ones never keep live ones waiting.
 */
struct sched;
struct sched *sched_new(const struct sched_limits *limits);
void sched_free(struct sched *s);
void sched_set_limits(struct sched *s, const struct sched_limits *limits);
/* The earliest time something is due at dest, or SCHED_NEVER. */
void sched_set(struct sched *s, struct bytes dest, int64_t earliest);
/* The readiest destination at now, if there is one and a connection is free;
 * the view holds until the next call with s. */
bool sched_next(struct sched *s, int64_t now, struct bytes *dest);
/*
 * A connection for dest begins (true: it was revived, or dead, so addresses
 * known not to answer are to be tried again); ends (no_host: it reached none);
 * or comes to nothing: no host was tried, so nothing was learned. anew: what
 * sched_begin said. sched_end tells whether dest is dead now. It is not where
 * another connection is open: then it takes one at a time for a while.
 */
bool sched_begin(struct sched *s, struct bytes dest);
bool sched_end(struct sched *s, struct bytes dest, bool no_host,
    int64_t now);
void sched_cancel(struct sched *s, struct bytes dest, bool anew);
/* Forget that destinations are dead: all, or this one. */
void sched_revive(struct sched *s, struct bytes dest);
/* Seconds until sched_next may say yes: 0 now, -1 not before a change. */
int64_t sched_wait_s(const struct sched *s, int64_t now);
/* Connections begun and not ended; destinations known. */
size_t sched_busy(const struct sched *s);
size_t sched_count(const struct sched *s);

/* ---- results (outcome.c) ---- */

/* What configuration says. */
struct outcome_settings {
	const struct config *config;
	struct bytes hostname;
	int64_t delay_s;	/* first delay DSN, after the release */
	int64_t lifetime_s;	/* of DSNs themselves */
	/* Signs a DSN that leaves for another domain: fields in front. May be
	 * NULL. -1 errno. */
	int (*sign)(void *ctx, struct arena *a, struct bytes message,
	    struct buf *prefix);
	void *ctx;
};
/* From [server] and [queue] of c, which it borrows; sign stays NULL. */
void outcome_settings_init(struct outcome_settings *s,
    const struct config *c);

/* One job that was under way, with what is known of it. */
struct outcome {
	struct queue_job *job;		/* as it was started */
	struct job_result *results;	/* of the recipients that have one */
	size_t nresults;
	const struct transport *transport;
	struct bytes broken;	/* for those without: why, "smtp-out ended" */
	bool waiting;		/* not tried itself: no host was reached for
				 * another message (B-33) */
};

/* What a recipient gets: decided first, stored later. */
struct outcome_rcpt {
	struct queue_attempt attempt;
	struct bytes dialled;
	struct bytes note;	/* why it ends after a temporary failure */
	struct bytes said;	/* of which this was told */
	bool ends;
	int dsn;		/* enum dsn_action, or -1: none */
	size_t dsn_index;	/* in the plan's dsns; SIZE_MAX: none */
};
struct outcome_plan {
	struct outcome_rcpt *rcpts;	/* one for each of the job's */
	size_t count;
	struct queue_message *dsns;	/* files made, not in the queue yet */
	struct queue_rcpt *dsn_rcpts;	/* the one recipient of each */
	bool *dsn_stored;	/* by outcome_store; the others' files are to
				 * be removed after the commit */
	size_t ndsns;
};
/*
 * Decide, and write the files of DSNs that are due (so the disk is waited for
 * without a lock). Everything in the arena. -1 errno: nothing was decided;
 * files made so far are removed.
 */
int outcome_plan(struct queue *q, struct arena *a,
    const struct outcome_settings *settings, const struct outcome *o,
    int64_t now, struct outcome_plan *plan);
/*
 * Store the plan: attempts, ends, next times, DSNs, suppression. Recipients
 * removed or changed meanwhile are respected: nothing is told about those
 * that are gone, unless the same DSN tells of others too. *gone: the message
 * has no recipient left, its file is to be removed after the commit.
 * Destinations of DSNs put in are plan->dsn_rcpts[].dest. -1 errno: abort.
 */
int outcome_store(struct queue_txn *t, struct arena *a,
    const struct outcome_settings *settings, const struct outcome *o,
    const struct outcome_plan *plan, int64_t now, bool *gone);
/* The plan will not be stored: remove its files. */
void outcome_discard(struct queue *q, const struct outcome_plan *plan);
/* The same after a commit that failed: those whose records are to be seen
 * stay. Without a transaction. */
void outcome_failed(struct queue *q, const struct outcome_plan *plan);
/* After the commit: remove the files of DSNs that were not stored. */
void outcome_tidy(struct queue *q, const struct outcome_plan *plan);

#endif
