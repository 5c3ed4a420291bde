/*
 * expunge.c - messages that go
 *
 * As with flags the files come first and the commit after: a kill between
 * leaves records without files, which sync.c drops, as was asked for. Files go
 * to expunged/, from where they come back if the commit fails: all go or none.
 * After it they are removed, unless somebody else reads in the mailbox, who has
 * not been told yet (S-10).
 */
#include "store/settle.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct expunging {
	struct work w;
	struct box *b;
	bool alone;		/* readers_shut_out */
	struct touched touched;
	struct removal removal;
	struct buf gone;	/* UIDs, be32 each */
	struct buf moved;	/* files: UID, be32; 1 of new/, 0 of cur/; its
				 * name with its NUL */
};

/* 1, 0 it is not there, -1. */
static int
take_away(struct expunging *e, uint32_t uid, const struct place *where,
    const char *to)
{
	unsigned char be[5];

	if (renameat(where->dir, where->name, e->w.s->dir, to) == -1)
		return errno == ENOENT ? 0 : -1;
	folder_changed(e->b->folder, where->dir);
	be32_put(be, uid);
	be[4] = where->dir == e->b->folder->new;
	(void)buf_add(&e->moved, bytes_of(be, sizeof(be)));	/* no limit */
	(void)buf_add(&e->moved, bytes_of((const unsigned char *)where->name,
	    strlen(where->name) + 1));
	return 1;
}

/* The files, to where they were. One that cannot is missing from then on, and
 * kept for a day. */
static void
take_back(const struct expunging *e, struct store *s, uint32_t mailbox,
    const struct folder *f)
{
	struct bytes rest = buf_bytes(&e->moved), be, name;
	char from[EXPUNGED_NAME_MAX];
	int err = errno;

	while (bytes_cut(&rest, 5, &be) && bytes_split(&rest, '\0', &name)) {
		expunged_name(from, mailbox, be32_get(be.p));
		(void)maildir_move(s->dir, from, be.p[4] == 1 ? f->new
		    : f->cur, (const char *)name.p);
	}
	errno = err;
}

/* The file first, then the record is noted. */
static int
expunge_one(struct expunging *e, const struct store_message *m)
{
	struct folder *f = e->b->folder;
	char to[EXPUNGED_NAME_MAX];
	unsigned char be[4];
	struct place where;
	int r;

	expunged_name(to, m->mailbox, m->uid);
	if (message_assume(f, m, &where) == -1 ||
	    (r = take_away(e, m->uid, &where, to)) == -1 ||
	    (r == 0 && (r = message_locate(f, m, &where)) == 1 &&
	    (r = take_away(e, m->uid, &where, to)) == -1) || r == -1)
		return -1;
	e->touched.cur |= r == 1 && where.dir == f->cur;
	e->touched.new |= r == 1 && where.dir == f->new;
	be32_put(be, m->uid);
	if (work_remove_note(&e->w, e->b, m, &e->removal) == -1 ||
	    work_change(&e->w, STORE_CHANGE_EXPUNGED, e->b, m->uid) == -1)
		return -1;
	return buf_add(&e->gone, bytes_of(be, 4));
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

/* A message by its UID; they ascend. 1, 0 not there, -1. */
static int
get(const struct expunging *e, struct kv_cursor *c, uint32_t uid,
    struct store_message *m)
{
	unsigned char want[KEY_MESSAGE];
	struct bytes key = key_of(want, sizeof(want)), value;
	int r;

	key_message(want, e->b->rec.id, uid);
	if ((r = kv_seek(c, &key, &value)) != 1 ||
	    !bytes_eq(key, key_of(want, sizeof(want))))
		return r == -1 ? -1 : 0;
	return message_decode(key, value, m) == -1 ? -1 : 1;
}

static int
expunge_listed(struct expunging *e, const uint32_t *uids, size_t count,
    bool any)
{
	struct kv_cursor *c = kv_cursor_open(e->w.t, TABLE_MESSAGE);
	struct arena scratch = ARENA_INIT;
	struct store_message m;
	size_t i;
	int r = c == NULL ? -1 : 0;

	for (i = 0; i < count && r != -1; i++) {
		if ((r = get(e, c, uids[i], &m)) != 1 ||
		    (!any && (m.flags & STORE_DELETED) == 0))
			continue;
		arena_reset(&scratch);
		m.envelope = m.bodystructure = BYTES_EMPTY;
		m.preview = m.extension = BYTES_EMPTY;
		m = message_copy(&scratch, &m);
		r = expunge_one(e, &m);
	}
	kv_cursor_close(c);
	arena_free(&scratch);
	return r == -1 ? -1 : 0;
}

static int
expunge_all(struct expunging *e, const uint32_t *uids, size_t count, bool any)
{
	struct around around;
	int r;

	around_begin(&around, e->b, NULL, count);
	r = expunge_listed(e, uids, count, any);
	around_end(&around);
	return r == -1 ? -1 : work_remove_noted(&e->w, &e->removal);
}

/* Nobody else reads there: nobody needs the files any more. */
static void
drop_files(const struct expunging *e, struct store *s, uint32_t mailbox)
{
	struct bytes gone = buf_bytes(&e->gone), be;
	char name[EXPUNGED_NAME_MAX];

	if (gone.n == 0 || (!e->alone && has_readers(s, mailbox)))
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
	struct expunging e = { .gone = BUF_INIT(SIZE_MAX / 2),
	    .moved = BUF_INIT(SIZE_MAX / 2), .removal = REMOVAL_INIT };
	struct folder *folder;
	uint64_t given;
	int r = -1;

	if (work_begin(s, &e.w) == -1)
		return -1;
	e.alone = readers_shut_out(s, mailbox);
	if ((e.b = work_box_open(&e.w, mailbox)) == NULL ||
	    (uids == NULL && all_uids(&e.w, e.b, &uids, &count) == -1) ||
	    expunge_all(&e, uids, count, any) == -1) {
		if (e.b != NULL)
			take_back(&e, s, mailbox, e.b->folder);
		work_abort(&e.w);
	} else {
		given = e.gone.n > 0 ? e.w.modseq : 0;
		folder = e.b->folder;
		if ((r = work_commit(&e.w)) == -1)
			take_back(&e, s, mailbox, folder);
		else
			r = touched_sync(folder, &e.touched);
		if (r == 0 && modseq != NULL)
			*modseq = given;
	}
	if (r == 0)
		drop_files(&e, s, mailbox);
	if (e.alone)
		readers_let_in(s);
	removal_free(&e.removal);
	buf_free(&e.gone);
	buf_free(&e.moved);
	return r;
}
