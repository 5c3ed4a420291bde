/*
 * dsn_test.c - notifications: composed ones read back, others' read
 */
#include "dsn/dsn.h"

#include <errno.h>
#include <setjmp.h>

#include <cmocka.h>

#include "mime/mime.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define S(s) BYTES(s)
#define BIG (4 * 1024 * 1024)

static struct dsn
sample(const struct dsn_rcpt *rcpts, size_t n)
{
	return (struct dsn){ .hostname = S("mx.example.org"),
	    .from = S("postmaster@mx.example.org"),
	    .to = S("alice@example.org"), .envid = S("env+1"),
	    .message_id = S("<1@example.org>"), .subject = S("Hello"),
	    .id = S("64a"), .arrival = 1790000000, .now = 1790000100,
	    .original = S("From: a@example.org\nMessage-ID: <1@example.org>\n"
	    "Subject: Hello\n\nbody\n"), .rcpts = rcpts, .count = n };
}

static struct dsn_rcpt
failed(const char *address)
{
	return (struct dsn_rcpt){ .address = bytes_str(address),
	    .orcpt = S("rfc822;orig@x.example"), .action = DSN_FAILED,
	    .status = S("5.1.1"), .code = 550,
	    .text = S("no such user\nreally"), .host = S("mx.x.example"),
	    .ip = S("192.0.2.1"), .last = 1790000050 };
}

static const struct mime_part *
part(struct arena *a, struct bytes message, const char *section)
{
	const struct mime_tree *t = mime_parse(a, message);

	assert_false(t->flags & MIME_NO_END);
	return mime_find_part(t, bytes_str(section));
}

static bool
has(struct bytes s, const char *what)
{
	size_t at;

	return bytes_find(s, bytes_str(what), &at);
}

static void
test_round_trip(void **state)
{
	const struct dsn_rcpt rcpts[] = { failed("b@x.example"),
	    failed("c@x.example") };
	struct dsn d = sample(rcpts, COUNT(rcpts));
	struct buf out = BUF_INIT(BIG);
	struct arena a = ARENA_INIT;
	struct dsn_report r;
	const char *why = "";
	struct bytes text;

	(void)state;
	assert_int_equal(dsn_compose(&out, &d), 0);
	text = buf_bytes(&out);
	assert_int_equal(dsn_parse(&a, text, &r, &why), 1);
	assert_int_equal(r.count, 2);
	assert_true(bytes_eq(r.envid, d.envid));
	assert_true(bytes_eq(r.message_id, d.message_id));
	assert_true(bytes_eq(r.reporting_mta, d.hostname));
	assert_true(bytes_eq(r.rcpts[1].address, S("c@x.example")));
	assert_int_equal(r.rcpts[0].action, DSN_FAILED);
	assert_int_equal(r.rcpts[0].code, 550);
	assert_true(bytes_eq(r.rcpts[0].status, S("5.1.1")));
	assert_true(bytes_eq(r.rcpts[0].host, S("mx.x.example")));
	/* part of the original's thread */
	assert_true(has(text, "\nReferences: <1@example.org>\n"));
	assert_true(has(text, "\nAuto-Submitted: auto-replied\n"));
	/* the peer's own words, its status among them or not */
	assert_true(has(text, "\nDiagnostic-Code: smtp; 550 no such user\n"));
	/* the header goes back, the body does not */
	assert_true(mime_part_is(part(&a, text, "3"), S("text"),
	    S("rfc822-headers")));
	assert_false(has(text, "\nbody\n"));
	buf_free(&out);
	arena_free(&a);
}

static void
test_full_and_delayed(void **state)
{
	static const unsigned char huge[DSN_FULL_MAX] = "Subject: x\n\n";
	struct dsn_rcpt rcpt = failed("b@x.example");
	struct dsn d = sample(&rcpt, 1);
	struct buf out = BUF_INIT(BIG);
	struct arena a = ARENA_INIT;
	struct dsn_report r;
	const char *why = "";

	(void)state;
	rcpt.action = DSN_DELAYED;
	rcpt.status = S("4.4.1");
	rcpt.code = 0;
	rcpt.retry_until = 1790400000;
	d.full = true;
	rcpt.text = S("nobody there");
	assert_int_equal(dsn_compose(&out, &d), 0);
	assert_true(has(buf_bytes(&out), "\n  4.4.1 nobody there\n"));
	assert_true(has(buf_bytes(&out), "\nWill-Retry-Until: "));
	assert_true(has(buf_bytes(&out), "\nbody\n"));
	assert_true(has(buf_bytes(&out), "\nThe message is below. "));
	/* one that cannot be read, or is too large, is not promised */
	buf_reset(&out);
	d.original = BYTES_EMPTY;
	assert_int_equal(dsn_compose(&out, &d), 0);
	assert_false(has(buf_bytes(&out), " is below. "));
	buf_reset(&out);
	d.original = bytes_of(huge, sizeof(huge));
	assert_int_equal(dsn_compose(&out, &d), 0);
	assert_true(has(buf_bytes(&out), "\nThe message's header is below. "));
	buf_reset(&out);
	d.original = sample(&rcpt, 1).original;
	assert_int_equal(dsn_compose(&out, &d), 0);
	assert_true(part(&a, buf_bytes(&out), "3")->is_message);
	assert_int_equal(dsn_parse(&a, buf_bytes(&out), &r, &why), 1);
	assert_int_equal(r.rcpts[0].action, DSN_DELAYED);
	assert_true(bytes_eq(r.message_id, d.message_id));
	buf_free(&out);
	arena_free(&a);
}

static void
test_utf8(void **state)
{
	struct dsn_rcpt rcpt = failed("j\303\274rgen@x.example");
	struct dsn d = sample(&rcpt, 1);
	struct buf out = BUF_INIT(BIG);
	struct arena a = ARENA_INIT;
	struct bytes header, body;

	(void)state;
	d.subject = S("Gr\303\274\303\237e");
	assert_int_equal(dsn_compose(&out, &d), 0);
	assert_true(has(buf_bytes(&out),
	    "Final-Recipient: utf-8; j\\x{FC}rgen@x.example\n"));
	assert_true(has(buf_bytes(&out), "=?utf-8?B?R3LDvMOfZQ==?="));
	assert_true(bytes_is_ascii(part(&a, buf_bytes(&out), "2")->body));
	buf_reset(&out);
	d.utf8 = true;
	assert_int_equal(dsn_compose(&out, &d), 0);
	assert_true(has(buf_bytes(&out),
	    "Final-Recipient: utf-8; j\303\274rgen@x.example\n"));
	assert_true(mime_part_is(part(&a, buf_bytes(&out), "2"),
	    S("message"), S("global-delivery-status")));
	mime_split(buf_bytes(&out), &header, &body);
	assert_true(bytes_is_ascii(header));
	assert_true(mime_part_is(part(&a, buf_bytes(&out), "3"),
	    S("text"), S("rfc822-headers")));
	assert_true(has(part(&a, buf_bytes(&out), "2")->header,
	    "Content-Transfer-Encoding: 8bit\n"));
	/* what a server said is enough, too */
	rcpt = failed("b@x.example");
	rcpt.text = S("Empf\303\244nger unbekannt");
	buf_reset(&out);
	assert_int_equal(dsn_compose(&out, &d), 0);
	assert_true(mime_part_is(part(&a, buf_bytes(&out), "2"),
	    S("message"), S("global-delivery-status")));
	assert_true(has(part(&a, buf_bytes(&out), "2")->header,
	    "Content-Transfer-Encoding: 8bit\n"));
	d.utf8 = false;
	buf_reset(&out);
	assert_int_equal(dsn_compose(&out, &d), 0);
	assert_true(mime_part_is(part(&a, buf_bytes(&out), "2"),
	    S("message"), S("delivery-status")));
	assert_true(bytes_is_ascii(part(&a, buf_bytes(&out), "2")->body));
	d.utf8 = true;
	d.original = S("Subject: Gr\303\274\303\237e\n\nbody\n");
	buf_reset(&out);
	assert_int_equal(dsn_compose(&out, &d), 0);
	assert_true(mime_part_is(part(&a, buf_bytes(&out), "3"),
	    S("message"), S("global-headers")));
	d.full = true;
	buf_reset(&out);
	assert_int_equal(dsn_compose(&out, &d), 0);
	assert_true(mime_part_is(part(&a, buf_bytes(&out), "3"),
	    S("message"), S("global")));
	d.utf8 = false;
	buf_reset(&out);
	assert_int_equal(dsn_compose(&out, &d), 0);
	assert_true(mime_part_is(part(&a, buf_bytes(&out), "3"),
	    S("message"), S("rfc822")));
	buf_free(&out);
	arena_free(&a);
}

/* What peers say cannot add fields, parts or recipients. */
static void
test_hostile_text(void **state)
{
	struct dsn_rcpt rcpt = failed("b@x.example");
	struct dsn d = sample(&rcpt, 1);
	struct buf out = BUF_INIT(BIG);
	struct arena a = ARENA_INIT;
	struct dsn_report r;
	const char *why = "";

	(void)state;
	rcpt.text = S("x\r\n\nAction: delivered\n\nFinal-Recipient: rfc822; "
	    "evil@x\n--=_0\n\033[31m\0z");
	rcpt.host = S("h\nAction: delayed");
	rcpt.orcpt = S("rfc822;a\nStatus: 2.0.0");
	assert_int_equal(dsn_compose(&out, &d), 0);
	assert_int_equal(dsn_parse(&a, buf_bytes(&out), &r, &why), 1);
	assert_int_equal(r.count, 1);
	assert_int_equal(r.rcpts[0].action, DSN_FAILED);
	assert_true(bytes_eq(r.rcpts[0].address, S("b@x.example")));
	assert_false(has(buf_bytes(&out), "\033"));
	rcpt = failed("b@x.example");
	d.to = S("a@b\nBcc: c@d");
	assert_int_equal(dsn_compose(&out, &d), -1);
	assert_int_equal(errno, EINVAL);
	buf_free(&out);
	arena_free(&a);
}

#define REPORT "Content-Type: multipart/report; " \
	"report-type=\"delivery-status\"; boundary=b\n\n--b\n\ntext\n--b\n" \
	"Content-Type: message/delivery-status\n\n"
#define FIRST "Reporting-MTA: dns; h.example\n\n"

static void
test_parse(void **state)
{
	static const struct {
		const char *text;
		int result;
		size_t count;
	} rows[] = {
		{ "Subject: x\n\ny\n", 0, 0 },
		{ "Content-Type: multipart/report; report-type=disposition-"
		    "notification; boundary=b\n\n--b--\n", 0, 0 },
		{ "Content-Type: multipart/report; report-type=delivery-"
		    "status; boundary=b\n\n--b\n\nt\n--b--\n", -1, 0 },
		{ REPORT "--b--\n", -1, 0 },
		{ REPORT FIRST "--b--\n", -1, 0 },
		{ REPORT FIRST "Final-Recipient: rfc822;a@b\nAction: failed\n"
		    "Status: 5.0.0\n--b--\n", 1, 1 },
		/* CRLF, comments, several groups and empty lines */
		{ REPORT FIRST "Final-Recipient: RFC822; a@b\r\nAction: "
		    "FAILED\r\nStatus: 5.1.1 (no)\r\n\r\n\r\nFinal-Recipient:"
		    " rfc822; c@d\r\nAction: delayed\r\nStatus: 4.0.0\r\n"
		    "--b--\n", 1, 2 },
		{ REPORT FIRST "Action: failed\nStatus: 5.0.0\n--b--\n", -1,
		    0 },
		{ REPORT FIRST "Final-Recipient: rfc822;a@b\nStatus: 5.0.0\n"
		    "--b--\n", -1, 0 },
		{ REPORT FIRST "Final-Recipient: rfc822;a@b\nAction: lost\n"
		    "Status: 5.0.0\n--b--\n", -1, 0 },
		{ REPORT FIRST "Final-Recipient: rfc822;a@b\nAction: failed\n"
		    "Status: 6.0.0\n--b--\n", -1, 0 },
		{ REPORT FIRST "Final-Recipient: rfc822;a@b\nAction: failed\n"
		    "Status: 5.0\n--b--\n", -1, 0 },
	};
	struct arena a = ARENA_INIT;
	struct dsn_report r;
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		why = "";
		if (dsn_parse(&a, bytes_str(rows[i].text), &r, &why) !=
		    rows[i].result)
			fail_msg("row %zu: %s", i, why);
		if (rows[i].result == 1)
			assert_int_equal(r.count, rows[i].count);
		if (rows[i].result == -1)
			assert_true(why[0] != '\0');
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "Q-13 Q-14 a failure DSN says what happened",
		    test_round_trip, NULL, NULL, NULL },
		{ "Q-13 delay DSN, RET=FULL", test_full_and_delayed, NULL,
		    NULL, NULL },
		{ "N-7 R-33 DSNs with addresses beyond ASCII", test_utf8, NULL,
		    NULL, NULL },
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_parse),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
