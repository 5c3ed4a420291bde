/*
 * kv_test.c - tables, snapshots, and damaged files told from whole ones
 */
#include "kv_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct bytes
key_of(unsigned char out[4], uint32_t n)
{
	be32_put(out, n);
	return bytes_of(out, 4);
}

/* n entries of some bytes each in a table. */
static void
fill(struct kv *k, unsigned int table, uint32_t n, size_t size)
{
	struct kv_txn *t = kv_begin(k, true);
	unsigned char key[4];
	uint32_t i;

	assert_non_null(t);
	for (i = 0; i < n; i++) {
		unsigned char *p = kv_put_room(t, table, key_of(key, i),
		    size);

		assert_non_null(p);
		memset(p, (int)(i & 0xff), size);
	}
	assert_int_equal(kv_commit(t, true), 0);
}

static void
values_are_kept_in_order(void **state)
{
	struct fixture *f = *state;
	struct bytes key = BYTES_EMPTY, value;
	struct kv_cursor *c;
	struct kv_txn *t;
	unsigned char k4[4];
	uint32_t n = 0;

	fill(f->k, 0, 1000, 20);
	t = kv_begin(f->k, false);
	assert_int_equal(kv_count(t, 0), 1000);
	assert_int_equal(kv_count(t, 1), 0);
	assert_int_equal(kv_get(t, 0, key_of(k4, 5), &value), 1);
	assert_int_equal(value.p[0], 5);
	assert_int_equal(kv_get(t, 0, key_of(k4, 1000), &value), 0);
	c = kv_cursor_open(t, 0);
	assert_int_equal(kv_seek(c, &key, &value), 1);
	do {
		assert_int_equal(be32_get(key.p), n);
		n++;
	} while (kv_next(c, &key, &value) == 1);
	assert_int_equal(n, 1000);
	key = key_of(k4, 999);
	assert_int_equal(kv_seek(c, &key, &value), 1);
	assert_int_equal(kv_next(c, &key, &value), 0);
	assert_int_equal(kv_last(c, &key, &value), 1);
	assert_int_equal(be32_get(key.p), 999);
	kv_cursor_close(c);
	kv_abort(t);
	t = kv_begin(f->k, true);
	assert_int_equal(kv_delete(t, 0, key_of(k4, 7)), 1);
	assert_int_equal(kv_delete(t, 0, key_of(k4, 7)), 0);
	assert_int_equal(kv_empty(t, 1), 0);
	assert_int_equal(kv_put(t, 1, BYTES("x"), BYTES_EMPTY), 0);
	assert_int_equal(kv_get(t, 1, BYTES("x"), &value), 1);
	assert_int_equal(value.n, 0);
	assert_int_equal(kv_commit(t, false), 0);
}

static void
readers_see_one_snapshot(void **state)
{
	struct fixture *f = *state;
	struct kv_txn *r, *w;
	struct bytes value;

	r = kv_begin(f->k, false);
	w = kv_begin(f->k, true);
	assert_int_equal(kv_put(w, 0, BYTES("a"), BYTES("1")), 0);
	assert_int_equal(kv_get(r, 0, BYTES("a"), &value), 0);
	assert_int_equal(kv_commit(w, false), 0);
	assert_int_equal(kv_get(r, 0, BYTES("a"), &value), 0);
	kv_abort(r);
	r = kv_begin(f->k, false);
	assert_int_equal(kv_get(r, 0, BYTES("a"), &value), 1);
	kv_abort(r);
	w = kv_begin(f->k, true);
	assert_int_equal(kv_put(w, 0, BYTES("b"), BYTES("1")), 0);
	kv_abort(w);
	r = kv_begin(f->k, false);
	assert_int_equal(kv_get(r, 0, BYTES("b"), &value), 0);
	kv_abort(r);
}

static void
keys_have_a_limit(void **state)
{
	struct fixture *f = *state;
	unsigned char key[KV_KEY_MAX + 1] = { 1 };
	struct kv_txn *w = kv_begin(f->k, true);

	assert_int_equal(kv_put(w, 0, bytes_of(key, KV_KEY_MAX),
	    BYTES("x")), 0);
	assert_int_equal(kv_put(w, 0, bytes_of(key, KV_KEY_MAX + 1),
	    BYTES("x")), -1);
	assert_int_equal(errno, EINVAL);
	kv_abort(w);
}

/* Many at once: those not there are passed over, the others are gone. */
static void
many_keys_are_removed(void **state)
{
	struct fixture *f = *state;
	unsigned char keys[1000 * 4], key[4];
	struct kv_txn *t;
	struct bytes v;
	uint32_t i;

	fill(f->k, 0, 1000, 300);
	for (i = 0; i < 1000; i++)
		be32_put(keys + 4 * i, i * 3);
	t = kv_begin(f->k, true);
	assert_int_equal(kv_delete_many(t, 0, keys, 4, 0), 0);
	assert_int_equal(kv_count(t, 0), 1000);
	assert_int_equal(kv_delete_many(t, 0, keys, 4, 1000), 0);
	assert_int_equal(kv_commit(t, false), 0);
	t = kv_begin(f->k, false);
	assert_int_equal(kv_count(t, 0), 666);
	for (i = 0; i < 1000; i++)
		assert_int_equal(kv_get(t, 0, key_of(key, i), &v),
		    i % 3 != 0);
	kv_abort(t);
}

/* A writer that is killed leaves its lock; the next one gets it. */
static void
killed_writers_leave_nothing(void **state)
{
	struct fixture *f = *state;
	struct kv_txn *t;
	struct bytes v;
	int status, i;
	pid_t pid;

	kv_close(f->k);
	f->k = NULL;
	for (i = 0; i < 3; i++) {
		if ((pid = fork()) == 0) {
			struct kv *k = kv_open(f->dir, MAP, names);

			t = kv_begin(k, true);
			(void)kv_put(t, 0, BYTES("x"), BYTES("y"));
			(void)kill(getpid(), SIGKILL);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		f->k = kv_open(f->dir, MAP, names);
		assert_non_null(f->k);
		t = kv_begin(f->k, true);
		assert_non_null(t);
		assert_int_equal(kv_get(t, 0, BYTES("x"), &v), 0);
		kv_abort(t);
		kv_close(f->k);
		f->k = NULL;
	}
}

/* Commits must not change the size of the file each time. */
static void
blocks_are_ready_ahead(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct stat st;
	off_t last = 0;
	int changes = 0;
	uint32_t i;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	for (i = 0; i < 200; i++) {
		struct kv_txn *t = kv_begin(f->k, true);
		unsigned char key[4];

		assert_int_equal(kv_put(t, 0, key_of(key, i),
		    BYTES("some value of a few bytes")), 0);
		assert_int_equal(kv_commit(t, false), 0);
		assert_int_equal(stat(path, &st), 0);
		changes += st.st_size != last;
		last = st.st_size;
	}
	assert_true(changes <= 3);
}

/* ---- damage ---- */

static void
write_at(const struct fixture *f, off_t at, const void *p, size_t n)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	fd = open(path, O_WRONLY);
	assert_int_not_equal(fd, -1);
	assert_int_equal(pwrite(fd, p, n, at), n);
	(void)close(fd);
}

static void
whole_files_are_whole(void **state)
{
	struct fixture *f = *state;
	const char *why = NULL;
	unsigned char key[4];
	struct kv_txn *t;
	uint32_t i;

	assert_int_equal(kv_check(f->dir, &why), 0);
	fill(f->k, 0, 3000, 50);
	fill(f->k, 1, 20, 30000);	/* long values: overflow pages */
	assert_int_equal(kv_check(f->dir, &why), 0);
	for (i = 0; i < 3000; i += 3) {
		t = kv_begin(f->k, true);
		assert_int_equal(kv_delete(t, 0, key_of(key, i)), 1);
		assert_int_equal(kv_commit(t, false), 0);
	}
	assert_int_equal(kv_check(f->dir, &why), 0);
	t = kv_begin(f->k, true);
	assert_int_equal(kv_empty(t, 0), 0);
	assert_int_equal(kv_commit(t, false), 0);
	assert_int_equal(kv_check(f->dir, &why), 0);
	assert_null(why);
	assert_int_equal(kv_check("/nonexistent", &why), 0);
}

/*
 * Pages that a transaction took at the end of the file and freed again are
 * not written: a file that ends before them is whole.
 */
static void
files_may_end_before_free_pages(void **state)
{
	static unsigned char value[200000];
	struct fixture *f = *state;
	const char *why = NULL;
	unsigned char key[4];
	struct kv_txn *t;
	char path[128];
	struct stat st;
	uint32_t i;
	int round;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	fill(f->k, 0, 300, 50);
	for (round = 0; round < 2; round++) {
		t = kv_begin(f->k, true);
		for (i = 0; i < 20; i++)
			assert_int_equal(kv_put(t, 1, key_of(key, i),
			    bytes_of(value, sizeof(value))), 0);
		for (i = 0; i < 20; i++)
			assert_int_equal(kv_delete(t, 1, key_of(key, i)), 1);
		assert_int_equal(kv_commit(t, false), 0);
		assert_int_equal(kv_check(f->dir, &why), 0);
		kv_close(f->k);
		f->k = NULL;
		if (round == 1) {	/* as after a kill in the commit */
			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(truncate(path,
			    st.st_size - 3000000), 0);
			assert_int_equal(kv_check(f->dir, &why), 0);
		}
		f->k = kv_open(f->dir, MAP, names);
		assert_non_null(f->k);
		t = kv_begin(f->k, false);
		assert_int_equal(kv_count(t, 0), 300);
		kv_abort(t);
	}
}

static void
cut_files_are_damaged(void **state)
{
	struct fixture *f = *state;
	const char *why = NULL;
	char path[128];

	fill(f->k, 0, 3000, 50);
	kv_close(f->k);
	f->k = NULL;
	(void)snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	assert_int_equal(truncate(path, 40000), 0);
	assert_int_equal(kv_check(f->dir, &why), -1);
	assert_int_equal(errno, EBADMSG);
	assert_non_null(why);
	f->k = kv_open(f->dir, MAP, names);
	assert_null(f->k);
	assert_int_equal(errno, EBADMSG);
}

/*
 * Overwrite any page with rubbish: either it is not in use, and every value
 * can still be read, or kv_check tells. Never does reading what it passed
 * crash.
 */
static void
rubbish_pages_are_damaged(void **state)
{
	struct fixture *f = *state;
	unsigned char page[4096], rubbish[4096];
	const char *why;
	char path[128];
	struct stat st;
	int fd, told = 0, unused = 0;
	off_t at;
	size_t i;

	fill(f->k, 0, 500, 100);
	fill(f->k, 1, 5, 10000);
	kv_close(f->k);
	f->k = NULL;
	for (i = 0; i < sizeof(rubbish); i++)
		rubbish[i] = (unsigned char)(i * 37 + i / 256 + 11);
	(void)snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	fd = open(path, O_RDONLY);
	assert_int_equal(fstat(fd, &st), 0);
	for (at = 0; at + 4096 <= st.st_size && at < 100 * 4096; at += 4096) {
		assert_int_equal(pread(fd, page, 4096, at), 4096);
		write_at(f, at, rubbish, 4096);
		if (kv_check(f->dir, &why) == -1) {
			assert_int_equal(errno, EBADMSG);
			told++;
		} else {
			unused++;
		}
		write_at(f, at, page, 4096);
	}
	(void)close(fd);
	assert_int_equal(kv_check(f->dir, &why), 0);
	assert_true(told >= 15);
	assert_true(unused > 0);
}

/* One byte anywhere in a page in use: told, or harmless to every reader. */
static void
flipped_bytes_do_not_crash_readers(void **state)
{
	struct fixture *f = *state;
	unsigned char old, new;
	const char *why;
	char path[128];
	int fd, told = 0, status;
	off_t at;
	pid_t pid;

	fill(f->k, 0, 40, 60);
	kv_close(f->k);
	f->k = NULL;
	(void)snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	fd = open(path, O_RDWR);
	for (at = 0; at < 8 * 4096; at += at % 4096 < 64 ? 1 : 97) {
		assert_int_equal(pread(fd, &old, 1, at), 1);
		new = old ^ 0x41;
		write_at(f, at, &new, 1);
		if (kv_check(f->dir, &why) == -1) {
			told++;
			write_at(f, at, &old, 1);
			continue;
		}
		if ((pid = fork()) == 0) {
			struct kv *k = kv_open(f->dir, MAP, names);
			struct bytes key = BYTES_EMPTY, value;
			struct kv_cursor *c;
			struct kv_txn *t;
			unsigned long sum = 0;

			if (k == NULL)
				_exit(0);
			t = kv_begin(k, false);
			c = kv_cursor_open(t, 0);
			while (kv_next(c, &key, &value) == 1)
				sum += value.n > 0 ? value.p[value.n - 1] : 0;
			_exit(sum == 12345678 ? 1 : 0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		write_at(f, at, &old, 1);
	}
	(void)close(fd);
	assert_true(told > 20);
}

#define TEST(name, fn) { name, fn, setup, teardown, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("values are kept in order of their keys",
		    values_are_kept_in_order),
		TEST("readers see one snapshot", readers_see_one_snapshot),
		TEST("keys have a limit, and one past it", keys_have_a_limit),
		TEST("many keys are removed at once", many_keys_are_removed),
		TEST("killed writers leave nothing",
		    killed_writers_leave_nothing),
		TEST("blocks are ready ahead of need", blocks_are_ready_ahead),
		TEST("whole files pass the check", whole_files_are_whole),
		TEST("files may end before free pages",
		    files_may_end_before_free_pages),
		TEST("cut files are told", cut_files_are_damaged),
		TEST("rubbish pages are told", rubbish_pages_are_damaged),
		TEST("flipped bytes do not crash readers",
		    flipped_bytes_do_not_crash_readers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
