/*
 * bracket.c - bracket expressions (IEEE Std 1003.1, 9.3.5)
 */
#include "regex/bracket.h"

struct bracket {
	struct regex_set *set;
	size_t size;
	struct arena *a;
	const char **why;
};

static const struct {
	const char *name;
	struct regex_range range[4];
	size_t n;
} classes[] = {
	{ "alpha", { { 'A', 'Z' }, { 'a', 'z' } }, 2 },
	{ "digit", { { '0', '9' } }, 1 },
	{ "alnum", { { '0', '9' }, { 'A', 'Z' }, { 'a', 'z' } }, 3 },
	{ "upper", { { 'A', 'Z' } }, 1 },
	{ "lower", { { 'a', 'z' } }, 1 },
	{ "space", { { '\t', '\r' }, { ' ', ' ' } }, 2 },
	{ "blank", { { '\t', '\t' }, { ' ', ' ' } }, 2 },
	{ "punct", { { '!', '/' }, { ':', '@' }, { '[', '`' },
	    { '{', '~' } }, 4 },
	{ "print", { { ' ', '~' } }, 1 },
	{ "graph", { { '!', '~' } }, 1 },
	{ "cntrl", { { 0, 31 }, { 127, 127 } }, 2 },
	{ "xdigit", { { '0', '9' }, { 'A', 'F' }, { 'a', 'f' } }, 3 },
};

static int
wrong(const struct bracket *b, const char *text)
{
	*b->why = text;
	errno = EBADMSG;
	return -1;
}

static void
add(struct bracket *b, uint32_t first, uint32_t last)
{
	struct regex_range *more;

	if (b->set->n == b->size) {
		b->size = b->size == 0 ? 8 : b->size * 2;
		more = arena_zalloc(b->a, b->size, sizeof(*more));
		if (b->set->n > 0)
			memcpy(more, b->set->range,
			    b->set->n * sizeof(*more));
		b->set->range = more;
	}
	b->set->range[b->set->n++] = (struct regex_range){ first, last };
}

static int
add_class(struct bracket *b, struct bytes name)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (!bytes_eq(name, bytes_str(classes[i].name)))
			continue;
		for (size_t k = 0; k < classes[i].n; k++)
			add(b, classes[i].range[k].first,
			    classes[i].range[k].last);
		return 0;
	}
	return wrong(b, "unknown class: allowed are alpha, digit, alnum, "
	    "upper, lower, space, blank, punct, print, graph, cntrl, xdigit");
}

/*
 * "[:name:]", "[=x=]" or "[.x.]", of which the "[" and the sign are taken.
 * 1: *ch is one character; 0: a class was added; -1.
 */
static int
named(struct bracket *b, struct bytes *s, unsigned char sign, uint32_t *ch)
{
	unsigned char end[2] = { sign, ']' };
	struct bytes name;
	size_t at;

	if (!bytes_find(*s, bytes_of(end, 2), &at))
		return wrong(b, "a class in brackets does not end");
	name = bytes_first(*s, at);
	*s = bytes_from(*s, at + 2);
	if (sign == ':')
		return add_class(b, name);
	if (name.n == 0)
		return wrong(b, "a collating element is empty");
	*ch = regex_next(&name);
	return name.n == 0 ? 1
	    : wrong(b, "a collating element is more than one character");
}

/* The next member: 1 a character in *ch, 0 a class was added, -1. */
static int
member(struct bracket *b, struct bytes *s, uint32_t *ch)
{
	int sign = bytes_at(*s, 1);

	if (bytes_at(*s, 0) == '[' &&
	    (sign == ':' || sign == '=' || sign == '.')) {
		*s = bytes_from(*s, 2);
		return named(b, s, (unsigned char)sign, ch);
	}
	*ch = regex_next(s);
	return 1;
}

/* One character, a range, or a class. */
static int
item(struct bracket *b, struct bytes *s)
{
	uint32_t first, last;
	int r = member(b, s, &first);

	if (r != 1)
		return r;
	if (bytes_at(*s, 0) != '-' || bytes_at(*s, 1) == ']' || s->n < 2) {
		add(b, first, first);
		return 0;
	}
	*s = bytes_from(*s, 1);
	r = member(b, s, &last);
	if (r == -1)
		return -1;
	if (r == 0 || last < first)
		return wrong(b, "a range in brackets ends before it begins");
	add(b, first, last);
	return 0;
}

struct regex_set *
regex_bracket(struct arena *a, struct bytes *s, const char **why)
{
	struct bracket b = { .a = a, .why = why };
	bool first = true;

	b.set = arena_zalloc(a, 1, sizeof(*b.set));
	b.set->negated = bytes_skip(s, BYTES("^"));
	while (s->n > 0 && (first || bytes_at(*s, 0) != ']')) {
		if (item(&b, s) == -1)
			return NULL;
		first = false;
	}
	if (!bytes_skip(s, BYTES("]"))) {
		(void)wrong(&b, "a bracket expression does not end");
		return NULL;
	}
	return b.set;
}
