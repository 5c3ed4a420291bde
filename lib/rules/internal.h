/*
 * internal.h - what the files of lib/rules share
 */
#ifndef RULES_INTERNAL_H
#define RULES_INTERNAL_H

#include "rules/rules.h"

#include "regex/regex.h"

struct rules_header_code {
	struct regex *name, *value;
};

/* Expressions of a rule, each NULL until it is first needed. */
struct rules_code {
	struct arena *arena;
	struct regex *mail_from, *msg_from;
	struct rules_header_code *header;	/* as many as the rule's */
};

/* What the address itself says, whichever rule matches. */
void rules_take_address(const struct config *c, const struct recipient *r,
    struct rules_result *out);

#endif
