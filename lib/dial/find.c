/*
 * find.c - the hosts of a domain and their addresses
 */
#include "dial/dial.h"

#include <string.h>
#include <sys/socket.h>

#include "os/os.h"

bool
dial_host_valid(struct bytes name)
{
	struct bytes label;
	bool more = true, letter = false;

	if (!dns_name_valid(name))
		return false;
	while (more) {
		more = bytes_split(&name, '.', &label);
		letter = false;
		if (label.n == 0 || bytes_at(label, 0) == '-' ||
		    bytes_at(label, label.n - 1) == '-')
			return false;
		for (size_t i = 0; i < label.n; i++) {
			int c = label.p[i];

			if (!ascii_is_alnum(c) && c != '-' && c != '_')
				return false;
			letter |= ascii_is_alpha(c);
		}
	}
	return letter;
}

static void
set(struct dial_domain *out, enum dial_found found, const char *why)
{
	out->found = found;
	out->why = why;
}

static void
read_records(struct arena *a, const struct dns_answer *mx,
    struct dial_domain *out)
{
	out->hosts = arena_zalloc(a, mx->nrecords, sizeof(*out->hosts));
	for (size_t i = 0; i < mx->nrecords; i++) {
		const struct dns_record *r = &mx->records[i];

		if (dial_host_valid(r->name))
			out->hosts[out->count++] = (struct dial_mx){
			    r->preference, r->name };
	}
	if (out->count > 0)
		set(out, DIAL_FOUND, "");
	else if (mx->nrecords == 1 && mx->records[0].name.n == 0)
		set(out, DIAL_NULL_MX, "the domain takes no mail (null MX)");
	else
		set(out, DIAL_NO_HOST, "no MX record of the domain names a "
		    "host");
}

void
dial_read_mx(struct arena *a, struct bytes domain,
    const struct dns_answer *mx, struct dial_domain *out)
{
	*out = (struct dial_domain){ .authentic = mx->authentic,
	    .expanded = mx->name.n > 0 ? mx->name : domain };
	switch (mx->status) {
	case DNS_OK:
		read_records(a, mx, out);
		break;
	case DNS_NODATA:
		out->implicit = true;
		out->count = 1;
		out->hosts = arena_zalloc(a, 1, sizeof(*out->hosts));
		out->hosts[0].name = domain;
		set(out, DIAL_FOUND, "");
		break;
	case DNS_NXDOMAIN:
		set(out, DIAL_NO_DOMAIN, "the domain does not exist");
		break;
	default:
		set(out, DIAL_TEMPORARY, arena_printf(a,
		    "the MX records cannot be looked up: %s",
		    dns_describe(mx, a)));
		break;
	}
}

void
dial_find(struct dns *d, struct arena *a, struct bytes domain,
    struct dial_domain *out)
{
	dial_read_mx(a, domain, dns_lookup(d, a, DNS_MX, domain), out);
}

/* q4 asks for A. */
static void
find_address(struct dns *d, struct arena *a, struct bytes name,
    struct dns_query *q4, struct dial_domain *out)
{
	struct dns_query *q6 = dns_start(d, a, DNS_AAAA, name);
	const struct dns_answer *a4 = dns_wait(d, q4), *a6 = dns_wait(d, q6);

	*out = (struct dial_domain){ .expanded = name,
	    .authentic = a4->authentic && a6->authentic };
	if (a4->status == DNS_OK || a6->status == DNS_OK)
		set(out, DIAL_FOUND, "");
	else if ((a4->status == DNS_NODATA || a4->status == DNS_NXDOMAIN) &&
	    (a6->status == DNS_NODATA || a6->status == DNS_NXDOMAIN))
		set(out, DIAL_NO_DOMAIN, "the name has no address");
	else
		set(out, DIAL_TEMPORARY, "the addresses cannot be looked up");
}

void
dial_find_address(struct dns *d, struct arena *a, struct bytes name,
    struct dial_domain *out)
{
	find_address(d, a, name, dns_start(d, a, DNS_A, name), out);
}

void
dial_find_any(struct dns *d, struct arena *a, struct bytes domain,
    struct dial_domain *out)
{
	struct dial_domain address;
	struct dns_query *q4;

	dial_find(d, a, domain, out);
	if (out->found != DIAL_FOUND || !out->implicit)
		return;
	q4 = dns_start(d, a, DNS_A, domain);
	/* one that is known already is enough */
	if (dns_is_answered(q4) && dns_wait(d, q4)->status == DNS_OK)
		return;
	find_address(d, a, domain, q4, &address);
	if (address.found != DIAL_FOUND)
		*out = address;
}

uint32_t
dial_random(void *ctx, uint32_t below)
{
	uint64_t n;

	(void)ctx;
	os_random(&n, sizeof(n));	/* 64 bits: no bias to speak of */
	return (uint32_t)(n % below);
}

void
dial_shuffle(struct dial_mx *hosts, size_t count,
    uint32_t (*next)(void *ctx, uint32_t below), void *ctx)
{
	size_t start, end, i, j;

	for (start = 0; start < count; start = end) {
		for (end = start + 1; end < count && hosts[end].preference ==
		    hosts[start].preference; end++)
			;
		for (i = end - 1; i > start; i--) {
			struct dial_mx keep = hosts[i];

			j = start + next(ctx, (uint32_t)(i - start + 1));
			hosts[i] = hosts[j];
			hosts[j] = keep;
		}
	}
}

size_t
dial_before_own(const struct dial_mx *hosts, size_t count, struct bytes own)
{
	size_t i, n = 0;

	for (i = 0; i < count && !dns_name_eq(hosts[i].name, own); i++)
		;
	if (i == count)
		return count;
	while (n < i && hosts[n].preference < hosts[i].preference)
		n++;
	return n;
}

/* ---- addresses ---- */

/* ::ffff:0:0/96 leads to IPv4, whoever it was that wrote it into an AAAA
 * record. */
static struct ip
without_mapping(const struct ip *ip)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ip v4 = { .family = AF_INET };

	if (ip->family != AF_INET6 || memcmp(ip->a, mapped, 12) != 0)
		return *ip;
	memcpy(v4.a, ip->a + 12, 4);
	return v4;
}

bool
dial_is_local(const struct ip *ip)
{
	static const struct {
		const char *net;
		unsigned int bits;
	} nets[] = {
		{ "0.0.0.0", 8 }, { "10.0.0.0", 8 }, { "100.64.0.0", 10 },
		{ "127.0.0.0", 8 }, { "169.254.0.0", 16 },
		{ "172.16.0.0", 12 }, { "192.168.0.0", 16 },
		{ "224.0.0.0", 3 }, { "::", 127 }, { "fc00::", 7 },
		{ "fe80::", 10 }, { "ff00::", 8 },
	};
	struct ip net, plain = without_mapping(ip);

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		if (ip_parse(bytes_str(nets[i].net), &net) == 0 &&
		    ip_in_net(&plain, &net, nets[i].bits))
			return true;
	}
	return false;
}

struct filter {
	const struct dial_limits *limits;
	size_t off, local;	/* left out: family, network */
};

static void
add(struct dial_host *out, struct filter *f, const struct ip *ip)
{
	bool off = ip->family == AF_INET6 ? f->limits->no_ipv6
	    : f->limits->no_ipv4;

	if (off)
		f->off++;
	else if (!f->limits->local && dial_is_local(ip))
		f->local++;
	else if (out->count < DIAL_ADDRESSES_MAX)
		out->ips[out->count++] = *ip;
}

static void
add_answer(struct dial_host *out, struct filter *f,
    const struct dns_answer *r)
{
	for (size_t i = 0; i < r->nrecords; i++)
		add(out, f, &r->records[i].ip);
}

static bool
is_error(const struct dns_answer *r)
{
	return r->status != DNS_OK && r->status != DNS_NODATA &&
	    r->status != DNS_NXDOMAIN;
}

static const char *
why_none(struct arena *a, struct dial_host *out, const struct filter *f)
{
	const struct dns_answer *bad = is_error(out->a) ? out->a : out->aaaa;

	if (is_error(bad)) {
		out->temporary = true;
		return arena_printf(a, "its addresses cannot be looked up: "
		    "%s", dns_describe(bad, a));
	}
	if (f->local > 0)
		return "its addresses are in private networks";
	if (f->off > 0)
		return "it has no address of the families that are used";
	return "it has no address";
}

static bool
is_localhost(struct bytes host)
{
	return dns_name_below(host, BYTES("localhost"));
}

void
dial_addresses(struct dns *d, struct arena *a, struct bytes host,
    const struct dial_limits *limits, struct dial_host *out)
{
	static const struct dns_answer none = { .status = DNS_NODATA,
	    .why = "" };
	struct filter f = { .limits = limits };
	struct dns_query *q4, *q6;
	struct ip own[2];

	*out = (struct dial_host){ .a = &none, .aaaa = &none, .why = "" };
	if (is_localhost(host)) {
		(void)ip_parse(BYTES("127.0.0.1"), &own[0]);	/* it is one */
		(void)ip_parse(BYTES("::1"), &own[1]);
		add(out, &f, &own[0]);
		add(out, &f, &own[1]);
	} else {
		q4 = dns_start(d, a, DNS_A, host);
		q6 = dns_start(d, a, DNS_AAAA, host);
		out->a = dns_wait(d, q4);
		out->aaaa = dns_wait(d, q6);
		/* Room for both families however many one has. */
		add_answer(out, &f, out->a->nrecords <= out->aaaa->nrecords
		    ? out->a : out->aaaa);
		add_answer(out, &f, out->a->nrecords <= out->aaaa->nrecords
		    ? out->aaaa : out->a);
	}
	for (size_t i = 1; i < out->count; i++)
		out->dual |= out->ips[i].family != out->ips[0].family;
	if (out->count == 0)
		out->why = why_none(a, out, &f);
}
