/* Looking for outside changes, recovery after an unclean boot, rebuilding. */
#include "store/settle.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* A transaction with many mailboxes ends after this: others wait for it. */
#define BATCH_US 20000

/* 1 a look is needed, 0, -1. */
static int
needs_look(struct store *s, const struct mbox *m, bool claim)
{
	struct arena a = ARENA_INIT;
	struct maildir_entry *e;
	struct folder *f;
	size_t n = 0;
	int r = sync_needed(s, m);

	if (r == 0 && claim && !m->new_empty &&
	    (f = folder_open(s, m->id, m->name)) != NULL) {
		r = maildir_scan(&a, f->new, &e, &n) == -1 ? -1 : n > 0;
		arena_free(&a);
	}
	return r;
}

enum sync_how {
	SYNC_IF_NEEDED, SYNC_CLAIM,	/* what was seen without the lock may
					 * have been us, or be done by now */
	SYNC_ALL, SYNC_DEEP,
};

/* Whether the folder has to be listed; what is new may be claimed without.
 * 1, 0, -1. */
static int
needs_listing(struct work *w, struct box *b, enum sync_how how)
{
	int r = how == SYNC_CLAIM ? claim_new(w, b) : 0;

	if (r != 0)
		return r == -1 ? -1 : 0;
	return how > SYNC_CLAIM ? 1 : needs_look(w->s, &b->rec,
	    how == SYNC_CLAIM);
}

/* One mailbox until nothing is left to do. 1 changed, 0, -1. */
static int
sync_one(struct store *s, uint32_t id, enum sync_how how)
{
	struct sync_kept kept = { .arena = ARENA_INIT };
	bool more = true, claim = how == SYNC_CLAIM;
	int changed = 0, r = 0;
	struct work w;
	struct box *b;

	while (more && r != -1) {
		if ((r = work_begin(s, &w)) == -1)
			break;
		b = work_box_open(&w, id);
		r = b == NULL ? -1 : needs_listing(&w, b, how);
		more = false;
		if (r == 1)
			r = sync_box(&w, b, claim, how == SYNC_DEEP, &kept,
			    &more);
		if (r == -1) {
			work_abort(&w);
			break;
		}
		changed |= r;
		r = work_commit(&w);
	}
	arena_free(&kept.arena);
	return r == -1 ? -1 : changed;
}

int
sync_deep(struct store *s, uint32_t mailbox)
{
	return sync_one(s, mailbox, SYNC_DEEP);
}

static int
sync_folders(struct store *s, bool force, bool *changed)
{
	struct work w;

	if (work_begin(s, &w) == -1)
		return -1;
	if (sync_list(&w, force, changed) == -1) {
		work_abort(&w);
		return -1;
	}
	return work_commit(&w);
}

int
all_ids(struct store *s, uint32_t **ids, size_t *count)
{
	struct store_view *v = store_view_open(s);
	struct bytes at = BYTES_EMPTY;
	struct store_mailbox m;
	uint32_t *list = NULL;
	size_t n = 0, size = 0;
	int r;

	if (v == NULL)
		return -1;
	while ((r = store_mailbox_next(v, &at, &m)) == 1) {
		if (n == size) {
			size = size == 0 ? 16 : size * 2;
			list = mem_realloc(list, size * sizeof(*list));
		}
		list[n++] = m.id;
	}
	store_view_close(v);
	if (r == -1) {
		free(list);
		return -1;
	}
	*ids = list;
	*count = n;
	return 0;
}

/* A folder that cannot be opened now is reported, not believed empty. */
static bool
tolerable(struct store *s, uint32_t id)
{
	struct store_view *v;
	struct store_mailbox m;
	bool r = errno == ENOENT || errno == EACCES || errno == ENOTDIR;

	if (!r || (v = store_view_open(s)) == NULL)
		return r;
	if (store_mailbox_get(v, id, &m) == 1)
		report(s, "unreadable-folder", m.name, "", 0);
	store_view_close(v);
	return true;
}

/* One that can be passed over; 1, 0 or -1. */
static int
sync_alone(struct store *s, uint32_t id, enum sync_how how)
{
	int r = sync_one(s, id, how);

	return r == -1 && tolerable(s, id) ? 0 : r;
}

/*
 * Several in one transaction, for as long as the lock may be held: *done of
 * them. *more: the last of them has to be looked at again. 1, 0, -1.
 */
static int
sync_several(struct store *s, const uint32_t *ids, size_t count,
    enum sync_how how, size_t *done, bool *more)
{
	bool claim = how == SYNC_CLAIM;
	int64_t until = time_wall_us() + BATCH_US;
	int changed = 0, r;
	struct work w;
	struct box *b;
	size_t i;

	*more = false;
	if (work_begin(s, &w) == -1)
		return -1;
	for (i = 0; i < count && !*more && (i == 0 ||
	    time_wall_us() < until); i++) {
		struct sync_kept kept = { .arena = ARENA_INIT };

		b = work_box_open(&w, ids[i]);
		if (b == NULL && i > 0)
			break;		/* it is the next one's first */
		r = b == NULL ? -1 : needs_listing(&w, b, how);
		if (r == 1)
			r = sync_box(&w, b, claim, false, &kept, more);
		arena_free(&kept.arena);
		if (r == -1) {
			work_abort(&w);
			return -1;
		}
		changed |= r;
	}
	*done = i;
	return work_commit(&w) == -1 ? -1 : changed;
}

/* Each of ids; where several fail together each on its own. 1, 0, -1. */
static int
sync_ids(struct store *s, const uint32_t *ids, size_t count,
    enum sync_how how)
{
	size_t i = 0, done = 0;
	int changed = 0, r;
	bool more;

	while (i < count) {
		r = sync_several(s, ids + i, count - i, how, &done, &more);
		if (r == -1 || more) {
			i += r == -1 ? 0 : done - 1;
			changed |= r == 1;
			r = sync_alone(s, ids[i], how);
			done = 1;
		}
		if (r == -1)
			return -1;
		changed |= r;
		i += done;
	}
	return changed;
}

int
sync_everything(struct store *s, bool deep, bool *changed)
{
	uint32_t *ids;
	size_t count, i;
	int r = 0;

	if (sync_folders(s, false, changed) == -1 ||
	    all_ids(s, &ids, &count) == -1)
		return -1;
	for (i = 0; deep && i < count && r != -1; i++) {
		r = sync_alone(s, ids[i], SYNC_DEEP);
		*changed |= r == 1;
	}
	if (!deep)
		r = sync_ids(s, ids, count, SYNC_ALL);
	*changed |= r == 1;
	free(ids);
	return r == -1 ? -1 : 0;
}

/* ---- what callers ask for ---- */

/* Its folder is not where it was. */
#define LOOK_LIST 2

/* 1 a look is needed, LOOK_LIST at the list, 0, -1. The lock is not taken for
 * this. */
static int
look(struct store *s, uint32_t id, bool claim)
{
	struct store_view *v = store_view_open(s);
	unsigned char key[4];
	struct bytes value;
	struct mbox m;
	int r;

	if (v == NULL)
		return -1;
	be32_put(key, id);
	r = kv_get(v->t, TABLE_MAILBOX, key_of(key, 4), &value);
	if (r == 0) {
		errno = ENOENT;
		r = -1;
	}
	if (r == 1 && mbox_decode(id, value, &m) == -1)
		r = -1;
	else if (r == 1 && folder_moved(s, id, m.name))
		r = LOOK_LIST;
	else if (r == 1)
		r = needs_look(s, &m, claim);
	store_view_close(v);
	return r;
}

static int
sync_list_if_needed(struct store *s)
{
	struct store_view *v = store_view_open(s);
	bool changed = false;
	int r;

	if (v == NULL)
		return -1;
	r = sync_list_needed(s, &v->state);
	store_view_close(v);
	if (r == 1)
		r = sync_folders(s, false, &changed) == -1 ? -1 : changed;
	return r;
}

/* Without opening its folder: 1 a look is needed, or it cannot be told. */
static int
look_cheaply(struct store *s, const struct mbox *m)
{
	struct buf name = BUF_INIT(1024);
	int r = 1;

	if (m->name.n > 0 && folder_name(&name, m->name) == 0 &&
	    buf_addc(&name, '\0') == 0)
		r = sync_needed_at(s, m, (const char *)name.p);
	buf_free(&name);
	return r;
}

/* The mailboxes that have to be looked at. 0, -1. */
static int
needing_ids(struct store *s, uint32_t **ids, size_t *count)
{
	struct store_view *v = store_view_open(s);
	struct bytes key = BYTES_EMPTY, value;
	struct kv_cursor *c;
	uint32_t *list = NULL;
	size_t n = 0, size = 0;
	struct mbox m;
	int r;

	if (v == NULL)
		return -1;
	if ((c = kv_cursor_open(v->t, TABLE_MAILBOX)) == NULL) {
		store_view_close(v);
		return -1;
	}
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if (mbox_decode(be32_get(key.p), value, &m) == -1) {
			r = -1;
			break;
		}
		if (look_cheaply(s, &m) == 0)
			continue;
		if (n == size) {
			size = size == 0 ? 16 : size * 2;
			list = mem_realloc(list, size * sizeof(*list));
		}
		list[n++] = m.id;
	}
	kv_cursor_close(c);
	store_view_close(v);
	if (r == -1) {
		free(list);
		return -1;
	}
	*ids = list;
	*count = n;
	return 0;
}

int
store_sync_list(struct store *s)
{
	int r = sync_list_if_needed(s);

	if (r == 1)
		(void)store_background(s);	/* tried again */
	return r;
}

static int
sync_all(struct store *s, bool claim)
{
	uint32_t *ids = NULL;
	size_t count = 0;
	int changed, r;

	if ((changed = sync_list_if_needed(s)) == -1)
		return -1;
	r = claim ? all_ids(s, &ids, &count) : needing_ids(s, &ids, &count);
	if (r != -1)
		r = sync_ids(s, ids, count,
		    claim ? SYNC_CLAIM : SYNC_IF_NEEDED);
	free(ids);
	if (r == -1)
		return -1;
	changed |= r;
	if (changed == 1)
		(void)store_background(s);	/* tried again */
	return changed;
}

int
store_sync(struct store *s, uint32_t mailbox, bool claim)
{
	bool changed = false;
	int r;

	if (mailbox == 0)
		return sync_all(s, claim);
	r = look(s, mailbox, claim);
	if (r == LOOK_LIST) {
		r = sync_folders(s, true, &changed);
		if (r == 0)
			r = look(s, mailbox, claim);
	}
	if (r == 1)
		r = sync_one(s, mailbox, claim ? SYNC_CLAIM : SYNC_IF_NEEDED);
	if (r == LOOK_LIST)	/* again: found by the next one */
		r = 0;
	if (changed)		/* there may be no such mailbox any more */
		r = 1;
	if (r == 1)
		(void)store_background(s);	/* tried again */
	return r;
}

int
store_mailbox_dir(struct store *s, uint32_t mailbox, int which,
    struct buf *out)
{
	static const char *const part[] = { "/cur", "/new", "" };
	struct store_view *v = store_view_open(s);
	struct store_mailbox m;
	int r;

	if (v == NULL)
		return -1;
	r = store_mailbox_get(v, mailbox, &m);
	if (r == 1) {
		(void)buf_printf(out, "%s/Maildir/", s->path);	/* full tells */
		r = folder_name(out, m.name);
		(void)buf_adds(out, part[which]);
		if (r == 0 && out->full) {
			errno = EMSGSIZE;
			r = -1;
		}
	} else if (r == 0) {
		errno = ENOENT;
		r = -1;
	}
	store_view_close(v);
	return r;
}

/* ---- counts ---- */

static int
count_box(struct work *w, struct box *b, uint64_t *quota)
{
	unsigned char from[KEY_MESSAGE];
	struct bytes key = key_of(from, sizeof(from)), value;
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MESSAGE);
	struct mbox *m = &b->rec;
	struct store_message x;
	int r;

	if (c == NULL)
		return -1;
	m->total = m->unseen = m->unread = m->deleted = 0;
	m->size_bytes = 0;
	key_message(from, m->id, 0);
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if (message_decode(key, value, &x) == -1) {
			r = -1;
			break;
		}
		if (x.mailbox != m->id)
			break;
		m->total++;
		m->unseen += (x.flags & STORE_SEEN) == 0;
		m->unread += (x.flags & (STORE_SEEN | STORE_DELETED)) == 0;
		m->deleted += (x.flags & STORE_DELETED) != 0;
		m->size_bytes += x.size_crlf;
		*quota += x.size;
	}
	kv_cursor_close(c);
	return r == -1 ? -1 : 0;
}

int
recount(struct work *w, bool *wrong)
{
	struct bytes key = BYTES_EMPTY, value;
	uint64_t quota = 0;
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MAILBOX);
	struct box *b;
	struct mbox old;
	int r;

	*wrong = false;
	if (c == NULL)
		return -1;
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if ((b = work_box(w, be32_get(key.p))) == NULL) {
			r = -1;
			break;
		}
		old = b->rec;
		if ((r = count_box(w, b, &quota)) == -1)
			break;
		if (old.total != b->rec.total || old.unseen != b->rec.unseen
		    || old.unread != b->rec.unread ||
		    old.deleted != b->rec.deleted ||
		    old.size_bytes != b->rec.size_bytes)
			*wrong = b->dirty = true;
	}
	kv_cursor_close(c);
	if (quota != w->state.quota_bytes)
		*wrong = w->dirty = true;
	w->state.quota_bytes = quota;
	return r == -1 ? -1 : uids_build(w);
}

/* ---- recovery ---- */

uint64_t
modseq_of_now(void)
{
	return (uint64_t)time_wall_us();
}

/* How many UIDs may have been given that the index does not know. */
static uint32_t
uid_jump(const struct state *old, const char *boot)
{
	int64_t since_us = time_wall_us() - old->swept * 1000000;
	const int64_t max_us = (int64_t)UID_JUMP_COPY_SECONDS_MAX * 1000000;

	/* The same file, after the end of a machine. */
	if (memcmp(old->boot + MARK_FILE, boot + MARK_FILE,
	    MARK_SIZE - MARK_FILE) == 0)
		return UID_JUMP;
	if (since_us < 0 || since_us > max_us)
		since_us = max_us;
	/* Parts of a second count: one backup may be put back twice. */
	return UID_JUMP_COPY +
	    (uint32_t)(since_us / (1000000 / UID_JUMP_COPY_SECOND));
}

static int
jump(struct work *w, const char *boot)
{
	uint32_t uids = uid_jump(&w->state, boot);
	struct bytes key = BYTES_EMPTY, value;
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MAILBOX);
	struct box *b;
	int r;

	if (c == NULL)
		return -1;
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if ((b = work_box(w, be32_get(key.p))) == NULL) {
			r = -1;
			break;
		}
		if (b->rec.uidnext < UID_MAX - uids)
			b->rec.uidnext += uids;
		b->dirty = true;
	}
	kv_cursor_close(c);
	if (w->state.modseq < modseq_of_now())
		w->state.modseq = modseq_of_now();
	else		/* of a clock that was ahead */
		w->state.modseq += MODSEQ_JUMP;
	w->modseq = w->state.modseq + 1;
	memcpy(w->state.boot, boot, sizeof(w->state.boot));
	w->dirty = w->durable = true;
	return r == -1 ? -1 : 0;
}

/*
 * Power loss may have taken back the last commit and renames that no fsync
 * followed. What the files say is put in the index first: a UID in a file
 * name that the index does not know yet is kept. Then the jump, so that no
 * UID or modseq a client may have seen is given to something else.
 */
int
recover(struct store *s, const char *boot)
{
	bool changed, wrong;
	struct work w;

	report(s, "recovered", BYTES_EMPTY, "", 0);
	if (sync_everything(s, false, &changed) == -1 ||
	    work_begin(s, &w) == -1)
		return -1;
	if (recount(&w, &wrong) == -1 || jump(&w, boot) == -1) {
		work_abort(&w);
		return -1;
	}
	if (wrong)
		report(s, "counts-mended", BYTES_EMPTY, "", 0);
	return work_commit(&w);
}
