/* internal.h - what the files of lib/arc share */
#ifndef ARC_INTERNAL_H
#define ARC_INTERNAL_H

#include "arc/arc.h"
#include "dkim/parts.h"

/* One of the two signatures of a set. */
struct arc_signature {
	struct dkim_signature sig;
	const char *why;	/* it can never verify; NULL: it may */
	const struct dkim_question *question;
};

/* The fields of one instance; index SIZE_MAX: not there. */
struct arc_instance {
	size_t results, message, seal;	/* indices of the fields */
	struct bytes payload;
	enum arc_result cv;
	struct arc_signature ams, as;
};

struct arc_chain {
	struct dkim_message m;
	struct arc_instance set[ARC_SETS_MAX];
	size_t n;
	size_t highest;		/* instance found, also in an unsound chain */
	bool ended;		/* and its seal says fail */
	/* Why there is no sound chain; "": there is, or n is 0. */
	const char *why;
	unsigned int instance;	/* the set why is about; 0: none */
};

/* RFC 8617 5.2, steps 1 to 3. */
void arc_chain_read(struct arena *a, struct bytes message,
    struct arc_chain *out);
/* Its sets as the caller sees them. */
void arc_chain_sets(const struct arc_chain *c, struct arc_verdict *out);

/* The input of the seals (RFC 8617 5.1.1), made set by set from i=1. */
struct arc_sealing {
	struct sha256 state;	/* of all sets before */
	struct buf text;	/* reused */
};
void arc_sealing_init(struct arc_sealing *s);
void arc_sealing_free(struct arc_sealing *s);
/*
 * The hash that the seal of this set signs, sets before it already added;
 * seal may have a b=, which does not count. -1 EMSGSIZE.
 */
int arc_sealing_next(struct arc_sealing *s, struct arena *a,
    struct bytes results, struct bytes message, struct bytes seal,
    unsigned char hash[DKIM_HASH_SIZE]);

#endif
