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

/* ---- ENVELOPE as the index keeps it ---- */

enum { ENV_DATE, ENV_SUBJECT, ENV_FROM, ENV_SENDER, ENV_REPLY_TO, ENV_TO,
	ENV_CC, ENV_BCC, ENV_IN_REPLY_TO, ENV_MESSAGE_ID, ENV_FIELDS };
static const char *const env_names[ENV_FIELDS] = { "DATE", "SUBJECT", "FROM",
	"SENDER", "REPLY-TO", "TO", "CC", "BCC", "IN-REPLY-TO",
	"MESSAGE-ID" };

/* "((name route mailbox host) ...)" as "name <mailbox@host>, ". */
static bool
parse_addresses(struct parser *p, struct buf *out)
{
	struct bytes name, route, mailbox, host;
	bool t[4];

	if (bytes_caseskip(&p->s, BYTES("NIL")))
		return true;
	if (!parse_char(p, '('))
		return false;
	while (parse_optional(p, '(')) {
		if (!parse_nstring(p, &name, &t[0]) || !parse_space(p) ||
		    !parse_nstring(p, &route, &t[1]) || !parse_space(p) ||
		    !parse_nstring(p, &mailbox, &t[2]) || !parse_space(p) ||
		    !parse_nstring(p, &host, &t[3]) || !parse_char(p, ')'))
			return false;
		buf_add(out, name);
		buf_adds(out, " <");
		buf_add(out, mailbox);
		if (t[3])
			buf_addc(out, '@');
		buf_add(out, host);
		buf_adds(out, ">, ");
		(void)parse_optional(p, ' ');	/* RFC 3501 has none */
	}
	return parse_char(p, ')');
}

/*
 * The text of one envelope field, raw. False: the record has no envelope, or
 * one that cannot be read so; ask the file.
 */
static bool
envelope_field(const struct message *m, struct arena *a, int which,
    struct bytes *out)
{
	struct parser p = { .s = BYTES_EMPTY, .a = a };
	struct buf b = BUF_INIT(MIME_VALUE_MAX);
	struct bytes text = BYTES_EMPTY;
	bool good = true, there;
	int i;

	if (!m->has_record || m->record.envelope.n == 0)
		return false;
	p.s = m->record.envelope;
	for (i = 0; good && i <= which; i++) {
		bool list = i >= ENV_FROM && i <= ENV_BCC;

		if (i > 0)
			good = parse_space(&p);
		buf_reset(&b);
		text = BYTES_EMPTY;
		if (good)
			good = list ? parse_addresses(&p, &b)
			    : parse_nstring(&p, &text, &there);
		if (list)
			text = buf_bytes(&b);
	}
	good = good && !b.full;
	if (good)
		*out = arena_bytes(a, text);
	buf_free(&b);
	return good;
}

static bool
envelope_number(struct bytes field, int *which)
{
	for (*which = ENV_SUBJECT; *which < ENV_FIELDS; (*which)++) {
		if (bytes_caseeq(field, bytes_str(env_names[*which])))
			return true;
	}
	return false;
}

int
header_matches(struct imap *im, struct message *m, struct arena *a,
    const struct search_key *k)
{
	struct bytes header, body, text;
	struct mime_field f;
	int which;

	if (k->text.n > 0 && k->cost == COST_ENVELOPE &&
	    envelope_number(k->field, &which) &&
	    envelope_field(m, a, which, &text)) {
		/* Sender and Reply-To are From there when they are absent:
		 * no match is certain, a match is not. */
		if (!text_matches(a, k, mime_decode_words(a, text)))
			return 0;
		if (which != ENV_SENDER && which != ENV_REPLY_TO)
			return 1;
	}
	if (message_file(im, m) == -1)
		return -1;
	mime_split(m->file, &header, &body);
	while (mime_next_field(&header, &f)) {
		if (bytes_caseeq(f.name, k->field) && text_matches(a, k,
		    mime_decode_words(a, mime_unfold(a, f.body))))
			return 1;
	}
	return 0;
}

int
sent_day(struct imap *im, struct message *m, struct arena *a, int64_t *day)
{
	struct bytes header, body, date;
	int64_t seconds;
	int zone;

	if (!envelope_field(m, a, ENV_DATE, &date)) {
		if (message_file(im, m) == -1)
			return -1;
		mime_split(m->file, &header, &body);
		date = mime_field_value(a, header, BYTES("Date"));
	}
	if (date_parse(date, &seconds, &zone) == -1)
		return 0;
	/* The day the sender wrote, whatever the zone. */
	seconds += (int64_t)zone * 60;
	*day = seconds / 86400 - (seconds % 86400 < 0);
	return 1;
}

bool
text_ruled_out(struct store_view *v, const struct message *m,
    const struct search_key *k)
{
	return m->has_record && k->cost != COST_ENVELOPE &&
	    store_text_maybe(v, m->record.mailbox, m->uid, &k->grams,
	    k->kind != KEY_BODY, k->kind != KEY_HEADER) == 0;
}

int
body_matches(struct imap *im, struct message *m, struct arena *a,
    const struct search_key *k)
{
	size_t left = IMAP_SEARCH_TEXT_MAX;
	const struct mime_part *part = NULL;
	struct bytes header, text;
	struct mime_field f;

	if (message_tree(im, m) == -1)
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
