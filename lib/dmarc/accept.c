/*
 * accept.c - does a report address outside the domain want its reports?
 * (RFC 7489 7.1)
 */
#include "dmarc/dmarc.h"

#include "addr/addr.h"
#include "psl/psl.h"

/* The domain of "mailto:local@domain", A-labels; empty: it is no such URI. */
static struct bytes
mail_domain(struct arena *a, struct bytes uri)
{
	struct bytes address, domain, ascii;
	const char *why;
	size_t at;

	if (!bytes_caseskip(&uri, BYTES("mailto:")))
		return BYTES_EMPTY;
	(void)bytes_split(&uri, '?', &address);	/* none: all of it */
	if (!bytes_rchr(address, '@', &at) || at == 0 ||
	    addr_parse_domain(a, bytes_from(address, at + 1), ADDR_SMTPUTF8,
	    &domain, &ascii, &why) == -1)
		return BYTES_EMPTY;
	return ascii;
}

void
dmarc_accept_start(struct dns *d, struct arena *a, struct bytes domain,
    struct bytes uri, struct dmarc_acceptor *out)
{
	struct bytes host = mail_domain(a, uri);

	*out = (struct dmarc_acceptor){ .name = BYTES_EMPTY, .why = "" };
	if (host.n == 0) {
		out->why = "no mailto address";
		return;
	}
	if (dns_name_eq(psl_organisational_domain(a, host),
	    psl_organisational_domain(a, domain)))
		return;
	out->name = bytes_str(arena_printf(a, "%.*s._report._dmarc.%.*s",
	    BYTES_ARG(domain), BYTES_ARG(host)));
	if (dns_name_valid(out->name))
		out->query = dns_start(d, a, DNS_TXT, out->name);
	else
		out->why = "the name to ask for is too long";
}

enum dmarc_accept
dmarc_accept_finish(struct dns *d, struct dmarc_acceptor *c)
{
	const struct dns_answer *answer;

	if (c->query == NULL)
		return c->why[0] == '\0' ? DMARC_ACCEPTS : DMARC_REFUSES;
	answer = dns_wait(d, c->query);
	if (answer->status == DNS_TEMP || answer->status == DNS_BAD) {
		c->why = answer->why;
		return DMARC_ACCEPT_UNKNOWN;
	}
	for (size_t i = 0; i < answer->nrecords; i++) {
		if (dmarc_is_record(answer->records[i].data))
			return DMARC_ACCEPTS;
	}
	c->why = "it does not say that it wants these reports";
	return DMARC_REFUSES;
}
