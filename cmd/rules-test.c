/*
 * rules-test - which rule a message matches, and why
 */
#include <errno.h>
#include <unistd.h>

#include "mime/mime.h"
#include "rules/rules.h"
#include "stage/stage.h"

static const char usage[] = "usage: rules-test [-h helo] [-i ip] [-s sender] "
    "recipient < message";

struct test {
	const struct config *config;
	struct recipient to;
	bool *matched;
};

/* ---- lines ---- */

/* A line of up to three columns, outside bytes escaped. */
static void
put(struct stage_job *job, const char *word, struct bytes address,
    struct bytes one, struct bytes two)
{
	const struct bytes column[] = { address, one, two };
	struct buf b = BUF_INIT(CONFIG_LINE_MAX * 8);

	buf_adds(&b, word);
	for (size_t i = 0; i < 3 && (i == 0 || column[i].n > 0); i++) {
		buf_addc(&b, '\t');
		(void)msg_escape(&b, column[i]);	/* bounded by a line */
	}
	stage_add_report(job, buf_bytes(&b), false);
	buf_free(&b);
}

static void
put_result(struct stage_job *job, const struct recipient *to,
    const struct rules_result *r)
{
	struct bytes at = to->address;

	for (size_t i = 0; i < r->nsteps; i++)
		put(job, "rule", at, r->steps[i].rule, bytes_str(
		    r->steps[i].undecided ? "too-slow"
		    : r->steps[i].failed == NULL ? "match"
		    : r->steps[i].failed));
	if (r->over_budget)
		put(job, "too-slow", at, BYTES_EMPTY, BYTES_EMPTY);
	if (r->comment.n > 0)
		put(job, "comment", at, r->comment, BYTES_EMPTY);
	if (r->reply_code != 0) {
		put(job, "reject", at, bytes_str(arena_printf(job->arena,
		    "%d %.*s %.*s", r->reply_code,
		    BYTES_ARG(r->reply_status), BYTES_ARG(r->reply_text))),
		    BYTES_EMPTY);
		return;
	}
	put(job, "mailbox", at, to->account, r->mailbox);
	if (r->is_forward)
		put(job, "forward", at, r->verified_domain, BYTES_EMPTY);
	if (r->list_allow_domain.n > 0)
		put(job, "list-allow-domain", at, r->list_allow_domain,
		    r->list_allowed ? BYTES("yes") : BYTES("no"));
	if (r->accept_rejects_to.n > 0)
		put(job, "accept-rejects-to", at, r->accept_rejects_to,
		    BYTES_EMPTY);
	if (r->message_auth_required.n > 0)
		put(job, "auth-required", at, r->message_auth_required,
		    BYTES_EMPTY);
	for (size_t i = 0; i < r->ncommands; i++)
		put(job, "command", at, r->command[i], BYTES_EMPTY);
}

/* ---- recipients ---- */

static void
test_one(struct stage_job *job, const struct test *t,
    const struct recipient *to, const struct rules_facts *f)
{
	struct rules_result r;

	rules_apply(t->config, job->arena, to, f, &r);
	put_result(job, to, &r);
	if (r.rule.n > 0)
		*t->matched = true;
}

static void
test_alias(struct stage_job *job, const struct test *t,
    const struct rules_facts *f)
{
	struct recipient_alias alias;
	struct bytes header, body;
	struct path from;
	bool has_from, may;

	mime_split(job->message, &header, &body);
	has_from = rules_from(job->arena, header, &from);
	recipient_alias_read(t->config, job->arena, t->to.alias, &alias);
	may = recipient_alias_may_post(t->config, job->arena, &alias,
	    has_from ? &from : NULL);
	put(job, "alias", alias.name, may ? BYTES("may-post")
	    : BYTES("may-not-post"), BYTES_EMPTY);
	for (size_t i = 0; i < alias.nmembers && may; i++)
		test_one(job, t, &alias.member[i], f);
}

static int
run(struct stage_job *job)
{
	const struct test *t = job->check;
	struct rules_facts facts;

	rules_facts_read(job->arena, &job->block, &job->envelope,
	    job->message, &facts);
	if (t->to.alias.n > 0)
		test_alias(job, t, &facts);
	else
		test_one(job, t, &t->to, &facts);
	return 0;
}

static const struct stage_builtin stage_rules = { .name = "rules-test",
    .method = "x-pipemail-rules", .reads_message = true, .run = run };

static void
find(struct test *t, struct arena *a, const char *address)
{
	struct path path;
	const char *why;
	int r;

	if (addr_parse_path(a, bytes_str(address), ADDR_SMTPUTF8, &path,
	    &why) == -1)
		msg_die(EXIT_PERM, "%s is no address: %s", address, why);
	r = recipient_find(t->config, a, &path, &t->to);
	if (r == 0)
		msg_die(EXIT_PERM, "no such user: %s", address);
	if (r == -1)
		msg_die(EXIT_PERM, "%s is of no domain of this server, or a "
		    "disabled one", address);
	if (t->to.error.n > 0)
		msg_warn("mail to %s is refused before the message: %.*s",
		    address, BYTES_ARG(t->to.error));
}

int
main(int argc, char *argv[])
{
	struct stage_filter f = STAGE_FILTER_INIT;
	struct arena a = ARENA_INIT;
	bool matched = false;
	struct test t = { .matched = &matched };
	struct config *config;
	int c, code;

	msg_init("rules-test");
	while ((c = getopt(argc, argv, "h:i:s:")) != -1) {
		if (!stage_filter_option(&f, c, optarg))
			msg_die(EXIT_PERM, "%s", usage);
	}
	if (argc - optind != 1)
		msg_die(EXIT_PERM, "%s", usage);
	if ((config = config_open()) == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	t.config = config;
	find(&t, &a, argv[optind]);
	f.quiet = true;
	f.check = &t;
	code = stage_filter_main(&stage_rules, &f);
	if (f.why[0] != '\0')
		msg_die(code, "%s", f.why);
	config_close(config);
	arena_free(&a);
	return matched ? EXIT_YES : EXIT_NO;
}
