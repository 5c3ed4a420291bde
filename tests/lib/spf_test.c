/* Tests of lib/spf on zone data without a network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "spf/spf.h"
#include "spf_zone.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct arena arena;

/* Names with many records, made here: mx10, mx11, ptr limits, long text. */
static size_t
made_up(struct bytes name, enum dns_type type, size_t i, char text[1200])
{
	size_t n = 0;

	if (type == DNS_MX && (dns_name_eq(name, BYTES("mx10.example")) ||
	    dns_name_eq(name, BYTES("mx11.example")))) {
		n = bytes_at(name, 3) == '0' ? 10 : 11;
		(void)snprintf(text, 1200, "%zu %s", i,
		    i == 9 ? "a.example" : "h.l.example");
	} else if (type == DNS_PTR &&
	    dns_name_eq(name, BYTES("2.2.0.192.in-addr.arpa"))) {
		n = 11;
		(void)snprintf(text, 1200, "h%02zu.many.example", i);
	} else if (type == DNS_A && dns_name_below(name,
	    BYTES("many.example"))) {
		/* Only the tenth or only the eleventh name is true. */
		n = 1;
		(void)snprintf(text, 1200, "192.0.2.%s",
		    bytes_starts(name, BYTES("h10")) ? "2" : "99");
	} else if (type == DNS_TXT &&
	    bytes_starts(name, BYTES("explong"))) {
		n = 1;
		memset(text, 'x', 1199);
		text[dns_name_eq(name, BYTES("explongtext.example"))
		    ? 800 : 801] = '\0';
	}
	return n;
}

static size_t queries;

static bool
zone_entry(const char *entry, struct bytes name, enum dns_type type,
    const char **text, bool *named)
{
	struct bytes rest = bytes_str(entry), owner, kind;
	size_t at;

	(void)bytes_split(&rest, ' ', &owner);
	(void)bytes_split(&rest, ' ', &kind);
	owner = arena_bytes(&arena, owner);
	while (bytes_chr(owner, '~', &at))
		((unsigned char *)(uintptr_t)owner.p)[at] = ' ';
	if (!dns_name_eq(owner, name))
		return false;
	*named = true;
	*text = (const char *)rest.p;
	return bytes_eq(kind, bytes_str(dns_type_name(type)));
}

static void
add_record(struct dns_answer *out, struct arena *a, enum dns_type type,
    const char *text)
{
	struct dns_record *r = arena_zalloc(a, out->nrecords + 1, sizeof(*r));
	struct bytes rest = bytes_str(text), word;
	uint64_t n;

	memcpy(r, out->records == NULL ? r : out->records,
	    out->nrecords * sizeof(*r));
	out->records = r;
	r += out->nrecords++;
	r->type = type;
	r->name = r->data = BYTES_EMPTY;
	if (type == DNS_A || type == DNS_AAAA) {
		assert_int_equal(ip_parse(rest, &r->ip), 0);
	} else if (type == DNS_MX) {
		assert_true(bytes_word(&rest, &word));
		assert_int_equal(num_parse(word, 0, 65535, &n), 0);
		r->preference = (unsigned int)n;
		rest = bytes_trim(rest);
		r->name = bytes_eq(rest, BYTES(".")) ? BYTES_EMPTY
		    : arena_bytes(a, rest);
	} else if (type == DNS_PTR) {
		r->name = arena_bytes(a, rest);
	} else {
		r->data = arena_bytes(a, rest);
	}
}

static int
answer(void *ctx, struct arena *a, enum dns_type type, struct bytes name,
    struct dns_answer *out)
{
	char made[1200];
	const char *text;
	bool named = false;
	size_t i;

	(void)ctx;
	queries++;
	*out = (struct dns_answer){ .name = name, .authentic = true,
		.why = "" };
	for (i = 0; i < COUNT(zone); i++) {
		if (!zone_entry(zone[i], name, type, &text, &named))
			continue;
		if (strcmp(text, "TEMP") == 0) {
			out->status = DNS_TEMP;
			out->authentic = false;
			out->why = "no answer in time";
			return 1;
		}
		add_record(out, a, type, text);
	}
	for (i = 0; i < made_up(name, type, i, made); i++)
		add_record(out, a, type, made);
	if (out->nrecords == 0)
		out->status = named ? DNS_NODATA : DNS_NXDOMAIN;
	return 1;
}

/* ---- checking ---- */

static struct spf r;

static void
check(const char *ip, const char *helo, const char *sender)
{
	struct dns_options o = { .source = { answer, NULL } };
	struct dns *d = dns_new(&o);
	struct spf_args args = { .helo = bytes_str(helo),
		.receiver = BYTES("mx.receiver.example"),
		.sender_local = BYTES_EMPTY, .sender_domain = BYTES_EMPTY,
		.now_seconds = 1234567890 };
	struct bytes s = bytes_str(sender);
	size_t at;

	assert_non_null(d);
	if (bytes_rchr(s, '@', &at)) {
		args.sender_local = bytes_first(s, at);
		args.sender_domain = bytes_from(s, at + 1);
	}
	assert_int_equal(ip_parse(bytes_str(ip), &args.ip), 0);
	arena_reset(&arena);
	queries = 0;
	spf_check(d, &arena, &args, &r);
	dns_free(d);
}

static void
assert_text(struct bytes s, const char *want)
{
	assert_int_equal(s.n, strlen(want));
	assert_memory_equal(s.p, want, s.n);
}

struct row {
	const char *ip, *domain, *result, *mechanism;
};

static void
check_rows(const struct row *rows, size_t n)
{
	char sender[300];
	size_t i;

	for (i = 0; i < n; i++) {
		(void)snprintf(sender, sizeof(sender), "a@%s",
		    rows[i].domain);
		check(rows[i].ip, "mail.example.org", sender);
		if (strcmp(spf_result_name(r.result), rows[i].result) != 0)
			print_message("# %s for %s\n", rows[i].domain,
			    rows[i].ip);
		assert_string_equal(spf_result_name(r.result),
		    rows[i].result);
		assert_text(r.mechanism, rows[i].mechanism);
	}
}

#define V4 "192.0.2.1"
#define V6 "2001:db8::1"

static void
test_records(void **state)
{
	static const struct row rows[] = {
		{ V4, "ip.example", "pass", "ip4:192.0.2.0/24" },
		{ V6, "ip.example", "pass", "ip6:2001:db8::/32" },
		{ "::ffff:192.0.2.1", "ip.example", "pass",
		    "ip4:192.0.2.0/24" },
		{ "198.51.100.1", "ip.example", "fail", "-all" },
		{ V4, "soft.example", "softfail", "~all" },
		{ V4, "neutral.example", "neutral", "?all" },
		{ V4, "empty.example", "neutral", "default" },
		{ V4, "case.example", "pass", "IP4:192.0.2.1" },
		{ V4, "spaces.example", "pass", "ip4:192.0.2.1" },
		{ V4, "other.example", "none", "" },
		{ V4, "beside.example", "pass", "+all" },
		{ V4, "two.example", "permerror", "" },
		{ V4, "tempfail.example", "temperror", "" },
		{ V4, "notxt.example", "none", "" },
		{ V4, "absent.example", "none", "" },
		{ V4, "syntax.example", "permerror", "" },
		{ V4, "mapped.example", "fail", "-all" },
		{ V6, "any6.example", "pass", "ip6:::/0" },
		{ V4, "any6.example", "fail", "-all" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void
test_mechanisms(void **state)
{
	static const struct row rows[] = {
		{ V4, "a.example", "pass", "a" },
		{ V6, "a.example", "pass", "a" },
		{ "192.0.2.2", "a.example", "fail", "-all" },
		{ "192.0.2.2", "acidr.example", "pass",
		    "a:a.example/24//64" },
		{ "2001:db8::2", "acidr.example", "pass",
		    "a:a.example/24//64" },
		{ "2001:db8:0:1::2", "acidr.example", "fail", "-all" },
		{ V4, "atemp.example", "temperror", "" },
		{ V4, "a6.example", "fail", "-all" },
		{ V4, "mx.example", "pass", "mx" },
		{ "192.0.2.9", "mx.example", "pass", "mx" },
		{ "192.0.2.8", "mx.example", "fail", "-all" },
		{ V4, "nullmx.example", "fail", "-all" },
		{ V4, "nomx.example", "fail", "-all" },
		{ V4, "mxtemp.example", "temperror", "" },
		{ V4, "mxtemp2.example", "pass", "mx" },
		{ V4, "ptr.example", "pass", "ptr" },
		{ V4, "ptr2.example", "fail", "-all" },
		{ V4, "ptr3.example", "fail", "-all" },
		{ "192.0.2.50", "ptr.example", "fail", "-all" },
		{ V4, "exists.example", "pass", "exists:%{i}._x.%{d}" },
		{ V6, "exists.example", "pass", "exists:%{i}._x.%{d}" },
		{ "192.0.2.2", "exists.example", "fail", "-all" },
		{ V4, "p.example", "pass", "exists:%{p}.p.example" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void
test_include_redirect(void **state)
{
	static const struct row rows[] = {
		{ V4, "inc.example", "pass", "include:ip.example" },
		{ "198.51.100.1", "inc.example", "softfail", "~all" },
		{ V4, "incsoft.example", "neutral", "?all" },
		{ V4, "incneutral.example", "softfail", "~all" },
		{ V4, "incnone.example", "permerror", "" },
		{ V4, "inctemp.example", "temperror", "" },
		{ V4, "incperm.example", "permerror", "" },
		{ V4, "redir.example", "pass", "ip4:192.0.2.0/24" },
		{ "198.51.100.1", "redir.example", "fail", "-all" },
		{ V4, "rediratend.example", "pass", "ip4:192.0.2.1" },
		{ "192.0.2.2", "rediratend.example", "softfail", "~all" },
		{ V4, "redirall.example", "fail", "-all" },
		{ V4, "redirnone.example", "permerror", "" },
		{ V4, "redirtemp.example", "temperror", "" },
		{ V4, "redirimplicit.example", "pass", "a" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void
test_limits(void **state)
{
	static const struct row rows[] = {
		{ V4, "l10.example", "pass", "ip4:192.0.2.1" },
		{ V4, "l11.example", "permerror", "" },
		{ V4, "lp.example", "permerror", "" },
		{ V4, "loop.example", "permerror", "" },
		{ V4, "rloop.example", "permerror", "" },
		{ V4, "v2.example", "pass", "ip4:192.0.2.1" },
		{ V4, "v3.example", "permerror", "" },
		{ V4, "vmx.example", "neutral", "?all" },
		{ V4, "mx10.example", "pass", "mx" },
		{ V4, "mx11.example", "permerror", "" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
	check(V4, "h.example.org", "a@l10.example");
	assert_int_equal(r.lookups, SPF_LOOKUPS_MAX);
	check(V4, "h.example.org", "a@l11.example");
	assert_string_equal(r.problem, "too many DNS look-ups");
	assert_text(r.problem_domain, "lone.example");
	check(V4, "h.example.org", "a@v3.example");
	assert_string_equal(r.problem,
	    "too many DNS look-ups without answer");
}

/* Ten PTR names count, the eleventh does not. */
static void
test_ptr_limit(void **state)
{
	(void)state;
	check("192.0.2.2", "h.example.org", "a@ptr.example");
	assert_int_equal(r.result, SPF_FAIL);
	assert_int_equal(queries, 1 + 1 + SPF_PTR_MAX);
}

static void
test_identity(void **state)
{
	(void)state;
	check(V4, "ip.example", "");
	assert_int_equal(r.result, SPF_PASS);
	assert_int_equal(r.identity, SPF_HELO);
	assert_text(r.local_part, "postmaster");
	assert_text(r.domain, "ip.example");
	check(V4, "ip.example", "a@soft.example");
	assert_int_equal(r.identity, SPF_MAILFROM);
	assert_text(r.local_part, "a");
	check(V4, "ip.example", "@soft.example");
	assert_int_equal(r.identity, SPF_MAILFROM);
	assert_text(r.local_part, "postmaster");
	assert_int_equal(r.result, SPF_SOFTFAIL);
}

/* 4.3: such domains are not asked for at all. */
static void
test_no_domain(void **state)
{
	static const char *const names[] = { "", "onelabel", "[192.0.2.1]",
		"192.0.2.1", "a..example", "a b", ".", "example.",
		("a123456789012345678901234567890123456789012345678901234567890"
		    "123.example") };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		check(V4, names[i], "");
		assert_int_equal(r.result, SPF_NONE);
		assert_int_equal(queries, 0);
		assert_false(r.authentic);
	}
}

static void
test_authentic(void **state)
{
	(void)state;
	check(V4, "h.example.org", "a@mx.example");
	assert_true(r.authentic);
	check(V4, "h.example.org", "a@mxtemp2.example");
	assert_false(r.authentic);
	check(V4, "h.example.org", "a@exptemp.example");
	assert_true(r.authentic);	/* not the explanation's matter */
}

static void
test_macros(void **state)
{
	static const struct {
		const char *sender, *result;
	} cases[] = {
		{ "a-b@m1.example", "pass" },
		{ "a+b-c@m2.example", "pass" },
		{ "c-a+b@m2.example", "fail" },
		{ "a-b@m2.example", "pass" },
		{ "a&b@m3.example", "pass" },
		{ "x@m4.example", "pass" },
		{ "x@m5.example", "pass" },
		{ "a@m6.example", "pass" },
		{ "b@m6.example", "fail" },
		/* RFC 8616 4: such a term never matches. */
		{ "caf\xc3\xa9@m7.example", "softfail" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		check(V4, "mail.example.org", cases[i].sender);
		assert_string_equal(spf_result_name(r.result),
		    cases[i].result);
	}
}

/* 7.3: labels are taken off the left until 253 bytes are left. */
static void
test_truncation(void **state)
{
	char sender[200];

	(void)state;
	memset(sender, 'x', sizeof(sender));
	memcpy(sender + 60, "@long.example", sizeof("@long.example"));
	check(V4, "mail.example.org", sender);
	assert_int_equal(r.result, SPF_FAIL);
	assert_int_equal(r.lookups, 1);
	assert_int_equal(queries, 2);	/* 5 * 61 + 5 was cut and asked */
}

static void
test_explanation(void **state)
{
	static const struct {
		const char *sender, *text;
	} cases[] = {
		{ "a b@exp.example", "192.0.2.1 is not a friend of "
		    "a%20b%40exp.example; mx.receiver.example said at "
		    "1234567890: 100% 192.0.2.1 in-addr mail.example.org "
		    "exp.example a b" },
		{ "a@expinc.example", "own text" },
		{ "a@expredir.example", "" },
		{ "a@exptwo.example", "" },
		{ "a@exp8.example", "" },
		{ "a@expbad.example", "" },
		{ "a@expnone.example", "" },
		{ "a@exptemp.example", "" },
		{ "a@expvoid.example", "" },
		{ "a\r\n\x7f\xff@expl.example", "[a????]" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		check(V4, "mail.example.org", cases[i].sender);
		assert_int_equal(r.result, SPF_FAIL);
		assert_text(r.explanation, cases[i].text);
	}
	check(V4, "mail.example.org", "a@exppass.example");
	assert_int_equal(r.explanation.n, 0);
	check(V4, "mail.example.org", "a@explong.example");
	assert_int_equal(r.explanation.n, SPF_EXPLANATION_MAX);
	check(V4, "mail.example.org", "a@explong1.example");
	assert_int_equal(r.explanation.n, SPF_EXPLANATION_MAX);
}

/* 4.6.4: time is limited; the deadline of the caller is put back. */
static void
test_deadline(void **state)
{
	struct dns_options o = { .nservers = 1 };
	struct spf_args args = { .helo = BYTES("x"),
		.sender_local = BYTES("a"), .receiver = BYTES_EMPTY,
		.sender_domain = BYTES("a.example") };
	int64_t deadline = time_mono_ms();
	struct dns *d;

	(void)state;
	assert_int_equal(dns_server_parse(BYTES("127.0.0.1:1"),
	    &o.servers[0]), 0);
	assert_int_equal(ip_parse(BYTES(V4), &args.ip), 0);
	d = dns_new(&o);
	(void)dns_set_deadline(d, deadline);
	spf_check(d, &arena, &args, &r);
	assert_int_equal(r.result, SPF_TEMPERROR);
	assert_string_equal(r.problem, "no answer in time");
	assert_true(dns_set_deadline(d, DEADLINE_NONE) == deadline);
	spf_check(d, &arena, &args, &r);
	assert_string_equal(r.problem, "server cannot be reached");
	dns_free(d);
}

/* ---- text ---- */

static void
assert_format(int (*format)(struct buf *, const struct spf *),
    const char *want)
{
	struct buf b = BUF_INIT(10000);

	assert_int_equal(format(&b, &r), 0);
	assert_text(buf_bytes(&b), want);
	buf_free(&b);
}

static void
test_format(void **state)
{
	(void)state;
	check(V4, "mail.example.org", "a@ip.example");
	assert_format(spf_format_field,
	    "Received-SPF: pass (mx.receiver.example: domain of a@ip.example"
	    " permits\n\t192.0.2.1) receiver=mx.receiver.example;"
	    " client-ip=192.0.2.1;\n\tenvelope-from=\"a@ip.example\";"
	    " helo=mail.example.org;\n\tmechanism=\"ip4:192.0.2.0/24\";"
	    " identity=mailfrom\n");
	assert_format(spf_format_resinfo,
	    "spf=pass (with dnssec) smtp.mailfrom=a@ip.example");
	assert_format(spf_format_line, "pass\tmailfrom\ta@ip.example\t"
	    "ip.example\tip4:192.0.2.0/24\t-\t-");

	check(V6, "syntax.example", "");
	assert_format(spf_format_field,
	    "Received-SPF: permerror (mx.receiver.example: domain of\n"
	    "\tpostmaster@syntax.example has no usable rule for 2001:db8::1)"
	    "\n\treceiver=mx.receiver.example; client-ip=\"2001:db8::1\";\n"
	    "\thelo=syntax.example; problem=\"unknown mechanism\";"
	    " identity=helo\n");
	assert_format(spf_format_resinfo, "spf=permerror (with dnssec)"
	    " reason=\"unknown mechanism\" smtp.helo=syntax.example");
	assert_format(spf_format_line, "permerror\thelo\tsyntax.example\t"
	    "syntax.example\t-\tunknown mechanism\t-");

	check(V4, "x", "a b@expl.example");
	assert_format(spf_format_resinfo, "spf=fail (with dnssec)"
	    " smtp.mailfrom=\"a b\"@expl.example");
	assert_format(spf_format_line, "fail\tmailfrom\t\"a b\"@expl.example"
	    "\texpl.example\t-all\t-\t[a b]");
}

/* Whatever a stranger says cannot end the field or leave its place. */
static void
test_format_hostile(void **state)
{
	static const char nasty[] = "a\r\nX: y\t(b)\\\"c;d\xff";
	struct buf b = BUF_INIT(10000);
	struct bytes rest, line;
	char sender[3000];
	size_t i;

	(void)state;
	(void)snprintf(sender, sizeof(sender), "%s@%s", nasty, nasty);
	check(V4, nasty, sender);
	assert_format(spf_format_resinfo,
	    "spf=none smtp.mailfrom=\"a??X: y?(b)\\\\\\\"c;d?\"");
	assert_int_equal(spf_format_field(&b, &r), 0);
	rest = buf_bytes(&b);
	for (i = 0; bytes_line(&rest, &line); i++) {
		assert_true(i == 0 || bytes_at(line, 0) == '\t');
		assert_true(bytes_is_ascii(line));
	}
	buf_reset(&b);
	check(V4, nasty, "");
	assert_int_equal(spf_format_resinfo(&b, &r), 0);
	buf_reset(&b);
	memset(sender, '"', sizeof(sender) - 1);
	sender[1500] = '@';
	sender[sizeof(sender) - 1] = '\0';
	check(V4, sender, sender);
	b.max = 8192;
	assert_int_equal(spf_format_field(&b, &r), 0);
	assert_int_equal(spf_format_resinfo(&b, &r), 0);
	b.max = 20;
	buf_reset(&b);
	assert_int_equal(spf_format_field(&b, &r), -1);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name, fn) { name, fn, NULL, NULL, NULL }
		T("A-1 results of records", test_records),
		T("A-1 mechanisms", test_mechanisms),
		T("A-1 include and redirect", test_include_redirect),
		T("A-1 limits: look-ups, void look-ups, MX", test_limits),
		T("A-1 limit of PTR names", test_ptr_limit),
		T("A-1 MAIL FROM or HELO identity", test_identity),
		T("A-1 no domain to ask for", test_no_domain),
		T("A-1 DNSSEC status in the result", test_authentic),
		T("A-1 time limit", test_deadline),
		T("A-1 macros", test_macros),
		T("A-1 long names are shortened", test_truncation),
		T("A-2 explanation, printable and at most 800",
		    test_explanation),
		T("A-1 Received-SPF, resinfo, line", test_format),
		T("A-1 hostile text is harmless", test_format_hostile),
	};

	(void)unsetenv("PIPEMAIL_DNS");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("spf", tests, NULL, NULL);
}
