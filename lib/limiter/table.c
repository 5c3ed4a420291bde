/* table.c - the counts: finding, adding, taking off */
#include "limiter/internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SWEEP_SECONDS 1		/* between two looks for the dead */

/* ---- sizes ---- */

static size_t
slots_for(size_t entries)
{
	size_t n = WAYS * 2;

	/* Room to spare, so that a bucket is rarely full before the rest. */
	while (n / 4 * 3 < entries)
		n *= 2;
	return n;
}

static void
set_size(struct limiter *l)
{
	size_t i;

	l->size = HEAD_SIZE;
	l->open = NULL;
	for (i = 0; i < l->windows; i++) {
		l->size += l->window[i].slots * sizeof(struct slot);
		if (l->window[i].seconds == 0)
			l->open = &l->window[i];
	}
	l->records = l->open != NULL ? LIMITER_OPEN_MAX : 0;
	l->size += l->records * sizeof(struct record);
}

void
limiter_shape(struct limiter *l, const struct limiter_window *w, size_t n)
{
	size_t i;

	assert(n >= 1 && n <= LIMITER_WINDOWS);
	l->windows = n;
	for (i = 0; i < n; i++) {
		assert(w[i].entries <= LIMITER_ENTRIES_MAX);
		assert(i == 0 || w[i].seconds != w[i - 1].seconds);
		l->window[i].seconds = w[i].seconds;
		l->window[i].slots = slots_for(w[i].entries);
		memcpy(l->window[i].limits, w[i].limits,
		    sizeof(w[i].limits));
	}
	set_size(l);
}

void
limiter_lay_out(struct limiter *l, void *p)
{
	unsigned char *q = p;
	size_t i;

	l->head = p;
	q += HEAD_SIZE;
	for (i = 0; i < l->windows; i++) {
		l->window[i].slot = (struct slot *)(void *)q;
		q += l->window[i].slots * sizeof(struct slot);
	}
	l->record = (struct record *)(void *)q;
}

void
limiter_fill_head(const struct limiter *l, struct head *h)
{
	size_t i;

	memset(h, 0, sizeof(*h));
	memcpy(h->magic, LIMITER_MAGIC, sizeof(h->magic));
	h->version = LIMITER_VERSION;
	h->windows = (uint32_t)l->windows;
	h->records = (uint32_t)l->records;
	os_random(h->key, sizeof(h->key));
	for (i = 0; i < l->windows; i++) {
		h->window[i].seconds = l->window[i].seconds;
		h->window[i].slots = (uint32_t)l->window[i].slots;
		memcpy(h->window[i].limits, l->window[i].limits,
		    sizeof(h->window[i].limits));
	}
}

bool
limiter_take_head(struct limiter *l, const struct head *h, size_t size)
{
	size_t i, n;

	if (memcmp(h->magic, LIMITER_MAGIC, sizeof(h->magic)) != 0 ||
	    h->version != LIMITER_VERSION || h->windows < 1 ||
	    h->windows > LIMITER_WINDOWS)
		return false;
	l->windows = h->windows;
	for (i = 0; i < l->windows; i++) {
		n = h->window[i].slots;
		if (n < WAYS || n > slots_for(LIMITER_ENTRIES_MAX) ||
		    (n & (n - 1)) != 0 || (i > 0 &&
		    h->window[i].seconds == h->window[i - 1].seconds))
			return false;
		l->window[i].seconds = h->window[i].seconds;
		l->window[i].slots = n;
	}
	set_size(l);
	return l->records == h->records && l->size == size;
}

/* ---- life ---- */

static void
begin_private(struct limiter *l)
{
	l->fd = -1;
	l->holder = 1;
	l->epoch++;
	limiter_lay_out(l, os_alloc_unshared(l->size));
	limiter_fill_head(l, l->head);
}

struct limiter *
limiter_new(const struct limiter_window *windows, size_t n)
{
	struct limiter *l = mem_zalloc(1, sizeof(*l));

	limiter_shape(l, windows, n);
	begin_private(l);
	return l;
}

struct limiter *
limiter_open(const char *name, const struct limiter_window *windows, size_t n)
{
	struct limiter *l = mem_zalloc(1, sizeof(*l));
	struct arena a = ARENA_INIT;
	size_t i;

	l->path = mem_strdup(arena_printf(&a, "%s/" LIMITER_DIR "/%s",
	    dir_run(), name));
	arena_free(&a);
	limiter_shape(l, windows, n);
	if (limiter_file_open(l, name) == 0) {
		for (i = 0; i < n; i++)
			limiter_set(l, i, windows[i].limits);
		return l;
	}
	msg_warnsys("cannot use %s: limits by address are counted in memory",
	    l->path);
	begin_private(l);
	return l;
}

void
limiter_free(struct limiter *l)
{
	uint32_t i;

	if (l == NULL)
		return;
	if (l->fd != -1 && limiter_begin(l) == 0) {
		for (i = 0; i < l->head->high && i < l->records; i++) {
			if (l->record[i].holder == l->holder)
				l->record[i].holder = 0;
		}
		limiter_recount(l);
		limiter_end(l);
	}
	if (l->fd != -1)
		(void)close(l->fd);	/* nothing was written through it */
	os_free_unshared(l->head, l->size);
	free(l->path);
	free(l);
}

void
limiter_forked(const struct limiter *l)
{
	/* The locks are the parent's and stay. */
	if (l != NULL && l->fd != -1)
		(void)close(l->fd);
}

bool
limiter_is_shared(const struct limiter *l)
{
	return l->fd != -1;
}

/* From now on in memory: somebody has the lock and does not give it back. */
static void
begin(struct limiter *l)
{
	if (limiter_begin(l) == 0)
		return;
	msg_warnsys("cannot lock %s: limits by address are counted in memory",
	    l->path);
	os_free_unshared(l->head, l->size);
	(void)close(l->fd);
	begin_private(l);
}

void
limiter_set(struct limiter *l, size_t i,
    const unsigned int limits[LIMITER_MASKS])
{
	assert(i < l->windows);
	memcpy(l->window[i].limits, limits, sizeof(l->window[i].limits));
	memcpy(l->head->window[i].limits, limits,
	    sizeof(l->head->window[i].limits));
}

/* ---- slots ---- */

/* Every bit of v and k changes half the bits of the result. */
static uint64_t
mix(uint64_t v, uint64_t k)
{
	v ^= k;
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

static struct slot
slot_of(const struct ip *ip, unsigned int mask)
{
	bool v4 = ip->family == AF_INET;
	struct ip net = ip_mask(ip, ip_net_bits(!v4, mask));
	struct slot s = { .family = v4 ? 4 : 6, .mask = (unsigned char)mask };

	memcpy(s.net, net.a, sizeof(s.net));
	return s;
}

static struct slot *
bucket(const struct limiter *l, const struct window *w, const struct slot *s)
{
	const uint64_t *key = l->head->key;
	uint64_t h = mix(be64_get(s->net), key[0]);

	h = mix(h ^ be64_get(s->net + 8), key[1]);
	h = mix(h ^ (uint64_t)s->mask << 8 ^ s->family, key[0]);
	return w->slot + (h & (w->slots / WAYS - 1)) * WAYS;
}

bool
limiter_counts(const struct limiter *l, const struct window *w,
    const struct slot *s)
{
	if (s->family == 0 || s->count == 0)
		return false;
	return w->seconds == 0 ||
	    s->window == l->head->window[w - l->window].current;
}

static bool
same(const struct slot *a, const struct slot *b)
{
	return a->mask == b->mask && a->family == b->family &&
	    memcmp(a->net, b->net, sizeof(a->net)) == 0;
}

static struct slot *
find(const struct limiter *l, const struct window *w, const struct slot *want)
{
	struct slot *s = bucket(l, w, want);
	unsigned int i;

	for (i = 0; i < WAYS; i++) {
		if (limiter_counts(l, w, &s[i]) && same(&s[i], want))
			return &s[i];
	}
	return NULL;
}

struct slot *
limiter_find(const struct limiter *l, const struct window *w,
    const struct ip *ip, unsigned int mask)
{
	struct slot want = slot_of(ip, mask);

	return find(l, w, &want);
}

/* Where a new count goes: a free slot, or that of the smallest. */
static struct slot *
place(const struct limiter *l, const struct window *w, const struct slot *want)
{
	struct slot *s = bucket(l, w, want), *best = s;
	unsigned int i;

	for (i = 0; i < WAYS; i++) {
		if (!limiter_counts(l, w, &s[i]))
			return &s[i];
		if (s[i].count < best->count || (s[i].count == best->count &&
		    s[i].seen < best->seen))
			best = &s[i];
	}
	return best;
}

static void
count_one(struct limiter *l, struct window *w, const struct ip *ip,
    int64_t now_seconds)
{
	struct slot want, *s;
	unsigned int m;

	for (m = 0; m < LIMITER_MASKS; m++) {
		want = slot_of(ip, m);
		s = find(l, w, &want);
		if (s == NULL) {
			want.seen = (uint32_t)now_seconds;
			if (w->seconds > 0)
				want.window =
				    l->head->window[w - l->window].current;
			s = place(l, w, &want);
			*s = want;
		}
		if (s->count < UINT32_MAX)
			s->count++;
	}
}

static void
subtract(struct limiter *l, struct window *w, const struct ip *ip, uint32_t n)
{
	struct slot *s;
	unsigned int m;

	for (m = 0; m < LIMITER_MASKS; m++) {
		s = limiter_find(l, w, ip, m);
		if (s != NULL)
			s->count = s->count > n ? s->count - n : 0;
	}
}

void
limiter_advance(struct limiter *l, int64_t now_seconds)
{
	uint32_t now, *current;
	size_t i;

	for (i = 0; i < l->windows; i++) {
		if (l->window[i].seconds == 0)
			continue;
		now = (uint32_t)(now_seconds / l->window[i].seconds);
		current = &l->head->window[i].current;
		/* One before is a process that looked at the clock before
		 * another; a clock that was set back is farther away. */
		if (now > *current || now + 1 < *current)
			*current = now;
	}
}

/* ---- records of open connections ---- */

static struct ip
record_ip(const struct record *r)
{
	struct ip ip = { .family = r->family == 4 ? AF_INET : AF_INET6 };

	memcpy(ip.a, r->ip, sizeof(r->ip));
	return ip;
}

static bool
have_record(const struct limiter *l)
{
	return l->head->free != 0 || l->head->high < l->records;
}

/* A ticket. There is one: have_record. */
static uint64_t
take_record(struct limiter *l, const struct ip *ip)
{
	struct head *h = l->head;
	uint32_t i = h->free;
	struct record *r;

	if (i == 0)
		h->high = i = h->high + 1;
	if (i > l->records)	/* somebody has written nonsense there */
		i = 1;
	r = &l->record[i - 1];
	h->free = r->next;
	r->next = 0;
	r->family = ip->family == AF_INET ? 4 : 6;
	memcpy(r->ip, ip->a, sizeof(r->ip));
	r->holder = l->holder;
	h->in_use++;
	return (uint64_t)l->epoch << 32 | i;
}

void
limiter_recount(struct limiter *l)
{
	struct head *h = l->head;
	uint32_t i, n = h->high < l->records ? h->high : (uint32_t)l->records;
	struct record *r;
	struct ip ip;

	if (l->open == NULL)
		return;
	memset(l->open->slot, 0, l->open->slots * sizeof(struct slot));
	h->high = n;
	h->free = h->in_use = 0;
	for (i = 0; i < n; i++) {
		r = &l->record[i];
		if (r->holder == 0) {
			r->next = h->free;
			h->free = i + 1;
			continue;
		}
		ip = record_ip(r);
		h->in_use++;
		count_one(l, l->open, &ip, 0);
	}
}

/* ---- the interface ---- */

static bool
within(const struct limiter *l, const struct window *w, const struct ip *ip)
{
	const struct slot *s;
	unsigned int m;

	for (m = 0; m < LIMITER_MASKS; m++) {
		if (w->limits[m] == 0)
			continue;
		s = limiter_find(l, w, ip, m);
		if (s != NULL && s->count >= w->limits[m])
			return false;
	}
	return w != l->open || have_record(l);
}

/* Under the lock. */
static bool
allowed(struct limiter *l, const struct ip *ip, int64_t now_seconds)
{
	size_t i;

	limiter_advance(l, now_seconds);
	for (i = 0; i < l->windows; i++) {
		if (&l->window[i] != l->open && !within(l, &l->window[i], ip))
			return false;
	}
	if (l->open == NULL || within(l, l->open, ip))
		return true;
	/* Perhaps some of these belong to nobody. */
	if (l->fd == -1 || (l->swept <= now_seconds &&
	    now_seconds < l->swept + SWEEP_SECONDS))
		return false;
	l->swept = now_seconds;
	return limiter_sweep(l) && within(l, l->open, ip);
}

bool
limiter_allows(struct limiter *l, const struct ip *ip, int64_t now_seconds)
{
	bool r;

	if (ip->family == 0)
		return true;
	begin(l);
	r = allowed(l, ip, now_seconds);
	limiter_end(l);
	return r;
}

bool
limiter_add(struct limiter *l, const struct ip *ip, int64_t now_seconds,
    uint64_t *ticket)
{
	size_t i;
	bool r;

	if (ticket != NULL)
		*ticket = 0;
	if (ip->family == 0)
		return true;
	begin(l);
	r = allowed(l, ip, now_seconds);
	for (i = 0; r && i < l->windows; i++)
		count_one(l, &l->window[i], ip, now_seconds);
	if (r && l->open != NULL && ticket != NULL)
		*ticket = take_record(l, ip);
	limiter_end(l);
	return r;
}

void
limiter_remove(struct limiter *l, uint64_t ticket)
{
	size_t i = (size_t)(ticket & UINT32_MAX);
	struct record *r;
	struct ip ip;

	if (i == 0 || i > l->records)
		return;
	begin(l);
	r = &l->record[i - 1];
	/* It may have been counted where this process does not count now. */
	if (ticket >> 32 == l->epoch && r->holder == l->holder) {
		ip = record_ip(r);
		subtract(l, l->open, &ip, 1);
		r->holder = 0;
		r->next = l->head->free;
		l->head->free = (uint32_t)i;
		l->head->in_use--;
	}
	limiter_end(l);
}

void
limiter_forget(struct limiter *l, const struct ip *ip, int64_t now_seconds)
{
	struct slot *s;
	size_t i;

	if (ip->family == 0)
		return;
	begin(l);
	limiter_advance(l, now_seconds);
	for (i = 0; i < l->windows; i++) {
		s = limiter_find(l, &l->window[i], ip, 0);
		if (s != NULL && l->window[i].seconds > 0)
			subtract(l, &l->window[i], ip, s->count);
	}
	limiter_end(l);
}

size_t
limiter_open_total(const struct limiter *l)
{
	return l->head->in_use;
}
