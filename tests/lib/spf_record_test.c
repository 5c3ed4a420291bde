/* Tests of lib/spf: the grammar of records. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "spf/spf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct arena arena;

static void
assert_text(struct bytes s, const char *want)
{
	assert_int_equal(s.n, strlen(want));
	assert_memory_equal(s.p, want, s.n);
}

static void
test_parse(void **state)
{
	static const char *const good[] = { "v=spf1", "v=spf1 ",
		"v=spf1 a/0", "v=spf1 a/32//128", "v=spf1 a//0",
		"v=spf1 a:%{d}/24", "v=spf1 mx:x.example//64",
		"v=spf1 ip4:0.0.0.0/0", "v=spf1 ip6:::1/128",
		"v=spf1 a:foo:bar/baz.example", "v=spf1 a:x.xn--abc",
		"v=spf1 a:x.example.", "v=spf1 a:a._b.c-d", "v=spf1 foo=",
		"v=spf1 x-y.z_1=%{r}%{c}%{t}", "v=spf1 exists:%%",
		"v=spf1 a:x.%_", "v=spf1 exists:%{L10R.-+,/_=}",
		"v=spf1 ptr:x.1a", "v=spf1 -include:x.y exp=x.y redirect=x.y",
	};
	static const char *const bad[] = { "v=spf1 a/33", "v=spf1 a//129",
		"v=spf1 a/024", "v=spf1 a/", "v=spf1 a//", "v=spf1 a/8/8",
		"v=spf1 a///8", "v=spf1 a:", "v=spf1 a:/8", "v=spf1 a:x",
		"v=spf1 a:x.", "v=spf1 a:x.1", "v=spf1 a:x.-a",
		"v=spf1 a:x.a-", "v=spf1 a:x.a_b", "v=spf1 a:x..",
		"v=spf1 a:%{d}x", "v=spf1 a:%{d}.", "v=spf1 ip4",
		"v=spf1 ip4:", "v=spf1 ip4:1.2.3", "v=spf1 ip4:1.2.3.4/33",
		"v=spf1 ip4:1.2.3.4//32", "v=spf1 ip4:1.2.3.04",
		"v=spf1 ip6:1.2.3.4", "v=spf1 ip6:::1/129", "v=spf1 ip6:g::",
		"v=spf1 all:x.y", "v=spf1 all/8", "v=spf1 include",
		"v=spf1 include:x.y/8", "v=spf1 exists", "v=spf1 ptr/8",
		"v=spf1 exists:%", "v=spf1 exists:%x", "v=spf1 exists:%{",
		"v=spf1 exists:%{}", "v=spf1 exists:%{x}",
		"v=spf1 exists:%{c}", "v=spf1 exists:%{d0}",
		"v=spf1 exists:%{d99999999999}", "v=spf1 exists:%{dr1}",
		"v=spf1 exists:%{d*}", "v=spf1 exists:%(d)",
		"v=spf1 redirect=", "v=spf1 redirect=x", "v=spf1 exp=",
		"v=spf1 exp=x.y exp=x.y", "v=spf1 redirect=x.y redirect=x.y",
		"v=spf1 +exp=x.y", "v=spf1 foo=%", "v=spf1 foo=\x80",
		"v=spf1 1a=b", "v=spf1 =b", "v=spf1 --all", "v=spf1 +",
		"v=spf1 a\tb", "v=spf1 \xc3\xa9", "v=spf1 a:x\x7f.y",
		"v=spf10", "spf2.0/pra", "", "v=spf1\tall" };
	struct spf_record record;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		why = "";
		if (spf_parse(bytes_str(good[i]), &arena, &record, &why) != 0)
			fail_msg("%s: %s", good[i], why);
	}
	for (i = 0; i < COUNT(bad); i++) {
		why = NULL;
		if (spf_parse(bytes_str(bad[i]), &arena, &record, &why) == 0)
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(errno, EBADMSG);
		assert_non_null(why);
	}
	assert_int_equal(spf_parse(BYTES("v=spf1 a:foo.example\0"), &arena,
	    &record, &why), -1);
}

static void
test_parse_limits(void **state)
{
	struct buf b = BUF_INIT(SPF_RECORD_MAX + 100);
	struct spf_record record;
	const char *why;
	size_t i;

	(void)state;
	assert_int_equal(buf_adds(&b, "v=spf1"), 0);
	for (i = 0; i < SPF_TERMS_MAX; i++)
		assert_int_equal(buf_adds(&b, " a"), 0);
	assert_int_equal(spf_parse(buf_bytes(&b), &arena, &record, &why), 0);
	assert_int_equal(record.nterms, SPF_TERMS_MAX);
	assert_int_equal(buf_adds(&b, " a"), 0);
	assert_int_equal(spf_parse(buf_bytes(&b), &arena, &record, &why), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_reset(&b);
	assert_int_equal(buf_adds(&b, "v=spf1"), 0);
	while (b.n < SPF_RECORD_MAX)
		assert_int_equal(buf_addc(&b, ' '), 0);
	assert_int_equal(spf_parse(buf_bytes(&b), &arena, &record, &why), 0);
	assert_int_equal(buf_addc(&b, ' '), 0);
	assert_int_equal(spf_parse(buf_bytes(&b), &arena, &record, &why), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&b);
}

static void
test_format_record(void **state)
{
	static const char *const pairs[][2] = {
		{ "V=SPF1  +A/32 ", "v=spf1 a" },
		{ "v=spf1 -MX:x.Example/8//64 ?all", "v=spf1 -mx:x.Example/8"
		    "//64 ?all" },
		{ "v=spf1 ip4:192.0.2.1 ip6:2001:DB8:0:0::1/64", "v=spf1 "
		    "ip4:192.0.2.1/32 ip6:2001:db8::1/64" },
		{ "v=spf1 Redirect=a.b EXP=c.d X=1", "v=spf1 redirect=a.b "
		    "exp=c.d X=1" },
	};
	struct buf b = BUF_INIT(1000);
	struct spf_record record;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(pairs); i++) {
		assert_int_equal(spf_parse(bytes_str(pairs[i][0]), &arena,
		    &record, &why), 0);
		buf_reset(&b);
		assert_int_equal(spf_format(&b, &record), 0);
		assert_text(buf_bytes(&b), pairs[i][1]);
	}
	buf_free(&b);
}

int
main(void)
{
#define T(name, fn) { name, fn, NULL, NULL, NULL }
	const struct CMUnitTest tests[] = {
		T("A-1 record grammar", test_parse),
		T("A-1 record limits", test_parse_limits),
		T("A-1 record format", test_format_record),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("spf_record", tests, NULL, NULL);
}
