/*
 * compose_test.c - texts, recipients and header sections of programs
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "compose/compose.h"

#include <errno.h>

static void
assert_bytes(struct bytes got, const char *want)
{
	if (bytes_eq(got, bytes_str(want)))
		return;
	print_error("got:  %.*s\nwant: %s\n", BYTES_ARG(got), want);
	fail();
}

/* In pieces of step bytes. */
static void
check_input(const char *text, bool dot_ends, const char *want, size_t step)
{
	struct compose_input in = { .dot_ends = dot_ends };
	struct buf out = BUF_INIT(1000);
	struct bytes rest = bytes_str(text), piece;

	while (rest.n > 0) {
		assert_true(bytes_cut(&rest, step < rest.n ? step : rest.n,
		    &piece));
		assert_int_equal(compose_input_add(&in, piece, &out), 0);
	}
	assert_int_equal(compose_input_end(&in, &out), 0);
	assert_bytes(buf_bytes(&out), want);
	buf_free(&out);
}

static void
test_input(void **state)
{
	static const struct {
		const char *text;
		bool dot_ends;
		const char *want;
	} rows[] = {
		{ "", true, "" },
		{ "a", true, "a\n" },
		{ "a\nb\n", true, "a\nb\n" },
		{ "a\r\nb\r\n", true, "a\nb\n" },
		{ "a\rb\r\r\nc\r", true, "a\rb\r\nc\n" },
		{ "a\n.\nb\n", true, "a\n" },
		{ "a\n.\nb\n", false, "a\n.\nb\n" },
		{ "a\r\n.\r\nb\n", true, "a\n" },
		{ ".", true, "" },
		{ ".\r", true, "" },
		{ ".\rb\n", true, ".\rb\n" },
		{ "..\n.x\n", true, "..\n.x\n" },
		{ ".", false, ".\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t step = 1; step < 5; step++)
			check_input(rows[i].text, rows[i].dot_ends,
			    rows[i].want, step);
	}
}

static void
test_input_limit(void **state)
{
	struct compose_input in = { .dot_ends = true };
	struct buf out = BUF_INIT(4);

	(void)state;
	assert_int_equal(compose_input_add(&in, BYTES("abcd"), &out), 0);
	assert_int_equal(compose_input_end(&in, &out), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&out);
}

static void
test_rcpts(void **state)
{
	static const struct {
		const char *message, *want;	/* NULL: EBADMSG */
	} rows[] = {
		{ "To: a@b.example\nCc: c@d.example\n\nBcc: x@y.example\n",
		    "a@b.example c@d.example " },
		{ "To: \"A, B\" <a@b.example>, root (x),\n \"q r\"@s.example\n",
		    "a@b.example root \"q r\"@s.example " },
		{ "To: g:a@b.example, a@b.example;, g2:;\n", "a@b.example " },
		{ "Resent-To: r@s.example\nTo: a@b.example\n", "r@s.example " },
		{ "Resent-Date: x\nTo: a@b.example\n", "" },
		{ "Resent-Cc: r@s.example\nResent-Cc: t@u.example\n",
		    "r@s.example " },
		{ "From x@y Fri\nTo: a@b.example\n", "a@b.example " },
		{ "Subject: x\n", "" },
		{ "To: a@b@c.example\n", NULL },
		{ "To: a@b..example\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = ARENA_INIT;
		struct compose_rcpts to = { .count = 0 };
		struct buf all = BUF_INIT(1000);
		const char *why = NULL;
		int r = compose_read_rcpts(&a, bytes_str(rows[i].message),
		    &to, &why);

		assert_int_equal(r, rows[i].want == NULL ? -1 : 0);
		if (r == -1) {
			assert_int_equal(errno, EBADMSG);
			assert_non_null(why);
		}
		for (size_t n = 0; n < to.count; n++)
			assert_int_equal(buf_printf(&all, "%.*s ",
			    BYTES_ARG(to.address[n])), 0);
		if (r == 0)
			assert_bytes(buf_bytes(&all), rows[i].want);
		buf_free(&all);
		arena_free(&a);
	}
}

static void
test_rcpts_limit(void **state)
{
	struct arena a = ARENA_INIT;
	struct compose_rcpts to = { .count = 0 };
	const char *why = NULL;

	(void)state;
	for (int i = 0; i < COMPOSE_RCPTS_MAX; i++)
		assert_int_equal(compose_add_rcpts(&a, bytes_str(arena_printf(
		    &a, "u%d@v.example", i)), &to, &why), 0);
	assert_int_equal(compose_add_rcpts(&a, BYTES("u0@v.example"), &to,
	    &why), 0);
	assert_int_equal(compose_add_rcpts(&a, BYTES("x@v.example"), &to,
	    &why), -1);
	assert_int_equal(errno, EMSGSIZE);
	arena_free(&a);
}

static bool
may_use(void *ctx, struct arena *a, struct bytes address)
{
	(void)ctx;
	(void)a;
	return bytes_ends(address, BYTES("@ok.example"));
}

static void
test_header(void **state)
{
	static const struct {
		const char *message, *header, *body;
	} rows[] = {
		{ "From: a@ok.example\n\nt\n", "From: a@ok.example\n\n",
		    "t\n" },
		{ "To: x\n\nt\n", "To: x\nFrom: \"M. E.\" <me@ok.example>\n\n",
		    "t\n" },
		{ "text\n", "From: \"M. E.\" <me@ok.example>\n\n", "text\n" },
		{ "From: root (Cron)\n\nt", "From: Cron <me@ok.example>\n\n",
		    "t" },
		{ "From: =?utf-8?Q?=C3=A4?= <x@y.example>\n",
		    "From: =?utf-8?Q?=C3=A4?= <me@ok.example>\n\n", "" },
		{ "From: x@y.example, z@y.example\n",
		    "From: x@y.example, z@y.example\n\n", "" },
		{ "From: a@ok.example\nBCC: s\n t\nA: b\n",
		    "From: a@ok.example\nA: b\n\n", "" },
		{ "From a Fri\nFrom: a@ok.example\n",
		    "From: a@ok.example\n\n", "" },
		{ "From: a@ok.example", "From: a@ok.example\n\n", "" },
		{ "Resent-From: x@y.example\nResent-Date: d\n"
		    "Resent-Message-ID: i\nFrom: x@y.example\n",
		    "Resent-From: me@ok.example\nResent-Date: d\n"
		    "Resent-Message-ID: i\nFrom: x@y.example\n\n", "" },
	};
	struct compose c = { .address = BYTES("me@ok.example"),
	    .name = BYTES("M. E."), .may_use = may_use };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = ARENA_INIT;
		struct buf out = BUF_INIT(COMPOSE_HEADER_MAX);
		struct bytes body;

		assert_int_equal(compose_header(&c, &a,
		    bytes_str(rows[i].message), &out, &body), 0);
		assert_bytes(buf_bytes(&out), rows[i].header);
		assert_bytes(body, rows[i].body);
		buf_free(&out);
		arena_free(&a);
	}
}

static void
test_name(void **state)
{
	char text[COMPOSE_NAME_MAX + 2];
	struct buf out = BUF_INIT(4000);

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(compose_add_name(&out, bytes_of(text,
	    COMPOSE_NAME_MAX)), 0);
	assert_int_equal(compose_add_name(&out, bytes_of(text,
	    COMPOSE_NAME_MAX + 1)), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(compose_add_name(&out, BYTES("a\nb")), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(compose_add_name(&out, BYTES("a\xff")), -1);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "Q-27 line ends and the dot", test_input, NULL, NULL, NULL },
		{ "a text that is too long", test_input_limit, NULL, NULL,
		    NULL },
		{ "Q-27 recipients of fields", test_rcpts, NULL, NULL, NULL },
		{ "1000 recipients and one more", test_rcpts_limit, NULL,
		    NULL, NULL },
		{ "Q-28 header sections", test_header, NULL, NULL, NULL },
		{ "names of 200 bytes and one more", test_name, NULL, NULL,
		    NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
