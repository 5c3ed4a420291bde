/*
 * fetch_fuzz.c - Cache-Control field bodies from bytes
 *
 * Properties: the age is -1 or within its bounds; the same text with a
 * directive that forbids keeping gives 0.
 */
#include <stdlib.h>

#include "fetch/fetch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT(size + 16);
	int64_t age = fetch_max_age(bytes_of(data, size));

	if (age < -1 || age > FETCH_AGE_MAX)
		abort();
	buf_add(&b, bytes_of(data, size));
	buf_adds(&b, ",no-store");
	if (fetch_max_age(buf_bytes(&b)) != 0)
		abort();
	buf_free(&b);
	return 0;
}
