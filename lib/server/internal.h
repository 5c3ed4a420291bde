/* internal.h - shared by the files of lib/server */
#ifndef SERVER_INTERNAL_H
#define SERVER_INTERNAL_H

#include "server/server.h"

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

/* The accept loop on descriptor 0; an exit code. */
int listen_run(struct server *s);

#endif
