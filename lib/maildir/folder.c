/*
 * Folder names. Maildir++ separates levels with a dot, so a dot in a name
 * has to go through modified UTF-7 (RFC 3501 5.1.3) although it could stand
 * for itself there. Each mailbox has exactly one folder name: what does not
 * come out the same when written again is not ours.
 */
#include "maildir/maildir.h"

#include <errno.h>

#define MODIFIED_B64 \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,"

/* Bits waiting to be written as base64. */
struct shift {
	bool on;
	uint32_t bits;
	unsigned int n;
};

static bool
is_direct(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e && c != '&' && c != '.' && c != '/';
}

/* The next code point of UTF-8 text; false on anything malformed. */
static bool
next_utf8(struct bytes *s, uint32_t *out)
{
	static const uint32_t least[4] = { 0, 0x80, 0x800, 0x10000 };
	int c = bytes_next(s);
	unsigned int more, i;
	uint32_t v;

	if (c < 0x80) {
		*out = (uint32_t)c;
		return c >= 0;
	}
	more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
	if (c < 0xc2 || c > 0xf4)
		return false;
	v = (uint32_t)c & (0x3fu >> more);
	for (i = 0; i < more; i++) {
		c = bytes_next(s);
		if ((c & 0xc0) != 0x80 || c < 0)
			return false;
		v = v << 6 | ((uint32_t)c & 0x3f);
	}
	if (v < least[more] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return false;
	*out = v;
	return true;
}

static void
shift_unit(struct buf *out, struct shift *sh, uint32_t unit)
{
	if (!sh->on)
		(void)buf_addc(out, '&');	/* full tells, here and below */
	sh->on = true;
	sh->bits = sh->bits << 16 | unit;
	sh->n += 16;
	while (sh->n >= 6) {
		sh->n -= 6;
		(void)buf_addc(out,
		    MODIFIED_B64[(sh->bits >> sh->n) & 0x3f]);
	}
}

static void
shift_end(struct buf *out, struct shift *sh)
{
	if (!sh->on)
		return;
	if (sh->n > 0)
		(void)buf_addc(out,
		    MODIFIED_B64[(sh->bits << (6 - sh->n)) & 0x3f]);
	(void)buf_addc(out, '-');
	*sh = (struct shift){ 0 };
}

static int
add_element(struct buf *out, struct bytes s)
{
	struct shift sh = { 0 };
	uint32_t c;

	while (s.n > 0) {
		if (!next_utf8(&s, &c)) {
			errno = EBADMSG;
			return -1;
		}
		if (is_direct(c)) {
			shift_end(out, &sh);
			(void)buf_addc(out, (int)c);
		} else if (c == '&') {
			shift_end(out, &sh);
			(void)buf_adds(out, "&-");
		} else if (c < 0x10000) {
			shift_unit(out, &sh, c);
		} else {
			shift_unit(out, &sh, 0xd800 + ((c - 0x10000) >> 10));
			shift_unit(out, &sh, 0xdc00 + ((c - 0x10000) & 0x3ff));
		}
	}
	shift_end(out, &sh);
	return 0;
}

int
maildir_folder_format(struct buf *out, struct bytes mailbox)
{
	struct bytes rest = mailbox, element;
	bool more;

	if (bytes_eq(mailbox, BYTES("INBOX")))
		return 0;
	do {
		more = bytes_split(&rest, '/', &element);
		(void)buf_addc(out, '.');	/* full tells */
		if (add_element(out, element) == -1)
			return -1;
	} while (more);
	if (out->full) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

static void
put_utf8(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		(void)buf_addc(out, (int)c);	/* full tells, here and below */
		return;
	}
	if (c < 0x800) {
		(void)buf_addc(out, (int)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			(void)buf_addc(out, (int)(0xe0 | c >> 12));
		} else {
			(void)buf_addc(out, (int)(0xf0 | c >> 18));
			(void)buf_addc(out, (int)(0x80 | (c >> 12 & 0x3f)));
		}
		(void)buf_addc(out, (int)(0x80 | (c >> 6 & 0x3f)));
	}
	(void)buf_addc(out, (int)(0x80 | (c & 0x3f)));
}

static int
b64_value(int c)
{
	size_t at;

	return c > 0 && bytes_chr(BYTES(MODIFIED_B64), c, &at) ? (int)at : -1;
}

/* After "&": base64 of UTF-16 up to "-". False when malformed. */
static bool
add_shifted(struct buf *out, struct bytes *s)
{
	uint32_t bits = 0, high = 0, unit;
	unsigned int n = 0;
	int c, v;

	while ((c = bytes_next(s)) != '-') {
		if ((v = b64_value(c)) == -1)
			return false;
		bits = bits << 6 | (uint32_t)v;
		if ((n += 6) < 16)
			continue;
		n -= 16;
		unit = (bits >> n) & 0xffff;
		if (unit >= 0xd800 && unit < 0xdc00) {
			if (high != 0)
				return false;
			high = unit;
		} else if (unit >= 0xdc00 && unit < 0xe000) {
			if (high == 0)
				return false;
			put_utf8(out, 0x10000 + ((high - 0xd800) << 10) +
			    (unit - 0xdc00));
			high = 0;
		} else if (high != 0) {
			return false;
		} else {
			put_utf8(out, unit);
		}
	}
	return high == 0;
}

static bool
decode(struct buf *out, struct bytes folder)
{
	struct bytes s = folder;
	int c;

	if (s.n == 0)
		return buf_adds(out, "INBOX") == 0;
	if (bytes_next(&s) != '.')
		return false;
	while ((c = bytes_next(&s)) != -1) {
		if (c == '.') {
			(void)buf_addc(out, '/');	/* full tells */
		} else if (c != '&') {
			if (!is_direct((uint32_t)c))
				return false;
			(void)buf_addc(out, c);
		} else if (bytes_at(s, 0) == '-') {
			(void)bytes_next(&s);	/* "&-" is "&" */
			(void)buf_addc(out, '&');
		} else if (!add_shifted(out, &s)) {
			return false;
		}
	}
	return !out->full;
}

int
maildir_folder_parse(struct buf *out, struct bytes folder)
{
	struct buf name = BUF_INIT(4096), again = BUF_INIT(4096);
	int r = -1;

	if (decode(&name, folder) &&
	    maildir_folder_format(&again, buf_bytes(&name)) == 0 &&
	    bytes_eq(buf_bytes(&again), folder))
		r = buf_add(out, buf_bytes(&name));
	else
		errno = EBADMSG;
	buf_free(&name);
	buf_free(&again);
	return r;
}
