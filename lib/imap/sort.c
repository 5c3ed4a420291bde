/*
 * sort.c - SORT: messages in order (RFC 5256 3, RFC 5957)
 *
 * What a message is sorted by is taken from its record when it is found, once;
 * no file is read. Texts are compared as i;unicode-casemap has it: without
 * case, letters of ASCII as capitals. Messages are put in order by words of
 * eight bytes of that, and only those whose words are alike by the next ones.
 */
#include "imap/search.h"

#include <stdlib.h>

#include "unicode/unicode.h"

static const char *const names[] = {
	[SORT_ARRIVAL] = "ARRIVAL", [SORT_CC] = "CC", [SORT_DATE] = "DATE",
	[SORT_FROM] = "FROM", [SORT_SIZE] = "SIZE",
	[SORT_SUBJECT] = "SUBJECT", [SORT_TO] = "TO",
	[SORT_DISPLAY_FROM] = "DISPLAYFROM",
	[SORT_DISPLAY_TO] = "DISPLAYTO",
};

static bool
parse_criterion(struct parser *p, struct sort_criterion *out)
{
	struct bytes word = parse_word(p);
	size_t i;

	out->reverse = bytes_caseeq(word, BYTES("REVERSE"));
	if (out->reverse) {
		if (!parse_space(p))
			return false;
		word = parse_word(p);
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (bytes_caseeq(word, bytes_str(names[i]))) {
			out->key = (enum sort_key)i;
			return true;
		}
	}
	return parse_fail(p, "unknown sort key");
}

bool
parse_sort(struct parser *p, struct sort *out)
{
	*out = (struct sort){ .a = p->a };
	if (!parse_char(p, '('))
		return false;
	do {
		if (out->count == SORT_CRITERIA_MAX)
			return parse_fail(p, "too many sort keys");
		if (!parse_criterion(p, &out->by[out->count++]))
			return false;
	} while (parse_optional(p, ' '));
	return parse_char(p, ')');
}

/* ---- values ---- */

/* Folded text to be compared as bytes; in the sort's arena. */
static struct bytes
collated(struct sort *sort, struct bytes folded)
{
	unsigned char *p = arena_alloc(sort->a, folded.n);

	bytes_upper(p, folded);
	return bytes_of(p, folded.n);
}

static struct bytes
subject_value(struct sort *sort, struct search *s)
{
	struct bytes text;
	bool is_reply;

	if (!envelope_text(&s->arena, &s->text, s->message.record.envelope,
	    ENV_SUBJECT, &text))
		return BYTES_EMPTY;
	return collated(sort, mime_base_subject(&s->arena,
	    envelope_decode(&s->arena, text), &is_reply));
}

/* RFC 5256 3: the mailbox; RFC 5957 3: the name, else the address. */
static struct bytes
address_value(struct sort *sort, struct search *s, enum env_field field,
    bool display)
{
	struct env_address at;
	struct bytes text;

	if (!envelope_address(&s->arena, s->message.record.envelope, field,
	    &at))
		return BYTES_EMPTY;
	text = at.mailbox;
	if (display && at.name.n > 0)
		text = envelope_decode(&s->arena, at.name);
	else if (display && at.host.n > 0)
		text = bytes_str(arena_printf(&s->arena, "%.*s@%.*s",
		    BYTES_ARG(at.mailbox), BYTES_ARG(at.host)));
	return collated(sort, unicode_fold(&s->arena, text));
}

static void
set_value(struct sort *sort, struct search *s, enum sort_key key,
    struct sort_value *v)
{
	const struct store_message *m = &s->message.record;

	*v = (struct sort_value){ 0, BYTES_EMPTY };
	switch (key) {
	case SORT_ARRIVAL:
		v->number = m->internal_date;
		break;
	case SORT_DATE:
		v->number = sent_seconds(s);
		break;
	case SORT_SIZE:
		v->number = (int64_t)m->size_crlf;
		break;
	case SORT_SUBJECT:
		v->text = subject_value(sort, s);
		break;
	case SORT_CC:
		v->text = address_value(sort, s, ENV_CC, false);
		break;
	case SORT_FROM:
	case SORT_DISPLAY_FROM:
		v->text = address_value(sort, s, ENV_FROM,
		    key == SORT_DISPLAY_FROM);
		break;
	case SORT_TO:
	case SORT_DISPLAY_TO:
		v->text = address_value(sort, s, ENV_TO,
		    key == SORT_DISPLAY_TO);
		break;
	}
}

void
sort_hit(struct search *s, void *ctx)
{
	struct sort *sort = ctx;
	size_t i;

	if (sort->n == sort->size) {
		sort->size = sort->size == 0 ? 64 : sort->size * 2;
		sort->values = mem_realloc(sort->values, sort->size *
		    sort->count * sizeof(*sort->values));
	}
	for (i = 0; i < sort->count; i++)
		set_value(sort, s, sort->by[i].key,
		    &sort->values[sort->n * sort->count + i]);
	sort->n++;
}

void
sort_free(struct sort *sort)
{
	free(sort->values);
	sort->values = NULL;
	sort->n = sort->size = 0;
}

/* ---- order ---- */

#define WORD_BYTES 7
/* So many are sorted faster by bytes than by comparing. */
#define BYTES_FROM 512

struct item {
	uint64_t word;
	size_t at;		/* among what was found */
};

/* What messages are compared by: a criterion, and a word of its text. */
struct level {
	const struct sort *sort;
	size_t by, word;
};

/* Items that are alike above a level. */
struct range {
	struct level level;
	size_t from, to;
};

/*
 * Texts: WORD_BYTES of them and how many there were, or one more than that:
 * there are others, to be looked at where these are alike.
 */
static uint64_t
text_word(struct bytes text, size_t word)
{
	struct bytes s = bytes_from(text, word * WORD_BYTES);
	unsigned char w[8] = { 0 };

	w[WORD_BYTES] = (unsigned char)(s.n > WORD_BYTES ? WORD_BYTES + 1
	    : s.n);
	s = bytes_first(s, WORD_BYTES);
	memcpy(w, s.p, s.n);
	return be64_get(w);
}

static bool
is_number(enum sort_key key)
{
	return key == SORT_ARRIVAL || key == SORT_DATE || key == SORT_SIZE;
}

static const struct sort_value *
value_of(const struct sort *sort, size_t at, size_t by)
{
	return &sort->values[at * sort->count + by];
}

static uint64_t
word_of(const struct level *l, size_t at)
{
	const struct sort_value *v = value_of(l->sort, at, l->by);
	uint64_t w = is_number(l->sort->by[l->by].key)
	    ? (uint64_t)v->number ^ UINT64_C(1) << 63
	    : text_word(v->text, l->word);

	return l->sort->by[l->by].reverse ? ~w : w;
}

/* What is alike stays as it was found, reversed or not: RFC 5256 3. */
static int
word_cmp(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->word != y->word ? (x->word > y->word ? 1 : -1)
	    : (x->at > y->at) - (x->at < y->at);
}

/* By one byte of their words: false, and nothing done, if all have the same. */
static bool
sort_byte(const struct item *items, size_t n, unsigned int shift,
    struct item *out)
{
	size_t start[257] = { 0 }, i;

	for (i = 0; i < n; i++)
		start[(items[i].word >> shift & 0xff) + 1]++;
	if (start[(items[0].word >> shift & 0xff) + 1] == n)
		return false;
	for (i = 0; i < 256; i++)
		start[i + 1] += start[i];
	for (i = 0; i < n; i++)
		out[start[items[i].word >> shift & 0xff]++] = items[i];
	return true;
}

/* Many: by each byte of their words, the last one first. */
static void
sort_bytes(struct item *items, size_t n, struct item *spare)
{
	struct item *from = items, *to = spare, *other;
	unsigned int shift;

	for (shift = 0; shift < 64; shift += 8) {
		if (!sort_byte(from, n, shift, to))
			continue;
		other = from;
		from = to;
		to = other;
	}
	if (from != items)
		memcpy(items, from, n * sizeof(*items));
}

/* The level below l for messages of one word; false: they are alike. */
static bool
next_level(struct level *l, uint64_t word)
{
	const struct sort_criterion *by = &l->sort->by[l->by];

	if (by->reverse)
		word = ~word;
	if (!is_number(by->key) && (word & 0xff) > WORD_BYTES) {
		l->word++;
		return true;
	}
	l->word = 0;
	return ++l->by < l->sort->count;
}

static void
sort_range(struct item *items, const struct range *r, struct item *spare)
{
	size_t i, n = r->to - r->from;
	bool alike = true;

	for (i = r->from; i < r->to; i++) {
		items[i].word = word_of(&r->level, items[i].at);
		alike = alike && items[i].word == items[r->from].word;
	}
	if (alike)
		return;
	if (n >= BYTES_FROM)
		sort_bytes(items + r->from, n, spare);
	else
		qsort(items + r->from, n, sizeof(*items), word_cmp);
}

/* The ranges below r, which is sorted, into out; their number. */
static size_t
ranges_below(const struct item *items, const struct range *r,
    struct range *out)
{
	size_t i = r->from, n = 0;

	while (i < r->to) {
		struct range sub = { r->level, i, i + 1 };

		while (sub.to < r->to && items[sub.to].word == items[i].word)
			sub.to++;
		if (sub.to - i > 1 && next_level(&sub.level, items[i].word))
			out[n++] = sub;
		i = sub.to;
	}
	return n;
}

/* Not set: what is not used costs no memory. */
static void *
room(struct sort *sort, size_t count, size_t size)
{
	size_t n;

	if (!size_mul(count + 1, size, &n))
		mem_exhausted();
	return arena_alloc(sort->a, n);
}

void
sort_found(struct sort *sort, struct search_result *found)
{
	struct item *items = room(sort, found->n, sizeof(*items));
	struct item *spare = room(sort, found->n, sizeof(*spare));
	struct search_hit *hits = room(sort, found->n, sizeof(*hits));
	/* None has a message of another one, and each has two or more. */
	struct range *todo = room(sort, found->n / 2, sizeof(*todo)), r;
	size_t i, n = 1;

	for (i = 0; i < found->n; i++) {
		items[i].at = i;
		hits[i] = found->hits[i];
	}
	todo[0] = (struct range){ { sort, 0, 0 }, 0, found->n };
	while (n > 0) {
		r = todo[--n];
		sort_range(items, &r, spare);
		n += ranges_below(items, &r, todo + n);
	}
	for (i = 0; i < found->n; i++)
		found->hits[i] = hits[items[i].at];
}
