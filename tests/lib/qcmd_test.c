/*
 * qcmd_test.c - times, patterns and filters of the queue's commands
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "qcmd/qcmd.h"

#define NOW 1795219200		/* 2026-11-21T00:00:00Z */

static void
test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t want;	/* -1: refused */
	} rows[] = {
		{ "now", NOW }, { "+1m", NOW + 60 }, { "-2h", NOW - 7200 },
		{ "+90", NOW + 90 }, { "-1d", NOW - 86400 },
		{ "@0", 0 }, { "@1795219200", NOW }, { "1970-01-01", 0 },
		{ "2026-11-21", NOW }, { "2026-11-21T00:01", NOW + 60 },
		{ "2026-11-21T00:01:02", NOW + 62 },
		{ "2026-11-21T00:01:02Z", NOW + 62 },
		{ "9999-12-31T23:59:60", 253402300800 },
		{ "@253402300799", 253402300799 }, { "@253402300800", -1 },
		{ "@9223372036854775806", -1 },
		{ "", -1 }, { "soon", -1 }, { "+", -1 }, { "-", -1 },
		{ "@", -1 }, { "@-1", -1 }, { "@x", -1 }, { "+1y", -1 },
		{ "2026-13-01", -1 }, { "2026-00-01", -1 },
		{ "2026-11-32", -1 }, { "2026-11-21T", -1 },
		{ "2026-11-21T24:00", -1 }, { "2026-11-21T00:60", -1 },
		{ "2026-11-21T00:00:61", -1 }, { "2026-11-21Z", -1 },
		{ "2026-11-21T00:00:00Zx", -1 }, { "1969-12-31", -1 },
		{ "+36600d", NOW + (int64_t)36600 * 86400 },
		{ "+36601d", -1 },
	};
	int64_t got;
	int r;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		got = -1;
		errno = 0;
		r = qcmd_time_parse(bytes_str(rows[i].text), NOW, &got);
		if (got != rows[i].want || (r == -1) != (rows[i].want == -1))
			fail_msg("%s: %lld", rows[i].text, (long long)got);
		if (r == -1)
			assert_int_equal(errno, EBADMSG);
	}
}

static void
test_ranges(void **state)
{
	struct qcmd_times t = { 1, 2 };

	(void)state;
	assert_int_equal(qcmd_times_parse(BYTES(".."), NOW, &t), -1);
	assert_int_equal(qcmd_times_parse(BYTES("now"), NOW, &t), -1);
	assert_int_equal(qcmd_times_parse(BYTES("x..now"), NOW, &t), -1);
	assert_int_equal(t.from + t.to, 3);
	assert_int_equal(qcmd_times_parse(BYTES("-1h.."), NOW, &t), 0);
	assert_true(t.from == NOW - 3600 && t.to == INT64_MAX);
	assert_int_equal(qcmd_times_parse(BYTES("..now"), NOW, &t), 0);
	assert_true(t.from == INT64_MIN && t.to == NOW);
	assert_int_equal(qcmd_times_parse(BYTES("@1..@2"), NOW, &t), 0);
	assert_true(t.from == 1 && t.to == 2);
}

static void
test_patterns(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} rows[] = {
		{ "", "", true }, { "", "a", false }, { "*", "", true },
		{ "*", "abc", true }, { "?", "", false }, { "?", "a", true },
		{ "a*", "a", true }, { "a*b", "ab", true },
		{ "a*b", "axxb", true }, { "a*b", "axxbc", false },
		{ "*@dead.example", "x@DEAD.example", true },
		{ "*@dead.example", "x@dead.example.org", false },
		{ "*a*b*", "xxaxxbxx", true }, { "*ab", "aab", true },
		{ "a?c", "abc", true }, { "a?c", "ac", false },
		{ "**", "x", true }, { "a**b", "ab", true },
		{ "*aab", "aaaab", true }, { "a", "b", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (qcmd_glob(bytes_str(rows[i].pattern),
		    bytes_str(rows[i].text)) != rows[i].want)
			fail_msg("%s %s", rows[i].pattern, rows[i].text);
	}
}

static void
test_options(void **state)
{
	struct qcmd_filter f;
	const char *why = NULL;

	(void)state;
	qcmd_filter_init(&f);
	assert_int_equal(qcmd_filter_option(&f, 'A', NULL, NOW, &why), 0);
	assert_int_equal(qcmd_filter_option(&f, 'N', "1", NOW, &why), 0);
	assert_int_equal(qcmd_filter_option(&f, 'S', "-to", NOW, &why), 0);
	assert_false(f.given);	/* none of these chooses */
	assert_true(f.all && f.max == 1 && f.reverse);
	assert_int_equal(f.sort, QCMD_BY_TO);
	assert_int_equal(qcmd_filter_option(&f, 'H', "no", NOW, &why), 0);
	assert_true(f.given && f.held == 0);
	assert_int_equal(qcmd_filter_option(&f, 'H', "x", NOW, &why), -1);
	assert_int_equal(qcmd_filter_option(&f, 'a', "", NOW, &why), -1);
	assert_int_equal(qcmd_filter_option(&f, 'N', "0", NOW, &why), -1);
	assert_int_equal(qcmd_filter_option(&f, 'q', "", NOW, &why), -1);
	assert_string_equal(why, "no such option");
}

static void
test_matches(void **state)
{
	struct queue_message m;
	struct queue_rcpt r;
	struct qcmd_filter f;

	(void)state;
	(void)queue_message_parse(BYTES_EMPTY, &m);
	(void)queue_rcpt_parse(BYTES_EMPTY, &r);
	m.sender = BYTES("a@own.example");
	r.sender = BYTES("a+id@own.example");
	r.address = BYTES("x@one.example");
	r.dest = BYTES("transport:hub");
	r.next = NOW;
	qcmd_filter_init(&f);
	assert_true(qcmd_matches(&f, &m, &r));
	f.from = "a@*";		/* the message's or the recipient's own */
	assert_true(qcmd_matches(&f, &m, &r));
	f.from = "a+*";
	assert_true(qcmd_matches(&f, &m, &r));
	f.from = "<>";
	assert_false(qcmd_matches(&f, &m, &r));
	f.from = NULL;
	f.transport = "hub";
	assert_true(qcmd_matches(&f, &m, &r));
	f.transport = "direct";
	assert_false(qcmd_matches(&f, &m, &r));
	f.transport = NULL;
	f.next = (struct qcmd_times){ NOW, NOW };
	assert_true(qcmd_matches(&f, &m, &r));
	f.next = (struct qcmd_times){ NOW + 1, INT64_MAX };
	assert_false(qcmd_matches(&f, &m, &r));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_matches),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
