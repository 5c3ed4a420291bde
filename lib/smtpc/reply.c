/*
 * reply.c - replies of a server (RFC 5321 4.2), read strictly
 *
 * Nothing is guessed: a client that takes a damaged line for a reply is one
 * reply ahead or behind from then on, and believes answers to other questions.
 */
#include "smtpc/internal.h"

#include <errno.h>

#include "unicode/unicode.h"

static int
broken(const char **why, const char *text)
{
	*why = text;
	errno = EPROTO;
	return -1;
}

static int
too_much(const char **why, const char *text)
{
	*why = text;
	errno = EMSGSIZE;
	return -1;
}

bool
smtpc_reply_begun(const struct smtpc_reader *r)
{
	return r->lines > 0 || r->line.n > 0;
}

void
smtpc_reader_free(struct smtpc_reader *r)
{
	buf_free(&r->line);
	buf_free(&r->text);
}

/* Bytes up to LF into r->line: 1 the line is whole, 0 more is needed. */
static int
take_line(struct smtpc_reader *r, struct bytes *in, const char **why)
{
	struct bytes piece = *in;
	bool whole;
	size_t at;

	whole = bytes_chr(piece, '\n', &at);
	if (whole)
		piece = bytes_first(piece, at + 1);
	if (buf_add(&r->line, piece) == -1)
		return too_much(why, "reply line too long");
	*in = bytes_from(*in, piece.n);
	r->octets += piece.n;
	if (r->octets > SMTPC_REPLY_MAX)
		return too_much(why, "reply too long");
	return whole ? 1 : 0;
}

static const char *
bad_byte(struct bytes line, enum smtpc_text allow)
{
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '\0')
			return "NUL in a reply";
		if (line.p[i] == '\r')
			return "bare CR in a reply";
		if (ascii_is_ctl(line.p[i]) && line.p[i] != '\t')
			return "control byte in a reply";
	}
	if (allow == SMTPC_ASCII && !bytes_is_ascii(line))
		return "8-bit byte in a reply";
	if (allow == SMTPC_UTF8 && !unicode_valid_utf8(line))
		return "reply is not UTF-8";
	return NULL;
}

/* -1: the line has no room for what was added. */
static int
add_text(struct smtpc_reader *r, struct bytes text)
{
	uint32_t c;
	int got;

	if (r->lines > 0 && buf_addc(&r->text, '\n') == -1)
		return -1;
	if (r->allow != SMTPC_ANY || unicode_valid_utf8(text))
		return buf_add(&r->text, text);
	while ((got = unicode_next(&text, &c)) != 0) {
		if ((got == -1 ? buf_addc(&r->text, '?')
		    : unicode_put(&r->text, c)) == -1)
			return -1;
	}
	return 0;
}

/* One whole line in r->line: 1 it is the last, 0 others follow. */
static int
read_line(struct smtpc_reader *r, const char **why)
{
	struct bytes line = buf_bytes(&r->line);
	const char *bad;
	uint64_t code;
	int mark;

	if (!bytes_ends(line, BYTES("\r\n")))
		return broken(why, "bare LF in a reply");
	line = bytes_first(line, line.n - 2);
	if ((bad = bad_byte(line, r->allow)) != NULL)
		return broken(why, bad);
	if (line.n < 3 ||
	    num_parse(bytes_first(line, 3), 200, 599, &code) == -1)
		return broken(why, "reply line without a code");
	mark = bytes_at(line, 3);
	if (mark != -1 && mark != ' ' && mark != '-')
		return broken(why, "no blank after a reply code");
	if (r->lines > 0 && r->code != (int)code)
		return broken(why, "different codes in one reply");
	if (r->lines == SMTPC_LINES_MAX)
		return too_much(why, "too many lines in a reply");
	if (r->lines == 0)
		buf_reset(&r->text);
	if (add_text(r, bytes_from(line, 4)) == -1)
		return too_much(why, "reply too long");
	r->code = (int)code;
	r->lines++;
	buf_reset(&r->line);
	return mark != '-';
}

size_t
smtpc_status_cut(struct bytes text, int code, char out[SMTPC_STATUS_MAX])
{
	struct bytes rest = text;
	uint64_t n;
	size_t length;

	if (code / 100 == 3 || bytes_at(rest, 0) != '0' + code / 100)
		return 0;
	rest = bytes_from(rest, 1);
	for (int i = 0; i < 2; i++) {
		if (!bytes_skip(&rest, BYTES(".")) ||
		    (bytes_at(rest, 0) == '0' &&
		    ascii_is_digit(bytes_at(rest, 1))) ||
		    num_cut(&rest, 999, &n) == -1)
			return 0;
	}
	if (rest.n > 0 && rest.p[0] != ' ' && rest.p[0] != '\n')
		return 0;
	length = text.n - rest.n;
	memcpy(out, text.p, length);
	out[length] = '\0';
	return length;
}

struct bytes
smtpc_reply_plain(struct arena *a, const struct smtpc_reply *r)
{
	char status[SMTPC_STATUS_MAX];
	struct bytes rest = r->text, line, out;
	unsigned char *p = arena_alloc(a, rest.n + 1);
	size_t n = 0, cut;
	bool more;

	do {
		more = bytes_split(&rest, '\n', &line);
		if ((cut = smtpc_status_cut(line, r->code, status)) > 0)
			line = bytes_from(line, cut + 1);
		memcpy(p + n, line.p, line.n);
		n += line.n;
		if (more)
			p[n++] = '\n';
	} while (more);
	out = bytes_of(p, n);
	return out;
}

int
smtpc_reply_read(struct smtpc_reader *r, struct bytes *in,
    struct smtpc_reply *out, const char **why)
{
	int got;

	for (;;) {
		if ((got = take_line(r, in, why)) != 1)
			return got;
		if ((got = read_line(r, why)) == -1)
			return -1;
		if (got == 1)
			break;
	}
	*out = (struct smtpc_reply){ .code = r->code,
	    .text = buf_bytes(&r->text), .lines = r->lines };
	(void)smtpc_status_cut(out->text, out->code, out->status);
	r->lines = 0;
	r->octets = 0;
	return 1;
}
