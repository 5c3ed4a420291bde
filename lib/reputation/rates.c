/* rates.c - limits by what is stored */
#include "reputation/reputation.h"

#define MIB ((uint64_t)1024 * 1024)

/* For one address; the wider masks have three and nine times as much. */
static const struct {
	uint64_t count, bytes;
} limits[REPUTATION_WINDOWS] = {
	[REPUTATION_MINUTE] = { 500, 1000 * MIB },
	[REPUTATION_DAY] = { 10000, 3000 * MIB },
};

static const char *const texts[REPUTATION_WINDOWS][2] = {
	[REPUTATION_MINUTE] = { "too many messages in a minute",
	    "too many bytes in a minute" },
	[REPUTATION_DAY] = { "too many messages in a day",
	    "too many bytes in a day" },
};

const char *
reputation_rates_check(const struct reputation_rates *r, uint64_t size)
{
	for (int w = 0; w < REPUTATION_WINDOWS; w++) {
		uint64_t times = 1, sum = 0;

		for (int m = 0; m < ORIGIN_MASKS; m++, times *= 3) {
			if (r->count[w][m] >= times * limits[w].count)
				return texts[w][0];
			if (__builtin_add_overflow(r->bytes[w][m], size,
			    &sum) || sum > times * limits[w].bytes)
				return texts[w][1];
		}
	}
	return NULL;
}
