/*
 * ask.c - a URL of another account: asked here, answered by a new imap-serve
 *
 * The question goes over run/imap. What comes back is read whole, into an
 * unnamed file, before the client is told a length: whatever goes wrong on
 * the way, the client gets NIL and keeps its connection.
 */
#include "imap_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"
#include "sasl/sasl.h"

/* For one question, with all of its answer. */
#define ASK_MS 10000
#define PIECE 65536

bool
session_is_account(const void *config, struct bytes user, const char *account)
{
	char name[SASL_ACCOUNT_MAX + 1];

	/* One that is not configured is served by hand all the same. */
	if (bytes_eq(user, bytes_str(account)))
		return true;
	return config != NULL && sasl_account_of(config, user, name) == 1 &&
	    strcmp(name, account) == 0;
}

/* ---- asking ---- */

static int
send_question(const struct session *s, const struct imap *im, int64_t deadline)
{
	struct buf message = BUF_INIT(IMAP_ASK_MAX);
	struct arena a = ARENA_INIT;
	struct imap_ask q;
	int link = -1;

	imap_asked(im, &q);
	q.seal = s->seal;
	q.session = s->cid;
	q.remote_ip = s->remote_ip;
	if (imap_ask_format(&q, &message) == 0)
		link = os_connect_unix(arena_printf(&a, "%s/imap", dir_run()),
		    deadline);
	if (link != -1 && io_write_all(link, buf_bytes(&message), deadline)
	    == -1) {
		(void)close(link);	/* it is of no use */
		link = -1;
	}
	buf_free(&message);
	arena_free(&a);
	return link;
}

static int
copy(int from, int to, uint64_t left, int64_t deadline)
{
	unsigned char piece[PIECE];
	size_t n;

	for (; left > 0; left -= n) {
		n = left < sizeof(piece) ? (size_t)left : sizeof(piece);
		errno = EPROTO;		/* for an end in the middle */
		if (io_read_full(from, piece, n, deadline) != 1 ||
		    io_write_all(to, bytes_of(piece, n), DEADLINE_NONE) == -1)
			return -1;
	}
	return 0;
}

/* The answer with its file, which is the caller's; -1 without a file. */
static int
take_answer(const struct session *s, int link, struct imap_answer *a,
    int *file, int64_t deadline)
{
	unsigned char head[IMAP_ANSWER_HEAD];

	if (io_read_full(link, head, sizeof(head), deadline) != 1 ||
	    imap_answer_parse(head, s->append_max, a) == -1)
		return -1;
	if (!a->found)
		return 0;
	if ((*file = os_tmpfile(AT_FDCWD, s->tmp_dir)) == -1)
		return -1;
	if (copy(link, *file, a->structure_bytes + a->data_bytes, deadline)
	    == 0)
		return 0;
	(void)close(*file);	/* it has no name */
	*file = -1;
	return -1;
}

void
session_ask(struct session *s, struct imap *im)
{
	int64_t deadline = deadline_in(ASK_MS);
	struct imap_answer a;
	int link = -1, file = -1, r = -1;

	if (s->ask_at == 0 || deadline_left(s->ask_at) == 0) {
		link = send_question(s, im, deadline);
		if (link != -1)
			r = take_answer(s, link, &a, &file, deadline);
		if (r == -1)
			msg_warnsys("cannot fetch URL of another account");
		s->ask_at = r == -1 ? deadline_in(ASK_AGAIN_MS) : 0;
	}
	if (link != -1)
		(void)close(link);	/* all was read */
	imap_answered(im, r == 0 ? &a : NULL, file);
}

/* ---- answering ---- */

struct link {
	int fd;
	int64_t deadline;
};

static int
write_link(void *ctx, struct bytes s)
{
	const struct link *l = ctx;

	return io_write_all(l->fd, s, l->deadline);
}

int
session_answer(const struct session *s, const struct imap_ask *q, int fd)
{
	struct imap_options o = { .store = s->store, .account = s->account,
	    .tmp_dir = s->tmp_dir, .append_max = s->append_max,
	    .is_account = session_is_account, .is_account_ctx = s->config };
	struct link l = { fd, deadline_in(ASK_MS) };

	session_on_bus();
	return imap_answer(&o, q, write_link, &l);
}
