/*
 * store_naming_test.c - file names that follow the index (S-7, S-8): merging
 * with what other programs make of them, kills, lost commits, proof
 */
#include "store_fixture.h"

#define MANY (STORE_NAMES_NOW + 1)
#define PIECES 1200		/* messages: more than two pieces */

static int
store_change(struct account_dir *d, enum store_how how, uint32_t flags,
    const char *keyword, size_t count)
{
	struct bytes name = bytes_str(keyword == NULL ? "" : keyword);
	struct store_flag_change c = { .how = how, .flags = flags,
	    .keywords = &name, .keyword_count = keyword != NULL,
	    .unchanged_since = UINT64_MAX };
	uint32_t *uids = calloc(count, sizeof(*uids));
	size_t i;
	int r;

	for (i = 0; i < count; i++)
		uids[i] = (uint32_t)i + 1;
	r = store_flags(d->s, 1, uids, count, &c, NULL, NULL);
	free(uids);
	return r;
}

/* A change that only the index holds; messages from UID 1 on, as far as they
 * are there. */
static void
change_later(struct account_dir *d, enum store_how how, uint32_t flags,
    const char *keyword)
{
	assert_int_equal(store_change(d, how, flags, keyword, MANY), 0);
	assert_true(store_names_behind(d->s));
}

/* The suffix of a message's file, with "new" for one there. */
static const char *
suffix_of(struct account_dir *d, uint32_t mailbox, uint32_t uid)
{
	static char path[1024];
	const char *colon;

	file_of(d, path, mailbox, uid);
	assert_int_equal(access(path, F_OK), 0);
	colon = strrchr(path, ':');
	return colon == NULL || strstr(path, "/new/") != NULL ? "new" : colon;
}

static void
rename_suffix(struct account_dir *d, uint32_t uid, const char *suffix)
{
	char from[1024], to[1024], *slash;
	struct maildir_name n;

	file_of(d, from, 1, uid);
	slash = strrchr(from, '/');
	maildir_name_parse(bytes_str(slash + 1), &n);
	(void)snprintf(to, sizeof(to), "%s/Maildir/cur/%.*s%s", d->dir,
	    BYTES_ARG(n.base), suffix);
	assert_int_equal(rename(from, to), 0);
}

/* As the end of the process: what it left is there, it does nothing. */
static void
forget(struct account_dir *d)
{
	d->s->names_ours = false;
	reopen(d);
}

static void
fill(struct account_dir *d, unsigned int count)
{
	char name[64];
	unsigned int i;

	for (i = 1; i <= count; i++) {
		(void)snprintf(name, sizeof(name),
		    "Maildir/cur/%u.x,U=%u:2,", i, i);
		put_file(d, name, "Subject: x\n\nbody\n");
	}
	assert_int_equal(store_sync(d->s, 1, false), 1);
	assert_int_equal(box_of(d, "INBOX").total, count);
}

/* How many files in cur/ end so. */
static unsigned int
count_names(struct account_dir *d, const char *end)
{
	struct dirent *e;
	char path[1024];
	unsigned int n = 0;
	DIR *dir = opendir(path_of(d, path, "Maildir/cur"));

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		size_t have = strlen(e->d_name), want = strlen(end);

		n += have > want && strcmp(e->d_name + have - want, end) == 0;
	}
	(void)closedir(dir);
	return n;
}

/* ---- when ---- */

static void
few_are_named_at_once_many_later(void **state)
{
	struct account_dir *d = *state;

	fill(d, MANY);
	assert_int_equal(store_change(d, STORE_ADD, STORE_SEEN, NULL,
	    STORE_NAMES_NOW), 0);
	assert_false(store_names_behind(d->s));
	assert_int_equal(count_names(d, ":2,S"), STORE_NAMES_NOW);
	assert_int_equal(store_change(d, STORE_ADD, STORE_FLAGGED, NULL,
	    STORE_NAMES_NOW + 1), 0);
	assert_true(store_names_behind(d->s));
	assert_int_equal(count_names(d, ":2,S"), STORE_NAMES_NOW);
	assert_int_equal(count_names(d, ":2,"), 1);
	assert_int_equal(flags_of(d, 1, 1), STORE_SEEN | STORE_FLAGGED);
	assert_content(d);
	assert_int_equal(store_names(d->s), 0);
	assert_int_equal(count_names(d, ":2,FS"), STORE_NAMES_NOW);
	assert_int_equal(count_names(d, ":2,F"), 1);
	assert_content(d);
}

static void
names_follow_in_pieces(void **state)
{
	struct account_dir *d = *state;
	unsigned int pieces = 1;
	uint64_t modseq;
	int r;

	fill(d, PIECES);
	assert_int_equal(store_change(d, STORE_ADD, STORE_SEEN, NULL,
	    PIECES), 0);
	modseq = box_of(d, "INBOX").modseq;
	assert_int_equal(count_names(d, ":2,S"), 0);
	while ((r = store_names(d->s)) == 1) {
		assert_content(d);
		assert_int_equal(count_names(d, ":2,S"), pieces * 500);
		pieces++;
	}
	assert_int_equal(r, 0);
	assert_int_equal(pieces, 3);
	assert_int_equal(count_names(d, ":2,S"), PIECES);
	/* Names are nobody's news. */
	assert_int_equal(box_of(d, "INBOX").modseq, modseq);
	assert_content(d);
	settle();
	assert_int_equal(store_sync(d->s, 1, false), 0);
	assert_int_equal(box_of(d, "INBOX").modseq, modseq);
}

static void
closing_names_what_is_ours(void **state)
{
	struct account_dir *d = *state;

	fill(d, PIECES);
	assert_int_equal(store_change(d, STORE_ADD, STORE_SEEN, NULL,
	    PIECES), 0);
	reopen(d);
	assert_int_equal(count_names(d, ":2,S"), PIECES);
	assert_false(store_names_behind(d->s));
}

static void
openings_do_a_piece_each(void **state)
{
	struct account_dir *d = *state;

	fill(d, PIECES);
	assert_int_equal(store_change(d, STORE_ADD, STORE_SEEN, NULL,
	    PIECES), 0);
	forget(d);
	assert_int_equal(count_names(d, ":2,S"), 500);
	assert_true(store_names_behind(d->s));
	assert_content(d);
	forget(d);
	assert_int_equal(count_names(d, ":2,S"), 1000);
	forget(d);
	assert_int_equal(count_names(d, ":2,S"), PIECES);
	assert_false(store_names_behind(d->s));
	assert_content(d);
}

/* Scattered messages, and mailboxes that are gone. */
static void
scattered_names_follow(void **state)
{
	struct store_flag_change c = { .how = STORE_ADD,
	    .flags = STORE_SEEN, .unchanged_since = UINT64_MAX };
	struct account_dir *d = *state;
	uint32_t uids[PIECES], box, new_uids[PIECES], i;

	fill(d, PIECES);
	assert_int_equal(store_mailbox_create(d->s, BYTES("Gone"), 0, &box),
	    0);
	for (i = 0; i < PIECES; i++)
		uids[i] = i + 1;
	assert_int_equal(store_copy(d->s, 1, uids, 100, box, false, new_uids),
	    0);
	assert_int_equal(store_flags(d->s, box, new_uids, 100, &c, NULL,
	    NULL), 0);
	assert_int_equal(store_mailbox_delete(d->s, BYTES("Gone")), 0);
	for (i = 0; i < 70; i++)
		uids[i] = i * 17 + 1;	/* some within NAMING_GAP of others */
	uids[69] = PIECES;
	assert_int_equal(store_flags(d->s, 1, uids, 70, &c, NULL, NULL), 0);
	for (i = 0; i < 66; i++)
		uids[i] = i * 18 + 2;
	assert_int_equal(store_flags(d->s, 1, uids, 66, &c, NULL, NULL), 0);
	assert_content(d);
	assert_int_equal(store_finish(d->s), 0);
	assert_int_equal(count_names(d, ":2,S"), 70 + 66 - 3);
	assert_content(d);
}

/* ---- others ---- */

static void
changes_of_others_are_merged(void **state)
{
	static const struct {
		const char *was;	/* the name before all */
		enum store_how how;
		uint32_t ours;
		const char *keyword, *theirs, *becomes;
		uint32_t flags;
	} row[] = {
		{ ":2,", STORE_ADD, STORE_FLAGGED, NULL, ":2,S", ":2,FS",
		    STORE_FLAGGED | STORE_SEEN },
		{ ":2,S", STORE_REMOVE, STORE_SEEN, NULL, ":2,FS", ":2,F",
		    STORE_FLAGGED },
		{ ":2,FS", STORE_REMOVE, STORE_SEEN, NULL, ":2,S", ":2,", 0 },
		{ ":2,FS", STORE_REMOVE, STORE_SEEN, NULL, ":2,", ":2,", 0 },
		{ ":2,", STORE_ADD, STORE_SEEN, NULL, ":2,S", ":2,S",
		    STORE_SEEN },
		{ ":2,T", STORE_REPLACE, STORE_DRAFT, NULL, ":2,RT", ":2,DR",
		    STORE_DRAFT | STORE_ANSWERED },
		{ ":2,", STORE_ADD, STORE_JUNK, NULL, ":2,S", ":2,Sa",
		    STORE_JUNK | STORE_SEEN },
		{ ":2,X", STORE_ADD, STORE_SEEN, NULL, ":2,Xz", ":2,SXz",
		    STORE_SEEN },
		{ ":2,", STORE_ADD, STORE_SEEN, "work", ":2,F", ":2,FSa",
		    STORE_SEEN | STORE_FLAGGED },
		/* ours, named already by one that was killed then */
		{ ":2,", STORE_ADD, STORE_SEEN, NULL, ":2,S", ":2,S",
		    STORE_SEEN },
		/* nobody else did anything */
		{ ":2,F", STORE_ADD, STORE_SEEN, NULL, NULL, ":2,FS",
		    STORE_SEEN | STORE_FLAGGED },
		/* a name without flags, and one of another kind */
		{ ":2,F", STORE_ADD, STORE_SEEN, NULL, "", ":2,S",
		    STORE_SEEN },
		{ ":1,x", STORE_ADD, STORE_SEEN, NULL, ":2,F", ":2,FS",
		    STORE_SEEN | STORE_FLAGGED },
	};
	struct account_dir *d = *state;
	bool sync_first;
	size_t i;
	uint32_t uid;

	for (i = 0; i < 2 * COUNT(row); i++) {
		size_t n = i / 2;

		uid = deliver(d, "INBOX", "m");
		assert_int_equal(uid, 1);
		rename_suffix(d, uid, row[n].was);
		assert_int_equal(store_sync(d->s, 1, false) != -1, 1);
		change_later(d, row[n].how, row[n].ours, row[n].keyword);
		if (row[n].theirs != NULL)
			rename_suffix(d, uid, row[n].theirs);
		/* A look may come first, or the names. */
		sync_first = i % 2 == 0;
		if (sync_first) {
			assert_int_not_equal(store_sync(d->s, 1, false), -1);
			assert_content(d);
		}
		assert_int_equal(store_finish(d->s), 0);
		if (strcmp(suffix_of(d, 1, uid), row[n].becomes) != 0)
			fail_msg("row %zu%s: %s", n, sync_first ? "" : "b",
			    suffix_of(d, 1, uid));
		assert_int_not_equal(store_sync(d->s, 1, false), -1);
		assert_int_equal(flags_of(d, 1, uid), row[n].flags);
		assert_content(d);
		store_close(d->s);
		remove_tree(d->dir);
		d->s = store_open(&d->o);
		assert_non_null(d->s);
	}
}

/* mbsync(1) may rename all there is while we are behind. */
static void
others_may_rename_them_all(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid;

	fill(d, MANY);
	change_later(d, STORE_ADD, STORE_SEEN, NULL);
	for (uid = 1; uid <= MANY; uid++)
		rename_suffix(d, uid, uid % 2 == 0 ? ":2,F" : ":2,R");
	assert_int_equal(store_names(d->s), 1);
	assert_int_equal(store_finish(d->s), 0);
	assert_int_equal(count_names(d, ":2,FS"), MANY / 2);
	assert_int_equal(count_names(d, ":2,RS"), MANY - MANY / 2);
	assert_int_equal(flags_of(d, 1, 2), STORE_SEEN | STORE_FLAGGED);
	assert_content(d);
}

/* Their letters get other meanings meanwhile. */
static void
keywords_of_others_are_merged(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = deliver(d, "INBOX", "m");
	struct store_view *v;
	struct store_message m;
	unsigned int n;

	rename_suffix(d, uid, ":2,bS");
	assert_int_equal(store_sync(d->s, 1, false), 1);
	change_later(d, STORE_ADD, STORE_FLAGGED, "work");
	put_file(d, "Maildir/dovecot-keywords", "0 work\n1 urgent\n");
	assert_int_equal(store_sync(d->s, 1, false), 1);
	v = store_view_open(d->s);
	assert_int_equal(store_message_get(v, 1, uid, &m), 1);
	assert_int_equal(m.flags, STORE_SEEN | STORE_FLAGGED);
	assert_int_equal(store_keyword_find(v, 1, BYTES("work"), &n), 1);
	assert_true(store_keyword_has(&m.keywords, n));
	assert_int_equal(store_keyword_find(v, 1, BYTES("urgent"), &n), 1);
	assert_true(store_keyword_has(&m.keywords, n));
	store_view_close(v);
	assert_int_equal(store_finish(d->s), 0);
	assert_string_equal(suffix_of(d, 1, uid), ":2,FSab");
	assert_content(d);
}

/* A file that vanished, or is in new/ or was moved out of it. */
static void
files_in_other_places(void **state)
{
	struct account_dir *d = *state;
	uint32_t gone = deliver(d, "INBOX", "gone");
	uint32_t fresh = deliver(d, "INBOX", "fresh");
	uint32_t claimed = deliver(d, "INBOX", "claimed");
	char path[1024];

	change_later(d, STORE_ADD, STORE_SEEN, NULL);
	assert_string_equal(suffix_of(d, 1, fresh), "new");
	assert_int_equal(unlink(file_of(d, path, 1, gone)), 0);
	rename_suffix(d, claimed, ":2,");
	assert_int_equal(store_finish(d->s), 0);
	assert_string_equal(suffix_of(d, 1, fresh), ":2,S");
	assert_string_equal(suffix_of(d, 1, claimed), ":2,S");
	settle();
	assert_int_not_equal(store_sync(d->s, 1, false), -1);
	assert_false(is_there(d, 1, gone));
	assert_content(d);
}

/* ---- ours ---- */

static void
other_changes_of_ours(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid[5], box, copied, i;
	char names[8];

	for (i = 0; i < 5; i++) {
		(void)snprintf(names, sizeof(names), "m%u", i);
		uid[i] = deliver(d, "INBOX", names);
	}
	assert_int_equal(store_mailbox_create(d->s, BYTES("To"), 0, &box), 0);
	change_later(d, STORE_ADD, 0, "work");
	/* A small change writes the whole name. */
	assert_int_equal(store_change(d, STORE_ADD, STORE_SEEN, NULL, 1), 0);
	assert_string_equal(suffix_of(d, 1, uid[0]), ":2,Sa");
	/* The keyword is all it has, and its file is in new/. */
	assert_int_equal(store_copy(d->s, 1, &uid[1], 1, box, false, &copied),
	    0);
	assert_string_equal(suffix_of(d, 1, uid[1]), "new");
	assert_string_equal(suffix_of(d, box, copied), ":2,a");
	assert_int_equal(store_copy(d->s, 1, &uid[2], 1, box, true, &copied),
	    0);
	assert_string_equal(suffix_of(d, box, copied), ":2,a");
	assert_int_equal(store_expunge(d->s, 1, &uid[3], 1, true, NULL), 0);
	assert_content(d);
	assert_int_equal(store_mailbox_rename(d->s, BYTES("To"),
	    BYTES("Other")), 0);
	assert_int_equal(store_finish(d->s), 0);
	assert_string_equal(suffix_of(d, 1, uid[4]), ":2,a");
	assert_content(d);
}

static void
taken_back_before_it_is_named(void **state)
{
	struct account_dir *d = *state;
	struct stat before, after;
	char path[1024];

	fill(d, MANY);
	settle();
	assert_int_equal(stat(path_of(d, path, "Maildir/cur"), &before), 0);
	change_later(d, STORE_ADD, STORE_SEEN, NULL);
	change_later(d, STORE_REMOVE, STORE_SEEN, NULL);
	assert_int_equal(store_finish(d->s), 0);
	assert_int_equal(stat(path_of(d, path, "Maildir/cur"), &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim,
	    sizeof(before.st_mtim));
	assert_int_equal(flags_of(d, 1, 1), 0);
	assert_content(d);
}

/* ---- what is lost ---- */

static void
copy_file(const char *from, const char *to)
{
	char text[65536];
	ssize_t n;
	int in = open(from, O_RDONLY), out = open(to,
	    O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(in != -1 && out != -1);
	while ((n = read(in, text, sizeof(text))) > 0)
		assert_int_equal(write(out, text, (size_t)n), n);
	assert_int_equal(n, 0);
	assert_int_equal(close(in), 0);
	assert_int_equal(close(out), 0);
}

/* Power loss takes the last commit back: the names are there, the index does
 * not know it. And a program changed one of them since. */
static void
a_lost_commit_of_names_is_mended(void **state)
{
	struct account_dir *d = *state;
	char index[1024], kept[1024], other[1024];
	uint32_t uid;

	fill(d, MANY);
	change_later(d, STORE_ADD, STORE_SEEN, NULL);
	path_of(d, index, "index/data.mdb");
	path_of(d, kept, "kept.mdb");
	copy_file(index, kept);
	assert_int_equal(store_names(d->s), 0);
	rename_suffix(d, 3, ":2,FS");
	store_close(d->s);
	assert_int_equal(rename(kept, index), 0);
	(void)unlink(path_of(d, other, "index/lock.mdb"));
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_non_null(strstr(d->events, "recovered"));
	for (uid = 1; uid <= MANY; uid++)
		assert_int_equal(flags_of(d, 1, uid), uid == 3
		    ? STORE_SEEN | STORE_FLAGGED : STORE_SEEN);
	assert_content(d);
	assert_int_equal(store_finish(d->s), 0);
	assert_int_equal(count_names(d, ":2,S"), MANY - 1);
	assert_content(d);
}

/* A record whose name nobody will write is wrong; the Maildir is right. */
static void
what_is_not_listed_is_as_the_name_says(void **state)
{
	struct store_verify v = { .ctx = NULL };
	struct account_dir *d = *state;
	uint64_t count;
	struct work w;

	fill(d, MANY);
	change_later(d, STORE_ADD, STORE_SEEN, NULL);
	assert_content(d);
	assert_int_equal(work_begin(d->s, &w), 0);
	assert_int_equal(kv_empty(w.t, TABLE_NAMING), 0);
	assert_int_equal(work_commit(&w), 0);
	assert_int_equal(store_verify(d->s, &v, &count), 0);
	assert_int_equal(count, MANY);
	assert_int_equal(store_rebuild(d->s), 0);
	assert_content(d);
	assert_int_equal(flags_of(d, 1, 1), 0);
	/* What is listed stays, and is named by the same repair. */
	change_later(d, STORE_ADD, STORE_SEEN, NULL);
	assert_int_equal(store_rebuild(d->s), 0);
	assert_content(d);
	assert_int_equal(flags_of(d, 1, 1), STORE_SEEN);
	assert_int_equal(count_names(d, ":2,S"), MANY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S-7: the names of 64 messages are changed at once, of "
		    "65 later", few_are_named_at_once_many_later),
		TEST("S-9: names follow in pieces, modseq does not move",
		    names_follow_in_pieces),
		TEST("closing an account names what is ours",
		    closing_names_what_is_ours),
		TEST("an opening does a piece of what a killed process left",
		    openings_do_a_piece_each),
		TEST("names of scattered messages; a mailbox that is gone",
		    scattered_names_follow),
		TEST("S-7: changes of other programs are merged",
		    changes_of_others_are_merged),
		TEST("S-7: another program renames all of them meanwhile",
		    others_may_rename_them_all),
		TEST("S-8: letters get other meanings meanwhile",
		    keywords_of_others_are_merged),
		TEST("files that vanished, are in new/ or left it",
		    files_in_other_places),
		TEST("small changes, copies, moves and expunges of what is "
		    "behind", other_changes_of_ours),
		TEST("what is taken back before it is named renames nothing",
		    taken_back_before_it_is_named),
		TEST("a lost commit of names is mended",
		    a_lost_commit_of_names_is_mended),
		TEST("S-22: what is not listed is told, and mended by the "
		    "name", what_is_not_listed_is_as_the_name_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
