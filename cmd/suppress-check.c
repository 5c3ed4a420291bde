/*
 * suppress-check - tell whether an account does not write to an address
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] =
    "usage: suppress-check -a account [-j] address ...";

/* 1 one is listed, 0 none, -1. */
static int
check(struct qcmd *q, const char *account, bool json, char *const args[])
{
	struct queue_txn *t = queue_begin(q->queue, false);
	struct queue_suppressed s;
	struct qcmd_out out;
	struct bytes base;
	int r = t == NULL ? -1 : 0, found = 0;

	q->problem = "look up addresses";
	qcmd_out_init(&out, json ? QCMD_JSON : QCMD_COLUMNS, STDOUT_FILENO);
	for (; *args != NULL && r != -1; args++) {
		if ((r = qcmd_suppress_base(q, *args, &base)) == 0)
			r = queue_suppress_get(t, &q->arena,
			    bytes_str(account), base, &s);
		if (r == 1) {
			found = 1;
			qcmd_put_suppressed(&out, &s);
			r = qcmd_out_end(&out);
		}
	}
	queue_abort(t);
	if (qcmd_out_close(&out) == -1)
		return -1;
	return r == -1 ? -1 : found;
}

int
main(int argc, char *argv[])
{
	struct qcmd q = { .arena = ARENA_INIT };
	const char *account = NULL;
	bool json = false;
	int c, r;

	msg_init("suppress-check");
	while ((c = getopt(argc, argv, "a:j")) != -1) {
		switch (c) {
		case 'a':
			account = optarg;
			break;
		case 'j':
			json = true;
			break;
		default:
			msg_usage(usage);
		}
	}
	if (account == NULL || account[0] == '\0' || argc == optind)
		msg_usage(usage);
	if ((r = qcmd_open(&q, false)) == 1)
		r = check(&q, account, json, argv + optind);
	if (q.is_wrong)
		msg_die(EXIT_PERM, "%s", q.problem);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
