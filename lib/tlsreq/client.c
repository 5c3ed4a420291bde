/* client.c - the asking side, for servers */
#include "tlsreq/tlsreq.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/os.h"

int
tlsreq_open(const char *path, int64_t deadline)
{
	struct arena a = ARENA_INIT;
	int fd, err;

	if (path == NULL)
		path = arena_printf(&a, "%s/tls", dir_run());
	fd = os_connect_unix(path, deadline);
	err = errno;
	arena_free(&a);
	errno = err;
	return fd;
}

static int
fail(struct tlsreq_result *out, int err, struct bytes reason)
{
	reason = bytes_first(reason, sizeof(out->reason) - 1);
	memcpy(out->reason, reason.p, reason.n);
	out->reason[reason.n] = '\0';
	errno = err;
	return -1;
}

/*
 * A descriptor that is sent and not received keeps the connection open: the
 * peer would wait for as long as tls-serve stands still.
 */
static int
no_reply(struct tlsreq_result *out, int net, int err)
{
	(void)shutdown(net, SHUT_RDWR);	/* may be gone, or no socket */
	return fail(out, err, err == ETIMEDOUT ? BYTES("timeout")
	    : BYTES("tls-serve-unavailable"));
}

static int
send_request(int ctl, int net, const struct tlsreq *req)
{
	struct buf b = BUF_INIT(TLSREQ_MAX);
	int r = tlsreq_format(&b, req), err;

	if (r == 0)
		r = os_send_fds(ctl, buf_bytes(&b), &net, 1);
	err = errno;
	buf_free(&b);
	errno = err;
	return r;
}

/*
 * The reply into b; a descriptor that comes with it into *fd. 1; 0 when the
 * stream ends before; -1.
 */
static int
recv_reply(int ctl, struct buf *b, int64_t deadline, int *fd,
    enum tlsreq_status *status, struct bytes *text)
{
	int fds[OS_FDS_MAX], r;
	size_t n, size;
	ssize_t got;

	while ((r = tlsreq_parse_reply(buf_bytes(b), status, text,
	    &size)) == 0) {
		if (buf_room(b, 512) == -1)
			return -1;
		got = os_recv_fds(ctl, b->p + b->n, b->size - b->n, fds, &n,
		    deadline);
		if (got <= 0)
			return (int)got;
		b->n += (size_t)got;
		while (n > 0) {
			if (*fd != -1)
				(void)close(*fd);	/* one is expected */
			*fd = fds[--n];
		}
	}
	return r;
}

static int
take_reply(struct tlsreq_result *out, enum tlsreq_status status,
    struct bytes text, int fd, struct arena *a)
{
	const char *why;
	size_t used;

	switch (status) {
	case TLSREQ_DONE:
		break;
	case TLSREQ_PEER:
	case TLSREQ_GONE:
		return fail(out, EPROTO, text);
	case TLSREQ_BUSY:
		return fail(out, EAGAIN, text);
	case TLSREQ_REFUSED:
		return fail(out, EACCES, text);
	}
	out->raw = arena_bytes(a, text);
	if (fd == -1 || preface_parse(out->raw, PREFACE_TLS_SERVE,
	    &out->preface, &used, &why) != 1 || used != out->raw.n)
		return fail(out, EBADMSG, BYTES("malformed-reply"));
	out->fd = fd;
	out->reason[0] = '\0';
	return 0;
}

int
tlsreq_run(int ctl, int net, const struct tlsreq *req, int64_t deadline,
    struct arena *a, struct tlsreq_result *out)
{
	struct buf b = BUF_INIT(TLSREQ_REPLY_MAX + 512);
	enum tlsreq_status status = TLSREQ_REFUSED;
	struct bytes text = BYTES_EMPTY;
	int r, err, fd = -1;

	out->fd = -1;
	r = send_request(ctl, net, req);
	if (r == 0) {
		r = recv_reply(ctl, &b, deadline, &fd, &status, &text);
		if (r == 0)
			errno = ECONNRESET;
	} else {
		r = 0;
	}
	if (r == 1)
		r = take_reply(out, status, text, fd, a);
	else
		r = no_reply(out, net, errno);
	err = errno;
	if (r == -1 && fd != -1)
		(void)close(fd);	/* of no use */
	(void)close(ctl);		/* one request each */
	buf_free(&b);
	errno = err;
	return r;
}
