/*
 * internal.h - between the files of lib/compose
 */
#ifndef COMPOSE_INTERNAL_H
#define COMPOSE_INTERNAL_H

#include "compose/compose.h"

/* Fields of a resent block, RFC 5322 3.6.6, as a set. */
enum {
	RESENT_DATE = 1,
	RESENT_FROM = 2,
	RESENT_SENDER = 4,
	RESENT_TO = 8,
	RESENT_CC = 16,
	RESENT_BCC = 32,
	RESENT_MESSAGE_ID = 64,
};
/* 0: another field. */
unsigned int resent_bit(struct bytes name);
/*
 * The fields of message from its beginning to the end of the block on top: a
 * Resent- field that the block has already begins an older one. *seen is what
 * the block has; 0: there is none.
 */
struct bytes resent_block(struct bytes message, unsigned int *seen);
/* local@domain, or the local part alone. */
struct bytes member_text(struct arena *a, const struct addr_member *m);

#endif
