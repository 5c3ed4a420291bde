/* events_test.c - sets of descriptors, pairs, shared memory */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/os.h"

static void
events(void **state)
{
	struct os_event e[4];
	int set = os_events_new(), pair[2], a, b;

	(void)state;
	assert_true(set >= 0);
	assert_int_equal(os_socketpair(pair), 0);
	assert_int_equal(os_events_add(set, pair[0], OS_EVENT_READ, &a), 0);
	assert_int_equal(os_events_add(set, pair[0], OS_EVENT_READ, &a), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(os_events_wait(set, e, 4, 0, NULL), 0);
	assert_int_equal(os_events_wait(set, e, 0, 0, NULL), -1);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(os_events_wait(set, e, 4, 1000, NULL), 1);
	assert_ptr_equal(e[0].ctx, &a);
	assert_int_equal(e[0].what, OS_EVENT_READ);
	assert_int_equal(os_events_change(set, pair[0],
	    OS_EVENT_READ | OS_EVENT_WRITE, &b), 0);
	assert_int_equal(os_events_wait(set, e, 4, 1000, NULL), 1);
	assert_ptr_equal(e[0].ctx, &b);
	assert_int_equal(e[0].what, OS_EVENT_READ | OS_EVENT_WRITE);
	/* told without being waited for */
	assert_int_equal(os_events_change(set, pair[0], 0, &b), 0);
	assert_int_equal(os_events_wait(set, e, 4, 0, NULL), 0);
	assert_int_equal(close(pair[1]), 0);
	assert_int_equal(os_events_wait(set, e, 4, 1000, NULL), 1);
	assert_true((e[0].what & OS_EVENT_HANGUP) != 0);
	assert_int_equal(os_events_remove(set, pair[0]), 0);
	assert_int_equal(os_events_wait(set, e, 4, 0, NULL), 0);
	close(pair[0]);
	close(set);
}

static void
pairs(void **state)
{
	char text[8];
	int pair[2];

	(void)state;
	assert_int_equal(os_messagepair(pair), 0);
	assert_int_equal(read(pair[0], text, sizeof(text)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(pair[1], "ab", 2), 2);
	assert_int_equal(write(pair[1], "c", 1), 1);
	assert_int_equal(read(pair[0], text, sizeof(text)), 2);
	assert_int_equal(read(pair[0], text, sizeof(text)), 1);
	close(pair[0]);
	close(pair[1]);
}

static void
shared_memory(void **state)
{
	int *p = os_shared_memory(sizeof(*p)), status;
	pid_t pid;

	(void)state;
	assert_non_null(p);
	assert_int_equal(*p, 0);
	pid = fork();
	if (pid == 0) {
		*p = 7;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(*p, 7);
	assert_int_equal(munmap(p, sizeof(*p)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "events of a set", events, NULL, NULL, NULL },
		{ "messages keep their bounds", pairs, NULL, NULL, NULL },
		{ "memory shared with children", shared_memory, NULL, NULL,
		    NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
