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
	struct qcmd q;
	const char *text = NULL;
	int64_t when = 0;
	int c, r;

	msg_init("queue-schedule");
	qcmd_init(&q);
	while ((c = getopt(argc, argv, QCMD_OPTIONS "w:")) != -1) {
		if (c == 'w')
			text = optarg;
		else
			qcmd_option(&q, c, optarg);
	}
	if (qcmd_choice(&q, argv + optind, argc - optind) == -1) {
		if (q.problem == NULL)
			msg_usage(usage);
		msg_die(EXIT_PERM, "%s", q.problem);
	}
	if (text == NULL)
		msg_usage(usage);
	if (qcmd_time_parse(bytes_str(text), q.now, &when) == -1)
		msg_die(EXIT_PERM, "cannot use -w %s: no time, see "
		    "queue-select(7)", text);
	if (when <= q.now)
		q.wake_word = "revive";	/* dead hosts are tried too */
	/* 0: nothing was ever queued */
	if ((r = qcmd_open(&q, false)) == 1)
		r = qcmd_change(&q, schedule, &when, STDOUT_FILENO);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
