/*
 * Folders of the Maildir, their descriptors, and directory times.
 *
 * A change by another program shows as a new modification time of cur/ or
 * new/. Kernels stamp directories with the time of the last tick, so a second
 * change within one tick leaves no trace. A time is therefore "settled" only
 * when it was read long enough after it, or by the rules of settle.c, and an
 * unsettled time means one more look later.
 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

void
report(struct store *s, const char *event, struct bytes mailbox,
    const char *name, uint32_t uid)
{
	struct buf folder = BUF_INIT(1024);
	struct store_report r = { event, "", name, uid };
	int err = errno;

	if (s->report == NULL)
		return;
	if (mailbox.n == 0 || folder_name(&folder, mailbox) == -1 ||
	    buf_addc(&folder, '\0') == -1)
		r.folder = "";
	else
		r.folder = (const char *)folder.p;
	s->report(s->ctx, &r);
	buf_free(&folder);
	errno = err;
}

int
folder_name(struct buf *out, struct bytes mailbox)
{
	size_t before = out->n;

	if (maildir_folder_format(out, mailbox) == -1)
		return -1;
	if (out->n - before > STORE_NAME_MAX) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static void
close_one(struct folder *f)
{
	int fds[4] = { f->dir, f->tmp, f->new, f->cur };
	int i;

	for (i = 0; i < 4; i++) {
		if (fds[i] != -1)
			(void)close(fds[i]);	/* directories */
	}
	*f = (struct folder){ .dir = -1, .tmp = -1, .new = -1, .cur = -1 };
}

void
folder_close(struct store *s, uint32_t mailbox)
{
	size_t i;

	for (i = 0; i < FOLDERS_OPEN; i++) {
		if (s->folders[i].mailbox == mailbox)
			close_one(&s->folders[i]);
	}
}

void
folder_close_all(struct store *s)
{
	size_t i;

	for (i = 0; i < FOLDERS_OPEN; i++) {
		if (s->folders[i].mailbox != 0)
			close_one(&s->folders[i]);
	}
}

/* Those that are not open yet; -1 with the errno of the first missing. */
static int
open_three(struct folder *f)
{
	int err = 0;

	if (f->new == -1 && (f->new = openat(f->dir, "new", DIR_FLAGS)) == -1)
		err = errno;
	if (f->cur == -1 && (f->cur = openat(f->dir, "cur", DIR_FLAGS)) == -1)
		err = errno;
	if (f->tmp == -1 && (f->tmp = openat(f->dir, "tmp", DIR_FLAGS)) == -1)
		err = errno;
	errno = err;
	return err == 0 ? 0 : -1;
}

static int
open_dirs(struct store *s, struct folder *f, const char *name)
{
	struct stat st;

	f->dir = openat(s->maildir, *name == '\0' ? "." : name, DIR_FLAGS);
	if (f->dir == -1 || fstat(f->dir, &st) == -1)
		return -1;
	f->dev = st.st_dev;
	f->inode = st.st_ino;
	if (open_three(f) == 0)
		return 0;
	/*
	 * A folder someone made with less than it needs is completed. One
	 * with nothing at all is not: it may be a file system that is not
	 * mounted, and an empty folder would empty the index.
	 */
	if (errno != ENOENT || (f->tmp == -1 && f->new == -1 && f->cur == -1)
	    || maildir_make(f->dir) == -1)
		return -1;
	return open_three(f);
}

/* Whether somebody removed or replaced the folder under us. */
static bool
is_stale(const struct folder *f)
{
	struct stat st;

	return fstat(f->new, &st) == -1 || st.st_nlink == 0 ||
	    fstat(f->cur, &st) == -1 || st.st_nlink == 0;
}

bool
folder_moved(struct store *s, uint32_t mailbox, struct bytes name)
{
	struct buf b = BUF_INIT(1024);
	const struct folder *f = NULL;
	struct stat st;
	bool moved = false;
	size_t i;

	/* INBOX is the Maildir: that is store_stale's. */
	if (folder_name(&b, name) == -1 || b.n == 0 || buf_addc(&b, 0) == -1)
		goto out;
	for (i = 0; i < FOLDERS_OPEN; i++) {
		if (s->folders[i].mailbox == mailbox)
			f = &s->folders[i];
	}
	if (fstatat(s->maildir, (const char *)b.p, &st, AT_SYMLINK_NOFOLLOW)
	    == -1)
		moved = errno == ENOENT;
	else
		moved = f != NULL && (st.st_dev != f->dev ||
		    st.st_ino != f->inode);
	if (moved)
		folder_close(s, mailbox);
out:
	buf_free(&b);
	return moved;
}

struct folder *
folder_open(struct store *s, uint32_t mailbox, struct bytes name)
{
	struct folder *f = &s->folders[0];
	struct buf b = BUF_INIT(1024);
	size_t i;
	int err;

	for (i = 0; i < FOLDERS_OPEN; i++) {
		if (s->folders[i].mailbox == mailbox) {
			f = &s->folders[i];
			break;
		}
		if (s->folders[i].used < f->used)
			f = &s->folders[i];
	}
	if (f->mailbox == mailbox && !is_stale(f)) {
		f->used = ++s->folder_clock;
		return f;
	}
	close_one(f);
	if (folder_name(&b, name) == -1 || buf_addc(&b, '\0') == -1 ||
	    open_dirs(s, f, (const char *)b.p) == -1) {
		err = errno;
		close_one(f);
		buf_free(&b);
		errno = err;
		return NULL;
	}
	buf_free(&b);
	f->mailbox = mailbox;
	f->used = ++s->folder_clock;
	return f;
}

static int
fill_folder(int dir, const struct maildir_uids *uids)
{
	int fd;

	if (maildir_make(dir) == -1 || maildir_uids_write(dir, uids) == -1)
		return -1;
	/* Maildir++: says that this is a folder, not a Maildir. */
	fd = openat(dir, "maildirfolder",
	    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1 || close(fd) == -1)
		return -1;
	return fsync(dir);
}

int
folder_create(struct store *s, struct bytes name,
    const struct maildir_uids *uids)
{
	struct buf b = BUF_INIT(1024);
	char tmp[64];
	int n = snprintf(tmp, sizeof(tmp), "expunged/new.%ld.%llu",
	    (long)getpid(), (unsigned long long)++s->seq);
	int fd, r = -1, err;

	if (n < 0 || (size_t)n >= sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (folder_name(&b, name) == -1 || buf_addc(&b, '\0') == -1 ||
	    mkdirat(s->dir, tmp, 0700) == -1) {
		buf_free(&b);
		return -1;
	}
	if ((fd = openat(s->dir, tmp, DIR_FLAGS)) != -1) {
		r = fill_folder(fd, uids);
		err = errno;
		(void)close(fd);	/* a directory */
		errno = err;
	}
	if (r == 0)
		r = maildir_move(s->dir, tmp, s->maildir, (const char *)b.p);
	if (r == 0)
		r = fsync(s->maildir);
	else {
		err = errno;
		(void)maildir_remove(s->dir, tmp);	/* else swept */
		errno = err;
	}
	buf_free(&b);
	return r;
}

struct stamp
stamp_of(const struct stat *st)
{
	return (struct stamp){ st->st_mtim.tv_sec,
	    (uint32_t)st->st_mtim.tv_nsec, false };
}

bool
stamp_same(const struct stamp *a, const struct stamp *b)
{
	return a->sec == b->sec && a->nsec == b->nsec;
}

bool
stamp_is_old(const struct stamp *a, int64_t now_us)
{
	int64_t at = a->sec * 1000000 + a->nsec / 1000;

	return now_us - at >
	    (a->nsec == 0 ? SETTLE_COARSE_US : SETTLE_US);
}

int
stamp_read(int dir, struct stamp *out)
{
	struct stat st;

	if (fstat(dir, &st) == -1)
		return -1;
	*out = stamp_of(&st);
	return 0;
}

bool
stamp_before(int dir, const struct stamp *known)
{
	struct stamp now;

	return stamp_read(dir, &now) == 0 && stamp_same(&now, known);
}
