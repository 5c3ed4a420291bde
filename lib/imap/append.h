/*
 * append.h - what append.c, appendparse.c and appenddata.c share
 */
#ifndef IMAP_APPEND_H
#define IMAP_APPEND_H

#include "imap/internal.h"

enum append_found {
	FOUND_DATA,		/* message bytes come next */
	FOUND_STRING,		/* the literal is a string: take it */
	FOUND_END,		/* the command is whole */
	FOUND_ERROR,		/* p->why */
};

/* What is before the messages; REPLACE names one to be replaced. */
bool append_parse_head(struct imap *im, struct parser *p, bool replace,
    struct bytes *name);
/*
 * A stretch: all of p, with literal up to one that is announced. What it says
 * is added to the list of the session's append; after FOUND_STRING and
 * FOUND_ERROR list and state are of no use.
 */
enum append_found append_parse(struct imap *im, struct parser *p,
    bool literal);

/* ---- appenddata.c ---- */

#define APPEND_BLOCK (64 * 1024)	/* written at once */

enum refusal { REFUSE_NONE, REFUSE_NAME, REFUSE_NO_MAILBOX, REFUSE_QUOTA,
	REFUSE_SIZE, REFUSE_GONE, REFUSE_CODE, REFUSE_SYNTAX, REFUSE_ERROR };

/* From now on nothing is kept; the first reason counts, with errno. */
void append_refuse(struct imap *im, enum refusal refusal);
/* Code and text (neither copied) of REFUSE_CODE, REFUSE_SYNTAX. */
void append_refuse_code(struct imap *im, enum refusal refusal,
    const char *code, const char *why);
/* Bytes of the message at hand: CRLF becomes LF, a lone CR stays; or as they
 * are. */
void append_lines(struct imap *im, struct bytes s);
void append_raw(struct imap *im, struct bytes s);
/* Room for octets more in the message at hand: size and quota. */
void append_room(struct imap *im, uint64_t octets);
/* Nothing more comes to the message at hand. */
void append_end(struct imap *im);
/* Do what was parsed. */
void append_run(struct imap *im);
/* What was written, mapped; NULL with errno. Nothing: "". */
const unsigned char *append_map(const struct append *ap);
void append_unmap(const unsigned char *map, uint64_t size);

#endif
