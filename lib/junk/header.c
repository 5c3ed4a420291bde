/*
 * header.c - the header of a message as words, and who wrote it
 *
 * Besides words there are traits of the program that made the message: which
 * fields it writes and in which order, what its Message-IDs look like, how it
 * spells Content-Type. Whoever sends junk in great numbers writes programs for
 * it, and these do not look like those that people use.
 */
#include "junk/internal.h"

#include "mime/mime.h"

/* A string with its length, for tables. */
#define N(s) { (const unsigned char *)(s), sizeof(s) - 1 }

/*
 * Fields whose words count. Return-Path and Delivered-To are not among them:
 * we write them after judging, so that training would see other words.
 */
static const struct {
	struct bytes name, prefix;
	bool traits;
} word_fields[] = {
	{ N("from"), N("from:"), false }, { N("to"), N("to:"), false },
	{ N("cc"), N("cc:"), false }, { N("bcc"), N("bcc:"), false },
	{ N("reply-to"), N("reply-to:"), false },
	{ N("subject"), N("subject:"), true },
	{ N("sender"), N("sender:"), false },
};

/*
 * Fields whose presence says nothing about the sender: written on the way, by
 * us, by other filters or by mail readers.
 */
static const struct bytes own_fields[] = {
	N("received"), N("return-path"), N("delivered-to"), N("x-original-to"),
	N("envelope-to"), N("delivery-date"), N("authentication-results"),
	N("received-spf"), N("status"), N("x-status"), N("x-keywords"),
	N("x-uid"), N("x-uidl"), N("content-length"), N("lines"), N("date"),
	N("x-mozilla-status"), N("x-mozilla-status2"), N("x-mozilla-keys"),
	N("x-apparently-to"),
};
static const struct bytes own_starts[] = {
	N("x-spam"), N("arc-"), N("pipemail-"), N("x-bogosity"), N("x-mox-"),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* Bytes of a Message-ID's shape, and of a Content-Type as it is spelled. */
#define SHAPE_MAX 40
#define SPELLING_MAX 120

static bool
is_own(struct bytes name)
{
	size_t i;

	for (i = 0; i < COUNT(own_fields); i++) {
		if (bytes_caseeq(name, own_fields[i]))
			return true;
	}
	for (i = 0; i < COUNT(own_starts); i++) {
		if (bytes_casestarts(name, own_starts[i]))
			return true;
	}
	return false;
}

void
junk_put_trait(struct junk_words *w, const char *prefix, struct bytes s)
{
	struct junk_prefix p = junk_prefix_head(bytes_str(prefix));
	unsigned char b[JUNK_TRAIT_MAX];

	s = bytes_first(s, sizeof(b));
	bytes_lower(b, s);
	junk_words_put(w, &p, bytes_of(b, s.n));
}

static void
read_words(struct junk_words *w, const struct mime_field *f)
{
	struct junk_prefix p;
	struct bytes body;
	size_t i;

	for (i = 0; i < COUNT(word_fields); i++) {
		if (!bytes_caseeq(f->name, word_fields[i].name))
			continue;
		p = junk_prefix_head(word_fields[i].prefix);
		body = mime_unfold(&w->arena,
		    bytes_first(f->body, JUNK_FIELD_MAX));
		junk_read_text(w, &p, mime_decode_words(&w->arena, body),
		    word_fields[i].traits);
		return;
	}
}

/* ---- who wrote it ---- */

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

static void
put_order(struct junk_words *w, struct bytes before, struct bytes name)
{
	struct junk_prefix p = junk_prefix_head(BYTES("order:"));
	unsigned char b[2 * JUNK_TRAIT_MAX + 1];

	bytes_lower(b, before);
	b[before.n] = '>';
	bytes_lower(b + before.n + 1, name);
	junk_words_put(w, &p, bytes_of(b, before.n + 1 + name.n));
}

/*
 * Words of the fields above, the name of each field as it is written and
 * behind which other one, and traits.
 */
void
junk_read_header(struct junk_words *w, struct bytes header)
{
	struct junk_prefix p = junk_prefix_head(BYTES("field:"));
	struct bytes before = BYTES("^"), id = BYTES_EMPTY;
	struct bytes from = BYTES_EMPTY, value;
	struct mime_field f;
	size_t n = 0;

	while (n++ < JUNK_FIELDS_MAX && mime_next_field(&header, &f)) {
		if (f.name.n == 0 || f.name.n > JUNK_TRAIT_MAX ||
		    is_own(f.name))
			continue;
		junk_words_put(w, &p, f.name);
		put_order(w, before, f.name);
		before = f.name;
		read_words(w, &f);
		value = bytes_trim(bytes_first(f.body, JUNK_FIELD_MAX));
		if (bytes_caseeq(f.name, BYTES("message-id")))
			id = value;
		else if (bytes_caseeq(f.name, BYTES("from")))
			from = value;
		else if (bytes_caseeq(f.name, BYTES("content-type")))
			put_spelling(w, mime_unfold(&w->arena, value));
	}
	put_id(w, mime_unfold(&w->arena, id), from);
}
