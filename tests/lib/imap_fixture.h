/*
 * imap_fixture.h - an account in a directory of its own, for sessions
 */
#ifndef IMAP_FIXTURE_H
#define IMAP_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "imap/imap.h"
#include "store/store.h"

static struct store *store;
static char dir[] = "/tmp/imap_test.XXXXXX";
static char account_dir[64], run_dir[64], tmp_dir[128];

static inline int
remove_entry(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int
make_store(void **state)
{
	struct store_options o = { .account = "alice", .dir = account_dir,
	    .run = run_dir, .create = true };

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(account_dir, sizeof(account_dir), "%s/alice", dir);
	snprintf(run_dir, sizeof(run_dir), "%s/run", dir);
	snprintf(tmp_dir, sizeof(tmp_dir), "%s/Maildir/tmp", account_dir);
	store = store_open(&o);
	return store == NULL ? -1 : 0;
}

static inline int
remove_store(void **state)
{
	(void)state;
	store_close(store);
	return nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
