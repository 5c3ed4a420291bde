/*
 * store_repair_test.c - S-22: each damage is seen by store_verify, each
 * repair makes it content again
 */
#include "store_fixture.h"

static void
seen(void *ctx, const struct store_contradiction *c)
{
	char *out = ctx;
	size_t n = strlen(out);

	(void)snprintf(out + n, 4096 - n, "%s ", c->kind);
}

/* The kinds of contradictions, a blank after each. */
static const char *
complaints(struct account_dir *d, char out[4096])
{
	struct store_verify v = { .found = seen, .ctx = out };
	uint64_t count = 0;

	out[0] = '\0';
	assert_int_equal(store_verify(d->s, &v, &count), 0);
	return out;
}

static void
answer(struct account_dir *d)
{
	struct bytes piece = BYTES("Subject: Re: one\nMessage-ID: <r@x>\n"
	    "References: <one@example.org>\n\nanswer\n");
	struct store_incoming in = { .pieces = &piece, .count = 1 };

	assert_int_equal(store_deliver(d->s, BYTES("INBOX"), &in, NULL), 0);
}

/* ---- damages: INBOX has 1 "one", 2 "two", 3 an answer to 1 ---- */

static void
other_uidvalidity(struct account_dir *d, struct work *w, struct box *b)
{
	(void)w;		/* nothing of the index */
	(void)b;
	put_file(d, "Maildir/.uidvalidity", "77\n128\n");
}

static void
put_raw(struct work *w, const struct store_message *m)
{
	unsigned char key[KEY_MESSAGE];
	struct buf b = BUF_INIT(1 << 20);

	key_message(key, m->mailbox, m->uid);
	assert_int_equal(message_encode(&b, m), 0);
	assert_int_equal(kv_put(w->t, TABLE_MESSAGE, key_of(key, KEY_MESSAGE),
	    buf_bytes(&b)), 0);
	buf_free(&b);
}

static struct store_message
take(struct work *w, struct box *b, uint32_t uid)
{
	struct store_message m;

	assert_int_equal(work_get(w, b->rec.id, uid, &m), 1);
	return message_copy(&w->arena, &m);
}

static void
other_uid(struct account_dir *d, struct work *w, struct box *b)
{
	struct store_message m = take(w, b, 2), to = m;

	(void)d;		/* nothing of the files */
	to.uid = 9;
	b->rec.uidnext = 10;
	assert_int_equal(work_thread_copy(w, &m, &to, 0), 0);
	assert_int_equal(work_remove(w, b, &m), 0);
	assert_int_equal(work_put(w, b, &to, NULL), 0);
}

static void
low_uidnext(struct account_dir *d, struct work *w, struct box *b)
{
	(void)d;		/* nothing of the files */
	b->rec.uidnext = 2;
	b->rec.modseq = 1;
	w->state.modseq = 1;
	w->state.next_mailbox = 1;
	w->state.last_uidvalidity = 1;
	b->dirty = w->dirty = true;
}

static void
longer_file(struct account_dir *d, struct work *w, struct box *b)
{
	char path[1024];
	int fd;

	(void)w;		/* nothing of the index */
	fd = open(file_of(d, path, b->rec.id, 2), O_WRONLY | O_APPEND);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "more\n", 5), 5);
	assert_int_equal(close(fd), 0);
}

static void
wrong_texts(struct account_dir *d, struct work *w, struct box *b)
{
	struct store_message m = take(w, b, 2);
	unsigned char key[KEY_MESSAGE];

	(void)d;		/* nothing of the files */
	m.envelope = BYTES("NIL");
	m.preview = BYTES("none");
	put_raw(w, &m);
	key_message(key, b->rec.id, 1);
	assert_int_equal(kv_delete(w->t, TABLE_THREAD, key_of(key,
	    sizeof(key))), 1);
}

static void
old_parse_version(struct account_dir *d, struct work *w, struct box *b)
{
	struct store_message m = take(w, b, 3);

	(void)d;		/* nothing of the files */
	m.parse_version = 0;
	put_raw(w, &m);
}

static void
wrong_counts(struct account_dir *d, struct work *w, struct box *b)
{
	(void)d;		/* nothing of the files */
	b->rec.total += 3;
	b->rec.size_bytes -= 1;
	w->state.quota_bytes += 5;
	b->dirty = w->dirty = true;
}

static void
wrong_threads(struct account_dir *d, struct work *w, struct box *b)
{
	struct store_thread t, old;

	(void)d;		/* nothing of the files */
	assert_int_equal(thread_get(w->t, b->rec.id, 3, &t), 1);
	old = t;
	t.parent_count = 0;	/* in the thread, but below nothing */
	assert_int_equal(work_thread_put(w, &t, &old), 0);
	assert_int_equal(kv_empty(w->t, TABLE_THREAD_SUBJECT), 0);
}

struct row {
	const char *name;
	enum store_repair what;
	void (*damage)(struct account_dir *, struct work *, struct box *);
	const char *kind;
	uint64_t count;
};

static void
check_row(const struct row *row, bool all)
{
	char text[4096], list[4096];
	struct account_dir *d;
	uint64_t count = 99;
	struct work w;
	struct box *b;
	uint32_t id;

	assert_int_equal(account_setup((void **)&d), 0);
	assert_int_equal(deliver(d, "INBOX", "one"), 1);
	assert_int_equal(deliver(d, "INBOX", "two"), 2);
	answer(d);
	assert_string_equal(complaints(d, text), "");
	id = id_of(d, "INBOX");
	assert_int_equal(work_begin(d->s, &w), 0);
	assert_non_null(b = work_box(&w, id));
	row->damage(d, &w, b);
	assert_int_equal(work_commit(&w), 0);
	if (strstr(complaints(d, text), row->kind) == NULL)
		fail_msg("%s is not seen: %s", row->name, text);
	assert_int_equal(store_repair(d->s, row->what, all ? 0 : id, &count),
	    0);
	if (complaints(d, text)[0] != '\0')
		fail_msg("%s is not mended: %s", row->name, text);
	if (!all && count != row->count)
		fail_msg("%s: count %llu", row->name,
		    (unsigned long long)count);
	assert_non_null(strstr(listing(d, "INBOX", list), "one"));
	assert_non_null(strstr(list, "two"));
	assert_int_equal(box_of(d, "INBOX").total, 3);
	assert_int_equal(account_teardown((void **)&d), 0);
}

static void
each_repair_mends_its_damage(void **state)
{
	static const struct row row[] = {
		{ "S-22 bumpuidvalidity", STORE_REPAIR_UIDVALIDITY,
		    other_uidvalidity, "uidvalidity ", 1 },
		{ "S-22 reassignuids", STORE_REPAIR_UIDS, other_uid, "uid ",
		    3 },
		{ "S-22 fixuidmeta", STORE_REPAIR_UID_META, low_uidnext,
		    "uidnext ", 1 },
		{ "S-22 fixmsgsize", STORE_REPAIR_SIZES, longer_file,
		    "size ", 1 },
		{ "S-22 reparse", STORE_REPAIR_REPARSE, wrong_texts,
		    "envelope ", 3 },
		{ "S-22 reparse, a thread lost", STORE_REPAIR_REPARSE,
		    wrong_texts, "thread ", 3 },
		{ "S-22 ensureparsed", STORE_REPAIR_PARSED,
		    old_parse_version, "parse-version ", 1 },
		{ "S-22 recalculatemailboxcounts", STORE_REPAIR_COUNTS,
		    wrong_counts, "counts ", 1 },
		{ "S-22 recalculatemailboxcounts, quota",
		    STORE_REPAIR_COUNTS, wrong_counts, "quota ", 1 },
		{ "S-22 reassignthreads", STORE_REPAIR_THREADS,
		    wrong_threads, "thread ", 3 },
	};
	size_t i;

	(void)state;		/* each row has an account of its own */
	for (i = 0; i < COUNT(row); i++) {
		check_row(&row[i], false);
		check_row(&row[i], true);
	}
}

/* ---- all at once: store-index -r ---- */

static void
uidvalidity_of_index(struct account_dir *d, struct work *w, struct box *b)
{
	(void)d;		/* nothing of the files */
	b->rec.uidvalidity += 1000;
	b->dirty = w->dirty = true;
}

static void
thread_of_its_own(struct account_dir *d, struct work *w, struct box *b)
{
	struct store_thread t, old;

	(void)d;		/* nothing of the files */
	assert_int_equal(thread_get(w->t, b->rec.id, 1, &t), 1);
	old = t;
	t.id ^= 1;
	assert_int_equal(work_thread_put(w, &t, &old), 0);
}

static void
tables_empty(struct account_dir *d, struct work *w, struct box *b)
{
	(void)d;		/* nothing of the files */
	(void)b;
	assert_int_equal(kv_empty(w->t, TABLE_MESSAGE_ID), 0);
	assert_int_equal(kv_empty(w->t, TABLE_THREAD_MEMBER), 0);
	assert_int_equal(kv_empty(w->t, TABLE_MAILBOX_NAME), 0);
}

static void
put_copy(struct work *w, unsigned int table, struct box *b, uint32_t mailbox,
    uint32_t uid)
{
	unsigned char key[KEY_MESSAGE];
	struct bytes value;
	struct buf copy = BUF_INIT(1 << 20);

	key_message(key, b->rec.id, 1);
	assert_int_equal(kv_get(w->t, table, key_of(key, sizeof(key)),
	    &value), 1);
	assert_int_equal(buf_add(&copy, value), 0);
	key_message(key, mailbox, uid);
	assert_int_equal(kv_put(w->t, table, key_of(key, sizeof(key)),
	    buf_bytes(&copy)), 0);
	buf_free(&copy);
}

static void
orphans(struct account_dir *d, struct work *w, struct box *b)
{
	(void)d;		/* nothing of the files */
	put_copy(w, TABLE_MESSAGE, b, 999, 1);
	put_copy(w, TABLE_TEXT, b, b->rec.id, 77);
	put_copy(w, TABLE_THREAD, b, b->rec.id, 77);
}

static void
no_feed(struct account_dir *d, struct work *w, struct box *b)
{
	(void)d;		/* nothing of the files */
	(void)b;
	assert_int_equal(kv_empty(w->t, TABLE_CHANGE), 0);
}

static void
wrong_change(struct account_dir *d, struct work *w, struct box *b)
{
	(void)d;		/* nothing of the files */
	assert_int_equal(work_change_range(w, STORE_CHANGE_EXPUNGED, b, 2, 3),
	    0);
}

static void
late_message(struct account_dir *d, struct work *w, struct box *b)
{
	struct store_message m = take(w, b, 2);

	(void)d;		/* nothing of the files */
	m.modseq += UINT64_C(1) << 50;
	put_raw(w, &m);
	m = take(w, b, 1);
	m.createseq = 0;
	put_raw(w, &m);
}

struct rebuild_row {
	const char *name;
	void (*damage)(struct account_dir *, struct work *, struct box *);
	const char *kind;
};

static void
rebuild_row(const struct rebuild_row *row)
{
	char text[4096], list[4096];
	struct account_dir *d;
	uint32_t uidvalidity;
	struct work w;
	struct box *b;

	assert_int_equal(account_setup((void **)&d), 0);
	assert_int_equal(deliver(d, "INBOX", "one"), 1);
	assert_int_equal(deliver(d, "INBOX", "two"), 2);
	answer(d);
	uidvalidity = box_of(d, "INBOX").uidvalidity;
	assert_int_equal(work_begin(d->s, &w), 0);
	assert_non_null(b = work_box(&w, id_of(d, "INBOX")));
	row->damage(d, &w, b);
	assert_int_equal(work_commit(&w), 0);
	if (strstr(complaints(d, text), row->kind) == NULL)
		fail_msg("%s is not seen: %s", row->name, text);
	assert_int_equal(store_rebuild(d->s), 0);
	if (complaints(d, text)[0] != '\0')
		fail_msg("%s is not mended: %s", row->name, text);
	assert_string_equal(listing(d, "INBOX", list), "1:one 2:two 3:Re: one");
	assert_int_equal(box_of(d, "INBOX").uidvalidity,
	    row->damage == other_uidvalidity ? 77 : uidvalidity);
	assert_int_equal(deliver(d, "INBOX", "four") > 3, true);
	assert_content(d);
	assert_int_equal(account_teardown((void **)&d), 0);
}

static void
rebuilding_mends_all(void **state)
{
	static const struct rebuild_row row[] = {
		{ "uidvalidity of the record", uidvalidity_of_index,
		    "uidvalidity " },
		{ "uidvalidity of the folder", other_uidvalidity,
		    "uidvalidity " },
		{ "numbers of the account", low_uidnext, "mailbox-id " },
		{ "counts", wrong_counts, "counts " },
		{ "envelope and thread", wrong_texts, "envelope " },
		{ "old parse version", old_parse_version, "parse-version " },
		{ "parents of a thread", wrong_threads, "thread " },
		{ "a thread of another number", thread_of_its_own,
		    "thread " },
		{ "tables that lead to records", tables_empty,
		    "message-id " },
		{ "names of mailboxes", tables_empty, "mailbox-name " },
		{ "records of nothing", orphans, "orphan " },
		{ "records of nothing, texts", orphans, "text " },
		{ "records of nothing, threads", orphans, "thread " },
		{ "a feed that lacks changes", no_feed, "change " },
		{ "a feed of what is not so", wrong_change, "change " },
		{ "modseq of messages", late_message, "modseq " },
	};
	size_t i;

	(void)state;		/* each row has an account of its own */
	for (i = 0; i < COUNT(row); i++)
		rebuild_row(&row[i]);
}

/* Who asks for expunges of any time is told of all that is not there. */
static void
lost_feed_tells_of_expunges(void **state)
{
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX"), uid = 2, other = id_of(d, "Trash");
	struct store_view *v;
	struct store_change c;
	struct work w;
	int r, n = 0, all = 0;

	assert_int_equal(deliver(d, "INBOX", "one"), 1);
	assert_int_equal(deliver(d, "INBOX", "two"), 2);
	assert_int_equal(deliver(d, "INBOX", "three"), 3);
	assert_int_equal(deliver(d, "Trash", "one"), 1);
	assert_int_equal(store_expunge(d->s, other, NULL, 0, true, NULL), 0);
	assert_int_equal(store_expunge(d->s, id, &uid, 1, true, NULL), 0);
	assert_int_equal(work_begin(d->s, &w), 0);
	assert_int_equal(kv_empty(w.t, TABLE_CHANGE), 0);
	assert_int_equal(work_commit(&w), 0);
	assert_int_equal(store_rebuild(d->s), 0);
	assert_non_null(v = store_view_open(d->s));
	for (r = store_change_first(v, 0, &c); r == 1;
	    r = store_change_next(v, &c)) {
		assert_int_equal(c.kind, STORE_CHANGE_EXPUNGED);
		all += c.mailbox == other && c.uid_first == 1;
		if (c.mailbox != id)
			continue;
		assert_true(c.uid_first == 2 ? c.uid_last == 2
		    : c.uid_first > 3);
		n += c.uid_first == 2;
	}
	assert_int_equal(n, 1);
	assert_int_equal(all, 1);
	assert_true(store_change_floor(v) == store_view_modseq(v));
	store_view_close(v);
	assert_content(d);
}

static void
uidvalidity_is_new(void **state)
{
	struct account_dir *d = *state;
	uint32_t before = box_of(d, "INBOX").uidvalidity, after;

	assert_int_equal(deliver(d, "INBOX", "one"), 1);
	put_file(d, "Maildir/.uidvalidity", "4000000000\n128\n");
	assert_int_equal(store_repair(d->s, STORE_REPAIR_UIDVALIDITY,
	    id_of(d, "INBOX"), NULL), 0);
	after = box_of(d, "INBOX").uidvalidity;
	assert_true(after > before && after > 4000000000u);
	reopen(d);
	assert_int_equal(box_of(d, "INBOX").uidvalidity, after);
	assert_int_equal(deliver(d, "INBOX", "two"), 2);
	assert_content(d);
}

/* By date, above all that were used. */
static void
uids_follow_dates(void **state)
{
	struct account_dir *d = *state;
	struct bytes late = BYTES("Subject: late\n\n"), early;
	struct store_incoming in[2] = {
		{ .pieces = &late, .count = 1, .internal_date = 2000,
		.flags = STORE_FLAGGED },
		{ .pieces = &early, .count = 1, .internal_date = 1000 },
	};
	uint32_t id = id_of(d, "INBOX"), before;
	char list[4096];

	early = BYTES("Subject: early\n\n");
	assert_int_equal(store_append(d->s, id, in, 2, NULL), 0);
	before = box_of(d, "INBOX").uidvalidity;
	assert_int_equal(store_repair(d->s, STORE_REPAIR_UIDS, id, NULL), 0);
	assert_string_equal(listing(d, "INBOX", list), "3:early 4:late");
	assert_int_equal(flags_of(d, id, 4), STORE_FLAGGED);
	assert_true(box_of(d, "INBOX").uidvalidity > before);
	assert_content(d);
	assert_int_equal(store_repair(d->s, STORE_REPAIR_UIDS, 99, NULL),
	    -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "S-22 each repair mends its damage",
		    each_repair_mends_its_damage, NULL, NULL, NULL },
		{ "store-index -r mends what contradicts",
		    rebuilding_mends_all, NULL, NULL, NULL },
		TEST("a lost change feed tells of all expunges",
		    lost_feed_tells_of_expunges),
		TEST("S-22 a new UIDVALIDITY is above all others",
		    uidvalidity_is_new),
		TEST("S-22 UIDs are given anew by date", uids_follow_dates),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
