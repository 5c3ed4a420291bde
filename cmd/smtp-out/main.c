/*
 * smtp-out - send a message to other hosts, or into a program
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/config.h"
#include "smtp_out.h"
#include "stage/stage.h"

static const char usage[] = "usage: smtp-out [-NRv] [-f sender] [-l listener] "
    "[-p port] [-t transport] [place recipient ...]";

#define SMTP_PORT 25
/* The message is mapped; what else there is, is small. */
#define MEMORY_BASE ((uint64_t)1024 * 1024 * 1024)
#define FILES_MAX 256

static int
make_sandboxes(struct program *p)
{
	if (p->network.filter != NULL)
		return 0;
	if (os_sandbox_make(&p->network, OS_SANDBOX_NET) == -1 ||
	    os_sandbox_make(&p->commands, OS_SANDBOX_FILTERS) == -1)
		return -1;
	p->network.files = FILES_MAX;
	p->network.memory_bytes = MEMORY_BASE;
	return 0;
}

/* L-12: roots of the system, of the administrator, or both. */
static void
load_roots(struct settings *s)
{
	const struct config *c = s->config;
	struct bytes file = c == NULL ? BYTES_EMPTY
	    : config_get_text(c, "queue", NULL, "ca-file");

	if (file.n == 0)
		return;		/* the system's alone */
	s->ca_file = file.p[0] == '/' ? arena_str(&s->arena, file)
	    : arena_printf(&s->arena, "%s/%.*s", dir_etc(), BYTES_ARG(file));
	if (config_get_bool(c, "queue", NULL, "system-ca"))
		s->ca_dir = TLSC_CA_DIR;
}

static int64_t
milliseconds(const struct config *c, const char *key, int64_t without)
{
	return c == NULL ? without : (int64_t)config_get_duration(c, "queue",
	    NULL, key) * 1000;
}

static void
unload(struct settings *s)
{
	tlsc_ctx_free(s->tls);
	config_close(s->config);
	arena_free(&s->arena);
}

/* What the configuration says, in *s; untouched on failure. */
static int
load(struct settings *s, const char *ca_file)
{
	struct settings new = *s;
	struct tlsc_settings set = { .ca_file = NULL };
	const struct stage_options *o;
	const char *why;

	new.arena = ARENA_INIT;
	new.ca_file = ca_file;
	new.ca_dir = NULL;
	/* Nothing was compiled: the defaults hold. */
	if ((new.config = config_load()) == NULL && errno != ENOENT) {
		msg_warn("cannot open configuration: %s",
		    config_reason(errno));
		return -1;
	}
	o = stage_options_new(&new.arena, new.config, "smtp-in");
	new.hostname = o->hostname;
	new.dns = o->dns;
	new.local = new.config != NULL && config_get_bool(new.config,
	    "queue", NULL, "private-addresses");
	new.pedantic = new.config != NULL && config_get_bool(new.config,
	    "server", NULL, "pedantic");
	new.reply_ms = milliseconds(new.config, "reply-timeout", 0);
	new.session_ms = milliseconds(new.config, "session-timeout",
	    DIAL_SESSION_MS);
	if (ca_file == NULL)
		load_roots(&new);
	set.ca_file = new.ca_file;
	set.ca_dir = new.ca_dir;
	if ((new.tls = tlsc_ctx_new(&set, &why)) == NULL) {
		msg_warn("cannot set up TLS: %s", why);
		unload(&new);
		return -1;
	}
	/* Children that have jobs have it as it was when they were forked. */
	unload(s);
	*s = new;
	return 0;
}

static int
prepare(void *ctx)
{
	struct program *p = ctx;

	if (load(&p->settings, p->ca_file) == -1)
		return -1;
	if (p->settings.dead == NULL &&
	    (p->settings.dead = dial_dead_new()) == NULL) {
		msg_warnsys("cannot make shared memory");
		return -1;
	}
	if (make_sandboxes(p) == -1) {
		msg_warnsys("cannot make sandbox");
		return -1;
	}
	return 0;
}

static int
parse_port(const char *text)
{
	uint64_t port;

	if (num_parse(bytes_str(text), 1, 65535, &port) == -1)
		msg_die(EXIT_PERM, "cannot use port %s: not within 1 and "
		    "65535", text);
	return (int)port;
}

/*
 * hosts see the address that they would send to. With several listeners
 * of a family, or one at all addresses, the system chooses; no host is reached
 * from a loopback address.
 */
static void
add_listener(struct settings *s, const char *text)
{
	struct bytes rest = bytes_str(text), address;
	struct ip ip, any;
	struct source *of;

	if (!bytes_split(&rest, ' ', &address))
		address = rest;
	if (ip_parse(address, &ip) == -1 ||
	    ip_parse(ip.family == AF_INET6 ? BYTES("::") : BYTES("0.0.0.0"),
	    &any) == -1)
		msg_die(EXIT_PERM, "cannot parse address of listener %s",
		    text);
	of = ip.family == AF_INET6 ? &s->source6 : &s->source4;
	if (of->named && !ip_eq(&of->ip, &ip))
		of->ip.family = 0;
	else if (!ip_eq(&ip, &any) && !ip_is_loopback(&ip))
		of->ip = ip;
	of->named = true;
}

static int
run_server(struct program *p)
{
	count_open(&p->settings);
	p->server = (struct server){
		.name = "smtp-out",
		.limits = SERVER_LIMITS_LOCAL,
		.refusal = "",
		.prepare = prepare,
		.serve = serve,
		.ctx = p,
		.watch_file = p->config_file,
		.notify_fd = -1,
	};
	return server_run(&p->server);
}

int
main(int argc, char *argv[])
{
	struct program p = { .arena = ARENA_INIT, .settings = {
	    .arena = ARENA_INIT, .mx_port = SMTP_PORT } };
	const char *transport = NULL, *sender = "";
	enum queue_tls tls = QUEUE_TLS_DEFAULT;
	bool verbose = false;
	int c, code;

	msg_init("smtp-out");
	while ((c = getopt(argc, argv, "NRf:l:p:t:v")) != -1) {
		switch (c) {
		case 'N':
			tls = QUEUE_TLS_OPTIONAL;
			break;
		case 'R':
			tls = QUEUE_TLS_REQUIRED;
			break;
		case 'f':
			sender = optarg;
			break;
		case 'l':
			add_listener(&p.settings, optarg);
			break;
		case 'p':
			p.settings.mx_port = parse_port(optarg);
			break;
		case 't':
			transport = optarg;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc - optind == 1)
		msg_die(EXIT_PERM, "%s", usage);
	p.ca_file = env_get("PIPEMAIL_CA_FILE");
	p.config_file = arena_printf(&p.arena, "%s/config.cdb", dir_var());
	if (optind == argc)
		code = run_server(&p);
	else if (prepare(&p) == -1)
		code = EXIT_TEMP;
	else
		code = by_hand(&p, transport, sender, tls, verbose,
		    argv + optind);
	metric_close(p.settings.metric);
	unload(&p.settings);
	free(p.network.filter);
	free(p.commands.filter);
	arena_free(&p.arena);
	return code;
}
