/*
 * builtin_dkim.c - DKIM as a stage (RFC 6376)
 */
#include "stage/stage.h"

#include "dkim/dkim.h"

/* A resinfo quotes d=, s= and b= of the message, each bounded there. */
#define TEXT_MAX TRACE_RESULTS_MAX

static int
add_verdict(struct stage_job *job, const struct dkim_verdict *v)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	int n;

	n = dkim_format_resinfo(&b, v);
	if (n == 0) {
		stage_add_resinfo(job, buf_bytes(&b));
		buf_reset(&b);
		n = dkim_format_line(&b, v);
	}
	if (n == 0)
		stage_add_report(job, buf_bytes(&b), true);
	buf_free(&b);
	return n;
}

static void *
start_dkim(struct stage_job *job)
{
	struct dns *dns = stage_dns(job);
	struct dkim_policy *policy = arena_zalloc(job->arena, 1,
	    sizeof(*policy));

	if (dns == NULL)
		return NULL;
	if (job->check != NULL)
		*policy = *(const struct dkim_policy *)job->check;
	if (policy->now == 0)
		policy->now = job->envelope.time;
	return dkim_verify_start(job->arena, dns, job->message, policy);
}

static int
run_dkim(struct stage_job *job)
{
	struct dkim_verifier *v = stage_started(job, &stage_dkim);
	struct dkim_verdicts verdicts;

	if (v == NULL)
		return -1;
	dkim_verify_finish(v, &verdicts);
	for (size_t i = 0; i < verdicts.n; i++) {
		if (add_verdict(job, &verdicts.v[i]) == -1)
			return -1;
	}
	return 0;
}

const struct stage_builtin stage_dkim = {
	.name = "dkim-verify",
	.method = "dkim",
	.reads_message = true,
	.run = run_dkim,
	.start = start_dkim,
};
