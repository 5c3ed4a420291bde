/*
 * parse.c - elements of commands (RFC 3501 9)
 *
 * A pull parser over one whole command, literals included. Quoted strings
 * may hold UTF-8 (RFC 9051), since clients send names and passwords so.
 */
#include "imap/internal.h"

#include "unicode/unicode.h"

bool
parse_fail(struct parser *p, const char *why)
{
	if (p->why == NULL)
		p->why = why;
	return false;
}

bool
parse_fail_code(struct parser *p, const char *code, const char *why)
{
	if (p->why == NULL)
		p->code = code;
	return parse_fail(p, why);
}

bool
parse_end(struct parser *p)
{
	return p->s.n == 0 || parse_fail(p, "too many arguments");
}

bool
parse_optional(struct parser *p, int c)
{
	if (bytes_at(p->s, 0) != c)
		return false;
	p->s = bytes_from(p->s, 1);
	return true;
}

bool
parse_char(struct parser *p, int c)
{
	return parse_optional(p, c) || parse_fail(p, "syntax error");
}

bool
parse_space(struct parser *p)
{
	return parse_optional(p, ' ') ||
	    parse_fail(p, p->s.n == 0 ? "missing argument" : "syntax error");
}

/* ATOM-CHAR; resp-specials are allowed on top for astring. */
static bool
is_atom_char(int c)
{
	if (c <= 0x20 || c >= 0x7f)
		return false;
	switch (c) {
	case '(': case ')': case '{': case '%': case '*': case '"':
	case '\\': case ']':
		return false;
	}
	return true;
}

static bool
parse_run(struct parser *p, bool (*is)(int), struct bytes *out,
    const char *why)
{
	size_t n = 0;

	while (is(bytes_at(p->s, n)))
		n++;
	if (n == 0)
		return parse_fail(p, why);
	return bytes_cut(&p->s, n, out);
}

static bool
is_astring_char(int c)
{
	return is_atom_char(c) || c == ']';
}

static bool
is_tag_char(int c)
{
	return is_astring_char(c) && c != '+';
}

static bool
is_list_char(int c)
{
	return is_astring_char(c) || c == '%' || c == '*';
}

bool
parse_tag(struct parser *p, struct bytes *out)
{
	return parse_run(p, is_tag_char, out, "missing tag") &&
	    (out->n <= IMAP_TAG_MAX || parse_fail(p, "tag too long"));
}

bool
parse_atom(struct parser *p, struct bytes *out)
{
	return parse_run(p, is_atom_char, out, "expected an atom");
}

struct bytes
parse_word(struct parser *p)
{
	struct bytes word = BYTES_EMPTY;
	size_t n = 0;

	while (ascii_is_alnum(bytes_at(p->s, n)) ||
	    bytes_at(p->s, n) == '.' || bytes_at(p->s, n) == '-')
		n++;
	(void)bytes_cut(&p->s, n, &word);	/* n bytes are there */
	return word;
}

static bool
parse_quoted(struct parser *p, struct bytes *out)
{
	struct bytes s = p->s;
	unsigned char *to = arena_alloc(p->a, s.n);
	size_t n = 0;
	int c;

	(void)bytes_next(&s);	/* the quote the caller saw */
	while ((c = bytes_next(&s)) != '"') {
		if (c == '\\') {
			c = bytes_next(&s);
			if (c != '"' && c != '\\')
				return parse_fail(p, "wrong escape in string");
		}
		if (c == -1)
			return parse_fail(p, "unterminated string");
		if (c == '\0' || c == '\r' || c == '\n')
			return parse_fail(p, "control byte in string");
		to[n++] = (unsigned char)c;
	}
	*out = bytes_of(to, n);
	if (!unicode_valid_utf8(*out))
		return parse_fail(p, "string is not UTF-8");
	p->s = s;
	return true;
}

static bool
literal_bytes(struct parser *p, struct bytes *out)
{
	struct bytes s = p->s;
	uint64_t n;

	(void)bytes_next(&s);	/* the brace the caller saw */
	if (num_cut(&s, IMAP_COMMAND_MAX, &n) == -1)
		return parse_fail(p, "wrong literal");
	(void)bytes_skip(&s, BYTES("+"));	/* may be there */
	if (!bytes_skip(&s, BYTES("}")))
		return parse_fail(p, "wrong literal");
	(void)bytes_skip(&s, BYTES("\r"));	/* a line may end in LF only */
	if (!bytes_skip(&s, BYTES("\n")) || !bytes_cut(&s, (size_t)n, out))
		return parse_fail(p, "wrong literal");
	p->s = s;
	return true;
}

static bool
parse_literal(struct parser *p, struct bytes *out)
{
	struct bytes text = BYTES_EMPTY;

	if (!literal_bytes(p, &text))
		return false;
	if (bytes_has_nul(text))
		return parse_fail(p, "NUL in literal");
	*out = text;
	return true;
}

bool
parse_literal8(struct parser *p, struct bytes *out)
{
	if (!parse_char(p, '~'))
		return false;
	if (bytes_at(p->s, 0) != '{')
		return parse_fail(p, "expected a literal");
	return literal_bytes(p, out);
}

bool
parse_string(struct parser *p, struct bytes *out)
{
	switch (bytes_at(p->s, 0)) {
	case '"':
		return parse_quoted(p, out);
	case '{':
		return parse_literal(p, out);
	default:
		return parse_fail(p, "expected a string");
	}
}

bool
parse_astring(struct parser *p, struct bytes *out)
{
	int c = bytes_at(p->s, 0);

	if (c == '"' || c == '{')
		return parse_string(p, out);
	return parse_run(p, is_astring_char, out, "expected a string");
}

bool
parse_nstring(struct parser *p, struct bytes *out, bool *there)
{
	*there = !bytes_caseskip(&p->s, BYTES("NIL"));
	*out = BYTES_EMPTY;
	return !*there || parse_string(p, out);
}

bool
parse_number(struct parser *p, uint64_t max, uint64_t *out)
{
	return num_cut(&p->s, max, out) == 0 ||
	    parse_fail(p, "expected a number");
}

bool
parse_set(struct parser *p, struct imap_set *out)
{
	struct bytes text;
	size_t n = 0;
	int c;

	if (parse_optional(p, '$')) {
		*out = (struct imap_set){ .saved = true };
		return true;
	}
	while ((c = bytes_at(p->s, n)), ascii_is_digit(c) || c == ':' ||
	    c == ',' || c == '*')
		n++;
	if (!bytes_cut(&p->s, n, &text) ||
	    imap_set_parse(p->a, text, out) == -1)
		return parse_fail(p, "expected a set of numbers");
	return true;
}

bool
parse_known_set(struct parser *p, struct imap_set *out)
{
	size_t i;

	if (!parse_set(p, out))
		return false;
	if (out->saved)
		return parse_fail(p, "$ is not allowed here");
	for (i = 0; i < out->n; i++) {
		if (out->ranges[i].first == IMAP_STAR ||
		    out->ranges[i].last == IMAP_STAR)
			return parse_fail(p, "* is not allowed here");
	}
	return true;
}

bool
parse_modseq(struct parser *p, uint64_t *out)
{
	return parse_number(p, INT64_MAX, out);
}

/* Names are modified UTF-7, with 8-bit bytes refused, or UTF-8 (I-16). */
static bool
decode_name(struct parser *p, struct bytes raw, struct bytes *out)
{
	if (p->utf8_names) {
		*out = raw;
		return unicode_valid_utf8(raw) ||
		    parse_fail(p, "mailbox name is not UTF-8");
	}
	if (!bytes_is_ascii(raw))
		return parse_fail(p,
		    "mailbox name with 8-bit bytes, not modified UTF-7");
	if (imap_utf7_decode(p->a, raw, out) == -1) {
		/* An astring as good as any, but no mailbox has this name. */
		p->refused = true;
		return parse_fail_code(p, "CANNOT",
		    "mailbox name is no modified UTF-7");
	}
	return true;
}

bool
parse_mailbox(struct parser *p, struct bytes *out)
{
	struct bytes raw;

	if (!parse_astring(p, &raw))
		return false;
	if (bytes_at(p->s, 0) >= 0x80)	/* where an atom ended */
		return decode_name(p, p->s, out);
	return decode_name(p, raw, out);
}

bool
parse_pattern(struct parser *p, struct bytes *out)
{
	struct bytes raw;
	int c = bytes_at(p->s, 0);

	if (c == '"' || c == '{') {
		if (!parse_string(p, &raw))
			return false;
	} else if (!parse_run(p, is_list_char, &raw, "expected a pattern")) {
		return false;
	}
	/* What is no modified UTF-7 is a pattern as it stands. */
	if (!p->utf8_names && bytes_is_ascii(raw) &&
	    imap_utf7_decode(p->a, raw, out) == -1) {
		*out = raw;
		return true;
	}
	return decode_name(p, raw, out);
}

/* n digits as a number. */
static bool
parse_digits(struct parser *p, size_t n, int *out)
{
	struct bytes digits;
	uint64_t v;

	if (!bytes_cut(&p->s, n, &digits) ||
	    num_parse(digits, 0, 9999, &v) == -1)
		return parse_fail(p, "wrong date");
	*out = (int)v;
	return true;
}

static int
days_of_month(int year, int month)
{
	static const unsigned char days[] =
	    { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* "-Jan-2026" after the day. */
static bool
parse_month_year(struct parser *p, int day, int64_t *first_second)
{
	struct bytes name;
	int month, year;

	if (!parse_char(p, '-') || !bytes_cut(&p->s, 3, &name) ||
	    !parse_char(p, '-') || !parse_digits(p, 4, &year))
		return parse_fail(p, "wrong date");
	month = date_month(name);
	if (month == 0 || day < 1 || day > days_of_month(year, month))
		return parse_fail(p, "wrong date");
	*first_second = date_to_unix(year, month, day, 0, 0, 0);
	return true;
}

/* The day number; negative before 1970. */
static int64_t
day_of(int64_t seconds)
{
	int64_t day = seconds / 86400;

	return seconds % 86400 < 0 ? day - 1 : day;
}

bool
parse_date(struct parser *p, int64_t *day)
{
	bool quoted = parse_optional(p, '"');
	int64_t seconds;
	int d;

	if (!parse_digits(p, ascii_is_digit(bytes_at(p->s, 1)) ? 2 : 1, &d) ||
	    !parse_month_year(p, d, &seconds))
		return false;
	if (quoted && !parse_char(p, '"'))
		return false;
	*day = day_of(seconds);
	return true;
}

bool
parse_date_time(struct parser *p, int64_t *seconds)
{
	int day, hour, min, sec, zone, sign;

	if (!parse_char(p, '"'))
		return false;
	if (parse_optional(p, ' ')) {
		if (!parse_digits(p, 1, &day))
			return false;
	} else if (!parse_digits(p, 2, &day)) {
		return false;
	}
	if (!parse_month_year(p, day, seconds) || !parse_char(p, ' ') ||
	    !parse_digits(p, 2, &hour) || !parse_char(p, ':') ||
	    !parse_digits(p, 2, &min) || !parse_char(p, ':') ||
	    !parse_digits(p, 2, &sec) || !parse_char(p, ' '))
		return false;
	sign = bytes_next(&p->s);
	if ((sign != '+' && sign != '-') || !parse_digits(p, 4, &zone) ||
	    !parse_char(p, '"') || hour > 23 || min > 59 || sec > 60 ||
	    zone % 100 > 59)
		return parse_fail(p, "wrong date");
	zone = zone / 100 * 60 + zone % 100;
	*seconds += hour * 3600 + min * 60 + sec;
	*seconds -= (sign == '-' ? -zone : zone) * 60;
	return true;
}

static bool
parse_flag(struct parser *p, struct flag_list *out)
{
	struct bytes name;
	struct bytes start = p->s;
	uint32_t flag;

	if (parse_optional(p, '\\')) {
		if (!parse_atom(p, &name))
			return false;
		flag = store_flag_find(bytes_first(start, name.n + 1));
		if (flag == 0)
			return parse_fail(p, "unknown system flag");
		out->flags |= flag;
		return true;
	}
	if (!parse_atom(p, &name))
		return false;
	if (name.n > STORE_KEYWORD_MAX)
		return parse_fail(p, "keyword too long");
	flag = store_flag_find(name);
	if (flag != 0)
		out->flags |= flag;
	else
		out->keywords[out->keyword_count++] = name;
	return true;
}

bool
parse_flags(struct parser *p, bool bare, struct flag_list *out)
{
	bool listed = parse_optional(p, '(');

	*out = (struct flag_list){ 0 };
	if (!listed && !bare)
		return parse_fail(p, "expected a list of flags");
	/* A keyword takes at least two bytes of what is left. */
	out->keywords = arena_zalloc(p->a, p->s.n / 2 + 1,
	    sizeof(*out->keywords));
	if (listed && parse_optional(p, ')'))
		return true;
	do {
		if (!parse_flag(p, out))
			return false;
	} while (parse_optional(p, ' '));
	return !listed || parse_char(p, ')');
}
