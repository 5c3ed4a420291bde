/*
 * searchfilter.c - named searches (RFC 5466)
 *
 * They are annotations of the account: /private/filters/values/NAME, or
 * /shared/filters/values/NAME where there is none. One command sees each as
 * it was when first asked for.
 */
#include "imap/search.h"

#include <errno.h>

#define VALUES "filters/values/"

static const char *const trees[] = { "/private/", "/shared/" };
#define TREES (sizeof(trees) / sizeof(trees[0]))

/* From the store into the arena. 1, 0 there is none, -1. */
static int
load(struct parser *p, struct bytes name, struct bytes *value)
{
	struct store_view *v = store_view_open(p->store);
	struct store_annotation a;
	size_t i;
	int r = v == NULL ? -1 : 0;

	for (i = 0; i < TREES && r == 0; i++)
		r = store_annotation_get(v, 0, bytes_str(arena_printf(p->a,
		    "%s" VALUES "%.*s", trees[i], BYTES_ARG(name))), &a);
	if (r == 1)
		*value = arena_bytes(p->a, a.value);
	store_view_close(v);
	return r;
}

int
search_filter_get(struct parser *p, struct bytes name, struct bytes *value)
{
	struct search_filter *f;
	int r;

	for (f = p->filters; f != NULL; f = f->next) {
		if (bytes_caseeq(f->name, name)) {
			*value = f->value;
			return 1;
		}
	}
	if ((r = load(p, name, value)) != 1)
		return r;
	f = arena_zalloc(p->a, 1, sizeof(*f));
	*f = (struct search_filter){ p->filters, arena_bytes(p->a, name),
	    *value };
	p->filters = f;
	return 1;
}

/* 3.2: without a look at the filters it names, which may come later. */
bool
search_filter_check(struct parser *p, struct bytes entry, struct bytes value)
{
	struct parser own = { .s = value, .a = p->a, .utf8_names = true };
	struct search_args args;
	size_t i, at;

	for (i = 0; i < TREES; i++) {
		struct bytes name = entry;

		if (!bytes_caseskip(&name, bytes_str(trees[i])) ||
		    !bytes_caseskip(&name, BYTES(VALUES)) ||
		    bytes_chr(name, '/', &at))
			continue;
		if (parse_search_keys(&own, &args))
			return true;
		p->refused = true;
		return parse_fail(p, "the filter is no search");
	}
	return true;
}
