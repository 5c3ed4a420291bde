/*
 * imap-serve - IMAP after login: the account's mail for one client
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "account/account.h"
#include "config/config.h"
#include "imap_serve.h"
#include "os/os.h"
#include "preface/preface.h"
#include "sasl/sasl.h"
#include "server/server.h"

static const char usage[] = "usage: imap-serve [-a account]";

/* How long imap-login and auth-serve may take. */
#define SERVICE_MS 10000
#define IDLE_SECONDS_DEFAULT IMAP_AUTH_SECONDS
#define APPEND_MAX_DEFAULT ((uint64_t)100 * 1024 * 1024)
#define FILES_MAX 256
#define TOO_MANY "too many sessions, try later"

struct program {
	struct config *config;	/* NULL: nothing was ever compiled */
	const char *config_file;
	struct arena arena;
	struct os_sandbox sandbox;
	struct server server;
	unsigned char key[IMAP_SEAL_SIZE];	/* of seals; a child wipes it */
};

static void
note(const char *line)
{
	struct logline l;

	log_begin(&l, LOG_WARN, "store");
	log_str(&l, "what", line);
	log_end(&l);
}

/* From here on nothing but this account. 0, -1. */
static int
narrow(struct account *account, const char *name)
{
	struct os_reach r;
	int result;

	if (os_reach_begin(&r, 0) == -1)
		return -1;
	result = account_reach(&account->arena, &r, name);
	if (result == 0)
		result = os_reach_enter(&r);
	os_reach_end(&r);
	return result;
}

static int
not_narrowed(struct account *account)
{
	int err = errno;

	account_close(account);
	(void)snprintf(account->problem, sizeof(account->problem),
	    "cannot enter its sandbox: %s", strerror(err));	/* fits */
	errno = err;
	return -1;
}

/* Open the account for s. 0, or -1 errno. */
static int
open_account(struct session *s, struct account *account, bool sandboxed)
{
	const struct config *c;

	account->note = note;
	if (account_open(account, s->account) == -1)
		return -1;
	if (sandboxed && narrow(account, s->account) == -1)
		return not_narrowed(account);
	s->config = c = account->config;
	s->store = account->store;
	s->tmp_dir = arena_printf(&account->arena,
	    "%s/accounts/%s/Maildir/tmp", dir_var(), s->account);
	s->append_max = c == NULL ? APPEND_MAX_DEFAULT
	    : config_get_size(c, "server", NULL, "size-limit");
	/* Values are C strings in the map. */
	s->capabilities_off = c == NULL ? NULL
	    : (const char *)config_get_text(c, "account", s->account,
	    "imap-capabilities-off").p;
	s->message_limit = c == NULL ? 0
	    : (uint32_t)config_get_num(c, "imap", NULL, "message-limit");
	s->idle_ms = (c == NULL ? IDLE_SECONDS_DEFAULT
	    : (int64_t)config_get_duration(c, "imap", NULL, "idle-timeout"))
	    * 1000;
	return 0;
}

/* Open the account and serve s. 0, or -1 errno: nothing was said. */
static int
serve_account(struct session *s, struct account *account, bool sandboxed)
{
	if (open_account(s, account, sandboxed) == -1)
		return -1;
	session_signals();
	(void)session_run(s);	/* a lost client: s->end tells the log */
	/* All was said: who waits for the end need not wait for the names. */
	if (s->end != NULL && store_names_behind(s->store))
		(void)shutdown(s->out, SHUT_WR);	/* a pipe waits */
	account_close(account);
	return 0;
}

/* ---- a connection handed over by imap-login ---- */

/* The client's descriptors: one to read, one to write, often the same. */
struct client {
	int in, out;
};

static void
take_fds(struct client *c, const int *fds, size_t n)
{
	size_t i;

	for (i = 2; i < n; i++)
		(void)close(fds[i]);	/* not asked for */
	if (n > 0) {
		c->in = fds[0];
		c->out = n > 1 ? fds[1] : fds[0];
	}
}

static void
client_close(const struct client *c)
{
	if (c->in != -1)
		(void)close(c->in);
	if (c->out != c->in)
		(void)close(c->out);	/* everything was written */
}

static int
message_length(struct bytes s, size_t *need)
{
	return imap_is_rest(s) ? imap_rest_length(s, need)
	    : imap_is_ask(s) ? imap_ask_length(s, need)
	    : imap_handover_length(s, need);
}

/* Receive the message whole. 1, 0 nothing was sent, -1 errno. */
static int
receive(int from, struct buf *b, struct client *client)
{
	int64_t deadline = deadline_in(SERVICE_MS);
	int fds[OS_FDS_MAX];
	size_t nfds = OS_FDS_MAX, need;
	bool alone;
	ssize_t n;

	if (buf_room(b, 65536) == -1)
		return -1;
	n = os_recv_fds(from, b->p, 65536, fds, &nfds, deadline);
	if (n <= 0)
		return (int)n;
	take_fds(client, fds, nfds);
	b->n = (size_t)n;
	alone = imap_is_ask(buf_bytes(b));	/* it comes without a client */
	while (message_length(buf_bytes(b), &need) == 0) {
		if (b->n >= need && b->n >= 8) {
			errno = EBADMSG;
			return (client->in == -1) == alone ? 1 : -1;
		}
		errno = EPROTO;		/* for an end in the middle */
		if (buf_room(b, need - b->n) == -1 ||
		    io_read_full(from, b->p + b->n, need - b->n, deadline)
		    != 1)
			return -1;
		b->n = need;
	}
	return -1;
}

/* The account of a ticket, at auth-serve. 0, -1. */
static int
redeem(struct bytes ticket, struct sasl_reply *reply)
{
	struct arena a = ARENA_INIT;
	int64_t deadline = deadline_in(SERVICE_MS);
	struct sasl_client *c = sasl_client_open(arena_printf(&a, "%s/auth",
	    dir_run()), deadline);
	int r = c == NULL ? -1 : sasl_client_redeem(c, arena_str(&a, ticket),
	    deadline, reply);
	int saved = errno;

	if (r == 0 && reply->kind != SASL_REPLY_OK) {
		saved = EACCES;
		r = -1;
	}
	sasl_client_close(c);
	arena_free(&a);
	errno = saved;
	return r;
}

/* tls= and cipher= of a protected connection. */
static void
log_tls(struct logline *l, struct bytes preface)
{
	struct preface p;
	const char *why;
	size_t used;

	if (preface.n == 0 || preface_parse(preface, PREFACE_TLS_SERVE, &p,
	    &used, &why) != 1)
		return;
	log_bytes(l, "tls", p.version);
	log_bytes(l, "cipher", p.cipher);
}

static void
log_session(const struct imap_handover *h, const struct session *s)
{
	struct logline l;

	if (s->end == NULL)
		return;		/* it goes on, in imap-idle */
	log_begin(&l, LOG_INFO, "imap-session");
	log_bytes(&l, "cid", h->session);
	log_bytes(&l, "ip", h->remote_ip);
	log_tls(&l, h->preface);
	log_str(&l, "account", s->account);
	log_num(&l, "commands", (int64_t)s->stats.commands);
	log_num(&l, "fetched", (int64_t)s->stats.fetched_messages);
	log_num(&l, "appended", (int64_t)s->stats.appended_messages);
	log_str(&l, "why", s->end);
	log_end(&l);
}

/* Say that there is no mail now (NULL), or what else; why is for the log. */
static void
refuse(const struct imap_handover *h, const struct client *client,
    const char *why, const char *said)
{
	struct buf b = BUF_INIT(4096);
	struct logline l;

	if (said == NULL)
		said = "[UNAVAILABLE] mail is unavailable";

	log_begin(&l, LOG_ERROR, "imap-refused");
	log_bytes(&l, "cid", h->session);
	log_bytes(&l, "ip", h->remote_ip);
	log_str(&l, "why", why);
	log_end(&l);
	if (h->tag.n > 0) {
		buf_add(&b, h->tag);
		buf_printf(&b, " NO %s\r\n", said);
	}
	buf_printf(&b, "* BYE %s\r\n", said);
	/* It may be gone already. */
	(void)io_write_all(client->out, buf_bytes(&b),
	    deadline_in(SERVICE_MS));
	buf_free(&b);
}

/* A place among the sessions. 1, 0, -1 as server_place. */
static int
take_place(struct server_conn *conn, struct bytes remote_ip,
    struct bytes account)
{
	struct ip remote;

	if (ip_parse(remote_ip, &remote) == -1)
		remote = (struct ip){ .family = 0 };	/* by hand, locally */
	return server_place(conn, &remote, account);
}

static int
serve_handed(struct program *p, struct bytes message,
    const struct client *client, struct server_conn *conn)
{
	struct imap_handover h;
	struct sasl_reply reply;
	struct account account = { .use = p->config };
	struct session s = { .in = client->in, .out = client->out };
	unsigned char seal[IMAP_SEAL_SIZE];
	int r;

	if (imap_handover_parse(message, &h) == -1)
		return -1;
	s.cid = h.session;
	s.remote_ip = h.remote_ip;
	s.local_ip = h.local_ip;
	s.preface = h.preface;
	s.tag = h.tag;
	s.pending = h.pending;
	if (redeem(h.ticket, &reply) == -1) {
		refuse(&h, client, strerror(errno), NULL);
		return 0;
	}
	if ((r = take_place(conn, h.remote_ip, bytes_str(reply.user))) != 1) {
		refuse(&h, client, r == 0 ? TOO_MANY : strerror(errno),
		    r == 0 ? "[LIMIT] " TOO_MANY : NULL);
		return 0;
	}
	s.account = reply.user;
	imap_seal(p->key, bytes_str(s.account), seal);
	secret_wipe(p->key, sizeof(p->key));
	s.seal = bytes_of(seal, sizeof(seal));
	if (serve_account(&s, &account, true) == -1)
		refuse(&h, client, account.problem, NULL);
	else
		log_session(&h, &s);
	return 0;
}

/* ---- a session imap-idle hands back ---- */

/* Whether the seal is of this account. No other can be looked at after it. */
static bool
is_sealed(struct program *p, struct bytes account, struct bytes given)
{
	unsigned char seal[IMAP_SEAL_SIZE];
	bool ok;

	imap_seal(p->key, account, seal);
	secret_wipe(p->key, sizeof(p->key));
	ok = bytes_equal_secret(given, bytes_of(seal, sizeof(seal)));
	secret_wipe(seal, sizeof(seal));
	return ok;
}

/* It was ours: "y", and the client is ours again (1); or "l", and it stays with
 * imap-idle until others have left their places (0). -1 errno. */
static int
take_back(struct program *p, const struct imap_rest *r,
    struct server_conn *conn)
{
	bool ok = is_sealed(p, r->account, r->seal);
	int place = ok ? take_place(conn, r->remote_ip, r->account) : 1;

	if (place == -1)
		return -1;	/* without a word: it comes again */
	/* Refused for good, or taken: either way it need not ask again. */
	if (io_write_all(conn->in, place == 1 ? BYTES("y") : BYTES("l"),
	    deadline_in(SERVICE_MS)) == -1)
		return -1;
	if (!ok)
		errno = EACCES;
	return ok ? place : -1;
}

static int
serve_rested(struct program *p, struct bytes message,
    const struct client *client, struct server_conn *conn)
{
	struct imap_handover h = { .tag = BYTES_EMPTY };
	struct account account = { .use = p->config };
	struct session s = { .in = client->in, .out = client->out,
	    .tag = BYTES_EMPTY, .pending = BYTES_EMPTY,
	    .local_ip = BYTES_EMPTY };
	struct imap_rest r;
	struct arena a = ARENA_INIT;
	int taken;

	if (imap_rest_parse(message, &r) == -1 || client->in == -1)
		return -1;
	h.session = s.cid = r.session;
	h.remote_ip = s.remote_ip = r.remote_ip;
	h.preface = s.preface = r.preface;
	s.seal = r.seal;
	s.state = r.state;
	s.late = r.why == IMAP_REST_LATE;
	s.returned = true;
	if ((taken = take_back(p, &r, conn)) == -1 && errno == EACCES)
		refuse(&h, client, strerror(errno), NULL);
	if (taken != 1)
		return taken == -1 && errno != EACCES ? -1 : 0;
	s.account = arena_str(&a, r.account);
	if (serve_account(&s, &account, true) == -1)
		refuse(&h, client, account.problem, NULL);
	else
		log_session(&h, &s);
	arena_free(&a);
	return 0;
}

/* ---- a session of another account asks for a URL ---- */

static void
log_answer(const struct imap_ask *q, const char *account, int given)
{
	struct logline l;

	log_begin(&l, LOG_INFO, "imap-url");
	log_bytes(&l, "cid", q->session);
	log_bytes(&l, "ip", q->remote_ip);
	log_str(&l, "account", account);
	log_bytes(&l, "for", q->account);
	log_num(&l, "given", given);
	log_end(&l);
}

/* The same as for a URL that gives nothing: nobody learns which users there
 * are. */
static int
answer_nothing(int link)
{
	struct imap_answer no = { .found = false };
	unsigned char head[IMAP_ANSWER_HEAD];

	imap_answer_format(&no, head);
	return io_write_all(link, bytes_of(head, sizeof(head)),
	    deadline_in(SERVICE_MS));
}

static int
serve_asked(struct program *p, struct bytes message, int link)
{
	struct account account = { .use = p->config };
	struct session s = { .in = link, .out = link, .tag = BYTES_EMPTY };
	char owner[SASL_ACCOUNT_MAX + 1];
	struct imap_ask q;
	int r;

	if (imap_ask_parse(message, &q) == -1)
		return -1;
	if (!is_sealed(p, q.account, q.seal)) {
		errno = EACCES;
		return -1;
	}
	if (p->config == NULL ||
	    sasl_account_of(p->config, q.user, owner) != 1)
		return answer_nothing(link);
	s.account = owner;
	if (open_account(&s, &account, true) == -1) {
		msg_warn("cannot open account %s: %s", owner,
		    account.problem);
		return answer_nothing(link);
	}
	r = session_answer(&s, &q, link);
	if (r != -1)
		log_answer(&q, owner, r);
	account_close(&account);
	return r == -1 ? -1 : 0;
}

static int
serve(struct server_conn *conn, void *ctx)
{
	struct program *p = ctx;
	struct buf b = BUF_INIT(IMAP_HANDOVER_MAX + 65536);
	struct client client = { -1, -1 };
	int r;

	if (os_sandbox_enter(&p->sandbox) == -1) {
		msg_warnsys("cannot enter sandbox");
		return EXIT_TEMP;
	}
	r = receive(conn->in, &b, &client);
	if (r == 1 && imap_is_rest(buf_bytes(&b))) {
		r = serve_rested(p, buf_bytes(&b), &client, conn);
	} else if (r == 1 && imap_is_ask(buf_bytes(&b))) {
		r = serve_asked(p, buf_bytes(&b), conn->in);
	} else if (r == 1) {
		(void)close(conn->in);		/* it says no more */
		r = serve_handed(p, buf_bytes(&b), &client, conn);
	}
	if (r == -1)
		msg_warnsys("cannot take connection");
	client_close(&client);
	buf_free(&b);
	return r == -1 ? EXIT_TEMP : EXIT_YES;
}

/* All accounts are in reach until a ticket names one. */
static int
make_sandbox(struct program *p)
{
	struct os_sandbox new;

	if (os_sandbox_make(&new, OS_SANDBOX_STORE) == -1)
		return -1;
	if (os_reach_begin(&new.reach, 0) == -1 ||
	    account_reach(&p->arena, &new.reach, NULL) == -1) {
		os_sandbox_free(&new);
		return -1;
	}
	os_sandbox_free(&p->sandbox);
	p->sandbox = new;
	p->sandbox.files = FILES_MAX;
	return 0;
}

/* Those of imap-login for one address hold for its sessions, too. */
static void
set_limits(struct program *p)
{
	struct server_limits *l = &p->server.limits;
	uint64_t open[3];
	size_t i;

	if (p->config == NULL)
		return;		/* as it was */
	config_get_three(p->config, "server", NULL, "open-limits", open);
	for (i = 0; i < 3; i++)
		l->placed[i] = (unsigned int)open[i];
	l->account = (unsigned int)config_get_num(p->config, "imap", NULL,
	    "sessions-max");
}

static int
prepare(void *ctx)
{
	struct program *p = ctx;
	struct config *c = config_load();

	if (c == NULL && errno != ENOENT) {
		msg_warn("cannot open configuration: %s",
		    config_reason(errno));
		return -1;
	}
	if (c != NULL) {
		config_close(p->config);
		p->config = c;
	}
	arena_reset(&p->arena);
	p->config_file = arena_printf(&p->arena, "%s/config.cdb", dir_var());
	p->server.watch_file = p->config_file;
	set_limits(p);
	tzset();	/* its file is out of reach later */
	if (make_sandbox(p) == -1) {
		msg_warnsys("cannot make sandbox");
		return -1;
	}
	return 0;
}

/* ---- by hand ---- */

static int
serve_preauth(const char *name)
{
	struct account account = { 0 };
	struct session s = { .in = STDIN_FILENO, .out = STDOUT_FILENO,
	    .account = name, .tag = BYTES_EMPTY, .pending = BYTES_EMPTY };

	if (serve_account(&s, &account, false) == -1)
		msg_die(account_exit(errno), "cannot open account %s: %s",
		    name, account.problem);
	return EXIT_YES;
}

int
main(int argc, char *argv[])
{
	struct program p = { 0 };
	const char *account = NULL;
	int c;

	msg_init("imap-serve");
	while ((c = getopt(argc, argv, "a:")) != -1) {
		if (c != 'a')
			msg_die(EXIT_PERM, "%s", usage);
		account = optarg;
	}
	if (argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	if (account != NULL)
		return serve_preauth(account);
	p.server = (struct server){
		.name = "imap-serve",
		.limits = SERVER_LIMITS_LOCAL,
		.refusal = "",
		.prepare = prepare,
		.serve = serve,
		.places = true,
		.ctx = &p,
		.notify_fd = -1,
		.grace_ms = 2000,
	};
	os_random(p.key, sizeof(p.key));
	c = server_run(&p.server);
	secret_wipe(p.key, sizeof(p.key));
	os_sandbox_free(&p.sandbox);
	config_close(p.config);
	arena_free(&p.arena);
	return c;
}
