/* store_learn_test.c - J-11, J-14: words follow flags by themselves */
#include "store_words.h"

#include <signal.h>
#include <time.h>

static void
set_flags(struct account_dir *d, uint32_t mailbox, const uint32_t *uids,
    size_t n, uint32_t flags)
{
	struct store_flag_change c = { .how = STORE_REPLACE, .flags = flags,
	    .unchanged_since = UINT64_MAX };

	assert_int_equal(store_flags(d->s, mailbox, uids, n, &c, NULL, NULL),
	    0);
}

/* ---- each way to change flags ---- */

static void
each_change_trains(void **state)
{
	struct account_dir *d = *state;
	struct bytes piece = BYTES("Subject: appended\n\nword\n");
	struct store_incoming in = { .pieces = &piece, .count = 1 };
	uint32_t junk = id_of(d, "Junk"), archive = id_of(d, "Archive");
	uint32_t inbox = id_of(d, "INBOX"), uid, other, new;

	uid = deliver(d, "Junk", "offer");
	settle_words(d);
	assert_totals(d, 0, 1);
	assert_int_equal(store_append(d->s, archive, &in, 1, &other), 0);
	settle_words(d);
	assert_totals(d, 1, 1);
	/* a copy is one more, a move none, where the class is the same */
	assert_int_equal(store_copy(d->s, junk, &uid, 1, archive, false,
	    &new), 0);
	settle_words(d);
	assert_totals(d, 2, 1);
	assert_int_equal(store_copy(d->s, junk, &uid, 1, archive, true,
	    &new), 0);
	settle_words(d);
	assert_totals(d, 3, 0);
	assert_int_equal(store_copy(d->s, archive, &new, 1, inbox, true,
	    &uid), 0);
	settle_words(d);
	assert_totals(d, 2, 0);
	set_flags(d, inbox, &uid, 1, STORE_JUNK | STORE_SEEN);
	settle_words(d);
	assert_totals(d, 2, 1);
	set_flags(d, inbox, &uid, 1, BOTH);
	settle_words(d);
	assert_totals(d, 2, 0);
	assert_as_anew(d);
	assert_content(d);
}

/* What another program names, too. */
static void
foreign_names_train(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid, inbox = id_of(d, "INBOX");
	char path[1024], to[1100];
	const char *file;

	uid = deliver(d, "INBOX", "first");
	set_flags(d, inbox, &uid, 1, STORE_JUNK);	/* letter a */
	set_flags(d, inbox, &uid, 1, 0);
	settle_words(d);
	assert_totals(d, 0, 0);
	put_file(d, "Maildir/cur/9.foreign:2,a", "Subject: y\n\nz\n");
	file = file_of(d, path, inbox, uid);
	(void)snprintf(to, sizeof(to), "%s", file);
	*strstr(to, ":2,") = '\0';
	strcat(to, ":2,a");
	assert_int_equal(rename(file, to), 0);
	settle();
	assert_int_equal(store_sync(d->s, 0, false), 1);
	settle_words(d);
	assert_totals(d, 0, 2);
	assert_as_anew(d);
	/* and an index that is built anew */
	store_close(d->s);
	assert_int_equal(unlink(path_of(d, path, "index/data.mdb")), 0);
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	settle_words(d);
	assert_totals(d, 0, 2);
	assert_content(d);
}

/* A change of more than a batch is answered first, and is one range. */
static void
many_are_noted_not_read(void **state)
{
	struct account_dir *d = *state;
	uint32_t uids[900], inbox = id_of(d, "INBOX");
	size_t i;

	for (i = 0; i < COUNT(uids); i++)
		uids[i] = deliver(d, "INBOX", "m");
	set_flags(d, inbox, uids, COUNT(uids), STORE_JUNK);
	assert_int_equal(state_of(d).waiting, 1);
	assert_totals(d, 0, 0);
	/* some trained, some changed before they were */
	while (state_of(d).waiting > 0 && store_names(d->s) == 1) {
		if (flags_of(d, inbox, uids[850]) == STORE_JUNK)
			set_flags(d, inbox, uids + 450, 450, STORE_NOTJUNK);
	}
	settle_words(d);
	assert_totals(d, 450, 450);
	assert_as_anew(d);
	assert_int_equal(store_expunge(d->s, inbox, uids, 800, true, NULL),
	    0);
	assert_int_equal(state_of(d).leaving, 800);
	assert_totals(d, 450, 450);
	settle_words(d);
	assert_totals(d, 100, 0);
	assert_as_anew(d);
	assert_content(d);
}

/* ---- messages that go ---- */

static void
train_then_untrain_leaves_nothing(void **state)
{
	struct account_dir *d = *state;
	struct buf before = BUF_INIT(SIZE_MAX / 2);
	struct buf after = BUF_INIT(SIZE_MAX / 2);
	uint32_t archive = id_of(d, "Archive"), uid;

	deliver(d, "Archive", "stays");
	deliver(d, "Junk", "bad");
	settle_words(d);
	words_of(d, &before);
	uid = deliver(d, "Archive", "goes again");
	settle_words(d);
	words_of(d, &after);
	assert_true(after.n > before.n);
	assert_int_equal(store_expunge(d->s, archive, &uid, 1, true, NULL),
	    0);
	assert_int_equal(files_in(d, "expunged"), 1);
	settle_words(d);
	assert_int_equal(files_in(d, "expunged"), 0);
	words_of(d, &after);
	assert_int_equal(after.n, before.n);
	assert_memory_equal(after.p, before.p, before.n);
	buf_free(&before);
	buf_free(&after);
}

/* The sweep leaves a file that is needed, also a day later. */
static void
needed_files_stay(void **state)
{
	struct account_dir *d = *state;
	uint32_t archive = id_of(d, "Archive"), uid;

	uid = deliver(d, "Archive", "goes");
	settle_words(d);
	assert_int_equal(store_expunge(d->s, archive, &uid, 1, true, NULL),
	    0);
	assert_true(untrain_needs(d->s, "2.1") == (archive == 2 && uid == 1));
	{
		char name[EXPUNGED_NAME_MAX];

		expunged_name(name, archive, uid);
		assert_true(untrain_needs(d->s, name + strlen("expunged/")));
		settle_words(d);
		assert_false(untrain_needs(d->s, name + strlen("expunged/")));
	}
	assert_false(untrain_needs(d->s, "box.7"));
	assert_false(untrain_needs(d->s, "new.1.2"));
}

static void
a_mailbox_that_goes(void **state)
{
	struct account_dir *d = *state;
	int i;

	deliver(d, "Archive", "stays");
	for (i = 0; i < 20; i++)
		deliver(d, "Old/Letters", "goes");
	settle_words(d);
	assert_totals(d, 21, 0);
	assert_int_equal(store_mailbox_delete(d->s, BYTES("Old/Letters")), 0);
	settle_words(d);
	assert_totals(d, 1, 0);
	assert_int_equal(state_of(d).lost_ham, 0);
	assert_int_equal(files_in(d, "expunged"), 0);
	assert_as_anew(d);
}

/* rm: the words are not known any more, and that is told. */
static void
a_file_that_vanished_is_told(void **state)
{
	struct account_dir *d = *state;
	uint32_t archive = id_of(d, "Archive"), uid;
	struct store_training_fill ask = { .anew = true };
	char path[1024];

	deliver(d, "Junk", "bad");
	uid = deliver(d, "Archive", "gone");
	deliver(d, "Archive", "stays");
	settle_words(d);
	assert_totals(d, 2, 1);
	assert_int_equal(unlink(file_of(d, path, archive, uid)), 0);
	settle();
	assert_int_equal(store_sync(d->s, archive, false), 1);
	settle_words(d);
	assert_totals(d, 2, 1);
	assert_int_equal(state_of(d).lost_ham, 1);
	assert_int_equal(state_of(d).lost_spam, 0);
	assert_int_equal(store_training_fill(d->s, &ask), 0);
	assert_totals(d, 1, 1);
	assert_int_equal(state_of(d).lost_ham, 0);
}

/* mv, by hand or another program: nothing is lost, whichever mailbox is
 * looked at first. */
static void
moved_by_others(void **state)
{
	struct account_dir *d = *state;
	uint32_t archive = id_of(d, "Archive"), uid, i;
	char path[1024], to[1024];

	for (i = 0; i < 2; i++) {
		uid = deliver(d, "Archive", i == 0 ? "one" : "two");
		deliver(d, "Junk", "bad");
		settle_words(d);
		assert_totals(d, 1, i + 1);
		file_of(d, path, archive, uid);
		assert_int_equal(rename(path, path_of(d, to,
		    "Maildir/cur/%s", strrchr(path, '/') + 1)), 0);
		settle();
		assert_int_equal(store_sync(d->s, i == 0 ? archive : 0,
		    false), 1);
		settle_words(d);
		assert_int_equal(state_of(d).lost_ham, 0);
		assert_as_anew(d);
		assert_int_equal(store_expunge(d->s, id_of(d, "INBOX"), NULL,
		    0, true, NULL), 0);
		assert_int_equal(store_expunge(d->s, archive, NULL, 0, true,
		    NULL), 0);
		settle_words(d);
	}
	assert_content(d);
}

/* What contradicts is found, and counted anew by store-index -r. */
static void
damage_is_found_and_mended(void **state)
{
	static const struct {
		unsigned int table;
		const char *key, *value;
		size_t n, size;
	} rows[] = {
		{ TABLE_WORD, "-", "\0\0\0\7\0\0\0\0", 1, 8 },
		{ TABLE_WORD, "12345678", "abc", 8, 3 },
		{ TABLE_WORD, "abc", "\0\0\0\7\0\0\0\0", 3, 8 },
		{ TABLE_TRAIN, "abc", "1234", 3, 4 },
		{ TABLE_UNTRAIN, "abcdefgh", "\3", 8, 1 },
	};
	struct account_dir *d = *state;
	struct store_verify v = { .found = NULL };
	uint64_t count;
	struct work w;
	size_t i;

	deliver(d, "Junk", "bad");
	deliver(d, "Archive", "good");
	settle_words(d);
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(work_begin(d->s, &w), 0);
		assert_int_equal(kv_put(w.t, rows[i].table,
		    bytes_of(rows[i].key, rows[i].n),
		    bytes_of(rows[i].value, rows[i].size)), 0);
		assert_int_equal(work_commit(&w), 0);
		assert_int_equal(store_verify(d->s, &v, &count), 0);
		assert_int_equal(count, 1);
		assert_int_equal(store_rebuild(d->s), 0);
		reopen(d);
		settle_words(d);
		assert_totals(d, 1, 1);
		assert_as_anew(d);
		assert_content(d);
	}
	/* a record of another size is none: all is counted anew */
	assert_int_equal(work_begin(d->s, &w), 0);
	assert_int_equal(kv_put(w.t, TABLE_META, BYTES("training"),
	    BYTES("x")), 0);
	assert_int_equal(work_commit(&w), 0);
	reopen(d);
	settle_words(d);
	assert_totals(d, 1, 1);
	assert_content(d);
}

/* ---- the option ---- */

static void
off_and_on_again(void **state)
{
	struct account_dir *d = *state;
	uint32_t junk = id_of(d, "Junk"), uid;

	uid = deliver(d, "Junk", "one");
	settle_words(d);
	d->o.junk.training = false;
	reopen(d);
	deliver(d, "Junk", "two");
	settle_words(d);
	assert_totals(d, 0, 1);
	/* what was trained is taken out still */
	assert_int_equal(store_expunge(d->s, junk, &uid, 1, true, NULL), 0);
	settle_words(d);
	assert_totals(d, 0, 0);
	d->o.junk.training = true;
	reopen(d);
	settle_words(d);
	assert_totals(d, 0, 1);
	assert_as_anew(d);
	/* what words are made of changes with all counted anew alone */
	d->o.junk.grams = 3;
	reopen(d);
	deliver(d, "Junk", "three words here");
	settle_words(d);
	assert_totals(d, 0, 2);
	{
		struct store_view *v = store_view_open(d->s);

		assert_int_equal(store_junk_grams(v), 1);
		store_view_close(v);
		assert_int_equal(store_training_fill(d->s,
		    &(struct store_training_fill){ .anew = true }), 0);
		assert_non_null(v = store_view_open(d->s));
		assert_int_equal(store_junk_grams(v), 3);
		store_view_close(v);
	}
	assert_as_anew(d);
}

/* What a process left is done when it closes the account. */
static void
closing_trains(void **state)
{
	struct account_dir *d = *state;
	int i;

	for (i = 0; i < 50; i++)
		deliver(d, "Junk", "x");
	reopen(d);
	assert_totals(d, 0, 50);
	assert_int_equal(state_of(d).waiting, 0);
}

/* J-15 of one message or a mailbox: out and in again. */
static void
one_and_a_mailbox_anew(void **state)
{
	struct account_dir *d = *state;
	uint32_t archive = id_of(d, "Archive"), uids[3];
	struct store_training_fill ask = { .anew = true, .mailbox = archive,
	    .uids = uids, .count = 1 };
	size_t i;

	for (i = 0; i < 3; i++)
		uids[i] = deliver(d, "Archive", "letter");
	deliver(d, "Junk", "x");
	settle_words(d);
	assert_int_equal(store_training_fill(d->s, &ask), 0);
	assert_int_equal(ask.ham, 1);
	assert_int_equal(ask.untrained, 1);
	ask.uids = NULL;
	assert_int_equal(store_training_fill(d->s, &ask), 0);
	assert_int_equal(ask.ham, 3);
	assert_int_equal(ask.untrained, 3);
	ask.anew = false;
	assert_int_equal(store_training_fill(d->s, &ask), 0);
	assert_int_equal(ask.ham + ask.spam + ask.untrained, 0);
	assert_totals(d, 3, 1);
	assert_as_anew(d);
}

/* ---- anything, by many ---- */

static uint32_t
roll(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

static const char *const boxes[] = { "INBOX", "Junk", "Archive", "Work",
    "Spam" };

/* Some UIDs of a mailbox, ascending. */
static size_t
some_of(struct store *s, uint32_t *seed, uint32_t *mailbox, uint32_t *uids,
    size_t max)
{
	struct store_view *v = store_view_open(s);
	struct store_mailbox box;
	struct store_message m;
	size_t n = 0;
	int r;

	assert_non_null(v);
	if (store_mailbox_find(v, bytes_str(boxes[roll(seed,
	    COUNT(boxes))]), &box) == 1) {
		*mailbox = box.id;
		for (r = store_message_first(v, box.id, 1, &m);
		    r == 1 && n < max; r = store_message_next(v, &m)) {
			if (roll(seed, 3) == 0)
				uids[n++] = m.uid;
		}
	}
	store_view_close(v);
	return n;
}

static void
act(struct store *s, uint32_t *seed)
{
	static const uint32_t flags[] = { 0, STORE_JUNK, STORE_NOTJUNK,
	    BOTH | STORE_SEEN };
	uint32_t uids[100], new[100], mailbox = 0;
	struct store_flag_change c = { .unchanged_since = UINT64_MAX };
	struct store_mailbox to;
	struct store_view *v;
	char text[256], subject[64];
	struct bytes piece;
	struct store_incoming in = { .pieces = &piece, .count = 1 };
	size_t n = some_of(s, seed, &mailbox, uids, 1 + roll(seed, 100));
	uint32_t what = roll(seed, 10);
	bool there;

	/* Others remove mailboxes and messages meanwhile: any may fail. */
	c.how = (enum store_how)roll(seed, 3);
	c.flags = in.flags = flags[roll(seed, 4)];
	if (what < 4 || n == 0) {
		(void)snprintf(subject, sizeof(subject), "w%u v%u",
		    roll(seed, 40), roll(seed, 1000));
		piece = text_message(text, subject);
		(void)store_deliver(s, bytes_str(boxes[roll(seed,
		    COUNT(boxes))]), &in, NULL);
	} else if (what < 6) {
		(void)store_flags(s, mailbox, uids, n, &c, NULL, NULL);
	} else if (what == 6) {
		(void)store_expunge(s, mailbox, uids, n, true, NULL);
	} else if (what == 7 && roll(seed, 8) == 0) {
		(void)store_mailbox_delete(s, BYTES("Work"));
	} else {
		v = store_view_open(s);
		assert_non_null(v);
		there = store_mailbox_find(v, bytes_str(boxes[roll(seed,
		    COUNT(boxes))]), &to) == 1;
		store_view_close(v);
		if (there)
			(void)store_copy(s, mailbox, uids, n, to.id,
			    what == 8, new);
	}
}

static void
work_on(const struct account_dir *d, uint32_t seed, int rounds)
{
	struct store *s = store_open(&d->o);
	int i;

	for (i = 0; s != NULL && i < rounds; i++) {
		act(s, &seed);
		if (roll(&seed, 4) == 0)
			(void)store_names(s);
		if (roll(&seed, 4) == 0)
			assert_as_counted(s);
	}
	store_close(s);
}

static void
any_changes_by_many(void **state)
{
	struct account_dir *d = *state;
	pid_t pid[3];
	uint32_t seed = (uint32_t)time(NULL), i;
	int status;

	print_message("# seed %u\n", seed);
	for (i = 0; i < COUNT(pid); i++) {
		if ((pid[i] = fork()) == 0) {
			d->o.report = NULL;
			work_on(d, seed + i * 7919, 150);
			_exit(0);
		}
	}
	for (i = 0; i < COUNT(pid); i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	reopen(d);
	settle_words(d);
	assert_int_equal(state_of(d).lost_ham + state_of(d).lost_spam, 0);
	assert_as_anew(d);
	assert_content(d);
}

/* Killed at any moment, nothing is lost and nothing counts twice. */
static void
killed_at_any_moment(void **state)
{
	struct account_dir *d = *state;
	struct timespec t = { 0, 0 };
	uint32_t seed = (uint32_t)time(NULL);
	pid_t pid;
	int i, status, killed = 0;

	print_message("# seed %u\n", seed);
	for (i = 0; i < 40; i++) {
		if ((pid = fork()) == 0) {
			d->o.report = NULL;
			work_on(d, seed + (uint32_t)i * 101, 400);
			_exit(0);
		}
		t.tv_nsec = 1000000 * (5 + (long)roll(&seed, 60));
		(void)nanosleep(&t, NULL);
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		killed += WIFSIGNALED(status) != 0;
	}
	assert_true(killed > 20);
	reopen(d);
	settle();
	assert_int_not_equal(store_sync(d->s, 0, false), -1);
	settle_words(d);
	assert_int_equal(state_of(d).lost_ham + state_of(d).lost_spam, 0);
	assert_as_anew(d);
	assert_content(d);
}

#define LEARN(name, fn) { name, fn, words_setup, account_teardown, NULL }

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		LEARN("J-11 J-12 deliver, append, copy, move and flags train",
		    each_change_trains),
		LEARN("J-11 flags other programs set train, a new index too",
		    foreign_names_train),
		LEARN("J-14 a change of many notes a range, and is done later",
		    many_are_noted_not_read),
		LEARN("J-14 expunged: every count is as it was before",
		    train_then_untrain_leaves_nothing),
		LEARN("J-14 a file whose words count is not swept",
		    needed_files_stay),
		LEARN("J-14 a mailbox that goes is untrained",
		    a_mailbox_that_goes),
		LEARN("J-14 words of a file another program removed: told",
		    a_file_that_vanished_is_told),
		LEARN("J-14 a file another program moved: nothing is lost",
		    moved_by_others),
		LEARN("J-14 what contradicts is found and counted anew",
		    damage_is_found_and_mended),
		LEARN("J-11 switched off and on, other grams",
		    off_and_on_again),
		LEARN("J-14 closing the account trains", closing_trains),
		LEARN("J-15 one message, a mailbox anew",
		    one_and_a_mailbox_anew),
		LEARN("J-14 any changes by many: as counted anew",
		    any_changes_by_many),
		LEARN("J-14 killed at any moment: as counted anew",
		    killed_at_any_moment),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
