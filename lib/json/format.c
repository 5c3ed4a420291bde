/*
 * format.c - values and strings as JSON text; without jansson, so that
 * commands that print JSON lines do not load it
 */
#include "json/json.h"

#include <errno.h>

#include "unicode/unicode.h"

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

/* 17 digits give the same double again; JSON wants a fraction or exponent
 * where the value is not to be read as an integer. */
static int
format_real(struct buf *out, double real)
{
	size_t start = out->n;
	struct bytes text;

	buf_printf(out, "%.17g", real);
	text = bytes_from(buf_bytes(out), start);
	if (!bytes_find(text, BYTES("."), &(size_t){ 0 }) &&
	    !bytes_find(text, BYTES("e"), &(size_t){ 0 }))
		buf_adds(out, ".0");
	return out->full ? -1 : 0;
}

/* Recursion is bounded by JSON_DEPTH_MAX. */
int
json_format(struct buf *out, const struct json *j)
{
	static const char *const words[] = { "null", "false", "true" };
	const struct json *m;

	switch (j->kind) {
	case JSON_IS_NULL:
	case JSON_IS_FALSE:
	case JSON_IS_TRUE:
		return buf_adds(out, words[j->kind]);
	case JSON_IS_INTEGER:
		return buf_printf(out, "%lld", (long long)j->integer);
	case JSON_IS_REAL:
		return format_real(out, j->real);
	case JSON_IS_STRING:
		return json_quote(out, j->text);
	case JSON_IS_ARRAY:
	case JSON_IS_OBJECT:
		break;
	}
	buf_addc(out, j->kind == JSON_IS_ARRAY ? '[' : '{');
	for (m = j->first; m != NULL; m = m->next) {
		if (m != j->first)
			buf_addc(out, ',');
		if (j->kind == JSON_IS_OBJECT) {
			json_quote(out, m->name);
			buf_addc(out, ':');
		}
		json_format(out, m);
	}
	return buf_addc(out, j->kind == JSON_IS_ARRAY ? ']' : '}');
}
