/*
 * builtin_dnsbl.c - lists of bad senders as a stage (RFC 5782)
 *
 * It tells what the lists say, and refuses nothing: that is for the decision,
 * which asks by itself when all else is well (J-18).
 */
#include "stage/stage.h"

#include "dnsbl/dnsbl.h"

static int
add_line(struct stage_job *job, const struct dnsbl_answer *answer,
    bool with_exit)
{
	struct buf b = BUF_INIT(TRACE_FIELD_MAX);
	int n = dnsbl_format_line(&b, &job->envelope.remote, answer);

	if (n == 0)
		stage_add_report(job, buf_bytes(&b), with_exit);
	buf_free(&b);
	return n;
}

/* One line for each zone; the exit code is that of the result. */
static int
add_lines(struct stage_job *job, const struct dnsbl *r)
{
	static const struct dnsbl_answer none = { .result = DNSBL_NONE,
	    .zone = BYTES_EMPTY, .text = BYTES_EMPTY,
	    .why = "no zone, or no address" };

	if (r->nanswers == 0)
		return add_line(job, &none, true);
	for (size_t i = 0; i < r->nanswers; i++) {
		if (add_line(job, &r->answers[i],
		    r->answers[i].result == r->result) == -1)
			return -1;
	}
	return 0;
}

static int
run_dnsbl(struct stage_job *job)
{
	const struct dnsbl_options *o = job->check != NULL ? job->check
	    : job->options->dnsbl;
	struct buf b = BUF_INIT(TRACE_FIELD_MAX);
	struct dns *dns = stage_dns(job);
	struct dnsbl r;
	int n;

	if (dns == NULL)
		return -1;
	dnsbl_check(dns, job->arena, o, &job->envelope.remote, &r);
	n = dnsbl_format_resinfo(&b, &r);
	if (n == 0)
		stage_add_resinfo(job, buf_bytes(&b));
	buf_free(&b);
	return n == 0 ? add_lines(job, &r) : -1;
}

const struct stage_builtin stage_dnsbl = {
	.name = "dnsbl-check",
	.method = "dnsbl",
	.run = run_dnsbl,
};
