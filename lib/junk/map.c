/*
 * map.c - counts by hash, in memory
 */
#include "junk/internal.h"

#include <stdlib.h>

void
junk_map_init(struct junk_map *m, size_t size)
{
	m->size = size;
	m->n = 0;
	m->slot = mem_zalloc(size, sizeof(*m->slot));
}

void
junk_map_free(struct junk_map *m)
{
	free(m->slot);
	*m = (struct junk_map){ NULL, 0, 0 };
}

static size_t
find(const struct junk_map *m, uint64_t hash)
{
	size_t i = hash & (m->size - 1);

	while (m->slot[i].hash != 0 && m->slot[i].hash != hash)
		i = (i + 1) & (m->size - 1);
	return i;
}

/* Four times the slots, for few steps. */
static void
grow(struct junk_map *m)
{
	struct junk_map old = *m;
	size_t i;

	junk_map_init(m, 4 * old.size);
	m->n = old.n;
	for (i = 0; i < old.size; i++) {
		if (old.slot[i].hash != 0)
			m->slot[find(m, old.slot[i].hash)] = old.slot[i];
	}
	junk_map_free(&old);
}

struct junk_entry *
junk_map_at(struct junk_map *m, uint64_t hash)
{
	size_t i = find(m, hash);

	if (m->slot[i].hash == 0) {
		if (m->n >= m->size / 2) {
			grow(m);
			i = find(m, hash);
		}
		m->n++;
		m->slot[i].hash = hash;
	}
	return &m->slot[i];
}

const struct junk_entry *
junk_map_find(const struct junk_map *m, uint64_t hash)
{
	const struct junk_entry *e = &m->slot[find(m, hash)];

	return e->hash == 0 ? NULL : e;
}
