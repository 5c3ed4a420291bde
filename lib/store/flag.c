/*
 * Flags and expunge. The file is renamed first and the index committed
 * after: a kill between leaves a name that sync.c reads the flags from, or a
 * file in expunged/ whose record it drops. Both were asked for. Names of many
 * messages follow the index instead (naming.c).
 */
#include "store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

int
touched_sync(struct folder *f, const struct touched *t)
{
	if (t->new && fsync(f->new) == -1)
		return -1;
	return t->cur ? fsync(f->cur) : 0;
}

/* The file as the record has it, without looking. */
static int
assumed_place(const struct folder *f, const struct store_message *m,
    struct place *out)
{
	out->dir = m->suffix.n > 0 ? f->cur : f->new;
	return message_name(out->name, m->base, m->suffix);
}

/* ---- flags ---- */

struct flagging {
	struct work w;
	struct box *b;
	const struct store_flag_change *c;
	uint32_t flags;			/* of c, with its names */
	struct store_keywords bits;
	bool later;			/* names follow (naming.c) */
	struct touched touched;
	struct arena scratch;		/* one message */
};

static void
apply(const struct flagging *f, uint32_t *flags, struct store_keywords *bits)
{
	size_t i;

	switch (f->c->how) {
	case STORE_REPLACE:
		*flags = f->flags;
		*bits = f->bits;
		break;
	case STORE_ADD:
		*flags |= f->flags;
		for (i = 0; i < STORE_KEYWORDS_MAX / 64; i++)
			bits->bits[i] |= f->bits.bits[i];
		break;
	case STORE_REMOVE:
		*flags &= ~f->flags;
		for (i = 0; i < STORE_KEYWORDS_MAX / 64; i++)
			bits->bits[i] &= ~f->bits.bits[i];
		break;
	}
}

/* Flags another program set meanwhile count as set before ours. */
static void
take_outside(struct flagging *f, const struct store_message *old,
    const struct place *where, struct store_message *m)
{
	struct maildir_name n;

	maildir_name_parse(bytes_str(where->name), &n);
	*m = *old;
	name_merge(f->b->keywords, f->b->keywords, n.letters, m);
	m->suffix = arena_bytes(&f->scratch, n.suffix);
}

/* Give the file its new name; 1 done, 0 the file is gone, -1. */
static int
rename_suffix(struct flagging *f, const struct place *where,
    struct store_message *m)
{
	struct buf b = BUF_INIT(MAILDIR_FILE_MAX);
	char name[MAILDIR_FILE_MAX + 1];
	struct maildir_name n;
	int r = -1;

	maildir_name_parse(bytes_str(where->name), &n);
	if (suffix_format(&b, f->b->keywords, m->flags, &m->keywords,
	    n.letters) == 0 &&
	    message_name(name, m->base, buf_bytes(&b)) == 0) {
		m->suffix = arena_bytes(&f->scratch, buf_bytes(&b));
		r = 1;
		if (where->dir != f->b->folder->cur ||
		    !bytes_eq(bytes_str(name), bytes_str(where->name))) {
			r = renameat(where->dir, where->name,
			    f->b->folder->cur, name) == 0 ? 1
			    : errno == ENOENT ? 0 : -1;
			f->touched.cur = true;
			f->touched.new |= where->dir == f->b->folder->new;
		}
	}
	buf_free(&b);
	return r;
}

/* The change itself, on the record and, unless it is to follow, on the name.
 * 1 done, 0 nothing to do or the file is gone, -1. */
static int
change_one(struct flagging *f, const struct store_message *old,
    struct store_message *m)
{
	struct place where;
	int r = 0, tries;

	apply(f, &m->flags, &m->keywords);
	if (m->flags == old->flags &&
	    keywords_same(&m->keywords, &old->keywords))
		return 0;
	if (f->later)
		return work_naming_add(&f->w, f->b, m->uid) == -1 ? -1 : 1;
	if (assumed_place(f->b->folder, m, &where) == -1)
		return -1;
	for (tries = 0; tries < 3; tries++) {
		if ((r = rename_suffix(f, &where, m)) != 0)
			break;
		if ((r = message_locate(f->b->folder, old, &where)) != 1)
			break;		/* gone: sync.c drops the record */
		take_outside(f, old, &where, m);
		apply(f, &m->flags, &m->keywords);
		r = 0;
	}
	return r;
}

/* 1 changed, 0 not, -1. */
static int
flag_one(struct flagging *f, uint32_t uid, struct buf *failed)
{
	struct store_message old, m;
	unsigned char be[4];
	int r = work_get(&f->w, f->b->rec.id, uid, &m);

	if (r != 1)
		return r;
	if (m.modseq > f->c->unchanged_since) {
		be32_put(be, uid);
		return failed == NULL ? 0 : buf_add(failed, bytes_of(be, 4));
	}
	arena_reset(&f->scratch);
	old = m = message_copy(&f->scratch, &m);
	if ((r = change_one(f, &old, &m)) != 1)
		return r;
	m.modseq = f->w.modseq;
	if (work_put(&f->w, f->b, &m, &old) == -1)
		return -1;
	return work_change(&f->w, STORE_CHANGE_FLAGS, f->b, uid) == -1 ? -1
	    : 1;
}

static int
flag_all(struct flagging *f, const uint32_t *uids, size_t count,
    bool *changed, struct buf *failed)
{
	struct known known;
	size_t i;
	int r;

	f->flags = f->c->flags & STORE_FLAGS_ALL;
	f->later = count > STORE_NAMES_NOW;
	if (keywords_load(&f->w, f->b) == -1 ||
	    keywords_of(&f->w, f->b, f->c->keywords, f->c->keyword_count,
	    &f->flags, &f->bits) == -1)
		return -1;
	known = stamps_before(f->b);
	for (i = 0; i < count; i++) {
		if ((r = flag_one(f, uids[i], failed)) == -1)
			return -1;
		*changed |= r == 1;
	}
	stamps_after(f->b, known);
	return 0;
}

int
store_flags(struct store *s, uint32_t mailbox, const uint32_t *uids,
    size_t count, const struct store_flag_change *c, uint64_t *modseq,
    struct buf *failed)
{
	struct flagging f = { .c = c, .scratch = ARENA_INIT };
	uint64_t given = 0;
	bool changed = false;
	struct folder *folder;
	int r = -1;

	if (work_begin(s, &f.w) == -1)
		return -1;
	if ((f.b = work_box_open(&f.w, mailbox)) == NULL ||
	    flag_all(&f, uids, count, &changed, failed) == -1) {
		work_abort(&f.w);
	} else {
		given = changed ? f.w.modseq : 0;
		folder = f.b->folder;
		r = work_commit(&f.w);
		if (r == 0)
			r = touched_sync(folder, &f.touched);
	}
	arena_free(&f.scratch);
	if (r == 0 && modseq != NULL)
		*modseq = given;
	return r;
}

/* ---- expunge ---- */

/* 1, 0 it is not there, -1. */
static int
take_away(struct work *w, const struct place *where, const char *to)
{
	int r = w->alone ? unlinkat(where->dir, where->name, 0)
	    : renameat(where->dir, where->name, w->s->dir, to);

	return r == 0 ? 1 : errno == ENOENT ? 0 : -1;
}

int
message_expunge(struct work *w, struct box *b, const struct store_message *m,
    struct touched *t)
{
	char to[EXPUNGED_NAME_MAX];
	struct place where;
	int r;

	expunged_name(to, b->rec.id, m->uid);
	if (assumed_place(b->folder, m, &where) == -1 ||
	    (r = take_away(w, &where, to)) == -1 ||
	    (r == 0 && (r = message_locate(b->folder, m, &where)) == 1 &&
	    (r = take_away(w, &where, to)) == -1) || r == -1)
		return -1;
	t->cur |= r == 1 && where.dir == b->folder->cur;
	t->new |= r == 1 && where.dir == b->folder->new;
	if (work_remove(w, b, m) == -1)
		return -1;
	return work_change(w, STORE_CHANGE_EXPUNGED, b, m->uid);
}

/* The UIDs of a whole mailbox, in the arena. */
static int
all_uids(struct work *w, const struct box *b, const uint32_t **uids,
    size_t *count)
{
	unsigned char from[KEY_MESSAGE];
	struct bytes key = key_of(from, sizeof(from)), value;
	uint32_t *list = arena_zalloc(&w->arena, (size_t)b->rec.total + 1,
	    sizeof(*list));
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MESSAGE);
	size_t n = 0;
	int r;

	if (c == NULL)
		return -1;
	key_message(from, b->rec.id, 0);
	for (r = kv_seek(c, &key, &value); r == 1 && n <= b->rec.total;
	    r = kv_next(c, &key, &value)) {
		if (key.n != KEY_MESSAGE || be32_get(key.p) != b->rec.id)
			break;
		list[n++] = be32_get(key.p + 4);
	}
	kv_cursor_close(c);
	*uids = list;
	*count = n;
	return r == -1 ? -1 : 0;
}

static int
expunge_all(struct work *w, struct box *b, const uint32_t *uids,
    size_t count, bool any, struct touched *t, struct buf *gone)
{
	struct arena scratch = ARENA_INIT;
	struct known known = stamps_before(b);
	struct store_message m;
	unsigned char be[4];
	size_t i;
	int r = 0;

	for (i = 0; i < count && r != -1; i++) {
		if ((r = work_get(w, b->rec.id, uids[i], &m)) != 1 ||
		    (!any && (m.flags & STORE_DELETED) == 0))
			continue;
		arena_reset(&scratch);
		m.envelope = m.bodystructure = BYTES_EMPTY;
		m.preview = m.extension = BYTES_EMPTY;
		m = message_copy(&scratch, &m);
		be32_put(be, m.uid);
		if (message_expunge(w, b, &m, t) == -1 ||
		    buf_add(gone, bytes_of(be, 4)) == -1)
			r = -1;
	}
	stamps_after(b, known);
	arena_free(&scratch);
	return r == -1 ? -1 : 0;
}

/* Nobody else reads there: nobody needs the files any more. */
static void
drop_files(struct store *s, uint32_t mailbox, struct bytes gone)
{
	char name[EXPUNGED_NAME_MAX];
	struct bytes be;

	if (gone.n == 0 || has_readers(s, mailbox))
		return;
	while (bytes_cut(&gone, 4, &be)) {
		expunged_name(name, mailbox, be32_get(be.p));
		(void)unlinkat(s->dir, name, 0);	/* else swept */
	}
}

int
store_expunge(struct store *s, uint32_t mailbox, const uint32_t *uids,
    size_t count, bool any, uint64_t *modseq)
{
	struct touched t = { false, false };
	struct buf gone = BUF_INIT(SIZE_MAX / 2);
	struct folder *folder;
	uint64_t given;
	struct work w;
	struct box *b;
	bool alone;
	int r = -1;

	if (work_begin(s, &w) == -1)
		return -1;
	alone = w.alone = readers_shut_out(s, mailbox);
	if ((b = work_box_open(&w, mailbox)) == NULL ||
	    (uids == NULL && all_uids(&w, b, &uids, &count) == -1) ||
	    expunge_all(&w, b, uids, count, any, &t, &gone) == -1) {
		work_abort(&w);
	} else {
		given = gone.n > 0 ? w.modseq : 0;
		folder = b->folder;
		r = work_commit(&w);
		if (r == 0)
			r = touched_sync(folder, &t);
		if (r == 0 && modseq != NULL)
			*modseq = given;
	}
	if (alone)
		readers_let_in(s);
	else if (r == 0)
		drop_files(s, mailbox, buf_bytes(&gone));
	buf_free(&gone);
	return r;
}
