/*
 * damage.h - a file with bytes changed, or cut short, as the input says
 *
 * The input is a list of changes, four bytes each: which of the bytes that are
 * not zero (three, modulo their number) and what to put there; the first byte
 * cuts the file if it is odd.
 */
#ifndef FUZZ_DAMAGE_H
#define FUZZ_DAMAGE_H

#include "folder.h"

#define CHANGE 4
#define CHANGES_MAX 64
#define FILE_MAX ((size_t)64 << 20)

static struct buf whole_file = BUF_INIT(FILE_MAX);
static size_t used;		/* up to the last byte that is not zero */
static uint32_t *places;	/* where such bytes are */
static size_t place_count;

/* Take the file of that name as the whole one. */
static inline void
learn_file(const char *path)
{
	size_t i;

	must(io_read_file(AT_FDCWD, path, &whole_file) == 0);
	places = mem_zalloc(whole_file.n, sizeof(*places));
	for (i = 0; i < whole_file.n; i++) {
		if (whole_file.p[i] != 0)
			places[place_count++] = (uint32_t)i;
	}
	must(place_count > 0);
	used = (size_t)places[place_count - 1] + 1;
}

/* What the input makes of it. The caller frees *b. */
static inline void
damage_file(struct bytes in, struct buf *b)
{
	size_t n = whole_file.n, at;

	*b = (struct buf)BUF_INIT(FILE_MAX);
	must(buf_add(b, buf_bytes(&whole_file)) == 0);
	if (in.n > 0 && in.p[0] % 2 == 1)
		n = used * in.p[0] / 256;
	for (; in.n >= CHANGE; in = bytes_from(in, CHANGE)) {
		at = (size_t)in.p[0] << 16 | (size_t)in.p[1] << 8 | in.p[2];
		b->p[places[at % place_count]] = in.p[3];
	}
	b->n = n;
}

#endif
