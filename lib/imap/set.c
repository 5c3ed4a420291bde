/*
 * set.c - sets of message numbers and UIDs (RFC 3501 9 sequence-set)
 */
#include "imap/imap.h"

#include <errno.h>
#include <stdlib.h>

static int
set_error(void)
{
	errno = EBADMSG;
	return -1;
}

static bool
parse_one(struct bytes *s, uint32_t *out)
{
	uint64_t n;

	if (bytes_skip(s, BYTES("*"))) {
		*out = IMAP_STAR;
		return true;
	}
	if (num_cut(s, UINT32_MAX, &n) == -1 || n == 0)
		return false;
	*out = (uint32_t)n;
	return true;
}

int
imap_set_parse(struct arena *a, struct bytes s, struct imap_set *out)
{
	struct imap_set set = { NULL, 0, false };
	size_t i, commas = 0;

	for (i = 0; i < s.n; i++)
		commas += s.p[i] == ',';
	set.ranges = arena_zalloc(a, commas + 1, sizeof(*set.ranges));
	do {
		struct imap_range *r = &set.ranges[set.n++];

		if (!parse_one(&s, &r->first))
			return set_error();
		r->last = r->first;
		if (bytes_skip(&s, BYTES(":")) && !parse_one(&s, &r->last))
			return set_error();
	} while (bytes_skip(&s, BYTES(",")));
	if (s.n != 0)
		return set_error();
	*out = set;
	return 0;
}

static int
range_cmp(const void *a, const void *b)
{
	const struct imap_range *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->last < y->last ? -1 : x->last > y->last;
}

void
imap_set_resolve(struct imap_set *set, uint32_t star)
{
	struct imap_range *r = set->ranges;
	size_t i, n = 0;

	for (i = 0; i < set->n; i++) {
		uint32_t first = r[i].first == IMAP_STAR ? star : r[i].first;
		uint32_t last = r[i].last == IMAP_STAR ? star : r[i].last;

		r[i].first = first < last ? first : last;
		r[i].last = first < last ? last : first;
	}
	if (set->n > 1)
		qsort(r, set->n, sizeof(*r), range_cmp);
	for (i = 0; i < set->n; i++) {
		if (n > 0 && (r[n - 1].last == UINT32_MAX ||
		    r[i].first <= r[n - 1].last + 1)) {
			if (r[i].last > r[n - 1].last)
				r[n - 1].last = r[i].last;
		} else {
			r[n++] = r[i];
		}
	}
	set->n = n;
}

bool
imap_set_has_star(const struct imap_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (set->ranges[i].first == IMAP_STAR ||
		    set->ranges[i].last == IMAP_STAR)
			return true;
	}
	return false;
}

bool
imap_set_has(const struct imap_set *set, uint32_t n)
{
	size_t low = 0, high = set->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (set->ranges[mid].last < n)
			low = mid + 1;
		else
			high = mid;
	}
	return low < set->n && set->ranges[low].first <= n;
}

void
imap_set_both(struct arena *a, const struct imap_set *x,
    const struct imap_set *y, struct imap_set *out)
{
	const struct imap_range *r, *q;
	size_t i = 0, j = 0;

	/* Each range of the result ends where one of theirs does. */
	*out = (struct imap_set){ .ranges = arena_zalloc(a, x->n + y->n + 1,
	    sizeof(*out->ranges)) };
	while (i < x->n && j < y->n) {
		r = &x->ranges[i];
		q = &y->ranges[j];
		if (r->first <= q->last && q->first <= r->last)
			out->ranges[out->n++] = (struct imap_range){
			    r->first > q->first ? r->first : q->first,
			    r->last < q->last ? r->last : q->last };
		if (r->last < q->last)
			i++;
		else
			j++;
	}
}

int
imap_add_ranges(struct buf *out, const struct imap_set *set)
{
	const struct imap_range *r;
	size_t i;

	for (i = 0; i < set->n; i++) {
		r = &set->ranges[i];
		if (buf_printf(out, r->first == r->last ? "%s%lu" : "%s%lu:%lu",
		    i == 0 ? "" : ",", (unsigned long)r->first,
		    (unsigned long)r->last) == -1)
			return -1;
	}
	return 0;
}

int
imap_add_set(struct buf *out, const uint32_t *numbers, size_t n)
{
	size_t i = 0, j;

	while (i < n) {
		for (j = i; j + 1 < n && numbers[j + 1] == numbers[j] + 1; j++)
			;
		if (buf_printf(out, i == j ? "%s%lu" : "%s%lu:%lu",
		    i == 0 ? "" : ",", (unsigned long)numbers[i],
		    (unsigned long)numbers[j]) == -1)
			return -1;
		i = j + 1;
	}
	return 0;
}
