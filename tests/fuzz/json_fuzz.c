/*
 * json_fuzz.c - JSON from bytes
 *
 * Properties: what parses, written and parsed again, is written the same;
 * it holds no NUL, is UTF-8 and within the limits; each refusal has its
 * reason; any bytes quoted are a string.
 */
#include <stdlib.h>

#include "json/json.h"
#include "unicode/unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static unsigned int
look(const struct json *j, unsigned int depth)
{
	unsigned int n = 1;

	must(depth <= JSON_DEPTH_MAX + 1);
	must(!bytes_has_nul(j->name) && !bytes_has_nul(j->text));
	must(unicode_valid_utf8(j->name) && unicode_valid_utf8(j->text));
	for (j = j->first; j != NULL; j = j->next)
		n += look(j, depth + 1);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf one = BUF_INIT(2 << 20), two = BUF_INIT(2 << 20);
	struct bytes s = bytes_of(data, size);
	struct arena a = ARENA_INIT;
	const char *why = NULL;
	struct json *j = json_parse(&a, s, &why);

	must((j == NULL) == (why != NULL));
	if (j != NULL) {
		must(look(j, 1) <= JSON_VALUES_MAX);
		must(json_format(&one, j) == 0);
		j = json_parse(&a, buf_bytes(&one), &why);
		must(j != NULL && json_format(&two, j) == 0);
		must(bytes_eq(buf_bytes(&one), buf_bytes(&two)));
	}
	buf_reset(&one);
	must(json_quote(&one, s) == 0);
	j = json_parse(&a, buf_bytes(&one), &why);
	/* a NUL is written as an escape that is then refused */
	must(bytes_has_nul(s) || one.n > JSON_TEXT_MAX ||
	    (j != NULL && j->kind == JSON_IS_STRING));
	buf_free(&one);
	buf_free(&two);
	arena_free(&a);
	return 0;
}
