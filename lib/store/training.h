/*
 * training.h - the part of store.h that counts words of wanted and unwanted
 * mail (lib/junk)
 *
 * A message is trained as its flags say: $NotJunk without $Junk as wanted,
 * $Junk without $NotJunk as unwanted, otherwise not at all (J-11). What it
 * was trained as stands in its record (store_message.training), and changes
 * in the same transaction as the counts: so it is taken out as what it was
 * (J-14).
 *
 * With store_junk.training every change that gives a message other flags
 * than it is trained as, from deliveries to what other programs did, notes it
 * in the same transaction; a message that goes while it is trained is noted
 * too, and its file kept in expunged/ until its words are taken out. The words
 * are counted after that: by store_names, between the commands of a session
 * and when the account is closed. Without the option what goes is still noted
 * and taken out; what changed is caught up with by whoever opens the account
 * with it again. doc/store.md has the states.
 */
#ifndef STORE_TRAINING_H
#define STORE_TRAINING_H

#include "base/base.h"
#include "junk/junk.h"

struct store;
struct store_view;

struct store_junk {
	/*
	 * For store_options.junk_flags: expressions (regex/regex.h) over
	 * names of mailboxes in lower case. The first that matches of
	 * junk ($Junk), neutral (neither) and notjunk ($NotJunk) counts, else
	 * the one that is not given if the other two are, else flags stay. All
	 * three NULL: the beginnings told there. What is none: EINVAL when it
	 * is first needed.
	 */
	const char *junk, *neutral, *notjunk;
	/* Train as flags change, with words, pairs and triples as grams says
	 * (junk_words_init; 0 is 1). */
	bool training;
	unsigned int grams;
};

/*
 * The time that store_close spends at most on messages this process left to
 * be trained; it spends one piece on those of others, if nobody trains and it
 * was not done within the last second. What is left is done by sessions, or the
 * next that close the account.
 */
#define STORE_TRAINING_CLOSE_MS 2000

struct store_training_fill {
	/* Without mailbox: forget all counts first (J-15), and count as
	 * store_junk.grams says from now on. With it: the messages named
	 * are counted out and in again. */
	bool anew;
	uint32_t mailbox;	/* 0: all */
	const uint32_t *uids;	/* of it, ascending; NULL: all */
	size_t count;
	uint64_t ham, spam;	/* messages trained now */
	uint64_t untrained;	/* and taken out, also to be trained anew */
};
/*
 * Train and untrain what the flags of messages ask for. Only messages
 * whose state differs are read, some of them in one transaction; what is
 * interrupted is gone on with by the next call. A message whose file is gone
 * is passed over. 0, or -1: what was done before holds.
 */
int store_training_fill(struct store *s, struct store_training_fill *ask);
/* Train what was noted, by whomever, to its end; flags only where messages
 * are trained as flags change. 0, or -1: what was done before holds. */
int store_training_finish(struct store *s);

/* The counts of a view, for junk_score; ends before the view does. */
struct junk_counts *store_junk_counts(struct store_view *v);
/* What its words are made of, for junk_words_init. */
unsigned int store_junk_grams(struct store_view *v);

/* What is to be done, and what cannot be. */
struct store_training_state {
	uint64_t waiting;	/* ranges of messages noted, for their flags */
	uint64_t leaving;	/* messages that went and still count */
	/* Messages that went with their files before their words could be
	 * taken out: other programs removed them, or wrote to them. Their
	 * words count until all is counted anew. */
	uint32_t lost_ham, lost_spam;
};
/* 0, -1. */
int store_training_state(struct store_view *v,
    struct store_training_state *out);

#endif
