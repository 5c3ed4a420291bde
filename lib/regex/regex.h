/*
 * regex.h - POSIX extended regular expressions at a bounded cost
 *
 * IEEE Std 1003.1, 9.4, without back-references. Whoever writes the text, and
 * whoever writes the expression, cannot make a match slow: an expression
 * becomes a program of at most REGEX_PROGRAM_MAX instructions, all of its
 * threads run side by side, so that the time is at most that times the length
 * of the text, and the memory that of the program. regcomp(3) of glibc has
 * neither bound: "((a{1,200}){1,200}){1,200}" takes all memory there is, and
 * its automaton grows with the text.
 *
 * Matched are code points; a byte that is no UTF-8 counts as one that only
 * "." and a negated bracket match. Upper and lower case differ. "^" and "$"
 * are the ends of the text, wherever they stand. What POSIX leaves undefined
 * is refused where it would be a mistake: "*" with nothing before it, "\d".
 */
#ifndef REGEX_H
#define REGEX_H

#include "base/base.h"

enum {
	/* Bytes of an expression: a person reads it. */
	REGEX_PATTERN_MAX = 1000,
	REGEX_PROGRAM_MAX = 2000,
	/* Of {m,n}: RE_DUP_MAX of POSIX. */
	REGEX_REPEAT_MAX = 255,
	REGEX_DEPTH_MAX = 50,		/* groups in groups */
};

struct regex;

/*
 * An expression, in the arena. NULL with *why (constant text): EBADMSG wrong
 * syntax, EMSGSIZE over a limit above.
 */
struct regex *regex_compile(struct arena *a, struct bytes pattern,
    const char **why);
/*
 * Does it match some part of text? 1, 0. *steps is lowered by each
 * instruction looked at; -1 with EMSGSIZE when none are left. Uses a for room
 * that the size of the program bounds.
 */
int regex_match(struct arena *a, const struct regex *r, struct bytes text,
    uint64_t *steps);

#endif
