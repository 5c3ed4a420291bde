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

/* Most lines have no run of WSP and no tab: eight bytes at a time, each with
 * the one behind it. */
static bool
is_relaxed(struct bytes line)
{
	uint64_t found = 0, v;
	size_t i;

	for (i = 0; i + 8 < line.n; i += 8) {
		v = eight_get(line.p + i);
		found |= eight_is(v, '\t') | (eight_is(v, ' ') &
		    eight_is(eight_get(line.p + i + 1), ' '));
	}
	for (; i < line.n; i++)
		found |= line.p[i] == '\t' || (line.p[i] == ' ' &&
		    bytes_at(line, i + 1) == ' ');
	return found == 0;
}

/* RFC 6376 3.4.4: no WSP at the end, runs of WSP to one SP. */
static void
relaxed_line(struct dkim_sink *s, struct bytes line)
{
	bool space = false;
	size_t i;

	if (is_relaxed(line)) {
		put_bytes(s, line);
		return;
	}
	for (i = 0; i < line.n; i++) {
		if (ascii_is_wsp(line.p[i])) {
			space = true;
			continue;
		}
		if (space)
			put(s, ' ');
		space = false;
		put(s, line.p[i]);
	}
}

void
dkim_body_line(struct dkim_body *b, struct bytes line)
{
	if (b->canon == DKIM_RELAXED) {
		while (line.n > 0 && ascii_is_wsp(line.p[line.n - 1]))
			line.n--;
	}
	if (line.n == 0) {
		b->blank++;
		return;
	}
	for (; b->blank > 0; b->blank--)
		put_bytes(&b->sink, crlf);
	b->any = true;
	if (b->canon == DKIM_RELAXED)
		relaxed_line(&b->sink, line);
	else
		put_bytes(&b->sink, line);
	put_bytes(&b->sink, crlf);
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
	struct bytes line;

	dkim_sink_init(&b.sink, add_to_buf, out);
	while (bytes_line(&body, &line))
		dkim_body_line(&b, line);
	dkim_body_end(&b);
	return out->full ? -1 : 0;
}
