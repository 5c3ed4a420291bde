/*
 * part.c - the content of parts: encodings taken off, text as UTF-8
 */
#include "mime/mime.h"

#include <errno.h>

#include "mime/internal.h"
#include "unicode/unicode.h"

enum encoding { IDENTITY, BASE64, QUOTED_PRINTABLE, UUENCODE, UNKNOWN };

static enum encoding
encoding_of(const struct mime_part *p)
{
	static const struct {
		const char *name;
		enum encoding encoding;
	} table[] = {
		{ "", IDENTITY }, { "7bit", IDENTITY }, { "8bit", IDENTITY },
		{ "binary", IDENTITY }, { "7-bit", IDENTITY },
		{ "8-bit", IDENTITY }, { "none", IDENTITY },
		{ "base64", BASE64 }, { "base-64", BASE64 },
		{ "quoted-printable", QUOTED_PRINTABLE },
		{ "x-uuencode", UUENCODE }, { "x-uue", UUENCODE },
		{ "uuencode", UUENCODE }, { "uue", UUENCODE },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (bytes_caseeq(p->encoding, bytes_str(table[i].name)))
			return table[i].encoding;
	}
	return UNKNOWN;
}

/* One line of uuencode: a length, then groups of four for three bytes. */
static int
decode_uu_line(struct buf *out, struct bytes line)
{
	int length = (bytes_next(&line) - 0x20) & 63;

	while (length > 0 && line.n > 0) {
		uint32_t group = 0;
		int i;

		for (i = 0; i < 4; i++) {
			int c = bytes_next(&line);

			group = group << 6 |
			    (uint32_t)((c == -1 ? 0 : c - 0x20) & 63);
		}
		for (i = 16; i >= 0 && length > 0; i -= 8, length--) {
			if (buf_addc(out, (int)(group >> i & 0xff)) == -1)
				return -1;
		}
	}
	return 0;
}

/* From "begin" to "end" (POSIX uuencode); without "begin", nothing. */
static int
decode_uu(struct buf *out, struct bytes s)
{
	struct bytes line;
	bool inside = false;

	while (bytes_line(&s, &line)) {
		if (!inside)
			inside = bytes_starts(line, BYTES("begin "));
		else if (bytes_eq(line, BYTES("end")))
			break;
		else if (line.n > 0 && decode_uu_line(out, line) == -1)
			return -1;
	}
	return 0;
}

static int
decode(struct buf *out, enum encoding encoding, struct bytes body)
{
	switch (encoding) {
	case BASE64:
		return base64_decode_lax(out, body);
	case QUOTED_PRINTABLE:
		return qp_decode(out, body);
	case UUENCODE:
		return decode_uu(out, body);
	default:
		return buf_add(out, body);
	}
}

int
mime_decode_body(struct buf *out, const struct mime_part *p)
{
	enum encoding encoding = encoding_of(p);

	if (encoding == UNKNOWN)
		return 0;
	return decode(out, encoding, p->body) == -1 ? -1 : 1;
}

unsigned int
mime_part_text(struct arena *a, const struct mime_part *p, size_t limit,
    struct bytes *out)
{
	struct bytes charset = BYTES_EMPTY, body = p->body, whole;
	enum encoding encoding = encoding_of(p);
	unsigned int flags = 0;
	struct buf b;

	/* No encoding makes more of a byte; three of QP make one. */
	if (limit < p->body.n / 4)
		body = bytes_first(body, limit * 4 + 64);
	if (body.n < p->body.n)
		flags |= UNICODE_CUT;
	(void)mime_param_text(a, p->type.params, BYTES("charset"), &charset);
	if (encoding == IDENTITY || encoding == UNKNOWN)
		return flags | unicode_from_charset(a, charset, body, limit,
		    out);
	b = (struct buf)BUF_INIT(body.n + 4);
	(void)decode(&b, encoding, body);		/* never grows */
	flags |= unicode_from_charset(a, charset, buf_bytes(&b), limit,
	    &whole);
	*out = arena_bytes(a, whole);
	buf_free(&b);
	return flags;
}

bool
mime_next_text(struct arena *a, const struct mime_tree *t,
    const struct mime_part **p, size_t *left, struct bytes *text)
{
	const struct mime_part *q = *p == NULL ? t->root : mime_next_part(*p);

	while (q != NULL && !q->is_text)
		q = mime_next_part(q);
	if (q == NULL || *left == 0)
		return false;
	(void)mime_part_text(a, q, *left, text);	/* as well as it goes */
	*left -= text->n;
	*p = q;
	return true;
}

struct bytes
mime_part_name(struct arena *a, const struct mime_part *p)
{
	struct bytes name;

	if (!mime_param_text(a, p->disposition.params, BYTES("filename"),
	    &name))
		(void)mime_param_text(a, p->type.params, BYTES("name"), &name);
	return name;
}

/* ---- preview ---- */

/* Source text looked at for a preview. */
#define PREVIEW_SOURCE_MAX (64 * 1024)

static const struct mime_part *
first_text(const struct mime_tree *t, struct bytes subtype)
{
	const struct mime_part *p;

	for (p = t->root; p != NULL; p = mime_next_part(p)) {
		if (mime_part_is(p, BYTES("text"), subtype) &&
		    !bytes_caseeq(p->disposition.type, BYTES("attachment")))
			return p;
	}
	return NULL;
}

struct bytes
mime_preview(struct arena *a, const struct mime_tree *t, size_t max_chars)
{
	const struct mime_part *p = first_text(t, BYTES("plain"));
	struct buf b = BUF_INIT(PREVIEW_SOURCE_MAX);
	struct bytes text, out;
	bool is_html = false, blank = false;
	uint32_t c;
	size_t n = 0;

	if (p == NULL) {
		p = first_text(t, BYTES("html"));
		is_html = true;
	}
	if (p == NULL)
		return BYTES_EMPTY;
	(void)mime_part_text(a, p, PREVIEW_SOURCE_MAX, &text);	/* as it goes */
	if (is_html)
		text = html_to_text(a, text, PREVIEW_SOURCE_MAX);
	while (n < max_chars && unicode_next(&text, &c) == 1) {
		if (c <= 0x20 || c == 0xa0 || c == 0x7f) {
			blank = b.n > 0;
			continue;
		}
		if (blank && ++n < max_chars)
			(void)buf_addc(&b, ' ');	/* capped */
		blank = false;
		if (n++ < max_chars)
			(void)unicode_put(&b, c);
	}
	out = arena_bytes(a, bytes_rtrim(buf_bytes(&b)));
	buf_free(&b);
	return out;
}
