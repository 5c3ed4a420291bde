/* store_training_test.c - J-11, J-14, J-15: words counted as flags say */
#include "store_fixture.h"

#define BOTH (STORE_JUNK | STORE_NOTJUNK)

struct totals {
	uint32_t ham, spam;
};

static struct totals
totals_of(struct account_dir *d)
{
	struct store_view *v = store_view_open(d->s);
	struct junk_counts *c;
	struct totals t;

	assert_non_null(v);
	c = store_junk_counts(v);
	assert_int_equal(junk_counts_totals(c, &t.ham, &t.spam), 0);
	junk_counts_close(c);
	store_view_close(v);
	return t;
}

static void
assert_totals(struct account_dir *d, uint32_t ham, uint32_t spam)
{
	struct totals t = totals_of(d);

	assert_int_equal(t.ham, ham);
	assert_int_equal(t.spam, spam);
}

static void
assert_training(struct account_dir *d, uint32_t mailbox, uint32_t uid,
    enum store_training want)
{
	struct store_view *v = store_view_open(d->s);
	struct store_message m;

	assert_non_null(v);
	assert_int_equal(store_message_get(v, mailbox, uid, &m), 1);
	assert_int_equal(m.training, want);
	store_view_close(v);
}

static struct store_training_fill
fill(struct account_dir *d, bool anew)
{
	struct store_training_fill ask = { .anew = anew };

	assert_int_equal(store_training_fill(d->s, &ask), 0);
	return ask;
}

/* The probability of a message, in thousandths, and that it is known. */
static unsigned int
score_of(struct account_dir *d, const char *text)
{
	struct store_view *v = store_view_open(d->s);
	struct junk_counts *c;
	struct junk_words w;
	struct junk_score s;

	assert_non_null(v);
	c = store_junk_counts(v);
	junk_words_init(&w, 0, true);
	junk_words_add(&w, BYTES_EMPTY, bytes_str(text));
	assert_int_equal(junk_score(c, &w, &JUNK_DEFAULT, &s), 0);
	junk_words_free(&w);
	junk_counts_close(c);
	store_view_close(v);
	return (unsigned int)(s.probability * 1000);
}

static void
set_flags(struct account_dir *d, uint32_t mailbox, uint32_t uid,
    uint32_t flags)
{
	struct store_flag_change c = { .how = STORE_REPLACE, .flags = flags,
	    .unchanged_since = UINT64_MAX };

	assert_int_equal(store_flags(d->s, mailbox, &uid, 1, &c, NULL, NULL),
	    0);
}

/* J-11: exactly one flag trains; J-14: only what changed is done. */
static void
by_flags(void **state)
{
	static const struct {
		uint32_t flags;
		enum store_training want;
	} rows[] = {
		{ 0, STORE_UNTRAINED }, { STORE_JUNK, STORE_TRAINED_SPAM },
		{ STORE_NOTJUNK, STORE_TRAINED_HAM }, { BOTH, STORE_UNTRAINED },
		{ STORE_SEEN | STORE_JUNK, STORE_TRAINED_SPAM },
	};
	struct account_dir *d = *state;
	struct store_training_fill done;
	uint32_t box = id_of(d, "Archive"), uid[COUNT(rows)];
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		uid[i] = deliver_flags(d, "Archive", "letter", rows[i].flags);
	done = fill(d, false);
	assert_int_equal(done.ham, 1);
	assert_int_equal(done.spam, 2);
	assert_int_equal(done.untrained, 0);
	for (i = 0; i < COUNT(rows); i++)
		assert_training(d, box, uid[i], rows[i].want);
	assert_totals(d, 1, 2);
	done = fill(d, false);
	assert_int_equal(done.ham + done.spam + done.untrained, 0);
	/* another flag: out as what it was, in as what it is */
	set_flags(d, box, uid[1], STORE_NOTJUNK);
	set_flags(d, box, uid[2], 0);
	done = fill(d, false);
	assert_int_equal(done.ham, 1);
	assert_int_equal(done.spam, 0);
	assert_int_equal(done.untrained, 2);
	assert_totals(d, 1, 1);
	assert_content(d);
}

/* Counts are of messages: a copy is one of its own, a move is none. */
static void
copies_and_moves(void **state)
{
	struct account_dir *d = *state;
	uint32_t from = id_of(d, "Junk"), to = id_of(d, "Archive"), uid, new;

	uid = deliver(d, "Junk", "offer");
	fill(d, false);
	assert_totals(d, 0, 1);
	assert_int_equal(store_copy(d->s, from, &uid, 1, to, false, &new), 0);
	assert_training(d, to, new, STORE_UNTRAINED);
	assert_training(d, from, uid, STORE_TRAINED_SPAM);
	fill(d, false);
	assert_totals(d, 0, 2);
	assert_int_equal(store_copy(d->s, from, &uid, 1, to, true, &new), 0);
	assert_training(d, to, new, STORE_TRAINED_SPAM);
	fill(d, false);
	assert_totals(d, 0, 2);
}

/* More than fit in one transaction; J-15: all anew gives the same. */
static void
many_and_anew(void **state)
{
	struct account_dir *d = *state;
	struct store_training_fill done;
	unsigned int before;
	int i;

	for (i = 0; i < 60; i++) {
		deliver(d, "Junk", "cheap offer");
		deliver_flags(d, "Archive", "meeting notes", STORE_NOTJUNK);
	}
	done = fill(d, false);
	assert_int_equal(done.ham, 60);
	assert_int_equal(done.spam, 60);
	assert_totals(d, 60, 60);
	assert_true(score_of(d, "cheap offer") > 950);
	assert_true(score_of(d, "meeting notes") < 50);
	before = score_of(d, "cheap meeting offer");
	reopen(d);
	done = fill(d, true);
	assert_int_equal(done.ham, 60);
	assert_int_equal(done.spam, 60);
	assert_int_equal(done.untrained, 0);
	assert_totals(d, 60, 60);
	assert_int_equal(score_of(d, "cheap meeting offer"), before);
	assert_content(d);
}

/* A file that is gone is passed over, the others are trained. */
static void
file_is_gone(void **state)
{
	struct account_dir *d = *state;
	uint32_t box = id_of(d, "Junk"), uid;
	char path[1024];

	uid = deliver(d, "Junk", "gone");
	deliver(d, "Junk", "there");
	assert_int_equal(unlink(file_of(d, path, box, uid)), 0);
	assert_int_equal(fill(d, false).spam, 1);
	assert_totals(d, 0, 1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "J-11 J-14 exactly one flag trains, "
		    "a changed one trains anew",
		    by_flags, account_setup, account_teardown, NULL },
		{ "J-14 copies are trained, moves are not",
		    copies_and_moves, account_setup, account_teardown, NULL },
		{ "J-15 all anew gives the same",
		    many_and_anew, account_setup, account_teardown, NULL },
		{ "J-14 a file that is gone is passed over",
		    file_is_gone, account_setup, account_teardown, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
