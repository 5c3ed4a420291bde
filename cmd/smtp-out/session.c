/*
 * session.c - one connection: from the socket to the results
 */
#include "smtp_out.h"

#include <errno.h>
#include <unistd.h>

/* After such a rest it is asked whether it still lives, and may take so long
 * to say so: a message that is sent into a path that was cut waits much
 * longer than one that is sent over a new connection. */
#define REST_MS 20
#define PROBE_MS 5000

void
session_close(struct session *s)
{
	if (s->conn.fd != -1)
		dial_close(&s->conn);
	secret_wipe(&s->binding, sizeof(s->binding));
	arena_reset(&s->a);
	s->conn.fd = -1;
	s->host = s->domain = s->tls = s->transport = BYTES_EMPTY;
	s->ip.family = 0;
	s->has_known = s->broken = s->lmtp = false;
	s->mails = 0;
	s->login = (struct saslc_login){ .mechanisms = NULL };
}

void
target_via(const struct transport *t, struct dial_via *via)
{
	struct dns_server proxy;

	*via = (struct dial_via){ .socks_user = t->socks_user,
	    .socks_password = t->socks_password };
	/* What does not parse was refused by config-check. */
	if (t->source4.n > 0)
		(void)ip_parse(t->source4, &via->source4);
	if (t->source6.n > 0)
		(void)ip_parse(t->source6, &via->source6);
	if (t->socks.n > 0 && dns_server_parse(t->socks, &proxy) == 0) {
		via->socks = proxy.ip;
		via->socks_port = proxy.port;
	}
}

/* ---- set-up ---- */

static int
connect_to(struct job *j, const struct target *t, const char **why)
{
	int fd;

	if (t->path != NULL) {
		fd = os_connect_unix(t->path, t->connect_deadline);
		if (fd == -1)
			*why = arena_printf(j->a, "cannot connect to %s: %s",
			    t->path, strerror(errno));
	} else if (t->ip.family == 0) {
		fd = dial_connect_name(&t->via, j->a, t->host, t->port,
		    t->connect_deadline, why);
	} else {
		fd = dial_connect(&t->via, j->a, &t->ip, t->port,
		    t->connect_deadline, why);
	}
	if (fd != -1 && t->path == NULL)
		(void)os_nodelay(fd);	/* slower without, no more */
	return fd;
}

static void
set_login(struct job *j, struct session *s)
{
	const struct transport *t = &j->request->transport;

	s->login = (struct saslc_login){
	    .user = arena_bytes(&s->a, t->user),
	    .password = arena_bytes(&s->a, t->password),
	    .token = BYTES_EMPTY, .authzid = BYTES_EMPTY,
	    .client_cert = t->key_pem.n > 0,
	    .mechanisms = t->mechanisms.n > 0
	    ? arena_str(&s->a, t->mechanisms) : NULL,
	    .in_clear = t->tls_insecure != 0,
	    .host = s->host, .port = (int)t->port };
}

/* Opening it again for what went wrong with TLS: plain. */
static void
open_session(struct job *j, const struct target *t, int fd, bool plain)
{
	const struct transport *transport = &j->request->transport;
	struct session *s = j->session;
	struct smtpc_options o = { .lmtp = t->lmtp, .chunking = true,
	    .wait_max_ms = j->settings->reply_ms,
	    .pedantic = j->settings->pedantic,
	    .hostname = transport->helo.n > 0 ? transport->helo
	    : j->settings->hostname,
	    .tls = plain || t->path != NULL ? SMTPC_TLS_NEVER
	    : t->choice.required ? SMTPC_TLS_REQUIRED : SMTPC_TLS_OFFERED };

	s->transport = arena_bytes(&s->a, transport->name);
	s->host = arena_bytes(&s->a, t->host);
	s->domain = t->direct ? arena_bytes(&s->a, j->request->domain)
	    : BYTES_EMPTY;
	s->ip = t->ip;
	s->lmtp = t->lmtp;
	s->dual = j->dual;
	s->tls_demand = j->tls;
	s->no_plaintext = j->request->message.kind == QUEUE_DMARC_REPORT;
	s->since_ms = time_mono_ms();
	s->conn.trace = j->settings->trace;
	s->conn.trace_ctx = j->settings->trace_ctx;
	o.hostname = arena_bytes(&s->a, o.hostname);
	if (t->login) {
		set_login(j, s);
		o.login = &s->login;
	}
	dial_open(&s->conn, fd, deadline_in(j->settings->session_ms));
	if (!t->implicit_tls)
		s->conn.smtp = smtpc_new(&o);
}

/* After the handshake of a connection that is TLS from the start. */
static void
start_smtp(struct job *j, const struct target *t)
{
	struct session *s = j->session;
	const struct transport *transport = &j->request->transport;
	struct smtpc_options o = { .secured = true, .chunking = true,
	    .wait_max_ms = j->settings->reply_ms,
	    .pedantic = j->settings->pedantic,
	    .hostname = arena_bytes(&s->a, transport->helo.n > 0
	    ? transport->helo : j->settings->hostname),
	    .login = t->login ? &s->login : NULL };

	s->conn.smtp = smtpc_new(&o);
}

/* ---- the conversation ---- */

/* A smart host gets 60 s and 1 s for each MiB (BEHAVIOUR 7.4); the rest the
 * time of a session. */
static void
set_deadline(struct job *j, bool direct)
{
	int64_t ms = 60000 + (int64_t)(j->text.n >> 20) * 1000;

	if (!direct && !j->session->lmtp && ms < j->settings->session_ms)
		j->session->conn.deadline = deadline_in(ms);
}

static void
note_failure(struct job *j)
{
	const struct smtpc_result *f = smtpc_failure(j->session->conn.smtp);

	for (size_t i = 0; i < j->request->count; i++) {
		if (!j->rcpts[i].told &&
		    j->to[i].result.class == SMTPC_PENDING)
			j->to[i].result = *f;
	}
	job_take(j);
}

/* S-18. */
static void
note_known(struct job *j, const struct target *t)
{
	const struct smtpc_offer *o = smtpc_offer(j->session->conn.smtp);
	struct queue_known k = t->known;

	k.when = time_wall_us() / 1000000;
	k.starttls = smtpc_is_secured(j->session->conn.smtp);
	k.requiretls = (o->ext & SMTPC_EXT_REQUIRETLS) != 0;
	j->done.known = j->session->known = k;
	j->done.has_known = j->session->has_known = t->direct;
}

/* At SMTPC_READY: send what is pending, as often as it needs. True:
 * the connection is still good. */
static bool
send_mail(struct job *j)
{
	struct session *s = j->session;
	enum smtpc_event e = SMTPC_READY;

	for (;;) {
		if (j->alive != NULL && !j->alive(j->ctx)) {
			j->dropped = true;
			return false;
		}
		if (smtpc_send(s->conn.smtp, &j->mail) == -1) {
			job_fail(j, "5.6.0", "the envelope cannot be said in "
			    "SMTP");
			return true;
		}
		s->mails++;
		e = dial_run(&s->conn);
		if (e == SMTPC_DONE) {
			job_take(j);
			if (smtpc_again(&j->mail) == 0)
				break;
			e = dial_run(&s->conn);
		}
		if (e != SMTPC_READY) {
			note_failure(j);
			return false;
		}
	}
	s->used_ms = time_mono_ms();
	return dial_run(&s->conn) == SMTPC_READY;
}

static bool
is_full(const struct session *s)
{
	const struct smtpc_offer *o = smtpc_offer(s->conn.smtp);

	return o->mail_max > 0 && s->mails >= o->mail_max;
}

/* TLS as the server asked for it; what failed is told to the machine. */
static bool
secure(struct job *j, const struct target *t)
{
	struct session *s = j->session;
	const char *why;

	if (tls_begin(j, t, &why) == -1) {
		smtpc_secured_not(s->conn.smtp, why);
		return false;
	}
	smtpc_secured(s->conn.smtp, t->login ? &s->login : NULL);
	return true;
}

/* What TLS came to where STARTTLS was never begun. */
static void
record_without(struct job *j, const struct target *t, bool plain)
{
	struct tlsc_finding f;

	if (!t->direct || plain || j->session->conn.tls != NULL)
		return;
	tlsc_finding_set(&f, TLSRESULT_STARTTLS_NOT_SUPPORTED,
	    "STARTTLS is not offered");
	tls_record(j, t, &f);
}

/* Until it is ready for mail. tls_failed: it ended in STARTTLS or after. */
static bool
come_up(struct job *j, const struct target *t, bool *tls_failed)
{
	struct session *s = j->session;
	enum smtpc_event e = dial_run(&s->conn);
	enum smtpc_step step;

	if (e == SMTPC_STARTTLS) {
		if (!secure(j, t)) {
			*tls_failed = true;
			return false;
		}
		e = dial_run(&s->conn);
	}
	if (e == SMTPC_READY)
		return true;
	step = smtpc_failure(s->conn.smtp)->step;
	*tls_failed = step == SMTPC_AT_STARTTLS &&
	    !smtpc_is_broken(s->conn.smtp) && s->conn.tls == NULL;
	return false;
}

static bool
has_spoken(const struct session *s)
{
	return s->conn.smtp != NULL &&
	    smtpc_failure(s->conn.smtp)->step > SMTPC_AT_EHLO;
}

/* Over a connection that was made; closes it unless it is still good. */
static enum tried
talk(struct job *j, const struct target *t, int fd, bool plain,
    bool *tls_failed)
{
	struct session *s = j->session;
	enum tried tried = TRIED_OVER;
	const char *why;

	open_session(j, t, fd, plain);
	*tls_failed = false;
	if (t->implicit_tls) {
		if (tls_begin(j, t, &why) == -1) {
			job_note(j, "4.7.5", why, s->host, &s->ip);
			session_close(s);
			return TRIED_OVER;
		}
		start_smtp(j, t);
	}
	set_deadline(j, t->direct);
	if (come_up(j, t, tls_failed)) {
		j->reached = true;
		note_known(j, t);
		record_without(j, t, plain);
		s->broken = !send_mail(j) || is_full(s);
		if (s->broken)
			session_close(s);
		return TRIED_OVER;
	}
	if (has_spoken(s))
		record_without(j, t, plain);
	else
		tried = TRIED_NOBODY;
	j->reached |= smtpc_failure(s->conn.smtp)->step != SMTPC_AT_CONNECT;
	note_failure(j);
	session_close(s);
	return tried;
}

enum tried
session_try(struct job *j, const struct target *t)
{
	const struct settings *set = j->settings;
	int64_t now = time_mono_ms() / 1000;
	struct target again = *t;
	bool tls_failed;
	const char *why = "";
	enum tried tried;
	int fd, err;

	session_close(j->session);
	(void)job_pending(j);
	if ((fd = connect_to(j, t, &why)) == -1) {
		err = errno;
		if (t->direct && t->via.socks.family == 0 &&
		    dial_is_dead(err))
			dial_dead_add(set->dead, &t->ip, t->port, now);
		job_note(j, "4.4.1", why, t->host, &t->ip);
		return TRIED_NOBODY;
	}
	if (t->direct)
		j->dialled = dial_note(j->a, j->dialled, t->host, &t->ip);
	tried = talk(j, t, fd, false, &tls_failed);
	if (!tls_failed || !t->choice.plain_retry || job_pending(j) == 0)
		return tried;
	/* T-1: the same host once more, in clear. */
	again.connect_deadline = deadline_in(DIAL_HOST_MS);
	if (set->trace != NULL)
		set->trace(set->trace_ctx, '*', BYTES("again without TLS"));
	if ((fd = connect_to(j, &again, &why)) == -1) {
		job_note(j, "4.4.1", why, t->host, &t->ip);
		return TRIED_OVER;
	}
	return talk(j, &again, fd, true, &tls_failed);
}

/* ---- the next job ---- */

static bool
is_fit(const struct job *j)
{
	const struct session *s = j->session;

	if (j->request->transport.type == TRANSPORT_DIRECT &&
	    !bytes_eq(s->domain, j->request->domain))
		return false;
	return s->conn.fd != -1 && !s->broken &&
	    bytes_eq(s->transport, j->request->transport.name) &&
	    s->tls_demand == j->tls && s->no_plaintext ==
	    (j->request->message.kind == QUEUE_DMARC_REPORT) &&
	    /* the time of a session must be enough for one more */
	    time_mono_ms() - s->since_ms < j->settings->session_ms / 2;
}

static bool
is_alive(struct session *s)
{
	int64_t deadline = s->conn.deadline;
	bool alive;

	if (time_mono_ms() - s->used_ms < REST_MS)
		return true;
	s->conn.deadline = deadline_in(PROBE_MS);
	smtpc_noop(s->conn.smtp);
	alive = dial_run(&s->conn) == SMTPC_READY;
	s->conn.deadline = deadline;
	return alive;
}

bool
session_again(struct job *j)
{
	struct session *s = j->session;

	if (!is_fit(j) || !is_alive(s)) {
		session_close(s);
		return false;
	}
	(void)job_pending(j);
	set_deadline(j, j->request->transport.type == TRANSPORT_DIRECT);
	j->reached = true;
	j->dual = s->dual;
	j->done.known = s->known;
	j->done.has_known = s->has_known;
	s->broken = !send_mail(j) || is_full(s);
	if (s->broken)
		session_close(s);
	return true;
}
