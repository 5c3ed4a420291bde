/*
 * compose.h - messages of this machine's programs, before they are submitted
 *
 * What sendmail(8) has always done for cron, mail readers and scripts: find
 * the end of the text, read recipients from fields (-t), add what every
 * message needs, put a usable address where there is only a user's name. RFC
 * 5322 and, for what servers may mend at submission, RFC 6409 8. Results live
 * in the arena given, or point into the input.
 */
#ifndef COMPOSE_H
#define COMPOSE_H

#include "addr/addr.h"
#include "base/base.h"

/* ---- limits ---- */

/* Recipients of one message: what a transaction may have (RFC 5321 4.5.3.1.8
 * has 100 as the least, servers take 1000) and a frame to queue-add holds. */
#define COMPOSE_RCPTS_MAX 1000
/* Octets of a full name: gecos fields and -F are for people to read. */
#define COMPOSE_NAME_MAX 200
/* The header section with what is added, as in mime.h. */
#define COMPOSE_HEADER_MAX (1024 * 1024 + 4096)

/* ---- the text as it is typed or piped ---- */

/*
 * Lines in LF form: CRLF becomes LF, a lone CR stays, a last line without end
 * gets one. With dot_ends a line of one dot is the end of the text; what
 * follows is not looked at. The result does not depend on how the input was
 * cut. Begin with { .dot_ends = ... }.
 */
struct compose_input {
	bool dot_ends;
	bool ended;		/* the dot was there */
	/* private */
	int state;
};
/* 0, or -1 EMSGSIZE. */
int compose_input_add(struct compose_input *in, struct bytes piece,
    struct buf *out);
int compose_input_end(struct compose_input *in, struct buf *out);

/* ---- recipients ---- */

struct compose_rcpts {
	struct bytes address[COMPOSE_RCPTS_MAX];	/* each once */
	size_t count;
};
/*
 * The addresses of a list, "Name <a@example.org>, root": local@domain, or the
 * local part alone where there is no domain. -1 with *why, constant text:
 * EBADMSG one cannot be read, EMSGSIZE COMPOSE_RCPTS_MAX; what came before
 * has been added.
 */
int compose_add_rcpts(struct arena *a, struct bytes list,
    struct compose_rcpts *out, const char **why);
/*
 * Those of the fields To, Cc and Bcc; where there are Resent- fields, of
 * Resent-To, -Cc and -Bcc of the block that stands on top (RFC 5322 3.6.6).
 * Errors as above.
 */
int compose_read_rcpts(struct arena *a, struct bytes message,
    struct compose_rcpts *out, const char **why);

/* ---- the header section ---- */

struct compose {
	struct bytes address;	/* of who sends: local@domain */
	struct bytes name;	/* for an added From; UTF-8, may be empty */
	bool keep_bcc;
	bool complete;		/* add Date and Message-ID, too */
	int64_t now;
	/* Whether a From address may stay: local@domain, or a local part
	 * alone. */
	bool (*may_use)(void *ctx, struct arena *a, struct bytes address);
	void *ctx;
};
/*
 * Append the header section with its empty line to *header; *body is the rest
 * of the message. A "From " line of mailboxes and, without keep_bcc, Bcc and
 * Resent-Bcc are left out. A missing From is added; a From of one address
 * that may not be used gets c->address, its display name is kept. With Resent-
 * fields that holds for Resent-From, and Resent-Date and Resent-Message-ID
 * are added; From stays. What follows a line that is no field is body. -1
 * EMSGSIZE.
 */
int compose_header(const struct compose *c, struct arena *a,
    struct bytes message, struct buf *header, struct bytes *body);
/*
 * A display name as a phrase: as it stands, as a quoted string, or in encoded
 * words (RFC 2047), folded. -1: EMSGSIZE longer than COMPOSE_NAME_MAX or out
 * is full; EBADMSG control characters, or not UTF-8.
 */
int compose_add_name(struct buf *out, struct bytes name);

#endif
