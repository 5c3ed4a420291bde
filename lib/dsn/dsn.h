/*
 * dsn.h - delivery status notifications (RFC 3461, 3464, 6522, 6533)
 */
#ifndef DSN_H
#define DSN_H

#include "base/base.h"

/* Headers of the original that are returned at most; RFC 3461 6.2 leaves the
 * size to us. The whole of it at most, with RET=FULL. */
#define DSN_HEADERS_MAX 65536
#define DSN_FULL_MAX (256 * 1024)
/* Recipients reported in one DSN; more make further ones. */
#define DSN_RCPTS_MAX 1000

enum dsn_action {
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_RELAYED,
	DSN_EXPANDED,
};
/* The word of RFC 3464 2.3.3. */
const char *dsn_action_text(enum dsn_action action);

struct dsn_rcpt {
	struct bytes address;		/* final recipient, without <> */
	struct bytes orcpt;		/* "rfc822;a@b"; empty: none */
	enum dsn_action action;
	struct bytes status;		/* "5.1.1" */
	uint64_t code;			/* SMTP reply, 0: none */
	struct bytes text;		/* its text as it came, with the status
					 * the peer gave, or why not; may hold
					 * LF */
	struct bytes note;		/* what we decided after that: "given
					 * up after 5 attempts"; empty: none */
	struct bytes host, ip;		/* remote MTA; empty: none */
	int64_t last;			/* last attempt; 0: none */
	int64_t retry_until;		/* delayed only */
};

struct dsn {
	struct bytes hostname;		/* reporting MTA */
	struct bytes from;		/* "postmaster@host" */
	struct bytes to;		/* the original's reverse-path */
	struct bytes envid;
	struct bytes message_id;	/* of the original, with <> (Q-14) */
	struct bytes subject;		/* of the original, decoded */
	struct bytes id;		/* queue id of the original, for logs */
	int64_t arrival;		/* seconds, of the original */
	int64_t now;
	struct bytes original;		/* message, LF form; empty: not there */
	bool full;			/* return all of it (RET=FULL) */
	bool utf8;			/* RFC 6533 forms may be used: whoever
					 * reads it knows them; those who only
					 * carry it need 8BITMIME at most */
	const struct dsn_rcpt *rcpts;
	size_t count;
};
/*
 * Append a whole message in LF form, with From, To, Date, Message-ID, Subject,
 * Auto-Submitted (RFC 3834), In-Reply-To and References to the original, and
 * a multipart/report: text for people, message/delivery-status (or
 * global-delivery-status when utf8 and an address needs it), and headers or
 * message. The text of peers is cleaned: it is outside bytes. All recipients
 * have one action, or it is DSN_FAILED with others behind. 0, -1 EMSGSIZE.
 */
int dsn_compose(struct buf *out, const struct dsn *d);

/* ---- reading ---- */

struct dsn_report {
	struct bytes envid, reporting_mta, message_id;	/* of the original, as
				 * far as its returned headers tell */
	struct dsn_rcpt *rcpts;		/* in the arena; host from Remote-MTA,
					 * code from Diagnostic-Code */
	size_t count;
};
/*
 * The report in a received message. 1; 0 it is no DSN; -1 EBADMSG it says it
 * is one and is malformed (*why constant text), EMSGSIZE too many recipients.
 */
int dsn_parse(struct arena *a, struct bytes message, struct dsn_report *out,
    const char **why);

#endif
