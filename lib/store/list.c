/*
 * The list of mailboxes against the folders there are. A folder that is not
 * in the index is a new mailbox, or one that was renamed: its uidvalidity,
 * which no two mailboxes of an account share, tells. Other programs may make,
 * rename and remove folders; crashes of ours look the same.
 */
#include "store/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

struct entry {
	struct bytes name;		/* of the mailbox */
	uint32_t id;			/* 0: no record */
	struct maildir_uids uids;
	bool on_disk, matched;
};

struct listing {
	struct work *w;
	struct arena arena;
	struct entry *e;
	size_t count, size;
	bool changed;
};

static struct entry *
add_entry(struct listing *l)
{
	if (l->count == l->size) {
		l->size = l->size == 0 ? 64 : l->size * 2;
		l->e = mem_realloc(l->e, l->size * sizeof(*l->e));
	}
	l->e[l->count] = (struct entry){ .name = BYTES_EMPTY };
	return &l->e[l->count++];
}

/* All records. */
static int
read_records(struct listing *l)
{
	struct bytes key = BYTES_EMPTY, value;
	struct kv_cursor *c = kv_cursor_open(l->w->t, TABLE_MAILBOX);
	struct entry *e;
	struct mbox m;
	int r;

	if (c == NULL)
		return -1;
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if (key.n != 4 || mbox_decode(be32_get(key.p), value, &m)
		    == -1) {
			errno = EBADMSG;
			r = -1;
			break;
		}
		e = add_entry(l);
		e->id = m.id;
		e->name = arena_bytes(&l->arena, m.name);
		e->uids.uidvalidity = m.uidvalidity;
		e->on_disk = bytes_eq(m.name, BYTES("INBOX"));
	}
	kv_cursor_close(c);
	return r;
}

static bool
has_dir(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* The mailbox of ".X", if there is one with such a folder name. */
static bool
folder_mailbox(struct listing *l, const char *dir_name, struct bytes *name)
{
	struct buf b = BUF_INIT(4096);
	bool r = maildir_folder_parse(&b, bytes_str(dir_name)) == 0 &&
	    store_name_check(&l->arena, buf_bytes(&b), name, NULL) == 0 &&
	    bytes_eq(*name, buf_bytes(&b)) &&
	    !bytes_eq(*name, BYTES("INBOX"));

	buf_free(&b);
	return r;
}

/* Whether ".X" is a folder, and which mailbox. */
static bool
is_folder(struct listing *l, const char *dir_name, struct bytes *name,
    struct maildir_uids *uids)
{
	struct store *s = l->w->s;
	int fd = openat(s->maildir, dir_name, DIR_FLAGS);
	bool r;

	*uids = (struct maildir_uids){ 0, 0 };
	/* One we may not enter is there nonetheless. */
	if (fd == -1)
		return errno != ENOENT && errno != ENOTDIR &&
		    errno != ELOOP && folder_mailbox(l, dir_name, name);
	r = has_dir(fd, "cur") || has_dir(fd, "new");
	if (r && !(r = folder_mailbox(l, dir_name, name)))
		report(s, "foreign-folder", BYTES_EMPTY, dir_name, 0);
	if (r)
		/* One that cannot be read is given a new uidvalidity. */
		(void)maildir_uids_read(fd, uids);
	(void)close(fd);	/* nothing was written through it */
	return r;
}

static int
by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return bytes_cmp(x->name, y->name);
}

static void
note_folder(struct listing *l, size_t records, const char *dir_name)
{
	struct entry key = { .name = BYTES_EMPTY }, *e;
	struct maildir_uids uids;

	if (!is_folder(l, dir_name, &key.name, &uids))
		return;
	e = records == 0 ? NULL
	    : bsearch(&key, l->e, records, sizeof(*l->e), by_name);
	if (e == NULL) {
		e = add_entry(l);
		e->name = key.name;
		e->uids = uids;
	}
	e->on_disk = true;
}

static int
read_folders(struct listing *l)
{
	size_t records = l->count;
	int fd = openat(l->w->s->maildir, ".", DIR_FLAGS), err;
	struct dirent *d;
	DIR *dir;

	if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
		if (fd != -1)
			(void)close(fd);	/* a directory */
		return -1;
	}
	if (records > 0)
		qsort(l->e, records, sizeof(*l->e), by_name);
	while (errno = 0, (d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.' && d->d_name[1] != '\0' &&
		    !bytes_eq(bytes_str(d->d_name), BYTES("..")) &&
		    (d->d_type == DT_DIR || d->d_type == DT_UNKNOWN))
			note_folder(l, records, d->d_name);
	}
	err = errno;
	(void)closedir(dir);	/* nothing was written through it */
	errno = err;
	return err == 0 ? 0 : -1;
}

/* Another mailbox that is there has this uidvalidity. */
static bool
uidvalidity_taken(const struct listing *l, const struct entry *but)
{
	size_t i;

	for (i = 0; i < l->count; i++) {
		if (&l->e[i] != but && l->e[i].id != 0 && l->e[i].on_disk &&
		    l->e[i].uids.uidvalidity == but->uids.uidvalidity)
			return true;
	}
	return false;
}

/* A folder without record that is a mailbox without folder. 1, 0, -1. */
static int
try_renamed(struct listing *l, struct entry *found)
{
	struct entry *e;
	struct box *b;
	size_t i;

	for (i = 0; i < l->count; i++) {
		e = &l->e[i];
		if (e->id == 0 || e->on_disk || e->matched ||
		    e->uids.uidvalidity != found->uids.uidvalidity)
			continue;
		if ((b = work_box(l->w, e->id)) == NULL ||
		    box_rename(l->w, b, found->name) == -1)
			return -1;
		report(l->w->s, "folder-renamed", found->name, "", 0);
		found->id = e->id;
		e->matched = true;
		return 1;
	}
	return 0;
}

static int
add_folder(struct listing *l, struct entry *found)
{
	struct work *w = l->w;
	struct maildir_uids uids = found->uids;
	struct box *b;
	uint32_t id;

	if (kv_count(w->t, TABLE_MAILBOX) >= STORE_MAILBOXES_MAX)
		return 0;
	if (work_new_ids(w, &id, &uids.uidvalidity) == -1)
		return -1;
	if (found->uids.uidvalidity != 0 && !uidvalidity_taken(l, found)) {
		uids = found->uids;
		if (uids.uidvalidity > w->state.last_uidvalidity)
			w->state.last_uidvalidity = uids.uidvalidity;
	}
	if (box_add(w, found->name, id, uids.uidvalidity, 0, &b) == -1)
		return -1;
	if (work_box_open(w, id) == NULL)
		return errno == EACCES ? 0 : -1;
	if (uids.uidvalidity != found->uids.uidvalidity &&
	    maildir_uids_write(b->folder->dir, &uids) == -1)
		return -1;
	b->rec.use = use_read(b->folder->dir);
	found->id = id;
	found->uids = uids;
	report(w->s, "folder-added", found->name, "", 0);
	return 0;
}

static int
mend_list(struct listing *l)
{
	struct entry *e;
	struct box *b;
	size_t i;
	int r;

	for (i = 0; i < l->count; i++) {
		e = &l->e[i];
		if (e->id != 0 || !e->on_disk)
			continue;
		l->changed = true;
		r = e->uids.uidvalidity == 0 ? 0 : try_renamed(l, e);
		if (r == -1 || (r == 0 && add_folder(l, e) == -1))
			return -1;
	}
	for (i = 0; i < l->count; i++) {
		e = &l->e[i];
		if (e->id == 0 || e->on_disk || e->matched)
			continue;
		l->changed = true;
		report(l->w->s, "folder-missing", e->name, "", 0);
		if ((b = work_box(l->w, e->id)) == NULL ||
		    box_forget(l->w, b) == -1)
			return -1;
	}
	return 0;
}

/* ---- subscriptions ---- */

static int
subscriptions_stamp(struct store *s, struct stamp *out)
{
	struct stat st;

	*out = (struct stamp){ 0 };
	if (fstatat(s->maildir, "subscriptions", &st, 0) == 0)
		*out = stamp_of(&st);
	else if (errno != ENOENT)
		return -1;
	return 0;
}

static int
read_subscriptions(struct listing *l, struct stamp now)
{
	struct work *w = l->w;
	struct buf list = BUF_INIT(16 << 20);
	size_t i;
	int r = maildir_subscriptions_read(w->s->maildir, &list);

	for (i = 0; i < l->count && r != -1; i++) {
		struct entry *e = &l->e[i];
		struct box *b;
		bool on;

		if (e->id == 0 || e->matched || !e->on_disk)
			continue;
		if ((b = work_box(w, e->id)) == NULL) {
			r = -1;
			break;
		}
		on = name_list_has(buf_bytes(&list), b->rec.name);
		if (on == b->rec.subscribed)
			continue;
		b->rec.subscribed = on;
		l->changed = true;
		r = work_change_name(w, on ? STORE_CHANGE_SUBSCRIBED
		    : STORE_CHANGE_UNSUBSCRIBED, b, b->rec.name,
		    BYTES_EMPTY);
	}
	buf_free(&list);
	w->state.subscriptions = now;
	w->dirty = true;
	return r == -1 ? -1 : 0;
}

/* ---- both ---- */

int
sync_list_needed(struct store *s, const struct state *st)
{
	struct stamp list, subs;

	if (stamp_read(s->maildir, &list) == -1 ||
	    subscriptions_stamp(s, &subs) == -1)
		return -1;
	if (!stamp_same(&list, &st->list) ||
	    !stamp_same(&subs, &st->subscriptions))
		return 1;
	return !st->list.settled && stamp_is_old(&list, time_wall_us());
}

int
sync_list(struct work *w, bool *changed)
{
	struct listing l = { .w = w, .arena = ARENA_INIT };
	struct stamp list, subs;
	int r = sync_list_needed(w->s, &w->state);

	*changed = false;
	if (r != 1)
		return r;
	r = -1;
	if (stamp_read(w->s->maildir, &list) == 0 &&
	    subscriptions_stamp(w->s, &subs) == 0) {
		list.settled = stamp_is_old(&list, time_wall_us());
		if (read_records(&l) != -1 && read_folders(&l) != -1 &&
		    mend_list(&l) != -1)
			r = read_subscriptions(&l, subs);
		w->state.list = list;
		w->dirty = true;
		*changed = l.changed;
		w->foreign = w->foreign || l.changed;
	}
	arena_free(&l.arena);
	free(l.e);
	return r;
}
