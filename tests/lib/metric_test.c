/*
 * metric_test.c - counters in a file
 */
#include "metric/metric.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/os.h"

static int
setup(void **state)
{
	static char dir[64];

	(void)snprintf(dir, sizeof(dir), "/tmp/metric_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("PIPEMAIL_RUN", dir, 1), 0);
	*state = dir;
	return 0;
}

static int
teardown(void **state)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		execlp("rm", "rm", "-r", (char *)*state, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return 0;
}

/* The value of a name in the file; UINT64_MAX: it is not there. */
static uint64_t
value(const char *dir, const char *name)
{
	struct metric_value list[METRIC_MAX];
	struct buf b = BUF_INIT(METRIC_FILE_MAX);
	char path[128];
	uint64_t found = UINT64_MAX;
	size_t count;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/metrics/net/x", dir);
	fd = open(path, O_RDONLY);
	assert_true(fd != -1);
	assert_int_not_equal(io_read_all(fd, &b, DEADLINE_NONE), -1);
	close(fd);
	assert_int_equal(metric_parse(buf_bytes(&b), list, &count), 0);
	for (size_t i = 0; i < count; i++) {
		if (bytes_eq(list[i].name, bytes_str(name)))
			found = list[i].value;
	}
	buf_free(&b);
	return found;
}

static void
test_count(void **state)
{
	static const char *const names[] = { "a{x=\"1\"}", "b", NULL };
	static const char *const more[] = { "c", "b", NULL };
	struct metric *m = metric_open("net/x", names), *again;
	int status;
	pid_t pid;

	assert_non_null(m);
	metric_add(m, 0, 2);
	metric_add(m, 1, 40);
	metric_add(NULL, 1, 1);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		for (int i = 0; i < 1000; i++)
			metric_add(m, 1, 1);
		_exit(0);
	}
	for (int i = 0; i < 1000; i++)
		metric_add(m, 1, 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(value(*state, "a{x=\"1\"}"), 2);
	assert_int_equal(value(*state, "b"), 2040);
	/* another process, the same counters */
	again = metric_open("net/x", names);
	assert_non_null(again);
	metric_add(again, 0, 1);
	assert_int_equal(value(*state, "a{x=\"1\"}"), 3);
	metric_close(again);
	/* a later version, other counters: who has the old file keeps it */
	again = metric_open("net/x", more);
	assert_non_null(again);
	metric_add(again, 1, 1);
	metric_add(m, 1, 1);
	assert_int_equal(value(*state, "b"), 2041);
	assert_int_equal(value(*state, "c"), 0);
	assert_int_equal(value(*state, "a{x=\"1\"}"), UINT64_MAX);
	metric_close(again);
	metric_close(m);
}

/* METRIC_NAME_MAX and METRIC_MAX, and one more. */
static void
test_limits(void **state)
{
	char longest[METRIC_NAME_MAX + 2] = "";
	const char *names[METRIC_MAX + 2] = { longest, NULL };
	struct metric *m;

	(void)state;
	memset(longest, 'x', METRIC_NAME_MAX);
	m = metric_open("net/x", names);
	assert_non_null(m);
	metric_close(m);
	longest[METRIC_NAME_MAX] = 'x';
	assert_null(metric_open("net/x", names));
	assert_int_equal(errno, EINVAL);
	for (int i = 0; i < METRIC_MAX; i++)
		names[i] = "same";
	m = metric_open("net/x", names);
	assert_non_null(m);
	metric_add(m, METRIC_MAX - 1, 1);
	metric_close(m);
	names[METRIC_MAX] = "same";
	assert_null(metric_open("net/x", names));
	names[0] = "line\nfeed";
	names[1] = NULL;
	assert_null(metric_open("net/x", names));
}

/* Cut anywhere, or with any byte changed: refused, or read within bounds. */
static void
test_damage(void **state)
{
	static const char *const names[] = { "a", "b", NULL };
	struct metric_value list[METRIC_MAX];
	struct metric *m = metric_open("net/x", names);
	unsigned char b[384], other[384];
	char path[128];
	size_t count, i;
	int fd;

	assert_non_null(m);
	metric_close(m);
	(void)snprintf(path, sizeof(path), "%s/metrics/net/x",
	    (char *)*state);
	fd = open(path, O_RDWR);
	assert_int_equal(read(fd, b, sizeof(b)), sizeof(b));
	for (i = 0; i < sizeof(b); i++)
		assert_int_equal(metric_parse(bytes_of(b, i), list, &count),
		    -1);
	for (i = 0; i < sizeof(b); i++) {
		memcpy(other, b, sizeof(b));
		other[i] ^= 0xff;
		if (metric_parse(bytes_of(other, sizeof(b)), list,
		    &count) == 0)
			assert_int_equal(count, 2);
	}
	/* what is no such file is replaced */
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	close(fd);
	m = metric_open("net/x", names);
	assert_non_null(m);
	assert_int_equal(value(*state, "a"), 0);
	metric_close(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "O-15 processes count in one file", test_count, setup,
		    teardown, NULL },
		{ "O-15 limits of names, at and one past", test_limits, setup,
		    teardown, NULL },
		{ "O-15 a damaged file", test_damage, setup, teardown, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
