/*
 * html.h - HTML as a row of tokens, and its text
 *
 * A tokenizer after the HTML standard's (WHATWG, 13.2.5), without the tree:
 * start and end tags, text, comments. It reads each byte a bounded number of
 * times whatever the input is, has no stack and allocates nothing, so that
 * nesting costs nothing. Input is UTF-8, or bytes of any ASCII superset.
 * What an unended comment, tag or element swallows is gone to the end, as in
 * a browser.
 */
#ifndef HTML_H
#define HTML_H

#include "base/base.h"

enum html_kind {
	HTML_TEXT,	/* raw holds character references */
	HTML_RAW_TEXT,	/* content of script, style and their like: no text */
	HTML_START,
	HTML_END,
	HTML_COMMENT,	/* also doctype, <? and other bogus ones */
};

struct html_token {
	enum html_kind kind;
	struct bytes raw;	/* all of it, as it stands */
	struct bytes name;	/* of a tag, case as given */
	struct bytes attributes;	/* of a start tag, for html_attribute */
	bool is_closed;		/* "/>" */
};

/* Private: use html_init. */
struct html {
	struct bytes rest;
	struct bytes raw_element;	/* the next text is its content */
	bool raw_has_references;	/* title, textarea */
};

void html_init(struct html *h, struct bytes input);
/* The next token; false at the end. The raws joined are the input. */
bool html_next(struct html *h, struct html_token *out);
/*
 * Take the next attribute off *attributes; false at the end. value is without
 * its quotes, with its references; empty if there is none.
 */
bool html_attribute(struct bytes *attributes, struct bytes *name,
    struct bytes *value);
/* The value of the first attribute of that name (lower case). */
bool html_attribute_find(struct bytes attributes, struct bytes name,
    struct bytes *value);
/* Whether a tag has that name (lower case). */
bool html_is(const struct html_token *t, struct bytes name);

/*
 * Append text with its character references resolved (those with numbers, and
 * the names of lib/html/names.c; others stay). 0 or -1 EMSGSIZE.
 */
int html_decode(struct buf *out, struct bytes text);

/*
 * Append what a reader sees of the text: nothing of script, style and svg,
 * the alt text of images, a line feed where an element begins or ends that
 * does not flow in the line; marks within a word (b, font, comments) leave
 * it whole. 0 or -1 EMSGSIZE with what fitted.
 */
int html_text(struct buf *out, struct bytes html);

/*
 * The same piece by piece, for who looks at the tokens as well: a struct of
 * zeros, then html_text_add with each token.
 */
struct html_text {
	size_t svg_depth;
};
int html_text_add(struct html_text *x, const struct html_token *t,
    struct buf *out);

#endif
