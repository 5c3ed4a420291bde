/*
 * regex_fuzz.c - an expression and a text, split at the first LF: it ends
 * within the steps given, and what an expression matches it matches again
 */
#include "regex/regex.h"

#include <stdlib.h>

#define STEPS 200000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct bytes all = bytes_of(data, size), pattern = all;
	struct bytes text = bytes_of("", 0);
	const uint8_t *lf = size == 0 ? NULL : memchr(data, '\n', size);
	uint64_t first = STEPS, again = STEPS;
	const char *why = NULL;
	struct regex_room *room = regex_room_new(&a);
	struct regex *r;

	if (lf != NULL) {
		pattern = bytes_of(data, (size_t)(lf - data));
		text = bytes_of(lf + 1, size - pattern.n - 1);
	}
	r = regex_compile(&a, pattern, &why);
	if (r == NULL && why == NULL)
		abort();
	if (r != NULL && (regex_match(&a, r, text, &first) !=
	    regex_match(&a, r, text, &again) || first != again))
		abort();
	if (r != NULL) {
		again = STEPS;
		(void)regex_match_in(room, r, pattern, &again);
		again = STEPS;
		(void)regex_match_in(room, r, text, &again);
		if (first != again)
			abort();
	}
	arena_free(&a);
	return 0;
}
