/*
 * fields.h - a part of store.h: what delivery notes of a message, in the index
 * and, where it was put aside, in its file
 */
#ifndef STORE_FIELDS_H
#define STORE_FIELDS_H

#include "base/base.h"

/* ---- tagged fields: facts of the reception, room for later ones ---- */

enum store_tag {
	STORE_TAG_REMOTE_IP = 1,	/* canonical text */
	STORE_TAG_IP_MASK1,		/* /32 or /64, canonical text */
	STORE_TAG_IP_MASK2,		/* /26 or /48 */
	STORE_TAG_IP_MASK3,		/* /21 or /32 */
	STORE_TAG_HELO,
	STORE_TAG_MAIL_FROM,
	STORE_TAG_RCPT_TO,
	STORE_TAG_HELO_STATUS,		/* verdict words of the checks */
	STORE_TAG_MAIL_FROM_STATUS,
	STORE_TAG_FROM_STATUS,
	STORE_TAG_DKIM_DOMAIN,		/* one per domain */
	STORE_TAG_DSN,		/* unused: STORE_THREAD_DSN has it */
	STORE_TAG_TLS,			/* version and cipher */
	STORE_TAG_ORIGINAL_MAILBOX,	/* unused: struct store_thread */
	STORE_TAG_DESTINED_MAILBOX,	/* id in 4 bytes: destined.h */
	STORE_TAG_REQUIRETLS,		/* "1": RFC 8689 was asked for */
	STORE_TAG_MESSAGE_HASH,		/* SHA-256 without the prefix, hex;
				 * of what was refused (J-10) */
	STORE_TAG_REJECT,		/* "1": refused, a copy is kept */
	STORE_TAG_MAX = 0xffff,
};
/* Appends one field to b; -1 EMSGSIZE. value at most 65535 bytes. */
int store_field_add(struct buf *b, enum store_tag tag, struct bytes value);
/* Take one field off *area: 1, 0 end, -1 EBADMSG. */
int store_field_next(struct bytes *area, enum store_tag *tag,
    struct bytes *value);

/* ---- in the file ---- */

/*
 * Where a message that lies aside would have gone, as a field of its file: what
 * an index that is built anew knows it by. By uidvalidity, which a mailbox
 * keeps when it is renamed. Counts in the trusted block alone (trace.h).
 */
#define STORE_DESTINED_FIELD "Pipemail-Destined"
struct store_destined {
	uint32_t mailbox;	/* where it would have gone */
	uint32_t aside;		/* where it was put */
	bool refused;		/* STORE_TAG_REJECT */
};
/* Append the field with its LF: 0, -1 EMSGSIZE. */
int store_destined_format(struct buf *out, const struct store_destined *d);
/* From the whole field: 0, -1 EBADMSG. */
int store_destined_parse(struct bytes field, struct store_destined *out);

#endif
