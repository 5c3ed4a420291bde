/* aside.h - a part of store.h: mail that was put aside, in its file */
#ifndef STORE_ASIDE_H
#define STORE_ASIDE_H

#include "base/base.h"

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
