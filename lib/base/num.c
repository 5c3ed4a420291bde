/* num.c - the checked readers of numbers in text; big-endian numbers */
#include "base/base.h"

#include <errno.h>

static int
fail(int err)
{
	errno = err;
	return -1;
}

int
num_cut(struct bytes *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s->n && ascii_is_digit(s->p[i]); i++) {
		if (__builtin_mul_overflow(v, UINT64_C(10), &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s->p[i] - '0'), &v))
			return fail(ERANGE);
	}
	if (i == 0)
		return fail(EBADMSG);
	if (v > max)
		return fail(ERANGE);
	*s = bytes_from(*s, i);
	*out = v;
	return 0;
}

int
num_parse(struct bytes s, uint64_t min, uint64_t max, uint64_t *out)
{
	struct bytes rest = s;
	uint64_t v;
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (!ascii_is_digit(s.p[i]))
			return fail(EBADMSG);
	}
	if (num_cut(&rest, max, &v) == -1)
		return -1;
	if (v < min)
		return fail(ERANGE);
	*out = v;
	return 0;
}

int
num_parse_signed(struct bytes s, int64_t min, int64_t max, int64_t *out)
{
	const uint64_t most = UINT64_C(1) << 63;
	bool minus = bytes_skip(&s, BYTES("-"));
	uint64_t v;
	int64_t r;

	if (num_parse(s, 0, minus ? most : most - 1, &v) == -1)
		return -1;
	if (!minus)
		r = (int64_t)v;
	else if (v == most)
		r = INT64_MIN;
	else
		r = -(int64_t)v;
	if (r < min || r > max)
		return fail(ERANGE);
	*out = r;
	return 0;
}

static int
parse_scaled(struct bytes s, uint64_t scale, uint64_t min, uint64_t max,
    uint64_t *out)
{
	uint64_t v;

	if (num_parse(s, 0, UINT64_MAX, &v) == -1)
		return -1;
	if (__builtin_mul_overflow(v, scale, &v) || v < min || v > max)
		return fail(ERANGE);
	*out = v;
	return 0;
}

int
num_parse_size(struct bytes s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t scale = 1;

	switch (s.n > 0 ? ascii_lower(s.p[s.n - 1]) : 0) {
	case 'k':
		scale = UINT64_C(1) << 10;
		break;
	case 'm':
		scale = UINT64_C(1) << 20;
		break;
	case 'g':
		scale = UINT64_C(1) << 30;
		break;
	}
	if (scale != 1)
		s = bytes_first(s, s.n - 1);
	return parse_scaled(s, scale, min, max, out);
}

int
num_parse_duration(struct bytes s, uint64_t min, uint64_t max,
    uint64_t *seconds)
{
	uint64_t scale = 0;

	switch (s.n > 0 ? ascii_lower(s.p[s.n - 1]) : 0) {
	case 's':
		scale = 1;
		break;
	case 'm':
		scale = 60;
		break;
	case 'h':
		scale = 60 * 60;
		break;
	case 'd':
		scale = 24 * 60 * 60;
		break;
	case 'w':
		scale = 7 * 24 * 60 * 60;
		break;
	}
	if (scale != 0)
		s = bytes_first(s, s.n - 1);
	return parse_scaled(s, scale == 0 ? 1 : scale, min, max, seconds);
}

void
be32_put(unsigned char out[4], uint32_t v)
{
	out[0] = (unsigned char)(v >> 24);
	out[1] = (unsigned char)(v >> 16 & 0xff);
	out[2] = (unsigned char)(v >> 8 & 0xff);
	out[3] = (unsigned char)(v & 0xff);
}

void
be64_put(unsigned char out[8], uint64_t v)
{
	be32_put(out, (uint32_t)(v >> 32));
	be32_put(out + 4, (uint32_t)(v & UINT32_MAX));
}
