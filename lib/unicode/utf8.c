/*
 * utf8.c - UTF-8 and the modified UTF-7 of mailbox names
 */
#include "unicode/unicode.h"

#include <errno.h>
#include <stdlib.h>

#include "base/eight.h"
#include "unicode/internal.h"

/* Bytes of the sequence that first begins; 0: none does. */
static size_t
sequence_length(int first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	if (first >= 0xf0 && first <= 0xf4)
		return 4;
	return 0;
}

/* The code point at the front of s and its length; 0 if malformed. */
static size_t
decode(struct bytes s, uint32_t *code_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int first = bytes_at(s, 0);
	size_t i, n = sequence_length(first);
	uint32_t c;

	if (n == 0 || n > s.n)
		return 0;
	c = (uint32_t)first;
	if (n > 1)
		c &= 0x7fU >> n;
	for (i = 1; i < n; i++) {
		int next = bytes_at(s, i);

		if ((next & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (uint32_t)(next & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code_point = c;
	return n;
}

/* How many bytes of ASCII are in front, the first being one; eight at most. */
static size_t
ascii_front(struct bytes s)
{
	return s.n < 8 ? 1 : eight_first(eight_get(s.p) & EIGHT_TOP);
}

bool
unicode_valid_utf8(struct bytes s)
{
	uint32_t c;

	if (bytes_is_ascii(s))
		return true;
	while (s.n > 0) {
		size_t n = s.p[0] < 0x80 ? ascii_front(s) :
		    unicode_two(s) != 0 ? 2 : decode(s, &c);

		if (n == 0)
			return false;
		s = bytes_of(s.p + n, s.n - n);
	}
	return true;
}

int
unicode_next(struct bytes *s, uint32_t *code_point)
{
	size_t n;

	if (s->n == 0)
		return 0;
	n = decode(*s, code_point);
	if (n == 0) {
		*s = bytes_from(*s, 1);
		errno = EBADMSG;
		return -1;
	}
	*s = bytes_from(*s, n);
	return 1;
}

int
unicode_put(struct buf *out, uint32_t c)
{
	unsigned char b[4];

	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = REPLACEMENT;
	if (c < 0x80)
		return buf_addc(out, (int)c);
	if (c < 0x800) {
		b[0] = (unsigned char)(0xc0 | c >> 6);
		b[1] = (unsigned char)(0x80 | (c & 0x3f));
		return buf_add(out, bytes_of(b, 2));
	}
	if (c < 0x10000) {
		b[0] = (unsigned char)(0xe0 | c >> 12);
		b[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		b[2] = (unsigned char)(0x80 | (c & 0x3f));
		return buf_add(out, bytes_of(b, 3));
	}
	b[0] = (unsigned char)(0xf0 | c >> 18);
	b[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
	b[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	b[3] = (unsigned char)(0x80 | (c & 0x3f));
	return buf_add(out, bytes_of(b, 4));
}

struct bytes
unicode_clean(struct arena *a, struct bytes s)
{
	/* A bad byte becomes the three of U+FFFD. */
	struct buf b = BUF_INIT(SIZE_MAX);
	struct bytes out;
	uint32_t c;
	int r;

	if (unicode_valid_utf8(s))
		return s;
	while ((r = unicode_next(&s, &c)) != 0)
		(void)unicode_put(&b, r == 1 ? c : REPLACEMENT); /* no cap */
	out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return out;
}

struct bytes
unicode_first(struct bytes s, size_t max_bytes)
{
	size_t n = max_bytes;

	if (s.n <= max_bytes)
		return s;
	while (n > 0 && (bytes_at(s, n) & 0xc0) == 0x80)
		n--;
	return bytes_first(s, n);
}

/* ---- modified UTF-7 ---- */

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* Bits waiting to become, or that came from, base64 letters. */
struct bits {
	uint32_t value;
	unsigned int count;
};

static void
put_unit(struct buf *out, struct bits *bits, uint32_t unit)
{
	bits->value = bits->value << 16 | unit;
	bits->count += 16;
	while (bits->count >= 6) {
		bits->count -= 6;
		(void)buf_addc(out,	/* no cap */
		    alphabet[bits->value >> bits->count & 63]);
	}
	bits->value &= 63;
}

static void
end_shift(struct buf *out, struct bits *bits)
{
	if (bits->count > 0)
		(void)buf_addc(out,	/* no cap */
		    alphabet[bits->value << (6 - bits->count) & 63]);
	(void)buf_addc(out, '-');
	*bits = (struct bits){ 0, 0 };
}

int
imap_utf7_encode(struct arena *a, struct bytes utf8, struct bytes *out)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct bits bits = { 0, 0 };
	bool shifted = false;
	uint32_t c;
	int r;

	while ((r = unicode_next(&utf8, &c)) == 1) {
		bool direct = c >= 0x20 && c <= 0x7e;

		if (direct && shifted)
			end_shift(&b, &bits);
		if (!direct && !shifted)
			(void)buf_addc(&b, '&');	/* no cap */
		shifted = !direct;
		if (direct) {
			(void)buf_addc(&b, (int)c);
			if (c == '&')
				(void)buf_addc(&b, '-');
		} else if (c >= 0x10000) {
			put_unit(&b, &bits, 0xd800 + ((c - 0x10000) >> 10));
			put_unit(&b, &bits, 0xdc00 + ((c - 0x10000) & 0x3ff));
		} else {
			put_unit(&b, &bits, c);
		}
	}
	if (shifted)
		end_shift(&b, &bits);
	if (r == 0)
		*out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return r;
}

static int
letter_value(int c)
{
	const char *p = c > 0 ? strchr(alphabet, c) : NULL;

	return p == NULL ? -1 : (int)(p - alphabet);
}

/*
 * One UTF-16 unit to out, *high being the surrogate before it or 0. What may
 * stand for itself is refused, as are lone surrogates.
 */
static int
take_unit(struct buf *out, uint32_t unit, uint32_t *high)
{
	if (*high != 0) {
		if (unit < 0xdc00 || unit > 0xdfff)
			return -1;
		(void)unicode_put(out, 0x10000 +	/* no cap */
		    ((*high - 0xd800) << 10) + (unit - 0xdc00));
		*high = 0;
		return 0;
	}
	if ((unit >= 0xdc00 && unit <= 0xdfff) ||
	    (unit >= 0x20 && unit <= 0x7e))
		return -1;
	if (unit >= 0xd800 && unit <= 0xdbff)
		*high = unit;
	else
		(void)unicode_put(out, unit);		/* no cap */
	return 0;
}

/*
 * What stands between "&" and "-", taken off *s, as UTF-8. Bits that do not
 * fill a unit must be zero and fewer than a letter.
 */
static int
decode_shift(struct bytes *s, struct buf *b)
{
	struct bits bits = { 0, 0 };
	uint32_t high = 0;
	int c, v;

	while ((c = bytes_next(s)) != '-') {
		if ((v = letter_value(c)) == -1)
			return -1;
		bits.value = bits.value << 6 | (uint32_t)v;
		bits.count += 6;
		if (bits.count < 16)
			continue;
		bits.count -= 16;
		if (take_unit(b, bits.value >> bits.count & 0xffff,
		    &high) == -1)
			return -1;
		bits.value &= (1U << bits.count) - 1;
	}
	return high != 0 || bits.count >= 6 || bits.value != 0 ? -1 : 0;
}

int
imap_utf7_decode(struct arena *a, struct bytes utf7, struct bytes *out)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct bytes s = utf7;
	int c, r = 0;

	while (r == 0 && (c = bytes_next(&s)) != -1) {
		if (c < 0x20 || c > 0x7e) {
			r = -1;
		} else if (c != '&') {
			(void)buf_addc(&b, c);		/* no cap */
		} else if (bytes_skip(&s, BYTES("-"))) {
			(void)buf_addc(&b, '&');
		} else {
			r = decode_shift(&s, &b);
			/* Two shifts in a row would be one. */
			if (bytes_at(s, 0) == '&' && bytes_at(s, 1) != '-')
				r = -1;
		}
	}
	if (r == 0)
		*out = arena_bytes(a, buf_bytes(&b));
	else
		errno = EBADMSG;
	buf_free(&b);
	return r;
}
