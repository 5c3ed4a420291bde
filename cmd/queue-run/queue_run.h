/*
 * queue_run.h - the parts of queue-run
 *
 * main.c  configuration, signals, the loop     link.c  connections to smtp-out
 * wake.c  who tells us of new messages         work.c  jobs: begin and end
 * chore.c what is done beside them
 */
#ifndef QUEUE_RUN_H
#define QUEUE_RUN_H

#include <signal.h>

#include "config/config.h"
#include "os/os.h"
#include "queue/job.h"
#include "queue/queue.h"
#include "queue/tlsresult.h"
#include "sched/sched.h"
#include "server/server.h"

/* Recipients of one message in one job: RFC 5321 4.5.3.1.8 promises 100, the
 * rest goes in further transactions of the same session. */
#define JOB_RCPTS_MAX 1000
/* Jobs begun in one commit. */
#define BEGIN_MAX 64
/* Messages that share the fate of one that reached no host, in one commit. */
#define SHARE_MAX 50
/* Results of TLS that one job may tell: twice as many hosts as are tried. */
#define TLS_RESULTS_MAX 64
/* How many descriptors may be listened to: connections and who wakes us. */
#define EVENTS_MAX 64
/* So long a connection without a job waits for the next to its destination:
 * what comes one by one needs no handshake each, and no host is kept long. */
#define LINK_REST_MS 2000
/* Jobs of one connection, so that a process does not grow old. */
#define LINK_JOBS_MAX 100

/* What a descriptor in the event set stands for. */
enum source_kind { SOURCE_LISTENER, SOURCE_WAKER, SOURCE_LINK };
struct source {
	enum source_kind kind;
};

/* One job and what came of it; freed as a whole. */
struct work {
	struct arena a;
	struct queue_job job;		/* every recipient that was started */
	struct transport transport;
	struct job_result *results;	/* room for each recipient */
	size_t nresults;
	struct job_done done;
	bool is_done;			/* the done frame came */
	const char *broken;		/* why there are results missing */
};

/* A connection to smtp-out, for one destination; in one of three lists. */
struct link {
	struct source source;		/* first */
	struct link *next, **from;
	int fd;
	struct bytes dest;		/* its own copy */
	struct buf in;
	bool rests;			/* its work is NULL */
	struct work *work;
	int64_t rest_until_ms;
	unsigned int jobs;
	bool is_over;			/* nothing more will come for the job */
	bool sent;			/* the job went out */
	bool anew;			/* its first job: as in job.h */
	bool last;			/* no further job: we are ending */
	bool stored;			/* its results are, in the transaction
					 * that is open */
};

/* Someone who writes "wake DEST" lines. */
struct waker {
	struct source source;		/* first */
	int fd;
	struct buf in;
};

/* Messages that wait for a destination without hosts: same result for all. */
struct share {
	struct share *next;
	struct arena a;
	struct bytes dest;
	struct queue_attempt attempt;
	struct transport transport;
};

struct run {
	struct queue *queue;
	struct config *config;
	struct outcome_settings settings;
	struct sched *sched;
	const char *smtp_out;		/* path of the socket */
	int events;
	struct source listener;
	struct link *busy, *over;	/* under way; ready to be stored */
	struct link *resting;		/* without a job, the latest first */
	size_t nresting;
	size_t connections_max;
	struct share *shares;
	struct server_peers peers;
	bool listening;
	int64_t pause_until_ms;		/* smtp-out could not be reached */
	int64_t next_look_ms;		/* all destinations */
	int64_t next_clean_ms;		/* hourly work */
	int64_t clock_offset_ms;	/* wall minus monotonic */
	bool clock_known;		/* the queue was looked at with it */
	uint64_t jobs;
};

/* ---- wake.c ---- */

/* Look at every destination in the database. -1 errno. */
int wake_all(struct run *r);
void wake_accept(struct run *r);
void wake_read(struct run *r, struct waker *w);
/* The earliest time at dest, from the database, into the table. */
int wake_dest(struct run *r, struct queue_txn *t, struct bytes dest);

/* ---- link.c ---- */

struct work *work_new(void);
void work_free(struct work *w);		/* NULL: nothing */
/* Connected, nothing sent, no work; NULL with errno. */
struct link *link_open(struct run *r, struct bytes dest);
/* The job it has from now on; what it had is freed. */
void link_give(struct link *l, struct work *w);
/* Close it, take it out of its list, free it and its work. */
void link_close(struct run *r, struct link *l);
/* Move it to a list. */
void link_move(struct link *l, struct link **list);
/* Send its job; a failure makes it over. */
void link_send(struct run *r, struct link *l);
/* Read what came: may move it to run.over, or close it when it rests. */
void link_read(struct run *r, struct link *l);
/* It may have another job. */
bool link_is_good(const struct link *l);
/* Its job is done: keep it for a moment, or close it. */
void link_rest(struct run *r, struct link *l);
/* One that rests there, without work, as link_open gives it; NULL: none. */
struct link *link_awake(struct run *r, struct bytes dest);
/* When the first of them has rested enough; -1: none rests. */
int64_t link_rest_until(const struct run *r);
/* Close those whose time is over; all of them. */
void link_expire(struct run *r);
void link_close_resting(struct run *r);
/* Make room for one more connection. */
void link_make_room(struct run *r);

/* ---- work.c ---- */

/* Begin jobs while destinations are ready. -1 errno. */
int work_begin(struct run *r);
/* Store the results of all links that are over, and go on with them. -1. */
int work_end(struct run *r);
/* Say that queue_take found damaged records. */
void work_warn_damaged(const struct queue_job *job);
/* Random, for queue_start. */
uint32_t work_jitter(void);

/* ---- chore.c ---- */

/* A step of passing a result on to what waits for the same destination. */
int work_share(struct run *r);
/* Drop those that are left, at the end: their time comes again. */
void work_forget(struct run *r);
/* Now and then: retired messages, orphan files. -1 errno. */
int work_clean(struct run *r);
/* At start, and when the clock was set back: times that lie too far ahead. -1
 * errno. */
int work_clock(struct run *r);

int64_t now_s(void);

#endif
