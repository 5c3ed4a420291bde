/*
 * words.c - a set of words, by hash
 */
#include "junk/internal.h"

#include <stdlib.h>

#define SLOTS_MIN 4096
/* All words of a message: shorter than the text they come from. */
#define TEXT_BYTES_MAX ((size_t)JUNK_WORDS_MAX * 256)

static const uint64_t odd[3] = { 0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u,
	0xa0761d6478bd642fu };

static uint64_t
fold(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 r = (unsigned __int128)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

/*
 * Who makes two words of one hash gains nothing that the second word itself
 * would not have given, so there is no secret in it.
 */
uint64_t
junk_hash(uint64_t seed, const unsigned char *p, size_t n)
{
	uint64_t h = seed ^ (n * odd[0]), x;

	for (; n > 8; p += 8, n -= 8) {
		memcpy(&x, p, 8);
		h = fold(h ^ x, odd[1]);
	}
	x = 0;
	memcpy(&x, p, n);
	h = fold(h ^ x, odd[1]);
	h = fold(h, odd[2]);
	return h == 0 ? 1 : h;
}

struct junk_prefix
junk_prefix_of(struct bytes text)
{
	return (struct junk_prefix){ text,
	    text.n == 0 ? odd[2] : junk_hash(odd[0], text.p, text.n), false };
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
}

/*
 * A slot holds the number of a word that has that slot; any other number in
 * it, left from the messages before, says that it is free. So nothing has to
 * be cleared for a message.
 */
static bool
is_used(const struct junk_words *w, size_t i)
{
	return w->slot[i] < w->n && w->word[w->slot[i]].slot == i;
}

/* The slot of a hash: its own, or the free one it may have. */
static size_t
find_slot(const struct junk_words *w, uint64_t hash)
{
	size_t i = hash & (w->slots - 1);

	while (is_used(w, i) && w->word[w->slot[i]].hash != hash)
		i = (i + 1) & (w->slots - 1);
	return i;
}

static void
take_slot(struct junk_words *w, size_t i, size_t word)
{
	w->slot[i] = (uint32_t)word;
	w->word[word].slot = (uint32_t)i;
}

/* Room for one more; slots are half full at most. */
static void
grow(struct junk_words *w)
{
	size_t i, n = w->n;

	if (n == w->size) {
		w->size = n == 0 ? 1024 : 2 * n;
		w->word = mem_realloc(w->word, w->size * sizeof(*w->word));
	}
	if (n < w->slots / 2)
		return;
	free(w->slot);
	w->slots *= 2;
	w->slot = mem_zalloc(w->slots, sizeof(*w->slot));
	for (w->n = 0; w->n < n; w->n++) {
		i = find_slot(w, w->word[w->n].hash);
		take_slot(w, i, w->n);
	}
}

void
junk_words_put(struct junk_words *w, const struct junk_prefix *prefix,
    struct bytes word)
{
	uint64_t hash = junk_hash(prefix->seed, word.p, word.n);
	size_t at = find_slot(w, hash);
	struct junk_word *new;

	if (is_used(w, at) || w->n == JUNK_WORDS_MAX)
		return;
	if (w->n == w->size || w->n >= w->slots / 2) {
		grow(w);
		at = find_slot(w, hash);
	}
	new = &w->word[w->n];
	*new = (struct junk_word){ hash, (uint32_t)w->text.n, 0, 0,
	    prefix->is_head };
	take_slot(w, at, w->n++);
	if (!w->keep_text)
		return;
	/* A full buffer leaves a word without its name. */
	(void)buf_add(&w->text, prefix->text);
	(void)buf_add(&w->text, word);
	new->n = (uint32_t)(w->text.n - new->at);
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
