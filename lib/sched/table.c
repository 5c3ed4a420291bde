/*
 * table.c - destinations by name and by readiness
 *
 * A hash table of entries, each in at most one of two heaps: those that can be
 * served when their time comes, apart by whether the last attempt reached a
 * host.
 */
#include "sched/sched.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64
#define NOT_IN_HEAP SIZE_MAX

struct entry {
	uint64_t hash;
	int64_t earliest;	/* something is due */
	int64_t dead_until;
	unsigned int failures;	/* one after another, no host reached */
	bool revived;		/* and not tried since */
	bool proven;		/* a host was reached while we know it */
	bool alone;		/* it took no second connection lately */
	int64_t alone_until;
	unsigned int busy;
	size_t heap_index;
	struct entry *chain;
	size_t n;
	unsigned char name[];
};

struct heap {
	struct entry **item;
	size_t n, size;
};

enum { HEAP_LIVE, HEAP_DEAD };

struct sched {
	struct sched_limits limits;
	struct entry **slot;
	size_t slots, count;
	struct heap heap[2];
	size_t busy, busy_dead;
};

static int64_t
ready_at(const struct entry *e)
{
	return e->earliest > e->dead_until ? e->earliest : e->dead_until;
}

static struct heap *
heap_of(struct sched *s, const struct entry *e)
{
	return &s->heap[e->failures > 0 ? HEAP_DEAD : HEAP_LIVE];
}

/* ---- a binary heap by ready_at ---- */

static void
heap_place(struct heap *h, size_t i, struct entry *e)
{
	h->item[i] = e;
	e->heap_index = i;
}

static void
heap_up(struct heap *h, size_t i)
{
	struct entry *e = h->item[i];
	size_t parent;

	for (; i > 0; i = parent) {
		parent = (i - 1) / 2;
		if (ready_at(h->item[parent]) <= ready_at(e))
			break;
		heap_place(h, i, h->item[parent]);
	}
	heap_place(h, i, e);
}

static void
heap_down(struct heap *h, size_t i)
{
	struct entry *e = h->item[i];
	size_t child;

	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n && ready_at(h->item[child + 1]) <
		    ready_at(h->item[child]))
			child++;
		if (ready_at(e) <= ready_at(h->item[child]))
			break;
		heap_place(h, i, h->item[child]);
		i = child;
	}
	heap_place(h, i, e);
}

static void
heap_add(struct heap *h, struct entry *e)
{
	if (h->n == h->size) {
		h->size = h->size == 0 ? SLOTS_FIRST : h->size * 2;
		h->item = mem_realloc(h->item,
		    h->size * sizeof(struct entry *));
	}
	heap_place(h, h->n++, e);
	heap_up(h, e->heap_index);
}

static void
heap_remove(struct heap *h, struct entry *e)
{
	size_t i = e->heap_index;

	e->heap_index = NOT_IN_HEAP;
	if (i == --h->n)
		return;
	heap_place(h, i, h->item[h->n]);
	heap_up(h, i);
	heap_down(h, h->item[i]->heap_index);
}

/* ---- entries ---- */

static struct entry **
find(const struct sched *s, struct bytes dest, uint64_t hash)
{
	struct entry **p = &s->slot[hash & (s->slots - 1)];

	while (*p != NULL && ((*p)->hash != hash ||
	    !bytes_eq(bytes_of((*p)->name, (*p)->n), dest)))
		p = &(*p)->chain;
	return p;
}

static void
grow(struct sched *s)
{
	size_t slots = s->slots * 2;
	struct entry **slot = mem_zalloc(slots, sizeof(struct entry *));
	struct entry *e, *next;

	for (size_t i = 0; i < s->slots; i++) {
		for (e = s->slot[i]; e != NULL; e = next) {
			next = e->chain;
			e->chain = slot[e->hash & (slots - 1)];
			slot[e->hash & (slots - 1)] = e;
		}
	}
	free(s->slot);
	s->slot = slot;
	s->slots = slots;
}

static struct entry *
entry_of(struct sched *s, struct bytes dest)
{
	uint64_t hash = bytes_hash(dest);
	struct entry *e = *find(s, dest, hash);

	if (e != NULL)
		return e;
	if (s->count >= s->slots)
		grow(s);
	e = mem_alloc(sizeof(*e) + dest.n);
	*e = (struct entry){ .hash = hash, .earliest = SCHED_NEVER,
	    .heap_index = NOT_IN_HEAP, .n = dest.n };
	memcpy(e->name, dest.p, dest.n);
	e->chain = s->slot[hash & (s->slots - 1)];
	s->slot[hash & (s->slots - 1)] = e;
	s->count++;
	return e;
}

/* After any change: in the right heap, or none; gone if it means nothing. A
 * dead destination is remembered while something waits there. */
static void
settle(struct sched *s, struct entry *e)
{
	struct entry **p;

	/* what may be dead is tried by one connection */
	if (e->earliest != SCHED_NEVER &&
	    e->busy < (e->proven && !e->alone ? s->limits.per_dest : 1)) {
		heap_add(heap_of(s, e), e);
		return;
	}
	if (e->earliest != SCHED_NEVER || e->busy > 0)
		return;
	p = find(s, bytes_of(e->name, e->n), e->hash);
	*p = e->chain;
	s->count--;
	free(e);
}

/* Before any change. */
static void
unsettle(struct sched *s, struct entry *e)
{
	if (e->heap_index != NOT_IN_HEAP)
		heap_remove(heap_of(s, e), e);
}

struct sched *
sched_new(const struct sched_limits *limits)
{
	struct sched *s = mem_zalloc(1, sizeof(*s));

	s->limits = *limits;
	s->slots = SLOTS_FIRST;
	s->slot = mem_zalloc(s->slots, sizeof(struct entry *));
	return s;
}

void
sched_free(struct sched *s)
{
	struct entry *e, *next;

	if (s == NULL)
		return;
	for (size_t i = 0; i < s->slots; i++) {
		for (e = s->slot[i]; e != NULL; e = next) {
			next = e->chain;
			free(e);
		}
	}
	free(s->slot);
	free(s->heap[HEAP_LIVE].item);
	free(s->heap[HEAP_DEAD].item);
	free(s);
}

/* Do it to every entry. */
static void
each(struct sched *s, void (*change)(struct entry *e))
{
	struct entry *e, *next;

	for (size_t i = 0; i < s->slots; i++) {
		for (e = s->slot[i]; e != NULL; e = next) {
			next = e->chain;
			unsettle(s, e);
			if (e->failures > 0)
				s->busy_dead -= e->busy;
			if (change != NULL)
				change(e);
			if (e->failures > 0)
				s->busy_dead += e->busy;
			settle(s, e);
		}
	}
}

void
sched_set_limits(struct sched *s, const struct sched_limits *limits)
{
	s->limits = *limits;
	each(s, NULL);
}

void
sched_set(struct sched *s, struct bytes dest, int64_t earliest)
{
	struct entry *e;

	if (earliest == SCHED_NEVER &&
	    *find(s, dest, bytes_hash(dest)) == NULL)
		return;
	e = entry_of(s, dest);
	unsettle(s, e);
	e->earliest = earliest;
	settle(s, e);
}

/* The heaps a connection may be given to now, in order of what is readier. */
static struct entry *
first_ready(const struct sched *s)
{
	const struct heap *live = &s->heap[HEAP_LIVE];
	const struct heap *dead = &s->heap[HEAP_DEAD];
	struct entry *e = live->n > 0 ? live->item[0] : NULL;

	if (s->busy >= s->limits.total)
		return NULL;
	if (dead->n == 0 || s->busy_dead >= (s->limits.total + 1) / 2)
		return e;
	if (e == NULL || ready_at(dead->item[0]) < ready_at(e))
		return dead->item[0];
	return e;
}

bool
sched_next(struct sched *s, int64_t now, struct bytes *dest)
{
	struct entry *e = first_ready(s);

	/* a live one due is better than a dead one that is due longer */
	if (e != NULL && e->failures > 0 && s->heap[HEAP_LIVE].n > 0 &&
	    ready_at(s->heap[HEAP_LIVE].item[0]) <= now)
		e = s->heap[HEAP_LIVE].item[0];
	if (e == NULL || ready_at(e) > now)
		return false;
	*dest = bytes_of(e->name, e->n);
	return true;
}

bool
sched_begin(struct sched *s, struct bytes dest)
{
	struct entry *e = entry_of(s, dest);
	bool anew = e->revived || e->failures > 0;

	e->revived = false;
	unsettle(s, e);
	e->busy++;
	s->busy++;
	if (e->failures > 0)
		s->busy_dead++;
	settle(s, e);
	return anew;
}

static void
note_end(struct entry *e, bool no_host, int64_t now)
{
	int64_t wait = SCHED_DEAD_MAX_S;

	if (no_host && e->busy > 0 && e->proven) {
		e->alone = true;
		e->alone_until = now + SCHED_DEAD_MAX_S;
		return;
	}
	e->proven = !no_host;
	e->alone &= !no_host && now < e->alone_until;
	if (!no_host) {
		e->failures = 0;
		e->dead_until = 0;
		return;
	}
	if (e->failures < 16 &&
	    ((int64_t)SCHED_DEAD_S << e->failures) < wait)
		wait = (int64_t)SCHED_DEAD_S << e->failures;
	e->failures++;
	e->dead_until = now + wait;
}

/* One connection less. */
static struct entry *
leave(struct sched *s, struct bytes dest)
{
	struct entry *e = entry_of(s, dest);

	assert(e->busy > 0);
	unsettle(s, e);
	if (e->failures > 0)
		s->busy_dead -= e->busy;
	e->busy--;
	s->busy--;
	return e;
}

static void
left(struct sched *s, struct entry *e)
{
	if (e->failures > 0)
		s->busy_dead += e->busy;
	settle(s, e);
}

bool
sched_end(struct sched *s, struct bytes dest, bool no_host, int64_t now)
{
	struct entry *e = leave(s, dest);
	bool dead;

	note_end(e, no_host, now);
	dead = e->failures > 0;
	left(s, e);		/* it may be forgotten by that */
	return dead;
}

void
sched_cancel(struct sched *s, struct bytes dest, bool anew)
{
	struct entry *e = leave(s, dest);

	e->revived |= anew;
	left(s, e);
}

static void
revive(struct entry *e)
{
	e->failures = 0;
	e->dead_until = 0;
	e->revived = true;
	e->alone = false;
}

void
sched_revive(struct sched *s, struct bytes dest)
{
	struct entry *e;

	if (dest.n == 0) {
		each(s, revive);
		return;
	}
	if ((e = *find(s, dest, bytes_hash(dest))) == NULL)
		return;
	unsettle(s, e);
	if (e->failures > 0)
		s->busy_dead -= e->busy;
	revive(e);
	settle(s, e);
}

int64_t
sched_wait_s(const struct sched *s, int64_t now)
{
	const struct entry *e = first_ready(s);

	if (e == NULL)
		return -1;
	return ready_at(e) > now ? ready_at(e) - now : 0;
}

size_t
sched_busy(const struct sched *s)
{
	return s->busy;
}

size_t
sched_count(const struct sched *s)
{
	return s->count;
}
