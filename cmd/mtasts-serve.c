/*
 * mtasts-serve - answer senders which policy a domain has
 *
 * Holds the cache, so that what sends mail needs neither LMDB nor an HTTP
 * client for it. The protocol: mtasts-serve(8).
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "addr/addr.h"
#include "base/base.h"
#include "dns/dns.h"
#include "mtasts/mtasts.h"
#include "os/os.h"
#include "server/server.h"
#include "stage/stage.h"

static const char usage[] = "usage: mtasts-serve";

/* Of the request; and of the answer, after look-up and fetch. */
#define IO_MS 10000

struct program {
	struct arena arena;
	struct arena conf;	/* of the configuration */
	const struct dns_options *dns;
	struct os_sandbox sandbox;
	char *config_file;
	struct server server;
};

static int
prepare(void *ctx)
{
	struct program *p = ctx;
	struct arena conf = ARENA_INIT;
	const struct dns_options *dns;
	struct os_sandbox sandbox;

	dns = stage_dns_configured(&conf);
	if (dns == NULL) {
		msg_warnsys("cannot load configuration");
		return -1;
	}
	/* It starts mtasts-fetch. */
	if (os_sandbox_make(&sandbox, OS_SANDBOX_FILTERS) == -1) {
		msg_warnsys("cannot make sandbox");
		arena_free(&conf);
		return -1;
	}
	/* Children have that of when they were forked. */
	arena_free(&p->conf);
	p->conf = conf;
	free(p->sandbox.filter);
	p->sandbox = sandbox;
	p->dns = dns;
	return 0;
}

static void
log_verdict(const struct server_conn *conn, struct bytes domain,
    const struct mtasts_decision *d)
{
	struct logline l;

	log_begin(&l, LOG_INFO, "mtasts");
	log_num(&l, "cid", (int64_t)conn->id);
	log_bytes(&l, "domain", domain);
	log_str(&l, "verdict", d->verdict == MTASTS_DEFER ? "defer"
	    : d->verdict == MTASTS_ABSENT ? "absent"
	    : mtasts_mode_name(d->policy.mode));
	if (d->fetched)
		log_str(&l, "fetched", "yes");
	if (d->result != TLSRESULT_SUCCESS)
		log_str(&l, "result", tlsresult_name(d->result));
	if (d->why[0] != '\0')
		log_str(&l, "why", d->why);
	log_end(&l);
}

static int
send_answer(struct server_conn *conn, const struct mtasts_decision *d)
{
	struct buf out = BUF_INIT(2 * MTASTS_ANSWER_MAX);
	int r = mtasts_answer_format(d, &out);

	if (r == 0)
		r = io_write_all(conn->out, buf_bytes(&out),
		    deadline_in(IO_MS));
	buf_free(&out);
	return r;
}

static int
answer(struct program *p, struct server_conn *conn, struct bytes domain)
{
	struct mtasts_cache *cache = mtasts_cache_open(dir_var());
	struct dns *dns = dns_new(p->dns);
	struct arena a = ARENA_INIT;
	struct mtasts_decision d;
	int r;

	if (cache == NULL)
		msg_warnsys("cannot open the cache below %s", dir_var());
	if (dns == NULL) {
		msg_warnsys("cannot set up DNS look-ups");
		mtasts_cache_close(cache);
		return EXIT_TEMP;
	}
	mtasts_look(dns, cache, &a, domain, &d);
	log_verdict(conn, domain, &d);
	r = send_answer(conn, &d);
	mtasts_cache_close(cache);
	dns_free(dns);
	arena_free(&a);
	return r == 0 ? EXIT_YES : EXIT_TEMP;
}

static int
serve(struct server_conn *conn, void *ctx)
{
	unsigned char space[DNS_NAME_MAX + 2];
	struct program *p = ctx;
	struct reader r;
	struct arena a = ARENA_INIT;
	struct bytes line, text, domain;
	const char *why;
	int code;

	if (os_sandbox_enter(&p->sandbox) == -1) {
		msg_warnsys("cannot enter sandbox");
		return EXIT_TEMP;
	}
	reader_init(&r, conn->in, space, sizeof(space));
	r.deadline = deadline_in(IO_MS);
	if (reader_line(&r, &line) != 1 || line.p[line.n - 1] != '\n')
		return EXIT_TEMP;
	if (addr_parse_domain(&a, bytes_trim(line), 0, &text, &domain,
	    &why) == -1) {
		msg_warn("cannot answer: the request is no domain name: %s",
		    why);
		return EXIT_PERM;
	}
	code = answer(p, conn, domain);
	arena_free(&a);
	return code;
}

int
main(int argc, char *argv[])
{
	struct program p = { .arena = ARENA_INIT, .conf = ARENA_INIT };
	int code;

	msg_init("mtasts-serve");
	if (getopt(argc, argv, "") != -1 || argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	p.config_file = arena_printf(&p.arena, "%s/config.cdb", dir_var());
	p.server = (struct server){
		.name = "mtasts-serve",
		.limits = SERVER_LIMITS_LOCAL,
		.refusal = "",
		.prepare = prepare,
		.serve = serve,
		.ctx = &p,
		.watch_file = p.config_file,
		.notify_fd = -1,
	};
	code = server_run(&p.server);
	free(p.sandbox.filter);
	arena_free(&p.conf);
	arena_free(&p.arena);
	return code;
}
