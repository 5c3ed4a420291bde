/*
 * limit.c - how many messages one command may be about (RFC 9738)
 *
 * A command over the limit is done for the messages with the highest UIDs;
 * COPY and APPEND, which are about all or none, are refused, and so are SORT
 * and THREAD, whose answers would mean nothing. In what order the rest are
 * answered is not to be seen but in the order of responses, which is free.
 */
#include "imap/internal.h"

uint32_t
message_limit(const struct imap *im)
{
	if ((im->off & CAP_BIT(CAP_MESSAGELIMIT)) != 0)
		return UINT32_MAX;
	return im->o.message_limit != 0 ? im->o.message_limit
	    : IMAP_MESSAGE_LIMIT;
}

const char *
limit_code(struct imap *im, uint32_t lowest)
{
	unsigned long max = message_limit(im);

	return lowest == 0 ? arena_printf(&im->arena, "MESSAGELIMIT %lu", max)
	    : arena_printf(&im->arena, "MESSAGELIMIT %lu %lu", max,
	    (unsigned long)lowest);
}

void
limit_uids(struct imap *im, uint32_t **uids, size_t *n)
{
	size_t max = message_limit(im);

	if (*n <= max)
		return;
	*uids += *n - max;
	*n = max;
	im->limited = **uids;
}

/* The messages of a range: from the index *from to below *to. */
static void
span(const struct box *b, const struct imap_range *r, bool by_uid,
    size_t *from, size_t *to)
{
	if (!by_uid) {
		*from = r->first == 0 ? 0 : r->first - 1;
		*to = r->last < b->announced ? r->last : b->announced;
	} else {
		(void)box_find(b, r->first, from);	/* or after */
		*to = b->announced;
		if (r->last < UINT32_MAX)
			(void)box_find(b, r->last + 1, to);
		if (*to > b->announced)
			*to = b->announced;
	}
	if (*from > *to)
		*from = *to;
}

void
limit_set(struct imap *im, struct imap_set *set, bool by_uid)
{
	const struct box *b = &im->box;
	size_t left = message_limit(im), i, from = 0, to = 0, lowest = 0;

	for (i = set->n; i > 0; i--) {
		span(b, &set->ranges[i - 1], by_uid, &from, &to);
		if (to - from > left)
			break;
		left -= to - from;
		if (to > from)
			lowest = from;
	}
	if (i == 0)
		return;
	/* Of the range at i - 1 the last ones, or none. */
	if (left > 0) {
		lowest = to - left;
		set->ranges[--i].first = by_uid ? box_uid(b, lowest)
		    : (uint32_t)lowest + 1;
	}
	set->ranges += i;
	set->n -= i;
	im->limited = box_uid(b, lowest);
}
