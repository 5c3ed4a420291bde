/*
 * tlsresult-list - list what attempts at TLS came to, as reports tell it
 */
#include <errno.h>
#include <unistd.h>

#include "account/account.h"
#include "qcmd/qcmd.h"
#include "queue/tlsresult.h"

static const char usage[] =
    "usage: tlsresult-list [-jv] [-d domain] [-y day]";

#define DAY_S 86400

struct options {
	struct qcmd q;
	struct qcmd_out out;
	const char *domain;		/* NULL: all */
	int64_t day;			/* -1: all */
	bool json, each;
	struct bytes at;		/* the last one */
	bool found;
};

static bool
is_chosen(const struct options *o, const struct queue_tlsresult *r)
{
	struct bytes domain = bytes_str(o->domain == NULL ? "" : o->domain);

	if (o->day != -1 && r->day != o->day)
		return false;
	return o->domain == NULL ||
	    bytes_caseeq(r->policy_domain, domain) ||
	    bytes_caseeq(r->rcpt_domain, domain);
}

static void
put_policy(struct qcmd_out *out, const struct queue_tlsresult *r)
{
	struct buf b = BUF_INIT(64);

	(void)account_format_time(&b, r->day * DAY_S);	/* fits */
	qcmd_out_text(out, "day", bytes_first(buf_bytes(&b),
	    sizeof("2026-11-21") - 1));
	buf_free(&b);
	qcmd_out_text(out, "of", r->is_host ? BYTES("host")
	    : BYTES("domain"));
	qcmd_out_text(out, "policy-domain", r->policy_domain);
	qcmd_out_text(out, "policy-type", r->policy_type);
	qcmd_out_text(out, "recipient-domain", r->rcpt_domain);
}

static int
put_failures(struct options *o, const struct queue_tlsresult *r,
    struct buf *page)
{
	const struct queue_tlsfailure *f = r->failures;

	for (size_t i = 0; i < r->count; i++, f++) {
		put_policy(&o->out, r);
		qcmd_out_text(&o->out, "result-type", f->result_type);
		qcmd_out_text(&o->out, "mx-host", f->mx_host);
		qcmd_out_text(&o->out, "ip", f->ip);
		qcmd_out_num(&o->out, "failed", (int64_t)f->count);
		qcmd_out_text(&o->out, "detail", f->detail);
		if (qcmd_out_take(&o->out, page) == -1)
			return -1;
	}
	return 0;
}

static int
put(struct options *o, const struct queue_tlsresult *r, struct buf *page)
{
	if (o->each)
		return put_failures(o, r, page);
	put_policy(&o->out, r);
	qcmd_out_num(&o->out, "successful", (int64_t)r->good);
	qcmd_out_num(&o->out, "failed", (int64_t)r->bad);
	qcmd_out_bool(&o->out, "report", r->report != 0);
	return qcmd_out_take(&o->out, page);
}

static int
next(void *ctx, struct queue_txn *t, struct buf *page)
{
	struct options *o = ctx;
	struct queue_tlsresult r;
	int got = queue_tlsresult_next(t, &o->q.arena, &o->at, &r);

	if (got != 1 || !is_chosen(o, &r) || (o->each && r.count == 0))
		return got;
	o->found = true;
	return put(o, &r, page) == -1 ? -1 : 1;
}

static int
list(struct options *o)
{
	o->q.problem = "list results";
	o->at = BYTES_EMPTY;
	qcmd_out_init(&o->out, o->json ? QCMD_JSON : QCMD_COLUMNS,
	    STDOUT_FILENO);
	if (qcmd_list(&o->q, &o->out, next, o) == -1)
		return -1;
	return o->found;
}

int
main(int argc, char *argv[])
{
	struct options o = { .q = { .arena = ARENA_INIT }, .day = -1 };
	int c, r;

	msg_init("tlsresult-list");
	while ((c = getopt(argc, argv, "d:jvy:")) != -1) {
		switch (c) {
		case 'd':
			o.domain = optarg;
			break;
		case 'j':
			o.json = true;
			break;
		case 'v':
			o.each = true;
			break;
		case 'y':
			if (qcmd_time_parse(bytes_str(optarg),
			    time_wall_us() / 1000000, &o.day) == -1)
				msg_die(EXIT_PERM, "cannot use -y %s: not of "
				    "the form 2026-11-21", optarg);
			o.day /= DAY_S;
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
