/*
 * bracket.h - bracket expressions
 */
#ifndef REGEX_BRACKET_H
#define REGEX_BRACKET_H

#include "regex/internal.h"

/* The set of a bracket expression whose "[" is taken off *s, and what
 * follows; with its "]" it is taken off. NULL with errno and *why. */
struct regex_set *regex_bracket(struct arena *a, struct bytes *s,
    const char **why);

#endif
