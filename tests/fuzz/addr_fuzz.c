/*
 * addr_fuzz.c - any bytes as a path, a domain and an address list
 *
 * Properties: a path that is accepted is written to text that is accepted
 * again and means the same, in both forms; it keeps the limits. A member of
 * a list that makes a path survives being written and read as a list again.
 */
#include <assert.h>

#include "addr/addr.h"
#include "unicode/unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_path(struct arena *a, const struct path *p)
{
	struct bytes text = addr_path_text(a, p, false), cut, rest;
	const char *why = NULL;
	struct path again;

	assert(unicode_valid_utf8(p->local_part));
	assert(bytes_is_ascii(p->domain_ascii));
	assert(p->domain_ascii.n <= ADDR_DOMAIN_MAX);
	assert(p->local_part.n <= ADDR_LOCAL_PART_MAX);
	assert(addr_parse_path(a, text, ADDR_SMTPUTF8, &again, &why) == 0);
	assert(addr_path_eq(p, &again));
	assert(bytes_eq(p->domain, again.domain));
	rest = bytes_str(arena_printf(a, "<%.*s> x", BYTES_ARG(text)));
	assert(addr_cut_path(&rest, &cut) == 0);
	assert(bytes_eq(cut, text) && bytes_eq(rest, BYTES(" x")));
	text = addr_path_text(a, p, true);
	assert(addr_needs_smtputf8(p) || bytes_is_ascii(text));
	assert(addr_parse_path(a, text, ADDR_SMTPUTF8, &again, &why) == 0);
	assert(addr_path_eq(p, &again));
}

static void
check_list(struct arena *a, struct bytes s)
{
	struct addr_list list, again;
	const struct addr_member *m;
	const char *why = NULL;
	struct path p, q;
	size_t count = 0;

	addr_parse_list(a, s, &list);
	for (m = list.first; m != NULL; m = m->next)
		count++;
	assert(count == list.count && count <= ADDR_LIST_MAX);
	for (m = addr_next_mailbox(list.first); m != NULL && count < 100;
	    m = addr_next_mailbox(m->next)) {
		if (addr_member_path(a, m, &p, &why) == -1)
			continue;
		check_path(a, &p);
		if (p.is_literal)
			continue;
		addr_parse_list(a, addr_path_text(a, &p, false), &again);
		assert(again.count == 1 && !again.is_bad);
		assert(addr_member_path(a, again.first, &q, &why) == 0);
		assert(addr_path_eq(&p, &q));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct bytes s = bytes_of(data, size), rest = s, cut, domain, ascii;
	const char *why = NULL;
	struct path p;

	if (addr_parse_path(&a, s, ADDR_SMTPUTF8, &p, &why) == 0)
		check_path(&a, &p);
	else
		assert(why != NULL);
	if (addr_parse_path(&a, s, 0, &p, &why) == 0) {
		assert(bytes_is_ascii(s) && !p.is_utf8);
		check_path(&a, &p);
	}
	if (addr_cut_path(&rest, &cut) == 0)
		assert(cut.n + rest.n + 2 == s.n);
	if (addr_parse_domain(&a, s, ADDR_SMTPUTF8, &domain, &ascii,
	    &why) == 0) {
		assert(bytes_is_ascii(ascii));
		assert(addr_parse_domain(&a, domain, ADDR_SMTPUTF8, &domain,
		    &cut, &why) == 0);
		assert(bytes_eq(cut, ascii));
	}
	check_list(&a, s);
	arena_free(&a);
	return 0;
}
