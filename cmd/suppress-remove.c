/*
 * suppress-remove - let an account write to addresses again
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] =
    "usage: suppress-remove -a account address ...";

/* All or none. 1 some changed, 0 none, -1. */
static int
take(struct qcmd *q, const char *account, char *const args[])
{
	struct queue_txn *t = queue_begin(q->queue, true);
	struct buf out = BUF_INIT(SIZE_MAX);
	struct bytes base;
	int r = t == NULL ? -1 : 0, got = 0;

	q->problem = "remove addresses";
	for (; *args != NULL && r != -1; args++) {
		if ((r = qcmd_suppress_base(q, *args, &base)) == 0)
			r = queue_suppress_remove(t, bytes_str(account),
			    base);
		if (r == 1) {
			got = 1;
			buf_printf(&out, "%s\n", *args);
		}
	}
	if (r == -1)
		queue_abort(t);
	else
		r = queue_commit(t, true);
	if (r == 0)
		r = io_write_all(STDOUT_FILENO, buf_bytes(&out),
		    DEADLINE_NONE);
	buf_free(&out);
	return r == -1 ? -1 : got;
}

int
main(int argc, char *argv[])
{
	struct qcmd q = { .arena = ARENA_INIT };
	const char *account = NULL;
	int c, r;

	msg_init("suppress-remove");
	while ((c = getopt(argc, argv, "a:")) != -1) {
		switch (c) {
		case 'a':
			account = optarg;
			break;
		default:
			msg_usage(usage);
		}
	}
	if (account == NULL || account[0] == '\0' || argc == optind)
		msg_usage(usage);
	if ((r = qcmd_open(&q, false)) == 1)
		r = take(&q, account, argv + optind);
	if (q.is_wrong)
		msg_die(EXIT_PERM, "%s", q.problem);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
