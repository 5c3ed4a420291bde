/*
 * desk_test.c - S-20: the places of a desk: what becomes of a message from
 * state to state, and how many there may be (lib/store/desk.c)
 */
#include "desk_fixture.h"

/* ---- one message, step by step ---- */

/*
 *  L lead   l the same for another account with the same lock   v leave that
 *  O offer  T take, and one came   t and none   G give back   C committed
 *  D done   F done, and the sync failed   V leave   P places are looked for
 *  < the clock to a moment before the time is over   > over   ! long over
 */
static const struct life {
	const char *name, *steps;
	enum desk_end end;
	unsigned int left;	/* places that stay, of a wait or a look */
} lives[] = {
	{ "done", "LOTCDV", DESK_STORED, 0 },
	{ "done after the lead was left", "LOTCVD", DESK_STORED, 0 },
	{ "done at last", "LOTC!VD", DESK_STORED, 0 },
	{ "committed, no more", "LOTCV", DESK_COMMITTED, 0 },
	{ "the sync failed", "LOTCVF", DESK_FAILED, 0 },
	{ "given back", "LOTGV", DESK_ALONE, 0 },
	{ "given back before the lead is left", "LOTG", DESK_ALONE, 0 },
	{ "nobody leads", "LOV", DESK_LEAD, 0 },
	{ "nobody leads for long", "LOV>", DESK_LEAD, 0 },
	{ "taken just in time", "LO<TCDV", DESK_STORED, 0 },
	{ "not taken in time", "LO>t", DESK_ALONE, 0 },
	{ "taken in time, kept for long", "LOT!CD", DESK_STORED, 0 },
	{ "another account leads", "LOVl", DESK_ALONE, 0 },
	{ "another account led", "LOVlv", DESK_LEAD, 0 },
	{ "forgotten while offered", "LO!P", DESK_ORPHAN, DESK_SLOTS },
	{ "forgotten when it is done", "LOTCD!VP", DESK_ORPHAN, DESK_SLOTS },
	{ "not forgotten before", "LOTCD>VP", DESK_STORED, DESK_SLOTS - 1 },
	{ "not forgotten while it is taken", "LOT!VP", DESK_LEAD,
	    DESK_SLOTS - 1 },
};

struct life_now {
	struct desk_key k, other;
	struct desk_offer o;
	struct desk_taken t[DESK_BATCH_MAX];
	unsigned int left;
};

static void
step(struct life_now *n, char c)
{
	switch (c) {
	case 'L':
		assert_true(desk_lead(desk, &n->k));
		break;
	case 'l':
		assert_true(desk_lead(desk, &n->other));
		break;
	case 'v':
		desk_leave(desk, &n->other);
		break;
	case 'O':
		assert_true(offer(&n->k, "some bytes", &n->o));
		break;
	case 'T':
		assert_int_equal(desk_take(desk, &n->k, n->t,
		    DESK_BATCH_MAX), 1);
		assert_true(bytes_eq(n->t[0].data, BYTES("some bytes")));
		break;
	case 't':
		assert_int_equal(desk_take(desk, &n->k, n->t,
		    DESK_BATCH_MAX), 0);
		break;
	case 'G':
		desk_give_back(desk, &n->t[0]);
		break;
	case 'C':
		desk_committed(desk, &n->t[0], &wanted);
		break;
	case 'D':
	case 'F':
		desk_done(desk, &n->t[0], c == 'D');
		break;
	case 'V':
		desk_leave(desk, &n->k);
		break;
	case 'P':
		n->left = places();
		break;
	default:
		shared->ahead += c == '<' ? DESK_WAIT_MS - 200 :
		    c == '>' ? DESK_WAIT_MS : FORGOTTEN_MS;
	}
}

static void
live(const struct life *l)
{
	struct life_now n = { .k = key_of_account(5, 3),
	    .other = key_of_account(5 + 64, 3) };
	struct store_delivered got = { 0 };
	int64_t began;
	enum desk_end end;
	const char *p;

	for (p = l->steps; *p != '\0'; p++)
		step(&n, *p);
	if (l->left != 0 && n.left != l->left)
		fail_msg("%s: %u places, not %u", l->name, n.left, l->left);
	if (strstr(l->steps, "LOT!V") != NULL)
		return;		/* whoever waits for it waits */
	began = real_ms();
	errno = 0;
	end = desk_wait(&n.o, &got);
	if (end != l->end)
		fail_msg("%s: %d, not %d", l->name, (int)end, (int)l->end);
	if (real_ms() - began >= AT_ONCE_MS)
		fail_msg("%s: late", l->name);
	if (end == DESK_FAILED)
		assert_int_equal(errno, EIO);
	if (end == DESK_STORED || end == DESK_COMMITTED)
		assert_memory_equal(&got, &wanted, sizeof(got));
	if (l->left == 0 && strchr(l->steps, 'P') == NULL) {
		n.left = places();
		if (n.left != DESK_SLOTS)
			fail_msg("%s: %u places", l->name, n.left);
	}
}

static void
a_message_from_state_to_state(void **state)
{
	size_t i;

	for (i = 0; i < COUNT(lives); i++) {
		live(&lives[i]);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

/* ---- limits ---- */

static void
as_many_places(void **state)
{
	struct desk_key k = key_of_account(5, 3);
	struct desk_offer o[DESK_SLOTS + 1];
	struct store_delivered got;
	unsigned int i;

	(void)state;
	assert_true(desk_lead(desk, &k));
	for (i = 0; i < DESK_SLOTS; i++)
		assert_true(offer(&k, "x", &o[i]));
	assert_false(offer(&k, "x", &o[DESK_SLOTS]));
	desk_leave(desk, &k);
	assert_int_equal(desk_wait(&o[11], &got), DESK_LEAD);
	assert_true(offer(&k, "x", &o[DESK_SLOTS]));
	assert_int_equal(o[DESK_SLOTS].slot, o[11].slot);
	assert_false(offer(&k, "x", &o[11]));
	desk_leave(desk, &k);
}

static void
as_many_bytes(void **state)
{
	static const size_t sizes[] = { 0, 1, DESK_BYTES - 1, DESK_BYTES };
	struct desk_key k = key_of_account(5, 3);
	unsigned char *p = malloc(DESK_BYTES + 1);
	struct desk_taken t;
	struct desk_offer o;
	size_t i;

	(void)state;
	assert_non_null(p);
	for (i = 0; i <= DESK_BYTES; i++)
		p[i] = (unsigned char)(i * 7);
	assert_true(desk_lead(desk, &k));
	for (i = 0; i < COUNT(sizes); i++) {
		assert_true(desk_offer(desk, &k, bytes_of(p, sizes[i]), &o));
		assert_int_equal(desk_take(desk, &k, &t, 1), 1);
		assert_true(bytes_eq(t.data, bytes_of(p, sizes[i])));
	}
	assert_false(desk_offer(desk, &k, bytes_of(p, DESK_BYTES + 1), &o));
	desk_leave(desk, &k);
	free(p);
}

static void
as_many_at_a_time(void **state)
{
	struct desk_key k = key_of_account(5, 3);
	struct desk_offer o[DESK_BATCH_MAX + 1];
	struct desk_taken t[DESK_BATCH_MAX + 1];
	struct store_delivered got;
	char text[16];
	size_t i;

	(void)state;
	assert_true(desk_lead(desk, &k));
	for (i = 0; i < DESK_BATCH_MAX + 1; i++) {
		(void)snprintf(text, sizeof(text), "message %zu", i);
		assert_true(offer(&k, text, &o[i]));
	}
	assert_int_equal(desk_take(desk, &k, t, DESK_BATCH_MAX),
	    DESK_BATCH_MAX);
	for (i = 0; i < DESK_BATCH_MAX; i++) {
		(void)snprintf(text, sizeof(text), "message %zu", i);
		assert_true(bytes_eq(t[i].data, bytes_str(text)));
		desk_committed(desk, &t[i], &wanted);
	}
	desk_leave(desk, &k);
	/* the one that is left leads */
	assert_int_equal(desk_wait(&o[DESK_BATCH_MAX], &got), DESK_LEAD);
	assert_int_equal(desk_take(desk, &k, t + DESK_BATCH_MAX, 1), 0);
	desk_leave(desk, &k);
}

static void
only_what_is_for_the_place(void **state)
{
	struct desk_key k = key_of_account(5, 3), box = key_of_account(5, 4);
	struct desk_key other = key_of_account(5 + 64, 3);
	struct desk_key far = key_of_account(6, 3);
	struct desk_taken t[2];
	struct desk_offer o, o_box;

	(void)state;
	assert_true(desk_lead(desk, &k));
	assert_true(desk_lead(desk, &far));	/* has its own lock */
	assert_true(offer(&box, "box", &o_box));
	assert_false(offer(&other, "other", &o));
	assert_true(offer(&far, "far", &o));
	assert_int_equal(desk_take(desk, &k, t, 2), 0);
	assert_int_equal(desk_take(desk, &far, t, 2), 1);
	assert_true(bytes_eq(t[0].data, BYTES("far")));
	assert_int_equal(desk_take(desk, &box, t, 2), 1);
	assert_true(bytes_eq(t[0].data, BYTES("box")));
	desk_leave(desk, &far);
	desk_leave(desk, &k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S-20 a message from state to state",
		    a_message_from_state_to_state),
		TEST("S-20 as many places, and one more", as_many_places),
		TEST("S-20 as many bytes, and one more", as_many_bytes),
		TEST("S-20 as many at a time, and one more",
		    as_many_at_a_time),
		TEST("S-20 only what is for the place of who leads is taken",
		    only_what_is_for_the_place),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
