/* worker.c - the event loop of one process */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define REQUEST_MS 5000		/* a server sends its request at once */
#define ENDING_MS 30000		/* without progress at the end */
#define EVENTS_MAX 128
#define ACCEPT_PAUSE_MS 100	/* when the system has no descriptors left */
#define ACCEPTS 16		/* in a row */
#define STOP_MS 3000		/* for connections, after SIGTERM */
#define FIRST_LOAD_MS 30000

static volatile sig_atomic_t got_stop;

static void
on_stop(int signo)
{
	(void)signo;
	got_stop = 1;
}

/* SIGHUP and SIGUSR1 are the parent's. Signals come while waiting only. */
static void
catch_signals(sigset_t *unblocked)
{
	struct sigaction stop = { .sa_handler = on_stop };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t block;

	/* None of these can fail. */
	(void)sigemptyset(&stop.sa_mask);
	(void)sigemptyset(&ignore.sa_mask);
	(void)sigaction(SIGTERM, &stop, NULL);
	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGHUP, &ignore, NULL);
	(void)sigaction(SIGUSR1, &ignore, NULL);
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGTERM);
	(void)sigaddset(&block, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &block, NULL);
	(void)sigemptyset(unblocked);
}

/* ---- accepting ---- */

static void
accept_some(struct worker *w)
{
	int fd, i;

	for (i = 0; i < ACCEPTS; i++) {
		fd = os_accept(SERVE_LISTEN_FD);
		if (fd >= 0 && !server_peer_allowed(&w->peers, fd)) {
			(void)close(fd);	/* not for it */
			continue;
		}
		if (fd >= 0) {
			conn_new(w, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS) {
			msg_warnsys("cannot accept");
			source_want(w, &w->listener, 0, false);
			w->accept_again = deadline_in(ACCEPT_PAUSE_MS);
		}
		return;
	}
}

static void
accept_start(struct worker *w)
{
	w->accept_again = 0;
	if (w->stopping || w->listener.fd == -1)
		return;
	source_want(w, &w->listener, OS_EVENT_READ | OS_EVENT_SHARED, true);
}

/* ---- time ---- */

static int64_t
expire(struct worker *w, struct conn_list *list, int64_t next)
{
	while (list->first != NULL && deadline_left(list->first->deadline) == 0)
		conn_expired(w, list->first);
	if (list->first != NULL && list->first->deadline < next)
		next = list->first->deadline;
	return next;
}

/* What is due is done; the deadline of what comes next. */
static int64_t
keep_time(struct worker *w)
{
	int64_t next = DEADLINE_NONE;

	if (w->accept_again != 0 && deadline_left(w->accept_again) == 0)
		accept_start(w);
	if (w->accept_again != 0)
		next = w->accept_again;
	if (w->stopping && w->stop_at < next)
		next = w->stop_at;
	next = expire(w, &w->requests, next);
	next = expire(w, &w->handshakes, next);
	next = expire(w, &w->endings, next);
	tls_tickets_advance(&w->tickets, time_mono_ms() / 1000);
	return next;
}

/* ---- the loop ---- */

static void
stop(struct worker *w)
{
	if (w->stopping)
		return;
	w->stopping = true;
	w->stop_at = deadline_in(STOP_MS);
	source_close(w, &w->listener);
}

static void
take_event(struct worker *w, struct source *s, unsigned int what)
{
	if (s == &w->listener) {
		accept_some(w);
	} else if (s == &w->parent) {
		if (load_take(w) == -1) {	/* it is gone: so are we */
			source_want(w, s, 0, false);
			stop(w);
		}
	} else {
		conn_event(w, s, what);
	}
}

/* Those that had more to do than their turns. */
static void
serve_ready(struct worker *w)
{
	struct conn *c = w->ready, *next;

	w->ready = NULL;
	for (; c != NULL; c = next) {
		next = c->next_ready;
		c->is_ready = false;
		relay_continue(w, c);
	}
}

static void
bury(struct worker *w)
{
	struct conn *c = w->dead, **keep = &w->dead, *next;

	w->dead = NULL;
	for (; c != NULL; c = next) {
		next = c->next;
		if (c->is_ready) {	/* the ready list names it yet */
			c->next = *keep;
			*keep = c;
		} else {
			free(c);
		}
	}
}

static void
loop(struct worker *w, const sigset_t *unblocked)
{
	struct os_event events[EVENTS_MAX];
	int64_t next;
	int i, n, left;

	for (;;) {
		if (got_stop)
			stop(w);
		next = keep_time(w);
		bury(w);
		if (w->nconns == 0 && w->stopping)
			return;
		if (w->stopping && deadline_left(w->stop_at) == 0)
			return;
		left = w->ready != NULL ? 0 : deadline_left(next);
		n = os_events_wait(w->events, events, EVENTS_MAX, left,
		    unblocked);
		for (i = 0; i < n; i++)
			take_event(w, events[i].ctx, events[i].what);
		serve_ready(w);
	}
}

/* ---- beginning ---- */

static struct worker *
worker_new(void)
{
	struct worker *w = mem_zalloc(1, sizeof(*w));

	w->listener.fd = w->parent.fd = -1;
	w->requests.timeout_ms = REQUEST_MS;
	w->endings.timeout_ms = ENDING_MS;
	w->events = os_events_new();
	if (w->events == -1)
		msg_diesys(EXIT_TEMP, "cannot wait for events");
	return w;
}

static void
worker_free(struct worker *w)
{
	tls_server_unref(w->server);
	tls_certs_free(w->loading);
	limiter_free(w->limiter);
	secret_wipe(&w->tickets, sizeof(w->tickets));
	(void)close(w->events);		/* nothing in it */
	free(w);
}

/* Every connection that is left ends here. */
static void
end_all(struct worker *w, struct conn_list *list)
{
	while (list->first != NULL)
		relay_abort(w, list->first);
}

/* The parent's first set; nobody is served before. */
static void
wait_for_load(struct worker *w)
{
	int64_t deadline = deadline_in(FIRST_LOAD_MS);
	struct os_event e;

	source_want(w, &w->parent, OS_EVENT_READ, true);
	while (load_take(w) == 0 && deadline_left(deadline) != 0)
		(void)os_events_wait(w->events, &e, 1,
		    deadline_left(deadline), NULL);
	if (w->server == NULL)
		msg_die(EXIT_TEMP, "cannot start: no configuration");
}

static void
enter_sandbox(void)
{
	struct os_sandbox sandbox;

	/* No file and no TCP beside what it was given. */
	if (os_sandbox_make(&sandbox, OS_SANDBOX_NET) == -1 ||
	    os_reach_begin(&sandbox.reach, 0) == -1 ||
	    os_sandbox_enter(&sandbox) == -1)
		msg_diesys(EXIT_TEMP, "cannot enter the sandbox");
	os_sandbox_free(&sandbox);
}

int
worker_run(const struct worker_start *start)
{
	struct worker *w = worker_new();
	sigset_t unblocked;

	if (start->drop && os_drop(start->uid, start->gid) == -1)
		msg_diesys(EXIT_TEMP, "cannot become another user");
	if (os_no_dump() == -1)
		msg_diesys(EXIT_TEMP, "cannot protect the keys in memory");
	catch_signals(&unblocked);
	w->tickets = start->tickets;
	w->counters = start->counters;
	w->peers = start->peers;
	w->parent.fd = start->parent;
	w->shared = true;
	wait_for_load(w);
	enter_sandbox();
	w->listener.fd = SERVE_LISTEN_FD;
	accept_start(w);
	loop(w, &unblocked);
	end_all(w, &w->requests);
	end_all(w, &w->handshakes);
	end_all(w, &w->relays);
	end_all(w, &w->endings);
	bury(w);
	worker_free(w);
	return EXIT_YES;
}

int
worker_run_one(int fd, struct tls_counters *counters)
{
	struct worker *w = worker_new();
	sigset_t unblocked;
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		msg_diesys(EXIT_TEMP, "cannot use descriptor %d", fd);
	catch_signals(&unblocked);
	w->counters = counters;
	tls_tickets_init(&w->tickets, time_mono_ms() / 1000);
	if (os_no_dump() == -1 || load_here(w) == -1)
		msg_die(EXIT_TEMP, "cannot start");
	enter_sandbox();
	conn_new(w, fd);
	stop(w);
	w->stop_at = DEADLINE_NONE;	/* as long as the one lasts */
	loop(w, &unblocked);
	worker_free(w);
	return EXIT_YES;
}
