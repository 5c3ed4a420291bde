/*
 * find.c - which TLSA records are a host's (RFC 7672 2.2, BEHAVIOUR 15)
 *
 * A failed look-up of TLSA records is not an absence: whoever can suppress
 * answers could turn DANE off that way. It fails the attempt. Where the
 * addresses are not authentic there is nothing to be asked for, as servers
 * of unsigned zones often do not answer such questions (2.2.2).
 */
#include "dane/dane.h"

const char *
dane_state_name(enum dane_state s)
{
	static const char *const names[] = {
		"none", "unusable", "usable", "failed",
	};

	return names[s];
}

struct finder {
	struct dns *dns;
	struct arena *arena;
	const struct dane_host *host;
	dane_step *step;
	void *ctx;
	struct dane *out;
};

static const struct dns_answer *
ask(const struct finder *f, enum dns_type type, struct bytes name)
{
	const struct dns_answer *r = dns_lookup(f->dns, f->arena, type, name);

	if (f->step != NULL)
		f->step(f->ctx, type, name, r);
	return r;
}

static void
none(const struct finder *f, const char *why)
{
	f->out->state = DANE_NONE;
	f->out->why = why;
}

static void
look_up_failed(const struct finder *f, const struct dns_answer *answer,
    const char *why)
{
	f->out->state = DANE_FAILED;
	f->out->result = TLSRESULT_DNSSEC_INVALID;
	f->out->why = why;
	f->out->detail = bytes_str(dns_describe(answer, f->arena));
}

static bool
is_error(const struct dns_answer *answer)
{
	return answer->status == DNS_TEMP || answer->status == DNS_BAD;
}

static void
add_name(struct dane *out, struct bytes name)
{
	size_t i;

	if (name.n == 0)
		return;
	for (i = 0; i < out->nnames; i++) {
		if (dns_name_eq(out->names[i], name))
			return;
	}
	if (out->nnames < DANE_NAMES_MAX)
		out->names[out->nnames++] = name;
}

/* RFC 7672 3.2.2: the base domain, then what the client was looking for. */
static void
set_names(const struct finder *f, struct bytes base)
{
	f->out->base = base;
	add_name(f->out, base);
	add_name(f->out, f->host->host);
	add_name(f->out, f->host->domain);
	add_name(f->out, f->host->expanded_domain);
}

static void
take_records(const struct finder *f, const struct dns_answer *answer,
    struct bytes base)
{
	struct dane_record *records = arena_zalloc(f->arena,
	    DANE_RECORDS_MAX, sizeof(*records));
	const struct dns_record *r;
	size_t i, n = 0;

	for (i = 0; i < answer->nrecords && i < DANE_RECORDS_MAX; i++) {
		r = &answer->records[i];
		records[n] = (struct dane_record){ r->usage, r->selector,
		    r->matching, r->data };
		if (dane_usable(&records[n], NULL))
			n++;
		else
			f->out->nunusable++;
	}
	f->out->records = records;
	f->out->nrecords = n;
	f->out->state = n > 0 ? DANE_USABLE : DANE_UNUSABLE;
	f->out->why = n > 0 ? "" : "none of the TLSA records can be used";
	set_names(f, base);
}

/* True: this decides, be it well or not. */
static bool
look_at(const struct finder *f, struct bytes base)
{
	char *name = arena_printf(f->arena, "_%d._tcp.%.*s", f->host->port,
	    BYTES_ARG(base));
	const struct dns_answer *answer;

	if (!dns_name_valid(bytes_str(name))) {
		none(f, "the name is too long for TLSA records");
		return false;
	}
	answer = ask(f, DNS_TLSA, bytes_str(name));
	if (is_error(answer)) {
		look_up_failed(f, answer,
		    "the TLSA records cannot be looked up");
		return true;
	}
	if (answer->status != DNS_OK) {
		none(f, "there are no TLSA records");
		return false;
	}
	if (!answer->authentic) {
		none(f, "the TLSA records are not authentic");
		return false;
	}
	take_records(f, answer, base);
	return true;
}

/* Addresses that are not authentic, behind an alias that may be one. */
static void
look_at_alias(const struct finder *f)
{
	const struct dns_answer *answer = ask(f, DNS_CNAME, f->host->host);

	if (is_error(answer))
		look_up_failed(f, answer, "the alias cannot be looked up");
	else if (answer->status == DNS_OK && answer->authentic)
		(void)look_at(f, f->host->host);	/* out tells */
	else
		none(f, "the addresses are not authentic");
}

void
dane_find(struct dns *d, struct arena *a, const struct dane_host *h,
    dane_step *step, void *ctx, struct dane *out)
{
	struct finder f = { d, a, h, step, ctx, out };
	struct bytes expanded = h->addresses->name;
	bool alias = !dns_name_eq(expanded, h->host);

	*out = (struct dane){ .state = DANE_NONE, .base = h->host,
	    .why = "", .detail = BYTES_EMPTY };
	if (!h->authentic) {
		none(&f, "the look-ups that led to the host are not "
		    "authentic");
	} else if (h->addresses->authentic) {
		if (!alias || !look_at(&f, expanded))
			(void)look_at(&f, h->host);	/* out tells */
	} else if (alias) {
		look_at_alias(&f);
	} else {
		none(&f, "the addresses are not authentic");
	}
}
