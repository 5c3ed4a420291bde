/*
 * Recent messages (RFC 3501 2.3.2): one UID for each mailbox, from which on
 * none was told to a session. The index alone knows it; lost with the index,
 * every message is recent once more.
 */
#include "store/internal.h"

#include <errno.h>

/* Whether there are any, without the lock of writers. 1, 0, -1. */
static int
any(struct store *s, uint32_t mailbox, uint32_t *next)
{
	struct store_view *v = store_view_open(s);
	struct store_mailbox m;
	struct store_message one;
	int r = v == NULL ? -1 : store_mailbox_get(v, mailbox, &m);

	if (r == 0) {
		errno = ENOENT;
		r = -1;
	}
	if (r == 1) {
		*next = m.uidnext;
		r = m.recent_from >= m.uidnext ? 0
		    : store_message_first(v, mailbox, m.recent_from, &one);
	}
	store_view_close(v);
	return r;
}

int
store_recent_take(struct store *s, uint32_t mailbox, uint32_t *from,
    uint32_t *to)
{
	uint32_t next, first;
	struct work w;
	struct box *b;
	int r = any(s, mailbox, &next);

	if (r == -1)
		return -1;
	if (r == 0) {
		*from = *to = next;
		return 0;
	}
	if (work_begin(s, &w) == -1)
		return -1;
	if ((b = work_box(&w, mailbox)) == NULL) {
		work_abort(&w);
		return -1;
	}
	first = b->rec.recent_from;
	next = b->rec.uidnext;
	b->rec.recent_from = next;
	b->dirty = true;
	if (work_commit(&w) == -1)
		return -1;
	*from = first < next ? first : next;
	*to = next;
	return 0;
}
