/*
 * session.c - the loop around the server machine: read, write, spool
 *
 * Replies are written when all input is used, so those to pipelined commands
 * go out in one write (R-7, RFC 2920 3.2).
 */
#include "smtp/smtp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"
#include "server/server.h"
#include "trace/trace.h"

/* What is read at a time. More would save system calls, and cost more than
 * these: what is copied from it should still be in the processor's cache. */
#define INPUT_MAX 16384
/* After our last words: how long and how much the peer may still send before
 * the connection is cut, so that it sees them (a reset would lose them). */
#define LINGER_MS 2000
#define LINGER_BYTES ((size_t)4 * 1024 * 1024)

int
smtp_fail_reply(int err, const char *id, char text[SMTP_FAIL_TEXT],
    const char **status)
{
	bool full = err == ENOSPC || err == EDQUOT || err == EFBIG;

	*status = full ? "4.3.1" : "4.3.0";
	(void)snprintf(text, SMTP_FAIL_TEXT, full
	    ? "no space for the message now, received-id %s"
	    : "internal error, received-id %s", id);	/* ids are short */
	return full ? 452 : 451;
}

void
smtp_session_fail(struct smtp_session *s, int err)
{
	char text[SMTP_FAIL_TEXT];
	const char *status;
	int code = smtp_fail_reply(err, s->id, text, &status);

	while (smtp_replies_due(s->smtp) > 0)
		smtp_reply(s->smtp, code, status, bytes_str(text));
}

static int
flush(struct smtp_session *s)
{
	struct bytes out = smtp_output(s->smtp);

	int64_t deadline = deadline_in(s->line_timeout_ms);

	if (out.n == 0)
		return 0;
	if ((s->slow ? server_write_slow(s->out, out, deadline)
	    : io_write_all(s->out, out, deadline)) == -1)
		return -1;
	smtp_written(s->smtp, out.n);
	return 0;
}

/*
 * Our own smtp-in speaks before it is greeted; it reads the greeting with the
 * replies. To strangers one is said at once: who does not wait for it is known
 * by that.
 */
static bool
greeting_waits(struct smtp_session *s)
{
	struct pollfd p = { .fd = s->in, .events = POLLIN };
	bool first = !s->has_read;

	s->has_read = true;
	return first && s->options.lmtp && s->is_socket &&
	    poll(&p, 1, 0) == 1;
}

static void
forget_file(struct smtp_session *s)
{
	if (s->file != -1)
		(void)close(s->file);	/* only read from */
	s->file = -1;
}

/* What comes may have a descriptor beside it; the last one counts. */
static ssize_t
read_with_file(struct smtp_session *s, unsigned char *p, int64_t deadline)
{
	int fds[OS_FDS_MAX];
	size_t n, i;
	ssize_t r = os_recv_fds(s->in, p, INPUT_MAX, fds, &n, deadline);

	for (i = 0; r >= 0 && i < n; i++) {
		forget_file(s);
		s->file = fds[i];
	}
	return r;
}

/* 1 got some, 0 end of file, -1. */
static int
fill(struct smtp_session *s, unsigned char *p, struct bytes *in)
{
	int64_t deadline = deadline_in(s->line_timeout_ms);
	ssize_t n;

	if (smtp_in_data(s->smtp) && s->data_deadline < deadline)
		deadline = s->data_deadline;
	if (s->slow)
		server_pause_slow();
	n = s->options.textfile ? read_with_file(s, p, deadline)
	    : io_read_some(s->in, p, INPUT_MAX, deadline);
	if (n <= 0)
		return (int)n;
	*in = bytes_of(p, (size_t)n);
	return 1;
}

static void
start_message(struct smtp_session *s)
{
	trace_id(s->id);
	spool_reset(&s->spool);
	s->spool_error = 0;
	s->data_deadline = deadline_in(s->data_timeout_ms);
	smtp_bytes_into(s->smtp, spool_room(&s->spool));
	smtp_data_accept(s->smtp);
}

static void
store_bytes(struct smtp_session *s)
{
	/* after an error nothing is kept of what comes to the same place */
	if (s->spool_error == 0 &&
	    spool_take(&s->spool, smtp_bytes(s->smtp).n) == -1) {
		s->spool_error = errno;
		spool_reset(&s->spool);
	}
	smtp_bytes_into(s->smtp, spool_room(&s->spool));
}

/* A copy of what is in the file. 0, or -1 with errno. */
static int
copy_file(struct smtp_session *s, size_t size)
{
	struct stat st;
	size_t n, done = 0;
	ssize_t r;

	if (s->file == -1 || fstat(s->file, &st) == -1 ||
	    !S_ISREG(st.st_mode)) {
		errno = EPROTO;
		return -1;
	}
	while (done < size) {
		n = size - done < SMTP_BYTES_MAX ? size - done
		    : SMTP_BYTES_MAX;
		r = pread(s->file, spool_room(&s->spool), n, (off_t)done);
		if (r <= 0) {
			errno = r == 0 ? EPROTO : errno;
			return -1;
		}
		if (spool_take(&s->spool, (size_t)r) == -1)
			return -1;
		done += (size_t)r;
	}
	return 0;
}

static void
take_file(struct smtp_session *s)
{
	struct bytes text = BYTES_EMPTY;

	if (copy_file(s, smtp_file_size(s->smtp)) == -1) {
		s->spool_error = errno;
		spool_reset(&s->spool);
	} else
		(void)spool_view(&s->spool, &text);	/* in memory */
	forget_file(s);
	(void)smtp_file_text(s->smtp, text);	/* next comes what it says */
}

static void
end_message(struct smtp_session *s)
{
	struct bytes text;
	struct logline line;

	if (s->spool_error == 0 && spool_view(&s->spool, &text) == -1)
		s->spool_error = errno;
	if (s->spool_error != 0) {
		log_begin(&line, LOG_ERROR, "spool");
		log_str(&line, "id", s->id);
		log_str(&line, "dir", s->spool_dir);
		log_err(&line, s->spool_error);
		log_end(&line);
		smtp_session_fail(s, s->spool_error);
	} else {
		s->text_fd = s->spool.fd;
		s->message(s, text);
	}
	spool_reset(&s->spool);
}

/* How it ended, with its errno; 0: in order. */
static int
closed(struct smtp_session *s, int err, const char *end)
{
	s->end = end;
	errno = err;
	return err == 0 ? 0 : -1;
}

static int
read_failed(struct smtp_session *s, int r)
{
	int err = errno;

	if (r == 0)
		return smtp_in_data(s->smtp)
		    ? closed(s, EPROTO, "peer closed within a message")
		    : closed(s, 0, "peer closed");
	if (err != ETIMEDOUT)
		return closed(s, err, "read failed");
	smtp_abort(s->smtp, "4.4.2", BYTES("time-out, closing"));
	(void)flush(s);		/* it may be gone */
	return closed(s, ETIMEDOUT, "time-out");
}

/* 0 go on, -1 it ended. */
static int
start_tls(struct smtp_session *s)
{
	bool begins = s->tls_open(s);

	smtp_starttls(s->smtp, begins);
	if (flush(s) == -1)
		return closed(s, errno, "write failed");
	if (!begins)
		return 0;
	if (s->tls_begin(s) == -1)	/* nothing can be said any more */
		return closed(s, ECONNRESET, "TLS handshake failed");
	smtp_secured(s->smtp, &s->options);
	return 0;
}

static int
run(struct smtp_session *s, unsigned char *buffer)
{
	struct bytes in = BYTES_EMPTY;
	int r;

	for (;;) {
		switch (smtp_next(s->smtp, &in)) {
		case SMTP_READ:
			if (!greeting_waits(s) && flush(s) == -1)
				return closed(s, errno, "write failed");
			if ((r = fill(s, buffer, &in)) <= 0)
				return read_failed(s, r);
			break;
		case SMTP_FLUSH:
			if (flush(s) == -1)
				return closed(s, errno, "write failed");
			break;
		case SMTP_STARTTLS:
			if (start_tls(s) == -1)
				return -1;
			break;
		case SMTP_AUTH:
			s->auth(s);
			break;
		case SMTP_AUTH_CANCEL:
			s->auth_cancel(s);
			break;
		case SMTP_HELO:
			s->helo(s);
			break;
		case SMTP_MAIL:
			s->mail(s);
			break;
		case SMTP_RCPT:
			s->rcpt(s);
			break;
		case SMTP_DATA:
			start_message(s);
			break;
		case SMTP_BYTES:
			store_bytes(s);
			break;
		case SMTP_FILE:
			take_file(s);
			break;
		case SMTP_DROP:
			spool_reset(&s->spool);
			s->refused(s, smtp_why(s->smtp));
			break;
		case SMTP_END:
			s->unread = in.n > 0;
			end_message(s);
			break;
		case SMTP_CLOSE:
			r = flush(s);
			if (smtp_why(s->smtp) != NULL)
				return closed(s, EPROTO, smtp_why(s->smtp));
			s->clean = r == 0 && !s->slow &&
			    !smtp_refused(s->smtp);
			return closed(s, r == 0 ? 0 : errno, "quit");
		}
	}
}

/* Let the peer read our last reply before the connection goes down. */
static void
linger(struct smtp_session *s, unsigned char *buffer)
{
	int64_t deadline = deadline_in(LINGER_MS);
	size_t got = 0;
	ssize_t n;

	if (!s->is_socket || shutdown(s->out, SHUT_WR) == -1)
		return;
	while (got < LINGER_BYTES &&
	    (n = io_read_some(s->in, buffer, INPUT_MAX, deadline)) > 0)
		got += (size_t)n;
}

unsigned char *
smtp_session_front(struct smtp_session *s, const unsigned char *p, size_t n)
{
	return n > spool_front(&s->spool, p) ? NULL
	    : s->spool.memory + (p - s->spool.memory) - n;
}

int
smtp_session_run(struct smtp_session *s)
{
	unsigned char buffer[INPUT_MAX];
	int r, err;

	s->smtp = smtp_new(&s->options);
	spool_init(&s->spool, s->spool_dir);
	s->end = "";
	s->clean = false;
	s->has_read = false;
	s->file = -1;
	s->id[0] = '\0';
	r = run(s, buffer);
	err = errno;
	spool_free(&s->spool);
	forget_file(s);
	if (r == -1 && (err == EPROTO || err == ETIMEDOUT))
		linger(s, buffer);
	smtp_free(s->smtp);
	s->smtp = NULL;
	if (s->options.submission)
		secret_wipe(buffer, INPUT_MAX);
	errno = err;
	return r;
}
