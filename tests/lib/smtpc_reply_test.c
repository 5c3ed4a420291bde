/* smtpc_reply_test.c - replies, offers, and the form of messages */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "smtpc/smtpc.h"

static void
assert_bytes(struct bytes got, const char *want)
{
	if (!bytes_eq(got, bytes_str(want)))
		print_message("# got:  %.*s\n# want: %s\n", BYTES_ARG(got),
		    want);
	assert_true(bytes_eq(got, bytes_str(want)));
}

/* Feed in pieces of n bytes; what read said last, *in what is left. */
static int
feed(struct smtpc_reader *r, struct bytes *in, size_t n,
    struct smtpc_reply *out, const char **why)
{
	struct bytes piece;
	size_t before;
	int got = 0;

	while (in->n > 0 && got == 0) {
		piece = bytes_first(*in, n);
		before = piece.n;
		got = smtpc_reply_read(r, &piece, out, why);
		*in = bytes_from(*in, before - piece.n);
	}
	return got;
}

static void
replies(void **state)
{
	static const struct {
		const char *in;
		enum smtpc_text allow;
		int got, code;
		const char *status, *text;	/* or why */
		size_t left;
	} rows[] = {
		{ "250 ok\r\n", 0, 1, 250, "", "ok", 0 },
		{ "250\r\n", 0, 1, 250, "", "", 0 },
		{ "250 \r\n", 0, 1, 250, "", "", 0 },
		{ "250 2.1.0 ok\r\n", 0, 1, 250, "2.1.0", "2.1.0 ok", 0 },
		{ "550 5.7.30\r\n", 0, 1, 550, "5.7.30", "5.7.30", 0 },
		{ "550-5.1.1 no\r\n550 5.1.1 such\r\n", 0, 1, 550, "5.1.1",
		    "5.1.1 no\n5.1.1 such", 0 },
		{ "250-a\r\n250-\r\n250 b\r\n250 c", 0, 1, 250, "",
		    "a\n\nb", 5 },
		{ "250-a\r\n250", 0, 0, 0, "", "", 0 },
		{ "571 tab\there\r\n", 0, 1, 571, "", "tab\there", 0 },
		/* codes that do not fit are no status */
		{ "550 4.1.1 x\r\n", 0, 1, 550, "", "4.1.1 x", 0 },
		{ "550 5.01.1 x\r\n", 0, 1, 550, "", "5.01.1 x", 0 },
		{ "550 5.0.0 x\r\n", 0, 1, 550, "5.0.0", "5.0.0 x", 0 },
		{ "550 5.1000.1 x\r\n", 0, 1, 550, "", "5.1000.1 x", 0 },
		{ "550 5.999.999 x\r\n", 0, 1, 550, "5.999.999",
		    "5.999.999 x", 0 },
		{ "550 5.1.1x\r\n", 0, 1, 550, "", "5.1.1x", 0 },
		{ "354 3.0.0 x\r\n", 0, 1, 354, "", "3.0.0 x", 0 },
		/* malformed */
		{ "250 ok\n", 0, -1, EPROTO, "", "bare LF in a reply", 0 },
		{ "250-a\n250 ok\r\n", 0, -1, EPROTO, "",
		    "bare LF in a reply", 8 },
		{ "250 o\rk\r\n", 0, -1, EPROTO, "", "bare CR in a reply",
		    0 },
		{ "250 ok\r\r\n", 0, -1, EPROTO, "", "bare CR in a reply",
		    0 },
		{ "250ok\r\n", 0, -1, EPROTO, "",
		    "no blank after a reply code", 0 },
		{ "2500 ok\r\n", 0, -1, EPROTO, "",
		    "no blank after a reply code", 0 },
		{ "25 ok\r\n", 0, -1, EPROTO, "",
		    "reply line without a code", 0 },
		{ "\r\n", 0, -1, EPROTO, "", "reply line without a code", 0 },
		{ "199 ok\r\n", 0, -1, EPROTO, "",
		    "reply line without a code", 0 },
		{ "600 ok\r\n", 0, -1, EPROTO, "",
		    "reply line without a code", 0 },
		{ " 250 ok\r\n", 0, -1, EPROTO, "",
		    "reply line without a code", 0 },
		{ "SSH-2.0-OpenSSH\r\n", 0, -1, EPROTO, "",
		    "reply line without a code", 0 },
		{ "250-ok\r\n550 ok\r\n", 0, -1, EPROTO, "",
		    "different codes in one reply", 0 },
		{ "250-ok\r\n 250 ok\r\n", 0, -1, EPROTO, "",
		    "reply line without a code", 0 },
		{ "250 \33[2J\r\n", 0, -1, EPROTO, "",
		    "control byte in a reply", 0 },
		{ "250 \303\244\r\n", 0, -1, EPROTO, "",
		    "8-bit byte in a reply", 0 },
		{ "250 \303\244\r\n", SMTPC_UTF8, 1, 250, "", "\303\244", 0 },
		{ "250 \344\r\n", SMTPC_UTF8, -1, EPROTO, "",
		    "reply is not UTF-8", 0 },
		{ "250 \303\244\344\377x\r\n", SMTPC_ANY, 1, 250, "",
		    "\303\244??x", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t n = 1; n < 40; n++) {
			struct smtpc_reader r = SMTPC_READER_INIT;
			struct smtpc_reply out = { 0 };
			struct bytes in = bytes_str(rows[i].in);
			const char *why = NULL;
			int got;

			r.allow = rows[i].allow;
			got = feed(&r, &in, n, &out, &why);
			if (got != rows[i].got)
				print_message("# %s: %d\n", rows[i].in, got);
			assert_int_equal(got, rows[i].got);
			assert_int_equal(in.n, rows[i].left);
			if (got == -1) {
				assert_int_equal(errno, rows[i].code);
				assert_string_equal(why, rows[i].text);
			} else if (got == 1) {
				assert_int_equal(out.code, rows[i].code);
				assert_string_equal(out.status,
				    rows[i].status);
				assert_bytes(out.text, rows[i].text);
			}
			smtpc_reader_free(&r);
		}
	}
}

static void
reply_nul(void **state)
{
	struct smtpc_reader r = SMTPC_READER_INIT;
	struct smtpc_reply out;
	struct bytes in = BYTES("250 a\0b\r\n");
	const char *why;

	(void)state;
	assert_int_equal(smtpc_reply_read(&r, &in, &out, &why), -1);
	assert_string_equal(why, "NUL in a reply");
	smtpc_reader_free(&r);
}

/* lines of line_bytes each with CRLF, the last being the last of the reply */
static int
flood(size_t lines, size_t line_bytes, size_t step, const char **why)
{
	struct smtpc_reader r = SMTPC_READER_INIT;
	struct smtpc_reply out = { 0 };
	struct buf b = BUF_INIT(1000000);
	struct bytes in;
	int got;

	for (size_t i = 0; i < lines; i++) {
		assert_int_equal(buf_adds(&b, i + 1 == lines ? "250 "
		    : "250-"), 0);
		for (size_t j = 6; j < line_bytes; j++)
			(void)buf_addc(&b, 'x');
		(void)buf_adds(&b, "\r\n");
	}
	in = buf_bytes(&b);
	got = feed(&r, &in, step, &out, why);
	if (got == 1)
		assert_int_equal(out.lines, lines);
	if (got == -1)
		assert_int_equal(errno, EMSGSIZE);
	smtpc_reader_free(&r);
	buf_free(&b);
	return got;
}

static void
reply_limits(void **state)
{
	const char *why = NULL;

	(void)state;
	for (size_t step = 1; step <= 100000; step = step * 7 + 1) {
		assert_int_equal(flood(1, SMTPC_LINE_MAX, step, &why), 1);
		assert_int_equal(flood(1, SMTPC_LINE_MAX + 1, step, &why),
		    -1);
		assert_string_equal(why, "reply line too long");
		assert_int_equal(flood(SMTPC_LINES_MAX, 10, step, &why), 1);
		assert_int_equal(flood(SMTPC_LINES_MAX + 1, 10, step, &why),
		    -1);
		assert_string_equal(why, "too many lines in a reply");
		assert_int_equal(flood(SMTPC_REPLY_MAX / 1024, 1024, step,
		    &why), 1);
		assert_int_equal(flood(SMTPC_REPLY_MAX / 1024 + 1, 1024, step,
		    &why), -1);
		assert_string_equal(why, "reply too long");
	}
}

/* Without a line end: memory stays bounded. */
static void
reply_endless(void **state)
{
	struct smtpc_reader r = SMTPC_READER_INIT;
	struct smtpc_reply out;
	struct bytes in;
	const char *why = NULL;
	int got = 0;
	size_t n;

	(void)state;
	for (n = 0; got == 0; n++) {
		in = BYTES("2");
		got = smtpc_reply_read(&r, &in, &out, &why);
	}
	assert_int_equal(n, SMTPC_LINE_MAX + 1);
	assert_string_equal(why, "reply line too long");
	assert_true(r.line.size <= 2 * SMTPC_LINE_MAX);
	smtpc_reader_free(&r);
}

/* ---- what is offered ---- */

static struct smtpc_offer
offer_of(struct arena *a, const char *text)
{
	struct smtpc_reply r = { .code = 250, .text = bytes_str(text) };
	struct smtpc_offer o;

	smtpc_offer_parse(a, &r, &o);
	return o;
}

static void
offers(void **state)
{
	struct arena a = ARENA_INIT;
	struct smtpc_offer o;

	(void)state;
	o = offer_of(&a, "mx.example Hello [192.0.2.1]\nPIPELINING\n"
	    "size 52428800\n8BITMIME\nSMTPUTF8\nSTARTTLS\nREQUIRETLS\nDSN\n"
	    "CHUNKING\nBINARYMIME\nDELIVERBY 240\n"
	    "FUTURERELEASE 604800 2027-01-01T00:00:00Z\n"
	    "LIMITS RCPTMAX=20 MAILMAX=5 RCPTDOMAINMAX=1 OTHER=x\n"
	    "AUTH plain SCRAM-SHA-256\nAUTH=LOGIN PLAIN\n"
	    "ENHANCEDSTATUSCODES\nMT-PRIORITY MIXER\nX-OTHER 1 2");
	assert_int_equal(o.ext, (1 << 15) - 1);
	assert_true(o.extended);
	assert_bytes(o.name, "mx.example");
	assert_int_equal(o.size, 52428800);
	assert_bytes(o.auth, "PLAIN SCRAM-SHA-256 LOGIN");
	assert_int_equal(o.rcpt_max, 20);
	assert_int_equal(o.mail_max, 5);
	assert_int_equal(o.rcpt_domain_max, 1);
	assert_int_equal(o.deliverby_min, 240);
	assert_int_equal(o.hold_seconds_max, 604800);
	assert_bytes(o.hold_until_max, "2027-01-01T00:00:00Z");
	assert_bytes(o.priority, "MIXER");
	/* the first line is a name, not an offer */
	assert_int_equal(offer_of(&a, "PIPELINING").ext, 0);
	assert_int_equal(offer_of(&a, "").ext, 0);
	/* numbers that are none; limits of 0 or of seven digits */
	o = offer_of(&a, "x\nSIZE\nLIMITS RCPTMAX=0 MAILMAX=1000000 "
	    "RCPTDOMAINMAX= RCPTMAX\nSIZES 3\nAUTHX y");
	assert_int_equal(o.ext, SMTPC_EXT_SIZE | SMTPC_EXT_LIMITS);
	assert_int_equal(o.size, 0);
	assert_int_equal(o.rcpt_max + o.mail_max + o.rcpt_domain_max, 0);
	o = offer_of(&a, "x\nSIZE -5\nLIMITS rcptmax=999999 RCPTMAX=7");
	assert_int_equal(o.size, 0);
	assert_int_equal(o.rcpt_max, 7);
	/* not names of mechanisms */
	assert_bytes(offer_of(&a, "x\nAUTH a(b C-D_9 abcdefghijklmnopqrstu")
	    .auth, "C-D_9");
	arena_free(&a);
}

static void
offer_limit(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(100000);
	struct bytes list, word;
	size_t n = 0;

	(void)state;
	(void)buf_adds(&b, "x\nAUTH");
	for (int i = 0; i < SMTPC_MECHANISMS_MAX + 1; i++)
		(void)buf_printf(&b, " ABCDEFGHIJKLMNOPQR%02d", i);
	(void)buf_addc(&b, '\0');
	list = offer_of(&a, (const char *)b.p).auth;
	while (bytes_word(&list, &word))
		n++;
	assert_int_equal(n, SMTPC_MECHANISMS_MAX);
	buf_free(&b);
	arena_free(&a);
}

/* ---- messages ---- */

static struct smtpc_facts
scan(const char *one, const char *two)
{
	struct bytes part[2] = { bytes_str(one), bytes_str(two) };
	struct smtpc_parts parts = { part, 2 };
	struct smtpc_source s = smtpc_source_parts(&parts);
	struct smtpc_facts f;

	assert_int_equal(s.size, part[0].n + part[1].n);
	assert_int_equal(smtpc_scan(&s, &f), 0);
	return f;
}

static void
facts(void **state)
{
	struct smtpc_facts f;

	(void)state;
	f = scan("", "");
	assert_int_equal(f.wire_size, 0);
	f = scan("A: b\n", "\n.x\nlong line");
	assert_int_equal(f.wire_size, 6 + 2 + 4 + 11);
	assert_int_equal(f.longest_line, 9);
	assert_false(f.is_8bit || f.has_cr || f.has_nul);
	f = scan("a\r", "\nb");	/* CRLF over the edge of parts */
	assert_int_equal(f.wire_size, 6);
	assert_false(f.has_cr);
	assert_true(scan("a\r", "b\n").has_cr);
	assert_true(scan("a\r\r\n", "").has_cr);
	assert_true(scan("", "\r").has_cr);
	assert_true(scan("\303", "\244").is_8bit);
}

static int
fails(void *ctx, uint64_t offset, struct bytes *out)
{
	(void)ctx;
	(void)offset;
	(void)out;
	errno = ENODEV;
	return -1;
}

static int
shrinks(void *ctx, uint64_t offset, struct bytes *out)
{
	(void)ctx;
	*out = offset == 0 ? BYTES("a") : BYTES_EMPTY;
	return 0;
}

static void
source_fails(void **state)
{
	struct smtpc_source s = { fails, NULL, 5 };
	struct smtpc_facts f;

	(void)state;
	assert_int_equal(smtpc_scan(&s, &f), -1);
	assert_int_equal(errno, ENODEV);
	s.view = shrinks;
	assert_int_equal(smtpc_scan(&s, &f), -1);
	assert_int_equal(errno, EIO);
}

static void
xtext(void **state)
{
	struct buf b = BUF_INIT(20);

	(void)state;
	assert_int_equal(smtpc_add_xtext(&b, BYTES("a+b=c d\303")), 0);
	assert_bytes(buf_bytes(&b), "a+2Bb+3Dc+20d+C3");
	assert_int_equal(smtpc_add_xtext(&b, BYTES("+++")), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(b.n, 16);
	buf_free(&b);
}

static void
plain_text(void **state)
{
	static const struct {
		const char *in, *text;
	} rows[] = {
		{ "250 2.0.0 ok\r\n", "ok" },
		{ "250 ok\r\n", "ok" },
		{ "250\r\n", "" },
		{ "250 2.0.0\r\n", "" },
		{ "250-a\r\n250-2.1.0 b\r\n250 c\r\n", "a\nb\nc" },
		{ "550-5.1.1 a\r\n550 5.1.1 b\r\n", "a\nb" },
		{ "550-5.1.1\r\n550 5.1.1\r\n", "\n" },
		{ "550 4.1.1 other class\r\n", "4.1.1 other class" },
		{ "550 5.1.1x\r\n", "5.1.1x" },
	};
	struct smtpc_reader r = SMTPC_READER_INIT;
	struct arena a = ARENA_INIT;
	struct smtpc_reply reply;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes in = bytes_str(rows[i].in);

		assert_int_equal(smtpc_reply_read(&r, &in, &reply, &why), 1);
		assert_bytes(smtpc_reply_plain(&a, &reply), rows[i].text);
	}
	smtpc_reader_free(&r);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "replies, good and malformed, cut anywhere", replies, NULL,
		    NULL, NULL },
		{ "NUL in a reply", reply_nul, NULL, NULL, NULL },
		{ "limits of a reply: at each, and one past it", reply_limits,
		    NULL, NULL, NULL },
		{ "the text without enhanced codes", plain_text, NULL, NULL,
		    NULL },
		{ "an endless line", reply_endless, NULL, NULL, NULL },
		{ "what EHLO offers", offers, NULL, NULL, NULL },
		{ "mechanisms: at the limit, and one past it", offer_limit,
		    NULL, NULL, NULL },
		{ "what a message needs", facts, NULL, NULL, NULL },
		{ "a message that cannot be read", source_fails, NULL, NULL,
		    NULL },
		{ "xtext", xtext, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
