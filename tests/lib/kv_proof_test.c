/*
 * kv_proof_test.c - a process that dies while it reads an environment takes
 * away the file that says that the environment is in order
 */
#include "kv/kv.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/os.h"

#define MAP ((size_t)1 << 30)

static const char *const names[] = { "one", NULL };
static volatile int sink;

static void
meet_segv(void)
{
	volatile int *volatile nowhere = NULL;

	sink = *nowhere;
}

/* Every level needs its own frame. */
static int
deeper(int n)
{
	volatile unsigned char frame[4096];

	frame[n & 4095] = (unsigned char)n;
	return n == -1 ? 0 : deeper(n + 1) + frame[n & 4095];
}

static void
meet_deep(void)
{
	sink = deeper(0);
}

/* A file cut off behind the back of who maps it. */
static void
meet_bus(void)
{
	int fd = os_memory_file("cut");
	volatile const unsigned char *p;

	if (fd == -1 || ftruncate(fd, 4096) == -1)
		_exit(2);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || ftruncate(fd, 0) == -1)
		_exit(2);
	sink = *p;
}

static void
be_sent_one(void)
{
	(void)raise(SIGSEGV);
}

static void
abort_in_sandbox(void)
{
	struct os_sandbox s;

	if (os_sandbox_make(&s, OS_SANDBOX_STORE) == -1 ||
	    os_sandbox_enter(&s) == -1)
		_exit(2);
	abort();
}

static void
suspect(void)
{
	errno = ENXIO;
	kv_suspect();
	if (errno != ENXIO)
		_exit(2);
	(void)raise(SIGKILL);
}

static void
be_killed(void)
{
	(void)raise(SIGKILL);
}

static const struct {
	const char *what;
	void (*die)(void);
	int by;			/* the signal */
	bool reads;		/* a transaction is open */
	bool gone;		/* the proof */
} rows[] = {
	{ "a fault", meet_segv, SIGSEGV, true, true },
	{ "a fault without a transaction", meet_segv, SIGSEGV, false, false },
	{ "a full stack", meet_deep, SIGSEGV, true, true },
	{ "a file cut off", meet_bus, SIGBUS, true, true },
	{ "a signal sent", be_sent_one, SIGSEGV, true, true },
	{ "abort", abort, SIGABRT, true, true },
	{ "abort in a sandbox", abort_in_sandbox, SIGABRT, true, true },
	{ "a value that cannot be", suspect, SIGKILL, true, true },
	{ "a value read before", suspect, SIGKILL, false, false },
	{ "killed", be_killed, SIGKILL, true, false },
};

static void
be_child(const char *dir, int at, size_t i)
{
	struct kv *k, *other;
	struct kv_txn *t;
	size_t n;

	for (n = 1; n < 32; n++)
		(void)signal((int)n, SIG_DFL);	/* not the test's own */
	(void)close(STDERR_FILENO);
	other = kv_open_proved(dir, MAP, names, at, "other");
	k = kv_open_proved(dir, MAP, names, at, "proof");
	if (other == NULL || k == NULL || (t = kv_begin(k, false)) == NULL)
		_exit(2);
	if (!rows[i].reads)
		kv_abort(t);
	rows[i].die();
	_exit(3);
}

static void
test_deaths(void **state)
{
	char dir[] = "/tmp/kv_proof_test.XXXXXX";
	int at, fd, status;
	size_t i;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	at = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(at, -1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# %s\n", rows[i].what);
		fd = openat(at, "proof", O_WRONLY | O_CREAT, 0600);
		assert_int_equal(close(fd), 0);
		fd = openat(at, "other", O_WRONLY | O_CREAT, 0600);
		assert_int_equal(close(fd), 0);
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0)
			be_child(dir, at, i);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), rows[i].by);
		assert_int_equal(faccessat(at, "proof", F_OK, 0),
		    rows[i].gone ? -1 : 0);
		/* of that nothing was read */
		assert_int_equal(faccessat(at, "other", F_OK, 0), 0);
	}
	(void)unlinkat(at, "proof", 0);
	(void)unlinkat(at, "other", 0);
	(void)unlinkat(at, "data.mdb", 0);
	(void)unlinkat(at, "lock.mdb", 0);
	assert_int_equal(close(at) + rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "who dies while it reads takes the proof away",
		    test_deaths, NULL, NULL, NULL },
	};

#ifdef __SANITIZE_ADDRESS__		/* it has handlers of its own */
	printf("1..0 # SKIP under a sanitizer\n");
	(void)tests;
	return 0;
#endif
	msg_init("kv_proof_test");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
