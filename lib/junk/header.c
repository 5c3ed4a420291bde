/*
 * header.c - the header of a message as words (who wrote it: author.c)
 *
 * Besides words there are traits of the program that made the message: which
 * fields it writes and in which order. Whoever sends junk in great numbers
 * writes programs for it, and these do not look like those that people use.
 *
 * What a mailing list adds tells by which way a message came, in many fields
 * at once: taken one by one they drown what the author wrote, so that junk
 * sent to a list passes as the list's. All of them are one trait.
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

/* What lists add (RFC 2369, RFC 2919 and their programs), save Sender. */
static const struct bytes list_fields[] = {
	N("precedence"), N("errors-to"), N("x-beenthere"), N("x-loop"),
	N("mailing-list"), N("x-mailing-list"),
};
static const struct bytes list_starts[] = { N("list-"), N("x-mailman-") };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Whether it is one of n names, or begins as one of m; it is not empty. */
static bool
is_among(struct bytes name, const struct bytes *names, size_t n,
    const struct bytes *starts, size_t m)
{
	size_t i;

	/* Few have the length or the first letter: most calls are saved. */
	for (i = 0; i < n; i++) {
		if (name.n == names[i].n && bytes_caseeq(name, names[i]))
			return true;
	}
	for (i = 0; i < m; i++) {
		if ((name.p[0] | 0x20) == starts[i].p[0] &&
		    bytes_casestarts(name, starts[i]))
			return true;
	}
	return false;
}

static bool
is_own(struct bytes name)
{
	return is_among(name, own_fields, COUNT(own_fields), own_starts,
	    COUNT(own_starts));
}

static bool
is_of_list(struct bytes name)
{
	return is_among(name, list_fields, COUNT(list_fields), list_starts,
	    COUNT(list_starts));
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

/* The words of the subject are those of the text too. */
static void
read_body(struct junk_words *w, const struct mime_field *f, size_t i)
{
	struct junk_prefix p = junk_prefix_head(word_fields[i].prefix);
	struct junk_prefix plain = junk_prefix_of(BYTES_EMPTY);
	struct bytes body = mime_decode_words(&w->arena,
	    mime_unfold(&w->arena, bytes_first(f->body, JUNK_FIELD_MAX)));

	junk_read_text(w, &p, body, word_fields[i].traits);
	if (word_fields[i].traits)
		junk_read_text(w, &plain, body, false);
}

static void
read_words(struct junk_words *w, const struct mime_field *f)
{
	size_t i;

	for (i = 0; i < COUNT(word_fields); i++) {
		if (f->name.n == word_fields[i].name.n &&
		    bytes_caseeq(f->name, word_fields[i].name)) {
			read_body(w, f, i);
			return;
		}
	}
}

static void
put_name(struct junk_words *w, struct bytes name)
{
	struct junk_prefix p = junk_prefix_head(BYTES("field:"));

	junk_words_put(w, &p, name);
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

/* What the header says of its author, of values as they are written. */
static void
note(struct junk_author *a, struct junk_words *w, const struct mime_field *f)
{
	struct bytes value = bytes_trim(bytes_first(f->body,
	    JUNK_FIELD_MAX));

	if (bytes_caseeq(f->name, BYTES("message-id")))
		a->id = mime_unfold(&w->arena, value);
	else if (bytes_caseeq(f->name, BYTES("from")))
		a->from = value;
	else if (bytes_caseeq(f->name, BYTES("reply-to")))
		a->reply_to = value;
	else if (bytes_caseeq(f->name, BYTES("content-type")))
		a->content_type = mime_unfold(&w->arena, value);
	else if (bytes_caseeq(f->name, BYTES("subject"))) {
		a->subject = value;
		a->has_subject = true;
	}
}

/*
 * Words of the fields above, the name of each field as it is written and
 * behind which other one, and traits. Sender is read last: a list writes
 * itself there.
 */
void
junk_read_header(struct junk_words *w, struct bytes header)
{
	struct bytes before = BYTES("^");
	struct mime_field f, sender = { .name = BYTES_EMPTY };
	struct junk_author author = { BYTES_EMPTY, BYTES_EMPTY, BYTES_EMPTY,
	    BYTES_EMPTY, BYTES_EMPTY, false };
	bool is_list = false;
	size_t n = 0;

	while (n++ < JUNK_FIELDS_MAX && mime_next_field(&header, &f)) {
		if (f.name.n == 0 || f.name.n > JUNK_TRAIT_MAX ||
		    is_own(f.name))
			continue;
		if (bytes_caseeq(f.name, BYTES("sender"))) {
			sender = f;
			continue;
		}
		if (is_of_list(f.name)) {
			is_list |= !bytes_caseeq(f.name, BYTES("errors-to"));
			continue;
		}
		put_name(w, f.name);
		put_order(w, before, f.name);
		before = f.name;
		read_words(w, &f);
		note(&author, w, &f);
	}
	if (is_list)
		put_name(w, BYTES("list-*"));
	else if (sender.name.n > 0) {
		put_name(w, sender.name);
		read_words(w, &sender);
	}
	junk_read_author(w, &author);
}
