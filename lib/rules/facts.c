/*
 * facts.c - what rules look at, out of a message with its trusted block
 *
 * Who vouches for what is read from the results of the block alone; strangers
 * write the rest.
 */
#include "rules/rules.h"

#include "addr/addr.h"
#include "mime/mime.h"

/* A domain as rules name it; empty: it is none. */
static struct bytes
to_ascii(struct arena *a, struct bytes domain)
{
	struct bytes unicode, ascii;
	const char *why;

	return addr_parse_domain(a, domain, ADDR_SMTPUTF8, &unicode, &ascii,
	    &why) == -1 ? BYTES_EMPTY : ascii;
}

/* ---- results ---- */

struct domains {
	struct arena *a;
	struct bytes *list;
	size_t n;
};

static void
add_domain(struct domains *d, struct bytes domain)
{
	struct bytes ascii = to_ascii(d->a, domain);

	for (size_t i = 0; i < d->n; i++) {
		if (bytes_eq(d->list[i], ascii))
			return;
	}
	if (ascii.n > 0 && d->n < RULES_DOMAINS_MAX)
		d->list[d->n++] = ascii;
}

static void
read_spf(struct arena *a, const struct trace_resinfo *r,
    struct rules_facts *out)
{
	struct bytes value;
	size_t at;

	if (trace_resinfo_get(r, "smtp", "mailfrom", &value)) {
		if (bytes_rchr(value, '@', &at))
			value = bytes_from(value, at + 1);
		out->mail_from_domain = to_ascii(a, value);
	} else if (trace_resinfo_get(r, "smtp", "helo", &value))
		out->helo_domain = to_ascii(a, value);
}

static void
read_results(struct arena *a, const struct trace_block *block,
    struct rules_facts *out)
{
	size_t most = block->nresinfo < RULES_DOMAINS_MAX ? block->nresinfo
	    : RULES_DOMAINS_MAX;	/* one result, one domain */
	struct domains dkim = { .a = a };
	struct trace_resinfo r;
	struct bytes d;

	dkim.list = arena_zalloc(a, most, sizeof(*dkim.list));
	for (size_t i = 0; i < block->nresinfo; i++) {
		if (trace_resinfo_parse(a, block->resinfo[i], &r) == -1 ||
		    !bytes_caseeq(r.result, BYTES("pass")))
			continue;
		if (bytes_caseeq(r.method, BYTES("spf")))
			read_spf(a, &r, out);
		else if (bytes_caseeq(r.method, BYTES("dkim")) &&
		    trace_resinfo_get(&r, "header", "d", &d))
			add_domain(&dkim, d);
	}
	out->dkim_domain = dkim.list;
	out->ndkim_domains = dkim.n;
}

/* ---- addresses ---- */

static struct bytes
sender_text(struct arena *a, struct bytes sender)
{
	struct path path;
	const char *why;

	if (sender.n == 0 || addr_parse_mailbox(a, sender, ADDR_SMTPUTF8,
	    &path, &why) == -1)
		return sender;
	return addr_path_text(a, &path, false);
}

bool
rules_from(struct arena *a, struct bytes header, struct path *out)
{
	const struct addr_member *m;
	struct addr_list list;
	struct mime_field f;
	const char *why;

	if (mime_count_fields(header, BYTES("From")) != 1)
		return false;
	(void)mime_find_field(header, BYTES("From"), 0, &f);	/* counted */
	addr_parse_list(a, f.body, &list);
	m = addr_next_mailbox(list.first);
	return addr_is_only(&list, m) &&
	    addr_member_path(a, m, out, &why) == 0;
}

void
rules_facts_read(struct arena *a, const struct trace_block *block,
    const struct trace_envelope *e, struct bytes message,
    struct rules_facts *out)
{
	struct bytes *header = arena_zalloc(a, block->ntop + 1,
	    sizeof(*header));
	struct bytes body;
	struct path from;

	*out = (struct rules_facts){ .from = BYTES_EMPTY,
	    .helo_domain = BYTES_EMPTY, .mail_from_domain = BYTES_EMPTY };
	out->mail_from = sender_text(a, e->sender);
	read_results(a, block, out);
	for (size_t i = 0; i < block->ntop; i++)
		header[i] = block->top[i];
	mime_split(message, &header[block->ntop], &body);
	out->header = header;
	out->nheaders = block->ntop + 1;
	out->has_from = rules_from(a, header[block->ntop], &from);
	if (out->has_from)
		out->from = addr_path_text(a, &from, false);
}
