/*
 * Renaming mailboxes. Each folder is one rename(2); a kill between two of
 * them leaves some under the new name, which list.c knows again by their
 * uidvalidity.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct renaming {
	uint32_t id;
	struct bytes from, to;
	bool done;
};

int
box_rename(struct work *w, struct box *b, struct bytes name)
{
	struct bytes old = b->rec.name;
	unsigned char be[4];

	be32_put(be, b->rec.id);
	if (kv_delete(w->t, TABLE_MAILBOX_NAME, old) == -1 ||
	    kv_put(w->t, TABLE_MAILBOX_NAME, name, bytes_of(be, 4)) == -1)
		return -1;
	b->rec.name = arena_bytes(&w->arena, name);
	if (work_change_name(w, STORE_CHANGE_MAILBOX_RENAMED, b,
	    b->rec.name, old) == -1 || work_box_put(w, b) == -1)
		return -1;
	folder_close(w->s, b->rec.id);
	b->folder = NULL;
	return 0;
}

static int
move_folder(struct store *s, struct bytes from, struct bytes to)
{
	struct buf a = BUF_INIT(1024), b = BUF_INIT(1024);
	int r = -1;

	if (folder_name(&a, from) == 0 && buf_addc(&a, '\0') == 0 &&
	    folder_name(&b, to) == 0 && buf_addc(&b, '\0') == 0)
		r = maildir_move(s->maildir, (const char *)a.p, s->maildir,
		    (const char *)b.p);
	buf_free(&a);
	buf_free(&b);
	return r;
}

/* The mailbox and its children, with their new names, in the arena. */
static int
collect(struct work *w, struct bytes from, struct bytes to,
    struct renaming **out, size_t *count)
{
	size_t size = (size_t)kv_count(w->t, TABLE_MAILBOX_NAME) + 1;
	struct renaming *list = arena_zalloc(&w->arena, size, sizeof(*list));
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MAILBOX_NAME);
	struct bytes key = from, value, rest;
	struct buf folder = BUF_INIT(4096);
	size_t n = 0;
	int r;

	if (c == NULL)
		return -1;
	for (r = kv_seek(c, &key, &value); r == 1 && n < size &&
	    bytes_starts(key, from); r = kv_next(c, &key, &value)) {
		rest = bytes_from(key, from.n);
		if (rest.n > 0 && rest.p[0] != '/')
			continue;
		list[n].id = be32_get(value.p);
		list[n].from = arena_bytes(&w->arena, key);
		list[n].to = bytes_str(arena_printf(&w->arena, "%.*s%.*s",
		    BYTES_ARG(to), BYTES_ARG(rest)));
		buf_reset(&folder);
		if (folder_name(&folder, list[n++].to) == -1) {
			r = -1;
			break;
		}
	}
	kv_cursor_close(c);
	buf_free(&folder);
	*out = list;
	*count = n;
	return r == -1 ? -1 : 0;
}

static int
rename_one(struct work *w, struct renaming *one)
{
	struct box *b = work_box(w, one->id);

	if (b == NULL || move_folder(w->s, one->from, one->to) == -1)
		return -1;
	one->done = true;
	if (b->rec.subscribed) {
		if (subscriptions_change(w, one->from, false) == -1 ||
		    box_rename(w, b, one->to) == -1)
			return -1;
		return subscriptions_change(w, one->to, true);
	}
	return box_rename(w, b, one->to);
}

static int
rename_all(struct work *w, struct bytes from, struct bytes to,
    struct renaming **list, size_t *count)
{
	size_t i;

	if (collect(w, from, to, list, count) == -1)
		return -1;
	w->durable = true;
	for (i = 0; i < *count; i++) {
		if (rename_one(w, &(*list)[i]) == -1)
			return -1;
	}
	return 0;
}

/* Parents of the new name, as far as they are not there. */
static int
make_parents(struct work *w, struct bytes name)
{
	struct bytes parent;
	struct box *b;
	size_t at;

	if (!bytes_rchr(name, '/', &at))
		return 0;
	parent = bytes_first(name, at);
	if (work_box_named(w, parent) != NULL)
		return 0;
	return errno == ENOENT ? box_create_path(w, parent, &b) : -1;
}

/* Its annotations stay with the inbox and are the new mailbox's too (RFC 5464
 * 4.1); where that would be too many, the new one has none. */
static int
copy_annotations(struct store *s, struct store_view *v, uint32_t from,
    uint32_t to)
{
	struct store_annotation_change *changes;
	struct bytes at = BYTES_EMPTY;
	struct store_annotation one;
	struct arena a = ARENA_INIT;
	size_t n = 0;
	int r;

	changes = arena_zalloc(&a, STORE_ANNOTATIONS_MAX, sizeof(*changes));
	while ((r = store_annotation_next(v, from, &at, &one)) == 1 &&
	    n < STORE_ANNOTATIONS_MAX)
		changes[n++] = (struct store_annotation_change){
		    .name = arena_bytes(&a, one.name),
		    .value = arena_bytes(&a, one.value) };
	if (r != -1 && n > 0)
		r = store_annotate(s, to, changes, n, NULL);
	if (r == -1 && (errno == EOVERFLOW || errno == EMSGSIZE))
		r = 0;
	arena_free(&a);
	return r == -1 ? -1 : 0;
}

/* I-14: the messages of the inbox go to a new mailbox. */
static int
rename_inbox(struct store *s, struct bytes to)
{
	struct store_message m;
	struct store_view *v;
	uint32_t *uids, *new_uids, id;
	struct store_mailbox box;
	size_t n = 0;
	int r;

	if (store_mailbox_create(s, to, 0, &id) == -1)
		return -1;
	if ((v = store_view_open(s)) == NULL)
		return -1;
	if (store_mailbox_find(v, BYTES("INBOX"), &box) != 1) {
		store_view_close(v);
		errno = ENOENT;
		return -1;
	}
	uids = mem_zalloc((size_t)box.total + 1, sizeof(*uids));
	new_uids = mem_zalloc((size_t)box.total + 1, sizeof(*new_uids));
	for (r = store_message_first(v, box.id, 1, &m);
	    r == 1 && n < box.total; r = store_message_next(v, &m))
		uids[n++] = m.uid;
	if (r != -1)
		r = copy_annotations(s, v, box.id, id);
	store_view_close(v);
	if (r != -1)
		r = store_copy(s, box.id, uids, n, id, true, new_uids);
	free(uids);
	free(new_uids);
	return r;
}

static int
check_names(struct work *w, struct bytes from, struct bytes to)
{
	struct bytes rest = to;

	if (work_box_named(w, from) == NULL)
		return -1;
	if (work_box_named(w, to) != NULL) {
		errno = EEXIST;
		return -1;
	}
	if (errno != ENOENT)
		return -1;
	if (bytes_skip(&rest, from) && bytes_at(rest, 0) == '/') {
		errno = EINVAL;		/* into itself */
		return -1;
	}
	return 0;
}

int
store_mailbox_rename(struct store *s, struct bytes from, struct bytes to)
{
	struct renaming *list = NULL;
	struct bytes a, b;
	size_t count = 0, i;
	bool changed;
	struct work w;
	int err;

	if (work_begin(s, &w) == -1)
		return -1;
	if (store_name_check(&w.arena, from, &a, NULL) == -1 ||
	    store_name_check(&w.arena, to, &b, NULL) == -1 ||
	    sync_list(&w, &changed) == -1 || check_names(&w, a, b) == -1) {
		work_abort(&w);
		return -1;
	}
	if (bytes_eq(a, BYTES("INBOX"))) {
		work_abort(&w);
		return rename_inbox(s, to);
	}
	if (make_parents(&w, b) == 0 &&
	    rename_all(&w, a, b, &list, &count) == 0)
		return work_commit(&w) == -1 ? -1 : fsync(s->maildir);
	err = errno;
	for (i = 0; i < count; i++) {
		if (list[i].done)	/* else list.c sees a rename */
			(void)move_folder(s, list[i].to, list[i].from);
	}
	folder_close_all(s);
	errno = err;
	work_abort(&w);
	return -1;
}
