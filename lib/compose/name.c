/*
 * name.c - display names
 */
#include "compose/compose.h"

#include <errno.h>

#include "unicode/unicode.h"

/* Octets in one encoded word: base64 of them and "=?utf-8?B??=" stay below
 * the 75 of RFC 2047 2. */
#define WORD_OCTETS 42

static bool
is_atext(int c)
{
	size_t at;

	return ascii_is_alnum(c) ||
	    bytes_chr(BYTES("!#$%&'*+-/=?^_`{|}~"), c, &at);
}

static bool
is_plain(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (!is_atext(name.p[i]) && name.p[i] != ' ')
			return false;
	}
	return true;
}

static void
add_quoted(struct buf *out, struct bytes name)
{
	(void)buf_addc(out, '"');	/* full is told at the end */
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			(void)buf_addc(out, '\\');	/* likewise */
		(void)buf_addc(out, name.p[i]);	/* likewise */
	}
	(void)buf_addc(out, '"');	/* likewise */
}

/* How much fits one encoded word: whole characters. */
static size_t
word_length(struct bytes s)
{
	size_t n = s.n < WORD_OCTETS ? s.n : WORD_OCTETS;

	while (n > 0 && n < s.n && (s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void
add_encoded(struct buf *out, struct bytes name)
{
	struct bytes word = BYTES_EMPTY;
	bool first = true;

	while (name.n > 0) {
		(void)bytes_cut(&name, word_length(name), &word); /* there */
		(void)buf_adds(out, first ? "=?utf-8?B?" : "\n =?utf-8?B?");
		(void)base64_encode(out, word);	/* full is told at the end */
		(void)buf_adds(out, "?=");	/* likewise */
		first = false;
	}
}

int
compose_add_name(struct buf *out, struct bytes name)
{
	if (name.n > COMPOSE_NAME_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	for (size_t i = 0; i < name.n; i++) {
		if (ascii_is_ctl(name.p[i])) {
			errno = EBADMSG;
			return -1;
		}
	}
	if (!unicode_valid_utf8(name)) {
		errno = EBADMSG;
		return -1;
	}
	if (!bytes_is_ascii(name))
		add_encoded(out, name);
	else if (is_plain(name))
		(void)buf_add(out, name);	/* full is told below */
	else
		add_quoted(out, name);
	if (!out->full)
		return 0;
	errno = EMSGSIZE;
	return -1;
}
