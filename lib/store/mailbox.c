/*
 * Mailboxes: make, remove, rename, subscribe. A folder is made complete
 * elsewhere and renamed into place, and renamed away to be removed, so a kill
 * leaves it whole or absent; list.c brings the index into line, and knows a
 * renamed folder again by its uidvalidity.
 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USE_FILE "special-use"	/* in a folder: its special uses, a line each */

static int
put_name(struct work *w, struct bytes name, uint32_t id)
{
	unsigned char be[4];

	be32_put(be, id);
	return kv_put(w->t, TABLE_MAILBOX_NAME, name, bytes_of(be, 4));
}

int
use_write(int folder, uint32_t use)
{
	struct buf b = BUF_INIT(256);
	uint32_t one;
	int r;

	for (one = 1; one <= STORE_USE_ALL; one <<= 1) {
		if ((use & one) != 0)
			(void)buf_printf(&b, "%s\n",
			    store_use_name(one));	/* five words fit */
	}
	if (use == 0)
		r = unlinkat(folder, USE_FILE, 0) == -1 && errno != ENOENT
		    ? -1 : fsync(folder);
	else
		r = maildir_replace(folder, USE_FILE, buf_bytes(&b));
	buf_free(&b);
	return r;
}

uint32_t
use_read(int folder)
{
	struct buf b = BUF_INIT(4096);
	struct bytes s, line;
	uint32_t use = 0;

	if (io_read_file(folder, USE_FILE, &b) == 0) {
		s = buf_bytes(&b);
		while (bytes_line(&s, &line))
			use |= store_use_find(line);
	}
	buf_free(&b);
	return use;
}

/* Put a record for a folder that is there. */
int
box_add(struct work *w, struct bytes name, uint32_t id, uint32_t uidvalidity,
    uint32_t use, struct box **out)
{
	struct box *b = mem_zalloc(1, sizeof(*b));

	b->rec = (struct mbox){ .id = id, .uidvalidity = uidvalidity,
	    .uidnext = 1, .createseq = w->modseq, .modseq = w->modseq,
	    .use = use, .name = arena_bytes(&w->arena, name) };
	boxes_add(w, b);
	if (work_box_put(w, b) == -1 || put_name(w, b->rec.name, id) == -1)
		return -1;
	*out = b;
	return work_change_name(w, STORE_CHANGE_MAILBOX_ADDED, b,
	    b->rec.name, BYTES_EMPTY);
}

int
box_create(struct work *w, struct bytes name, uint32_t use, struct box **out)
{
	struct maildir_uids uids = { 0, 0 };
	struct box *b;
	uint32_t id;

	if (kv_count(w->t, TABLE_MAILBOX) >= STORE_MAILBOXES_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	if (work_new_ids(w, &id, &uids.uidvalidity) == -1 ||
	    folder_create(w->s, name, &uids) == -1 ||
	    box_add(w, name, id, uids.uidvalidity, use, &b) == -1 ||
	    work_box_open(w, id) == NULL)
		return -1;
	/* It was empty when it got its name; unsettled: looked at again. */
	(void)stamp_read(b->folder->new, &b->rec.stamp_new);
	(void)stamp_read(b->folder->cur, &b->rec.stamp_cur);
	if (use != 0 && use_write(b->folder->dir, use) == -1)
		return -1;
	w->durable = true;
	*out = b;
	return w->no_subscribe ? 0 : subscriptions_change(w, name, true);
}

int
box_create_path(struct work *w, struct bytes name, struct box **out)
{
	struct bytes part;
	struct box *b;
	size_t i;

	for (i = 1; i < name.n; i++) {
		if (name.p[i] != '/')
			continue;
		part = bytes_first(name, i);
		if (work_box_named(w, part) == NULL && (errno != ENOENT ||
		    box_create(w, part, 0, &b) == -1))
			return -1;
	}
	return box_create(w, name, 0, out);
}

/* ---- subscriptions: the file is the truth, the record a copy ---- */

bool
name_list_has(struct bytes list, struct bytes name)
{
	struct bytes one;

	while (list.n > 0 && bytes_split(&list, '\0', &one)) {
		if (bytes_eq(one, name))
			return true;
	}
	return false;
}

static void
list_without(struct buf *out, struct bytes list, struct bytes name)
{
	struct bytes one;

	while (list.n > 0 && bytes_split(&list, '\0', &one)) {
		if (!bytes_eq(one, name)) {
			(void)buf_add(out, one);	/* full tells */
			(void)buf_addc(out, '\0');
		}
	}
}

int
subscriptions_write(struct work *w, struct bytes names)
{
	struct stamp *known = &w->state.subscriptions, now;
	bool was_known = subscriptions_stamp(w->s, &now) == 0 &&
	    stamp_same(&now, known);

	if (maildir_subscriptions_write(w->s->maildir, names) == -1)
		return -1;
	w->dirty = true;
	/* If others wrote it too, the next look sees a difference. */
	if (was_known && subscriptions_stamp(w->s, &now) == 0)
		*known = now;
	return 0;
}

int
subscriptions_change(struct work *w, struct bytes name, bool on)
{
	struct buf old = BUF_INIT(MAILDIR_SUBSCRIPTIONS_MAX), list = old;
	struct box *b;
	int r = maildir_subscriptions_read(w->s->maildir, &old);

	if (r != -1 && name_list_has(buf_bytes(&old), name) != on) {
		list_without(&list, buf_bytes(&old), name);
		if (on) {
			(void)buf_add(&list, name);	/* full tells */
			(void)buf_addc(&list, '\0');
		}
		errno = EMSGSIZE;
		r = list.full ? -1 : subscriptions_write(w,
		    buf_bytes(&list));
	}
	buf_free(&old);
	buf_free(&list);
	if (r == -1)
		return -1;
	b = work_box_named(w, name);
	if (b == NULL && errno != ENOENT)
		return -1;
	if (b != NULL && b->rec.subscribed == on)
		return 0;
	if (b != NULL) {
		b->rec.subscribed = on;
		b->dirty = true;
	}
	return work_change_name(w, on ? STORE_CHANGE_SUBSCRIBED
	    : STORE_CHANGE_UNSUBSCRIBED, b, name, BYTES_EMPTY);
}

/* ---- what callers ask for ---- */

int
list_change_begin(struct work *w)
{
	if (sync_list_before(w) == -1)
		return -1;
	w->list_known = stamp_before(w->s->maildir, &w->state.list);
	return 0;
}

int
list_change_commit(struct work *w)
{
	struct stamp now;

	if (w->list_known && stamp_read(w->s->maildir, &now) == 0 &&
	    !stamp_same(&now, &w->state.list)) {
		w->state.list = now;	/* unsettled: others may hide */
		w->dirty = true;
	}
	return work_commit(w);
}

/* A transaction that knows all folders, and the name checked. */
static int
begin_named(struct store *s, struct work *w, struct bytes name,
    struct bytes *checked)
{
	if (work_begin(s, w) == -1)
		return -1;
	if (store_name_check(&w->arena, name, checked, NULL) == 0 &&
	    list_change_begin(w) == 0)
		return 0;
	work_abort(w);
	return -1;
}

static int
finish(struct work *w, int r)
{
	if (r == 0)
		return list_change_commit(w);
	work_abort(w);
	return -1;
}

/* Take a special use off whoever has it. */
static int
free_use(struct work *w, uint32_t use, const struct box *but)
{
	struct bytes key = BYTES_EMPTY, value;
	struct kv_cursor *c;
	uint32_t ids[64];
	size_t n = 0, i;
	struct box *b;
	struct mbox m;
	int r;

	if (use == 0)
		return 0;
	if ((c = kv_cursor_open(w->t, TABLE_MAILBOX)) == NULL)
		return -1;
	for (r = kv_seek(c, &key, &value); r == 1 && n < 64;
	    r = kv_next(c, &key, &value)) {
		if (mbox_decode(be32_get(key.p), value, &m) == 0 &&
		    (m.use & use) != 0 && m.id != but->rec.id)
			ids[n++] = m.id;
	}
	kv_cursor_close(c);
	for (i = 0; i < n && r != -1; i++) {
		if ((b = work_box_open(w, ids[i])) == NULL)
			return -1;
		b->rec.use &= ~use;
		r = use_write(b->folder->dir, b->rec.use);
		if (r == 0)
			r = work_change(w, STORE_CHANGE_MAILBOX_USE, b, 0);
	}
	return r == -1 ? -1 : 0;
}

static int
set_use(struct work *w, struct box *b, uint32_t use)
{
	if (free_use(w, use, b) == -1 || work_box_open(w, b->rec.id) == NULL
	    || use_write(b->folder->dir, use) == -1)
		return -1;
	b->rec.use = use;
	w->durable = true;
	return work_change(w, STORE_CHANGE_MAILBOX_USE, b, 0);
}

static int
create(struct store *s, struct bytes name, uint32_t use, bool subscribe,
    uint32_t *id)
{
	struct box *b = NULL;
	struct bytes checked;
	uint32_t made = 0;
	struct work w;
	int r;

	if (begin_named(s, &w, name, &checked) == -1)
		return -1;
	w.no_subscribe = !subscribe;
	if (work_box_named(&w, checked) != NULL) {
		errno = EEXIST;
		r = -1;
	} else {
		r = errno == ENOENT ? box_create_path(&w, checked, &b) : -1;
	}
	if (r == 0 && use != 0)
		r = set_use(&w, b, use & STORE_USE_ALL);
	if (r == 0)
		made = b->rec.id;
	r = finish(&w, r);
	if (r == 0 && id != NULL)
		*id = made;
	return r;
}

int
store_mailbox_create(struct store *s, struct bytes name, uint32_t use,
    uint32_t *id)
{
	return create(s, name, use, true, id);
}

int
store_mailbox_create_only(struct store *s, struct bytes name, uint32_t use,
    uint32_t *id)
{
	return create(s, name, use, false, id);
}

int
store_mailbox_set_use(struct store *s, struct bytes name, uint32_t use)
{
	struct bytes checked;
	struct work w;
	struct box *b;

	if (begin_named(s, &w, name, &checked) == -1)
		return -1;
	b = work_box_named(&w, checked);
	return finish(&w, b == NULL ? -1 : set_use(&w, b,
	    use & STORE_USE_ALL));
}

int
store_mailbox_subscribe(struct store *s, struct bytes name, bool on)
{
	struct bytes checked;
	struct work w;

	if (begin_named(s, &w, name, &checked) == -1)
		return -1;
	return finish(&w, subscriptions_change(&w, checked, on));
}

/* ---- removing ---- */

static int
forget_keywords(struct work *w, uint32_t id)
{
	unsigned char key[6];
	unsigned int i;

	be32_put(key, id);
	for (i = 0; i < STORE_KEYWORDS_MAX; i++) {
		key[4] = (unsigned char)(i >> 8);
		key[5] = (unsigned char)(i & 0xff);
		if (kv_delete(w->t, TABLE_KEYWORD, key_of(key, 6)) == -1)
			return -1;
	}
	return 0;
}

int
box_forget(struct work *w, struct box *b)
{
	unsigned char from[KEY_MESSAGE], be[4];
	struct store_message m;
	struct bytes key, value;
	struct kv_cursor *c;
	struct arena scratch = ARENA_INIT;
	int r = 1;

	/* The cursor ends before each removal: that would disturb it. */
	while (r == 1) {
		if ((c = kv_cursor_open(w->t, TABLE_MESSAGE)) == NULL)
			return -1;
		key_message(from, b->rec.id, 0);
		key = key_of(from, sizeof(from));
		r = kv_seek(c, &key, &value);
		if (r == 1 && be32_get(key.p) != b->rec.id)
			r = 0;
		if (r == 1 && message_decode(key, value, &m) == -1)
			r = -1;
		kv_cursor_close(c);
		if (r != 1)
			break;
		arena_reset(&scratch);
		m = message_copy(&scratch, &m);
		if (work_remove(w, b, &m) == -1 ||
		    work_change(w, STORE_CHANGE_EXPUNGED, b, m.uid) == -1)
			r = -1;
	}
	arena_free(&scratch);
	be32_put(be, b->rec.id);
	if (r == -1 || work_change_name(w, STORE_CHANGE_MAILBOX_REMOVED, b,
	    b->rec.name, BYTES_EMPTY) == -1 ||
	    forget_keywords(w, b->rec.id) == -1 ||
	    annotations_forget(w, b->rec.id) == -1 ||
	    work_key_drop(w, b->rec.id) == -1 ||
	    kv_delete(w->t, TABLE_MAILBOX_NAME, b->rec.name) == -1 ||
	    kv_delete(w->t, TABLE_MAILBOX, key_of(be, 4)) == -1)
		return -1;
	b->gone = true;
	b->dirty = false;
	folder_close(w->s, b->rec.id);
	b->folder = NULL;
	return 0;
}

/* Whether there are mailboxes below name. 1, 0, -1. */
static int
has_children(struct work *w, struct bytes name)
{
	struct bytes prefix = bytes_str(arena_printf(&w->arena, "%.*s/",
	    BYTES_ARG(name)));
	struct bytes key = prefix, value;
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MAILBOX_NAME);
	int r;

	if (c == NULL)
		return -1;
	r = kv_seek(c, &key, &value);
	if (r == 1)
		r = bytes_starts(key, prefix);
	kv_cursor_close(c);
	return r;
}

/* Else list.c forgets it later. */
static void
put_folder_back(struct store *s, const char *away, struct bytes name)
{
	struct buf folder = BUF_INIT(1024);
	int err = errno;

	if (folder_name(&folder, name) == 0 && buf_addc(&folder, '\0') == 0)
		(void)maildir_move(s->dir, away, s->maildir,
		    (const char *)folder.p);
	buf_free(&folder);
	errno = err;
}

static int
delete_box(struct work *w, struct bytes name, char away[EXPUNGED_NAME_MAX],
    uint32_t *id)
{
	struct buf folder = BUF_INIT(1024);
	struct box *b;
	int r;

	if (bytes_eq(name, BYTES("INBOX"))) {
		errno = EPERM;
		return -1;
	}
	if ((b = work_box_named(w, name)) == NULL)
		return -1;
	if ((r = has_children(w, name)) != 0) {
		if (r == 1)
			errno = ENOTEMPTY;
		return -1;
	}
	*id = b->rec.id;
	/* A number of ten digits fits. */
	(void)snprintf(away, EXPUNGED_NAME_MAX, "expunged/box.%u",
	    (unsigned int)b->rec.id);
	r = folder_name(&folder, name);
	if (r == 0)
		r = buf_addc(&folder, '\0');
	if (r == 0)
		work_untrain_keep(w, b);
	if (r == 0)
		r = renameat(w->s->maildir, (const char *)folder.p,
		    w->s->dir, away);
	if (r == 0) {
		w->durable = true;
		if ((r = box_forget(w, b)) == -1)
			put_folder_back(w->s, away, name);
	}
	buf_free(&folder);
	return r;
}

int
store_mailbox_delete(struct store *s, struct bytes name)
{
	char away[EXPUNGED_NAME_MAX];
	struct arena a = ARENA_INIT;
	struct bytes checked;
	struct work w;
	uint32_t id;
	int r;

	if (begin_named(s, &w, name, &checked) == -1)
		return -1;
	checked = arena_bytes(&a, checked);
	r = delete_box(&w, checked, away, &id);
	if (r == -1)
		work_abort(&w);
	else if ((r = list_change_commit(&w)) == -1)
		put_folder_back(s, away, checked);
	arena_free(&a);
	if (r == -1 || fsync(s->maildir) == -1)
		return -1;
	if (!has_readers(s, id))
		(void)maildir_remove(s->dir, away);	/* else swept */
	return 0;
}
