/*
 * settle.h - what surrounds our own changes to a folder (settle.c, claim.c)
 */
#ifndef STORE_SETTLE_H
#define STORE_SETTLE_H

#include "store/internal.h"
#include "os/os.h"

/* ---- settle.c ---- */

/*
 * Around a change of ours to the directories of a mailbox, or of two (NULL or
 * the same: one), whose folders are open: their new times are stored when
 * nobody else had changed them, and settled if that is sure. messages: how
 * many, about. end must follow, after a failure too; it keeps errno.
 */
#define AROUND_DIRS 4
struct around_dir {
	struct box *box;
	int dir;
	struct stamp *known;	/* of the box */
	bool in_cur, was_known;
	uint32_t own;		/* folder.changes, as it was */
};
struct around {
	size_t n;
	struct around_dir dirs[AROUND_DIRS];
	bool counting;
	struct os_counting count;
};
void around_begin(struct around *a, struct box *b, struct box *other,
    size_t messages);
void around_end(struct around *a);
/* We made or removed an entry of dir; nothing if that is not new or cur. */
void folder_changed(struct folder *f, int dir);

/* ---- claim.c ---- */

/* Move what is in new/ to cur/ if that is all there is to do: 1 done, 0 the
 * folder may have to be listed, -1. */
int claim_new(struct work *w, struct box *b);

#endif
