/*
 * job.h - what queue-run asks of smtp-out, and what it hears
 *
 * Both are frames (frame.h) over run/smtp-out. One connection serves one
 * destination: a job, its results, and perhaps further jobs for the same
 * destination, which smtp-out sends over the SMTP connection it has open.
 * queue-run closes its end when there is nothing more; smtp-out then says
 * QUIT. smtp-out holds no configuration secrets: what a transport needs comes
 * with the job.
 *
 *	queue-run -> smtp-out	one job frame, with the message file as
 *				descriptor
 *	smtp-out -> queue-run	a result frame for each recipient, as soon as
 *				it is known; then one done frame
 *
 * End of file before the done frame: recipients without a result have a
 * temporary failure "smtp-out ended"; if the text was under way, outcome
 * QUEUE_UNKNOWN comes as a result first.
 */
#ifndef QUEUE_JOB_H
#define QUEUE_JOB_H

#include "queue/queue.h"

/* How a transport sends (main.conf(5), section transport). */
enum transport_type {
	TRANSPORT_DIRECT,	/* MX; also with address families switched
				 * off, a source, or through SOCKS5 */
	TRANSPORT_RELAY,	/* SMTP to a host, STARTTLS */
	TRANSPORT_SUBMISSIONS,	/* implicit TLS and a login */
	TRANSPORT_LMTP,		/* LMTP to a socket or host (also local mail) */
	TRANSPORT_COMMAND,	/* a program, one run a message */
	TRANSPORT_BSMTP,	/* batch SMTP into a program's input (B-14) */
	TRANSPORT_FAIL,		/* answers with a code and text */
};

/* Members as the keys of main.conf; empty or 0: not set. */
struct transport {
	struct bytes name;
	uint64_t type;
	struct bytes host;	/* host, or path of a Unix socket */
	uint64_t port;
	struct bytes user, password;
	struct bytes mechanisms;	/* names between blanks; empty: best */
	struct bytes key_pem, cert_pem;	/* client certificate */
	struct bytes helo;		/* EHLO name */
	struct bytes socks;		/* ADDRESS:PORT of a SOCKS5 proxy */
	struct bytes socks_user, socks_password;
	struct bytes source4, source6;	/* addresses to send from */
	struct bytes command;
	struct bytes text;		/* FAIL: what to say */
	uint64_t code;			/* FAIL */
	uint64_t no_ipv4, no_ipv6;
	uint64_t tls_insecure;		/* no verification, no TLS needed */
};

struct job_request {
	struct queue_message message;
	struct queue_rcpt *rcpts;
	size_t count;
	struct bytes sender;	/* reverse-path of this transaction */
	struct bytes domain;	/* to look up (direct): the recipients' */
	struct transport transport;
	bool anew;		/* try addresses that did not answer lately */
};

struct job_result {
	uint64_t n;		/* of the recipient */
	struct queue_attempt attempt;
	struct bytes dialled;	/* "host ip" lines for the next attempt */
};

/* What was seen of a policy domain's TLS, for reports (T-9, BEHAVIOUR 13). */
struct job_tls_result {
	struct bytes policy_type;	/* "sts", "tlsa", "no-policy-found" */
	struct bytes policy_domain;
	struct bytes mx_host, ip;
	struct bytes result_type;	/* RFC 8460 4.3; empty: success */
	struct bytes detail;
	uint64_t is_host;	/* for the MX host, not the recipient domain */
};

struct job_done {
	bool reusable;		/* another job may come on this connection */
	bool no_host;		/* no host could be reached: whatever waits
				 * for this destination would fare the same */
	struct queue_known known;
	bool has_known;
	struct job_tls_result *tls;
	size_t ntls;
};

/* Append whole frames. 0, -1 EMSGSIZE. */
int job_format_request(struct buf *out, const struct job_request *j);
int job_format_result(struct buf *out, const struct job_result *r);
int job_format_done(struct buf *out, const struct job_done *d);
/* From the fields of a frame, views into them and the arena. -1 EBADMSG. */
int job_parse_request(struct arena *a, struct bytes fields,
    struct job_request *j);
enum job_kind { JOB_RESULT, JOB_DONE };
int job_parse_reply(struct arena *a, struct bytes fields,
    enum job_kind *kind, struct job_result *r, struct job_done *d);

#endif
