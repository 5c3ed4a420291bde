/*
 * queue-schedule - set when queued messages are tried next
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] =
    "usage: queue-schedule -w when " QCMD_USAGE " [id ...]";

static int
schedule(struct qcmd *q, struct arena *a, const struct queue_message *m,
    struct queue_rcpt *r, void *ctx)
{
	const int64_t *when = ctx;

	(void)q;
	(void)a;
	(void)m;	/* qcmd_change's form */
	r->next = *when;
	return 1;
}

int
main(int argc, char *argv[])
{
	struct qcmd q = { .arena = ARENA_INIT };
	const char *why, *text = NULL;
	int64_t when = 0;
	int c, r;

	msg_init("queue-schedule");
	qcmd_filter_init(&q.filter);
	q.now = time_wall_us() / 1000000;
	while ((c = getopt(argc, argv, QCMD_OPTIONS "w:")) != -1) {
		if (c == '?')
			msg_usage(usage);
		if (c == 'w') {
			text = optarg;
			continue;
		}
		if (qcmd_filter_option(&q.filter, c, optarg, q.now,
		    &why) == -1)
			msg_die(EXIT_PERM, "cannot use -%c %s: %s", c,
			    optarg, why);
	}
	if (qcmd_filter_ids(&q.filter, &q.arena, argv + optind,
	    (size_t)(argc - optind), &why) == -1)
		msg_die(EXIT_PERM, "no id of the queue: %s", why);
	if (text == NULL || q.filter.all == q.filter.given)
		msg_usage(usage);
	if (qcmd_time_parse(bytes_str(text), q.now, &when) == -1)
		msg_die(EXIT_PERM, "cannot use -w %s: no time, see "
		    "queue-select(7)", text);
	if (when <= q.now)
		q.wake_word = "revive";	/* dead hosts are tried too */
	if ((r = qcmd_open(&q, false)) == 0)
		return EXIT_NO;		/* nothing was ever queued */
	if (r == 1)
		r = qcmd_change(&q, schedule, &when, STDOUT_FILENO);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
