/*
 * value.c - structured values: types, parameters (RFC 2045 5.1, RFC 2231)
 */
#include "mime/mime.h"

#include <stdlib.h>

#include "mime/internal.h"
#include "unicode/unicode.h"

struct bytes
value_one_line(struct arena *a, struct bytes s)
{
	struct bytes line;
	unsigned char *p;
	size_t at, n = 0;

	while (ascii_is_wsp(bytes_at(s, 0)))
		s = bytes_from(s, 1);
	if (!bytes_chr(s, '\n', &at))
		return s;
	p = arena_alloc(a, s.n);
	while (bytes_line(&s, &line)) {
		memcpy(p + n, line.p, line.n);
		n += line.n;
	}
	return bytes_of(p, n);
}

struct bytes
value_without_controls(struct arena *a, struct bytes s)
{
	unsigned char *p;
	size_t i;

	if (!bytes_chr(s, '\n', &i) && !bytes_chr(s, '\r', &i) &&
	    !bytes_has_nul(s))
		return s;
	p = arena_alloc(a, s.n);
	for (i = 0; i < s.n; i++) {
		int c = bytes_at(s, i);

		p[i] = (unsigned char)(c == '\n' || c == '\r' || c == 0
		    ? ' ' : c);
	}
	return bytes_of(p, s.n);
}

void
value_skip_cfws(struct bytes *s)
{
	size_t depth = 0;
	int c;

	while ((c = bytes_at(*s, 0)) != -1) {
		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (c == '\\' && depth > 0)
			*s = bytes_from(*s, 1);
		else if (depth == 0 && !ascii_is_space(c))
			return;
		*s = bytes_from(*s, 1);
	}
}

/* RFC 2045 5.1 token, bytes beyond ASCII let through. */
static bool
is_token_char(int c)
{
	return c > 0x20 && c != 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static struct bytes
cut_token(struct bytes *s)
{
	struct bytes token;
	size_t n = 0;

	while (is_token_char(bytes_at(*s, n)))
		n++;
	(void)bytes_cut(s, n, &token);		/* n was counted in it */
	value_skip_cfws(s);
	return token;
}

struct bytes
value_token(struct bytes body)
{
	value_skip_cfws(&body);
	return cut_token(&body);
}

/* ---- parameters ---- */

/* One as it stands; section is its number in a continuation, or -1. */
struct piece {
	struct bytes token;		/* the name as written */
	struct bytes name;		/* without "*..." */
	struct bytes value;
	int64_t section;
	bool is_extended;
	size_t order;
};

static bool
cut_quoted(struct arena *a, struct bytes *s, struct bytes *out)
{
	unsigned char *p = arena_alloc(a, s->n);
	size_t n = 0;
	int c;

	(void)bytes_next(s);			/* the quote */
	while ((c = bytes_next(s)) != '"') {
		if (c == '\\')
			c = bytes_next(s);
		if (c == -1)
			break;
		if (c != '\r' && c != '\n')
			p[n++] = (unsigned char)c;
	}
	*out = bytes_of(p, n);
	value_skip_cfws(s);
	return c == '"';
}

/* A value that breaks the grammar: up to ";" or a blank. */
static struct bytes
cut_broken(struct bytes *s)
{
	struct bytes out;
	size_t n = 0;
	int c;

	while ((c = bytes_at(*s, n)) != -1 && c != ';' && !ascii_is_space(c))
		n++;
	(void)bytes_cut(s, n, &out);		/* n was counted in it */
	value_skip_cfws(s);
	return out;
}

/* "name", "name*", "name*0", "name*0*" apart. */
static void
split_name(struct bytes token, struct piece *out)
{
	struct bytes rest = token, name, number;
	uint64_t n;

	out->token = token;
	out->section = -1;
	out->is_extended = false;
	if (bytes_split(&rest, '*', &name)) {
		number = rest;
		if (rest.n == 0) {
			out->is_extended = true;
			token = name;
		} else {
			if (bytes_ends(rest, BYTES("*")))
				number = bytes_first(rest, rest.n - 1);
			if (num_parse(number, 0, MIME_PARAMS_MAX, &n) == 0) {
				out->section = (int64_t)n;
				out->is_extended = number.n < rest.n;
				token = name;
			}
		}
	}
	out->name = token;
}

/*
 * The next parameter off *s, broken stretches passed over. Before the first
 * one the semicolon may be missing.
 */
static bool
next_piece(struct arena *a, struct bytes *s, bool is_first,
    struct piece *out)
{
	struct bytes token;
	size_t at;

	while (is_first || bytes_chr(*s, ';', &at)) {
		if (!is_first)
			*s = bytes_from(*s, at + 1);
		is_first = false;
		value_skip_cfws(s);
		token = cut_token(s);
		if (token.n == 0 || !bytes_skip(s, BYTES("=")))
			continue;
		value_skip_cfws(s);
		split_name(token, out);
		if (bytes_at(*s, 0) == '"') {
			if (!cut_quoted(a, s, &out->value))
				return false;
		} else {
			struct bytes rest = *s;

			out->value = cut_token(&rest);
			if (rest.n > 0 && bytes_at(rest, 0) != ';')
				out->value = cut_broken(s);
			else
				*s = rest;
		}
		return true;
	}
	return false;
}

static int
compare_names(struct bytes a, struct bytes b)
{
	size_t i;

	for (i = 0; i < a.n && i < b.n; i++) {
		int d = ascii_lower(bytes_at(a, i)) -
		    ascii_lower(bytes_at(b, i));

		if (d != 0)
			return d;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

static int
compare_pieces(const void *left, const void *right)
{
	const struct piece *a = left, *b = right;
	int r = compare_names(a->name, b->name);

	if (r == 0 && a->section != b->section)
		r = a->section < b->section ? -1 : 1;
	if (r == 0)
		r = a->order < b->order ? -1 : 1;
	return r;
}

/* Append to the list that ends at *end. */
static struct mime_param **
add_param(struct arena *a, struct mime_param **end, struct bytes name,
    bool extended, struct bytes value)
{
	struct mime_param *p = arena_alloc(a, sizeof(*p));

	*p = (struct mime_param){ name, value, NULL };
	if (extended)
		p->name = bytes_str(arena_printf(a, "%.*s*", BYTES_ARG(name)));
	*end = p;
	return &p->next;
}

/* Percent-encode what RFC 2231 7 attribute-char leaves out. */
static void
add_escaped(struct buf *b, struct bytes s)
{
	int c;

	while ((c = bytes_next(&s)) != -1) {
		if (is_token_char(c) && c < 0x80 && c != '%' && c != '*' &&
		    c != '\'')
			(void)buf_addc(b, c);		/* capped */
		else
			(void)buf_printf(b, "%%%02X", (unsigned int)c);
	}
}

/* The first n pieces, which continue each other, as one parameter. */
static struct mime_param **
join(struct arena *a, struct mime_param **end, const struct piece *piece,
    size_t n)
{
	struct buf b = BUF_INIT(MIME_VALUE_MAX);
	bool extended = false;
	size_t i;

	for (i = 0; i < n; i++)
		extended |= piece[i].is_extended;
	if (extended && !piece[0].is_extended)
		(void)buf_adds(&b, "''");		/* capped */
	for (i = 0; i < n; i++) {
		if (extended && !piece[i].is_extended)
			add_escaped(&b, piece[i].value);
		else
			(void)buf_add(&b, piece[i].value);
	}
	end = add_param(a, end, piece[0].name, extended,
	    arena_bytes(a, buf_bytes(&b)));
	buf_free(&b);
	return end;
}

/* How many of the n pieces continue the first: sections 0, 1, 2, ... */
static size_t
run_length(const struct piece *piece, size_t n)
{
	size_t i = 0;

	while (i < n && piece[i].section == (int64_t)i &&
	    bytes_caseeq(piece[i].name, piece[0].name))
		i++;
	return i;
}

/*
 * The parameters of s in order, then the joined ones. A piece whose
 * predecessors are missing stays alone under the name it was given.
 */
static struct mime_param *
parse_params(struct arena *a, struct bytes s)
{
	struct piece *pieces = NULL, p = { .section = -1 };
	struct mime_param *first = NULL, **end = &first;
	size_t count, i, n = 0;

	for (count = 0; count < MIME_PARAMS_MAX; count++) {
		if (!next_piece(a, &s, count == 0, &p))
			break;
		if (p.section == -1) {
			end = add_param(a, end, p.name, p.is_extended,
			    p.value);
			continue;
		}
		if (pieces == NULL)
			pieces = arena_zalloc(a, MIME_PARAMS_MAX, sizeof(p));
		p.order = n;
		pieces[n++] = p;
	}
	if (n > 0)
		qsort(pieces, n, sizeof(*pieces), compare_pieces);
	for (i = 0; i < n;) {
		size_t run = run_length(pieces + i, n - i);

		if (run == 0) {
			end = add_param(a, end,
			    pieces[i].token, false,
			    pieces[i].value);
			i++;
		} else {
			end = join(a, end, pieces + i, run);
			i += run;
		}
	}
	return first;
}

/* ---- whole fields ---- */

void
mime_parse_content_type(struct arena *a, struct bytes body,
    struct mime_value *out)
{
	*out = (struct mime_value){ BYTES_EMPTY, BYTES_EMPTY, NULL, false };
	body = mime_unfold(a, body);
	value_skip_cfws(&body);
	out->type = cut_token(&body);
	if (out->type.n == 0 || !bytes_skip(&body, BYTES("/")))
		return;
	value_skip_cfws(&body);
	out->subtype = cut_token(&body);
	out->is_valid = out->subtype.n > 0;
	out->params = parse_params(a, body);
}

void
mime_parse_disposition(struct arena *a, struct bytes body,
    struct mime_value *out)
{
	*out = (struct mime_value){ BYTES_EMPTY, BYTES_EMPTY, NULL, false };
	body = mime_unfold(a, body);
	value_skip_cfws(&body);
	out->type = cut_token(&body);
	out->is_valid = out->type.n > 0;
	out->params = parse_params(a, body);
}

/* "charset'language'percent-encoded" (RFC 2231 4) as UTF-8. */
static struct bytes
decode_extended(struct arena *a, struct bytes s)
{
	struct bytes charset = BYTES_EMPTY, language, rest = s, out;
	struct buf b = BUF_INIT(MIME_VALUE_MAX);
	int c;

	if (bytes_split(&rest, '\'', &charset) &&
	    bytes_split(&rest, '\'', &language))
		s = rest;
	else
		charset = BYTES_EMPTY;
	while ((c = bytes_next(&s)) != -1) {
		int high = ascii_hex_value(bytes_at(s, 0));
		int low = ascii_hex_value(bytes_at(s, 1));

		if (c == '%' && high != -1 && low != -1) {
			c = high << 4 | low;
			s = bytes_from(s, 2);
		}
		(void)buf_addc(&b, c);			/* capped */
	}
	(void)unicode_from_charset(a, charset, buf_bytes(&b),	/* best */
	    MIME_VALUE_MAX, &out);
	out = arena_bytes(a, out);
	buf_free(&b);
	return value_without_controls(a, out);
}

bool
mime_param_text(struct arena *a, const struct mime_param *params,
    struct bytes name, struct bytes *out)
{
	const struct mime_param *plain = NULL;

	for (; params != NULL; params = params->next) {
		struct bytes n = params->name;

		if (bytes_caseeq(n, name) && plain == NULL)
			plain = params;
		if (n.n != name.n + 1 || !bytes_ends(n, BYTES("*")) ||
		    !bytes_caseeq(bytes_first(n, name.n), name))
			continue;
		*out = decode_extended(a, params->value);
		return true;
	}
	*out = plain == NULL ? BYTES_EMPTY : mime_decode_words(a, plain->value);
	return plain != NULL;
}
