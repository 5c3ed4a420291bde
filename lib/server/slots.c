/*
 * slots.c - what few of a server's processes may do at a time
 *
 * A slot is a byte of a file that all of them have open, and a lock of
 * fcntl(2) on it: the kernel takes it off the dead, so that none is lost.
 */
#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int
lock(int fd, unsigned int slot, short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
	    .l_start = slot, .l_len = 1 };

	return fcntl(fd, F_SETLK, &l);
}

/* They begin at different ones, and so rarely look at many. */
int
server_slot_take(int fd, unsigned int n, unsigned int *slot)
{
	unsigned int first = (unsigned int)getpid(), at;

	for (unsigned int i = 0; i < n; i++) {
		at = (first + i) % n;
		if (lock(fd, at, F_WRLCK) == 0) {
			*slot = at;
			return 1;
		}
		if (errno != EAGAIN && errno != EACCES)
			return -1;
	}
	return 0;
}

void
server_slot_leave(int fd, unsigned int slot)
{
	(void)lock(fd, slot, F_UNLCK);	/* what is locked can be unlocked */
}
