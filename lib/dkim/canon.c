#include "dkim/internal.h"

#include "base/eight.h"

static const struct bytes crlf = { (const unsigned char *)"\r\n", 2 };

void
dkim_sink_init(struct dkim_sink *s, void (*flush)(void *, struct bytes),
    void *ctx)
{
	s->flush = flush;
	s->ctx = ctx;
	s->n = 0;
}

void
dkim_sink_end(struct dkim_sink *s)
{
	if (s->n > 0)
		s->flush(s->ctx, bytes_of(s->block, s->n));
	s->n = 0;
}

static inline void
put(struct dkim_sink *s, int c)
{
	if (s->n == sizeof s->block)
		dkim_sink_end(s);
	s->block[s->n++] = (unsigned char)c;
}

static void
put_bytes(struct dkim_sink *s, struct bytes b)
{
	if (b.n == 0)
		return;
	if (b.n > sizeof s->block - s->n)
		dkim_sink_end(s);
	if (b.n >= sizeof s->block) {
		s->flush(s->ctx, b);
		return;
	}
	memcpy(s->block + s->n, b.p, b.n);
	s->n += b.n;
}

/* ---- fields ---- */

/*
 * RFC 6376 3.4.2: unfold, runs of WSP to one SP, none at either end. Within
 * a field every line end is a fold, so it is dropped, with the one CR that
 * may stand before it; any other CR is data.
 */
static void
relaxed_value(struct dkim_sink *s, struct bytes v)
{
	bool space = false, any = false;
	size_t i;
	int c;

	for (i = 0; i < v.n; i++) {
		c = v.p[i];
		if (c == '\n' || (c == '\r' && bytes_at(v, i + 1) == '\n'))
			continue;
		if (ascii_is_wsp(c)) {
			space = true;
			continue;
		}
		if (space && any)
			put(s, ' ');
		space = false;
		any = true;
		put(s, c);
	}
}

/* Names hold no blanks; those before the colon go, letters are lowered. */
static void
relaxed_field(struct dkim_sink *s, struct bytes field)
{
	struct bytes value = field, name;
	bool has_colon = bytes_split(&value, ':', &name);
	size_t i;

	name = bytes_rtrim(name);
	for (i = 0; i < name.n; i++)
		put(s, ascii_lower(name.p[i]));
	if (!has_colon)
		return;
	put(s, ':');
	relaxed_value(s, value);
}

/* RFC 6376 3.4.1: as it is, each line end as CRLF. */
static void
simple_field(struct dkim_sink *s, struct bytes field)
{
	struct bytes line;
	bool first = true;

	while (bytes_line(&field, &line)) {
		if (!first)
			put_bytes(s, crlf);
		first = false;
		put_bytes(s, line);
	}
}

void
dkim_sink_field(struct dkim_sink *s, enum dkim_canon c, struct bytes field,
    bool with_end)
{
	if (c == DKIM_RELAXED)
		relaxed_field(s, field);
	else
		simple_field(s, field);
	if (with_end)
		put_bytes(s, crlf);
}

/* ---- bodies ---- */

/* Room that a step below may use without asking again. */
#define BODY_ROOM 32

/* More of a body is coming: room for a while. */
static inline void
need_room(struct dkim_sink *s)
{
	if (s->n > sizeof s->block - BODY_ROOM)
		dkim_sink_end(s);
}

/* What is in this line stays; empty lines before it were inside. */
static inline void
line_begins(struct dkim_body *b)
{
	for (; b->blank > 0; b->blank--)
		put_bytes(&b->sink, crlf);
	b->in_line = b->any = true;
}

static inline void
line_ends(struct dkim_body *b)
{
	struct dkim_sink *s = &b->sink;

	if (!b->in_line) {
		b->blank++;
		return;
	}
	need_room(s);
	s->block[s->n++] = '\r';
	s->block[s->n++] = '\n';
	b->in_line = false;
}

/* Of eight bytes and those one behind each: which are CR, LF, TAB (or other
 * rare ones), or blanks before something like that. */
static inline uint64_t
relaxed_marks(uint64_t v, uint64_t next)
{
	return eight_below(v, 0x0e) |
	    (eight_below(v, ' ' + 1) & eight_below(next, ' ' + 1));
}

static inline bool
is_wsp_at_end(struct bytes s, size_t i)
{
	return s.p[i] == ' ' && (i + 1 == s.n || s.p[i + 1] <= ' ');
}

/* Copy bytes that relaxed does not change; how many. */
static inline size_t
copy_relaxed(unsigned char *out, struct bytes s, size_t max)
{
	uint64_t v, found;
	size_t i = 0;

	for (; i + 8 < s.n && i + 8 <= max; i += 8) {
		v = eight_get(s.p + i);
		eight_put(out + i, v);
		found = relaxed_marks(v, eight_get(s.p + i + 1));
		if (found != 0)
			return i + eight_first(found);
	}
	for (; i < s.n && i < max && s.p[i] >= 0x0e && !is_wsp_at_end(s, i);
	    i++)
		out[i] = s.p[i];
	return i;
}

/* Bytes within a line, the first of which is no mark. */
static inline void
body_run(struct dkim_body *b, struct bytes *body)
{
	struct dkim_sink *s = &b->sink;
	unsigned char *out;
	size_t max, n;

	if (!b->in_line)
		line_begins(b);
	need_room(s);
	out = s->block + s->n;
	max = sizeof s->block - s->n;
	*out = body->p[0];
	if (b->canon == DKIM_RELAXED)
		n = 1 + copy_relaxed(out + 1, bytes_from(*body, 1), max - 1);
	else
		n = 1 + eight_copy_line(out + 1, body->p + 1,
		    (body->n < max ? body->n : max) - 1);
	s->n += n;
	*body = bytes_from(*body, n);
}

static inline size_t
line_end_at(struct bytes s)
{
	if (bytes_at(s, 0) == '\n')
		return 1;
	return bytes_at(s, 0) == '\r' && bytes_at(s, 1) == '\n' ? 2 : 0;
}

/* RFC 6376 3.4.4: no WSP at the end, runs of WSP to one SP. */
static void
body_blanks(struct dkim_body *b, struct bytes *body)
{
	size_t n = 0;

	while (n < body->n && ascii_is_wsp(body->p[n]))
		n++;
	*body = bytes_from(*body, n);
	if (body->n == 0 || line_end_at(*body) > 0)
		return;
	if (!b->in_line)
		line_begins(b);
	put(&b->sink, ' ');
}

void
dkim_body_add(struct dkim_body *b, struct bytes body)
{
	size_t end;

	while (body.n > 0) {
		if ((end = line_end_at(body)) > 0) {
			line_ends(b);
			body = bytes_from(body, end);
		} else if (b->canon == DKIM_RELAXED &&
		    ascii_is_wsp(body.p[0]))
			body_blanks(b, &body);
		else
			body_run(b, &body);
	}
	if (b->in_line)
		line_ends(b);
}

/*
 * Empty lines at the end are gone already. Nothing left: simple gives one
 * CRLF (3.4.3), relaxed nothing (3.4.4).
 */
void
dkim_body_end(struct dkim_body *b)
{
	if (!b->any && b->canon == DKIM_SIMPLE)
		put_bytes(&b->sink, crlf);
	dkim_sink_end(&b->sink);
}

/* ---- as text ---- */

static void
add_to_buf(void *ctx, struct bytes block)
{
	struct buf *out = ctx;

	/* A full buffer stays marked full: looked at in the end. */
	(void)buf_add(out, block);
}

int
dkim_canon_field(struct buf *out, enum dkim_canon c, struct bytes field)
{
	struct dkim_sink s;

	dkim_sink_init(&s, add_to_buf, out);
	dkim_sink_field(&s, c, field, true);
	dkim_sink_end(&s);
	return out->full ? -1 : 0;
}

int
dkim_canon_body(struct buf *out, enum dkim_canon c, struct bytes body)
{
	struct dkim_body b = { .canon = c };

	dkim_sink_init(&b.sink, add_to_buf, out);
	dkim_body_add(&b, body);
	dkim_body_end(&b);
	return out->full ? -1 : 0;
}
