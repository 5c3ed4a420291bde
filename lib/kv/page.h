/*
 * page.h - pages as LMDB 0.9 lays them out on a 64-bit machine; of lib/kv only
 *
 *	page	number 8, pad 2, flags 2, lower 2, upper 2, then from lower
 *		the offsets of the nodes, 2 each; overflow pages: count 4
 *		in place of lower and upper
 *	node	size or child low 2, high 2, flags or child top 2, key size 2,
 *		key, data; data of a big one: page number 8
 *	tree	pad 4, flags 2, depth 2, four counts 8 each, root 8
 *	meta	magic 4, version 4, address 8, map size 8, two trees (free
 *		pages, tables), last page 8, transaction 8
 *
 * Numbers are stored in the machine's order.
 */
#ifndef KV_PAGE_H
#define KV_PAGE_H

#include "base/base.h"

#define PAGE_HEAD 16
#define PAGE_NODE_HEAD 8
#define PAGE_TREE_SIZE 48
#define PAGE_DEPTH_MAX 32	/* LMDB's cursor stack */
#define PAGE_NONE UINT64_MAX	/* the root of an empty tree */

enum { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_OVERFLOW = 4 };
enum { PAGE_BIG = 1, PAGE_SUB = 2 };	/* flags of a leaf's node */

static inline uint64_t
page_number2(const unsigned char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t
page_number4(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t
page_number8(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* ---- find.c ---- */

/* One snapshot that does not change, and what is looked for in a tree of it:
 * keys of 8 bytes, as numbers. */
struct page_find {
	const unsigned char *map;
	size_t page_size;
	uint64_t last;		/* page */
	const uint64_t *key;
	size_t value_bytes;
	const unsigned char **value;
};
/*
 * Look up key[0 .. count): value[i] is where the value_bytes of key i are, or
 * NULL. Each page is visited once if the keys ascend. 0, -1 EBADMSG.
 */
int page_find(const struct page_find *f, uint64_t root, unsigned int depth,
    size_t count);

#endif
