/*
 * message.c - a message as words: parts and their text (its header: header.c)
 */
#include "junk/internal.h"

#include "html/html.h"
#include "mime/mime.h"

/* Where a text that is HTML without saying so shows it. */
#define HTML_SIGN_WITHIN 1024

/* ---- parts ---- */

/* Type, encoding, charset, kind of file. */
static void
read_traits(struct junk_words *w, const struct mime_part *part)
{
	unsigned char type[2 * JUNK_TRAIT_MAX + 1];
	struct bytes major = bytes_first(part->type.type, JUNK_TRAIT_MAX);
	struct bytes minor = bytes_first(part->type.subtype,
	    JUNK_TRAIT_MAX);
	struct bytes value;
	size_t at;

	memcpy(type, major.p, major.n);
	type[major.n] = '/';
	memcpy(type + major.n + 1, minor.p, minor.n);
	junk_put_trait(w, "type:", bytes_of(type, major.n + 1 + minor.n));
	junk_put_trait(w, "encoding:", part->encoding);
	(void)mime_param_text(&w->arena, part->type.params, BYTES("charset"),
	    &value);
	junk_put_trait(w, "charset:", value);
	value = mime_part_name(&w->arena, part);
	if (value.n > 0 && bytes_rchr(value, '.', &at))
		junk_put_trait(w, "file:", bytes_from(value, at));
}

static void
read_tag(struct junk_words *w, const struct html_token *t)
{
	struct bytes rest = t->attributes, name, value;
	size_t at;

	/* Most have none, and attributes are dear; "&" may be written for /. */
	if (!bytes_find(rest, BYTES("//"), &at) && !bytes_chr(rest, '&', &at))
		return;
	while (html_attribute(&rest, &name, &value)) {
		if ((bytes_casestarts(value, BYTES("http://")) ||
		    bytes_casestarts(value, BYTES("https://"))) &&
		    bytes_find(value, BYTES("//"), &at))
			junk_read_url(w, bytes_from(value, at + 2));
	}
}

static void
read_html(struct junk_words *w, const struct junk_prefix *p,
    struct bytes text)
{
	struct html_text x = { 0 };
	struct html_token t;
	struct html h;

	buf_reset(&w->scratch);
	html_init(&h, text);
	while (html_next(&h, &t)) {
		if (t.kind == HTML_START)
			read_tag(w, &t);
		if (html_text_add(&x, &t, &w->scratch) == -1)
			break;
	}
	junk_read_text(w, p, buf_bytes(&w->scratch), true);
}

static bool
is_html(const struct mime_part *part, struct bytes text)
{
	size_t at;

	return mime_part_is(part, BYTES("text"), BYTES("html")) ||
	    bytes_casefind(bytes_first(text, HTML_SIGN_WITHIN),
	    BYTES("<html"), &at);
}

static void
read_parts(struct junk_words *w, const struct mime_tree *tree)
{
	struct junk_prefix p = junk_prefix_of(BYTES_EMPTY);
	const struct mime_part *part;
	size_t left = JUNK_TEXT_MAX, n = 0;
	struct bytes text;

	for (part = tree->root; part != NULL && n++ < JUNK_PARTS_MAX;
	    part = mime_next_part(part)) {
		read_traits(w, part);
		if (!part->is_text || left == 0)
			continue;
		(void)mime_part_text(&w->arena, part, left, &text);
		left -= text.n;
		if (is_html(part, text))
			read_html(w, &p, text);
		else
			junk_read_text(w, &p, text, true);
	}
}

void
junk_words_read(struct junk_words *w, struct bytes message)
{
	struct mime_tree *tree;

	junk_words_clear(w);
	message = mime_skip_from_line(message);
	tree = mime_parse(&w->arena, message);
	junk_read_header(w, tree->root->header);
	read_parts(w, tree);
	arena_reset(&w->arena);
}
