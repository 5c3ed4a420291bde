/*
 * auth-serve - decides logins, the only reader of password verifiers
 *
 * One process, one loop: tickets and clients are in its memory. A login
 * costs a few milliseconds of key derivation; clients take turns, one line
 * each, so that none waits for more than one login of every other.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth_serve.h"
#include "os/os.h"
#include "server/server.h"

static const char usage[] = "usage: auth-serve";

/* Clients: login processes, and each MTA process that asks. */
#define CLIENTS_MAX 1000
#define READ_SIZE 4096
#define ACCEPT_PAUSE_MS 100	/* when the system has no descriptors left */

struct client {
	int in, out;
	struct sasl_peer *peer;		/* NULL: free */
	bool closing;			/* no more input */
};

struct service {
	struct program program;
	struct client client[CLIENTS_MAX];
	size_t used;			/* clients below this may be in use */
	uint64_t connections;
	bool listening;
	int64_t accept_at;		/* not before; 0: at once */
	struct server_peers peers;
	sigset_t unblocked;
};

static volatile sig_atomic_t got_stop;

static void
on_stop(int signo)
{
	(void)signo;
	got_stop = 1;
}

/* ---- clients ---- */

static void
client_add(struct service *p, int in, int out)
{
	size_t i = 0;

	while (i < CLIENTS_MAX && p->client[i].peer != NULL)
		i++;
	if (i == CLIENTS_MAX) {
		msg_warn("too many clients");
		(void)close(in);	/* it was just made */
		return;
	}
	p->client[i] = (struct client){ .in = in, .out = out,
	    .peer = sasl_peer_new(&p->program.backend, (uint32_t)getpid(),
	    ++p->connections) };
	if (p->used <= i)
		p->used = i + 1;
}

static void
client_close(struct client *c)
{
	sasl_peer_free(c->peer);
	(void)close(c->in);	/* nothing was left to write */
	c->peer = NULL;
}

static void
client_read(struct client *c)
{
	unsigned char text[READ_SIZE];
	size_t room = sasl_peer_room(c->peer);
	ssize_t n = read(c->in, text, room < READ_SIZE ? room : READ_SIZE);

	if (n > 0)
		sasl_peer_input(c->peer, bytes_of(text, (size_t)n));
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		c->closing = true;
	secret_wipe(text, sizeof(text));
}

static void
client_write(struct client *c)
{
	struct buf *out = sasl_peer_output(c->peer);
	ssize_t n = write(c->out, out->p, out->n);

	if (n > 0) {
		secret_wipe(out->p, (size_t)n);
		buf_drop(out, (size_t)n);
	} else if (n == -1 && errno != EAGAIN && errno != EINTR) {
		buf_reset(out);
		c->closing = true;
	}
}

/* One line of each client; true if there may be more. */
static bool
take_turns(struct service *p)
{
	bool more = false;
	size_t i;

	for (i = 0; i < p->used; i++) {
		struct client *c = &p->client[i];
		int r;

		if (c->peer == NULL)
			continue;
		r = sasl_peer_step(c->peer);
		if (r == -1) {
			msg_warnsys("cannot serve client");
			buf_reset(sasl_peer_output(c->peer));
		}
		more = more || r == 1;
		if (sasl_peer_output(c->peer)->n > 0)
			client_write(c);
		if (r == -1 || (c->closing && r == 0 &&
		    !sasl_peer_waits(c->peer) &&
		    sasl_peer_output(c->peer)->n == 0))
			client_close(c);
	}
	return more;
}

/* ---- the loop ---- */

static size_t
fill_poll(struct service *p, struct pollfd *fds, size_t *who)
{
	size_t i, n = 0;

	if (p->listening && deadline_left(p->accept_at) == 0) {
		fds[n] = (struct pollfd){ .fd = STDIN_FILENO,
		    .events = POLLIN };
		who[n++] = CLIENTS_MAX;
	}
	for (i = 0; i < p->used; i++) {
		struct client *c = &p->client[i];

		if (c->peer == NULL)
			continue;
		if (!c->closing && sasl_peer_room(c->peer) > 0) {
			fds[n] = (struct pollfd){ .fd = c->in,
			    .events = POLLIN };
			who[n++] = i;
		}
		if (sasl_peer_output(c->peer)->n > 0) {
			fds[n] = (struct pollfd){ .fd = c->out,
			    .events = POLLOUT };
			who[n++] = i;
		}
	}
	return n;
}

static void
handle_ready(struct service *p, const struct pollfd *fd, size_t who)
{
	struct client *c;
	int s;

	if (fd->revents == 0)
		return;
	if (who == CLIENTS_MAX) {
		s = os_accept(STDIN_FILENO);
		if (s != -1 && server_peer_allowed(&p->peers, s))
			client_add(p, s, s);
		else if (s != -1)
			(void)close(s);		/* not for it */
		else if (errno != EAGAIN && errno != EINTR) {
			msg_warnsys("cannot accept");
			p->accept_at = deadline_in(ACCEPT_PAUSE_MS);
		}
		return;
	}
	c = &p->client[who];
	if (c->peer == NULL)
		return;
	if ((fd->events & POLLOUT) != 0)
		client_write(c);
	else
		client_read(c);
}

/* Until when poll may wait: NULL for ever. */
static struct timespec *
wait_time(struct service *p, bool more, struct timespec *t)
{
	int64_t deadline = check_late(&p->program);
	int left;

	if (deadline_left(p->accept_at) > 0 && p->accept_at < deadline)
		deadline = p->accept_at;
	if (p->program.attempts > 0 && p->program.write_at < deadline)
		deadline = p->program.write_at;
	left = more ? 0 : deadline_left(deadline);
	if (left == -1)
		return NULL;
	t->tv_sec = left / 1000;
	t->tv_nsec = left % 1000 * 1000000L;
	return t;
}

#define FDS_MAX (2 * CLIENTS_MAX + 1 + CHECKS_MAX)

static int
serve(struct service *p)
{
	struct pollfd fds[FDS_MAX];
	size_t who[FDS_MAX];
	struct timespec t;
	bool more = true;
	size_t i, n, checks;

	while (!got_stop) {
		struct timespec *wait = wait_time(p, more, &t);

		n = fill_poll(p, fds, who);
		checks = check_poll(&p->program, fds + n, who + n);
		if (n + checks == 0 && !more && !p->listening)
			break;		/* the one client is done */
		if (ppoll(fds, n + checks, wait, &p->unblocked) == -1) {
			if (errno != EINTR)
				return -1;
			continue;
		}
		for (i = 0; i < n; i++)
			handle_ready(p, &fds[i], who[i]);
		for (; i < n + checks; i++) {
			if (fds[i].revents != 0)
				check_ready(&p->program, who[i]);
		}
		if (p->program.attempts > 0 &&
		    deadline_left(p->program.write_at) == 0)
			attempts_write(&p->program);
		more = take_turns(p);
	}
	for (i = 0; i < p->used; i++) {
		if (p->client[i].peer != NULL)
			client_close(&p->client[i]);
	}
	return 0;
}

/* SIGTERM and SIGINT arrive in ppoll(2) only. */
static void
take_signals(struct service *p)
{
	struct sigaction sa = { .sa_handler = on_stop };
	sigset_t block;

	(void)sigemptyset(&block);	/* none of these can fail */
	(void)sigaddset(&block, SIGTERM);
	(void)sigaddset(&block, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &block, &p->unblocked);
	(void)sigdelset(&p->unblocked, SIGTERM);
	(void)sigdelset(&p->unblocked, SIGINT);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
}

/*
 * Verifiers are all that it changes. It reads what its user may: the
 * configuration and the keys of token issuers, files that are replaced; beside
 * these is the FIFO by which it asks for newer ones.
 */
static void
enter_sandbox(void)
{
	struct os_sandbox sandbox;
	struct arena a = ARENA_INIT;

	/* What is not there now stays out of reach; where users differ it was
	 * made with the others' folders, and this fails. */
	(void)mkdir(arena_printf(&a, "%s/" JWT_DIR, dir_var()), 0750);
	if (os_sandbox_make(&sandbox, OS_SANDBOX_NET) == -1 ||
	    os_reach_begin(&sandbox.reach, OS_REACH_READ) == -1 ||
	    os_reach_path(&sandbox.reach, arena_printf(&a, "%s/auth",
	    dir_var()), OS_REACH_WRITE) == -1 ||
	    os_reach_path(&sandbox.reach, arena_printf(&a, "%s/" JWT_DIR,
	    dir_var()), OS_REACH_WRITE) == -1 ||
	    os_sandbox_enter(&sandbox) == -1)
		msg_diesys(EXIT_TEMP, "cannot enter the sandbox");
	os_sandbox_free(&sandbox);
	arena_free(&a);
}

int
main(int argc, char *argv[])
{
	struct service *p = mem_zalloc(1, sizeof(*p));
	int listening;

	msg_init("auth-serve");
	if (getopt(argc, argv, "") != -1 || argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	if (os_no_dump() == -1)
		msg_diesys(EXIT_TEMP, "cannot protect memory");
	if ((listening = os_is_listening(STDIN_FILENO)) == -1)
		msg_diesys(EXIT_TEMP, "cannot use descriptor 0");
	if (starter_start(&p->program.starter) == -1)
		msg_diesys(EXIT_TEMP, "cannot start a process");
	if ((p->program.db = sasl_db_open(dir_var(), true)) == NULL)
		msg_diesys(exit_for(errno), "cannot open %s/auth", dir_var());
	decide_init(&p->program, listening == 1);
	p->listening = listening == 1;
	if (p->listening && server_peers_load(&p->peers) == -1)
		return EXIT_PERM;
	take_signals(p);
	enter_sandbox();
	if (!p->listening)
		client_add(p, STDIN_FILENO, STDOUT_FILENO);
	if (serve(p) == -1)
		msg_diesys(EXIT_TEMP, "cannot wait for clients");
	decide_free(&p->program);
	sasl_db_close(p->program.db);
	starter_stop(&p->program.starter);
	free(p);
	return EXIT_YES;
}
