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

#endif
