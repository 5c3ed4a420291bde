/*
 * header.c - the header section and its fields (RFC 5322 2.2, 3.5, 4.5)
 */
#include "mime/mime.h"

#include "mime/internal.h"

struct bytes
mime_skip_from_line(struct bytes message)
{
	struct bytes line, rest = message;

	if (!bytes_starts(message, BYTES("From ")) &&
	    !bytes_starts(message, BYTES(">From ")))
		return message;
	(void)bytes_line(&rest, &line);		/* not empty: it began so */
	return mime_skip_from_line(rest);
}

void
mime_split(struct bytes message, struct bytes *header, struct bytes *body)
{
	struct bytes rest = message, before, line;

	for (;;) {
		before = rest;
		if (!bytes_line(&rest, &line)) {
			*header = message;
			*body = BYTES_EMPTY;
			return;
		}
		/* A last line that is a lone CR is no empty line. */
		if (line.n == 0 && bytes_at(message,
		    message.n - rest.n - 1) == '\n')
			break;
	}
	*header = bytes_first(message, message.n - before.n);
	*body = rest;
}

/* RFC 5322 3.6.8 ftext. */
static bool
is_field_name(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		int c = bytes_at(s, i);

		if (c <= 0x20 || c >= 0x7f)
			return false;
	}
	return s.n > 0;
}

bool
mime_next_field(struct bytes *header, struct mime_field *out)
{
	struct bytes rest = *header, line, name, body;
	size_t colon;

	if (!bytes_line(&rest, &line))
		return false;
	while (ascii_is_wsp(bytes_at(rest, 0)))
		(void)bytes_line(&rest, &line);		/* it has a blank */
	out->raw = bytes_first(*header, header->n - rest.n);
	body = out->raw;
	if (bytes_at(body, body.n - 1) == '\n')
		body.n--;
	if (bytes_at(body, body.n - 1) == '\r')
		body.n--;
	out->name = BYTES_EMPTY;
	out->body = body = bytes_of(body.p, body.n);
	if (bytes_chr(body, ':', &colon)) {
		name = bytes_first(body, colon);
		while (ascii_is_wsp(bytes_at(name, name.n - 1)))
			name.n--;
		if (is_field_name(name)) {
			out->name = name;
			out->body = bytes_from(body, colon + 1);
		}
	}
	*header = rest;
	return true;
}

bool
mime_find_field(struct bytes header, struct bytes name, size_t nth,
    struct mime_field *out)
{
	struct mime_field f;

	while (mime_next_field(&header, &f)) {
		if (bytes_caseeq(f.name, name) && f.name.n > 0 && nth-- == 0) {
			*out = f;
			return true;
		}
	}
	return false;
}

bool
mime_find_last(struct bytes header, struct bytes name, struct mime_field *out)
{
	struct mime_field f;
	bool found = false;

	while (mime_next_field(&header, &f)) {
		if (bytes_caseeq(f.name, name) && f.name.n > 0) {
			*out = f;
			found = true;
		}
	}
	return found;
}

size_t
mime_count_fields(struct bytes header, struct bytes name)
{
	struct mime_field f;
	size_t n = 0;

	while (mime_next_field(&header, &f))
		n += f.name.n > 0 && bytes_caseeq(f.name, name);
	return n;
}

struct bytes
mime_unfold(struct arena *a, struct bytes body)
{
	struct bytes line;
	unsigned char *p;
	size_t n = 0, at;

	body = bytes_trim(body);
	if (!bytes_chr(body, '\n', &at))
		return body;
	p = arena_alloc(a, body.n);
	while (bytes_line(&body, &line)) {
		memcpy(p + n, line.p, line.n);
		n += line.n;
	}
	return bytes_of(p, n);
}

struct bytes
mime_field_value(struct arena *a, struct bytes header, struct bytes name)
{
	struct mime_field f;

	if (!mime_find_field(header, name, 0, &f))
		return BYTES_EMPTY;
	return mime_unfold(a, f.body);
}

void
field_walk_init(struct field_walk *w, struct bytes header)
{
	w->rest = bytes_first(header, MIME_HEADER_MAX);
	w->left = MIME_FIELDS_MAX;
	w->cut = header.n > MIME_HEADER_MAX;
}

bool
field_walk_next(struct field_walk *w, struct mime_field *out)
{
	if (w->left == 0) {
		w->cut |= w->rest.n > 0;
		return false;
	}
	w->left--;
	return mime_next_field(&w->rest, out);
}
