/*
 * reputation.c - the steps, in their order; the first that finds a message
 * answers
 *
 * Ages: a year has 365 days. Where a list decides by its newest two messages
 * one alone is enough to speak for junk, but not against one that is not.
 */
#include "reputation/reputation.h"

#include <assert.h>

#define DAY ((int64_t)24 * 3600)
#define YEAR (365 * DAY)
#define PERCENT 100

struct asking {
	struct arena *a;
	const struct reputation_source *source;
	const struct origin *o;
	int64_t now;
	struct reputation *out;
	const struct reputation_message *list;	/* of the last question */
	size_t n;				/* its length */
	size_t room;				/* of out->messages */
};

/* What a step returns: it answered, it found nothing, or a source failed. */
enum { ANSWERED = 1, NOTHING = 0, FAILED = -1 };

const char *
reputation_method_name(enum reputation_method m)
{
	static const char *const names[] = {
		"msgfromfull", "msgtofull", "msgfromdomain", "msgtodomain",
		"msgfromorgdomain", "msgtoorgdomain", "dkimspf", "ip1", "ip2",
		"ip3", "none",
	};

	return names[m];
}

bool
reputation_is_weak(enum reputation_method m)
{
	return m >= REPUTATION_BY_DKIMSPF;
}

const char *
reputation_junk_name(enum reputation_junk j)
{
	return j == REPUTATION_JUNK ? "junk" : j == REPUTATION_HAM ? "ham"
	    : "unknown";
}

/* ---- asking ---- */

/* The list stays in the answer, whatever it is used for. 1, 0 empty, -1. */
static int
ask(struct asking *k, struct reputation_query q, int64_t age)
{
	struct reputation_message *to = k->out->messages + k->out->nmessages;
	int n;

	assert(q.max <= k->room - k->out->nmessages);
	q.since = k->now - age;
	if ((n = k->source->history(k->source->ctx, &q, to)) == -1)
		return FAILED;
	assert((size_t)n <= q.max);
	k->list = to;
	k->n = (size_t)n;
	k->out->nmessages += (size_t)n;
	return n > 0;
}

static size_t
junk_count(const struct asking *k)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		n += k->list[i].junk;
	return n;
}

/* The newest is junk, and so is the one before it if there is one. */
static bool
newest_are_junk(const struct asking *k)
{
	return k->list[0].junk && (k->n == 1 || k->list[1].junk);
}

static int
answer(struct asking *k, enum reputation_method method, char step,
    enum reputation_junk junk, bool conclusive, struct bytes why)
{
	k->out->method = method;
	k->out->step = step;
	k->out->junk = junk;
	k->out->conclusive = conclusive;
	k->out->why = why;
	return ANSWERED;
}

static struct bytes
tell(const struct asking *k, const char *of)
{
	return bytes_str(arena_printf(k->a, "%zu of %zu messages %s were junk",
	    junk_count(k), k->n, of));
}

/* ---- a and b: the From address ---- */

static int
from_address(struct asking *k)
{
	const struct origin *o = k->o;
	struct reputation_query q = { .key = REPUTATION_FROM,
	    .local_part = o->from_local, .domain = o->from_domain,
	    .validated = o->from_validated, .max = 2 };
	int r = ask(k, q, 3 * YEAR);

	if (r == ANSWERED)
		return answer(k, REPUTATION_BY_MSGFROMFULL, 'a',
		    newest_are_junk(k) ? REPUTATION_JUNK : REPUTATION_HAM,
		    o->from_validated, tell(k, o->from_validated
		    ? "with this From address, validated as here,"
		    : "with this From address, not validated as here,"));
	if (r == FAILED || o->from_validated)
		return r;
	q.validated = true;
	r = ask(k, q, 3 * YEAR);
	if (r != ANSWERED)
		return r;
	return answer(k, REPUTATION_BY_MSGFROMFULL, 'b', REPUTATION_JUNK,
	    newest_are_junk(k), tell(k, "with this From address, then "
	    "validated, here not,"));
}

/* ---- c: whom was written to ---- */

static int
sent_address(struct asking *k)
{
	int64_t last;
	int r = k->source->sent_to(k->source->ctx, k->o->from_local,
	    k->o->from_domain, &last);

	if (r != 1 || last < k->now - 3 * YEAR)
		return r == FAILED ? FAILED : NOTHING;
	k->out->sent = last;
	return answer(k, REPUTATION_BY_MSGTOFULL, 'c', REPUTATION_HAM, true,
	    BYTES("mail was sent to this From address"));
}

/* ---- d: the From domain, then the organisational domain ---- */

struct level {
	enum reputation_key key;
	bool org;
	enum reputation_method from, to;
	const char *same, *validated, *sent;
};

static size_t
local_parts(const struct asking *k)
{
	size_t n = 0, i, j;

	for (i = 0; i < k->n; i++) {
		for (j = 0; j < i && k->list[j].local_part !=
		    k->list[i].local_part; j++)
			;
		n += j == i;
	}
	return n;
}

static int
domain_list(struct asking *k, const struct level *l)
{
	size_t ham = k->n - junk_count(k);
	struct bytes why = tell(k, l->same);

	if (PERCENT * ham / k->n > 80)
		return answer(k, l->from, 'd', REPUTATION_HAM, true, why);
	if (ham == 0)
		return answer(k, l->from, 'd', REPUTATION_JUNK,
		    local_parts(k) >= 3, why);
	return answer(k, l->from, 'd', REPUTATION_UNKNOWN, false, why);
}

static int
domain_level(struct asking *k, const struct level *l, struct bytes domain)
{
	struct reputation_query q = { .key = l->key, .domain = domain,
	    .validated = k->o->from_validated, .max = 20 };
	int64_t last;
	int r = ask(k, q, 2 * YEAR);

	if (r == ANSWERED)
		return domain_list(k, l);
	if (r == NOTHING && !k->o->from_validated) {
		q.validated = true;
		q.max = 2;
		r = ask(k, q, 2 * YEAR);
		if (r == ANSWERED)
			return answer(k, l->from, 'd', REPUTATION_JUNK,
			    newest_are_junk(k), tell(k, l->validated));
	}
	if (r == FAILED)
		return FAILED;
	r = k->source->sent_to_domain(k->source->ctx, domain, l->org, &last);
	if (r != 1 || last < k->now - 2 * YEAR)
		return r == FAILED ? FAILED : NOTHING;
	k->out->sent = last;
	return answer(k, l->to, 'd', REPUTATION_HAM, true, bytes_str(l->sent));
}

static int
from_domain(struct asking *k)
{
	static const struct level exact = { REPUTATION_FROM_DOMAIN, false,
	    REPUTATION_BY_MSGFROMDOMAIN, REPUTATION_BY_MSGTO_DOMAIN,
	    "of this From domain", "of this From domain, then validated, "
	    "here not,", "mail was sent to this From domain" };
	static const struct level org = { REPUTATION_FROM_ORG, true,
	    REPUTATION_BY_MSGFROMORGDOMAIN, REPUTATION_BY_MSGTO_ORGDOMAIN,
	    "of this organisation's domains", "of this organisation's "
	    "domains, then validated, here not,",
	    "mail was sent to this organisation's domains" };
	int r = domain_level(k, &exact, k->o->from_domain);

	return r != NOTHING || k->o->from_org.n == 0 ? r
	    : domain_level(k, &org, k->o->from_org);
}

/* ---- e: domains that DKIM and SPF vouch for ---- */

struct votes {
	size_t lists, ham, spam;
	size_t most;		/* messages of the longest list */
};

/* A list nearly all of one kind is a vote. */
static void
vote(const struct asking *k, struct votes *v)
{
	size_t junk = junk_count(k);

	v->lists++;
	v->ham += 10 * junk < k->n;		/* below 0.1 */
	v->spam += 10 * junk > 9 * k->n;	/* above 0.9 */
	if (k->n > v->most)
		v->most = k->n;
}

/* The most exact identity of SPF that has any history. */
static int
ask_spf(struct asking *k)
{
	const struct origin *o = k->o;
	struct reputation_query q = { .key = REPUTATION_MAIL_FROM,
	    .local_part = o->mail_from_local, .domain = o->mail_from_domain,
	    .max = REPUTATION_LIST_MAX };
	int r = NOTHING;

	if (o->mail_from_validated) {
		r = ask(k, q, YEAR / 2);
		q.key = REPUTATION_MAIL_FROM_DOMAIN;
		q.local_part = BYTES_EMPTY;
		if (r == NOTHING)
			r = ask(k, q, YEAR / 2);
	}
	if (r == NOTHING && o->helo_validated) {
		q.key = REPUTATION_HELO;
		q.local_part = BYTES_EMPTY;
		q.domain = o->helo;
		r = ask(k, q, YEAR / 2);
	}
	return r;
}

static int
dkim_spf(struct asking *k)
{
	struct reputation_query q = { .key = REPUTATION_DKIM,
	    .local_part = BYTES_EMPTY, .max = REPUTATION_LIST_MAX };
	struct votes v = { 0 };
	struct bytes why;
	int r;

	for (size_t i = 0; i < k->o->ndkim; i++) {
		q.domain = k->o->dkim[i];
		if ((r = ask(k, q, YEAR / 2)) == FAILED)
			return FAILED;
		if (r == ANSWERED)
			vote(k, &v);
	}
	if ((r = ask_spf(k)) == FAILED)
		return FAILED;
	if (r == ANSWERED)
		vote(k, &v);
	if (v.lists == 0)
		return NOTHING;
	why = bytes_str(arena_printf(k->a, "of %zu domains that DKIM and SPF "
	    "vouch for %zu sent ham, %zu junk", v.lists, v.ham, v.spam));
	if (v.ham > 0 && v.spam == 0)
		return answer(k, REPUTATION_BY_DKIMSPF, 'e', REPUTATION_HAM,
		    true, why);
	if (v.spam > 0 && v.ham == 0)
		return answer(k, REPUTATION_BY_DKIMSPF, 'e', REPUTATION_JUNK,
		    v.most > 1, why);
	return answer(k, REPUTATION_BY_DKIMSPF, 'e', REPUTATION_UNKNOWN,
	    false, why);
}

/* ---- f: addresses ---- */

static int
address_list(struct asking *k, enum reputation_method method, size_t need,
    const char *of)
{
	size_t junk = junk_count(k), n = k->n;
	bool clear = 10 * junk <= n || 10 * junk >= 9 * n;

	return answer(k, method, 'f', 4 * junk < n ? REPUTATION_HAM
	    : 4 * junk > 3 * n ? REPUTATION_JUNK : REPUTATION_UNKNOWN,
	    n >= need && clear, tell(k, of));
}

static int
addresses(struct asking *k)
{
	static const struct {
		enum reputation_key key;
		enum reputation_method method;
		size_t need;
		const char *of;
	} level[ORIGIN_MASKS] = {
		{ REPUTATION_IP1, REPUTATION_BY_IP1, 2,
		    "from this address" },
		{ REPUTATION_IP2, REPUTATION_BY_IP2, 5,
		    "from the net of this address" },
		{ REPUTATION_IP3, REPUTATION_BY_IP3, 10,
		    "from the wider net of this address" },
	};
	struct reputation_query q = { .local_part = BYTES_EMPTY,
	    .domain = BYTES_EMPTY, .max = REPUTATION_LIST_MAX };
	struct ip mask[ORIGIN_MASKS];
	int r = NOTHING;

	if (k->o->ip.family == 0)
		return NOTHING;
	origin_masks(&k->o->ip, mask);
	for (size_t i = 0; i < ORIGIN_MASKS && r == NOTHING; i++) {
		q.key = level[i].key;
		q.ip = mask[i];
		r = ask(k, q, YEAR / 4);
		if (r == ANSWERED)
			return address_list(k, level[i].method, level[i].need,
			    level[i].of);
	}
	return r;
}

/* ---- all of them ---- */

int
reputation_judge(struct arena *a, const struct reputation_source *source,
    const struct origin *o, int64_t now, struct reputation *out)
{
	struct reputation result = { .method = REPUTATION_BY_NONE,
	    .step = 'g', .why = BYTES("nothing is known of the sender") };
	struct asking k = { .a = a, .source = source, .o = o, .now = now,
	    .out = &result,
	    .room = (o->ndkim + 1) * REPUTATION_LIST_MAX };
	int r = NOTHING;

	result.messages = arena_zalloc(a, k.room, sizeof(*result.messages));
	if (o->from_domain.n > 0) {
		r = from_address(&k);
		if (r == NOTHING)
			r = sent_address(&k);
		if (r == NOTHING)
			r = from_domain(&k);
	}
	if (r == NOTHING)
		r = dkim_spf(&k);
	if (r == NOTHING)
		r = addresses(&k);
	if (r == FAILED)
		return -1;
	*out = result;
	return 0;
}
