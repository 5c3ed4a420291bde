/*
 * mark.h - which file an index is, and under which boot it was in order
 */
#ifndef STORE_MARK_H
#define STORE_MARK_H

#include "store/internal.h"

/*
 * What the index was last found or brought in order under: the boot, and the
 * file it is in. A copy, of a backup or of another machine, is another file:
 * UIDs may have been given since it was made. It may have got the number of
 * the inode that was removed for it, but not its time of birth, where the file
 * system knows that. 0, -1.
 */
int mark_of(struct store *s, char out[MARK_SIZE + 1]);
/* Before format 5 an index was known by the number of the inode alone: boot is
 * the mark it has now. 0, -1. */
int renew_mark(struct store *s, const char *boot);

#endif
