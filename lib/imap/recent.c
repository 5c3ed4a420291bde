/*
 * recent.c - which messages are \Recent to this session (RFC 3501 2.3.2)
 *
 * UIDs from one on were told to no session yet: the store keeps that one. A
 * session that may write takes them when it announces them, and remembers
 * them as ranges; one that may not tells of them and leaves them. IMAP4rev2
 * knows no \Recent: once enabled nothing is taken and nothing said.
 */
#include "imap/internal.h"

#include <stdlib.h>

/* first to last, above what there is; joined to the last range. */
static void
recent_push(struct box *b, uint32_t first, uint32_t last)
{
	struct imap_range *r;

	if (b->recent.n > 0) {
		r = &b->recent.ranges[b->recent.n - 1];
		if (first <= r->last + 1) {
			r->last = last > r->last ? last : r->last;
			return;
		}
	}
	b->recent.ranges = mem_realloc(b->recent.ranges,
	    (b->recent.n + 1) * sizeof(*r));
	b->recent.ranges[b->recent.n++] = (struct imap_range){ first, last };
}

/* Those there are, without taking them. */
static int
recent_peek(struct imap *im, uint32_t *from, uint32_t *to)
{
	struct store_view *v = store_view_open(im->o.store);
	struct store_mailbox m;
	int r = v == NULL ? -1 : store_mailbox_get(v, im->box.id, &m);

	store_view_close(v);
	if (r != 1)
		return -1;
	*from = m.recent_from;
	*to = m.uidnext;
	return 0;
}

void
recent_look(struct imap *im)
{
	struct box *b = &im->box;
	uint32_t from, to;
	int r;

	if (b->id == 0 || enabled(im, CAP_IMAP4REV2))
		return;
	if (b->read_only)
		r = recent_peek(im, &from, &to);
	else
		r = store_recent_take(im->o.store, b->id, &from, &to);
	/* Unknown: nothing is said to be recent. */
	if (r == 0 && from < to)
		recent_push(b, from == 0 ? 1 : from, to - 1);
}

bool
is_recent(const struct box *b, uint32_t uid)
{
	return b->recent.n > 0 && imap_set_has(&b->recent, uid);
}

size_t
recent_count(const struct box *b)
{
	size_t i, first, end, n = 0;

	for (i = 0; i < b->recent.n; i++) {
		(void)box_find(b, b->recent.ranges[i].first, &first);
		(void)box_find(b, b->recent.ranges[i].last + 1, &end);
		if (end > b->announced)
			end = b->announced;
		n += end > first ? end - first : 0;
	}
	return n;
}

void
add_recent(struct imap *im)
{
	if (!enabled(im, CAP_IMAP4REV2))
		buf_printf(&im->out, "* %zu RECENT\r\n",
		    recent_count(&im->box));
}
