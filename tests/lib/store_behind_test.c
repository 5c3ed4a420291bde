/*
 * store_behind_test.c - J-11: what others left to be trained, a piece at a
 * time or all of it
 */
#include "store_words.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#define LEFT 900		/* more than two pieces have (TRAIN_BATCH) */
#define WAIT_SECONDS 30		/* none waits as long, however loaded */

/* A process that ends without closing what it delivered to. */
static void
left_by_another(struct account_dir *d, const char *mailbox)
{
	pid_t pid;
	int status;

	store_close(d->s);
	if ((pid = fork()) == 0) {
		d->s = store_open(&d->o);
		for (int i = 0; d->s != NULL && i < LEFT; i++)
			deliver(d, mailbox, "offer");
		_exit(d->s == NULL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_int_equal(state_of(d).waiting > 0, 1);
}

static void
all_of_it_is_finished(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "Archive", "letter");

	left_by_another(d, "Junk");
	assert_int_equal(store_expunge(d->s, id_of(d, "Archive"), &uid, 1,
	    true, NULL), 0);
	assert_int_equal(store_training_finish(d->s), 0);
	assert_int_equal(state_of(d).waiting, 0);
	assert_int_equal(state_of(d).leaving, 0);
	assert_totals(d, 0, LEFT);
	assert_as_anew(d);
	assert_content(d);
}

static void
where_nobody_trains_nothing_is_finished(void **state)
{
	struct account_dir *d = *state;

	left_by_another(d, "Junk");
	d->o.junk.training = false;
	store_close(d->s);		/* does a piece */
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_int_equal(store_training_finish(d->s), 0);
	assert_int_equal(state_of(d).waiting > 0, 1);
}

/* Opened and closed by a process that may not wait for long. */
static void
come_and_go(struct account_dir *d)
{
	pid_t pid;
	int status;

	if ((pid = fork()) == 0) {
		(void)alarm(WAIT_SECONDS);
		store_close(store_open(&d->o));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static uint32_t
trained(struct account_dir *d)
{
	struct store_view *v;
	struct junk_counts *c;
	uint32_t ham, spam;

	d->s = store_open(&d->o);
	assert_non_null(d->s);
	v = store_view_open(d->s);
	assert_non_null(v);
	c = store_junk_counts(v);
	assert_int_equal(junk_counts_totals(c, &ham, &spam), 0);
	junk_counts_close(c);
	store_view_close(v);
	return ham + spam;
}

/* As if nobody had trained for as long. */
static void
ago(const char *index, time_t seconds)
{
	const struct timespec t[2] = { { time(NULL) - seconds, 0 },
	    { time(NULL) - seconds, 0 } };

	assert_int_equal(utimensat(AT_FDCWD, index, t, 0), 0);
}

/* On a machine that is so slow that the second is over, once more. */
static void
nothing_just_after(struct account_dir *d, const char *index)
{
	uint32_t before, after;
	int64_t start;

	do {
		before = trained(d);
		start = time_mono_ms();
		assert_int_equal(utimensat(AT_FDCWD, index, NULL, 0), 0);
		store_close(d->s);
		come_and_go(d);
		start = time_mono_ms() - start;
		after = trained(d);
		store_close(d->s);
	} while (start >= 1000);
	assert_int_equal(after, before);
}

static void
closing_trains_a_piece_beside_nobody(void **state)
{
	struct account_dir *d = *state;
	char path[1024];
	uint32_t before, after;
	int fd;

	left_by_another(d, "Junk");
	store_close(d->s);
	before = trained(d);
	fd = open(path_of(d, path, "index"), O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(fd, -1);
	assert_int_equal(flock(fd, LOCK_EX), 0);	/* as who trains */
	ago(path, 2);
	/* our own closing, too: nothing is done, and nothing waited for */
	(void)alarm(WAIT_SECONDS);
	store_close(d->s);
	(void)alarm(0);
	come_and_go(d);
	after = trained(d);
	assert_int_equal(after, before);
	assert_int_equal(close(fd), 0);
	nothing_just_after(d, path);
	before = trained(d);
	ago(path, 2);
	store_close(d->s);
	after = trained(d);
	assert_true(after > before);
	ago(path, -3600);	/* the clock was set back meanwhile */
	for (int i = 0; i < LEFT && state_of(d).waiting > 0; i++) {
		store_close(d->s);
		ago(path, 2);
		(void)trained(d);
	}
	assert_totals(d, 0, LEFT);
	assert_as_anew(d);
}

#define TRAINING(name, fn) { name, fn, words_setup, account_teardown, NULL }

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TRAINING("J-11 what others left is finished where asked for",
		    all_of_it_is_finished),
		TRAINING("J-11 filter = no: what is noted stays noted",
		    where_nobody_trains_nothing_is_finished),
		TRAINING("J-11 closing trains a piece a second, "
		    "waits for nobody",
		    closing_trains_a_piece_beside_nobody),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
