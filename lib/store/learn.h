/*
 * learn.h - which messages are to be trained, and taken out again, as noted
 * with each change. A part of internal.h; store/training.h tells the idea.
 */
#ifndef STORE_LEARN_H
#define STORE_LEARN_H

#include "store/internal.h"

/* ---- junk.c ---- */

/* What store_options say of mailboxes; NULL: nothing. free: or NULL. */
#define JUNK_PATTERNS 3
struct junk_patterns *junk_patterns_new(const struct store_options *o);
void junk_patterns_free(struct junk_patterns *p);
/* The flags of a message that comes into a mailbox of ours; keywords of b
 * are loaded. */
int junk_flags(struct work *w, struct box *b, uint32_t *flags);

/* ---- learn.c, train.c ---- */

/* An entry of the table of messages to be trained: a range of UIDs. */
#define KEY_TRAIN 16
struct train_range {
	unsigned char key[KEY_TRAIN];	/* modseq, mailbox, first UID */
	uint32_t mailbox, first, last;
};
int train_range_decode(struct bytes key, struct bytes value,
    struct train_range *out);
/* Take a range off the table; from is where the rest of it begins, 0: there
 * is none. */
int train_range_done(struct work *w, const struct train_range *range,
    uint32_t from);

/* What a message with these flags is to be trained as. */
enum store_training training_wanted(uint32_t flags);

/* By work_put: note a message that is trained as something else. */
int work_train(struct work *w, struct box *b, const struct store_message *m);
int work_train_flush(struct work *w, struct box *b);
/* By work_remove_note: note a message that goes while it is trained. Its file
 * is to be expunged/MAILBOX.UID then, or its words are lost. */
int work_untrain(struct work *w, const struct store_message *m);
/* An entry of the table of those. */
#define UNTRAIN_VALUE 17
struct untrain {
	uint32_t mailbox, uid;
	enum store_training was;
	uint64_t message_id_hash, size;
};
int untrain_decode(struct bytes key, struct bytes value,
    struct untrain *out);
/* Link the files of a mailbox's trained messages there, before its folder
 * goes; as many as can be. */
void work_untrain_keep(struct work *w, struct box *b);

/* Whether the file in expunged/ of a message that went is still needed. */
bool untrain_needs(struct store *s, const char *name);

/* What holds for all counts. */
struct training_record {
	bool complete;		/* all changes were noted */
	unsigned int grams;
	unsigned int version;	/* JUNK_WORDS_VERSION they were read by */
	uint32_t lost[2];	/* enum junk_class */
};
/* 1, 0 there is none yet (*out is what it begins with), -1. One of before
 * there were versions has 0. */
int training_record_get(struct store *s, struct kv_txn *t,
    struct training_record *out);
int training_record_put(struct work *w, const struct training_record *r);

/*
 * By whoever changes a count, in its transaction: one more in the record
 * "word-changes", by which those who keep counts know (junk_counts_use).
 */
int training_changed(struct work *w);
/* Use what the store keeps of the counts of a view. */
void training_use_kept(struct store_view *v, struct junk_counts *c);

/* Count nothing, and note all messages again. */
int training_forget(struct work *w);
/* Whether counts, records and notes go together: 1, 0, -1. */
int training_agrees(struct store *s, struct kv_txn *t);
/* Note all messages that there are. */
int training_note_all(struct work *w);
/* At opening: is there something to be done, and after a time without
 * training note all that was not. */
int training_begin(struct store *s);
/* Train a piece of what is noted. 1 there is more, 0, -1. */
int training_piece(struct store *s);
/* Some of it, when an account is closed. */
void training_close(struct store *s);

#endif
