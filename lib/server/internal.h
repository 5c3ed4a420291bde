/* internal.h - shared by the files of lib/server */
#ifndef SERVER_INTERNAL_H
#define SERVER_INTERNAL_H

#include "server/server.h"

#include <signal.h>
#include <sys/stat.h>

/* The addresses of both ends of socket fd; family 0 for Unix sockets. */
int conn_addresses(int fd, struct server_conn *conn);
/* One connection on descriptors 0 and 1. */
void conn_inherited(struct server_conn *conn);

/*
 * Connections without a process (early.c). NULL, as early_new gives where
 * the server has no such hook: there are none. Callbacks: the connection is
 * to get its process (fd stays the caller's), or it has ended.
 */
struct early;
typedef void early_serve(void *ctx, int fd, struct server_conn *conn,
    struct bytes data);
typedef void early_gone(void *ctx, const struct server_conn *conn);
struct early *early_new(struct server *s);
void early_free(struct early *es);
/* Readable when early_turn has something to do; -1: none. */
int early_fd(const struct early *es);
size_t early_count(const struct early *es);
/* Take fd; false: no room, it is still the caller's. */
bool early_begin(struct early *es, int fd, const struct server_conn *conn,
    early_serve *serve, early_gone *gone, void *ctx);
void early_turn(struct early *es, early_serve *serve, early_gone *gone,
    void *ctx);
/* Those whose deadline has passed; to be called about once a second. */
void early_expire(struct early *es, early_serve *serve, early_gone *gone,
    void *ctx);

/* SHA-256 of the name of an account. */
#define PLACE_ACCOUNT 32

struct child {
	pid_t pid;
	uint64_t ticket;	/* of the limiter */
	int leash;		/* it is kept (keep.c); -1: it is not */
	struct ip address;	/* the one it is kept for; family 0: any */
	unsigned int served;	/* connections it was given */
	bool idle;
	int64_t idle_until;
	bool placed;		/* places.c: it took a place ... */
	uint64_t place_ticket;	/* ... of its client's address ... */
	unsigned char account[PLACE_ACCOUNT];	/* ... and of an account */
};

struct listener {
	struct server *s;
	struct limiter *limiter;
	struct limiter *places;	/* of addresses; NULL: the server has none */
	struct child *children;
	size_t nchildren, size;
	size_t nidle;
	int leashes;		/* event set; -1: none are kept, ever */
	struct server_peers peers;
	struct early *early;
	int64_t expire_at;
	struct stat watched;
	sigset_t unblocked;	/* as it was before; used in ppoll, children */
	uint64_t next_id;
};

void child_add(struct listener *l, pid_t pid, const struct server_conn *conn,
    int leash);
struct child *child_find(struct listener *l, pid_t pid);	/* NULL: none */

/*
 * Children that serve one connection after the other (keep.c). Each is at one
 * end of a pair of sockets, its leash: it says that it is idle, and gets the
 * next connection, or the end of file, which ends it. Only the parent ends
 * it, so no connection is given to one that is about to go.
 *
 * One of TCP gets connections of the address of its first one alone. It is not
 * believed: the parent counts what it gives, and ends an idle one by SIGKILL,
 * so that one that was taken over, and says it is idle while it is not, lives
 * no longer than others and serves no more.
 */
/* The event set, if s wants to keep any; -1. */
int keep_new(const struct server *s);
/* May the child that gets conn be kept? */
bool keep_may(const struct listener *l, const struct server_conn *conn);
/* In the child: conn, and those that follow. An exit code. */
int keep_serve(const struct server *s, struct server_conn *conn, int leash);
/* In the child: what belongs to the parent. */
void keep_forked(const struct listener *l);
/* In the parent: give it to one that is idle; fd stays open. False: none. */
bool keep_give(struct listener *l, int fd, const struct server_conn *conn);
/* Some may have become idle; have been so for long. */
void keep_look(struct listener *l);
void keep_expire(struct listener *l);
/* It ends after what it does now; all of them. */
void keep_no_more(struct listener *l, struct child *c);
/* The one that is idle for longest. */
void keep_end_oldest(struct listener *l);
void keep_none(struct listener *l);

/* places.c: c asks for a place, or has ended; its leash goes either way. */
void places_answer(struct listener *l, struct child *c);

/* The accept loop on descriptor 0; an exit code. */
int listen_run(struct server *s);

#endif
