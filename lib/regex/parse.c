/*
 * parse.c - the expression as a tree (IEEE Std 1003.1, 9.5.3)
 */
#include "regex/internal.h"

#include "regex/bracket.h"
#include "unicode/unicode.h"

struct parser {
	struct arena *a;
	struct bytes rest;
	const char **why;
	unsigned int depth;
};

static struct regex_node *parse_alternatives(struct parser *p);

uint32_t
regex_next(struct bytes *s)
{
	uint32_t ch = 0;
	int first = bytes_at(*s, 0);

	if (first < 0x80) {
		*s = bytes_from(*s, 1);
		return (uint32_t)first;
	}
	return unicode_next(s, &ch) == 1 ? ch
	    : REGEX_BAD_BYTE + (uint32_t)first;
}

static struct regex_node *
fail(struct parser *p, int err, const char *why)
{
	*p->why = why;
	errno = err;
	return NULL;
}

static struct regex_node *
node(struct parser *p, enum regex_kind kind, struct regex_node *left,
    struct regex_node *right)
{
	struct regex_node *n = arena_zalloc(p->a, 1, sizeof(*n));

	n->kind = kind;
	n->left = left;
	n->right = right;
	return n;
}

static struct regex_node *
literal(struct parser *p)
{
	struct regex_node *n = node(p, REGEX_CHAR, NULL, NULL);

	n->ch = regex_next(&p->rest);
	return n;
}

static struct regex_node *
parse_group(struct parser *p)
{
	struct regex_node *n;

	if (++p->depth > REGEX_DEPTH_MAX)
		return fail(p, EMSGSIZE, "more than 50 groups in each other");
	n = parse_alternatives(p);
	p->depth--;
	if (n != NULL && !bytes_skip(&p->rest, BYTES(")")))
		return fail(p, EBADMSG, "a group does not end");
	return n;
}

/* What follows a backslash. */
static struct regex_node *
parse_escaped(struct parser *p)
{
	size_t at;
	int c = bytes_at(p->rest, 0);

	if (c == -1)
		return fail(p, EBADMSG, "a backslash at the end");
	if (ascii_is_digit(c))
		return fail(p, EBADMSG, "no back-references");
	if (!bytes_chr(BYTES("^.[]$()|*+?{}\\/-"), c, &at))
		return fail(p, EBADMSG, "a backslash stands before special "
		    "characters only; classes are as in [[:digit:]]");
	return literal(p);
}

static struct regex_node *
parse_bracket(struct parser *p)
{
	struct regex_node *n = node(p, REGEX_SET, NULL, NULL);

	n->set = regex_bracket(p->a, &p->rest, p->why);
	return n->set == NULL ? NULL : n;
}

static struct regex_node *
parse_atom(struct parser *p)
{
	switch (bytes_at(p->rest, 0)) {
	case '(':
		p->rest = bytes_from(p->rest, 1);
		return parse_group(p);
	case '[':
		p->rest = bytes_from(p->rest, 1);
		return parse_bracket(p);
	case '\\':
		p->rest = bytes_from(p->rest, 1);
		return parse_escaped(p);
	case '.':
		p->rest = bytes_from(p->rest, 1);
		return node(p, REGEX_ANY, NULL, NULL);
	case '^':
		p->rest = bytes_from(p->rest, 1);
		return node(p, REGEX_BEGIN, NULL, NULL);
	case '$':
		p->rest = bytes_from(p->rest, 1);
		return node(p, REGEX_END, NULL, NULL);
	case '*':
	case '+':
	case '?':
	case '{':
		return fail(p, EBADMSG, "nothing to repeat");
	default:
		return literal(p);
	}
}

/* "m}", "m,}" or "m,n}"; the "{" is taken. */
static bool
parse_interval(struct parser *p, uint32_t *min, uint32_t *max)
{
	uint64_t low, high;

	if (num_cut(&p->rest, UINT32_MAX - 1, &low) == -1)
		return fail(p, EBADMSG, "{ begins no {m,n}") != NULL;
	high = low;
	if (bytes_skip(&p->rest, BYTES(",")) &&
	    num_cut(&p->rest, UINT32_MAX - 1, &high) == -1)
		high = REGEX_INFINITE;
	if (!bytes_skip(&p->rest, BYTES("}")))
		return fail(p, EBADMSG, "{m,n} does not end") != NULL;
	if (high < low)
		return fail(p, EBADMSG, "{m,n} with n below m") != NULL;
	if (low > REGEX_REPEAT_MAX || (high > REGEX_REPEAT_MAX &&
	    high != REGEX_INFINITE))
		return fail(p, EMSGSIZE, "more than 255 in {m,n}") != NULL;
	*min = (uint32_t)low;
	*max = (uint32_t)high;
	return true;
}

static struct regex_node *
parse_repeated(struct parser *p)
{
	struct regex_node *n = parse_atom(p);
	uint32_t min, max;

	while (n != NULL) {
		if (bytes_skip(&p->rest, BYTES("*"))) {
			min = 0;
			max = REGEX_INFINITE;
		} else if (bytes_skip(&p->rest, BYTES("+"))) {
			min = 1;
			max = REGEX_INFINITE;
		} else if (bytes_skip(&p->rest, BYTES("?"))) {
			min = 0;
			max = 1;
		} else if (bytes_skip(&p->rest, BYTES("{"))) {
			if (!parse_interval(p, &min, &max))
				return NULL;
		} else
			break;
		n = node(p, REGEX_REPEAT, n, NULL);
		n->min = min;
		n->max = max;
	}
	return n;
}

static struct regex_node *
parse_branch(struct parser *p)
{
	struct regex_node *all = NULL, *n;
	int c;

	while ((c = bytes_at(p->rest, 0)) != -1 && c != '|' &&
	    (c != ')' || p->depth == 0)) {
		if (c == ')')
			return fail(p, EBADMSG, "a ) without its (");
		if ((n = parse_repeated(p)) == NULL)
			return NULL;
		all = all == NULL ? n : node(p, REGEX_CAT, all, n);
	}
	return all != NULL ? all : node(p, REGEX_EMPTY, NULL, NULL);
}

static struct regex_node *
parse_alternatives(struct parser *p)
{
	struct regex_node *all = parse_branch(p), *n;

	while (all != NULL && bytes_skip(&p->rest, BYTES("|"))) {
		if ((n = parse_branch(p)) == NULL)
			return NULL;
		all = node(p, REGEX_ALT, all, n);
	}
	return all;
}

struct regex_node *
regex_parse(struct arena *a, struct bytes pattern, const char **why)
{
	struct parser p = { .a = a, .rest = pattern, .why = why };

	if (pattern.n > REGEX_PATTERN_MAX)
		return fail(&p, EMSGSIZE, "longer than 1000 bytes");
	if (!unicode_valid_utf8(pattern))
		return fail(&p, EBADMSG, "not UTF-8");
	return parse_alternatives(&p);
}
