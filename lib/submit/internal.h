/*
 * internal.h - parts of lib/submit
 *
 * submit.c  the order of things       header.c  fields of the message
 * rcpt.c    recipients, FromID        keys.c    DKIM
 * forward.c messages of others
 */
#ifndef SUBMIT_INTERNAL_H
#define SUBMIT_INTERNAL_H

#include "submit/submit.h"

int submit_fail(struct submit_reply *r, uint64_t code, const char *status,
    const char *text);

/* What header.c finds. */
struct header {
	struct path from;
	bool has_date, has_message_id;
	bool needs_utf8;	/* 8-bit header sections (U-20) */
	bool tls_optional;	/* "TLS-Required: No" */
	struct bytes message_id, subject;
};
/* Read and check it; the message without extra data in s->body, that data in
 * s->message.extra. */
int submit_header(struct submit *s, struct header *h,
    struct submit_reply *reply);
/*
 * What vouches for a message of others that goes on: a signature that was
 * valid when it came, as the trusted block in front of it says, or the seal
 * of the alias's domain, which is put into out if there can be one; nothing
 * where it only goes to members here. -1 with *reply: neither.
 */
int submit_vouch(struct submit *s, struct buf *out,
    struct submit_reply *reply);
/* Recipients of the request, and reverse-paths of their own. */
int submit_rcpts(struct submit *s, struct submit_reply *reply);

#endif
