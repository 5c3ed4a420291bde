/*
 * batch.c - training: counts gathered in memory, brought in by key order
 */
#include "junk/internal.h"

#include <errno.h>
#include <stdlib.h>

#define SLOTS_FIRST ((size_t)1 << 14)

struct junk_batch {
	struct junk_map map;
	int64_t messages[2];
};

struct junk_batch *
junk_batch_new(void)
{
	struct junk_batch *b = mem_zalloc(1, sizeof(*b));

	junk_map_init(&b->map, SLOTS_FIRST);
	return b;
}

void
junk_batch_free(struct junk_batch *b)
{
	if (b == NULL)
		return;
	junk_map_free(&b->map);
	free(b);
}

void
junk_batch_add(struct junk_batch *b, const struct junk_words *w,
    enum junk_class class, int sign)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		if (i + JUNK_MAP_AHEAD < w->n)
			junk_map_fetch(&b->map,
			    w->word[i + JUNK_MAP_AHEAD].hash);
		junk_map_at(&b->map, w->word[i].hash)->count[class] += sign;
	}
	b->messages[class] += sign;
}

bool
junk_batch_is_full(const struct junk_batch *b)
{
	return b->map.n >= JUNK_BATCH_MAX;
}

/* ---- values ---- */

int
junk_value_get(struct bytes value, uint32_t count[2])
{
	if (value.n != JUNK_VALUE) {
		kv_suspect();
		errno = EBADMSG;
		return -1;
	}
	count[JUNK_HAM] = be32_get(value.p);
	count[JUNK_SPAM] = be32_get(value.p + 4);
	return 0;
}

void
junk_value_put(unsigned char out[JUNK_VALUE], const uint32_t count[2])
{
	be32_put(out, count[JUNK_HAM]);
	be32_put(out + 4, count[JUNK_SPAM]);
}

static uint32_t
change(uint32_t count, int64_t by)
{
	int64_t n = (int64_t)count + by;

	return n < 0 ? 0 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static int
write_one(struct kv_txn *t, unsigned int table, struct bytes key,
    const int64_t by[2], bool fresh)
{
	uint32_t count[2] = { 0, 0 };
	unsigned char value[JUNK_VALUE];
	struct bytes old;
	int r = fresh ? 0 : kv_get(t, table, key, &old);

	if (r == -1 || (r == 1 && junk_value_get(old, count) == -1))
		return -1;
	count[0] = change(count[0], by[0]);
	count[1] = change(count[1], by[1]);
	if (count[0] == 0 && count[1] == 0)
		return r == 0 ? 0 : kv_delete(t, table, key) == -1 ? -1 : 0;
	junk_value_put(value, count);
	return kv_put(t, table, key, bytes_of(value, sizeof(value)));
}

/* ---- order ---- */

#define RADIX_BITS 11
#define RADIX ((size_t)1 << RADIX_BITS)

/* One pass of a radix sort: by RADIX_BITS of the hash from shift on. */
static void
sort_pass(const struct junk_entry *in, struct junk_entry *out, size_t n,
    unsigned int shift)
{
	size_t at[RADIX] = { 0 }, i, sum = 0, count;

	for (i = 0; i < n; i++)
		at[in[i].hash >> shift & (RADIX - 1)]++;
	for (i = 0; i < RADIX; i++) {
		count = at[i];
		at[i] = sum;
		sum += count;
	}
	for (i = 0; i < n; i++)
		out[at[in[i].hash >> shift & (RADIX - 1)]++] = in[i];
}

/* The used slots to the front, by the upper bits of their hash. */
static void
sort(struct junk_map *m)
{
	struct junk_entry *other;
	size_t i, n = 0;

	for (i = 0; i < m->size; i++) {
		if (m->slot[i].hash != 0)
			m->slot[n++] = m->slot[i];
	}
	/* 33 bits: the few that are left unsorted cost nothing. */
	other = mem_alloc((n + 1) * sizeof(*other));
	sort_pass(m->slot, other, n, 31);
	sort_pass(other, m->slot, n, 42);
	sort_pass(m->slot, other, n, 53);
	memcpy(m->slot, other, n * sizeof(*other));
	free(other);
}

int
junk_batch_write(struct junk_batch *b, struct kv_txn *t, unsigned int table)
{
	int64_t messages = kv_count(t, table);
	unsigned char key[8];
	size_t i;

	if (messages == -1 || write_one(t, table, JUNK_TOTALS, b->messages,
	    false) == -1)
		return -1;
	sort(&b->map);
	for (i = 0; i < b->map.n; i++) {
		const struct junk_entry *e = &b->map.slot[i];
		int64_t by[2] = { e->count[0], e->count[1] };

		be64_put(key, e->hash);
		if ((by[0] != 0 || by[1] != 0) && write_one(t, table,
		    bytes_of(key, 8), by, messages == 0) == -1)
			return -1;
	}
	junk_map_free(&b->map);
	junk_map_init(&b->map, SLOTS_FIRST);
	b->messages[0] = b->messages[1] = 0;
	return 0;
}

int
junk_totals(struct kv_txn *t, unsigned int table, uint32_t *ham,
    uint32_t *spam)
{
	uint32_t count[2] = { 0, 0 };
	struct bytes value;
	int r = kv_get(t, table, JUNK_TOTALS, &value);

	if (r == -1 || (r == 1 && junk_value_get(value, count) == -1))
		return -1;
	*ham = count[JUNK_HAM];
	*spam = count[JUNK_SPAM];
	return 0;
}
