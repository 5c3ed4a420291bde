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
	struct qcmd q;
	const char *text = NULL;
	struct bytes name;
	int c, r;

	msg_init("queue-transport");
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
	/* "routes": as these say again */
	name = bytes_eq(bytes_str(text), BYTES("routes")) ? BYTES_EMPTY
	    : bytes_str(text);
	/* 0: nothing was ever queued */
	if ((r = qcmd_open(&q, false)) == 1)
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
