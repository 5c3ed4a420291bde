/*
 * junk_score_test.c - training and judging by words (J-7, J-8, J-9)
 */
#include "junk_fixture.h"

#include <errno.h>

static void
train_message(struct fixture *f, const char *message, enum junk_class class,
    int sign)
{
	junk_words_read(&f->words, bytes_str(message));
	train_words(f, &f->words, class, sign);
}

static void
train(struct fixture *f, const char *text, enum junk_class class, int sign)
{
	char message[1000];

	(void)snprintf(message, sizeof(message), "\n%s\n", text);
	train_message(f, message, class, sign);
}

static struct junk_score
score_message(struct fixture *f, const char *message,
    const struct junk_options *o)
{
	struct junk_counts *c = junk_counts_open(f->file.txn, f->file.table);
	struct junk_score s, again;

	junk_words_read(&f->words, bytes_str(message));
	assert_int_equal(junk_score(c, &f->words, o, &s), 0);
	/* from memory the same */
	assert_int_equal(junk_counts_load(c), 0);
	assert_int_equal(junk_score(c, &f->words, o, &again), 0);
	assert_true(s.probability == again.probability);
	junk_counts_close(c);
	return s;
}

static struct junk_score
score_with(struct fixture *f, const char *text, const struct junk_options *o)
{
	char message[1000];

	(void)snprintf(message, sizeof(message), "\n%s\n", text);
	return score_message(f, message, o);
}

static struct junk_score
score(struct fixture *f, const char *text)
{
	return score_with(f, text, &JUNK_DEFAULT);
}

/* All of a table as text, to compare. */
static void
dump(struct fixture *f, struct buf *out)
{
	struct kv_cursor *c = kv_cursor_open(f->file.txn, f->file.table);
	struct bytes key = BYTES_EMPTY, value;
	int r;

	assert_non_null(c);
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		assert_int_equal(buf_add(out, key), 0);
		assert_int_equal(buf_add(out, value), 0);
	}
	assert_int_equal(r, 0);
	kv_cursor_close(c);
}

/* J-9: a word counts from its second message on, bulk or not. */
static void
second_sighting(void **state)
{
	struct fixture *f = *state;

	train(f, "common words", JUNK_HAM, 1);
	train(f, "offer words", JUNK_SPAM, 1);
	assert_true(score(f, "offer").probability < 0.9);
	assert_int_equal(score(f, "offer").spammy_n, 0);
	train(f, "offer other", JUNK_SPAM, 1);
	assert_int_equal(score(f, "offer").spammy_n, 1);
	assert_true(score(f, "offer").probability > 0.9);
	train(f, "offer other", JUNK_SPAM, -1);
	assert_int_equal(score(f, "offer").spammy_n, 0);
}

/* J-9, J-14: what is untrained was never there, in any order. */
static void
untrain_exactly(void **state)
{
	static const char *const texts[] = { "alpha beta gamma",
	    "beta gamma delta", "gamma delta epsilon" };
	struct fixture *f = *state;
	struct buf before = BUF_INIT(100000), after = BUF_INIT(100000);
	size_t i;

	train(f, "alpha delta zeta", JUNK_SPAM, 1);
	dump(f, &before);
	for (i = 0; i < 3; i++)
		train(f, texts[i], i % 2 == 0 ? JUNK_HAM : JUNK_SPAM, 1);
	dump(f, &after);
	assert_false(bytes_eq(buf_bytes(&before), buf_bytes(&after)));
	for (i = 0; i < 3; i++)
		train(f, texts[i], i % 2 == 0 ? JUNK_HAM : JUNK_SPAM, -1);
	buf_reset(&after);
	dump(f, &after);
	assert_true(bytes_eq(buf_bytes(&before), buf_bytes(&after)));
	/* what was never trained takes nothing below 0 */
	train(f, "alpha", JUNK_HAM, -1);
	buf_reset(&after);
	dump(f, &after);
	assert_true(bytes_eq(buf_bytes(&before), buf_bytes(&after)));
	buf_free(&before);
	buf_free(&after);
}

/* One message in a batch, or many: the same table. */
static void
bulk_is_single(void **state)
{
	struct fixture *f = *state;
	struct buf single = BUF_INIT(1 << 20), bulk = BUF_INIT(1 << 20);
	char text[100];
	int i, round;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < 200; i++) {
			(void)snprintf(text, sizeof(text),
			    "\nword%c%c thing%c every\n", 'a' + i % 26,
			    'a' + i / 26, 'a' + i % 7);
			junk_words_read(&f->words, bytes_str(text));
			junk_batch_add(f->batch, &f->words,
			    i % 3 == 0 ? JUNK_SPAM : JUNK_HAM, 1);
			if (round == 0 || i == 199)
				assert_int_equal(junk_batch_write(f->batch,
				    f->file.txn, f->file.table), 0);
		}
		dump(f, round == 0 ? &single : &bulk);
		assert_int_equal(kv_empty(f->file.txn, f->file.table), 0);
	}
	assert_true(single.n > 1000);
	assert_true(bytes_eq(buf_bytes(&single), buf_bytes(&bulk)));
	buf_free(&single);
	buf_free(&bulk);
}

/* J-7: no verdict counts before 50 wanted messages are trained. */
static void
significance(void **state)
{
	struct fixture *f = *state;
	int i;

	for (i = 0; i < 49; i++)
		train(f, "wanted letter", JUNK_HAM, 1);
	assert_int_equal(score(f, "wanted").ham, 49);
	assert_false(score(f, "wanted").significant);
	train(f, "wanted letter", JUNK_HAM, 1);
	assert_true(score(f, "wanted").significant);
}

/* The parameters of J-8, by what BEHAVIOUR 3 makes of them. */
static void
formula(void **state)
{
	struct fixture *f = *state;
	struct junk_options o = JUNK_DEFAULT;
	struct junk_score s;
	int i;

	o.norm = 0;
	o.ignore_words = 0.1;
	o.rare_words = 2;
	o.prior = 0;
	for (i = 0; i < 10; i++) {
		train(f, i < 8 ? "good both" : "good", JUNK_HAM, 1);
		train(f, i < 2 ? "evil both" : "evil", JUNK_SPAM, 1);
	}
	/* clamped to 0.99: ln(99) */
	s = score_with(f, "evil", &o);
	assert_float_equal(s.spammy[0].probability, 0.99, 1e-9);
	o.max_power = 0.2;
	s = score_with(f, "evil", &o);
	assert_float_equal(s.spammy[0].probability, 0.8, 1e-9);
	/* 2/10 against 8/10 */
	o.max_power = 0.01;
	s = score_with(f, "both", &o);
	assert_float_equal(s.hammy[0].probability, 0.2, 1e-9);
	o.ignore_words = 0.31;
	assert_int_equal(score_with(f, "both", &o).hammy_n, 0);
	/* rare: of 2 messages, (1 + 2 - 2) tenths of the way to 0.5 */
	o.ignore_words = 0.1;
	train(f, "rareword", JUNK_SPAM, 1);
	train(f, "rareword", JUNK_SPAM, 1);
	s = score_with(f, "rareword", &o);
	assert_float_equal(s.spammy[0].probability, 0.99 - 0.049, 1e-9);
	o.rare_words = 1;
	s = score_with(f, "rareword", &o);
	assert_float_equal(s.spammy[0].probability, 0.99, 1e-9);
	/* a prior of a message: 10/12 and 0/10, each with 11/120 */
	o.prior = 1;
	s = score_with(f, "evil", &o);
	assert_float_equal(s.spammy[0].probability, 111.0 / 122, 1e-9);
	o.prior = 0;
	/* a text that holds as much of both says nothing */
	s = score_with(f, "good evil", &o);
	assert_float_equal(s.probability, 0.5, 0.05);
	/* of each side the one with the most say */
	o.top_words = 1;
	s = score_with(f, "evil good both", &o);
	assert_int_equal(s.known, 4 - 1 - 1);
}

/* J-8: the many that say little do not outweigh one that says much; the words
 * of the header and of the text are two groups. */
static void
by_group(void **state)
{
	static const char text[] = "one two three four five six seven eight";
	struct fixture *f = *state;
	struct junk_options o = JUNK_DEFAULT;
	struct junk_score both;
	int i;

	for (i = 0; i < 20; i++) {
		train(f, text, JUNK_HAM, 1);
		train(f, i < 10 ? text : "surely", JUNK_SPAM, 1);
		train_message(f, "From: offer\n\n", JUNK_SPAM, 1);
	}
	/* each of eight weak words says wanted, one strong one says not */
	o.body = 100;
	both = score_with(f, "one two three four five six seven eight surely",
	    &o);
	assert_true(both.probability > 0.5);
	o.body = 0;
	both = score_message(f, "From: offer\n\none two three four\n", &o);
	assert_true(both.probability > 0.9);
	o.body = 100;
	both = score_message(f, "From: offer\n\none two three four\n", &o);
	assert_true(both.probability < 0.1);
}

/* The prior is as much as the smaller class is small. */
static void
few_of_one_class(void **state)
{
	struct fixture *f = *state;
	struct junk_options o = JUNK_DEFAULT;
	struct junk_score s;
	int i;

	o.ignore_words = 0;
	for (i = 0; i < 40; i++) {
		train(f, i < 2 ? "offer new" : "offer", JUNK_SPAM, 1);
		if (i < 4)
			train(f, "letter", JUNK_HAM, 1);
	}
	/* 2/40 and 0/4, each with 0.1 (1/4 + 1/40) / 2 */
	s = score_with(f, "new", &o);
	assert_float_equal(s.spammy[0].probability,
	    (0.05 + 0.01375) / (0.05 + 0.0275), 1e-9);
	o.prior = 0;
	s = score_with(f, "new", &o);
	assert_float_equal(s.spammy[0].probability, 0.99, 1e-9);
}

/* More words do not make certain what each of them doubts. */
static void
by_number(void **state)
{
	struct fixture *f = *state;
	struct junk_options o = JUNK_DEFAULT;
	struct junk_score flat, normed;
	int i;

	for (i = 0; i < 10; i++) {
		train(f, "one two three four five", JUNK_SPAM, 1);
		train(f, i < 1 ? "one two three four five" : "nothing",
		    JUNK_HAM, 1);
	}
	normed = score_with(f, "one two three four five", &o);
	o.norm = 0;
	flat = score_with(f, "one two three four five", &o);
	assert_true(flat.probability > normed.probability);
	o.norm = 1;
	assert_true(score_with(f, "one two three four five", &o).probability
	    < normed.probability);
}

static void
wrong_entry(void **state)
{
	struct fixture *f = *state;
	struct junk_counts *c = junk_counts_open(f->file.txn, f->file.table);
	unsigned char key[8];
	struct junk_score s;

	junk_words_read(&f->words, BYTES("\nevil\n"));
	be64_put(key, f->words.word[f->words.n - 1].hash);
	assert_int_equal(kv_put(f->file.txn, f->file.table,
	    bytes_of(key, 8), BYTES("short")), 0);
	assert_int_equal(junk_score(c, &f->words, &JUNK_DEFAULT, &s), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(junk_counts_load(c), -1);
	assert_int_equal(errno, EBADMSG);
	junk_batch_add(f->batch, &f->words, JUNK_HAM, 1);
	assert_int_equal(junk_batch_write(f->batch, f->file.txn,
	    f->file.table), -1);
	assert_int_equal(errno, EBADMSG);
	junk_counts_close(c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST("J-9 a word counts from its second message on",
		    second_sighting),
		TEST("J-9 J-14 untraining leaves nothing",
		    untrain_exactly),
		TEST("J-9 bulk training gives the same counts",
		    bulk_is_single),
		TEST("J-7 significant from 50 wanted messages on",
		    significance),
		TEST("J-8 the parameters of the formula",
		    formula),
		TEST("J-8 few messages of one class make no word sure",
		    few_of_one_class),
		TEST("J-8 many words do not make certain",
		    by_number),
		TEST("J-8 words weigh what they say, header and text apart",
		    by_group),
		TEST("J-8 a wrong entry is told",
		    wrong_entry),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
