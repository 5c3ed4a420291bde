/*
 * ini.c - INI text to items and back
 *
 * Line by line, in this grammar (blank is SP or HTAB):
 *
 *	line    = *blank [header / pair] *blank [comment] [CR]
 *	comment = "#" *any		; at the start of a line, or where
 *					; a value begins, or after a blank
 *	header  = "[" word [1*blank quoted] "]"
 *	pair    = word *blank "=" *blank [quoted / plain]
 *	word    = 1*(a-z / 0-9 / "-")
 *	quoted  = DQUOTE *(any / "\" DQUOTE / "\\") DQUOTE
 *	plain   = to the end or a comment, blanks at the end dropped; a "\"
 *		  in it is a "\"
 *
 * Text is UTF-8 without control characters other than HTAB.
 */
#include "config/internal.h"

#include "unicode/unicode.h"

struct ini {
	struct arena *a;
	const char *file;
	struct config_problems *problems;
	struct config_item *item;
	size_t n, size;
	unsigned int line;
	/* The section we are in. */
	struct bytes section, name;
	bool has_name;
	bool any_section;	/* some header was seen */
	bool bad_section;	/* the last header was wrong: skip its keys */
};

static void
bad(struct ini *p, const char *what)
{
	config_problem(p->a, p->problems, p->file, p->line, "%s", what);
}

static bool
is_word_byte(int c)
{
	return ascii_is_lower(c) || ascii_is_digit(c) || c == '-';
}

static struct bytes
cut_word(struct bytes *s)
{
	struct bytes word;
	size_t n = 0;

	while (n < s->n && is_word_byte(s->p[n]))
		n++;
	(void)bytes_cut(s, n, &word);	/* n <= s->n */
	return word;
}

static void
skip_blanks(struct bytes *s)
{
	while (ascii_is_wsp(bytes_at(*s, 0)))
		(void)bytes_next(s);
}

/* Nothing but blanks and a comment after one. */
static bool
is_end(struct bytes s)
{
	bool blank = ascii_is_wsp(bytes_at(s, 0));

	skip_blanks(&s);
	return s.n == 0 || (blank && s.p[0] == '#');
}

/* A quoted string off the front of *s; false with *why. */
static bool
cut_quoted(struct arena *a, struct bytes *s, struct bytes *out,
    const char **why)
{
	struct bytes rest = bytes_from(*s, 1);
	unsigned char *p = arena_alloc(a, rest.n);
	size_t n = 0;
	int c;

	while ((c = bytes_next(&rest)) != '"') {
		if (c == '\\') {
			c = bytes_next(&rest);
			if (c != '"' && c != '\\') {
				*why = "wrong escape: in quotes, allowed are "
				    "\\\" and \\\\";
				return false;
			}
		}
		if (c == -1) {
			*why = "no closing quote";
			return false;
		}
		p[n++] = (unsigned char)c;
	}
	*s = rest;
	*out = bytes_of(p, n);
	return true;
}

static struct bytes
plain_value(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '#' && (i == 0 || ascii_is_wsp(s.p[i - 1])))
			break;
	}
	return bytes_rtrim(bytes_first(s, i));
}

static void
add_item(struct ini *p, struct bytes key, struct bytes value, bool header)
{
	p->item = config_grow(p->a, p->item, p->n, &p->size,
	    sizeof(*p->item));
	p->item[p->n++] = (struct config_item){
		p->section, p->name, key, value, p->line, p->has_name, header,
	};
}

static bool
header_parts(struct ini *p, struct bytes s, const char **why)
{
	*why = "wrong section header: allowed are [section] and "
	    "[section \"name\"], in lower case";
	(void)bytes_next(&s);
	p->section = cut_word(&s);
	p->name = BYTES_EMPTY;
	p->has_name = false;
	if (p->section.n == 0)
		return false;
	if (p->section.n > CONFIG_KEY_MAX) {
		*why = "section name too long: at most 64 bytes";
		return false;
	}
	if (ascii_is_wsp(bytes_at(s, 0))) {
		skip_blanks(&s);
		if (bytes_at(s, 0) != '"'
		    || !cut_quoted(p->a, &s, &p->name, why))
			return false;
		p->has_name = true;
		if (p->name.n > CONFIG_NAME_MAX) {
			*why = "name in section header too long: at most "
			    "512 bytes";
			return false;
		}
	}
	if (bytes_next(&s) != ']')
		return false;
	if (!is_end(s)) {
		*why = "text after the section header: allowed is a comment "
		    "after a blank";
		return false;
	}
	return true;
}

static void
header(struct ini *p, struct bytes s)
{
	const char *why;

	p->any_section = true;
	p->bad_section = !header_parts(p, s, &why);
	if (p->bad_section)
		bad(p, why);
	else
		add_item(p, BYTES_EMPTY, BYTES_EMPTY, true);
}

static void
pair(struct ini *p, struct bytes s)
{
	struct bytes key, value;
	const char *why;

	key = cut_word(&s);
	skip_blanks(&s);
	if (key.n == 0 || bytes_next(&s) != '=') {
		bad(p, "not understood: allowed are key = value, with the key "
		    "in a-z, 0-9 and -, [section], and # comments");
		return;
	}
	if (key.n > CONFIG_KEY_MAX) {
		bad(p, "key too long: at most 64 bytes");
		return;
	}
	skip_blanks(&s);
	if (bytes_at(s, 0) == '"') {
		if (!cut_quoted(p->a, &s, &value, &why)) {
			bad(p, why);
			return;
		}
		if (!is_end(s)) {
			bad(p, "text after the closing quote: allowed is a "
			    "comment after a blank; inside quotes write \\\" "
			    "for a quote");
			return;
		}
	} else {
		value = plain_value(s);
	}
	if (!p->any_section)
		bad(p, "key before any section: a [section] line must come "
		    "first");
	else if (!p->bad_section)
		add_item(p, key, value, false);
}

static bool
has_control(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (ascii_is_ctl(s.p[i]) && s.p[i] != '\t')
			return true;
	}
	return false;
}

static void
line(struct ini *p, struct bytes s)
{
	if (s.n > CONFIG_LINE_MAX) {
		bad(p, "line too long: at most 4096 bytes");
		return;
	}
	if (bytes_ends(s, BYTES("\r")))
		s = bytes_first(s, s.n - 1);
	if (has_control(s)) {
		bad(p, "control character: only tabs are allowed");
		return;
	}
	if (!unicode_valid_utf8(s)) {
		bad(p, "not UTF-8");
		return;
	}
	skip_blanks(&s);
	if (s.n == 0 || s.p[0] == '#')
		return;
	if (s.p[0] == '[')
		header(p, s);
	else
		pair(p, s);
}

void
config_parse(struct arena *a, const char *file, struct bytes text,
    struct config_item **items, size_t *count,
    struct config_problems *problems)
{
	struct ini p = { .a = a, .file = file, .problems = problems };
	struct bytes s;

	if (text.n > CONFIG_FILE_MAX) {
		bad(&p, "file too big: at most 1 MiB");
		text = BYTES_EMPTY;
	}
	while (text.n > 0) {
		(void)bytes_split(&text, '\n', &s);	/* the last has none */
		p.line++;
		line(&p, s);
	}
	*items = p.item;
	*count = p.n;
}

/* ---- back to text ---- */

static bool
needs_quotes(struct bytes s)
{
	if (s.n == 0)
		return false;
	return s.p[0] == '"' || ascii_is_wsp(s.p[0])
	    || plain_value(s).n != s.n;
}

static void
format_quoted(struct buf *out, struct bytes s)
{
	int c;

	buf_addc(out, '"');
	while ((c = bytes_next(&s)) != -1) {
		if (c == '"' || c == '\\')
			buf_addc(out, '\\');
		buf_addc(out, c);
	}
	buf_addc(out, '"');
}

/* Take back what was added after start. */
static int
undo(struct buf *out, size_t start, int error)
{
	out->n = start;
	errno = error;
	return -1;
}

int
config_format_value(struct buf *out, struct bytes value)
{
	size_t start = out->n;

	if (value.n > CONFIG_LINE_MAX || has_control(value)
	    || !unicode_valid_utf8(value))
		return undo(out, start, EINVAL);
	if (needs_quotes(value))
		format_quoted(out, value);
	else
		buf_add(out, value);
	return out->full ? undo(out, start, EMSGSIZE) : 0;
}

static bool
is_word(struct bytes s)
{
	struct bytes word = cut_word(&s);

	return word.n > 0 && word.n <= CONFIG_KEY_MAX && s.n == 0;
}

static int
format_header(struct buf *out, const struct config_item *item)
{
	size_t start = out->n;

	if (!is_word(item->section) || item->name.n > CONFIG_NAME_MAX
	    || has_control(item->name) || !unicode_valid_utf8(item->name))
		return undo(out, start, EINVAL);
	buf_addc(out, '[');
	buf_add(out, item->section);
	if (item->has_name) {
		buf_addc(out, ' ');
		format_quoted(out, item->name);
	}
	buf_adds(out, "]\n");
	return out->full ? undo(out, start, EMSGSIZE) : 0;
}

static int
format_pair(struct buf *out, const struct config_item *item)
{
	size_t start = out->n, with_blanks, value_at;

	if (!is_word(item->key))
		return undo(out, start, EINVAL);
	buf_add(out, item->key);
	value_at = out->n + 3;
	buf_adds(out, " = ");
	if (out->full)
		return undo(out, start, EMSGSIZE);
	if (config_format_value(out, item->value) == -1)
		return undo(out, start, errno);
	with_blanks = out->n - start;
	if (with_blanks > CONFIG_LINE_MAX) {
		/* A full line may have been written without the blanks. */
		out->p[value_at - 3] = '=';
		memmove(out->p + value_at - 2, out->p + value_at,
		    out->n - value_at);
		out->n -= 2;
	}
	if (out->n - start > CONFIG_LINE_MAX)
		return undo(out, start, EINVAL);
	buf_addc(out, '\n');
	return out->full ? undo(out, start, EMSGSIZE) : 0;
}

int
config_format(struct buf *out, const struct config_item *items, size_t count)
{
	const struct config_item *item, *last = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		item = &items[i];
		if (item->header || last == NULL
		    || !bytes_eq(item->section, last->section)
		    || item->has_name != last->has_name
		    || !bytes_eq(item->name, last->name)) {
			if (format_header(out, item) == -1)
				return -1;
		}
		if (!item->header && format_pair(out, item) == -1)
			return -1;
		last = item;
	}
	return 0;
}
