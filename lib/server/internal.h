/* internal.h - shared by the files of lib/server */
#ifndef SERVER_INTERNAL_H
#define SERVER_INTERNAL_H

#include "server/server.h"

/* The addresses of both ends of socket fd; family 0 for Unix sockets. */
int conn_addresses(int fd, struct server_conn *conn);
/* One connection on descriptors 0 and 1. */
void conn_inherited(struct server_conn *conn);

/* The accept loop on descriptor 0; an exit code. */
int listen_run(struct server *s);

#endif
