/*
 * upgrade.c - from older formats of the index, and what is done for old mail
 * a piece at a time
 *
 * The format itself is changed at the opening, in one transaction: the
 * layouts of records that are not read anew stay readable. What needs the
 * messages comes after it in pieces, by whoever opens the account: first
 * each message of an older parse version is read again, then each without a
 * thread gets one. Where it stands is in the state, so it can be killed and
 * taken up at any time. (Names of files come before both: naming.c.)
 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Messages in one piece: 20 to 50 ms of the write lock. */
#define REPARSE_PIECE 200
#define ASSIGN_PIECE 1000

/* ---- format ---- */

int
upgrade_format(struct store *s, uint32_t from)
{
	unsigned char format[4];
	char text[40];
	struct work w;

	(void)snprintf(text, sizeof(text), "%lu to %d", (unsigned long)from,
	    STORE_FORMAT);	/* fits */
	if (work_begin(s, &w) == -1)
		return -1;
	/* Records of messages are as they were, with their parse version:
	 * what is new in this format comes as each is read again. */
	if (from < 4) {
		w.state.phase = PHASE_REPARSE;
		w.state.at_mailbox = w.state.at_uid = 0;
	}
	w.dirty = w.durable = true;
	be32_put(format, STORE_FORMAT);
	if (kv_put(w.t, TABLE_META, BYTES("format"), bytes_of(format, 4))
	    == -1 || uids_build(&w) == -1 || sent_domains_build(&w) == -1) {
		work_abort(&w);
		return -1;
	}
	report(s, "upgraded", BYTES_EMPTY, text, 0);
	return work_commit(&w);
}

void
want_phase(struct work *w, enum phase phase)
{
	if (w->state.phase == PHASE_DONE || phase < w->state.phase)
		w->state.phase = phase;
	if (w->state.phase == phase)
		w->state.at_mailbox = w->state.at_uid = 0;
	w->dirty = true;
}

/* ---- messages read again ---- */

int
work_thread_renew(struct work *w, const struct store_message *m,
    struct store_thread *t)
{
	struct store_thread old;
	int r = thread_get(w->t, m->mailbox, m->uid, &old);

	if (r == -1 && errno != EBADMSG)
		return -1;
	thread_own(t, m);
	if (r == 1) {
		t->own = old.own;
		t->id = old.id;
		t->original_mailbox = old.original_mailbox;
		t->flags |= old.flags & (STORE_THREAD_MISSING |
		    STORE_THREAD_MUTED | STORE_THREAD_COLLAPSED);
		t->parent_count = old.parent_count;
		memcpy(t->parents, old.parents, sizeof(t->parents));
	} else {
		want_phase(w, PHASE_ASSIGN);
	}
	return work_thread_put(w, t, r == 1 ? &old : NULL);
}

/* As is_rewritten in sync.c: its UID does not stand for what it holds now. */
static bool
is_ours(int fd, const struct store_message *m)
{
	struct maildir_name n;
	struct stat st;

	maildir_name_parse(m->base, &n);
	return fstat(fd, &st) == 0 && ((uint64_t)st.st_size == m->size ||
	    (uint64_t)st.st_size == n.size);
}

static int
map_message(struct box *b, const struct store_message *m, struct bytes *out)
{
	struct place where;
	int fd, r = message_locate(b->folder, m, &where), err;

	if (r != 1)
		return r;
	fd = openat(where.dir, where.name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return 0;
	r = is_ours(fd, m) && map_fd(fd, out) == 0;
	err = errno;
	(void)close(fd);	/* nothing was written through it */
	errno = err;
	return r;
}

int
reparse_one(struct work *w, struct arena *a, uint32_t mailbox, uint32_t uid)
{
	struct store_message old, m;
	struct store_thread t = { 0 };
	struct origin_row origin = { .n = 0 };
	struct bytes content, text = BYTES_EMPTY;
	struct box *b = work_box_open(w, mailbox);
	int r = b == NULL ? -1 : work_get(w, mailbox, uid, &m);

	if (r != 1)
		return r;
	arena_reset(a);
	old = m = message_copy(a, &m);
	if ((r = map_message(b, &m, &content)) == -1)
		return -1;
	m.parse_version = STORE_PARSE_VERSION;
	if (r == 1) {
		message_parse(a, content, &m, w->s->no_text ? NULL : &text,
		    NULL);
		thread_read(a, content, &t);
		origin_row_read(a, content, w->s->hostname, &origin);
		if (old.parse_version == 0 &&
		    (b->rec.use & STORE_USE_SENT) != 0)
			r = work_sent(w, content, m.internal_date);
		store_unmap(content);
	}
	/* One without its file keeps what it has: sync.c, or renew.c for one
	 * that was written to, will drop it. */
	if (r == -1 || work_put(w, b, &m, &old) == -1 ||
	    work_text_put(w, mailbox, uid, text) == -1)
		return -1;
	return work_thread_renew(w, &m, &t) == -1 ? -1
	    : work_origin_renew(w, &m, &origin);
}

/* Those below the parse version from where the last piece ended. */
static int
collect(struct work *w, struct store_place *list, size_t limit, size_t *n)
{
	unsigned char at[KEY_MESSAGE];
	struct bytes key = key_of(at, sizeof(at)), value;
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MESSAGE);
	struct store_message m;
	int r;

	if (c == NULL)
		return -1;
	*n = 0;
	key_message(at, w->state.at_mailbox, w->state.at_uid);
	for (r = kv_seek(c, &key, &value); r == 1 && *n < limit;
	    r = kv_next(c, &key, &value)) {
		if (message_decode(key, value, &m) == -1) {
			r = -1;
			break;
		}
		if (m.parse_version < STORE_PARSE_VERSION)
			list[(*n)++] = (struct store_place){ m.mailbox,
			    m.uid };
	}
	if (r == 1) {
		w->state.at_mailbox = be32_get(key.p);
		w->state.at_uid = be32_get(key.p + 4);
	} else if (r == 0) {
		w->state.phase = PHASE_ASSIGN;
		w->state.at_mailbox = w->state.at_uid = 0;
	}
	w->dirty = true;
	kv_cursor_close(c);
	return r == -1 ? -1 : 0;
}

static int
reparse_some(struct work *w, size_t limit)
{
	struct store_place *list = mem_zalloc(limit, sizeof(*list));
	struct arena a = ARENA_INIT;
	size_t n, i;
	int r = collect(w, list, limit, &n), err;

	for (i = 0; r != -1 && i < n; i++)
		r = reparse_one(w, &a, list[i].mailbox, list[i].uid);
	err = errno;
	arena_free(&a);
	free(list);
	errno = err;
	return r == -1 ? -1 : 0;
}

/* ---- pieces ---- */

static int
phase_now(struct store *s)
{
	struct store_view *v = store_view_open(s);
	int r = v == NULL ? -1 : (int)v->state.phase;

	store_view_close(v);
	return r;
}

int
store_background(struct store *s)
{
	struct work w;
	int r = names_piece(s);

	if (r != 0 || (r = phase_now(s)) < 1)
		return r;
	if (work_begin(s, &w) == -1)
		return -1;
	r = w.state.phase == PHASE_REPARSE ? reparse_some(&w, REPARSE_PIECE)
	    : w.state.phase == PHASE_ASSIGN
	    ? thread_assign_some(&w, ASSIGN_PIECE) : 0;
	if (r == -1) {
		work_abort(&w);
		return -1;
	}
	r = w.state.phase != PHASE_DONE;
	return work_commit(&w) == -1 ? -1 : r;
}

int
store_finish(struct store *s)
{
	int r;

	while ((r = store_background(s)) == 1)
		;
	return r;
}
