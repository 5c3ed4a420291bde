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
#include <stdlib.h>
#include <string.h>
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
#define FIRST_PAGE 2		/* behind the two of meta data */
#define INTEGER_KEYS 8		/* the only flag, of the tree of free pages */
#define NO_DIRECTORY 0x4000	/* there too: the environment is one file */
#define TRIES_MAX 100		/* while others write */
#define TXN_MAX (UINT64_MAX >> 1)	/* no writer comes that far */

enum { BRANCH = 1, LEAF = 2, OVERFLOW = 4, META = 8 };
enum { BIG = 1, SUB = 2 };
enum kind { FREE, TABLES, VALUES };	/* what the leaves of a tree hold */

struct check {
	const unsigned char *p;
	size_t page_size;
	uint64_t pages;		/* in the snapshot */
	uint64_t there;		/* in the file: free ones at the end of the
				 * snapshot may never have been written */
	uint64_t txn;
	unsigned char *met;	/* a bit for each page: it has been met */
	unsigned char *taken;	/* for each two bytes of a page */
	const char **why;
};

/* A tree while it is walked. */
struct tree {
	enum kind kind;
	uint64_t entries, overflow;
};

/* Keys of a page are from low on and below high, unless it is NULL. */
struct range {
	const struct bytes *low, *high;
};

struct node {
	struct bytes key, data;
	uint64_t child;		/* branch: page; leaf: size of the data */
	unsigned int flags;
	size_t at, size;	/* in the page: nodes begin at even places */
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

/* Each page has one place: in a tree, or free. */
static int
meet(struct check *c, uint64_t n)
{
	unsigned char bit = (unsigned char)(1u << (n % 8));

	if (n < FIRST_PAGE || n >= c->pages)
		return damaged(c, "a page number is out of range");
	if ((c->met[n / 8] & bit) != 0)
		return damaged(c, "a page is in two places");
	c->met[n / 8] |= bit;
	return 0;
}

static const unsigned char *
page_at(struct check *c, uint64_t n)
{
	const unsigned char *p;

	if (meet(c, n) == -1)
		return NULL;
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
	if (key > KV_KEY_MAX || key > c->page_size - at - NODE_HEAD)
		return damaged(c, "a key is outside of its page");
	out->at = at;
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
	/* Two fit into a page, or LMDB could not split it. */
	if (NODE_HEAD + key + size > (c->page_size - HEAD) / 4 * 2 - 2)
		return damaged(c, "a value too long for its page");
	return 0;
}

/* The value of a leaf's node, wherever it is. */
static int
find_value(struct check *c, struct tree *t, struct node *n)
{
	uint64_t first, count, i;
	const unsigned char *p;

	if ((n->flags & BIG) == 0)
		return 0;
	first = number(n->data.p, 8);
	if ((p = page_at(c, first)) == NULL)
		return -1;
	count = number(p + 12, 4);
	if (number(p + 10, 2) != OVERFLOW || count == 0 ||
	    count > c->pages - first || count > c->there - first ||
	    n->child > count * c->page_size - HEAD)
		return damaged(c, "a long value does not fit its pages");
	for (i = 1; i < count; i++) {
		if (meet(c, first + i) == -1)
			return -1;
	}
	t->overflow += count;
	n->data = bytes_of(p + HEAD, n->child);
	return 0;
}

/* A list of free pages: their number, then each, the last ones first. */
static int
check_free(struct check *c, const struct node *n)
{
	uint64_t txn = number(n->key.p, 8), count, i, one, last = UINT64_MAX;
	const unsigned char *p = n->data.p;

	if (txn == 0 || txn > c->txn)
		return damaged(c, "free pages of no transaction");
	if (n->data.n < 8 || n->data.n % 8 != 0 ||
	    (count = number(p, 8)) > n->data.n / 8 - 1)
		return damaged(c, "a list of free pages is cut off");
	for (i = 1; i <= count; i++) {
		one = number(p + i * 8, 8);
		if (one >= last)
			return damaged(c, "free pages out of order");
		if (meet(c, one) == -1)
			return -1;
		last = one;
	}
	return 0;
}

static int check_tree(struct check *c, const unsigned char *tree,
    enum kind kind);

static int
check_leaf(struct check *c, struct tree *t, struct node *n)
{
	t->entries++;
	if (n->flags != 0 && n->flags != BIG && n->flags != SUB)
		return damaged(c, "a value of unknown kind");
	if (n->key.n == 0)
		return damaged(c, "a key that is empty");
	if ((t->kind == TABLES) != ((n->flags & SUB) != 0))
		return damaged(c, t->kind == TABLES
		    ? "a table without its tree"
		    : "a table where none can be");
	if (t->kind == TABLES)
		return n->data.n != TREE_SIZE
		    ? damaged(c, "a table without its tree")
		    : check_tree(c, n->data.p, VALUES);
	if (find_value(c, t, n) == -1)
		return -1;
	return t->kind == FREE ? check_free(c, n) : 0;
}

/* Keys of the tree of free pages are numbers, which LMDB compares as such. */
static int
compare(const struct tree *t, struct bytes a, struct bytes b)
{
	uint64_t x, y;

	if (t->kind != FREE)
		return bytes_cmp(a, b);
	x = number(a.p, 8);
	y = number(b.p, 8);
	return x < y ? -1 : x > y;
}

/* Its bytes are no other node's; LMDB moves what is behind one it removes. */
static int
take(struct check *c, const struct node *n)
{
	unsigned char *at = c->taken + n->at / 2;
	size_t i;

	for (i = 0; i < n->size / 2; i++) {
		if (at[i] != 0)
			return damaged(c, "nodes over each other");
		at[i] = 1;
	}
	return 0;
}

/* The order of keys, and that nodes lie side by side. */
static int
check_nodes(struct check *c, const struct tree *t, const unsigned char *p,
    bool leaf, size_t count, struct range in)
{
	struct bytes last = BYTES_EMPTY;
	struct node n;
	size_t i, sum = 0;

	memset(c->taken, 0, c->page_size / 2);
	for (i = 0; i < count; i++) {
		if (read_node(c, p, leaf, i, &n) == -1 || take(c, &n) == -1)
			return -1;
		sum += n.size;
		if (!leaf && i == 0)
			continue;	/* its key is not used */
		if (t->kind == FREE && n.key.n != 8)
			return damaged(c, "free pages of no transaction");
		if ((i > (leaf ? 0 : 1) && compare(t, last, n.key) >= 0) ||
		    (in.low != NULL && compare(t, n.key, *in.low) < 0) ||
		    (in.high != NULL && compare(t, n.key, *in.high) >= 0))
			return damaged(c, "keys out of order");
		last = n.key;
	}
	return sum == c->page_size - number(p + 14, 2) ? 0
	    : damaged(c, "nodes over each other");
}

static int check_page(struct check *c, struct tree *t, uint64_t number_of,
    unsigned int depth, struct range in);

static int
check_children(struct check *c, struct tree *t, const unsigned char *p,
    unsigned int depth, size_t count, struct range in)
{
	struct node n, next;
	struct range child;
	size_t i;

	for (i = 0; i < count; i++) {
		if (read_node(c, p, false, i, &n) == -1 || (i + 1 < count &&
		    read_node(c, p, false, i + 1, &next) == -1))
			return -1;
		child.low = i == 0 ? in.low : &n.key;
		child.high = i + 1 < count ? &next.key : in.high;
		if (check_page(c, t, n.child, depth - 1, child) == -1)
			return -1;
	}
	return 0;
}

static int
check_page(struct check *c, struct tree *t, uint64_t number_of,
    unsigned int depth, struct range in)
{
	const unsigned char *p = page_at(c, number_of);
	bool leaf = depth == 1;
	size_t lower, upper, count, i;
	struct node n;

	if (p == NULL)
		return -1;
	lower = number(p + 12, 2);
	upper = number(p + 14, 2);
	if (number(p + 10, 2) != (leaf ? LEAF : BRANCH))
		return damaged(c, "a page of the wrong kind");
	if (lower < HEAD || lower > upper || upper > c->page_size ||
	    lower % 2 != 0 || upper % 2 != 0)
		return damaged(c, "a page with impossible bounds");
	count = (lower - HEAD) / 2;
	if (count == 0 || (!leaf && count < 2))
		return damaged(c, "an empty page");
	if (check_nodes(c, t, p, leaf, count, in) == -1)
		return -1;
	if (!leaf)
		return check_children(c, t, p, depth, count, in);
	for (i = 0; i < count; i++) {
		if (read_node(c, p, true, i, &n) == -1 ||
		    check_leaf(c, t, &n) == -1)
			return -1;
	}
	return 0;
}

static int
check_tree(struct check *c, const unsigned char *tree, enum kind kind)
{
	const struct range all = { NULL, NULL };
	struct tree t = { .kind = kind };
	uint64_t depth = number(tree + 6, 2), root = number(tree + 40, 8);
	uint64_t flags = number(tree + 4, 2);

	/* Several values of one key, or keys read backwards, are not ours. */
	if (kind == FREE)	/* it has flags of the file, too */
		flags &= ~(uint64_t)NO_DIRECTORY;
	if (flags != (kind == FREE ? INTEGER_KEYS : 0))
		return damaged(c, "a tree of another kind");
	if (root == NO_PAGE ? depth != 0 : depth == 0)
		return damaged(c, "a tree without root");
	if (depth > DEPTH_MAX)
		return damaged(c, "a tree of impossible depth");
	if (root != NO_PAGE && check_page(c, &t, root, (unsigned int)depth,
	    all) == -1)
		return -1;
	return number(tree + 24, 8) == t.overflow &&
	    number(tree + 32, 8) == t.entries ? 0
	    : damaged(c, "a tree of another size");
}

/* Its body, or NULL. */
static const unsigned char *
meta_at(struct bytes file, size_t at)
{
	const unsigned char *m;

	if (file.n < at + HEAD + META_SIZE)
		return NULL;
	m = file.p + at + HEAD;
	return number(file.p + at + 10, 2) == META &&
	    number(m, 4) == MAGIC ? m : NULL;
}

/* The snapshot of a meta page. */
static int
check_snapshot(struct check *c, struct bytes file, const unsigned char *m)
{
	uint64_t i;
	int r;

	c->txn = number(m + META_SIZE - 8, 8);
	c->pages = number(m + META_SIZE - 16, 8);
	c->there = file.n / c->page_size;
	/* What is not in the file is free, and a list in it says so. */
	if (c->pages >= c->there + file.n / 8)
		return damaged(c, "an impossible last page");
	c->pages++;
	c->met = mem_zalloc(c->pages / 8 + 1, 1);
	c->taken = mem_zalloc(c->page_size / 2, 1);
	r = check_tree(c, m + 24, FREE);
	if (r == 0)
		r = check_tree(c, m + 24 + TREE_SIZE, TABLES);
	for (i = c->there; r == 0 && i < c->pages; i++) {
		if ((c->met[i / 8] >> (i % 8) & 1) == 0)
			r = damaged(c, "the file is cut off");
	}
	free(c->met);
	free(c->taken);
	return r;
}

/* The one LMDB takes: the newer one, in the place of its transaction. */
static int
choose_meta(struct check *c, const unsigned char *const meta[2])
{
	uint64_t a = number(meta[0] + META_SIZE - 8, 8);
	uint64_t b = number(meta[1] + META_SIZE - 8, 8);
	uint64_t txn = a < b ? b : a;

	if (txn > TXN_MAX || txn % 2 != (a < b))
		return damaged(c, "a meta page of no transaction");
	return a < b;
}

static int
check_file(struct bytes file, const char **why, uint64_t *txn)
{
	struct check c = { .p = file.p, .why = why };
	unsigned char copy[META_SIZE];
	const unsigned char *meta[2];
	int newer;

	if ((meta[0] = meta_at(file, 0)) == NULL)
		return damaged(&c, "the first meta page is damaged");
	c.page_size = number(meta[0] + 24, 4);
	if (c.page_size < 512 || c.page_size > 32768 ||
	    (c.page_size & (c.page_size - 1)) != 0)
		return damaged(&c, "an impossible page size");
	if ((meta[1] = meta_at(file, c.page_size)) == NULL ||
	    number(meta[1] + 24, 4) != c.page_size ||
	    number(meta[0] + 4, 4) != number(meta[1] + 4, 4))
		return damaged(&c, "the second meta page is damaged");
	if (number(meta[0] + 4, 4) != VERSION_KNOWN)
		return 0;	/* another LMDB: kv_open says so */
	if ((newer = choose_meta(&c, meta)) == -1)
		return -1;
	memcpy(copy, meta[newer], sizeof(copy));	/* of one moment */
	*txn = number(copy + META_SIZE - 8, 8);
	return check_snapshot(&c, file, copy);
}

static int
check_once(const char *path, const char **why, uint64_t *txn)
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
			r = check_file(bytes_of(p, (size_t)st.st_size), why,
			    txn);
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

/*
 * While others write, pages of a snapshot may be used again as soon as there
 * are newer ones, and the file may grow between looking at its size and at
 * its pages. So damage is believed when three looks find it in one snapshot:
 * it was the newest then from before the second one to after it.
 */
int
kv_check_file(const char *path, const char **why)
{
	uint64_t txn = 0, last = 0;
	int tries, same = 0, r = -1;

	for (tries = 0; tries < TRIES_MAX && same < 3; tries++) {
		txn = 0;
		r = check_once(path, why, &txn);
		if (r == 0 || errno != EBADMSG)
			return r;
		same = same > 0 && txn == last ? same + 1 : 1;
		last = txn;
	}
	if (same < 3)
		errno = EAGAIN;
	return r;
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
