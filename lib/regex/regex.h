/*
 * regex.h - regular expressions at a bounded cost
 *
 * Perl's syntax, by PCRE2, over UTF-8. Whoever writes the text, and whoever
 * writes the expression, cannot make a match slow or large: each item of the
 * expression that is tried is counted, and the caller says how many there may
 * be. Upper and lower case differ unless "(?i)" says otherwise; "^" and "$"
 * are the ends of the text, "." is any code point but LF. Bytes of the text
 * that are no UTF-8 match nothing.
 */
#ifndef REGEX_H
#define REGEX_H

#include "base/base.h"

enum {
	/* Bytes of an expression: a person reads it. */
	REGEX_PATTERN_MAX = 1000,
	/* Of what it is compiled to; "((a{1,200}){1,200}){1,200}" would take
	 * all memory there is. */
	REGEX_PROGRAM_MAX = 256 * 1024,
	REGEX_DEPTH_MAX = 50,		/* groups in groups */
	/* Of what a match may put aside. */
	REGEX_MEMORY_MAX = 4 * 1024 * 1024,
};

struct regex;

/*
 * An expression, in the arena. NULL with *why (arena or constant text):
 * EBADMSG wrong syntax, EMSGSIZE over a limit above, ENOMEM.
 */
struct regex *regex_compile(struct arena *a, struct bytes pattern,
    const char **why);
/*
 * Does it match some part of text? 1, 0. *steps is lowered by each item
 * tried; -1 with EMSGSIZE when none are left, or REGEX_MEMORY_MAX is used up,
 * with ENOMEM. Uses a for room.
 */
int regex_match(struct arena *a, const struct regex *r, struct bytes text,
    uint64_t *steps);
/*
 * The same for who asks often: room is made once, in an arena, and takes up to
 * three times REGEX_MEMORY_MAX there (each piece is twice the last, and none is
 * given back), most often 20 kB.
 */
struct regex_room;
struct regex_room *regex_room_new(struct arena *a);
int regex_match_in(struct regex_room *room, const struct regex *r,
    struct bytes text, uint64_t *steps);

#endif
