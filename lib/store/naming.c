/*
 * naming.c - file names that follow the index
 *
 * A change of the flags of many messages is answered when it is in the index,
 * durably; the names get their letters after that, a piece at a time, by the
 * process that made the change or by the next one that opens the account. The
 * suffix in a record is what the name is known to be, so a record whose flags
 * are not those of its suffix is behind, and the difference is what the index
 * changed since it last knew the name. That is all that merging needs (name_
 * merge), whatever another program made of the name meanwhile, and whether a
 * kill left it renamed and the record not.
 *
 * The table of names says where such records are. An entry that is not needed
 * does no harm.
 */
#include "store/settle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Files renamed in one transaction: 4 to 10 ms of the write lock. */
#define NAMING_PIECE 500
/* UIDs between two changed messages that one entry is to cover: so many
 * records are looked at in vain for one that is behind. */
#define NAMING_GAP 32
#define KEY_NAMING 8

/* ---- what a name says ---- */

static struct bytes
letters_of(struct bytes suffix)
{
	return bytes_skip(&suffix, BYTES(":2,")) ? suffix : BYTES_EMPTY;
}

/* The flags a file name has letters for. */
static uint32_t
carried_flags(const struct keywords *k)
{
	uint32_t flags = STORE_JUNK - 1;
	unsigned int f;

	for (f = 6; f < 10; f++) {
		if (k->flag_number[f] >= 0 &&
		    k->flag_number[f] < STORE_LETTERS)
			flags |= 1u << f;
	}
	return flags;
}

/* The same of keywords. */
static uint64_t
carried_bits(const struct keywords *k)
{
	uint64_t bits = 0;
	unsigned int i;

	for (i = 0; i < STORE_LETTERS; i++) {
		if (k->name[i].n > 0)
			bits |= (uint64_t)1 << i;
	}
	return bits;
}

/* What the index changed since it last knew the name of m. */
static void
changed_since(const struct keywords *k, const struct store_message *m,
    uint32_t *flags, uint64_t *bits)
{
	struct store_keywords named;

	letters_parse(k, letters_of(m->suffix), flags, &named);
	*flags = (*flags ^ m->flags) & carried_flags(k);
	*bits = (named.bits[0] ^ m->keywords.bits[0]) & carried_bits(k);
}

bool
name_is_behind(const struct keywords *k, const struct store_message *m)
{
	uint32_t flags;
	uint64_t bits;

	changed_since(k, m, &flags, &bits);
	return flags != 0 || bits != 0;
}

void
name_merge(const struct keywords *k, const struct keywords *before,
    struct bytes letters, struct store_message *m)
{
	struct store_keywords named;
	uint32_t ours = 0, theirs;
	uint64_t our_bits = 0;

	if (before != NULL)
		changed_since(before, m, &ours, &our_bits);
	letters_parse(k, letters, &theirs, &named);
	ours |= ~carried_flags(k);
	our_bits |= ~carried_bits(k);
	m->flags = (m->flags & ours) | (theirs & ~ours);
	m->keywords.bits[0] = (m->keywords.bits[0] & our_bits) |
	    (named.bits[0] & ~our_bits);
}

/* ---- the table ---- */

static int
put_range(struct work *w, uint32_t mailbox, uint32_t first, uint32_t last)
{
	unsigned char key[KEY_NAMING], be[4];
	struct bytes old;
	int r;

	key_message(key, mailbox, first);
	r = kv_get(w->t, TABLE_NAMING, key_of(key, sizeof(key)), &old);
	if (r == 1 && old.n == 4 && be32_get(old.p) > last)
		last = be32_get(old.p);
	be32_put(be, last);
	return r == -1 ? -1 : kv_put(w->t, TABLE_NAMING,
	    key_of(key, sizeof(key)), bytes_of(be, 4));
}

int
work_naming_flush(struct work *w, struct box *b)
{
	int r = b->behind_first == 0 ? 0 : put_range(w, b->rec.id,
	    b->behind_first, b->behind_last);

	b->behind_first = 0;
	return r;
}

int
work_naming_add(struct work *w, struct box *b, uint32_t uid)
{
	w->durable = w->names_behind = true;
	if (b->behind_first != 0 && uid > b->behind_last &&
	    uid - b->behind_last <= NAMING_GAP) {
		b->behind_last = uid;
		return 0;
	}
	if (work_naming_flush(w, b) == -1)
		return -1;
	b->behind_first = b->behind_last = uid;
	return 0;
}

int
naming_has(struct kv_txn *t, uint32_t mailbox, uint32_t uid)
{
	unsigned char from[KEY_NAMING];
	struct bytes key = key_of(from, sizeof(from)), value;
	struct kv_cursor *c = kv_cursor_open(t, TABLE_NAMING);
	int r;

	if (c == NULL)
		return -1;
	key_message(from, mailbox, 0);
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if (key.n != KEY_NAMING || be32_get(key.p) != mailbox ||
		    be32_get(key.p + 4) > uid) {
			r = 0;
			break;
		}
		if (value.n == 4 && be32_get(value.p) >= uid)
			break;
	}
	kv_cursor_close(c);
	return r;
}

/* ---- a piece of the work ---- */

struct naming {
	struct work *w;
	struct box *b;			/* NULL: the mailbox is gone */
	uint32_t mailbox;
	uint32_t *uids;
	size_t count;
	struct touched touched;
	struct arena scratch;		/* one message */
	bool looked;			/* at what others did to the mailbox */
	int error;			/* what ended the piece early, or 0 */
};

/* The records of a range that are behind, up to a piece; *next gets where the
 * rest of it begins, 0: nothing is left. */
static int
collect_range(struct naming *n, uint32_t first, uint32_t last,
    uint32_t *next)
{
	unsigned char from[KEY_MESSAGE];
	struct bytes key = key_of(from, sizeof(from)), value;
	struct kv_cursor *c = kv_cursor_open(n->w->t, TABLE_MESSAGE);
	struct store_message m;
	int r;

	if (c == NULL)
		return -1;
	*next = 0;
	key_message(from, n->mailbox, first);
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if (message_decode(key, value, &m) == -1) {
			r = -1;
			break;
		}
		if (m.mailbox != n->mailbox || m.uid > last)
			break;
		if (!name_is_behind(n->b->keywords, &m))
			continue;
		if (n->count == NAMING_PIECE) {
			*next = m.uid;
			break;
		}
		n->uids[n->count++] = m.uid;
	}
	kv_cursor_close(c);
	return r == -1 ? -1 : 0;
}

/* The first entry of the table: 1, 0 there is none, -1. */
static int
first_entry(struct kv_txn *t, uint32_t *mailbox, uint32_t *first,
    uint32_t *last)
{
	struct kv_cursor *c = kv_cursor_open(t, TABLE_NAMING);
	struct bytes key = BYTES_EMPTY, value;
	int r;

	if (c == NULL)
		return -1;
	r = kv_seek(c, &key, &value);
	if (r == 1 && (key.n != KEY_NAMING || value.n != 4)) {
		errno = EBADMSG;
		r = -1;
	} else if (r == 1) {
		*mailbox = be32_get(key.p);
		*first = be32_get(key.p + 4);
		*last = be32_get(value.p);
	}
	kv_cursor_close(c);
	return r;
}

/* Take entries of one mailbox off the table until a piece is full. */
static int
collect(struct naming *n)
{
	uint32_t mailbox, first, last, next;
	unsigned char key[KEY_NAMING];
	int r = 0;

	while (n->count < NAMING_PIECE &&
	    (r = first_entry(n->w->t, &mailbox, &first, &last)) == 1) {
		if (n->mailbox == 0) {
			n->mailbox = mailbox;
			n->b = work_box_open(n->w, mailbox);
			if (n->b == NULL && errno != ENOENT)
				return -1;
		}
		if (n->mailbox != mailbox)
			return 0;
		next = 0;
		if (n->b != NULL && (keywords_load(n->w, n->b) == -1 ||
		    collect_range(n, first, last, &next) == -1))
			return -1;
		key_message(key, mailbox, first);
		if (kv_delete(n->w->t, TABLE_NAMING, key_of(key,
		    sizeof(key))) == -1 ||
		    (next != 0 && put_range(n->w, mailbox, next, last) == -1))
			return -1;
		n->w->dirty = true;
	}
	return r == -1 ? -1 : 0;
}

/* 1 renamed, 0 it is not where we knew it, -1. */
static int
rename_one(struct naming *n, struct store_message *m)
{
	struct buf b = BUF_INIT(MAILDIR_FILE_MAX);
	struct folder *f = n->b->folder;
	char name[MAILDIR_FILE_MAX + 1];
	struct maildir_name now;
	struct place where;
	int r = message_find(f, m, &where);

	if (r != 1)
		return r;
	maildir_name_parse(bytes_str(where.name), &now);
	if (!bytes_eq(now.letters, letters_of(m->suffix))) {
		r = 0;
	} else if (suffix_format(&b, n->b->keywords, m->flags, &m->keywords,
	    letters_of(m->suffix)) == -1 ||
	    message_name(name, m->base, buf_bytes(&b)) == -1) {
		r = -1;
	} else if (renameat(where.dir, where.name, f->cur, name) == -1) {
		r = errno == ENOENT ? 0 : -1;
	} else {
		m->suffix = arena_bytes(&n->scratch, buf_bytes(&b));
		n->touched.cur = true;
		n->touched.new |= where.dir == f->new;
		folder_changed(f, where.dir);
		folder_changed(f, f->cur);
	}
	buf_free(&b);
	return r;
}

/* 1 done or not needed any more, 0 it is not where we knew it, -1. */
static int
name_one(struct naming *n, uint32_t uid)
{
	struct store_message m, old;
	int r = work_get(n->w, n->mailbox, uid, &m);

	if (r != 1)
		return r == 0 ? 1 : -1;
	if (!name_is_behind(n->b->keywords, &m))
		return 1;
	arena_reset(&n->scratch);
	old = m = message_copy(&n->scratch, &m);
	if ((r = rename_one(n, &m)) == 1 &&
	    work_put(n->w, n->b, &m, &old) == -1)
		r = -1;
	return r;
}

/* Another program renamed it: find out, once a piece, what became of all. */
static int
name_moved(struct naming *n, size_t i)
{
	struct sync_kept kept = { .arena = ARENA_INIT };
	bool more;
	int r;

	if (n->looked) {
		errno = EAGAIN;
		return -1;
	}
	n->looked = true;
	/* What is not listed is as the name says. */
	r = put_range(n->w, n->mailbox, n->uids[i], n->uids[n->count - 1]);
	if (r != -1)
		r = sync_box(n->w, n->b, false, false, &kept, &more);
	arena_free(&kept.arena);
	if (r == -1)
		return -1;
	if ((r = name_one(n, n->uids[i])) == 0)
		errno = EAGAIN;
	return r == 1 ? 1 : -1;
}

static int
name_all(struct naming *n)
{
	struct around around;
	size_t i;
	int r = 0;

	if (n->b == NULL || n->count == 0)
		return 0;
	around_begin(&around, n->b, NULL, n->count);
	for (i = 0; i < n->count; i++) {
		if ((r = name_one(n, n->uids[i])) == 0)
			r = name_moved(n, i);
		if (r == 1)
			continue;
		/* What was done is kept; the rest stays to be done. */
		n->error = errno;
		r = i == 0 ? -1 : put_range(n->w, n->mailbox, n->uids[i],
		    n->uids[n->count - 1]);
		break;
	}
	around_end(&around);
	if (r == -1)
		return -1;
	/* Before the commit: a record must not know a name that power loss
	 * takes back, for then the old one would be taken for a change. */
	return touched_sync(n->b->folder, &n->touched);
}

/* Whether there is more to do. 1, 0, -1. */
static int
anything(struct kv_txn *t)
{
	uint32_t mailbox, first, last;
	int r = first_entry(t, &mailbox, &first, &last);

	return r != 0 ? r : kv_count(t, TABLE_LEFT) > 0 ||
	    kv_count(t, TABLE_UNSETTLED) > 0;
}

/* Names first: others see those. */
static int
piece(struct store *s)
{
	struct naming n = { .scratch = ARENA_INIT };
	struct work w;
	int r = -1, more = 0;

	if (work_begin(s, &w) == -1)
		return -1;
	n.w = &w;
	n.uids = mem_zalloc(NAMING_PIECE, sizeof(*n.uids));
	if (collect(&n) == 0 && name_all(&n) == 0 &&
	    (n.mailbox != 0 || (left_some(&w) == 0 &&
	    origin_settle_some(&w) == 0)))
		r = more = anything(w.t);
	arena_free(&n.scratch);
	free(n.uids);
	if (r == -1) {
		work_abort(&w);
		return -1;
	}
	if (work_commit(&w) == -1)
		return -1;
	if (n.error != 0) {
		errno = n.error;
		return -1;
	}
	return more;
}

bool
store_names_behind(const struct store *s)
{
	return s->names_behind || s->train_behind;
}

int
names_piece(struct store *s)
{
	int r = s->names_behind ? piece(s) : 0;

	/* After a failure the next change, or opening, tries again. */
	s->names_behind = r == 1;
	return r;
}

/* Names first: what words are for, judging, can wait. */
int
store_names(struct store *s)
{
	int r = names_piece(s);

	if (r != 0 || !s->train_behind)
		return r;
	r = training_piece(s);
	s->train_behind = r == 1;
	return r;
}
