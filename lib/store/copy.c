/*
 * Copy is link(2), move is rename(2). As in deliver.c the file gets its new
 * name with the new UID first and the commit follows: a kill between leaves
 * a file that the target mailbox takes in, and for a move a record of the
 * source without file, which is dropped. Nothing is lost in between.
 */
#include "store/destined.h"
#include "store/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One message on its way, for taking it back. */
struct passage {
	int from_dir, to_dir;
	char from[MAILDIR_FILE_MAX + 1], to[MAILDIR_FILE_MAX + 1];
	char kept[EXPUNGED_NAME_MAX];	/* for readers of the source; or "" */
	bool done;
};

struct copying {
	struct work w;
	struct box *from, *to;
	bool move;
	struct touched from_touched, to_touched;
	bool keep;		/* others read in the source: a move leaves
				 * them a link, as an expunge does (S-10) */
	struct arena scratch;
	struct passage *passages;
};

/* Keyword numbers of the target for those of the source. */
static int
translate(struct copying *c, struct store_message *m)
{
	struct bytes names[STORE_KEYWORDS_MAX];
	size_t n = 0;
	unsigned int i;

	if (keywords_load(&c->w, c->from) == -1)
		return -1;
	for (i = 0; i < c->from->keywords->count; i++) {
		if (store_keyword_has(&m->keywords, i) &&
		    c->from->keywords->name[i].n > 0)
			names[n++] = c->from->keywords->name[i];
	}
	if (keywords_of(&c->w, c->to, names, n, &m->flags, &m->keywords)
	    == -1)
		return -1;
	return c->to == c->from ? 0 : junk_flags(&c->w, c->to, &m->flags);
}

/* A file system without hard links, or too many of them: a copy. */
static int
copy_file(struct copying *c, const struct place *where, int to_dir,
    const char *to)
{
	int fd = openat(where->dir, where->name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int tmp = c->to->folder->tmp, r, err;
	struct bytes content;
	struct stat st;

	if (fd == -1)
		return -1;
	r = fstat(fd, &st);
	if (r == 0 && (r = map_fd(fd, &content)) == 0) {
		r = maildir_write(tmp, to, &content, 1, st.st_mtim.tv_sec);
		store_unmap(content);
		if (r == 0)
			r = maildir_move(tmp, to, to_dir, to);
	}
	err = errno;
	(void)close(fd);	/* nothing was written through it */
	errno = err;
	return r;
}

/* Without links those readers do without. */
static void
keep_link(struct copying *c, uint32_t uid, const struct place *where,
    struct passage *p)
{
	expunged_name(p->kept, c->from->rec.id, uid);
	if (linkat(where->dir, where->name, c->w.s->dir, p->kept, 0) == -1)
		p->kept[0] = '\0';
}

static int
pass_file(struct copying *c, uint32_t uid, const struct place *where,
    enum store_training training, struct passage *p)
{
	int r;

	p->from_dir = where->dir;
	memcpy(p->from, where->name, sizeof(p->from));
	/* If this is killed the words of the source are to be taken out. */
	if (c->keep || (c->move && training != STORE_UNTRAINED))
		keep_link(c, uid, where, p);
	if (c->move) {
		r = maildir_move(where->dir, where->name, p->to_dir, p->to);
		if (r == 0)
			folder_changed(c->from->folder, where->dir);
		c->from_touched.new |= where->dir == c->from->folder->new;
		c->from_touched.cur |= where->dir == c->from->folder->cur;
	} else {
		r = linkat(where->dir, where->name, p->to_dir, p->to, 0);
		if (r == -1 && (errno == EMLINK || errno == EPERM ||
		    errno == EXDEV || errno == EOPNOTSUPP))
			r = copy_file(c, where, p->to_dir, p->to);
	}
	p->done = r == 0;
	if (p->done)
		folder_changed(c->to->folder, p->to_dir);
	c->to_touched.new |= p->to_dir == c->to->folder->new;
	c->to_touched.cur |= p->to_dir == c->to->folder->cur;
	return r;
}

/*
 * The base of a name for the copy: the unique part of the source, by which
 * people who keep a message twice know it (RFC 8474 EMAILID), and C=, by which
 * it is a name of its own. Without that a copy after one that was killed, which
 * gets the same UID, would be a second name of the file that one left.
 */
static int
copied_base(struct copying *c, const struct place *where,
    const struct store_message *m, struct buf *out)
{
	struct buf b = BUF_INIT(MAILDIR_FILE_MAX);
	struct bytes rest, unique;
	struct maildir_name n;
	int r;

	maildir_name_parse(bytes_str(where->name), &n);
	rest = n.base;
	if (!bytes_split(&rest, ',', &unique))
		unique = n.base;
	r = buf_add(&b, unique) == -1 ? -1 : buf_printf(&b,
	    ",S=%llu,W=%llu,C=%llx.%llx", (unsigned long long)m->size,
	    (unsigned long long)m->size_crlf,
	    (unsigned long long)time_wall_us(),
	    (unsigned long long)++c->w.s->seq);
	if (r == 0)
		r = maildir_name_with_uid(out, buf_bytes(&b), m->uid);
	buf_free(&b);
	/* a name that leaves no room */
	return r == 0 ? 0 : message_base_new(c->w.s, m, out);
}

/* Name and place in the target for m, which has its new UID and flags. */
static int
choose_name(struct copying *c, const struct place *where,
    struct store_message *m, struct passage *p)
{
	struct buf b = BUF_INIT(MAILDIR_FILE_MAX);
	static const struct store_keywords none = { { 0 } };
	size_t base;
	int r = -1;

	if (copied_base(c, where, m, &b) == 0) {
		base = b.n;
		p->to_dir = c->to->folder->cur;
		if (where->dir == c->from->folder->new && m->flags == 0 &&
		    keywords_same(&m->keywords, &none))
			p->to_dir = c->to->folder->new;
		r = p->to_dir == c->to->folder->new ? 0
		    : suffix_format(&b, c->to->keywords, m->flags,
		    &m->keywords, BYTES_EMPTY);
		m->base = arena_bytes(&c->scratch,
		    bytes_first(buf_bytes(&b), base));
		m->suffix = arena_bytes(&c->scratch,
		    bytes_from(buf_bytes(&b), base));
	}
	if (r == 0)
		r = message_name(p->to, m->base, m->suffix);
	buf_free(&b);
	return r;
}

/* Into a mailbox of sent mail: whom it was sent to. */
static int
note_sent(struct copying *c, const struct place *where, int64_t date)
{
	struct bytes content;
	int fd, r, err;

	if ((c->to->rec.use & STORE_USE_SENT) == 0 ||
	    (c->from->rec.use & STORE_USE_SENT) != 0)
		return 0;
	fd = openat(where->dir, where->name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return -1;
	if ((r = map_fd(fd, &content)) == 0) {
		r = work_sent(&c->w, content, date);
		store_unmap(content);
	}
	err = errno;
	(void)close(fd);	/* nothing was written through it */
	errno = err;
	return r;
}

/* 1 copied, 0 not there, -1. */
static int
copy_one(struct copying *c, uint32_t uid, uint32_t *new_uid,
    struct passage *p)
{
	struct store_message old, m;
	uint32_t original = 0;
	struct place where;
	int r = work_get(&c->w, c->from->rec.id, uid, &m);

	if (r != 1)
		return r;
	arena_reset(&c->scratch);
	old = m = message_copy(&c->scratch, &m);
	if ((r = message_locate(c->from->folder, &m, &where)) != 1)
		return r;
	if ((!c->move && work_room(&c->w, m.size) == -1) ||
	    translate(c, &m) == -1 ||
	    (c->to != c->from && destined_leave(&c->w, c->to, &c->scratch,
	    &m, &original) == -1) ||
	    work_next_uid(c->to, &m.uid) == -1)
		return -1;
	m.mailbox = c->to->rec.id;
	if (!c->move)
		m.training = STORE_UNTRAINED;	/* its words count once */
	m.createseq = m.modseq = c->w.modseq;
	m.save_date = time_wall_us() / 1000000;
	/* A letter of the name has its meaning before the name is there. */
	if (note_sent(c, &where, m.internal_date) == -1 ||
	    keywords_flush(&c->w, c->to) == -1 ||
	    choose_name(c, &where, &m, p) == -1 ||
	    pass_file(c, uid, &where, old.training, p) == -1)
		return -1;
	if (work_text_copy(&c->w, &c->scratch, &old, &m) == -1 ||
	    work_thread_copy(&c->w, &old, &m, original) == -1 ||
	    work_origin_copy(&c->w, &old, &m, c->move, original) == -1)
		return -1;
	old.training = STORE_UNTRAINED;	/* it goes on as m */
	if (c->move && work_remove(&c->w, c->from, &old) == -1)
		return -1;
	if (work_put(&c->w, c->to, &m, NULL) == -1)
		return -1;
	*new_uid = m.uid;
	return 1;
}

/* The files, each with its record. */
static int
copy_each(struct copying *c, const uint32_t *uids, size_t count,
    uint32_t *new_uids)
{
	struct around around;
	size_t i;
	int r = 0;

	around_begin(&around, c->from, c->to, count);
	for (i = 0; i < count && r != -1; i++) {
		new_uids[i] = 0;
		r = copy_one(c, uids[i], &new_uids[i], &c->passages[i]);
	}
	around_end(&around);
	return r == -1 ? -1 : 0;
}

static int
copy_all(struct copying *c, const uint32_t *uids, size_t count,
    uint32_t *new_uids)
{
	size_t i;

	if (keywords_load(&c->w, c->to) == -1 ||
	    copy_each(c, uids, count, new_uids) == -1)
		return -1;
	/* One range each in the change feed, not one entry a message. */
	for (i = 0; i < count; i++) {
		if (new_uids[i] != 0 && work_change(&c->w,
		    STORE_CHANGE_ADDED, c->to, new_uids[i]) == -1)
			return -1;
	}
	for (i = 0; c->move && i < count; i++) {
		if (new_uids[i] != 0 && work_change(&c->w,
		    STORE_CHANGE_EXPUNGED, c->from, uids[i]) == -1)
			return -1;
	}
	return 0;
}

static void
undo(const struct copying *c, size_t count)
{
	const struct passage *p = c->passages;
	int err = errno;
	size_t i;

	for (i = 0; i < count; i++, p++) {
		if (p->kept[0] != '\0')
			(void)unlinkat(c->w.s->dir, p->kept, 0); /* or swept */
		if (!p->done)
			continue;
		/* What cannot be taken back is taken in by sync.c. */
		if (c->move)
			(void)maildir_move(p->to_dir, p->to, p->from_dir,
			    p->from);
		else
			(void)unlinkat(p->to_dir, p->to, 0);
	}
	errno = err;
}

/* What was kept in case of a kill. */
static void
drop_kept(struct copying *c, struct store *s, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (c->passages[i].kept[0] != '\0')
			(void)unlinkat(s->dir, c->passages[i].kept, 0);
	}	/* or swept */
}

/* Who began to read after that was asked, but before the commit, sees the
 * messages still in the source. */
static void
keep_late(struct copying *c, struct store *s, uint32_t from,
    const uint32_t *uids, size_t count)
{
	struct passage *p = c->passages;
	size_t i;

	if (c->keep)
		return;
	if (!has_readers(s, from)) {
		drop_kept(c, s, count);
		return;
	}
	for (i = 0; i < count; i++, p++) {
		expunged_name(p->kept, from, uids[i]);
		if (p->done && linkat(p->to_dir, p->to, s->dir, p->kept, 0)
		    == -1 && errno != EEXIST)
			return;		/* renamed, or no links: without */
	}
}

int
store_copy(struct store *s, uint32_t from, const uint32_t *uids,
    size_t count, uint32_t to, bool move, uint32_t *new_uids)
{
	struct copying c = { .move = move, .scratch = ARENA_INIT };
	struct folder *from_folder, *to_folder;
	int r = -1;

	if (work_begin(s, &c.w) == -1)
		return -1;
	c.keep = move && has_readers(s, from);
	c.passages = mem_zalloc(count + 1, sizeof(*c.passages));
	c.from = work_box_open(&c.w, from);
	c.to = c.from == NULL ? NULL : work_box_open(&c.w, to);
	if (c.to == NULL || copy_all(&c, uids, count, new_uids) == -1) {
		undo(&c, count);
		work_abort(&c.w);
	} else {
		from_folder = c.from->folder;
		to_folder = c.to->folder;
		if ((r = work_commit(&c.w)) == -1)
			undo(&c, count);
		else if (move)
			keep_late(&c, s, from, uids, count);
		if (r == 0)
			r = touched_sync(to_folder, &c.to_touched);
		if (r == 0)
			r = touched_sync(from_folder, &c.from_touched);
	}
	arena_free(&c.scratch);
	free(c.passages);
	return r;
}
