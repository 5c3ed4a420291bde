/*
 * relay.c - LMTP client to run/lmtp
 *
 * One connection serves a whole SMTP session. Envelope and DATA go out in one
 * write (RFC 2920), the first time with LHLO in front, so a message costs two
 * round trips. XFORWARD tells who the client is.
 */
#include "smtp_in.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "os/os.h"

/* For a reply: delivery may run filters for every recipient. */
#define REPLY_TIMEOUT_MS (10 * 60 * 1000)
#define CONNECT_TIMEOUT_MS 30000
#define WRITE_TIMEOUT_MS 60000
/* For a reply to a client that sends no more: delivery as a rule has answered
 * long before, waits for first-time senders are longer. */
#define ENDED_MS 5000
#define PIECE_MAX 32768
/* A piece with every line feed and dot doubled, and the end mark. */
#define WIRE_MAX (2 * PIECE_MAX + 8)
/* Commands of one message: a path and its command per recipient. */
#define COMMANDS_MAX ((size_t)64 * 1024 * 1024)

void
relay_init(struct relay *r, const char *path, struct bytes hostname,
    struct relay_file *file)
{
	r->file = file;
	r->path = path;
	r->hostname = hostname;
	r->fd = r->client = -1;
	r->said_all = false;
	r->in = BYTES_EMPTY;
	r->reader = SMTPC_READER_INIT;
}

void
relay_close(struct relay *r)
{
	int err = errno;

	if (r->fd != -1)
		(void)close(r->fd);	/* nothing waits in it */
	r->fd = -1;
	r->in = BYTES_EMPTY;
	smtpc_reader_free(&r->reader);
	errno = err;
}

/*
 * Until lmtp-in says something. False: the client is gone. An end of what it
 * sends is no more than that: QUIT may stand in front of it, and who shuts down
 * one way only waits for its reply. But most programs that stop end so, too,
 * and without QUIT the message is theirs to send again (RFC 5321 4.1.1.10).
 * What is being delivered has its reply; who leaves while lmtp-in makes it wait
 * is not to have it twice.
 */
static bool
wait_for_reply(const struct relay *r, int64_t deadline)
{
	struct pollfd p[2] = { { .fd = r->fd, .events = POLLIN },
	    { .fd = r->client, .events = r->said_all ? 0 : POLLRDHUP } };
	int64_t until = deadline;
	unsigned char byte;
	int n;

	while ((n = poll(p, 2, deadline_left(until))) > 0 &&
	    p[0].revents == 0) {
		if ((p[1].revents & (POLLHUP | POLLERR)) != 0)
			return false;
		p[1].events = 0;	/* it is told once */
		if (recv(r->client, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0 &&
		    deadline_left(deadline) > ENDED_MS)
			until = deadline_in(ENDED_MS);
	}
	return n != 0 || until == deadline;
}

/* What has come, when all that came before was looked at. */
static int
fill(struct relay *r, int64_t deadline)
{
	ssize_t n;

	if (!wait_for_reply(r, deadline)) {
		errno = ECONNABORTED;
		return -1;
	}
	n = io_read_some(r->fd, r->space, sizeof(r->space), deadline);

	if (n > 0)
		r->in = bytes_of(r->space, (size_t)n);
	if (n == 0)
		errno = EPROTO;
	return n > 0 ? 0 : -1;
}

static int
read_answer(struct relay *r, struct arena *a, struct smtp_answer *out)
{
	int64_t deadline = deadline_in(REPLY_TIMEOUT_MS);
	struct smtpc_reply reply;
	const char *why;
	int got;

	while ((got = smtpc_reply_read(&r->reader, &r->in, &reply,
	    &why)) == 0) {
		if (fill(r, deadline) == -1)
			return -1;
	}
	if (got == -1)
		return -1;
	*out = (struct smtp_answer){ reply.code,
	    arena_bytes(a, bytes_str(reply.status)),
	    smtpc_reply_plain(a, &reply) };
	return 0;
}

static int
write_all(struct relay *r, struct bytes s)
{
	return io_write_all(r->fd, s, deadline_in(WRITE_TIMEOUT_MS));
}

static bool
has_line(struct bytes text, struct bytes word)
{
	struct bytes line;

	while (bytes_line(&text, &line)) {
		if (bytes_caseeq(line, word))
			return true;
	}
	return false;
}

/* Greeting and reply to LHLO, which were not waited for. */
static int
read_greeting(struct relay *r, struct arena *a)
{
	struct smtp_answer greeting, answer;

	if (read_answer(r, a, &greeting) == -1 ||
	    read_answer(r, a, &answer) == -1)
		return -1;
	if (greeting.code != 220 || answer.code != 250 ||
	    !has_line(answer.text, BYTES("PIPELINING"))) {
		errno = EPROTO;
		return -1;
	}
	r->greeted = true;
	r->requiretls = has_line(answer.text, BYTES("REQUIRETLS"));
	r->file->offered = has_line(answer.text, BYTES("TEXTFILE"));
	return 0;
}

static int
add_commands(struct buf *out, const struct smtp_envelope *e, bool requiretls,
    const struct smtp_xforward *x, size_t file_size)
{
	if (smtp_add_xforward(out, x) == -1 ||
	    buf_adds(out, "MAIL FROM:<") == -1 ||
	    buf_add(out, e->sender_text) == -1 ||
	    buf_printf(out, "> BODY=8BITMIME%s%s\r\n",
	    e->smtputf8 ? " SMTPUTF8" : "",
	    e->requiretls && requiretls ? " REQUIRETLS" : "") == -1)
		return -1;
	for (size_t i = 0; i < e->nrecipients; i++) {
		if (buf_adds(out, "RCPT TO:<") == -1 ||
		    buf_add(out, e->recipients[i].text) == -1 ||
		    buf_adds(out, ">\r\n") == -1)
			return -1;
	}
	return file_size > 0 ? buf_printf(out, "TEXTFILE %zu\r\n", file_size)
	    : buf_adds(out, "DATA\r\n");
}

static int
write_text(struct relay *r, struct buf *wire, struct bytes text,
    bool *at_start)
{
	struct bytes piece;

	while (text.n > 0) {
		(void)bytes_cut(&text, text.n < PIECE_MAX ? text.n
		    : PIECE_MAX, &piece);	/* within text */
		if (wire->n + 2 * piece.n > PIECE_MAX) {
			if (write_all(r, buf_bytes(wire)) == -1)
				return -1;
			buf_reset(wire);
		}
		if (smtp_add_text(wire, piece, at_start) == -1)
			return -1;
	}
	return 0;
}

static int
write_message(struct relay *r, struct bytes prefix, struct bytes message)
{
	struct buf wire = BUF_INIT(PIECE_MAX + WIRE_MAX);
	bool at_start = true;
	int n;

	n = write_text(r, &wire, prefix, &at_start);
	if (n == 0)
		n = write_text(r, &wire, message, &at_start);
	if (n == 0 && !at_start)
		n = buf_adds(&wire, "\r\n");
	if (n == 0)
		n = buf_adds(&wire, ".\r\n");
	if (n == 0)
		n = write_all(r, buf_bytes(&wire));
	buf_free(&wire);
	return n;
}

/* ---- the text in a file (lib/smtp/file.c) ---- */

/* Of a shorter text the pieces cost less than the file. */
#define FILE_MIN 8192

static void
forget_file(struct relay_file *f)
{
	if (f->fd != -1)
		(void)close(f->fd);	/* in memory */
	f->fd = -1;
}

/* The message in the file: its size, 0: it goes as text. */
static size_t
put_file(struct relay *r, struct bytes prefix, struct bytes message)
{
	struct iovec v[2] = { { (void *)(uintptr_t)prefix.p, prefix.n },
	    { (void *)(uintptr_t)message.p, message.n } };
	size_t n = prefix.n + message.n;
	struct relay_file *f = r->file;

	if (!f->offered || n < FILE_MIN || n > SMTP_TEXTFILE_MAX ||
	    !bytes_ends(message, BYTES("\n")))
		return 0;
	if (f->fd == -1)
		f->fd = os_memory_file("text");
	if (f->fd != -1 && pwritev(f->fd, v, 2, 0) == (ssize_t)n)
		return n;
	forget_file(f);		/* text goes without */
	return 0;
}

/*
 * Replies to what was pipelined. The number of accepted recipients, or -1;
 * *data is the reply to DATA.
 */
static int
read_envelope(struct relay *r, struct arena *a, size_t n,
    struct smtp_answer *answers, struct smtp_answer *data)
{
	struct smtp_answer x, mail;
	int accepted = 0;

	/* XFORWARD: refused, it is no reason to refuse mail */
	for (size_t i = 0; i < SMTP_XFORWARD_LINES; i++) {
		if (read_answer(r, a, &x) == -1)
			return -1;
	}
	if (read_answer(r, a, &mail) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (read_answer(r, a, &answers[i]) == -1)
			return -1;
		if (mail.code >= 300)
			answers[i] = mail;
		if (answers[i].code < 300)
			accepted++;
	}
	return read_answer(r, a, data) == -1 ? -1 : accepted;
}

/* The answer to the message, and what was said beside it. */
static void
take_verdict(struct relay *r, struct smtp_answer *out)
{
	struct bytes mark;

	if (!bytes_starts(out->text, BYTES(SMTP_MARK)))
		return;
	(void)bytes_line(&out->text, &mark);	/* there is one */
	mark = bytes_from(mark, strlen(SMTP_MARK));
	if (bytes_eq(mark, BYTES(SMTP_MARK_SLOW)))
		r->slow = true;
}

/* One for each recipient that was accepted; first: it is read already. */
static int
read_verdicts(struct relay *r, struct arena *a,
    const struct smtp_envelope *e, const struct smtp_answer *first,
    struct smtp_answer *answers)
{
	for (size_t i = 0; i < e->nrecipients; i++) {
		if (answers[i].code >= 300)
			continue;
		if (first != NULL)
			answers[i] = *first;
		else if (read_answer(r, a, &answers[i]) == -1)
			return -1;
		first = NULL;
		take_verdict(r, &answers[i]);
	}
	return 0;
}

/* After the reply to DATA. */
static int
send_text(struct relay *r, struct arena *a, const struct smtp_envelope *e,
    struct bytes prefix, struct bytes message,
    const struct smtp_answer *data, struct smtp_answer *answers)
{
	if (data->code != 354) {
		for (size_t i = 0; i < e->nrecipients; i++) {
			if (answers[i].code < 300)
				answers[i] = *data;
		}
		return 0;
	}
	if (write_message(r, prefix, message) == -1)
		return -1;
	return read_verdicts(r, a, e, NULL, answers);
}

static int
transaction(struct relay *r, struct arena *a, const struct smtp_envelope *e,
    struct bytes prefix, struct bytes message, struct smtp_answer *answers)
{
	struct smtp_answer data;
	int accepted = read_envelope(r, a, e->nrecipients, answers, &data);

	if (accepted == -1)
		return -1;
	if (accepted == 0 && data.code == 354)
		/* RFC 2920 3.1: an empty message ends it */
		return write_all(r, BYTES(".\r\n"));
	return send_text(r, a, e, prefix, message, &data, answers);
}

/*
 * As transaction, where the text went with the envelope. What took it the last
 * time may be another program by now, which has no such command.
 */
static int
file_transaction(struct relay *r, struct arena *a,
    const struct smtp_envelope *e, struct bytes prefix,
    struct bytes message, struct smtp_answer *answers)
{
	struct smtp_answer first;
	int accepted = read_envelope(r, a, e->nrecipients, answers, &first);

	if (accepted == 0 || accepted == -1)
		return accepted;
	if (first.code == 500 || first.code == 502) {
		r->file->offered = false;
		if (write_all(r, BYTES("DATA\r\n")) == -1 ||
		    read_answer(r, a, &first) == -1)
			return -1;
		return send_text(r, a, e, prefix, message, &first, answers);
	}
	return read_verdicts(r, a, e, &first, answers);
}

/* A descriptor goes beside the first byte. */
static int
write_commands(struct relay *r, struct bytes commands, bool with_file)
{
	struct bytes first = bytes_first(commands, PIECE_MAX);

	if (!with_file)
		return write_all(r, commands);
	if (os_send_fds(r->fd, first, &r->file->fd, 1) == -1)
		return -1;
	return write_all(r, bytes_from(commands, first.n));
}

/* LHLO and the first envelope in one write: the peer is a process of this
 * machine that takes pipelined commands, or it is of no use. */
static int
connect_relay(struct relay *r, struct bytes commands, bool with_file)
{
	struct buf out = BUF_INIT(COMMANDS_MAX);
	int n;

	r->in = BYTES_EMPTY;
	r->reader = SMTPC_READER_INIT;
	r->reader.allow = SMTPC_ANY;
	r->greeted = false;
	r->fd = os_connect_unix(r->path, deadline_in(CONNECT_TIMEOUT_MS));
	if (r->fd == -1)
		return -1;
	n = buf_adds(&out, "LHLO ");
	if (n == 0)
		n = buf_add(&out, r->hostname);
	if (n == 0)
		n = buf_adds(&out, "\r\n");
	if (n == 0)
		n = buf_add(&out, commands);
	if (n == 0)
		n = write_commands(r, buf_bytes(&out), with_file);
	buf_free(&out);
	return n;
}

/* A kept connection may have been closed since: one new attempt. */
static int
send_commands(struct relay *r, struct bytes commands, bool with_file)
{
	unsigned char byte;

	if (r->fd != -1 && (r->in.n > 0 || io_read_some(r->fd, &byte, 1,
	    time_mono_ms()) != -1))
		relay_close(r);		/* end of file, or unasked words */
	if (r->fd != -1 && write_commands(r, commands, with_file) == 0)
		return 0;
	relay_close(r);
	return connect_relay(r, commands, with_file);
}

int
relay_send(struct relay *r, struct arena *a, const struct smtp_envelope *e,
    const struct smtp_xforward *x, struct bytes prefix, struct bytes message,
    struct smtp_answer *answers)
{
	struct buf commands = BUF_INIT(COMMANDS_MAX);
	size_t in_file = put_file(r, prefix, message);
	int n;

	n = 0;
	r->slow = false;
	if (e->requiretls && r->fd == -1) {
		/* whether it may be said has to be known first */
		n = connect_relay(r, BYTES_EMPTY, false);
		if (n == 0)
			n = read_greeting(r, a);
	}
	if (n == 0)
		n = add_commands(&commands, e, r->requiretls, x, in_file);
	if (n == 0)
		n = send_commands(r, buf_bytes(&commands), in_file > 0);
	buf_free(&commands);
	if (n == 0 && !r->greeted)
		n = read_greeting(r, a);
	if (n == 0)
		n = (in_file > 0 ? file_transaction : transaction)(r, a, e,
		    prefix, message, answers);
	if (n == -1) {
		relay_close(r);
		forget_file(r->file);	/* it may be read even now */
	}
	return n;
}
