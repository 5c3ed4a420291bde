/* sasl_test.c - mechanisms, verifiers, tickets */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sasl/sasl.h"

/* ---- mechanisms ---- */

static struct bytes
text_of(const struct sasl_text *t)
{
	return bytes_of(t->p, t->n);
}

static void
assert_bytes(struct bytes got, struct bytes want)
{
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
}

static void
plain_messages(void **state)
{
	static const struct {
		struct bytes message;
		bool good;
		const char *authzid, *authcid, *password;
	} cases[] = {
		{ BYTES("\0tim\0tanstaaf"), true, "", "tim", "tanstaaf" },
		{ BYTES("Ursel\0Kurt\0xipj3plmq"), true, "Ursel", "Kurt",
		    "xipj3plmq" },
		{ BYTES(""), false, "", "", "" },
		{ BYTES("\0tim"), false, "", "", "" },
		{ BYTES("\0\0secret"), false, "", "", "" },
		{ BYTES("\0tim\0"), false, "", "", "" },
		{ BYTES("\0tim\0a\0b"), false, "", "", "" },
	};
	struct buf challenge = BUF_INIT(100);
	struct sasl s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sasl_init(&s, sasl_mech_find(BYTES("plain")));
		assert_int_equal(sasl_start(&s, cases[i].message, true,
		    &challenge), cases[i].good ? SASL_PASSWORD
		    : SASL_MALFORMED);
		assert_int_equal(challenge.n, 0);
		if (cases[i].good) {
			assert_bytes(text_of(&s.authzid),
			    bytes_str(cases[i].authzid));
			assert_bytes(text_of(&s.authcid),
			    bytes_str(cases[i].authcid));
			assert_bytes(text_of(&s.password),
			    bytes_str(cases[i].password));
		}
		sasl_wipe(&s);
		assert_int_equal(s.password.n, 0);
	}
	buf_free(&challenge);
}

static void
plain_without_initial_response(void **state)
{
	struct buf challenge = BUF_INIT(100);
	struct sasl s;

	(void)state;
	sasl_init(&s, sasl_mech_find(BYTES("PLAIN")));
	assert_int_equal(sasl_start(&s, BYTES_EMPTY, false, &challenge),
	    SASL_CHALLENGE);
	assert_int_equal(challenge.n, 0);
	assert_int_equal(sasl_continue(&s, BYTES("\0a\0b"), &challenge),
	    SASL_PASSWORD);
	/* One message only. */
	assert_int_equal(sasl_continue(&s, BYTES("\0a\0b"), &challenge),
	    SASL_MALFORMED);
	buf_free(&challenge);
}

static void
plain_limits(void **state)
{
	char message[SASL_RESPONSE_MAX + 2];
	struct buf challenge = BUF_INIT(100);
	struct sasl s;
	int over;

	(void)state;
	for (over = 0; over <= 1; over++) {
		size_t n = SASL_PASSWORD_MAX + (size_t)over;

		memset(message, 'p', sizeof(message));
		memcpy(message, "\0u", 3);
		sasl_init(&s, sasl_mech_find(BYTES("PLAIN")));
		assert_int_equal(sasl_start(&s, bytes_of(message, 3 + n),
		    true, &challenge), over ? SASL_MALFORMED
		    : SASL_PASSWORD);
		n = SASL_NAME_MAX + (size_t)over;
		memset(message, 'u', sizeof(message));
		message[0] = '\0';
		message[n + 1] = '\0';
		sasl_init(&s, sasl_mech_find(BYTES("PLAIN")));
		assert_int_equal(sasl_start(&s, bytes_of(message, n + 4),
		    true, &challenge), over ? SASL_MALFORMED
		    : SASL_PASSWORD);
	}
	buf_free(&challenge);
}

static void
login_challenges(void **state)
{
	struct buf challenge = BUF_INIT(100);
	struct sasl s;

	(void)state;
	sasl_init(&s, sasl_mech_find(BYTES("LOGIN")));
	assert_int_equal(sasl_start(&s, BYTES_EMPTY, false, &challenge),
	    SASL_CHALLENGE);
	assert_bytes(buf_bytes(&challenge), BYTES("Username:"));
	buf_reset(&challenge);
	assert_int_equal(sasl_continue(&s, BYTES("tim"), &challenge),
	    SASL_CHALLENGE);
	assert_bytes(buf_bytes(&challenge), BYTES("Password:"));
	buf_reset(&challenge);
	assert_int_equal(sasl_continue(&s, BYTES("tanstaaf"), &challenge),
	    SASL_PASSWORD);
	assert_bytes(text_of(&s.authcid), BYTES("tim"));
	assert_bytes(text_of(&s.password), BYTES("tanstaaf"));
	/* An initial response is the user name. */
	sasl_init(&s, sasl_mech_find(BYTES("login")));
	assert_int_equal(sasl_start(&s, BYTES("tim"), true, &challenge),
	    SASL_CHALLENGE);
	assert_bytes(buf_bytes(&challenge), BYTES("Password:"));
	sasl_init(&s, sasl_mech_find(BYTES("login")));
	assert_int_equal(sasl_start(&s, BYTES("a\0b"), true, &challenge),
	    SASL_MALFORMED);
	assert_null(sasl_mech_find(BYTES("SCRAM-MD5")));
	buf_free(&challenge);
}

/* ---- verifiers ---- */

static void
verifier_checks(void **state)
{
	struct sasl_verifier v, again;
	struct buf b = BUF_INIT(SASL_VERIFIER_BYTES_MAX);
	size_t i;

	(void)state;
	assert_int_equal(sasl_verifier_make(BYTES("correct horse"), NULL,
	    true, &v), 0);
	assert_int_equal(v.keys[SASL_SHA256].iterations,
	    SASL_ITERATIONS_SHA256);
	assert_int_equal(v.keys[SASL_SHA1].iterations, SASL_ITERATIONS_SHA1);
	assert_int_equal(sasl_verifier_check(&v, BYTES("correct horse")), 1);
	assert_int_equal(sasl_verifier_check(&v, BYTES("correct horsf")), 0);
	assert_int_equal(sasl_verifier_check(&v, BYTES("x")), 0);
	assert_int_equal(sasl_verifier_check(&v, BYTES_EMPTY), 0);
	assert_int_equal(sasl_verifier_check(NULL, BYTES("correct horse")),
	    0);
	assert_int_equal(sasl_verifier_format(&v, &b), 0);
	assert_int_equal(b.n, 10 + 3 * 21 + 2 * (32 + 20 + 64) + 33);
	assert_int_equal(sasl_verifier_parse(buf_bytes(&b), &again), 0);
	assert_int_equal(sasl_verifier_check(&again,
	    BYTES("correct horse")), 1);
	for (i = 0; i < b.n; i++) {
		/* parts may be missing, but not the first, nor be cut */
		bool whole = i == 10 + 85 || i == 10 + 85 + 61 ||
		    i == 10 + 85 + 61 + 149;

		errno = 0;
		assert_int_equal(sasl_verifier_parse(bytes_of(b.p, i),
		    &again), whole ? 0 : -1);
		assert_int_equal(errno, whole ? 0 : EBADMSG);
	}
	b.p[1] = 3;	/* a version we do not know */
	assert_int_equal(sasl_verifier_parse(buf_bytes(&b), &again), -1);
	b.p[1] = 2;
	b.p[10] = 2;	/* kinds out of order */
	assert_int_equal(sasl_verifier_parse(buf_bytes(&b), &again), -1);
	b.p[10] = 1;
	b.p[11] = 0x7f;	/* iterations over the limit */
	assert_int_equal(sasl_verifier_parse(buf_bytes(&b), &again), -1);
	/* An empty password has no verifier; "x" stands in for its time. */
	assert_int_equal(sasl_verifier_make(BYTES_EMPTY, NULL, true, &v), -1);
	assert_int_equal(sasl_verifier_make(BYTES("x"), NULL, true, &v), 0);
	assert_int_equal(sasl_verifier_check(&v, BYTES_EMPTY), 0);
	buf_free(&b);
}

/* Records of version 1 are read, and lack the newer secrets. */
static void
old_records(void **state)
{
	struct buf b = BUF_INIT(SASL_VERIFIER_BYTES_MAX);
	struct sasl_verifier v, got;
	unsigned char head[10] = { 0, 1 }, n[4];
	static const size_t bytes[2] = { 32, 20 };
	size_t i;

	(void)state;
	assert_int_equal(sasl_verifier_make(BYTES("correct horse"), NULL,
	    true, &v), 0);
	be64_put(head + 2, 1234);
	buf_add(&b, bytes_of(head, sizeof(head)));
	for (i = 0; i < 2; i++) {
		be32_put(n, v.keys[i].iterations);
		buf_add(&b, bytes_of(n, 4));
		buf_add(&b, bytes_of(v.keys[i].salt, SASL_SALT_BYTES));
		buf_add(&b, bytes_of(v.keys[i].stored_key, bytes[i]));
		buf_add(&b, bytes_of(v.keys[i].server_key, bytes[i]));
	}
	assert_int_equal(sasl_verifier_parse(buf_bytes(&b), &got), 0);
	assert_int_equal(got.changed, 1234);
	assert_int_equal(sasl_verifier_check(&got, BYTES("correct horse")),
	    1);
	assert_int_equal(got.keys[SASL_SHA512].iterations, 0);
	assert_false(got.has_cram);
	assert_int_equal(sasl_verifier_parse(bytes_first(buf_bytes(&b),
	    b.n - 1), &got), -1);
	buf_free(&b);
}

/* RFC 7677 3: the keys of user "user", password "pencil". */
static void
scram_keys_of_the_rfc(void **state)
{
	struct buf b = BUF_INIT(SASL_VERIFIER_BYTES_MAX), salt = BUF_INIT(64);
	struct sasl_verifier v;

	(void)state;
	assert_int_equal(base64_decode(&salt,
	    BYTES("W22ZaJ0SNY7soEsUEjb6gQ==")), 0);
	assert_int_equal(sasl_verifier_make(BYTES("pencil"), NULL, true, &v),
	    0);
	memcpy(v.keys[SASL_SHA256].salt, salt.p, SASL_SALT_BYTES);
	/* StoredKey for that salt at 4096 rounds. */
	buf_reset(&salt);
	assert_int_equal(base64_decode(&salt,
	    BYTES("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=")), 0);
	memcpy(v.keys[SASL_SHA256].stored_key, salt.p, 32);
	assert_int_equal(sasl_verifier_check(&v, BYTES("pencil")), 1);
	assert_int_equal(sasl_verifier_check(&v, BYTES("pencils")), 0);
	buf_free(&b);
	buf_free(&salt);
}

static void
password_normal_form(void **state)
{
	struct buf b = BUF_INIT(4 * SASL_PASSWORD_MAX);
	char one[17], two[17];
	const char *why;

	(void)state;
	/* e + combining acute is e-acute; a no-break space is a space. */
	assert_int_equal(sasl_password_normal(BYTES("caf\x65\xcc\x81"
	    "\xc2\xa0sesame"), &b, &why), 0);
	assert_bytes(buf_bytes(&b), BYTES("caf\xc3\xa9 sesame"));
	buf_reset(&b);
	assert_int_equal(sasl_password_normal(BYTES("\xff\xfe"), &b, &why),
	    -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(sasl_password_normal(BYTES("tab\there"), &b, &why),
	    -1);
	sasl_password_generate(one);
	sasl_password_generate(two);
	assert_int_equal(strlen(one), 16);
	assert_string_not_equal(one, two);
	buf_free(&b);
}

static void
table_of_verifiers(void **state)
{
	char dir[] = "/tmp/sasl_test.XXXXXX", path[64];
	struct sasl_verifier v, got;
	struct sasl_db *db;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_null(sasl_db_open(dir, false));
	assert_int_equal(errno, ENOENT);
	db = sasl_db_open(dir, true);
	assert_non_null(db);
	assert_int_equal(sasl_db_get(db, "alice", &got), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(sasl_verifier_make(BYTES("wonderland"), NULL, true,
	    &v), 0);
	assert_int_equal(sasl_db_put(db, "alice", &v), 0);
	assert_int_equal(sasl_db_get(db, "alice", &got), 0);
	assert_int_equal(sasl_verifier_check(&got, BYTES("wonderland")), 1);
	assert_int_equal(sasl_db_remove(db, "alice"), 1);
	assert_int_equal(sasl_db_remove(db, "alice"), 0);
	sasl_db_close(db);
	snprintf(path, sizeof(path), "%s/auth/data.mdb", dir);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/auth/lock.mdb", dir);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/auth", dir);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* ---- tickets ---- */

static void
tickets(void **state)
{
	struct sasl_tickets *t = sasl_tickets_new();
	char ticket[SASL_TICKET_CHARS + 1], other[SASL_TICKET_CHARS + 1];
	char account[SASL_ACCOUNT_MAX + 1];
	int64_t life = SASL_TICKET_SECONDS * 1000;
	size_t i;

	(void)state;
	assert_true(sasl_tickets_issue(t, "alice", 1000, ticket));
	assert_true(sasl_tickets_issue(t, "bob", 1000, other));
	assert_int_equal(strlen(ticket), SASL_TICKET_CHARS);
	assert_string_not_equal(ticket, other);
	assert_false(sasl_tickets_redeem(t, BYTES("short"), 1000, account));
	assert_true(sasl_tickets_redeem(t, bytes_str(other), 1001, account));
	assert_string_equal(account, "bob");
	/* Once. */
	assert_false(sasl_tickets_redeem(t, bytes_str(other), 1001,
	    account));
	/* In time. */
	assert_false(sasl_tickets_redeem(t, bytes_str(ticket), 1000 + life,
	    account));
	assert_true(sasl_tickets_redeem(t, bytes_str(ticket), 999 + life,
	    account));
	assert_string_equal(account, "alice");
	for (i = 0; i < SASL_TICKETS_MAX; i++)
		assert_true(sasl_tickets_issue(t, "carol", 5000, ticket));
	assert_false(sasl_tickets_issue(t, "carol", 5000, ticket));
	assert_true(sasl_tickets_issue(t, "carol", 5000 + life, ticket));
	sasl_tickets_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "U-2 PLAIN messages, RFC 4616", plain_messages, NULL, NULL,
		    NULL },
		{ "U-2 PLAIN without initial response",
		    plain_without_initial_response, NULL, NULL, NULL },
		{ "PLAIN at its limits and one past", plain_limits, NULL,
		    NULL, NULL },
		{ "U-4 LOGIN challenges are Username: and Password:",
		    login_challenges, NULL, NULL, NULL },
		{ "U-6 verifier: right, wrong, damaged", verifier_checks,
		    NULL, NULL, NULL },
		{ "U-6, U-7 records of version 1", old_records, NULL, NULL,
		    NULL },
		{ "U-6 SCRAM-SHA-256 keys as RFC 7677",
		    scram_keys_of_the_rfc, NULL, NULL, NULL },
		{ "N-3 password normal form", password_normal_form, NULL,
		    NULL, NULL },
		{ "table of verifiers", table_of_verifiers, NULL, NULL,
		    NULL },
		{ "tickets: once, in time, bounded", tickets, NULL, NULL,
		    NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
