/*
 * uids.c - the UIDs of the view: taken from the store a block at a time, and
 * written out one by one when they are asked for
 *
 * A session that looks at its newest messages never sees most of a large
 * mailbox. What was loaded is of the moment of SELECT and in memory: nothing
 * that happens later in the store changes it.
 */
#include "imap/internal.h"

#include <errno.h>
#include <stdlib.h>

/* UIDs first + i of a block that are there: bit i % 8 of byte i / 8. */
struct box_block {
	uint32_t first;
	uint32_t count;
	size_t start;			/* index of its first message */
	bool written;
	size_t bytes;
	unsigned char *present;		/* NULL: all of them */
};

static void
write_block(const struct box *b, struct box_block *k)
{
	uint32_t *out = b->uids + k->start, uid = k->first;
	size_t i;

	k->written = true;
	b->blocks->left--;
	if (k->present == NULL) {
		for (i = 0; i < k->count; i++)
			out[i] = k->first + (uint32_t)i;
		return;
	}
	for (i = 0; i < k->bytes; i++, uid += 8) {
		unsigned int bits = k->present[i], j;

		for (j = 0; bits != 0; j++, bits >>= 1) {
			if ((bits & 1) != 0)
				*out++ = uid + j;
		}
	}
	free(k->present);
	k->present = NULL;
}

/* The block a message is in. */
static struct box_block *
block_at(const struct box_blocks *all, size_t index)
{
	size_t low = 0, high = all->n, mid;

	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (all->at[mid].start <= index)
			low = mid;
		else
			high = mid;
	}
	return &all->at[low];
}

void
box_write(const struct box *b, size_t index)
{
	struct box_block *k;

	if (index >= b->blocks->covered)
		return;
	k = block_at(b->blocks, index);
	if (!k->written)
		write_block(b, k);
}

void
box_fill(const struct box *b)
{
	size_t i;

	for (i = 0; b->blocks != NULL && i < b->blocks->n; i++) {
		if (!b->blocks->at[i].written)
			write_block(b, &b->blocks->at[i]);
	}
}

void
box_blocks_free(struct box *b)
{
	size_t i;

	if (b->blocks == NULL)
		return;
	for (i = 0; i < b->blocks->n; i++)
		free(b->blocks->at[i].present);
	free(b->blocks->at);
	free(b->blocks);
	b->blocks = NULL;
}

/* Where among indexes low to high the first UID of at least uid is. */
static size_t
search(const struct box *b, size_t low, size_t high, uint32_t uid)
{
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (b->uids[mid] < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The indexes among which a UID is, if there: these alone are written out. */
static void
narrow(const struct box *b, uint32_t uid, size_t *low, size_t *high)
{
	const struct box_blocks *all = b->blocks;
	size_t from = 0, to = all->n, mid;
	struct box_block *k;

	while (from < to) {
		mid = from + (to - from) / 2;
		k = &all->at[mid];
		if (uid >= k->first && uid - k->first >= STORE_UID_BLOCK)
			from = mid + 1;
		else
			to = mid;
	}
	*low = from < all->n ? all->at[from].start : all->covered;
	*high = *low;
	if (from == all->n) {
		*high = b->n;	/* came after SELECT */
	} else if (uid >= all->at[from].first) {
		k = &all->at[from];
		if (!k->written)
			write_block(b, k);
		*high = *low + k->count;
	}
}

bool
box_find(const struct box *b, uint32_t uid, size_t *at)
{
	size_t low = 0, high = b->n;

	if (b->blocks != NULL && b->blocks->left > 0)
		narrow(b, uid, &low, &high);
	*at = search(b, low, high, uid);
	/* Past the end of what is written it is not this one. */
	return *at < high && b->uids[*at] == uid;
}

void
box_want_state(struct box *b)
{
	if (b->state == NULL)
		b->state = mem_zalloc(b->size + 1, 1);
}

/* ---- at SELECT ---- */

static void
add_block(struct box *b, const struct store_uids *u)
{
	struct box_blocks *all = b->blocks;
	struct box_block *k;

	if (all->n == all->size) {
		all->size = all->size == 0 ? 16 : all->size * 2;
		all->at = mem_realloc(all->at, all->size * sizeof(*all->at));
	}
	k = &all->at[all->n++];
	*k = (struct box_block){ .first = u->first, .count = u->count,
	    .start = all->covered, .bytes = u->present.n };
	if (u->count < STORE_UID_BLOCK) {
		k->present = mem_zalloc(u->present.n + 1, 1);
		memcpy(k->present, u->present.p, u->present.n);
	}
	all->covered += u->count;
	all->left++;
}

static size_t
first_unseen(const struct store_uids *u)
{
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < STORE_UID_BLOCK; i++) {
		n += store_uids_has(u, i);
		if (store_uids_unseen(u, i))
			break;
	}
	return n;
}

/* Bitmaps say what count says, so that what is written has its room. */
static bool
is_sound(const struct store_uids *u)
{
	size_t i, n = 0;

	if (u->count == STORE_UID_BLOCK)
		return true;
	for (i = 0; i < u->present.n; i++)
		n += (size_t)__builtin_popcount(u->present.p[i]);
	return n == u->count;
}

int
box_load(struct box *b, struct store_view *v, size_t *unseen)
{
	struct store_uids u;
	int r;

	*unseen = 0;
	b->blocks = mem_zalloc(1, sizeof(*b->blocks));
	for (r = store_uids_first(v, b->id, &u); r == 1;
	    r = store_uids_next(v, &u)) {
		if (!is_sound(&u)) {
			errno = EBADMSG;
			return -1;
		}
		if (*unseen == 0 && u.unseen > 0) {
			if (store_uids_want_unseen(v, &u) == -1)
				return -1;
			*unseen = b->blocks->covered + first_unseen(&u);
		}
		add_block(b, &u);
	}
	if (r == -1)
		return -1;
	b->n = b->blocks->covered;
	b->size = b->n + 64;
	/* Not zeroed: pages that nobody writes to cost nothing. */
	b->uids = mem_realloc(NULL, b->size * sizeof(*b->uids));
	return 0;
}
