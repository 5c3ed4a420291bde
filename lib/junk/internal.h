/*
 * internal.h - shared by the files of lib/junk only
 */
#ifndef JUNK_INTERNAL_H
#define JUNK_INTERNAL_H

#include "junk/junk.h"

/* The key of the number of messages: one byte, no word has such a one. */
#define JUNK_TOTALS BYTES("-")

struct junk_entry {
	uint64_t hash;		/* 0: a free slot */
	int32_t count[2];	/* by enum junk_class */
};

/* Open addressing with hash as key; of a power of 2 slots. */
struct junk_map {
	struct junk_entry *slot;
	size_t size, n;
};
void junk_map_init(struct junk_map *m, size_t size);
void junk_map_free(struct junk_map *m);
/* The entry of a hash, made with counts of 0 if it is not there. */
struct junk_entry *junk_map_at(struct junk_map *m, uint64_t hash);
/* The entry, or NULL. */
const struct junk_entry *junk_map_find(const struct junk_map *m,
    uint64_t hash);

/* Ask for the memory of an entry that is looked for so many later. */
#define JUNK_MAP_AHEAD 16
static inline void
junk_map_fetch(const struct junk_map *m, uint64_t hash)
{
	__builtin_prefetch(&m->slot[hash & (m->size - 1)]);
}

/* A word's hash, never 0; seed is that of its prefix. */
uint64_t junk_hash(uint64_t seed, const unsigned char *p, size_t n);
/* The numbers it is made with; the last one is the seed of no prefix. */
#define JUNK_ODD_LENGTH UINT64_C(0x9e3779b97f4a7c15)
#define JUNK_ODD_EIGHT UINT64_C(0xd6e8feb86659fd93)
#define JUNK_ODD_END UINT64_C(0xa0761d6478bd642f)
#define JUNK_NO_PREFIX JUNK_ODD_END

static inline uint64_t
junk_fold(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 r = (unsigned __int128)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

/* Words of so many bytes at most are hashed without a jump. */
#define JUNK_SHORT 16

/* Of eight bytes as they lie in memory, the first n >= 1, and 0. */
static inline uint64_t
junk_first_of(uint64_t x, size_t n)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return x & UINT64_MAX << (-8 * n & 63);
#else
	return x & UINT64_MAX >> (-8 * n & 63);
#endif
}

/* The end of junk_hash: h was made of all but the last n >= 1 bytes, which are
 * x, with 0 behind them. */
static inline uint64_t
junk_hash_short(uint64_t h, const uint64_t x[2], size_t n)
{
	uint64_t one = junk_fold(h ^ x[0], JUNK_ODD_EIGHT);
	uint64_t two = junk_fold(one ^ x[1], JUNK_ODD_EIGHT);

	h = one ^ ((one ^ two) & (0 - (uint64_t)(n > 8)));
	h = junk_fold(h, JUNK_ODD_END);
	return h + (h < 1);
}

/*
 * A slot of a set holds the number of a word, from 1 on, below the first bits
 * of its hash, so that others are told from it without looking at them; 0 is a
 * free one. The last bits of the hash say which slot it is, or the next free
 * one.
 */
#define JUNK_SLOT_NUMBER 0xffffu
_Static_assert(JUNK_WORDS_MAX < JUNK_SLOT_NUMBER, "numbers of words fit");

static inline uint32_t
junk_slot_of(uint64_t hash, size_t number)
{
	return (uint32_t)(hash >> 32 & ~(uint64_t)JUNK_SLOT_NUMBER) |
	    (uint32_t)number;
}

/* What the words of a text are called: "subject:". */
struct junk_prefix {
	struct bytes text;
	uint64_t seed;
	bool is_head;		/* of the header's words: struct junk_word */
};
struct junk_prefix junk_prefix_of(struct bytes text);
struct junk_prefix junk_prefix_head(struct bytes text);

/* Add one word as it stands, if it is not there. */
void junk_words_put(struct junk_words *w, const struct junk_prefix *prefix,
    struct bytes word);
/* The same faster, of n >= 1 bytes with JUNK_PAD more that may be read. */
#define JUNK_PAD JUNK_SHORT
void junk_words_put_padded(struct junk_words *w,
    const struct junk_prefix *prefix, const unsigned char *p, size_t n);
void junk_words_clear(struct junk_words *w);
/* Memory for n words in all. */
void junk_words_room(struct junk_words *w, size_t n);
/* The words of a text; with traits also what is shouted, sums, hosts. */
void junk_read_text(struct junk_words *w, const struct junk_prefix *prefix,
    struct bytes text, bool traits);
/* The same, with junk_block_words where it can be done, or without. */
void junk_read_text_as(struct junk_words *w, const struct junk_prefix *prefix,
    struct bytes text, bool traits, bool blocks);
/* Capitals of a word that is shouted, at least. */
#define JUNK_SHOUT_MIN 3
/* The words of 64 bytes that are not read yet; all 0: of none. Of each byte a
 * bit in: */
struct junk_block {
	const unsigned char *p;
	size_t others;		/* so many bytes had few plain words */
	uint64_t run, letter, lower;	/* of words; and of digits in lower */
	uint64_t odd;		/* in a word, that may end it or be in it */
	uint64_t dropped;	/* random, or a number */
	uint64_t three;		/* three digits in a row */
	uint64_t rare;		/* any of these, or of words that are long, in
				 * capitals or begin with a digit */
};
/* Whether this processor can do what follows. */
bool junk_has_blocks(void);
/*
 * Put plain words from the front of a text on, which is between two words, up
 * to one that is read otherwise: it is in front then. How many bytes are to be
 * read, and on to its end if that is behind them; 0: all.
 * Of a set with no grams, without a prefix. shout may be NULL.
 */
size_t junk_block_words(struct junk_words *w, const struct junk_prefix *shout,
    struct junk_block *b, struct bytes *text);
/* A trait: in lower case, cut at JUNK_TRAIT_MAX. */
void junk_put_trait(struct junk_words *w, const char *prefix,
    struct bytes s);
/* The words of a header section. */
void junk_read_header(struct junk_words *w, struct bytes header);
/* What a header says of who wrote it, as it is written; empty: not there. */
struct junk_author {
	struct bytes id, from, reply_to, subject, content_type;
	bool has_subject;
};
void junk_read_author(struct junk_words *w, const struct junk_author *a);
/* An unended name of a type or charset is cut here. */
#define JUNK_TRAIT_MAX 60
/* Host and path of a URL, which begins after "//". */
void junk_read_url(struct junk_words *w, struct bytes url);

/* Counts of a table's value: 0, -1 EBADMSG. */
#define JUNK_VALUE 8
int junk_value_get(struct bytes value, uint32_t count[2]);
void junk_value_put(unsigned char out[JUNK_VALUE], const uint32_t count[2]);
/*
 * What a table's counts are known by: two views of one table in which all of
 * it is the same have the same counts.
 */
struct junk_state {
	uint64_t changes;	/* as the caller counts them */
	/* Of who changes counts without that: a process of another version,
	 * which then nearly always changes these. */
	int64_t words;
	uint32_t total[2];	/* messages, by enum junk_class */
};
/* Forget all if the state is another one than the last. */
void junk_cache_begin(struct junk_cache *k, const struct junk_state *state);
/* Counts of the words that are kept; how many are not, and which in
 * missing[0 .. w->n). */
size_t junk_cache_find(struct junk_cache *k, const struct junk_words *w,
    uint32_t (*count)[2], uint32_t *missing);
/* Keep one that was missing. */
void junk_cache_keep(struct junk_cache *k, uint64_t hash,
    const uint32_t count[2]);

/* The counts of each word of w, 0 of those that are not there. 0, -1. */
int junk_counts_all(struct junk_counts *c, const struct junk_words *w,
    uint32_t (*count)[2]);

#endif
