/*
 * job.c - one message on its way through the chain
 *
 * The trusted block is kept apart from the message. A builtin stage adds to
 * it; an external filter is given the whole text and its output is taken
 * apart again, exactly as the next command of a shell pipeline would do. So
 * both ways end in the same bytes.
 */
#include "stage/stage.h"

#include <errno.h>

#include "dns/dns.h"
#include "mime/mime.h"

/* Lines for -q: one per signature, of which there are few. */
#define REPORTS_MAX (256 * 1024)

/*
 * The stranger's message, made safe to stand below our fields: a blank at its
 * start would continue our last field, so an empty line ends the header there.
 */
static struct bytes
clean_message(struct stage_job *job, struct bytes message)
{
	unsigned char *p;

	message = mime_skip_from_line(message);
	if (ascii_is_wsp(bytes_at(message, 0))) {
		p = arena_alloc(job->arena, message.n + 1);
		p[0] = '\n';
		memcpy(p + 1, message.p, message.n);
		return bytes_of(p, message.n + 1);
	}
	return trace_remove_forged(job->arena, message,
	    job->options->hostname);
}

void
stage_job_init(struct stage_job *job, struct arena *a,
    const struct stage_options *options, const struct trace_envelope *e,
    struct bytes message)
{
	*job = (struct stage_job){ 0 };
	job->block.received = BYTES_EMPTY;
	job->arena = a;
	job->options = options;
	job->envelope = *e;
	job->deadline = deadline_in(options->timeout_ms);
	job->reply = job->at = BYTES_EMPTY;
	job->why = "";
	job->reports = BYTES_EMPTY;
	job->report_buf = BUF_INIT(REPORTS_MAX);
	job->message = clean_message(job, message);
}

void
stage_job_resume(struct stage_job *job, struct bytes message)
{
	struct bytes rest;

	job->block = (struct trace_block){ .received = BYTES_EMPTY };
	job->resinfo_size = job->spf_size = 0;
	job->received_done = trace_block_parse(job->arena, message,
	    job->options->hostname, job->envelope.id, &job->block,
	    &rest) == 1;
	job->message = job->received_done ? rest
	    : clean_message(job, message);
}

void
stage_job_end(struct stage_job *job)
{
	dns_free(job->dns);
	job->dns = NULL;
	buf_free(&job->report_buf);
}

struct dns *
stage_dns(struct stage_job *job)
{
	if (job->dns == NULL) {
		job->dns = dns_new(job->options->dns);
		if (job->dns != NULL)
			(void)dns_set_deadline(job->dns, job->deadline);
	}
	return job->dns;
}

/* Put one more slice into a list of the arena. */
static void
append(struct arena *a, struct bytes **list, size_t *n, size_t *size,
    struct bytes item)
{
	struct bytes *bigger;

	if (*n >= *size) {
		*size = *n < 8 ? 16 : *n * 2;
		bigger = arena_zalloc(a, *size, sizeof(*bigger));
		for (size_t i = 0; i < *n; i++)
			bigger[i] = (*list)[i];
		*list = bigger;
	}
	(*list)[(*n)++] = arena_bytes(a, item);
}

void
stage_add_resinfo(struct stage_job *job, struct bytes resinfo)
{
	struct trace_block *b = &job->block;

	b->has_results = true;
	if (b->nresinfo < TRACE_BLOCK_MAX)
		append(job->arena, &b->resinfo, &b->nresinfo,
		    &job->resinfo_size, resinfo);
}

void
stage_add_field(struct stage_job *job, struct bytes field)
{
	struct trace_block *b = &job->block;

	if (b->ntop + b->nspf < TRACE_BLOCK_MAX)
		append(job->arena, &b->spf, &b->nspf, &job->spf_size, field);
}

void
stage_add_report(struct stage_job *job, struct bytes line, bool with_exit)
{
	int kind = 2;

	if (bytes_starts(line, BYTES("pass\t")))
		kind = 0;
	else if (bytes_starts(line, BYTES("temperror\t")))
		kind = 1;
	if (with_exit)
		job->report_counts[kind]++;
	/* a full buffer loses the last of hundreds of lines, never the exit
	 * code */
	(void)(buf_add(&job->report_buf, line) == 0 &&
	    buf_addc(&job->report_buf, '\n') == 0);
}

void
stage_set_remote_host(struct stage_job *job, struct bytes name)
{
	if (job->envelope.remote_host.n == 0)
		job->envelope.remote_host = arena_bytes(job->arena, name);
}

void
stage_set_verdict(struct stage_job *job, enum stage_verdict verdict,
    struct bytes text)
{
	struct buf b = BUF_INIT(2 * STAGE_REPLY_MAX);

	job->verdict = verdict;
	job->reply = BYTES_EMPTY;
	text = bytes_trim(text);
	if (trace_clean(&b, text, false, STAGE_REPLY_MAX) == 0)
		job->reply = arena_bytes(job->arena, buf_bytes(&b));
	buf_free(&b);
}

/* ---- running ---- */

/* Our Received field, once: after a first builtin stage, which may have found
 * the client's name, before a first filter, which needs to see it. */
static void
write_received(struct stage_job *job)
{
	struct buf b = BUF_INIT(TRACE_FIELD_MAX);

	if (job->received_done)
		return;
	job->received_done = true;
	if (trace_received(&b, &job->envelope, job->options->hostname) == 0)
		job->block.received = arena_bytes(job->arena, buf_bytes(&b));
	else
		stage_set_verdict(job, STAGE_TEMP,
		    BYTES("cannot make a Received field"));
	buf_free(&b);
}

/*
 * What the stage said before, in an earlier pass, goes; its place is where
 * the new results will stand.
 */
static size_t
forget_earlier(struct trace_block *b, const struct stage_builtin *stage)
{
	struct bytes method = bytes_str(stage->method);
	size_t n = 0, place = SIZE_MAX;

	for (size_t i = 0; i < b->nresinfo; i++) {
		if (!bytes_casestarts(b->resinfo[i], method) ||
		    bytes_at(b->resinfo[i], method.n) != '=')
			b->resinfo[n++] = b->resinfo[i];
		else if (place == SIZE_MAX)
			place = n;
	}
	b->nresinfo = n;
	if (stage->field != NULL)
		b->nspf = 0;
	return place == SIZE_MAX ? n : place;
}

/* Move the results from first on to place, those there behind them. */
static void
move_results(struct stage_job *job, size_t first, size_t place)
{
	struct trace_block *b = &job->block;
	size_t added = b->nresinfo - first;
	struct bytes *list;

	if (place == first || added == 0)
		return;
	list = arena_zalloc(job->arena, b->nresinfo, sizeof(*list));
	for (size_t i = 0; i < b->nresinfo; i++) {
		if (i < place)
			list[i] = b->resinfo[i];
		else if (i < first)
			list[i + added] = b->resinfo[i];
		else
			list[i - first + place] = b->resinfo[i];
	}
	b->resinfo = list;
	job->resinfo_size = b->nresinfo;
}

static void
run_builtin(struct stage_job *job, const struct stage_builtin *stage,
    void *started)
{
	size_t place = forget_earlier(&job->block, stage);
	size_t first = job->block.nresinfo;

	job->started = started;
	stage_guard_name(job, bytes_str(stage->name));
	if (stage->run(job) == -1) {
		job->why = strerrordesc_np(errno);
		stage_set_verdict(job, STAGE_TEMP,
		    BYTES("a check could not be made"));
	}
	move_results(job, first, place);
	job->block.has_results = true;
	write_received(job);
}

static void
run_filter(struct stage_job *job, struct bytes command)
{
	struct buf prefix = BUF_INIT(STAGE_PREFIX_MAX);
	struct bytes out;

	stage_guard_name(job, command);
	if (stage_job_prefix(job, &prefix) == -1)
		stage_set_verdict(job, STAGE_TEMP,
		    BYTES("too many trace fields"));
	else if (stage_filter_run(job, command, buf_bytes(&prefix),
	    &out) == 0)
		stage_job_resume(job, out);
	buf_free(&prefix);
}

void *
stage_started(struct stage_job *job, const struct stage_builtin *stage)
{
	return job->started != NULL ? job->started : stage->start(job);
}

/* A filter may change the message: no stage behind it can start yet. */
static void
start_ahead(struct stage_job *job, const struct stage_list *list, size_t i,
    void *started[STAGE_LIST_MAX])
{
	const struct stage_builtin *stage;
	size_t k;

	for (k = i; k < list->n && (stage = list->item[k].builtin) != NULL;
	    k++) {
		stage_guard_name(job, bytes_str(stage->name));
		started[k] = stage->start == NULL ? NULL : stage->start(job);
	}
	for (k = i; k < list->n && (stage = list->item[k].builtin) != NULL;
	    k++) {
		if (started[k] == NULL || stage->go_on == NULL)
			continue;
		stage_guard_name(job, bytes_str(stage->name));
		stage->go_on(started[k]);
	}
}

void
stage_run(struct stage_job *job, const struct stage_list *list)
{
	const int *counts = job->report_counts;
	void *started[STAGE_LIST_MAX];
	bool ahead = false;

	for (size_t i = 0; i < list->n && job->verdict == STAGE_PASS; i++) {
		job->at = list->item[i].builtin != NULL
		    ? bytes_str(list->item[i].builtin->name)
		    : list->item[i].command;
		if (list->item[i].builtin == NULL) {
			run_filter(job, list->item[i].command);
			ahead = false;
			continue;
		}
		if (!ahead)
			start_ahead(job, list, i, started);
		ahead = true;
		run_builtin(job, list->item[i].builtin, started[i]);
	}
	job->reports = buf_bytes(&job->report_buf);
	job->report_exit = counts[0] > 0 ? EXIT_YES
	    : counts[1] > 0 ? EXIT_TEMP : EXIT_NO;
}

int
stage_job_prefix(struct stage_job *job, struct buf *out)
{
	write_received(job);
	return trace_block_format(out, &job->block, job->options->hostname);
}
