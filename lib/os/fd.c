/* fd.c - passing descriptors; unnamed files */
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SEND_MS 30000		/* a peer that takes nothing so long is ill */
#define DATA_MAX ((size_t)65536)
#define TMPFILE_TRIES 8

/* Aligned as the kernel wants control messages. */
union control {
	struct cmsghdr header;
	unsigned char space[CMSG_SPACE(OS_FDS_MAX * sizeof(int))];
};

static int
fail(int err)
{
	errno = err;
	return -1;
}

static int
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r;

	do
		r = poll(&p, 1, deadline_left(deadline));
	while (r == -1 && errno == EINTR);
	return r > 0 ? 0 : r == 0 ? fail(ETIMEDOUT) : -1;
}

int
os_send_fds(int sock, struct bytes data, const int *fds, size_t nfds)
{
	union control control = { .space = { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data.p,
	    .iov_len = data.n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	int64_t deadline = deadline_in(SEND_MS);
	ssize_t r;

	if (data.n == 0 || nfds > OS_FDS_MAX)
		return fail(EINVAL);
	if (data.n > DATA_MAX)
		return fail(EMSGSIZE);
	if (nfds > 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	while ((r = sendmsg(sock, &m, MSG_NOSIGNAL)) == -1) {
		if (errno == EAGAIN) {
			if (wait_for(sock, POLLOUT, deadline) == -1)
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	/* The descriptors went with the first byte; the rest may follow. */
	return io_write_all(sock, bytes_from(data, (size_t)r), deadline);
}

/* Move the descriptors of all control messages to fds. */
static size_t
take_fds(struct msghdr *m, int fds[OS_FDS_MAX])
{
	struct cmsghdr *c;
	size_t n = 0, len;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		len = c->cmsg_len - CMSG_LEN(0);
		if (len / sizeof(int) > OS_FDS_MAX - n)
			len = (OS_FDS_MAX - n) * sizeof(int);
		memcpy(fds + n, CMSG_DATA(c), len);
		n += len / sizeof(int);
	}
	return n;
}

ssize_t
os_recv_fds(int sock, void *data, size_t size, int *fds, size_t *nfds,
    int64_t deadline)
{
	union control control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr m;
	int got[OS_FDS_MAX];
	size_t n, i;
	ssize_t r;

	for (;;) {
		m = (struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1,
		    .msg_control = &control,
		    .msg_controllen = sizeof(control) };
		r = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
		if (r >= 0)
			break;
		if (errno != EINTR && (errno != EAGAIN ||
		    wait_for(sock, POLLIN, deadline) == -1))
			return -1;
	}
	n = take_fds(&m, got);
	if ((m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		for (i = 0; i < n; i++)
			(void)close(got[i]);	/* never used */
		return fail(EMSGSIZE);
	}
	memcpy(fds, got, n * sizeof(int));
	*nfds = n;
	return r;
}

/* For file systems without O_TMPFILE. */
static int
unlinked_file(int dirfd, const char *path)
{
	struct arena a = ARENA_INIT;
	unsigned char random[8];
	const char *name;
	int fd = -1, i, err;

	for (i = 0; i < TMPFILE_TRIES && fd == -1; i++) {
		os_random(random, sizeof(random));
		name = arena_printf(&a, "%s/.tmp-%016llx", path,
		    (unsigned long long)be64_get(random));
		fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd == -1 && errno != EEXIST)
			break;
		if (fd != -1 && unlinkat(dirfd, name, 0) == -1) {
			err = errno;
			(void)close(fd);	/* empty */
			fd = -1;
			errno = err;
			break;
		}
	}
	err = errno;
	arena_free(&a);
	errno = err;
	return fd;
}

int
os_tmpfile(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd == -1 && (errno == EOPNOTSUPP || errno == EISDIR ||
	    errno == EINVAL))
		return unlinked_file(dirfd, path);
	return fd;
}

static void
close_range_of(unsigned int first, unsigned int last)
{
	int max = (int)sysconf(_SC_OPEN_MAX);

	if (syscall(SYS_close_range, first, last, 0U) == 0)
		return;
	if (max < 0 || last < (unsigned int)max)
		max = (int)last + 1;
	for (int i = (int)first; i < max; i++)
		(void)close(i);		/* most are not open */
}

void
os_close_from(int first, int keep)
{
	if (keep > first)
		close_range_of((unsigned int)first, (unsigned int)keep - 1);
	close_range_of((unsigned int)(keep >= first ? keep + 1 : first), ~0U);
}

static struct flock
one_byte(short type, uint32_t at)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET,
	    .l_start = at, .l_len = 1 };
}

int
os_byte_hold(int fd, uint32_t at)
{
	struct flock l = one_byte(F_RDLCK, at);

	return fcntl(fd, F_OFD_SETLK, &l);
}

int
os_byte_release(int fd, uint32_t at)
{
	struct flock l = one_byte(F_UNLCK, at);

	return fcntl(fd, F_OFD_SETLK, &l);
}

int
os_byte_held(int fd, uint32_t at)
{
	struct flock l = one_byte(F_WRLCK, at);

	if (fcntl(fd, F_OFD_GETLK, &l) == -1)
		return -1;
	return l.l_type != F_UNLCK;
}
