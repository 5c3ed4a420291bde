/*
 * origin.c - where messages came from: their rows, and what changes them
 *
 * A row stays as it was at delivery; only its marks change, and its place
 * when the message is moved. The table history has entries of messages that
 * carry $Junk or $NotJunk alone, so that a question reads no others, and mail
 * nobody judged costs one row. Flags of many messages at once are listed by
 * store_names, from what the table unsettled has; while there is something in
 * it who reads history looks at the flags themselves, so that nothing wrong is
 * said.
 */
#include "store/internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define ROW_FIXED 36
#define ENTRY_SIZE 9
#define ROW_MAX (ROW_FIXED + ENTRY_SIZE * ORIGIN_ENTRIES_MAX)
enum { MARK_HAM = 1, MARK_COUNTED = 2, MARK_VALIDATED = 4, MARK_JUNK = 8 };
/* Messages of one transaction whose entries change at once: 20 keys each. */
#define SETTLE_NOW 64
/* Messages of one entry of unsettled, settled in one transaction: 10 ms. */
#define SETTLE_PIECE 500
#define KEY_UNSETTLED 12

enum judged
judged_by(uint32_t flags)
{
	bool junk = (flags & STORE_JUNK) != 0;

	if (junk == ((flags & STORE_NOTJUNK) != 0))
		return JUDGED_NOT;
	return junk ? JUDGED_JUNK : JUDGED_HAM;
}

/* ---- rows ---- */

static void
add_entry(struct origin_row *r, enum store_origin_key key, uint64_t hash)
{
	assert(r->n < ORIGIN_ENTRIES_MAX);
	r->entry[r->n].key = key;
	r->entry[r->n++].hash = hash;
}

static uint64_t
hash_address(struct bytes local, struct bytes domain)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	uint64_t h;

	(void)buf_add(&b, local);	/* no bound, here and below */
	(void)buf_addc(&b, '@');
	(void)buf_add(&b, domain);
	h = hash_of(buf_bytes(&b));
	buf_free(&b);
	return h;
}

static void
add_from(struct origin_row *r, const struct origin *o)
{
	if (o->from_domain.n == 0)
		return;
	r->from_validated = o->from_validated;
	r->local_part = hash_of(o->from_local);
	add_entry(r, STORE_ORIGIN_FROM, hash_address(o->from_local,
	    o->from_domain));
	add_entry(r, STORE_ORIGIN_FROM_DOMAIN, hash_of(o->from_domain));
	add_entry(r, STORE_ORIGIN_FROM_ORG, hash_of(o->from_org));
}

static void
add_spf(struct origin_row *r, const struct origin *o)
{
	if (o->mail_from_validated) {
		add_entry(r, STORE_ORIGIN_MAIL_FROM, hash_address(
		    o->mail_from_local, o->mail_from_domain));
		add_entry(r, STORE_ORIGIN_MAIL_FROM_DOMAIN,
		    hash_of(o->mail_from_domain));
	}
	if (o->helo_validated)
		add_entry(r, STORE_ORIGIN_HELO, hash_of(o->helo));
}

void
origin_row_make(struct origin_row *out, const struct origin *o)
{
	struct ip mask[ORIGIN_MASKS];
	char text[IP_TEXT_MAX];
	size_t i;

	*out = (struct origin_row){ .n = 0 };
	if (o == NULL)
		return;
	add_from(out, o);
	for (i = 0; i < o->ndkim; i++)
		add_entry(out, STORE_ORIGIN_DKIM, hash_of(o->dkim[i]));
	add_spf(out, o);
	if (o->ip.family == 0)
		return;
	origin_masks(&o->ip, mask);
	for (i = 0; i < ORIGIN_MASKS; i++)
		add_entry(out, (enum store_origin_key)(STORE_ORIGIN_IP1 + i),
		    hash_of(bytes_str(ip_format(&mask[i], text))));
}

void
origin_row_read(struct arena *a, struct bytes message, const char *hostname,
    struct origin_row *out)
{
	struct origin o;
	bool ours = hostname != NULL && origin_of_stored(a, message,
	    bytes_str(hostname), &o);

	origin_row_make(out, ours ? &o : NULL);
}

static int
put_row(struct work *w, const struct origin_row *row)
{
	unsigned char r[ROW_MAX] = { 1 }, key[KEY_MESSAGE], *p;

	r[1] = (unsigned char)((row->listed == JUDGED_HAM ? MARK_HAM : 0) |
	    (row->listed == JUDGED_JUNK ? MARK_JUNK : 0) |
	    (row->counted ? MARK_COUNTED : 0) |
	    (row->from_validated ? MARK_VALIDATED : 0));
	r[2] = (unsigned char)row->n;
	be32_put(r + 4, row->original_mailbox);
	be64_put(r + 8, (uint64_t)row->date);
	be64_put(r + 16, row->size);
	be64_put(r + 24, row->local_part);
	be32_put(r + 32, row->original_uid);
	for (size_t i = 0; i < row->n; i++) {
		p = r + ROW_FIXED + ENTRY_SIZE * i;
		p[0] = (unsigned char)row->entry[i].key;
		be64_put(p + 1, row->entry[i].hash);
	}
	key_message(key, row->mailbox, row->uid);
	w->dirty = true;
	return kv_put(w->t, TABLE_ORIGIN, key_of(key, sizeof(key)),
	    bytes_of(r, ROW_FIXED + ENTRY_SIZE * row->n));
}

int
origin_decode(struct bytes key, struct bytes value, struct origin_row *out)
{
	const unsigned char *p = value.p;

	errno = EBADMSG;
	if (key.n != KEY_MESSAGE || value.n < ROW_FIXED || p[0] != 1 ||
	    p[2] > ORIGIN_ENTRIES_MAX ||
	    value.n != ROW_FIXED + ENTRY_SIZE * (size_t)p[2])
		return -1;
	*out = (struct origin_row){ .mailbox = be32_get(key.p),
	    .uid = be32_get(key.p + 4), 
	    .listed = (p[1] & MARK_JUNK) != 0 ? JUDGED_JUNK
	    : (p[1] & MARK_HAM) != 0 ? JUDGED_HAM : JUDGED_NOT,
	    .counted = (p[1] & MARK_COUNTED) != 0,
	    .from_validated = (p[1] & MARK_VALIDATED) != 0, .n = p[2],
	    .original_mailbox = be32_get(p + 4),
	    .date = (int64_t)be64_get(p + 8), .size = be64_get(p + 16),
	    .local_part = be64_get(p + 24),
	    .original_uid = be32_get(p + 32) };
	for (size_t i = 0; i < out->n; i++) {
		p = value.p + ROW_FIXED + ENTRY_SIZE * i;
		if (p[0] >= STORE_ORIGIN_KEYS)
			return -1;
		out->entry[i].key = (enum store_origin_key)p[0];
		out->entry[i].hash = be64_get(p + 1);
	}
	return 0;
}

int
origin_get(struct kv_txn *t, uint32_t mailbox, uint32_t uid,
    struct origin_row *out)
{
	unsigned char key[KEY_MESSAGE];
	struct bytes value;
	int r;

	key_message(key, mailbox, uid);
	r = kv_get(t, TABLE_ORIGIN, key_of(key, sizeof(key)), &value);
	return r == 1 && origin_decode(key_of(key, sizeof(key)), value, out)
	    == -1 ? -1 : r;
}

/* One that cannot be read leads to nothing; store-index -r removes it. */
static int
get_row(struct kv_txn *t, uint32_t mailbox, uint32_t uid,
    struct origin_row *out)
{
	int r = origin_get(t, mailbox, uid, out);

	return r == -1 && errno == EBADMSG ? 0 : r;
}

/* ---- what leads to them ---- */

void
history_key(unsigned char out[KEY_HISTORY], const struct origin_row *row,
    size_t i)
{
	enum store_origin_key key = row->entry[i].key;

	be32_put(out, row->original_mailbox);
	out[4] = (unsigned char)(2 * key + (key <= STORE_ORIGIN_FROM_ORG &&
	    row->from_validated));
	be64_put(out + 5, row->entry[i].hash);
	be64_put(out + HISTORY_DATE, ~(uint64_t)row->date);
	be32_put(out + HISTORY_DATE + 8, ~row->original_uid);
	key_message(out + HISTORY_PLACE, row->mailbox, row->uid);
}

static int
put_entries(struct work *w, const struct origin_row *row)
{
	unsigned char key[KEY_HISTORY], value[HISTORY_VALUE];

	be64_put(value, row->local_part);
	value[8] = row->listed == JUDGED_JUNK;
	for (size_t i = 0; i < row->n; i++) {
		history_key(key, row, i);
		if (kv_put(w->t, TABLE_HISTORY, key_of(key, KEY_HISTORY),
		    bytes_of(value, HISTORY_VALUE)) == -1)
			return -1;
	}
	return 0;
}

static int
delete_entries(struct work *w, const struct origin_row *row)
{
	unsigned char key[KEY_HISTORY];

	for (size_t i = 0; i < row->n; i++) {
		history_key(key, row, i);
		if (kv_delete(w->t, TABLE_HISTORY, key_of(key, KEY_HISTORY))
		    == -1)
			return -1;
	}
	return 0;
}

static int
settle(struct work *w, uint32_t mailbox, uint32_t uid, enum judged judged)
{
	struct origin_row row;
	int r = get_row(w->t, mailbox, uid, &row);

	if (r != 1 || row.listed == judged)
		return r == -1 ? -1 : 0;
	row.listed = judged;
	r = judged != JUDGED_NOT ? put_entries(w, &row)
	    : delete_entries(w, &row);
	return r == -1 ? -1 : put_row(w, &row);
}

/* ---- messages that come, change, go ---- */

static int
put_new(struct work *w, struct origin_row *row, uint32_t flags)
{
	row->listed = judged_by(flags);
	if (row->listed != JUDGED_NOT && put_entries(w, row) == -1)
		return -1;
	return put_row(w, row);
}

static void
place_row(struct origin_row *row, const struct store_message *m)
{
	row->mailbox = m->mailbox;
	row->uid = m->uid;
	row->date = m->internal_date;
	row->size = m->size;
}

int
work_origin_put(struct work *w, const struct store_message *m,
    struct origin_row *row)
{
	if (row->n == 0)
		return 0;
	place_row(row, m);
	if (row->original_mailbox == 0)
		row->original_mailbox = m->mailbox;
	row->original_uid = m->uid;
	row->counted = rate_is_recent(row);
	if (row->counted && work_rate(w, row, true) == -1)
		return -1;
	return put_new(w, row, m->flags);
}

int
work_origin_renew(struct work *w, const struct store_message *m,
    struct origin_row *row)
{
	struct origin_row old;
	struct store_thread t;
	int r = row->n == 0 ? 1 : get_row(w->t, m->mailbox, m->uid, &old);

	if (r != 0)
		return r == -1 ? -1 : 0;
	place_row(row, m);
	r = thread_get(w->t, m->mailbox, m->uid, &t);
	row->original_mailbox = r == 1 && t.original_mailbox != 0
	    ? t.original_mailbox : m->mailbox;
	row->original_uid = m->uid;
	return put_new(w, row, m->flags);
}

int
work_origin_copy(struct work *w, const struct store_message *from,
    const struct store_message *to, bool move, uint32_t original)
{
	unsigned char key[KEY_MESSAGE];
	struct origin_row row;
	int r = get_row(w->t, from->mailbox, from->uid, &row);

	if (r != 1)
		return r;
	key_message(key, from->mailbox, from->uid);
	if (move && ((row.listed != JUDGED_NOT &&
	    delete_entries(w, &row) == -1) ||
	    kv_delete(w->t, TABLE_ORIGIN, key_of(key, KEY_MESSAGE)) == -1))
		return -1;
	row.mailbox = to->mailbox;
	row.uid = to->uid;
	if (original != 0)
		row.original_mailbox = original;
	row.counted = row.counted && move;
	row.listed = JUDGED_NOT;
	if (put_row(w, &row) == -1)
		return -1;
	return judged_by(to->flags) == JUDGED_NOT ? 0
	    : work_origin_flags(w, to);
}

int
work_origin_flags(struct work *w, const struct store_message *m)
{
	unsigned char key[KEY_MESSAGE];

	if (w->settled < SETTLE_NOW) {
		w->settled++;
		return settle(w, m->mailbox, m->uid, judged_by(m->flags));
	}
	key_message(key, m->mailbox, m->uid);
	return buf_add(&w->unsettled, bytes_of(key, KEY_MESSAGE));
}

static int
by_key(const void *a, const void *b)
{
	return memcmp(a, b, KEY_HISTORY);
}

int
origin_leave(struct work *w, struct bytes keys)
{
	unsigned char entry[KEY_HISTORY];
	struct buf gone = BUF_INIT(SIZE_MAX / 2);
	struct origin_row row;
	struct bytes key;
	int r = 0;

	while (r != -1 && bytes_cut(&keys, KEY_MESSAGE, &key)) {
		r = get_row(w->t, be32_get(key.p), be32_get(key.p + 4), &row);
		if (r == 1 && row.counted && rate_is_recent(&row))
			r = work_rate(w, &row, false) == -1 ? -1 : 1;
		for (size_t i = 0; r == 1 && row.listed != JUDGED_NOT &&
		    i < row.n; i++) {
			history_key(entry, &row, i);
			if (buf_add(&gone, bytes_of(entry, KEY_HISTORY))
			    == -1)
				r = -1;
		}
	}
	if (r != -1 && gone.n > 0) {
		qsort(gone.p, gone.n / KEY_HISTORY, KEY_HISTORY, by_key);
		r = kv_delete_many(w->t, TABLE_HISTORY, gone.p, KEY_HISTORY,
		    gone.n / KEY_HISTORY);
	}
	buf_free(&gone);
	return r == -1 ? -1 : 0;
}

/* ---- many at once ---- */

int
work_origin_flush(struct work *w)
{
	struct bytes rest = buf_bytes(&w->unsettled), piece;
	unsigned char key[KEY_UNSETTLED];
	uint32_t n = 0;

	while (rest.n > 0) {
		piece = bytes_first(rest, SETTLE_PIECE * KEY_MESSAGE);
		rest = bytes_from(rest, piece.n);
		be64_put(key, w->modseq);
		be32_put(key + 8, n++);
		if (kv_put(w->t, TABLE_UNSETTLED, key_of(key, KEY_UNSETTLED),
		    piece) == -1)
			return -1;
		w->dirty = w->names_behind = true;
	}
	buf_reset(&w->unsettled);
	return 0;
}

static int
settle_all(struct work *w, struct bytes keys)
{
	struct store_message m;
	struct bytes key;
	int r = 0;

	while (r != -1 && bytes_cut(&keys, KEY_MESSAGE, &key)) {
		r = work_get(w, be32_get(key.p), be32_get(key.p + 4), &m);
		if (r == 1)
			r = settle(w, m.mailbox, m.uid, judged_by(m.flags));
	}
	return r == -1 ? -1 : 0;
}

int
origin_settle_some(struct work *w)
{
	unsigned char copy[KEY_UNSETTLED];
	struct bytes key = BYTES_EMPTY, value, first;
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_UNSETTLED);
	struct arena a = ARENA_INIT;
	int r = c == NULL ? -1 : kv_seek(c, &key, &value);

	if (r == 1 && (key.n != KEY_UNSETTLED || value.n % KEY_MESSAGE != 0)) {
		errno = EBADMSG;
		r = -1;
	}
	if (r == 1) {
		memcpy(copy, key.p, sizeof(copy));
		value = arena_bytes(&a, value);
	}
	kv_cursor_close(c);
	first = key_of(copy, sizeof(copy));
	if (r == 1 && (settle_all(w, value) == -1 ||
	    kv_delete(w->t, TABLE_UNSETTLED, first) == -1))
		r = -1;
	if (r == 1)
		w->dirty = true;
	arena_free(&a);
	return r == -1 ? -1 : 0;
}

int
origin_waits(struct kv_txn *t, uint32_t mailbox, uint32_t uid)
{
	unsigned char want[KEY_MESSAGE];
	struct kv_cursor *c = kv_cursor_open(t, TABLE_UNSETTLED);
	struct bytes key = BYTES_EMPTY, value, one;
	bool found = false;
	int r;

	if (c == NULL)
		return -1;
	key_message(want, mailbox, uid);
	for (r = kv_seek(c, &key, &value); r == 1 && !found;
	    r = found ? 1 : kv_next(c, &key, &value)) {
		while (!found && bytes_cut(&value, KEY_MESSAGE, &one))
			found = bytes_eq(one, key_of(want, KEY_MESSAGE));
	}
	kv_cursor_close(c);
	return r == -1 ? -1 : found;
}

/* ---- all anew ---- */

/* The row at a cursor: 1 it is to go, 0, -1. */
static int
build_row(struct work *w, struct bytes key, struct bytes value)
{
	struct store_message m;
	struct origin_row row;
	int r;

	if (origin_decode(key, value, &row) == -1)
		return 1;
	r = work_get(w, row.mailbox, row.uid, &m);
	if (r != 1)
		return r == -1 ? -1 : 1;
	row.listed = judged_by(m.flags);
	return (row.listed != JUDGED_NOT && put_entries(w, &row) == -1) ||
	    put_row(w, &row) == -1 ? -1 : 0;
}

int
history_build(struct work *w)
{
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_ORIGIN);
	struct buf gone = BUF_INIT(SIZE_MAX / 2);
	struct bytes key = BYTES_EMPTY, value, rest, one;
	unsigned char n[4];
	int r = c == NULL || kv_empty(w->t, TABLE_HISTORY) == -1 ||
	    kv_empty(w->t, TABLE_UNSETTLED) == -1 ? -1
	    : kv_seek(c, &key, &value), drop;

	while (r == 1) {
		drop = build_row(w, key, value);
		be32_put(n, (uint32_t)key.n);
		if (drop == -1 || (drop == 1 && (buf_add(&gone, bytes_of(n,
		    4)) == -1 || buf_add(&gone, key) == -1)))
			r = -1;
		else
			r = kv_next(c, &key, &value);
	}
	kv_cursor_close(c);
	for (rest = buf_bytes(&gone); r == 0 && bytes_cut(&rest, 4, &one);) {
		(void)bytes_cut(&rest, be32_get(one.p), &key);	/* as put */
		if (kv_delete(w->t, TABLE_ORIGIN, key) == -1)
			r = -1;
	}
	buf_free(&gone);
	return r == -1 ? -1 : 0;
}
