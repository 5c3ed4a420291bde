/*
 * text.c - the message on its way: after 354, or in BDAT chunks (RFC 3030)
 *
 * Some bytes at a time are converted to the wire's form, so that a message
 * costs the same memory whatever its size.
 */
#include "smtpc/internal.h"

#include <errno.h>

void
smtpc_text_start(struct smtpc *s)
{
	s->state = STATE_TEXT;
	s->offset = 0;
	s->wire = (struct smtpc_wire){ .at_start = true };
	s->text_refused = false;
	buf_reset(&s->chunk);
}

/* The end mark was never said, and is not to be: nothing was delivered. */
static void
give_up(struct smtpc *s)
{
	if (errno == EBADMSG)
		smtpc_end_why(s, SMTPC_PERMANENT, "5.6.0",
		    "lone CR in a message that is not binary");
	else
		smtpc_end_why(s, SMTPC_TEMPORARY, "4.3.0",
		    "the message cannot be read");
}

/* At most max more bytes of the message, in wire form. -1 errno. */
static int
add_some(struct smtpc *s, struct buf *out, size_t max, bool dots)
{
	struct bytes piece;

	if (smtpc_view(&s->mail->source, s->offset, &piece) == -1) {
		/* EBADMSG is the word for what the bytes are */
		errno = errno == EBADMSG ? EIO : errno;
		return -1;
	}
	piece = bytes_first(piece, s->mail->binary ? max : max / 2);
	if (s->mail->binary)
		(void)buf_add(out, piece);
	else if (smtpc_wire_add(out, piece, &s->wire, dots) == -1)
		return -1;
	s->offset += piece.n;
	return 0;
}

/* The reply (in LMTP for each recipient) to the whole is due now. */
static void
all_said(struct smtpc *s)
{
	s->due = s->o.lmtp ? s->naccepted : 1;
	s->next_reply = 0;
	s->state = STATE_END;
}

static void
say_text(struct smtpc *s)
{
	while (s->offset < s->mail->source.size) {
		if (s->out.n >= SMTPC_CHUNK_BYTES)
			return;
		if (add_some(s, &s->out, 2 * PIECE_MAX, true) == -1) {
			give_up(s);
			return;
		}
	}
	if (smtpc_reply_begun(&s->reader)) {
		smtpc_broken(s, "a reply before the end mark");
		return;
	}
	if (smtpc_wire_end(&s->out, &s->wire) == -1) {
		give_up(s);
		return;
	}
	(void)buf_adds(&s->out, ".\r\n");
	all_said(s);
}

/* ---- BDAT ---- */

/* Room for a line end that the message may lack. */
#define END_ROOM 2

static int
fill_chunk(struct smtpc *s)
{
	size_t room;

	while (s->offset < s->mail->source.size) {
		room = SMTPC_CHUNK_BYTES - END_ROOM - s->chunk.n;
		if (room < 2)
			return 0;
		if (add_some(s, &s->chunk, room, false) == -1)
			return -1;
	}
	return s->mail->binary ? 0 : smtpc_wire_end(&s->chunk, &s->wire);
}

static void
say_chunk(struct smtpc *s, bool last)
{
	(void)buf_printf(&s->out, "BDAT %zu%s", s->chunk.n,
	    last ? " LAST" : "");
	smtpc_say(s, "");
	(void)buf_add(&s->out, buf_bytes(&s->chunk));
	assert(!s->out.full);
	buf_reset(&s->chunk);
	if (last)
		all_said(s);
}

/*
 * The last chunk waits until all others were taken: what is refused in part
 * must not be taken as a whole, and with LMTP the number of replies to a last
 * chunk after a refused one is anybody's guess.
 */
static void
say_chunks(struct smtpc *s)
{
	size_t ahead = s->offer.ext & SMTPC_EXT_PIPELINING
	    ? SMTPC_AHEAD_MAX : 1;
	bool last;

	while (s->state == STATE_TEXT && !s->text_refused && s->due < ahead &&
	    s->out.n < SMTPC_CHUNK_BYTES) {
		if (s->chunk.n == 0 && fill_chunk(s) == -1) {
			give_up(s);
			return;
		}
		last = s->offset == s->mail->source.size;
		if (last && s->due > 0)
			return;
		say_chunk(s, last);
	}
}

void
smtpc_text_say(struct smtpc *s)
{
	if (s->bdat)
		say_chunks(s);
	else
		say_text(s);
}

/* ---- replies ---- */

void
smtpc_text_reply(struct smtpc *s, const struct smtpc_reply *r)
{
	if (r->code / 100 == 3) {
		smtpc_broken(s, "wrong code in the reply to BDAT");
		return;
	}
	if (r->code >= 400 && !s->text_refused) {
		s->text_refused = true;
		for (size_t i = 0; i < s->nattempts; i++) {
			if (s->attempt[i].accepted)
				smtpc_result_reply(
				    &s->attempt[i].rcpt->result,
				    s->mail->arena, smtpc_class_of(r->code),
				    SMTPC_AT_TEXT, r);
		}
	}
	if (s->text_refused && s->due == 0)
		smtpc_mail_end(s, NULL);
}

/* One result for all, copied. */
static void
all_answered(struct smtpc *s, const struct smtpc_reply *r)
{
	struct smtpc_result result;

	smtpc_result_reply(&result, s->mail->arena, smtpc_class_of(r->code),
	    SMTPC_AT_END, r);
	for (size_t i = 0; i < s->nattempts; i++) {
		if (s->attempt[i].accepted)
			s->attempt[i].rcpt->result = result;
	}
}

static void
one_answered(struct smtpc *s, const struct smtpc_reply *r)
{
	while (!s->attempt[s->next_reply].accepted)
		s->next_reply++;
	smtpc_result_reply(&s->attempt[s->next_reply].rcpt->result,
	    s->mail->arena, smtpc_class_of(r->code), SMTPC_AT_END, r);
	s->next_reply++;
}

void
smtpc_end_mark_reply(struct smtpc *s, const struct smtpc_reply *r)
{
	if (r->code / 100 == 3) {
		smtpc_broken(s, "wrong code after the end mark");
		return;
	}
	if (s->o.lmtp)
		one_answered(s, r);
	else
		all_answered(s, r);
	if (s->due > 0)
		return;
	s->need_rset = false;
	smtpc_mail_end(s, NULL);
}
