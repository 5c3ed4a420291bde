/* queue_damage_test.c - a record that cannot be read stops nobody else */
#include <errno.h>

#include "queue/internal.h"
#include "queue_fixture.h"

#define DEST "one.example"

/* The first recipient's record, the message's, or the places there are. */
enum damage { NO_RCPT, BAD_RCPT, NO_MESSAGE, BAD_MESSAGE, OTHER_TIME,
    STRANGER };

static const struct {
	enum damage what;
	bool fresh;
	size_t taken;		/* recipients of the damaged message */
} damages[] = {
	{ NO_RCPT, true, 1 }, { NO_RCPT, false, 1 },
	{ BAD_RCPT, true, 1 }, { BAD_RCPT, false, 1 },
	{ NO_MESSAGE, true, 0 }, { NO_MESSAGE, false, 0 },
	{ BAD_MESSAGE, true, 0 }, { BAD_MESSAGE, false, 0 },
	{ OTHER_TIME, true, 1 }, { STRANGER, true, 2 },
};

static uint64_t
put_two(struct fixture *f, int64_t next, bool fresh)
{
	struct queue_message m = message("alice");
	struct queue_rcpt r[2] = { rcpt("a@one.example", DEST),
	    rcpt("b@one.example", DEST) };

	for (size_t i = 0; i < 2; i++) {
		r[i].next = next;
		r[i].result.outcome = fresh ? 0 : QUEUE_DELAYED;
	}
	return put(f, &m, r, 2);
}

static void
do_damage(struct fixture *f, uint64_t id, enum damage what, bool fresh)
{
	struct queue_txn *t = queue_begin(f->q, true);
	unsigned char key[KEY_RCPT], due[64];
	struct bytes rcpt_key = bytes_of(key, KEY_RCPT);
	struct bytes message_key = bytes_of(key, 8);
	size_t n = sizeof(DEST);

	queue_key(key, id, 1);
	memcpy(due, DEST, n);
	be64_put(due + n, NOW - 50);
	be64_put(due + n + 8, what == STRANGER ? id + 1 : id);
	be64_put(due + n + 16, 1);
	switch (what) {
	case NO_RCPT:
		assert_int_equal(queue_place_delete(t, TABLE_RCPT, rcpt_key,
		    fresh), 0);
		break;
	case BAD_RCPT:
		assert_int_equal(queue_place_put(t, TABLE_RCPT, rcpt_key,
		    S("\377\377"), fresh), 0);
		break;
	case NO_MESSAGE:
		assert_int_equal(queue_place_delete(t, TABLE_MESSAGE,
		    message_key, fresh), 0);
		break;
	case BAD_MESSAGE:
		assert_int_equal(queue_place_put(t, TABLE_MESSAGE,
		    message_key, S("\377\377"), fresh), 0);
		break;
	default:
		assert_int_equal(queue_place_put(t, TABLE_DUE,
		    bytes_of(due, n + 24), BYTES_EMPTY, fresh), 0);
	}
	assert_int_equal(queue_commit(t, true), 0);
}

/* Take all there is, as queue-run does. */
static void
take_all(struct fixture *f, uint64_t bad, size_t *of_bad, size_t *of_good,
    size_t *damaged)
{
	struct queue_txn *t = queue_begin(f->q, true);
	struct queue_job job;
	int got, rounds = 0;

	*of_bad = *of_good = *damaged = 0;
	do {
		got = queue_take(t, &f->a, S(DEST), NOW, 100, &job);
		assert_int_not_equal(got, -1);
		*damaged += job.damaged;
		if (got == 1) {
			assert_true(job.count > 0);
			*(job.message.id == bad ? of_bad : of_good) +=
			    job.count;
			assert_int_equal(queue_start(t, &job, NOW, 5), 0);
		}
		assert_true(++rounds < 10);
	} while (got == 1);
	assert_int_equal(queue_commit(t, true), 0);
}

static void
test_take(void **state)
{
	struct fixture *f = *state;
	size_t bad, good, damaged;
	uint64_t id;

	for (size_t i = 0; i < COUNT(damages); i++) {
		id = put_two(f, NOW - 100, damages[i].fresh);
		(void)put_two(f, NOW - 10, damages[i].fresh);
		do_damage(f, id, damages[i].what, damages[i].fresh);
		take_all(f, id, &bad, &good, &damaged);
		assert_int_equal(good, 2);
		/* at another time than its own it is found by its own */
		assert_int_equal(bad, damages[i].what == OTHER_TIME ? 2
		    : damages[i].taken);
		assert_int_equal(damaged, damages[i].what == NO_MESSAGE ||
		    damages[i].what == BAD_MESSAGE ? 2 : 1);
		/* and that was that */
		take_all(f, id, &bad, &good, &damaged);
		assert_int_equal(bad + good + damaged, 0);
	}
}

/* What is listed: those that can be read, and where the other one is. */
static void
test_list(void **state)
{
	struct fixture *f = *state;
	uint64_t id = put_two(f, NOW, true);
	struct queue_txn *t;
	struct queue_rcpt r = { .id = 0 };

	do_damage(f, id, BAD_RCPT, true);
	t = queue_begin(f->q, false);
	assert_int_equal(queue_next_rcpt(t, &f->a, 0, 0, &r), -1);
	assert_int_equal(errno, EBADMSG);
	assert_true(r.id == id && r.n == 1);
	assert_int_equal(queue_next_rcpt(t, &f->a, r.id, r.n, &r), 1);
	assert_true(r.id == id && r.n == 2);
	assert_int_equal(queue_next_rcpt(t, &f->a, r.id, r.n, &r), 0);
	queue_abort(t);
}

static void
test_purge(void **state)
{
	struct fixture *f = *state;
	unsigned char key[KEY_RCPT];
	struct queue_retired r = { .ended = 0 };
	struct queue_txn *t;
	bool last = false;
	uint64_t id = put_two(f, NOW, true);

	end_one(f, id, 1, NOW + 10, &last);
	end_one(f, id, 2, NOW + 10, &last);
	t = queue_begin(f->q, true);
	queue_key(key, id, 1);
	assert_int_equal(kv_put(t->kv, TABLE_RETIRED, bytes_of(key, KEY_RCPT),
	    S("\377")), 0);
	assert_int_equal(queue_next_retired(t, &f->a, 0, 0, &r), -1);
	assert_int_equal(errno, EBADMSG);
	assert_true(r.rcpt.id == id && r.rcpt.n == 1);
	assert_int_equal(queue_next_retired(t, &f->a, id, 1, &r), 1);
	assert_int_equal(queue_purge(t, NOW + 11, 10), 2);
	assert_int_equal(queue_next_retired(t, &f->a, 0, 0, &r), 0);
	assert_int_equal(queue_commit(t, true), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "Q-2 damaged records keep nobody waiting", test_take,
		    setup, teardown, NULL },
		{ "Q-18 a listing goes on behind a damaged record",
		    test_list, setup, teardown, NULL },
		{ "Q-22 a damaged retired record is purged with the others",
		    test_purge, setup, teardown, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
