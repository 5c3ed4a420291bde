/*
 * tree.c - the MIME tree (RFC 2046 5.1, 5.2) in one pass over the lines
 *
 * One cursor walks the message from the first byte to the last; open parts
 * form a chain from the current one up to the root. A boundary line is looked
 * for in every open multipart from the innermost outwards, so an outer one
 * ends inner parts whose own end is missing. Sizes in CRLF form and line
 * counts are differences of running totals, so nothing is read twice: time
 * is linear, times at most MIME_DEPTH_MAX for lines that look like one.
 */
#include "mime/mime.h"

#include <errno.h>

#include "mime/internal.h"

/* A place in the message with the totals up to it. */
struct mark {
	size_t at;
	uint64_t lines;
	uint64_t bare;			/* LF without CR */
};

/* A part still open, beside what its struct mime_part shows. */
struct open_part {
	struct mime_part *part;
	struct mime_part **last_child;
	struct bytes boundary;		/* empty: none, or already ended */
	struct mark body_start;
};

struct parser {
	struct arena *arena;
	struct mime_tree *tree;
	struct mark here;		/* beginning of a line */
	struct mark before;		/* the end of the line before it */
	struct mark floor;		/* behind the last boundary or header */
	struct open_part open[MIME_DEPTH_MAX + 1];
	size_t depth;			/* open parts */
};

static struct bytes
between(const struct parser *p, size_t from, size_t to)
{
	return bytes_first(bytes_from(p->tree->message, from), to - from);
}

/* Take the next line; false at the end. */
static bool
next_line(struct parser *p, struct bytes *line)
{
	struct bytes rest = bytes_from(p->tree->message, p->here.at);
	size_t n;

	if (rest.n == 0)
		return false;
	p->before = p->here;
	if (!bytes_chr(rest, '\n', &n)) {
		*line = rest;
		p->here.at += rest.n;
		p->before = p->here;
		return true;
	}
	p->here.at += n + 1;
	p->here.lines++;
	if (n > 0 && bytes_at(rest, n - 1) == '\r')
		n--;
	else
		p->here.bare++;
	*line = bytes_first(rest, n);
	p->before.at += n;
	return true;
}

/* Go to the end of the message at once: no boundary is open. */
static void
skip_rest(struct parser *p)
{
	struct bytes rest = bytes_from(p->tree->message, p->here.at);

	p->here.at += rest.n;
	p->here.bare += mime_crlf_size(rest) - rest.n;
	p->here.lines += mime_count_lines(rest);
	p->before = p->here;
}

/*
 * The open multipart whose boundary begins the line, as an index + 1 into
 * p->open; 0: none. The longest one counts, so that one boundary may begin
 * with another. *is_last: "--boundary--".
 */
static size_t
find_boundary(const struct parser *p, struct bytes line, bool *is_last)
{
	size_t i, longest = 0, found = 0;

	if (!bytes_skip(&line, BYTES("--")))
		return 0;
	for (i = p->depth; i > 0; i--) {
		struct bytes boundary = p->open[i - 1].boundary;

		if (boundary.n > longest && bytes_starts(line, boundary)) {
			longest = boundary.n;
			found = i;
		}
	}
	if (found > 0)
		*is_last = bytes_starts(bytes_from(line, longest),
		    BYTES("--"));
	return found;
}

static bool
any_boundary(const struct parser *p)
{
	size_t i;

	for (i = 0; i < p->depth; i++) {
		if (p->open[i].boundary.n > 0)
			return true;
	}
	return false;
}

/* ---- a part's own fields ---- */

static void
read_field(struct arena *a, const struct mime_field *f, struct mime_part *m)
{
	struct bytes name = f->name;
	struct bytes *simple = NULL;

	if (!bytes_caseskip(&name, BYTES("Content-")))
		return;
	if (bytes_caseeq(name, BYTES("Type")) && m->type.type.n == 0) {
		mime_parse_content_type(a, f->body, &m->type);
		m->has_type = m->type.is_valid;
	} else if (bytes_caseeq(name, BYTES("Disposition"))) {
		mime_parse_disposition(a, f->body, &m->disposition);
	} else if (bytes_caseeq(name, BYTES("Transfer-Encoding")) &&
	    m->encoding.n == 0) {
		m->encoding = value_token(mime_unfold(a, f->body));
	} else if (bytes_caseeq(name, BYTES("ID"))) {
		simple = &m->id;
	} else if (bytes_caseeq(name, BYTES("Description"))) {
		simple = &m->description;
	} else if (bytes_caseeq(name, BYTES("Location"))) {
		simple = &m->location;
	} else if (bytes_caseeq(name, BYTES("MD5"))) {
		simple = &m->md5;
	} else if (bytes_caseeq(name, BYTES("Language"))) {
		simple = &m->language;
	}
	if (simple != NULL && simple->n == 0)
		*simple = value_one_line(a, f->body);
}

/*
 * RFC 2045 5.2: text, where no type can be read. A multipart without boundary
 * is such a case: as text, a person can at least read it. RFC 2046 5.1.5:
 * parts of a digest are messages.
 */
static void
set_default_type(struct mime_part *m)
{
	bool in_digest = m->parent != NULL &&
	    mime_part_is(m->parent, BYTES("multipart"), BYTES("digest"));

	m->type.type = in_digest ? BYTES("message") : BYTES("text");
	m->type.subtype = in_digest ? BYTES("rfc822") : BYTES("plain");
	m->type.params = NULL;
	m->has_type = false;
}

static struct bytes
boundary_of(struct arena *a, const struct mime_part *m)
{
	const struct mime_param *q;
	struct bytes value;

	/* Not decoded unless RFC 2231 says so: it is compared as bytes. */
	for (q = m->type.params; q != NULL; q = q->next) {
		if (bytes_caseeq(q->name, BYTES("boundary")))
			return bytes_first(q->value, MIME_BOUNDARY_MAX);
	}
	(void)mime_param_text(a, m->type.params, BYTES("boundary"), &value);
	return bytes_first(value, MIME_BOUNDARY_MAX);
}

static void
read_header(struct parser *p, struct mime_part *m)
{
	struct field_walk walk;
	struct mime_field f;

	field_walk_init(&walk, m->header);
	while (field_walk_next(&walk, &f))
		read_field(p->arena, &f, m);
	if (walk.cut)
		p->tree->flags |= MIME_CUT_HEADER;
	if (!bytes_is_ascii(m->header))
		p->tree->flags |= MIME_HAS_8BIT_HEADER;
	m->is_multipart = mime_part_is(m, BYTES("multipart"), BYTES_EMPTY) &&
	    boundary_of(p->arena, m).n > 0;
	if (!m->type.is_valid || (!m->is_multipart &&
	    mime_part_is(m, BYTES("multipart"), BYTES_EMPTY)))
		set_default_type(m);
	m->is_text = mime_part_is(m, BYTES("text"), BYTES_EMPTY);
}

/* ---- opening and closing ---- */

static void
close_part(struct parser *p, struct mark end)
{
	struct open_part *o = &p->open[--p->depth];
	struct mime_part *m = o->part;

	/* Nothing stands between the start and the boundary line. */
	if (end.at < o->body_start.at)
		end = o->body_start;
	m->body = between(p, o->body_start.at, end.at);
	m->body_lines = end.lines - o->body_start.lines;
	m->body_size = m->body.n + (end.bare - o->body_start.bare);
	if (m->is_multipart && o->boundary.n > 0)
		p->tree->flags |= MIME_NO_END;
}

/*
 * Read the header section of m, at the cursor. A boundary line ends it too
 * (a part without an empty line): then its index + 1 is returned, and the
 * cursor is behind that line.
 */
static size_t
take_header(struct parser *p, struct mime_part *m, bool *is_last)
{
	struct mark start = p->here, line_start;
	struct bytes line;
	size_t found = 0;

	for (;;) {
		line_start = p->here;
		if (!next_line(p, &line)) {
			p->tree->flags |= MIME_NO_BODY;
			break;
		}
		if (line.n == 0 && p->here.lines > line_start.lines)
			break;
		found = find_boundary(p, line, is_last);
		if (found > 0) {
			p->tree->flags |= MIME_NO_BODY;
			break;
		}
	}
	m->header = between(p, start.at, line_start.at);
	m->header_size = m->header.n + (line_start.bare - start.bare);
	m->gap = BYTES_EMPTY;
	if (found == 0) {
		p->floor = p->here;
		m->gap = between(p, line_start.at, p->here.at);
		m->header_size += m->gap.n + (p->here.bare - line_start.bare);
	}
	read_header(p, m);
	p->open[p->depth++] = (struct open_part){ .part = m,
	    .last_child = &m->children,
	    .body_start = found == 0 ? p->here : line_start };
	return found;
}

static struct mime_part *
new_part(struct parser *p, struct mime_part *parent)
{
	struct mime_part *m = arena_zalloc(p->arena, 1, sizeof(*m));

	m->parent = parent;
	m->header = m->gap = m->body = BYTES_EMPTY;
	m->encoding = m->id = m->description = BYTES_EMPTY;
	m->location = m->md5 = m->language = BYTES_EMPTY;
	m->type.type = m->type.subtype = BYTES_EMPTY;
	m->disposition.type = m->disposition.subtype = BYTES_EMPTY;
	if (parent != NULL) {
		struct open_part *o = &p->open[p->depth - 1];

		*o->last_child = m;
		o->last_child = &m->next;
	}
	p->tree->parts++;
	return m;
}

/* Whether one more part may be opened below the current ones. */
static bool
has_room(struct parser *p)
{
	if (p->tree->parts >= MIME_PARTS_MAX)
		p->tree->flags |= MIME_CUT_PARTS;
	else if (p->depth > MIME_DEPTH_MAX)
		p->tree->flags |= MIME_CUT_DEPTH;
	else
		return true;
	return false;
}

/*
 * Open a part at the cursor, and the messages in it. Returns the boundary
 * that cut a header short, as take_header.
 */
static size_t
open_part(struct parser *p, bool *is_last)
{
	struct mime_part *m = p->depth == 0 ? p->tree->root
	    : new_part(p, p->open[p->depth - 1].part);
	size_t found;

	for (;;) {
		found = take_header(p, m, is_last);
		if (m->is_multipart) {
			/* At full depth it has no parts. */
			if (p->depth > MIME_DEPTH_MAX)
				p->tree->flags |= MIME_CUT_DEPTH;
			else if (found == 0)
				p->open[p->depth - 1].boundary =
				    boundary_of(p->arena, m);
			return found;
		}
		if (!mime_part_is(m, BYTES("message"), BYTES("rfc822")) &&
		    !mime_part_is(m, BYTES("message"), BYTES("global")))
			return found;
		if (found > 0 || !has_room(p))
			return found;
		m->is_message = true;
		m = new_part(p, m);
	}
}

/* A boundary of the open part number index + 1 = found was read. */
static void
at_boundary(struct parser *p, size_t found, bool is_last,
    struct mark content_end)
{
	while (found > 0) {
		while (p->depth > found)
			close_part(p, content_end);
		p->floor = p->here;
		if (is_last) {
			p->open[found - 1].boundary = BYTES_EMPTY;
			return;
		}
		if (p->tree->parts >= MIME_PARTS_MAX) {
			p->tree->flags |= MIME_CUT_PARTS;
			p->open[found - 1].boundary = BYTES_EMPTY;
			return;
		}
		content_end = p->here;
		found = open_part(p, &is_last);
		if (found > 0)
			content_end = p->open[p->depth - 1].body_start;
	}
}

static void
walk(struct parser *p)
{
	struct mark content_end;
	struct bytes line;
	bool is_last = false;
	size_t found;

	(void)open_part(p, &is_last);	/* no boundary yet: none is found */
	for (;;) {
		if (!any_boundary(p)) {
			skip_rest(p);
			break;
		}
		/*
		 * The line end before a boundary belongs to it, unless it is
		 * that of another boundary line or ends a header section.
		 */
		content_end = p->before.at < p->floor.at ? p->floor
		    : p->before;
		if (!next_line(p, &line))
			break;
		found = find_boundary(p, line, &is_last);
		if (found > 0)
			at_boundary(p, found, is_last, content_end);
	}
	while (p->depth > 0)
		close_part(p, p->here);
}

struct mime_tree *
mime_parse(struct arena *a, struct bytes message)
{
	struct parser *p = arena_zalloc(a, 1, sizeof(*p));
	struct mime_tree *t = arena_zalloc(a, 1, sizeof(*t));

	p->arena = a;
	p->tree = t;
	t->message = message;
	t->root = new_part(p, NULL);
	if (bytes_has_nul(message))
		t->flags |= MIME_HAS_NUL;
	if (!bytes_is_ascii(message))
		t->flags |= MIME_HAS_8BIT;
	walk(p);
	return t;
}

/* ---- finding parts ---- */

bool
mime_part_is(const struct mime_part *p, struct bytes type,
    struct bytes subtype)
{
	return bytes_caseeq(p->type.type, type) &&
	    (subtype.n == 0 || bytes_caseeq(p->type.subtype, subtype));
}

const struct mime_part *
mime_next_part(const struct mime_part *p)
{
	if (p->children != NULL)
		return p->children;
	while (p != NULL && p->next == NULL)
		p = p->parent;
	return p == NULL ? NULL : p->next;
}

/* The nth part (from 1) seen from p: of its own, or of the message in it. */
static const struct mime_part *
nth_part(const struct mime_part *p, uint64_t n, bool is_first)
{
	if (p->is_message && !is_first)
		p = p->children;
	else if (!p->is_multipart && !is_first)
		return NULL;
	if (!p->is_multipart)
		return n == 1 ? p : NULL;
	for (p = p->children; p != NULL && n > 1; n--)
		p = p->next;
	return p;
}

const struct mime_part *
mime_find_part(const struct mime_tree *t, struct bytes section)
{
	const struct mime_part *p = t->root;
	bool is_first = true;
	uint64_t n;

	while (section.n > 0) {
		if (num_cut(&section, UINT32_MAX, &n) == -1 || n == 0 ||
		    (section.n > 0 && (!bytes_skip(&section, BYTES(".")) ||
		    section.n == 0))) {
			errno = EBADMSG;
			return NULL;
		}
		if (p != NULL)
			p = nth_part(p, n, is_first);
		is_first = false;
	}
	if (p == NULL)
		errno = ENOENT;
	return p;
}

/* p's place among its siblings, from 1. */
static size_t
place(const struct mime_part *p)
{
	const struct mime_part *q;
	size_t n = 1;

	for (q = p->parent->children; q != p; q = q->next)
		n++;
	return n;
}

int
mime_format_section(struct buf *out, const struct mime_part *p)
{
	size_t number[MIME_DEPTH_MAX + 1], n = 0;

	/* A multipart that is a message's own body has no number. */
	for (; p != NULL; p = p->parent) {
		if (p->parent != NULL && p->parent->is_multipart)
			number[n++] = place(p);
		else if (!p->is_multipart)
			number[n++] = 1;
	}
	while (n > 0) {
		n--;
		if (buf_printf(out, n > 0 ? "%zu." : "%zu", number[n]) == -1)
			return -1;
	}
	return 0;
}

int
mime_part_extent(const struct mime_part *p, enum mime_extent what,
    struct bytes *out)
{
	if (what == MIME_BODY) {
		*out = p->body;
		return 0;
	}
	if ((what == MIME_HEADER || what == MIME_TEXT) && p->parent != NULL) {
		if (!p->is_message) {
			errno = ENOENT;
			return -1;
		}
		p = p->children;
	}
	if (what == MIME_TEXT)
		*out = p->body;
	else if (p->header.n == 0)
		*out = p->gap;
	else
		*out = bytes_of(p->header.p, p->header.n + p->gap.n);
	return 0;
}
