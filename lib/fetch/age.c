/* age.c - Cache-Control (RFC 9111 5.2) */
#include "fetch/fetch.h"

#include <errno.h>

int64_t
fetch_max_age(struct bytes field_body)
{
	struct bytes rest = field_body, one;
	int64_t age = -1;
	uint64_t n;

	while (rest.n > 0) {
		(void)bytes_split(&rest, ',', &one);
		one = bytes_trim(one);
		if (bytes_caseeq(one, BYTES("no-store")) ||
		    bytes_caseeq(one, BYTES("no-cache")))
			return 0;
		if (age != -1 || !bytes_caseskip(&one, BYTES("max-age=")))
			continue;
		if (bytes_skip(&one, BYTES("\"")) && one.n > 0 &&
		    one.p[one.n - 1] == '"')
			one = bytes_first(one, one.n - 1);
		if (num_cut(&one, FETCH_AGE_MAX, &n) == -1)
			age = errno == ERANGE ? FETCH_AGE_MAX : 0;
		else
			age = one.n == 0 ? (int64_t)n : 0;
		/* 0: what cannot be read is stale (RFC 9111 4.2.1) */
	}
	return age;
}
