/*
 * answer.c - replies read from a server, and several made into one
 */
#include "smtp/smtp.h"

#include <errno.h>

#define COMBINED_MAX SMTP_REPLY_TEXT_MAX

/* Code and "-" or " " or nothing at the start of a reply line. */
static int
cut_code(struct bytes *line, bool *last)
{
	uint64_t code;

	if (line->n < 3 ||
	    num_parse(bytes_first(*line, 3), 200, 599, &code) == -1)
		return -1;
	if (bytes_at(*line, 3) != -1 && line->p[3] != ' ' &&
	    line->p[3] != '-')
		return -1;
	*last = bytes_at(*line, 3) != '-';
	*line = bytes_from(*line, 4);
	return (int)code;
}

/* "x.y.z" and a blank (RFC 2034 4): taken off the line. */
static struct bytes
cut_status(struct bytes *line, int code)
{
	struct bytes rest = *line, status;
	uint64_t n;

	if (bytes_at(rest, 0) != '0' + code / 100 ||
	    num_cut(&rest, 9, &n) == -1 || !bytes_skip(&rest, BYTES(".")) ||
	    num_cut(&rest, 999, &n) == -1 || !bytes_skip(&rest, BYTES(".")) ||
	    num_cut(&rest, 999, &n) == -1 ||
	    (rest.n > 0 && rest.p[0] != ' '))
		return BYTES_EMPTY;
	status = bytes_first(*line, line->n - rest.n);
	*line = bytes_from(rest, 1);
	return status;
}

static int
add_line(struct arena *a, struct smtp_answer *out, struct buf *text,
    struct bytes line, bool *last)
{
	int code = cut_code(&line, last);
	struct bytes status;

	if (code == -1 || (out->code != 0 && out->code != code)) {
		errno = EPROTO;
		return -1;
	}
	status = cut_status(&line, code);
	if (out->code != 0 && buf_addc(text, '\n') == -1)
		return -1;
	if (out->status.n == 0)
		out->status = arena_bytes(a, status);
	out->code = code;
	return buf_add(text, line);
}

int
smtp_answer_cut(struct arena *a, struct bytes *in, struct smtp_answer *out)
{
	struct smtp_answer got = { 0, BYTES_EMPTY, BYTES_EMPTY };
	struct buf text = BUF_INIT(SMTP_ANSWER_MAX);
	struct bytes rest = *in, line;
	bool last = false;
	size_t at;
	int r = 0;

	while (!last && r == 0) {
		if (!bytes_chr(rest, '\n', &at)) {
			buf_free(&text);
			if (in->n <= SMTP_ANSWER_MAX)
				return 0;
			errno = EMSGSIZE;
			return -1;
		}
		(void)bytes_line(&rest, &line);	/* there is one */
		r = add_line(a, &got, &text, line, &last);
	}
	if (r == 0) {
		got.text = arena_bytes(a, buf_bytes(&text));
		*out = got;
		*in = rest;
	}
	buf_free(&text);
	return r == 0 ? 1 : -1;
}

/* ---- one of several ---- */

static struct bytes
list_outcomes(struct arena *a, const struct smtp_recipient *rcpt,
    const struct smtp_answer *answers, size_t n)
{
	struct buf b = BUF_INIT(COMBINED_MAX);
	struct bytes first, text, all;

	for (size_t i = 0; i < n; i++) {
		text = answers[i].text;
		(void)bytes_line(&text, &first);	/* none: empty */
		if (answers[i].text.n == 0)
			first = BYTES_EMPTY;
		if ((i > 0 && buf_addc(&b, '\n') == -1) ||
		    buf_add(&b, rcpt[i].text) == -1 ||
		    buf_printf(&b, ": %d ", answers[i].code) == -1 ||
		    buf_add(&b, answers[i].status) == -1 ||
		    buf_addc(&b, ' ') == -1 || buf_add(&b, first) == -1)
			break;	/* the list is cut */
	}
	all = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return all;
}

void
smtp_answer_combine(struct arena *a, const struct smtp_recipient *rcpt,
    const struct smtp_answer *answers, size_t n, struct smtp_answer *out)
{
	bool alike = true, same_code = true, permanent = true, failed = true;

	for (size_t i = 0; i < n; i++) {
		if (answers[i].code != answers[0].code)
			same_code = alike = false;
		if (!bytes_eq(answers[i].status, answers[0].status))
			alike = false;
		if (answers[i].code < 500)
			permanent = false;
		if (answers[i].code < 300)
			failed = false;
	}
	if (alike || (same_code && answers[0].code < 300)) {
		*out = answers[0];
		return;
	}
	out->text = list_outcomes(a, rcpt, answers, n);
	if (failed && (same_code || permanent)) {
		out->code = same_code ? answers[0].code : 554;
		out->status = out->code < 500 ? BYTES("4.0.0")
		    : BYTES("5.0.0");
	} else {
		out->code = 451;
		out->status = BYTES("4.3.0");
	}
}

/* ---- text on its way to a server ---- */

int
smtp_add_text(struct buf *out, struct bytes piece, bool *at_start)
{
	size_t start = out->n, at;
	bool was = *at_start, end;
	struct bytes line;

	while (piece.n > 0) {
		end = bytes_chr(piece, '\n', &at);
		line = end ? bytes_first(piece, at) : piece;
		if (*at_start && bytes_at(line, 0) == '.' &&
		    buf_addc(out, '.') == -1)
			break;
		piece = bytes_from(piece, end ? at + 1 : piece.n);
		if (buf_add(out, line) == -1 ||
		    (end && buf_adds(out, "\r\n") == -1))
			break;
		*at_start = end;
	}
	if (!out->full)
		return 0;
	out->n = start;
	*at_start = was;
	errno = EMSGSIZE;
	return -1;
}
