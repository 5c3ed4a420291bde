/*
 * message.c - a message as words: fields, parts, text
 */
#include "junk/internal.h"

#include "html/html.h"
#include "mime/mime.h"

/* A string with its length, for tables. */
#define N(s) { (const unsigned char *)(s), sizeof(s) - 1 }

/*
 * Fields whose words count. Return-Path and Delivered-To are not among them:
 * we write them after judging, so that training would see other words.
 */
static const struct {
	struct bytes name, prefix;
	bool traits;
} word_fields[] = {
	{ N("from"), N("from:"), false }, { N("to"), N("to:"), false },
	{ N("cc"), N("cc:"), false }, { N("bcc"), N("bcc:"), false },
	{ N("reply-to"), N("reply-to:"), false },
	{ N("subject"), N("subject:"), true },
	{ N("sender"), N("sender:"), false },
};

/*
 * Fields whose presence says nothing about the sender: written on the way, by
 * us, by other filters or by mail readers.
 */
static const struct bytes own_fields[] = {
	N("received"), N("return-path"), N("delivered-to"), N("x-original-to"),
	N("envelope-to"), N("delivery-date"), N("authentication-results"),
	N("received-spf"), N("status"), N("x-status"), N("x-keywords"),
	N("x-uid"), N("x-uidl"), N("content-length"), N("lines"), N("date"),
	N("x-mozilla-status"), N("x-mozilla-status2"), N("x-mozilla-keys"),
	N("x-apparently-to"),
};
static const struct bytes own_starts[] = {
	N("x-spam"), N("arc-"), N("pipemail-"), N("x-bogosity"), N("x-mox-"),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* An unended name of a type or charset is cut here. */
#define TRAIT_MAX 60
/* Where a text that is HTML without saying so shows it. */
#define HTML_SIGN_WITHIN 1024

/* ---- header ---- */

static bool
is_own(struct bytes name)
{
	size_t i;

	for (i = 0; i < COUNT(own_fields); i++) {
		if (bytes_caseeq(name, own_fields[i]))
			return true;
	}
	for (i = 0; i < COUNT(own_starts); i++) {
		if (bytes_casestarts(name, own_starts[i]))
			return true;
	}
	return false;
}

static void
read_words(struct junk_words *w, const struct mime_field *f)
{
	struct junk_prefix p;
	struct bytes body;
	size_t i;

	for (i = 0; i < COUNT(word_fields); i++) {
		if (!bytes_caseeq(f->name, word_fields[i].name))
			continue;
		p = junk_prefix_of(word_fields[i].prefix);
		body = mime_unfold(&w->arena,
		    bytes_first(f->body, JUNK_FIELD_MAX));
		junk_read_text(w, &p, mime_decode_words(&w->arena, body),
		    word_fields[i].traits);
		return;
	}
}

/* Words of the fields above, and the name of each field as it is written. */
static void
read_header(struct junk_words *w, struct bytes header)
{
	struct junk_prefix p = junk_prefix_of(BYTES("field:"));
	struct mime_field f;
	size_t n = 0;

	while (n++ < JUNK_FIELDS_MAX && mime_next_field(&header, &f)) {
		if (f.name.n == 0 || f.name.n > TRAIT_MAX || is_own(f.name))
			continue;
		junk_words_put(w, &p, f.name);
		read_words(w, &f);
	}
}

/* ---- parts ---- */

static void
put_trait(struct junk_words *w, const char *prefix, struct bytes s)
{
	struct junk_prefix p = junk_prefix_of(bytes_str(prefix));
	unsigned char b[TRAIT_MAX];

	s = bytes_first(s, sizeof(b));
	bytes_lower(b, s);
	junk_words_put(w, &p, bytes_of(b, s.n));
}

/* Type, encoding, charset, kind of file. */
static void
read_traits(struct junk_words *w, const struct mime_part *part)
{
	unsigned char type[2 * TRAIT_MAX + 1];
	struct bytes major = bytes_first(part->type.type, TRAIT_MAX);
	struct bytes minor = bytes_first(part->type.subtype, TRAIT_MAX);
	struct bytes value;
	size_t at;

	memcpy(type, major.p, major.n);
	type[major.n] = '/';
	memcpy(type + major.n + 1, minor.p, minor.n);
	put_trait(w, "type:", bytes_of(type, major.n + 1 + minor.n));
	put_trait(w, "encoding:", part->encoding);
	(void)mime_param_text(&w->arena, part->type.params, BYTES("charset"),
	    &value);
	put_trait(w, "charset:", value);
	value = mime_part_name(&w->arena, part);
	if (value.n > 0 && bytes_rchr(value, '.', &at))
		put_trait(w, "file:", bytes_from(value, at));
}

static void
read_tag(struct junk_words *w, const struct html_token *t)
{
	struct bytes rest = t->attributes, name, value;
	size_t at;

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
	read_header(w, tree->root->header);
	read_parts(w, tree);
	arena_reset(&w->arena);
}
