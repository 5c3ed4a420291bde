/* internal.h - what the files of lib/smtpc share */
#ifndef SMTPC_INTERNAL_H
#define SMTPC_INTERNAL_H

#include <assert.h>

#include "smtpc/smtpc.h"

/* Room of the output: one chunk more than what asks for a flush. */
#define OUT_MAX (4 * SMTPC_CHUNK_BYTES)
/* Message bytes converted in one step; each becomes two at most. */
#define PIECE_MAX 16384

/* message.c: part of a source, never empty, never past its end. */
int smtpc_view(const struct smtpc_source *s, uint64_t offset,
    struct bytes *out);

/* LF form on its way to the wire, in pieces. */
struct smtpc_wire {
	bool at_start;		/* of a line */
	bool cr;		/* a CR waits for its LF */
};
/* At most two bytes are added for each. -1 EBADMSG: a lone CR. */
int smtpc_wire_add(struct buf *out, struct bytes piece, struct smtpc_wire *w,
    bool dots);
/* A line that is open is ended. -1 EBADMSG. */
int smtpc_wire_end(struct buf *out, struct smtpc_wire *w);

enum state {
	/* One command and its reply each; sent when nothing is due. */
	STATE_GREETING,		/* no command */
	STATE_EHLO,
	STATE_HELO,
	STATE_STARTTLS,
	STATE_TLS,		/* the caller's turn */
	STATE_AUTH,
	STATE_READY,		/* the caller's turn */
	STATE_NOOP,
	STATE_QUIT,
	/* A mail. */
	STATE_ENVELOPE,		/* RSET, MAIL, RCPT, DATA */
	STATE_TEXT,		/* after 354, or in BDAT chunks */
	STATE_END,		/* the end mark was said */
	STATE_LONE,		/* so was a lone dot: no recipient was left */
	STATE_CLOSED,
};

/* A recipient of the transaction. */
struct attempt {
	struct smtpc_recipient *rcpt;
	bool accepted;
};

/* Commands of an envelope in their order; RCPT for each recipient. */
enum { PLACE_RSET, PLACE_MAIL, PLACE_RCPT };

struct smtpc {
	struct smtpc_options o;
	const struct saslc_login *login;
	enum state state;
	size_t due;		/* replies to what was said */
	bool done;		/* SMTPC_DONE is to be told */
	bool broken;
	bool secured;
	struct smtpc_reader reader;
	struct buf out;
	struct arena session;	/* offer */
	struct arena end;	/* the failure's text */
	struct smtpc_offer offer;
	struct smtpc_result failure;

	/* AUTH */
	struct saslc *sasl;
	size_t mechanism_from;		/* of the list: saslc_choose */
	bool auth_begun, auth_cancelled;
	const char *auth_why;
	const char *authenticated;
	struct buf response;		/* to be sent, not encoded */
	bool has_response;

	/* the mail */
	struct smtpc_mail *mail;
	struct attempt *attempt;
	size_t nattempts, naccepted;
	size_t said, answered;		/* places in the envelope */
	bool need_rset, mail_refused, utf8, bdat;
	bool text_refused;		/* a BDAT was */
	size_t next_reply;		/* LMTP: attempt the next is for */
	uint64_t offset;
	struct smtpc_wire wire;
	struct buf chunk;
};

/* result.c */
enum smtpc_class smtpc_class_of(int code);
void smtpc_result_reply(struct smtpc_result *out, struct arena *a,
    enum smtpc_class class, enum smtpc_step step,
    const struct smtpc_reply *r);
void smtpc_result_why(struct smtpc_result *out, enum smtpc_class class,
    enum smtpc_step step, const char *status, const char *why);

/* session.c */
/* A line to be said, without CRLF; its reply is due. */
void smtpc_say(struct smtpc *s, const char *line);
/* The session is over: by a reply, or else by status and why. */
void smtpc_end_reply(struct smtpc *s, enum smtpc_class class,
    const struct smtpc_reply *r);
void smtpc_end_why(struct smtpc *s, enum smtpc_class class,
    const char *status, const char *why);
/* The same, the server being at fault: nothing more is said. */
void smtpc_broken(struct smtpc *s, const char *why);

/* auth.c */
void smtpc_auth_say(struct smtpc *s);
void smtpc_auth_reply(struct smtpc *s, const struct smtpc_reply *r);
/* Before AUTH, and after it. */
void smtpc_auth_forget(struct smtpc *s);

/* check.c: whether the mail can be sent here, and to whom of its recipients.
 * 0, the attempts are there; -1 EINVAL. */
int smtpc_check(struct smtpc *s, struct smtpc_mail *mail);

/* envelope.c */
void smtpc_envelope_say(struct smtpc *s);
void smtpc_envelope_reply(struct smtpc *s, const struct smtpc_reply *r);
enum smtpc_step smtpc_envelope_step(const struct smtpc *s);
/* All recipients that are pending get a result; the mail is done. */
void smtpc_mail_end(struct smtpc *s, const struct smtpc_result *rest);

/* text.c */
void smtpc_text_start(struct smtpc *s);
void smtpc_text_say(struct smtpc *s);
/* Replies to BDAT chunks before the last. */
void smtpc_text_reply(struct smtpc *s, const struct smtpc_reply *r);
void smtpc_end_mark_reply(struct smtpc *s, const struct smtpc_reply *r);

#endif
