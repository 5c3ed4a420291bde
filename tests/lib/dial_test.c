/*
 * dial_test.c - hosts of a domain, their order, the order of addresses
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/socket.h>

#include "dial/dial.h"

/* names that may be dialled. */
static void
host_valid(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} rows[] = {
		{ "mx.example.org", true }, { "mx_1.example.org", true },
		{ "_mx.example.org", true }, { "localhost", true },
		{ "1.2.3.4", false }, { "mx.1", false }, { "", false },
		{ "-mx.example", false }, { "mx-.example", false },
		{ "mx..example", false }, { "m x.example", false },
		{ "mx.example.4a", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (dial_host_valid(bytes_str(rows[i].name)) != rows[i].valid)
			fail_msg("%s", rows[i].name);
	}
}

/* MX "null", "host"; A, AAAA by kind of name; else nothing. */
static int
answer_any(void *ctx, struct arena *a, enum dns_type type,
    struct bytes name, struct dns_answer *out)
{
	struct dns_record *r = arena_zalloc(a, 1, sizeof(*r));
	bool there = false;

	(void)ctx;
	*out = (struct dns_answer){ .name = name, .why = "",
	    .status = DNS_NODATA };
	r->type = type;
	r->name = r->data = BYTES_EMPTY;
	if (type == DNS_MX && bytes_starts(name, BYTES("mx-")))
		there = true;
	if (type == DNS_MX && bytes_starts(name, BYTES("mx-host")))
		r->name = BYTES("mail.example");
	if (type == DNS_MX && bytes_starts(name, BYTES("mx-odd")))
		r->name = BYTES("192.0.2.1");
	there |= type == DNS_A && bytes_starts(name, BYTES("a4"));
	there |= type == DNS_AAAA && bytes_starts(name, BYTES("a6"));
	if (there) {
		out->records = r;
		out->nrecords = 1;
		out->status = DNS_OK;
	}
	if (bytes_starts(name, BYTES("nx")))
		out->status = DNS_NXDOMAIN;
	if (bytes_starts(name, BYTES("temp")) ||
	    (type == DNS_AAAA && bytes_ends(name, BYTES("half"))) ||
	    (type == DNS_MX && bytes_ends(name, BYTES("tempmx"))))
		out->status = DNS_TEMP;
	return 1;
}

/* could mail for the domain be delivered? */
static void
any(void **state)
{
	static const struct {
		const char *name;
		enum dial_found found;
	} rows[] = {
		{ "mx-host", DIAL_FOUND }, { "mx-null", DIAL_NULL_MX },
		{ "mx-odd", DIAL_NO_HOST }, { "a4.example", DIAL_FOUND },
		{ "a6.example", DIAL_FOUND }, { "none", DIAL_NO_DOMAIN },
		{ "nx", DIAL_NO_DOMAIN }, { "temp", DIAL_TEMPORARY },
		{ "a4.tempmx", DIAL_TEMPORARY }, { "half", DIAL_TEMPORARY },
		{ "a4.half", DIAL_FOUND },
	};
	struct dns_options o = { .source = { answer_any, NULL } };
	struct dns *d = dns_new(&o);
	struct arena a = ARENA_INIT;
	struct dial_domain found;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		dial_find_any(d, &a, bytes_str(rows[i].name), &found);
		if (found.found != rows[i].found)
			fail_msg("%s: %d", rows[i].name, (int)found.found);
		assert_non_null(found.why);
	}
	arena_free(&a);
	dns_free(d);
}

static uint32_t
zero(void *ctx, uint32_t below)
{
	(void)ctx;
	assert_true(below > 0);
	return 0;
}

static uint32_t
last(void *ctx, uint32_t below)
{
	(void)ctx;
	return below - 1;
}

static void
shuffle(void **state)
{
	struct dial_mx h[] = { { 5, BYTES("a") }, { 10, BYTES("b") },
	    { 10, BYTES("c") }, { 10, BYTES("d") }, { 20, BYTES("e") } };
	char seen[6] = "";
	unsigned int firsts = 0;

	(void)state;
	for (int n = 0; n < 200; n++) {
		dial_shuffle(h, 5, dial_random, NULL);
		for (size_t i = 0; i < 5; i++)
			seen[i] = (char)h[i].name.p[0];
		assert_int_equal(seen[0], 'a');
		assert_int_equal(seen[4], 'e');
		firsts |= 1u << (seen[1] - 'a');
		assert_int_equal(seen[1] + seen[2] + seen[3],
		    'b' + 'c' + 'd');
	}
	assert_int_equal(firsts, 1 << 1 | 1 << 2 | 1 << 3);
}

static void
before_own(void **state)
{
	struct dial_mx h[] = { { 5, BYTES("a") }, { 10, BYTES("b") },
	    { 10, BYTES("own.example") }, { 20, BYTES("e") } };

	(void)state;
	assert_int_equal(dial_before_own(h, 4, BYTES("other")), 4);
	assert_int_equal(dial_before_own(h, 4, BYTES("OWN.example.")), 1);
	assert_int_equal(dial_before_own(h + 2, 2, BYTES("own.example")), 0);
}

/* "4" is 192.0.2.1, "5" 192.0.2.2, "6" and "7" two of IPv6. */
static struct ip
address(char c)
{
	static const char *const all[] = { "192.0.2.1", "192.0.2.2",
	    "2001:db8::1", "2001:db8::2" };
	struct ip ip;

	assert_int_equal(ip_parse(bytes_str(all[c - '4']), &ip), 0);
	return ip;
}

static void
order(void **state)
{
	static const struct {
		const char *dialled;	/* of this host, oldest first */
		const char *ips, *want;	/* want: first ones */
	} rows[] = {
		{ "", "4567", "" },
		{ "", "46", "64" }, { "", "64", "64" },
		{ "6", "4567", "" }, { "6", "46", "46" },
		{ "4", "46", "64" }, { "46", "46", "46" },
		/* the same address a second time in its family */
		{ "64", "4567", "6" }, { "74", "4567", "7" },
		{ "46", "4567", "4" }, { "56", "4567", "5" },
		/* dialled twice in a family: no more than any */
		{ "5", "45", "5" }, { "4", "45", "4" },
	};
	uint32_t (*const next[])(void *, uint32_t) = { zero, last,
	    dial_random };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) * 3; i++) {
		const char *p;
		struct arena a = ARENA_INIT;
		struct bytes d = BYTES("other.example 192.0.2.1\nbad\n");
		struct ip ips[4], want;
		size_t n = strlen(rows[i / 3].ips), k;

		for (p = rows[i / 3].dialled; *p != '\0'; p++) {
			want = address(*p);
			d = dial_note(&a, d, BYTES("h.example"), &want);
		}
		for (k = 0; k < n; k++)
			ips[k] = address(rows[i / 3].ips[k]);
		dial_order(d, BYTES("h.example"), ips, n, next[i % 3], NULL);
		for (k = 0; rows[i / 3].want[k] != '\0'; k++) {
			want = address(rows[i / 3].want[k]);
			if (!ip_eq(&ips[k], &want))
				fail_msg("row %zu, place %zu", i / 3, k);
		}
		for (k = 1; k < n; k++) {	/* families are not mixed */
			if (k > 1 && ips[k].family == ips[0].family)
				assert_int_equal(ips[k - 1].family,
				    ips[0].family);
		}
		arena_free(&a);
	}
}

static void
note(void **state)
{
	struct arena a = ARENA_INIT;
	struct bytes d = BYTES_EMPTY, line, first;
	struct ip ip = address('4');
	size_t n = 0;

	(void)state;
	for (int i = 0; i <= DIAL_DIALLED_MAX; i++)
		d = dial_note(&a, d, bytes_str(arena_printf(&a, "h%d", i)),
		    &ip);
	first = d;
	while (bytes_line(&d, &line))
		n++;
	assert_int_equal(n, DIAL_DIALLED_MAX);
	assert_true(bytes_starts(first, BYTES("h1 192.0.2.1\n")));
	arena_free(&a);
}

static void
local(void **state)
{
	static const char *const in[] = { "10.0.0.1", "127.0.0.1",
	    "172.31.255.255", "192.168.1.1", "169.254.1.1", "100.64.0.1",
	    "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::",
	    "fd00::1", "fe80::1", "ff02::1", "::ffff:127.0.0.1" };
	static const char *const out[] = { "9.255.255.255", "172.32.0.1",
	    "172.15.0.1", "100.128.0.1", "192.0.2.1", "223.1.1.1",
	    "2001:db8::1", "::2" };
	struct ip ip;

	(void)state;
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		assert_int_equal(ip_parse(bytes_str(in[i]), &ip), 0);
		if (!dial_is_local(&ip))
			fail_msg("%s", in[i]);
	}
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
		assert_int_equal(ip_parse(bytes_str(out[i]), &ip), 0);
		if (dial_is_local(&ip))
			fail_msg("%s", out[i]);
	}
}

/* B-33. */
static void
dead(void **state)
{
	struct dial_dead *d = dial_dead_new();
	struct ip a = address('4'), b = address('6');

	(void)state;
	assert_non_null(d);
	assert_false(dial_dead_is(NULL, &a, 25, 0));
	assert_false(dial_dead_is(d, &a, 25, 1000));
	dial_dead_add(d, &a, 25, 1000);
	assert_true(dial_dead_is(d, &a, 25, 1000 + DIAL_DEAD_S - 1));
	assert_false(dial_dead_is(d, &a, 25, 1000 + DIAL_DEAD_S));
	assert_false(dial_dead_is(d, &a, 26, 1000));
	assert_false(dial_dead_is(d, &b, 25, 1000));
	dial_dead_remove(d, &b, 25);
	assert_true(dial_dead_is(d, &a, 25, 1000));
	dial_dead_remove(d, &a, 25);
	assert_false(dial_dead_is(d, &a, 25, 1000));
}

/* RFC 1928 3 and 6, RFC 1929 2: whole answers, fed octet by octet, and what
 * is asked for on the way. */
static void
socks(void **state)
{
	static const struct {
		enum dial_socks step;
		const char *in;
		size_t n;
		bool good;
	} rows[] = {
		{ DIAL_SOCKS_METHOD, "\5\0", 2, true },
		{ DIAL_SOCKS_METHOD, "\5\377", 2, true },
		{ DIAL_SOCKS_METHOD, "\4\0", 2, false },
		{ DIAL_SOCKS_METHOD, "2", 1, false },
		{ DIAL_SOCKS_LOGIN, "\1\0", 2, true },
		{ DIAL_SOCKS_LOGIN, "\1\1", 2, true },
		{ DIAL_SOCKS_LOGIN, "\5\0", 2, false },
		{ DIAL_SOCKS_REPLY, "\5\0\0\1\177\0\0\1\0\31", 10, true },
		{ DIAL_SOCKS_REPLY, "\5\0\0\3\0\0\31", 7, true },
		{ DIAL_SOCKS_REPLY, "\5\0\0\3\1h\0\31", 8, true },
		{ DIAL_SOCKS_REPLY, "\5\0\0\4AAAAAAAAAAAAAAAA\0\31", 22,
		    true },
		{ DIAL_SOCKS_REPLY, "\5\5\0\1", 4, true },
		{ DIAL_SOCKS_REPLY, "\5\5\0\2", 4, true },
		{ DIAL_SOCKS_REPLY, "\5\0\0\2", 4, false },
		{ DIAL_SOCKS_REPLY, "\5\0\0\0", 4, false },
		{ DIAL_SOCKS_REPLY, "\0\0\0\1", 4, false },
		{ DIAL_SOCKS_REPLY, "HTTP", 4, false },
	};
	unsigned char longest[DIAL_SOCKS_MAX] = { 5, 0, 0, 3, 255 };
	const char *why = NULL;
	ssize_t need;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t n = 0; n <= rows[i].n; n++) {
			need = dial_socks_need(rows[i].step, bytes_of(
			    rows[i].in, n), &why);
			if (need == -1)
				break;
			assert_true(n == rows[i].n ? need == 0 : need > 0 &&
			    (!rows[i].good || (size_t)need <= rows[i].n - n));
		}
		assert_int_equal(need == -1, !rows[i].good);
	}
	assert_int_equal(dial_socks_need(DIAL_SOCKS_REPLY,
	    bytes_of(longest, sizeof(longest)), &why), 0);
	assert_int_equal(dial_socks_need(DIAL_SOCKS_REPLY,
	    bytes_of(longest, sizeof(longest) - 1), &why), 1);
	assert_string_equal(dial_socks_refusal(8),
	    "the proxy does not know this kind of address");
	assert_string_equal(dial_socks_refusal(9),
	    "the proxy refuses, with an unknown code");
	assert_string_equal(dial_socks_refusal(0), dial_socks_refusal(255));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "Q-10 names of hosts", host_valid, NULL, NULL, NULL },
		{ "R-14 MX, null MX, or an address of its own", any, NULL,
		    NULL, NULL },
		{ "Q-10 equal preference is random", shuffle, NULL, NULL,
		    NULL },
		{ "Q-10 only hosts better than this one", before_own, NULL,
		    NULL, NULL },
		{ "Q-11 order of addresses", order, NULL, NULL, NULL },
		{ "Q-11 what is kept of dials", note, NULL, NULL, NULL },
		{ "Q-10 networks that are not the Internet", local, NULL,
		    NULL, NULL },
		{ "B-33 dead addresses", dead, NULL, NULL, NULL },
		{ "Q-6 answers of SOCKS5 proxies", socks, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
