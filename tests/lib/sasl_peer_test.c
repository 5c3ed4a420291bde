/* sasl_peer_test.c - the auth protocol, server side */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "sasl/sasl.h"

static void
assert_bytes(struct bytes got, struct bytes want)
{
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
}

struct world {
	struct sasl_backend backend;
	int ended;
	enum sasl_result last;
	int64_t now;
};

static struct world world;

static void
fake_login(void *ctx, struct bytes authzid, struct bytes authcid,
    struct bytes password, struct sasl_outcome *out)
{
	(void)ctx;
	(void)authzid;
	*out = (struct sasl_outcome){ .result = SASL_WRONG, .why = "wrong" };
	if (bytes_eq(authcid, BYTES("off@x")) ) {
		out->result = SASL_DISABLED;
		memcpy(out->reason, "ask\tadmin", 10);
	} else if (bytes_eq(authcid, BYTES("temp@x"))) {
		out->result = SASL_TEMPORARY;
	} else if (bytes_eq(password, BYTES("good"))) {
		out->result = SASL_OK;
		memcpy(out->account, "alice", 6);
	}
}

static void
fake_ended(void *ctx, const struct sasl_outcome *out, struct bytes authcid,
    const char *mech, struct bytes service, struct bytes ip,
    struct bytes session)
{
	struct world *w = ctx;

	(void)authcid;
	(void)mech;
	assert_true(service.n < 100 && ip.n < 100 && session.n < 100);
	w->ended++;
	w->last = out->result;
}

static int64_t
fake_now(void)
{
	return world.now;
}

static struct sasl_peer *
new_peer(void)
{
	struct sasl_peer *p;

	if (world.backend.tickets == NULL)
		world.backend.tickets = sasl_tickets_new();
	world.backend.ctx = &world;
	world.backend.login = fake_login;
	world.backend.ended = fake_ended;
	world.backend.now_ms = fake_now;
	p = sasl_peer_new(&world.backend, 42, 7);
	return p;
}

static int
feed(struct sasl_peer *p, const char *s)
{
	int r;

	buf_reset(sasl_peer_output(p));
	sasl_peer_input(p, bytes_str(s));
	while ((r = sasl_peer_step(p)) == 1)
		;
	return r;
}

static void
assert_output(struct sasl_peer *p, const char *want)
{
	struct buf *out = sasl_peer_output(p);

	assert_int_equal(buf_addc(out, 0), 0);
	assert_string_equal((const char *)out->p, want);
	buf_reset(out);
}

static void
handshake(void **state)
{
	struct sasl_peer *p = new_peer();
	struct bytes out = buf_bytes(sasl_peer_output(p)), line;

	(void)state;
	assert_true(bytes_starts(out, BYTES("VERSION\t1\t2\n"
	    "MECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n"
	    "SPID\t42\nCUID\t7\nCOOKIE\t")));
	assert_true(bytes_ends(out, BYTES("\nDONE\n")));
	while (bytes_line(&out, &line) && !bytes_starts(line,
	    BYTES("COOKIE\t")))
		;
	assert_int_equal(line.n, 7 + 32);
	sasl_peer_free(p);
}

#define HELLO "VERSION\t1\t2\nCPID\t99\n"

static void
protocol_dialogues(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		/* base64 of \0a@x\0good, and of \0a@x\0bad */
		{ "AUTH\t1\tPLAIN\tservice=imap\trip=192.0.2.1\tresp="
		    "AGFAeABnb29k\n", "OK\t1\tuser=alice\n" },
		{ "AUTH\t2\tPLAIN\tservice=smtp\tnologin\tresp="
		    "AGFAeABiYWQ=\n", "FAIL\t2\tuser=a@x\n" },
		{ "AUTH\t3\tLOGIN\tservice=smtp\n",
		    "CONT\t3\tVXNlcm5hbWU6\n" },
		{ "CONT\t3\tYUB4\n", "CONT\t3\tUGFzc3dvcmQ6\n" },
		{ "CONT\t3\tZ29vZA==\n", "OK\t3\tuser=alice\n" },
		{ "AUTH\t4\tPLAIN\tservice=smtp\n", "CONT\t4\t\n" },
		{ "CANCEL\t4\n", "" },
		{ "CONT\t4\tAGFAeABnb29k\n",
		    "FAIL\t4\treason=no such request\n" },
		{ "AUTH\t5\tDIGEST-MD5\tservice=smtp\n",
		    "FAIL\t5\treason=unsupported mechanism\n" },
		{ "AUTH\t6\tPLAIN\tservice=smtp\tresp=@@@@\n",
		    "FAIL\t6\treason=malformed response\n" },
		/* what follows resp= is not looked at */
		{ "AUTH\t7\tPLAIN\tservice=smtp\tresp=AGFAeABnb29k\n",
		    "OK\t7\tuser=alice\n" },
		/* base64 of \0off@x\0good and \0temp@x\0good */
		{ "AUTH\t8\tPLAIN\tservice=smtp\tresp=AG9mZkB4AGdvb2Q=\n",
		    "FAIL\t8\tuser=off@x\treason=ask\001tadmin"
		    "\tuser_disabled\n" },
		{ "AUTH\t9\tPLAIN\tservice=smtp\tresp=AHRlbXBAeABnb29k\n",
		    "FAIL\t9\tuser=temp@x\ttemp\n" },
		{ "NEWER\tthing\n", "" },
		{ "TICKET\t10\tdeadbeef\n",
		    "FAIL\t10\treason=no such ticket\n" },
	};
	struct sasl_peer *p = new_peer();
	size_t i;

	(void)state;
	assert_int_equal(feed(p, HELLO), 0);
	assert_output(p, "");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(feed(p, cases[i].in), 0);
		assert_output(p, cases[i].out);
	}
	sasl_peer_free(p);
}

static void
protocol_errors(void **state)
{
	static const char *const cases[] = {
		"VERSION\t2\t0\n",
		"AUTH\t1\tPLAIN\n",			/* no handshake */
		"VERSION\t1\t0\nAUTH\t1\tPLAIN\n",	/* no CPID */
		HELLO "AUTH\tx\tPLAIN\n",
		HELLO "AUTH\t1\tPLAIN\t\001x=1\n",	/* wrong escape */
		HELLO "AUTH\t1\tLOGIN\nAUTH\t1\tLOGIN\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sasl_peer *p = new_peer();

		assert_int_equal(feed(p, cases[i]), -1);
		assert_int_equal(errno, EPROTO);
		sasl_peer_free(p);
	}
}

static void
protocol_limits(void **state)
{
	char *line = mem_zalloc(1, SASL_LINE_MAX + 1);
	struct sasl_peer *p = new_peer();
	char auth[64];
	int i;

	(void)state;
	memset(line, 'A', SASL_LINE_MAX);
	assert_int_equal(sasl_peer_room(p), SASL_LINE_MAX);
	assert_int_equal(feed(p, line), -1);
	assert_int_equal(errno, EMSGSIZE);
	sasl_peer_free(p);
	p = new_peer();
	assert_int_equal(feed(p, HELLO), 0);
	line[SASL_LINE_MAX - 1] = '\n';
	assert_int_equal(feed(p, line), 0);	/* unknown, but whole */
	for (i = 0; i < SASL_PENDING_MAX; i++) {
		snprintf(auth, sizeof(auth), "AUTH\t%d\tLOGIN\n", i);
		assert_int_equal(feed(p, auth), 0);
		assert_true(bytes_starts(buf_bytes(sasl_peer_output(p)),
		    BYTES("CONT\t")));
	}
	assert_int_equal(feed(p, "AUTH\t9999\tLOGIN\n"), 0);
	assert_output(p, "FAIL\t9999\treason=too many logins at once\ttemp\n");
	sasl_peer_free(p);
	free(line);
}

static void
ticket_dialogue(void **state)
{
	struct sasl_peer *p = new_peer(), *q = new_peer();
	struct buf redeem = BUF_INIT(200);
	struct bytes out, field;

	(void)state;
	assert_int_equal(feed(p, HELLO "AUTH\t1\tPLAIN\tservice=imap\t"
	    "ticket\tresp=AGFAeABnb29k\n"), 0);
	out = buf_bytes(sasl_peer_output(p));
	assert_true(bytes_skip(&out, BYTES("OK\t1\tuser=alice\tticket=")));
	assert_true(bytes_line(&out, &field));
	assert_int_equal(field.n, SASL_TICKET_CHARS);
	/* Another client redeems it, once. */
	buf_adds(&redeem, HELLO "TICKET\t1\t");
	buf_add(&redeem, field);
	buf_adds(&redeem, "\n");
	buf_addc(&redeem, 0);
	assert_int_equal(feed(q, (const char *)redeem.p), 0);
	assert_output(q, "OK\t1\tuser=alice\n");
	assert_int_equal(feed(q, (const char *)redeem.p), 0);
	assert_output(q, "FAIL\t1\treason=no such ticket\n");
	buf_free(&redeem);
	sasl_peer_free(p);
	sasl_peer_free(q);
}

static void
ends_are_reported(void **state)
{
	struct sasl_peer *p = new_peer();

	(void)state;
	world.ended = 0;
	assert_int_equal(feed(p, HELLO "AUTH\t1\tPLAIN\tservice=imap\t"
	    "resp=AGFAeABnb29k\nAUTH\t2\tPLAIN\tservice=imap\t"
	    "resp=AGFAeABiYWQ=\n"), 0);
	assert_int_equal(world.ended, 2);
	assert_int_equal(world.last, SASL_WRONG);
	sasl_peer_free(p);
}

static void
field_escapes(void **state)
{
	struct bytes odd = BYTES("a\tb\nc\rd\0e\001f"), back;
	struct buf b = BUF_INIT(100);
	struct arena a = ARENA_INIT;

	(void)state;
	assert_int_equal(sasl_field_escape(&b, odd), 0);
	assert_bytes(buf_bytes(&b), BYTES("a\001tb\001nc\001rd\0010e\0011f"));
	assert_true(sasl_field_unescape(&a, buf_bytes(&b), &back));
	assert_bytes(back, odd);
	assert_false(sasl_field_unescape(&a, BYTES("x\001"), &back));
	assert_false(sasl_field_unescape(&a, BYTES("x\001z"), &back));
	arena_free(&a);
	buf_free(&b);
}

static int
release(void **state)
{
	(void)state;
	sasl_tickets_free(world.backend.tickets);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "auth protocol handshake", handshake, NULL, NULL, NULL },
		{ "auth protocol dialogues", protocol_dialogues, NULL, NULL,
		    NULL },
		{ "auth protocol errors", protocol_errors, NULL, NULL,
		    NULL },
		{ "auth protocol limits", protocol_limits, NULL, NULL,
		    NULL },
		{ "ticket: issued to one client, redeemed by another",
		    ticket_dialogue, NULL, NULL, NULL },
		{ "every login is reported", ends_are_reported, NULL, NULL,
		    NULL },
		{ "fields are escaped", field_escapes, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, release);
}
