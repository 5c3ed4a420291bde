/*
 * smtpc_script.h - dialogues with a scripted server, for the tests of
 * lib/smtpc. A script is lines:
 *	S:text		the server says text and CRLF
 *	C:text		the client says exactly that
 *	!send !again !quit !noop !tls !tlsbad !eof !timeout	the caller acts
 * Each is run three times: replies line by line, byte by byte, and all that
 * come together in one piece.
 */
#ifndef SMTPC_SCRIPT_H
#define SMTPC_SCRIPT_H

#include <stdio.h>
#include <stdlib.h>

#include "smtpc/smtpc.h"

enum {
	LMTP = 1, PEDANTIC = 2, TLS_IF = 4, TLS_MUST = 8, SECURED = 16,
	CHUNKING = 32, LOGIN = 64, FEW = 128,
	/* of the mail */
	UTF8 = 256, REQUIRETLS = 512, BINARY = 1024, EXTRAS = 2048,
	BY_R = 4096, HOLD = 8192, BY_N = 16384, UNTIL = 32768,
};

struct row {
	const char *name;
	int flags;
	const char *sender, *to;	/* recipients, blanks between */
	const char *text;
	const char *script;
	/* "class code status step[ again][ doubtful]|..." and, after "/",
	 * the session's end in the same form, or "open". */
	const char *want;
};

struct play {
	const struct row *row;
	struct smtpc *s;
	struct arena arena;
	struct smtpc_mail mail;
	struct smtpc_recipient rcpt[20];
	struct bytes part;
	struct smtpc_parts parts;
	struct buf said;		/* by the client, not looked at yet */
	enum smtpc_event last;
	int done;
};

static void
play_fail(const struct play *p, const char *what, struct bytes got,
    struct bytes want)
{
	print_message("# %s: %s\n# got:  %.*s\n# want: %.*s\n", p->row->name,
	    what, BYTES_ARG(got), BYTES_ARG(want));
	fail();
}

static void
play_mail(struct play *p)
{
	struct bytes to = bytes_str(p->row->to), word;
	const char *why;
	int f = p->row->flags;

	p->mail = (struct smtpc_mail){ .recipients = p->rcpt,
	    .arena = &p->arena, .smtputf8 = (f & UTF8) != 0,
	    .requiretls = (f & REQUIRETLS) != 0,
	    .binary = (f & BINARY) != 0,
	    .envid = BYTES_EMPTY, .auth = BYTES_EMPTY,
	    .hold_until = BYTES_EMPTY };
	assert_int_equal(addr_parse_path(&p->arena,
	    bytes_str(p->row->sender), ADDR_SMTPUTF8, &p->mail.sender,
	    &why), 0);
	while (bytes_word(&to, &word)) {
		struct smtpc_recipient *r = &p->rcpt[p->mail.nrecipients++];

		*r = (struct smtpc_recipient){ .orcpt = BYTES_EMPTY };
		assert_int_equal(addr_parse_path(&p->arena, word,
		    ADDR_SMTPUTF8, &r->path, &why), 0);
	}
	if (f & EXTRAS) {
		p->mail.ret = SMTPC_RET_HDRS;
		p->mail.envid = BYTES("id+2B1");
		p->mail.auth = BYTES("u@me.example");
		p->rcpt[0].notify = SMTPC_NOTIFY_FAILURE | SMTPC_NOTIFY_DELAY;
		p->rcpt[0].orcpt = BYTES("rfc822;o@x.example");
	}
	if (f & (BY_R | BY_N)) {
		p->mail.by_mode = f & BY_R ? 'R' : 'N';
		p->mail.by_seconds = 120;
		p->mail.by_trace = true;
	}
	if (f & HOLD)
		p->mail.hold_for = 3600;
	if (f & UNTIL)
		p->mail.hold_until = BYTES("2029-01-01T00:00:00Z");
	p->part = bytes_str(p->row->text);
	p->parts = (struct smtpc_parts){ &p->part, 1 };
	p->mail.source = smtpc_source_parts(&p->parts);
	assert_int_equal(smtpc_scan(&p->mail.source, &p->mail.facts), 0);
	if (p->mail.binary)
		p->mail.facts.wire_size = p->part.n;
}

static void
play_pump(struct play *p, struct bytes in)
{
	for (;;) {
		p->last = smtpc_next(p->s, &in);
		assert_int_equal(buf_add(&p->said, smtpc_output(p->s)), 0);
		smtpc_written(p->s, smtpc_output(p->s).n);
		assert_true(smtpc_wait_ms(p->s) > 0);
		if (p->last == SMTPC_DONE)
			p->done++;
		else if (p->last != SMTPC_FLUSH)
			break;
	}
	assert_int_equal(in.n, 0);
}

static void
play_act(struct play *p, struct bytes what)
{
	if (bytes_eq(what, BYTES("send"))) {
		assert_int_equal(smtpc_send(p->s, &p->mail), 0);
	} else if (bytes_eq(what, BYTES("again"))) {
		assert_true(smtpc_again(&p->mail) > 0);
		assert_int_equal(smtpc_send(p->s, &p->mail), 0);
	} else if (bytes_eq(what, BYTES("reset"))) {
		for (size_t i = 0; i < p->mail.nrecipients; i++)
			p->rcpt[i].result.class = SMTPC_PENDING;
	} else if (bytes_eq(what, BYTES("quit"))) {
		smtpc_quit(p->s);
	} else if (bytes_eq(what, BYTES("noop"))) {
		smtpc_noop(p->s);
	} else if (bytes_eq(what, BYTES("tls"))) {
		assert_int_equal(p->last, SMTPC_STARTTLS);
		smtpc_secured(p->s, NULL);
	} else if (bytes_eq(what, BYTES("tlsbad"))) {
		assert_int_equal(p->last, SMTPC_STARTTLS);
		smtpc_secured_not(p->s, "bad certificate");
	} else if (bytes_eq(what, BYTES("eof"))) {
		smtpc_lost(p->s, "closed");
	} else if (bytes_eq(what, BYTES("timeout"))) {
		smtpc_timed_out(p->s);
	} else {
		play_fail(p, "unknown action", what, BYTES_EMPTY);
	}
	play_pump(p, BYTES_EMPTY);
}

static void
play_expect(struct play *p, struct bytes want)
{
	struct bytes rest = buf_bytes(&p->said), line;

	if (!bytes_chr(rest, '\n', &(size_t){ 0 }))
		play_fail(p, "client says nothing", rest, want);
	(void)bytes_line(&rest, &line);
	if (!bytes_eq(line, want))
		play_fail(p, "client says", line, want);
	if (p->said.p[line.n] != '\r')
		play_fail(p, "no CRLF after", line, want);
	buf_drop(&p->said, p->said.n - rest.n);
}

static void
play_result(struct buf *out, const struct smtpc_result *r)
{
	static const char *const classes[] = { "-", "ok", "temp", "perm" };

	(void)buf_printf(out, "%s %d %s %s%s%s", classes[r->class], r->code,
	    r->status, smtpc_step_name(r->step), r->again ? " again" : "",
	    r->doubtful ? " doubtful" : "");
	assert_true((r->code == 0) == (r->why != NULL) ||
	    r->class == SMTPC_PENDING || r->class == SMTPC_OK);
}

static void
play_results(struct play *p)
{
	struct buf got = BUF_INIT(10000);

	for (size_t i = 0; i < p->mail.nrecipients; i++) {
		if (i > 0)
			(void)buf_addc(&got, '|');
		play_result(&got, &p->rcpt[i].result);
	}
	(void)buf_addc(&got, '/');
	if (p->last == SMTPC_CLOSED)
		play_result(&got, smtpc_failure(p->s));
	else
		(void)buf_adds(&got, p->last == SMTPC_READY ? "open" : "?");
	if (!bytes_eq(buf_bytes(&got), bytes_str(p->row->want)))
		play_fail(p, "results", buf_bytes(&got),
		    bytes_str(p->row->want));
	buf_free(&got);
}

enum { BY_LINE, BY_BYTE, TOGETHER, WAYS };

static void
play_say(struct play *p, struct buf *in, int way)
{
	if (p->said.n > 0)
		play_fail(p, "client said more", buf_bytes(&p->said),
		    BYTES_EMPTY);
	if (way != BY_BYTE) {
		play_pump(p, buf_bytes(in));
	} else {
		for (size_t i = 0; i < in->n; i++)
			play_pump(p, bytes_of(in->p + i, 1));
	}
	buf_reset(in);
}

static void
play_script(struct play *p, int way)
{
	struct bytes rest = bytes_str(p->row->script), line;
	struct buf in = BUF_INIT(200000);

	while (bytes_line(&rest, &line)) {
		if (bytes_skip(&line, BYTES("S:"))) {
			(void)buf_add(&in, line);
			(void)buf_adds(&in, "\r\n");
			if (way != TOGETHER ||
			    !bytes_starts(rest, BYTES("S:")))
				play_say(p, &in, way);
		} else if (bytes_skip(&line, BYTES("C:"))) {
			play_expect(p, line);
		} else if (bytes_skip(&line, BYTES("!"))) {
			play_act(p, line);
		} else {
			play_fail(p, "script", line, BYTES_EMPTY);
		}
	}
	if (p->said.n > 0)
		play_fail(p, "client says more", buf_bytes(&p->said),
		    BYTES_EMPTY);
	buf_free(&in);
}

static void
play_row(const struct row *row, const struct saslc_login *login)
{
	struct smtpc_options o = {
		.hostname = BYTES("me.example"),
		.lmtp = (row->flags & LMTP) != 0,
		.pedantic = (row->flags & PEDANTIC) != 0,
		.tls = row->flags & TLS_MUST ? SMTPC_TLS_REQUIRED
		    : row->flags & TLS_IF ? SMTPC_TLS_OFFERED
		    : SMTPC_TLS_NEVER,
		.secured = (row->flags & SECURED) != 0,
		.chunking = (row->flags & CHUNKING) != 0,
		.recipients_max = row->flags & FEW ? 2 : 0,
		.login = login,
	};
	struct play p;

	for (int way = 0; way < WAYS; way++) {
		p = (struct play){ .row = row, .arena = ARENA_INIT,
		    .said = BUF_INIT(4000000) };
		p.s = smtpc_new(&o);
		play_mail(&p);
		play_pump(&p, BYTES_EMPTY);
		play_script(&p, way);
		play_results(&p);
		smtpc_free(p.s);
		arena_free(&p.arena);
		buf_free(&p.said);
	}
}

static inline void
play_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		play_row(&rows[i], NULL);
}

#endif
