/*
 * builtin_iprev.c - iprev as a stage (RFC 8601 3)
 */
#include "stage/stage.h"

#include "iprev/iprev.h"

static void *
start_iprev(struct stage_job *job)
{
	struct dns *dns = stage_dns(job);

	return dns == NULL ? NULL
	    : iprev_start(dns, job->arena, &job->envelope.remote);
}

static void
go_on_iprev(void *started)
{
	iprev_go_on(started);
}

static int
run_iprev(struct stage_job *job)
{
	struct iprev_finder *f = stage_started(job, &stage_iprev);
	struct buf b = BUF_INIT(TRACE_FIELD_MAX);
	struct iprev r;
	int n;

	if (f == NULL)
		return -1;
	iprev_finish(f, &r);
	if (r.result == IPREV_PASS)
		stage_set_remote_host(job, iprev_host(&r));
	n = iprev_format_resinfo(&b, &r);
	if (n == 0) {
		stage_add_resinfo(job, buf_bytes(&b));
		buf_reset(&b);
		n = iprev_format_line(&b, &r);
	}
	if (n == 0)
		stage_add_report(job, buf_bytes(&b), true);
	buf_free(&b);
	return n;
}

const struct stage_builtin stage_iprev = {
	.name = "iprev-check",
	.method = "iprev",
	.run = run_iprev,
	.start = start_iprev,
	.go_on = go_on_iprev,
};
