/*
 * json.c - jansson's values copied to an arena, so that no caller has to
 * give any back
 */
#include "json/json.h"

#include <errno.h>
#include <jansson.h>

struct copier {
	struct arena *a;
	const char *why;
	unsigned int values;
};

static struct json *copy_value(struct copier *c, json_t *from,
    unsigned int depth);

/* jansson's own texts quote the input. */
static const char *
reason(const json_error_t *e)
{
	switch (json_error_code(e)) {
	case json_error_out_of_memory:
		mem_exhausted();
	case json_error_stack_overflow:
		return "JSON too deep";
	case json_error_invalid_utf8:
		return "JSON is not UTF-8";
	case json_error_premature_end_of_input:
		return "JSON ends too early";
	case json_error_end_of_input_expected:
		return "text after the JSON value";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "NUL in JSON string";
	case json_error_duplicate_key:
		return "JSON member given twice";
	case json_error_numeric_overflow:
		return "JSON number too large";
	default:
		return "wrong JSON";
	}
}

static struct json *
fail(struct copier *c, const char *why)
{
	c->why = why;
	return NULL;
}

static bool
copy_array(struct copier *c, struct json *to, json_t *from,
    unsigned int depth)
{
	struct json **at = &to->first;
	size_t i, n = json_array_size(from);

	for (i = 0; i < n; i++) {
		*at = copy_value(c, json_array_get(from, i), depth + 1);
		if (*at == NULL)
			return false;
		at = &(*at)->next;
	}
	return true;
}

static bool
copy_object(struct copier *c, struct json *to, json_t *from,
    unsigned int depth)
{
	struct json **at = &to->first;
	const char *name;
	json_t *value;

	json_object_foreach(from, name, value) {
		if ((*at = copy_value(c, value, depth + 1)) == NULL)
			return false;
		(*at)->name = arena_bytes(c->a, bytes_str(name));
		at = &(*at)->next;
	}
	return true;
}

static struct json *
copy_value(struct copier *c, json_t *from, unsigned int depth)
{
	struct json *j;
	bool good = true;

	if (++c->values > JSON_VALUES_MAX)
		return fail(c, "too many JSON values");
	j = arena_zalloc(c->a, 1, sizeof(*j));
	j->name = j->text = BYTES_EMPTY;
	switch (json_typeof(from)) {
	case JSON_NULL:
		j->kind = JSON_IS_NULL;
		break;
	case JSON_FALSE:
		j->kind = JSON_IS_FALSE;
		break;
	case JSON_TRUE:
		j->kind = JSON_IS_TRUE;
		break;
	case JSON_INTEGER:
		j->kind = JSON_IS_INTEGER;
		j->integer = json_integer_value(from);
		break;
	case JSON_REAL:
		j->kind = JSON_IS_REAL;
		j->real = json_real_value(from);
		break;
	case JSON_STRING:
		j->kind = JSON_IS_STRING;
		j->text = arena_bytes(c->a, bytes_of(json_string_value(from),
		    json_string_length(from)));
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		if (depth == JSON_DEPTH_MAX)
			return fail(c, "JSON too deep");
		j->kind = json_is_array(from) ? JSON_IS_ARRAY
		    : JSON_IS_OBJECT;
		good = json_is_array(from) ? copy_array(c, j, from, depth)
		    : copy_object(c, j, from, depth);
		break;
	}
	return good ? j : NULL;
}

struct json *
json_parse(struct arena *a, struct bytes s, const char **why)
{
	struct copier c = { .a = a };
	json_error_t error;
	struct json *j;
	json_t *root;

	if (s.n > JSON_TEXT_MAX) {
		*why = "JSON larger than 256 kB";
		errno = EMSGSIZE;
		return NULL;
	}
	/* jansson 2.14 reads over one that follows a number. */
	if (bytes_has_nul(s)) {
		*why = "NUL in JSON";
		errno = EBADMSG;
		return NULL;
	}
	root = json_loadb((const char *)s.p, s.n,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (root == NULL) {
		*why = reason(&error);
		errno = json_error_code(&error) == json_error_stack_overflow
		    ? EMSGSIZE : EBADMSG;
		return NULL;
	}
	j = copy_value(&c, root, 0);
	json_decref(root);
	if (j == NULL) {
		*why = c.why;
		errno = EMSGSIZE;
	}
	return j;
}

const struct json *
json_member(const struct json *j, const char *name)
{
	const struct json *m;

	if (j == NULL || j->kind != JSON_IS_OBJECT)
		return NULL;
	for (m = j->first; m != NULL; m = m->next) {
		if (bytes_eq(m->name, bytes_str(name)))
			return m;
	}
	return NULL;
}

struct bytes
json_text(const struct json *j, const char *name)
{
	const struct json *m = json_member(j, name);

	return m != NULL && m->kind == JSON_IS_STRING ? m->text : BYTES_EMPTY;
}
