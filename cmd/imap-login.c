/*
 * imap-login - IMAP from greeting to login, then hands the client over
 *
 * It parses strangers' bytes and owns nothing: auth-serve decides, and
 * imap-serve, which gets the client's descriptor with a ticket, has the
 * mail.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "config/config.h"
#include "imap/imap.h"
#include "os/os.h"
#include "sasl/sasl.h"
#include "server/server.h"

static const char usage[] = "usage: imap-login";

/* How long our own services may take. */
#define SERVICE_MS 30000
/* All of a client's time before login, in login time-outs. */
#define PATIENCE 10
#define FAILURES_MAX 20
/* Failures before each further attempt waits (BEHAVIOUR 9, U-12). */
#define FAILURES_FREE 3
#define MEMORY_BYTES ((uint64_t)256 * 1024 * 1024)
#define FILES_MAX 64

struct program {
	struct config *config;
	struct os_sandbox sandbox;
	struct server server;
	char config_file[1024];
	char auth_path[1024], imap_path[1024];
};

/* One client. */
struct login {
	struct program *program;
	struct server_conn *conn;
	struct imap_login *machine;
	struct sasl_client *auth;
	int64_t timeout_ms, until;
	char session[24];
};

static bool
plain_allowed(const struct config *c, const struct server_conn *conn)
{
	struct bytes v = config_get_text(c, "imap", NULL, "plain-login");

	if (bytes_eq(v, BYTES("yes")))
		return true;
	if (bytes_eq(v, BYTES("no")))
		return false;
	return conn->remote.family == 0 || ip_is_loopback(&conn->remote);
}

static int
flush(struct login *l)
{
	struct buf *out = imap_login_output(l->machine);

	if (out->n > 0 && io_write_all(l->conn->out, buf_bytes(out),
	    deadline_in(l->timeout_ms)) == -1)
		return -1;
	buf_reset(out);
	return 0;
}

/* Read some of what the client sends. 1, 0 it closed, -1. */
static int
read_more(struct login *l)
{
	int64_t deadline = deadline_in(l->timeout_ms);
	unsigned char text[4096];
	ssize_t n;

	if (deadline > l->until)
		deadline = l->until;
	n = io_read_some(l->conn->in, text, sizeof(text), deadline);
	if (n > 0)
		imap_login_input(l->machine, bytes_of(text, (size_t)n));
	secret_wipe(text, sizeof(text));
	return n > 0 ? 1 : (int)n;
}

/* ---- handing over ---- */

static int
send_handover(struct login *l, struct buf *b)
{
	int64_t deadline = deadline_in(SERVICE_MS);
	int s = os_connect_unix(l->program->imap_path, deadline);
	const int fds[2] = { l->conn->in, l->conn->out };
	struct bytes rest = buf_bytes(b), first = bytes_first(rest, 65536);
	int r, saved;

	if (s == -1)
		return -1;
	r = os_send_fds(s, first, fds, fds[0] == fds[1] ? 1 : 2);
	if (r != -1)
		r = io_write_all(s, bytes_from(rest, first.n), deadline);
	saved = errno;
	(void)close(s);		/* everything was accepted by the kernel */
	errno = saved;
	return r;
}

static int
hand_over(struct login *l, const char *ticket)
{
	char remote[IP_TEXT_MAX], local[IP_TEXT_MAX];
	struct buf b = BUF_INIT(IMAP_HANDOVER_MAX);
	struct imap_handover h = {
		.ticket = bytes_str(ticket),
		.tag = imap_login_tag(l->machine),
		.session = bytes_str(l->session),
		.remote_ip = bytes_str(ip_format(&l->conn->remote, remote)),
		.local_ip = bytes_str(ip_format(&l->conn->local, local)),
		.pending = imap_login_pending(l->machine),
	};
	int r = imap_handover_format(&h, &b);

	if (r == 0)
		r = send_handover(l, &b);
	buf_free(&b);
	if (r == -1) {
		msg_warnsys("cannot hand over to %s", l->program->imap_path);
		imap_login_failed(l->machine, "UNAVAILABLE",
		    "mail service is unavailable");
	}
	return r;
}

/* ---- asking auth-serve ---- */

static void
unavailable(struct login *l)
{
	msg_warnsys("cannot ask %s", l->program->auth_path);
	sasl_client_close(l->auth);
	l->auth = NULL;
	imap_login_failed(l->machine, "UNAVAILABLE",
	    "authentication is unavailable");
}

/* 1 handed over, 0 go on. */
static int
handle_reply(struct login *l, struct sasl_reply *reply)
{
	int handed = 0;

	switch (reply->kind) {
	case SASL_REPLY_OK:
		handed = hand_over(l, reply->ticket) == 0;
		break;
	case SASL_REPLY_CONT:
		imap_login_challenge(l->machine, bytes_str(reply->challenge));
		break;
	case SASL_REPLY_FAIL:
		imap_login_failed(l->machine, reply->temporary ? "UNAVAILABLE"
		    : reply->disabled ? "CONTACTADMIN"
		    : "AUTHENTICATIONFAILED", reply->reason);
		break;
	}
	secret_wipe(reply, sizeof(*reply));
	return handed;
}

static void
slow_down(const struct login *l)
{
	unsigned int failures = imap_login_failures(l->machine);
	struct timespec t = { 0, 0 };

	if (failures < FAILURES_FREE)
		return;
	t.tv_sec = (time_t)failures - FAILURES_FREE + 1;
	(void)nanosleep(&t, NULL);	/* shorter after a signal: harmless */
}

static int
authenticate(struct login *l, bool begin)
{
	int64_t deadline;
	struct sasl_reply reply;
	char mech[32];
	struct bytes name = imap_login_mechanism(l->machine);
	struct sasl_params params = { .mech = mech, .service = "imap",
	    .remote = &l->conn->remote, .local = &l->conn->local,
	    .session = l->session, .ticket = true };
	int r;

	(void)snprintf(mech, sizeof(mech), "%.*s",
	    BYTES_ARG(name));		/* at most 31 */
	if (begin)
		slow_down(l);
	deadline = deadline_in(SERVICE_MS);
	if (l->auth == NULL)
		l->auth = sasl_client_open(l->program->auth_path, deadline);
	if (l->auth == NULL) {
		unavailable(l);
		return 0;
	}
	r = begin ? sasl_client_auth(l->auth, &params,
	    imap_login_response64(l->machine),
	    imap_login_has_response(l->machine), deadline, &reply)
	    : sasl_client_continue(l->auth,
	    imap_login_response64(l->machine), deadline, &reply);
	if (r == -1) {
		unavailable(l);
		return 0;
	}
	return handle_reply(l, &reply);
}

/* ---- the connection ---- */

/* 1 handed over or done, 0 the client went away, -1 errno. */
static int
talk(struct login *l)
{
	int r;

	for (;;) {
		enum imap_login_action a = imap_login_step(l->machine);

		if (imap_login_failures(l->machine) >= FAILURES_MAX &&
		    a == IMAP_LOGIN_READ) {
			imap_login_bye(l->machine, NULL,
			    "too many failed logins");
			a = IMAP_LOGIN_CLOSE;
		}
		if (flush(l) == -1)
			return -1;
		switch (a) {
		case IMAP_LOGIN_READ:
			if ((r = read_more(l)) != 1)
				return r;
			break;
		case IMAP_LOGIN_AUTH:
		case IMAP_LOGIN_CONTINUE:
			if (authenticate(l, a == IMAP_LOGIN_AUTH) == 1)
				return 1;
			break;
		case IMAP_LOGIN_CANCEL:
			/* An auth-serve that is gone forgot it anyway. */
			if (l->auth != NULL)
				(void)sasl_client_cancel(l->auth,
				    deadline_in(SERVICE_MS));
			break;
		case IMAP_LOGIN_CLOSE:
			return 1;
		}
	}
}

static int
serve(struct server_conn *conn, void *ctx)
{
	struct program *p = ctx;
	struct imap_login_options o = { .mechanisms = "PLAIN LOGIN",
	    .plain_login = plain_allowed(p->config, conn) };
	struct login l = { .program = p, .conn = conn };
	int r;

	if (os_sandbox_enter(&p->sandbox) == -1) {
		msg_warnsys("cannot enter sandbox");
		return EXIT_TEMP;
	}
	if (conn->is_socket && conn->remote.family != 0)
		(void)os_nodelay(conn->out);	/* slower without, no more */
	l.timeout_ms = (int64_t)config_get_duration(p->config, "imap", NULL,
	    "login-timeout") * 1000;
	l.until = deadline_in(PATIENCE * l.timeout_ms);
	(void)snprintf(l.session, sizeof(l.session), "%llu",
	    (unsigned long long)conn->id);	/* 20 digits at most */
	l.machine = imap_login_new(&o);
	r = talk(&l);
	if (r == -1 && errno == ETIMEDOUT) {
		imap_login_bye(l.machine, NULL, "time-out");
		r = flush(&l) == 0 ? 1 : -1;
	}
	sasl_client_close(l.auth);
	imap_login_free(l.machine);
	return r == -1 && errno != ECONNRESET && errno != EPIPE
	    ? EXIT_TEMP : EXIT_YES;
}

static int
prepare(void *ctx)
{
	struct program *p = ctx;
	struct config *c = config_open();
	uint64_t open[3], rate[3];
	size_t i;

	if (c == NULL) {
		msg_warnsys("cannot open configuration");
		return -1;
	}
	config_close(p->config);
	p->config = c;
	config_get_three(c, "server", NULL, "open-limits", open);
	config_get_three(c, "server", NULL, "rate-limits", rate);
	for (i = 0; i < 3; i++) {
		p->server.limits.open[i] = (unsigned int)open[i];
		p->server.limits.per_minute[i] = (unsigned int)rate[i];
	}
	p->server.limits.children = (unsigned int)config_get_num(c, "server",
	    NULL, "connections-max");
	return 0;
}

static void
set_path(char *to, size_t size, const char *dir, const char *name)
{
	int n = snprintf(to, size, "%s/%s", dir, name);

	if (n < 0 || (size_t)n >= size)
		msg_die(EXIT_PERM, "path of %s is too long", name);
}

int
main(int argc, char *argv[])
{
	struct program p = { 0 };
	int r;

	msg_init("imap-login");
	if (getopt(argc, argv, "") != -1 || argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	set_path(p.config_file, sizeof(p.config_file), dir_var(),
	    "config.cdb");
	set_path(p.auth_path, sizeof(p.auth_path), dir_run(), "auth");
	set_path(p.imap_path, sizeof(p.imap_path), dir_run(), "imap");
	if (os_sandbox_make(&p.sandbox, OS_SANDBOX_NET) == -1)
		msg_diesys(EXIT_TEMP, "cannot make sandbox");
	p.sandbox.memory_bytes = MEMORY_BYTES;
	p.sandbox.files = FILES_MAX;
	p.server = (struct server){
		.name = "imap-login",
		.refusal = "* BYE too many connections, try later\r\n",
		.prepare = prepare,
		.serve = serve,
		.ctx = &p,
		.watch_file = p.config_file,
		.notify_fd = -1,
		.grace_ms = 2000,
	};
	r = server_run(&p.server);
	config_close(p.config);
	free(p.sandbox.filter);
	return r;
}
