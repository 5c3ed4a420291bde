/* judge - is a message wanted by an account? See judge(1) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "account/account.h"
#include "judge/ask.h"
#include "mime/mime.h"
#include "trace/trace.h"

static const char usage[] = "usage: judge [-q] [-i ip] [-h helo] [-s sender] "
    "[-r recipient] -a account < message";

#define LINE_MAX_BYTES ((size_t)256 * 1024)

struct options {
	const char *account, *recipient;
	const struct stage_filter *filter;
	char *refused;		/* out: the reply; NULL: it is accepted */
};

static void
note(const char *line)
{
	msg_info("%s", line);
}

/* ---- whom it is for ---- */

/* -r, the surroundings, or the topmost Delivered-To of the trusted block. */
static struct bytes
recipient_text(const struct options *o, struct stage_job *job)
{
	const struct trace_block *b = &job->block;

	if (o->recipient != NULL)
		return bytes_str(o->recipient);
	if (job->envelope.nrecipients == 1)
		return job->envelope.recipients[0];
	for (size_t i = 0; i < b->ntop; i++) {
		if (trace_field_is(b->top[i], BYTES("Delivered-To")))
			return mime_field_value(job->arena, b->top[i],
			    BYTES("Delivered-To"));
	}
	return BYTES_EMPTY;
}

/* Its look-up, if the account is the owner. */
static const struct recipient *
find_recipient(const struct config *c, struct arena *a, const char *account,
    struct bytes text)
{
	struct recipient *r = arena_zalloc(a, 1, sizeof(*r));
	struct path path;
	const char *why;

	if (c == NULL || text.n == 0)
		return NULL;
	if (addr_parse_path(a, text, ADDR_SMTPUTF8, &path, &why) == -1)
		msg_die(EXIT_PERM, "cannot understand the recipient: %s",
		    why);
	if (recipient_find(c, a, &path, r) != 1 ||
	    !bytes_eq(r->account, bytes_str(account)))
		return NULL;
	return r;
}

/* ---- what comes out ---- */

/* The reason on top; what an earlier run and junk-score wrote goes. */
static int
put_reason(struct stage_job *job, const struct judge_result *r)
{
	struct trace_block *b = &job->block;
	struct bytes *top = arena_zalloc(job->arena, b->ntop + 1,
	    sizeof(*top));
	struct buf field = BUF_INIT(JUDGE_FIELD_MAX + 1);
	size_t n = 0;

	if (judge_format_reason(&field, r) == -1)
		return -1;
	top[n++] = arena_bytes(job->arena, buf_bytes(&field));
	buf_free(&field);
	for (size_t i = 0; i < b->ntop; i++) {
		if (!trace_field_is(b->top[i], BYTES("Pipemail-Reason")) &&
		    !trace_field_is(b->top[i], BYTES("Pipemail-Junk")))
			top[n++] = b->top[i];
	}
	b->top = top;
	b->ntop = n;
	return 0;
}

static int
report(struct stage_job *job, const struct judge_result *r)
{
	struct buf line = BUF_INIT(LINE_MAX_BYTES);
	int n = judge_format_line(&line, r);

	if (n == 0)
		stage_add_report(job, buf_bytes(&line), true);
	buf_free(&line);
	return n;
}

static int
show(struct options *o, struct stage_job *job, const struct judge_result *r)
{
	if (o->filter->quiet)
		return report(job, r);
	if (r->accept) {
		if (r->override != NULL)
			(void)trace_block_override(job->arena, &job->block,
			    BYTES("dmarc"), bytes_str(r->override));
		return put_reason(job, r);
	}
	stage_set_verdict(job, r->code < 500 ? STAGE_TEMP : STAGE_REJECT,
	    r->text);
	o->refused = arena_str(job->arena, job->reply);
	if (o->refused != NULL)
		o->refused = mem_strdup(o->refused);
	return 0;
}

/* ---- the stage ---- */

static int
run(struct stage_job *job)
{
	/* the one caller is main below */
	struct options *o = *(struct options *const *)job->check;
	struct account account = { .note = note };
	struct judge_case c = { .job = job };
	struct judge_result r;
	int n;

	if (account_open(&account, o->account) == -1)
		msg_die(account_exit(errno), "cannot open account %s: %s",
		    o->account, account.problem);
	c.config = account.config;
	c.store = account.store;
	c.address = recipient_text(o, job);
	c.recipient = find_recipient(c.config, job->arena, o->account,
	    c.address);
	judge_recipient(&c, &r);
	n = show(o, job, &r);
	account_close(&account);
	return n;
}

static const struct stage_builtin stage_judge = {
	.name = "judge",
	.method = "judge",
	.reads_message = true,
	.run = run,
};

int
main(int argc, char *argv[])
{
	struct stage_filter f = STAGE_FILTER_INIT;
	struct options o = { .filter = &f };
	struct options *check = &o;
	int c, code;

	msg_init("judge");
	while ((c = getopt(argc, argv, "qi:h:s:a:r:")) != -1) {
		if (c == 'a')
			o.account = optarg;
		else if (c == 'r')
			o.recipient = optarg;
		else if (!stage_filter_option(&f, c, optarg))
			msg_usage(usage);
	}
	if (o.account == NULL || optind != argc)
		msg_usage(usage);
	f.check = &check;
	code = stage_filter_main(&stage_judge, &f);
	/* the reply and nothing else: pipemail-filter(7) */
	if (o.refused != NULL)
		(void)fprintf(stderr, "%s\n", o.refused);
	else if (f.why[0] != '\0')
		msg_die(code, "%s", f.why);
	return code;
}
