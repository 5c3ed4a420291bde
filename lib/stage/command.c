/*
 * command.c - a builtin stage as a filter of its own
 */
#include "stage/stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "config/config.h"
#include "mime/mime.h"

/* Recipients taken from RECIPIENTS. */
#define RECIPIENTS_MAX 1000

bool
stage_filter_option(struct stage_filter *f, int c, const char *arg)
{
	switch (c) {
	case 'q':
		f->quiet = true;
		return true;
	case 'i':
		f->ip = arg;
		return true;
	case 'h':
		f->helo = arg;
		return true;
	case 's':
		f->sender = arg;
		return true;
	default:
		return false;
	}
}

static int
say(struct stage_filter *f, int code, const char *what, const char *reason)
{
	/* a cut text is still the text */
	(void)snprintf(f->why, sizeof(f->why), "%s%s%s", what,
	    reason == NULL ? "" : ": ", reason == NULL ? "" : reason);
	return code;
}

/* ---- the envelope from options and environment ---- */

static struct bytes
text_of(const char *option, const char *name)
{
	return bytes_str(option != NULL ? option : env_get(name));
}

static int
port_of(const char *name)
{
	uint64_t n;

	return num_parse(bytes_str(env_get(name)), 1, 65535, &n) == 0
	    ? (int)n : 0;
}

/* PROTO is TCP in UCSPI surroundings; others put ESMTP or SMTP there. */
static struct bytes
with_of(const struct trace_envelope *e)
{
	struct bytes with = bytes_str(env_get("PIPEMAIL_WITH"));
	struct bytes proto = bytes_str(env_get("PROTO"));

	if (with.n > 0)
		return with;
	if (bytes_casefind(proto, BYTES("SMTP"), &(size_t){ 0 }) ||
	    bytes_casefind(proto, BYTES("LMTP"), &(size_t){ 0 }))
		return proto;
	return e->remote.family == 0 ? BYTES_EMPTY : BYTES("ESMTP");
}

static void
set_recipients(struct arena *a, struct trace_envelope *e)
{
	struct bytes all = bytes_str(env_get("RECIPIENTS")), line;
	struct bytes *list = arena_zalloc(a, RECIPIENTS_MAX, sizeof(*list));
	size_t n = 0;

	if (all.n == 0)
		all = bytes_str(env_get("RECIPIENT"));
	while (n < RECIPIENTS_MAX && bytes_line(&all, &line)) {
		if (line.n > 0)
			list[n++] = line;
	}
	e->recipients = list;
	e->nrecipients = n;
}

static int
set_ip(struct stage_filter *f, const char *option, const char *name,
    struct ip *ip)
{
	struct bytes text = text_of(option, name);

	if (text.n == 0 || ip_parse(text, ip) == 0)
		return 0;
	(void)say(f, EXIT_PERM, option != NULL ? "-i is no IP address" : name,
	    option != NULL ? NULL : "is no IP address");
	return -1;
}

static int
make_envelope(struct stage_filter *f, struct arena *a,
    struct trace_envelope *e)
{
	char id[TRACE_ID_SIZE];

	*e = (struct trace_envelope){ 0 };
	if (set_ip(f, f->ip, "TCPREMOTEIP", &e->remote) == -1 ||
	    set_ip(f, NULL, "TCPLOCALIP", &e->local) == -1)
		return -1;
	e->helo = text_of(f->helo, "HELO");
	e->sender = text_of(f->sender, "SENDER");
	e->with = with_of(e);
	e->remote_host = bytes_str(env_get("TCPREMOTEHOST"));
	e->remote_port = port_of("TCPREMOTEPORT");
	e->local_port = port_of("TCPLOCALPORT");
	e->time = time_wall_us() / 1000000;
	e->id = bytes_str(env_get("PIPEMAIL_ID"));
	if (e->id.n == 0) {
		trace_id(id);
		e->id = arena_bytes(a, bytes_str(id));
	}
	set_recipients(a, e);
	return 0;
}

/* ---- the message ---- */

static int
read_message(struct stage_filter *f, struct stage_job *job, size_t max,
    struct bytes *out)
{
	struct buf in = BUF_INIT(max), lf = BUF_INIT(max);
	size_t at;

	if (io_read_all(f->in, &in, DEADLINE_NONE) == -1) {
		(void)say(f, errno == EMSGSIZE ? EXIT_PERM : exit_for(errno),
		    "cannot read message", strerror(errno));
		buf_free(&in);
		return errno == EMSGSIZE ? EXIT_PERM : EXIT_TEMP;
	}
	*out = buf_bytes(&in);
	if (bytes_find(*out, BYTES("\r\n"), &at) &&
	    mime_add_lf(&lf, *out) == 0)
		*out = buf_bytes(&lf);
	*out = arena_bytes(job->arena, *out);
	buf_free(&in);
	buf_free(&lf);
	return 0;
}

/* The sender in a Return-Path field of the trusted block. */
static void
take_return_path(struct stage_job *job)
{
	struct bytes value;

	for (size_t i = 0; i < job->block.ntop; i++) {
		if (!trace_field_is(job->block.top[i], BYTES("Return-Path")))
			continue;
		value = mime_field_value(job->arena, job->block.top[i],
		    BYTES("Return-Path"));
		if (bytes_skip(&value, BYTES("<")) &&
		    bytes_ends(value, BYTES(">")))
			job->envelope.sender = bytes_first(value,
			    value.n - 1);
		return;
	}
}

/*
 * A trusted block counts only if it does not contradict the surroundings;
 * what those do not say is taken from it.
 */
static void
take_message(struct stage_filter *f, struct stage_job *job,
    struct bytes message)
{
	struct trace_envelope *e = &job->envelope;
	struct bytes own_id = e->id, helo;
	struct ip ip;

	if (env_get("PIPEMAIL_ID") == NULL)
		e->id = BYTES_EMPTY;
	stage_job_resume(job, message);
	e->id = own_id;
	if (!job->received_done)
		return;
	if (trace_received_from(job->block.received, &ip, &helo)) {
		if (e->remote.family == 0) {
			e->remote = ip;
			if (e->helo.n == 0)
				e->helo = helo;
		} else if (!ip_eq(&ip, &e->remote)) {
			stage_job_end(job);
			stage_job_init(job, job->arena, job->options, e,
			    message);
			return;
		}
	}
	if (f->sender == NULL && getenv("SENDER") == NULL)
		take_return_path(job);
}

/* ---- the result ---- */

static int
write_all(struct stage_filter *f, struct stage_job *job)
{
	struct buf prefix = BUF_INIT(STAGE_PREFIX_MAX);
	int r;

	r = stage_job_prefix(job, &prefix);
	if (r == 0)
		r = io_write_all(f->out, buf_bytes(&prefix), DEADLINE_NONE);
	if (r == 0)
		r = io_write_all(f->out, job->message, DEADLINE_NONE);
	buf_free(&prefix);
	return r == 0 ? EXIT_YES : say(f, exit_for(errno),
	    "cannot write message", strerror(errno));
}

static int
finish(struct stage_filter *f, struct stage_job *job)
{
	char reply[STAGE_REPLY_MAX * 2 + 1];

	if (f->quiet && job->verdict == STAGE_PASS) {
		if (io_write_all(f->out, job->reports, DEADLINE_NONE) == -1)
			return say(f, exit_for(errno),
			    "cannot write verdict", strerror(errno));
		return job->report_exit;
	}
	switch (job->verdict) {
	case STAGE_PASS:
		return write_all(f, job);
	case STAGE_DROP:
		return EXIT_DROP;
	default:
		(void)snprintf(reply, sizeof(reply), "%.*s",
		    BYTES_ARG(job->reply));	/* bounded by its maker */
		return say(f, job->verdict == STAGE_REJECT ? EXIT_PERM
		    : EXIT_TEMP, reply, NULL);
	}
}

static int
run(const struct stage_builtin *stage, struct stage_filter *f,
    struct arena *a, const struct config *c)
{
	struct stage_item item = { stage, BYTES_EMPTY };
	struct stage_list list = { &item, 1, false };
	const struct stage_options *options;
	struct trace_envelope e;
	struct stage_job job;
	struct bytes message;
	int code;

	options = stage_options_new(a, c, "smtp-in");
	if (make_envelope(f, a, &e) == -1)
		return EXIT_PERM;
	stage_job_init(&job, a, options, &e, BYTES_EMPTY);
	job.check = f->check;
	if (!f->quiet || f->ip == NULL || stage->reads_message) {
		code = read_message(f, &job, options->message_max_bytes,
		    &message);
		if (code != 0) {
			stage_job_end(&job);
			return code;
		}
		take_message(f, &job, message);
		job.check = f->check;
	}
	stage_run(&job, &list);
	code = finish(f, &job);
	stage_job_end(&job);
	return code;
}

int
stage_filter_main(const struct stage_builtin *stage, struct stage_filter *f)
{
	struct arena a = ARENA_INIT;
	struct config *c;
	int code;

	f->why[0] = '\0';
	c = config_open();
	if (c == NULL && errno != ENOENT)
		return say(f, exit_for(errno), "cannot open configuration",
		    strerror(errno));
	code = run(stage, f, &a, c);
	config_close(c);
	arena_free(&a);
	return code;
}
