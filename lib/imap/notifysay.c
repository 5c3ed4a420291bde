/*
 * notifysay.c - what NOTIFY (RFC 5465) makes the server say
 *
 * The store's change feed is read from where it was read last. Changes of the
 * messages of a mailbox become one STATUS response, those of a name one LIST
 * response that tells how things are now. What this client did itself is left
 * out. The selected mailbox has its view (view.c).
 */
#include "imap/notify.h"

#define BUCKETS 256

struct pending {
	struct pending *next, *same_bucket;
	enum { SAY_STATUS, SAY_LIST, SAY_METADATA } kind;
	uint32_t mailbox;
	uint32_t wanted, happened;	/* of SAY_STATUS */
	struct bytes name, old;		/* SAY_METADATA: of the entry */
	bool subscribed;
};

/* All that waits, in its order; bytes are those of the view. */
struct collection {
	struct imap *im;
	struct store_view *v;
	struct pending *first, **end;
	struct pending *boxes[BUCKETS];	/* SAY_STATUS by id */
	size_t count;
	struct bytes from, to;		/* of the last rename */
	struct buf subscriptions;
	bool has_subscriptions;
};

static struct pending *
add(struct collection *c, int kind)
{
	struct pending *p = arena_zalloc(&c->im->arena, 1, sizeof(*p));

	p->kind = kind;
	*c->end = p;
	c->end = &p->next;
	return p;
}

/* ---- collecting ---- */

/* Messages of a mailbox: one notification, whatever happens to them. */
static void
note_messages(struct collection *c, uint32_t mailbox, uint32_t event)
{
	struct pending **at = &c->boxes[mailbox % BUCKETS], *p;
	struct store_mailbox m;

	if (mailbox == c->im->box.id)
		return;
	for (p = *at; p != NULL && p->mailbox != mailbox;)
		p = p->same_bucket;
	if (p == NULL) {
		p = add(c, SAY_STATUS);
		p->mailbox = mailbox;
		p->same_bucket = *at;
		*at = p;
		if (store_mailbox_get(c->v, mailbox, &m) == 1)
			p->wanted = notify_wants(c->im->notify, m.name,
			    m.subscribed) & NOTIFY_MESSAGE;
	}
	if (p->happened == 0 && (p->wanted & event) != 0)
		c->count++;
	p->happened |= p->wanted & event;
}

static bool
is_subscribed(struct collection *c, struct bytes name)
{
	struct bytes rest, one;
	struct store_mailbox m;

	if (store_mailbox_find(c->v, name, &m) == 1)
		return m.subscribed;
	/* Those of no mailbox are in the file alone; without it there are
	 * none. */
	if (!c->has_subscriptions)
		(void)store_subscriptions(c->im->o.store, &c->subscriptions);
	c->has_subscriptions = true;
	rest = buf_bytes(&c->subscriptions);
	while (bytes_split(&rest, '\0', &one)) {
		if (bytes_eq(one, name))
			return true;
	}
	return false;
}

/* A name: was it one of a mailbox that is wanted, or is it? */
static void
note_name(struct collection *c, uint32_t event, struct bytes name,
    struct bytes old, bool is_listed)
{
	const struct notify *n = c->im->notify;
	bool subscribed = is_subscribed(c, name);
	uint32_t wanted = notify_wants(n, name, subscribed || is_listed);
	struct pending *p;

	if (old.n > 0)
		wanted |= notify_wants(n, old, subscribed);
	if ((wanted & event) == 0)
		return;
	for (p = c->first; p != NULL; p = p->next) {
		if (p->kind != SAY_LIST || !bytes_eq(p->name, name))
			continue;
		if (p->old.n == 0)
			p->old = old;
		return;
	}
	p = add(c, SAY_LIST);
	p->name = name;
	p->old = old;
	p->subscribed = subscribed;
	c->count++;
}

/* RFC 5465 5.4: and the parent, which has other children now. */
static void
note_mailbox(struct collection *c, struct bytes name)
{
	size_t at;

	note_name(c, NOTIFY_NAME, name, BYTES_EMPTY, false);
	if (bytes_rchr(name, '/', &at))
		note_name(c, NOTIFY_NAME, bytes_first(name, at), BYTES_EMPTY,
		    false);
}

static bool
is_below(struct bytes name, struct bytes parent)
{
	return parent.n > 0 && bytes_starts(name, parent) &&
	    bytes_at(name, parent.n) == '/';
}

/* The children's renames say no more than their parent's. */
static void
note_rename(struct collection *c, const struct store_change *change)
{
	if (is_below(change->old_name, c->from) &&
	    is_below(change->name, c->to))
		return;
	c->from = change->old_name;
	c->to = change->name;
	note_name(c, NOTIFY_NAME, change->name, change->old_name, false);
}

static void
note_metadata(struct collection *c, const struct store_change *change)
{
	const struct notify_group *g;
	struct store_mailbox m;
	struct pending *p;
	bool wanted = false;

	if (change->mailbox == 0) {
		for (g = c->im->notify->groups; g != NULL; g = g->next)
			wanted = wanted ||
			    (g->events & NOTIFY_SERVER_METADATA) != 0;
	} else if (store_mailbox_get(c->v, change->mailbox, &m) == 1) {
		wanted = (notify_wants(c->im->notify, m.name, m.subscribed) &
		    NOTIFY_METADATA) != 0;
	}
	if (!wanted)
		return;
	for (p = c->first; p != NULL; p = p->next) {
		if (p->kind == SAY_METADATA && p->mailbox == change->mailbox &&
		    bytes_eq(p->name, change->name))
			return;
	}
	p = add(c, SAY_METADATA);
	p->mailbox = change->mailbox;
	p->name = change->name;
	c->count++;
}

static void
note(struct collection *c, const struct store_change *change)
{
	switch (change->kind) {
	case STORE_CHANGE_ADDED:
		note_messages(c, change->mailbox, NOTIFY_NEW);
		break;
	case STORE_CHANGE_FLAGS:
		note_messages(c, change->mailbox, NOTIFY_FLAGS);
		break;
	case STORE_CHANGE_EXPUNGED:
		note_messages(c, change->mailbox, NOTIFY_EXPUNGE);
		break;
	case STORE_CHANGE_MAILBOX_ADDED:
	case STORE_CHANGE_MAILBOX_REMOVED:
		note_mailbox(c, change->name);
		break;
	case STORE_CHANGE_MAILBOX_RENAMED:
		note_rename(c, change);
		break;
	case STORE_CHANGE_SUBSCRIBED:
	case STORE_CHANGE_UNSUBSCRIBED:
		note_name(c, NOTIFY_SUBSCRIPTION, change->name, BYTES_EMPTY,
		    true);
		break;
	case STORE_CHANGE_ANNOTATION:
		note_metadata(c, change);
		break;
	case STORE_CHANGE_MAILBOX_USE:
	case STORE_CHANGE_KEYWORDS:
		break;		/* RFC 5465 has no event for them */
	}
}

/* ---- saying ---- */

static void
say_messages(struct imap *im, struct store_view *v, const struct pending *p)
{
	struct store_mailbox m;
	uint64_t set = 0;

	if (p->happened == 0 || store_mailbox_get(v, p->mailbox, &m) != 1)
		return;
	if ((p->happened & (NOTIFY_NEW | NOTIFY_EXPUNGE)) != 0)
		set |= status_items("MESSAGES UIDNEXT");
	if ((p->happened & NOTIFY_FLAGS) != 0)
		set |= status_items("UIDVALIDITY UNSEEN");
	if (enabled(im, CAP_CONDSTORE))
		set |= status_items("HIGHESTMODSEQ");
	add_status(im, v, &m, set);
}

static void
say_metadata(struct imap *im, struct store_view *v, const struct pending *p)
{
	struct store_mailbox m = { .name = BYTES_EMPTY };

	if (p->mailbox != 0 && store_mailbox_get(v, p->mailbox, &m) != 1)
		return;
	buf_adds(&im->out, "* METADATA ");
	add_mailbox(im, m.name);
	buf_addc(&im->out, ' ');
	(void)imap_add_astring(&im->out, p->name);	/* full: seen later */
	buf_adds(&im->out, "\r\n");
}

static void
say_all(const struct collection *c)
{
	const struct pending *p;

	for (p = c->first; p != NULL; p = p->next) {
		if (p->kind == SAY_STATUS)
			say_messages(c->im, c->v, p);
		else if (p->kind == SAY_LIST)
			add_list_name(c->im, c->v, p->name, p->old,
			    p->subscribed);
		else
			say_metadata(c->im, c->v, p);
	}
}

/* RFC 5465 5.8: as if NOTIFY NONE had been said. */
static void
overflow(struct imap *im)
{
	struct notify *n = im->notify;

	n->groups = NULL;
	n->selected = 0;
	n->items = NULL;
	n->fresh_count = 0;
	arena_reset(&n->a);
	buf_adds(&im->out, "* OK [NOTIFICATIONOVERFLOW] too much happened, "
	    "nothing is told any more\r\n");
}

/* 0, 1 too much happened, -1: tried again. */
static int
collect(struct collection *c)
{
	struct notify *n = c->im->notify;
	struct store_change change;
	int r;

	if (n->modseq < store_change_floor(c->v))
		return 1;
	for (r = store_change_first(c->v, n->modseq, &change); r == 1;
	    r = store_change_next(c->v, &change)) {
		if (!store_change_own(c->im->o.store, change.modseq))
			note(c, &change);
		if (c->count + n->fresh_count > NOTIFY_PENDING_MAX)
			return 1;
	}
	return r;
}

void
notify_say(struct imap *im)
{
	struct collection c = { .im = im, .end = &c.first,
	    .subscriptions = BUF_INIT(16 * 1024 * 1024) };
	uint64_t now;
	int r = 0;

	if (im->notify == NULL || im->notify->groups == NULL ||
	    (c.v = store_view_open(im->o.store)) == NULL)
		return;
	now = store_view_modseq(c.v);
	if (now > im->notify->modseq)
		r = collect(&c);
	if (r == 0) {
		say_all(&c);
		im->notify->modseq = now;
	}
	store_view_close(c.v);
	buf_free(&c.subscriptions);
	if (r == 1)
		overflow(im);
}

/* ---- new messages of the selected mailbox ---- */

void
notify_left(struct imap *im)
{
	if (im->notify != NULL)
		im->notify->fresh_count = 0;
}

void
notify_fresh(struct imap *im)
{
	struct notify *n = im->notify;
	const struct box *b = &im->box;
	size_t i;

	if (n == NULL || n->items == NULL)
		return;
	for (i = b->announced; i < b->n; i++) {
		if ((box_state(b, i) & ENTRY_OWN) != 0)
			continue;
		if (n->fresh_count == NOTIFY_PENDING_MAX) {
			overflow(im);
			return;
		}
		n->fresh[n->fresh_count++] = box_uid(b, i);
	}
}

static void
fetched(struct imap *im)
{
	if (im->fetch.idling)
		im->mode = MODE_IDLE;
}

/* They may be gone by now. */
static void
fresh_numbers(struct imap *im, const uint32_t *uids, size_t n,
    struct imap_set *set)
{
	size_t i, at;

	set->ranges = arena_zalloc(&im->arena, n, sizeof(*set->ranges));
	for (i = 0; i < n; i++) {
		if (!box_find(&im->box, uids[i], &at) ||
		    at >= im->box.announced)
			continue;
		set->ranges[set->n].first = (uint32_t)at + 1;
		set->ranges[set->n++].last = (uint32_t)at + 1;
	}
	imap_set_resolve(set, 0);
}

/* Take those of one of them who asked, and the same of others: a message is
 * sent once, with all that was asked for. */
static bool
take_fresh(struct imap *im, struct fetch_item **items, uint32_t **uids,
    size_t *n)
{
	struct notify *nt = im->notify;

	if (nt == NULL || nt->fresh_count == 0)
		return contexts_fresh(im, items, uids, n);
	*uids = arena_zalloc(&im->arena, nt->fresh_count, sizeof(**uids));
	memcpy(*uids, nt->fresh, nt->fresh_count * sizeof(**uids));
	*n = nt->fresh_count;
	*items = NULL;
	fetch_join_items(&im->arena, items, nt->items);
	contexts_join(im, items, *uids, n);
	nt->fresh_count -= *n;
	memmove(nt->fresh, nt->fresh + *n, nt->fresh_count *
	    sizeof(*nt->fresh));
	return true;
}

bool
notify_fetch(struct imap *im)
{
	struct fetch *f = &im->fetch;
	struct fetch_item *items;
	uint32_t *uids;
	size_t n;

	if (!take_fresh(im, &items, &uids, &n))
		return false;
	*f = (struct fetch){ .items = items, .done = fetched,
	    .idling = im->mode == MODE_IDLE };
	if (enabled(im, CAP_CONDSTORE))
		fetch_add_item(&im->arena, &f->items, ITEM_MODSEQ);
	fresh_numbers(im, uids, n, &f->set);
	fetch_begin(im);
	return true;
}
