/*
 * owner.c - what the superuser makes belongs to whom the folder belongs
 *
 * A service could not open a file of root's below its folder, and root would
 * follow a trap that a process of the folder's owner set in there. So root
 * works there as that owner, by the effective ids: the next folder, of
 * another owner, may come.
 */
#include "os/os.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of path, or of the first folder above it that is there. */
static int
stat_nearest(const char *path, struct stat *st)
{
	char *p = mem_strdup(path), *slash;
	int r;

	while ((r = stat(p, st)) == -1 && errno == ENOENT &&
	    (slash = strrchr(p, '/')) != NULL && slash != p)
		*slash = '\0';
	free(p);	/* free(3) keeps errno */
	return r;
}

int
os_be_owner(const char *path)
{
	struct stat st;

	/* Who entered a sandbox stays who it is. */
	if (getuid() != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0)
		return 0;
	if (geteuid() != 0 && (seteuid(0) == -1 || setegid(getgid()) == -1))
		return -1;
	if (stat_nearest(path, &st) == -1)
		return -1;
	if (st.st_uid == 0)
		return 0;
	if (setgroups(0, NULL) == -1 || setegid(st.st_gid) == -1)
		return -1;
	return seteuid(st.st_uid);
}

int
os_give_to_owner(int fd, int dir)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	return fstat(dir, &st) == -1 ? -1 : fchown(fd, st.st_uid, st.st_gid);
}
