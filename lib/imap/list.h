/*
 * list.h - LIST and LSUB: patterns, and the options of extended LIST
 */
#ifndef IMAP_LIST_H
#define IMAP_LIST_H

#include "imap/internal.h"

/* A pattern longer than this, runs of wildcards taken for one, matches no
 * name: names have at most STORE_NAME_MAX bytes, encoded. */
#define LIST_PATTERN_MAX 1024

struct list_args {
	struct bytes *patterns;		/* behind the reference, as UTF-8 */
	size_t pattern_count;
	bool root;			/* only the delimiter is asked for */
	/* Selection options (RFC 5258 3.1, RFC 6154 2). */
	bool subscribed, special_use, recursive;
	/* Return options (RFC 5258 3.2, RFC 5819, RFC 9590). */
	bool return_subscribed;
	uint64_t status;		/* items; 0: not asked for */
	struct bytes *entries;
	size_t entry_count;
};

/* Arguments of LIST; basic: as LSUB has them. */
bool parse_list(struct imap *im, struct parser *p, bool basic,
    struct list_args *out);
bool list_matches(const struct list_args *args, struct bytes name);

#endif
