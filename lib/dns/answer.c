#include "dns/internal.h"

#include <stdlib.h>
#include <sys/socket.h>

static int
compare_unsigned(unsigned int a, unsigned int b)
{
	return a < b ? -1 : a > b;
}

/* All of a record but its TTL: equal ones are one record (RFC 2181 5). */
static int
compare_records(const void *a, const void *b)
{
	const struct dns_record *x = a, *y = b;
	int c;

	if ((c = compare_unsigned(x->preference, y->preference)) != 0)
		return c;
	if ((c = memcmp(x->ip.a, y->ip.a, sizeof(x->ip.a))) != 0)
		return c;
	if ((c = bytes_cmp(x->name, y->name)) != 0)
		return c;
	if ((c = compare_unsigned(x->usage, y->usage)) != 0 ||
	    (c = compare_unsigned(x->selector, y->selector)) != 0 ||
	    (c = compare_unsigned(x->matching, y->matching)) != 0)
		return c;
	return bytes_cmp(x->data, y->data);
}

void
dns_answer_set(struct dns_answer *out, struct dns_record *records, size_t n)
{
	size_t i, kept = 0;

	if (n > 1)
		qsort(records, n, sizeof(*records), compare_records);
	for (i = 0; i < n; i++) {
		if (kept > 0 &&
		    compare_records(&records[kept - 1], &records[i]) == 0)
			continue;
		records[kept++] = records[i];
	}
	out->status = DNS_OK;
	out->records = records;
	out->nrecords = kept;
	out->why = "";
	out->extended = (struct dns_extended){ .text = BYTES_EMPTY };
}

void
dns_answer_none(struct dns_answer *out, enum dns_status status,
    const char *why)
{
	out->status = status;
	out->records = NULL;
	out->nrecords = 0;
	out->why = why;
	out->extended = (struct dns_extended){ .text = BYTES_EMPTY };
}

/* ---- answers known beforehand ---- */

static bool
parse_tlsa(struct bytes text, struct arena *a, struct dns_record *r)
{
	unsigned char *const field[] = { &r->usage, &r->selector,
	    &r->matching };
	struct buf data = BUF_INIT(DNS_MESSAGE_MAX);
	struct bytes word;
	uint64_t v;
	size_t i;
	bool good = true;

	for (i = 0; i < 3; i++) {
		if (!bytes_word(&text, &word) ||
		    num_parse(word, 0, 255, &v) == -1)
			return false;
		*field[i] = (unsigned char)v;
	}
	while (good && bytes_word(&text, &word))
		good = hex_decode(&data, word) == 0;
	if (good)
		r->data = arena_bytes(a, buf_bytes(&data));
	buf_free(&data);
	return good;
}

static bool
parse_name(struct bytes text, struct arena *a, struct dns_record *r)
{
	text = bytes_trim(text);
	if (!bytes_eq(text, BYTES(".")) && !dns_name_valid(text))
		return false;
	r->name = dns_name_canonical(a, text);
	return true;
}

/* The text of a table entry; false: not usable, as if it were not there. */
static bool
parse_static(const struct dns_static *s, struct arena *a,
    struct dns_record *r)
{
	struct bytes text = s->text, word;
	uint64_t v;

	*r = (struct dns_record){ .type = s->type, .name = BYTES_EMPTY,
		.data = BYTES_EMPTY };
	switch (s->type) {
	case DNS_A:
	case DNS_AAAA:
		return ip_parse(bytes_trim(text), &r->ip) == 0 &&
		    (r->ip.family == AF_INET) == (s->type == DNS_A);
	case DNS_MX:
		if (!bytes_word(&text, &word) ||
		    num_parse(word, 0, 65535, &v) == -1)
			return false;
		r->preference = (unsigned int)v;
		return parse_name(text, a, r);
	case DNS_PTR:
	case DNS_CNAME:
		return parse_name(text, a, r);
	case DNS_TXT:
		r->data = arena_bytes(a, text);
		return true;
	case DNS_TLSA:
		return parse_tlsa(text, a, r);
	}
	return false;
}

enum dns_parsed
dns_table_find(const struct dns *d, struct arena *a, enum dns_type type,
    struct bytes name, struct dns_answer *out)
{
	struct dns_record *records, alias = { .type = 0 }, r;
	size_t i, n = 0, named = 0;

	for (i = 0; i < d->ntable; i++)
		named += dns_name_eq(d->table[i].name, name);
	if (named == 0)
		return DNS_PARSED_OTHER;
	records = arena_zalloc(a, named, sizeof(*records));
	for (i = 0; i < d->ntable; i++) {
		if (!dns_name_eq(d->table[i].name, name) ||
		    !parse_static(&d->table[i], a, &r))
			continue;
		if (r.type == type)
			records[n++] = r;
		else if (r.type == DNS_CNAME)
			alias = r;
	}
	out->authentic = false;
	out->name = dns_name_canonical(a, name);
	if (n > 0) {
		dns_answer_set(out, records, n);
	} else if (alias.type == DNS_CNAME) {
		out->name = alias.name;
		return DNS_PARSED_ALIAS;
	} else {
		dns_answer_none(out, DNS_NODATA, "no such record");
	}
	return DNS_PARSED;
}

bool
dns_source_find(const struct dns *d, struct arena *a, enum dns_type type,
    struct bytes name, struct dns_answer *out)
{
	struct dns_record *records;

	if (d->source.answer == NULL ||
	    d->source.answer(d->source.ctx, a, type, name, out) != 1)
		return false;
	if (out->nrecords > 0) {
		records = arena_zalloc(a, out->nrecords, sizeof(*records));
		memcpy(records, out->records,
		    out->nrecords * sizeof(*records));
		dns_answer_set(out, records, out->nrecords);
	}
	return true;
}
