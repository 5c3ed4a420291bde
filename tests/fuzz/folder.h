/* folder.h - a folder of a fuzz target's own, and what it does with files */
#ifndef FUZZ_FOLDER_H
#define FUZZ_FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"

static char dir[64];

static inline void
must(bool good)
{
	if (!good)
		abort();
}

static inline int
remove_entry(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void
remove_tree(const char *path)
{
	(void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void
remove_dir(void)
{
	remove_tree(dir);
}

/* Make dir, gone at exit, where fsync costs nothing if there is such. */
static inline void
make_dir(const char *name)
{
	(void)snprintf(dir, sizeof(dir), "/dev/shm/%s.XXXXXX", name);
	if (mkdtemp(dir) == NULL) {
		(void)snprintf(dir, sizeof(dir), "/tmp/%s.XXXXXX", name);
		must(mkdtemp(dir) != NULL);
	}
	must(atexit(remove_dir) == 0);
}

static inline void
write_file(const char *path, const unsigned char *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	must(fd != -1);
	must(write(fd, p, n) == (ssize_t)n);
	(void)close(fd);
}

#endif
