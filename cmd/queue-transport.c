/*
 * queue-transport - choose by which transport queued messages leave
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"
#include "route/route.h"

static const char usage[] =
    "usage: queue-transport -w name " QCMD_USAGE " [id ...]";

/* A name that is not configured would only wait. */
static void
check_name(struct qcmd *q, struct bytes name)
{
	struct transport t;
	const char *why = "";

	if (name.n == 0 || bytes_eq(name, BYTES("direct")))
		return;
	if (route_transport(&q->arena, q->config, name, &t, &why) == -1 &&
	    errno == ENOENT)
		msg_die(EXIT_PERM, "there is no transport %.*s in main.conf",
		    BYTES_ARG(name));
}

static int
set_transport(struct qcmd *q, struct arena *a, const struct queue_message *m,
    struct queue_rcpt *r, void *ctx)
{
	const struct bytes *name = ctx;

	if (bytes_eq(r->transport, *name))
		return 0;
	r->transport = *name;
	qcmd_reroute(q, a, m, r);
	return 1;
}

int
main(int argc, char *argv[])
{
	struct qcmd q = { .arena = ARENA_INIT };
	const char *why, *text = NULL;
	struct bytes name;
	int c, r;

	msg_init("queue-transport");
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
	/* "routes": as these say again */
	name = bytes_eq(bytes_str(text), BYTES("routes")) ? BYTES_EMPTY
	    : bytes_str(text);
	if ((r = qcmd_open(&q, false)) == 0)
		return EXIT_NO;		/* nothing was ever queued */
	if (r == 1)
		r = qcmd_open_config(&q) == -1 ? -1 : 1;
	if (r == 1) {
		check_name(&q, name);
		r = qcmd_change(&q, set_transport, &name, STDOUT_FILENO);
	}
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
