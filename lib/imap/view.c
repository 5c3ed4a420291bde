/*
 * view.c - the selected mailbox as one client knows it
 *
 * Message numbers change only when this client is told: new messages are put
 * at the end and announced by EXISTS, expunged ones are marked and taken out
 * when EXPUNGE may be sent (RFC 3501 7.4.1). What happened meanwhile comes
 * from the store's change feed, after the modseq the view was brought up to.
 */
#include "imap/notify.h"

#include <stdlib.h>

void
box_close(struct imap *im)
{
	struct box *b = &im->box;

	box_blocks_free(b);
	free(b->uids);
	free(b->state);
	free(b->saved);
	free(b->recent.ranges);
	arena_free(&b->names);
	message_reset(&im->message);
	contexts_drop(im);
	notify_left(im);
	(void)store_hold(im->o.store, 0);	/* never fails */
	*b = (struct box){ .names = ARENA_INIT };
}

static void
box_push(struct box *b, uint32_t uid, unsigned char bits)
{
	if (b->n == b->size) {
		b->size = b->size == 0 ? 64 : b->size + b->size / 2;
		b->uids = mem_realloc(b->uids, b->size * sizeof(*b->uids));
		if (b->state != NULL)
			b->state = mem_realloc(b->state, b->size);
	}
	b->uids[b->n] = uid;
	if (bits != 0)
		box_want_state(b);
	if (b->state != NULL)
		b->state[b->n] = bits;
	b->n++;
}

int
box_open(struct imap *im, struct store_view *v,
    const struct store_mailbox *mailbox, bool read_only, size_t *first_unseen)
{
	struct box *b = &im->box;

	b->id = mailbox->id;
	b->read_only = read_only;
	b->modseq = store_view_modseq(v);
	b->highest = mailbox->modseq;
	if (box_load(b, v, first_unseen) == -1) {
		box_close(im);
		return -1;
	}
	b->announced = b->n;
	return 0;
}

void
box_own(struct imap *im, uint64_t modseq)
{
	if (modseq != 0)
		im->box.own[im->box.own_at++ % OWN_MAX] = modseq;
}

static bool
is_own(const struct box *b, uint64_t modseq)
{
	size_t i;

	for (i = 0; i < OWN_MAX; i++) {
		if (b->own[i] == modseq)
			return true;
	}
	return false;
}

/* What a change of flags means for the messages. */
static unsigned char
changed_bits(const struct box *b, uint64_t modseq)
{
	return is_own(b, modseq) ? ENTRY_SEARCH
	    : ENTRY_SEARCH | ENTRY_CHANGED;
}

/* Set bits in the state of the messages with these UIDs. */
static void
mark(struct box *b, uint32_t first, uint32_t last, unsigned char bits)
{
	size_t i;

	box_want_state(b);
	(void)box_find(b, first, &i);	/* or where the first one is */
	for (; i < b->n && box_uid(b, i) <= last; i++)
		b->state[i] |= bits;
	b->marked = true;
}

static int
add_new(struct box *b, struct store_view *v, uint32_t first, uint32_t last,
    unsigned char bits)
{
	struct store_message m;
	int r;

	if (b->n > 0 && box_uid(b, b->n - 1) >= first) {
		if (box_uid(b, b->n - 1) >= last)
			return 0;
		first = box_uid(b, b->n - 1) + 1;
	}
	for (r = store_message_first(v, b->id, first, &m);
	    r == 1 && m.uid <= last; r = store_message_next(v, &m))
		box_push(b, m.uid, bits);
	return r == -1 ? -1 : 0;
}

/* Without a feed that reaches back: compare the view with the store. */
static int
compare_all(struct box *b, struct store_view *v)
{
	struct store_message m;
	size_t i, known = b->n;
	int r;

	box_want_state(b);
	b->marked = true;
	for (i = 0; i < known; i++)
		b->state[i] |= ENTRY_GONE;
	for (r = store_message_first(v, b->id, 1, &m); r == 1;
	    r = store_message_next(v, &m)) {
		if (box_find(b, m.uid, &i)) {
			b->state[i] &= (unsigned char)~ENTRY_GONE;
			if (m.modseq > b->modseq)
				b->state[i] |= changed_bits(b, m.modseq);
		} else if (b->n == 0 || m.uid > box_uid(b, b->n - 1)) {
			box_push(b, m.uid, 0);
		}
	}
	if (b->delayed == 0)
		b->delayed = b->modseq + 1;
	b->keywords_changed = true;
	return r;
}

static int
read_changes(struct imap *im, struct store_view *v)
{
	struct box *b = &im->box;
	struct store_change c;
	unsigned char own;
	int r, bad = 0;

	if (b->modseq < store_change_floor(v))
		return compare_all(b, v);
	for (r = store_change_first(v, b->modseq, &c); r == 1 && bad == 0;
	    r = store_change_next(v, &c)) {
		if (c.mailbox != b->id)
			continue;
		own = store_change_own(im->o.store, c.modseq) ? ENTRY_OWN : 0;
		switch (c.kind) {
		case STORE_CHANGE_ADDED:
			bad = add_new(b, v, c.uid_first, c.uid_last, own);
			break;
		case STORE_CHANGE_FLAGS:
			mark(b, c.uid_first, c.uid_last,
			    changed_bits(b, c.modseq));
			break;
		case STORE_CHANGE_EXPUNGED:
			mark(b, c.uid_first, c.uid_last, ENTRY_GONE | own);
			if (b->delayed == 0)
				b->delayed = c.modseq;
			break;
		case STORE_CHANGE_KEYWORDS:
			b->keywords_changed = true;
			break;
		default:
			break;	/* of mailboxes: nothing is announced */
		}
	}
	return r == -1 || bad == -1 ? -1 : 0;
}

/* Messages with these UIDs are gone (RFC 7162 3.2.10.2, RFC 9586 3.4). */
static void
announce_vanished(struct imap *im, const uint32_t *uids, size_t n)
{
	if (n == 0)
		return;
	buf_adds(&im->out, "* VANISHED ");
	imap_add_set(&im->out, uids, n);
	buf_adds(&im->out, "\r\n");
}

/* Whether a message that is gone may be told of: not if the client does not
 * want to know (RFC 5465), unless it was its own command. */
static bool
may_tell_gone(const struct imap *im, unsigned char state, bool expunges)
{
	return expunges && (notify_tells(im, NOTIFY_EXPUNGE) ||
	    (state & ENTRY_OWN) != 0);
}

/* Take marked messages out: those announced with EXPUNGE, if allowed. */
static void
take_out(struct imap *im, bool expunges)
{
	struct box *b = &im->box;
	size_t i, kept = 0, gone = 0, announced = b->announced;
	bool by_uid = enabled(im, CAP_QRESYNC) || enabled(im, CAP_UIDONLY);
	uint32_t *uids = by_uid ? arena_zalloc(&im->arena, announced + 1,
	    sizeof(*uids)) : NULL;

	box_fill(b);
	box_blocks_free(b);
	for (i = 0; i < b->n; i++) {
		bool known = i < announced;

		if ((box_state(b, i) & ENTRY_GONE) != 0 && (!known ||
		    may_tell_gone(im, box_state(b, i), expunges))) {
			if (known) {
				b->announced--;
				if (by_uid)
					uids[gone++] = box_uid(b, i);
				else
					buf_printf(&im->out,
					    "* %zu EXPUNGE\r\n", kept + 1);
			}
			if (im->message.uid == box_uid(b, i))
				message_reset(&im->message);
			continue;
		}
		b->uids[kept] = box_uid(b, i);
		b->state[kept++] = b->state[i];
	}
	b->n = kept;
	announce_vanished(im, uids, gone);
}

static int
announce_flags(struct imap *im, struct store_view *v)
{
	struct box *b = &im->box;
	struct store_message m;
	struct walk w;
	size_t i;
	int r;

	walk_init(&w, v, b->id);
	for (i = 0; i < b->announced; i++) {
		if (im->contexts == NULL)
			b->state[i] &= (unsigned char)~ENTRY_SEARCH;
		if ((box_state(b, i) & ENTRY_CHANGED) == 0)
			continue;
		b->state[i] &= (unsigned char)~ENTRY_CHANGED;
		r = walk_to(&w, box_uid(b, i), &m);
		if (r == -1)
			return -1;
		if (r == 0)
			continue;
		add_flags_response(im, v, i, &m, true, false);
	}
	return 0;
}

/* What could not be said yet is left for the next time. */
static bool
any_state(const struct box *b)
{
	size_t i;

	for (i = 0; b->state != NULL && i < b->n; i++) {
		if (b->state[i] != 0)
			return true;
	}
	return false;
}

void
box_sync(struct imap *im, bool expunges)
{
	struct box *b = &im->box;
	struct store_mailbox m;
	struct store_view *v;
	uint64_t now;
	size_t first = SIZE_MAX;
	bool changed, new = false;

	if (b->id == 0 || (v = store_view_open(im->o.store)) == NULL)
		return;
	now = store_view_modseq(v);
	if (now > b->modseq && read_changes(im, v) == 0) {
		b->modseq = now;
		if (store_mailbox_get(v, b->id, &m) == 1)
			b->highest = m.modseq;
	}
	changed = b->marked;
	if (changed && expunges)
		contexts_gone(im);
	if (changed)
		take_out(im, expunges);
	if (expunges && notify_tells(im, NOTIFY_EXPUNGE))
		b->delayed = 0;
	if (b->keywords_changed && keywords_untold(im, v))
		add_flag_lists(im, v, false);
	b->keywords_changed = false;
	if (b->n > b->announced && notify_tells(im, NOTIFY_NEW)) {
		notify_fresh(im);
		/* What is new needs no second word about its flags. */
		for (first = b->announced; b->announced < b->n;
		    b->announced++) {
			if (b->state != NULL)
				b->state[b->announced] &= ENTRY_OWN;
		}
		buf_printf(&im->out, "* %zu EXISTS\r\n", b->n);
		new = true;
	}
	if (changed && notify_tells(im, NOTIFY_FLAGS))
		(void)announce_flags(im, v);	/* the next sync says it */
	contexts_changed(im, v);
	for (; b->state != NULL && first < b->announced; first++)
		b->state[first] &= (unsigned char)~ENTRY_OWN;
	b->marked = changed && any_state(b);
	store_view_close(v);
	if (new) {
		recent_look(im);
		add_recent(im);
	}
}

uint64_t
box_highest(const struct box *b)
{
	return b->delayed == 0 ? b->highest : b->delayed - 1;
}

void
box_tell_delay(struct imap *im)
{
	struct box *b = &im->box;

	if (b->id == 0 || !enabled(im, CAP_CONDSTORE) ||
	    (b->delayed == 0 && !b->delay_told))
		return;
	b->delay_told = b->delayed != 0;
	buf_printf(&im->out, "* OK [HIGHESTMODSEQ %llu] %s\r\n",
	    (unsigned long long)box_highest(b), b->delay_told
	    ? "expunges are told later" : "all is told");
}

/* "$": those of the saved messages that are still there. */
static void
resolve_saved(struct imap *im, struct imap_set *set, bool by_uid)
{
	struct box *b = &im->box;
	size_t i, at;

	set->saved = false;
	set->n = 0;
	set->ranges = arena_zalloc(&im->arena, b->saved_count + 1,
	    sizeof(*set->ranges));
	for (i = 0; i < b->saved_count; i++) {
		uint32_t n = b->saved[i];

		if (!box_find(b, n, &at) || at >= b->announced)
			continue;
		if (!by_uid)
			n = (uint32_t)at + 1;
		set->ranges[set->n++] = (struct imap_range){ n, n };
	}
	imap_set_resolve(set, 0);
}

bool
box_resolve(struct imap *im, struct imap_set *set, bool by_uid)
{
	struct box *b = &im->box;
	uint32_t n = (uint32_t)b->announced;
	size_t i;

	if (set->saved) {
		resolve_saved(im, set, by_uid);
		return true;
	}
	if (by_uid) {
		imap_set_resolve(set, n == 0 ? 0 : box_uid(b, n - 1));
		return true;
	}
	for (i = 0; i < set->n; i++) {
		struct imap_range *r = &set->ranges[i];

		if (r->first == IMAP_STAR || r->last == IMAP_STAR) {
			/* "9:*" in a mailbox of three is the third. */
			if (r->first != IMAP_STAR && r->first > n)
				r->first = n;
			if (r->last != IMAP_STAR && r->last > n)
				r->last = n;
		} else if (r->first > n || r->last > n) {
			return false;
		}
	}
	imap_set_resolve(set, n);
	return true;
}

bool
box_uids(struct imap *im, struct imap_set *set, bool by_uid,
    uint32_t **uids, size_t *n)
{
	struct box *b = &im->box;
	size_t i, at, end;

	*n = 0;
	im->set_had_gone = false;
	*uids = arena_zalloc(&im->arena, b->announced + 1, sizeof(**uids));
	if (!box_resolve(im, set, by_uid))
		return false;
	for (i = 0; i < set->n; i++) {
		const struct imap_range *r = &set->ranges[i];

		if (by_uid) {
			(void)box_find(b, r->first, &at);	/* or after */
			for (end = at; end < b->announced &&
			    box_uid(b, end) <= r->last; end++)
				;
		} else {
			at = r->first == 0 ? 0 : r->first - 1;
			end = r->last;
		}
		for (; at < end; at++) {
			if ((box_state(b, at) & ENTRY_GONE) == 0)
				(*uids)[(*n)++] = box_uid(b, at);
			else
				im->set_had_gone = true;
		}
	}
	return true;
}
