/*
 * sort.c - SORT: messages in order (RFC 5256 3, RFC 5957)
 *
 * What a message is sorted by is taken from its record when it is found, once;
 * no file is read. Texts are compared as i;unicode-casemap has it: without
 * case, letters of ASCII as capitals.
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

/* To be compared as bytes; in the sort's arena. */
static struct bytes
collated(struct sort *sort, struct search *s, struct bytes text)
{
	struct bytes t = unicode_fold(&s->arena, text);
	unsigned char *p = arena_alloc(sort->a, t.n + 1);
	size_t i;

	for (i = 0; i < t.n; i++)
		p[i] = (unsigned char)ascii_upper(t.p[i]);
	return bytes_of(p, t.n);
}

static struct bytes
subject_value(struct sort *sort, struct search *s)
{
	struct bytes text;
	bool is_reply;

	if (!envelope_text(&s->arena, &s->text, s->message.record.envelope,
	    ENV_SUBJECT, &text))
		return BYTES_EMPTY;
	return collated(sort, s, mime_base_subject(&s->arena,
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
	return collated(sort, s, text);
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

struct item {
	const struct sort *sort;
	const struct sort_value *values;
	struct search_hit hit;
};

static int
item_cmp(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	size_t i;
	int r;

	for (i = 0; i < x->sort->count; i++) {
		const struct sort_value *v = &x->values[i];
		const struct sort_value *w = &y->values[i];

		r = (v->number > w->number) - (v->number < w->number);
		if (r == 0)
			r = bytes_cmp(v->text, w->text);
		if (r != 0)
			return x->sort->by[i].reverse ? -r : r;
	}
	/* Never reversed: RFC 5256 3. */
	return (x->hit.uid > y->hit.uid) - (x->hit.uid < y->hit.uid);
}

void
sort_found(struct sort *sort, struct search_result *found)
{
	struct item *items = arena_zalloc(sort->a, found->n + 1,
	    sizeof(*items));
	size_t i;

	for (i = 0; i < found->n; i++)
		items[i] = (struct item){ sort,
		    &sort->values[i * sort->count], found->hits[i] };
	qsort(items, found->n, sizeof(*items), item_cmp);
	for (i = 0; i < found->n; i++)
		found->hits[i] = items[i].hit;
}
