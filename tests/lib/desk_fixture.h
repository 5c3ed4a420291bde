/*
 * desk_fixture.h - a desk, for tests of lib/store/desk.c
 *
 * The clock is moved forward here, and waits can be made to have no end, so
 * that a waking that is lost is a process that hangs.
 */
#ifndef DESK_FIXTURE_H
#define DESK_FIXTURE_H

#include "store/slots.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/os.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LONG_MS 30000	/* past it something is wrong */
#define AT_ONCE_MS 1000	/* a follower has its answer */
#define FORGOTTEN_MS (60000 + DESK_WAIT_MS + 1)
#define NUMBERS 2000	/* messages that are told apart */

static struct shared {
	_Atomic int64_t ahead;		/* of the clock, ms */
	_Atomic uint32_t step;
	_Atomic int endless;
	_Atomic uint32_t stored[NUMBERS], leads, taken, alone;
	_Atomic int busy;
} *shared;

static struct store_desk *desk;

static const struct store_delivered wanted = { 3, 17, 99, 1234567890123 };

/* ---- the clock, and waiting ---- */

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ts);

	if (r == 0 && clock == CLOCK_MONOTONIC && shared != NULL) {
		ts->tv_sec += shared->ahead / 1000;
		ts->tv_nsec += shared->ahead % 1000 * 1000000;
		ts->tv_sec += ts->tv_nsec / 1000000000;
		ts->tv_nsec %= 1000000000;
	}
	return r;
}

/* So that others come in between. */
static void
hesitate(void)
{
	static unsigned int turn;

	if (shared != NULL && shared->endless && ++turn % 4 == 0)
		(void)usleep(turn % 64 * 4);
}

/* The lock is tried. */
int
pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	static int (*real)(pthread_mutex_t *);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_trylock");
	hesitate();
	return real(mutex);
}

/* More arguments than there may be are read, as the kernel does. */
__attribute__((no_sanitize_address))
long
syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[6];
	va_list ap;
	int i;

	va_start(ap, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	if (number == SYS_futex && a[1] == FUTEX_WAIT && shared != NULL &&
	    shared->endless) {
		hesitate();
		a[3] = 0;
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static inline int64_t
real_ms(void)
{
	return time_mono_ms() - shared->ahead;
}

/* Accounts a and a + 64 have one lock. */
static inline struct desk_key
key_of_account(unsigned int account, uint32_t mailbox)
{
	return (struct desk_key){ .dev = 64, .inode = account,
	    .mailbox = mailbox };
}

static inline int
setup(void **state)
{
	(void)state;
	shared = os_shared_memory(sizeof(*shared));
	desk = store_desk_make();
	return shared == NULL || desk == NULL ? -1 : 0;
}

static inline int
teardown(void **state)
{
	struct desk_key k;
	unsigned int account;

	(void)state;
	/* what a test that failed holds must not be unmapped */
	for (account = 5; account < 8; account++) {
		k = key_of_account(account, 1);
		desk_leave(desk, &k);
	}
	store_desk_free(desk);
	os_shared_free(shared, sizeof(*shared));
	shared = NULL;
	return 0;
}

/* ---- small things ---- */

static inline bool
offer(const struct desk_key *k, const char *text, struct desk_offer *o)
{
	return desk_offer(desk, k, bytes_str(text), o);
}

/* Places that are free; they stay taken, for nobody is there who leads. */
static inline unsigned int
places(void)
{
	struct desk_key k = key_of_account(7, 7);
	struct desk_offer o;
	unsigned int n = 0;

	assert_true(desk_lead(desk, &k));
	while (offer(&k, "x", &o))
		n++;
	desk_leave(desk, &k);
	return n;
}

static inline pid_t
child(void (*run)(void))
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		run();
		_exit(0);
	}
	return pid;
}

static inline void
reap(pid_t pid, int signo)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : 0, signo);
	if (signo == 0)
		assert_int_equal(WEXITSTATUS(status), 0);
}

static inline bool
reached(uint32_t step)
{
	int64_t until = real_ms() + LONG_MS;

	while (shared->step != step && real_ms() < until)
		(void)usleep(500);
	return shared->step == step;
}

/* Say how far it is, and wait for the other's next. */
static inline void
stop_at(uint32_t step)
{
	shared->step = step;
	if (!reached(step + 1))
		_exit(2);
}

static inline bool
is_asleep(pid_t pid)
{
	char path[64], text[512];
	const char *p;
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if ((f = fopen(path, "r")) == NULL)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	p = strrchr(text, ')');
	return p != NULL && p[2] == 'S';
}

#define TEST(name, fn) { name, fn, setup, teardown, NULL }

#endif
