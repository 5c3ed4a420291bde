/*
 * json.h - JSON texts (RFC 8259), read with jansson, within limits
 *
 * A text is read whole or not at all, into values in the caller's arena;
 * nothing of jansson is left when json_parse returns. What interoperable
 * senders do not produce (RFC 7493, I-JSON) is refused: a member given
 * twice, a NUL in a string, text that is not UTF-8, a number that neither
 * int64_t nor double can hold.
 */
#ifndef JSON_H
#define JSON_H

#include "base/base.h"

/* Bytes of a text. jansson needs up to a hundred times that (an object of
 * three bytes is 300 in memory): 25 MB for as long as json_parse runs. */
#define JSON_TEXT_MAX ((size_t)256 * 1024)
#define JSON_DEPTH_MAX 32	/* what we read has five levels at most */
#define JSON_VALUES_MAX 10000	/* 64 keys have a thousand */

enum json_kind {
	JSON_IS_NULL, JSON_IS_FALSE, JSON_IS_TRUE, JSON_IS_INTEGER,
	JSON_IS_REAL, JSON_IS_STRING, JSON_IS_ARRAY, JSON_IS_OBJECT
};
struct json {
	enum json_kind kind;
	struct bytes name;		/* in an object; else empty */
	struct bytes text;		/* of a string: UTF-8 without NUL */
	int64_t integer;		/* written without fraction, exponent */
	double real;			/* other numbers; finite */
	struct json *first, *next;	/* of arrays and objects, in the order
					 * written; siblings */
};

/*
 * The whole of s as one value of any kind, in the arena. NULL with *why,
 * constant text: EBADMSG no JSON of the kind above, EMSGSIZE larger, deeper
 * or of more values than the limits. Out of memory ends the process.
 */
struct json *json_parse(struct arena *a, struct bytes s, const char **why);
/* A member of an object; NULL: none, or no object. */
const struct json *json_member(const struct json *j, const char *name);
/* A member that is a string, else the empty slice. */
struct bytes json_text(const struct json *j, const char *name);

/*
 * Append as JSON text. A string has its quotes; bytes in it that are not
 * UTF-8 become U+FFFD, controls \u and digits (ISO 6429 C1 too, since a
 * terminal may obey them). 0, or -1 EMSGSIZE.
 */
int json_quote(struct buf *out, struct bytes s);
int json_format(struct buf *out, const struct json *j);

#endif
