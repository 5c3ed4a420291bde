/*
 * find.c - whose record counts: policy discovery (RFC 7489 6.6.3)
 */
#include "dmarc/dmarc.h"

#include <errno.h>

#include "psl/psl.h"

struct place {
	struct bytes domain;
	struct dns_query *query;	/* NULL: no such name can be */
};

struct dmarc_finder {
	struct dns *dns;
	struct arena *arena;
	struct place from, above;	/* above.domain empty: the same */
};

static void
ask(struct dmarc_finder *f, struct place *p)
{
	struct bytes name;

	name = bytes_str(arena_printf(f->arena, "_dmarc.%.*s",
	    BYTES_ARG(p->domain)));
	if (dns_name_valid(name))
		p->query = dns_start(f->dns, f->arena, DNS_TXT, name);
}

struct dmarc_finder *
dmarc_find_start(struct dns *d, struct arena *a, struct bytes domain)
{
	struct dmarc_finder *f = arena_zalloc(a, 1, sizeof(*f));

	f->dns = d;
	f->arena = a;
	f->from.domain = arena_bytes(a, domain);
	f->above.domain = psl_organisational_domain(a, domain);
	if (dns_name_eq(f->above.domain, domain))
		f->above.domain = BYTES_EMPTY;
	ask(f, &f->from);
	if (f->above.domain.n > 0)
		ask(f, &f->above);
	return f;
}

static size_t
count_records(const struct dns_answer *answer, struct bytes *text)
{
	size_t n = 0;

	for (size_t i = 0; i < answer->nrecords; i++) {
		if (!dmarc_is_record(answer->records[i].data))
			continue;
		if (n++ == 0)
			*text = answer->records[i].data;
	}
	return n;
}

/* True: the search ends here, with *out filled. */
static bool
look(struct dmarc_finder *f, const struct place *p, struct dmarc_found *out)
{
	const struct dns_answer *answer;
	struct bytes text = BYTES_EMPTY;
	size_t n;

	if (p->query == NULL)
		return false;
	answer = dns_wait(f->dns, p->query);
	out->authentic = out->authentic && answer->authentic;
	if (answer->status == DNS_TEMP || answer->status == DNS_BAD) {
		out->status = DMARC_UNKNOWN;
		out->why = answer->why;
		return true;
	}
	if ((n = count_records(answer, &text)) == 0)
		return false;
	out->domain = p->domain;
	if (n > 1) {
		out->why = "several records";
		return true;
	}
	out->text = text;
	if (dmarc_record_parse(text, f->arena, &out->record, &out->why) == 0) {
		out->status = DMARC_FOUND;
		out->why = "";
	} else if (errno != ENOENT)
		out->status = DMARC_MALFORMED;
	return true;
}

void
dmarc_find_finish(struct dmarc_finder *f, struct dmarc_found *out)
{
	*out = (struct dmarc_found){ .status = DMARC_ABSENT, .why = "",
	    .domain = BYTES_EMPTY, .text = BYTES_EMPTY, .authentic = true };
	if (look(f, &f->from, out))
		return;
	if (f->above.domain.n > 0)
		out->from_above = look(f, &f->above, out);
}
