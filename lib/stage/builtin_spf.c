/*
 * builtin_spf.c - SPF as a stage (RFC 7208)
 */
#include "stage/stage.h"

#include "addr/addr.h"
#include "spf/spf.h"

/* The sender in the form spf_check wants; what is no path is taken apart at
 * its last "@", so that its domain is still judged. */
static void
set_sender(struct stage_job *job, struct spf_args *args)
{
	struct bytes text = job->envelope.sender;
	struct path path;
	const char *why;
	size_t at;

	if (addr_parse_path(job->arena, text, ADDR_SMTPUTF8, &path, &why) == 0
	    && !path.is_postmaster) {
		args->sender_local = path.local_part;
		args->sender_domain = path.domain_ascii;
	} else if (bytes_rchr(text, '@', &at)) {
		args->sender_local = bytes_first(text, at);
		args->sender_domain = bytes_from(text, at + 1);
	}
}

struct started {
	struct spf_starter *s;
	bool done;
	struct spf r;
};

static void *
start_spf(struct stage_job *job)
{
	struct started *s = arena_zalloc(job->arena, 1, sizeof(*s));
	struct dns *dns = stage_dns(job);
	struct spf_args args = { 0 };

	if (dns == NULL)
		return NULL;
	args.ip = job->envelope.remote;
	args.helo = job->envelope.helo;
	args.sender_local = args.sender_domain = BYTES_EMPTY;
	args.receiver = job->options->hostname;
	args.now_seconds = job->envelope.time;
	set_sender(job, &args);
	s->s = spf_start(dns, job->arena, &args);
	return s;
}

/* The whole of it: while its terms are looked up, so is the rest. */
static void
go_on_spf(void *started)
{
	struct started *s = started;

	if (!s->done)
		spf_finish(s->s, &s->r);
	s->done = true;
}

static int
run_spf(struct stage_job *job)
{
	struct started *s = stage_started(job, &stage_spf);
	struct buf b = BUF_INIT(2 * TRACE_FIELD_MAX);
	int n;

	if (s == NULL)
		return -1;
	go_on_spf(s);
	n = spf_format_resinfo(&b, &s->r);
	if (n == 0) {
		stage_add_resinfo(job, buf_bytes(&b));
		buf_reset(&b);
		n = spf_format_field(&b, &s->r);
	}
	if (n == 0) {
		stage_add_field(job, buf_bytes(&b));
		buf_reset(&b);
		n = spf_format_line(&b, &s->r);
	}
	if (n == 0)
		stage_add_report(job, buf_bytes(&b), true);
	buf_free(&b);
	return n;
}

const struct stage_builtin stage_spf = {
	.name = "spf-check",
	.method = "spf",
	.field = "Received-SPF",
	.run = run_spf,
	.start = start_spf,
	.go_on = go_on_spf,
};
