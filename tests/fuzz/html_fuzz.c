/*
 * html_fuzz.c - any bytes as HTML
 *
 * Properties: the tokens joined are the input; names and attributes lie in
 * their tag; the text of UTF-8 is UTF-8 and grows by references alone, which
 * never grow; the text of a text without tags is that text decoded.
 */
#include <assert.h>

#include "html/html.h"
#include "unicode/unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
within(struct bytes inner, struct bytes outer)
{
	return inner.n == 0 || (inner.p >= outer.p &&
	    inner.p + inner.n <= outer.p + outer.n);
}

static void
check_tag(const struct html_token *t)
{
	struct bytes rest = t->attributes, name, value, found;
	size_t left = rest.n + 1;

	assert(t->name.n > 0 && within(t->name, t->raw));
	assert(within(t->attributes, t->raw));
	while (html_attribute(&rest, &name, &value)) {
		assert(name.n > 0 && within(name, t->attributes));
		assert(within(value, t->attributes));
		assert(html_attribute_find(t->attributes, name, &found));
		assert(rest.n < left);
		left = rest.n;
		if (left < t->attributes.n / 2)
			break;		/* the search above is squared */
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct buf b = BUF_INIT(4 * size + 16), d = BUF_INIT(4 * size + 16);
	struct html_token t;
	struct html h;
	const unsigned char *at = in.p;
	size_t tags = 0;

	html_init(&h, in);
	while (html_next(&h, &t)) {
		assert(t.raw.n > 0 && t.raw.p == at);
		at += t.raw.n;
		if (t.kind == HTML_START || t.kind == HTML_END)
			check_tag(&t);
		tags += t.kind != HTML_TEXT;
	}
	assert(at == in.p + in.n);
	assert(html_text(&b, in) == 0);
	if (unicode_valid_utf8(in))
		assert(unicode_valid_utf8(buf_bytes(&b)));
	if (tags == 0) {
		assert(html_decode(&d, in) == 0);
		assert(bytes_eq(buf_bytes(&b), buf_bytes(&d)));
	}
	buf_free(&b);
	buf_free(&d);
	return 0;
}
