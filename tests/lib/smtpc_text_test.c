/* smtpc_text_test.c - large messages, many recipients, and limits */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "smtp/smtp.h"
#include "smtpc/smtpc.h"

#define MAX ((size_t)64 * 1024 * 1024)

/* A conversation with a server that says yes to all, made of counters. */
struct talk {
	struct smtpc *s;
	struct smtpc_mail mail;
	struct smtpc_recipient *rcpt;
	struct arena arena;
	struct buf out;			/* all that was said */
	size_t ahead, ahead_max;	/* commands without a reply */
	size_t output_max;
};

static void
take(struct talk *t)
{
	struct bytes o = smtpc_output(t->s);

	if (o.n > t->output_max)
		t->output_max = o.n;
	assert_int_equal(buf_add(&t->out, o), 0);
	smtpc_written(t->s, o.n);
}

static enum smtpc_event
hear(struct talk *t, const char *text)
{
	struct bytes in = bytes_str(text);
	enum smtpc_event e;

	while ((e = smtpc_next(t->s, &in)) == SMTPC_FLUSH)
		take(t);
	take(t);
	return e;
}

static void
begin(struct talk *t, const char *ehlo, bool chunking, size_t rcpts)
{
	struct smtpc_options o = { .hostname = BYTES("me.example"),
	    .chunking = chunking };
	char address[64];
	const char *why;

	*t = (struct talk){ .arena = ARENA_INIT, .out = BUF_INIT(MAX) };
	t->s = smtpc_new(&o);
	t->rcpt = mem_zalloc(rcpts, sizeof(*t->rcpt));
	t->mail = (struct smtpc_mail){ .recipients = t->rcpt,
	    .nrecipients = rcpts, .arena = &t->arena, .envid = BYTES_EMPTY,
	    .auth = BYTES_EMPTY, .hold_until = BYTES_EMPTY };
	assert_int_equal(addr_parse_path(&t->arena, BYTES_EMPTY, 0,
	    &t->mail.sender, &why), 0);
	for (size_t i = 0; i < rcpts; i++) {
		(void)snprintf(address, sizeof(address), "u%zu@x.example", i);
		t->rcpt[i].orcpt = BYTES_EMPTY;
		assert_int_equal(addr_parse_path(&t->arena,
		    arena_bytes(&t->arena, bytes_str(address)), 0,
		    &t->rcpt[i].path, &why), 0);
	}
	assert_int_equal(hear(t, "220 hi\r\n"), SMTPC_READ);
	assert_int_equal(hear(t, ehlo), SMTPC_READY);
	buf_reset(&t->out);
}

static void
end(struct talk *t)
{
	smtpc_free(t->s);
	free(t->rcpt);
	arena_free(&t->arena);
	buf_free(&t->out);
}

static size_t
lines_of(struct bytes s, struct bytes start)
{
	struct bytes line;
	size_t n = 0;

	while (bytes_line(&s, &line))
		n += bytes_starts(line, start);
	return n;
}

static size_t
count(struct bytes s, struct bytes what)
{
	size_t n = 0, at;

	while (bytes_find(s, what, &at)) {
		s = bytes_from(s, at + what.n);
		n++;
	}
	return n;
}

/* ---- many recipients ---- */

/* All that is sent ahead is answered at once; how much was that? */
static void
recipients(size_t n, size_t want_tried)
{
	struct bytes part = BYTES("x\n");
	struct smtpc_parts parts = { &part, 1 };
	struct talk t;
	size_t rounds = 0, seen = 0, ahead, ok = 0, again = 0;
	enum smtpc_event e = SMTPC_READ;

	begin(&t, "250-mx\r\n250 PIPELINING\r\n", false, n);
	t.mail.source = smtpc_source_parts(&parts);
	assert_int_equal(smtpc_scan(&t.mail.source, &t.mail.facts), 0);
	assert_int_equal(smtpc_send(t.s, &t.mail), 0);
	e = hear(&t, "");
	while (e == SMTPC_READ) {
		struct bytes all = buf_bytes(&t.out);
		bool data = bytes_ends(all, BYTES("\r\nDATA\r\n"));

		ahead = lines_of(all, BYTES("")) - seen;
		if (ahead > t.ahead_max)
			t.ahead_max = ahead;
		assert_true(ahead > 0);
		if (bytes_ends(all, BYTES("\r\n.\r\n"))) {
			e = hear(&t, "250 ok\r\n");
			break;
		}
		/* one reply for each, DATA's last */
		for (size_t i = 0; i < ahead; i++) {
			seen++;
			e = hear(&t, data && i + 1 == ahead ? "354 go\r\n"
			    : "250 ok\r\n");
		}
		assert_true(rounds++ < 2 * n + 10);
	}
	assert_int_equal(e, SMTPC_DONE);
	for (size_t i = 0; i < n; i++) {
		ok += t.rcpt[i].result.class == SMTPC_OK;
		again += t.rcpt[i].result.again;
	}
	assert_int_equal(ok, want_tried);
	assert_int_equal(again, n - want_tried);
	assert_int_equal(lines_of(buf_bytes(&t.out), BYTES("RCPT")),
	    want_tried);
	assert_true(t.ahead_max <= SMTPC_AHEAD_MAX);
	if (n >= SMTPC_AHEAD_MAX)
		assert_int_equal(t.ahead_max, SMTPC_AHEAD_MAX);
	end(&t);
}

static void
many_recipients(void **state)
{
	(void)state;
	recipients(1, 1);
	recipients(SMTPC_AHEAD_MAX - 2, SMTPC_AHEAD_MAX - 2);
	recipients(SMTPC_AHEAD_MAX - 1, SMTPC_AHEAD_MAX - 1);
	recipients(SMTPC_AHEAD_MAX, SMTPC_AHEAD_MAX);
	recipients(SMTPC_RECIPIENTS_MAX, SMTPC_RECIPIENTS_MAX);
	recipients(SMTPC_RECIPIENTS_MAX + 1, SMTPC_RECIPIENTS_MAX);
}

/* ---- large messages ---- */

/* A message whose lines begin with dots at every place of a chunk. */
static void
make_message(struct buf *b, size_t size)
{
	size_t i = 0;

	while (b->n < size) {
		(void)buf_printf(b, "%s%.*s\n", i % 3 == 0 ? "." : "",
		    (int)(i % 71), "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
		i++;
	}
	assert_false(b->full);
}

/* Gives pieces of a size that has nothing to do with any other. */
struct piecewise {
	struct bytes all;
	size_t step;
};

static int
view_piece(void *ctx, uint64_t offset, struct bytes *out)
{
	struct piecewise *p = ctx;

	*out = bytes_first(bytes_from(p->all, (size_t)offset), p->step);
	return 0;
}

static const size_t steps[] = { 1, 7, 4096, 70001, 100000000 };

static void
data(void **state)
{
	struct buf m = BUF_INIT(MAX), want = BUF_INIT(MAX);
	bool at_start = true;

	(void)state;
	make_message(&m, 1000000);
	assert_int_equal(smtp_add_text(&want, buf_bytes(&m), &at_start), 0);
	(void)buf_adds(&want, ".\r\n");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct piecewise p = { buf_bytes(&m), steps[i] };
		struct talk t;

		begin(&t, "250 mx\r\n", false, 1);
		t.mail.source = (struct smtpc_source){ view_piece, &p, m.n };
		assert_int_equal(smtpc_scan(&t.mail.source, &t.mail.facts),
		    0);
		assert_int_equal(smtpc_send(t.s, &t.mail), 0);
		assert_int_equal(hear(&t, ""), SMTPC_READ);
		assert_int_equal(hear(&t, "250 ok\r\n"), SMTPC_READ);
		assert_int_equal(hear(&t, "250 ok\r\n"), SMTPC_READ);
		assert_int_equal(smtpc_phase(t.s), SMTPC_WAIT_DATA);
		buf_reset(&t.out);
		assert_int_equal(hear(&t, "354 go\r\n"), SMTPC_READ);
		assert_int_equal(smtpc_phase(t.s), SMTPC_WAIT_END);
		assert_true(bytes_eq(buf_bytes(&t.out), buf_bytes(&want)));
		/* memory does not grow with the message */
		assert_true(t.output_max <= 2 * SMTPC_CHUNK_BYTES);
		assert_int_equal(hear(&t, "250 ok\r\n"), SMTPC_DONE);
		assert_int_equal(t.rcpt[0].result.class, SMTPC_OK);
		end(&t);
	}
	buf_free(&m);
	buf_free(&want);
}

/* Take BDAT commands and their chunks apart; the content is added to *got. */
static size_t
cut_chunks(struct bytes out, struct buf *got, bool *last)
{
	struct bytes line, word, content;
	size_t n = 0;
	uint64_t size;

	*last = false;
	while (bytes_line(&out, &line)) {
		assert_false(*last);
		assert_true(bytes_skip(&line, BYTES("BDAT ")));
		assert_true(bytes_word(&line, &word));
		assert_int_equal(num_parse(word, 0, SMTPC_CHUNK_BYTES, &size),
		    0);
		*last = bytes_word(&line, &word);
		assert_true(bytes_cut(&out, (size_t)size, &content));
		assert_int_equal(buf_add(got, content), 0);
		n++;
	}
	return n;
}

static void
bdat_one(struct bytes m, size_t step, const char *ehlo, size_t ahead)
{
	struct piecewise p = { m, step };
	struct buf got = BUF_INIT(MAX), want = BUF_INIT(MAX);
	struct bytes rest = m, line;
	struct talk t;
	bool last = false;
	size_t n;

	while (bytes_line(&rest, &line)) {
		(void)buf_add(&want, line);
		(void)buf_adds(&want, "\r\n");
	}
	begin(&t, ehlo, true, 1);
	t.mail.source = (struct smtpc_source){ view_piece, &p, m.n };
	assert_int_equal(smtpc_scan(&t.mail.source, &t.mail.facts), 0);
	assert_int_equal(t.mail.facts.wire_size, want.n);
	assert_int_equal(smtpc_send(t.s, &t.mail), 0);
	assert_int_equal(hear(&t, ""), SMTPC_READ);
	assert_int_equal(hear(&t, "250 ok\r\n"), SMTPC_READ);
	buf_reset(&t.out);
	assert_int_equal(hear(&t, "250 ok\r\n"), SMTPC_READ);
	while (!last) {
		n = cut_chunks(buf_bytes(&t.out), &got, &last);
		assert_true(n >= 1 && n <= ahead);
		assert_true(!last || n == 1);	/* it waits for all others */
		buf_reset(&t.out);
		while (n-- > 0 && !last)
			assert_int_equal(hear(&t, "250 ok\r\n"), SMTPC_READ);
	}
	assert_true(bytes_eq(buf_bytes(&got), buf_bytes(&want)));
	assert_true(t.output_max <= 3 * SMTPC_CHUNK_BYTES);
	assert_int_equal(hear(&t, "250 ok\r\n"), SMTPC_DONE);
	assert_int_equal(t.rcpt[0].result.class, SMTPC_OK);
	end(&t);
	buf_free(&got);
	buf_free(&want);
}

static void
bdat(void **state)
{
	struct buf m = BUF_INIT(MAX);

	(void)state;
	make_message(&m, 1000000);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		bdat_one(buf_bytes(&m), steps[i],
		    "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n",
		    SMTPC_AHEAD_MAX);
		bdat_one(buf_bytes(&m), steps[i],
		    "250-mx\r\n250 CHUNKING\r\n", 1);
	}
	/* without a line end at the end, around the size of a chunk */
	buf_reset(&m);
	for (size_t i = 0; i < SMTPC_CHUNK_BYTES - 4; i++)
		(void)buf_addc(&m, 'x');
	for (size_t i = 0; i < 8; i++) {
		bdat_one(buf_bytes(&m), 100000000,
		    "250-mx\r\n250 CHUNKING\r\n", 1);
		(void)buf_addc(&m, 'y');
	}
	buf_free(&m);
}

/* ---- while the message is under way ---- */

/* Up to the first part of a large message. */
static void
begin_text(struct talk *t, struct smtpc_source source, const char *ehlo)
{
	struct bytes in = BYTES("354 go\r\n");

	begin(t, ehlo, false, 2);
	t->mail.source = source;
	t->mail.facts = (struct smtpc_facts){ .wire_size = source.size };
	assert_int_equal(smtpc_send(t->s, &t->mail), 0);
	assert_int_equal(hear(t, ""), SMTPC_READ);
	assert_int_equal(hear(t, "250 ok\r\n"), SMTPC_READ);
	assert_int_equal(hear(t, "250 ok\r\n"), SMTPC_READ);
	assert_int_equal(hear(t, "550 no\r\n"), SMTPC_READ);
	buf_reset(&t->out);
	assert_int_equal(smtpc_next(t->s, &in), SMTPC_FLUSH);
	assert_int_equal(smtpc_phase(t->s), SMTPC_WAIT_TEXT);
	take(t);
}

static void
early(void **state)
{
	static const struct {
		const char *in;
		enum smtpc_class class;
		int code;
	} rows[] = {
		{ "552 5.3.4 too big\r\n", SMTPC_PERMANENT, 552 },
		{ "452 4.3.1 disk full\r\n", SMTPC_TEMPORARY, 452 },
		{ "421 4.3.2 down\r\n", SMTPC_TEMPORARY, 421 },
		{ "250 2.0.0 taken\r\n", SMTPC_TEMPORARY, 0 },
		{ "\r\n", SMTPC_TEMPORARY, 0 },
	};
	struct buf m = BUF_INIT(MAX);

	(void)state;
	make_message(&m, 1000000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct piecewise p = { buf_bytes(&m), 5000 };
		struct talk t;

		begin_text(&t, (struct smtpc_source){ view_piece, &p, m.n },
		    "250 mx\r\n");
		assert_int_equal(hear(&t, rows[i].in), SMTPC_DONE);
		assert_int_equal(t.rcpt[0].result.class, rows[i].class);
		assert_int_equal(t.rcpt[0].result.code, rows[i].code);
		assert_int_equal(t.rcpt[0].result.step, SMTPC_AT_TEXT);
		assert_false(t.rcpt[0].result.doubtful);
		assert_int_equal(t.rcpt[1].result.code, 550);
		/* no end mark, and nothing that could become text */
		assert_int_equal(hear(&t, ""), SMTPC_CLOSED);
		assert_false(bytes_ends(buf_bytes(&t.out),
		    BYTES("\r\n.\r\n")));
		assert_false(bytes_ends(buf_bytes(&t.out), BYTES("QUIT\r\n")));
		end(&t);
	}
	buf_free(&m);
}

/* The connection goes: nothing can have been taken, whatever was said. */
static void
lost_in_text(void **state)
{
	struct buf m = BUF_INIT(MAX);
	struct piecewise p;
	struct talk t;
	struct bytes in = BYTES_EMPTY;

	(void)state;
	make_message(&m, 1000000);
	p = (struct piecewise){ buf_bytes(&m), 5000 };
	begin_text(&t, (struct smtpc_source){ view_piece, &p, m.n },
	    "250 mx\r\n");
	smtpc_lost(t.s, "broken pipe");
	assert_int_equal(hear(&t, ""), SMTPC_DONE);
	assert_int_equal(t.rcpt[0].result.class, SMTPC_TEMPORARY);
	assert_string_equal(t.rcpt[0].result.why, "broken pipe");
	assert_false(t.rcpt[0].result.doubtful);
	end(&t);
	/* all was made, but the end mark has not left */
	p.all = bytes_first(p.all, 70000);
	begin_text(&t, (struct smtpc_source){ view_piece, &p, 70000 },
	    "250 mx\r\n");
	assert_int_equal(smtpc_next(t.s, &in), SMTPC_READ);
	smtpc_written(t.s, smtpc_output(t.s).n - 1);
	smtpc_lost(t.s, "broken pipe");
	assert_int_equal(smtpc_next(t.s, &in), SMTPC_DONE);
	assert_false(t.rcpt[0].result.doubtful);
	end(&t);
	buf_free(&m);
}

static int
view_fails(void *ctx, uint64_t offset, struct bytes *out)
{
	static const char line[] = "text text text text text text text\n";

	*out = bytes_str(line);
	errno = EBADMSG;	/* not the one for lone CRs here */
	return offset >= *(const uint64_t *)ctx ? -1 : 0;
}

static int
view_cr(void *ctx, uint64_t offset, struct bytes *out)
{
	*out = offset >= *(const uint64_t *)ctx ? BYTES("\rx") : BYTES("x\n");
	return 0;
}

/* What the scan did not see, because the file changed. */
static void
source_changes(void **state)
{
	uint64_t at = 200000;
	struct talk t;

	(void)state;
	begin_text(&t, (struct smtpc_source){ view_fails, &at, 300000 },
	    "250 mx\r\n");
	assert_int_equal(hear(&t, ""), SMTPC_DONE);
	assert_int_equal(t.rcpt[0].result.class, SMTPC_TEMPORARY);
	assert_string_equal(t.rcpt[0].result.status, "4.3.0");
	assert_int_equal(hear(&t, ""), SMTPC_CLOSED);
	assert_false(bytes_ends(buf_bytes(&t.out), BYTES("\r\n.\r\n")));
	end(&t);
	begin_text(&t, (struct smtpc_source){ view_cr, &at, 300000 },
	    "250 mx\r\n");
	assert_int_equal(hear(&t, ""), SMTPC_DONE);
	assert_int_equal(t.rcpt[0].result.class, SMTPC_PERMANENT);
	assert_string_equal(t.rcpt[0].result.status, "5.6.0");
	assert_false(bytes_chr(buf_bytes(&t.out), 0, &(size_t){ 0 }));
	assert_false(bytes_find(buf_bytes(&t.out), BYTES("\rx"),
	    &(size_t){ 0 }));
	end(&t);
}

/* A chunk refused: the rest stays here, and so do replies to it. */
static void
chunk_refused(void **state)
{
	struct buf m = BUF_INIT(MAX);
	struct piecewise p;
	struct talk t;

	(void)state;
	make_message(&m, 1000000);
	p = (struct piecewise){ buf_bytes(&m), 5000 };
	begin(&t, "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n", true, 1);
	t.mail.source = (struct smtpc_source){ view_piece, &p, 200000 };
	assert_int_equal(smtpc_scan(&t.mail.source, &t.mail.facts), 0);
	assert_int_equal(smtpc_send(t.s, &t.mail), 0);
	assert_int_equal(hear(&t, ""), SMTPC_READ);
	assert_int_equal(hear(&t, "250 ok\r\n"), SMTPC_READ);
	assert_int_equal(hear(&t, "250 ok\r\n"), SMTPC_READ);
	assert_int_equal(count(buf_bytes(&t.out), BYTES("BDAT ")), 3);
	assert_int_equal(hear(&t, "250 ok\r\n"), SMTPC_READ);
	assert_int_equal(hear(&t, "552 5.3.4 too big\r\n"), SMTPC_READ);
	assert_int_equal(hear(&t, "503 no\r\n"), SMTPC_DONE);
	assert_int_equal(t.rcpt[0].result.code, 552);
	assert_int_equal(t.rcpt[0].result.class, SMTPC_PERMANENT);
	assert_int_equal(count(buf_bytes(&t.out), BYTES("BDAT ")), 3);
	/* the server still has a transaction open */
	t.rcpt[0].result.class = SMTPC_PENDING;
	buf_reset(&t.out);
	assert_int_equal(smtpc_send(t.s, &t.mail), 0);
	assert_int_equal(hear(&t, ""), SMTPC_READ);
	assert_true(bytes_starts(buf_bytes(&t.out), BYTES("RSET\r\nMAIL ")));
	end(&t);
	buf_free(&m);
}

/* ---- what no command can carry; text that is kept ---- */

static void
wrong_mail(void **state)
{
	static unsigned char value[SMTPC_ORCPT_MAX + 1];
	struct talk t;

	(void)state;
	memset(value, 'v', sizeof(value));
	begin(&t, "250-mx\r\n250 DSN\r\n", false, 1);
#define REFUSED(change, undo) do { change; \
	assert_int_equal(smtpc_send(t.s, &t.mail), -1); \
	assert_int_equal(errno, EINVAL); undo; } while (0)
	REFUSED(t.mail.envid = BYTES("a b"), t.mail.envid = BYTES_EMPTY);
	REFUSED(t.mail.envid = BYTES("a=b"), t.mail.envid = BYTES_EMPTY);
	REFUSED(t.mail.envid = BYTES("a\r\nQUIT"),
	    t.mail.envid = BYTES_EMPTY);
	REFUSED(t.mail.envid = bytes_of(value, SMTPC_ENVID_MAX + 1),
	    t.mail.envid = bytes_of(value, SMTPC_ENVID_MAX));
	REFUSED(t.rcpt[0].orcpt = bytes_of(value, SMTPC_ORCPT_MAX + 1),
	    t.rcpt[0].orcpt = bytes_of(value, SMTPC_ORCPT_MAX));
	REFUSED(t.mail.auth = bytes_of(value, SMTPC_PARAM_MAX + 1),
	    t.mail.auth = bytes_of(value, SMTPC_PARAM_MAX));
	REFUSED(t.mail.hold_until = bytes_of(value, SMTPC_PARAM_MAX + 1),
	    t.mail.hold_until = BYTES_EMPTY);
	REFUSED(t.rcpt[0].path.local_part = BYTES("a\r\nRSET"),
	    t.rcpt[0].path.local_part = BYTES("a"));
	REFUSED(t.rcpt[0].path.is_null = true,
	    t.rcpt[0].path.is_null = false);
	REFUSED(t.mail.by_mode = 'X', t.mail.by_mode = 0);
	REFUSED(t.rcpt[0].notify = 9, t.rcpt[0].notify = 8);
	REFUSED(t.rcpt[0].result.class = SMTPC_OK,
	    t.rcpt[0].result.class = SMTPC_PENDING);
	assert_int_equal(smtpc_send(t.s, &t.mail), 0);
	REFUSED((void)0, (void)0);	/* one at a time */
	assert_int_equal(hear(&t, ""), SMTPC_READ);
	end(&t);
}

static void
kept_text(void **state)
{
	struct buf reply = BUF_INIT(100000);
	struct talk t;

	(void)state;
	begin(&t, "250 mx\r\n", false, 1);
	assert_int_equal(smtpc_send(t.s, &t.mail), 0);
	assert_int_equal(hear(&t, ""), SMTPC_READ);
	(void)buf_adds(&reply, "550-5.7.1 see\r\n");
	for (int i = 0; i < 10; i++) {
		(void)buf_adds(&reply, "550-");
		for (int j = 0; j < 500; j++)
			(void)buf_addc(&reply, 'x');
		(void)buf_adds(&reply, "\r\n");
	}
	(void)buf_adds(&reply, "550 end\r\n");
	(void)buf_addc(&reply, '\0');
	assert_int_equal(hear(&t, (const char *)reply.p), SMTPC_DONE);
	assert_int_equal(t.rcpt[0].result.text.n, SMTPC_TEXT_MAX);
	assert_true(bytes_starts(t.rcpt[0].result.text,
	    BYTES("5.7.1 see\nxxx")));
	assert_string_equal(t.rcpt[0].result.status, "5.7.1");
	end(&t);
	buf_free(&reply);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "Q-4 Q-5 up to 1000 recipients, never more than 50 commands "
		    "ahead", many_recipients, NULL, NULL, NULL },
		{ "DATA: a large message, cut anywhere, in bounded memory",
		    data, NULL, NULL, NULL },
		{ "BDAT: the same, and the last chunk waits", bdat, NULL,
		    NULL, NULL },
		{ "a reply in the middle of the text: no end mark", early,
		    NULL, NULL, NULL },
		{ "lost in the text: no doubt", lost_in_text, NULL, NULL,
		    NULL },
		{ "a source that changes or fails", source_changes, NULL,
		    NULL, NULL },
		{ "a refused chunk", chunk_refused, NULL, NULL, NULL },
		{ "what no command can carry", wrong_mail, NULL, NULL, NULL },
		{ "the text of a reply is cut", kept_text, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
