/* file.c - the file below run/limits: making, mapping, locking it */
#include "limiter/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * How long to wait for a lock. It is held for microseconds; a process that
 * is stopped or taken over could keep it, and shall not keep the others.
 */
#define LOCK_TRIES 2000
#define LOCK_PAUSE_NS 500000
#define FILE_MODE 0640
#define NAME_MAX_BYTES 64	/* of a folder, or a file */

/* ---- locks ---- */

static int
lock_byte(int fd, int command, short type, off_t byte)
{
	struct flock f = { .l_type = type, .l_whence = SEEK_SET,
	    .l_start = byte, .l_len = 1 };

	return fcntl(fd, command, &f);
}

static bool
is_locked(int fd, off_t byte)
{
	struct flock f = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_start = byte, .l_len = 1 };

	/* When it cannot be told, its holder is taken to be there. */
	return fcntl(fd, F_GETLK, &f) == -1 || f.l_type != F_UNLCK;
}

static void
pause_a_little(void)
{
	struct timespec ts = { 0, LOCK_PAUSE_NS };

	(void)nanosleep(&ts, NULL);	/* a shorter one is as good */
}

static int
lock_main(int fd)
{
	unsigned int i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (lock_byte(fd, F_SETLK, F_WRLCK, 0) == 0)
			return 0;
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return -1;
		pause_a_little();
	}
	errno = ETIMEDOUT;
	return -1;
}

/* The folder, while a file in it is opened or made. */
static int
lock_dir(int dir)
{
	unsigned int i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (flock(dir, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		pause_a_little();
	}
	errno = ETIMEDOUT;
	return -1;
}

int
limiter_begin(struct limiter *l)
{
	unsigned int s;

	if (l->fd == -1)
		return 0;
	if (lock_main(l->fd) == -1)
		return -1;
	s = atomic_load_explicit(&l->head->sequence, memory_order_relaxed);
	if ((s & 1) != 0)	/* its maker died in the middle */
		limiter_recount(l);
	else
		atomic_store_explicit(&l->head->sequence, s + 1,
		    memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	return 0;
}

void
limiter_end(struct limiter *l)
{
	if (l->fd == -1)
		return;
	atomic_fetch_add_explicit(&l->head->sequence, 1,
	    memory_order_release);
	/* Cannot fail: it makes no lock, it takes off a whole one. */
	(void)lock_byte(l->fd, F_SETLK, F_UNLCK, 0);
}

bool
limiter_sweep(struct limiter *l)
{
	enum { UNKNOWN, ALIVE, DEAD } state[LIMITER_HOLDERS_MAX + 1] = { 0 };
	uint32_t i, h;
	bool found = false;

	state[l->holder] = ALIVE;
	for (i = 0; i < l->head->high && i < l->records; i++) {
		h = l->record[i].holder;
		if (h == 0)
			continue;
		if (h > LIMITER_HOLDERS_MAX)
			h = 0;		/* nobody has that number */
		if (h == 0)
			state[h] = DEAD;
		else if (state[h] == UNKNOWN)
			state[h] = is_locked(l->fd, (off_t)h) ? ALIVE : DEAD;
		if (state[h] == DEAD) {
			l->record[i].holder = 0;
			found = true;
		}
	}
	if (found)
		limiter_recount(l);
	return found;
}

/* A number of its own, and what a dead one with that number left is gone. */
static int
become_holder(struct limiter *l)
{
	uint32_t h, i;

	if (limiter_begin(l) == -1)
		return -1;
	for (h = 1; h <= LIMITER_HOLDERS_MAX; h++) {
		if (lock_byte(l->fd, F_SETLK, F_WRLCK, (off_t)h) == 0)
			break;
	}
	l->holder = h <= LIMITER_HOLDERS_MAX ? h : 0;
	for (i = 0; l->holder != 0 && i < l->head->high && i < l->records;
	    i++) {
		if (l->record[i].holder == l->holder)
			l->record[i].holder = 0;
	}
	if (l->holder != 0) {
		limiter_recount(l);
		(void)limiter_sweep(l);
	}
	limiter_end(l);
	if (l->holder != 0)
		return 0;
	errno = EUSERS;
	return -1;
}

/* ---- folders and files ---- */

static int
refuse(int err, int fd)
{
	if (fd != -1)
		(void)close(fd);	/* nothing was written */
	errno = err;
	return -1;
}

static int
open_below(int dir, const char *name, mode_t mode)
{
	if (mkdirat(dir, name, mode) == -1 && errno != EEXIST)
		return -1;
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
}

/* The folder of FOLDER/FILE, made where it is missing. */
static int
open_folder(const char *folder)
{
	int run = open(dir_run(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int limits = -1, fd = -1, err;

	if (run != -1)
		limits = open_below(run, LIMITER_DIR, 0755);
	if (limits != -1)
		fd = open_below(limits, folder, 0750);
	err = errno;
	if (run != -1)
		(void)close(run);
	if (limits != -1)
		(void)close(limits);
	errno = err;
	return fd;
}

/* The file as it is, fit for l; -1 with ENOENT or EBADMSG: to be made. */
static int
open_fit(const struct limiter *l, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	struct limiter found = { .fd = -1 };
	struct head h;
	struct stat st;
	size_t i;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return refuse(EINVAL, fd);
	if (pread(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) ||
	    !limiter_take_head(&found, &h, (size_t)st.st_size) ||
	    found.windows != l->windows)
		return refuse(EBADMSG, fd);
	for (i = 0; i < l->windows; i++) {
		if (found.window[i].seconds != l->window[i].seconds ||
		    found.window[i].slots != l->window[i].slots)
			return refuse(EBADMSG, fd);
	}
	return fd;
}

static int
fill_file(const struct limiter *l, int fd)
{
	struct head h;
	int err = posix_fallocate(fd, 0, (off_t)l->size);

	/* All of it now: a full file system is told here, not by SIGBUS. */
	if (err != 0) {
		errno = err;
		return -1;
	}
	limiter_fill_head(l, &h);
	return io_write_all(fd, bytes_of(&h, sizeof(h)), DEADLINE_NONE);
}

static int
make_file(const struct limiter *l, int dir, const char *name)
{
	struct arena a = ARENA_INIT;
	const char *new = arena_printf(&a, ".%s.new", name);
	int fd, r = -1, err;

	if (unlinkat(dir, new, 0) == -1 && errno != ENOENT) {
		arena_free(&a);
		return -1;
	}
	fd = openat(dir, new, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, FILE_MODE);
	if (fd != -1)
		r = fill_file(l, fd);
	if (r == 0)
		r = renameat(dir, new, dir, name);
	err = errno;
	if (r == -1 && fd != -1)
		(void)unlinkat(dir, new, 0);	/* or the next one does */
	arena_free(&a);
	return r == 0 ? fd : refuse(err, fd);
}

static int
open_or_make(const struct limiter *l, int dir, const char *name)
{
	int fd;

	if (lock_dir(dir) == -1)
		return -1;
	fd = open_fit(l, dir, name);
	if (fd == -1 && (errno == ENOENT || errno == EBADMSG))
		fd = make_file(l, dir, name);
	return fd;
}

static int
map_file(struct limiter *l, int fd)
{
	void *p = os_map_unshared(fd, l->size);

	if (p == NULL)
		return -1;
	l->fd = fd;
	l->epoch++;
	limiter_lay_out(l, p);
	return 0;
}

int
limiter_file_open(struct limiter *l, const char *name)
{
	struct bytes rest = bytes_str(name), part;
	struct arena a = ARENA_INIT;
	int dir, fd = -1, err;

	(void)bytes_split(&rest, '/', &part);	/* a name has one */
	dir = open_folder(arena_str(&a, part));
	if (dir != -1)
		fd = open_or_make(l, dir, arena_str(&a, rest));
	err = errno;
	if (dir != -1)
		(void)close(dir);	/* and the lock goes */
	arena_free(&a);
	if (fd == -1)
		return refuse(err, -1);
	if (map_file(l, fd) == -1)
		return refuse(errno, fd);
	if (become_holder(l) == 0)
		return 0;
	err = errno;
	os_free_unshared(l->head, l->size);
	l->fd = -1;
	return refuse(err, fd);
}

/* ---- limits-show ---- */

static int
clear_counts(struct limiter *l, const struct ip *ip)
{
	struct slot *s;
	unsigned int m;
	size_t i;
	int found = 0;

	for (i = 0; i < l->windows; i++) {
		for (m = 0; m < LIMITER_MASKS &&
		    l->window[i].seconds > 0; m++) {
			s = limiter_find(l, &l->window[i], ip, m);
			if (s == NULL)
				continue;
			s->count = 0;
			found = 1;
		}
	}
	return found;
}

int
limiter_clear(int dirfd, const char *name, const struct ip *ip)
{
	int fd = openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	struct limiter l = { .fd = -1 };
	struct head h;
	struct stat st;
	int r = -1, err;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    pread(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) ||
	    !limiter_take_head(&l, &h, (size_t)st.st_size))
		return refuse(EBADMSG, fd);
	if (map_file(&l, fd) == -1)
		return refuse(errno, fd);
	if (limiter_begin(&l) == 0) {
		r = clear_counts(&l, ip);
		limiter_end(&l);
	}
	err = errno;
	os_free_unshared(l.head, l.size);
	(void)close(fd);	/* written through the mapping */
	errno = err;
	return r;
}
