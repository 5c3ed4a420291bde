/*
 * author.c - who wrote a message: traits of the values of its header
 *
 * What a program makes of a Message-ID, how it spells Content-Type, how an
 * author is named and a subject is written, and the addresses whole.
 */
#include "junk/internal.h"

/* Bytes of a Message-ID's shape, and of a Content-Type as it is spelled. */
#define SHAPE_MAX 40
#define SPELLING_MAX 120
/* Bytes of an address before its "@" (RFC 5321 4.5.3.1.1), and behind it. */
#define LOCAL_MAX 64
#define DOMAIN_MAX 100
/* Digits of a local part that nobody chose. */
#define DIGITS_MANY 3
/* Letters of a subject in capitals, at least. */
#define CAPITALS_MIN 5

/* "20020728.AB12cd" is "0.A0a": what kind of character follows what. */
static void
put_shape(struct junk_words *w, const struct junk_prefix *p, struct bytes s)
{
	unsigned char b[SHAPE_MAX];
	size_t i, n = 0;
	int kind, last = 0;

	for (i = 0; i < s.n && n < sizeof(b); i++) {
		kind = ascii_is_digit(s.p[i]) ? '0' : ascii_is_upper(s.p[i])
		    ? 'A' : ascii_is_alpha(s.p[i]) ? 'a' : s.p[i];
		if (kind != last || !ascii_is_alnum(kind))
			b[n++] = (unsigned char)kind;
		last = kind;
	}
	junk_words_put(w, p, bytes_of(b, n));
}

/* What may be a domain behind the last "@"; empty: there is none. */
static struct bytes
domain_of(struct bytes s)
{
	size_t at, n = 0;

	if (!bytes_rchr(s, '@', &at))
		return BYTES_EMPTY;
	s = bytes_from(s, at + 1);
	while (n < s.n && (ascii_is_alnum(s.p[n]) || s.p[n] == '.' ||
	    s.p[n] == '-'))
		n++;
	return bytes_first(s, n);
}

static void
put_id(struct junk_words *w, struct bytes id, struct bytes from)
{
	struct junk_prefix p = junk_prefix_head(BYTES("id:"));
	struct bytes domain = domain_of(id), author = domain_of(from);
	struct bytes word = BYTES("@other");
	size_t at;

	put_shape(w, &p, bytes_rchr(id, '@', &at) ? bytes_first(id, at) : id);
	if (domain.n == 0)
		word = BYTES("@none");
	else if (bytes_caseeq(domain, author))
		word = BYTES("@from");
	else if (author.n > 0 && bytes_caseends(domain, author))
		word = BYTES("@.from");
	else if (!bytes_chr(domain, '.', &at))
		word = BYTES("@name");
	junk_words_put(w, &p, word);
}

/* As it is written, up to a boundary, which is never the same. */
static void
put_spelling(struct junk_words *w, struct bytes value)
{
	struct junk_prefix p = junk_prefix_head(BYTES("content-type:"));
	size_t at;

	if (bytes_casefind(value, BYTES("boundary="), &at))
		value = bytes_first(value, at);
	junk_words_put(w, &p, bytes_first(value, SPELLING_MAX));
}

/* ---- addresses ---- */

static bool
is_local(int c)
{
	return c > ' ' && c != '<' && c != '"' && c != ':' && c != ',';
}

/* The last address of a value and its domain: "from:a@b.org", "from:@b.org". */
static void
put_address(struct junk_words *w, const char *prefix, struct bytes value)
{
	struct junk_prefix p = junk_prefix_head(bytes_str(prefix));
	struct bytes domain = bytes_first(domain_of(value), DOMAIN_MAX);
	unsigned char b[LOCAL_MAX + 1 + DOMAIN_MAX];
	size_t at, n = 0;

	if (!bytes_rchr(value, '@', &at))
		return;
	while (n < at && n < LOCAL_MAX && is_local(value.p[at - n - 1]))
		n++;
	bytes_lower(b, bytes_of(value.p + at - n, n + 1 + domain.n));
	junk_words_put(w, &p, bytes_of(b, n + 1 + domain.n));
	junk_words_put(w, &p, bytes_of(b + n, 1 + domain.n));
}

/* How the author is named, and digits in the local part. */
static void
put_author(struct junk_words *w, struct bytes from)
{
	size_t at, digits = 0;

	if (!bytes_chr(from, '<', &at))
		junk_put_trait(w, "author:", BYTES("bare"));
	else
		junk_put_trait(w, "author:", at == 0 ? BYTES("unnamed")
		    : from.p[0] == '"' ? BYTES("quoted") : BYTES("named"));
	if (!bytes_is_ascii(from))
		junk_put_trait(w, "author:", BYTES("8bit"));
	if (!bytes_rchr(from, '@', &at))
		return;
	for (; at > 0 && (ascii_is_alnum(from.p[at - 1]) ||
	    from.p[at - 1] == '.' || from.p[at - 1] == '_'); at--)
		digits += ascii_is_digit(from.p[at - 1]);
	junk_put_trait(w, "author:", digits == 0 ? BYTES("letters")
	    : digits < DIGITS_MANY ? BYTES("digits") : BYTES("number"));
}

/* ---- the subject ---- */

/* Capitals: all, those of a title, or those of a sentence. */
static struct bytes
case_of(struct bytes s)
{
	size_t i, upper = 0, lower = 0;

	for (i = 0; i < s.n; i++) {
		if (ascii_is_upper(s.p[i]))
			upper++;
		else if (ascii_is_alpha(s.p[i]))
			lower++;
	}
	if (upper >= CAPITALS_MIN && lower < upper / 4)
		return BYTES("capitals");
	return upper > lower / 3 ? BYTES("title") : BYTES("sentence");
}

/* As it is written: what stands at its end, blanks in a row, 8 bits. */
static void
put_title(struct junk_words *w, struct bytes s)
{
	unsigned char end;
	size_t at;

	junk_put_trait(w, "title:", case_of(s));
	if (!bytes_is_ascii(s))
		junk_put_trait(w, "title:", BYTES("8bit"));
	if (bytes_find(s, BYTES("   "), &at))
		junk_put_trait(w, "title:", BYTES("blanks"));
	if (bytes_find(s, BYTES("=?"), &at))
		junk_put_trait(w, "title:", BYTES("encoded"));
	end = s.p[s.n - 1];
	junk_put_trait(w, "title:", ascii_is_digit(end) ? BYTES("0")
	    : ascii_is_alpha(end) ? BYTES("a") : bytes_of(&end, 1));
}

void
junk_read_author(struct junk_words *w, const struct junk_author *a)
{
	if (a->content_type.n > 0)
		put_spelling(w, a->content_type);
	put_id(w, a->id, a->from);
	put_address(w, "from:", a->from);
	put_address(w, "reply-to:", a->reply_to);
	put_author(w, a->from);
	if (a->subject.n > 0)
		put_title(w, a->subject);
	else
		junk_put_trait(w, "title:", a->has_subject ? BYTES("empty")
		    : BYTES("none"));
}
