/*
 * binary.c - a message of any bytes becomes one of lines (RFC 3030)
 *
 * The message is copied region by region. What stands outside leaf parts must
 * be lines already; a leaf that is none becomes base64. Only CRLF ends a line
 * here: the tree takes a lone LF for a line end too, but then the region
 * behind it does not begin with CRLF, and the message is refused rather than
 * read in another way than its sender meant.
 */
#include "mime/mime.h"

#include <errno.h>

#include "mime/internal.h"

/* RFC 5322 2.1.1, without CRLF: what 8BITMIME servers must take. */
#define LINE_MAX_BYTES 998
/* RFC 2045 6.8: 76 characters. */
#define BASE64_LINE_BYTES 57

struct copy {
	mime_add_fn add;
	void *ctx;
	bool at_line_start;
	const char *why;
};

static int
refuse(struct copy *c, int err, const char *why)
{
	c->why = why;
	errno = err;
	return -1;
}

static int
put(struct copy *c, struct bytes s)
{
	if (s.n == 0)
		return 0;
	c->at_line_start = s.p[s.n - 1] == '\n';
	return c->add(c->ctx, s);
}

/* ---- lines ---- */

/* The next line without CRLF, or what stands behind the last. 1; 0 end; -1
 * it is none. *whole: CRLF followed. */
static int
next_line(struct bytes *s, struct bytes *line, bool *whole)
{
	size_t at;

	if (s->n == 0)
		return 0;
	if (!(*whole = bytes_chr(*s, '\n', &at)))
		at = s->n;
	*line = bytes_first(*s, at);
	*s = bytes_from(*s, at + (*whole ? 1 : 0));
	if (*whole) {
		if (at == 0 || line->p[at - 1] != '\r')
			return -1;
		line->n--;
	}
	return bytes_has_nul(*line) || bytes_chr(*line, '\r', &at) ? -1 : 1;
}

static bool
is_lines(struct bytes s)
{
	struct bytes line;
	bool whole;
	int r;

	while ((r = next_line(&s, &line, &whole)) == 1) {
		if (line.n > LINE_MAX_BYTES)
			return false;
	}
	return r == 0;
}

static int
copy_lines(struct copy *c, struct bytes s)
{
	struct bytes line;
	bool whole;
	int r;

	while ((r = next_line(&s, &line, &whole)) == 1) {
		if (put(c, line) == -1 || (whole && put(c, BYTES("\n")) == -1))
			return -1;
	}
	return r == 0 ? 0 : refuse(c, EBADMSG, "bare CR, bare LF or NUL "
	    "outside of a part that can be encoded");
}

/* Without a line end behind the last line: it is the boundary's. */
static int
copy_base64(struct copy *c, struct bytes s)
{
	struct buf b = BUF_INIT(BASE64_LINE_BYTES * 2);
	struct bytes piece;
	int r = 0;

	while (s.n > 0 && r == 0) {
		piece = bytes_first(s, BASE64_LINE_BYTES);
		s = bytes_from(s, piece.n);
		buf_reset(&b);
		(void)base64_encode(&b, piece);		/* it fits */
		if (s.n > 0)
			buf_addc(&b, '\n');
		r = put(c, buf_bytes(&b));
	}
	buf_free(&b);
	return r;
}

/* ---- parts ---- */

/* All fields but Content-Transfer-Encoding, and that one at the end. */
static int
copy_header(struct copy *c, struct bytes header, const char *encoding)
{
	struct mime_field f;

	while (mime_next_field(&header, &f)) {
		if (!bytes_caseeq(f.name, BYTES("Content-Transfer-Encoding"))
		    && copy_lines(c, f.raw) == -1)
			return -1;
	}
	if (put(c, BYTES("Content-Transfer-Encoding: ")) == -1 ||
	    put(c, bytes_str(encoding)) == -1)
		return -1;
	return put(c, BYTES("\n"));
}

static bool
is_identity(struct bytes encoding)
{
	return encoding.n == 0 || bytes_caseeq(encoding, BYTES("7bit")) ||
	    bytes_caseeq(encoding, BYTES("8bit")) ||
	    bytes_caseeq(encoding, BYTES("binary"));
}

/* RFC 2045 6.4: multipart and message are not encoded, nor anything twice;
 * what these hold must be lines. */
static bool
may_encode(const struct mime_part *p)
{
	return p->children == NULL && is_identity(p->encoding) &&
	    !mime_part_is(p, BYTES("multipart"), BYTES_EMPTY) &&
	    !mime_part_is(p, BYTES("message"), BYTES_EMPTY);
}

/* What the encoding is to be; NULL: as it is. */
static const char *
choose(const struct mime_part *p)
{
	if (may_encode(p) && !is_lines(p->body))
		return "base64";
	return bytes_caseeq(p->encoding, BYTES("binary")) ? "8bit" : NULL;
}

/* RFC 1847 2.1: what is signed may not be changed. */
static bool
is_signed(const struct mime_part *p)
{
	while ((p = p->parent) != NULL) {
		if (mime_part_is(p, BYTES("multipart"), BYTES("signed")))
			return true;
	}
	return false;
}

/* From *at to the end of p's header, of a body that is encoded too. */
static int
copy_part(struct copy *c, const struct mime_part *p, struct bytes *rest)
{
	/* an empty slice points nowhere */
	const unsigned char *start = p->header.n > 0 ? p->header.p : p->gap.p;
	size_t before = (size_t)(start - rest->p);
	const char *encoding;

	if (copy_lines(c, bytes_first(*rest, before)) == -1)
		return -1;
	encoding = choose(p);
	*rest = bytes_from(*rest, before);
	if (encoding == NULL || p->gap.n == 0)
		return 0;	/* it goes with what follows */
	if (is_signed(p))
		return refuse(c, ENOTSUP, "binary content in a signed part");
	if (copy_header(c, p->header, encoding) == -1)
		return -1;
	*rest = bytes_from(*rest, p->header.n);
	if (!bytes_eq(bytes_str(encoding), BYTES("base64")))
		return 0;
	if (put(c, BYTES("\n")) == -1 || copy_base64(c, p->body) == -1)
		return -1;
	*rest = bytes_from(*rest, p->gap.n + p->body.n);
	return 0;
}

int
mime_from_binary(struct arena *a, struct bytes message, mime_add_fn add,
    void *ctx, const char **why)
{
	struct mime_tree *t = mime_parse(a, message);
	struct copy c = { .add = add, .ctx = ctx, .at_line_start = true,
	    .why = "" };
	struct bytes rest = message;
	const struct mime_part *p;
	int r = 0;

	for (p = t->root; p != NULL && r == 0; p = mime_next_part(p)) {
		/* one without a header has nothing of its own to copy */
		if (p->header.n > 0 || p->gap.n > 0)
			r = copy_part(&c, p, &rest);
	}
	if (r == 0)
		r = copy_lines(&c, rest);
	if (r == 0 && !c.at_line_start)
		r = put(&c, BYTES("\n"));
	*why = c.why;
	return r;
}
