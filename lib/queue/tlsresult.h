/*
 * tlsresult.h - what attempts at TLS came to, for reports (T-9, RFC 8460)
 *
 * Kept in the queue's database, because it changes with the results of
 * attempts, by the same commit. One record for each day (UTC), policy, and
 * recipient domain it was met for: sessions that went well, sessions that did
 * not, and how these failed. A record of a host (is_host) is about its TLSA
 * records, one of a domain about its MTA-STS policy; "no-policy-found" in
 * both.
 */
#ifndef QUEUE_TLSRESULT_H
#define QUEUE_TLSRESULT_H

#include "queue/job.h"
#include "queue/queue.h"

/* A day's records go when it has been over for so long (BEHAVIOUR 13): the
 * report is tried until then. */
#define QUEUE_TLSRESULT_KEEP_S (48 * 3600)
/* Kinds of failure in one record, each with its host and address; what comes
 * behind is only counted. */
#define QUEUE_TLSRESULT_FAILURES_MAX 20
/* Bytes of what a failure says; more is cut off. */
#define QUEUE_TLSRESULT_DETAIL_MAX 200
/* Records in all; with that many there is no room for further ones, and what
 * they would have told is lost. 100,000 policies in three days are more mail
 * than one queue sends, and take some 30 MB. */
#define QUEUE_TLSRESULT_MAX 100000

struct queue_tlsfailure {
	struct bytes result_type;	/* a name of tlsresult.h */
	struct bytes mx_host, ip;	/* empty: none was reached */
	struct bytes detail;
	uint64_t count;
};

struct queue_tlsresult {
	int64_t day;			/* since 1970 */
	struct bytes policy_domain, rcpt_domain;
	struct bytes policy_type;	/* "sts", "tlsa", "no-policy-found" */
	uint64_t is_host;
	uint64_t good, bad;		/* sessions */
	uint64_t report;		/* there is reason to send a report:
					 * not all of it was reports */
	uint64_t left_out;		/* of bad: without a failure below */
	struct queue_tlsfailure *failures;	/* in the arena */
	size_t count;
};

/*
 * Count one result of an attempt for rcpt_domain. Nothing in it is trusted:
 * an unknown result type counts as validation-failure, long text is cut. 1
 * counted; 0 there is no room, or names are too long to be kept; -1 errno.
 */
int queue_tlsresult_add(struct queue_txn *t, struct arena *a,
    struct bytes rcpt_domain, uint64_t kind, const struct job_tls_result *r,
    int64_t now);
/*
 * The next record in order of day and policy domain, in the arena. *place is
 * empty for the first and is for the next call. 1, 0, -1.
 */
int queue_tlsresult_next(struct queue_txn *t, struct arena *a,
    struct bytes *place, struct queue_tlsresult *r);
/* Remove what was kept long enough, at most max records. How many, or -1. */
int queue_tlsresult_purge(struct queue_txn *t, int64_t now, size_t max);

#endif
