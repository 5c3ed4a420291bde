/*
 * check.c - what can only be checked with all files read
 *
 * Everything is sorted and searched, so that ten thousand accounts compile
 * in well under a second.
 */
#include "config/internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "addr/addr.h"
#include "unicode/unicode.h"

/* ---- orders ---- */

static int
entry_key_cmp(const struct entry *a, const struct entry *b)
{
	int r = strcmp(a->key->section, b->key->section);

	if (r == 0)
		r = bytes_cmp(a->name, b->name);
	if (r == 0)
		r = strcmp(a->key->key, b->key->key);
	return r;
}

static int
entry_cmp(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	int r = entry_key_cmp(a, b);

	if (r != 0)
		return r;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int
named_cmp(const void *va, const void *vb)
{
	const struct named *a = va, *b = vb;
	int r = bytes_cmp(a->name, b->name);

	return r != 0 ? r : strcmp(a->file, b->file);
}

static int
owner_key_cmp(const struct owner *a, const struct owner *b)
{
	int r = bytes_cmp(a->domain, b->domain);

	if (r != 0)
		return r;
	if (a->catch_all != b->catch_all)
		return a->catch_all ? -1 : 1;
	return bytes_cmp(a->local_part, b->local_part);
}

static int
owner_cmp(const void *va, const void *vb)
{
	const struct owner *a = va, *b = vb;
	int r = owner_key_cmp(a, b);

	if (r == 0)
		r = strcmp(a->file, b->file);
	if (r != 0)
		return r;
	return a->line < b->line ? -1 : a->line > b->line;
}

/* qsort(3) may not be given NULL, even for nothing. */
static void
sort(void *items, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
	if (n > 1)
		qsort(items, n, size, cmp);
}

static const struct named *
named_find(const struct named_list *list, struct bytes name)
{
	size_t low = 0, high = list->n, mid;
	int r;

	while (low < high) {
		mid = low + (high - low) / 2;
		r = bytes_cmp(list->item[mid].name, name);
		if (r == 0)
			return &list->item[mid];
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct entry *
config_entry_find(const struct source *s, const char *section,
    struct bytes name, const char *key)
{
	const struct entry want = {
		.key = config_key_find(bytes_str(section), bytes_str(key)),
		.name = name,
	};
	size_t low = 0, high = s->entries, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (entry_key_cmp(&s->entry[mid], &want) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == s->entries || entry_key_cmp(&s->entry[low], &want) != 0)
		return NULL;
	return &s->entry[low];
}

struct owner *
config_owner_find(const struct source *s, const struct owner *want)
{
	size_t low = 0, high = s->owners, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (owner_key_cmp(&s->owner[mid], want) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == s->owners || owner_key_cmp(&s->owner[low], want) != 0)
		return NULL;
	return &s->owner[low];
}

static bool
domain_flag(const struct source *s, struct bytes domain, const char *key)
{
	const struct entry *e = config_entry_find(s, "domain", domain, key);

	return e != NULL && bytes_eq(e->value, BYTES("yes"));
}

/* ---- addresses ---- */

int
config_fold_local_part(struct arena *a, struct bytes local_part,
    bool case_sensitive, struct bytes *out)
{
	if (bytes_caseeq(local_part, BYTES("postmaster"))) {
		*out = BYTES("postmaster");
		return 0;
	}
	return case_sensitive ? unicode_nfc(a, local_part, out)
	    : unicode_lower(a, local_part, out);
}

bool
config_resolve(const struct source *s, struct bytes text, struct owner *o,
    struct bytes *domain)
{
	struct buf b = BUF_INIT(ADDR_PATH_MAX * 2);
	struct path path = { .is_null = false };
	struct bytes ascii;
	const char *why;
	int r;

	o->catch_all = bytes_starts(text, BYTES("@"));
	if (o->catch_all)
		r = addr_parse_domain(s->a, bytes_from(text, 1), ADDR_SMTPUTF8,
		    &path.domain, &ascii, &why);
	else
		r = addr_parse_mailbox(s->a, text, ADDR_SMTPUTF8, &path, &why);
	if (r == -1) {
		*domain = text;
		return false;
	}
	*domain = path.domain;
	if (named_find(&s->domains, path.domain) == NULL)
		return false;
	o->domain = path.domain;
	o->local_part = BYTES_EMPTY;
	if (!o->catch_all) {
		if (config_fold_local_part(s->a, path.local_part,
		    domain_flag(s, path.domain, "case-sensitive"),
		    &o->local_part) == -1)
			return false;
		addr_format_local_part(&b, o->local_part);
	}
	buf_addc(&b, '@');
	buf_add(&b, path.domain);
	o->address = arena_bytes(s->a, buf_bytes(&b));
	buf_free(&b);
	return true;
}

static void
not_hosted(struct source *s, const char *file, unsigned int line,
    struct bytes address, struct bytes domain)
{
	config_problem(s->a, s->problems, file, line,
	    "%s: %s is no domain of this server; allowed are addresses of "
	    "domains with a file domains/DOMAIN.conf",
	    config_quote(s->a, address), config_quote(s->a, domain));
}

/* D-3: what is cut off before the look-up cannot be in an address. */
static void
check_separators(struct source *s, const struct owner *o)
{
	const struct config_key *key = config_key_find(BYTES("domain"),
	    BYTES("separators"));
	const struct entry *e = config_entry_find(s, "domain", o->domain,
	    "separators");
	const struct entry *end = s->entry + s->entries;
	struct config_list standard = config_standard_list(key);
	struct bytes separator;
	size_t at;

	for (;;) {
		if (e == NULL) {
			if (!config_list_next(&standard, &separator))
				return;
		} else {
			if (e == end || e->key != key
			    || !bytes_eq(e->name, o->domain))
				return;
			separator = (e++)->value;
			if (separator.n == 0)
				continue;
		}
		if (!bytes_find(o->local_part, separator, &at))
			continue;
		config_problem(s->a, s->problems, o->file, o->line,
		    "%s holds the separator %s of its domain and is never "
		    "found; allowed are local parts without separators",
		    config_quote(s->a, o->address),
		    config_quote(s->a, separator));
	}
}

/* With account, mailbox and place of *given. */
static void
add_owner(struct source *s, struct bytes text, const struct owner *given)
{
	struct owner o = *given;
	struct bytes domain;

	if (!config_resolve(s, text, &o, &domain)) {
		not_hosted(s, o.file, o.line, text, domain);
		return;
	}
	if (!o.catch_all && !config_takes_reports(s, &o))
		check_separators(s, &o);
	if (domain_flag(s, o.domain, "reports-only"))
		config_warning(s->a, s->problems, o.file, o.line,
		    "%s gets no mail: its domain is reports-only",
		    config_quote(s->a, o.address));
	s->owner = config_grow(s->a, s->owner, s->owners, &s->owners_size,
	    sizeof(*s->owner));
	s->owner[s->owners++] = o;
}

static void
add_destination(struct source *s, const struct entry *e)
{
	struct owner o = { .account = e->name, .file = e->file,
	    .line = e->line };
	struct bytes text;
	const char *why;

	/* Checked when it was read. */
	if (config_split_destination(s->a, e->value, &text, &o.mailbox,
	    &why) == 0)
		add_owner(s, text, &o);
}

static void
check_owners(struct source *s)
{
	const struct owner *o, *first;
	size_t i;

	config_collect_reports(s);
	for (i = 0; i < s->entries; i++) {
		if (s->entry[i].key->type == CONFIG_DESTINATION)
			add_destination(s, &s->entry[i]);
	}
	config_check_aliases(s, add_owner);
	sort(s->owner, s->owners, sizeof(*s->owner), owner_cmp);
	for (i = 1, first = s->owner; i < s->owners; i++) {
		o = &s->owner[i];
		if (owner_key_cmp(first, o) != 0) {
			first = o;
			continue;
		}
		config_problem(s->a, s->problems, o->file, o->line,
		    "address %s is given to %s%.*s already at %s:%u; allowed "
		    "is one account, once", config_quote(s->a, o->address),
		    first->alias ? "an alias" : "account ",
		    BYTES_ARG(first->account), first->file, first->line);
	}
}

/* [address "..."] sections belong to an address of the same account. */
static void
check_address_sections(struct source *s)
{
	const struct address_section *sec;
	struct owner want = { .catch_all = false }, *found;
	struct bytes domain;
	size_t i;

	for (i = 0; i < s->sections; i++) {
		sec = &s->section[i];
		found = config_resolve(s, sec->name, &want, &domain)
		    ? config_owner_find(s, &want) : NULL;
		if (found == NULL || !bytes_eq(found->account, sec->account))
			config_problem(s->a, s->problems, sec->file,
			    sec->line, "[address %s]: account %.*s has no "
			    "such address; allowed are those given as "
			    "address = ... in its file",
			    config_quote(s->a, sec->name),
			    BYTES_ARG(sec->account));
	}
	for (i = 0; i < s->entries; i++) {
		if (strcmp(s->entry[i].key->section, "address") == 0
		    && config_resolve(s, s->entry[i].name, &want, &domain))
			s->entry[i].name = want.address;
	}
	sort(s->entry, s->entries, sizeof(*s->entry), entry_cmp);
}

static void
set_mailboxes(struct source *s)
{
	const struct entry *e;
	struct owner *o;
	size_t i;

	for (i = 0; i < s->owners; i++) {
		o = &s->owner[i];
		e = config_entry_find(s, "address", o->address, "mailbox");
		if (o->alias)
			continue;
		if (e != NULL && o->mailbox.n > 0)
			config_problem(s->a, s->problems, e->file, e->line,
			    "the mailbox of %s is given already at %s:%u; "
			    "allowed is one of the two",
			    config_quote(s->a, o->address), o->file, o->line);
		if (e != NULL)
			o->mailbox = e->value;
		else if (o->mailbox.n == 0)
			o->mailbox = BYTES("Inbox");
	}
}

/* ---- keys ---- */

static void
check_twice(struct source *s)
{
	const struct entry *e, *first = s->entry;
	size_t i;

	for (i = 1; i < s->entries; i++) {
		e = &s->entry[i];
		if (entry_key_cmp(first, e) != 0) {
			first = e;
			continue;
		}
		if (!e->key->repeatable)
			config_problem(s->a, s->problems, e->file, e->line,
			    "\"%s\" in [%s] is set already at %s:%u; allowed "
			    "once", e->key->key, e->key->section,
			    first->file, first->line);
	}
}

static void
check_required(struct source *s)
{
	const struct config_key *k;
	struct buf type = BUF_INIT(256);

	for (k = config_schema; k->section != NULL; k++) {
		if (!k->required || config_entry_find(s, k->section,
		    BYTES_EMPTY, k->key) != NULL)
			continue;
		buf_reset(&type);
		config_type_format(&type, k);
		config_problem(s->a, s->problems, "main.conf", 0,
		    "\"%s\" in [%s] is not set; needed is %.*s", k->key,
		    k->section, BYTES_ARG(buf_bytes(&type)));
	}
	buf_free(&type);
}

static void
check_account(struct source *s, const struct entry *e)
{
	if (named_find(&s->accounts, e->value) == NULL)
		config_problem(s->a, s->problems, e->file, e->line,
		    "there is no account %s; allowed are accounts with a "
		    "file accounts/NAME.conf", config_quote(s->a, e->value));
}

/* The transport a route names. */
static void
check_route(struct source *s, const struct entry *e)
{
	struct bytes value = e->value, name;

	if (!bytes_word(&value, &name) || bytes_eq(name, BYTES("direct")) ||
	    bytes_eq(name, BYTES("local")) ||
	    named_find(&s->transports, name) != NULL)
		return;
	config_problem(s->a, s->problems, e->file, e->line,
	    "there is no transport %s; allowed are \"direct\", \"local\" and "
	    "those with a section [transport \"NAME\"] in main.conf",
	    config_quote(s->a, name));
}

/* An address some account gets, itself or by catch-all. */
static void
check_address(struct source *s, struct entry *e)
{
	struct owner want = { .catch_all = false }, *found;
	struct bytes domain;

	if (!config_resolve(s, e->value, &want, &domain)) {
		not_hosted(s, e->file, e->line, e->value, domain);
		return;
	}
	found = config_owner_find(s, &want);
	e->value = want.address;
	if (found != NULL && found->alias) {
		config_problem(s->a, s->problems, e->file, e->line,
		    "%s is an alias, %s:%u; allowed are addresses of "
		    "accounts", config_quote(s->a, e->value), found->file,
		    found->line);
		return;
	}
	if (found == NULL) {
		want.catch_all = true;
		want.local_part = BYTES_EMPTY;
		found = config_owner_find(s, &want);
	}
	if (found == NULL)
		config_problem(s->a, s->problems, e->file, e->line,
		    "no account has the address %s; allowed are addresses "
		    "given as address = ... in accounts/NAME.conf",
		    config_quote(s->a, e->value));
}

/* The mailbox a special use has in the end, and who says so. */
static struct bytes
special_use(const struct source *s, struct bytes account,
    const struct config_key *k, const struct entry **by)
{
	*by = config_entry_find(s, "mailboxes", account, k->key);
	if (*by == NULL && account.n > 0)
		*by = config_entry_find(s, "mailboxes", BYTES_EMPTY, k->key);
	return *by != NULL ? (*by)->value : bytes_str(k->standard);
}

/* Two special uses are two mailboxes (RFC 6154 2). */
static void
check_special_use(struct source *s, const struct entry *e)
{
	const struct config_key *k;
	const struct entry *by;

	for (k = config_schema; k->section != NULL; k++) {
		if (k == e->key || k->repeatable
		    || strcmp(k->section, "mailboxes") != 0
		    || !bytes_eq(special_use(s, e->name, k, &by), e->value))
			continue;
		/* Of two lines that disagree the later one is told. */
		if (by != NULL && by->order > e->order
		    && bytes_eq(by->name, e->name))
			continue;
		config_problem(s->a, s->problems, e->file, e->line,
		    "%s is the mailbox for \"%s\" too; allowed are different "
		    "mailboxes", config_quote(s->a, e->value), k->key);
	}
}

static void
check_entries(struct source *s)
{
	struct entry *e;
	size_t i;

	for (i = 0; i < s->entries; i++) {
		e = &s->entry[i];
		if (e->key->type == CONFIG_ACCOUNT)
			check_account(s, e);
		else if (e->key->type == CONFIG_ADDRESS)
			check_address(s, e);
		else if (e->key->type == CONFIG_ROUTE)
			check_route(s, e);
		else if (strcmp(e->key->section, "mailboxes") == 0)
			check_special_use(s, e);
	}
}

/* R-24: the postmaster of the host name is the server's, whoever else. */
static void
check_postmaster(struct source *s)
{
	const struct entry *host, *account;
	const struct owner *o;
	struct owner want = { .local_part = BYTES("postmaster") };
	struct bytes ascii;
	const char *why;

	host = config_entry_find(s, "server", BYTES_EMPTY, "hostname");
	account = config_entry_find(s, "server", BYTES_EMPTY, "postmaster");
	if (host == NULL || account == NULL)
		return;
	if (addr_parse_domain(s->a, host->value, ADDR_SMTPUTF8, &want.domain,
	    &ascii, &why) == -1)
		return;
	o = config_owner_find(s, &want);
	if (o != NULL && !o->alias &&
	    !bytes_eq(o->account, account->value))
		config_warning(s->a, s->problems, o->file, o->line,
		    "mail to %s goes to account %.*s, as %s:%u says",
		    config_quote(s->a, o->address),
		    BYTES_ARG(account->value), account->file, account->line);
}

static void
check_domains(struct source *s)
{
	struct named *d = s->domains.item;
	size_t i;

	sort(d, s->domains.n, sizeof(*d), named_cmp);
	for (i = 1; i < s->domains.n; i++) {
		if (bytes_eq(d[i - 1].name, d[i].name))
			config_problem(s->a, s->problems, d[i].file, 0,
			    "the domain %s has the file %s already; allowed "
			    "is one", config_quote(s->a, d[i].name),
			    d[i - 1].file);
	}
}

void
config_source_check(struct source *s)
{
	check_domains(s);
	sort(s->accounts.item, s->accounts.n, sizeof(*s->accounts.item),
	    named_cmp);
	sort(s->static_dns.item, s->static_dns.n, sizeof(*s->static_dns.item),
	    named_cmp);
	sort(s->transports.item, s->transports.n, sizeof(*s->transports.item),
	    named_cmp);
	sort(s->entry, s->entries, sizeof(*s->entry), entry_cmp);
	check_owners(s);
	check_address_sections(s);
	config_check_rules(s);
	sort(s->entry, s->entries, sizeof(*s->entry), entry_cmp);
	set_mailboxes(s);
	check_twice(s);
	check_required(s);
	check_entries(s);
	check_postmaster(s);
	config_problems_sort(s->a, s->problems);
}
