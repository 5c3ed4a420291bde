/*
 * server.c - the server machine: lines in, replies and events out
 *
 * Nothing is decided by where the input happens to be cut: a decision falls
 * on a whole line, on its length, or on one byte.
 */
#include "smtp/smtp.h"
#include "smtp/internal.h"

#include <assert.h>
#include <stdlib.h>

/* Replies that may wait: LMTP answers once per recipient. */
#define OUTPUT_MAX ((size_t)64 * 1024 * 1024)
#define STATUS_MAX 16
/* What the commands of one transaction may leave in memory: the largest
 * number of recipients needs less. */
#define JOB_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* ---- replies ---- */

/* One line, cut and made of printable ASCII (RFC 5321 4.2). */
static void
say_line(struct smtp *s, int code, bool last, const char *status,
    struct bytes text)
{
	unsigned char line[SMTP_REPLY_LINE_MAX + 2];
	size_t n = 0;
	int c;

	line[n++] = (unsigned char)('0' + code / 100);
	line[n++] = (unsigned char)('0' + code / 10 % 10);
	line[n++] = (unsigned char)('0' + code % 10);
	line[n++] = last ? ' ' : '-';
	for (; *status != '\0'; status++)	/* under STATUS_MAX */
		line[n++] = (unsigned char)*status;
	if (n > 4)
		line[n++] = ' ';
	while (n < SMTP_REPLY_LINE_MAX && (c = bytes_next(&text)) != -1)
		line[n++] = c < 0x20 || c > 0x7e ? '?' : (unsigned char)c;
	line[n++] = '\r';
	line[n++] = '\n';
	if (buf_add(&s->out, bytes_of(line, n)) == -1)
		s->state = STATE_CLOSED;	/* the client never reads */
}

void
smtp_say(struct smtp *s, int code, const char *status, struct bytes text)
{
	struct bytes line = BYTES_EMPTY;

	assert(code >= 200 && code <= 599 && strlen(status) < STATUS_MAX);
	s->refused = s->refused || code >= 400;
	text = bytes_first(text, SMTP_REPLY_TEXT_MAX);
	(void)bytes_line(&text, &line);		/* none: an empty line */
	while (text.n > 0) {
		say_line(s, code, false, status, line);
		(void)bytes_line(&text, &line);	/* text is not empty */
	}
	say_line(s, code, true, status, line);
	if (code == 421)
		s->state = STATE_CLOSED;
}

void
smtp_sayf(struct smtp *s, int code, const char *status, const char *text)
{
	smtp_say(s, code, status, bytes_str(text));
}

void
smtp_close_with(struct smtp *s, int code, const char *status,
    const char *why)
{
	smtp_sayf(s, code, status, why);
	s->why = why;
	s->state = STATE_CLOSED;
}

/* ---- life ---- */

struct smtp_envelope
smtp_empty_envelope(void)
{
	const struct bytes none = BYTES_EMPTY;

	return (struct smtp_envelope){ .helo = none, .with = "",
	    .sender_text = none, .envid = none,
	    .xforward = { .name = none, .helo = none,
	    .proto = none, .ident = none, .source = none } };
}

struct smtp *
smtp_new(const struct smtp_options *options)
{
	struct smtp *s = mem_zalloc(1, sizeof(*s));
	struct buf text = BUF_INIT(SMTP_REPLY_LINE_MAX);

	/* not zeroed: a page never touched costs nothing */
	s->line_max = options->submission ? SMTP_AUTH_LINE_MAX
	    : SMTP_LINE_MAX;
	s->line = mem_alloc(s->line_max);
	s->response = BUF_INIT(SMTP_AUTH_LINE_MAX);
	s->o = *options;
	s->out = BUF_INIT(OUTPUT_MAX);
	s->e = smtp_empty_envelope();
	if (buf_add(&text, bytes_first(options->hostname, 255)) == 0 &&
	    buf_adds(&text, options->lmtp ? " LMTP " : " ESMTP ") == 0)
		(void)buf_add(&text, bytes_first(options->banner, 200));
	/* RFC 2034 4: the greeting has no enhanced code */
	smtp_say(s, 220, "", buf_bytes(&text));
	buf_free(&text);
	return s;
}

void
smtp_free(struct smtp *s)
{
	if (s == NULL)
		return;
	smtp_auth_wipe(s);
	arena_free(&s->session);
	arena_free(&s->job);
	buf_free(&s->out);
	if (s->o.submission)
		secret_wipe(s->line, s->line_max);
	free(s->line);
	free(s->own_chunk);
	free(s);
}

void
smtp_end_transaction(struct smtp *s, bool accepted)
{
	struct smtp_envelope e = smtp_empty_envelope();

	if (accepted)
		s->good++;
	else if (s->in_mail && s->rcpt_refused)
		s->bad++;
	s->in_mail = s->rcpt_refused = s->in_bdat = s->by_file = false;
	e.helo = s->e.helo;
	e.ehlo = s->e.ehlo;
	s->e = e;
	s->recipients_size = 0;
	arena_reset(&s->job);
}

/* ---- input lines ---- */

static const char *
line_fault(struct bytes line)
{
	size_t at;

	if (line.n < 2 || line.p[line.n - 2] != '\r')
		return "bad syntax: command line ends in a bare LF, "
		    "smtp smuggling is refused";
	if (bytes_chr(bytes_first(line, line.n - 2), '\r', &at))
		return "bad syntax: bare CR in a command line, "
		    "smtp smuggling is refused";
	return NULL;
}

/* A whole line, its LF included. */
static void
take_line(struct smtp *s, struct bytes line)
{
	const char *fault = line_fault(line);

	if (fault != NULL) {
		smtp_close_with(s, 500, "5.5.2", fault);
		return;
	}
	if (s->job.used_bytes > JOB_BYTES_MAX) {
		smtp_close_with(s, 421, "4.7.0", "too many commands");
		return;
	}
	if (s->bad > SMTP_BAD_MAX && s->good == 0) {
		smtp_close_with(s, 550, "5.7.0", "too many failures");
		return;
	}
	if (s->state == STATE_RESPONSE)
		smtp_auth_line(s, bytes_first(line, line.n - 2));
	else
		smtp_command(s, bytes_first(line, line.n - 2));
}

/*
 * Take the next line: from the input itself where it is whole there, else by
 * way of s->line.
 */
static enum smtp_event
command_line(struct smtp *s, struct bytes *in)
{
	size_t at, n;
	struct bytes piece;
	bool whole;

	/* A first byte that is no text is another protocol: TLS sends
	 * no line feed for long. */
	if (!s->seen_command && s->line_n == 0 && in->p[0] < 0x20 &&
	    in->p[0] != '\r' && in->p[0] != '\n') {
		smtp_close_with(s, 500, "5.5.2", "please speak SMTP");
		return SMTP_READ;
	}
	whole = bytes_chr(bytes_first(*in, s->line_max - s->line_n), '\n',
	    &at);
	n = whole ? at + 1 : in->n;
	if (!whole && n >= s->line_max - s->line_n) {
		smtp_close_with(s, 500, "5.5.2", "line too long");
		return SMTP_READ;
	}
	piece = bytes_first(*in, n);
	*in = bytes_from(*in, n);
	if (s->line_n == 0 && whole) {
		take_line(s, piece);
		return SMTP_READ;
	}
	memcpy(s->line + s->line_n, piece.p, piece.n);
	s->line_n += piece.n;
	if (whole) {
		n = s->line_n;
		s->line_n = 0;
		take_line(s, bytes_of(s->line, n));
	}
	return SMTP_READ;
}

/* ---- events ---- */

enum smtp_event
smtp_next(struct smtp *s, struct bytes *in)
{
	enum smtp_event event;

	s->chunk_n = 0;
	for (;;) {
		switch (s->state) {
		case STATE_ASK_TLS:
			if (in->n == 0)
				return SMTP_STARTTLS;
			/* it came in clear, and must not be taken for
			 * something that came by TLS */
			smtp_close_with(s, 503, "5.5.1",
			    "nothing may follow STARTTLS");
			continue;
		case STATE_ASK_AUTH:
			return SMTP_AUTH;
		case STATE_CANCELLED:
			s->state = STATE_COMMAND;
			return SMTP_AUTH_CANCEL;
		case STATE_ASK_HELO:
			return SMTP_HELO;
		case STATE_ASK_MAIL:
			return SMTP_MAIL;
		case STATE_ASK_RCPT:
			return SMTP_RCPT;
		case STATE_ASK_DATA:
			return SMTP_DATA;
		case STATE_ASK_END:
			return SMTP_END;
		case STATE_FILE:
			return SMTP_FILE;
		case STATE_CHUNK:
			if (s->chunk_left > 0)
				break;
			if ((event = smtp_chunk_end(s)) != SMTP_READ)
				return event;
			continue;
		case STATE_CLOSED:
			s->refused = s->refused || in->n > 0;
			*in = BYTES_EMPTY;
			return SMTP_CLOSE;
		default:
			break;
		}
		if (s->out.n >= SMTP_FLUSH_BYTES)
			return SMTP_FLUSH;
		if (in->n == 0)
			return SMTP_READ;
		event = s->state == STATE_TEXT ? smtp_text(s, in)
		    : s->state == STATE_CHUNK ? smtp_chunk(s, in)
		    : command_line(s, in);
		if (event != SMTP_READ)
			return event;
	}
}

struct bytes
smtp_output(const struct smtp *s)
{
	return buf_bytes(&s->out);
}

void
smtp_written(struct smtp *s, size_t n)
{
	buf_drop(&s->out, n);
}

struct bytes
smtp_bytes(const struct smtp *s)
{
	return bytes_of(s->chunk, s->chunk_n);
}

void
smtp_bytes_into(struct smtp *s, unsigned char *p)
{
	s->chunk = p;
}

const struct smtp_envelope *
smtp_envelope(const struct smtp *s)
{
	return &s->e;
}

struct smtp_recipient *
smtp_asked(struct smtp *s)
{
	return &s->asked;
}

bool
smtp_in_data(const struct smtp *s)
{
	return s->state == STATE_TEXT || s->in_bdat;
}

size_t
smtp_replies_due(const struct smtp *s)
{
	return s->state == STATE_ASK_END ? s->replies_due : 0;
}

unsigned int
smtp_good(const struct smtp *s)
{
	return s->good;
}

unsigned int
smtp_bad(const struct smtp *s)
{
	return s->bad;
}

bool
smtp_refused(const struct smtp *s)
{
	return s->refused;
}

const char *
smtp_why(const struct smtp *s)
{
	return s->why;
}

/* ---- answers of the caller ---- */

void
smtp_helo_accept(struct smtp *s)
{
	assert(s->state == STATE_ASK_HELO);
	s->state = STATE_COMMAND;
	s->greeted = true;
	smtp_say(s, 250, "", s->o.hostname);
}

void
smtp_helo_refuse(struct smtp *s, int code, const char *status,
    struct bytes text)
{
	assert(s->state == STATE_ASK_HELO);
	s->state = STATE_COMMAND;
	s->bad++;
	smtp_say(s, code, status, text);
}

void
smtp_mail_accept(struct smtp *s)
{
	assert(s->state == STATE_ASK_MAIL);
	s->state = STATE_COMMAND;
	smtp_sayf(s, 250, "2.1.0", "sender ok");
}

void
smtp_mail_refuse(struct smtp *s, int code, const char *status,
    struct bytes text)
{
	assert(s->state == STATE_ASK_MAIL);
	s->state = STATE_COMMAND;
	s->rcpt_refused = true;		/* a bad transaction */
	smtp_say(s, code, status, text);	/* text may be the envelope's */
	smtp_end_transaction(s, false);
}

void
smtp_rcpt_accept(struct smtp *s)
{
	struct smtp_envelope *e = &s->e;
	struct smtp_recipient *list;

	assert(s->state == STATE_ASK_RCPT);
	if (e->nrecipients == s->recipients_size) {
		s->recipients_size = e->nrecipients == 0 ? 4
		    : e->nrecipients * 2;
		list = arena_zalloc(&s->job, s->recipients_size,
		    sizeof(*list));
		for (size_t i = 0; i < e->nrecipients; i++)
			list[i] = e->recipients[i];
		e->recipients = list;
	}
	e->recipients[e->nrecipients++] = s->asked;
	s->state = STATE_COMMAND;
	smtp_sayf(s, 250, "2.1.5", "recipient ok");
}

void
smtp_rcpt_refuse(struct smtp *s, int code, const char *status,
    struct bytes text)
{
	assert(s->state == STATE_ASK_RCPT);
	s->state = STATE_COMMAND;
	s->rcpt_refused = true;
	smtp_say(s, code, status, text);
}

void
smtp_data_accept(struct smtp *s)
{
	assert(s->state == STATE_ASK_DATA);
	smtp_text_start(s);
	s->state = s->in_bdat ? STATE_CHUNK : s->by_file ? STATE_FILE
	    : STATE_TEXT;
	if (s->state == STATE_TEXT)
		smtp_sayf(s, 354, "",
		    "send the message, end with <CRLF>.<CRLF>");
}

void
smtp_data_refuse(struct smtp *s, int code, const char *status,
    struct bytes text)
{
	assert(s->state == STATE_ASK_DATA);
	s->rcpt_refused = true;
	if (s->in_bdat) {
		smtp_chunk_refuse(s, code, status, text);
		return;
	}
	s->state = STATE_COMMAND;
	smtp_say(s, code, status, text);	/* text may be the envelope's */
	smtp_end_transaction(s, false);
}

void
smtp_reply(struct smtp *s, int code, const char *status, struct bytes text)
{
	assert(s->state == STATE_ASK_END && s->replies_due > 0);
	if (code < 300)
		s->any_accepted = true;
	else
		s->rcpt_refused = true;
	s->replies_due--;
	smtp_say(s, code, status, text);	/* text may be the envelope's */
	if (s->replies_due == 0) {
		s->state = STATE_COMMAND;
		smtp_end_transaction(s, s->any_accepted);
	}
}

void
smtp_reply_marked(struct smtp *s, int code, const char *status,
    struct bytes text, const char *mark)
{
	if (s->e.xforward.marks)
		text = bytes_str(arena_printf(&s->job, SMTP_MARK "%s\n%.*s",
		    mark, BYTES_ARG(text)));
	smtp_reply(s, code, status, text);
}

void
smtp_abort(struct smtp *s, const char *status, struct bytes text)
{
	if (s->state == STATE_CLOSED)
		return;
	smtp_say(s, 421, status, text);
}
