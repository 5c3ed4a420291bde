/*
 * conn.c - a connection from the request to the end of its handshake
 *
 * Nothing is set up for a peer before its first record is there as a whole:
 * 10,000 that are silent, or stop in the middle of it, cost 10,000
 * descriptors and a few hundred bytes each.
 */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORD_HEAD 5		/* RFC 8446 5.1 */
#define RECORD_HANDSHAKE 22
/* What a handshake has when others wait for its place. */
#define HANDSHAKE_AT_LEAST_MS 1000
#define SILENT_LOOK 64		/* that many are looked at */

/* ---- descriptors in the event set ---- */

void
source_want(struct worker *w, struct source *s, unsigned int want, bool keep)
{
	int r = 0;

	if (s->fd == -1 || (s->in_set && s->want == want && (want || keep)))
		return;
	if (want == 0 && !keep) {
		if (s->in_set)
			r = os_events_remove(w->events, s->fd);
		s->in_set = false;
	} else if (s->in_set) {
		r = os_events_change(w->events, s->fd, want, s);
	} else {
		r = os_events_add(w->events, s->fd, want, s);
		s->in_set = r == 0;
	}
	s->want = want;
	/* Out of kernel memory: whatever waits on it ends by its deadline. */
	if (r == -1)
		msg_warnsys("cannot wait for a descriptor");
}

void
source_close(struct worker *w, struct source *s)
{
	if (s->fd == -1)
		return;
	/* Closing takes it out of the set, but only where nobody else has
	 * it: who asked may have a copy of the network's. */
	if (s == &s->conn->net)
		source_want(w, s, 0, false);
	s->in_set = false;
	(void)close(s->fd);	/* a socket: nothing is lost by it */
	s->fd = -1;
}

/* ---- lists with a deadline ---- */

static void
delist(struct conn *c)
{
	if (c->list == NULL)
		return;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		c->list->first = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	else
		c->list->last = c->prev;
	c->list = NULL;
	c->prev = c->next = NULL;
}

void
conn_enlist(struct conn *c, struct conn_list *list)
{
	delist(c);
	if (list == NULL)
		return;
	c->list = list;
	c->deadline = list->timeout_ms == 0 ? DEADLINE_NONE
	    : deadline_in(list->timeout_ms);
	c->prev = list->last;
	if (list->last != NULL)
		list->last->next = c;
	else
		list->first = c;
	list->last = c;
}

/* ---- life ---- */

static void take_request(struct worker *w, struct conn *c);
static void handshake(struct worker *w, struct conn *c);

void
conn_new(struct worker *w, int ctl)
{
	struct conn *c = mem_zalloc(1, sizeof(*c));

	c->ctl = (struct source){ c, ctl, 0, false };
	c->net = (struct source){ c, -1, 0, false };
	c->plain = (struct source){ c, -1, 0, false };
	conn_enlist(c, &w->requests);
	w->nconns++;
	take_request(w, c);	/* it mostly is there already */
}

static void
handshake_over(struct worker *w, struct conn *c)
{
	limiter_remove(w->limiter, c->ticket);
	c->ticket = 0;
	if (c->state == CONN_HANDSHAKE)
		w->nhandshakes--;
	free(c->request);
	c->request = NULL;
	conn_enlist(c, NULL);
}

void
conn_free(struct worker *w, struct conn *c)
{
	if (c->state == CONN_DEAD)
		return;
	handshake_over(w, c);
	tls_free(c->tls);
	c->tls = NULL;
	source_close(w, &c->ctl);
	source_close(w, &c->net);
	source_close(w, &c->plain);
	free(c->in.p);
	free(c->out.p);
	if (c->described)
		w->counters[c->listener].closed++;
	c->state = CONN_DEAD;
	w->nconns--;
	/* Events of this round may still name it. */
	conn_enlist(c, NULL);
	c->next = w->dead;
	w->dead = c;
}

/* ---- failing ---- */

static void
log_failure(const struct conn *c, const char *reason)
{
	char text[IP_TEXT_MAX];
	struct logline l;

	log_begin(&l, LOG_INFO, "tls-failed");
	if (c->state == CONN_HANDSHAKE)
		log_str(&l, "listener", tls_listener_name(c->listener));
	if (c->remote.family != 0)
		log_str(&l, "remote", ip_format(&c->remote, text));
	log_str(&l, "reason", reason);
	log_end(&l);
}

/* As the servers log it: pipemail-service(7). */
static void
log_over(const struct conn *c)
{
	char text[IP_TEXT_MAX];
	struct logline l;

	log_begin(&l, LOG_INFO, "over-limit");
	log_str(&l, "limiter", "tls-serve");
	log_str(&l, "ip", ip_format(&c->remote, text));
	log_end(&l);
}

static enum tlsreq_status
status_of(enum tls_reason reason)
{
	switch (reason) {
	case TLS_REASON_LIMIT:
	case TLS_REASON_BUSY:
		return TLSREQ_BUSY;
	case TLS_REASON_NOT_SOCKET:
	case TLS_REASON_REQUEST:
	case TLS_REASON_NO_CERT:
	case TLS_REASON_INTERNAL:
		return TLSREQ_REFUSED;
	default:
		return TLSREQ_PEER;
	}
}

/* The end of c: tell who asked, count and log. */
static void
give_up(struct worker *w, struct conn *c, enum tls_reason reason, int alert)
{
	struct tls_counters *n = &w->counters[c->listener];
	struct buf b = BUF_INIT(TLSREQ_REPLY_MAX);
	char name[TLS_ALERT_NAME_MAX], text[TLSREQ_REASON_MAX] = "alert:";
	const char *word = tls_reason_name(reason);

	n->failed[reason]++;
	if (reason == TLS_REASON_ALERT) {
		n->alerts[alert < TLS_ALERTS ? alert : TLS_ALERTS - 1]++;
		word = tls_alert_name(alert, name);
		memcpy(text + 6, word, strlen(word) + 1);
		word = text;
	}
	if (tlsreq_format_reply(&b, status_of(reason), bytes_str(word)) == 0)
		/* Who asked may be gone. */
		(void)os_send_fds(c->ctl.fd, buf_bytes(&b), NULL, 0);
	buf_free(&b);
	if (reason == TLS_REASON_LIMIT)
		log_over(c);
	else
		log_failure(c, word);
	/* Once TLS was tried the connection is good for nothing else, but
	 * our alert shall arrive: who asked closes its copy in time. */
	if (c->tls != NULL)
		(void)shutdown(c->net.fd, SHUT_WR);	/* may be gone */
	conn_free(w, c);
}

void
conn_expired(struct worker *w, struct conn *c)
{
	if (c->state == CONN_REQUEST)
		give_up(w, c, TLS_REASON_REQUEST, 0);
	else if (c->state == CONN_HANDSHAKE)
		give_up(w, c, TLS_REASON_TIMEOUT, 0);
	else
		conn_free(w, c);
}

/* ---- the request ---- */

/* A connected stream socket, made fit for the loop. */
static int
check_socket(struct conn *c)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(sa);
	int fd = c->net.fd, port, type = 0, flags;
	socklen_t size = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == -1 ||
	    type != SOCK_STREAM ||
	    getpeername(fd, (struct sockaddr *)&sa, &n) == -1 ||
	    (flags = fcntl(fd, F_GETFL)) == -1 ||
	    ((flags & O_NONBLOCK) == 0 &&
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1))
		return -1;
	ip_from_sockaddr((const struct sockaddr *)&sa, &c->remote, &port);
	if (c->remote.family != 0)
		(void)os_nodelay(fd);	/* slower without, that is all */
	return 0;
}

static bool
has_lasted(const struct conn *c, int64_t ms)
{
	return time_mono_ms() >= c->deadline - c->list->timeout_ms + ms;
}

/*
 * The oldest silent peer makes room for a new one, who may be going to speak:
 * the faster they come the less time each has, but nobody is kept out. If
 * all have begun, the oldest does, once it has had enough time.
 */
static bool
make_room(struct worker *w)
{
	struct conn *old = w->handshakes.first, *c = old;
	unsigned int i;

	if (w->nhandshakes < w->handshakes_max)
		return true;
	for (i = 0; i < SILENT_LOOK && c != NULL && c->tls != NULL; i++)
		c = c->next;
	if (c == NULL || c->tls != NULL)
		c = old != NULL && has_lasted(old, HANDSHAKE_AT_LEAST_MS)
		    ? old : NULL;
	if (c == NULL)
		return false;
	give_up(w, c, TLS_REASON_BUSY, 0);
	return true;
}

static enum tls_reason
parse_request(struct worker *w, struct conn *c, struct bytes s, size_t nfds)
{
	c->request = mem_alloc(s.n);
	memcpy(c->request, s.p, s.n);
	if (nfds != 1 || tlsreq_parse(bytes_of(c->request, s.n),
	    &c->req) == -1 ||
	    tls_listener_find(c->req.listener, &c->listener) == -1)
		return TLS_REASON_REQUEST;
	w->counters[c->listener].requests[c->req.implicit]++;
	if (check_socket(c) == -1)
		return TLS_REASON_NOT_SOCKET;
	if (c->req.remote.family != 0)
		c->remote = c->req.remote;
	if (!limiter_add(w->limiter, &c->remote, time_wall_us() / 1000000,
	    &c->ticket))
		return TLS_REASON_LIMIT;
	return make_room(w) ? TLS_REASON_NONE : TLS_REASON_BUSY;
}

static void
take_request(struct worker *w, struct conn *c)
{
	unsigned char text[TLSREQ_MAX + 1];
	int fds[OS_FDS_MAX];
	enum tls_reason reason;
	size_t n = 0, i;
	ssize_t r = os_recv_fds(c->ctl.fd, text, sizeof(text), fds, &n, 0);

	if (r == -1 && errno == EMSGSIZE) {	/* too many descriptors */
		give_up(w, c, TLS_REASON_REQUEST, 0);
		return;
	}
	if (r == -1 && errno == ETIMEDOUT) {
		source_want(w, &c->ctl, OS_EVENT_READ, true);
		return;
	}
	if (r <= 0) {		/* it has gone */
		conn_free(w, c);
		return;
	}
	for (i = 1; i < n; i++)
		(void)close(fds[i]);	/* one is expected */
	c->net.fd = n > 0 ? fds[0] : -1;
	reason = parse_request(w, c, bytes_of(text, (size_t)r), n);
	if (reason != TLS_REASON_NONE) {
		give_up(w, c, reason, 0);
		return;
	}
	c->state = CONN_HANDSHAKE;
	w->nhandshakes++;
	conn_enlist(c, &w->handshakes);
	/* Tells when it goes away, or wants to have the last word. */
	source_want(w, &c->ctl, c->req.greeting[0].n > 0 ? OS_EVENT_READ : 0,
	    true);
	source_want(w, &c->net, OS_EVENT_READ, true);
	handshake(w, c);	/* the first record may be there */
}

/* ---- the handshake ---- */

static void
count_done(struct worker *w, struct conn *c, bool client_cert)
{
	struct tls_counters *n = &w->counters[c->listener];
	struct tls_facts f;

	tls_facts(c->tls, &f);
	n->done[f.version]++;
	n->resumed += f.resumed;
	n->kernel += f.kernel;
	n->client_certs += client_cert;
	c->described = true;
}

static void
socket_addresses(int fd, struct preface *p)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(sa);

	/* Left empty if the connection is gone by now. */
	if (getpeername(fd, (struct sockaddr *)&sa, &n) == 0)
		ip_from_sockaddr((const struct sockaddr *)&sa, &p->remote,
		    &p->remote_port);
	n = sizeof(sa);
	if (getsockname(fd, (struct sockaddr *)&sa, &n) == 0)
		ip_from_sockaddr((const struct sockaddr *)&sa, &p->local,
		    &p->local_port);
}

/* Send the preface and one end of a new pair; keep the other. 0 or -1. */
static int
hand_over(struct conn *c, const struct preface *p)
{
	struct buf preface = BUF_INIT(PREFACE_MAX);
	struct buf reply = BUF_INIT(TLSREQ_REPLY_MAX);
	int pair[2], r;

	if (os_socketpair(pair) == -1)
		return -1;
	r = preface_format(&preface, p);
	if (r == 0)
		r = tlsreq_format_reply(&reply, TLSREQ_DONE,
		    buf_bytes(&preface));
	if (r == 0)
		r = os_send_fds(c->ctl.fd, buf_bytes(&reply), &pair[1], 1);
	buf_free(&preface);
	buf_free(&reply);
	(void)close(pair[1]);	/* sent, or of no use */
	if (r == -1) {
		(void)close(pair[0]);
		return -1;
	}
	c->plain.fd = pair[0];
	return 0;
}

bool
conn_hand_over(struct worker *w, struct conn *c)
{
	struct arena a = ARENA_INIT;
	struct preface p;
	int r = tls_describe(c->tls, &a, &p);

	if (r == 0) {
		socket_addresses(c->net.fd, &p);
		r = hand_over(c, &p);
	}
	if (r == 0 && !c->described)
		count_done(w, c, p.client_cert);
	arena_free(&a);
	if (r == -1) {
		give_up(w, c, errno == EMFILE || errno == ENFILE
		    ? TLS_REASON_BUSY : TLS_REASON_ABANDONED, 0);
		return false;
	}
	source_close(w, &c->ctl);
	return true;
}

static void
handshake_done(struct worker *w, struct conn *c)
{
	unsigned char text[TLSREQ_GREETING_MAX];
	int which = tls_greeting(c->tls);
	struct bytes greeting = which == -1 ? BYTES_EMPTY
	    : c->req.greeting[which];

	if (greeting.n == 0) {
		if (!conn_hand_over(w, c))
			return;
		handshake_over(w, c);
		relay_start(w, c);
		return;
	}
	memcpy(text, greeting.p, greeting.n);	/* at most that */
	greeting.p = text;
	count_done(w, c, false);
	handshake_over(w, c);
	relay_greet(w, c, greeting);
}

static bool
start_tls(struct worker *w, struct conn *c)
{
	struct tls_accept a = { .listener = c->listener,
	    .client_cert = c->req.client_cert };
	size_t i;

	for (i = 0; i < c->req.nalpn; i++)
		a.alpn[a.nalpn++] = c->req.alpn[i];
	c->tls = tls_accept(w->server, &a, c->net.fd);
	return c->tls != NULL;
}

static void
low_water(struct conn *c, size_t bytes)
{
	int n = (int)bytes;

	c->low_water = bytes;
	/* Where this is not known, every byte wakes us. */
	(void)setsockopt(c->net.fd, SOL_SOCKET, SO_RCVLOWAT, &n, sizeof(n));
}

/*
 * Whether it is time to look at what the peer has sent: the first record is
 * there, or is none, or will not become longer.
 */
static bool
first_record(struct worker *w, struct conn *c)
{
	ssize_t n = recv(c->net.fd, w->chunk, sizeof(w->chunk), MSG_PEEK);
	size_t want = RECORD_HEAD;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n > 0 && w->chunk[0] != RECORD_HANDSHAKE)
		want = 1;
	else if (n >= RECORD_HEAD)
		want += (size_t)w->chunk[3] << 8 | w->chunk[4];
	if (n > 0 && (size_t)n < want && want > c->low_water &&
	    want <= sizeof(w->chunk)) {
		low_water(c, want);
		return false;
	}
	if (c->low_water > 1)
		low_water(c, 1);
	return true;
}

/* L-9: once per handshake, when the name is known. */
static void
count_names(struct worker *w, struct conn *c)
{
	bool named, unknown;

	tls_names(c->tls, &named, &unknown);
	w->counters[c->listener].name_missing += !named;
	w->counters[c->listener].name_unknown += unknown;
}

static void
handshake(struct worker *w, struct conn *c)
{
	if (c->tls == NULL && !first_record(w, c))
		return;
	if (c->tls == NULL && !start_tls(w, c)) {
		give_up(w, c, TLS_REASON_INTERNAL, 0);
		return;
	}
	switch (tls_handshake(c->tls)) {
	case TLS_WANT_READ:
		source_want(w, &c->net, OS_EVENT_READ, true);
		break;
	case TLS_WANT_WRITE:
		source_want(w, &c->net, OS_EVENT_WRITE, true);
		break;
	case TLS_OK:
		count_names(w, c);
		handshake_done(w, c);
		break;
	default:
		if (tls_failure(c->tls) == TLS_REASON_UNKNOWN_NAME)
			count_names(w, c);
		give_up(w, c, tls_failure(c->tls), tls_alert(c->tls));
		break;
	}
}

void
conn_event(struct worker *w, struct source *s, unsigned int what)
{
	struct conn *c = s->conn;

	switch (c->state) {
	case CONN_REQUEST:
		take_request(w, c);
		break;
	case CONN_HANDSHAKE:
		if (s == &c->net)
			handshake(w, c);
		else
			give_up(w, c, TLS_REASON_ABANDONED, 0);
		break;
	case CONN_GREETED:
		relay_greeted(w, c, s);
		break;
	case CONN_RELAY:
	case CONN_LINGER:
		relay_event(w, c, s, what);
		break;
	case CONN_DEAD:
		break;
	}
}
