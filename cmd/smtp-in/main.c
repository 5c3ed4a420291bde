/*
 * smtp-in - SMTP to a checked message handed over by LMTP
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "dkim/dkim.h"
#include "os/os.h"
#include "smtp_in.h"

static const char usage[] = "usage: smtp-in [-Pst]";

/* A message and a few copies of it while checks work on it. */
#define MEMORY_BASE ((uint64_t)512 * 1024 * 1024)
#define MEMORY_COPIES 6
#define FILES_MAX 256

struct program {
	struct relay_file text;		/* from one session to the next */
	struct smtp_settings settings;
	struct os_sandbox sandbox;
	struct server server;
	struct front_options front;
	bool submission;
	bool tls_at_rcpt;
	char tls_path[1024], auth_path[1024], lmtp_path[1024];
	char queue_path[1024];
};

static int
make_sandbox(struct program *p)
{
	bool filters = p->settings.stages.has_filters;
	struct os_sandbox new;

	if (os_sandbox_make(&new, filters ? OS_SANDBOX_FILTERS
	    : OS_SANDBOX_NET) == -1)
		return -1;
	/* Filters, others' programs, may need any file their user may. */
	if (!filters && (os_reach_begin(&new.reach, 0) == -1 ||
	    smtp_settings_reach(&p->settings, &new.reach) == -1)) {
		os_sandbox_free(&new);
		return -1;
	}
	os_sandbox_free(&p->sandbox);
	p->sandbox = new;
	p->sandbox.files = FILES_MAX;
	p->sandbox.memory_bytes = filters ? 0 : MEMORY_BASE +
	    MEMORY_COPIES * p->settings.smtp.size_limit;
	return 0;
}

/* Does a domain or the host take reports on failures of TLS, which have to come
 * in when TLS fails (RFC 8460 3)? */
static bool
takes_tls_reports(const struct config *c)
{
	struct config_list names;
	struct bytes name;

	if (config_get_text(c, "server", NULL, "tls-reports").n > 0)
		return true;
	config_names(c, "domain", &names);
	while (config_list_next(&names, &name)) {
		if (config_get_text(c, "domain", (const char *)name.p,
		    "tls-reports").n > 0)
			return true;
	}
	return false;
}

static void
set_options(struct program *p)
{
	const struct config *c = p->settings.config;
	struct smtp_options *o = &p->settings.smtp;

	o->submission = o->dsn = o->binary = p->submission;
	o->ask_mail = true;
	o->ask_helo = !p->submission;
	if (p->submission) {
		o->auth_in_clear = config_get_bool(c, "submission", NULL,
		    "no-require-starttls");
		/* checks are for mail of strangers */
		p->settings.stages = (struct stage_list){ 0 };
		p->settings.asks_dns = false;
	} else {
		o->require_tls = config_get_bool(c, "smtp-in", NULL,
		    "require-starttls");
		p->tls_at_rcpt = o->require_tls && takes_tls_reports(c);
		if (p->tls_at_rcpt)
			o->require_tls = false;
	}
	p->front.timeout_ms = (int64_t)config_get_duration(c, "tls", NULL,
	    "handshake-timeout") * 1000;
	p->front.certificates = front_certificates();
}

/*
 * How many connections of an address one process serves. Whoever took it over
 * must not get at more than comes from there to an SMTP server anyway: no
 * passwords, not what TLS kept from others on the way, no other client of a
 * proxy. Filters may leave anything behind.
 */
static unsigned int
connections_per_process(const struct program *p)
{
	if (p->submission || p->front.implicit || p->front.proxied ||
	    p->settings.stages.has_filters)
		return 1;
	return (unsigned int)config_get_num(p->settings.config, "smtp-in",
	    NULL, "connections-per-process");
}

static int
prepare(void *ctx)
{
	struct program *p = ctx;
	const char *why;
	int err;

	if (smtp_settings_load(&p->settings, false, "smtp-in", "stages-in",
	    &why) == -1) {
		err = errno;
		msg_warnsys("cannot load configuration: %s", why);
		errno = err;
		return -1;
	}
	set_options(p);
	front_limits(p->settings.config, p->front.proxied, &p->server.limits);
	p->server.refusal = p->front.implicit ? "" : p->settings.refusal;
	p->server.watch_file = p->settings.config_file;
	p->server.keep_address = connections_per_process(p);
	return make_sandbox(p);
}

static void
log_end_of_session(const struct server_conn *conn, const struct receiver *r,
    const char *end, int err)
{
	struct logline l;
	char ip[IP_TEXT_MAX];

	log_begin(&l, err == EPROTO ? LOG_INFO : LOG_DEBUG, "disconnected");
	log_num(&l, "cid", (int64_t)conn->id);
	log_str(&l, "ip", ip_format(&conn->remote, ip));
	log_num(&l, "messages", r->messages);
	log_str(&l, "why", end);
	log_end(&l);
}

/* BEHAVIOUR 8: too many logins failed from there to begin a session. */
static void
turn_away(const struct smtp_session *s)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "421 4.7.0 %.*s too many failed "
	    "logins, try again later\r\n",
	    BYTES_ARG(bytes_first(s->options.hostname, 255)));

	/* It may be gone. */
	(void)io_write_all(s->out, bytes_of(text, (size_t)n),
	    deadline_in(s->line_timeout_ms));
}

/* 0, or the errno of how the session ended. */
static int
run(struct smtp_session *s, struct receiver *r)
{
	int err = 0;

	login_options(s);
	if (r->limited) {
		turn_away(s);
		s->end = "too many failed logins";
	} else if (smtp_session_run(s) == -1) {
		err = errno;
	}
	log_end_of_session(r->conn, r, s->end, err);
	return err;
}

/* Is nothing left of the session that another one could notice? */
static bool
leaves_nothing(const struct smtp_session *s, const struct receiver *r)
{
	return s->clean && !r->front.tls && !r->big && !r->limited &&
	    r->account[0] == '\0' && r->failures == 0;
}

static int
serve(struct server_conn *conn, void *ctx)
{
	struct program *p = ctx;
	struct receiver r = { .settings = &p->settings, .conn = conn,
		.tls_at_rcpt = p->tls_at_rcpt };
	struct smtp_session s = {
		.options = p->settings.smtp,
		.in = conn->in,
		.out = conn->out,
		.is_socket = conn->is_socket,
		.line_timeout_ms = p->settings.line_timeout_ms,
		.data_timeout_ms = p->settings.data_timeout_ms,
		.spool_dir = p->settings.spool_dir,
		.ctx = &r,
		.helo = sender_helo,
		.mail = receive_mail,
		.rcpt = receive_rcpt,
		.message = receive_message,
		.refused = receive_refused,
		.tls_open = login_tls_open,
		.tls_begin = login_tls_begin,
		.auth = login_auth,
		.auth_cancel = login_auth_cancel,
	};
	int err = 0;

	if (smtp_settings_confine(&p->settings, &p->sandbox) == -1)
		return EXIT_TEMP;
	if (conn->remote.family != 0 && conn->is_socket)
		(void)os_nodelay(conn->out);	/* slower without, no more */
	r.remote_host = conn->inherited ? bytes_str(env_get("TCPREMOTEHOST"))
	    : BYTES_EMPTY;
	r.auth_path = p->auth_path;
	r.queue_path = p->queue_path;
	if (p->submission)	/* as far as HOLDFOR reaches (RFC 4865 4) */
		s.options.hold_until_max = time_wall_us() / 1000000 +
		    SMTP_HOLD_MAX_S;
	relay_init(&r.relay, p->lmtp_path, s.options.hostname, &p->text);
	front_init(&r.front, &p->front, conn);
	if (front_begin(&r.front) == 0)
		err = run(&s, &r);
	conn->last = !leaves_nothing(&s, &r);
	sasl_client_close(r.auth);
	relay_close(&r.relay);
	front_free(&r.front);
	arena_free(&r.job);
	return err == 0 || err == EPROTO ? EXIT_YES : EXIT_TEMP;
}

static void
set_path(char *to, size_t size, const char *name)
{
	int n = snprintf(to, size, "%s/%s", dir_run(), name);

	if (n < 0 || (size_t)n >= size)
		msg_die(EXIT_PERM, "path of %s is too long", name);
}

static void
set_front(struct program *p)
{
	set_path(p->tls_path, sizeof(p->tls_path), "tls");
	set_path(p->auth_path, sizeof(p->auth_path), "auth");
	set_path(p->lmtp_path, sizeof(p->lmtp_path), "lmtp");
	set_path(p->queue_path, sizeof(p->queue_path), "queue-add");
	p->front.tls_path = p->tls_path;
	p->front.listener = p->submission ? BYTES("submission")
	    : BYTES("smtp");
	p->front.client_cert = p->submission;
}

int
main(int argc, char *argv[])
{
	struct program p = { .text = { .fd = -1 } };
	int c;

	msg_init("smtp-in");
	while ((c = getopt(argc, argv, "Pst")) != -1) {
		switch (c) {
		case 'P':
			p.front.proxied = true;
			break;
		case 's':
			p.submission = true;
			break;
		case 't':
			p.front.implicit = true;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	set_front(&p);
	dkim_init();
	p.server = (struct server){
		.name = p.submission ? "submission" : "smtp-in",
		.limiter = p.front.proxied ? NULL : p.submission
		    ? "net/submission" : "net/smtp-in",
		.prepare = prepare,
		.serve = serve,
		.ctx = &p,
		.notify_fd = -1,
		.grace_ms = 3000,
	};
	c = server_run(&p.server);
	smtp_settings_free(&p.settings);
	os_sandbox_free(&p.sandbox);
	return c;
}
