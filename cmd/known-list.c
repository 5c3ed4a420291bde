/*
 * known-list - list what is known of the servers of recipient domains
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] = "usage: known-list [-j] [-a account] [-d domain]";

struct options {
	struct qcmd q;
	const char *account, *domain;	/* NULL: all */
	bool json;
};

static bool
is(const char *wanted, struct bytes s)
{
	return wanted == NULL || bytes_caseeq(bytes_str(wanted), s);
}

static int
put(struct qcmd_out *out, struct bytes account, struct bytes domain,
    const struct queue_known *k)
{
	qcmd_out_text(out, "account", account);
	qcmd_out_text(out, "domain", domain);
	qcmd_out_time(out, "when", k->when);
	qcmd_out_bool(out, "starttls", k->starttls != 0);
	qcmd_out_bool(out, "mta-sts", k->mta_sts != 0);
	qcmd_out_bool(out, "dnssec", k->dnssec != 0);
	qcmd_out_bool(out, "dane", k->dane != 0);
	qcmd_out_bool(out, "requiretls", k->requiretls != 0);
	return qcmd_out_end(out);
}

static int
list(struct options *o)
{
	struct queue_txn *t = queue_begin(o->q.queue, false);
	struct bytes account = BYTES_EMPTY, domain = BYTES_EMPTY;
	struct queue_known k;
	struct qcmd_out out;
	int got = -1, found = 0;

	o->q.problem = "list domains";
	qcmd_out_init(&out, o->json ? QCMD_JSON : QCMD_COLUMNS,
	    STDOUT_FILENO);
	while (t != NULL && (got = queue_known_next(t, &o->q.arena, &account,
	    &domain, &k)) == 1) {
		if (!is(o->account, account) || !is(o->domain, domain))
			continue;
		found = 1;
		if (put(&out, account, domain, &k) == -1)
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
	struct options o = { .q = { .arena = ARENA_INIT } };
	int c, r;

	msg_init("known-list");
	while ((c = getopt(argc, argv, "a:d:j")) != -1) {
		switch (c) {
		case 'a':
			o.account = optarg;
			break;
		case 'd':
			o.domain = optarg;
			break;
		case 'j':
			o.json = true;
			break;
		default:
			msg_usage(usage);
		}
	}
	if (argc != optind)
		msg_usage(usage);
	if ((r = qcmd_open(&o.q, false)) == 1)
		r = list(&o);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", o.q.problem);
	qcmd_close(&o.q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
