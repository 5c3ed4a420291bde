/*
 * token.c - tags, attributes and text of HTML (WHATWG HTML 13.2.5)
 */
#include "html/internal.h"

/* Elements whose content holds no tags but their own end. */
static const struct {
	struct bytes name;
	bool has_references;	/* RCDATA: its content is text */
} raw_elements[] = {
	{ HTML_NAME("script"), false }, { HTML_NAME("style"), false },
	{ HTML_NAME("title"), true }, { HTML_NAME("textarea"), true },
	{ HTML_NAME("xmp"), false }, { HTML_NAME("iframe"), false },
	{ HTML_NAME("noembed"), false }, { HTML_NAME("noframes"), false },
};

static bool
is_space(int c)
{
	return ascii_is_space(c) || c == '\f';
}

/* ends a tag's name */
static bool
is_name_end(int c)
{
	return c == -1 || c == '/' || c == '>' || is_space(c);
}

void
html_init(struct html *h, struct bytes input)
{
	*h = (struct html){ .rest = input, .raw_element = BYTES_EMPTY };
}

/* The first n bytes of the rest are the token. */
static void
take(struct html *h, size_t n, struct html_token *out)
{
	out->raw = bytes_first(h->rest, n);
	h->rest = bytes_from(h->rest, out->raw.n);
}

/* ---- attributes ---- */

static size_t
skip_space(struct bytes s, size_t i)
{
	while (i < s.n && is_space(s.p[i]))
		i++;
	return i;
}

/*
 * One attribute from s at i on, which is no space, "/" or ">": its end, with
 * views of name and value. An unended quote reaches to the end.
 */
static size_t
scan_attribute(struct bytes s, size_t i, struct bytes *name,
    struct bytes *value)
{
	size_t from = i;
	int quote;

	*value = BYTES_EMPTY;
	/* A "=" in front belongs to the name. */
	for (i++; i < s.n && !is_name_end(s.p[i]) && s.p[i] != '='; i++)
		;
	*name = bytes_of(s.p + from, i - from);
	from = skip_space(s, i);
	if (bytes_at(s, from) != '=')
		return i;
	i = skip_space(s, from + 1);
	quote = bytes_at(s, i);
	if (quote == '"' || quote == '\'') {
		const void *end;

		i++;
		end = memchr(s.p + i, quote, s.n - i);
		from = i;
		i = end == NULL ? s.n
		    : (size_t)((const unsigned char *)end - s.p);
		*value = bytes_of(s.p + from, i - from);
		return i < s.n ? i + 1 : i;
	}
	from = i;
	while (i < s.n && s.p[i] != '>' && !is_space(s.p[i]))
		i++;
	*value = bytes_of(s.p + from, i - from);
	return i;
}

/* What stands between attributes. */
static size_t
skip_between(struct bytes s, size_t i)
{
	while (i < s.n && (s.p[i] == '/' || is_space(s.p[i])))
		i++;
	return i;
}

bool
html_attribute(struct bytes *attributes, struct bytes *name,
    struct bytes *value)
{
	size_t i = skip_between(*attributes, 0);

	if (i >= attributes->n || attributes->p[i] == '>')
		return false;
	i = scan_attribute(*attributes, i, name, value);
	*attributes = bytes_from(*attributes, i);
	return true;
}

bool
html_attribute_find(struct bytes attributes, struct bytes name,
    struct bytes *value)
{
	struct bytes one, v;

	while (html_attribute(&attributes, &one, &v)) {
		if (bytes_caseeq(one, name)) {
			*value = v;
			return true;
		}
	}
	return false;
}

bool
html_is(const struct html_token *t, struct bytes name)
{
	return (t->kind == HTML_START || t->kind == HTML_END) &&
	    bytes_caseeq(t->name, name);
}

/* ---- tokens ---- */

static void
begin_raw(struct html *h, const struct html_token *t)
{
	size_t i;

	for (i = 0; i < sizeof(raw_elements) / sizeof(raw_elements[0]); i++) {
		if (!html_is(t, raw_elements[i].name))
			continue;
		h->raw_element = raw_elements[i].name;
		h->raw_has_references = raw_elements[i].has_references;
	}
}

/* A start or end tag, whose name begins at `at`. */
static void
next_tag(struct html *h, size_t at, struct html_token *out)
{
	struct bytes s = h->rest, name, value;
	size_t i = at, from;

	while (i < s.n && !is_name_end(s.p[i]))
		i++;
	out->kind = at == 1 ? HTML_START : HTML_END;
	out->name = bytes_of(s.p + at, i - at);
	from = i;
	for (;;) {
		i = skip_between(s, i);
		if (i >= s.n || s.p[i] == '>')
			break;
		i = scan_attribute(s, i, &name, &value);
	}
	out->attributes = bytes_of(s.p + from, i - from);
	out->is_closed = i > 0 && i < s.n && s.p[i - 1] == '/';
	take(h, i < s.n ? i + 1 : i, out);
	if (out->kind == HTML_START)
		begin_raw(h, out);
}

/* Where the comment s ("<!--") ends: "-->", "--!>", "<!-->", "<!--->". */
static size_t
comment_end(struct bytes s)
{
	const unsigned char *p = s.p + 3;
	size_t i;

	while ((p = memchr(p + 1, '>', (size_t)(s.p + s.n - p - 1)))
	    != NULL) {
		i = (size_t)(p - s.p);
		if ((p[-1] == '-' && p[-2] == '-') ||
		    (i >= 7 && p[-1] == '!' && p[-2] == '-' && p[-3] == '-'))
			return i + 1;
	}
	return s.n;
}

/* "<!--" and what else is no tag and no text. */
static void
next_comment(struct html *h, struct html_token *out)
{
	struct bytes s = h->rest;
	size_t end;

	out->kind = HTML_COMMENT;
	if (bytes_starts(s, BYTES("<!--")))
		end = comment_end(s);
	else
		end = bytes_chr(s, '>', &end) ? end + 1 : s.n;
	take(h, end, out);
}

/* The content of a raw element: up to its end tag, or all the rest. */
static bool
next_raw(struct html *h, struct html_token *out)
{
	struct bytes s = h->rest, name = h->raw_element;
	size_t i = 0;

	h->raw_element = BYTES_EMPTY;
	for (; i < s.n; i++) {
		const unsigned char *p = memchr(s.p + i, '<', s.n - i);

		if (p == NULL) {
			i = s.n;
			break;
		}
		i = (size_t)(p - s.p);
		if (bytes_at(s, i + 1) == '/' &&
		    bytes_casestarts(bytes_from(s, i + 2), name) &&
		    is_name_end(bytes_at(s, i + 2 + name.n)))
			break;
	}
	if (i == 0)
		return false;
	out->kind = h->raw_has_references ? HTML_TEXT : HTML_RAW_TEXT;
	take(h, i, out);
	return true;
}

static void
next_text(struct html *h, struct html_token *out)
{
	struct bytes s = h->rest;
	const unsigned char *p = s.p;
	int c;

	/* A "<" that begins nothing is text. */
	for (;;) {
		p = memchr(p + 1, '<', (size_t)(s.p + s.n - p - 1));
		if (p == NULL)
			break;
		c = bytes_at(s, (size_t)(p - s.p) + 1);
		if (ascii_is_alpha(c) || c == '/' || c == '!' || c == '?')
			break;
	}
	out->kind = HTML_TEXT;
	take(h, p == NULL ? s.n : (size_t)(p - s.p), out);
}

bool
html_next(struct html *h, struct html_token *out)
{
	int c;

	if (h->rest.n == 0)
		return false;
	*out = (struct html_token){ .name = BYTES_EMPTY,
	    .attributes = BYTES_EMPTY };
	if (h->raw_element.n > 0 && next_raw(h, out))
		return true;
	c = bytes_at(h->rest, 1);
	if (h->rest.p[0] != '<')
		next_text(h, out);
	else if (ascii_is_alpha(c))
		next_tag(h, 1, out);
	else if (c == '/' && ascii_is_alpha(bytes_at(h->rest, 2)))
		next_tag(h, 2, out);
	else if (c == '/' || c == '!' || c == '?')
		next_comment(h, out);
	else
		next_text(h, out);
	return true;
}
