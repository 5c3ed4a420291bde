/* encode_test - encodings, SHA-256, IP addresses */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/base.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
assert_bytes(struct bytes got, struct bytes want)
{
	if (!bytes_eq(got, want))
		print_message("got \"%.*s\", want \"%.*s\"\n", BYTES_ARG(got),
		    BYTES_ARG(want));
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
}

static void
assert_text(struct bytes got, const char *want)
{
	assert_bytes(got, bytes_str(want));
}

typedef int codec(struct buf *, struct bytes);

static void
check_codec(codec *f, struct bytes in, struct bytes want)
{
	struct buf b = BUF_INIT(4096), tight = BUF_INIT(want.n);
	struct buf small = BUF_INIT(want.n == 0 ? 0 : want.n - 1);

	assert_int_equal(buf_adds(&b, "<"), 0);
	assert_int_equal(f(&b, in), 0);
	assert_bytes(bytes_from(buf_bytes(&b), 1), want);
	assert_int_equal(f(&tight, in), 0);		/* at the cap */
	assert_bytes(buf_bytes(&tight), want);
	if (want.n > 0) {				/* one past it */
		errno = 0;
		assert_int_equal(f(&small, in), -1);
		assert_int_equal(errno, EMSGSIZE);
		assert_true(small.full);
		assert_true(bytes_starts(want, buf_bytes(&small)));
	}
	buf_free(&b);
	buf_free(&tight);
	buf_free(&small);
}

static void
check_malformed(codec *f, struct bytes in)
{
	struct buf b = BUF_INIT(4096);

	errno = 0;
	assert_int_equal(f(&b, in), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(b.n, 0);
	buf_free(&b);
}

static void
test_base64(void **state)
{
	static const struct {
		const char *plain, *text, *url;
	} t[] = {	/* RFC 4648 10 */
		{ "", "", "" },
		{ "f", "Zg==", "Zg" },
		{ "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" },
		{ "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xef\xff\xfe", "++///g==", "--___g" },
	};
	static const char *const wrong[] = {
		"Z", "Zg", "Zg=", "Zg===", "Z===", "Zh==", "Zm9=", "Zg==Zg==",
		"Zm9v\n", "Zm 9v===", "Zm-_", "=m9v", "Zm=v", "Zm9vZm=v",
		"Zm9v\xffm9vZm9v",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		check_codec(base64_encode, bytes_str(t[i].plain),
		    bytes_str(t[i].text));
		check_codec(base64url_encode, bytes_str(t[i].plain),
		    bytes_str(t[i].url));
		check_codec(base64_decode, bytes_str(t[i].text),
		    bytes_str(t[i].plain));
		check_codec(base64_decode_lax, bytes_str(t[i].text),
		    bytes_str(t[i].plain));
		assert_true(base64_valid(bytes_str(t[i].text)));
	}
	for (i = 0; i < COUNT(wrong); i++) {
		check_malformed(base64_decode, bytes_str(wrong[i]));
		/* It does not look at the bits that padding leaves over. */
		assert_int_equal(base64_valid(bytes_str(wrong[i])),
		    strcmp(wrong[i], "Zh==") == 0 ||
		    strcmp(wrong[i], "Zm9=") == 0);
	}
}

static void
test_base64_lax(void **state)
{
	static const struct {
		const char *text, *plain;
	} t[] = {
		{ "Zm9v\r\nYmFy\r\n", "foobar" },
		{ "Z m-9!v", "foo" },
		{ "Zm9vYg", "foob" },
		{ "Zm9vYmE", "fooba" },
		{ "Zm9vY", "foo" },
		{ "Zg==\r\nthis is not data", "f" },
		{ "=Zm9v", "foo" },
		{ "\xff\xfe", "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		check_codec(base64_decode_lax, bytes_str(t[i].text),
		    bytes_str(t[i].plain));
	}
}

static void
test_round_trips(void **state)
{
	struct buf text = BUF_INIT(4096), plain = BUF_INIT(4096);
	unsigned char data[300];
	size_t n, i, k;
	static const struct {
		codec *enc, *dec;
	} pair[] = {
		{ base64_encode, base64_decode },
		{ base64_encode, base64_decode_lax },
		{ hex_encode, hex_decode },
		{ qp_encode, qp_decode },
	};

	(void)state;
	for (i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 31 & 0xff);
	for (k = 0; k < COUNT(pair); k++) {
		for (n = 0; n <= sizeof(data); n++) {
			buf_reset(&text);
			buf_reset(&plain);
			assert_int_equal(pair[k].enc(&text,
			    bytes_of(data, n)), 0);
			assert_int_equal(pair[k].dec(&plain,
			    buf_bytes(&text)), 0);
			assert_bytes(buf_bytes(&plain), bytes_of(data, n));
		}
	}
	buf_free(&text);
	buf_free(&plain);
}

static void
test_qp_decode(void **state)
{
	static const struct {
		const char *text, *plain;
	} t[] = {
		{ "", "" },
		{ "plain text", "plain text" },
		{ "a=3Db", "a=b" },
		{ "=c3=A4", "\xc3\xa4" },
		{ "soft=\nbreak", "softbreak" },
		{ "soft=\r\nbreak", "softbreak" },
		{ "soft= \t\r\nbreak", "softbreak" },
		{ "kept =\nspace", "kept space" },
		{ "trailing \t\nspace  \r\n", "trailing\nspace\r\n" },
		{ "end=", "end" },
		{ "bad=ZZ=4", "bad=ZZ=4" },
		{ "=", "" },
		{ "==3D", "==" },
		{ "\n\n", "\n\n" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++)
		check_codec(qp_decode, bytes_str(t[i].text),
		    bytes_str(t[i].plain));
	check_codec(q_decode, BYTES("a_b=5F=C3=A4=_"),
	    BYTES("a b_\xc3\xa4= "));
	check_codec(q_decode, BYTES("=4"), BYTES("=4"));
}

static void
test_qp_encode(void **state)
{
	struct buf b = BUF_INIT(1000);
	struct bytes s, line;
	char x[101];

	(void)state;
	check_codec(qp_encode, BYTES("a=b \nc\t\n \n"),
	    BYTES("a=3Db=20\nc=09\n=20\n"));
	check_codec(qp_encode, BYTES("\r\n\x7f\xc3\xa4"),
	    BYTES("=0D\n=7F=C3=A4"));
	check_codec(qp_encode, BYTES("end "), BYTES("end=20"));
	memset(x, 'x', sizeof(x));
	check_codec(qp_encode, bytes_of(x, 76), bytes_of(x, 76));
	assert_int_equal(qp_encode(&b, bytes_of(x, 77)), 0);
	s = buf_bytes(&b);
	assert_true(bytes_line(&s, &line));
	assert_int_equal(line.n, 76);
	assert_text(s, "xx");
	buf_reset(&b);
	memset(x, 0xe4, sizeof(x));
	assert_int_equal(qp_encode(&b, bytes_of(x, 100)), 0);
	s = buf_bytes(&b);
	while (bytes_line(&s, &line))
		assert_in_range(line.n, 1, 76);
	buf_free(&b);
}

static void
test_hex(void **state)
{
	(void)state;
	check_codec(hex_encode, BYTES("\0\x7f\xff"), BYTES("007fff"));
	check_codec(hex_decode, BYTES("007FfF"), BYTES("\0\x7f\xff"));
	check_malformed(hex_decode, BYTES("0"));
	check_malformed(hex_decode, BYTES("0g"));
}

static void
test_sha256(void **state)
{
	static const struct {
		const char *in, *hex;
	} t[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb924"
		    "27ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223"
		    "b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "248d6a61d20638b8e5c026930c3e6039"
		    "a33ce45964ff2167f6ecedd419db06c1" },
	};
	struct buf b = BUF_INIT(64);
	struct sha256 s;
	unsigned char out[32], again[32];
	static unsigned char million[1000000];
	size_t i, n, step;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		buf_reset(&b);
		sha256_of(bytes_str(t[i].in), out);
		assert_int_equal(hex_encode(&b, bytes_of(out, 32)), 0);
		assert_text(buf_bytes(&b), t[i].hex);
	}
	memset(million, 'a', sizeof(million));
	buf_reset(&b);
	sha256_of(bytes_of(million, sizeof(million)), out);
	assert_int_equal(hex_encode(&b, bytes_of(out, 32)), 0);
	assert_text(buf_bytes(&b), "cdc76e5c9914fb9281a1c7e284d73e67"
	    "f1809a48a497200e046d39ccc7112cd0");
	/* In pieces of any size, and lengths around the block size. */
	for (n = 0; n < 300; n++) {
		sha256_of(bytes_of(million, n), out);
		step = n % 70 + 1;
		sha256_init(&s);
		for (i = 0; i < n; i += step)
			sha256_add(&s, bytes_first(bytes_of(million + i,
			    n - i), step));
		sha256_end(&s, again);
		assert_memory_equal(out, again, 32);
	}
	buf_free(&b);
}

static void
test_ip_text(void **state)
{
	static const struct {
		const char *in, *want;	/* NULL: malformed */
	} t[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "0.9.10.99", "0.9.10.99" },
		{ "100.101.109.200", "100.101.109.200" },
		{ "256.0.0.1", NULL },
		{ "1.2.3", NULL },
		{ "1.2.3.4.5", NULL },
		{ "01.2.3.4", NULL },
		{ "1.2.3.4 ", NULL },
		{ "", NULL },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "0:0:1::", "0:0:1::" },
		{ "::1.2.3.4", "::102:304" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "1:2:3:4:5:6:7", NULL },
		{ "::1%eth0", NULL },
		{ "[::1]", NULL },
	};
	char text[IP_TEXT_MAX];
	struct ip ip, again;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		if (t[i].want == NULL) {
			assert_int_equal(ip_parse(bytes_str(t[i].in), &ip), -1);
			assert_int_equal(errno, EBADMSG);
			continue;
		}
		assert_int_equal(ip_parse(bytes_str(t[i].in), &ip), 0);
		assert_string_equal(ip_format(&ip, text), t[i].want);
		assert_int_equal(ip_parse(bytes_str(text), &again), 0);
		assert_true(ip_eq(&ip, &again));
	}
	assert_int_equal(ip_parse(BYTES("1.2.3.4\0"), &ip), -1);
	ip = (struct ip){ .family = 0 };
	assert_string_equal(ip_format(&ip, text), "unknown");
}

static void
test_ip_nets(void **state)
{
	static const struct {
		const char *ip, *net;
		unsigned int bits;
		bool in;
		const char *masked;
	} t[] = {
		{ "10.1.2.3", "10.1.2.0", 24, true, "10.1.2.0" },
		{ "10.1.3.3", "10.1.2.0", 24, false, "10.1.3.0" },
		{ "10.1.2.127", "10.1.2.64", 26, true, "10.1.2.64" },
		{ "10.1.2.128", "10.1.2.64", 26, false, "10.1.2.128" },
		{ "10.1.2.3", "0.0.0.0", 0, true, "0.0.0.0" },
		{ "10.1.2.3", "10.1.2.3", 32, true, "10.1.2.3" },
		{ "10.1.2.3", "10.1.2.2", 32, false, "10.1.2.3" },
		{ "10.1.2.3", "10.1.2.3", 99, true, "10.1.2.3" },
		{ "2001:db8:1:2:3::", "2001:db8:1::", 48, true,
		    "2001:db8:1::" },
		{ "2001:db8:2::1", "2001:db8:1::", 48, false, "2001:db8:2::" },
		{ "10.1.2.3", "::", 0, false, "0.0.0.0" },
	};
	char text[IP_TEXT_MAX];
	struct ip ip, net, m;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		assert_int_equal(ip_parse(bytes_str(t[i].ip), &ip), 0);
		assert_int_equal(ip_parse(bytes_str(t[i].net), &net), 0);
		assert_int_equal(ip_in_net(&ip, &net, t[i].bits), t[i].in);
		m = ip_mask(&ip, t[i].bits);
		assert_string_equal(ip_format(&m, text), t[i].masked);
	}
	assert_int_equal(ip_parse(BYTES("127.9.9.9"), &ip), 0);
	assert_true(ip_is_loopback(&ip));
	assert_int_equal(ip_parse(BYTES("::1"), &ip), 0);
	assert_true(ip_is_loopback(&ip));
	assert_int_equal(ip_parse(BYTES("::2"), &ip), 0);
	assert_false(ip_is_loopback(&ip));
}

static void
test_ip_sockaddr(void **state)
{
	static const char *const texts[] = { "192.0.2.7", "2001:db8::7" };
	struct sockaddr_storage sa;
	struct ip ip, again;
	size_t i;
	int port;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		assert_int_equal(ip_parse(bytes_str(texts[i]), &ip), 0);
		assert_true(ip_to_sockaddr(&ip, 65535, &sa) > 0);
		ip_from_sockaddr((struct sockaddr *)&sa, &again, &port);
		assert_true(ip_eq(&ip, &again));
		assert_int_equal(port, 65535);
	}
	sa.ss_family = AF_UNIX;
	ip_from_sockaddr((struct sockaddr *)&sa, &again, &port);
	assert_int_equal(again.family, 0);
	assert_int_equal(port, 0);
}
int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "base64 strict, RFC 4648 vectors", test_base64,
		    NULL, NULL, NULL },
		{ "base64 as mail is found", test_base64_lax,
		    NULL, NULL, NULL },
		{ "encodings decode to what was encoded", test_round_trips,
		    NULL, NULL, NULL },
		{ "quoted-printable decoded", test_qp_decode,
		    NULL, NULL, NULL },
		{ "quoted-printable encoded, lines of 76", test_qp_encode,
		    NULL, NULL, NULL },
		{ "hex", test_hex, NULL, NULL, NULL },
		{ "SHA-256 vectors of FIPS 180-4", test_sha256,
		    NULL, NULL, NULL },
		{ "IP addresses as RFC 5952 text", test_ip_text,
		    NULL, NULL, NULL },
		{ "IP networks", test_ip_nets, NULL, NULL, NULL },
		{ "IP socket addresses", test_ip_sockaddr, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
