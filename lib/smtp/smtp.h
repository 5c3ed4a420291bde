/*
 * smtp.h - the SMTP and LMTP dialogue without sockets
 *
 * The server machine takes bytes and gives reply bytes and events; reading,
 * writing, time-outs and storing are the caller's. So every dialogue can be
 * tested and fuzzed without a process, and the result never depends on how
 * the input was cut into pieces.
 *
 * RFC 5321 (SMTP), 2033 (LMTP), 1870 (SIZE), 2920 (PIPELINING), 6152
 * (8BITMIME), 6531 (SMTPUTF8), 2034 and 3463 (enhanced status codes), 3207
 * (STARTTLS), 4954 (AUTH), 9422 (LIMITS), 3030 (CHUNKING), 3461 (DSN), 8689
 * (REQUIRETLS), 4865 (FUTURERELEASE), 2852 (DELIVERBY), Postfix's XFORWARD
 * for LMTP. After BODY=BINARYMIME (RFC 3030 3) text is handed on as it came.
 *
 *	s = smtp_new(&options);
 *	for (;;) {
 *		switch (smtp_next(s, &in)) {
 *		case SMTP_READ:		write smtp_output, read into in
 *		case SMTP_FLUSH:	write smtp_output
 *		case SMTP_STARTTLS:	smtp_starttls, then smtp_secured
 *		case SMTP_AUTH:		ask who knows, then smtp_auth_...
 *		case SMTP_AUTH_CANCEL:	tell who was asked
 *		case SMTP_HELO:		check, then smtp_helo_accept/_refuse
 *		case SMTP_MAIL:		check, then smtp_mail_accept/_refuse
 *		case SMTP_RCPT:		look up, then smtp_rcpt_accept/_refuse
 *		case SMTP_DATA:		open a spool, smtp_data_accept/_refuse
 *		case SMTP_BYTES:	store smtp_bytes
 *		case SMTP_DROP:		forget what was stored
 *		case SMTP_END:		deliver, then smtp_reply
 *		case SMTP_CLOSE:	write smtp_output, close
 *		}
 *	}
 */
#ifndef SMTP_H
#define SMTP_H

#include "addr/addr.h"
#include "base/base.h"
#include "os/os.h"
#include "stage/stage.h"

struct dnsbl_health;

/* ---- limits ---- */

/* A command line with its CRLF; RFC 5321 4.5.3.1.4 says 512 and more
 * for extensions. */
#define SMTP_LINE_MAX 2048
/* The same where AUTH is offered, RFC 4954 4. */
#define SMTP_AUTH_LINE_MAX 12288
/* A line of text, RFC 5321 4.5.3.1.6 says 1000: HTML mail of one line is
 * common, a line that fills memory is not mail. With its CRLF. */
#define SMTP_TEXT_LINE_MAX (1024 * 1024)
/* Bytes read and thrown away after a message went over the size limit, so
 * that the client sees the reply; then the connection is closed. */
#define SMTP_DISCARD_MAX ((uint64_t)1024 * 1024 * 1024)
/* A reply line without CRLF, RFC 5321 4.5.3.1.5. */
#define SMTP_REPLY_LINE_MAX 510
/* HELO and EHLO argument. */
#define SMTP_HELO_MAX 255
/* Bad transactions, none good, until the connection is closed. */
#define SMTP_BAD_MAX 10
/* Text of one reply handed to smtp_reply, all its lines; the rest is cut. */
#define SMTP_REPLY_TEXT_MAX 65536
/* Output that makes smtp_next give SMTP_FLUSH. */
#define SMTP_FLUSH_BYTES 16384
/* Bytes of one SMTP_BYTES event at most. */
#define SMTP_BYTES_MAX 65536

/* ---- server ---- */

struct smtp_options {
	struct bytes hostname;
	struct bytes banner;		/* name in the greeting */
	bool lmtp;
	bool pedantic;
	uint64_t size_limit;		/* bytes, with CRLF line ends */
	size_t recipients_max;
	bool tls;			/* the connection is protected */
	bool starttls;			/* offered while it is not */
	bool require_tls;		/* no MAIL without */
	bool submission;		/* AUTH is offered, no MAIL without */
	bool auth_in_clear;		/* AUTH also without TLS */
	bool logged_in;			/* by its certificate: no AUTH needed,
					 * but it may come (U-10, U-11) */
	bool ask_mail;			/* SMTP_MAIL comes for each sender */
	bool ask_helo;			/* SMTP_HELO comes for each HELO */
	const char *mechanisms;		/* for AUTH, blanks between */
	bool requiretls;		/* RFC 8689, offered with TLS */
	bool dsn;			/* RFC 3461 */
	/* RFC 4865 and 2852 are offered: the last second of HOLDUNTIL. 0: they
	 * are not. */
	int64_t hold_until_max;
	bool chunking;			/* RFC 3030 */
	bool binary;			/* BINARYMIME; with chunking only */
	bool textfile;			/* TEXTFILE, ours; LMTP only */
};
/* The longest HOLDFOR, sixty days (U-21). */
#define SMTP_HOLD_MAX_S 5184000

/* RFC 3461 4.1; 0: no NOTIFY. */
enum {
	SMTP_NOTIFY_NEVER = 1,
	SMTP_NOTIFY_SUCCESS = 2,
	SMTP_NOTIFY_FAILURE = 4,
	SMTP_NOTIFY_DELAY = 8,
};

struct smtp_recipient {
	struct path path;
	struct bytes text;	/* without <>, quoted as RFC 5321 needs */
	void *user;		/* the caller's, NULL at first */
	unsigned int notify;
	struct bytes orcpt;	/* "rfc822;a@b", decoded; empty: none */
};

/*
 * XFORWARD attributes; empty, or family 0: not given or not available. MARKS
 * is ours: the client reads what smtp_reply_marked says beside a reply.
 */
struct smtp_xforward {
	struct bytes name, helo, proto, ident, source;
	struct ip addr;
	int port;
	bool marks;
};
/* The first line of a marked reply, behind its codes; a word follows. */
#define SMTP_MARK "XMARK "
/* The word: the sender's client has earned slow mode (BEHAVIOUR 1.3). */
#define SMTP_MARK_SLOW "slow"

/* What is known at SMTP_RCPT, _DATA and _END; valid until the next call of
 * smtp_next that ends the transaction. */
struct smtp_envelope {
	struct bytes helo;
	bool ehlo;			/* EHLO or LHLO, not HELO */
	const char *with;		/* ESMTP, SMTP, UTF8SMTP, LMTP, ... */
	struct path sender;
	struct bytes sender_text;	/* without <> */
	struct smtp_recipient *recipients;	/* the accepted ones */
	size_t nrecipients;
	bool body_8bit, smtputf8;
	bool body_binary;		/* the text is any bytes, not LF form */
	uint64_t declared_size;		/* 0: not given */
	bool requiretls;
	bool ret_full, ret_headers;
	struct bytes envid;		/* decoded */
	int64_t hold_s, hold_until;	/* one of them, or both 0 */
	bool has_by, by_return, by_trace;
	int64_t by_s;			/* from now */
	struct smtp_xforward xforward;
};

enum smtp_event {
	SMTP_READ,	/* all input is used: flush the output, then read */
	SMTP_FLUSH,	/* much output is waiting: write it */
	SMTP_STARTTLS,	/* TLS is wanted: smtp_starttls */
	SMTP_AUTH,	/* AUTH, or the answer to a challenge */
	SMTP_AUTH_CANCEL,	/* the client gave up, and was answered */
	SMTP_HELO,	/* with options.ask_helo, not after EHLO: the envelope
			 * has the name; accept or refuse */
	SMTP_MAIL,	/* with options.ask_mail: the envelope has the
			 * sender; accept or refuse */
	SMTP_RCPT,	/* *smtp_asked: accept or refuse */
	SMTP_DATA,	/* DATA, or the first BDAT, with recipients: accept
			 * or refuse; what came before without SMTP_END is to
			 * be forgotten */
	SMTP_BYTES,	/* smtp_bytes: message text in LF form, or as it came
			 * after BODY=BINARYMIME */
	SMTP_FILE,	/* the text is in a file, smtp_file_size bytes:
			 * smtp_file_text */
	SMTP_DROP,	/* the text given so far is refused: forget it */
	SMTP_END,	/* the message is whole: smtp_reply */
	SMTP_CLOSE,	/* flush the output and close; nothing follows */
};

struct smtp;
/* The options' slices are borrowed and must outlive it. The greeting is in
 * the output at once. */
struct smtp *smtp_new(const struct smtp_options *options);
void smtp_free(struct smtp *s);

/*
 * Go on with the bytes of *in, taking what was used off its front, up to the
 * next event. SMTP_READ is given only with *in empty. A question (HELO, MAIL,
 * RCPT, DATA, END) must be answered before the next call.
 */
enum smtp_event smtp_next(struct smtp *s, struct bytes *in);
/* Reply bytes that wait to be written; smtp_written drops n of them. */
struct bytes smtp_output(const struct smtp *s);
void smtp_written(struct smtp *s, size_t n);
/* Text of the last SMTP_BYTES, until the next call. */
struct bytes smtp_bytes(const struct smtp *s);
/* Where that of the next ones is put: SMTP_BYTES_MAX bytes of the caller's;
 * NULL, and at first: memory of its own. */
void smtp_bytes_into(struct smtp *s, unsigned char *p);
/*
 * TEXTFILE: a text of our own servers that comes as a descriptor. To SMTP_FILE:
 * its text, which is judged; false: the session is at its end. Bytes, not more
 * than what is kept in memory and than a line may have.
 */
#define SMTP_TEXTFILE_MAX SPOOL_MEMORY_MAX
size_t smtp_file_size(const struct smtp *s);
bool smtp_file_text(struct smtp *s, struct bytes text);
const struct smtp_envelope *smtp_envelope(const struct smtp *s);
/* The recipient asked about by SMTP_RCPT; not in the envelope yet. */
struct smtp_recipient *smtp_asked(struct smtp *s);
/* In the middle of a message's text, or between two of its chunks. */
bool smtp_in_data(const struct smtp *s);
/* A message waits for smtp_reply: for so many replies. */
size_t smtp_replies_due(const struct smtp *s);
/* Transactions that ended in a 2xx reply, and those refused. */
unsigned int smtp_good(const struct smtp *s);
unsigned int smtp_bad(const struct smtp *s);
/* Was any reply a 4xx or 5xx, or is there input after the end? */
bool smtp_refused(const struct smtp *s);
/* Why the machine refuses the message (at SMTP_DROP) or closed the session
 * (at SMTP_CLOSE): constant text for the log. NULL: it did not. */
const char *smtp_why(const struct smtp *s);

/*
 * To SMTP_STARTTLS: 220, to be written before TLS begins, or 454 (not now).
 * After 220 comes smtp_secured once there is TLS, with new options: what was
 * said in clear is forgotten (RFC 3207 4.2).
 */
void smtp_starttls(struct smtp *s, bool begins);
void smtp_secured(struct smtp *s, const struct smtp_options *options);

/* At SMTP_AUTH, valid until it is answered. */
struct smtp_auth {
	bool begins;		/* else it goes on */
	const char *mechanism;	/* upper case, one of those offered */
	bool has_response;	/* always when it goes on */
	struct bytes response64;
};
struct smtp_auth smtp_auth(const struct smtp *s);
void smtp_auth_challenge(struct smtp *s, struct bytes challenge64);
void smtp_auth_accept(struct smtp *s);
void smtp_auth_refuse(struct smtp *s, int code, const char *status,
    struct bytes text);

/* After a refused HELO the client has to say it again, or EHLO; it counts as
 * a bad transaction, since asking costs us. */
void smtp_helo_accept(struct smtp *s);
void smtp_helo_refuse(struct smtp *s, int code, const char *status,
    struct bytes text);
void smtp_mail_accept(struct smtp *s);
void smtp_mail_refuse(struct smtp *s, int code, const char *status,
    struct bytes text);
void smtp_rcpt_accept(struct smtp *s);
/* code and status as "550", "5.1.1" (RFC 3463); text is cleaned and cut. */
void smtp_rcpt_refuse(struct smtp *s, int code, const char *status,
    struct bytes text);
void smtp_data_accept(struct smtp *s);
void smtp_data_refuse(struct smtp *s, int code, const char *status,
    struct bytes text);
/*
 * The reply to the message: once, or with LMTP once per accepted recipient in
 * their order. Line feeds in text make a multi-line reply.
 */
void smtp_reply(struct smtp *s, int code, const char *status,
    struct bytes text);
/* The same, with SMTP_MARK and a word in a line before text if the client asked
 * for marks (XFORWARD MARKS=YES): between our own servers, never to a
 * stranger. */
void smtp_reply_marked(struct smtp *s, int code, const char *status,
    struct bytes text, const char *mark);
/* Say 421 and end the session (time-out, shutdown); next is SMTP_CLOSE. */
void smtp_abort(struct smtp *s, const char *status, struct bytes text);

/* ---- replies of a server, combined ---- */

struct smtp_answer {
	int code;
	struct bytes status;	/* "5.1.1"; empty: none */
	struct bytes text;	/* lines joined with LF, without codes */
};
/*
 * One reply for several recipients: all alike (by code and status):
 * the first; none accepted: the code if equal, else 554 if all are permanent,
 * else 451, with a line per recipient; some accepted, some not: 451 4.3.0
 * with a line per recipient. n > 0.
 */
void smtp_answer_combine(struct arena *a, const struct smtp_recipient *rcpt,
    const struct smtp_answer *answers, size_t n, struct smtp_answer *out);

/* ---- client side texts ---- */

/*
 * Append a piece of a message in wire form: LF becomes CRLF, a dot at the
 * beginning of a line is doubled. *at_start is true before the first piece
 * and is kept up to date. -1 EMSGSIZE.
 */
int smtp_add_text(struct buf *out, struct bytes piece, bool *at_start);
/* Append XFORWARD commands (SMTP_XFORWARD_LINES, Postfix's format): all but
 * marks, then marks in a line of their own. -1 EMSGSIZE. */
#define SMTP_XFORWARD_LINES 3
int smtp_add_xforward(struct buf *out, const struct smtp_xforward *x);

/* ---- a message being received ---- */

/* Larger ones go to an unnamed file. */
#define SPOOL_MEMORY_MAX (256 * 1024)
/* What is in memory has room in front of it, for header fields that are not
 * longer than usual. */
#define SPOOL_FRONT 4096
struct spool {
	const char *dir;	/* var/spool */
	unsigned char *memory;	/* from SPOOL_FRONT on, or NULL */
	size_t n, room;		/* bytes in memory, without the front */
	int fd;			/* -1: all in memory */
	uint64_t size;
	void *map;
	size_t map_size;
};
void spool_init(struct spool *s, const char *dir);
/* -1 with errno (ENOSPC, ...): the spool is as good as empty then. */
int spool_add(struct spool *s, struct bytes b);
/* The same for bytes that are where they belong: spool_room gives room for
 * SMTP_BYTES_MAX; spool_take adds the first n of it, 0 or -1. */
unsigned char *spool_room(struct spool *s);
int spool_take(struct spool *s, size_t n);
/* All of it as one view, until spool_reset. -1 errno. */
int spool_view(struct spool *s, struct bytes *out);
/* How many bytes there are in front of p that may be written to, the text's
 * own before it among them; 0 if p is not in the view, or all is in a file. */
size_t spool_front(const struct spool *s, const unsigned char *p);
/* Empty it; memory is kept. */
void spool_reset(struct spool *s);
void spool_free(struct spool *s);

/* ---- a server's loop around machine, descriptors and spool ---- */

struct smtp_session {
	/* set by the program */
	struct smtp_options options;
	int in, out;
	bool is_socket;
	int64_t line_timeout_ms;	/* each read and write */
	int64_t data_timeout_ms;	/* whole message text */
	const char *spool_dir;
	void *ctx;
	/* A recipient is asked for: smtp_rcpt_accept or _refuse. */
	void (*rcpt)(struct smtp_session *s);
	/* The message is whole, as SMTP_BYTES gave it: smtp_reply, with LMTP
	 * for each recipient. The view ends when it returns. */
	void (*message)(struct smtp_session *s, struct bytes text);
	/* The machine refuses the message being received; for the log. */
	void (*refused)(struct smtp_session *s, const char *why);
	/*
	 * Where options.starttls was set: get ready for TLS (false: not now);
	 * begin it on the descriptors and set options as they are then (-1:
	 * the connection is of no use).
	 */
	bool (*tls_open)(struct smtp_session *s);
	int (*tls_begin)(struct smtp_session *s);
	/* Where options.ask_helo is set: smtp_helo_accept or _refuse. */
	void (*helo)(struct smtp_session *s);
	/* Where options.ask_mail is set: a sender is asked for,
	 * smtp_mail_accept or _refuse. */
	void (*mail)(struct smtp_session *s);
	/* Where options.submission is set: answer, forget. */
	void (*auth)(struct smtp_session *s);
	void (*auth_cancel)(struct smtp_session *s);
	bool slow;		/* the client misbehaves (BEHAVIOUR 1.5) */

	/* for the program's use */
	struct smtp *smtp;
	char id[23];		/* received-id, new for each message */
	bool unread;		/* in message: the client said more, QUIT
				 * perhaps */
	int text_fd;		/* in message: the file that holds all of
				 * the text; -1: it is in memory */
	const char *end;	/* how it ended, for the log: constant text */
	bool clean;		/* it ended by QUIT and nothing more; nothing
				 * was refused, the client was never slow */

	/* private */
	bool has_read;
	int file;		/* that came with a command; -1: none */
	struct spool spool;
	int spool_error;
	int64_t data_deadline;
};
/*
 * Run the dialogue until it ends. 0: it ended in order (QUIT, or the peer
 * closed between messages); -1 with errno: ETIMEDOUT, EPROTO (closed by us
 * for what the peer did, or by the peer within a message), others of read(2)
 * and write(2). The descriptors stay open.
 */
int smtp_session_run(struct smtp_session *s);
/* In message: n bytes in front of p, a place in its text, to write to (what
 * they were is to be put back); NULL: so many are not there. */
unsigned char *smtp_session_front(struct smtp_session *s,
    const unsigned char *p, size_t n);
/*
 * The reply for something that went wrong here: 452 4.3.1 when a disk is
 * full, else 451 4.3.0 with the received-id, so that the log can be searched
 * for it. With LMTP for all recipients not answered yet.
 */
void smtp_session_fail(struct smtp_session *s, int err);
/* Code, status and text of that, for one reply; text holds until the next
 * call with the same buffer. */
#define SMTP_FAIL_TEXT 128
int smtp_fail_reply(int err, const char *id, char text[SMTP_FAIL_TEXT],
    const char **status);

/* ---- what configuration says to smtp-in and lmtp-in ---- */

/* Made by the parent, shared by all connections. */
struct smtp_settings {
	struct arena arena;
	struct config *config;
	const struct stage_options *stage;
	struct stage_list stages;
	struct smtp_options smtp;
	bool asks_dns;			/* resolvers are needed */
	bool confined;			/* private: smtp_settings_confine */
	/* What is known of the zones in stage->dnsbl, which has it
	 * too; made once, or NULL. */
	struct dnsbl_health *dnsbl_health;
	struct dns_cache *dns_cache;	/* of a process; stage->dns has it */
	size_t received_max;
	int64_t line_timeout_ms, data_timeout_ms, unknown_delay_ms;
	const char *spool_dir;
	const char *config_file;	/* for struct server.watch_file */
	char refusal[320];		/* for struct server.refusal */
};
/*
 * Read configuration, stages from the list key of section, and set the log
 * level. 0 with the former contents of *s (all zero at first) released; -1
 * with errno, *why constant text that names what is wrong, and nothing
 * changed.
 */
int smtp_settings_load(struct smtp_settings *s, bool lmtp,
    const char *section, const char *list, const char **why);
void smtp_settings_free(struct smtp_settings *s);
/*
 * Put into reach what a process needs: the folder of spools, and TCP to the
 * ports resolvers have (53, and those configured). 0 or -1.
 */
int smtp_settings_reach(const struct smtp_settings *s, struct os_reach *r);
/*
 * In a new process, before what a client sends is read; again for each further
 * connection it serves, which changes nothing. Takes the system's resolvers as
 * they are now, if none are configured and one could be asked, begins to keep
 * their answers (smtp-in), and enters the sandbox. 0, or -1: it said why.
 */
int smtp_settings_confine(struct smtp_settings *s,
    const struct os_sandbox *box);

#endif
