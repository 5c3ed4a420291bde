/*
 * alpn-in - several services behind one TLS port, chosen by ALPN (RFC 7301)
 *
 * On the port of HTTPS, which no firewall closes, a mail client says "imap".
 * The handshake is tls-serve's; what it says of the client, and the
 * descriptor, go to the service. Nothing of a client is read here.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "config/config.h"
#include "front/front.h"
#include "imap/imap.h"
#include "os/os.h"
#include "server/server.h"

static const char usage[] = "usage: alpn-in [-P]";

#define SERVICE_MS 10000
#define MEMORY_BYTES ((uint64_t)64 * 1024 * 1024)
#define FILES_MAX 64
#define PATH_MAX_BYTES 1024

/* In the order of our choice, among those whose socket is there. */
enum { IMAP, HTTP, SERVICES };
static const struct {
	const char *alpn, *socket;
	const char *no_service;		/* what it is called in the log */
} services[SERVICES] = {
	[IMAP] = { "imap", "imap-login", "no-imap-login" },
	[HTTP] = { "http/1.1", "http", "no-http" },
};

struct program {
	struct config *config;
	struct os_sandbox sandbox;
	struct server server;
	struct front_options front;
	char config_file[PATH_MAX_BYTES], tls_path[PATH_MAX_BYTES];
	char path[SERVICES][PATH_MAX_BYTES];
};

static void
log_refused(const struct front *f, const char *why)
{
	struct logline l;
	char ip[IP_TEXT_MAX];

	log_begin(&l, LOG_INFO, "alpn-refused");
	log_num(&l, "cid", (int64_t)f->conn->id);
	log_str(&l, "ip", ip_format(&f->conn->remote, ip));
	log_bytes(&l, "alpn", f->preface.alpn);
	log_str(&l, "why", why);
	log_end(&l);
}

/* IMAP gets what it gets from imap-serve, HTTP the preface. 0, -1. */
static int
make_message(const struct front *f, int service, struct buf *out)
{
	char remote[IP_TEXT_MAX], local[IP_TEXT_MAX], session[24];
	struct buf preface = BUF_INIT(PREFACE_MAX);
	struct imap_handover h = { .ticket = BYTES_EMPTY,
	    .tag = BYTES(IMAP_TAG_NEW), .pending = BYTES_EMPTY,
	    .remote_ip = bytes_str(ip_format(&f->conn->remote, remote)),
	    .local_ip = bytes_str(ip_format(&f->conn->local, local)) };
	int r = front_preface(f, service == IMAP ? &preface : out);

	(void)snprintf(session, sizeof(session), "%llu",
	    (unsigned long long)f->conn->id);	/* 20 digits at most */
	h.session = bytes_str(session);
	h.preface = buf_bytes(&preface);
	if (r == 0 && service == IMAP)
		r = imap_handover_format(&h, out);
	buf_free(&preface);
	return r;
}

/* The client counts for its address until it is logged in, or gone: so long
 * the service keeps the way it came. */
static void
wait_end(int s)
{
	char c;

	while (io_read_some(s, &c, 1, DEADLINE_NONE) > 0)
		continue;
}

static int
pass_on(const struct program *p, const struct front *f, int service)
{
	struct buf b = BUF_INIT(2 * PREFACE_MAX + PATH_MAX_BYTES);
	int s = os_connect_unix(p->path[service], deadline_in(SERVICE_MS));
	int r = s == -1 ? -1 : make_message(f, service, &b);

	if (r == 0)		/* it is small: one piece */
		r = os_send_fds(s, buf_bytes(&b), &f->conn->in, 1);
	if (r == 0)
		wait_end(s);
	if (s != -1)
		(void)close(s);	/* the kernel has it all */
	buf_free(&b);
	if (r == -1)
		msg_warnsys("cannot hand over to %s", p->path[service]);
	return r;
}

/* A client without ALPN speaks HTTP, as all did before there was ALPN. */
static int
chosen(const struct front *f)
{
	int i;

	for (i = 0; i < SERVICES; i++) {
		if (bytes_eq(f->preface.alpn, bytes_str(services[i].alpn)))
			return i;
	}
	return HTTP;
}

static int
serve(struct server_conn *conn, void *ctx)
{
	struct program *p = ctx;
	struct front_options o = p->front;
	struct front f;
	int i, r = 0;

	if (os_sandbox_enter(&p->sandbox) == -1) {
		msg_warnsys("cannot enter sandbox");
		return EXIT_TEMP;
	}
	if (conn->is_socket && conn->remote.family != 0)
		(void)os_nodelay(conn->out);	/* slower without, no more */
	for (i = 0; i < SERVICES; i++) {
		if (access(p->path[i], W_OK) == 0)
			o.alpn[o.nalpn++] = bytes_str(services[i].alpn);
	}
	front_init(&f, &o, conn);
	if (o.nalpn == 0) {
		log_refused(&f, "no-service");
	} else if (front_begin(&f) == 0) {	/* else it was logged */
		i = chosen(&f);
		if (access(p->path[i], W_OK) == 0)
			r = pass_on(p, &f, i);
		else
			log_refused(&f, services[i].no_service);
	}
	front_free(&f);
	return r == -1 ? EXIT_TEMP : EXIT_YES;
}

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
	front_limits(c, p->front.proxied, &p->server.limits);
	p->front.timeout_ms = (int64_t)config_get_duration(c, "tls", NULL,
	    "handshake-timeout") * 1000;
	return 0;
}

static void
set_path(char to[PATH_MAX_BYTES], const char *dir, const char *name)
{
	int n = snprintf(to, PATH_MAX_BYTES, "%s/%s", dir, name);

	if (n < 0 || n >= PATH_MAX_BYTES)
		msg_die(EXIT_PERM, "path of %s is too long", name);
}

static void
set_up(struct program *p)
{
	int i;

	p->front.listener = BYTES("http");
	p->front.implicit = true;
	p->front.tls_path = p->tls_path;
	set_path(p->config_file, dir_var(), "config.cdb");
	set_path(p->tls_path, dir_run(), "tls");
	for (i = 0; i < SERVICES; i++)
		set_path(p->path[i], dir_run(), services[i].socket);
	if (os_sandbox_make(&p->sandbox, OS_SANDBOX_NET) == -1 ||
	    os_reach_begin(&p->sandbox.reach, 0) == -1)
		msg_diesys(EXIT_TEMP, "cannot make sandbox");
	p->sandbox.memory_bytes = MEMORY_BYTES;
	p->sandbox.files = FILES_MAX;
}

int
main(int argc, char *argv[])
{
	struct program p = { 0 };
	int c, r;

	msg_init("alpn-in");
	while ((c = getopt(argc, argv, "P")) != -1) {
		if (c != 'P')
			msg_die(EXIT_PERM, "%s", usage);
		p.front.proxied = true;
	}
	if (argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	set_up(&p);
	p.server = (struct server){
		.name = "alpn-in",
		.limiter = p.front.proxied ? NULL : "net/alpn-in",
		.refusal = "",
		.prepare = prepare,
		.serve = serve,
		.ctx = &p,
		.watch_file = p.config_file,
		.notify_fd = -1,
		.grace_ms = 2000,
	};
	r = server_run(&p.server);
	config_close(p.config);
	os_sandbox_free(&p.sandbox);
	return r;
}
