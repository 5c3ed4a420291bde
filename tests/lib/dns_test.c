/* Tests of lib/dns without a server: names and wire format. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "dns/dns.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BIG 70000

static struct arena arena;

static int
reset(void **state)
{
	(void)state;
	arena_free(&arena);
	(void)unsetenv("PIPEMAIL_DNS");
	return 0;
}

static void
assert_text(struct bytes s, const char *want)
{
	assert_int_equal(s.n, strlen(want));
	assert_memory_equal(s.p, want, s.n);
}

/* ---- messages, made by hand ---- */

static void
put16(struct buf *b, unsigned int v)
{
	assert_int_equal(buf_addc(b, (int)(v >> 8 & 255)), 0);
	assert_int_equal(buf_addc(b, (int)(v & 255)), 0);
}

static void
put_name(struct buf *b, const char *name)
{
	struct bytes rest = bytes_str(name), label;

	while (rest.n > 0) {
		(void)bytes_split(&rest, '.', &label);
		assert_int_equal(buf_addc(b, (int)label.n), 0);
		assert_int_equal(buf_add(b, label), 0);
	}
	assert_int_equal(buf_addc(b, 0), 0);
}

/* Header with counts and the question. */
static void
put_head(struct buf *b, unsigned int flags, unsigned int answers,
    unsigned int authorities, const char *name, unsigned int type)
{
	buf_reset(b);
	put16(b, 0x1234);
	put16(b, 0x8180 | flags);
	put16(b, 1);
	put16(b, answers);
	put16(b, authorities);
	put16(b, 0);
	put_name(b, name);
	put16(b, type);
	put16(b, 1);
}

static void
put_rr(struct buf *b, const char *owner, unsigned int type,
    const void *data, size_t n)
{
	put_name(b, owner);
	put16(b, type);
	put16(b, 1);
	put16(b, 0);
	put16(b, 60);
	put16(b, (unsigned int)n);
	assert_int_equal(buf_add(b, bytes_of(data, n)), 0);
}

static void
put_cname(struct buf *b, const char *owner, const char *target)
{
	struct buf data = BUF_INIT(300);

	put_name(&data, target);
	put_rr(b, owner, DNS_CNAME, data.p, data.n);
	buf_free(&data);
}

static enum dns_parsed
parse(const struct buf *b, enum dns_type type, const char *name,
    struct dns_answer *out)
{
	return dns_parse(buf_bytes(b), 0x1234, type, bytes_str(name),
	    &arena, out);
}

/* ---- names ---- */

static void
test_name_valid(void **state)
{
	static const char l63[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop"
	    "qrstuvwxyz12345678901";
	static const struct {
		const char *name;
		bool valid;
	} cases[] = {
		{ "example.org", true }, { "example.org.", true },
		{ "org", true }, { "_25._tcp.mx.example.org", true },
		{ "0/26.2.0.192.in-addr.arpa", true }, { "a b.example", true },
		{ "", false }, { ".", false }, { "a..b", false },
		{ ".a", false }, { "a..", false },
	};
	char name[300];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		assert_int_equal(dns_name_valid(bytes_str(cases[i].name)),
		    cases[i].valid);
	assert_false(dns_name_valid(bytes_of("a\0b", 3)));
	assert_int_equal(strlen(l63), 63);
	assert_true(dns_name_valid(bytes_str(l63)));
	(void)snprintf(name, sizeof(name), "%sx.example", l63);
	assert_false(dns_name_valid(bytes_str(name)));
	/* 63 * 3 + 3 dots + 61 = 253 */
	(void)snprintf(name, sizeof(name), "%s.%s.%s.%.61s.", l63, l63, l63,
	    l63);
	assert_true(dns_name_valid(bytes_str(name)));
	(void)snprintf(name, sizeof(name), "%s.%s.%s.%.62s", l63, l63, l63,
	    l63);
	assert_false(dns_name_valid(bytes_str(name)));
}

static void
test_name_compare(void **state)
{
	(void)state;
	assert_true(dns_name_eq(BYTES("A.Example."), BYTES("a.example")));
	assert_false(dns_name_eq(BYTES("a.example"), BYTES("b.example")));
	assert_true(dns_name_below(BYTES("a.EXAMPLE"), BYTES("example.")));
	assert_true(dns_name_below(BYTES("example"), BYTES("example")));
	assert_false(dns_name_below(BYTES("badexample"), BYTES("example")));
	assert_false(dns_name_below(BYTES("example"), BYTES("a.example")));
	assert_true(dns_name_below(BYTES("example"), BYTES("")));
}

static void
test_reverse(void **state)
{
	char out[DNS_REVERSE_MAX];
	struct ip ip;

	(void)state;
	assert_int_equal(ip_parse(BYTES("192.0.2.255"), &ip), 0);
	assert_string_equal(dns_reverse(&ip, out), "255.2.0.192.in-addr.arpa");
	assert_int_equal(ip_parse(BYTES("2001:db8::cb01"), &ip), 0);
	assert_string_equal(dns_reverse(&ip, out), "1.0.b.c.0.0.0.0.0.0.0.0."
	    "0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

static void
test_types(void **state)
{
	enum dns_type type;

	(void)state;
	assert_int_equal(dns_type_parse(BYTES("tlsa"), &type), 0);
	assert_int_equal(type, DNS_TLSA);
	assert_string_equal(dns_type_name(DNS_AAAA), "AAAA");
	assert_int_equal(dns_type_parse(BYTES("SOA"), &type), -1);
	assert_int_equal(errno, EINVAL);
	assert_string_equal(dns_status_name(DNS_NXDOMAIN), "nxdomain");
}

static void
test_server_parse(void **state)
{
	static const struct {
		const char *text, *ip;
		int port;
		bool trusted;
	} cases[] = {
		{ "127.0.0.1", "127.0.0.1", 53, true },
		{ "192.0.2.1:5353", "192.0.2.1", 5353, false },
		{ "::1", "::1", 53, true },
		{ "[::1]:65535", "::1", 65535, true },
		{ "[2001:db8::1]", "2001:db8::1", 53, false },
		{ "2001:db8::1", "2001:db8::1", 53, false },
	};
	static const char *const bad[] = { "", "a", "192.0.2.1:", "127.0.0.1:0",
		"127.0.0.1:65536", "[::1", "[::1]x", "[::1]:", "1.2.3",
		"127.0.0.1:53 " };
	struct dns_server s;
	char ip[IP_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		assert_int_equal(dns_server_parse(bytes_str(cases[i].text),
		    &s), 0);
		assert_string_equal(ip_format(&s.ip, ip), cases[i].ip);
		assert_int_equal(s.port, cases[i].port);
		assert_int_equal(s.trusted, cases[i].trusted);
	}
	for (i = 0; i < COUNT(bad); i++) {
		assert_int_equal(dns_server_parse(bytes_str(bad[i]), &s), -1);
		assert_int_equal(errno, EBADMSG);
	}
}

/* ---- wire ---- */

static void
test_format_query(void **state)
{
	static const unsigned char want[] = "\x12\x34\x01\x20\0\1\0\0\0\0\0\1"
	    "\2mx\7example\0\0\x1c\0\1" "\0\0\x29\4\xd0\0\0\0\0\0\0";
	struct buf b = BUF_INIT(512);

	(void)state;
	assert_int_equal(dns_format_query(&b, 0x1234, DNS_AAAA,
	    BYTES("mx.example."), true), 0);
	assert_int_equal(b.n, sizeof(want) - 1);
	assert_memory_equal(b.p, want, b.n);
	buf_reset(&b);
	assert_int_equal(dns_format_query(&b, 1, DNS_A, BYTES("a..b"), true),
	    -1);
	assert_int_equal(errno, EINVAL);
	buf_free(&b);
}

static void
test_parse_types(void **state)
{
	struct buf b = BUF_INIT(BIG);
	struct dns_answer r;
	char ip[IP_TEXT_MAX];

	(void)state;
	put_head(&b, 0x20, 3, 0, "Mail.example", DNS_A);
	put_rr(&b, "mail.EXAMPLE", DNS_A, "\xc0\0\2\2", 4);
	put_rr(&b, "mail.example", DNS_A, "\xc0\0\2\1", 4);
	put_rr(&b, "mail.example", DNS_A, "\xc0\0\2\2", 4);
	assert_int_equal(parse(&b, DNS_A, "mail.example.", &r), DNS_PARSED);
	assert_int_equal(r.status, DNS_OK);
	assert_true(r.authentic);
	assert_int_equal(r.nrecords, 2);
	assert_string_equal(ip_format(&r.records[0].ip, ip), "192.0.2.1");
	assert_int_equal(r.records[0].ttl_seconds, 60);
	assert_text(r.name, "mail.example");
	assert_string_equal(r.why, "");

	put_head(&b, 0, 2, 0, "a.example", DNS_MX);
	put_rr(&b, "a.example", DNS_MX, "\0\x0a\3MX2\xc0\x0e", 8);
	put_rr(&b, "a.example", DNS_MX, "\0\0\0", 3);
	assert_int_equal(parse(&b, DNS_MX, "a.example", &r), DNS_PARSED);
	assert_false(r.authentic);
	assert_int_equal(r.records[0].preference, 0);
	assert_text(r.records[0].name, "");
	assert_int_equal(r.records[1].preference, 10);
	assert_text(r.records[1].name, "mx2.example");

	put_head(&b, 0, 2, 0, "a.example", DNS_TXT);
	put_rr(&b, "a.example", DNS_TXT, "\3one\0\4 two", 10);
	put_rr(&b, "a.example", DNS_TXT, "", 0);
	assert_int_equal(parse(&b, DNS_TXT, "a.example", &r), DNS_PARSED);
	assert_text(r.records[0].data, "");
	assert_text(r.records[1].data, "one two");

	put_head(&b, 0, 1, 0, "a.example", DNS_TLSA);
	put_rr(&b, "a.example", DNS_TLSA, "\3\1\1hash", 7);
	assert_int_equal(parse(&b, DNS_TLSA, "a.example", &r), DNS_PARSED);
	assert_int_equal(r.records[0].usage, 3);
	assert_int_equal(r.records[0].selector, 1);
	assert_int_equal(r.records[0].matching, 1);
	assert_text(r.records[0].data, "hash");
	buf_free(&b);
}

static void
test_parse_negative(void **state)
{
	static const char soa[] = "\0\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0";
	struct buf b = BUF_INIT(BIG);
	struct dns_answer r;

	(void)state;
	put_head(&b, 0, 0, 1, "a.example", DNS_A);
	put_rr(&b, "example", 6, soa, sizeof(soa));
	assert_int_equal(parse(&b, DNS_A, "a.example", &r), DNS_PARSED);
	assert_int_equal(r.status, DNS_NODATA);
	put_head(&b, 3, 0, 0, "a.example", DNS_A);
	assert_int_equal(parse(&b, DNS_A, "a.example", &r), DNS_PARSED);
	assert_int_equal(r.status, DNS_NXDOMAIN);
	/* An alias whose end is not there: to be asked, or really nothing. */
	put_head(&b, 0, 1, 0, "a.example", DNS_A);
	put_cname(&b, "a.example", "b.example");
	assert_int_equal(parse(&b, DNS_A, "a.example", &r),
	    DNS_PARSED_ALIAS);
	assert_text(r.name, "b.example");
	put_head(&b, 0, 1, 1, "a.example", DNS_A);
	put_cname(&b, "a.example", "b.example");
	put_rr(&b, "example", 6, soa, sizeof(soa));
	assert_int_equal(parse(&b, DNS_A, "a.example", &r), DNS_PARSED);
	assert_int_equal(r.status, DNS_NODATA);
	put_head(&b, 3, 1, 0, "a.example", DNS_A);
	put_cname(&b, "a.example", "b.example");
	assert_int_equal(parse(&b, DNS_A, "a.example", &r), DNS_PARSED);
	assert_int_equal(r.status, DNS_NXDOMAIN);
	put_head(&b, 0, 1, 0, "a.example", DNS_CNAME);
	put_cname(&b, "a.example", "B.example");
	assert_int_equal(parse(&b, DNS_CNAME, "a.example", &r), DNS_PARSED);
	assert_text(r.records[0].name, "b.example");
	buf_free(&b);
}

static void
test_parse_not_ours(void **state)
{
	struct buf b = BUF_INIT(BIG);
	struct dns_answer r;

	(void)state;
	put_head(&b, 0, 0, 0, "a.example", DNS_A);
	assert_int_equal(dns_parse(buf_bytes(&b), 0x1235, DNS_A,
	    BYTES("a.example"), &arena, &r), DNS_PARSED_OTHER);
	assert_int_equal(parse(&b, DNS_A, "b.example", &r), DNS_PARSED_OTHER);
	assert_int_equal(parse(&b, DNS_MX, "a.example", &r),
	    DNS_PARSED_OTHER);
	b.p[b.n - 1] = 3;	/* class CH */
	assert_int_equal(parse(&b, DNS_A, "a.example", &r), DNS_PARSED_OTHER);
	put_head(&b, 0, 0, 0, "a.example", DNS_A);
	b.p[2] &= 0x7f;		/* a query */
	assert_int_equal(parse(&b, DNS_A, "a.example", &r), DNS_PARSED_OTHER);
	put_head(&b, 0, 0, 0, "a.example", DNS_A);
	b.p[5] = 2;		/* two questions */
	assert_int_equal(parse(&b, DNS_A, "a.example", &r), DNS_PARSED_OTHER);
	assert_int_equal(dns_parse(bytes_first(buf_bytes(&b), 11), 0x1234,
	    DNS_A, BYTES("a.example"), &arena, &r), DNS_PARSED_OTHER);
	buf_free(&b);
}

static void
test_parse_errors(void **state)
{
	struct buf b = BUF_INIT(BIG);
	struct dns_answer r;

	(void)state;
	put_head(&b, 2, 0, 0, "a.example", DNS_A);
	assert_int_equal(parse(&b, DNS_A, "a.example", &r),
	    DNS_PARSED_FAILED);
	assert_int_equal(r.status, DNS_TEMP);
	assert_string_equal(r.why, "server failure");
	b.p[5] = 0;
	b.n = 12;	/* without the question */
	assert_int_equal(parse(&b, DNS_A, "a.example", &r),
	    DNS_PARSED_FAILED);
	put_head(&b, 5, 0, 0, "a.example", DNS_A);
	assert_int_equal(parse(&b, DNS_A, "a.example", &r),
	    DNS_PARSED_FAILED);
	assert_string_equal(r.why, "server refuses");
	put_head(&b, 1, 0, 0, "a.example", DNS_A);
	assert_int_equal(parse(&b, DNS_A, "a.example", &r),
	    DNS_PARSED_NOEDNS);
	put_head(&b, 4, 0, 0, "a.example", DNS_A);
	assert_int_equal(parse(&b, DNS_A, "a.example", &r),
	    DNS_PARSED_NOEDNS);
	/* BADVERS: 16 is split over header and OPT. */
	put_head(&b, 0, 0, 0, "a.example", DNS_A);
	b.p[11] = 1;
	assert_int_equal(buf_add(&b, bytes_of("\0\0\x29\4\xd0\1\0\0\0\0\0",
	    11)), 0);
	assert_int_equal(parse(&b, DNS_A, "a.example", &r),
	    DNS_PARSED_NOEDNS);
	put_head(&b, 0x200, 0, 0, "a.example", DNS_A);
	assert_int_equal(parse(&b, DNS_A, "a.example", &r),
	    DNS_PARSED_TRUNCATED);
	buf_free(&b);
}

/* An answer with these options in its OPT record. */
static void
put_options(struct buf *b, unsigned int rcode, struct bytes options)
{
	put_head(b, rcode, 0, 0, "a.example", DNS_A);
	b->p[11] = 1;
	assert_int_equal(buf_add(b, bytes_of("\0\0\x29\4\xd0\0\0\0\0", 9)),
	    0);
	put16(b, (unsigned int)options.n);
	assert_int_equal(buf_add(b, options), 0);
}

static void
test_extended(void **state)
{
	static const struct {
		struct bytes options;
		unsigned int rcode;
		const char *described;
	} all[] = {
		{ BYTES("\0\xf\0\2\0\6"), 2,
		    "server failure: DNSSEC Bogus (6)" },
		{ BYTES("\0\xf\0\5\0\7old"), 2,
		    "server failure: Signature Expired (7): old" },
		{ BYTES("\0\xf\0\6\0\7old\0"), 2,
		    "server failure: Signature Expired (7): old" },
		{ BYTES("\0\xa\0\1x\0\xf\0\2\0\6\0\xf\0\2\0\7"), 2,
		    "server failure: DNSSEC Bogus (6)" },
		{ BYTES("\0\xf\0\4\x10\0\n\x1b"), 5,
		    "server refuses: extended error (4096): \\x0a\\x1b" },
		{ BYTES("\0\xf\0\2\0\3"), 3,
		    "no such name: Stale Answer (3)" },
		{ BYTES("\0\xf\0\2\0\x18"), 0,
		    "no such record: Invalid Data (24)" },
		{ BYTES("\0\xf\0\1\0"), 2, "server failure" },
		{ BYTES("\0\xf\0\x9\0\6"), 2, "server failure" },
		{ BYTES("\0\xf\0"), 2, "server failure" },
		{ BYTES(""), 2, "server failure" },
	};
	static char text[DNS_EXTENDED_TEXT_MAX + 1];
	struct buf b = BUF_INIT(BIG), o = BUF_INIT(BIG);
	struct dns_answer r;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(all); i++) {
		put_options(&b, all[i].rcode, all[i].options);
		(void)parse(&b, DNS_A, "a.example", &r);
		assert_string_equal(dns_describe(&r, &arena),
		    all[i].described);
	}
	/* As much text as is kept, and a byte more. */
	memset(text, 'x', sizeof(text));
	for (i = 0; i < 2; i++) {
		buf_reset(&o);
		put16(&o, 15);
		put16(&o, (unsigned int)(2 + DNS_EXTENDED_TEXT_MAX + i));
		put16(&o, 6);
		buf_add(&o, bytes_of(text, DNS_EXTENDED_TEXT_MAX + i));
		put_options(&b, 2, buf_bytes(&o));
		(void)parse(&b, DNS_A, "a.example", &r);
		assert_int_equal(r.extended.text.n, DNS_EXTENDED_TEXT_MAX);
	}
	buf_free(&b);
	buf_free(&o);
}

static void
test_parse_malformed(void **state)
{
	/* Owner, type and data of one record behind the question a.example,
	 * which starts at 12 and ends at 27. */
	static const struct {
		const char *rr;
		size_t n;
		enum dns_type type;
	} cases[] = {
		{ "\xc0\x0c\0\1\0\1\0\0\0\0\0\3\1\2\3", 15, DNS_A },
		{ "\xc0\x0c\0\1\0\1\0\0\0\0\0\5\1\2\3\4\5", 17, DNS_A },
		{ "\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3", 15, DNS_A },
		{ "\xc0\x0c\0\1\0\1\0\0\0\0\0", 11, DNS_A },
		{ "\xc0\x0c", 2, DNS_A },
		{ "\xc0", 1, DNS_A },
		{ "\xc0\x1b\0\1\0\1\0\0\0\0\0\4\1\2\3\4", 16, DNS_A },
		{ "\xc0\xff\0\1\0\1\0\0\0\0\0\4\1\2\3\4", 16, DNS_A },
		{ "\x41\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4", 16, DNS_A },
		{ "\x80\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4", 16, DNS_A },
		{ "\xc0\x0c\0\x10\0\1\0\0\0\0\0\3\3ab", 15, DNS_TXT },
		{ "\xc0\x0c\0\x0f\0\1\0\0\0\0\0\2\0\1", 14, DNS_MX },
		{ "\xc0\x0c\0\x0f\0\1\0\0\0\0\0\5\0\1\xc0\x0c\0", 17, DNS_MX },
		{ "\xc0\x0c\0\x0f\0\1\0\0\0\0\0\3\0\1\xc0\x0c", 16, DNS_MX },
		{ "\xc0\x0c\0\5\0\1\0\0\0\0\0\4\1a\1b", 16, DNS_A },
		{ "\xc0\x0c\0\x0c\0\1\0\0\0\0\0\5\3a.b\0", 17, DNS_PTR },
		{ "\xc0\x0c\0\x0c\0\1\0\0\0\0\0\4\2\0b\0", 16, DNS_PTR },
		{ "\xc0\x0c\0\x34\0\1\0\0\0\0\0\2\3\1", 14, DNS_TLSA },
	};
	struct buf b = BUF_INIT(BIG);
	struct dns_answer r;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		put_head(&b, 0, 1, 0, "a.example", cases[i].type);
		assert_int_equal(buf_add(&b, bytes_of(cases[i].rr,
		    cases[i].n)), 0);
		assert_int_equal(parse(&b, cases[i].type, "a.example", &r),
		    DNS_PARSED_BAD);
		assert_int_equal(r.status, DNS_BAD);
		assert_int_equal(r.nrecords, 0);
		assert_true(r.why[0] != '\0');
	}
	buf_free(&b);
}

/* An answer to c0.example with n aliases before the record. */
static enum dns_parsed
parse_chain(enum dns_type type, unsigned int n)
{
	struct buf b = BUF_INIT(BIG);
	struct dns_answer r;
	char from[20], to[20];
	enum dns_parsed got;

	put_head(&b, 0, n + 1, 0, "c0.example", type);
	/* Backwards: the order of records says nothing. */
	for (unsigned int i = n; i-- > 0;) {
		(void)snprintf(from, sizeof(from), "c%u.example", i);
		(void)snprintf(to, sizeof(to), "c%u.example", i + 1);
		put_cname(&b, from, to);
	}
	(void)snprintf(to, sizeof(to), "c%u.example", n);
	put_rr(&b, to, type, "\3\1\1\1", 4);
	got = parse(&b, type, "c0.example", &r);
	if (got == DNS_PARSED)
		assert_int_equal(r.aliases, n);
	buf_free(&b);
	return got;
}

static void
test_parse_chain(void **state)
{
	struct buf b = BUF_INIT(BIG);
	struct dns_answer r;

	(void)state;
	assert_int_equal(parse_chain(DNS_A, 16), DNS_PARSED);
	assert_int_equal(parse_chain(DNS_A, 17), DNS_PARSED_BAD);
	assert_int_equal(parse_chain(DNS_TLSA, 10), DNS_PARSED);
	assert_int_equal(parse_chain(DNS_TLSA, 11), DNS_PARSED_BAD);
	put_head(&b, 0, 2, 0, "a.example", DNS_A);
	put_cname(&b, "a.example", "b.example");
	put_cname(&b, "b.example", "a.example");
	assert_int_equal(parse(&b, DNS_A, "a.example", &r), DNS_PARSED_BAD);
	assert_string_equal(r.why, "CNAME chain is circular or too long");
	buf_free(&b);
}

static void
test_parse_many(void **state)
{
	struct buf b = BUF_INIT(BIG);
	struct dns_answer r;
	unsigned char ip[4] = { 10, 0, 0, 0 };
	unsigned int n, i;

	(void)state;
	for (n = DNS_RECORDS_MAX; n <= DNS_RECORDS_MAX + 1; n++) {
		put_head(&b, 0, n, 0, "a.example", DNS_A);
		for (i = 0; i < n; i++) {
			ip[2] = (unsigned char)(i >> 8);
			ip[3] = (unsigned char)(i & 255);
			put_rr(&b, "a.example", DNS_A, ip, 4);
		}
		if (n == DNS_RECORDS_MAX) {
			assert_int_equal(parse(&b, DNS_A, "a.example", &r),
			    DNS_PARSED);
			assert_int_equal(r.nrecords, n);
		} else {
			assert_int_equal(parse(&b, DNS_A, "a.example", &r),
			    DNS_PARSED_BAD);
			assert_string_equal(r.why, "too many records");
		}
	}
	buf_free(&b);
}

int
main(void)
{
#define T(name, fn) { name, fn, reset, reset, NULL }
	const struct CMUnitTest tests[] = {
		T("C-4 names and their limits", test_name_valid),
		T("C-4 names compare without case", test_name_compare),
		T("C-4 reverse names", test_reverse),
		T("C-4 record types", test_types),
		T("C-4 server addresses", test_server_parse),
		T("C-4 query format, AD bit and EDNS0", test_format_query),
		T("C-4 answers of every type", test_parse_types),
		T("C-4 negative answers told apart", test_parse_negative),
		T("bad DNS: not the answer to our query",
		    test_parse_not_ours),
		T("bad DNS: errors, truncation", test_parse_errors),
		T("T-12 extended errors (RFC 8914)", test_extended),
		T("bad DNS: malformed records, loops", test_parse_malformed),
		T("Q-10 T-2 CNAME chains at the limit, and one past it",
		    test_parse_chain),
		T("bad DNS: too many records", test_parse_many),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
