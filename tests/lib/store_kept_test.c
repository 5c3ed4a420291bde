/*
 * store_kept_test.c - J-9: who keeps an account open judges by the counts of
 * now, whoever trains it
 */
#include "store_words.h"

/* In another process, which has the account to itself. */
typedef void other_fn(struct account_dir *d);
static void
by_another(struct account_dir *d, other_fn *f)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		d->s = store_open(&d->o);
		if (d->s == NULL)
			_exit(1);
		f(d);
		settle_words(d);
		store_close(d->s);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
set_flags(struct account_dir *d, const char *name, uint32_t uid,
    uint32_t flags)
{
	struct store_flag_change c = { .how = STORE_REPLACE, .flags = flags,
	    .unchanged_since = UINT64_MAX };

	assert_int_equal(store_flags(d->s, id_of(d, name), &uid, 1, &c, NULL,
	    NULL), 0);
}

/* Some words each, in subjects. */
static void
train_some(struct account_dir *d)
{
	deliver_flags(d, "Archive", "w1 w2 w3 w4", STORE_NOTJUNK);
	deliver_flags(d, "Archive", "w1 w3 w5 w7", STORE_NOTJUNK);
	deliver_flags(d, "Junk", "w2 w4 w5 w6", STORE_JUNK);
	deliver_flags(d, "Junk", "w6 w7 w8", STORE_JUNK);
}

static void
train_wanted(struct account_dir *d)
{
	deliver_flags(d, "Archive", "w6 w8 w9", STORE_NOTJUNK);
}

/* As many of each class, of other words: UIDs are those of train_some. */
static void
train_one_for_another(struct account_dir *d)
{
	set_flags(d, "Archive", 1, STORE_JUNK);
	set_flags(d, "Junk", 2, STORE_NOTJUNK);
}

static void
expunge_one(struct account_dir *d)
{
	uint32_t uid = 1;

	assert_int_equal(store_expunge(d->s, id_of(d, "Junk"), &uid, 1, true,
	    NULL), 0);
}

static void
train_anew(struct account_dir *d)
{
	struct store_training_fill ask = { .anew = true };

	assert_int_equal(store_training_fill(d->s, &ask), 0);
}

static void
train_pairs(struct account_dir *d)
{
	d->o.junk.grams = 3;
	reopen(d);
	train_anew(d);
}

/* Judged before and after each of them, in one process. */
static void
what_others_train_is_seen(void **state)
{
	static const struct {
		other_fn *f;
		uint32_t ham, spam;
	} rows[] = {
		{ train_some, 2, 2 }, { train_wanted, 3, 2 },
		{ train_one_for_another, 3, 2 }, { expunge_one, 3, 1 },
		{ train_anew, 3, 1 }, { train_pairs, 3, 1 },
		{ train_some, 5, 3 },
	};
	struct account_dir *d = *state;
	size_t i;

	assert_as_counted(d->s);
	for (i = 0; i < COUNT(rows); i++) {
		by_another(d, rows[i].f);
		assert_as_counted(d->s);
		assert_as_counted(d->s);	/* what was kept just now */
		assert_totals(d, rows[i].ham, rows[i].spam);
	}
}

/* The same by itself. */
static void
what_it_trains_is_seen(void **state)
{
	other_fn *const all[] = { train_some, train_wanted,
	    train_one_for_another, expunge_one, train_anew, train_some };
	struct account_dir *d = *state;
	size_t i;

	for (i = 0; i < COUNT(all); i++) {
		assert_as_counted(d->s);
		all[i](d);
		assert_as_counted(d->s);
		settle_words(d);
		assert_as_counted(d->s);
	}
}

/* A view opened before and one opened after, in turn. */
static void
each_view_has_its_own(void **state)
{
	struct account_dir *d = *state;
	struct store_view *before, *after;
	int i;

	by_another(d, train_some);
	assert_non_null(before = store_view_open(d->s));
	by_another(d, train_one_for_another);
	assert_non_null(after = store_view_open(d->s));
	for (i = 0; i < 3; i++) {
		assert_view_as_counted(before);
		assert_view_as_counted(after);
	}
	store_view_close(before);
	store_view_close(after);
}

/* Another index in its place: who opens it has its counts. */
static void
a_new_index_has_its_own(void **state)
{
	struct account_dir *d = *state;
	char path[1024];

	by_another(d, train_some);
	assert_as_counted(d->s);
	store_close(d->s);
	assert_int_equal(unlink(path_of(d, path, "index/data.mdb")), 0);
	assert_non_null(d->s = store_open(&d->o));
	assert_as_counted(d->s);
	settle();
	assert_int_not_equal(store_sync(d->s, 0, false), -1);
	settle_words(d);
	assert_as_counted(d->s);
	assert_totals(d, 2, 2);
}

/* Every count another one, by who does not say so. */
static void
change_all(struct kv_txn *t)
{
	struct bytes key = BYTES_EMPTY, value;
	struct kv_cursor *c = kv_cursor_open(t, TABLE_WORD);
	struct buf keys = BUF_INIT(SIZE_MAX / 2);
	size_t i;
	int r;

	assert_non_null(c);
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if (key.n == 8)
			assert_int_equal(buf_add(&keys, key), 0);
	}
	kv_cursor_close(c);
	assert_int_equal(r, 0);
	assert_true(keys.n > 0);
	for (i = 0; i < keys.n; i += 8)
		assert_int_equal(kv_put(t, TABLE_WORD, bytes_of(keys.p + i,
		    8), BYTES("\0\0\0\11\0\0\0\1")), 0);
	buf_free(&keys);
}

/* A record that cannot be read: nothing is taken from what was kept. */
static void
without_the_record_nothing_is_kept(void **state)
{
	struct account_dir *d = *state;
	struct kv_txn *t;

	by_another(d, train_some);
	assert_as_counted(d->s);
	assert_non_null(t = kv_begin(d->s->kv, true));
	assert_int_equal(kv_put(t, TABLE_META, BYTES("word-changes"),
	    BYTES("?")), 0);
	change_all(t);
	assert_int_equal(kv_commit(t, false), 0);
	assert_as_counted(d->s);
}

static uint64_t
changes_of(struct account_dir *d)
{
	struct store_view *v = store_view_open(d->s);
	struct bytes value;
	uint64_t n = 0;

	assert_non_null(v);
	if (kv_get(v->t, TABLE_META, BYTES("word-changes"), &value) == 1)
		n = be64_get(value.p);
	store_view_close(v);
	return n;
}

/* One more with each transaction that trains, and when all is forgotten. */
static void
changes_are_counted(void **state)
{
	struct account_dir *d = *state;
	struct work w;

	assert_int_equal(changes_of(d), 0);
	train_some(d);
	settle_words(d);
	assert_int_equal(changes_of(d), 1);
	train_wanted(d);
	settle_words(d);
	assert_int_equal(changes_of(d), 2);
	reopen(d);
	assert_int_equal(work_begin(d->s, &w), 0);
	assert_int_equal(training_forget(&w), 0);
	assert_int_equal(work_commit(&w), 0);
	assert_int_equal(changes_of(d), 3);
	deliver(d, "INBOX", "neither");
	settle_words(d);
	assert_int_equal(changes_of(d), 4);	/* all of them anew */
	deliver(d, "INBOX", "nor this");
	settle_words(d);
	assert_int_equal(changes_of(d), 4);
}

#define KEPT(name, fn) { name, fn, words_setup, account_teardown, NULL }

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		KEPT("J-9 J-14 what others train is seen",
		    what_others_train_is_seen),
		KEPT("J-9 J-14 what it trains itself is seen",
		    what_it_trains_is_seen),
		KEPT("J-9 each view has its own counts",
		    each_view_has_its_own),
		KEPT("J-9 J-15 a new index has its own counts",
		    a_new_index_has_its_own),
		KEPT("J-9 without the record nothing is kept",
		    without_the_record_nothing_is_kept),
		KEPT("J-9 J-15 changes of counts are counted",
		    changes_are_counted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
