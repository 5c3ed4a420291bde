/*
 * counts.c - reading a table, entry by entry or all of it
 */
#include "junk/internal.h"

#include <stdlib.h>

#define ORDER_BITS 12
#define ORDER_FEW 1000	/* words: */
#define ORDER_FEW_BITS 8
#define LOOK_UP 1024	/* words at a time: their lists stay in the cache */

struct junk_counts {
	struct kv_txn *t;
	unsigned int table;
	bool is_loaded;
	struct junk_map map;
	struct junk_cache *cache;	/* NULL: none */
	uint64_t changes;
};

struct junk_counts *
junk_counts_open(struct kv_txn *t, unsigned int table)
{
	struct junk_counts *c = mem_zalloc(1, sizeof(*c));

	c->t = t;
	c->table = table;
	return c;
}

void
junk_counts_close(struct junk_counts *c)
{
	if (c == NULL)
		return;
	junk_map_free(&c->map);
	free(c);
}

void
junk_counts_use(struct junk_counts *c, struct junk_cache *k, uint64_t changes)
{
	c->cache = k;
	c->changes = changes;
}

static int
load(struct junk_counts *c, struct kv_cursor *cursor)
{
	struct bytes key = BYTES_EMPTY, value;
	uint32_t count[2];
	int r;

	for (r = kv_seek(cursor, &key, &value); r == 1;
	    r = kv_next(cursor, &key, &value)) {
		struct junk_entry *e;

		if (junk_value_get(value, count) == -1)
			return -1;
		/* Alone it says nothing: see junk_score. */
		if (key.n != 8 || count[0] + count[1] < 2)
			continue;
		e = junk_map_at(&c->map, be64_get(key.p));
		e->count[0] = (int32_t)count[0];
		e->count[1] = (int32_t)count[1];
	}
	return r;
}

int
junk_counts_load(struct junk_counts *c)
{
	int64_t n = kv_count(c->t, c->table);
	struct kv_cursor *cursor;
	size_t size = 1024;

	if (n == -1 || n > JUNK_LOAD_MAX)
		return n == -1 ? -1 : 0;
	if ((cursor = kv_cursor_open(c->t, c->table)) == NULL)
		return -1;
	while (size < (size_t)n)
		size *= 2;
	junk_map_init(&c->map, size);
	c->is_loaded = load(c, cursor) == 0;
	kv_cursor_close(cursor);
	return c->is_loaded ? 0 : -1;
}

/*
 * n words of a list in about the order of the table: by the first bits of each
 * hash, so that most words are found on the page of the one before.
 */
static uint32_t *
order_words(const struct junk_words *w, const uint32_t *which, size_t n)
{
	uint32_t *list = mem_alloc((n + 1) * sizeof(*list));
	unsigned int bits = n < ORDER_FEW ? ORDER_FEW_BITS : ORDER_BITS;
	uint32_t start[(1 << ORDER_BITS) + 1];
	size_t i;

	memset(start, 0, ((1u << bits) + 1) * sizeof(*start));
	for (i = 0; i < n; i++)
		start[(w->word[which[i]].hash >> (64 - bits)) + 1]++;
	for (i = 1; i <= 1u << bits; i++)
		start[i] += start[i - 1];
	for (i = 0; i < n; i++)
		list[start[w->word[which[i]].hash >> (64 - bits)]++] =
		    which[i];
	return list;
}

/* n words of a list, LOOK_UP at most. */
static int
find_some(struct junk_counts *c, const struct junk_words *w,
    const uint32_t *list, size_t n, uint32_t (*count)[2])
{
	static const unsigned char none[JUNK_VALUE];
	const unsigned char *value[LOOK_UP];
	uint64_t hash[LOOK_UP];
	size_t i;

	for (i = 0; i < n; i++)
		hash[i] = w->word[list[i]].hash;
	if (kv_get_many(c->t, c->table, hash, n, JUNK_VALUE, value) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		const unsigned char *p = value[i] == NULL ? none : value[i];
		uint32_t *out = count[list[i]];

		out[JUNK_HAM] = be32_get(p);
		out[JUNK_SPAM] = be32_get(p + 4);
		if (c->cache != NULL)
			junk_cache_keep(c->cache, hash[i], out);
	}
	return 0;
}

/* Which words are to be looked up in the table, and how many; 0, -1. */
static int
find_kept(struct junk_counts *c, const struct junk_words *w,
    uint32_t (*count)[2], uint32_t *missing, size_t *n)
{
	struct junk_state state = { .changes = c->changes };

	if (c->cache == NULL) {
		for (*n = 0; *n < w->n; ++*n)
			missing[*n] = (uint32_t)*n;
		return 0;
	}
	if ((state.words = kv_count(c->t, c->table)) == -1 ||
	    junk_totals(c->t, c->table, &state.total[JUNK_HAM],
	    &state.total[JUNK_SPAM]) == -1)
		return -1;
	junk_cache_begin(c->cache, &state);
	*n = junk_cache_find(c->cache, w, count, missing);
	return 0;
}

static int
find_stored(struct junk_counts *c, const struct junk_words *w,
    uint32_t (*count)[2])
{
	uint32_t *missing = mem_alloc((w->n + 1) * sizeof(*missing)), *list;
	size_t i, n, some;
	int r;

	if (find_kept(c, w, count, missing, &n) == -1) {
		free(missing);
		return -1;
	}
	list = order_words(w, missing, n);
	for (r = 0, i = 0; r == 0 && i < n; i += some) {
		some = n - i < LOOK_UP ? n - i : LOOK_UP;
		r = find_some(c, w, list + i, some, count);
	}
	free(list);
	free(missing);
	return r;
}

static int
find_loaded(const struct junk_map *map, const struct junk_words *w,
    uint32_t (*count)[2])
{
	const struct junk_entry *e;

	for (size_t i = 0; i < w->n; i++) {
		if (i + JUNK_MAP_AHEAD < w->n)
			junk_map_fetch(map, w->word[i + JUNK_MAP_AHEAD].hash);
		e = junk_map_find(map, w->word[i].hash);
		count[i][0] = e == NULL ? 0 : (uint32_t)e->count[0];
		count[i][1] = e == NULL ? 0 : (uint32_t)e->count[1];
	}
	return 0;
}

int
junk_counts_all(struct junk_counts *c, const struct junk_words *w,
    uint32_t (*count)[2])
{
	if (c->is_loaded)
		return find_loaded(&c->map, w, count);
	return find_stored(c, w, count);
}

int
junk_counts_totals(struct junk_counts *c, uint32_t *ham, uint32_t *spam)
{
	return junk_totals(c->t, c->table, ham, spam);
}
