/*
 * facts.c - what the trusted block and the message say, read once
 */
#include "judge/judge.h"

#include "addr/addr.h"
#include "mime/mime.h"
#include "trace/trace.h"
#include "unicode/unicode.h"

/* Domains of signatures that pass; real mail has up to four. */
#define DOMAINS_MAX 100

static struct bytes
domain_of(struct bytes address)
{
	size_t at;

	return bytes_rchr(address, '@', &at) ? bytes_from(address, at + 1)
	    : BYTES_EMPTY;
}

/* In A-labels and lower case; as it stands, if it is no name. */
static struct bytes
ascii_domain(struct arena *a, struct bytes domain)
{
	struct bytes ascii;

	if (idna_to_ascii(a, domain, &ascii, NULL) == -1)
		ascii = domain;
	return arena_lower(a, ascii);
}

/* ---- results of the checks ---- */

static void
take_spf(struct arena *a, const struct trace_resinfo *r,
    struct judge_facts *out)
{
	struct judge_sender *s = &out->sender;
	enum judge_check c = judge_check_find(r->result);
	struct bytes value;

	if (trace_resinfo_get(r, "smtp", "mailfrom", &value)) {
		out->spf = c;
		s->mail_from_validated = c == JUDGE_PASS;
		if (s->mail_from.n == 0)
			s->mail_from = value;
		s->mail_from_domain = ascii_domain(a, value.n > 0 &&
		    domain_of(value).n == 0 ? value : domain_of(value));
	} else if (trace_resinfo_get(r, "smtp", "helo", &value)) {
		s->helo_validated = c == JUDGE_PASS;
		s->helo = ascii_domain(a, value);
	}
}

static void
take_dkim(struct arena *a, const struct trace_resinfo *r,
    struct bytes *list, size_t *n)
{
	struct bytes d;

	if (judge_check_find(r->result) != JUDGE_PASS || *n >= DOMAINS_MAX ||
	    !trace_resinfo_get(r, "header", "d", &d))
		return;
	d = ascii_domain(a, d);
	for (size_t i = 0; i < *n; i++) {
		if (bytes_eq(list[i], d))
			return;
	}
	list[(*n)++] = d;
}

static void
read_results(struct arena *a, const struct trace_block *block,
    struct judge_facts *out)
{
	size_t most = block->nresinfo < DOMAINS_MAX ? block->nresinfo
	    : DOMAINS_MAX;		/* one result, one domain */
	struct bytes *dkim = arena_zalloc(a, most, sizeof(*dkim));
	struct trace_resinfo r;
	size_t n = 0;

	for (size_t i = 0; i < block->nresinfo; i++) {
		if (trace_resinfo_parse(a, block->resinfo[i], &r) == -1)
			continue;
		if (bytes_caseeq(r.method, BYTES("spf")))
			take_spf(a, &r, out);
		else if (bytes_caseeq(r.method, BYTES("dkim")))
			take_dkim(a, &r, dkim, &n);
		else if (bytes_caseeq(r.method, BYTES("iprev")))
			out->iprev = judge_check_find(r.result);
	}
	out->sender.dkim = dkim;
	out->sender.ndkim = n;
}

static void
read_dmarc(struct arena *a, const struct trace_block *block,
    struct judge_facts *out)
{
	struct dmarc_facts d;

	if (!dmarc_read_facts(a, block->resinfo, block->nresinfo, &d))
		return;
	out->dmarc = d.result;
	out->disposition = d.disposition;
	out->sender.alignment = d.alignment;
}

/* ---- the message ---- */

/* "local@domain" of a header's mailbox; false: it is no address. */
static bool
address_of(struct arena *a, const struct addr_member *m, struct bytes *out)
{
	struct path path;
	const char *why;

	if (addr_member_path(a, m, &path, &why) == -1)
		return false;
	*out = addr_path_text(a, &path, true);
	return true;
}

/* The one address of the one From field, as dmarc-check has it. */
static void
read_from(struct arena *a, struct bytes message, struct judge_facts *out)
{
	struct judge_sender *s = &out->sender;
	const struct addr_member *m;
	struct bytes header, body;
	struct addr_list list;
	struct mime_field f;
	const char *why;

	if (dmarc_from_domain(a, message, &s->from_domain, &why) == -1) {
		s->from_domain = BYTES_EMPTY;
		return;
	}
	mime_split(message, &header, &body);
	if (!mime_find_field(header, BYTES("From"), 0, &f))
		return;
	addr_parse_list(a, f.body, &list);
	if ((m = addr_next_mailbox(list.first)) != NULL)
		(void)address_of(a, m, &s->from_address); /* empty: none */
}

/* Most messages have one or two. */
struct addressed {
	struct bytes *list;
	size_t n, size;
};

static void
add_address(struct arena *a, const struct addr_member *m,
    struct addressed *out)
{
	struct bytes *old = out->list;

	if (out->n == out->size) {
		out->size = out->size == 0 ? 8 : out->size * 2;
		out->list = arena_zalloc(a, out->size, sizeof(*out->list));
		if (out->n > 0)
			memcpy(out->list, old, out->n * sizeof(*old));
	}
	if (address_of(a, m, &out->list[out->n]))
		out->n++;
}

static void
add_addresses(struct arena *a, struct bytes body, struct addressed *out)
{
	const struct addr_member *m;
	struct addr_list l;

	addr_parse_list(a, body, &l);
	for (m = addr_next_mailbox(l.first); m != NULL &&
	    out->n < JUDGE_ADDRESSED_MAX; m = addr_next_mailbox(m->next))
		add_address(a, m, out);
}

static void
read_addressed(struct arena *a, struct bytes message,
    struct judge_facts *out)
{
	struct addressed all = { .list = NULL };
	struct bytes header, body;
	struct mime_field f;

	mime_split(message, &header, &body);
	out->subject = mime_field_text(a, header, BYTES("Subject"));
	while (mime_next_field(&header, &f)) {
		if (bytes_caseeq(f.name, BYTES("To")) ||
		    bytes_caseeq(f.name, BYTES("Cc")))
			add_addresses(a, f.body, &all);
	}
	out->addressed = all.list;
	out->naddressed = all.n;
}

/* ---- all of it ---- */

/* The client of the envelope, or else of our Received field. */
static void
read_client(struct arena *a, const struct trace_block *block,
    const struct trace_envelope *e, struct judge_sender *s)
{
	struct ip ip = e->remote;
	struct bytes helo = e->helo;

	if (ip.family == 0)
		(void)trace_received_from(block->received, &ip, &helo);
	s->remote = ip;
	s->helo = ascii_domain(a, helo);
}

void
judge_read_facts(struct arena *a, const struct trace_block *block,
    const struct trace_envelope *e, struct bytes message,
    struct judge_facts *out)
{
	struct judge_sender *s = &out->sender;
	struct bytes tls;

	*out = (struct judge_facts){ .subject = BYTES_EMPTY, .id = e->id,
	    .size = message.n, .now = e->time };
	*s = (struct judge_sender){ .from_address = BYTES_EMPTY,
	    .from_domain = BYTES_EMPTY, .mail_from = e->sender,
	    .mail_from_domain = ascii_domain(a, domain_of(e->sender)) };
	read_client(a, block, e, s);
	(void)trace_received_id(block->received, &out->id); /* else e's */
	/* without a field of ours nobody knows, and no sign is no sign */
	out->tls = e->tls.n > 0 || block->received.n == 0 ||
	    trace_received_tls(block->received, &tls);
	read_results(a, block, out);
	read_dmarc(a, block, out);
	read_from(a, message, out);
	read_addressed(a, message, out);
}
