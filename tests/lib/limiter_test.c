/* limiter_test - counts by masked address */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "server/server.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct ip
ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(bytes_str(text), &ip), 0);
	return ip;
}

static struct ip
numbered(const char *net, unsigned int byte, unsigned int value)
{
	struct ip ip = ip_of(net);

	ip.a[byte] = (unsigned char)(value & 0xff);
	return ip;
}

static void
test_masks(void **state)
{
	static const unsigned int limits[3] = { 2, 4, 6 };
	static const struct {
		const char *ip;
		bool counted;
	} t[] = {
		{ "10.0.0.1", true }, { "10.0.0.1", true },
		{ "10.0.0.1", false },			/* /32 */
		{ "10.0.0.2", true }, { "10.0.0.63", true },
		{ "10.0.0.3", false },			/* /26 */
		{ "10.0.0.64", true }, { "10.0.7.255", true },
		{ "10.0.1.1", false },			/* /21 */
		{ "10.0.8.1", true },
		{ "2001:db8::1", true }, { "2001:db8::2", true },
		{ "2001:db8::3", false },		/* /64 */
		{ "2001:db8:0:1::1", true }, { "2001:db8:0:ffff::1", true },
		{ "2001:db8:0:2::1", false },		/* /48 */
		{ "2001:db8:1::1", true }, { "2001:db8:ffff::1", true },
		{ "2001:db8:2::1", false },		/* /32 */
		{ "2001:db9::1", true },
	};
	struct limiter *l = limiter_new(limits, 60, 1000);
	struct ip ip;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		ip = ip_of(t[i].ip);
		assert_int_equal(limiter_allows(l, &ip, 100), t[i].counted);
		if (limiter_add(l, &ip, 100) != t[i].counted)
			fail_msg("row %zu: %s", i, t[i].ip);
	}
	/* A new window begins with nothing counted. */
	ip = ip_of("10.0.0.1");
	assert_false(limiter_add(l, &ip, 119));
	assert_true(limiter_add(l, &ip, 120));
	assert_true(limiter_add(l, &ip, 120));
	assert_false(limiter_add(l, &ip, 179));
	limiter_free(l);
}

static void
test_default_limits(void **state)
{
	const unsigned int *open = SERVER_LIMITS_MAIL.open;
	const unsigned int *rate = SERVER_LIMITS_MAIL.per_minute;
	struct limiter *l = limiter_new(open, 0, 1000);
	struct limiter *r = limiter_new(rate, 60, 10000);
	struct ip ip = ip_of("192.0.2.1");
	unsigned int i, host;

	(void)state;
	for (i = 0; i < 30; i++)
		assert_true(limiter_add(l, &ip, 0));
	assert_false(limiter_add(l, &ip, 0));
	for (host = 2; host < 4; host++) {
		ip = numbered("192.0.2.0", 3, host);
		for (i = 0; i < 30; i++)
			assert_true(limiter_add(l, &ip, 0));
	}
	ip = ip_of("192.0.2.9");
	assert_false(limiter_add(l, &ip, 0));		/* 90 of the /26 */
	ip = ip_of("192.0.2.1");
	for (i = 0; i < 300; i++)
		assert_true(limiter_add(r, &ip, 7));
	assert_false(limiter_add(r, &ip, 7));
	limiter_free(l);
	limiter_free(r);
}

static void
test_open_counts(void **state)
{
	static const unsigned int limits[3] = { 3, 0, 0 };
	struct limiter *l = limiter_new(limits, 0, 300);
	struct ip ip[100];
	unsigned int i, round;

	(void)state;
	/* In and out in every order: no count is lost or left over. */
	for (i = 0; i < 100; i++)
		ip[i] = numbered("10.1.0.0", i % 2 == 0 ? 1 : 3, i);
	for (round = 0; round < 50; round++) {
		for (i = 0; i < 100; i++)
			assert_true(limiter_add(l, &ip[i], 0));
		for (i = 0; i < 100; i++) {
			assert_true(limiter_add(l, &ip[i], 0));
			assert_true(limiter_add(l, &ip[i], 0));
			assert_false(limiter_add(l, &ip[i], 0));
		}
		for (i = 0; i < 300; i++)
			limiter_remove(l, &ip[(i * 37 + round) % 100]);
	}
	limiter_remove(l, &ip[0]);	/* never below zero */
	for (i = 0; i < 3; i++)
		assert_true(limiter_add(l, &ip[0], 0));
	assert_false(limiter_add(l, &ip[0], 0));
	limiter_free(l);
}

static void
test_forget(void **state)
{
	static const unsigned int limits[3] = { 10, 12, 0 };
	struct limiter *l = limiter_new(limits, 60, 300);
	struct ip a = ip_of("10.0.0.1"), b = ip_of("10.0.0.2");
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_true(limiter_add(l, &a, 0));
	assert_true(limiter_add(l, &b, 0));
	assert_true(limiter_add(l, &b, 0));
	assert_false(limiter_add(l, &b, 0));	/* 12 of the /26 */
	limiter_forget(l, &a, 0);
	for (i = 0; i < 8; i++)
		assert_true(limiter_add(l, &b, 0));
	assert_false(limiter_add(l, &b, 0));
	assert_true(limiter_add(l, &a, 0));
	limiter_free(l);
}

static void
test_table_bound(void **state)
{
	static const unsigned int limits[3] = { 5, 0, 0 };
	struct limiter *l = limiter_new(limits, 60, 12);
	struct ip ip, other = { .family = 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++) {	/* three entries each */
		ip = numbered("10.0.0.1", 0, i);
		assert_true(limiter_add(l, &ip, 0));
	}
	ip = numbered("10.0.0.1", 0, 9);
	assert_false(limiter_add(l, &ip, 0));	/* one past what it holds */
	ip = numbered("10.0.0.1", 0, 2);
	assert_true(limiter_add(l, &ip, 0));	/* those known go on */
	ip = numbered("10.0.0.1", 0, 9);
	assert_true(limiter_add(l, &ip, 60));	/* the next window is empty */
	for (i = 0; i < 100; i++)
		assert_true(limiter_add(l, &other, 60));
	limiter_remove(l, &other);
	limiter_free(l);
}
int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "R-28 three masks, IPv4 and IPv6, at the limit and past it",
		    test_masks, NULL, NULL, NULL },
		{ "R-28 30/90 connections open, 300 new ones a minute",
		    test_default_limits, NULL, NULL, NULL },
		{ "R-28 open connections are counted and taken off",
		    test_open_counts, NULL, NULL, NULL },
		{ "a success takes an address's count off all masks",
		    test_forget, NULL, NULL, NULL },
		{ "the table is bounded", test_table_bound, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
