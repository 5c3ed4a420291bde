/*
 * vanished.c - what was expunged since a modseq (RFC 7162 3.2.5, 3.2.6)
 *
 * The store keeps expunges as long as the mailbox's record, so the answer is
 * exact for every modseq given out by this index. Before that (the index was
 * lost, or the client knows a modseq of the future) all UIDs without a
 * message are named: too many of them do no harm.
 */
#include "imap/internal.h"

struct ranges {
	struct arena *a;
	struct imap_set set;
	size_t size;
};

static void
push(struct ranges *r, uint32_t first, uint32_t last)
{
	struct imap_range *more;

	if (r->set.n == r->size) {
		r->size = r->size == 0 ? 64 : r->size * 2;
		more = arena_zalloc(r->a, r->size, sizeof(*more));
		if (r->set.n > 0)
			memcpy(more, r->set.ranges, r->set.n * sizeof(*more));
		r->set.ranges = more;
	}
	r->set.ranges[r->set.n++] = (struct imap_range){ first, last };
}

/* UIDs above from that no message of the view has. */
static void
push_gaps(struct ranges *r, const struct box *b, uint32_t from,
    uint32_t uidnext)
{
	uint32_t next = from + 1;
	size_t i;

	for (i = 0; i < b->n; i++) {
		if (box_uid(b, i) < next)
			continue;
		if (box_uid(b, i) > next)
			push(r, next, box_uid(b, i) - 1);
		next = box_uid(b, i) + 1;
	}
	if (next < uidnext)
		push(r, next, uidnext - 1);
}

static int
push_expunged(struct ranges *r, struct store_view *v, uint32_t mailbox,
    uint64_t since)
{
	struct store_change c;
	int n;

	for (n = store_change_first(v, since, &c); n == 1;
	    n = store_change_next(v, &c)) {
		if (c.mailbox == mailbox && c.kind == STORE_CHANGE_EXPUNGED)
			push(r, c.uid_first, c.uid_last);
	}
	return n;
}

int
add_vanished_earlier(struct imap *im, struct store_view *v,
    const struct imap_set *known, uint64_t since, uint32_t known_from)
{
	struct ranges r = { .a = &im->arena };
	struct store_mailbox m;
	struct imap_set gone;

	if (store_mailbox_get(v, im->box.id, &m) != 1)
		return -1;
	if (since < m.createseq || since > store_view_modseq(v))
		push_gaps(&r, &im->box, known_from, m.uidnext);
	else if (push_expunged(&r, v, m.id, since) == -1)
		return -1;
	imap_set_resolve(&r.set, 0);
	imap_set_both(&im->arena, &r.set, known, &gone);
	if (gone.n == 0)
		return 0;
	buf_adds(&im->out, "* VANISHED (EARLIER) ");
	imap_add_ranges(&im->out, &gone);
	buf_adds(&im->out, "\r\n");
	return 0;
}
