/* origin_test.c - A-11 and what else is read of a sender */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "origin/origin.h"

static struct arena arena = ARENA_INIT;

/* Everything of an origin in one line. */
static const char *
shown(const struct origin *o)
{
	struct buf b = BUF_INIT(8192);
	char ip[IP_TEXT_MAX];
	const char *text;

	(void)buf_printf(&b, "from=%.*s@%.*s org=%.*s%s mail=%.*s@%.*s%s "
	    "helo=%.*s%s ip=%s", BYTES_ARG(o->from_local),
	    BYTES_ARG(o->from_domain), BYTES_ARG(o->from_org),
	    o->from_validated ? " ok" : "", BYTES_ARG(o->mail_from_local),
	    BYTES_ARG(o->mail_from_domain),
	    o->mail_from_validated ? " ok" : "", BYTES_ARG(o->helo),
	    o->helo_validated ? " ok" : "", ip_format(&o->ip, ip));
	for (size_t i = 0; i < o->ndkim; i++)
		(void)buf_printf(&b, " d=%.*s", BYTES_ARG(o->dkim[i]));
	text = arena_str(&arena, buf_bytes(&b));
	buf_free(&b);
	return text;
}

#define RECEIVED \
	"Received: from mx.Example.org (mx.example.org [192.0.2.1])\n" \
	"\tby mail.test with ESMTP id abc; Sat, 21 Nov 2026 10:00:00 +0000\n"
#define RESULTS(s) "Authentication-Results: mail.test; " s "\n"
#define FRONT(path) "Delivered-To: me@mail.test\nReturn-Path: <" path ">\n"
#define FROM "From: Anna <Anna@News.Example.org>\nSubject: x\n\nbody\n"
#define NONE "from=@ org= mail=@ helo= ip=unknown"

static const struct {
	const char *what, *message, *want;
} cases[] = {
	{ "all of it", FRONT("Bounce@List.example.org")
	    RESULTS("spf=pass smtp.mailfrom=Bounce@List.example.org; "
	    "dkim=pass header.d=Example.org header.s=a header.b=x; "
	    "dkim=fail header.d=other.org; "
	    "dmarc=pass header.from=news.example.org policy.dmarc=none "
	    "policy.alignment=relaxed") RECEIVED FROM,
	    "from=anna@news.example.org org=example.org ok "
	    "mail=bounce@list.example.org ok helo=mx.example.org "
	    "ip=192.0.2.1 d=example.org" },
	{ "a rule says it was forwarded", FRONT("a@fwd.org")
	    RESULTS("spf=pass smtp.mailfrom=a@fwd.org; dkim=pass "
	    "header.d=fwd.org; dkim=pass header.d=example.org; "
	    "dmarc=pass (override forwarded) header.from=news.example.org "
	    "policy.dmarc=none policy.alignment=relaxed") RECEIVED FROM,
	    "from=anna@news.example.org org=example.org ok mail=@ helo= "
	    "ip=unknown d=example.org" },
	{ "an author's words are none of ours", FRONT("a@fwd.org")
	    RESULTS("spf=pass smtp.mailfrom=a@fwd.org; dkim=pass (override "
	    "forwarded) header.d=fwd.org; dmarc=pass header.from=\""
	    " (override forwarded)\" policy.dmarc=none") RECEIVED FROM,
	    "from=anna@news.example.org org=example.org mail=a@fwd.org ok "
	    "helo=mx.example.org ip=192.0.2.1 d=fwd.org" },
	{ "nothing passed", FRONT("a@example.org")
	    RESULTS("spf=softfail smtp.mailfrom=a@example.org; dkim=none; "
	    "dmarc=fail header.from=news.example.org policy.dmarc=none "
	    "policy.alignment=none") RECEIVED FROM,
	    "from=anna@news.example.org org=example.org mail=a@example.org "
	    "helo=mx.example.org ip=192.0.2.1" },
	{ "several signatures, each domain once", FRONT("")
	    RESULTS("spf=pass smtp.helo=mx.example.org; "
	    "dkim=pass header.d=a.org; dkim=pass header.d=b.org; "
	    "dkim=pass header.d=A.org; dkim=pass header.d=\"not a domain\"")
	    RECEIVED FROM,
	    "from=anna@news.example.org org=example.org mail=@ "
	    "helo=mx.example.org ok ip=192.0.2.1 d=a.org d=b.org" },
	{ "no results at all", FRONT("a@example.org") RECEIVED FROM,
	    "from=anna@news.example.org org=example.org mail=a@example.org "
	    "helo=mx.example.org ip=192.0.2.1" },
	{ "results for another From", FRONT("a@example.org")
	    RESULTS("dmarc=pass header.from=other.org policy.dmarc=none "
	    "policy.alignment=strict") RECEIVED FROM,
	    "from=anna@news.example.org org=example.org mail=a@example.org "
	    "helo=mx.example.org ip=192.0.2.1" },
	{ "two From fields", FRONT("a@example.org") RECEIVED
	    "From: a@x.org\n" FROM,
	    "from=@ org= mail=a@example.org helo=mx.example.org "
	    "ip=192.0.2.1" },
	{ "two From addresses", FRONT("a@example.org") RECEIVED
	    "From: a@x.org, b@y.org\n\n",
	    "from=@ org= mail=a@example.org helo=mx.example.org "
	    "ip=192.0.2.1" },
	{ "results below our Received are a stranger's",
	    FRONT("a@example.org") RECEIVED
	    RESULTS("spf=pass smtp.mailfrom=a@example.org; dkim=pass "
	    "header.d=bank.org; dmarc=pass header.from=news.example.org "
	    "policy.alignment=strict") FROM,
	    "from=anna@news.example.org org=example.org mail=a@example.org "
	    "helo=mx.example.org ip=192.0.2.1" },
	{ "results of another server", FRONT("a@example.org")
	    "Authentication-Results: evil.test; dkim=pass header.d=bank.org\n"
	    RECEIVED FROM,
	    "from=anna@news.example.org org=example.org mail=a@example.org "
	    "helo=mx.example.org ip=192.0.2.1" },
	{ "received by another server", FRONT("a@example.org")
	    "Received: from a (a [192.0.2.1]) by other.test; x\n" FROM, NONE },
	{ "on its way, without Return-Path",
	    RESULTS("spf=pass smtp.mailfrom=b@example.org") RECEIVED FROM,
	    "from=anna@news.example.org org=example.org mail=b@example.org ok "
	    "helo=mx.example.org ip=192.0.2.1" },
	{ "a stranger's Return-Path", RECEIVED
	    "Return-Path: <b@example.org>\n" FROM,
	    "from=anna@news.example.org org=example.org mail=@ "
	    "helo=mx.example.org ip=192.0.2.1" },
	{ "not received at all", FROM, NONE },
	{ "IPv6, a HELO that is an address, a literal as sender",
	    FRONT("a@[192.0.2.9]")
	    "Received: from [192.0.2.9] (unknown [2001:db8::1]) by mail.test;"
	    " x\n" FROM,
	    "from=anna@news.example.org org=example.org mail=@ helo= "
	    "ip=2001:db8::1" },
	{ "names beyond ASCII", FRONT("a@b\xc3\xbc" "cher.example")
	    RESULTS("dkim=pass header.d=b\xc3\xbc" "cher.example") RECEIVED
	    "From: A@B\xc3\xbc" "cher.example\n\n",
	    "from=a@xn--bcher-kva.example org=xn--bcher-kva.example "
	    "mail=a@xn--bcher-kva.example helo=mx.example.org ip=192.0.2.1 "
	    "d=xn--bcher-kva.example" },
};

static void
stored_messages(void **state)
{
	struct origin o;
	bool ours;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ours = origin_of_stored(&arena, bytes_str(cases[i].message),
		    BYTES("mail.test"), &o);
		print_message("# %s\n", cases[i].what);
		assert_string_equal(shown(&o), cases[i].want);
		assert_int_equal(ours, strcmp(cases[i].want, NONE) != 0);
		assert_int_equal(ours, !origin_is_empty(&o));
	}
}

/* Signatures at the limit, and one past it. */
static void
many_signatures(void **state)
{
	struct buf b = BUF_INIT(65536);
	struct origin o;

	(void)state;
	for (int n = ORIGIN_DKIM_MAX; n <= ORIGIN_DKIM_MAX + 1; n++) {
		buf_reset(&b);
		(void)buf_adds(&b, FRONT("a@x.org")
		    "Authentication-Results: mail.test");
		for (int i = 0; i < n; i++)
			(void)buf_printf(&b, "; dkim=pass header.d=d%d.org",
			    i);
		(void)buf_adds(&b, "\n" RECEIVED FROM);
		assert_true(origin_of_stored(&arena, buf_bytes(&b),
		    BYTES("mail.test"), &o));
		assert_int_equal(o.ndkim, ORIGIN_DKIM_MAX);
		assert_true(bytes_eq(o.dkim[ORIGIN_DKIM_MAX - 1],
		    BYTES("d19.org")));
	}
	buf_free(&b);
}

static void
forwarded_mail(void **state)
{
	struct origin o;

	(void)state;
	assert_true(origin_of_stored(&arena, bytes_str(FRONT("a@fwd.org")
	    RESULTS("spf=pass smtp.mailfrom=a@fwd.org; dkim=pass "
	    "header.d=fwd.org; dkim=pass header.d=sub.fwd.org; dkim=pass "
	    "header.d=example.org; dmarc=pass header.from=news.example.org "
	    "policy.alignment=dmarc") RECEIVED FROM), BYTES("mail.test"), &o));
	origin_forwarded(&o, BYTES("Fwd.org"));
	assert_string_equal(shown(&o), "from=anna@news.example.org "
	    "org=example.org ok mail=@ helo= ip=unknown d=sub.fwd.org "
	    "d=example.org");
}

static void
masks(void **state)
{
	static const char *const want[][1 + ORIGIN_MASKS] = {
		{ "192.0.255.255", "192.0.255.255", "192.0.255.192",
		    "192.0.248.0" },
		{ "2001:db8:ffff:ffff:ffff::1", "2001:db8:ffff:ffff::",
		    "2001:db8:ffff::", "2001:db8::" },
	};
	struct ip ip, out[ORIGIN_MASKS];
	char text[IP_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(ip_parse(bytes_str(want[i][0]), &ip), 0);
		origin_masks(&ip, out);
		for (int m = 0; m < ORIGIN_MASKS; m++)
			assert_string_equal(ip_format(&out[m], text),
			    want[i][1 + m]);
	}
	ip.family = 0;
	origin_masks(&ip, out);
	assert_int_equal(out[0].family, 0);
}

#define T(name, f) { name, f, NULL, NULL, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("A-11 J-2 facts of a stored message", stored_messages),
		T("A-11 signatures at their limit and past it",
		    many_signatures),
		T("J-2 a forwarder neither gains nor loses", forwarded_mail),
		T("R-29 the three masks of an address", masks),
	};
	int r;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return r;
}
