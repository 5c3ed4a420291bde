/*
 * internal.h - shared by the files of lib/unicode only
 */
#ifndef UNICODE_INTERNAL_H
#define UNICODE_INTERNAL_H

#include "unicode/unicode.h"

#define REPLACEMENT 0xfffd

/*
 * Take over memory an outside library has from malloc: a copy in the arena,
 * the original freed. p NULL (that library ran out of memory) ends the
 * process as every shortage does.
 */
struct bytes unicode_adopt(struct arena *a, void *p, size_t n);

#endif
