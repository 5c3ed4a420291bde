/*
 * arena_check.h - an arena per test program, and slices compared
 *
 * Include after cmocka.h.
 */
#ifndef ARENA_CHECK_H
#define ARENA_CHECK_H

#include "base/base.h"

/* What a test makes; empty again before the next one. */
static struct arena arena;

static inline int
reset(void **state)
{
	(void)state;
	arena_reset(&arena);
	return 0;
}

static inline void
assert_bytes(struct bytes got, struct bytes want)
{
	if (!bytes_eq(got, want))
		print_message("# got \"%.*s\", want \"%.*s\"\n",
		    BYTES_ARG(got), BYTES_ARG(want));
	assert_true(bytes_eq(got, want));
}

#define assert_text(got, want) assert_bytes((got), bytes_str(want))

/* The bytes of b, which is freed. */
static inline struct bytes
take(struct buf *b)
{
	struct bytes out = arena_bytes(&arena, buf_bytes(b));

	buf_free(b);
	return out;
}

/* head n times, then tail. */
static inline struct bytes
repeat(const char *head, size_t n, const char *tail)
{
	struct buf b = BUF_INIT((size_t)1 << 28);

	while (n-- > 0)
		(void)buf_adds(&b, head);
	(void)buf_adds(&b, tail);
	return take(&b);
}

#define T(name, fn) { (name), (fn), reset, NULL, NULL }

#endif
