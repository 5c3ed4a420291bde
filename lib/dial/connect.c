/*
 * connect.c - sockets to hosts, from an address and through SOCKS5
 */
#include "dial/dial.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/os.h"

/* RFC 1928. */
enum {
	SOCKS_VERSION = 5,
	SOCKS_NO_LOGIN = 0,
	SOCKS_CONNECT = 1,
	SOCKS_IPV4 = 1,
	SOCKS_NAME = 3,
	SOCKS_IPV6 = 4,
	SOCKS_NAME_MAX = 255,
	SOCKS_REPLY_MAX = 4 + 1 + SOCKS_NAME_MAX + 2,
};

bool
dial_is_dead(int err)
{
	return err == ECONNREFUSED || err == ETIMEDOUT ||
	    err == EHOSTUNREACH || err == EHOSTDOWN;
}

static int
plain(const struct dial_via *via, struct arena *a, const struct ip *ip,
    int port, int64_t deadline, const char **why)
{
	const struct ip *from = ip->family == AF_INET6 ? &via->source6
	    : &via->source4;
	char text[IP_TEXT_MAX];
	int fd = os_connect_tcp_from(from, ip, port, deadline), err = errno;

	if (fd == -1)
		*why = err == EADDRNOTAVAIL && from->family != 0
		    ? arena_printf(a, "cannot send from %s: %s",
		    ip_format(from, text), strerror(err))
		    : arena_printf(a, "cannot connect: %s", strerror(err));
	errno = err;
	return fd;
}

static int
fail(int fd, const char **why, int err, const char *text)
{
	(void)close(fd);	/* nothing was said */
	*why = text;
	errno = err;
	return -1;
}

/* RFC 1928 6, as the errno it would be without a proxy. */
static int
reply_errno(int code)
{
	switch (code) {
	case 3:
		return ENETUNREACH;
	case 4:
		return EHOSTUNREACH;
	case 5:
		return ECONNREFUSED;
	case 6:
		return ETIMEDOUT;
	default:
		return EPROTO;
	}
}

/* What follows the first four bytes: an address and a port. */
static int
skip_bound(int fd, int type, int64_t deadline)
{
	unsigned char rest[SOCKS_REPLY_MAX];
	size_t n = type == SOCKS_IPV4 ? 4 : 16;

	if (type == SOCKS_NAME) {
		if (io_read_full(fd, rest, 1, deadline) != 1)
			return -1;
		n = rest[0];
	} else if (type != SOCKS_IPV4 && type != SOCKS_IPV6)
		return -1;
	return io_read_full(fd, rest, n + 2, deadline) == 1 ? 0 : -1;
}

/* Takes over fd, which is connected to the proxy. */
static int
ask_proxy(int fd, struct bytes request, int64_t deadline, const char **why)
{
	static const unsigned char hello[] = { SOCKS_VERSION, 1,
	    SOCKS_NO_LOGIN };
	unsigned char got[4];

	if (io_write_all(fd, bytes_of(hello, sizeof(hello)), deadline) == -1 ||
	    io_read_full(fd, got, 2, deadline) != 1)
		return fail(fd, why, EPROTO, "the proxy does not answer");
	if (got[0] != SOCKS_VERSION || got[1] != SOCKS_NO_LOGIN)
		return fail(fd, why, EPROTO, "the proxy wants a login, or is "
		    "no SOCKS5 proxy");
	if (io_write_all(fd, request, deadline) == -1 ||
	    io_read_full(fd, got, 4, deadline) != 1)
		return fail(fd, why, EPROTO, "the proxy does not answer");
	if (got[0] != SOCKS_VERSION || got[1] != 0)
		return fail(fd, why, got[0] == SOCKS_VERSION
		    ? reply_errno(got[1]) : EPROTO,
		    "the proxy cannot connect");
	if (skip_bound(fd, got[3], deadline) == -1)
		return fail(fd, why, EPROTO, "the proxy's answer is "
		    "malformed");
	return fd;
}

static int
through_proxy(const struct dial_via *via, struct arena *a, int type,
    struct bytes where, int port, int64_t deadline, const char **why)
{
	struct buf b = BUF_INIT(SOCKS_REPLY_MAX);
	int fd = plain(via, a, &via->socks, via->socks_port, deadline, why);

	if (fd == -1) {
		*why = arena_printf(a, "the proxy: %s", *why);
		errno = EPROTO;		/* says nothing of the host */
		return -1;
	}
	(void)buf_addc(&b, SOCKS_VERSION);	/* all fits: b is large */
	(void)buf_addc(&b, SOCKS_CONNECT);
	(void)buf_addc(&b, 0);
	(void)buf_addc(&b, type);
	if (type == SOCKS_NAME)
		(void)buf_addc(&b, (int)where.n);
	(void)buf_add(&b, where);
	(void)buf_addc(&b, port >> 8);
	(void)buf_addc(&b, port & 0xff);
	fd = ask_proxy(fd, buf_bytes(&b), deadline, why);
	buf_free(&b);
	return fd;
}

int
dial_connect(const struct dial_via *via, struct arena *a,
    const struct ip *ip, int port, int64_t deadline, const char **why)
{
	bool v6 = ip->family == AF_INET6;

	if (via->socks.family == 0)
		return plain(via, a, ip, port, deadline, why);
	return through_proxy(via, a, v6 ? SOCKS_IPV6 : SOCKS_IPV4,
	    bytes_of(ip->a, v6 ? 16 : 4), port, deadline, why);
}

int
dial_connect_name(const struct dial_via *via, struct arena *a,
    struct bytes host, int port, int64_t deadline, const char **why)
{
	if (host.n > SOCKS_NAME_MAX) {
		*why = "the host's name is too long for a proxy";
		errno = EMSGSIZE;
		return -1;
	}
	return through_proxy(via, a, SOCKS_NAME, host, port, deadline, why);
}
