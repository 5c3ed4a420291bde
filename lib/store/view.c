/* Reading: one snapshot, records decoded where they lie. */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct store_view *
store_view_open(struct store *s)
{
	struct store_view *v = mem_zalloc(1, sizeof(*v));
	struct bytes value;
	int r;

	v->s = s;
	if ((v->t = kv_begin(s->kv, false)) == NULL) {
		free(v);
		return NULL;
	}
	r = kv_get(v->t, TABLE_META, BYTES("state"), &value);
	if (r == 1 && state_decode(value, &v->state) == 0)
		return v;
	if (r != -1)
		(void)unreadable();
	store_view_close(v);
	return NULL;
}

void
store_view_close(struct store_view *v)
{
	int err = errno;

	if (v == NULL)
		return;
	kv_cursor_close(v->messages);
	kv_cursor_close(v->changes);
	kv_cursor_close(v->uids);
	kv_cursor_close(v->texts);
	kv_abort(v->t);
	free(v);
	errno = err;
}

uint64_t
store_view_modseq(const struct store_view *v)
{
	return v->state.modseq;
}

void
store_view_quota(const struct store_view *v, uint64_t *used, uint64_t *limit)
{
	*used = v->state.quota_bytes;
	*limit = v->s->quota_bytes;
}

uint64_t
store_change_floor(const struct store_view *v)
{
	return v->state.floor;
}

/* ---- mailboxes ---- */

int
store_mailbox_get(struct store_view *v, uint32_t id,
    struct store_mailbox *out)
{
	unsigned char key[4];
	struct bytes value;
	struct mbox m;
	int r;

	be32_put(key, id);
	if ((r = kv_get(v->t, TABLE_MAILBOX, key_of(key, 4), &value)) != 1)
		return r;
	if (mbox_decode(id, value, &m) == -1)
		return -1;
	mbox_export(&m, out);
	return 1;
}

static int
get_by_ref(struct store_view *v, struct bytes ref, struct store_mailbox *out)
{
	int r;

	if (ref.n != 4)
		return unreadable();
	r = store_mailbox_get(v, be32_get(ref.p), out);
	return r == 0 ? unreadable() : r;
}

int
store_mailbox_find(struct store_view *v, struct bytes name,
    struct store_mailbox *out)
{
	struct arena a = ARENA_INIT;
	struct bytes checked, ref;
	int r = 0;

	if (store_name_check(&a, name, &checked, NULL) == 0)
		r = kv_get(v->t, TABLE_MAILBOX_NAME, checked, &ref);
	arena_free(&a);
	return r == 1 ? get_by_ref(v, ref, out) : r;
}

int
store_mailbox_next(struct store_view *v, struct bytes *at,
    struct store_mailbox *out)
{
	struct kv_cursor *c = kv_cursor_open(v->t, TABLE_MAILBOX_NAME);
	struct bytes key = *at, ref;
	int r;

	if (c == NULL)
		return -1;
	r = kv_seek(c, &key, &ref);
	if (r == 1 && at->n > 0 && bytes_eq(key, *at))
		r = kv_next(c, &key, &ref);
	if (r == 1 && (r = get_by_ref(v, ref, out)) == 1)
		*at = key;
	kv_cursor_close(c);
	return r;
}

int
store_mailbox_use(struct store_view *v, uint32_t use,
    struct store_mailbox *out)
{
	struct bytes at = BYTES_EMPTY;
	struct store_mailbox m;
	int r;

	while ((r = store_mailbox_next(v, &at, &m)) == 1) {
		if ((m.use & use) != 0) {
			*out = m;
			return 1;
		}
	}
	return r;
}

int
store_subscriptions(struct store *s, struct buf *out)
{
	return maildir_subscriptions_read(s->maildir, out) == -1 ? -1 : 0;
}

int
store_keyword_name(struct store_view *v, uint32_t mailbox, unsigned int i,
    struct bytes *name)
{
	unsigned char key[6];

	if (i >= STORE_KEYWORDS_MAX)
		return 0;
	be32_put(key, mailbox);
	key[4] = (unsigned char)(i >> 8);
	key[5] = (unsigned char)(i & 0xff);
	return kv_get(v->t, TABLE_KEYWORD, key_of(key, 6), name);
}

int
store_keyword_find(struct store_view *v, uint32_t mailbox, struct bytes name,
    unsigned int *i)
{
	struct bytes have;
	unsigned int n;
	int r;

	for (n = 0; n < STORE_KEYWORDS_MAX; n++) {
		r = store_keyword_name(v, mailbox, n, &have);
		if (r == -1)
			return -1;
		if (r == 1 && bytes_caseeq(have, name)) {
			*i = n;
			return 1;
		}
	}
	return 0;
}

/* ---- messages ---- */

int
store_message_get(struct store_view *v, uint32_t mailbox, uint32_t uid,
    struct store_message *out)
{
	unsigned char key[KEY_MESSAGE];
	struct bytes value;
	int r;

	key_message(key, mailbox, uid);
	r = kv_get(v->t, TABLE_MESSAGE, key_of(key, sizeof(key)), &value);
	if (r != 1)
		return r;
	return message_decode(key_of(key, sizeof(key)), value, out) == 0 ? 1
	    : -1;
}

static int
walked(struct store_view *v, int r, struct bytes key, struct bytes value,
    struct store_message *out)
{
	if (r != 1)
		return r;
	if (message_decode(key, value, out) == -1)
		return -1;
	return out->mailbox == v->walk_mailbox ? 1 : 0;
}

int
store_message_first(struct store_view *v, uint32_t mailbox, uint32_t uid,
    struct store_message *out)
{
	unsigned char from[KEY_MESSAGE];
	struct bytes key = key_of(from, sizeof(from)), value;
	int r;

	if (v->messages == NULL &&
	    (v->messages = kv_cursor_open(v->t, TABLE_MESSAGE)) == NULL)
		return -1;
	v->walk_mailbox = mailbox;
	key_message(from, mailbox, uid);
	r = kv_seek(v->messages, &key, &value);
	return walked(v, r, key, value, out);
}

int
store_message_next(struct store_view *v, struct store_message *out)
{
	struct bytes key = BYTES_EMPTY, value;
	int r;

	if (v->messages == NULL) {
		errno = EINVAL;
		return -1;
	}
	r = kv_next(v->messages, &key, &value);
	return walked(v, r, key, value, out);
}

int
store_message_id_next(struct store_view *v, uint64_t hash,
    struct store_place *at)
{
	unsigned char from[16];
	struct bytes key = key_of(from, sizeof(from)), value;
	struct kv_cursor *c = kv_cursor_open(v->t, TABLE_MESSAGE_ID);
	int r;

	if (c == NULL)
		return -1;
	be64_put(from, hash);
	key_message(from + 8, at->mailbox, at->uid);
	r = kv_seek(c, &key, &value);
	if (r == 1 && at->mailbox != 0 && key.n == 16 &&
	    memcmp(key.p, from, 16) == 0)
		r = kv_next(c, &key, &value);
	r = left_skip(v->t, c, r, &key, key_of(from, 8));
	if (r == 1) {
		at->mailbox = be32_get(key.p + 8);
		at->uid = be32_get(key.p + 12);
	}
	kv_cursor_close(c);
	return r;
}

/* ---- changes ---- */

int
store_change_first(struct store_view *v, uint64_t since,
    struct store_change *out)
{
	unsigned char from[KEY_CHANGE];
	struct bytes key = key_of(from, sizeof(from)), value;
	int r;

	if (since == UINT64_MAX)
		return 0;
	if (v->changes == NULL &&
	    (v->changes = kv_cursor_open(v->t, TABLE_CHANGE)) == NULL)
		return -1;
	key_change(from, since + 1, 0);
	r = kv_seek(v->changes, &key, &value);
	if (r != 1)
		return r;
	return change_decode(key, value, out) == 0 ? 1 : -1;
}

int
store_change_next(struct store_view *v, struct store_change *out)
{
	struct bytes key = BYTES_EMPTY, value;
	int r;

	if (v->changes == NULL) {
		errno = EINVAL;
		return -1;
	}
	if ((r = kv_next(v->changes, &key, &value)) != 1)
		return r;
	return change_decode(key, value, out) == 0 ? 1 : -1;
}
