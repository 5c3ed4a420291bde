/*
 * serve.h - the parts of tls-serve
 *
 * A parent (main.c) opens the certificate files and keeps one worker per
 * core; a worker (worker.c) is an event loop over connections (conn.c,
 * relay.c). The parent never parses a byte from outside.
 */
#ifndef SERVE_H
#define SERVE_H

#include "base/base.h"
#include "limiter/limiter.h"
#include "os/os.h"
#include "server/server.h"
#include "tls/tls.h"
#include "tlsreq/tlsreq.h"

#define SERVE_LISTEN_FD 0
#define RELAY_CHUNK 16384	/* one TLS record; what is held back at most */
#define FILE_NAME_MAX 255	/* of a certificate file */

/* ---- parent to worker: certificate files, one message each; a worker can
 * open nothing ---- */

enum load_message {
	LOAD_BEGIN = 'B',
	LOAD_FILE = 'F',	/* then its name; with its descriptor */
	LOAD_END = 'E',		/* with the descriptor of config.cdb */
};
/* Send all of etc/tls, and the configuration, to a worker. 0, or -1 with a
 * message written. */
int load_send(int sock);

/* ---- connections ---- */

enum conn_state {
	CONN_REQUEST,		/* the request has not come */
	CONN_HANDSHAKE,
	CONN_GREETED,		/* and nothing was said yet */
	CONN_RELAY,
	CONN_LINGER,		/* all is sent; waiting for the peer's end */
	CONN_DEAD,		/* freed after this round of events */
};

/* A descriptor in the event set. */
struct source {
	struct conn *conn;	/* NULL: the worker's own */
	int fd;			/* -1: none */
	unsigned int want;
	bool in_set;
};

/* Bytes that could not be written yet. */
struct held {
	unsigned char *p;	/* NULL: none */
	size_t start, end;
};

struct conn {
	struct source ctl, net, plain;
	struct tls *tls;	/* NULL: nothing has come from the peer */
	struct tlsreq req;	/* slices into request, until the handshake */
	unsigned char *request;
	enum conn_state state;
	enum tls_listener listener;
	struct ip remote;
	size_t low_water;	/* bytes the peer must have sent to wake us */
	uint64_t ticket;	/* of the limiter */
	bool described;		/* a handshake was done: counted as open */
	/* relay */
	bool net_ready, plain_ready;	/* there may be something to read */
	bool net_wants_write;	/* reading needs it */
	bool net_eof, plain_eof;
	bool plain_shut, plain_gone, end_sent;
	struct held in, out;	/* to the server; to the peer */
	/* list with a deadline */
	struct conn_list *list;
	struct conn *prev, *next;
	int64_t deadline;
	struct conn *next_ready;
	bool is_ready;
};

/* In order of deadlines, as each list has one duration (0: none). */
struct conn_list {
	struct conn *first, *last;
	int64_t timeout_ms;
};

struct worker {
	int events;
	struct source listener, parent;
	struct tls_server *server;
	struct tls_certs *loading;	/* between BEGIN and END */
	bool loading_failed;
	struct tls_tickets tickets;
	struct limiter *limiter;
	bool shared;		/* with the other workers */
	struct server_peers peers;
	struct tls_counters *counters;	/* one per listener, shared */
	struct conn_list requests, handshakes, relays, endings;
	size_t nhandshakes, handshakes_max;
	size_t nconns;
	struct conn *dead, *ready;
	int64_t accept_again;		/* 0: accepting */
	bool stopping;
	int64_t stop_at;
	unsigned char chunk[RELAY_CHUNK];
};

/* What a worker is given by its parent. */
struct worker_start {
	int parent;			/* socket for load messages */
	struct tls_tickets tickets;
	struct tls_counters *counters;
	struct server_peers peers;
	bool drop;
	uid_t uid;
	gid_t gid;
};
/* Runs until it is told to end; the exit code of the process. */
int worker_run(const struct worker_start *start);
/* Serve one asking connection on fd, with certificates loaded here. */
int worker_run_one(int fd, struct tls_counters *counters);

/* Take messages from the parent: 1 a set is complete (NULL server: could
 * not be used), 0 nothing more now, -1 the parent is gone. */
int load_take(struct worker *w);
/* Configuration and certificates as they are now; for worker_run_one. */
int load_here(struct worker *w);

/* conn.c */
void conn_new(struct worker *w, int ctl);
void conn_event(struct worker *w, struct source *s, unsigned int what);
void conn_free(struct worker *w, struct conn *c);
/* The deadline of its list has passed. */
void conn_expired(struct worker *w, struct conn *c);
void conn_enlist(struct conn *c, struct conn_list *list);
/* Wait for these; 0 with keep false takes it out of the set. */
void source_want(struct worker *w, struct source *s, unsigned int want,
    bool keep);
void source_close(struct worker *w, struct source *s);

/* Give the plaintext to who asked; false: c has ended. */
bool conn_hand_over(struct worker *w, struct conn *c);

/* relay.c */
/* The handshake is done and a greeting was asked for. */
void relay_greet(struct worker *w, struct conn *c, struct bytes greeting);
/* The client or who asked moves in CONN_GREETED. */
void relay_greeted(struct worker *w, struct conn *c, struct source *s);
void relay_start(struct worker *w, struct conn *c);
void relay_event(struct worker *w, struct conn *c, struct source *s,
    unsigned int what);
/* The server goes away: tell the peer, and end. */
void relay_abort(struct worker *w, struct conn *c);
/* Another turn for a connection that was not done. */
void relay_continue(struct worker *w, struct conn *c);

#endif
