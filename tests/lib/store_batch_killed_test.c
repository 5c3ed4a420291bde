/*
 * store_batch_killed_test.c - S-20: processes that deliver together and are
 * killed after each of their system calls, or find things changed
 */
#include "store_batch.h"

#include "store/draft.h"

/* ---- kills ---- */

/* What nobody was told of may lie in tmp/. */
static void
clear_tmp(struct account_dir *d, unsigned int max)
{
	char path[1024];

	assert_true(files_in(d, "Maildir/tmp") <= max);
	remove_tree(path_of(d, path, "Maildir/tmp"));
	assert_int_equal(mkdir(path, 0700), 0);
	reopen(d);
}

/* false: it makes fewer calls. */
static bool
kill_once(struct account_dir *d, const struct wrong *wrong)
{
	bool all = run_jobs(d, three, COUNT(three), wrong);
	size_t i;

	for (i = 0; i < COUNT(three); i++) {
		if (i != wrong->job)
			assert_true(shared->out[i].ended &&
			    shared->out[i].r == 0);
	}
	check_after(d, three, COUNT(three), wrong);
	clear_tmp(d, all ? 0 : 1);
	assert_int_equal(store_expunge(d->s, id_of(d, "INBOX"), NULL, 0, true,
	    NULL), 0);
	return !all;
}

static void
killed_after_each_call(void **state)
{
	struct account_dir *d = *state;
	struct wrong wrong = { .job = 0 };

	for (wrong.job = 0; wrong.job < 3; wrong.job++) {
		for (wrong.at = 1; kill_once(d, &wrong); wrong.at++)
			;
		print_message("# job %zu: %u calls\n", wrong.job,
		    wrong.at - 1);
		assert_true(wrong.at > (wrong.job == 0 ? 12 : 2));
	}
}

/* ---- found changed ---- */

/* Nobody is told that it is stored when it is gone with its mailbox. */
static void
removed_with_its_mailbox(void **state)
{
	struct account_dir *d = *state;
	struct desk_taken t;
	struct desk_key k;
	pid_t pid = lead_and_take(d, &k, &t);

	assert_int_equal(store_mailbox_delete(d->s, BYTES("Other")), 0);
	give_and_leave(d, &k, &t, pid);
	assert_int_equal(shared->out[0].r, -1);
	assert_content(d);
}

/* tmp/NAME to new/NAME,U=uid, as one that is killed before its commit. */
static void
place(struct account_dir *d, const struct desk_taken *t, uint32_t uid)
{
	struct arena a = ARENA_INIT;
	char from[1024], to[1024];
	struct draft m;

	assert_int_equal(draft_unpack(&a, t->data, &m), 0);
	assert_int_equal(rename(path_of(d, from, "Maildir/.Other/tmp/%s",
	    m.tmp), path_of(d, to, "Maildir/.Other/new/%s,U=%u", m.tmp, uid)),
	    0);
	arena_free(&a);
}

/* The leader ended when it had moved the file; then another message got the
 * UID. What is told is the one it has. */
static void
placed_and_its_uid_given_again(void **state)
{
	struct account_dir *d = *state, e;
	uint32_t first = deliver(d, "Other", "first"), uid = 0, flags;
	struct desk_key k = key_in(d, "Other");
	struct desk_taken t;
	pid_t pid, leader;

	store_close(d->s);
	leader = fork();
	assert_int_not_equal(leader, -1);
	if (leader == 0) {
		if (!desk_lead(d->o.desk, &k))
			_exit(1);
		shared->taken = 1;
		(void)reached(&shared->let_go, 1, 0);
		_exit(0);
	}
	assert_true(reached(&shared->taken, 1, leader));
	e = *d;
	e.o.desk = NULL;
	e.s = store_open(&e.o);
	assert_non_null(e.s);
	pid = taken_from(d, &k, &t);
	place(d, &t, first + 1);
	assert_int_equal(deliver(&e, "Other", "second"), first + 1);
	shared->let_go = 1;
	reap(leader);
	reap(pid);
	d->s = e.s;
	assert_int_equal(shared->out[0].r, 0);
	assert_int_equal(times_there(d, "Other", "one", &uid, &flags), 1);
	assert_int_equal(uid, shared->out[0].where.uid);
	assert_int_equal(uid, first + 2);
	assert_int_equal(shared->out[0].where.uidvalidity,
	    box_of(d, "Other").uidvalidity);
	assert_int_equal(shared->out[0].where.modseq,
	    box_of(d, "Other").modseq);
	assert_content(d);
}

static void
stopped_with_the_message(void **state)
{
	struct account_dir *d = *state;
	struct desk_taken t;
	struct desk_key k;
	pid_t pid = lead_and_take(d, &k, &t);

	/* who waits says so, for it may be long */
	assert_int_equal(shared->waiting, 1);
	(void)usleep(3 * DESK_LOOK_MS * 1000);
	assert_false(shared->out[0].ended);
	give_and_leave(d, &k, &t, pid);
	assert_int_equal(shared->out[0].r, 0);
	assert_content(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BATCH("S-20 S-2 killed after each system call",
		    killed_after_each_call),
		BATCH("S-20 removed with its mailbox is not stored",
		    removed_with_its_mailbox),
		BATCH("S-20 placed, and its UID given again",
		    placed_and_its_uid_given_again),
		BATCH("S-20 in the hands of one that is stopped",
		    stopped_with_the_message),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
