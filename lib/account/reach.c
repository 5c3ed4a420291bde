/* reach.c - what a process that works on accounts keeps in reach */
#include "account/account.h"

#include <errno.h>
#include <sys/stat.h>

/* iconv(3) loads a module for each character set from below these. */
static const char *const libraries[] = { "/usr/lib", "/usr/lib64", "/lib",
	"/lib64", "/usr/local/lib", "/etc/ld.so.cache" };

/* A folder that is there from now on, to be changed. */
static int
add_folder(struct os_reach *r, const char *path)
{
	if (mkdir(path, 0700) == -1 && errno != EEXIST && errno != EACCES &&
	    errno != ENOENT)
		return -1;
	return os_reach_path(r, path, OS_REACH_WRITE);
}

int
account_reach(struct arena *a, struct os_reach *r, const char *name)
{
	const char *below = name == NULL ? "" : arena_printf(a, "/%s", name);
	size_t i;

	if (r->fd == 0)
		return 0;
	if (add_folder(r, arena_printf(a, "%s/accounts%s", dir_var(),
	    below)) == -1 ||
	    add_folder(r, arena_printf(a, "%s/watch%s", dir_run(), below))
	    == -1)
		return -1;
	for (i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		if (os_reach_path(r, libraries[i], OS_REACH_READ) == -1)
			return -1;
	}
	return os_reach_path(r, "/proc/sys/kernel/random/boot_id",
	    OS_REACH_READ);
}
