/*
 * queue-list - list queued messages, a line for each recipient
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] =
    "usage: queue-list [-j] " QCMD_USAGE " [id ...]";

/* Recipients looked at between two writes to whoever reads. */
#define PAGE_RCPTS 1000
#define PAGE_MAX ((size_t)64 << 20)

/* Some of them in a transaction of its own: who reads may take his time, and
 * as long as it is open no page of the database is used again. */
static int
put_some(struct qcmd *q, const struct qcmd_place *list, size_t count,
    struct qcmd_out *out, struct buf *page)
{
	struct queue_txn *t = queue_begin(q->queue, false);
	struct arena a = ARENA_INIT;
	struct queue_message m;
	struct queue_rcpt r;
	int got = t == NULL ? -1 : 0;

	buf_reset(page);
	for (size_t i = 0; i < count && got != -1; i++) {
		if ((got = qcmd_get(t, &a, &list[i], &m, &r)) == 1) {
			qcmd_put_line(out, &m, &r);
			got = qcmd_out_take(out, page);
		}
		arena_reset(&a);
	}
	arena_free(&a);
	queue_abort(t);
	return got == -1 ? -1 : 0;
}

static int
put_all(struct qcmd *q, const struct qcmd_place *list, size_t count,
    struct qcmd_out *out)
{
	struct buf page = BUF_INIT(PAGE_MAX);
	size_t i, n;
	int r = 0;

	for (i = 0; i < count && r == 0; i += n) {
		n = count - i < PAGE_RCPTS ? count - i : PAGE_RCPTS;
		if ((r = put_some(q, list + i, n, out, &page)) == 0)
			r = io_write_all(STDOUT_FILENO, buf_bytes(&page),
			    DEADLINE_NONE);
	}
	buf_free(&page);
	return r;
}

static int
list(struct qcmd *q, bool json)
{
	struct qcmd_place *places = NULL;
	struct qcmd_out out;
	size_t count = 0;
	int r = qcmd_select(q, &places, &count);

	if (r == 0) {
		qcmd_out_init(&out, json ? QCMD_JSON : QCMD_COLUMNS,
		    STDOUT_FILENO);
		r = put_all(q, places, count, &out);
		if (qcmd_out_close(&out) == -1) {
			q->problem = "write list";
			r = -1;
		}
	}
	free(places);
	return r == -1 ? -1 : count > 0;
}

int
main(int argc, char *argv[])
{
	struct qcmd q = { .arena = ARENA_INIT };
	const char *why;
	bool json = false;
	int c, r;

	msg_init("queue-list");
	qcmd_filter_init(&q.filter);
	q.now = time_wall_us() / 1000000;
	while ((c = getopt(argc, argv, QCMD_OPTIONS "j")) != -1) {
		if (c == '?')
			msg_usage(usage);
		if (c == 'j')
			json = true;
		else if (qcmd_filter_option(&q.filter, c, optarg, q.now,
		    &why) == -1)
			msg_die(EXIT_PERM, "cannot use -%c %s: %s", c,
			    optarg, why);
	}
	if (qcmd_filter_ids(&q.filter, &q.arena, argv + optind,
	    (size_t)(argc - optind), &why) == -1)
		msg_die(EXIT_PERM, "no id of the queue: %s", why);
	if ((r = qcmd_open(&q, false)) == 1)
		r = list(&q, json);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	if (qcmd_damage(&q) != NULL)
		msg_warn("%s", qcmd_damage(&q));
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
