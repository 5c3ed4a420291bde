/*
 * Files without a record: delivered or copied here by other programs, or by
 * a process of ours that was killed before its commit.
 */
#include "store/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Whether the base of a foreign name can stay as it is. */
static bool
base_is_good(const struct found *f, const struct store_message *m)
{
	return f->n.base.n > 0 &&
	    (f->n.size == UINT64_MAX || f->n.size == m->size) &&
	    (f->n.size_crlf == UINT64_MAX || f->n.size_crlf == m->size_crlf);
}

static int
rename_file(struct syncing *y, const struct found *f, struct bytes base,
    struct store_message *m)
{
	struct folder *folder = y->b->folder;
	int from = f->in_new ? folder->new : folder->cur;
	int to = f->in_new && m->suffix.n == 0 ? folder->new : folder->cur;
	char name[MAILDIR_FILE_MAX + 1];

	if (message_name(name, base, m->suffix) == -1)
		return -1;
	m->base = arena_bytes(&y->scratch, base);
	if (from == to && bytes_eq(bytes_str(name), bytes_str(f->name)))
		return 0;
	y->new_renamed |= f->in_new;
	y->cur_renamed |= to == folder->cur;
	return maildir_move(from, f->name, to, name);
}

int
give_name(struct syncing *y, const struct found *f, struct store_message *m)
{
	struct buf base = BUF_INIT(MAILDIR_FILE_MAX);
	int r = -1;

	if (base_is_good(f, m) && maildir_name_with_uid(&base, f->n.base,
	    m->uid) == 0) {
		r = rename_file(y, f, buf_bytes(&base), m);
	} else {
		errno = EEXIST;
	}
	if (r == -1 && (errno == EEXIST || errno == EMSGSIZE) &&
	    message_base_new(y->w->s, m, &base) == 0)
		r = rename_file(y, f, buf_bytes(&base), m);
	buf_free(&base);
	if (r == 0)
		return 1;
	return errno == ENOENT ? 0 : -1;
}

/*
 * The UID of the name is kept where no client can have seen it as something
 * else: at or above uidnext. A wild number must not use them all up.
 */
static int
choose_uid(struct syncing *y, const struct found *f, uint32_t *uid)
{
	struct mbox *m = &y->b->rec;

	if (f->n.uid >= m->uidnext && f->n.uid <= UID_MAX / 2) {
		*uid = f->n.uid;
		m->uidnext = f->n.uid + 1;
		y->b->dirty = true;
		return 0;
	}
	return work_next_uid(y->b, uid);
}

/*
 * New mail gets its thread at once, and is seen if that is muted. What comes
 * into cur/ is an import, perhaps answers first: it waits for the rest.
 */
static int
adopt_thread(struct syncing *y, const struct found *f,
    struct store_message *m)
{
	struct work *w = y->w;

	m->base = f->n.base;
	thread_own(&y->thread, m);
	if (!f->in_new || w->state.phase != PHASE_DONE) {
		want_phase(w, PHASE_ASSIGN);
		return 0;
	}
	if (thread_match(w, &y->thread) == -1)
		return -1;
	if ((y->thread.flags & STORE_THREAD_MUTED) != 0) {
		m->flags |= STORE_SEEN;
		m->suffix = BYTES(":2,S");
	}
	return 0;
}

void
read_facts(struct syncing *y, struct bytes content)
{
	thread_read(&y->scratch, content, &y->thread);
	origin_row_read(&y->scratch, content, y->w->s->hostname, &y->origin);
	destined_read(&y->scratch, content, y->w->s->hostname, &y->destined);
}

int
renew_facts(struct syncing *y, const struct store_message *m)
{
	return work_thread_renew(y->w, m, &y->thread) == -1 ? -1
	    : work_origin_renew(y->w, m, &y->origin);
}

/* Its flags are there; what it counts for. */
static int
adopt_destined(struct syncing *y, struct store_message *m)
{
	uint32_t original;

	if (destined_adopt(y->w, &y->boxes, &y->scratch, &y->destined, m,
	    &original) == -1)
		return -1;
	y->thread.original_mailbox = y->origin.original_mailbox = original;
	return 0;
}

int
adopt(struct syncing *y, const struct found *f)
{
	struct store_message m = { .suffix = BYTES_EMPTY,
	    .extension = BYTES_EMPTY, .mailbox = y->b->rec.id };
	int r;

	arena_reset(&y->scratch);
	y->sent = (y->b->rec.use & STORE_USE_SENT) != 0;
	r = parse_file(y, f, &m);
	y->sent = false;
	if (r != 1)
		return r;
	letters_parse(y->b->keywords, f->n.letters, &m.flags, &m.keywords);
	if (adopt_destined(y, &m) == -1)
		return -1;
	if (bytes_starts(f->n.suffix, BYTES(":2,")))
		m.suffix = f->n.suffix;
	else if (!f->in_new)
		m.suffix = BYTES(":2,");
	m.save_date = time_wall_us() / 1000000;
	m.createseq = m.modseq = y->w->modseq;
	/* Its writer may not be done: the next look compares sizes. */
	y->unsure |= m.internal_date >= m.save_date - SYNC_YOUNG;
	if (choose_uid(y, f, &m.uid) == -1 ||
	    adopt_thread(y, f, &m) == -1 ||
	    (r = give_name(y, f, &m)) == -1) {
		if (errno != EACCES && errno != EPERM && errno != EROFS)
			return -1;
		report(y->w->s, "unreadable", y->b->rec.name, f->name, 0);
		return 0;
	}
	if (r == 0)
		return 0;
	y->changed = true;
	report(y->w->s, "adopted", y->b->rec.name, f->name, m.uid);
	if (work_put(y->w, y->b, &m, NULL) == -1 ||
	    work_text_put(y->w, m.mailbox, m.uid, y->text) == -1 ||
	    work_thread_put(y->w, &y->thread, NULL) == -1 ||
	    work_origin_put(y->w, &m, &y->origin) == -1)
		return -1;
	return work_change(y->w, STORE_CHANGE_ADDED, y->b, m.uid);
}

/*
 * A second name of a message, made just now: a program that copies where
 * others rename, as rsync(1) does, will take the first one away. If
 * both are still there after a while they are two messages.
 */
static bool
is_in_transit(const struct syncing *y, const struct found *f)
{
	const struct found *twin;
	struct stat st;
	size_t i;

	for (i = find_uid(y, f->n.uid); i < y->file_count; i++) {
		twin = &y->files[i];
		if (twin->n.uid != f->n.uid)
			break;
		if (twin->paired && bytes_eq(twin->n.base, f->n.base))
			return !y->deep && fstatat(f->in_new ?
			    y->b->folder->new : y->b->folder->cur, f->name,
			    &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			    st.st_ctim.tv_sec >= y->now - SYNC_RECENT;
	}
	return false;
}

/* Those with a UID in its order, then those without by time. */
int
adopt_all(struct syncing *y)
{
	size_t first = find_uid(y, 1), i, at;
	struct found *f;

	y->adopting = !y->again;	/* all others were mended */
	for (i = y->from; i < y->file_count; i++) {
		at = (first + i) % y->file_count;
		f = &y->files[at];
		if (f->paired)
			continue;
		if (f->n.uid != 0 && is_in_transit(y, f)) {
			y->unsure = true;
			continue;
		}
		if (y->batch == 0) {
			y->again = true;
			y->from = i;
			return 0;
		}
		y->batch--;
		if (adopt(y, f) == -1)
			return -1;
	}
	return 0;
}
