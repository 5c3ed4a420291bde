/* verifying: results, policy, selection of fields, odd messages */
#include "dkim_fixture.h"

/* ---- verifying ---- */

/* The message and the public keys of RFC 8463 A.2 and A.3. */
#define FOOTBALL_HEADER \
	"From: Joe SixPack <joe@football.example.com>\n" \
	"To: Suzie Q <suzie@shopping.example.net>\n" \
	"Subject: Is dinner ready?\n" \
	"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\n" \
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\n"
#define FOOTBALL_BODY \
	"Hi.\n\nWe lost the game.  Are you hungry yet?\n\nJoe.\n"

static const char football_signatures[] =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\n"
    " d=football.example.com; i=@football.example.com;\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\n"
    " subject : date : message-id : from : subject : date;\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\n"
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\n"
    " d=football.example.com; i=@football.example.com;\n"
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\n"
    " date : message-id : from : subject : date;\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\n"
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\n"
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\n";

static void
rfc8463_example(void **state)
{
	struct bytes m = bytes_str(arena_printf(&fx.arena, "%s%s\n%s",
	    football_signatures, FOOTBALL_HEADER, FOOTBALL_BODY));
	struct dkim_verdicts v;
	struct buf b = BUF_INIT(1000);
	size_t n = fx.nzone;

	(void)state;
	zone_add("brisbane._domainkey.football.example.com", DNS_OK,
	    "v=DKIM1; k=ed25519; "
	    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
	zone_add("test._domainkey.football.example.com", DNS_OK,
	    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQo"
	    "BTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb"
	    "3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9P"
	    "zoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB");
	v = verify(m);
	fx.nzone = n;
	assert_int_equal(v.n, 2);
	assert_string_equal(v.v[0].reason, "");
	assert_int_equal(v.v[0].result, DKIM_PASS);
	assert_int_equal(v.v[1].result, DKIM_PASS);
	assert_int_equal(v.v[0].key_bits, 256);
	assert_int_equal(v.v[1].key_bits, 1024);
	assert_int_equal(v.v[1].timestamp, 1528637909);
	assert_int_equal(dkim_format_resinfo(&b, &v.v[1]), 0);
	assert_bytes(buf_bytes(&b), "dkim=pass (1024-bit key) "
	    "header.d=football.example.com header.s=test "
	    "header.i=@football.example.com header.a=rsa-sha256 "
	    "header.b=F45dVWDf");
	buf_reset(&b);
	assert_int_equal(dkim_format_line(&b, &v.v[0]), 0);
	assert_bytes(buf_bytes(&b), "pass\tfootball.example.com\tbrisbane\t"
	    "ed25519-sha256\t@football.example.com\t256\t/gCrinpc\t-");
	buf_free(&b);
}

static void
results(void **state)
{
	static const struct {
		const char *tags;
		enum dkim_result result;
		const char *reason;
	} cases[] = {
		{ H "d=example.org; s=sel;", DKIM_PASS, "" },
		{ H "d=example.org; s=sel; c=relaxed/relaxed;", DKIM_PASS, "" },
		{ H "d=example.org; s=sel; c=relaxed;", DKIM_PASS, "" },
		{ H "d=example.org; s=sel; c=simple/relaxed;", DKIM_PASS, "" },
		{ H "d=example.org; s=ed; a=ed25519-sha256;", DKIM_PASS, "" },
		{ H "d=example.org; s=plain;", DKIM_PASS, "" },
		{ H "d=example.org; s=both;", DKIM_PASS, "" },
		{ H "d=example.org; s=star;", DKIM_PASS, "" },
		{ H "d=example.org; s=several;", DKIM_PASS, "" },
		{ H "d=localhost; s=sel;", DKIM_PASS, "" },
		{ H "d=example.org; s=strict; i=x@example.org;", DKIM_PASS,
		    "" },
		{ H "d=example.org; s=sel; i=x@y.example.org;", DKIM_PASS,
		    "" },
		{ H "d=example.org; s=sel; t=1699999999; x=1700000000;",
		    DKIM_PASS, "" },
		{ H "d=example.org; s=sel; x=1699999999;", DKIM_PERMERROR,
		    "signature has expired" },
		{ H "d=example.org; s=test;", DKIM_NONE,
		    "key is in testing mode" },
		{ H "d=example.org; s=strict; i=x@y.example.org;",
		    DKIM_PERMERROR, "key does not allow i= in a subdomain" },
		{ H "d=example.org; s=sha1;", DKIM_PERMERROR,
		    "key is not for sha256" },
		{ H "d=example.org; s=web;", DKIM_PERMERROR,
		    "key is not for email" },
		{ H "d=example.org; s=type;", DKIM_PERMERROR,
		    "key is of another type than the signature" },
		{ H "d=example.org; s=ed;", DKIM_PERMERROR,
		    "key is of another type than the signature" },
		{ H "d=example.org; s=gone;", DKIM_PERMERROR,
		    "key is revoked" },
		{ H "d=example.org; s=fourth;", DKIM_PASS, "" },
		{ H "d=example.org; s=fifth;", DKIM_PERMERROR,
		    "key is revoked" },
		{ H "d=example.org; s=temp;", DKIM_TEMPERROR,
		    "key could not be fetched" },
		{ H "d=example.org; s=bad;", DKIM_PERMERROR,
		    "DNS answer for the key is malformed" },
		{ H "d=example.org; s=nodata;", DKIM_PERMERROR,
		    "there is no such key" },
		{ H "d=example.org; s=nosuch;", DKIM_PERMERROR,
		    "there is no such key" },
		{ H "d=uk; s=sel;", DKIM_POLICY, "d= is a public suffix" },
		{ H "d=co.uk; s=sel;", DKIM_POLICY, "d= is a public suffix" },
		{ H "d=example.org; s=sel; l=3;", DKIM_POLICY,
		    "l= is not accepted" },
		{ H "d=example.org; s=sel; l=8;", DKIM_FAIL,
		    "body is shorter than l=" },
		{ "h=from:to; d=example.org; s=sel;", DKIM_POLICY,
		    "Subject is not signed" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++)
		assert_verdict(craft(cases[i].tags, MESSAGE), cases[i].result,
		    cases[i].reason);
}

static void
policy_options(void **state)
{
	struct dkim_verdicts v;

	(void)state;
	v = verify_with(craft(H "d=example.org; s=sel; l=3;", MESSAGE "tail\n"),
	    (struct dkim_policy){ .allow_length = true });
	assert_int_equal(v.v[0].result, DKIM_PASS);
	assert_true(v.v[0].length_used);
	v = verify_with(craft(H "d=example.org; s=sel; l=0;", HEADER),
	    (struct dkim_policy){ .allow_length = true });
	assert_int_equal(v.v[0].result, DKIM_PASS);
	v = verify_with(craft(H "d=example.org; s=test;", MESSAGE),
	    (struct dkim_policy){ .allow_testing = true });
	assert_int_equal(v.v[0].result, DKIM_PASS);
	assert_true(v.v[0].testing);
	v = verify_with(craft("h=from; d=example.org; s=sel;", MESSAGE),
	    (struct dkim_policy){ .allow_unsigned = true });
	assert_int_equal(v.v[0].result, DKIM_PASS);
	/* a key in testing mode: a wrong signature is none, too */
	assert_verdict(bytes_str(arena_printf(&fx.arena, "%.*sx\n",
	    BYTES_ARG(craft(H "d=example.org; s=test;", MESSAGE)))),
	    DKIM_NONE, "key is in testing mode");
}

/* A signed message, then changed. */
static void
changes(void **state)
{
	static const struct {
		const char *canon;
		const char *message;		/* as it arrives */
		enum dkim_result result;
		const char *reason;
	} cases[] = {
		{ "simple/simple", MESSAGE, DKIM_PASS, "" },
		{ "simple/simple", "X-New: 1\n" MESSAGE, DKIM_PASS, "" },
		{ "simple/simple", MESSAGE "\n\n", DKIM_PASS, "" },
		{ "simple/simple", HEADER "\nHello", DKIM_PASS, "" },
		{ "simple/simple", HEADER "\nHello ", DKIM_FAIL,
		    "body hash did not verify" },
		{ "simple/relaxed", HEADER "\nHello \t\n\n \n", DKIM_PASS, "" },
		{ "relaxed/relaxed", HEADER "\nhello\n", DKIM_FAIL,
		    "body hash did not verify" },
		{ "relaxed/relaxed", HEADER, DKIM_FAIL,
		    "body hash did not verify" },
		{ "relaxed/simple", "FROM :  a@example.org \n"
		    "To:\tb@example.net\nSubject:\n tea\n\nHello\n",
		    DKIM_PASS, "" },
		{ "simple/simple", "FROM :  a@example.org \n"
		    "To:\tb@example.net\nSubject:\n tea\n\nHello\n",
		    DKIM_FAIL, "signature did not verify" },
		{ "relaxed/simple", "From: c@example.org\nTo: b@example.net\n"
		    "Subject: tea\n\nHello\n",
		    DKIM_FAIL, "signature did not verify" },
		{ "relaxed/simple", "From: a@example.org\nTo: b@example.net\n"
		    "\nHello\n", DKIM_FAIL, "signature did not verify" },
		/* added above: not covered by h=, so not ours to pass */
		{ "relaxed/simple", "From: evil@example.org\n" MESSAGE,
		    DKIM_POLICY, "a From field is not signed" },
		{ "relaxed/simple", "Subject: evil\n" MESSAGE,
		    DKIM_POLICY, "Subject is not signed" },
		/* added below: taken first */
		{ "relaxed/simple", HEADER "To: z@example.org\n\nHello\n",
		    DKIM_FAIL, "signature did not verify" },
		/* CRLF form */
		{ "simple/simple", "From: a@example.org\r\n"
		    "To: b@example.net\r\nSubject: tea\r\n\r\nHello\r\n",
		    DKIM_PASS, "" },
	};
	struct bytes m, field;
	size_t i, at;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		m = craft(arena_printf(&fx.arena,
		    H "d=example.org; s=sel; c=%s;", cases[i].canon), MESSAGE);
		assert_true(bytes_find(m, BYTES("\nFrom:"), &at));
		field = bytes_first(m, at + 1);
		assert_verdict(bytes_str(arena_printf(&fx.arena, "%.*s%s",
		    BYTES_ARG(field), cases[i].message)), cases[i].result,
		    cases[i].reason);
	}
}

/* RFC 6376 5.4.2: bottom-up; names beyond the instances are nothing. */
static void
header_selection(void **state)
{
	static const char m[] = "Received: 3\nReceived: 2\nFrom: a@b.org\n"
	    "Received: 1\n\nx\n";
	static const char *const h[] = {
		"h=from:received:received;",
		"h=received:from:received:received:received:received;",
		"h=from:from:from:to:dkim-signature:subject:subject;",
	};
	struct bytes signed_m, cut;
	size_t i, at;

	(void)state;
	for (i = 0; i < LEN(h); i++) {
		signed_m = craft(arena_printf(&fx.arena,
		    "d=example.org; s=sel; %s", h[i]), m);
		assert_verdict(signed_m, DKIM_PASS, "");
		/* the top Received: signed by the second list only */
		assert_true(bytes_find(signed_m, BYTES("Received: 3\n"), &at));
		cut = bytes_str(arena_printf(&fx.arena, "%.*s%.*s",
		    BYTES_ARG(bytes_first(signed_m, at)),
		    BYTES_ARG(bytes_from(signed_m, at + 12))));
		assert_verdict(cut, i == 1 ? DKIM_FAIL : DKIM_PASS,
		    i == 1 ? "signature did not verify" : "");
		/* a second From: sealed by the third list only */
		cut = bytes_str(arena_printf(&fx.arena, "%.*sFrom: c@d.org\n%s",
		    BYTES_ARG(bytes_first(signed_m, at)), m));
		assert_verdict(cut, i == 2 ? DKIM_FAIL : DKIM_POLICY, i == 2 ?
		    "signature did not verify" : "a From field is not signed");
	}
}

static void
odd_messages(void **state)
{
	static const struct {
		const char *m;
		size_t n;
	} none[] = {
		{ "", 0 }, { "\n", 1 }, { "x", 1 }, { "\0\0", 2 },
		{ "From: a@b", 9 }, { "\nDKIM-Signature: v=1\n", 21 },
		{ "X-DKIM-Signature: v=1\n", 22 },
	}, bad[] = {
		{ "DKIM-Signature:", 15 }, { "DKIM-Signature: v", 17 },
		{ "DKIM-Signature : v=1; a=\n", 25 },
		{ "DKIM-Signature: v=1;\0a=1", 24 },
		{ "DKIM-Signature: \n\n", 18 },
		{ "DKIM-SIGNATURE: v=1; a=rsa-sha256; d=", 37 },
	};
	struct dkim_verdicts v;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(none); i++) {
		v = verify(bytes_of(none[i].m, none[i].n));
		assert_int_equal(v.n, 1);
		assert_int_equal(v.signatures, 0);
		assert_int_equal(v.v[0].result, DKIM_NONE);
	}
	for (i = 0; i < LEN(bad); i++) {
		v = verify(bytes_of(bad[i].m, bad[i].n));
		assert_int_equal(v.n, 1);
		assert_int_equal(v.signatures, 1);
		assert_int_equal(v.v[0].result, DKIM_PERMERROR);
	}
	/* no body; only blank lines; no final line end */
	assert_verdict(craft(H "d=example.org; s=sel;", HEADER), DKIM_PASS, "");
	assert_verdict(craft(H "d=example.org; s=sel;", HEADER "\n"),
	    DKIM_PASS, "");
	assert_verdict(craft(H "d=example.org; s=sel;", HEADER "\n\n\n"),
	    DKIM_PASS, "");
	assert_verdict(craft(H "d=example.org; s=sel;", HEADER "\nx"),
	    DKIM_PASS, "");
}

static void
signature_count(void **state)
{
	struct bytes one = craft(H "d=example.org; s=sel; c=relaxed;", MESSAGE);
	struct buf b = BUF_INIT(8 * 1024 * 1024);
	struct dkim_verdicts v;
	size_t i, at;

	(void)state;
	assert_true(bytes_find(one, BYTES("\nFrom:"), &at));
	for (i = 0; i < DKIM_SIGNATURES_MAX; i++)
		assert_int_equal(buf_add(&b, bytes_first(one, at + 1)), 0);
	assert_int_equal(buf_adds(&b, MESSAGE), 0);
	v = verify(buf_bytes(&b));
	assert_int_equal(v.n, DKIM_SIGNATURES_MAX);
	for (i = 0; i < v.n; i++)
		assert_int_equal(v.v[i].result, DKIM_PASS);
	assert_int_equal(fx.asked, 1);	/* one question for all */
	buf_reset(&b);
	for (i = 0; i < 10000; i++)
		assert_int_equal(buf_add(&b, bytes_first(one, at + 1)), 0);
	assert_int_equal(buf_adds(&b, MESSAGE), 0);
	v = verify(buf_bytes(&b));
	assert_int_equal(v.n, DKIM_SIGNATURES_MAX + 1);
	assert_int_equal(v.signatures, 10000);
	assert_int_equal(v.v[0].result, DKIM_PASS);
	assert_int_equal(v.v[DKIM_SIGNATURES_MAX].result, DKIM_POLICY);
	assert_string_equal(v.v[DKIM_SIGNATURES_MAX].reason,
	    "too many signatures");
	buf_free(&b);
}

static void
no_resolver(void **state)
{
	struct dkim_policy policy = { .now = NOW };
	struct dkim_verdicts v;

	(void)state;
	dkim_verify(&fx.arena, NULL, craft(H "d=example.org; s=sel;", MESSAGE),
	    &policy, &v);
	assert_int_equal(v.v[0].result, DKIM_TEMPERROR);
}

/* ---- formatting of hostile values ---- */

static void
resinfo_quoting(void **state)
{
	struct dkim_verdict v = { .result = DKIM_FAIL,
	    .reason = "signature did not verify", .domain = BYTES("a.org"),
	    .selector = BYTES("s"), .algorithm = BYTES("rsa-sha256"),
	    .identity = BYTES("a b\"\\\r\n\xc3\xa4;@a.org"),
	    .b_prefix = BYTES("a/b=c+d "), .key_bits = 1024 };
	struct buf b = BUF_INIT(1000);

	(void)state;
	assert_int_equal(dkim_format_resinfo(&b, &v), 0);
	assert_bytes(buf_bytes(&b), "dkim=fail (1024-bit key) "
	    "reason=\"signature did not verify\" header.d=a.org header.s=s "
	    "header.i=\"a b\\\"\\\\????;@a.org\" header.a=rsa-sha256 "
	    "header.b=\"a/b=c+d \"");
	buf_free(&b);
	b = BUF_INIT(20);
	assert_int_equal(dkim_format_resinfo(&b, &v), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&b);
	b = BUF_INIT(1000);
	v = (struct dkim_verdict){ .result = DKIM_PASS, .reason = "",
	    .key_bits = 2048, .authentic = true };
	assert_int_equal(dkim_format_resinfo(&b, &v), 0);
	assert_bytes(buf_bytes(&b), "dkim=pass (2048-bit key with dnssec)");
	buf_reset(&b);
	v = (struct dkim_verdict){ .result = DKIM_NONE, .reason = "" };
	assert_int_equal(dkim_format_resinfo(&b, &v), 0);
	assert_bytes(buf_bytes(&b), "dkim=none");
	buf_reset(&b);
	assert_int_equal(dkim_format_line(&b, &v), 0);
	assert_bytes(buf_bytes(&b), "none\t-\t-\t-\t-\t0\t-\t-");
	buf_free(&b);
}

/* ---- algorithms ready ---- */

static void
initialisation(void **state)
{
	(void)state;
	dkim_init();
	dkim_init();
}

#define T(name, fn) { name, fn, reset, NULL, NULL }

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T("dkim_init can be called twice", initialisation),
		T("A-3 RFC 8463 A.3 both signatures pass", rfc8463_example),
		T("A-3 results and reasons", results),
		T("A-3 what policy may allow", policy_options),
		T("A-3 changed messages", changes),
		T("RFC 6376 5.4.2 fields bottom-up, more names than fields",
		    header_selection),
		T("messages without body, end or sense", odd_messages),
		T("8 signatures, 10000 signatures", signature_count),
		T("no resolver is temperror", no_resolver),
		T("RFC 8601 values quoted", resinfo_quoting),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
