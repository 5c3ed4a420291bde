/*
 * builtin_dmarc.c - DMARC as a stage (RFC 7489)
 *
 * What SPF and DKIM found is read from our own Authentication-Results, in
 * process as in a pipeline: so both come to the same result.
 */
#include "stage/stage.h"

#include "dmarc/dmarc.h"

/* A line has the whole record, each byte of it escaped to four. */
#define TEXT_MAX (4 * DMARC_RECORD_MAX + TRACE_FIELD_MAX)

/* The draw for pct= is by the received-id that stands in the message. */
static unsigned int
draw(const struct stage_job *job)
{
	struct bytes id = job->envelope.id;

	(void)trace_received_id(job->block.received, &id);	/* else ours */
	return dmarc_draw(id);
}

static int
add_result(struct stage_job *job, const struct dmarc *r)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	int n = dmarc_format_resinfo(&b, r);

	if (n == 0) {
		stage_add_resinfo(job, buf_bytes(&b));
		buf_reset(&b);
		n = dmarc_format_line(&b, r);
	}
	if (n == 0)
		stage_add_report(job, buf_bytes(&b), true);
	buf_free(&b);
	return n;
}

struct started {
	struct dmarc_input in;		/* the From domain */
	struct dmarc_finder *f;
};

static void *
start_dmarc(struct stage_job *job)
{
	struct dns *dns = stage_dns(job);
	struct started *s = arena_zalloc(job->arena, 1, sizeof(*s));

	if (dns == NULL)
		return NULL;
	s->in.from = BYTES_EMPTY;
	if (dmarc_from_domain(job->arena, job->message, &s->in.from,
	    &s->in.from_why) == 0)
		s->f = dmarc_find_start(dns, job->arena, s->in.from);
	return s;
}

static int
run_dmarc(struct stage_job *job)
{
	struct started *s = stage_started(job, &stage_dmarc);
	struct dmarc r;

	if (s == NULL)
		return -1;
	dmarc_read_auth(job->arena, job->block.resinfo, job->block.nresinfo,
	    &s->in);
	s->in.draw = draw(job);
	dmarc_check(job->arena, &s->in, s->f, &r);
	return add_result(job, &r);
}

const struct stage_builtin stage_dmarc = {
	.name = "dmarc-check",
	.method = "dmarc",
	.reads_message = true,
	.run = run_dmarc,
	.start = start_dmarc,
};
