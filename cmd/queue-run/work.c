/*
 * work.c - jobs from the queue and results into it
 *
 * Everything that is ready goes into one transaction, so that the disk is
 * waited for once for all of it. Files of DSNs are written before.
 */
#include "queue_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "addr/addr.h"
#include "route/route.h"

#define PAUSE_MS 1000

uint32_t
work_jitter(void)
{
	uint32_t n;

	os_random(&n, sizeof(n));
	return n;
}

void
work_warn_damaged(const struct queue_job *job)
{
	char id[QUEUE_ID_TEXT];

	if (job->damaged == 0)
		return;
	queue_id_format(id, job->damaged_id, job->damaged_n);
	msg_warn("cannot read %zu damaged record%s of the queue, such as %s: "
	    "not tried any more", job->damaged, job->damaged == 1 ? "" : "s",
	    id);
}

/* ---- what a job needs before it is sent ---- */

static struct queue_attempt
plain_result(uint64_t outcome, const char *status, const char *text)
{
	struct queue_attempt a;

	(void)queue_attempt_parse(BYTES_EMPTY, &a);	/* all zero */
	a.outcome = outcome;
	a.status = bytes_str(status);
	a.text = bytes_str(text);
	a.start_ms = time_wall_us() / 1000;
	return a;
}

static void
add_result(struct work *w, uint64_t n, struct queue_attempt attempt)
{
	w->results[w->nresults++] = (struct job_result){ n, attempt,
	    BYTES_EMPTY };
}

/* addresses the account does not write to any more. */
static int
check_suppressed(struct queue_txn *t, struct work *w)
{
	const struct queue_message *m = &w->job.message;
	const struct queue_rcpt *r;
	struct queue_suppressed s;
	int got;

	if (m->account.n == 0 || m->kind != QUEUE_MESSAGE)
		return 0;
	for (size_t i = 0; i < w->job.count; i++) {
		r = &w->job.rcpts[i];
		got = queue_suppress_get(t, &w->a, m->account,
		    queue_suppress_base(&w->a, r->address), &s);
		if (got == -1)
			return -1;
		if (got == 1)
			add_result(w, r->n, plain_result(QUEUE_SUPPRESSED,
			    "5.1.0", "the address is on the suppression list "
			    "of the account"));
	}
	return 0;
}

/* B-17: too late for what had to be delivered by then, or returned. */
static void
check_deadline(struct work *w, int64_t now)
{
	const struct queue_message *m = &w->job.message;

	if (m->deliver_by == 0 || !m->by_return || now < m->deliver_by)
		return;
	for (size_t i = 0; i < w->job.count; i++)
		add_result(w, w->job.rcpts[i].n, plain_result(QUEUE_FAILED,
		    "5.4.7", "it was not delivered by the time that was "
		    "asked for"));
}

/* mail of a domain that is switched off waits. */
static void
check_sender(struct run *r, struct work *w)
{
	struct bytes sender = w->job.message.sender, name;
	struct path path;
	const char *why;

	if (sender.n == 0 || addr_parse_mailbox(&w->a, sender, ADDR_SMTPUTF8,
	    &path, &why) == -1 ||
	    !config_domain_find(r->config, path.domain, &name) ||
	    !config_get_bool(r->config, "domain", (const char *)name.p,
	    "disabled"))
		return;
	for (size_t i = 0; i < w->job.count; i++)
		add_result(w, w->job.rcpts[i].n, plain_result(QUEUE_DELAYED,
		    "4.2.1", "the sender's domain is disabled"));
}

/* The transport for it, as the routes say now. */
static struct bytes
route_of(struct run *r, struct work *w, const struct queue_rcpt *rcpt)
{
	struct route_query q = { .account = w->job.message.account,
	    .sender_domain = BYTES_EMPTY, .rcpt_domain = rcpt->domain,
	    .chosen = rcpt->transport, .attempts = rcpt->attempts };
	struct bytes sender = rcpt->sender.n > 0 ? rcpt->sender
	    : w->job.message.sender;
	struct path path;
	const char *why;

	if (sender.n > 0 && addr_parse_mailbox(&w->a, sender, ADDR_SMTPUTF8,
	    &path, &why) == 0)
		q.sender_domain = path.domain_ascii;
	return route_find(r->config, &q);
}

/* Those whose route changed leave the job for their new destination; *name
 * is the transport of the others. -1. */
static int
move_rerouted(struct run *r, struct queue_txn *t, struct bytes at,
    struct work *w, struct bytes *name)
{
	struct queue_rcpt *rcpt;
	struct bytes transport;
	size_t kept = 0;

	for (size_t i = 0; i < w->job.count; i++) {
		rcpt = &w->job.rcpts[i];
		transport = route_of(r, w, rcpt);
		rcpt->dest = route_dest(&w->a, r->config, transport,
		    rcpt->domain);
		if (bytes_eq(rcpt->dest, at)) {
			*name = transport;
			w->job.rcpts[kept++] = *rcpt;
			continue;
		}
		if (queue_set_rcpt(t, rcpt) == -1 ||
		    wake_dest(r, t, rcpt->dest) == -1)
			return -1;
	}
	w->job.count = kept;
	return 0;
}

/* As the routes say now: 1 there is something for this destination; 0 all of
 * it moved. */
static int
check_route(struct run *r, struct queue_txn *t, struct bytes at,
    struct work *w)
{
	struct bytes name = BYTES_EMPTY;
	const char *why;

	if (move_rerouted(r, t, at, w, &name) == -1)
		return -1;
	if (w->job.count == 0)
		return 0;
	if (route_transport(&w->a, r->config, name, &w->transport,
	    &why) == 0)
		return 1;
	w->transport = (struct transport){ .name = arena_bytes(&w->a, name) };
	for (size_t i = 0; i < w->job.count; i++)
		add_result(w, w->job.rcpts[i].n, plain_result(QUEUE_DELAYED,
		    "4.3.5", arena_printf(&w->a, "cannot use %s: %s", why,
		    strerror(errno))));
	return 1;
}

/* ---- what is under way is left alone ---- */

/* A recipient that the administrator scheduled anew while it is under way is
 * looked at again after so long. */
#define UNDER_WAY_S 60

static bool
list_has(const struct link *l, uint64_t id, uint64_t n)
{
	const struct queue_job *job;

	for (; l != NULL; l = l->next) {
		if (l->work == NULL || l->stored)
			continue;
		job = &l->work->job;
		if (job->count == 0 || job->message.id != id)
			continue;
		for (size_t i = 0; i < job->count; i++) {
			if (job->rcpts[i].n == n)
				return true;
		}
	}
	return false;
}

/* Put those off. How many they are, or -1. */
static int
put_off(struct run *r, struct queue_txn *t, const struct queue_job *job,
    int64_t now)
{
	struct queue_rcpt rcpt;
	int n = 0;

	for (size_t i = 0; i < job->count; i++) {
		rcpt = job->rcpts[i];
		if (!list_has(r->busy, rcpt.id, rcpt.n) &&
		    !list_has(r->over, rcpt.id, rcpt.n))
			continue;
		rcpt.next = now + UNDER_WAY_S;
		if (queue_set_rcpt(t, &rcpt) == -1)
			return -1;
		n++;
	}
	return n;
}

/* The next job there, without what is under way. 1, 0 none, -1. */
static int
take_idle(struct run *r, struct queue_txn *t, struct bytes dest,
    struct work *w, int64_t now)
{
	struct queue_job job;
	int got, off;

	do {
		got = queue_take(t, &w->a, dest, now, JOB_RCPTS_MAX, &job);
		work_warn_damaged(&job);
		off = got == 1 ? put_off(r, t, &job, now) : 0;
	} while (off > 0);
	if (off == -1 || got != 1)
		return off == -1 ? -1 : got;
	w->job = job;
	return 1;
}

/*
 * The next job at a destination, started, into the empty w. 1; 0 nothing is
 * due (or it went elsewhere); -1 errno. The table knows the next time.
 */
static int
take_job(struct run *r, struct queue_txn *t, struct bytes dest,
    struct work *w, int64_t now)
{
	int got = take_idle(r, t, dest, w, now);

	if (got == 1) {
		w->results = arena_zalloc(&w->a, w->job.count,
		    sizeof(*w->results));
		got = check_route(r, t, dest, w);
	}
	if (got == 1 && queue_start(t, &w->job, now, work_jitter()) == -1)
		return -1;
	if (got == 1 && w->nresults == 0)
		check_deadline(w, now);
	if (got == 1 && w->nresults == 0)
		check_sender(r, w);
	if (got == 1 && w->nresults == 0 && check_suppressed(t, w) == -1)
		return -1;
	if (got == -1 || wake_dest(r, t, dest) == -1)
		return -1;
	return got;
}

/* ---- beginning ---- */

/* A connection for the readiest destination. NULL: none now. */
static struct link *
next_link(struct run *r, int64_t now)
{
	unsigned char name[QUEUE_DEST_MAX];
	struct bytes dest;
	struct link *l;

	if (!sched_next(r->sched, now, &dest))
		return NULL;
	memcpy(name, dest.p, dest.n);
	dest = bytes_of(name, dest.n);
	if ((l = link_awake(r, dest)) == NULL) {
		link_make_room(r);
		l = link_open(r, dest);
	}
	if (l == NULL) {
		if (r->pause_until_ms == 0)
			msg_warnsys("cannot reach %s", r->smtp_out);
		r->pause_until_ms = time_mono_ms() + PAUSE_MS;
		return NULL;
	}
	r->pause_until_ms = 0;
	link_give(l, work_new());
	l->anew = sched_begin(r->sched, dest);
	return l;
}

/* A link without a job: nothing was due after all. */
static void
drop_link(struct run *r, struct link *l)
{
	sched_cancel(r->sched, l->dest, l->anew);
	link_close(r, l);
}

static int
begin_some(struct run *r, struct queue_txn *t, int64_t now,
    struct link **links, size_t *count)
{
	struct link *l;
	int got;

	*count = 0;
	while (*count < BEGIN_MAX && (l = next_link(r, now)) != NULL) {
		if ((got = take_job(r, t, l->dest, l->work, now)) == -1) {
			links[(*count)++] = l;
			return -1;
		}
		if (got == 1)
			links[(*count)++] = l;
		else
			drop_link(r, l);
	}
	return 0;
}

int
work_begin(struct run *r)
{
	struct link *links[BEGIN_MAX];
	int64_t now = now_s();
	struct queue_txn *t;
	struct bytes dest;
	size_t count, i;
	int got;

	if (r->pause_until_ms > time_mono_ms() ||
	    !sched_next(r->sched, now, &dest))
		return 0;
	if ((t = queue_begin(r->queue, true)) == NULL)
		return -1;
	if ((got = begin_some(r, t, now, links, &count)) == -1)
		queue_abort(t);
	else
		got = queue_commit(t, true);
	for (i = 0; i < count; i++) {
		if (got == -1) {
			drop_link(r, links[i]);
			continue;
		}
		r->jobs++;
		link_send(r, links[i]);
	}
	if (got == -1)
		(void)wake_all(r);	/* the table was ahead of the file */
	return got;
}

/* ---- ending ---- */

static void
log_result(const struct link *l, const struct outcome_rcpt *o, size_t i)
{
	const struct queue_rcpt *r = &l->work->job.rcpts[i];
	char id[QUEUE_ID_TEXT];
	struct logline line;

	queue_id_format(id, r->id, r->n);
	log_begin(&line, LOG_INFO, queue_outcome_text(o->attempt.outcome));
	log_str(&line, "id", id);
	log_bytes(&line, "account", l->work->job.message.account);
	log_bytes(&line, "from", l->work->job.message.sender);
	log_bytes(&line, "to", r->address);
	log_bytes(&line, "dest", l->dest);
	log_num(&line, "attempt", (int64_t)r->attempts);
	if (o->attempt.host.n > 0)
		log_bytes(&line, "host", o->attempt.host);
	if (o->attempt.ip.n > 0)
		log_bytes(&line, "ip", o->attempt.ip);
	if (o->attempt.tls.n > 0)
		log_bytes(&line, "tls", o->attempt.tls);
	log_num(&line, "code", (int64_t)o->attempt.code);
	log_bytes(&line, "status", o->attempt.status);
	log_bytes(&line, "reply", o->attempt.text);
	log_num(&line, "ms", o->attempt.duration_ms);
	log_end(&line);
}

/* What is stored of one link, between plan and commit. */
struct ending {
	struct link *link;
	struct outcome outcome;
	struct outcome_plan plan;
	bool planned, gone;
	uint64_t id;
	struct work *next;	/* the connection's next job, or NULL */
};

static void
plan_one(struct run *r, struct ending *e, int64_t now)
{
	struct work *w = e->link->work;

	e->id = w->job.message.id;
	e->outcome = (struct outcome){ .job = &w->job,
	    .results = w->results, .nresults = w->nresults,
	    .transport = &w->transport,
	    .broken = bytes_str(w->broken == NULL ? "" : w->broken) };
	e->planned = outcome_plan(r->queue, &w->a, &r->settings, &e->outcome,
	    now, &e->plan) == 0;
	if (!e->planned)
		msg_warnsys("cannot write a delivery status notification");
}

/* T-9: what reports will tell. */
static int
store_tls(struct queue_txn *t, struct work *w, int64_t now)
{
	for (size_t i = 0; i < w->done.ntls && i < TLS_RESULTS_MAX; i++) {
		if (queue_tlsresult_add(t, &w->a, w->job.rcpts[0].domain,
		    w->job.message.kind, &w->done.tls[i], now) == -1)
			return -1;
	}
	return 0;
}

static int
store_one(struct run *r, struct queue_txn *t, struct ending *e, int64_t now)
{
	struct work *w = e->link->work;

	if (outcome_store(t, &w->a, &r->settings, &e->outcome, &e->plan, now,
	    &e->gone) == -1)
		return -1;
	if (w->done.has_known && queue_known_set(t, w->job.message.account,
	    w->job.rcpts[0].domain, &w->done.known) == -1)
		return -1;
	if (store_tls(t, w, now) == -1)
		return -1;
	for (size_t i = 0; i < e->plan.ndsns; i++) {
		if (wake_dest(r, t, e->plan.dsn_rcpts[i].dest) == -1)
			return -1;
	}
	e->link->stored = true;
	return wake_dest(r, t, e->link->dest);
}

/* The connection is still good: its next job, if there is one. */
static int
take_next(struct run *r, struct queue_txn *t, struct ending *e, int64_t now)
{
	struct link *l = e->link;
	int got;

	if (!link_is_good(l))
		return 0;
	e->next = work_new();
	if ((got = take_job(r, t, l->dest, e->next, now)) == 1)
		return 0;
	work_free(e->next);
	e->next = NULL;
	return got;
}

/* Remember what the others at this destination get too. */
static void
start_share(struct run *r, const struct link *l)
{
	const struct work *w = l->work;
	const struct queue_attempt *a;
	struct share *s;

	if (w->nresults == 0)
		return;
	a = &w->results[0].attempt;
	s = mem_zalloc(1, sizeof(*s));
	s->a = (struct arena)ARENA_INIT;
	s->dest = arena_bytes(&s->a, l->dest);
	s->attempt = *a;
	s->attempt.text = arena_bytes(&s->a, a->text);
	s->attempt.status = arena_bytes(&s->a, a->status);
	s->attempt.host = arena_bytes(&s->a, a->host);
	s->attempt.ip = arena_bytes(&s->a, a->ip);
	s->attempt.tls = arena_bytes(&s->a, a->tls);
	s->attempt.duration_ms = 0;
	s->transport.type = w->transport.type;
	s->transport.name = arena_bytes(&s->a, w->transport.name);
	s->next = r->shares;
	r->shares = s;
}

static void
finish_one(struct run *r, struct ending *e, int64_t now)
{
	struct link *l = e->link;

	for (size_t i = 0; i < e->plan.count; i++)
		log_result(l, &e->plan.rcpts[i], i);
	outcome_tidy(r->queue, &e->plan);
	if (e->gone)
		queue_file_remove(r->queue, e->id);
	if (e->next == NULL && !l->sent) {
		drop_link(r, l);	/* no host was asked */
		return;
	}
	if (e->next == NULL) {
		if (sched_end(r->sched, l->dest, l->work->done.no_host, now))
			start_share(r, l);
		link_rest(r, l);
		return;
	}
	/* the table learns that a host was reached */
	sched_end(r->sched, l->dest, false, now);
	(void)sched_begin(r->sched, l->dest);	/* it has a connection */
	r->jobs++;
	link_give(l, e->next);
	link_move(l, &r->busy);
	link_send(r, l);
}

/* Everything planned goes into one transaction, and what comes next. */
static int
store_all(struct run *r, struct ending *list, size_t count, int64_t now)
{
	struct queue_txn *t = queue_begin(r->queue, true);
	int got = t == NULL ? -1 : 0;
	size_t i;

	for (i = 0; i < count && got == 0; i++)
		got = store_one(r, t, &list[i], now);
	for (i = 0; i < count && got == 0; i++)
		got = take_next(r, t, &list[i], now);
	if (got == 0)
		return queue_commit(t, true);
	queue_abort(t);
	return -1;
}

static size_t
plan_all(struct run *r, struct ending *list, size_t max, int64_t now)
{
	struct link *l = r->over;
	size_t n = 0;

	for (; l != NULL && n < max; l = l->next) {
		list[n] = (struct ending){ .link = l };
		plan_one(r, &list[n], now);
		if (list[n].planned)
			n++;
	}
	return n;
}

int
work_end(struct run *r)
{
	struct ending list[BEGIN_MAX];
	int64_t now = now_s();
	size_t count, i;

	if (r->over == NULL)
		return 0;
	count = plan_all(r, list, BEGIN_MAX, now);
	if (count == 0)
		return -1;	/* no disk space; the results wait */
	if (store_all(r, list, count, now) == -1) {
		for (i = 0; i < count; i++) {
			list[i].link->stored = false;
			outcome_failed(r->queue, &list[i].plan);
			work_free(list[i].next);
		}
		return -1;
	}
	for (i = 0; i < count; i++)
		finish_one(r, &list[i], now);
	return 0;
}
