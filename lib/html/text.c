/*
 * text.c - what a reader sees of HTML
 */
#include "html/internal.h"

#define N(s) HTML_NAME(s)
/* Marks within a line: they part no word. */
static const struct bytes inline_names[] = {
	N("a"), N("abbr"), N("b"), N("bdi"), N("bdo"), N("big"), N("cite"),
	N("code"), N("del"), N("em"), N("font"), N("i"), N("ins"), N("kbd"),
	N("label"), N("mark"), N("nobr"), N("o:p"), N("s"), N("samp"),
	N("small"), N("span"), N("strike"), N("strong"), N("tt"), N("u"),
	N("var"), N("wbr"),
};

/* A start tag of these ends an svg that was left open (13.2.6.5). */
static const struct bytes breakers[] = {
	N("b"), N("big"), N("blockquote"), N("body"), N("br"), N("center"),
	N("code"), N("dd"), N("div"), N("dl"), N("dt"), N("em"), N("embed"),
	N("h1"), N("h2"), N("h3"), N("h4"), N("h5"), N("h6"), N("head"),
	N("hr"), N("i"), N("img"), N("li"), N("menu"), N("meta"), N("nobr"),
	N("ol"), N("p"), N("pre"), N("ruby"), N("s"), N("small"), N("span"),
	N("strike"), N("strong"), N("sub"), N("sup"), N("table"), N("tt"),
	N("u"), N("ul"), N("var"),
};
#undef N

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
is_one_of(const struct html_token *t, const struct bytes *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (t->name.n == names[i].n &&
		    bytes_caseeq(t->name, names[i]))
			return true;
	}
	return false;
}

static int
add_alt(const struct html_token *t, struct buf *out)
{
	struct bytes alt;

	if (!html_attribute_find(t->attributes, BYTES("alt"), &alt))
		return 0;
	return html_decode(out, alt) == -1 ? -1 : buf_addc(out, '\n');
}

static int
add_tag(struct html_text *x, const struct html_token *t, struct buf *out)
{
	bool start = t->kind == HTML_START;

	if (html_is(t, BYTES("svg"))) {
		if (!start && x->svg_depth > 0)
			x->svg_depth--;
		else if (start && !t->is_closed)
			x->svg_depth++;
	} else if (x->svg_depth > 0) {
		if (!start || !is_one_of(t, breakers, COUNT(breakers)))
			return 0;
		x->svg_depth = 0;
	}
	if (is_one_of(t, inline_names, COUNT(inline_names)))
		return 0;
	if (buf_addc(out, '\n') == -1)
		return -1;
	return start && html_is(t, BYTES("img")) ? add_alt(t, out) : 0;
}

int
html_text_add(struct html_text *x, const struct html_token *t,
    struct buf *out)
{
	switch (t->kind) {
	case HTML_TEXT:
		return x->svg_depth > 0 ? 0 : html_decode(out, t->raw);
	case HTML_START:
	case HTML_END:
		return add_tag(x, t, out);
	default:
		return 0;
	}
}

int
html_text(struct buf *out, struct bytes input)
{
	struct html_text x = { 0 };
	struct html_token t;
	struct html h;

	html_init(&h, input);
	while (html_next(&h, &t)) {
		if (html_text_add(&x, &t, out) == -1)
			return -1;
	}
	return 0;
}
