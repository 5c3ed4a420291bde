/*
 * verify.c - RFC 6376 6.1 for all signatures of a message at once
 *
 * dkim_verify_start parses the signatures and sends the questions for their
 * keys; dkim_verify_finish hashes the body, in one pass for all of them,
 * while the answers are on their way, then judges one after the other.
 */
#include "dkim/internal.h"

#include <errno.h>

#include "dns/dns.h"

struct candidate {
	struct dkim_verdict v;
	bool done;			/* v is final */
	struct dkim_signature sig;
	size_t field;			/* index of the signature field */
	size_t wish;			/* of the body hash */
	const struct dkim_question *question;
};

struct dkim_verifier {
	struct arena *arena;
	struct dkim_asker asker;
	struct dkim_policy policy;
	struct dkim_message m;
	struct candidate c[DKIM_SIGNATURES_MAX];
	size_t n;
	size_t signatures;
	struct dkim_body_wishes wishes;
};

static const struct dkim_verdict verdict_none = {
	.result = DKIM_NONE, .reason = "",
	.domain = { (const unsigned char *)"", 0 },
	.selector = { (const unsigned char *)"", 0 },
	.identity = { (const unsigned char *)"", 0 },
	.algorithm = { (const unsigned char *)"", 0 },
	.b_prefix = { (const unsigned char *)"", 0 },
	.timestamp = -1, .expiration = -1,
};

static void
judge(struct candidate *c, enum dkim_result result, const char *reason)
{
	c->v.result = result;
	c->v.reason = reason;
	c->done = true;
}

/* ---- start ---- */

/* a= as written, for the report, if it is a plausible word. */
static struct bytes
algorithm_text(struct arena *a, struct bytes value)
{
	struct dkim_tags tags;
	struct bytes s;
	const char *why;
	size_t i;

	if (dkim_tags_parse(value, &tags, &why) == -1 ||
	    !dkim_tags_find(&tags, "a", &s) || s.n > 32)
		return BYTES_EMPTY;
	for (i = 0; i < s.n; i++) {
		if (!ascii_is_alnum(s.p[i]) && s.p[i] != '-')
			return BYTES_EMPTY;
	}
	return arena_lower(a, s);
}

static void
start_candidate(struct dkim_verifier *v, size_t field)
{
	struct candidate *c = &v->c[v->n];
	struct bytes value = v->m.field[field].raw, name;
	const char *why;
	int r;

	*c = (struct candidate){ .v = verdict_none, .field = field };
	(void)bytes_split(&value, ':', &name);	/* it is a field */
	r = dkim_signature_parse(v->arena, value, &c->sig, &why);
	if (value.n <= DKIM_FIELD_MAX)
		c->v.algorithm = algorithm_text(v->arena, value);
	c->v.domain = c->sig.domain;
	c->v.selector = c->sig.selector;
	c->v.identity = c->sig.identity;
	c->v.b_prefix = c->sig.b_prefix;
	c->v.timestamp = c->sig.timestamp;
	c->v.expiration = c->sig.expiration;
	c->v.length_used = c->sig.has_length;
	if (r == -1)
		judge(c, errno == EACCES ? DKIM_POLICY : DKIM_PERMERROR, why);
	else if ((c->question = dkim_ask(&v->asker, &c->sig, &why)) == NULL)
		judge(c, DKIM_PERMERROR, why);
	v->n++;
}

struct dkim_verifier *
dkim_verify_start(struct arena *a, struct dns *d, struct bytes message,
    const struct dkim_policy *policy)
{
	struct dkim_verifier *v = arena_zalloc(a, 1, sizeof *v);
	size_t i;

	v->arena = a;
	v->policy = *policy;
	dkim_asker_init(&v->asker, a, d, policy->now, policy->timeout_ms);
	dkim_message_split(a, message, &v->m);
	for (i = 0; i < v->m.n; i++) {
		if (!bytes_caseeq(v->m.field[i].name, BYTES("DKIM-Signature")))
			continue;
		v->signatures++;
		if (v->n < DKIM_SIGNATURES_MAX)
			start_candidate(v, i);
	}
	return v;
}

/* ---- finish ---- */

static int
header_hash(struct dkim_verifier *v, const struct candidate *c,
    unsigned char hash[DKIM_HASH_SIZE])
{
	struct bytes field = dkim_without_b(v->arena, v->m.field[c->field].raw);

	return dkim_header_hash(v->arena, &v->m, c->sig.header_canon,
	    c->sig.names, c->sig.name_count, c->field, field, hash);
}

/* RFC 6376 6.1.2, steps 6 to 9: what forbids this key for this signature. */
static const char *
record_refusal(const struct candidate *c, const struct dkim_record *r)
{
	const char *why = dkim_record_refusal(r, c->sig.algorithm);

	if (why == NULL && r->strict &&
	    !bytes_eq(c->sig.identity_domain, c->sig.domain))
		why = "key does not allow i= in a subdomain";
	return why;
}

/* RFC 6376 6.1.3: the two hashes, with a key that may be used. */
static void
check_hashes(struct dkim_verifier *v, struct candidate *c,
    const struct dkim_public *key)
{
	const struct dkim_body_wish *w = &v->wishes.w[c->wish];
	unsigned char hash[DKIM_HASH_SIZE];

	if (w->is_short)
		judge(c, DKIM_FAIL, "body is shorter than l=");
	else if (!bytes_eq(bytes_of(w->hash, sizeof w->hash), c->sig.bh))
		judge(c, DKIM_FAIL, "body hash did not verify");
	else if (header_hash(v, c, hash) == -1)
		judge(c, DKIM_TEMPERROR, "hashing failed");
	else if (!dkim_public_check(key, hash, c->sig.b))
		judge(c, DKIM_FAIL, "signature did not verify");
	else
		judge(c, DKIM_PASS, "");
}

/* False if the text is no key record, judged like the others. */
static bool
check_record(struct dkim_verifier *v, struct candidate *c, struct bytes text)
{
	struct dkim_record r;
	struct dkim_public *key = NULL;
	const char *why;

	c->v.testing = false;
	c->v.key_bits = 0;
	if (dkim_record_parse(v->arena, text, &r, &why) == -1) {
		judge(c, DKIM_PERMERROR, why);
		return false;
	}
	c->v.testing = r.testing;
	if ((why = record_refusal(c, &r)) != NULL ||
	    dkim_public_get(&r, &key, &c->v.key_bits, &why) == -1) {
		judge(c, DKIM_PERMERROR, why);
		return true;
	}
	check_hashes(v, c, key);
	dkim_public_free(key);
	return true;
}

/*
 * Several records: the first that passes, else the first that is a key, else
 * the first. Other text records (of a wildcard, say) do not count.
 */
static void
check_records(struct dkim_verifier *v, struct candidate *c,
    const struct dns_answer *answer)
{
	struct dkim_verdict best = verdict_none;
	size_t i, keys = 0;
	bool is_key;

	c->v.authentic = answer->authentic;
	for (i = 0; i < answer->nrecords && keys < DKIM_RECORDS_MAX; i++) {
		is_key = check_record(v, c, answer->records[i].data);
		keys += is_key;
		if (c->v.result == DKIM_PASS)
			return;
		if (i == 0 || (is_key && keys == 1))
			best = c->v;
	}
	c->v = best;
}

static void
check_answer(struct dkim_verifier *v, struct candidate *c)
{
	const struct dns_answer *answer;
	const char *why;
	bool temporary;

	answer = dkim_answer(&v->asker, c->question, &why, &temporary);
	if (answer != NULL)
		check_records(v, c, answer);
	else
		judge(c, temporary ? DKIM_TEMPERROR : DKIM_PERMERROR, why);
}

/* All instances of the field are covered by h=. */
static bool
covers(const struct dkim_verifier *v, const struct candidate *c,
    struct bytes name)
{
	size_t i, named = 0;

	for (i = 0; i < c->sig.name_count; i++)
		named += bytes_caseeq(c->sig.names[i], name);
	return named >= dkim_message_count(&v->m, name);
}

/* What we ask beyond the RFC, of signatures that verify. */
static void
apply_policy(struct dkim_verifier *v, struct candidate *c)
{
	if (c->v.testing && !v->policy.allow_testing &&
	    (c->v.result == DKIM_PASS || c->v.result == DKIM_FAIL)) {
		judge(c, DKIM_NONE, "key is in testing mode");
		return;
	}
	if (c->v.result != DKIM_PASS)
		return;
	if (c->sig.has_length && !v->policy.allow_length)
		judge(c, DKIM_POLICY, "l= is not accepted");
	else if (v->policy.allow_unsigned)
		return;
	else if (!covers(v, c, BYTES("From")))
		judge(c, DKIM_POLICY, "a From field is not signed");
	else if (!covers(v, c, BYTES("Subject")))
		judge(c, DKIM_POLICY, "Subject is not signed");
}

static void
hash_bodies(struct dkim_verifier *v)
{
	struct candidate *c;
	size_t i;

	for (i = 0; i < v->n; i++) {
		c = &v->c[i];
		if (!c->done)
			c->wish = dkim_body_wish(&v->wishes, c->sig.body_canon,
			    c->sig.has_length, c->sig.length);
	}
	if (dkim_body_hash(&v->wishes, v->m.body) == 0)
		return;
	for (i = 0; i < v->n; i++) {
		if (!v->c[i].done)
			judge(&v->c[i], DKIM_TEMPERROR, "hashing failed");
	}
}

static void
judge_all(struct dkim_verifier *v)
{
	size_t i;

	for (i = 0; i < v->n; i++) {
		if (v->c[i].done)
			continue;
		check_answer(v, &v->c[i]);
		apply_policy(v, &v->c[i]);
	}
}

void
dkim_verify_finish(struct dkim_verifier *v, struct dkim_verdicts *out)
{
	size_t i;

	hash_bodies(v);
	judge_all(v);
	out->signatures = v->signatures;
	out->n = 0;
	for (i = 0; i < v->n; i++)
		out->v[out->n++] = v->c[i].v;
	if (v->signatures == 0) {
		out->v[out->n++] = verdict_none;
	} else if (v->signatures > v->n) {
		out->v[out->n] = verdict_none;
		out->v[out->n].result = DKIM_POLICY;
		out->v[out->n++].reason = "too many signatures";
	}
}

void
dkim_verify(struct arena *a, struct dns *d, struct bytes message,
    const struct dkim_policy *policy, struct dkim_verdicts *out)
{
	dkim_verify_finish(dkim_verify_start(a, d, message, policy), out);
}
