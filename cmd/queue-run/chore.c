/*
 * chore.c - what is done beside jobs: results for others at the same
 * destination, retired messages, the clock
 */
#include "queue_run.h"

#include <errno.h>
#include <stdlib.h>

#define PURGE_MAX 10000
/* What is under way may be put off, for as long as a job lasts, by queue-run
 * itself; who puts it off by less than this by hand waits for its wait. */
#define CLOCK_SLACK_S 3600

/*
 * ---- the same fate for others (B-33) ----
 *
 * They are looked at in one transaction that comes to nothing, files of DSNs
 * are written without one, and a second stores what is still as it was seen.
 */

struct shared {
	struct queue_job job;		/* as it is started */
	struct outcome outcome;
	struct outcome_plan plan;
	bool gone;
};

/* The messages that wait there: how many, or -1. */
static int
share_look(struct run *r, const struct share *s, struct arena *a,
    struct shared *list, int64_t now)
{
	struct queue_txn *t = queue_begin(r->queue, true);
	int got = t == NULL ? -1 : 1, n = 0;

	while (got == 1 && n < SHARE_MAX) {
		struct queue_job *job = &list[n].job;

		got = queue_take(t, a, s->dest, now, JOB_RCPTS_MAX, job);
		if (got == 1 && queue_start(t, job, now, work_jitter()) == -1)
			got = -1;
		n += got == 1;
	}
	queue_abort(t);
	return got == -1 ? -1 : n;
}

/* Decide, and write files: how many are planned. */
static int
share_plan(struct run *r, const struct share *s, struct arena *a,
    struct shared *list, int count, int64_t now)
{
	int i;

	for (i = 0; i < count; i++) {
		struct queue_job *job = &list[i].job;
		struct outcome *o = &list[i].outcome;

		*o = (struct outcome){ .job = job,
		    .transport = &s->transport, .waiting = true,
		    .results = arena_zalloc(a, job->count,
		    sizeof(*o->results)), .broken = BYTES_EMPTY };
		for (; o->nresults < job->count; o->nresults++)
			o->results[o->nresults] = (struct job_result){
			    job->rcpts[o->nresults].n, s->attempt,
			    BYTES_EMPTY };
		if (outcome_plan(r->queue, a, &r->settings, o, now,
		    &list[i].plan) == -1)
			break;
	}
	return i;
}

/* Begin the attempts, of those that nobody changed meanwhile. */
static int
share_start(struct queue_txn *t, struct arena *a, struct queue_job *job)
{
	struct queue_rcpt now, *r = job->rcpts;
	int got;

	for (size_t i = 0; i < job->count; i++, r++) {
		if ((got = queue_get_rcpt(t, a, r->id, r->n, &now)) == -1)
			return -1;
		if (got == 0 || now.held || now.attempts + 1 != r->attempts)
			r->n = 0;	/* nobody: nothing is stored */
		else if (queue_set_rcpt(t, r) == -1)
			return -1;
	}
	return 0;
}

static int
share_store(struct run *r, const struct share *s, struct arena *a,
    struct shared *list, int count, int64_t now)
{
	struct queue_txn *t = queue_begin(r->queue, true);
	int got = t == NULL ? -1 : 0;

	for (int i = 0; i < count && got == 0; i++) {
		struct outcome_plan *p = &list[i].plan;

		if (share_start(t, a, &list[i].job) == -1 ||
		    outcome_store(t, a, &r->settings, &list[i].outcome, p,
		    now, &list[i].gone) == -1)
			got = -1;
		for (size_t k = 0; got == 0 && k < p->ndsns; k++)
			got = wake_dest(r, t, p->dsn_rcpts[k].dest);
	}
	if (got == 0)
		got = wake_dest(r, t, s->dest);
	if (got == 0)
		return queue_commit(t, true);
	queue_abort(t);
	return -1;
}

static void
share_free(struct run *r, struct share *s)
{
	r->shares = s->next;
	arena_free(&s->a);
	free(s);
}

void
work_forget(struct run *r)
{
	while (r->shares != NULL)
		share_free(r, r->shares);
}

/* What was stored is tidied up, the files of what was not are removed. */
static void
share_tidy(struct run *r, const struct shared *list, int planned, bool stored)
{
	int err = errno;

	for (int i = 0; i < planned; i++) {
		if (!stored)
			outcome_failed(r->queue, &list[i].plan);
		else
			outcome_tidy(r->queue, &list[i].plan);
		if (stored && list[i].gone)
			queue_file_remove(r->queue, list[i].job.message.id);
	}
	errno = err;
}

int
work_share(struct run *r)
{
	struct shared list[SHARE_MAX];
	struct share *s = r->shares;
	struct arena a = ARENA_INIT;
	int64_t now = now_s();
	int count, planned, got = -1;

	if (s == NULL)
		return 0;
	if ((count = share_look(r, s, &a, list, now)) != -1) {
		planned = share_plan(r, s, &a, list, count, now);
		if (planned == count)
			got = share_store(r, s, &a, list, count, now);
		share_tidy(r, list, planned, got == 0);
	}
	arena_free(&a);
	if (got == 0 && count < SHARE_MAX)
		share_free(r, s);
	return got;
}

/* ---- now and then ---- */

int
work_clean(struct run *r)
{
	struct queue_txn *t = queue_begin(r->queue, true);

	if (t == NULL)
		return -1;
	if (queue_purge(t, now_s(), PURGE_MAX) == -1 ||
	    queue_tlsresult_purge(t, now_s(), PURGE_MAX) == -1) {
		queue_abort(t);
		return -1;
	}
	if (queue_commit(t, false) == -1)	/* redone if it is lost */
		return -1;
	return queue_sweep(r->queue, now_s()) == -1 ? -1 : 0;
}

/*
 * Tried, or taken, at a time that is still to come: the clock was set back
 * since, while queue-run ran or not. Then a recipient that was tried waits no
 * longer than its wait from now; one that was not tried waits for its release,
 * unless that lies before its submission as the clock then was.
 */
static bool
is_too_far(const struct queue_message *m, const struct queue_rcpt *r,
    int64_t now, int64_t *next)
{
	if ((r->attempts == 0 ? m->submitted : r->last) <= now)
		return false;
	*next = r->attempts == 0 ? now
	    : now + queue_wait_s(r->attempts - 1, 5);
	if (r->attempts == 0 && m->release > m->submitted)
		return false;
	return r->next > *next + QUEUE_WAIT_S;
}

/* The administrator's choice is no fault of the clock. */
static bool
is_put_off(const struct queue_message *m, const struct queue_rcpt *r)
{
	if (r->attempts == 0)
		return r->next > m->release;
	return r->next > r->last + queue_wait_s(r->attempts - 1, 5) +
	    CLOCK_SLACK_S;
}

/* The next recipient that can be read: 1, 0, -1. */
static int
next_good(struct queue_txn *t, struct arena *a, struct queue_rcpt *r)
{
	uint64_t id, n;
	int got;

	do {
		id = r->id;
		n = r->n;
		got = queue_next_rcpt(t, a, id, n, r);
	} while (got == -1 && errno == EBADMSG && (r->id != id || r->n != n));
	return got;
}

int
work_clock(struct run *r)
{
	struct queue_txn *t = queue_begin(r->queue, true);
	struct queue_message m;
	struct queue_rcpt rcpt = { .id = 0 };
	struct arena a = ARENA_INIT;
	int64_t now = now_s(), next;
	int got = -1;

	if (t == NULL)
		return -1;
	while ((got = next_good(t, &a, &rcpt)) == 1) {
		got = queue_get_message(t, &a, rcpt.id, &m);
		if (got == -1 && errno != EBADMSG)
			break;
		if (got == 1 && !rcpt.held && !is_put_off(&m, &rcpt) &&
		    is_too_far(&m, &rcpt, now, &next)) {
			rcpt.next = next;
			if ((got = queue_set_rcpt(t, &rcpt)) == -1)
				break;
		}
		arena_reset(&a);
	}
	arena_free(&a);
	if (got == -1) {
		queue_abort(t);
		return -1;
	}
	return queue_commit(t, true);
}
