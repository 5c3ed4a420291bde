/*
 * uids.c - which UIDs a mailbox has, in blocks, beside the records
 *
 * Whoever selects a mailbox wants its UIDs and the first one without \Seen,
 * not its records: 4096 messages are one entry here, a few bytes if none of
 * them is missing. Which of them are \Seen, where some are and some are not,
 * is an entry of its own behind all those of the mailbox: only that of the
 * first message without \Seen is looked for. So a selection touches two or
 * three pages of the index however large the mailbox is. Written in the
 * transaction of the records; a work keeps the block it changed last until it
 * needs another one.
 */
#include "store/internal.h"

#include <errno.h>

/* Layout, UIDs counted, those not \Seen. */
#define LAYOUT 2
#define HEAD_SIZE 6
#define BITMAP_SIZE (STORE_UID_BLOCK / 8)
/* Mailbox and number of the block. */
#define KEY_BLOCK 8
#define NUMBER_MAX (UINT32_MAX / STORE_UID_BLOCK)
/* On top of the number: its bitmap of those not \Seen. */
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

/* ---- entries ---- */

/* A bitmap without the zeros at its end. */
static struct bytes
trimmed(const unsigned char *map)
{
	size_t n = BITMAP_SIZE;

	while (n > 0 && map[n - 1] == 0)
		n--;
	return bytes_of(map, n);
}

/* The bitmap of the UIDs is left out when all are there. */
static int
block_encode(struct buf *out, const struct uid_block *b)
{
	unsigned char head[HEAD_SIZE] = { LAYOUT };

	head[2] = (unsigned char)(b->count >> 8);
	head[3] = (unsigned char)(b->count & 0xff);
	head[4] = (unsigned char)(b->unseen >> 8);
	head[5] = (unsigned char)(b->unseen & 0xff);
	if (buf_add(out, bytes_of(head, sizeof(head))) == -1)
		return -1;
	return b->count == STORE_UID_BLOCK ? 0
	    : buf_add(out, trimmed(b->present));
}

/* That of those not \Seen is left out when none is there or all are. */
static bool
is_mixed(uint32_t count, uint32_t unseen)
{
	return unseen != 0 && unseen != count;
}

int
uids_decode(struct bytes key, struct bytes value, struct store_uids *out)
{
	const unsigned char *p = value.p;
	struct bytes rest = bytes_from(value, HEAD_SIZE);

	if (key.n != KEY_BLOCK || value.n < HEAD_SIZE || p[0] != LAYOUT ||
	    be32_get(key.p + 4) > NUMBER_MAX)
		goto malformed;
	*out = (struct store_uids){
		.first = be32_get(key.p + 4) * STORE_UID_BLOCK,
		.count = (uint32_t)(p[2] << 8 | p[3]),
		.unseen = (uint32_t)(p[4] << 8 | p[5]),
		.present = rest, .not_seen = BYTES_EMPTY,
	};
	if (out->count == 0 || out->count > STORE_UID_BLOCK ||
	    out->unseen > out->count || rest.n > BITMAP_SIZE ||
	    (out->count == STORE_UID_BLOCK && rest.n != 0))
		goto malformed;
	return 0;
malformed:
	errno = EBADMSG;
	return -1;
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

/* What a block needs for store_uids_unseen. 0, -1. */
static int
read_not_seen(struct kv_txn *t, uint32_t mailbox, struct store_uids *u)
{
	unsigned char key[KEY_BLOCK];
	struct bytes value;
	int r;

	if (!is_mixed(u->count, u->unseen))
		return 0;
	key_message(key, mailbox, u->first / STORE_UID_BLOCK | NOT_SEEN);
	r = kv_get(t, TABLE_UID, key_of(key, sizeof(key)), &value);
	if (r == 1 && value.n <= BITMAP_SIZE) {
		u->not_seen = value;
		return 0;
	}
	if (r != -1)
		errno = EBADMSG;
	return -1;
}

/* ---- in a work ---- */

static int
load(struct work *w, uint32_t mailbox, uint32_t number)
{
	unsigned char key[KEY_BLOCK];
	struct uid_block *b = &w->uids;
	struct store_uids u;
	struct bytes value;
	uint32_t i;
	int r;

	if (work_uids_flush(w) == -1)
		return -1;
	key_message(key, mailbox, number);
	*b = (struct uid_block){ .mailbox = mailbox, .number = number };
	r = kv_get(w->t, TABLE_UID, key_of(key, sizeof(key)), &value);
	if (r == 1 && (uids_decode(key_of(key, sizeof(key)), value, &u) == -1
	    || read_not_seen(w->t, mailbox, &u) == -1))
		r = -1;
	b->mixed = r == 1 && is_mixed(u.count, u.unseen);
	if (r == -1)
		b->mailbox = 0;
	for (i = 0; r == 1 && i < STORE_UID_BLOCK; i++) {
		set_bit(b->present, &b->count, i, store_uids_has(&u, i));
		set_bit(b->not_seen, &b->unseen, i, store_uids_unseen(&u, i));
	}
	return r == -1 ? -1 : 0;
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

static int
flush_not_seen(struct work *w, struct uid_block *b)
{
	unsigned char key[KEY_BLOCK];
	bool had = b->mixed;

	key_message(key, b->mailbox, b->number | NOT_SEEN);
	b->mixed = is_mixed(b->count, b->unseen);
	if (b->mixed)
		return kv_put(w->t, TABLE_UID, key_of(key, sizeof(key)),
		    trimmed(b->not_seen));
	return had && kv_delete(w->t, TABLE_UID, key_of(key, sizeof(key)))
	    == -1 ? -1 : 0;
}

int
work_uids_flush(struct work *w)
{
	unsigned char key[KEY_BLOCK];
	struct uid_block *b = &w->uids;

	if (!b->dirty)
		return 0;
	b->dirty = false;
	if (flush_not_seen(w, b) == -1)
		return -1;
	key_message(key, b->mailbox, b->number);
	if (b->count == 0)
		return kv_delete(w->t, TABLE_UID, key_of(key, sizeof(key)))
		    == -1 ? -1 : 0;
	buf_reset(&w->record);
	if (block_encode(&w->record, b) == -1)
		return -1;
	return kv_put(w->t, TABLE_UID, key_of(key, sizeof(key)),
	    buf_bytes(&w->record));
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

static int
has_entry(struct kv_txn *t, uint32_t mailbox, uint32_t number,
    struct bytes want)
{
	unsigned char key[KEY_BLOCK];
	struct bytes value;
	int r;

	key_message(key, mailbox, number);
	r = kv_get(t, TABLE_UID, key_of(key, sizeof(key)), &value);
	return r == 1 ? bytes_eq(value, want) : r;
}

int
uids_verify(struct kv_txn *t, uint32_t *mailbox, uint32_t *first)
{
	struct buf record = BUF_INIT(HEAD_SIZE + BITMAP_SIZE);
	uint32_t at = 0, uid = 0;
	struct uid_block b;
	int64_t entries = 0;
	int r, same = 1;

	while (same == 1 && (r = block_of_records(t, &at, &uid, &b)) == 1) {
		entries++;
		*mailbox = b.mailbox;
		*first = b.number * STORE_UID_BLOCK;
		buf_reset(&record);
		same = block_encode(&record, &b) == -1 ? -1 : has_entry(t,
		    b.mailbox, b.number, buf_bytes(&record));
		if (same != 1 || !is_mixed(b.count, b.unseen))
			continue;
		entries++;
		same = has_entry(t, b.mailbox, b.number | NOT_SEEN,
		    trimmed(b.not_seen));
	}
	buf_free(&record);
	if (same != 1)
		return same;
	*mailbox = *first = 0;
	return r == -1 ? -1 : kv_count(t, TABLE_UID) == entries;
}

/* ---- for readers ---- */

static int
walked(struct store_view *v, uint32_t mailbox, int r, struct bytes key,
    struct bytes value, struct store_uids *out)
{
	if (r != 1)
		return r;
	if (key.n == KEY_BLOCK && (be32_get(key.p) != mailbox ||
	    (be32_get(key.p + 4) & NOT_SEEN) != 0))
		return 0;
	v->uids_mailbox = mailbox;
	return uids_decode(key, value, out) == -1 ? -1 : 1;
}

int
store_uids_first(struct store_view *v, uint32_t mailbox,
    struct store_uids *out)
{
	unsigned char from[KEY_BLOCK];
	struct bytes key = key_of(from, sizeof(from)), value;
	int r;

	if (v->uids == NULL &&
	    (v->uids = kv_cursor_open(v->t, TABLE_UID)) == NULL)
		return -1;
	key_message(from, mailbox, 0);
	r = kv_seek(v->uids, &key, &value);
	return walked(v, mailbox, r, key, value, out);
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
	r = kv_next(v->uids, &key, &value);
	return walked(v, v->uids_mailbox, r, key, value, out);
}

int
store_uids_want_unseen(struct store_view *v, struct store_uids *u)
{
	return read_not_seen(v->t, v->uids_mailbox, u);
}
