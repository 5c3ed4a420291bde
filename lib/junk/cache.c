/*
 * cache.c - counts that were looked up before, by hash
 *
 * Few words make up most of what is written, so whoever judges one message
 * after another has looked up most words already. Of a set of four, which is
 * one line of the processor's cache, the word that the fewest messages had
 * gives way: what many had comes again soonest. That a word is not in the table
 * is kept, too.
 */
#include "junk/internal.h"

#include <stdlib.h>

#define WAYS 4
#define LINE (WAYS * sizeof(struct junk_entry))
#define SETS (JUNK_CACHE_WORDS / WAYS)
_Static_assert((SETS & (SETS - 1)) == 0, "sets are a power of 2");

struct junk_cache {
	struct junk_state state;
	struct junk_entry (*set)[WAYS];
};

struct junk_cache *
junk_cache_new(void)
{
	struct junk_cache *k = mem_zalloc(1, sizeof(*k));

	k->set = aligned_alloc(LINE, SETS * LINE);
	if (k->set == NULL)
		mem_exhausted();
	memset(k->set, 0, SETS * LINE);
	return k;
}

void
junk_cache_free(struct junk_cache *k)
{
	if (k != NULL)
		free(k->set);
	free(k);
}

static bool
same_state(const struct junk_state *a, const struct junk_state *b)
{
	return a->changes == b->changes && a->words == b->words &&
	    a->total[0] == b->total[0] && a->total[1] == b->total[1];
}

void
junk_cache_begin(struct junk_cache *k, const struct junk_state *state)
{
	if (same_state(&k->state, state))
		return;
	memset(k->set, 0, SETS * LINE);
	k->state = *state;
}

static inline struct junk_entry *
set_of(struct junk_cache *k, uint64_t hash)
{
	return k->set[hash & (SETS - 1)];
}

size_t
junk_cache_find(struct junk_cache *k, const struct junk_words *w,
    uint32_t (*count)[2], uint32_t *missing)
{
	size_t i, at, n = 0;

	for (i = 0; i < w->n; i++) {
		const struct junk_entry *e = set_of(k, w->word[i].hash);
		uint64_t hash = w->word[i].hash;

		if (i + JUNK_MAP_AHEAD < w->n)
			__builtin_prefetch(set_of(k,
			    w->word[i + JUNK_MAP_AHEAD].hash));
		/* Which one it is cannot be foreseen: no jump. */
		at = (size_t)(e[1].hash == hash) +
		    2 * (size_t)(e[2].hash == hash) +
		    3 * (size_t)(e[3].hash == hash);
		if (e[at].hash != hash) {
			missing[n++] = (uint32_t)i;
			continue;
		}
		count[i][0] = (uint32_t)e[at].count[0];
		count[i][1] = (uint32_t)e[at].count[1];
	}
	return n;
}

static uint64_t
messages_of(const struct junk_entry *e)
{
	return (uint64_t)(uint32_t)e->count[0] + (uint32_t)e->count[1];
}

void
junk_cache_keep(struct junk_cache *k, uint64_t hash, const uint32_t count[2])
{
	struct junk_entry *e = set_of(k, hash), *least = e;
	size_t i;

	for (i = 0; i < WAYS && least->hash != 0; i++) {
		if (e[i].hash == 0 || messages_of(&e[i]) < messages_of(least))
			least = &e[i];
	}
	*least = (struct junk_entry){ hash, { (int32_t)count[0],
	    (int32_t)count[1] } };
}
