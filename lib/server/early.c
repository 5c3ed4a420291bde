/*
 * early.c - connections that have no process yet
 *
 * The parent keeps what it knows of them in memory that children do not
 * get, and a child closes all descriptors but its own before it does
 * anything else: whoever takes over a child has one connection.
 */
#include "server/internal.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENTS_MAX 64

struct slot {
	struct server_early e;
	struct server_conn conn;
	int in_set;		/* the descriptor waited for, or -1 */
	struct slot *prev, *next;	/* in use; next: also of free ones */
};

struct early {
	struct server *s;
	int events;
	struct slot *slots;	/* not shared with children */
	struct slot *first, *free;
	size_t used;
};

/* One descriptor more for each connection, and one for who is asked. */
static void
raise_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == -1)
		return;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);	/* fewer connections then */
}

struct early *
early_new(struct server *s)
{
	struct early *es;
	size_t i;

	if (s->early == NULL)
		return NULL;
	es = mem_zalloc(1, sizeof(*es));
	es->s = s;
	es->events = os_events_new();
	if (es->events == -1) {
		free(es);
		return NULL;	/* each gets its process at once then */
	}
	raise_files();
	es->slots = os_alloc_unshared(SERVER_EARLY_CONNS * sizeof(*es->slots));
	for (i = SERVER_EARLY_CONNS; i > 0; i--) {
		es->slots[i - 1].next = es->free;
		es->free = &es->slots[i - 1];
	}
	return es;
}

int
early_fd(const struct early *es)
{
	return es == NULL ? -1 : es->events;
}

size_t
early_count(const struct early *es)
{
	return es == NULL ? 0 : es->used;
}

static struct slot *
slot_take(struct early *es)
{
	struct slot *s = es->free;

	if (s == NULL)
		return NULL;
	es->free = s->next;
	s->prev = NULL;
	s->next = es->first;
	if (es->first != NULL)
		es->first->prev = s;
	es->first = s;
	es->used++;
	s->in_set = -1;
	return s;
}

static void
slot_free(struct early *es, struct slot *s)
{
	secret_wipe(s->e.data, s->e.n);
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		es->first = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	s->next = es->free;
	es->free = s;
	es->used--;
}

/* Taken out by hand: while a new child has a copy of a descriptor, closing
 * ours does not do it. */
static void
unwait(struct early *es, struct slot *s)
{
	if (s->in_set != -1)
		(void)os_events_remove(es->events, s->in_set);	/* is there */
	s->in_set = -1;
}

static int
wait_for(struct early *es, struct slot *s)
{
	if (s->in_set == s->e.wait_fd)
		return 0;
	unwait(es, s);
	if (os_events_add(es->events, s->e.wait_fd, OS_EVENT_READ, s) == -1)
		return -1;
	s->in_set = s->e.wait_fd;
	return 0;
}

static void
close_extra(struct slot *s)
{
	if (s->e.other_fd != -1)
		(void)close(s->e.other_fd);	/* a socket, asked on */
	s->e.other_fd = -1;
}

/* Do what the hook wants next. */
static void
step(struct early *es, struct slot *s, early_serve *serve, early_gone *gone,
    void *ctx)
{
	int waiting = s->in_set;
	enum server_next next;

	/* The hook may close what is waited for. */
	if (s->e.stage > 0 && waiting == s->e.other_fd)
		unwait(es, s);
	next = es->s->early(&s->e, &s->conn, es->s->ctx);
	if (next == SERVER_WAIT) {
		if (wait_for(es, s) == 0)
			return;
		next = SERVER_CLOSE;
	}
	unwait(es, s);
	close_extra(s);
	if (next == SERVER_SERVE)
		serve(ctx, s->e.fd, &s->conn, bytes_of(s->e.data, s->e.n));
	else
		gone(ctx, &s->conn);
	(void)close(s->e.fd);	/* the child has it, or nobody wants it */
	slot_free(es, s);
}

bool
early_begin(struct early *es, int fd, const struct server_conn *conn,
    early_serve *serve, early_gone *gone, void *ctx)
{
	struct slot *s = es == NULL ? NULL : slot_take(es);

	if (s == NULL)
		return false;
	s->conn = *conn;
	/* The data need not be zero. */
	memset(&s->e, 0, offsetof(struct server_early, data));
	s->e.fd = fd;
	s->e.other_fd = -1;
	s->e.deadline = DEADLINE_NONE;
	step(es, s, serve, gone, ctx);
	return true;
}

void
early_turn(struct early *es, early_serve *serve, early_gone *gone, void *ctx)
{
	struct os_event events[EVENTS_MAX];
	int i, n = os_events_wait(es->events, events, EVENTS_MAX, 0, NULL);

	/* A step ends its own connection only, which is here once. */
	for (i = 0; i < n; i++)
		step(es, events[i].ctx, serve, gone, ctx);
}

void
early_expire(struct early *es, early_serve *serve, early_gone *gone,
    void *ctx)
{
	struct slot *s, *next;

	for (s = es->first; s != NULL; s = next) {
		next = s->next;
		if (deadline_left(s->e.deadline) != 0)
			continue;
		s->e.expired = true;
		step(es, s, serve, gone, ctx);
	}
}

void
early_free(struct early *es)
{
	if (es == NULL)
		return;
	while (es->first != NULL) {
		unwait(es, es->first);
		close_extra(es->first);
		(void)close(es->first->e.fd);	/* the server ends */
		slot_free(es, es->first);
	}
	os_free_unshared(es->slots, SERVER_EARLY_CONNS * sizeof(*es->slots));
	(void)close(es->events);	/* nothing in it */
	free(es);
}
