/*
 * Keys that sign URLs of a mailbox (RFC 4467): in the table of settings, as
 * "urlauth." and the mailbox's id in four bytes.
 */
#include "store/internal.h"
#include "os/os.h"

#include <errno.h>

#define PREFIX "urlauth."
#define KEY_NAME (sizeof(PREFIX) - 1 + 4)

static struct bytes
name_of(unsigned char out[KEY_NAME], uint32_t mailbox)
{
	memcpy(out, PREFIX, sizeof(PREFIX) - 1);
	be32_put(out + sizeof(PREFIX) - 1, mailbox);
	return bytes_of(out, KEY_NAME);
}

static int
read_key(struct kv_txn *t, uint32_t mailbox,
    unsigned char key[STORE_KEY_BYTES])
{
	unsigned char name[KEY_NAME];
	struct bytes value;
	int r = kv_get(t, TABLE_SETTING, name_of(name, mailbox), &value);

	if (r != 1 || value.n != STORE_KEY_BYTES)
		return r == -1 ? -1 : 0;
	memcpy(key, value.p, STORE_KEY_BYTES);
	return 1;
}

/* Two that make one at once get the same: the write lock is held. */
static int
make_key(struct store *s, uint32_t mailbox,
    unsigned char key[STORE_KEY_BYTES])
{
	unsigned char name[KEY_NAME];
	struct work w;
	int r;

	if (work_begin(s, &w) == -1)
		return -1;
	r = work_box(&w, mailbox) == NULL ? -1 : read_key(w.t, mailbox, key);
	if (r == 0) {
		os_random(key, STORE_KEY_BYTES);
		w.durable = true;
		r = kv_put(w.t, TABLE_SETTING, name_of(name, mailbox),
		    bytes_of(key, STORE_KEY_BYTES)) == -1 ? -1 : 0;
		if (r == 0)
			return work_commit(&w) == -1 ? -1 : 1;
	}
	work_abort(&w);
	return r;
}

int
store_mailbox_key(struct store *s, uint32_t mailbox, bool make,
    unsigned char key[STORE_KEY_BYTES])
{
	struct store_view *v = store_view_open(s);
	int r = v == NULL ? -1 : read_key(v->t, mailbox, key);

	store_view_close(v);
	return r == 0 && make ? make_key(s, mailbox, key) : r;
}

/* Any key of a mailbox after name, into name. 1, 0, -1. */
static int
next_key(struct work *w, unsigned char name[KEY_NAME])
{
	struct bytes key = bytes_of(name, KEY_NAME), value;
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_SETTING);
	int r = c == NULL ? -1 : kv_seek(c, &key, &value);

	if (r == 1 && (key.n != KEY_NAME ||
	    !bytes_starts(key, BYTES(PREFIX))))
		r = 0;
	if (r == 1)
		memcpy(name, key.p, KEY_NAME);
	kv_cursor_close(c);
	return r;
}

int
work_key_drop(struct work *w, uint32_t mailbox)
{
	unsigned char name[KEY_NAME];
	struct bytes key = name_of(name, mailbox);
	int r;

	if (mailbox != 0)
		return kv_delete(w->t, TABLE_SETTING, key) == -1 ? -1 : 0;
	while ((r = next_key(w, name)) == 1) {
		if (kv_delete(w->t, TABLE_SETTING, key) == -1)
			return -1;
	}
	return r;
}

int
store_mailbox_key_drop(struct store *s, uint32_t mailbox)
{
	struct work w;

	if (work_begin(s, &w) == -1)
		return -1;
	w.durable = true;	/* what it signed is void from now on */
	if (work_key_drop(&w, mailbox) == -1) {
		work_abort(&w);
		return -1;
	}
	return work_commit(&w);
}
