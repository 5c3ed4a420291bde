#include "iprev/iprev.h"

#include <sys/socket.h>

const char *
iprev_result_name(enum iprev_result result)
{
	switch (result) {
	case IPREV_PASS:
		return "pass";
	case IPREV_FAIL:
		return "fail";
	case IPREV_TEMPERROR:
		return "temperror";
	case IPREV_PERMERROR:
		break;
	}
	return "permerror";
}

static void
set(struct iprev *out, enum iprev_result result, const char *why)
{
	out->result = result;
	out->why = why;
}

static bool
has_ip(const struct dns_answer *answer, const struct ip *ip)
{
	size_t i;

	for (i = 0; i < answer->nrecords; i++) {
		if (ip_eq(&answer->records[i].ip, ip))
			return true;
	}
	return false;
}

struct iprev_finder {
	struct dns *dns;
	struct arena *arena;
	struct ip ip;
	struct dns_query *ptr;		/* NULL: no address */
	bool went_on;
	struct dns_query *query[IPREV_NAMES_MAX];	/* of the names */
	size_t n;
};

/*
 * Do the names lead back? A name whose look-up failed decides nothing while
 * another confirms.
 */
static void
confirm(struct iprev_finder *f, const struct dns_answer *ptr,
    struct iprev *out)
{
	const struct dns_answer *answer;
	bool authentic = ptr->authentic, failed = false, found = false;
	size_t i;

	for (i = 0; i < f->n; i++) {
		answer = dns_wait(f->dns, f->query[i]);
		if (!found && has_ip(answer, &out->ip)) {
			found = true;
			out->name = ptr->records[i].name;
			out->authentic = ptr->authentic && answer->authentic;
		}
		authentic = authentic && answer->authentic;
		failed = failed || answer->status == DNS_TEMP;
	}
	if (found) {
		set(out, IPREV_PASS, "");
		return;
	}
	out->authentic = authentic;
	out->name = ptr->records[0].name;
	if (failed)
		set(out, IPREV_TEMPERROR, "name cannot be looked up now");
	else
		set(out, IPREV_FAIL, "name does not have this address");
}

struct iprev_finder *
iprev_start(struct dns *d, struct arena *a, const struct ip *ip)
{
	struct iprev_finder *f = arena_zalloc(a, 1, sizeof(*f));
	char name[DNS_REVERSE_MAX];

	f->dns = d;
	f->arena = a;
	f->ip = *ip;
	if (ip->family == AF_INET || ip->family == AF_INET6)
		f->ptr = dns_start(d, a, DNS_PTR,
		    bytes_str(dns_reverse(ip, name)));
	return f;
}

/* All names at the same time. */
void
iprev_go_on(struct iprev_finder *f)
{
	enum dns_type type = f->ip.family == AF_INET ? DNS_A : DNS_AAAA;
	const struct dns_answer *ptr;

	if (f->ptr == NULL || f->went_on)
		return;
	f->went_on = true;
	ptr = dns_wait(f->dns, f->ptr);
	while (f->n < ptr->nrecords && f->n < IPREV_NAMES_MAX) {
		f->query[f->n] = dns_start(f->dns, f->arena, type,
		    ptr->records[f->n].name);
		f->n++;
	}
}

void
iprev_finish(struct iprev_finder *f, struct iprev *out)
{
	const struct dns_answer *ptr;

	*out = (struct iprev){ .ip = f->ip, .name = BYTES_EMPTY };
	if (f->ptr == NULL) {
		set(out, IPREV_PERMERROR, "no address");
		return;
	}
	iprev_go_on(f);
	ptr = dns_wait(f->dns, f->ptr);
	out->authentic = ptr->authentic;
	switch (ptr->status) {
	case DNS_OK:
		confirm(f, ptr, out);
		return;
	case DNS_NODATA:
	case DNS_NXDOMAIN:
		set(out, IPREV_PERMERROR, "no reverse name");
		return;
	case DNS_TEMP:
		set(out, IPREV_TEMPERROR, ptr->why);
		return;
	case DNS_BAD:
		set(out, IPREV_PERMERROR, ptr->why);
		return;
	}
}

void
iprev_check(struct dns *d, struct arena *a, const struct ip *ip,
    struct iprev *out)
{
	iprev_finish(iprev_start(d, a, ip), out);
}

struct bytes
iprev_host(const struct iprev *r)
{
	size_t i;
	int c;

	for (i = 0; i < r->name.n; i++) {
		c = bytes_at(r->name, i);
		if (!ascii_is_alnum(c) && c != '-' && c != '_' && c != '.')
			return BYTES_EMPTY;
	}
	return r->name;
}

int
iprev_format_resinfo(struct buf *out, const struct iprev *r)
{
	struct bytes host = iprev_host(r);
	char ip[IP_TEXT_MAX];

	if (buf_printf(out, "iprev=%s%s", iprev_result_name(r->result),
	    r->authentic ? " (with dnssec)" : "") == -1)
		return -1;
	/* An IPv6 address is no token: RFC 8601 2.2, pvalue. */
	if (buf_printf(out, r->ip.family == AF_INET6 ?
	    " policy.iprev=\"%s\"" : " policy.iprev=%s",
	    ip_format(&r->ip, ip)) == -1)
		return -1;
	if (host.n > 0 && buf_printf(out, " (%.*s)", BYTES_ARG(host)) == -1)
		return -1;
	return 0;
}

int
iprev_format_line(struct buf *out, const struct iprev *r)
{
	struct bytes host = iprev_host(r);
	char ip[IP_TEXT_MAX];

	if (host.n == 0)
		host = BYTES("-");
	return buf_printf(out, "%s\t%s\t%.*s\t%s",
	    iprev_result_name(r->result), ip_format(&r->ip, ip),
	    BYTES_ARG(host), r->why[0] == '\0' ? "-" : r->why);
}
