/* signing, private keys, public keys */
#include "dkim_fixture.h"

/* ---- signing ---- */

static struct dkim_signer
signer(struct dkim_key *key, const char *selector)
{
	return (struct dkim_signer){ .key = key, .domain = BYTES("example.org"),
	    .selector = bytes_str(selector), .header_canon = DKIM_RELAXED,
	    .body_canon = DKIM_RELAXED, .now = NOW };
}

static void
sign_and_verify(void **state)
{
	static const char *const messages[] = {
		MESSAGE, HEADER, HEADER "\n", "from:a@b.org\n\n\n\nx",
		"From: a@b.org\nTo: c@d\nTo: e@f\nCc:\n \nX: y\n\n a  b \n\n",
	};
	struct dkim_signer s[4] = {
		signer(fx.rsa, "sel"), signer(fx.ed, "ed"),
		signer(fx.rsa, "sel"), signer(fx.ed, "ed"),
	};
	struct buf out = BUF_INIT(100000);
	struct dkim_verdicts v;
	struct bytes rest, line;
	const char *why = "";
	size_t i, k;

	(void)state;
	s[1].header_canon = DKIM_SIMPLE;
	s[2].body_canon = DKIM_SIMPLE;
	s[2].identity = BYTES("a;=\xc3\xa4@sub.example.org");
	s[2].no_seal = true;
	s[3].header_canon = s[3].body_canon = DKIM_SIMPLE;
	s[3].lifetime = 60;
	for (i = 0; i < LEN(messages); i++) {
		buf_reset(&out);
		assert_int_equal(dkim_sign(&fx.arena, bytes_str(messages[i]), s,
		    LEN(s), &out, &why), 0);
		for (rest = buf_bytes(&out); bytes_line(&rest, &line);)
			assert_true(line.n < 78);
		assert_int_equal(buf_adds(&out, messages[i]), 0);
		v = verify(buf_bytes(&out));
		assert_int_equal(v.n, LEN(s));
		for (k = 0; k < LEN(s); k++) {
			assert_string_equal(v.v[k].reason, "");
			assert_int_equal(v.v[k].result, DKIM_PASS);
			assert_int_equal(v.v[k].timestamp, NOW);
		}
		assert_int_equal(v.v[0].expiration, -1);
		assert_int_equal(v.v[3].expiration, NOW + 60);
		assert_bytes(v.v[2].identity, "a;=\xc3\xa4@sub.example.org");
		v = verify_with(buf_bytes(&out),
		    (struct dkim_policy){ .now = NOW + 61 });
		assert_int_equal(v.v[3].result, DKIM_PERMERROR);
		assert_int_equal(v.v[0].result, DKIM_PASS);
	}
	buf_free(&out);
}

/* every field of the list is sealed, present or not. */
static void
sign_seals(void **state)
{
	struct dkim_signer s = signer(fx.rsa, "sel");
	struct buf out = BUF_INIT(100000), m = BUF_INIT(100000);
	struct dkim_verdicts v;
	const char *why = "";
	size_t i, seal;

	(void)state;
	for (seal = 0; seal < 2; seal++) {
		s.no_seal = seal == 0;
		buf_reset(&out);
		assert_int_equal(dkim_sign(&fx.arena, BYTES(MESSAGE), &s, 1,
		    &out, &why), 0);
		for (i = 0; i < DKIM_SIGN_FIELDS_COUNT; i++) {
			buf_reset(&m);
			assert_int_equal(buf_printf(&m, "%s: x\n%.*s" MESSAGE,
			    DKIM_SIGN_FIELDS[i],
			    BYTES_ARG(buf_bytes(&out))), 0);
			v = verify_with(buf_bytes(&m),
			    (struct dkim_policy){ .allow_unsigned = true });
			assert_int_equal(v.v[0].result,
			    seal == 0 ? DKIM_PASS : DKIM_FAIL);
		}
	}
	buf_free(&out);
	buf_free(&m);
}

static void
sign_refusals(void **state)
{
	static const struct bytes no_from[] = { { (const void *)"To", 2 } };
	static const struct bytes bad_name[] = { { (const void *)"From", 4 },
		{ (const void *)"a;b", 3 } };
	static const struct {
		const char *m, *domain, *selector, *identity;
		const struct bytes *fields;
		size_t n;
		const char *why;
	} cases[] = {
		{ "To: x\n\n", "example.org", "s", "", NULL, 0,
		    "not exactly one From field" },
		{ "From: x\nFrom: x\n\n", "example.org", "s", "", NULL, 0,
		    "not exactly one From field" },
		{ " x: y\n" MESSAGE, "example.org", "s", "", NULL, 0,
		    "message begins with a blank" },
		{ MESSAGE, "a b", "s", "", NULL, 0, "bad domain to sign for" },
		{ MESSAGE, "a.org; l=0", "s", "", NULL, 0,
		    "bad domain to sign for" },
		{ MESSAGE, "a.org", "s\n", "", NULL, 0, "bad selector" },
		{ MESSAGE, "a.org", "", "", NULL, 0, "bad selector" },
		{ MESSAGE, "a.org", "s", "x@b.org", NULL, 0,
		    "identity is not within the domain" },
		{ MESSAGE, "a.org", "s", "", no_from, 1,
		    "From must be signed" },
		{ MESSAGE, "a.org", "s", "", bad_name, 2,
		    "bad field name to sign" },
	};
	struct dkim_signer s;
	struct buf out = BUF_INIT(10000);
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		s = signer(fx.ed, cases[i].selector);
		s.domain = bytes_str(cases[i].domain);
		s.identity = bytes_str(cases[i].identity);
		s.fields = cases[i].fields;
		s.field_count = cases[i].n;
		assert_int_equal(dkim_sign(&fx.arena, bytes_str(cases[i].m), &s,
		    1, &out, &why), -1);
		assert_string_equal(why, cases[i].why);
		assert_int_equal(out.n, 0);
	}
	buf_free(&out);
}

static void
sign_name_limit(void **state)
{
	struct dkim_signer s = signer(fx.ed, "ed");
	struct buf m = BUF_INIT(100000), out = BUF_INIT(100000);
	const char *why = "";
	size_t i;

	(void)state;
	/* 11 names, one seal each, From once */
	for (i = 0; i < DKIM_NAMES_MAX - 12; i++)
		assert_int_equal(buf_adds(&m, "To: x\n"), 0);
	assert_int_equal(buf_adds(&m, "From: a@b.org\n\n"), 0);
	assert_int_equal(dkim_sign(&fx.arena, buf_bytes(&m), &s, 1, &out,
	    &why), 0);
	assert_int_equal(buf_add(&out, buf_bytes(&m)), 0);
	assert_int_equal(verify(buf_bytes(&out)).v[0].result, DKIM_PASS);
	buf_reset(&out);
	assert_int_equal(buf_adds(&out, "To: x\n"), 0);
	assert_int_equal(buf_add(&out, buf_bytes(&m)), 0);
	buf_reset(&m);
	assert_int_equal(dkim_sign(&fx.arena, buf_bytes(&out), &s, 1, &m,
	    &why), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&m);
	buf_free(&out);
}

/* ---- keys ---- */

/* The key of RFC 8463 A.2 (a seed) gives its public key. */
static void
rfc8463_key(void **state)
{
	const char *why = "";
	struct dkim_key *k = dkim_key_parse(BYTES(
	    "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n"), &why);
	struct buf b = BUF_INIT(1000);

	(void)state;
	assert_non_null(k);
	assert_int_equal(dkim_key_format_record(&b, k), 0);
	assert_bytes(buf_bytes(&b), "v=DKIM1; k=ed25519; "
	    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
	buf_free(&b);
	dkim_key_free(k);
}

static void
key_text(void **state)
{
	struct dkim_key *const keys[] = { fx.rsa, fx.ed };
	struct buf pem = BUF_INIT(10000), r1 = BUF_INIT(2000),
	    r2 = BUF_INIT(2000);
	struct dkim_key *k;
	const char *why = "";
	size_t i;

	(void)state;
	for (i = 0; i < LEN(keys); i++) {
		buf_reset(&pem);
		buf_reset(&r1);
		buf_reset(&r2);
		assert_int_equal(dkim_key_format(&pem, keys[i]), 0);
		assert_true(bytes_starts(buf_bytes(&pem),
		    BYTES("-----BEGIN PRIVATE KEY-----\n")));
		k = dkim_key_parse(buf_bytes(&pem), &why);
		assert_non_null(k);
		assert_int_equal(dkim_key_is_ed25519(k), i == 1);
		assert_int_equal(dkim_key_bits(k), i == 1 ? 256 : 1024);
		assert_int_equal(dkim_key_format_record(&r1, keys[i]), 0);
		assert_int_equal(dkim_key_format_record(&r2, k), 0);
		assert_true(bytes_eq(buf_bytes(&r1), buf_bytes(&r2)));
		dkim_key_free(k);
	}
	buf_free(&pem);
	buf_free(&r1);
	buf_free(&r2);
}

static void
key_refusals(void **state)
{
	static const char *const bad[] = {
		"", "\n", "x", "AAAA", "-----BEGIN PRIVATE KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		/* 31 and 33 octets; a second line */
		"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyufw==",
		"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2AB",
		"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\nmore\n",
	};
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		why = NULL;
		assert_null(dkim_key_parse(bytes_str(bad[i]), &why));
		assert_int_equal(errno, EBADMSG);
		assert_non_null(why);
	}
	assert_null(dkim_key_open("/nonexistent/key", &why));
	assert_int_equal(errno, ENOENT);
	assert_null(dkim_key_generate(false, DKIM_RSA_BITS_MIN - 1));
	assert_int_equal(errno, EINVAL);
	assert_null(dkim_key_generate(false, DKIM_RSA_BITS_MAX + 1));
}

static void
zone_text(void **state)
{
	struct buf b = BUF_INIT(2000);
	char record[301];

	(void)state;
	memset(record, 'r', 300);
	record[300] = '\0';
	assert_int_equal(dkim_record_format_zone(&b, BYTES("s"),
	    BYTES("example.org"), BYTES("v=DKIM1; p=")), 0);
	assert_bytes(buf_bytes(&b),
	    "s._domainkey.example.org. IN TXT ( \"v=DKIM1; p=\" )\n");
	buf_reset(&b);
	assert_int_equal(dkim_record_format_zone(&b, BYTES_EMPTY, BYTES_EMPTY,
	    bytes_str(record)), 0);
	assert_int_equal(b.n, 300 + 6);
	assert_memory_equal(b.p + 256, "\" \"r", 4);
	buf_reset(&b);
	assert_int_equal(dkim_record_format_zone(&b, BYTES_EMPTY, BYTES_EMPTY,
	    bytes_of(record, 255)), 0);
	assert_int_equal(b.n, 255 + 3);
	buf_reset(&b);
	assert_int_equal(dkim_record_format_zone(&b, BYTES("s\n"),
	    BYTES("example.org"), BYTES("v=DKIM1; p=")), -1);
	assert_int_equal(dkim_record_format_zone(&b, BYTES("s"), BYTES_EMPTY,
	    BYTES("v=DKIM1; p=")), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(b.n, 0);
	buf_free(&b);
}

/* ---- RSA keys ---- */

static void
rsa_key_forms(void **state)
{
	/* RSAPublicKey with a modulus of that many octets, and that e. */
	static const struct {
		unsigned char n_size, e_size;
		const char *why;
	} cases[] = {
		{ 128, 3, NULL }, { 128, 8, NULL }, { 128, 1, NULL },
		{ 128, 9, "RSA key with a huge exponent" },
		{ 127, 3, "RSA key under 1024 bits" },
		{ 64, 3, "RSA key under 1024 bits" },
	};
	unsigned char der[400], *p;
	struct dkim_record r = { .key = BYTES_EMPTY };
	struct dkim_public *key;
	unsigned int bits;
	const char *why;
	size_t i;
	int result;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		memset(der, 0xff, sizeof der);
		p = der + 3;
		*p++ = 2;
		*p++ = 0x81;
		*p++ = (unsigned char)(cases[i].n_size + 1);
		if (cases[i].n_size + 1 < 0x80)	/* short form instead */
			p[-2] = p[-1], p--;
		*p++ = 0;
		p += cases[i].n_size;
		*p++ = 2;
		*p++ = cases[i].e_size;
		p[0] = 3;
		p += cases[i].e_size;
		der[0] = 0x30;
		der[1] = 0x81;
		der[2] = (unsigned char)(p - der - 3);
		if (der[2] < 0x80)
			continue;
		r.key = bytes_of(der, (size_t)(p - der));
		why = NULL;
		result = dkim_public_get(&r, &key, &bits, &why);
		if (cases[i].why == NULL) {
			assert_int_equal(result, 0);
			assert_int_equal(bits, 1024);
			dkim_public_free(key);
		} else {
			assert_int_equal(result, -1);
			assert_string_equal(why, cases[i].why);
		}
		/* one octet cut off or added: no key at all */
		r.key.n--;
		assert_int_equal(dkim_public_get(&r, &key, &bits, &why), -1);
		r.key.n += 2;
		assert_int_equal(dkim_public_get(&r, &key, &bits, &why), -1);
	}
}

/* More keys than are kept, each several times: it is always that key, and
 * nothing but the same key of the same kind. */
static void
kept_keys(void **state)
{
	enum { KEYS = 7 };
	struct dkim_key *key[KEYS];
	struct buf sig[KEYS], record[KEYS];
	unsigned char hash[DKIM_HASH_SIZE] = { 5 };
	struct dkim_public *public;
	struct dkim_record r;
	unsigned int bits;
	const char *why;
	size_t i, k;

	(void)state;
	for (i = 0; i < KEYS; i++) {
		key[i] = dkim_key_generate(i % 3 == 2, 1024);
		assert_non_null(key[i]);
		sig[i] = record[i] = BUF_INIT(4096);
		assert_int_equal(dkim_key_sign(key[i], hash, &sig[i]), 0);
		assert_int_equal(dkim_key_format_record(&record[i], key[i]),
		    0);
	}
	for (i = 0; i < 4 * KEYS; i++) {
		k = i < 2 * KEYS ? i % KEYS : i / 3 % KEYS;
		assert_int_equal(dkim_record_parse(&fx.arena,
		    buf_bytes(&record[k]), &r, &why), 0);
		assert_int_equal(dkim_public_get(&r, &public, &bits, &why),
		    0);
		assert_int_equal(bits, k % 3 == 2 ? 256 : 1024);
		assert_int_equal(dkim_public_check(public, hash,
		    buf_bytes(&sig[k])), 1);
		assert_int_equal(dkim_public_check(public, hash,
		    buf_bytes(&sig[(k + 3) % KEYS])), 0);
		dkim_public_free(public);
		r.is_ed25519 = !r.is_ed25519;
		assert_int_equal(dkim_public_get(&r, &public, &bits, &why),
		    -1);
	}
	for (i = 0; i < KEYS; i++) {
		dkim_key_free(key[i]);
		buf_free(&sig[i]);
		buf_free(&record[i]);
	}
}

#define T(name, fn) { name, fn, reset, NULL, NULL }

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T("RFC 8463 A.2 key", rfc8463_key),
		T("RFC 8301 RSA key sizes and exponents", rsa_key_forms),
		T("keys are kept, and no other is taken for one", kept_keys),
		T("A-4 signed by four signers, all verify", sign_and_verify),
		T("A-4 oversigned fields cannot be added", sign_seals),
		T("A-4 what is not signed", sign_refusals),
		T("A-4 256 names in h=, not 257", sign_name_limit),
		T("key files round trip", key_text),
		T("key files refused", key_refusals),
		T("zone file strings of 255 octets", zone_text),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
