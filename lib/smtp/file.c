/*
 * file.c - TEXTFILE, between our own servers: the text in a descriptor
 *
 * "TEXTFILE 1000" stands for DATA and all that follows it: the text, that many
 * bytes in LF form, is in a file that came beside the command (SCM_RIGHTS). It
 * is copied, so what the peer does to the file later is of no effect, and held
 * to the same rules as other text.
 */
#include "smtp/smtp.h"
#include "smtp/internal.h"

void
smtp_cmd_textfile(struct smtp *s, struct bytes args)
{
	uint64_t size;

	if (!s->o.textfile)
		smtp_sayf(s, 502, "5.5.1", "command not offered");
	else if (num_parse(args, 0, SMTP_TEXTFILE_MAX, &size) == -1)
		smtp_sayf(s, 501, "5.5.4", "syntax: TEXTFILE size");
	else if (smtp_data_is_due(s)) {
		s->by_file = true;
		s->file_size = size;
		s->state = STATE_ASK_DATA;
	}
}

size_t
smtp_file_size(const struct smtp *s)
{
	return (size_t)s->file_size;
}

/* No line is too long: all of it is not. */
_Static_assert(SMTP_TEXTFILE_MAX <= SMTP_TEXT_LINE_MAX, "see is_text");

static bool
is_text(struct bytes text)
{
	size_t at;

	return !bytes_has_nul(text) && !bytes_chr(text, '\r', &at) &&
	    (text.n == 0 || text.p[text.n - 1] == '\n');
}

bool
smtp_file_text(struct smtp *s, struct bytes text)
{
	s->wire_size = text.n;
	if (2 * (uint64_t)text.n > s->o.size_limit)
		s->wire_size += bytes_count(text, '\n');
	s->too_big = s->wire_size > s->o.size_limit;
	if (!is_text(text)) {
		smtp_close_with(s, 554, "5.6.0", "the file is not of "
		    "lines of text, smtp smuggling is refused");
		return false;
	}
	smtp_text_finish(s);
	return true;
}
