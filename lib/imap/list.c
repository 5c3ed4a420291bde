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

/* A LIST under way: what it tells of was chosen in one view. */
struct list_job {
	struct list_args args;		/* in the arena */
	struct entries e;		/* names are in the view, or there */
	size_t at;
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
	int r;

	if (!e->exists || (args->status == 0 && args->entry_count == 0))
		return 0;
	if ((r = store_mailbox_get(v, e->id, &m)) != 1)
		return r;	/* 0: it has gone since */
	m.name = e->name;	/* as it was called when the list was made */
	if (args->status != 0)
		add_status(im, v, &m, args->status);
	return args->entry_count == 0 ? 0 : add_metadata(im, v, &m,
	    args->entries, args->entry_count);
}

/* Which mailboxes there are, and what is asked for of them. 0, -1. */
static int
choose(struct imap *im, struct store_view *v, struct list_job *j)
{
	int r = add_mailboxes(v, &j->e);

	if (r == 0 && j->args.subscribed)
		r = add_subscriptions(im, j->args.recursive, &j->e);
	if (r == 0 && j->e.full) {
		errno = EOVERFLOW;
		r = -1;
	}
	entries_sort(&j->e);
	entries_judge(&j->args, &j->e);
	return r;
}

/* RFC 5258 3.5: one that is not selected is told of for a child that is not
 * told of. */
static bool
is_told(const struct list_args *args, const struct entry *one)
{
	return one->matched && (one->selected ||
	    (args->recursive && one->below_unmatched));
}

/* Until there is enough to write. 0, -1. */
static int
tell_some(struct imap *im, struct store_view *v, struct list_job *j)
{
	const struct entry *one;
	int r = 0;

	for (; r == 0 && j->at < j->e.n && im->out.n < OUT_SOFT; j->at++) {
		one = &j->e.list[j->at];
		if (!is_told(&j->args, one))
			continue;
		add_entry(im, &j->args, one);
		r = add_details(im, v, &j->args, one);
	}
	return r;
}

/* View and command end: keep the names that are still to be told. */
static void
keep_names(struct imap *im, struct list_job *j)
{
	struct entry *one;
	size_t i;

	for (i = 0; i < j->args.entry_count; i++)
		j->args.entries[i] = arena_bytes(&im->arena,
		    j->args.entries[i]);
	for (i = j->at; i < j->e.n; i++) {
		one = &j->e.list[i];
		if (is_told(&j->args, one))
			one->name = arena_bytes(&im->arena, one->name);
	}
}

void
list_drop(struct imap *im)
{
	if (im->list == NULL)
		return;
	free(im->list->e.list);
	free(im->list);
	im->list = NULL;
}

/* r as of tell_some. True: the command has ended. */
static bool
list_end(struct imap *im, int r)
{
	if (r == 0 && im->list->at < im->list->e.n)
		return false;
	list_drop(im);
	if (r == -1)
		reply_errno(im, errno, false);
	else
		reply_done(im);
	return true;
}

void
list_step(struct imap *im)
{
	struct store_view *v = store_view_open(im->o.store);
	int r = v == NULL ? -1 : tell_some(im, v, im->list);

	store_view_close(v);
	if (!list_end(im, r))
		return;
	im->mode = MODE_COMMAND;
	arena_reset(&im->arena);
}

void
command_list(struct imap *im, struct parser *p)
{
	struct list_job *j = im->list = mem_zalloc(1, sizeof(*j));
	struct store_view *v;
	int r;

	if (!parse_list(im, p, false, &j->args)) {
		list_drop(im);
		return;
	}
	if (j->args.root) {
		list_drop(im);
		buf_adds(&im->out, "* LIST (\\Noselect) \"/\" \"\"\r\n");
		reply_done(im);
		return;
	}
	status_enable(im, j->args.status);
	/* Folders other programs made; found later if not now. */
	if (j->args.status == 0)
		(void)store_sync_list(im->o.store);
	else
		(void)store_sync(im->o.store, 0, false);
	v = store_view_open(im->o.store);
	r = v == NULL ? -1 : choose(im, v, j);
	if (r == 0)
		r = tell_some(im, v, j);
	if (r == 0 && j->at < j->e.n) {
		keep_names(im, j);
		im->mode = MODE_LIST;
	}
	store_view_close(v);
	(void)list_end(im, r);	/* or it goes on */
}
