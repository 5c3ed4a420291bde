/*
 * rest.c - hand a session in IDLE to imap-idle
 *
 * The connection, its state and where to look for changes go over
 * run/imap-idle. It says "y" when it has room and listens to the account; then
 * nothing may have happened here, and "g" gives the connection away. Without an
 * answer it stays: imap-idle does nothing with it before the "g".
 */
#include "imap_serve.h"

#include <errno.h>
#include <unistd.h>

#include "os/os.h"

#define CONNECT_MS 1000
#define ANSWER_MS 5000
#define PATH_MAX_BYTES 4096

/* The folder of the selected mailbox; empty if none. 0, -1. */
static int
folder_path(struct session *s, uint32_t mailbox, struct buf *path)
{
	if (mailbox == 0)
		return 0;
	return store_mailbox_dir(s->store, mailbox, 2, path);
}

/* The whole message to imap-idle. 0, -1. */
static int
make_message(struct session *s, struct imap *im, struct buf *out)
{
	struct buf state = BUF_INIT(IMAP_REST_MAX);
	struct buf path = BUF_INIT(PATH_MAX_BYTES);
	struct imap_rest r = { .why = IMAP_REST_WAIT, .seal = s->seal,
	    .seconds = (uint32_t)(s->idle_ms / 1000),
	    .account = bytes_str(s->account), .session = s->cid,
	    .remote_ip = s->remote_ip, .preface = s->preface };
	int result = -1;

	if (imap_keep(im, &state) &&
	    folder_path(s, imap_mailbox(im), &path) == 0) {
		r.state = buf_bytes(&state);
		r.folder = buf_bytes(&path);
		result = imap_rest_format(&r, out);
	}
	buf_free(&state);
	buf_free(&path);
	return result;
}

static int
connect_idle(void)
{
	struct arena a = ARENA_INIT;
	int fd = os_connect_unix(arena_printf(&a, "%s/imap-idle", dir_run()),
	    deadline_in(CONNECT_MS));

	arena_free(&a);
	return fd;
}

/* Offer it. True: imap-idle is ready for the "g". */
static bool
offer(struct session *s, int link, struct bytes message)
{
	char c;

	return os_send_fds(link, message, &s->in, 1) == 0 &&
	    io_read_full(link, &c, 1, deadline_in(ANSWER_MS)) == 1 &&
	    c == 'y';
}

bool
session_rest(struct session *s, struct imap *im, bool (*quiet)(void *),
    void *ctx)
{
	struct buf message = BUF_INIT(IMAP_REST_MAX);
	bool given = false;
	int link;

	if (s->seal.n == 0 || s->in != s->out ||
	    (s->rest_at != 0 && deadline_left(s->rest_at) > 0))
		return false;
	link = connect_idle();
	if (link != -1 && make_message(s, im, &message) == 0) {
		if (!offer(s, link, buf_bytes(&message)))
			s->rest_at = deadline_in(REST_AGAIN_MS);
		else if (quiet(ctx))
			given = write(link, "g", 1) == 1;
	} else {
		s->rest_at = deadline_in(REST_AGAIN_MS);
	}
	if (link != -1)
		(void)close(link);	/* that is a no, too */
	buf_free(&message);
	return given;
}
