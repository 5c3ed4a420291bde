/*
 * store_thread_test.c - S-14, S-15, S-16: which messages make a thread, marks
 * that are inherited, threads for old mail
 */
#include "store_fixture.h"

#include "store/facts.h"

#define NOW 1700000000
#define DAY 86400

struct mail {
	const char *id, *refs, *subject, *more;
	int64_t date;
};

static struct bytes
text_of(struct arena *a, const struct mail *m)
{
	return bytes_str(arena_printf(a, "From: a@example.org\n%s%s%s"
	    "%s%s%sSubject: %s\n%s\nbody\n", m->id == NULL ? "" :
	    "Message-ID: <", m->id == NULL ? "" : m->id, m->id == NULL ? ""
	    : "@x>\n", m->refs == NULL ? "" : "References: ", m->refs == NULL
	    ? "" : m->refs, m->refs == NULL ? "" : "\n", m->subject,
	    m->more == NULL ? "" : m->more));
}

static uint32_t
add_to(struct account_dir *d, const char *mailbox, const struct mail *m)
{
	struct arena a = ARENA_INIT;
	struct bytes piece = text_of(&a, m);
	struct store_incoming in = { .pieces = &piece, .count = 1,
	    .internal_date = m->date != 0 ? m->date : NOW };
	struct store_delivered out;

	assert_int_equal(store_deliver(d->s, bytes_str(mailbox), &in, &out),
	    0);
	arena_free(&a);
	return out.uid;
}

static uint32_t
add(struct account_dir *d, const struct mail *m)
{
	return add_to(d, "INBOX", m);
}

static struct store_thread
thread_in(struct account_dir *d, const char *mailbox, uint32_t uid)
{
	struct store_view *v = store_view_open(d->s);
	struct store_mailbox box;
	struct store_thread t;

	assert_int_equal(store_mailbox_find(v, bytes_str(mailbox), &box), 1);
	assert_int_equal(store_thread_get(v, box.id, uid, &t), 1);
	store_view_close(v);
	return t;
}

static struct store_thread
thread_of(struct account_dir *d, uint32_t uid)
{
	return thread_in(d, "INBOX", uid);
}

/*
 * The threads of INBOX 1..n: for each message the UID of its parent, 0 for
 * none, and "!" where a link is missing, with blanks between.
 */
static const char *
shape(struct account_dir *d, uint32_t n, char out[256])
{
	size_t used = 0;
	uint32_t i, j;

	for (i = 1; i <= n; i++) {
		struct store_thread t = thread_of(d, i);
		uint32_t parent = t.parent_count == 0 ? 0 : 99;

		for (j = 1; j <= n && t.parent_count > 0; j++) {
			struct store_thread p = thread_of(d, j);

			if (p.own != t.parents[0])
				continue;
			parent = j;
			assert_true(p.id == t.id);
			assert_int_equal(t.parent_count, p.parent_count + 1);
		}
		if (t.parent_count == 0)
			assert_true(t.id == t.own);
		used += (size_t)snprintf(out + used, 256 - used, "%s%u%s",
		    i == 1 ? "" : " ", parent,
		    (t.flags & STORE_THREAD_MISSING) != 0 ? "!" : "");
	}
	return out;
}

#define REPORT "Content-Type: multipart/report; boundary=b;" \
    " report-type=delivery-status\n"

/* Each row is delivered in its order, and again found anew as old mail. */
static void
new_and_old_mail_is_matched(void **state)
{
	static const struct {
		const char *name, *want, *want_old;
		struct mail mail[5];
	} row[] = {
		{ "S-14 references", "0 1 2", NULL,
		    { { "a", NULL, "Hi", NULL, 0 },
		    { "b", "<a@x>", "Re: Hi", NULL, 0 },
		    { "c", "<a@x> <b@x>", "re: [list] hi", NULL, 0 } } },
		{ "S-14 In-Reply-To, first id only", "0 0 1", NULL,
		    { { "a", NULL, "Hi", NULL, 0 },
		    { "b", NULL, "Hi", NULL, 0 },
		    { "c", NULL, "Re: Hi",
		    "In-Reply-To: <A@X> <b@x>\n", 0 } } },
		{ "S-14 In-Reply-To counts only without References", "0 0!",
		    NULL, { { "a", NULL, "Hi", NULL, 0 },
		    { "b", "<none@x>", "Re: Hi", "In-Reply-To: <a@x>\n",
		    0 } } },
		{ "S-14 another subject is another thread", "0 0!", NULL,
		    { { "a", NULL, "Hi", NULL, 0 },
		    { "b", "<a@x>", "Re: Other", NULL, 0 } } },
		{ "S-14 the last that is here; missing link", "0 1!", NULL,
		    { { "a", NULL, "Hi", NULL, 0 },
		    { "c", "<a@x> <b@x>", "Re: Hi", NULL, 0 } } },
		{ "S-14 the same Message-ID", "0 1!", NULL,
		    { { "a", NULL, "Hi", NULL, 0 },
		    { "a", NULL, "Other", NULL, 0 } } },
		{ "S-14 its own id in its references", "0 1!", "0 1!",
		    { { "a", NULL, "Hi", NULL, 0 },
		    { "b", "<a@x> <none@x> <b@x>", "Re: Hi", NULL, 0 } } },
		{ "S-14 by subject, below the latest", "0 1! 2!", "0 1! 1!",
		    { { "a", NULL, "Hi", NULL, 0 },
		    { "b", NULL, "Re: Hi", NULL, NOW + 1 },
		    { "c", NULL, "Fwd: Hi", NULL, NOW + 2 } } },
		{ "S-14 no response, no match by subject", "0 0", NULL,
		    { { "a", NULL, "Hi", NULL, 0 },
		    { "b", NULL, "Hi", NULL, 0 } } },
		{ "S-14 an empty base subject matches none", "0 0", NULL,
		    { { "a", NULL, "Re:", NULL, 0 },
		    { "b", NULL, "Re: ", NULL, 0 } } },
		{ "S-14 just within four weeks", "0 1!", NULL,
		    { { "a", NULL, "Hi", NULL, NOW - 28 * DAY + 1 },
		    { "b", NULL, "Re: Hi", NULL, NOW } } },
		{ "S-14 four weeks are too long", "0 0!", NULL,
		    { { "a", NULL, "Hi", NULL, NOW - 28 * DAY },
		    { "b", NULL, "Re: Hi", NULL, NOW } } },
		{ "S-14 just within a day ahead", "0 1!", NULL,
		    { { "a", NULL, "Hi", NULL, NOW + DAY - 1 },
		    { "b", NULL, "Re: Hi", NULL, NOW } } },
		{ "S-14 a day ahead is too much", "0 0!", NULL,
		    { { "a", NULL, "Hi", NULL, NOW + DAY },
		    { "b", NULL, "Re: Hi", NULL, NOW } } },
		{ "S-16 a DSN joins whatever its subject", "0 1", NULL,
		    { { "a", NULL, "Hi", NULL, 0 },
		    { "b", "<a@x>", "Undelivered mail", REPORT, 0 } } },
		{ "S-14 no answer of a DSN does", "0 1 0!", NULL,
		    { { "a", NULL, "Hi", NULL, 0 },
		    { "b", "<a@x>", "Undelivered mail", REPORT, 0 },
		    { "c", "<a@x>", "Undelivered mail", NULL, 0 } } },
		{ "S-15 answers before what they answer", "0! 0! 0", "2 3 0",
		    { { "c", "<b@x>", "Re: Hi", NULL, 0 },
		    { "b", "<a@x>", "Re: Hi", NULL, 0 },
		    { "a", NULL, "Hi", NULL, 0 } } },
		{ "S-15 a circle is broken", "0! 1 2", NULL,
		    { { "a", "<b@x>", "Hi", NULL, 0 },
		    { "c", "<a@x>", "Hi", NULL, 0 },
		    { "b", "<c@x>", "Hi", NULL, 0 } } },
		{ "S-15 one that refers to itself", "0", NULL,
		    { { "a", "<a@x>", "Hi", NULL, 0 } } },
	};
	size_t i, j;
	char out[256];

	(void)state;		/* each row has an account of its own */
	for (i = 0; i < COUNT(row); i++) {
		const char *old = row[i].want_old != NULL ? row[i].want_old
		    : row[i].want;
		struct account_dir *d;
		uint32_t n = 0;

		assert_int_equal(account_setup((void **)&d), 0);
		for (j = 0; j < 5 && row[i].mail[j].subject != NULL; j++)
			n = add(d, &row[i].mail[j]);
		if (strcmp(shape(d, n, out), row[i].want) != 0)
			fail_msg("%s: %s", row[i].name, out);
		assert_content(d);
		assert_int_equal(store_threads_anew(d->s), 0);
		if (strcmp(shape(d, n, out), old) != 0)
			fail_msg("%s, old mail: %s", row[i].name, out);
		assert_content(d);
		assert_int_equal(account_teardown((void **)&d), 0);
	}
}

static const struct mail first = { "a", NULL, "Hi", NULL, 0 },
    answer = { "b", "<a@x>", "Re: Hi", NULL, 0 },
    last = { "c", "<b@x>", "Re: Hi", NULL, 0 },
    other = { "d", "<a@x>", "Re: Hi", NULL, 0 };

static void
marks_are_inherited(void **state)
{
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX"), uid[4];

	uid[0] = add(d, &first);
	uid[1] = add(d, &answer);
	assert_int_equal(store_thread_mark(d->s, id, &uid[1], 1,
	    STORE_THREAD_MUTED | STORE_THREAD_COLLAPSED, true), 0);
	uid[2] = add(d, &last);
	uid[3] = add(d, &other);
	assert_int_equal(flags_of(d, id, uid[1]), 0);
	assert_int_equal(flags_of(d, id, uid[2]), STORE_SEEN);
	assert_int_equal(flags_of(d, id, uid[3]), 0);
	assert_int_equal(thread_of(d, uid[0]).flags, 0);
	assert_int_equal(thread_of(d, uid[2]).flags & 6,
	    STORE_THREAD_MUTED | STORE_THREAD_COLLAPSED);
	assert_int_equal(store_thread_mark(d->s, id, uid, 1,
	    STORE_THREAD_MUTED, true), 0);
	assert_int_equal(thread_of(d, uid[3]).flags & 6, STORE_THREAD_MUTED);
	assert_int_equal(store_thread_mark(d->s, id, uid, 1,
	    STORE_THREAD_MUTED, false), 0);
	assert_int_equal(thread_of(d, uid[2]).flags & 6,
	    STORE_THREAD_COLLAPSED);
	assert_int_equal(store_thread_mark(d->s, id, uid, 1,
	    STORE_THREAD_DSN, true), -1);
	assert_int_equal(errno, EINVAL);
	assert_content(d);
}

/* Old mail is not made \Seen by a mute. */
static void
old_mail_is_not_seen(void **state)
{
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX"), uid = add(d, &first), late;

	late = add(d, &answer);
	assert_int_equal(store_thread_mark(d->s, id, &uid, 1,
	    STORE_THREAD_MUTED, true), 0);
	assert_int_equal(store_threads_anew(d->s), 0);
	assert_int_equal(flags_of(d, id, late), 0);
	assert_int_equal(thread_of(d, late).flags & STORE_THREAD_MUTED,
	    STORE_THREAD_MUTED);
	assert_content(d);
}

static void
threads_go_along(void **state)
{
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX"), to = id_of(d, "Archive"), uid, new;
	struct store_place at = { 0, 0 };
	struct store_thread t, moved;
	struct store_view *v;

	uid = add(d, &first);
	(void)add(d, &answer);		/* number 2 */
	t = thread_of(d, 2);
	uid = 2;
	assert_int_equal(store_copy(d->s, id, &uid, 1, to, true, &new), 0);
	moved = thread_in(d, "Archive", new);
	assert_true(moved.id == t.id && moved.own == t.own);
	assert_int_equal(moved.parent_count, 1);
	assert_int_equal(moved.original_mailbox, id);
	(void)add_to(d, "Work", &last);
	v = store_view_open(d->s);
	assert_int_equal(store_thread_next(v, t.id, &at), 1);
	assert_int_equal(at.mailbox, id);
	assert_int_equal(store_thread_next(v, t.id, &at), 1);
	assert_int_equal(at.mailbox, to);
	assert_int_equal(store_thread_next(v, t.id, &at), 1);
	assert_int_equal(store_thread_next(v, t.id, &at), 0);
	store_view_close(v);
	assert_int_equal(thread_in(d, "Work", 1).parent_count, 2);
	assert_content(d);
	uid = 1;
	assert_int_equal(store_expunge(d->s, id, &uid, 1, true, NULL), 0);
	assert_int_equal(thread_in(d, "Work", 1).parent_count, 2);
	assert_content(d);
	assert_int_equal(store_rebuild(d->s), 0);
	assert_true(thread_in(d, "Work", 1).id == t.id);
	assert_content(d);
}

static void
put_mail(struct account_dir *d, const char *dir, const char *name,
    const struct mail *m)
{
	struct arena a = ARENA_INIT;
	struct bytes text = text_of(&a, m);
	int fd = open(arena_printf(&a, "%s/Maildir/%s/%s", d->dir, dir, name),
	    O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text.p, text.n), text.n);
	assert_int_equal(close(fd), 0);
	arena_free(&a);
}

/* S-15: files of other programs. */
static void
imports_get_threads(void **state)
{
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX"), uid = 1;
	char out[256];

	put_mail(d, "cur", "1.answer:2,", &answer);
	put_mail(d, "cur", "2.first:2,", &first);
	assert_int_equal(store_sync(d->s, id, false), 1);
	assert_string_equal(shape(d, 2, out), "2 0");
	assert_int_equal(store_thread_mark(d->s, id, &uid, 1,
	    STORE_THREAD_MUTED, true), 0);
	put_mail(d, "new", "3.last", &last);
	assert_int_equal(store_sync(d->s, id, false), 1);
	assert_string_equal(shape(d, 3, out), "2 0 1");
	assert_int_equal(flags_of(d, id, 3), STORE_SEEN);
	assert_content(d);
	/* The index is lost: the same threads of the files alone. */
	store_close(d->s);
	{
		struct arena a = ARENA_INIT;

		remove_tree(arena_printf(&a, "%s/index", d->dir));
		arena_free(&a);
	}
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_string_equal(shape(d, 3, out), "2 0 1");
	assert_content(d);
}

/* Many parents and references: the nearest are kept. */
static void
long_threads_are_cut(void **state)
{
	struct account_dir *d = *state;
	char id[16], refs[1024];
	struct mail m = { id, NULL, "Hi", NULL, 0 };
	struct store_thread t;
	int i, j;

	for (i = 0; i <= STORE_PARENTS_MAX + 1; i++) {
		size_t n = 0;

		for (j = i - STORE_REFERENCES_MAX - 1; i > 0 && j < i; j++)
			n += (size_t)snprintf(refs + n, sizeof(refs) - n,
			    "<%d@x> ", j);
		(void)snprintf(id, sizeof(id), "%d", i);
		m.refs = i == 0 ? NULL : refs;
		(void)add(d, &m);
	}
	t = thread_of(d, STORE_PARENTS_MAX + 1);	/* message number 50 */
	assert_int_equal(t.parent_count, STORE_PARENTS_MAX);
	assert_true(t.parents[STORE_PARENTS_MAX - 1] == t.id);
	t = thread_of(d, STORE_PARENTS_MAX + 2);
	assert_int_equal(t.parent_count, STORE_PARENTS_MAX);
	assert_int_equal(t.reference_count, STORE_REFERENCES_MAX);
	assert_true(t.id == thread_of(d, 1).own);
	assert_content(d);
	assert_int_equal(store_threads_anew(d->s), 0);
	assert_true(thread_of(d, STORE_PARENTS_MAX + 2).id ==
	    thread_of(d, 1).own);
	assert_content(d);
}

/* What a damaged record says of its thread does not go to a message that is
 * among its parents. */
static void
no_circles(void **state)
{
	struct store_thread own = { .own = 1, .parents = { 7 } };
	const struct store_thread damaged = { .own = 2, .id = 9,
	    .parent_count = 2, .parents = { 3, 1 } };

	(void)state;
	thread_child(&own, &damaged);
	assert_int_equal(own.parent_count, 0);
	assert_int_equal(own.id, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S-14 S-15 S-16 new and old mail is matched",
		    new_and_old_mail_is_matched),
		TEST("S-14 marks are inherited, muted ones arrive seen",
		    marks_are_inherited),
		TEST("S-15 old mail is not seen by a mute",
		    old_mail_is_not_seen),
		TEST("S-14 threads go along with moves",
		    threads_go_along),
		TEST("S-15 imports and lost indexes get threads",
		    imports_get_threads),
		TEST("S-14 long threads are cut", long_threads_are_cut),
		TEST("S-22 no circles", no_circles),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
