/*
 * imap_idle.h - shared by the files of imap-idle
 */
#ifndef IMAP_IDLE_H
#define IMAP_IDLE_H

#include "base/base.h"
#include "imap/imap.h"
#include "limiter/limiter.h"

/* Connections at rest, unless -c says otherwise: descriptors, one each and
 * one for each account, run out at about as many. */
#define RESTS_MAX 16384
/* Of one account, and of one address (IPv6: /64), unless -e says otherwise: a
 * sixteenth, so that nobody alone sends the others back to processes. */
#define EACH_MAX 1024
/* imap-serve has no place left for more sessions of an account, or from an
 * address: its connections that are due wait so long before one of them goes
 * back again, and cost nothing meanwhile. */
#define LATER_MS 1000
/* Offers under way at a time: imap-serve makes one for each session. */
#define OFFERS_MAX 256
/* On their way back at a time: each costs a process at once, and imap-serve
 * has room for 1000. */
#define RETURNS_MAX 64
/* So many with news go back in so many ms. Each has a process for half a
 * second at least, and of the 1000 some are for those who log in. */
#define TOLD_MAX 250
#define TOLD_MS 250
/* A connection that as many processes in a row did not say yes to, 100 ms or
 * more apart, is told BYE: its state may be what ends them. */
#define TRIES_MAX 50
/* Descriptors for all else: links, and room for what came at once. */
#define FILES_SPARE 1024
#define BUCKETS 4096

#define SIDES 3			/* of a place, at most */

struct idle;
struct rest;

/* What becomes ready: the context of an event. */
enum source_kind { SOURCE_LISTENER, SOURCE_WATCHES, SOURCE_FEED,
	SOURCE_CLIENT, SOURCE_LINK };
struct source {
	enum source_kind kind;
	void *owner;
};

/* Where changes come from, shared by all that wait for it: the feed of an
 * account, or the folder of a mailbox. */
struct place {
	struct place *next;		/* in its bucket */
	char *name;
	struct rest *rests;
	size_t count;			/* of them */
	/* Of an account. */
	int64_t later;			/* none goes back before */
	struct source source;
	int feed;
	/* Of a folder cur, new and the folder itself, which may be moved; of
	 * an account its folder, where Maildir and index may be replaced. */
	int number[SIDES];		/* of its watch; -1: polled */
	struct place *next_number[SIDES];
	struct look {
		ino_t inode;
		struct timespec changed;
		bool fresh;		/* there may be more to it */
	} look[2];			/* when polled: cur and new */
};

enum phase {
	ARRIVING,	/* imap-serve talks on the link */
	OFFERED,	/* we said yes; it may still think better of it */
	RESTING,	/* ours: wait for client and changes */
	DUE,		/* ours: to go back */
	LATER,		/* ours: to go back, when there is a place for it */
	RETURNING,	/* offered to a new imap-serve, which has to say yes */
};

struct rest {
	enum phase phase;
	size_t at;			/* in idle.rests */
	int client, link;		/* -1: none */
	struct source client_source, link_source;
	struct place *account, *folder;	/* folder may be NULL */
	struct rest *next_of[2];	/* same account, same folder */
	struct rest **back_of[2];
	struct rest *next_due;
	int64_t deadline;		/* of the client's silence, or link */
	bool changed;
	unsigned int tries;		/* to hand it back */
	uint64_t ticket;		/* of its address */
	struct buf in;			/* ARRIVING */
	unsigned char *text;		/* the whole message */
	size_t text_size;
};

/* Connections in the order in which they go back. */
struct queue {
	struct rest *first, **end;
};

struct idle {
	int events, watches;		/* watches -1: all is polled */
	struct rest **rests;
	size_t n, size, max, each;
	struct limiter *addresses;
	size_t offers, held, returns;	/* offers: not ours yet */
	struct queue spoken, told;	/* due: the former go first */
	int64_t again;			/* none goes back before */
	size_t told_left;		/* of TOLD_MAX, until then */
	int64_t told_until;
	struct place *accounts[BUCKETS], *folders[BUCKETS];
	struct place *numbers[SIDES][BUCKETS];
	size_t polled;			/* places */
	char feed_name[32];
	const char *imap_path, *accounts_path;
};

/* ---- place.c ---- */

enum { OF_ACCOUNT, OF_FOLDER };
/* Let r hear of changes; false: it cannot. folder may be empty. */
bool place_join(struct idle *p, struct rest *r, const char *account,
    struct bytes folder);
void place_leave(struct idle *p, struct rest *r);
/* All who wait for it are due. */
void place_changed(struct idle *p, struct place *at);
void place_read_feed(struct idle *p, struct place *at);
void place_read_watches(struct idle *p);
/* Look at folders that cannot be watched. */
void place_poll(struct idle *p);

/* ---- rest.c ---- */

/* imap-serve wants to hand one over on this socket, which is ours now. */
void rest_begin(struct idle *p, int link);
void rest_link(struct idle *p, struct rest *r);
void rest_due(struct idle *p, struct rest *r, int why);
/* Its client said something. */
void rest_spoken(struct idle *p, struct rest *r);
/* How long nothing is to be handed back; -1: there is nothing. */
int rest_wait_ms(const struct idle *p);
/* Send those back that are due, as many as may be. */
void rest_return(struct idle *p);
/* What is too late. */
void rest_late(struct idle *p);
/* Tell all clients BYE. */
void rest_end(struct idle *p);

#endif
