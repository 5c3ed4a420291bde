/*
 * stream.c - message bytes onto the wire: LF becomes CRLF, parts of it
 *
 * IMAP counts octets after the conversion (RFC 3501 6.4.5), so a partial
 * fetch skips and ends in converted octets. An existing CRLF stays one line
 * end. NUL, which no literal may hold, goes out as 0x80.
 */
#include "imap/internal.h"

void
stream_init(struct stream *s, struct bytes text, uint64_t offset,
    uint64_t length)
{
	/* Larger ones may be maps, which can change. */
	*s = (struct stream){ .rest = text, .skip = offset, .left = length,
	    .no_nul = text.n <= STORE_READ_MAX &&
	    memchr(text.p, '\0', text.n) == NULL };
}

/* One octet of the wire: skipped, sent, or beyond the end. */
static void
put(struct stream *s, struct buf *out, int c)
{
	if (s->skip > 0) {
		s->skip--;
	} else if (s->left > 0) {
		buf_addc(out, c);
		s->left--;
	}
}

/* A run without LF and NUL: its octets are those of the wire. */
static void
put_run(struct stream *s, struct buf *out, struct bytes run)
{
	size_t skip = run.n < s->skip ? run.n : (size_t)s->skip;

	if (run.n == 0)
		return;
	s->after_cr = run.p[run.n - 1] == '\r';
	s->skip -= skip;
	run = bytes_from(run, skip);
	if (run.n > s->left)
		run.n = (size_t)s->left;
	buf_add(out, run);
	s->left -= run.n;
}

/* The bytes before the next LF or NUL, at most max. */
static size_t
run_length(const struct stream *st, size_t max)
{
	struct bytes s = st->rest;
	size_t n = s.n < max ? s.n : max;
	const unsigned char *p;

	if (st->raw)
		return n;
	p = memchr(s.p, '\n', n);
	if (p != NULL)
		n = (size_t)(p - s.p);
	if (st->no_nul)
		return n;
	p = memchr(s.p, '\0', n);
	return p != NULL ? (size_t)(p - s.p) : n;
}

/* Lines as they mostly are: whole, without NUL, all of it wanted. */
static void
put_lines(struct stream *s, struct buf *out, size_t soft)
{
	const unsigned char *p = s->rest.p, *end = p + s->rest.n, *lf;
	size_t n, cr;

	while (out->n < soft && (n = (size_t)(end - p)) > 0 &&
	    (lf = memchr(p, '\n', n < soft ? n : soft)) != NULL) {
		n = (size_t)(lf - p);
		cr = n > 0 ? lf[-1] != '\r' : !s->after_cr;
		if (n + cr + 1 > s->left || buf_room(out, n + 2) == -1)
			break;
		memcpy(out->p + out->n, p, n);
		out->n += n;
		out->p[out->n] = '\r';
		out->n += cr;
		out->p[out->n++] = '\n';
		s->left -= n + cr + 1;
		s->after_cr = false;
		p = lf + 1;
	}
	s->rest = bytes_of(p, (size_t)(end - p));
}

bool
stream_add(struct stream *s, struct buf *out, size_t soft)
{
	struct bytes run = BYTES_EMPTY;
	int c;

	if (s->no_nul && !s->raw && s->skip == 0)
		put_lines(s, out, soft);
	while (s->left > 0 && s->rest.n > 0 && out->n < soft) {
		/* Text that is skipped needs no room. */
		(void)bytes_cut(&s->rest, run_length(s,
		    s->skip > soft ? (size_t)s->skip : soft), &run);
		put_run(s, out, run);
		if (s->left == 0)
			break;
		c = s->raw ? -1 : bytes_at(s->rest, 0);
		if (c == '\n' && !s->after_cr && s->skip == 0 &&
		    s->left >= 2) {
			buf_adds(out, "\r\n");
			s->left -= 2;
		} else if (c == '\n') {
			if (!s->after_cr)
				put(s, out, '\r');
			put(s, out, '\n');
		} else if (c == '\0') {
			put(s, out, 0x80);
		} else {
			continue;
		}
		s->after_cr = false;
		s->rest = bytes_from(s->rest, 1);
	}
	return s->left == 0 || s->rest.n == 0;
}
