/*
 * training.h - the part of store.h that counts words of wanted and unwanted
 * mail (lib/junk)
 *
 * A message is trained as its flags say: $NotJunk without $Junk as wanted,
 * $Junk without $NotJunk as unwanted, otherwise not at all (J-11). What it
 * was trained as stands in its record (store_message.training), and changes
 * in the same transaction as the counts: so it is taken out as what it was.
 */
#ifndef STORE_TRAINING_H
#define STORE_TRAINING_H

#include "base/base.h"
#include "junk/junk.h"

struct store;
struct store_view;

struct store_training_fill {
	bool anew;	/* forget all counts first (J-15) */
	uint64_t ham, spam;	/* messages trained now */
	uint64_t untrained;	/* and taken out, also to be trained anew */
};
/*
 * Train and untrain what the flags of all messages ask for. Only messages
 * whose state differs are read, some of them in one transaction; what is
 * interrupted is gone on with by the next call. A message whose file is gone
 * is passed over. 0, or -1: what was done before holds.
 */
int store_training_fill(struct store *s, struct store_training_fill *ask);

/* The counts of a view, for junk_score; ends before the view does. */
struct junk_counts *store_junk_counts(struct store_view *v);

#endif
