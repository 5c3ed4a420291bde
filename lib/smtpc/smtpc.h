/*
 * smtpc.h - the client side of SMTP and LMTP without sockets
 *
 * Three parts: replies, what a server offers, and the session machine. The
 * machine takes the server's bytes and gives ours, events and results; the
 * connection, TLS, the clock and retries are the caller's.
 *
 * RFC 5321 (SMTP), 2033 (LMTP), 2920 (PIPELINING), 1870 (SIZE), 6152
 * (8BITMIME), 6531 (SMTPUTF8), 3207 (STARTTLS), 4954 (AUTH), 3461 (DSN), 3030
 * (CHUNKING, BINARYMIME), 2852 (DELIVERBY), 4865 (FUTURERELEASE), 8689
 * (REQUIRETLS), 9422 (LIMITS), 2034 and 3463 (enhanced status codes).
 *
 *	s = smtpc_new(&options);
 *	for (;;) {
 *		switch (smtpc_next(s, &in)) {
 *		case SMTPC_READ:	write smtpc_output, read into in
 *		case SMTPC_FLUSH:	write smtpc_output
 *		case SMTPC_STARTTLS:	TLS, then smtpc_secured
 *		case SMTPC_READY:	smtpc_send a mail, or smtpc_quit
 *		case SMTPC_DONE:	look at the results
 *		case SMTPC_CLOSED:	close; smtpc_failure tells why
 *		}
 *	}
 *
 * Each write and read may take smtpc_wait_ms; past that: smtpc_timed_out. At
 * end of file or an error of the connection: smtpc_lost, after what was read
 * before has been given to smtpc_next. When a write fails, read once more
 * first: a server that closes often says why.
 */
#ifndef SMTPC_H
#define SMTPC_H

#include "addr/addr.h"
#include "base/base.h"
#include "saslc/saslc.h"

/* ---- limits ---- */

/* A reply line with its CRLF. RFC 5321 4.5.3.1.5 says 512; servers put long
 * URLs and traces into their refusals. */
#define SMTPC_LINE_MAX 2048
/* Lines, and octets, of one reply: more is no reply, but a flood. */
#define SMTPC_LINES_MAX 256
#define SMTPC_REPLY_MAX 65536
/* Octets of a reply's text kept in a result. */
#define SMTPC_TEXT_MAX 2048
/*
 * Commands sent ahead of their replies: as many replies fit every socket
 * buffer, so that writing all before reading cannot lock up (RFC 2920 3.1).
 */
#define SMTPC_AHEAD_MAX 50
/* Recipients of a transaction at most, RCPTMAX or not. RFC 5321 4.5.3.1.8:
 * servers take at least 100; most take 1000. */
#define SMTPC_RECIPIENTS_MAX 1000
/* Octets of one BDAT chunk, and output that makes SMTPC_FLUSH. */
#define SMTPC_CHUNK_BYTES 65536
/* An AUTH line with its initial response, RFC 4954 4. */
#define SMTPC_AUTH_FIRST_MAX 512
/* Parameter values (ENVID, ORCPT): RFC 3461 4.4 and 4.2 say 100 and 500. */
#define SMTPC_ENVID_MAX 100
#define SMTPC_ORCPT_MAX 500
/* AUTH=, RFC 4954 5. */
#define SMTPC_PARAM_MAX 500
/* Names of mechanisms, of the longest that may be, that are kept. */
#define SMTPC_MECHANISMS_MAX 64
/* Octets of a message line without its CRLF, RFC 5322 2.1.1: smtpc_scan
 * tells the longest, nothing is refused for it. */
#define SMTPC_TEXT_LINE 998

/* ---- replies ---- */

/* An enhanced status code as text: "5.7.30". */
#define SMTPC_STATUS_MAX 10

struct smtpc_reply {
	int code;			/* 200 to 599 */
	char status[SMTPC_STATUS_MAX];	/* "" if the first line has none */
	struct bytes text;	/* lines without code, LF between */
	size_t lines;
};

/* Which text a reply may have. Controls other than HTAB never. */
enum smtpc_text {
	SMTPC_ASCII,		/* RFC 5321 4.2 */
	SMTPC_UTF8,		/* RFC 6531 3.7.4.2 */
	SMTPC_ANY,		/* bytes that are not UTF-8 become "?" */
};

/* A reply being read; begin with SMTPC_READER_INIT. */
struct smtpc_reader {
	enum smtpc_text allow;
	struct buf line, text;
	int code;
	size_t lines, octets;
};
#define SMTPC_READER_INIT ((struct smtpc_reader){ \
	.line = BUF_INIT(SMTPC_LINE_MAX), .text = BUF_INIT(SMTPC_REPLY_MAX) })
/*
 * Take one reply off the front of *in, not a byte more: 1, *out valid until
 * the next call. 0: all of *in is used, more is needed. -1 with *why
 * (constant text that names the broken rule): EPROTO, a line that is no reply
 * line, codes that differ, bytes that may not be; EMSGSIZE, over a limit.
 * The connection is of no use then: where the next reply begins is not known.
 * The result does not depend on how the input was cut.
 */
int smtpc_reply_read(struct smtpc_reader *r, struct bytes *in,
    struct smtpc_reply *out, const char **why);
/* Part of a reply has been read. */
bool smtpc_reply_begun(const struct smtpc_reader *r);
void smtpc_reader_free(struct smtpc_reader *r);
/*
 * An enhanced status code (RFC 3463 2) at the start of text that fits code:
 * its class is the code's first digit. Its length, 0: there is none.
 */
size_t smtpc_status_cut(struct bytes text, int code,
    char out[SMTPC_STATUS_MAX]);
/* The reply's text without the enhanced codes at the start of its lines (RFC
 * 2034 4: each line has one), in the arena. */
struct bytes smtpc_reply_plain(struct arena *a, const struct smtpc_reply *r);

/* ---- what a server offers ---- */

enum {
	SMTPC_EXT_PIPELINING = 1 << 0,
	SMTPC_EXT_SIZE = 1 << 1,
	SMTPC_EXT_8BITMIME = 1 << 2,
	SMTPC_EXT_SMTPUTF8 = 1 << 3,
	SMTPC_EXT_STARTTLS = 1 << 4,
	SMTPC_EXT_REQUIRETLS = 1 << 5,
	SMTPC_EXT_DSN = 1 << 6,
	SMTPC_EXT_CHUNKING = 1 << 7,
	SMTPC_EXT_BINARYMIME = 1 << 8,
	SMTPC_EXT_DELIVERBY = 1 << 9,
	SMTPC_EXT_FUTURERELEASE = 1 << 10,
	SMTPC_EXT_LIMITS = 1 << 11,
	SMTPC_EXT_AUTH = 1 << 12,
	SMTPC_EXT_STATUS = 1 << 13,	/* ENHANCEDSTATUSCODES */
	SMTPC_EXT_PRIORITY = 1 << 14,	/* MT-PRIORITY */
};

struct smtpc_offer {
	bool extended;			/* EHLO or LHLO was understood */
	unsigned int ext;		/* SMTPC_EXT_... */
	struct bytes name;		/* what the server calls itself */
	uint64_t size;			/* of a message; 0: none told */
	struct bytes auth;		/* mechanisms, blanks between */
	/* LIMITS; 0: none told. A bad value counts as none. */
	uint64_t rcpt_max, mail_max, rcpt_domain_max;
	uint64_t deliverby_min;		/* seconds; 0: none */
	uint64_t hold_seconds_max;	/* of FUTURERELEASE */
	struct bytes hold_until_max;	/* date-time, as given */
	struct bytes priority;		/* MT-PRIORITY profile; "" none */
};
/*
 * Read the reply to EHLO. Never fails: lines that are not understood are not
 * offers. "AUTH=" is read as "AUTH" (servers of the nineties and those that
 * speak to their clients); both lists together, each name once. Slices are
 * in the arena.
 */
void smtpc_offer_parse(struct arena *a, const struct smtpc_reply *r,
    struct smtpc_offer *out);

/* ---- results ---- */

enum smtpc_class {
	SMTPC_PENDING,
	SMTPC_OK,
	SMTPC_TEMPORARY,
	SMTPC_PERMANENT,
};

/* Where it was decided. */
enum smtpc_step {
	SMTPC_AT_CONNECT,	/* before the greeting was read */
	SMTPC_AT_GREETING,
	SMTPC_AT_EHLO,
	SMTPC_AT_STARTTLS,
	SMTPC_AT_TLS,		/* the handshake: smtpc_secured_not */
	SMTPC_AT_AUTH,
	SMTPC_AT_CHECK,		/* what is offered does not do for the mail */
	SMTPC_AT_RSET,
	SMTPC_AT_MAIL,
	SMTPC_AT_RCPT,
	SMTPC_AT_DATA,
	SMTPC_AT_TEXT,		/* while the message was sent */
	SMTPC_AT_END,		/* reply to the end mark, or last BDAT */
	SMTPC_AT_READY,		/* between mails */
	SMTPC_AT_QUIT,
	SMTPC_STEPS
};
/* "connect", "greeting", "RCPT", ... for logs and records. */
const char *smtpc_step_name(enum smtpc_step step);

struct smtpc_result {
	enum smtpc_class class;
	enum smtpc_step step;
	/*
	 * not refused, only not in this transaction: send it again in a
	 * new one at once. Only set where the mail got rid of at least one
	 * other recipient, so that repeating comes to an end. The session
	 * may have ended meanwhile: then in a new one.
	 */
	bool again;
	/*
	 * The message was sent whole and the reply is not known (class
	 * SMTPC_TEMPORARY): the server may have it, sending it again may
	 * double it, not sending may lose it.
	 */
	bool doubtful;
	int code;			/* 0: decided here, not by a reply */
	char status[SMTPC_STATUS_MAX];	/* "" none; ours where code is 0 */
	struct bytes text;	/* reply's lines, cut to SMTPC_TEXT_MAX */
	const char *why;	/* constant text where code is 0; else NULL */
};

/* ---- a mail ---- */

/*
 * The bytes of a message in LF form, read as they are needed: view gives some
 * of them from offset on (at least one, none past size), valid until the next
 * call. -1 with errno: the mail fails for now.
 */
struct smtpc_source {
	int (*view)(void *ctx, uint64_t offset, struct bytes *out);
	void *ctx;
	uint64_t size;
};
/* A source of parts in memory (prefix and a mapped file); they are borrowed. */
struct smtpc_parts {
	const struct bytes *part;
	size_t n;
};
struct smtpc_source smtpc_source_parts(const struct smtpc_parts *p);

struct smtpc_facts {
	uint64_t wire_size;	/* CRLF line ends, without dots and end mark */
	bool is_8bit;
	bool has_nul;
	bool has_cr;		/* other than before LF: cannot be sent */
	uint64_t longest_line;	/* octets without line end */
};
/* Read all of a message once. 0, or -1 with the errno of view. */
int smtpc_scan(const struct smtpc_source *s, struct smtpc_facts *out);

enum {				/* NOTIFY, RFC 3461 4.1 */
	SMTPC_NOTIFY_SUCCESS = 1,
	SMTPC_NOTIFY_FAILURE = 2,
	SMTPC_NOTIFY_DELAY = 4,
	SMTPC_NOTIFY_NEVER = 8,		/* alone */
};

struct smtpc_recipient {
	struct path path;
	unsigned int notify;	/* 0: not given */
	struct bytes orcpt;	/* "rfc822;u+2Bx@example.org", as on the wire */
	void *user;		/* the caller's */
	struct smtpc_result result;
};

enum smtpc_ret { SMTPC_RET_NONE, SMTPC_RET_FULL, SMTPC_RET_HDRS };

/* A message and its envelope; all of it is the caller's until SMTPC_DONE. */
struct smtpc_mail {
	struct path sender;
	struct smtpc_recipient *recipients;
	size_t nrecipients;
	struct smtpc_source source;
	struct smtpc_facts facts;	/* smtpc_scan's, or kept from it */
	/* The bytes are as for the wire, with any CR and NUL (RFC 3030 3):
	 * needs CHUNKING and BINARYMIME. facts.wire_size is their number. */
	bool binary;
	bool smtputf8;		/* header fields have UTF-8 (RFC 6531) */
	bool requiretls;
	enum smtpc_ret ret;
	struct bytes envid;	/* xtext; empty: not given */
	struct bytes auth;	/* "<>" or xtext, RFC 4954 5; empty: none */
	int by_mode;		/* 'R', 'N'; 0: no DELIVERBY */
	bool by_trace;
	int64_t by_seconds;
	uint64_t hold_for;	/* seconds; 0: no */
	struct bytes hold_until;	/* RFC 3339 date-time; empty: no */
	struct arena *arena;	/* for the results' texts */

	/* set by the machine */
	bool dsn_passed;	/* DSN was offered: the duty is the server's */
	bool sent_8bit;		/* 8-bit text to a server without 8BITMIME */
};
/* Append s as xtext (RFC 3461 4). -1 EMSGSIZE. */
int smtpc_add_xtext(struct buf *out, struct bytes s);

/* ---- the session ---- */

enum smtpc_tls {
	SMTPC_TLS_NEVER,
	SMTPC_TLS_OFFERED,	/* if it is offered; in clear otherwise */
	SMTPC_TLS_REQUIRED,
};

/* What the connection waits for: each has its time. */
enum smtpc_phase {
	SMTPC_WAIT_GREETING,	/* 5 min, RFC 5321 4.5.3.2.1 */
	SMTPC_WAIT_COMMAND,	/* 5 min: EHLO, MAIL, RCPT, AUTH, ... */
	SMTPC_WAIT_DATA,	/* 2 min, 4.5.3.2.4 */
	SMTPC_WAIT_TEXT,	/* 3 min for each write, 4.5.3.2.5 */
	SMTPC_WAIT_END,		/* 10 min, 4.5.3.2.6 */
	SMTPC_WAIT_QUIT,	/* 10 s: nothing hangs on it any more */
	SMTPC_PHASES
};

struct smtpc_options {
	struct bytes hostname;	/* our name or address literal: one word */
	bool lmtp;
	/*
	 * Strict: 8-bit text only with 8BITMIME, replies in the
	 * character set of their RFC. Otherwise 8-bit text is sent anyway,
	 * and 8-bit bytes in replies become "?".
	 */
	bool pedantic;
	enum smtpc_tls tls;
	bool secured;			/* TLS is there from the start */
	bool chunking;			/* BDAT where it is offered */
	size_t recipients_max;		/* 0: SMTPC_RECIPIENTS_MAX */
	/* NULL: none. Without AUTH in the offer the session fails. */
	const struct saslc_login *login;
	int64_t wait_ms[SMTPC_PHASES];	/* 0: as above */
	int64_t wait_max_ms;		/* none is longer; 0: no limit */
};

enum smtpc_event {
	SMTPC_READ,	/* write the output, then read */
	SMTPC_FLUSH,	/* write the output; what has come may be given too */
	SMTPC_STARTTLS,	/* no output is left, nothing was read: begin TLS */
	SMTPC_READY,	/* smtpc_send, smtpc_quit, or smtpc_noop */
	SMTPC_DONE,	/* all recipients of the mail have results */
	SMTPC_CLOSED,	/* write the output and close */
};

struct smtpc;
/* options' slices and login are borrowed and must outlive it. */
struct smtpc *smtpc_new(const struct smtpc_options *options);
void smtpc_free(struct smtpc *s);
/*
 * Go on with the bytes of *in, taking what was used off its front. With
 * SMTPC_READ, _READY and _STARTTLS all of it was used.
 */
enum smtpc_event smtpc_next(struct smtpc *s, struct bytes *in);
/* Bytes that wait to be written; smtpc_written drops n of them. */
struct bytes smtpc_output(const struct smtpc *s);
void smtpc_written(struct smtpc *s, size_t n);
/* Milliseconds that the next write or read may take. */
enum smtpc_phase smtpc_phase(const struct smtpc *s);
int64_t smtpc_wait_ms(const struct smtpc *s);

/*
 * After SMTPC_STARTTLS: there is TLS; all that was offered is forgotten (RFC
 * 3207 4.2). login (may be NULL for the one of the options) takes the place
 * of the options' one, for the channel bindings of this connection.
 */
void smtpc_secured(struct smtpc *s, const struct saslc_login *login);
/* Or: the handshake or the certificate was not right; constant text. */
void smtpc_secured_not(struct smtpc *s, const char *why);
/* The connection ended (end of file, error; constant text), or time is up:
 * go on with smtpc_next, which ends in SMTPC_CLOSED. */
void smtpc_lost(struct smtpc *s, const char *why);
void smtpc_timed_out(struct smtpc *s);

/*
 * At SMTPC_READY: send a mail; RSET goes in front if the last one needs it.
 * Results come with SMTPC_DONE, where the recipients of *mail that are still
 * SMTPC_PENDING are sent; others are left alone, so that a mail can be sent
 * again for those marked again (smtpc_again). What is known to fail before
 * a word is said (size, what is not offered, NUL or a lone CR in a message
 * that is not binary) is a result, too. 0, or -1 with EINVAL: not ready,
 * nobody pending, a path or value that no command can carry.
 */
int smtpc_send(struct smtpc *s, struct smtpc_mail *mail);
/* Recipients marked again become pending; their number. */
size_t smtpc_again(struct smtpc_mail *mail);
/* At SMTPC_READY: see whether an old connection still lives. */
void smtpc_noop(struct smtpc *s);
/* At SMTPC_READY: end in order. */
void smtpc_quit(struct smtpc *s);

/* What was offered last. */
const struct smtpc_offer *smtpc_offer(const struct smtpc *s);
bool smtpc_is_secured(const struct smtpc *s);
/* The mechanism that logged in; NULL: none did. */
const char *smtpc_auth_mechanism(const struct smtpc *s);
/* The server's bytes are at fault: not an answer, but a broken protocol. */
bool smtpc_is_broken(const struct smtpc *s);
/*
 * Why the session ended, with what step, reply or why; class SMTPC_OK after
 * QUIT in order. Valid as long as s. At SMTPC_DONE the recipients have it
 * already.
 */
const struct smtpc_result *smtpc_failure(const struct smtpc *s);

#endif
