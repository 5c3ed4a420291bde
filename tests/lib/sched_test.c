/*
 * sched_test.c - which destination is served, and how dead ones wait
 */
#include "sched/sched.h"

#include <setjmp.h>

#include <cmocka.h>

#define NOW 1790000000
#define S(s) BYTES(s)

static bool
next_is(struct sched *s, int64_t now, const char *name)
{
	struct bytes dest;

	return sched_next(s, now, &dest) && bytes_eq(dest, bytes_str(name));
}

static void
test_order_and_limits(void **state)
{
	const struct sched_limits limits = { 2, 1 };
	struct sched *s = sched_new(&limits);
	struct bytes dest;

	(void)state;
	assert_int_equal(sched_wait_s(s, NOW), -1);
	sched_set(s, S("late"), NOW + 5);
	sched_set(s, S("first"), NOW - 2);
	sched_set(s, S("second"), NOW - 1);
	assert_true(next_is(s, NOW, "first"));
	assert_false(sched_begin(s, S("first")));
	assert_true(next_is(s, NOW, "second"));
	assert_false(sched_begin(s, S("second")));
	/* both connections are in use, then one is free */
	assert_false(sched_next(s, NOW + 9, &dest));
	sched_set(s, S("first"), SCHED_NEVER);
	sched_end(s, S("first"), false, NOW);
	assert_false(sched_next(s, NOW, &dest));
	assert_int_equal(sched_wait_s(s, NOW), 5);
	assert_true(next_is(s, NOW + 5, "late"));
	assert_int_equal(sched_count(s), 2);
	assert_int_equal(sched_busy(s), 1);
	sched_free(s);
}

static void
test_dead(void **state)
{
	const struct sched_limits limits = { 4, 2 };
	struct sched *s = sched_new(&limits);
	struct bytes dest;
	int64_t now = NOW, wait = SCHED_DEAD_S;

	(void)state;
	sched_set(s, S("dead"), NOW);
	assert_false(sched_begin(s, S("dead")));
	for (int i = 0; i < 10; i++) {
		sched_end(s, S("dead"), true, now);
		assert_false(sched_next(s, now + wait - 1, &dest));
		now += wait;
		assert_true(next_is(s, now, "dead"));
		/* its addresses are to be tried, whoever remembers them */
		assert_true(sched_begin(s, S("dead")));
		wait = wait * 2 < SCHED_DEAD_MAX_S ? wait * 2
		    : SCHED_DEAD_MAX_S;
	}
	sched_end(s, S("dead"), true, now);
	assert_false(sched_next(s, now + 1, &dest));
	sched_revive(s, S("dead"));
	assert_true(next_is(s, now + 1, "dead"));
	assert_true(sched_begin(s, S("dead")));
	sched_end(s, S("dead"), false, now);
	assert_false(sched_begin(s, S("dead")));
	sched_free(s);
}

static void
test_second_refused(void **state)
{
	const struct sched_limits limits = { 4, 2 };
	struct sched *s = sched_new(&limits);
	struct bytes dest;

	(void)state;
	sched_set(s, S("host"), NOW);
	assert_false(sched_begin(s, S("host")));
	assert_false(sched_end(s, S("host"), false, NOW));
	assert_false(sched_begin(s, S("host")));
	assert_true(next_is(s, NOW, "host"));
	assert_false(sched_begin(s, S("host")));
	/* the second reaches nobody while the first is open */
	assert_false(sched_end(s, S("host"), true, NOW));
	assert_false(sched_next(s, NOW, &dest));
	assert_false(sched_end(s, S("host"), false, NOW));
	assert_true(next_is(s, NOW, "host"));
	assert_false(sched_begin(s, S("host")));
	assert_false(sched_next(s, NOW, &dest));
	/* after a while two are tried again */
	assert_false(sched_end(s, S("host"), false, NOW + SCHED_DEAD_MAX_S));
	assert_false(sched_begin(s, S("host")));
	assert_true(next_is(s, NOW, "host"));
	/* the only one: dead it is */
	assert_true(sched_end(s, S("host"), true, NOW));
	sched_free(s);
}

static void
test_cancel(void **state)
{
	const struct sched_limits limits = { 4, 2 };
	struct sched *s = sched_new(&limits);
	struct bytes dest;

	(void)state;
	sched_set(s, S("dead"), NOW);
	assert_false(sched_begin(s, S("dead")));
	assert_true(sched_end(s, S("dead"), true, NOW));
	assert_true(sched_begin(s, S("dead")));
	/* nothing was tried: it is as dead as before, and still new */
	sched_cancel(s, S("dead"), true);
	assert_int_equal(sched_busy(s), 0);
	assert_false(sched_next(s, NOW + SCHED_DEAD_S - 1, &dest));
	assert_true(sched_begin(s, S("dead")));
	assert_true(sched_end(s, S("dead"), true, NOW));
	assert_false(sched_next(s, NOW + 2 * SCHED_DEAD_S - 1, &dest));
	sched_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "Q-3 the readiest destination, within the limits",
		    test_order_and_limits, NULL, NULL, NULL },
		{ "B-33 dead destinations wait longer each time, "
		    "or are revived",
		    test_dead, NULL, NULL, NULL },
		{ "B-33 who takes no second connection is not dead",
		    test_second_refused, NULL, NULL, NULL },
		{ "B-33 what was not tried says nothing", test_cancel, NULL,
		    NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
