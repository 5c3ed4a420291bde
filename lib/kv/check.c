/*
 * Is an LMDB file whole? Pages are read with bounds checked at each step, as
 * LMDB 0.9 lays them out on a 64-bit machine:
 *
 *	page	number 8, pad 2, flags 2, lower 2, upper 2, then from lower
 *		the offsets of the nodes, 2 each; overflow pages: count 4
 *		in place of lower and upper
 *	node	size or child low 2, high 2, flags or child top 2, key size 2,
 *		key, data; data of a big one: page number 8
 *	tree	pad 4, flags 2, depth 2, four counts 8 each, root 8
 *	meta	magic 4, version 4, address 8, map size 8, two trees (free
 *		pages, tables), last page 8, transaction 8
 */
#include "kv/kv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 0xbeefc0deu
#define VERSION_KNOWN 1
#define HEAD 16
#define NODE_HEAD 8
#define TREE_SIZE 48
#define META_SIZE (24 + 2 * TREE_SIZE + 16)
#define DEPTH_MAX 32		/* LMDB's cursor stack */
#define NO_PAGE UINT64_MAX

enum { BRANCH = 1, LEAF = 2, OVERFLOW = 4 };
enum { BIG = 1, SUB = 2, DUP = 4 };

struct check {
	const unsigned char *p;
	size_t page_size;
	uint64_t pages;		/* in the snapshot */
	uint64_t there;		/* in the file: free ones at the end of the
				 * snapshot may never have been written */
	uint64_t visits;
	const char **why;
};

struct node {
	struct bytes key, data;
	uint64_t child;		/* branch: page; leaf: size of the data */
	unsigned int flags;
	size_t size;		/* in the page: nodes begin at even places */
};

/* Numbers are stored in the machine's order. */
static uint64_t
number(const unsigned char *p, size_t n)
{
	uint64_t v8;
	uint32_t v4;
	uint16_t v2;

	if (n == 8) {
		memcpy(&v8, p, 8);
		return v8;
	}
	if (n == 4) {
		memcpy(&v4, p, 4);
		return v4;
	}
	memcpy(&v2, p, 2);
	return v2;
}

static int
damaged(struct check *c, const char *why)
{
	*c->why = why;
	errno = EBADMSG;
	return -1;
}

static const unsigned char *
page_at(struct check *c, uint64_t n)
{
	const unsigned char *p;

	if (n >= c->pages || c->visits++ > c->pages) {
		(void)damaged(c, "a page number is out of range");
		return NULL;
	}
	if (n >= c->there) {
		(void)damaged(c, "the file is cut off");
		return NULL;
	}
	p = c->p + n * c->page_size;
	if (number(p, 8) != n) {
		(void)damaged(c, "a page has the wrong number");
		return NULL;
	}
	return p;
}

static int
read_node(struct check *c, const unsigned char *page, bool leaf, size_t i,
    struct node *out)
{
	size_t upper = number(page + 14, 2);
	size_t at = number(page + HEAD + i * 2, 2), key, size;
	const unsigned char *n = page + at;

	if (at < upper || at % 2 != 0 || at + NODE_HEAD > c->page_size)
		return damaged(c, "a node is outside of its page");
	key = number(n + 6, 2);
	if (key > c->page_size - at - NODE_HEAD)
		return damaged(c, "a key is outside of its page");
	out->key = bytes_of(n + NODE_HEAD, key);
	out->flags = leaf ? (unsigned int)number(n + 4, 2) : 0;
	out->child = number(n, 2) | number(n + 2, 2) << 16;
	if (!leaf) {
		out->child |= number(n + 4, 2) << 32;
		out->data = BYTES_EMPTY;
		out->size = NODE_HEAD + key + key % 2;
		return 0;
	}
	size = (out->flags & BIG) != 0 ? 8 : out->child;
	if (size > c->page_size - at - NODE_HEAD - key)
		return damaged(c, "a value is outside of its page");
	out->data = bytes_of(n + NODE_HEAD + key, size);
	out->size = NODE_HEAD + key + size + (key + size) % 2;
	return 0;
}

static int
check_overflow(struct check *c, const struct node *n)
{
	uint64_t first = number(n->data.p, 8), count;
	const unsigned char *p = page_at(c, first);

	if (p == NULL)
		return -1;
	count = number(p + 12, 4);
	if ((number(p + 10, 2) & OVERFLOW) == 0 || count == 0 ||
	    count > c->pages - first || count > c->there - first ||
	    n->child > count * c->page_size - HEAD)
		return damaged(c, "a long value does not fit its pages");
	return 0;
}

static int check_tree(struct check *c, struct bytes tree, bool of_tables,
    bool sorted);

static int
check_leaf(struct check *c, const struct node *n, bool of_tables)
{
	if ((n->flags & ~(unsigned int)(BIG | SUB)) != 0)
		return damaged(c, "a value of unknown kind");
	if ((n->flags & BIG) != 0)
		return check_overflow(c, n);
	if ((n->flags & SUB) == 0)
		return of_tables ? damaged(c, "a table without its tree") : 0;
	if (!of_tables || n->data.n != TREE_SIZE)
		return damaged(c, "a table where none can be");
	return check_tree(c, n->data, false, true);
}

static int
check_page(struct check *c, uint64_t number_of, unsigned int depth,
    bool of_tables, bool sorted)
{
	const unsigned char *p = page_at(c, number_of);
	struct bytes last = BYTES_EMPTY;
	size_t lower, upper, count, i, sum = 0;
	struct node n;
	bool leaf;

	if (p == NULL)
		return -1;
	leaf = depth == 1;
	lower = number(p + 12, 2);
	upper = number(p + 14, 2);
	if ((number(p + 10, 2) & 7) != (leaf ? LEAF : BRANCH))
		return damaged(c, "a page of the wrong kind");
	if (lower < HEAD || lower > upper || upper > c->page_size)
		return damaged(c, "a page with impossible bounds");
	count = (lower - HEAD) / 2;
	if (count == 0 || (!leaf && count < 2))
		return damaged(c, "an empty page");
	for (i = 0; i < count; i++) {
		if (read_node(c, p, leaf, i, &n) == -1)
			return -1;
		/* The first key of a branch page is not used. */
		if (sorted && i > (leaf ? 0 : 1) &&
		    bytes_cmp(last, n.key) >= 0)
			return damaged(c, "keys out of order");
		last = n.key;
		sum += n.size;
		if (leaf ? check_leaf(c, &n, of_tables) == -1
		    : check_page(c, n.child, depth - 1, of_tables, sorted)
		    == -1)
			return -1;
	}
	/* They lie side by side; LMDB moves what is behind one it removes. */
	return sum == c->page_size - upper ? 0
	    : damaged(c, "nodes over each other");
}

static int
check_tree(struct check *c, struct bytes tree, bool of_tables, bool sorted)
{
	uint64_t depth = number(tree.p + 6, 2), root = number(tree.p + 40, 8);

	if (root == NO_PAGE)
		return depth == 0 ? 0 : damaged(c, "a tree without root");
	if (depth == 0 || depth > DEPTH_MAX)
		return damaged(c, "a tree of impossible depth");
	return check_page(c, root, (unsigned int)depth, of_tables, sorted);
}

/* The meta page at a place; its body, or NULL. */
static const unsigned char *
meta_at(struct bytes file, size_t at)
{
	const unsigned char *m;

	if (file.n < at + HEAD + META_SIZE)
		return NULL;
	m = file.p + at + HEAD;
	return number(m, 4) == MAGIC ? m : NULL;
}

static int
check_file(struct bytes file, const char **why)
{
	struct check c = { .p = file.p, .why = why };
	const unsigned char *a = meta_at(file, 0), *b, *m;
	struct bytes trees;

	if (a == NULL)
		return damaged(&c, "the first meta page is damaged");
	if (number(a + 4, 4) != VERSION_KNOWN)
		return 0;	/* another LMDB: kv_open says so */
	c.page_size = number(a + 24, 4);
	if (c.page_size < 512 || c.page_size > 65536 ||
	    (c.page_size & (c.page_size - 1)) != 0)
		return damaged(&c, "an impossible page size");
	if ((b = meta_at(file, c.page_size)) == NULL)
		return damaged(&c, "the second meta page is damaged");
	/* The newer one counts. */
	m = number(a + META_SIZE - 8, 8) > number(b + META_SIZE - 8, 8) ? a
	    : b;
	c.pages = number(m + META_SIZE - 16, 8);
	if (c.pages >= UINT64_MAX / c.page_size)
		return damaged(&c, "an impossible last page");
	c.pages++;
	c.there = file.n / c.page_size;
	trees = bytes_of(m + 24, (size_t)2 * TREE_SIZE);
	/* Keys of the free list are numbers: another order. */
	if (check_tree(&c, bytes_first(trees, TREE_SIZE), false, false) == -1)
		return -1;
	return check_tree(&c, bytes_from(trees, TREE_SIZE), true, true);
}

int
kv_check(const char *dir, const char **why)
{
	struct arena a = ARENA_INIT;
	int r = kv_check_file(arena_printf(&a, "%s/data.mdb", dir), why);
	int err = errno;

	arena_free(&a);
	errno = err;
	return r;
}

int
kv_check_file(const char *path, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	void *p;
	int r = -1, err;

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	if (fstat(fd, &st) == 0) {
		p = st.st_size == 0 ? MAP_FAILED : mmap(NULL,
		    (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (st.st_size == 0) {
			r = 0;		/* LMDB begins a new one */
		} else if (p != MAP_FAILED) {
			r = check_file(bytes_of(p, (size_t)st.st_size), why);
			err = errno;
			(void)munmap(p, (size_t)st.st_size); /* our map */
			errno = err;
		}
	}
	err = errno;
	(void)close(fd);	/* nothing was written through it */
	errno = err;
	return r;
}
