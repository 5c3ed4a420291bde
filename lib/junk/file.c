/*
 * file.c - a word file of its own: one LMDB environment in one file
 */
#include "junk/internal.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const tables[] = { "word", NULL };

/* While the file is read it may be written, and pages be used again. */
#define CHECK_TRIES 3

#define READ_AHEAD_BYTES ((size_t)16 << 20)
#define MAP_UNIT ((size_t)65536)

/* LMDB trusts its pages, and nobody else looks after this file. */
static int
check(const char *path, const char **why)
{
	int i, r = -1;

	for (i = 0; i < CHECK_TRIES && r == -1; i++) {
		r = kv_check_file(path, why);
		if (r == -1 && errno != EBADMSG)
			break;
	}
	return r;
}

/* What is mapped to read a file: all of it, and what is added while it is
 * opened. Not more, so that a filter runs where address space is limited. */
static size_t
read_bytes(const char *path)
{
	struct stat st;
	size_t n;

	return stat(path, &st) == -1 || st.st_size < 0 ||
	    !size_add((size_t)st.st_size, READ_AHEAD_BYTES, &n) ||
	    n > JUNK_FILE_BYTES ? JUNK_FILE_BYTES : n - n % MAP_UNIT;
}

int
junk_file_open(struct junk_file *f, const char *path, bool write,
    const char **why)
{
	int err;

	*f = (struct junk_file){ NULL, NULL, 0 };
	*why = "it cannot be opened";
	if (!write && access(path, R_OK) == -1)
		return -1;
	if (check(path, why) == -1)
		return -1;
	f->kv = kv_open_file(path, write ? JUNK_FILE_BYTES
	    : read_bytes(path), tables);
	if (f->kv == NULL)
		return -1;
	f->txn = kv_begin(f->kv, write);
	if (f->txn == NULL) {
		err = errno;
		kv_close(f->kv);
		errno = err;
		return -1;
	}
	return 0;
}

int
junk_file_close(struct junk_file *f, bool commit)
{
	int r = 0;

	if (commit)
		r = kv_commit(f->txn, true);
	else
		kv_abort(f->txn);
	kv_close(f->kv);
	return r;
}
