/*
 * check.c - check_host() of RFC 7208 4
 *
 * The recursion of include and redirect ends with SPF_LOOKUPS_MAX, since
 * each step counts. A void look-up (4.6.4) is counted once per term, whatever
 * number of queries the term needs: the RFC counts terms.
 */
#include "spf/internal.h"

#include <errno.h>
#include <sys/socket.h>

enum match {
	NO_MATCH,
	MATCH,
	ERROR,			/* the result is in struct verdict */
};

/* What one record says. */
struct verdict {
	enum spf_result result;
	const struct spf_term *term;	/* that matched; NULL: none */
	struct bytes exp;		/* domain-spec of exp=; or empty */
	struct bytes domain;		/* whose record it was in the end */
};

static struct verdict check_host(struct spf_check *c, struct bytes domain);

const char *
spf_result_name(enum spf_result result)
{
	switch (result) {
	case SPF_NONE:
		break;
	case SPF_NEUTRAL:
		return "neutral";
	case SPF_PASS:
		return "pass";
	case SPF_FAIL:
		return "fail";
	case SPF_SOFTFAIL:
		return "softfail";
	case SPF_TEMPERROR:
		return "temperror";
	case SPF_PERMERROR:
		return "permerror";
	}
	return "none";
}

/* ---- helpers ---- */

static enum match
error(struct spf_check *c, struct verdict *v, enum spf_result result,
    struct bytes domain, const char *why)
{
	v->result = result;
	v->term = NULL;
	/* The first is the cause of what follows from it. */
	if (c->out->problem[0] == '\0') {
		c->out->problem = why;
		c->out->problem_domain = domain;
	}
	return ERROR;
}

static bool
is_failure(const struct dns_answer *answer)
{
	return answer->status == DNS_TEMP || answer->status == DNS_BAD;
}

static enum match
count_lookup(struct spf_check *c, struct verdict *v)
{
	if (c->lookups < SPF_LOOKUPS_MAX) {
		c->lookups++;
		return NO_MATCH;
	}
	return error(c, v, SPF_PERMERROR, v->domain, "too many DNS look-ups");
}

static enum match
count_void(struct spf_check *c, struct verdict *v)
{
	if (c->voids++ < SPF_VOID_MAX)
		return NO_MATCH;
	return error(c, v, SPF_PERMERROR, v->domain,
	    "too many DNS look-ups without answer");
}

static enum match
dns_failed(struct spf_check *c, struct verdict *v, struct bytes name,
    const struct dns_answer *answer)
{
	return error(c, v, SPF_TEMPERROR, name, answer->why);
}

/*
 * The target-name of a term. NO_MATCH: there is none, such a term never
 * matches (4.8; RFC 8616 4 for a local part that is not ASCII).
 */
static enum match
target(struct spf_check *c, const struct spf_term *t, struct verdict *v,
    struct bytes *name)
{
	*name = v->domain;
	if (t->spec.n == 0)
		return MATCH;
	if (!bytes_is_ascii(c->local_part) && spf_macro_uses(t->spec, "sl"))
		return NO_MATCH;
	/* The PTR look-up for %{p} counts, 4.6.4. */
	if (spf_macro_uses(t->spec, "p") && !c->names.done &&
	    count_lookup(c, v) == ERROR)
		return ERROR;
	return spf_expand_name(c, t->spec, v->domain, name) ? MATCH : NO_MATCH;
}

static bool
has_ip(const struct spf_check *c, const struct dns_answer *answer,
    const struct spf_term *t)
{
	unsigned int bits = c->args->ip.family == AF_INET ? t->bits4
	    : t->bits6;
	size_t i;

	for (i = 0; i < answer->nrecords; i++) {
		if (ip_in_net(&c->args->ip, &answer->records[i].ip, bits))
			return true;
	}
	return false;
}

/* ---- mechanisms, RFC 7208 5 ---- */

static enum match
match_a(struct spf_check *c, const struct spf_term *t, struct bytes name,
    struct verdict *v)
{
	const struct dns_answer *answer;

	answer = spf_lookup(c, spf_address_type(c), name);
	if (is_failure(answer))
		return dns_failed(c, v, name, answer);
	if (spf_is_void(answer))
		return count_void(c, v);
	return has_ip(c, answer, t) ? MATCH : NO_MATCH;
}

static enum match
match_exists(struct spf_check *c, struct bytes name, struct verdict *v)
{
	const struct dns_answer *answer = spf_lookup(c, DNS_A, name);

	if (is_failure(answer))
		return dns_failed(c, v, name, answer);
	return spf_is_void(answer) ? count_void(c, v) : MATCH;
}

/* The hosts are looked up together and judged in order of preference. */
static enum match
match_hosts(struct spf_check *c, const struct spf_term *t,
    const struct dns_answer *mx, struct verdict *v)
{
	struct dns_query *query[SPF_MX_MAX];
	const struct dns_answer *answer;
	enum match m = NO_MATCH;
	bool found = false;
	size_t i;

	for (i = 0; i < mx->nrecords; i++) {
		query[i] = NULL;
		/* "." is no host: RFC 7505. */
		if (mx->records[i].name.n > 0)
			query[i] = spf_query(c, spf_address_type(c),
			    mx->records[i].name);
	}
	for (i = 0; i < mx->nrecords; i++) {
		if (query[i] == NULL)
			continue;
		answer = spf_wait(c, query[i]);
		found = found || !spf_is_void(answer);
		if (m != NO_MATCH)
			continue;
		if (is_failure(answer))
			m = dns_failed(c, v, mx->records[i].name, answer);
		else if (has_ip(c, answer, t))
			m = MATCH;
	}
	return found ? m : count_void(c, v);
}

static enum match
match_mx(struct spf_check *c, const struct spf_term *t, struct bytes name,
    struct verdict *v)
{
	const struct dns_answer *mx = spf_lookup(c, DNS_MX, name);

	if (is_failure(mx))
		return dns_failed(c, v, name, mx);
	if (spf_is_void(mx))
		return count_void(c, v);
	if (mx->nrecords > SPF_MX_MAX)
		return error(c, v, SPF_PERMERROR, name, "too many MX hosts");
	return match_hosts(c, t, mx, v);
}

static enum match
match_ptr(struct spf_check *c, struct bytes name, struct verdict *v)
{
	const struct spf_names *names = spf_client_names(c);
	size_t i;

	if (names->is_void)
		return count_void(c, v);
	for (i = 0; i < names->n; i++) {
		if (dns_name_below(names->name[i], name))
			return MATCH;
	}
	return NO_MATCH;
}

static enum match
match_include(struct spf_check *c, struct bytes name, struct verdict *v)
{
	struct verdict inner = check_host(c, name);

	switch (inner.result) {
	case SPF_PASS:
		return MATCH;
	case SPF_FAIL:
	case SPF_SOFTFAIL:
	case SPF_NEUTRAL:
		break;
	case SPF_TEMPERROR:
		return error(c, v, SPF_TEMPERROR, name,
		    "included record cannot be had now");
	case SPF_PERMERROR:
		return error(c, v, SPF_PERMERROR, name,
		    "included record is not valid");
	case SPF_NONE:
		return error(c, v, SPF_PERMERROR, name,
		    "included domain has no record");
	}
	return NO_MATCH;
}

/* Terms that ask DNS. */
static enum match
match_name(struct spf_check *c, const struct spf_term *t, struct verdict *v)
{
	struct bytes name;
	enum match m;

	if (count_lookup(c, v) == ERROR)
		return ERROR;
	m = target(c, t, v, &name);
	if (m == NO_MATCH && t->kind == SPF_INCLUDE)
		return error(c, v, SPF_PERMERROR, v->domain,
		    "included domain is not valid");
	if (m != MATCH)
		return m;
	switch (t->kind) {
	case SPF_A:
		return match_a(c, t, name, v);
	case SPF_MX:
		return match_mx(c, t, name, v);
	case SPF_PTR:
		return match_ptr(c, name, v);
	case SPF_EXISTS:
		return match_exists(c, name, v);
	case SPF_INCLUDE:
		return match_include(c, name, v);
	default:
		return NO_MATCH;
	}
}

static enum match
match(struct spf_check *c, const struct spf_term *t, struct verdict *v)
{
	switch (t->kind) {
	case SPF_ALL:
		return MATCH;
	case SPF_IP4:
		return ip_in_net(&c->args->ip, &t->net, t->bits4) ? MATCH
		    : NO_MATCH;
	case SPF_IP6:
		return ip_in_net(&c->args->ip, &t->net, t->bits6) ? MATCH
		    : NO_MATCH;
	case SPF_REDIRECT:
	case SPF_EXP:
	case SPF_UNKNOWN:
		return NO_MATCH;
	default:
		return match_name(c, t, v);
	}
}

static enum spf_result
qualified(char qualifier)
{
	switch (qualifier) {
	case '-':
		return SPF_FAIL;
	case '~':
		return SPF_SOFTFAIL;
	case '?':
		return SPF_NEUTRAL;
	default:
		return SPF_PASS;
	}
}

/* ---- records ---- */

static void
redirect(struct spf_check *c, const struct spf_term *t, struct verdict *v)
{
	struct bytes name;
	enum match m;

	if (count_lookup(c, v) == ERROR)
		return;
	m = target(c, t, v, &name);
	if (m == ERROR)
		return;
	if (m == NO_MATCH) {
		(void)error(c, v, SPF_PERMERROR, v->domain,
		    "redirect is to no valid domain");	/* sets v */
		return;
	}
	*v = check_host(c, name);
	if (v->result == SPF_NONE)
		(void)error(c, v, SPF_PERMERROR, name,
		    "redirect is to a domain without record");
}

static void
evaluate(struct spf_check *c, const struct spf_record *r, struct verdict *v)
{
	const struct spf_term *t;

	spf_ask_ahead(c, r, v->domain);
	for (t = r->terms; t < r->terms + r->nterms; t++) {
		switch (match(c, t, v)) {
		case NO_MATCH:
			continue;
		case MATCH:
			v->result = qualified(t->qualifier);
			v->term = t;
			if (r->exp != NULL)
				v->exp = r->exp->spec;
			return;
		case ERROR:
			return;
		}
	}
	v->result = SPF_NEUTRAL;
	if (r->redirect != NULL)
		redirect(c, r->redirect, v);
}

/*
 * 4.3: a name with more than one label that is no address; or "localhost",
 * which only a local set-up answers for (RFC 6761 6.3).
 */
static bool
domain_valid(struct bytes domain)
{
	struct bytes s = domain;
	struct ip ip;
	size_t at;

	if (bytes_ends(s, BYTES(".")))
		s = bytes_first(s, s.n - 1);
	if (bytes_caseeq(s, BYTES("localhost")))
		return true;
	return dns_name_valid(s) && bytes_chr(s, '.', &at) &&
	    bytes_at(s, 0) != '[' && ip_parse(s, &ip) == -1;
}

static struct verdict
check_host(struct spf_check *c, struct bytes domain)
{
	struct verdict v = { .result = SPF_NONE, .domain = domain,
		.exp = BYTES_EMPTY };
	const struct dns_answer *answer;
	struct spf_record record;
	struct bytes text;
	const char *why;
	int n;

	if (!domain_valid(domain))
		return v;
	/* the first record asked for is that of the identity */
	answer = c->first != NULL ? spf_wait(c, c->first)
	    : spf_lookup(c, DNS_TXT, domain);
	c->first = NULL;
	if (is_failure(answer)) {
		(void)dns_failed(c, &v, domain, answer);	/* sets v */
		return v;
	}
	if ((n = spf_select_record(answer, &text)) == 0)
		return v;
	if (n == -1)
		(void)error(c, &v, SPF_PERMERROR, domain,
		    "more than one SPF record");
	else if (spf_parse(text, c->arena, &record, &why) == -1)
		(void)error(c, &v, SPF_PERMERROR, domain, why);
	else
		evaluate(c, &record, &v);
	return v;
}

/* ---- explanation, 6.2 ---- */

static struct bytes
printable(struct spf_check *c, struct bytes s)
{
	unsigned char *p;
	size_t i;

	s = bytes_first(s, SPF_EXPLANATION_MAX);
	p = arena_alloc(c->arena, s.n);
	for (i = 0; i < s.n; i++)
		p[i] = s.p[i] >= 0x20 && s.p[i] < 0x7f ? s.p[i] : '?';
	return bytes_of(p, s.n);
}

/* Whatever is wrong with it: then there is none. */
static void
explain(struct spf_check *c, const struct verdict *v)
{
	struct buf b = BUF_INIT(SPF_EXPANSION_MAX);
	const struct dns_answer *answer;
	struct bytes name;
	bool authentic = c->out->authentic;

	if (!spf_expand_name(c, v->exp, v->domain, &name))
		return;
	answer = spf_lookup(c, DNS_TXT, name);
	/* The result does not rest on it. */
	c->out->authentic = authentic;
	if (answer->nrecords != 1 || !spf_macro_valid(
	    answer->records[0].data, SPF_IN_EXPLANATION))
		return;
	if (spf_expand(c, answer->records[0].data, v->domain, &b) == 0)
		c->out->explanation = printable(c, buf_bytes(&b));
	buf_free(&b);
}

/* ---- the whole ---- */

/* 2.3, 2.4, 4.3: who is checked. */
static void
set_identity(struct spf_check *c, struct spf *out)
{
	const struct spf_args *args = c->args;

	out->identity = SPF_MAILFROM;
	out->local_part = args->sender_local;
	out->domain = args->sender_domain;
	if (args->sender_local.n == 0 && args->sender_domain.n == 0) {
		out->identity = SPF_HELO;
		out->domain = args->helo;
	}
	if (out->local_part.n == 0)
		out->local_part = BYTES("postmaster");
	c->local_part = out->local_part;
	c->sender_domain = out->domain;
}

struct spf_starter {
	struct spf_args args;
	struct spf_check c;
	struct spf out;		/* identity only */
};

/* Limit what is asked from now on; the deadline before. */
static int64_t
limit_time(struct dns *d)
{
	int64_t before = dns_set_deadline(d, 0);
	int64_t deadline = deadline_in(SPF_TIME_MS);

	(void)dns_set_deadline(d, before < deadline ? before : deadline);
	return before;
}

struct spf_starter *
spf_start(struct dns *d, struct arena *a, const struct spf_args *args)
{
	struct spf_starter *s = arena_zalloc(a, 1, sizeof(*s));
	int64_t before = limit_time(d);

	s->args = *args;
	s->c = (struct spf_check){ .dns = d, .arena = a, .args = &s->args };
	s->out = (struct spf){ .ip = args->ip, .helo = args->helo,
		.receiver = args->receiver, .mechanism = BYTES_EMPTY,
		.explanation = BYTES_EMPTY, .problem = "",
		.problem_domain = BYTES_EMPTY, .authentic = true };
	set_identity(&s->c, &s->out);
	if (args->ip.family != 0 && domain_valid(s->out.domain))
		s->c.first = dns_start(d, a, DNS_TXT, s->out.domain);
	(void)dns_set_deadline(d, before);
	return s;
}

static void
set_result(const struct verdict *v, struct spf *out)
{
	out->result = v->result;
	if (v->term != NULL)
		out->mechanism = v->term->text;
	else if (v->result == SPF_NEUTRAL)
		out->mechanism = BYTES("default");
}

void
spf_finish(struct spf_starter *s, struct spf *out)
{
	struct spf_check *c = &s->c;
	int64_t before = limit_time(c->dns);
	struct verdict v = { .result = SPF_NONE };

	*out = s->out;
	c->out = out;
	if (s->args.ip.family != 0)
		v = check_host(c, out->domain);
	set_result(&v, out);
	out->lookups = c->lookups;
	if (v.result == SPF_FAIL && v.exp.n > 0)
		explain(c, &v);
	if (v.result != SPF_TEMPERROR && v.result != SPF_PERMERROR) {
		out->problem = "";
		out->problem_domain = BYTES_EMPTY;
	}
	if (s->args.ip.family == 0 || !domain_valid(out->domain))
		out->authentic = false;		/* nothing was asked */
	(void)dns_set_deadline(c->dns, before);
}

void
spf_check(struct dns *d, struct arena *a, const struct spf_args *args,
    struct spf *out)
{
	spf_finish(spf_start(d, a, args), out);
}
