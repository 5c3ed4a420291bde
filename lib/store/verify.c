/*
 * Proof: every claim of the index against the Maildir and against itself.
 *
 * Deliveries go on meanwhile, and would look like contradictions. So a first
 * pass reads a snapshot; only if it finds something a second one looks again
 * under the write lock, and that one reports.
 */
#include "store/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void
verify_found(struct verifying *y, const char *kind, struct bytes mailbox,
    uint32_t uid, const char *format, ...)
{
	struct buf b = BUF_INIT(1024);
	struct store_contradiction c = { kind, mailbox, uid, "" };
	va_list ap;

	y->count++;
	if (y->quiet || y->ask->found == NULL)
		return;
	va_start(ap, format);
	(void)buf_vprintf(&b, format, ap);	/* too long: no detail */
	va_end(ap);
	if (buf_addc(&b, '\0') == 0)
		c.detail = (const char *)b.p;
	y->ask->found(y->ask->ctx, &c);
	buf_free(&b);
}

/* ---- tables against each other ---- */

typedef int entry_fn(struct verifying *, struct bytes key,
    struct bytes value);

static int
each_entry(struct verifying *y, unsigned int table, entry_fn *fn)
{
	struct kv_cursor *c = kv_cursor_open(y->v->t, table);
	struct bytes key = BYTES_EMPTY, value;
	int r;

	if (c == NULL)
		return -1;
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if (fn(y, key, value) == -1) {
			r = -1;
			break;
		}
	}
	kv_cursor_close(c);
	return r;
}

static int
check_name(struct verifying *y, struct bytes key, struct bytes value)
{
	struct store_mailbox m;
	int r = value.n != 4 ? 0
	    : store_mailbox_get(y->v, be32_get(value.p), &m);

	if (r == -1 && errno != EBADMSG)
		return -1;
	if (r != 1 || !bytes_eq(m.name, key))
		verify_found(y, "mailbox-name", key, 0,
		    "the name leads to no mailbox of that name");
	return 0;
}

static int
check_mailbox(struct verifying *y, struct bytes key, struct bytes value)
{
	struct bytes ref;
	struct mbox m;
	int r;

	if (key.n != 4 || mbox_decode(be32_get(key.p), value, &m) == -1) {
		verify_found(y, "record", BYTES_EMPTY, 0,
		    "a mailbox record cannot be read");
		return 0;
	}
	r = kv_get(y->v->t, TABLE_MAILBOX_NAME, m.name, &ref);
	if (r == -1)
		return -1;
	if (r == 0 || ref.n != 4 || be32_get(ref.p) != m.id)
		verify_found(y, "mailbox-name", m.name, 0,
		    "the mailbox is not in the table of names");
	if (m.id >= y->v->state.next_mailbox)
		verify_found(y, "mailbox-id", m.name, 0,
		    "id %lu, but the next one is %lu", (unsigned long)m.id,
		    (unsigned long)y->v->state.next_mailbox);
	if (m.modseq > y->v->state.modseq)
		verify_found(y, "modseq", m.name, 0,
		    "%llu is beyond the account's %llu",
		    (unsigned long long)m.modseq,
		    (unsigned long long)y->v->state.modseq);
	if (m.uidvalidity > y->v->state.last_uidvalidity ||
	    m.uidvalidity == 0)
		verify_found(y, "uidvalidity", m.name, 0,
		    "%lu, but the last one given was %lu",
		    (unsigned long)m.uidvalidity,
		    (unsigned long)y->v->state.last_uidvalidity);
	y->ask->mailboxes++;
	return verify_box(y, &m);
}

static int
check_orphan(struct verifying *y, struct bytes key, struct bytes value)
{
	struct store_mailbox m;
	int r;

	(void)value;		/* verify_box has read it if it has a mailbox */
	if (key.n < 4)
		r = 0;
	else
		r = store_mailbox_get(y->v, be32_get(key.p), &m);
	if (r == -1)
		return -1;
	if (r == 0)
		verify_found(y, "orphan", BYTES_EMPTY, key.n < 8 ? 0
		    : be32_get(key.p + 4), "a record of no mailbox");
	return 0;
}

static int
check_search(struct verifying *y, struct bytes key, struct bytes value)
{
	struct store_message m;
	int r = key.n != KEY_MESSAGE ? 0 : store_message_get(y->v,
	    be32_get(key.p), be32_get(key.p + 4), &m);

	(void)value;		/* verify_box compares it */
	if (r == -1)
		return errno == EBADMSG ? 0 : -1;
	if (r == 0 && (key.n != KEY_MESSAGE || (r = left_has(y->v->t,
	    be32_get(key.p), be32_get(key.p + 4))) == 0))
		verify_found(y, "text", BYTES_EMPTY, key.n < 8 ? 0
		    : be32_get(key.p + 4), "a record of no message");
	return r == -1 ? -1 : 0;
}

static int
check_message_id(struct verifying *y, struct bytes key, struct bytes value)
{
	struct store_message m = { .uid = 0 };
	int r = 0;

	(void)value;		/* always empty */
	if (key.n == 16)
		r = store_message_get(y->v, be32_get(key.p + 8),
		    be32_get(key.p + 12), &m);
	if (r == -1 && errno != EBADMSG)
		return -1;
	if (r == 0 && key.n == 16 && (r = left_has(y->v->t,
	    be32_get(key.p + 8), be32_get(key.p + 12))) != 0)
		return r == -1 ? -1 : 0;
	if (r != 1 || m.message_id_hash != be64_get(key.p))
		verify_found(y, "message-id", BYTES_EMPTY,
		    key.n == 16 ? be32_get(key.p + 12) : 0,
		    "the table names a message without that Message-ID");
	return 0;
}

/* An expunged UID stays gone; no change is later than the last modseq. */
static int
check_change(struct verifying *y, struct bytes key, struct bytes value)
{
	unsigned char from[KEY_MESSAGE];
	struct bytes at = key_of(from, sizeof(from)), ignored;
	struct store_mailbox box;
	struct store_change c;
	struct kv_cursor *cursor;
	int r;

	if (change_decode(key, value, &c) == -1) {
		verify_found(y, "record", BYTES_EMPTY, 0,
		    "a change record cannot be read");
		return 0;
	}
	if (c.modseq > y->v->state.modseq)
		verify_found(y, "change", BYTES_EMPTY, c.uid_first,
		    "modseq %llu is beyond the account's %llu",
		    (unsigned long long)c.modseq,
		    (unsigned long long)y->v->state.modseq);
	if (c.kind != STORE_CHANGE_EXPUNGED)
		return 0;
	if ((r = store_mailbox_get(y->v, c.mailbox, &box)) != 1)
		return r == -1 && errno != EBADMSG ? -1 : 0;
	if ((cursor = kv_cursor_open(y->v->t, TABLE_MESSAGE)) == NULL)
		return -1;
	key_message(from, c.mailbox, c.uid_first);
	r = kv_seek(cursor, &at, &ignored);
	if (r == 1 && be32_get(at.p) == c.mailbox &&
	    be32_get(at.p + 4) <= c.uid_last)
		verify_found(y, "change", box.name, be32_get(at.p + 4),
		    "expunged at modseq %llu, but still there",
		    (unsigned long long)c.modseq);
	kv_cursor_close(cursor);
	return r == -1 ? -1 : 0;
}

/* The table of UIDs is what the records make of it. */
static int
check_uids(struct verifying *y)
{
	struct store_mailbox box = { .name = BYTES_EMPTY };
	uint32_t mailbox, first;
	int r = uids_verify(y->v->t, &mailbox, &first);

	if (r != 0)
		return r == -1 && errno != EBADMSG ? -1 : 0;
	if (mailbox != 0 && store_mailbox_get(y->v, mailbox, &box) == -1 &&
	    errno != EBADMSG)
		return -1;
	verify_found(y, "uids", box.name, first,
	    "the table of UIDs is not that of the messages");
	return 0;
}

static int
run(struct verifying *y)
{
	y->ask->mailboxes = y->ask->messages = 0;
	if (each_entry(y, TABLE_MAILBOX, check_mailbox) == -1 ||
	    each_entry(y, TABLE_MAILBOX_NAME, check_name) == -1 ||
	    each_entry(y, TABLE_MESSAGE, check_orphan) == -1 ||
	    check_uids(y) == -1 ||
	    each_entry(y, TABLE_KEYWORD, check_orphan) == -1 ||
	    each_entry(y, TABLE_TEXT, check_search) == -1 ||
	    each_entry(y, TABLE_MESSAGE_ID, check_message_id) == -1 ||
	    each_entry(y, TABLE_THREAD, verify_thread_record) == -1 ||
	    each_entry(y, TABLE_THREAD_MEMBER, verify_thread_member) == -1 ||
	    each_entry(y, TABLE_THREAD_SUBJECT, verify_thread_subject) == -1 ||
	    each_entry(y, TABLE_ORIGIN, verify_origin) == -1 ||
	    each_entry(y, TABLE_HISTORY, verify_history) == -1 ||
	    each_entry(y, TABLE_CHANGE, check_change) == -1)
		return -1;
	if (y->quota != y->v->state.quota_bytes)
		verify_found(y, "quota", BYTES_EMPTY, 0,
		    "%llu bytes, but the messages have %llu",
		    (unsigned long long)y->v->state.quota_bytes,
		    (unsigned long long)y->quota);
	return 0;
}

/*
 * The second pass, with y->v filled here: nobody writes while the lock is
 * held.
 */
static int
run_locked(struct store *s, struct verifying *y)
{
	const char *why = "";
	struct work w;
	int r;

	if (work_begin(s, &w) == -1)
		return -1;
	y->v->t = w.t;
	y->v->state = w.state;
	r = check_pages(s, &why);
	if (r == 0) {
		r = run(y);
	} else if (errno == EBADMSG) {	/* no more of it is read */
		verify_found(y, "pages", BYTES_EMPTY, 0, "%s", why);
		r = 0;
	}
	kv_cursor_close(y->v->messages);
	kv_cursor_close(y->v->changes);
	kv_cursor_close(y->v->uids);
	work_abort(&w);
	return r;
}

int
store_verify(struct store *s, struct store_verify *ask, uint64_t *count)
{
	struct verifying y = { .ask = ask, .quiet = true,
	    .arena = ARENA_INIT, .scratch = ARENA_INIT };
	struct store_view locked = { .s = s };
	const char *why;
	int r;

	if ((y.v = store_view_open(s)) == NULL)
		return -1;
	/* A view keeps pages from being used again, but the file may grow. */
	if ((r = check_pages(s, &why)) == 0) {
		r = run(&y);
	} else if (errno == EBADMSG) {
		y.count++;
		r = 0;
	}
	store_view_close(y.v);
	if (r == 0 && y.count > 0) {
		y.v = &locked;
		y.quiet = false;
		y.count = y.quota = 0;
		r = run_locked(s, &y);
	}
	arena_free(&y.arena);
	arena_free(&y.scratch);
	if (r == 0)
		*count = y.count;
	return r;
}
