/*
 * outcome.c - what becomes of recipients after an attempt
 *
 * Decided from the records as they were when the attempt began; stored on the
 * records as they are now, which the administrator may have changed.
 */
#include "sched/sched.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "addr/addr.h"
#include "dsn/dsn.h"
#include "recipient/recipient.h"
#include "route/route.h"

#define DSN_MESSAGE_MAX (DSN_FULL_MAX + 4 * 1024 * 1024)
#define PREFIX_MAX 65536
/* Retired mail of an account that is gone (BEHAVIOUR 7.5). */
#define KEEP_GONE_S (7 * 24 * 3600)

void
outcome_settings_init(struct outcome_settings *s, const struct config *c)
{
	*s = (struct outcome_settings){ .config = c,
	    .hostname = config_get_text(c, "server", NULL, "hostname"),
	    .delay_s = (int64_t)config_get_duration(c, "queue", NULL,
	    "delay-notice-after"),
	    .lifetime_s = (int64_t)config_get_duration(c, "queue", NULL,
	    "lifetime") };
}

/* ---- deciding ---- */

static const struct job_result *
result_of(const struct outcome *o, uint64_t n)
{
	for (size_t i = 0; i < o->nresults; i++) {
		if (o->results[i].n == n)
			return &o->results[i];
	}
	return NULL;
}

static struct bytes
sender_of(const struct queue_message *m, const struct queue_rcpt *r)
{
	return r->sender.n > 0 ? r->sender : m->sender;
}

/* RFC 3461 4.1: without NOTIFY failures and delays are told. */
static bool
wants(const struct queue_message *m, const struct queue_rcpt *r,
    unsigned int what)
{
	if (sender_of(m, r).n == 0)
		return false;
	if (r->notify == 0)
		return what != QUEUE_NOTIFY_SUCCESS;
	return (r->notify & what) != 0;
}

static bool
gives_up(const struct queue_message *m, const struct queue_rcpt *r,
    int64_t now)
{
	if (m->deliver_by != 0 && m->by_return && now >= m->deliver_by)
		return true;
	if (m->max_attempts > 0 && r->attempts >= m->max_attempts)
		return true;
	return r->next > m->expires || now >= m->expires;
}

static bool
tells_delay(const struct outcome_settings *s, const struct queue_message *m,
    const struct queue_rcpt *r, int64_t now)
{
	if (m->kind != QUEUE_MESSAGE || r->delay_told ||
	    !wants(m, r, QUEUE_NOTIFY_DELAY))
		return false;
	return now >= m->release + s->delay_s ||
	    (m->deliver_by != 0 && now >= m->deliver_by);
}

/* Temporary: once more, or for good. */
static void
decide_delayed(struct arena *a, const struct outcome_settings *s,
    const struct queue_message *m, const struct queue_rcpt *r, int64_t now,
    struct outcome_rcpt *out)
{
	if (!gives_up(m, r, now)) {
		if (tells_delay(s, m, r, now))
			out->dsn = DSN_DELAYED;
		return;
	}
	out->ends = true;
	out->note = bytes_str(arena_printf(a, "given up after %llu attempt%s",
	    (unsigned long long)r->attempts, r->attempts == 1 ? "" : "s"));
	out->said = out->attempt.text;
	out->attempt.outcome = QUEUE_FAILED;
	out->attempt.status = BYTES("5.4.7");
	out->attempt.text = bytes_str(arena_printf(a, "%.*s; the last: %.*s",
	    BYTES_ARG(out->note), BYTES_ARG(out->said)));
	if (wants(m, r, QUEUE_NOTIFY_FAILURE))
		out->dsn = DSN_FAILED;
}

static void
decide(struct arena *a, const struct outcome_settings *s,
    const struct outcome *o, const struct queue_rcpt *r, int64_t now,
    struct outcome_rcpt *out)
{
	const struct queue_message *m = &o->job->message;
	const struct job_result *result = result_of(o, r->n);

	out->dsn = -1;
	out->dsn_index = SIZE_MAX;
	if (result != NULL) {
		out->attempt = result->attempt;
		if (out->attempt.start_ms == 0)
			out->attempt.start_ms = r->last * 1000;
		out->dialled = result->dialled;
	} else {
		(void)queue_attempt_parse(BYTES_EMPTY, &out->attempt);
		out->attempt.outcome = QUEUE_DELAYED;
		out->attempt.start_ms = r->last * 1000;
		out->attempt.status = BYTES("4.3.0");
		out->attempt.text = o->broken;
		out->dialled = r->dialled;
	}
	out->attempt.transport = o->transport->name;
	out->ends = true;
	switch (out->attempt.outcome) {
	case QUEUE_DELIVERED:
	case QUEUE_EXPANDED:
		/* by SMTP the next host tells, it knows the extension */
		if ((o->transport->type == TRANSPORT_LMTP ||
		    o->transport->type == TRANSPORT_COMMAND) &&
		    wants(m, r, QUEUE_NOTIFY_SUCCESS))
			out->dsn = DSN_DELIVERED;
		break;
	case QUEUE_RELAYED:
		if (wants(m, r, QUEUE_NOTIFY_SUCCESS))
			out->dsn = DSN_RELAYED;
		break;
	case QUEUE_FAILED:
	case QUEUE_SUPPRESSED:
		if (wants(m, r, QUEUE_NOTIFY_FAILURE))
			out->dsn = DSN_FAILED;
		break;
	case QUEUE_DROPPED:
		break;
	default:
		out->ends = false;
		decide_delayed(a, s, m, r, now, out);
	}
}

/* ---- DSNs ---- */

/* The original as far as a DSN may return it; false: not readable, the DSN
 * goes without. */
static bool
map_original(struct queue *q, uint64_t id, struct bytes *out)
{
	int fd = queue_file_open(q, id);
	struct stat st;
	size_t n;
	void *p = MAP_FAILED;

	*out = BYTES_EMPTY;
	if (fd == -1)
		return false;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		n = st.st_size > DSN_FULL_MAX ? DSN_FULL_MAX
		    : (size_t)st.st_size;
		p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p != MAP_FAILED)
			*out = bytes_of(p, n);
	}
	(void)close(fd);	/* read only */
	return p != MAP_FAILED;
}

static void
unmap_original(struct bytes original)
{
	union { const unsigned char *from; void *to; } p = { original.p };

	if (original.n > 0)
		(void)munmap(p.to, original.n);	/* nothing to be done */
}

static void
report_rcpt(const struct queue_message *m, const struct queue_rcpt *r,
    const struct outcome_rcpt *o, struct dsn_rcpt *out)
{
	*out = (struct dsn_rcpt){ .address = r->address, .orcpt = r->orcpt,
	    .action = (enum dsn_action)o->dsn, .status = o->attempt.status,
	    .code = o->attempt.code, .text = o->attempt.text,
	    .host = o->attempt.host, .ip = o->attempt.ip, .last = r->last };
	if (o->dsn == DSN_DELAYED)
		out->retry_until = m->expires;
	if (o->note.n > 0) {
		out->note = o->note;
		out->text = o->said;
	}
	if (out->status.n == 0 || (o->dsn == DSN_FAILED &&
	    bytes_at(out->status, 0) != '5'))
		out->status = o->dsn == DSN_FAILED ? BYTES("5.0.0")
		    : o->dsn == DSN_DELAYED ? BYTES("4.0.0")
		    : BYTES("2.0.0");
}

/* Write the message's file. */
static int
write_file(struct queue *q, struct bytes prefix, struct bytes text,
    uint64_t *id)
{
	int fd = queue_file_make(q), err;

	if (fd == -1)
		return -1;
	if (io_write_all(fd, prefix, DEADLINE_NONE) == -1 ||
	    io_write_all(fd, text, DEADLINE_NONE) == -1) {
		err = errno;
		(void)close(fd);	/* it has no name */
		errno = err;
		return -1;
	}
	return queue_file_keep(q, fd, id);
}

/* A sender that was ours and is no more: its failures are the postmaster's
 * to know of, if there is one. */
static int
find_reader(struct arena *a, const struct outcome_settings *s,
    struct bytes *to, struct path *path)
{
	struct bytes other = bytes_str(arena_printf(a, "postmaster@%.*s",
	    BYTES_ARG(s->hostname)));
	struct recipient r;
	struct path p;
	const char *why;

	if (addr_parse_mailbox(a, *to, ADDR_SMTPUTF8, path, &why) == -1)
		return -1;
	if (recipient_find(s->config, a, path, &r) == 0 &&
	    addr_parse_mailbox(a, other, 0, &p, &why) == 0 &&
	    recipient_find(s->config, a, &p, &r) == 1) {
		*to = other;
		*path = p;
	}
	return 0;
}

/* The recipient of a DSN: the original's sender. -1: nobody can be told. */
static int
address_dsn(struct arena *a, const struct outcome_settings *s,
    const struct queue_message *m, struct bytes to, int64_t now,
    struct queue_rcpt *out)
{
	struct route_query query;
	struct path path;

	if (find_reader(a, s, &to, &path) == -1)
		return -1;
	(void)queue_rcpt_parse(BYTES_EMPTY, out);	/* all zero */
	out->address = to;
	out->domain = path.domain_ascii;
	out->next = now;
	out->notify = QUEUE_NOTIFY_NEVER;
	out->tls = m->tls;
	query = (struct route_query){ .account = m->account,
	    .sender_domain = s->hostname, .rcpt_domain = path.domain_ascii,
	    .chosen = BYTES_EMPTY };
	out->dest = route_dest(a, s->config, route_find(s->config, &query),
	    path.domain_ascii);
	return 0;
}

static void
address_message(struct arena *a, const struct outcome_settings *s,
    const struct outcome *o, struct bytes from, struct bytes text,
    int64_t now, struct queue_message *out)
{
	const struct queue_message *m = &o->job->message;

	(void)queue_message_parse(BYTES_EMPTY, out);	/* all zero */
	out->account = m->account;
	out->from = from;
	out->subject = bytes_str(arena_printf(a, "DSN about %.*s",
	    BYTES_ARG(m->subject)));
	out->kind = QUEUE_DSN;
	out->submitted = out->release = now;
	out->expires = now + s->lifetime_s;
	out->body_8bit = !bytes_is_ascii(text);
	/* what was not to be shown on the way is not in its DSN either (RFC
	 * 8689 5); nor does that wait for what the message did not need */
	out->tls = m->tls;
}

static int
compose(struct queue *q, struct arena *a, const struct outcome_settings *s,
    const struct outcome *o, struct dsn *d, int64_t now,
    struct outcome_plan *plan)
{
	struct queue_message *m = &plan->dsns[plan->ndsns];
	struct queue_rcpt *r = &plan->dsn_rcpts[plan->ndsns];
	struct buf text = BUF_INIT(DSN_MESSAGE_MAX);
	struct buf prefix = BUF_INIT(PREFIX_MAX);
	bool leaves;
	int result;

	if (address_dsn(a, s, &o->job->message, d->to, now, r) == -1)
		return 0;	/* as good as a null sender */
	leaves = !bytes_eq(r->dest, BYTES("transport:local"));
	result = dsn_compose(&text, d);
	if (result == 0 && s->sign != NULL && leaves)
		result = s->sign(s->ctx, a, buf_bytes(&text), &prefix);
	address_message(a, s, o, d->from, buf_bytes(&text), now, m);
	m->size = text.n + prefix.n;
	m->smtputf8 = !bytes_is_ascii(d->to);
	if (result == 0)
		result = write_file(q, buf_bytes(&prefix), buf_bytes(&text),
		    &m->id);
	if (result == 0)
		plan->ndsns++;
	buf_free(&prefix);
	buf_free(&text);
	return result;
}

/* One DSN for the recipients of the same action and sender as the first. */
static int
make_dsn(struct queue *q, struct arena *a, const struct outcome_settings *s,
    const struct outcome *o, struct bytes original, size_t first, bool *done,
    int64_t now, struct outcome_plan *plan)
{
	const struct queue_message *m = &o->job->message;
	const struct queue_rcpt *rcpts = o->job->rcpts;
	struct dsn_rcpt *list = arena_zalloc(a, plan->count, sizeof(*list));
	struct bytes to = sender_of(m, &rcpts[first]);
	char id[QUEUE_ID_TEXT];
	struct dsn d = { .hostname = s->hostname, .to = to,
	    .envid = m->envid, .message_id = m->message_id,
	    .subject = m->subject, .arrival = m->submitted, .now = now,
	    .original = original, .full = m->ret_full &&
	    m->tls != QUEUE_TLS_REQUIRED &&		/* RFC 8689 5 */
	    plan->rcpts[first].dsn == DSN_FAILED,	/* RFC 3461 4.3 */
	    .utf8 = m->smtputf8 || !bytes_is_ascii(to), .rcpts = list };

	queue_id_format(id, m->id, 0);
	d.id = arena_bytes(a, bytes_str(id));
	d.from = bytes_str(arena_printf(a, "postmaster@%.*s",
	    BYTES_ARG(s->hostname)));
	for (size_t i = first; i < plan->count && d.count < DSN_RCPTS_MAX;
	    i++) {
		if (done[i] || plan->rcpts[i].dsn != plan->rcpts[first].dsn ||
		    !bytes_eq(sender_of(m, &rcpts[i]), to))
			continue;
		report_rcpt(m, &rcpts[i], &plan->rcpts[i], &list[d.count++]);
		plan->rcpts[i].dsn_index = plan->ndsns;
		done[i] = true;
	}
	return compose(q, a, s, o, &d, now, plan);
}

static int
make_dsns(struct queue *q, struct arena *a, const struct outcome_settings *s,
    const struct outcome *o, int64_t now, struct outcome_plan *plan)
{
	bool *done = arena_zalloc(a, plan->count, sizeof(*done));
	struct bytes original = BYTES_EMPTY;
	size_t n = 0, i;
	int r = 0;

	for (i = 0; i < plan->count; i++) {
		done[i] = plan->rcpts[i].dsn == -1;
		n += !done[i];
	}
	if (n == 0)
		return 0;
	plan->dsns = arena_zalloc(a, n, sizeof(*plan->dsns));
	plan->dsn_rcpts = arena_zalloc(a, n, sizeof(*plan->dsn_rcpts));
	plan->dsn_stored = arena_zalloc(a, n, sizeof(*plan->dsn_stored));
	(void)map_original(q, o->job->message.id, &original);
	for (i = 0; i < plan->count && r == 0; i++) {
		if (!done[i])
			r = make_dsn(q, a, s, o, original, i, done, now,
			    plan);
	}
	unmap_original(original);
	return r;
}

int
outcome_plan(struct queue *q, struct arena *a,
    const struct outcome_settings *settings, const struct outcome *o,
    int64_t now, struct outcome_plan *plan)
{
	struct outcome_plan p = { .count = o->job->count };
	int err;

	p.rcpts = arena_zalloc(a, p.count, sizeof(*p.rcpts));
	for (size_t i = 0; i < p.count; i++)
		decide(a, settings, o, &o->job->rcpts[i], now, &p.rcpts[i]);
	if (make_dsns(q, a, settings, o, now, &p) == -1) {
		err = errno;
		outcome_discard(q, &p);
		errno = err;
		return -1;
	}
	*plan = p;
	return 0;
}

void
outcome_tidy(struct queue *q, const struct outcome_plan *plan)
{
	for (size_t i = 0; i < plan->ndsns; i++) {
		if (!plan->dsn_stored[i])
			queue_file_remove(q, plan->dsns[i].id);
	}
}

void
outcome_discard(struct queue *q, const struct outcome_plan *plan)
{
	for (size_t i = 0; i < plan->ndsns; i++)
		queue_file_remove(q, plan->dsns[i].id);
}

void
outcome_failed(struct queue *q, const struct outcome_plan *plan)
{
	for (size_t i = 0; i < plan->ndsns; i++)
		queue_file_discard(q, plan->dsns[i].id);
}

/* ---- storing ---- */

static int64_t
keep_until(const struct outcome_settings *s, const struct queue_message *m,
    struct arena *a, int64_t now)
{
	if (m->account.n == 0)
		return 0;
	if (!config_account_exists(s->config, m->account))
		return now + KEEP_GONE_S;
	return now + (int64_t)config_get_duration(s->config, "account",
	    arena_str(a, m->account), "keep-retired");
}

/* As routes say now, with the attempts there were. */
static void
reroute(struct arena *a, const struct outcome_settings *s,
    const struct queue_message *m, struct queue_rcpt *r)
{
	struct bytes sender = sender_of(m, r);
	struct route_query query = { .account = m->account,
	    .sender_domain = BYTES_EMPTY, .rcpt_domain = r->domain,
	    .chosen = r->transport, .attempts = r->attempts };
	struct path path;
	const char *why;

	if (addr_parse_mailbox(a, sender, ADDR_SMTPUTF8, &path, &why) == 0)
		query.sender_domain = path.domain_ascii;
	r->dest = route_dest(a, s->config, route_find(s->config, &query),
	    r->domain);
}

/* 1; 0 it was removed meanwhile; -1. */
static int
store_rcpt(struct queue_txn *t, struct arena *a,
    const struct outcome_settings *s, const struct outcome *o,
    const struct queue_rcpt *was, const struct outcome_rcpt *what,
    int64_t now, bool *gone)
{
	const struct queue_message *m = &o->job->message;
	struct queue_rcpt r;
	int got = queue_get_rcpt(t, a, was->id, was->n, &r);

	if (got != 1)
		return got;
	if (what->ends) {
		if (queue_suppress_consider(t, a, m->account, r.address,
		    &what->attempt, now) == -1)
			return -1;
		return queue_end(t, m, &r, &what->attempt, now,
		    keep_until(s, m, a, now), gone) == -1 ? -1 : 1;
	}
	if (queue_add_attempt(t, r.id, r.n, &what->attempt) == -1)
		return -1;
	r.result = what->attempt;
	r.dialled = what->dialled;
	r.delay_told |= what->dsn == DSN_DELAYED;
	reroute(a, s, m, &r);
	return queue_set_rcpt(t, &r) == -1 ? -1 : 1;
}

int
outcome_store(struct queue_txn *t, struct arena *a,
    const struct outcome_settings *settings, const struct outcome *o,
    const struct outcome_plan *plan, int64_t now, bool *gone)
{
	size_t dsn;
	int got;

	*gone = false;
	for (size_t i = 0; i < plan->count; i++) {
		dsn = plan->rcpts[i].dsn_index;
		if ((got = store_rcpt(t, a, settings, o, &o->job->rcpts[i],
		    &plan->rcpts[i], now, gone)) == -1)
			return -1;
		if (got == 1 && dsn < plan->ndsns)
			plan->dsn_stored[dsn] = true;
	}
	for (size_t i = 0; i < plan->ndsns; i++) {
		if (plan->dsn_stored[i] && queue_put(t, &plan->dsns[i],
		    &plan->dsn_rcpts[i], 1) == -1)
			return -1;
	}
	return 0;
}
