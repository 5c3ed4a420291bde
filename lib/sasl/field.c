/*
 * field.c - fields of the auth protocol: TAB between, 0x01 escapes inside
 */
#include "sasl/sasl.h"

/* Pairs: the byte, and the letter that stands for it after 0x01. */
static const unsigned char escapes[][2] = {
	{ '\0', '0' }, { 1, '1' }, { '\t', 't' }, { '\r', 'r' }, { '\n', 'n' },
};

int
sasl_field_escape(struct buf *out, struct bytes s)
{
	size_t i, j;

	for (i = 0; i < s.n; i++) {
		for (j = 0; j < 5; j++) {
			if (s.p[i] == escapes[j][0])
				break;
		}
		if (j < 5 && buf_addc(out, 1) == -1)
			return -1;
		if (buf_addc(out, j < 5 ? escapes[j][1] : s.p[i]) == -1)
			return -1;
	}
	return 0;
}

bool
sasl_field_unescape(struct arena *a, struct bytes s, struct bytes *out)
{
	unsigned char *p = arena_alloc(a, s.n);
	size_t n = 0, j;
	int c;

	while ((c = bytes_next(&s)) != -1) {
		if (c != 1) {
			p[n++] = (unsigned char)c;
			continue;
		}
		c = bytes_next(&s);
		for (j = 0; j < 5 && c != escapes[j][1]; j++)
			;
		if (j == 5)
			return false;
		p[n++] = escapes[j][0];
	}
	*out = bytes_of(p, n);
	return true;
}
