/*
 * mtasts.h - SMTP MTA Strict Transport Security (RFC 8461), as a sender
 *
 * The record and the policy are parsed here, kept in var/cache/mtasts, and
 * decided on (BEHAVIOUR 14). Who wants to send asks mtasts-serve through
 * mtasts_ask: it holds the cache and fetches policies by starting
 * mtasts-fetch, the one program that links libcurl.
 */
#ifndef MTASTS_H
#define MTASTS_H

#include "base/base.h"
#include "dns/dns.h"
#include "tlsresult/tlsresult.h"

/* ---- the TXT record, RFC 8461 3.1 ---- */

#define MTASTS_ID_MAX 32	/* ABNF sts-id */
#define MTASTS_FIELD_NAME_MAX 32	/* ABNF sts-ext-name */

struct mtasts_field {
	struct bytes name, value;
};
/* Views into the text; the array is in the arena. */
struct mtasts_record {
	struct bytes id;
	const struct mtasts_field *fields;	/* others, in order */
	size_t nfields;
};
/*
 * Strict: "v=STSv1" first, one id of letters and digits, fields of the
 * ABNF's form. -1 EBADMSG with *why, or ENOENT: it does not begin with the
 * version and is some other record.
 */
int mtasts_record_parse(struct bytes text, struct arena *a,
    struct mtasts_record *out, const char **why);
int mtasts_record_format(const struct mtasts_record *r, struct buf *out);

enum mtasts_txt {
	MTASTS_TXT_FOUND,
	MTASTS_TXT_NONE,	/* no record, or several: not implemented */
	MTASTS_TXT_INVALID,	/* the one that is there is malformed */
	MTASTS_TXT_TEMP,	/* DNS did not answer */
};
const char *mtasts_txt_name(enum mtasts_txt t);
/*
 * The record among the answer to TXT of _mta-sts.DOMAIN. id lives in the
 * arena. RFC 8461 3.1: those without the version are set aside; several are
 * none.
 */
enum mtasts_txt mtasts_record_choose(const struct dns_answer *answer,
    struct arena *a, struct mtasts_record *out, const char **why);
/* Ask DNS, within MTASTS_TXT_MS. */
#define MTASTS_TXT_MS 30000
enum mtasts_txt mtasts_record_find(struct dns *d, struct arena *a,
    struct bytes domain, struct mtasts_record *out, const char **why);

/* ---- the policy, RFC 8461 3.2 ---- */

#define MTASTS_POLICY_MAX (64 * 1024)	/* RFC 8461 3.3: a bound is advised */
#define MTASTS_MX_MAX 1000		/* of one policy */
#define MTASTS_AGE_MAX 31557600		/* 3.2: a year; more counts as that */

enum mtasts_mode { MTASTS_NONE, MTASTS_TESTING, MTASTS_ENFORCE };
const char *mtasts_mode_name(enum mtasts_mode m);

struct mtasts_policy {
	enum mtasts_mode mode;
	uint32_t max_age_seconds;
	const struct bytes *mx;		/* lower case; may begin with "*." */
	size_t nmx;
	const struct mtasts_field *fields;	/* others, in order */
	size_t nfields;
};
/*
 * Lines end with CRLF or LF, the last one may lack it; fields are in any
 * order, the first of several counts (but for mx). Everything is in the
 * arena. -1 EBADMSG or EMSGSIZE (over a limit) with *why.
 */
int mtasts_policy_parse(struct bytes text, struct arena *a,
    struct mtasts_policy *out, const char **why);
/* As served, with CRLF. -1 EMSGSIZE. */
int mtasts_policy_format(const struct mtasts_policy *p, struct buf *out);
/* A host name (any case, U-labels too) against one pattern: "*" stands for
 * exactly one label, RFC 8461 4.1. */
bool mtasts_pattern_match(struct bytes pattern, struct bytes host);
bool mtasts_policy_match(const struct mtasts_policy *p, struct bytes host);

/* ---- fetching ---- */

enum {
	MTASTS_FETCH_MS = 60000,	/* BEHAVIOUR 14 */
	MTASTS_BACKOFF_SECONDS = 300,	/* after a fetch that failed */
};
/*
 * Get the text of the domain's policy, at most MTASTS_POLICY_MAX, into
 * *text, made in the arena. 0; -1 with *result one of the three of MTA-STS
 * and *why in the arena.
 */
typedef int mtasts_fetcher(void *ctx, struct arena *a, struct bytes domain,
    struct bytes *text, enum tlsresult *result, const char **why);
/* One that starts mtasts-fetch(1); ctx is not used. */
mtasts_fetcher mtasts_fetch;

/* ---- the decision (BEHAVIOUR 14), pure but for the fetcher ---- */

/* What is kept of a domain. Times are seconds since 1970. */
struct mtasts_entry {
	bool has_policy;	/* not: a fetch failed, and when */
	struct bytes id;
	struct bytes text;	/* mtasts_policy_format of the policy */
	int64_t fetched, valid_end, last_used;
	int64_t failed;		/* the last fetch that failed; 0: none */
};

struct mtasts_input {
	struct bytes domain;
	int64_t now;
	const struct mtasts_entry *cached;	/* NULL: none */
	enum mtasts_txt txt;
	struct bytes id;	/* with MTASTS_TXT_FOUND */
	const char *txt_why;	/* otherwise */
};

enum mtasts_verdict {
	MTASTS_ABSENT,		/* not implemented: act as without */
	MTASTS_POLICY,		/* policy is filled */
	MTASTS_DEFER,		/* the attempt fails temporarily */
};
struct mtasts_decision {
	enum mtasts_verdict verdict;
	struct mtasts_policy policy;
	bool fetched;		/* now; else from the cache */
	/* A failure to report though mail goes on, else TLSRESULT_SUCCESS. */
	enum tlsresult result;
	const char *why;	/* of result, ABSENT or DEFER; "" for none */
	bool store;		/* entry is to be kept */
	struct mtasts_entry entry;
};
void mtasts_decide(const struct mtasts_input *in, mtasts_fetcher *fetch,
    void *ctx, struct arena *a, struct mtasts_decision *out);

/* What refreshing makes of one entry (BEHAVIOUR 14, last part). */
enum mtasts_care {
	MTASTS_KEEP,		/* as it is: too early, or nothing new */
	MTASTS_STORE,
	MTASTS_DELETE,
};
enum {
	MTASTS_UNUSED_SECONDS = 180 * 86400,
	MTASTS_FRESH_SECONDS = 12 * 3600,
};
/* Whether an entry is to be looked at: not updated for 12 h, still used. */
bool mtasts_refresh_due(const struct mtasts_entry *e, int64_t now);
enum mtasts_care mtasts_refresh(const struct mtasts_input *in,
    mtasts_fetcher *fetch, void *ctx, struct arena *a,
    struct mtasts_entry *out, const char **why);

/* ---- the cache ---- */

#define MTASTS_CACHE_BYTES ((size_t)256 << 20)	/* about a million domains */

struct mtasts_cache;
/* Below var: cache/mtasts, made if it is not there. NULL with errno. */
struct mtasts_cache *mtasts_cache_open(const char *var_dir);
void mtasts_cache_close(struct mtasts_cache *c);
/* 1 with *out in the arena, 0 none (or written in another form), -1. */
int mtasts_cache_get(struct mtasts_cache *c, struct arena *a,
    struct bytes domain, struct mtasts_entry *out);
int mtasts_cache_put(struct mtasts_cache *c, struct bytes domain,
    const struct mtasts_entry *e);
/* 1 removed, 0 was not there, -1. */
int mtasts_cache_delete(struct mtasts_cache *c, struct bytes domain);
/* Each domain in byte order with its entry, as of now; the callback may
 * change the cache. -1 ends it: returned with its errno. */
typedef int mtasts_visitor(void *ctx, struct bytes domain,
    const struct mtasts_entry *e);
int mtasts_cache_walk(struct mtasts_cache *c, mtasts_visitor *visit,
    void *ctx);

/* Look up, decide, and keep the outcome. c NULL: without a cache. Never
 * fails: a cache that cannot be read or written is as an empty one. */
void mtasts_look(struct dns *d, struct mtasts_cache *c, struct arena *a,
    struct bytes domain, struct mtasts_decision *out);

/* ---- asking mtasts-serve ---- */

/*
 * What a sender needs: the verdict for a domain (A-labels), at run/mtasts.
 * policy, result and why of *out are filled, in the arena. Where nothing
 * answers it is MTASTS_DEFER: acting as without a policy could be made to
 * happen. 0; -1 EINVAL: not a domain.
 */
#define MTASTS_ASK_MS 100000	/* a look-up, a fetch, and a bit */
int mtasts_ask(struct arena *a, struct bytes domain, int64_t deadline,
    struct mtasts_decision *out);
/* The protocol's two halves, for the service and for fuzzing: see
 * mtasts-serve(8). */
#define MTASTS_ANSWER_MAX (2 * MTASTS_POLICY_MAX)
int mtasts_answer_format(const struct mtasts_decision *d, struct buf *out);
int mtasts_answer_parse(struct bytes text, struct arena *a,
    struct mtasts_decision *out, const char **why);

#endif
