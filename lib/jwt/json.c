/*
 * json.c - a small JSON reader: all of it or nothing, within limits
 */
#include "jwt/jwt.h"

#include <errno.h>

#include "unicode/unicode.h"

struct parser {
	struct arena *a;
	struct bytes rest;
	const char *why;
	unsigned int depth, values;
};

static struct json *parse_value(struct parser *p);

static void *
fail(struct parser *p, const char *why)
{
	if (p->why == NULL)
		p->why = why;
	return NULL;
}

static void
skip_blanks(struct parser *p)
{
	while (ascii_is_space(bytes_at(p->rest, 0)))
		(void)bytes_next(&p->rest);
}

static struct json *
make(struct parser *p, enum json_type type)
{
	struct json *j;

	if (++p->values > JSON_VALUES_MAX)
		return fail(p, "too many JSON values");
	j = arena_zalloc(p->a, 1, sizeof(*j));
	j->type = type;
	j->name = j->text = BYTES_EMPTY;
	return j;
}

/* Four hex digits, or -1. */
static int32_t
hex4(struct parser *p)
{
	int32_t v = 0;
	int i, d;

	for (i = 0; i < 4; i++) {
		d = ascii_hex_value(bytes_next(&p->rest));
		if (d == -1)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

/* After "\u": the code point, of one or two units. */
static bool
unit_escape(struct parser *p, struct buf *out)
{
	int32_t c = hex4(p), low;

	if (c == -1 || (c >= 0xdc00 && c <= 0xdfff))
		return false;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (!bytes_skip(&p->rest, BYTES("\\u")) ||
		    (low = hex4(p)) < 0xdc00 || low > 0xdfff)
			return false;
		c = 0x10000 + (c - 0xd800) * 0x400 + (low - 0xdc00);
	}
	(void)unicode_put(out, (uint32_t)c);
	return true;
}

static bool
escape(struct parser *p, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	int c = bytes_next(&p->rest);
	size_t i;

	if (c == 'u')
		return unit_escape(p, out);
	for (i = 0; i < sizeof(from) - 1; i++) {
		if (c == from[i]) {
			(void)buf_addc(out, to[i]);
			return true;
		}
	}
	return false;
}

/* After the quote. */
static bool
parse_string(struct parser *p, struct bytes *text)
{
	/* Never longer than it is written. */
	struct buf out = BUF_INIT(p->rest.n);
	bool good = true;
	int c;

	while (good && (c = bytes_next(&p->rest)) != '"') {
		if (c == '\\')
			good = escape(p, &out);
		else if (c < 0x20)
			good = false;	/* the end too */
		else
			(void)buf_addc(&out, c);
	}
	good = good && !out.full && unicode_valid_utf8(buf_bytes(&out));
	if (good)
		*text = arena_bytes(p->a, buf_bytes(&out));
	buf_free(&out);
	if (!good)
		(void)fail(p, "wrong JSON string");
	return good;
}

static size_t
digits(struct parser *p)
{
	size_t n = 0;

	while (ascii_is_digit(bytes_at(p->rest, 0))) {
		(void)bytes_next(&p->rest);
		n++;
	}
	return n;
}

static struct json *
parse_number(struct parser *p)
{
	struct bytes start = p->rest;
	struct json *j;
	bool good;

	(void)bytes_skip(&p->rest, BYTES("-"));
	good = bytes_skip(&p->rest, BYTES("0")) || digits(p) > 0;
	if (good && bytes_skip(&p->rest, BYTES(".")))
		good = digits(p) > 0;
	if (good && bytes_caseskip(&p->rest, BYTES("e"))) {
		if (!bytes_skip(&p->rest, BYTES("+")))
			(void)bytes_skip(&p->rest, BYTES("-"));
		good = digits(p) > 0;
	}
	if (!good)
		return fail(p, "wrong JSON value");
	j = make(p, JSON_NUMBER);
	if (j != NULL)
		j->text = bytes_first(start, start.n - p->rest.n);
	return j;
}

/* A member's name and colon. */
static bool
parse_name(struct parser *p, const struct json *object, struct bytes *name)
{
	const struct json *m;

	skip_blanks(p);
	if (!bytes_skip(&p->rest, BYTES("\""))) {
		(void)fail(p, "no JSON member name");
		return false;
	}
	if (!parse_string(p, name))
		return false;
	for (m = object->first; m != NULL; m = m->next) {
		if (bytes_eq(m->name, *name)) {
			(void)fail(p, "JSON member given twice");
			return false;
		}
	}
	skip_blanks(p);
	if (bytes_skip(&p->rest, BYTES(":")))
		return true;
	(void)fail(p, "no colon after JSON member name");
	return false;
}

/* After the bracket. */
static struct json *
parse_list(struct parser *p, enum json_type type, int end)
{
	struct json *list = make(p, type), **at, *item;
	struct bytes name = BYTES_EMPTY;
	int c;

	if (list == NULL || ++p->depth > JSON_DEPTH_MAX)
		return fail(p, "JSON too deep");
	at = &list->first;
	skip_blanks(p);
	if (bytes_at(p->rest, 0) == end) {
		(void)bytes_next(&p->rest);
		p->depth--;
		return list;
	}
	for (;;) {
		if (type == JSON_OBJECT && !parse_name(p, list, &name))
			return NULL;
		if ((item = parse_value(p)) == NULL)
			return NULL;
		item->name = name;
		*at = item;
		at = &item->next;
		skip_blanks(p);
		c = bytes_next(&p->rest);
		if (c == end)
			break;
		if (c != ',')
			return fail(p, "no comma between JSON values");
	}
	p->depth--;
	return list;
}

/* Recursion is bounded by JSON_DEPTH_MAX. */
static struct json *
parse_value(struct parser *p)
{
	struct json *j;

	skip_blanks(p);
	if (bytes_skip(&p->rest, BYTES("{")))
		return parse_list(p, JSON_OBJECT, '}');
	if (bytes_skip(&p->rest, BYTES("[")))
		return parse_list(p, JSON_ARRAY, ']');
	if (bytes_skip(&p->rest, BYTES("\""))) {
		j = make(p, JSON_STRING);
		return j != NULL && parse_string(p, &j->text) ? j : NULL;
	}
	if (bytes_skip(&p->rest, BYTES("true")))
		return make(p, JSON_TRUE);
	if (bytes_skip(&p->rest, BYTES("false")))
		return make(p, JSON_FALSE);
	if (bytes_skip(&p->rest, BYTES("null")))
		return make(p, JSON_NULL);
	return parse_number(p);
}

struct json *
json_parse(struct arena *a, struct bytes s, const char **why)
{
	struct parser p = { .a = a, .rest = s };
	struct json *j = parse_value(&p);

	skip_blanks(&p);
	if (j != NULL && p.rest.n > 0)
		j = fail(&p, "text after the JSON value");
	if (j == NULL) {
		*why = p.why;
		errno = EBADMSG;
	}
	return j;
}

const struct json *
json_member(const struct json *j, const char *name)
{
	const struct json *m;

	if (j == NULL || j->type != JSON_OBJECT)
		return NULL;
	for (m = j->first; m != NULL; m = m->next) {
		if (bytes_eq(m->name, bytes_str(name)))
			return m;
	}
	return NULL;
}

struct bytes
json_string(const struct json *j, const char *name)
{
	const struct json *m = json_member(j, name);

	return m != NULL && m->type == JSON_STRING ? m->text : BYTES_EMPTY;
}

int
json_quote(struct buf *out, struct bytes s)
{
	uint32_t c;
	int r;

	buf_addc(out, '"');
	while ((r = unicode_next(&s, &c)) != 0) {
		if (r == -1)
			unicode_put(out, 0xfffd);
		else if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", (int)c);
		else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			buf_printf(out, "\\u%04x", (unsigned int)c);
		else
			unicode_put(out, c);
	}
	buf_addc(out, '"');
	if (!out->full)
		return 0;
	errno = EMSGSIZE;
	return -1;
}

int
json_format(struct buf *out, const struct json *j)
{
	static const char *const words[] = { "null", "false", "true" };
	const struct json *m;

	switch (j->type) {
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
		return buf_adds(out, words[j->type]);
	case JSON_NUMBER:
		return buf_add(out, j->text);
	case JSON_STRING:
		return json_quote(out, j->text);
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	buf_addc(out, j->type == JSON_ARRAY ? '[' : '{');
	for (m = j->first; m != NULL; m = m->next) {
		if (m != j->first)
			buf_addc(out, ',');
		if (j->type == JSON_OBJECT) {
			json_quote(out, m->name);
			buf_addc(out, ':');
		}
		json_format(out, m);
	}
	return buf_addc(out, j->type == JSON_ARRAY ? ']' : '}');
}
