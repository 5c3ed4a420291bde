/*
 * store_fault_test.c - files written in place or cut short, machines that
 * stop between two synced states, accounts that are replaced
 */
#include "store_fixture.h"

static void
append_text(struct account_dir *d, uint32_t uid, const char *text)
{
	char path[1024];
	int fd = open(file_of(d, path, 1, uid), O_WRONLY | O_APPEND);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

/* ---- files written in place ---- */

static void
rewritten_files_get_a_new_uid_when_opened(void **state)
{
	struct account_dir *d = *state;
	uint32_t a = deliver(d, "INBOX", "a"), b = deliver(d, "INBOX", "b");
	uint64_t modseq = box_of(d, "INBOX").modseq;
	struct bytes m;
	char list[4096];

	append_text(d, a, "more\n");
	assert_int_equal(store_message_map(d->s, 1, a, &m), -1);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(listing(d, "INBOX", list), "2:b 3:a");
	assert_non_null(strstr(d->events, "rewritten adopted"));
	assert_true(box_of(d, "INBOX").modseq > modseq);
	assert_content(d);
	assert_int_equal(store_message_map(d->s, 1, 3, &m), 0);
	assert_int_equal(memcmp(m.p + m.n - 5, "more\n", 5), 0);
	store_unmap(m);
	assert_int_equal(store_message_map(d->s, 1, b, &m), 0);
	store_unmap(m);
	/* The index may be lost: the name says what is true now. */
	store_close(d->s);
	remove_tree(path_of(d, list, "index"));
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_string_equal(listing(d, "INBOX", list), "2:b 3:a");
	assert_content(d);
}

static void
files_still_written_are_looked_at_again(void **state)
{
	struct account_dir *d = *state;
	char list[4096];

	put_file(d, "Maildir/new/1.slow", "Subject: half");
	assert_int_equal(store_sync(d->s, 1, false), 1);
	assert_string_equal(listing(d, "INBOX", list), "1:half");
	append_text(d, 1, " and whole\n\nbody\n");
	settle();
	assert_int_equal(store_sync(d->s, 1, false), 1);
	assert_string_equal(listing(d, "INBOX", list), "2:half and whole");
	assert_content(d);
}

static void
rebuilding_gives_rewritten_files_a_new_uid(void **state)
{
	struct account_dir *d = *state;
	uint32_t a = deliver(d, "INBOX", "a");
	char path[1024], list[4096];

	assert_int_equal(truncate(file_of(d, path, 1, a), 40), 0);
	assert_int_equal(store_rebuild(d->s), 0);
	assert_string_equal(listing(d, "INBOX", list), "2:a");
	assert_content(d);
}

/* What has been read cannot be cut short; what is mapped ends where it did. */
static void
small_files_are_read_large_ones_mapped(void **state)
{
	static const size_t row[] = { 0, 1, STORE_READ_MAX - 1,
	    STORE_READ_MAX, STORE_READ_MAX + 1, 3 * STORE_READ_MAX };
	struct account_dir *d = *state;
	unsigned char *text = malloc(3 * STORE_READ_MAX);
	char path[1024];
	size_t i;

	memset(text, 'x', 3 * STORE_READ_MAX);
	for (i = 0; i < COUNT(row); i++) {
		struct bytes piece = bytes_of(text, row[i]), m;
		struct store_incoming in = { .pieces = &piece, .count = 1 };
		struct store_delivered out;

		assert_int_equal(store_deliver(d->s, BYTES("INBOX"), &in,
		    &out), 0);
		file_of(d, path, 1, out.uid);
		assert_int_equal(store_message_map(d->s, 1, out.uid, &m), 0);
		assert_int_equal(m.n, row[i]);
		assert_true(bytes_eq(m, piece));
		if (row[i] <= STORE_READ_MAX) {
			assert_int_equal(truncate(path, 0), 0);
			assert_true(bytes_eq(m, piece));
		}
		store_unmap(m);
	}
	free(text);
}

/* rsync(1) makes the new name before it takes the old one away. */
static void
copies_on_their_way_keep_their_uid(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "INBOX", "a");
	char path[1024], copy[1024], list[4096];

	file_of(d, path, 1, uid);
	(void)snprintf(copy, sizeof(copy), "%s/Maildir/cur/%s:2,F", d->dir,
	    strrchr(path, '/') + 1);
	assert_int_equal(link(path, copy), 0);
	assert_int_not_equal(store_sync(d->s, 1, false), -1);
	assert_string_equal(listing(d, "INBOX", list), "1:a");
	assert_int_equal(unlink(path), 0);
	settle();
	assert_int_equal(store_sync(d->s, 1, false), 1);
	assert_string_equal(listing(d, "INBOX", list), "1:a");
	assert_int_equal(flags_of(d, 1, uid), STORE_FLAGGED);
	assert_content(d);
}

/* ---- a backup ---- */

static void
copy_tree(const char *from, const char *to)
{
	int status;
	pid_t pid;

	remove_tree(to);
	if ((pid = fork()) == 0) {
		execlp("cp", "cp", "-a", from, to, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What is deleted or put in place of another under an open account. */
static void
replaced_accounts_are_not_written_to(void **state)
{
	static const char *const row[] = { "index", "Maildir" };
	struct account_dir *d = *state;
	char text[256], from[1024], to[1024], list[4096];
	struct bytes piece = text_message(text, "x");
	struct store_incoming in = { .pieces = &piece, .count = 1 };
	size_t i;

	deliver(d, "INBOX", "old");
	for (i = 0; i < COUNT(row); i++) {
		(void)snprintf(to, sizeof(to), "%s/away%zu", d->top, i);
		path_of(d, from, "%s", row[i]);
		assert_false(store_stale(d->s));
		assert_int_equal(rename(from, to), 0);
		assert_true(store_stale(d->s));
		assert_int_equal(store_append(d->s, 1, &in, 1, NULL), -1);
		assert_int_equal(errno, ESTALE);
		copy_tree(to, from);
		assert_true(store_stale(d->s));
		assert_int_equal(store_append(d->s, 1, &in, 1, NULL), -1);
		assert_int_equal(errno, ESTALE);
		reopen(d);
		assert_string_equal(listing(d, "INBOX", list), "1:old");
		assert_content(d);
	}
}

/* In the same boot: nothing but the index itself tells that it is a copy. */
static void
restored_accounts_give_no_uid_again(void **state)
{
	struct account_dir *d = *state;
	char backup[1024], list[4096];
	uint32_t seen;

	deliver(d, "INBOX", "old");
	(void)snprintf(backup, sizeof(backup), "%s/backup", d->top);
	store_close(d->s);
	copy_tree(d->dir, backup);
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_null(strstr(d->events, "recovered"));
	seen = deliver(d, "INBOX", "since");
	store_close(d->s);
	copy_tree(backup, d->dir);
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_non_null(strstr(d->events, "recovered"));
	assert_string_equal(listing(d, "INBOX", list), "1:old");
	assert_true(deliver(d, "INBOX", "new") > seen);
	assert_content(d);
	d->events[0] = '\0';
	reopen(d);
	assert_null(strstr(d->events, "recovered"));
}

/* ---- a machine that stops ---- */

static void
op_deliver(struct account_dir *d)
{
	deliver(d, "INBOX", "n1");
}

static void
op_append(struct account_dir *d)
{
	char text[3][256];
	struct bytes piece[3];
	struct store_incoming in[3];
	size_t i;

	for (i = 0; i < 3; i++) {
		static const char *const subject[] = { "n1", "n2", "n3" };

		piece[i] = text_message(text[i], subject[i]);
		in[i] = (struct store_incoming){ .pieces = &piece[i],
		    .count = 1, .flags = i == 1 ? STORE_SEEN : 0 };
	}
	assert_int_equal(store_append(d->s, 1, in, 3, NULL), 0);
}

static const uint32_t all[] = { 1, 2, 3 };

static void
op_copy(struct account_dir *d)
{
	uint32_t uids[3];

	assert_int_equal(store_copy(d->s, 1, all, 3, id_of(d, "To"), false,
	    uids), 0);
}

static void
op_move(struct account_dir *d)
{
	uint32_t uids[3];

	assert_int_equal(store_copy(d->s, 1, all, 3, id_of(d, "To"), true,
	    uids), 0);
}

static void
op_expunge(struct account_dir *d)
{
	assert_int_equal(store_expunge(d->s, 1, all, 2, true, NULL), 0);
}

static void
op_flags(struct account_dir *d)
{
	struct store_flag_change c = { .how = STORE_ADD,
	    .flags = STORE_SEEN, .unchanged_since = UINT64_MAX };

	assert_int_equal(store_flags(d->s, 1, all, 3, &c, NULL, NULL), 0);
}

/*
 * The order in which a change is made durable: index, target, source. A
 * prefix of it is what a stopped machine may have; LMDB may also lose the
 * commit although the answer was given, never the files.
 */
struct stop {
	const char *name;
	bool index, target, source, answered;
};
static const struct stop stops[] = {
	{ "nothing", false, false, false, false },
	{ "index", true, false, false, false },
	{ "index and target", true, true, false, false },
	{ "all", true, true, true, true },
	{ "all but the last commit", false, true, true, true },
};
struct change {
	const char *name;
	void (*run)(struct account_dir *);
	bool into_inbox;	/* the target is INBOX, no source */
	bool removes;
};
static const struct change changes[] = {
	{ "deliver", op_deliver, true, false },
	{ "append", op_append, true, false },
	{ "copy", op_copy, false, false },
	{ "move", op_move, false, false },
	{ "expunge", op_expunge, true, true },
	{ "flags", op_flags, true, false },
};

static void
assemble(struct account_dir *d, const struct stop *p, const struct change *c)
{
	static const char *const part[] = { "index", "Maildir/.To",
	    "Maildir/cur", "Maildir/new", "expunged" };
	char from[1024], to[1024];
	size_t i;

	(void)snprintf(from, sizeof(from), "%s/before", d->top);
	copy_tree(from, d->dir);
	for (i = 0; i < COUNT(part); i++) {
		bool inbox = i == 2 || i == 3;
		bool after = i == 0 ? p->index : i == 1 ? p->target
		    : inbox && !c->into_inbox ? p->source : p->target;

		(void)snprintf(from, sizeof(from), "%s/after/%s", d->top,
		    part[i]);
		if (after)
			copy_tree(from, path_of(d, to, "%s", part[i]));
	}
}

/* Each "uid:subject" of one list that the other knows by uid is the same. */
static void
assert_no_uid_changed(const char *name, const char *was, const char *is)
{
	const char *s, *colon, *t;
	size_t n, whole;

	for (s = was; *s != '\0'; s += whole + (s[whole] == ' ')) {
		whole = strcspn(s, " ");
		colon = strchr(s, ':');
		assert_non_null(colon);
		n = (size_t)(colon - s) + 1;
		for (t = is; *t != '\0'; t += strcspn(t, " "),
		    t += *t == ' ') {
			if (strncmp(s, t, n) == 0 && (strncmp(s, t, whole)
			    != 0 || (t[whole] != ' ' && t[whole] != '\0')))
				fail_msg("%s: was %s, is %s", name, was, is);
		}
	}
}

static bool
has_subject(const char *list, const char *subject)
{
	const char *p = strstr(list, subject);

	return p != NULL && p[-1] == ':';
}

static void
check_stop(struct account_dir *d, const struct change *c,
    const struct stop *p, char was[4][4096])
{
	static const char *const subject[] = { "m1", "m2", "m3", "t1" };
	char inbox[4096], to[4096], name[128];
	uint32_t seen = box_of(d, "INBOX").uidnext;
	size_t i;

	(void)snprintf(name, sizeof(name), "%s, synced: %s", c->name,
	    p->name);
	assert_non_null(strstr(d->events, "recovered"));
	listing(d, "INBOX", inbox);
	listing(d, "To", to);
	for (i = 0; i < 4; i += 2) {
		assert_no_uid_changed(name, was[i], inbox);
		assert_no_uid_changed(name, was[i + 1], to);
	}
	if (p->answered && (strcmp(inbox, was[2]) != 0 ||
	    strcmp(to, was[3]) != 0))
		fail_msg("%s: answered %s and %s, is %s and %s", name, was[2],
		    was[3], inbox, to);
	for (i = 0; !c->removes && i < COUNT(subject); i++) {
		if (!has_subject(inbox, subject[i]) &&
		    !has_subject(to, subject[i]))
			fail_msg("%s: %s is lost", name, subject[i]);
	}
	if (p->answered && strcmp(c->name, "flags") == 0)
		assert_int_equal(flags_of(d, 1, 2), STORE_SEEN);
	assert_content(d);
	assert_true(deliver(d, "INBOX", "later") >= seen);
	assert_true(seen > 6);	/* one more than any was given */
}

static void
stopped_machines_lose_nothing_answered(void **state)
{
	struct account_dir *d = *state;
	char before[1024], after[1024];
	static char was[4][4096];
	size_t i, j;

	(void)snprintf(before, sizeof(before), "%s/before", d->top);
	(void)snprintf(after, sizeof(after), "%s/after", d->top);
	for (i = 0; i < COUNT(changes); i++) {
		struct work w;

		deliver(d, "INBOX", "m1");
		deliver(d, "INBOX", "m2");
		deliver(d, "INBOX", "m3");
		deliver(d, "To", "t1");
		assert_int_equal(work_begin(d->s, &w), 0);
		memset(w.state.boot, '0', 36);
		w.dirty = true;
		assert_int_equal(work_commit(&w), 0);
		put_file(d, "index/boot", "other");
		copy_tree(d->dir, before);
		listing(d, "INBOX", was[0]);
		listing(d, "To", was[1]);
		changes[i].run(d);
		copy_tree(d->dir, after);
		listing(d, "INBOX", was[2]);
		listing(d, "To", was[3]);
		for (j = 0; j < COUNT(stops); j++) {
			store_close(d->s);
			d->events[0] = '\0';
			assemble(d, &stops[j], &changes[i]);
			d->s = store_open(&d->o);
			assert_non_null(d->s);
			check_stop(d, &changes[i], &stops[j], was);
		}
		store_close(d->s);
		remove_tree(d->dir);
		d->s = store_open(&d->o);
		assert_non_null(d->s);
	}
}

/* ---- the same for changes of folders, and a new index ---- */

static void
op_create(struct account_dir *d)
{
	assert_int_equal(store_mailbox_create(d->s, BYTES("New/Box"), 0,
	    NULL), 0);
}

static void
op_rename(struct account_dir *d)
{
	assert_int_equal(store_mailbox_rename(d->s, BYTES("To"),
	    BYTES("New")), 0);
}

static void
op_rename_inbox(struct account_dir *d)
{
	assert_int_equal(store_mailbox_rename(d->s, BYTES("INBOX"),
	    BYTES("New")), 0);
}

static void
op_delete(struct account_dir *d)
{
	assert_int_equal(store_mailbox_delete(d->s, BYTES("To")), 0);
}

static void
op_rebuild(struct account_dir *d)
{
	char path[1024];

	store_close(d->s);
	remove_tree(path_of(d, path, "index"));
	d->s = store_open(&d->o);
	assert_non_null(d->s);
}

static const struct change folder_changes[] = {
	{ "create", op_create, false, false },
	{ "rename", op_rename, false, false },
	{ "rename INBOX", op_rename_inbox, false, false },
	{ "delete", op_delete, false, true },
	{ "rebuild", op_rebuild, false, false },
};

/* "mailbox uid:subject ... ;" of those that may be there. */
static void
all_listings(struct account_dir *d, char out[16384])
{
	static const char *const name[] = { "INBOX", "To", "New", "New/Box" };
	struct store_mailbox m;
	char list[4096];
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < COUNT(name); i++) {
		if (find_box(d, name[i], &m))
			n += (size_t)snprintf(out + n, 16384 - n, "%s %s;",
			    name[i], listing(d, name[i], list));
	}
}

static unsigned int
times_in(const char *list, const char *subject)
{
	unsigned int n = 0;
	const char *p;

	for (p = list; (p = strstr(p, subject)) != NULL; p++)
		n += p[-1] == ':';
	return n;
}

/* Only what was synced is there: the index, the folders, both, neither. */
static void
check_folder_stop(struct account_dir *d, const struct change *c, bool index,
    bool folders, const char *answered)
{
	static const char *const subject[] = { "m1", "m2", "m3", "t1" };
	char from[1024], to[1024], is[16384];
	unsigned int times;
	size_t i;

	store_close(d->s);
	(void)snprintf(from, sizeof(from), "%s/before", d->top);
	copy_tree(from, d->dir);
	(void)snprintf(from, sizeof(from), "%s/after/index", d->top);
	if (index)
		copy_tree(from, path_of(d, to, "index"));
	(void)snprintf(from, sizeof(from), "%s/after/Maildir", d->top);
	if (folders)
		copy_tree(from, path_of(d, to, "Maildir"));
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	all_listings(d, is);
	assert_content(d);
	for (i = 0; i < COUNT(subject); i++) {
		times = times_in(is, subject[i]);
		if (times > 1 || (times == 0 && (!c->removes || i < 3)))
			fail_msg("%s, index %d, folders %d: %s", c->name,
			    index, folders, is);
	}
	if (index && folders && strcmp(is, answered) != 0)
		fail_msg("%s: answered %s, is %s", c->name, answered, is);
	deliver(d, "INBOX", "later");
	assert_content(d);
}

static void
stopped_machines_keep_folders_whole(void **state)
{
	struct account_dir *d = *state;
	char tree[1024], answered[16384], path[1024];
	size_t i, j;

	for (i = 0; i < COUNT(folder_changes); i++) {
		deliver(d, "INBOX", "m1");
		deliver(d, "INBOX", "m2");
		deliver(d, "INBOX", "m3");
		deliver(d, "To", "t1");
		put_file(d, "index/boot", "other");
		(void)snprintf(tree, sizeof(tree), "%s/before", d->top);
		copy_tree(d->dir, tree);
		folder_changes[i].run(d);
		all_listings(d, answered);
		(void)snprintf(tree, sizeof(tree), "%s/after", d->top);
		copy_tree(d->dir, tree);
		(void)snprintf(path, sizeof(path), "%s/before/index", d->top);
		if (folder_changes[i].run == op_rebuild)
			remove_tree(path);
		for (j = 0; j < 4; j++)
			check_folder_stop(d, &folder_changes[i], j % 2 == 1,
			    j >= 2, answered);
		store_close(d->s);
		remove_tree(d->dir);
		d->s = store_open(&d->o);
		assert_non_null(d->s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S-5 rewritten files get a new UID when opened",
		    rewritten_files_get_a_new_uid_when_opened),
		TEST("files still written are looked at again",
		    files_still_written_are_looked_at_again),
		TEST("rebuilding gives rewritten files a new UID",
		    rebuilding_gives_rewritten_files_a_new_uid),
		TEST("small files are read, large ones mapped",
		    small_files_are_read_large_ones_mapped),
		TEST("copies on their way keep their UID",
		    copies_on_their_way_keep_their_uid),
		TEST("S-20 replaced accounts are not written to",
		    replaced_accounts_are_not_written_to),
		TEST("S-20 restored accounts give no UID again",
		    restored_accounts_give_no_uid_again),
		TEST("S-2 S-20 stopped machines lose nothing answered",
		    stopped_machines_lose_nothing_answered),
		TEST("S-2 S-11 S-20 stopped machines keep folders whole",
		    stopped_machines_keep_folders_whole),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
