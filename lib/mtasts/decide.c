/*
 * decide.c - whether a domain has a policy, and which (BEHAVIOUR 14)
 *
 * An attacker who can suppress the record or the policy must not be able to
 * suppress a policy that is known: what is in the cache counts until its end.
 */
#include "mtasts/internal.h"

#include <errno.h>

#define USED_GRAIN_SECONDS 3600	/* not a disk write for each message */

static void
set_absent(struct mtasts_decision *out, enum mtasts_verdict verdict,
    const char *why)
{
	out->verdict = verdict;
	out->why = why;
}

/* ---- fetching ---- */

struct fetched {
	struct mtasts_policy policy;
	struct mtasts_entry entry;
	enum tlsresult result;
	const char *why;
};

/* A policy in the form it is kept in. */
static int
keep(const struct mtasts_input *in, struct arena *a, struct fetched *f)
{
	struct buf text = BUF_INIT(2 * MTASTS_POLICY_MAX);
	int r = mtasts_policy_format(&f->policy, &text);

	f->entry = (struct mtasts_entry){ .has_policy = true,
	    .id = arena_bytes(a, in->id),
	    .text = arena_bytes(a, buf_bytes(&text)), .fetched = in->now,
	    .valid_end = in->now + f->policy.max_age_seconds,
	    .last_used = in->now };
	buf_free(&text);
	return r;
}

static int
fetch_policy(const struct mtasts_input *in, mtasts_fetcher *fetch, void *ctx,
    struct arena *a, struct fetched *f)
{
	struct bytes text;

	if (fetch(ctx, a, in->domain, &text, &f->result, &f->why) == -1)
		return -1;
	f->result = TLSRESULT_STS_POLICY_INVALID;
	if (mtasts_policy_parse(text, a, &f->policy, &f->why) == -1)
		return -1;
	if (keep(in, a, f) == -1) {
		f->why = "the policy is too large to keep";
		return -1;
	}
	f->result = TLSRESULT_SUCCESS;
	f->why = "";
	return 0;
}

static bool
backing_off(const struct mtasts_entry *e, int64_t now)
{
	/* A clock that went back must not make it last. */
	return e != NULL && e->failed != 0 && now >= e->failed &&
	    now - e->failed < MTASTS_BACKOFF_SECONDS;
}

static void
use_fetched(const struct fetched *f, struct mtasts_decision *out)
{
	out->verdict = MTASTS_POLICY;
	out->policy = f->policy;
	out->fetched = true;
	out->store = true;
	out->entry = f->entry;
}

/* ---- nothing known of the domain ---- */

static void
decide_unknown(const struct mtasts_input *in, mtasts_fetcher *fetch,
    void *ctx, struct arena *a, struct mtasts_decision *out)
{
	struct fetched f;

	if (in->txt == MTASTS_TXT_TEMP) {
		set_absent(out, MTASTS_DEFER, in->txt_why);
		return;
	}
	if (in->txt != MTASTS_TXT_FOUND) {
		set_absent(out, MTASTS_ABSENT, in->txt_why);
		if (in->txt == MTASTS_TXT_INVALID)
			out->result = TLSRESULT_STS_POLICY_INVALID;
		return;
	}
	if (backing_off(in->cached, in->now)) {
		set_absent(out, MTASTS_ABSENT,
		    "the policy could not be fetched a short while ago");
		out->result = TLSRESULT_STS_POLICY_FETCH_ERROR;
		return;
	}
	if (fetch_policy(in, fetch, ctx, a, &f) == 0) {
		use_fetched(&f, out);
		return;
	}
	set_absent(out, MTASTS_ABSENT, f.why);
	out->result = f.result;
	out->store = true;
	out->entry = (struct mtasts_entry){ .id = BYTES_EMPTY,
	    .text = BYTES_EMPTY, .fetched = in->now, .last_used = in->now,
	    .failed = in->now };
}

/* ---- a policy is in the cache ---- */

/* The policy of an entry that may be used now. */
static bool
valid_policy(const struct mtasts_input *in, struct arena *a,
    struct mtasts_policy *out)
{
	const struct mtasts_entry *e = in->cached;
	const char *why;

	return e != NULL && e->has_policy && in->now < e->valid_end &&
	    mtasts_policy_read(e->text, a, out, &why) == 0;
}

static void
use_cached(const struct mtasts_input *in, struct mtasts_decision *out)
{
	out->verdict = MTASTS_POLICY;
	out->entry = *in->cached;
	if (in->now < out->entry.last_used ||
	    in->now - out->entry.last_used >= USED_GRAIN_SECONDS) {
		out->entry.last_used = in->now;
		out->store = true;
	}
}

static void
note(struct mtasts_decision *out, enum tlsresult result, const char *why)
{
	out->result = result;
	out->why = why;
}

static void
decide_known(const struct mtasts_input *in, mtasts_fetcher *fetch, void *ctx,
    struct arena *a, struct mtasts_decision *out)
{
	struct fetched f;

	use_cached(in, out);
	if (in->txt != MTASTS_TXT_FOUND) {
		note(out, in->txt == MTASTS_TXT_INVALID
		    ? TLSRESULT_STS_POLICY_INVALID
		    : TLSRESULT_STS_POLICY_FETCH_ERROR, in->txt_why);
		return;
	}
	if (bytes_eq(in->id, in->cached->id))
		return;
	if (backing_off(in->cached, in->now)) {
		note(out, TLSRESULT_STS_POLICY_FETCH_ERROR,
		    "the new policy could not be fetched a short while ago");
		return;
	}
	if (fetch_policy(in, fetch, ctx, a, &f) == 0) {
		use_fetched(&f, out);
		return;
	}
	note(out, f.result, f.why);
	out->entry.failed = in->now;
	out->store = true;
}

void
mtasts_decide(const struct mtasts_input *in, mtasts_fetcher *fetch,
    void *ctx, struct arena *a, struct mtasts_decision *out)
{
	*out = (struct mtasts_decision){ .result = TLSRESULT_SUCCESS,
	    .why = "" };
	if (valid_policy(in, a, &out->policy))
		decide_known(in, fetch, ctx, a, out);
	else
		decide_unknown(in, fetch, ctx, a, out);
}

/* ---- refreshing ---- */

bool
mtasts_refresh_due(const struct mtasts_entry *e, int64_t now)
{
	return now < e->fetched || now - e->fetched >= MTASTS_FRESH_SECONDS;
}

static bool
unused(const struct mtasts_entry *e, int64_t now)
{
	return now - e->last_used >= MTASTS_UNUSED_SECONDS;
}

/* Same id: good for as long again, without a fetch. */
static enum mtasts_care
extend(const struct mtasts_input *in, const struct mtasts_policy *p,
    struct mtasts_entry *out)
{
	*out = *in->cached;
	out->fetched = in->now;
	out->valid_end = in->now + p->max_age_seconds;
	out->failed = 0;
	return MTASTS_STORE;
}

static enum mtasts_care
refetch(const struct mtasts_input *in, mtasts_fetcher *fetch, void *ctx,
    struct arena *a, struct mtasts_entry *out, const char **why)
{
	struct mtasts_input again = *in;
	struct fetched f;

	if (in->txt != MTASTS_TXT_FOUND)
		again.id = in->cached->id;
	if (fetch_policy(&again, fetch, ctx, a, &f) == 0) {
		*out = f.entry;
		out->last_used = in->cached->last_used;
		*why = "";
		return MTASTS_STORE;
	}
	*out = *in->cached;
	out->failed = in->now;
	*why = f.why;
	return MTASTS_STORE;
}

enum mtasts_care
mtasts_refresh(const struct mtasts_input *in, mtasts_fetcher *fetch,
    void *ctx, struct arena *a, struct mtasts_entry *out, const char **why)
{
	struct mtasts_policy p;

	*why = "";
	if (unused(in->cached, in->now)) {
		*why = "not used for 180 days";
		return MTASTS_DELETE;
	}
	if (!mtasts_refresh_due(in->cached, in->now))
		return MTASTS_KEEP;
	if (!in->cached->has_policy ||
	    mtasts_policy_read(in->cached->text, a, &p, why) == -1) {
		*why = "it holds no policy";
		return MTASTS_DELETE;
	}
	if (in->txt == MTASTS_TXT_FOUND && bytes_eq(in->id, in->cached->id))
		return extend(in, &p, out);
	if (p.mode == MTASTS_NONE && in->txt == MTASTS_TXT_NONE) {
		*why = "mode none, and the record is gone";
		return MTASTS_DELETE;
	}
	return refetch(in, fetch, ctx, a, out, why);
}
