/* spawn_test - starting and ending programs */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"

static void
make_pipe(int p[2])
{
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
}

static void
run(struct spawn *s, const char *script, struct buf *out, int *code)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, NULL, NULL };
	struct arena a = ARENA_INIT;
	int p[2];
	pid_t pid;

	buf_reset(out);
	make_pipe(p);
	argv[2] = arena_str(&a, bytes_str(script));
	s->argv = argv;
	s->fd[1] = p[1];
	pid = spawn_start(s);
	assert_int_not_equal(pid, -1);
	assert_int_equal(close(p[1]), 0);
	assert_int_equal(io_read_all(p[0], out, deadline_in(10000)), 0);
	assert_int_equal(close(p[0]), 0);
	*code = spawn_wait(pid, s->new_session, deadline_in(10000), NULL);
	arena_free(&a);
}

static void
test_spawn(void **state)
{
	struct spawn s = { .fd = { -1, -1, 2 }, .dir = "/" };
	struct buf b = BUF_INIT(10000);
	int code, extra = open("/dev/null", O_RDONLY);

	(void)state;
	assert_true(extra > 2);		/* without O_CLOEXEC */
	run(&s, "pwd; cat; exit 7", &b, &code);
	assert_int_equal(code, 7);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("/\n")));
	run(&s, "for f in 3 4 5 6 7 8 9; do"
	    " [ ! -e /proc/self/fd/$f ] || echo $f; done", &b, &code);
	assert_int_equal(code, 0);
	assert_int_equal(b.n, 0);
	/* Ignored signals do not stay so; the two that belong to the C
	 * library (32 and 33), which make(1) leaves ignored, cannot be set. */
	(void)signal(SIGPIPE, SIG_IGN);
	run(&s, "grep -c 'SigIgn:.*0000000$' /proc/self/status", &b, &code);
	assert_int_equal(code, 0);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("1\n")));
	s.new_session = true;
	run(&s, "kill -9 $$", &b, &code);
	assert_int_equal(code, EXIT_TEMP);
	assert_int_equal(close(extra), 0);
	buf_free(&b);
}

static void
test_spawn_env(void **state)
{
	static const char *const extra[] = { "SENDER=a@b", "X=1 2", NULL };
	struct spawn s = { .fd = { -1, -1, 2 } };
	struct buf b = BUF_INIT(10000);
	struct arena a = ARENA_INIT;
	int code;

	(void)state;
	assert_int_equal(setenv("SECRET", "x", 1), 0);
	assert_int_equal(setenv("LD_LIBRARY_PATH", "/nowhere", 1), 0);
	assert_int_equal(setenv("PIPEMAIL_VAR", "/v", 1), 0);
	assert_int_equal(unsetenv("PIPEMAIL_RUN"), 0);
	s.env = env_clean(&a, extra);
	run(&s, "echo $SENDER,$X,$PIPEMAIL_VAR,$SECRET,$LD_LIBRARY_PATH,"
	    "${PIPEMAIL_RUN-none}", &b, &code);
	assert_int_equal(code, 0);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("a@b,1 2,/v,,,none\n")));
	s.env = NULL;
	run(&s, "echo $SENDER,$PIPEMAIL_VAR,$SECRET", &b, &code);
	assert_true(bytes_eq(buf_bytes(&b), BYTES(",/v,\n")));
	assert_true(bytes_starts(bytes_str(env_clean(&a, NULL)[0]),
	    BYTES("PATH=" LIBDIR "/bin:")));
	arena_free(&a);
	buf_free(&b);
}

static void
test_spawn_failures(void **state)
{
	char *const none[] = { (char[]){ "./no-such-program" }, NULL };
	char *const dir[] = { (char[]){ "/tmp" }, NULL };
	struct spawn s = { .argv = none, .fd = { -1, -1, -1 } };

	(void)state;
	assert_int_equal(spawn_wait(spawn_start(&s), false, DEADLINE_NONE,
	    NULL), EXIT_NOTFOUND);
	s.argv = dir;
	assert_int_equal(spawn_wait(spawn_start(&s), false, DEADLINE_NONE,
	    NULL), EXIT_NOEXEC);
}

static void
test_spawn_timeout(void **state)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" },
	    (char[]){ "sleep 60 & wait" }, NULL };
	struct spawn s = { .argv = argv, .fd = { -1, -1, -1 },
	    .new_session = true };
	int64_t start = time_mono_ms();
	int p[2], sig = 0;
	char c;
	pid_t pid;

	(void)state;
	make_pipe(p);
	s.fd[1] = p[1];
	pid = spawn_start(&s);
	assert_int_equal(close(p[1]), 0);
	assert_int_equal(spawn_wait(pid, true, deadline_in(100), &sig),
	    EXIT_TEMP);
	assert_int_equal(sig, SIGKILL);
	/* The whole group is gone: nobody holds the pipe. */
	assert_int_equal(io_read_some(p[0], &c, 1, deadline_in(5000)), 0);
	assert_in_range(time_mono_ms() - start, 100, 6000);
	assert_int_equal(close(p[0]), 0);
}

static void
test_spawn_swapped(void **state)
{
	struct spawn s = { .fd = { -1, -1, -1 } };
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" },
	    (char[]){ "cat; echo err >&2" }, NULL };
	struct buf b = BUF_INIT(100);
	int in[2], out[2], saved[3], i;
	pid_t pid;

	(void)state;
	make_pipe(in);
	make_pipe(out);
	for (i = 0; i < 3; i++) {
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 20);
		assert_int_not_equal(saved[i], -1);
	}
	/* Output comes from descriptor 0, input from 2, errors from 0. */
	if (dup2(out[1], 0) == -1 || dup2(in[0], 2) == -1)
		_exit(1);
	s.argv = argv;
	s.fd[0] = 2;
	s.fd[1] = 0;
	s.fd[2] = 0;
	pid = spawn_start(&s);
	for (i = 0; i < 3; i++) {
		if (dup2(saved[i], i) == -1)
			_exit(1);
		(void)close(saved[i]);
	}
	assert_int_equal(close(in[0]), 0);
	assert_int_equal(close(out[1]), 0);
	assert_int_equal(io_write_all(in[1], BYTES("in,"), DEADLINE_NONE), 0);
	assert_int_equal(close(in[1]), 0);
	assert_int_equal(io_read_all(out[0], &b, deadline_in(10000)), 0);
	assert_int_equal(close(out[0]), 0);
	assert_int_equal(spawn_wait(pid, false, DEADLINE_NONE, NULL), 0);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("in,err\n")));
	buf_free(&b);
}
int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a program is started clean", test_spawn,
		    NULL, NULL, NULL },
		{ "its environment is clean", test_spawn_env,
		    NULL, NULL, NULL },
		{ "a program that cannot be run: 126, 127",
		    test_spawn_failures, NULL, NULL, NULL },
		{ "a program past its time is killed with its group",
		    test_spawn_timeout, NULL, NULL, NULL },
		{ "a program's descriptors may be 0, 1, 2 crosswise",
		    test_spawn_swapped, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
