/*
 * The write transaction: state, mailboxes and records change together. What
 * is written to the Maildir meanwhile is arranged by the callers so that a
 * kill before the commit leaves what sync.c mends (doc/store.md).
 */
#include "store/lock.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define RECORD_MAX (4 * 1024 * 1024)
#define LOCK_WAIT_MS 2000	/* mbsync holds its lock while it scans */

void
tell_wait(struct store *s, bool waiting)
{
	int err = errno;

	if (s->wait != NULL)
		s->wait(s->ctx, s->account, waiting);
	errno = err;
}

struct kv_txn *
work_lock(struct store *s)
{
	struct kv_txn *t;

	tell_wait(s, true);
	t = kv_begin(s->kv, true);
	tell_wait(s, false);
	return t;
}

int
work_begin(struct store *s, struct work *w)
{
	struct bytes v;
	int r;

	*w = (struct work){ .s = s, .arena = ARENA_INIT,
	    .record = BUF_INIT(RECORD_MAX),
	    .unsettled = BUF_INIT(SIZE_MAX / 2) };
	if ((w->t = work_lock(s)) == NULL)
		return -1;
	if (store_stale(s)) {
		errno = ESTALE;
		work_abort(w);
		return -1;
	}
	r = kv_get(w->t, TABLE_META, BYTES("state"), &v);
	if (r == 1 && state_decode(v, &w->state) == 0) {
		w->modseq = w->state.modseq + 1;
		return 0;
	}
	if (r != -1)
		(void)unreadable();
	work_abort(w);
	return -1;
}

static void
work_free(struct work *w)
{
	boxes_free(w);
	arena_free(&w->arena);
	buf_free(&w->record);
	buf_free(&w->unsettled);
}

void
work_abort(struct work *w)
{
	int err = errno;

	kv_abort(w->t);
	w->t = NULL;
	work_free(w);
	errno = err;
}

static int
put_change(struct work *w, const struct store_change *c)
{
	unsigned char key[KEY_CHANGE];

	key_change(key, w->modseq, w->changes++);
	buf_reset(&w->record);
	if (change_encode(&w->record, c) == -1)
		return -1;
	w->dirty = true;
	w->state.modseq = w->modseq;
	return kv_put(w->t, TABLE_CHANGE, key_of(key, sizeof(key)),
	    buf_bytes(&w->record));
}

static int
flush_change(struct work *w)
{
	struct store_change c = w->pending;

	if (c.kind == 0)
		return 0;
	w->pending = (struct store_change){ 0 };
	return put_change(w, &c);
}

int
work_change(struct work *w, enum store_change_kind kind, struct box *b,
    uint32_t uid)
{
	struct store_change *p = &w->pending;

	b->rec.modseq = w->modseq;
	b->dirty = true;
	if (p->kind == kind && p->mailbox == b->rec.id &&
	    p->uid_last + 1 == uid && uid != 0) {
		p->uid_last = uid;
		return 0;
	}
	if (flush_change(w) == -1)
		return -1;
	*p = (struct store_change){ .kind = kind, .mailbox = b->rec.id,
	    .uid_first = uid, .uid_last = uid, .name = BYTES_EMPTY,
	    .old_name = BYTES_EMPTY };
	return 0;
}

int
work_change_range(struct work *w, enum store_change_kind kind, struct box *b,
    uint32_t first, uint32_t last)
{
	struct store_change c = { .kind = kind, .mailbox = b->rec.id,
	    .uid_first = first, .uid_last = last, .name = BYTES_EMPTY,
	    .old_name = BYTES_EMPTY };

	b->rec.modseq = w->modseq;
	b->dirty = true;
	return flush_change(w) == -1 ? -1 : put_change(w, &c);
}

int
work_change_name(struct work *w, enum store_change_kind kind, struct box *b,
    struct bytes name, struct bytes old_name)
{
	struct store_change c = { .kind = kind,
	    .mailbox = b == NULL ? 0 : b->rec.id, .name = name,
	    .old_name = old_name };

	if (b != NULL) {
		b->rec.modseq = w->modseq;
		b->dirty = true;
	}
	if (flush_change(w) == -1)
		return -1;
	return put_change(w, &c);
}

int
work_box_put(struct work *w, struct box *b)
{
	unsigned char key[4];

	be32_put(key, b->rec.id);
	buf_reset(&w->record);
	if (mbox_encode(&w->record, &b->rec) == -1)
		return -1;
	b->dirty = false;
	return kv_put(w->t, TABLE_MAILBOX, key_of(key, 4),
	    buf_bytes(&w->record));
}

static int
put_state(struct work *w)
{
	buf_reset(&w->record);
	if (state_encode(&w->record, &w->state) == -1)
		return -1;
	return kv_put(w->t, TABLE_META, BYTES("state"),
	    buf_bytes(&w->record));
}

int
work_commit(struct work *w)
{
	struct store *s = w->s;
	bool changed, behind, train = w->train_behind;
	struct box *b;
	int r;

	if (flush_change(w) == -1 || work_uids_flush(w) == -1 ||
	    work_origin_flush(w) == -1)
		goto fail;
	changed = w->changes > 0;
	behind = w->names_behind;
	for (b = w->boxes; b != NULL; b = b->next) {
		if ((b->keywords != NULL && keywords_flush(w, b) == -1) ||
		    work_naming_flush(w, b) == -1 ||
		    work_train_flush(w, b) == -1)
			goto fail;
		train |= w->train_behind;
		if (!b->dirty || b->gone)
			continue;
		if (work_box_put(w, b) == -1)
			goto fail;
		w->dirty = true;
	}
	if (w->dirty && put_state(w) == -1)
		goto fail;
	r = kv_commit(w->t, w->durable);
	w->t = NULL;
	work_free(w);
	if (r == 0 && changed && !w->foreign)
		s->own[s->own_at++ % STORE_OWN_MAX] = w->modseq;
	if (r == 0 && behind)
		s->names_behind = s->names_ours = true;
	if (r == 0 && train)
		s->train_behind = s->train_ours = true;
	if (r == 0 && changed)
		wake(s);
	return r;
fail:
	work_abort(w);
	return -1;
}

bool
store_change_own(const struct store *s, uint64_t modseq)
{
	size_t i;

	for (i = 0; i < STORE_OWN_MAX; i++) {
		if (s->own[i] == modseq)
			return modseq != 0;
	}
	return false;
}

struct box *
work_box(struct work *w, uint32_t id)
{
	unsigned char key[4];
	struct box *b = boxes_find(w, id);
	struct bytes v;
	int r;

	if (b != NULL)
		return b;
	be32_put(key, id);
	if ((r = kv_get(w->t, TABLE_MAILBOX, key_of(key, 4), &v)) != 1) {
		if (r == 0)
			errno = ENOENT;
		return NULL;
	}
	b = mem_zalloc(1, sizeof(*b));
	if (mbox_decode(id, v, &b->rec) == -1) {
		free(b);
		return NULL;
	}
	b->rec.name = arena_bytes(&w->arena, b->rec.name);
	boxes_add(w, b);
	return b;
}

struct box *
work_box_open(struct work *w, uint32_t id)
{
	struct box *b = work_box(w, id);

	if (b == NULL)
		return NULL;
	b->folder = folder_open(w->s, id, b->rec.name);
	return b->folder == NULL ? NULL : b;
}

struct box *
work_box_named(struct work *w, struct bytes name)
{
	struct bytes v;
	int r = kv_get(w->t, TABLE_MAILBOX_NAME, name, &v);

	if (r == 1 && v.n == 4)
		return work_box(w, be32_get(v.p));
	if (r == 0)
		errno = ENOENT;
	else if (r == 1)
		(void)unreadable();
	return NULL;
}

int
work_get(struct work *w, uint32_t mailbox, uint32_t uid,
    struct store_message *out)
{
	unsigned char key[KEY_MESSAGE];
	struct bytes v;
	int r;

	key_message(key, mailbox, uid);
	r = kv_get(w->t, TABLE_MESSAGE, key_of(key, sizeof(key)), &v);
	if (r != 1)
		return r;
	return message_decode(key_of(key, sizeof(key)), v, out) == 0 ? 1 : -1;
}

/* ---- counts ---- */

static void
count(struct work *w, struct box *b, uint32_t flags, uint64_t size,
    uint64_t size_crlf, bool add)
{
	struct mbox *m = &b->rec;
	uint32_t one = add ? 1 : UINT32_MAX;	/* wraps to minus one */

	m->total += one;
	if ((flags & STORE_SEEN) == 0)
		m->unseen += one;
	if ((flags & (STORE_SEEN | STORE_DELETED)) == 0)
		m->unread += one;
	if ((flags & STORE_DELETED) != 0)
		m->deleted += one;
	m->size_bytes += add ? size_crlf : -size_crlf;
	w->state.quota_bytes += add ? size : -size;
	b->dirty = true;
	w->dirty = true;
}

static int
message_id_entry(struct work *w, const struct store_message *m, bool add)
{
	unsigned char key[16];

	if (m->message_id_hash == 0)
		return 0;
	be64_put(key, m->message_id_hash);
	key_message(key + 8, m->mailbox, m->uid);
	if (add)
		return kv_put(w->t, TABLE_MESSAGE_ID, key_of(key, 16),
		    BYTES_EMPTY);
	return kv_delete(w->t, TABLE_MESSAGE_ID, key_of(key, 16)) == -1 ? -1
	    : 0;
}

int
work_put(struct work *w, struct box *b, const struct store_message *m,
    const struct store_message *old)
{
	unsigned char key[KEY_MESSAGE];
	uint64_t old_hash = old == NULL ? 0 : old->message_id_hash;

	if (old != NULL) {
		count(w, b, old->flags, old->size, old->size_crlf, false);
		if (old_hash != m->message_id_hash &&
		    message_id_entry(w, old, false) == -1)
			return -1;
	}
	count(w, b, m->flags, m->size, m->size_crlf, true);
	if (old_hash != m->message_id_hash &&
	    message_id_entry(w, m, true) == -1)
		return -1;
	buf_reset(&w->record);
	if (message_encode(&w->record, m) == -1)
		return -1;
	key_message(key, m->mailbox, m->uid);
	if (kv_put(w->t, TABLE_MESSAGE, key_of(key, sizeof(key)),
	    buf_bytes(&w->record)) == -1 || work_train(w, b, m) == -1)
		return -1;
	if (old != NULL && ((old->flags ^ m->flags) &
	    (STORE_JUNK | STORE_NOTJUNK)) != 0 &&
	    work_origin_flags(w, m) == -1)
		return -1;
	if (old != NULL && ((old->flags ^ m->flags) & STORE_SEEN) == 0)
		return 0;
	return work_uid(w, m->mailbox, m->uid, true,
	    (m->flags & STORE_SEEN) != 0);
}

/* ---- records that go ---- */

void
removal_free(struct removal *r)
{
	buf_free(&r->message);
	buf_free(&r->message_id);
	buf_free(&r->member);
	buf_free(&r->subject);
}

int
work_remove_note(struct work *w, struct box *b,
    const struct store_message *m, struct removal *r)
{
	unsigned char key[16];

	count(w, b, m->flags, m->size, m->size_crlf, false);
	be64_put(key, m->message_id_hash);
	key_message(key + 8, m->mailbox, m->uid);
	if (buf_add(&r->message, bytes_of(key + 8, 8)) == -1 ||
	    work_untrain(w, m) == -1 ||
	    work_uid(w, m->mailbox, m->uid, false, false) == -1)
		return -1;
	return m->message_id_hash == 0 ? 0
	    : buf_add(&r->message_id, bytes_of(key, 16));
}

static int
by_16(const void *a, const void *b)
{
	return memcmp(a, b, KEY_MEMBER);
}

static int
by_28(const void *a, const void *b)
{
	return memcmp(a, b, KEY_SUBJECT);
}

static int
delete_keys(struct work *w, unsigned int table, const struct buf *keys,
    size_t size)
{
	size_t n = keys->n / size;

	if (n == 0)
		return 0;
	/* Those of messages are in order. */
	if (size != KEY_MESSAGE)
		qsort(keys->p, n, size, size == KEY_MEMBER ? by_16 : by_28);
	return kv_delete_many(w->t, table, keys->p, size, n);
}

int
work_remove_rows(struct work *w, struct removal *r)
{
	return thread_leave(w, r) == -1 ||
	    origin_leave(w, buf_bytes(&r->message)) == -1 ||
	    delete_keys(w, TABLE_ORIGIN, &r->message, KEY_MESSAGE) == -1 ||
	    delete_keys(w, TABLE_TEXT, &r->message, KEY_MESSAGE) == -1 ||
	    delete_keys(w, TABLE_THREAD, &r->message, KEY_MESSAGE) == -1 ||
	    delete_keys(w, TABLE_MESSAGE_ID, &r->message_id, 16) == -1 ||
	    delete_keys(w, TABLE_THREAD_MEMBER, &r->member, KEY_MEMBER)
	    == -1 ||
	    delete_keys(w, TABLE_THREAD_SUBJECT, &r->subject, KEY_SUBJECT)
	    == -1 ? -1 : 0;
}

int
work_remove_noted(struct work *w, struct removal *r)
{
	if (delete_keys(w, TABLE_MESSAGE, &r->message, KEY_MESSAGE) == -1)
		return -1;
	return r->message.n / KEY_MESSAGE > LEFT_NOW ? left_put(w, r)
	    : work_remove_rows(w, r);
}

int
work_remove(struct work *w, struct box *b, const struct store_message *m)
{
	struct removal r = REMOVAL_INIT;
	int done = work_remove_note(w, b, m, &r) == -1 ||
	    work_remove_noted(w, &r) == -1 ? -1 : 0;

	removal_free(&r);
	return done;
}

int
work_room(struct work *w, uint64_t bytes)
{
	uint64_t sum, limit = w->s->quota_bytes;

	if (limit == 0)
		return 0;
	if (__builtin_add_overflow(w->state.quota_bytes, bytes, &sum) ||
	    sum > limit) {
		errno = EDQUOT;
		return -1;
	}
	return 0;
}

/* ---- UIDs ---- */

/*
 * Promise UIDs ahead: what stands in .uidvalidity is ours up to it, and
 * mbsync(1) takes its own UIDs above. If it took some, ours go on above those.
 */
static int
renew_promise(struct box *b)
{
	struct maildir_uids u = { b->rec.uidvalidity, 0 };
	int dir = b->folder->dir, fd, r, err;

	/* Without the lock (mbsync is at it, or there is no file) too: at
	 * worst two files get one UID, and sync.c gives one a new UID. */
	fd = maildir_uids_lock(dir, LOCK_WAIT_MS);
	if (maildir_uids_read(dir, &u) == 1 &&
	    u.uidvalidity == b->rec.uidvalidity &&
	    u.highest > b->rec.reserved && u.highest < UID_MAX &&
	    u.highest >= b->rec.uidnext)
		b->rec.uidnext = u.highest + 1;
	u.uidvalidity = b->rec.uidvalidity;
	u.highest = b->rec.uidnext < UID_MAX - UID_AHEAD
	    ? b->rec.uidnext - 1 + UID_AHEAD : UID_MAX;
	r = maildir_uids_write(dir, &u);
	err = errno;
	if (fd != -1)
		(void)close(fd);	/* only held the lock */
	errno = err;
	if (r == -1)
		return -1;
	b->rec.reserved = u.highest;
	b->dirty = true;
	return 0;
}

int
work_next_uid(struct box *b, uint32_t *uid)
{
	if (b->rec.uidnext > b->rec.reserved && renew_promise(b) == -1)
		return -1;
	if (b->rec.uidnext >= UID_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	*uid = b->rec.uidnext++;
	b->dirty = true;
	return 0;
}

int
work_new_ids(struct work *w, uint32_t *id, uint32_t *uidvalidity)
{
	int64_t now = time_wall_us() / 1000000;

	if (w->state.next_mailbox == UINT32_MAX ||
	    w->state.last_uidvalidity == UINT32_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	if (id != NULL)
		*id = w->state.next_mailbox++;
	if (now > w->state.last_uidvalidity && now < UINT32_MAX)
		w->state.last_uidvalidity = (uint32_t)now;
	else
		w->state.last_uidvalidity++;
	*uidvalidity = w->state.last_uidvalidity;
	w->dirty = true;
	return 0;
}
