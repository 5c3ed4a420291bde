/* origin.c - facts of a sender out of the trusted block */
#include "origin/origin.h"

#include <sys/socket.h>

#include "addr/addr.h"
#include "dmarc/dmarc.h"
#include "mime/mime.h"
#include "psl/psl.h"

void
origin_masks(const struct ip *ip, struct ip out[ORIGIN_MASKS])
{
	for (unsigned int i = 0; i < ORIGIN_MASKS; i++)
		out[i] = ip->family == 0 ? *ip : ip_mask(ip, ip_net_bits(
		    ip->family == AF_INET6, i));
}

bool
origin_is_empty(const struct origin *o)
{
	return o->from_domain.n == 0 && !o->mail_from_validated &&
	    !o->helo_validated && o->ndkim == 0 && o->ip.family == 0;
}

void
origin_forwarded(struct origin *o, struct bytes verified_domain)
{
	size_t n = 0;

	for (size_t i = 0; i < o->ndkim; i++) {
		if (!bytes_caseeq(o->dkim[i], verified_domain))
			o->dkim[n++] = o->dkim[i];
	}
	o->ndkim = n;
	o->ip = (struct ip){ .family = 0 };
	o->helo = o->mail_from_local = o->mail_from_domain = BYTES_EMPTY;
	o->helo_validated = o->mail_from_validated = false;
}

/* A-labels in lower case; empty for what is no domain. */
static struct bytes
domain_of(struct arena *a, struct bytes s)
{
	struct bytes unicode, ascii;
	const char *why;

	return addr_parse_domain(a, s, ADDR_SMTPUTF8, &unicode, &ascii, &why)
	    == 0 ? ascii : BYTES_EMPTY;
}

/* ---- From ---- */

static void
read_from(struct arena *a, struct bytes rest, struct origin *o)
{
	const struct addr_member *m;
	struct bytes header, body;
	struct addr_list list;
	struct mime_field f;
	const char *why;

	if (dmarc_from_domain(a, rest, &o->from_domain, &why) == -1)
		return;
	mime_split(rest, &header, &body);
	if (!mime_find_field(header, BYTES("From"), 0, &f))
		return;
	addr_parse_list(a, f.body, &list);
	if ((m = addr_next_mailbox(list.first)) != NULL)
		o->from_local = arena_lower(a, m->mailbox);
	o->from_org = psl_organisational_domain(a, o->from_domain);
}

static void
read_alignment(struct arena *a, const struct trace_block *block,
    struct origin *o)
{
	struct dmarc_facts facts;

	/* The From that was checked must be this one. */
	o->from_validated = o->from_domain.n > 0 &&
	    dmarc_read_facts(a, block->resinfo, block->nresinfo, &facts) &&
	    facts.alignment != DMARC_ALIGNED_NONE &&
	    bytes_caseeq(facts.from, o->from_domain);
}

/* ---- SPF and DKIM ---- */

static void
add_dkim(struct origin *o, struct bytes domain)
{
	if (domain.n == 0)
		return;
	for (size_t i = 0; i < o->ndkim; i++) {
		if (bytes_eq(o->dkim[i], domain))
			return;
	}
	if (o->ndkim < ORIGIN_DKIM_MAX)
		o->dkim[o->ndkim++] = domain;
}

static void
read_sender(struct arena *a, struct bytes sender, struct origin *o)
{
	struct path p;
	const char *why;

	if (sender.n == 0 ||
	    addr_parse_path(a, sender, ADDR_SMTPUTF8, &p, &why) == -1 ||
	    p.domain_ascii.n == 0 || p.is_literal)
		return;
	o->mail_from_local = arena_lower(a, p.local_part);
	o->mail_from_domain = p.domain_ascii;
}

static void
read_results(struct arena *a, const struct trace_block *block,
    struct origin *o)
{
	struct trace_resinfo r;
	struct bytes value;

	for (size_t i = 0; i < block->nresinfo; i++) {
		if (trace_resinfo_parse(a, block->resinfo[i], &r) == -1 ||
		    !bytes_caseeq(r.result, BYTES("pass")))
			continue;
		if (bytes_caseeq(r.method, BYTES("dkim")) &&
		    trace_resinfo_get(&r, "header", "d", &value))
			add_dkim(o, domain_of(a, value));
		if (!bytes_caseeq(r.method, BYTES("spf")))
			continue;
		if (trace_resinfo_get(&r, "smtp", "mailfrom", &value)) {
			if (o->mail_from_domain.n == 0)
				read_sender(a, value, o);
			o->mail_from_validated = o->mail_from_domain.n > 0;
		} else if (trace_resinfo_get(&r, "smtp", "helo", &value)) {
			o->helo_validated = o->helo.n > 0;
		}
	}
}

static void
clear(struct origin *o)
{
	*o = (struct origin){ .from_local = BYTES_EMPTY,
	    .from_domain = BYTES_EMPTY, .from_org = BYTES_EMPTY,
	    .mail_from_local = BYTES_EMPTY, .mail_from_domain = BYTES_EMPTY,
	    .helo = BYTES_EMPTY };
}

void
origin_read(struct arena *a, const struct trace_block *block,
    const struct ip *ip, struct bytes helo, struct bytes sender,
    struct bytes rest, struct origin *out)
{
	clear(out);
	out->ip = *ip;
	out->helo = domain_of(a, helo);
	read_sender(a, sender, out);
	read_from(a, rest, out);
	read_alignment(a, block, out);
	read_results(a, block, out);
}

/* ---- a message in a mailbox ---- */

/* What stands in < > of the Return-Path among our own fields, if it is there:
 * a message on its way has none yet. */
static struct bytes
return_path(const struct trace_block *block)
{
	struct mime_field f;
	struct bytes body, field, sender;

	for (size_t i = 0; i < block->ntop; i++) {
		field = block->top[i];
		if (!mime_next_field(&field, &f) ||
		    !bytes_caseeq(f.name, BYTES("Return-Path")))
			continue;
		body = bytes_trim(f.body);
		return addr_cut_path(&body, &sender) == 0 ? sender
		    : BYTES_EMPTY;
	}
	return BYTES_EMPTY;
}

/* What delivery noted for a rule that says so (trace_block_override); our own
 * words, right behind the result. */
static bool
is_forwarded(struct arena *a, const struct trace_block *block)
{
	struct trace_resinfo r;

	for (size_t i = 0; i < block->nresinfo; i++) {
		if (trace_resinfo_parse(a, block->resinfo[i], &r) == 0 &&
		    bytes_caseeq(r.method, BYTES("dmarc")) &&
		    bytes_starts(bytes_from(block->resinfo[i], r.result_end),
		    BYTES(" (override forwarded)")))
			return true;
	}
	return false;
}

bool
origin_of_stored(struct arena *a, struct bytes message,
    struct bytes hostname, struct origin *out)
{
	struct bytes rest, helo = BYTES_EMPTY;
	struct ip ip = { .family = 0 };
	struct trace_block block;

	clear(out);
	if (trace_block_parse(a, message, hostname, BYTES_EMPTY, &block, &rest)
	    != 1)
		return false;
	(void)trace_received_from(block.received, &ip, &helo);	/* or none */
	origin_read(a, &block, &ip, helo, return_path(&block), rest, out);
	if (is_forwarded(a, &block))
		origin_forwarded(out, out->mail_from_validated
		    ? out->mail_from_domain : BYTES_EMPTY);
	return true;
}
