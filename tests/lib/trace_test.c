/*
 * trace_test.c - trace fields made, taken apart, forged
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "trace/trace.h"

#include <errno.h>

#define HOST BYTES("mx.example.org")
#define FIELD_LINES 20

static void
assert_bytes(struct bytes got, struct bytes want)
{
	if (bytes_eq(got, want))
		return;
	print_error("got:  %.*s\nwant: %.*s\n", BYTES_ARG(got),
	    BYTES_ARG(want));
	fail();
}

static struct trace_envelope
envelope(void)
{
	static const struct bytes to[2] = {
		{ (const unsigned char *)"u@example.org", 13 },
		{ (const unsigned char *)"v@example.org", 13 },
	};
	struct trace_envelope e = { .sender = BYTES("a@b.example"),
	    .recipients = to, .nrecipients = 1, .helo = BYTES("c.example"),
	    .with = BYTES("ESMTP"), .tls = BYTES_EMPTY, .id = BYTES("id-1"),
	    .remote_host = BYTES("rev.example"), .time = 1795176000 };

	assert_int_equal(ip_parse(BYTES("192.0.2.1"), &e.remote), 0);
	assert_int_equal(ip_parse(BYTES("198.51.100.2"), &e.local), 0);
	return e;
}

static void
check_received(const struct trace_envelope *e, const char *want)
{
	struct buf b = BUF_INIT(TRACE_FIELD_MAX);

	assert_int_equal(trace_received(&b, e, HOST), 0);
	assert_bytes(buf_bytes(&b), bytes_str(want));
	buf_free(&b);
}

static void
test_received(void **state)
{
	struct trace_envelope e = envelope();

	(void)state;
	check_received(&e, "Received: from c.example (rev.example [192.0.2.1])"
	    "\n\tby mx.example.org ([198.51.100.2]) via tcp with ESMTP\n"
	    "\tid id-1\n\tfor <u@example.org>;\n"
	    "\tFri, 20 Nov 2026 12:00:00 +0000\n");
	e.with = BYTES("ESMTPSA");
	e.tls = BYTES("TLSv1.3 (x)");
	check_received(&e, "Received: from c.example (rev.example [192.0.2.1])"
	    "\n\tby mx.example.org ([198.51.100.2]) via tcp with ESMTPSA\n"
	    "\t(TLSv1.3 \\(x\\))\n\tid id-1\n\tfor <u@example.org>;\n"
	    "\tFri, 20 Nov 2026 12:00:00 +0000\n");
	/* between "with" and "id" */
	e.requiretls = true;
	check_received(&e, "Received: from c.example (rev.example [192.0.2.1])"
	    "\n\tby mx.example.org ([198.51.100.2]) via tcp with ESMTPSA "
	    "(requiretls)\n"
	    "\t(TLSv1.3 \\(x\\))\n\tid id-1\n\tfor <u@example.org>;\n"
	    "\tFri, 20 Nov 2026 12:00:00 +0000\n");
	e = envelope();
	e.nrecipients = 2;
	e.remote_host = BYTES_EMPTY;
	e.local.family = 0;
	check_received(&e, "Received: from c.example ([192.0.2.1])\n"
	    "\tby mx.example.org via tcp with ESMTP\n\tid id-1;\n"
	    "\tFri, 20 Nov 2026 12:00:00 +0000\n");
	e.helo = BYTES_EMPTY;
	assert_int_equal(ip_parse(BYTES("2001:db8::1"), &e.remote), 0);
	check_received(&e, "Received: from unknown ([2001:db8::1])\n"
	    "\tby mx.example.org via tcp with ESMTP\n\tid id-1;\n"
	    "\tFri, 20 Nov 2026 12:00:00 +0000\n");
	e.remote.family = 0;
	e.with = BYTES_EMPTY;
	check_received(&e, "Received: by mx.example.org\n\tid id-1;\n"
	    "\tFri, 20 Nov 2026 12:00:00 +0000\n");
}

/* Every line but the first begins with a tab: nothing ends the field. */
static void
assert_one_field(struct bytes field)
{
	struct bytes line;
	size_t n = 0;

	assert_true(bytes_ends(field, BYTES("\n")));
	while (bytes_line(&field, &line)) {
		assert_true(n++ == 0 || bytes_at(line, 0) == '\t');
		for (size_t i = 0; i < line.n; i++)
			assert_false(line.p[i] < 0x20 && line.p[i] != '\t');
		assert_true(n < FIELD_LINES);
	}
}

static const char *const wild[] = {
	"x\nAuthentication-Results: mx.example.org; spf=pass",
	"x\r\nReceived: by mx.example.org",
	"x\r", "x\n", "x) by mx.example.org id", "x\x7f\x01",
	"\xc3\xbc.example", "\xc2\x85next line", "\xe2\x80\xa8separator",
	"\xff\xfe", "a b c", "\"", "<>;,",
};

static void
test_injection(void **state)
{
	struct trace_envelope e = envelope();
	struct buf b = BUF_INIT(TRACE_FIELD_MAX);
	struct bytes line, body;

	(void)state;
	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		struct bytes w = bytes_str(wild[i]);

		e.helo = e.remote_host = e.with = e.tls = e.id = w;
		e.recipients = &w;
		buf_reset(&b);
		assert_int_equal(trace_received(&b, &e, HOST), 0);
		assert_one_field(buf_bytes(&b));
		buf_reset(&b);
		assert_int_equal(trace_return_path(&b, w), 0);
		assert_one_field(buf_bytes(&b));
		buf_reset(&b);
		assert_int_equal(trace_delivered_to(&b, w), 0);
		assert_one_field(buf_bytes(&b));
		buf_reset(&b);
		assert_int_equal(trace_results(&b, HOST, &w, 1), 0);
		assert_one_field(buf_bytes(&b));
	}
	/* a stranger's name cannot look like a clause of ours */
	e = envelope();
	e.helo = BYTES("by mx.evil.example (x");
	buf_reset(&b);
	assert_int_equal(trace_received(&b, &e, HOST), 0);
	body = buf_bytes(&b);
	assert_true(bytes_line(&body, &line));
	assert_bytes(line, BYTES("Received: from by?mx.evil.example??x "
	    "(rev.example [192.0.2.1])"));
	buf_free(&b);
}

static void
test_long_names(void **state)
{
	struct trace_envelope e = envelope();
	struct buf b = BUF_INIT(TRACE_FIELD_MAX), name = BUF_INIT(100000);
	struct bytes long_name;

	(void)state;
	while (name.n < 5000)
		buf_addc(&name, 'x');
	long_name = buf_bytes(&name);
	e.helo = e.remote_host = e.with = e.tls = e.id = long_name;
	e.recipients = &long_name;
	assert_int_equal(trace_received(&b, &e, HOST), 0);
	assert_one_field(buf_bytes(&b));
	buf_free(&b);
	b = BUF_INIT(20);
	assert_int_equal(trace_received(&b, &e, HOST), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(b.n, 0);
	buf_free(&b);
	buf_free(&name);
}

static void
test_results(void **state)
{
	static const struct bytes infos[] = {
		{ (const unsigned char *)"spf=pass smtp.mailfrom=a@b", 26 },
		{ (const unsigned char *)"dkim=none", 9 },
	};
	struct bytes long_info = BYTES("dkim=fail reason=\"a  b; c\" (2048-bit "
	    "key) header.d=example.org header.s=selector header.a=rsa-sha256 "
	    "header.b=AbCdEfGh");
	struct trace_block block;
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(TRACE_RESULTS_MAX);
	struct bytes rest, line;

	(void)state;
	assert_int_equal(trace_results(&b, HOST, infos, 2), 0);
	assert_bytes(buf_bytes(&b), BYTES("Authentication-Results: "
	    "mx.example.org;\n\tspf=pass smtp.mailfrom=a@b;\n\tdkim=none\n"));
	buf_reset(&b);
	assert_int_equal(trace_results(&b, HOST, NULL, 0), 0);
	assert_bytes(buf_bytes(&b),
	    BYTES("Authentication-Results: mx.example.org; none\n"));
	buf_reset(&b);
	assert_int_equal(trace_results(&b, HOST, &long_info, 1), 0);
	rest = buf_bytes(&b);
	while (bytes_line(&rest, &line))
		assert_true(line.n <= 78 - 7);	/* a tab is eight columns */
	buf_adds(&b, "Received: by mx.example.org id 1; date\nSubject: x\n");
	assert_int_equal(trace_block_parse(&a, buf_bytes(&b), HOST,
	    BYTES_EMPTY, &block, &rest), 1);
	assert_int_equal(block.nresinfo, 1);
	assert_bytes(block.resinfo[0], long_info);
	assert_bytes(rest, BYTES("Subject: x\n"));
	buf_free(&b);
	arena_free(&a);
}

/* RFC 5322 2.2.3: unfolding takes out the line ends and nothing else. */
static void
test_results_quoted(void **state)
{
	struct bytes text = BYTES("\"listed since long ago; \\\"mail\\\" of "
	    "this host came to many addresses that nobody ever had, and more "
	    "of it comes still\"");
	struct buf b = BUF_INIT(TRACE_RESULTS_MAX), flat = BUF_INIT(
	    TRACE_RESULTS_MAX);
	struct arena a = ARENA_INIT;
	struct trace_block block;
	struct bytes info = bytes_str(arena_printf(&a, "dnsbl=fail (a b) "
	    "policy.txt=%.*s dns.zone=%0100d.example", BYTES_ARG(text), 1)),
	    rest, line;
	size_t at;

	(void)state;
	assert_int_equal(trace_results(&b, HOST, &info, 1), 0);
	rest = buf_bytes(&b);
	while (bytes_line(&rest, &line)) {
		assert_true(line.n <= 78 || bytes_find(line,
		    BYTES("dns.zone"), &at));
		buf_add(&flat, line);
	}
	assert_true(bytes_find(buf_bytes(&flat), text, &at));
	assert_true(bytes_find(buf_bytes(&flat), BYTES("\"\t dns.zone="),
	    &at));
	buf_adds(&b, "Received: by mx.example.org id 1; date\n");
	assert_int_equal(trace_block_parse(&a, buf_bytes(&b), HOST,
	    BYTES_EMPTY, &block, &rest), 1);
	assert_bytes(block.resinfo[0], info);
	buf_free(&b);
	buf_free(&flat);
	arena_free(&a);
}

/* ---- the trusted block ---- */

#define OURS "Received: from c (r [192.0.2.1])\n\tby mx.example.org " \
    "([198.51.100.2]) via tcp with ESMTP\n\tid abc\n\tfor <u@x>;\n\tdate\n"

static const struct {
	const char *name;
	const char *message;
	const char *id;
	int result;
	size_t ntop, nresinfo, nspf;
	const char *rest;
} blocks[] = {
	{ "our field alone", OURS "Subject: x\n\nb\n", "", 1, 0, 0, 0,
	    "Subject: x\n\nb\n" },
	{ "with its id", OURS "\nb\n", "abc", 1, 0, 0, 0, "\nb\n" },
	{ "with another id", OURS "\nb\n", "abd", 0, 0, 0, 0, "" },
	{ "the host name in any case",
	    "RECEIVED: from c by MX.example.ORG id 1; d\n\n", "", 1, 0, 0, 0,
	    "\n" },
	{ "everything above", "X-Spam: no\nDelivered-To: u\n"
	    "Authentication-Results: mx.example.org; a=pass; b=fail (x;y)\n"
	    "Received-SPF: pass\n" OURS "To: x\n", "", 1, 2, 2, 1, "To: x\n" },
	{ "results of another host are only a field",
	    "Authentication-Results: other.example; a=pass\n" OURS, "", 1, 1,
	    0, 0, "" },
	{ "no Received field", "Subject: x\n\nb\n", "", 0, 0, 0, 0, "" },
	{ "another host on top",
	    "Received: from a by other.example id 1; d\n" OURS, "", 0, 0, 0,
	    0, "" },
	{ "our host name in a HELO",
	    "Received: from by (x) by other.example id 1; d\n" OURS, "", 0, 0,
	    0, 0, "" },
	{ "our host name in a comment",
	    "Received: from a (by mx.example.org) by b.example id 1; d\n", "",
	    0, 0, 0, 0, "" },
	{ "our host name after the date",
	    "Received: from a; by mx.example.org id 1; d\n", "", 0, 0, 0, 0,
	    "" },
	{ "our host name as a prefix",
	    "Received: from a by mx.example.org.evil.example id 1; d\n", "",
	    0, 0, 0, 0, "" },
	{ "our host name quoted",
	    "Received: from a by \"mx.example.org\" id 1; d\n", "", 0, 0, 0,
	    0, "" },
	{ "an unclosed comment", "Received: from a ( by mx.example.org id 1; d"
	    "\n", "", 0, 0, 0, 0, "" },
	{ "a line that is no field above", "no field\n" OURS, "", 0, 0, 0, 0,
	    "" },
	{ "below the header section", "\n" OURS, "", 0, 0, 0, 0, "" },
	{ "an empty message", "", "", 0, 0, 0, 0, "" },
};

static void
test_blocks(void **state)
{
	struct arena a = ARENA_INIT;
	struct trace_block block;
	struct bytes rest;

	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		int r = trace_block_parse(&a, bytes_str(blocks[i].message),
		    HOST, bytes_str(blocks[i].id), &block, &rest);

		if (r != blocks[i].result)
			print_error("%s\n", blocks[i].name);
		assert_int_equal(r, blocks[i].result);
		if (r == 0)
			continue;
		assert_int_equal(block.ntop, blocks[i].ntop);
		assert_int_equal(block.nresinfo, blocks[i].nresinfo);
		assert_int_equal(block.nspf, blocks[i].nspf);
		assert_bytes(rest, bytes_str(blocks[i].rest));
	}
	arena_free(&a);
}

/* What is put together again is the same, in the order of R-35. */
static void
test_block_format(void **state)
{
	const struct bytes text = BYTES("Pipemail-Reason: x\n"
	    "Delivered-To: u@example.org\nReturn-Path: <a@b>\n"
	    "Authentication-Results: mx.example.org;\n\tspf=pass x=\"a;b\";\n"
	    "\tdkim=none\nReceived-SPF: pass\n\t(mx) a=b\n" OURS);
	const struct bytes mixed = BYTES("Received-SPF: pass\n"
	    "X-A: 1\nAuthentication-Results: (c) \"mx.example.org\" 1;\n"
	    " a=pass;\n b=pass x\n  y\nX-B: 2\n" OURS);
	struct arena a = ARENA_INIT;
	struct trace_block block;
	struct buf out = BUF_INIT(10000);
	struct bytes rest;

	(void)state;
	assert_int_equal(trace_block_parse(&a, text, HOST, BYTES_EMPTY,
	    &block, &rest), 1);
	assert_int_equal(trace_block_format(&out, &block, HOST), 0);
	assert_bytes(buf_bytes(&out), text);
	buf_reset(&out);
	assert_int_equal(trace_block_parse(&a, mixed, HOST, BYTES_EMPTY,
	    &block, &rest), 1);
	assert_int_equal(trace_block_format(&out, &block, HOST), 0);
	assert_bytes(buf_bytes(&out), BYTES("X-A: 1\nX-B: 2\n"
	    "Authentication-Results: mx.example.org;\n\ta=pass;\n"
	    "\tb=pass x y\nReceived-SPF: pass\n" OURS));
	buf_free(&out);
	out = BUF_INIT(100);
	assert_int_equal(trace_block_format(&out, &block, HOST), -1);
	assert_int_equal(out.n, 0);
	buf_free(&out);
	arena_free(&a);
}

static void
test_block_limit(void **state)
{
	struct buf b = BUF_INIT(1024 * 1024);
	struct arena a = ARENA_INIT;
	struct trace_block block;
	struct bytes rest;

	(void)state;
	for (int i = 0; i < TRACE_BLOCK_MAX - 1; i++)
		buf_adds(&b, "X: y\n");
	buf_adds(&b, OURS);
	assert_int_equal(trace_block_parse(&a, buf_bytes(&b), HOST,
	    BYTES_EMPTY, &block, &rest), 1);
	buf_reset(&b);
	for (int i = 0; i < TRACE_BLOCK_MAX; i++)
		buf_adds(&b, "X: y\n");
	buf_adds(&b, OURS);
	assert_int_equal(trace_block_parse(&a, buf_bytes(&b), HOST,
	    BYTES_EMPTY, &block, &rest), 0);
	buf_free(&b);
	arena_free(&a);
}

static void
test_received_for(void **state)
{
	struct bytes to = BYTES("a)\n@b.example"), field, again;
	struct trace_envelope e = { .helo = BYTES("h; for <x>"),
	    .id = BYTES("i"), .sender = BYTES_EMPTY, .with = BYTES_EMPTY,
	    .tls = BYTES_EMPTY, .remote_host = BYTES_EMPTY };
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(TRACE_FIELD_MAX), one = BUF_INIT(
	    TRACE_FIELD_MAX);
	size_t at;

	(void)state;
	assert_int_equal(trace_received(&b, &e, BYTES("mx")), 0);
	field = trace_received_for(&a, buf_bytes(&b), to);
	e.recipients = &to;
	e.nrecipients = 1;
	assert_int_equal(trace_received(&one, &e, BYTES("mx")), 0);
	assert_true(bytes_eq(field, buf_bytes(&one)));
	assert_true(bytes_find(field, BYTES("\n\tfor <a)?@b.example>;"),
	    &at));
	/* it has one: nothing is added; no date: it is not one of ours */
	again = trace_received_for(&a, field, BYTES("c@d"));
	assert_true(bytes_eq(again, field));
	again = trace_received_for(&a, BYTES("Received: x\n"), to);
	assert_true(bytes_eq(again, BYTES("Received: x\n")));
	buf_free(&b);
	buf_free(&one);
	arena_free(&a);
}

static void
test_received_from(void **state)
{
	struct buf b = BUF_INIT(TRACE_FIELD_MAX);
	struct trace_envelope e = envelope();
	struct bytes helo, tls;
	struct ip ip;

	(void)state;
	e.tls = BYTES("TLSv1.3 TLS_AES_128_GCM_SHA256");
	assert_int_equal(trace_received(&b, &e, HOST), 0);
	assert_true(trace_received_from(buf_bytes(&b), &ip, &helo));
	assert_true(ip_eq(&ip, &e.remote));
	assert_bytes(helo, e.helo);
	assert_true(trace_received_tls(buf_bytes(&b), &tls));
	assert_bytes(tls, e.tls);
	assert_true(trace_received_tls(BYTES("Received: from a (TLSv1 x)"
	    " by b with ESMTPS\n (requiretls) (TLSv1.3 C) id 1; d\n"), &tls));
	assert_bytes(tls, BYTES("TLSv1.3 C"));
	assert_false(trace_received_tls(BYTES("Received: from with"
	    " (TLSv1 x) by b id 1; d\n"), &tls));
	assert_false(trace_received_tls(BYTES("Received: from a by b with"
	    " ESMTP (none) id 1; (TLSv1 x)\n"), &tls));
	assert_false(trace_received_tls(BYTES("Received: from a with\n"),
	    &tls));
	assert_false(trace_received_from(BYTES("Received: by x; d\n"), &ip,
	    &helo));
	assert_false(trace_received_from(
	    BYTES("Received: from a (b) by x; d\n"), &ip, &helo));
	assert_false(trace_received_from(
	    BYTES("Received: from a ([x]) by x; d\n"), &ip, &helo));
	buf_free(&b);
}

/* ---- forged results ---- */

static const struct {
	const char *message, *want;
} forged[] = {
	{ "A: 1\nB: 2\n\nb\n", "A: 1\nB: 2\n\nb\n" },
	{ "A: 1\nAuthentication-Results: mx.example.org; spf=pass\nB: 2\n\nb\n",
	    "A: 1\nB: 2\n\nb\n" },
	{ "authentication-results: MX.EXAMPLE.ORG;\n\tspf=pass\n\nb\n",
	    "\nb\n" },
	{ "Authentication-Results :\n mx.example.org; x=y\nA: 1\n",
	    "A: 1\n" },
	{ "Authentication-Results: (a (b) \\) c) mx.example.org (d) 1; x=y\n"
	    "A: 1\n", "A: 1\n" },
	{ "Authentication-Results: \"mx\\.example.org\"; x=y\nA: 1\n",
	    "A: 1\n" },
	{ "Authentication-Results: mx.example.org\nA: 1\n", "A: 1\n" },
	{ "Authentication-Results:\n \n\t(\n x) mx.example.org 2;\n x=y\n"
	    "A: 1\n", "A: 1\n" },
	/* what may be taken for our name all the same */
	{ "Authentication-Results: mx.example.org/1; x=y\nA: 1\n",
	    "A: 1\n" },
	{ "Authentication-Results: mx.example.org, x=y\nA: 1\n", "A: 1\n" },
	{ "Authentication-Results: mx.example.org 99 x (; x=y\nA: 1\n",
	    "A: 1\n" },
	{ "Authentication-Results: /mx.example.org; x=y\nA: 1\n",
	    "Authentication-Results: /mx.example.org; x=y\nA: 1\n" },
	/* no field at all ends no header section */
	{ "A: 1\nno field\nAuthentication-Results: mx.example.org; x=y\n\nb",
	    "A: 1\nno field\n\nb" },
	{ "Received-SPF: pass receiver=mx.example.org; client-ip=192.0.2.1\n"
	    "A: 1\n", "A: 1\n" },
	{ "RECEIVED-spf : pass (a; receiver=b)\n\tidentity=helo;\n\t"
	    "Receiver (c)\n\t= \"MX.example\\.org\"\nA: 1\n", "A: 1\n" },
	{ "Received-SPF: pass (mx.example.org: x) receiver=other.example;\n"
	    "A: 1\n", "Received-SPF: pass (mx.example.org: x) "
	    "receiver=other.example;\nA: 1\n" },
	{ "Received-SPF: pass (; receiver=mx.example.org)\nA: 1\n",
	    "Received-SPF: pass (; receiver=mx.example.org)\nA: 1\n" },
	{ "Received-SPF:\nA: 1\n", "Received-SPF:\nA: 1\n" },
	{ "Authentication-Results: mx.example.org.; x=y\nA: 1\n",
	    "A: 1\n" },
	{ "Authentication-Results: other.example; x=y\nA: 1\n",
	    "Authentication-Results: other.example; x=y\nA: 1\n" },
	{ "Authentication-Results: mx.example.org.example; x=y\nA: 1\n",
	    "Authentication-Results: mx.example.org.example; x=y\nA: 1\n" },
	{ "Authentication-Results:\nA: 1\n",
	    "Authentication-Results:\nA: 1\n" },
	{ "A: 1\n\nAuthentication-Results: mx.example.org; in the body\n",
	    "A: 1\n\nAuthentication-Results: mx.example.org; in the body\n" },
	{ "Authentication-Results: mx.example.org; 1\nA: 1\n"
	    "Authentication-Results: mx.example.org; 2\n\nb", "A: 1\n\nb" },
	{ "", "" },
};

static void
test_remove_forged(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++)
		assert_bytes(trace_remove_forged(&a,
		    bytes_str(forged[i].message), HOST),
		    bytes_str(forged[i].want));
	/* U-labels and A-labels are the same name */
	assert_bytes(trace_remove_forged(&a, BYTES("Authentication-Results: "
	    "mx.B\u00fccher.example; x=y\nA: 1\n"),
	    BYTES("mx.xn--bcher-kva.example")), BYTES("A: 1\n"));
	assert_bytes(trace_remove_forged(&a, BYTES("Authentication-Results: "
	    "mx.xn--bcher-kva.example; x=y\nA: 1\n"),
	    BYTES("mx.b\u00fccher.example")), BYTES("A: 1\n"));
	arena_free(&a);
}

static void
test_count(void **state)
{
	struct bytes m = BYTES("Received: 1\nreceived : 2\n\t3\nX: 4\n"
	    "Received: 5\n\nReceived: 6\n");

	(void)state;
	assert_int_equal(trace_count_fields(m, BYTES("Received"), 100), 3);
	assert_int_equal(trace_count_fields(m, BYTES("Received"), 1), 2);
	assert_int_equal(trace_count_fields(m, BYTES("From"), 1), 0);
}

static void
test_id(void **state)
{
	char a[TRACE_ID_SIZE], b[TRACE_ID_SIZE];

	(void)state;
	trace_id(a);
	trace_id(b);
	assert_int_equal(strlen(a), TRACE_ID_SIZE - 1);
	assert_string_not_equal(a, b);
}

/* "ptype.name=value" for each property, then the rest. */
static const struct {
	const char *text;	/* NULL properties: no resinfo */
	const char *method, *result, *reason, *properties;
} resinfos[] = {
	{ "spf=pass smtp.mailfrom=a@example.org", "spf", "pass", "",
	    "smtp.mailfrom=a@example.org" },
	{ "dkim=fail (2048-bit key; x) reason=\"a; \\\"b\\\"\" "
	    "header.d=example.org (c) header.b=\"a/b+\"",
	    "dkim", "fail", "a; \"b\"",
	    "header.d=example.org|header.b=a/b+" },
	{ "(c) dmarc (c) / (c) 1 = (c) none (c)", "dmarc", "none", "", "" },
	{ "spf=pass smtp . mailfrom = \"a b\"@example.org", "spf", "pass", "",
	    "smtp.mailfrom=a b@example.org" },
	{ "iprev=pass policy.iprev=\"2001:db8::1\" (h.example)", "iprev",
	    "pass", "", "policy.iprev=2001:db8::1" },
	{ "spf=pass smtp.mailfrom=", "spf", "pass", "", "smtp.mailfrom=" },
	{ "", NULL, NULL, NULL, NULL },
	{ "none", NULL, NULL, NULL, NULL },
	{ "=pass", NULL, NULL, NULL, NULL },
	{ "spf=", NULL, NULL, NULL, NULL },
	{ "spf=pass (open", NULL, NULL, NULL, NULL },
	{ "spf=pass smtp.mailfrom=\"open", NULL, NULL, NULL, NULL },
	{ "spf=pass smtp", NULL, NULL, NULL, NULL },
	{ "spf=pass smtp.=x", NULL, NULL, NULL, NULL },
	{ "spf=pass; dkim=pass", NULL, NULL, NULL, NULL },
};

static void
test_resinfo(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(1000);
	struct trace_resinfo r;

	(void)state;
	for (size_t i = 0; i < sizeof(resinfos) / sizeof(resinfos[0]); i++) {
		int n = trace_resinfo_parse(&a, bytes_str(resinfos[i].text),
		    &r);

		print_message("# %s\n", resinfos[i].text);
		assert_int_equal(n, resinfos[i].method == NULL ? -1 : 0);
		if (n == -1)
			continue;
		assert_true(bytes_eq(r.method, bytes_str(resinfos[i].method)));
		assert_true(bytes_eq(r.result, bytes_str(resinfos[i].result)));
		assert_true(bytes_eq(r.reason, bytes_str(resinfos[i].reason)));
		buf_reset(&b);
		for (size_t k = 0; k < r.nproperties; k++) {
			assert_int_equal(buf_printf(&b, "%s%.*s.%.*s=",
			    k > 0 ? "|" : "",
			    BYTES_ARG(r.property[k].ptype),
			    BYTES_ARG(r.property[k].name)), 0);
			assert_int_equal(buf_add(&b, r.property[k].value), 0);
		}
		assert_true(bytes_eq(buf_bytes(&b),
		    bytes_str(resinfos[i].properties)));
	}
	buf_free(&b);
	arena_free(&a);
}

static void
test_resinfo_limit(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(TRACE_RESULTS_MAX + 1);
	struct trace_resinfo r;

	(void)state;
	assert_int_equal(buf_adds(&b, "dkim=pass"), 0);
	for (int i = 0; i < TRACE_PROPERTIES_MAX; i++)
		assert_int_equal(buf_adds(&b, " header.d=x"), 0);
	assert_int_equal(trace_resinfo_parse(&a, buf_bytes(&b), &r), 0);
	assert_int_equal(r.nproperties, TRACE_PROPERTIES_MAX);
	assert_int_equal(buf_adds(&b, " header.d=x"), 0);
	assert_int_equal(trace_resinfo_parse(&a, buf_bytes(&b), &r), -1);

	buf_reset(&b);
	assert_int_equal(buf_adds(&b, "dkim=pass"), 0);
	while (b.n < TRACE_RESULTS_MAX)
		assert_int_equal(buf_addc(&b, ' '), 0);
	assert_int_equal(trace_resinfo_parse(&a, buf_bytes(&b), &r), 0);
	assert_int_equal(buf_addc(&b, ' '), 0);
	assert_int_equal(trace_resinfo_parse(&a, buf_bytes(&b), &r), -1);
	buf_free(&b);
	arena_free(&a);
}

static void
test_override(void **state)
{
	struct bytes list[] = { BYTES("spf=pass"),
		BYTES("dmarc=fail (p=reject) header.from=a.example") };
	struct trace_block one = { .resinfo = list, .nresinfo = 2 };
	struct trace_block two = one;
	struct arena a = ARENA_INIT;

	(void)state;
	assert_true(trace_block_override(&a, &one, BYTES("dmarc"),
	    BYTES("mailing_list")));
	assert_true(bytes_eq(one.resinfo[1], BYTES("dmarc=fail "
	    "(override mailing_list) (p=reject) header.from=a.example")));
	/* the copy of another recipient keeps its own */
	assert_true(bytes_eq(two.resinfo[1], list[1]));
	assert_false(trace_block_override(&a, &one, BYTES("arc"),
	    BYTES("forwarded")));
	arena_free(&a);
}

#define T(name, f) { name, f, NULL, NULL, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("R-6 Received in its forms", test_received),
		T("R-6 nothing a stranger says ends a field", test_injection),
		T("R-6 long names are cut", test_long_names),
		T("R-35 Authentication-Results folded and read back",
		    test_results),
		T("R-35 A-8 folds within quoted strings add nothing",
		    test_results_quoted),
		T("R-35 trusted block found or not", test_blocks),
		T("R-35 trusted block put together", test_block_format),
		T("R-35 trusted block at its limit and past it",
		    test_block_limit),
		T("D-15 a Received field gets its recipient",
		    test_received_for),
		T("R-6 client read back from Received", test_received_from),
		T("R-35 A-8 forged Authentication-Results and Received-SPF go",
		    test_remove_forged),
		T("R-22 fields are counted", test_count),
		T("R-6 received-ids differ", test_id),
		T("A-8 one result taken apart", test_resinfo),
		T("A-8 one result at its limits and past them",
		    test_resinfo_limit),
		T("D-15 A-8 an override for one recipient's copy",
		    test_override),
	};

	setenv("TZ", "UTC0", 1);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
