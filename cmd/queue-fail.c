/*
 * queue-fail - give up queued messages and tell their senders
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] =
    "usage: queue-fail [-m reason] " QCMD_USAGE " [id ...]";

int
main(int argc, char *argv[])
{
	struct qcmd q;
	const char *reason = "given up by the administrator";
	int c, r;

	msg_init("queue-fail");
	qcmd_init(&q);
	while ((c = getopt(argc, argv, QCMD_OPTIONS "m:")) != -1) {
		if (c == 'm')
			reason = optarg;
		else
			qcmd_option(&q, c, optarg);
	}
	if (qcmd_choice(&q, argv + optind, argc - optind) == -1) {
		if (q.problem == NULL)
			msg_usage(usage);
		msg_die(EXIT_PERM, "%s", q.problem);
	}
	/* 0: nothing was ever queued */
	if ((r = qcmd_open(&q, false)) == 1)
		r = qcmd_end(&q, QUEUE_FAILED, bytes_str(reason),
		    STDOUT_FILENO);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
