/*
 * block.c - the trusted block: what stands above our own Received field
 *
 * The rule that keeps forgeries out: only the topmost Received field of a
 * message is looked at. If it is not ours, nothing in the message is.
 */
#include "trace/trace.h"

#include <errno.h>

#include "mime/mime.h"
#include "trace/internal.h"

/* Nested comments in a field body; more is no field of ours. */
#define COMMENT_DEPTH_MAX 20

bool
trace_field_cut(struct bytes *message, struct bytes *field)
{
	struct bytes rest = *message;
	struct mime_field f;

	if (rest.n == 0 || rest.p[0] == '\n' || rest.p[0] == '\r' ||
	    !mime_next_field(&rest, &f) || f.name.n == 0)
		return false;
	*field = f.raw;
	*message = rest;
	return true;
}

bool
trace_field_is(struct bytes field, struct bytes name)
{
	struct mime_field f;

	return mime_next_field(&field, &f) && bytes_caseeq(f.name, name);
}

struct bytes
trace_field_body(struct bytes field)
{
	struct mime_field f;

	return mime_next_field(&field, &f) ? f.body : BYTES_EMPTY;
}

/* ---- reading a structured body: words, quoted strings, comments ---- */

size_t
trace_comment_length(struct bytes s)
{
	int depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '(' && ++depth > COMMENT_DEPTH_MAX)
			return 0;
		else if (s.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

size_t
trace_quoted_length(struct bytes s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return 0;
}

bool
trace_next_token(struct bytes *s, struct bytes *token)
{
	size_t n = 0;

	*s = bytes_ltrim(*s);
	if (s->n == 0)
		return false;
	if (s->p[0] == '(')
		n = trace_comment_length(*s);
	else if (s->p[0] == '"')
		n = trace_quoted_length(*s);
	else if (s->p[0] == ';')
		n = 1;
	else {
		while (n < s->n && !ascii_is_space(s->p[n]) &&
		    s->p[n] != '(' && s->p[n] != '"' && s->p[n] != ';')
			n++;
	}
	return n > 0 && bytes_cut(s, n, token);
}

/* The next token that is no comment. */
static bool
next_word(struct bytes *s, struct bytes *token)
{
	while (trace_next_token(s, token)) {
		if (token->p[0] != '(')
			return true;
	}
	return false;
}

/* The word after the clause name "by", "id" of a Received field. */
static bool
received_clause(struct bytes field, struct bytes clause, struct bytes *value)
{
	struct bytes body = trace_field_body(field), token;

	while (next_word(&body, &token) && token.p[0] != ';') {
		if (bytes_caseeq(token, clause))
			return next_word(&body, value) &&
			    value->p[0] != ';';
		/* every clause is a name and a value: skip the value, which
		 * may be the stranger's HELO name "by" */
		if (!next_word(&body, &token) || token.p[0] == ';')
			return false;
	}
	return false;
}

static bool
is_ours(struct bytes received, struct bytes hostname, struct bytes id)
{
	struct bytes value;

	if (!received_clause(received, BYTES("by"), &value) ||
	    !bytes_caseeq(value, hostname))
		return false;
	return id.n == 0 || (trace_received_id(received, &value) &&
	    bytes_eq(value, id));
}

bool
trace_received_from(struct bytes field, struct ip *ip, struct bytes *helo)
{
	struct bytes body = trace_field_body(field), token, name;
	struct ip found;
	size_t at;

	if (!next_word(&body, &token) ||
	    !bytes_caseeq(token, BYTES("from")) || !next_word(&body, &name) ||
	    !trace_next_token(&body, &token) || token.p[0] != '(' ||
	    !bytes_ends(token, BYTES("])")) || !bytes_rchr(token, '[', &at))
		return false;
	token = bytes_from(bytes_first(token, token.n - 2), at + 1);
	if (ip_parse(token, &found) == -1)
		return false;
	*ip = found;
	*helo = bytes_eq(name, BYTES("unknown")) ? BYTES_EMPTY : name;
	return true;
}

bool
trace_received_id(struct bytes field, struct bytes *id)
{
	return received_clause(field, BYTES("id"), id);
}

bool
trace_received_tls(struct bytes field, struct bytes *tls)
{
	struct bytes body = trace_field_body(field), token, inner;
	bool with = false;

	while (trace_next_token(&body, &token) && token.p[0] != ';') {
		if (token.p[0] == '(' && with) {
			inner = bytes_from(token, 1);
			inner = bytes_first(inner, inner.n - 1);
			if (!bytes_starts(inner, BYTES("TLSv")))
				continue;
			*tls = inner;
			return true;
		}
		if (token.p[0] == '(')
			continue;
		/* A name and its value, which comments may follow. */
		with = bytes_caseeq(token, BYTES("with"));
		if (!next_word(&body, &token) || token.p[0] == ';')
			return false;
	}
	return false;
}

/* ---- Authentication-Results taken apart ---- */

/* Folds become the one blank they stand for. */
static struct bytes
unfold(struct arena *a, struct bytes s)
{
	unsigned char *p = arena_alloc(a, s.n);
	size_t n = 0, i = 0;

	while (i < s.n) {
		if (s.p[i] != '\n' && s.p[i] != '\r') {
			p[n++] = s.p[i++];
			continue;
		}
		while (i < s.n && ascii_is_space(s.p[i]))
			i++;
		p[n++] = ' ';
	}
	return bytes_of(p, n);
}

/* Take the text up to the next ";" outside quotes and comments off *s. */
static bool
next_resinfo(struct bytes *s, struct bytes *out)
{
	struct bytes rest = *s, token;
	const unsigned char *start;

	rest = bytes_ltrim(rest);
	if (rest.n == 0)
		return false;
	start = rest.p;
	while (trace_next_token(&rest, &token)) {
		if (token.p[0] == ';') {
			*out = bytes_rtrim(bytes_of(start,
			    (size_t)(token.p - start)));
			*s = rest;
			return true;
		}
	}
	*out = bytes_rtrim(bytes_of(start, (size_t)(s->p + s->n - start)));
	*s = BYTES_EMPTY;
	return true;
}

static bool
add_results(struct arena *a, struct bytes field, struct trace_block *block)
{
	struct bytes body = unfold(a, trace_field_body(field)), info;

	if (!next_resinfo(&body, &info))	/* the authserv-id */
		return true;
	while (next_resinfo(&body, &info)) {
		if (info.n == 0 || bytes_caseeq(info, BYTES("none")))
			continue;
		if (block->nresinfo == TRACE_BLOCK_MAX)
			return false;
		block->resinfo[block->nresinfo++] = info;
	}
	return true;
}

static bool
add_field(struct arena *a, struct bytes field, struct bytes hostname,
    struct trace_block *b)
{
	if (b->ntop + b->nspf >= TRACE_BLOCK_MAX)
		return false;
	if (trace_is_ours(a, field, hostname)) {
		b->has_results = true;
		return add_results(a, field, b);
	}
	if (trace_field_is(field, BYTES("Received-SPF")))
		b->spf[b->nspf++] = field;
	else
		b->top[b->ntop++] = field;
	return true;
}

/* No more results than semicolons above rest, nor than TRACE_BLOCK_MAX. */
static size_t
count_resinfo(struct bytes message, struct bytes rest)
{
	struct bytes block = bytes_first(message, message.n - rest.n);
	size_t n = 1;

	for (size_t i = 0; i < block.n && n < TRACE_BLOCK_MAX; i++) {
		if (block.p[i] == ';')
			n++;
	}
	return n;
}

int
trace_block_parse(struct arena *a, struct bytes message,
    struct bytes hostname, struct bytes id, struct trace_block *block,
    struct bytes *rest)
{
	struct bytes list[TRACE_BLOCK_MAX], field, left = message;
	struct trace_block b = { .received = BYTES_EMPTY };
	size_t n = 0;

	for (;;) {
		if (n == TRACE_BLOCK_MAX || !trace_field_cut(&left, &field))
			return 0;
		if (trace_field_is(field, BYTES("Received")))
			break;
		list[n++] = field;
	}
	if (!is_ours(field, hostname, id))
		return 0;
	b.received = field;
	b.top = arena_zalloc(a, n, sizeof(*b.top));
	b.spf = arena_zalloc(a, n, sizeof(*b.spf));
	b.resinfo = arena_zalloc(a, count_resinfo(message, left),
	    sizeof(*b.resinfo));
	for (size_t i = 0; i < n; i++) {
		if (!add_field(a, list[i], hostname, &b))
			return 0;
	}
	*block = b;
	*rest = left;
	return 1;
}

int
trace_block_format(struct buf *out, const struct trace_block *block,
    struct bytes hostname)
{
	size_t start = out->n;
	int r = 0;

	for (size_t i = 0; i < block->ntop && r == 0; i++)
		r = buf_add(out, block->top[i]);
	if (r == 0 && block->has_results)
		r = trace_results(out, hostname, block->resinfo,
		    block->nresinfo);
	for (size_t i = 0; i < block->nspf && r == 0; i++)
		r = buf_add(out, block->spf[i]);
	if (r == 0)
		r = buf_add(out, block->received);
	if (r == 0)
		return 0;
	out->n = start;
	errno = EMSGSIZE;
	return -1;
}

size_t
trace_count_fields(struct bytes message, struct bytes name, size_t limit)
{
	struct bytes header, body;
	struct mime_field f;
	size_t n = 0;

	mime_split(message, &header, &body);
	while (n <= limit && mime_next_field(&header, &f)) {
		if (bytes_caseeq(f.name, name))
			n++;
	}
	return n;
}
