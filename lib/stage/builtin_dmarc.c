/*
 * builtin_dmarc.c - DMARC as a stage (RFC 7489)
 *
 * What SPF, DKIM and ARC found is read from our own Authentication-Results,
 * in process as in a pipeline: so both come to the same result.
 */
#include "stage/stage.h"

#include "arc/arc.h"
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

/* arc-verify has found that the chain passes. */
static bool
has_chain(struct stage_job *job)
{
	struct trace_resinfo r;

	for (size_t i = 0; i < job->block.nresinfo; i++) {
		if (trace_resinfo_parse(job->arena, job->block.resinfo[i],
		    &r) == 0 && bytes_caseeq(r.method, BYTES("arc")))
			return bytes_caseeq(r.result, BYTES("pass"));
	}
	return false;
}

/* Local policy: whom we trust may say that it passed there. */
static void
ask_chain(struct stage_job *job, struct dmarc *r)
{
	const struct stage_options *o = job->options;
	struct arc_verdict *v;
	unsigned int instance;

	if (r->disposition == DMARC_POLICY_NONE || o->narc_trusted == 0 ||
	    !has_chain(job))
		return;
	v = arena_zalloc(job->arena, 1, sizeof(*v));
	arc_read(job->arena, job->message, v);
	if (arc_vouches(v, o->arc_trusted, o->narc_trusted, r->from,
	    &instance))
		dmarc_set_vouched(r, instance);
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
	ask_chain(job, &r);
	return add_result(job, &r);
}

const struct stage_builtin stage_dmarc = {
	.name = "dmarc-check",
	.method = "dmarc",
	.reads_message = true,
	.run = run_dmarc,
	.start = start_dmarc,
};
