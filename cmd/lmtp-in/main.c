/*
 * lmtp-in - LMTP to the accounts' Maildirs
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "account/account.h"
#include "lmtp_in.h"
#include "os/os.h"

static const char usage[] = "usage: lmtp-in";

/* A peer keeps its connection while its own client is silent. */
#define IDLE_MS (10 * 60 * 1000)
#define FILES_MAX 512
/* Connections of one child. smtp-in makes one for each message; all lead to
 * the same accounts, so a child that was taken over gains nothing by the
 * next. What a new one sets up costs as much as a delivery. */
#define KEEP_CONNECTIONS 200
/* What was freed stays with a child up to so many bytes, for its next message;
 * single pieces beyond the second go back at once. */
#define KEEP_FREE_BYTES (4 * 1024 * 1024)
#define KEEP_PIECE_BYTES (1024 * 1024)

struct program {
	struct smtp_settings settings;
	struct os_sandbox sandbox;
	struct accounts accounts;
	struct chosen chosen;
	struct hasher hasher;
	struct arena job;		/* empty, of messages that were */
	struct server server;
	int slots;			/* of those that wait */
};

/* The accounts and the FIFOs of who listens; the character sets of libc. */
static int
add_reach(const struct smtp_settings *s, struct os_reach *r)
{
	struct arena a = ARENA_INIT;
	int result;

	if (os_reach_begin(r, 0) == -1)
		return -1;
	result = smtp_settings_reach(s, r) == -1 ||
	    account_reach(&a, r, NULL) == -1 ? -1 : 0;
	arena_free(&a);
	return result;
}

static int
prepare(void *ctx)
{
	struct program *p = ctx;
	struct os_sandbox new;
	const char *why;
	bool filters;
	int err;

	chosen_forget(&p->chosen);
	if (smtp_settings_load(&p->settings, true, "lmtp-in",
	    "stages-deliver", &why) == -1) {
		err = errno;
		msg_warnsys("cannot load configuration: %s", why);
		errno = err;
		return -1;
	}
	filters = p->settings.stages.has_filters || config_get_bool(
	    p->settings.config, "lmtp-in", NULL, "user-filters");
	if (os_sandbox_make(&new, filters ? OS_SANDBOX_FILTERS
	    : OS_SANDBOX_STORE) == -1)
		return -1;
	/* Filters, others' programs, may need any file their user may. */
	if (!filters &&
	    add_reach(&p->settings, &new.reach) == -1) {
		os_sandbox_free(&new);
		return -1;
	}
	os_sandbox_free(&p->sandbox);
	p->sandbox = new;
	p->sandbox.files = FILES_MAX;
	p->server.refusal = p->settings.refusal;
	p->server.watch_file = p->settings.config_file;
	return 0;
}

static void
log_end_of_session(const struct deliverer *d, const char *end, int err)
{
	struct logline l;

	log_begin(&l, err == EPROTO ? LOG_INFO : LOG_DEBUG, "disconnected");
	log_num(&l, "cid", (int64_t)d->conn->id);
	log_num(&l, "delivered", d->delivered);
	log_str(&l, "why", end);
	log_end(&l);
}

static int
serve(struct server_conn *conn, void *ctx)
{
	struct program *p = ctx;
	struct deliverer d = { .settings = &p->settings, .conn = conn,
	    .accounts = &p->accounts, .chosen = &p->chosen,
	    .hasher = &p->hasher, .job = p->job, .slots = p->slots };
	struct smtp_session s = {
		.options = p->settings.smtp,
		.in = conn->in,
		.out = conn->out,
		.is_socket = conn->is_socket,
		.line_timeout_ms = IDLE_MS,
		.data_timeout_ms = p->settings.data_timeout_ms,
		.spool_dir = p->settings.spool_dir,
		.ctx = &d,
		.rcpt = deliver_rcpt,
		.message = deliver_message,
		.refused = deliver_refused,
	};
	int err;

	s.options.textfile = conn->is_socket && conn->remote.family == 0;
	if (smtp_settings_confine(&p->settings, &p->sandbox) == -1)
		return EXIT_TEMP;
	accounts_begin(&p->accounts, p->settings.config, conn->id);
	err = smtp_session_run(&s) == -1 ? errno : 0;
	log_end_of_session(&d, s.end, err);
	accounts_settle(&p->accounts);
	arena_free(&d.transaction);
	arena_reset(&d.job);
	p->job = d.job;
	/* A child keeps its stores for the next connection. When it ends the
	 * kernel takes all back at once; a store needs no goodbye. */
	if (conn->inherited)
		accounts_close(&p->accounts);
	return err == 0 || err == EPROTO ? EXIT_YES : EXIT_TEMP;
}

int
main(int argc, char *argv[])
{
	struct program p = { 0 };
	int code;

	msg_init("lmtp-in");
	os_heap_keep(KEEP_FREE_BYTES, KEEP_PIECE_BYTES);
	if (getopt(argc, argv, "") != -1 || argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	p.server = (struct server){
		.name = "lmtp-in",
		.limits = SERVER_LIMITS_LOCAL,
		.prepare = prepare,
		.serve = serve,
		.ctx = &p,
		.keep = KEEP_CONNECTIONS,
		.notify_fd = -1,
		.grace_ms = 3000,
	};
	if ((p.slots = os_memory_file("lmtp-in")) == -1)
		msg_diesys(EXIT_TEMP, "cannot make a file in memory");
	/* Speed is all that is lost without it. */
	if ((p.accounts.desk = store_desk_make()) == NULL)
		msg_warnsys("cannot share memory");
	code = server_run(&p.server);
	store_desk_free(p.accounts.desk);
	smtp_settings_free(&p.settings);
	os_sandbox_free(&p.sandbox);
	return code;
}
