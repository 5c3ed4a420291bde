/*
 * suppress-check - tell whether an account does not write to an address
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] =
    "usage: suppress-check -a account [-j] address ...";

struct check {
	struct qcmd q;
	struct qcmd_out out;
	const char *account;
	char *const *args;	/* addresses that are left */
	bool found;
};

static int
next(void *ctx, struct queue_txn *t, struct buf *page)
{
	struct check *c = ctx;
	struct queue_suppressed s;
	struct bytes base;
	int r;

	if (*c->args == NULL)
		return 0;
	if (qcmd_suppress_base(&c->q, *c->args++, &base) == -1)
		return -1;
	r = queue_suppress_get(t, &c->q.arena, bytes_str(c->account), base,
	    &s);
	if (r == 1) {
		c->found = true;
		qcmd_put_suppressed(&c->out, &s);
		r = qcmd_out_take(&c->out, page);
	}
	return r == -1 ? -1 : 1;
}

/* 1 one is listed, 0 none, -1. */
static int
check(struct check *c, bool json)
{
	c->q.problem = "look up addresses";
	qcmd_out_init(&c->out, json ? QCMD_JSON : QCMD_COLUMNS,
	    STDOUT_FILENO);
	if (qcmd_list(&c->q, &c->out, next, c) == -1)
		return -1;
	return c->found;
}

int
main(int argc, char *argv[])
{
	struct check check_all = { .q = { .arena = ARENA_INIT } };
	struct qcmd *q = &check_all.q;
	bool json = false;
	int c, r;

	msg_init("suppress-check");
	while ((c = getopt(argc, argv, "a:j")) != -1) {
		switch (c) {
		case 'a':
			check_all.account = optarg;
			break;
		case 'j':
			json = true;
			break;
		default:
			msg_usage(usage);
		}
	}
	if (check_all.account == NULL || check_all.account[0] == '\0' ||
	    argc == optind)
		msg_usage(usage);
	check_all.args = argv + optind;
	if ((r = qcmd_open(q, false)) == 1)
		r = check(&check_all, json);
	if (q->is_wrong)
		msg_die(EXIT_PERM, "%s", q->problem);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q->problem);
	qcmd_close(q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
