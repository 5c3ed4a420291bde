/*
 * store_test.c - messages, flags, mailboxes, counts, quota, changes
 */
#include "store_fixture.h"

/* ---- delivery ---- */

static void
delivered_messages_are_there(void **state)
{
	struct account_dir *d = *state;
	char text[256], list[4096], path[1024];
	struct bytes want = text_message(text, "one"), got;
	struct store_message m;
	struct store_view *v;
	struct stat st;
	uint32_t id;

	assert_int_equal(deliver(d, "inbox", "one"), 1);
	assert_int_equal(deliver(d, "INBOX", "two"), 2);
	assert_string_equal(listing(d, "INBOX", list), "1:one 2:two");
	id = id_of(d, "INBOX");
	assert_int_equal(store_message_map(d->s, id, 1, &got), 0);
	assert_true(bytes_eq(got, want));
	store_unmap(got);
	assert_int_equal(stat(file_of(d, path, id, 1), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_non_null(strstr(path, "/Maildir/new/"));
	v = store_view_open(d->s);
	assert_int_equal(store_message_get(v, id, 1, &m), 1);
	assert_int_equal(m.size, want.n);
	assert_int_equal(m.size_crlf, want.n + 5);
	assert_true(bytes_ends(m.base, BYTES(",U=1")));
	assert_true(m.internal_date > 1700000000);
	assert_true(bytes_eq(m.preview, BYTES("body of one")));
	assert_int_equal(m.createseq, m.modseq);
	store_view_close(v);
	assert_content(d);
}

static void
delivery_makes_mailboxes(void **state)
{
	struct account_dir *d = *state;
	struct store_incoming in = { 0 };
	struct bytes piece = BYTES("a: b\n\nx\n");

	assert_int_equal(deliver(d, "Work/Sub", "x"), 1);
	assert_true(box_of(d, "Work").subscribed);
	assert_true(box_of(d, "Work/Sub").subscribed);
	in.pieces = &piece;
	in.count = 1;
	assert_int_equal(store_deliver(d->s, BYTES("a//b"), &in, NULL), -1);
	assert_int_equal(errno, EINVAL);
	assert_content(d);
}

/* S-5: prefix and body, messages without a body separator, empty ones. */
static void
sizes_are_prefix_and_file(void **state)
{
	static const struct {
		const char *prefix, *body;
		uint64_t crlf;
	} row[] = {
		{ "Return-Path: <>\n", "Subject: x\n\nbody\n", 37 },
		{ "", "Subject: no separator", 21 },
		{ "", "", 0 },
		{ "A: b\n", "", 6 },
		{ "", "A: b\r\n\r\nmixed\nends\r\n", 21 },
		{ "", "\n", 2 },
	};
	struct account_dir *d = *state;
	size_t i;

	for (i = 0; i < COUNT(row); i++) {
		struct bytes pieces[2] = { bytes_str(row[i].prefix),
		    bytes_str(row[i].body) };
		struct store_incoming in = { .pieces = pieces, .count = 2 };
		struct store_delivered out;
		struct store_message m;
		struct store_view *v;

		assert_int_equal(store_deliver(d->s, BYTES("INBOX"), &in,
		    &out), 0);
		v = store_view_open(d->s);
		assert_int_equal(store_message_get(v, out.mailbox, out.uid,
		    &m), 1);
		assert_int_equal(m.size, pieces[0].n + pieces[1].n);
		assert_int_equal(m.size_crlf, row[i].crlf);
		store_view_close(v);
	}
	assert_content(d);
}

static void
append_is_all_or_none(void **state)
{
	struct account_dir *d = *state;
	struct bytes piece = BYTES("Subject: a\n\nb\n");
	struct bytes bad = BYTES("not a keyword");
	struct store_incoming in[20];
	uint32_t uids[20], id = id_of(d, "Sent");
	char list[4096];
	size_t i;

	for (i = 0; i < COUNT(in); i++)
		in[i] = (struct store_incoming){ .pieces = &piece,
		    .count = 1, .internal_date = 1000000 + (int64_t)i,
		    .flags = i % 2 == 0 ? STORE_SEEN : 0 };
	in[3].keywords = &bad;
	in[3].keyword_count = 1;
	assert_int_equal(store_append(d->s, id, in, 5, uids), -1);
	assert_int_equal(errno, EINVAL);
	assert_string_equal(listing(d, "Sent", list), "");
	in[3].keyword_count = 0;
	assert_int_equal(store_append(d->s, id, in, COUNT(in), uids), 0);
	for (i = 1; i < COUNT(in); i++)
		assert_int_equal(uids[i], uids[0] + i);
	assert_int_equal(store_append(d->s, 999, in, 1, uids), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(store_append(d->s, id, in, 0, uids), 0);
	assert_content(d);
	/* Dates and flags come back from the files alone. */
	assert_int_equal(store_rebuild(d->s), 0);
	{
		struct store_view *v = store_view_open(d->s);
		struct store_message m;

		assert_int_equal(store_message_get(v, id, uids[19], &m), 1);
		assert_int_equal(m.internal_date, 1000019);
		assert_int_equal(m.flags, 0);
		store_view_close(v);
	}
	assert_content(d);
}

static void
origin_facts_are_kept(void **state)
{
	struct account_dir *d = *state;
	struct bytes piece = BYTES("a: b\n\n"), area, value;
	struct buf b = BUF_INIT(1000);
	struct store_incoming in = { .pieces = &piece, .count = 1 };
	struct store_delivered out;
	struct store_message m;
	struct store_view *v;
	enum store_tag tag;

	assert_int_equal(store_field_add(&b, STORE_TAG_REMOTE_IP,
	    BYTES("192.0.2.1")), 0);
	assert_int_equal(store_field_add(&b, STORE_TAG_HELO, BYTES("")), 0);
	assert_int_equal(store_field_add(&b, STORE_TAG_DKIM_DOMAIN,
	    BYTES("example.org")), 0);
	in.extension = buf_bytes(&b);
	assert_int_equal(store_deliver(d->s, BYTES("INBOX"), &in, &out), 0);
	v = store_view_open(d->s);
	assert_int_equal(store_message_get(v, out.mailbox, out.uid, &m), 1);
	area = m.extension;
	assert_int_equal(store_field_next(&area, &tag, &value), 1);
	assert_int_equal(tag, STORE_TAG_REMOTE_IP);
	assert_true(bytes_eq(value, BYTES("192.0.2.1")));
	assert_int_equal(store_field_next(&area, &tag, &value), 1);
	assert_int_equal(value.n, 0);
	assert_int_equal(store_field_next(&area, &tag, &value), 1);
	assert_int_equal(tag, STORE_TAG_DKIM_DOMAIN);
	assert_int_equal(store_field_next(&area, &tag, &value), 0);
	area = BYTES("\0\1\0\5abc");
	assert_int_equal(store_field_next(&area, &tag, &value), -1);
	assert_int_equal(errno, EBADMSG);
	store_view_close(v);
	buf_free(&b);
}

/* ---- flags ---- */

static int
set(struct account_dir *d, enum store_how how, uint32_t flags,
    const char *keyword, uint32_t uid, uint64_t *modseq)
{
	struct bytes name = bytes_str(keyword);
	struct store_flag_change c = { .how = how, .flags = flags,
	    .keywords = &name, .keyword_count = keyword != NULL,
	    .unchanged_since = UINT64_MAX };

	return store_flags(d->s, id_of(d, "INBOX"), &uid, 1, &c, modseq,
	    NULL);
}

static void
flags_are_letters_of_the_name(void **state)
{
	static const struct {
		enum store_how how;
		uint32_t flags;
		const char *suffix;
	} row[] = {
		{ STORE_ADD, STORE_SEEN, ":2,S" },
		{ STORE_ADD, STORE_FLAGGED | STORE_DELETED, ":2,FST" },
		{ STORE_REMOVE, STORE_SEEN, ":2,FT" },
		{ STORE_REPLACE, STORE_DRAFT | STORE_ANSWERED |
		    STORE_FORWARDED, ":2,DPR" },
		{ STORE_ADD, STORE_JUNK, ":2,DPRa" },
		{ STORE_ADD, STORE_MDNSENT | STORE_PHISHING, ":2,DPRabc" },
		{ STORE_REPLACE, STORE_NOTJUNK, ":2,d" },
		{ STORE_REPLACE, 0, ":2," },
	};
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "INBOX", "x"), flags = 0;
	uint64_t modseq, last = 0;
	char path[1024];
	size_t i;

	for (i = 0; i < COUNT(row); i++) {
		assert_int_equal(set(d, row[i].how, row[i].flags, NULL, uid,
		    &modseq), 0);
		flags = row[i].how == STORE_ADD ? flags | row[i].flags
		    : row[i].how == STORE_REMOVE ? flags & ~row[i].flags
		    : row[i].flags;
		assert_int_equal(flags_of(d, id_of(d, "INBOX"), uid), flags);
		assert_true(modseq > last);
		last = modseq;
		file_of(d, path, id_of(d, "INBOX"), uid);
		assert_string_equal(strrchr(path, ':'), row[i].suffix);
		assert_content(d);
	}
	/* Nothing to change: no modseq. */
	assert_int_equal(set(d, STORE_REPLACE, 0, NULL, uid, &modseq), 0);
	assert_int_equal(modseq, 0);
}

/* S-8: lower case; 26 letters, more in the index, 256 in all. */
static void
keywords_have_letters_and_more(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "INBOX", "x"), id = id_of(d, "INBOX");
	char name[32], path[1024];
	struct store_message m;
	struct store_view *v;
	struct bytes got;
	unsigned int i, n = 0;

	for (i = 0; i < STORE_KEYWORDS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "Key%u", i);
		assert_int_equal(set(d, STORE_ADD, 0, name, uid, NULL), 0);
	}
	assert_int_equal(set(d, STORE_ADD, 0, "onemore", uid, NULL), -1);
	assert_int_equal(errno, EOVERFLOW);
	assert_int_equal(set(d, STORE_ADD, 0, "KEY7", uid, NULL), 0);
	file_of(d, path, id, uid);
	assert_string_equal(strrchr(path, ':'),
	    ":2,abcdefghijklmnopqrstuvwxyz");
	v = store_view_open(d->s);
	assert_int_equal(store_message_get(v, id, uid, &m), 1);
	for (i = 0; i < STORE_KEYWORDS_MAX; i++)
		n += store_keyword_has(&m.keywords, i);
	assert_int_equal(n, STORE_KEYWORDS_MAX);
	assert_int_equal(store_keyword_name(v, id, 255, &got), 1);
	assert_true(bytes_eq(got, BYTES("key255")));
	assert_int_equal(store_keyword_find(v, id, BYTES("KEY30"), &i), 1);
	assert_int_equal(i, 30);
	assert_int_equal(store_keyword_find(v, id, BYTES("none"), &i), 0);
	store_view_close(v);
	assert_content(d);
	/* The rebuilt index keeps those without a letter. */
	assert_int_equal(store_rebuild(d->s), 0);
	v = store_view_open(d->s);
	assert_int_equal(store_message_get(v, id, uid, &m), 1);
	assert_true(store_keyword_has(&m.keywords, 200));
	store_view_close(v);
}

static void
bad_keywords_are_refused(void **state)
{
	static const char *const row[] = { "a b", "(", "a)", "{", "%", "*",
	    "\"", "x\\y", "]", "\\Foo", "\177", "\303\244", "a\tb" };
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "INBOX", "x");
	char name[STORE_KEYWORD_MAX + 2];
	size_t i;

	for (i = 0; i < COUNT(row); i++) {
		assert_int_equal(set(d, STORE_ADD, 0, row[i], uid, NULL),
		    -1);
		assert_int_equal(errno, EINVAL);
	}
	memset(name, 'k', sizeof(name));
	name[STORE_KEYWORD_MAX] = '\0';
	assert_int_equal(set(d, STORE_ADD, 0, name, uid, NULL), 0);
	name[STORE_KEYWORD_MAX] = 'k';
	name[STORE_KEYWORD_MAX + 1] = '\0';
	assert_int_equal(set(d, STORE_ADD, 0, name, uid, NULL), -1);
	assert_int_equal(errno, EINVAL);
}

static void
flag_names_are_known(void **state)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} row[] = {
		{ "\\Seen", STORE_SEEN }, { "\\SEEN", STORE_SEEN },
		{ "$Forwarded", STORE_FORWARDED }, { "Junk", STORE_JUNK },
		{ "NonJunk", STORE_NOTJUNK }, { "$notjunk", STORE_NOTJUNK },
		{ "$MDNSent", STORE_MDNSENT }, { "Seen", 0 }, { "", 0 },
		{ "\\Recent", 0 }, { "$Phishing", STORE_PHISHING },
	};
	char letters[STORE_FLAG_LETTERS_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(row); i++)
		assert_int_equal(store_flag_find(bytes_str(row[i].name)),
		    row[i].flag);
	assert_string_equal(store_flag_name(STORE_DELETED), "\\Deleted");
	assert_null(store_flag_name(STORE_FLAGS_ALL + 1));
	store_flag_letters(STORE_FLAGS_ALL, letters);
	assert_string_equal(letters, "DFPRST");
	assert_int_equal(store_use_find(BYTES("\\sent")), STORE_USE_SENT);
	assert_int_equal(store_use_find(BYTES("Sent")), 0);
	assert_string_equal(store_use_name(STORE_USE_JUNK), "\\Junk");
}

static void
unchanged_since_is_kept(void **state)
{
	struct account_dir *d = *state;
	uint32_t uids[2] = { deliver(d, "INBOX", "a"),
	    deliver(d, "INBOX", "b") };
	struct store_flag_change c = { .how = STORE_ADD,
	    .flags = STORE_SEEN };
	struct buf failed = BUF_INIT(100);
	uint64_t modseq;
	uint32_t id = id_of(d, "INBOX");

	c.unchanged_since = box_of(d, "INBOX").modseq - 1;
	assert_int_equal(store_flags(d->s, id, uids, 2, &c, &modseq,
	    &failed), 0);
	assert_int_equal(failed.n, 4);
	assert_int_equal(be32_get(failed.p), uids[1]);
	assert_int_equal(flags_of(d, id, uids[0]), STORE_SEEN);
	assert_int_equal(flags_of(d, id, uids[1]), 0);
	buf_free(&failed);
}

/* ---- counts, quota ---- */

static void
counts_are_kept_with_every_change(void **state)
{
	struct account_dir *d = *state;
	struct store_mailbox m;
	uint32_t id = id_of(d, "INBOX"), uids[3], moved[3];
	uint64_t size;

	uids[0] = deliver(d, "INBOX", "a");
	uids[1] = deliver_flags(d, "INBOX", "b", STORE_SEEN);
	uids[2] = deliver_flags(d, "INBOX", "c", STORE_DELETED);
	m = box_of(d, "INBOX");
	assert_int_equal(m.total, 3);
	assert_int_equal(m.unseen, 2);
	assert_int_equal(m.unread, 1);
	assert_int_equal(m.deleted, 1);
	size = m.size_bytes;
	assert_int_equal(set(d, STORE_ADD, STORE_SEEN, NULL, uids[0], NULL),
	    0);
	m = box_of(d, "INBOX");
	assert_int_equal(m.unseen, 1);
	assert_int_equal(m.unread, 0);
	assert_int_equal(store_expunge(d->s, id, NULL, 0, false, NULL), 0);
	m = box_of(d, "INBOX");
	assert_int_equal(m.total, 2);
	assert_int_equal(m.deleted, 0);
	assert_int_equal(m.size_bytes, size / 3 * 2);
	assert_int_equal(store_copy(d->s, id, uids, 2, id_of(d, "Trash"),
	    true, moved), 0);
	assert_int_equal(box_of(d, "INBOX").total, 0);
	assert_int_equal(box_of(d, "INBOX").size_bytes, 0);
	assert_int_equal(box_of(d, "Trash").total, 2);
	assert_content(d);
}

static void
quota_refuses_what_is_over(void **state)
{
	struct account_dir *d = *state;
	char text[256];
	struct bytes piece = text_message(text, "q");
	struct store_incoming in = { .pieces = &piece, .count = 1 };
	struct store_incoming two[2] = { in, in };
	struct store_view *v;
	uint64_t used, limit;
	uint32_t uid = 1, new_uid;

	d->o.quota_bytes = piece.n * 2;
	reopen(d);
	assert_int_equal(store_deliver(d->s, BYTES("INBOX"), &in, NULL), 0);
	/* Two more at once: none of them. */
	assert_int_equal(store_append(d->s, id_of(d, "INBOX"), two, 2, NULL),
	    -1);
	assert_int_equal(errno, EDQUOT);
	/* Exactly the limit is allowed, one byte more is not. */
	assert_int_equal(store_deliver(d->s, BYTES("Sent"), &in, NULL), 0);
	v = store_view_open(d->s);
	store_view_quota(v, &used, &limit);
	store_view_close(v);
	assert_int_equal(used, limit);
	piece = BYTES("x");
	assert_int_equal(store_deliver(d->s, BYTES("INBOX"), &in, NULL), -1);
	assert_int_equal(errno, EDQUOT);
	assert_int_equal(store_copy(d->s, id_of(d, "INBOX"), &uid, 1,
	    id_of(d, "Trash"), false, &new_uid), -1);
	assert_int_equal(errno, EDQUOT);
	/* Moving needs no room, expunging gives it back. */
	assert_int_equal(store_copy(d->s, id_of(d, "INBOX"), &uid, 1,
	    id_of(d, "Trash"), true, &new_uid), 0);
	assert_int_equal(store_expunge(d->s, id_of(d, "Trash"), &new_uid, 1,
	    true, NULL), 0);
	assert_int_equal(store_deliver(d->s, BYTES("INBOX"), &in, NULL), 0);
	assert_content(d);
}

/* ---- expunge, copy, move ---- */

static void
expunge_keeps_the_rest(void **state)
{
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX"), uids[4], i;
	uint64_t modseq;
	char list[4096];

	for (i = 0; i < 4; i++)
		uids[i] = deliver_flags(d, "INBOX", i % 2 == 0 ? "even"
		    : "odd", i % 2 == 0 ? STORE_DELETED : 0);
	/* Only those named, only those flagged. */
	assert_int_equal(store_expunge(d->s, id, uids, 2, false, &modseq),
	    0);
	assert_string_equal(listing(d, "INBOX", list), "2:odd 3:even 4:odd");
	assert_int_equal(store_expunge(d->s, id, uids + 3, 1, false,
	    &modseq), 0);
	assert_int_equal(modseq, 0);
	assert_int_equal(store_expunge(d->s, id, uids + 3, 1, true, &modseq),
	    0);
	assert_string_equal(listing(d, "INBOX", list), "2:odd 3:even");
	assert_int_equal(store_expunge(d->s, id, NULL, 0, true, &modseq), 0);
	assert_string_equal(listing(d, "INBOX", list), "");
	/* UIDs are not used again. */
	assert_int_equal(deliver(d, "INBOX", "next"), 5);
	assert_content(d);
}

/* A process that holds a mailbox until its end of the pipe is closed. */
static pid_t
start_reader(struct account_dir *d, uint32_t id, int *end)
{
	struct store *other;
	int up[2], down[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	if ((pid = fork()) == 0) {
		/* The environment is opened after fork. */
		(void)close(down[1]);	/* the parent's */
		other = store_open(&d->o);
		if (other == NULL || store_hold(other, id) == -1 ||
		    write(up[1], "r", 1) != 1)
			_exit(1);
		_exit(read(down[0], &c, 1) != 0);
	}
	assert_int_not_equal(pid, -1);
	(void)close(up[1]);		/* the child's */
	(void)close(down[0]);
	assert_int_equal(read(up[0], &c, 1), 1);
	(void)close(up[0]);		/* nothing follows */
	*end = down[1];
	return pid;
}

static void
expunged_stay_readable_for_readers(void **state)
{
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX"), uid = deliver(d, "INBOX", "x");
	struct bytes m;
	int end, status;
	pid_t pid = start_reader(d, id, &end);

	assert_int_equal(store_expunge(d->s, id, &uid, 1, true, NULL), 0);
	assert_false(is_there(d, id, uid));
	assert_int_equal(store_message_map(d->s, id, uid, &m), 0);
	assert_true(bytes_starts(m, BYTES("From:")));
	store_unmap(m);
	(void)close(end);		/* it ends */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* Nobody else reads there: gone at once. */
	assert_int_equal(store_hold(d->s, id), 0);
	uid = deliver(d, "INBOX", "y");
	assert_int_equal(store_expunge(d->s, id, &uid, 1, true, NULL), 0);
	assert_int_equal(store_message_fd(d->s, id, uid), -1);
	assert_int_equal(errno, ENOENT);
}

/* Who begins to read waits until no more files are removed (S-10). */
static void
readers_wait_for_removals(void **state)
{
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX"), other = id_of(d, "Archive");
	struct timespec soon = { 0, 50 * 1000 * 1000 };
	struct store *reader;
	int up[2], status;
	pid_t pid;
	char c;

	assert_int_equal(pipe(up), 0);
	assert_true(readers_shut_out(d->s, id));
	if ((pid = fork()) == 0) {
		reader = store_open(&d->o);
		if (reader == NULL || readers_shut_out(reader, other) ||
		    write(up[1], "a", 1) != 1 ||
		    store_hold(reader, id) == -1 || write(up[1], "b", 1) != 1)
			_exit(1);
		_exit(0);
	}
	(void)close(up[1]);		/* the child's */
	assert_int_equal(read(up[0], &c, 1), 1);
	(void)nanosleep(&soon, NULL);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	readers_let_in(d->s);
	assert_int_equal(read(up[0], &c, 1), 1);
	assert_int_equal(c, 'b');
	(void)close(up[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
copies_carry_flags_and_dates(void **state)
{
	struct account_dir *d = *state;
	uint32_t from = id_of(d, "INBOX"), to = id_of(d, "Archive");
	uint32_t uids[3], new_uids[3], third[3];
	struct store_message a, b;
	struct store_view *v;
	struct stat sa, sb;
	char path[1024], list[4096];
	unsigned int i;

	uids[0] = deliver(d, "INBOX", "new");
	uids[1] = deliver_flags(d, "INBOX", "seen", STORE_SEEN | STORE_JUNK);
	uids[2] = 99;
	assert_int_equal(set(d, STORE_ADD, 0, "blue", uids[1], NULL), 0);
	assert_int_equal(store_copy(d->s, from, uids, 3, to, false,
	    new_uids), 0);
	assert_int_equal(new_uids[0], 1);
	assert_int_equal(new_uids[1], 2);
	assert_int_equal(new_uids[2], 0);
	v = store_view_open(d->s);
	assert_int_equal(store_message_get(v, from, uids[1], &a), 1);
	assert_int_equal(store_message_get(v, to, 2, &b), 1);
	assert_int_equal(a.flags, b.flags);
	assert_int_equal(a.internal_date, b.internal_date);
	assert_int_equal(a.size_crlf, b.size_crlf);
	assert_true(bytes_eq(a.envelope, b.envelope));
	assert_int_equal(store_keyword_find(v, to, BYTES("blue"), &i), 1);
	assert_true(store_keyword_has(&b.keywords, i));
	store_view_close(v);
	/* One file with two names. */
	assert_int_equal(stat(file_of(d, path, from, uids[1]), &sa), 0);
	assert_int_equal(stat(file_of(d, path, to, 2), &sb), 0);
	assert_int_equal(sa.st_ino, sb.st_ino);
	/* Into the same mailbox, and moved. */
	assert_int_equal(store_copy(d->s, to, new_uids, 2, to, false,
	    third), 0);
	assert_string_equal(listing(d, "Archive", list),
	    "1:new 2:seen 3:new 4:seen");
	assert_int_equal(store_copy(d->s, to, third, 2, to, true,
	    new_uids), 0);
	assert_string_equal(listing(d, "Archive", list),
	    "1:new 2:seen 5:new 6:seen");
	assert_int_equal(store_copy(d->s, to, new_uids, 2, from, true,
	    third), 0);
	assert_string_equal(listing(d, "INBOX", list),
	    "1:new 2:seen 3:new 4:seen");
	assert_content(d);
}

/* ---- mailboxes ---- */

static void
names_are_checked(void **state)
{
	static const struct {
		const char *name, *want;	/* NULL: refused */
	} row[] = {
		{ "Work", "Work" }, { "inbox", "INBOX" },
		{ "InBoX/sub", "INBOX/sub" }, { "a/b/c", "a/b/c" },
		{ "Entwu\314\210rfe", "Entw\303\274rfe" },
		{ "inboxes", "inboxes" }, { "a/inbox", "a/inbox" },
		{ "a.b", "a.b" }, { "...", "..." }, { "a b", "a b" },
		{ "", NULL }, { "/a", NULL }, { "a/", NULL }, { "a//b", NULL },
		{ ".", NULL }, { "..", NULL }, { "a/./b", NULL },
		{ "a/..", NULL }, { "a\nb", NULL }, { "a\177", NULL },
		{ "a\302\205", NULL }, { "a\377", NULL },
		{ "\342\200\250", NULL },
	};
	struct arena a = ARENA_INIT;
	char name[STORE_NAME_MAX + 2];
	struct bytes got;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(row); i++) {
		int r = store_name_check(&a, bytes_str(row[i].name), &got,
		    &why);

		if (row[i].want == NULL) {
			assert_int_equal(r, -1);
			assert_int_equal(errno, EINVAL);
			assert_non_null(why);
		} else {
			assert_int_equal(r, 0);
			assert_true(bytes_eq(got, bytes_str(row[i].want)));
		}
	}
	memset(name, 'n', sizeof(name));
	/* The folder name has a dot more. */
	assert_int_equal(store_name_check(&a,
	    bytes_of(name, STORE_NAME_MAX - 1), &got, NULL), 0);
	assert_int_equal(store_name_check(&a,
	    bytes_of(name, STORE_NAME_MAX), &got, NULL), -1);
	arena_free(&a);
}

static void
account_names_are_checked(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} row[] = {
		{ "a", true }, { "alice.b-c_d", true }, { "9", true },
		{ "", false }, { ".a", false }, { "-a", false },
		{ "a..b", false }, { "A", false }, { "a/b", false },
		{ "\303\244", false },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaa", true },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaa", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(row); i++)
		assert_int_equal(store_account_valid(row[i].name),
		    row[i].valid);
}

static void
mailboxes_are_made_and_removed(void **state)
{
	struct account_dir *d = *state;
	struct store_mailbox m;
	uint32_t id, uidvalidity;

	assert_int_equal(store_mailbox_create(d->s, BYTES("A/B/C"), 0, &id),
	    0);
	assert_true(find_box(d, "A", &m) && find_box(d, "A/B", &m));
	assert_int_equal(store_mailbox_create(d->s, BYTES("A/B"), 0, NULL),
	    -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(store_mailbox_create(d->s, BYTES("inbox"), 0, NULL),
	    -1);
	assert_int_equal(store_mailbox_delete(d->s, BYTES("A/B")), -1);
	assert_int_equal(errno, ENOTEMPTY);
	assert_int_equal(store_mailbox_delete(d->s, BYTES("Inbox")), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(store_mailbox_delete(d->s, BYTES("none")), -1);
	assert_int_equal(errno, ENOENT);
	uidvalidity = box_of(d, "A/B/C").uidvalidity;
	deliver(d, "A/B/C", "x");
	assert_int_equal(store_mailbox_delete(d->s, BYTES("A/B/C")), 0);
	assert_false(find_box(d, "A/B/C", &m));
	assert_content(d);
	/* Made again it is another one. */
	assert_int_equal(store_mailbox_create(d->s, BYTES("A/B/C"), 0, NULL),
	    0);
	m = box_of(d, "A/B/C");
	assert_true(m.uidvalidity > uidvalidity);
	assert_int_not_equal(m.id, id);
	assert_int_equal(m.total, 0);
	assert_content(d);
}

static void
renamed_mailboxes_keep_all(void **state)
{
	struct account_dir *d = *state;
	struct store_mailbox m, old;
	char list[4096];

	deliver(d, "A/B", "in b");
	deliver(d, "A", "in a");
	deliver(d, "AB", "other");
	old = box_of(d, "A/B");
	assert_int_equal(store_mailbox_rename(d->s, BYTES("A"),
	    BYTES("New/Top")), 0);
	assert_false(find_box(d, "A", &m));
	assert_true(find_box(d, "New", &m));
	assert_true(find_box(d, "AB", &m));
	m = box_of(d, "New/Top/B");
	assert_int_equal(m.id, old.id);
	assert_int_equal(m.uidvalidity, old.uidvalidity);
	assert_true(m.subscribed);
	assert_string_equal(listing(d, "New/Top/B", list), "1:in b");
	assert_int_equal(deliver(d, "New/Top/B", "more"), 2);
	assert_int_equal(store_mailbox_rename(d->s, BYTES("New"),
	    BYTES("New/x")), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(store_mailbox_rename(d->s, BYTES("New"),
	    BYTES("Sent")), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(store_mailbox_rename(d->s, BYTES("none"),
	    BYTES("x")), -1);
	assert_int_equal(errno, ENOENT);
	assert_content(d);
}

/* I-14 */
static void
renaming_the_inbox_moves_its_messages(void **state)
{
	struct account_dir *d = *state;
	char list[4096];

	deliver(d, "INBOX", "a");
	deliver(d, "INBOX/child", "c");
	deliver(d, "INBOX", "b");
	assert_int_equal(store_mailbox_rename(d->s, BYTES("INBOX"),
	    BYTES("Old")), 0);
	assert_string_equal(listing(d, "INBOX", list), "");
	assert_string_equal(listing(d, "Old", list), "1:a 2:b");
	assert_string_equal(listing(d, "INBOX/child", list), "1:c");
	assert_content(d);
}

/* S-4: by flag, never by name. */
static void
special_uses_are_flags(void **state)
{
	struct account_dir *d = *state;
	struct store_mailbox m;
	struct store_view *v;

	assert_int_equal(box_of(d, "Sent").use, STORE_USE_SENT);
	assert_int_equal(store_mailbox_rename(d->s, BYTES("Sent"),
	    BYTES("Gesendet")), 0);
	assert_int_equal(store_mailbox_create(d->s, BYTES("Sent"), 0, NULL),
	    0);
	v = store_view_open(d->s);
	assert_int_equal(store_mailbox_use(v, STORE_USE_SENT, &m), 1);
	assert_true(bytes_eq(m.name, BYTES("Gesendet")));
	store_view_close(v);
	/* Given to another, it is taken off the first. */
	assert_int_equal(store_mailbox_set_use(d->s, BYTES("Sent"),
	    STORE_USE_SENT), 0);
	assert_int_equal(box_of(d, "Gesendet").use, 0);
	assert_int_equal(box_of(d, "Sent").use, STORE_USE_SENT);
	assert_int_equal(store_mailbox_create(d->s, BYTES("Trash2"),
	    STORE_USE_TRASH, NULL), 0);
	assert_int_equal(box_of(d, "Trash").use, 0);
	assert_content(d);
}

static void
subscriptions_are_kept(void **state)
{
	struct account_dir *d = *state;
	struct buf b = BUF_INIT(4096);
	size_t at;

	assert_true(box_of(d, "INBOX").subscribed);
	assert_int_equal(store_mailbox_subscribe(d->s, BYTES("Sent"), false),
	    0);
	assert_int_equal(store_mailbox_subscribe(d->s, BYTES("Not/There"),
	    true), 0);
	assert_false(box_of(d, "Sent").subscribed);
	assert_int_equal(store_subscriptions(d->s, &b), 0);
	assert_true(bytes_find(buf_bytes(&b), BYTES("Not/There"), &at));
	assert_false(bytes_find(buf_bytes(&b), BYTES("Sent"), &at));
	buf_free(&b);
}

/* ---- changes ---- */

/* "kind:mailbox:first-last" of all changes since. */
static const char *
feed(struct account_dir *d, uint64_t since, char out[4096])
{
	struct store_view *v = store_view_open(d->s);
	struct store_change c;
	uint64_t last = since;
	size_t n = 0;
	int r;

	out[0] = '\0';
	for (r = store_change_first(v, since, &c); r == 1;
	    r = store_change_next(v, &c)) {
		assert_true(c.modseq >= last);
		last = c.modseq;
		n += (size_t)snprintf(out + n, 4096 - n, "%s%d:%u:%u-%u",
		    n == 0 ? "" : " ", (int)c.kind, c.mailbox, c.uid_first,
		    c.uid_last);
	}
	assert_int_equal(r, 0);
	assert_true(n == 0 || last <= store_view_modseq(v));
	store_view_close(v);
	return out;
}

/* S-9, S-12 */
static void
changes_are_fed(void **state)
{
	struct account_dir *d = *state;
	uint32_t uids[5], new_uids[5], i;
	struct store_flag_change c = { .how = STORE_ADD,
	    .flags = STORE_SEEN, .unchanged_since = UINT64_MAX };
	uint64_t since, modseq;
	char text[4096];

	reopen(d);
	since = box_of(d, "INBOX").modseq;
	for (i = 0; i < 3; i++)
		uids[i] = deliver(d, "INBOX", "x");
	assert_string_equal(feed(d, since, text), "1:1:1-1 1:1:2-2 1:1:3-3");
	since += 3;
	uids[3] = 77;
	assert_int_equal(store_flags(d->s, 1, uids, 4, &c, &modseq, NULL),
	    0);
	assert_int_equal(modseq, since + 1);
	assert_string_equal(feed(d, since, text), "2:1:1-3");
	since++;
	assert_int_equal(store_copy(d->s, 1, uids, 2, 2, true, new_uids), 0);
	assert_string_equal(feed(d, since, text), "1:2:1-2 3:1:1-2");
	since++;
	assert_int_equal(store_mailbox_create(d->s, BYTES("Z"), 0, NULL), 0);
	assert_string_equal(feed(d, since, text), "4:7:0-0 8:7:0-0");
	since++;
	assert_int_equal(set(d, STORE_ADD, 0, "blue", 3, &modseq), 0);
	assert_string_equal(feed(d, since, text), "10:1:0-0 2:1:3-3");
	since++;
	assert_int_equal(store_mailbox_rename(d->s, BYTES("Z"), BYTES("Y")),
	    0);
	assert_int_equal(store_mailbox_delete(d->s, BYTES("Y")), 0);
	assert_non_null(strstr(feed(d, since, text), "6:7:0-0"));
	assert_non_null(strstr(text, "5:7:0-0"));
	assert_string_equal(feed(d, UINT64_MAX, text), "");
	assert_content(d);
}

static bool
readable(int fd)
{
	char c;
	bool r = read(fd, &c, 1) == 1;

	return r;
}

static void
listeners_are_woken(void **state)
{
	struct account_dir *d = *state;
	char path[1024];
	int fd = store_listen(d->s), i, status;
	struct store *other;
	pid_t pid;

	assert_int_not_equal(fd, -1);
	assert_int_equal(store_listen(d->s), fd);
	assert_false(readable(fd));
	if ((pid = fork()) == 0) {
		/* Another process; the environment is opened after fork. */
		struct store_options o = d->o;
		char text[256];
		struct bytes piece = text_message(text, "other");
		struct store_incoming in = { .pieces = &piece, .count = 1 };

		other = store_open(&o);
		_exit(other == NULL || store_deliver(other, BYTES("INBOX"),
		    &in, NULL) == -1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(readable(fd));
	store_listen_drain(d->s);
	assert_false(readable(fd));
	/* A full FIFO does not stop writers. */
	for (i = 0; i < 70000; i++)
		wake(d->s);
	deliver(d, "INBOX", "x");
	store_listen_drain(d->s);
	/* A dead one is removed by the next writer. */
	(void)snprintf(path, sizeof(path), "%s/watch/alice/999.1", d->run);
	assert_int_equal(mkfifo(path, 0600), 0);
	deliver(d, "INBOX", "y");
	assert_int_equal(access(path, F_OK), -1);
}

static void
message_ids_are_found(void **state)
{
	struct account_dir *d = *state;
	struct store_place at = { 0 };
	struct store_view *v;
	uint64_t hash = store_message_id_hash(BYTES("one@EXAMPLE.org"));
	uint32_t uid;

	deliver(d, "INBOX", "one");
	deliver(d, "INBOX", "two");
	deliver(d, "Sent", "one");
	v = store_view_open(d->s);
	assert_int_equal(store_message_id_next(v, hash, &at), 1);
	assert_int_equal(at.mailbox, 1);
	assert_int_equal(at.uid, 1);
	assert_int_equal(store_message_id_next(v, hash, &at), 1);
	assert_int_equal(at.mailbox, 2);
	assert_int_equal(store_message_id_next(v, hash, &at), 0);
	store_view_close(v);
	uid = 1;
	assert_int_equal(store_expunge(d->s, 1, &uid, 1, true, NULL), 0);
	at = (struct store_place){ 0 };
	v = store_view_open(d->s);
	assert_int_equal(store_message_id_next(v, hash, &at), 1);
	assert_int_equal(at.mailbox, 2);
	store_view_close(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S-2 delivered messages are there, whole",
		    delivered_messages_are_there),
		TEST("S-11 delivery makes mailboxes and parents",
		    delivery_makes_mailboxes),
		TEST("S-5 size is prefix and file", sizes_are_prefix_and_file),
		TEST("append is all or none", append_is_all_or_none),
		TEST("S-3 origin facts are kept", origin_facts_are_kept),
		TEST("S-7 flags are letters of the name",
		    flags_are_letters_of_the_name),
		TEST("S-8 keywords: letters, index, limit and one past",
		    keywords_have_letters_and_more),
		TEST("S-8 bad keywords are refused",
		    bad_keywords_are_refused),
		TEST("S-7 flag names are known", flag_names_are_known),
		TEST("S-9 unchanged-since is kept", unchanged_since_is_kept),
		TEST("S-6 counts are kept with every change",
		    counts_are_kept_with_every_change),
		TEST("S-13 quota at the limit and one past",
		    quota_refuses_what_is_over),
		TEST("expunge keeps the rest", expunge_keeps_the_rest),
		TEST("S-10 expunged messages stay readable for readers",
		    expunged_stay_readable_for_readers),
		TEST("S-10: who begins to read waits for files that go",
		    readers_wait_for_removals),
		TEST("copies carry flags, keywords and dates",
		    copies_carry_flags_and_dates),
		TEST("S-11 mailbox names are checked", names_are_checked),
		TEST("account names are checked", account_names_are_checked),
		TEST("S-11 mailboxes are made and removed",
		    mailboxes_are_made_and_removed),
		TEST("renamed mailboxes keep all", renamed_mailboxes_keep_all),
		TEST("I-14 renaming the inbox moves its messages",
		    renaming_the_inbox_moves_its_messages),
		TEST("S-4 special uses are flags, not names",
		    special_uses_are_flags),
		TEST("subscriptions are kept", subscriptions_are_kept),
		TEST("S-9 S-12 changes are fed", changes_are_fed),
		TEST("S-12 listeners are woken", listeners_are_woken),
		TEST("Message-IDs are found", message_ids_are_found),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
