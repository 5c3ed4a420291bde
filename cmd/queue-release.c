/*
 * queue-release - let held messages go
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] =
    "usage: queue-release " QCMD_USAGE " [id ...]";

static int
release(struct qcmd *q, struct arena *a, const struct queue_message *m,
    struct queue_rcpt *r, void *ctx)
{
	(void)q;
	(void)a;
	(void)m;
	(void)ctx;	/* qcmd_change's form */
	if (!r->held)
		return 0;
	r->held = 0;
	return 1;
}

int
main(int argc, char *argv[])
{
	struct qcmd q;
	int c, r;

	msg_init("queue-release");
	qcmd_init(&q);
	while ((c = getopt(argc, argv, QCMD_OPTIONS)) != -1)
		qcmd_option(&q, c, optarg);
	if (qcmd_choice(&q, argv + optind, argc - optind) == -1) {
		if (q.problem == NULL)
			msg_usage(usage);
		msg_die(EXIT_PERM, "%s", q.problem);
	}
	/* 0: nothing was ever queued */
	if ((r = qcmd_open(&q, false)) == 1)
		r = qcmd_change(&q, release, NULL, STDOUT_FILENO);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
