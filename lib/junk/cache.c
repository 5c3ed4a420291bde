/*
 * cache.c - counts that were looked up before, by hash
 *
 * Few words make up most of what is written, so whoever judges one message
 * after another has looked up most words already. A set is four words, one line
 * of the processor's cache; a word is in its set, or in the one beside it. Of
 * these eight the one that the fewest messages had gives way: what many had
 * comes again soonest. That a word is not in the table is kept, too.
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

/* The set of a hash (0), and the one beside it (1). */
static inline struct junk_entry *
set_of(struct junk_cache *k, uint64_t hash, size_t which)
{
	return k->set[(hash & (SETS - 1)) ^ which];
}

/* Of a set, the word or another one. Which of them it is cannot be foreseen, so
 * nothing jumps by it. */
static inline const struct junk_entry *
look(const struct junk_entry *e, uint64_t hash)
{
	return &e[(size_t)(e[1].hash == hash) +
	    2 * (size_t)(e[2].hash == hash) +
	    3 * (size_t)(e[3].hash == hash)];
}

size_t
junk_cache_find(struct junk_cache *k, const struct junk_words *w,
    uint32_t (*count)[2], uint32_t *missing)
{
	const struct junk_entry *e;
	uint64_t hash, ahead;
	size_t i, n = 0;

	for (i = 0; i < w->n; i++) {
		if (i + JUNK_MAP_AHEAD < w->n) {
			ahead = w->word[i + JUNK_MAP_AHEAD].hash;
			__builtin_prefetch(set_of(k, ahead, 0));
			__builtin_prefetch(set_of(k, ahead, 1));
		}
		hash = w->word[i].hash;
		e = look(set_of(k, hash, 0), hash);
		if (e->hash != hash)
			e = look(set_of(k, hash, 1), hash);
		if (e->hash != hash) {
			missing[n++] = (uint32_t)i;
			continue;
		}
		count[i][0] = (uint32_t)e->count[0];
		count[i][1] = (uint32_t)e->count[1];
	}
	return n;
}

/* A free place says less than any word. */
static uint64_t
messages_of(const struct junk_entry *e)
{
	return e->hash == 0 ? 0
	    : 1 + (uint64_t)(uint32_t)e->count[0] + (uint32_t)e->count[1];
}

void
junk_cache_keep(struct junk_cache *k, uint64_t hash, const uint32_t count[2])
{
	struct junk_entry *e, *least = set_of(k, hash, 0);
	size_t i;

	for (i = 0; i < 2 * WAYS; i++) {
		e = &set_of(k, hash, i / WAYS)[i % WAYS];
		if (messages_of(e) < messages_of(least))
			least = e;
	}
	*least = (struct junk_entry){ hash, { (int32_t)count[0],
	    (int32_t)count[1] } };
}
