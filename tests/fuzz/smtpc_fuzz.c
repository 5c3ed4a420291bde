/*
 * smtpc_fuzz.c - the session machine and any server
 *
 * Properties: the message is said only after 354 to DATA, or in BDAT once a
 * recipient was accepted; once in a transaction; whole before an "ok" and
 * before any doubt; every line ends in CRLF; every recipient has a result;
 * and it comes to an end.
 *
 * Input: two bytes of flags, then what the server says: a line for each read,
 * two if it begins with 0x01; "!t" is a time-out.
 */
#include <stdio.h>
#include <stdlib.h>

#include "smtpc/smtpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) do { if (!(x)) fail(#x); } while (0)
#define RCPTS 4
#define MAILS_MAX 12
/* Every event takes input, gives output or comes after one that did. */
#define EVENTS_MAX 4096

static const char text[] = "Subject: x\n\n.BODY\nEND";

static void
fail(const char *what)
{
	fprintf(stderr, "property does not hold: %s\n", what);
	abort();
}

struct game {
	unsigned int flags;
	struct smtpc *s;
	struct arena arena;
	struct smtpc_mail mail;
	struct smtpc_recipient rcpt[RCPTS];
	struct bytes part;
	struct smtpc_parts parts;
	struct buf out, in;	/* since MAIL was said */
	size_t mails;
	bool open;		/* a mail is under way */
};

/* The code of the next reply, read without the machine's reader; 0: none. */
static int
next_code(struct bytes *in)
{
	struct bytes line;
	uint64_t code;

	while (bytes_line(in, &line)) {
		if (bytes_at(line, 3) != '-')
			return num_parse(bytes_first(line, 3), 200, 599,
			    &code) == 0 ? (int)code : 0;
	}
	return 0;
}

/*
 * Whether the message may follow the commands said before it: MAIL and a RCPT
 * were accepted, and DATA, if it was said, was answered by 354.
 */
static bool
may_follow(struct bytes said, struct bytes in)
{
	bool mail = false, rcpt = false, data = true;
	struct bytes line;
	int code;

	while (bytes_line(&said, &line)) {
		if (bytes_starts(line, BYTES("BDAT ")) ||
		    bytes_starts(line, BYTES("Subject")))
			break;		/* no reply to it is needed */
		code = next_code(&in);
		if (bytes_starts(line, BYTES("MAIL ")))
			mail = code / 100 == 2;
		else if (bytes_starts(line, BYTES("RCPT ")))
			rcpt |= code / 100 == 2;
		else if (bytes_eq(line, BYTES("DATA")))
			data = code == 354;
	}
	return mail && rcpt && data;
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

static void
check_output(struct game *g)
{
	struct bytes out = buf_bytes(&g->out), in = buf_bytes(&g->in);
	size_t at;

	for (size_t i = 0; i < out.n; i++)
		CHECK(out.p[i] != '\n' || (i > 0 && out.p[i - 1] == '\r'));
	CHECK(count(out, BYTES(".BODY")) <= 1);
	if (!bytes_find(out, BYTES(".BODY"), &at))
		return;
	CHECK(may_follow(bytes_first(out, at), in));
	if (count(out, BYTES("\r\nBDAT ")) > 0) {
		CHECK(g->flags & 8);
		return;
	}
	CHECK(count(bytes_first(out, at), BYTES("\r\nDATA\r\n")) == 1);
	CHECK(out.p[at - 1] == '.');		/* stuffed */
}

static bool
is_whole(const struct game *g)
{
	struct bytes out = buf_bytes(&g->out);

	return count(out, BYTES("END\r\n.\r\n")) == 1 ||
	    (count(out, BYTES(" LAST\r\n")) == 1 &&
	    bytes_ends(out, BYTES("END\r\n")));
}

static void
check_results(struct game *g)
{
	for (size_t i = 0; i < RCPTS; i++) {
		const struct smtpc_result *r = &g->rcpt[i].result;

		CHECK(r->class != SMTPC_PENDING);
		CHECK((r->code == 0) == (r->why != NULL));
		CHECK(r->text.n <= SMTPC_TEXT_MAX);
		CHECK(r->class != SMTPC_OK || r->step == SMTPC_AT_END);
		CHECK(!r->doubtful || is_whole(g));
		CHECK(!r->again || r->class == SMTPC_TEMPORARY);
	}
}

/* At SMTPC_READY. */
static void
go_on(struct game *g)
{
	bool again = g->mails > 0 && smtpc_again(&g->mail) > 0;

	if (g->mails >= MAILS_MAX || (g->mails >= 3 && !again)) {
		/* every round takes one recipient off at least */
		CHECK(!again || g->mails < MAILS_MAX);
		smtpc_quit(g->s);
		return;
	}
	if (!again) {
		for (size_t i = 0; i < RCPTS; i++)
			g->rcpt[i].result = (struct smtpc_result){ 0 };
	}
	buf_reset(&g->out);
	buf_reset(&g->in);
	CHECK(smtpc_send(g->s, &g->mail) == 0);
	g->mails++;
	g->open = true;
}

static struct bytes
next_read(struct bytes *script)
{
	struct bytes all = *script, line;
	int lines = 1;

	if (bytes_at(all, 0) == 1) {
		lines = 2;
		all = bytes_from(all, 1);
	}
	*script = all;
	while (lines-- > 0)
		(void)bytes_split(script, '\n', &line);
	return bytes_first(all, all.n - script->n);
}

static void
start(struct game *g)
{
	static const char *const to[RCPTS] = { "a@x.example", "b@x.example",
	    "\xc3\xa4@y.example", "c@y.example" };
	static const struct saslc_login login = {
		.user = { (const unsigned char *)"user", 4 },
		.password = { (const unsigned char *)"password", 8 },
		.mechanisms = "CRAM-MD5 PLAIN LOGIN", .in_clear = true,
	};
	struct smtpc_options o = {
		.hostname = BYTES("me.example"),
		.lmtp = (g->flags & 1) != 0,
		.pedantic = (g->flags & 2) != 0,
		.tls = g->flags & 4 ? SMTPC_TLS_OFFERED : SMTPC_TLS_NEVER,
		.chunking = (g->flags & 8) != 0,
		.login = g->flags & 16 ? &login : NULL,
		.recipients_max = g->flags & 32 ? 2 : 0,
	};
	const char *why;

	g->s = smtpc_new(&o);
	g->mail = (struct smtpc_mail){ .recipients = g->rcpt,
	    .nrecipients = RCPTS, .arena = &g->arena,
	    .envid = BYTES("id"), .auth = BYTES_EMPTY,
	    .hold_until = BYTES_EMPTY, .requiretls = (g->flags & 64) != 0 };
	CHECK(addr_parse_path(&g->arena, BYTES("me@me.example"), 0,
	    &g->mail.sender, &why) == 0);
	for (size_t i = 0; i < RCPTS; i++) {
		g->rcpt[i] = (struct smtpc_recipient){ .orcpt = BYTES_EMPTY,
		    .notify = SMTPC_NOTIFY_NEVER };
		CHECK(addr_parse_path(&g->arena, bytes_str(to[i]),
		    ADDR_SMTPUTF8, &g->rcpt[i].path, &why) == 0);
	}
	g->part = bytes_str(text);
	g->parts = (struct smtpc_parts){ &g->part, 1 };
	g->mail.source = smtpc_source_parts(&g->parts);
	CHECK(smtpc_scan(&g->mail.source, &g->mail.facts) == 0);
}

/* False: the session is over. */
static bool
event(struct game *g, enum smtpc_event e, struct bytes *in,
    struct bytes *script)
{
	switch (e) {
	case SMTPC_READ:
		CHECK(in->n == 0);
		if (script->n == 0) {
			smtpc_lost(g->s, "end");
		} else if (bytes_starts(*script, BYTES("!t"))) {
			smtpc_timed_out(g->s);
		} else {
			*in = next_read(script);
			CHECK(buf_add(&g->in, *in) == 0);
		}
		break;
	case SMTPC_STARTTLS:
		CHECK(in->n == 0 && !smtpc_is_secured(g->s));
		if (g->flags & 128)
			smtpc_secured_not(g->s, "no");
		else
			smtpc_secured(g->s, NULL);
		break;
	case SMTPC_READY:
		CHECK(!g->open);
		go_on(g);
		break;
	case SMTPC_DONE:
		CHECK(g->open);
		check_results(g);
		g->open = false;
		break;
	case SMTPC_CLOSED:
		CHECK(smtpc_failure(g->s)->class != SMTPC_PENDING);
		return false;
	case SMTPC_FLUSH:
		break;
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct game g = { .arena = ARENA_INIT, .out = BUF_INIT(1 << 20),
	    .in = BUF_INIT(1 << 22) };
	struct bytes script, in = BYTES_EMPTY;
	enum smtpc_event e;
	size_t events = 0;

	if (size < 2)
		return 0;
	g.flags = data[0] | (unsigned int)data[1] << 8;
	script = bytes_of(data + 2, size - 2);
	start(&g);
	do {
		e = smtpc_next(g.s, &in);
		CHECK(buf_add(&g.out, smtpc_output(g.s)) == 0);
		smtpc_written(g.s, smtpc_output(g.s).n);
		if (g.mails > 0)
			check_output(&g);
		CHECK(smtpc_wait_ms(g.s) > 0);
		CHECK(++events < EVENTS_MAX + size);
	} while (event(&g, e, &in, &script));
	CHECK(!g.open);
	CHECK(smtpc_next(g.s, &in) == SMTPC_CLOSED);
	smtpc_free(g.s);
	arena_free(&g.arena);
	buf_free(&g.out);
	buf_free(&g.in);
	return 0;
}
