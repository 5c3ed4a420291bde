/*
 * auth-serve - decides logins, the only reader of password verifiers
 *
 * One process, one loop: tickets and clients are in its memory. A login
 * costs a few milliseconds of key derivation; clients take turns, one line
 * each, so that none waits for more than one login of every other.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "os/os.h"
#include "sasl/sasl.h"

static const char usage[] = "usage: auth-serve";

/* Clients: login processes, and each MTA process that asks. */
#define CLIENTS_MAX 1000
#define READ_SIZE 4096

struct client {
	int in, out;
	struct sasl_peer *peer;		/* NULL: free */
	bool closing;			/* no more input */
};

struct program {
	struct config *config;
	struct sasl_db *db;
	struct sasl_backend backend;
	struct client client[CLIENTS_MAX];
	size_t used;			/* clients below this may be in use */
	uint64_t connections;
	bool listening;
	sigset_t unblocked;
};

static volatile sig_atomic_t got_stop;

static void
on_stop(int signo)
{
	(void)signo;
	got_stop = 1;
}

/* ---- deciding ---- */

/* A configuration that cannot be read now: the old one stays in use. */
static void
refresh_config(struct program *p)
{
	struct config *c;

	if (p->config != NULL && config_replaced(p->config) != 1)
		return;
	if ((c = config_open()) == NULL) {
		msg_warnsys("cannot open configuration");
		return;
	}
	config_close(p->config);
	p->config = c;
}

static void
login(void *ctx, struct bytes authzid, struct bytes authcid,
    struct bytes password, struct sasl_outcome *out)
{
	struct program *p = ctx;

	refresh_config(p);
	if (p->config == NULL) {
		*out = (struct sasl_outcome){ .result = SASL_TEMPORARY,
		    .reason = "authentication is unavailable",
		    .why = "no configuration" };
		return;
	}
	sasl_login(p->config, p->db, authzid, authcid, password, out);
}

static void
ended(void *ctx, const struct sasl_outcome *out, struct bytes authcid,
    const char *mech, struct bytes service, struct bytes ip,
    struct bytes session)
{
	bool good = out->result == SASL_OK;
	struct logline l;

	(void)ctx;
	log_begin(&l, good ? LOG_INFO : LOG_WARN,
	    good ? "login" : "login-failed");
	log_bytes(&l, "service", service);
	log_bytes(&l, "ip", ip);
	log_bytes(&l, "user", authcid);
	if (good)
		log_str(&l, "account", out->account);
	log_str(&l, "mech", mech);
	log_bytes(&l, "cid", session);
	if (!good)
		log_str(&l, "why", out->why);
	log_end(&l);
}

/* ---- clients ---- */

static void
client_add(struct program *p, int in, int out)
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
	    .peer = sasl_peer_new(&p->backend, (uint32_t)getpid(),
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
take_turns(struct program *p)
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
		    sasl_peer_output(c->peer)->n == 0))
			client_close(c);
	}
	return more;
}

/* ---- the loop ---- */

static size_t
fill_poll(struct program *p, struct pollfd *fds, size_t *who)
{
	size_t i, n = 0;

	if (p->listening) {
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
handle_ready(struct program *p, const struct pollfd *fd, size_t who)
{
	struct client *c;
	int s;

	if (fd->revents == 0)
		return;
	if (who == CLIENTS_MAX) {
		s = os_accept(STDIN_FILENO);
		if (s != -1)
			client_add(p, s, s);
		else if (errno != EAGAIN && errno != EINTR)
			msg_warnsys("cannot accept");
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

static int
serve(struct program *p)
{
	struct pollfd fds[2 * CLIENTS_MAX + 1];
	size_t who[2 * CLIENTS_MAX + 1];
	const struct timespec now = { 0, 0 };
	bool more = true;
	size_t i, n;

	while (!got_stop) {
		n = fill_poll(p, fds, who);
		if (n == 0 && !more)
			break;		/* the one client is done */
		if (ppoll(fds, n, more ? &now : NULL, &p->unblocked) == -1) {
			if (errno != EINTR)
				return -1;
			continue;
		}
		for (i = 0; i < n; i++)
			handle_ready(p, &fds[i], who[i]);
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
take_signals(struct program *p)
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

static int64_t
now_ms(void)
{
	return time_mono_ms();
}

int
main(int argc, char *argv[])
{
	struct program *p = mem_zalloc(1, sizeof(*p));
	int listening;

	msg_init("auth-serve");
	if (getopt(argc, argv, "") != -1 || argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	if ((p->db = sasl_db_open(dir_var(), true)) == NULL)
		msg_diesys(exit_for(errno), "cannot open %s/auth", dir_var());
	refresh_config(p);
	p->backend = (struct sasl_backend){ .ctx = p, .login = login,
	    .ended = ended, .tickets = sasl_tickets_new(), .now_ms = now_ms };
	if ((listening = os_is_listening(STDIN_FILENO)) == -1)
		msg_diesys(EXIT_TEMP, "cannot use descriptor 0");
	p->listening = listening == 1;
	take_signals(p);
	if (!p->listening)
		client_add(p, STDIN_FILENO, STDOUT_FILENO);
	if (serve(p) == -1)
		msg_diesys(EXIT_TEMP, "cannot wait for clients");
	sasl_tickets_free(p->backend.tickets);
	sasl_db_close(p->db);
	config_close(p->config);
	free(p);
	return EXIT_YES;
}
