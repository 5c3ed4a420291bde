/*
 * proof.h - the part of store.h for those who look after accounts: proof,
 * repair, what is kept for searches of older mail
 */
#ifndef STORE_PROOF_H
#define STORE_PROOF_H

#include "base/base.h"

struct store;

/*
 * Compare every claim of the index with the Maildir and with itself; calls
 * found for each contradiction. *count gets their number. Changes nothing.
 * 0, or -1 when it could not be done.
 */
struct store_contradiction {
	const char *kind;	/* "missing-file", "size", "counts", ... */
	struct bytes mailbox;	/* name; may be empty */
	uint32_t uid;		/* 0: none */
	const char *detail;	/* what is claimed, what is so */
};
struct store_verify {
	void (*found)(void *ctx, const struct store_contradiction *c);
	void *ctx;
	bool skip_parse;	/* do not read the message files */
	uint64_t mailboxes, messages;	/* how many were looked at */
};
int store_verify(struct store *s, struct store_verify *v, uint64_t *count);
/*
 * Build the index anew from the Maildir: every file is read again, every
 * record, count and sum made anew. UIDs, flags, keywords, dates, modseq and
 * what only the index knows stay. The write lock is held for each mailbox in
 * turn. An index with records that cannot be read is set aside, as store_open
 * does, and built from the Maildir alone; no other process should have the
 * account open then.
 */
int store_rebuild(struct store *s);
/*
 * Mend one kind of claim, in one mailbox or (0, and always for COUNTS and
 * THREADS) in all. *count (may be NULL) gets how many mailboxes or messages
 * were changed or read again. Each may be run again after a kill. Sessions
 * that have the mailbox open do not learn of a new UIDVALIDITY.
 */
enum store_repair {
	STORE_REPAIR_UIDVALIDITY,	/* a new one, also in the folder */
	STORE_REPAIR_UIDS,	/* new UIDs by date, and UIDVALIDITY */
	STORE_REPAIR_UID_META,	/* uidnext, modseq above what is in use */
	STORE_REPAIR_SIZES,	/* of record, file name and file */
	STORE_REPAIR_REPARSE,	/* every message is read again */
	STORE_REPAIR_PARSED,	/* those of an older parse version are */
	STORE_REPAIR_COUNTS,	/* of mailboxes, and the quota's sum */
	STORE_REPAIR_THREADS,	/* found anew */
};
int store_repair(struct store *s, enum store_repair what, uint32_t mailbox,
    uint64_t *count);
/*
 * Make the filters of store_text_maybe for messages that have none, or anew
 * for all. The lock is held for each 200 messages in turn. progress (may be
 * NULL) is called after each of these steps. A message that cannot be read
 * stays without. 0, -1.
 */
struct store_text_fill {
	void (*progress)(void *ctx, const struct store_text_fill *ask);
	void *ctx;
	bool anew;
	uint64_t all, seen, made;	/* messages */
};
int store_text_fill(struct store *s, struct store_text_fill *ask);
/* Remove them all. */
int store_text_drop(struct store *s);
/* Remove what crashes and expunges left: tmp/ files, expunged/ files, dead
 * FIFOs. store_close and store_open call it now and then. */
int store_sweep(struct store *s);

#endif
