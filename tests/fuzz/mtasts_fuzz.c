/*
 * MTA-STS: records, policies and answers of the service that are parsed
 * format to text that parses to the same again; a pattern never matches two
 * labels in place of its wildcard.
 *
 * Input: one byte; 0 a record, 1 a policy, 2 an answer, 3 a pattern, NUL, a
 * host.
 */
#include <stdlib.h>

#include "mtasts/mtasts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
check_fields(const struct mtasts_field *x, size_t nx,
    const struct mtasts_field *y, size_t ny)
{
	size_t i;

	check(nx == ny);
	for (i = 0; i < nx; i++)
		check(bytes_eq(x[i].name, y[i].name) &&
		    bytes_eq(x[i].value, y[i].value));
}

static void
record(struct bytes in, struct arena *a)
{
	struct buf out = BUF_INIT(1 << 22);
	struct mtasts_record r, again;
	const char *why = NULL;

	if (mtasts_record_parse(in, a, &r, &why) == -1) {
		check(why != NULL && why[0] != '\0');
		return;
	}
	check(r.id.n > 0 && r.id.n <= MTASTS_ID_MAX);
	check(mtasts_record_format(&r, &out) == 0);
	check(mtasts_record_parse(buf_bytes(&out), a, &again, &why) == 0);
	check(bytes_eq(r.id, again.id));
	check_fields(r.fields, r.nfields, again.fields, again.nfields);
	buf_free(&out);
}

static void
check_same(const struct mtasts_policy *x, const struct mtasts_policy *y)
{
	size_t i;

	check(x->mode == y->mode && x->nmx == y->nmx);
	check(x->max_age_seconds == y->max_age_seconds);
	for (i = 0; i < x->nmx; i++)
		check(bytes_eq(x->mx[i], y->mx[i]));
	check_fields(x->fields, x->nfields, y->fields, y->nfields);
}

static void
check_answer(const struct mtasts_decision *d, struct arena *a)
{
	struct buf out = BUF_INIT(4 * MTASTS_ANSWER_MAX);
	struct mtasts_decision again;
	const char *why = "";

	if (mtasts_answer_format(d, &out) == 0) {
		check(mtasts_answer_parse(buf_bytes(&out), a, &again,
		    &why) == 0);
		check(d->verdict == again.verdict);
		check(d->result == again.result);
		if (d->verdict == MTASTS_POLICY)
			check_same(&d->policy, &again.policy);
	}
	buf_free(&out);
}

static void
policy(struct bytes in, struct arena *a)
{
	struct mtasts_decision d = { .verdict = MTASTS_POLICY, .why = "" };
	const char *why = NULL;
	size_t i;

	if (mtasts_policy_parse(in, a, &d.policy, &why) == -1) {
		check(why != NULL && why[0] != '\0');
		return;
	}
	check(d.policy.nmx > 0 || d.policy.mode == MTASTS_NONE);
	check(d.policy.max_age_seconds <= MTASTS_AGE_MAX);
	for (i = 0; i < d.policy.nmx; i++)
		check(bytes_starts(d.policy.mx[i], BYTES("*.")) ||
		    mtasts_pattern_match(d.policy.mx[i], d.policy.mx[i]));
	check_answer(&d, a);
}

static void
answer(struct bytes in, struct arena *a)
{
	struct mtasts_decision d;
	const char *why = NULL;

	if (mtasts_answer_parse(in, a, &d, &why) == 0)
		check_answer(&d, a);
	else
		check(why != NULL && why[0] != '\0');
}

static void
match(struct bytes in)
{
	struct bytes pattern, first;

	if (!bytes_split(&in, '\0', &pattern) || !bytes_is_ascii(in) ||
	    !mtasts_pattern_match(pattern, in))
		return;
	if (!bytes_starts(pattern, BYTES("*.")))
		return;
	check(bytes_split(&in, '.', &first) && first.n > 0);
	if (bytes_ends(in, BYTES(".")))
		in.n--;
	check(bytes_caseeq(in, bytes_from(pattern, 2)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct arena a = ARENA_INIT;

	switch (bytes_next(&in)) {
	case 0:
		record(in, &a);
		break;
	case 1:
		policy(in, &a);
		break;
	case 2:
		answer(in, &a);
		break;
	case 3:
		match(in);
		break;
	}
	arena_free(&a);
	return 0;
}
