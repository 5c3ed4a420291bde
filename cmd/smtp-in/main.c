/*
 * smtp-in - SMTP to a checked message handed over by LMTP
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "dkim/dkim.h"
#include "os/os.h"
#include "smtp_in.h"

static const char usage[] = "usage: smtp-in";

/* A message and a few copies of it while checks work on it. */
#define MEMORY_BASE ((uint64_t)512 * 1024 * 1024)
#define MEMORY_COPIES 6
#define FILES_MAX 256

struct program {
	struct smtp_settings settings;
	struct os_sandbox sandbox;
	struct server server;
};

static int
make_sandbox(struct program *p)
{
	bool filters = p->settings.stages.has_filters;
	struct os_sandbox new;

	if (os_sandbox_make(&new, filters ? OS_SANDBOX_FILTERS
	    : OS_SANDBOX_NET) == -1)
		return -1;
	free(p->sandbox.filter);
	p->sandbox = new;
	p->sandbox.files = FILES_MAX;
	p->sandbox.memory_bytes = filters ? 0 : MEMORY_BASE +
	    MEMORY_COPIES * p->settings.smtp.size_limit;
	return 0;
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
	smtp_settings_limits(&p->settings, &p->server.limits);
	p->server.refusal = p->settings.refusal;
	p->server.watch_file = p->settings.config_file;
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

static int
serve(struct server_conn *conn, void *ctx)
{
	struct program *p = ctx;
	struct receiver r = { .settings = &p->settings, .conn = conn };
	struct smtp_session s = {
		.options = p->settings.smtp,
		.in = conn->in,
		.out = conn->out,
		.is_socket = conn->is_socket,
		.line_timeout_ms = p->settings.line_timeout_ms,
		.data_timeout_ms = p->settings.data_timeout_ms,
		.spool_dir = p->settings.spool_dir,
		.ctx = &r,
		.rcpt = receive_rcpt,
		.message = receive_message,
		.refused = receive_refused,
	};
	struct arena path = ARENA_INIT;
	int err;

	if (os_sandbox_enter(&p->sandbox) == -1) {
		msg_warnsys("cannot enter sandbox");
		return EXIT_TEMP;
	}
	if (conn->remote.family != 0 && conn->is_socket)
		(void)os_nodelay(conn->out);	/* slower without, no more */
	r.remote_host = conn->inherited ? bytes_str(env_get("TCPREMOTEHOST"))
	    : BYTES_EMPTY;
	relay_init(&r.relay, arena_printf(&path, "%s/lmtp", dir_run()),
	    s.options.hostname);
	err = smtp_session_run(&s) == -1 ? errno : 0;
	log_end_of_session(conn, &r, s.end, err);
	relay_close(&r.relay);
	arena_free(&r.job);
	arena_free(&path);
	return err == 0 || err == EPROTO ? EXIT_YES : EXIT_TEMP;
}

int
main(int argc, char *argv[])
{
	struct program p = { 0 };
	int code;

	msg_init("smtp-in");
	if (getopt(argc, argv, "") != -1 || argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	dkim_init();
	p.server = (struct server){
		.name = "smtp-in",
		.prepare = prepare,
		.serve = serve,
		.ctx = &p,
		.notify_fd = -1,
		.grace_ms = 3000,
	};
	code = server_run(&p.server);
	smtp_settings_free(&p.settings);
	free(p.sandbox.filter);
	return code;
}
