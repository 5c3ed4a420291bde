/*
 * Is an LMDB file whole? Pages are read with bounds checked at each step, as
 * page.h lays them out.
 */
#include "kv/kv.h"
#include "kv/page.h"

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
#define META_SIZE (24 + 2 * PAGE_TREE_SIZE + 16)
#define FIRST_PAGE 2		/* behind the two of meta data */
#define INTEGER_KEYS 8		/* the only flag, of the tree of free pages */
#define NO_DIRECTORY 0x4000	/* there too, where the environment is one file */
#define TRIES_MAX 100		/* while others write */
#define TXN_MAX (UINT64_MAX >> 1)	/* no writer comes that far */

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
	if (page_number8(p) != n) {
		(void)damaged(c, "a page has the wrong number");
		return NULL;
	}
	return p;
}

static int
read_node(struct check *c, const unsigned char *page, bool leaf, size_t i,
    struct node *out)
{
	size_t upper = page_number2(page + 14);
	size_t at = page_number2(page + PAGE_HEAD + i * 2), key, size;
	const unsigned char *n = page + at;

	if (at < upper || at % 2 != 0 || at + PAGE_NODE_HEAD > c->page_size)
		return damaged(c, "a node is outside of its page");
	key = page_number2(n + 6);
	if (key > KV_KEY_MAX || key > c->page_size - at - PAGE_NODE_HEAD)
		return damaged(c, "a key is outside of its page");
	out->at = at;
	out->key = bytes_of(n + PAGE_NODE_HEAD, key);
	out->flags = leaf ? (unsigned int)page_number2(n + 4) : 0;
	out->child = page_number2(n) | page_number2(n + 2) << 16;
	if (!leaf) {
		out->child |= page_number2(n + 4) << 32;
		out->data = BYTES_EMPTY;
		out->size = PAGE_NODE_HEAD + key + key % 2;
		return 0;
	}
	size = (out->flags & PAGE_BIG) != 0 ? 8 : out->child;
	if (size > c->page_size - at - PAGE_NODE_HEAD - key)
		return damaged(c, "a value is outside of its page");
	out->data = bytes_of(n + PAGE_NODE_HEAD + key, size);
	out->size = PAGE_NODE_HEAD + key + size + (key + size) % 2;
	/* Two fit into a page, or LMDB could not split it. */
	if (PAGE_NODE_HEAD + key + size >
	    (c->page_size - PAGE_HEAD) / 4 * 2 - 2)
		return damaged(c, "a value too long for its page");
	return 0;
}

/* The value of a leaf's node, wherever it is. */
static int
find_value(struct check *c, struct tree *t, struct node *n)
{
	uint64_t first, count, i;
	const unsigned char *p;

	if ((n->flags & PAGE_BIG) == 0)
		return 0;
	first = page_number8(n->data.p);
	if ((p = page_at(c, first)) == NULL)
		return -1;
	count = page_number4(p + 12);
	if (page_number2(p + 10) != PAGE_OVERFLOW || count == 0 ||
	    count > c->pages - first || count > c->there - first ||
	    n->child > count * c->page_size - PAGE_HEAD)
		return damaged(c, "a long value does not fit its pages");
	for (i = 1; i < count; i++) {
		if (meet(c, first + i) == -1)
			return -1;
	}
	t->overflow += count;
	n->data = bytes_of(p + PAGE_HEAD, n->child);
	return 0;
}

/* A list of free pages: their number, then each, the last ones first. */
static int
check_free(struct check *c, const struct node *n)
{
	uint64_t txn = page_number8(n->key.p), count, i, one, last = UINT64_MAX;
	const unsigned char *p = n->data.p;

	if (txn == 0 || txn > c->txn)
		return damaged(c, "free pages of no transaction");
	if (n->data.n < 8 || n->data.n % 8 != 0 ||
	    (count = page_number8(p)) > n->data.n / 8 - 1)
		return damaged(c, "a list of free pages is cut off");
	for (i = 1; i <= count; i++) {
		one = page_number8(p + i * 8);
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
	if (n->flags != 0 && n->flags != PAGE_BIG && n->flags != PAGE_SUB)
		return damaged(c, "a value of unknown kind");
	if (n->key.n == 0)
		return damaged(c, "a key that is empty");
	if ((t->kind == TABLES) != ((n->flags & PAGE_SUB) != 0))
		return damaged(c, t->kind == TABLES
		    ? "a table without its tree"
		    : "a table where none can be");
	if (t->kind == TABLES)
		return n->data.n != PAGE_TREE_SIZE
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
	x = page_number8(a.p);
	y = page_number8(b.p);
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
	return sum == c->page_size - page_number2(p + 14) ? 0
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
	lower = page_number2(p + 12);
	upper = page_number2(p + 14);
	if (page_number2(p + 10) != (leaf ? PAGE_LEAF : PAGE_BRANCH))
		return damaged(c, "a page of the wrong kind");
	if (lower < PAGE_HEAD || lower > upper || upper > c->page_size ||
	    lower % 2 != 0 || upper % 2 != 0)
		return damaged(c, "a page with impossible bounds");
	count = (lower - PAGE_HEAD) / 2;
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
	uint64_t depth = page_number2(tree + 6), root = page_number8(tree + 40);
	uint64_t flags = page_number2(tree + 4);

	/* Several values of one key, or keys read backwards, are not ours. */
	if (kind == FREE)	/* it has flags of the file, too */
		flags &= ~(uint64_t)NO_DIRECTORY;
	if (flags != (kind == FREE ? INTEGER_KEYS : 0))
		return damaged(c, "a tree of another kind");
	if (root == PAGE_NONE ? depth != 0 : depth == 0)
		return damaged(c, "a tree without root");
	if (depth > PAGE_DEPTH_MAX)
		return damaged(c, "a tree of impossible depth");
	if (root != PAGE_NONE && check_page(c, &t, root, (unsigned int)depth,
	    all) == -1)
		return -1;
	return page_number8(tree + 24) == t.overflow &&
	    page_number8(tree + 32) == t.entries ? 0
	    : damaged(c, "a tree of another size");
}

/* Its body, or NULL. */
static const unsigned char *
meta_at(struct bytes file, size_t at)
{
	const unsigned char *m;

	if (file.n < at + PAGE_HEAD + META_SIZE)
		return NULL;
	m = file.p + at + PAGE_HEAD;
	return page_number4(m) == MAGIC ? m : NULL;
}

/* The snapshot of a meta page. */
static int
check_snapshot(struct check *c, struct bytes file, const unsigned char *m)
{
	uint64_t i;
	int r;

	c->txn = page_number8(m + META_SIZE - 8);
	c->pages = page_number8(m + META_SIZE - 16);
	c->there = file.n / c->page_size;
	/* What is not in the file is free, and a list in it says so. */
	if (c->pages >= c->there + file.n / 8)
		return damaged(c, "an impossible last page");
	c->pages++;
	c->met = mem_zalloc(c->pages / 8 + 1, 1);
	c->taken = mem_zalloc(c->page_size / 2, 1);
	r = check_tree(c, m + 24, FREE);
	if (r == 0)
		r = check_tree(c, m + 24 + PAGE_TREE_SIZE, TABLES);
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
	uint64_t a = page_number8(meta[0] + META_SIZE - 8);
	uint64_t b = page_number8(meta[1] + META_SIZE - 8);
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
	c.page_size = page_number4(meta[0] + 24);
	if (c.page_size < 512 || c.page_size > 32768 ||
	    (c.page_size & (c.page_size - 1)) != 0)
		return damaged(&c, "an impossible page size");
	if ((meta[1] = meta_at(file, c.page_size)) == NULL ||
	    page_number4(meta[1] + 24) != c.page_size ||
	    page_number4(meta[0] + 4) != page_number4(meta[1] + 4))
		return damaged(&c, "the second meta page is damaged");
	if (page_number4(meta[0] + 4) != VERSION_KNOWN)
		return 0;	/* another LMDB: kv_open says so */
	if ((newer = choose_meta(&c, meta)) == -1)
		return -1;
	memcpy(copy, meta[newer], sizeof(copy));	/* of one moment */
	*txn = page_number8(copy + META_SIZE - 8);
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
