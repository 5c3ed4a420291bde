/*
 * kv.h - sorted tables that change, in one LMDB environment
 *
 * The one module that includes lmdb.h. Keys are bytes (1 .. KV_KEY_MAX), in
 * memcmp order; tables are numbered by their place in the list given to
 * kv_open. Many readers, one writer, across processes; a reader sees one
 * snapshot. Values read are views into the map: they hold until the
 * transaction ends or, in a writing one, until its next change.
 *
 * Open after fork, never across it, and once per process and environment.
 *
 * errno of all: EBADMSG the file is damaged, EPROTONOSUPPORT it was written
 * by another LMDB format, ENOSPC disk or map full, EAGAIN too many readers,
 * ENOTRECOVERABLE a root page could not be written: open it anew.
 */
#ifndef KV_H
#define KV_H

#include "base/base.h"

#define KV_TABLES_MAX 32
#define KV_KEY_MAX 511		/* LMDB's compiled-in limit */
#define KV_READERS_MAX 2000	/* one per process that has a view open */

struct kv;
struct kv_txn;
struct kv_cursor;

/*
 * Open the environment in a directory that exists, making its files if need
 * be; map_bytes of address space are taken. tables ends with NULL, its
 * strings must live as long. NULL with errno.
 */
struct kv *kv_open(const char *dir, size_t map_bytes,
    const char *const *tables);
/* The same in a file of that name, with its locks in path-lock beside it. */
struct kv *kv_open_file(const char *path, size_t map_bytes,
    const char *const *tables);
/*
 * kv_open, where the file `proof` in proof_dir says that the environment is in
 * order. LMDB believes the pages it maps, so that a damaged one may end the
 * process: if one ends by a fault (os_fault_last) while it opens the
 * environment or has a transaction of it, the file is removed. So it is by
 * kv_suspect, and if LMDB meets damage. Both arguments stay the caller's, until
 * kv_close. Who finds no proof looks at the pages first (kv_check).
 */
struct kv *kv_open_proved(const char *dir, size_t map_bytes,
    const char *const *tables, int proof_dir, const char *proof);
/* A value cannot be what it is to be: those of which a transaction is open
 * have no proof any more. errno stays. */
void kv_suspect(void);
void kv_close(struct kv *k);

/*
 * Begin; a writer waits for other writers. File blocks are made ready ahead
 * of need here, so that a commit costs one disk write barrier and no change
 * of file size. NULL with errno.
 */
struct kv_txn *kv_begin(struct kv *k, bool write);
void kv_abort(struct kv_txn *t);	/* NULL: nothing */
/*
 * Commit; the transaction is gone in every case. With durable the change
 * itself survives power loss; without it the last commit may be undone by
 * power loss, whole, and nothing else (one disk barrier less).
 */
int kv_commit(struct kv_txn *t, bool durable);

/* 1, 0 not there, -1. */
int kv_get(struct kv_txn *t, unsigned int table, struct bytes key,
    struct bytes *value);
/*
 * Look up many keys of a table whose keys have 8 bytes or fewer: each key[i] is
 * the number that be64_put makes a key of, and value[i] gets where its value
 * is, which must be of value_bytes, or NULL if it is not there. Fastest when
 * they ascend. 0, -1: EBADMSG, a value has another length.
 */
int kv_get_many(struct kv_txn *t, unsigned int table, const uint64_t *key,
    size_t count, size_t value_bytes, const unsigned char **value);
int kv_put(struct kv_txn *t, unsigned int table, struct bytes key,
    struct bytes value);
/* Room for a value of n bytes, to be filled before the next change; NULL. */
unsigned char *kv_put_room(struct kv_txn *t, unsigned int table,
    struct bytes key, size_t n);
/* 1 removed, 0 was not there, -1. */
int kv_delete(struct kv_txn *t, unsigned int table, struct bytes key);
/* Remove count keys of key_bytes each, in ascending order; those not there are
 * passed over. Cheaper than one by one. 0, -1. */
int kv_delete_many(struct kv_txn *t, unsigned int table,
    const unsigned char *keys, size_t key_bytes, size_t count);
/* Remove everything in a table. */
int kv_empty(struct kv_txn *t, unsigned int table);
/* Number of entries, or -1. */
int64_t kv_count(struct kv_txn *t, unsigned int table);

/* A cursor must be closed before its transaction ends. NULL with errno. */
struct kv_cursor *kv_cursor_open(struct kv_txn *t, unsigned int table);
void kv_cursor_close(struct kv_cursor *c);	/* NULL: nothing */
/* The first entry with a key >= key; the next; the last. 1, 0 none, -1. */
int kv_seek(struct kv_cursor *c, struct bytes *key, struct bytes *value);
int kv_next(struct kv_cursor *c, struct bytes *key, struct bytes *value);
int kv_last(struct kv_cursor *c, struct bytes *key, struct bytes *value);

/*
 * Walk every page of the environment in a directory without LMDB, as far as
 * the newest snapshot reaches: bounds, order of keys, kinds, counts, and that
 * each page is in one place, a tree or a list of free ones. What the values
 * say is not known here. 0 whole (or empty), -1 EBADMSG with *why (not NULL)
 * damaged, EAGAIN too many others write, other errno: cannot read. LMDB
 * trusts its pages: a damaged one may end the process, so this comes first
 * where damage is likely. About 0.4 ms for a MiB.
 */
int kv_check(const char *dir, const char **why);
/* The same of one file. */
int kv_check_file(const char *path, const char **why);

#endif
