/*
 * compress.c - both directions of a compressed connection
 */
#include "compress/compress.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

/* Negative: raw. 2^(14+2) + 2^(6+9) bytes; the peer may have the greatest
 * window there is (RFC 4978 3). */
#define WINDOW_BITS_OUT (-14)
#define MEMORY_OUT 6
#define WINDOW_BITS_IN (-15)

struct compress {
	z_stream out, in;
	bool more;		/* in was not emptied for want of room */
	bool bad;
};

struct compress *
compress_new(void)
{
	struct compress *c = mem_zalloc(1, sizeof(*c));

	if (deflateInit2(&c->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
	    WINDOW_BITS_OUT, MEMORY_OUT, Z_DEFAULT_STRATEGY) != Z_OK ||
	    inflateInit2(&c->in, WINDOW_BITS_IN) != Z_OK)
		mem_exhausted();
	return c;
}

void
compress_free(struct compress *c)
{
	if (c == NULL)
		return;
	(void)deflateEnd(&c->out);	/* it did not end: no matter */
	(void)inflateEnd(&c->in);
	free(c);
}

/* zlib does not write to it, and says so only if told (ZLIB_CONST). */
static unsigned char *
unconst(struct bytes s)
{
	return (unsigned char *)(uintptr_t)s.p;
}

/* Until zlib has nothing more to give. */
static int
drain(z_stream *z, struct buf *out, int flush)
{
	do {
		if (buf_room(out, COMPRESS_PIECE) == -1)
			return -1;
		z->next_out = out->p + out->n;
		z->avail_out = COMPRESS_PIECE;
		/* Z_BUF_ERROR: there was nothing to do. */
		(void)deflate(z, flush);
		out->n += COMPRESS_PIECE - z->avail_out;
	} while (z->avail_out == 0);
	return 0;
}

int
compress_out(struct compress *c, struct bytes s, struct buf *out)
{
	struct bytes piece = BYTES_EMPTY;

	while (s.n > 0) {
		(void)bytes_cut(&s, s.n < COMPRESS_PIECE ? s.n
		    : COMPRESS_PIECE, &piece);	/* so many are there */
		c->out.next_in = unconst(piece);
		c->out.avail_in = (unsigned int)piece.n;
		if (drain(&c->out, out, s.n == 0 ? Z_SYNC_FLUSH
		    : Z_NO_FLUSH) == -1)
			return -1;
	}
	return 0;
}

ssize_t
compress_in(struct compress *c, struct bytes *in, unsigned char *p,
    size_t size)
{
	size_t take = in->n < COMPRESS_PIECE ? in->n : COMPRESS_PIECE;
	size_t room = size < COMPRESS_PIECE ? size : COMPRESS_PIECE;
	int r;

	if (c->bad) {
		errno = EBADMSG;
		return -1;
	}
	if (room == 0)
		return 0;
	c->in.next_in = unconst(*in);
	c->in.avail_in = (unsigned int)take;
	c->in.next_out = p;
	c->in.avail_out = (unsigned int)room;
	r = inflate(&c->in, Z_SYNC_FLUSH);
	*in = bytes_from(*in, take - c->in.avail_in);
	c->more = c->in.avail_out == 0;
	/* Z_BUF_ERROR: there was nothing to do. Z_STREAM_END: RFC 4978 has
	 * no end but that of the connection. */
	if (r == Z_MEM_ERROR)
		mem_exhausted();
	c->bad = r != Z_OK && r != Z_BUF_ERROR;
	if (c->bad && c->in.avail_out == room) {
		errno = EBADMSG;
		return -1;
	}
	return (ssize_t)(room - c->in.avail_out);
}

bool
compress_has_more(const struct compress *c)
{
	return c->more;
}
