/*
 * smtpc_reply_fuzz.c - replies and offers
 *
 * Properties: what is read does not depend on how the input was cut; the text
 * has no controls but LF and HTAB; written again it is read the same; and
 * not a byte after the reply is taken.
 */
#include <stdio.h>
#include <stdlib.h>

#include "smtpc/smtpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) do { if (!(x)) fail(#x); } while (0)

static void
fail(const char *what)
{
	fprintf(stderr, "property does not hold: %s\n", what);
	abort();
}

struct result {
	int got;
	const char *why;
	struct smtpc_reply reply;
	struct smtpc_reader reader;
	size_t used;
};

static void
run(struct bytes in, size_t step, enum smtpc_text allow, struct result *r)
{
	struct bytes piece;
	size_t before;

	*r = (struct result){ .reader = SMTPC_READER_INIT };
	r->reader.allow = allow;
	while (r->got == 0 && in.n > 0) {
		piece = bytes_first(in, step);
		before = piece.n;
		r->got = smtpc_reply_read(&r->reader, &piece, &r->reply,
		    &r->why);
		if (r->got == 0)
			CHECK(piece.n == 0);
		r->used += before - piece.n;
		in = bytes_from(in, before - piece.n);
	}
}

static void
check_text(struct bytes text, enum smtpc_text allow)
{
	for (size_t i = 0; i < text.n; i++)
		CHECK(text.p[i] == '\n' || text.p[i] == '\t' ||
		    (text.p[i] >= 0x20 && text.p[i] != 0x7f));
	CHECK(allow != SMTPC_ASCII || bytes_is_ascii(text));
}

static void
check_again(const struct smtpc_reply *reply, enum smtpc_text allow)
{
	struct buf b = BUF_INIT(4 * SMTPC_REPLY_MAX);
	struct bytes rest = reply->text, line;
	struct result r;
	bool more;

	do {
		more = bytes_split(&rest, '\n', &line);
		CHECK(buf_printf(&b, "%d%c", reply->code, more ? '-' : ' ')
		    == 0 && buf_add(&b, line) == 0 && buf_adds(&b, "\r\n")
		    == 0);
	} while (more);
	run(buf_bytes(&b), SIZE_MAX, allow, &r);
	if (r.got == 1) {	/* a bare "250" is a byte longer now */
		CHECK(r.used == b.n && r.reply.code == reply->code);
		CHECK(bytes_eq(r.reply.text, reply->text));
		CHECK(strcmp(r.reply.status, reply->status) == 0);
	} else {
		CHECK(r.got == -1 && b.n > SMTPC_LINE_MAX);
	}
	smtpc_reader_free(&r.reader);
	buf_free(&b);
}

static void
check_offer(const struct smtpc_reply *reply)
{
	struct arena a = ARENA_INIT;
	struct smtpc_offer o;
	struct bytes list, word;
	size_t n = 0;

	smtpc_offer_parse(&a, reply, &o);
	list = o.auth;
	while (bytes_word(&list, &word)) {
		CHECK(word.n <= 20);
		n++;
	}
	CHECK(o.auth.n <= SMTPC_MECHANISMS_MAX * 21);
	CHECK((n > 0) <= ((o.ext & SMTPC_EXT_AUTH) != 0));
	CHECK(o.rcpt_max <= 999999 && o.mail_max <= 999999);
	CHECK((o.ext & SMTPC_EXT_SIZE) != 0 || o.size == 0);
	arena_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole, cut;
	struct bytes in;
	enum smtpc_text allow;

	if (size < 1)
		return 0;
	allow = (enum smtpc_text)(data[0] % 3);
	in = bytes_of(data + 1, size - 1);
	run(in, SIZE_MAX, allow, &whole);
	for (size_t step = 1; step < 20; step += 6) {
		run(in, step, allow, &cut);
		CHECK(cut.got == whole.got && cut.why == whole.why);
		if (cut.got == 1) {
			CHECK(cut.used == whole.used);
			CHECK(cut.reply.code == whole.reply.code);
			CHECK(bytes_eq(cut.reply.text, whole.reply.text));
		}
		smtpc_reader_free(&cut.reader);
	}
	if (whole.got == 1) {
		check_text(whole.reply.text, allow);
		check_again(&whole.reply, allow);
		check_offer(&whole.reply);
	}
	smtpc_reader_free(&whole.reader);
	return 0;
}
