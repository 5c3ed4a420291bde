/* store_junk_test.c - J-12: junk flags by mailbox */
#include "store_fixture.h"

#define BOTH (STORE_JUNK | STORE_NOTJUNK)

struct row {
	const char *mailbox;
	uint32_t before, plain, by_name;	/* flags */
};

static const struct row rows[] = {
	/* The use counts with and without the option. */
	{ "Junk", 0, STORE_JUNK, STORE_JUNK },
	{ "Junk", STORE_NOTJUNK | STORE_SEEN, STORE_JUNK | STORE_SEEN,
	    STORE_JUNK | STORE_SEEN },
	{ "Archive", 0, 0, STORE_NOTJUNK },
	{ "Archive", STORE_JUNK, STORE_JUNK, STORE_NOTJUNK },
	{ "INBOX", STORE_JUNK, STORE_JUNK, 0 },
	{ "INBOX", BOTH | STORE_FLAGGED, BOTH | STORE_FLAGGED,
	    STORE_FLAGGED },
	{ "Spam", 0, 0, STORE_JUNK },
	{ "spamtrap/a", STORE_NOTJUNK, STORE_NOTJUNK, STORE_JUNK },
	{ "junkyard", 0, 0, STORE_JUNK },
	{ "Work/Junk", 0, 0, STORE_NOTJUNK },
	{ "Neutral", STORE_JUNK, STORE_JUNK, 0 },
	{ "Rejects", STORE_NOTJUNK, STORE_NOTJUNK, 0 },
	{ "TLSRPT", STORE_NOTJUNK, STORE_NOTJUNK, 0 },
	{ "dmarc", STORE_NOTJUNK, STORE_NOTJUNK, 0 },
	{ "Postmaster", STORE_NOTJUNK, STORE_NOTJUNK, 0 },
	{ "Introbox", STORE_NOTJUNK, STORE_NOTJUNK, 0 },
};

static void
check(struct account_dir *d, size_t row, const char *how, uint32_t uid,
    uint32_t want)
{
	uint32_t flags = flags_of(d, id_of(d, rows[row].mailbox), uid);

	if (flags != want)
		fail_msg("%s to %s: flags 0x%x, not 0x%x", how,
		    rows[row].mailbox, flags, want);
}

static void
check_rows(struct account_dir *d, bool by_name)
{
	uint32_t from = id_of(d, "Drafts"), uid, new;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		const struct row *r = &rows[i];
		uint32_t want = by_name ? r->by_name : r->plain;
		struct store_flag_change c = { .how = STORE_REPLACE,
		    .flags = r->before, .unchanged_since = UINT64_MAX };

		check(d, i, "delivered", deliver_flags(d, r->mailbox, "x",
		    r->before), want);
		uid = deliver(d, "Drafts", "y");
		assert_int_equal(store_flags(d->s, from, &uid, 1, &c, NULL,
		    NULL), 0);
		assert_int_equal(store_copy(d->s, from, &uid, 1,
		    id_of(d, r->mailbox), false, &new), 0);
		check(d, i, "copied", new, want);
		assert_int_equal(store_copy(d->s, from, &uid, 1,
		    id_of(d, r->mailbox), true, &new), 0);
		check(d, i, "moved", new, want);
	}
	assert_content(d);
	/* File names have them. */
	assert_int_equal(store_rebuild(d->s), 0);
	check(d, 0, "rebuilt", 1, STORE_JUNK);
	assert_content(d);
}

static void
only_the_use_counts(void **state)
{
	check_rows(*state, false);
}

static void
names_count_if_asked_for(void **state)
{
	struct account_dir *d = *state;

	d->o.junk_flags = true;
	reopen(d);
	check_rows(d, true);
}

/* Who names the flag as a keyword asks for no more than who does not. */
static void
named_flags_do_not_stay(void **state)
{
	struct account_dir *d = *state;
	struct bytes piece = BYTES("Subject: x\n\n"), name = BYTES("$NotJunk");
	struct store_incoming in = { .pieces = &piece, .count = 1,
	    .keywords = &name, .keyword_count = 1 };
	uint32_t id = id_of(d, "Junk"), uid, new;

	assert_int_equal(store_append(d->s, id, &in, 1, &uid), 0);
	assert_int_equal(flags_of(d, id, uid), STORE_JUNK);
	assert_int_equal(store_copy(d->s, id, &uid, 1, id, false, &new), 0);
	assert_int_equal(flags_of(d, id, new), STORE_JUNK);
	assert_content(d);
}

/* BEHAVIOUR 5: the first expression that matches, else the class that is not
 * given when the other two are, else flags stay. */
static const struct pattern_row {
	const char *junk, *neutral, *notjunk;
	const char *mailbox;
	uint32_t want;		/* of a message that had $Junk */
} pattern_rows[] = {
	{ "^bulk", NULL, NULL, "Bulk/Ads", STORE_JUNK },
	{ "^bulk", NULL, NULL, "Archive", STORE_JUNK },
	{ NULL, "^work", NULL, "Work", 0 },
	{ NULL, "^work", NULL, "INBOX", STORE_JUNK },
	{ NULL, NULL, "^(work|archive)", "Work/Sales", STORE_NOTJUNK },
	{ NULL, NULL, "^(work|archive)", "INBOX", STORE_JUNK },
	/* two are given */
	{ "^bulk", "^inbox$", NULL, "INBOX", 0 },
	{ "^bulk", "^inbox$", NULL, "Inboxes", STORE_NOTJUNK },
	{ "^bulk", NULL, "^archive", "Archive", STORE_NOTJUNK },
	{ "^bulk", NULL, "^archive", "Other", 0 },
	{ NULL, "^inbox", "^archive", "Other", STORE_JUNK },
	/* three: what matches none stays */
	{ "a", "b", "c", "xyz", STORE_JUNK },
	{ "a", "b", "c", "Xc", STORE_NOTJUNK },
	/* their order */
	{ "x", "x", "x", "X", STORE_JUNK },
	{ "y", "x", "x", "X", 0 },
	/* the name in lower case, in any script */
	{ "^bulk", "^\303\274ber", NULL, "\303\234ber", 0 },
	/* the names of the default mean nothing then */
	{ "^bulk", "^inbox$", NULL, "Spam", STORE_NOTJUNK },
	/* the use goes before */
	{ "a", "^junk", "c", "Junk", STORE_JUNK },
};

static void
patterns_count(void **state)
{
	struct account_dir *d = *state;
	size_t i;

	d->o.junk_flags = true;
	for (i = 0; i < COUNT(pattern_rows); i++) {
		const struct pattern_row *r = &pattern_rows[i];
		uint32_t uid, flags;

		d->o.junk.junk = r->junk;
		d->o.junk.neutral = r->neutral;
		d->o.junk.notjunk = r->notjunk;
		reopen(d);
		uid = deliver_flags(d, r->mailbox, "x", STORE_JUNK);
		flags = flags_of(d, id_of(d, r->mailbox), uid);
		if (flags != r->want)
			fail_msg("row %zu: 0x%x, not 0x%x", i, flags, r->want);
	}
	assert_content(d);
	/* What is no expression: nothing is delivered by guess. */
	d->o.junk.neutral = "(";
	reopen(d);
	assert_int_equal(store_deliver(d->s, BYTES("X"),
	    &(struct store_incoming){ .pieces = &BYTES("a: b\n\n"),
	    .count = 1 }, NULL), -1);
	assert_int_equal(errno, EINVAL);
	/* without the option they mean nothing */
	d->o.junk_flags = false;
	reopen(d);
	assert_int_equal(flags_of(d, id_of(d, "Bulk/Ads"),
	    deliver(d, "Bulk/Ads", "y")), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("J-12 the use \\Junk sets $Junk", only_the_use_counts),
		TEST("J-12 names count if asked for",
		    names_count_if_asked_for),
		TEST("J-12 expressions over names count instead",
		    patterns_count),
		TEST("J-12 flags named as keywords do not stay",
		    named_flags_do_not_stay),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
