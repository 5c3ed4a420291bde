/*
 * uids.c - which UIDs a mailbox has, in blocks, beside the records
 *
 * Whoever selects a mailbox wants its UIDs and the first one without \Seen,
 * not its records. 4096 UIDs are a block. How many messages each of 128 blocks
 * has, and how many are not \Seen, is one entry, a group; so one page of the
 * index tells all of a million. Which ones is an entry for each block that is
 * not full, and another one where some are \Seen and some are not. These are
 * behind the groups of the mailbox. Written in the transaction of the records;
 * a work keeps the block it changed last until it needs another one.
 */
#include "store/be16.h"
#include "store/internal.h"

#include <errno.h>

#define BITMAP_SIZE (STORE_UID_BLOCK / 8)
#define NUMBER_MAX (UINT32_MAX / STORE_UID_BLOCK)
/* A group: its layout; then for each block, those at the end that are empty
 * left out, messages (16 bits) and those not \Seen (16). */
#define LAYOUT 2
#define GROUP 128
#define COUNTS 4
#define GROUP_SIZE (1 + GROUP * COUNTS)
/* Mailbox; and the number of a group, or that of a block with one of these on
 * top: its bitmap of UIDs, and of those not \Seen. */
#define KEY_ENTRY 8
#define PRESENT 0x40000000u
#define NOT_SEEN 0x80000000u

static bool
bit(const unsigned char *map, uint32_t i)
{
	return (map[i / 8] >> (i % 8) & 1) != 0;
}

static void
set_bit(unsigned char *map, uint16_t *count, uint32_t i, bool on)
{
	if (bit(map, i) == on)
		return;
	map[i / 8] = (unsigned char)(map[i / 8] ^ 1u << (i % 8));
	*count = (uint16_t)(on ? *count + 1 : *count - 1);
}

static bool
in_bitmap(struct bytes map, uint32_t i)
{
	return i / 8 < map.n && bit(map.p, i);
}

bool
store_uids_has(const struct store_uids *u, uint32_t i)
{
	return u->count == STORE_UID_BLOCK || in_bitmap(u->present, i);
}

bool
store_uids_unseen(const struct store_uids *u, uint32_t i)
{
	if (u->unseen == 0 || u->unseen == u->count)
		return u->unseen != 0 && store_uids_has(u, i);
	return in_bitmap(u->not_seen, i);
}

/* ---- entries ---- */

static int
get(struct kv_txn *t, uint32_t mailbox, uint32_t number, struct bytes *value)
{
	unsigned char key[KEY_ENTRY];

	key_message(key, mailbox, number);
	return kv_get(t, TABLE_UID, key_of(key, sizeof(key)), value);
}

static int
put(struct kv_txn *t, uint32_t mailbox, uint32_t number, struct bytes value)
{
	unsigned char key[KEY_ENTRY];

	key_message(key, mailbox, number);
	return kv_put(t, TABLE_UID, key_of(key, sizeof(key)), value);
}

static int
drop(struct kv_txn *t, uint32_t mailbox, uint32_t number)
{
	unsigned char key[KEY_ENTRY];

	key_message(key, mailbox, number);
	return kv_delete(t, TABLE_UID, key_of(key, sizeof(key))) == -1 ? -1
	    : 0;
}

static bool
is_group(struct bytes value)
{
	return value.n > 1 && value.n <= GROUP_SIZE && value.p[0] == LAYOUT &&
	    (value.n - 1) % COUNTS == 0;
}

/* Block i of a group, by its counts; those of one without messages are 0. */
static void
counts_get(struct bytes group, uint32_t i, struct store_uids *out)
{
	struct bytes s = bytes_from(group, 1 + (size_t)i * COUNTS);

	*out = (struct store_uids){ .present = BYTES_EMPTY,
	    .not_seen = BYTES_EMPTY };
	if (s.n < COUNTS)
		return;
	out->count = be16_get(s.p);
	out->unseen = be16_get(s.p + 2);
}

/* Whether all of its UIDs are there, or only those of a bitmap. */
static bool
is_partial(uint32_t count)
{
	return count != 0 && count != STORE_UID_BLOCK;
}

/* Whether some of them are \Seen, and some are not. */
static bool
is_mixed(uint32_t count, uint32_t unseen)
{
	return unseen != 0 && unseen != count;
}

static int
bitmap_get(struct kv_txn *t, uint32_t mailbox, uint32_t number,
    struct bytes *out)
{
	struct bytes value;
	int r = get(t, mailbox, number, &value);

	if (r == -1)
		return -1;
	if (r == 0 || value.n > BITMAP_SIZE)
		return unreadable();
	*out = value;
	return 0;
}

/* A block of a group, by its number. 1, 0 there are no messages in it, -1. */
static int
block_get(struct kv_txn *t, uint32_t mailbox, struct bytes group,
    uint32_t number, struct store_uids *out)
{
	struct store_uids u;

	if (number > NUMBER_MAX)
		return unreadable();
	counts_get(group, number % GROUP, &u);
	u.first = number * STORE_UID_BLOCK;
	if (u.count > STORE_UID_BLOCK || u.unseen > u.count)
		return unreadable();
	if (is_partial(u.count) &&
	    bitmap_get(t, mailbox, number | PRESENT, &u.present) == -1)
		return -1;
	*out = u;
	return u.count != 0;
}

/* What a block needs for store_uids_unseen. 0, -1. */
static int
not_seen_get(struct kv_txn *t, uint32_t mailbox, struct store_uids *u)
{
	return !is_mixed(u->count, u->unseen) ? 0 : bitmap_get(t, mailbox,
	    u->first / STORE_UID_BLOCK | NOT_SEEN, &u->not_seen);
}

/* A bitmap without the zeros at its end. */
static struct bytes
trimmed(const unsigned char *map)
{
	size_t n = BITMAP_SIZE;

	while (n > 0 && map[n - 1] == 0)
		n--;
	return bytes_of(map, n);
}

/* ---- in a work ---- */

/* How many bits of a bitmap are set. */
static uint16_t
count_bits(const unsigned char *map)
{
	uint64_t word;
	int n = 0;

	for (size_t i = 0; i < BITMAP_SIZE; i += sizeof(word)) {
		memcpy(&word, map + i, sizeof(word));
		n += __builtin_popcountll(word);
	}
	return (uint16_t)n;
}

/* A block as it is read into one that can be changed. */
static void
unpack(struct uid_block *b, const struct store_uids *u)
{
	if (u->count == STORE_UID_BLOCK)
		memset(b->present, 0xff, BITMAP_SIZE);
	else
		memcpy(b->present, u->present.p, u->present.n);
	if (u->unseen == u->count)
		memcpy(b->not_seen, b->present, BITMAP_SIZE);
	else
		memcpy(b->not_seen, u->not_seen.p, u->not_seen.n);
	b->count = count_bits(b->present);
	b->unseen = count_bits(b->not_seen);
}

static int
load(struct work *w, uint32_t mailbox, uint32_t number)
{
	struct uid_block *b = &w->uids;
	struct store_uids u;
	struct bytes group;
	int r;

	if (work_uids_flush(w) == -1)
		return -1;
	*b = (struct uid_block){ .mailbox = mailbox, .number = number };
	r = get(w->t, mailbox, number / GROUP, &group);
	if (r == 1)
		r = is_group(group) ? block_get(w->t, mailbox, group, number,
		    &u) : unreadable();
	if (r == 1 && not_seen_get(w->t, mailbox, &u) == -1)
		r = -1;
	if (r == -1)
		b->mailbox = 0;
	if (r != 1)
		return r;
	b->partial = is_partial(u.count);
	b->mixed = is_mixed(u.count, u.unseen);
	unpack(b, &u);
	return 0;
}

int
work_uid(struct work *w, uint32_t mailbox, uint32_t uid, bool present,
    bool seen)
{
	struct uid_block *b = &w->uids;
	uint32_t number = uid / STORE_UID_BLOCK, i = uid % STORE_UID_BLOCK;

	if ((b->mailbox != mailbox || b->number != number) &&
	    load(w, mailbox, number) == -1)
		return -1;
	set_bit(b->present, &b->count, i, present);
	set_bit(b->not_seen, &b->unseen, i, present && !seen);
	b->dirty = true;
	return 0;
}

/* The counts of a block into its group. */
static int
flush_counts(struct work *w, const struct uid_block *b)
{
	unsigned char group[GROUP_SIZE] = { LAYOUT }, *p;
	uint32_t number = b->number / GROUP;
	size_t n = GROUP_SIZE;
	struct bytes old;
	int r = get(w->t, b->mailbox, number, &old);

	if (r == -1 || (r == 1 && !is_group(old)))
		return r == -1 ? -1 : unreadable();
	if (r == 1)
		memcpy(group, old.p, old.n);
	p = group + 1 + b->number % GROUP * COUNTS;
	be16_put(p, b->count);
	be16_put(p + 2, b->unseen);
	while (n > 1 && be16_get(group + n - COUNTS) == 0)
		n -= COUNTS;
	if (r == 1 && bytes_eq(old, bytes_of(group, n)))
		return 0;
	return n > 1 ? put(w->t, b->mailbox, number, bytes_of(group, n))
	    : drop(w->t, b->mailbox, number);
}

/* A bitmap that is needed, or not any more. */
static int
flush_bitmap(struct work *w, const struct uid_block *b, uint32_t which,
    bool had, bool needed, const unsigned char *map)
{
	if (needed)
		return put(w->t, b->mailbox, b->number | which, trimmed(map));
	return had ? drop(w->t, b->mailbox, b->number | which) : 0;
}

int
work_uids_flush(struct work *w)
{
	struct uid_block *b = &w->uids;
	bool partial = b->partial, mixed = b->mixed;

	if (!b->dirty)
		return 0;
	b->dirty = false;
	b->partial = is_partial(b->count);
	b->mixed = is_mixed(b->count, b->unseen);
	return flush_counts(w, b) == -1 || flush_bitmap(w, b, PRESENT,
	    partial, b->partial, b->present) == -1 || flush_bitmap(w, b,
	    NOT_SEEN, mixed, b->mixed, b->not_seen) == -1 ? -1 : 0;
}

/* ---- from the records ---- */

/*
 * The block of the first record from mailbox and uid on; they move to the
 * record after it. 1, 0 there is none, -1.
 */
static int
block_of_records(struct kv_txn *t, uint32_t *mailbox, uint32_t *uid,
    struct uid_block *b)
{
	unsigned char from[KEY_MESSAGE];
	struct bytes key = key_of(from, sizeof(from)), value;
	struct kv_cursor *c = kv_cursor_open(t, TABLE_MESSAGE);
	struct store_message m;
	int r;

	if (c == NULL)
		return -1;
	*b = (struct uid_block){ .mailbox = 0 };
	key_message(from, *mailbox, *uid);
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if (message_decode(key, value, &m) == -1) {
			r = -1;
			break;
		}
		*mailbox = m.mailbox;
		*uid = m.uid;
		if (b->mailbox == 0) {
			b->mailbox = m.mailbox;
			b->number = m.uid / STORE_UID_BLOCK;
		} else if (b->mailbox != m.mailbox ||
		    b->number != m.uid / STORE_UID_BLOCK) {
			break;
		}
		set_bit(b->present, &b->count, m.uid % STORE_UID_BLOCK, true);
		set_bit(b->not_seen, &b->unseen, m.uid % STORE_UID_BLOCK,
		    (m.flags & STORE_SEEN) == 0);
	}
	kv_cursor_close(c);
	if (r == 0)
		*mailbox = UINT32_MAX;	/* no mailbox has that id */
	return r == -1 ? -1 : b->mailbox != 0;
}

int
uids_build(struct work *w)
{
	uint32_t mailbox = 0, uid = 0;
	struct uid_block b;
	int r;

	w->uids = (struct uid_block){ .mailbox = 0 };
	if (kv_empty(w->t, TABLE_UID) == -1)
		return -1;
	while ((r = block_of_records(w->t, &mailbox, &uid, &b)) == 1) {
		w->uids = b;
		w->uids.dirty = true;
		if (work_uids_flush(w) == -1)
			return -1;
	}
	w->uids = (struct uid_block){ .mailbox = 0 };
	return r;
}

/* Whether an entry is that: 1, 0, -1. */
static int
is_entry(struct kv_txn *t, uint32_t mailbox, uint32_t number,
    struct bytes want)
{
	struct bytes value;
	int r = get(t, mailbox, number, &value);

	return r == 1 ? bytes_eq(value, want) : r;
}

/* The entries of a block of records, counted; those of its group if it is the
 * first one of that. */
struct checking {
	uint32_t mailbox, group;	/* of the last block */
	int64_t entries;
	int64_t blocks, listed;		/* of records, in groups */
};

static int
check_block(struct kv_txn *t, const struct uid_block *b, struct checking *c)
{
	uint32_t number = b->number / GROUP, i;
	struct store_uids u;
	struct bytes group;
	int r = get(t, b->mailbox, number, &group);

	if (r != 1 || !is_group(group))
		return r == -1 ? -1 : 0;
	if (b->mailbox != c->mailbox || number != c->group) {
		c->mailbox = b->mailbox;
		c->group = number;
		c->entries++;
		for (i = 0; i < GROUP; i++) {
			counts_get(group, i, &u);
			c->listed += u.count != 0;
		}
	}
	c->blocks++;
	counts_get(group, b->number % GROUP, &u);
	if (u.count != b->count || u.unseen != b->unseen)
		return 0;
	if (is_partial(b->count)) {
		c->entries++;
		r = is_entry(t, b->mailbox, b->number | PRESENT,
		    trimmed(b->present));
	}
	if (r == 1 && is_mixed(b->count, b->unseen)) {
		c->entries++;
		r = is_entry(t, b->mailbox, b->number | NOT_SEEN,
		    trimmed(b->not_seen));
	}
	return r;
}

int
uids_verify(struct kv_txn *t, uint32_t *mailbox, uint32_t *first)
{
	struct checking c = { .mailbox = 0 };
	uint32_t at = 0, uid = 0;
	struct uid_block b;
	int r, same = 1;

	while (same == 1 && (r = block_of_records(t, &at, &uid, &b)) == 1) {
		*mailbox = b.mailbox;
		*first = b.number * STORE_UID_BLOCK;
		same = check_block(t, &b, &c);
	}
	if (same != 1)
		return same;
	*mailbox = *first = 0;
	return r == -1 ? -1 : c.listed == c.blocks &&
	    kv_count(t, TABLE_UID) == c.entries;
}

/* ---- for readers ---- */

/* The group that a cursor is at becomes that of the view; 1, 0, -1. */
static int
enter_group(struct store_view *v, int r, struct bytes key,
    struct bytes value)
{
	if (r != 1)
		return r;
	if (key.n != KEY_ENTRY)
		return unreadable();
	if (be32_get(key.p) != v->uids_mailbox ||
	    be32_get(key.p + 4) >= PRESENT)
		return 0;
	if (!is_group(value) || be32_get(key.p + 4) > NUMBER_MAX / GROUP)
		return unreadable();
	v->uids_group = value;
	v->uids_number = be32_get(key.p + 4) * GROUP;
	return 1;
}

/* The next block of the group; 1, 0, -1. */
static int
next_of_group(struct store_view *v, struct store_uids *out)
{
	size_t n = (v->uids_group.n - 1) / COUNTS;
	int r = 0;

	while (r == 0 && v->uids_group.n > 0 &&
	    v->uids_number % GROUP < n) {
		r = block_get(v->t, v->uids_mailbox, v->uids_group,
		    v->uids_number, out);
		/* The last one of all would begin anew. */
		if (++v->uids_number % GROUP == 0)
			v->uids_group = BYTES_EMPTY;
	}
	return r;
}

int
store_uids_first(struct store_view *v, uint32_t mailbox,
    struct store_uids *out)
{
	unsigned char from[KEY_ENTRY];
	struct bytes key = key_of(from, sizeof(from)), value;
	int r;

	if (v->uids == NULL &&
	    (v->uids = kv_cursor_open(v->t, TABLE_UID)) == NULL)
		return -1;
	v->uids_mailbox = mailbox;
	v->uids_group = BYTES_EMPTY;
	key_message(from, mailbox, 0);
	r = kv_seek(v->uids, &key, &value);
	r = enter_group(v, r, key, value);
	return r == 1 ? store_uids_next(v, out) : r;
}

int
store_uids_next(struct store_view *v, struct store_uids *out)
{
	struct bytes key = BYTES_EMPTY, value;
	int r;

	if (v->uids == NULL) {
		errno = EINVAL;
		return -1;
	}
	while ((r = next_of_group(v, out)) == 0) {
		r = kv_next(v->uids, &key, &value);
		if ((r = enter_group(v, r, key, value)) != 1)
			break;
	}
	return r;
}

int
store_uids_want_unseen(struct store_view *v, struct store_uids *u)
{
	return not_seen_get(v->t, v->uids_mailbox, u);
}
