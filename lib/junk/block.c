/*
 * block.c - the plain words of a text, 64 bytes at a time
 *
 * Most words are ASCII letters and digits alone, between bytes that end any
 * word. Of 64 bytes these are runs of bits: each word is found, hashed and
 * put in the same steps whatever it is, since a jump that the processor cannot
 * foresee costs as much as all of them. Other words are left to token.c.
 */
#include "junk/internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "base/eight.h"

#define BLOCK 64
/* Bytes that are read from the front of a word on. */
#define SHORT JUNK_SHORT
/* Words of a block and bytes of them, at most; SHORT are written of each. */
#define BLOCK_WORDS (BLOCK / 2)
#define BLOCK_TEXT (BLOCK + SHORT)
/* Where few words are plain, it is looked for others not before as many bytes
 * again, and these at most. */
#define OTHERS_MAX (8 * BLOCK)
/* A text has a new word in about so many bytes, if it is a long letter. */
#define GUESS_BYTES 16

#define VECTORS __attribute__((target("avx2,bmi,bmi2,popcnt")))

/* ---- what bytes are ---- */

/* Classes of a byte, by the high half of it, each of some low halves. */
enum {
	ODD_2 = 1,	/* ! $ % ' */
	ODD_3 = 2,	/* : ? */
	LETTER_4 = 4,	/* "@" to "O", "`" to "o" */
	LETTER_5 = 8,	/* "P" to "_", "p" on */
	HARD_4 = 16,	/* as in token.c */
	HARD_5 = 32,
	HARD_3 = 64,
	DIGIT_3 = 128,
};

#define O2 ODD_2
#define O3 ODD_3
#define A LETTER_4
#define P LETTER_5
#define B HARD_4
#define R HARD_5
#define H HARD_3
#define D DIGIT_3
static const unsigned char low_half[16] = {
	D | P | R,			/*   0   P */
	D | A | P | R | O2,		/* ! 1 A Q */
	D | H | A | P | B | R,		/*   2 B R */
	D | H | A | P | B | R,		/*   3 C S */
	D | H | A | P | B | R | O2,	/* $ 4 D T */
	D | H | A | P | O2,		/* % 5 E U */
	D | H | A | P | B | R,		/*   6 F V */
	D | H | A | P | B | R | O2,	/* ' 7 G W */
	D | H | A | P | B | R,		/*   8 H X */
	D | H | A | P,			/*   9 I Y */
	A | P | B | R | O3,		/*   : J Z */
	A | B, A | B, A | B, A | B,	/* K L M N */
	A | O3,				/*   ? O */
};
#undef O2
#undef O3
#undef A
#undef P
#undef B
#undef R
#undef H
#undef D
static const unsigned char high_half[16] = {
	[2] = ODD_2, [3] = ODD_3 | HARD_3 | DIGIT_3,
	[4] = LETTER_4 | HARD_4, [5] = LETTER_5 | HARD_5,
	[6] = LETTER_4 | HARD_4, [7] = LETTER_5 | HARD_5,
};

/* A bit for each byte that is one. */
struct masks {
	uint64_t letter, digit, hard;
	uint64_t odd;	/* may be in a word, or end one otherwise */
	uint64_t lower;	/* of letters, those that are; of digits, all */
};

/* Which of 32 bytes have any of some classes. */
VECTORS static inline uint64_t
any_of(__m256i class, int which)
{
	__m256i none = _mm256_cmpeq_epi8(_mm256_and_si256(class,
	    _mm256_set1_epi8((char)which)), _mm256_setzero_si256());

	return (uint32_t)~_mm256_movemask_epi8(none);
}

VECTORS static inline __m256i
twice(const unsigned char half[16])
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128(
	    (const __m128i *)(const void *)half));
}

VECTORS static inline struct masks
read_half(const unsigned char *p)
{
	const __m256i four = _mm256_set1_epi8(0x0f);
	__m256i x = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i low = _mm256_and_si256(x, four);
	__m256i high = _mm256_and_si256(_mm256_srli_epi16(x, 4), four);
	__m256i class = _mm256_and_si256(
	    _mm256_shuffle_epi8(twice(low_half), low),
	    _mm256_shuffle_epi8(twice(high_half), high));

	return (struct masks){
	    .letter = any_of(class, LETTER_4 | LETTER_5),
	    .digit = any_of(class, DIGIT_3),
	    .hard = any_of(class, HARD_3 | HARD_4 | HARD_5),
	    .odd = any_of(class, ODD_2 | ODD_3) |
	        (uint32_t)_mm256_movemask_epi8(x),
	    /* the bit that 0x20 is, at the top */
	    .lower = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(x, 2)),
	};
}

VECTORS static inline struct masks
read_masks(const unsigned char *p)
{
	struct masks a = read_half(p), b = read_half(p + BLOCK / 2);

	return (struct masks){ a.letter | b.letter << BLOCK / 2,
	    a.digit | b.digit << BLOCK / 2, a.hard | b.hard << BLOCK / 2,
	    a.odd | b.odd << BLOCK / 2, a.lower | b.lower << BLOCK / 2 };
}

/* The first bits of runs of more than SHORT. */
static inline uint64_t
longer_than_short(uint64_t run)
{
	uint64_t two = run & run >> 1, four = two & two >> 2;
	uint64_t eight = four & four >> 4;

	return eight & eight >> 8 & run >> SHORT;
}

static inline size_t
count(uint64_t bits)
{
	return (size_t)__builtin_popcountll(bits);
}

/*
 * The words of a block from its front on: is_random, is_number of token.c.
 * False: it has too few that are plain.
 */
VECTORS static bool
read_block(struct junk_block *b, const unsigned char *p)
{
	struct masks m = read_masks(p);
	uint64_t word = m.letter | m.digit, run = word | m.odd, six, four;
	uint64_t three, first, upper, shouted;

	/* Of one letter: none, unless it goes on behind the block. */
	run &= ~(word & ~(run << 1) & ~(run >> 1 | UINT64_C(1) << 63));
	first = run & ~(run << 1);
	upper = m.letter & ~m.lower;
	shouted = first & upper & upper >> 1 & upper >> 2;
	if (2 * count((m.odd & ~(m.odd << 1)) | shouted) > count(first))
		return false;
	six = m.hard & m.hard >> 1;
	six &= six >> 2 & six >> 4;
	three = m.digit & m.digit >> 1;
	four = three & three >> 2;
	three &= m.digit >> 2;
	*b = (struct junk_block){ .p = p, .run = run, .letter = m.letter,
	    .lower = m.lower, .odd = m.odd, .dropped = six | four,
	    .three = three,
	    .rare = m.odd | six | four | three | shouted |
	        (first & m.digit) | longer_than_short(run) };
	return true;
}

/* ---- words ---- */

/* What is written to while a block is read. */
struct place {
	struct junk_word *word;
	uint32_t *slot;
	size_t slot_mask, n;
	unsigned char *text;
	size_t text_n, keep;	/* all bits: texts are kept; else 0 */
};

/* False: there is no room for all that a block may have. */
static inline bool
begin(struct place *at, struct junk_words *w)
{
	if (w->n + BLOCK_WORDS > JUNK_WORDS_MAX ||
	    buf_room(&w->text, BLOCK_TEXT) == -1)
		return false;
	junk_words_room(w, w->n + BLOCK_WORDS);
	*at = (struct place){ w->word, w->slot, w->slots - 1, w->n,
	    w->text.p, w->text.n, w->keep_text ? SIZE_MAX : 0 };
	return true;
}

/* So that memory is not asked for again and again. */
static void
expect_words(struct junk_words *w, size_t n)
{
	if (n > JUNK_WORDS_MAX - w->n)
		n = JUNK_WORDS_MAX - w->n;
	junk_words_room(w, w->n + n);
}

static inline void
leave(struct junk_words *w, const struct place *at)
{
	w->n = at->n;
	w->text.n = at->text_n;
}

/* Eight in lower case, of which n count. */
VECTORS static inline uint64_t
first_bytes(const unsigned char *p, size_t n)
{
	return _bzhi_u64(eight_get(p) | EIGHT(0x20U), (unsigned int)(8 * n));
}

/*
 * Of SHORT bytes at most. Whether a word is new cannot be foreseen, so all is
 * done as if it were, and what is written of a known one is written over.
 */
VECTORS static inline void
put_short(struct place *at, const unsigned char *p, size_t n)
{
	const uint64_t x[2] = { first_bytes(p, n),
	    first_bytes(p + 8, n > 8 ? n - 8 : 0) };
	uint64_t hash = junk_hash_short(JUNK_NO_PREFIX ^
	    (n * JUNK_ODD_LENGTH), x, n), known;
	uint32_t slot, want = junk_slot_of(hash, 0);
	size_t i = hash & at->slot_mask;

	at->word[at->n] = (struct junk_word){ hash, (uint32_t)at->text_n,
	    (uint16_t)(n & at->keep), false };
	for (;; i = (i + 1) & at->slot_mask) {
		slot = at->slot[i];
		/* neither free nor of these bits of a hash */
		if ((uint64_t)slot * ((slot ^ want) >> 16) != 0)
			continue;
		known = 0 - (uint64_t)(slot != 0);
		/* of none, any word */
		if (((at->word[(slot & JUNK_SLOT_NUMBER) + known].hash ^ hash)
		    & known) == 0)
			break;
	}
	at->slot[i] = slot | (junk_slot_of(hash, at->n + 1) &
	    (uint32_t)~known);
	at->n += 1 + known;
	memcpy(at->text + at->text_n, &x[0], 8);
	memcpy(at->text + at->text_n + 8, &x[1], 8);
	at->text_n += n & at->keep & ~known;
}

/* One in capitals is also shouted. */
static void
put_other(struct junk_words *w, const struct junk_prefix *shout,
    const unsigned char *p, size_t n)
{
	const struct junk_prefix none = junk_prefix_of(BYTES_EMPTY);
	unsigned char word[JUNK_WORD_MAX + JUNK_PAD];
	size_t i;

	for (i = 0; i < n; i += 8)
		eight_put(word + i, eight_get(p + i) | EIGHT(0x20U));
	junk_words_put_padded(w, &none, word, n);
	if (shout != NULL)
		junk_words_put_padded(w, shout, word, n);
}

/* ---- blocks ---- */

bool
junk_has_blocks(void)
{
	return __builtin_cpu_supports("avx2") &&
	    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
	    __builtin_cpu_supports("popcnt");
}

enum kind { NO_MORE, PLAIN, DROPPED, LONG, SHOUTED, ODD };

/* Of a run that has a bit of b->rare. */
static enum kind
kind_of(const struct junk_block *b, uint64_t run, size_t n)
{
	if ((run & b->odd) != 0)
		return ODD;
	if ((run & b->dropped) != 0 || (run & b->letter) == 0 ||
	    n > JUNK_WORD_MAX)
		return DROPPED;
	if ((run & b->three) != 0)
		return ODD;
	if ((run & b->lower) == 0 && n >= JUNK_SHOUT_MIN)
		return SHOUTED;
	return n > SHORT ? LONG : PLAIN;
}

/* Put the plain words that are left, up to another one, and where that is. */
VECTORS static enum kind
put_words(struct place *place, struct junk_block *b, size_t *front,
    size_t *end)
{
	struct place at = *place;
	uint64_t left = b->run, rare = b->rare, run, sum;
	enum kind kind = NO_MORE;
	size_t from, n;

	/* The carry of a sum goes through the first run, and out of the block
	 * if that does not end in it. */
	while ((sum = left + (left & (0 - left))) != 0) {
		run = left & ~sum;
		from = (size_t)__builtin_ctzll(left);
		n = (size_t)__builtin_ctzll(sum) - from;
		left &= sum;
		if ((run & rare) != 0) {
			kind = kind_of(b, run, n);
			if (kind > DROPPED) {
				*front = from;
				*end = from + n;
				break;
			}
			if (kind == DROPPED)
				continue;
		}
		put_short(&at, b->p + from, n);
	}
	*place = at;
	b->run = left;
	return sum == 0 ? NO_MORE : kind;
}

/* False: none, so many bytes from the front of the text on are to be read
 * otherwise. */
static bool
next_block(struct junk_block *b, struct bytes text, size_t *others)
{
	*others = text.n;
	if (text.n < BLOCK + SHORT)
		return false;
	if (read_block(b, text.p)) {
		*others = 0;
		return true;
	}
	b->others = b->others == 0 ? BLOCK : b->others < OTHERS_MAX
	    ? 2 * b->others : OTHERS_MAX;
	if (b->others < text.n)
		*others = b->others;
	return false;
}

/* No word that ends in the block is left: from where the next one is read, or
 * the bytes of a word that goes on behind the block. */
static size_t
end_block(struct junk_block *b, size_t *next)
{
	*next = b->run == 0 ? BLOCK : (size_t)__builtin_ctzll(b->run);
	b->run = 0;
	return *next == 0 ? BLOCK : 0;
}

VECTORS size_t
junk_block_words(struct junk_words *w, const struct junk_prefix *shout,
    struct junk_block *b, struct bytes *text)
{
	const unsigned char *end = text->p + text->n;
	size_t front, next, odd = 0;
	struct place at;
	enum kind kind;

	if (b->p == NULL)
		expect_words(w, text->n / GUESS_BYTES);
	while (odd == 0 && text->n > 0 && begin(&at, w)) {
		if ((b->p == NULL || b->run == 0) &&
		    !next_block(b, *text, &odd))
			break;
		kind = put_words(&at, b, &front, &next);
		leave(w, &at);
		if (kind == NO_MORE) {
			odd = end_block(b, &next);
		} else if (kind == ODD) {
			odd = next - front;
			next = front;
		} else {
			put_other(w, kind == SHOUTED ? shout : NULL,
			    b->p + front, next - front);
		}
		*text = bytes_of(b->p + next, (size_t)(end - b->p) - next);
	}
	return odd;
}

#else

bool
junk_has_blocks(void)
{
	return false;
}

size_t
junk_block_words(struct junk_words *w, const struct junk_prefix *shout,
    struct junk_block *b, struct bytes *text)
{
	(void)w;
	(void)shout;
	(void)b;
	(void)text;
	return 0;
}

#endif
