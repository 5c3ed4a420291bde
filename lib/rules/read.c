/*
 * read.c - the rules that hold for an address, out of the configuration
 */
#include "rules/internal.h"

static struct bytes
text(const struct config *c, struct bytes name, const char *key)
{
	return config_get_text(c, "rule", (const char *)name.p, key);
}

/* Is it for this address? Without any it is for all. */
static bool
is_for(const struct config *c, struct bytes name, const struct recipient *r)
{
	struct config_list list;
	struct bytes value;
	bool any = false;

	config_list(c, "rule", (const char *)name.p, "address", &list);
	while (config_list_next(&list, &value)) {
		if (bytes_eq(value, r->key))
			return true;
		any = true;
	}
	return !any;
}

static size_t
count(struct config_list list)
{
	struct bytes value;
	size_t n = 0;

	while (config_list_next(&list, &value))
		n++;
	return n;
}

static void
read_headers(const struct config *c, struct arena *a, struct bytes name,
    struct rule *out)
{
	struct config_list list;
	struct bytes value;
	struct rules_header *h;

	config_list(c, "rule", (const char *)name.p, "header", &list);
	out->header = arena_zalloc(a, count(list), sizeof(*out->header));
	while (config_list_next(&list, &value)) {
		h = &out->header[out->nheaders];
		if (config_split_pair(value, &h->name, &h->value) == 0)
			out->nheaders++;
	}
}

static void
read_rule(const struct config *c, struct arena *a, struct bytes name,
    struct rule *out)
{
	struct config_list list;
	struct bytes value;

	*out = (struct rule){ .mail_from = text(c, name, "mail-from"),
	    .msg_from = text(c, name, "msg-from"),
	    .verified_domain = text(c, name, "verified-domain"),
	    .mailbox = text(c, name, "mailbox"),
	    .comment = text(c, name, "comment"),
	    .forward = config_get_bool(c, "rule", (const char *)name.p,
	    "forward"),
	    .list_allow_domain = text(c, name, "list-allow-domain"),
	    .accept_rejects_to = text(c, name, "accept-rejects-to"),
	    .reply = text(c, name, "reject") };
	out->name = name;
	(void)bytes_split(&out->name, '/', &value);	/* behind the account */
	config_list(c, "rule", (const char *)name.p, "command", &list);
	out->command = arena_zalloc(a, count(list), sizeof(*out->command));
	while (config_list_next(&list, &value))
		out->command[out->ncommands++] = value;
	read_headers(c, a, name, out);
}

size_t
rules_read(const struct config *c, struct arena *a,
    const struct recipient *r, struct rule **out)
{
	struct config_list list;
	struct bytes name;
	size_t n = 0;

	config_rules(c, r->account, &list);
	*out = arena_zalloc(a, count(list), sizeof(**out));
	while (config_list_next(&list, &name)) {
		if (is_for(c, name, r))
			read_rule(c, a, name, &(*out)[n++]);
	}
	return n;
}

void
rules_take_address(const struct config *c, const struct recipient *r,
    struct rules_result *out)
{
	if (r->key.n > 0)
		out->message_auth_required = config_get_text(c, "address",
		    (const char *)r->key.p, "auth-required");
}

void
rules_apply(const struct config *c, struct arena *a,
    const struct recipient *r, const struct rules_facts *f,
    struct rules_result *out)
{
	struct rule *rules;
	size_t n = rules_read(c, a, r, &rules);

	rules_match(a, rules, n, r->mailbox, f, out);
	rules_take_address(c, r, out);
}
