/*
 * compress_fuzz.c - what a peer sends is decompressed alike whatever the sizes
 * of its pieces and of the room for it, and comes back from our own compressor
 */
#include <stdlib.h>

#include "compress/compress.h"

#define OUT_MAX_BYTES (256 * 1024)	/* a bomb ends here */

static void
check(bool good)
{
	if (!good)
		abort();
}

/* All that can be had of s, room bytes at a time. */
static void
read_all(struct bytes s, size_t room, struct buf *out)
{
	struct compress *c = compress_new();
	unsigned char part[COMPRESS_PIECE];
	size_t before;
	ssize_t n = 1;

	while (n > 0 && out->n + room <= OUT_MAX_BYTES) {
		before = s.n;
		n = compress_in(c, &s, part, room);
		check(n <= (ssize_t)room && s.n <= before);
		check(n != 0 || s.n == 0 || !compress_has_more(c));
		if (n > 0)
			(void)buf_add(out, bytes_of(part, (size_t)n));
	}
	compress_free(c);
}

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct buf a = BUF_INIT(OUT_MAX_BYTES), b = a, again = a;
	struct buf packed = BUF_INIT(2 * OUT_MAX_BYTES);
	struct compress *c = compress_new();
	size_t same;

	read_all(bytes_of(p, n), COMPRESS_PIECE, &a);
	read_all(bytes_of(p, n), 7, &b);
	same = a.n < b.n ? a.n : b.n;
	check(memcmp(a.n > 0 ? a.p : p, b.n > 0 ? b.p : p, same) == 0);
	check(a.n == b.n || a.n + COMPRESS_PIECE > OUT_MAX_BYTES);
	if (a.n > 0 && compress_out(c, buf_bytes(&a), &packed) == 0) {
		read_all(buf_bytes(&packed), 1000, &again);
		check(again.n >= a.n - 1000 || again.n == a.n);
		check(memcmp(again.p, a.p, again.n) == 0);
	}
	compress_free(c);
	buf_free(&a);
	buf_free(&b);
	buf_free(&again);
	buf_free(&packed);
	return 0;
}
