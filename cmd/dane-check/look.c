/* look.c - from a name to its hosts, their records, and a verdict */
#include "dane_check.h"

#include <stdlib.h>

#define HOSTS_MAX 20		/* MX hosts looked at */
#define ADDRESSES_MAX 8		/* of a host, each connected to */

static const char *const words[VERDICTS] = {
	"verified", "no-dane", "unusable", "fail", "defer",
};

static bool
is_error(const struct dns_answer *r)
{
	return r->status == DNS_TEMP || r->status == DNS_BAD;
}

static const char *
trust(const struct dns_answer *r)
{
	return r->authentic ? "authentic" : "-";
}

/* The line that sums a host up; with -q the only one. */
static enum verdict
conclude(struct check *c, enum verdict v, struct bytes host,
    const char *why)
{
	/* Results are not looked at: out.full tells in the end. */
	(void)buf_printf(&c->out, "%s\t", words[v]);
	(void)msg_escape(&c->out, host);
	(void)buf_addc(&c->out, '\t');
	(void)msg_escape(&c->out, bytes_str(why));
	(void)buf_addc(&c->out, '\n');
	return v;
}

/* ---- what DNS says ---- */

static void
show_records(struct check *c, struct bytes name,
    const struct dns_answer *answer)
{
	struct buf text = BUF_INIT(3 * DANE_DATA_MAX);
	struct dane_record r;
	const char *why;
	size_t i;

	for (i = 0; i < answer->nrecords; i++) {
		r = (struct dane_record){ answer->records[i].usage,
		    answer->records[i].selector, answer->records[i].matching,
		    answer->records[i].data };
		buf_reset(&text);
		/* The data came in one message: it fits. */
		(void)dane_format_text(&r, &text);
		why = trust(answer);
		if (!dane_usable(&r, &why))
			why = arena_printf(&c->arena, "unusable: %s", why);
		show(c, "tlsa", name, arena_printf(&c->arena, "%.*s\t%s",
		    (int)text.n, (const char *)text.p, why));
	}
	buf_free(&text);
}

static void
show_step(void *ctx, enum dns_type type, struct bytes name,
    const struct dns_answer *answer)
{
	struct check *c = ctx;

	if (answer->status != DNS_OK)
		show(c, type == DNS_TLSA ? "tlsa" : "alias", name,
		    dns_describe(answer, &c->arena));
	else if (type == DNS_TLSA)
		show_records(c, name, answer);
	else
		show(c, "alias", name, trust(answer));
}

/* ---- a host ---- */

static const char *
describe_match(struct check *c, const struct dane *dane,
    const struct dane_verdict *v)
{
	const struct dane_record *r = &dane->records[v->record];

	return arena_printf(&c->arena, "record %u %u %u matches certificate "
	    "%zu%s%.*s", r->usage, r->selector, r->matching, v->depth,
	    v->name.n == 0 ? "" : " for ", BYTES_ARG(v->name));
}

static enum verdict
check_chain(struct check *c, struct bytes host, const struct dane *dane)
{
	struct dane_verdict v;

	dane_verify(dane->records, dane->nrecords, c->chain, c->nchain,
	    dane->names, dane->nnames, time_wall_us() / 1000000, &v);
	return v.verified ? conclude(c, VERIFIED, host,
	    describe_match(c, dane, &v)) : conclude(c, FAIL, host,
	    arena_printf(&c->arena, "%s (%s)", v.why,
	    tlsresult_name(v.result)));
}

static enum verdict
check_address(struct check *c, struct bytes host, const struct ip *ip,
    const struct dane *dane)
{
	struct tlsc_finding f;
	struct tlsc_facts facts;
	char text[IP_TEXT_MAX];
	const char *why;

	(void)ip_format(ip, text);	/* fills text */
	if (dial(c, ip, dane, &f, &facts, &why) == -1) {
		show(c, "tls", bytes_str(text), why);
		return conclude(c, DEFER, host, why);
	}
	show(c, "tls", bytes_str(text), arena_printf(&c->arena, "%s %s",
	    tls_version_name(facts.version), facts.cipher));
	if (facts.verified & TLSC_DANE)
		return conclude(c, VERIFIED, host,
		    describe_match(c, dane, &facts.dane));
	if (dane->state == DANE_UNUSABLE)
		return conclude(c, UNUSABLE, host, dane->why);
	return conclude(c, FAIL, host, arena_printf(&c->arena, "%s (%s)",
	    f.why, tlsresult_name(f.result)));
}

static enum verdict
worse(enum verdict a, enum verdict b)
{
	return a > b ? a : b;
}

static enum verdict
check_addresses(struct check *c, struct bytes host,
    const struct dns_answer *const answers[2], const struct dane *dane)
{
	enum verdict v = VERIFIED;
	size_t i, k, n = 0;

	for (k = 0; k < 2; k++) {
		for (i = 0; i < answers[k]->nrecords && n < ADDRESSES_MAX;
		    i++, n++)
			v = worse(v, check_address(c, host,
			    &answers[k]->records[i].ip, dane));
	}
	return v;
}

static void
show_addresses(struct check *c, struct bytes host,
    const struct dns_answer *r)
{
	char text[IP_TEXT_MAX];
	size_t i;

	for (i = 0; i < r->nrecords; i++)
		show(c, "address", host, arena_printf(&c->arena, "%s\t%s",
		    ip_format(&r->records[i].ip, text), trust(r)));
}

/* Both families; the one with addresses, or the one that says most. */
static const struct dns_answer *
look_up(struct check *c, struct bytes host,
    const struct dns_answer *answers[2])
{
	struct dns_query *q4 = dns_start(c->dns, &c->arena, DNS_A, host);
	struct dns_query *q6 = dns_start(c->dns, &c->arena, DNS_AAAA, host);

	answers[0] = dns_wait(c->dns, q4);
	answers[1] = dns_wait(c->dns, q6);
	show_addresses(c, host, answers[0]);
	show_addresses(c, host, answers[1]);
	if (answers[0]->nrecords > 0)
		return answers[0];
	if (answers[1]->nrecords > 0 || is_error(answers[1]))
		return answers[1];
	return answers[0];
}

static enum verdict
check_host(struct check *c, const struct dane_host *about)
{
	const struct dns_answer *answers[2];
	struct dane_host h = *about;
	struct dane dane;

	h.addresses = look_up(c, h.host, answers);
	if (h.addresses->nrecords == 0)
		return conclude(c, DEFER, h.host, arena_printf(&c->arena,
		    "no address: %s", dns_describe(h.addresses,
		    &c->arena)));
	dane_find(c->dns, &c->arena, &h, show_step, c, &dane);
	if (dane.state == DANE_FAILED)
		return conclude(c, DEFER, h.host, arena_printf(&c->arena,
		    "%s: %.*s", dane.why, BYTES_ARG(dane.detail)));
	if (dane.state == DANE_NONE)
		return conclude(c, NO_DANE, h.host, dane.why);
	if (c->nchain == 0)
		return check_addresses(c, h.host, answers, &dane);
	return dane.state == DANE_UNUSABLE
	    ? conclude(c, UNUSABLE, h.host, dane.why)
	    : check_chain(c, h.host, &dane);
}

/* ---- a domain ---- */

static enum verdict
check_domain(struct check *c, struct bytes name, const struct dns_answer *mx)
{
	struct dane_host h = { .authentic = mx->authentic, .port = c->port,
	    .domain = name, .expanded_domain = mx->name };
	enum verdict v = VERIFIED;
	size_t i;

	for (i = 0; i < mx->nrecords && i < HOSTS_MAX; i++) {
		h.host = mx->records[i].name;
		show(c, "mx", name, arena_printf(&c->arena, "%u %.*s\t%s",
		    mx->records[i].preference, BYTES_ARG(h.host),
		    trust(mx)));
		if (h.host.n == 0)		/* RFC 7505 */
			return conclude(c, NO_DANE, name,
			    "the domain takes no mail (null MX)");
		v = worse(v, check_host(c, &h));
	}
	return v;
}

enum verdict
check_name(struct check *c, struct bytes name)
{
	struct dane_host h = { .host = name, .authentic = true,
	    .domain = BYTES_EMPTY, .expanded_domain = BYTES_EMPTY,
	    .port = c->port };
	const struct dns_answer *mx;

	if (c->no_mx)
		return check_host(c, &h);
	mx = dns_lookup(c->dns, &c->arena, DNS_MX, name);
	if (is_error(mx))
		return conclude(c, DEFER, name, arena_printf(&c->arena,
		    "the MX records cannot be looked up: %s",
		    dns_describe(mx, &c->arena)));
	if (mx->nrecords > 0)
		return check_domain(c, name, mx);
	return check_host(c, &h);
}
