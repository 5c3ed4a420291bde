/*
 * server.h - one program, three ways to run: by hand, connected, listening
 *
 * DESIGN 1.2: with a listening socket as descriptor 0 a server accepts and
 * forks per connection without exec; with anything else as descriptor 0 it
 * serves that one connection on 0/1. There is no option for it.
 */
#ifndef SERVER_H
#define SERVER_H

#include "base/base.h"
#include "limiter/limiter.h"
#include "os/os.h"

/* One connection, as a handler sees it. */
struct server_conn {
	int in, out;		/* equal for an accepted socket */
	bool inherited;		/* not accepted by us: by hand, inetd, ... */
	bool is_socket;
	struct ip remote, local;	/* family 0 for Unix sockets, pipes */
	int remote_port, local_port;
	uint64_t id;		/* cid: unique enough for the logs (O-14) */
	uint64_t limit_ticket;	/* the parent's, of its limiter */
	int place_fd;		/* where server_place asks; <= 0: nowhere */
	struct bytes early;	/* what the early hook left in data */
	bool last;		/* the handler's word: its process is to serve
				 * no further one (keep, keep_address) */
};

/*
 * A connection before it has a process. The accepting parent keeps many of
 * these, so the hook must not wait for anything, nor parse what a stranger
 * sends: it may write what every client is told, and have others do work.
 */
#define SERVER_EARLY_CONNS 4096	/* at a time; more get their process at once:
				 * they cost more, but no memory here */
#define SERVER_EARLY_DATA 4608	/* bytes: a preface and some more */
struct server_early {
	int fd;			/* the connection; the hook may put another
				 * in its place, and closes the old one */
	int other_fd;		/* one more of the hook's, or -1; closed with
				 * the connection */
	int wait_fd;		/* one of them */
	int64_t deadline;	/* DEADLINE_NONE at first */
	bool expired;		/* it has passed */
	int stage;		/* 0 at first; the hook's */
	size_t n;		/* bytes in data */
	unsigned char data[SERVER_EARLY_DATA];
};
enum server_next {
	SERVER_WAIT,		/* call again when wait_fd is readable */
	SERVER_SERVE,		/* now it needs its process */
	SERVER_CLOSE,
};

/* Limits of BEHAVIOUR 8, by the masks of lib/limiter. 0 means no limit. */
struct server_limits {
	unsigned int open[3];		/* connections open per mask */
	unsigned int per_minute[3];	/* new ones a minute per mask */
	unsigned int children;		/* processes in all; accepting waits */
	/* With places: children that serve one address, per mask, and one
	 * account. */
	unsigned int placed[3];
	unsigned int account;
};
/* 30/90/270 open, 300/900/2700 a minute, 1000 children. */
extern const struct server_limits SERVER_LIMITS_MAIL;
/* 1000 children only. */
extern const struct server_limits SERVER_LIMITS_LOCAL;

/* How long a child waits for the next connection, and how many wait at a time
 * for addresses to come again: enough for those that send much, and little
 * memory. The oldest ends where a new client needs the room. */
#define SERVER_IDLE_MS 5000
#define SERVER_IDLE_MAX 64

#define SERVER_GRACE_MS 3000	/* O-19 */

struct server {
	const char *name;
	/* Where limiter_open counts, as all listeners of that name do; NULL:
	 * in the accepting parent. */
	const char *limiter;
	/* Read after each prepare, which may change them. */
	struct server_limits limits;
	/* Sent to a connection over a limit before it is closed; may be "". */
	const char *refusal;
	/*
	 * Called in the parent before accepting starts and again after
	 * SIGHUP or when config.cdb was replaced: load configuration,
	 * initialise libraries. -1 keeps the old state; the first time it
	 * ends the server. It reports its errors itself. May be NULL.
	 */
	int (*prepare)(void *ctx);
	/*
	 * Runs in the child (or, for one connection, in the process itself);
	 * its result is the exit code. In a child signals are default (only
	 * SIGPIPE as it was), descriptor 0 is the connection, non-blocking,
	 * and SIGTERM ends it unless serve handles that.
	 */
	int (*serve)(struct server_conn *conn, void *ctx);
	/*
	 * Called in the parent for a new connection, in stage 0, and then as
	 * it asks for; it may change *conn. NULL: each connection gets its
	 * process at once, as do those that find no room. A child has none of
	 * the other connections' descriptors and data.
	 */
	enum server_next (*early)(struct server_early *e,
	    struct server_conn *conn, void *ctx);
	/*
	 * How many connections a child may serve, one after the other; 0: one.
	 * A fork, and what a new process must set up, may cost more than the
	 * work. For Unix sockets, without early, and only where a child that
	 * was taken over through one connection had in its reach what comes
	 * through the next anyway. serve is called again after EXIT_YES. Once
	 * prepare ran anew, new connections get new children.
	 */
	unsigned int keep;
	/*
	 * The same for TCP: how many connections of one client address, and
	 * of no other, a child may serve; 0: one. Only where a client that
	 * took its process over could have from the next one of its address
	 * no more than from one of its own: nobody logs in, no header in
	 * front tells of other addresses, no foreign program runs there. The
	 * handler says "last" where more than that came to pass. Without
	 * early. May be changed by prepare.
	 */
	unsigned int keep_address;
	/* Children ask server_place; not with keep or early. */
	bool places;
	/* With early: a descriptor children need all the same, such as the
	 * rules of a sandbox; <= 0: none. */
	int keep_fd;
	void *ctx;
	/* A file whose replacement (inode or mtime) makes prepare run again,
	 * looked at when a connection comes; NULL: none. */
	const char *watch_file;
	/* Gets "\n" when ready and is closed, as s6 wants; <= 0: none. */
	int notify_fd;
	/* After SIGTERM children get this long, then SIGKILL. 0: 3 s. */
	unsigned int grace_ms;
};

/*
 * Who may be served on a Unix socket, beside what the mode of its file says:
 * the kernel tells the user of each peer (SO_PEERCRED). The superuser, who
 * could be anybody, and the server's own user always may. server_run does
 * all of this; servers with a loop of their own call it.
 */
#define SERVER_PEERS_ENV "PIPEMAIL_PEERS"
#define SERVER_PEERS_MAX 16	/* services are fewer */
struct server_peers {
	uid_t uid[SERVER_PEERS_MAX];
	size_t n;
	bool any;
};
/* From the environment: user names or numbers between blanks, "*" for all;
 * not set: none. -1, reported: ENOENT no such user, EMSGSIZE too many. */
int server_peers_load(struct server_peers *p);
bool server_uid_allowed(const struct server_peers *p, uid_t uid);
/* For the connected socket fd; one that may not is logged. */
bool server_peer_allowed(const struct server_peers *p, int fd);

/*
 * Run until SIGTERM or SIGINT (listening), or once (connected). Returns the
 * exit code of the program. In UCSPI surroundings (PROTO, TCPREMOTEIP, ...)
 * the addresses of an inherited connection are taken from the environment
 * when descriptor 0 is no socket.
 */
int server_run(struct server *s);

/*
 * Of a server with places, whose children learn only from what they read whom
 * they serve: take one of those that the limits leave to the client's address
 * and to the account, until the process ends. The accepting parent counts; a
 * child that was taken over can take no more than its own. Once for each
 * connection; an address of family 0 is not counted. 1, 0 there is none left,
 * -1 with errno: the parent does not answer within 10 s. A connection that was
 * not accepted by us has its place.
 */
int server_place(struct server_conn *conn, const struct ip *remote,
    struct bytes account);

/*
 * Slots: n processes may do something at a time, such as wait. fd is of a file
 * that is open for writing in all of them since before they were forked, and of
 * no other use (os_memory_file). Each takes one at most: 1, 0 there is none
 * left, -1 with errno. It is free again when it is left, or its process ends.
 */
int server_slot_take(int fd, unsigned int n, unsigned int *slot);
void server_slot_leave(int fd, unsigned int slot);

/*
 * For a client that misbehaves (BEHAVIOUR 1.5): write a byte a second, until
 * less than 5 s are left to the deadline; then the rest goes at once. As
 * io_write_all. And the wait before each read from it.
 */
int server_write_slow(int fd, struct bytes s, int64_t deadline);
void server_pause_slow(void);

#endif
