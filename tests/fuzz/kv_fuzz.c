/*
 * kv_fuzz.c - an LMDB file with bytes changed, or cut short, by any process
 *
 * It is refused by kv_check, or it is whole: then it opens, each table reads
 * to its end with as many entries as it counts, each found by its key, and
 * what is written to it leaves a file that is whole.
 *
 * The input is what damage.h makes of it. The file is the same each time.
 */
#include "damage.h"
#include "kv/kv.h"

#include <errno.h>

#define MAP ((size_t)1 << 28)
#define ROUNDS 24
#define PER_ROUND 8
#define LONG_VALUE 9000		/* pages of its own */

static const char *const names[] = { "one", "two", "none", NULL };
#define TABLES 3

static char path[96];
static unsigned char zeros[LONG_VALUE];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Values are zeros: what is changed is what LMDB reads. */
static void
put(struct kv_txn *t, unsigned int table, uint32_t i, size_t n)
{
	unsigned char key[4];

	be32_put(key, i);
	must(kv_put(t, table, bytes_of(key, sizeof(key)),
	    bytes_of(zeros, n)) == 0);
}

/* A table with branches, one with long values, and lists of free pages. */
static void
fill(struct kv *k)
{
	struct kv_txn *t;
	uint32_t round, i;

	for (round = 0; round < ROUNDS; round++) {
		must((t = kv_begin(k, true)) != NULL);
		for (i = 0; i < PER_ROUND; i++)
			put(t, 0, (i * ROUNDS + round) * 3 + 1, 40);
		if (round < 4)
			put(t, 1, round * 2 + 1, LONG_VALUE);
		put(t, 1, 100 + round, 1);
		must(kv_commit(t, false) == 0);
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct kv *k;

	(void)argc;
	(void)argv;
	make_dir("kv_fuzz");
	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	must((k = kv_open(dir, MAP, names)) != NULL);
	fill(k);
	kv_close(k);
	learn_file(path);
	return 0;
}

/* Each entry, and each by its key: as many as it counts. */
static void
read_table(struct kv_txn *t, unsigned int table)
{
	struct kv_cursor *c = kv_cursor_open(t, table);
	struct bytes key = BYTES_EMPTY, value, again, last;
	int64_t n = 0;
	int r;

	must(c != NULL);
	must((r = kv_last(c, &last, &value)) != -1);
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		must(kv_get(t, table, key, &again) == 1);
		must(bytes_eq(value, again));
		n++;
		if (n == kv_count(t, table))
			must(bytes_eq(key, last));
	}
	must(r == 0);
	must(n == kv_count(t, table));
	kv_cursor_close(c);
}

static void
read_all(struct kv *k)
{
	struct kv_txn *t = kv_begin(k, false);
	unsigned int table;

	must(t != NULL);
	for (table = 0; table < TABLES; table++)
		read_table(t, table);
	kv_abort(t);
}

/* Remove, add and replace, so that pages are joined, split and used again. */
static void
change_all(struct kv *k)
{
	struct kv_txn *t = kv_begin(k, true);
	unsigned char key[4];
	uint32_t i;

	must(t != NULL);
	for (i = 0; i < 3 * ROUNDS * PER_ROUND; i += i % 50 < 40 ? 3 : 2) {
		be32_put(key, i + 1);
		must(kv_delete(t, 0, bytes_of(key, sizeof(key))) != -1);
	}
	for (i = 0; i < 60; i++)
		put(t, i % TABLES, i, i % 10 == 0 ? LONG_VALUE : i * 10);
	must(kv_commit(t, false) == 0);
	must((t = kv_begin(k, true)) != NULL);
	must(kv_empty(t, 1) == 0);
	must(kv_commit(t, false) == 0);
}

static void
must_be_whole(void)
{
	const char *why = "";

	if (kv_check(dir, &why) == 0)
		return;
	(void)fprintf(stderr, "damaged: %s\n", why);
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = "";
	struct buf b;
	struct kv *k;

	if (size > CHANGE * CHANGES_MAX)
		return 0;
	damage_file(bytes_of(data, size), &b);
	write_file(path, b.p, b.n);
	buf_free(&b);
	if (kv_check(dir, &why) == -1) {
		must(errno == EBADMSG && why[0] != '\0');
		return 0;
	}
	if ((k = kv_open(dir, MAP, names)) == NULL) {
		must(errno == EPROTONOSUPPORT);
		return 0;
	}
	read_all(k);
	change_all(k);
	must_be_whole();
	read_all(k);
	kv_close(k);
	return 0;
}
