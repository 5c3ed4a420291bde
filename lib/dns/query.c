/*
 * query.c - the look-ups in flight, one poll(2) loop for all
 *
 * Each try has a socket of its own, connected, so that the kernel gives it a
 * random port, drops what comes from elsewhere and reports an absent server
 * at once; and a random id of its own. A query is in d->active exactly while
 * it has a descriptor.
 *
 * Tries at a server on a loopback address, as most resolvers of mail servers
 * are, have one socket together: nobody but the server can send from there,
 * so there is nobody to guess ports. Answers are told apart by id and question.
 */
#include "dns/internal.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/os.h"

enum {
	/* Length, header, name, type and class, OPT: */
	QUERY_MAX = 2 + 12 + 255 + 4 + 11,
	STRAY_MAX = 64,		/* datagrams looked at before the next poll */
};

enum state {
	UDP,			/* waiting for a datagram */
	TCP_SEND,		/* connecting, and writing the query */
	TCP_LENGTH,
	TCP_BODY,
};

struct dns_query {
	struct dns_query *next;		/* of d->active */
	struct arena *arena;
	enum dns_type type;
	struct bytes name;		/* asked for now: aliases followed */
	struct dns_answer answer;	/* so far: why the last try failed */
	bool done;
	bool authentic;			/* all aliases up to here */
	unsigned int aliases;
	int64_t deadline;

	unsigned int tries;		/* next one; its server follows */
	unsigned int gave_up;		/* bit set: not to be asked again */
	bool edns;

	int fd;				/* may be d->local_fd */
	enum state state;
	unsigned int server;
	unsigned int id;
	int64_t try_deadline;
	unsigned char out[QUERY_MAX];	/* the query, behind its length */
	size_t out_n, out_sent;
	unsigned char length[2];
	unsigned char *in;		/* TCP: what is being filled */
	size_t in_n, in_got;
};

static void begin(struct dns *d, struct dns_query *q);
static void next_try(struct dns *d, struct dns_query *q);

/* ---- sockets ---- */

static void
drop_socket(struct dns *d, struct dns_query *q)
{
	struct dns_query **at = &d->active;

	if (q->fd == -1)
		return;
	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	d->nactive--;
	if (q->fd != d->local_fd)
		(void)close(q->fd);	/* nothing was written that is lost */
	q->fd = -1;
}

void
dns_close(struct dns *d)
{
	if (d->local_fd != -1)
		(void)close(d->local_fd);	/* as above */
	d->local_fd = -1;
}

static int64_t
soonest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A socket connected (or on its way) to the server; -1. */
static int
connect_to(const struct dns_server *server, int kind)
{
	struct sockaddr_storage sa;
	size_t n = ip_to_sockaddr(&server->ip, server->port, &sa);
	int fd = socket(server->ip.family,
	    kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sa, (socklen_t)n) == -1 &&
	    errno != EINPROGRESS) {
		(void)close(fd);	/* of no use */
		return -1;
	}
	return fd;
}

/* One for the server of the try, which is active from now on. 0 or -1. */
static int
open_socket(struct dns *d, struct dns_query *q, int kind)
{
	const struct dns_server *server = &d->servers[q->server];
	bool local = kind == SOCK_DGRAM && ip_is_loopback(&server->ip);

	assert(q->fd == -1);
	if (local && d->local_fd != -1 && d->local_server == q->server)
		q->fd = d->local_fd;
	else if ((q->fd = connect_to(server, kind)) == -1)
		return -1;
	if (local && d->local_fd == -1) {
		d->local_fd = q->fd;
		d->local_server = q->server;
	}
	q->next = d->active;
	d->active = q;
	d->nactive++;
	q->try_deadline = soonest(q->deadline, deadline_in(d->try_ms));
	return 0;
}

/* Write the query with a new id into q->out. */
static void
make_query(struct dns_query *q)
{
	struct buf b = BUF_INIT(QUERY_MAX - 2);
	unsigned char id[2];

	os_random(id, sizeof(id));
	q->id = (unsigned int)id[0] << 8 | id[1];
	/* The name was found valid: it fits. */
	if (dns_format_query(&b, q->id, q->type, q->name, q->edns) == -1)
		assert(0);
	q->out[0] = (unsigned char)(b.n >> 8 & 0xff);
	q->out[1] = (unsigned char)(b.n & 0xff);
	memcpy(q->out + 2, b.p, b.n);
	q->out_n = b.n + 2;
	q->out_sent = 0;
	buf_free(&b);
}

static int
send_udp(const struct dns *d, const struct dns_query *q)
{
	struct bytes s = bytes_of(q->out + 2, q->out_n - 2);
	ssize_t n = send(q->fd, s.p, s.n, MSG_NOSIGNAL);

	/* The error may be that of an earlier query, and is gone now. */
	if (n == -1 && q->fd == d->local_fd)
		n = send(q->fd, s.p, s.n, MSG_NOSIGNAL);
	return n == -1 ? -1 : 0;
}

static int
start_udp(struct dns *d, struct dns_query *q)
{
	make_query(q);
	if (open_socket(d, q, SOCK_DGRAM) == -1)
		return -1;
	q->state = UDP;
	if (send_udp(d, q) == -1) {
		drop_socket(d, q);
		return -1;
	}
	return 0;
}

static int
start_tcp(struct dns *d, struct dns_query *q)
{
	drop_socket(d, q);
	make_query(q);
	if (open_socket(d, q, SOCK_STREAM) == -1)
		return -1;
	q->state = TCP_SEND;
	return 0;
}

/* ---- from try to try ---- */

static void
finish(struct dns *d, struct dns_query *q)
{
	drop_socket(d, q);
	q->done = true;
}

static void
finish_none(struct dns *d, struct dns_query *q, enum dns_status status,
    const char *why)
{
	dns_answer_none(&q->answer, status, why);
	q->answer.authentic = false;
	finish(d, q);
}

/* This server has said what it will ever say. */
static void
give_up_server(struct dns *d, struct dns_query *q)
{
	q->gave_up |= 1U << q->server;
	next_try(d, q);
}

static void
fail_try(struct dns *d, struct dns_query *q, const char *why)
{
	dns_answer_none(&q->answer, DNS_TEMP, why);
	give_up_server(d, q);
}

static void
next_try(struct dns *d, struct dns_query *q)
{
	drop_socket(d, q);
	while (q->tries < d->rounds * d->nservers) {
		q->server = q->tries++ % (unsigned int)d->nservers;
		if (q->gave_up & 1U << q->server)
			continue;
		if (deadline_left(q->deadline) == 0)
			break;
		if (start_udp(d, q) == 0)
			return;
		q->gave_up |= 1U << q->server;
		dns_answer_none(&q->answer, DNS_TEMP,
		    "server cannot be reached");
	}
	q->answer.authentic = false;
	finish(d, q);
}

/* Whether the chain ends here, n aliases further. */
static bool
is_too_long(struct dns *d, struct dns_query *q, unsigned int n)
{
	q->aliases += n;
	if (q->aliases <= dns_alias_max(q->type))
		return false;
	drop_socket(d, q);
	finish_none(d, q, DNS_BAD, "CNAME chain is circular or too long");
	return true;
}

static void
go_on_with(struct dns *d, struct dns_query *q, struct bytes name)
{
	drop_socket(d, q);
	q->name = name;
	begin(d, q);
}

/* A whole message came, by TCP or not. False: it is not for us. */
static bool
take_message(struct dns *d, struct dns_query *q, struct bytes msg)
{
	bool tcp = q->state != UDP;
	struct dns_answer answer;
	enum dns_parsed r;

	r = dns_parse(msg, q->id, q->type, q->name, q->arena, &answer);
	if (r == DNS_PARSED_OTHER)
		return false;
	answer.authentic = answer.authentic &&
	    d->servers[q->server].trusted;
	if (r == DNS_PARSED)
		dns_cache_put(d->cache, q->type, q->name, msg.n, &answer);
	answer.authentic = answer.authentic && q->authentic;
	if (r == DNS_PARSED_TRUNCATED) {
		if (tcp)
			fail_try(d, q, "answer over TCP is truncated");
		else if (start_tcp(d, q) == -1)
			fail_try(d, q, "server cannot be reached over TCP");
		return true;
	}
	q->answer = answer;
	if (is_too_long(d, q, r == DNS_PARSED || r == DNS_PARSED_ALIAS
	    ? answer.aliases : 0))
		return true;
	if (r == DNS_PARSED) {
		finish(d, q);
	} else if (r == DNS_PARSED_ALIAS) {
		q->authentic = answer.authentic;
		go_on_with(d, q, answer.name);
	} else if (r == DNS_PARSED_NOEDNS && q->edns) {
		q->edns = false;
		q->tries--;
		next_try(d, q);
	} else {
		give_up_server(d, q);
	}
	return true;
}

static void
begin(struct dns *d, struct dns_query *q)
{
	struct dns_answer answer = { .name = q->name, .why = "" };
	enum dns_parsed r;

	if (!dns_name_valid(q->name)) {
		finish_none(d, q, DNS_BAD, "name is not valid");
		return;
	}
	r = dns_table_find(d, q->arena, q->type, q->name, &answer);
	if (r == DNS_PARSED_ALIAS) {
		q->authentic = false;
		if (!is_too_long(d, q, 1))
			go_on_with(d, q, answer.name);
		return;
	}
	if (r == DNS_PARSED ||
	    dns_source_find(d, q->arena, q->type, q->name, &answer) ||
	    dns_cache_find(d->cache, q->arena, q->type, q->name, &answer)) {
		q->answer = answer;
		q->answer.authentic = answer.authentic && q->authentic;
		if (!is_too_long(d, q, answer.aliases))
			finish(d, q);
		return;
	}
	q->tries = 0;
	q->gave_up = 0;
	dns_answer_none(&q->answer, DNS_TEMP, "no answer in time");
	q->answer.name = q->name;
	next_try(d, q);
}

/* ---- what the sockets bring ---- */

/* One more than was offered: longer ones are cut, and asked again. */
#define DATAGRAM_SIZE (DNS_UDP_SIZE + 1)

/* False: it is not for q. */
static bool
take_datagram(struct dns *d, struct dns_query *q, struct bytes s)
{
	if (s.n < DATAGRAM_SIZE)
		return take_message(d, q, s);
	if (((unsigned int)s.p[0] << 8 | s.p[1]) != q->id)
		return false;
	if (start_tcp(d, q) == -1)
		fail_try(d, q, "server cannot be reached over TCP");
	return true;
}

static void
read_udp(struct dns *d, struct dns_query *q)
{
	unsigned char p[DATAGRAM_SIZE];
	ssize_t n;
	int i;

	for (i = 0; i < STRAY_MAX; i++) {
		n = recv(q->fd, p, sizeof(p), 0);
		if (n == -1) {
			if (errno != EAGAIN && errno != EINTR)
				fail_try(d, q, "server cannot be reached");
			return;
		}
		if (take_datagram(d, q, bytes_of(p, (size_t)n)))
			return;
	}
}

/* The first query at d->local_fd from q on. */
static struct dns_query *
local_query(const struct dns *d, struct dns_query *q)
{
	while (q != NULL && q->fd != d->local_fd)
		q = q->next;
	return q;
}

/* It changes the list if it is for one of them. */
static void
hand_out(struct dns *d, struct bytes s)
{
	struct dns_query *q;

	for (q = local_query(d, d->active); q != NULL &&
	    !take_datagram(d, q, s); q = local_query(d, q->next))
		;
}

/* For all that wait for the server of this machine. */
static void
read_local(struct dns *d)
{
	unsigned char p[DATAGRAM_SIZE];
	struct dns_query *q;
	ssize_t n;
	int i;

	for (i = 0; i < STRAY_MAX && local_query(d, d->active) != NULL; i++) {
		n = recv(d->local_fd, p, sizeof(p), 0);
		if (n >= 0) {
			hand_out(d, bytes_of(p, (size_t)n));
			continue;
		}
		if (errno == EAGAIN || errno == EINTR)
			return;
		/* each gives this server up */
		while ((q = local_query(d, d->active)) != NULL)
			fail_try(d, q, "server cannot be reached");
	}
}

static void
write_tcp(struct dns *d, struct dns_query *q)
{
	ssize_t n = send(q->fd, q->out + q->out_sent, q->out_n - q->out_sent,
	    MSG_NOSIGNAL);

	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			fail_try(d, q, "server cannot be reached over TCP");
		return;
	}
	q->out_sent += (size_t)n;
	if (q->out_sent < q->out_n)
		return;
	q->state = TCP_LENGTH;
	q->in = q->length;
	q->in_n = sizeof(q->length);
	q->in_got = 0;
}

static void
read_tcp(struct dns *d, struct dns_query *q)
{
	ssize_t n = recv(q->fd, q->in + q->in_got, q->in_n - q->in_got, 0);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fail_try(d, q, "server closed the TCP connection");
		return;
	}
	q->in_got += (size_t)n;
	if (q->in_got < q->in_n)
		return;
	if (q->state == TCP_BODY) {
		if (!take_message(d, q, bytes_of(q->in, q->in_n)))
			fail_try(d, q, "answer over TCP is not to the query");
		return;
	}
	q->in_n = (size_t)q->length[0] << 8 | q->length[1];
	if (q->in_n == 0) {
		fail_try(d, q, "answer over TCP is empty");
		return;
	}
	q->state = TCP_BODY;
	q->in = arena_alloc(q->arena, q->in_n);
	q->in_got = 0;
}

static void
serve(struct dns *d, struct dns_query *q)
{
	switch (q->state) {
	case UDP:
		if (q->fd == d->local_fd)
			read_local(d);
		else
			read_udp(d, q);
		break;
	case TCP_SEND:
		write_tcp(d, q);
		break;
	case TCP_LENGTH:
	case TCP_BODY:
		read_tcp(d, q);
		break;
	}
}

/* One poll for all, up to the nearest time-out. */
static void
step(struct dns *d)
{
	struct dns_query *at[DNS_INFLIGHT_MAX], *q;
	struct pollfd fds[DNS_INFLIGHT_MAX];
	int64_t nearest = DEADLINE_NONE;
	size_t i, n = 0;
	int r;

	for (q = d->active; q != NULL; q = q->next) {
		assert(n < DNS_INFLIGHT_MAX);
		fds[n].fd = q->fd;
		fds[n].events = q->state == TCP_SEND ? POLLOUT : POLLIN;
		fds[n].revents = 0;
		at[n++] = q;
		nearest = soonest(nearest, q->try_deadline);
	}
	r = poll(fds, n, deadline_left(nearest));
	if (r == -1 && errno != EINTR) {
		for (i = 0; i < n; i++)
			finish_none(d, at[i], DNS_TEMP, "cannot wait");
		return;
	}
	for (i = 0; i < n; i++) {
		q = at[i];
		if (q->fd == -1)
			continue;	/* served by another's turn */
		if (r > 0 && fds[i].revents != 0) {
			/* nothing may be left there by now */
			if (q->fd == fds[i].fd)
				serve(d, q);
		} else if (deadline_left(at[i]->try_deadline) == 0) {
			dns_answer_none(&at[i]->answer, DNS_TEMP,
			    "no answer in time");
			next_try(d, at[i]);
		}
	}
}

/* ---- for callers ---- */

struct dns_query *
dns_start(struct dns *d, struct arena *a, enum dns_type type,
    struct bytes name)
{
	struct dns_query *q;

	while (d->nactive >= DNS_INFLIGHT_MAX)
		step(d);
	q = arena_zalloc(a, 1, sizeof(*q));
	q->arena = a;
	q->type = type;
	q->name = dns_name_canonical(a, name);
	q->answer.name = q->name;
	q->authentic = true;
	q->edns = true;
	q->fd = -1;
	q->deadline = soonest(d->deadline, deadline_in(d->total_ms));
	begin(d, q);
	return q;
}

const struct dns_answer *
dns_wait(struct dns *d, struct dns_query *q)
{
	while (!q->done)
		step(d);
	return &q->answer;
}

bool
dns_is_answered(const struct dns_query *q)
{
	return q->done;
}

const struct dns_answer *
dns_lookup(struct dns *d, struct arena *a, enum dns_type type,
    struct bytes name)
{
	return dns_wait(d, dns_start(d, a, type, name));
}

void
dns_cancel(struct dns *d)
{
	while (d->active != NULL)
		finish_none(d, d->active, DNS_TEMP, "given up");
}
