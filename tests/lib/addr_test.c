/*
 * addr_test.c - SMTP paths
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>

#include "addr/addr.h"
#include "arena_check.h"
#include "vectors.h"

/* ---- paths ---- */

static const struct {
	const char *in;
	const char *local_part;		/* NULL: refused */
	const char *domain;
	const char *ascii;
	const char *out;		/* as written again; NULL: as in */
} paths[] = {
	{ "a@example.org", "a", "example.org", "example.org", NULL },
	{ "A@EXAMPLE.org", "A", "example.org", "example.org",
	  "A@example.org" },
	{ "a.b+c@x", "a.b+c", "x", "x", NULL },
	{ "!#$%&'*+-/=?^_`{|}~@x", "!#$%&'*+-/=?^_`{|}~", "x", "x", NULL },
	{ "\"a\"@x", "a", "x", "x", "a@x" },
	{ "\"\"@x", "", "x", "x", NULL },
	{ "\"a b\"@x", "a b", "x", "x", NULL },
	{ "\"a@b\"@x", "a@b", "x", "x", NULL },
	{ "\"a\\\"b\\\\\"@x", "a\"b\\", "x", "x", NULL },
	{ "\"\\a\"@x", "a", "x", "x", "a@x" },
	{ "\".a\"@x", ".a", "x", "x", NULL },
	{ "\"a..b\"@x", "a..b", "x", "x", NULL },
	{ "@a,@b:c@x", "c", "x", "x", "c@x" },
	{ "@a.example:c@x", "c", "x", "x", "c@x" },
	{ "a@[192.0.2.1]", "a", "[192.0.2.1]", "[192.0.2.1]", NULL },
	{ "a@[IPv6:2001:DB8::1]", "a", "[IPv6:2001:db8::1]",
	  "[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]" },
	{ "a@[ipv6:::1]", "a", "[IPv6:::1]", "[IPv6:::1]",
	  "a@[IPv6:::1]" },
	{ "a@[x-new:thing]", "a", "[x-new:thing]", "[x-new:thing]", NULL },
	{ "\xc3\xbc@x", "\xc3\xbc", "x", "x", NULL },
	{ "u\xcc\x88@x", "\xc3\xbc", "x", "x", "\xc3\xbc@x" },
	{ "\"\xc3\xbc\xc3\xbc \"@x", "\xc3\xbc\xc3\xbc ", "x", "x", NULL },
	{ "a@M\xc3\xbcnchen.example", "a", "m\xc3\xbcnchen.example",
	  "xn--mnchen-3ya.example", "a@m\xc3\xbcnchen.example" },
	{ "a@xn--mnchen-3ya.example", "a", "m\xc3\xbcnchen.example",
	  "xn--mnchen-3ya.example", "a@m\xc3\xbcnchen.example" },
	{ .in = "a" }, { .in = "@x" }, { .in = "a@" }, { .in = "a@b@c" },
	{ .in = ".a@x" }, { .in = "a.@x" }, { .in = "a..b@x" },
	{ .in = "a b@x" }, { .in = "a@x y" }, { .in = " a@x" },
	{ .in = "a@x " }, { .in = "a,b@x" }, { .in = "a@x." },
	{ .in = "a@.x" }, { .in = "a@x..y" }, { .in = "a@-x" },
	{ .in = "a@x-" }, { .in = "a@x_y" }, { .in = "a@x,y" },
	{ .in = "\"a@x" }, { .in = "\"a\"b@x" }, { .in = "\"a\".b@x" },
	{ .in = "\"a\"\"b\"@x" }, { .in = "\"a\tb\"@x" },
	{ .in = "\"a\\\x01\"@x" }, { .in = "(c)a@x" }, { .in = "a(c)@x" },
	{ .in = "a@[1.2.3]" }, { .in = "a@[1.2.3.256]" },
	{ .in = "a@[1.2.3.4" }, { .in = "a@1.2.3.4]" }, { .in = "a@[::1]" },
	{ .in = "a@[IPv6:1.2.3.4]" }, { .in = "a@[IPv6:1::2::3]" },
	{ .in = "a@[1.2.3.4]x" }, { .in = "a@[]" }, { .in = "a@[x]" },
	{ .in = "a@[x-:y]" }, { .in = "a@[x:]" }, { .in = "a@[x:y z]" },
	{ .in = "a@[x:y\"]" }, { .in = "a@[x:y>]" },
	{ .in = "@a,b:c@x" }, { .in = "@a:" }, { .in = "@a" },
	{ .in = "@a c@x" }, { .in = "<a@x>" }, { .in = "\xff@x" },
	{ .in = "a@\xff" }, { .in = "a@\xe2\x98\x83" },
	{ .in = "a@xn--a" }, { .in = "\"\\\xc3\xbc\"@x" },
	{ .in = "a\x7f@x" },
};

static void
test_paths(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct path p, again;
		const char *why = NULL;
		struct bytes text;
		int r = addr_parse_path(&arena, bytes_str(paths[i].in),
		    ADDR_SMTPUTF8, &p, &why);

		if (r != (paths[i].local_part == NULL ? -1 : 0))
			print_message("# path %s: %d\n", paths[i].in, r);
		if (paths[i].local_part == NULL) {
			assert_int_equal(r, -1);
			assert_true(errno == EBADMSG || errno == EMSGSIZE);
			assert_non_null(why);
			continue;
		}
		assert_int_equal(r, 0);
		assert_false(p.is_null || p.is_postmaster);
		assert_text(p.local_part, paths[i].local_part);
		assert_text(p.domain, paths[i].domain);
		assert_text(p.domain_ascii, paths[i].ascii);
		text = addr_path_text(&arena, &p, false);
		assert_text(text, paths[i].out == NULL ? paths[i].in
		    : paths[i].out);
		assert_int_equal(addr_parse_path(&arena, text, ADDR_SMTPUTF8,
		    &again, &why), 0);
		assert_true(addr_path_eq(&p, &again));
	}
}

static void
test_special_paths(void **state)
{
	struct path p, q;
	const char *why;

	(void)state;
	assert_int_equal(addr_parse_path(&arena, BYTES(""), 0, &p, &why), 0);
	assert_true(p.is_null);
	assert_text(addr_path_text(&arena, &p, false), "");
	assert_int_equal(addr_parse_path(&arena, BYTES("PostMaster"), 0, &q,
	    &why), 0);
	assert_true(q.is_postmaster);
	assert_false(addr_path_eq(&p, &q));
	assert_text(addr_path_text(&arena, &q, true), "postmaster");
	assert_int_equal(addr_parse_path(&arena, BYTES("a@[192.0.2.7]"), 0,
	    &p, &why), 0);
	assert_true(p.is_literal);
	assert_int_equal(p.literal.family, AF_INET);
	assert_int_equal(p.literal.a[3], 7);
	assert_int_equal(addr_parse_path(&arena,
	    bytes_of("a\0b@x", 5), 0, &p, &why), -1);
	/* Mailboxes have neither routes nor null. */
	assert_int_equal(addr_parse_mailbox(&arena, BYTES(""), 0, &p, &why),
	    -1);
	assert_int_equal(addr_parse_mailbox(&arena, BYTES("@a:b@c"), 0, &p,
	    &why), -1);
	assert_int_equal(addr_parse_mailbox(&arena, BYTES("postmaster"), 0,
	    &p, &why), -1);
	assert_int_equal(addr_parse_mailbox(&arena, BYTES("b@C"), 0, &p,
	    &why), 0);
	assert_text(p.domain, "c");
}

static void
test_smtputf8(void **state)
{
	struct path p;
	const char *why;

	(void)state;
	assert_int_equal(addr_parse_path(&arena, BYTES("\xc3\xbc@x"), 0, &p,
	    &why), -1);
	assert_int_equal(addr_parse_path(&arena, BYTES("a@\xc3\xbc"), 0, &p,
	    &why), -1);
	assert_int_equal(addr_parse_path(&arena, BYTES("a@\xc3\xbc"),
	    ADDR_SMTPUTF8, &p, &why), 0);
	assert_true(p.is_utf8);
	/* An A-label carries it: SMTPUTF8 is not needed to pass it on. */
	assert_false(addr_needs_smtputf8(&p));
	assert_text(addr_path_text(&arena, &p, true), "a@xn--tda");
	assert_int_equal(addr_parse_path(&arena, BYTES("\xc3\xbc@x"),
	    ADDR_SMTPUTF8, &p, &why), 0);
	assert_true(addr_needs_smtputf8(&p));
}

static void
test_path_limits(void **state)
{
	struct bytes label = repeat("b", 63, "");
	struct path p;
	const char *why;
	struct bytes s;
	size_t i;

	(void)state;
	for (i = 63; i <= 65; i++)
		assert_int_equal(addr_parse_path(&arena, repeat("a", i, "@x"),
		    0, &p, &why), i <= ADDR_LOCAL_PART_MAX ? 0 : -1);
	assert_int_equal(errno, EMSGSIZE);
	/* 64 octets with the quotes, as the grammar counts. */
	s = repeat("a", 61, "");
	s = bytes_str(arena_printf(&arena, "\"%.*s \"@x", BYTES_ARG(s)));
	assert_int_equal(addr_parse_path(&arena, s, 0, &p, &why), 0);
	s = repeat("a", 62, "");
	s = bytes_str(arena_printf(&arena, "\"%.*s \"@x", BYTES_ARG(s)));
	assert_int_equal(addr_parse_path(&arena, s, 0, &p, &why), -1);
	/* Octets, not characters. */
	assert_int_equal(addr_parse_path(&arena, repeat("\xc3\xa9", 32,
	    "@x"), ADDR_SMTPUTF8, &p, &why), 0);
	assert_int_equal(addr_parse_path(&arena, repeat("\xc3\xa9", 33,
	    "@x"), ADDR_SMTPUTF8, &p, &why), -1);
	/* Labels of 63, 254 for the whole. */
	assert_int_equal(addr_parse_path(&arena, repeat("", 0,
	    arena_printf(&arena, "a@%.*s", BYTES_ARG(label))), 0, &p, &why),
	    0);
	assert_int_equal(addr_parse_path(&arena, repeat("", 0,
	    arena_printf(&arena, "a@%.*sb", BYTES_ARG(label))), 0, &p, &why),
	    -1);
	s = bytes_str(arena_printf(&arena, "a@%.*s.%.*s.%.*s.%s",
	    BYTES_ARG(label), BYTES_ARG(label), BYTES_ARG(label),
	    "012345678901234567890123456789012345678901234567890123456789"));
	assert_int_equal(s.n, ADDR_MAILBOX_MAX);
	assert_int_equal(addr_parse_path(&arena, s, 0, &p, &why), 0);
	s = bytes_str(arena_printf(&arena, "%.*s1", BYTES_ARG(s)));
	assert_int_equal(addr_parse_path(&arena, s, 0, &p, &why), -1);
	assert_int_equal(errno, EMSGSIZE);
	/* The whole, source route included. */
	s = repeat("@a,", 682, "@b:");
	assert_int_equal(s.n, ADDR_PATH_MAX + 1);
	assert_int_equal(addr_parse_path(&arena, s, 0, &p, &why), -1);
	assert_int_equal(errno, EMSGSIZE);
	s = repeat("@a,", 680, "@b:ab@x");
	assert_int_equal(s.n, ADDR_PATH_MAX - 1);
	assert_int_equal(addr_parse_path(&arena, s, 0, &p, &why), 0);
}

static void
test_cut_path(void **state)
{
	static const struct {
		const char *in;
		const char *content;	/* NULL: refused */
		const char *rest;
	} table[] = {
		{ "<a@b> SIZE=1", "a@b", " SIZE=1" }, { "<>", "", "" },
		{ "<\"a>b\"@c>x", "\"a>b\"@c", "x" },
		{ "<\"a\\\">b\"@c>", "\"a\\\">b\"@c", "" },
		{ "<<a>>", "<a", ">" },
		{ "a@b", NULL, NULL }, { "<a@b", NULL, NULL },
		{ "<\"a@b>", NULL, NULL }, { "", NULL, NULL },
		{ "<\"\\", NULL, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bytes s = bytes_str(table[i].in), content;
		int r = addr_cut_path(&s, &content);

		if (table[i].content == NULL) {
			assert_int_equal(r, -1);
			assert_int_equal(errno, EBADMSG);
			assert_text(s, table[i].in);
			continue;
		}
		assert_int_equal(r, 0);
		assert_text(content, table[i].content);
		assert_text(s, table[i].rest);
	}
}

static void
test_path_vectors(void **state)
{
	size_t right = 0, wrong = 0;
	const struct json *v;
	struct bytes data;

	(void)state;
	if (!vectors_read(&arena, "address/smtp-paths.json", &data))
		return;
	for (v = json_parse(&arena, data, false)->children; v != NULL;
	    v = v->next) {
		struct bytes want = json_text(v, "valid"), s, content;
		struct buf b = BUF_INIT(10000);
		bool got[2];
		unsigned int utf8;

		assert_int_equal(hex_decode(&b, json_text(v, "path_hex")), 0);
		for (utf8 = 0; utf8 <= 1; utf8++) {
			const char *why;
			struct path p;

			s = buf_bytes(&b);
			got[utf8] = addr_cut_path(&s, &content) == 0 &&
			    s.n == 0 && addr_parse_path(&arena, content,
			    utf8 != 0 ? ADDR_SMTPUTF8 : 0, &p, &why) == 0;
		}
		if (got[1] == !bytes_eq(want, BYTES("false")) &&
		    got[0] == bytes_eq(want, BYTES("true"))) {
			right++;
		} else {
			wrong++;
			print_message("# id %.*s: want %.*s\n",
			    BYTES_ARG(json_text(v, "id")), BYTES_ARG(want));
		}
		buf_free(&b);
	}
	print_message("# smtp-paths: %zu right, %zu wrong\n", right, wrong);
	assert_true(right > 30);
	assert_int_equal(wrong, 0);
}

/* The text between <tag> and </tag>, entities and control pictures undone. */
static struct bytes
element(struct bytes s, const char *tag)
{
	struct bytes open = bytes_str(arena_printf(&arena, "<%s>", tag));
	struct bytes close = bytes_str(arena_printf(&arena, "</%s>", tag));
	struct buf b = BUF_INIT(10000);
	struct bytes out;
	uint64_t n;
	size_t at;
	uint32_t c;

	if (!bytes_find(s, open, &at))
		return BYTES_EMPTY;
	s = bytes_from(s, at + open.n);
	if (!bytes_find(s, close, &at))
		return BYTES_EMPTY;
	s = bytes_first(s, at);
	while (unicode_next(&s, &c) == 1) {
		if (c == '&' && bytes_skip(&s, BYTES("#x"))) {
			for (c = 0; bytes_at(s, 0) != ';';)
				c = c << 4 |
				    (uint32_t)ascii_hex_value(bytes_next(&s));
			(void)bytes_next(&s);
		} else if (c == '&' && bytes_skip(&s, BYTES("#"))) {
			assert_int_equal(num_cut(&s, UINT32_MAX, &n), 0);
			c = (uint32_t)n;
			(void)bytes_next(&s);
		} else if (c == '&' && bytes_skip(&s, BYTES("lt;"))) {
			c = '<';
		} else if (c == '&' && bytes_skip(&s, BYTES("gt;"))) {
			c = '>';
		} else if (c == '&' && bytes_skip(&s, BYTES("quot;"))) {
			c = '"';
		} else if (c == '&') {
			(void)bytes_skip(&s, BYTES("amp;"));
		}
		if (c >= 0x2400 && c < 0x2421)
			c -= 0x2400;
		(void)unicode_put(&b, c);
	}
	out = arena_bytes(&arena, buf_bytes(&b));
	buf_free(&b);
	return out;
}

static bool
count_isemail(const char *file, size_t *right, size_t *wrong)
{
	struct bytes data, test;
	size_t at;

	if (!vectors_read(&arena, file, &data))
		return false;
	while (bytes_find(data, BYTES("<test id="), &at)) {
		struct bytes category, address;
		const char *why = "accepted";
		struct path p;
		bool want, got;

		data = bytes_from(data, at);
		if (!bytes_find(data, BYTES("</test>"), &at))
			break;
		test = bytes_first(data, at);
		data = bytes_from(data, at);
		category = element(test, "category");
		address = element(test, "address");
		want = bytes_eq(category, BYTES("ISEMAIL_VALID_CATEGORY")) ||
		    bytes_eq(category, BYTES("ISEMAIL_DNSWARN")) ||
		    bytes_eq(category, BYTES("ISEMAIL_RFC5321"));
		got = addr_parse_mailbox(&arena, address, ADDR_SMTPUTF8, &p,
		    &why) == 0;
		*(want == got ? right : wrong) += 1;
		if (want != got)
			print_message("# %.*s %.*s: %s\n",
			    BYTES_ARG(category), BYTES_ARG(address), why);
	}
	return true;
}

static void
test_isemail(void **state)
{
	size_t right = 0, wrong = 0;

	(void)state;
	if (!count_isemail("address/tests.xml", &right, &wrong))
		return;
	print_message("# isemail: %zu agree, %zu differ\n", right, wrong);
	assert_true(right >= 163);
	assert_true(wrong <= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("R-12 paths, quoted and empty local parts", test_paths),
		T("R-24 null path and postmaster", test_special_paths),
		T("N-1 paths with SMTPUTF8", test_smtputf8),
		T("limits of paths", test_path_limits),
		T("a path is cut off a command line", test_cut_path),
		T("R-12 SMTP path vectors", test_path_vectors),
		T("isemail vectors", test_isemail),
	};
	int r;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return r;
}
