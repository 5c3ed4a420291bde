/*
 * counts.c - reading a table, entry by entry or all of it
 */
#include "junk/internal.h"

#include <stdlib.h>

struct junk_counts {
	struct kv_txn *t;
	unsigned int table;
	bool is_loaded;
	struct junk_map map;
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

int
junk_counts_get(struct junk_counts *c, uint64_t hash, uint32_t count[2])
{
	unsigned char key[8];
	struct bytes value;
	int r;

	if (c->is_loaded) {
		const struct junk_entry *e = junk_map_find(&c->map, hash);

		if (e == NULL)
			return 0;
		count[0] = (uint32_t)e->count[0];
		count[1] = (uint32_t)e->count[1];
		return 1;
	}
	be64_put(key, hash);
	r = kv_get(c->t, c->table, bytes_of(key, sizeof(key)), &value);
	if (r == 1 && junk_value_get(value, count) == -1)
		return -1;
	return r;
}

int
junk_counts_totals(struct junk_counts *c, uint32_t *ham, uint32_t *spam)
{
	return junk_totals(c->t, c->table, ham, spam);
}
