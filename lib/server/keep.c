/* keep.c - children that serve one connection after the other */
#include "server/internal.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define ID_SIZE 8
#define IDLE_MS 5000
#define LEASHES 32		/* looked at in one turn */

/* ---- the child's end ---- */

/* False: there is no other. */
static bool
next_conn(int leash, struct server_conn *conn)
{
	unsigned char id[ID_SIZE];
	size_t nfds = 1;
	int fd;

	if (send(leash, "", 1, MSG_NOSIGNAL) != 1)
		return false;	/* the parent wants us no more */
	if (os_recv_fds(leash, id, sizeof(id), &fd, &nfds,
	    DEADLINE_NONE) != ID_SIZE || nfds != 1)
		return false;
	*conn = (struct server_conn){ .is_socket = true,
	    .id = be64_get(id), .in = fd, .out = fd };
	return true;
}

int
keep_serve(const struct server *s, struct server_conn *conn, int leash)
{
	unsigned int n = 0;
	int code;

	do {
		code = s->serve(conn, s->ctx);
		(void)close(conn->in);	/* what it was told was written */
	} while (code == EXIT_YES && ++n < s->keep && next_conn(leash, conn));
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

static int
give(int leash, int fd, uint64_t id)
{
	unsigned char data[ID_SIZE];

	be64_put(data, id);
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
	l->nidle -= c->idle ? 1 : 0;
	c->idle = false;
}

void
keep_none(struct listener *l)
{
	size_t i;

	for (i = 0; i < l->nchildren; i++)
		keep_no_more(l, &l->children[i]);
}

void
child_add(struct listener *l, pid_t pid, uint64_t ticket, int leash)
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
	    .ticket = ticket, .leash = leash };
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
		if (r == -1 || c->idle) {
			keep_no_more(l, c);
			continue;
		}
		limiter_remove(l->limiter, c->ticket);
		c->ticket = 0;
		c->idle = true;
		c->idle_until = deadline_in(IDLE_MS);
		l->nidle++;
	}
}

void
keep_expire(struct listener *l)
{
	size_t i;

	for (i = 0; i < l->nchildren; i++) {
		if (l->children[i].idle &&
		    deadline_left(l->children[i].idle_until) == 0)
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
		if (!c->idle)
			continue;
		if (give(c->leash, fd, conn->id) == -1) {
			keep_no_more(l, c);
			continue;
		}
		c->idle = false;
		c->ticket = conn->limit_ticket;
		l->nidle--;
		return true;
	}
	return false;
}
