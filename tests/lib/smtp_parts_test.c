/*
 * smtp_parts_test.c - replies read back, texts for the wire, spool, session
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "smtp/smtp.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CR "\r\n"

static void
assert_bytes(struct bytes got, struct bytes want)
{
	if (bytes_eq(got, want))
		return;
	print_error("got:  %.*s\nwant: %.*s\n", BYTES_ARG(got),
	    BYTES_ARG(want));
	fail();
}

/* ---- replies ---- */

#define A(code, status, text) \
	{ code, { (const unsigned char *)status, sizeof(status) - 1 }, \
	    { (const unsigned char *)text, sizeof(text) - 1 } }

static const struct {
	const char *name;
	struct smtp_answer in[2];
	int code;
	const char *status, *text;
} combined[] = {
	{ "both accepted", { A(250, "2.0.0", "ok"), A(250, "2.1.5", "fine") },
	    250, "2.0.0", "ok" },
	{ "both refused alike", { A(550, "5.1.1", "no"),
	    A(550, "5.1.1", "none") }, 550, "5.1.1", "no" },
	{ "same code, other status", { A(550, "5.1.1", "no"),
	    A(550, "5.7.1", "spam") }, 550, "5.0.0",
	    "a@x: 550 5.1.1 no\nb@x: 550 5.7.1 spam" },
	{ "both permanent", { A(550, "5.1.1", "no"), A(552, "5.2.2", "full") },
	    554, "5.0.0", "a@x: 550 5.1.1 no\nb@x: 552 5.2.2 full" },
	{ "permanent and temporary", { A(550, "5.1.1", "no"),
	    A(452, "4.2.2", "full") }, 451, "4.3.0",
	    "a@x: 550 5.1.1 no\nb@x: 452 4.2.2 full" },
	{ "one accepted, one not", { A(250, "2.0.0", "ok"),
	    A(550, "5.7.1", "spam\nsecond") }, 451, "4.3.0",
	    "a@x: 250 2.0.0 ok\nb@x: 550 5.7.1 spam" },
	{ "both temporary, codes differ", { A(451, "4.3.0", "x"),
	    A(452, "4.2.2", "y") }, 451, "4.3.0",
	    "a@x: 451 4.3.0 x\nb@x: 452 4.2.2 y" },
};

static void
test_combine(void **state)
{
	struct smtp_recipient rcpt[2] = { { .text = BYTES("a@x") },
	    { .text = BYTES("b@x") } };
	struct arena a = ARENA_INIT;
	struct smtp_answer out;

	(void)state;
	for (size_t i = 0; i < sizeof(combined) / sizeof(combined[0]); i++) {
		smtp_answer_combine(&a, rcpt, combined[i].in, 2, &out);
		if (out.code != combined[i].code)
			print_error("%s\n", combined[i].name);
		assert_int_equal(out.code, combined[i].code);
		assert_bytes(out.status, bytes_str(combined[i].status));
		assert_bytes(out.text, bytes_str(combined[i].text));
	}
	smtp_answer_combine(&a, rcpt, combined[6].in, 1, &out);
	assert_int_equal(out.code, 451);
	assert_bytes(out.text, BYTES("x"));
	arena_free(&a);
}

/* ---- wire form ---- */

static void
test_add_text(void **state)
{
	const struct bytes text = BYTES("a\n.b\n..\n\n.");
	struct buf out = BUF_INIT(1000);
	bool start = true;

	(void)state;
	for (size_t cut = 0; cut <= text.n; cut++) {
		buf_reset(&out);
		start = true;
		assert_int_equal(smtp_add_text(&out, bytes_first(text, cut),
		    &start), 0);
		assert_int_equal(smtp_add_text(&out, bytes_from(text, cut),
		    &start), 0);
		assert_bytes(buf_bytes(&out),
		    BYTES("a\r\n..b\r\n...\r\n\r\n.."));
		assert_false(start);
	}
	/* a step's end, 2048 bytes, at every place of it */
	for (size_t n = 2030; n <= 2060; n++) {
		unsigned char long_text[2100], want[2200];

		memset(long_text, 'x', n);
		memcpy(long_text + n, text.p, text.n);
		memset(want, 'x', n);
		memcpy(want + n, "a\r\n..b\r\n...\r\n\r\n..", 17);
		buf_reset(&out);
		out.max = 3000;
		start = true;
		assert_int_equal(smtp_add_text(&out,
		    bytes_of(long_text, n + text.n), &start), 0);
		assert_bytes(buf_bytes(&out), bytes_of(want, n + 17));
		/* one byte less than it needs */
		buf_reset(&out);
		out.max = n + 16;
		start = true;
		assert_int_equal(smtp_add_text(&out,
		    bytes_of(long_text, n + text.n), &start), -1);
		assert_int_equal(out.n, 0);
		assert_true(start);
	}
	buf_free(&out);
	out = BUF_INIT(4);
	start = true;
	assert_int_equal(smtp_add_text(&out, text, &start), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(out.n, 0);
	assert_true(start);
	buf_free(&out);
}

/* What is written is read back the same by the LMTP machine. */
static void
test_xforward(void **state)
{
	struct smtp_options o = { .hostname = BYTES("h"), .banner = BYTES(""),
	    .lmtp = true, .size_limit = 100, .recipients_max = 10 };
	static const char *const ips[] = { "192.0.2.1", "2001:db8::1" };
	struct smtp_xforward x = { .name = BYTES("n.example"),
	    .helo = BYTES("a=b+c \303\274"), .proto = BYTES("ESMTP"),
	    .ident = BYTES("id-1_x"), .source = BYTES_EMPTY, .port = 25 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct buf b = BUF_INIT(4096);
		struct smtp *s = smtp_new(&o);
		const struct smtp_xforward *got = &smtp_envelope(s)->xforward;
		struct bytes in;

		assert_int_equal(ip_parse(bytes_str(ips[i]), &x.addr), 0);
		buf_adds(&b, "LHLO c\r\n");
		assert_int_equal(smtp_add_xforward(&b, &x), 0);
		in = buf_bytes(&b);
		assert_int_equal(smtp_next(s, &in), SMTP_READ);
		assert_true(bytes_ends(smtp_output(s),
		    BYTES("250 2.0.0 ok\r\n250 2.0.0 ok\r\n")));
		assert_bytes(got->name, x.name);
		assert_bytes(got->helo, x.helo);
		assert_bytes(got->proto, x.proto);
		assert_bytes(got->ident, x.ident);
		assert_int_equal(got->source.n, 0);
		assert_true(ip_eq(&got->addr, &x.addr));
		assert_int_equal(got->port, 25);
		smtp_free(s);
		buf_free(&b);
	}
}

static void
test_bad_xforward(void **state)
{
	static const char *const bad[] = { "XFORWARD", "XFORWARD NAME",
	    "XFORWARD FOO=1", "XFORWARD ADDR=x", "XFORWARD PORT=70000",
	    "XFORWARD HELO=a+0Ab", "XFORWARD HELO=a+2", "XFORWARD HELO=+GG" };
	struct smtp_options o = { .hostname = BYTES("h"), .banner = BYTES(""),
	    .lmtp = true, .size_limit = 100, .recipients_max = 10 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct smtp *s = smtp_new(&o);
		struct bytes in = BYTES("LHLO c\r\n");

		assert_int_equal(smtp_next(s, &in), SMTP_READ);
		in = bytes_str(bad[i]);
		assert_int_equal(smtp_next(s, &in), SMTP_READ);
		in = BYTES("\r\n");
		assert_int_equal(smtp_next(s, &in), SMTP_READ);
		if (!bytes_find(smtp_output(s), BYTES("501 5.5.4"),
		    &(size_t){ 0 }))
			print_error("%s\n", bad[i]);
		assert_true(bytes_find(smtp_output(s), BYTES("501 5.5.4"),
		    &(size_t){ 0 }));
		smtp_free(s);
	}
}

/* ---- spool ---- */

static void
test_spool(void **state)
{
	static const size_t sizes[] = { 0, 1, SPOOL_MEMORY_MAX,
	    SPOOL_MEMORY_MAX + 1, 3 * SPOOL_MEMORY_MAX + 17 };
	unsigned char *data = malloc(4 * SPOOL_MEMORY_MAX);
	struct spool s;
	struct bytes got;

	(void)state;
	for (size_t i = 0; i < 4 * SPOOL_MEMORY_MAX; i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
	spool_init(&s, ".");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct bytes all = bytes_of(data, sizes[i]), rest = all;

		while (rest.n > 0) {
			assert_int_equal(spool_add(&s,
			    bytes_first(rest, 50000)), 0);
			rest = bytes_from(rest, 50000);
		}
		assert_int_equal(s.fd != -1, sizes[i] > SPOOL_MEMORY_MAX);
		assert_int_equal(spool_view(&s, &got), 0);
		assert_true(bytes_eq(got, all));
		assert_int_equal(s.size, sizes[i]);
		spool_reset(&s);
	}
	spool_free(&s);
	spool_init(&s, "/nonexistent-directory");
	assert_int_equal(spool_add(&s, bytes_of(data,
	    SPOOL_MEMORY_MAX)), 0);
	assert_int_equal(spool_add(&s, BYTES("x")), -1);
	assert_int_equal(errno, ENOENT);
	spool_free(&s);
	free(data);
}

/* Fields of usual length can stand in front of what is in memory. */
static void
test_front(void **state)
{
	unsigned char outside = 0;
	struct spool s;
	struct bytes got;

	(void)state;
	spool_init(&s, ".");
	assert_int_equal(spool_front(&s, &outside), 0);
	assert_int_equal(spool_add(&s, BYTES("Field: x\nText: y\n")), 0);
	assert_int_equal(spool_view(&s, &got), 0);
	assert_int_equal(spool_front(&s, got.p), SPOOL_FRONT);
	assert_int_equal(spool_front(&s, got.p + 9), SPOOL_FRONT + 9);
	assert_int_equal(spool_front(&s, got.p + got.n),
	    SPOOL_FRONT + got.n);
	assert_int_equal(spool_front(&s, got.p - 1), 0);
	assert_int_equal(spool_front(&s, got.p + got.n + 1), 0);
	assert_int_equal(spool_front(&s, &outside), 0);
	memset((unsigned char *)(uintptr_t)got.p - SPOOL_FRONT, 'f',
	    SPOOL_FRONT);
	assert_true(bytes_eq(got, BYTES("Field: x\nText: y\n")));
	/* none where all is in a file */
	while (s.fd == -1)
		assert_int_equal(spool_take(&s, spool_room(&s) != NULL
		    ? SMTP_BYTES_MAX : 0), 0);
	assert_int_equal(spool_view(&s, &got), 0);
	assert_int_equal(spool_front(&s, got.p + 9), 0);
	spool_free(&s);
}

/* ---- session ---- */

struct record {
	struct buf text;
	int rcpts;
};

static void
take_rcpt(struct smtp_session *s)
{
	struct record *r = s->ctx;

	r->rcpts++;
	smtp_rcpt_accept(s->smtp);
}

static void
take_message(struct smtp_session *s, struct bytes text)
{
	struct record *r = s->ctx;

	buf_add(&r->text, text);
	if (bytes_starts(text, BYTES("fail")))
		smtp_session_fail(s, ENOSPC);
	else
		smtp_reply(s->smtp, 250, "2.0.0", bytes_str(s->id));
}

static void
note_refused(struct smtp_session *s, const char *why)
{
	(void)s;
	assert_non_null(why);
}

/* The dialogue over a socket pair; its replies in out. */
static int
converse(struct bytes input, bool close_first, struct record *r,
    struct buf *out, int *err)
{
	struct smtp_session s = {
		.options = { .hostname = BYTES("h"), .banner = BYTES("b"),
		    .size_limit = 1000000, .recipients_max = 10 },
		.is_socket = true, .line_timeout_ms = 100,
		.data_timeout_ms = 10000, .spool_dir = ".", .ctx = r,
		.rcpt = take_rcpt, .message = take_message,
		.refused = note_refused };
	int pair[2], result;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	s.in = s.out = pair[0];
	assert_int_equal(io_write_all(pair[1], input, DEADLINE_NONE), 0);
	if (close_first)
		shutdown(pair[1], SHUT_WR);
	result = smtp_session_run(&s);
	*err = errno;
	close(pair[0]);
	assert_int_equal(io_read_all(pair[1], out, DEADLINE_NONE), 0);
	close(pair[1]);
	return result;
}

static const struct {
	const char *name, *input;
	bool close_first;
	int result, err;
	const char *replies_end;
	const char *text;
} sessions[] = {
	{ "quit", "NOOP" CR "QUIT" CR, false, 0, 0, "221 2.0.0 bye" CR, "" },
	{ "closed between commands", "NOOP" CR, true, 0, 0,
	    "250 2.0.0 ok" CR, "" },
	{ "closed within a message",
	    "HELO c" CR "MAIL FROM:<>" CR "RCPT TO:<u@d>" CR "DATA" CR "x" CR,
	    true, -1, EPROTO, "end with <CRLF>.<CRLF>" CR, "" },
	{ "time-out", "NOOP" CR "NO", false, -1, ETIMEDOUT,
	    "421 4.4.2 time-out, closing" CR, "" },
	{ "smuggling", "HELO c" CR "MAIL FROM:<>" CR "RCPT TO:<u@d>" CR
	    "DATA" CR "x\n.\r\nQUIT" CR, true, -1, EPROTO,
	    "smtp smuggling is refused" CR, "" },
	{ "internal failure", "HELO c" CR "MAIL FROM:<>" CR "RCPT TO:<u@d>" CR
	    "DATA" CR "fail" CR "." CR "QUIT" CR, false, 0, 0,
	    "221 2.0.0 bye" CR, "fail\n" },
};

static void
test_session(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sessions) / sizeof(sessions[0]); i++) {
		struct record r = { .text = BUF_INIT(1000) };
		struct buf out = BUF_INIT(65536);
		int err, result;

		result = converse(bytes_str(sessions[i].input),
		    sessions[i].close_first, &r, &out, &err);
		if (result != sessions[i].result || !bytes_ends(
		    buf_bytes(&out), bytes_str(sessions[i].replies_end)))
			print_error("%s: %.*s\n", sessions[i].name,
			    BYTES_ARG(buf_bytes(&out)));
		assert_int_equal(result, sessions[i].result);
		if (result == -1)
			assert_int_equal(err, sessions[i].err);
		assert_true(bytes_ends(buf_bytes(&out),
		    bytes_str(sessions[i].replies_end)));
		assert_bytes(buf_bytes(&r.text), bytes_str(sessions[i].text));
		if (i == 5)
			assert_true(bytes_find(buf_bytes(&out),
			    BYTES("452 4.3.1 no space for the message now, "
			    "received-id "), &(size_t){ 0 }));
		buf_free(&out);
		buf_free(&r.text);
	}
}

static void
test_fail_reply(void **state)
{
	char text[SMTP_FAIL_TEXT];
	const char *status;

	(void)state;
	assert_int_equal(smtp_fail_reply(EIO, "abc", text, &status), 451);
	assert_string_equal(status, "4.3.0");
	assert_string_equal(text, "internal error, received-id abc");
	assert_int_equal(smtp_fail_reply(ENOSPC, "abc", text, &status), 452);
	assert_string_equal(status, "4.3.1");
}

#define T(name, f) { name, f, NULL, NULL, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("R-33 BEHAVIOUR 1.3 replies of several become one",
		    test_combine),
		T("R-11 dots are stuffed wherever the text is cut",
		    test_add_text),
		T("XFORWARD is written and read back", test_xforward),
		T("XFORWARD that is wrong", test_bad_xforward),
		T("spool in memory, at its limit, in a file", test_spool),
		T("there is room in front of what is in memory", test_front),
		T("R-7 sessions over a socket", test_session),
		T("R-34 internal errors name the received-id",
		    test_fail_reply),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
