/*
 * rest.c - a connection from imap-serve, and back
 *
 * It belongs to one process at any time. Here: from imap-serve's "g", which
 * answers our "y", until the "y" of the imap-serve it goes back to. What was
 * not said was not done: a link that ends before leaves it where it was. No
 * byte of the client is ever read here, so none can be lost on the way.
 */
#include "imap_idle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"

/* An imap-serve that does not finish its offer by then. */
#define OFFER_MS 30000
/* imap-serve took one not back: try again. */
#define AGAIN_MS 100
#define WHY_AT 8		/* in the message */
#define BYE "* BYE [UNAVAILABLE] server is shutting down\r\n"
#define LOST "* BYE [UNAVAILABLE] please connect again\r\n"

static void
close_link(struct idle *p, struct rest *r)
{
	if (r->link == -1)
		return;
	(void)os_events_remove(p->events, r->link);	/* it is in it */
	(void)close(r->link);		/* said what it had to */
	r->link = -1;
}

static void
forget(struct idle *p, struct rest *r)
{
	p->offers -= r->phase == ARRIVING || r->phase == OFFERED;
	p->held -= r->phase != ARRIVING;
	p->returns -= r->phase == RETURNING;
	close_link(p, r);
	if (r->phase == RESTING)
		(void)os_events_remove(p->events, r->client);	/* it is */
	if (r->client != -1)
		(void)close(r->client);		/* nothing was written */
	place_leave(p, r);
	limiter_remove(p->addresses, r->ticket);
	buf_free(&r->in);
	free(r->text);
	p->rests[r->at] = p->rests[--p->n];
	p->rests[r->at]->at = r->at;
	free(r);
}

/* One that does not read it is not waited for. */
static void
say_bye(const struct rest *r, const char *text)
{
	if (write(r->client, text, strlen(text)) == -1)
		errno = 0;
}

/* ---- coming ---- */

void
rest_begin(struct idle *p, int link)
{
	struct rest *r;

	if (p->offers >= OFFERS_MAX) {
		(void)close(link);	/* it stays where it is */
		return;
	}
	r = mem_zalloc(1, sizeof(*r));
	r->client = -1;
	r->link = link;
	r->link_source = (struct source){ SOURCE_LINK, r };
	r->client_source = (struct source){ SOURCE_CLIENT, r };
	r->in = BUF_INIT(IMAP_REST_MAX);
	r->deadline = deadline_in(OFFER_MS);
	if (os_events_add(p->events, link, OS_EVENT_READ, &r->link_source)
	    == -1) {
		(void)close(link);
		free(r);
		return;
	}
	if (p->n == p->size) {
		p->size = p->size == 0 ? 64 : 2 * p->size;
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): of pointers */
		p->rests = mem_realloc(p->rests,
		    p->size * sizeof(*p->rests));
	}
	r->at = p->n;
	p->rests[p->n++] = r;
	p->offers++;
}

/* Bytes and descriptor of the message. False: there is no more to come. */
static bool
receive(struct rest *r)
{
	unsigned char text[4096];
	int fds[OS_FDS_MAX];
	size_t i, n = 0;
	ssize_t got = os_recv_fds(r->link, text, sizeof(text), fds, &n,
	    deadline_in(0));

	if (got == -1)
		return errno == ETIMEDOUT || errno == EAGAIN;
	for (i = 0; i < n; i++) {
		if (i == 0 && r->client == -1)
			r->client = fds[0];
		else
			(void)close(fds[i]);	/* not asked for */
	}
	return got > 0 && buf_add(&r->in, bytes_of(text, (size_t)got)) == 0;
}

/* Addresses are counted as long as they rest, whatever the time is. */
static bool
count_address(struct idle *p, struct rest *r, struct bytes remote_ip)
{
	struct ip ip;

	return ip_parse(remote_ip, &ip) == -1 ||
	    limiter_add(p->addresses, &ip, 0, &r->ticket);
}

/* The message is whole: yes if there is room, a descriptor and a place. */
static bool
accept_offer(struct idle *p, struct rest *r)
{
	struct arena a = ARENA_INIT;
	struct imap_rest m;
	bool ok;

	ok = imap_rest_parse(buf_bytes(&r->in), &m) == 0 &&
	    r->client != -1 && p->held < p->max &&
	    place_join(p, r, arena_str(&a, m.account), m.folder) &&
	    r->account->count <= p->each && count_address(p, r, m.remote_ip);
	arena_free(&a);
	if (!ok || write(r->link, "y", 1) != 1)
		return false;
	r->text = mem_alloc(r->in.n);
	r->text_size = r->in.n;
	memcpy(r->text, r->in.p, r->in.n);
	buf_free(&r->in);
	r->phase = OFFERED;
	p->held++;
	return true;
}

/* It is ours. */
static void
begin_rest(struct idle *p, struct rest *r)
{
	struct imap_rest m;

	close_link(p, r);
	p->offers--;
	r->phase = RESTING;
	if (imap_rest_parse(bytes_of(r->text, r->text_size), &m) == -1 ||
	    os_events_add(p->events, r->client, OS_EVENT_READ,
	    &r->client_source) == -1) {
		msg_warnsys("cannot wait for a client");
		r->phase = DUE;		/* in no set of events */
		forget(p, r);
		return;
	}
	r->deadline = deadline_in((int64_t)m.seconds * 1000);
	if (r->changed)
		rest_due(p, r, IMAP_REST_CHANGED);
}

/* ---- going ---- */

static void
enqueue(struct queue *q, struct rest *r)
{
	r->phase = DUE;
	r->next_due = NULL;
	*q->end = r;
	q->end = &r->next_due;
}

static struct rest *
dequeue(struct queue *q)
{
	struct rest *r = q->first;

	if ((q->first = r->next_due) == NULL)
		q->end = &q->first;
	return r;
}

static void
leave_rest(struct idle *p, struct rest *r, int why, struct queue *q)
{
	(void)os_events_remove(p->events, r->client);	/* it is in it */
	r->text[WHY_AT] = (unsigned char)why;
	enqueue(q, r);
}

void
rest_due(struct idle *p, struct rest *r, int why)
{
	r->changed = true;
	if (r->phase == RESTING)	/* else not ours yet, or on its way */
		leave_rest(p, r, why, &p->told);
}

void
rest_spoken(struct idle *p, struct rest *r)
{
	leave_rest(p, r, IMAP_REST_CHANGED, &p->spoken);
}

int
rest_wait_ms(const struct idle *p)
{
	int again, told;

	if ((p->spoken.first == NULL && p->told.first == NULL) ||
	    p->returns >= RETURNS_MAX)
		return -1;
	again = deadline_left(p->again);
	told = p->spoken.first != NULL || p->told_left > 0 ? 0
	    : deadline_left(p->told_until);
	return told > again ? told : again;
}

/* From a queue to imap-serve. 0, or -1: it takes none now. */
static int
send_back(struct idle *p, struct rest *r)
{
	int link = os_connect_unix(p->imap_path, deadline_in(0));

	if (link == -1)
		return -1;
	if (os_send_fds(link, bytes_of(r->text, r->text_size), &r->client, 1)
	    == -1 || os_events_add(p->events, link, OS_EVENT_READ,
	    &r->link_source) == -1) {
		(void)close(link);	/* it ends there: not taken */
		return -1;
	}
	r->link = link;
	r->phase = RETURNING;
	p->returns++;
	return 0;
}

/* It goes into a queue again by rest_late. */
static void
put_off(struct rest *r)
{
	r->phase = LATER;
	r->deadline = r->account->later;
}

void
rest_return(struct idle *p)
{
	struct queue *q;

	while (rest_wait_ms(p) == 0) {
		q = p->spoken.first != NULL ? &p->spoken : &p->told;
		if (deadline_left(q->first->account->later) > 0) {
			put_off(dequeue(q));
			continue;
		}
		if (q == &p->told && deadline_left(p->told_until) == 0) {
			p->told_left = TOLD_MAX;
			p->told_until = deadline_in(TOLD_MS);
		}
		if (send_back(p, q->first) == -1) {
			p->again = deadline_in(AGAIN_MS);
			continue;
		}
		(void)dequeue(q);	/* what was just sent */
		if (q == &p->told)
			p->told_left--;
	}
}

/* A process was there for it, and ended without a yes. */
static void
not_taken(struct idle *p, struct rest *r)
{
	close_link(p, r);
	p->again = deadline_in(AGAIN_MS);
	if (++r->tries < TRIES_MAX) {
		p->returns--;
		enqueue(&p->told, r);
		return;
	}
	say_bye(r, LOST);
	forget(p, r);
}

/* The answer to what was sent back; none: it is to be sent again. */
static void
answer(struct idle *p, struct rest *r)
{
	char c;
	ssize_t n = read(r->link, &c, 1);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 1 && c == 'y') {
		forget(p, r);
		return;
	}
	if (n == 1 && c == 'l') {
		close_link(p, r);
		p->returns--;
		r->account->later = deadline_in(LATER_MS);
		put_off(r);
		return;
	}
	not_taken(p, r);
}

/* ---- both ---- */

void
rest_link(struct idle *p, struct rest *r)
{
	size_t need;
	char c;

	if (r->phase == RETURNING) {
		answer(p, r);
		return;
	}
	if (r->phase == OFFERED) {
		ssize_t n = read(r->link, &c, 1);

		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n == 1 && c == 'g')
			begin_rest(p, r);
		else
			forget(p, r);
		return;
	}
	if (!receive(r) || imap_rest_length(buf_bytes(&r->in), &need) == -1)
		forget(p, r);
	else if (need > 8 && r->in.n >= need && !accept_offer(p, r))
		forget(p, r);
}

void
rest_late(struct idle *p)
{
	size_t i = 0;

	while (i < p->n) {
		struct rest *r = p->rests[i];

		if (deadline_left(r->deadline) == 0 && r->phase == RESTING)
			rest_due(p, r, IMAP_REST_LATE);
		if (deadline_left(r->deadline) == 0 && r->phase == LATER)
			enqueue(&p->told, r);
		if (deadline_left(r->deadline) == 0 && (r->phase == ARRIVING
		    || r->phase == OFFERED))
			forget(p, r);	/* another is at i now */
		else
			i++;
	}
}

void
rest_end(struct idle *p)
{
	while (p->n > 0) {
		struct rest *r = p->rests[p->n - 1];

		if (r->phase == RESTING || r->phase == DUE ||
		    r->phase == LATER)
			say_bye(r, BYE);
		forget(p, r);
	}
}
