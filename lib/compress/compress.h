/*
 * compress.h - a connection whose bytes are compressed both ways (RFC 1951
 * without a header, as RFC 4978 3 has it), with zlib
 *
 * Memory is bounded whatever the peer sends: what it sent is decompressed as
 * far as the caller has room for it and not further, so that a small message
 * cannot become a large one in memory.
 */
#ifndef COMPRESS_H
#define COMPRESS_H

#include "base/base.h"

/*
 * Per connection: about 100 kB for what is sent (a window of 16 kB, zlib's
 * default would be three times that) and 40 kB for what comes, of which the
 * peer chooses the window. BYTES is the most of it, tested.
 */
#define COMPRESS_MEMORY_BYTES ((size_t)160 * 1024)
/* The most one call of compress_in takes or gives. */
#define COMPRESS_PIECE 16384

struct compress;

/* Ends the process when memory is out. */
struct compress *compress_new(void);
void compress_free(struct compress *c);

/*
 * Compress s onto the end of out. After this the peer can read all of it,
 * whatever its receiver waits for (a "sync flush"). Call it once for as much
 * as is there: each call costs five bytes. 0, -1 EMSGSIZE out is full, and
 * the stream is of no use any more.
 */
int compress_out(struct compress *c, struct bytes s, struct buf *out);

/*
 * Decompress bytes of the peer off the front of *in, at most size of them to
 * p. Their number; 0: all of *in was taken and more is needed, or size is 0;
 * -1 EBADMSG: this is no DEFLATE, or it said that it ends, and nothing more
 * can be had of it.
 */
ssize_t compress_in(struct compress *c, struct bytes *in, unsigned char *p,
    size_t size);
/* Bytes may still come out although *in is empty: ask again. */
bool compress_has_more(const struct compress *c);

#endif
