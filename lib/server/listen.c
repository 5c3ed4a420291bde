/*
 * listen.c - the accepting parent
 *
 * Signals are blocked except inside ppoll(2): a handler only sets a flag,
 * and no signal is lost between looking at the flags and waiting. The
 * parent does little per connection, since everything waits for it: it
 * accepts, counts, forks, and closes.
 */
#include "server/internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTEN_FD STDIN_FILENO
#define OPEN_ENTRIES 24576	/* counts of 8192 connections at least */
#define RATE_ENTRIES 49152	/* addresses and networks seen in a minute */
#define OUT_OF_FDS_MS 100	/* pause when the system has no more */
#define ACCEPTS 16		/* in a row, before others have their turn */
#define EXPIRE_MS 1000		/* between two looks at deadlines */

static volatile sig_atomic_t got_stop, got_hup, got_child;

enum { OPEN, RATE, WINDOWS };

static void
on_signal(int signo)
{
	if (signo == SIGCHLD)
		got_child = 1;
	else if (signo == SIGHUP)
		got_hup = 1;
	else
		got_stop = 1;
}

static const int handled[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT };
#define NHANDLED (sizeof(handled) / sizeof(handled[0]))

static void
set_handlers(void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler };
	size_t i;

	(void)sigemptyset(&sa.sa_mask);		/* cannot fail */
	for (i = 0; i < NHANDLED; i++)
		(void)sigaction(handled[i], &sa, NULL);	/* nor can this */
}

static void
signals_take(struct listener *l)
{
	sigset_t block;
	size_t i;

	got_stop = got_hup = got_child = 0;
	(void)sigemptyset(&block);		/* cannot fail, as the next */
	for (i = 0; i < NHANDLED; i++)
		(void)sigaddset(&block, handled[i]);
	(void)sigprocmask(SIG_BLOCK, &block, &l->unblocked);
	for (i = 0; i < NHANDLED; i++)
		(void)sigdelset(&l->unblocked, handled[i]);
	set_handlers(on_signal);
}

static void
signals_give_back(struct listener *l)
{
	set_handlers(SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &l->unblocked, NULL);	/* valid */
}

static void
log_event(enum log_level level, const char *event, const struct ip *ip,
    int err)
{
	char text[IP_TEXT_MAX];
	struct logline line;

	log_begin(&line, level, event);
	if (ip != NULL)
		log_str(&line, "remote", ip_format(ip, text));
	if (err != 0)
		log_err(&line, err);
	log_end(&line);
}

/* ---- children ---- */

static void
child_ended(struct listener *l, pid_t pid, int status)
{
	struct child *c = child_find(l, pid);

	if (c == NULL)
		return;		/* started by prepare: not ours to count */
	keep_no_more(l, c);
	limiter_remove(l->limiter, c->ticket);
	if (c->placed)
		limiter_remove(l->places, c->place_ticket);
	*c = l->children[--l->nchildren];
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM &&
	    WTERMSIG(status) != SIGKILL) {
		struct logline line;

		log_begin(&line, LOG_ERROR, "child-died");
		log_num(&line, "pid", pid);
		log_num(&line, "signal", WTERMSIG(status));
		log_end(&line);
	}
}

static void
reap(struct listener *l)
{
	int status;
	pid_t pid;

	got_child = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_ended(l, pid, status);
}

static void
kill_all(const struct listener *l, int signo)
{
	size_t i;

	for (i = 0; i < l->nchildren; i++)
		(void)kill(l->children[i].pid, signo);	/* may be gone */
}

/* ---- configuration ---- */

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void
prepare_again(struct listener *l)
{
	struct server *s = l->s;

	if (s->prepare == NULL)
		return;
	if (s->prepare(s->ctx) == -1) {
		log_event(LOG_ERROR, "reload", NULL, errno);
		return;
	}
	keep_none(l);
	if (l->leashes == -1)
		l->leashes = keep_new(s);
	limiter_set(l->limiter, OPEN, s->limits.open);
	limiter_set(l->limiter, RATE, s->limits.per_minute);
	if (l->places != NULL)
		limiter_set(l->places, OPEN, s->limits.placed);
	log_event(LOG_INFO, "reload", NULL, 0);
}

/* A file that is away for a moment changes nothing. */
static void
look_at_watched(struct listener *l)
{
	struct stat st;

	if (l->s->watch_file == NULL || stat(l->s->watch_file, &st) == -1 ||
	    same_file(&st, &l->watched))
		return;
	l->watched = st;
	prepare_again(l);
}

/* ---- connections ---- */

/* fail2ban reads "over-limit": its form is in pipemail-service(7). */
static void
log_over(const struct listener *l, const struct ip *ip)
{
	char text[IP_TEXT_MAX];
	struct logline line;

	log_begin(&line, LOG_INFO, "over-limit");
	log_str(&line, "limiter", l->s->name);
	log_str(&line, "ip", ip_format(ip, text));
	log_end(&line);
}

static void
refuse(const struct listener *l, int fd)
{
	const char *text = l->s->refusal;

	/* A peer that cannot take one line now does not get it. */
	if (text != NULL && text[0] != '\0')
		(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
}

static _Noreturn void
run_child(struct listener *l, int fd, struct server_conn *conn, int leash)
{
	signals_give_back(l);
	limiter_forked(l->limiter);
	/* In place of the listening socket, which is closed by that. */
	if (dup2(fd, LISTEN_FD) == -1)
		_exit(EXIT_TEMP);
	if (l->early != NULL)
		os_close_from(STDERR_FILENO + 1, l->s->keep_fd);
	else
		(void)close(fd);	/* the copy stays */
	conn->in = conn->out = LISTEN_FD;
	if (l->leashes != -1)
		keep_forked(l);
	if (leash != -1 && !l->s->places)
		_exit(keep_serve(l->s, conn, leash));
	conn->place_fd = leash;
	_exit(l->s->serve(conn, l->s->ctx));
}

static bool
is_full(const struct listener *l)
{
	unsigned int cap = l->s->limits.children;

	return cap != 0 && l->nchildren + early_count(l->early) >= cap;
}

/* It was admitted and has ended. */
static void
conn_gone(void *ctx, const struct server_conn *conn)
{
	struct listener *l = ctx;

	limiter_remove(l->limiter, conn->limit_ticket);
}

/* Its process. fd stays open here. */
static void
start_child(void *ctx, int fd, struct server_conn *conn, struct bytes early)
{
	struct listener *l = ctx;
	/* Copies: the child does not have the memory these may be in. */
	unsigned char data[SERVER_EARLY_DATA];
	struct server_conn own = *conn;
	int leash[2] = { -1, -1 };
	pid_t pid;

	assert(early.n <= sizeof(data));
	memcpy(data, early.p, early.n);
	own.early = bytes_of(data, early.n);
	if (keep_may(l, conn) && os_messagepair(leash) == -1)
		leash[0] = leash[1] = -1;	/* it serves this one */
	pid = fork();
	if (pid == 0) {
		if (leash[0] != -1)
			(void)close(leash[0]);	/* the parent's */
		run_child(l, fd, &own, leash[1]);
	}
	secret_wipe(data, early.n);
	if (leash[1] != -1)
		(void)close(leash[1]);	/* the child's */
	if (pid == -1) {
		if (leash[0] != -1)
			(void)close(leash[0]);	/* nobody's */
		log_event(LOG_ERROR, "fork", &conn->remote, errno);
		conn_gone(l, conn);
		refuse(l, fd);
		return;
	}
	child_add(l, pid, conn, leash[0]);
}

static void
start(struct listener *l, int fd)
{
	struct server_conn conn = { .is_socket = true, .id = l->next_id++,
	    .in = fd, .out = fd };

	if (conn_addresses(fd, &conn) == -1 || (conn.remote.family == 0 &&
	    !server_peer_allowed(&l->peers, fd))) {
		(void)close(fd);	/* gone already, or not for it */
		return;
	}
	if (!limiter_add(l->limiter, &conn.remote, time_wall_us() / 1000000,
	    &conn.limit_ticket)) {
		log_over(l, &conn.remote);
		refuse(l, fd);
		(void)close(fd);	/* it has been told */
		return;
	}
	if (l->nidle > 0 && keep_give(l, fd, &conn)) {
		(void)close(fd);	/* the child has it */
		return;
	}
	if (is_full(l))
		keep_end_oldest(l);	/* at_cap said there is one */
	if (early_begin(l->early, fd, &conn, start_child, conn_gone, l))
		return;
	start_child(l, fd, &conn, BYTES_EMPTY);
	(void)close(fd);	/* the child has it */
}

static void
pause_ms(struct listener *l, int64_t ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	(void)ppoll(NULL, 0, &ts, &l->unblocked);	/* a signal is fine */
}

/* 1, 0 when nobody is there, or -1 when the listening socket is of no use
 * any more. */
static int
accept_one(struct listener *l)
{
	int fd = os_accept(LISTEN_FD);

	if (fd >= 0) {
		look_at_watched(l);
		start(l, fd);
		return 1;
	}
	switch (errno) {
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
	case EFAULT:
		log_event(LOG_ERROR, "accept", NULL, errno);
		return -1;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		log_event(LOG_ERROR, "accept", NULL, errno);
		pause_ms(l, OUT_OF_FDS_MS);
		return 0;
	default:	/* nobody there, or an error of that connection */
		return 0;
	}
}

/* Idle ones, who have the next connection or make room for it, are no bar. */
static bool
at_cap(const struct listener *l)
{
	return l->nidle == 0 && is_full(l);
}

/* 0 or -1. */
static int
accept_some(struct listener *l)
{
	int i, r = 1;

	/* A fork is long enough for a turn. */
	for (i = 0; i < (l->early != NULL ? ACCEPTS : 1) && r == 1 &&
	    !at_cap(l); i++)
		r = accept_one(l);
	return r == -1 ? -1 : 0;
}

/* Those without a process. */
static void
serve_early(struct listener *l, bool ready)
{
	if (ready)
		early_turn(l->early, start_child, conn_gone, l);
	if (early_count(l->early) > 0 && deadline_left(l->expire_at) == 0) {
		l->expire_at = deadline_in(EXPIRE_MS);
		early_expire(l->early, start_child, conn_gone, l);
	}
}

static int
accept_loop(struct listener *l)
{
	static const struct timespec tick = { EXPIRE_MS / 1000, 0 };
	struct pollfd p[3] = { { .events = POLLIN }, { .events = POLLIN },
	    { .events = POLLIN } };
	int r;

	p[1].fd = early_fd(l->early);
	while (!got_stop) {
		p[2].fd = l->leashes;	/* prepare may have made the first */
		p[0].fd = at_cap(l) ? -1 : LISTEN_FD;
		p[0].revents = p[1].revents = p[2].revents = 0;
		r = ppoll(p, 3, early_count(l->early) + l->nidle > 0 ? &tick
		    : NULL, &l->unblocked);
		if (r == -1 && errno != EINTR)
			return -1;
		if (got_child)
			reap(l);
		if (got_hup) {
			got_hup = 0;
			prepare_again(l);
		}
		if (got_stop)
			break;
		serve_early(l, r > 0 && p[1].revents != 0);
		if (l->leashes != -1)
			keep_look(l);
		if (l->nidle > 0)
			keep_expire(l);
		if (r > 0 && p[0].revents != 0 && accept_some(l) == -1)
			return -1;
	}
	return 0;
}

/* Children are told to end, then made to. */
static void
stop(struct listener *l)
{
	unsigned int grace = l->s->grace_ms;
	int64_t deadline = deadline_in(grace == 0 ? SERVER_GRACE_MS : grace);
	int left;

	(void)close(LISTEN_FD);		/* whoever comes now is refused */
	early_free(l->early);
	l->early = NULL;
	keep_none(l);
	kill_all(l, SIGTERM);
	reap(l);
	while (l->nchildren > 0 && (left = deadline_left(deadline)) != 0) {
		pause_ms(l, left);
		reap(l);
	}
	kill_all(l, SIGKILL);
	while (l->nchildren > 0) {
		pause_ms(l, 10);
		reap(l);
	}
}

static int
set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags == -1 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static void
tell_ready(struct server *s)
{
	if (s->notify_fd <= LISTEN_FD)
		return;
	/* A supervisor that does not listen is none of our business. */
	(void)io_write_all(s->notify_fd, BYTES("\n"), DEADLINE_NONE);
	(void)close(s->notify_fd);
	s->notify_fd = -1;
}

/* Of children that serve an address. */
static struct limiter *
make_places(const struct server *s)
{
	struct limiter_window w = { .seconds = 0, .entries = OPEN_ENTRIES };

	if (!s->places)
		return NULL;
	assert(s->keep <= 1 && s->early == NULL);
	memcpy(w.limits, s->limits.placed, sizeof(w.limits));
	return limiter_new(&w, 1);
}

static struct limiter *
make_limiter(const struct server *s)
{
	struct limiter_window w[WINDOWS] = {
		[OPEN] = { .seconds = 0, .entries = OPEN_ENTRIES },
		[RATE] = { .seconds = 60, .entries = RATE_ENTRIES },
	};

	memcpy(w[OPEN].limits, s->limits.open, sizeof(w[OPEN].limits));
	memcpy(w[RATE].limits, s->limits.per_minute, sizeof(w[RATE].limits));
	return s->limiter != NULL ? limiter_open(s->limiter, w, WINDOWS)
	    : limiter_new(w, WINDOWS);
}

int
listen_run(struct server *s)
{
	struct listener l = { .s = s };
	int r;

	if (server_peers_load(&l.peers) == -1)
		return EXIT_PERM;
	/* A peer may be gone between ppoll(2) and accept(2). */
	if (set_nonblocking(LISTEN_FD) == -1)
		return exit_for(errno);
	os_random(&l.next_id, sizeof(l.next_id));
	l.next_id >>= 16;	/* short in the logs, and never negative */
	l.limiter = make_limiter(s);
	l.places = make_places(s);
	if (s->watch_file != NULL && stat(s->watch_file, &l.watched) == -1)
		l.watched = (struct stat){ .st_ino = 0 };
	l.early = early_new(s);
	l.leashes = keep_new(s);
	os_heap_room();
	signals_take(&l);
	tell_ready(s);
	r = accept_loop(&l);
	if (r == -1)
		log_event(LOG_ERROR, "server-ended", NULL, errno);
	stop(&l);
	signals_give_back(&l);
	limiter_free(l.limiter);
	limiter_free(l.places);
	if (l.leashes != -1)
		(void)close(l.leashes);	/* nothing in it */
	free(l.children);
	return r == -1 ? EXIT_TEMP : EXIT_YES;
}
