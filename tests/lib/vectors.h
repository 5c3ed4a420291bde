/*
 * vectors.h - test data that is not part of the tree: files and JSON
 *
 * PIPEMAIL_TEST_DATA names the folder, else ../shared/data is tried. Where a
 * file is absent the test says so and passes: cmocka's skip() would print
 * "not ok". Include after cmocka.h.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include <fcntl.h>
#include <stdlib.h>

#include "base/base.h"
#include "unicode/unicode.h"

/* The file name below the data folder; false, and said, if it is not there. */
static inline bool
vectors_read(struct arena *a, const char *name, struct bytes *out)
{
	const char *dir = getenv("PIPEMAIL_TEST_DATA");
	struct buf b = BUF_INIT((size_t)64 << 20);
	bool ok;

	ok = io_read_file(AT_FDCWD, arena_printf(a, "%s/%s",
	    dir == NULL ? "../shared/data" : dir, name), &b) == 0;
	if (ok)
		*out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	if (!ok)
		print_message("# SKIP %s is not here\n", name);
	return ok;
}

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_LIST,
	JSON_OBJECT };

struct json {
	enum json_type type;
	struct bytes key;		/* within an object */
	struct bytes text;		/* string; digits; "true", "false" */
	bool is_bad;			/* a string with lone surrogates */
	struct json *children;
	struct json *next;
};

struct json_reader {
	struct arena *arena;
	struct bytes s;
	bool latin1;			/* code points are bytes */
};

static inline uint32_t
json_unit(struct bytes *s)
{
	uint32_t v = 0;
	int i;

	for (i = 0; i < 4; i++)
		v = v << 4 | (uint32_t)(ascii_hex_value(bytes_next(s)) & 15);
	return v;
}

/* The code point after a backslash. */
static inline uint32_t
json_escape(struct bytes *s)
{
	int c = bytes_next(s);
	uint32_t high, low;
	struct bytes rest;

	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'u':
		break;
	default:
		return (uint32_t)c;
	}
	high = json_unit(s);
	rest = *s;
	if (high < 0xd800 || high > 0xdbff || !bytes_skip(&rest, BYTES("\\u")))
		return high;
	low = json_unit(&rest);
	if (low < 0xdc00 || low > 0xdfff)
		return high;
	*s = rest;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static inline struct bytes
json_string(struct json_reader *r, bool *is_bad)
{
	struct buf b = BUF_INIT(r->s.n);
	struct bytes out;
	uint32_t c;

	(void)bytes_next(&r->s);
	while (unicode_next(&r->s, &c) == 1 && c != '"') {
		if (c == '\\')
			c = json_escape(&r->s);
		if (c >= 0xd800 && c <= 0xdfff)
			*is_bad = true;
		if (r->latin1)
			(void)buf_addc(&b, (int)(c & 0xff));
		else
			(void)unicode_put(&b, c);
	}
	out = arena_bytes(r->arena, buf_bytes(&b));
	buf_free(&b);
	return out;
}

static inline struct json *
json_value(struct json_reader *r)
{
	struct json *v = arena_zalloc(r->arena, 1, sizeof(*v));
	struct json **end = &v->children;
	int c;

	v->key = v->text = BYTES_EMPTY;
	r->s = bytes_ltrim(r->s);
	c = bytes_at(r->s, 0);
	if (c == '"') {
		v->type = JSON_STRING;
		v->text = json_string(r, &v->is_bad);
		return v;
	}
	if (c != '{' && c != '[') {
		size_t n = 0;

		while ((c = bytes_at(r->s, n)) != -1 && c != ',' && c != ']' &&
		    c != '}' && !ascii_is_space(c))
			n++;
		v->text = bytes_first(r->s, n);
		v->type = bytes_eq(v->text, BYTES("null")) ? JSON_NULL
		    : ascii_is_alpha(bytes_at(v->text, 0)) ? JSON_BOOL
		    : JSON_NUMBER;
		r->s = bytes_from(r->s, n);
		return v;
	}
	v->type = c == '{' ? JSON_OBJECT : JSON_LIST;
	r->s = bytes_ltrim(bytes_from(r->s, 1));
	while ((c = bytes_at(r->s, 0)) != -1 && c != '}' && c != ']') {
		struct bytes key = BYTES_EMPTY;
		bool bad = false;

		if (v->type == JSON_OBJECT) {
			key = json_string(r, &bad);
			r->s = bytes_ltrim(r->s);
			(void)bytes_skip(&r->s, BYTES(":"));
		}
		*end = json_value(r);
		(*end)->key = key;
		end = &(*end)->next;
		r->s = bytes_ltrim(r->s);
		(void)bytes_skip(&r->s, BYTES(","));
		r->s = bytes_ltrim(r->s);
	}
	(void)bytes_next(&r->s);
	return v;
}

static inline struct json *
json_parse(struct arena *a, struct bytes s, bool latin1)
{
	struct json_reader r = { a, s, latin1 };

	return json_value(&r);
}

static inline const struct json *
json_get(const struct json *object, const char *key)
{
	const struct json *v;

	for (v = object->children; v != NULL; v = v->next) {
		if (bytes_eq(v->key, bytes_str(key)))
			return v;
	}
	return NULL;
}

/* The text of a member, empty if it is not there. */
static inline struct bytes
json_text(const struct json *object, const char *key)
{
	const struct json *v = json_get(object, key);

	return v == NULL ? BYTES_EMPTY : v->text;
}

#endif
