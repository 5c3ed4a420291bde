/*
 * set.c - rules kept from one message to the next
 */
#include "rules/internal.h"

#include <stdlib.h>

struct rules_set {
	struct arena arena;
	const struct config *config;
	struct bytes account, key;
	struct rule *rule;
	size_t n;
};

struct rules_set *
rules_set_new(const struct config *c, const struct recipient *r)
{
	struct rules_set *s = mem_zalloc(1, sizeof(*s));
	struct rules_code *code;

	s->arena = (struct arena)ARENA_INIT;
	s->config = c;
	s->account = arena_bytes(&s->arena, r->account);
	s->key = arena_bytes(&s->arena, r->key);
	s->n = rules_read(c, &s->arena, r, &s->rule);
	code = arena_zalloc(&s->arena, s->n, sizeof(*code));
	for (size_t i = 0; i < s->n; i++) {
		code[i].arena = &s->arena;
		code[i].header = arena_zalloc(&s->arena, s->rule[i].nheaders,
		    sizeof(*code[i].header));
		s->rule[i].code = &code[i];
	}
	return s;
}

void
rules_set_free(struct rules_set *s)
{
	if (s != NULL)
		arena_free(&s->arena);
	free(s);
}

bool
rules_set_is_for(const struct rules_set *s, const struct config *c,
    const struct recipient *r)
{
	return s->config == c && bytes_eq(s->account, r->account) &&
	    bytes_eq(s->key, r->key);
}

size_t
rules_set_bytes(const struct rules_set *s)
{
	return s->arena.used_bytes;
}

void
rules_set_apply(struct rules_set *s, struct arena *a,
    const struct recipient *r, const struct rules_facts *f,
    struct rules_result *out)
{
	rules_match(a, s->rule, s->n, r->mailbox, f, out);
	rules_take_address(s->config, r, out);
}
