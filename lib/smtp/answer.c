/*
 * answer.c - several replies made into one, text for a server
 */
#include "smtp/smtp.h"

#include <errno.h>

#define COMBINED_MAX SMTP_REPLY_TEXT_MAX

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
