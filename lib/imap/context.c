/*
 * context.c - searches whose results are kept up to date (RFC 5267 4.3)
 *
 * A context holds the UIDs that were found, in their order. Messages that
 * came or changed are asked again, by the keys as they were given; for SORT
 * all of its messages are then sorted anew. REMOVEFROM and ADDTO say how the
 * client's list becomes ours, each position that of the list as it then is.
 */
#include "imap/notify.h"
#include "imap/search.h"

#include <stdlib.h>

struct context {
	struct context *next;
	struct arena a;			/* keys, tag; until it ends */
	struct bytes tag;
	bool is_uid;
	bool sorted;
	bool multi;			/* of ESEARCH: with the mailbox */
	struct store_mailbox mailbox;
	struct sort sort;		/* its criteria */
	struct search search;
	uint32_t last_uid;		/* newer ones were not asked yet */
	uint32_t *uids;			/* the client's list */
	size_t n;
	struct fetch_item *items;	/* of new ones (RFC 5465 7) */
	uint32_t *fresh;		/* whose items are to be sent */
	size_t fresh_count;
};

static void
context_free(struct context *c)
{
	free(c->uids);
	free(c->fresh);
	search_end(&c->search);
	arena_free(&c->a);
	free(c);
}

void
contexts_drop(struct imap *im)
{
	while (im->contexts != NULL) {
		struct context *c = im->contexts;

		im->contexts = c->next;
		context_free(c);
	}
}

static struct context **
context_find(struct imap *im, struct bytes tag)
{
	struct context **c = &im->contexts;

	while (*c != NULL && !bytes_eq((*c)->tag, tag))
		c = &(*c)->next;
	return c;
}

/* RFC 5267 4.3.5 */
void
command_cancelupdate(struct imap *im, struct parser *p)
{
	struct context **c, *gone;
	struct bytes tag;

	do {
		if (!parse_space(p) || !parse_string(p, &tag))
			return;
		c = context_find(im, tag);
		if (*c == NULL) {
			(void)parse_fail(p, "no such search");
			return;
		}
		gone = *c;
		*c = gone->next;
		context_free(gone);
	} while (p->s.n > 0);
	reply_done(im);
}

/* The keys once more, for as long as the context lives. 0, -1. */
static int
context_begin(struct imap *im, struct context *c,
    const struct search_args *was)
{
	struct search_args args;
	struct parser p = session_parser(im, arena_bytes(&c->a, was->text));

	p.a = &c->a;
	p.filters = was->filters;
	if (!parse_search_keys(&p, &args))
		return -1;
	p = session_parser(im, arena_bytes(&c->a, was->ret.items));
	p.a = &c->a;
	if (p.s.n > 0 && !parse_fetch_items(&p, &c->items))
		return -1;
	fetch_peek(c->items);
	c->search = (struct search){ .store = im->o.store,
	    .mailbox = im->box.id, .im = im, .root = args.root,
	    .lasting = true };
	return search_begin(&c->search);
}

bool
context_has_tag(struct imap *im)
{
	return *context_find(im, im->tag) != NULL;
}

static bool
may_keep(struct imap *im)
{
	const struct context *c;
	size_t n = 0;

	for (c = im->contexts; c != NULL; c = c->next)
		n++;
	return n < CONTEXTS_MAX;
}

void
context_keep(struct imap *im, const struct search_args *args,
    const struct sort *sort, const struct store_mailbox *mailbox,
    const struct search_result *found)
{
	struct context *c = mem_zalloc(1, sizeof(*c));
	size_t i;

	c->a = (struct arena)ARENA_INIT;
	if (!may_keep(im) || context_begin(im, c, args) == -1) {
		context_free(c);
		buf_adds(&im->out, "* NO [NOUPDATE ");
		imap_add_string(&im->out, im->tag);
		buf_adds(&im->out, "] changes will not be told\r\n");
		return;
	}
	c->tag = arena_bytes(&c->a, im->tag);
	c->is_uid = im->is_uid || mailbox != NULL;
	c->sorted = sort != NULL;
	if (mailbox != NULL) {
		c->multi = true;
		c->mailbox = *mailbox;
		c->mailbox.name = arena_bytes(&c->a, mailbox->name);
	}
	if (sort != NULL) {
		c->sort = *sort;
		c->sort.values = NULL;
		c->sort.n = c->sort.size = 0;
	}
	c->n = found->n;
	c->uids = mem_alloc((c->n + 1) * sizeof(*c->uids));
	for (i = 0; i < found->n; i++)
		c->uids[i] = found->hits[i].uid;
	if (im->box.announced > 0)
		c->last_uid = box_uid(&im->box, im->box.announced - 1);
	c->next = im->contexts;
	im->contexts = c;
}

/* ---- how lists differ ---- */

static int
uid_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool
uid_is_in(uint32_t uid, const uint32_t *list, size_t n)
{
	return n > 0 && bsearch(&uid, list, n, sizeof(uid), uid_cmp) != NULL;
}

static uint32_t
number_of(struct imap *im, const struct context *c, uint32_t uid)
{
	size_t at;

	return c->is_uid || !box_find(&im->box, uid, &at) ? uid
	    : (uint32_t)at + 1;
}

/* Of the list the marked ones, one "(position set)" for each run. */
static void
add_run(struct imap *im, const struct context *c, bool *some,
    const char *item, size_t position, const uint32_t *uids, size_t n)
{
	uint32_t *numbers = arena_zalloc(&im->arena, n, sizeof(*numbers));
	size_t i;

	for (i = 0; i < n; i++)
		numbers[i] = number_of(im, c, uids[i]);
	if (!*some) {
		if (c->multi)
			multi_head(im, c->tag, &c->mailbox);
		else
			add_esearch_head(im, c->tag, c->is_uid);
		buf_printf(&im->out, " %s (", item);
	}
	buf_printf(&im->out, "%s%zu ", *some ? " " : "",
	    c->sorted ? position : 0);
	imap_add_set(&im->out, numbers, n);
	*some = true;
}

static void
end_runs(struct imap *im, bool some)
{
	if (some)
		buf_adds(&im->out, ")\r\n");
}

/* Those of list that are not in other (ascending), as runs. Positions of
 * what is removed count without what went before. */
static void
add_difference(struct imap *im, const struct context *c, const char *item,
    const uint32_t *list, size_t n, const uint32_t *other, size_t others,
    bool removing)
{
	size_t i = 0, j, gone = 0;
	bool some = false;

	if (!c->sorted) {
		uint32_t *all = arena_zalloc(&im->arena, n + 1,
		    sizeof(*all));

		for (j = 0; i < n; i++) {
			if (!uid_is_in(list[i], other, others))
				all[j++] = list[i];
		}
		if (j > 0)
			add_run(im, c, &some, item, 0, all, j);
		end_runs(im, some);
		return;
	}
	while (i < n) {
		for (j = i; j < n && !uid_is_in(list[j], other, others); j++)
			;
		if (j > i)
			add_run(im, c, &some, item, i + 1 -
			    (removing ? gone : 0), list + i, j - i);
		gone += j - i;
		i = j + 1;
	}
	end_runs(im, some);
}

static uint32_t *
ascending(struct imap *im, const uint32_t *uids, size_t n)
{
	uint32_t *copy = arena_zalloc(&im->arena, n + 1, sizeof(*copy));

	if (n > 0)
		memcpy(copy, uids, n * sizeof(*copy));
	qsort(copy, n, sizeof(*copy), uid_cmp);
	return copy;
}

/* Say how the client's list becomes this one, and make it so. What messages
 * are sorted by never changes, so those in both have one order. */
static void
become(struct imap *im, struct context *c, const uint32_t *uids, size_t n)
{
	const uint32_t *old = ascending(im, c->uids, c->n);
	const uint32_t *new = ascending(im, uids, n);

	add_difference(im, c, "REMOVEFROM", c->uids, c->n, new, n, true);
	add_difference(im, c, "ADDTO", uids, n, old, c->n, false);
	c->uids = mem_realloc(c->uids, (n + 1) * sizeof(*c->uids));
	if (n > 0)
		memcpy(c->uids, uids, n * sizeof(*uids));
	c->n = n;
}

/* ---- what changes ---- */

void
contexts_gone(struct imap *im)
{
	const struct box *b = &im->box;
	struct context *c;
	uint32_t *left;
	size_t i, n, at;

	for (c = im->contexts; c != NULL; c = c->next) {
		left = arena_zalloc(&im->arena, c->n + 1, sizeof(*left));
		for (n = i = 0; i < c->n; i++) {
			if (box_find(b, c->uids[i], &at) &&
			    (box_state(b, at) & ENTRY_GONE) == 0)
				left[n++] = c->uids[i];
		}
		if (n < c->n)
			become(im, c, left, n);
	}
}

/* Ask what came or changed; hits is the new list, ascending. 0, -1. */
static int
ask_again(struct imap *im, struct context *c, struct search_result *found)
{
	const struct box *b = &im->box;
	const uint32_t *old = ascending(im, c->uids, c->n);
	struct walk w;
	size_t i;
	int r;

	search_keywords(&c->search);
	walk_init(&w, c->search.view, b->id);
	for (i = 0; i < b->announced; i++) {
		r = uid_is_in(box_uid(b, i), old, c->n);
		if ((box_state(b, i) & ENTRY_GONE) == 0 &&
		    ((box_state(b, i) & ENTRY_SEARCH) != 0 ||
		    box_uid(b, i) > c->last_uid))
			r = search_one(&c->search, &w, i);
		if (r == -1)
			return -1;
		if (r == 1)
			found->hits[found->n++] = (struct search_hit){
			    box_uid(b, i), (uint32_t)i, 0 };
	}
	return 0;
}

/* Put found in order; messages that are gone go last. 0, -1. */
static int
sort_again(struct imap *im, struct context *c, struct search_result *found)
{
	int r;

	c->sort.a = &im->arena;
	r = search_values(&c->search, found, sort_hit, &c->sort);
	if (r == 0)
		sort_found(&c->sort, found);
	sort_free(&c->sort);
	return r;
}

static int
by_uid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* New messages of others that were found: their items are sent later. */
static void
keep_fresh(struct imap *im, struct context *c, const uint32_t *uids, size_t n)
{
	const struct box *b = &im->box;
	size_t i, at;

	if (c->items == NULL)
		return;
	c->fresh = mem_realloc(c->fresh, (c->fresh_count + n + 1) *
	    sizeof(*c->fresh));
	for (i = 0; i < n; i++) {
		if (uids[i] > c->last_uid && box_find(b, uids[i], &at) &&
		    (box_state(b, at) & ENTRY_OWN) == 0)
			c->fresh[c->fresh_count++] = uids[i];
	}
	if (c->fresh_count > 0)
		qsort(c->fresh, c->fresh_count, sizeof(*c->fresh), by_uid);
}

static bool
is_fresh(const struct context *c, uint32_t uid)
{
	return c->fresh_count > 0 && bsearch(&uid, c->fresh, c->fresh_count,
	    sizeof(*c->fresh), by_uid) != NULL;
}

/* Their items are sent with those of another who asked. */
static void
forget_fresh(struct context *c, const uint32_t *uids, size_t n)
{
	size_t i, kept = 0;

	for (i = 0; i < c->fresh_count; i++) {
		if (bsearch(&c->fresh[i], uids, n, sizeof(*uids), by_uid)
		    == NULL)
			c->fresh[kept++] = c->fresh[i];
	}
	c->fresh_count = kept;
}

void
contexts_join(struct imap *im, struct fetch_item **items,
    const uint32_t *uids, size_t *n)
{
	struct context *c;
	bool has;
	size_t i;

	for (c = im->contexts; c != NULL; c = c->next) {
		has = is_fresh(c, uids[0]);
		for (i = 1; i < *n && is_fresh(c, uids[i]) == has; i++)
			;
		*n = i;
	}
	for (c = im->contexts; c != NULL; c = c->next) {
		if (!is_fresh(c, uids[0]))
			continue;
		fetch_join_items(&im->arena, items, c->items);
		forget_fresh(c, uids, *n);
	}
}

bool
contexts_fresh(struct imap *im, struct fetch_item **items, uint32_t **uids,
    size_t *n)
{
	struct context *c = im->contexts;

	while (c != NULL && c->fresh_count == 0)
		c = c->next;
	if (c == NULL)
		return false;
	*uids = arena_zalloc(&im->arena, c->fresh_count, sizeof(**uids));
	memcpy(*uids, c->fresh, c->fresh_count * sizeof(**uids));
	*n = c->fresh_count;
	*items = NULL;
	contexts_join(im, items, *uids, n);
	return true;
}

static void
context_changed(struct imap *im, struct context *c)
{
	struct search_result found = { arena_zalloc(&im->arena,
	    im->box.announced + 1, sizeof(*found.hits)), 0, 0 };
	uint32_t *uids;
	size_t i;

	/* After a failure the next change finds it. */
	if (ask_again(im, c, &found) == -1 ||
	    (c->sorted && sort_again(im, c, &found) == -1))
		return;
	uids = arena_zalloc(&im->arena, found.n + 1, sizeof(*uids));
	for (i = 0; i < found.n; i++)
		uids[i] = found.hits[i].uid;
	become(im, c, uids, found.n);
	keep_fresh(im, c, uids, found.n);
	c->last_uid = im->box.announced == 0 ? 0
	    : box_uid(&im->box, im->box.announced - 1);
}

void
contexts_changed(struct imap *im, struct store_view *v)
{
	struct box *b = &im->box;
	struct context *c;
	uint32_t last = b->announced == 0 ? 0 : box_uid(b, b->announced - 1);
	bool some = false;
	size_t i;

	if (im->contexts == NULL)
		return;
	for (i = 0; i < b->announced && !some; i++)
		some = (box_state(b, i) & ENTRY_SEARCH) != 0;
	for (c = im->contexts; c != NULL; c = c->next) {
		if (!some && last <= c->last_uid)
			continue;
		c->search.view = v;
		context_changed(im, c);
		c->search.view = NULL;
	}
	for (i = 0; some && i < b->announced; i++)
		b->state[i] &= (unsigned char)~ENTRY_SEARCH;
}
