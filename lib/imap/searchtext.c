/*
 * searchtext.c - text keys of SEARCH, on decoded text without case
 *
 * Needles are folded when they are parsed; text is decoded (RFC 2047, body
 * encodings and charsets) and folded here. ASCII in ASCII, the usual case,
 * needs no folding.
 */
#include "imap/search.h"

#include "unicode/unicode.h"

bool
text_matches(struct arena *a, const struct search_key *k, struct bytes text)
{
	size_t at;

	if (k->text.n == 0)
		return true;
	if (k->text_ascii && bytes_is_ascii(text))
		return bytes_casefind(text, k->text, &at);
	return bytes_find(unicode_fold(a, text), k->text, &at);
}

/* The file; where its record says, or by the store's search. */
static int
load(struct search *s)
{
	struct message *m = &s->message;

	if (!m->mapped && m->has_record && s->view != NULL)
		m->mapped = store_message_quick(s->view, &m->record,
		    &m->file) == 1;
	return message_load(s->store, s->mailbox, m);
}

/* Through the envelope: 1, 0, -1 it does not tell. */
static int
envelope_matches(struct search *s, const struct search_key *k)
{
	struct bytes text;
	enum env_field which;

	if (k->text.n == 0 || k->cost != COST_ENVELOPE ||
	    !s->message.has_record || !envelope_number(k->field, &which) ||
	    !envelope_text(&s->arena, &s->text, s->message.record.envelope,
	    which, &text))
		return -1;
	/* Sender and Reply-To are From there when they are absent: no match
	 * is certain, a match is not. */
	if (!text_matches(&s->arena, k, envelope_decode(&s->arena, text)))
		return 0;
	return which == ENV_SENDER || which == ENV_REPLY_TO ? -1 : 1;
}

int
header_matches(struct search *s, const struct search_key *k)
{
	struct arena *a = &s->arena;
	struct bytes header, body;
	struct mime_field f;
	int r = envelope_matches(s, k);

	if (r != -1)
		return r;
	if (load(s) == -1)
		return -1;
	mime_split(s->message.file, &header, &body);
	while (mime_next_field(&header, &f)) {
		if (bytes_caseeq(f.name, k->field) && text_matches(a, k,
		    mime_decode_words(a, mime_unfold(a, f.body))))
			return 1;
	}
	return 0;
}

/* The Date field; 1, 0 none that can be read, -1 no file. */
static int
sent_date(struct search *s, int64_t *seconds, int *zone)
{
	struct bytes header, body, date;

	if (!s->message.has_record || !envelope_text(&s->arena, &s->text,
	    s->message.record.envelope, ENV_DATE, &date)) {
		if (load(s) == -1)
			return -1;
		mime_split(s->message.file, &header, &body);
		date = mime_field_value(&s->arena, header, BYTES("Date"));
	}
	return date_parse(date, seconds, zone) == 0;
}

int
sent_day(struct search *s, int64_t *day)
{
	int64_t seconds;
	int zone, r = sent_date(s, &seconds, &zone);

	if (r != 1)
		return r;
	/* The day the sender wrote, whatever the zone. */
	seconds += (int64_t)zone * 60;
	*day = seconds / 86400 - (seconds % 86400 < 0);
	return 1;
}

int64_t
sent_seconds(struct search *s)
{
	int64_t seconds;
	int zone;

	return sent_date(s, &seconds, &zone) == 1 ? seconds
	    : s->message.record.internal_date;
}

int
body_matches(struct search *s, const struct search_key *k)
{
	size_t left = IMAP_SEARCH_TEXT_MAX;
	const struct mime_part *part = NULL;
	struct bytes header, text;
	struct arena *a = &s->arena;
	struct message *m = &s->message;
	struct mime_field f;

	if (load(s) == -1 ||
	    message_load_tree(s->store, s->mailbox, m) == -1)
		return -1;
	header = m->tree->root->header;
	while (k->kind == KEY_TEXT && mime_next_field(&header, &f)) {
		text = mime_decode_words(a, mime_unfold(a,
		    bytes_trim(f.raw)));
		if (text_matches(a, k, text))
			return 1;
	}
	while (mime_next_text(a, m->tree, &part, &left, &text)) {
		if (text_matches(a, k, text))
			return 1;
	}
	return 0;
}
