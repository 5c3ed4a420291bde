/*
 * resinfo.c - one result of an Authentication-Results field taken apart
 * (RFC 8601 2.2)
 */
#include "trace/trace.h"

#include <errno.h>

#include "trace/internal.h"

/* Skip blanks and comments; false: a comment is not closed. */
static bool
skip_cfws(struct bytes *s)
{
	size_t n;

	for (;;) {
		*s = bytes_ltrim(*s);
		if (bytes_at(*s, 0) != '(')
			return true;
		if ((n = trace_comment_length(*s)) == 0)
			return false;
		*s = bytes_from(*s, n);
	}
}

/* A Keyword and the blanks and comments behind it. */
static bool
cut_keyword(struct bytes *s, struct bytes *word)
{
	size_t n = 0;

	while (ascii_is_alnum(bytes_at(*s, n)) || bytes_at(*s, n) == '-' ||
	    bytes_at(*s, n) == '_')
		n++;
	return n > 0 && bytes_cut(s, n, word);
}

static bool
cut_sign(struct bytes *s, int c)
{
	if (!skip_cfws(s) || bytes_at(*s, 0) != c)
		return false;
	*s = bytes_from(*s, 1);
	return skip_cfws(s);
}

/* Bytes of the pvalue at the start of s; SIZE_MAX: a quote is not closed. */
static size_t
value_length(struct bytes s)
{
	size_t n = 0, quoted;
	int c;

	while ((c = bytes_at(s, n)) != -1 && !ascii_is_space(c) &&
	    c != '(' && c != ';') {
		if (c != '"') {
			n++;
			continue;
		}
		quoted = trace_quoted_length(bytes_from(s, n));
		if (quoted == 0)
			return SIZE_MAX;
		n += quoted;
	}
	return n;
}

/*
 * A pvalue: tokens and quoted strings without a blank between them
 * (`"a b"@example.org`), unquoted.
 */
static bool
cut_value(struct arena *a, struct bytes *s, struct bytes *value)
{
	struct bytes text;
	unsigned char *p;
	bool quoted = false;
	size_t n = 0;
	int c;

	if (!bytes_cut(s, value_length(*s), &text))
		return false;
	p = arena_alloc(a, text.n);
	while ((c = bytes_next(&text)) != -1) {
		if (c == '"')
			quoted = !quoted;
		else if (c == '\\' && quoted)
			p[n++] = (unsigned char)bytes_next(&text);
		else
			p[n++] = (unsigned char)c;
	}
	*value = bytes_of(p, n);
	return true;
}

/* reason "=" value, or ptype "." property "=" pvalue. */
static bool
cut_property(struct arena *a, struct bytes *s, struct trace_resinfo *r)
{
	struct trace_property p;

	if (!cut_keyword(s, &p.ptype))
		return false;
	if (bytes_caseeq(p.ptype, BYTES("reason")) && cut_sign(s, '='))
		return cut_value(a, s, &r->reason);
	if (!cut_sign(s, '.') || !cut_keyword(s, &p.name) ||
	    !cut_sign(s, '=') || !cut_value(a, s, &p.value))
		return false;
	if (r->nproperties == TRACE_PROPERTIES_MAX)
		return false;
	r->property[r->nproperties++] = p;
	return true;
}

static bool
cut_method(struct bytes *s, struct trace_resinfo *r)
{
	struct bytes version;

	if (!skip_cfws(s) || !cut_keyword(s, &r->method) || !skip_cfws(s))
		return false;
	if (bytes_at(*s, 0) == '/' && (!cut_sign(s, '/') ||
	    !cut_keyword(s, &version)))
		return false;
	return cut_sign(s, '=') && cut_keyword(s, &r->result);
}

int
trace_resinfo_parse(struct arena *a, struct bytes resinfo,
    struct trace_resinfo *out)
{
	struct bytes s = resinfo;

	out->reason = BYTES_EMPTY;
	out->nproperties = 0;
	errno = EBADMSG;
	if (resinfo.n > TRACE_RESULTS_MAX || !cut_method(&s, out))
		return -1;
	out->result_end = resinfo.n - s.n;
	for (;;) {
		if (!skip_cfws(&s))
			return -1;
		if (s.n == 0)
			return 0;
		if (!cut_property(a, &s, out))
			return -1;
	}
}

bool
trace_resinfo_get(const struct trace_resinfo *r, const char *ptype,
    const char *name, struct bytes *value)
{
	for (size_t i = 0; i < r->nproperties; i++) {
		if (bytes_caseeq(r->property[i].ptype, bytes_str(ptype)) &&
		    bytes_caseeq(r->property[i].name, bytes_str(name))) {
			*value = r->property[i].value;
			return true;
		}
	}
	return false;
}

bool
trace_block_override(struct arena *a, struct trace_block *block,
    struct bytes method, struct bytes override)
{
	struct trace_resinfo r;
	struct bytes *all, old;

	for (size_t i = 0; i < block->nresinfo; i++) {
		old = block->resinfo[i];
		if (trace_resinfo_parse(a, old, &r) == -1 ||
		    !bytes_caseeq(r.method, method))
			continue;
		/* the list may be shared by the copies of other recipients */
		all = arena_zalloc(a, block->nresinfo, sizeof(*all));
		memcpy(all, block->resinfo, block->nresinfo * sizeof(*all));
		all[i] = bytes_str(arena_printf(a,
		    "%.*s (override %.*s)%.*s", (int)r.result_end,
		    (const char *)old.p, BYTES_ARG(override),
		    BYTES_ARG(bytes_from(old, r.result_end))));
		block->resinfo = all;
		return true;
	}
	return false;
}
