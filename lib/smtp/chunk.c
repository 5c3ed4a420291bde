/*
 * chunk.c - BDAT (RFC 3030)
 *
 * A chunk's bytes follow its command and are no commands, whatever becomes of
 * it: a refused one is read to its end, then answered (RFC 3030 2). Where the
 * end cannot be known the connection is closed. Text is held to the same
 * rules as after DATA, only dots mean nothing; a line end may be cut
 * by the end of a chunk.
 */
#include "smtp/smtp.h"
#include "smtp/internal.h"

#include <errno.h>
#include <stdio.h>

/* Read the chunk, then give this reply; text outlives the transaction or is
 * of its arena. */
static void
skip_chunk(struct smtp *s, int code, const char *status, struct bytes text,
    bool ends)
{
	s->skip_code = code;
	(void)snprintf(s->skip_status, sizeof(s->skip_status), "%s",
	    status);	/* as long as statuses are */
	s->skip_text = text;
	s->skip_ends = ends;
	s->state = STATE_CHUNK;
}

void
smtp_chunk_refuse(struct smtp *s, int code, const char *status,
    struct bytes text)
{
	skip_chunk(s, code, status, arena_bytes(&s->job, text), true);
}

/* "1000", "1000 LAST". 0, or -1 and the session is closed. */
static int
read_args(struct smtp *s, struct bytes args)
{
	struct bytes number = BYTES_EMPTY, word = BYTES_EMPTY;
	uint64_t max = s->o.size_limit + SMTP_DISCARD_MAX;

	(void)bytes_word(&args, &number);	/* none: no number */
	s->chunk_last = bytes_word(&args, &word);
	if ((s->chunk_last && !bytes_caseeq(word, BYTES("LAST"))) ||
	    bytes_word(&args, &word))
		number = BYTES_EMPTY;
	if (num_parse(number, 0, max, &s->chunk_left) == 0)
		return 0;
	if (errno == ERANGE)
		smtp_close_with(s, 552, "5.3.4",
		    "chunk far over the size limit");
	else
		smtp_close_with(s, 501, "5.5.4",
		    "syntax: BDAT size, or BDAT size LAST");
	return -1;
}

void
smtp_cmd_bdat(struct smtp *s, struct bytes args)
{
	if (read_args(s, args) == -1)
		return;
	s->skip_code = 0;
	if (!s->o.chunking)
		skip_chunk(s, 502, "5.5.1", BYTES("command not offered"),
		    false);
	else if (!s->in_mail)
		skip_chunk(s, 503, "5.5.1", BYTES("say MAIL first"), false);
	else if (s->e.nrecipients > 0 && s->in_bdat)
		s->state = STATE_CHUNK;
	else if (s->e.nrecipients > 0) {
		s->in_bdat = true;
		s->state = STATE_ASK_DATA;
	} else if (s->rcpt_refused)
		skip_chunk(s, 554, "5.5.1",
		    BYTES("no recipient was accepted"), true);
	else
		skip_chunk(s, 503, "5.5.1", BYTES("say RCPT first"), false);
}

enum smtp_event
smtp_chunk(struct smtp *s, struct bytes *in)
{
	size_t most = s->chunk_left < in->n ? (size_t)s->chunk_left : in->n;
	struct bytes piece = bytes_first(*in, most), rest;
	enum smtp_event event = SMTP_READ;

	rest = piece;
	if (s->skip_code != 0) {
		s->skipped += rest.n;
		rest = BYTES_EMPTY;
	} else
		event = smtp_text(s, &rest);
	s->chunk_left -= piece.n - rest.n;
	*in = bytes_from(*in, piece.n - rest.n);
	if (s->skipped > SMTP_DISCARD_MAX)
		smtp_close_with(s, 421, "4.7.0", "too many refused chunks");
	return event;
}

enum smtp_event
smtp_chunk_end(struct smtp *s)
{
	char status[sizeof(s->skip_status)];

	if (s->skip_code != 0) {
		memcpy(status, s->skip_status, sizeof(status));
		s->state = STATE_COMMAND;
		smtp_say(s, s->skip_code, status, s->skip_text);
		if (s->skip_ends)
			smtp_end_transaction(s, false);
		return SMTP_READ;
	}
	if (s->chunk_last)
		return smtp_text_end(s);
	if (!smtp_text_refused(s)) {
		s->state = STATE_COMMAND;
		smtp_sayf(s, 250, "2.0.0", "chunk ok");
	}
	return SMTP_READ;
}
