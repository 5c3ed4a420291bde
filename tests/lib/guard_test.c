/*
 * guard_test.c - a builtin stage that crashes or does not end: the client is
 * told 451, the log has the stage's name, the process ends with 111
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "os/os.h"
#include "stage/stage.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* As the guard has it. */
#define GRACE_MS 2000
/* The others have 100 ms. */
#define LATER_MS 700

static volatile int zero, sink;

static int
run_segv(struct stage_job *job)
{
	(void)job;
	return raise(SIGSEGV);
}

static int
run_abort(struct stage_job *job)
{
	(void)job;
	abort();
}

/* Every level needs its own frame. */
static int
deeper(int n)
{
	volatile unsigned char frame[4096];

	frame[n & 4095] = (unsigned char)n;
	return n == -1 ? 0 : deeper(n + 1) + frame[n & 4095];
}

static int
run_deep(struct stage_job *job)
{
	(void)job;
	sink = deeper(0);
	return 0;
}

static int
run_for_ever(struct stage_job *job)
{
	(void)job;
	while (zero == 0)
		sink++;
	return 0;
}

static int
run_well(struct stage_job *job)
{
	(void)job;
	return 0;
}

static void *
start_segv(struct stage_job *job)
{
	(void)job;
	(void)raise(SIGSEGV);
	return NULL;
}

#define STAGE(n, f) { .name = n, .method = "x", .run = f }
static const struct stage_builtin good = STAGE("good", run_well);
static const struct stage_builtin segv = STAGE("segv", run_segv);
static const struct stage_builtin aborts = STAGE("aborts", run_abort);
static const struct stage_builtin deep = STAGE("deep", run_deep);
static const struct stage_builtin endless = STAGE("endless", run_for_ever);
static const struct stage_builtin later = STAGE("later", run_for_ever);
static const struct stage_builtin early = { .name = "early", .method = "x",
	.run = run_well, .start = start_segv };

/* ---- a session in a child ---- */

struct session {
	struct buf reply, log;
	int code;
};

static void
act(void)
{
	if (write(STDERR_FILENO, "acted\n", 6) != 6)
		_exit(2);
}

/* A job that ends well; the timer set for it is there yet. */
static void
run_first(struct arena *a, const struct stage_options *o,
    const struct trace_envelope *e, int reply)
{
	struct stage_item item[] = { { &good, BYTES_EMPTY } };
	struct stage_list list = { item, 1, false };
	struct stage_job job;

	stage_job_init(&job, a, o, e, BYTES("From: a\n\nb\n"));
	stage_guard_begin(&job, reply);
	stage_run(&job, &list);
	stage_guard_end(&job);
}

static void
be_child(const struct stage_builtin *bad, int reply, int err)
{
	struct stage_options o = { .hostname = BYTES("mx.example.org"),
	    .timeout_ms = 100, .message_max_bytes = 1000 };
	struct trace_envelope e = { .id = BYTES("id-1"),
	    .sender = BYTES_EMPTY, .helo = BYTES_EMPTY, .with = BYTES_EMPTY,
	    .tls = BYTES_EMPTY, .remote_host = BYTES_EMPTY };
	struct stage_item item[] = { { &good, BYTES_EMPTY },
	    { bad, BYTES_EMPTY }, { &good, BYTES_EMPTY } };
	struct stage_list list = { item, 3, false };
	struct arena a = ARENA_INIT;
	struct stage_job job;

	(void)signal(SIGSEGV, SIG_DFL);		/* not the test's own */
	if (dup2(err, STDERR_FILENO) == -1)
		_exit(2);
	if (bad == &later) {
		run_first(&a, &o, &e, reply);
		o.timeout_ms = LATER_MS;
	}
	stage_job_init(&job, &a, &o, &e, BYTES("From: a\n\nb\n"));
	stage_guard_begin(&job, reply);
	os_fault_last(act);	/* by a stage that opens something */
	stage_run(&job, &list);
	stage_guard_end(&job);
	/* beyond the guard nobody is told */
	if (bad == &good)
		(void)raise(SIGSEGV);
	_exit(0);
}

static void
run(const struct stage_builtin *bad, struct session *s)
{
	int reply[2], err[2], status;
	pid_t pid;

	*s = (struct session){ .reply = BUF_INIT(4096),
	    .log = BUF_INIT(65536) };
	assert_int_equal(pipe(reply), 0);
	assert_int_equal(pipe(err), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		be_child(bad, reply[1], err[1]);
	assert_int_equal(close(reply[1]) + close(err[1]), 0);
	assert_int_equal(io_read_all(reply[0], &s->reply, DEADLINE_NONE), 0);
	assert_int_equal(io_read_all(err[0], &s->log, DEADLINE_NONE), 0);
	assert_int_equal(close(reply[0]) + close(err[0]), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	s->code = WIFEXITED(status) ? WEXITSTATUS(status)
	    : -WTERMSIG(status);
}

static void
check(const struct stage_builtin *bad, const char *line)
{
	struct session s;
	size_t at;

	print_message("# %s\n", bad->name);
	run(bad, &s);
	assert_true(bytes_eq(buf_bytes(&s.reply), BYTES("451 4.3.0 a check "
	    "could not be made, received-id id-1\r\n")));
	assert_true(bytes_find(buf_bytes(&s.log), bytes_str(line), &at));
	/* what is done before any fault, too */
	assert_true(bytes_find(buf_bytes(&s.log), BYTES("acted\n"), &at) ==
	    (bad->run != run_for_ever));
	assert_int_equal(s.code, EXIT_TEMP);
	buf_free(&s.reply);
	buf_free(&s.log);
}

static void
test_faults(void **state)
{
	(void)state;
	check(&segv, "l=error m=failed id=id-1 what=\"stage crashed\" "
	    "stage=\"segv\"\n");
	check(&aborts, "what=\"stage crashed\" stage=\"aborts\"\n");
	check(&deep, "what=\"stage crashed\" stage=\"deep\"\n");
	check(&early, "what=\"stage crashed\" stage=\"early\"\n");
	check(&endless, "what=\"stage did not end\" stage=\"endless\"\n");
}

/* The timer of the job before ends sooner: that ends nothing. */
static void
test_later(void **state)
{
	int64_t started = time_mono_ms();

	(void)state;
	check(&later, "what=\"stage did not end\" stage=\"later\"\n");
	assert_true(time_mono_ms() - started >= LATER_MS + GRACE_MS);
}

/* Behind the end of the guard a fault is what it was. */
static void
test_end(void **state)
{
	struct session s;

	(void)state;
	run(&good, &s);
	assert_int_equal(s.reply.n, 0);
	assert_true(bytes_eq(buf_bytes(&s.log), BYTES("acted\n")));
	assert_int_equal(s.code, -SIGSEGV);
	buf_free(&s.reply);
	buf_free(&s.log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_end),
	};

	msg_init("guard_test");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
