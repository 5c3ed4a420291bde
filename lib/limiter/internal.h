/*
 * internal.h - the file of a limiter, and what the files of lib/limiter share
 *
 * The file: head, the slots of each window, records of open connections.
 * Numbers are in the byte order of the machine; the file is not carried to
 * another. A file of another version or geometry is replaced by a new one.
 *
 * Slots are in buckets of WAYS; a count is in the bucket its keyed hash
 * chooses, anywhere in it. So nothing is ever moved, and a process killed
 * between two stores leaves at worst one count wrong by one.
 *
 * Locks are of fcntl(2), which the kernel takes off the dead: byte 0 guards
 * every change; byte h is held by process number h as long as it lives.
 * head.sequence is odd while a change is under way: readers look again, and
 * who gets byte 0 and finds it odd counts the open connections anew.
 */
#ifndef LIMITER_INTERNAL_H
#define LIMITER_INTERNAL_H

#include <stdatomic.h>

#include "limiter/limiter.h"

#define LIMITER_MAGIC "pm-limit"
#define LIMITER_VERSION 1
#define WAYS 8
#define LIMITER_DIR "limits"

struct slot {
	unsigned char net[16];
	unsigned char family;	/* 4 or 6; 0: never used */
	unsigned char mask;	/* 0 .. MASKS - 1 */
	unsigned char unused[2];
	uint32_t count;
	uint32_t window;	/* index; 0 where windows do not end */
	uint32_t seen;		/* seconds, when it was made */
};

struct record {
	uint32_t holder;	/* 0: free */
	uint32_t next;		/* free ones: the next, plus 1; 0: none */
	unsigned char family;	/* 4 or 6 */
	unsigned char unused[7];
	unsigned char ip[16];
};

struct head {
	char magic[8];
	uint32_t version;
	uint32_t windows;
	uint32_t records;
	atomic_uint sequence;
	uint64_t key[2];	/* of the hash: strangers choose addresses */
	struct head_window {
		uint32_t seconds, slots;
		uint32_t limits[LIMITER_MASKS];	/* to be shown only */
		uint32_t current;		/* index of the window */
	} window[LIMITER_WINDOWS];
	/* records: first free one plus 1; how many were ever used; in use */
	uint32_t free, high, in_use;
};
#define HEAD_SIZE 4096		/* a page; the rest of it is unused */

struct window {
	unsigned int seconds;
	unsigned int limits[LIMITER_MASKS];
	size_t slots;		/* a power of two */
	struct slot *slot;
};

struct limiter {
	struct window window[LIMITER_WINDOWS];
	size_t windows, records;
	struct window *open;	/* of open connections; NULL: none */
	struct head *head;	/* the mapping */
	struct record *record;
	size_t size;
	int fd;			/* -1: memory of this process */
	uint32_t holder;
	uint32_t epoch;		/* of tickets: they do not outlive the file */
	int64_t swept;		/* when the dead were looked for, seconds */
	char *path;		/* for messages */
};

/* ---- table.c ---- */

/* Sizes for what is asked for. */
void limiter_shape(struct limiter *l, const struct limiter_window *w,
    size_t n);
/* Point into p, of l->size bytes. */
void limiter_lay_out(struct limiter *l, void *p);
/* A head for this shape with a fresh key. */
void limiter_fill_head(const struct limiter *l, struct head *h);
/* Whether it is one, with sizes that fit into size bytes; fills in the shape
 * of l. Nothing in h is trusted. */
bool limiter_take_head(struct limiter *l, const struct head *h, size_t size);
/* The slot that counts ip by that mask; NULL: none. */
struct slot *limiter_find(const struct limiter *l, const struct window *w,
    const struct ip *ip, unsigned int mask);
bool limiter_counts(const struct limiter *l, const struct window *w,
    const struct slot *s);
/* Count open connections anew from the records. */
void limiter_recount(struct limiter *l);
/* Go to the window of that second. */
void limiter_advance(struct limiter *l, int64_t now_seconds);

/* ---- file.c ---- */

/* Open or make the file, map it, become a holder. 0 or -1 errno. */
int limiter_file_open(struct limiter *l, const char *name);
/* Begin and end a change. Begin may fail when somebody does not give the
 * lock back: -1. For one in memory they do nothing. */
int limiter_begin(struct limiter *l);
void limiter_end(struct limiter *l);
/* Free the records of holders that are gone; true if there were any. */
bool limiter_sweep(struct limiter *l);

#endif
