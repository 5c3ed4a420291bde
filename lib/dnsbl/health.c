/*
 * health.c - what is known of zones' health, for all processes of a server
 *
 * Not on disk, as other facts with a time are: the memory of the accepting
 * parent needs no file, no owner and no place in a sandbox, a read costs
 * nothing, and what a restart loses is two look-ups beside those of the next
 * listing. A slot belongs to a zone once its key is set, for good; its value
 * is one word, so that a reader never sees half of a change.
 */
#include "dnsbl/internal.h"

#include <stdatomic.h>
#include <sys/socket.h>

#include "os/os.h"

struct slot {
	_Atomic uint64_t key;		/* 0: free */
	_Atomic uint64_t value;		/* 0: nothing; else the time it ends
					 * in ms, times 4, and the state */
};

struct dnsbl_health {
	struct slot slot[DNSBL_HEALTH_SLOTS];
};

struct dnsbl_health *
dnsbl_health_new(void)
{
	return os_shared_memory(sizeof(struct dnsbl_health));
}

/* 64 bits of SHA-256: zones are the administrator's, nobody seeks a second
 * one with the same key. */
static uint64_t
key_of(struct bytes zone, int family)
{
	struct arena a = ARENA_INIT;
	unsigned char hash[32];
	uint64_t key = 0;

	sha256_of(arena_lower(&a, zone), hash);
	arena_free(&a);
	for (int i = 0; i < 8; i++)
		key = key << 8 | hash[i];
	key = (key & ~(uint64_t)1) | (family == AF_INET6);
	return key < 2 ? key + 2 : key;
}

/* The slot with that key; with make, a free one becomes it. NULL: none. */
static struct slot *
find(struct dnsbl_health *h, uint64_t key, bool make)
{
	uint64_t there;

	for (int i = 0; i < DNSBL_HEALTH_SLOTS; i++) {
		there = atomic_load(&h->slot[i].key);
		if (there == 0 && make && atomic_compare_exchange_strong(
		    &h->slot[i].key, &there, key))
			there = key;
		if (there == key)
			return &h->slot[i];
		if (there == 0)
			return NULL;
	}
	return NULL;
}

bool
dnsbl_health_get(struct dnsbl_health *h, struct bytes zone, int family,
    int64_t now, enum dnsbl_state *state)
{
	struct slot *s = h == NULL ? NULL : find(h, key_of(zone, family),
	    false);
	uint64_t value;

	if (s == NULL)
		return false;
	value = atomic_load(&s->value);
	if (value / 4 <= (uint64_t)now)
		return false;
	*state = (enum dnsbl_state)(value % 4);
	return true;
}

void
dnsbl_health_put(struct dnsbl_health *h, struct bytes zone, int family,
    int64_t now, enum dnsbl_state state)
{
	struct slot *s;

	if (h == NULL || state == DNSBL_UNKNOWN)
		return;
	s = find(h, key_of(zone, family), true);
	if (s != NULL)
		atomic_store(&s->value, ((uint64_t)now + DNSBL_HEALTH_MS) *
		    4 + state);
}
