/*
 * again.c - clients that said UNAUTHENTICATE to imap-serve (RFC 8437), and
 * those that alpn-in has taken on the HTTPS port
 *
 * What comes is what this program sends to imap-serve, without ticket. Only
 * these two may connect (server_peers).
 */
#include "imap_login.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define RECEIVE_MS 10000
#define FIRST_BYTES 65536

/* The rest of the message. 0, -1. */
static int
receive_rest(int from, struct buf *b)
{
	size_t need;

	if (imap_handover_length(buf_bytes(b), &need) == -1)
		return -1;
	if (b->n < 8 || b->n > need) {
		errno = EBADMSG;
		return -1;
	}
	if (buf_room(b, need - b->n) == -1)
		return -1;
	errno = EPROTO;		/* for an end in the middle */
	if (b->n < need && io_read_full(from, b->p + b->n, need - b->n,
	    deadline_in(RECEIVE_MS)) != 1)
		return -1;
	b->n = need;
	return 0;
}

/*
 * In place of the way it came, so that it keeps its number. That stays open
 * under another one until this process ends: alpn-in waits for it.
 */
static int
take_client(struct server_conn *conn, int fd, const struct imap_handover *h)
{
	uint64_t id;

	if (fcntl(conn->in, F_DUPFD_CLOEXEC, 3) == -1 ||
	    dup2(fd, conn->in) == -1)
		return -1;
	conn->out = conn->in;
	conn->is_socket = true;
	if (h->remote_ip.n > 0 && ip_parse(h->remote_ip, &conn->remote) == -1)
		conn->remote.family = 0;
	if (h->local_ip.n > 0 && ip_parse(h->local_ip, &conn->local) == -1)
		conn->local.family = 0;
	if (num_parse(h->session, 0, UINT64_MAX, &id) == 0)
		conn->id = id;
	return 0;
}

int
again_receive(struct server_conn *conn, struct buf *message,
    struct imap_handover *h)
{
	int fds[OS_FDS_MAX], r = -1, saved;
	size_t nfds = OS_FDS_MAX, i;
	ssize_t n;

	if (buf_room(message, FIRST_BYTES) == -1)
		return -1;
	n = os_recv_fds(conn->in, message->p, FIRST_BYTES, fds, &nfds,
	    deadline_in(RECEIVE_MS));
	if (n <= 0) {
		errno = n == 0 ? EPROTO : errno;
		return -1;
	}
	message->n = (size_t)n;
	if (nfds != 1)
		errno = EBADMSG;
	else if (receive_rest(conn->in, message) == 0 &&
	    imap_handover_parse(buf_bytes(message), h) == 0)
		r = take_client(conn, fds[0], h);
	saved = errno;
	for (i = 0; i < nfds; i++)
		(void)close(fds[i]);	/* a copy is there */
	errno = saved;
	return r;
}
