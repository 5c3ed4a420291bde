/*
 * change.c - one section of a configuration file changed, the rest as it was
 */
#include "config/internal.h"

#include <stdlib.h>

/* What is done to lines, counted from 1. */
struct plan {
	bool *drop;		/* per line */
	size_t lines;
	size_t after;		/* the new one stands behind it; 0: none */
	struct bytes added;
};

static bool
is_of(const struct config_item *item, const struct config_change *c)
{
	return bytes_eq(item->section, bytes_str(c->section)) &&
	    bytes_eq(item->name, c->name);
}

static bool
is_key(const struct config_item *item, const struct config_change *c)
{
	return !item->header && is_of(item, c) &&
	    bytes_eq(item->key, bytes_str(c->key));
}

static size_t
count_lines(struct bytes text)
{
	struct bytes line;
	size_t n = 0;

	while (bytes_line(&text, &line))
		n++;
	return n;
}

/* From the header to the last key. */
static void
drop_section(struct plan *p, const struct config_item *items, size_t n,
    const struct config_change *c)
{
	for (size_t i = 0; i < n; i++) {
		if (!items[i].header || !is_of(&items[i], c))
			continue;
		for (size_t k = i; k < n && (k == i || !items[k].header); k++)
			for (size_t l = k == i ? items[i].line
			    : items[k - 1].line; l <= items[k].line; l++)
				p->drop[l] = true;
	}
}

/* Lines of the key that go, and where a new one stands; false: none goes. */
static bool
drop_values(struct plan *p, const struct config_item *items, size_t n,
    const struct config_change *c)
{
	bool any = false, there = false;

	for (size_t i = 0; i < n; i++) {
		if (is_of(&items[i], c) && !there)
			p->after = items[i].line;
		if (!is_key(&items[i], c))
			continue;
		there = true;
		if (c->kind == CONFIG_VALUE_ADD || !any)
			p->after = items[i].line;
		if (c->kind == CONFIG_VALUE_ADD ||
		    (c->kind == CONFIG_VALUE_DROP &&
		    !bytes_eq(items[i].value, c->value)))
			continue;
		p->drop[items[i].line] = true;
		any = true;
	}
	return any;
}

static int
make_line(struct arena *a, const struct config_change *c, struct bytes *out)
{
	struct buf b = BUF_INIT(CONFIG_LINE_MAX + CONFIG_KEY_MAX);
	int r;

	buf_printf(&b, "%s = ", c->key);
	r = config_format_value(&b, c->value);
	*out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return r;
}

static int
make_plan(struct arena *a, struct plan *p, const struct config_item *items,
    size_t n, const struct config_change *c)
{
	bool there = false, any;

	for (size_t i = 0; i < n; i++)
		there = there || (items[i].header && is_of(&items[i], c));
	if (there == (c->kind == CONFIG_SECTION_NEW)) {
		errno = there ? EEXIST : ENOENT;
		return -1;
	}
	if (c->kind == CONFIG_SECTION_NEW)
		return 0;
	if (c->kind == CONFIG_SECTION_REMOVE) {
		drop_section(p, items, n, c);
		return 0;
	}
	any = drop_values(p, items, n, c);
	if (c->kind == CONFIG_VALUE_SET || c->kind == CONFIG_VALUE_ADD)
		return make_line(a, c, &p->added);
	p->after = 0;
	if (any || c->kind == CONFIG_VALUE_UNSET)
		return 0;
	errno = ENOENT;
	return -1;
}

static void
add_line(struct buf *out, struct bytes line)
{
	buf_add(out, line);
	buf_addc(out, '\n');
}

static int
write_text(struct arena *a, struct buf *out, struct bytes text,
    const struct plan *p, const struct config_change *c)
{
	struct config_item header = { .section = bytes_str(c->section),
	    .name = c->name, .has_name = c->name.n > 0, .header = true };
	struct bytes line;
	size_t n = 0;

	(void)a;
	while (bytes_line(&text, &line)) {
		n++;
		if (!p->drop[n])
			add_line(out, line);
		if (n == p->after)
			add_line(out, p->added);
	}
	if (c->kind != CONFIG_SECTION_NEW)
		return 0;
	if (n > 0)
		buf_addc(out, '\n');
	return config_format(out, &header, 1);
}

int
config_change(struct arena *a, struct buf *out, struct bytes text,
    const struct config_change *c)
{
	struct config_problems problems = { .first = NULL };
	struct plan p = { .lines = count_lines(text) };
	struct config_item *items;
	size_t n;

	config_parse(a, "", text, &items, &n, &problems);
	if (problems.errors > 0) {
		errno = EBADMSG;
		return -1;
	}
	p.drop = arena_zalloc(a, p.lines + 2, sizeof(*p.drop));
	if (make_plan(a, &p, items, n, c) == -1 ||
	    write_text(a, out, text, &p, c) == -1)
		return -1;
	if (!out->full)
		return 0;
	errno = EMSGSIZE;
	return -1;
}

int
config_apply(struct arena *a, const char *dir_name, const char *name,
    struct bytes old, struct bytes changed, struct config_problems *problems,
    const char **failed)
{
	const char *path = arena_printf(a, "%s/%s/%s", dir_etc(), dir_name,
	    name);

	/* what is wrong already is not this change's */
	if (config_compile(a, dir_etc(), dir_var(), true, problems,
	    failed) == -1)
		return -1;
	*failed = path;
	if (config_replace(dir_etc(), dir_name, name, changed) == -1)
		return -1;
	*problems = (struct config_problems){ .first = NULL };
	if (config_compile(a, dir_etc(), dir_var(), false, problems,
	    failed) == 0)
		return 0;
	if (errno != EBADMSG) {
		int err = errno;

		(void)config_replace(dir_etc(), dir_name, name, old);
		errno = err;
		return -1;
	}
	*failed = path;
	if (config_replace(dir_etc(), dir_name, name, old) == -1)
		return -1;
	errno = EBADMSG;
	return -1;
}
