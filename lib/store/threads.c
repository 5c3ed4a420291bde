/* threads.c - reading and marking threads */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>


int
store_thread_get(struct store_view *v, uint32_t mailbox, uint32_t uid,
    struct store_thread *out)
{
	return thread_get(v->t, mailbox, uid, out);
}

/* The first member at or after a place, the place itself excluded. */
static int
next_member(struct kv_txn *t, uint64_t id, struct store_place *at)
{
	unsigned char from[KEY_MEMBER];
	struct bytes key = key_of(from, sizeof(from)), value;
	struct kv_cursor *c = kv_cursor_open(t, TABLE_THREAD_MEMBER);
	int r;

	if (c == NULL)
		return -1;
	be64_put(from, id);
	key_message(from + 8, at->mailbox, at->uid);
	r = kv_seek(c, &key, &value);
	if (r == 1 && at->mailbox != 0 && key.n == KEY_MEMBER &&
	    memcmp(key.p, from, KEY_MEMBER) == 0)
		r = kv_next(c, &key, &value);
	r = left_skip(t, c, r, &key, key_of(from, 8));
	if (r == 1) {
		at->mailbox = be32_get(key.p + 8);
		at->uid = be32_get(key.p + 12);
	}
	kv_cursor_close(c);
	return r;
}

int
store_thread_next(struct store_view *v, uint64_t id, struct store_place *at)
{
	return next_member(v->t, id, at);
}

/* ---- marks ---- */

static int
mark_one(struct work *w, const struct store_thread *top,
    const struct store_place *at, uint32_t flags, bool on)
{
	struct store_thread t, old;
	int r = thread_get(w->t, at->mailbox, at->uid, &t);

	if (r != 1 || (t.own != top->own && !thread_has_parent(&t, top->own)))
		return r == -1 ? -1 : 0;
	old = t;
	t.flags = on ? t.flags | flags : t.flags & ~flags;
	return t.flags == old.flags ? 0 : work_thread_put(w, &t, &old);
}

static int
mark_below(struct work *w, uint32_t mailbox, uint32_t uid, uint32_t flags,
    bool on)
{
	struct store_place at = { 0, 0 };
	struct store_thread top;
	int r = thread_get(w->t, mailbox, uid, &top);

	if (r != 1)
		return r;
	if (top.id == 0) {	/* it has none yet: it alone */
		at = (struct store_place){ mailbox, uid };
		return mark_one(w, &top, &at, flags, on);
	}
	while ((r = next_member(w->t, top.id, &at)) == 1) {
		if (mark_one(w, &top, &at, flags, on) == -1)
			return -1;
	}
	return r;
}

int
store_thread_mark(struct store *s, uint32_t mailbox, const uint32_t *uids,
    size_t count, uint32_t flags, bool on)
{
	struct work w;
	size_t i;
	int r = 0;

	if ((flags & ~(uint32_t)(STORE_THREAD_MUTED |
	    STORE_THREAD_COLLAPSED)) != 0) {
		errno = EINVAL;
		return -1;
	}
	if (work_begin(s, &w) == -1)
		return -1;
	for (i = 0; i < count && r != -1; i++)
		r = mark_below(&w, mailbox, uids[i], flags, on);
	if (r == -1) {
		work_abort(&w);
		return -1;
	}
	w.durable = true;	/* no file has it */
	return work_commit(&w);
}

/* The next record after a key, which is filled in. 1, 0 end, -1. */
static int
next_record(struct work *w, unsigned char at[KEY_MESSAGE + 1], size_t n,
    struct store_thread *out)
{
	struct bytes key = key_of(at, n), value;
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_THREAD);
	int r = c == NULL ? -1 : kv_seek(c, &key, &value);

	if (r == 1 && (r = thread_decode(key, value, out) == 0 ? 1 : -1) == 1)
		memcpy(at, key.p, KEY_MESSAGE);
	kv_cursor_close(c);
	return r;
}

/* No message has a thread; marks stay. */
static int
forget_all(struct work *w)
{
	unsigned char at[KEY_MESSAGE + 1] = { 0 };	/* NUL: the one after */
	size_t n = KEY_MESSAGE;
	struct store_thread t;
	int r;

	if (kv_empty(w->t, TABLE_THREAD_MEMBER) == -1 ||
	    kv_empty(w->t, TABLE_THREAD_SUBJECT) == -1)
		return -1;
	for (; (r = next_record(w, at, n, &t)) == 1; n = sizeof(at)) {
		t.id = 0;
		t.parent_count = 0;
		t.flags &= ~(uint32_t)STORE_THREAD_MISSING;
		if (work_thread_put(w, &t, NULL) == -1)
			return -1;
	}
	return r;
}

int
store_threads_anew(struct store *s)
{
	struct work w;

	if (work_begin(s, &w) == -1)
		return -1;
	if (forget_all(&w) == -1) {
		work_abort(&w);
		return -1;
	}
	want_phase(&w, PHASE_ASSIGN);
	if (work_commit(&w) == -1)
		return -1;
	return store_finish(s);
}
