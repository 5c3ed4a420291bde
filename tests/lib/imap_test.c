/* imap_test.c - sets, strings, hand-over, the machine before login */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "imap/imap.h"

/* ---- sets ---- */

static void
sets(void **state)
{
	static const struct {
		const char *text;
		uint32_t star;
		const char *want;	/* NULL: malformed */
	} cases[] = {
		{ "1", 9, "1" }, { "1,2,3", 9, "1:3" }, { "3,1:2", 9, "1:3" },
		{ "5:2", 9, "2:5" }, { "*", 9, "9" }, { "12:*", 9, "9:12" },
		{ "*:4", 9, "4:9" }, { "1:3,2:5,9", 9, "1:5,9" },
		{ "4294967294:4294967295,1", 9, "1,4294967294:4294967295" },
		{ "", 9, NULL }, { "0", 9, NULL }, { "1,", 9, NULL },
		{ "1:", 9, NULL }, { ":1", 9, NULL }, { "1;2", 9, NULL },
		{ "4294967296", 9, NULL }, { "1:2:3", 9, NULL },
	};
	struct arena a = ARENA_INIT;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = BUF_INIT(1000);
		struct imap_set set;
		int r = imap_set_parse(&a, bytes_str(cases[i].text), &set);

		if (cases[i].want == NULL) {
			assert_int_equal(r, -1);
			assert_int_equal(errno, EBADMSG);
			continue;
		}
		assert_int_equal(r, 0);
		imap_set_resolve(&set, cases[i].star);
		for (j = 0; j < set.n; j++) {
			buf_printf(&b, set.ranges[j].first ==
			    set.ranges[j].last ? "%s%lu" : "%s%lu:%lu",
			    j == 0 ? "" : ",",
			    (unsigned long)set.ranges[j].first,
			    (unsigned long)set.ranges[j].last);
			assert_true(imap_set_has(&set, set.ranges[j].first));
			assert_true(imap_set_has(&set, set.ranges[j].last));
			if (set.ranges[j].first > 1)
				assert_false(imap_set_has(&set,
				    set.ranges[j].first - 1));
		}
		buf_addc(&b, 0);
		assert_string_equal((const char *)b.p, cases[i].want);
		buf_free(&b);
	}
	arena_free(&a);
}

static void
set_format(void **state)
{
	const uint32_t n[] = { 1, 2, 3, 5, 7, 8 };
	struct buf b = BUF_INIT(100), small = BUF_INIT(3);

	(void)state;
	assert_int_equal(imap_add_set(&b, n, 6), 0);
	assert_int_equal(buf_addc(&b, 0), 0);
	assert_string_equal((const char *)b.p, "1:3,5,7:8");
	assert_int_equal(imap_add_set(&small, n, 6), -1);
	buf_free(&b);
	buf_free(&small);
}

static void
strings(void **state)
{
	static const struct {
		const char *s, *string, *astring;
	} cases[] = {
		{ "", "\"\"", "\"\"" }, { "abc", "\"abc\"", "abc" },
		{ "a b", "\"a b\"", "\"a b\"" },
		{ "q\"\\", "\"q\\\"\\\\\"", "\"q\\\"\\\\\"" },
		{ "nil", "\"nil\"", "\"nil\"" },
		{ "a\r\nb", "{4}\r\na\r\nb", "{4}\r\na\r\nb" },
		{ "\xc3\xa4", "{2}\r\n\xc3\xa4", "{2}\r\n\xc3\xa4" },
		{ "a]", "\"a]\"", "\"a]\"" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = BUF_INIT(1000);

		imap_add_string(&b, bytes_str(cases[i].s));
		buf_addc(&b, 0);
		assert_string_equal((const char *)b.p, cases[i].string);
		buf_reset(&b);
		imap_add_astring(&b, bytes_str(cases[i].s));
		buf_addc(&b, 0);
		assert_string_equal((const char *)b.p, cases[i].astring);
		buf_free(&b);
	}
}

/* ---- hand-over ---- */

static void
handover(void **state)
{
	struct imap_handover h = { BYTES("ticket"), BYTES("a1"),
	    BYTES("77"), BYTES("192.0.2.1"), BYTES("192.0.2.2"),
	    BYTES("\r\n\0preface"), BYTES("a2 NOOP\r\n\0x") }, got;
	struct buf b = BUF_INIT(IMAP_HANDOVER_MAX);
	size_t need, i;

	(void)state;
	assert_int_equal(imap_handover_format(&h, &b), 0);
	for (i = 0; i < b.n; i++) {
		assert_int_equal(imap_handover_length(bytes_of(b.p, i),
		    &need), 0);
		assert_int_equal(need, i < 8 ? 8 : b.n);
		assert_int_equal(imap_handover_parse(bytes_of(b.p, i), &got),
		    -1);
	}
	assert_int_equal(imap_handover_parse(buf_bytes(&b), &got), 0);
	assert_true(bytes_eq(got.ticket, h.ticket));
	assert_true(bytes_eq(got.tag, h.tag));
	assert_true(bytes_eq(got.session, h.session));
	assert_true(bytes_eq(got.remote_ip, h.remote_ip));
	assert_true(bytes_eq(got.local_ip, h.local_ip));
	assert_true(bytes_eq(got.preface, h.preface));
	assert_true(bytes_eq(got.pending, h.pending));
	b.p[0] = 'X';
	assert_int_equal(imap_handover_length(buf_bytes(&b), &need), -1);
	h.tag = BYTES("a\0b");
	assert_int_equal(imap_handover_format(&h, &b), -1);
	buf_free(&b);
}

/* ---- before login ---- */

static struct imap_login *
new_login(bool plain)
{
	struct imap_login_options o = { .plain_login = plain,
	    .mechanisms = "PLAIN LOGIN" };
	struct imap_login *l = imap_login_new(&o);

	buf_reset(imap_login_output(l));	/* the greeting */
	return l;
}

static const char *
output_text(struct buf *out)
{
	assert_int_equal(buf_addc(out, 0), 0);
	out->n--;
	return (const char *)out->p;
}

static enum imap_login_action
login_feed(struct imap_login *l, const char *s)
{
	buf_reset(imap_login_output(l));
	imap_login_input(l, bytes_str(s));
	return imap_login_step(l);
}

static void
login_starttls(void **state)
{
	struct imap_login_options o = { .starttls = true,
	    .mechanisms = "PLAIN" };
	struct imap_login *l = imap_login_new(&o);

	(void)state;
	assert_non_null(strstr(output_text(imap_login_output(l)),
	    " STARTTLS LOGINDISABLED]"));
	assert_int_equal(login_feed(l, "a STARTTLS\r\n"),
	    IMAP_LOGIN_STARTTLS);
	imap_login_starttls(l, false);
	assert_string_equal(output_text(imap_login_output(l)),
	    "a NO [UNAVAILABLE] TLS is not available now\r\n");
	assert_int_equal(login_feed(l, "b STARTTLS\r\n"),
	    IMAP_LOGIN_STARTTLS);
	imap_login_starttls(l, true);
	assert_string_equal(output_text(imap_login_output(l)),
	    "b OK begin TLS now\r\n");
	o = (struct imap_login_options){ .plain_login = true, .tls = true,
	    .mechanisms = "PLAIN" };
	imap_login_secured(l, &o);
	assert_int_equal(login_feed(l, "c STARTTLS\r\n"), IMAP_LOGIN_READ);
	assert_string_equal(output_text(imap_login_output(l)),
	    "c BAD TLS is active already\r\n");
	imap_login_free(l);
}

/* I-21: whatever stands behind the command in the same read. */
static void
login_starttls_more(void **state)
{
	static const char *const more[] = { "b NOOP\r\n", "b", "\r\n",
	    "\x16\x03\x01" };
	struct imap_login_options o = { .starttls = true,
	    .mechanisms = "PLAIN" };
	struct imap_login *l;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		l = imap_login_new(&o);
		assert_true(snprintf(text, sizeof(text), "a STARTTLS\r\n%s",
		    more[i]) > 0);
		assert_int_equal(login_feed(l, text), IMAP_LOGIN_CLOSE);
		assert_string_equal(output_text(imap_login_output(l)),
		    "a BAD nothing may follow STARTTLS\r\n"
		    "* BYE bytes behind STARTTLS\r\n");
		imap_login_free(l);
	}
}

static void
login_greeting(void **state)
{
	struct imap_login_options o = { .plain_login = true,
	    .mechanisms = "PLAIN LOGIN" };
	struct imap_login *l = imap_login_new(&o);

	(void)state;
	assert_string_equal(output_text(imap_login_output(l)),
	    "* OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID "
	    "ENABLE IDLE NAMESPACE UIDPLUS UNSELECT MOVE CHILDREN SPECIAL-USE "
	    "AUTH=PLAIN AUTH=LOGIN] pipemail ready\r\n");
	imap_login_free(l);
	o.plain_login = false;
	l = imap_login_new(&o);
	assert_string_equal(output_text(imap_login_output(l)),
	    "* OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID "
	    "ENABLE IDLE NAMESPACE UIDPLUS UNSELECT MOVE CHILDREN SPECIAL-USE "
	    "LOGINDISABLED] pipemail ready\r\n");
	imap_login_free(l);
}

static void
login_replies(void **state)
{
	static const struct {
		const char *in, *out;
		enum imap_login_action action;
	} cases[] = {
		{ "a NOOP\r\n", "a OK NOOP done\r\n", IMAP_LOGIN_READ },
		{ "a noop\n", "a OK NOOP done\r\n", IMAP_LOGIN_READ },
		{ "a ID (\"name\" \"x\" \"v\" NIL)\r\n",
		    "* ID (\"name\" \"pipemail\")\r\na OK ID done\r\n",
		    IMAP_LOGIN_READ },
		{ "a ID NIL\r\n",
		    "* ID (\"name\" \"pipemail\")\r\na OK ID done\r\n",
		    IMAP_LOGIN_READ },
		{ "a STARTTLS\r\n", "a NO STARTTLS is not offered\r\n",
		    IMAP_LOGIN_READ },
		{ "a SELECT INBOX\r\n", "a BAD log in first\r\n",
		    IMAP_LOGIN_READ },
		{ "a AUTHENTICATE GSSAPI\r\n",
		    "a NO [CANNOT] mechanism is not offered\r\n",
		    IMAP_LOGIN_READ },
		{ "a LOGIN x\r\n", "a BAD missing argument\r\n",
		    IMAP_LOGIN_READ },
		{ "a NOOP x\r\n", "a BAD too many arguments\r\n",
		    IMAP_LOGIN_READ },
		{ "a XYZ\r\n", "a BAD unknown command, or login first\r\n",
		    IMAP_LOGIN_READ },
		{ "\r\n", "* BAD missing tag\r\n", IMAP_LOGIN_READ },
		{ "a LOGIN {3}\r\n", "+ go on\r\n", IMAP_LOGIN_READ },
		{ "bob secret12\r\n", "", IMAP_LOGIN_AUTH },
	};
	struct imap_login *l = new_login(true);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(login_feed(l, cases[i].in),
		    cases[i].action);
		assert_string_equal(output_text(imap_login_output(l)),
		    cases[i].out);
	}
	assert_true(bytes_eq(imap_login_mechanism(l), BYTES("PLAIN")));
	/* base64 of \0bob\0secret12 */
	assert_true(bytes_eq(imap_login_response64(l),
	    BYTES("AGJvYgBzZWNyZXQxMg==")));
	imap_login_failed(l, "AUTHENTICATIONFAILED", "");
	assert_string_equal(output_text(imap_login_output(l)),
	    "a NO [AUTHENTICATIONFAILED] wrong user name or password\r\n");
	assert_int_equal(imap_login_failures(l), 1);
	assert_int_equal(login_feed(l, "b LOGOUT\r\n"), IMAP_LOGIN_CLOSE);
	assert_string_equal(output_text(imap_login_output(l)),
	    "* BYE bye\r\nb OK LOGOUT done\r\n");
	imap_login_free(l);
}

/* RFC 9051 6.2.2: BAD, and the exchange is over. */
static void
login_not_base64(struct imap_login *l)
{
	static const char *const wrong[] = { "Ym9", "Ym9i Ym9i", "Ym9i!", "=",
	    "====", " " };
	unsigned int failures = imap_login_failures(l);
	char line[64];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(login_feed(l, "a AUTHENTICATE LOGIN\r\n"),
		    IMAP_LOGIN_AUTH);
		imap_login_challenge(l, BYTES("VXNlcm5hbWU6"));
		assert_true(snprintf(line, sizeof(line), "%s\r\n",
		    wrong[i]) > 0);
		assert_int_equal(login_feed(l, line), IMAP_LOGIN_CANCEL);
		assert_string_equal(output_text(imap_login_output(l)),
		    "a BAD response is not base64\r\n");
	}
	assert_int_equal(imap_login_failures(l), failures + i);
	assert_int_equal(login_feed(l, "a AUTHENTICATE PLAIN AGEAYg\r\n"),
	    IMAP_LOGIN_READ);
	assert_string_equal(output_text(imap_login_output(l)),
	    "a BAD response is not base64\r\n");
}

static void
login_dialogue(void **state)
{
	struct imap_login *l = new_login(true);

	(void)state;
	assert_int_equal(login_feed(l, "a AUTHENTICATE LOGIN\r\n"),
	    IMAP_LOGIN_AUTH);
	assert_false(imap_login_has_response(l));
	imap_login_challenge(l, BYTES("VXNlcm5hbWU6"));
	assert_string_equal(output_text(imap_login_output(l)),
	    "+ VXNlcm5hbWU6\r\n");
	assert_int_equal(imap_login_step(l), IMAP_LOGIN_READ);
	assert_int_equal(login_feed(l, "Ym9i\r\n"), IMAP_LOGIN_CONTINUE);
	assert_true(bytes_eq(imap_login_response64(l), BYTES("Ym9i")));
	imap_login_challenge(l, BYTES("UGFzc3dvcmQ6"));
	assert_int_equal(login_feed(l, "*\r\n"), IMAP_LOGIN_CANCEL);
	assert_string_equal(output_text(imap_login_output(l)),
	    "a BAD AUTHENTICATE cancelled\r\n");
	assert_int_equal(imap_login_failures(l), 1);
	/* SASL-IR, and "=" for an empty response. */
	assert_int_equal(login_feed(l, "b AUTHENTICATE PLAIN =\r\n"),
	    IMAP_LOGIN_AUTH);
	assert_true(imap_login_has_response(l));
	assert_int_equal(imap_login_response64(l).n, 0);
	imap_login_failed(l, "AUTHENTICATIONFAILED", "no");
	login_not_base64(l);
	/* What was read beyond goes to the next machine. */
	assert_int_equal(login_feed(l,
	    "c AUTHENTICATE PLAIN AGEAYg==\r\nd SELECT INBOX\r\n"),
	    IMAP_LOGIN_AUTH);
	assert_true(bytes_eq(imap_login_tag(l), BYTES("c")));
	assert_true(bytes_eq(imap_login_pending(l),
	    BYTES("d SELECT INBOX\r\n")));
	imap_login_free(l);
}

static void
login_needs_privacy(void **state)
{
	struct imap_login *l = new_login(false);

	(void)state;
	assert_int_equal(login_feed(l, "a LOGIN u p\r\n"), IMAP_LOGIN_READ);
	assert_string_equal(output_text(imap_login_output(l)),
	    "a NO [PRIVACYREQUIRED] login needs an encrypted connection\r\n");
	assert_int_equal(login_feed(l, "a AUTHENTICATE PLAIN\r\n"),
	    IMAP_LOGIN_READ);
	assert_string_equal(output_text(imap_login_output(l)),
	    "a NO [PRIVACYREQUIRED] login needs an encrypted connection\r\n");
	imap_login_free(l);
}

static void
login_first_command(void **state)
{
	struct imap_login *l = new_login(true);

	(void)state;
	assert_int_equal(login_feed(l, "GET / HTTP/1.1\r\n"),
	    IMAP_LOGIN_CLOSE);
	assert_string_equal(output_text(imap_login_output(l)),
	    "GET BAD unknown command, or login first\r\n"
	    "* BYE please speak IMAP\r\n");
	imap_login_free(l);
	/* Later ones only after IMAP_BAD_MAX in a row. */
	l = new_login(true);
	assert_int_equal(login_feed(l, "a NOOP\r\n"), IMAP_LOGIN_READ);
	for (int i = 0; i < IMAP_BAD_MAX; i++) {
		assert_int_equal(login_feed(l, "a XYZ\r\n"),
		    i + 1 < IMAP_BAD_MAX ? IMAP_LOGIN_READ
		    : IMAP_LOGIN_CLOSE);
	}
	imap_login_free(l);
}

/* A command of n bytes before its line end, with a literal if literal_n. */
static enum imap_login_action
feed_noop_line(size_t n)
{
	struct imap_login *l = new_login(true);
	char *line = mem_zalloc(1, n + 3);
	enum imap_login_action a;

	memset(line, 'x', n);
	memcpy(line, "a LOGIN u ", 10);
	memcpy(line + n, "\r\n", 3);
	a = login_feed(l, line);
	if (a == IMAP_LOGIN_CLOSE)
		assert_string_equal(output_text(imap_login_output(l)),
		    "* BYE line over 16384 bytes\r\n");
	free(line);
	imap_login_free(l);
	return a;
}

static void
login_line_limit(void **state)
{
	struct imap_login *l;
	char *line;

	(void)state;
	/* In the limit, though the password is far too long: the first
	 * command is refused, not the line. */
	assert_int_equal(feed_noop_line(1000), IMAP_LOGIN_AUTH);
	assert_int_equal(feed_noop_line(IMAP_LINE_MAX + 1),
	    IMAP_LOGIN_CLOSE);
	/* A line that does not end is refused as soon as it is too long. */
	line = mem_zalloc(1, IMAP_LINE_MAX + 3);
	memset(line, 'x', IMAP_LINE_MAX + 2);
	l = new_login(true);
	assert_int_equal(login_feed(l, line), IMAP_LOGIN_CLOSE);
	imap_login_free(l);
	line[IMAP_LINE_MAX + 1] = '\0';
	l = new_login(true);
	assert_int_equal(login_feed(l, line), IMAP_LOGIN_READ);
	imap_login_free(l);
	free(line);
}

static void
login_literal_limit(void **state)
{
	struct imap_login *l = new_login(true);

	(void)state;
	assert_int_equal(login_feed(l, "a LOGIN {102400}\r\n"),
	    IMAP_LOGIN_READ);
	assert_string_equal(output_text(imap_login_output(l)),
	    "+ go on\r\n");
	imap_login_free(l);
	l = new_login(true);
	assert_int_equal(login_feed(l, "a LOGIN {102401}\r\n"),
	    IMAP_LOGIN_CLOSE);
	assert_string_equal(output_text(imap_login_output(l)),
	    "* BYE [TOOBIG] literal over 102400 bytes\r\n");
	imap_login_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "sequence sets", sets, NULL, NULL, NULL },
		{ "sets are formatted in runs", set_format, NULL, NULL,
		    NULL },
		{ "strings and astrings", strings, NULL, NULL, NULL },
		{ "hand-over message", handover, NULL, NULL, NULL },
		{ "STARTTLS begins, fails, and comes twice", login_starttls,
		    NULL, NULL, NULL },
		{ "I-21 bytes behind STARTTLS", login_starttls_more, NULL,
		    NULL, NULL },
		{ "I-1 greeting and capabilities", login_greeting, NULL,
		    NULL, NULL },
		{ "I-2 commands before login", login_replies, NULL, NULL,
		    NULL },
		{ "I-2 AUTHENTICATE with and without initial response",
		    login_dialogue, NULL, NULL, NULL },
		{ "I-10 LOGINDISABLED", login_needs_privacy, NULL, NULL,
		    NULL },
		{ "I-12 first command invalid: BYE", login_first_command,
		    NULL, NULL, NULL },
		{ "I-13 line limit", login_line_limit, NULL, NULL, NULL },
		{ "I-13 literal limit", login_literal_limit, NULL, NULL,
		    NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
