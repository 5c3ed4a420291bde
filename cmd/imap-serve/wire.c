/*
 * wire.c - what the client sends and gets, compressed or not
 *
 * Compressed input is kept as it came until the machine has room: a client
 * can make it work, as it could by sending as much, but not take memory.
 */
#include "imap_serve.h"

#include <errno.h>
#include <unistd.h>

/* Compressed at a time: bounds what is held besides the output itself. */
#define WRITE_PIECE (4 * COMPRESS_PIECE)
/* What no compression makes smaller grows by five bytes in some thousand. */
#define PACKED_MAX (2 * WRITE_PIECE)

void
wire_compress(struct session *s)
{
	s->compress = compress_new();
	s->raw = BUF_INIT(COMPRESS_PIECE);
	s->packed = BUF_INIT(PACKED_MAX);
}

void
wire_plain(struct session *s)
{
	compress_free(s->compress);
	s->compress = NULL;
	buf_free(&s->raw);
	buf_free(&s->packed);
}

bool
wire_ready(const struct session *s)
{
	return s->compress != NULL &&
	    (s->raw.n > 0 || compress_has_more(s->compress));
}

static int
unpack(struct session *s, struct imap *im)
{
	unsigned char text[COMPRESS_PIECE];
	struct bytes rest = buf_bytes(&s->raw);
	ssize_t n = 0;
	size_t room;

	while ((room = imap_room(im)) > 0 && (n = compress_in(s->compress,
	    &rest, text, room < sizeof(text) ? room : sizeof(text))) > 0)
		imap_input(im, bytes_of(text, (size_t)n));
	buf_drop(&s->raw, s->raw.n - rest.n);
	if (n != -1)
		return 0;
	s->end = "not DEFLATE";
	imap_bye(im, NULL, "what came is not DEFLATE");
	buf_reset(&s->raw);
	return 0;
}

/* As read(2) into text, or into s->raw. */
static ssize_t
read_some(struct session *s, unsigned char *text, size_t size)
{
	ssize_t n;

	if (s->compress == NULL)
		return read(s->in, text, size);
	if (buf_room(&s->raw, COMPRESS_PIECE) == -1)
		return -1;
	n = read(s->in, s->raw.p, COMPRESS_PIECE);
	if (n > 0)
		s->raw.n = (size_t)n;
	return n;
}

int
wire_read(struct session *s, struct imap *im)
{
	unsigned char text[16384];
	size_t room = imap_room(im);
	ssize_t n;

	if (wire_ready(s))
		return unpack(s, im);
	n = read_some(s, text, room < sizeof(text) ? room : sizeof(text));
	if (n > 0 && s->compress != NULL)
		return unpack(s, im);
	if (n > 0) {
		imap_input(im, bytes_of(text, (size_t)n));
	} else if (n == 0) {
		s->end = "closed by client";
		imap_input_end(im);
	} else if (errno != EAGAIN && errno != EINTR) {
		return -1;
	}
	return 0;
}

static int
write_packed(struct session *s, struct bytes text)
{
	struct bytes piece = BYTES_EMPTY;
	int r = 0;

	while (r == 0 && text.n > 0) {
		(void)bytes_cut(&text, text.n < WRITE_PIECE ? text.n
		    : WRITE_PIECE, &piece);	/* so many are there */
		r = compress_out(s->compress, piece, &s->packed);
		if (r == 0)
			r = io_write_all(s->out, buf_bytes(&s->packed),
			    deadline_in(WRITE_MS));
		buf_reset(&s->packed);
	}
	return r;
}

int
wire_write(struct session *s, struct imap *im)
{
	struct buf *out = imap_output(im);
	int r = 0;

	if (s->compress != NULL)
		r = write_packed(s, buf_bytes(out));
	else if (out->n > 0)
		r = io_write_all(s->out, buf_bytes(out),
		    deadline_in(WRITE_MS));
	if (r == 0)
		buf_reset(out);
	return r;
}

void
wire_trim(struct session *s)
{
	if (s->raw.n == 0)
		buf_free(&s->raw);
	buf_free(&s->packed);
}
