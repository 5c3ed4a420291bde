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
	bool limited, last_uncharged;
	struct sasl_request *later;
	struct sasl_origin from;
};

static struct world world;

static void
fake_decide(void *ctx, struct sasl_request *r, enum sasl_action action,
    struct sasl_outcome *out)
{
	struct world *w = ctx;
	struct bytes authcid = bytes_of(r->sasl.authcid.p,
	    r->sasl.authcid.n);

	*out = (struct sasl_outcome){ .result = SASL_WRONG, .why = "wrong" };
	if (action == SASL_REFUSED) {
		out->uncharged = r->sasl.secrets.missing;
	} else if (action == SASL_CLIENT_KEY) {
		if (r->from.has_client_key) {
			out->result = SASL_OK;
			memcpy(out->account, "alice", 6);
			memcpy(out->login, "a@x", 4);
		}
	} else if (bytes_eq(authcid, BYTES("off@x"))) {
		out->result = SASL_DISABLED;
		memcpy(out->reason, "ask\tadmin", 10);
	} else if (bytes_eq(authcid, BYTES("temp@x"))) {
		out->result = SASL_TEMPORARY;
	} else if (bytes_eq(authcid, BYTES("later@x"))) {
		out->result = SASL_LATER;
		w->later = r;
	} else if (action == SASL_PROVEN || bytes_eq(bytes_of(
	    r->sasl.password.p, r->sasl.password.n), BYTES("good"))) {
		out->result = SASL_OK;
		memcpy(out->account, "alice", 6);
	}
}

/* CRAM-MD5 of RFC 2195: user tim, tanstaaftanstaaf. */
static void
fake_secrets(void *ctx, const struct sasl_request *r,
    struct sasl_secrets *out)
{
	(void)ctx;
	*out = (struct sasl_secrets){ .why = "unknown user",
	    .iterations = 4096 };
	if (bytes_eq(bytes_of(r->sasl.authcid.p, r->sasl.authcid.n),
	    BYTES("old"))) {
		out->missing = true;
		return;
	}
	out->secret = mem_zalloc(1, sizeof(*out->secret));
	out->count = 1;
	sasl_cram_pads(BYTES("tanstaaftanstaaf"), out->secret->cram);
}

static bool
fake_allowed(void *ctx, const struct sasl_origin *from)
{
	struct world *w = ctx;

	return !w->limited || from->remote.family == 0;
}

static void
fake_dropped(void *ctx, struct sasl_request *r)
{
	struct world *w = ctx;

	assert_ptr_equal(w->later, r);
	w->later = NULL;
}

static void
fake_ended(void *ctx, const struct sasl_request *r,
    const struct sasl_outcome *out)
{
	struct world *w = ctx;

	w->from = r->from;
	w->ended++;
	w->last = out->result;
	w->last_uncharged = out->uncharged;
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
	world.backend.secrets = fake_secrets;
	world.backend.decide = fake_decide;
	world.backend.allowed = fake_allowed;
	world.backend.dropped = fake_dropped;
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
	    "MECH\tSCRAM-SHA-512-PLUS\tmutual-auth\tchannel-binding"
	    "\tprivate\nMECH\tSCRAM-SHA-512\tmutual-auth\n"
	    "MECH\tSCRAM-SHA-256-PLUS\tmutual-auth\tchannel-binding"
	    "\tprivate\nMECH\tSCRAM-SHA-256\tmutual-auth\n"
	    "MECH\tSCRAM-SHA-1-PLUS\tmutual-auth\tchannel-binding"
	    "\tprivate\nMECH\tSCRAM-SHA-1\tmutual-auth\n"
	    "MECH\tCRAM-MD5\tdictionary\tactive\n"
	    "MECH\tOAUTHBEARER\nMECH\tXOAUTH2\n"
	    "MECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n"
	    "MECH\tEXTERNAL\tprivate\n"
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

/* The origin as the service tells it; EXTERNAL with a client key. */
static void
origins(void **state)
{
	struct sasl_peer *p = new_peer();

	(void)state;
	world.ended = 0;
	assert_int_equal(feed(p, HELLO "AUTH\t1\tEXTERNAL\tservice=imap\t"
	    "rip=2001:db8::7\tsession=s9\tclient_id=Mutt 2\t"
	    "tls_protocol=TLSv1.3\tsecured=tls\tpreauth\t"
	    "cb-tls-exporter=AQID\tcb-newer=zz\tclient-key="
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\tresp=\n"), 0);
	assert_output(p, "OK\t1\tuser=alice\tlogin=a@x\n");
	assert_int_equal(world.ended, 1);
	assert_string_equal(world.from.service, "imap");
	assert_string_equal(world.from.agent, "Mutt 2");
	assert_string_equal(world.from.tls, "TLSv1.3");
	assert_true(world.from.secured && world.from.preauth);
	assert_true(world.from.remote.family != 0);
	assert_int_equal(world.from.client_key[31], 1);
	assert_int_equal(world.from.binding[SASL_TLS_EXPORTER].n, 3);
	assert_int_equal(world.from.binding[SASL_TLS_UNIQUE].n, 0);
	assert_int_equal(feed(p, "AUTH\t2\tEXTERNAL\tservice=imap\t"
	    "resp=\n"), 0);
	assert_output(p, "FAIL\t2\n");
	/* A service that sends nonsense is wrong, not the client. */
	assert_int_equal(feed(p, "AUTH\t3\tEXTERNAL\tclient-key=AAA\n"),
	    -1);
	assert_int_equal(errno, EPROTO);
	sasl_peer_free(p);
	p = new_peer();
	assert_int_equal(feed(p, HELLO "AUTH\t3\tEXTERNAL\t"
	    "cb-tls-exporter=@\n"), -1);
	assert_int_equal(errno, EPROTO);
	sasl_peer_free(p);
}

static void
limits_refuse(void **state)
{
	struct sasl_peer *p = new_peer();

	(void)state;
	world.limited = true;
	assert_int_equal(feed(p, HELLO "AUTH\t1\tPLAIN\tservice=imap\t"
	    "rip=192.0.2.1\tresp=AGFAeABnb29k\n"), 0);
	assert_output(p, "FAIL\t1\treason=too many failed logins, try again "
	    "later\ttemp\tlimited\n");
	assert_int_equal(world.last, SASL_LIMITED);
	assert_int_equal(feed(p, "ALLOWED\t2\tservice=imap\t"
	    "rip=192.0.2.1\n"), 0);
	assert_output(p, "FAIL\t2\treason=too many failed logins, try again "
	    "later\ttemp\tlimited\n");
	world.limited = false;
	assert_int_equal(feed(p, "ALLOWED\t3\tservice=imap\t"
	    "rip=192.0.2.1\n"), 0);
	assert_output(p, "OK\t3\n");
	/* Used up while a login is under way. */
	assert_int_equal(feed(p, "AUTH\t4\tPLAIN\tservice=imap\t"
	    "rip=192.0.2.1\n"), 0);
	world.limited = true;
	assert_int_equal(feed(p, "CONT\t4\tAGFAeABnb29k\n"), 0);
	assert_int_equal(world.last, SASL_LIMITED);
	world.limited = false;
	sasl_peer_free(p);
}

/* A decision that comes later, or that nobody waits for any more. */
static void
later_decisions(void **state)
{
	struct sasl_peer *p = new_peer();
	struct sasl_outcome o = { .result = SASL_OK, .account = "alice" };

	(void)state;
	world.ended = 0;
	/* base64 of \0later@x\0p */
	assert_int_equal(feed(p, HELLO "AUTH\t1\tPLAIN\tservice=imap\t"
	    "resp=AGxhdGVyQHgAcA==\n"), 0);
	assert_output(p, "");
	assert_true(sasl_peer_waits(p));
	assert_int_equal(world.ended, 0);
	sasl_peer_decided(world.later, &o);
	assert_output(p, "OK\t1\tuser=alice\n");
	assert_false(sasl_peer_waits(p));
	assert_int_equal(world.ended, 1);
	assert_int_equal(feed(p, "AUTH\t2\tPLAIN\tservice=imap\t"
	    "resp=AGxhdGVyQHgAcA==\n"), 0);
	assert_int_equal(feed(p, "CANCEL\t2\n"), 0);
	assert_null(world.later);
	assert_int_equal(world.last, SASL_ABORTED);
	assert_int_equal(feed(p, "AUTH\t3\tPLAIN\tservice=imap\t"
	    "resp=AGxhdGVyQHgAcA==\n"), 0);
	/* The answer to a question that was not asked. */
	assert_int_equal(feed(p, "CONT\t3\tAAAA\n"), -1);
	sasl_peer_free(p);
	assert_null(world.later);
	assert_int_equal(world.ended, 3);
}

/* Aborted logins are reported, by command or by hanging up. */
static void
aborts(void **state)
{
	struct sasl_peer *p = new_peer();

	(void)state;
	world.ended = 0;
	assert_int_equal(feed(p, HELLO "AUTH\t1\tLOGIN\tservice=imap\n"
	    "AUTH\t2\tLOGIN\tservice=imap\nCANCEL\t1\nCANCEL\t1\n"), 0);
	assert_int_equal(world.ended, 1);
	assert_int_equal(world.last, SASL_ABORTED);
	sasl_peer_free(p);
	assert_int_equal(world.ended, 2);
}

/* U-7: the failure says that it does not count. */
static void
uncharged(void **state)
{
	struct sasl_peer *p = new_peer();

	(void)state;
	assert_int_equal(feed(p, HELLO "AUTH\t1\tCRAM-MD5\tservice=imap\n"),
	    0);
	/* base64 of "old " and 32 digits */
	assert_int_equal(feed(p, "CONT\t1\tb2xkIDAwMDAwMDAwMDAwMDAwMDAwMDAwM"
	    "DAwMDAwMDAwMDAw\n"), 0);
	assert_output(p, "FAIL\t1\tuser=old\tuncharged\n");
	assert_true(world.last_uncharged);
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
		{ "U-8 what a service tells: TLS, client key, bindings",
		    origins, NULL, NULL, NULL },
		{ "U-12 over the limit nothing is looked at", limits_refuse,
		    NULL, NULL, NULL },
		{ "B-7 decisions that come later", later_decisions, NULL,
		    NULL, NULL },
		{ "U-12 aborted logins are reported", aborts, NULL, NULL,
		    NULL },
		{ "U-7 a missing secret is marked uncharged", uncharged,
		    NULL, NULL, NULL },
		{ "fields are escaped", field_escapes, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, release);
}
