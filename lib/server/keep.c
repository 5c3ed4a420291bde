/* keep.c - children that serve one connection after the other */
#include "server/internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define LEASHES 32		/* looked at in one turn */

/* ---- a connection as it is told ---- */

/* Family, address, port. */
#define END_SIZE (1 + 16 + 2)
#define CONN_SIZE (8 + 2 * END_SIZE)

static void
put_end(unsigned char *p, const struct ip *ip, int port)
{
	p[0] = ip->family == AF_INET ? 4 : ip->family == AF_INET6 ? 6 : 0;
	memcpy(p + 1, ip->a, sizeof(ip->a));
	p[17] = (unsigned char)(port >> 8);
	p[18] = (unsigned char)(port & 0xff);
}

static void
get_end(const unsigned char *p, struct ip *ip, int *port)
{
	ip->family = p[0] == 4 ? AF_INET : p[0] == 6 ? AF_INET6 : 0;
	memcpy(ip->a, p + 1, sizeof(ip->a));
	*port = p[17] << 8 | p[18];
}

/* ---- the child's end ---- */

/* False: there is no other. */
static bool
next_conn(int leash, struct server_conn *conn)
{
	unsigned char data[CONN_SIZE];
	size_t nfds = 1;
	int fd;

	if (send(leash, "", 1, MSG_NOSIGNAL) != 1)
		return false;	/* the parent wants us no more */
	if (os_recv_fds(leash, data, sizeof(data), &fd, &nfds,
	    DEADLINE_NONE) != CONN_SIZE || nfds != 1)
		return false;
	*conn = (struct server_conn){ .is_socket = true,
	    .id = be64_get(data), .in = fd, .out = fd };
	get_end(data + 8, &conn->remote, &conn->remote_port);
	get_end(data + 8 + END_SIZE, &conn->local, &conn->local_port);
	return true;
}

int
keep_serve(const struct server *s, struct server_conn *conn, int leash)
{
	unsigned int most = conn->remote.family == 0 ? s->keep
	    : s->keep_address, n = 0;
	int code;

	do {
		code = s->serve(conn, s->ctx);
		(void)close(conn->in);	/* what it was told was written */
	} while (code == EXIT_YES && !conn->last && ++n < most &&
	    next_conn(leash, conn));
	return code;
}

void
keep_forked(const struct listener *l)
{
	size_t i;

	for (i = 0; i < l->nchildren; i++) {
		if (l->children[i].leash != -1)
			(void)close(l->children[i].leash);
	}
	(void)close(l->leashes);	/* neither is ours */
}

/* ---- the parent's ---- */

int
keep_new(const struct server *s)
{
	return s->early == NULL && (s->keep > 1 || s->keep_address > 1 ||
	    s->places) ? os_events_new() : -1;
}

/* A link's addresses are others on the next one (RFC 4007 6). */
static bool
is_link_local(const struct ip *ip)
{
	return ip->family == AF_INET6 && ip->a[0] == 0xfe &&
	    (ip->a[1] & 0xc0) == 0x80;
}

bool
keep_may(const struct listener *l, const struct server_conn *conn)
{
	if (l->leashes == -1)
		return false;
	if (conn->remote.family == 0)
		return l->s->keep > 1 || l->s->places;
	return l->s->keep_address > 1 && !is_link_local(&conn->remote);
}

static int
give(int leash, int fd, const struct server_conn *conn)
{
	unsigned char data[CONN_SIZE];

	be64_put(data, conn->id);
	put_end(data + 8, &conn->remote, conn->remote_port);
	put_end(data + 8 + END_SIZE, &conn->local, conn->local_port);
	return os_send_fds(leash, bytes_of(data, sizeof(data)), &fd, 1);
}

/* It says that it is (1), or something is wrong with it (-1); 0 nothing. */
static int
is_idle(int leash)
{
	char c;
	ssize_t n = recv(leash, &c, 1, MSG_DONTWAIT);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n == 1 ? 1 : -1;
}

void
keep_no_more(struct listener *l, struct child *c)
{
	if (c->leash == -1)
		return;
	(void)os_events_remove(l->leashes, c->leash);	/* it was added */
	(void)close(c->leash);		/* it reads the end of file */
	c->leash = -1;
	if (c->idle && c->address.family != 0)
		(void)kill(c->pid, SIGKILL);	/* not reaped: it is ours */
	l->nidle -= c->idle ? 1 : 0;
	c->idle = false;
}

void
keep_end_oldest(struct listener *l)
{
	struct child *oldest = NULL, *c;
	size_t i;

	for (i = 0; i < l->nchildren; i++) {
		c = &l->children[i];
		if (c->idle && (oldest == NULL ||
		    c->idle_until < oldest->idle_until))
			oldest = c;
	}
	if (oldest != NULL)
		keep_no_more(l, oldest);
}

void
keep_none(struct listener *l)
{
	size_t i;

	for (i = 0; i < l->nchildren; i++)
		keep_no_more(l, &l->children[i]);
}

void
child_add(struct listener *l, pid_t pid, const struct server_conn *conn,
    int leash)
{
	void *which = (void *)(intptr_t)pid;

	if (l->nchildren == l->size) {
		l->size = l->size == 0 ? 64 : l->size * 2;
		l->children = mem_realloc(l->children,
		    l->size * sizeof(*l->children));
	}
	if (leash != -1 && os_events_add(l->leashes, leash, OS_EVENT_READ,
	    which) == -1) {
		(void)close(leash);	/* it serves one connection */
		leash = -1;
	}
	l->children[l->nchildren++] = (struct child){ .pid = pid,
	    .ticket = conn->limit_ticket, .leash = leash,
	    .address = conn->remote, .served = 1 };
}

struct child *
child_find(struct listener *l, pid_t pid)
{
	size_t i;

	for (i = 0; i < l->nchildren; i++) {
		if (l->children[i].pid == pid)
			return &l->children[i];
	}
	return NULL;
}

/* Its connection has ended. */
static void
become_idle(struct listener *l, struct child *c)
{
	limiter_remove(l->limiter, c->ticket);
	c->ticket = 0;
	c->idle = true;
	c->idle_until = deadline_in(SERVER_IDLE_MS);
	l->nidle++;
	if (c->address.family == 0)
		return;
	if (c->served >= l->s->keep_address)
		keep_no_more(l, c);	/* it knew that */
	else if (l->nidle > SERVER_IDLE_MAX)
		keep_end_oldest(l);
}

void
keep_look(struct listener *l)
{
	struct os_event events[LEASHES];
	int n = os_events_wait(l->leashes, events, LEASHES, 0, NULL);
	struct child *c;
	int i, r;

	for (i = 0; i < n; i++) {
		c = child_find(l, (pid_t)(intptr_t)events[i].ctx);
		if (c != NULL && l->s->places) {
			places_answer(l, c);
			continue;
		}
		if (c == NULL || (r = is_idle(c->leash)) == 0)
			continue;
		if (r == -1 || c->idle)
			keep_no_more(l, c);
		else
			become_idle(l, c);
	}
}

void
keep_expire(struct listener *l)
{
	int64_t now = time_mono_ms();
	size_t i;

	for (i = 0; i < l->nchildren; i++) {
		if (l->children[i].idle && l->children[i].idle_until <= now)
			keep_no_more(l, &l->children[i]);
	}
}

/* The first ones get most, so that those there are too many of end. */
bool
keep_give(struct listener *l, int fd, const struct server_conn *conn)
{
	struct child *c;
	size_t i;

	for (i = 0; i < l->nchildren && l->nidle > 0; i++) {
		c = &l->children[i];
		if (!c->idle || !ip_eq(&c->address, &conn->remote))
			continue;
		if (give(c->leash, fd, conn) == -1) {
			keep_no_more(l, c);
			continue;
		}
		c->idle = false;
		c->served++;
		c->ticket = conn->limit_ticket;
		l->nidle--;
		return true;
	}
	return false;
}
