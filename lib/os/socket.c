/* socket.c - listening, connecting, asking sockets what they are */
#include "os/os.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY_MS 5		/* between tries at a full Unix backlog */

static int
close_keep(int fd)
{
	int err = errno;

	(void)close(fd);	/* a socket of no use any more */
	errno = err;
	return -1;
}

static int
option(int fd, int level, int name, int *value)
{
	socklen_t n = sizeof(*value);

	return getsockopt(fd, level, name, value, &n);
}

int
os_is_listening(int fd)
{
	int v;

	if (option(fd, SOL_SOCKET, SO_ACCEPTCONN, &v) == -1)
		return errno == ENOTSOCK ? 0 : -1;
	return v != 0;
}

bool
os_is_socket(int fd)
{
	int v;

	return option(fd, SOL_SOCKET, SO_TYPE, &v) == 0;
}

int
os_accept(int fd)
{
	return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static int
unix_address(const char *path, struct sockaddr_un *sa)
{
	size_t n = strlen(path);

	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (n == 0 || n >= sizeof(sa->sun_path)) {
		errno = n == 0 ? ENOENT : ENAMETOOLONG;
		return -1;
	}
	memcpy(sa->sun_path, path, n + 1);
	return 0;
}

/* Nobody can connect before listen(2), so the mode is set in time. */
int
os_listen_unix(const char *path, mode_t mode)
{
	struct sockaddr_un sa;
	struct stat st;
	int fd;

	if (unix_address(path, &sa) == -1)
		return -1;
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode)) {
			errno = EEXIST;
			return -1;
		}
		if (unlink(path) == -1 && errno != ENOENT)
			return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1 ||
	    chmod(path, mode) == -1 || listen(fd, SOMAXCONN) == -1)
		return close_keep(fd);
	return fd;
}

int
os_connect_unix(const char *path, int64_t deadline)
{
	struct sockaddr_un sa;
	int fd, left;

	if (unix_address(path, &sa) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	while (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1) {
		if (errno != EAGAIN && errno != EINTR)
			return close_keep(fd);
		if ((left = deadline_left(deadline)) == 0) {
			errno = ETIMEDOUT;
			return close_keep(fd);
		}
		if (left == -1 || left > RETRY_MS)
			left = RETRY_MS;
		(void)poll(NULL, 0, left);	/* nothing to poll on */
	}
	return fd;
}

int
os_listen_tcp(const struct ip *ip, int port, int backlog)
{
	struct sockaddr_storage sa;
	socklen_t n = (socklen_t)ip_to_sockaddr(ip, port, &sa);
	int fd, on = 1;

	if (ip->family == 0 || port < 0 || port > 65535) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(ip->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    (ip->family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == -1) ||
	    bind(fd, (struct sockaddr *)&sa, n) == -1 ||
	    listen(fd, backlog > 0 ? backlog : SOMAXCONN) == -1)
		return close_keep(fd);
	return fd;
}

static int
finish_connect(int fd, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int r, err = ETIMEDOUT;

	do
		r = poll(&p, 1, deadline_left(deadline));
	while (r == -1 && errno == EINTR);
	if (r == -1 || (r == 1 && option(fd, SOL_SOCKET, SO_ERROR, &err) == -1))
		return -1;
	errno = err;
	return err == 0 ? 0 : -1;
}

static int
bind_to(int fd, const struct ip *from)
{
	struct sockaddr_storage sa;
	socklen_t n;

	if (from == NULL || from->family == 0)
		return 0;
	n = (socklen_t)ip_to_sockaddr(from, 0, &sa);
	return bind(fd, (struct sockaddr *)&sa, n);
}

int
os_connect_tcp(const struct ip *ip, int port, int64_t deadline)
{
	return os_connect_tcp_from(NULL, ip, port, deadline);
}

int
os_connect_tcp_from(const struct ip *from, const struct ip *ip, int port,
    int64_t deadline)
{
	struct sockaddr_storage sa;
	socklen_t n = (socklen_t)ip_to_sockaddr(ip, port, &sa);
	int fd;

	if (ip->family == 0 || port <= 0 || port > 65535) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(ip->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (bind_to(fd, from) == -1)
		return close_keep(fd);
	if (connect(fd, (struct sockaddr *)&sa, n) == -1) {
		if (errno != EINPROGRESS && errno != EINTR)
			return close_keep(fd);
		if (finish_connect(fd, deadline) == -1)
			return close_keep(fd);
	}
	return fd;
}

int
os_nodelay(int fd)
{
	int on = 1;

	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int
os_unread(int fd)
{
	int n;

	return ioctl(fd, FIONREAD, &n) == -1 ? -1 : n;
}

int
os_peer(int sock, pid_t *pid, uid_t *uid, gid_t *gid)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &n) == -1)
		return -1;
	if (pid != NULL)
		*pid = cred.pid;
	*uid = cred.uid;
	*gid = cred.gid;
	return 0;
}
