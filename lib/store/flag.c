/*
 * Flags. The file is renamed first and the index committed after: a kill
 * between leaves a name that sync.c reads the flags from, as was asked for.
 * Names of many messages follow the index instead (naming.c).
 */
#include "store/settle.h"

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
			if (r == 1) {
				folder_changed(f->b->folder, where->dir);
				folder_changed(f->b->folder,
				    f->b->folder->cur);
			}
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
	if (message_assume(f->b->folder, m, &where) == -1)
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
	struct around around;
	size_t i;
	int r = 0;

	f->flags = f->c->flags & STORE_FLAGS_ALL;
	f->later = count > STORE_NAMES_NOW;
	if (keywords_load(&f->w, f->b) == -1 ||
	    keywords_of(&f->w, f->b, f->c->keywords, f->c->keyword_count,
	    &f->flags, &f->bits) == -1)
		return -1;
	around_begin(&around, f->b, NULL, f->later ? SIZE_MAX : count);
	for (i = 0; i < count && r != -1; i++) {
		r = flag_one(f, uids[i], failed);
		*changed |= r == 1;
	}
	around_end(&around);
	return r == -1 ? -1 : 0;
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
