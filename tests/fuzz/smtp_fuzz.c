/*
 * smtp_fuzz.c - the server machine
 *
 * Properties: the result does not depend on how the input is cut; every reply
 * is well formed and can be read back; accepted text holds no CR and no NUL
 * and, sent again, arrives the same.
 *
 * Input: one byte of flags, one byte that seeds the cuts, the dialogue.
 */
#include <stdio.h>
#include <stdlib.h>

#include "smtp/smtp.h"
#include "smtpc/smtpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX (16 * 1024 * 1024)
#define CHECK(x) do { if (!(x)) fail(#x); } while (0)

struct result {
	struct buf replies, text;
	size_t kept;		/* of text: messages that were whole */
	bool closed;
	bool binary;		/* text of any bytes came */
};

static void
fail(const char *what)
{
	fprintf(stderr, "property does not hold: %s\n", what);
	abort();
}

static struct smtp *
start(unsigned int flags)
{
	struct smtp_options o = {
		.hostname = BYTES("mx.example"),
		.banner = BYTES("x"),
		.lmtp = (flags & 1) != 0,
		.textfile = (flags & 1) != 0,
		.pedantic = (flags & 2) != 0,
		.size_limit = flags & 4 ? 50 : 1000000,
		.recipients_max = flags & 8 ? 2 : 100,
		.submission = (flags & 16) != 0,
		.ask_mail = (flags & 16) != 0,
		.ask_helo = (flags & 18) == 18,
		.tls = (flags & 32) != 0,
		.mechanisms = "PLAIN LOGIN",
		.requiretls = (flags & 64) != 0,
		.dsn = (flags & 64) != 0,
		.hold_until_max = flags & 64 ? 1800000000 : 0,
		.chunking = (flags & 128) != 0,
		.binary = (flags & 160) == 160,
	};

	return smtp_new(&o);
}

static void
answer(struct smtp *s, enum smtp_event event, struct result *r)
{
	static unsigned char place[SMTP_BYTES_MAX];
	struct bytes file;
	size_t n;

	switch (event) {
	case SMTP_AUTH:
		if (smtp_auth(s).response64.n % 3 == 0)
			smtp_auth_challenge(s, BYTES("Zm9v"));
		else if (smtp_auth(s).response64.n % 3 == 1)
			smtp_auth_accept(s);
		else
			smtp_auth_refuse(s, 535, "5.7.8",
			    smtp_auth(s).response64);
		break;
	case SMTP_HELO:
		if (bytes_at(smtp_envelope(s)->helo, 0) == 'n')
			smtp_helo_refuse(s, 550, "", smtp_envelope(s)->helo);
		else
			smtp_helo_accept(s);
		break;
	case SMTP_MAIL:
		if (bytes_at(smtp_envelope(s)->sender_text, 0) == 'o')
			smtp_mail_refuse(s, 550, "5.7.1",
			    smtp_envelope(s)->sender_text);
		else
			smtp_mail_accept(s);
		break;
	case SMTP_RCPT:
		if (bytes_at(smtp_asked(s)->text, 0) == 'n')
			smtp_rcpt_refuse(s, 550, "5.1.1",
			    smtp_asked(s)->text);
		else
			smtp_rcpt_accept(s);
		break;
	case SMTP_DATA:
		r->text.n = r->kept;	/* BDAT that was broken off */
		if (bytes_at(smtp_envelope(s)->sender_text, 0) == 'd')
			smtp_data_refuse(s, 451, "4.3.0", BYTES("no\nno"));
		else
			smtp_data_accept(s);
		break;
	case SMTP_BYTES:
		r->binary |= smtp_envelope(s)->body_binary;
		buf_add(&r->text, smtp_bytes(s));
		smtp_bytes_into(s, smtp_bytes(s).n % 2 == 0 ? place : NULL);
		break;
	case SMTP_FILE:
		n = smtp_file_size(s);
		CHECK(n <= SMTP_TEXTFILE_MAX);
		/* some end in a line end, some have what is refused */
		file = bytes_first(BYTES("a\n.\nb\n\n\xff\n\0\n\r\n"), n);
		if (smtp_file_text(s, file))
			buf_add(&r->text, file);
		break;
	case SMTP_DROP:
		CHECK(smtp_why(s) != NULL);
		break;
	case SMTP_END:
		n = smtp_replies_due(s);
		CHECK(n > 0 && n <= smtp_envelope(s)->nrecipients);
		r->kept = r->text.n;
		while (n-- > 0)
			smtp_reply(s, 250, "2.0.0",
			    smtp_envelope(s)->sender_text);
		break;
	default:
		break;
	}
}

static bool
feed(struct smtp *s, struct bytes piece, struct result *r)
{
	for (;;) {
		enum smtp_event event = smtp_next(s, &piece);

		CHECK(buf_add(&r->replies, smtp_output(s)) == 0);
		smtp_written(s, smtp_output(s).n);
		if (event == SMTP_READ)
			CHECK(piece.n == 0);
		if (event == SMTP_READ || event == SMTP_CLOSE)
			return event == SMTP_READ;
		if (event == SMTP_DROP)
			r->text.n = r->kept;
		answer(s, event, r);
	}
}

/* seed 0: in one piece. */
static void
run(struct bytes input, unsigned int flags, unsigned int seed,
    struct result *r)
{
	struct smtp *s = start(flags);
	struct bytes piece;
	unsigned int x = seed;
	size_t n;

	*r = (struct result){ BUF_INIT(OUT_MAX), BUF_INIT(OUT_MAX), 0,
	    false, false };
	while (input.n > 0 && !r->closed) {
		x = x * 1103515245 + 12345;
		n = seed == 0 ? input.n : seed == 1 ? 1 : 1 + (x >> 16) % 37;
		bytes_cut(&input, n < input.n ? n : input.n, &piece);
		r->closed = !feed(s, piece, r);
	}
	CHECK(buf_add(&r->replies, smtp_output(s)) == 0);
	/* how much of an unfinished message came out depends on the cut */
	r->text.n = r->kept;
	smtp_free(s);
}

static void
result_free(struct result *r)
{
	buf_free(&r->replies);
	buf_free(&r->text);
}

static void
check_replies(struct bytes out)
{
	struct smtpc_reader reader = SMTPC_READER_INIT;
	struct smtpc_reply reply;
	struct bytes all = out, line;
	const char *why;

	while (out.n > 0) {
		CHECK(smtpc_reply_read(&reader, &out, &reply, &why) == 1);
		CHECK(reply.code >= 214 && reply.code <= 555);
	}
	smtpc_reader_free(&reader);
	while (bytes_line(&all, &line)) {
		CHECK(line.n <= SMTP_REPLY_LINE_MAX && line.n >= 4);
		CHECK(line.p[line.n] == '\r' && line.p[line.n + 1] == '\n');
		for (size_t i = 0; i < line.n; i++)
			CHECK(line.p[i] >= 0x20 && line.p[i] < 0x7f);
	}
}

/* The text as a message of its own, through the machine again. */
static void
check_text(struct bytes text)
{
	struct buf wire = BUF_INIT(OUT_MAX);
	struct result r;
	bool at_start = true;

	CHECK(!bytes_has_nul(text));
	CHECK(!bytes_chr(text, '\r', &(size_t){ 0 }));
	buf_adds(&wire, "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<u@d.example>\r\n"
	    "DATA\r\n");
	CHECK(smtp_add_text(&wire, text, &at_start) == 0);
	buf_adds(&wire, at_start ? ".\r\n" : "\r\n.\r\n");
	run(buf_bytes(&wire), 0, 3, &r);
	CHECK(!r.closed);
	CHECK(bytes_eq(buf_bytes(&r.text), text));
	result_free(&r);
	buf_free(&wire);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole, cut;
	struct bytes input;

	if (size < 2)
		return 0;
	input = bytes_of(data + 2, size - 2);
	run(input, data[0], 0, &whole);
	for (unsigned int i = 0; i < 2; i++) {
		run(input, data[0], i == 0 ? 1 : data[1] + 2u, &cut);
		CHECK(bytes_eq(buf_bytes(&whole.replies),
		    buf_bytes(&cut.replies)));
		CHECK(bytes_eq(buf_bytes(&whole.text), buf_bytes(&cut.text)));
		CHECK(whole.closed == cut.closed);
		result_free(&cut);
	}
	check_replies(buf_bytes(&whole.replies));
	if (!whole.binary)
		check_text(buf_bytes(&whole.text));
	result_free(&whole);
	return 0;
}
