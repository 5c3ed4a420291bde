/*
 * metric.c - counters in a mapped file
 *
 * A file that fits is used as it is. Any other is replaced by rename(2), so
 * that whoever has it mapped keeps what he has. The folder's lock is held
 * while one is made, and only then.
 */
#include "metric/metric.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "pmetric1"
#define DIR_MODE 0755
#define FILE_MODE 0644

struct head {
	char magic[8];
	uint64_t count;
	char zero[112];
};
struct slot {
	char name[METRIC_NAME_MAX + 1];	/* NUL behind it */
	_Atomic uint64_t value;
};
static_assert(sizeof(struct head) == 128 && sizeof(struct slot) == 128,
    "the file's layout");

struct metric {
	size_t count, size;
	struct head *head;
	struct slot *slot;
};

static int
fail(int err)
{
	errno = err;
	return -1;
}

static int
close_and_fail(int fd)
{
	int err = errno;

	(void)close(fd);	/* nothing is lost */
	return fail(err);
}

/* ---- reading ---- */

int
metric_parse(struct bytes file, struct metric_value out[METRIC_MAX],
    size_t *count)
{
	struct bytes head = BYTES_EMPTY, one = BYTES_EMPTY;
	uint64_t n;

	if (!bytes_cut(&file, sizeof(struct head), &head) ||
	    !bytes_starts(head, BYTES(MAGIC)))
		return fail(EBADMSG);
	memcpy(&n, head.p + offsetof(struct head, count), sizeof(n));
	if (n > METRIC_MAX || file.n != n * sizeof(struct slot))
		return fail(EBADMSG);
	for (size_t i = 0; i < n; i++) {
		(void)bytes_cut(&file, sizeof(struct slot), &one); /* n fit */
		memcpy(&out[i].value, one.p + offsetof(struct slot, value),
		    sizeof(out[i].value));
		one = bytes_first(one, METRIC_NAME_MAX + 1);
		if (!bytes_split(&one, '\0', &out[i].name) ||
		    out[i].name.n == 0)
			return fail(EBADMSG);
	}
	*count = (size_t)n;
	return 0;
}

/* ---- making ---- */

static int
check_names(const char *const *names, size_t *count)
{
	size_t n, i;

	for (n = 0; names[n] != NULL; n++) {
		if (n == METRIC_MAX || names[n][0] == '\0' ||
		    strlen(names[n]) > METRIC_NAME_MAX)
			return fail(EINVAL);
		for (i = 0; names[n][i] != '\0'; i++) {
			if (ascii_is_ctl((unsigned char)names[n][i]))
				return fail(EINVAL);
		}
	}
	*count = n;
	return 0;
}

static int
open_below(int dir, const char *name)
{
	if (mkdirat(dir, name, DIR_MODE) == -1 && errno != EEXIST)
		return -1;
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
}

static int
open_folder(const char *folder)
{
	int run = open(dir_run(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int metrics, fd;

	if (run == -1)
		return -1;
	if ((metrics = open_below(run, "metrics")) == -1)
		return close_and_fail(run);
	(void)close(run);	/* a directory */
	if ((fd = open_below(metrics, folder)) == -1)
		return close_and_fail(metrics);
	(void)close(metrics);	/* a directory */
	return fd;
}

/* What an earlier file counted by that name. */
static uint64_t
earlier(const struct metric_value *old, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes_eq(old[i].name, bytes_str(name)))
			return old[i].value;
	}
	return 0;
}

static int
write_file(int fd, const char *const *names, size_t count,
    const struct metric_value *old, size_t nold)
{
	struct head h = { .magic = MAGIC, .count = count };
	struct buf b = BUF_INIT(METRIC_FILE_MAX);
	struct slot s;
	int r;

	buf_add(&b, bytes_of((unsigned char *)&h, sizeof(h)));
	for (size_t i = 0; i < count; i++) {
		memset(&s, 0, sizeof(s));
		memcpy(s.name, names[i], strlen(names[i]));
		s.value = earlier(old, nold, names[i]);
		buf_add(&b, bytes_of((unsigned char *)&s, sizeof(s)));
	}
	r = io_write_all(fd, buf_bytes(&b), DEADLINE_NONE);
	buf_free(&b);
	return r;
}

/* A file without this process' counters is replaced. A descriptor, or -1. */
static int
replace(int dir, const char *name, const char *const *names, size_t count,
    const struct metric_value *old, size_t nold)
{
	struct arena a = ARENA_INIT;
	const char *new = arena_printf(&a, ".%s.new", name);
	int fd;

	(void)unlinkat(dir, new, 0);	/* of a process that was killed */
	fd = openat(dir, new, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, FILE_MODE);
	if (fd != -1 && (write_file(fd, names, count, old, nold) == -1 ||
	    renameat(dir, new, dir, name) == -1))
		fd = close_and_fail(fd);
	arena_free(&a);
	return fd;
}

static bool
fits(const struct metric_value *found, size_t nfound,
    const char *const *names, size_t count)
{
	if (nfound != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!bytes_eq(found[i].name, bytes_str(names[i])))
			return false;
	}
	return true;
}

static int
open_file(int dir, const char *name, const char *const *names, size_t count)
{
	struct metric_value old[METRIC_MAX];
	struct buf b = BUF_INIT(METRIC_FILE_MAX);
	size_t nold = 0;
	bool fit;
	int fd, new;

	if (flock(dir, LOCK_EX) == -1)
		return -1;
	fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 && errno != ENOENT)
		return -1;
	fit = fd != -1 && io_read_all(fd, &b, DEADLINE_NONE) != -1 &&
	    metric_parse(buf_bytes(&b), old, &nold) == 0 &&
	    fits(old, nold, names, count);
	if (!fit) {
		new = replace(dir, name, names, count, old, nold);
		if (fd != -1)
			(void)close(fd);	/* the old one */
		fd = new;
	}
	buf_free(&b);
	return fd;
}

static struct metric *
map(int fd, size_t count)
{
	size_t size = sizeof(struct head) + count * sizeof(struct slot);
	struct metric *m;
	struct stat st;
	void *p;

	/* who may write the file is of this user: none shortens it */
	if (fstat(fd, &st) == -1 || st.st_size != (off_t)size) {
		errno = EINVAL;
		return NULL;
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	m = mem_zalloc(1, sizeof(*m));
	m->count = count;
	m->size = size;
	m->head = p;
	m->slot = (struct slot *)(m->head + 1);
	return m;
}

struct metric *
metric_open(const char *name, const char *const *names)
{
	struct bytes rest = bytes_str(name), folder;
	struct arena a = ARENA_INIT;
	struct metric *m = NULL;
	int dir = -1, fd = -1, err;
	size_t count;

	if (check_names(names, &count) == 0 &&
	    bytes_split(&rest, '/', &folder) &&
	    (dir = open_folder(arena_str(&a, folder))) != -1 &&
	    (fd = open_file(dir, arena_str(&a, rest), names, count)) != -1)
		m = map(fd, count);
	err = errno;
	if (fd != -1)
		(void)close(fd);	/* the mapping stays */
	if (dir != -1)
		(void)close(dir);	/* and its lock ends */
	arena_free(&a);
	errno = err;
	return m;
}

void
metric_close(struct metric *m)
{
	if (m == NULL)
		return;
	(void)munmap(m->head, m->size);	/* it was mapped so */
	free(m);
}

void
metric_add(struct metric *m, size_t i, uint64_t n)
{
	if (m == NULL)
		return;
	assert(i < m->count);
	atomic_fetch_add_explicit(&m->slot[i].value, n,
	    memory_order_relaxed);
}
