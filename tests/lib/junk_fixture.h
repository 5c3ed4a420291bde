/*
 * junk_fixture.h - a file of counts in a directory of its own, for tests
 */
#ifndef JUNK_FIXTURE_H
#define JUNK_FIXTURE_H

#include "junk/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char dir[64], path[96];
	struct junk_file file;		/* open for writing */
	struct junk_batch *batch;
	struct junk_words words;
	struct junk_cache *cache;
	uint64_t changes;		/* those the cache is told of */
};

static inline int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *why;

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/junk_test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/words.mdb", f->dir);
	assert_int_equal(junk_file_open(&f->file, f->path, true, &why), 0);
	f->batch = junk_batch_new();
	f->cache = junk_cache_new();
	junk_words_init(&f->words, 1, true);
	*state = f;
	return 0;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;
	char lock[128];

	assert_int_equal(junk_file_close(&f->file, false), 0);
	junk_batch_free(f->batch);
	junk_cache_free(f->cache);
	junk_words_free(&f->words);
	(void)unlink(f->path);
	(void)snprintf(lock, sizeof(lock), "%s-lock", f->path);
	(void)unlink(lock);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

/* What the table is to count once more, or, -1, once less. */
static inline void
train_words(struct fixture *f, const struct junk_words *w,
    enum junk_class class, int sign)
{
	junk_batch_add(f->batch, w, class, sign);
	assert_int_equal(junk_batch_write(f->batch, f->file.txn,
	    f->file.table), 0);
	f->changes++;
}

#define TEST(name, fn) { name, fn, setup, teardown, NULL }

#endif
