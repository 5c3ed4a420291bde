/*
 * chore.c - what is done beside jobs: results for others at the same
 * destination, retired messages, the clock
 */
#include "queue_run.h"

#include <stdlib.h>

#define PURGE_MAX 10000

/* ---- the same fate for others (B-33) ---- */

/* One more message that waits there: 1, 0 none is left, -1. */
static int
share_one(struct run *r, struct queue_txn *t, struct share *s, int64_t now,
    struct arena *a, uint64_t *gone_id)
{
	struct outcome_plan plan;
	struct queue_job job;
	struct outcome o = { .job = &job, .transport = &s->transport,
	    .waiting = true };
	bool gone;
	int got = queue_take(t, a, s->dest, now, JOB_RCPTS_MAX, &job);

	if (got != 1)
		return got;
	o.results = arena_zalloc(a, job.count, sizeof(*o.results));
	for (o.nresults = 0; o.nresults < job.count; o.nresults++)
		o.results[o.nresults] = (struct job_result){
		    job.rcpts[o.nresults].n, s->attempt, BYTES_EMPTY };
	if (queue_start(t, &job, now, work_jitter()) == -1 ||
	    outcome_plan(r->queue, a, &r->settings, &o, now, &plan) == -1)
		return -1;
	if (outcome_store(t, a, &r->settings, &o, &plan, now, &gone) == -1) {
		outcome_discard(r->queue, &plan);
		return -1;
	}
	/* nothing was removed meanwhile: it is one transaction */
	for (size_t i = 0; i < plan.ndsns; i++)
		(void)wake_dest(r, t, plan.dsn_rcpts[i].dest);	/* or later */
	*gone_id = gone ? job.message.id : 0;
	return 1;
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

int
work_share(struct run *r)
{
	struct share *s = r->shares;
	uint64_t gone[SHARE_MAX];
	struct arena a = ARENA_INIT;
	struct queue_txn *t;
	int64_t now = now_s();
	size_t n = 0;
	int got = 1;

	if (s == NULL)
		return 0;
	if ((t = queue_begin(r->queue, true)) == NULL)
		return -1;
	while (got == 1 && n < SHARE_MAX) {
		gone[n] = 0;
		if ((got = share_one(r, t, s, now, &a, &gone[n])) == 1)
			n++;
		arena_reset(&a);
	}
	arena_free(&a);
	if (got != -1 && wake_dest(r, t, s->dest) == -1)
		got = -1;
	if (got == -1) {
		queue_abort(t);		/* DSN files made are orphans */
		return -1;
	}
	if (queue_commit(t, true) == -1)
		return -1;
	while (n > 0) {
		if (gone[--n] != 0)
			queue_file_remove(r->queue, gone[n]);
	}
	if (got == 0)
		share_free(r, s);
	return 0;
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
	while ((got = queue_next_rcpt(t, &a, rcpt.id, rcpt.n, &rcpt)) == 1) {
		if ((got = queue_get_message(t, &a, rcpt.id, &m)) != 1)
			break;
		if (!rcpt.held && is_too_far(&m, &rcpt, now, &next)) {
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
