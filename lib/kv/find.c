/*
 * find.c - many keys looked up in a tree's pages, without LMDB
 *
 * LMDB compares keys by a function, byte by byte, and keeps a stack of pages
 * for each step. For thousands of keys of 8 bytes at a time it takes five
 * times as long as this. Offsets are checked as they are used, so a damaged
 * page is an error and no more.
 */
#include "kv/page.h"

#include <errno.h>

#define KEY 8
#define CACHE_LINE 64
#define OFFSETS_LIKELY 256	/* bytes of a page: the nodes of most */
#define AHEAD 2		/* pages asked for while one is searched */
#define RUN_LONG 4		/* so many keys and all of it is fetched */

static int
damaged(void)
{
	errno = EBADMSG;
	return -1;
}

/* The page, if it is one of that kind, and how many nodes it has. */
static const unsigned char *
page_at(const struct page_find *f, uint64_t number, unsigned int kind,
    size_t *count)
{
	const unsigned char *p;
	size_t lower;

	if (number > f->last)
		return NULL;
	p = f->map + number * f->page_size;
	lower = page_number2(p + 12);
	if (page_number2(p + 10) != kind || lower <= PAGE_HEAD ||
	    lower > f->page_size)
		return NULL;
	*count = (lower - PAGE_HEAD) / 2;
	return p;
}

/* A shorter key as a number, as if zeros followed; its end if it is longer. */
static uint64_t
odd_key(const unsigned char *key, size_t n)
{
	unsigned char b[KEY] = { 0 };

	memcpy(b, key, n < KEY ? n : KEY);
	return be64_get(b);
}

/* Node i of a page and its key; NULL: it is not within the page. */
static inline const unsigned char *
node_at(const unsigned char *page, size_t page_size, size_t i, uint64_t *key)
{
	size_t at = page_number2(page + PAGE_HEAD + 2 * i), n;
	const unsigned char *node = page + at;

	if (at > page_size - PAGE_NODE_HEAD)
		return NULL;
	n = page_number2(node + 6);
	if (n > page_size - PAGE_NODE_HEAD - at)
		return NULL;
	*key = n == KEY ? be64_get(node + PAGE_NODE_HEAD)
	    : odd_key(node + PAGE_NODE_HEAD, n);
	return node;
}

/*
 * The last node whose key is not above want; the first one if all are. No
 * branch depends on a key, so that one search runs while the one before is
 * waiting for memory.
 */
static inline bool
search(const unsigned char *page, size_t page_size, size_t count,
    uint64_t want, size_t *out)
{
	size_t at = 0, half;
	uint64_t key;

	while (count > 1) {
		half = count / 2;
		if (node_at(page, page_size, at + half, &key) == NULL)
			return false;
		at += half & -(size_t)(key <= want);
		count -= half;
	}
	*out = at;
	return true;
}

/* Whether a leaf's node has a value of that length behind a key of 8 bytes. */
static inline bool
has_value(const struct page_find *f, const unsigned char *page,
    const unsigned char *node)
{
	return (size_t)(node - page) <= f->page_size - PAGE_NODE_HEAD - KEY -
	    f->value_bytes && page_number4(node) == f->value_bytes &&
	    page_number2(node + 4) == 0;
}

static int
find_in_leaf(const struct page_find *f, uint64_t number, size_t from,
    size_t to)
{
	const unsigned char *page, *node, *value;
	size_t size = f->page_size, count, at;
	uint64_t key = 0, want;
	unsigned int is_it, bad = 0;

	if ((page = page_at(f, number, PAGE_LEAF, &count)) == NULL)
		return damaged();
	for (; from < to && bad == 0; from++) {
		want = f->key[from];
		if (!search(page, size, count, want, &at) ||
		    (node = node_at(page, size, at, &key)) == NULL)
			return damaged();
		/* Half of the words are not there: no branch by that. */
		is_it = key == want;
		is_it &= page_number2(node + 6) == KEY;
		bad = is_it & (unsigned int)!has_value(f, page, node);
		value = node + PAGE_NODE_HEAD + KEY;
		f->value[from] = (const unsigned char *)((uintptr_t)value &
		    -(uintptr_t)is_it);
	}
	return bad != 0 ? damaged() : 0;
}

static uint64_t
child_of(const unsigned char *node)
{
	return page_number2(node) | page_number2(node + 2) << 16 |
	    page_number2(node + 4) << 32;
}

/* A page below, with the keys to be looked for there. */
struct run {
	uint64_t page;
	size_t from, to;
};

/*
 * The run that begins at key from; its page is asked for, so that it comes
 * while the run before is worked on: the offsets and, where much is to be
 * found, the nodes, which fill a page of usual fullness from behind.
 */
static int
next_run(const struct page_find *f, const unsigned char *page, size_t count,
    size_t from, size_t to, struct run *out)
{
	uint64_t low = 0, high = UINT64_MAX;
	const unsigned char *node, *p;
	size_t size = f->page_size, at, end = from + 1, i;

	if (!search(page, size, count, f->key[from], &at) ||
	    (node = node_at(page, size, at, &low)) == NULL ||
	    (at + 1 < count && node_at(page, size, at + 1, &high) == NULL))
		return damaged();
	/* The key of the first is not used; the last has no end. */
	low = at == 0 ? 0 : low;
	while (end < to && f->key[end] >= low &&
	    (f->key[end] < high || at + 1 == count))
		end++;
	*out = (struct run){ child_of(node), from, end };
	if (out->page > f->last)
		return damaged();
	p = f->map + out->page * f->page_size;
	for (i = 0; i < OFFSETS_LIKELY; i += CACHE_LINE)
		__builtin_prefetch(p + i);
	if (end - from < RUN_LONG)
		return 0;
	for (i = f->page_size / 8 * 3; i < f->page_size; i += CACHE_LINE)
		__builtin_prefetch(p + i);
	return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, 32 at most */
static int
find_below(const struct page_find *f, uint64_t number, unsigned int depth,
    size_t from, size_t to)
{
	const unsigned char *page;
	struct run run[AHEAD + 1], *r;
	size_t count, made = 0, done = 0;

	if (depth == 1)
		return find_in_leaf(f, number, from, to);
	if ((page = page_at(f, number, PAGE_BRANCH, &count)) == NULL)
		return damaged();
	while (from < to || done < made) {
		for (; from < to && made - done <= AHEAD; made++) {
			r = &run[made % (AHEAD + 1)];
			if (next_run(f, page, count, from, to, r) == -1)
				return -1;
			from = r->to;
		}
		r = &run[done++ % (AHEAD + 1)];
		if (find_below(f, r->page, depth - 1, r->from, r->to) == -1)
			return -1;
	}
	return 0;
}

int
page_find(const struct page_find *f, uint64_t root, unsigned int depth,
    size_t count)
{
	if (root == PAGE_NONE) {
		memset(f->value, 0, count * sizeof(*f->value));
		return 0;
	}
	if (count == 0)
		return 0;
	if (depth == 0 || depth > PAGE_DEPTH_MAX)
		return damaged();
	return find_below(f, root, depth, 0, count);
}
