/*
 * input.c - cutting a client's bytes into commands
 *
 * A command is lines joined by literals: a line that ends in "{n}" or "{n+}"
 * goes on with n bytes and a further line (RFC 3501 4.3, RFC 7888). The
 * buffer holds the command at work and what was read beyond it. What is
 * dropped is wiped: it may have been a password.
 */
#include "imap/internal.h"

/* Read at most this much beyond what is waited for. */
#define INPUT_CHUNK 16384

void
input_init(struct imap_input *in)
{
	*in = (struct imap_input){ .b = BUF_INIT(IMAP_COMMAND_MAX +
	    IMAP_HANDOVER_MAX) };
}

void
input_free(struct imap_input *in)
{
	if (in->b.size > 0)
		secret_wipe(in->b.p, in->b.size);
	buf_free(&in->b);
}

int
input_add(struct imap_input *in, struct bytes s)
{
	return buf_add(&in->b, s);
}

/* How long the line at work may be: "tag ID " begins a longer one. */
static size_t
line_max(const struct imap_input *in)
{
	struct bytes tag, s = buf_bytes(&in->b);

	return !in->inside && bytes_split(&s, ' ', &tag) &&
	    tag.n <= IMAP_TAG_MAX && bytes_caseskip(&s, BYTES("ID "))
	    ? IMAP_ID_LINE_MAX : IMAP_LINE_MAX;
}

const char *
input_too_long(const struct imap_input *in)
{
	return line_max(in) == IMAP_LINE_MAX ? "line over 16384 bytes"
	    : "line over 65536 bytes";
}

size_t
input_room(const struct imap_input *in)
{
	size_t want = in->line + line_max(in) + 2;

	if (in->b.n >= want)
		return 0;
	return want - in->b.n < INPUT_CHUNK ? want - in->b.n : INPUT_CHUNK;
}

/* "{n}" or "{n+}" at the end of the line that ends at *end. */
static bool
literal_announced(struct imap_input *in, size_t end)
{
	struct bytes line = bytes_of(in->b.p + in->line, end - in->line);
	struct bytes digits;
	size_t at;
	bool sync = true;

	if (!bytes_ends(line, BYTES("}")) || !bytes_rchr(line, '{', &at))
		return false;
	digits = bytes_first(bytes_from(line, at + 1), line.n - at - 2);
	if (bytes_ends(digits, BYTES("+"))) {
		sync = false;
		digits.n--;
	}
	if (num_parse(digits, 0, UINT32_MAX, &in->literal_bytes) == -1)
		return false;
	in->literal_sync = sync;
	in->literal_at = in->line + at;
	return true;
}

enum input_event
input_next(struct imap_input *in)
{
	struct bytes s = buf_bytes(&in->b);
	size_t at, end;

	if (in->scan < in->line)
		in->scan = in->line;
	if (!bytes_chr(bytes_from(s, in->scan), '\n', &at)) {
		if (s.n > in->line && s.n - in->line > line_max(in) + 1)
			return INPUT_TOO_LONG;
		in->scan = s.n > in->scan ? s.n : in->scan;
		return INPUT_MORE;
	}
	at += in->scan;
	end = at > in->line && bytes_at(s, at - 1) == '\r' ? at - 1 : at;
	if (end - in->line > line_max(in))
		return INPUT_TOO_LONG;
	if (literal_announced(in, end)) {
		in->literal_end = at + 1;
		return INPUT_LITERAL;
	}
	in->text = bytes_first(s, end);
	in->text_end = at + 1;
	return INPUT_COMMAND;
}

const char *
input_literal_refused(const struct imap_input *in)
{
	if (in->literal_bytes > IMAP_LITERAL_MAX)
		return "literal over 102400 bytes";
	if (in->literals >= IMAP_LITERALS_MAX)
		return "more than 1000 literals";
	if (in->literal_end + in->literal_bytes > IMAP_COMMAND_MAX)
		return "command over 1048576 bytes";
	return NULL;
}

void
input_literal_take(struct imap_input *in)
{
	in->literals++;
	in->line = in->literal_end + (size_t)in->literal_bytes;
	in->scan = in->line;
}

void
input_drop(struct imap_input *in, size_t n)
{
	size_t rest = in->b.n - n;

	if (n == 0)
		return;
	buf_drop(&in->b, n);
	secret_wipe(in->b.p + rest, n);
	in->line = in->scan = in->literals = 0;
	in->text = BYTES_EMPTY;
}

void
input_done(struct imap_input *in)
{
	input_drop(in, in->text_end);
	in->text_end = 0;
	in->inside = false;
}

void
input_cut_literal(struct imap_input *in, bool inside)
{
	input_drop(in, in->literal_end);
	in->inside = inside;
}

int
input_line(struct imap_input *in, struct bytes *line)
{
	struct bytes s = buf_bytes(&in->b);
	size_t at;

	if (!bytes_chr(s, '\n', &at))
		return s.n > IMAP_LINE_MAX + 1 ? -1 : 0;
	in->text_end = at + 1;
	bytes_line(&s, line);
	return line->n > IMAP_LINE_MAX ? -1 : 1;
}

void
input_trim(struct imap_input *in)
{
	if (in->b.n == 0 && in->b.size > 4096)
		buf_free(&in->b);
}
