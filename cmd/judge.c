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

/*
 * The first or the last Delivered-To of the trusted block: for a member of an
 * alias these are the member's and the one that RCPT TO named.
 */
static struct bytes
delivered_to(struct stage_job *job, bool first)
{
	const struct trace_block *b = &job->block;
	struct bytes value = BYTES_EMPTY;

	for (size_t i = 0; i < b->ntop && !(first && value.n > 0); i++) {
		if (trace_field_is(b->top[i], BYTES("Delivered-To")))
			value = mime_field_value(job->arena, b->top[i],
			    BYTES("Delivered-To"));
	}
	return value;
}

/* -r, the surroundings, or the trusted block; empty: nobody says. */
static struct bytes
recipient_text(const struct options *o, struct stage_job *job)
{
	if (o->recipient != NULL)
		return bytes_str(o->recipient);
	if (job->envelope.nrecipients == 1)
		return job->envelope.recipients[0];
	return delivered_to(job, false);
}

/* The member of an alias that is the account's, this address if it has several
 * there. */
static bool
find_member(const struct config *c, struct arena *a, struct bytes account,
    struct bytes address, struct recipient *r)
{
	struct recipient_alias alias;
	const struct recipient *m, *found = NULL;

	recipient_alias_read(c, a, r->alias, &alias);
	for (size_t i = 0; i < alias.nmembers; i++) {
		m = &alias.member[i];
		if (bytes_eq(m->account, account) && (found == NULL ||
		    bytes_eq(m->address, address)))
			found = m;
	}
	if (found != NULL)
		*r = *found;
	return found != NULL;
}

/* The look-up of an address, if the account is the owner, or a member. */
static bool
find_recipient(const struct config *c, struct stage_job *job,
    struct bytes account, struct bytes text, struct recipient *r)
{
	struct path path;
	const char *why;

	if (addr_parse_path(job->arena, text, ADDR_SMTPUTF8, &path, &why)
	    == -1)
		msg_die(EXIT_PERM, "cannot understand the recipient: %s",
		    why);
	if (recipient_find(c, job->arena, &path, r) != 1)
		return false;
	return r->alias.n > 0 ? find_member(c, job->arena, account,
	    delivered_to(job, true), r) : bytes_eq(r->account, account);
}

/* Where nobody says whom it is for: the account's first address. */
static bool
find_first(const struct config *c, struct stage_job *job, const char *account,
    struct recipient *r)
{
	struct config_list list;
	struct bytes value, address;

	config_list(c, "account", account, "address", &list);
	while (config_list_next(&list, &value)) {
		if (bytes_word(&value, &address) && address.p[0] != '@' &&
		    address.p[0] != '"')
			return find_recipient(c, job, bytes_str(account),
			    address, r);
	}
	return false;
}

static void
set_recipient(struct judge_case *c, const struct options *o)
{
	struct stage_job *job = c->job;
	struct recipient *r = arena_zalloc(job->arena, 1, sizeof(*r));
	bool found = false;

	c->address = recipient_text(o, job);
	if (c->config == NULL)
		return;
	if (c->address.n == 0)
		found = find_first(c->config, job, o->account, r);
	else
		found = find_recipient(c->config, job,
		    bytes_str(o->account), c->address, r);
	if (found)
		c->recipient = r;
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
	set_recipient(&c, o);
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
