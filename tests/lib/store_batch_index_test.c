/*
 * store_batch_index_test.c - S-20: the index is repaired, or another one takes
 * its place, while messages lie on the desk or are in another's hands
 */
#include "store_batch.h"

/* ---- another index ---- */

/* As one who moves it away by hand: what opens the account builds it anew. */
static void
another_index(struct account_dir *d)
{
	char from[1024], to[1024];
	struct store *was = d->s;

	assert_int_equal(rename(path_of(d, from, "index"),
	    path_of(d, to, "index.was")), 0);
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_true(store_stale(was));
	store_close(was);
}

/* It went nowhere, its owner knows, and delivers it once more. */
static void
assert_told_and_nowhere(struct account_dir *d)
{
	uint32_t uid = 0, flags = 0;
	struct job again = one;

	assert_true(shared->out[0].ended);
	assert_int_equal(shared->out[0].r, -1);
	assert_int_equal(shared->out[0].err, ESTALE);
	assert_int_not_equal(store_sync(d->s, 0, false), -1);
	assert_int_equal(times_there(d, "Other", "one", &uid, &flags), 0);
	assert_int_equal(files_in(d, "Maildir/.Other/tmp"), 0);
	assert_int_equal(files_in(d, "Maildir/.Other/new"), 1);
	assert_content(d);
	assert_true(run_jobs(d, &again, 1, NULL));
	assert_int_equal(shared->out[0].r, 0);
	assert_int_equal(times_there(d, "Other", "one", &uid, &flags), 1);
	assert_int_equal(uid, shared->out[0].where.uid);
	assert_content(d);
}

/* Who is called to lead then has the index that was. */
static void
offered_and_replaced(void **state)
{
	struct account_dir *d = *state;
	struct desk_key k;
	pid_t pid;

	pid = lead_and_offer(d, &k);
	another_index(d);
	desk_leave(d->o.desk, &k);
	reap(pid);
	assert_told_and_nowhere(d);
}

static void
given_back_and_replaced(void **state)
{
	struct account_dir *d = *state;
	struct desk_taken t;
	struct desk_key k;
	pid_t pid = lead_and_take(d, &k, &t);

	another_index(d);
	give_and_leave(d, &k, &t, pid);
	assert_told_and_nowhere(d);
}

/* A leader that has begun: what it places is in the folder, of which the new
 * index is made. Each that was told is there. */
static void
in_a_leaders_hands_and_replaced(void **state)
{
	static const struct wrong wrong = { .job = 0, .pause = 2 };
	struct account_dir *d = *state;
	struct store_options o = d->o;
	uint32_t uid, flags = 0;
	pid_t pid[3], holder;
	unsigned int i;

	o.report = NULL;
	memset(shared, 0, sizeof(*shared));
	holder = start(&o, NULL, 0, NULL);
	assert_true(reached(&shared->holding, 1, 0));
	o.wait = is_waiting;
	for (i = 0; i < COUNT(three); i++) {
		pid[i] = start(&o, &three[i], i, &wrong);
		assert_true(reached(&shared->waiting, i + 1, pid[i]));
	}
	shared->let_go = 1;
	assert_true(reached(&shared->paused, 1, pid[0]));
	assert_int_equal(files_in(d, "Maildir/new"), 1);
	another_index(d);
	shared->go_on = 1;
	reap(holder);
	for (i = 0; i < COUNT(three); i++)
		reap(pid[i]);
	assert_int_not_equal(store_sync(d->s, 0, false), -1);
	for (i = 0; i < COUNT(three); i++) {
		const struct outcome *r = &shared->out[i];

		assert_int_equal(r->r, 0);
		uid = 0;
		assert_int_equal(times_there(d, "INBOX", three[i].subject,
		    &uid, &flags), 1);
		/* UIDs of an index made anew jump ahead. */
		assert_true(i == 0 ? uid == r->where.uid
		    : uid > shared->out[i - 1].where.uid);
		assert_int_equal(r->where.uidvalidity,
		    box_of(d, "INBOX").uidvalidity);
		assert_int_equal(r->where.modseq, shared->out[0].where.modseq);
	}
	assert_int_equal(files_in(d, "Maildir/tmp"), 0);
	assert_content(d);
}

/* ---- the same index, repaired ---- */

/* Of those of store_repair; then it is built anew, then swept. */
static const unsigned int parts[] = {
	STORE_REPAIR_UIDVALIDITY, STORE_REPAIR_UIDS, STORE_REPAIR_UID_META,
	STORE_REPAIR_REPARSE, STORE_REPAIR_COUNTS, STORE_REPAIR_THREADS,
};
#define REPAIRS (COUNT(parts) + 2)

static int
repair(struct store *s, size_t i)
{
	if (i < COUNT(parts))
		return store_repair(s, parts[i], 0, NULL);
	return i == COUNT(parts) ? store_rebuild(s) : store_sweep(s);
}

static void
assert_there(struct account_dir *d, unsigned int times)
{
	const struct outcome *r = &shared->out[0];
	struct store_mailbox box = box_of(d, "Other");
	uint32_t uid = 0, flags = 0;

	assert_true(r->ended);
	assert_int_equal(r->r, 0);
	assert_int_not_equal(store_sync(d->s, 0, false), -1);
	assert_int_equal(times_there(d, "Other", "one", &uid, &flags), times);
	assert_int_equal(uid, r->where.uid);
	assert_int_equal(box.uidvalidity, r->where.uidvalidity);
	assert_int_equal(files_in(d, "Maildir/.Other/tmp"), 0);
	assert_content(d);
}

/* Offered, then taken and given back. */
static void
repaired_meanwhile(void **state)
{
	struct account_dir *d = *state;
	struct desk_taken t;
	struct desk_key k;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < REPAIRS; i++) {
		pid = lead_and_offer(d, &k);
		assert_int_equal(repair(d->s, i), 0);
		desk_leave(d->o.desk, &k);
		reap(pid);
		assert_there(d, 2 * i + 1);
		pid = lead_and_take(d, &k, &t);
		assert_int_equal(repair(d->s, i), 0);
		give_and_leave(d, &k, &t, pid);
		assert_there(d, 2 * i + 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BATCH("S-20 offered, and the index is another one",
		    offered_and_replaced),
		BATCH("S-20 given back, and the index is another one",
		    given_back_and_replaced),
		BATCH("S-20 in a leader's hands, and the index is another one",
		    in_a_leaders_hands_and_replaced),
		BATCH("S-20 offered or given back, and the index repaired",
		    repaired_meanwhile),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
