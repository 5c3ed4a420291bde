/* totp_test.c - one-time passwords */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "totp/totp.h"

/* RFC 6238 appendix B, the SHA-1 rows. */
static void
rfc_vectors(void **state)
{
	static const struct {
		int64_t seconds;
		uint32_t code;
	} cases[] = {
		{ 59, 94287082 }, { 1111111109, 7081804 },
		{ 1111111111, 14050471 }, { 1234567890, 89005924 },
		{ 2000000000, 69279037 }, { 20000000000, 65353130 },
	};
	const unsigned char *secret = (const unsigned char *)
	    "12345678901234567890";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(totp_code(secret, 20, cases[i].seconds, 8),
		    cases[i].code);
		assert_int_equal(totp_code(secret, 20, cases[i].seconds, 6),
		    cases[i].code % 1000000);
	}
}

static void
code_at(const struct totp *t, int64_t seconds, char out[7])
{
	snprintf(out, 7, "%06u", (unsigned int)totp_code(t->secret,
	    sizeof(t->secret), seconds, 6) % 1000000);
}

static void
codes_in_time_and_once(void **state)
{
	struct totp t;
	char code[7];

	(void)state;
	totp_make(&t, 1000);
	assert_int_equal(t.added, 1000);
	code_at(&t, 600000, code);
	assert_false(totp_check(&t, bytes_str(code), 600000 - 60));
	assert_false(totp_check(&t, bytes_str(code), 600000 + 60));
	assert_true(totp_check(&t, bytes_str(code), 600000 + 30));
	/* Once, nor one from before it. */
	assert_false(totp_check(&t, bytes_str(code), 600000));
	code_at(&t, 600000 - 30, code);
	assert_false(totp_check(&t, bytes_str(code), 600000));
	code_at(&t, 600000 + 30, code);
	assert_true(totp_check(&t, bytes_str(code), 600000));
	assert_false(totp_check(&t, BYTES("12345"), 600000));
	assert_false(totp_check(&t, BYTES("1234567"), 600000));
	assert_false(totp_check(&t, BYTES("12345x"), 600000));
}

static void
uris(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {		/* RFC 4648 10, without padding */
		{ "", "" }, { "f", "MY" }, { "fo", "MZXQ" },
		{ "foo", "MZXW6" }, { "foob", "MZXW6YQ" },
		{ "fooba", "MZXW6YTB" }, { "foobar", "MZXW6YTBOI" },
	};
	struct totp t = { .secret = "12345678901234567890" };
	struct buf b = BUF_INIT(200);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&b);
		assert_int_equal(totp_base32(&b, bytes_str(cases[i].text)),
		    0);
		assert_int_equal(b.n, strlen(cases[i].want));
		assert_memory_equal(b.p, cases[i].want, b.n);
	}
	buf_reset(&b);
	assert_int_equal(totp_uri(&t, "a b", "mail.example.org", &b), 0);
	buf_addc(&b, 0);
	assert_string_equal((char *)b.p, "otpauth://totp/mail.example.org:"
	    "a%20b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	    "&issuer=mail.example.org");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "B-6 codes of RFC 6238", rfc_vectors, NULL, NULL, NULL },
		{ "B-6 a code is good in time and once",
		    codes_in_time_and_once, NULL, NULL, NULL },
		{ "B-6 base32 and URIs", uris, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
