/*
 * suppress-check - tell whether an account does not write to an address
 */
#include <errno.h>
#include <unistd.h>

#include "addr/addr.h"
#include "qcmd/qcmd.h"

static const char usage[] =
    "usage: suppress-check -a account [-j] address ...";

/* An address without <>; what is none would never match. */
static struct bytes
base_of(struct qcmd *q, const char *text)
{
	struct path path;
	const char *why = "";

	if (addr_parse_mailbox(&q->arena, bytes_str(text), ADDR_SMTPUTF8,
	    &path, &why) == -1)
		msg_die(EXIT_PERM, "no address: %s: %s", text, why);
	return queue_suppress_base(&q->arena,
	    addr_path_text(&q->arena, &path, false));
}

/* 1 one is listed, 0 none, -1. */
static int
check(struct qcmd *q, const char *account, bool json, char *const args[])
{
	struct queue_txn *t = queue_begin(q->queue, false);
	struct queue_suppressed s;
	struct qcmd_out out;
	int r = t == NULL ? -1 : 0, found = 0;

	q->problem = "look up addresses";
	qcmd_out_init(&out, json ? QCMD_JSON : QCMD_COLUMNS, STDOUT_FILENO);
	for (; *args != NULL && r != -1; args++) {
		r = queue_suppress_get(t, &q->arena, bytes_str(account),
		    base_of(q, *args), &s);
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
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
