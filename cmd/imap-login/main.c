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
#include <sys/socket.h>
#include <unistd.h>

#include "imap_login.h"
#include "sasl/sasl.h"

static const char usage[] = "usage: imap-login [-Pt | -u]";

#define SERVICE "imap"
/* How long our own services may take. */
#define SERVICE_MS 30000
/* All of a client's time before login, in login time-outs. */
#define PATIENCE 10
#define FAILURES_MAX 20
#define MEMORY_BYTES ((uint64_t)256 * 1024 * 1024)
#define FILES_MAX 64

/* One client. */
struct login {
	struct program *program;
	struct server_conn *conn;
	struct front front;
	struct imap_login *machine;
	struct sasl_client *auth;
	bool limited;		/* no logins from there now */
	int64_t timeout_ms, until;
	char session[24];
};

bool
plain_allowed(const struct config *c, const struct server_conn *conn)
{
	struct bytes v = config_get_text(c, "imap", NULL, "plain-login");

	if (bytes_eq(v, BYTES("yes")))
		return true;
	if (bytes_eq(v, BYTES("no")))
		return false;
	return conn->remote.family == 0 || ip_is_loopback(&conn->remote);
}

/* What the client may do on its connection as it is. */
static void
set_options(struct program *p, struct front *f, bool early,
    struct imap_login_options *o, bool *limited)
{
	o->tls = f->tls;
	o->plain_login = o->tls || plain_allowed(p->config, f->conn);
	o->starttls = front_offers_tls(f);
	if (early) {	/* announced already; who asks may still not log in */
		o->mechanisms = front_mechanisms_known(&p->mechanisms, f);
		*limited = front_limited(f, p->auth_path, SERVICE);
	} else
		o->mechanisms = front_mechanisms(f, p->auth_path, SERVICE,
		    limited);
}

static bool
is_slow(const struct login *l)
{
	return imap_login_failures(l->machine) >= FRONT_SLOW_FAILURES;
}

static int
flush(struct login *l)
{
	struct buf *out = imap_login_output(l->machine);
	int64_t deadline = deadline_in(l->timeout_ms);
	int r = 0;

	if (out->n > 0)
		r = is_slow(l) ? server_write_slow(l->conn->out,
		    buf_bytes(out), deadline) : io_write_all(l->conn->out,
		    buf_bytes(out), deadline);
	if (r == -1)
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
	if (is_slow(l))
		server_pause_slow();
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

/* With the tag of its login; without one imap-serve greets. */
static int
hand_over(struct login *l, const char *ticket)
{
	char remote[IP_TEXT_MAX], local[IP_TEXT_MAX];
	struct buf b = BUF_INIT(IMAP_HANDOVER_MAX);
	struct buf preface = BUF_INIT(PREFACE_MAX);
	struct imap_handover h = {
		.ticket = bytes_str(ticket),
		.tag = imap_login_tag(l->machine),
		.session = bytes_str(l->session),
		.remote_ip = bytes_str(ip_format(&l->conn->remote, remote)),
		.local_ip = bytes_str(ip_format(&l->conn->local, local)),
		.pending = imap_login_pending(l->machine),
	};
	int r = front_preface(&l->front, &preface);

	h.preface = buf_bytes(&preface);
	if (r == 0)
		r = imap_handover_format(&h, &b);
	if (r == 0)
		r = send_handover(l, &b);
	buf_free(&preface);
	buf_free(&b);
	if (r == -1)
		msg_warnsys("cannot hand over to %s", l->program->imap_path);
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
		if (!handed)
			imap_login_failed(l->machine, "UNAVAILABLE",
			    "mail service is unavailable");
		break;
	case SASL_REPLY_CONT:
		imap_login_challenge(l->machine, bytes_str(reply->challenge));
		break;
	case SASL_REPLY_FAIL:
		imap_login_failed(l->machine, reply->temporary ? "UNAVAILABLE"
		    : reply->disabled ? "CONTACTADMIN"
		    : "AUTHENTICATIONFAILED", reply->reason);
		if (reply->uncharged)
			imap_login_uncharge(l->machine);
		if (reply->limited)
			imap_login_bye(l->machine, "UNAVAILABLE",
			    "too many failed logins");
		break;
	}
	secret_wipe(reply, sizeof(*reply));
	return handed;
}

static int
authenticate(struct login *l, bool begin)
{
	int64_t deadline;
	struct sasl_reply reply;
	char mech[32];
	struct bytes name = imap_login_mechanism(l->machine);
	struct sasl_params params = { .mech = mech, .service = SERVICE,
	    .session = l->session, .ticket = true };
	int r;

	front_sasl(&l->front, &params);
	(void)snprintf(mech, sizeof(mech), "%.*s",
	    BYTES_ARG(name));		/* at most 31 */
	if (begin)
		front_throttle(imap_login_failures(l->machine));
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

/*
 * U-10: the key of its certificate logs the client in before it says a word;
 * imap-serve greets it with PREAUTH (RFC 3501 7.1.4). That can be a greeting
 * only, so after STARTTLS there is EXTERNAL. True: it was handed over.
 */
static bool
preauth(struct login *l)
{
	struct sasl_params params = { .service = SERVICE,
	    .session = l->session, .ticket = true };
	struct sasl_reply reply;
	bool handed;

	if (front_key_login(&l->front, l->program->auth_path, &params,
	    &reply) != 1)
		return false;
	handed = hand_over(l, reply.ticket) == 0;
	secret_wipe(&reply, sizeof(reply));
	return handed;
}

/* ---- the connection ---- */

/* STARTTLS. 0 go on, -1: the connection is of no use. */
static int
start_tls(struct login *l)
{
	struct imap_login_options o = { 0 };
	int ctl = front_open(&l->front);

	imap_login_starttls(l->machine, ctl != -1);
	if (flush(l) == -1) {
		if (ctl != -1)
			(void)close(ctl);	/* nothing was asked */
		return -1;
	}
	if (ctl == -1)
		return 0;
	sasl_client_close(l->auth);	/* it would remember */
	l->auth = NULL;
	if (front_secure(&l->front, ctl) == -1) {
		errno = ECONNRESET;	/* it was logged */
		return -1;
	}
	set_options(l->program, &l->front, false, &o, &l->limited);
	imap_login_secured(l->machine, &o);
	return 0;
}

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
		case IMAP_LOGIN_STARTTLS:
			if (start_tls(l) == -1)
				return -1;
			break;
		case IMAP_LOGIN_CLOSE:
			return 1;
		}
	}
}

/* h: another process had it before. 1, 0, -1 as talk. */
static int
run(struct login *l, const struct imap_handover *h)
{
	struct imap_login_options o = { 0 };
	bool known = h != NULL && !bytes_eq(h->tag, BYTES(IMAP_TAG_NEW));
	bool greeted = known;
	int r;

	if (h == NULL && front_begin(&l->front) == -1)
		return 1;
	if (h == NULL)
		greeted = front_greeted(&l->front);
	/* what was announced then, without asking again */
	set_options(l->program, &l->front, greeted && !known, &o,
	    &l->limited);
	l->machine = imap_login_new(&o);
	if (greeted)
		buf_reset(imap_login_output(l->machine));
	if (l->limited) {
		buf_reset(imap_login_output(l->machine));
		imap_login_bye(l->machine, "UNAVAILABLE",
		    "too many failed logins, try again later");
	} else if (!known && preauth(l)) {
		return 1;	/* the greeting is not ours */
	}
	if (h != NULL)
		imap_login_input(l->machine, h->pending);
	r = talk(l);
	if (r == -1 && errno == ETIMEDOUT) {
		imap_login_bye(l->machine, NULL, "time-out");
		r = flush(l) == 0 ? 1 : -1;
	}
	return r;
}

static int
serve(struct server_conn *conn, void *ctx)
{
	struct program *p = ctx;
	struct login l = { .program = p, .conn = conn };
	struct buf again = BUF_INIT(IMAP_HANDOVER_MAX + 65536);
	struct imap_handover h = { 0 };
	int r = -1;

	if (os_sandbox_enter(&p->sandbox) == -1) {
		msg_warnsys("cannot enter sandbox");
		return EXIT_TEMP;
	}
	if (p->again && again_receive(conn, &again, &h) == -1) {
		msg_warnsys("cannot take connection");
		buf_free(&again);
		return EXIT_TEMP;
	}
	if (conn->is_socket && conn->remote.family != 0)
		(void)os_nodelay(conn->out);	/* slower without, no more */
	l.timeout_ms = (int64_t)config_get_duration(p->config, "imap", NULL,
	    "login-timeout") * 1000;
	l.until = deadline_in(PATIENCE * l.timeout_ms);
	(void)snprintf(l.session, sizeof(l.session), "%llu",
	    (unsigned long long)conn->id);	/* 20 digits at most */
	front_init(&l.front, &p->front, conn);
	if (p->again && h.preface.n > 0 &&
	    front_take_preface(&l.front, h.preface) == -1)
		errno = EBADMSG;
	else
		r = run(&l, p->again ? &h : NULL);
	sasl_client_close(l.auth);
	imap_login_free(l.machine);
	front_free(&l.front);
	if (again.size > 0)
		secret_wipe(again.p, again.size);	/* maybe a login */
	buf_free(&again);
	return r == -1 && errno != ECONNRESET && errno != EPIPE
	    ? EXIT_TEMP : EXIT_YES;
}

/* ---- in the parent, before a client says anything ---- */

static int
prepare(void *ctx)
{
	struct program *p = ctx;
	struct config *c = config_load();

	if (c == NULL) {
		msg_warn("cannot open configuration: %s",
		    config_reason(errno));
		return -1;
	}
	config_close(p->config);
	p->config = c;
	/* with -u they come from imap-serve, which limits them */
	front_limits(c, p->front.proxied || p->again, &p->server.limits);
	p->front.timeout_ms = (int64_t)config_get_duration(c, "tls", NULL,
	    "handshake-timeout") * 1000;
	p->front.login_ms = (int64_t)config_get_duration(c, "imap", NULL,
	    "login-timeout") * 1000;
	p->front.certificates = front_certificates();
	p->mechanisms.until = 0;
	return 0;
}

static void
program_free(struct program *p)
{
	int i;

	config_close(p->config);
	free(p->sandbox.filter);
	for (i = 0; i < TLSREQ_GREETINGS; i++)
		buf_free(&p->greeting[i]);
	for (i = 0; i < 4; i++)
		buf_free(&p->clear[i]);
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
	int c, r;

	msg_init("imap-login");
	while ((c = getopt(argc, argv, "Ptu")) != -1) {
		switch (c) {
		case 'P':
			p.front.proxied = true;
			break;
		case 't':
			p.front.implicit = true;
			break;
		case 'u':
			p.again = true;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc != optind ||
	    (p.again && (p.front.proxied || p.front.implicit)))
		msg_die(EXIT_PERM, "%s", usage);
	p.front.listener = BYTES("imap");
	p.front.client_cert = true;
	p.front.tls_path = p.tls_path;
	set_path(p.config_file, sizeof(p.config_file), dir_var(),
	    "config.cdb");
	set_path(p.auth_path, sizeof(p.auth_path), dir_run(), "auth");
	set_path(p.imap_path, sizeof(p.imap_path), dir_run(), "imap");
	set_path(p.tls_path, sizeof(p.tls_path), dir_run(), "tls");
	if (os_sandbox_make(&p.sandbox, OS_SANDBOX_NET) == -1)
		msg_diesys(EXIT_TEMP, "cannot make sandbox");
	/* No file, no TCP: run/auth, run/tls and run/imap are sockets. */
	if (os_reach_begin(&p.sandbox.reach, 0) == -1)
		msg_diesys(EXIT_TEMP, "cannot make sandbox");
	p.sandbox.memory_bytes = MEMORY_BYTES;
	p.sandbox.files = FILES_MAX;
	p.server = (struct server){
		.name = "imap-login",
		.limiter = p.front.proxied || p.again ? NULL
		    : "net/imap-login",
		.refusal = p.front.implicit || p.again ? ""
		    : "* BYE too many connections, try later\r\n",
		.prepare = prepare,
		.serve = serve,
		.early = p.again ? NULL : early_hook,
		.keep_fd = p.again ? -1 : p.sandbox.reach.fd,
		.ctx = &p,
		.watch_file = p.config_file,
		.notify_fd = -1,
		.grace_ms = 2000,
	};
	r = server_run(&p.server);
	program_free(&p);
	return r;
}
