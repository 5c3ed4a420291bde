/* Filters of byte sequences; see gram.h. */
#include "gram/gram.h"

#include <stdlib.h>
#include <string.h>

struct gram_set {
	/* at first as of the greatest size; the filter is its beginning. Bits
	 * are set by bytes, and laid over each other by words. */
	union {
		unsigned char bits[GRAM_FILTER_MAX];
		uint64_t words[GRAM_FILTER_MAX / 8];
	};
	size_t set;		/* how many are */
	bool made;		/* a filter: cleared before the next text */
};

struct gram_set *
gram_set_new(void)
{
	struct gram_set *g = calloc(1, sizeof(*g));

	if (g == NULL)
		msg_die(EXIT_TEMP, "cannot allocate a filter");
	return g;
}

void
gram_set_free(struct gram_set *g)
{
	free(g);
}

/* All bits of it are good: the lowest ones are used (a filter of half the
 * size is both halves laid over each other). */
static uint32_t
mix(uint32_t h)
{
	h ^= h >> 16;
	h *= 0x7feb352dU;
	h ^= h >> 15;
	h *= 0x846ca68bU;
	return h ^ h >> 16;
}

/* Whether three bytes, the last ones of a window, can be one character. */
static bool
is_character(uint32_t window)
{
	return (window >> 16 & 0xf0) == 0xe0;
}

/* No sequence of UTF-8 begins with 0xff. */
static uint32_t
character_hash(uint32_t window)
{
	return mix(window | 0xff000000U);
}

/* 1 if it was not set. */
static size_t
set_bit(unsigned char *bits, uint32_t h)
{
	unsigned int bit = 1U << h % 8, was;

	h %= GRAM_FILTER_MAX * 8;
	was = bits[h / 8];
	bits[h / 8] = (unsigned char)(was | bit);
	return (was & bit) == 0;
}

void
gram_set_add(struct gram_set *g, struct bytes text)
{
	uint32_t window = 0;
	size_t i, set = 0;

	if (g->made) {
		memset(g->bits, 0, sizeof(g->bits));
		g->set = 0;
		g->made = false;
	}
	for (i = 0; i < text.n; i++) {
		window = window << 8 | text.p[i];
		if (i >= 2 && is_character(window))
			set += set_bit(g->bits, character_hash(window));
		if (i + 1 >= GRAM_BYTES)
			set += set_bit(g->bits, mix(window));
	}
	g->set += set;
}

struct bytes
gram_set_filter(struct gram_set *g)
{
	size_t n = GRAM_FILTER_MIN, at, i;

	if (g->made || g->set == 0)
		return BYTES_EMPTY;
	while (n < GRAM_FILTER_MAX && g->set * 100 > n * 8 * GRAM_DENSITY)
		n *= 2;
	for (at = n / 8; at < GRAM_FILTER_MAX / 8; at += n / 8) {
		for (i = 0; i < n / 8; i++)
			g->words[i] |= g->words[at + i];
	}
	g->made = true;
	return bytes_of(g->bits, n);
}

void
gram_query_make(struct gram_query *q, struct bytes word)
{
	uint32_t window = 0;
	size_t i;

	q->n = 0;
	for (i = 0; i < word.n && q->n < GRAM_QUERY_MAX; i++) {
		window = window << 8 | word.p[i];
		if (i + 1 >= GRAM_BYTES)
			q->hash[q->n++] = mix(window);
	}
	if (word.n == 3 && is_character(window))
		q->hash[q->n++] = character_hash(window);
}

bool
gram_maybe(const struct gram_query *q, struct bytes filter)
{
	size_t i;
	uint32_t h;

	if (filter.n == 0)
		return q->n == 0;
	if ((filter.n & (filter.n - 1)) != 0 || filter.n < GRAM_FILTER_MIN ||
	    filter.n > GRAM_FILTER_MAX)
		return true;
	for (i = 0; i < q->n; i++) {
		h = q->hash[i] & (uint32_t)(filter.n * 8 - 1);
		if ((filter.p[h / 8] >> h % 8 & 1) == 0)
			return false;
	}
	return true;
}
