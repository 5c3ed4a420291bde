/* Tests of lib/dnsbl on tables of zones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dnsbl/dnsbl.h"
#include "dnsbl/internal.h"
#include "trace/trace.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HOUR ((int64_t)3600 * 1000)

static struct arena arena;

/* Names below the zones, in the order of RFC 5782: A records between blanks,
 * or TEMP; TXT records between "|". "*" is every name of the zone. */
static const struct {
	const char *name, *a, *txt;
} records[] = {
	{ "2.0.0.127.good.example", "127.0.0.2", NULL },
	{ "9.2.0.192.good.example", "127.0.0.4", "sends spam" },
	{ "8.2.0.192.good.example", "127.0.0.3 127.0.0.2", "one|two" },
	{ "7.2.0.192.good.example", "127.0.0.2", NULL },
	{ "6.2.0.192.good.example", "127.0.0.2", "a\"b\\c\r\nd\xc3\xa4" },
	{ "5.2.0.192.good.example", "192.0.2.7", "parked" },
	{ "4.2.0.192.good.example", "127.255.255.254", "too many queries" },
	{ "3.2.0.192.good.example", "TEMP", NULL },
	{ "2.2.0.192.good.example", "127.255.255.254 127.0.0.9", "both" },
	{ "*.all.example", "127.0.0.2", "everything" },
	{ "9.2.0.192.nothing.example", "127.0.0.2", "but not its own" },
	{ "9.2.0.192.late.example", "127.0.0.2", "its tests get no answer" },
	{ "1.0.0.127.late.example", "TEMP", NULL },
	{ "2.0.0.127.late.example", "TEMP", NULL },
	{ "*.dead.example", "TEMP", NULL },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
	    "good.example", "127.0.0.2", "no test entries of IPv6" },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
	    "six.example", "127.0.0.2", "six" },
	{ "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
	    "six.example", "127.0.0.2", NULL },
};
static char asked[4096];	/* names, each followed by a blank */

static bool
is_name(const char *pattern, struct bytes name)
{
	if (pattern[0] == '*')
		return bytes_ends(name, bytes_str(pattern + 1));
	return dns_name_eq(bytes_str(pattern), name);
}

static void
add_values(struct arena *a, enum dns_type type, const char *values,
    struct dns_answer *out)
{
	struct dns_record *r = arena_zalloc(a, 8, sizeof(*r));
	struct bytes rest = bytes_str(values), value;
	bool more = true;

	out->records = r;
	out->status = DNS_OK;
	while (more) {
		more = bytes_split(&rest, type == DNS_A ? ' ' : '|', &value);
		r->type = type;
		r->name = BYTES_EMPTY;
		r->data = value;
		if (type == DNS_A)
			assert_int_equal(ip_parse(value, &r->ip), 0);
		r++;
		out->nrecords++;
	}
}

static int
answer(void *ctx, struct arena *a, enum dns_type type, struct bytes name,
    struct dns_answer *out)
{
	size_t n = strlen(asked);
	const char *values;

	(void)ctx;
	assert_true(type == DNS_A || type == DNS_TXT);
	(void)snprintf(asked + n, sizeof(asked) - n, "%s%.*s ",
	    type == DNS_A ? "" : "TXT:", BYTES_ARG(name));
	*out = (struct dns_answer){ .name = name, .why = "no such name",
	    .status = DNS_NXDOMAIN, .authentic = true };
	for (size_t i = 0; i < COUNT(records); i++) {
		if (!is_name(records[i].name, name))
			continue;
		values = type == DNS_A ? records[i].a : records[i].txt;
		if (values == NULL) {
			out->status = DNS_NODATA;
		} else if (values[0] == 'T') {
			out->status = DNS_TEMP;
			out->why = "server failure";
		} else {
			add_values(a, type, values, out);
		}
		return 1;
	}
	return 1;
}

static struct dns *
resolver(void)
{
	struct dns_options o = { .source = { answer, NULL } };

	asked[0] = '\0';
	return dns_new(&o);
}

/* ip in zones, between blanks. */
static struct dnsbl
ask(const char *ip, const char *zones, struct dnsbl_health *health)
{
	struct bytes list[DNSBL_ZONES_MAX + 1], rest, zone;
	struct dnsbl_options o = { .zones = list, .health = health };
	struct dns *d = resolver();
	struct dnsbl r;
	struct ip address = { 0 };

	rest = arena_bytes(&arena, bytes_str(zones));
	while (bytes_word(&rest, &zone))
		list[o.nzones++] = zone;
	if (ip[0] != '\0')
		assert_int_equal(ip_parse(bytes_str(ip), &address), 0);
	dnsbl_check(d, &arena, &o, &address, &r);
	dns_free(d);
	return r;
}

/* Result of all; of the last zone asked its line. */
static void
test_results(void **state)
{
	static const struct {
		const char *ip, *zones;
		enum dnsbl_result result;
		size_t answers;
		const char *line;
	} rows[] = {
		{ "192.0.2.1", "good.example", DNSBL_PASS, 1,
		    "pass\t192.0.2.1\tgood.example\t-\t-" },
		{ "192.0.2.9", "good.example", DNSBL_FAIL, 1,
		    "fail\t192.0.2.9\tgood.example\t127.0.0.4\tsends spam" },
		{ "192.0.2.8", "good.example", DNSBL_FAIL, 1,
		    "fail\t192.0.2.8\tgood.example\t127.0.0.2\tone; two" },
		{ "192.0.2.7", "good.example", DNSBL_FAIL, 1,
		    "fail\t192.0.2.7\tgood.example\t127.0.0.2\t-" },
		{ "192.0.2.6", "good.example", DNSBL_FAIL, 1,
		    "fail\t192.0.2.6\tgood.example\t127.0.0.2\t"
		    "a\"b\\c??d??" },
		{ "192.0.2.5", "good.example", DNSBL_TEMPERROR, 1,
		    "temperror\t192.0.2.5\tgood.example\t-\t"
		    "the answer is outside 127.0.0.0/8" },
		{ "192.0.2.4", "good.example", DNSBL_TEMPERROR, 1,
		    "temperror\t192.0.2.4\tgood.example\t-\t"
		    "the zone refuses to answer us" },
		{ "192.0.2.3", "good.example", DNSBL_TEMPERROR, 1,
		    "temperror\t192.0.2.3\tgood.example\t-\tserver failure" },
		{ "192.0.2.2", "good.example", DNSBL_FAIL, 1,
		    "fail\t192.0.2.2\tgood.example\t127.0.0.9\tboth" },
		{ "192.0.2.1", "all.example", DNSBL_POLICY, 1,
		    "policy\t192.0.2.1\tall.example\t127.0.0.2\t"
		    "the zone lists everything" },
		{ "192.0.2.9", "nothing.example", DNSBL_POLICY, 1,
		    "policy\t192.0.2.9\tnothing.example\t127.0.0.2\t"
		    "the zone lists nothing it must" },
		{ "192.0.2.9", "late.example", DNSBL_FAIL, 1,
		    "fail\t192.0.2.9\tlate.example\t127.0.0.2\t"
		    "its tests get no answer" },
		{ "2001:db8::1", "six.example", DNSBL_FAIL, 1,
		    "fail\t2001:db8::1\tsix.example\t127.0.0.2\tsix" },
		{ "2001:db8::1", "good.example", DNSBL_POLICY, 1,
		    "policy\t2001:db8::1\tgood.example\t127.0.0.2\t"
		    "the zone lists nothing it must" },
		{ "2001:db8::2", "six.example", DNSBL_PASS, 1,
		    "pass\t2001:db8::2\tsix.example\t-\t-" },
		/* a mapped address is an IPv4 one */
		{ "::ffff:192.0.2.9", "good.example", DNSBL_FAIL, 1,
		    "fail\t192.0.2.9\tgood.example\t127.0.0.4\tsends spam" },
		/* the first that lists ends it, one that fails does not */
		{ "192.0.2.9", "dead.example all.example good.example "
		    "late.example", DNSBL_FAIL, 3,
		    "fail\t192.0.2.9\tgood.example\t127.0.0.4\tsends spam" },
		{ "192.0.2.1", "dead.example good.example", DNSBL_PASS, 2,
		    "pass\t192.0.2.1\tgood.example\t-\t-" },
		{ "192.0.2.1", "good.example dead.example", DNSBL_PASS, 2,
		    "temperror\t192.0.2.1\tdead.example\t-\tserver failure" },
		{ "192.0.2.1", "all.example dead.example", DNSBL_TEMPERROR, 2,
		    "temperror\t192.0.2.1\tdead.example\t-\tserver failure" },
		{ "192.0.2.1", "", DNSBL_NONE, 0, NULL },
		{ "", "good.example", DNSBL_NONE, 0, NULL },
	};
	struct buf b = BUF_INIT(2000);
	struct dnsbl r;
	struct ip ip;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		r = ask(rows[i].ip, rows[i].zones, NULL);
		assert_int_equal(r.result, rows[i].result);
		assert_int_equal(r.nanswers, rows[i].answers);
		if (rows[i].line == NULL)
			continue;
		assert_int_equal(ip_parse(bytes_str(rows[i].ip), &ip), 0);
		buf_reset(&b);
		assert_int_equal(dnsbl_format_line(&b, &ip,
		    &r.answers[r.nanswers - 1]), 0);
		assert_int_equal(buf_addc(&b, 0), 0);
		assert_string_equal((const char *)b.p, rows[i].line);
	}
	buf_free(&b);
	arena_reset(&arena);
}

/* One look-up for a client that is not listed, three more for one that is:
 * TXT and the two tests; none behind the first zone that lists. */
static void
test_asked(void **state)
{
	(void)state;
	(void)ask("192.0.2.1", "good.example six.example", NULL);
	assert_string_equal(asked, "1.2.0.192.good.example "
	    "1.2.0.192.six.example ");
	(void)ask("192.0.2.9", "good.example six.example", NULL);
	assert_string_equal(asked, "9.2.0.192.good.example "
	    "TXT:9.2.0.192.good.example 1.0.0.127.good.example "
	    "2.0.0.127.good.example ");
	arena_reset(&arena);
}

static void
test_health(void **state)
{
	static const struct {
		const char *zone;
		int family;
		enum dnsbl_state state;
	} rows[] = {
		{ "good.example", AF_INET, DNSBL_HEALTHY },
		{ "good.example", AF_INET6, DNSBL_LISTS_NOTHING },
		{ "six.example", AF_INET6, DNSBL_HEALTHY },
		{ "six.example", AF_INET, DNSBL_LISTS_NOTHING },
		{ "all.example", AF_INET, DNSBL_LISTS_ALL },
		{ "all.example", AF_INET6, DNSBL_LISTS_ALL },
		{ "nothing.example", AF_INET, DNSBL_LISTS_NOTHING },
		{ "late.example", AF_INET, DNSBL_UNKNOWN },
		{ "dead.example", AF_INET6, DNSBL_UNKNOWN },
	};
	struct dns *d;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		d = resolver();
		assert_int_equal(dnsbl_zone_state(d, &arena,
		    bytes_str(rows[i].zone), rows[i].family, 0),
		    rows[i].state);
		dns_free(d);
	}
	arena_reset(&arena);
}

/* Remembered by all processes, by zone and family, for four hours. */
static void
test_memory(void **state)
{
	struct dnsbl_health *h = dnsbl_health_new();
	struct bytes zone = BYTES("good.example");
	int64_t now = time_mono_ms();
	enum dnsbl_state got;
	int status;
	pid_t pid;

	(void)state;
	assert_non_null(h);
	pid = fork();
	if (pid == 0)
		_exit((int)ask("192.0.2.9", "good.example", h).result);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) &&
	    WEXITSTATUS(status) == (int)DNSBL_FAIL);
	/* what the other process found out is not asked for again */
	assert_int_equal(ask("192.0.2.9", "Good.Example", h).result,
	    DNSBL_FAIL);
	assert_string_equal(asked, "9.2.0.192.good.example "
	    "TXT:9.2.0.192.good.example ");
	assert_false(dnsbl_health_get(h, zone, AF_INET6, now, &got));
	assert_false(dnsbl_health_get(h, BYTES("other"), AF_INET, now,
	    &got));
	dnsbl_health_put(h, zone, AF_INET, now, DNSBL_LISTS_ALL);
	assert_true(dnsbl_health_get(h, zone, AF_INET, now + 4 * HOUR - 1,
	    &got));
	assert_int_equal(got, DNSBL_LISTS_ALL);
	assert_false(dnsbl_health_get(h, zone, AF_INET, now + 4 * HOUR,
	    &got));
	assert_int_equal(ask("192.0.2.9", "good.example", h).result,
	    DNSBL_POLICY);
	/* silence is not remembered */
	assert_int_equal(ask("192.0.2.9", "late.example", h).result,
	    DNSBL_FAIL);
	assert_false(dnsbl_health_get(h, BYTES("late.example"), AF_INET,
	    now, &got));
	arena_reset(&arena);
}

/* A full memory forgets nothing and takes nothing more. */
static void
test_memory_limit(void **state)
{
	struct dnsbl_health *h = dnsbl_health_new();
	enum dnsbl_state got;
	char zone[24];

	(void)state;
	for (int i = 0; i <= DNSBL_HEALTH_SLOTS; i++) {
		(void)snprintf(zone, sizeof(zone), "z%d.example", i);
		dnsbl_health_put(h, bytes_str(zone), AF_INET, 1000,
		    DNSBL_HEALTHY);
		assert_int_equal(dnsbl_health_get(h, bytes_str(zone),
		    AF_INET, 1000, &got), i < DNSBL_HEALTH_SLOTS);
	}
	assert_true(dnsbl_health_get(h, BYTES("z0.example"), AF_INET, 1000,
	    &got));
}

static void
test_limits(void **state)
{
	struct buf zones = BUF_INIT(2000);
	struct dns_record long_text = { .type = DNS_TXT };
	struct dns_answer txt = { .records = &long_text, .nrecords = 1,
	    .status = DNS_OK };
	char name[DNS_NAME_MAX + 2];
	struct bytes out;
	struct ip ip;

	(void)state;
	for (int i = 1; i <= DNSBL_ZONES_MAX + 1; i++) {
		assert_int_equal(buf_adds(&zones, "good.example "), 0);
		assert_int_equal(buf_addc(&zones, 0), 0);
		zones.n--;
		assert_int_equal(ask("192.0.2.1", (const char *)zones.p,
		    NULL).nanswers, i < DNSBL_ZONES_MAX ? i : DNSBL_ZONES_MAX);
	}
	/* 245 and "1.2.0.192." make 255 */
	memset(name, 'a', sizeof(name));
	for (int i = 50; i < DNS_NAME_MAX; i += 50)
		name[i] = '.';
	assert_int_equal(ip_parse(BYTES("192.0.2.1"), &ip), 0);
	assert_int_equal(dnsbl_name(&arena, &ip, bytes_of(name, 243), &out),
	    0);
	assert_int_equal(out.n, DNS_NAME_MAX);
	assert_int_equal(dnsbl_name(&arena, &ip, bytes_of(name, 244), &out),
	    -1);
	buf_reset(&zones);
	for (size_t n = 1; n <= DNSBL_TEXT_MAX + 1; n++) {
		assert_int_equal(buf_addc(&zones, 'x'), 0);
		long_text.data = buf_bytes(&zones);
		assert_int_equal(dnsbl_text(&arena, &txt).n,
		    n < DNSBL_TEXT_MAX ? n : DNSBL_TEXT_MAX);
	}
	buf_free(&zones);
	arena_reset(&arena);
}

/* A server that never answers: each zone has its time, all have theirs. */
static void
test_time(void **state)
{
	const struct bytes zones[2] = { BYTES("one"), BYTES("two") };
	struct dnsbl_options o = { .zones = zones, .nzones = 2,
	    .zone_ms = 100 };
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sin);
	struct dns_options options = { .nservers = 1 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int64_t start, deadline;
	struct dnsbl r;
	struct dns *d;
	struct ip ip;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &n), 0);
	ip_from_sockaddr((struct sockaddr *)&sin, &options.servers[0].ip,
	    &options.servers[0].port);
	d = dns_new(&options);
	assert_int_equal(ip_parse(BYTES("192.0.2.1"), &ip), 0);
	start = time_mono_ms();
	dnsbl_check(d, &arena, &o, &ip, &r);
	assert_in_range(time_mono_ms() - start, 200, 2000);
	assert_int_equal(r.result, DNSBL_TEMPERROR);
	assert_int_equal(r.nanswers, 2);
	assert_int_equal(dns_set_deadline(d, DEADLINE_NONE), DEADLINE_NONE);
	/* the job's deadline comes first, and stands afterwards */
	o.zone_ms = 60000;
	deadline = deadline_in(100);
	(void)dns_set_deadline(d, deadline);
	dnsbl_check(d, &arena, &o, &ip, &r);
	assert_in_range(time_mono_ms() - start, 300, 5000);
	assert_int_equal(r.result, DNSBL_TEMPERROR);
	assert_int_equal(dns_set_deadline(d, DEADLINE_NONE), deadline);
	dns_free(d);
	(void)close(fd);
	arena_reset(&arena);
}

static void
assert_resinfo(const char *ip, const char *zones, const char *want)
{
	struct dnsbl r = ask(ip, zones, NULL);
	struct buf b = BUF_INIT(2000);
	struct trace_resinfo parsed;
	struct bytes text;

	assert_int_equal(dnsbl_format_resinfo(&b, &r), 0);
	assert_int_equal(trace_resinfo_parse(&arena, buf_bytes(&b),
	    &parsed), 0);
	if (r.result == DNSBL_FAIL && trace_resinfo_get(&parsed, "policy",
	    "txt", &text))
		assert_true(bytes_eq(text, r.answers[r.nanswers - 1].text));
	assert_int_equal(buf_addc(&b, 0), 0);
	assert_string_equal((const char *)b.p, want);
	buf_free(&b);
	arena_reset(&arena);
}

static void
test_resinfo(void **state)
{
	(void)state;
	assert_resinfo("192.0.2.1", "good.example", "dnsbl=pass");
	assert_resinfo("192.0.2.1", "", "dnsbl=none");
	assert_resinfo("192.0.2.9", "good.example", "dnsbl=fail "
	    "dns.zone=good.example policy.ip=127.0.0.4 dns.sec=yes "
	    "policy.txt=\"sends spam\"");
	assert_resinfo("192.0.2.7", "good.example", "dnsbl=fail "
	    "dns.zone=good.example policy.ip=127.0.0.2 dns.sec=yes");
	assert_resinfo("192.0.2.6", "good.example", "dnsbl=fail "
	    "dns.zone=good.example policy.ip=127.0.0.2 dns.sec=yes "
	    "policy.txt=\"a\\\"b\\\\c??d??\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name, fn) { name, fn, NULL, NULL, NULL }
		T("A-10 J-18 listed or not, in the order of the zones",
		    test_results),
		T("J-18 what is asked, one zone after the other",
		    test_asked),
		T("A-10 health: 127.0.0.1 absent, 127.0.0.2 present",
		    test_health),
		T("A-10 health is remembered for four hours, by all "
		    "processes", test_memory),
		T("A-10 zones remembered: at the limit and past it",
		    test_memory_limit),
		T("A-10 zones asked, length of names and explanations: at "
		    "their limits and past them", test_limits),
		T("J-18 a zone's time, and that of all", test_time),
		T("A-10 resinfo, and read back", test_resinfo),
	};

	(void)unsetenv("PIPEMAIL_DNS");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dnsbl", tests, NULL, NULL);
}
