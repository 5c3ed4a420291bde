/* fetch_test.c - what Cache-Control says; requests are in jwks-fetch.t */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fetch/fetch.h"

static void
ages(void **state)
{
	static const struct {
		const char *in;
		int64_t want;
	} cases[] = {
		{ "", -1 }, { "public", -1 }, { "max-age=0", 0 },
		{ "max-age=3600", 3600 }, { "public, Max-Age=60", 60 },
		{ "max-age=\"60\", private", 60 }, { "s-maxage=7", -1 },
		{ "max-age=60, no-store", 0 }, { "No-Cache", 0 },
		{ "max-age=", 0 }, { "max-age=x", 0 }, { "max-age=-1", 0 },
		{ "max-age=6 0", 0 }, { "max-age=1, max-age=2", 1 },
		{ "max-age=2147483648", 2147483648 },
		{ "max-age=2147483649", 2147483648 },
		{ "max-age=99999999999999999999999", 2147483648 },
		{ ",,max-age=5,,", 5 }, { "x-max-age=5", -1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(fetch_max_age(bytes_str(cases[i].in)),
		    cases[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "B-6 max-age of Cache-Control", ages, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
