/*
 * DMARC records: what is parsed and formatted parses again to the same record
 * and formats to the same text. A From field of any bytes gives a domain that
 * DNS can be asked for, or a reason.
 */
#include <stdlib.h>

#include "dmarc/dmarc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
fuzz_record(struct arena *a, struct bytes text)
{
	struct buf one = BUF_INIT(1 << 20), two = BUF_INIT(1 << 20);
	struct dmarc_record r, again;
	const char *why = NULL;

	if (dmarc_record_parse(text, a, &r, &why) == -1) {
		check(why != NULL && why[0] != '\0');
		return;
	}
	check(dmarc_is_record(text) && r.pct <= 100);
	check(r.nrua <= DMARC_URIS_MAX && r.nruf <= DMARC_URIS_MAX);
	check(dmarc_record_format(&one, &r) == 0);
	/* longer only by the blanks of the canonical form */
	if (one.n <= DMARC_RECORD_MAX) {
		check(dmarc_record_parse(buf_bytes(&one), a, &again,
		    &why) == 0);
		check(again.p == r.p && again.sp == r.sp && again.np == r.np);
		check(again.nrua == r.nrua && again.nruf == r.nruf);
		check(dmarc_record_format(&two, &again) == 0);
		check(bytes_eq(buf_bytes(&one), buf_bytes(&two)));
	}
	buf_free(&one);
	buf_free(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct bytes domain;
	const char *why = NULL;

	fuzz_record(&a, bytes_of(data, size));
	if (dmarc_from_domain(&a, bytes_of(data, size), &domain, &why) == 0)
		check(dns_name_valid(domain) && bytes_is_ascii(domain));
	else
		check(why != NULL && why[0] != '\0');
	arena_free(&a);
	return 0;
}
