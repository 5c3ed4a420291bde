/*
 * internal.h - what parser and machine share
 */
#ifndef REGEX_INTERNAL_H
#define REGEX_INTERNAL_H

#include "regex/regex.h"

#include <errno.h>

/* Bytes that are no UTF-8 stand above all code points. */
#define REGEX_BAD_BYTE 0x200000u
#define REGEX_INFINITE UINT32_MAX

struct regex_range {
	uint32_t first, last;
};

struct regex_set {
	struct regex_range *range;
	size_t n;
	bool negated;
};

enum regex_kind {
	REGEX_EMPTY,
	REGEX_CHAR,
	REGEX_ANY,
	REGEX_SET,
	REGEX_BEGIN,		/* ^ */
	REGEX_END,		/* $ */
	REGEX_CAT,
	REGEX_ALT,
	REGEX_REPEAT,
};

/* A part of an expression. */
struct regex_node {
	enum regex_kind kind;
	uint32_t ch;			/* CHAR */
	struct regex_set *set;		/* SET */
	struct regex_node *left, *right;	/* CAT, ALT; REPEAT: left */
	uint32_t min, max;		/* REPEAT */
};

/* The whole expression. NULL with errno and *why. */
struct regex_node *regex_parse(struct arena *a, struct bytes pattern,
    const char **why);

/* The next code point or bad byte, taken off *s, which is not empty. */
uint32_t regex_next(struct bytes *s);

#endif
