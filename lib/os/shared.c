/*
 * shared.c - locks and words in memory that several processes have
 */
#include "os/os.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int
os_lock_init(struct os_lock *l)
{
	pthread_mutexattr_t a;
	int err = pthread_mutexattr_init(&a);

	if (err == 0) {
		err = pthread_mutexattr_setpshared(&a,
		    PTHREAD_PROCESS_SHARED);
		if (err == 0)
			err = pthread_mutexattr_setrobust(&a,
			    PTHREAD_MUTEX_ROBUST);
		if (err == 0)
			err = pthread_mutex_init(&l->mutex, &a);
		(void)pthread_mutexattr_destroy(&a);	/* cannot fail */
	}
	errno = err;
	return err == 0 ? 0 : -1;
}

enum os_lock_try
os_lock_try(struct os_lock *l)
{
	switch (pthread_mutex_trylock(&l->mutex)) {
	case 0:
		return OS_LOCK_OURS;
	case EOWNERDEAD:
		/* what it guards is mended by who is told so */
		(void)pthread_mutex_consistent(&l->mutex);
		return OS_LOCK_LEFT;
	default:
		return OS_LOCK_HELD;
	}
}

void
os_lock_leave(struct os_lock *l)
{
	(void)pthread_mutex_unlock(&l->mutex);	/* it is ours */
}

void
os_word_wait(_Atomic uint32_t *word, uint32_t value, int timeout_ms)
{
	struct timespec t = { timeout_ms / 1000,
	    (long)(timeout_ms % 1000) * 1000000 };

	/* every reason to return is one to look again */
	(void)syscall(SYS_futex, word, FUTEX_WAIT, value, &t, NULL, 0);
}

void
os_word_wake(_Atomic uint32_t *word)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
