/* Filters of byte sequences; see gram.h. */
#include "gram/internal.h"

#include <stdlib.h>
#include <string.h>

/* Windows whose hashes are found together; of less than so many one by one. */
#define CHUNK 256
#define CHUNK_MIN 64
#define WORD_BITS 32
#define WORDS (GRAM_FILTER_MAX * 8 / WORD_BITS)

/* A chunk of a text, filled up by zeros. */
struct chunk {
	unsigned char p[CHUNK + GRAM_BYTES - 1];
	size_t n;		/* windows that begin in it, <= CHUNK */
};

struct gram_set;
/* What is done by vectors where there are any. */
struct way {
	/* Set the bits of those that are of the text. */
	void (*set)(struct gram_set *g, const struct chunk *c);
	size_t (*count)(const struct gram_set *g);
};

struct gram_set {
	const struct way *way;
	/* at first as of the greatest size; the filter is its beginning. Bits
	 * are set by bytes or, where the first byte of a word is its lowest,
	 * by words; they are laid over each other by long words. */
	union {
		unsigned char bits[GRAM_FILTER_MAX];
		uint32_t words[WORDS];
		uint64_t longs[GRAM_FILTER_MAX / 8];
	};
	bool made;	/* a filter: the bits are cleared before the next one */
};

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

static inline uint32_t
place_of(uint32_t hash)
{
	return hash % (uint32_t)(GRAM_FILTER_MAX * 8);
}

/* A loop whose length is known is made one of vectors. */
static inline void
hash_all(const struct chunk *c, uint32_t *restrict hash)
{
	const unsigned char *p = c->p;
	size_t i;

	for (i = 0; i < CHUNK; i++)
		hash[i] = mix((uint32_t)p[i] << 24 | (uint32_t)p[i + 1] << 16 |
		    (uint32_t)p[i + 2] << 8 | p[i + 3]);
}

static inline size_t
count_all(const struct gram_set *g)
{
	size_t n = 0, i;

	for (i = 0; i < GRAM_FILTER_MAX / 8; i++)
		n += (size_t)__builtin_popcountll(g->longs[i]);
	return n;
}

static void
set_bits(struct gram_set *g, const uint32_t *hash, size_t n)
{
	uint32_t h;
	size_t i;

	for (i = 0; i < n; i++) {
		h = place_of(hash[i]);
		g->bits[h / 8] |= (unsigned char)(1U << h % 8);
	}
}

static void
set_plain(struct gram_set *g, const struct chunk *c)
{
	uint32_t hash[CHUNK];

	hash_all(c, hash);
	set_bits(g, hash, c->n);
}

static size_t
count_plain(const struct gram_set *g)
{
	return count_all(g);
}

static const struct way plain = { set_plain, count_plain };

#if defined(__x86_64__)
/* The word of each window and the bit in it, also by vectors: the processors
 * of the last ten years take half the time. */
__attribute__((target("avx2"))) static void
set_avx2(struct gram_set *g, const struct chunk *c)
{
	uint32_t hash[CHUNK], at[CHUNK], bit[CHUNK];
	size_t i;

	hash_all(c, hash);
	for (i = 0; i < CHUNK; i++) {
		at[i] = place_of(hash[i]) / WORD_BITS;
		bit[i] = 1U << hash[i] % WORD_BITS;
	}
	for (i = 0; i < c->n; i++)
		g->words[at[i]] |= bit[i];
}

__attribute__((target("avx2,popcnt"))) static size_t
count_avx2(const struct gram_set *g)
{
	return count_all(g);
}

static const struct way vectors = { set_avx2, count_avx2 };

bool
gram_has_vectors(void)
{
	return __builtin_cpu_supports("avx2") &&
	    __builtin_cpu_supports("popcnt");
}
#define WAY_VECTORS vectors
#else
bool
gram_has_vectors(void)
{
	return false;
}
#define WAY_VECTORS plain
#endif

struct gram_set *
gram_set_new_as(bool by_vectors)
{
	struct gram_set *g = mem_alloc(sizeof(*g));

	g->way = by_vectors ? &WAY_VECTORS : &plain;
	g->made = true;		/* of nothing */
	return g;
}

struct gram_set *
gram_set_new(void)
{
	return gram_set_new_as(gram_has_vectors());
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

static void
add_characters(struct gram_set *g, const unsigned char *p, size_t n)
{
	uint32_t hash[CHUNK];

	set_bits(g, hash, hash_characters(p, n, hash));
}

static void
add_chunk(struct gram_set *g, const struct chunk *c)
{
	uint32_t hash[CHUNK_MIN];
	size_t i;

	if (c->n >= CHUNK_MIN) {
		g->way->set(g, c);
		return;
	}
	for (i = 0; i < c->n; i++)
		hash[i] = mix(be32_get(c->p + i));
	set_bits(g, hash, c->n);
}

static void
begin(struct gram_set *g)
{
	if (g->made)
		memset(g->bits, 0, sizeof(g->bits));
	g->made = false;
}

static inline void
add_text(struct gram_set *g, struct bytes text, bool ascii)
{
	struct bytes piece;
	struct chunk c;
	size_t i, n;
	bool last;

	begin(g);
	for (i = 0; i + 3 <= text.n; i += n) {
		n = text.n - 2 - i < CHUNK ? text.n - 2 - i : CHUNK;
		/* at the last place there are three bytes, not four */
		last = i + n + 2 == text.n;
		c.n = last ? n - 1 : n;
		piece = bytes_of(text.p + i, last ? n + 2 : n + 3);
		if (ascii)
			bytes_lower(c.p, piece);
		else
			memcpy(c.p, piece.p, piece.n);
		memset(c.p + piece.n, 0, sizeof(c.p) - piece.n);
		if (!ascii && !bytes_is_ascii(piece))
			add_characters(g, piece.p, n);
		add_chunk(g, &c);
	}
}

void
gram_set_add(struct gram_set *g, struct bytes text)
{
	add_text(g, text, false);
}

void
gram_set_add_ascii(struct gram_set *g, struct bytes text)
{
	add_text(g, text, true);
}

/* All that were set, laid over each other. */
static struct bytes
folded_filter(struct gram_set *g, size_t n)
{
	size_t at, i;

	for (at = n / 8; at < GRAM_FILTER_MAX / 8; at += n / 8) {
		for (i = 0; i < n / 8; i++)
			g->longs[i] |= g->longs[at + i];
	}
	return bytes_of(g->bits, n);
}

struct bytes
gram_set_filter(struct gram_set *g)
{
	size_t n = GRAM_FILTER_MIN, set;

	if (g->made)
		return BYTES_EMPTY;
	g->made = true;
	set = g->way->count(g);
	if (set == 0)
		return BYTES_EMPTY;
	while (n < GRAM_FILTER_MAX && set * 100 > n * 8 * GRAM_DENSITY)
		n *= 2;
	return folded_filter(g, n);
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
	    filter.n > GRAM_FILTER_READ_MAX)
		return true;
	for (i = 0; i < q->n; i++) {
		h = q->hash[i] & (uint32_t)(filter.n * 8 - 1);
		if ((filter.p[h / 8] >> h % 8 & 1) == 0)
			return false;
	}
	return true;
}
