/*
 * encode.c - base64, quoted-printable, hex
 *
 * Encoders take the room they need at once. Decoders write as far as the
 * buffer may grow, so that a preview gets its first bytes.
 */
#include "base/base.h"

#include <errno.h>

#define BAD 0xff

static const char b64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char b64url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";

#define X BAD
static const unsigned char b64_value[256] = {
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, 62, X, X, X, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X, X, X, X, X, X,
	X, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X, X, X, X, X,
	X, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
};
#undef X

static int
malformed(void)
{
	errno = EBADMSG;
	return -1;
}

static int
encode64(struct buf *out, struct bytes s, const char *set, bool pad)
{
	size_t i, left = s.n % 3, n;
	unsigned char *q;
	uint32_t v;

	if (!size_mul(s.n / 3 + (left != 0), 4, &n) ||
	    buf_room(out, pad || left == 0 ? n : n - (3 - left)) == -1) {
		errno = EMSGSIZE;
		return -1;
	}
	q = out->p + out->n;
	for (i = 0; i + 2 < s.n; i += 3) {
		v = (uint32_t)s.p[i] << 16 | (uint32_t)s.p[i + 1] << 8 |
		    s.p[i + 2];
		*q++ = (unsigned char)set[v >> 18];
		*q++ = (unsigned char)set[v >> 12 & 63];
		*q++ = (unsigned char)set[v >> 6 & 63];
		*q++ = (unsigned char)set[v & 63];
	}
	if (left != 0) {
		v = (uint32_t)s.p[i] << 16;
		if (left == 2)
			v |= (uint32_t)s.p[i + 1] << 8;
		*q++ = (unsigned char)set[v >> 18];
		*q++ = (unsigned char)set[v >> 12 & 63];
		if (left == 2)
			*q++ = (unsigned char)set[v >> 6 & 63];
		else if (pad)
			*q++ = '=';
		if (pad)
			*q++ = '=';
	}
	out->n = (size_t)(q - out->p);
	return 0;
}

int
base64_encode(struct buf *out, struct bytes s)
{
	return encode64(out, s, b64, true);
}

int
base64url_encode(struct buf *out, struct bytes s)
{
	return encode64(out, s, b64url, false);
}

/* Four digits as 24 bits; UINT32_MAX if one is none. */
static uint32_t
quad(const unsigned char *p)
{
	unsigned int a = b64_value[p[0]], b = b64_value[p[1]];
	unsigned int c = b64_value[p[2]], d = b64_value[p[3]];

	if ((a | b | c | d) == BAD)
		return UINT32_MAX;
	return a << 18 | b << 12 | c << 6 | d;
}

static unsigned char *
put24(unsigned char *q, uint32_t v)
{
	q[0] = (unsigned char)(v >> 16);
	q[1] = (unsigned char)(v >> 8 & 0xff);
	q[2] = (unsigned char)(v & 0xff);
	return q + 3;
}

/* The last four bytes, padded or not; the unused bits must be zero. */
static int
decode_tail(const unsigned char *p, unsigned char out[3], size_t *n)
{
	unsigned char whole[4] = { p[0], p[1], p[2], p[3] };
	uint32_t v;

	*n = 3;
	if (whole[3] == '=') {
		whole[3] = 'A';
		*n = 2;
		if (whole[2] == '=') {
			whole[2] = 'A';
			*n = 1;
		}
	}
	if ((v = quad(whole)) == UINT32_MAX)
		return malformed();
	if ((*n == 2 && (v & 0xff) != 0) || (*n == 1 && (v & 0xffff) != 0))
		return malformed();
	(void)put24(out, v);
	return 0;
}

bool
base64_valid(struct bytes s)
{
	size_t i = 0, pads = 0;

	while (i < s.n && (ascii_is_alnum(s.p[i]) || s.p[i] == '+' ||
	    s.p[i] == '/'))
		i++;
	for (; i < s.n && s.p[i] == '='; i++)
		pads++;
	return i == s.n && s.n % 4 == 0 && pads <= 2;
}

int
base64_decode(struct buf *out, struct bytes s)
{
	unsigned char tail[3], *q;
	size_t i, n = 0;
	uint32_t v;

	if (s.n % 4 != 0)
		return malformed();
	if (s.n == 0)
		return 0;
	if (decode_tail(s.p + s.n - 4, tail, &n) == -1)
		return -1;
	for (i = 0; i + 4 < s.n; i += 4) {
		if (quad(s.p + i) == UINT32_MAX)
			return malformed();
	}
	if (buf_room(out, (s.n / 4 - 1) * 3 + n) == -1)
		return -1;
	q = out->p + out->n;
	for (i = 0; i + 4 < s.n; i += 4) {
		v = quad(s.p + i);
		q = put24(q, v);
	}
	memcpy(q, tail, n);
	out->n += (s.n / 4 - 1) * 3 + n;
	return 0;
}

/*
 * Room for up to want bytes, less if the cap comes first; *end is where
 * writing must stop.
 */
static unsigned char *
room_upto(struct buf *out, size_t want, unsigned char **end)
{
	size_t n = out->max - out->n;

	if (out->full)
		n = 0;
	if (n > want)
		n = want;
	if (out->full || buf_room(out, n) == -1) {
		*end = NULL;
		return NULL;
	}
	*end = out->p + out->n + n;
	return out->p + out->n;
}

/* What was written up to q is taken over; cut: not all fitted. */
static int
room_taken(struct buf *out, unsigned char *q, bool cut)
{
	if (q != NULL)
		out->n = (size_t)(q - out->p);
	if (!cut)
		return 0;
	out->full = true;
	errno = EMSGSIZE;
	return -1;
}

int
base64_decode_lax(struct buf *out, struct bytes s)
{
	unsigned char *end, *q = room_upto(out, s.n / 4 * 3 + 3, &end);
	unsigned int bits = 0, have = 0, c;
	size_t i = 0;
	uint32_t v;

	while (i < s.n) {
		if (have == 0 && s.n - i >= 4 && end - q >= 3 &&
		    (v = quad(s.p + i)) != UINT32_MAX) {
			q = put24(q, v);
			i += 4;
			continue;
		}
		c = s.p[i++];
		if (c == '=' && have > 0)
			break;
		if ((c = b64_value[c]) == BAD)
			continue;
		bits = (bits << 6 | c) & 0xffff;
		have += 6;
		if (have < 8)
			continue;
		if (q == end)
			return room_taken(out, q, true);
		have -= 8;
		*q++ = (unsigned char)(bits >> have & 0xff);
	}
	return room_taken(out, q, false);
}

/* The byte that "=XX" at s.p[i] stands for, or -1. */
static int
escape_at(struct bytes s, size_t i)
{
	int hi, lo;

	if (s.n - i < 3)
		return -1;
	hi = ascii_hex_value(s.p[i + 1]);
	lo = ascii_hex_value(s.p[i + 2]);
	return hi == -1 || lo == -1 ? -1 : hi << 4 | lo;
}

/* Writes what fits; false if that was not all. */
static bool
put(unsigned char **q, const unsigned char *end, struct bytes s)
{
	size_t n = (size_t)(end - *q);

	if (n > s.n)
		n = s.n;
	if (n != 0)
		memcpy(*q, s.p, n);
	*q += n;
	return n == s.n;
}

/* One line without its end and without white space there. */
static bool
qp_line(unsigned char **q, const unsigned char *end, struct bytes s)
{
	unsigned char byte;
	size_t at;
	int c;

	while (bytes_chr(s, '=', &at)) {
		if (!put(q, end, bytes_first(s, at)))
			return false;
		c = escape_at(s, at);
		byte = (unsigned char)(c == -1 ? '=' : c);
		if (!put(q, end, bytes_of(&byte, 1)))
			return false;
		s = bytes_from(s, c == -1 ? at + 1 : at + 3);
	}
	return put(q, end, s);
}

int
qp_decode(struct buf *out, struct bytes s)
{
	unsigned char *end, *q = room_upto(out, s.n, &end);
	struct bytes line, eol;
	bool ended;

	while (s.n > 0) {
		ended = bytes_split(&s, '\n', &line);
		eol = ended ? BYTES("\n") : BYTES_EMPTY;
		if (ended && bytes_ends(line, BYTES("\r"))) {
			line.n--;
			eol = BYTES("\r\n");
		}
		/* White space at the end was put there on the way. */
		while (line.n > 0 && ascii_is_wsp(line.p[line.n - 1]))
			line.n--;
		if (bytes_ends(line, BYTES("="))) {	/* soft line break */
			line.n--;
			eol = BYTES_EMPTY;
		}
		if (!qp_line(&q, end, line) || !put(&q, end, eol))
			return room_taken(out, q, true);
	}
	return room_taken(out, q, false);
}

int
q_decode(struct buf *out, struct bytes s)
{
	unsigned char *end, *q = room_upto(out, s.n, &end);
	size_t i = 0;
	int c;

	while (i < s.n) {
		if (q == end)
			return room_taken(out, q, true);
		if (s.p[i] == '_') {
			*q++ = ' ';
			i++;
		} else if (s.p[i] == '=' && (c = escape_at(s, i)) != -1) {
			*q++ = (unsigned char)c;
			i += 3;
		} else {
			*q++ = s.p[i++];
		}
	}
	return room_taken(out, q, false);
}

#define QP_LINE_MAX 76		/* RFC 2045 6.7 (5), without the line end */

/* True if s.p[i] may stand for itself. */
static bool
qp_plain(struct bytes s, size_t i)
{
	unsigned char c = s.p[i];

	if (ascii_is_wsp(c))
		return i + 1 < s.n && s.p[i + 1] != '\n';
	return c > 0x20 && c < 0x7f && c != '=';
}

int
qp_encode(struct buf *out, struct bytes s)
{
	size_t column = 0, i, width;
	unsigned char esc[3] = "=";
	bool plain, last;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\n') {
			if (buf_addc(out, '\n') == -1)
				return -1;
			column = 0;
			continue;
		}
		plain = qp_plain(s, i);
		width = plain ? 1 : 3;
		/* One column is kept for the "=" of a soft line break. */
		last = i + 1 == s.n || s.p[i + 1] == '\n';
		if (column + width > QP_LINE_MAX - (last ? 0 : 1)) {
			if (buf_add(out, BYTES("=\n")) == -1)
				return -1;
			column = 0;
		}
		esc[1] = (unsigned char)hex_upper[s.p[i] >> 4];
		esc[2] = (unsigned char)hex_upper[s.p[i] & 15];
		if ((plain ? buf_addc(out, s.p[i])
		    : buf_add(out, bytes_of(esc, 3))) == -1)
			return -1;
		column += width;
	}
	return 0;
}

int
hex_encode(struct buf *out, struct bytes s)
{
	unsigned char *q;
	size_t i, n;

	if (!size_mul(s.n, 2, &n) || buf_room(out, n) == -1) {
		errno = EMSGSIZE;
		return -1;
	}
	q = out->p + out->n;
	for (i = 0; i < s.n; i++) {
		*q++ = (unsigned char)hex_lower[s.p[i] >> 4];
		*q++ = (unsigned char)hex_lower[s.p[i] & 15];
	}
	out->n += n;
	return 0;
}

int
hex_decode(struct buf *out, struct bytes s)
{
	unsigned char *q;
	size_t i;

	if (s.n % 2 != 0)
		return malformed();
	for (i = 0; i < s.n; i++) {
		if (ascii_hex_value(s.p[i]) == -1)
			return malformed();
	}
	if (buf_room(out, s.n / 2) == -1)
		return -1;
	q = out->p + out->n;
	for (i = 0; i < s.n; i += 2) {
		*q++ = (unsigned char)(ascii_hex_value(s.p[i]) << 4 |
		    ascii_hex_value(s.p[i + 1]));
	}
	out->n += s.n / 2;
	return 0;
}
