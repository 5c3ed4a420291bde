/*
 * html.c - the text of an HTML part, for previews
 *
 * Not a parser: tags are dropped, the few elements whose content is no text
 * are skipped, the common character references resolved. One pass.
 */
#include "mime/internal.h"
#include "unicode/unicode.h"

/* Take a tag or comment off *s ("<" is its first byte). */
static struct bytes
cut_tag(struct bytes *s)
{
	struct bytes tag;

	if (bytes_skip(s, BYTES("<!--"))) {
		size_t at;

		if (!bytes_find(*s, BYTES("-->"), &at))
			at = s->n;
		*s = bytes_from(*s, at + 3);
		return BYTES("!--");
	}
	*s = bytes_from(*s, 1);
	(void)bytes_split(s, '>', &tag);	/* none: all the rest is tag */
	return tag;
}

static bool
is_tag(struct bytes tag, struct bytes name)
{
	int c = bytes_at(tag, name.n);

	return bytes_casestarts(tag, name) &&
	    (c == -1 || c == '/' || ascii_is_space(c));
}

/* Skip to the end of an element whose content is no text. */
static void
skip_element(struct bytes *s, struct bytes tag)
{
	static const char *const names[] = { "style", "script", "title",
	    "head", "template" };
	static const char *const ends[] = { "</style", "</script", "</title",
	    "</head", "</template" };
	size_t i, at;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!is_tag(tag, bytes_str(names[i])))
			continue;
		if (!bytes_casefind(*s, bytes_str(ends[i]), &at))
			at = s->n;
		*s = bytes_from(*s, at);
		return;
	}
}

/* The code point of a reference at the front of *s ("&"), taken off. */
static uint32_t
cut_reference(struct bytes *s)
{
	static const struct {
		const char *name;
		uint32_t code_point;
	} names[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' },
	    { "quot", '"' }, { "apos", '\'' }, { "nbsp", 0xa0 },
	    { "auml", 0xe4 }, { "ouml", 0xf6 }, { "uuml", 0xfc },
	    { "szlig", 0xdf }, { "eacute", 0xe9 }, { "ndash", 0x2013 },
	    { "mdash", 0x2014 }, { "rsquo", 0x2019 }, { "hellip", 0x2026 },
	    { "copy", 0xa9 }, { "euro", 0x20ac }, { "zwnj", 0x200c } };
	struct bytes rest = bytes_from(*s, 1), name;
	uint64_t n = 0;
	size_t i;

	*s = rest;
	if (!bytes_chr(bytes_first(rest, 10), ';', &i))
		return '&';
	name = bytes_first(rest, i);
	rest = bytes_from(rest, i + 1);
	if (bytes_caseskip(&name, BYTES("#x"))) {
		for (i = 0; i < name.n; i++) {
			int v = ascii_hex_value(bytes_at(name, i));

			if (v == -1)
				return '&';
			n = n << 4 | (uint64_t)v;
		}
	} else if (bytes_skip(&name, BYTES("#"))) {
		if (num_parse(name, 1, 0x10ffff, &n) == -1)
			return '&';
	} else {
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (bytes_eq(name, bytes_str(names[i].name)))
				n = names[i].code_point;
		}
	}
	if (n == 0 || n > 0x10ffff)
		return '&';
	*s = rest;
	return (uint32_t)n;
}

/* "<" begins a tag only before a letter, "/", "!" or "?". */
static bool
is_tag_start(struct bytes s)
{
	int c = bytes_at(s, 1);

	return bytes_at(s, 0) == '<' &&
	    (ascii_is_alpha(c) || c == '/' || c == '!' || c == '?');
}

struct bytes
html_to_text(struct arena *a, struct bytes html, size_t limit)
{
	struct buf b = BUF_INIT(limit);
	struct bytes out, tag;
	size_t n;

	while (html.n > 0 && !b.full) {
		int c = bytes_at(html, 0);

		if (is_tag_start(html)) {
			tag = cut_tag(&html);
			(void)buf_addc(&b, ' ');	/* capped */
			skip_element(&html, tag);
		} else if (c == '&') {
			(void)unicode_put(&b, cut_reference(&html));
		} else {
			for (n = 1; (c = bytes_at(html, n)) != -1; n++) {
				if (c == '<' || c == '&')
					break;
			}
			(void)buf_add(&b, bytes_first(html, n));
			html = bytes_from(html, n);
		}
	}
	out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return out;
}
