/* sync.h - shared by sync.c, adopt.c and renew.c */
#ifndef STORE_SYNC_H
#define STORE_SYNC_H

#include "store/destined.h"

/* Seconds since a file was written in which its writer may still be at it,
 * and those in which a look is careful with what is new: it compares the size
 * of what was adopted, and takes a second name for one on its way. */
#define SYNC_YOUNG 2
#define SYNC_RECENT 10

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
	bool changed;		/* it holds other bytes now */
};

struct syncing {
	struct work *w;
	struct box *b;
	bool claim, deep;
	bool again;		/* a batch was full */
	bool changed;
	bool relabelled;	/* letters mean other keywords now */
	struct keywords *before;	/* what they meant; NULL: the same */
	bool unsure;		/* seen differently at two looks */
	bool new_renamed, cur_renamed;
	int64_t now;		/* seconds */
	size_t batch;		/* what may still be done */
	struct arena arena;	/* names */
	struct arena scratch;	/* one message */
	struct bytes text;	/* its record for searches, may be empty */
	bool sent;		/* note the recipients of what is read */
	struct store_thread thread;	/* what it says of its thread */
	struct origin_row origin;	/* and of who sent it */
	struct store_destined destined;	/* where it lies aside */
	struct destined_known boxes;
	struct found *files;
	size_t file_count;
	size_t from;		/* adopt_all: those before are done */
	bool adopting;		/* all that have a record were compared */
	struct pair *pairs;
	size_t pair_count, pair_size;
	struct sync_kept *kept;
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
/* The record goes; event says why. */
int sync_drop(struct syncing *y, const struct store_message *m,
    const char *event);
/* What it says of its thread and origin; for a message that has a record. */
void read_facts(struct syncing *y, struct bytes content);
int renew_facts(struct syncing *y, const struct store_message *m);
/* Give each file without a record one, and a name with its UID. */
int adopt_all(struct syncing *y);
int adopt(struct syncing *y, const struct found *f);

#endif
