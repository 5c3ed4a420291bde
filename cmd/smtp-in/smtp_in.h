/*
 * smtp_in.h - the parts of smtp-in
 */
#ifndef SMTP_IN_H
#define SMTP_IN_H

#include "base/base.h"
#include "front/front.h"
#include "sasl/sasl.h"
#include "server/server.h"
#include "smtp/smtp.h"
#include "smtpc/smtpc.h"
#include "stage/stage.h"

/* ---- relay.c: LMTP to run/lmtp ---- */

#define RELAY_READ_BYTES 4096
/* A file in memory that carries texts, from one connection to the next. */
struct relay_file {
	int fd;			/* -1: none yet */
	bool offered;		/* the peer took such the last time */
};
struct relay {
	const char *path;
	struct bytes hostname;
	int fd;			/* -1: not connected */
	bool greeted;
	bool requiretls;	/* the peer offers it */
	struct relay_file *file;	/* of the process */
	bool slow;		/* of the last message: the client earned it */
	int client;		/* who waits meanwhile; -1: nothing is seen */
	bool said_all;		/* of it: its end of input is no surprise */
	struct smtpc_reader reader;
	struct bytes in;	/* read, and not yet looked at */
	unsigned char space[RELAY_READ_BYTES];
};
void relay_init(struct relay *r, const char *path, struct bytes hostname,
    struct relay_file *file);
void relay_close(struct relay *r);
/*
 * Hand one message over: an answer per recipient (text in the arena). 0; -1
 * with errno when the peer could not be reached or broke off: no recipient
 * has an answer then, some may have got the message. ECONNABORTED: the client
 * is gone, and what lmtp-in has not stored yet it need not.
 */
int relay_send(struct relay *r, struct arena *a,
    const struct smtp_envelope *e, const struct smtp_xforward *x,
    struct bytes prefix, struct bytes message, struct smtp_answer *answers);

/* ---- receive.c: recipients and messages ---- */

enum spf_state { SPF_NOT_ASKED, SPF_PASSES, SPF_DOES_NOT };
struct receiver {
	const struct smtp_settings *settings;
	const struct server_conn *conn;
	bool tls_at_rcpt;	/* no RCPT without, but for TLS reports */
	struct relay relay;
	struct arena job;	/* one message */
	struct bytes remote_host;	/* from UCSPI surroundings */
	enum spf_state spf;	/* of this transaction's sender, R-17 */
	unsigned int messages;
	bool big;		/* one was: memory has grown */

	struct front front;
	int tls_serve;		/* between tls_open and tls_begin */
	const char *auth_path, *queue_path;
	struct sasl_client *auth;	/* NULL: not connected */
	unsigned int failures;
	/* Who is logged in; "" nobody. And how. */
	char account[SASL_ACCOUNT_MAX + 1];
	char login[SASL_NAME_MAX + 1];	/* the address used; "": none */
	char mechanism[32];
	bool limited;		/* no logins from there now */
};
/* For struct smtp_session. */
void receive_mail(struct smtp_session *s);
void receive_rcpt(struct smtp_session *s);
void receive_message(struct smtp_session *s, struct bytes text);
void receive_refused(struct smtp_session *s, const char *why);

/* For submit.c: the reply to RCPT, with its log line; log lines alone; the
 * answer to a failure of ours, which is logged. */
void receive_refuse_rcpt(struct smtp_session *s, int code,
    const char *status, const char *why);
void receive_log_refused(struct smtp_session *s, struct bytes to, int code,
    const char *why);
void receive_log_dsn(struct smtp_session *s, bool taken,
    const struct smtp_answer *reply);
void receive_fail(struct smtp_session *s, struct smtp_answer *out,
    const char *what, int err);

/* The envelope as the stages want it; what it points to lives in r->job. */
void receive_envelope(struct smtp_session *s, struct trace_envelope *t);

/* ---- sender.c: what DNS says before a message is taken ---- */

/* A client on this machine, or none: no stranger. */
bool sender_is_local(const struct receiver *r);
/* For struct smtp_session: R-13. */
void sender_helo(struct smtp_session *s);
/* may this sender send? False: MAIL is refused already. */
bool sender_allowed(struct smtp_session *s);
/*
 * more than one recipient only for a sender SPF vouches for, so that a
 * later failure could be told to the right one.
 */
bool sender_several(struct smtp_session *s);

/* ---- submit.c: by way of run/queue-add ---- */

/* Accept or refuse, for a client that logged in. */
void submit_mail(struct smtp_session *s);
void submit_rcpt(struct smtp_session *s);
/* queue-add's answer, or that there is none. */
void submit_message(struct smtp_session *s, struct bytes text,
    struct smtp_answer *out);
/*
 * Delivery failed for some recipients (answers of 300 and above): a DSN to the
 * sender, with the headers of the original. False: it is not queued.
 */
bool submit_dsn(struct smtp_session *s, struct bytes original,
    const struct smtp_answer *answers);

/* ---- login.c: TLS and who the client is ---- */

/* What may be done on the connection as it is, into s->options; who shows
 * the certificate of an account is logged in. */
void login_options(struct smtp_session *s);
/* For struct smtp_session. */
bool login_tls_open(struct smtp_session *s);
int login_tls_begin(struct smtp_session *s);
void login_auth(struct smtp_session *s);
void login_auth_cancel(struct smtp_session *s);

#endif
