/*
 * verify.c - RFC 8617 5.2 for a chain of sound structure
 *
 * start sends the questions for the keys of all sets; finish hashes the body
 * once, for all message signatures, then judges from the newest set down:
 * its message signature, the older ones (which only decide how far back the
 * message is unchanged), and all seals.
 */
#include "arc/internal.h"

#include "dns/dns.h"

struct arc_verifier {
	struct arena *arena;
	struct dkim_asker asker;
	struct arc_chain c;
	struct dkim_body_wishes wishes;
	size_t wish[ARC_SETS_MAX];
	bool temporary;		/* the last check failed for want of a key */
};

/* ---- start ---- */

static void
ask(struct arc_verifier *v, struct arc_signature *s)
{
	if (s->why == NULL)
		s->question = dkim_ask(&v->asker, &s->sig, &s->why);
}

struct arc_verifier *
arc_verify_start(struct arena *a, struct dns *d, struct bytes message,
    const struct arc_policy *policy)
{
	struct arc_verifier *v = arena_zalloc(a, 1, sizeof *v);
	size_t i;

	v->arena = a;
	dkim_asker_init(&v->asker, a, d, policy->now, policy->timeout_ms);
	arc_chain_read(a, message, &v->c);
	for (i = v->c.n; i-- > 0;) {
		ask(v, &v->c.set[i].ams);
		ask(v, &v->c.set[i].as);
	}
	return v;
}

/* ---- one signature ---- */

/* NULL: it verifies. *is_key false: text is no key record at all. */
static const char *
check_record(struct arc_verifier *v, const struct arc_signature *s,
    struct bytes text, const unsigned char hash[DKIM_HASH_SIZE], bool *is_key)
{
	struct dkim_record r;
	struct dkim_public *key = NULL;
	const char *why;
	unsigned int bits;

	*is_key = false;
	if (dkim_record_parse(v->arena, text, &r, &why) == -1)
		return why;
	*is_key = true;
	why = dkim_record_refusal(&r, s->sig.algorithm);
	if (why != NULL || dkim_public_get(&r, &key, &bits, &why) == -1)
		return why;
	if (!dkim_public_check(key, hash, s->sig.b))
		why = "signature did not verify";
	dkim_public_free(key);
	return why;
}

/* Several records: any key may be the one (RFC 6376 6.1.2 step 4). */
static const char *
check_records(struct arc_verifier *v, const struct arc_signature *s,
    const struct dns_answer *answer,
    const unsigned char hash[DKIM_HASH_SIZE])
{
	const char *first = "there is no such key", *why;
	size_t i, keys = 0;
	bool is_key;

	for (i = 0; i < answer->nrecords && keys < DKIM_RECORDS_MAX; i++) {
		why = check_record(v, s, answer->records[i].data, hash,
		    &is_key);
		if (why == NULL)
			return NULL;
		keys += is_key;
		if (i == 0 || (is_key && keys == 1))
			first = why;
	}
	return first;
}

/* NULL: the signature over the hash verifies; else why not. */
static const char *
check_hash(struct arc_verifier *v, const struct arc_signature *s,
    const unsigned char hash[DKIM_HASH_SIZE])
{
	const struct dns_answer *answer;
	const char *why;

	v->temporary = false;
	if (s->why != NULL)
		return s->why;
	answer = dkim_answer(&v->asker, s->question, &why, &v->temporary);
	return answer == NULL ? why : check_records(v, s, answer, hash);
}

/* ---- message signatures ---- */

static const char *
check_message(struct arc_verifier *v, size_t at)
{
	const struct arc_instance *set = &v->c.set[at];
	const struct dkim_signature *sig = &set->ams.sig;
	unsigned char hash[DKIM_HASH_SIZE];
	struct bytes field;

	v->temporary = false;
	if (set->ams.why != NULL)
		return set->ams.why;
	if (!bytes_eq(bytes_of(v->wishes.w[v->wish[at]].hash, DKIM_HASH_SIZE),
	    sig->bh))
		return "body hash did not verify";
	field = dkim_without_b(v->arena, v->c.m.field[set->message].raw);
	if (dkim_header_hash(v->arena, &v->c.m, sig->header_canon, sig->names,
	    sig->name_count, set->message, field, hash) == -1) {
		v->temporary = true;
		return "hashing failed";
	}
	return check_hash(v, &set->ams, hash);
}

static int
hash_body(struct arc_verifier *v)
{
	size_t i;

	for (i = 0; i < v->c.n; i++) {
		if (v->c.set[i].ams.why == NULL)
			v->wish[i] = dkim_body_wish(&v->wishes,
			    v->c.set[i].ams.sig.body_canon, false, 0);
	}
	return dkim_body_hash(&v->wishes, v->c.m.body);
}

/* ---- seals ---- */

/* The seal of each set signs the ones below: hashes first, then from the
 * newest down (RFC 8617 5.2 step 6). */
static const char *
check_seals(struct arc_verifier *v, size_t *at)
{
	unsigned char hash[ARC_SETS_MAX][DKIM_HASH_SIZE];
	struct arc_sealing s;
	const struct arc_instance *set;
	const char *why = NULL;
	size_t i;

	arc_sealing_init(&s);
	for (i = 0; i < v->c.n && why == NULL; i++) {
		set = &v->c.set[i];
		*at = i;
		/* fields are bounded, so it does not happen */
		if (arc_sealing_next(&s, v->arena,
		    v->c.m.field[set->results].raw,
		    v->c.m.field[set->message].raw,
		    v->c.m.field[set->seal].raw, hash[i]) == -1)
			why = "ARC field is too long";
	}
	arc_sealing_free(&s);
	for (i = v->c.n; i-- > 0 && why == NULL;) {
		*at = i;
		why = check_hash(v, &v->c.set[i].as, hash[i]);
	}
	return why;
}

/* ---- finish ---- */

static void
fail(struct arc_verdict *out, size_t at, const char *why, bool temporary)
{
	out->result = ARC_FAIL;
	out->reason = why;
	out->instance = (unsigned int)at + 1;
	out->temporary = temporary;
}

static void
judge(struct arc_verifier *v, struct arc_verdict *out)
{
	size_t at = v->c.n - 1;
	const char *why;

	if (hash_body(v) == -1) {
		fail(out, at, "hashing failed", true);
		return;
	}
	if ((why = check_message(v, at)) != NULL) {
		fail(out, at, why, v->temporary);
		return;
	}
	while (at > 0 && check_message(v, at - 1) == NULL)
		at--;
	if (at > 0)
		out->oldest_pass = (unsigned int)at + 1;
	if ((why = check_seals(v, &at)) != NULL) {
		fail(out, at, why, v->temporary);
		out->oldest_pass = 0;
	}
}

void
arc_verify_finish(struct arc_verifier *v, struct arc_verdict *out)
{
	arc_chain_sets(&v->c, out);
	if (out->result == ARC_PASS)
		judge(v, out);
}

void
arc_verify(struct arena *a, struct dns *d, struct bytes message,
    const struct arc_policy *policy, struct arc_verdict *out)
{
	arc_verify_finish(arc_verify_start(a, d, message, policy), out);
}
