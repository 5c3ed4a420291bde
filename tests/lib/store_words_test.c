/* store_words_test.c - J-14, J-15: words over time: what the sweep leaves,
 * and another version of the words */
#include "store_words.h"

#include <sys/syscall.h>
#include <time.h>

/* ---- a clock that can be put forward ---- */

static int64_t ahead;

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, id, ts);

	if (id == CLOCK_REALTIME)
		ts->tv_sec += ahead;
	return r;
}

static void
sweep_in(struct account_dir *d, int64_t seconds)
{
	ahead = seconds;
	assert_int_equal(store_sweep(d->s), 0);
	ahead = 0;
}

/* ---- the sweep ---- */

static void
the_sweep_leaves_what_counts(void **state)
{
	struct account_dir *d = *state;
	uint32_t archive = id_of(d, "Archive"), uid;

	uid = deliver(d, "Archive", "goes");
	deliver(d, "Archive", "stays");
	settle_words(d);
	assert_totals(d, 2, 0);
	assert_int_equal(store_expunge(d->s, archive, &uid, 1, true, NULL),
	    0);
	put_file(d, "expunged/4000000000.7", "of a killed process\n");
	assert_int_equal(files_in(d, "expunged"), 2);
	/* what nobody needs goes, but not at once */
	sweep_in(d, EXPUNGED_FRESH_SECONDS - 10);
	assert_int_equal(files_in(d, "expunged"), 2);
	sweep_in(d, EXPUNGED_FRESH_SECONDS + 1);
	assert_int_equal(files_in(d, "expunged"), 1);
	sweep_in(d, 30 * EXPUNGED_SECONDS);
	assert_int_equal(files_in(d, "expunged"), 1);
	settle_words(d);
	assert_int_equal(files_in(d, "expunged"), 0);
	assert_totals(d, 1, 0);
	assert_int_equal(state_of(d).lost_ham, 0);
	assert_as_anew(d);
}

/* ---- another version ---- */

/* A word that no message has: of a version that reads otherwise. */
#define OTHER BYTES("otherwrd")

static void
set_version(struct account_dir *d, unsigned int version)
{
	struct training_record r;
	struct work w;

	assert_int_equal(work_begin(d->s, &w), 0);
	assert_int_equal(training_record_get(d->s, w.t, &r), 1);
	r.version = version;
	assert_int_equal(training_record_put(&w, &r), 0);
	assert_int_equal(kv_put(w.t, TABLE_WORD, OTHER,
	    bytes_of("\0\0\0\7\0\0\0\0", 8)), 0);
	w.dirty = true;
	assert_int_equal(work_commit(&w), 0);
}

/* The record as it was before it had a version. */
static void
set_old_record(struct account_dir *d)
{
	struct work w;

	set_version(d, 0);
	assert_int_equal(work_begin(d->s, &w), 0);
	assert_int_equal(kv_put(w.t, TABLE_META, BYTES("training"),
	    bytes_of("\1\1\0\0\0\0\0\0\0\0", 10)), 0);
	w.dirty = true;
	assert_int_equal(work_commit(&w), 0);
}

static bool
has_other(struct account_dir *d)
{
	struct store_view *v = store_view_open(d->s);
	struct bytes value;
	int r;

	assert_non_null(v);
	r = kv_get(v->t, TABLE_WORD, OTHER, &value);
	assert_int_not_equal(r, -1);
	store_view_close(v);
	return r == 1;
}

/* Who opens the account notes all; it is counted beside other work. */
static void
an_older_version_is_counted_anew(void **state)
{
	struct account_dir *d = *state;
	int i, j;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < 300; j++)
			deliver(d, j % 3 == 0 ? "Junk" : "Archive", "m");
		settle_words(d);
		if (i == 0)
			set_version(d, JUNK_WORDS_VERSION - 1);
		else
			set_old_record(d);
		assert_true(has_other(d));
		reopen(d);
		assert_false(has_other(d));
		assert_totals(d, 0, 0);
		assert_true(state_of(d).waiting > 0);
		settle_words(d);
		assert_totals(d, (uint32_t)(i + 1) * 200,
		    (uint32_t)(i + 1) * 100);
		assert_content(d);
		/* once */
		reopen(d);
		assert_int_equal(state_of(d).waiting, 0);
	}
	assert_as_anew(d);
}

/* Without training too: else what goes were taken out wrongly. */
static void
an_older_version_without_training(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "Archive", "m");

	deliver(d, "Archive", "n");
	settle_words(d);
	set_version(d, JUNK_WORDS_VERSION - 1);
	d->o.junk.training = false;
	reopen(d);
	assert_false(has_other(d));
	assert_totals(d, 0, 0);
	assert_int_equal(store_expunge(d->s, id_of(d, "Archive"), &uid, 1,
	    true, NULL), 0);
	d->o.junk.training = true;
	reopen(d);
	settle_words(d);
	assert_totals(d, 1, 0);
	assert_as_anew(d);
}

/* A process of before an upgrade leaves it all to those of after. */
static void
a_newer_version_is_left_alone(void **state)
{
	struct account_dir *d = *state;
	struct store_training_fill ask = { .anew = false };
	uint32_t uid = deliver(d, "Archive", "m");

	settle_words(d);
	set_version(d, JUNK_WORDS_VERSION + 1);
	reopen(d);
	deliver(d, "Junk", "n");
	assert_int_equal(store_expunge(d->s, id_of(d, "Archive"), &uid, 1,
	    true, NULL), 0);
	assert_int_equal(store_names(d->s), 0);
	assert_int_equal(store_training_fill(d->s, &ask), 0);
	assert_true(has_other(d));
	assert_totals(d, 1, 0);
	assert_int_equal(state_of(d).waiting, 1);
	assert_int_equal(state_of(d).leaving, 1);
	assert_int_equal(files_in(d, "expunged"), 1);
	/* until somebody asks for it */
	ask.anew = true;
	assert_int_equal(store_training_fill(d->s, &ask), 0);
	assert_false(has_other(d));
	assert_totals(d, 0, 1);
	assert_content(d);
}

#define WORDS(name, fn) { name, fn, words_setup, account_teardown, NULL }

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WORDS("J-14 the sweep leaves a file whose words count",
		    the_sweep_leaves_what_counts),
		WORDS("J-14 J-15 words of an older version: counted anew",
		    an_older_version_is_counted_anew),
		WORDS("J-14 J-15 and where flags do not train",
		    an_older_version_without_training),
		WORDS("J-14 words of a newer version: left alone",
		    a_newer_version_is_left_alone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
