/*
 * answer.c - several replies made into one, text for a server
 */
#include "smtp/smtp.h"

#include "base/eight.h"

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

/* Input of one step, and room for its wire form. */
#define STEP_MAX 2048
#define STEP_WIRE_MAX (2 * STEP_MAX)

/* Wire form of not more than STEP_MAX bytes; its length. */
static size_t
to_wire(unsigned char *out, struct bytes s, bool *at_start)
{
	size_t i = 0, n = 0, line;

	while (i < s.n) {
		if (*at_start && s.p[i] == '.')
			out[n++] = '.';
		line = eight_copy_line(out + n, s.p + i, s.n - i);
		i += line;
		n += line;
		*at_start = i < s.n && s.p[i] == '\n';
		if (*at_start)
			out[n++] = '\r';
		if (i < s.n)
			out[n++] = s.p[i++];
	}
	return n;
}

int
smtp_add_text(struct buf *out, struct bytes piece, bool *at_start)
{
	unsigned char wire[STEP_WIRE_MAX];
	size_t start = out->n, n;
	bool was = *at_start;
	struct bytes step;

	while (piece.n > 0) {
		step = bytes_first(piece, STEP_MAX);
		piece = bytes_from(piece, step.n);
		n = to_wire(wire, step, at_start);
		if (buf_add(out, bytes_of(wire, n)) == -1) {
			out->n = start;
			*at_start = was;
			errno = EMSGSIZE;
			return -1;
		}
	}
	return 0;
}
