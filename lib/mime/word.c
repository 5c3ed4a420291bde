/*
 * word.c - encoded words (RFC 2047), message ids, base subjects
 *
 * Neighbouring encoded words of one charset are put together before they are
 * converted: many writers cut them in the middle of a character.
 */
#include "mime/mime.h"

#include "mime/internal.h"
#include "unicode/unicode.h"

/* Longest charset name with language (RFC 2231 5) we look for. */
#define WORD_CHARSET_MAX 80

struct encoded_word {
	struct bytes charset;
	struct bytes text;
	bool is_base64;
};

/* An encoded word at the front of *s, taken off; false: none, no change. */
static bool
cut_word(struct bytes *s, struct encoded_word *w)
{
	struct bytes rest = *s, charset, text;
	size_t at;
	int c;

	if (!bytes_skip(&rest, BYTES("=?")))
		return false;
	if (!bytes_chr(bytes_first(rest, WORD_CHARSET_MAX), '?', &at))
		return false;
	charset = bytes_first(rest, at);
	rest = bytes_from(rest, at + 1);
	c = ascii_lower(bytes_next(&rest));
	if ((c != 'b' && c != 'q') || bytes_next(&rest) != '?')
		return false;
	if (!bytes_chr(rest, '?', &at) || bytes_at(rest, at + 1) != '=')
		return false;
	text = bytes_first(rest, at);
	(void)bytes_split(&charset, '*', &w->charset);	/* language */
	w->text = text;
	w->is_base64 = c == 'b';
	*s = bytes_from(rest, at + 2);
	return w->charset.n > 0;
}

/* The output, and decoded bytes that wait for more of their charset. */
struct word_state {
	struct arena *arena;
	struct buf out;
	struct buf raw;
	struct bytes charset;
};

static void
flush(struct word_state *st)
{
	struct bytes text;

	if (st->raw.n == 0)
		return;
	/* As well as it goes; capped. */
	(void)unicode_from_charset(st->arena, st->charset,
	    buf_bytes(&st->raw), MIME_VALUE_MAX, &text);
	(void)buf_add(&st->out, value_without_controls(st->arena, text));
	buf_reset(&st->raw);
}

static void
add_plain(struct word_state *st, struct bytes s)
{
	flush(st);
	st->charset = BYTES_EMPTY;
	(void)buf_add(&st->raw, s);		/* cap: size of the input */
	flush(st);
}

static void
add_word(struct word_state *st, const struct encoded_word *w)
{
	if (!bytes_caseeq(st->charset, w->charset))
		flush(st);
	st->charset = w->charset;
	/* Decoded words are shorter than encoded ones: they fit. */
	if (w->is_base64)
		(void)base64_decode_lax(&st->raw, w->text);
	else
		(void)q_decode(&st->raw, w->text);
}

struct bytes
mime_decode_words(struct arena *a, struct bytes s)
{
	struct word_state st = { a, BUF_INIT(MIME_VALUE_MAX),
	    BUF_INIT(s.n), BYTES_EMPTY };
	struct bytes plain = s, result;
	struct encoded_word w;
	bool after_word = false;
	size_t at;

	if (bytes_is_ascii(s) && !bytes_find(s, BYTES("=?"), &at))
		return s.n <= MIME_VALUE_MAX ? s
		    : bytes_first(s, MIME_VALUE_MAX);
	while (s.n > 0) {
		struct bytes before = bytes_of(plain.p, plain.n - s.n);

		if (cut_word(&s, &w)) {
			/* Blanks between two words are no text. */
			if (!after_word || bytes_trim(before).n > 0)
				add_plain(&st, before);
			add_word(&st, &w);
			after_word = true;
			plain = s;
		} else {
			s = bytes_from(s, 1);
			s = bytes_chr(s, '=', &at) ? bytes_from(s, at)
			    : BYTES_EMPTY;
		}
	}
	if (plain.n > 0)
		add_plain(&st, plain);
	flush(&st);
	result = arena_bytes(a, buf_bytes(&st.out));
	buf_free(&st.out);
	buf_free(&st.raw);
	return result;
}

struct bytes
mime_field_text(struct arena *a, struct bytes header, struct bytes name)
{
	return mime_decode_words(a, mime_field_value(a, header, name));
}

/* ---- message ids (RFC 5322 3.6.4) ---- */

static struct bytes
without_space(struct arena *a, struct bytes s)
{
	unsigned char *p = arena_alloc(a, s.n);
	size_t n = 0;
	int c;

	while ((c = bytes_next(&s)) != -1) {
		if (!ascii_is_space(c))
			p[n++] = (unsigned char)c;
	}
	return bytes_of(p, n);
}

bool
mime_next_msg_id(struct arena *a, struct bytes *s, struct bytes *id)
{
	struct bytes text, word;
	size_t at;

	while (bytes_chr(*s, '<', &at)) {
		text = bytes_from(*s, at + 1);
		if (!bytes_split(&text, '>', &word)) {
			*s = BYTES_EMPTY;
			return false;
		}
		*s = text;
		/* "<a <b@c>": the inner one. */
		if (bytes_rchr(word, '<', &at))
			word = bytes_from(word, at + 1);
		*id = without_space(a, word);
		if (id->n > 0)
			return true;
	}
	/* A single word without brackets: some writers forget them. */
	text = bytes_trim(*s);
	*s = BYTES_EMPTY;
	if (!bytes_word(&text, &word) || text.n > 0 ||
	    bytes_chr(word, '>', &at))
		return false;
	*id = word;
	return true;
}

/* ---- base subject (RFC 5256 2.1) ---- */

/* "[" anything but brackets "]" and blanks, taken off *s. */
static bool
skip_blob(struct bytes *s)
{
	struct bytes rest = *s;
	int c;

	if (bytes_next(&rest) != '[')
		return false;
	while ((c = bytes_next(&rest)) != ']') {
		if (c == -1 || c == '[')
			return false;
	}
	*s = bytes_ltrim(rest);
	return true;
}

/* *subj-blob ("re" / "fw" / "fwd") *WSP [subj-blob] ":" */
static bool
skip_leader(struct bytes *s)
{
	struct bytes rest = *s;

	while (skip_blob(&rest))
		;
	if (!bytes_caseskip(&rest, BYTES("re")) &&
	    !bytes_caseskip(&rest, BYTES("fwd")) &&
	    !bytes_caseskip(&rest, BYTES("fw")))
		return false;
	rest = bytes_ltrim(rest);
	(void)skip_blob(&rest);		/* it may be there */
	if (bytes_next(&rest) != ':')
		return false;
	*s = bytes_ltrim(rest);
	return true;
}

static struct bytes
collapse_space(struct arena *a, struct bytes s)
{
	unsigned char *p = arena_alloc(a, s.n);
	size_t n = 0;
	int c;

	s = bytes_trim(s);
	while ((c = bytes_next(&s)) != -1) {
		if (!ascii_is_space(c))
			p[n++] = (unsigned char)c;
		else if (!ascii_is_space(bytes_at(s, 0)))
			p[n++] = ' ';
	}
	return bytes_of(p, n);
}

struct bytes
mime_base_subject(struct arena *a, struct bytes subject_text, bool *is_reply)
{
	struct bytes s = collapse_space(a, subject_text), rest;
	bool more = true;

	*is_reply = false;
	while (more) {
		more = false;
		while (bytes_caseends(s, BYTES("(fwd)"))) {
			s = bytes_rtrim(bytes_first(s, s.n - 5));
			*is_reply = true;
		}
		while (skip_leader(&s))
			*is_reply = true;
		rest = s;
		if (skip_blob(&rest) && rest.n > 0) {
			s = rest;
			more = true;
		}
		if (bytes_casestarts(s, BYTES("[fwd:")) &&
		    bytes_ends(s, BYTES("]"))) {
			s = bytes_trim(bytes_from(bytes_first(s, s.n - 1), 5));
			*is_reply = true;
			more = true;
		}
	}
	return unicode_fold(a, s);
}
