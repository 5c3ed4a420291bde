/* smtpc_auth_test.c - AUTH in a session (RFC 4954) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtpc_script.h"

/* The example of RFC 7677, in base64. */
#define FIRST "biwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8="
#define SERVER_FIRST \
	"cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYTJSYVRDQW" \
	"Z1eEZJbGopaE5sRiRrMCxzPVcyMlphSjBTTlk3c29Fc1VFamI2" \
	"Z1E9PSxpPTQwOTY="
#define FINAL \
	"Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU8laHZZRHBXVW" \
	"EyUmFUQ0FmdXhGSWxqKWhObEYkazAscD1kSHpiWmFwV0lrNGpV" \
	"aE4rVXRlOXl0YWc5empmTUhnc3FtbWl6N0FuZFZRPQ=="
#define SERVER_FINAL \
	"dj02cnJpVFJCaTIzV3BSUi93dHVwK21NaFVaVW4vZEI1bkxUSl" \
	"Jzamw5NUc0PQ=="

#define AUTH(list) "S:220 mx\nC:EHLO me.example\nS:250-mx\nS:250 AUTH " list \
	"\n"
#define SCRAM AUTH("PLAIN SCRAM-SHA-256") "C:AUTH SCRAM-SHA-256 " FIRST "\n" \
	"S:334 " SERVER_FIRST "\nC:" FINAL "\n"
#define CRAM AUTH("CRAM-MD5") "C:AUTH CRAM-MD5\n"
#define FROM "a@me.example"
#define MAIL(name, script, want) \
	{ name, 0, FROM, "u@x.example", "x\n", script, want }
#define OPEN "- 0  connect/open"
#define FAILED(code, status) "- 0  connect/temp " code " " status " AUTH"

static struct saslc_login
login_of(const char *mechanisms)
{
	return (struct saslc_login){ .user = BYTES("user"),
	    .password = BYTES("pencil"), .token = BYTES_EMPTY,
	    .authzid = BYTES_EMPTY, .host = BYTES_EMPTY, .secured = true,
	    .mechanisms = mechanisms, .nonce = "rOprNGfwEbeRWgbNEkqO" };
}

static void
play_with(const struct row *rows, size_t n, const struct saslc_login *l)
{
	for (size_t i = 0; i < n; i++)
		play_row(&rows[i], l);
}
#define ROWS(r, l) play_with(r, sizeof(r) / sizeof((r)[0]), l)

static void
best_first(void **state)
{
	static const struct row rows[] = {
		MAIL("SCRAM, the server proves itself", SCRAM "S:334 "
		    SERVER_FINAL "\nC:\nS:235 2.7.0 in\n", OPEN),
		MAIL("235 without its proof", SCRAM "S:235 2.7.0 in\nC:QUIT\n",
		    FAILED("0", "4.7.0")),
		MAIL("a wrong proof", SCRAM "S:334 dj1BQUFB\nC:*\n"
		    "S:501 5.7.0 ok\nC:QUIT\n", FAILED("0", "4.7.0")),
		MAIL("in all the same after a wrong proof", SCRAM
		    "S:334 dj1BQUFB\nC:*\nS:235 in\nC:QUIT\n",
		    FAILED("0", "4.7.0")),
		MAIL("the password is wrong", SCRAM "S:535 5.7.8 no\nC:QUIT\n",
		    FAILED("535", "5.7.8")),
		MAIL("not now", SCRAM "S:454 4.7.0 later\nC:QUIT\n",
		    FAILED("454", "4.7.0")),
		MAIL("421", SCRAM "S:421 4.3.2 down\n",
		    FAILED("421", "4.3.2")),
		MAIL("no AUTH in the offer", "S:220 mx\nC:EHLO me.example\n"
		    "S:250 mx\nC:QUIT\n", FAILED("0", "4.7.0")),
		MAIL("only what shows the password", AUTH("PLAIN LOGIN")
		    "C:QUIT\n", FAILED("0", "4.7.0")),
		MAIL("the next best after 504", AUTH("SCRAM-SHA-256 CRAM-MD5")
		    "C:AUTH SCRAM-SHA-256 " FIRST "\nS:504 5.5.4 no such\n"
		    "C:AUTH CRAM-MD5\nS:535 no\nC:QUIT\n", FAILED("535", "")),
		MAIL("none left after 534", CRAM "S:534 5.7.9 too weak\n"
		    "C:QUIT\n", FAILED("534", "5.7.9")),
		MAIL("not base64", CRAM "S:334 ***\nC:*\nS:501 ok\nC:QUIT\n",
		    FAILED("0", "4.7.0")),
		MAIL("a challenge after the cancel", CRAM "S:334 ***\nC:*\n"
		    "S:334 PDE+\n", FAILED("0", "4.5.0")),
		MAIL("250 to AUTH", CRAM "S:250 ok\n", FAILED("0", "4.5.0")),
		MAIL("closed", CRAM "!eof\n", FAILED("0", "4.4.2")),
	};
	struct saslc_login l = login_of(NULL);

	(void)state;
	ROWS(rows, &l);
}

static void
listed(void **state)
{
	static const struct row rows[] = {
		MAIL("PLAIN", AUTH("PLAIN SCRAM-SHA-256")
		    "C:AUTH PLAIN AHVzZXIAcGVuY2ls\nS:235 in\n!send\n"
		    "C:MAIL FROM:<a@me.example>\nS:550 no\n",
		    "perm 550  MAIL/open"),
		MAIL("LOGIN", AUTH("LOGIN") "C:AUTH LOGIN\n"
		    "S:334 VXNlcm5hbWU6\nC:dXNlcg==\nS:334 UGFzc3dvcmQ6\n"
		    "C:cGVuY2ls\nS:235 in\n", OPEN),
		MAIL("LOGIN, accepted too early", AUTH("LOGIN")
		    "C:AUTH LOGIN\nS:334 VXNlcm5hbWU6\nC:dXNlcg==\n"
		    "S:235 in\nC:QUIT\n", FAILED("0", "4.7.0")),
		MAIL("PLAIN is asked for a second message", AUTH("PLAIN")
		    "C:AUTH PLAIN AHVzZXIAcGVuY2ls\nS:334 \nC:*\n"
		    "S:501 ok\nC:QUIT\n", FAILED("0", "4.7.0")),
	};
	static const struct row auth[] = {
		{ "AUTH= once logged in", EXTRAS, FROM, "u@x.example", "x\n",
		    AUTH("PLAIN") "C:AUTH PLAIN AHVzZXIAcGVuY2ls\nS:235 in\n"
		    "!send\nC:MAIL FROM:<a@me.example> AUTH=u@me.example\n"
		    "S:550 no\n", "perm 550  MAIL/open" },
	};
	struct saslc_login l = login_of("PLAIN LOGIN");

	(void)state;
	ROWS(rows, &l);
	ROWS(auth, &l);
	/* logged in by nothing: no AUTH= */
	play_row(&(struct row){ "no AUTH= before", EXTRAS, FROM,
	    "u@x.example", "x\n", AUTH("PLAIN") "!send\n"
	    "C:MAIL FROM:<a@me.example>\nS:550 no\n",
	    "perm 550  MAIL/open" }, NULL);
}

static void
external(void **state)
{
	static const struct row rows[] = {
		MAIL("an empty response is said as =", AUTH("EXTERNAL PLAIN")
		    "C:AUTH EXTERNAL =\nS:235 in\n", OPEN),
		MAIL("and may be asked for", AUTH("EXTERNAL")
		    "C:AUTH EXTERNAL =\nS:535 5.7.8 who?\nC:QUIT\n",
		    FAILED("535", "5.7.8")),
	};
	struct saslc_login l = login_of(NULL);

	(void)state;
	l.password = BYTES_EMPTY;
	l.client_cert = true;
	ROWS(rows, &l);
}

/* RFC 4954 4: an initial response that makes the command too long waits. */
static void
long_response(void **state)
{
	char token[600], script[3000];
	struct saslc_login l = login_of(NULL);
	struct buf text = BUF_INIT(1000), text64 = BUF_INIT(2000);
	size_t room = SMTPC_AUTH_FIRST_MAX - strlen("AUTH XOAUTH2 \r\n");
	size_t base = strlen("user=user\1auth=Bearer \1\1");

	(void)state;
	l.password = BYTES_EMPTY;
	memset(token, 't', sizeof(token));
	for (size_t over = 0; over <= 1; over++) {
		buf_reset(&text);
		buf_reset(&text64);
		l.token = bytes_of(token, room / 4 * 3 - base + over);
		(void)buf_adds(&text, "user=user\1auth=Bearer ");
		(void)buf_add(&text, l.token);
		(void)buf_adds(&text, "\1\1");
		(void)base64_encode(&text64, buf_bytes(&text));
		(void)snprintf(script, sizeof(script), over == 0
		    ? AUTH("XOAUTH2") "C:AUTH XOAUTH2 %.*s\nS:235 in\n"
		    : AUTH("XOAUTH2") "C:AUTH XOAUTH2\nS:334 \nC:%.*s\n"
		    "S:334 e30=\nC:\nS:535 5.7.8 expired\nC:QUIT\n",
		    (int)text64.n, (const char *)text64.p);
		play_row(&(struct row)MAIL("long", script, over == 0 ? OPEN
		    : FAILED("535", "5.7.8")), &l);
	}
	buf_free(&text);
	buf_free(&text64);
}

/* Bindings are known only after TLS: the login given then is used. */
static void
login_after_tls(void **state)
{
	static const struct sasl_binding binding[SASL_BINDINGS] = {
		[SASL_TLS_EXPORTER] = { 4, "bind" },
	};
	struct saslc_login before = login_of(NULL), after = before;
	struct smtpc_options o = { .hostname = BYTES("me.example"),
	    .tls = SMTPC_TLS_REQUIRED, .login = &before };
	struct smtpc *s = smtpc_new(&o);
	struct bytes in = BYTES("220 mx\r\n");

	(void)state;
	after.binding = binding;
	assert_int_equal(smtpc_next(s, &in), SMTPC_READ);
	smtpc_written(s, smtpc_output(s).n);
	in = BYTES("250-mx\r\n250-AUTH CRAM-MD5\r\n250 STARTTLS\r\n");
	assert_int_equal(smtpc_next(s, &in), SMTPC_READ);
	smtpc_written(s, smtpc_output(s).n);
	in = BYTES("220 go\r\n");
	assert_int_equal(smtpc_next(s, &in), SMTPC_STARTTLS);
	smtpc_secured(s, &after);
	assert_int_equal(smtpc_next(s, &in), SMTPC_READ);
	smtpc_written(s, smtpc_output(s).n);
	in = BYTES("250-mx\r\n250 AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256\r\n");
	assert_int_equal(smtpc_next(s, &in), SMTPC_READ);
	assert_true(bytes_starts(smtpc_output(s),
	    BYTES("AUTH SCRAM-SHA-256-PLUS cD10bHMtZXhwb3J0ZXIs")));
	assert_null(smtpc_auth_mechanism(s));
	smtpc_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "Q-9 AUTH with the best mechanism, and what can go wrong",
		    best_first, NULL, NULL, NULL },
		{ "Q-9 AUTH with listed mechanisms", listed, NULL, NULL,
		    NULL },
		{ "AUTH EXTERNAL", external, NULL, NULL, NULL },
		{ "an initial response at the limit of a command, and past "
		    "it", long_response, NULL, NULL, NULL },
		{ "U-3 AUTH binds to the connection that STARTTLS made",
		    login_after_tls, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
