/*
 * Deliveries with others (desk.h). The owner of a draft whose file is in tmp/
 * leads, or offers it and waits. Who leads:
 *
 *  1 begin the write transaction, which may take long: others come meanwhile
 *  2 take what is offered for the mailbox; all is placed as one delivery of
 *    several messages would be, the files moved from tmp/ to new/
 *  3 commit; what was taken is COMMITTED, and the next may lead
 *  4 fsync new/ once for all; what was taken is DONE
 *
 * If anything fails up to the commit, the files of all go back to tmp/, and
 * each owner delivers its own alone: one message's trouble is that of no other.
 * Only the leader does not try again what failed with its own, or a commit.
 * A leader that ends leaves each file in tmp/ or in new/, which its owner sees:
 * from tmp/ it is delivered alone; what is in new/ is synced, and taken into
 * the index by a look at the folder if that does not know it. What is nowhere
 * any more, removed with its mailbox, say, was not delivered.
 */
#include "store/draft.h"
#include "store/lock.h"
#include "store/settle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct batch {
	struct store *s;
	struct desk_key key;
	struct arena arena;
	size_t n;			/* with the leader's own, the first */
	struct store_incoming in[1 + DESK_BATCH_MAX];	/* empty from 1 on */
	struct draft d[1 + DESK_BATCH_MAX];
	struct desk_taken taken[1 + DESK_BATCH_MAX];	/* from 1 on */
};

/* ---- a leader ---- */

static void
give_back(struct batch *b, size_t i)
{
	desk_give_back(b->s->desk, &b->taken[i]);
}

/* Whether a draft taken could not do harm to the others' transaction; what is
 * wrong with it is told to its owner by its own delivery. */
static bool
is_welcome(struct work *w, const struct box *box, const struct draft *d,
    uint64_t *bytes)
{
	if ((box->rec.use & STORE_USE_SENT) != 0 ||
	    work_room(w, *bytes + d->m.size) == -1 ||
	    faccessat(box->folder->tmp, d->tmp, F_OK,
	    AT_SYMLINK_NOFOLLOW) == -1)
		return false;
	*bytes += d->m.size;
	return true;
}

static void
take(struct batch *b, struct work *w, const struct box *box)
{
	uint64_t bytes = b->d[0].m.size;
	size_t n = desk_take(b->s->desk, &b->key, &b->taken[1],
	    DESK_BATCH_MAX), i;

	for (i = 1; i <= n; i++) {
		struct draft *d = &b->d[b->n];
		struct desk_taken t = b->taken[i];

		if (draft_unpack(&b->arena, t.data, d) == -1 ||
		    !is_welcome(w, box, d, &bytes)) {
			desk_give_back(b->s->desk, &t);
			continue;
		}
		b->taken[b->n++] = t;
	}
}

/* All as it was, but for UIDs left out; errno stays. */
static void
take_back(struct batch *b, struct folder *f)
{
	int err = errno;
	size_t i;

	for (i = 0; i < b->n; i++) {
		struct draft *d = &b->d[i];

		if (d->placed && maildir_move(d->in_cur ? f->cur : f->new,
		    d->name, f->tmp, d->tmp) == 0)
			d->placed = false;
	}
	/* Another's that could not go back is in new/, as its owner sees. */
	for (i = 1; i < b->n; i++)
		give_back(b, i);
	errno = err;
}

static void
tell_committed(struct batch *b, const struct store_delivered *done)
{
	for (size_t i = 1; i < b->n; i++) {
		struct store_delivered one = *done;

		one.uid = b->d[i].m.uid;
		desk_committed(b->s->desk, &b->taken[i], &one);
	}
}

/* Steps 1 to 3; the box's folder is *f then. 1: not for the sake of its own,
 * which may be tried alone. */
static int
commit(struct batch *b, struct folder **f, struct store_delivered *out)
{
	struct work w;
	struct box *box;
	size_t at = 0;
	bool placed;

	if (work_begin(b->s, &w) == -1)
		return -1;
	if ((box = work_box_open(&w, b->key.mailbox)) == NULL) {
		work_abort(&w);
		return -1;
	}
	*f = box->folder;
	take(b, &w, box);
	placed = drafts_place(&w, box, b->in, b->d, b->n, &at) == 0;
	if (placed) {
		*out = (struct store_delivered){ b->key.mailbox,
		    b->d[0].m.uid, box->rec.uidvalidity, w.modseq };
		if (work_commit(&w) == 0) {
			tell_committed(b, out);
			return 0;
		}
	}
	take_back(b, *f);
	if (!placed)
		work_abort(&w);
	return !placed && at > 1 ? 1 : -1;
}

/* It is the leader. Steps 1 to 4. */
static int
lead(struct store *s, const struct desk_key *key,
    const struct store_incoming *in, struct draft *d,
    struct store_delivered *out)
{
	struct batch *b = mem_zalloc(1, sizeof(*b));
	struct folder *f = NULL;
	size_t i;
	int r, err;

	b->s = s;
	b->key = *key;
	b->n = 1;
	b->in[0] = *in;
	b->d[0] = *d;
	r = commit(b, &f, out);
	d->m.uid = b->d[0].m.uid;
	d->in_cur = b->d[0].in_cur;
	memcpy(d->name, b->d[0].name, sizeof(d->name));
	d->placed = b->d[0].placed;
	err = errno;
	desk_leave(s->desk, key);
	errno = err;
	if (r == 0) {
		r = drafts_sync(f, b->d, b->n);
		err = errno;
		for (i = 1; i < b->n; i++)
			desk_done(s->desk, &b->taken[i], r == 0);
	} else if (d->placed) {
		drafts_undo(f, d, 1);	/* it could not go back to tmp/ */
		r = -1;
	} else if (r == 1) {
		r = drafts_commit(s, key->mailbox, in, d, 1, out);
		err = errno;
	}
	arena_free(&b->arena);
	free(b);
	errno = err;
	return r;
}

/* ---- an owner whose draft was in others' hands ---- */

/* The UID in the name it got, 0: no such file. */
static uint32_t
uid_of(int dir, const char *tmp)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all = fd == -1 ? NULL : fdopendir(fd);
	struct maildir_name name;
	struct dirent *e;
	uint32_t uid = 0;

	if (all == NULL) {
		if (fd != -1)
			(void)close(fd);	/* a directory */
		return 0;
	}
	while (uid == 0 && (e = readdir(all)) != NULL) {
		if (strncmp(e->d_name, tmp, strlen(tmp)) != 0)
			continue;
		maildir_name_parse(bytes_str(e->d_name), &name);
		uid = name.uid;
	}
	(void)closedir(all);	/* read only */
	return uid;
}

/* As what the index has it. 1, 0 it has not, -1. */
static int
find(struct store *s, uint32_t mailbox, const struct draft *d,
    struct store_delivered *out)
{
	struct store_view *v = store_view_open(s);
	struct store_mailbox box;
	struct store_message m;
	struct folder *f;
	uint32_t uid;
	int r;

	if (v == NULL)
		return -1;
	r = store_mailbox_get(v, mailbox, &box);
	if (r == 1 && (f = folder_open(s, mailbox, box.name)) == NULL)
		r = -1;
	if (r == 1) {
		if ((uid = uid_of(f->new, d->tmp)) == 0)
			uid = uid_of(f->cur, d->tmp);
		r = store_message_get(v, mailbox, uid, &m);
	}
	if (r == 1 && !bytes_starts(m.base, bytes_str(d->tmp)))
		r = 0;
	if (r == 1)
		*out = (struct store_delivered){ mailbox, m.uid,
		    box.uidvalidity, m.modseq };
	store_view_close(v);
	return r;
}

static int
sync_both(const struct folder *f)
{
	if (fsync(f->new) == 0 && fsync(f->cur) == 0)
		return 0;
	errno = EIO;	/* a copy may turn up later */
	return -1;
}

/* Not in tmp/ any more, whence a leader takes it: if it is in new/ or cur/ it
 * is delivered. The UID in its name may have been given to another. */
static int
settle(struct store *s, struct folder *f, uint32_t mailbox, struct draft *d,
    struct store_delivered *out)
{
	d->written = false;
	if (sync_both(f) == 0 && store_sync(s, mailbox, false) != -1 &&
	    find(s, mailbox, d, out) == 1) {
		d->m.uid = out->uid;
		return 0;
	}
	errno = EIO;
	return -1;
}

static int
alone(struct store *s, struct folder *f, uint32_t mailbox,
    const struct store_incoming *in, struct draft *d,
    struct store_delivered *out)
{
	if (faccessat(f->tmp, d->tmp, F_OK, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT)
		return settle(s, f, mailbox, d, out);
	return drafts_commit(s, mailbox, in, d, 1, out);
}

/* Who leads has the lock of the account, or waits for it. */
static enum desk_end
wait_for(struct store *s, const struct desk_offer *o,
    struct store_delivered *out)
{
	enum desk_end end;

	tell_wait(s, true);
	end = desk_wait(o, out);
	tell_wait(s, false);
	return end;
}

static int
follow(struct store *s, struct folder *f, const struct desk_offer *o,
    const struct store_incoming *in, struct draft *d,
    struct store_delivered *out)
{
	switch (wait_for(s, o, out)) {
	case DESK_LEAD:
		return lead(s, &o->key, in, d, out);
	case DESK_STORED:
		d->written = false;
		d->m.uid = out->uid;
		return 0;
	case DESK_COMMITTED:
		d->written = false;
		d->m.uid = out->uid;
		return sync_both(f);
	case DESK_FAILED:
		d->written = false;
		return -1;
	default:
		return alone(s, f, o->key.mailbox, in, d, out);
	}
}

int
batch_commit(struct store *s, struct folder *f, uint32_t mailbox,
    const struct store_incoming *in, struct draft *d,
    struct store_delivered *out)
{
	struct desk_key key = { s->index_file.st_dev, s->index_file.st_ino,
	    mailbox };
	struct buf b = BUF_INIT(DESK_BYTES);
	struct desk_offer offer;
	bool offered;

	if (desk_lead(s->desk, &key))
		return lead(s, &key, in, d, out);
	offered = draft_pack(&b, d) == 0 &&
	    desk_offer(s->desk, &key, buf_bytes(&b), &offer);
	buf_free(&b);
	return offered ? follow(s, f, &offer, in, d, out)
	    : drafts_commit(s, mailbox, in, d, 1, out);
}
