/*
 * dead.c - a memory of addresses that do not answer, shared by processes
 *
 * A table with one place for each hash. An entry is written with its time
 * taken away first and put back last, so that a reader takes a half-written
 * one for none.
 */
#include "dial/dial.h"

#include "os/os.h"

struct entry {
	int64_t until;
	struct ip ip;
	int port;
};
struct dial_dead {
	struct entry entry[DIAL_DEAD_ENTRIES];
};

struct dial_dead *
dial_dead_new(void)
{
	return os_shared_memory(sizeof(struct dial_dead));
}

static size_t
place(const struct ip *ip, int port)
{
	return (bytes_hash(bytes_of(ip->a, sizeof(ip->a))) +
	    (size_t)port * 31) % DIAL_DEAD_ENTRIES;
}

static bool
is_entry(const struct entry *e, const struct ip *ip, int port)
{
	return e->port == port && ip_eq(&e->ip, ip);
}

bool
dial_dead_is(const struct dial_dead *dead, const struct ip *ip, int port,
    int64_t now)
{
	const struct entry *e;

	if (dead == NULL)
		return false;
	e = &dead->entry[place(ip, port)];
	return __atomic_load_n(&e->until, __ATOMIC_ACQUIRE) > now &&
	    is_entry(e, ip, port);
}

void
dial_dead_add(struct dial_dead *dead, const struct ip *ip, int port,
    int64_t now)
{
	struct entry *e;

	if (dead == NULL)
		return;
	e = &dead->entry[place(ip, port)];
	__atomic_store_n(&e->until, 0, __ATOMIC_RELEASE);
	e->ip = *ip;
	e->port = port;
	__atomic_store_n(&e->until, now + DIAL_DEAD_S, __ATOMIC_RELEASE);
}

void
dial_dead_remove(struct dial_dead *dead, const struct ip *ip, int port)
{
	struct entry *e;

	if (dead == NULL)
		return;
	e = &dead->entry[place(ip, port)];
	if (is_entry(e, ip, port))
		__atomic_store_n(&e->until, 0, __ATOMIC_RELEASE);
}
