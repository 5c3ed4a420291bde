/* Tests of lib/iprev on a table of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "iprev/iprev.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct arena arena;

/* Addresses of names; "TEMP" fails. PTR names are made from the address:
 * 192.0.2.N has what ptr[N] says, separated by blanks. */
static const struct {
	const char *name, *ip;
} hosts[] = {
	{ "good.example", "192.0.2.1" },
	{ "good.example", "198.51.100.1" },
	{ "other.example", "198.51.100.2" },
	{ "temp.example", "TEMP" },
	{ "odd\n(name).example", "192.0.2.6" },
	{ "six.example", "2001:db8::1" },
};
static const char *const ptr[] = {
	"", "Good.example", "other.example good.example", "other.example",
	"temp.example other.example", "temp.example temp2.example",
	"odd\n(name).example", "TEMP", "temp.example zz.example",
};
static size_t asked;

static void
add(struct dns_answer *out, struct arena *a, enum dns_type type,
    const char *ip, struct bytes name)
{
	struct dns_record *r = arena_zalloc(a, out->nrecords + 1, sizeof(*r));

	if (out->nrecords > 0)
		memcpy(r, out->records, out->nrecords * sizeof(*r));
	r[out->nrecords].type = type;
	r[out->nrecords].data = BYTES_EMPTY;
	r[out->nrecords].name = arena_lower(a, name);
	if (ip != NULL)
		assert_int_equal(ip_parse(bytes_str(ip),
		    &r[out->nrecords].ip), 0);
	out->records = r;
	out->nrecords++;
}

static void
add_names(struct dns_answer *out, struct arena *a, struct bytes names)
{
	struct bytes word;

	if (bytes_eq(names, BYTES("TEMP"))) {
		out->status = DNS_TEMP;
		out->why = "server failure";
	}
	while (out->status != DNS_TEMP && bytes_split(&names, ' ', &word))
		add(out, a, DNS_PTR, NULL, word);
	if (out->status != DNS_TEMP && word.n > 0)
		add(out, a, DNS_PTR, NULL, word);
}

static int
answer(void *ctx, struct arena *a, enum dns_type type, struct bytes name,
    struct dns_answer *out)
{
	char many[40];
	uint64_t n;
	size_t i;

	(void)ctx;
	asked++;
	*out = (struct dns_answer){ .name = name, .why = "",
		.authentic = true };
	if (type == DNS_PTR && num_cut(&name, 1000, &n) == 0 &&
	    bytes_eq(name, BYTES(".2.0.192.in-addr.arpa"))) {
		if (n < COUNT(ptr))
			add_names(out, a, bytes_str(ptr[n]));
		for (i = 0; n >= 100 && i < n - 100; i++) {
			(void)snprintf(many, sizeof(many), "m%02zu.example",
			    i);
			add(out, a, type, NULL, bytes_str(many));
		}
	} else if (type == DNS_PTR) {
		add(out, a, type, NULL, BYTES("six.example"));
	}
	for (i = 0; type != DNS_PTR && i < COUNT(hosts); i++) {
		if (!dns_name_eq(bytes_str(hosts[i].name), name))
			continue;
		if (hosts[i].ip[0] == 'T') {
			out->status = DNS_TEMP;
			out->authentic = false;
			return 1;
		}
		add(out, a, type, hosts[i].ip, BYTES_EMPTY);
	}
	if (out->nrecords == 0 && out->status != DNS_TEMP)
		out->status = DNS_NXDOMAIN;
	return 1;
}

static struct iprev
check(const char *text)
{
	struct dns_options o = { .source = { answer, NULL } };
	struct dns *d = dns_new(&o);
	struct iprev r;
	struct ip ip;

	assert_int_equal(ip_parse(bytes_str(text), &ip), 0);
	arena_reset(&arena);
	asked = 0;
	iprev_check(d, &arena, &ip, &r);
	dns_free(d);
	return r;
}

static void
assert_line(const char *ip, const char *line, const char *resinfo)
{
	struct iprev r = check(ip);
	struct buf b = BUF_INIT(1000);

	assert_int_equal(iprev_format_line(&b, &r), 0);
	assert_int_equal(buf_addc(&b, 0), 0);
	assert_string_equal((const char *)b.p, line);
	buf_reset(&b);
	assert_int_equal(iprev_format_resinfo(&b, &r), 0);
	assert_int_equal(buf_addc(&b, 0), 0);
	assert_string_equal((const char *)b.p, resinfo);
	buf_free(&b);
}

static void
test_results(void **state)
{
	(void)state;
	assert_line("192.0.2.1", "pass\t192.0.2.1\tgood.example\t-",
	    "iprev=pass (with dnssec) policy.iprev=192.0.2.1 (good.example)");
	assert_line("192.0.2.3", "fail\t192.0.2.3\tother.example\t"
	    "name does not have this address",
	    "iprev=fail (with dnssec) policy.iprev=192.0.2.3 (other.example)");
	assert_line("192.0.2.0", "permerror\t192.0.2.0\t-\tno reverse name",
	    "iprev=permerror (with dnssec) policy.iprev=192.0.2.0");
	assert_line("192.0.2.7", "temperror\t192.0.2.7\t-\tserver failure",
	    "iprev=temperror (with dnssec) policy.iprev=192.0.2.7");
	assert_line("192.0.2.4", "temperror\t192.0.2.4\tother.example\t"
	    "name cannot be looked up now",
	    "iprev=temperror policy.iprev=192.0.2.4 (other.example)");
	assert_line("2001:db8::1", "pass\t2001:db8::1\tsix.example\t-",
	    "iprev=pass (with dnssec) policy.iprev=\"2001:db8::1\" "
	    "(six.example)");
	assert_line("2001:db8::2", "fail\t2001:db8::2\tsix.example\t"
	    "name does not have this address",
	    "iprev=fail (with dnssec) policy.iprev=\"2001:db8::2\" "
	    "(six.example)");
}

/* A name of strange bytes confirms, and is not shown. */
static void
test_odd_name(void **state)
{
	(void)state;
	assert_line("192.0.2.6", "pass\t192.0.2.6\t-\t-",
	    "iprev=pass (with dnssec) policy.iprev=192.0.2.6");
}

static void
test_limit(void **state)
{
	(void)state;
	(void)check("192.0.2.110");
	assert_int_equal(asked, 1 + IPREV_NAMES_MAX);
	(void)check("192.0.2.111");
	assert_int_equal(asked, 1 + IPREV_NAMES_MAX);
}

static void
test_authentic(void **state)
{
	struct iprev r = check("192.0.2.1");
	struct dns *d;

	(void)state;
	assert_true(r.authentic);
	r = check("192.0.2.4");
	assert_false(r.authentic);
	d = dns_new(NULL);
	iprev_check(d, &arena, &(struct ip){ .family = 0 }, &r);
	assert_int_equal(r.result, IPREV_PERMERROR);
	dns_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name, fn) { name, fn, NULL, NULL, NULL }
		T("A-7 A-8 iprev results, lines and resinfo", test_results),
		T("A-7 names that may not be shown", test_odd_name),
		T("A-7 limit of names", test_limit),
		T("A-7 DNSSEC status", test_authentic),
	};

	(void)unsetenv("PIPEMAIL_DNS");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("iprev", tests, NULL, NULL);
}
