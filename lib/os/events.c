/* events.c - epoll; pairs of sockets; memory shared with children */
#include "os/os.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define BATCH_MAX 256

int
os_events_new(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

static int
control(int set, int op, int fd, unsigned int what, void *ctx)
{
	struct epoll_event e = { .data = { .ptr = ctx } };

	if ((what & OS_EVENT_READ) != 0)
		e.events |= EPOLLIN;
	if ((what & OS_EVENT_WRITE) != 0)
		e.events |= EPOLLOUT;
	if ((what & OS_EVENT_SHARED) != 0)
		e.events |= EPOLLEXCLUSIVE;
	return epoll_ctl(set, op, fd, &e);
}

int
os_events_add(int set, int fd, unsigned int what, void *ctx)
{
	return control(set, EPOLL_CTL_ADD, fd, what, ctx);
}

int
os_events_change(int set, int fd, unsigned int what, void *ctx)
{
	return control(set, EPOLL_CTL_MOD, fd, what, ctx);
}

int
os_events_remove(int set, int fd)
{
	return epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
}

static unsigned int
meaning(uint32_t events)
{
	unsigned int what = 0;

	if ((events & EPOLLIN) != 0)
		what |= OS_EVENT_READ;
	if ((events & EPOLLOUT) != 0)
		what |= OS_EVENT_WRITE;
	if ((events & EPOLLHUP) != 0)
		what |= OS_EVENT_HANGUP;
	if ((events & EPOLLERR) != 0)
		what |= OS_EVENT_ERROR;
	return what;
}

int
os_events_wait(int set, struct os_event *out, size_t max, int timeout_ms,
    const sigset_t *unblocked)
{
	struct epoll_event got[BATCH_MAX];
	int i, n;

	if (max == 0) {
		errno = EINVAL;
		return -1;
	}
	n = epoll_pwait(set, got, max < BATCH_MAX ? (int)max : BATCH_MAX,
	    timeout_ms, unblocked);
	for (i = 0; i < n; i++) {
		out[i].ctx = got[i].data.ptr;
		out[i].what = meaning(got[i].events);
	}
	return n;
}

int
os_socketpair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, fds);
}

int
os_messagepair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds);
}

void *
os_shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void
os_shared_free(void *p, size_t size)
{
	if (p != NULL)
		(void)munmap(p, size);	/* it is a map of ours */
}

int
os_memory_file(const char *what)
{
	return memfd_create(what, MFD_CLOEXEC);
}

int
os_no_dump(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
