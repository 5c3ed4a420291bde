/*
 * forged.c - fields of strangers that claim to be ours (RFC 8601 5)
 *
 * Whoever reads a message may look for our name alone. So names are compared
 * in all ways they can be written, and what is malformed behind them does not
 * save a field.
 */
#include "trace/trace.h"

#include <string.h>

#include "mime/mime.h"
#include "trace/internal.h"
#include "unicode/unicode.h"

/* What a name ends before that is not quoted (RFC 2045 5.1, tspecials). */
static bool
is_special(unsigned char c)
{
	return c != '\0' && strchr("()<>@,;:\\\"/[]?=", c) != NULL;
}

/* The inner text of a quoted string, in the arena. */
static struct bytes
unquote(struct arena *a, struct bytes token)
{
	struct bytes s = bytes_of(token.p + 1, token.n - 2);
	unsigned char *p = arena_alloc(a, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		p[n++] = s.p[i];
	}
	return bytes_of(p, n);
}

bool
trace_results_id(struct arena *a, struct bytes field, struct bytes *id)
{
	struct bytes body = trace_field_body(field), token;
	size_t n = 0;

	do {
		if (!trace_next_token(&body, &token) || token.p[0] == ';')
			return false;
	} while (token.p[0] == '(');
	if (token.p[0] == '"') {
		*id = unquote(a, token);
		return true;
	}
	while (n < token.n && !is_special(token.p[n]))
		n++;
	*id = bytes_first(token, n);
	return n > 0;
}

/* The same host, with or without the final dot, in U-labels or A-labels? */
static bool
is_name(struct arena *a, struct bytes name, struct bytes hostname)
{
	struct bytes ascii, ours;

	if (bytes_ends(name, BYTES(".")))
		name = bytes_first(name, name.n - 1);
	if (bytes_caseeq(name, hostname))
		return true;
	if (bytes_is_ascii(name) && bytes_is_ascii(hostname))
		return false;
	return idna_to_ascii(a, name, &ascii, NULL) == 0 &&
	    idna_to_ascii(a, hostname, &ours, NULL) == 0 &&
	    bytes_caseeq(ascii, ours);
}

bool
trace_is_ours(struct arena *a, struct bytes field, struct bytes hostname)
{
	struct bytes id;

	return trace_field_is(field, BYTES("Authentication-Results")) &&
	    trace_results_id(a, field, &id) && is_name(a, id, hostname);
}

/* "receiver=..." without comments and blanks. */
static bool
is_our_pair(struct arena *a, struct bytes pair, struct bytes hostname)
{
	return bytes_caseskip(&pair, BYTES("receiver=")) &&
	    is_name(a, pair, hostname);
}

/* A Received-SPF field whose receiver is us (RFC 7208 9.1)? */
static bool
is_our_spf(struct arena *a, struct bytes field, struct bytes hostname)
{
	struct bytes body = trace_field_body(field), token;
	bool is_result = true, found = false;
	unsigned char *pair;
	size_t n = 0;

	pair = arena_alloc(a, body.n);
	while (!found && trace_next_token(&body, &token)) {
		if (token.p[0] == '(')
			continue;
		if (token.p[0] == ';') {
			found = is_our_pair(a, bytes_of(pair, n), hostname);
			n = 0;
			continue;
		}
		if (token.p[0] == '"')
			token = unquote(a, token);
		if (!is_result) {
			memcpy(pair + n, token.p, token.n);
			n += token.n;
		}
		is_result = false;	/* the first word */
	}
	return found || is_our_pair(a, bytes_of(pair, n), hostname);
}

static bool
is_forged(struct arena *a, const struct mime_field *f, struct bytes hostname)
{
	if (bytes_caseeq(f->name, BYTES("Received-SPF")))
		return is_our_spf(a, f->raw, hostname);
	return bytes_caseeq(f->name, BYTES("Authentication-Results")) &&
	    trace_is_ours(a, f->raw, hostname);
}

struct bytes
trace_remove_forged(struct arena *a, struct bytes message,
    struct bytes hostname)
{
	struct bytes header, rest, field;
	struct mime_field f;
	unsigned char *p = NULL;
	size_t n = 0;

	mime_split(message, &header, &rest);
	rest = header;
	while (mime_next_field(&rest, &f)) {
		field = f.raw;
		if (!is_forged(a, &f, hostname)) {
			if (p != NULL) {
				memcpy(p + n, field.p, field.n);
				n += field.n;
			}
			continue;
		}
		if (p == NULL) {
			p = arena_alloc(a, message.n);
			n = (size_t)(field.p - message.p);
			memcpy(p, message.p, n);
		}
	}
	if (p == NULL)
		return message;
	rest = bytes_from(message, header.n);
	memcpy(p + n, rest.p, rest.n);
	return bytes_of(p, n + rest.n);
}
