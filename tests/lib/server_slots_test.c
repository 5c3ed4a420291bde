/* server_slots_test - what few processes may do at a time */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/server.h"

#define SLOTS 3

/* A process that has asked, and waits to be ended. */
static pid_t
ask(int fd, char *answer)
{
	unsigned int slot = 0;
	int ends[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		c = server_slot_take(fd, SLOTS, &slot) == 1 && slot < SLOTS
		    ? 'y' : 'n';
		if (write(ends[1], &c, 1) != 1)
			_exit(1);
		(void)pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], answer, 1), 1);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return pid;
}

static void
end(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void
test_slots(void **state)
{
	int fd = os_memory_file("slots");
	pid_t pids[SLOTS], late;
	unsigned int slot;
	char c;

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < SLOTS; i++) {
		pids[i] = ask(fd, &c);
		assert_int_equal(c, 'y');
	}
	late = ask(fd, &c);
	assert_int_equal(c, 'n');
	end(pids[1]);
	pids[1] = ask(fd, &c);
	assert_int_equal(c, 'y');
	assert_int_equal(server_slot_take(fd, SLOTS, &slot), 0);
	end(pids[0]);
	assert_int_equal(server_slot_take(fd, SLOTS, &slot), 1);
	end(late);
	late = ask(fd, &c);
	assert_int_equal(c, 'n');
	server_slot_leave(fd, slot);
	end(late);
	late = ask(fd, &c);
	assert_int_equal(c, 'y');
	end(late);
	end(pids[1]);
	end(pids[2]);
	assert_int_equal(server_slot_take(fd, 0, &slot), 0);
	assert_int_equal(server_slot_take(-1, SLOTS, &slot), -1);
	assert_int_equal(errno, EBADF);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "R-27 so many, no more; a slot of the dead is free",
		    test_slots, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
