/*
 * cache.c - answers kept for a while
 *
 * They are few, so a look at each of them is cheaper than any index. An answer
 * is copied in and out: what was given lives in the arena of who asked, and an
 * entry may be thrown away at any time.
 */
#include "dns/internal.h"

#include <stdlib.h>

struct entry {
	struct arena arena;		/* of what the rest points to */
	enum dns_type type;
	struct bytes name;		/* canonical */
	int64_t from, until;		/* time_mono_ms */
	struct dns_answer answer;
};

struct dns_cache {
	struct entry entries[DNS_CACHE_ENTRIES];
	size_t n;			/* used so far */
};

struct dns_cache *
dns_cache_new(void)
{
	return mem_zalloc(1, sizeof(struct dns_cache));
}

void
dns_cache_free(struct dns_cache *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < c->n; i++)
		arena_free(&c->entries[i].arena);
	free(c);
}

static size_t
find(const struct dns_cache *c, enum dns_type type, struct bytes name)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (c->entries[i].type == type &&
		    bytes_eq(c->entries[i].name, name))
			break;
	}
	return i;
}

/* All of it, seconds later. */
static void
copy(struct arena *a, const struct dns_answer *from, uint32_t seconds,
    struct dns_answer *out)
{
	struct dns_record *r = arena_zalloc(a, from->nrecords, sizeof(*r));
	size_t i;

	*out = *from;
	out->name = arena_bytes(a, from->name);
	out->extended.text = arena_bytes(a, from->extended.text);
	out->keep_seconds -= seconds;
	out->records = from->nrecords > 0 ? r : NULL;
	for (i = 0; i < from->nrecords; i++) {
		r[i] = from->records[i];
		r[i].name = arena_bytes(a, r[i].name);
		r[i].data = arena_bytes(a, r[i].data);
		r[i].ttl_seconds -= r[i].ttl_seconds < seconds
		    ? r[i].ttl_seconds : seconds;
	}
}

bool
dns_cache_find(const struct dns_cache *c, struct arena *a,
    enum dns_type type, struct bytes name, struct dns_answer *out)
{
	const struct entry *e;
	int64_t now;
	size_t i;

	if (c == NULL || (i = find(c, type, name)) == c->n)
		return false;
	e = &c->entries[i];
	now = time_mono_ms();
	if (now >= e->until)
		return false;
	/* less than keep_seconds, or it were over */
	copy(a, &e->answer, (uint32_t)((now - e->from) / 1000), out);
	return true;
}

/* The one of that name, one that is free, or that is the first to end. */
static struct entry *
place(struct dns_cache *c, enum dns_type type, struct bytes name)
{
	size_t i = find(c, type, name), first = 0;

	if (i < c->n)
		return &c->entries[i];
	if (c->n < DNS_CACHE_ENTRIES)
		return &c->entries[c->n++];
	for (i = 1; i < c->n; i++) {
		if (c->entries[i].until < c->entries[first].until)
			first = i;
	}
	return &c->entries[first];
}

void
dns_cache_put(struct dns_cache *c, enum dns_type type, struct bytes name,
    size_t n, const struct dns_answer *answer)
{
	uint32_t seconds = answer->keep_seconds;
	struct entry *e;

	if (c == NULL || seconds == 0 || n > DNS_CACHE_MESSAGE_MAX)
		return;
	if (seconds > DNS_CACHE_SECONDS_MAX)
		seconds = DNS_CACHE_SECONDS_MAX;
	e = place(c, type, name);
	arena_reset(&e->arena);
	e->type = type;
	e->name = arena_bytes(&e->arena, name);
	e->from = time_mono_ms();
	e->until = e->from + (int64_t)seconds * 1000;
	copy(&e->arena, answer, 0, &e->answer);
	e->answer.keep_seconds = seconds;
}
