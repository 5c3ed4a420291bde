/*
 * input.h - input.c: lines and literals of a client
 */
#ifndef IMAP_INPUT_H
#define IMAP_INPUT_H

#include "base/base.h"

enum input_event {
	INPUT_MORE,		/* nothing whole there */
	INPUT_COMMAND,		/* a command: text is set */
	INPUT_LITERAL,		/* one is announced: literal_* are set */
	INPUT_TOO_LONG,		/* a line over IMAP_LINE_MAX, of ID over
				IMAP_ID_LINE_MAX: input_too_long */
};

struct imap_input {
	struct buf b;		/* from the start of the command */
	size_t line;		/* where its last line begins */
	size_t scan;		/* no LF before this */
	size_t literals;
	/* After INPUT_LITERAL. */
	uint64_t literal_bytes;
	bool literal_sync;	/* the client waits for "+" */
	size_t literal_at;	/* of its "{" in the command */
	size_t literal_end;	/* after its line end */
	/* After INPUT_COMMAND: literals included, final line end not. */
	struct bytes text;
	size_t text_end;	/* after the final line end */
};

void input_init(struct imap_input *in);
void input_free(struct imap_input *in);
int input_add(struct imap_input *in, struct bytes s);
size_t input_room(const struct imap_input *in);
enum input_event input_next(struct imap_input *in);
/* That, in words. */
const char *input_too_long(const struct imap_input *in);
/* Why the announced literal cannot be taken into memory; NULL: it can. */
const char *input_literal_refused(const struct imap_input *in);
/* Its bytes become part of the command. */
void input_literal_take(struct imap_input *in);
/* Drop the command and wipe it. */
void input_done(struct imap_input *in);
/* Drop everything up to and including the announcement of a literal. */
void input_cut_literal(struct imap_input *in);
/* Drop n bytes off the front (n <= b.n) and wipe them. */
void input_drop(struct imap_input *in, size_t n);
/* One line, for continuations: 1, 0 none yet, -1 too long. */
int input_line(struct imap_input *in, struct bytes *line);
/* Give memory back when nothing is unread. */
void input_trim(struct imap_input *in);

#endif
