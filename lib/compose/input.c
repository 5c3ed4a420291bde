/*
 * input.c - line ends, and the dot
 */
#include "compose/compose.h"

#include <errno.h>

enum { LINE_START, IN_LINE, AFTER_CR, AFTER_DOT, AFTER_DOT_CR };

/* Bytes within a line, up to what needs a look. */
static void
add_run(struct bytes *piece, struct buf *out)
{
	struct bytes run;
	size_t n = 0;

	while (n < piece->n && piece->p[n] != '\r' && piece->p[n] != '\n')
		n++;
	(void)bytes_cut(piece, n, &run);	/* it is there */
	(void)buf_add(out, run);	/* full is told at the end */
}

static void
add_byte(struct compose_input *in, int c, struct buf *out)
{
	if (c == '\n' && (in->state == AFTER_DOT ||
	    in->state == AFTER_DOT_CR)) {
		in->ended = true;
		return;
	}
	if (in->state == AFTER_DOT || in->state == AFTER_DOT_CR)
		(void)buf_addc(out, '.');	/* full is told at the end */
	if (c != '\n' && (in->state == AFTER_CR ||
	    in->state == AFTER_DOT_CR))
		(void)buf_addc(out, '\r');	/* likewise */
	if (c == '\r') {
		in->state = AFTER_CR;
		return;
	}
	(void)buf_addc(out, c);		/* likewise */
	in->state = c == '\n' ? LINE_START : IN_LINE;
}

int
compose_input_add(struct compose_input *in, struct bytes piece,
    struct buf *out)
{
	int c;

	while (!in->ended && piece.n > 0) {
		if (in->state == IN_LINE)
			add_run(&piece, out);
		if ((c = bytes_next(&piece)) == -1)
			break;
		if (in->dot_ends && in->state == LINE_START && c == '.')
			in->state = AFTER_DOT;
		else if (in->state == AFTER_DOT && c == '\r')
			in->state = AFTER_DOT_CR;
		else
			add_byte(in, c, out);
	}
	if (!out->full)
		return 0;
	errno = EMSGSIZE;
	return -1;
}

int
compose_input_end(struct compose_input *in, struct buf *out)
{
	if (in->ended || in->state == LINE_START)
		return 0;
	return compose_input_add(in, BYTES("\n"), out);
}
