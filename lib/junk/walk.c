/*
 * walk.c - the messages of a file, an mbox or a folder
 */
#include "junk/junk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct walk {
	struct arena *arena;
	junk_message_fn f;
	void *ctx;
	const char **where;
	struct buf file;
};

/* Where the next message of an mbox begins, from the second line on. */
static size_t
mbox_next(struct bytes s)
{
	size_t at;

	return bytes_find(s, BYTES("\n\nFrom "), &at) ? at + 2 : s.n;
}

static int
give(struct walk *w, const char *name, struct bytes s)
{
	size_t n;

	if (!bytes_starts(s, BYTES("From ")))
		return w->f(w->ctx, name, s);
	for (; s.n > 0; s = bytes_from(s, n)) {
		n = mbox_next(s);
		if (w->f(w->ctx, name, bytes_first(s, n)) == -1)
			return -1;
	}
	return 0;
}

/* What is open as fd: read whole, or as far as JUNK_MESSAGE_MAX. */
static int
read_file(struct walk *w, int fd, const char *name, off_t size)
{
	ssize_t n = 1;

	buf_reset(&w->file);
	/* One read more than it seems to hold, to see the end. */
	while (n > 0 && w->file.n < w->file.max) {
		size_t room = size > 0 && w->file.n == 0 ? (size_t)size + 1
		    : 65536;

		if (room > w->file.max - w->file.n)
			room = w->file.max - w->file.n;
		if (buf_room(&w->file, room) == -1)
			return -1;
		n = io_read_some(fd, w->file.p + w->file.n, room,
		    DEADLINE_NONE);
		if (n == -1)
			return -1;
		w->file.n += (size_t)n;
		if (size > 0 && w->file.n == (size_t)size)
			break;
	}
	return give(w, name, buf_bytes(&w->file));
}

static int walk_path(struct walk *w, int dir, const char *name,
    const char *shown, unsigned int depth);

static int
wanted(const struct dirent *e)
{
	return e->d_name[0] != '.' && strcmp(e->d_name, "tmp") != 0;
}

static bool
has(struct dirent *const *list, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++) {
		if (strcmp(list[i]->d_name, name) == 0)
			return true;
	}
	return false;
}

static int
walk_folder(struct walk *w, int fd, const char *shown, unsigned int depth)
{
	struct dirent **list;
	int n = scandirat(fd, ".", &list, wanted, alphasort), i, r = 0;
	bool is_maildir;

	if (n == -1)
		return -1;
	is_maildir = has(list, n, "cur") && has(list, n, "new");
	for (i = 0; i < n; i++) {
		const char *name = list[i]->d_name;

		if (r == 0 && (!is_maildir || strcmp(name, "cur") == 0 ||
		    strcmp(name, "new") == 0))
			r = walk_path(w, fd, name, arena_printf(w->arena,
			    "%s/%s", shown, name), depth + 1);
		free(list[i]);
	}
	free(list);
	return r;
}

static int
walk_path(struct walk *w, int dir, const char *name, const char *shown,
    unsigned int depth)
{
	int fd, r = -1, err;
	struct stat st;

	*w->where = shown;
	if (depth > JUNK_DEPTH_MAX) {
		errno = ELOOP;
		return -1;
	}
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)	/* a mailbox in use: renamed since it was listed */
		return depth > 0 && errno == ENOENT ? 0 : -1;
	if (fstat(fd, &st) == 0)
		r = S_ISDIR(st.st_mode) ? walk_folder(w, fd, shown, depth)
		    : read_file(w, fd, shown, st.st_size);
	err = errno;
	(void)close(fd);	/* nothing was written through it */
	errno = err;
	return r;
}

int
junk_walk(struct arena *a, const char *path, junk_message_fn f, void *ctx,
    const char **where)
{
	struct walk w = { .arena = a, .f = f, .ctx = ctx, .where = where,
	    .file = BUF_INIT(JUNK_MESSAGE_MAX) };
	int r = walk_path(&w, AT_FDCWD, path, path, 0), err = errno;

	buf_free(&w.file);
	errno = err;
	return r;
}
