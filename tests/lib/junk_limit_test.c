/*
 * junk_limit_test.c - J-8, J-9: what is looked at of a message, of folders and
 * of a table, at each limit and one past it
 */
#include "junk_fixture.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>

/* ---- of a message ---- */

static void
add_many(struct buf *b, const char *s, size_t n)
{
	for (; n > 0; n--)
		assert_int_equal(buf_adds(b, s), 0);
}

/* A charset and a field's name: of one byte more the first is cut, the second
 * is none. */
static void
traits(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(1024), want = BUF_INIT(1024);

	for (size_t n = JUNK_TRAIT_MAX; n <= JUNK_TRAIT_MAX + 1; n++) {
		buf_reset(&b);
		add_many(&b, "Content-Type: text/plain; charset=", 1);
		add_many(&b, "c", n);
		add_many(&b, "\n", 1);
		add_many(&b, "N", n);
		add_many(&b, ": x\n\n", 1);
		junk_words_read(&f->words, buf_bytes(&b));
		buf_reset(&want);
		add_many(&want, "charset:", 1);
		add_many(&want, "c", JUNK_TRAIT_MAX);
		assert_true(junk_words_has(&f->words, buf_bytes(&want)));
		buf_reset(&want);
		add_many(&want, "field:", 1);
		add_many(&want, "N", n);
		assert_int_equal(junk_words_has(&f->words, buf_bytes(&want)),
		    n == JUNK_TRAIT_MAX);
	}
	buf_free(&b);
	buf_free(&want);
}

/* The last word of a subject: one byte more in front, and it is cut. */
static void
field_body(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(2 * JUNK_FIELD_MAX);

	for (size_t over = 0; over <= 1; over++) {
		buf_reset(&b);
		add_many(&b, "Subject:", 1);
		add_many(&b, ".", JUNK_FIELD_MAX - 5 + over);
		add_many(&b, " last\n\n", 1);
		junk_words_read(&f->words, buf_bytes(&b));
		assert_int_equal(junk_words_has(&f->words,
		    BYTES("subject:last")), over == 0);
		assert_int_equal(junk_words_has(&f->words,
		    BYTES("subject:las")), over == 1);
	}
	buf_free(&b);
}

static void
fields(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(1 << 20);

	add_many(&b, "X: y\n", JUNK_FIELDS_MAX - 1);
	add_many(&b, "Last: y\nPast: y\n\n", 1);
	junk_words_read(&f->words, buf_bytes(&b));
	assert_true(junk_words_has(&f->words, BYTES("field:Last")));
	assert_false(junk_words_has(&f->words, BYTES("field:Past")));
	buf_free(&b);
}

/* The message itself is the first. */
static void
parts(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(1 << 20);

	add_many(&b, "Content-Type: multipart/mixed; boundary=b\n\n", 1);
	add_many(&b, "--b\n\nx\n", JUNK_PARTS_MAX - 2);
	add_many(&b, "--b\n\nlast\n--b\n\npast\n--b--\n", 1);
	junk_words_read(&f->words, buf_bytes(&b));
	assert_true(junk_words_has(&f->words, BYTES("last")));
	assert_false(junk_words_has(&f->words, BYTES("past")));
	buf_free(&b);
}

/* Of words of the greatest length three are one, four are not. */
static void
grams(void **state)
{
	struct buf b = BUF_INIT(1024);
	struct junk_words w;

	(void)state;
	junk_words_init(&w, 7, true);
	for (int i = 0; i <= JUNK_GRAMS_MAX; i++) {
		const char letter[] = { "aeio"[i], '\0' };

		add_many(&b, letter, JUNK_WORD_MAX);
		if (i == JUNK_GRAMS_MAX - 1) {
			junk_words_add(&w, BYTES_EMPTY, buf_bytes(&b));
			assert_true(junk_words_has(&w, buf_bytes(&b)));
			assert_int_equal(w.n, 3 + 2 + 1);
		}
		add_many(&b, " ", 1);
	}
	junk_words_clear(&w);
	junk_words_add(&w, BYTES_EMPTY, buf_bytes(&b));
	assert_int_equal(w.n, 4 + 3 + 2);
	assert_false(junk_words_has(&w, bytes_trim(buf_bytes(&b))));
	junk_words_free(&w);
	buf_free(&b);
}

/* ---- of a batch and a table ---- */

/* So many words that no message had before. */
static void
other_words(struct fixture *f, struct junk_words *w, size_t n)
{
	struct junk_prefix p = { BYTES_EMPTY, 1, false };
	unsigned char key[8];

	junk_words_clear(w);
	for (; n > 0; n--) {
		be64_put(key, ++f->changes);
		junk_words_put(w, &p, bytes_of(key, 8));
	}
}

static void
batch(void **state)
{
	struct fixture *f = *state;
	size_t left = JUNK_BATCH_MAX - 1, n;
	struct junk_words w;

	junk_words_init(&w, 1, false);
	for (; left > 0; left -= n) {
		n = left < JUNK_WORDS_MAX ? left : JUNK_WORDS_MAX;
		other_words(f, &w, n);
		junk_batch_add(f->batch, &w, JUNK_HAM, 1);
	}
	assert_false(junk_batch_is_full(f->batch));
	junk_batch_add(f->batch, &w, JUNK_HAM, 1);	/* known ones */
	assert_false(junk_batch_is_full(f->batch));
	other_words(f, &w, 1);
	junk_batch_add(f->batch, &w, JUNK_HAM, 1);
	assert_true(junk_batch_is_full(f->batch));
	junk_words_free(&w);
}

/* How many entries a table is said to have; 0: as many as it has. */
static size_t said;

int
mdb_stat(MDB_txn *txn, MDB_dbi dbi, MDB_stat *st)
{
	static int (*real)(MDB_txn *, MDB_dbi, MDB_stat *);
	int rc;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "mdb_stat");
	rc = real(txn, dbi, st);
	if (said != 0)
		st->ms_entries = said;
	return rc;
}

/* Counts that were loaded are those of then, others those of now. */
static uint32_t
count_when_changed(struct fixture *f, size_t entries)
{
	struct junk_counts *c = junk_counts_open(f->file.txn, f->file.table);
	uint32_t count[1][2];

	said = entries;
	assert_int_equal(junk_counts_load(c), 0);
	said = 0;
	train_words(f, &f->words, JUNK_HAM, 1);
	assert_int_equal(junk_counts_all(c, &f->words, count), 0);
	junk_counts_close(c);
	return count[0][JUNK_HAM];
}

static void
table(void **state)
{
	struct fixture *f = *state;

	junk_words_add(&f->words, BYTES_EMPTY, BYTES("word"));
	assert_int_equal(f->words.n, 1);
	train_words(f, &f->words, JUNK_HAM, 1);
	train_words(f, &f->words, JUNK_HAM, 1);
	assert_int_equal(count_when_changed(f, JUNK_LOAD_MAX), 2);
	assert_int_equal(count_when_changed(f, JUNK_LOAD_MAX + 1), 4);
}

/* ---- of files ---- */

static int
note_size(void *ctx, const char *name, struct bytes message)
{
	size_t *size = ctx;

	(void)name;
	*size = message.n;
	return 0;
}

static void
message_file(void **state)
{
	struct fixture *f = *state;
	struct arena a = ARENA_INIT;
	const char *path = arena_printf(&a, "%s/m", f->dir), *where;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	size_t size, n;

	assert_int_not_equal(fd, -1);
	for (n = JUNK_MESSAGE_MAX - 1; n <= JUNK_MESSAGE_MAX + 1; n++) {
		assert_int_equal(ftruncate(fd, (off_t)n), 0);
		size = 0;
		assert_int_equal(junk_walk(&a, path, note_size, &size,
		    &where), 0);
		assert_int_equal(size, n < JUNK_MESSAGE_MAX ? n
		    : JUNK_MESSAGE_MAX);
	}
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
	arena_free(&a);
}

/* dir/d/d/.../m: so many folders in the one that is named, and the file. */
static void
depth(void **state)
{
	struct fixture *f = *state;
	struct arena a = ARENA_INIT;
	const char *path[JUNK_DEPTH_MAX + 1], *file, *where;
	size_t size;
	int i, fd;

	for (i = 0; i <= JUNK_DEPTH_MAX; i++) {
		path[i] = arena_printf(&a, "%s/d", i == 0 ? f->dir
		    : path[i - 1]);
		assert_int_equal(mkdir(path[i], 0700), 0);
		if (i < JUNK_DEPTH_MAX - 1)
			continue;
		file = arena_printf(&a, "%s/m", path[i]);
		fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
		assert_int_not_equal(fd, -1);
		assert_int_equal(write(fd, "x", 1), 1);
		assert_int_equal(close(fd), 0);
		size = 0;
		where = NULL;
		if (i < JUNK_DEPTH_MAX) {
			assert_int_equal(junk_walk(&a, path[0], note_size,
			    &size, &where), 0);
			assert_int_equal(size, 1);
		} else {
			assert_int_equal(junk_walk(&a, path[0], note_size,
			    &size, &where), -1);
			assert_int_equal(errno, ELOOP);
			assert_string_equal(where, file);
		}
		assert_int_equal(unlink(file), 0);
	}
	while (i-- > 0)
		assert_int_equal(rmdir(path[i]), 0);
	arena_free(&a);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("J-8 the longest trait and field name, and one byte more",
		    traits),
		TEST("J-8 the end of what is read of a field", field_body),
		TEST("J-8 the last field, and one more", fields),
		TEST("J-8 the last part, and one more", parts),
		TEST("J-8 three words in one, not four", grams),
		TEST("J-9 a full batch, and one word less", batch),
		TEST("J-9 a table that is read whole, and a larger one",
		    table),
		TEST("J-9 a message file as large as is read, and larger",
		    message_file),
		TEST("J-9 folders in folders, and one more", depth),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
