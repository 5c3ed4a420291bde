/*
 * Other programs change the Maildir too: deliver without us, set flags, move
 * and remove files. This file makes the index say what the folder says.
 *
 * All of it happens inside a write transaction, so none of our own changes
 * can fall between reading the directories and comparing. Foreign programs
 * are not stopped by that: a file they rename while we read may be seen
 * twice or not at all. So a missing file is looked for a second time before
 * its record is dropped, and of two names of one file the one that is still
 * there counts.
 */
#include "store/sync.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- reading the directories ---- */

static int
by_uid(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->n.uid != y->n.uid)
		return x->n.uid < y->n.uid ? -1 : 1;
	if (x->n.time != y->n.time)
		return x->n.time < y->n.time ? -1 : 1;
	return bytes_cmp(bytes_str(x->name), bytes_str(y->name));
}

/* Regular files only; 1 yes, 0 foreign. */
static int
is_message(int dir, const struct maildir_entry *e)
{
	struct stat st;

	if (e->type == DT_REG)
		return 1;
	if (e->type != DT_UNKNOWN)
		return 0;
	return fstatat(dir, e->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode);
}

static int
read_dir(struct syncing *y, int dir, bool in_new)
{
	struct maildir_entry *e;
	struct found *f;
	size_t count, i;

	if (maildir_scan(&y->arena, dir, &e, &count) == -1)
		return -1;
	f = arena_zalloc(&y->arena, y->file_count + count, sizeof(*f));
	if (y->file_count > 0)
		memcpy(f, y->files, y->file_count * sizeof(*f));
	y->files = f;
	for (i = 0; i < count; i++) {
		if (!is_message(dir, &e[i])) {
			report(y->w->s, "foreign", y->b->rec.name, e[i].name,
			    0);
			continue;
		}
		f = &y->files[y->file_count++];
		f->name = e[i].name;
		f->in_new = in_new;
		maildir_name_parse(bytes_str(e[i].name), &f->n);
	}
	return 0;
}

static int
read_dirs(struct syncing *y)
{
	y->files = NULL;
	y->file_count = 0;
	/* new/ first: what is moved to cur/ meanwhile is then seen there. */
	if (read_dir(y, y->b->folder->new, true) == -1 ||
	    read_dir(y, y->b->folder->cur, false) == -1)
		return -1;
	if (y->file_count > 0)
		qsort(y->files, y->file_count, sizeof(*y->files), by_uid);
	return 0;
}

size_t
find_uid(const struct syncing *y, uint32_t uid)
{
	size_t low = 0, high = y->file_count, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (y->files[mid].n.uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
still_there(const struct syncing *y, const struct found *f)
{
	struct stat st;

	return fstatat(f->in_new ? y->b->folder->new : y->b->folder->cur,
	    f->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * The file of a record among those with its UID; NULL. Of several names that
 * are all there one is taken, the others are messages of their own.
 */
static struct found *
match(struct syncing *y, size_t at, const struct store_message *m)
{
	struct found *f, *best = NULL;

	for (; at < y->file_count && y->files[at].n.uid == m->uid; at++) {
		f = &y->files[at];
		if (!bytes_eq(f->n.base, m->base))
			continue;
		/* Renamed while we read: one of the names is gone. */
		if (best == NULL || !still_there(y, best) ||
		    (bytes_eq(f->n.suffix, m->suffix) && still_there(y, f)))
			best = f;
	}
	if (best != NULL)
		best->paired = true;
	return best;
}

/* ---- comparing ---- */

/* No flags, no letters: in new/, or in cur/ with an empty info. */
static bool
is_plain(struct bytes suffix)
{
	return suffix.n == 0 || bytes_eq(suffix, BYTES(":2,"));
}

static void
want(struct syncing *y, uint32_t uid, struct found *f, bool changed)
{
	if (y->pair_count == y->pair_size) {
		y->pair_size = y->pair_size == 0 ? 64 : y->pair_size * 2;
		y->pairs = mem_realloc(y->pairs,
		    y->pair_size * sizeof(*y->pairs));
	}
	y->pairs[y->pair_count++] = (struct pair){ uid, f, changed };
}

/*
 * Whether a file was written to in place since it was taken in: its size is
 * neither that of the record nor, where it has one, that of its name. (If
 * only the record differs, the record is wrong.) Asked of all with deep, else
 * of those just adopted; others are found when they are opened.
 */
static bool
is_rewritten(const struct syncing *y, const struct found *f,
    const struct store_message *m)
{
	struct stat st;
	uint64_t size;

	if (!y->deep && m->save_date < y->now - SYNC_RECENT)
		return false;
	if (fstatat(f->in_new ? y->b->folder->new : y->b->folder->cur,
	    f->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return false;
	size = (uint64_t)st.st_size;
	return size != m->size && size != f->n.size;
}

/* Walk the records once; note those that differ. Changes nothing. */
static int
compare(struct syncing *y)
{
	unsigned char from[KEY_MESSAGE];
	struct bytes key = key_of(from, sizeof(from)), value;
	struct kv_cursor *c = kv_cursor_open(y->w->t, TABLE_MESSAGE);
	struct store_message m;
	struct found *f;
	bool rewritten;
	size_t at = 0;
	int r;

	if (c == NULL)
		return -1;
	key_message(from, y->b->rec.id, 0);
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if (message_decode(key, value, &m) == -1) {
			r = -1;
			break;
		}
		if (m.mailbox != y->b->rec.id)
			break;
		while (at < y->file_count && y->files[at].n.uid < m.uid)
			at++;
		f = match(y, at, &m);
		rewritten = f != NULL && is_rewritten(y, f, &m);
		if (f == NULL || y->deep || rewritten ||
		    (y->relabelled && !is_plain(f->n.suffix)) ||
		    (!bytes_eq(f->n.suffix, m.suffix) &&
		    !(is_plain(f->n.suffix) && is_plain(m.suffix))))
			want(y, m.uid, f, rewritten);
	}
	kv_cursor_close(c);
	return r == -1 ? -1 : 0;
}

/* ---- records whose file differs ---- */

int
parse_file(struct syncing *y, const struct found *f, struct store_message *m)
{
	int dir = f->in_new ? y->b->folder->new : y->b->folder->cur;
	int fd = openat(dir, f->name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct bytes content;
	struct stat st;
	int r = 0;

	if (fd != -1 && fstat(fd, &st) == 0 && map_fd(fd, &content) == 0) {
		y->text = BYTES_EMPTY;
		message_parse(&y->scratch, content, m,
		    y->w->s->no_text ? NULL : &y->text, NULL);
		read_facts(y, content);
		m->internal_date = st.st_mtim.tv_sec;
		r = y->sent && work_sent(y->w, content, m->internal_date)
		    == -1 ? -1 : 1;
		store_unmap(content);
	} else if (errno == ENOMEM || errno == EMFILE || errno == ENFILE) {
		r = -1;
	} else if (errno != ENOENT) {
		report(y->w->s, "unreadable", y->b->rec.name, f->name,
		    f->n.uid);
	}
	if (fd != -1)
		(void)close(fd);	/* nothing was written through it */
	return r;
}

/* Whether its name is to follow its flags: 1, 0, -1. */
static int
is_listed(struct syncing *y, const struct store_message *m)
{
	const struct keywords *k = y->before != NULL ? y->before
	    : y->b->keywords;

	return name_is_behind(k, m) ? naming_has(y->w->t, m->mailbox, m->uid)
	    : 0;
}

static int
update(struct syncing *y, const struct store_message *old,
    const struct found *f)
{
	struct store_message m = *old;
	bool flags;
	int r = 0;

	if ((r = is_listed(y, old)) == -1)
		return -1;
	name_merge(y->b->keywords, r == 0 ? NULL : y->before != NULL
	    ? y->before : y->b->keywords, f->n.letters, &m);
	m.suffix = f->n.suffix;
	r = 0;
	/* A file whose name gives another size than it has gets another. */
	if (y->deep && ((r = parse_file(y, f, &m)) == -1 ||
	    (r == 1 && give_name(y, f, &m) == -1)))
		return -1;
	if (y->deep && r == 1 && (work_text_put(y->w, m.mailbox, m.uid,
	    y->text) == -1 || renew_facts(y, &m) == -1))
		return -1;
	flags = m.flags != old->flags ||
	    !keywords_same(&m.keywords, &old->keywords);
	if (flags)
		m.modseq = y->w->modseq;
	if (work_put(y->w, y->b, &m, old) == -1)
		return -1;
	if (!flags)
		return 0;
	y->changed = true;
	return work_change(y->w, STORE_CHANGE_FLAGS, y->b, m.uid);
}

int
sync_drop(struct syncing *y, const struct store_message *m,
    const char *event)
{
	y->changed = true;
	report(y->w->s, event, y->b->rec.name,
	    arena_str(&y->scratch, m->base), m->uid);
	if (work_remove(y->w, y->b, m) == -1)
		return -1;
	return work_change(y->w, STORE_CHANGE_EXPUNGED, y->b, m->uid);
}

static bool
was_missing(const struct syncing *y, uint32_t uid)
{
	size_t i;

	for (i = 0; i < y->missing_count && y->missing[i] <= uid; i++) {
		if (y->missing[i] == uid)
			return true;
	}
	return false;
}

static int
mend(struct syncing *y, const struct pair *p)
{
	struct store_message m;
	int r = work_get(y->w, y->b->rec.id, p->uid, &m);

	if (r != 1)
		return r;
	arena_reset(&y->scratch);
	m = message_copy(&y->scratch, &m);
	if (p->file != NULL && p->changed) {
		p->file->paired = false;	/* adopt_all takes it */
		return sync_drop(y, &m, "rewritten");
	}
	if (p->file != NULL)
		return update(y, &m, p->file);
	if (was_missing(y, p->uid))
		return sync_drop(y, &m, "missing");
	y->unsure = true;
	return 0;
}

/* A file is missing when two looks in a row do not find it. */
static int
look_again(struct syncing *y)
{
	size_t i, n = 0;

	for (i = 0; i < y->pair_count; i++)
		n += y->pairs[i].file == NULL;
	if (n == 0)
		return 0;
	y->missing = arena_zalloc(&y->arena, n, sizeof(*y->missing));
	for (i = 0; i < y->pair_count; i++) {
		if (y->pairs[i].file == NULL)
			y->missing[y->missing_count++] = y->pairs[i].uid;
	}
	y->pair_count = 0;
	return read_dirs(y) == -1 ? -1 : compare(y);
}

static int
mend_all(struct syncing *y)
{
	size_t i;

	if (look_again(y) == -1)
		return -1;
	for (i = 0; i < y->pair_count && y->batch > 0; i++, y->batch--) {
		if (mend(y, &y->pairs[i]) == -1)
			return -1;
	}
	y->again |= i < y->pair_count;
	return 0;
}

/* ---- the rest ---- */

/* As a mail reader does: what it has seen is no longer new. */
static int
claim_all(struct syncing *y)
{
	char name[MAILDIR_FILE_MAX + 1];
	struct found *f;
	size_t i;

	for (i = 0; i < y->file_count; i++) {
		f = &y->files[i];
		if (!f->in_new || !f->paired || f->n.suffix.n > 0 ||
		    message_name(name, f->n.base, BYTES(":2,")) == -1)
			continue;
		if (maildir_move(y->b->folder->new, f->name,
		    y->b->folder->cur, name) == -1) {
			if (errno == ENOENT || errno == EEXIST)
				continue;
			return -1;
		}
		y->new_renamed = y->cur_renamed = true;
	}
	return 0;
}

/* Names of dovecot-keywords another program wrote. What it lacks, as one out
 * of a backup does, is written to it: letters are nothing without it. */
static int
read_keywords(struct syncing *y)
{
	struct maildir_keywords file = { { NULL } };
	struct box *b = y->b;
	struct stamp now = { 0 };
	unsigned char key[6];
	struct stat st;
	unsigned int i;
	bool lacks = false;
	int r = 0;

	if (keywords_load(y->w, b) == -1)
		return -1;
	if (fstatat(b->folder->dir, "dovecot-keywords", &st, 0) == 0)
		now = stamp_of(&st);
	if (stamp_same(&now, &b->rec.stamp_keywords) && !y->deep)
		return 0;
	if (maildir_keywords_read(b->folder->dir, &file) == -1)
		return -1;
	be32_put(key, b->rec.id);
	key[4] = 0;
	for (i = 0; i < STORE_LETTERS && r == 0; i++) {
		struct bytes n = bytes_str(file.name[i]);

		lacks |= n.n == 0 && b->keywords->name[i].n > 0;
		if (n.n == 0 || n.n > STORE_KEYWORD_MAX ||
		    bytes_caseeq(n, b->keywords->name[i]))
			continue;
		if (store_flag_find(n) == 0)
			n = arena_lower(&y->w->arena, n);
		key[5] = (unsigned char)i;
		r = kv_put(y->w->t, TABLE_KEYWORD, key_of(key, 6), n);
		if (r == 0)
			r = work_change(y->w, STORE_CHANGE_KEYWORDS, b, 0);
		y->changed = y->relabelled = true;
	}
	maildir_keywords_free(&file);
	y->before = b->keywords;
	b->keywords = NULL;
	b->rec.stamp_keywords = now;
	b->dirty = true;
	if (r == -1 || keywords_load(y->w, b) == -1)
		return -1;
	b->keywords->dirty_file = lacks;
	return 0;
}

/*
 * A mailbox just found: no UID below what .uidvalidity says is free. And
 * mbsync(1) wants no UID in a file name above what stands there.
 */
static int
finish_uids(struct syncing *y)
{
	struct maildir_uids u;
	struct mbox *m = &y->b->rec;
	int r;

	if (y->again || (m->reserved != 0 && m->uidnext - 1 <= m->reserved &&
	    !y->deep))
		return 0;
	r = maildir_uids_read(y->b->folder->dir, &u);
	if (r == -1 && errno != EBADMSG)
		return -1;
	/* The file is the truth; UIDs are those of the names in any case. */
	if (y->deep && r == 1 && u.uidvalidity != m->uidvalidity) {
		m->uidvalidity = u.uidvalidity;
		m->reserved = 0;
	}
	if (r == 1 && y->deep && u.highest >= m->reserved && m->reserved != 0)
		return 0;
	if (m->reserved == 0 && r == 1 && u.uidvalidity == m->uidvalidity &&
	    u.highest >= m->uidnext && u.highest < UID_MAX)
		m->uidnext = u.highest + 1;
	u = (struct maildir_uids){ m->uidvalidity, m->uidnext - 1 };
	m->reserved = u.highest;
	y->b->dirty = true;
	return maildir_uids_write(y->b->folder->dir, &u);
}

/* Go on with what the last batch left, if nobody changed the folder since. A
 * change within the tick of that batch is seen by the look that comes last. */
static bool
take_kept(struct syncing *y, const struct stamp *at_new,
    const struct stamp *at_cur)
{
	struct sync_kept *k = y->kept;
	bool good = k->files != NULL && !y->relabelled &&
	    stamp_same(at_new, &k->new) && stamp_same(at_cur, &k->cur);

	y->unsure |= k->unsure;
	if (good) {
		y->arena = k->arena;
		y->files = k->files;
		y->file_count = k->count;
		y->from = k->from;
	} else {
		arena_free(&k->arena);
	}
	k->arena = (struct arena)ARENA_INIT;
	k->files = NULL;
	return good;
}

static int
keep(struct syncing *y)
{
	struct sync_kept *k = y->kept;

	k->unsure = y->unsure;
	if (!y->adopting)
		return 0;
	if (stamp_read(y->b->folder->new, &k->new) == -1 ||
	    stamp_read(y->b->folder->cur, &k->cur) == -1)
		return -1;
	k->arena = y->arena;
	k->files = y->files;
	k->count = y->file_count;
	k->from = y->from;
	y->arena = (struct arena)ARENA_INIT;
	return 0;
}

/* A batch that does not begin with a listing of the folder. */
static int
sync_on(struct syncing *y)
{
	if (adopt_all(y) == -1)
		return -1;
	if (y->again)
		return keep(y);
	y->kept->unsure = y->unsure;
	y->again = true;	/* the last one lists it once more */
	return 0;
}

/* A directory that was large once is slow to read when it is empty. */
static bool
nothing_new(const struct syncing *y)
{
	size_t i;

	for (i = 0; i < y->file_count && !y->files[i].in_new; i++)
		;
	return i == y->file_count;
}

static int
sync_with(struct syncing *y)
{
	struct mbox *m = &y->b->rec;
	int64_t now = time_wall_us();
	struct stamp at_new, at_cur;

	if (stamp_read(y->b->folder->new, &at_new) == -1 ||
	    stamp_read(y->b->folder->cur, &at_cur) == -1)
		return -1;
	at_new.settled = stamp_is_old(&at_new, now);
	at_cur.settled = stamp_is_old(&at_cur, now);
	if (read_keywords(y) == -1)
		return -1;
	if (take_kept(y, &at_new, &at_cur))
		return sync_on(y);
	if (read_dirs(y) == -1 || compare(y) == -1 || mend_all(y) == -1 ||
	    adopt_all(y) == -1 || finish_uids(y) == -1 ||
	    (y->claim && claim_all(y) == -1))
		return -1;
	if (y->again)
		return keep(y);
	/* Our own renames came after those times: look again later. */
	if (y->new_renamed || y->unsure)
		at_new.settled = false;
	if (y->cur_renamed || y->unsure)
		at_cur.settled = false;
	m->stamp_new = at_new;
	m->new_empty = !y->new_renamed && nothing_new(y);
	m->stamp_cur = at_cur;
	y->b->dirty = true;
	return 0;
}

int
sync_box(struct work *w, struct box *b, bool claim, bool deep,
    struct sync_kept *kept, bool *more)
{
	struct syncing y = { .w = w, .b = b, .claim = claim, .deep = deep,
	    .kept = kept, .now = time_wall_us() / 1000000,
	    .batch = deep ? SIZE_MAX : SYNC_BATCH, .arena = ARENA_INIT,
	    .scratch = ARENA_INIT };
	int r = sync_with(&y);

	arena_free(&y.arena);
	arena_free(&y.scratch);
	free(y.pairs);
	w->foreign = w->foreign || y.changed;
	free(y.before);
	*more = y.again;
	return r == -1 ? -1 : y.changed;
}
