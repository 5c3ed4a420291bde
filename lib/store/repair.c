/*
 * repair.c - single repairs (S-22), each for what verifydata(8) tells of
 *
 * store_rebuild reads everything again and mends more; these touch one kind
 * of claim. Each transaction is whole by itself and every repair can be run
 * again after a kill.
 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define REPARSE_STEP 200

struct repairing {
	struct store *s;
	enum store_repair what;
	uint64_t done;
};

/* ---- walking ---- */

/* All messages of a mailbox by UID, in the arena. */
static int
list_messages(struct store *s, struct arena *a, uint32_t mailbox,
    struct store_message **out, size_t *count)
{
	struct store_view *v = store_view_open(s);
	struct store_message *list = NULL, m;
	size_t n = 0, size = 0;
	int r;

	if (v == NULL)
		return -1;
	for (r = store_message_first(v, mailbox, 1, &m); r == 1;
	    r = store_message_next(v, &m)) {
		if (n == size) {
			size = size == 0 ? 64 : size * 2;
			list = mem_realloc(list, size * sizeof(*list));
		}
		m.envelope = m.bodystructure = m.preview = BYTES_EMPTY;
		m.extension = BYTES_EMPTY;
		list[n++] = message_copy(a, &m);
	}
	store_view_close(v);
	if (r == -1) {
		free(list);
		return -1;
	}
	*out = list;
	*count = n;
	return 0;
}

/* ---- UIDs ---- */

/* The file first: killed before the commit, the two differ until the repair
 * is run again. */
static int
bump(struct repairing *p, uint32_t mailbox)
{
	struct maildir_uids u;
	struct work w;
	struct box *b;
	int r = -1;

	if (work_begin(p->s, &w) == -1)
		return -1;
	if ((b = work_box_open(&w, mailbox)) != NULL &&
	    work_new_ids(&w, NULL, &u.uidvalidity) == 0) {
		if (maildir_uids_read(b->folder->dir, &u) == 1 &&
		    u.uidvalidity >= w.state.last_uidvalidity)
			w.state.last_uidvalidity = u.uidvalidity + 1;
		u.uidvalidity = w.state.last_uidvalidity;
		u.highest = b->rec.reserved > b->rec.uidnext
		    ? b->rec.reserved : b->rec.uidnext;
		b->rec.uidvalidity = u.uidvalidity;
		b->rec.reserved = u.highest;
		b->rec.modseq = w.modseq;
		w.state.modseq = w.modseq;
		b->dirty = w.dirty = w.durable = true;
		r = maildir_uids_write(b->folder->dir, &u);
	}
	if (r == -1) {
		work_abort(&w);
		return -1;
	}
	p->done++;
	return work_commit(&w);
}

static int
by_date(const void *a, const void *b)
{
	const struct store_message *x = a, *y = b;

	if (x->internal_date != y->internal_date)
		return x->internal_date < y->internal_date ? -1 : 1;
	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static int
reassign(struct repairing *p, uint32_t mailbox)
{
	struct arena a = ARENA_INIT;
	struct store_message *list = NULL;
	uint32_t *uids, *new_uids;
	size_t n, i;
	int r = list_messages(p->s, &a, mailbox, &list, &n);

	if (r == 0 && n > 0) {
		qsort(list, n, sizeof(*list), by_date);
		uids = arena_zalloc(&a, n, sizeof(*uids));
		new_uids = arena_zalloc(&a, n, sizeof(*new_uids));
		for (i = 0; i < n; i++)
			uids[i] = list[i].uid;
		r = store_copy(p->s, mailbox, uids, n, mailbox, true,
		    new_uids);
		p->done += n;
	}
	if (r == 0)
		free(list);
	arena_free(&a);
	if (r == 0) {
		r = bump(p, mailbox);
		p->done--;	/* counted by messages */
	}
	return r;
}

/* Numbers that later ones are taken from: above all that are in use. */
static int
uid_meta(struct work *w, struct box *b, uint64_t *done)
{
	unsigned char from[KEY_MESSAGE];
	struct bytes key = key_of(from, sizeof(from)), value;
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MESSAGE);
	struct mbox *m = &b->rec, old = *m;
	struct store_message x;
	int r;

	if (c == NULL)
		return -1;
	key_message(from, m->id, 0);
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if (key.n != KEY_MESSAGE || be32_get(key.p) != m->id)
			break;
		if (message_decode(key, value, &x) == -1) {
			r = -1;
			break;
		}
		if (x.uid >= m->uidnext && x.uid < UID_MAX)
			m->uidnext = x.uid + 1;
		if (x.modseq > m->modseq)
			m->modseq = x.modseq;
	}
	kv_cursor_close(c);
	if (m->uidnext != old.uidnext || m->modseq != old.modseq) {
		b->dirty = w->dirty = w->durable = true;
		(*done)++;
	}
	return r == -1 ? -1 : 0;
}

/* The account's numbers: above those of each mailbox. */
static int
account_meta(struct work *w)
{
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MAILBOX);
	struct bytes key = BYTES_EMPTY, value;
	struct state *s = &w->state, before = *s;
	struct mbox m;
	int r;

	if (c == NULL)
		return -1;
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if (key.n != 4 || mbox_decode(be32_get(key.p), value, &m)
		    == -1)
			continue;	/* verifydata tells of it */
		if (m.modseq > s->modseq)
			s->modseq = m.modseq;
		if (m.uidvalidity > s->last_uidvalidity)
			s->last_uidvalidity = m.uidvalidity;
		if (m.id >= s->next_mailbox)
			s->next_mailbox = m.id + 1;
	}
	kv_cursor_close(c);
	if (s->modseq != before.modseq ||
	    s->last_uidvalidity != before.last_uidvalidity ||
	    s->next_mailbox != before.next_mailbox)
		w->dirty = w->durable = true;
	return r == -1 ? -1 : 0;
}

static int
fix_uid_meta(struct repairing *p, uint32_t mailbox)
{
	struct work w;
	struct box *b;

	if (work_begin(p->s, &w) == -1)
		return -1;
	if ((b = work_box(&w, mailbox)) != NULL &&
	    uid_meta(&w, b, &p->done) == 0 && work_box_put(&w, b) == 0 &&
	    account_meta(&w) == 0)
		return work_commit(&w);
	work_abort(&w);
	return -1;
}

/* ---- messages ---- */

/* Whether sizes of record, name and file agree; 1 yes, 0 no, -1. */
static int
size_agrees(struct folder *f, const struct store_message *m)
{
	struct maildir_name n;
	struct place where;
	struct stat st;
	int r = message_locate(f, m, &where);

	if (r != 1)
		return r == 0 ? 1 : -1;		/* sync drops the record */
	if (fstatat(where.dir, where.name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 1 : -1;
	maildir_name_parse(m->base, &n);
	return (uint64_t)st.st_size == m->size &&
	    (n.size == UINT64_MAX || n.size == m->size) &&
	    (n.size_crlf == UINT64_MAX || n.size_crlf == m->size_crlf);
}

static struct folder *
folder_of(struct store *s, uint32_t mailbox)
{
	struct store_view *v = store_view_open(s);
	struct store_mailbox box;
	struct folder *f = NULL;

	if (v != NULL && store_mailbox_get(v, mailbox, &box) == 1)
		f = folder_open(s, mailbox, box.name);
	store_view_close(v);
	return f;
}

/* A mailbox with a wrong size is read again, names included. */
static int
fix_sizes(struct repairing *p, uint32_t mailbox)
{
	struct folder *f = folder_of(p->s, mailbox);
	struct arena a = ARENA_INIT;
	struct store_message *list;
	uint64_t wrong = 0;
	size_t n, i;
	int r;

	if (f == NULL || list_messages(p->s, &a, mailbox, &list, &n) == -1)
		return -1;
	for (i = 0, r = 1; i < n && r != -1; i++) {
		r = size_agrees(f, &list[i]);
		wrong += r == 0;
	}
	free(list);
	arena_free(&a);
	p->done += wrong;
	if (r == -1 || wrong == 0)
		return r == -1 ? -1 : 0;
	return sync_deep(p->s, mailbox) == -1 ? -1 : 0;
}

static int
reparse_step(struct store *s, const struct store_message *list, size_t n)
{
	struct arena a = ARENA_INIT;
	struct work w;
	size_t i;
	int r = 1;

	if (work_begin(s, &w) == -1)
		return -1;
	for (i = 0; i < n && r != -1; i++)
		r = reparse_one(&w, &a, list[i].mailbox, list[i].uid);
	arena_free(&a);
	if (r != -1)
		return work_commit(&w);
	work_abort(&w);
	return -1;
}

static int
reparse(struct repairing *p, uint32_t mailbox)
{
	struct arena a = ARENA_INIT;
	struct store_message *list;
	size_t n, i, step, kept = 0;

	if (list_messages(p->s, &a, mailbox, &list, &n) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		if (p->what == STORE_REPAIR_REPARSE ||
		    list[i].parse_version != STORE_PARSE_VERSION)
			list[kept++] = list[i];
	}
	for (i = 0; i < kept; i += step) {
		step = kept - i < REPARSE_STEP ? kept - i : REPARSE_STEP;
		if (reparse_step(p->s, list + i, step) == -1)
			break;
	}
	p->done += kept;
	free(list);
	arena_free(&a);
	return i < kept ? -1 : 0;
}

/* ---- the account ---- */

static int
fix_counts(struct repairing *p)
{
	struct work w;
	bool wrong;

	if (work_begin(p->s, &w) == -1)
		return -1;
	if (recount(&w, &wrong) == -1) {
		work_abort(&w);
		return -1;
	}
	p->done += wrong;
	return work_commit(&w);
}

static int
count_messages(struct repairing *p)
{
	struct store_view *v = store_view_open(p->s);
	int64_t n = v == NULL ? -1 : kv_count(v->t, TABLE_MESSAGE);

	store_view_close(v);
	p->done += n == -1 ? 0 : (uint64_t)n;
	return n == -1 ? -1 : 0;
}

static int
each_mailbox(struct repairing *p, uint32_t mailbox,
    int (*fn)(struct repairing *, uint32_t))
{
	uint32_t *ids;
	size_t count, i;
	int r = 0;

	if (mailbox != 0)
		return fn(p, mailbox);
	if (all_ids(p->s, &ids, &count) == -1)
		return -1;
	for (i = 0; i < count && r == 0; i++)
		r = fn(p, ids[i]);
	free(ids);
	return r;
}

int
store_repair(struct store *s, enum store_repair what, uint32_t mailbox,
    uint64_t *count)
{
	struct repairing p = { .s = s, .what = what };
	int r = -1;

	switch (what) {
	case STORE_REPAIR_UIDVALIDITY:
		r = each_mailbox(&p, mailbox, bump);
		break;
	case STORE_REPAIR_UIDS:
		r = each_mailbox(&p, mailbox, reassign);
		break;
	case STORE_REPAIR_UID_META:
		r = each_mailbox(&p, mailbox, fix_uid_meta);
		break;
	case STORE_REPAIR_SIZES:
		r = each_mailbox(&p, mailbox, fix_sizes);
		break;
	case STORE_REPAIR_REPARSE:
	case STORE_REPAIR_PARSED:
		r = each_mailbox(&p, mailbox, reparse);
		break;
	case STORE_REPAIR_COUNTS:
		r = fix_counts(&p);
		break;
	case STORE_REPAIR_THREADS:
		r = store_threads_anew(s) == -1 ? -1 : count_messages(&p);
		break;
	}
	if (r == 0)
		r = store_finish(s);
	if (r == 0 && count != NULL)
		*count = p.done;
	return r;
}
