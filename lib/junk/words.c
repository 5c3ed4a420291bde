/*
 * words.c - a set of words, by hash
 */
#include "junk/internal.h"

#include <stdlib.h>

#define SLOTS_MIN 1024
#define WORDS_MIN 1024
/* All words of a message: shorter than the text they come from. */
#define TEXT_BYTES_MAX ((size_t)JUNK_WORDS_MAX * 256)

/*
 * Who makes two words of one hash gains nothing that the second word itself
 * would not have given, so there is no secret in it.
 */
uint64_t
junk_hash(uint64_t seed, const unsigned char *p, size_t n)
{
	uint64_t h = seed ^ (n * JUNK_ODD_LENGTH), x;

	for (; n > 8; p += 8, n -= 8) {
		memcpy(&x, p, 8);
		h = junk_fold(h ^ x, JUNK_ODD_EIGHT);
	}
	x = 0;
	memcpy(&x, p, n);
	h = junk_fold(h ^ x, JUNK_ODD_EIGHT);
	h = junk_fold(h, JUNK_ODD_END);
	return h == 0 ? 1 : h;
}

/* What junk_hash makes of it. */
static inline uint64_t
hash_padded(uint64_t seed, const unsigned char *p, size_t n)
{
	uint64_t h = seed ^ (n * JUNK_ODD_LENGTH), x[2];

	for (; n > JUNK_SHORT; p += 8, n -= 8) {
		memcpy(x, p, 8);
		h = junk_fold(h ^ x[0], JUNK_ODD_EIGHT);
	}
	/* Each as it was written, which is faster than both in one. */
	memcpy(&x[0], p, 8);
	memcpy(&x[1], p + 8, 8);
	x[0] = junk_first_of(x[0], n < 8 ? n : 8);
	x[1] = junk_first_of(x[1], n);	/* of no account up to 8 */
	return junk_hash_short(h, x, n);
}

struct junk_prefix
junk_prefix_of(struct bytes text)
{
	return (struct junk_prefix){ text,
	    text.n == 0 ? JUNK_NO_PREFIX : junk_hash(JUNK_ODD_LENGTH, text.p,
	    text.n), false };
}

struct junk_prefix
junk_prefix_head(struct bytes text)
{
	struct junk_prefix p = junk_prefix_of(text);

	p.is_head = true;
	return p;
}

void
junk_words_init(struct junk_words *w, unsigned int grams, bool keep_text)
{
	*w = (struct junk_words){ .grams = grams == 0 ? 1 : grams,
	    .keep_text = keep_text, .slots = SLOTS_MIN,
	    .slots_size = SLOTS_MIN,
	    .text = BUF_INIT(TEXT_BYTES_MAX),
	    .scratch = BUF_INIT(JUNK_TEXT_MAX), .arena = ARENA_INIT };
	w->slot = mem_zalloc(w->slots, sizeof(*w->slot));
}

void
junk_words_free(struct junk_words *w)
{
	free(w->word);
	free(w->slot);
	buf_free(&w->text);
	buf_free(&w->scratch);
	arena_free(&w->arena);
}

void
junk_words_clear(struct junk_words *w)
{
	w->n = w->urls = 0;
	buf_reset(&w->text);
	/* As many as a short text needs; a long one takes more again. */
	w->slots = SLOTS_MIN;
	memset(w->slot, 0, w->slots * sizeof(*w->slot));
}

/* The slot that has the hash, or the free one that is for it. */
static inline size_t
find_slot(const struct junk_words *w, uint64_t hash)
{
	size_t i = hash & (w->slots - 1);
	uint32_t want = junk_slot_of(hash, 0), slot;

	while ((slot = w->slot[i]) != 0) {
		if ((slot & ~JUNK_SLOT_NUMBER) == want &&
		    w->word[(slot & JUNK_SLOT_NUMBER) - 1].hash == hash)
			break;
		i = (i + 1) & (w->slots - 1);
	}
	return i;
}

static void
set_slots(struct junk_words *w, size_t slots)
{
	size_t i;

	w->slots = slots;
	if (w->slots > w->slots_size) {
		free(w->slot);
		w->slot = mem_alloc(w->slots * sizeof(*w->slot));
		w->slots_size = w->slots;
	}
	memset(w->slot, 0, w->slots * sizeof(*w->slot));
	for (i = 0; i < w->n; i++)
		w->slot[find_slot(w, w->word[i].hash)] =
		    junk_slot_of(w->word[i].hash, i + 1);
}

void
junk_words_room(struct junk_words *w, size_t n)
{
	size_t slots = w->slots;

	if (n > w->size) {
		w->size = w->size == 0 ? WORDS_MIN : 2 * w->size;
		if (w->size < n)
			w->size = n;
		w->word = mem_realloc(w->word, w->size * sizeof(*w->word));
	}
	/* Four times the slots, for few steps. */
	while (n > slots / 2)
		slots *= 4;
	if (slots > w->slots)
		set_slots(w, slots);
}

/* Bytes of a prefix and a word, with room behind for eight at a time. */
static void
keep_text(struct junk_words *w, struct junk_word *new,
    const struct junk_prefix *prefix, const unsigned char *p, size_t n,
    bool padded)
{
	size_t size = prefix->text.n + n, i;
	unsigned char *out;

	/* A full buffer leaves a word without its name. */
	if (buf_room(&w->text, size + JUNK_PAD) == -1)
		return;
	out = w->text.p + w->text.n;
	if (prefix->text.n > 0)
		memcpy(out, prefix->text.p, prefix->text.n);
	out += prefix->text.n;
	for (i = 0; padded && i < n; i += 8)
		memcpy(out + i, p + i, 8);
	if (!padded && n > 0)
		memcpy(out, p, n);
	w->text.n += size;
	new->n = (uint16_t)size;
}

static inline void
put(struct junk_words *w, const struct junk_prefix *prefix,
    const unsigned char *p, size_t n, uint64_t hash, bool padded)
{
	size_t at = find_slot(w, hash);
	struct junk_word *new;

	if (w->slot[at] != 0 || w->n == JUNK_WORDS_MAX)
		return;
	if (w->n == w->size || w->n >= w->slots / 2) {
		junk_words_room(w, w->n + 1);
		at = find_slot(w, hash);
	}
	new = &w->word[w->n];
	*new = (struct junk_word){ hash, (uint32_t)w->text.n, 0,
	    prefix->is_head };
	w->slot[at] = junk_slot_of(hash, ++w->n);
	if (w->keep_text)
		keep_text(w, new, prefix, p, n, padded);
}

void
junk_words_put(struct junk_words *w, const struct junk_prefix *prefix,
    struct bytes word)
{
	put(w, prefix, word.p, word.n, junk_hash(prefix->seed, word.p,
	    word.n), false);
}

void
junk_words_put_padded(struct junk_words *w, const struct junk_prefix *prefix,
    const unsigned char *p, size_t n)
{
	put(w, prefix, p, n, hash_padded(prefix->seed, p, n), true);
}

struct bytes
junk_word_text(const struct junk_words *w, const struct junk_word *word)
{
	return bytes_first(bytes_from(buf_bytes(&w->text), word->at),
	    word->n);
}

bool
junk_words_has(const struct junk_words *w, struct bytes text)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		if (bytes_eq(junk_word_text(w, &w->word[i]), text))
			return true;
	}
	return false;
}

void
junk_words_add(struct junk_words *w, struct bytes prefix, struct bytes text)
{
	struct junk_prefix p = junk_prefix_of(prefix);

	junk_read_text(w, &p, text, false);
}
