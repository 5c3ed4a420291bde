/* kv_fixture.h - a file of two tables in a directory of its own */
#ifndef KV_FIXTURE_H
#define KV_FIXTURE_H

#include "kv/kv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define MAP ((size_t)1 << 30)

static const char *const names[] = { "one", "two", NULL };

struct fixture {
	char dir[64];
	struct kv *k;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/kv_test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->k = kv_open(f->dir, MAP, names);
	assert_non_null(f->k);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];

	kv_close(f->k);
	(void)snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/lock.mdb", f->dir);
	(void)unlink(path);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

#endif
