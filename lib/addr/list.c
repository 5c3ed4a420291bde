/*
 * list.c - address lists of header fields, as far as they can be read
 *
 * Nothing is refused. Where the grammar breaks, the member is kept with what
 * was found and marked; reading goes on at the next comma if one stands
 * there, and ends otherwise: guessing further would show addresses the
 * sender may have hidden. What a broken member looks like follows the most
 * widely used IMAP server, so that clients see what they are used to.
 */
#include "addr/addr.h"

#include <errno.h>

#include "addr/internal.h"
#include "unicode/unicode.h"

/* Nesting of comments: deeper ones count as unterminated. */
#define COMMENT_DEPTH_MAX 1000

struct parser {
	struct arena *arena;
	struct bytes s;			/* what is left to read */
	struct buf comment;		/* text of the last comment */
	struct buf text;		/* being put together */
	struct addr_list *list;
	struct addr_member **end;
};

static struct bytes
keep(struct parser *p, const struct buf *b)
{
	return arena_bytes(p->arena, buf_bytes(b));
}

static int
peek(const struct parser *p)
{
	return bytes_at(p->s, 0);
}

static void
skip(struct parser *p)
{
	(void)bytes_next(&p->s);		/* known to be there */
}

static void
add(struct buf *b, int c)
{
	(void)buf_addc(b, c);			/* cap: size of the input */
}

/* What begins here has no end. */
static void
note_rest(struct parser *p, struct bytes start)
{
	if (p->list->rest.n == 0)
		p->list->rest = start;
}

static void
skip_comment(struct parser *p)
{
	struct bytes start = p->s;
	unsigned int depth = 0;
	int c;

	buf_reset(&p->comment);
	while ((c = bytes_next(&p->s)) != -1) {
		if (c == '(') {
			if (++depth == 1)
				continue;
			if (depth > COMMENT_DEPTH_MAX)
				p->s = BYTES_EMPTY;
		} else if (c == ')') {
			if (--depth == 0)
				return;
		} else if (c == '\\') {
			if ((c = bytes_next(&p->s)) == -1) {
				note_rest(p, start);
				return;
			}
		} else if (c == '\r' || c == '\n') {
			continue;
		}
		add(&p->comment, c);
	}
	note_rest(p, start);
	buf_reset(&p->comment);		/* no end: not a comment after all */
}

static void
skip_cfws(struct parser *p)
{
	for (;;) {
		if (ascii_is_space(peek(p)))
			skip(p);
		else if (peek(p) == '(')
			skip_comment(p);
		else
			return;
	}
}

/* A quoted string into text; false, and the rest gone, if it has no end. */
static bool
read_quoted(struct parser *p)
{
	struct bytes start = p->s;
	int c;

	skip(p);
	while ((c = bytes_next(&p->s)) != -1) {
		if (c == '"') {
			skip_cfws(p);
			return true;
		}
		if (c == '\\' && (c = bytes_next(&p->s)) == -1)
			break;
		if (c != '\r' && c != '\n')
			add(&p->text, c);
	}
	note_rest(p, start);
	return false;
}

/* A run of atext (and dots, if told so) into text, then CFWS. */
static bool
read_atom(struct parser *p, bool dots)
{
	size_t n = 0;
	int c;

	while ((c = bytes_at(p->s, n)) != -1 &&
	    (addr_is_atext(c) || (dots && c == '.')))
		n++;
	(void)buf_add(&p->text, bytes_first(p->s, n));	/* cap: input */
	p->s = bytes_from(p->s, n);
	skip_cfws(p);
	return n > 0;
}

/*
 * A phrase into text: words and dots, one blank between. False if a quoted
 * string in it is broken, a dot begins it, or the input ends with it.
 */
static bool
read_phrase(struct parser *p)
{
	if (peek(p) == '.')
		return false;
	for (;;) {
		if (peek(p) == '"') {
			if (!read_quoted(p))
				return false;
		} else {
			(void)read_atom(p, true);	/* may be empty */
		}
		if (!addr_is_atext(peek(p)) && peek(p) != '"' &&
		    peek(p) != '.')
			return peek(p) != -1;
		add(&p->text, ' ');
	}
}

static bool
read_local_part(struct parser *p)
{
	bool ok = false;

	buf_reset(&p->text);
	if (peek(p) == '"')
		return read_quoted(p);
	do {
		while (peek(p) == '.') {
			skip(p);
			skip_cfws(p);	/* RFC 5322 4.4 */
			add(&p->text, '.');
			ok = true;
		}
		if (peek(p) == '@' || peek(p) == -1)
			break;
		ok = read_atom(p, false);
	} while (ok && peek(p) == '.');
	return ok;
}

static bool
read_domain_literal(struct parser *p)
{
	struct bytes start = p->s;
	int c;

	while ((c = bytes_next(&p->s)) != -1) {
		if (c == '\r' || c == '\n')
			continue;
		add(&p->text, c);
		if (c == ']') {
			skip_cfws(p);
			return true;
		}
		if (c == '\\' && (c = bytes_next(&p->s)) != -1)
			add(&p->text, c);
		else if (peek(p) == '[')
			break;
	}
	note_rest(p, start);
	return false;
}

/* What follows "@" into text, blanks around dots dropped. */
static bool
read_domain(struct parser *p)
{
	buf_reset(&p->text);
	skip(p);
	skip_cfws(p);
	if (peek(p) == '[')
		return read_domain_literal(p);
	for (;;) {
		if (!read_atom(p, false))
			return false;
		if (peek(p) != '.')
			return true;
		skip(p);
		add(&p->text, '.');
		skip_cfws(p);
		if (peek(p) == -1)
			return true;
	}
}

/* ---- members ---- */

static struct addr_member
blank_member(enum addr_kind kind)
{
	return (struct addr_member){ .kind = kind,
	    .display_name = BYTES_EMPTY, .route = BYTES_EMPTY,
	    .mailbox = BYTES_EMPTY, .domain = BYTES_EMPTY };
}

static void
append(struct parser *p, const struct addr_member *m)
{
	struct addr_member *copy;

	if (p->list->count == ADDR_LIST_MAX) {
		p->list->is_cut = true;
		p->s = BYTES_EMPTY;
		return;
	}
	copy = arena_alloc(p->arena, sizeof(*copy));
	*copy = *m;
	*p->end = copy;
	p->end = &copy->next;
	p->list->count++;
	p->list->is_bad |= m->is_bad;
}

/* "@a,@b:" into route; false if it is not one. */
static bool
read_route(struct parser *p, struct addr_member *m)
{
	struct buf route = BUF_INIT(p->s.n * 2);
	bool ok = true;

	while (ok && peek(p) == '@') {
		add(&route, '@');
		ok = read_domain(p);
		if (ok)
			(void)buf_add(&route, buf_bytes(&p->text)); /* cap */
		while (ok && peek(p) == ',') {
			skip(p);
			skip_cfws(p);
			if (peek(p) == '@')
				add(&route, ',');
		}
	}
	ok = ok && peek(p) == ':';
	if (ok) {
		skip(p);
		m->has_route = true;
		m->route = keep(p, &route);
	}
	buf_free(&route);
	skip_cfws(p);
	return ok;
}

/* "<" ... ">"; false where it breaks. */
static bool
read_angle(struct parser *p, struct addr_member *m)
{
	skip(p);
	skip_cfws(p);
	if (peek(p) == '@' && !read_route(p, m)) {
		m->has_route = true;
		m->route = BYTES("INVALID_ROUTE");
		m->is_bad = true;
	}
	if (peek(p) != '>') {
		if (!read_local_part(p))
			return false;
		m->mailbox = keep(p, &p->text);
		m->has_mailbox = true;
		if (peek(p) == '@') {
			if (!read_domain(p))
				return false;
			m->domain = keep(p, &p->text);
		}
	}
	if (peek(p) != '>')
		return false;
	skip(p);
	skip_cfws(p);
	return true;
}

/* [phrase] "<" ... ">"; false, and nothing read, if it is not that. */
static bool
read_name_addr(struct parser *p, struct addr_member *m)
{
	struct bytes start = p->s;

	buf_reset(&p->text);
	if (!read_phrase(p) || peek(p) != '<') {
		p->s = start;
		return false;
	}
	m->display_name = keep(p, &p->text);
	m->has_name = m->display_name.n > 0;
	if (!read_angle(p, m)) {
		m->domain = BYTES("SYNTAX_ERROR");
		m->is_bad = true;
	}
	return true;
}

/*
 * local-part ["@" domain], a comment as its name. Words without "@" are a
 * display name whose address is missing, a single one is a mailbox.
 */
static void
read_addr_spec(struct parser *p, struct addr_member *m)
{
	size_t before;

	buf_reset(&p->comment);
	m->has_mailbox = read_local_part(p);
	if (m->has_mailbox)
		m->mailbox = keep(p, &p->text);
	else
		m->is_bad = true;
	if (peek(p) == '@') {
		if (read_domain(p))
			m->domain = keep(p, &p->text);
		else
			m->is_bad = true;
		before = SIZE_MAX;
	} else {
		before = p->text.n;
	}
	if (p->comment.n > 0) {
		m->display_name = keep(p, &p->comment);
		m->has_name = true;
	} else if (before != SIZE_MAX) {
		add(&p->text, ' ');
		(void)read_phrase(p);		/* as much as there is */
		m->is_bad = true;
		if (p->text.n > before + 1) {
			m->mailbox = BYTES_EMPTY;
			m->has_mailbox = false;
			m->display_name = keep(p, &p->text);
			m->has_name = true;
		}
	}
}

static void
read_mailbox(struct parser *p)
{
	struct addr_member m = blank_member(ADDR_MAILBOX);

	if (!read_name_addr(p, &m))
		read_addr_spec(p, &m);
	m.is_bad |= !m.has_mailbox || m.domain.n == 0;
	append(p, &m);
}

/* phrase ":" ... ";"; false, and nothing read, if it is not a group. */
static bool
read_group(struct parser *p)
{
	struct addr_member m = blank_member(ADDR_GROUP_START);
	struct bytes start = p->s;

	buf_reset(&p->text);
	if (!read_phrase(p) || peek(p) != ':') {
		p->s = start;
		return false;
	}
	skip(p);
	skip_cfws(p);
	m.mailbox = keep(p, &p->text);
	m.has_mailbox = true;
	append(p, &m);
	while (peek(p) != ';' && peek(p) != -1) {
		read_mailbox(p);
		if (peek(p) != ',')
			break;
		skip(p);
		skip_cfws(p);
	}
	m = blank_member(ADDR_GROUP_END);
	if (peek(p) == ';') {
		skip(p);
		skip_cfws(p);
	} else {
		m.is_bad = true;
	}
	append(p, &m);
	return true;
}

void
addr_parse_list(struct arena *a, struct bytes body, struct addr_list *out)
{
	/* Each byte goes into text once, with at most one blank more. */
	struct parser p = { .arena = a, .s = body,
	    .comment = BUF_INIT(body.n + 1), .text = BUF_INIT(2 * body.n + 2),
	    .list = out };

	*out = (struct addr_list){ .rest = BYTES_EMPTY };
	p.end = &out->first;
	skip_cfws(&p);
	while (peek(&p) != -1) {
		if (!read_group(&p))
			read_mailbox(&p);
		if (peek(&p) != ',')
			break;
		skip(&p);
		skip_cfws(&p);
	}
	note_rest(&p, p.s);
	buf_free(&p.comment);
	buf_free(&p.text);
}

const struct addr_member *
addr_next_mailbox(const struct addr_member *m)
{
	while (m != NULL && (m->kind != ADDR_MAILBOX || !m->has_mailbox ||
	    m->domain.n == 0))
		m = m->next;
	return m;
}

bool
addr_is_only(const struct addr_list *list, const struct addr_member *m)
{
	size_t at;

	return m != NULL && !list->is_cut &&
	    addr_next_mailbox(list->first) == m &&
	    addr_next_mailbox(m->next) == NULL &&
	    !bytes_chr(list->rest, '@', &at);
}

int
addr_member_path(struct arena *a, const struct addr_member *m,
    struct path *out, const char **why)
{
	/* Quoted again as a path, so that one grammar judges. */
	struct buf b = BUF_INIT(ADDR_PATH_MAX);
	struct bytes text;

	if (m->kind != ADDR_MAILBOX || !m->has_mailbox) {
		*why = "no address";
		errno = EBADMSG;
		return -1;
	}
	(void)addr_format_local_part(&b, m->mailbox);	/* b.full tells */
	(void)buf_addc(&b, '@');
	(void)buf_add(&b, m->domain);
	text = arena_bytes(a, buf_bytes(&b));
	if (b.full)
		text = BYTES_EMPTY;
	buf_free(&b);
	return addr_parse_mailbox(a, text, ADDR_SMTPUTF8, out, why);
}
