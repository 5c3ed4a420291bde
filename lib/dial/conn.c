/*
 * conn.c - lib/smtpc over a socket, in clear or with TLS
 */
#include "dial/dial.h"

#include <errno.h>
#include <unistd.h>

#define TRACE_MAX 4096
/* To read what a peer said before it closed; it is there, or comes never. */
#define LAST_WORDS_MS 1000

void
dial_open(struct dial_conn *c, int fd, int64_t deadline)
{
	c->fd = fd;
	c->tls = NULL;
	c->smtp = NULL;
	c->deadline = deadline;
	c->in = BYTES_EMPTY;
	c->gone = c->hides = false;
	c->traced = BUF_INIT(TRACE_MAX);
}

/* ---- for people ---- */

static void
show(struct dial_conn *c, int who, struct bytes line)
{
	if (c->trace != NULL)
		c->trace(c->trace_ctx, who, line);
}

/* Our own commands as they are, but what a login says. */
static void
show_command(struct dial_conn *c, struct bytes line)
{
	static const char *const known[] = { "EHLO", "HELO", "LHLO", "MAIL",
	    "RCPT", "DATA", "BDAT", "RSET", "NOOP", "QUIT", "STARTTLS" };
	struct bytes rest = line, word, mechanism;

	if (!bytes_word(&rest, &word))
		return;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (bytes_eq(word, bytes_str(known[i]))) {
			show(c, '>', line);
			return;
		}
	}
	if (bytes_eq(word, BYTES("AUTH")) && bytes_word(&rest, &mechanism)) {
		show(c, '>', bytes_first(line, (size_t)(mechanism.p - line.p) +
		    mechanism.n));
		return;
	}
	show(c, '>', BYTES("(a response to the challenge)"));
}

static void
show_output(struct dial_conn *c, struct bytes out)
{
	enum smtpc_phase phase = smtpc_phase(c->smtp);
	struct bytes line;

	if (c->trace == NULL || out.n == 0)
		return;
	if (phase == SMTPC_WAIT_TEXT || phase == SMTPC_WAIT_END) {
		if (!c->hides)
			show(c, '>', BYTES("(the message)"));
		c->hides = true;
		return;
	}
	c->hides = false;
	while (bytes_line(&out, &line))
		show_command(c, line);
}

static void
show_input(struct dial_conn *c, struct bytes in)
{
	struct bytes line, all;
	size_t at;

	if (c->trace == NULL)
		return;
	if (buf_add(&c->traced, in) == -1) {
		buf_reset(&c->traced);
		show(c, '<', BYTES("(too much to be shown)"));
		return;
	}
	all = buf_bytes(&c->traced);
	while (bytes_chr(all, '\n', &at)) {
		(void)bytes_line(&all, &line);	/* there is one */
		show(c, '<', line);
	}
	buf_drop(&c->traced, c->traced.n - all.n);
}

/* ---- bytes ---- */

static int64_t
until(const struct dial_conn *c)
{
	int64_t deadline = deadline_in(smtpc_wait_ms(c->smtp));

	return deadline < c->deadline ? deadline : c->deadline;
}

static ssize_t
receive(struct dial_conn *c, int64_t deadline)
{
	ssize_t n = c->tls != NULL
	    ? tlsc_receive(c->tls, c->buffer, sizeof(c->buffer), deadline)
	    : io_read_some(c->fd, c->buffer, sizeof(c->buffer), deadline);

	if (n > 0) {
		c->in = bytes_of(c->buffer, (size_t)n);
		show_input(c, c->in);
	}
	return n;
}

/*
 * A write that failed: what the peer said before counts, since it tells why
 * it closed; the connection is given up when nothing is left of that.
 */
static void
flush(struct dial_conn *c)
{
	struct bytes out = smtpc_output(c->smtp);
	int r;

	if (c->gone) {
		if (c->in.n == 0)
			smtpc_lost(c->smtp, "the connection broke");
		return;
	}
	if (out.n == 0)
		return;
	show_output(c, out);
	r = c->tls != NULL ? tlsc_send(c->tls, out, until(c))
	    : io_write_all(c->fd, out, until(c));
	if (r == 0) {
		smtpc_written(c->smtp, out.n);
		return;
	}
	if (errno == ETIMEDOUT) {
		smtpc_timed_out(c->smtp);
		return;
	}
	c->gone = true;
	(void)receive(c, deadline_in(LAST_WORDS_MS));	/* if it said some */
}

static void
fill(struct dial_conn *c)
{
	ssize_t n = receive(c, until(c));

	if (n > 0)
		return;
	if (n == -1 && errno == ETIMEDOUT)
		smtpc_timed_out(c->smtp);
	else
		smtpc_lost(c->smtp, n == 0 ? "the server closed the connection"
		    : "the connection broke");
}

enum smtpc_event
dial_run(struct dial_conn *c)
{
	enum smtpc_event e;

	for (;;) {
		e = smtpc_next(c->smtp, &c->in);
		if (e == SMTPC_READ || e == SMTPC_FLUSH ||
		    e == SMTPC_CLOSED || e == SMTPC_STARTTLS)
			flush(c);
		if (e == SMTPC_READ && c->in.n == 0 && !c->gone)
			fill(c);
		else if (e != SMTPC_READ && e != SMTPC_FLUSH)
			return e;
	}
}

int
dial_secure(struct dial_conn *c, struct tlsc_ctx *ctx,
    const struct tlsc_options *o, int64_t timeout_ms)
{
	int64_t deadline = deadline_in(timeout_ms);

	if (deadline > c->deadline)
		deadline = c->deadline;
	if ((c->tls = tlsc_new(ctx, o, c->fd)) == NULL)
		return -1;
	return tlsc_connect(c->tls, deadline);
}

void
dial_close(struct dial_conn *c)
{
	if (c->smtp != NULL) {
		smtpc_quit(c->smtp);
		while (dial_run(c) == SMTPC_DONE)
			;
	}
	if (c->tls != NULL && !c->gone)
		(void)tlsc_end(c->tls);	/* a farewell */
	tlsc_free(c->tls);
	smtpc_free(c->smtp);
	if (c->fd != -1)
		(void)close(c->fd);	/* all was said */
	buf_free(&c->traced);
	c->tls = NULL;
	c->smtp = NULL;
	c->fd = -1;
}
