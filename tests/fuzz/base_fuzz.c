/*
 * base_fuzz - the parsers of lib/base: what is formatted is parsed back the
 * same, strict and lax readers agree where both accept, no decoder writes
 * past the cap of its buffer, and what is looked for in many bytes at a time
 * is what is found byte by byte.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/eight.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int codec(struct buf *, struct bytes);

/* A small buffer gets the beginning of what a large one gets. */
static void
check_cap(codec *decode, struct bytes s, size_t cap)
{
	struct buf all = BUF_INIT(SIZE_MAX), some = BUF_INIT(cap);
	int r = decode(&all, s), rs = decode(&some, s);

	assert(r == 0);
	assert(some.n <= cap);
	assert(rs == (all.n > cap ? -1 : 0));
	assert(bytes_eq(buf_bytes(&some), bytes_first(buf_bytes(&all),
	    some.n)));
	assert(rs == 0 || some.n == cap);
	buf_free(&all);
	buf_free(&some);
}

static void
check_round_trip(codec *encode, codec *decode, struct bytes s)
{
	struct buf text = BUF_INIT(SIZE_MAX), plain = BUF_INIT(SIZE_MAX);

	assert(encode(&text, s) == 0);
	assert(decode(&plain, buf_bytes(&text)) == 0);
	assert(bytes_eq(buf_bytes(&plain), s));
	buf_free(&text);
	buf_free(&plain);
}

static void
check_strict(codec *decode, codec *encode, codec *lax, struct bytes s)
{
	struct buf plain = BUF_INIT(SIZE_MAX), other = BUF_INIT(SIZE_MAX);

	if (decode(&plain, s) == 0) {
		if (lax != NULL) {
			assert(lax(&other, s) == 0);
			assert(bytes_eq(buf_bytes(&plain), buf_bytes(&other)));
			buf_reset(&other);
		}
		assert(encode(&other, buf_bytes(&plain)) == 0);
		assert(bytes_caseeq(buf_bytes(&other), s));
	} else {
		assert(plain.n == 0);
	}
	buf_free(&plain);
	buf_free(&other);
}

static void
check_date(struct bytes s)
{
	struct buf text = BUF_INIT(100);
	int64_t seconds, again;
	int zone, zone2;

	if (date_parse(s, &seconds, &zone) == -1)
		return;
	assert(date_format(&text, seconds, zone) == 0);
	assert(date_parse(buf_bytes(&text), &again, &zone2) == 0);
	assert(seconds == again && zone == zone2);
	buf_free(&text);
}

static void
check_ip(struct bytes s)
{
	char text[IP_TEXT_MAX];
	struct ip ip, again;

	if (ip_parse(s, &ip) == -1)
		return;
	assert(ip_parse(bytes_str(ip_format(&ip, text)), &again) == 0);
	assert(ip_eq(&ip, &again));
	assert(ip_in_net(&ip, &again, 128));
}

static void
check_number(struct bytes s)
{
	struct buf text = BUF_INIT(32);
	struct bytes digits = s;
	uint64_t v;

	while (digits.n > 1 && digits.p[0] == '0')
		digits = bytes_from(digits, 1);
	if (num_parse(s, 0, UINT64_MAX, &v) == 0) {
		assert(buf_printf(&text, "%llu", (unsigned long long)v) == 0);
		assert(bytes_eq(buf_bytes(&text), digits));
	}
	buf_free(&text);
}

/* Escaped text has no byte that a terminal acts on. */
static void
check_escape(struct bytes s)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	size_t i;

	assert(msg_escape(&text, s) == 0);
	for (i = 0; i < text.n; i++)
		assert(!ascii_is_ctl(text.p[i]));
	assert(text.n >= s.n && text.n <= 4 * s.n);
	buf_free(&text);
}

/* ---- many bytes at a time, and byte by byte ---- */

static bool
is_line_mark(int c)
{
	return c == '\r' || c == '\n' || c == '\0';
}

static void
check_marks(struct bytes s)
{
	unsigned char *copy = mem_alloc(s.n);	/* and not one more */
	size_t i = 0;
	bool ascii = true;

	while (i < s.n && !is_line_mark(s.p[i]))
		i++;
	assert(eight_copy_line(copy, s.p, s.n) == i);
	assert(memcmp(copy, s.p, i) == 0);
	free(copy);
	for (i = 0; i < s.n; i++)
		ascii = ascii && s.p[i] < 0x80;
	assert(bytes_is_ascii(s) == ascii);
}

static void
check_count(struct bytes s, int c)
{
	size_t n = 0, i;

	for (i = 0; i < s.n; i++)
		n += s.p[i] == c;
	assert(bytes_count(s, c) == n);
}

/* In place as to another buffer, which is as long as what is written. */
static void
check_case(struct bytes s)
{
	unsigned char *lower = malloc(s.n + 1), *upper = malloc(s.n + 1);
	size_t i;

	assert(lower != NULL && upper != NULL);
	lower[s.n] = 'X';
	bytes_lower(lower, s);
	memcpy(upper, lower, s.n + 1);
	bytes_upper(upper, bytes_of(upper, s.n));
	for (i = 0; i < s.n; i++) {
		assert(lower[i] == ascii_lower(s.p[i]));
		assert(upper[i] == ascii_upper(s.p[i]));
	}
	assert(lower[s.n] == 'X' && upper[s.n] == 'X');
	free(lower);
	free(upper);
}

static void
check_find(struct bytes s, struct bytes needle)
{
	size_t i = 0, at = 0;

	while (i + needle.n <= s.n &&
	    !bytes_caseeq(bytes_of(s.p + i, needle.n), needle))
		i++;
	assert(bytes_casefind(s, needle, &at) == (i + needle.n <= s.n));
	assert(i + needle.n > s.n || at == i);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes s = bytes_of(data, size), head;
	size_t cap;

	check_date(s);
	check_ip(s);
	check_number(s);
	check_escape(s);
	check_strict(base64_decode, base64_encode, base64_decode_lax, s);
	check_strict(hex_decode, hex_encode, NULL, s);
	check_round_trip(base64_encode, base64_decode_lax, s);
	check_round_trip(qp_encode, qp_decode, s);
	if (!bytes_cut(&s, 1, &head))
		return 0;
	cap = head.p[0];
	check_marks(s);
	check_count(s, (int)cap);
	check_case(s);
	check_find(bytes_from(s, cap % 16), bytes_first(s, cap % 16));
	check_cap(base64_decode_lax, s, cap);
	check_cap(qp_decode, s, cap);
	check_cap(q_decode, s, cap);
	return 0;
}
