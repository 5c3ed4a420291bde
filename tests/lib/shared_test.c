/* shared_test - S-20: locks whose holder ends, words that are waited for */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/os.h"

#define LONG_MS 20000	/* past it something is wrong */

struct shared {
	struct os_lock lock;
	_Atomic uint32_t word, step, rounds[2];
};

static int
setup(void **state)
{
	struct shared *s = os_shared_memory(sizeof(*s));

	*state = s;
	return s == NULL ? -1 : os_lock_init(&s->lock);
}

static int
teardown(void **state)
{
	os_shared_free(*state, sizeof(struct shared));
	os_shared_free(NULL, 1);
	return 0;
}

static pid_t
child(struct shared *s, void (*run)(struct shared *))
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		run(s);
		_exit(0);
	}
	return pid;
}

static void
reap(pid_t pid, int signo)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (signo != 0) {
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), signo);
	} else {
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void
wait_step(struct shared *s, uint32_t step)
{
	int64_t until = time_mono_ms() + LONG_MS;

	while (s->step != step && time_mono_ms() < until)
		(void)usleep(1000);
	assert_int_equal(s->step, step);
}

/* ---- locks ---- */

static void
hold(struct shared *s)
{
	if (os_lock_try(&s->lock) != OS_LOCK_OURS)
		_exit(1);
	s->step = 1;
	for (;;)
		(void)pause();
}

static void
take_and_leave(struct shared *s)
{
	if (os_lock_try(&s->lock) != OS_LOCK_OURS)
		_exit(1);
	os_lock_leave(&s->lock);
}

static void
take_over_and_end(struct shared *s)
{
	_exit(os_lock_try(&s->lock) == OS_LOCK_LEFT ? 0 : 1);
}

static void
held_by_one(void **state)
{
	struct shared *s = *state;
	pid_t pid = child(s, hold);

	wait_step(s, 1);
	assert_int_equal(os_lock_try(&s->lock), OS_LOCK_HELD);
	/* a holder that is stopped holds it */
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(os_lock_try(&s->lock), OS_LOCK_HELD);
	assert_int_equal(kill(pid, SIGKILL), 0);
	reap(pid, SIGKILL);
	assert_int_equal(os_lock_try(&s->lock), OS_LOCK_LEFT);
	assert_int_equal(os_lock_try(&s->lock), OS_LOCK_HELD);
	os_lock_leave(&s->lock);
	/* told once */
	reap(child(s, take_and_leave), 0);
	assert_int_equal(os_lock_try(&s->lock), OS_LOCK_OURS);
	os_lock_leave(&s->lock);
}

static void
left_again_by_who_was_told(void **state)
{
	struct shared *s = *state;
	pid_t pid = child(s, hold);

	wait_step(s, 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	reap(pid, SIGKILL);
	reap(child(s, take_over_and_end), 0);
	reap(child(s, take_over_and_end), 0);
	assert_int_equal(os_lock_try(&s->lock), OS_LOCK_LEFT);
	os_lock_leave(&s->lock);
	assert_int_equal(os_lock_try(&s->lock), OS_LOCK_OURS);
	os_lock_leave(&s->lock);
}

/* ---- words ---- */

static void
another_value_or_time(void **state)
{
	struct shared *s = *state;
	int64_t began = time_mono_ms();

	s->word = 7;
	os_word_wait(&s->word, 6, LONG_MS);
	assert_true(time_mono_ms() - began < LONG_MS / 2);
	began = time_mono_ms();
	os_word_wait(&s->word, 7, 1030);
	assert_true(time_mono_ms() - began >= 1029);
	assert_true(time_mono_ms() - began < LONG_MS / 2);
	os_word_wake(&s->word);		/* nobody waits */
}

/* Even rounds are one's, odd ones the other's. */
static void
play(struct shared *s, uint32_t side)
{
	uint32_t w;

	while ((w = s->word) < 2000) {
		if (w % 2 != side) {
			os_word_wait(&s->word, w, LONG_MS);
			continue;
		}
		s->rounds[side]++;
		s->word = w + 1;
		os_word_wake(&s->word);
	}
}

static void
play_odd(struct shared *s)
{
	play(s, 1);
}

static void
woken_by_another_process(void **state)
{
	struct shared *s = *state;
	int64_t began = time_mono_ms();
	pid_t pid = child(s, play_odd);

	play(s, 0);
	reap(pid, 0);
	assert_int_equal(s->rounds[0], 1000);
	assert_int_equal(s->rounds[1], 1000);
	/* no wait went on to its end */
	assert_true(time_mono_ms() - began < LONG_MS);
}

#define TEST(name, fn) { name, fn, setup, teardown, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S-20 a lock is held until its holder leaves or ends",
		    held_by_one),
		TEST("S-20 a lock left is told to one, and again if that ends",
		    left_again_by_who_was_told),
		TEST("a word is waited for while it has the value, for a time",
		    another_value_or_time),
		TEST("no waking of another process is lost",
		    woken_by_another_process),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
