/*
 * db.c - the table of verifiers: var/auth/, account name to record
 */
#include "sasl/sasl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "kv/kv.h"

/* A record is under 200 bytes: room for half a million accounts. */
#define MAP_BYTES ((size_t)256 << 20)

enum { TABLE_VERIFIER };
static const char *const tables[] = { "verifier", NULL };

struct sasl_db {
	struct kv *kv;
};

struct sasl_db *
sasl_db_open(const char *var_dir, bool for_writing)
{
	struct sasl_db *db;
	struct stat st;
	struct kv *kv;
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/auth", var_dir);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	if (for_writing) {
		if (mkdir(path, 0700) == -1 && errno != EEXIST)
			return NULL;
	} else if (stat(path, &st) == -1) {
		return NULL;
	}
	kv = kv_open(path, MAP_BYTES, tables);
	if (kv == NULL)
		return NULL;
	db = mem_zalloc(1, sizeof(*db));
	db->kv = kv;
	return db;
}

void
sasl_db_close(struct sasl_db *db)
{
	if (db == NULL)
		return;
	kv_close(db->kv);
	free(db);
}

int
sasl_db_get(struct sasl_db *db, const char *account,
    struct sasl_verifier *out)
{
	struct kv_txn *t = kv_begin(db->kv, false);
	struct bytes value;
	int r, saved;

	if (t == NULL)
		return -1;
	r = kv_get(t, TABLE_VERIFIER, bytes_str(account), &value);
	if (r == 1) {
		r = sasl_verifier_parse(value, out);
	} else if (r == 0) {
		errno = ENOENT;
		r = -1;
	}
	saved = errno;
	kv_abort(t);
	errno = saved;
	return r;
}

int
sasl_db_put(struct sasl_db *db, const char *account,
    const struct sasl_verifier *v)
{
	struct buf b = BUF_INIT(SASL_VERIFIER_BYTES);
	struct kv_txn *t = NULL;
	int r = sasl_verifier_format(v, &b), saved;

	if (r == 0 && (t = kv_begin(db->kv, true)) == NULL)
		r = -1;
	if (r == 0)
		r = kv_put(t, TABLE_VERIFIER, bytes_str(account),
		    buf_bytes(&b));
	saved = errno;
	if (b.size > 0)
		secret_wipe(b.p, b.size);
	buf_free(&b);
	if (r == -1) {
		kv_abort(t);
		errno = saved;
		return -1;
	}
	return kv_commit(t, true);
}

int
sasl_db_remove(struct sasl_db *db, const char *account)
{
	struct kv_txn *t = kv_begin(db->kv, true);
	int r, saved;

	if (t == NULL)
		return -1;
	r = kv_delete(t, TABLE_VERIFIER, bytes_str(account));
	if (r != 1) {
		saved = errno;
		kv_abort(t);
		errno = saved;
		return r;
	}
	return kv_commit(t, true) == -1 ? -1 : 1;
}
