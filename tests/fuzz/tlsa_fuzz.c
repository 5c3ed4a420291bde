/*
 * TLSA records: what is parsed from bytes or text formats back to the same,
 * usable or not; and any record against a chain of any bytes ends well, with
 * a verdict that agrees with itself.
 *
 * Input: one byte; 0 text, 1 bytes, 2 a record, its length in two bytes, and
 * a certificate in DER.
 */
#include <stdlib.h>

#include "dane/dane.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
check_same(const struct dane_record *x, const struct dane_record *y)
{
	check(x->usage == y->usage && x->selector == y->selector &&
	    x->matching == y->matching && bytes_eq(x->data, y->data));
}

static void
check_record(const struct dane_record *r, struct arena *a)
{
	struct buf text = BUF_INIT(1 << 20), wire = BUF_INIT(1 << 20);
	struct dane_record again;
	const char *why = NULL;

	check(dane_format_text(r, &text) == 0);
	check(dane_parse_text(buf_bytes(&text), a, &again, &why) == 0);
	check_same(r, &again);
	check(dane_format(r, &wire) == 0);
	check(dane_parse(buf_bytes(&wire), &again) == 0);
	check_same(r, &again);
	check(dane_usable(r, &why) || (why != NULL && why[0] != '\0'));
	buf_free(&text);
	buf_free(&wire);
}

static void
check_verdict(struct bytes in)
{
	static const struct bytes names[1] = {
		{ (const unsigned char *)"mx.example", 10 } };
	struct dane_record r;
	struct dane_verdict v;
	struct bytes head, rdata, chain[2];

	if (!bytes_cut(&in, 2, &head) || !bytes_cut(&in,
	    (size_t)head.p[0] << 8 | head.p[1], &rdata) ||
	    dane_parse(rdata, &r) == -1)
		return;
	chain[0] = chain[1] = in;
	dane_verify(&r, 1, chain, 2, names, 1, 1800000000, &v);
	check(v.verified == (v.result == TLSRESULT_SUCCESS));
	check(v.verified == (v.why[0] == '\0'));
	check(!v.verified || dane_usable(&r, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct arena a = ARENA_INIT;
	struct dane_record r;
	const char *why = NULL;

	switch (bytes_next(&in)) {
	case 0:
		if (dane_parse_text(in, &a, &r, &why) == 0)
			check_record(&r, &a);
		else
			check(why != NULL && why[0] != '\0');
		break;
	case 1:
		if (in.n <= DANE_DATA_MAX && dane_parse(in, &r) == 0)
			check_record(&r, &a);
		break;
	case 2:
		check_verdict(in);
		break;
	}
	arena_free(&a);
	return 0;
}
