/*
 * early.c - clients that have no process yet: what they are greeted with
 */
#include <sys/socket.h>

#include "imap_login.h"

/* A new connection has room for a line or two. */
static void
tell(int fd, struct bytes text)
{
	(void)send(fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
add_greeting(const struct imap_login_options *o, struct buf *out)
{
	struct imap_login *machine = imap_login_new(o);

	buf_add(out, buf_bytes(imap_login_output(machine)));
	imap_login_free(machine);
}

/* The greetings, where they may have changed. */
static void
make_greetings(struct program *p)
{
	struct imap_login_options o = { .tls = true, .plain_login = true };
	int i;

	if (!front_mechanisms_look(&p->mechanisms, p->auth_path))
		return;
	for (i = 0; i < TLSREQ_GREETINGS; i++) {
		o.mechanisms = p->mechanisms.list[i];
		buf_free(&p->greeting[i]);
		p->greeting[i] = BUF_INIT(TLSREQ_GREETING_MAX);
		add_greeting(&o, &p->greeting[i]);
	}
	for (i = 0; i < 4; i++) {
		o = (struct imap_login_options){ .plain_login = (i & 1) != 0,
		    .starttls = (i & 2) != 0,
		    .mechanisms = p->mechanisms.list[0] };
		buf_free(&p->clear[i]);
		p->clear[i] = BUF_INIT(TLSREQ_GREETING_MAX);
		add_greeting(&o, &p->clear[i]);
	}
}

/* In clear. */
static void
greet(struct program *p, struct front *f, int fd)
{
	bool plain = plain_allowed(p->config, f->conn);

	if (f->conn->remote.family != 0)
		(void)os_nodelay(fd);	/* slower without, no more */
	tell(fd, buf_bytes(&p->clear[(plain ? 1 : 0) +
	    (front_offers_tls(f) ? 2 : 0)]));
}

enum server_next
early_hook(struct server_early *e, struct server_conn *conn, void *ctx)
{
	struct program *p = ctx;
	struct bytes greetings[TLSREQ_GREETINGS];
	enum server_next next = SERVER_CLOSE;
	struct front f;
	int i;

	make_greetings(p);
	for (i = 0; i < TLSREQ_GREETINGS; i++)
		greetings[i] = buf_bytes(&p->greeting[i]);
	front_init(&f, &p->front, conn);
	switch (front_early(&f, e, greetings)) {
	case FRONT_EARLY_GREET:
		greet(p, &f, e->fd);
		next = SERVER_WAIT;
		break;
	case FRONT_EARLY_WAIT:
		next = SERVER_WAIT;
		break;
	case FRONT_EARLY_SERVE:
		next = SERVER_SERVE;
		break;
	case FRONT_EARLY_EXPIRED:
		tell(e->wait_fd, BYTES("* BYE time-out\r\n"));
		if (front_early_ends(e))
			next = SERVER_WAIT;
		break;
	case FRONT_EARLY_CLOSE:
		break;
	}
	front_free(&f);
	return next;
}
