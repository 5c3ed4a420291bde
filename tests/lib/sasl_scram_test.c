/* sasl_scram_test.c - SCRAM, CRAM-MD5, EXTERNAL, OAUTHBEARER as machines */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "sasl/sasl.h"

static void
assert_text(const struct buf *got, const char *want)
{
	assert_int_equal(got->n, strlen(want));
	assert_memory_equal(got->p, want, got->n);
}

static const EVP_MD *
md_of(enum sasl_hash hash)
{
	return hash == SASL_SHA1 ? EVP_sha1()
	    : hash == SASL_SHA256 ? EVP_sha256() : EVP_sha512();
}

/* The client's and the stored side of one password. */
struct keys {
	unsigned char client[64], stored[64], server[64];
};

static struct keys
derive(enum sasl_hash hash, const char *password, struct bytes salt,
    int iterations)
{
	struct keys k;
	unsigned char salted[64];
	int n = (int)sasl_hash_bytes(hash);

	PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt.p,
	    (int)salt.n, iterations, md_of(hash), n, salted);
	HMAC(md_of(hash), salted, n, (const unsigned char *)"Client Key", 10,
	    k.client, NULL);
	HMAC(md_of(hash), salted, n, (const unsigned char *)"Server Key", 10,
	    k.server, NULL);
	EVP_Digest(k.client, (size_t)n, k.stored, NULL, md_of(hash), NULL);
	return k;
}

/* Secrets of one password, with its salt in base64. */
static struct sasl_secrets
secrets_of(enum sasl_hash hash, const char *password, const char *salt64)
{
	struct sasl_secrets s = { .iterations = 4096, .count = 1,
	    .account = "user" };
	struct buf salt = BUF_INIT(64);
	struct keys k;

	assert_int_equal(base64_decode(&salt, bytes_str(salt64)), 0);
	s.salt_bytes = salt.n;
	memcpy(s.salt, salt.p, salt.n);
	k = derive(hash, password, buf_bytes(&salt), 4096);
	s.secret = mem_zalloc(1, sizeof(*s.secret));
	memcpy(s.secret[0].stored_key, k.stored, 64);
	memcpy(s.secret[0].server_key, k.server, 64);
	buf_free(&salt);
	return s;
}

static void
rfc_exchanges(void **state)
{
	static const struct {
		const char *mech;
		enum sasl_hash hash;
		const char *nonce, *salt, *first, *challenge, *final, *last;
	} cases[] = {
		{ "SCRAM-SHA-1", SASL_SHA1, "3rfcNHYJY1ZVvWVs7j",
		    "QSXCR+Q6sek8bf92",
		    "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
		    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
		    "s=QSXCR+Q6sek8bf92,i=4096",
		    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
		    "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
		    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" },
		{ "SCRAM-SHA-256", SASL_SHA256,
		    "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
		    "W22ZaJ0SNY7soEsUEjb6gQ==",
		    "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)"
		    "hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" },
	};
	struct buf out = BUF_INIT(1000);
	struct sasl_secrets secrets;
	struct sasl s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sasl_init(&s, sasl_mech_find(bytes_str(cases[i].mech)));
		memcpy(s.nonce, cases[i].nonce, strlen(cases[i].nonce) + 1);
		assert_int_equal(sasl_start(&s, bytes_str(cases[i].first),
		    true, &out), SASL_SECRETS);
		secrets = secrets_of(cases[i].hash, "pencil", cases[i].salt);
		assert_int_equal(sasl_know(&s, &secrets, &out),
		    SASL_CHALLENGE);
		assert_text(&out, cases[i].challenge);
		buf_reset(&out);
		assert_int_equal(sasl_continue(&s, bytes_str(cases[i].final),
		    &out), SASL_PROVEN);
		assert_int_equal(s.matched, 0);
		assert_true(sasl_last(&s, true, &out));
		assert_text(&out, cases[i].last);
		buf_reset(&out);
		assert_int_equal(sasl_continue(&s, BYTES_EMPTY, &out),
		    SASL_ENDED);
		assert_int_equal(sasl_continue(&s, BYTES_EMPTY, &out),
		    SASL_MALFORMED);
		sasl_wipe(&s);
	}
	buf_free(&out);
}

/* ---- a client of our own, for what the RFCs have no example of ---- */

struct client {
	const char *mech;
	const char *gs2;		/* "n,," */
	struct bytes binding;		/* after it in c= */
	const char *user, *password;
	const struct sasl_binding *server;
	size_t count;			/* secrets; ours is the last */
	const char *why;		/* of the machine, after run */
	bool mismatch;
	size_t matched;
};

/* Runs up to the proof; the server's signature is compared on success. */
static enum sasl_action
run(struct client *c)
{
	const struct sasl_mech *mech = sasl_mech_find(bytes_str(c->mech));
	enum sasl_hash hash = mech->hash;
	size_t n = sasl_hash_bytes(hash), i;
	struct buf first = BUF_INIT(1000), out = BUF_INIT(1000);
	struct buf final = BUF_INIT(2000), auth = BUF_INIT(4000);
	struct buf want = BUF_INIT(200), head = BUF_INIT(500);
	struct bytes rest, nonce;
	struct sasl_secrets secrets;
	unsigned char proof[64];
	struct keys k;
	struct sasl s;
	enum sasl_action action;

	sasl_init(&s, mech);
	s.binding = c->server;
	buf_printf(&first, "%sn=%s,r=abcdef", c->gs2, c->user);
	action = sasl_start(&s, buf_bytes(&first), true, &out);
	if (action != SASL_SECRETS)
		goto done;
	secrets = secrets_of(hash, "right", "AAECAwQFBgcICQoLDA0ODw==");
	if (c->count == 0) {
		free(secrets.secret);
		secrets.secret = NULL;
		secrets.why = "unknown user";
	} else {
		secrets.secret = mem_realloc(secrets.secret,
		    c->count * sizeof(*secrets.secret));
		secrets.secret[c->count - 1] = secrets.secret[0];
		for (i = 0; i + 1 < c->count; i++)
			memset(&secrets.secret[i], (int)i + 1,
			    sizeof(secrets.secret[i]));
	}
	secrets.count = c->count;
	assert_int_equal(sasl_know(&s, &secrets, &out), SASL_CHALLENGE);
	rest = buf_bytes(&out);
	assert_true(bytes_skip(&rest, BYTES("r=")));
	bytes_split(&rest, ',', &nonce);
	assert_int_equal(nonce.n, 6 + SASL_NONCE_CHARS);
	buf_adds(&final, "c=");
	buf_adds(&head, c->gs2);
	buf_add(&head, c->binding);
	base64_encode(&final, buf_bytes(&head));
	buf_adds(&final, ",r=");
	buf_add(&final, nonce);
	buf_printf(&auth, "n=%s,r=abcdef,", c->user);
	buf_add(&auth, buf_bytes(&out));
	buf_addc(&auth, ',');
	buf_add(&auth, buf_bytes(&final));
	k = derive(hash, c->password, bytes_of("\0\1\2\3\4\5\6\7\10\11\12\13"
	    "\14\15\16\17", 16), 4096);
	HMAC(md_of(hash), k.stored, (int)n, auth.p, auth.n, proof, NULL);
	for (i = 0; i < n; i++)
		proof[i] ^= k.client[i];
	buf_adds(&final, ",p=");
	base64_encode(&final, bytes_of(proof, n));
	buf_reset(&out);
	action = sasl_continue(&s, buf_bytes(&final), &out);
	if (action == SASL_PROVEN) {
		assert_true(sasl_last(&s, true, &out));
		HMAC(md_of(hash), k.server, (int)n, auth.p, auth.n, proof,
		    NULL);
		buf_adds(&want, "v=");
		base64_encode(&want, bytes_of(proof, n));
		assert_int_equal(out.n, want.n);
		assert_memory_equal(out.p, want.p, want.n);
	} else {
		assert_false(sasl_last(&s, false, &out));
	}
done:
	c->why = s.why;
	c->mismatch = s.mismatch;
	c->matched = s.matched;
	sasl_wipe(&s);
	buf_free(&first);
	buf_free(&out);
	buf_free(&final);
	buf_free(&auth);
	buf_free(&want);
	buf_free(&head);
	return action;
}

static const struct sasl_binding bindings[SASL_BINDINGS] = {
	[SASL_TLS_EXPORTER] = { 5, "expor" },
	[SASL_TLS_SERVER_END_POINT] = { 3, "end" },
};

static void
all_hashes(void **state)
{
	static const char *const names[] = {
		"SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512",
	};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct client c = { .mech = names[i], .gs2 = "n,,",
		    .binding = BYTES_EMPTY, .user = "user",
		    .password = "right", .count = 1 };

		assert_int_equal(run(&c), SASL_PROVEN);
		c.password = "wrong";
		assert_int_equal(run(&c), SASL_REFUSED);
		assert_string_equal(c.why, "wrong password");
		c.password = "right";
		c.count = 0;
		assert_int_equal(run(&c), SASL_REFUSED);
		assert_string_equal(c.why, "unknown user");
		c.count = 33;		/* app passwords: each is tried */
		assert_int_equal(run(&c), SASL_PROVEN);
		assert_int_equal(c.matched, 32);
		c.gs2 = "y,a=other,";	/* no binding at our end */
		assert_int_equal(run(&c), SASL_PROVEN);
	}
}

static void
channel_bindings(void **state)
{
	static const struct {
		const char *mech, *gs2, *data;
		bool server;
		enum sasl_action want;
		bool mismatch;
	} cases[] = {
		{ "SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "expor", true,
		    SASL_PROVEN, false },
		{ "SCRAM-SHA-1-PLUS", "p=tls-server-end-point,,", "end",
		    true, SASL_PROVEN, false },
		{ "SCRAM-SHA-512-PLUS", "p=tls-exporter,a=me,", "expor",
		    true, SASL_PROVEN, false },
		/* another connection at the client's end */
		{ "SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "EXPOR", true,
		    SASL_REFUSED, true },
		{ "SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "", true,
		    SASL_REFUSED, true },
		/* a type we have no bytes of */
		{ "SCRAM-SHA-256-PLUS", "p=tls-unique,,", "x", true,
		    SASL_MALFORMED, false },
		{ "SCRAM-SHA-256-PLUS", "p=nonsense,,", "x", true,
		    SASL_MALFORMED, false },
		{ "SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "expor", false,
		    SASL_MALFORMED, false },
		/* the flag against the mechanism */
		{ "SCRAM-SHA-256-PLUS", "n,,", "", true, SASL_MALFORMED,
		    false },
		{ "SCRAM-SHA-256", "p=tls-exporter,,", "expor", true,
		    SASL_MALFORMED, false },
		/* "you offered none": somebody took it away */
		{ "SCRAM-SHA-256", "y,,", "", true, SASL_REFUSED, true },
		{ "SCRAM-SHA-256", "y,,", "", false, SASL_PROVEN, false },
		{ "SCRAM-SHA-256", "n,,", "", true, SASL_PROVEN, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client c = { .mech = cases[i].mech,
		    .gs2 = cases[i].gs2,
		    .binding = bytes_str(cases[i].data), .user = "user",
		    .password = "right", .count = 1,
		    .server = cases[i].server ? bindings : NULL };

		assert_int_equal(run(&c), cases[i].want);
		assert_int_equal(c.mismatch, cases[i].mismatch);
		if (c.mismatch)
			assert_non_null(strstr(c.why,
			    "possible man in the middle"));
	}
}

static void
malformed_first(void **state)
{
	static const struct bytes cases[] = {
		BYTES(""), BYTES("n"), BYTES("n,"), BYTES("n,,"),
		BYTES("n,,n=user"), BYTES("n,,n=user,"),
		BYTES("n,,n=user,r="), BYTES("n,,r=abc,n=user"),
		BYTES("n,,n=,r=abc"), BYTES("n,,n=us=er,r=abc"),
		BYTES("n,,n=us=2,r=abc"), BYTES("n,,n=us=2c,r=abc"),
		BYTES("n,,m=x,n=user,r=abc"), BYTES("x,,n=user,r=abc"),
		BYTES("n,b=x,n=user,r=abc"), BYTES("n,a=,n=user,r=abc"),
		BYTES("n,,n=user,r=a b"), BYTES("n,,n=us\0er,r=abc"),
		BYTES("n,,n=us\xff,r=abc"), BYTES("n,,n=user,r=ab\xc3\xa9"),
		BYTES("p=,,n=user,r=abc"), BYTES("p,,n=user,r=abc"),
		BYTES("nn,,n=user,r=abc"), BYTES("c=biws,r=abc,p=AAAA"),
	};
	struct buf out = BUF_INIT(1000), big = BUF_INIT(SASL_RESPONSE_MAX);
	struct sasl s;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sasl_init(&s, sasl_mech_find(BYTES("SCRAM-SHA-256")));
		assert_int_equal(sasl_start(&s, cases[i], true, &out),
		    SASL_MALFORMED);
		assert_non_null(s.why);
		assert_int_equal(out.n, 0);
		/* Whatever comes then is out of turn or malformed. */
		assert_int_equal(sasl_continue(&s, BYTES("x"), &out),
		    SASL_MALFORMED);
		sasl_wipe(&s);
	}
	/* Names and nonces at their limits and one past. */
	for (n = SASL_NAME_MAX; n <= SASL_NAME_MAX + 1; n++) {
		buf_reset(&big);
		buf_adds(&big, "n,,n=");
		for (i = 0; i < n; i++)
			buf_addc(&big, 'u');
		buf_adds(&big, ",r=abc");
		sasl_init(&s, sasl_mech_find(BYTES("SCRAM-SHA-256")));
		assert_int_equal(sasl_start(&s, buf_bytes(&big), true, &out),
		    n == SASL_NAME_MAX ? SASL_SECRETS : SASL_MALFORMED);
		sasl_wipe(&s);
	}
	for (n = 256; n <= 257; n++) {
		buf_reset(&big);
		buf_adds(&big, "n,,n=u,r=");
		for (i = 0; i < n; i++)
			buf_addc(&big, 'r');
		sasl_init(&s, sasl_mech_find(BYTES("SCRAM-SHA-256")));
		assert_int_equal(sasl_start(&s, buf_bytes(&big), true, &out),
		    n == 256 ? SASL_SECRETS : SASL_MALFORMED);
		sasl_wipe(&s);
	}
	buf_free(&out);
	buf_free(&big);
}

static void
malformed_final(void **state)
{
	static const struct {
		const char *message;
		enum sasl_action want;
	} cases[] = {
		{ "", SASL_MALFORMED },
		{ "c=biws", SASL_MALFORMED },
		{ "c=biws,r=abcN", SASL_MALFORMED },
		{ "c=biws,r=abcN,p=", SASL_MALFORMED },
		{ "c=biws,r=abcN,p=AAAA", SASL_MALFORMED },
		{ "c=biws,r=abcN,p=!!!!", SASL_MALFORMED },
		{ "c=biws,r=abc,p=AAAA", SASL_MALFORMED },
		{ "c=biws,r=abcNN,p=AAAA", SASL_MALFORMED },
		{ "r=abcN,c=biws,p=AAAA", SASL_MALFORMED },
		{ "c=biws,p=AAAA", SASL_MALFORMED },
		{ "c=@,r=abcN,p=AAAA", SASL_MALFORMED },
		/* another header than was sent */
		{ "c=eSws,r=abcN,p=AAAA", SASL_REFUSED },
		{ "n,,n=user,r=abc", SASL_MALFORMED },
		/* a proof of the right length that is wrong */
		{ "c=biws,r=abcN,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		    "A=", SASL_REFUSED },
		{ "c=biws,r=abcN,x=ext,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		    "AAAAAAA=", SASL_REFUSED },
	};
	struct buf out = BUF_INIT(1000);
	struct sasl_secrets secrets;
	struct sasl s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sasl_init(&s, sasl_mech_find(BYTES("SCRAM-SHA-256")));
		memcpy(s.nonce, "N", 2);
		assert_int_equal(sasl_start(&s, BYTES("n,,n=u=2Cs=3D,r=abc"),
		    true, &out), SASL_SECRETS);
		assert_int_equal(s.authcid.n, 4);
		assert_memory_equal(s.authcid.p, "u,s=", 4);
		secrets = secrets_of(SASL_SHA256, "x", "AAAAAAAAAAAAAAAAAAAAAA"
		    "==");
		assert_int_equal(sasl_know(&s, &secrets, &out),
		    SASL_CHALLENGE);
		assert_int_equal(sasl_continue(&s,
		    bytes_str(cases[i].message), &out), cases[i].want);
		assert_non_null(s.why);
		assert_false(sasl_last(&s, false, &out));
		/* No second try on the same challenge. */
		assert_int_equal(sasl_continue(&s,
		    bytes_str(cases[i].message), &out), SASL_MALFORMED);
		sasl_wipe(&s);
	}
	buf_free(&out);
}

/* ---- CRAM-MD5 ---- */

static void
hmac_md5(void **state)
{
	static const struct {
		int fill;
		size_t key_bytes;
		const char *key, *text, *want;
	} cases[] = {
		{ 0x0b, 16, NULL, "Hi There",
		    "9294727a3638bb1c13f48ef8158bfc9d" },
		{ 0, 4, "Jefe", "what do ya want for nothing?",
		    "750c783e6ab0b503eaa86e310a5db738" },
		{ 0xaa, 80, NULL,
		    "Test Using Larger Than Block-Size Key - Hash Key First",
		    "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd" },
		{ 0xaa, 80, NULL, "Test Using Larger Than Block-Size Key and "
		    "Larger Than One Block-Size Data",
		    "6f630fad67cda0ee1fb1f562db3aa53e" },
	};
	unsigned char key[200], pads[SASL_CRAM_BYTES], got[16], want[16];
	char text[300];
	struct buf hex = BUF_INIT(32);
	unsigned int size;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(key, cases[i].fill, sizeof(key));
		if (cases[i].key != NULL)
			memcpy(key, cases[i].key, cases[i].key_bytes);
		sasl_cram_pads(bytes_of(key, cases[i].key_bytes), pads);
		sasl_cram_digest(pads, bytes_str(cases[i].text), got);
		buf_reset(&hex);
		hex_encode(&hex, bytes_of(got, 16));
		assert_text(&hex, cases[i].want);
	}
	buf_free(&hex);
	/* Every length around the blocks, against libcrypto. */
	for (n = 0; n < 200; n++) {
		memset(key, (int)n, sizeof(key));
		memset(text, (int)n + 1, sizeof(text));
		assert_non_null(HMAC(EVP_md5(), key, (int)n,
		    (unsigned char *)text, n, want, &size));
		sasl_cram_pads(bytes_of(key, n), pads);
		sasl_cram_digest(pads, bytes_of(text, n), got);
		assert_memory_equal(got, want, 16);
	}
}

static enum sasl_action
cram(struct sasl *s, const char *response, const char *password)
{
	struct buf out = BUF_INIT(200);
	struct sasl_secrets secrets = { .count = 1 };
	enum sasl_action action;

	sasl_init(s, sasl_mech_find(BYTES("CRAM-MD5")));
	memcpy(s->nonce, "<1896.697170952@postoffice.reston.mci.net>", 43);
	assert_int_equal(sasl_start(s, BYTES_EMPTY, false, &out),
	    SASL_CHALLENGE);
	assert_text(&out, "<1896.697170952@postoffice.reston.mci.net>");
	action = sasl_continue(s, bytes_str(response), &out);
	if (action == SASL_SECRETS) {
		secrets.secret = mem_zalloc(1, sizeof(*secrets.secret));
		sasl_cram_pads(bytes_str(password), secrets.secret->cram);
		action = sasl_know(s, &secrets, &out);
	}
	buf_free(&out);
	return action;
}

static void
cram_md5(void **state)
{
	static const char good[] = "tim b913a602c7eda7a495b4e6e7334d3890";
	static const char *const bad[] = {
		"", "tim", " b913a602c7eda7a495b4e6e7334d3890",
		"tim b913a602c7eda7a495b4e6e7334d389",
		"tim b913a602c7eda7a495b4e6e7334d38900",
		"tim_b913a602c7eda7a495b4e6e7334d3890",
	};
	struct buf out = BUF_INIT(200), other = BUF_INIT(200);
	struct sasl s;
	size_t i;

	(void)state;
	assert_int_equal(cram(&s, good, "tanstaaftanstaaf"), SASL_PROVEN);
	assert_int_equal(s.authcid.n, 3);
	assert_int_equal(sasl_continue(&s, BYTES("again"), &out),
	    SASL_MALFORMED);
	sasl_wipe(&s);
	assert_int_equal(cram(&s, good, "wrong"), SASL_REFUSED);
	sasl_wipe(&s);
	assert_int_equal(cram(&s, "a b c 00000000000000000000000000000000",
	    "x"), SASL_REFUSED);
	assert_int_equal(s.authcid.n, 5);
	sasl_wipe(&s);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(cram(&s, bad[i], "tanstaaftanstaaf"),
		    SASL_MALFORMED);
		sasl_wipe(&s);
	}
	/* No initial response, and a new challenge each time. */
	sasl_init(&s, sasl_mech_find(BYTES("CRAM-MD5")));
	assert_int_equal(sasl_start(&s, bytes_str(good), true, &out),
	    SASL_MALFORMED);
	for (i = 0; i < 2; i++) {
		sasl_init(&s, sasl_mech_find(BYTES("CRAM-MD5")));
		sasl_start(&s, BYTES_EMPTY, false, i == 0 ? &out : &other);
	}
	assert_int_equal(out.n, other.n);
	assert_memory_not_equal(out.p, other.p, out.n);
	buf_free(&out);
	buf_free(&other);
}

/* ---- EXTERNAL, OAUTHBEARER, XOAUTH2 ---- */

static void
external(void **state)
{
	struct buf out = BUF_INIT(100);
	struct sasl s;

	(void)state;
	sasl_init(&s, sasl_mech_find(BYTES("EXTERNAL")));
	assert_int_equal(sasl_start(&s, BYTES_EMPTY, false, &out),
	    SASL_CHALLENGE);
	assert_int_equal(out.n, 0);
	assert_int_equal(sasl_continue(&s, BYTES("a@example.org"), &out),
	    SASL_CLIENT_KEY);
	assert_int_equal(s.authzid.n, 13);
	assert_int_equal(sasl_continue(&s, BYTES_EMPTY, &out),
	    SASL_MALFORMED);
	sasl_init(&s, sasl_mech_find(BYTES("EXTERNAL")));
	assert_int_equal(sasl_start(&s, BYTES("a\0b"), true, &out),
	    SASL_MALFORMED);
	buf_free(&out);
}

static void
bearer_messages(void **state)
{
	static const struct {
		const char *mech;
		struct bytes message;
		enum sasl_action want;
		const char *user, *token;
	} cases[] = {
		/* RFC 7628 4.1 */
		{ "OAUTHBEARER", BYTES("n,a=user@example.com,\001host="
		    "server.example.com\001port=143\001auth=Bearer vF9dft4q"
		    "mTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001"),
		    SASL_TOKEN, "user@example.com",
		    "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==" },
		{ "OAUTHBEARER", BYTES("n,,\001auth=bearer t\001\001"),
		    SASL_TOKEN, "", "t" },
		{ "OAUTHBEARER", BYTES("n,,\001auth=Bearer t\001"),
		    SASL_MALFORMED, "", "" },
		{ "OAUTHBEARER", BYTES("n,,\001auth=Bearer \001\001"),
		    SASL_MALFORMED, "", "" },
		{ "OAUTHBEARER", BYTES("n,,\001auth=Basic t\001\001"),
		    SASL_MALFORMED, "", "" },
		{ "OAUTHBEARER", BYTES("n,,\001host=x\001\001"),
		    SASL_MALFORMED, "", "" },
		{ "OAUTHBEARER", BYTES("n,,x\001auth=Bearer t\001\001"),
		    SASL_MALFORMED, "", "" },
		{ "OAUTHBEARER", BYTES("n,,\001auth=Bearer t\001auth=Bearer "
		    "u\001\001"), SASL_MALFORMED, "", "" },
		{ "OAUTHBEARER", BYTES("n,,\001auth=Bearer t\001\001more"),
		    SASL_MALFORMED, "", "" },
		{ "OAUTHBEARER", BYTES("p=tls-exporter,,\001auth=Bearer t"
		    "\001\001"), SASL_MALFORMED, "", "" },
		{ "OAUTHBEARER", BYTES("n,,\001auth=Bearer t t\001\001"),
		    SASL_MALFORMED, "", "" },
		{ "XOAUTH2", BYTES("user=a@b\001auth=Bearer ya29.x\001\001"),
		    SASL_TOKEN, "a@b", "ya29.x" },
		{ "XOAUTH2", BYTES("auth=Bearer ya29.x\001\001"),
		    SASL_MALFORMED, "", "" },
		{ "XOAUTH2", BYTES(""), SASL_MALFORMED, "", "" },
	};
	struct buf out = BUF_INIT(200);
	struct sasl s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sasl_init(&s, sasl_mech_find(bytes_str(cases[i].mech)));
		assert_int_equal(sasl_start(&s, cases[i].message, true,
		    &out), cases[i].want);
		if (cases[i].want == SASL_TOKEN) {
			assert_int_equal(s.authcid.n, strlen(cases[i].user));
			assert_memory_equal(s.authcid.p, cases[i].user,
			    s.authcid.n);
			assert_text(&s.token, cases[i].token);
			/* Refused: one JSON text, one answer to it. */
			assert_true(sasl_last(&s, false, &out));
			assert_true(bytes_starts(buf_bytes(&out),
			    BYTES("{\"status\":")));
			buf_reset(&out);
			assert_int_equal(sasl_continue(&s, BYTES("\001"),
			    &out), SASL_ENDED);
			assert_int_equal(sasl_continue(&s, BYTES("\001"),
			    &out), SASL_MALFORMED);
		}
		sasl_wipe(&s);
	}
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "U-2 SCRAM exchanges of RFC 5802 and RFC 7677",
		    rfc_exchanges, NULL, NULL, NULL },
		{ "U-2 SCRAM with each hash, several passwords, none",
		    all_hashes, NULL, NULL, NULL },
		{ "U-3 channel bindings; a wrong one is a possible man in "
		    "the middle", channel_bindings, NULL, NULL, NULL },
		{ "U-5 first messages a client may get wrong",
		    malformed_first, NULL, NULL, NULL },
		{ "U-5 final messages a client may get wrong",
		    malformed_final, NULL, NULL, NULL },
		{ "U-6 HMAC-MD5 from pad states, RFC 2202", hmac_md5, NULL,
		    NULL, NULL },
		{ "U-2 CRAM-MD5 as RFC 2195", cram_md5, NULL, NULL, NULL },
		{ "U-8 EXTERNAL messages", external, NULL, NULL, NULL },
		{ "B-6 OAUTHBEARER and XOAUTH2 messages", bearer_messages,
		    NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
