/*
 * text.c - the text of a message: end mark, dots, line ends
 *
 * Only CRLF.CRLF ends a message. A CR without LF or an LF without CR is what
 * SMTP smuggling is made of: another server in the path may see the end of
 * the message there. Such a message ends the session. Text is handed on in
 * LF form.
 */
#include "smtp/smtp.h"
#include "smtp/internal.h"

#include "base/eight.h"

/* One step adds at most a line end beside the bytes it copies. */
#define STEP_ROOM 2

static const char bare_lf[] = "bad syntax: bare LF in the message, "
    "smtp smuggling is refused";
static const char bare_cr[] = "bad syntax: bare CR in the message, "
    "smtp smuggling is refused";

void
smtp_text_start(struct smtp *s)
{
	s->text = s->in_bdat ? TEXT_LINE : TEXT_START;
	s->wire_size = 0;
	s->text_line = 0;
	s->too_big = s->line_too_long = s->has_nul = s->dropped = false;
	s->why = NULL;
}

static bool
is_text(const struct smtp *s)
{
	return s->state == STATE_TEXT || s->state == STATE_CHUNK;
}

static bool
is_refused(const struct smtp *s)
{
	return s->too_big || s->line_too_long || s->has_nul;
}

static void
take_own(struct smtp *s)
{
	if (s->own_chunk == NULL)
		s->own_chunk = mem_alloc(SMTP_BYTES_MAX);
	s->chunk = s->own_chunk;
}

/* Where the next bytes go. */
static unsigned char *
next_place(struct smtp *s)
{
	if (s->chunk == NULL)
		take_own(s);
	return s->chunk + s->chunk_n;
}

/* n bytes of one line that are in place, or its end, which counts two on the
 * wire. What is refused may be written over. */
static inline void
add_placed(struct smtp *s, size_t n, size_t wire)
{
	s->wire_size += wire;
	s->text_line += wire;
	if (s->wire_size > s->o.size_limit)
		s->too_big = true;
	if (s->text_line > SMTP_TEXT_LINE_MAX)
		s->line_too_long = true;
	if (!is_refused(s))
		s->chunk_n += n;
}

static void
add_text(struct smtp *s, struct bytes piece, size_t wire)
{
	memcpy(next_place(s), piece.p, piece.n);
	add_placed(s, piece.n, wire);
}

static void
smuggled(struct smtp *s, const char *why)
{
	s->chunk_n = 0;
	smtp_close_with(s, 500, "5.5.2", why);
}

static inline void
line_end(struct smtp *s)
{
	*next_place(s) = '\n';
	add_placed(s, 1, 2);
	s->text = s->in_bdat ? TEXT_LINE : TEXT_START;
	s->text_line = 0;
}

/* Bytes up to the next CR, or as many as there are room and input for; true:
 * its LF was there, too, and the next line is here and begins with no dot. */
static bool
line_bytes(struct smtp *s, struct bytes *in)
{
	struct bytes piece = bytes_first(*in,
	    SMTP_BYTES_MAX - STEP_ROOM - s->chunk_n);
	size_t n = eight_copy_line(next_place(s), piece.p, piece.n);
	int mark = n < piece.n ? piece.p[n] : -1;

	if (mark == '\n') {
		smuggled(s, bare_lf);
		return false;
	}
	s->has_nul |= mark == '\0';
	n += mark == '\0';
	add_placed(s, n, n);
	*in = bytes_from(*in, n);
	if (mark != '\r')
		return false;
	if (bytes_at(*in, 1) != '\n') {
		s->text = TEXT_CR;
		*in = bytes_from(*in, 1);
		return false;
	}
	line_end(s);
	*in = bytes_from(*in, 2);
	if (s->text == TEXT_START && in->n > 0 && in->p[0] != '.')
		s->text = TEXT_LINE;
	return in->n > 0 && s->text == TEXT_LINE;
}

static bool
is_full(const struct smtp *s)
{
	return s->chunk_n >= SMTP_BYTES_MAX - STEP_ROOM;
}

/* As many lines as need no second look. */
static void
text_lines(struct smtp *s, struct bytes *in)
{
	while (line_bytes(s, in) && !is_full(s) && !is_refused(s))
		;
}

void
smtp_text_finish(struct smtp *s)
{
	s->replies_due = s->o.lmtp ? s->e.nrecipients : 1;
	s->any_accepted = false;
	s->state = STATE_ASK_END;
	s->why = NULL;
	if (!is_refused(s))
		return;
	while (s->state == STATE_ASK_END) {
		if (s->too_big)
			smtp_reply(s, 552, "5.3.4",
			    BYTES("message over the size limit"));
		else if (s->has_nul)
			smtp_reply(s, 550, "5.6.0",
			    BYTES("message has NUL bytes"));
		else
			smtp_reply(s, 550, "5.6.0",
			    BYTES("message has a line that is too long"));
	}
}

/* BINARYMIME (RFC 3030 3): any bytes, and each counts as one. */
static void
raw_bytes(struct smtp *s, struct bytes *in)
{
	struct bytes piece = bytes_first(*in,
	    SMTP_BYTES_MAX - STEP_ROOM - s->chunk_n);

	add_text(s, piece, piece.n);
	s->text_line = 0;
	*in = bytes_from(*in, piece.n);
}

/* One byte where it decides something. */
static void
decide(struct smtp *s, struct bytes *in)
{
	int c = in->p[0];

	if (s->text == TEXT_START) {
		s->text = c == '.' ? TEXT_DOT : TEXT_LINE;
		if (c == '.')
			*in = bytes_from(*in, 1);
	} else if (s->text == TEXT_DOT && c != '\r') {
		s->text = TEXT_LINE;	/* RFC 5321 4.5.2: the dot is gone */
	} else if (s->text == TEXT_DOT) {
		s->text = TEXT_DOT_CR;
		*in = bytes_from(*in, 1);
	} else if (c != '\n') {
		smuggled(s, bare_cr);
	} else if (s->text == TEXT_DOT_CR) {
		*in = bytes_from(*in, 1);
		smtp_text_finish(s);
	} else {
		*in = bytes_from(*in, 1);
		line_end(s);
	}
}

/* Once: the caller is to forget what it has. */
static bool
must_drop(struct smtp *s)
{
	if (s->dropped || !is_refused(s))
		return false;
	s->dropped = true;
	s->chunk_n = 0;
	s->why = s->too_big ? "over the size limit"
	    : s->has_nul ? "NUL bytes" : "line too long";
	return true;
}

enum smtp_event
smtp_text(struct smtp *s, struct bytes *in)
{
	while (in->n > 0 && is_text(s)) {
		if (is_full(s))
			return SMTP_BYTES;
		if (s->e.body_binary)
			raw_bytes(s, in);
		else if (s->text == TEXT_LINE)
			text_lines(s, in);
		else
			decide(s, in);
		if (must_drop(s))
			return SMTP_DROP;
		if (is_text(s) && s->too_big && s->wire_size >
		    s->o.size_limit + SMTP_DISCARD_MAX)
			smtp_close_with(s, 552, "5.3.4",
			    "message far over the size limit");
	}
	return s->chunk_n > 0 ? SMTP_BYTES : SMTP_READ;
}

bool
smtp_text_refused(struct smtp *s)
{
	if (!is_refused(s))
		return false;
	smtp_text_finish(s);
	return true;
}

enum smtp_event
smtp_text_end(struct smtp *s)
{
	if (s->text == TEXT_CR) {
		smuggled(s, bare_cr);
	} else if (s->text_line > 0 && !is_refused(s)) {
		/* RFC 3030 asks for no line end there; a message has one */
		add_text(s, BYTES("\n"), 0);
		s->text_line = 0;
		return SMTP_BYTES;
	} else
		smtp_text_finish(s);
	return SMTP_READ;
}
