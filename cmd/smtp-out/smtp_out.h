/*
 * smtp_out.h - the parts of smtp-out
 *
 * main.c    options, configuration   serve.c  jobs from queue-run
 * hand.c    one message by hand      job.c    recipients and their results
 * direct.c  to the hosts of a domain relay.c  to a configured host, LMTP
 * session.c one connection           tls.c    its TLS, and what is recorded
 * pipe.c    commands, batch SMTP   count.c  counters
 */
#ifndef SMTP_OUT_H
#define SMTP_OUT_H

#include "dial/dial.h"
#include "metric/metric.h"
#include "mtasts/mtasts.h"
#include "os/os.h"
#include "queue/job.h"
#include "server/server.h"

/* The longest that a TLS handshake may take. */
#define TLS_TIMEOUT_MS 60000
/* TLS results of one job: two for each host. */
#define TLS_RESULTS_MAX ((size_t)2 * DIAL_HOSTS_MAX)

/* The address that our own SMTP listener of a family has. */
struct source {
	struct ip ip;			/* family 0: any */
	bool named;			/* there is a listener */
};

struct config;

/* What is made before a job is seen. */
struct settings {
	/* Of one configuration: made anew when it is replaced. */
	struct arena arena;
	struct config *config;		/* mapped; NULL: never compiled */
	struct bytes hostname;
	const struct dns_options *dns;
	struct tlsc_ctx *tls;
	const char *ca_file, *ca_dir;	/* roots, as in tlsc.h (L-12) */
	bool local;			/* private addresses are dialled */
	bool pedantic;			/* as in smtpc.h */
	int64_t reply_ms;		/* the longest that one is waited for */
	int64_t session_ms;		/* of a connection from its start */
	/* For good. */
	struct dial_dead *dead;
	struct metric *metric;		/* NULL: nothing is counted */
	int mx_port;
	struct source source4, source6;
	bool by_hand;
	dial_trace *trace;
	void *trace_ctx;
};

/* ---- an SMTP connection, kept between jobs ---- */

struct session {
	struct arena a;
	struct dial_conn conn;		/* fd -1: none */
	struct bytes transport;		/* its name */
	struct bytes domain;		/* direct: whose host it is */
	struct bytes host;
	struct ip ip;			/* family 0: a Unix socket, a proxy */
	struct bytes tls;		/* "TLSv1.3 dane"; empty: none */
	bool lmtp;
	bool dual;
	bool broken;			/* no further job */
	struct saslc_login login;
	struct sasl_binding binding[SASL_BINDINGS];
	uint64_t tls_demand;		/* it was made for such messages only */
	bool no_plaintext;
	struct queue_known known;
	bool has_known;
	uint64_t mails;
	int64_t since_ms;
	int64_t used_ms;		/* its last mail was done */
};
void session_close(struct session *s);	/* QUIT; again: nothing */

/* ---- a job ---- */

struct rcpt {
	const struct queue_rcpt *record;
	bool told;
	struct queue_attempt attempt;	/* the last that came of it */
	bool has_attempt;
};

struct job {
	struct arena *a;
	const struct settings *settings;
	const struct job_request *request;
	struct session *session;
	struct dns *dns;
	int file;
	struct bytes text;
	struct rcpt *rcpts;
	struct smtpc_mail mail;		/* recipients in the same order */
	struct smtpc_recipient *to;
	int64_t start_ms, start_mono;
	uint64_t tls;			/* enum queue_tls */
	bool dual;			/* the host has IPv4 and IPv6 */
	struct bytes dialled;
	bool reached;			/* somebody spoke SMTP to us */
	bool held_back;			/* a host was left out by a rule */
	bool other;			/* a host failed other than by 5.7.30 */
	bool dropped;			/* whoever asked is gone */
	struct job_done done;
	/* 0, or -1: nobody hears. */
	int (*tell)(void *ctx, const struct job_result *r);
	bool (*alive)(void *ctx);
	void *ctx;
};
/* Everything of the request and its message, open for reading as file. -1:
 * why is constant text. */
int job_init(struct job *j, const struct settings *s,
    const struct job_request *r, int file, const char **why);
/* Send it whichever way it goes, and tell all results. */
void job_run(struct job *j);
void job_end(struct job *j);
/* What has no result yet is to be sent (again): how many. */
size_t job_pending(struct job *j);
/* What is pending gets this as far as nothing better is known. */
void job_note(struct job *j, const char *status, const char *text,
    struct bytes host, const struct ip *ip);
/* For good, told at once. */
void job_fail(struct job *j, const char *status, const char *text);
/* A result with a code of somebody else's; outcome is one for good, too. */
void job_finish(struct job *j, uint64_t outcome, unsigned int code,
    const char *status, struct bytes text);
/* The results of the mail, over the session. */
void job_take(struct job *j);

/* ---- count.c: T-6 ---- */

enum count_reason {
	COUNT_POLICY,		/* no policy to check a host by */
	COUNT_SERVER,		/* it does not offer REQUIRETLS */
	COUNT_REASONS,
};
/* For a service; without its file nothing is counted, and that is told. */
void count_open(struct settings *s);
/* What a message with "TLS-Required: No" went through; others count nothing. */
void count_ignored(const struct job *j, enum tlsresult result);
/* A host was left out for REQUIRETLS. */
void count_refused(const struct job *j, enum count_reason reason);

/* ---- the kinds ---- */

void direct_send(struct job *j);
void relay_send(struct job *j);		/* relay, submissions, lmtp */
void pipe_send(struct job *j);		/* command, bsmtp */

/* ---- one connection ---- */

/* Whom to speak to. */
struct target {
	struct bytes host;		/* for records */
	struct ip ip;			/* family 0: path, or by name */
	int port;
	const char *path;		/* of a Unix socket, or NULL */
	struct dial_via via;
	bool lmtp, implicit_tls;
	struct tlsc_ctx *tls;
	struct tlsc_choice choice;
	struct tlsc_options options;	/* for STARTTLS */
	const struct dane *dane;	/* direct: not NULL */
	const struct mtasts_decision *sts;
	bool sts_matches;
	bool login;
	struct queue_known known;
	bool direct;
	int64_t connect_deadline;
};
enum tried {
	TRIED_NOBODY,		/* no connection, or it ended before EHLO */
	TRIED_OVER,		/* SMTP was spoken */
};
/* Connect, and send what is pending; results are taken or noted. */
enum tried session_try(struct job *j, const struct target *t);
/* The connection that is there already, if it may have this job. */
bool session_again(struct job *j);
/* The addresses that sockets are bound to, and the proxy. */
void target_via(const struct transport *t, struct dial_via *via);

/* ---- tls.c ---- */

/* The handshake of the session's connection. -1 with *why. */
int tls_begin(struct job *j, const struct target *t, const char **why);
/* What came of TLS with a host, for reports: why empty is success. */
void tls_record(struct job *j, const struct target *t,
    const struct tlsc_finding *f);
/* The context with a client's certificate; NULL with *why. */
struct tlsc_ctx *tls_client(struct job *j, const char **why);

/* ---- jobs from queue-run, by hand ---- */

struct program {
	struct arena arena;
	struct settings settings;
	const char *ca_file;		/* of the environment, or NULL */
	struct os_sandbox network, commands;
	char *config_file;
	struct server server;
};
int serve(struct server_conn *conn, void *ctx);
int by_hand(struct program *p, const char *transport, const char *sender,
    enum queue_tls tls, bool verbose, char *args[]);

#endif
