/*
 * queue-show - show all that is known of queued messages, or their text
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] = "usage: queue-show [-j] id ...\n"
    "       queue-show -m id";

#define COPY_BYTES 65536

struct showing {
	struct qcmd *q;
	struct qcmd_out out;
	size_t at;		/* of the ids that were given */
	bool inside;		/* its message was put */
	uint64_t last;		/* and this recipient */
	bool found;
};

/* A recipient with its attempts. */
static int
put_rcpt(struct queue_txn *t, struct arena *a, const struct queue_rcpt *r,
    struct qcmd_out *out, struct buf *page)
{
	struct queue_attempt *list;
	size_t count;

	if (queue_attempts(t, a, r->id, r->n, &list, &count) == -1)
		return -1;
	qcmd_put_rcpt(out, r, false);
	if (qcmd_out_take(out, page) == -1)
		return -1;
	for (size_t i = 0; i < count; i++) {
		qcmd_put_attempt(out, &list[i]);
		if (qcmd_out_take(out, page) == -1)
			return -1;
	}
	return 0;
}

/* 1, 0 it is not there, -1. */
static int
put_message(struct showing *s, struct queue_txn *t, struct arena *a,
    const struct qcmd_place *p, struct buf *page)
{
	struct queue_message m;
	int r = queue_get_message(t, a, p->id, &m);

	if (r != 1)
		return r;
	qcmd_put_message(&s->out, &m);
	s->inside = true;
	s->last = p->n == 0 ? 0 : p->n - 1;
	return qcmd_out_take(&s->out, page) == -1 ? -1 : 1;
}

/* The next recipient of a message: 1, 0 it has no more, -1. */
static int
next_rcpt(struct showing *s, struct queue_txn *t, struct arena *a,
    const struct qcmd_place *p, struct buf *page)
{
	struct queue_rcpt r;
	int got = queue_next_rcpt(t, a, p->id, s->last, &r);

	if (got != 1)
		return got;
	if (r.id != p->id || (p->n != 0 && r.n != p->n))
		return 0;
	s->found = true;
	s->last = r.n;
	return put_rcpt(t, a, &r, &s->out, page) == -1 ? -1 : 1;
}

static int
next(void *ctx, struct queue_txn *t, struct buf *page)
{
	struct showing *s = ctx;
	const struct qcmd_place *p = &s->q->filter.ids[s->at];
	struct arena a = ARENA_INIT;
	int r;

	if (s->at == s->q->filter.nids)
		return 0;
	r = s->inside ? next_rcpt(s, t, &a, p, page)
	    : put_message(s, t, &a, p, page);
	if (r == 0) {
		s->at++;
		s->inside = false;
		r = 1;
	}
	arena_free(&a);
	return r;
}

static int
show(struct qcmd *q, bool json)
{
	struct showing s = { .q = q };

	q->problem = "show message";
	qcmd_out_init(&s.out, json ? QCMD_JSON : QCMD_NAMED, STDOUT_FILENO);
	if (qcmd_list(q, &s.out, next, &s) == -1)
		return -1;
	return s.found;
}

static int
copy_text(struct qcmd *q)
{
	int fd = queue_file_open(q->queue, q->filter.ids[0].id);
	unsigned char space[COPY_BYTES];
	bool failed = false;
	ssize_t n = 0;

	q->problem = "print message";
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	while (!failed && (n = read(fd, space, sizeof(space))) > 0)
		failed = io_write_all(STDOUT_FILENO,
		    bytes_of(space, (size_t)n), DEADLINE_NONE) == -1;
	(void)close(fd);	/* read only */
	return failed || n == -1 ? -1 : 1;
}

int
main(int argc, char *argv[])
{
	struct qcmd q = { .arena = ARENA_INIT };
	bool json = false, text = false;
	const char *bad;
	int c, r;

	msg_init("queue-show");
	qcmd_filter_init(&q.filter);
	while ((c = getopt(argc, argv, "jm")) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'm':
			text = true;
			break;
		default:
			msg_usage(usage);
		}
	}
	if (argc == optind || (text && (json || argc != optind + 1)))
		msg_usage(usage);
	if (qcmd_filter_ids(&q.filter, &q.arena, argv + optind,
	    (size_t)(argc - optind), &bad) == -1)
		msg_die(EXIT_PERM, "no id of the queue: %s", bad);
	if ((r = qcmd_open(&q, false)) == 1)
		r = text ? copy_text(&q) : show(&q, json);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
