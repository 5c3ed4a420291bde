/*
 * relay.c - LMTP client to run/lmtp
 *
 * One connection serves a whole SMTP session. Envelope and DATA go out in one
 * write (RFC 2920), the first time with LHLO in front, so a message costs two
 * round trips. XFORWARD tells who the client is.
 *
 * It costs one round trip by BDAT (RFC 3030), which waits for nothing before
 * the text. That the peer takes it is known from an earlier message of the
 * process: it is the same program, or this message fails for now.
 */
#include "smtp_in.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
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
/* By BDAT all is written before a reply is read: longer messages, and the
 * replies for more recipients, might fill the sockets meanwhile. */
#define CHUNK_MAX ((size_t)256 * 1024)
#define CHUNK_RECIPIENTS_MAX 32
/* Commands of one message: a path and its command per recipient. */
#define COMMANDS_MAX ((size_t)64 * 1024 * 1024)

/* What is handed over, and how. */
struct text {
	struct bytes prefix, message;
	bool chunk;		/* by one BDAT */
};

void
relay_init(struct relay *r, const char *path, struct bytes hostname,
    bool *takes_chunks)
{
	r->path = path;
	r->takes_chunks = takes_chunks;
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
	n = recv(r->fd, r->space, sizeof(r->space), MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
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
	*r->takes_chunks = has_line(answer.text, BYTES("CHUNKING"));
	r->requiretls = has_line(answer.text, BYTES("REQUIRETLS"));
	return 0;
}

/* How long it is on the wire, without dots. */
static size_t
wire_size(const struct text *t)
{
	struct bytes last = t->message.n > 0 ? t->message : t->prefix;

	return t->prefix.n + bytes_count(t->prefix, '\n') +
	    t->message.n + bytes_count(t->message, '\n') +
	    (last.n > 0 && last.p[last.n - 1] != '\n' ? 2 : 0);
}

static int
add_commands(struct buf *out, const struct smtp_envelope *e, bool requiretls,
    const struct smtp_xforward *x, const struct text *t)
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
	return t->chunk ? buf_printf(out, "BDAT %zu LAST\r\n", wire_size(t))
	    : buf_adds(out, "DATA\r\n");
}

/* Line ends as they are on the wire; a dot is a dot. */
static int
add_lines(struct buf *out, struct bytes s)
{
	size_t at;

	for (; bytes_chr(s, '\n', &at); s = bytes_from(s, at + 1)) {
		if (buf_add(out, bytes_first(s, at)) == -1 ||
		    buf_adds(out, "\r\n") == -1)
			return -1;
	}
	return buf_add(out, s);
}

static int
write_text(struct relay *r, struct buf *wire, struct bytes text, bool dots,
    bool *at_start)
{
	struct bytes piece;
	int n;

	while (text.n > 0) {
		(void)bytes_cut(&text, text.n < PIECE_MAX ? text.n
		    : PIECE_MAX, &piece);	/* within text */
		if (wire->n + 2 * piece.n > PIECE_MAX) {
			if (write_all(r, buf_bytes(wire)) == -1)
				return -1;
			buf_reset(wire);
		}
		if (dots)
			n = smtp_add_text(wire, piece, at_start);
		else
			n = add_lines(wire, piece);
		if (n == -1)
			return -1;
	}
	return 0;
}

/* What is in wire already goes first. */
static int
write_message(struct relay *r, struct buf *wire, const struct text *t)
{
	bool at_start = true, dots = !t->chunk;
	struct bytes last = t->message.n > 0 ? t->message : t->prefix;

	if (write_text(r, wire, t->prefix, dots, &at_start) == -1 ||
	    write_text(r, wire, t->message, dots, &at_start) == -1)
		return -1;
	if (last.n > 0 && last.p[last.n - 1] != '\n' &&
	    buf_adds(wire, "\r\n") == -1)
		return -1;
	if (dots && buf_adds(wire, ".\r\n") == -1)
		return -1;
	return write_all(r, buf_bytes(wire));
}

static int
write_data(struct relay *r, const struct text *t)
{
	struct buf wire = BUF_INIT(PIECE_MAX + WIRE_MAX);
	int n = write_message(r, &wire, t);

	buf_free(&wire);
	return n;
}

/* Replies to what was pipelined, but for the last command. The number of
 * accepted recipients, or -1. */
static int
read_envelope(struct relay *r, struct arena *a, size_t n,
    struct smtp_answer *answers)
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
	return accepted;
}

/* The answer to the message, and what was said beside it. */
static int
read_verdict(struct relay *r, struct arena *a, struct smtp_answer *out)
{
	struct bytes mark;

	if (read_answer(r, a, out) == -1)
		return -1;
	if (!bytes_starts(out->text, BYTES(SMTP_MARK)))
		return 0;
	(void)bytes_line(&out->text, &mark);	/* there is one */
	mark = bytes_from(mark, strlen(SMTP_MARK));
	if (bytes_eq(mark, BYTES(SMTP_MARK_SLOW)))
		r->slow = true;
	return 0;
}

/* The text goes out once DATA is answered. 1; 0: all answers are there. */
static int
send_data(struct relay *r, struct arena *a, const struct text *t, size_t n,
    int accepted, struct smtp_answer *answers)
{
	struct smtp_answer data;

	if (read_answer(r, a, &data) == -1)
		return -1;
	if (data.code != 354) {
		for (size_t i = 0; i < n; i++) {
			if (answers[i].code < 300)
				answers[i] = data;
		}
		return 0;
	}
	if (accepted == 0)	/* RFC 2920 3.1: an empty message ends it */
		return write_all(r, BYTES(".\r\n"));
	return write_data(r, t) == -1 ? -1 : 1;
}

/* It went out with the envelope, for some or, unread, for nobody. */
static int
read_chunk(struct relay *r, struct arena *a, int accepted)
{
	struct smtp_answer refusal;

	return accepted > 0 ? 1 : read_answer(r, a, &refusal);
}

static int
transaction(struct relay *r, struct arena *a, const struct text *t, size_t n,
    struct smtp_answer *answers)
{
	int accepted = read_envelope(r, a, n, answers), more;

	if (accepted == -1)
		return -1;
	more = t->chunk ? read_chunk(r, a, accepted)
	    : send_data(r, a, t, n, accepted, answers);
	if (more != 1)
		return more;
	for (size_t i = 0; i < n; i++) {
		if (answers[i].code < 300 &&
		    read_verdict(r, a, &answers[i]) == -1)
			return -1;
	}
	return 0;
}

static int
connect_relay(struct relay *r)
{
	r->in = BYTES_EMPTY;
	r->reader = SMTPC_READER_INIT;
	r->reader.allow = SMTPC_ANY;
	r->greeted = false;
	r->fd = os_connect_unix(r->path, deadline_in(CONNECT_TIMEOUT_MS));
	return r->fd == -1 ? -1 : 0;
}

/* LHLO and the first envelope in one write: the peer is a process of this
 * machine that takes pipelined commands, or it is of no use. */
static int
write_commands(struct relay *r, struct bytes commands, const struct text *t)
{
	struct buf out = BUF_INIT(COMMANDS_MAX);
	int n = 0;

	if (!r->greeted)
		n = buf_printf(&out, "LHLO %.*s\r\n", BYTES_ARG(r->hostname));
	if (n == 0)
		n = buf_add(&out, commands);
	if (n == 0)
		n = t != NULL && t->chunk ? write_message(r, &out, t)
		    : write_all(r, buf_bytes(&out));
	buf_free(&out);
	return n;
}

/*
 * A kept connection may have been closed since: one new attempt. That is no
 * second message: of the first, if it was written, the end was not.
 */
static int
send_commands(struct relay *r, struct bytes commands, const struct text *t)
{
	unsigned char byte;

	if (r->fd != -1 && (r->in.n > 0 || io_read_some(r->fd, &byte, 1,
	    time_mono_ms()) != -1))
		relay_close(r);		/* end of file, or unasked words */
	if (r->fd != -1 && write_commands(r, commands, t) == 0)
		return 0;
	relay_close(r);
	return connect_relay(r) == -1 ? -1 : write_commands(r, commands, t);
}

/* What was written was meant for who takes it. */
static int
greet(struct relay *r, struct arena *a, bool chunk)
{
	if (r->greeted)
		return 0;
	if (read_greeting(r, a) == -1)
		return -1;
	if (!chunk || *r->takes_chunks)
		return 0;
	errno = EPROTO;
	return -1;
}

static int
hand_over(struct relay *r, struct arena *a, const struct smtp_envelope *e,
    const struct smtp_xforward *x, const struct text *t,
    struct smtp_answer *answers)
{
	struct buf commands = BUF_INIT(COMMANDS_MAX);
	int n = 0;

	if (e->requiretls && r->fd == -1) {
		/* whether it may be said has to be known first */
		if (connect_relay(r) == -1 ||
		    write_commands(r, BYTES_EMPTY, NULL) == -1 ||
		    greet(r, a, false) == -1)
			return -1;
	}
	if (add_commands(&commands, e, r->requiretls, x, t) == -1 ||
	    send_commands(r, buf_bytes(&commands), t) == -1)
		n = -1;
	buf_free(&commands);
	if (n == 0)
		n = greet(r, a, t->chunk);
	return n == 0 ? transaction(r, a, t, e->nrecipients, answers) : -1;
}

int
relay_send(struct relay *r, struct arena *a, const struct smtp_envelope *e,
    const struct smtp_xforward *x, struct bytes prefix, struct bytes message,
    struct smtp_answer *answers)
{
	struct text t = { prefix, message, *r->takes_chunks &&
	    prefix.n <= CHUNK_MAX && message.n <= CHUNK_MAX - prefix.n &&
	    e->nrecipients <= CHUNK_RECIPIENTS_MAX };

	r->slow = false;
	if (hand_over(r, a, e, x, &t, answers) == 0)
		return 0;
	relay_close(r);
	return -1;
}
