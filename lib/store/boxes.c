/*
 * The mailboxes of a write transaction, found by their id: a list of folders
 * that changed may load every one of 100,000.
 */
#include "store/internal.h"

#include <stdlib.h>

#define BUCKETS_MIN 16		/* a power of two, as all counts */

static struct box **
bucket(const struct work *w, uint32_t id)
{
	return &w->buckets[id & (w->bucket_count - 1)];
}

/* As many buckets as boxes, or more: ids are given one after the other. */
static void
grow(struct work *w)
{
	size_t n = w->bucket_count == 0 ? BUCKETS_MIN : w->bucket_count * 2;
	struct box *b, **at;

	free(w->buckets);
	w->buckets = mem_zalloc(n, sizeof(struct box *));
	w->bucket_count = n;
	for (b = w->boxes; b != NULL; b = b->next) {
		at = bucket(w, b->rec.id);
		b->beside = *at;
		*at = b;
	}
}

void
boxes_add(struct work *w, struct box *b)
{
	struct box **at;

	if (w->box_count++ == w->bucket_count)
		grow(w);
	at = bucket(w, b->rec.id);
	b->beside = *at;
	*at = b;
	b->next = w->boxes;
	w->boxes = b;
}

struct box *
boxes_find(const struct work *w, uint32_t id)
{
	struct box *b;

	if (w->bucket_count == 0)
		return NULL;
	for (b = *bucket(w, id); b != NULL; b = b->beside) {
		if (b->rec.id == id && !b->gone)
			return b;
	}
	return NULL;
}

void
boxes_free(struct work *w)
{
	struct box *b, *next;

	for (b = w->boxes; b != NULL; b = next) {
		next = b->next;
		free(b->keywords);
		free(b);
	}
	free(w->buckets);
	w->boxes = NULL;
	w->buckets = NULL;
	w->box_count = w->bucket_count = 0;
}
