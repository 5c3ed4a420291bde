/*
 * end.c - recipients leave the queue by the administrator's word
 *
 * By the same two steps as after an attempt: plan (DSN files, without a lock),
 * then one commit of everything.
 */
#include "qcmd/qcmd.h"

#include <stdlib.h>

/* Recipients of one message that are chosen, planned and stored together. */
struct ending {
	struct queue_job job;
	struct transport none;		/* no transport had a part in it */
	struct outcome outcome;
	struct outcome_plan plan;
	bool gone;
};

/* Those of one message from list on: how many of list they are. */
static size_t
of_one_message(const struct qcmd_place *list, size_t count)
{
	size_t n = 1;

	while (n < count && n < QCMD_BATCH && list[n].id == list[0].id)
		n++;
	return n;
}

/* As they are now. 1; 0 all gone; -1. */
static int
load(struct qcmd *q, struct arena *a, const struct qcmd_place *list,
    size_t count, struct queue_job *job)
{
	struct queue_txn *t = queue_begin(q->queue, false);
	struct queue_rcpt *r;
	int got = 0;

	if (t == NULL)
		return -1;
	*job = (struct queue_job){
	    .rcpts = arena_zalloc(a, count, sizeof(*job->rcpts)) };
	for (size_t i = 0; i < count && got != -1; i++) {
		r = &job->rcpts[job->count];
		got = qcmd_get(t, a, &list[i], &job->message, r);
		if (got == 1 && qcmd_matches(&q->filter, &job->message, r))
			job->count++;
	}
	queue_abort(t);
	return got == -1 ? -1 : job->count > 0;
}

static void
decide(struct qcmd *q, struct arena *a, uint64_t outcome,
    struct bytes reason, struct ending *e)
{
	struct job_result *results = arena_zalloc(a, e->job.count,
	    sizeof(*results));
	struct queue_attempt attempt;

	(void)queue_attempt_parse(BYTES_EMPTY, &attempt);	/* all zero */
	attempt.outcome = outcome;
	attempt.status = BYTES("5.7.0");
	attempt.text = reason;
	attempt.start_ms = q->now * 1000;
	for (size_t i = 0; i < e->job.count; i++)
		results[i] = (struct job_result){ e->job.rcpts[i].n, attempt,
		    e->job.rcpts[i].dialled };
	e->none.name = BYTES_EMPTY;
	e->outcome = (struct outcome){ .job = &e->job, .results = results,
	    .nresults = e->job.count, .transport = &e->none,
	    .broken = BYTES_EMPTY };
}

static int
store(struct qcmd *q, struct arena *a,
    const struct outcome_settings *settings, struct ending *e)
{
	struct queue_txn *t = queue_begin(q->queue, true);

	if (t == NULL)
		return -1;
	if (outcome_store(t, a, settings, &e->outcome, &e->plan, q->now,
	    &e->gone) == -1) {
		queue_abort(t);
		return -1;
	}
	return queue_commit(t, true);
}

static int
print(const struct ending *e, int fd)
{
	struct buf ids = BUF_INIT(QCMD_BATCH * QUEUE_ID_TEXT);
	char id[QUEUE_ID_TEXT];
	int r;

	for (size_t i = 0; i < e->job.count; i++) {
		queue_id_format(id, e->job.message.id, e->job.rcpts[i].n);
		buf_printf(&ids, "%s\n", id);
	}
	r = io_write_all(fd, buf_bytes(&ids), DEADLINE_NONE);
	buf_free(&ids);
	return r;
}

static int
end_message(struct qcmd *q, const struct outcome_settings *settings,
    const struct qcmd_place *list, size_t count, uint64_t outcome,
    struct bytes reason, int fd)
{
	struct ending e = { .gone = false };
	struct arena a = ARENA_INIT;
	int r;

	q->problem = "write queue";
	if ((r = load(q, &a, list, count, &e.job)) == 1) {
		decide(q, &a, outcome, reason, &e);
		r = outcome_plan(q->queue, &a, settings, &e.outcome, q->now,
		    &e.plan);
		if (r == 0 && (r = store(q, &a, settings, &e)) == -1)
			outcome_failed(q->queue, &e.plan);
		if (r == 0)
			outcome_tidy(q->queue, &e.plan);
		if (r == 0 && e.gone)
			queue_file_remove(q->queue, e.job.message.id);
		for (size_t i = 0; r == 0 && i < e.plan.ndsns; i++)
			qcmd_wake(q, e.plan.dsn_rcpts[i].dest);
		if (r == 0) {
			q->problem = "write ids";
			r = print(&e, fd);
		}
	}
	arena_free(&a);
	return r;
}

int
qcmd_end(struct qcmd *q, uint64_t outcome, struct bytes reason, int fd)
{
	struct outcome_settings settings;
	struct qcmd_place *list = NULL;
	size_t count = 0, i, n;
	int r;

	if (qcmd_open_config(q) == -1)
		return -1;
	outcome_settings_init(&settings, q->config);
	r = qcmd_select(q, &list, &count);
	for (i = 0; i < count && r == 0; i += n) {
		n = of_one_message(list + i, count - i);
		r = end_message(q, &settings, list + i, n, outcome, reason,
		    fd);
	}
	free(list);
	return r == -1 ? -1 : count > 0;
}
