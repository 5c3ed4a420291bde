/*
 * queue_fresh_test.c - where records stand: fresh, or with those that wait
 */
#include <string.h>

#include "kv/kv.h"
#include "queue_fixture.h"

/* In the order of the files' own list; "fresh" came later. */
static const char *const tables[] = { "meta", "message", "rcpt", "due",
    "attempt", "retired", "retired_due", "fromid", "holdrule", "suppress",
    "failure", "sent", "first", "known", "fresh", NULL };
enum { MESSAGE = 1, RCPT, DUE, ATTEMPT, FRESH = 14 };

/* Entries of message, rcpt, due, attempt and fresh. */
static void
assert_counts(struct fixture *f, const int64_t expected[5])
{
	static const unsigned int which[] = { MESSAGE, RCPT, DUE, ATTEMPT,
	    FRESH };
	struct kv_txn *t;
	struct kv *kv;

	queue_close(f->q);
	kv = kv_open(arena_printf(&f->a, "%s/db", f->dir), 1 << 30, tables);
	assert_non_null(kv);
	t = kv_begin(kv, false);
	for (size_t i = 0; i < COUNT(which); i++)
		assert_int_equal(kv_count(t, which[i]), expected[i]);
	kv_abort(t);
	kv_close(kv);
	f->q = queue_open(f->dir);
	assert_non_null(f->q);
}

#define ASSERT_COUNTS(f, ...) \
	assert_counts(f, (const int64_t[5]){ __VA_ARGS__ })

/* An attempt of recipient n that comes to this. */
static void
attempt(struct fixture *f, uint64_t id, uint64_t n, uint64_t outcome)
{
	struct queue_txn *t = queue_begin(f->q, true);
	struct queue_attempt a;
	struct queue_rcpt r;

	assert_int_equal(queue_attempt_parse(BYTES_EMPTY, &a), 0);
	a.outcome = outcome;
	assert_int_equal(queue_get_rcpt(t, &f->a, id, n, &r), 1);
	assert_int_equal(queue_add_attempt(t, id, n, &a), 0);
	r.attempts++;
	r.next += 100;
	r.result = a;
	assert_int_equal(queue_set_rcpt(t, &r), 0);
	assert_int_equal(queue_commit(t, true), 0);
}

static void
test_fresh(void **state)
{
	struct fixture *f = *state;
	struct queue_message m = message("alice");
	struct queue_rcpt r[] = { rcpt("a@one.example", "one.example"),
	    rcpt("b@one.example", "one.example"),
	    rcpt("c@two.example", "two.example") };
	struct queue_rcpt got = { .id = 0 };
	struct queue_txn *t;
	struct queue_job job;
	uint64_t id = put(f, &m, r, COUNT(r));
	bool last = false;
	int64_t time;

	/* a message, three recipients and their times: all among the fresh */
	ASSERT_COUNTS(f, 0, 0, 0, 0, 7);
	t = queue_begin(f->q, true);
	assert_int_equal(queue_take(t, &f->a, S("one.example"), NOW, 10,
	    &job), 1);
	assert_int_equal(job.count, 2);
	assert_int_equal(queue_start(t, &job, NOW, 5), 0);
	assert_int_equal(queue_commit(t, true), 0);
	ASSERT_COUNTS(f, 0, 0, 0, 0, 7);
	/* one waits: it leaves, and the message; the others stay */
	attempt(f, id, 2, QUEUE_DELAYED);
	ASSERT_COUNTS(f, 1, 1, 1, 1, 4);
	t = queue_begin(f->q, true);
	assert_int_equal(queue_next_dest(t, &f->a, BYTES_EMPTY, &job.message.
	    account, &time), 1);
	assert_int_equal(time, NOW + 450);	/* the earlier of both */
	for (uint64_t n = 1; n <= 3; n++) {
		assert_int_equal(queue_next_rcpt(t, &f->a, got.id, got.n,
		    &got), 1);
		assert_int_equal(got.n, n);
	}
	assert_int_equal(queue_next_rcpt(t, &f->a, id, 3, &got), 0);
	/* due together again, though one has a result and one none */
	assert_int_equal(queue_get_rcpt(t, &f->a, id, 2, &got), 1);
	got.next = NOW + 450;
	assert_int_equal(queue_set_rcpt(t, &got), 0);
	assert_int_equal(queue_take(t, &f->a, S("one.example"), NOW + 450, 10,
	    &job), 1);
	assert_int_equal(job.message.left, 3);
	assert_int_equal(job.count, 1);		/* attempts differ: 1 and 2 */
	got.attempts = 1;
	assert_int_equal(queue_set_rcpt(t, &got), 0);
	assert_int_equal(queue_take(t, &f->a, S("one.example"), NOW + 450, 10,
	    &job), 1);
	assert_int_equal(job.count, 2);
	assert_int_equal(queue_commit(t, true), 0);
	/* it does not come back, whatever its record says */
	attempt(f, id, 2, 0);
	ASSERT_COUNTS(f, 1, 1, 1, 2, 4);
	end_one(f, id, 1, 0, &last);
	end_one(f, id, 2, 0, &last);
	assert_false(last);
	ASSERT_COUNTS(f, 1, 0, 0, 0, 2);
	end_one(f, id, 3, 0, &last);
	assert_true(last);
	ASSERT_COUNTS(f, 0, 0, 0, 0, 0);
}

static void
test_fresh_held(void **state)
{
	struct fixture *f = *state;
	struct queue_message m = message("alice");
	struct queue_rcpt r[] = { rcpt("a@one.example", "one.example"),
	    rcpt("b@one.example", "one.example") }, got;
	struct queue_txn *t;
	int64_t time;
	uint64_t id;

	r[0].held = 1;
	id = put(f, &m, r, COUNT(r));
	ASSERT_COUNTS(f, 1, 1, 0, 0, 2);
	t = queue_begin(f->q, true);
	assert_int_equal(queue_get_rcpt(t, &f->a, id, 2, &got), 1);
	got.held = 1;
	assert_int_equal(queue_set_rcpt(t, &got), 0);
	assert_int_equal(queue_dest_time(t, S("one.example"), &time), 0);
	assert_int_equal(queue_commit(t, true), 0);
	ASSERT_COUNTS(f, 1, 2, 0, 0, 0);
	t = queue_begin(f->q, true);
	got.held = 0;
	assert_int_equal(queue_set_rcpt(t, &got), 0);
	assert_int_equal(queue_dest_time(t, S("one.example"), &time), 1);
	assert_int_equal(queue_commit(t, true), 0);
	ASSERT_COUNTS(f, 1, 2, 1, 0, 0);
}

/* ---- any order of changes, beside a list of what should be there ---- */

#define MESSAGES 12
#define RCPTS 3
#define DESTS 4
#define STEPS 3000

struct model {
	struct queue_rcpt rcpt[MESSAGES][RCPTS];	/* n 0: ended */
	uint64_t random, next_id;
};

static const char *const dests[DESTS] = { "a.example", "aa.example",
    "b.example", "transport:x" };

static unsigned int
pick(struct model *m, unsigned int below)
{
	m->random = m->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)(m->random >> 33) % below;
}

static uint64_t
model_left(const struct model *m, size_t i)
{
	uint64_t left = 0;

	for (size_t k = 0; k < RCPTS; k++)
		left += m->rcpt[i][k].n != 0;
	return left;
}

/* The schedule's first time at a destination, or 0. */
static int64_t
model_time(const struct model *m, const char *dest)
{
	const struct queue_rcpt *r;
	int64_t first = 0;

	for (size_t i = 0; i < (size_t)MESSAGES * RCPTS; i++) {
		r = &m->rcpt[i / RCPTS][i % RCPTS];
		if (r->n != 0 && !r->held &&
		    bytes_eq(r->dest, bytes_str(dest)) &&
		    (first == 0 || r->next < first))
			first = r->next;
	}
	return first;
}

static void
model_put(struct model *m, struct queue_txn *t, size_t i)
{
	struct queue_message message_of = message("alice");

	for (size_t k = 0; k < RCPTS; k++) {
		m->rcpt[i][k] = rcpt("x@y", dests[pick(m, DESTS)]);
		m->rcpt[i][k].next = NOW + pick(m, 50);
		m->rcpt[i][k].held = pick(m, 6) == 0;
	}
	message_of.id = m->next_id++;
	assert_int_equal(queue_put(t, &message_of, m->rcpt[i], RCPTS), 0);
}

static void
model_end(struct model *m, struct queue_txn *t, struct arena *a, size_t i,
    struct queue_rcpt *r)
{
	struct queue_attempt done;
	struct queue_message of;
	bool last = false;

	assert_int_equal(queue_attempt_parse(BYTES_EMPTY, &done), 0);
	done.outcome = QUEUE_DELIVERED;
	assert_int_equal(queue_get_message(t, a, r->id, &of), 1);
	assert_int_equal(of.left, model_left(m, i));
	assert_int_equal(queue_end(t, &of, r, &done, NOW, 0, &last), 0);
	r->n = 0;
	assert_true(last == (model_left(m, i) == 0));
}

static void
model_take(struct model *m, struct queue_txn *t, struct arena *a)
{
	const char *dest = dests[pick(m, DESTS)];
	int64_t now = NOW + pick(m, 2000), first = model_time(m, dest);
	struct queue_job job;
	struct queue_rcpt *r;

	assert_int_equal(queue_take(t, a, bytes_str(dest), now, 10, &job),
	    first != 0 && first <= now);
	if (first == 0 || first > now)
		return;
	assert_int_equal(job.rcpts[0].next, first);
	assert_int_equal(queue_start(t, &job, now, 5), 0);
	for (size_t i = 0; i < (size_t)MESSAGES * RCPTS; i++) {
		r = &m->rcpt[i / RCPTS][i % RCPTS];
		for (size_t k = 0; k < job.count; k++) {
			if (r->n != 0 && r->id == job.rcpts[k].id &&
			    r->n == job.rcpts[k].n) {
				r->next = now + queue_wait_s(r->attempts++, 5);
				r->last = now;
			}
		}
	}
}

static void
model_step(struct model *m, struct queue_txn *t, struct arena *a)
{
	size_t i = pick(m, MESSAGES);
	struct queue_rcpt *r = &m->rcpt[i][pick(m, RCPTS)];

	if (model_left(m, i) == 0) {
		model_put(m, t, i);
		return;
	}
	switch (r->n == 0 ? 0 : pick(m, 5)) {
	case 0:
		model_take(m, t, a);
		return;
	case 1:
		model_end(m, t, a, i, r);
		return;
	case 2:
		r->held = !r->held;
		break;
	case 3:
		r->result.outcome = QUEUE_DELAYED;
		break;
	default:
		r->next = NOW + pick(m, 3000);
	}
	assert_int_equal(queue_set_rcpt(t, r), 0);
}

static void
model_check(struct model *m, struct queue_txn *t, struct arena *a)
{
	struct queue_rcpt r = { .id = 0 };
	struct bytes dest = BYTES_EMPTY;
	size_t seen = 0, there = 0, i;
	uint64_t id = 0, n = 0;
	int64_t time;

	for (i = 0; i < MESSAGES; i++)
		there += model_left(m, i);
	while (queue_next_rcpt(t, a, id, n, &r) == 1) {
		assert_true(r.id > id || (r.id == id && r.n > n));
		id = r.id;
		n = r.n;
		for (i = 0; i < (size_t)MESSAGES * RCPTS; i++) {
			const struct queue_rcpt *o =
			    &m->rcpt[i / RCPTS][i % RCPTS];

			if (o->id == id && o->n == n) {
				assert_int_equal(o->next, r.next);
				assert_int_equal(o->held, r.held);
				assert_int_equal(o->attempts, r.attempts);
				seen++;
			}
		}
	}
	assert_int_equal(seen, there);
	for (i = 0; i < DESTS; i++) {
		if (model_time(m, dests[i]) == 0)
			continue;
		assert_int_equal(queue_next_dest(t, a, dest, &dest, &time), 1);
		assert_true(bytes_eq(dest, bytes_str(dests[i])));
		assert_int_equal(time, model_time(m, dests[i]));
	}
	assert_int_equal(queue_next_dest(t, a, dest, &dest, &time), 0);
}

static void
test_any_order(void **state)
{
	struct fixture *f = *state;
	struct model m = { .random = 1, .next_id = 1000 };
	struct queue_txn *t = queue_begin(f->q, true);

	for (int i = 0; i < STEPS; i++) {
		model_step(&m, t, &f->a);
		model_check(&m, t, &f->a);
		arena_reset(&f->a);
	}
	for (size_t i = 0; i < (size_t)MESSAGES * RCPTS; i++) {
		if (m.rcpt[i / RCPTS][i % RCPTS].n != 0)
			model_end(&m, t, &f->a, i / RCPTS,
			    &m.rcpt[i / RCPTS][i % RCPTS]);
	}
	assert_int_equal(queue_commit(t, true), 0);
	ASSERT_COUNTS(f, 0, 0, 0, 0, 0);
}

/* Write a queue as it was before there was a table for the fresh. */
static void
put_old(struct fixture *f, const struct queue_message *m,
    const struct queue_rcpt *r)
{
	struct buf b = BUF_INIT(65536), due = BUF_INIT(KV_KEY_MAX);
	const char *old[COUNT(tables)];
	unsigned char id[8], key[16], numbers[24];
	struct kv_txn *t;
	struct kv *kv;

	memcpy(old, tables, sizeof(old));
	old[FRESH] = NULL;
	queue_close(f->q);
	run((const char *const[]){ "rm", arena_printf(&f->a,
	    "%s/db/data.mdb", f->dir), NULL });
	kv = kv_open(arena_printf(&f->a, "%s/db", f->dir), 1 << 30, old);
	assert_non_null(kv);
	t = kv_begin(kv, true);
	be64_put(id, m->id);
	assert_int_equal(queue_message_format(&b, m), 0);
	assert_int_equal(kv_put(t, MESSAGE, bytes_of(id, 8), buf_bytes(&b)),
	    0);
	be64_put(key, r->id);
	be64_put(key + 8, r->n);
	buf_reset(&b);
	assert_int_equal(queue_rcpt_format(&b, r), 0);
	assert_int_equal(kv_put(t, RCPT, bytes_of(key, 16), buf_bytes(&b)), 0);
	be64_put(numbers, (uint64_t)r->next);
	memcpy(numbers + 8, key, 16);
	buf_add(&due, r->dest);
	buf_addc(&due, '\0');
	buf_add(&due, bytes_of(numbers, 24));
	assert_int_equal(kv_put(t, DUE, buf_bytes(&due), BYTES_EMPTY), 0);
	assert_int_equal(kv_commit(t, true), 0);
	kv_close(kv);
	buf_free(&b);
	buf_free(&due);
	f->q = queue_open(f->dir);
	assert_non_null(f->q);
}

static void
test_older(void **state)
{
	struct fixture *f = *state;
	struct queue_message m = message("alice");
	struct queue_rcpt r = rcpt("a@one.example", "one.example");
	struct queue_txn *t;
	struct queue_job job;
	bool last = false;

	m.id = r.id = 77;
	m.left = r.n = 1;
	put_old(f, &m, &r);
	t = queue_begin(f->q, true);
	assert_int_equal(queue_take(t, &f->a, S("one.example"), NOW, 10,
	    &job), 1);
	assert_int_equal(queue_start(t, &job, NOW, 5), 0);
	assert_int_equal(queue_take(t, &f->a, S("one.example"), NOW, 10,
	    &job), 0);
	assert_int_equal(queue_commit(t, true), 0);
	ASSERT_COUNTS(f, 1, 1, 1, 0, 0);
	attempt(f, 77, 1, QUEUE_DELAYED);
	ASSERT_COUNTS(f, 1, 1, 1, 1, 0);
	end_one(f, 77, 1, NOW + 1, &last);
	assert_true(last);
	ASSERT_COUNTS(f, 0, 0, 0, 2, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "what is new stands apart until it waits", test_fresh,
		    setup, teardown, NULL },
		{ "what is held does not stand there", test_fresh_held,
		    setup, teardown, NULL },
		{ "nothing is lost or left in any order of changes",
		    test_any_order, setup, teardown, NULL },
		{ "a queue from before that is read and emptied", test_older,
		    setup, teardown, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
