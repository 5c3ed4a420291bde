/*
 * list.c - LIST (RFC 3501 6.3.8; extended: RFC 5258, RFC 5819, RFC 9590)
 *
 * Attributes: \HasChildren, \HasNoChildren (RFC 3348) and the special uses
 * (RFC 6154), always. Parents always exist here, so \Noselect is answered for
 * the hierarchy delimiter only, and \NonExistent for subscriptions to what is
 * not there and for the levels above those.
 */
#include "imap/list.h"

#include <errno.h>
#include <stdlib.h>

/* Names a LIST looks at: mailboxes, subscriptions, levels above these. People
 * subscribe to what is there. */
#define LIST_NAMES_MAX (2 * STORE_MAILBOXES_MAX)

/* A name that may be listed. */
struct entry {
	struct bytes name;
	bool exists, subscribed;
	bool parent;			/* has existing children */
	bool matched, selected;
	/* Below it are selected ones; such that match no pattern. */
	bool below, below_unmatched;
	uint32_t id;
	uint32_t use;
};

struct entries {
	struct entry *list;
	size_t n, size;
	bool full;
};

/* ---- which names ---- */

static void
entries_add(struct entries *e, struct entry one)
{
	if (e->n == LIST_NAMES_MAX) {
		e->full = true;
		return;
	}
	if (e->n == e->size) {
		e->size = e->size == 0 ? 64 : e->size * 2;
		e->list = mem_realloc(e->list, e->size * sizeof(*e->list));
	}
	e->list[e->n++] = one;
}

/* Children right behind their parent: "/" before all other bytes. */
static int
compare(const void *x, const void *y)
{
	struct bytes a = ((const struct entry *)x)->name;
	struct bytes b = ((const struct entry *)y)->name;
	size_t i;

	for (i = 0; i < a.n && i < b.n; i++) {
		int c = a.p[i] == '/' ? 0 : a.p[i];
		int d = b.p[i] == '/' ? 0 : b.p[i];

		if (c != d)
			return c - d;
	}
	return (a.n > b.n) - (a.n < b.n);
}

/* Sort; of several with one name the one that exists stays. */
static void
entries_sort(struct entries *e)
{
	size_t i, kept = 0;

	if (e->n == 0)
		return;
	qsort(e->list, e->n, sizeof(*e->list), compare);
	for (i = 1; i < e->n; i++) {
		struct entry *last = &e->list[kept], *one = &e->list[i];
		bool subscribed = last->subscribed || one->subscribed;

		if (compare(last, one) != 0) {
			e->list[++kept] = *one;
			continue;
		}
		if (one->exists)
			*last = *one;
		last->subscribed = subscribed;
	}
	e->n = kept + 1;
}

static int
add_mailboxes(struct store_view *v, struct entries *e)
{
	struct bytes at = BYTES_EMPTY;
	struct store_mailbox m;
	int r;

	while ((r = store_mailbox_next(v, &at, &m)) == 1)
		entries_add(e, (struct entry){ .name = m.name,
		    .exists = true, .subscribed = m.subscribed, .id = m.id,
		    .use = m.use });
	return r;
}

/* What is subscribed to, and the levels above it for RECURSIVEMATCH. */
static int
add_subscriptions(struct imap *im, bool levels, struct entries *e)
{
	struct buf names = BUF_INIT(STORE_SUBSCRIPTIONS_MAX);
	struct bytes rest, name;
	size_t i;

	if (store_subscriptions(im->o.store, &names) == -1) {
		buf_free(&names);
		return -1;
	}
	rest = arena_bytes(&im->arena, buf_bytes(&names));
	buf_free(&names);
	while (bytes_split(&rest, '\0', &name)) {
		if (name.n == 0)
			continue;
		entries_add(e, (struct entry){ .name = name,
		    .subscribed = true });
		for (i = 0; levels && i < name.n; i++) {
			if (name.p[i] == '/')
				entries_add(e, (struct entry){
				    .name = bytes_first(name, i) });
		}
	}
	return 0;
}

static bool
is_below(const struct entry *e, const struct entry *parent)
{
	return bytes_starts(e->name, parent->name) &&
	    bytes_at(e->name, parent->name.n) == '/';
}

/* What of each is asked for, and what is below it. */
static void
entries_judge(const struct list_args *args, struct entries *e)
{
	struct entry *above[STORE_NAME_MAX + 1];
	size_t depth = 0, i, j;

	for (i = 0; i < e->n; i++) {
		struct entry *one = &e->list[i];

		one->matched = list_matches(args, one->name);
		one->selected = (one->exists || args->subscribed) &&
		    (!args->subscribed || one->subscribed) &&
		    (!args->special_use || one->use != 0);
		while (depth > 0 && !is_below(one, above[depth - 1]))
			depth--;
		for (j = 0; j < depth; j++) {
			above[j]->parent = above[j]->parent || one->exists;
			above[j]->below = above[j]->below || one->selected;
			above[j]->below_unmatched = above[j]->below_unmatched
			    || (one->selected && !one->matched);
		}
		if (depth <= STORE_NAME_MAX)
			above[depth++] = one;
	}
}

/* ---- answers ---- */

static void
add_uses(struct buf *out, uint32_t uses)
{
	uint32_t use;

	for (use = 1; use <= STORE_USE_ALL; use <<= 1) {
		if ((uses & use) != 0)
			buf_printf(out, " %s", store_use_name(use));
	}
}

/* Names in byte order do not put children next to parents: "a", "a-b",
 * "a/b". So ask for the first name from "a/" on. */
static bool
has_children(struct imap *im, struct store_view *v, struct bytes name)
{
	struct bytes prefix = bytes_str(arena_printf(&im->arena, "%.*s/",
	    BYTES_ARG(name)));
	struct bytes at = prefix;
	struct store_mailbox m;

	return store_mailbox_next(v, &at, &m) == 1 &&
	    bytes_starts(m.name, prefix);
}

/* What stands behind the attributes. */
static void
end_list(struct imap *im, struct bytes name, struct bytes old)
{
	buf_adds(&im->out, ") \"/\" ");
	add_mailbox(im, name);
	if (old.n > 0) {
		buf_adds(&im->out, " (\"OLDNAME\" (");
		add_mailbox(im, old);
		buf_adds(&im->out, "))");
	}
	buf_adds(&im->out, "\r\n");
}

void
add_list(struct imap *im, struct store_view *v, const struct store_mailbox *m,
    struct bytes old)
{
	buf_printf(&im->out, "* LIST (%s", has_children(im, v, m->name)
	    ? "\\HasChildren" : "\\HasNoChildren");
	add_uses(&im->out, m->use);
	end_list(im, m->name, old);
}

void
add_list_name(struct imap *im, struct store_view *v, struct bytes name,
    struct bytes old, bool subscribed)
{
	struct store_mailbox m;
	bool exists = store_mailbox_find(v, name, &m) == 1;

	buf_printf(&im->out, "* LIST (%s%s", !exists ? "\\NonExistent"
	    : has_children(im, v, name) ? "\\HasChildren"
	    : "\\HasNoChildren", (exists ? m.subscribed : subscribed)
	    ? " \\Subscribed" : "");
	if (exists)
		add_uses(&im->out, m.use);
	end_list(im, name, old);
}

static void
add_entry(struct imap *im, const struct list_args *args,
    const struct entry *e)
{
	buf_printf(&im->out, "* LIST (%s", !e->exists ? "\\NonExistent"
	    : e->parent ? "\\HasChildren" : "\\HasNoChildren");
	if (e->subscribed && (args->subscribed || args->return_subscribed))
		buf_adds(&im->out, " \\Subscribed");
	add_uses(&im->out, e->use);
	buf_adds(&im->out, ") \"/\" ");
	add_mailbox(im, e->name);
	if (args->recursive && e->below)
		buf_printf(&im->out, " (\"CHILDINFO\" (%s%s%s))",
		    args->subscribed ? "\"SUBSCRIBED\"" : "",
		    args->subscribed && args->special_use ? " " : "",
		    args->special_use ? "\"SPECIAL-USE\"" : "");
	buf_adds(&im->out, "\r\n");
}

/* What else was asked for of a mailbox. 0, -1. */
static int
add_details(struct imap *im, struct store_view *v,
    const struct list_args *args, const struct entry *e)
{
	struct store_mailbox m;

	if (!e->exists || (args->status == 0 && args->entry_count == 0))
		return 0;
	if (store_mailbox_get(v, e->id, &m) != 1)
		return -1;
	if (args->status != 0)
		add_status(im, v, &m, args->status);
	return args->entry_count == 0 ? 0 : add_metadata(im, v, &m,
	    args->entries, args->entry_count);
}

static int
list(struct imap *im, struct store_view *v, const struct list_args *args)
{
	struct entries e = { NULL, 0, 0, false };
	int r = add_mailboxes(v, &e);
	size_t i;

	if (r == 0 && args->subscribed)
		r = add_subscriptions(im, args->recursive, &e);
	if (r == 0 && e.full) {
		errno = EOVERFLOW;
		r = -1;
	}
	entries_sort(&e);
	entries_judge(args, &e);
	for (i = 0; i < e.n && r == 0; i++) {
		const struct entry *one = &e.list[i];

		/* RFC 5258 3.5: one that is not selected is told of for a
		 * child that is not told of. */
		if (!one->matched || (!one->selected &&
		    (!args->recursive || !one->below_unmatched)))
			continue;
		add_entry(im, args, one);
		r = add_details(im, v, args, one);
	}
	free(e.list);
	return r;
}

void
command_list(struct imap *im, struct parser *p)
{
	struct list_args args;
	struct store_view *v;
	int r;

	if (!parse_list(im, p, false, &args))
		return;
	if (args.root) {
		buf_adds(&im->out, "* LIST (\\Noselect) \"/\" \"\"\r\n");
		reply_done(im);
		return;
	}
	status_enable(im, args.status);
	/* Folders other programs made; found later if not now. */
	if (args.status == 0)
		(void)store_sync_list(im->o.store);
	else
		(void)store_sync(im->o.store, 0, false);
	if ((v = store_view_open(im->o.store)) == NULL) {
		reply_errno(im, errno, false);
		return;
	}
	r = list(im, v, &args);
	store_view_close(v);
	if (r == -1)
		reply_errno(im, errno, false);
	else
		reply_done(im);
}
