/*
 * Waking listeners, and sweeping what crashes leave.
 *
 * Each listener owns a FIFO in run/watch/ACCOUNT/, made under a name that
 * begins with a dot, opened, then renamed: a FIFO without reader under a final
 * name is therefore dead, and whoever finds it removes it. A byte in a FIFO
 * means "look"; a full FIFO means that already.
 *
 * Who only reads in a mailbox wants no waking: it holds a shared lock on the
 * byte of expunged/ that has the number of the mailbox. The lock ends with the
 * process, costs a writer one question, and says whose files must stay. The
 * lock of the whole directory (flock) is for who wants there to be none for a
 * moment: they wait for it.
 */
#include "store/internal.h"
#include "os/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

/* run/watch/ACCOUNT; opened once it is there. */
static int
watch_dir(struct store *s)
{
	struct arena a = ARENA_INIT;
	struct stat st;

	if (s->watch != -1 && fstat(s->watch, &st) == 0 && st.st_nlink > 0)
		return s->watch;
	if (s->watch != -1)
		(void)close(s->watch);	/* a directory */
	s->watch = open(arena_printf(&a, "%s/watch/%s", s->run, s->account),
	    DIR_FLAGS);
	arena_free(&a);
	return s->watch;
}

/* Give each living listener a byte, and remove dead ones. */
static void
each_listener(struct store *s)
{
	int dir = watch_dir(s), fd;
	struct dirent *e;
	DIR *d;

	if (dir == -1 || (fd = openat(dir, ".", DIR_FLAGS)) == -1)
		return;
	if ((d = fdopendir(fd)) == NULL) {
		(void)close(fd);	/* a directory */
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		fd = openat(dir, e->d_name,
		    O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
		if (fd == -1) {
			if (errno == ENXIO)
				(void)unlinkat(dir, e->d_name, 0); /* dead */
			continue;
		}
		if (write(fd, "c", 1) == -1)
			errno = 0;	/* full: it is awake already */
		(void)close(fd);
	}
	(void)closedir(d);	/* nothing was written through it */
}

void
wake(struct store *s)
{
	int err = errno;

	each_listener(s);
	errno = err;
}

/* ---- readers: a shared lock on the byte of the mailbox's id ---- */

static int
readers_open(struct store *s)
{
	if (s->readers == -1)
		s->readers = openat(s->dir, "expunged", DIR_FLAGS);
	return s->readers;
}

/* Wait until nobody removes files because there are no readers. */
static int
hold_byte(struct store *s, uint32_t mailbox)
{
	int r;

	while ((r = flock(s->readers, LOCK_SH)) == -1 && errno == EINTR)
		continue;
	if (r == 0) {
		r = os_byte_hold(s->readers, mailbox);
		readers_let_in(s);
	}
	return r;
}

int
store_hold(struct store *s, uint32_t mailbox)
{
	if (mailbox == s->held)
		return 0;
	if (readers_open(s) == -1 ||
	    (mailbox != 0 && hold_byte(s, mailbox) == -1))
		return -1;
	if (s->held != 0)
		(void)os_byte_release(s->readers, s->held); /* or at close */
	s->held = mailbox;
	return 0;
}

bool
has_readers(struct store *s, uint32_t mailbox)
{
	int err = errno;
	bool r = readers_open(s) == -1 ||
	    os_byte_held(s->readers, mailbox) != 0;

	errno = err;
	return r;
}

bool
readers_shut_out(struct store *s, uint32_t mailbox)
{
	int err = errno;
	bool r = readers_open(s) != -1 &&
	    flock(s->readers, LOCK_EX | LOCK_NB) == 0;

	if (r && (r = !has_readers(s, mailbox)) == false)
		readers_let_in(s);
	errno = err;
	return r;
}

void
readers_let_in(struct store *s)
{
	int err = errno;

	(void)flock(s->readers, LOCK_UN);	/* closing would do it too */
	errno = err;
}

static int
make_dirs(const char *run, const char *account)
{
	struct arena a = ARENA_INIT;
	const char *names[2];
	int i, r = 0;

	names[0] = arena_printf(&a, "%s/watch", run);
	names[1] = arena_printf(&a, "%s/watch/%s", run, account);
	for (i = 0; i < 2 && r == 0; i++) {
		if (mkdir(names[i], 0700) == -1 && errno != EEXIST)
			r = -1;
	}
	arena_free(&a);
	return r;
}

/* Made under a name that nobody looks at until there is a reader. */
static int
make_fifo(int dir, const char *name)
{
	struct arena a = ARENA_INIT;
	const char *tmp = arena_printf(&a, ".%s", name);
	int fd = -1, err;

	(void)unlinkat(dir, tmp, 0);	/* of a killed process with our id */
	/* Opened for both: never at end of file when a writer goes. */
	if (mkfifoat(dir, tmp, 0600) == 0 &&
	    (fd = openat(dir, tmp,
	    O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)) != -1 &&
	    renameat(dir, tmp, dir, name) == -1) {
		err = errno;
		(void)close(fd);
		errno = err;
		fd = -1;
	}
	arena_free(&a);
	return fd;
}

int
store_listen(struct store *s)
{
	char name[64];
	int dir, fd, n;

	if (s->fifo != -1)
		return s->fifo;
	if (make_dirs(s->run, s->account) == -1 ||
	    (dir = watch_dir(s)) == -1)
		return -1;
	n = snprintf(name, sizeof(name), "%ld.%llu", (long)getpid(),
	    (unsigned long long)++s->seq);
	if (n < 0 || (size_t)n >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((fd = make_fifo(dir, name)) != -1) {
		s->fifo = fd;
		s->fifo_name = mem_strdup(name);
	}
	return fd;
}

static int
feed_dir(const char *account)
{
	struct arena a = ARENA_INIT;
	int fd = open(arena_printf(&a, "%s/watch/%s", dir_run(), account),
	    DIR_FLAGS);

	arena_free(&a);
	return fd;
}

int
store_feed_open(const char *account, const char *name)
{
	int dir, fd, err;

	if (!store_account_valid(account)) {
		errno = EINVAL;
		return -1;
	}
	if (make_dirs(dir_run(), account) == -1 ||
	    (dir = feed_dir(account)) == -1)
		return -1;
	fd = make_fifo(dir, name);
	err = errno;
	(void)close(dir);	/* a directory */
	errno = err;
	return fd;
}

void
store_feed_close(const char *account, const char *name, int fd)
{
	int dir = feed_dir(account);

	if (dir != -1) {
		(void)unlinkat(dir, name, 0);	/* dead: others do it too */
		(void)close(dir);	/* a directory */
	}
	(void)close(fd);	/* nothing was written */
}

void
store_listen_drain(struct store *s)
{
	char bytes[256];

	if (s->fifo == -1)
		return;
	while (read(s->fifo, bytes, sizeof(bytes)) > 0)
		continue;
}

void
watch_close(struct store *s)
{
	if (s->fifo != -1) {
		if (s->watch != -1)
			(void)unlinkat(s->watch, s->fifo_name, 0); /* dead */
		(void)close(s->fifo);
		free(s->fifo_name);
		s->fifo = -1;
		s->fifo_name = NULL;
	}
	if (s->watch != -1)
		(void)close(s->watch);	/* a directory */
	s->watch = -1;
	if (s->readers != -1)
		(void)close(s->readers);	/* a directory, and its locks */
	s->readers = -1;
	s->held = 0;
}

/* ---- sweeping ---- */

/* The mailbox of a name in expunged/, "5.17" or "box.5"; 0: of none. */
static uint32_t
expunged_of(struct bytes name)
{
	uint64_t id;

	(void)bytes_skip(&name, BYTES("box."));	/* or a message */
	return num_cut(&name, UINT32_MAX, &id) == 0 ? (uint32_t)id : 0;
}

/* How old a file must be before it may go. */
static int64_t
age_of(struct store *s, const char *name, bool expunged)
{
	uint32_t mailbox;

	if (!expunged)
		return TMP_SECONDS;
	mailbox = expunged_of(bytes_str(name));
	/* A folder is there for a moment while it is made, a message while
	 * its record is still seen: never at once. */
	return mailbox != 0 && (mailbox == s->held || has_readers(s, mailbox))
	    ? EXPUNGED_SECONDS : EXPUNGED_FRESH_SECONDS;
}

/* Files (and folders) of a directory that are old enough, by change time. */
static void
sweep_dir(struct store *s, int parent, const char *name, bool expunged)
{
	int64_t now = time_wall_us() / 1000000;
	int fd = openat(parent, name, DIR_FLAGS);
	struct dirent *e;
	struct stat st;
	DIR *d;

	if (fd == -1)
		return;
	if ((d = fdopendir(fd)) == NULL) {
		(void)close(fd);	/* a directory */
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || fstatat(fd, e->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == -1 ||
		    now - st.st_ctime < age_of(s, e->d_name, expunged) ||
		    (expunged && untrain_needs(s, e->d_name)))
			continue;
		/* What cannot be removed now is tried next time. */
		if (S_ISDIR(st.st_mode))
			(void)maildir_remove(fd, e->d_name);
		else
			(void)unlinkat(fd, e->d_name, 0);
	}
	(void)closedir(d);	/* nothing was written through it */
}

void
sweep_expunged(struct store *s)
{
	sweep_dir(s, s->dir, "expunged", true);
}

int
store_sweep(struct store *s)
{
	struct bytes at = BYTES_EMPTY;
	struct store_mailbox m;
	struct store_view *v = store_view_open(s);
	struct folder *f;
	int r;

	if (v == NULL)
		return -1;
	while ((r = store_mailbox_next(v, &at, &m)) == 1) {
		if ((f = folder_open(s, m.id, m.name)) != NULL)
			sweep_dir(s, f->dir, "tmp", false);
	}
	store_view_close(v);
	sweep_expunged(s);
	return r;
}
