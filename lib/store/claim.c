/*
 * claim.c - what a mail reader has seen is no longer new, without listing cur/
 *
 * Who selects a mailbox moves the files of new/ to cur/. When times say that
 * nobody else changed the folder, all of them are ours: new/ alone is read,
 * and no more is known of cur/ than before.
 */
#include "store/settle.h"

#include <dirent.h>
#include <errno.h>

/* Whether the file is that of a record: 1, 0, -1. */
static int
is_recorded(struct work *w, const struct box *b,
    const struct maildir_entry *e)
{
	struct store_message m;
	struct maildir_name n;
	int r;

	maildir_name_parse(bytes_str(e->name), &n);
	if (e->type != DT_REG || n.uid == 0 || n.suffix.n > 0)
		return 0;
	r = work_get(w, b->rec.id, n.uid, &m);
	return r == 1 ? bytes_eq(m.base, n.base) : r;
}

/* 1 moved, 0 somebody was faster, -1. */
static int
move_one(struct folder *f, const struct maildir_entry *e)
{
	char name[MAILDIR_FILE_MAX + 1];

	if (message_name(name, bytes_str(e->name), BYTES(":2,")) == -1)
		return 0;
	if (maildir_move(f->new, e->name, f->cur, name) == -1)
		return errno == ENOENT || errno == EEXIST ? 0 : -1;
	folder_changed(f, f->new);
	folder_changed(f, f->cur);
	return 1;
}

static int
move_all(struct box *b, const struct maildir_entry *e, size_t count)
{
	struct around around;
	size_t i;
	int r = 1;

	around_begin(&around, b, NULL, count);
	for (i = 0; i < count && r == 1; i++)
		r = move_one(b->folder, &e[i]);
	around_end(&around);
	if (r == 1 && b->rec.stamp_new.settled) {
		b->rec.new_empty = true;
		b->dirty = true;
	}
	return r;
}

int
claim_new(struct work *w, struct box *b)
{
	struct arena a = ARENA_INIT;
	struct maildir_entry *e;
	size_t count, i;
	int r;

	if (!b->rec.stamp_new.settled || !b->rec.stamp_cur.settled)
		return 0;
	if ((r = sync_needed(w->s, &b->rec)) != 0)
		return r == -1 ? -1 : 0;
	if (b->rec.new_empty)
		return 1;
	r = maildir_scan(&a, b->folder->new, &e, &count) == -1 ? -1 : 1;
	for (i = 0; r == 1 && i < count; i++)
		r = is_recorded(w, b, &e[i]);
	if (r == 1)
		r = move_all(b, e, count);
	arena_free(&a);
	return r;
}
