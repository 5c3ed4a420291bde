/*
 * imap-idle - many IMAP connections in IDLE, waited for by one process
 *
 * imap-serve hands over what has been in IDLE for some seconds and ends; a
 * new one takes it back when the client says something or the account
 * changes. Here a connection is a descriptor and some hundred bytes.
 */
#include "imap_idle.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"
#include "server/server.h"

static const char usage[] = "usage: imap-idle [-c connections] [-e each]";

/* What is late, and places that cannot be watched: each so often. */
#define LATE_MS 1000
#define LOOK_MS 500
#define EVENTS_AT_A_TIME 64

static volatile sig_atomic_t got_stop;

static void
on_stop(int signo)
{
	(void)signo;
	got_stop = 1;
}

/* SIGTERM and SIGINT arrive while waiting only. */
static void
take_signals(sigset_t *unblocked)
{
	struct sigaction sa = { .sa_handler = on_stop };
	sigset_t block;

	(void)sigemptyset(&block);	/* none of these can fail */
	(void)sigaddset(&block, SIGTERM);
	(void)sigaddset(&block, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &block, unblocked);
	(void)sigdelset(unblocked, SIGTERM);
	(void)sigdelset(unblocked, SIGINT);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);	/* cannot fail */
}

/* As many descriptors as there may be: one for a connection, and one for its
 * account. No more connections than they are enough for. */
static void
raise_files(struct idle *p)
{
	struct rlimit r;
	size_t room;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return;		/* cannot fail */
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) == -1)
		msg_diesys(EXIT_TEMP, "cannot have more descriptors");
	if (r.rlim_max == RLIM_INFINITY || r.rlim_max <= FILES_SPARE)
		return;
	room = (size_t)(r.rlim_max - FILES_SPARE) / 2;
	if (p->max > room)
		p->max = room;
}

/*
 * The feeds are all it opens. Watching a directory and asking for its times
 * needs no right to read it, so that no mail is in reach.
 */
static void
enter_sandbox(struct arena *a)
{
	const char *feeds = arena_printf(a, "%s/watch", dir_run());
	struct os_sandbox sandbox;

	if (mkdir(feeds, 0700) == -1 && errno != EEXIST)
		msg_diesys(exit_for(errno), "cannot create %s", feeds);
	if (os_sandbox_make(&sandbox, OS_SANDBOX_STORE) == -1 ||
	    os_reach_begin(&sandbox.reach, 0) == -1 ||
	    os_reach_path(&sandbox.reach, feeds, OS_REACH_WRITE) == -1 ||
	    os_sandbox_enter(&sandbox) == -1)
		msg_diesys(EXIT_TEMP, "cannot enter the sandbox");
	os_sandbox_free(&sandbox);
}

static void
accept_link(struct idle *p, const struct server_peers *peers)
{
	int s = os_accept(STDIN_FILENO);

	if (s == -1) {
		if (errno != EAGAIN && errno != EINTR)
			msg_warnsys("cannot accept");
		return;
	}
	if (server_peer_allowed(peers, s))
		rest_begin(p, s);
	else
		(void)close(s);		/* not for it */
}

static void
handle(struct idle *p, const struct server_peers *peers, struct source *s)
{
	switch (s->kind) {
	case SOURCE_LISTENER:
		accept_link(p, peers);
		break;
	case SOURCE_WATCHES:
		place_read_watches(p);
		break;
	case SOURCE_FEED:
		place_read_feed(p, s->owner);
		break;
	case SOURCE_CLIENT:
		rest_spoken(p, s->owner);
		break;
	case SOURCE_LINK:
		rest_link(p, s->owner);
		break;
	}
}

/* How long to wait for the next event; -1: for ever. */
static int
wait_ms(const struct idle *p, int64_t look)
{
	int wait = p->n > 0 ? deadline_left(look) : -1;
	int again = rest_wait_ms(p);

	return again != -1 && again < wait ? again : wait;
}

/* Now and then. Returns when the next time is. */
static int64_t
look_around(struct idle *p, int64_t *late)
{
	place_poll(p);
	if (deadline_left(*late) == 0) {
		rest_late(p);
		*late = deadline_in(LATE_MS);
	}
	return deadline_in(LOOK_MS);
}

static int
serve(struct idle *p, const struct server_peers *peers,
    const sigset_t *unblocked)
{
	struct os_event e;
	int64_t look = deadline_in(LOOK_MS), late = deadline_in(LATE_MS);
	int i, n;

	while (!got_stop) {
		/* One at a time: what one event ends, no other may name. */
		n = os_events_wait(p->events, &e, 1, wait_ms(p, look),
		    unblocked);
		if (n == -1 && errno != EINTR)
			return -1;
		for (i = 0; n == 1 && i < EVENTS_AT_A_TIME; i++) {
			handle(p, peers, e.ctx);
			n = os_events_wait(p->events, &e, 1, 0, NULL);
		}
		if (n == 1)
			handle(p, peers, e.ctx);
		if (deadline_left(look) == 0)
			look = look_around(p, &late);
		rest_return(p);
	}
	return 0;
}

static int
parse_max(const char *text, size_t *max)
{
	uint64_t n;

	if (num_parse(bytes_str(text), 1, RESTS_MAX, &n) == -1)
		return -1;
	*max = (size_t)n;
	return 0;
}

static void
idle_init(struct idle *p, struct arena *a, struct source *listener,
    struct source *watches)
{
	const struct limiter_window w = { .limits = { (unsigned int)p->each },
	    .entries = LIMITER_MASKS * RESTS_MAX };

	p->addresses = limiter_new(&w, 1);
	p->spoken.end = &p->spoken.first;
	p->told.end = &p->told.first;
	p->imap_path = arena_printf(a, "%s/imap", dir_run());
	p->accounts_path = arena_printf(a, "%s/accounts/", dir_var());
	(void)snprintf(p->feed_name, sizeof(p->feed_name), "%ld.idle",
	    (long)getpid());		/* fits */
	p->watches = os_watches_new();	/* -1: all is polled */
	if ((p->events = os_events_new()) == -1 ||
	    os_events_add(p->events, STDIN_FILENO, OS_EVENT_READ, listener)
	    == -1 || (p->watches != -1 && os_events_add(p->events,
	    p->watches, OS_EVENT_READ, watches) == -1))
		msg_diesys(EXIT_TEMP, "cannot wait for events");
}

int
main(int argc, char *argv[])
{
	struct source listener = { SOURCE_LISTENER, NULL };
	struct source watches = { SOURCE_WATCHES, NULL };
	struct idle *p = mem_zalloc(1, sizeof(*p));
	struct arena a = ARENA_INIT;
	struct server_peers peers;
	sigset_t unblocked;
	int c;

	msg_init("imap-idle");
	p->max = RESTS_MAX;
	p->each = EACH_MAX;
	while ((c = getopt(argc, argv, "c:e:")) != -1) {
		if (c != 'c' && c != 'e')
			msg_die(EXIT_PERM, "%s", usage);
		if (parse_max(optarg, c == 'c' ? &p->max : &p->each) == -1)
			msg_die(EXIT_PERM, "cannot hold %s connections: 1 to "
			    "%d", optarg, RESTS_MAX);
	}
	if (argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	if (os_is_listening(STDIN_FILENO) != 1)
		msg_die(EXIT_PERM, "descriptor 0 is not a listening socket");
	if (server_peers_load(&peers) == -1)
		return EXIT_PERM;
	raise_files(p);
	take_signals(&unblocked);
	idle_init(p, &a, &listener, &watches);
	enter_sandbox(&a);
	if (serve(p, &peers, &unblocked) == -1)
		msg_diesys(EXIT_TEMP, "cannot wait for clients");
	rest_end(p);
	free(p->rests);
	limiter_free(p->addresses);
	free(p);
	arena_free(&a);
	return EXIT_YES;
}
