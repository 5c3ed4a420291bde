/*
 * ahead.c - what the terms of a record will need, asked at the same time
 *
 * A record with ten terms would cost ten round trips one after the other. So
 * as soon as a record is known, its terms are asked for together, and so are
 * those of included records once they have come. Judging then finds most
 * answers here. The limit of RFC 7208 4.6.4 holds for what is asked ahead,
 * too; a term that is not among it is asked when its turn comes.
 */
#include "spf/internal.h"

static struct spf_ahead *
find(struct spf_check *c, enum dns_type type, struct bytes name)
{
	size_t i;

	for (i = 0; i < c->nahead; i++) {
		if (c->ahead[i].type == type &&
		    dns_name_eq(c->ahead[i].name, name))
			return &c->ahead[i];
	}
	return NULL;
}

struct dns_query *
spf_query(struct spf_check *c, enum dns_type type, struct bytes name)
{
	const struct spf_ahead *a = find(c, type, name);

	return a != NULL ? a->query : dns_start(c->dns, c->arena, type, name);
}

/* True if it is asked by this call. */
static bool
ask(struct spf_check *c, enum dns_type type, struct bytes name)
{
	if (c->nahead == SPF_AHEAD_MAX || find(c, type, name) != NULL)
		return false;
	c->ahead[c->nahead++] = (struct spf_ahead){ .type = type,
	    .name = name, .query = dns_start(c->dns, c->arena, type, name) };
	return true;
}

static bool
is_sure(const struct spf_check *c, const struct spf_term *t)
{
	switch (t->kind) {
	case SPF_ALL:
		return true;
	case SPF_IP4:
		return ip_in_net(&c->args->ip, &t->net, t->bits4);
	case SPF_IP6:
		return ip_in_net(&c->args->ip, &t->net, t->bits6);
	default:
		return false;
	}
}

/* The first question of a term; false: it has none. */
static bool
question(const struct spf_check *c, const struct spf_term *t,
    enum dns_type *type)
{
	switch (t->kind) {
	case SPF_INCLUDE:
	case SPF_REDIRECT:
		*type = DNS_TXT;
		return true;
	case SPF_A:
		*type = spf_address_type(c);
		return true;
	case SPF_MX:
		*type = DNS_MX;
		return true;
	case SPF_EXISTS:
		*type = DNS_A;
		return true;
	default:		/* ptr: one question, whatever its name */
		return false;
	}
}

static void
ask_term(struct spf_check *c, const struct spf_term *t, struct bytes domain)
{
	enum dns_type type;
	struct bytes name = domain;

	if (c->terms_ahead == SPF_LOOKUPS_MAX || !question(c, t, &type))
		return;
	if (t->spec.n > 0 && (spf_macro_uses(t->spec, "p") ||
	    (!bytes_is_ascii(c->local_part) &&
	    spf_macro_uses(t->spec, "sl")) ||
	    !spf_expand_name(c, t->spec, domain, &name)))
		return;
	c->terms_ahead += ask(c, type, name);
}

void
spf_ask_ahead(struct spf_check *c, const struct spf_record *r,
    struct bytes domain)
{
	size_t i;

	for (i = 0; i < r->nterms; i++) {
		if (is_sure(c, &r->terms[i]))
			return;
		if (r->terms[i].kind < SPF_REDIRECT)
			ask_term(c, &r->terms[i], domain);
	}
	if (r->redirect != NULL)
		ask_term(c, r->redirect, domain);
	spf_go_on_ahead(c);
}

static void
follow(struct spf_check *c, const struct spf_ahead *a)
{
	const struct dns_answer *answer = dns_wait(c->dns, a->query);
	struct spf_record record;
	struct bytes text;
	const char *why;
	size_t i;

	if (a->type == DNS_TXT) {
		if (spf_select_record(answer, &text) == 1 &&
		    spf_parse(text, c->arena, &record, &why) == 0)
			spf_ask_ahead(c, &record, a->name);
	} else if (a->type == DNS_MX && answer->nrecords <= SPF_MX_MAX) {
		for (i = 0; i < answer->nrecords; i++) {
			if (answer->records[i].name.n > 0)
				(void)ask(c, spf_address_type(c),
				    answer->records[i].name);
		}
	}
}

void
spf_go_on_ahead(struct spf_check *c)
{
	size_t i;

	for (i = 0; i < c->nahead; i++) {
		if (!c->ahead[i].seen &&
		    dns_is_answered(c->ahead[i].query)) {
			c->ahead[i].seen = true;
			follow(c, &c->ahead[i]);
		}
	}
}
