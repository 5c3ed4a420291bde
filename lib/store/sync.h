/* sync.h - shared by sync.c and adopt.c */
#ifndef STORE_SYNC_H
#define STORE_SYNC_H

#include "store/internal.h"

struct found {
	char *name;
	struct maildir_name n;
	bool in_new;
	bool paired;		/* belongs to a record */
};

/* A record and the file it is to be brought into line with. */
struct pair {
	uint32_t uid;
	struct found *file;	/* NULL: missing */
};

struct syncing {
	struct work *w;
	struct box *b;
	bool claim, deep;
	bool again;		/* a batch was full */
	bool changed;
	bool relabelled;	/* letters mean other keywords now */
	bool unsure;		/* seen differently at two looks */
	bool new_renamed, cur_renamed;
	size_t batch;		/* what may still be done */
	struct arena arena;	/* names */
	struct arena scratch;	/* one message */
	struct bytes text;	/* its record for searches, may be empty */
	struct store_thread thread;	/* what it says of its thread */
	struct found *files;
	size_t file_count;
	struct pair *pairs;
	size_t pair_count, pair_size;
	uint32_t *missing;	/* UIDs not found at the first look */
	size_t missing_count;
};

/* The first file with a UID of at least uid. */
size_t find_uid(const struct syncing *y, uint32_t uid);
/* Read the file into m. 1, 0 cannot be read (reported), -1. */
int parse_file(struct syncing *y, const struct found *f,
    struct store_message *m);
/* A name for the file that says what m says: UID, sizes, suffix. m->base is
 * set. 1, 0 it is gone, -1. */
int give_name(struct syncing *y, const struct found *f,
    struct store_message *m);
/* Give each file without a record one, and a name with its UID. */
int adopt_all(struct syncing *y);

#endif
