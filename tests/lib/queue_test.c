/*
 * queue_test.c - records, schedule, ends, rules, suppression, limits
 */
#include "queue/queue.h"

#include <errno.h>

#include "queue/add.h"
#include "queue/job.h"
#include "queue_fixture.h"

static void
test_waits(void **state)
{
	/* attempts before, wait without jitter */
	static const struct { uint64_t attempts; int64_t wait; } rows[] = {
		{ 0, 450 }, { 1, 900 }, { 2, 1800 }, { 3, 3600 }, { 4, 7200 },
		{ 5, 14400 }, { 6, 28800 }, { 7, 28800 }, { 20, 28800 },
		{ UINT64_MAX, 28800 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(queue_wait_s(rows[i].attempts, 5),
		    rows[i].wait);
	assert_int_equal(queue_wait_s(0, 0), 445);
	assert_int_equal(queue_wait_s(0, 9), 454);
}

static void
test_ids(void **state)
{
	char text[QUEUE_ID_TEXT];
	uint64_t id, n;
	static const char *const bad[] = { "", ".", ".1", "1.", "1.0", "g",
	    "12345678901234567", "1.4294967296", "1.1.1", "-1", "0x1" };

	(void)state;
	queue_id_format(text, 0x6440d5e1b3a40, 3);
	assert_string_equal(text, "6440d5e1b3a40.3");
	assert_int_equal(queue_id_parse(bytes_str(text), &id, &n), 0);
	assert_true(id == 0x6440d5e1b3a40 && n == 3);
	queue_id_format(text, UINT64_MAX, UINT32_MAX);
	assert_int_equal(queue_id_parse(bytes_str(text), &id, &n), 0);
	assert_true(id == UINT64_MAX && n == UINT32_MAX);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(queue_id_parse(bytes_str(bad[i]), &id, &n),
		    -1);
}

static void
test_records(void **state)
{
	struct buf b = BUF_INIT(65536);
	struct queue_message m = message("alice"), got;
	struct queue_rcpt r = rcpt("b@example.net", "example.net"), back;

	(void)state;
	m.id = 77;
	m.extra = bytes_of("k\0v\0", 4);
	m.deliver_by = -5;
	assert_int_equal(queue_message_format(&b, &m), 0);
	assert_int_equal(queue_message_parse(buf_bytes(&b), &got), 0);
	assert_true(got.id == 77 && got.deliver_by == -5);
	assert_true(bytes_eq(got.extra, m.extra));
	assert_true(got.subject.n == 0 && got.subject.p != NULL);
	buf_reset(&b);
	r.result.code = 450;
	r.result.text = S("later");
	assert_int_equal(queue_rcpt_format(&b, &r), 0);
	assert_int_equal(queue_rcpt_parse(buf_bytes(&b), &back), 0);
	assert_int_equal(back.result.code, 450);
	assert_true(bytes_eq(back.result.text, S("later")));
	/* cut anywhere it is malformed, or lacks its last members */
	for (size_t n = 1; n < b.n; n++) {
		if (queue_rcpt_parse(bytes_of(b.p, n), &back) == -1)
			assert_int_equal(errno, EBADMSG);
	}
	buf_free(&b);
}

static void
test_schedule(void **state)
{
	struct fixture *f = *state;
	struct queue_message m = message("alice");
	struct queue_rcpt r[] = { rcpt("a@one.example", "one.example"),
	    rcpt("b@two.example", "two.example"),
	    rcpt("c@one.example", "one.example"),
	    rcpt("d@late.example", "late.example") };
	struct queue_txn *t;
	struct queue_job job;
	struct bytes dest = BYTES_EMPTY;
	int64_t time;

	r[3].next = NOW + 100;
	put(f, &m, r, COUNT(r));
	t = queue_begin(f->q, true);
	assert_int_equal(queue_next_dest(t, &f->a, dest, &dest, &time), 1);
	assert_true(bytes_eq(dest, S("late.example")) && time == NOW + 100);
	assert_int_equal(queue_next_dest(t, &f->a, dest, &dest, &time), 1);
	assert_true(bytes_eq(dest, S("one.example")) && time == NOW);
	assert_int_equal(queue_next_dest(t, &f->a, dest, &dest, &time), 1);
	assert_int_equal(queue_next_dest(t, &f->a, dest, &dest, &time), 0);
	/* both recipients of the domain come together */
	assert_int_equal(queue_take(t, &f->a, S("one.example"), NOW, 10,
	    &job), 1);
	assert_int_equal(job.count, 2);
	assert_true(bytes_eq(job.rcpts[1].address, S("c@one.example")));
	assert_int_equal(job.message.left, 4);
	assert_int_equal(queue_start(t, &job, NOW, 5), 0);
	assert_int_equal(queue_dest_time(t, S("one.example"), &time), 1);
	assert_int_equal(time, NOW + 450);
	assert_int_equal(queue_take(t, &f->a, S("one.example"), NOW, 10,
	    &job), 0);
	/* nothing waits there: not the time of what stands behind it */
	time = 7;
	assert_int_equal(queue_dest_time(t, S("aaa.example"), &time), 0);
	assert_int_equal(time, 7);
	assert_int_equal(queue_take(t, &f->a, S("late.example"), NOW, 10,
	    &job), 0);
	assert_int_equal(queue_take(t, &f->a, S("one.example"), NOW + 450, 1,
	    &job), 1);
	assert_int_equal(job.count, 1);
	assert_int_equal(job.rcpts[0].attempts, 1);
	assert_int_equal(queue_commit(t, true), 0);
}

static void
test_end(void **state)
{
	struct fixture *f = *state;
	struct queue_message m = message("alice");
	struct queue_rcpt r[] = { rcpt("a@one.example", "one.example"),
	    rcpt("b@one.example", "one.example") };
	struct queue_retired gone;
	struct queue_attempt *list;
	struct queue_txn *t;
	uint64_t id, n;
	size_t count;
	bool last = true;
	int64_t time;
	int fd;

	r[0].fromid = S("abc");
	id = put(f, &m, r, 2);
	end_one(f, id, 1, NOW + 1000, &last);
	assert_false(last);
	assert_true((fd = queue_file_open(f->q, id)) >= 0);
	assert_int_equal(close(fd), 0);
	end_one(f, id, 2, 0, &last);
	assert_true(last);
	queue_file_remove(f->q, id);
	assert_int_equal(queue_file_open(f->q, id), -1);
	t = queue_begin(f->q, true);
	assert_int_equal(queue_dest_time(t, S("one.example"), &time), 0);
	/* Q-22, U-24: kept, and its fromid still found */
	assert_int_equal(queue_next_retired(t, &f->a, 0, 0, &gone), 1);
	assert_int_equal(gone.rcpt.result.code, 250);
	assert_true(gone.ended == NOW && gone.keep_until == NOW + 1000);
	assert_int_equal(queue_next_retired(t, &f->a, id, 1, &gone), 0);
	assert_int_equal(queue_find_fromid(t, S("abc"), &id, &n), 1);
	assert_int_equal(n, 1);
	assert_int_equal(queue_attempts(t, &f->a, id, 1, &list, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(queue_purge(t, NOW + 999, 10), 0);
	assert_int_equal(queue_purge(t, NOW + 1000, 10), 1);
	assert_int_equal(queue_find_fromid(t, S("abc"), &id, &n), 0);
	assert_int_equal(queue_attempts(t, &f->a, id, 1, &list, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(queue_commit(t, true), 0);
}

static void
test_fromid_is_unique(void **state)
{
	struct fixture *f = *state;
	struct queue_message m = message("alice");
	struct queue_rcpt r[] = { rcpt("a@one.example", "one.example") };
	struct queue_txn *t;

	r[0].fromid = S("same");
	put(f, &m, r, 1);
	t = queue_begin(f->q, true);
	m.id++;
	assert_int_equal(queue_put(t, &m, r, 1), -1);
	assert_int_equal(errno, EEXIST);
	queue_abort(t);
}

static void
test_attempts_are_capped(void **state)
{
	struct fixture *f = *state;
	struct queue_txn *t = queue_begin(f->q, true);
	struct queue_attempt a, *list;
	size_t count;

	assert_int_equal(queue_attempt_parse(BYTES_EMPTY, &a), 0);
	for (int i = 1; i <= QUEUE_ATTEMPTS_MAX + 1; i++) {
		a.start_ms = i;
		assert_int_equal(queue_add_attempt(t, 9, 1, &a), 0);
		assert_int_equal(queue_attempts(t, &f->a, 9, 1, &list,
		    &count), 0);
		assert_int_equal(count, i <= QUEUE_ATTEMPTS_MAX ? i
		    : QUEUE_ATTEMPTS_MAX);
	}
	assert_int_equal(list[0].start_ms, 1);
	assert_int_equal(list[1].start_ms, 3);
	assert_int_equal(list[count - 1].start_ms, QUEUE_ATTEMPTS_MAX + 1);
	queue_abort(t);
}

static void
test_hold_rules(void **state)
{
	static const struct {
		const char *account, *sender, *rcpt;
		bool matches;
	} rows[] = {
		{ "", "", "", true }, { "alice", "", "", true },
		{ "bob", "", "", false }, { "", "EXAMPLE.org", "", true },
		{ "", "example.net", "", false },
		{ "", "", "one.example", true },
		{ "alice", "example.org", "one.example", true },
		{ "alice", "example.org", "two.example", false },
		{ "bob", "example.org", "one.example", false },
	};
	struct fixture *f = *state;
	struct queue_message m = message("alice");
	struct queue_rcpt r[] = { rcpt("a@one.example", "one.example") }, got;
	struct queue_holdrule rule;
	struct queue_txn *t;
	int64_t time;
	size_t held;

	for (size_t i = 0; i < COUNT(rows); i++) {
		rule = (struct queue_holdrule){ 0, bytes_str(rows[i].account),
		    bytes_str(rows[i].sender), bytes_str(rows[i].rcpt) };
		assert_int_equal(queue_holdrule_matches(&rule, &m, &r[0]),
		    rows[i].matches);
	}
	put(f, &m, r, 1);
	t = queue_begin(f->q, true);
	rule = (struct queue_holdrule){ 0, S("alice"), S(""), S("") };
	assert_int_equal(queue_holdrule_add(t, &rule, &held), 0);
	assert_int_equal(held, 1);	/* what is there is held too */
	assert_int_equal(queue_dest_time(t, S("one.example"), &time), 0);
	m.id++;
	assert_int_equal(queue_put(t, &m, r, 1), 0);
	assert_int_equal(queue_get_rcpt(t, &f->a, m.id, 1, &got), 1);
	assert_int_equal(got.held, 1);
	got.held = 0;
	assert_int_equal(queue_set_rcpt(t, &got), 0);
	assert_int_equal(queue_dest_time(t, S("one.example"), &time), 1);
	assert_int_equal(queue_holdrule_remove(t, rule.id), 1);
	assert_int_equal(queue_holdrule_remove(t, rule.id), 0);
	queue_abort(t);
}

static void
test_suppression(void **state)
{
	static const struct { const char *in, *base; } bases[] = {
		{ "A.B+x@Example.org", "ab@example.org" },
		{ "a-b+c@example.org", "a@example.org" },
		{ "+x@example.org", "@example.org" },
		{ "plain@example.org", "plain@example.org" },
	};
	static const struct {
		uint64_t code;
		const char *status;
		int added[3];		/* at the first, second, third time */
	} rows[] = {
		{ 550, "5.0.0", { 1, 0, 0 } }, { 521, "", { 1, 0, 0 } },
		{ 554, "5.1.1", { 1, 0, 0 } }, { 554, "5.7.1", { 1, 0, 0 } },
		{ 554, "5.3.0", { 0, 0, 1 } }, { 552, "", { 0, 0, 1 } },
		{ 0, "5.4.7", { 0, 0, 0 } },
	};
	struct fixture *f = *state;
	struct queue_attempt a;
	struct queue_suppressed s;
	struct queue_txn *t;
	struct bytes address;

	for (size_t i = 0; i < COUNT(bases); i++)
		assert_true(bytes_eq(queue_suppress_base(&f->a,
		    bytes_str(bases[i].in)), bytes_str(bases[i].base)));
	assert_int_equal(queue_attempt_parse(BYTES_EMPTY, &a), 0);
	t = queue_begin(f->q, true);
	for (size_t i = 0; i < COUNT(rows); i++) {
		address = bytes_str(arena_printf(&f->a, "x%zu@e.example", i));
		a.outcome = QUEUE_FAILED;
		a.code = rows[i].code;
		a.status = bytes_str(rows[i].status);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(queue_suppress_consider(t, &f->a,
			    S("alice"), address, &a, NOW), rows[i].added[k]);
	}
	/* a success between starts over */
	a.code = 554;
	a.status = S("");
	for (size_t k = 0; k < 4; k++) {
		a.outcome = k == 2 ? QUEUE_DELIVERED : QUEUE_FAILED;
		assert_int_equal(queue_suppress_consider(t, &f->a, S("alice"),
		    S("z@e.example"), &a, NOW), 0);
	}
	assert_int_equal(queue_suppress_get(t, &f->a, S("alice"),
	    S("x0@e.example"), &s), 1);
	assert_int_equal(queue_suppress_get(t, &f->a, S("bob"),
	    S("x0@e.example"), &s), 0);
	assert_int_equal(queue_suppress_next(t, &f->a, S("alice"),
	    S("x0@e.example"), &s), 1);
	assert_true(bytes_eq(s.base, S("x1@e.example")));
	assert_int_equal(queue_suppress_remove(t, S("alice"),
	    S("x0@e.example")), 1);
	assert_int_equal(queue_suppress_remove(t, S("alice"),
	    S("x0@e.example")), 0);
	queue_abort(t);
}

static void
test_sent(void **state)
{
	const struct bytes one[] = { S("a@x.example") };
	const struct bytes two[] = { S("a@x.example"), S("b@x.example") };
	struct fixture *f = *state;
	struct queue_txn *t = queue_begin(f->q, true);
	struct queue_sent sent;
	uint64_t fresh;

	assert_int_equal(queue_sent_add(t, S("alice"), one, 1, NOW), 0);
	assert_int_equal(queue_sent_add(t, S("alicf"), one, 1, NOW), 0);
	assert_int_equal(queue_sent_count(t, S("alice"), two, 2, NOW, &sent,
	    &fresh), 0);
	assert_true(sent.day == 1 && sent.first_time == 1 && fresh == 1);
	assert_int_equal(queue_sent_add(t, S("alice"), two, 2, NOW + 1), 0);
	assert_int_equal(queue_sent_count(t, S("alice"), two, 2, NOW + 1,
	    &sent, &fresh), 0);
	assert_true(sent.day == 3 && sent.first_time == 2 && fresh == 0);
	/* exactly 24 h later the first is out, the second is not */
	assert_int_equal(queue_sent_count(t, S("alice"), two, 2, NOW + 86400,
	    &sent, &fresh), 0);
	assert_true(sent.day == 2 && sent.first_time == 1);
	assert_int_equal(queue_sent_add(t, S("alice"), one, 1, NOW + 86401),
	    0);
	assert_int_equal(queue_sent_count(t, S("alice"), two, 2, NOW + 86401,
	    &sent, &fresh), 0);
	assert_true(sent.day == 1 && sent.first_time == 0);
	queue_abort(t);
}

static void
test_orphans(void **state)
{
	struct fixture *f = *state;
	struct queue_message m = message("alice");
	struct queue_rcpt r[] = { rcpt("a@one.example", "one.example") };
	uint64_t kept = put(f, &m, r, 1), orphan;
	int64_t wall = time_wall_us() / 1000000;
	int fd = queue_file_make(f->q);

	assert_int_equal(queue_file_keep(f->q, fd, &orphan), 0);
	assert_int_equal(queue_sweep(f->q, wall), 0);
	assert_int_equal(queue_sweep(f->q, wall + QUEUE_ORPHAN_S + 10), 1);
	assert_int_equal(queue_file_open(f->q, orphan), -1);
	assert_true((fd = queue_file_open(f->q, kept)) >= 0);
	assert_int_equal(close(fd), 0);
}

static void
test_jobs(void **state)
{
	struct fixture *f = *state;
	struct queue_rcpt r[] = { rcpt("a@one.example", "one.example") };
	struct job_request j = { .message = message("alice"), .rcpts = r,
	    .count = 1, .sender = S("s@x"), .domain = S("one.example") }, got;
	struct job_tls_result seen = { S("sts"), S("one.example"), S("mx"),
	    S("192.0.2.1"), S(""), S(""), 0 };
	struct job_done d = { .reusable = true, .has_known = true,
	    .tls = &seen, .ntls = 1 }, back;
	struct job_result result;
	struct buf b = BUF_INIT(1 << 20);
	enum job_kind kind;

	assert_int_equal(job_parse_request(&f->a, BYTES_EMPTY, &got), -1);
	j.message.id = 5;
	j.anew = true;
	j.transport.name = j.transport.host = S("relay");
	j.transport.type = TRANSPORT_RELAY;
	assert_int_equal(job_format_request(&b, &j), 0);
	assert_int_equal(job_parse_request(&f->a,
	    bytes_from(buf_bytes(&b), 4), &got), 0);
	assert_true(got.count == 1 && got.message.id == 5 && got.anew);
	assert_true(bytes_eq(got.transport.host, S("relay")));
	buf_reset(&b);
	d.known.starttls = 1;
	assert_int_equal(job_format_done(&b, &d), 0);
	assert_int_equal(job_parse_reply(&f->a, bytes_from(buf_bytes(&b), 4),
	    &kind, &result, &back), 0);
	assert_true(kind == JOB_DONE && back.reusable && back.ntls == 1);
	assert_true(back.has_known && back.known.starttls == 1);
	assert_true(bytes_eq(back.tls[0].mx_host, S("mx")));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "Q-2 waits double up to eight hours", test_waits, NULL,
		    NULL, NULL },
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_records),
		{ "Q-1 Q-4 schedule by destination", test_schedule, setup,
		    teardown, NULL },
		{ "Q-22 retired messages are kept as long as asked", test_end,
		    setup, teardown, NULL },
		{ "U-24 a fromid is unique", test_fromid_is_unique, setup,
		    teardown, NULL },
		{ "Q-21 attempts are kept, at most so many",
		    test_attempts_are_capped, setup, teardown, NULL },
		{ "Q-16 hold rules", test_hold_rules, setup, teardown, NULL },
		{ "Q-23 suppression", test_suppression, setup, teardown,
		    NULL },
		{ "U-18 what an account sent", test_sent, setup, teardown,
		    NULL },
		cmocka_unit_test_setup_teardown(test_orphans, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_jobs, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
