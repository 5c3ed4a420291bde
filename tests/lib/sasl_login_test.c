/* sasl_login_test.c - decisions, the table, the cache, the record */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config_dirs.h"
#include "sasl/sasl.h"

static struct dirs dirs;
static struct sasl_users users;
static struct config *config;
static struct sasl_db *db;

static void
set_password(const char *account, const char *password, bool cram)
{
	struct sasl_verifier v;

	assert_int_equal(sasl_verifier_make(bytes_str(password), NULL, cram,
	    &v), 0);
	assert_int_equal(sasl_db_put(db, account, &v), 0);
}

static int
setup(void **state)
{
	(void)state;
	dirs_init(&dirs);
	write_file(&dirs, "main.conf", "[server]\nhostname = h.example\n");
	write_file(&dirs, "domains/example.org.conf", "[domain]\n");
	write_file(&dirs, "accounts/alice.conf",
	    "[account]\naddress = alice@example.org\n"
	    "address = h\303\251l\303\250ne@example.org\n");
	write_file(&dirs, "accounts/bob.conf",
	    "[account]\naddress = bob@example.org\n");
	write_file(&dirs, "accounts/off.conf",
	    "[account]\naddress = off@example.org\n"
	    "login-disabled = ask the admin\n");
	write_file(&dirs, "accounts/none.conf", "[account]\n");
	config = compiled(&dirs);
	db = sasl_db_open(dirs.var, true);
	assert_non_null(db);
	users = (struct sasl_users){ .config = config, .db = db,
	    .cache = sasl_cache_new(), .now = 1000000 };
	assert_int_equal(sasl_db_server_secret(db, users.server_secret), 0);
	set_password("alice", "alice's password", true);
	set_password("bob", "bob's password", false);
	set_password("off", "off's password", true);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sasl_cache_free(users.cache);
	config_close(config);
	sasl_db_close(db);
	dirs_free(&dirs);
	return 0;
}

static struct sasl_outcome
plain_from(const struct sasl_origin *from, const char *authzid,
    const char *user, const char *password)
{
	struct sasl_outcome o;
	struct sasl s;

	sasl_init(&s, sasl_mech_find(BYTES("PLAIN")));
	s.authzid.n = strlen(authzid);
	memcpy(s.authzid.p, authzid, s.authzid.n);
	s.authcid.n = strlen(user);
	memcpy(s.authcid.p, user, s.authcid.n);
	s.password.n = strlen(password);
	memcpy(s.password.p, password, s.password.n);
	sasl_decide(&users, from, &s, SASL_PASSWORD, &o);
	sasl_wipe(&s);
	return o;
}

static const struct sasl_origin imap = { .service = "imap" };

static struct sasl_outcome
plain(const char *user, const char *password)
{
	return plain_from(&imap, "", user, password);
}

static void
passwords(void **state)
{
	static const struct {
		const char *authzid, *user, *password;
		enum sasl_result want;
		const char *account, *why;
	} cases[] = {
		{ "", "alice", "alice's password", SASL_OK, "alice", "ok" },
		{ "", "Alice@Example.ORG", "alice's password", SASL_OK,
		    "alice", "ok" },
		/* the other normal form, of name and password */
		{ "", "he\314\201le\314\200ne@example.org",
		    "alice's\302\240password", SASL_OK, "alice", "ok" },
		{ "alice@example.org", "alice", "alice's password", SASL_OK,
		    "alice", "ok" },
		{ "bob", "alice", "alice's password", SASL_WRONG, "alice",
		    "authorization as another user" },
		{ "", "alice", "bob's password", SASL_WRONG, "alice",
		    "wrong password" },
		{ "", "none", "bob's password", SASL_WRONG, "none",
		    "no password set" },
		{ "", "nobody", "x", SASL_WRONG, "", "unknown user" },
		{ "", "off", "off's password", SASL_DISABLED, "off",
		    "login disabled" },
		{ "", "off", "x", SASL_WRONG, "off", "wrong password" },
	};
	struct sasl_outcome o;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		o = plain_from(&imap, cases[i].authzid, cases[i].user,
		    cases[i].password);
		assert_int_equal(o.result, cases[i].want);
		assert_string_equal(o.account, cases[i].account);
		assert_string_equal(o.why, cases[i].why);
		assert_string_equal(o.reason, o.result == SASL_DISABLED
		    ? "ask the admin" : "");
	}
}

static int64_t
spent(const char *user, const char *password)
{
	int64_t best = INT64_MAX, start;
	int i;

	for (i = 0; i < 5; i++) {
		start = time_wall_us();
		(void)plain(user, password);
		start = time_wall_us() - start;
		best = start < best ? start : best;
	}
	return best;
}

static void
cached_passwords(void **state)
{
	struct sasl_outcome o;
	int64_t first, again;

	(void)state;
	first = spent("bob", "bob's passwort");
	o = plain("bob", "bob's password");
	assert_int_equal(o.result, SASL_OK);
	again = spent("bob", "bob's password");
	assert_true(again * 3 < first);
	/* At the end of its time it is derived again. */
	users.now += SASL_CACHE_SECONDS;
	o = plain("bob", "bob's password");
	assert_int_equal(o.result, SASL_OK);
	/* A changed password is not found. */
	set_password("bob", "bob's new password", false);
	o = plain("bob", "bob's password");
	assert_int_equal(o.result, SASL_WRONG);
	set_password("bob", "bob's password", false);
	users.now -= SASL_CACHE_SECONDS;
}

static void
app_passwords(void **state)
{
	static const struct sasl_origin smtp = { .service = "submission" };
	struct sasl_credential app = { .label = "phone",
	    .services = "imap,http" };
	struct sasl_verifier own;
	struct sasl_outcome o;
	char label[32];
	size_t i;

	(void)state;
	assert_int_equal(sasl_db_get(db, "alice", &own), 0);
	assert_int_equal(sasl_verifier_make(BYTES("for the phone"), &own,
	    true, &app.verifier), 0);
	assert_int_equal(sasl_db_app_add(db, "alice", &app), 0);
	assert_int_equal(sasl_db_app_add(db, "alice", &app), -1);
	assert_int_equal(errno, EEXIST);
	o = plain("alice", "for the phone");
	assert_int_equal(o.result, SASL_OK);
	assert_string_equal(o.label, "phone");
	o = plain("alice", "alice's password");
	assert_int_equal(o.result, SASL_OK);
	assert_string_equal(o.label, "");
	/* Not for another service, nor for another account. */
	o = plain_from(&smtp, "", "alice", "for the phone");
	assert_int_equal(o.result, SASL_WRONG);
	o = plain_from(&smtp, "", "alice", "alice's password");
	assert_int_equal(o.result, SASL_OK);
	o = plain("bob", "for the phone");
	assert_int_equal(o.result, SASL_WRONG);
	/* With a salt of its own it is found too. */
	assert_int_equal(sasl_verifier_make(BYTES("other salt"), NULL, true,
	    &app.verifier), 0);
	for (i = 1; i < SASL_APPS_MAX; i++) {
		(void)snprintf(label, sizeof(label), "app%zu", i);
		memcpy(app.label, label, sizeof(label));
		assert_int_equal(sasl_db_app_add(db, "alice", &app), 0);
	}
	memcpy(app.label, "more", 5);
	assert_int_equal(sasl_db_app_add(db, "alice", &app), -1);
	assert_int_equal(errno, EMSGSIZE);
	o = plain("alice", "other salt");
	assert_int_equal(o.result, SASL_OK);
	for (i = 1; i < SASL_APPS_MAX; i++) {
		(void)snprintf(label, sizeof(label), "app%zu", i);
		assert_int_equal(sasl_db_app_remove(db, "alice", label), 1);
	}
	assert_int_equal(sasl_db_app_remove(db, "alice", "phone"), 1);
	assert_int_equal(sasl_db_app_remove(db, "alice", "phone"), 0);
	assert_int_equal(sasl_db_app_remove(db, "alice", ""), 0);
	o = plain("alice", "for the phone");
	assert_int_equal(o.result, SASL_WRONG);
	assert_true(sasl_label_valid(BYTES("Werner's T\303\251l")));
	assert_false(sasl_label_valid(BYTES("a\nb")));
	assert_false(sasl_label_valid(BYTES("")));
	assert_false(sasl_label_valid(BYTES("\377")));
}

/* What SCRAM is challenged with, whoever it is. */
static void
challenges(void **state)
{
	const struct sasl_mech *sha256 = sasl_mech_find(
	    BYTES("SCRAM-SHA-256"));
	const struct sasl_mech *sha1 = sasl_mech_find(BYTES("SCRAM-SHA-1"));
	const struct sasl_mech *cram = sasl_mech_find(BYTES("CRAM-MD5"));
	struct sasl_secrets a, b;

	(void)state;
	sasl_secrets_find(&users, &imap, BYTES("alice"), sha256, &a);
	assert_int_equal(a.count, 1);
	assert_string_equal(a.account, "alice");
	sasl_secrets_wipe(&a);
	/* The same salt each time and in each form of the name. */
	sasl_secrets_find(&users, &imap, BYTES("nobody@example.org"), sha256,
	    &a);
	sasl_secrets_find(&users, &imap, BYTES("Nobody@example.org"), sha256,
	    &b);
	assert_int_equal(a.count, 0);
	assert_int_equal(a.iterations, SASL_ITERATIONS_SHA256);
	assert_int_equal(a.salt_bytes, SASL_SALT_BYTES);
	assert_memory_equal(a.salt, b.salt, SASL_SALT_BYTES);
	assert_false(a.missing);
	assert_string_equal(a.why, "unknown user");
	sasl_secrets_find(&users, &imap, BYTES("nobody@example.org"), sha1,
	    &b);
	assert_memory_not_equal(a.salt, b.salt, SASL_SALT_BYTES);
	assert_int_equal(b.iterations, SASL_ITERATIONS_SHA1);
	sasl_secrets_find(&users, &imap, BYTES("nobody2@example.org"),
	    sha256, &b);
	assert_memory_not_equal(a.salt, b.salt, SASL_SALT_BYTES);
	users.server_secret[0] ^= 1;
	sasl_secrets_find(&users, &imap, BYTES("nobody@example.org"), sha256,
	    &b);
	assert_memory_not_equal(a.salt, b.salt, SASL_SALT_BYTES);
	users.server_secret[0] ^= 1;
	/* U-7: bob has no CRAM-MD5 secret; none has no password at all. */
	sasl_secrets_find(&users, &imap, BYTES("bob"), cram, &a);
	assert_true(a.missing);
	assert_int_equal(a.count, 0);
	sasl_secrets_find(&users, &imap, BYTES("none"), cram, &a);
	assert_false(a.missing);
	sasl_secrets_find(&users, &imap, BYTES("alice"), cram, &a);
	assert_int_equal(a.count, 1);
	sasl_secrets_wipe(&a);
}

static void
missing_secrets(void **state)
{
	struct sasl_outcome o;
	struct sasl s;

	(void)state;
	sasl_init(&s, sasl_mech_find(BYTES("CRAM-MD5")));
	s.secrets.missing = true;
	s.why = "no derived secret for this mechanism";
	sasl_decide(&users, &imap, &s, SASL_REFUSED, &o);
	assert_int_equal(o.result, SASL_WRONG);
	assert_true(o.uncharged);
	/* A changed binding counts, whatever is missing. */
	s.mismatch = true;
	sasl_decide(&users, &imap, &s, SASL_REFUSED, &o);
	assert_false(o.uncharged);
	assert_non_null(strstr(o.reason, "possible man in the middle"));
	s.secrets.temporary = true;
	sasl_decide(&users, &imap, &s, SASL_REFUSED, &o);
	assert_int_equal(o.result, SASL_TEMPORARY);
	sasl_wipe(&s);
}

static struct sasl_outcome
external(const struct sasl_origin *from, const char *authzid)
{
	struct sasl_outcome o;
	struct sasl s;

	sasl_init(&s, sasl_mech_find(BYTES("EXTERNAL")));
	s.authzid.n = strlen(authzid);
	memcpy(s.authzid.p, authzid, s.authzid.n);
	sasl_decide(&users, from, &s, SASL_CLIENT_KEY, &o);
	return o;
}

static void
client_keys(void **state)
{
	struct sasl_client_key k = { .id = { 1 }, .account = "alice",
	    .login = "alice@example.org", .label = "laptop", .added = 5 };
	struct sasl_client_key *list;
	struct sasl_origin from = { .service = "imap",
	    .has_client_key = true, .client_key = { 1 } };
	struct sasl_outcome o;
	size_t count;
	int i;

	(void)state;
	o = external(&from, "");
	assert_string_equal(o.why, "unknown client key");
	assert_int_equal(sasl_db_key_add(db, &k), 0);
	assert_int_equal(sasl_db_key_add(db, &k), -1);
	assert_int_equal(errno, EEXIST);
	o = external(&from, "");
	assert_int_equal(o.result, SASL_OK);
	assert_string_equal(o.account, "alice");
	assert_string_equal(o.login, "alice@example.org");
	assert_string_equal(o.label, "laptop");
	o = external(&from, "alice");
	assert_int_equal(o.result, SASL_OK);
	assert_string_equal(o.login, "alice");
	o = external(&from, "bob");
	assert_int_equal(o.result, SASL_WRONG);
	o = external(&imap, "");
	assert_string_equal(o.why, "no client key");
	/* U-11: another mechanism, the same account. */
	o = plain_from(&from, "", "alice", "alice's password");
	assert_int_equal(o.result, SASL_OK);
	o = plain_from(&from, "", "bob", "bob's password");
	assert_int_equal(o.result, SASL_WRONG);
	assert_string_equal(o.why, "client key of another account");
	assert_string_equal(o.reason,
	    "the client certificate is of another account");
	assert_false(o.uncharged);
	/* U-10: PREAUTH unless the key is not for that. */
	from.preauth = true;
	o = external(&from, "");
	assert_int_equal(o.result, SASL_OK);
	k.id[0] = 2;
	k.no_preauth = true;
	assert_int_equal(sasl_db_key_add(db, &k), 0);
	from.client_key[0] = 2;
	o = external(&from, "");
	assert_int_equal(o.result, SASL_WRONG);
	assert_true(o.no_preauth && o.uncharged);
	memcpy(from.service, "submission", 11);
	o = external(&from, "");
	assert_int_equal(o.result, SASL_OK);
	memcpy(from.service, "imap", 5);
	from.client_key[0] = 3;		/* nobody's, shown to everybody */
	o = external(&from, "");
	assert_int_equal(o.result, SASL_WRONG);
	assert_string_equal(o.why, "unknown client key");
	assert_true(o.uncharged);
	from.client_key[0] = 2;
	from.preauth = false;
	o = external(&from, "");
	assert_int_equal(o.result, SASL_OK);
	/* Lists, removal, the limit. */
	assert_int_equal(sasl_db_key_list(db, "alice", &list, &count), 0);
	assert_int_equal(count, 2);
	assert_false(list[0].no_preauth);
	assert_true(list[1].no_preauth);
	assert_int_equal(list[1].added, 5);
	free(list);
	assert_int_equal(sasl_db_key_list(db, "bob", &list, &count), 0);
	assert_int_equal(count, 0);
	free(list);
	assert_int_equal(sasl_db_key_remove(db, "bob", k.id), 0);
	assert_int_equal(sasl_db_key_remove(db, "alice", k.id), 1);
	assert_int_equal(sasl_db_key_remove(db, "alice", k.id), 0);
	for (i = 0; i < SASL_KEYS_MAX; i++) {
		k.id[1] = (unsigned char)(i + 1);
		assert_int_equal(sasl_db_key_add(db, &k),
		    i < SASL_KEYS_MAX - 1 ? 0 : -1);
	}
	assert_int_equal(errno, EMSGSIZE);
	/* An account that is gone. */
	memcpy(k.account, "gone", 5);
	k.id[0] = 9;
	assert_int_equal(sasl_db_key_add(db, &k), 0);
	memcpy(from.client_key, k.id, sizeof(k.id));
	o = external(&from, "");
	assert_string_equal(o.why, "client key of no account");
}

static void
foreign(void **state)
{
	struct sasl_outcome o = plain("none", "whatever it is");

	(void)state;
	assert_true(o.unproven);
	sasl_decide_foreign(&users, &imap, BYTES_EMPTY, BYTES("none"), true,
	    &o);
	assert_int_equal(o.result, SASL_OK);
	assert_string_equal(o.account, "none");
	sasl_decide_foreign(&users, &imap, BYTES_EMPTY, BYTES("off"), true,
	    &o);
	assert_int_equal(o.result, SASL_DISABLED);
	sasl_decide_foreign(&users, &imap, BYTES("bob"), BYTES("none"), true,
	    &o);
	assert_int_equal(o.result, SASL_WRONG);
	sasl_decide_foreign(&users, &imap, BYTES_EMPTY, BYTES("none"), false,
	    &o);
	assert_int_equal(o.result, SASL_WRONG);
	sasl_decide_foreign(&users, &imap, BYTES_EMPTY, BYTES("nobody"),
	    true, &o);
	assert_int_equal(o.result, SASL_WRONG);
	/* Right, but not for this authorization: nobody else is asked. */
	o = plain_from(&imap, "bob", "alice", "alice's password");
	assert_false(o.unproven);
}

static void
one_time_passwords(void **state)
{
	struct totp t, got;
	char code[7];

	(void)state;
	assert_int_equal(sasl_db_totp_get(db, "alice", &got), 0);
	assert_int_equal(sasl_db_totp_check(db, "alice", BYTES("000000"),
	    600000), -1);
	assert_int_equal(errno, ENOENT);
	totp_make(&t, 77);
	assert_int_equal(sasl_db_totp_put(db, "alice", &t), 0);
	(void)snprintf(code, sizeof(code), "%06u",
	    (unsigned int)totp_code(t.secret, 20, 600000, 6) % 1000000);
	assert_int_equal(sasl_db_totp_check(db, "alice", bytes_str(code),
	    600000), 1);
	assert_int_equal(sasl_db_totp_check(db, "alice", bytes_str(code),
	    600000), 0);
	assert_int_equal(sasl_db_totp_get(db, "alice", &got), 1);
	assert_int_equal(got.added, 77);
	assert_int_equal(got.last, 20000);
	assert_int_equal(sasl_db_totp_remove(db, "alice"), 1);
	assert_int_equal(sasl_db_totp_remove(db, "alice"), 0);
}

/* ---- attempts ---- */

struct seen {
	size_t records, failed;
	uint64_t count;
	int64_t first, last, oldest;
};

static void
see(void *ctx, const struct sasl_attempt *a)
{
	struct seen *s = ctx;

	s->records++;
	s->failed += !a->good;
	s->count += a->count;
	s->first = a->first;
	s->last = a->last;
	if (s->oldest == 0 || a->last < s->oldest)
		s->oldest = a->last;
}

static struct seen
seen(const char *account)
{
	struct seen s = { 0 };

	assert_int_equal(sasl_db_attempts_each(db, account, see, &s), 0);
	return s;
}

static void
attempts(void **state)
{
	struct sasl_attempt a[2] = {
		{ .account = "alice", .user = "alice", .ip = "192.0.2.1",
		    .service = "imap", .mech = "PLAIN", .result = "ok",
		    .good = true, .first = 100, .last = 100, .count = 1 },
		{ .account = "", .user = "nobody", .ip = "192.0.2.1",
		    .service = "imap", .mech = "PLAIN",
		    .result = "unknown user", .first = 100, .last = 100,
		    .count = 1 },
	};
	struct seen s;

	(void)state;
	assert_int_equal(sasl_db_attempts_add(db, a, 2), 0);
	a[0].first = a[0].last = 200;
	assert_int_equal(sasl_db_attempts_add(db, a, 2), 0);
	memcpy(a[0].agent, "Mutt", 5);
	assert_int_equal(sasl_db_attempts_add(db, a, 1), 0);
	s = seen("alice");
	assert_int_equal(s.records, 2);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.failed, 0);
	s = seen("");
	assert_int_equal(s.records, 1);
	assert_int_equal(s.count, 2);
	assert_int_equal(seen(NULL).records, 3);
	assert_int_equal(seen("ali").records, 0);
	assert_int_equal(sasl_db_attempts_expire(db, 200), 1);
	assert_int_equal(seen(NULL).records, 2);
	assert_int_equal(sasl_db_attempts_expire(db, 201), 2);
	assert_int_equal(seen(NULL).records, 0);
}

static void
attempts_limit(void **state)
{
	struct sasl_attempt *a = mem_zalloc(1000, sizeof(*a));
	struct seen s;
	size_t i, k;

	(void)state;
	for (k = 0; k <= SASL_ATTEMPTS_FAILED_MAX / 1000; k++) {
		for (i = 0; i < 1000; i++) {
			size_t n = k * 1000 + i;

			memcpy(a[i].account, "bob", 4);
			(void)snprintf(a[i].user, sizeof(a[i].user), "%zu",
			    n);
			a[i].first = a[i].last = (int64_t)(1 + n);
			a[i].count = 1;
		}
		if (k == SASL_ATTEMPTS_FAILED_MAX / 1000) {
			s = seen("bob");
			assert_int_equal(s.failed, SASL_ATTEMPTS_FAILED_MAX);
			/* One past the limit: the older half is gone. */
			assert_int_equal(sasl_db_attempts_add(db, a, 1), 0);
		} else {
			assert_int_equal(sasl_db_attempts_add(db, a, 1000),
			    0);
		}
	}
	s = seen("bob");
	assert_int_equal(s.failed, SASL_ATTEMPTS_FAILED_MAX / 2);
	assert_int_equal(s.oldest, SASL_ATTEMPTS_FAILED_MAX / 2 + 2);
	assert_int_equal(sasl_db_attempts_expire(db, INT64_MAX),
	    SASL_ATTEMPTS_FAILED_MAX / 2);
	/* The count went with them. */
	assert_int_equal(sasl_db_attempts_add(db, a, 1000), 0);
	assert_int_equal(seen("bob").failed, 1000);
	free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "N-2, N-3, U-13 passwords", passwords, NULL, NULL, NULL },
		{ "U-15 right passwords are cached, no longer than 15 minutes",
		    cached_passwords, NULL, NULL, NULL },
		{ "B-6 app passwords and their services", app_passwords,
		    NULL, NULL, NULL },
		{ "U-2 challenges of unknown users look like others",
		    challenges, NULL, NULL, NULL },
		{ "U-7 a missing secret is not counted", missing_secrets,
		    NULL, NULL, NULL },
		{ "U-8, U-9, U-10, U-11 client keys", client_keys, NULL,
		    NULL, NULL },
		{ "B-7 decisions of another program", foreign, NULL, NULL,
		    NULL },
		{ "B-6 one-time passwords in the table", one_time_passwords,
		    NULL, NULL, NULL },
		{ "U-14 login attempts", attempts, NULL, NULL, NULL },
		{ "U-14 10,000 failed records of an account and one more",
		    attempts_limit, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
