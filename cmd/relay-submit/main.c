/*
 * relay-submit - mail of a machine without a server, to its smart host
 */
#include "relay_submit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "frame/frame.h"
#include "os/os.h"
#include "server/server.h"

static const char usage[] = "usage: relay-submit [-c]";

#define REQUEST_TIMEOUT_MS 60000
/* Of a message, in memory: what servers take if nobody says otherwise. */
#define TEXT_MAX ((size_t)100 << 20)

struct service {
	struct relay *relay;
	struct os_sandbox sandbox;
	struct server server;
};

static int
prepare(void *ctx)
{
	struct service *s = ctx;
	struct relay *r = relay_open();
	struct os_sandbox new;

	if (r == NULL)
		return -1;
	if (os_sandbox_make(&new, OS_SANDBOX_NET) == -1) {
		msg_warnsys("cannot make sandbox");
		relay_close(r);
		return -1;
	}
	relay_close(s->relay);
	s->relay = r;
	s->server.watch_file = r->file;
	free(s->sandbox.filter);
	s->sandbox = new;
	return 0;
}

/*
 * A copy of the message, from its beginning: who sends it can write to the
 * file while it is read, and cut it. -1 errno.
 */
static int
read_text(struct arena *a, int fd, struct bytes *out)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	int r;

	(void)lseek(fd, 0, SEEK_SET);	/* a pipe has no place */
	if ((r = io_read_all(fd, &b, deadline_in(REQUEST_TIMEOUT_MS))) == 0)
		*out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return r;
}

static void
refuse_text(struct add_reply *reply)
{
	bool large = errno == EMSGSIZE;

	reply->code = large ? 552 : 451;
	reply->status = large ? BYTES("5.3.4") : BYTES("4.3.0");
	reply->text = large ? BYTES("the message is too large")
	    : BYTES("the message cannot be read");
}

static void
answer(const struct service *s, struct arena *a, int sock,
    struct bytes fields, int text_fd, struct add_reply *reply)
{
	struct add_request r;
	struct bytes text;
	uid_t uid;
	gid_t gid;

	*reply = (struct add_reply){ .code = 554, .status = BYTES("5.5.0"),
	    .text = BYTES("malformed request") };
	if (add_parse_request(a, fields, &r) == -1)
		return;
	text = r.text;
	if ((text_fd != -1 && read_text(a, text_fd, &text) == -1) ||
	    os_peer(sock, NULL, &uid, &gid) == -1)
		refuse_text(reply);
	else
		relay_take(s->relay, a, uid, &r, text, reply);
}

/* Requests one after another, until the peer closes. */
static int
serve(struct server_conn *conn, void *ctx)
{
	struct service *s = ctx;
	struct buf in = BUF_INIT(FRAME_MAX), out = BUF_INIT(FRAME_MAX);
	struct arena a = ARENA_INIT;
	struct add_reply reply;
	struct bytes fields;
	int fds[1], r;
	size_t nfds = 1;

	if (os_sandbox_enter(&s->sandbox) == -1) {
		msg_warnsys("cannot enter sandbox");
		return EXIT_TEMP;
	}
	while ((r = frame_recv(conn->in, &in, &fields, fds, &nfds,
	    deadline_in(REQUEST_TIMEOUT_MS))) == 1) {
		answer(s, &a, conn->in, fields, nfds == 1 ? fds[0] : -1,
		    &reply);
		if (nfds == 1)
			(void)close(fds[0]);	/* read only */
		frame_done(&in);
		buf_reset(&out);
		if (add_format_reply(&out, &reply) == -1 ||
		    io_write_all(conn->out, buf_bytes(&out),
		    deadline_in(REQUEST_TIMEOUT_MS)) == -1) {
			r = -1;
			break;
		}
		arena_reset(&a);
		nfds = 1;
	}
	buf_free(&in);
	buf_free(&out);
	arena_free(&a);
	return r == 0 ? EXIT_YES : EXIT_TEMP;
}

static int
run(struct service *s)
{
	s->server = (struct server){
		.name = "relay-submit",
		.limits = SERVER_LIMITS_LOCAL,
		.refusal = "",
		.prepare = prepare,
		.serve = serve,
		.ctx = s,
		.notify_fd = -1,
	};
	return server_run(&s->server);
}

int
main(int argc, char *argv[])
{
	struct service s = { .relay = NULL };
	bool check = false;
	int c, code;

	msg_init("relay-submit");
	while ((c = getopt(argc, argv, "c")) != -1) {
		if (c != 'c')
			msg_die(EXIT_PERM, "%s", usage);
		check = true;
	}
	if (argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	if (check)
		code = (s.relay = relay_open()) != NULL ? EXIT_YES : EXIT_PERM;
	else
		code = run(&s);
	relay_close(s.relay);
	free(s.sandbox.filter);
	return code;
}
