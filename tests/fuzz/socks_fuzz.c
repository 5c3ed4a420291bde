/*
 * socks_fuzz.c - answers of a SOCKS5 proxy
 *
 * Properties: an answer ends, within DIAL_SOCKS_MAX octets; how it was cut
 * does not matter; and before its end never more is asked for than it still
 * has, so that nothing the host says is taken for the proxy's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dial/dial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) do { if (!(x)) fail(#x); } while (0)

static void
fail(const char *what)
{
	fprintf(stderr, "property does not hold: %s\n", what);
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum dial_socks step;
	const char *why = NULL;
	struct bytes in;
	size_t n = 0;
	ssize_t need;

	if (size < 1)
		return 0;
	step = (enum dial_socks)(data[0] % 3);
	in = bytes_of(data + 1, size - 1);
	/* as connect.c reads */
	while ((need = dial_socks_need(step, bytes_first(in, n), &why)) > 0) {
		n += (size_t)need;
		CHECK(n <= DIAL_SOCKS_MAX);
		if (n > in.n)
			return 0;	/* the proxy is gone */
	}
	if (need == -1) {
		CHECK(why != NULL && n <= 4);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		need = dial_socks_need(step, bytes_first(in, i), &why);
		CHECK(need > 0 && (size_t)need <= n - i);
	}
	/* what comes after it changes nothing */
	CHECK(dial_socks_need(step, in, &why) == 0);
	CHECK(dial_socks_refusal(data[0]) != NULL);
	return 0;
}
