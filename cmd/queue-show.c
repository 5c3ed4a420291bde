/*
 * queue-show - show all that is known of queued messages, or their text
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] = "usage: queue-show [-j] id ...\n"
    "       queue-show -m id";

#define COPY_BYTES 65536

/* A recipient with its attempts. */
static int
put_rcpt(struct queue_txn *t, struct arena *a, const struct queue_rcpt *r,
    struct qcmd_out *out)
{
	struct queue_attempt *list;
	size_t count;

	if (queue_attempts(t, a, r->id, r->n, &list, &count) == -1)
		return -1;
	qcmd_put_rcpt(out, r, false);
	if (qcmd_out_end(out) == -1)
		return -1;
	for (size_t i = 0; i < count; i++) {
		qcmd_put_attempt(out, &list[i]);
		if (qcmd_out_end(out) == -1)
			return -1;
	}
	return 0;
}

/* 1, 0 nothing is there, -1. */
static int
put_message(struct queue_txn *t, const struct qcmd_place *p,
    struct qcmd_out *out)
{
	struct arena a = ARENA_INIT;
	struct queue_rcpt r = { .id = p->id, .n = p->n == 0 ? 0 : p->n - 1 };
	struct queue_message m;
	int got = queue_get_message(t, &a, p->id, &m), found = 0;

	if (got == 1) {
		qcmd_put_message(out, &m);
		got = qcmd_out_end(out) == -1 ? -1 : 1;
	}
	while (got == 1 &&
	    (got = queue_next_rcpt(t, &a, r.id, r.n, &r)) == 1) {
		if (r.id != p->id || (p->n != 0 && r.n != p->n))
			break;
		found = 1;
		if (put_rcpt(t, &a, &r, out) == -1)
			got = -1;
	}
	arena_free(&a);
	return got == -1 ? -1 : found;
}

static int
show(struct qcmd *q, bool json)
{
	struct queue_txn *t = queue_begin(q->queue, false);
	struct qcmd_out out;
	int got = t == NULL ? -1 : 0, found = 0;

	q->problem = "show message";
	qcmd_out_init(&out, json ? QCMD_JSON : QCMD_NAMED, STDOUT_FILENO);
	for (size_t i = 0; i < q->filter.nids && got != -1; i++) {
		got = put_message(t, &q->filter.ids[i], &out);
		found |= got == 1;
	}
	queue_abort(t);
	if (qcmd_out_close(&out) == -1)
		return -1;
	return got == -1 ? -1 : found;
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
