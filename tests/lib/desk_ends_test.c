/*
 * desk_ends_test.c - S-20: owners and leaders at a desk that end, are stopped,
 * or wait for their turn (lib/store/desk.c)
 */
#include "desk_fixture.h"

#define TEAM 8		/* processes that deliver at once */
#define ROUNDS (NUMBERS / TEAM)	/* messages of each */

/* ---- others' ends ---- */

static struct desk_key at = { .dev = 64, .inode = 5, .mailbox = 3 };

static void
die(void)
{
	(void)kill(getpid(), SIGKILL);
}

static void
end_in_handler(int signo)
{
	(void)signo;
	_exit(0);
}

/* As the guard of stages does it. */
static void
die_of_alarm(void)
{
	(void)signal(SIGALRM, end_in_handler);
	(void)raise(SIGALRM);
}

static void (*last)(void) = die;
static char until_what;

/* Leads, takes what is offered meanwhile, up to some state, and ends. */
static void
lead_and_end(void)
{
	struct desk_taken t[DESK_BATCH_MAX];
	size_t n, i;

	if (!desk_lead(desk, &at))
		_exit(1);
	stop_at(1);
	if (until_what == 'O')
		last();
	n = desk_take(desk, &at, t, DESK_BATCH_MAX);
	if (n != 2)
		_exit(3);
	desk_committed(desk, &t[0], &wanted);
	if (until_what == 'C')
		desk_committed(desk, &t[1], &wanted);
	if (until_what == 'V')
		desk_give_back(desk, &t[1]);
	if (until_what == 'V')
		desk_leave(desk, &at);
	for (i = 0; i < n; i++)
		shared->stored[i]++;
	last();
}

static const struct {
	const char *name;
	char until_what;
	enum desk_end end[2];
} ends[] = {
	{ "before it took anything", 'O', { DESK_LEAD, DESK_ALONE } },
	{ "with one committed, one taken", 'T', { DESK_COMMITTED,
	    DESK_ORPHAN } },
	{ "with both committed", 'C', { DESK_COMMITTED, DESK_COMMITTED } },
	{ "when it had left", 'V', { DESK_COMMITTED, DESK_ALONE } },
};

static void
end_of_leader(size_t i, void (*how)(void), int signo)
{
	struct desk_offer o[2];
	struct store_delivered got;
	enum desk_end end[2];
	int64_t began;
	pid_t pid;
	int j;

	shared->step = 0;
	last = how;
	until_what = ends[i].until_what;
	pid = child(lead_and_end);
	assert_true(reached(1));
	for (j = 0; j < 2; j++)
		assert_true(offer(&at, j == 0 ? "a" : "b", &o[j]));
	shared->step = 2;
	reap(pid, signo);
	for (j = 0; j < 2; j++) {
		began = real_ms();
		end[j] = desk_wait(&o[j], &got);
		if (real_ms() - began >= AT_ONCE_MS)
			fail_msg("%s: late", ends[i].name);
		/* the first of those that lead is asked to take the other */
		if (ends[i].end[j] == DESK_ALONE && end[0] == DESK_LEAD)
			continue;
		if (end[j] != ends[i].end[j])
			fail_msg("%s: %d of %d", ends[i].name, (int)end[j],
			    j);
		if (end[j] == DESK_LEAD) {
			struct desk_taken t[2];

			assert_int_equal(desk_take(desk, &at, t, 2), 1);
			desk_give_back(desk, &t[0]);
			desk_leave(desk, &at);
		}
	}
	assert_int_equal(end[1], ends[i].end[1]);
	/* nobody leads, nothing is left */
	assert_true(desk_lead(desk, &at));
	desk_leave(desk, &at);
	assert_int_equal(places(), DESK_SLOTS);
}

static void
leaders_that_end(void **state)
{
	size_t i;

	for (i = 0; i < COUNT(ends); i++) {
		end_of_leader(i, die, SIGKILL);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
		end_of_leader(i, die_of_alarm, 0);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static struct desk_offer offered;

static void
offer_and_wait(void)
{
	struct store_delivered got;
	enum desk_end end;

	if (!offer(&at, "a", &offered))
		_exit(1);
	shared->step = 3;
	end = desk_wait(&offered, &got);
	shared->stored[0] = (uint32_t)end + 1;
	shared->step = 4;
}

/* Stopped with a message in its hands: that waits, as it must. */
static void
a_leader_that_is_stopped(void **state)
{
	struct desk_taken t;
	pid_t owner;

	(void)state;
	assert_true(desk_lead(desk, &at));
	owner = child(offer_and_wait);
	assert_true(reached(3));
	assert_int_equal(desk_take(desk, &at, &t, 1), 1);
	shared->ahead += FORGOTTEN_MS;
	(void)usleep(3 * DESK_LOOK_MS * 1000);
	assert_int_equal(shared->stored[0], 0);
	desk_committed(desk, &t, &wanted);
	desk_leave(desk, &at);
	desk_done(desk, &t, true);
	reap(owner, 0);
	assert_true(shared->stored[0] == DESK_STORED + 1 ||
	    shared->stored[0] == DESK_COMMITTED + 1);
}

/* Stopped before it takes anything: who waits goes alone in time. */
static void
a_leader_that_takes_nothing(void **state)
{
	pid_t owner;

	(void)state;
	assert_true(desk_lead(desk, &at));
	owner = child(offer_and_wait);
	assert_true(reached(3));
	(void)usleep(2 * DESK_LOOK_MS * 1000);
	assert_int_equal(shared->stored[0], 0);
	shared->ahead += DESK_WAIT_MS;
	reap(owner, 0);
	assert_int_equal(shared->stored[0], DESK_ALONE + 1);
	desk_leave(desk, &at);
}

static void
offer_and_end(void)
{
	pid_t owner;

	shared->step = 0;
	owner = child(offer_and_wait);
	assert_true(reached(3));
	assert_int_equal(kill(owner, SIGKILL), 0);
	reap(owner, SIGKILL);
}

/* ---- who is next ---- */

static void
wait_to_lead(void)
{
	struct store_delivered got;
	struct desk_offer o;
	uint32_t me = shared->taken++;
	struct desk_key k = key_of_account(5, 10 + me);

	if (!offer(&k, "x", &o) || desk_wait(&o, &got) != DESK_LEAD)
		_exit(1);
	shared->leads++;
	desk_leave(desk, &k);
}

/* Each of them is asleep, for ever, when the lead is left: all are woken, one
 * by the other. */
static void
call_all(void)
{
	pid_t pid[TEAM];
	size_t i, asleep = 0;
	int64_t until;

	shared->endless = 1;
	for (i = 0; i < TEAM; i++)
		pid[i] = child(wait_to_lead);
	until = real_ms() + LONG_MS;
	while (asleep < TEAM && real_ms() < until) {
		for (asleep = i = 0; i < TEAM; i++)
			asleep += shared->taken == TEAM && is_asleep(pid[i]);
		(void)usleep(1000);
	}
	assert_int_equal(asleep, TEAM);
	desk_leave(desk, &at);
	until = real_ms() + LONG_MS;
	while (shared->leads < TEAM && real_ms() < until)
		(void)usleep(1000);
	if (shared->leads < TEAM) {
		for (i = 0; i < TEAM; i++)
			(void)kill(pid[i], SIGKILL);
		fail_msg("%u of %d were called", shared->leads, TEAM);
	}
	for (i = 0; i < TEAM; i++)
		reap(pid[i], 0);
	shared->endless = 0;
}

static void
all_are_called(void **state)
{
	(void)state;
	assert_true(desk_lead(desk, &at));
	call_all();
	assert_int_equal(places(), DESK_SLOTS);
}

/* What an owner left is taken while its time is not over; its place is free
 * again after a while, and who is called to lead is one that lives. */
static void
owners_that_end(void **state)
{
	struct desk_taken t[2];

	(void)state;
	assert_true(desk_lead(desk, &at));
	offer_and_end();
	assert_int_equal(desk_take(desk, &at, t, 2), 1);
	desk_committed(desk, &t[0], &wanted);
	desk_done(desk, &t[0], true);
	offer_and_end();
	shared->ahead += DESK_WAIT_MS;
	assert_int_equal(desk_take(desk, &at, t, 2), 0);
	call_all();
	assert_int_equal(places(), DESK_SLOTS - 2);
	shared->ahead += FORGOTTEN_MS;
	assert_int_equal(places(), DESK_SLOTS);
}

static void
note_stored(struct bytes data)
{
	uint32_t number;

	if (data.n != sizeof(number))
		_exit(4);
	memcpy(&number, data.p, sizeof(number));
	shared->stored[number]++;
}

static void
lead_team(const struct desk_key *k, uint32_t number)
{
	struct desk_taken t[DESK_BATCH_MAX];
	size_t n, i;

	if (shared->busy++ != 0)
		_exit(5);	/* two lead */
	(void)usleep(50);
	n = desk_take(desk, k, t, DESK_BATCH_MAX);
	note_stored(bytes_of(&number, sizeof(number)));
	if (n > 1)
		desk_give_back(desk, &t[--n]);
	for (i = 0; i < n; i++) {
		note_stored(t[i].data);
		desk_committed(desk, &t[i], &wanted);
	}
	shared->leads++;
	shared->taken += (uint32_t)n;
	shared->busy--;
	desk_leave(desk, k);
	for (i = 0; i < n; i++)
		desk_done(desk, &t[i], true);
}

/* Messages for two mailboxes of one account; all waits without end. */
static void
deliver_many(void)
{
	uint32_t me = shared->step++ % TEAM, i, number;
	struct store_delivered got;
	struct desk_offer o;

	for (i = 0; i < ROUNDS; i++) {
		struct desk_key k = key_of_account(5, 3 + (i + me) % 2);

		number = me * ROUNDS + i;
		if (desk_lead(desk, &k)) {
			lead_team(&k, number);
			continue;
		}
		if (!desk_offer(desk, &k, bytes_of(&number,
		    sizeof(number)), &o)) {
			i--;	/* who leads had not said for whom */
			continue;
		}
		switch (desk_wait(&o, &got)) {
		case DESK_LEAD:
			lead_team(&k, number);
			break;
		case DESK_STORED:
		case DESK_COMMITTED:
			if (memcmp(&got, &wanted, sizeof(got)) != 0)
				_exit(6);
			break;
		case DESK_ALONE:
			shared->alone++;
			note_stored(bytes_of(&number, sizeof(number)));
			break;
		default:
			_exit(7);
		}
	}
}

static void
many_at_once(void **state)
{
	int64_t until = time_mono_ms() + LONG_MS;
	pid_t pid[TEAM];
	size_t i, done = 0;
	int status, bad = 0;

	(void)state;
	shared->endless = 1;
	for (i = 0; i < TEAM; i++)
		pid[i] = child(deliver_many);
	while (done < TEAM && time_mono_ms() < until) {
		for (i = 0; i < TEAM; i++) {
			if (pid[i] == 0 || waitpid(pid[i], &status, WNOHANG)
			    != pid[i])
				continue;
			bad |= status;
			pid[i] = 0;
			done++;
		}
		(void)usleep(1000);
	}
	for (i = 0; i < TEAM; i++) {
		if (pid[i] != 0)
			(void)kill(pid[i], SIGKILL);
	}
	assert_int_equal(done, TEAM);
	assert_int_equal(bad, 0);
	for (i = 0; i < TEAM * ROUNDS; i++) {
		if (shared->stored[i] != 1)
			fail_msg("%zu: %u times", i, shared->stored[i]);
	}
	assert_int_equal(shared->leads + shared->taken + shared->alone,
	    TEAM * ROUNDS);
	print_message("# %u led, %u were taken, %u given back\n",
	    shared->leads, shared->taken, shared->alone);
	assert_true(shared->taken > 0 && shared->alone > 0);
	assert_int_equal(places(), DESK_SLOTS);
}

/* The same while processes end anywhere: nobody waits for long, and who is
 * told that it is stored is right. */
static void
many_that_end(void **state)
{
	pid_t pid[TEAM] = { 0 };
	int64_t until = real_ms() + 1500;
	uint32_t seed = (uint32_t)getpid(), killed = 0;
	struct store_delivered got;
	struct desk_offer o;
	size_t i;

	(void)state;
	print_message("# seed %u\n", seed);
	while (real_ms() < until) {
		i = (seed = seed * 1103515245 + 12345) >> 16 & (TEAM - 1);
		if (pid[i] != 0) {
			(void)kill(pid[i], SIGKILL);
			(void)waitpid(pid[i], NULL, 0);
			killed++;
		}
		/* a killed leader is busy for ever, and stored may be more */
		shared->busy = 0;
		shared->step = (uint32_t)i;
		pid[i] = child(deliver_many);
		(void)usleep(seed >> 8 & 0x7ff);
	}
	for (i = 0; i < TEAM; i++) {
		if (pid[i] == 0)
			continue;
		(void)kill(pid[i], SIGKILL);
		(void)waitpid(pid[i], NULL, 0);
	}
	assert_true(killed > TEAM);
	shared->ahead += FORGOTTEN_MS;
	for (i = 0; i < 2; i++) {
		at.mailbox = 3 + (uint32_t)i;
		if (!desk_lead(desk, &at))
			fail_msg("a lock is lost");
		/* of those that ended in the middle of offering a place is
		 * lost each, no more */
		assert_true(offer(&at, "x", &o));
		desk_leave(desk, &at);
		assert_int_equal(desk_wait(&o, &got), DESK_LEAD);
		desk_leave(desk, &at);
	}
	at.mailbox = 3;
	i = places();
	print_message("# %u killed, %zu places\n", killed, i);
	assert_true(i >= DESK_SLOTS / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S-20 leaders that end", leaders_that_end),
		TEST("S-20 a leader that is stopped with a message",
		    a_leader_that_is_stopped),
		TEST("S-20 a leader that is stopped without one",
		    a_leader_that_takes_nothing),
		TEST("S-20 owners that end", owners_that_end),
		TEST("S-20 all that wait are called", all_are_called),
		TEST("S-20 many at once: each once, no waking is lost",
		    many_at_once),
		TEST("S-20 many that are killed anywhere", many_that_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
