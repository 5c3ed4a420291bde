/*
 * gram_fuzz.c - filters of byte sequences
 *
 * Properties: no part of a text is ruled out by the text's filter, however
 * the text was cut; the filter is the same without the processor's vectors;
 * any bytes may be asked as a filter.
 */
#include <stdlib.h>

#include "gram/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes s = bytes_of(data, size), word, rest;
	struct gram_set *g = gram_set_new(), *plain;
	struct gram_query q;
	struct bytes f;
	size_t cut, n;

	if (size < 2) {
		gram_set_free(g);
		return 0;
	}
	cut = data[0] % size;
	n = data[1];
	rest = bytes_from(s, cut);
	gram_set_add(g, bytes_first(s, cut));
	gram_set_add(g, rest);
	f = gram_set_filter(g);
	plain = gram_set_new_as(false);
	gram_set_add(plain, bytes_first(s, cut));
	gram_set_add(plain, rest);
	must(bytes_eq(f, gram_set_filter(plain)));
	gram_set_free(plain);
	must((f.n & (f.n - 1)) == 0 && f.n <= GRAM_FILTER_MAX);
	word = n < rest.n ? bytes_first(rest, n) : rest;
	gram_query_make(&q, word);
	must(gram_maybe(&q, f));
	(void)gram_maybe(&q, s);	/* whatever it says */
	gram_set_free(g);
	return 0;
}
