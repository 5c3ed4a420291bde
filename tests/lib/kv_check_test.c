/*
 * kv_check_test.c - what kv_check tells of a file, and that it tells nothing
 * of what LMDB writes
 */
#include "kv/kv.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MAP ((size_t)1 << 28)
#define PAGE 4096
#define HEAD 16
#define META_TREES 24		/* in the body of a meta page */
#define TREE 48
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const names[] = { "one", "two", NULL };

struct fixture {
	char dir[64];
	struct kv *k;
	unsigned char *p;	/* the file while it is closed */
	size_t n;
	size_t meta;		/* the newer one's body */
};

static int
setup(void **state)
{
	struct fixture *f = mem_zalloc(1, sizeof(*f));

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/kv_check_test.XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	f->k = kv_open(f->dir, MAP, names);
	*state = f;
	return f->k == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	static const char *const name[] = { "data.mdb", "lock.mdb" };
	struct fixture *f = *state;
	char path[96];
	size_t i;

	kv_close(f->k);
	for (i = 0; i < COUNT(name); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name[i]);
		(void)unlink(path);
	}
	(void)rmdir(f->dir);
	free(f->p);
	free(f);
	return 0;
}

static void
put(struct kv_txn *t, unsigned int table, uint32_t i, size_t n)
{
	static unsigned char value[60000];
	unsigned char key[4];

	be32_put(key, i);
	memset(value, (int)(i & 0xff), n);
	assert_int_equal(kv_put(t, table, bytes_of(key, 4),
	    bytes_of(value, n)), 0);
}

static void
check_whole(struct fixture *f)
{
	const char *why = "";

	if (kv_check(f->dir, &why) == -1)
		fail_msg("a whole file is damaged: %s", why);
}

/* ---- nothing is told of what LMDB writes ---- */

static void
change(struct kv_txn *t, unsigned int *seed)
{
	unsigned int what = (unsigned int)rand_r(seed) % 100;
	unsigned int table = (unsigned int)rand_r(seed) % 2;
	uint32_t i = (uint32_t)rand_r(seed) % 3000;
	unsigned char key[4];

	be32_put(key, i);
	if (what < 50)
		put(t, table, i, (size_t)rand_r(seed) % 200);
	else if (what < 60)
		put(t, table, i, (size_t)rand_r(seed) % 30000);
	else if (what < 62)
		put(t, table, i, 1990 + (size_t)rand_r(seed) % 100);
	else
		assert_int_not_equal(kv_delete(t, table, bytes_of(key, 4)),
		    -1);
}

static void
random_changes_leave_whole_files(void **state)
{
	struct fixture *f = *state;
	struct kv_txn *t, *view = NULL;
	unsigned int seed = 7, i, n;
	int round;

	for (round = 0; round < 500; round++) {
		assert_non_null(t = kv_begin(f->k, true));
		n = (unsigned int)rand_r(&seed) % (round % 50 == 0 ? 3000
		    : 60);
		for (i = 0; i < n; i++)
			change(t, &seed);
		if (round % 97 == 96)
			assert_int_equal(kv_empty(t, round % 2), 0);
		if (round % 11 == 10)
			kv_abort(t);
		else
			assert_int_equal(kv_commit(t, false), 0);
		check_whole(f);
		if (round % 30 == 10) {		/* free pages are kept for it */
			kv_abort(view);
			view = round % 60 == 10 ? kv_begin(f->k, false) : NULL;
		}
		if (round % 120 == 119) {
			kv_abort(view);
			view = NULL;
			kv_close(f->k);
			assert_non_null(f->k = kv_open(f->dir, MAP, names));
		}
	}
	kv_abort(view);
}

/* ---- what is told ---- */

static uint64_t
number(const struct fixture *f, size_t at, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, f->p + at, n);
	return v;
}

static size_t
tree_at(const struct fixture *f, size_t which)
{
	return f->meta + META_TREES + which * TREE;
}

static size_t
root_of(const struct fixture *f, size_t tree)
{
	return (size_t)number(f, tree + 40, 8) * PAGE;
}

static size_t
node_at(const struct fixture *f, size_t page, size_t i)
{
	return page + (size_t)number(f, page + HEAD + i * 2, 2);
}

static size_t
value_at(const struct fixture *f, size_t node)
{
	return node + 8 + (size_t)number(f, node + 6, 2);
}

/* Its tree: one has a branch and leaves, two values that are long. */
static size_t
table_at(const struct fixture *f, size_t which)
{
	return value_at(f, node_at(f, root_of(f, tree_at(f, 1)), which));
}

static size_t at_meta(const struct fixture *f) { return f->meta; }
static size_t at_head(const struct fixture *f) { return f->meta - HEAD; }
static size_t at_free(const struct fixture *f) { return tree_at(f, 0); }
static size_t at_main(const struct fixture *f) { return tree_at(f, 1); }
static size_t at_one(const struct fixture *f) { return table_at(f, 0); }
static size_t at_two(const struct fixture *f) { return table_at(f, 1); }

static size_t
at_branch(const struct fixture *f)
{
	return root_of(f, table_at(f, 0));
}

static size_t
at_child(const struct fixture *f)	/* the second one's node */
{
	return node_at(f, at_branch(f), 1);
}

static size_t
at_leaf(const struct fixture *f)
{
	return (size_t)number(f, at_child(f), 2) * PAGE;
}

static size_t
at_leaf_node(const struct fixture *f)
{
	return node_at(f, at_leaf(f), 0);
}

static size_t
at_long(const struct fixture *f)	/* the page of a long value */
{
	return (size_t)number(f, value_at(f, node_at(f, root_of(f,
	    table_at(f, 1)), 0)), 8) * PAGE;
}

static size_t
at_long_node(const struct fixture *f)
{
	return node_at(f, root_of(f, table_at(f, 1)), 0);
}

static size_t
at_list(const struct fixture *f)	/* the first list of free pages */
{
	return value_at(f, node_at(f, root_of(f, tree_at(f, 0)), 0));
}

static size_t
at_list_key(const struct fixture *f)
{
	return node_at(f, root_of(f, tree_at(f, 0)), 0) + 8;
}

static size_t
at_last_key(const struct fixture *f)
{
	size_t page = root_of(f, tree_at(f, 0));

	return node_at(f, page, (size_t)(number(f, page + 12, 2) - HEAD) / 2 -
	    1) + 8;
}

struct row {
	const char *name;
	size_t (*at)(const struct fixture *);
	size_t offset, n;
	uint64_t value;
	const char *why;
};

static const struct row rows[] = {
	{ "magic", at_meta, 0, 1, 0, "meta page is damaged" },
	{ "kind of its page", at_head, 10, 2, 0x14, "meta page is damaged" },
	{ "version of one", at_meta, 4, 1, 9, "meta page is damaged" },
	{ "page size", at_meta, 24, 4, 8192, "meta page is damaged" },
	{ "another transaction", at_meta, 24 + 2 * TREE + 8 + 7, 1, 0x80,
	    "of no transaction" },
	{ "last page", at_meta, 24 + 2 * TREE, 8, 1 << 22, "last page" },
	{ "last page, below", at_meta, 24 + 2 * TREE, 8, 4,
	    "out of range" },
	{ "tables in a meta page", at_main, 40, 8, 1, "out of range" },
	{ "keys of one tree backwards", at_one, 4, 2, 2, "another kind" },
	{ "several values of a key", at_one, 4, 2, 4, "another kind" },
	{ "free pages not numbers", at_free, 4, 2, 0, "another kind" },
	{ "too deep", at_one, 6, 2, 33, "impossible depth" },
	{ "deeper", at_one, 6, 2, 3, "wrong kind" },
	{ "root without depth", at_one, 6, 2, 0, "without root" },
	{ "entries", at_one, 32, 8, 1, "another size" },
	{ "long values", at_two, 24, 8, 0, "another size" },
	{ "number of a page", at_leaf, 0, 8, 2, "wrong number" },
	{ "flags of a page", at_leaf, 10, 2, 0x22, "wrong kind" },
	{ "a page that is marked", at_leaf, 10, 2, 0x4002, "wrong kind" },
	{ "odd bounds", at_leaf, 12, 1, 0x13, "impossible bounds" },
	{ "beyond its page", at_leaf, HEAD, 2, 4092, "outside" },
	{ "key too long", at_leaf_node, 6, 2, 600, "outside" },
	{ "value too long", at_leaf_node, 0, 2, 4090, "outside" },
	{ "another kind of value", at_leaf_node, 4, 2, 4, "unknown kind" },
	{ "a table in a table", at_leaf_node, 4, 2, 2, "none can be" },
	{ "order of keys", at_leaf_node, 8, 1, 9, "out of order" },
	{ "key above its page", at_child, 8, 1, 9, "out of order" },
	{ "page of a long value", at_long, 10, 2, 2, "does not fit" },
	{ "too few pages", at_long, 12, 4, 1, "does not fit" },
	{ "pages past the end", at_long, 12, 4, 1 << 30, "does not fit" },
	{ "long value too long", at_long_node, 2, 2, 1, "does not fit" },
	{ "more free pages", at_list, 0, 8, 1 << 20, "cut off" },
	{ "free page twice", at_list, 8, 8, 2, "order" },
	{ "free pages of the future", at_last_key, 0, 8, 1 << 30,
	    "of no transaction" },
	{ "free pages of none", at_list_key, 0, 8, 0, "of no transaction" },
};

static void
make_file(struct fixture *f)
{
	struct buf b = BUF_INIT((size_t)1 << 24);
	struct kv_txn *t;
	char path[96];
	uint32_t i;

	for (i = 0; i < 400; i++) {
		assert_non_null(t = kv_begin(f->k, true));
		put(t, 0, i, 60);
		if (i < 5)
			put(t, 1, i, 10000);
		assert_int_equal(kv_commit(t, false), 0);
	}
	check_whole(f);
	kv_close(f->k);
	f->k = NULL;
	(void)snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	assert_int_equal(io_read_file(AT_FDCWD, path, &b), 0);
	f->n = b.n;
	f->p = mem_zalloc(b.n, 1);
	memcpy(f->p, b.p, b.n);
	buf_free(&b);
	f->meta = HEAD;
	if (number(f, PAGE + HEAD + META_TREES + 2 * TREE + 8, 8) >
	    number(f, HEAD + META_TREES + 2 * TREE + 8, 8))
		f->meta = PAGE + HEAD;
}

static const char *
told(struct fixture *f, size_t at, const void *p, size_t n)
{
	const char *why = "nothing";
	char path[96];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	assert_int_not_equal(fd = open(path, O_WRONLY), -1);
	assert_int_equal(pwrite(fd, p, n, (off_t)at), n);
	if (kv_check(f->dir, &why) == -1)
		assert_int_equal(errno, EBADMSG);
	assert_int_equal(pwrite(fd, f->p + at, n, (off_t)at), n);
	assert_int_equal(close(fd), 0);
	return why;
}

static void
each_damage_is_told(void **state)
{
	struct fixture *f = *state;
	const char *why;
	size_t i;

	make_file(f);
	for (i = 0; i < COUNT(rows); i++) {
		why = told(f, rows[i].at(f) + rows[i].offset, &rows[i].value,
		    rows[i].n);
		if (strstr(why, rows[i].why) == NULL)
			fail_msg("%s: told %s", rows[i].name, why);
	}
	check_whole(f);
}

/* A page that is in a tree, or in a list, is nowhere else. */
static void
pages_have_one_place(void **state)
{
	struct fixture *f = *state;
	uint64_t used, freed, last;

	make_file(f);
	used = number(f, at_child(f), 2);
	assert_non_null(strstr(told(f, node_at(f, at_branch(f), 2), &used,
	    2), "two places"));
	used = at_long(f) / PAGE + 1;
	assert_non_null(strstr(told(f, at_child(f), &used, 2),
	    "wrong number"));
	/* The last of a list is the lowest. */
	freed = at_list(f) + 8 * (size_t)number(f, at_list(f), 8);
	last = root_of(f, tree_at(f, 1)) / PAGE;
	if (number(f, at_list(f), 8) > 1 && last > number(f, freed - 8, 8))
		last = at_branch(f) / PAGE;
	assert_string_not_equal(told(f, freed, &last, 8), "nothing");
	last = UINT64_C(1) << 20;
	assert_non_null(strstr(told(f, at_list(f) + 8, &last, 8),
	    "out of range"));
}

/* Every byte of the trees: nothing is read outside (under the sanitizer). */
static void
no_byte_leads_outside(void **state)
{
	struct fixture *f = *state;
	unsigned char new;
	size_t at, n = 0;

	make_file(f);
	for (at = 0; at < f->n && at < 60 * PAGE; at += at % PAGE < 80 ? 1
	    : 61) {
		new = f->p[at] ^ 0xff;
		n += strcmp(told(f, at, &new, 1), "nothing") != 0;
	}
	assert_true(n > 200);
}

#define TEST(name, fn) { name, fn, setup, teardown, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("random changes leave whole files",
		    random_changes_leave_whole_files),
		TEST("each damage is told by its name", each_damage_is_told),
		TEST("a page has one place", pages_have_one_place),
		TEST("no byte leads outside", no_byte_leads_outside),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
