/*
 * known-list - list what is known of the servers of recipient domains
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] = "usage: known-list [-j] [-a account] [-d domain]";

struct options {
	struct qcmd q;
	struct qcmd_out out;
	const char *account, *domain;	/* NULL: all */
	struct bytes at_account, at_domain;	/* the last one */
	bool json, found;
};

static bool
is(const char *wanted, struct bytes s)
{
	return wanted == NULL || bytes_caseeq(bytes_str(wanted), s);
}

static void
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
}

static int
next(void *ctx, struct queue_txn *t, struct buf *page)
{
	struct options *o = ctx;
	struct queue_known k;
	int r = queue_known_next(t, &o->q.arena, &o->at_account,
	    &o->at_domain, &k);

	if (r != 1 || !is(o->account, o->at_account) ||
	    !is(o->domain, o->at_domain))
		return r;
	o->found = true;
	put(&o->out, o->at_account, o->at_domain, &k);
	return qcmd_out_take(&o->out, page) == -1 ? -1 : 1;
}

static int
list(struct options *o)
{
	o->q.problem = "list domains";
	o->at_account = o->at_domain = BYTES_EMPTY;
	qcmd_out_init(&o->out, o->json ? QCMD_JSON : QCMD_COLUMNS,
	    STDOUT_FILENO);
	if (qcmd_list(&o->q, &o->out, next, o) == -1)
		return -1;
	return o->found;
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
