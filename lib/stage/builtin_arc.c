/*
 * builtin_arc.c - the chain of who forwarded the message, as a stage
 * (RFC 8617)
 */
#include "stage/stage.h"

#include "arc/arc.h"

static void *
start_arc(struct stage_job *job)
{
	struct dns *dns = stage_dns(job);
	struct arc_policy policy = { 0 };

	if (dns == NULL)
		return NULL;
	if (job->check != NULL)
		policy = *(const struct arc_policy *)job->check;
	if (policy.now == 0)
		policy.now = job->envelope.time;
	return arc_verify_start(job->arena, dns, job->message, &policy);
}

static int
run_arc(struct stage_job *job)
{
	struct arc_verifier *verifier = stage_started(job, &stage_arc);
	struct arc_verdict v;
	struct buf b = BUF_INIT(TRACE_FIELD_MAX);
	int n;

	if (verifier == NULL)
		return -1;
	arc_verify_finish(verifier, &v);
	n = arc_format_resinfo(&b, &v, &job->envelope.remote);
	if (n == 0) {
		stage_add_resinfo(job, buf_bytes(&b));
		buf_reset(&b);
		n = arc_format_line(&b, &v);
	}
	if (n == 0)
		stage_add_report(job, buf_bytes(&b), true);
	buf_free(&b);
	return n;
}

const struct stage_builtin stage_arc = {
	.name = "arc-verify",
	.method = "arc",
	.reads_message = true,
	.run = run_arc,
	.start = start_arc,
};
