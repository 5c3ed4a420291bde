/*
 * store_sync_test.c - what other programs do, crashes, damage, proof
 */
#include "store_fixture.h"

#define BODY "Subject: out\n\nbody\n"

/* Rename a message file: its suffix becomes that, in cur/. */
static void
rename_suffix(struct account_dir *d, uint32_t mailbox, uint32_t uid,
    const char *suffix)
{
	char from[1024], to[1024], *slash;
	struct maildir_name n;

	file_of(d, from, mailbox, uid);
	slash = strrchr(from, '/');
	maildir_name_parse(bytes_str(slash + 1), &n);
	(void)snprintf(to, sizeof(to), "%.*s/cur/%.*s%s",
	    (int)(slash - 4 - from), from, BYTES_ARG(n.base), suffix);
	assert_int_equal(rename(from, to), 0);
}

/* ---- other programs ---- */

static void
foreign_deliveries_are_adopted(void **state)
{
	static const struct {
		const char *file;
		uint32_t uid, flags;
	} row[] = {
		/* In the order of their times, after those with UIDs. */
		{ "Maildir/cur/20.x,U=300:2,S", 300, STORE_SEEN },
		{ "Maildir/new/10.b", 301, 0 },
		{ "Maildir/new/11.c:2,F", 302, STORE_FLAGGED },
		{ "Maildir/cur/12.d", 303, 0 },
		{ "Maildir/cur/13.e:1,weird", 304, 0 },
		{ "Maildir/cur/14.f,S=1,W=1:2,T", 305, STORE_DELETED },
	};
	struct account_dir *d = *state;
	struct store_view *v;
	struct store_message m;
	char path[1024];
	size_t i;

	for (i = 0; i < COUNT(row); i++)
		put_file(d, row[i].file, BODY);
	assert_int_equal(store_sync(d->s, 0, false), 1);
	for (i = 0; i < COUNT(row); i++) {
		assert_int_equal(flags_of(d, 1, row[i].uid), row[i].flags);
		file_of(d, path, 1, row[i].uid);
		assert_int_equal(access(path, F_OK), 0);
	}
	assert_int_equal(box_of(d, "INBOX").total, COUNT(row));
	/* A wrong S= is not kept in the name. */
	v = store_view_open(d->s);
	assert_int_equal(store_message_get(v, 1, 305, &m), 1);
	assert_int_equal(m.size, strlen(BODY));
	store_view_close(v);
	assert_content(d);
	settle();
	(void)store_sync(d->s, 0, false);
	settle();
	assert_int_equal(store_sync(d->s, 0, false), 0);
}

static void
outside_flags_are_taken(void **state)
{
	struct account_dir *d = *state;
	uint32_t a = deliver(d, "INBOX", "a"), b = deliver(d, "INBOX", "b");
	struct store_flag_change c = { .how = STORE_ADD,
	    .flags = STORE_ANSWERED, .unchanged_since = UINT64_MAX };
	uint64_t modseq = box_of(d, "INBOX").modseq;
	char path[1024];

	rename_suffix(d, 1, a, ":2,FS");
	assert_int_equal(store_sync(d->s, 1, false), 1);
	assert_int_equal(flags_of(d, 1, a), STORE_FLAGGED | STORE_SEEN);
	assert_true(box_of(d, "INBOX").modseq > modseq);
	assert_content(d);
	/* Letters without a meaning for us survive our own changes. */
	rename_suffix(d, 1, b, ":2,SXz");
	assert_int_equal(store_flags(d->s, 1, &b, 1, &c, NULL, NULL), 0);
	assert_int_equal(flags_of(d, 1, b), STORE_ANSWERED | STORE_SEEN);
	file_of(d, path, 1, b);
	assert_string_equal(strrchr(path, ':'), ":2,RSXz");
	(void)store_sync(d->s, 1, false);
	assert_content(d);
}

/* What we are asked to take off, another program set meanwhile. */
static void
outside_flags_do_not_undo_ours(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "INBOX", "a");
	struct store_flag_change c = { .how = STORE_REMOVE,
	    .flags = STORE_SEEN | STORE_FLAGGED,
	    .unchanged_since = UINT64_MAX };

	assert_int_equal(store_sync(d->s, 1, true), 0);
	rename_suffix(d, 1, uid, ":2,S");
	c.how = STORE_REPLACE;
	c.flags = STORE_DRAFT;
	assert_int_equal(store_flags(d->s, 1, &uid, 1, &c, NULL, NULL), 0);
	assert_int_equal(flags_of(d, 1, uid), STORE_DRAFT);
	rename_suffix(d, 1, uid, ":2,DF");
	c.how = STORE_ADD;
	c.flags = STORE_SEEN;
	assert_int_equal(store_flags(d->s, 1, &uid, 1, &c, NULL, NULL), 0);
	assert_int_equal(flags_of(d, 1, uid), STORE_DRAFT | STORE_FLAGGED |
	    STORE_SEEN);
	(void)store_sync(d->s, 1, false);
	assert_content(d);
}

/* .uidvalidity lost or changed: rebuilding writes it again. */
static void
lost_uidvalidity_files_are_written_again(void **state)
{
	struct account_dir *d = *state;
	struct maildir_uids u;
	char path[1024];
	int fd;

	deliver(d, "INBOX", "a");
	assert_int_equal(unlink(path_of(d, path, "Maildir/.uidvalidity")),
	    0);
	assert_int_equal(store_rebuild(d->s), 0);
	fd = open(path_of(d, path, "Maildir"), O_RDONLY | O_DIRECTORY);
	assert_int_equal(maildir_uids_read(fd, &u), 1);
	assert_int_equal(u.uidvalidity, box_of(d, "INBOX").uidvalidity);
	assert_true(u.highest >= 1);
	(void)close(fd);
	assert_content(d);
}

/* A Maildir someone else made, without an index, and an empty one. */
static void
foreign_maildirs_become_accounts(void **state)
{
	struct account_dir *d = *state;
	char path[1024];

	store_close(d->s);
	remove_tree(d->dir);
	assert_int_equal(mkdir(d->dir, 0700), 0);
	assert_int_equal(mkdir(path_of(d, path, "Maildir"), 0700), 0);
	d->o.create = false;
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_int_equal(box_of(d, "INBOX").total, 0);
	assert_int_equal(deliver(d, "INBOX", "a") > 0, 1);
	assert_content(d);
}

static void
outside_removal_is_an_expunge(void **state)
{
	struct account_dir *d = *state;
	uint32_t a = deliver(d, "INBOX", "a"), b = deliver(d, "INBOX", "b");
	char path[1024];

	assert_int_equal(unlink(file_of(d, path, 1, a)), 0);
	assert_int_equal(store_message_fd(d->s, 1, a), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(store_sync(d->s, 1, false), 1);
	assert_false(is_there(d, 1, a));
	assert_true(is_there(d, 1, b));
	assert_non_null(strstr(d->events, "missing"));
	assert_content(d);
}

static void
messages_moved_by_others_are_found(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "INBOX", "a");
	char from[1024], to[1024];
	struct bytes m;
	char *slash;

	/* Renamed, not yet looked at: still readable. */
	rename_suffix(d, 1, uid, ":2,RS");
	assert_int_equal(store_message_map(d->s, 1, uid, &m), 0);
	store_unmap(m);
	/* Into another folder: a new UID there, expunged here. */
	deliver(d, "Sent", "s");
	file_of(d, from, 1, uid);
	slash = strrchr(from, '/');
	path_of(d, to, "Maildir/.Sent/cur/%s", slash + 1);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(store_sync(d->s, 0, false), 1);
	assert_false(is_there(d, 1, uid));
	assert_int_equal(flags_of(d, id_of(d, "Sent"), 2), STORE_SEEN |
	    STORE_ANSWERED);
	assert_content(d);
}

static void
duplicate_uids_get_new_ones(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "INBOX", "orig");
	char path[1024], list[4096], copy[1024];

	put_file(d, "Maildir/cur/1.other,U=1:2,S", "Subject: dup\n\nx\n");
	assert_int_equal(store_sync(d->s, 1, false), 1);
	assert_string_equal(listing(d, "INBOX", list), "1:orig 2:dup");
	assert_content(d);
	/* The very same name with another info: two files, two messages. */
	file_of(d, path, 1, uid);
	(void)snprintf(copy, sizeof(copy), "%s/Maildir/cur/%s:2,F", d->dir,
	    strrchr(path, '/') + 1);
	assert_int_equal(link(path, copy), 0);
	/* In time; until then it may be on its way. */
	assert_int_equal(store_sync(d->s, 1, false), 0);
	assert_string_equal(listing(d, "INBOX", list), "1:orig 2:dup");
	assert_int_equal(store_rebuild(d->s), 0);
	assert_string_equal(listing(d, "INBOX", list),
	    "1:orig 2:dup 3:orig");
	assert_content(d);
}

static void
wild_uids_do_not_use_all_up(void **state)
{
	struct account_dir *d = *state;

	put_file(d, "Maildir/new/1.a,U=4294967295", BODY);
	put_file(d, "Maildir/new/2.a,U=2147483000", BODY);
	assert_int_equal(store_sync(d->s, 1, false), 1);
	assert_true(box_of(d, "INBOX").uidnext < 1000);
	assert_int_equal(box_of(d, "INBOX").total, 2);
	assert_content(d);
}

static void
foreign_things_are_tolerated(void **state)
{
	struct account_dir *d = *state;
	char path[1024], list[4096];

	deliver(d, "INBOX", "a");
	assert_int_equal(mkdir(path_of(d, path, "Maildir/new/dir"), 0700),
	    0);
	assert_int_equal(mkfifo(path_of(d, path, "Maildir/new/fifo"), 0600),
	    0);
	assert_int_equal(symlink("/etc/passwd",
	    path_of(d, path, "Maildir/cur/link")), 0);
	put_file(d, "Maildir/cur/.hidden", "x");
	put_file(d, "Maildir/new/name with blank\n", BODY);
	put_file(d, "Maildir/new/\377\376", BODY);
	assert_int_equal(mkdir(path_of(d, path, "Maildir/.bad&name"), 0700),
	    0);
	assert_int_equal(mkdir(path_of(d, path, "Maildir/.bad&name/cur"),
	    0700), 0);
	assert_int_equal(store_sync(d->s, 0, false), 1);
	assert_non_null(strstr(d->events, "foreign "));
	assert_non_null(strstr(d->events, "foreign-folder "));
	assert_int_equal(box_of(d, "INBOX").total, 3);
	assert_content(d);
	assert_non_null(listing(d, "INBOX", list));
	assert_int_equal(access(path_of(d, path, "Maildir/new/dir"), F_OK),
	    0);
}

static void
unreadable_files_are_left_alone(void **state)
{
	struct account_dir *d = *state;
	char path[1024];

	if (geteuid() == 0) {
		print_message("# SKIP root can read everything\n");
		return;
	}
	put_file(d, "Maildir/new/1.a", BODY);
	assert_int_equal(chmod(path_of(d, path, "Maildir/new/1.a"), 0), 0);
	put_file(d, "Maildir/new/2.a", BODY);
	assert_int_equal(store_sync(d->s, 1, false), 1);
	assert_int_equal(box_of(d, "INBOX").total, 1);
	assert_non_null(strstr(d->events, "unreadable"));
	assert_int_equal(chmod(path, 0600), 0);
}

static void
long_names_are_shortened(void **state)
{
	struct account_dir *d = *state;
	char name[300];
	int n = snprintf(name, sizeof(name), "Maildir/new/1.");

	memset(name + n, 'l', 240);
	name[n + 240] = '\0';
	put_file(d, name, BODY);
	assert_int_equal(store_sync(d->s, 1, false), 1);
	assert_int_equal(box_of(d, "INBOX").total, 1);
	assert_content(d);
}

/* More than one transaction takes. */
static void
many_files_are_adopted(void **state)
{
	struct account_dir *d = *state;
	char name[64];
	int i;

	for (i = 0; i < SYNC_BATCH * 2 + 10; i++) {
		(void)snprintf(name, sizeof(name), "Maildir/new/%d.x", i + 1);
		put_file(d, name, BODY);
	}
	assert_int_equal(store_sync(d->s, 1, false), 1);
	assert_int_equal(box_of(d, "INBOX").total, SYNC_BATCH * 2 + 10);
	assert_content(d);
}

static void
claimed_messages_are_in_cur(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "INBOX", "a");
	char path[1024];

	assert_non_null(strstr(file_of(d, path, 1, uid), "/new/"));
	assert_int_equal(store_sync(d->s, 1, true), 0);
	assert_non_null(strstr(file_of(d, path, 1, uid), "/cur/"));
	assert_non_null(strstr(path, ":2,"));
	assert_content(d);
	settle();
	assert_int_equal(store_sync(d->s, 1, true), 0);
	assert_content(d);
}

static void
keywords_of_others_are_taken(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "INBOX", "a");
	struct store_message m;
	struct store_view *v;
	struct bytes name;

	put_file(d, "Maildir/dovecot-keywords", "0 Blue\n2 $Junk\n");
	rename_suffix(d, 1, uid, ":2,ac");
	assert_int_equal(store_sync(d->s, 1, false), 1);
	v = store_view_open(d->s);
	assert_int_equal(store_message_get(v, 1, uid, &m), 1);
	assert_int_equal(m.flags, STORE_JUNK);
	assert_true(store_keyword_has(&m.keywords, 0));
	assert_int_equal(store_keyword_name(v, 1, 0, &name), 1);
	assert_true(bytes_eq(name, BYTES("blue")));
	store_view_close(v);
	assert_content(d);
}

static void
folders_of_others_are_taken(void **state)
{
	struct account_dir *d = *state;
	struct store_mailbox m, old;
	char path[1024], to[1024], list[4096];

	assert_int_equal(mkdir(path_of(d, path, "Maildir/.New"), 0700), 0);
	assert_int_equal(mkdir(path_of(d, path, "Maildir/.New/cur"), 0700),
	    0);
	put_file(d, "Maildir/.New/cur/1.x,U=7:2,S", BODY);
	put_file(d, "Maildir/.New/.uidvalidity", "12345\n9\n");
	deliver(d, "Work", "w");
	assert_int_equal(store_sync(d->s, 0, false), 1);
	m = box_of(d, "New");
	assert_int_equal(m.uidvalidity, 12345);
	assert_int_equal(m.uidnext, 10);
	assert_string_equal(listing(d, "New", list), "7:out");
	/* Renamed by another program: the same mailbox. */
	old = box_of(d, "Work");
	path_of(d, path, "Maildir/.Work");
	assert_int_equal(rename(path, path_of(d, to, "Maildir/.Play")), 0);
	settle();
	assert_int_equal(store_sync(d->s, 0, false), 1);
	assert_false(find_box(d, "Work", &m));
	m = box_of(d, "Play");
	assert_int_equal(m.id, old.id);
	assert_string_equal(listing(d, "Play", list), "1:w");
	assert_content(d);
	/* Removed by another program. */
	remove_tree(path_of(d, path, "Maildir/.Play"));
	settle();
	assert_int_equal(store_sync(d->s, 0, false), 1);
	assert_false(find_box(d, "Play", &m));
	assert_content(d);
}

static void
copied_folders_get_their_own_uidvalidity(void **state)
{
	struct account_dir *d = *state;
	char path[1024], command[64];
	struct maildir_uids u;
	int fd;

	deliver(d, "Work", "w");
	fd = open(path_of(d, path, "Maildir/.Work"), O_RDONLY | O_DIRECTORY);
	assert_int_equal(maildir_uids_read(fd, &u), 1);
	(void)close(fd);
	assert_int_equal(mkdir(path_of(d, path, "Maildir/.Copy"), 0700), 0);
	assert_int_equal(mkdir(path_of(d, path, "Maildir/.Copy/cur"), 0700),
	    0);
	(void)snprintf(command, sizeof(command), "%u\n%u\n", u.uidvalidity,
	    u.highest);
	put_file(d, "Maildir/.Copy/.uidvalidity", command);
	assert_int_equal(store_sync(d->s, 0, false), 1);
	assert_int_not_equal(box_of(d, "Copy").uidvalidity, u.uidvalidity);
	assert_int_equal(box_of(d, "Work").uidvalidity, u.uidvalidity);
	assert_content(d);
}

static void
subscriptions_of_others_are_taken(void **state)
{
	struct account_dir *d = *state;

	settle();
	put_file(d, "Maildir/subscriptions", "INBOX\nTrash\n");
	assert_int_equal(store_sync(d->s, 0, false), 1);
	assert_false(box_of(d, "Sent").subscribed);
	assert_true(box_of(d, "Trash").subscribed);
}

/* ---- crashes ---- */

/* S-20: a file linked but not committed, and the UID given again. */
static void
linked_files_are_taken_in(void **state)
{
	struct account_dir *d = *state;
	char name[128], list[4096];

	(void)snprintf(name, sizeof(name), "Maildir/new/9.killed,U=%u",
	    box_of(d, "INBOX").uidnext);
	put_file(d, name, "Subject: killed\n\nx\n");
	/* Another process delivers with the same UID before anyone looks. */
	assert_int_equal(deliver(d, "INBOX", "next"), 1);
	assert_int_equal(store_sync(d->s, 1, false), 1);
	assert_string_equal(listing(d, "INBOX", list), "1:next 2:killed");
	assert_content(d);
	/* Nobody did: the UID stays. */
	put_file(d, "Maildir/new/10.killed,U=3", "Subject: again\n\nx\n");
	assert_int_equal(store_sync(d->s, 1, false), 1);
	assert_string_equal(listing(d, "INBOX", list),
	    "1:next 2:killed 3:again");
	assert_content(d);
}

static void
copy_file_to(struct account_dir *d, const char *from, const char *to)
{
	char a[1024], b[1024];
	struct buf content = BUF_INIT(64 << 20);
	int fd;

	assert_int_equal(io_read_file(AT_FDCWD, path_of(d, a, "%s", from),
	    &content), 0);
	fd = open(path_of(d, b, "%s", to), O_WRONLY | O_CREAT | O_TRUNC,
	    0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, buf_bytes(&content), INT64_MAX), 0);
	(void)close(fd);
	buf_free(&content);
}

/* As if the index were of another boot. */
static void
forget_boot(struct account_dir *d)
{
	struct work w;

	assert_int_equal(work_begin(d->s, &w), 0);
	memset(w.state.boot, '0', MARK_FILE);
	w.dirty = true;
	assert_int_equal(work_commit(&w), 0);
	put_file(d, "index/boot", "other");
}

/*
 * Power loss takes back the last commit (the index as it was before) while
 * the message file, synced before the answer, is there.
 */
static void
lost_commits_are_made_up_for(void **state)
{
	struct account_dir *d = *state;
	uint32_t before;
	uint64_t modseq;
	char list[4096];
	uint32_t uid = deliver(d, "INBOX", "first");

	forget_boot(d);
	store_close(d->s);
	copy_file_to(d, "index/data.mdb", "saved");
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	before = deliver(d, "INBOX", "answered");
	modseq = box_of(d, "INBOX").modseq;
	store_close(d->s);
	copy_file_to(d, "saved", "index/data.mdb");
	put_file(d, "index/boot", "other");
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_non_null(strstr(d->events, "recovered"));
	(void)snprintf(list, sizeof(list), "%u:first %u:answered", uid,
	    before);
	{
		char got[4096];

		assert_string_equal(listing(d, "INBOX", got), list);
	}
	/* UIDs and modseq clients may have seen are not given again. */
	assert_true(box_of(d, "INBOX").uidnext > before);
	assert_true(deliver(d, "INBOX", "new") > before);
	assert_true(box_of(d, "INBOX").modseq > modseq);
	assert_content(d);
}

static void
lost_renames_are_made_up_for(void **state)
{
	struct account_dir *d = *state;
	uint32_t a = deliver(d, "INBOX", "kept"), b = deliver(d, "INBOX",
	    "lost");
	char path[1024];

	/* The commit is there, the link is not: nobody was answered. */
	assert_int_equal(unlink(file_of(d, path, 1, b)), 0);
	forget_boot(d);
	reopen(d);
	assert_true(is_there(d, 1, a));
	assert_false(is_there(d, 1, b));
	assert_true(deliver(d, "INBOX", "next") > b + UID_JUMP - 1);
	assert_content(d);
}

static void
uids_jump_after_another_boot(void **state)
{
	struct account_dir *d = *state;
	uint32_t uidnext;
	uint64_t modseq;
	struct store_view *v;

	deliver(d, "INBOX", "a");
	uidnext = box_of(d, "INBOX").uidnext;
	v = store_view_open(d->s);
	modseq = store_view_modseq(v);
	store_view_close(v);
	forget_boot(d);
	reopen(d);
	assert_int_equal(box_of(d, "INBOX").uidnext, uidnext + UID_JUMP);
	v = store_view_open(d->s);
	assert_true(store_view_modseq(v) >= modseq + MODSEQ_JUMP);
	store_view_close(v);
	/* Once only. */
	reopen(d);
	assert_int_equal(box_of(d, "INBOX").uidnext, uidnext + UID_JUMP);
	assert_content(d);
}

/* The index as it is, in another file, last swept so many seconds ago. */
static void
copy_index(struct account_dir *d, int64_t seconds)
{
	char from[1024], to[1024];
	struct work w;

	assert_int_equal(work_begin(d->s, &w), 0);
	w.state.swept = time_wall_us() / 1000000 - seconds;
	w.dirty = true;
	assert_int_equal(work_commit(&w), 0);
	store_close(d->s);
	copy_file_to(d, "index/data.mdb", "index/copy");
	(void)snprintf(from, sizeof(from), "%s/index/copy", d->dir);
	(void)snprintf(to, sizeof(to), "%s/index/data.mdb", d->dir);
	assert_int_equal(rename(from, to), 0);
	d->s = store_open(&d->o);
	assert_non_null(d->s);
}

/* A backup does not tell how long ago it was made. */
static void
uids_jump_further_after_a_copy(void **state)
{
	static const struct {
		int64_t ago;
		uint32_t least, most;
	} t[] = {
		{ 0, UID_JUMP_COPY, UID_JUMP_COPY + 6000 },
		{ 86400, UID_JUMP_COPY + 8640000, UID_JUMP_COPY + 8646000 },
		{ UID_JUMP_COPY_SECONDS_MAX, UID_JUMP_COPY + 259200000,
		    UID_JUMP_COPY + 259200000 },
		{ UID_JUMP_COPY_SECONDS_MAX + 1, UID_JUMP_COPY + 259200000,
		    UID_JUMP_COPY + 259200000 },
		{ -100000, UID_JUMP_COPY + 259200000,
		    UID_JUMP_COPY + 259200000 },
	};
	struct account_dir *d = *state;
	uint64_t modseq;
	uint32_t uidnext;
	size_t i;

	deliver(d, "INBOX", "a");
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		uidnext = box_of(d, "INBOX").uidnext;
		modseq = box_of(d, "INBOX").modseq;
		copy_index(d, t[i].ago);
		assert_true(box_of(d, "INBOX").uidnext - uidnext >=
		    t[i].least);
		assert_true(box_of(d, "INBOX").uidnext - uidnext <=
		    t[i].most);
		deliver(d, "INBOX", "b");
		assert_true(box_of(d, "INBOX").modseq > modseq);
	}
	assert_content(d);
}

/* Deleted right after a jump: its modseqs are above those of the jump. */
/* Of a backup that is older than the index: letters need their names. */
static void
keywords_lost_are_written_again(void **state)
{
	struct account_dir *d = *state;
	struct bytes name;
	struct store_view *v;
	char path[1024];

	put_file(d, "Maildir/cur/1.x:2,b", BODY);
	put_file(d, "Maildir/dovecot-keywords", "0 blue\n1 work\n");
	assert_int_equal(store_sync(d->s, 1, false), 1);
	put_file(d, "Maildir/dovecot-keywords", "0 red\n");
	put_file(d, "Maildir/cur/2.x:2,", BODY);
	assert_int_equal(store_sync(d->s, 1, false), 1);
	store_close(d->s);
	remove_tree(path_of(d, path, "index"));
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	v = store_view_open(d->s);
	assert_int_equal(store_keyword_name(v, 1, 0, &name), 1);
	assert_true(bytes_eq(name, BYTES("red")));
	assert_int_equal(store_keyword_name(v, 1, 1, &name), 1);
	assert_true(bytes_eq(name, BYTES("work")));
	store_view_close(v);
	assert_content(d);
}

static void
modseqs_rise_over_jumps_and_losses(void **state)
{
	struct account_dir *d = *state;
	char path[1024];
	uint64_t modseq = 0;
	int i;

	for (i = 0; i < 4; i++) {
		deliver(d, "INBOX", "a");
		assert_true(box_of(d, "INBOX").modseq > modseq);
		modseq = box_of(d, "INBOX").modseq;
		forget_boot(d);
		reopen(d);
		deliver(d, "INBOX", "b");
		assert_true(box_of(d, "INBOX").modseq > modseq);
		modseq = box_of(d, "INBOX").modseq;
		store_close(d->s);
		path_of(d, path, "index/data.mdb");
		assert_int_equal(unlink(path), 0);
		d->s = store_open(&d->o);
		assert_non_null(d->s);
	}
}

static void
wrong_counts_are_mended_after_another_boot(void **state)
{
	struct account_dir *d = *state;
	struct work w;
	struct box *b;

	deliver(d, "INBOX", "a");
	assert_int_equal(work_begin(d->s, &w), 0);
	b = work_box(&w, 1);
	b->rec.total = 77;
	b->dirty = true;
	w.state.quota_bytes += 5;
	w.dirty = true;
	assert_int_equal(work_commit(&w), 0);
	forget_boot(d);
	reopen(d);
	assert_int_equal(box_of(d, "INBOX").total, 1);
	assert_non_null(strstr(d->events, "counts-mended"));
	assert_content(d);
}

/* ---- damage ---- */

static void
lost_indexes_are_built_from_the_maildir(void **state)
{
	struct account_dir *d = *state;
	struct store_mailbox m, old;
	uint32_t a, b, junk;
	char path[1024], list[4096];

	a = deliver_flags(d, "INBOX", "a", STORE_SEEN | STORE_JUNK);
	b = deliver(d, "INBOX", "b");
	junk = deliver(d, "Work/Sub", "c");
	assert_int_equal(store_expunge(d->s, 1, &a, 1, true, NULL), 0);
	a = deliver_flags(d, "INBOX", "a2", STORE_SEEN | STORE_JUNK);
	assert_int_equal(store_mailbox_set_use(d->s, BYTES("Work"),
	    STORE_USE_ARCHIVE), 0);
	assert_int_equal(store_mailbox_subscribe(d->s, BYTES("Trash"),
	    false), 0);
	old = box_of(d, "INBOX");
	store_close(d->s);
	remove_tree(path_of(d, path, "index"));
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_string_equal(listing(d, "INBOX", list), "2:b 3:a2");
	assert_int_equal(flags_of(d, 1, a), STORE_SEEN | STORE_JUNK);
	assert_int_equal(flags_of(d, 1, b), 0);
	m = box_of(d, "INBOX");
	assert_int_equal(m.uidvalidity, old.uidvalidity);
	assert_true(m.uidnext >= old.uidnext);
	assert_true(is_there(d, id_of(d, "Work/Sub"), junk));
	assert_int_equal(box_of(d, "Work").use, STORE_USE_ARCHIVE);
	assert_int_equal(box_of(d, "Archive").use, 0);
	assert_false(box_of(d, "Trash").subscribed);
	assert_content(d);
}

static void
damaged_indexes_are_set_aside(void **state)
{
	static const char rubbish[5000] = "rubbish";
	struct account_dir *d = *state;
	char path[1024], list[4096];
	struct dirent *e;
	int fd, i, broken;
	off_t at;
	DIR *dir;

	for (i = 0; i < 3; i++) {
		deliver(d, "INBOX", "x");
		store_close(d->s);
		path_of(d, path, "index/data.mdb");
		fd = open(path, O_WRONLY);
		assert_int_not_equal(fd, -1);
		if (i == 0)		/* torn */
			assert_int_equal(ftruncate(fd, 20000), 0);
		else if (i == 1)	/* no LMDB file at all */
			assert_int_equal(pwrite(fd, rubbish, 5000, 0), 5000);
		else			/* pages overwritten, another boot */
			for (at = 2 * 4096; at < 60 * 4096; at += 4096)
				assert_int_equal(pwrite(fd, rubbish, 4096,
				    at), 4096);
		(void)close(fd);
		if (i == 2)
			put_file(d, "index/boot", "other");
		d->s = store_open(&d->o);
		assert_non_null(d->s);
		assert_int_equal(box_of(d, "INBOX").total, i + 1);
		assert_content(d);
		/* The names of those set aside have the second in them. */
		(void)sleep(1);
	}
	assert_string_equal(listing(d, "INBOX", list), list);
	assert_non_null(strstr(d->events, "damaged-index"));
	dir = opendir(d->dir);
	for (broken = 0; (e = readdir(dir)) != NULL;)
		broken += strncmp(e->d_name, "index.broken-", 13) == 0;
	(void)closedir(dir);
	assert_int_equal(broken, 3);
}

/* A record nobody can read: rebuilding begins from nothing but the Maildir. */
static void
unreadable_records_are_rebuilt(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver_flags(d, "INBOX", "x", STORE_SEEN);
	unsigned char key[KEY_MESSAGE];
	struct work w;

	key_message(key, 1, uid);
	assert_int_equal(work_begin(d->s, &w), 0);
	assert_int_equal(kv_put(w.t, TABLE_MESSAGE, bytes_of(key, 8),
	    BYTES("rubbish")), 0);
	w.dirty = true;
	assert_int_equal(work_commit(&w), 0);
	assert_int_equal(store_rebuild(d->s), 0);
	assert_non_null(strstr(d->events, "damaged-index"));
	assert_int_equal(flags_of(d, 1, uid), STORE_SEEN);
	assert_content(d);
	reopen(d);
	assert_content(d);
}

static void
newer_indexes_are_refused(void **state)
{
	struct account_dir *d = *state;
	unsigned char format[4];
	struct work w;

	assert_int_equal(work_begin(d->s, &w), 0);
	be32_put(format, STORE_FORMAT + 1);
	assert_int_equal(kv_put(w.t, TABLE_META, BYTES("format"),
	    bytes_of(format, 4)), 0);
	w.dirty = true;
	assert_int_equal(work_commit(&w), 0);
	store_close(d->s);
	d->s = store_open(&d->o);
	assert_null(d->s);
	assert_int_equal(errno, EPROTONOSUPPORT);
	assert_non_null(strstr(d->events, "newer-format"));
}

static void
accounts_without_maildir_are_refused(void **state)
{
	struct account_dir *d = *state;
	char path[1024];

	deliver(d, "INBOX", "x");
	store_close(d->s);
	remove_tree(path_of(d, path, "Maildir"));
	d->s = store_open(&d->o);
	assert_null(d->s);
	assert_int_equal(errno, ENOENT);
	d->o.create = false;
	d->o.dir = "/nonexistent/x";
	assert_null(store_open(&d->o));
	assert_int_equal(errno, ENOENT);
	d->o.account = "../x";
	assert_null(store_open(&d->o));
	assert_int_equal(errno, EINVAL);
}

/* ---- proof ---- */

static void
collect_kinds(void *ctx, const struct store_contradiction *c)
{
	char *kinds = ctx;
	size_t n = strlen(kinds);

	(void)snprintf(kinds + n, 1024 - n, "%s ", c->kind);
}

/* One claim each made wrong, and told. */
static void
contradictions_are_told(void **state)
{
	static const char *const row[] = { "missing-file", "stray-file",
	    "size", "flags", "counts", "quota", "envelope",
	    "bodystructure", "preview", "uidnext", "uidvalidity", "modseq",
	    "message-id", "change", "orphan", "mailbox-name", "folder" };
	struct account_dir *d = *state;
	struct store_message m, wrong;
	char path[1024], kinds[1024];
	struct arena a = ARENA_INIT;
	struct store_verify v;
	struct stat st;
	uint64_t count;
	struct work w;
	struct box *b;
	size_t i;
	uint32_t uid;

	for (i = 0; i < COUNT(row); i++) {
		const char *kind = row[i];
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "m%zu", i);
		uid = deliver(d, "INBOX", subject);
		assert_content(d);
		file_of(d, path, 1, uid);
		if (strcmp(kind, "missing-file") == 0)
			assert_int_equal(unlink(path), 0);
		if (strcmp(kind, "stray-file") == 0)
			put_file(d, "Maildir/new/5.stray", BODY);
		if (strcmp(kind, "size") == 0)
			assert_int_equal(truncate(path, 10), 0);
		if (strcmp(kind, "flags") == 0)
			rename_suffix(d, 1, uid, ":2,S");
		assert_int_equal(work_begin(d->s, &w), 0);
		b = work_box_open(&w, 1);
		assert_int_equal(work_get(&w, 1, uid, &m), 1);
		m = wrong = message_copy(&a, &m);
		b->dirty = w.dirty = true;
		if (strcmp(kind, "counts") == 0)
			b->rec.unseen++;
		if (strcmp(kind, "quota") == 0)
			w.state.quota_bytes++;
		if (strcmp(kind, "envelope") == 0)
			wrong.envelope = BYTES("NIL");
		if (strcmp(kind, "bodystructure") == 0)
			wrong.bodystructure = BYTES("NIL");
		if (strcmp(kind, "preview") == 0)
			wrong.preview = BYTES("NIL");
		if (strcmp(kind, "message-id") == 0)
			wrong.message_id_hash++;
		if (strcmp(kind, "modseq") == 0)
			wrong.createseq = wrong.modseq + 1;
		if (strcmp(kind, "change") == 0)
			wrong.modseq--;
		if (strcmp(kind, "uidnext") == 0)
			b->rec.uidnext = uid;
		if (strcmp(kind, "uidvalidity") == 0)
			b->rec.uidvalidity--;
		if (strcmp(kind, "orphan") == 0)
			assert_int_equal(kv_put(w.t, TABLE_MESSAGE,
			    BYTES("\0\0\1\0\0\0\0\1"), BYTES("x")), 0);
		if (strcmp(kind, "mailbox-name") == 0)
			assert_int_equal(kv_put(w.t, TABLE_MAILBOX_NAME,
			    BYTES("zz"), BYTES("\0\0\0\1")), 0);
		assert_int_equal(work_put(&w, b, &wrong, &m), 0);
		assert_int_equal(work_commit(&w), 0);
		if (strcmp(kind, "folder") == 0)
			remove_tree(path_of(d, path, "Maildir/.Trash"));
		kinds[0] = '\0';
		v = (struct store_verify){ .found = collect_kinds,
		    .ctx = kinds };
		count = 0;
		assert_int_equal(store_verify(d->s, &v, &count), 0);
		if (strstr(kinds, kind) == NULL)
			fail_msg("%s not told: %s", kind, kinds);
		assert_true(count > 0);
		/* Start again with a whole account. */
		store_close(d->s);
		remove_tree(d->dir);
		assert_int_equal(stat(d->top, &st), 0);
		d->s = store_open(&d->o);
		assert_non_null(d->s);
	}
	arena_free(&a);
}

static void
rebuilding_mends_all_of_it(void **state)
{
	struct account_dir *d = *state;
	struct store_message m, wrong;
	struct arena a = ARENA_INIT;
	uint32_t uid = deliver(d, "INBOX", "x");
	struct work w;
	struct box *b;

	assert_int_equal(work_begin(d->s, &w), 0);
	b = work_box_open(&w, 1);
	assert_int_equal(work_get(&w, 1, uid, &m), 1);
	m = wrong = message_copy(&a, &m);
	wrong.envelope = BYTES("NIL");
	wrong.size += 3;
	wrong.flags = STORE_SEEN;
	wrong.message_id_hash = 5;
	b->rec.deleted = 9;
	w.state.quota_bytes = 1;
	assert_int_equal(work_put(&w, b, &wrong, &m), 0);
	assert_int_equal(work_commit(&w), 0);
	arena_free(&a);
	assert_int_equal(store_rebuild(d->s), 0);
	assert_content(d);
	assert_int_equal(flags_of(d, 1, uid), 0);
}

static void
old_leftovers_are_swept(void **state)
{
	struct account_dir *d = *state;
	struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	char path[1024];

	/* The change time cannot be set back: only what is new stays. */
	put_file(d, "Maildir/tmp/fresh", "x");
	put_file(d, "expunged/1.1", "x");
	assert_int_equal(utimensat(AT_FDCWD, path_of(d, path,
	    "Maildir/tmp/fresh"), old, 0), 0);
	assert_int_equal(store_sweep(d->s), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(access(path_of(d, path, "expunged/1.1"), F_OK), 0);
}

/* ---- many processes at once ---- */

static void
work_on(struct account_dir *d, unsigned int seed)
{
	struct store_options o = d->o;
	struct store *s;
	char text[256];
	struct bytes piece = text_message(text, "many");
	struct store_incoming in = { .pieces = &piece, .count = 1 };
	struct store_flag_change c = { .how = seed % 2 == 0 ? STORE_ADD
	    : STORE_REMOVE, .flags = STORE_SEEN | STORE_FLAGGED,
	    .unchanged_since = UINT64_MAX };
	uint32_t uids[3], new_uids[3], i;

	o.report = NULL;
	if ((s = store_open(&o)) == NULL)
		_exit(1);
	for (i = 0; i < 40; i++) {
		uids[0] = (seed * 7 + i * 3) % 100 + 1;
		uids[1] = uids[0] + 1;
		uids[2] = uids[0] + 5;
		if (store_deliver(s, BYTES("INBOX"), &in, NULL) == -1)
			_exit(2);
		if (store_flags(s, 1, uids, 3, &c, NULL, NULL) == -1)
			_exit(3);
		if (i % 5 == 0 && store_copy(s, 1, uids, 3, 2, i % 2 == 0,
		    new_uids) == -1)
			_exit(4);
		if (i % 9 == 0 && store_expunge(s, 1, uids, 3, true, NULL)
		    == -1)
			_exit(5);
		if (i % 4 == 0 && store_sync(s, 0, i % 8 == 0) == -1)
			_exit(6);
	}
	store_close(s);
	_exit(0);
}

static void
many_processes_agree(void **state)
{
	struct account_dir *d = *state;
	pid_t pid[6];
	int status;
	size_t i;

	store_close(d->s);
	d->s = NULL;
	for (i = 0; i < COUNT(pid); i++) {
		if ((pid[i] = fork()) == 0)
			work_on(d, (unsigned int)i);
		assert_true(pid[i] > 0);
	}
	for (i = 0; i < COUNT(pid); i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_content(d);
	assert_int_not_equal(store_sync(d->s, 0, false), -1);
	assert_content(d);
}

/* kill -9 at any moment of many kinds of work. */
static void
killed_processes_leave_agreement(void **state)
{
	struct account_dir *d = *state;
	struct timespec t = { 0, 0 };
	int status, i;
	pid_t pid;

	store_close(d->s);
	d->s = NULL;
	for (i = 0; i < 60; i++) {
		if ((pid = fork()) == 0)
			work_on(d, (unsigned int)i);
		t.tv_nsec = (i * 7919 % 1000) * 20000L;
		(void)nanosleep(&t, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		d->s = store_open(&d->o);
		assert_non_null(d->s);
		settle();
		assert_int_not_equal(store_sync(d->s, 0, false), -1);
		assert_content(d);
		store_close(d->s);
		d->s = NULL;
	}
	d->s = store_open(&d->o);
	assert_non_null(d->s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("foreign deliveries are adopted",
		    foreign_deliveries_are_adopted),
		TEST("S-7 outside flags are taken", outside_flags_are_taken),
		TEST("outside flags do not undo ours",
		    outside_flags_do_not_undo_ours),
		TEST("lost .uidvalidity files are written again",
		    lost_uidvalidity_files_are_written_again),
		TEST("foreign Maildirs become accounts",
		    foreign_maildirs_become_accounts),
		TEST("outside removal is an expunge",
		    outside_removal_is_an_expunge),
		TEST("messages moved by others are found",
		    messages_moved_by_others_are_found),
		TEST("duplicate UIDs get new ones",
		    duplicate_uids_get_new_ones),
		TEST("wild UIDs do not use all up",
		    wild_uids_do_not_use_all_up),
		TEST("foreign things are tolerated",
		    foreign_things_are_tolerated),
		TEST("unreadable files are left alone",
		    unreadable_files_are_left_alone),
		TEST("long names are shortened", long_names_are_shortened),
		TEST("many files are adopted", many_files_are_adopted),
		TEST("claimed messages are in cur/",
		    claimed_messages_are_in_cur),
		TEST("S-8 keywords of others are taken",
		    keywords_of_others_are_taken),
		TEST("S-8 keywords lost from their file are written again",
		    keywords_lost_are_written_again),
		TEST("folders of others are taken",
		    folders_of_others_are_taken),
		TEST("copied folders get their own uidvalidity",
		    copied_folders_get_their_own_uidvalidity),
		TEST("subscriptions of others are taken",
		    subscriptions_of_others_are_taken),
		TEST("S-20 linked files are taken in",
		    linked_files_are_taken_in),
		TEST("lost commits are made up for",
		    lost_commits_are_made_up_for),
		TEST("lost renames are made up for",
		    lost_renames_are_made_up_for),
		TEST("UIDs jump after another boot",
		    uids_jump_after_another_boot),
		TEST("S-20 UIDs jump further after a copy",
		    uids_jump_further_after_a_copy),
		TEST("I-4 modseqs rise over jumps and losses of the index",
		    modseqs_rise_over_jumps_and_losses),
		TEST("S-6 wrong counts are mended after another boot",
		    wrong_counts_are_mended_after_another_boot),
		TEST("lost indexes are built from the Maildir",
		    lost_indexes_are_built_from_the_maildir),
		TEST("damaged indexes are set aside",
		    damaged_indexes_are_set_aside),
		TEST("unreadable records are rebuilt",
		    unreadable_records_are_rebuilt),
		TEST("newer indexes are refused", newer_indexes_are_refused),
		TEST("accounts without Maildir are refused",
		    accounts_without_maildir_are_refused),
		TEST("contradictions are told", contradictions_are_told),
		TEST("rebuilding mends all of it",
		    rebuilding_mends_all_of_it),
		TEST("leftovers are swept by age", old_leftovers_are_swept),
		TEST("S-20 many processes agree", many_processes_agree),
		TEST("killed processes leave agreement",
		    killed_processes_leave_agreement),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
