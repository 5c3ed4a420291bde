/* Filters of byte sequences; see gram.h. */
#include "gram/internal.h"

#include <stdlib.h>
#include <string.h>

/* Windows whose hashes are found together. */
#define CHUNK 256
/* Bits that are remembered one by one: as long as there are no more, all work
 * is with them, and none with all that could be set. */
#define FEW 4096

/* The hashes of the sequences that begin at p and the next CHUNK - 1 bytes. */
typedef void hash_chunk_fn(const unsigned char *p, uint32_t *restrict hash);

struct gram_set {
	hash_chunk_fn *hash_chunk;
	/* at first as of the greatest size; the filter is its beginning. Bits
	 * are set by bytes, and laid over each other by words. */
	union {
		unsigned char bits[GRAM_FILTER_MAX];
		uint64_t words[GRAM_FILTER_MAX / 8];
	};
	size_t set;		/* how many are */
	bool made;		/* a filter: cleared before the next text */
	uint32_t place[FEW + CHUNK];	/* those, if set <= FEW */
	unsigned char small[FEW];	/* their filter */
};
_Static_assert(FEW * 100 <= FEW * 8 * GRAM_DENSITY, "no room for the filter");

static void
clear(struct gram_set *g)
{
	memset(g->bits, 0, sizeof(g->bits));
	g->set = 0;
	g->made = false;
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

/* A loop whose length is known is made one of vectors. */
static inline void
hash_all(const unsigned char *p, uint32_t *restrict hash)
{
	size_t i;

	for (i = 0; i < CHUNK; i++)
		hash[i] = mix((uint32_t)p[i] << 24 | (uint32_t)p[i + 1] << 16 |
		    (uint32_t)p[i + 2] << 8 | p[i + 3]);
}

static void
hash_chunk(const unsigned char *p, uint32_t *restrict hash)
{
	hash_all(p, hash);
}

#if defined(__x86_64__)
/* The processors of the last ten years take half the time. */
__attribute__((target("avx2"))) static void
hash_chunk_avx2(const unsigned char *p, uint32_t *restrict hash)
{
	hash_all(p, hash);
}

bool
gram_has_vectors(void)
{
	return __builtin_cpu_supports("avx2");
}
#define HASH_CHUNK_VECTORS hash_chunk_avx2
#else
bool
gram_has_vectors(void)
{
	return false;
}
#define HASH_CHUNK_VECTORS hash_chunk
#endif

struct gram_set *
gram_set_new_as(bool vectors)
{
	struct gram_set *g = mem_alloc(sizeof(*g));

	g->hash_chunk = vectors ? HASH_CHUNK_VECTORS : hash_chunk;
	clear(g);	/* what else it has is written before it is read */
	return g;
}

struct gram_set *
gram_set_new(void)
{
	return gram_set_new_as(gram_has_vectors());
}

/* The hashes of the sequences that begin at p and the next n - 1 bytes. */
static void
hash_windows(const struct gram_set *g, const unsigned char *p, size_t n,
    uint32_t *restrict hash)
{
	size_t i;

	if (n == CHUNK) {
		g->hash_chunk(p, hash);
		return;
	}
	for (i = 0; i < n; i++)
		hash[i] = mix(be32_get(p + i));
}

/* Those of the characters of three bytes that begin there; how many. */
static size_t
hash_characters(const unsigned char *p, size_t n,
    uint32_t *restrict hash)
{
	size_t i, count = 0;

	for (i = 0; i < n; i++) {
		if ((p[i] & 0xf0) == 0xe0)
			hash[count++] = character_hash((uint32_t)p[i] << 16 |
			    (uint32_t)p[i + 1] << 8 | p[i + 2]);
	}
	return count;
}

/* How many of these were not set; the places of those are noted. */
static inline size_t
set_bits(unsigned char *bits, const uint32_t *hash, size_t n, uint32_t *place)
{
	size_t set = 0, i;

	for (i = 0; i < n; i++) {
		uint32_t h = hash[i] % (GRAM_FILTER_MAX * 8);
		unsigned int bit = 1U << h % 8, was = bits[h / 8];

		bits[h / 8] = (unsigned char)(was | bit);
		if (place != NULL)
			place[set] = h;
		set += (was & bit) == 0;
	}
	return set;
}

static void
add(struct gram_set *g, const uint32_t *hash, size_t n)
{
	if (g->set <= FEW)
		g->set += set_bits(g->bits, hash, n, g->place + g->set);
	else
		g->set += set_bits(g->bits, hash, n, NULL);
}

void
gram_set_add(struct gram_set *g, struct bytes text)
{
	uint32_t hash[CHUNK];
	const unsigned char *p;
	size_t i, n;

	if (g->made)
		clear(g);
	for (i = 0; i + 3 <= text.n; i += n) {
		p = text.p + i;
		n = text.n - 2 - i < CHUNK ? text.n - 2 - i : CHUNK;
		if (!bytes_is_ascii(bytes_of(p, n)))
			add(g, hash, hash_characters(p, n, hash));
		/* at the last place there are three bytes, not four */
		hash_windows(g, p, i + n + 2 == text.n ? n - 1 : n, hash);
		add(g, hash, i + n + 2 == text.n ? n - 1 : n);
	}
}

/* The remembered bits alone, and none is set after it. */
static struct bytes
small_filter(struct gram_set *g, size_t n)
{
	size_t i;
	uint32_t h;

	memset(g->small, 0, n);
	for (i = 0; i < g->set; i++) {
		h = g->place[i];
		g->bits[h / 8] = 0;
		h %= n * 8;
		g->small[h / 8] |= (unsigned char)(1U << h % 8);
	}
	g->set = 0;
	return bytes_of(g->small, n);
}

struct bytes
gram_set_filter(struct gram_set *g)
{
	size_t n = GRAM_FILTER_MIN, at, i;

	if (g->made || g->set == 0)
		return BYTES_EMPTY;
	while (n < GRAM_FILTER_MAX && g->set * 100 > n * 8 * GRAM_DENSITY)
		n *= 2;
	if (g->set <= FEW)
		return small_filter(g, n);
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
