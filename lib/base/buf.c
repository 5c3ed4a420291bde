/* buf.c - a growing buffer with a cap */
#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_MIN ((size_t)256)

static int
too_long(struct buf *b)
{
	b->full = true;
	errno = EMSGSIZE;
	return -1;
}

/* One byte more than asked for is always there, for vsnprintf's NUL. */
int
buf_room(struct buf *b, size_t n)
{
	size_t want, size;

	if (b->full || n > b->max - b->n)
		return too_long(b);
	if (!size_add(b->n, n, &want) || !size_add(want, 1, &want))
		return too_long(b);
	if (want <= b->size)
		return 0;
	size = b->size < BUF_MIN ? BUF_MIN : b->size;
	while (size < want && size <= SIZE_MAX / 2)
		size *= 2;
	if (size > b->max && b->max < SIZE_MAX)
		size = b->max + 1;
	if (size < want)
		size = want;
	b->p = mem_realloc(b->p, size);
	b->size = size;
	return 0;
}

int
buf_add(struct buf *b, struct bytes s)
{
	if (buf_room(b, s.n) == -1)
		return -1;
	memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	return 0;
}

int
buf_addc(struct buf *b, int c)
{
	if (b->n + 1 < b->size && b->n < b->max && !b->full) {
		b->p[b->n++] = (unsigned char)c;
		return 0;
	}
	if (buf_room(b, 1) == -1)
		return -1;
	b->p[b->n++] = (unsigned char)c;
	return 0;
}

int
buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, bytes_str(s));
}

int
buf_addnum(struct buf *b, uint64_t n)
{
	unsigned char digits[20], *p = digits + sizeof(digits);

	do {
		*--p = (unsigned char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return buf_add(b, bytes_of(p, (size_t)(digits + sizeof(digits) - p)));
}

int
buf_vprintf(struct buf *b, const char *format, va_list ap)
{
	va_list again;
	size_t room;
	int n;

	if (buf_room(b, 0) == -1)
		return -1;
	va_copy(again, ap);
	room = b->size - b->n;
	n = vsnprintf((char *)b->p + b->n, room, format, ap);
	if (n >= 0 && (size_t)n >= room) {
		if (buf_room(b, (size_t)n) == -1) {
			va_end(again);
			return -1;
		}
		n = vsnprintf((char *)b->p + b->n, (size_t)n + 1, format,
		    again);
	}
	va_end(again);
	if (n < 0 || (size_t)n > b->max - b->n)
		return too_long(b);
	b->n += (size_t)n;
	return 0;
}

int
buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	r = buf_vprintf(b, format, ap);
	va_end(ap);
	return r;
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

struct bytes
buf_bytes(const struct buf *b)
{
	return bytes_of(b->p, b->n);
}

void
buf_reset(struct buf *b)
{
	b->n = 0;
	b->full = false;
}

void
buf_free(struct buf *b)
{
	free(b->p);
	*b = BUF_INIT(b->max);
}
