/*
 * relay.c - bytes between the peer (net, in TLS) and the server (plain)
 *
 * A connection at rest holds no buffer: bytes go through the worker's one,
 * and only what cannot be written at once is kept, at most RELAY_CHUNK each
 * way; meanwhile nothing more is read in that direction. The *_ready flags
 * say that a read may give something, so that none is tried in vain.
 *
 * The two directions end by themselves: close_notify becomes the end of the
 * plaintext stream, and the other way round. When the server has closed its
 * end altogether, what it sent is delivered, the peer told, and its own end
 * awaited for a while, since closing before that could destroy bytes that
 * are on their way to it. Nobody may take longer than ENDING_MS for a step.
 */
#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS 4			/* chunks each way before others are served */

static size_t
held_size(const struct held *h)
{
	return h->end - h->start;
}

/* Keep s, which is not empty. */
static void
hold(struct held *h, struct bytes s)
{
	h->p = mem_alloc(s.n);
	memcpy(h->p, s.p, s.n);
	h->start = 0;
	h->end = s.n;
}

/* The first n bytes are gone. */
static void
release(struct held *h, size_t n)
{
	h->start += n;
	if (h->start == h->end) {
		free(h->p);
		*h = (struct held){ .p = NULL };
	}
}

/* Nothing goes to the server any more. */
static void
plain_is_gone(struct conn *c)
{
	if (c->in.p != NULL)
		release(&c->in, held_size(&c->in));
	c->plain_gone = true;
}

/* Whether the server has closed, and not only ended what it sends. */
static bool
server_closed(int fd)
{
	struct pollfd p = { .fd = fd, .events = 0 };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
}

/* ---- from the peer to the server ---- */

/* Bytes taken, or -1: no more now. */
static ssize_t
write_plain(struct conn *c, struct bytes s)
{
	ssize_t r;

	if (c->plain_gone)
		return (ssize_t)s.n;	/* into the void */
	r = send(c->plain.fd, s.p, s.n, MSG_NOSIGNAL);
	if (r >= 0)
		return r;
	if (errno == EAGAIN || errno == EINTR)
		return -1;
	plain_is_gone(c);
	return (ssize_t)s.n;
}

/* False: the connection is broken. */
static bool
read_peer(struct worker *w, struct conn *c)
{
	struct bytes s;
	ssize_t r;
	size_t n;

	switch (tls_read(c->tls, w->chunk, sizeof(w->chunk), &n)) {
	case TLS_OK:
		w->counters[c->listener].bytes_in += n;
		s = bytes_of(w->chunk, n);
		r = write_plain(c, s);
		if (r < (ssize_t)n)
			hold(&c->in, bytes_from(s, r < 0 ? 0 : (size_t)r));
		return true;
	case TLS_WANT_READ:
		c->net_ready = false;
		return true;
	case TLS_WANT_WRITE:
		c->net_ready = false;
		c->net_wants_write = true;
		return true;
	case TLS_END:
		c->net_eof = true;
		return true;
	default:
		return false;
	}
}

static bool
pump_in(struct worker *w, struct conn *c)
{
	ssize_t r;
	int turn;

	if (c->in.p != NULL && !c->plain_gone) {
		r = write_plain(c, bytes_of(c->in.p + c->in.start,
		    held_size(&c->in)));
		if (c->in.p != NULL && r > 0)
			release(&c->in, (size_t)r);
	}
	for (turn = 0; turn < TURNS && c->in.p == NULL && c->net_ready &&
	    !c->net_eof; turn++) {
		if (!read_peer(w, c))
			return false;
	}
	if (c->net_eof && c->in.p == NULL && !c->plain_shut) {
		(void)shutdown(c->plain.fd, SHUT_WR);	/* may be gone */
		c->plain_shut = true;
	}
	return true;
}

/* ---- from the server to the peer ---- */

/* The number of bytes taken, 0: no more now, -1: broken. */
static ssize_t
write_peer(struct worker *w, struct conn *c, struct bytes s)
{
	size_t n;

	switch (tls_write(c->tls, s, &n)) {
	case TLS_OK:
		w->counters[c->listener].bytes_out += n;
		if (c->list == &w->endings)	/* it gets on */
			conn_enlist(c, &w->endings);
		return (ssize_t)n;
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
		return 0;
	default:
		return -1;
	}
}

static bool
read_server(struct worker *w, struct conn *c)
{
	ssize_t n = recv(c->plain.fd, w->chunk, sizeof(w->chunk), 0), sent;

	if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
		c->plain_ready = false;
		return true;
	}
	if (n <= 0) {	/* also ECONNRESET: it closed without reading all */
		c->plain_eof = true;
		if (n == -1 || server_closed(c->plain.fd))
			plain_is_gone(c);
		return true;
	}
	if ((size_t)n < sizeof(w->chunk))	/* that was all for now */
		c->plain_ready = false;
	sent = write_peer(w, c, bytes_of(w->chunk, (size_t)n));
	if (sent == -1)
		return false;
	if (sent < n)
		hold(&c->out, bytes_of(w->chunk + sent, (size_t)(n - sent)));
	return true;
}

static bool
pump_out(struct worker *w, struct conn *c)
{
	ssize_t n;
	int turn;

	if (c->out.p != NULL) {
		n = write_peer(w, c, bytes_of(c->out.p + c->out.start,
		    held_size(&c->out)));
		if (n == -1)
			return false;
		if (n > 0)
			release(&c->out, (size_t)n);
	}
	for (turn = 0; turn < TURNS && c->out.p == NULL && c->plain_ready &&
	    !c->plain_eof; turn++) {
		if (!read_server(w, c))
			return false;
	}
	return true;
}

/* ---- ends ---- */

/* Once the server is done: tell the peer. */
static void
send_end(struct conn *c)
{
	enum tls_result r;

	if (!c->plain_eof || c->out.p != NULL || c->end_sent)
		return;
	r = tls_end(c->tls);
	if (r == TLS_WANT_READ || r == TLS_WANT_WRITE)
		return;		/* again with the next event */
	(void)shutdown(c->net.fd, SHUT_WR);	/* may be gone */
	c->end_sent = true;
}

static void
linger(struct worker *w, struct conn *c)
{
	source_close(w, &c->plain);
	tls_free(c->tls);
	c->tls = NULL;
	c->state = CONN_LINGER;
	source_want(w, &c->net, OS_EVENT_READ, true);
}

/* Throw away what comes, which is nobody's, until the peer's end. */
static void
discard(struct worker *w, struct conn *c)
{
	ssize_t n;
	int turn;

	for (turn = 0; turn < TURNS; turn++) {
		n = recv(c->net.fd, w->chunk, sizeof(w->chunk), 0);
		if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR)) {
			conn_free(w, c);
			return;
		}
		if (n == -1)
			return;
	}
}

/* ---- turns ---- */

static void
want_more(struct worker *w, struct conn *c)
{
	unsigned int net = 0, plain = 0;

	if (!c->net_eof && c->in.p == NULL)
		net |= OS_EVENT_READ;
	if (c->out.p != NULL || c->net_wants_write ||
	    (c->plain_eof && !c->end_sent))
		net |= OS_EVENT_WRITE;
	if (!c->plain_eof && c->out.p == NULL)
		plain |= OS_EVENT_READ;
	if (c->in.p != NULL)
		plain |= OS_EVENT_WRITE;
	source_want(w, &c->net, net, false);
	/* A server that only ended what it sends may yet close. */
	source_want(w, &c->plain, plain, c->plain_eof && !c->plain_gone);
	/* What OpenSSL has read already wakes nobody. */
	if (((c->net_ready && !c->net_eof && c->in.p == NULL) ||
	    (c->plain_ready && !c->plain_eof && c->out.p == NULL)) &&
	    !c->is_ready) {
		c->is_ready = true;
		c->next_ready = w->ready;
		w->ready = c;
	}
}

void
relay_continue(struct worker *w, struct conn *c)
{
	if (c->state != CONN_RELAY)
		return;
	if (!pump_in(w, c) || !pump_out(w, c)) {
		conn_free(w, c);
		return;
	}
	send_end(c);
	if (c->end_sent && c->net_eof) {
		conn_free(w, c);
		return;
	}
	if (c->plain_gone && c->plain_eof && c->list != &w->endings)
		conn_enlist(c, &w->endings);
	if (c->end_sent && c->plain_gone)
		linger(w, c);
	else
		want_more(w, c);
}

void
relay_start(struct worker *w, struct conn *c)
{
	c->state = CONN_RELAY;
	/* Data may have come with the end of the handshake; what is in the
	 * sockets tells by itself. */
	c->net_ready = tls_pending(c->tls);
	c->plain_ready = false;
	conn_enlist(c, &w->relays);
	relay_continue(w, c);
}

/* ---- greeted, and nobody has the plaintext ---- */

/* It ends without a word: tell who asked. */
static void
gone(struct worker *w, struct conn *c)
{
	struct buf b = BUF_INIT(TLSREQ_REPLY_MAX);

	if (tlsreq_format_reply(&b, TLSREQ_GONE, BYTES("gone")) == 0)
		/* Who asked may be gone too. */
		(void)send(c->ctl.fd, b.p, b.n, MSG_NOSIGNAL);
	buf_free(&b);
	conn_free(w, c);
}

/* Whether there may be more to read. */
static bool
first_words(struct worker *w, struct conn *c)
{
	size_t n;

	switch (tls_read(c->tls, w->chunk, sizeof(w->chunk), &n)) {
	case TLS_OK:
		break;
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
		return true;
	default:
		gone(w, c);
		return false;
	}
	w->counters[c->listener].bytes_in += n;
	hold(&c->in, bytes_of(w->chunk, n));
	if (conn_hand_over(w, c))
		relay_start(w, c);
	return false;
}

void
relay_greet(struct worker *w, struct conn *c, struct bytes greeting)
{
	ssize_t n;

	c->state = CONN_GREETED;
	conn_enlist(c, &w->relays);
	n = write_peer(w, c, greeting);
	if (n != (ssize_t)greeting.n) {
		/* A connection this new has room for it. */
		gone(w, c);
		return;
	}
	source_want(w, &c->net, OS_EVENT_READ, true);
	/* What came with the end of the handshake wakes nobody. */
	if (tls_pending(c->tls))
		(void)first_words(w, c);
}

/* The last words of who asked, or none. */
static void
dismiss(struct worker *w, struct conn *c)
{
	ssize_t n = recv(c->ctl.fd, w->chunk, TLSREQ_GREETING_MAX, 0);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		(void)write_peer(w, c, bytes_of(w->chunk, (size_t)n));
	relay_abort(w, c);
}

void
relay_greeted(struct worker *w, struct conn *c, struct source *s)
{
	if (s == &c->ctl)
		dismiss(w, c);
	else
		(void)first_words(w, c);
}

void
relay_abort(struct worker *w, struct conn *c)
{
	/* If it cannot be sent now, the peer sees the end without it. */
	if (c->tls != NULL && !c->end_sent && c->out.p == NULL)
		(void)tls_end(c->tls);
	conn_free(w, c);
}

void
relay_event(struct worker *w, struct conn *c, struct source *s,
    unsigned int what)
{
	unsigned int readable = OS_EVENT_READ | OS_EVENT_HANGUP |
	    OS_EVENT_ERROR;

	if (c->state == CONN_LINGER) {
		discard(w, c);
		return;
	}
	if (s == &c->net) {
		if ((what & (readable | (c->net_wants_write
		    ? OS_EVENT_WRITE : 0))) != 0) {
			c->net_ready = true;
			c->net_wants_write = false;
		}
	} else if ((what & readable) != 0) {
		c->plain_ready = true;
		if (c->plain_eof && (what & OS_EVENT_HANGUP) != 0)
			plain_is_gone(c);
	}
	relay_continue(w, c);
}
