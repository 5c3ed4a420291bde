/*
 * store_batch_test.c - S-20: deliveries of several processes in one commit
 */
#include "store_batch.h"

/* ---- what becomes of each ---- */

static const struct job eight[] = {
	IN("m0", 1), IN("m1", 1), IN("m2", 1), IN("m3", 1), IN("m4", 1),
	IN("m5", 1), IN("m6", 1), IN("m7", 1),
};
/* One leads, DESK_BATCH_MAX are taken, two go with who leads next. */
static const struct job many[] = {
	IN("n0", 1), IN("n1", 1), IN("n2", 1), IN("n3", 1), IN("n4", 1),
	IN("n5", 1), IN("n6", 1), IN("n7", 1), IN("n8", 1), IN("n9", 1),
	IN("n10", 1), IN("n11", 1), IN("n12", 1), IN("n13", 1), IN("n14", 1),
	IN("n15", 1), IN("n16", 1), IN("n17", 2), IN("n18", 2),
};
static const struct job alone[] = { IN("o0", 1) };
static const struct job long_text[] = {
	IN("l0", 1), { "INBOX", "l1", LONG, NULL, 0, 2 }, IN("l2", 1),
};
static const struct job long_first[] = {
	{ "INBOX", "l3", LONG, NULL, 0, 1 }, IN("l4", 1), IN("l5", 1),
};
static const struct job mailboxes[] = {
	IN("b0", 1), { "Other", "b1", SMALL, NULL, 0, 2 }, IN("b2", 1),
	{ "Other", "b3", SMALL, NULL, 0, 2 },
	{ "Sent", "b4", SMALL, NULL, 0, 3 },
	{ "Sent", "b5", SMALL, NULL, 0, 4 },
	{ "Junk", "b6", SMALL, NULL, 0, 5 },
	{ "Junk", "b7", SMALL, NULL, 0, 5 },
};
static const struct job flagged[] = {
	{ "INBOX", "f0", SMALL, NULL, STORE_SEEN, 1 }, IN("f1", 1),
	{ "INBOX", "f2", SMALL, NULL, STORE_FLAGGED | STORE_NOTJUNK, 1 },
};
/* The first thread is muted, the second not; one answers another of them. */
static const struct job threads[] = {
	{ "INBOX", "Re: quiet", SMALL, "quiet@example.org", 0, 1 },
	{ "INBOX", "Re: loud", SMALL, "loud@example.org", 0, 1 },
	{ "INBOX", "Re: [x] quiet", SMALL, "Re: quiet@example.org", 0, 1 },
	{ "INBOX", "t3", SMALL, NULL, 0, 1 },
	{ "INBOX", "Re: t3", SMALL, "t3@example.org", 0, 1 },
};

static uint32_t
wanted_flags(const struct job *j)
{
	return j->flags | (strcmp(j->mailbox, "Junk") == 0 ? STORE_JUNK : 0) |
	    (strstr(j->subject, "quiet") != NULL ? STORE_SEEN : 0);
}

static void
check_group(const struct job *j, size_t i)
{
	const struct store_delivered *w = &shared->out[i].where;
	size_t k;

	for (k = 0; k < i; k++) {
		if (j[k].group == 0)
			continue;
		if ((j[k].group == j[i].group) !=
		    (w->modseq == shared->out[k].where.modseq))
			fail_msg("%s and %s: %llu %llu", j[k].subject,
			    j[i].subject, (unsigned long long)
			    shared->out[k].where.modseq,
			    (unsigned long long)w->modseq);
	}
}

/* What searches and senders are found by came with it, too. */
static void
check_rows(struct account_dir *d, uint32_t mailbox, uint32_t uid)
{
	struct store_view *v = store_view_open(d->s);
	unsigned char key[KEY_MESSAGE];
	struct origin_row row;
	struct bytes value;

	assert_non_null(v);
	key_message(key, mailbox, uid);
	assert_int_equal(kv_get(v->t, TABLE_TEXT, key_of(key, sizeof(key)),
	    &value), 1);
	assert_true(value.n > 100);
	assert_int_equal(origin_get(v->t, mailbox, uid, &row), 1);
	assert_true(row.n > 3);
	store_view_close(v);
}

/* The file of the UID told has the bytes. */
static void
check_content(struct account_dir *d, const struct job *j, uint32_t mailbox,
    uint32_t uid)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	struct bytes text = text_of(j, &b), is;

	assert_int_equal(store_message_map(d->s, mailbox, uid, &is), 0);
	assert_true(bytes_eq(is, text));
	store_unmap(is);
	buf_free(&b);
}

static void
check_job(struct account_dir *d, const struct job *j, size_t i)
{
	const struct outcome *o = &shared->out[i];
	struct store_mailbox box = box_of(d, j[i].mailbox);
	uint32_t uid = 0, flags = 0;
	unsigned int n = times_there(d, j[i].mailbox, j[i].subject, &uid,
	    &flags);

	if (j[i].group == 0) {
		assert_int_equal(o->r, -1);
		assert_int_equal(o->err, EDQUOT);
		assert_int_equal(n, 0);
		return;
	}
	if (o->r != 0 || n != 1 || uid != o->where.uid ||
	    flags != wanted_flags(&j[i]))
		fail_msg("%s: %d errno %d, %u times, uid %u told %u, "
		    "flags %x", j[i].subject, o->r, o->err, n, uid,
		    o->where.uid, flags);
	assert_int_equal(o->where.mailbox, box.id);
	assert_int_equal(o->where.uidvalidity, box.uidvalidity);
	check_group(j, i);
	check_content(d, &j[i], box.id, uid);
	check_rows(d, box.id, uid);
}

static void
check_jobs(struct account_dir *d, const struct job *j, size_t n)
{
	size_t i;

	assert_true(run_jobs(d, j, n, NULL));
	for (i = 0; i < n; i++)
		check_job(d, j, i);
	assert_int_equal(files_in(d, "Maildir/tmp"), 0);
	assert_content(d);
}

static void
each_is_there_once(void **state)
{
	struct account_dir *d = *state;
	unsigned int cur;

	check_jobs(d, alone, COUNT(alone));
	check_jobs(d, eight, COUNT(eight));
	check_jobs(d, many, COUNT(many));
	check_jobs(d, long_text, COUNT(long_text));
	check_jobs(d, long_first, COUNT(long_first));
	(void)deliver(d, "Other", "first");
	check_jobs(d, mailboxes, COUNT(mailboxes));
	assert_int_equal(files_in(d, "Maildir/.Junk/new"), 0);
	assert_int_equal(files_in(d, "Maildir/.Junk/cur"), 2);
	assert_int_equal(files_in(d, "Maildir/.Junk/tmp"), 0);
	cur = files_in(d, "Maildir/cur");
	check_jobs(d, flagged, COUNT(flagged));
	assert_int_equal(files_in(d, "Maildir/cur"), cur + 2);
}

static void
threads_are_found_and_muted(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "INBOX", "quiet");

	(void)deliver(d, "INBOX", "loud");
	assert_int_equal(store_thread_mark(d->s, id_of(d, "INBOX"), &uid, 1,
	    STORE_THREAD_MUTED, true), 0);
	check_jobs(d, threads, COUNT(threads));
}

/* ---- quota ---- */

static const struct job sizes[] = {
	IN("q0", 1), IN("q1", 1),
	{ "INBOX", "q2", 5000, NULL, 0, 0 },
	IN("q3", 1),
	{ "INBOX", "q4", 5000, NULL, 0, 0 },
	IN("q5", 1),
};

static uint64_t
size_of(const struct job *j)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	uint64_t n = text_of(j, &b).n;

	buf_free(&b);
	return n;
}

/* Each would fit, the two large ones not with what is in front of them. */
static void
who_is_over_quota_is_refused_alone(void **state)
{
	struct account_dir *d = *state;
	uint64_t used, limit, small = size_of(&sizes[0]);
	struct store_view *v;

	d->o.quota_bytes = size_of(&sizes[2]) + 2 * small - 1;
	reopen(d);
	check_jobs(d, sizes, COUNT(sizes));
	v = store_view_open(d->s);
	assert_non_null(v);
	store_view_quota(v, &used, &limit);
	store_view_close(v);
	assert_int_equal(used, 4 * small);
}

/* ---- accounts ---- */

static void
accounts_have_each_their_own(void **state)
{
	struct account_dir *d = *state;
	struct account_dir e = *d;
	size_t i;

	(void)snprintf(e.dir, sizeof(e.dir), "%s/bob", d->top);
	e.o.account = "bob";
	e.o.dir = e.dir;
	e.o.ctx = &e;
	e.s = store_open(&e.o);
	assert_non_null(e.s);
	for (i = 0; i < 2; i++) {
		check_jobs(i == 0 ? d : &e, eight, COUNT(eight));
		check_jobs(i == 0 ? d : &e, long_text, 3);
	}
	assert_int_equal(box_of(d, "INBOX").total, 11);
	assert_int_equal(box_of(&e, "INBOX").total, 11);
	store_close(e.s);
}

/* ---- others wait, or append ---- */

static void
uids_of_what_is_appended(void **state)
{
	struct account_dir *d = *state;
	struct bytes piece = BYTES("Subject: appended\n\nbody\n");
	struct store_incoming in = { .pieces = &piece, .count = 1 };
	uint32_t uid = 0, is = 0, flags;

	assert_int_equal(store_append(d->s, id_of(d, "INBOX"), &in, 1, &uid),
	    0);
	assert_int_equal(times_there(d, "INBOX", "appended", &is, &flags), 1);
	assert_int_equal(uid, is);
}

/* ---- calls that fail in the process that leads ---- */

/* false: it makes fewer calls. */
static bool
fail_once(struct account_dir *d, const struct wrong *wrong)
{
	bool reached_it;

	assert_true(run_jobs(d, three, COUNT(three), wrong));
	reached_it = shared->out[wrong->job].calls >= wrong->at;
	check_after(d, three, COUNT(three), wrong);
	assert_int_equal(files_in(d, "Maildir/tmp"), 0);
	assert_int_equal(store_expunge(d->s, id_of(d, "INBOX"), NULL, 0, true,
	    NULL), 0);
	return reached_it;
}

static void
calls_that_fail(void **state)
{
	static const int errors[] = { EIO, ENOSPC };
	struct account_dir *d = *state;
	struct wrong wrong = { .job = 0 };
	unsigned int others, told;
	size_t i, k;

	for (i = 0; i < COUNT(errors); i++) {
		wrong.fail = errors[i];
		for (wrong.job = 0; wrong.job < 2; wrong.job++) {
			others = told = 0;
			for (wrong.at = 1; fail_once(d, &wrong); wrong.at++) {
				told += shared->out[wrong.job].r == -1;
				for (k = 0; k < COUNT(three); k++)
					others += k != wrong.job &&
					    shared->out[k].r == -1;
			}
			print_message("# job %zu, errno %d: %u calls, %u told,"
			    " %u others\n", wrong.job, wrong.fail,
			    wrong.at - 1, told, others);
			assert_true(wrong.at > 2 && told > 0);
			/* the sync of new/ is for all */
			assert_true(wrong.job == 0 ? others % 2 == 0
			    : others == 0);
		}
	}
}

/* Of the files one cannot be moved: only whose it is may hear of that, and
 * that goes alone, too, where the leader cannot move it. */
static void
a_file_that_cannot_be_moved(void **state)
{
	struct account_dir *d = *state;
	struct wrong wrong = { .fail = EACCES };
	size_t i;

	for (wrong.rename = 1; wrong.rename <= COUNT(three); wrong.rename++) {
		assert_true(run_jobs(d, three, COUNT(three), &wrong));
		for (i = 0; i < COUNT(three); i++)
			assert_int_equal(shared->out[i].r, i == 0 &&
			    wrong.rename == 1 ? -1 : 0);
		check_after(d, three, COUNT(three), &wrong);
		assert_int_equal(store_expunge(d->s, id_of(d, "INBOX"), NULL,
		    0, true, NULL), 0);
	}
}

static void
a_sync_that_fails(void **state)
{
	static const struct wrong wrong = { .fail = ENOSPC,
	    .dirs = true };
	struct account_dir *d = *state;
	size_t i;

	assert_true(run_jobs(d, three, COUNT(three), &wrong));
	for (i = 0; i < COUNT(three); i++) {
		assert_int_equal(shared->out[i].r, -1);
		assert_int_equal(shared->out[i].err, EIO);
	}
	assert_int_equal(files_in(d, "Maildir/tmp"), 0);
	assert_int_equal(box_of(d, "INBOX").total, 3);	/* or power loss */
	assert_content(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BATCH("S-20 S-9 each is there once, in few commits",
		    each_is_there_once),
		BATCH("S-20 threads are found and muted in a batch",
		    threads_are_found_and_muted),
		BATCH("S-20 X-4 who is over quota is refused alone",
		    who_is_over_quota_is_refused_alone),
		BATCH("S-20 accounts have each their own",
		    accounts_have_each_their_own),
		BATCH("UIDs of what is appended", uids_of_what_is_appended),
		BATCH("S-20 S-2 calls that fail in one of three",
		    calls_that_fail),
		BATCH("S-20 a file that cannot be moved",
		    a_file_that_cannot_be_moved),
		BATCH("S-20 S-2 a sync that fails is told to all",
		    a_sync_that_fails),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
