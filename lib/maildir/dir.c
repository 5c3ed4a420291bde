/* Directories, message files and the durable order. */
#include "maildir/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif
#define PIECES_MAX 64		/* given to one writev(2) */

static int
make_one(int dir, const char *name)
{
	return mkdirat(dir, name, 0700) == -1 && errno != EEXIST ? -1 : 0;
}

int
maildir_make(int folder)
{
	if (make_one(folder, "tmp") == -1 || make_one(folder, "new") == -1)
		return -1;
	return make_one(folder, "cur");
}

/* All pieces, resumed after short counts. */
static int
write_pieces(int fd, const struct bytes *pieces, size_t count)
{
	struct iovec v[PIECES_MAX];
	size_t at = 0, off = 0, n, i;
	ssize_t w;

	while (at < count) {
		for (n = 0, i = at; i < count && n < PIECES_MAX; i++, n++) {
			struct bytes p = pieces[i];

			if (i == at)
				p = bytes_from(p, off);
			v[n].iov_base = (void *)(uintptr_t)p.p;
			v[n].iov_len = p.n;
		}
		if ((w = writev(fd, v, (int)n)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		off += (size_t)w;
		while (at < count && off >= pieces[at].n)
			off -= pieces[at++].n;
	}
	return 0;
}

int
maildir_write(int dir, const char *name, const struct bytes *pieces,
    size_t count, int64_t mtime)
{
	struct timespec times[2] = { { 0, UTIME_OMIT }, { mtime, 0 } };
	int fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r, err;

	if (fd == -1)
		return -1;
	r = write_pieces(fd, pieces, count);
	if (r == 0 && mtime != 0)
		r = futimens(fd, times);
	if (r == 0)
		r = fsync(fd);
	err = errno;
	if (close(fd) == -1 && r == 0) {
		err = errno;
		r = -1;
	}
	if (r == -1) {
		(void)unlinkat(dir, name, 0);	/* the sweeper takes it */
		errno = err;
	}
	return r;
}

/*
 * Where fsync(2) of a file without name is known to keep its content for the
 * link that follows. btrfs leaves such files out of its log.
 */
static bool
keeps_unnamed(int dir)
{
	struct statfs st;

	return fstatfs(dir, &st) == 0 && (st.f_type == EXT4_SUPER_MAGIC ||
	    st.f_type == XFS_SUPER_MAGIC || st.f_type == TMPFS_MAGIC);
}

int
maildir_write_unnamed(int dir, const struct bytes *pieces, size_t count,
    int64_t mtime)
{
	struct timespec times[2] = { { 0, UTIME_OMIT }, { mtime, 0 } };
	int fd = -1, r, err;

	errno = EOPNOTSUPP;
	if (keeps_unnamed(dir))
		fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	r = write_pieces(fd, pieces, count);
	if (r == 0 && mtime != 0)
		r = futimens(fd, times);
	if (r == 0)
		r = fsync(fd);
	if (r == 0)
		return fd;
	err = errno;
	(void)close(fd);	/* the file goes with it */
	errno = err;
	return -1;
}

int
maildir_publish(int fd, int dir, const char *name)
{
	char path[40];

	/* "/proc/self/fd/" and an int fit. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	/* Without /proc; needs a privilege on older kernels. */
	return linkat(fd, "", dir, name, AT_EMPTY_PATH);
}

int
maildir_move(int from_dir, const char *from, int to_dir, const char *to)
{
	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system without that: link(2) never replaces. */
	if (linkat(from_dir, from, to_dir, to, 0) == -1)
		return -1;
	return unlinkat(from_dir, from, 0);
}

static int
sync_dir(int dir)
{
	int fd, r, err;

	/* dir may have been opened for path look-up only. */
	if ((fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	r = fsync(fd);
	err = errno;
	(void)close(fd);	/* nothing was written through it */
	errno = err;
	return r;
}

int
maildir_replace(int dir, const char *name, struct bytes content)
{
	char tmp[64];
	int n = snprintf(tmp, sizeof(tmp), ".new-%.40s-%ld", name,
	    (long)getpid());
	int err;

	if (n < 0 || (size_t)n >= sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)unlinkat(dir, tmp, 0);	/* of a killed process with our id */
	if (maildir_write(dir, tmp, &content, 1, 0) == -1)
		return -1;
	if (renameat(dir, tmp, dir, name) == -1) {
		err = errno;
		(void)unlinkat(dir, tmp, 0);	/* only litter */
		errno = err;
		return -1;
	}
	return sync_dir(dir);
}

static DIR *
open_dir(int dir, const char *name)
{
	int fd = openat(dir, name,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d;
	int err;

	if (fd == -1)
		return NULL;
	if ((d = fdopendir(fd)) == NULL) {
		err = errno;
		(void)close(fd);	/* nothing was written through it */
		errno = err;
	}
	return d;
}

int
maildir_scan(struct arena *a, int dir, struct maildir_entry **out,
    size_t *count)
{
	struct maildir_entry *list = NULL;
	size_t n = 0, size = 0;
	struct dirent *e;
	DIR *d = open_dir(dir, ".");
	int err;

	if (d == NULL)
		return -1;
	while (errno = 0, (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (n == size) {
			struct maildir_entry *more;

			size = size == 0 ? 256 : size * 2;
			more = arena_zalloc(a, size, sizeof(*more));
			if (n > 0)
				memcpy(more, list, n * sizeof(*more));
			list = more;
		}
		list[n].name = arena_str(a, bytes_str(e->d_name));
		list[n++].type = e->d_type;
	}
	err = errno;
	(void)closedir(d);	/* nothing was written through it */
	if (err != 0) {
		errno = err;
		return -1;
	}
	*out = list;
	*count = n;
	return 0;
}

static int remove_depth(int dir, const char *name, int depth);

/* What stands in an open directory. */
static int
remove_content(DIR *d, int depth)
{
	struct dirent *e;
	int r = 0;

	while (errno = 0, (e = readdir(d)) != NULL) {
		if (bytes_eq(bytes_str(e->d_name), BYTES(".")) ||
		    bytes_eq(bytes_str(e->d_name), BYTES("..")))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if ((errno != EISDIR && errno != EPERM) ||
		    remove_depth(dirfd(d), e->d_name, depth - 1) == -1)
			r = -1;
	}
	return r;
}

static int
remove_depth(int dir, const char *name, int depth)
{
	DIR *d;
	int r;

	if (depth < 0) {
		errno = ENOTEMPTY;
		return -1;
	}
	if ((d = open_dir(dir, name)) == NULL)
		return errno == ENOENT ? 0 : -1;
	r = remove_content(d, depth);
	(void)closedir(d);	/* nothing was written through it */
	if (r == -1)
		return -1;
	return unlinkat(dir, name, AT_REMOVEDIR);
}

int
maildir_remove(int dir, const char *name)
{
	return remove_depth(dir, name, 2);
}
