/*
 * alias.c - the section of an alias in the file of its domain
 */
#include "confcmd/confcmd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "addr/addr.h"
#include "unicode/unicode.h"

static void
parse(struct arena *a, const char *address, struct path *out)
{
	const char *why;

	if (addr_parse_mailbox(a, bytes_str(address), ADDR_SMTPUTF8, out,
	    &why) == -1)
		msg_die(EXIT_PERM, "%s is no address: %s", address, why);
	if (out->is_literal)
		msg_die(EXIT_PERM, "%s is no address: an address literal is "
		    "no domain", address);
}

/* "DOMAIN.conf" in one of its two forms; NULL: neither is there. */
static const char *
domain_file(struct arena *a, const struct path *path)
{
	const struct bytes form[2] = { path->domain, path->domain_ascii };
	const char *file;

	for (int i = 0; i < 2; i++) {
		file = arena_printf(a, "%.*s.conf", BYTES_ARG(form[i]));
		if (access(arena_printf(a, "%s/domains/%s", dir_etc(), file),
		    F_OK) == 0)
			return file;
	}
	return NULL;
}

/* Whether the domain's file says so; checked when it is compiled. */
static bool
is_case_sensitive(const struct config_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes_eq(items[i].section, BYTES("domain")) &&
		    bytes_eq(items[i].key, BYTES("case-sensitive")))
			return bytes_eq(items[i].value, BYTES("yes"));
	}
	return false;
}

/* The local part of a section's name, folded; false: it is none. */
static bool
fold(struct confcmd *c, struct bytes name, const struct path *path,
    bool sensitive, struct bytes *out)
{
	struct path of_section;
	const char *why;

	return addr_parse_mailbox(&c->a, bytes_str(arena_printf(&c->a,
	    "%.*s@%.*s", BYTES_ARG(name), BYTES_ARG(path->domain))),
	    ADDR_SMTPUTF8, &of_section, &why) == 0 &&
	    config_fold_local_part(&c->a, of_section.local_part, sensitive,
	    out) == 0;
}

static void
find_section(struct confcmd *c, const struct path *path,
    struct confcmd_alias *out)
{
	struct config_problems problems = { .first = NULL };
	struct config_item *items;
	struct bytes local;
	bool sensitive;
	size_t n;

	config_parse(&c->a, c->file, c->old, &items, &n, &problems);
	sensitive = is_case_sensitive(items, n);
	if (config_fold_local_part(&c->a, path->local_part, sensitive,
	    &out->local) == -1)
		out->local = path->local_part;
	for (size_t i = 0; i < n; i++) {
		if (items[i].header &&
		    bytes_eq(items[i].section, BYTES("alias")) &&
		    fold(c, items[i].name, path, sensitive, &local) &&
		    bytes_eq(local, out->local))
			out->section = items[i].name;
	}
}

void
confcmd_alias_open(struct confcmd *c, const char *address,
    struct confcmd_alias *out)
{
	struct arena a = ARENA_INIT;
	const char *file;
	struct path path;
	struct buf b = BUF_INIT(ADDR_PATH_MAX * 2);

	parse(&a, address, &path);
	file = domain_file(&a, &path);
	if (file == NULL || confcmd_open(c, "domains", file) == 0)
		msg_die(EXIT_PERM, "%.*s is no domain of this server: there is "
		    "no file %s/domains/%.*s.conf", BYTES_ARG(path.domain),
		    dir_etc(), BYTES_ARG(path.domain));
	c->file = arena_str(&c->a, bytes_str(file));
	*out = (struct confcmd_alias){ .section = BYTES_EMPTY };
	find_section(c, &path, out);
	out->domain = arena_bytes(&c->a, path.domain);
	out->local = arena_bytes(&c->a, out->local);
	addr_format_local_part(&b, out->local);
	buf_addc(&b, '@');
	buf_add(&b, out->domain);
	out->address = arena_bytes(&c->a, buf_bytes(&b));
	buf_free(&b);
	arena_free(&a);
}

const char *
confcmd_member_key(struct confcmd *c, const char *address,
    struct bytes *value)
{
	struct path path;

	parse(&c->a, address, &path);
	*value = addr_path_text(&c->a, &path, false);
	return domain_file(&c->a, &path) == NULL ? "external-member"
	    : "member";
}

/* Two addresses for people: case is not looked at. */
static bool
same_address(struct confcmd *c, struct bytes one, struct bytes two)
{
	struct bytes a, b;
	struct path path;
	const char *why;

	if (addr_parse_mailbox(&c->a, one, ADDR_SMTPUTF8, &path, &why) == -1)
		return false;
	return unicode_lower(&c->a, addr_path_text(&c->a, &path, false),
	    &a) == 0 && unicode_lower(&c->a, two, &b) == 0 && bytes_eq(a, b);
}

const char *
confcmd_member_find(struct confcmd *c, const struct confcmd_alias *alias,
    const char *address, struct bytes *value)
{
	struct config_problems problems = { .first = NULL };
	struct config_item *items;
	const char *key;
	struct bytes want;
	size_t n;

	key = confcmd_member_key(c, address, &want);
	config_parse(&c->a, c->file, c->text, &items, &n, &problems);
	for (size_t i = 0; i < n; i++) {
		if (!bytes_eq(items[i].section, BYTES("alias")) ||
		    !bytes_eq(items[i].name, alias->section) ||
		    !bytes_eq(items[i].key, bytes_str(key)) ||
		    !same_address(c, items[i].value, want))
			continue;
		*value = items[i].value;
		return key;
	}
	return NULL;
}

void
confcmd_alias_option(struct confcmd *c, const struct confcmd_alias *alias,
    const char *text)
{
	struct bytes value = bytes_str(text), key;
	struct config_change change = { .kind = CONFIG_VALUE_SET,
	    .section = "alias", .name = alias->section };
	const struct config_key *known;

	(void)bytes_split(&value, '=', &key);	/* without one: no such key */
	known = config_key_find(BYTES("alias"), bytes_trim(key));
	if (known == NULL || bytes_ends(key, BYTES("member")) ||
	    key.n == strlen(text))
		msg_die(EXIT_PERM, "-o %s: allowed are bounces-to=ADDRESS, "
		    "post-public=, list-members=, allow-msg-from=yes or no, "
		    "poster=ADDRESS", text);
	/* cppcheck-suppress nullPointerRedundantCheck ; msg_die ended it */
	change.key = known->key;
	change.value = bytes_trim(value);
	/* cppcheck-suppress nullPointerRedundantCheck ; as above */
	if (known->repeatable)
		change.kind = CONFIG_VALUE_ADD;
	else if (change.value.n == 0)
		change.kind = CONFIG_VALUE_UNSET;
	(void)confcmd_change(c, &change);	/* the section is there */
}
