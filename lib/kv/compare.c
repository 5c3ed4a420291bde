/*
 * compare.c - the order of keys: LMDB's own, that of memcmp
 *
 * LMDB compares some twenty keys for each it looks for, nearly all of which
 * differ within eight bytes: so the first ones are taken as a number.
 */
#include "kv/internal.h"

#include <lmdb.h>

int
kv_compare(const MDB_val *a, const MDB_val *b)
{
	size_t n = a->mv_size < b->mv_size ? a->mv_size : b->mv_size;
	int r;

	if (n >= 8) {
		uint64_t x = be64_get(a->mv_data), y = be64_get(b->mv_data);

		if (x != y)
			return x < y ? -1 : 1;
	}
	r = memcmp(a->mv_data, b->mv_data, n);
	if (r != 0)
		return r;
	return (a->mv_size > b->mv_size) - (a->mv_size < b->mv_size);
}
