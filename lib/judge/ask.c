/*
 * ask.c - the questions of a decision, answered
 */
#include "judge/internal.h"

#include <errno.h>

#include "account/account.h"

#define LINE_MAX_BYTES ((size_t)64 * 1024)

/* ---- facts, rules, settings ---- */

static const char *
account_of(const struct judge_case *c)
{
	return store_account(c->store);
}

static void
read_settings(struct judge_case *c, struct asker *k)
{
	struct judge_settings *s = &c->settings;
	const char *name = account_of(c);

	account_junk_options(c->config, name, &k->junk);
	*s = (struct judge_settings){ .introbox = BYTES_EMPTY,
	    .junk = account_junk_on(c->config, name),
	    .threshold = k->junk.threshold, .first_time_delay = true };
	if (c->config == NULL)
		return;
	s->introbox = config_get_text(c->config, "account", name,
	    "introbox");
	s->subjectpass_seconds = (int64_t)config_get_duration(c->config,
	    "account", name, "subjectpass");
	s->first_time_delay = !config_get_bool(c->config, "account", name,
	    "no-first-time-delay");
}

/* "local@domain" as facts have addresses: the domain in A-labels. */
static struct bytes
ascii_address(struct arena *a, struct bytes address)
{
	struct path path;
	const char *why;

	if (addr_parse_path(a, address, ADDR_SMTPUTF8, &path, &why) == -1 ||
	    path.is_null || path.is_postmaster)
		return address;
	return addr_path_text(a, &path, true);
}

/* What the first rule that matches says. */
static void
take_rules(struct judge_rule *r, const struct rules_result *found)
{
	r->mailbox = found->mailbox;
	r->list_domain = found->list_allow_domain;
	r->verified_domain = found->verified_domain;
	r->is_forward = found->is_forward;
	r->accept_rejects_to = found->accept_rejects_to;
	r->auth_required = found->message_auth_required;
	r->reply_code = found->reply_code;
	if (found->reply_code != 0) {
		r->reply_status = found->reply_status;
		r->reply_text = found->reply_text;
	}
	r->name = found->rule;
}

static void
find_rules(struct judge_case *c, struct asker *k, struct rules_result *out)
{
	struct rules_facts facts;

	rules_facts_read(k->a, &c->job->block, &c->job->envelope,
	    c->job->message, &facts);
	rules_apply(c->config, k->a, c->recipient, &facts, out);
}

static void
read_rule(struct judge_case *c, struct asker *k)
{
	struct judge_rule *r = &c->rule;
	struct rules_result found;

	*r = (struct judge_rule){
		.address = ascii_address(k->a, c->address),
		.canonical = c->address, .name = BYTES_EMPTY,
		.mailbox = BYTES_EMPTY, .list_domain = BYTES_EMPTY,
		.verified_domain = BYTES_EMPTY,
		.accept_rejects_to = BYTES_EMPTY,
		.auth_required = BYTES_EMPTY, .reply_status = BYTES_EMPTY,
		.reply_text = BYTES_EMPTY,
	};
	if (c->recipient == NULL)
		return;
	r->canonical = c->recipient->address;
	if (c->rules != NULL)
		take_rules(r, c->rules);
	else {
		find_rules(c, k, &found);
		take_rules(r, &found);
	}
}

/* ---- subjectpass ---- */

/* The account's secret is that of its inbox, which also signs URLs: what is
 * made of it here is made by another name. */
static int
ask_key(void *ctx, unsigned char key[JUDGE_KEY_BYTES])
{
	struct asker *k = ctx;
	struct store *s = k->c->store;
	struct store_view *v = store_view_open(s);
	unsigned char secret[STORE_KEY_BYTES];
	struct store_mailbox box;
	int r;

	if (v == NULL)
		return -1;
	r = store_mailbox_find(v, BYTES("INBOX"), &box);
	store_view_close(v);
	if (r == 1)
		r = store_mailbox_key(s, box.id, true, secret);
	if (r != 1) {
		if (r == 0)
			errno = ENOENT;
		return -1;
	}
	judge_token_key(secret, k->c->rule.canonical, key);
	secret_wipe(secret, sizeof(secret));
	return 0;
}

/* ---- content ---- */

/* From "trained=" on, in words: "trained=60/70 words=12 ham=... spam=...". */
static struct bytes
explain(struct arena *a, struct bytes line)
{
	unsigned char *p;
	struct bytes column;

	for (int i = 0; i < 3; i++)
		(void)bytes_split(&line, '\t', &column);
	p = arena_alloc(a, line.n);
	for (size_t i = 0; i < line.n; i++)
		p[i] = line.p[i] == '\t' || line.p[i] == ',' ? ' '
		    : line.p[i];
	return bytes_of(p, line.n);
}

static int
score(struct asker *k, struct store_view *v, struct junk_words *w,
    struct judge_content *out)
{
	struct junk_counts *counts = store_junk_counts(v);
	struct buf line = BUF_INIT(LINE_MAX_BYTES);
	struct junk_score s;
	int r = junk_score(counts, w, &k->junk, &s);

	if (r == 0)
		r = junk_format_line(&line, w, &k->junk, &s);
	junk_counts_close(counts);
	if (r == 0)
		*out = (struct judge_content){ s.probability, s.significant,
		    explain(k->a, buf_bytes(&line)) };
	buf_free(&line);
	return r;
}

/* What a stranger wrote alone: our own fields stand above it. */
static int
ask_content(void *ctx, struct judge_content *out)
{
	struct asker *k = ctx;
	struct store_view *v = store_view_open(k->c->store);
	struct junk_words w;
	int r;

	if (v == NULL)
		return -1;
	junk_words_init(&w, store_junk_grams(v), true);
	junk_words_read(&w, k->c->job->message);
	r = score(k, v, &w, out);
	junk_words_free(&w);
	store_view_close(v);
	return r;
}

/* ---- all of it ---- */

void
judge_recipient(struct judge_case *c, struct judge_result *out)
{
	struct asker k = { .c = c, .a = c->job->arena };
	const struct judge_ask ask = {
		.ctx = &k,
		.rates = judge_ask_rates,
		.reputation = judge_ask_reputation,
		.key = ask_key,
		.content = ask_content,
		.listed = judge_ask_listed,
	};

	judge_read_facts(k.a, &c->job->block, &c->job->envelope,
	    c->job->message, &c->facts);
	read_settings(c, &k);
	read_rule(c, &k);
	judge_decide(k.a, &c->facts, &c->rule, &c->settings, &ask, out);
}
