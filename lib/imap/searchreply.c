/*
 * searchreply.c - RETURN options of SEARCH, its responses, and "$"
 * (RFC 4731, RFC 5182, RFC 7162 3.1.5, RFC 9394 3.1)
 */
#include "imap/search.h"

#include <stdlib.h>

/* ---- what is asked ---- */

static bool
parse_partial_option(struct parser *p, struct search_return *r)
{
	if (r->partial)
		return parse_fail(p, "PARTIAL twice");
	r->partial = true;
	return parse_space(p) && parse_window(p, &r->window);
}

/* RFC 5465 7: what to FETCH of new messages. */
static bool
parse_update_items(struct parser *p, struct search_return *r)
{
	struct bytes text = bytes_from(p->s, 1);
	struct fetch_item *items;

	if (!parse_space(p) || !parse_fetch_items(p, &items))
		return false;
	r->items = arena_bytes(p->a, bytes_first(text, text.n - p->s.n));
	return true;
}

static bool
parse_option(struct parser *p, struct search_return *r)
{
	bool context;		/* a hint that changes nothing here */
	const struct {
		const char *name;
		bool *on;
	} options[] = {
		{ "MIN", &r->min }, { "MAX", &r->max }, { "ALL", &r->all },
		{ "COUNT", &r->count }, { "SAVE", &r->save },
		{ "UPDATE", &r->update }, { "CONTEXT", &context },
	};
	struct bytes word = parse_word(p);
	size_t i;

	if (bytes_caseeq(word, BYTES("PARTIAL")))
		return parse_partial_option(p, r);
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (bytes_caseeq(word, bytes_str(options[i].name))) {
			*options[i].on = true;
			return options[i].on != &r->update ||
			    !bytes_starts(p->s, BYTES(" (")) ||
			    parse_update_items(p, r);
		}
	}
	return parse_fail(p, "unknown RETURN option");
}

bool
parse_search_return(struct parser *p, struct search_return *r)
{
	*r = (struct search_return){ .given = true };
	if (!parse_char(p, '('))
		return false;
	if (!parse_optional(p, ')')) {
		do {
			if (!parse_option(p, r))
				return false;
		} while (parse_optional(p, ' '));
		if (!parse_char(p, ')'))
			return false;
	}
	if (r->partial && r->all)
		return parse_fail(p, "PARTIAL and ALL together");
	/* RFC 4731 3.1: nothing named is ALL. */
	if (!r->min && !r->max && !r->count && !r->save && !r->partial)
		r->all = true;
	return true;
}

bool
parse_window(struct parser *p, struct window *w)
{
	uint64_t a, b;

	w->from_end = parse_optional(p, '-');
	if (!parse_number(p, UINT32_MAX, &a) || !parse_char(p, ':') ||
	    (w->from_end && !parse_char(p, '-')) ||
	    !parse_number(p, UINT32_MAX, &b))
		return false;
	if (a == 0 || b == 0)
		return parse_fail(p, "positions begin at 1");
	w->first = (uint32_t)(a < b ? a : b);
	w->last = (uint32_t)(a < b ? b : a);
	/* "4:2" is answered as the same "2:4", which clients know. */
	w->text = bytes_str(arena_printf(p->a, w->from_end ? "-%lu:-%lu"
	    : "%lu:%lu", (unsigned long)(w->from_end ? a : w->first),
	    (unsigned long)(w->from_end ? b : w->last)));
	return true;
}

void
window_cut(const struct window *w, size_t n, size_t *from, size_t *to)
{
	size_t last = w->last < n ? w->last : n;

	*from = *to = 0;
	if (w->first > n)
		return;
	*from = w->from_end ? n - last : w->first - 1;
	*to = w->from_end ? n - w->first + 1 : last;
}

/* ---- what was found ---- */

/* Among n results in order, does one of them belong to the answer? */
static bool
answered(const struct search_return *r, size_t i, size_t n)
{
	size_t from = 0, to = 0;

	if (r->all || r->count || (!r->min && !r->max && !r->partial))
		return true;
	if (r->partial)
		window_cut(&r->window, n, &from, &to);
	return (r->min && i == 0) || (r->max && i == n - 1) ||
	    (i >= from && i < to);
}

void
box_save(struct imap *im, const uint32_t *uids, size_t n)
{
	struct box *b = &im->box;

	free(b->saved);
	b->saved = NULL;
	b->saved_count = n;
	if (n == 0)
		return;
	b->saved = mem_alloc(n * sizeof(*b->saved));
	memcpy(b->saved, uids, n * sizeof(*b->saved));
}

/* RFC 5182 2.1: what is answered is what is kept. */
void
search_save(struct imap *im, const struct search_return *r,
    const struct search_result *found)
{
	uint32_t *uids = arena_zalloc(&im->arena, found->n + 1,
	    sizeof(*uids));
	size_t i, n = 0;

	for (i = 0; i < found->n; i++) {
		if (answered(r, i, found->n))
			uids[n++] = found->hits[i].uid;
	}
	box_save(im, uids, n);
}

/* The greatest modseq of what is answered (RFC 4731 3.2). */
static uint64_t
modseq_of(const struct search_return *r, const struct search_result *found)
{
	uint64_t modseq = 0;
	size_t i;

	for (i = 0; i < found->n; i++) {
		if (answered(r, i, found->n) && found->hits[i].modseq > modseq)
			modseq = found->hits[i].modseq;
	}
	return modseq;
}

/* The results as the client numbers them. */
static uint32_t *
numbers_of(struct imap *im, const struct search_result *found)
{
	uint32_t *numbers = arena_zalloc(&im->arena, found->n + 1,
	    sizeof(*numbers));
	size_t i;

	for (i = 0; i < found->n; i++)
		numbers[i] = im->is_uid ? found->hits[i].uid
		    : found->hits[i].index + 1;
	return numbers;
}

static void
add_partial(struct buf *out, const struct window *w,
    const uint32_t *numbers, size_t n)
{
	size_t from, to;

	window_cut(w, n, &from, &to);
	buf_printf(out, " PARTIAL (%.*s ", BYTES_ARG(w->text));
	if (from == to)
		buf_adds(out, "NIL");
	else
		imap_add_set(out, numbers + from, to - from);
	buf_addc(out, ')');
}

void
add_esearch_head(struct imap *im, struct bytes tag, bool uid)
{
	buf_adds(&im->out, "* ESEARCH (TAG ");
	imap_add_string(&im->out, tag);
	buf_adds(&im->out, uid ? ") UID" : ")");
}

void
add_returned(struct buf *out, const struct search_return *r,
    const uint32_t *numbers, size_t n)
{
	if (r->min && n > 0)
		buf_printf(out, " MIN %lu", (unsigned long)numbers[0]);
	if (r->max && n > 0)
		buf_printf(out, " MAX %lu", (unsigned long)numbers[n - 1]);
	if (r->all && n > 0) {
		buf_adds(out, " ALL ");
		imap_add_set(out, numbers, n);
	}
	if (r->count)
		buf_printf(out, " COUNT %zu", n);
	if (r->partial)
		add_partial(out, &r->window, numbers, n);
}

void
add_found_modseq(struct imap *im, const struct search_args *args,
    const struct search_result *found)
{
	if (args->modseq && found->n > 0)
		buf_printf(&im->out, " MODSEQ %llu", (unsigned long long)
		    modseq_of(&args->ret, found));
}

static void
add_esearch(struct imap *im, const struct search_args *args,
    const struct search_result *found)
{
	const struct search_return *r = &args->ret;

	add_esearch_head(im, im->tag, im->is_uid);
	add_returned(&im->out, r, numbers_of(im, found), found->n);
	add_found_modseq(im, args, found);
	buf_adds(&im->out, "\r\n");
}

/* RFC 3501 7.2.5; MODSEQ: RFC 7162 3.1.5. */
static void
add_search(struct imap *im, const char *name, const struct search_return *r,
    const struct search_result *found, bool with_modseq)
{
	const uint32_t *numbers = numbers_of(im, found);
	size_t i;

	buf_printf(&im->out, "* %s", name);
	for (i = 0; i < found->n; i++) {
		buf_addc(&im->out, ' ');
		buf_addnum(&im->out, numbers[i]);
	}
	if (with_modseq && found->n > 0)
		buf_printf(&im->out, " (MODSEQ %llu)",
		    (unsigned long long)modseq_of(r, found));
	buf_adds(&im->out, "\r\n");
}

void
search_answer(struct imap *im, const char *name,
    const struct search_args *args, const struct search_result *found)
{
	const struct search_return *r = &args->ret;

	if (r->save)
		search_save(im, r, found);
	if (!r->given)
		add_search(im, name, r, found, args->modseq);
	else if (r->min || r->max || r->all || r->count || r->partial)
		add_esearch(im, args, found);
	/* RFC 5182 2.1: SAVE alone is not answered. */
}
