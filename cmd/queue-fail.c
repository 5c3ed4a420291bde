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
	struct qcmd q = { .arena = ARENA_INIT };
	const char *why, *reason = "given up by the administrator";
	int c, r;

	msg_init("queue-fail");
	qcmd_filter_init(&q.filter);
	q.now = time_wall_us() / 1000000;
	while ((c = getopt(argc, argv, QCMD_OPTIONS "m:")) != -1) {
		if (c == '?')
			msg_usage(usage);
		if (c == 'm') {
			reason = optarg;
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
	if (q.filter.all == q.filter.given)
		msg_usage(usage);
	if ((r = qcmd_open(&q, false)) == 0)
		return EXIT_NO;		/* nothing was ever queued */
	if (r == 1)
		r = qcmd_end(&q, QUEUE_FAILED, bytes_str(reason),
		    STDOUT_FILENO);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
