/* reputation_limit_test.c - J-2: the most messages an answer rests on */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reputation/reputation.h"

#define NOW ((int64_t)1800000000)

/* A history without end. */
static int
endless(void *ctx, const struct reputation_query *q,
    struct reputation_message *out)
{
	unsigned int *asked = ctx;

	if (q->key < REPUTATION_DKIM)
		return 0;
	++*asked;
	assert_int_equal(q->max, REPUTATION_LIST_MAX);
	for (size_t i = 0; i < q->max; i++)
		out[i] = (struct reputation_message){ 1, (uint32_t)i + 1,
		    NOW, true, 0 };
	return (int)q->max;
}

static int
nobody(void *ctx, struct bytes local_part, struct bytes domain, int64_t *last)
{
	(void)ctx;
	(void)local_part;
	(void)domain;
	(void)last;
	return 0;
}

static int
no_domain(void *ctx, struct bytes domain, bool org, int64_t *last)
{
	(void)org;
	return nobody(ctx, BYTES_EMPTY, domain, last);
}

/* As many signatures as are read, and SPF, each with all that is asked for. */
static void
most_messages(void **state)
{
	unsigned int asked = 0;
	const struct reputation_source source = { &asked, endless, nobody,
	    no_domain };
	struct arena a = ARENA_INIT;
	struct reputation r;
	struct origin o = { .from_local = BYTES("a"),
	    .from_domain = BYTES("x.org"), .from_org = BYTES("x.org"),
	    .mail_from_local = BYTES("a"),
	    .mail_from_domain = BYTES("x.org"), .mail_from_validated = true };

	(void)state;
	for (o.ndkim = 0; o.ndkim < ORIGIN_DKIM_MAX; o.ndkim++)
		o.dkim[o.ndkim] = bytes_str(arena_printf(&a, "d%zu.org",
		    o.ndkim));
	assert_int_equal(reputation_judge(&a, &source, &o, NOW, &r), 0);
	assert_int_equal(asked, ORIGIN_DKIM_MAX + 1);
	assert_int_equal(r.nmessages, REPUTATION_MESSAGES_MAX);
	assert_int_equal(r.method, REPUTATION_BY_DKIMSPF);
	assert_int_equal(r.junk, REPUTATION_JUNK);
	arena_free(&a);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "J-2 the most messages an answer rests on", most_messages,
		    NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
