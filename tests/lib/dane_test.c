/*
 * dane_test.c - TLSA records as bytes and text, and what can be used
 *
 * Chains, look-ups and servers: tests/cmd/dane-check.t.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dane/dane.h"
#include "tls/tls.h"

#define B(lit) BYTES(lit)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct arena arena;

static int
reset(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void
test_bytes(void **state)
{
	struct dane_record r = { .usage = 9 };
	struct buf out = BUF_INIT(100);

	(void)state;
	assert_int_equal(dane_parse(B("\3\1\1\xab\xcd"), &r), 0);
	assert_int_equal(r.usage, 3);
	assert_int_equal(r.selector, 1);
	assert_int_equal(r.matching, 1);
	assert_true(bytes_eq(r.data, B("\xab\xcd")));
	assert_int_equal(dane_format(&r, &out), 0);
	assert_true(bytes_eq(buf_bytes(&out), B("\3\1\1\xab\xcd")));
	assert_int_equal(dane_parse(B("\2\0\0\1"), &r), 0);
	assert_int_equal(dane_parse(B("\2\0\0"), &r), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(dane_parse(B(""), &r), -1);
	buf_free(&out);
}

static void
test_text(void **state)
{
	static const struct {
		const char *in, *out;	/* out NULL: refused */
	} all[] = {
		{ "3 1 1 " HASH, "3 1 1 " HASH },
		{ "3  1\t1 00112233", "3 1 1 00112233" },
		{ "3 1 1 0011 2233 ab", "3 1 1 00112233ab" },
		{ "3 1 1 0 0", "3 1 1 00" },
		{ "3 1 1 AbCd", "3 1 1 abcd" },
		{ "255 255 255 00", "255 255 255 00" },
		{ "256 1 1 00", NULL },
		{ "3 1 1", NULL },
		{ "3 1 1 ", NULL },
		{ "3 1 1 0", NULL },
		{ "3 1 1 0g", NULL },
		{ "3 1 00", NULL },
		{ "DANE-EE SPKI SHA2-256 00", NULL },
		{ "-3 1 1 00", NULL },
		{ "", NULL },
	};
	struct dane_record r;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(all); i++) {
		struct buf out = BUF_INIT(200);
		int got = dane_parse_text(bytes_str(all[i].in), &arena, &r,
		    &why);

		if ((got == 0) != (all[i].out != NULL))
			fail_msg("%s: %d", all[i].in, got);
		if (got == 0) {
			assert_int_equal(dane_format_text(&r, &out), 0);
			if (!bytes_eq(buf_bytes(&out),
			    bytes_str(all[i].out)))
				fail_msg("%s", all[i].in);
		} else {
			assert_int_equal(errno, EBADMSG);
			assert_true(why[0] != '\0');
		}
		buf_free(&out);
	}
}

/* At the limit of the data, and a byte past it. */
static void
test_text_limit(void **state)
{
	struct buf text = BUF_INIT(3 * DANE_DATA_MAX);
	struct dane_record r;
	const char *why;
	size_t i;

	(void)state;
	buf_adds(&text, "3 0 0 ");
	for (i = 0; i < DANE_DATA_MAX; i++)
		buf_adds(&text, "ab");
	assert_int_equal(dane_parse_text(buf_bytes(&text), &arena, &r, &why),
	    0);
	assert_int_equal(r.data.n, DANE_DATA_MAX);
	buf_adds(&text, "ab");
	assert_int_equal(dane_parse_text(buf_bytes(&text), &arena, &r, &why),
	    -1);
	assert_string_equal(why, "the data is too long");
	buf_free(&text);
}

static void
test_usable(void **state)
{
	static char space[65];
	static const struct {
		unsigned char usage, selector, matching;
		size_t n;
		const char *why;	/* NULL: usable */
	} all[] = {
		{ 3, 1, 1, 32, NULL }, { 3, 0, 1, 32, NULL },
		{ 2, 1, 1, 32, NULL }, { 2, 0, 2, 64, NULL },
		{ 3, 1, 1, 31, "a SHA-256 hash has 32 bytes" },
		{ 3, 1, 1, 33, "a SHA-256 hash has 32 bytes" },
		{ 3, 1, 2, 63, "a SHA-512 hash has 64 bytes" },
		{ 3, 1, 2, 65, "a SHA-512 hash has 64 bytes" },
		{ 0, 1, 1, 32, "usages 0 and 1 are not for SMTP" },
		{ 1, 1, 1, 32, "usages 0 and 1 are not for SMTP" },
		{ 4, 1, 1, 32, "unknown usage" },
		{ 255, 1, 1, 32, "unknown usage" },
		{ 3, 2, 1, 32, "unknown selector" },
		{ 3, 1, 3, 32, "unknown matching type" },
		{ 3, 0, 0, 32, "the data is not a certificate" },
		{ 3, 1, 0, 32, "the data is not a public key" },
		{ 2, 0, 0, 0, "the data is not a certificate" },
	};
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(all); i++) {
		struct dane_record r = { all[i].usage, all[i].selector,
		    all[i].matching, bytes_of(space, all[i].n) };

		why = NULL;
		assert_int_equal(dane_usable(&r, &why), all[i].why == NULL);
		if (all[i].why != NULL)
			assert_string_equal(why, all[i].why);
		assert_int_equal(dane_usable(&r, NULL), all[i].why == NULL);
	}
}

/* The whole of a certificate or key, with a byte behind it. */
static void
test_full(void **state)
{
	struct buf pem = BUF_INIT(65536);
	struct dane_record r;
	const char *why;
	unsigned char selector, *longer;

	(void)state;
	assert_int_equal(tls_self_signed(&pem, B("a"), false, 1, &why), 0);
	for (selector = 0; selector <= 1; selector++) {
		assert_int_equal(dane_make(buf_bytes(&pem), DANE_TA,
		    selector, DANE_FULL, &arena, &r, &why), 0);
		assert_true(dane_usable(&r, NULL));
		longer = arena_zalloc(&arena, r.data.n + 1, 1);
		memcpy(longer, r.data.p, r.data.n);
		r.data = bytes_of(longer, r.data.n + 1);
		assert_false(dane_usable(&r, NULL));
		r.data.n -= 2;
		assert_false(dane_usable(&r, NULL));
	}
	buf_free(&pem);
}

static void
test_chain_limit(void **state)
{
	struct buf pem = BUF_INIT(65536), file = BUF_INIT(1 << 20);
	struct bytes chain[DANE_CHAIN_MAX], cert;
	const char *why;
	size_t at;
	int i;

	(void)state;
	assert_int_equal(tls_self_signed(&pem, B("a"), false, 1, &why), 0);
	assert_true(bytes_find(buf_bytes(&pem), B("-----BEGIN CERT"), &at));
	cert = bytes_from(buf_bytes(&pem), at);
	assert_int_equal(dane_read_chain(B(""), &arena, chain), -1);
	assert_int_equal(dane_read_chain(bytes_first(buf_bytes(&pem), at),
	    &arena, chain), -1);
	for (i = 0; i < DANE_CHAIN_MAX; i++)
		buf_add(&file, cert);
	assert_int_equal(dane_read_chain(buf_bytes(&file), &arena, chain),
	    DANE_CHAIN_MAX);
	buf_add(&file, cert);
	assert_int_equal(dane_read_chain(buf_bytes(&file), &arena, chain),
	    -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&pem);
	buf_free(&file);
}

static void
test_verify_nothing(void **state)
{
	struct dane_record r = { 3, 1, 1, bytes_of(HASH, 32) };
	struct bytes chain[1] = { B("no certificate") };
	struct dane_verdict v;

	(void)state;
	dane_verify(&r, 1, chain, 0, NULL, 0, 0, &v);
	assert_false(v.verified);
	assert_int_equal(v.result, TLSRESULT_VALIDATION_FAILURE);
	dane_verify(&r, 1, chain, 1, NULL, 0, 0, &v);
	assert_false(v.verified);
	assert_int_equal(v.result, TLSRESULT_VALIDATION_FAILURE);
}

/* Names that may be asked for but give a TLSA name that is too long. */
static int
silent(void *ctx, struct arena *a, enum dns_type type, struct bytes name,
    struct dns_answer *out)
{
	(void)a;
	(void)type;
	(void)name;
	++*(int *)ctx;
	*out = (struct dns_answer){ .status = DNS_NODATA, .authentic = true,
	    .name = name, .why = "no such record" };
	return 1;
}

static void
test_long_host(void **state)
{
	int asked = 0;
	struct dns_options o = { .source = { silent, &asked } };
	struct dns *d = dns_new(&o);
	char name[254];
	struct dane_host h = { .authentic = true, .port = 25,
	    .domain = BYTES_EMPTY, .expanded_domain = BYTES_EMPTY };
	struct dns_answer addresses = { .authentic = true };
	struct dane out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(name); i++)
		name[i] = i % 2 == 0 ? 'a' : '.';
	/* "_25._tcp." is nine bytes more. */
	for (i = 243; i <= 245; i += 2) {
		h.host = addresses.name = bytes_of(name, i);
		h.addresses = &addresses;
		dane_find(d, &arena, &h, NULL, NULL, &out);
		assert_int_equal(out.state, DANE_NONE);
	}
	assert_int_equal(asked, 1);
	dns_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "records as bytes", test_bytes, NULL, reset, NULL },
		{ "records as text", test_text, NULL, reset, NULL },
		{ "as much data as is allowed, and more", test_text_limit,
		    NULL, reset, NULL },
		{ "T-2 records that SMTP can use", test_usable, NULL, reset,
		    NULL },
		{ "T-2 matching type 0 must parse, and end", test_full, NULL,
		    reset, NULL },
		{ "chain files as long as is allowed, and longer",
		    test_chain_limit, NULL, reset, NULL },
		{ "chains that cannot be read", test_verify_nothing, NULL,
		    reset, NULL },
		{ "hosts whose TLSA name would be too long", test_long_host,
		    NULL, reset, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
