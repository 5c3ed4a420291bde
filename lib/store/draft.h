/*
 * draft.h - messages on their way into a mailbox: a part of internal.h
 */
#ifndef STORE_DRAFT_H
#define STORE_DRAFT_H

#include "store/origins.h"
#include "store/slots.h"

/* A message whose file is written, and what the index is to know of it. */
struct draft {
	char tmp[MAILDIR_FILE_MAX + 1];
	char name[MAILDIR_FILE_MAX + 1];	/* in new/ or cur/ */
	int fd;			/* of a file without name, or -1 */
	bool in_cur, written, placed;
	uint32_t flags;		/* asked for; those of m also by where it is */
	struct store_message m;
	struct bytes text;	/* for searches, may be empty */
	struct store_thread thread;
	struct origin_row origin;
	struct bytes content;	/* the caller's, or the arena's */
};

/* ---- deliver.c ---- */

/* Put drafts into the mailbox, in the transaction; *at is how many were begun.
 * 0, -1: those that are placed have to be taken back, and all undone. */
int drafts_place(struct work *w, struct box *b,
    const struct store_incoming *in, struct draft *d, size_t count,
    size_t *at);
/* Take back what a failed delivery left; a kill here leaves it to sync.c. */
void drafts_undo(struct folder *f, struct draft *d, size_t count);
/* fsync new/ and cur/, if they were changed; -1 EIO. */
int drafts_sync(struct folder *f, const struct draft *d, size_t count);
/* Begin, place, commit and sync, without others. */
int drafts_commit(struct store *s, uint32_t mailbox,
    const struct store_incoming *in, struct draft *d, size_t count,
    struct store_delivered *out);

/* ---- pack.c: drafts as bytes, between processes of one program ---- */

/* A draft whose file has a name, and which brings no keywords. -1 EMSGSIZE. */
int draft_pack(struct buf *out, const struct draft *d);
/* In the arena. EBADMSG: not what draft_pack made. */
int draft_unpack(struct arena *a, struct bytes s, struct draft *out);

/* ---- batch.c ---- */

/* drafts_commit of one, with those of other processes, or by them. */
int batch_commit(struct store *s, struct folder *f, uint32_t mailbox,
    const struct store_incoming *in, struct draft *d,
    struct store_delivered *out);

#endif
