/*
 * mime_fuzz.c - any bytes as a message
 *
 * Properties: every extent lies in the message, children in their parent's
 * body, in order; sizes are what counting gives; section numbers lead back;
 * ENVELOPE and BODYSTRUCTURE are well-formed IMAP text; decoded text is valid
 * UTF-8 and within its limit.
 */
#include <assert.h>

#include "mime/mime.h"
#include "unicode/unicode.h"

#define TEXT_LIMIT 10000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
within(struct bytes inner, struct bytes outer)
{
	return inner.n == 0 || (inner.p >= outer.p &&
	    inner.p + inner.n <= outer.p + outer.n);
}

static void
check_part(const struct mime_tree *t, const struct mime_part *p)
{
	assert(within(p->header, t->message));
	assert(within(p->gap, t->message));
	assert(within(p->body, t->message));
	assert(p->body_size == mime_crlf_size(p->body));
	assert(p->body_lines == mime_count_lines(p->body));
	assert(p->header_size == mime_crlf_size(p->header) +
	    mime_crlf_size(p->gap));
	assert(p->type.type.n > 0 && p->type.subtype.n > 0);
	assert(!(p->is_multipart && p->is_message));
	assert(!p->is_message || (p->children != NULL &&
	    p->children->next == NULL));
	if (p->parent == NULL)
		return;
	assert(p->parent->is_multipart || p->parent->is_message);
	assert(within(p->header, p->parent->body));
	assert(within(p->gap, p->parent->body));
	assert(within(p->body, p->parent->body));
	if (p->next != NULL && p->body.n > 0 && p->next->header.n > 0)
		assert(p->body.p + p->body.n <= p->next->header.p);
}

static void
check_section(const struct mime_tree *t, const struct mime_part *p)
{
	struct buf b = BUF_INIT(10000);
	const struct mime_part *q;
	struct bytes out;

	assert(mime_format_section(&b, p) == 0);
	q = mime_find_part(t, buf_bytes(&b));
	assert(q == p || (p->is_multipart && q == p->parent));
	assert(mime_part_extent(p, MIME_BODY, &out) == 0);
	assert(mime_part_extent(p, MIME_MIME, &out) == 0);
	assert(within(out, t->message));
	buf_free(&b);
}

/* A quoted string or literal, its first byte seen. */
static void
skip_string(struct bytes *s, int c)
{
	struct bytes text;
	uint64_t n;

	if (c == '{') {
		assert(num_cut(s, SIZE_MAX, &n) == 0);
		assert(bytes_skip(s, BYTES("}\r\n")));
		assert(bytes_cut(s, n, &text));
		assert(!bytes_has_nul(text));
		return;
	}
	while ((c = bytes_next(s)) != '"') {
		assert(c > 0 && c < 0x80 && c != '\r' && c != '\n');
		if (c == '\\') {
			c = bytes_next(s);
			assert(c == '"' || c == '\\');
		}
	}
}

/* Balanced parentheses; between them only strings, numbers, NIL, blanks. */
static void
check_imap(struct bytes s)
{
	size_t depth = 0;
	int c;

	while ((c = bytes_next(&s)) != -1) {
		if (c == '(') {
			depth++;
		} else if (c == ')') {
			assert(depth > 0);
			depth--;
		} else if (c == '"' || c == '{') {
			skip_string(&s, c);
		} else {
			assert(c == ' ' || c == 'N' || c == 'I' || c == 'L' ||
			    ascii_is_digit(c));
		}
	}
	assert(depth == 0);
}

static void
check_formats(struct arena *a, const struct mime_tree *t)
{
	struct buf b = BUF_INIT((size_t)1 << 28);

	assert(mime_format_envelope(a, &b, t->root->header) == 0);
	check_imap(buf_bytes(&b));
	buf_reset(&b);
	assert(mime_format_bodystructure(a, &b, t, true) == 0);
	check_imap(buf_bytes(&b));
	buf_reset(&b);
	assert(mime_format_bodystructure(a, &b, t, false) == 0);
	check_imap(buf_bytes(&b));
	buf_free(&b);
}

static void
check_header(struct arena *a, struct bytes header)
{
	struct bytes rest = header, text, id;
	struct mime_field f;
	size_t n = 0;
	bool is_reply;

	while (mime_next_field(&rest, &f)) {
		n += f.raw.n;
		assert(f.raw.n > 0 && within(f.body, f.raw));
		text = mime_decode_words(a, mime_unfold(a, f.body));
		assert(text.n <= MIME_VALUE_MAX);
		assert(unicode_valid_utf8(unicode_first(text,
		    MIME_VALUE_MAX - 4)));
		text = mime_base_subject(a, text, &is_reply);
		assert(unicode_valid_utf8(text) || text.n > 1000);
		text = f.body;
		while (mime_next_msg_id(a, &text, &id))
			assert(id.n > 0);
	}
	assert(n == header.n);
}

static int
add_to(void *ctx, struct bytes piece)
{
	return buf_add(ctx, piece);
}

/* What binary content becomes: lines in LF form, of as many parts, and again
 * the same when it is done again. */
static void
check_binary(struct arena *a, const struct mime_tree *t)
{
	struct buf b = BUF_INIT((size_t)1 << 28), crlf = BUF_INIT(1 << 28);
	struct buf again = BUF_INIT((size_t)1 << 28);
	const char *why;
	size_t at;

	if (mime_from_binary(a, t->message, add_to, &b, &why) == 0) {
		assert(!bytes_has_nul(buf_bytes(&b)));
		assert(!bytes_chr(buf_bytes(&b), '\r', &at));
		assert(mime_parse(a, buf_bytes(&b))->parts == t->parts);
		assert(mime_add_crlf(&crlf, buf_bytes(&b)) == 0);
		assert(mime_from_binary(a, buf_bytes(&crlf), add_to, &again,
		    &why) == 0);
		assert(bytes_eq(buf_bytes(&again), buf_bytes(&b)));
	}
	buf_free(&b);
	buf_free(&crlf);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct bytes message = mime_skip_from_line(bytes_of(data, size)), text;
	struct mime_tree *t = mime_parse(&a, message);
	const struct mime_part *p;
	size_t parts = 0, left = TEXT_LIMIT;

	for (p = t->root; p != NULL; p = mime_next_part(p)) {
		struct buf b = BUF_INIT(p->body.n + 4);

		parts++;
		check_part(t, p);
		if (parts < 100)
			check_section(t, p);
		(void)mime_part_name(&a, p);
		assert(mime_decode_body(&b, p) != -1);
		buf_free(&b);
	}
	assert(parts == t->parts && parts <= MIME_PARTS_MAX);
	p = NULL;
	while (mime_next_text(&a, t, &p, &left, &text))
		assert(unicode_valid_utf8(text));
	assert(left <= TEXT_LIMIT);
	assert(unicode_valid_utf8(mime_preview(&a, t, 256)));
	check_formats(&a, t);
	check_binary(&a, t);
	check_header(&a, t->root->header);
	arena_free(&a);
	return 0;
}
