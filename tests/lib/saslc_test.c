/* saslc_test.c - client mechanisms: RFC examples, and against lib/sasl */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "saslc/saslc.h"

#define MAX 20000

static void
assert_text(const struct buf *got, const char *want)
{
	if (!bytes_eq(buf_bytes(got), bytes_str(want)))
		print_message("# got:  %.*s\n# want: %s\n", (int)got->n,
		    (const char *)got->p, want);
	assert_true(bytes_eq(buf_bytes(got), bytes_str(want)));
}

/* RFC 5802 5, RFC 7677 3. */
static const struct vector {
	const char *mech, *nonce, *first, *challenge, *final, *last;
} vectors[] = {
	{ "SCRAM-SHA-1", "fyko+d2lbbFgONRv9qkxdawL",
	    "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
	    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	    "s=QSXCR+Q6sek8bf92,i=4096",
	    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	    "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
	    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" },
	{ "SCRAM-SHA-256", "rOprNGfwEbeRWgbNEkqO",
	    "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
	    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)"
	    "hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
	    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" },
};

static struct saslc_login
login_of(const char *user, const char *password)
{
	return (struct saslc_login){ .user = bytes_str(user),
	    .password = bytes_str(password), .token = BYTES_EMPTY,
	    .authzid = BYTES_EMPTY, .host = BYTES_EMPTY, .secured = true };
}

static void
rfc_examples(void **state)
{
	struct saslc_login l = login_of("user", "pencil");
	struct buf out = BUF_INIT(MAX);
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct vector *v = &vectors[i];
		struct saslc *s;

		l.nonce = v->nonce;
		s = saslc_new(&l, v->mech, bytes_str(v->mech));
		assert_non_null(s);
		assert_true(saslc_speaks_first(s));
		assert_int_equal(saslc_first(s, &out, &why), 0);
		assert_text(&out, v->first);
		buf_reset(&out);
		assert_int_equal(saslc_step(s, bytes_str(v->challenge), &out,
		    &why), 0);
		assert_text(&out, v->final);
		/* 235 before the server's signature is worth nothing */
		assert_int_equal(saslc_success(s, &why), -1);
		assert_int_equal(errno, EACCES);
		buf_reset(&out);
		assert_int_equal(saslc_step(s, bytes_str(v->last), &out,
		    &why), 0);
		assert_int_equal(out.n, 0);
		assert_int_equal(saslc_success(s, &why), 0);
		assert_int_equal(saslc_step(s, BYTES("x"), &out, &why), -1);
		saslc_free(s);
	}
	buf_free(&out);
}

/* RFC 2195 2. */
static void
cram_example(void **state)
{
	struct saslc_login l = login_of("tim", "tanstaaftanstaaf");
	struct saslc *s = saslc_new(&l, "cram-md5", BYTES("CRAM-MD5"));
	struct buf out = BUF_INIT(MAX);
	const char *why;

	(void)state;
	assert_false(saslc_speaks_first(s));
	assert_int_equal(saslc_success(s, &why), -1);
	assert_int_equal(saslc_step(s, BYTES(
	    "<1896.697170952@postoffice.reston.mci.net>"), &out, &why), 0);
	assert_text(&out, "tim b913a602c7eda7a495b4e6e7334d3890");
	assert_int_equal(saslc_success(s, &why), 0);
	assert_int_equal(saslc_step(s, BYTES("<2@x>"), &out, &why), -1);
	assert_int_equal(errno, EPROTO);
	saslc_free(s);
	s = saslc_new(&l, "CRAM-MD5", BYTES("CRAM-MD5"));
	assert_int_equal(saslc_step(s, BYTES_EMPTY, &out, &why), -1);
	saslc_free(s);
	buf_free(&out);
}

/* What the server says wrong; %N is our nonce. */
static void
bad_servers(void **state)
{
	static const struct {
		const char *first, *final;	/* final NULL: first is bad */
		int err;
		const char *why;
	} rows[] = {
		{ "r=abcX,s=AAAA,i=4095", NULL, EPROTO,
		    "iteration count too low" },
		{ "r=abcX,s=AAAA,i=1000001", NULL, EPROTO,
		    "iteration count too high" },
		{ "r=abcX,s=AAAA,i=99999999999999", NULL, EPROTO,
		    "malformed iteration count" },
		{ "r=abcX,s=AAAA,i=-1", NULL, EPROTO,
		    "malformed iteration count" },
		{ "r=abcX,s=AAAA,i=", NULL, EPROTO,
		    "malformed iteration count" },
		{ "r=abcX,s=AAAA", NULL, EPROTO,
		    "malformed first message of the server" },
		{ "s=AAAA,r=abcX,i=4096", NULL, EPROTO,
		    "malformed first message of the server" },
		{ "", NULL, EPROTO, "malformed first message of the server" },
		{ "r=abX,s=AAAA,i=4096", NULL, EPROTO,
		    "server's nonce does not begin with ours" },
		{ "r=abc,s=AAAA,i=4096", NULL, EPROTO,
		    "server adds nothing to the nonce" },
		{ "r=abcX\xc3\xa4,s=AAAA,i=4096", NULL, EPROTO,
		    "server's nonce has bytes that may not be in it" },
		{ "r=abcX,s=,i=4096", NULL, EPROTO, "malformed salt" },
		{ "r=abcX,s=A,i=4096", NULL, EPROTO, "malformed salt" },
		{ "m=x,r=abcX,s=AAAA,i=4096", NULL, EPROTO,
		    "server demands an extension" },
		{ "e=unknown-user", NULL, EACCES,
		    "server refuses the first message" },
		{ "r=abcX,s=AAAA,i=4096", "e=invalid-proof", EACCES,
		    "server refuses the proof" },
		{ "r=abcX,s=AAAA,i=4096",
		    "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", EACCES,
		    "the server does not know the password: its signature is "
		    "wrong" },
		{ "r=abcX,s=AAAA,i=4096", "v=", EACCES,
		    "the server does not know the password: its signature is "
		    "wrong" },
		{ "r=abcX,s=AAAA,i=4096", "ok", EPROTO,
		    "malformed last message of the server" },
		{ "r=abcX,s=AAAA,i=4096", "", EPROTO,
		    "malformed last message of the server" },
	};
	struct saslc_login l = login_of("user", "pencil");

	(void)state;
	l.nonce = "abc";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct saslc *s = saslc_new(&l, "SCRAM-SHA-256",
		    BYTES("SCRAM-SHA-256"));
		struct buf out = BUF_INIT(MAX);
		const char *why = NULL;
		int r;

		assert_int_equal(saslc_first(s, &out, &why), 0);
		r = saslc_step(s, bytes_str(rows[i].first), &out, &why);
		if (rows[i].final != NULL) {
			assert_int_equal(r, 0);
			r = saslc_step(s, bytes_str(rows[i].final), &out,
			    &why);
		}
		assert_int_equal(r, -1);
		assert_int_equal(errno, rows[i].err);
		assert_string_equal(why, rows[i].why);
		assert_int_equal(saslc_success(s, &why), -1);
		assert_int_equal(saslc_step(s, BYTES("r=abcX,s=AAAA,i=4096"),
		    &out, &why), -1);
		saslc_free(s);
		buf_free(&out);
	}
}

/* server-first with a nonce and a salt of that many bytes, i= iterations */
static int
first_with(size_t nonce, size_t salt, unsigned long iterations)
{
	struct saslc_login l = login_of("user", "pencil");
	struct buf out = BUF_INIT(MAX), first = BUF_INIT(MAX);
	struct buf bytes = BUF_INIT(MAX);
	const char *why = NULL;
	struct saslc *s;
	int r;

	l.nonce = "abc";
	s = saslc_new(&l, "SCRAM-SHA-1", BYTES("SCRAM-SHA-1"));
	assert_int_equal(saslc_first(s, &out, &why), 0);
	(void)buf_adds(&first, "r=abc");
	for (size_t i = 3; i < nonce; i++)
		(void)buf_addc(&first, 'n');
	for (size_t i = 0; i < salt; i++)
		(void)buf_addc(&bytes, (int)(i & 0xff));
	(void)buf_adds(&first, ",s=");
	(void)base64_encode(&first, buf_bytes(&bytes));
	(void)buf_printf(&first, ",i=%lu", iterations);
	r = saslc_step(s, buf_bytes(&first), &out, &why);
	saslc_free(s);
	buf_free(&out);
	buf_free(&first);
	buf_free(&bytes);
	return r;
}

static void
limits(void **state)
{
	struct saslc_login l = login_of("user", "pencil");
	struct buf big = BUF_INIT(MAX), out = BUF_INIT(MAX);
	const char *why = NULL;
	struct saslc *s;

	(void)state;
	assert_int_equal(first_with(SASLC_NONCE_MAX, 16, 4096), 0);
	assert_int_equal(first_with(SASLC_NONCE_MAX + 1, 16, 4096), -1);
	assert_int_equal(first_with(20, SASLC_SALT_MAX, 4096), 0);
	assert_int_equal(first_with(20, SASLC_SALT_MAX + 1, 4096), -1);
	assert_int_equal(first_with(20, 16, SASLC_ITERATIONS_MIN), 0);
	assert_int_equal(first_with(20, 16, SASLC_ITERATIONS_MIN - 1), -1);
	assert_int_equal(first_with(20, 16, SASLC_ITERATIONS_MAX), 0);
	assert_int_equal(first_with(20, 16, SASLC_ITERATIONS_MAX + 1), -1);
	for (int i = 0; i < SASLC_CHALLENGE_MAX; i++)
		(void)buf_addc(&big, 'x');
	s = saslc_new(&l, "CRAM-MD5", BYTES("CRAM-MD5"));
	assert_int_equal(saslc_step(s, buf_bytes(&big), &out, &why), 0);
	saslc_free(s);
	(void)buf_addc(&big, 'x');
	s = saslc_new(&l, "CRAM-MD5", BYTES("CRAM-MD5"));
	assert_int_equal(saslc_step(s, buf_bytes(&big), &out, &why), -1);
	assert_string_equal(why, "challenge too long");
	saslc_free(s);
	/* names and passwords */
	l.user = bytes_first(buf_bytes(&big), SASL_NAME_MAX);
	s = saslc_new(&l, "PLAIN", BYTES("PLAIN"));
	assert_non_null(s);
	saslc_free(s);
	l.user = bytes_first(buf_bytes(&big), SASL_NAME_MAX + 1);
	assert_null(saslc_new(&l, "PLAIN", BYTES("PLAIN")));
	l.user = BYTES("u");
	l.password = bytes_first(buf_bytes(&big), SASL_PASSWORD_MAX);
	s = saslc_new(&l, "PLAIN", BYTES("PLAIN"));
	assert_non_null(s);
	saslc_free(s);
	l.password = bytes_first(buf_bytes(&big), SASL_PASSWORD_MAX + 1);
	assert_null(saslc_new(&l, "PLAIN", BYTES("PLAIN")));
	l.password = BYTES("a\0b");
	assert_null(saslc_new(&l, "PLAIN", BYTES("PLAIN")));
	assert_int_equal(errno, EINVAL);
	buf_free(&big);
	buf_free(&out);
}

/* ---- which mechanism ---- */

static const struct sasl_binding bindings[SASL_BINDINGS] = {
	[SASL_TLS_EXPORTER] = { 32, "exporter" },
	[SASL_TLS_SERVER_END_POINT] = { 32, "end point" },
};
static const struct sasl_binding end_point[SASL_BINDINGS] = {
	[SASL_TLS_SERVER_END_POINT] = { 32, "end point" },
};

#define ALL "LOGIN PLAIN XOAUTH2 OAUTHBEARER EXTERNAL CRAM-MD5 SCRAM-SHA-1 " \
	"SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS SCRAM-SHA-512 " \
	"SCRAM-SHA-512-PLUS"

/* All in turn, blanks between; the last *why. */
static void
order_of(const struct saslc_login *l, const char *offered, struct buf *out,
    const char **why)
{
	const char *name;
	size_t from = 0;

	buf_reset(out);
	while ((name = saslc_choose(l, bytes_str(offered), &from, why)) !=
	    NULL) {
		if (out->n > 0)
			(void)buf_addc(out, ' ');
		(void)buf_adds(out, name);
	}
	assert_non_null(*why);
}

static void
choice(void **state)
{
	struct saslc_login l = login_of("user", "pencil");
	struct buf got = BUF_INIT(MAX);
	const char *why = NULL;

	(void)state;
	/* best first; what shows the password is not in it */
	order_of(&l, ALL, &got, &why);
	assert_text(&got, "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5");
	l.binding = bindings;
	order_of(&l, ALL, &got, &why);
	assert_text(&got, "SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS "
	    "SCRAM-SHA-1-PLUS SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 "
	    "CRAM-MD5");
	order_of(&l, "plain login scram-sha-1", &got, &why);
	assert_text(&got, "SCRAM-SHA-1");
	order_of(&l, "PLAIN LOGIN", &got, &why);
	assert_text(&got, "");
	assert_string_equal(why, "no mechanism in common");
	/* a list is an order, and nothing else is used */
	l.mechanisms = "login  PLAIN scram-sha-256 unheard-of";
	order_of(&l, ALL, &got, &why);
	assert_text(&got, "LOGIN PLAIN SCRAM-SHA-256");
	l.secured = false;
	order_of(&l, ALL, &got, &why);
	assert_text(&got, "SCRAM-SHA-256");
	order_of(&l, "PLAIN", &got, &why);
	assert_string_equal(why,
	    "password or token would be shown without TLS");
	assert_null(saslc_new(&l, "PLAIN", BYTES("PLAIN")));
	l.in_clear = true;
	order_of(&l, ALL, &got, &why);
	assert_text(&got, "LOGIN PLAIN SCRAM-SHA-256");
	l = login_of("user", "");
	l.mechanisms = NULL;
	order_of(&l, ALL, &got, &why);
	assert_string_equal(why, "there is no password");
	l.token = BYTES("abc.def");
	order_of(&l, ALL, &got, &why);
	assert_text(&got, "OAUTHBEARER XOAUTH2");
	l = login_of("", "");
	l.client_cert = true;
	order_of(&l, ALL, &got, &why);
	assert_text(&got, "EXTERNAL");
	l.client_cert = false;
	l.mechanisms = "EXTERNAL SCRAM-SHA-1-PLUS";
	order_of(&l, ALL, &got, &why);
	assert_text(&got, "");
	l.password = BYTES("x");
	order_of(&l, "SCRAM-SHA-1-PLUS", &got, &why);
	assert_string_equal(why, "the connection has no channel binding");
	assert_true(saslc_known(BYTES("scram-sha-256-plus")));
	assert_false(saslc_known(BYTES("NTLM")));
	buf_free(&got);
}

/* ---- against the server machines ---- */

struct peers {
	struct saslc_login login;
	const char *mech, *offered;
	const struct sasl_binding *server;	/* its end's bindings */
	const char *password;			/* it knows */
	/* results */
	enum sasl_action action;
	bool mismatch;
	int success;		/* of the client */
	struct sasl server_side;
};

static void
know(struct sasl *server, const char *password, struct buf *challenge,
    enum sasl_action *action)
{
	struct sasl_verifier v;
	struct sasl_secrets k = { .count = 1, .account = "user" };
	enum sasl_hash h = server->mech->hash;

	assert_int_equal(sasl_verifier_make(bytes_str(password), NULL, true,
	    &v), 0);
	k.secret = mem_zalloc(1, sizeof(*k.secret));
	memcpy(k.secret[0].cram, v.cram, sizeof(v.cram));
	if (h != SASL_HASHES) {
		k.iterations = v.keys[h].iterations;
		k.salt_bytes = SASL_SALT_BYTES;
		memcpy(k.salt, v.keys[h].salt, SASL_SALT_BYTES);
		memcpy(k.secret[0].stored_key, v.keys[h].stored_key,
		    SASL_HASH_MAX);
		memcpy(k.secret[0].server_key, v.keys[h].server_key,
		    SASL_HASH_MAX);
	}
	*action = sasl_know(server, &k, challenge);
}

static void
meet(struct peers *p)
{
	struct sasl *server = &p->server_side;
	struct buf challenge = BUF_INIT(MAX), response = BUF_INIT(MAX);
	struct saslc *client = saslc_new(&p->login, p->mech,
	    bytes_str(p->offered));
	const char *why = NULL;
	bool first;

	assert_non_null(client);
	sasl_init(server, sasl_mech_find(bytes_str(p->mech)));
	server->binding = p->server;
	first = saslc_speaks_first(client);
	if (first)
		assert_int_equal(saslc_first(client, &response, &why), 0);
	p->action = sasl_start(server, buf_bytes(&response), first,
	    &challenge);
	while (p->action == SASL_CHALLENGE || p->action == SASL_SECRETS) {
		if (p->action == SASL_SECRETS) {
			know(server, p->password, &challenge, &p->action);
			continue;
		}
		buf_reset(&response);
		if (saslc_step(client, buf_bytes(&challenge), &response,
		    &why) == -1)
			break;
		buf_reset(&challenge);
		p->action = sasl_continue(server, buf_bytes(&response),
		    &challenge);
	}
	p->mismatch = server->mismatch;
	buf_reset(&challenge);
	if (p->action == SASL_PROVEN && sasl_last(server, true, &challenge)) {
		buf_reset(&response);
		assert_int_equal(saslc_step(client, buf_bytes(&challenge),
		    &response, &why), 0);
		assert_int_equal(sasl_continue(server, buf_bytes(&response),
		    &challenge), SASL_ENDED);
	}
	p->success = saslc_success(client, &why);
	saslc_free(client);
	buf_free(&challenge);
	buf_free(&response);
}

static void
own_server(void **state)
{
	static const char *const names[] = { "SCRAM-SHA-1", "SCRAM-SHA-256",
	    "SCRAM-SHA-512", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS",
	    "SCRAM-SHA-512-PLUS", "CRAM-MD5" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct peers p = { .login = login_of("us=e,r",
		    "p\xc3\xa4ss word"), .mech = names[i], .offered = ALL,
		    .server = bindings, .password = "p\xc3\xa4ss word" };

		p.login.binding = bindings;
		p.login.authzid = BYTES("a,b");
		meet(&p);
		assert_int_equal(p.action, SASL_PROVEN);
		assert_int_equal(p.success, 0);
		assert_int_equal(p.server_side.authcid.n, 6);
		assert_memory_equal(p.server_side.authcid.p, "us=e,r", 6);
		sasl_wipe(&p.server_side);
		p.password = "other password";
		meet(&p);
		assert_int_equal(p.action, SASL_REFUSED);
		assert_false(p.mismatch);
		if (i < 6)
			assert_int_equal(p.success, -1);
		sasl_wipe(&p.server_side);
	}
}

/* Decomposed or not: the same password (N-3). */
static void
normal_form(void **state)
{
	struct peers p = { .login = login_of("u", "a\xcc\x88"
	    "bcdefg"), .mech = "SCRAM-SHA-256", .offered = ALL,
	    .password = "\xc3\xa4" "bcdefg" };

	(void)state;
	meet(&p);
	assert_int_equal(p.action, SASL_PROVEN);
	sasl_wipe(&p.server_side);
}

static void
channel_binding(void **state)
{
	static const struct sasl_binding other[SASL_BINDINGS] = {
		[SASL_TLS_EXPORTER] = { 32, "another" },
		[SASL_TLS_SERVER_END_POINT] = { 32, "end point" },
	};
	struct peers p = { .login = login_of("user", "password"),
	    .mech = "SCRAM-SHA-256-PLUS", .offered = ALL, .server = bindings,
	    .password = "password" };

	(void)state;
	p.login.binding = bindings;
	meet(&p);
	assert_int_equal(p.action, SASL_PROVEN);
	sasl_wipe(&p.server_side);
	/* the server sees another TLS connection */
	p.server = other;
	meet(&p);
	assert_int_equal(p.action, SASL_REFUSED);
	assert_true(p.mismatch);
	assert_int_equal(p.success, -1);
	sasl_wipe(&p.server_side);
	/* only the certificate's */
	p.login.binding = end_point;
	meet(&p);
	assert_int_equal(p.action, SASL_PROVEN);
	sasl_wipe(&p.server_side);
	/* "n": we know of -PLUS and were told not to use it */
	p.login.binding = bindings;
	p.mech = "SCRAM-SHA-256";
	p.server = NULL;
	meet(&p);
	assert_int_equal(p.action, SASL_PROVEN);
	sasl_wipe(&p.server_side);
	/* "y": somebody took -PLUS out of the server's offer */
	p.offered = "SCRAM-SHA-256 PLAIN";
	p.server = bindings;
	meet(&p);
	assert_int_equal(p.action, SASL_REFUSED);
	assert_true(p.mismatch);
	sasl_wipe(&p.server_side);
	/* "y": the server has none indeed */
	p.server = NULL;
	meet(&p);
	assert_int_equal(p.action, SASL_PROVEN);
	assert_int_equal(p.success, 0);
	sasl_wipe(&p.server_side);
}

/* The flag itself, since servers may ignore it. */
static void
flags(void **state)
{
	static const struct {
		const struct sasl_binding *binding;
		const char *mech, *offered, *first;
	} rows[] = {
		{ NULL, "SCRAM-SHA-1", "SCRAM-SHA-1", "n,,n=user,r=abc" },
		{ NULL, "SCRAM-SHA-1", ALL, "n,,n=user,r=abc" },
		{ bindings, "SCRAM-SHA-1", "SCRAM-SHA-1",
		    "y,,n=user,r=abc" },
		{ bindings, "SCRAM-SHA-1", "SCRAM-SHA-1 SCRAM-SHA-256-PLUS",
		    "n,,n=user,r=abc" },
		{ bindings, "SCRAM-SHA-1-PLUS", ALL,
		    "p=tls-exporter,,n=user,r=abc" },
		{ end_point, "SCRAM-SHA-1-PLUS", ALL,
		    "p=tls-server-end-point,,n=user,r=abc" },
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct saslc_login l = login_of("user", "password");
		struct buf out = BUF_INIT(MAX);
		struct saslc *s;

		l.nonce = "abc";
		l.binding = rows[i].binding;
		s = saslc_new(&l, rows[i].mech, bytes_str(rows[i].offered));
		assert_int_equal(saslc_first(s, &out, &why), 0);
		assert_text(&out, rows[i].first);
		saslc_free(s);
		buf_free(&out);
	}
}

static void
shown(void **state)
{
	struct peers p = { .login = login_of("user", "pass word"),
	    .offered = ALL };

	(void)state;
	p.mech = "PLAIN";
	p.login.authzid = BYTES("other");
	meet(&p);
	assert_int_equal(p.action, SASL_PASSWORD);
	assert_memory_equal(p.server_side.authzid.p, "other", 5);
	assert_memory_equal(p.server_side.authcid.p, "user", 4);
	assert_int_equal(p.server_side.password.n, 9);
	assert_memory_equal(p.server_side.password.p, "pass word", 9);
	assert_int_equal(p.success, 0);
	sasl_wipe(&p.server_side);
	p.mech = "LOGIN";
	meet(&p);
	assert_int_equal(p.action, SASL_PASSWORD);
	assert_memory_equal(p.server_side.authcid.p, "user", 4);
	assert_memory_equal(p.server_side.password.p, "pass word", 9);
	assert_int_equal(p.success, 0);
	sasl_wipe(&p.server_side);
	p.mech = "EXTERNAL";
	p.login.client_cert = true;
	meet(&p);
	assert_int_equal(p.action, SASL_CLIENT_KEY);
	assert_int_equal(p.server_side.authzid.n, 5);
	assert_int_equal(p.success, 0);
	sasl_wipe(&p.server_side);
	p.login.token = BYTES("abc.def==");
	p.login.host = BYTES("mx.example");
	p.login.port = 465;
	p.mech = "XOAUTH2";
	meet(&p);
	assert_int_equal(p.action, SASL_TOKEN);
	assert_text(&p.server_side.token, "abc.def==");
	assert_memory_equal(p.server_side.authcid.p, "user", 4);
	sasl_wipe(&p.server_side);
	p.mech = "OAUTHBEARER";
	meet(&p);
	assert_int_equal(p.action, SASL_TOKEN);
	assert_text(&p.server_side.token, "abc.def==");
	assert_int_equal(p.success, 0);
	sasl_wipe(&p.server_side);
}

/* RFC 7628 4.1; and the answer to a refusal. */
static void
oauth(void **state)
{
	struct saslc_login l = login_of("user@example.com", "");
	struct buf out = BUF_INIT(MAX);
	struct saslc *s;
	const char *why;

	(void)state;
	l.token = BYTES("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
	l.host = BYTES("server.example.com");
	l.port = 143;
	s = saslc_new(&l, "OAUTHBEARER", BYTES("OAUTHBEARER"));
	assert_int_equal(saslc_first(s, &out, &why), 0);
	assert_text(&out, "n,a=user@example.com,\1host=server.example.com\1"
	    "port=143\1auth=Bearer "
	    "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1");
	buf_reset(&out);
	assert_int_equal(saslc_step(s, BYTES("{\"status\":\"401\"}"), &out,
	    &why), 0);
	assert_text(&out, "\1");
	assert_int_equal(saslc_success(s, &why), -1);
	saslc_free(s);
	buf_reset(&out);
	s = saslc_new(&l, "XOAUTH2", BYTES("XOAUTH2"));
	assert_int_equal(saslc_step(s, BYTES_EMPTY, &out, &why), 0);
	assert_text(&out, "user=user@example.com\1auth=Bearer "
	    "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1");
	buf_reset(&out);
	assert_int_equal(saslc_step(s, BYTES("{}"), &out, &why), 0);
	assert_text(&out, "");
	assert_int_equal(saslc_step(s, BYTES("{}"), &out, &why), -1);
	saslc_free(s);
	l.token = BYTES("a\1b");
	assert_null(saslc_new(&l, "XOAUTH2", BYTES("XOAUTH2")));
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "Q-9 SCRAM: the examples of RFC 5802 and RFC 7677",
		    rfc_examples, NULL, NULL, NULL },
		{ "Q-9 CRAM-MD5: the example of RFC 2195", cram_example, NULL,
		    NULL, NULL },
		{ "servers that break SCRAM, or do not know the password",
		    bad_servers, NULL, NULL, NULL },
		{ "limits: at each, and one past it", limits, NULL, NULL,
		    NULL },
		{ "Q-9 best first, or the list; PLAIN only if it is listed",
		    choice, NULL, NULL, NULL },
		{ "Q-9 each mechanism of our own server, right and wrong "
		    "password", own_server, NULL, NULL, NULL },
		{ "one password in two forms of Unicode", normal_form, NULL,
		    NULL, NULL },
		{ "U-3 channel binding: another connection, and a hidden "
		    "-PLUS, are noticed", channel_binding, NULL, NULL, NULL },
		{ "U-3 flags n, y and p", flags, NULL, NULL, NULL },
		{ "PLAIN, LOGIN, EXTERNAL and tokens as the server sees them",
		    shown, NULL, NULL, NULL },
		{ "OAUTHBEARER and XOAUTH2, accepted and refused", oauth,
		    NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
