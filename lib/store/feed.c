/*
 * feed.c - cutting the change feed
 *
 * What is older than the floor is dropped, but for expunges: QRESYNC (RFC
 * 7162) may ask for those of any time. Records have no time; the state keeps
 * a modseq and when it was the last one, which makes everything up to it at
 * least that old.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

/* Records in one transaction, then to the end of the change: 20 ms. */
#define CUT_PIECE 20000

struct cutting {
	struct store *s;
	uint64_t until;		/* dropped up to this modseq */
	unsigned char (*keys)[KEY_CHANGE];
	size_t count, size;
};

static void
add_key(struct cutting *c, struct bytes key)
{
	if (c->count == c->size) {
		c->size = c->size == 0 ? 256 : c->size * 2;
		c->keys = mem_realloc(c->keys, c->size * sizeof(*c->keys));
	}
	memcpy(c->keys[c->count++], key.p, KEY_CHANGE);
}

static bool
is_due(const struct state *st, int64_t now)
{
	return st->mark_time == 0 ||
	    now - st->mark_time >= CHANGES_AGE_SECONDS;
}

/* The modseq up to which more than max changes would be kept; 0: none. */
static int
too_many(struct store_view *v, uint64_t max, uint64_t *until)
{
	struct store_change c;
	uint64_t n = 0, i;
	int64_t all = kv_count(v->t, TABLE_CHANGE);
	int r;

	*until = 0;
	if (all == -1 || (uint64_t)all <= max)
		return all == -1 ? -1 : 0;
	for (r = store_change_first(v, v->state.floor, &c); r == 1;
	    r = store_change_next(v, &c))
		n++;
	if (r == -1 || n <= max)
		return r;
	for (r = store_change_first(v, v->state.floor, &c), i = 1;
	    r == 1 && i < n - max; i++)
		r = store_change_next(v, &c);
	*until = c.modseq;
	return r == -1 ? -1 : 0;
}

/* Keys to drop, whole modseqs; the last of them becomes the floor. */
static int
collect(struct cutting *c, struct work *w, bool *more)
{
	unsigned char from[KEY_CHANGE];
	struct bytes key = key_of(from, sizeof(from)), value;
	struct kv_cursor *cursor = kv_cursor_open(w->t, TABLE_CHANGE);
	uint64_t modseq, last = w->state.floor;
	size_t seen = 0;
	int r;

	if (cursor == NULL)
		return -1;
	c->count = 0;
	*more = false;
	key_change(from, w->state.floor + 1, 0);
	for (r = kv_seek(cursor, &key, &value); r == 1;
	    r = kv_next(cursor, &key, &value), seen++) {
		modseq = key.n == KEY_CHANGE ? be64_get(key.p) : UINT64_MAX;
		if (modseq > c->until)
			break;
		*more = seen >= CUT_PIECE && modseq != last;
		if (*more)
			break;
		last = modseq;
		if (value.n > 1 && value.p[1] != STORE_CHANGE_EXPUNGED)
			add_key(c, key);
	}
	kv_cursor_close(cursor);
	w->state.floor = *more ? last : c->until;
	w->dirty = true;
	return r == -1 ? -1 : 0;
}

static int
piece(struct cutting *c, bool *more)
{
	struct work w;
	size_t i;
	int r;

	if (work_begin(c->s, &w) == -1)
		return -1;
	r = collect(c, &w, more);
	for (i = 0; r != -1 && i < c->count; i++)
		r = kv_delete(w.t, TABLE_CHANGE, key_of(c->keys[i],
		    KEY_CHANGE));
	if (r != -1)
		return work_commit(&w);
	work_abort(&w);
	return -1;
}

static int
set_mark(struct store *s, int64_t now)
{
	struct work w;

	if (work_begin(s, &w) == -1)
		return -1;
	w.state.mark_time = now;
	w.state.mark_modseq = w.state.modseq;
	w.dirty = true;
	return work_commit(&w);
}

int
changes_cut(struct store *s, uint64_t max, int64_t now)
{
	struct store_view *v = store_view_open(s);
	struct cutting c = { .s = s };
	bool due = false, more;
	int r = v == NULL ? -1 : too_many(v, max, &c.until);

	if (r == 0 && (due = is_due(&v->state, now)) &&
	    v->state.mark_time != 0 && v->state.mark_modseq > c.until)
		c.until = v->state.mark_modseq;
	more = r == 0 && c.until > v->state.floor;
	store_view_close(v);
	while (r == 0 && more)
		r = piece(&c, &more);
	free(c.keys);
	return r == 0 && due ? set_mark(s, now) : r;
}
