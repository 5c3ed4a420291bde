/*
 * connect.c - sockets to hosts, from an address and through SOCKS5
 */
#include "dial/dial.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/os.h"

/* RFC 1928, 1929. */
enum {
	SOCKS_VERSION = 5,
	SOCKS_NO_LOGIN = 0,
	SOCKS_PASSWORD = 2,
	SOCKS_LOGIN_VERSION = 1,
	SOCKS_CONNECT = 1,
	SOCKS_IPV4 = 1,
	SOCKS_NAME = 3,
	SOCKS_IPV6 = 4,
	SOCKS_NAME_MAX = 255,
	SOCKS_REQUEST_MAX = 4 + 1 + SOCKS_NAME_MAX + 2,
	SOCKS_LOGIN_LINE_MAX = 3 + 2 * DIAL_SOCKS_LOGIN_MAX,
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

/* Say it, and read the answer: its second octet; -1 with EPROTO and *why. */
static int
ask(int fd, struct bytes said, enum dial_socks step, int64_t deadline,
    const char **why)
{
	unsigned char got[DIAL_SOCKS_MAX] = { 0 };
	ssize_t more;
	size_t n = 0;

	*why = "the proxy does not answer";
	if (io_write_all(fd, said, deadline) == -1) {
		errno = EPROTO;
		return -1;
	}
	while ((more = dial_socks_need(step, bytes_of(got, n), why)) > 0) {
		if (io_read_full(fd, got + n, (size_t)more, deadline) != 1) {
			errno = EPROTO;
			return -1;
		}
		n += (size_t)more;
	}
	return more == -1 ? -1 : got[1];
}

static int
refused(const char **why, int err, const char *text)
{
	*why = text;
	errno = err;
	return -1;
}

static int
log_in(int fd, const struct dial_via *via, int64_t deadline,
    const char **why)
{
	struct buf b = BUF_INIT(SOCKS_LOGIN_LINE_MAX);
	int got = -1;

	(void)buf_addc(&b, SOCKS_LOGIN_VERSION);	/* all fits */
	(void)buf_addc(&b, (int)via->socks_user.n);
	(void)buf_add(&b, via->socks_user);
	(void)buf_addc(&b, (int)via->socks_password.n);
	(void)buf_add(&b, via->socks_password);
	got = ask(fd, buf_bytes(&b), DIAL_SOCKS_LOGIN, deadline, why);
	secret_wipe(b.p, b.n);
	buf_free(&b);
	return got <= 0 ? got : refused(why, EPROTO,
	    "the proxy does not take the login");
}

/* On a connection to the proxy: 0 when it is one to the host. */
static int
ask_proxy(int fd, const struct dial_via *via, struct bytes request,
    int64_t deadline, const char **why)
{
	static const unsigned char hello[] = { SOCKS_VERSION, 2,
	    SOCKS_NO_LOGIN, SOCKS_PASSWORD };
	static const unsigned char bare[] = { SOCKS_VERSION, 1,
	    SOCKS_NO_LOGIN };
	bool login = via->socks_user.n > 0;
	int got;

	got = ask(fd, login ? bytes_of(hello, sizeof(hello))
	    : bytes_of(bare, sizeof(bare)), DIAL_SOCKS_METHOD, deadline, why);
	if (got == -1)
		return -1;
	if (login && got == SOCKS_PASSWORD) {
		if (log_in(fd, via, deadline, why) == -1)
			return -1;
	} else if (got != SOCKS_NO_LOGIN) {
		return refused(why, EPROTO, login
		    ? "the proxy takes no password"
		    : "the proxy wants a login");
	}
	if ((got = ask(fd, request, DIAL_SOCKS_REPLY, deadline, why)) <= 0)
		return got;
	return refused(why, reply_errno(got), dial_socks_refusal(got));
}

static int
through_proxy(const struct dial_via *via, struct arena *a, int type,
    struct bytes where, int port, int64_t deadline, const char **why)
{
	struct buf b = BUF_INIT(SOCKS_REQUEST_MAX);
	int fd, err;

	if (via->socks_user.n > DIAL_SOCKS_LOGIN_MAX ||
	    via->socks_password.n > DIAL_SOCKS_LOGIN_MAX)
		return refused(why, EMSGSIZE, "the login is too long for a "
		    "proxy");
	fd = plain(via, a, &via->socks, via->socks_port, deadline, why);
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
	if (ask_proxy(fd, via, buf_bytes(&b), deadline, why) == -1) {
		err = errno;
		(void)close(fd);	/* nothing was said to the host */
		errno = err;
		fd = -1;
	}
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
	if (host.n > SOCKS_NAME_MAX)
		return refused(why, EMSGSIZE, "the host's name is too long "
		    "for a proxy");
	return through_proxy(via, a, SOCKS_NAME, host, port, deadline, why);
}
