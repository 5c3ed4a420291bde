/*
 * early.c - a connection up to its greeting, in the accepting parent
 *
 * Handshakes are tls-serve's work, and a greeting is the same for all: no
 * process is needed until the client says something, which many that only
 * look who is there never do. Of what a stranger sends the parent sees
 * nothing; the preface it looks at is tls-serve's.
 */
#include "front/front.h"

#include <sys/socket.h>
#include <unistd.h>

#include "front/internal.h"
#include "tlsreq/tlsreq.h"

enum stage { BEGIN, ASKED, GREETED, ENDING };

/* For tls-serve to write last words. */
#define ENDING_MS 2000

#define GREETED_MARK 'G'	/* first in the data; the preface follows */

_Static_assert(SERVER_EARLY_DATA > PREFACE_MAX, "a preface fits in");

/* Have tls-serve begin; what stands in the way is the child's matter. */
static enum front_early
ask(const struct front_options *o, struct server_early *e,
    const struct bytes greetings[TLSREQ_GREETINGS])
{
	struct tlsreq req = { .listener = o->listener, .implicit = true,
	    .client_cert = o->client_cert };
	struct buf b = BUF_INIT(TLSREQ_MAX);
	int ctl = tlsreq_open(o->tls_path, deadline_in(0)), r = -1;

	front_alpn(o, &req);
	memcpy(req.greeting, greetings, sizeof(req.greeting));
	if (ctl != -1 && tlsreq_format(&b, &req) == 0)
		r = os_send_fds(ctl, buf_bytes(&b), &e->fd, 1);
	buf_free(&b);
	if (r == -1) {
		if (ctl != -1)
			(void)close(ctl);	/* nothing was asked */
		return FRONT_EARLY_SERVE;
	}
	e->other_fd = e->wait_fd = ctl;
	e->deadline = deadline_in(o->timeout_ms + o->login_ms);
	e->stage = ASKED;
	return FRONT_EARLY_WAIT;
}

static enum front_early
fail(const struct front *f, const char *why)
{
	front_log_failure(f, "tls-failed", why);
	return FRONT_EARLY_CLOSE;
}

/* tls-serve has answered, or ended. */
static enum front_early
answered(struct front *f, struct server_early *e)
{
	unsigned char text[TLSREQ_REPLY_MAX];
	char reason[TLSREQ_REASON_MAX];
	enum tlsreq_status status;
	struct bytes preface;
	size_t n = 0, size;
	int fds[OS_FDS_MAX];
	ssize_t got;

	if (e->expired) {
		e->stage = ENDING;
		e->deadline = deadline_in(ENDING_MS);
		return FRONT_EARLY_EXPIRED;
	}
	got = os_recv_fds(e->other_fd, text, sizeof(text), fds, &n, 0);
	(void)close(e->other_fd);	/* one request each */
	e->other_fd = -1;
	if (got <= 0)
		return fail(f, "tls-serve-unavailable");
	while (n > 1)
		(void)close(fds[--n]);	/* one is expected */
	if (n == 1) {		/* in place of the network's */
		(void)close(e->fd);	/* tls-serve has it */
		e->fd = fds[0];
	}
	/* It is sent as one piece. */
	if (tlsreq_parse_reply(bytes_of(text, (size_t)got), &status, &preface,
	    &size) != 1)
		return fail(f, "malformed-reply");
	if (status == TLSREQ_GONE)
		return FRONT_EARLY_CLOSE;
	if (status != TLSREQ_DONE) {
		preface = bytes_first(preface, sizeof(reason) - 1);
		memcpy(reason, preface.p, preface.n);
		reason[preface.n] = '\0';
		return fail(f, reason);
	}
	if (n == 0 || preface.n >= sizeof(e->data))
		return fail(f, "malformed-reply");
	e->data[0] = GREETED_MARK;
	memcpy(e->data + 1, preface.p, preface.n);
	e->n = preface.n + 1;
	return FRONT_EARLY_SERVE;
}

/* The client has said something, or gone. */
static enum front_early
spoken(struct server_early *e)
{
	if (e->expired)
		return FRONT_EARLY_EXPIRED;
	/* it is readable: by bytes, or by its end */
	return os_unread(e->fd) > 0 ? FRONT_EARLY_SERVE : FRONT_EARLY_CLOSE;
}

/* In clear: the greeting at once. */
static enum front_early
greet(const struct front_options *o, struct server_early *e)
{
	e->data[0] = GREETED_MARK;
	e->n = 1;
	e->wait_fd = e->fd;
	e->deadline = deadline_in(o->login_ms);
	e->stage = GREETED;
	return FRONT_EARLY_GREET;
}

enum front_early
front_early(struct front *f, struct server_early *e,
    const struct bytes greetings[TLSREQ_GREETINGS])
{
	switch ((enum stage)e->stage) {
	case BEGIN:
		if (f->o->proxied || !f->conn->is_socket)
			return FRONT_EARLY_SERVE;
		return f->o->implicit ? ask(f->o, e, greetings)
		    : greet(f->o, e);
	case ASKED:
		return answered(f, e);
	case ENDING:
		/* A descriptor that tls-serve has not taken yet would keep
		 * the connection open. */
		(void)shutdown(e->fd, SHUT_RDWR);
		return FRONT_EARLY_CLOSE;
	case GREETED:
		break;
	}
	return spoken(e);
}

bool
front_early_ends(const struct server_early *e)
{
	return e->stage == ENDING;
}

bool
front_greeted(const struct front *f)
{
	/* with a client's key tls-serve left it to us */
	return f->conn->early.n > 0 &&
	    f->preface.client_key.n != PREFACE_HASH;
}

int
front_resume(struct front *f)
{
	struct bytes preface = bytes_from(f->conn->early, 1);

	if (preface.n == 0)
		return 0;
	if (front_take_preface(f, preface) == -1)
		return -1;
	front_log_secured(f);
	return 0;
}
