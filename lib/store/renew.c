/*
 * A message file that another program wrote to in place, after it was taken
 * in: what its UID stood for is gone, and what it holds now is new. Times of
 * directories do not tell of such a change, so it is found when the file is
 * opened (message.c), or by looks soon after its adoption (sync.c).
 */
#include "store/sync.h"

#include <fcntl.h>
#include <unistd.h>

/* Inside a transaction. */
static int
renew(struct syncing *y, uint32_t uid)
{
	struct store_message m;
	struct place where;
	struct found f = { .name = where.name };
	struct stat st;
	int r = work_get(y->w, y->b->rec.id, uid, &m);

	if (r != 1 || keywords_load(y->w, y->b) == -1)
		return r == 0 ? 0 : -1;
	m = message_copy(&y->arena, &m);
	if ((r = message_locate(y->b->folder, &m, &where)) != 1)
		return r;
	if (fstatat(where.dir, where.name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if ((uint64_t)st.st_size == m.size)
		return 0;
	f.in_new = where.dir == y->b->folder->new;
	maildir_name_parse(bytes_str(where.name), &f.n);
	if (sync_drop(y, &m, "rewritten") == -1)
		return -1;
	return adopt(y, &f);
}

int
message_renew(struct store *s, uint32_t mailbox, uint32_t uid)
{
	struct work w;
	struct syncing y = { .w = &w, .arena = ARENA_INIT,
	    .scratch = ARENA_INIT };
	int r;

	if (work_begin(s, &w) == -1)
		return -1;
	y.b = work_box_open(&w, mailbox);
	r = y.b == NULL ? -1 : renew(&y, uid);
	w.foreign = y.changed;
	if (r == 0)
		r = work_commit(&w);
	else
		work_abort(&w);
	if (r == 0 && y.changed)
		(void)store_background(s);	/* tried again */
	arena_free(&y.arena);
	arena_free(&y.scratch);
	return r;
}
