/*
 * queue_tls_test.c - results of TLS for reports, what is known of domains
 */
#include "queue/tlsresult.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DAY 86400
#define TODAY 20000
#define NOW ((int64_t)TODAY * DAY + 3600)
#define S(s) BYTES(s)

struct fixture {
	char dir[64];
	struct queue *q;
	struct queue_txn *t;
	struct arena a;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/queue_tls.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->q = queue_open(f->dir);
	assert_non_null(f->q);
	f->t = queue_begin(f->q, true);
	assert_non_null(f->t);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	int status = 0;
	pid_t pid;

	queue_abort(f->t);
	queue_close(f->q);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execlp("rm", "rm", "-r", f->dir, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	arena_free(&f->a);
	free(f);
	return 0;
}

static struct job_tls_result
result(const char *type, const char *policy_domain, const char *failure)
{
	return (struct job_tls_result){ .policy_type = bytes_str(type),
	    .policy_domain = bytes_str(policy_domain),
	    .mx_host = S("mx.one.example"), .ip = S("192.0.2.1"),
	    .result_type = bytes_str(failure),
	    .detail = bytes_str(failure[0] == '\0' ? "" : "why") };
}

static int
add(struct fixture *f, const struct job_tls_result *r, uint64_t kind,
    int64_t now)
{
	return queue_tlsresult_add(f->t, &f->a, S("one.example"), kind, r,
	    now);
}

/* The only record there is. */
static struct queue_tlsresult
only(struct fixture *f)
{
	struct queue_tlsresult r, other;
	struct bytes place = BYTES_EMPTY;

	assert_int_equal(queue_tlsresult_next(f->t, &f->a, &place, &r), 1);
	assert_int_equal(queue_tlsresult_next(f->t, &f->a, &place, &other),
	    0);
	return r;
}

static void
test_counts(void **state)
{
	struct fixture *f = *state;
	struct job_tls_result good = result("sts", "one.example", ""),
	    bad = result("sts", "one.example", "certificate-expired"),
	    other = result("sts", "one.example", "starttls-not-supported");
	struct queue_tlsresult r;

	for (int i = 0; i < 3; i++)
		assert_int_equal(add(f, &good, QUEUE_MESSAGE, NOW), 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(add(f, &bad, QUEUE_MESSAGE, NOW), 1);
	assert_int_equal(add(f, &other, QUEUE_MESSAGE, NOW), 1);
	r = only(f);
	assert_int_equal(r.day, TODAY);
	assert_true(bytes_eq(r.policy_domain, S("one.example")));
	assert_true(bytes_eq(r.rcpt_domain, S("one.example")));
	assert_true(bytes_eq(r.policy_type, S("sts")));
	assert_int_equal(r.is_host, 0);
	assert_int_equal(r.good, 3);
	assert_int_equal(r.bad, 3);
	assert_int_equal(r.report, 1);
	assert_int_equal(r.left_out, 0);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.failures[0].count, 2);
	assert_true(bytes_eq(r.failures[0].result_type,
	    S("certificate-expired")));
	assert_true(bytes_eq(r.failures[0].mx_host, S("mx.one.example")));
	assert_true(bytes_eq(r.failures[0].ip, S("192.0.2.1")));
	assert_true(bytes_eq(r.failures[0].detail, S("why")));
	assert_int_equal(r.failures[1].count, 1);
}

/* Each of day, policy domain, its type, host or domain has its record. */
static void
test_keys(void **state)
{
	struct fixture *f = *state;
	struct job_tls_result list[] = {
		result("sts", "one.example", ""),
		result("no-policy-found", "one.example", ""),
		result("tlsa", "mx.one.example", ""),
		result("no-policy-found", "mx.one.example", ""),
		result("no-policy-found", "mx.one.example", ""),
	};
	struct queue_tlsresult r;
	struct bytes place = BYTES_EMPTY;
	int64_t last = 0;
	size_t n = 0;

	list[2].is_host = list[3].is_host = 1;
	for (size_t i = 0; i < COUNT(list); i++) {
		assert_int_equal(add(f, &list[i], QUEUE_MESSAGE, NOW), 1);
		assert_int_equal(add(f, &list[i], QUEUE_MESSAGE, NOW - DAY),
		    1);
	}
	while (queue_tlsresult_next(f->t, &f->a, &place, &r) == 1) {
		assert_true(r.day >= last);
		last = r.day;
		assert_int_equal(r.good, 1);
		n++;
	}
	assert_int_equal(n, 2 * COUNT(list));
}

/* BEHAVIOUR 13: what alone is no reason to send a report. */
static void
test_reason(void **state)
{
	struct fixture *f = *state;
	struct job_tls_result good = result("tlsa", "h.example", ""),
	    bad = result("tlsa", "h.example", "tlsa-invalid");

	assert_int_equal(add(f, &good, QUEUE_TLS_REPORT, NOW), 1);
	assert_int_equal(add(f, &bad, QUEUE_TLS_REPORT, NOW), 1);
	assert_int_equal(add(f, &good, QUEUE_DMARC_REPORT, NOW), 1);
	assert_int_equal(only(f).report, 0);
	assert_int_equal(only(f).good, 2);
	assert_int_equal(add(f, &bad, QUEUE_DMARC_REPORT, NOW), 1);
	assert_int_equal(only(f).report, 1);
	assert_int_equal(add(f, &good, QUEUE_TLS_REPORT, NOW), 1);
	assert_int_equal(only(f).report, 1);
}

/* QUEUE_TLSRESULT_FAILURES_MAX, and one more. */
static void
test_failures_are_capped(void **state)
{
	struct fixture *f = *state;
	struct job_tls_result bad = result("sts", "one.example",
	    "validation-failure");
	struct queue_tlsresult r;
	char host[32];

	for (int i = 0; i < QUEUE_TLSRESULT_FAILURES_MAX; i++) {
		(void)snprintf(host, sizeof(host), "mx%d.example", i);
		bad.mx_host = bytes_str(host);
		assert_int_equal(add(f, &bad, QUEUE_MESSAGE, NOW), 1);
	}
	r = only(f);
	assert_int_equal(r.count, QUEUE_TLSRESULT_FAILURES_MAX);
	assert_int_equal(r.left_out, 0);
	bad.mx_host = S("one.more.example");
	assert_int_equal(add(f, &bad, QUEUE_MESSAGE, NOW), 1);
	bad.mx_host = S("mx0.example");
	assert_int_equal(add(f, &bad, QUEUE_MESSAGE, NOW), 1);
	r = only(f);
	assert_int_equal(r.count, QUEUE_TLSRESULT_FAILURES_MAX);
	assert_int_equal(r.left_out, 1);
	assert_int_equal(r.bad, QUEUE_TLSRESULT_FAILURES_MAX + 2);
	assert_int_equal(r.failures[0].count, 2);
}

/* QUEUE_TLSRESULT_MAX, and one more. */
static void
test_records_are_capped(void **state)
{
	struct fixture *f = *state;
	struct job_tls_result good = result("sts", "", "");
	char domain[32];

	for (int i = 0; i < QUEUE_TLSRESULT_MAX; i++) {
		(void)snprintf(domain, sizeof(domain), "d%d.example", i);
		good.policy_domain = bytes_str(domain);
		if (add(f, &good, QUEUE_MESSAGE, NOW) != 1)
			fail_msg("no room for record %d", i);
		arena_reset(&f->a);
	}
	good.policy_domain = S("one.more.example");
	assert_int_equal(add(f, &good, QUEUE_MESSAGE, NOW), 0);
	good.policy_domain = S("d7.example");
	assert_int_equal(add(f, &good, QUEUE_MESSAGE, NOW), 1);
}

/* smtp-out reads strangers' bytes: what it tells is not trusted. */
static void
test_nothing_is_trusted(void **state)
{
	struct fixture *f = *state;
	struct job_tls_result bad = result("sts", "one.example", "my-own");
	struct queue_tlsresult r;
	char text[600];

	memset(text, 'x', sizeof(text));
	bad.detail = bytes_of((unsigned char *)text,
	    QUEUE_TLSRESULT_DETAIL_MAX);
	assert_int_equal(add(f, &bad, QUEUE_MESSAGE, NOW), 1);
	bad.detail.n++;
	assert_int_equal(add(f, &bad, QUEUE_MESSAGE, NOW), 1);
	r = only(f);
	assert_true(bytes_eq(r.failures[0].result_type,
	    S("validation-failure")));
	assert_int_equal(r.failures[0].detail.n, QUEUE_TLSRESULT_DETAIL_MAX);
	assert_int_equal(r.failures[0].count, 2);
	bad.policy_domain = BYTES_EMPTY;
	assert_int_equal(add(f, &bad, QUEUE_MESSAGE, NOW), 0);
	bad.policy_domain = bytes_of((const unsigned char *)"a\0b", 3);
	assert_int_equal(add(f, &bad, QUEUE_MESSAGE, NOW), 0);
	/* 511 bytes are a key: 4, this, 1, 11, 1, 1 */
	bad.policy_domain = bytes_of((unsigned char *)text, 493);
	assert_int_equal(add(f, &bad, QUEUE_MESSAGE, NOW), 1);
	bad.policy_domain.n++;
	assert_int_equal(add(f, &bad, QUEUE_MESSAGE, NOW), 0);
}

static size_t
count_all(struct fixture *f)
{
	struct queue_tlsresult r;
	struct bytes place = BYTES_EMPTY;
	size_t n = 0;

	while (queue_tlsresult_next(f->t, &f->a, &place, &r) == 1)
		n++;
	return n;
}

/* 48 hours behind the end of the day; at most so many at a time. */
static void
test_purge(void **state)
{
	struct fixture *f = *state;
	struct job_tls_result a = result("sts", "a.example", ""),
	    b = result("sts", "b.example", "");
	int64_t end = (int64_t)(TODAY + 1) * DAY + QUEUE_TLSRESULT_KEEP_S;

	assert_int_equal(add(f, &a, QUEUE_MESSAGE, NOW), 1);
	assert_int_equal(add(f, &b, QUEUE_MESSAGE, NOW), 1);
	assert_int_equal(add(f, &a, QUEUE_MESSAGE, NOW + DAY), 1);
	assert_int_equal(queue_tlsresult_purge(f->t, end - 1, 10), 0);
	assert_int_equal(count_all(f), 3);
	assert_int_equal(queue_tlsresult_purge(f->t, end, 1), 1);
	assert_int_equal(count_all(f), 2);
	assert_int_equal(queue_tlsresult_purge(f->t, end, 10), 1);
	assert_int_equal(only(f).day, TODAY + 1);
}

static void
test_known(void **state)
{
	struct fixture *f = *state;
	struct queue_known k = { .when = NOW, .starttls = 1, .dane = 1 }, got;
	struct bytes account = BYTES_EMPTY, domain = BYTES_EMPTY;

	assert_int_equal(queue_known_set(f->t, S("bob"), S("b.example"), &k),
	    0);
	k.requiretls = 1;
	assert_int_equal(queue_known_set(f->t, S("alice"), S("b.example"),
	    &k), 0);
	assert_int_equal(queue_known_set(f->t, S("alice"), S("a.example"),
	    &k), 0);
	k.starttls = 0;		/* the last attempt counts */
	assert_int_equal(queue_known_set(f->t, S("alice"), S("a.example"),
	    &k), 0);
	assert_int_equal(queue_known_get(f->t, S("bob"), S("a.example"),
	    &got), 0);
	assert_int_equal(queue_known_next(f->t, &f->a, &account, &domain,
	    &got), 1);
	assert_true(bytes_eq(account, S("alice")));
	assert_true(bytes_eq(domain, S("a.example")));
	assert_int_equal(got.starttls, 0);
	assert_int_equal(got.requiretls, 1);
	assert_int_equal(queue_known_next(f->t, &f->a, &account, &domain,
	    &got), 1);
	assert_int_equal(got.starttls, 1);
	assert_int_equal(queue_known_next(f->t, &f->a, &account, &domain,
	    &got), 1);
	assert_true(bytes_eq(account, S("bob")));
	assert_int_equal(got.requiretls, 0);
	assert_int_equal(got.dane, 1);
	assert_int_equal(queue_known_next(f->t, &f->a, &account, &domain,
	    &got), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "T-9 sessions and failures are counted", test_counts,
		    setup, teardown, NULL },
		{ "T-9 a record for each day and policy", test_keys, setup,
		    teardown, NULL },
		{ "T-9 reports are no reason for a report", test_reason,
		    setup, teardown, NULL },
		{ "T-9 kinds of failure in a record are capped",
		    test_failures_are_capped, setup, teardown, NULL },
		{ "T-9 records are capped", test_records_are_capped, setup,
		    teardown, NULL },
		{ "T-9 what smtp-out tells is not trusted",
		    test_nothing_is_trusted, setup, teardown, NULL },
		{ "T-9 a day is kept for 48 hours after its end", test_purge,
		    setup, teardown, NULL },
		{ "S-18 what is known of a domain, for each account",
		    test_known, setup, teardown, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
