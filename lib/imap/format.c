/*
 * format.c - elements of responses (RFC 3501 9)
 */
#include "imap/internal.h"

#include "unicode/unicode.h"

/* Longer strings go as literals; a quoted one is a line of a client. */
#define QUOTED_MAX 1000

int
imap_add_string(struct buf *out, struct bytes s)
{
	bool plain = s.n <= QUOTED_MAX;
	size_t i;

	for (i = 0; plain && i < s.n; i++)
		plain = s.p[i] >= 0x20 && s.p[i] < 0x7f;
	if (!plain) {
		if (buf_printf(out, "{%zu}\r\n", s.n) == -1)
			return -1;
		return buf_add(out, s);
	}
	if (buf_addc(out, '"') == -1)
		return -1;
	for (i = 0; i < s.n; i++) {
		if ((s.p[i] == '"' || s.p[i] == '\\') &&
		    buf_addc(out, '\\') == -1)
			return -1;
		if (buf_addc(out, s.p[i]) == -1)
			return -1;
	}
	return buf_addc(out, '"');
}

int
imap_add_astring(struct buf *out, struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		int c = s.p[i];

		if (c <= 0x20 || c >= 0x7f || strchr("(){%*\"\\]", c) != NULL)
			break;
	}
	/* NIL as an atom would be no string. */
	if (s.n == 0 || i < s.n || bytes_caseeq(s, BYTES("NIL")))
		return imap_add_string(out, s);
	return buf_add(out, s);
}

/* RFC 9051 9: quoted, UTF-8 as it is. Names hold no control bytes. */
static void
add_utf8(struct buf *out, struct bytes name)
{
	size_t i;

	buf_addc(out, '"');
	for (i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, name.p[i]);
	}
	buf_addc(out, '"');
}

void
add_mailbox(struct imap *im, struct bytes name)
{
	struct bytes utf7;

	if (utf8_names(im) && !bytes_is_ascii(name))
		add_utf8(&im->out, name);
	else if (utf8_names(im))
		(void)imap_add_astring(&im->out, name);	/* full: seen later */
	else if (imap_utf7_encode(&im->arena, name, &utf7) == 0)
		(void)imap_add_astring(&im->out, utf7);	/* full: seen later */
}

int
add_internal_date(struct buf *out, int64_t seconds)
{
	struct date d = date_from_unix(seconds);

	return buf_printf(out, "\"%02d-%.3s-%04lld %02d:%02d:%02d +0000\"",
	    d.day, &DATE_MONTHS[(d.month - 1) * 3], (long long)d.year, d.hour,
	    d.min, d.sec);
}
