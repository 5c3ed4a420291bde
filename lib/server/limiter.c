/*
 * limiter.c - counts by masked IP address in a bounded table
 *
 * Open addressing with linear probing. A slot of another window is free:
 * all slots of a window become free at once, so no chain is cut. Without
 * windows a count that falls to zero is taken out and the slots behind it
 * move up. The hash is keyed, for the addresses are chosen by strangers.
 */
#include "server/server.h"

#include <stdlib.h>
#include <sys/socket.h>

#define MASKS 3

struct slot {
	unsigned char net[16];
	unsigned char family;	/* 4 or 6; 0: never used */
	unsigned char mask;	/* 0 .. MASKS - 1 */
	uint32_t count;
	int64_t window;
};

struct limiter {
	unsigned int limits[MASKS];
	unsigned int window_seconds;
	size_t max_entries, used, nslots;	/* nslots: a power of two */
	int64_t window;
	uint64_t key[2];
	struct slot *slots;
};

struct limiter *
limiter_new(const unsigned int limits[3], unsigned int window_seconds,
    size_t max_entries)
{
	struct limiter *l = mem_zalloc(1, sizeof(*l));

	l->window_seconds = window_seconds;
	l->max_entries = max_entries;
	l->nslots = 16;
	while (l->nslots / 4 * 3 < max_entries)
		l->nslots *= 2;
	l->slots = os_alloc_unshared(l->nslots * sizeof(*l->slots));
	os_random(l->key, sizeof(l->key));
	limiter_set(l, limits);
	return l;
}

void
limiter_free(struct limiter *l)
{
	if (l == NULL)
		return;
	os_free_unshared(l->slots, l->nslots * sizeof(*l->slots));
	free(l);
}

void
limiter_set(struct limiter *l, const unsigned int limits[3])
{
	memcpy(l->limits, limits, sizeof(l->limits));
}

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
	static const unsigned int bits4[MASKS] = { 32, 26, 21 };
	static const unsigned int bits6[MASKS] = { 64, 48, 32 };
	bool v4 = ip->family == AF_INET;
	struct ip net = ip_mask(ip, v4 ? bits4[mask] : bits6[mask]);
	struct slot s = { .family = v4 ? 4 : 6, .mask = (unsigned char)mask };

	memcpy(s.net, net.a, sizeof(s.net));
	return s;
}

static size_t
home(const struct limiter *l, const struct slot *s)
{
	uint64_t h = mix(be64_get(s->net), l->key[0]);

	h = mix(h ^ be64_get(s->net + 8), l->key[1]);
	h = mix(h ^ (uint64_t)s->mask << 8 ^ s->family, l->key[0]);
	return (size_t)(h & (l->nslots - 1));
}

static bool
is_free(const struct limiter *l, const struct slot *s)
{
	return s->family == 0 || s->window != l->window;
}

/* The slot that counts what want names, or the free one where it belongs. */
static struct slot *
find(struct limiter *l, const struct slot *want)
{
	size_t i = home(l, want);
	struct slot *s;

	for (;;) {
		s = &l->slots[i];
		if (is_free(l, s) || (s->mask == want->mask &&
		    s->family == want->family &&
		    memcmp(s->net, want->net, sizeof(s->net)) == 0))
			return s;
		i = (i + 1) & (l->nslots - 1);
	}
}

static void
enter_window(struct limiter *l, int64_t now_seconds)
{
	int64_t w;

	if (l->window_seconds == 0)
		return;
	w = now_seconds / l->window_seconds;
	if (w != l->window) {
		l->window = w;
		l->used = 0;
	}
}

bool
limiter_allows(struct limiter *l, const struct ip *ip, int64_t now_seconds)
{
	struct slot want, *s;
	size_t fresh = 0;
	unsigned int m;

	if (ip->family == 0)
		return true;
	enter_window(l, now_seconds);
	for (m = 0; m < MASKS; m++) {
		want = slot_of(ip, m);
		s = find(l, &want);
		if (is_free(l, s))
			fresh++;
		else if (l->limits[m] != 0 && s->count >= l->limits[m])
			return false;
	}
	return fresh <= l->max_entries - l->used;
}

bool
limiter_add(struct limiter *l, const struct ip *ip, int64_t now_seconds)
{
	struct slot want, *s;
	unsigned int m;

	if (!limiter_allows(l, ip, now_seconds))
		return false;
	for (m = 0; m < MASKS && ip->family != 0; m++) {
		want = slot_of(ip, m);
		s = find(l, &want);
		if (is_free(l, s)) {
			*s = want;
			s->window = l->window;
			l->used++;
		}
		if (s->count < UINT32_MAX)
			s->count++;
	}
	return true;
}

/* Empty slot i; those after it that could not be nearer their home move. */
static void
take_out(struct limiter *l, size_t i)
{
	size_t mask = l->nslots - 1, j = i, h;

	l->used--;
	for (;;) {
		j = (j + 1) & mask;
		if (is_free(l, &l->slots[j]))
			break;
		h = home(l, &l->slots[j]);
		/* Stays if its home is within (i, j], in the circle. */
		if (((j - h) & mask) < ((j - i) & mask))
			continue;
		l->slots[i] = l->slots[j];
		i = j;
	}
	l->slots[i].family = 0;
}

static void
subtract(struct limiter *l, const struct ip *ip, unsigned int m, uint32_t n)
{
	struct slot want = slot_of(ip, m), *s = find(l, &want);

	if (is_free(l, s))
		return;
	s->count = s->count > n ? s->count - n : 0;
	if (s->count == 0)
		take_out(l, (size_t)(s - l->slots));
}

void
limiter_remove(struct limiter *l, const struct ip *ip)
{
	unsigned int m;

	for (m = 0; m < MASKS && ip->family != 0; m++)
		subtract(l, ip, m, 1);
}

void
limiter_forget(struct limiter *l, const struct ip *ip, int64_t now_seconds)
{
	struct slot want, *s;
	unsigned int m;
	uint32_t n;

	if (ip->family == 0)
		return;
	enter_window(l, now_seconds);
	want = slot_of(ip, 0);
	s = find(l, &want);
	if (is_free(l, s))
		return;
	n = s->count;
	for (m = 0; m < MASKS; m++)
		subtract(l, ip, m, n);
}
