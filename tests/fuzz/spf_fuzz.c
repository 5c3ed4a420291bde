/*
 * SPF records: what is parsed and formatted parses again to the same record,
 * and formats to the same text.
 */
#include <stdlib.h>

#include "spf/spf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
check_same(const struct spf_term *x, const struct spf_term *y)
{
	check(x->kind == y->kind && x->qualifier == y->qualifier);
	check(bytes_eq(x->name, y->name) && bytes_eq(x->spec, y->spec));
	check(ip_eq(&x->net, &y->net));
	check(x->bits4 == y->bits4 && x->bits6 == y->bits6);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf one = BUF_INIT(1 << 20), two = BUF_INIT(1 << 20);
	struct arena a = ARENA_INIT;
	struct spf_record r, again;
	const char *why = NULL;
	size_t i;

	if (spf_parse(bytes_of(data, size), &a, &r, &why) == -1) {
		check(why != NULL && why[0] != '\0');
	} else {
		check(spf_is_record(bytes_of(data, size)));
		check(r.nterms <= SPF_TERMS_MAX);
		check(spf_format(&one, &r) == 0);
		/* Longer only by what the canonical form spells out. */
		if (one.n <= SPF_RECORD_MAX) {
			check(spf_parse(buf_bytes(&one), &a, &again,
			    &why) == 0);
			check(again.nterms == r.nterms);
			for (i = 0; i < r.nterms; i++)
				check_same(&r.terms[i], &again.terms[i]);
			check(again.has_all == r.has_all);
			check((again.exp != NULL) == (r.exp != NULL));
			check((again.redirect != NULL) ==
			    (r.redirect != NULL));
			check(spf_format(&two, &again) == 0);
			check(bytes_eq(buf_bytes(&one), buf_bytes(&two)));
		}
	}
	buf_free(&one);
	buf_free(&two);
	arena_free(&a);
	return 0;
}
