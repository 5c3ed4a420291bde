/* slow.c - costing a client that misbehaves its time, not ours */
#include "server/server.h"

#include <poll.h>

#define SLOW_MS 1000
#define RESERVE_MS 5000

void
server_pause_slow(void)
{
	(void)poll(NULL, 0, SLOW_MS);	/* a signal ends it early: harmless */
}

int
server_write_slow(int fd, struct bytes s, int64_t deadline)
{
	while (s.n > 0 && deadline_left(deadline) >= RESERVE_MS) {
		if (io_write_all(fd, bytes_first(s, 1), deadline) == -1)
			return -1;
		s = bytes_from(s, 1);
		if (s.n > 0)
			server_pause_slow();
	}
	return s.n > 0 ? io_write_all(fd, s, deadline) : 0;
}
