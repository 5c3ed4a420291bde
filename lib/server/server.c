/* server.c - which of the three ways to run; one connection */
#include "server/server.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/internal.h"

const struct server_limits SERVER_LIMITS_MAIL = {
	.open = { 30, 90, 270 },
	.per_minute = { 300, 900, 2700 },
	.children = 1000,
};
const struct server_limits SERVER_LIMITS_LOCAL = { .children = 1000 };

int
conn_addresses(int fd, struct server_conn *conn)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(sa);

	if (getpeername(fd, (struct sockaddr *)&sa, &n) == -1)
		return -1;
	ip_from_sockaddr((struct sockaddr *)&sa, &conn->remote,
	    &conn->remote_port);
	if (conn->remote.family == 0)
		return 0;
	n = sizeof(sa);
	if (getsockname(fd, (struct sockaddr *)&sa, &n) == -1)
		return -1;
	ip_from_sockaddr((struct sockaddr *)&sa, &conn->local,
	    &conn->local_port);
	return 0;
}

static void
address_from_env(const char *ip_name, const char *port_name, struct ip *ip,
    int *port)
{
	uint64_t v;

	/* What is not there or wrong stays unknown. */
	if (ip_parse(bytes_str(env_get(ip_name)), ip) == 0 &&
	    num_parse(bytes_str(env_get(port_name)), 0, 65535, &v) == 0)
		*port = (int)v;
}

void
conn_inherited(struct server_conn *conn)
{
	*conn = (struct server_conn){ .in = STDIN_FILENO,
	    .out = STDOUT_FILENO, .inherited = true };
	os_random(&conn->id, sizeof(conn->id));
	conn->id >>= 16;
	conn->is_socket = os_is_socket(STDIN_FILENO);
	if (conn->is_socket) {
		/* A peer that is gone already has no address. */
		(void)conn_addresses(STDIN_FILENO, conn);
		return;
	}
	if (!bytes_eq(bytes_str(env_get("PROTO")), BYTES("TCP")))
		return;
	address_from_env("TCPREMOTEIP", "TCPREMOTEPORT", &conn->remote,
	    &conn->remote_port);
	address_from_env("TCPLOCALIP", "TCPLOCALPORT", &conn->local,
	    &conn->local_port);
}

int
server_run(struct server *s)
{
	struct server_conn conn;
	int listening = os_is_listening(STDIN_FILENO);

	if (listening == -1)
		return exit_for(errno);
	if (s->prepare != NULL && s->prepare(s->ctx) == -1)
		return exit_for(errno);
	if (listening)
		return listen_run(s);
	conn_inherited(&conn);
	return s->serve(&conn, s->ctx);
}
