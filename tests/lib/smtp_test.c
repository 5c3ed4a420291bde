/*
 * smtp_test.c - dialogues in tables, each fed whole, cut in two at every
 * byte, and byte by byte: the result must be the same
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "smtp/smtp.h"
#include "smtp_rows.h"
#include "smtp_send_rows.h"

#define RESULT_MAX (8 * 1024 * 1024)

/* What came of a dialogue. */
struct result {
	struct buf replies;	/* all output */
	struct buf messages;	/* text of accepted messages, "<END>" after */
	struct buf envelopes;	/* "with sender>rcpt,rcpt\n" at each END */
	bool closed;
	unsigned int good, bad;
};

static struct smtp_options
options_of(int flags)
{
	return (struct smtp_options){
		.hostname = BYTES("mx.example"),
		.banner = BYTES("test"),
		.lmtp = (flags & LMTP) != 0,
		.pedantic = (flags & PEDANTIC) != 0,
		.size_limit = flags & SMALL ? 20 : 104857600,
		.recipients_max = flags & FEW ? 2 : 1000,
		.submission = (flags & SUBMIT) != 0,
		.ask_mail = (flags & SUBMIT) != 0,
		.ask_helo = (flags & HELO) != 0,
		.tls = (flags & TLS) != 0,
		.logged_in = (flags & KEY) != 0,
		.require_tls = (flags & MUST) != 0,
		.mechanisms = "PLAIN LOGIN",
		.requiretls = (flags & SEND) != 0,
		.dsn = (flags & SEND) != 0,
		.hold_until_max = flags & SEND ? HOLD_LAST : 0,
		.chunking = (flags & BD) != 0,
		.binary = (flags & BIN) != 0,
	};
}

/* Local parts say what becomes of a recipient. */
static void
answer_rcpt(struct smtp *s)
{
	struct bytes local = smtp_asked(s)->path.local_part;

	if (bytes_eq(local, BYTES("nobody")))
		smtp_rcpt_refuse(s, 550, "5.1.1", BYTES("no such user"));
	else if (bytes_eq(local, BYTES("later")))
		smtp_rcpt_refuse(s, 450, "4.2.1", BYTES("later"));
	else
		smtp_rcpt_accept(s);
}

/* "ok" is right, nothing and "more" are asked again, all else is wrong. */
static void
answer_auth(struct smtp *s)
{
	struct smtp_auth a = smtp_auth(s);

	assert_true(a.begins || a.has_response);
	if (bytes_eq(a.response64, BYTES("b2s=")))
		smtp_auth_accept(s);
	else if (a.response64.n == 0 ||
	    bytes_eq(a.response64, BYTES("bW9yZQ==")))
		smtp_auth_challenge(s, BYTES("Zm9v"));
	else
		smtp_auth_refuse(s, 535, "5.7.8", BYTES("wrong"));
}

static void
record_envelope(struct smtp *s, struct result *r)
{
	const struct smtp_envelope *e = smtp_envelope(s);

	buf_printf(&r->envelopes, "%s %.*s>", e->with,
	    BYTES_ARG(e->sender_text));
	for (size_t i = 0; i < e->nrecipients; i++)
		buf_printf(&r->envelopes, "%s%.*s", i == 0 ? "" : ",",
		    BYTES_ARG(e->recipients[i].text));
	record_params(e, &r->envelopes);
	buf_addc(&r->envelopes, '\n');
}

/* A recipient "full" is refused after the message; a sender "fail" too. */
static void
answer_end(struct smtp *s, bool lmtp)
{
	struct bytes local;
	size_t n = smtp_envelope(s)->nrecipients;

	if (!lmtp) {
		if (bytes_starts(smtp_envelope(s)->sender_text,
		    BYTES("fail")))
			smtp_reply(s, 451, "4.3.0", BYTES("one\ntwo"));
		else
			smtp_reply(s, 250, "2.0.0", BYTES("got it"));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		local = smtp_envelope(s)->recipients[i].path.local_part;
		if (bytes_eq(local, BYTES("full")))
			smtp_reply(s, 452, "4.2.2", BYTES("full"));
		else
			smtp_reply(s, 250, "2.0.0", BYTES("got it"));
	}
}

/* Back to the last END, or the start. */
static void
drop_unfinished(struct result *r)
{
	while (r->messages.n > 0 &&
	    !bytes_ends(buf_bytes(&r->messages), BYTES("<END>")))
		r->messages.n--;
}

/* Text goes where it is asked for, and then to the machine's own place. */
static void
take_text(struct smtp *s, struct result *r)
{
	static unsigned char place[SMTP_BYTES_MAX];

	buf_add(&r->messages, smtp_bytes(s));
	smtp_bytes_into(s, smtp_bytes(s).p == place ? NULL : place);
}

/* Until the piece is used; false when the session is closed. */
static bool
feed(struct smtp *s, struct bytes piece, bool lmtp, struct result *r)
{
	for (;;) {
		enum smtp_event event = smtp_next(s, &piece);

		buf_add(&r->replies, smtp_output(s));
		smtp_written(s, smtp_output(s).n);
		switch (event) {
		case SMTP_READ:
			assert_int_equal(piece.n, 0);
			return true;
		case SMTP_FLUSH:
			break;
		case SMTP_STARTTLS:
			smtp_starttls(s, false);
			break;
		case SMTP_AUTH:
			answer_auth(s);
			break;
		case SMTP_AUTH_CANCEL:
			break;
		case SMTP_HELO:
			if (bytes_eq(smtp_envelope(s)->helo,
			    BYTES("nowhere")))
				smtp_helo_refuse(s, 550, "",
				    BYTES("no address"));
			else
				smtp_helo_accept(s);
			break;
		case SMTP_MAIL:
			if (bytes_starts(smtp_envelope(s)->sender_text,
			    BYTES("other")))
				smtp_mail_refuse(s, 550, "5.7.1",
				    BYTES("not yours"));
			else
				smtp_mail_accept(s);
			break;
		case SMTP_RCPT:
			answer_rcpt(s);
			break;
		case SMTP_DATA:
			drop_unfinished(r);	/* BDAT that was broken off */
			if (bytes_starts(smtp_envelope(s)->sender_text,
			    BYTES("busy")))
				smtp_data_refuse(s, 452, "4.3.1",
				    BYTES("busy"));
			else
				smtp_data_accept(s);
			break;
		case SMTP_BYTES:
			take_text(s, r);
			break;
		case SMTP_FILE:	/* smtp_file_test.c */
			fail();
			break;
		case SMTP_DROP:
			assert_non_null(smtp_why(s));
			drop_unfinished(r);
			break;
		case SMTP_END:
			buf_adds(&r->messages, "<END>");
			record_envelope(s, r);
			answer_end(s, lmtp);
			break;
		case SMTP_CLOSE:
			r->closed = true;
			return false;
		}
	}
}

/* Pieces of at most step bytes, the first one of first bytes. */
static void
run(struct bytes input, int flags, size_t first, size_t step,
    struct result *r)
{
	struct smtp_options o = options_of(flags);
	struct smtp *s = smtp_new(&o);
	struct bytes piece;
	size_t n = first;

	*r = (struct result){ .replies = BUF_INIT(RESULT_MAX),
	    .messages = BUF_INIT(RESULT_MAX),
	    .envelopes = BUF_INIT(RESULT_MAX) };
	while (input.n > 0) {
		bytes_cut(&input, n < input.n ? n : input.n, &piece);
		if (!feed(s, piece, (flags & LMTP) != 0, r))
			break;
		n = step;
	}
	if (!r->closed) {
		buf_add(&r->replies, smtp_output(s));
		smtp_written(s, smtp_output(s).n);
	}
	drop_unfinished(r);
	r->good = smtp_good(s);
	r->bad = smtp_bad(s);
	smtp_free(s);
}

static void
result_free(struct result *r)
{
	buf_free(&r->replies);
	buf_free(&r->messages);
	buf_free(&r->envelopes);
}

static void
assert_text(const struct buf *got, struct bytes want, const char *what)
{
	if (bytes_eq(buf_bytes(got), want))
		return;
	print_error("%s\ngot:  %.*s\nwant: %.*s\n", what,
	    BYTES_ARG(buf_bytes(got)), BYTES_ARG(want));
	fail();
}

static void
assert_same(const struct result *a, const struct result *b)
{
	assert_text(&a->replies, buf_bytes(&b->replies), "replies differ");
	assert_text(&a->messages, buf_bytes(&b->messages), "text differs");
	assert_text(&a->envelopes, buf_bytes(&b->envelopes), "envelope");
	assert_int_equal(a->closed, b->closed);
	assert_int_equal(a->good, b->good);
	assert_int_equal(a->bad, b->bad);
}

/* However it is cut. */
static void
check_cuts(struct bytes input, int flags, const struct result *whole)
{
	struct result r;

	for (size_t i = 1; i < input.n; i++) {
		run(input, flags, i, input.n, &r);
		assert_same(&r, whole);
		result_free(&r);
	}
	run(input, flags, 1, 1, &r);
	assert_same(&r, whole);
	result_free(&r);
}

static const char greeting[] = "220 mx.example ESMTP test" CR;
static const char greeting_lmtp[] = "220 mx.example LMTP test" CR;

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct bytes input = bytes_str(row->input);
	struct buf want = BUF_INIT(65536);
	struct result whole;

	run(input, row->flags, input.n, input.n, &whole);
	buf_adds(&want, row->flags & LMTP ? greeting_lmtp : greeting);
	buf_adds(&want, row->replies);
	assert_text(&whole.replies, buf_bytes(&want), row->name);
	assert_int_equal(whole.closed, row->closed);
	assert_text(&whole.envelopes, bytes_str(row->envelopes), row->name);
	assert_text(&whole.messages, bytes_str(row->messages), row->name);
	buf_free(&want);
	check_cuts(input, row->flags, &whole);
	result_free(&whole);
}

/* ---- what needs more than a row ---- */

static void
check(struct bytes input, int flags, const char *ends_with, bool closed)
{
	struct result whole, other;

	run(input, flags, input.n, input.n, &whole);
	if (!bytes_ends(buf_bytes(&whole.replies), bytes_str(ends_with)))
		print_error("got: %.*s\n", BYTES_ARG(bytes_last(
		    buf_bytes(&whole.replies), 400)));
	assert_true(bytes_ends(buf_bytes(&whole.replies),
	    bytes_str(ends_with)));
	assert_int_equal(whole.closed, closed);
	run(input, flags, 1, 1, &other);
	assert_same(&other, &whole);
	result_free(&other);
	run(input, flags, 7, 1000, &other);
	assert_same(&other, &whole);
	result_free(&other);
	result_free(&whole);
}

static void
add_many(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_adds(b, text), 0);
}

static void
test_line_limit(void **state)
{
	struct buf b = BUF_INIT(65536);

	(void)state;
	buf_adds(&b, "NOOP ");
	add_many(&b, "x", SMTP_LINE_MAX - 7);
	buf_adds(&b, CR);
	assert_int_equal(b.n, SMTP_LINE_MAX);
	check(buf_bytes(&b), 0, "250 2.0.0 ok" CR, false);
	b.n -= 2;
	buf_adds(&b, "x" CR);
	check(buf_bytes(&b), 0, "500 5.5.2 line too long" CR, true);
	buf_free(&b);
}

static void
test_nul(void **state)
{
	(void)state;
	check(BYTES(HEAD "a\0b" CR "." CR "NOOP" CR), 0, DATA_OK
	    "550 5.6.0 message has NUL bytes" CR "250 2.0.0 ok" CR, false);
	check(BYTES("NOOP" CR "NOOP \0" CR), 0, "250 2.0.0 ok" CR
	    "501 5.5.2 control bytes are not allowed" CR, false);
	check(BYTES("\0\0"), 0, "500 5.5.2 please speak SMTP" CR, true);
}

static void
test_text_line_limit(void **state)
{
	struct buf b = BUF_INIT(4 * SMTP_TEXT_LINE_MAX);

	(void)state;
	buf_adds(&b, HEAD);
	add_many(&b, "0123456789abcdef", SMTP_TEXT_LINE_MAX / 16 - 1);
	buf_adds(&b, "0123456789abcd" CR "." CR);
	check(buf_bytes(&b), 0, DATA_OK GOT, false);
	b.n -= 5;
	buf_adds(&b, "e" CR "." CR "NOOP" CR);
	check(buf_bytes(&b), 0, DATA_OK "550 5.6.0 message has a line that "
	    "is too long" CR "250 2.0.0 ok" CR, false);
	buf_free(&b);
}

static void
test_many_recipients(void **state)
{
	struct buf b = BUF_INIT(1024 * 1024);
	struct result r;
	size_t accepted = 0, at;
	struct bytes rest;

	(void)state;
	buf_adds(&b, HI FROM);
	add_many(&b, TO, 1000);
	check(buf_bytes(&b), 0, TO_OK, false);
	buf_adds(&b, TO);
	check(buf_bytes(&b), 0, TO_OK "452 4.5.3 too many recipients" CR,
	    false);
	buf_adds(&b, DATA "." CR);
	check(buf_bytes(&b), 0, DATA_OK GOT, false);
	run(buf_bytes(&b), 0, b.n, b.n, &r);
	rest = buf_bytes(&r.replies);
	while (bytes_find(rest, BYTES(TO_OK), &at)) {
		accepted++;
		rest = bytes_from(rest, at + 1);
	}
	assert_int_equal(accepted, 1000);
	result_free(&r);
	buf_free(&b);
}

/* eleven bad transactions and no good one. */
static void
test_too_many_failures(void **state)
{
	const char bad[] = FROM "RCPT TO:<nobody@d.example>" CR "RSET" CR;
	struct buf b = BUF_INIT(65536);

	(void)state;
	buf_adds(&b, HI);
	add_many(&b, bad, SMTP_BAD_MAX);
	buf_adds(&b, "NOOP" CR);
	check(buf_bytes(&b), 0, "250 2.0.0 ok" CR, false);
	buf_adds(&b, bad);
	check(buf_bytes(&b), 0, "550 5.1.1 no such user" CR
	    "250 2.0.0 ok" CR, false);
	buf_adds(&b, "NOOP" CR);
	check(buf_bytes(&b), 0, "550 5.7.0 too many failures" CR, true);
	buf_reset(&b);
	buf_adds(&b, HEAD "." CR);
	add_many(&b, bad, SMTP_BAD_MAX + 2);
	buf_adds(&b, "NOOP" CR);
	check(buf_bytes(&b), 0, "250 2.0.0 ok" CR, false);
	buf_free(&b);
}

/* Each refused HELO costs a look-up. */
static void
test_too_many_helos(void **state)
{
	struct buf b = BUF_INIT(65536);

	(void)state;
	add_many(&b, "HELO nowhere" CR, SMTP_BAD_MAX + 1);
	check(buf_bytes(&b), HELO, "550 no address" CR, false);
	buf_adds(&b, "HELO nowhere" CR);
	check(buf_bytes(&b), HELO, "550 5.7.0 too many failures" CR, true);
	buf_free(&b);
}

/* only who asked sees a mark. */
static void
test_marks(void **state)
{
	static const struct {
		const char *ask, *reply;
	} cases[] = {
		{ "XFORWARD MARKS=YES" CR, "451-4.3.0 XMARK slow" CR
		    "451 4.3.0 error processing" CR },
		{ "XFORWARD MARKS=NO" CR, "451 4.3.0 error processing" CR },
		{ "", "451 4.3.0 error processing" CR },
	};
	struct smtp_options o = options_of(LMTP);
	struct bytes in;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena a = ARENA_INIT;
		struct smtp *s = smtp_new(&o);

		in = bytes_str(arena_printf(&a, "LHLO c" CR "%s" FROM TO DATA
		    "." CR, cases[i].ask));
		assert_int_equal(smtp_next(s, &in), SMTP_RCPT);
		smtp_rcpt_accept(s);
		assert_int_equal(smtp_next(s, &in), SMTP_DATA);
		smtp_data_accept(s);
		assert_int_equal(smtp_next(s, &in), SMTP_END);
		smtp_written(s, smtp_output(s).n);
		smtp_reply_marked(s, 451, "4.3.0", BYTES("error processing"),
		    SMTP_MARK_SLOW);
		assert_true(bytes_eq(smtp_output(s),
		    bytes_str(cases[i].reply)));
		smtp_free(s);
		arena_free(&a);
	}
}

/* Many pipelined replies come out without waiting for more input. */
static void
test_much_output(void **state)
{
	struct buf b = BUF_INIT(1024 * 1024);

	(void)state;
	add_many(&b, "HELP" CR, 20000);
	check(buf_bytes(&b), 0, "214 2.0.0 HELO EHLO MAIL RCPT DATA RSET "
	    "NOOP QUIT VRFY EXPN HELP" CR, false);
	buf_free(&b);
}

static void
test_abort(void **state)
{
	struct smtp_options o = options_of(0);
	struct smtp *s = smtp_new(&o);
	struct bytes in = BYTES("NOOP" CR "NOO");

	(void)state;
	assert_int_equal(smtp_next(s, &in), SMTP_READ);
	smtp_abort(s, "4.4.2", BYTES("time-out\r\nQUIT"));
	assert_true(bytes_ends(smtp_output(s),
	    BYTES("250 2.0.0 ok" CR "421-4.4.2 time-out" CR
	    "421 4.4.2 QUIT" CR)));
	assert_int_equal(smtp_next(s, &in), SMTP_CLOSE);
	smtp_free(s);
}

/* What a reply says is one line each of printable ASCII, bounded. */
static void
test_reply_text(void **state)
{
	struct smtp_options o = options_of(0);
	struct smtp *s = smtp_new(&o);
	struct bytes in = BYTES(HI FROM TO), out, line;
	unsigned char wild[2000];

	(void)state;
	for (size_t i = 0; i < sizeof(wild); i++)
		wild[i] = (unsigned char)(i == '\n' ? 'x' : i);
	assert_int_equal(smtp_next(s, &in), SMTP_RCPT);
	smtp_written(s, smtp_output(s).n);
	smtp_rcpt_refuse(s, 550, "5.7.1", bytes_of(wild, sizeof(wild)));
	for (out = smtp_output(s); bytes_line(&out, &line);) {
		assert_true(line.n <= SMTP_REPLY_LINE_MAX);
		assert_true(bytes_starts(line, BYTES("550")));
		for (size_t i = 0; i < line.n; i++)
			assert_in_range(line.p[i], 0x20, 0x7e);
	}
	smtp_free(s);
}

static void
test_recipient_user(void **state)
{
	struct smtp_options o = options_of(LMTP);
	struct smtp *s = smtp_new(&o);
	struct bytes in = BYTES("LHLO c" CR "XFORWARD NAME=n.example "
	    "ADDR=192.0.2.7 PORT=99 HELO=h+20x IDENT=[UNAVAILABLE]" CR
	    FROM TO DATA "." CR FROM);
	const struct smtp_xforward *x = &smtp_envelope(s)->xforward;
	struct ip want;

	(void)state;
	ip_parse(BYTES("192.0.2.7"), &want);
	assert_int_equal(smtp_next(s, &in), SMTP_RCPT);
	smtp_asked(s)->user = &want;
	smtp_rcpt_accept(s);
	assert_int_equal(smtp_next(s, &in), SMTP_DATA);
	smtp_data_accept(s);
	assert_int_equal(smtp_next(s, &in), SMTP_END);
	assert_ptr_equal(smtp_envelope(s)->recipients[0].user, &want);
	assert_true(bytes_eq(x->name, BYTES("n.example")));
	assert_true(bytes_eq(x->helo, BYTES("h x")));
	assert_int_equal(x->ident.n, 0);
	assert_true(ip_eq(&x->addr, &want));
	assert_int_equal(x->port, 99);
	smtp_reply(s, 250, "2.0.0", BYTES("ok"));
	/* gone with the transaction */
	assert_int_equal(smtp_next(s, &in), SMTP_READ);
	assert_int_equal(x->name.n, 0);
	assert_int_equal(x->addr.family, 0);
	smtp_free(s);
}

static void
say(struct smtp *s, const char *line, const char *want)
{
	struct result r = { .replies = BUF_INIT(RESULT_MAX),
	    .messages = BUF_INIT(RESULT_MAX),
	    .envelopes = BUF_INIT(RESULT_MAX) };

	(void)feed(s, bytes_str(line), false, &r);
	assert_text(&r.replies, bytes_str(want), line);
	result_free(&r);
}

static void
test_starttls(void **state)
{
	struct smtp_options o = options_of(SUBMIT);
	struct bytes in = BYTES("STARTTLS\r\n");
	struct smtp *s;

	(void)state;
	o.starttls = true;
	o.auth_in_clear = true;
	s = smtp_new(&o);
	smtp_written(s, smtp_output(s).n);
	say(s, "STARTTLS\r\n", "503 5.5.1 say EHLO first\r\n");
	say(s, "EHLO c\r\n", "250-mx.example\r\n250-PIPELINING\r\n"
	    "250-SIZE 104857600\r\n250-ENHANCEDSTATUSCODES\r\n"
	    "250-8BITMIME\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n"
	    "250-LIMITS RCPTMAX=1000\r\n250 SMTPUTF8\r\n");
	say(s, "STARTTLS now\r\n",
	    "501 5.5.4 no parameters are allowed here\r\n");
	say(s, "STARTTLS\r\n", "454 4.7.0 TLS is not available now\r\n");
	say(s, "AUTH PLAIN b2s=\r\n", "235 2.7.0 authenticated\r\n");
	assert_int_equal(smtp_next(s, &in), SMTP_STARTTLS);
	smtp_starttls(s, true);
	assert_true(bytes_eq(smtp_output(s),
	    BYTES("220 2.0.0 begin TLS now\r\n")));
	smtp_written(s, smtp_output(s).n);
	o.tls = true;
	smtp_secured(s, &o);
	/* what was said in clear is forgotten */
	say(s, "MAIL FROM:<a@b.example>\r\n", "503 5.5.1 say EHLO first\r\n");
	say(s, HI, HI_AUTH);
	say(s, "MAIL FROM:<a@b.example>\r\n",
	    "530 5.7.0 authentication is required\r\n");
	smtp_free(s);
}

/* I-21, whatever it is; the client is not heard again. */
static void
test_starttls_more(void **state)
{
	static const char *const more[] = { "NOOP\r\n", "N", "\r\n",
	    "\x16\x03\x01" };
	struct smtp_options o = options_of(0);

	(void)state;
	o.starttls = true;
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		struct buf b = BUF_INIT(1000);
		struct smtp *s = smtp_new(&o);
		struct bytes in = BYTES(HI);

		assert_int_equal(smtp_next(s, &in), SMTP_READ);
		smtp_written(s, smtp_output(s).n);
		buf_printf(&b, "STARTTLS\r\n%s", more[i]);
		in = buf_bytes(&b);
		assert_int_equal(smtp_next(s, &in), SMTP_CLOSE);
		assert_true(bytes_eq(smtp_output(s),
		    BYTES("503 5.5.1 nothing may follow STARTTLS\r\n")));
		assert_non_null(smtp_why(s));
		smtp_free(s);
		buf_free(&b);
	}
}

static void
test_auth_line_limit(void **state)
{
	static const char refused[] = "535 5.7.8 wrong\r\n";
	struct buf b = BUF_INIT(65536);

	(void)state;
	buf_adds(&b, HI "AUTH PLAIN\r\n");
	add_many(&b, "YWFh", (SMTP_AUTH_LINE_MAX - 4) / 4);
	buf_adds(&b, "\r\n");
	check(buf_bytes(&b), SUBMIT | TLS, refused, false);
	buf_reset(&b);
	buf_adds(&b, HI "AUTH PLAIN\r\n");
	add_many(&b, "YWFh", SMTP_AUTH_LINE_MAX / 4);
	buf_adds(&b, "\r\n");
	check(buf_bytes(&b), SUBMIT | TLS, "500 5.5.2 line too long\r\n", true);
	buf_free(&b);
}

#define T(name, f) { name, f, NULL, NULL, NULL }

int
main(void)
{
	const struct CMUnitTest more[] = {
		T("R-7 command line of 2048 octets and one more",
		    test_line_limit),
		T("R-11 NUL bytes", test_nul),
		T("R-3 STARTTLS: refused, late, and all forgotten",
		    test_starttls),
		T("I-21 bytes behind STARTTLS", test_starttls_more),
		T("AUTH response at the limit and past it",
		    test_auth_line_limit),
		T("R-11 text line at the limit and past it",
		    test_text_line_limit),
		T("R-16 a thousand recipients and one more",
		    test_many_recipients),
		T("R-21 too many failures", test_too_many_failures),
		T("R-13 R-21 too many refused names", test_too_many_helos),
		T("R-25 marks beside replies", test_marks),
		T("R-7 more replies than a buffer", test_much_output),
		T("R-7 time-out reply", test_abort),
		T("reply text cannot leave its line", test_reply_text),
		T("recipients keep the caller's pointer; XFORWARD ends with "
		    "the transaction", test_recipient_user),
	};
	const size_t n_more = sizeof(more) / sizeof(more[0]);
	struct CMUnitTest tests[ROWS + SEND_ROWS +
	    sizeof(more) / sizeof(more[0])];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, test_row, NULL,
		    NULL, (void *)(uintptr_t)&rows[i] };
	for (size_t i = 0; i < SEND_ROWS; i++)
		tests[ROWS + i] = (struct CMUnitTest){ send_rows[i].name,
		    test_row, NULL, NULL, (void *)(uintptr_t)&send_rows[i] };
	for (size_t i = 0; i < n_more; i++)
		tests[ROWS + SEND_ROWS + i] = more[i];
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
