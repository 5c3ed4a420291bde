/* doubt.h - what cannot be read in an index. A part of internal.h. */
#ifndef STORE_DOUBT_H
#define STORE_DOUBT_H

#include "store/store.h"

/* Something in the index is not what it has to be: -1 EBADMSG, and the next
 * opening checks the index. For what check_suspected finds, too. */
int unreadable(void);
/* All records of a suspected index can be read (doubt.c): 0, -1 with errno,
 * EBADMSG: not all. Words that cannot are counted anew. */
int check_suspected(struct store *s);

#endif
