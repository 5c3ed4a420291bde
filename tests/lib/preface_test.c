/* preface_test.c - PROXY protocol headers, ours and HAProxy's */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/os.h"
#include "preface/preface.h"

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define B(lit) BYTES(lit)
#define TCP4 "\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x10\0\0\x19"

static struct ip
ip(const char *text)
{
	struct ip out;

	assert_int_equal(ip_parse(bytes_str(text), &out), 0);
	return out;
}

struct vector {
	const char *what;
	struct bytes in;
	enum preface_from from;
	int result;		/* 1, 0 or -1 */
};

static const struct vector vectors[] = {
	{ "tcp4", B(SIG "\x21" TCP4), PREFACE_PROXY, 1 },
	{ "bytes behind it", B(SIG "\x21" TCP4 "EHLO"), PREFACE_PROXY, 1 },
	{ "tcp6", B(SIG "\x21\x21\0\x24" "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
	    "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2" "\0\1\0\2"),
	    PREFACE_PROXY, 1 },
	{ "health check, whatever it holds", B(SIG "\x20\xff\0\2xx"),
	    PREFACE_PROXY, 1 },
	{ "unknown family", B(SIG "\x21\0\0\0"), PREFACE_PROXY, 1 },
	{ "nothing", B(""), PREFACE_PROXY, 0 },
	{ "part of the signature", B("\r\n\r\n"), PREFACE_PROXY, 0 },
	{ "no length", B(SIG "\x21\x11\0"), PREFACE_PROXY, 0 },
	{ "half of the addresses", B(SIG "\x21\x11\0\x0c\1\2"), PREFACE_PROXY,
	    0 },
	{ "no header", B("EHLO x"), PREFACE_PROXY, -1 },
	{ "version 1", B("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"), PREFACE_PROXY,
	    -1 },
	{ "a wrong signature", B("\r\n\r\n\1"), PREFACE_PROXY, -1 },
	{ "version 3", B(SIG "\x31" TCP4), PREFACE_PROXY, -1 },
	{ "command 2", B(SIG "\x22" TCP4), PREFACE_PROXY, -1 },
	{ "a datagram", B(SIG "\x21\x12\0\x0c............"), PREFACE_PROXY,
	    -1 },
	{ "family 4", B(SIG "\x21\x41\0\0"), PREFACE_PROXY, -1 },
	{ "addresses longer than the header",
	    B(SIG "\x21\x11\0\x0b..........."),
	    PREFACE_PROXY, -1 },
	{ "longer than is allowed", B(SIG "\x21\x11\x0f\xf1"), PREFACE_PROXY,
	    -1 },
	{ "as long as is allowed", B(SIG "\x21\x11\x0f\xf0"), PREFACE_PROXY,
	    0 },
	{ "ALPN", B(SIG "\x21\0\0\x05\1\0\2h2"), PREFACE_PROXY, 1 },
	{ "empty ALPN", B(SIG "\x21\0\0\x03\1\0\0"), PREFACE_PROXY, -1 },
	{ "ALPN twice", B(SIG "\x21\0\0\x0a\1\0\2h2\1\0\2h2"), PREFACE_PROXY,
	    -1 },
	{ "a field that is cut off", B(SIG "\x21\0\0\x05\1\0\3h2"),
	    PREFACE_PROXY, -1 },
	{ "half a field's head", B(SIG "\x21\0\0\2\1\0"), PREFACE_PROXY, -1 },
	{ "padding and the unknown", B(SIG "\x21\0\0\x09\4\0\2..\x30\0\1n"),
	    PREFACE_PROXY, 1 },
	{ "a name with a NUL", B(SIG "\x21\0\0\x06\2\0\3a\0b"),
	    PREFACE_PROXY, -1 },
	{ "a name with a line end", B(SIG "\x21\0\0\x06\2\0\3a\nb"),
	    PREFACE_PROXY, -1 },
	{ "TLS", B(SIG "\x21\0\0\x0f\x20\0\x0c\1\0\0\0\1\x21\0\4TLS9"),
	    PREFACE_PROXY, 1 },
	{ "TLS in vain", B(SIG "\x21\0\0\7\x20\0\4\1\0\0\0"),
	    PREFACE_PROXY, -1 },
	{ "TLS twice",
	    B(SIG "\x21\0\0\x10\x20\0\5\1\0\0\0\1\x20\0\5\1\0\0\0\1"),
	    PREFACE_PROXY, -1 },
	{ "a cut field in TLS",
	    B(SIG "\x21\0\0\x0f\x20\0\x0c\1\0\0\0\1\x21\0\5TLS9"),
	    PREFACE_PROXY, -1 },
	{ "a wrong checksum", B(SIG "\x21\0\0\7\3\0\4....") , PREFACE_PROXY,
	    -1 },
	{ "a checksum of three bytes", B(SIG "\x21\0\0\6\3\0\3..."),
	    PREFACE_PROXY, -1 },
	{ "somebody's 0xe0", B(SIG "\x21\0\0\x04\xe0\0\1x"), PREFACE_PROXY, 1 },
	{ "our 0xe0 of a wrong length", B(SIG "\x21\0\0\x04\xe0\0\1x"),
	    PREFACE_TLS_SERVE, -1 },
	{ "our exporter without TLS", B(SIG "\x21\0\0\x23\xe1\0\x20"
	    "................................"), PREFACE_TLS_SERVE, -1 },
	{ "a client key without a certificate", B(SIG "\x21\0\0\x2b"
	    "\x20\0\5\1\0\0\0\1\xe0\0\x20"
	    "................................"), PREFACE_TLS_SERVE, -1 },
};

static void
headers(void **state)
{
	const char *why = NULL;
	struct preface p;
	size_t i, used;
	int r;

	(void)state;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *v = &vectors[i];
		/* a copy of the exact size: the sanitizer sees every slip */
		unsigned char *copy = malloc(v->in.n + 1);

		assert_non_null(copy);
		memcpy(copy, v->in.p, v->in.n);
		copy = realloc(copy, v->in.n == 0 ? 1 : v->in.n);
		r = preface_parse(bytes_of(copy, v->in.n), v->from, &p, &used,
		    &why);
		if (r != v->result)
			fail_msg("%s: %d, not %d (%s)", v->what, r, v->result,
			    why == NULL ? "" : why);
		free(copy);
	}
}

static void
addresses(void **state)
{
	const char *why;
	struct preface p;
	struct ip want;
	size_t used;

	(void)state;
	assert_int_equal(preface_parse(B(SIG "\x21" TCP4 "rest"),
	    PREFACE_PROXY, &p, &used, &why), 1);
	assert_int_equal(used, 28);
	want = ip("192.0.2.1");
	assert_true(ip_eq(&p.remote, &want));
	want = ip("192.0.2.2");
	assert_true(ip_eq(&p.local, &want));
	assert_int_equal(p.remote_port, 4096);
	assert_int_equal(p.local_port, 25);
	assert_false(p.tls || p.self);
}

/* The example was made with the published polynomial, by hand. */
static void
checksum(void **state)
{
	unsigned char h[] = SIG "\x21\x11\0\x13\xc0\0\2\1\xc0\0\2\2\x10\0\0\x19"
	    "\3\0\4\0\0\0";		/* and the NUL of the string */
	uint32_t crc = 0xffffffff;
	const char *why;
	struct preface p;
	size_t used, i;
	int bit;

	(void)state;
	for (i = 0; i < sizeof(h); i++) {
		for (bit = 0; bit < 8; bit++) {
			uint32_t in = (h[i] >> bit & 1) ^ (crc & 1);

			crc = crc >> 1 ^ (in != 0 ? 0x82f63b78 : 0);
		}
	}
	be32_put(h + sizeof(h) - 4, ~crc);
	assert_int_equal(preface_parse(bytes_of(h, sizeof(h)), PREFACE_PROXY,
	    &p, &used, &why), 1);
	h[17]++;	/* an address */
	assert_int_equal(preface_parse(bytes_of(h, sizeof(h)), PREFACE_PROXY,
	    &p, &used, &why), -1);
	assert_int_equal(errno, EBADMSG);
}

static const unsigned char hash[64] = "0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcde";

static struct preface
full(void)
{
	return (struct preface){ .remote = ip("2001:db8::1"),
	    .local = ip("192.0.2.7"), .remote_port = 65535, .local_port = 993,
	    .tls = true, .client_cert = true, .version = B("TLSv1.3"),
	    .cipher = B("TLS_AES_128_GCM_SHA256"),
	    .authority = B("imap.example.org"), .alpn = B("imap"),
	    .client_key = bytes_of(hash, 32), .exporter = bytes_of(hash, 32),
	    .end_point = bytes_of(hash, 48), .unique = bytes_of(hash, 12) };
}

static void
there_and_back(void **state)
{
	struct preface p = full(), q;
	struct buf b = BUF_INIT(PREFACE_MAX);
	const char *why;
	size_t used;

	(void)state;
	assert_int_equal(preface_format(&b, &p), 0);
	assert_int_equal(preface_parse(buf_bytes(&b), PREFACE_TLS_SERVE, &q,
	    &used, &why), 1);
	assert_int_equal(used, b.n);
	assert_true(ip_eq(&p.remote, &q.remote) && ip_eq(&p.local, &q.local));
	assert_int_equal(q.remote_port, 65535);
	assert_true(q.tls && q.client_cert && !q.client_verified);
	assert_true(bytes_eq(p.version, q.version));
	assert_true(bytes_eq(p.cipher, q.cipher));
	assert_true(bytes_eq(p.authority, q.authority));
	assert_true(bytes_eq(p.alpn, q.alpn));
	assert_true(bytes_eq(p.client_key, q.client_key));
	assert_true(bytes_eq(p.exporter, q.exporter));
	assert_true(bytes_eq(p.end_point, q.end_point));
	assert_true(bytes_eq(p.unique, q.unique));
	/* from a proxy ours are somebody else's */
	assert_int_equal(preface_parse(buf_bytes(&b), PREFACE_PROXY, &q,
	    &used, &why), 1);
	assert_true(q.client_key.n == 0 && q.exporter.n == 0 &&
	    q.end_point.n == 0 && q.unique.n == 0);
	buf_free(&b);
}

static void
not_formatted(void **state)
{
	static unsigned char long_name[PREFACE_NAME_MAX + 1];
	struct preface p = full();
	struct buf b = BUF_INIT(PREFACE_MAX), little = BUF_INIT(60);

	(void)state;
	memset(long_name, 'a', sizeof(long_name));
	p.authority = bytes_of(long_name, PREFACE_NAME_MAX);
	assert_int_equal(preface_format(&b, &p), 0);
	p.authority = bytes_of(long_name, sizeof(long_name));
	assert_int_equal(preface_format(&b, &p), -1);
	assert_int_equal(errno, EINVAL);
	p = full();
	p.client_key.n = 31;
	assert_int_equal(preface_format(&b, &p), -1);
	p = full();
	p.end_point = bytes_of(hash, 19);
	assert_int_equal(preface_format(&b, &p), -1);
	p = full();
	p.unique = bytes_of(hash, 13);
	assert_int_equal(preface_format(&b, &p), -1);
	p = full();
	p.tls = false;
	assert_int_equal(preface_format(&b, &p), -1);
	p = full();
	p.authority = B("a b");
	assert_int_equal(preface_format(&b, &p), -1);
	p = full();
	assert_int_equal(preface_format(&little, &p), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&b);
	buf_free(&little);
}

static void
from_a_stream(void **state)
{
	struct buf b = BUF_INIT(PREFACE_MAX), s = BUF_INIT(PREFACE_MAX);
	struct preface p = full(), q;
	const char *why;
	char rest[8];
	int pair[2];

	(void)state;
	assert_int_equal(preface_format(&b, &p), 0);
	assert_int_equal(os_socketpair(pair), 0);
	assert_int_equal(io_write_all(pair[0], buf_bytes(&b),
	    DEADLINE_NONE), 0);
	assert_int_equal(io_write_all(pair[0], B("EHLO"), DEADLINE_NONE), 0);
	assert_int_equal(preface_read(pair[1], PREFACE_TLS_SERVE,
	    deadline_in(2000), &s, &q, &why), 1);
	assert_true(bytes_eq(q.authority, p.authority));
	/* and not a byte more was taken */
	assert_int_equal(read(pair[1], rest, sizeof(rest)), 4);
	buf_reset(&s);
	assert_int_equal(preface_read(pair[1], PREFACE_TLS_SERVE,
	    deadline_in(20), &s, &q, &why), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(io_write_all(pair[0], bytes_first(buf_bytes(&b), 40),
	    DEADLINE_NONE), 0);
	close(pair[0]);
	buf_reset(&s);
	assert_int_equal(preface_read(pair[1], PREFACE_TLS_SERVE,
	    deadline_in(2000), &s, &q, &why), -1);
	assert_int_equal(errno, EPROTO);
	buf_reset(&s);
	assert_int_equal(preface_read(pair[1], PREFACE_TLS_SERVE,
	    deadline_in(2000), &s, &q, &why), 0);
	close(pair[1]);
	buf_free(&b);
	buf_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "headers good and bad, each cut", headers, NULL, NULL, NULL },
		{ "addresses and ports", addresses, NULL, NULL, NULL },
		{ "CRC32C is checked", checksum, NULL, NULL, NULL },
		{ "what is formatted is parsed", there_and_back, NULL, NULL,
		    NULL },
		{ "what could not be parsed is not formatted", not_formatted,
		    NULL, NULL, NULL },
		{ "read off a stream to its end and no further",
		    from_a_stream, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
