/*
 * Adding messages. The order, and why a kill anywhere is harmless:
 *
 *  1 write a file without name, fsync it  not visible; gone with the process
 *  2 begin the write transaction, take a UID
 *  3 link it as new/NAME,U=UID            whole in the Maildir, not indexed:
 *                                         sync.c takes it in, or the UID was
 *                                         given again and it gets another
 *  4 commit                               seen by readers of the index
 *  5 fsync new/                           survives power loss: answer
 *
 * Where the file system has no files without name, or another process may do
 * the rest (batch.c), 1 writes tmp/NAME (swept if left) and 3 renames it. Power
 * loss may undo the commit (never half of it) and the link; after it UIDs jump
 * ahead, so that none a client has seen is used again. 1, 4 and 5 are the three
 * disk commits; with a desk 4 and 5 are of all that are delivered together. The
 * lock of the index is held from 2 to 4 only.
 */
#include "store/draft.h"
#include "store/settle.h"
#include "unicode/unicode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TRIES 10	/* other names, when one is taken */
#define UNNAMED_MAX 16	/* descriptors held at a time */

static int
join(struct arena *a, const struct store_incoming *in, struct bytes *out)
{
	size_t n = 0, at = 0, i;
	unsigned char *p;

	if (in->count == 1) {
		*out = in->pieces[0];
		return 0;
	}
	for (i = 0; i < in->count; i++) {
		if (!size_add(n, in->pieces[i].n, &n)) {
			errno = EMSGSIZE;
			return -1;
		}
	}
	p = arena_alloc(a, n);
	for (i = 0; i < in->count; i++) {
		memcpy(p + at, in->pieces[i].p, in->pieces[i].n);
		at += in->pieces[i].n;
	}
	*out = bytes_of(p, n);
	return 0;
}

/* Parse, and choose the name without its UID. */
static int
draft_prepare(struct store *s, struct arena *a,
    const struct store_incoming *in, bool delivered, struct draft *d)
{
	struct bytes content;

	if (join(a, in, &content) == -1)
		return -1;
	*d = (struct draft){ .fd = -1, .m = { .suffix = BYTES_EMPTY,
	    .base = BYTES_EMPTY, .extension = in->extension } };
	if (in->extension.p == NULL)
		d->m.extension = BYTES_EMPTY;
	d->text = BYTES_EMPTY;
	d->content = content;
	d->flags = in->flags & STORE_FLAGS_ALL;
	message_parse(a, content, &d->m, s->no_text ? NULL : &d->text,
	    delivered ? &s->text_set : NULL);
	thread_read(a, content, &d->thread);
	if (in->origin != NULL || !delivered)
		origin_row_make(&d->origin, in->origin);
	else
		origin_row_read(a, content, s->hostname, &d->origin);
	d->m.save_date = time_wall_us() / 1000000;
	d->m.internal_date = in->internal_date != 0 ? in->internal_date
	    : d->m.save_date;
	return 0;
}

static int
draft_name(struct store *s, struct draft *d)
{
	struct buf b = BUF_INIT(MAILDIR_FILE_MAX);
	int r = maildir_name_new(&b, time_wall_us(), getpid(), ++s->seq,
	    s->host);

	if (r == 0)
		r = buf_printf(&b, ",S=%llu,W=%llu",
		    (unsigned long long)d->m.size,
		    (unsigned long long)d->m.size_crlf);
	if (r == 0) {
		memcpy(d->tmp, b.p, b.n);
		d->tmp[b.n] = '\0';
	}
	buf_free(&b);
	return r;
}

/* Step 1. */
static int
draft_write(struct store *s, struct folder *f,
    const struct store_incoming *in, struct draft *d, bool unnamed)
{
	int tries, r = -1;

	if (draft_name(s, d) == -1)
		return -1;
	if (unnamed && !s->named_only) {
		d->fd = maildir_write_unnamed(f->tmp, in->pieces, in->count,
		    in->internal_date);
		if (d->fd != -1)
			return 0;
		if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
			return -1;
		s->named_only = true;
	}
	for (tries = 0; tries < TRIES; tries++) {
		r = maildir_write(f->tmp, d->tmp, in->pieces, in->count,
		    in->internal_date);
		if (r == 0 || errno != EEXIST || draft_name(s, d) == -1)
			break;
	}
	d->written = r == 0;
	return r;
}

/* Step 3. */
static int
draft_link(struct folder *f, struct draft *d)
{
	int to = d->in_cur ? f->cur : f->new, r;

	r = d->fd != -1 ? maildir_publish(d->fd, to, d->name)
	    : maildir_move(f->tmp, d->tmp, to, d->name);
	d->placed = r == 0;
	if (d->placed)
		folder_changed(f, to);
	return r;
}

/* Its thread; what answers a muted one has been seen. */
static int
draft_thread(struct work *w, struct draft *d)
{
	thread_own(&d->thread, &d->m);
	if (thread_match(w, &d->thread) == -1)
		return -1;
	if ((d->thread.flags & STORE_THREAD_MUTED) != 0)
		d->m.flags |= STORE_SEEN;
	return 0;
}

/* Step 2 and 3 inside the transaction. */
static int
draft_place(struct work *w, struct box *b, const struct store_incoming *in,
    struct draft *d)
{
	struct buf name = BUF_INIT(MAILDIR_FILE_MAX);
	struct store_message *m = &d->m;
	struct bytes base;
	int r = -1;

	m->flags = d->flags;
	m->suffix = BYTES_EMPTY;
	d->in_cur = false;
	if (work_room(w, m->size) == -1 ||
	    keywords_of(w, b, in->keywords, in->keyword_count, &m->flags,
	    &m->keywords) == -1 || junk_flags(w, b, &m->flags) == -1 ||
	    work_next_uid(b, &m->uid) == -1)
		return -1;
	if (maildir_name_with_uid(&name, bytes_str(d->tmp), m->uid) == -1)
		goto end;
	base = arena_bytes(&w->arena, buf_bytes(&name));
	m->base = base;
	m->mailbox = b->rec.id;
	if (draft_thread(w, d) == -1)
		goto end;
	if (m->flags != 0 || in->keyword_count > 0) {
		size_t n = name.n;

		if (suffix_format(&name, b->keywords, m->flags, &m->keywords,
		    BYTES_EMPTY) == -1)
			goto end;
		m->suffix = arena_bytes(&w->arena,
		    bytes_from(buf_bytes(&name), n));
		d->in_cur = true;
	}
	/* A letter of the name has its meaning before the name is there. */
	if (b->keywords != NULL && keywords_flush(w, b) == -1)
		goto end;
	m->createseq = m->modseq = w->modseq;
	memcpy(d->name, name.p, name.n);
	d->name[name.n] = '\0';
	r = draft_link(b->folder, d);
	if (r == 0 && (r = work_put(w, b, m, NULL)) == 0 &&
	    (r = work_text_put(w, m->mailbox, m->uid, d->text)) == 0 &&
	    (r = work_thread_put(w, &d->thread, NULL)) == 0 &&
	    (r = work_origin_put(w, m, &d->origin)) == 0 &&
	    (b->rec.use & STORE_USE_SENT) != 0)
		r = work_sent(w, d->content, m->internal_date);
	if (r == 0)
		r = work_change(w, STORE_CHANGE_ADDED, b, m->uid);
end:
	buf_free(&name);
	return r;
}

int
drafts_place(struct work *w, struct box *b, const struct store_incoming *in,
    struct draft *d, size_t count, size_t *at)
{
	struct around around;
	int r = 0;

	around_begin(&around, b, NULL, count);
	for (*at = 0; *at < count && r == 0; (*at)++)
		r = draft_place(w, b, &in[*at], &d[*at]);
	around_end(&around);
	return r;
}

void
drafts_undo(struct folder *f, struct draft *d, size_t count)
{
	int err = errno;
	size_t i;

	for (i = 0; i < count; i++) {
		if (d[i].placed)
			(void)unlinkat(d[i].in_cur ? f->cur : f->new,
			    d[i].name, 0);	/* adopted if that fails */
		else if (d[i].written)
			(void)unlinkat(f->tmp, d[i].tmp, 0); /* swept */
	}
	errno = err;
}

int
drafts_sync(struct folder *f, const struct draft *d, size_t count)
{
	struct touched t = { false, false };
	size_t i;

	for (i = 0; i < count; i++) {
		t.cur |= d[i].in_cur;
		t.new |= !d[i].in_cur;
	}
	if (touched_sync(f, &t) == 0)
		return 0;
	errno = EIO;	/* whatever it was: a copy may turn up later */
	return -1;
}

static int
write_all(struct store *s, struct folder *f, const struct store_incoming *in,
    struct draft *d, size_t count, bool unnamed)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (draft_write(s, f, &in[i], &d[i], unnamed) == -1)
			return -1;
	}
	return 0;
}

/* Steps 2 to 5 for files that are written. */
int
drafts_commit(struct store *s, uint32_t mailbox,
    const struct store_incoming *in, struct draft *d, size_t count,
    struct store_delivered *out)
{
	struct store_delivered done;
	struct folder *f;
	struct work w;
	struct box *b;
	size_t at;

	if (work_begin(s, &w) == -1)
		return -1;
	if ((b = work_box_open(&w, mailbox)) == NULL) {
		work_abort(&w);
		return -1;
	}
	f = b->folder;
	if (drafts_place(&w, b, in, d, count, &at) == -1) {
		drafts_undo(f, d, count);
		work_abort(&w);
		return -1;
	}
	done = (struct store_delivered){ mailbox, d[count - 1].m.uid,
	    b->rec.uidvalidity, w.modseq };
	if (work_commit(&w) == -1) {
		drafts_undo(f, d, count);
		return -1;
	}
	if (drafts_sync(f, d, count) == -1)
		return -1;	/* a copy may stay: loss is worse */
	*out = done;
	return 0;
}

/* All steps, for a mailbox that is there. */
static int
add(struct store *s, const struct store_mailbox *box,
    const struct store_incoming *in, size_t count, bool delivered,
    uint32_t *uids, struct store_delivered *out)
{
	struct draft *d = mem_zalloc(count, sizeof(*d));
	struct arena a = ARENA_INIT;
	bool shared = s->desk != NULL && count == 1 &&
	    in->keyword_count == 0 && (box->use & STORE_USE_SENT) == 0;
	struct folder *f;
	size_t i;
	int r = -1, err;

	for (i = 0; i < count; i++) {
		if (draft_prepare(s, &a, &in[i], delivered, &d[i]) == -1)
			goto end;
	}
	if ((f = folder_open(s, box->id, box->name)) == NULL)
		goto end;
	if (write_all(s, f, in, d, count, !shared &&
	    count <= UNNAMED_MAX) == 0)
		r = shared ? batch_commit(s, f, box->id, in, d, out)
		    : drafts_commit(s, box->id, in, d, count, out);
	if (r == -1) {
		/* Those in tmp/ are ours alone, whatever happened. */
		for (i = 0; i < count; i++)
			d[i].written &= !d[i].placed;
		for (i = 0; i < count; i++)
			d[i].placed = false;
		drafts_undo(f, d, count);
	}
	for (i = 0; r == 0 && uids != NULL && i < count; i++)
		uids[i] = d[i].m.uid;
	err = errno;
	for (i = 0; i < count; i++) {
		if (d[i].fd != -1)
			(void)close(d[i].fd);	/* fsync has checked it */
	}
	errno = err;
end:
	arena_free(&a);
	free(d);
	return r;
}

/* The quota is looked at before a byte is written, and again when the
 * transaction holds the true sum. */
static int
check_room(struct store_view *v, const struct store_incoming *in,
    size_t count)
{
	uint64_t used, limit, sum;
	size_t i, j;

	store_view_quota(v, &used, &limit);
	for (i = 0, sum = used; i < count; i++) {
		for (j = 0; j < in[i].count; j++)
			sum += in[i].pieces[j].n;
	}
	if (limit != 0 && sum > limit) {
		errno = EDQUOT;
		return -1;
	}
	return 0;
}

/* 1, 0 no such mailbox, -1; name lives in the arena. */
static int
find_box(struct store *s, struct arena *a, struct bytes name, uint32_t id,
    const struct store_incoming *in, size_t count, struct store_mailbox *out)
{
	struct store_view *v = store_view_open(s);
	int r;

	if (v == NULL)
		return -1;
	r = id == 0 ? store_mailbox_find(v, name, out)
	    : store_mailbox_get(v, id, out);
	if (r == 1)
		out->name = arena_bytes(a, out->name);
	if (r != -1 && check_room(v, in, count) == -1)
		r = -1;
	store_view_close(v);
	return r;
}

int
store_deliver(struct store *s, struct bytes mailbox,
    const struct store_incoming *m, struct store_delivered *out)
{
	struct arena a = ARENA_INIT;
	struct store_delivered done;
	struct store_mailbox box;
	struct bytes name;
	int r = store_name_check(&a, mailbox, &name, NULL);

	if (r == 0)
		r = find_box(s, &a, name, 0, m, 1, &box);
	else
		r = -1;
	if (r == 0) {
		if (store_mailbox_create(s, name, 0, NULL) == -1 &&
		    errno != EEXIST)
			r = -1;
		else if ((r = find_box(s, &a, name, 0, m, 1, &box)) == 0) {
			errno = EAGAIN;		/* removed again meanwhile */
			r = -1;
		}
	}
	if (r == 1)
		r = add(s, &box, m, 1, true, NULL, &done);
	if (r == 0 && out != NULL)
		*out = done;
	arena_free(&a);
	return r;
}

int
store_append(struct store *s, uint32_t mailbox,
    const struct store_incoming *m, size_t count, uint32_t *uids)
{
	struct arena a = ARENA_INIT;
	struct store_delivered done;
	struct store_mailbox box;
	int r;

	if (count == 0)
		return 0;
	r = find_box(s, &a, BYTES_EMPTY, mailbox, m, count, &box);
	if (r == 1)
		r = add(s, &box, m, count, false, uids, &done);
	else if (r == 0) {
		errno = ENOENT;
		r = -1;
	}
	arena_free(&a);
	return r;
}
