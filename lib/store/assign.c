/*
 * assign.c - threads for mail that has none yet: old mail after an upgrade,
 * imports, all of it when the index was built anew
 *
 * A message whose parent has no thread yet waits for the parent's: the walk
 * goes up to one that has a thread, or can have its own, and gives each on
 * the way back its place. Where it meets a message twice, the ids go in a
 * circle: that message begins the thread.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

/* Answers before what they answer, one after the other: beyond it a message
 * begins its own thread. */
#define CHAIN_MAX 500
/* Records looked at for one to be given a thread. */
#define SCAN_EACH 50

struct chain {
	struct work *w;
	struct store_thread *t;		/* CHAIN_MAX, each answers the next */
	size_t n;
};

/* As thread_match finds it, but whether it has a thread or not. */
static int
find_any_parent(struct work *w, struct store_thread *t,
    struct store_thread *out)
{
	unsigned int i;
	int r = 0;

	if (t->message_id != 0)
		r = thread_find_id(w, t->message_id, t, THREAD_SAME_ID, out);
	if (r == 1 && out->own != t->own)
		t->flags |= STORE_THREAD_MISSING;
	for (i = t->reference_count; r == 0 && i > 0; i--) {
		if (t->references[i - 1] == t->message_id)
			continue;
		r = thread_find_id(w, t->references[i - 1], t, THREAD_ANY,
		    out);
		if (r == 0)
			t->flags |= STORE_THREAD_MISSING;
	}
	return r;
}

/* No parent: under the root of a thread of that subject, or its own. */
static int
place_top(struct work *w, struct store_thread *t)
{
	struct store_thread other = { .own = t->own };
	int r = 0;

	t->id = t->own;
	if (t->reference_count == 0 && t->subject != 0 &&
	    (t->flags & STORE_THREAD_RESPONSE) != 0) {
		t->flags |= STORE_THREAD_MISSING;
		r = thread_find_subject(w, t, &other);
	}
	if (r == 1 && other.own != t->own && other.id != t->own) {
		t->id = other.id;
		t->parents[0] = other.id;
		t->parent_count = 1;
		t->flags |= other.flags &
		    (STORE_THREAD_MUTED | STORE_THREAD_COLLAPSED);
	}
	return r == -1 ? -1 : work_thread_put(w, t, NULL);
}

/* The place of a message in the chain, or its length. */
static size_t
where_in(const struct chain *c, const struct store_thread *t)
{
	size_t i;

	for (i = 0; i < c->n && c->t[i].own != t->own; i++)
		;
	return i;
}

/* The last of the chain answers an earlier one, which becomes the root. */
static int
break_circle(struct chain *c, size_t root)
{
	struct store_thread *t = &c->t[root], parent;
	size_t i;

	t->id = t->own;
	t->flags |= STORE_THREAD_MISSING;
	if (work_thread_put(c->w, t, NULL) == -1)
		return -1;
	parent = *t;
	for (i = c->n; i-- > root + 1;) {
		thread_child(&c->t[i], &parent);
		if (work_thread_put(c->w, &c->t[i], NULL) == -1)
			return -1;
		parent = c->t[i];
	}
	c->n = root + 1;
	return 0;
}

/* Up from the first until one has its place. */
static int
climb(struct chain *c)
{
	struct store_thread parent, *t;
	size_t at;
	int r;

	for (;;) {
		t = &c->t[c->n - 1];
		if ((r = find_any_parent(c->w, t, &parent)) == -1)
			return -1;
		if (r == 0 || (parent.id == 0 && c->n == CHAIN_MAX))
			return place_top(c->w, t);
		if (parent.id != 0) {
			thread_child(t, &parent);
			return work_thread_put(c->w, t, NULL);
		}
		if ((at = where_in(c, &parent)) < c->n)
			return break_circle(c, at);
		c->t[c->n++] = parent;
	}
}

static int
assign(struct chain *c, const struct store_thread *t)
{
	c->t[0] = *t;
	c->n = 1;
	if (climb(c) == -1)
		return -1;
	for (; c->n > 1; c->n--) {
		thread_child(&c->t[c->n - 2], &c->t[c->n - 1]);
		if (work_thread_put(c->w, &c->t[c->n - 2], NULL) == -1)
			return -1;
	}
	return 0;
}

/* Those without a thread from where the last step ended. */
static int
collect(struct work *w, struct store_place *list, size_t limit, size_t *n)
{
	unsigned char at[KEY_MESSAGE];
	struct bytes key = key_of(at, sizeof(at)), value;
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_THREAD);
	struct store_thread t;
	size_t scanned = 0;
	int r;

	if (c == NULL)
		return -1;
	*n = 0;
	key_message(at, w->state.at_mailbox, w->state.at_uid);
	for (r = kv_seek(c, &key, &value); r == 1 && *n < limit &&
	    scanned < limit * SCAN_EACH; r = kv_next(c, &key, &value)) {
		scanned++;
		if (thread_decode(key, value, &t) == -1) {
			r = -1;
			break;
		}
		if (t.id == 0)
			list[(*n)++] = (struct store_place){ t.mailbox,
			    t.uid };
	}
	if (r == 1) {
		w->state.at_mailbox = be32_get(key.p);
		w->state.at_uid = be32_get(key.p + 4);
	} else if (r == 0) {
		w->state.phase = PHASE_DONE;
		w->state.at_mailbox = w->state.at_uid = 0;
	}
	w->dirty = true;
	kv_cursor_close(c);
	return r == -1 ? -1 : 0;
}

int
thread_assign_some(struct work *w, size_t limit)
{
	struct store_place *list = mem_zalloc(limit, sizeof(*list));
	struct chain c = { .w = w };
	struct store_thread t;
	size_t n, i;
	int r = collect(w, list, limit, &n), err;

	if (r == 0)
		c.t = mem_zalloc(CHAIN_MAX, sizeof(*c.t));
	for (i = 0; r == 0 && i < n; i++) {
		r = thread_get(w->t, list[i].mailbox, list[i].uid, &t);
		if (r == 1)
			r = t.id == 0 ? assign(&c, &t) : 0;
	}
	err = errno;
	free(c.t);
	free(list);
	errno = err;
	return r;
}
