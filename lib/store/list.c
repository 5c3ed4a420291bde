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
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

struct entry {
	struct bytes name;		/* of the mailbox */
	uint32_t id;			/* 0: no record */
	struct maildir_uids uids;
	bool on_disk, matched, subscribed;
	size_t same;			/* next in its bucket, 0: none */
};

struct listing {
	struct work *w;
	struct arena arena;
	struct entry *e;
	size_t count, size;
	/* Entries with an id by their uidvalidity: numbers of them plus one. */
	size_t *buckets, bucket_count;
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
		e->subscribed = m.subscribed;
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

/*
 * Whether the folder of a record is still one. All but a few are, so this is
 * all that is asked of most; one we may not enter is there nonetheless.
 */
static bool
still_folder(struct listing *l, const char *dir_name)
{
	static const char *const part[] = { "cur", "new" };
	char path[NAME_MAX + 8];
	struct stat st;
	size_t i;
	int n;

	for (i = 0; i < 2; i++) {
		n = snprintf(path, sizeof(path), "%s/%s", dir_name, part[i]);
		if (n < 0 || (size_t)n >= sizeof(path))
			return false;
		if (fstatat(l->w->s->maildir, path, &st,
		    AT_SYMLINK_NOFOLLOW) == 0 ? S_ISDIR(st.st_mode)
		    : errno != ENOENT && errno != ENOTDIR)
			return true;
	}
	return false;
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
	struct entry key = { .name = BYTES_EMPTY }, *e = NULL;
	struct maildir_uids uids;

	if (records > 0 && folder_mailbox(l, dir_name, &key.name))
		e = bsearch(&key, l->e, records, sizeof(*l->e), by_name);
	if (e != NULL) {
		e->on_disk = e->on_disk || still_folder(l, dir_name);
		return;
	}
	if (!is_folder(l, dir_name, &key.name, &uids))
		return;
	e = add_entry(l);
	e->name = key.name;
	e->uids = uids;
	e->on_disk = true;
}

static bool
is_dir(int maildir, const struct dirent *d)
{
	struct stat st;

	return d->d_type == DT_DIR || (d->d_type == DT_UNKNOWN &&
	    fstatat(maildir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode));
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
		    is_dir(fd, d))
			note_folder(l, records, d->d_name);
	}
	err = errno;
	(void)closedir(dir);	/* nothing was written through it */
	errno = err;
	return err == 0 ? 0 : -1;
}

/* ---- by uidvalidity ---- */

static void
put_bucket(struct listing *l, size_t i)
{
	struct entry *e = &l->e[i];
	size_t *at = &l->buckets[e->uids.uidvalidity & (l->bucket_count - 1)];

	e->same = *at;
	*at = i + 1;
}

/* All that have a record; the list has its final length. */
static void
fill_buckets(struct listing *l)
{
	size_t i;

	for (l->bucket_count = 64; l->bucket_count < l->count;)
		l->bucket_count *= 2;
	l->buckets = mem_zalloc(l->bucket_count, sizeof(*l->buckets));
	for (i = 0; i < l->count; i++) {
		if (l->e[i].id != 0)
			put_bucket(l, i);
	}
}

/* The first with a record and this uidvalidity from a number on; NULL. */
static struct entry *
with_uidvalidity(const struct listing *l, size_t at, uint32_t uidvalidity)
{
	while (at != 0 && l->e[at - 1].uids.uidvalidity != uidvalidity)
		at = l->e[at - 1].same;
	return at == 0 ? NULL : &l->e[at - 1];
}

static size_t
bucket_of(const struct listing *l, uint32_t uidvalidity)
{
	return l->buckets[uidvalidity & (l->bucket_count - 1)];
}

/* Another mailbox that is there has this uidvalidity. */
static bool
uidvalidity_taken(const struct listing *l, const struct entry *found)
{
	uint32_t v = found->uids.uidvalidity;
	struct entry *e;

	for (e = with_uidvalidity(l, bucket_of(l, v), v); e != NULL;
	    e = with_uidvalidity(l, e->same, v)) {
		if (e->on_disk)
			return true;
	}
	return false;
}

/* A folder without record that is a mailbox without folder. 1, 0, -1. */
static int
try_renamed(struct listing *l, struct entry *found)
{
	uint32_t v = found->uids.uidvalidity;
	struct entry *e;
	struct box *b;

	for (e = with_uidvalidity(l, bucket_of(l, v), v); e != NULL;
	    e = with_uidvalidity(l, e->same, v)) {
		if (e->on_disk || e->matched)
			continue;
		if ((b = work_box(l->w, e->id)) == NULL ||
		    box_rename(l->w, b, found->name) == -1)
			return -1;
		report(l->w->s, "folder-renamed", found->name, "", 0);
		found->id = e->id;
		found->subscribed = e->subscribed;
		e->matched = true;
		put_bucket(l, (size_t)(found - l->e));
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
	put_bucket(l, (size_t)(found - l->e));
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

	fill_buckets(l);
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

int
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
bytes_order(const void *a, const void *b)
{
	return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* The names of a list, each with a NUL behind it, in order; to be freed. */
static struct bytes *
names_sorted(struct bytes list, size_t *count)
{
	struct bytes *names = NULL, one;
	size_t n = 0, size = 0;

	while (list.n > 0 && bytes_split(&list, '\0', &one)) {
		if (n == size) {
			size = size == 0 ? 64 : size * 2;
			names = mem_realloc(names, size * sizeof(*names));
		}
		names[n++] = one;
	}
	if (n > 0)
		qsort(names, n, sizeof(*names), bytes_order);
	*count = n;
	return names;
}

static int
set_subscribed(struct listing *l, const struct entry *e, bool on)
{
	struct box *b = work_box(l->w, e->id);

	if (b == NULL)
		return -1;
	b->rec.subscribed = on;
	l->changed = true;
	return work_change_name(l->w, on ? STORE_CHANGE_SUBSCRIBED
	    : STORE_CHANGE_UNSUBSCRIBED, b, b->rec.name, BYTES_EMPTY);
}

static int
read_subscriptions(struct listing *l, struct stamp now)
{
	struct work *w = l->w;
	struct buf list = BUF_INIT(MAILDIR_SUBSCRIPTIONS_MAX);
	int r = maildir_subscriptions_read(w->s->maildir, &list);
	size_t count, i;
	struct bytes *names = names_sorted(buf_bytes(&list), &count);

	for (i = 0; i < l->count && r != -1; i++) {
		struct entry *e = &l->e[i];
		bool on;

		if (e->id == 0 || e->matched || !e->on_disk)
			continue;
		on = count > 0 && bsearch(&e->name, names, count,
		    sizeof(*names), bytes_order) != NULL;
		if (on != e->subscribed)
			r = set_subscribed(l, e, on);
	}
	free(names);
	buf_free(&list);
	w->state.subscriptions = now;
	w->dirty = true;
	return r == -1 ? -1 : 0;
}

/* ---- both ---- */

static bool
is_unsettled(const struct stamp *known, const struct stamp *now)
{
	return !known->settled && stamp_is_old(now, time_wall_us());
}

/* 1, 0, -1; again: also what may hide behind a time that was not settled. */
static int
list_differs(struct store *s, const struct state *st, bool again)
{
	struct stamp list, subs;

	if (stamp_read(s->maildir, &list) == -1 ||
	    subscriptions_stamp(s, &subs) == -1)
		return -1;
	if (!stamp_same(&list, &st->list) ||
	    !stamp_same(&subs, &st->subscriptions))
		return 1;
	return again && (is_unsettled(&st->list, &list) ||
	    (subs.sec != 0 && is_unsettled(&st->subscriptions, &subs)));
}

int
sync_list_needed(struct store *s, const struct state *st)
{
	return list_differs(s, st, true);
}

int
sync_list_before(struct work *w)
{
	bool changed;

	switch (list_differs(w->s, &w->state, false)) {
	case 0:
		return 0;
	case 1:
		return sync_list(w, false, &changed);
	default:
		return -1;
	}
}

int
sync_list(struct work *w, bool force, bool *changed)
{
	struct listing l = { .w = w, .arena = ARENA_INIT };
	struct stamp list, subs;
	int r = sync_list_needed(w->s, &w->state);

	*changed = false;
	if (r == -1 || (r == 0 && !force))
		return r;
	r = -1;
	if (stamp_read(w->s->maildir, &list) == 0 &&
	    subscriptions_stamp(w->s, &subs) == 0) {
		list.settled = stamp_is_old(&list, time_wall_us());
		subs.settled = stamp_is_old(&subs, time_wall_us());
		if (read_records(&l) != -1 && read_folders(&l) != -1 &&
		    mend_list(&l) != -1)
			r = read_subscriptions(&l, subs);
		w->state.list = list;
		w->dirty = true;
		*changed = l.changed;
		w->foreign = w->foreign || l.changed;
	}
	arena_free(&l.arena);
	free(l.buckets);
	free(l.e);
	return r;
}
