/*
 * Rules over messages: three lines are expressions, the fourth a reply, the
 * rest a message with whatever stands in front of it. The result is one of
 * the rules or none, the same each time, with expressions kept or compiled
 * anew, and costs no more than its budget.
 */
#include <stdlib.h>

#include "rules/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
fuzz_reply(struct bytes text)
{
	struct buf b = BUF_INIT(65536);
	struct bytes status, words, status2, words2;
	int code, code2;

	if (config_split_reply(text, &code, &status, &words) == -1)
		return;
	check(code >= 400 && code <= 599 && status.n > 0 && words.n > 0);
	check(status.p[0] - '0' == code / 100);
	buf_printf(&b, "%d %.*s %.*s", code, BYTES_ARG(status),
	    BYTES_ARG(words));
	if (!bytes_has_nul(text) && !b.full) {
		check(config_split_reply(buf_bytes(&b), &code2, &status2,
		    &words2) == 0);
		check(code == code2 && bytes_eq(status, status2) &&
		    bytes_eq(words, words2));
	}
	buf_free(&b);
}

/* A rule holds; or it is open whether one refuses: not now, then. */
static void
check_result(const struct rule *rules, size_t n, const struct rules_result *r)
{
	const struct rules_step *last = r->nsteps == 0 ? NULL
	    : &r->steps[r->nsteps - 1];
	bool matched = last != NULL && last->failed == NULL;
	bool open = last != NULL && last->undecided && r->rule.n > 0;

	check(r->nsteps <= n && r->mailbox.n > 0);
	check(matched || open || r->nsteps == n);
	check((matched || open) == (r->rule.n > 0));
	for (size_t i = 0; i < r->nsteps; i++) {
		check(bytes_eq(r->steps[i].rule, rules[i].name));
		check(r->steps[i].failed != NULL || i + 1 == r->nsteps);
		check(!r->steps[i].undecided || r->over_budget);
	}
	if (open)
		check(r->reply_code == 451 &&
		    bytes_eq(r->rule, last->rule) &&
		    rules[r->nsteps - 1].reply.n > 0);
	if (!matched)
		check((open || r->reply_code == 0) && !r->is_forward &&
		    !r->list_allowed && r->ncommands == 0);
}

static void
check_same(const struct rules_result *a, const struct rules_result *b)
{
	check(a->nsteps == b->nsteps && bytes_eq(a->rule, b->rule));
	check(a->over_budget == b->over_budget);
	check(a->list_allowed == b->list_allowed);
	check(a->reply_code == b->reply_code);
	for (size_t i = 0; i < a->nsteps; i++)
		check(a->steps[i].failed == b->steps[i].failed &&
		    a->steps[i].undecided == b->steps[i].undecided);
}

/* With expressions kept, when they are compiled and afterwards. */
static void
check_kept(struct arena *a, struct rule rules[3], const struct rules_facts *f,
    const struct rules_result *wanted)
{
	struct rules_header_code header = { NULL, NULL };
	struct rules_code code[3] = { { .arena = a }, { .arena = a },
	    { .arena = a, .header = &header } };
	struct rules_result r;

	for (size_t i = 0; i < 3; i++)
		rules[i].code = &code[i];
	for (size_t i = 0; i < 2; i++) {
		rules_match(a, rules, 3, BYTES("Inbox"), f, &r);
		check_same(wanted, &r);
	}
}

static void
check_facts(const struct rules_facts *f)
{
	check(f->ndkim_domains <= RULES_DOMAINS_MAX && f->nheaders > 0);
	for (size_t i = 0; i < f->ndkim_domains; i++) {
		check(f->dkim_domain[i].n > 0 &&
		    bytes_is_ascii(f->dkim_domain[i]));
		check(rules_domain_is_within(f->dkim_domain[i],
		    f->dkim_domain[i]));
		for (size_t k = 0; k < i; k++)
			check(!bytes_eq(f->dkim_domain[i],
			    f->dkim_domain[k]));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_of(data, size), line[4], rest;
	struct rules_header header = { BYTES("."), BYTES_EMPTY };
	struct rule rules[3] = { { .name = BYTES("a") },
	    { .name = BYTES("b") }, { .name = BYTES("c") } };
	struct trace_block block = { .received = BYTES_EMPTY };
	struct trace_envelope e = { .sender = BYTES_EMPTY };
	struct rules_result one, two;
	struct arena a = ARENA_INIT;
	struct rules_facts f;

	for (size_t i = 0; i < 4; i++) {
		line[i] = BYTES_EMPTY;
		(void)bytes_line(&text, &line[i]);
	}
	fuzz_reply(line[3]);
	e.sender = line[0];
	if (trace_block_parse(&a, text, BYTES("mx.example.org"), BYTES_EMPTY,
	    &block, &rest) == 1)
		text = rest;
	rules_facts_read(&a, &block, &e, text, &f);
	check_facts(&f);
	rules[0].mail_from = line[0];
	rules[0].forward = true;
	rules[1].msg_from = line[1];
	rules[1].verified_domain = rules[1].list_allow_domain =
	    BYTES("example.org");
	header.value = line[2];
	rules[2].header = &header;
	rules[2].nheaders = 1;
	rules[2].mailbox = BYTES("M");
	rules[2].reply = line[3];
	rules_match(&a, rules, 3, BYTES("Inbox"), &f, &one);
	check_result(rules, 3, &one);
	rules_match(&a, rules, 3, BYTES("Inbox"), &f, &two);
	check_same(&one, &two);
	check_kept(&a, rules, &f, &one);
	arena_free(&a);
	return 0;
}
