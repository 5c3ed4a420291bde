/*
 * internal.h - the server machine's own parts
 */
#ifndef SMTP_INTERNAL_H
#define SMTP_INTERNAL_H

#include "smtp/smtp.h"

enum smtp_state {
	STATE_COMMAND,
	STATE_ASK_TLS,
	STATE_ASK_AUTH,
	STATE_RESPONSE,		/* a line of AUTH is awaited */
	STATE_CANCELLED,
	STATE_ASK_HELO,
	STATE_ASK_MAIL,
	STATE_ASK_RCPT,
	STATE_ASK_DATA,
	STATE_TEXT,
	STATE_CHUNK,	/* bytes of BDAT */
	STATE_FILE,	/* the text in a descriptor */
	STATE_ASK_END,
	STATE_CLOSED,
};

/* Where in a line of message text the machine stands (RFC 5321 4.1.1.4). */
enum text_state {
	TEXT_START,	/* at the beginning of a line */
	TEXT_DOT,	/* after a dot there */
	TEXT_DOT_CR,	/* after dot and CR there */
	TEXT_LINE,
	TEXT_CR,	/* after a CR */
};

struct smtp {
	struct smtp_options o;
	enum smtp_state state;
	struct buf out;
	const char *why;

	/* commands */
	unsigned char *line;		/* line_max */
	size_t line_n, line_max;
	bool seen_command;		/* a valid one: R-8 is over */
	struct arena session;		/* HELO name, XFORWARD */
	struct arena job;		/* one transaction */
	struct smtp_envelope e;
	struct smtp_envelope asked_mail;	/* what MAIL asks for */
	bool greeted;
	bool in_mail;
	bool rcpt_refused;		/* in this transaction */
	size_t recipients_size;
	struct smtp_recipient asked;
	unsigned int good, bad;
	size_t replies_due;		/* LMTP: of the message */
	bool any_accepted;

	/* AUTH */
	bool authenticated;
	bool auth_begins, has_response;
	char mechanism[32];
	struct buf response;		/* base64 */

	/* message text */
	enum text_state text;
	uint64_t wire_size;		/* with CRLF, without the end mark */
	size_t text_line;		/* bytes of the line so far */
	bool too_big, line_too_long, has_nul;
	bool dropped;			/* SMTP_DROP was given */
	bool refused;			/* something, in this session */

	/* BDAT */
	bool in_bdat;			/* this transaction's text comes so */
	bool chunk_last;
	uint64_t chunk_left;		/* bytes that are not commands */
	int skip_code;			/* the chunk is refused: the reply */
	char skip_status[16];
	struct bytes skip_text;
	bool skip_ends;			/* the transaction too */
	uint64_t skipped;		/* bytes in this session */

	/* TEXTFILE */
	bool by_file;			/* this transaction's text comes so */
	uint64_t file_size;

	/* one event's bytes */
	size_t chunk_n;
	unsigned char *chunk;		/* SMTP_BYTES_MAX, or NULL: none yet */
	unsigned char *own_chunk;	/* the same, to be freed */
};

/* server.c */
void smtp_say(struct smtp *s, int code, const char *status,
    struct bytes text);
void smtp_sayf(struct smtp *s, int code, const char *status,
    const char *text);
void smtp_close_with(struct smtp *s, int code, const char *status,
    const char *why);
/* The transaction is over; a refused one counts. */
void smtp_end_transaction(struct smtp *s, bool accepted);

/* command.c: a line without its CRLF. */
void smtp_command(struct smtp *s, struct bytes line);
/* DATA, or what stands for it, is in order; else it has its reply. */
bool smtp_data_is_due(struct smtp *s);

/* params.c: into s->asked_mail and s->asked. 0 or the reply code, *why. */
int smtp_mail_params(struct smtp *s, struct bytes args, const char **why);
int smtp_rcpt_params(struct smtp *s, struct bytes args, const char **why);
/* An envelope without anything. */
struct smtp_envelope smtp_empty_envelope(void);

/* file.c */
void smtp_cmd_textfile(struct smtp *s, struct bytes args);

/* secure.c: STARTTLS and AUTH */
void smtp_cmd_starttls(struct smtp *s, struct bytes args);
void smtp_cmd_auth(struct smtp *s, struct bytes args);
/* AUTH may be used now. */
bool smtp_offers_auth(const struct smtp *s);
/* A line that answers a challenge. */
void smtp_auth_line(struct smtp *s, struct bytes line);
void smtp_auth_wipe(struct smtp *s);

/* text.c */
void smtp_text_start(struct smtp *s);
/* SMTP_READ when all input is used; may change the state. */
enum smtp_event smtp_text(struct smtp *s, struct bytes *in);
/* After the last chunk; like smtp_text. */
enum smtp_event smtp_text_end(struct smtp *s);
/* The text is whole: its replies are due, or given if it is refused. */
void smtp_text_finish(struct smtp *s);
/* Is it refused already? Then the reply is given and the transaction over. */
bool smtp_text_refused(struct smtp *s);

/* chunk.c */
void smtp_cmd_bdat(struct smtp *s, struct bytes args);
/* The caller does not want the message. */
void smtp_chunk_refuse(struct smtp *s, int code, const char *status,
    struct bytes text);
/* Like smtp_text; with no bytes left: its end. */
enum smtp_event smtp_chunk(struct smtp *s, struct bytes *in);
enum smtp_event smtp_chunk_end(struct smtp *s);

/* xforward.c: the arguments; -1 with *why. */
int smtp_xforward_parse(struct arena *a, struct bytes args,
    struct smtp_xforward *x, const char **why);

#endif
