/* psl: public suffixes and organisational domains */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "psl/psl.h"

static void
suffixes(void **state)
{
	static const struct {
		const char *domain;
		bool suffix;
	} t[] = {
		{ "com", true }, { "COM", true }, { "com.", true },
		{ "co.uk", true }, { "example.com", false },
		{ "example.co.uk", false }, { "unlisted-tld", true },
		{ "localhost", false }, { "", true },
		{ "xn--fiqs8s", true }, { "a..b", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (psl_domain_is_suffix(bytes_str(t[i].domain)) !=
		    t[i].suffix)
			fail_msg("%s", t[i].domain);
	}
}

static void
organisations(void **state)
{
	static const char *const t[][2] = {
		{ "a.b.example.com", "example.com" },
		{ "A.B.Example.co.uk", "example.co.uk" },
		{ "example.com.", "example.com" },
		{ "com", "com" },
		{ "localhost", "localhost" },
	};
	struct arena a = ARENA_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct bytes got = psl_organisational_domain(&a,
		    bytes_str(t[i][0]));

		assert_true(bytes_eq(got, bytes_str(t[i][1])));
	}
	arena_free(&a);
}

static void
name_limit(void **state)
{
	char name[PSL_DOMAIN_MAX + 2];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_true(psl_domain_is_suffix(bytes_of(name, PSL_DOMAIN_MAX)));
	assert_false(psl_domain_is_suffix(bytes_of(name, PSL_DOMAIN_MAX + 1)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "A-9 public suffixes", suffixes, NULL, NULL, NULL },
		{ "A-9 organisational domains", organisations, NULL, NULL,
		    NULL },
		{ "a name at the limit and one past it", name_limit, NULL,
		    NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
