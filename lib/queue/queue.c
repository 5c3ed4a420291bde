/*
 * queue.c - the environment, transactions, message files, records
 */
#include "queue/internal.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"

static const char *const tables[] = { "meta", "message", "rcpt", "due",
    "attempt", "retired", "retired_due", "fromid", "holdrule", "suppress",
    "failure", "sent", "first", "known", "tlsresult", "fresh", NULL };

/* Address space; the file grows as needed. A million recipients take about
 * 1 GB. */
#define MAP_BYTES ((size_t)16 << 30)
#define PATH_SIZE 64
#define DIRS 256

static int
make_dir(int at, const char *name)
{
	if (mkdirat(at, name, 0700) == 0 || errno == EEXIST)
		return 0;
	return -1;
}

static int
open_dir(const char *dir)
{
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return -1;
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

struct queue *
queue_open(const char *dir)
{
	struct queue *q = mem_zalloc(1, sizeof(*q));
	struct arena a = ARENA_INIT;

	if ((q->dir = open_dir(dir)) != -1 && make_dir(q->dir, "db") == 0 &&
	    make_dir(q->dir, "message") == 0)
		q->kv = kv_open(arena_printf(&a, "%s/db", dir), MAP_BYTES,
		    tables);
	arena_free(&a);
	if (q->kv == NULL) {
		queue_close(q);
		return NULL;
	}
	return q;
}

void
queue_close(struct queue *q)
{
	int err = errno;

	if (q == NULL)
		return;
	if (q->kv != NULL)
		kv_close(q->kv);
	if (q->dir != -1)
		(void)close(q->dir);	/* a directory: nothing to lose */
	free(q);
	errno = err;
}

/* ---- transactions ---- */

struct queue_txn *
queue_begin(struct queue *q, bool write)
{
	struct kv_txn *kv = kv_begin(q->kv, write);
	struct queue_txn *t;

	if (kv == NULL)
		return NULL;
	t = mem_zalloc(1, sizeof(*t));
	t->kv = kv;
	t->record = BUF_INIT(RECORD_MAX);
	return t;
}

static void
release(struct queue_txn *t)
{
	buf_free(&t->record);
	free(t);
}

void
queue_abort(struct queue_txn *t)
{
	int err = errno;

	if (t == NULL)
		return;
	kv_abort(t->kv);
	release(t);
	errno = err;
}

int
queue_commit(struct queue_txn *t, bool durable)
{
	int r = kv_commit(t->kv, durable);
	int err = errno;

	release(t);
	errno = err;
	return r;
}

struct buf *
queue_record(struct queue_txn *t)
{
	buf_reset(&t->record);
	return &t->record;
}

int
queue_put_record(struct queue_txn *t, unsigned int table, struct bytes key)
{
	if (t->record.full)
		return queue_fail(EMSGSIZE);
	return kv_put(t->kv, table, key, buf_bytes(&t->record));
}

int
queue_get(struct queue_txn *t, struct arena *a, unsigned int table,
    struct bytes key, struct bytes *value)
{
	struct bytes v;
	int r = kv_get(t->kv, table, key, &v);

	if (r == 1)
		*value = arena_bytes(a, v);
	return r;
}

void
queue_key(unsigned char out[KEY_RCPT], uint64_t id, uint64_t n)
{
	be64_put(out, id);
	be64_put(out + 8, n);
}

int
queue_fail_at(struct bytes key, uint64_t *id, uint64_t *n)
{
	bool is_key = key.n == KEY_RCPT;

	*id = is_key ? be64_get(key.p) : UINT64_MAX;
	*n = is_key ? be64_get(key.p + 8) : UINT64_MAX - 1;	/* the end */
	return queue_fail(EBADMSG);
}

void
queue_key_behind(unsigned char out[KEY_RCPT], uint64_t id, uint64_t n)
{
	if (n == UINT64_MAX)
		queue_key(out, id + 1, 0);
	else
		queue_key(out, id, n + 1);
}

int
queue_key_pair(struct buf *out, struct bytes first, struct bytes second)
{
	if (bytes_has_nul(first) || bytes_has_nul(second) ||
	    first.n + second.n + 1 > KV_KEY_MAX)
		return queue_fail(EINVAL);
	buf_reset(out);
	buf_add(out, first);
	buf_addc(out, '\0');
	return buf_add(out, second);
}

/* ---- message files ---- */

static void
file_path(char out[PATH_SIZE], uint64_t id)
{
	int n = snprintf(out, PATH_SIZE, "message/%02x/%llx",
	    (unsigned int)(id % DIRS), (unsigned long long)id);

	assert(n > 0 && n < PATH_SIZE);		/* 8 + 2 + 1 + 16 */
}

static void
dir_path(char out[PATH_SIZE], uint64_t id)
{
	int n = snprintf(out, PATH_SIZE, "message/%02x",
	    (unsigned int)(id % DIRS));

	assert(n > 0 && n < PATH_SIZE);
}

int
queue_file_make(struct queue *q)
{
	return os_tmpfile(q->dir, "message");
}

static int
sync_dir(struct queue *q, const char *name)
{
	int fd = openat(q->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd == -1)
		return -1;
	r = fsync(fd);
	(void)close(fd);	/* synced or not, the result is known */
	return r;
}

/* EEXIST: another took this microsecond. */
static int
link_file(struct queue *q, int fd, uint64_t id)
{
	char path[PATH_SIZE], dir[PATH_SIZE], from[PATH_SIZE];
	int n = snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);

	assert(n > 0 && (size_t)n < sizeof(from));
	file_path(path, id);
	if (linkat(AT_FDCWD, from, q->dir, path, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	dir_path(dir, id);
	if (make_dir(q->dir, dir) == -1 || sync_dir(q, "message") == -1)
		return -1;
	return linkat(AT_FDCWD, from, q->dir, path, AT_SYMLINK_FOLLOW);
}

int
queue_file_keep(struct queue *q, int fd, uint64_t *id)
{
	char dir[PATH_SIZE];
	uint64_t got = (uint64_t)time_wall_us();
	int r = fsync(fd);

	while (r == 0 && (r = link_file(q, fd, got)) == -1 && errno == EEXIST) {
		got++;
		r = 0;
	}
	if (close(fd) == -1 || r == -1)
		return -1;
	dir_path(dir, got);
	if (sync_dir(q, dir) == -1) {
		r = errno;
		queue_file_remove(q, got);
		errno = r;
		return -1;
	}
	*id = got;
	return 0;
}

int
queue_file_open(struct queue *q, uint64_t id)
{
	char path[PATH_SIZE];

	file_path(path, id);
	return openat(q->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

void
queue_file_remove(struct queue *q, uint64_t id)
{
	char path[PATH_SIZE];

	file_path(path, id);
	(void)unlinkat(q->dir, path, 0);	/* the sweeper takes it */
}

void
queue_file_discard(struct queue *q, uint64_t id)
{
	struct queue_txn *t = queue_begin(q, false);
	unsigned char key[8];
	struct bytes value;
	bool fresh;

	be64_put(key, id);
	if (t != NULL && queue_place_get(t, TABLE_MESSAGE, bytes_of(key, 8),
	    &value, &fresh) == 0)
		queue_file_remove(q, id);
	queue_abort(t);
}

/* 1 removed, 0 kept. */
static int
sweep_file(struct queue *q, struct queue_txn *t, uint64_t id, int64_t now)
{
	unsigned char key[8];
	struct bytes value;
	struct stat st;
	char path[PATH_SIZE];
	bool fresh;
	int r;

	be64_put(key, id);
	if ((r = queue_place_get(t, TABLE_MESSAGE, bytes_of(key, 8), &value,
	    &fresh)) != 0)
		return r == 1 ? 0 : -1;
	file_path(path, id);
	if (fstatat(q->dir, path, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    st.st_mtime > now - QUEUE_ORPHAN_S ||
	    unlinkat(q->dir, path, 0) == -1)
		return 0;
	return 1;
}

static int
sweep_dir(struct queue *q, struct queue_txn *t, DIR *d, int64_t now)
{
	struct dirent *e;
	uint64_t id, n;
	int removed = 0, r;

	while ((e = readdir(d)) != NULL) {
		if (queue_id_parse(bytes_str(e->d_name), &id, &n) == -1)
			continue;
		if ((r = sweep_file(q, t, id, now)) == -1)
			return -1;
		removed += r;
	}
	return removed;
}

static int
sweep_all(struct queue *q, struct queue_txn *t, int64_t now)
{
	char path[PATH_SIZE];
	int removed = 0, r, fd;
	DIR *d;

	for (uint64_t i = 0; i < DIRS; i++) {
		dir_path(path, i);
		fd = openat(q->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd == -1)
			continue;	/* never used yet */
		if ((d = fdopendir(fd)) == NULL) {
			(void)close(fd);	/* nothing read from it */
			return -1;
		}
		r = sweep_dir(q, t, d, now);
		(void)closedir(d);	/* read only */
		if (r == -1)
			return -1;
		removed += r;
	}
	return removed;
}

int
queue_sweep(struct queue *q, int64_t now)
{
	struct queue_txn *t = queue_begin(q, false);
	int r;

	if (t == NULL)
		return -1;
	r = sweep_all(q, t, now);
	queue_abort(t);
	return r;
}
