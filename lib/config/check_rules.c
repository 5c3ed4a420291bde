/*
 * check_rules.c - rules and aliases, once all files are read
 */
#include "config/internal.h"

#include "addr/addr.h"

/* ---- aliases ---- */

void
config_check_aliases(struct source *s, void (*add)(struct source *,
    struct bytes text, const struct owner *o))
{
	struct owner o = { .account = BYTES_EMPTY, .mailbox = BYTES_EMPTY,
	    .alias = true };

	for (size_t i = 0; i < s->aliases; i++) {
		o.file = s->alias[i].file;
		o.line = s->alias[i].line;
		add(s, s->alias[i].name, &o);
	}
}

void
config_collect_reports(struct source *s)
{
	const struct config_key *k;
	struct report_address r;
	struct bytes domain;

	for (size_t i = 0; i < s->entries; i++) {
		k = s->entry[i].key;
		if (strcmp(k->key, "dmarc-reports") == 0)
			r.kind = CONFIG_DMARC_REPORTS;
		else if (strcmp(k->key, "tls-reports") == 0)
			r.kind = CONFIG_TLS_REPORTS;
		else
			continue;
		if (!config_resolve(s, s->entry[i].value, &r.to, &domain) ||
		    r.to.catch_all)
			continue;
		s->report = config_grow(s->a, s->report, s->reports,
		    &s->reports_size, sizeof(*s->report));
		s->report[s->reports++] = r;
	}
}

int
config_takes_reports(const struct source *s, const struct owner *o)
{
	const struct owner *to;
	int kinds = 0;

	for (size_t i = 0; i < s->reports; i++) {
		to = &s->report[i].to;
		if (!o->catch_all && !o->alias &&
		    bytes_eq(to->domain, o->domain) &&
		    bytes_eq(to->local_part, o->local_part))
			kinds |= s->report[i].kind;
	}
	return kinds;
}

static void
check_alias(struct source *s, const struct address_section *sec,
    struct bytes name)
{
	const struct entry *external = config_entry_find(s, "alias", name,
	    "external-member");

	if (external == NULL &&
	    config_entry_find(s, "alias", name, "member") == NULL)
		config_problem(s->a, s->problems, sec->file, sec->line,
		    "the alias %s has no member; needed is member = ADDRESS "
		    "or external-member = ADDRESS", config_quote(s->a, name));
	if (external != NULL &&
	    config_entry_find(s, "alias", name, "bounces-to") == NULL)
		config_problem(s->a, s->problems, external->file,
		    external->line, "the alias %s has external members and "
		    "no \"bounces-to\"; needed is the address of who is told "
		    "what cannot be delivered", config_quote(s->a, name));
}

/* One outside our domains: others are members. */
static void
check_external(struct source *s, const struct entry *e)
{
	struct owner o = { .catch_all = false };
	struct bytes domain;

	if (bytes_starts(e->value, BYTES("@")))
		config_problem(s->a, s->problems, e->file, e->line,
		    "%s is a domain; allowed as member is an address",
		    config_quote(s->a, e->value));
	else if (config_resolve(s, e->value, &o, &domain))
		config_problem(s->a, s->problems, e->file, e->line,
		    "%s is of a domain of this server; allowed is member = "
		    "%.*s", config_quote(s->a, e->value),
		    BYTES_ARG(e->value));
}

/* ---- rules ---- */

/* An address of the same account, by itself. */
static void
check_own(struct source *s, struct entry *e)
{
	struct owner want = { .catch_all = false }, *found;
	struct bytes rule = e->name, account, domain;

	(void)bytes_split(&rule, '/', &account);	/* it has one */
	found = config_resolve(s, e->value, &want, &domain)
	    ? config_owner_find(s, &want) : NULL;
	if (found == NULL || !bytes_eq(found->account, account)) {
		config_problem(s->a, s->problems, e->file, e->line,
		    "account %.*s has no address %s; allowed are those given "
		    "as address = ... in its file", BYTES_ARG(account),
		    config_quote(s->a, e->value));
		return;
	}
	e->value = want.address;
}

static bool
has(const struct source *s, struct bytes rule, const char *key)
{
	return config_entry_find(s, "rule", rule, key) != NULL;
}

static void
check_rule(struct source *s, const struct address_section *sec)
{
	const struct entry *forward = config_entry_find(s, "rule", sec->name,
	    "forward");
	bool is_forward = forward != NULL &&
	    bytes_eq(forward->value, BYTES("yes"));

	/* D-7: also of a rule that takes what is refused elsewhere. */
	if (!has(s, sec->name, "mailbox") && !has(s, sec->name, "reject"))
		config_problem(s->a, s->problems, sec->file, sec->line,
		    "a rule says nothing of where mail goes; needed is "
		    "mailbox = MAILBOX or reject = REPLY");
	if (has(s, sec->name, "reject") && (has(s, sec->name, "mailbox") ||
	    has(s, sec->name, "accept-rejects-to") ||
	    has(s, sec->name, "command") || is_forward ||
	    has(s, sec->name, "list-allow-domain")))
		config_problem(s->a, s->problems, sec->file, sec->line,
		    "a rule with \"reject\" delivers nothing; allowed beside "
		    "it are conditions and a comment");
	if (is_forward && has(s, sec->name, "list-allow-domain"))
		config_problem(s->a, s->problems, sec->file, sec->line,
		    "\"forward\" and \"list-allow-domain\" in one rule; "
		    "allowed is one of the two");
}

/* The rules of a file follow each other; first: where they begin. */
static void
check_names(struct source *s, size_t first, size_t i)
{
	const struct address_section *sec = &s->rule[i];

	if (i - first == CONFIG_RULES_MAX)
		config_problem(s->a, s->problems, sec->file, sec->line,
		    "more than %d rules; allowed are as many",
		    CONFIG_RULES_MAX);
	for (size_t k = first; k < i && i - first < CONFIG_RULES_MAX; k++) {
		if (bytes_eq(s->rule[k].name, sec->name))
			config_problem(s->a, s->problems, sec->file,
			    sec->line, "this rule is there already at %s:%u; "
			    "allowed is each name once", s->rule[k].file,
			    s->rule[k].line);
	}
}

/* ---- both ---- */

static bool
is_user_filter(const struct entry *e)
{
	return (strcmp(e->key->section, "account") == 0 &&
	    strcmp(e->key->key, "filter") == 0) ||
	    (strcmp(e->key->section, "rule") == 0 &&
	    strcmp(e->key->key, "command") == 0);
}

static bool
user_filters_allowed(const struct source *s)
{
	const struct entry *e = config_entry_find(s, "lmtp-in", BYTES_EMPTY,
	    "user-filters");

	return e != NULL && bytes_eq(e->value, BYTES("yes"));
}

static void
check_entry(struct source *s, struct entry *e)
{
	struct owner o = { .catch_all = false };
	struct bytes domain;

	if (is_user_filter(e) && !user_filters_allowed(s))
		config_problem(s->a, s->problems, e->file, e->line,
		    "\"%s\" is for programs of accounts; needed is "
		    "user-filters = yes in [lmtp-in] of main.conf",
		    e->key->key);
	if (e->key->type == CONFIG_OWN_ADDRESS)
		check_own(s, e);
	else if (strcmp(e->key->key, "external-member") == 0)
		check_external(s, e);
	if (strcmp(e->key->section, "alias") == 0 &&
	    config_resolve(s, e->name, &o, &domain))
		e->name = o.address;
}

void
config_check_rules(struct source *s)
{
	struct owner o = { .catch_all = false };
	struct bytes domain;
	size_t first = 0;

	for (size_t i = 0; i < s->rules; i++) {
		if (!bytes_eq(s->rule[first].account, s->rule[i].account))
			first = i;
		check_names(s, first, i);
		check_rule(s, &s->rule[i]);
	}
	/* while entries still have the names of the sections as written */
	for (size_t i = 0; i < s->aliases; i++) {
		if (config_resolve(s, s->alias[i].name, &o, &domain))
			check_alias(s, &s->alias[i], s->alias[i].name);
	}
	for (size_t i = 0; i < s->entries; i++)
		check_entry(s, &s->entry[i]);
}
