/*
 * message.c - the bytes of a message: where they come from, what they need,
 * and their form on the wire
 */
#include "smtpc/internal.h"

#include <errno.h>

static int
view_parts(void *ctx, uint64_t offset, struct bytes *out)
{
	const struct smtpc_parts *p = ctx;

	for (size_t i = 0; i < p->n; i++) {
		if (offset < p->part[i].n) {
			*out = bytes_from(p->part[i], (size_t)offset);
			return 0;
		}
		offset -= p->part[i].n;
	}
	errno = EINVAL;
	return -1;
}

struct smtpc_source
smtpc_source_parts(const struct smtpc_parts *p)
{
	struct smtpc_source s = { view_parts, NULL, 0 };

	/* view_parts does not write; the callback's type is for all. */
	s.ctx = (void *)(uintptr_t)p;
	for (size_t i = 0; i < p->n; i++)
		s.size += p->part[i].n;
	return s;
}

int
smtpc_view(const struct smtpc_source *s, uint64_t offset, struct bytes *out)
{
	struct bytes got = BYTES_EMPTY;

	if (s->view(s->ctx, offset, &got) == -1)
		return -1;
	if (got.n == 0) {	/* it is shorter than it was */
		errno = EIO;
		return -1;
	}
	if (got.n > s->size - offset)
		got = bytes_first(got, (size_t)(s->size - offset));
	*out = got;
	return 0;
}

/* ---- what a message needs ---- */

struct scan {
	struct smtpc_facts facts;
	uint64_t line;		/* octets of the line so far, CR included */
	bool cr;		/* the last byte was one */
};

static void
scan_byte(struct scan *s, int c)
{
	if (s->cr && c != '\n')
		s->facts.has_cr = true;
	if (c == '\n') {
		/* a CR in front of it is part of the line end */
		s->line -= s->cr ? 1 : 0;
		if (s->line > s->facts.longest_line)
			s->facts.longest_line = s->line;
		s->facts.wire_size += s->line + 2;
		s->line = 0;
	} else {
		s->line++;
		s->facts.is_8bit |= c >= 0x80;
		s->facts.has_nul |= c == '\0';
	}
	s->cr = c == '\r';
}

int
smtpc_scan(const struct smtpc_source *source, struct smtpc_facts *out)
{
	struct scan s = { { 0 }, 0, false };
	struct bytes piece;
	uint64_t offset = 0;

	while (offset < source->size) {
		if (smtpc_view(source, offset, &piece) == -1)
			return -1;
		for (size_t i = 0; i < piece.n; i++)
			scan_byte(&s, piece.p[i]);
		offset += piece.n;
	}
	if (s.cr)
		s.facts.has_cr = true;
	if (s.line > 0)		/* the line end is added when it is sent */
		scan_byte(&s, '\n');
	*out = s.facts;
	return 0;
}

/* ---- on the wire ---- */

/* A line or the part of one, without its LF. */
static int
add_line(struct buf *out, struct bytes line, struct smtpc_wire *w, bool dots)
{
	size_t at;
	bool cr;

	if (line.n == 0)
		return 0;
	if (w->cr)		/* held back, and no LF came after it */
		return -1;
	cr = line.p[line.n - 1] == '\r';
	if (cr)
		line = bytes_first(line, line.n - 1);
	if (bytes_chr(line, '\r', &at))
		return -1;
	if (dots && w->at_start && bytes_at(line, 0) == '.')
		(void)buf_addc(out, '.');
	(void)buf_add(out, line);
	w->cr = cr;
	w->at_start = false;
	return 0;
}

int
smtpc_wire_add(struct buf *out, struct bytes piece, struct smtpc_wire *w,
    bool dots)
{
	struct bytes line;
	bool whole;

	while (piece.n > 0) {
		whole = bytes_split(&piece, '\n', &line);
		if (add_line(out, line, w, dots) == -1) {
			errno = EBADMSG;
			return -1;
		}
		if (!whole)
			break;
		(void)buf_adds(out, "\r\n");
		w->at_start = true;
		w->cr = false;
	}
	assert(!out->full);	/* the caller counts with two for each byte */
	return 0;
}

int
smtpc_wire_end(struct buf *out, struct smtpc_wire *w)
{
	if (w->cr) {
		errno = EBADMSG;
		return -1;
	}
	if (!w->at_start)
		(void)buf_adds(out, "\r\n");
	assert(!out->full);
	w->at_start = true;
	return 0;
}

int
smtpc_add_xtext(struct buf *out, struct bytes s)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t start = out->n;

	for (size_t i = 0; i < s.n; i++) {
		int c = s.p[i];

		if (c >= 33 && c <= 126 && c != '+' && c != '=') {
			(void)buf_addc(out, c);
		} else {
			(void)buf_addc(out, '+');
			(void)buf_addc(out, hex[c >> 4]);
			(void)buf_addc(out, hex[c & 15]);
		}
	}
	if (!out->full)
		return 0;
	out->n = start;
	errno = EMSGSIZE;
	return -1;
}
