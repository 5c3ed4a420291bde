/*
 * stage_test.c - stage lists, external filters, and the rule that the chain
 * in process and a pipeline of commands give the same bytes
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stage/stage.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "dns/dns.h"

#define S(text) { (const unsigned char *)(text), sizeof(text) - 1 }

static const struct dns_static table[] = {
	{ S("example.net"), DNS_TXT, S("v=spf1 ip4:192.0.2.1 -all") },
	{ S("1.2.0.192.in-addr.arpa"), DNS_PTR, S("mail.example.net") },
	{ S("mail.example.net"), DNS_A, S("192.0.2.1") },
	{ S("9.2.0.192.in-addr.arpa"), DNS_A, S("192.0.2.9") },
	{ S("empty.example"), DNS_A, S("192.0.2.9") },
};
static const struct dns_options dns_options = {
	.table = table,
	.ntable = sizeof(table) / sizeof(table[0]),
};

static struct stage_options
options(void)
{
	return (struct stage_options){ .hostname = BYTES("mx.example.org"),
	    .dns = &dns_options, .timeout_ms = 20000,
	    .message_max_bytes = 1000000 };
}

static struct trace_envelope
envelope(void)
{
	static const struct bytes to[1] = { S("u@example.org") };
	struct trace_envelope e = { .sender = BYTES("a@example.net"),
	    .recipients = to, .nrecipients = 1, .helo = BYTES("c.example"),
	    .with = BYTES("ESMTP"), .id = BYTES("id-1"),
	    .remote_host = BYTES_EMPTY, .time = 1795176000,
	    .remote_port = 4711, .local_port = 25 };

	assert_int_equal(ip_parse(BYTES("192.0.2.1"), &e.remote), 0);
	assert_int_equal(ip_parse(BYTES("198.51.100.2"), &e.local), 0);
	return e;
}

static void
assert_bytes(struct bytes got, struct bytes want)
{
	if (bytes_eq(got, want))
		return;
	print_error("got:  %.*s\nwant: %.*s\n", BYTES_ARG(got),
	    BYTES_ARG(want));
	fail();
}

/* ---- lists ---- */

static void
test_lists(void **state)
{
	const struct bytes values[] = { BYTES("iprev-check spf-check"),
	    BYTES("/usr/bin/filter"), BYTES("| tr a b | cat"),
	    BYTES(" dkim-verify ") };
	static const char *const bad[] = { "spam-check", "./filter", "|",
	    "| ", "SPF-CHECK" };
	struct arena a = ARENA_INIT;
	struct stage_list list;
	struct bytes value, many[STAGE_LIST_MAX + 1];
	const char *why = NULL;

	(void)state;
	assert_int_equal(stage_list_parse(&a, values, 4, &list, &why), 0);
	assert_int_equal(list.n, 5);
	assert_ptr_equal(list.item[0].builtin, &stage_iprev);
	assert_ptr_equal(list.item[1].builtin, &stage_spf);
	assert_bytes(list.item[2].command, BYTES("/usr/bin/filter"));
	assert_bytes(list.item[3].command, BYTES("| tr a b | cat"));
	assert_ptr_equal(list.item[4].builtin, &stage_dkim);
	assert_true(list.has_filters);
	assert_int_equal(stage_list_parse(&a, values, 1, &list, &why), 0);
	assert_false(list.has_filters);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		value = bytes_str(bad[i]);
		assert_int_equal(stage_list_parse(&a, &value, 1, &list, &why),
		    -1);
		assert_int_equal(errno, EBADMSG);
		assert_non_null(why);
	}
	for (size_t i = 0; i <= STAGE_LIST_MAX; i++)
		many[i] = BYTES("/f");
	assert_int_equal(stage_list_parse(&a, many, STAGE_LIST_MAX, &list,
	    &why), 0);
	assert_int_equal(stage_list_parse(&a, many, STAGE_LIST_MAX + 1,
	    &list, &why), -1);
	assert_int_equal(errno, EMSGSIZE);
	arena_free(&a);
}

/* ---- the chain ---- */

#define FROM_C "Received: from c.example ([192.0.2.1])\n" \
    "\tby mx.example.org ([198.51.100.2]) via tcp with ESMTP\n\tid id-1\n" \
    "\tfor <u@example.org>;\n\tFri, 20 Nov 2026 12:00:00 +0000\n"
#define FROM_MAIL "Received: from c.example (mail.example.net [192.0.2.1])\n" \
    "\tby mx.example.org ([198.51.100.2]) via tcp with ESMTP\n\tid id-1\n" \
    "\tfor <u@example.org>;\n\tFri, 20 Nov 2026 12:00:00 +0000\n"
#define RESULTS "Authentication-Results: mx.example.org;\n"
#define IPREV "\tiprev=pass policy.iprev=192.0.2.1 (mail.example.net)"
#define SPF "\tspf=pass smtp.mailfrom=a@example.net"
#define SPF_FIELD "Received-SPF: pass (mx.example.org: domain of " \
    "a@example.net permits 192.0.2.1)\n\treceiver=mx.example.org; " \
    "client-ip=192.0.2.1;\n\tenvelope-from=\"a@example.net\"; " \
    "helo=c.example;\n\tmechanism=\"ip4:192.0.2.1\"; identity=mailfrom\n"
#define BODY "Subject: x\n\nb\n"

static const struct {
	const char *name, *stages, *message, *want;
} chains[] = {
	{ "no stages", "", BODY, FROM_C BODY },
	{ "DKIM alone", "dkim-verify", BODY, RESULTS "\tdkim=none\n" FROM_C
	    BODY },
	{ "the whole chain", "iprev-check spf-check dkim-verify", BODY,
	    RESULTS IPREV ";\n" SPF ";\n\tdkim=none\n" SPF_FIELD FROM_MAIL
	    BODY },
	{ "a name found by a later stage is not in Received",
	    "dkim-verify iprev-check", BODY, RESULTS "\tdkim=none;\n" IPREV
	    "\n" FROM_C BODY },
	{ "a stage that runs twice says it once",
	    "spf-check dkim-verify spf-check", BODY, RESULTS SPF ";\n"
	    "\tdkim=none\n" SPF_FIELD FROM_C BODY },
	{ "forged results are removed", "dkim-verify",
	    "Authentication-Results: mx.example.org; spf=pass\n" BODY, RESULTS
	    "\tdkim=none\n" FROM_C BODY },
	{ "a forged trusted block is not trusted", "dkim-verify",
	    "Authentication-Results: mx.example.org; spf=pass\n" FROM_C BODY,
	    RESULTS "\tdkim=none\n" FROM_C FROM_C BODY },
	{ "a blank at the start cannot continue our field", "dkim-verify",
	    " evil\n" BODY, RESULTS "\tdkim=none\n" FROM_C "\n evil\n" BODY },
	{ "an mbox From line is dropped", "dkim-verify",
	    "From a@b Fri Nov 20 12:00:00 2026\n" BODY, RESULTS
	    "\tdkim=none\n" FROM_C BODY },
	{ "an empty message", "dkim-verify", "", RESULTS "\tdkim=none\n"
	    FROM_C },
	{ "a filter puts a field in front", "dkim-verify;|echo X-A: 1; cat",
	    BODY, "X-A: 1\n" RESULTS "\tdkim=none\n" FROM_C BODY },
	{ "a filter before a builtin", "|echo X-A: 1; cat;dkim-verify", BODY,
	    "X-A: 1\n" RESULTS "\tdkim=none\n" FROM_C BODY },
	{ "a filter rewrites the message", "dkim-verify;|sed 's/^b$/new/'",
	    BODY, RESULTS "\tdkim=none\n" FROM_C "Subject: x\n\nnew\n" },
	{ "a filter prints CRLF", "|sed 's/$/\\r/';dkim-verify", BODY, RESULTS
	    "\tdkim=none\n" FROM_C BODY },
	{ "a filter that throws the trusted block away starts anew",
	    "spf-check;|sed '1,/^$/d';dkim-verify", "A: 1\n\nB: 2\n\nb\n",
	    RESULTS "\tdkim=none\n" FROM_C "B: 2\n\nb\n" },
	{ "a filter's own trusted block needs the id",
	    "|sed s/id.id-1/id\\ other/;dkim-verify", BODY, RESULTS
	    "\tdkim=none\n" FROM_C "Received: from c.example ([192.0.2.1])\n"
	    "\tby mx.example.org ([198.51.100.2]) via tcp with ESMTP\n"
	    "\tid other\n\tfor <u@example.org>;\n"
	    "\tFri, 20 Nov 2026 12:00:00 +0000\n" BODY },
};

/* Stages are separated by ";" here, before "|" and before dkim-verify: other
 * semicolons belong to a command. */
static size_t
split_values(struct bytes text, struct bytes *values)
{
	size_t n = 0, at;

	while (text.n > 0) {
		if (bytes_find(text, BYTES(";dkim"), &at) ||
		    bytes_find(text, BYTES(";|"), &at)) {
			size_t other;

			if (bytes_find(text, BYTES(";|"), &other) &&
			    other < at)
				at = other;
			(void)bytes_cut(&text, at, &values[n++]);
			text = bytes_from(text, 1);
		} else {
			values[n++] = text;
			text = BYTES_EMPTY;
		}
	}
	return n;
}

static struct bytes
text_of(struct arena *a, struct stage_job *job)
{
	struct buf out = BUF_INIT(2000000);
	struct bytes text;

	assert_int_equal(job->verdict, STAGE_PASS);
	assert_int_equal(stage_job_prefix(job, &out), 0);
	buf_add(&out, job->message);
	text = arena_bytes(a, buf_bytes(&out));
	buf_free(&out);
	return text;
}

static void
test_chains(void **state)
{
	struct stage_options o = options();
	struct trace_envelope e = envelope();

	(void)state;
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		struct arena a = ARENA_INIT;
		struct bytes values[16], text, message;
		struct stage_list list, one;
		struct stage_job job;
		const char *why;
		size_t n = split_values(bytes_str(chains[i].stages), values);

		print_message("# %s\n", chains[i].name);
		message = bytes_str(chains[i].message);
		assert_int_equal(stage_list_parse(&a, values, n, &list, &why),
		    0);
		stage_job_init(&job, &a, &o, &e, message);
		stage_run(&job, &list);
		text = text_of(&a, &job);
		stage_job_end(&job);
		assert_bytes(text, bytes_str(chains[i].want));

		/* the same, each stage on the text the last one printed */
		for (size_t k = 0; k < list.n; k++) {
			one = (struct stage_list){ &list.item[k], 1, true };
			if (k == 0)
				stage_job_init(&job, &a, &o, &e, message);
			else {
				stage_job_init(&job, &a, &o, &e, BYTES_EMPTY);
				stage_job_resume(&job, message);
			}
			stage_run(&job, &one);
			message = text_of(&a, &job);
			stage_job_end(&job);
		}
		if (list.n > 0)
			assert_bytes(message, text);
		arena_free(&a);
	}
}

/* ---- filters ---- */

static const struct {
	const char *name, *command;
	int timeout_ms;
	enum stage_verdict verdict;
	const char *reply;
} filters[] = {
	{ "0 passes", "|cat", 20000, STAGE_PASS, "" },
	{ "99 drops", "|exit 99", 20000, STAGE_DROP, "" },
	{ "100 rejects with the first line", "|echo spam >&2; echo x >&2; "
	    "exit 100", 20000, STAGE_REJECT, "spam" },
	{ "100 without a word", "|exit 100", 20000, STAGE_REJECT,
	    "message refused" },
	{ "100 with control bytes", "|printf 'a\\tb\\001c\\n' >&2; exit 100",
	    20000, STAGE_REJECT, "a?b?c" },
	{ "111 is temporary", "|exit 111", 20000, STAGE_TEMP,
	    "a filter could not judge the message" },
	{ "1 is temporary", "|cat; exit 1", 20000, STAGE_TEMP,
	    "a filter could not judge the message" },
	{ "a program that is not there", "/nonexistent/filter", 20000,
	    STAGE_TEMP, "a filter could not judge the message" },
	{ "killed", "|kill -9 $$", 20000, STAGE_TEMP,
	    "a filter could not judge the message" },
	{ "too slow", "|sleep 30", 300, STAGE_TEMP,
	    "a filter could not judge the message" },
	{ "too slow below it", "|(sleep 30) & cat; wait", 300, STAGE_TEMP,
	    "a filter could not judge the message" },
	{ "ignores signals", "|trap '' TERM HUP INT; sleep 30", 300,
	    STAGE_TEMP, "a filter could not judge the message" },
	{ "prints nothing", "|cat >/dev/null", 20000, STAGE_TEMP,
	    "a filter printed no message" },
	{ "prints too much", "|cat; yes", 20000, STAGE_TEMP,
	    "a filter printed too much" },
	{ "prints before it reads", "|head -c 500000 /dev/zero | tr '\\0' x; "
	    "cat >/dev/null", 20000, STAGE_PASS, "" },
	{ "reads nothing", "|echo A: 1", 20000, STAGE_PASS, "" },
	{ "floods standard error", "|head -c 3000000 /dev/zero >&2; cat",
	    20000, STAGE_PASS, "" },
	{ "no end of line on standard error", "|printf no >&2; exit 100",
	    20000, STAGE_REJECT, "no" },
};

static void
test_filters(void **state)
{
	struct stage_options o = options();
	struct trace_envelope e = envelope();
	struct buf big = BUF_INIT(1000000);

	(void)state;
	buf_adds(&big, "Subject: big\n\n");
	while (big.n < 400000)
		buf_adds(&big, "a line of text, one of many, all the same\n");
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct arena a = ARENA_INIT;
		struct stage_item item = { NULL,
		    bytes_str(filters[i].command) };
		struct stage_list list = { &item, 1, true };
		struct stage_job job;
		int64_t start = time_mono_ms();

		print_message("# %s\n", filters[i].name);
		o.timeout_ms = filters[i].timeout_ms;
		stage_job_init(&job, &a, &o, &e, buf_bytes(&big));
		stage_run(&job, &list);
		assert_int_equal(job.verdict, filters[i].verdict);
		assert_bytes(job.reply, bytes_str(filters[i].reply));
		assert_true(time_mono_ms() - start < 15000);
		if (i == 0)
			assert_bytes(job.message, buf_bytes(&big));
		stage_job_end(&job);
		arena_free(&a);
	}
	buf_free(&big);
}

static void
test_filter_environment(void **state)
{
	struct stage_options o = options();
	struct trace_envelope e = envelope();
	const struct bytes two[] = { BYTES("u@example.org"),
	    BYTES("\"v w\"@example.org") };
	struct stage_item item = { NULL, BYTES("|printf '%s=%s\\n' "
	    "Sender \"$SENDER\" Recipient \"$RECIPIENT\" Helo \"$HELO\" "
	    "Ip \"$TCPREMOTEIP\" Port \"$TCPREMOTEPORT\" "
	    "Host \"$TCPREMOTEHOST\" Lip \"$TCPLOCALIP\" "
	    "Lport \"$TCPLOCALPORT\" Proto \"$PROTO\" Id \"$PIPEMAIL_ID\" "
	    "With \"$PIPEMAIL_WITH\" Secret \"$SECRET\"; "
	    "echo \"$RECIPIENTS\"") };
	struct stage_list list = { &item, 1, true };
	struct arena a = ARENA_INIT;
	struct stage_job job;

	(void)state;
	setenv("SECRET", "not handed on", 1);
	e.recipients = two;
	e.nrecipients = 2;
	e.remote_host = BYTES("rev.example");
	stage_job_init(&job, &a, &o, &e, BYTES(BODY));
	stage_run(&job, &list);
	assert_int_equal(job.verdict, STAGE_PASS);
	assert_bytes(job.message, BYTES("Sender=a@example.net\n"
	    "Recipient=u@example.org\nHelo=c.example\nIp=192.0.2.1\n"
	    "Port=4711\nHost=rev.example\nLip=198.51.100.2\nLport=25\n"
	    "Proto=TCP\nId=id-1\nWith=ESMTP\nSecret=\nu@example.org\n"
	    "\"v w\"@example.org\n"));
	stage_job_end(&job);
	arena_free(&a);
}

/* No stage after one that did not pass. */
static void
test_chain_stops(void **state)
{
	const struct bytes values[] = { BYTES("dkim-verify"),
	    BYTES("|exit 99"), BYTES("|touch ran") };
	struct stage_options o = options();
	struct trace_envelope e = envelope();
	struct arena a = ARENA_INIT;
	struct stage_list list;
	struct stage_job job;
	const char *why;

	(void)state;
	assert_int_equal(stage_list_parse(&a, values, 3, &list, &why), 0);
	stage_job_init(&job, &a, &o, &e, BYTES(BODY));
	stage_run(&job, &list);
	assert_int_equal(job.verdict, STAGE_DROP);
	assert_int_equal(access("ran", F_OK), -1);
	stage_job_end(&job);
	arena_free(&a);
}

static int
run_broken(struct stage_job *job)
{
	stage_add_resinfo(job, BYTES("broken=temperror"));
	errno = EIO;
	return -1;
}

static void
test_builtin_failure(void **state)
{
	static const struct stage_builtin broken = { .name = "broken",
	    .method = "broken", .run = run_broken };
	struct stage_item item = { &broken, BYTES_EMPTY };
	struct stage_list list = { &item, 1, false };
	struct stage_options o = options();
	struct trace_envelope e = envelope();
	struct arena a = ARENA_INIT;
	struct stage_job job;

	(void)state;
	stage_job_init(&job, &a, &o, &e, BYTES(BODY));
	stage_run(&job, &list);
	assert_int_equal(job.verdict, STAGE_TEMP);
	assert_bytes(job.reply, BYTES("a check could not be made"));
	stage_job_end(&job);
	arena_free(&a);
}

/* The exit code of -q: any pass, else any temperror. */
static void
test_reports(void **state)
{
	static const struct {
		const char *stages;
		const char *sender;
		int code;
		const char *starts;
	} rows[] = {
		{ "spf-check", "a@example.net", EXIT_YES, "pass\tmailfrom\t" },
		{ "spf-check", "a@empty.example", EXIT_NO,
		    "none\tmailfrom\t" },
		{ "dkim-verify", "a@example.net", EXIT_NO, "none\t" },
		{ "iprev-check", "a@example.net", EXIT_YES,
		    "pass\t192.0.2.1\tmail.example.net" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stage_options o = options();
		struct trace_envelope e = envelope();
		struct bytes value = bytes_str(rows[i].stages);
		struct arena a = ARENA_INIT;
		struct stage_list list;
		struct stage_job job;
		const char *why;

		e.sender = bytes_str(rows[i].sender);
		assert_int_equal(stage_list_parse(&a, &value, 1, &list, &why),
		    0);
		stage_job_init(&job, &a, &o, &e, BYTES(BODY));
		stage_run(&job, &list);
		assert_int_equal(job.report_exit, rows[i].code);
		assert_true(bytes_starts(job.reports,
		    bytes_str(rows[i].starts)));
		assert_true(bytes_ends(job.reports, BYTES("\n")));
		stage_job_end(&job);
		arena_free(&a);
	}
}

/* A server reads it again at each change: nothing may stay behind. */
static void
test_dns_configured(void **state)
{
	char top[] = "/tmp/stage_test.XXXXXX", maps[1 << 16];
	struct config_problems problems = { .first = NULL };
	const char *const parts[] = { "etc", "etc/domains", "etc/accounts" };
	struct arena a = ARENA_INIT;
	const struct dns_options *o;
	struct spawn rm = { .fd = { -1, -1, -1 } };
	char *argv[] = { "rm", "-rf", top, NULL };
	size_t n;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(top));
	for (n = 0; n < 3; n++)
		assert_int_equal(mkdir(arena_printf(&a, "%s/%s", top,
		    parts[n]), 0700), 0);
	f = fopen(arena_printf(&a, "%s/etc/main.conf", top), "w");
	assert_non_null(f);
	assert_true(fputs("[server]\nhostname = mx.example.org\n"
	    "[static-dns \"a.example\"]\ntxt = one\na = 192.0.2.1\n", f) > 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(config_compile(&a, arena_printf(&a, "%s/etc", top),
	    top, false, &problems, NULL), 0);
	assert_int_equal(setenv("PIPEMAIL_VAR", top, 1), 0);
	assert_non_null(o = stage_dns_configured(&a));
	assert_int_equal(unsetenv("PIPEMAIL_VAR"), 0);
	assert_int_equal(o->ntable, 2);
	for (n = 0; n < 2; n++) {
		assert_true(bytes_eq(o->table[n].name, BYTES("a.example")));
		assert_true(bytes_eq(o->table[n].text,
		    o->table[n].type == DNS_A ? BYTES("192.0.2.1")
		    : BYTES("one")));
	}
	f = fopen("/proc/self/maps", "r");
	assert_non_null(f);
	n = fread(maps, 1, sizeof(maps) - 1, f);
	maps[n] = '\0';
	assert_int_equal(fclose(f), 0);
	assert_null(strstr(maps, "config.cdb"));
	rm.argv = argv;
	assert_int_equal(spawn_wait(spawn_start(&rm), false, DEADLINE_NONE,
	    NULL), 0);
	arena_free(&a);
}

#define T(name, f) { name, f, NULL, NULL, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("stage lists", test_lists),
		T("R-35 chain in process and stage by stage", test_chains),
		T("filter contract", test_filters),
		T("filter environment", test_filter_environment),
		T("the chain stops at the first that does not pass",
		    test_chain_stops),
		T("a check that fails is temporary", test_builtin_failure),
		T("verdict lines and their exit code", test_reports),
		T("DNS options hold on to no configuration",
		    test_dns_configured),
	};

	setenv("TZ", "UTC0", 1);
	msg_init("stage_test");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
