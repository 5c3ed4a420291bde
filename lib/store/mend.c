/*
 * mend.c - an index rebuilt: store-index -r
 *
 * First the pages are checked, then every file is read again and the records
 * are made to say what the files say. What may then contradict them is what
 * an index says of itself, where that was damaged: tables that lead to
 * records, numbers later ones are taken from, the change feed. That is mended
 * in one transaction.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

typedef int mend_fn(struct work *, struct bytes key, struct bytes value,
    void *ctx);

/* fn is called for each entry and returns 1 if it is to go, 0, -1. */
static int
each(struct work *w, unsigned int table, mend_fn *fn, void *ctx)
{
	struct kv_cursor *c = kv_cursor_open(w->t, table);
	struct bytes key = BYTES_EMPTY, value, one;
	struct buf gone = BUF_INIT((size_t)1 << 31), *k = &gone;
	unsigned char n[4];
	int r, drop = 0;

	if (c == NULL)
		return -1;
	for (r = kv_seek(c, &key, &value); r == 1 && drop != -1;
	    r = kv_next(c, &key, &value)) {
		if ((drop = fn(w, key, value, ctx)) != 1)
			continue;
		be32_put(n, (uint32_t)key.n);
		if (buf_add(k, bytes_of(n, 4)) == -1 ||
		    buf_add(k, key) == -1)
			drop = -1;
	}
	kv_cursor_close(c);
	r = r == -1 || drop == -1 ? -1 : 0;
	for (one = buf_bytes(k); r == 0 && bytes_cut(&one, 4, &key);) {
		(void)bytes_cut(&one, be32_get(key.p), &value);	/* as put */
		if (kv_delete(w->t, table, value) == -1)
			r = -1;
	}
	buf_free(k);
	return r;
}

/* ---- mailboxes ---- */

/* The account's numbers are above those of a mailbox, its are its own. */
static int
mend_box(struct work *w, struct bytes key, struct bytes value, void *ctx)
{
	struct state *s = &w->state;
	struct box *b;

	(void)value;		/* work_box reads it */
	if (key.n != 4 || (b = work_box(w, be32_get(key.p))) == NULL) {
		errno = EBADMSG;
		return -1;
	}
	if (b->rec.modseq > s->modseq) {
		b->rec.modseq = w->modseq;
		b->dirty = true;
	}
	if (b->rec.uidvalidity > s->last_uidvalidity)
		s->last_uidvalidity = b->rec.uidvalidity;
	if (b->rec.id >= s->next_mailbox)
		s->next_mailbox = b->rec.id + 1;
	*(bool *)ctx |= bytes_eq(b->rec.name, BYTES("INBOX"));
	return 0;
}

static int
put_name(struct work *w, struct bytes key, struct bytes value, void *ctx)
{
	struct box *b = work_box(w, be32_get(key.p));
	unsigned char id[4];
	struct bytes other;
	int r;

	(void)value;		/* work_box reads it */
	(void)ctx;		/* nothing to carry */
	if (b == NULL)
		return -1;
	r = kv_get(w->t, TABLE_MAILBOX_NAME, b->rec.name, &other);
	if (r == 1)
		errno = EBADMSG;	/* two of one name */
	be32_put(id, b->rec.id);
	return r != 0 ? -1 : kv_put(w->t, TABLE_MAILBOX_NAME, b->rec.name,
	    bytes_of(id, 4));
}

/* ---- messages ---- */

static int
put_message_id(struct work *w, const struct store_message *m)
{
	unsigned char key[16];

	if (m->message_id_hash == 0)
		return 0;
	be64_put(key, m->message_id_hash);
	key_message(key + 8, m->mailbox, m->uid);
	return kv_put(w->t, TABLE_MESSAGE_ID, key_of(key, 16), BYTES_EMPTY);
}

/* Places of messages. */
struct wrong {
	struct buf modseqs;	/* whose modseqs cannot be */
	struct buf unread;	/* without the facts of a thread, or read by a
				 * version there is not */
};

static int
mend_message(struct work *w, struct bytes key, struct bytes value, void *ctx)
{
	struct wrong *wrong = ctx;
	struct store_message m;
	struct store_thread t;
	struct box *b;
	int r;

	if (message_decode(key, value, &m) == -1)
		return -1;
	if ((b = work_box(w, m.mailbox)) == NULL)
		return errno == ENOENT ? 1 : -1;
	if (m.uid >= b->rec.uidnext && m.uid < UID_MAX) {
		b->rec.uidnext = m.uid + 1;
		b->dirty = true;
	}
	if ((m.createseq == 0 || m.createseq > m.modseq ||
	    m.modseq > w->state.modseq) &&
	    buf_add(&wrong->modseqs, key) == -1)
		return -1;
	if ((r = thread_get(w->t, m.mailbox, m.uid, &t)) == -1 ||
	    ((r == 0 || m.parse_version > STORE_PARSE_VERSION) &&
	    buf_add(&wrong->unread, key) == -1))
		return -1;
	if (m.modseq > b->rec.modseq && m.modseq <= w->state.modseq) {
		b->rec.modseq = m.modseq;
		b->dirty = true;
	}
	return put_message_id(w, &m) == -1 ? -1 : 0;
}

/*
 * Records at places are written anew: as if they had come now, or, unread, to
 * be read again as after an upgrade.
 */
static int
put_again(struct work *w, struct bytes places, bool unread)
{
	struct store_message m;
	struct bytes key;
	struct box *b;

	while (bytes_cut(&places, KEY_MESSAGE, &key)) {
		if ((b = work_box(w, be32_get(key.p))) == NULL ||
		    work_get(w, be32_get(key.p), be32_get(key.p + 4), &m)
		    != 1)
			return -1;
		m = message_copy(&w->arena, &m);
		if (unread)
			m.parse_version = 0;
		else
			m.createseq = m.modseq = w->modseq;
		if (work_put(w, b, &m, &m) == -1 || (!unread &&
		    work_change(w, STORE_CHANGE_ADDED, b, m.uid) == -1))
			return -1;
	}
	return 0;
}

/* 1 the record is of no message. */
static int
is_orphan(struct work *w, struct bytes key, struct bytes value, void *ctx)
{
	struct bytes found;
	int r;

	(void)value;		/* read by who needs it */
	(void)ctx;		/* nothing to carry */
	if (key.n != KEY_MESSAGE)
		return 1;
	r = kv_get(w->t, TABLE_MESSAGE, key, &found);
	return r == -1 ? -1 : r == 0;
}

static int
is_of_no_mailbox(struct work *w, struct bytes key, struct bytes value,
    void *ctx)
{
	(void)value;		/* read by who needs it */
	(void)ctx;		/* nothing to carry */
	if (key.n < 4)
		return 1;
	if (work_box(w, be32_get(key.p)) != NULL)
		return 0;
	return errno == ENOENT ? 1 : -1;
}

/* ---- threads ---- */

/* *ctx: one contradicts itself. */
static int
mend_thread(struct work *w, struct bytes key, struct bytes value, void *ctx)
{
	struct store_thread t;
	int r = is_orphan(w, key, value, NULL);

	if (r != 0)
		return r;
	if (thread_decode(key, value, &t) == -1)
		return -1;
	if (thread_has_parent(&t, t.own) ||
	    (t.parent_count == 0 && t.id != 0 && t.id != t.own))
		*(bool *)ctx = true;
	return thread_entries_put(w, &t) == -1 ? -1 : 0;
}

/* ---- the change feed ---- */

/* *ctx: the feed cannot be believed. */
static int
look_at_change(struct work *w, struct bytes key, struct bytes value,
    void *ctx)
{
	unsigned char from[KEY_MESSAGE];
	struct bytes at = key_of(from, sizeof(from)), ignored;
	struct store_change c;
	struct kv_cursor *cursor;
	int r;

	if (change_decode(key, value, &c) == -1 ||
	    c.modseq > w->modseq) {
		*(bool *)ctx = true;
		return 0;
	}
	if (c.kind != STORE_CHANGE_EXPUNGED || *(bool *)ctx)
		return 0;
	if ((cursor = kv_cursor_open(w->t, TABLE_MESSAGE)) == NULL)
		return -1;
	key_message(from, c.mailbox, c.uid_first);
	r = kv_seek(cursor, &at, &ignored);
	if (r == 1 && be32_get(at.p) == c.mailbox &&
	    be32_get(at.p + 4) <= c.uid_last)
		*(bool *)ctx = true;
	kv_cursor_close(cursor);
	return r == -1 ? -1 : 0;
}

/* Messages come by UID, and so do the changes of one modseq: the next one is
 * looked for where the last was found. */
struct search {
	bool *wrong;
	struct {
		uint64_t modseq;
		uint32_t n;
	} last[2];
};

static int
find_change(struct work *w, const struct store_message *m, uint64_t modseq,
    bool created, uint32_t *n)
{
	unsigned char from[KEY_CHANGE];
	struct bytes key = key_of(from, sizeof(from)), value;
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_CHANGE);
	struct store_change x;
	bool found = false;
	int r;

	if (c == NULL)
		return -1;
	key_change(from, modseq, *n);
	for (r = kv_seek(c, &key, &value); r == 1 && !found;
	    r = found ? 1 : kv_next(c, &key, &value)) {
		if (change_decode(key, value, &x) == -1 ||
		    x.modseq != modseq)
			break;
		found = x.mailbox == m->mailbox && x.uid_first <= m->uid &&
		    m->uid <= x.uid_last && (x.kind == STORE_CHANGE_ADDED ||
		    (!created && x.kind == STORE_CHANGE_FLAGS));
	}
	if (found)
		*n = be32_get(key.p + 8);
	kv_cursor_close(c);
	return r == -1 ? -1 : found;
}

static int
has_change(struct work *w, struct search *s, const struct store_message *m,
    bool created)
{
	uint64_t modseq = created ? m->createseq : m->modseq;
	uint32_t n = s->last[created].modseq == modseq
	    ? s->last[created].n : 0, first = n;
	int r;

	if (modseq <= w->state.floor || modseq >= w->modseq)
		return 1;
	r = find_change(w, m, modseq, created, &n);
	if (r == 0 && first != 0) {
		n = 0;
		r = find_change(w, m, modseq, created, &n);
	}
	s->last[created].modseq = modseq;
	s->last[created].n = n;
	return r;
}

static int
look_for_changes(struct work *w, struct bytes key, struct bytes value,
    void *ctx)
{
	struct search *s = ctx;
	struct store_message m;
	int r;

	if (*s->wrong)
		return 0;
	if (message_decode(key, value, &m) == -1)
		return -1;
	if ((r = has_change(w, s, &m, true)) == 1)
		r = has_change(w, s, &m, false);
	*s->wrong = r == 0;
	return r == -1 ? -1 : 0;
}

struct gaps {
	struct box *b;		/* whose UIDs are looked at */
	uint32_t next;		/* the first UID not looked at */
};

/* Up to a UID nothing is there. */
static int
put_gap(struct work *w, struct gaps *g, uint32_t to)
{
	return g->b == NULL || g->next >= to ? 0 : work_change_range(w,
	    STORE_CHANGE_EXPUNGED, g->b, g->next, to - 1);
}

static int
gap_before(struct work *w, struct bytes key, struct bytes value, void *ctx)
{
	struct gaps *g = ctx;
	uint32_t mailbox = be32_get(key.p), uid = be32_get(key.p + 4);

	(void)value;		/* only the place counts */
	if (g->b == NULL || g->b->rec.id != mailbox) {
		if (g->b != NULL && put_gap(w, g, g->b->rec.uidnext) == -1)
			return -1;
		if ((g->b = work_box(w, mailbox)) == NULL)
			return -1;
		g->next = 1;
	}
	if (put_gap(w, g, uid) == -1)
		return -1;
	g->next = uid + 1;
	return 0;
}

/* A mailbox without messages. */
static int
gap_of_all(struct work *w, struct bytes key, struct bytes value, void *ctx)
{
	uint32_t id = be32_get(key.p);
	struct gaps g = { .b = work_box(w, id), .next = 1 };
	struct kv_cursor *c = kv_cursor_open(w->t, TABLE_MESSAGE);
	unsigned char from[KEY_MESSAGE];
	struct bytes at = key_of(from, sizeof(from));
	int r;

	(void)ctx;		/* nothing to carry */
	if (c == NULL || g.b == NULL) {
		kv_cursor_close(c);
		return -1;
	}
	key_message(from, id, 0);
	r = kv_seek(c, &at, &value);
	if (r == 1 && be32_get(at.p) != id)
		r = 0;
	kv_cursor_close(c);
	return r == -1 ? -1 : r == 1 ? 0 : put_gap(w, &g, g.b->rec.uidnext);
}

/*
 * A feed that is wrong is forgotten, so that whoever knows less than all is
 * shown all anew; and every UID that is not there was expunged, which clients
 * with QRESYNC (RFC 7162) may ask for of any time.
 */
static int
feed_anew(struct work *w)
{
	struct gaps g = { .b = NULL };

	report(w->s, "feed-anew", BYTES_EMPTY, "", 0);
	if (kv_empty(w->t, TABLE_CHANGE) == -1 ||
	    each(w, TABLE_MESSAGE, gap_before, &g) == -1 ||
	    (g.b != NULL && put_gap(w, &g, g.b->rec.uidnext) == -1) ||
	    each(w, TABLE_MAILBOX, gap_of_all, NULL) == -1)
		return -1;
	w->state.floor = w->state.modseq = w->modseq;
	return 0;
}

/* ---- all ---- */

static int
mend_messages(struct work *w)
{
	struct wrong wrong = { .modseqs = BUF_INIT((size_t)1 << 31),
	    .unread = BUF_INIT((size_t)1 << 31) };
	int r = kv_empty(w->t, TABLE_MESSAGE_ID);

	if (r == 0)
		r = each(w, TABLE_MESSAGE, mend_message, &wrong);
	if (r == 0)
		r = put_again(w, buf_bytes(&wrong.modseqs), false);
	if (r == 0)
		r = put_again(w, buf_bytes(&wrong.unread), true);
	/* Where the work stood may be wrong too: all of it, from the start. */
	w->state.phase = PHASE_REPARSE;
	w->state.at_mailbox = w->state.at_uid = 0;
	buf_free(&wrong.modseqs);
	buf_free(&wrong.unread);
	return r;
}

static int
mend_feed(struct work *w)
{
	bool wrong = w->state.floor > w->state.modseq;
	struct search s = { .wrong = &wrong };

	/* What was noted above is not in it yet. */
	if (each(w, TABLE_CHANGE, look_at_change, &wrong) == -1 ||
	    each(w, TABLE_MESSAGE, look_for_changes, &s) == -1)
		return -1;
	return wrong ? feed_anew(w) : 0;
}

/* They are counted again, a piece at a time. */
static int
mend_training(struct work *w)
{
	int r = training_agrees(w->s, w->t);

	if (r != 0)
		return r == 1 ? 0 : -1;
	report(w->s, "words-counted-anew", BYTES_EMPTY, "", 0);
	return training_forget(w);
}

static int
mend_index(struct work *w, bool *threads)
{
	bool inbox = false;

	*threads = false;
	if (each(w, TABLE_MAILBOX, mend_box, &inbox) == -1)
		return -1;
	if (!inbox) {
		errno = EBADMSG;
		return -1;
	}
	if (kv_empty(w->t, TABLE_MAILBOX_NAME) == -1 ||
	    each(w, TABLE_MAILBOX, put_name, NULL) == -1 ||
	    mend_messages(w) == -1 ||
	    each(w, TABLE_KEYWORD, is_of_no_mailbox, NULL) == -1 ||
	    each(w, TABLE_TEXT, is_orphan, NULL) == -1 ||
	    kv_empty(w->t, TABLE_THREAD_MEMBER) == -1 ||
	    kv_empty(w->t, TABLE_THREAD_SUBJECT) == -1 ||
	    each(w, TABLE_THREAD, mend_thread, threads) == -1 ||
	    history_build(w) == -1 || sent_domains_build(w) == -1 ||
	    mend_feed(w) == -1 || mend_training(w) == -1)
		return -1;
	w->dirty = true;
	return 0;
}

/* LMDB trusts its pages; nobody writes while the lock is held. And the list
 * of folders is looked at even if no time tells of a change. Mailboxes are
 * found by the table of names, so it is made anew before files are read. */
static int
rebuild_begin(struct store *s)
{
	const char *why = "";
	struct work w;

	if (work_begin(s, &w) == -1)
		return -1;
	if (check_pages(s, &why) == -1 ||
	    kv_empty(w.t, TABLE_MAILBOX_NAME) == -1 ||
	    each(&w, TABLE_MAILBOX, put_name, NULL) == -1) {
		work_abort(&w);
		return -1;
	}
	w.state.list = w.state.subscriptions = (struct stamp){ 0 };
	w.dirty = true;
	return work_commit(&w);
}

static int
rebuild(struct store *s)
{
	bool changed, wrong, threads;
	struct work w;

	if (rebuild_begin(s) == -1 ||
	    sync_everything(s, true, &changed) == -1 ||
	    work_begin(s, &w) == -1)
		return -1;
	if (mend_index(&w, &threads) == -1 || recount(&w, &wrong) == -1) {
		work_abort(&w);
		return -1;
	}
	if (wrong)
		report(s, "counts-mended", BYTES_EMPTY, "", 0);
	w.dirty = w.durable = true;
	if (work_commit(&w) == -1)
		return -1;
	return threads ? store_threads_anew(s) : store_finish(s);
}

int
store_rebuild(struct store *s)
{
	if (rebuild(s) == 0)
		return 0;
	if (errno != EBADMSG)
		return -1;
	return replace_index(s, "a page or a record cannot be read");
}
