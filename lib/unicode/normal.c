/*
 * normal.c - normal forms and case, by libunistring
 */
#include "unicode/unicode.h"

#include <errno.h>
#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>

#include "unicode/internal.h"

struct bytes
unicode_adopt(struct arena *a, void *p, size_t n)
{
	struct bytes out;

	if (p == NULL)
		(void)mem_alloc(PTRDIFF_MAX);	/* does not return */
	out = arena_bytes(a, bytes_of(p, n));
	free(p);
	return out;
}

int
unicode_nfc(struct arena *a, struct bytes s, struct bytes *out)
{
	size_t n = 0;
	void *p;

	if (bytes_is_ascii(s)) {
		*out = s;
		return 0;
	}
	if (!unicode_valid_utf8(s)) {
		errno = EBADMSG;
		return -1;
	}
	p = u8_normalize(UNINORM_NFC, s.p, s.n, NULL, &n);
	*out = unicode_adopt(a, p, n);
	return 0;
}

int
unicode_lower(struct arena *a, struct bytes s, struct bytes *out)
{
	size_t n = 0;
	void *p;

	if (bytes_is_ascii(s)) {
		*out = arena_lower(a, s);
		return 0;
	}
	if (!unicode_valid_utf8(s)) {
		errno = EBADMSG;
		return -1;
	}
	/* "" is the language without special rules. */
	p = u8_tolower(s.p, s.n, "", UNINORM_NFC, NULL, &n);
	*out = unicode_adopt(a, p, n);
	return 0;
}

struct bytes
unicode_fold(struct arena *a, struct bytes s)
{
	size_t n = 0;
	void *p;

	if (bytes_is_ascii(s))
		return arena_lower(a, s);
	s = unicode_clean(a, s);
	p = u8_casefold(s.p, s.n, "", UNINORM_NFKD, NULL, &n);
	return unicode_adopt(a, p, n);
}
