/* time_test - clocks, deadlines, dates */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/base.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
test_deadlines(void **state)
{
	int64_t now = time_mono_ms();

	(void)state;
	assert_true(time_mono_ms() >= now);
	assert_true(time_wall_us() > INT64_C(1700000000) * 1000000);
	assert_int_equal(deadline_left(DEADLINE_NONE), -1);
	assert_int_equal(deadline_left(now), 0);
	assert_in_range(deadline_left(deadline_in(10000)), 1, 10000);
	assert_int_equal(deadline_left(deadline_in(-5)), 0);
	assert_int_equal(deadline_left(deadline_in(INT64_MAX)), -1);
	assert_int_equal(deadline_left(DEADLINE_NONE - 1), INT32_MAX);
}

static void
test_calendar(void **state)
{
	static const struct {
		int64_t unix_time;
		struct date d;
	} t[] = {
		{ 0, { 1970, 1, 1, 0, 0, 0, 4 } },
		{ -1, { 1969, 12, 31, 23, 59, 59, 3 } },
		{ 951782400, { 2000, 2, 29, 0, 0, 0, 2 } },
		{ 951868799, { 2000, 2, 29, 23, 59, 59, 2 } },
		{ 951868800, { 2000, 3, 1, 0, 0, 0, 3 } },
		{ -2203891200, { 1900, 3, 1, 0, 0, 0, 4 } },
		{ 4102444800, { 2100, 1, 1, 0, 0, 0, 5 } },
		{ 2147483648, { 2038, 1, 19, 3, 14, 8, 2 } },
		{ 253402300799, { 9999, 12, 31, 23, 59, 59, 5 } },
		{ -62167219200, { 0, 1, 1, 0, 0, 0, 6 } },
	};
	struct date d;
	int64_t day, before, s;
	size_t i;
	int weekday;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		d = date_from_unix(t[i].unix_time);
		assert_true(d.year == t[i].d.year);
		assert_int_equal(d.month, t[i].d.month);
		assert_int_equal(d.day, t[i].d.day);
		assert_int_equal(d.hour, t[i].d.hour);
		assert_int_equal(d.min, t[i].d.min);
		assert_int_equal(d.sec, t[i].d.sec);
		assert_int_equal(d.weekday, t[i].d.weekday);
		s = date_to_unix(d.year, d.month, d.day, d.hour, d.min, d.sec);
		assert_true(s == t[i].unix_time);
	}
	/* Every day of 800 years follows the one before it. */
	weekday = date_from_unix(-INT64_C(146097) * 86400).weekday;
	before = -INT64_C(146097) * 86400 - 86400;
	for (day = -146097; day < 146097; day++) {
		d = date_from_unix(day * 86400);
		assert_int_equal(d.weekday, weekday);
		s = date_to_unix(d.year, d.month, d.day, 0, 0, 0);
		assert_true(s == before + 86400);
		before = s;
		weekday = (weekday + 1) % 7;
	}
}

/* Each is written as YYYY MM DD hh mm ss of the local time and its zone. */
static void
test_date_forms(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
		int zone;
	} t[] = {
		{ "Fri, 20 Nov 2026 12:00:00 +0100", 1795172400, 60 },
		{ "Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360 },
		{ "fri, 21 nov 1997 09:55:06 -0600", 880127706, -360 },
		{ "21 Nov 1997 09:55:06 -0600", 880127706, -360 },
		{ "Fri,21 Nov 1997 09:55 -0600", 880127700, -360 },
		{ "1 Jan 1970 00:00:60 +0000", 60, 0 },
		{ "Thu,\r\n 13\r\n  Feb\r\n 1969\r\n 23:32\r\n"
		    "  -0330 (Newfoundland Time)", -27723480, -210 },
		{ "Thu,\n 13 Feb 1969 23:32 -0330\n", -27723480, -210 },
		/* RFC 5322 4.3 */
		{ "21 Nov 97 09:55:06 GMT", 880106106, 0 },
		{ "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600",
		    880127706, -360 },
		{ "(a (nested \\( one) \\)) Fri (b) , (c) 21 (d) Nov (e) 1997"
		    " (f) 09 : 55 : 06 (g) -0600 (h)", 880127706, -360 },
		{ "1 Jan 00 00:00:00 UT", 946684800, 0 },
		{ "1 Jan 49 00:00:00 GMT", 2493072000, 0 },
		{ "1 Jan 50 00:00:00 GMT", -631152000, 0 },
		{ "1 Jan 99 00:00:00 GMT", 915148800, 0 },
		{ "1 Jan 100 00:00:00 GMT", 946684800, 0 },
		{ "1 Jan 126 00:00:00 GMT", 1767225600, 0 },
		{ "1 Jan 2000 00:00:00 EST", 946702800, -300 },
		{ "1 Jan 2000 00:00:00 edt", 946699200, -240 },
		{ "1 Jan 2000 00:00:00 CST", 946706400, -360 },
		{ "1 Jan 2000 00:00:00 CDT", 946702800, -300 },
		{ "1 Jan 2000 00:00:00 MST", 946710000, -420 },
		{ "1 Jan 2000 00:00:00 MDT", 946706400, -360 },
		{ "1 Jan 2000 00:00:00 PST", 946713600, -480 },
		{ "1 Jan 2000 00:00:00 PDT", 946710000, -420 },
		{ "1 Jan 2000 00:00:00 Z", 946684800, 0 },
		{ "1 Jan 2000 00:00:00 a", 946684800, 0 },
		{ "1 Jan 2000 00:00:00 CEST", 946684800, 0 },
		{ "1 Jan 2000 00:00:00 -0000", 946684800, 0 },
		{ "1 Jan 2000 00:00:00 +9959", 946684800 - 5999 * 60, 5999 },
		{ "29 Feb 2000 00:00:00 +0000", 951782400, 0 },
		{ "1 Jan 1900 00:00:00 +0000", -2208988800, 0 },
	};
	int64_t s;
	size_t i;
	int zone;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		if (date_parse(bytes_str(t[i].text), &s, &zone) == -1)
			fail_msg("refused: %s", t[i].text);
		if (s != t[i].want)
			fail_msg("%s: got %lld", t[i].text, (long long)s);
		assert_int_equal(zone, t[i].zone);
	}
}

static void
test_date_refused(void **state)
{
	static const char *const t[] = {
		"", " ", "Fri", "Fri,", "today",
		"Fri 20 Nov 2026 12:00:00 +0100",
		"Fri Nov 20 12:00:00 2026",
		"Fry, 20 Nov 2026 12:00:00 +0100",
		"Friday, 20 Nov 2026 12:00:00 +0100",
		"20 Nov 2026 12:00:00",
		"20 Nov 2026 12 +0100",
		"20 Nov 2026 24:00:00 +0100",
		"20 Nov 2026 12:60:00 +0100",
		"20 Nov 2026 12:00:61 +0100",
		"20 Nov 2026 12:0:00 +0100",
		"20 Nov 2026 12:00:0 +0100",
		"0 Nov 2026 12:00:00 +0100",
		"31 Nov 2026 12:00:00 +0100",
		"29 Feb 2100 12:00:00 +0100",
		"123 Nov 2026 12:00:00 +0100",
		"20 Nox 2026 12:00:00 +0100",
		"20 November 2026 12:00:00 +0100",
		"20 11 2026 12:00:00 +0100",
		"20 Nov 6 12:00:00 +0100",
		"20 Nov 1899 12:00:00 +0100",
		"20 Nov 20260 12:00:00 +0100",
		"20 Nov 99999999999999999999 12:00:00 +0100",
		"20 Nov 2026 12:00:00 +010",
		"20 Nov 2026 12:00:00 +01000",
		"20 Nov 2026 12:00:00 +0160",
		"20 Nov 2026 12:00:00 + 0100",
		"20 Nov 2026 12:00:00 *0100",
		"20 Nov 2026 12:00:00 +0100 x",
		"20 Nov 2026 12:00:00 +0100 (open",
		"20 Nov 2026 12:00:00 +0100 (open\\",
		"20 Nov 2026 (fold\nwithout space) 12:00:00 +0100",
		"20 Nov 2026 12:00:00\r+0100",
	};
	int64_t s = 42;
	size_t i;
	int zone = 42;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		errno = 0;
		if (date_parse(bytes_str(t[i]), &s, &zone) != -1)
			fail_msg("accepted: %s", t[i]);
		assert_int_equal(errno, EBADMSG);
	}
	assert_true(s == 42 && zone == 42);
}

static void
test_date_format(void **state)
{
	static const int zones[] = { 0, 60, -210, 840, -720 };
	struct buf b = BUF_INIT(64);
	int64_t s, again;
	size_t i;
	int zone;

	(void)state;
	assert_int_equal(date_format(&b, 1795172400, 60), 0);
	assert_memory_equal(b.p, "Fri, 20 Nov 2026 12:00:00 +0100", 31);
	assert_int_equal(b.n, 31);
	for (s = -2000000000; s < INT64_C(5000000000); s += 123456789) {
		for (i = 0; i < COUNT(zones); i++) {
			buf_reset(&b);
			assert_int_equal(date_format(&b, s, zones[i]), 0);
			assert_int_equal(date_parse(buf_bytes(&b), &again,
			    &zone), 0);
			assert_true(again == s);
			assert_int_equal(zone, zones[i]);
		}
	}
	buf_free(&b);
	assert_int_equal(setenv("TZ", "Europe/Berlin", 1), 0);
	tzset();
	if (date_local_zone(0) == 60)	/* where zone data is installed */
		assert_int_equal(date_local_zone(1752000000), 120);
	assert_int_equal(setenv("TZ", "XYZ-03:30", 1), 0);
	tzset();
	assert_int_equal(date_local_zone(0), 210);
	assert_int_equal(date_month(BYTES("dEc")), 12);
	assert_int_equal(date_month(BYTES("Dece")), 0);
	assert_int_equal(date_month(BYTES("")), 0);
}

/*
 * The vectors of the shared data: {"header": "...", "expected": {...}|null}.
 * Only what the RFC has a form for is held against them.
 */
static bool
json_string(struct bytes *s, struct buf *out)
{
	size_t at;
	int c;

	buf_reset(out);
	if (!bytes_find(*s, BYTES("\"header\": \""), &at))
		return false;
	*s = bytes_from(*s, at + 11);
	while ((c = bytes_next(s)) != '"' && c != -1) {
		if (c == '\\') {
			c = bytes_next(s);
			c = c == 'n' ? '\n' : c == 'r' ? '\r' :
			    c == 't' ? '\t' : c;
		}
		assert_int_equal(buf_addc(out, c), 0);
	}
	return c == '"';
}

static int
json_number(struct bytes s, const char *name)
{
	struct bytes rest = s;
	uint64_t v = 0;
	size_t at;

	assert_true(bytes_find(rest, bytes_str(name), &at));
	rest = bytes_from(rest, at + strlen(name));
	assert_true(bytes_skip(&rest, BYTES("\": ")));
	if (bytes_starts(rest, BYTES("true")))
		return 1;
	if (bytes_starts(rest, BYTES("false")))
		return 0;
	assert_int_equal(num_cut(&rest, 9999, &v), 0);
	return (int)v;
}

static void
check_vector(struct bytes header, struct bytes e, unsigned int *agreed)
{
	int64_t want, s;
	int zone, got;

	if (date_parse(header, &s, &got) == -1)
		return;
	assert_false(bytes_starts(bytes_ltrim(e), BYTES("null")));
	zone = json_number(e, "tz_hour") * 60 + json_number(e, "tz_minute");
	if (json_number(e, "tz_before_gmt"))
		zone = -zone;
	want = date_to_unix(json_number(e, "year"), json_number(e, "month"),
	    json_number(e, "day"), json_number(e, "hour"),
	    json_number(e, "minute"), json_number(e, "second")) - zone * 60;
	assert_true(s == want);
	assert_int_equal(got, zone);
	(*agreed)++;
}

static void
test_date_vectors(void **state)
{
	const char *data = env_get("PIPEMAIL_TEST_DATA");
	struct buf file = BUF_INIT(1 << 20), header = BUF_INIT(4096);
	struct arena a = ARENA_INIT;
	unsigned int agreed = 0;
	struct bytes s;
	size_t at;

	(void)state;
	if (io_read_file(AT_FDCWD, arena_printf(&a, "%s/headers/date.json",
	    data == NULL ? "../shared/data" : data), &file) == -1) {
		print_message("# SKIP date vectors: no shared data\n");
		arena_free(&a);
		return;
	}
	s = buf_bytes(&file);
	while (json_string(&s, &header)) {
		assert_true(bytes_find(s, BYTES("\"expected\":"), &at));
		s = bytes_from(s, at + 11);
		check_vector(buf_bytes(&header), s, &agreed);
	}
	assert_in_range(agreed, 28, 40);
	buf_free(&file);
	buf_free(&header);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "deadlines", test_deadlines, NULL, NULL, NULL },
		{ "calendar both ways", test_calendar, NULL, NULL, NULL },
		{ "dates of RFC 5322 3.3 and 4.3", test_date_forms,
		    NULL, NULL, NULL },
		{ "what is no date is refused", test_date_refused,
		    NULL, NULL, NULL },
		{ "dates formatted are parsed back", test_date_format,
		    NULL, NULL, NULL },
		{ "shared date vectors", test_date_vectors, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
