/*
 * suppress-list - list addresses that accounts do not write to any more
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] = "usage: suppress-list [-j] [-a account]";

static int
list(struct qcmd *q, const char *account, bool json)
{
	struct queue_txn *t = queue_begin(q->queue, false);
	struct queue_suppressed s = { .account = BYTES_EMPTY,
	    .base = BYTES_EMPTY };
	struct qcmd_out out;
	int got = -1, found = 0;

	q->problem = "list addresses";
	qcmd_out_init(&out, json ? QCMD_JSON : QCMD_COLUMNS, STDOUT_FILENO);
	while (t != NULL && (got = queue_suppress_next(t, &q->arena,
	    s.account, s.base, &s)) == 1) {
		if (account != NULL &&
		    !bytes_eq(bytes_str(account), s.account))
			continue;
		found = 1;
		qcmd_put_suppressed(&out, &s);
		if (qcmd_out_end(&out) == -1)
			break;
	}
	queue_abort(t);
	if (qcmd_out_close(&out) == -1)
		return -1;
	return got == -1 ? -1 : found;
}

int
main(int argc, char *argv[])
{
	struct qcmd q = { .arena = ARENA_INIT };
	const char *account = NULL;
	bool json = false;
	int c, r;

	msg_init("suppress-list");
	while ((c = getopt(argc, argv, "ja:")) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'a':
			account = optarg;
			break;
		default:
			msg_usage(usage);
		}
	}
	if (argc != optind)
		msg_usage(usage);
	if ((r = qcmd_open(&q, false)) == 1)
		r = list(&q, account, json);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
