/*
 * envelope.c - fields of ENVELOPE as the index keeps it
 *
 * SEARCH, SORT and THREAD read it for each message of a mailbox: fields
 * before the wanted one are stepped over, and text is copied only where a
 * string has a backslash in it.
 */
#include "imap/search.h"

#include <string.h>

static const char *const names[ENV_FIELDS] = { "DATE", "SUBJECT", "FROM",
	"SENDER", "REPLY-TO", "TO", "CC", "BCC", "IN-REPLY-TO",
	"MESSAGE-ID" };

bool
envelope_number(struct bytes name, enum env_field *which)
{
	enum env_field i;

	for (i = ENV_SUBJECT; i < ENV_FIELDS; i++) {
		if (bytes_caseeq(name, bytes_str(names[i]))) {
			*which = i;
			return true;
		}
	}
	return false;
}

/* The length of a quoted string at the front, quotes included; 0: none.
 * *plain: it has no backslash. */
static size_t
quoted_length(struct bytes s, bool *plain)
{
	const unsigned char *end = s.n < 2 ? NULL
	    : memchr(s.p + 1, '"', s.n - 1);
	size_t i, n = end == NULL ? 0 : (size_t)(end - s.p) + 1;

	*plain = n > 0 && memchr(s.p, '\\', n) == NULL;
	if (*plain)
		return n;
	for (i = 1; i < s.n && s.p[i] != '"'; i++) {
		if (s.p[i] == '\\')
			i++;
	}
	return i < s.n ? i + 1 : 0;
}

/* Step over "{5}" line end and five bytes. */
static bool
skip_literal(struct bytes *s)
{
	struct bytes octets;
	uint64_t n;

	*s = bytes_from(*s, 1);
	return num_cut(s, s->n, &n) == 0 && bytes_skip(s, BYTES("}\r\n")) &&
	    bytes_cut(s, (size_t)n, &octets);
}

/* Step over one string, NIL or list. */
static bool
skip_element(struct bytes *s)
{
	size_t depth = 0, n;
	bool plain;

	do {
		switch (bytes_at(*s, 0)) {
		case '"':
			if ((n = quoted_length(*s, &plain)) == 0)
				return false;
			*s = bytes_from(*s, n);
			break;
		case '{':
			if (!skip_literal(s))
				return false;
			break;
		case '(':
			depth++;
			*s = bytes_from(*s, 1);
			break;
		case ')':
			if (depth-- == 0)
				return false;
			*s = bytes_from(*s, 1);
			break;
		case ' ':
			*s = bytes_from(*s, 1);
			break;
		default:
			if (!bytes_skip(s, BYTES("NIL")))
				return false;
			break;
		}
	} while (depth > 0);
	return true;
}

/* What begins with a field. */
static bool
cut_field(struct bytes envelope, enum env_field which, struct bytes *out)
{
	enum env_field i;

	if (envelope.n == 0)
		return false;
	for (i = ENV_DATE; i < which; i++) {
		if (!skip_element(&envelope) ||
		    !bytes_skip(&envelope, BYTES(" ")))
			return false;
	}
	*out = envelope;
	return true;
}

/* A string without backslashes is given as it stands. */
static bool
cut_string(struct parser *p, struct bytes *out)
{
	bool plain = false, there;
	size_t n = bytes_at(p->s, 0) != '"' ? 0
	    : quoted_length(p->s, &plain);

	if (plain) {
		*out = bytes_of(p->s.p + 1, n - 2);
		p->s = bytes_from(p->s, n);
		return true;
	}
	return parse_nstring(p, out, &there);
}

static bool
cut_address(struct parser *p, struct env_address *out)
{
	struct bytes route;

	return cut_string(p, &out->name) && parse_space(p) &&
	    cut_string(p, &route) && parse_space(p) &&
	    cut_string(p, &out->mailbox) && parse_space(p) &&
	    cut_string(p, &out->host) && parse_char(p, ')');
}

/* "((name route mailbox host) ...)" as "name <mailbox@host>, ". */
static bool
addresses_text(struct parser *p, struct buf *b)
{
	struct env_address at;

	if (bytes_skip(&p->s, BYTES("NIL")))
		return true;
	if (!parse_char(p, '('))
		return false;
	while (parse_optional(p, '(')) {
		bool host;

		if (!cut_address(p, &at))
			return false;
		host = at.host.n > 0;
		buf_add(b, at.name);
		buf_adds(b, " <");
		buf_add(b, at.mailbox);
		if (host)
			buf_addc(b, '@');
		buf_add(b, at.host);
		buf_adds(b, ">, ");
		(void)parse_optional(p, ' ');	/* RFC 3501 has none */
	}
	return parse_char(p, ')') && !b->full;
}

bool
envelope_text(struct arena *a, struct buf *b, struct bytes envelope,
    enum env_field which, struct bytes *out)
{
	struct parser p = { .a = a };

	if (!cut_field(envelope, which, &p.s))
		return false;
	if (which < ENV_FROM || which > ENV_BCC)
		return cut_string(&p, out);
	buf_reset(b);
	if (!addresses_text(&p, b))
		return false;
	*out = buf_bytes(b);
	return true;
}

bool
envelope_address(struct arena *a, struct bytes envelope,
    enum env_field which, struct env_address *out)
{
	struct parser p = { .a = a };

	*out = (struct env_address){ BYTES_EMPTY, BYTES_EMPTY, BYTES_EMPTY };
	if (!cut_field(envelope, which, &p.s))
		return false;
	return bytes_skip(&p.s, BYTES("NIL")) || (parse_char(&p, '(') &&
	    parse_char(&p, '(') && cut_address(&p, out));
}

struct bytes
envelope_decode(struct arena *a, struct bytes text)
{
	size_t at;

	/* One byte is looked for faster than two. */
	return bytes_is_ascii(text) && (!bytes_chr(text, '=', &at) ||
	    !bytes_find(text, BYTES("=?"), &at))
	    ? text : mime_decode_words(a, text);
}
