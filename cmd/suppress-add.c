/*
 * suppress-add - let an account not write to addresses any more
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] =
    "usage: suppress-add -a account [-m reason] address ...";

/* All or none. 1 some changed, 0 none, -1. */
static int
add(struct qcmd *q, const char *account, const char *reason, char *const args[])
{
	struct queue_txn *t = queue_begin(q->queue, true);
	struct buf out = BUF_INIT(SIZE_MAX);
	int r = t == NULL ? -1 : 0, got = 0;

	q->problem = "add addresses";
	for (; *args != NULL && r != -1; args++) {
		struct queue_suppressed s = {
		    .account = bytes_str(account),
		    .address = bytes_str(*args),
		    .reason = bytes_str(reason), .added = q->now,
		    .by_hand = 1 };

		if ((r = qcmd_suppress_base(q, *args, &s.base)) == 0)
			r = queue_suppress_add(t, &s);
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
	const char *account = NULL, *reason = "added by the administrator";
	int c, r;

	msg_init("suppress-add");
	while ((c = getopt(argc, argv, "a:m:")) != -1) {
		switch (c) {
		case 'a':
			account = optarg;
			break;
		case 'm':
			reason = optarg;
			break;
		default:
			msg_usage(usage);
		}
	}
	if (account == NULL || account[0] == '\0' || argc == optind)
		msg_usage(usage);
	if (qcmd_open_config(&q) == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	if (!config_account_exists(q.config, bytes_str(account)))
		msg_die(EXIT_PERM, "there is no account %s", account);
	if ((r = qcmd_open(&q, true)) == 1)
		r = add(&q, account, reason, argv + optind);
	if (q.is_wrong)
		msg_die(EXIT_PERM, "%s", q.problem);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
