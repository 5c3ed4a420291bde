/*
 * link.c - connections to smtp-out
 */
#include "queue_run.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "frame/frame.h"

/* smtp-out is on this machine and does nothing but wait for its job. */
#define CONNECT_TIMEOUT_MS 2000
#define SEND_TIMEOUT_MS 10000
#define READ_MAX 16384

static void
link_add(struct link *l, struct link **list)
{
	l->from = list;
	l->next = *list;
	if (l->next != NULL)
		l->next->from = &l->next;
	*list = l;
}

static void
link_remove(struct link *l)
{
	*l->from = l->next;
	if (l->next != NULL)
		l->next->from = l->from;
}

void
link_move(struct link *l, struct link **list)
{
	link_remove(l);
	link_add(l, list);
}

struct work *
work_new(void)
{
	struct work *w = mem_zalloc(1, sizeof(*w));

	w->a = (struct arena)ARENA_INIT;
	return w;
}

void
work_free(struct work *w)
{
	if (w == NULL)
		return;
	arena_free(&w->a);
	free(w);
}

struct link *
link_open(struct run *r, struct bytes dest)
{
	int fd = os_connect_unix(r->smtp_out, deadline_in(CONNECT_TIMEOUT_MS));
	unsigned char *name;
	struct link *l;

	if (fd == -1)
		return NULL;
	l = mem_zalloc(1, sizeof(*l) + dest.n);
	name = (unsigned char *)(l + 1);
	for (size_t i = 0; i < dest.n; i++)
		name[i] = dest.p[i];
	l->source.kind = SOURCE_LINK;
	l->fd = fd;
	l->dest = bytes_of(name, dest.n);
	l->in = BUF_INIT(FRAME_MAX);
	if (os_events_add(r->events, fd, OS_EVENT_READ, l) == -1) {
		(void)close(fd);	/* nothing was sent */
		free(l);
		return NULL;
	}
	link_add(l, &r->busy);
	return l;
}

void
link_give(struct link *l, struct work *w)
{
	l->jobs++;
	work_free(l->work);
	l->work = w;
	l->is_over = l->sent = l->stored = false;
}

void
link_close(struct run *r, struct link *l)
{
	if (l->rests)
		r->nresting--;
	link_remove(l);
	(void)os_events_remove(r->events, l->fd);	/* it was added */
	(void)close(l->fd);	/* this tells smtp-out to say QUIT */
	buf_free(&l->in);
	work_free(l->work);
	free(l);
}

/* ---- without a job ---- */

bool
link_is_good(const struct link *l)
{
	return !l->last && l->jobs < LINK_JOBS_MAX && l->work->is_done &&
	    l->work->done.reusable;
}

/* Who refuses something is left: the next attempt may find the host, or what
 * it knows, another. */
static bool
all_taken(const struct work *w)
{
	for (size_t i = 0; i < w->nresults; i++) {
		if (w->results[i].attempt.outcome != QUEUE_DELIVERED &&
		    w->results[i].attempt.outcome != QUEUE_RELAYED)
			return false;
	}
	return true;
}

void
link_rest(struct run *r, struct link *l)
{
	if (!link_is_good(l) || !all_taken(l->work)) {
		link_close(r, l);
		return;
	}
	work_free(l->work);
	l->work = NULL;
	l->rests = true;
	l->rest_until_ms = time_mono_ms() + LINK_REST_MS;
	link_move(l, &r->resting);
	r->nresting++;
}

struct link *
link_awake(struct run *r, struct bytes dest)
{
	struct link *l = r->resting;

	while (l != NULL && !bytes_eq(l->dest, dest))
		l = l->next;
	if (l == NULL)
		return NULL;
	link_move(l, &r->busy);
	l->rests = false;
	r->nresting--;
	return l;
}

/* The one that came first is the last of the list. */
static struct link *
first_resting(const struct run *r)
{
	struct link *l = r->resting;

	while (l != NULL && l->next != NULL)
		l = l->next;
	return l;
}

int64_t
link_rest_until(const struct run *r)
{
	const struct link *l = first_resting(r);

	return l == NULL ? -1 : l->rest_until_ms;
}

void
link_expire(struct run *r)
{
	int64_t now = time_mono_ms();
	struct link *l;

	while ((l = first_resting(r)) != NULL && l->rest_until_ms <= now)
		link_close(r, l);
}

void
link_close_resting(struct run *r)
{
	struct link *l = r->resting, *next;

	for (; l != NULL; l = next) {
		next = l->next;
		link_close(r, l);
	}
}

/* The limit of connections counts those that rest, too. */
void
link_make_room(struct run *r)
{
	if (r->resting != NULL && sched_busy(r->sched) + r->nresting >=
	    r->connections_max)
		link_close(r, first_resting(r));
}

static void
over(struct run *r, struct link *l, const char *broken)
{
	if (l->is_over)
		return;
	l->is_over = true;
	l->work->broken = broken;
	link_move(l, &r->over);
}

static bool
has_result(const struct work *w, uint64_t n)
{
	for (size_t i = 0; i < w->nresults; i++) {
		if (w->results[i].n == n)
			return true;
	}
	return false;
}

/* Those that have a result already (suppressed) are not sent. */
static void
fill_request(struct work *w, struct job_request *j)
{
	struct queue_job *job = &w->job;
	const struct queue_rcpt *first = NULL;

	*j = (struct job_request){ .message = job->message,
	    .transport = w->transport };
	j->rcpts = arena_zalloc(&w->a, job->count, sizeof(*j->rcpts));
	for (size_t i = 0; i < job->count; i++) {
		if (!has_result(w, job->rcpts[i].n))
			j->rcpts[j->count++] = job->rcpts[i];
	}
	if (j->count == 0)
		return;
	first = &j->rcpts[0];
	j->sender = first->sender.n > 0 ? first->sender : job->message.sender;
	j->domain = first->domain;
}

void
link_send(struct run *r, struct link *l)
{
	struct buf out = BUF_INIT(FRAME_MAX);
	struct job_request j;
	int file = -1;

	fill_request(l->work, &j);
	j.anew = l->anew;
	if (j.count == 0) {
		over(r, l, "");
		return;
	}
	if ((file = queue_file_open(r->queue, l->work->job.message.id)) == -1)
		over(r, l, "the message cannot be read");
	else if (job_format_request(&out, &j) == -1)
		over(r, l, "the job is too large");
	else if (frame_send(l->fd, buf_bytes(&out), &file, 1,
	    deadline_in(SEND_TIMEOUT_MS)) == -1)
		over(r, l, "smtp-out does not take the job");
	else
		l->sent = true;
	if (file != -1)
		(void)close(file);	/* smtp-out has its own */
	secret_wipe(out.p, out.n);
	buf_free(&out);
}

/* ---- replies ---- */

static bool
is_of_job(const struct work *w, uint64_t n)
{
	for (size_t i = 0; i < w->job.count; i++) {
		if (w->job.rcpts[i].n == n)
			return true;
	}
	return false;
}

/* 0; -1 EPROTO: nothing it says can be trusted. */
static int
take_frame(struct run *r, struct link *l, struct bytes fields)
{
	struct work *w = l->work;
	struct job_result result;
	struct bytes copy = arena_bytes(&w->a, fields);
	enum job_kind kind;

	if (!l->sent || job_parse_reply(&w->a, copy, &kind, &result,
	    &w->done) == -1)
		return -1;
	if (kind == JOB_DONE) {
		w->is_done = true;
		over(r, l, "smtp-out gave no result");
		return 0;
	}
	if (!is_of_job(w, result.n) || has_result(w, result.n))
		return -1;
	w->results[w->nresults++] = result;
	return 0;
}

static void
take_frames(struct run *r, struct link *l)
{
	struct bytes in = buf_bytes(&l->in), fields;
	size_t before = in.n;
	int got = 0;

	while (!l->is_over && (got = frame_cut(&in, &fields)) == 1) {
		if (take_frame(r, l, fields) == -1) {
			got = -1;
			break;
		}
	}
	buf_drop(&l->in, before - in.n);
	if (got == -1)
		over(r, l, "smtp-out sent something unreadable");
}

void
link_read(struct run *r, struct link *l)
{
	ssize_t n = -1;

	if (l->rests) {		/* nothing was asked: it ended */
		link_close(r, l);
		return;
	}
	if (buf_room(&l->in, READ_MAX) == -1) {
		over(r, l, "smtp-out says too much");
		return;
	}
	n = read(l->fd, l->in.p + l->in.n, READ_MAX);
	if (n > 0) {
		l->in.n += (size_t)n;
		take_frames(r, l);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		over(r, l, "smtp-out ended");
}
