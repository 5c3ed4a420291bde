#include "kv/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * LMDB writes its pages behind the end of the file, and each growth makes
 * fdatasync(2) write metadata too. So whoever begins a write transaction
 * first sees to it that some pages behind the last one in use are there as
 * real zeros (blocks that are only reserved would cost a metadata change when
 * first written).
 */
#define AHEAD_PAGES 64		/* more than most transactions use */
#define GROW_MIN (256 * 1024)
#define GROW_MAX (8 * 1024 * 1024)

struct kv {
	MDB_env *env;
	size_t page_size;
	off_t file_size;	/* known to be at least that long */
	unsigned int tables;
	MDB_dbi dbi[KV_TABLES_MAX];
	struct kv_proof proof;
};

struct kv_txn {
	struct kv *kv;
	MDB_txn *txn;
	bool write;
};

struct kv_cursor {
	MDB_cursor *cursor;
	size_t page_size;
	bool write;		/* pages may be copies, anywhere */
	const unsigned char *page;	/* of the last entry */
};

static int
fail(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return 0;
	case MDB_NOTFOUND:
		errno = ENOENT;
		break;
	case MDB_KEYEXIST:
		errno = EEXIST;
		break;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
		errno = ENOSPC;
		break;
	case MDB_READERS_FULL:
		errno = EAGAIN;
		break;
	case MDB_VERSION_MISMATCH:
		errno = EPROTONOSUPPORT;
		break;
	case MDB_BAD_VALSIZE:
		errno = EINVAL;
		break;
	case MDB_PANIC:
		errno = ENOTRECOVERABLE;
		break;
	default:
		errno = rc > 0 ? rc : EBADMSG;
		if (rc <= 0)
			kv_suspect();
		break;
	}
	return -1;
}

static MDB_val
val_of(struct bytes b)
{
	/* LMDB does not write through mv_data of a key or value given. */
	return (MDB_val){ b.n, (void *)(uintptr_t)b.p };
}

static struct bytes
bytes_of_val(MDB_val v)
{
	return bytes_of(v.mv_data, v.mv_size);
}

/* Only ever longer, whoever else writes to it. */
static int
lengthen(struct kv *k, mdb_filehandle_t fd, off_t want)
{
	int err = posix_fallocate(fd, 0, want);

	if (err != 0) {
		errno = err;
		return -1;
	}
	k->file_size = want;
	return 0;
}

/*
 * A file cut behind LMDB's back would end us with SIGBUS. But pages that one
 * transaction took at the end and freed again are not written, so that the
 * file may be short of them: it is whole if no page in use is missing.
 */
static int
check_short(struct kv *k, const char *path, bool is_file,
    mdb_filehandle_t fd, off_t want)
{
	const char *why;
	MDB_txn *txn;
	int rc, r;

	/* while a reader is there no page of the snapshot is used again */
	if ((rc = mdb_txn_begin(k->env, NULL, MDB_RDONLY, &txn)) != 0)
		return fail(rc);
	r = is_file ? kv_check_file(path, &why) : kv_check(path, &why);
	mdb_txn_abort(txn);
	return r == -1 ? -1 : lengthen(k, fd, want);
}

static int
check_length(struct kv *k, const char *path, bool is_file)
{
	MDB_envinfo info;
	mdb_filehandle_t fd;
	struct stat st;
	int rc;

	if ((rc = mdb_env_info(k->env, &info)) != 0 ||
	    (rc = mdb_env_get_fd(k->env, &fd)) != 0)
		return fail(rc);
	if (fstat(fd, &st) == -1)
		return -1;
	if ((uint64_t)st.st_size / k->page_size < info.me_last_pgno + 1)
		return check_short(k, path, is_file, fd,
		    (off_t)((info.me_last_pgno + 1) * k->page_size));
	k->file_size = st.st_size;
	return 0;
}

/* The one after those that are open. */
static int
open_table(struct kv *k, MDB_txn *txn, const char *name, unsigned int flags)
{
	MDB_dbi *dbi = &k->dbi[k->tables];
	int rc = mdb_dbi_open(txn, name, flags, dbi);

	return rc != 0 ? rc : mdb_set_compare(txn, *dbi, kv_compare);
}

static int
open_tables(struct kv *k, const char *const *tables)
{
	MDB_txn *txn;
	int rc;

	/* All there already: no write transaction, no disk commit. */
	if ((rc = mdb_txn_begin(k->env, NULL, MDB_RDONLY, &txn)) != 0)
		return fail(rc);
	for (k->tables = 0; tables[k->tables] != NULL; k->tables++) {
		rc = open_table(k, txn, tables[k->tables], 0);
		if (rc != 0)
			break;
	}
	if (rc == 0)
		return fail(mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	if (rc != MDB_NOTFOUND)
		return fail(rc);
	if ((rc = mdb_txn_begin(k->env, NULL, 0, &txn)) != 0)
		return fail(rc);
	for (k->tables = 0; tables[k->tables] != NULL; k->tables++) {
		rc = open_table(k, txn, tables[k->tables], MDB_CREATE);
		if (rc != 0) {
			mdb_txn_abort(txn);
			return fail(rc);
		}
	}
	return fail(mdb_txn_commit(txn));
}

static int
open_env(struct kv *k, const char *path, bool is_file, size_t map_bytes)
{
	unsigned int flags = MDB_NOMETASYNC | MDB_NOTLS |
	    (is_file ? MDB_NOSUBDIR : 0);
	MDB_stat st;
	int rc, dead;

	if ((rc = mdb_env_create(&k->env)) != 0)
		return fail(rc);
	if ((rc = mdb_env_set_mapsize(k->env, map_bytes)) != 0 ||
	    (rc = mdb_env_set_maxdbs(k->env, KV_TABLES_MAX)) != 0 ||
	    (rc = mdb_env_set_maxreaders(k->env, KV_READERS_MAX)) != 0 ||
	    (rc = mdb_env_open(k->env, path, flags, 0600)) != 0)
		return fail(rc);
	if ((rc = mdb_env_stat(k->env, &st)) != 0)
		return fail(rc);
	k->page_size = st.ms_psize;
	/* A killed reader would keep freed pages from being used again. */
	if ((rc = mdb_reader_check(k->env, &dead)) != 0)
		return fail(rc);
	return check_length(k, path, is_file);
}

static struct kv *
open_any(const char *path, bool is_file, size_t map_bytes,
    const char *const *tables, int proof_dir, const char *proof)
{
	struct kv *k = mem_zalloc(1, sizeof(*k));
	int err;

	k->proof = (struct kv_proof){ .dir = proof_dir, .name = proof };
	kv_proof_add(&k->proof);
	if (open_env(k, path, is_file, map_bytes) == -1 ||
	    open_tables(k, tables) == -1) {
		err = errno;
		kv_close(k);
		errno = err;
		return NULL;
	}
	k->proof.uses--;
	return k;
}

struct kv *
kv_open(const char *dir, size_t map_bytes, const char *const *tables)
{
	return open_any(dir, false, map_bytes, tables, -1, NULL);
}

struct kv *
kv_open_proved(const char *dir, size_t map_bytes, const char *const *tables,
    int proof_dir, const char *proof)
{
	return open_any(dir, false, map_bytes, tables, proof_dir, proof);
}

struct kv *
kv_open_file(const char *path, size_t map_bytes, const char *const *tables)
{
	return open_any(path, true, map_bytes, tables, -1, NULL);
}

void
kv_close(struct kv *k)
{
	if (k == NULL)
		return;
	if (k->env != NULL)
		mdb_env_close(k->env);
	kv_proof_remove(&k->proof);
	free(k);
}

/* Under the write lock: nobody else writes behind the end of the file. */
static int
prepare_blocks(struct kv *k)
{
	static const unsigned char zeros[65536];
	MDB_envinfo info;
	mdb_filehandle_t fd;
	struct stat st;
	off_t want, grow;
	int rc;

	if ((rc = mdb_env_info(k->env, &info)) != 0)
		return fail(rc);
	want = (off_t)((info.me_last_pgno + 1 + AHEAD_PAGES) * k->page_size);
	if (want <= k->file_size)
		return 0;
	if ((rc = mdb_env_get_fd(k->env, &fd)) != 0)
		return fail(rc);
	if (fstat(fd, &st) == -1)
		return -1;
	k->file_size = st.st_size;
	if (want <= k->file_size)
		return 0;
	grow = k->file_size / 8;
	grow = grow < GROW_MIN ? GROW_MIN : grow > GROW_MAX ? GROW_MAX : grow;
	want = k->file_size + grow;
	want -= want % (off_t)sizeof(zeros);
	while (k->file_size < want) {
		size_t n = sizeof(zeros) -
		    (size_t)(k->file_size % (off_t)sizeof(zeros));
		ssize_t w = pwrite(fd, zeros, n, k->file_size);

		/* Only speed is lost; the commit finds out what is wrong. */
		if (w <= 0)
			return 0;
		k->file_size += w;
	}
	return 0;
}

struct kv_txn *
kv_begin(struct kv *k, bool write)
{
	struct kv_txn *t = mem_zalloc(1, sizeof(*t));
	int rc;

	k->proof.uses++;
	rc = mdb_txn_begin(k->env, NULL, write ? 0 : MDB_RDONLY, &t->txn);
	if (rc != 0) {
		k->proof.uses--;
		free(t);
		(void)fail(rc);		/* sets errno */
		return NULL;
	}
	t->kv = k;
	t->write = write;
	if (write && prepare_blocks(k) == -1) {
		kv_abort(t);
		return NULL;
	}
	return t;
}

void
kv_abort(struct kv_txn *t)
{
	int err = errno;

	if (t == NULL)
		return;
	mdb_txn_abort(t->txn);
	t->kv->proof.uses--;
	free(t);
	errno = err;
}

/* No shorter than what the commit took at its end (check_short). Failing that
 * does no harm: whoever opens the file looks. */
static void
fill_up(struct kv *k)
{
	MDB_envinfo info;
	mdb_filehandle_t fd;
	struct stat st;
	off_t want;

	if (mdb_env_info(k->env, &info) != 0)
		return;
	want = (off_t)((info.me_last_pgno + 1) * k->page_size);
	if (want > k->file_size && mdb_env_get_fd(k->env, &fd) == 0 &&
	    fstat(fd, &st) == 0 && want > st.st_size)
		(void)lengthen(k, fd, want);
}

int
kv_commit(struct kv_txn *t, bool durable)
{
	struct kv *k = t->kv;
	int rc = mdb_txn_commit(t->txn);

	if (rc == 0 && t->write)
		fill_up(k);
	free(t);
	k->proof.uses--;
	if (rc == 0 && durable)
		rc = mdb_env_sync(k->env, 1);
	return fail(rc);
}

int
kv_get(struct kv_txn *t, unsigned int table, struct bytes key,
    struct bytes *value)
{
	MDB_val k = val_of(key), v;
	int rc = mdb_get(t->txn, t->kv->dbi[table], &k, &v);

	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc != 0)
		return fail(rc);
	*value = bytes_of_val(v);
	return 1;
}

/* Where one is there or the next one: LMDB then stays on that page, and finds
 * a near one without going down from the root. */
static int
get_next(MDB_cursor *cursor, uint64_t key, size_t value_bytes,
    const unsigned char **value)
{
	unsigned char b[8];
	MDB_val k = { sizeof(b), b }, v;
	int rc;

	be64_put(b, key);
	*value = NULL;
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	if (rc != 0)
		return rc == MDB_NOTFOUND ? 0 : rc;
	if (k.mv_size != sizeof(b) || memcmp(k.mv_data, b, sizeof(b)) != 0)
		return 0;
	if (v.mv_size != value_bytes)
		return MDB_CORRUPTED;
	*value = v.mv_data;
	return 0;
}

int
kv_get_many(struct kv_txn *t, unsigned int table, const uint64_t *key,
    size_t count, size_t value_bytes, const unsigned char **value)
{
	MDB_cursor *cursor;
	size_t i;
	int rc;

	if ((rc = mdb_cursor_open(t->txn, t->kv->dbi[table], &cursor)) != 0)
		return fail(rc);
	for (i = 0; rc == 0 && i < count; i++)
		rc = get_next(cursor, key[i], value_bytes, &value[i]);
	mdb_cursor_close(cursor);
	return rc == 0 ? 0 : fail(rc);
}

int
kv_put(struct kv_txn *t, unsigned int table, struct bytes key,
    struct bytes value)
{
	MDB_val k = val_of(key), v = val_of(value);

	return fail(mdb_put(t->txn, t->kv->dbi[table], &k, &v, 0));
}

unsigned char *
kv_put_room(struct kv_txn *t, unsigned int table, struct bytes key, size_t n)
{
	MDB_val k = val_of(key), v = { n, NULL };

	if (fail(mdb_put(t->txn, t->kv->dbi[table], &k, &v, MDB_RESERVE))
	    == -1)
		return NULL;
	return v.mv_data;
}

int
kv_delete(struct kv_txn *t, unsigned int table, struct bytes key)
{
	MDB_val k = val_of(key);
	int rc = mdb_del(t->txn, t->kv->dbi[table], &k, NULL);

	if (rc == MDB_NOTFOUND)
		return 0;
	return rc == 0 ? 1 : fail(rc);
}

int
kv_delete_many(struct kv_txn *t, unsigned int table,
    const unsigned char *keys, size_t key_bytes, size_t count)
{
	MDB_cursor *c;
	MDB_val k, v;
	size_t i;
	int rc = mdb_cursor_open(t->txn, t->kv->dbi[table], &c);

	if (rc != 0)
		return fail(rc);
	/* The last first: what was put in order lies in its page so that then
	 * nothing has to be moved. */
	for (i = count; i-- > 0 && rc == 0;) {
		k = val_of(bytes_of(keys + i * key_bytes, key_bytes));
		/* It looks at the page it is on first. */
		rc = mdb_cursor_get(c, &k, &v, MDB_SET);
		rc = rc == 0 ? mdb_cursor_del(c, 0)
		    : rc == MDB_NOTFOUND ? 0 : rc;
	}
	mdb_cursor_close(c);
	return fail(rc);
}

int
kv_empty(struct kv_txn *t, unsigned int table)
{
	return fail(mdb_drop(t->txn, t->kv->dbi[table], 0));
}

int64_t
kv_count(struct kv_txn *t, unsigned int table)
{
	MDB_stat st;
	int rc = mdb_stat(t->txn, t->kv->dbi[table], &st);

	return rc == 0 ? (int64_t)st.ms_entries : fail(rc);
}

struct kv_cursor *
kv_cursor_open(struct kv_txn *t, unsigned int table)
{
	struct kv_cursor *c = mem_zalloc(1, sizeof(*c));
	int rc = mdb_cursor_open(t->txn, t->kv->dbi[table], &c->cursor);

	c->page_size = t->kv->page_size;
	c->write = t->write;
	if (rc != 0) {
		free(c);
		(void)fail(rc);		/* sets errno */
		return NULL;
	}
	return c;
}

void
kv_cursor_close(struct kv_cursor *c)
{
	if (c == NULL)
		return;
	mdb_cursor_close(c->cursor);
	free(c);
}

static int
cursor_get(struct kv_cursor *c, struct bytes *key, struct bytes *value,
    MDB_cursor_op op)
{
	MDB_val k = val_of(*key), v;
	int rc = mdb_cursor_get(c->cursor, &k, &v, op);

	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc != 0)
		return fail(rc);
	*key = bytes_of_val(k);
	*value = bytes_of_val(v);
	return 1;
}

#define CACHE_LINE 64
#define PAGE_HEAD 16		/* check.c has the layout */

/*
 * A page holds some entries, the last one first, and follows no other in
 * memory, so nothing but this tells the processor what will be read next: how
 * each entry begins. A walk over records takes a third less. While writing,
 * pages may be copies that begin anywhere, so all of what is around is taken.
 */
static void
read_ahead(struct kv_cursor *c, struct bytes key)
{
	const unsigned char *page = key.p -
	    ((uintptr_t)key.p & (c->page_size - 1));
	const unsigned char *at;
	uint16_t lower, place;
	size_t i;

	if (page == c->page)
		return;
	c->page = page;
	for (i = 0; c->write && i < c->page_size; i += CACHE_LINE)
		__builtin_prefetch(page + i);
	if (c->write)
		return;
	memcpy(&lower, page + 12, sizeof(lower));
	for (i = PAGE_HEAD; i < lower && i < c->page_size;
	    i += sizeof(place)) {
		memcpy(&place, page + i, sizeof(place));
		at = page + place;
		__builtin_prefetch(at);
		__builtin_prefetch(at + CACHE_LINE);
	}
}

int
kv_seek(struct kv_cursor *c, struct bytes *key, struct bytes *value)
{
	/* LMDB takes no empty key. */
	return cursor_get(c, key, value,
	    key->n == 0 ? MDB_FIRST : MDB_SET_RANGE);
}

int
kv_next(struct kv_cursor *c, struct bytes *key, struct bytes *value)
{
	int r = cursor_get(c, key, value, MDB_NEXT);

	if (r == 1)
		read_ahead(c, *key);
	return r;
}

int
kv_last(struct kv_cursor *c, struct bytes *key, struct bytes *value)
{
	return cursor_get(c, key, value, MDB_LAST);
}
