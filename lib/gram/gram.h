/*
 * gram.h - which texts cannot hold a word
 *
 * A filter stands for a text: a set of bits, one for each sequence of
 * GRAM_BYTES bytes in it (its place a hash of them), and for each character
 * of three bytes, for a Chinese one may be a word. A word whose sequences
 * are not all there is not in the text; one whose are may be, and the text
 * has to be read. Texts and words are UTF-8, folded alike by the caller.
 *
 * A filter has as many bytes as it needs, a power of two between
 * GRAM_FILTER_MIN and GRAM_FILTER_MAX: at most GRAM_DENSITY percent of its
 * bits are set, so a word of 8 bytes that is not there gets past about once
 * in 5,000 texts; only beyond 25,000 different sequences it is denser (with
 * 50,000, as in a book, such a word gets past once in 300 texts). A text of
 * GRAM_BYTES or more takes about a byte for each different sequence, which is
 * half its length and less for long ones; shorter ones have the empty filter.
 */
#ifndef GRAM_H
#define GRAM_H

#include "base/base.h"

#define GRAM_BYTES 4
#define GRAM_FILTER_MIN 8		/* bytes */
#define GRAM_FILTER_MAX ((size_t)16 * 1024)
/* Filters made before are longer; they are read. */
#define GRAM_FILTER_READ_MAX ((size_t)64 * 1024)
#define GRAM_DENSITY 18
/* Sequences of a word that are looked at; the rest would rule out little. */
#define GRAM_QUERY_MAX 32

/* A filter in the making. NULL is never returned; free it. One that is kept
 * costs the next text less than a new one does. */
struct gram_set;
struct gram_set *gram_set_new(void);
void gram_set_free(struct gram_set *g);		/* NULL: nothing */
/* All sequences of text; those across two calls are not. */
void gram_set_add(struct gram_set *g, struct bytes text);
/* The same of a text that is ASCII, with its letters in lower case. */
void gram_set_add_ascii(struct gram_set *g, struct bytes text);
/*
 * The filter of what was added since the last filter; it holds until the next
 * text is added, or the next filter asked for.
 */
struct bytes gram_set_filter(struct gram_set *g);

/* A word to look for; one shorter than GRAM_BYTES that is no character of
 * three bytes may be anywhere. */
struct gram_query {
	uint32_t hash[GRAM_QUERY_MAX];
	size_t n;
};
void gram_query_make(struct gram_query *q, struct bytes word);
/* False: the text of the filter does not hold the word. Bytes that are no
 * filter rule out nothing. */
bool gram_maybe(const struct gram_query *q, struct bytes filter);

#endif
