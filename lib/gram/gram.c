/* Filters of byte sequences; see gram.h. */
#include "gram/internal.h"

#include <stdlib.h>
#include <string.h>

/* Windows whose hashes are found together; of less than so many one by one. */
#define CHUNK 256
#define CHUNK_MIN 64
/* Hashes that are noted one after the other. Only of more the bits are set
 * among all that could be: those are more memory than is in the processor's
 * cache when the next message comes. */
#define FEW 8192
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
	/* The hashes of CHUNK windows. */
	void (*hash)(const struct chunk *c, uint32_t *restrict hash);
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
	bool many;		/* noted are none, bits are set */
	size_t n;		/* that are noted */
	uint32_t noted[FEW + CHUNK];
	uint16_t sorted[FEW];	/* places within their parts */
	unsigned char small[FEW];	/* their filter */
};
_Static_assert(FEW * 100 <= FEW * 8 * GRAM_DENSITY, "no room for the filter");
_Static_assert(FEW <= UINT16_MAX, "counters of notes");

/* Parts of all places, each small enough to be looked at in a set of bits. */
#define PART_BITS 4096
#define PARTS (GRAM_FILTER_MAX * 8 / PART_BITS)

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
hash_plain(const struct chunk *c, uint32_t *restrict hash)
{
	hash_all(c, hash);
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

static const struct way plain = { hash_plain, set_plain, count_plain };

#if defined(__x86_64__)
/* The processors of the last ten years take half the time. */
__attribute__((target("avx2"))) static void
hash_avx2(const struct chunk *c, uint32_t *restrict hash)
{
	hash_all(c, hash);
}

/* The word of each window and the bit in it, also by vectors. */
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

static const struct way vectors = { hash_avx2, set_avx2, count_avx2 };

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
	g->many = false;
	g->n = 0;	/* what else it has is written before it is read */
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

/* From now on bits are set. */
static void
begin_many(struct gram_set *g)
{
	memset(g->bits, 0, sizeof(g->bits));
	set_bits(g, g->noted, g->n);
	g->n = 0;
	g->many = true;
}

static void
add_characters(struct gram_set *g, const unsigned char *p, size_t n)
{
	uint32_t hash[CHUNK];

	if (g->many)
		set_bits(g, hash, hash_characters(p, n, hash));
	else
		g->n += hash_characters(p, n, g->noted + g->n);
	if (g->n > FEW)
		begin_many(g);
}

static void
add_chunk(struct gram_set *g, const struct chunk *c)
{
	uint32_t *noted = g->noted + g->n;
	size_t i;

	if (g->many) {
		g->way->set(g, c);
		return;
	}
	if (c->n >= CHUNK_MIN)
		g->way->hash(c, noted);
	for (i = 0; i < c->n && c->n < CHUNK_MIN; i++)
		noted[i] = mix(be32_get(c->p + i));
	g->n += c->n;
	if (g->n > FEW)
		begin_many(g);
}

static inline void
add_text(struct gram_set *g, struct bytes text, bool ascii)
{
	struct bytes piece;
	struct chunk c;
	size_t i, n;
	bool last;

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

/* Put the notes of each part together; end has where the part ends. */
static void
sort_notes(struct gram_set *g, uint16_t end[PARTS])
{
	size_t i, sum = 0, n;

	memset(end, 0, PARTS * sizeof(end[0]));
	for (i = 0; i < g->n; i++)
		end[place_of(g->noted[i]) / PART_BITS]++;
	for (i = 0; i < PARTS; i++) {
		n = end[i];
		end[i] = (uint16_t)sum;
		sum += n;
	}
	for (i = 0; i < g->n; i++) {
		uint32_t h = place_of(g->noted[i]);

		g->sorted[end[h / PART_BITS]++] = (uint16_t)(h % PART_BITS);
	}
}

/* How many different places are noted. */
static size_t
count_notes(struct gram_set *g)
{
	uint64_t seen[PART_BITS / 64], bit;
	uint16_t end[PARTS];
	size_t i = 0, part, count = 0;

	sort_notes(g, end);
	for (part = 0; part < PARTS; part++) {
		memset(seen, 0, sizeof(seen));
		for (; i < end[part]; i++) {
			bit = (uint64_t)1 << g->sorted[i] % 64;
			count += (seen[g->sorted[i] / 64] & bit) == 0;
			seen[g->sorted[i] / 64] |= bit;
		}
	}
	return count;
}

static struct bytes
small_filter(struct gram_set *g, size_t n)
{
	size_t i;
	uint32_t h;

	memset(g->small, 0, n);
	for (i = 0; i < g->n; i++) {
		h = g->noted[i] % (uint32_t)(n * 8);
		g->small[h / 8] |= (unsigned char)(1U << h % 8);
	}
	g->n = 0;
	return bytes_of(g->small, n);
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
	g->many = false;
	return bytes_of(g->bits, n);
}

struct bytes
gram_set_filter(struct gram_set *g)
{
	size_t n = GRAM_FILTER_MIN, set;

	if (!g->many && g->n == 0)
		return BYTES_EMPTY;
	set = g->many ? g->way->count(g) : count_notes(g);
	while (n < GRAM_FILTER_MAX && set * 100 > n * 8 * GRAM_DENSITY)
		n *= 2;
	return g->many ? folded_filter(g, n) : small_filter(g, n);
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
