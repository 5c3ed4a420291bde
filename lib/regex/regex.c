/*
 * regex.c - PCRE2 with its costs counted
 */
#include "regex/regex.h"

#include <errno.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* An item tried may look at all of the text ("x*"): so many of
 * its bytes cost as much as one item. */
#define BYTES_A_STEP 32

struct regex {
	pcre2_code *code;	/* or NULL: */
	struct bytes literal;	/* just this text */
};

/* "^word$" is most often what a header field's name is compared with, for each
 * field of a message: it needs no machine. Empty: it is another one. */
static struct bytes
literal_of(struct bytes pattern)
{
	struct bytes word;
	int c;

	if (pattern.n < 3 || pattern.p[0] != '^' ||
	    pattern.p[pattern.n - 1] != '$')
		return BYTES_EMPTY;
	word = bytes_first(bytes_from(pattern, 1), pattern.n - 2);
	for (size_t i = 0; i < word.n; i++) {
		c = word.p[i];
		if (!ascii_is_alnum(c) && c != '-' && c != '_')
			return BYTES_EMPTY;
	}
	return word;
}

static void *
take(PCRE2_SIZE n, void *arena)
{
	return arena_alloc(arena, n);
}

/* The arena goes as a whole. */
static void
leave(void *p, void *arena)
{
	(void)p;
	(void)arena;
}

static pcre2_code *
compile(struct arena *a, struct bytes pattern, int *code, size_t *at)
{
	pcre2_general_context *g = pcre2_general_context_create(take, leave, a);
	pcre2_compile_context *c = pcre2_compile_context_create(g);

	pcre2_set_parens_nest_limit(c, REGEX_DEPTH_MAX);
	return pcre2_compile(pattern.p, pattern.n, PCRE2_UTF |
	    PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
	    PCRE2_DOLLAR_ENDONLY | PCRE2_AUTO_CALLOUT, code, at, c);
}

struct regex *
regex_compile(struct arena *a, struct bytes pattern, const char **why)
{
	struct regex *r = arena_zalloc(a, 1, sizeof(*r));
	PCRE2_UCHAR text[128];
	size_t at = 0;
	int code;

	if (pattern.n > REGEX_PATTERN_MAX) {
		*why = "longer than 1000 bytes";
		errno = EMSGSIZE;
		return NULL;
	}
	r->literal = arena_bytes(a, literal_of(pattern));
	if (r->literal.n > 0)
		return r;
	r->code = compile(a, pattern.n == 0 ? BYTES("") : pattern,
	    &code, &at);
	if (r->code != NULL)
		return r;
	if (pcre2_get_error_message(code, text, sizeof(text)) < 0)
		text[0] = '\0';
	*why = arena_printf(a, "%s, at byte %zu", (char *)text, at + 1);
	errno = code == PCRE2_ERROR_PARENTHESES_NEST_TOO_DEEP ||
	    code == PCRE2_ERROR_PATTERN_TOO_LARGE ? EMSGSIZE : EBADMSG;
	return NULL;
}

struct budget {
	uint64_t *steps;
	uint64_t cost;		/* of one item */
};

static int
count(pcre2_callout_block *b, void *ctx)
{
	struct budget *budget = ctx;

	(void)b;
	if (*budget->steps < budget->cost) {
		*budget->steps = 0;
		return PCRE2_ERROR_CALLOUT;
	}
	*budget->steps -= budget->cost;
	return 0;
}

/* One item. */
static int
match_literal(struct bytes literal, struct bytes text, uint64_t *steps)
{
	if (*steps == 0) {
		errno = EMSGSIZE;
		return -1;
	}
	(*steps)--;
	return bytes_eq(text, literal);
}

/* The code of PCRE2 as ours. */
static int
result_of(int code)
{
	switch (code) {
	case PCRE2_ERROR_NOMATCH:
		return 0;
	case PCRE2_ERROR_CALLOUT:
	case PCRE2_ERROR_HEAPLIMIT:
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	/* "(?R)": a recursion that stands still */
	case PCRE2_ERROR_RECURSELOOP:
		errno = EMSGSIZE;
		return -1;
	default:
		if (code >= 0)
			return 1;
		errno = ENOMEM;
		return -1;
	}
}

struct regex_room {
	pcre2_match_context *context;
	pcre2_match_data *data;
	struct budget budget;
};

static void
room_init(struct regex_room *room, pcre2_general_context *g)
{
	room->context = pcre2_match_context_create(g);
	room->data = pcre2_match_data_create(1, g);
	if (room->context == NULL)
		return;
	pcre2_set_heap_limit(room->context, REGEX_MEMORY_MAX / 1024);
	pcre2_set_match_limit(room->context, UINT32_MAX);
	pcre2_set_callout(room->context, count, &room->budget);
}

struct regex_room *
regex_room_new(struct arena *a)
{
	struct regex_room *room = arena_zalloc(a, 1, sizeof(*room));

	room_init(room, pcre2_general_context_create(take, leave, a));
	return room;
}

int
regex_match_in(struct regex_room *room, const struct regex *r,
    struct bytes text, uint64_t *steps)
{
	int code = PCRE2_ERROR_NOMEMORY;

	if (r->literal.n > 0)
		return match_literal(r->literal, text, steps);
	room->budget = (struct budget){ steps, 1 + text.n / BYTES_A_STEP };
	if (room->context != NULL && room->data != NULL)
		code = pcre2_match(r->code, text.n == 0 ?
		    (PCRE2_SPTR)"" : text.p, text.n, 0, 0, room->data,
		    room->context);
	return result_of(code);
}

int
regex_match(struct arena *a, const struct regex *r, struct bytes text,
    uint64_t *steps)
{
	struct regex_room room = { .data = NULL };
	int result, err;

	(void)a;
	if (r->literal.n > 0)
		return match_literal(r->literal, text, steps);
	room_init(&room, NULL);
	result = regex_match_in(&room, r, text, steps);
	err = errno;
	pcre2_match_data_free(room.data);
	pcre2_match_context_free(room.context);
	errno = err;
	return result;
}
