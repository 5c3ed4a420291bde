/*
 * unauth.c - UNAUTHENTICATE (RFC 8437): the connection goes to a new imap-login
 *
 * This process has the account in its reach and cannot let go of it, so it
 * ends. imap-login -u takes the descriptor over run/imap-login, as imap-serve
 * takes it over run/imap, with what is known of the connection and nothing of
 * the account; whoever speaks next is a stranger again.
 */
#include "imap_serve.h"

#include <errno.h>
#include <unistd.h>

#include "os/os.h"

#define CONNECT_MS 5000
#define SEND_MS 10000
#define FIRST_BYTES 65536	/* that go along with the descriptor */

static char *
login_path(struct arena *a)
{
	return arena_printf(a, "%s/imap-login", dir_run());
}

bool
session_can_unauthenticate(const struct session *s)
{
	struct arena a = ARENA_INIT;
	bool can = s->seal.n > 0 && s->in == s->out &&
	    access(login_path(&a), W_OK) == 0;

	arena_free(&a);
	return can;
}

static int
send_connection(struct session *s, int to, struct bytes message)
{
	struct bytes first = bytes_first(message, FIRST_BYTES);

	if (os_send_fds(to, first, &s->in, 1) == -1)
		return -1;
	return io_write_all(to, bytes_from(message, first.n),
	    deadline_in(SEND_MS));
}

/* The OK is the last that is compressed (RFC 8437 4.1). */
static int
say_ok(struct session *s, struct imap *im)
{
	struct buf *out = imap_output(im);

	buf_add(out, imap_tag(im));
	buf_adds(out, " OK not logged in any more\r\n");
	if (wire_write(s, im) == -1)
		return -1;
	wire_plain(s);
	return 0;
}

int
session_unauthenticate(struct session *s, struct imap *im)
{
	struct imap_handover h = { .ticket = BYTES_EMPTY, .tag = BYTES_EMPTY,
	    .session = s->cid, .remote_ip = s->remote_ip,
	    .local_ip = s->local_ip, .preface = s->preface,
	    .pending = imap_pending(im) };
	struct buf message = BUF_INIT(IMAP_HANDOVER_MAX);
	struct arena a = ARENA_INIT;
	int to = os_connect_unix(login_path(&a), deadline_in(CONNECT_MS));
	int r = 0;

	if (to != -1 && imap_handover_format(&h, &message) == 0)
		r = say_ok(s, im) == 0 && send_connection(s, to,
		    buf_bytes(&message)) == 0 ? 1 : -1;
	if (to != -1)
		(void)close(to);	/* the kernel has it all */
	if (message.size > 0)
		secret_wipe(message.p, message.size);
	buf_free(&message);
	arena_free(&a);
	return r;
}
