/* train.h - shared by train.c and retrain.c */
#ifndef STORE_TRAIN_H
#define STORE_TRAIN_H

#include "store/internal.h"

/* Messages of one transaction, and their words: some 20 ms of the lock. */
#define TRAIN_BATCH 400
#define TRAIN_WORDS_MAX ((size_t)200000)
/* Records looked at for them. */
#define TRAIN_LOOKS_MAX 20000
/* Ranges of one transaction. */
#define TRAIN_RANGES 100

struct candidate {
	uint32_t mailbox, uid;
	enum store_training was, want;
	bool left;		/* it went: of the table "untrain" */
	bool lost;		/* and so did its file */
	uint64_t message_id_hash, size;	/* of one that went */
	struct junk_words words;	/* word and n alone; of the arena */
};

/* A range that was looked through. */
struct looked {
	struct train_range range;
	uint32_t from;		/* where it is to be gone on with, or 0 */
	size_t first;		/* item it begins at */
};

struct training {
	struct store *s;
	struct store_training_fill *ask;	/* where it counts, too */
	struct arena arena;
	struct junk_words words;
	struct junk_batch *batch;
	struct candidate item[TRAIN_BATCH];
	size_t n, done;		/* of the items, those that were read */
	struct looked looked[TRAIN_RANGES];
	size_t ranges;
	size_t looks;
	unsigned char at[KEY_MESSAGE];	/* of a walk: where the next step
					begins */
	size_t next_uid;		/* of ask->uids */
	bool end;
	bool passes;		/* nothing is done where others train, or
				just did */
	bool files;		/* files in expunged/ are done with */
	bool synced;		/* all mailboxes are as their folders */
};

void training_init(struct training *t, struct store *s,
    struct store_training_fill *ask);
void training_free(struct training *t);
/* The lock of who trains: a descriptor whose closing ends it, -1; who does
 * not wait gets EWOULDBLOCK. */
int training_lock(struct store *s, bool waits);
/* One more item. There is room. */
void training_add(struct training *t, const struct store_message *m);
/* What is to be done of a view, up to TRAIN_BATCH items. */
typedef int training_collect(struct training *t, struct store_view *v);
training_collect training_collect_noted;
/* One step with what collect finds, of which it reads for so long. */
int training_step(struct training *t, training_collect *collect, int ms);
/* Whether anything is noted. 1, 0, -1. */
int training_is_waiting(struct store *s);

#endif
