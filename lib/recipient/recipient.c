/*
 * recipient.c - whose an address is
 */
#include "recipient/recipient.h"

#include <errno.h>

/* What one look-up works on. */
struct query {
	const struct config *c;
	struct arena *a;
	struct bytes domain;		/* hosted, as configured */
	struct bytes local_part;	/* canonical */
};

static bool
is_postmaster(struct bytes local_part)
{
	return bytes_caseeq(local_part, BYTES("postmaster"));
}

/* local@domain as text, quoted where it must be. */
static struct bytes
address_text(struct arena *a, struct bytes local_part, struct bytes domain)
{
	struct buf b = BUF_INIT(ADDR_PATH_MAX * 2);
	struct bytes text;

	addr_format_local_part(&b, local_part);
	buf_addc(&b, '@');
	buf_add(&b, domain);
	text = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return text;
}

/* Every separator in turn shortens what is left (D-3). */
static struct bytes
cut_separators(const struct query *q, struct bytes local_part)
{
	struct config_list list;
	struct bytes separator;
	size_t at;

	config_list(q->c, "domain", (const char *)q->domain.p, "separators",
	    &list);
	while (config_list_next(&list, &separator)) {
		if (bytes_find(local_part, separator, &at))
			local_part = bytes_first(local_part, at);
	}
	return local_part;
}

/*
 * An address that takes reports, alone or with a separator behind it: it is
 * that one, whatever separators it holds itself (D-16).
 */
static bool
cut_reports(const struct query *q, struct bytes *local_part)
{
	struct config_list list, separators;
	struct bytes name, rest, separator;

	config_reports(q->c, q->domain, &list);
	while (config_list_next(&list, &name)) {
		name = bytes_from(name, 1);
		rest = *local_part;
		if (name.n == 0 || !bytes_skip(&rest, name))
			continue;
		config_list(q->c, "domain", (const char *)q->domain.p,
		    "separators", &separators);
		while (rest.n > 0 &&
		    config_list_next(&separators, &separator)) {
			if (bytes_starts(rest, separator))
				rest = BYTES_EMPTY;
		}
		if (rest.n == 0) {
			*local_part = name;
			return true;
		}
	}
	return false;
}

static unsigned int
reports_of(const struct query *q)
{
	struct config_list list;
	unsigned int kinds = 0;
	struct bytes name;

	config_reports(q->c, q->domain, &list);
	while (config_list_next(&list, &name)) {
		if (bytes_eq(bytes_from(name, 1), q->local_part))
			kinds |= name.p[0] == 'D' ? RECIPIENT_DMARC_REPORTS
			    : RECIPIENT_TLS_REPORTS;
	}
	return kinds;
}

static int
canonical(struct query *q, struct bytes local_part)
{
	struct bytes folded;

	if (config_fold_local_part(q->a, local_part,
	    config_get_bool(q->c, "domain", (const char *)q->domain.p,
	    "case-sensitive"), &folded) == -1)
		return -1;
	q->local_part = cut_reports(q, &folded) ? folded
	    : cut_separators(q, folded);
	/* "POSTMASTER+x" of a case-sensitive domain. */
	if (is_postmaster(q->local_part))
		q->local_part = BYTES("postmaster");
	return 0;
}

static void
fill(const struct query *q, struct recipient *out,
    const struct config_address *found)
{
	out->account = found->account;
	out->mailbox = found->mailbox;
	out->key = found->address;
	out->error = config_get_text(q->c, "address",
	    (const char *)found->address.p, "smtp-error");
}

/* The exact address, the alias, then "@domain" (D-1, D-9, D-2). */
static bool
find_owner(const struct query *q, struct recipient *out)
{
	struct config_address found;

	if (config_address_find(q->c, &q->local_part, q->domain, &found)) {
		fill(q, out, &found);
		out->reports = reports_of(q);
		return true;
	}
	if (config_alias_find(q->c, q->local_part, q->domain, &out->alias))
		return true;
	if (!config_address_find(q->c, NULL, q->domain, &found))
		return false;
	fill(q, out, &found);
	out->catch_all = true;
	return true;
}

/* The account [server] names for postmaster, if it names one. */
static bool
find_postmaster(const struct config *c, struct recipient *out)
{
	struct bytes account;

	if (config_get(c, "server", NULL, "postmaster", &account) != 1)
		return false;
	out->account = account;
	out->mailbox = config_get_text(c, "server", NULL,
	    "postmaster-mailbox");
	out->postmaster = true;
	return true;
}

/* The address [server] gives for all that nobody has. */
static bool
find_unknown(const struct config *c, struct arena *a, struct recipient *out)
{
	struct query q = { .c = c, .a = a };
	struct bytes address;
	struct path path;
	const char *why;

	if (config_get(c, "server", NULL, "unknown-recipients-to",
	    &address) != 1)
		return false;
	if (addr_parse_mailbox(a, address, ADDR_SMTPUTF8, &path, &why) == -1
	    || !config_domain_find(c, path.domain, &q.domain))
		return false;
	q.local_part = path.local_part;
	if (!find_owner(&q, out))
		return false;
	out->catch_all = false;
	out->unknown = true;
	return true;
}

/* "<postmaster>", or postmaster at our host name (RFC 5321 4.5.1, R-24). */
static bool
is_host_postmaster(const struct path *path, struct bytes hostname)
{
	if (path->is_postmaster)
		return true;
	return is_postmaster(path->local_part) && !path->is_literal
	    && bytes_caseeq(path->domain_ascii, hostname);
}

/* Reports about TLS to this host itself go to one address at its name, of no
 * domain (RFC 8460, of MX hosts). */
static bool
find_host_reports(const struct config *c, const struct path *path,
    struct bytes hostname, struct recipient *out)
{
	struct bytes account, local_part = config_get_text(c, "server", NULL,
	    "tls-reports-local-part");

	if (path->is_null || path->is_postmaster || path->is_literal ||
	    !bytes_caseeq(path->domain_ascii, hostname) ||
	    !bytes_caseeq(path->local_part, local_part) ||
	    config_get(c, "server", NULL, "tls-reports", &account) != 1)
		return false;
	out->account = account;
	out->mailbox = config_get_text(c, "server", NULL,
	    "tls-reports-mailbox");
	out->reports = RECIPIENT_TLS_REPORTS;
	return true;
}

/* Every domain is ours, for trying (O-4). */
static int
find_simulated(const struct config *c, struct arena *a,
    const struct path *path, struct recipient *r)
{
	if (path->is_null || !config_get_bool(c, "server", NULL, "simulate")
	    || !find_unknown(c, a, r))
		return -1;
	r->domain = path->domain;
	r->address = address_text(a, path->local_part, path->domain);
	return 1;
}

/* Does a domain of ours take mail? 0, or the errno of why not. */
static int
why_closed(const struct config *c, struct bytes domain)
{
	const char *name = (const char *)domain.p;

	if (config_get_bool(c, "domain", name, "reports-only"))
		return EACCES;
	return config_get_bool(c, "domain", name, "disabled") ? EAGAIN : 0;
}

/* Of addresses that need no domain of ours. */
static bool
find_host(const struct config *c, struct arena *a, const struct path *path,
    struct bytes hostname, struct recipient *r)
{
	if (is_host_postmaster(path, hostname)) {
		r->domain = path->is_postmaster ? hostname : path->domain;
		r->address = address_text(a, BYTES("postmaster"), r->domain);
		if (find_postmaster(c, r))
			return true;
	}
	if (!find_host_reports(c, path, hostname, r))
		return false;
	r->domain = path->domain;
	r->address = address_text(a, config_get_text(c, "server", NULL,
	    "tls-reports-local-part"), r->domain);
	return true;
}

/* In a domain that is configured. */
static int
find_local(struct query *q, struct bytes local_part, struct recipient *r)
{
	if (canonical(q, local_part) == -1)
		return -1;
	r->domain = q->domain;
	r->address = address_text(q->a, q->local_part, q->domain);
	return find_owner(q, r)
	    || (is_postmaster(q->local_part) && find_postmaster(q->c, r))
	    || find_unknown(q->c, q->a, r);
}

/* any: whatever the domain's state. */
static int
look_up(const struct config *c, struct arena *a, const struct path *path,
    bool any, struct recipient *r)
{
	struct query q = { .c = c, .a = a };
	struct bytes hostname = config_get_text(c, "server", NULL, "hostname");
	int closed = 0;

	*r = (struct recipient){ .account = BYTES_EMPTY,
	    .mailbox = BYTES_EMPTY, .key = BYTES_EMPTY, .alias = BYTES_EMPTY,
	    .error = BYTES_EMPTY };
	if (find_host(c, a, path, hostname, r))
		return 1;
	q.domain = path->is_postmaster ? hostname : path->domain;
	if (path->is_null || path->is_literal ||
	    !config_domain_find(c, q.domain, &q.domain))
		closed = EACCES;
	else if (!any)
		closed = why_closed(c, q.domain);
	if (closed == 0)
		return find_local(&q, path->local_part, r);
	if (closed == EACCES && find_simulated(c, a, path, r) == 1)
		return 1;
	errno = closed;
	return -1;
}

/* *out is as it was where nobody is found. */
static int
find(const struct config *c, struct arena *a, const struct path *path,
    bool any, struct recipient *out)
{
	struct recipient r;
	int n = look_up(c, a, path, any, &r);

	if (n == 1)
		*out = r;
	return n;
}

int
recipient_find(const struct config *c, struct arena *a,
    const struct path *path, struct recipient *out)
{
	return find(c, a, path, false, out);
}

int
recipient_find_any(const struct config *c, struct arena *a,
    const struct path *path, struct recipient *out)
{
	return find(c, a, path, true, out);
}
