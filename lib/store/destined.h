/* destined.h - a part of internal.h: what leaves Rejects or the Introbox */
#ifndef STORE_DESTINED_H
#define STORE_DESTINED_H

#include "store/internal.h"

/*
 * A message goes into another mailbox, its flags are those it will have there
 * (J-10, J-17). Where delivery noted that it was destined elsewhere
 * (STORE_TAG_DESTINED_MAILBOX), what its owner says by that counts for the
 * mailbox it was destined to: *original is then the id, else 0. Changes flags,
 * and extension, in the arena. 0, -1.
 */
int destined_leave(struct work *w, struct box *to, struct arena *a,
    struct store_message *m, uint32_t *original);

/* Mailboxes by uidvalidity that were asked for last. */
struct destined_known {
	uint32_t uidvalidity[2], id[2];
};
/*
 * A file is taken in that the index knows nothing of (any more), its flags are
 * read. What it says it was destined to is noted anew in the extension, in the
 * arena, if it lies where it was put aside; elsewhere what its owner said by
 * moving it counts, as above: *original is then the id, else 0. Flags stay:
 * they are those of the name. 0, -1.
 */
int destined_adopt(struct work *w, struct destined_known *known,
    struct arena *a, const struct store_destined *d,
    struct store_message *m, uint32_t *original);
/* What the trusted block of a file says; mailbox 0: nothing, or hostname is
 * NULL. */
void destined_read(struct arena *a, struct bytes content,
    const char *hostname, struct store_destined *out);

#endif
