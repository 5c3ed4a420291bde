/*
 * alias.c - addresses that stand for several (D-9, D-11, B-4)
 */
#include "recipient/recipient.h"

#include <stdlib.h>

#include "unicode/unicode.h"

static struct config_list
values(const struct config *c, struct bytes name, const char *key)
{
	struct config_list list;

	config_list(c, "alias", (const char *)name.p, key, &list);
	return list;
}

static size_t
count(struct config_list list)
{
	struct bytes value;
	size_t n = 0;

	while (n < RECIPIENT_MEMBERS_MAX && config_list_next(&list, &value))
		n++;
	return n;
}

static bool
flag(const struct config *c, struct bytes name, const char *key)
{
	return config_get_bool(c, "alias", (const char *)name.p, key);
}

/* Of an address of the configuration, or a From: 1 if an account has it. */
static bool
find_account(const struct config *c, struct arena *a,
    const struct path *path, struct recipient *out)
{
	return recipient_find_any(c, a, path, out) == 1 && out->alias.n == 0 &&
	    !out->unknown;
}

static bool
find_text(const struct config *c, struct arena *a, struct bytes text,
    struct recipient *out)
{
	struct path path;
	const char *why;

	return addr_parse_mailbox(a, text, ADDR_SMTPUTF8, &path, &why) == 0 &&
	    find_account(c, a, &path, out);
}

static int
address_cmp(const void *va, const void *vb)
{
	const struct recipient *a = va, *b = vb;

	return bytes_cmp(a->address, b->address);
}

/* Members by address, so that one written twice is one. */
static size_t
unique(struct recipient *member, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(member, n, sizeof(*member), address_cmp);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || !bytes_eq(member[kept - 1].address,
		    member[i].address))
			member[kept++] = member[i];
	}
	return kept;
}

void
recipient_alias_read(const struct config *c, struct arena *a,
    struct bytes name, struct recipient_alias *out)
{
	struct config_list members = values(c, name, "member");
	struct config_list externals = values(c, name, "external-member");
	size_t n = count(members), k = count(externals);
	struct bytes text;

	*out = (struct recipient_alias){ .name = name,
	    .bounces_to = config_get_text(c, "alias",
	    (const char *)name.p, "bounces-to"),
	    .post_public = flag(c, name, "post-public"),
	    .list_members = flag(c, name, "list-members"),
	    .allow_msg_from = flag(c, name, "allow-msg-from") };
	out->member = arena_zalloc(a, n, sizeof(*out->member));
	while (n-- > 0 && config_list_next(&members, &text)) {
		if (find_text(c, a, text, &out->member[out->nmembers]))
			out->nmembers++;
	}
	out->nmembers = unique(out->member, out->nmembers);
	out->external = arena_zalloc(a, k, sizeof(*out->external));
	while (k-- > 0 && config_list_next(&externals, &text))
		out->external[out->nexternals++] = text;
}

bool
recipient_same(struct arena *a, struct bytes one, struct bytes other)
{
	struct bytes x, y;

	if (bytes_caseeq(one, other))
		return true;
	return !bytes_is_ascii(one) && !bytes_is_ascii(other) &&
	    unicode_lower(a, one, &x) == 0 &&
	    unicode_lower(a, other, &y) == 0 && bytes_eq(x, y);
}

/* "@domain", or an address. */
static bool
is_poster(struct arena *a, const struct path *from, struct bytes poster)
{
	if (bytes_skip(&poster, BYTES("@")))
		return bytes_eq(from->domain, poster);
	return recipient_same(a, addr_path_text(a, from, false), poster);
}

static bool
is_listed(const struct config *c, struct arena *a,
    const struct recipient_alias *alias, const struct path *from)
{
	struct config_list posters = values(c, alias->name, "poster");
	struct bytes value;

	for (size_t i = 0; i < alias->nexternals; i++) {
		if (is_poster(a, from, alias->external[i]))
			return true;
	}
	while (config_list_next(&posters, &value)) {
		if (is_poster(a, from, value))
			return true;
	}
	return false;
}

bool
recipient_alias_may_post(const struct config *c, struct arena *a,
    const struct recipient_alias *alias, const struct path *from)
{
	struct recipient who;

	if (alias->post_public)
		return true;
	if (from == NULL)
		return false;
	if (is_listed(c, a, alias, from))
		return true;
	if (recipient_find_any(c, a, from, &who) != 1)
		return false;
	if (who.alias.n > 0)
		return alias->allow_msg_from &&
		    bytes_eq(who.alias, alias->name);
	for (size_t i = 0; i < alias->nmembers; i++) {
		if (bytes_eq(alias->member[i].address, who.address))
			return true;
	}
	return false;
}

bool
recipient_alias_may_use(const struct config *c, struct arena *a,
    struct bytes name, struct bytes account)
{
	struct recipient_alias alias;

	recipient_alias_read(c, a, name, &alias);
	for (size_t i = 0; i < alias.nmembers && alias.allow_msg_from; i++) {
		if (bytes_eq(alias.member[i].account, account))
			return true;
	}
	return false;
}
