/*
 * binary.c - BINARY[...] of FETCH (RFC 3516) and URLFETCH (RFC 5524): parts
 * without their transfer encoding
 *
 * Text keeps CRLF line ends, what was base64 is sent as it was before. A part
 * is decoded into the message's arena, so the size said is that of the bytes
 * sent.
 */
#include "imap/internal.h"

#include <errno.h>

struct decoded {
	struct bytes text;
	bool raw;		/* its line ends are its own */
};

/* With the line ends of the wire, for what is sent as it is. */
static struct bytes
crlf_copy(struct message *m, struct bytes text)
{
	struct buf b = BUF_INIT(text.n * 2);
	struct bytes out;

	(void)mime_add_crlf(&b, text);		/* twice as many fit */
	out = arena_bytes(&m->arena, buf_bytes(&b));
	buf_free(&b);
	return out;
}

/* What has no encoding: streamed with its line ends, but for NUL bytes, which
 * a stream of text would not send. */
static struct decoded
as_it_is(struct message *m, struct bytes text)
{
	if (bytes_has_nul(text))
		return (struct decoded){ crlf_copy(m, text), true };
	return (struct decoded){ text, false };
}

static bool
is_plain(const struct mime_part *part)
{
	/* A multipart or message has no encoding (RFC 2045 6.4). */
	return part->is_multipart || part->is_message ||
	    part->encoding.n == 0 ||
	    bytes_caseeq(part->encoding, BYTES("7bit")) ||
	    bytes_caseeq(part->encoding, BYTES("8bit")) ||
	    bytes_caseeq(part->encoding, BYTES("binary"));
}

static int
decode_part(struct message *m, const struct mime_part *part,
    struct decoded *out)
{
	struct mime_part wire = *part;
	struct buf b;
	int r;

	if (is_plain(part)) {
		*out = as_it_is(m, part->body);
		return 1;
	}
	/* Line ends that are not encoded count as CRLF. */
	if (!bytes_caseeq(part->encoding, BYTES("base64")))
		wire.body = crlf_copy(m, part->body);
	b = BUF_INIT(wire.body.n + 64);
	r = mime_decode_body(&b, &wire);
	if (r == 1)
		*out = (struct decoded){ arena_bytes(&m->arena,
		    buf_bytes(&b)), true };
	buf_free(&b);
	return r;
}

/* 1, 0 an unknown encoding, -1: ENOMSG no such part, else no file. */
static int
binary_text(struct imap *im, struct message *m,
    const struct fetch_item *item, struct decoded *out)
{
	const struct mime_part *part;

	if (message_tree(im, m) == -1)
		return -1;
	if (item->part.n == 0) {
		*out = as_it_is(m, m->file);
		return 1;
	}
	part = mime_find_part(m->tree, item->part);
	if (part == NULL) {
		errno = ENOMSG;
		return -1;
	}
	return decode_part(m, part, out);
}

int
binary_stream(struct imap *im, struct message *m,
    const struct fetch_item *item, struct stream *out, bool *has_nul)
{
	struct decoded d;
	int r = binary_text(im, m, item, &d);

	if (r != 1)
		return r;
	stream_init(out, d.text, item->offset, section_cut(item,
	    d.raw ? d.text.n : mime_crlf_size(d.text)));
	out->raw = d.raw;
	*has_nul = bytes_has_nul(d.text);
	return 1;
}

/* How what it is now would have to be labelled. */
static struct bytes
identity_encoding(struct bytes text)
{
	if (bytes_has_nul(text))
		return BYTES("binary");
	return bytes_is_ascii(text) ? BYTES("7bit") : BYTES("8bit");
}

int
binary_structure(struct imap *im, struct message *m,
    const struct fetch_item *item, bool decoded, struct buf *out)
{
	const struct mime_part *part;
	struct mime_part as_sent;
	struct decoded d;

	if (message_tree(im, m) == -1)
		return -1;
	part = item->part.n == 0 ? m->tree->root
	    : mime_find_part(m->tree, item->part);
	if (part == NULL) {
		errno = ENOMSG;
		return -1;
	}
	as_sent = *part;
	if (decoded && !is_plain(part) && decode_part(m, part, &d) == 1) {
		as_sent.encoding = identity_encoding(d.text);
		as_sent.body_size = d.text.n;
		as_sent.body_lines = 0;	/* it is not sent as lines */
	}
	return mime_format_part(&m->arena, out, &as_sent, true);
}

/* "NIL" for what cannot be told; BINARY.SIZE is a number in any case. */
static int
add_nothing(struct imap *im, const struct fetch_item *item)
{
	buf_add(&im->out, item->name);
	buf_adds(&im->out, item->kind == ITEM_BINARY ? " NIL" : " 0");
	return 0;
}

int
fetch_binary(struct imap *im, struct message *m,
    const struct fetch_item *item)
{
	struct fetch *f = &im->fetch;
	struct decoded d;
	uint64_t size;
	int r = binary_text(im, m, item, &d);

	if (r != 1) {
		f->unknown_cte = f->unknown_cte || r == 0;
		f->some_gone = f->some_gone || (r == -1 && errno != ENOMSG);
		return add_nothing(im, item);
	}
	size = d.raw ? d.text.n : mime_crlf_size(d.text);
	buf_add(&im->out, item->name);
	if (item->kind == ITEM_BINARY_SIZE) {
		buf_printf(&im->out, " %llu", (unsigned long long)size);
		return 0;
	}
	size = section_cut(item, size);
	/* Only literal8 may hold NUL (RFC 3516 4.2). */
	buf_printf(&im->out, bytes_has_nul(d.text) ? " ~{%llu}\r\n"
	    : " {%llu}\r\n", (unsigned long long)size);
	stream_init(&f->stream, d.text, item->offset, size);
	f->stream.raw = d.raw;
	f->streaming = true;
	return 1;
}
