/*
 * place.c - records of messages and recipients among the fresh or in tables
 * of their own (internal.h says why)
 */
#include "queue/internal.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

/* The table's number as a byte, the key there. */
static struct bytes
fresh_key(unsigned char out[KV_KEY_MAX], unsigned int table, struct bytes key)
{
	assert(key.n < KV_KEY_MAX && table <= UCHAR_MAX);
	out[0] = (unsigned char)table;
	memcpy(out + 1, key.p, key.n);
	return bytes_of(out, key.n + 1);
}

int
queue_place_get(struct queue_txn *t, unsigned int table, struct bytes key,
    struct bytes *value, bool *fresh)
{
	unsigned char k[KV_KEY_MAX];
	int r = kv_get(t->kv, TABLE_FRESH, fresh_key(k, table, key), value);

	*fresh = r == 1;
	return r == 0 ? kv_get(t->kv, table, key, value) : r;
}

int
queue_place_put(struct queue_txn *t, unsigned int table, struct bytes key,
    struct bytes value, bool fresh)
{
	unsigned char k[KV_KEY_MAX];

	if (!fresh)
		return kv_put(t->kv, table, key, value);
	return kv_put(t->kv, TABLE_FRESH, fresh_key(k, table, key), value);
}

int
queue_place_delete(struct queue_txn *t, unsigned int table, struct bytes key,
    bool fresh)
{
	unsigned char k[KV_KEY_MAX];
	int r;

	if (fresh)
		r = kv_delete(t->kv, TABLE_FRESH, fresh_key(k, table, key));
	else
		r = kv_delete(t->kv, table, key);
	if (r == 0)
		return queue_fail(ENOENT);
	return r == 1 ? 0 : -1;
}

int
queue_seek(struct queue_txn *t, struct arena *a, unsigned int table,
    struct bytes *key, struct bytes *value)
{
	struct kv_cursor *c = kv_cursor_open(t->kv, table);
	int got;

	if (c == NULL)
		return -1;
	if ((got = kv_seek(c, key, value)) == 1) {
		*key = arena_bytes(a, *key);
		*value = arena_bytes(a, *value);
	}
	kv_cursor_close(c);
	return got;
}

int
queue_place_seek(struct queue_txn *t, struct arena *a, unsigned int table,
    struct bytes from, struct bytes *key, struct bytes *value)
{
	unsigned char k[KV_KEY_MAX];
	struct bytes first = fresh_key(k, table, from), at = from, v, w;
	int in_fresh = queue_seek(t, a, TABLE_FRESH, &first, &v);
	int in_own = queue_seek(t, a, table, &at, &w);

	if (in_fresh == -1 || in_own == -1)
		return -1;
	if (in_fresh == 1)
		in_fresh = bytes_next(&first) == (int)table;
	if (in_fresh == 0 && in_own == 0)
		return 0;
	if (in_own == 1 && (in_fresh == 0 || bytes_cmp(at, first) < 0)) {
		*key = at;
		*value = w;
	} else {
		*key = first;
		*value = v;
	}
	return 1;
}

int
queue_find_message(struct queue_txn *t, struct arena *a, uint64_t id,
    struct queue_message *m, bool *fresh)
{
	unsigned char key[8];
	struct bytes value;
	int r;

	be64_put(key, id);
	r = queue_place_get(t, TABLE_MESSAGE, bytes_of(key, 8), &value, fresh);
	if (r == 1 && queue_message_parse(arena_bytes(a, value), m) == -1)
		return -1;
	return r;
}

int
queue_find_rcpt(struct queue_txn *t, struct arena *a, uint64_t id, uint64_t n,
    struct queue_rcpt *r, bool *fresh)
{
	unsigned char key[KEY_RCPT];
	struct bytes value;
	int got;

	queue_key(key, id, n);
	got = queue_place_get(t, TABLE_RCPT, bytes_of(key, KEY_RCPT), &value,
	    fresh);
	if (got == 1 && queue_rcpt_parse(arena_bytes(a, value), r) == -1)
		return -1;
	return got;
}

int
queue_put_message(struct queue_txn *t, const struct queue_message *m,
    bool fresh)
{
	struct buf *out = queue_record(t);
	unsigned char key[8];

	be64_put(key, m->id);
	if (queue_message_format(out, m) == -1 || out->full)
		return queue_fail(EMSGSIZE);
	return queue_place_put(t, TABLE_MESSAGE, bytes_of(key, 8),
	    buf_bytes(out), fresh);
}
