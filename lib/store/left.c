/*
 * left.c - what messages that went leave behind in other tables
 *
 * The record of a message is what makes it one. Texts, threads and Message-IDs
 * lie elsewhere, much of it in order of a hash, so that to take out those of
 * many messages touches most pages of an index. An expunge of many messages
 * therefore removes their records and notes in the table "left", in the same
 * commit, what else is to go; that follows a piece at a time, as file names
 * follow flags (naming.c), by this process or the next one that opens the
 * account. Until then readers pass over what leads to no record. UIDs are
 * never given again, so what is noted never becomes somebody else's.
 *
 * An entry: mailbox and first UID; the number of messages, 4, their keys, and
 * the keys of their Message-IDs.
 */
#include "store/internal.h"

#include <errno.h>

/* Messages of an entry, which is one transaction: some 10 ms of the lock. */
#define LEFT_PIECE 4000

/* The keys of Message-IDs up to a message, off the list: both ascend. */
static struct bytes
ids_up_to(struct bytes *ids, const unsigned char *last)
{
	struct bytes all = *ids;

	while (ids->n >= 16 && memcmp(ids->p + 8, last, KEY_MESSAGE) <= 0)
		*ids = bytes_from(*ids, 16);
	return bytes_first(all, all.n - ids->n);
}

int
left_put(struct work *w, const struct removal *r)
{
	struct bytes rest = buf_bytes(&r->message), keys, own;
	struct bytes ids = buf_bytes(&r->message_id);
	struct buf b = BUF_INIT(4 + LEFT_PIECE * (KEY_MESSAGE + 16));
	unsigned char count[4];
	int done = 0;

	while (rest.n > 0 && done != -1) {
		keys = bytes_first(rest, LEFT_PIECE * KEY_MESSAGE);
		rest = bytes_from(rest, keys.n);
		own = ids_up_to(&ids, keys.p + keys.n - KEY_MESSAGE);
		be32_put(count, (uint32_t)(keys.n / KEY_MESSAGE));
		buf_reset(&b);
		if (buf_add(&b, bytes_of(count, 4)) == -1 ||
		    buf_add(&b, keys) == -1 || buf_add(&b, own) == -1)
			done = -1;
		else
			done = kv_put(w->t, TABLE_LEFT,
			    bytes_first(keys, KEY_MESSAGE), buf_bytes(&b));
	}
	buf_free(&b);
	w->names_behind = true;
	return done;
}

/* The parts of an entry. */
static int
left_decode(struct bytes value, struct bytes *keys, struct bytes *ids)
{
	struct bytes head;

	if (bytes_cut(&value, 4, &head) &&
	    be32_get(head.p) <= LEFT_PIECE &&
	    bytes_cut(&value, (size_t)be32_get(head.p) * KEY_MESSAGE, keys) &&
	    value.n % 16 == 0) {
		*ids = value;
		return 0;
	}
	errno = EBADMSG;
	return -1;
}

/* Keys of size bytes that end with the place of a message which is not there,
 * as it should be. */
static int
add_gone(struct work *w, struct bytes keys, size_t size, struct buf *out)
{
	struct bytes key, value;
	int r;

	while (bytes_cut(&keys, size, &key)) {
		r = kv_get(w->t, TABLE_MESSAGE,
		    bytes_from(key, size - KEY_MESSAGE), &value);
		if (r == -1 || (r == 0 && buf_add(out, key) == -1))
			return -1;
	}
	return 0;
}

int
left_some(struct work *w)
{
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_LEFT);
	struct bytes key = BYTES_EMPTY, value, keys, ids;
	unsigned char first[KEY_MESSAGE];
	struct removal gone = REMOVAL_INIT;
	int r = c == NULL ? -1 : kv_seek(c, &key, &value);

	if (r == 1 && (key.n != KEY_MESSAGE ||
	    left_decode(value, &keys, &ids) == -1 ||
	    add_gone(w, keys, KEY_MESSAGE, &gone.message) == -1 ||
	    add_gone(w, ids, 16, &gone.message_id) == -1))
		r = -1;
	if (r == 1)
		memcpy(first, key.p, KEY_MESSAGE);
	kv_cursor_close(c);
	if (r == 1 && (work_remove_rows(w, &gone) == -1 ||
	    kv_delete(w->t, TABLE_LEFT, key_of(first, sizeof(first))) == -1))
		r = -1;
	if (r == 1)
		w->dirty = true;
	removal_free(&gone);
	return r == -1 ? -1 : 0;
}

/* Whether an entry has the key of a message: they ascend. */
static bool
has_key(struct bytes keys, const unsigned char *want)
{
	size_t low = 0, high = keys.n / KEY_MESSAGE, mid;
	int cmp;

	while (low < high) {
		mid = low + (high - low) / 2;
		cmp = memcmp(keys.p + mid * KEY_MESSAGE, want, KEY_MESSAGE);
		if (cmp == 0)
			return true;
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

int
left_has(struct kv_txn *t, uint32_t mailbox, uint32_t uid)
{
	unsigned char from[KEY_MESSAGE], want[KEY_MESSAGE];
	struct bytes key = key_of(from, sizeof(from)), value, keys, ids;
	struct kv_cursor *c = kv_cursor_open(t, TABLE_LEFT);
	bool found = false;
	int r;

	if (c == NULL)
		return -1;
	key_message(from, mailbox, 0);
	key_message(want, mailbox, uid);
	for (r = kv_seek(c, &key, &value); r == 1 && !found;
	    r = kv_next(c, &key, &value)) {
		if (key.n != KEY_MESSAGE ||
		    memcmp(key.p, want, KEY_MESSAGE) > 0)
			break;
		found = left_decode(value, &keys, &ids) == 0 &&
		    has_key(keys, want);
	}
	kv_cursor_close(c);
	return r == -1 ? -1 : found;
}

int
left_thread(struct kv_txn *t, const unsigned char key[KEY_MESSAGE],
    struct store_thread *out)
{
	struct bytes value;
	int r = kv_get(t, TABLE_MESSAGE, key_of(key, KEY_MESSAGE), &value);

	return r != 1 ? r : thread_get(t, be32_get(key), be32_get(key + 4),
	    out);
}

int
left_skip(struct kv_txn *t, struct kv_cursor *c, int r, struct bytes *key,
    struct bytes prefix)
{
	struct bytes value;
	int there;

	while (r == 1) {
		if (key->n != prefix.n + KEY_MESSAGE ||
		    !bytes_starts(*key, prefix))
			return 0;
		there = kv_get(t, TABLE_MESSAGE, bytes_from(*key, prefix.n),
		    &value);
		if (there != 0)
			return there;
		r = kv_next(c, key, &value);
	}
	return r;
}
