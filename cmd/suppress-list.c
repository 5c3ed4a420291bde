/*
 * suppress-list - list addresses that accounts do not write to any more
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] = "usage: suppress-list [-j] [-a account]";

struct listing {
	struct qcmd q;
	struct qcmd_out out;
	const char *account;		/* NULL: all */
	struct queue_suppressed at;	/* the last one */
	bool found;
};

static int
next(void *ctx, struct queue_txn *t, struct buf *page)
{
	struct listing *l = ctx;
	int r = queue_suppress_next(t, &l->q.arena, l->at.account,
	    l->at.base, &l->at);

	if (r != 1 || (l->account != NULL &&
	    !bytes_eq(bytes_str(l->account), l->at.account)))
		return r;
	l->found = true;
	qcmd_put_suppressed(&l->out, &l->at);
	return qcmd_out_take(&l->out, page) == -1 ? -1 : 1;
}

static int
list(struct listing *l, bool json)
{
	l->q.problem = "list addresses";
	l->at = (struct queue_suppressed){ .account = BYTES_EMPTY,
	    .base = BYTES_EMPTY };
	qcmd_out_init(&l->out, json ? QCMD_JSON : QCMD_COLUMNS,
	    STDOUT_FILENO);
	if (qcmd_list(&l->q, &l->out, next, l) == -1)
		return -1;
	return l->found;
}

int
main(int argc, char *argv[])
{
	struct listing l = { .q = { .arena = ARENA_INIT } };
	bool json = false;
	int c, r;

	msg_init("suppress-list");
	while ((c = getopt(argc, argv, "ja:")) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'a':
			l.account = optarg;
			break;
		default:
			msg_usage(usage);
		}
	}
	if (argc != optind)
		msg_usage(usage);
	if ((r = qcmd_open(&l.q, false)) == 1)
		r = list(&l, json);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", l.q.problem);
	qcmd_close(&l.q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
