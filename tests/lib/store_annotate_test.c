/* store_annotate_test.c - S-23 annotations, and which messages are recent */
#include "store_fixture.h"

static int
set(struct account_dir *d, uint32_t mailbox, const char *name,
    struct bytes value)
{
	struct store_annotation_change c = { .name = bytes_str(name),
	    .value = value };

	return store_annotate(d->s, mailbox, &c, 1, NULL);
}

/* "name=value " of each, by name. */
static const char *
all(struct account_dir *d, uint32_t mailbox, char out[512])
{
	struct store_view *v = store_view_open(d->s);
	struct bytes at = BYTES_EMPTY;
	struct store_annotation a;
	size_t n = 0;
	int r;

	out[0] = '\0';
	while ((r = store_annotation_next(v, mailbox, &at, &a)) == 1)
		n += (size_t)snprintf(out + n, 512 - n, "%.*s=%.*s ",
		    BYTES_ARG(a.name), BYTES_ARG(a.value));
	assert_int_equal(r, 0);
	store_view_close(v);
	return out;
}

static void
annotations_are_kept(void **state)
{
	struct account_dir *d = *state;
	struct store_annotation_change c[2] = {
		{ .name = BYTES("/Shared/COMMENT"), .value = BYTES("one") },
		{ .name = BYTES("/private/x"), .value = BYTES("a\0b") } };
	uint32_t sent = box_of(d, "Sent").id;
	uint64_t before = box_of(d, "Sent").modseq, modseq;
	struct store_annotation a;
	struct store_view *v;
	char text[512];

	assert_int_equal(store_annotate(d->s, sent, c, 2, &modseq), 0);
	assert_true(modseq > before);
	assert_int_equal(box_of(d, "Sent").modseq, modseq);
	assert_int_equal(set(d, 0, "/shared/comment", BYTES("account")), 0);
	v = store_view_open(d->s);
	assert_int_equal(store_annotation_get(v, sent,
	    BYTES("/PRIVATE/x"), &a), 1);
	assert_true(bytes_eq(a.value, BYTES("a\0b")));
	assert_int_equal(a.modseq, modseq);
	assert_int_equal(store_annotation_get(v, sent,
	    BYTES("/private/"), &a), 0);
	assert_int_equal(store_annotation_get(v, sent + 1,
	    BYTES("/private/x"), &a), 0);
	store_view_close(v);
	c[0].remove = true;
	c[1].name = BYTES("/private/none");
	c[1].remove = true;
	assert_int_equal(store_annotate(d->s, sent, c, 2, NULL), 0);
	assert_int_equal(store_annotate(d->s, sent, c, 2, &modseq), 0);
	assert_int_equal(modseq, 0);	/* nothing was there */
	reopen(d);
	assert_memory_equal(all(d, sent, text), "/private/x=a", 12);
	assert_string_equal(all(d, 0, text), "/shared/comment=account ");
}

static void
annotations_follow_their_mailbox(void **state)
{
	struct account_dir *d = *state;
	uint32_t id = box_of(d, "Archive").id, sent = box_of(d, "Sent").id;
	char text[512];

	assert_int_equal(set(d, id, "/private/a", BYTES("1")), 0);
	assert_int_equal(set(d, id, "/private/b", BYTES("2")), 0);
	assert_int_equal(set(d, sent, "/private/a", BYTES("3")), 0);
	assert_int_equal(store_mailbox_rename(d->s, BYTES("Archive"),
	    BYTES("Old/Archive")), 0);
	assert_int_equal(box_of(d, "Old/Archive").id, id);
	assert_string_equal(all(d, id, text), "/private/a=1 /private/b=2 ");
	assert_int_equal(store_mailbox_delete(d->s, BYTES("Old/Archive")), 0);
	assert_string_equal(all(d, id, text), "");
	assert_string_equal(all(d, sent, text), "/private/a=3 ");
	assert_int_equal(set(d, id, "/private/a", BYTES("x")), -1);
	assert_int_equal(errno, ENOENT);
}

static void
names_are_checked(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} row[] = {
		{ "/private/a", true }, { "/SHARED/vendor/x/y", true },
		{ "/shared/a b", true }, { "", false }, { "/", false },
		{ "/private", false }, { "/private/", false },
		{ "/shared//a", false }, { "/shared/a/", false },
		{ "/other/a", false }, { "private/a", false },
		{ "/shared/a*", false }, { "/shared/%", false },
		{ "/shared/\x7f", false }, { "/shared/\xc3\xa4", false },
		{ "/shared/\t", false },
	};
	struct account_dir *d = *state;
	char name[STORE_ANNOTATION_NAME_MAX + 2];
	size_t i;

	for (i = 0; i < COUNT(row); i++) {
		assert_int_equal(set(d, 0, row[i].name, BYTES("v")),
		    row[i].good ? 0 : -1);
		if (!row[i].good)
			assert_int_equal(errno, EINVAL);
	}
	memset(name, 'n', sizeof(name));
	memcpy(name, "/shared/", 8);
	name[STORE_ANNOTATION_NAME_MAX + 1] = '\0';
	assert_int_equal(set(d, 0, name, BYTES("v")), -1);
	assert_int_equal(errno, EINVAL);
	name[STORE_ANNOTATION_NAME_MAX] = '\0';
	assert_int_equal(set(d, 0, name, BYTES("v")), 0);
}

static void
number_is_limited(void **state)
{
	struct account_dir *d = *state;
	struct store_annotation_change *c = mem_zalloc(
	    STORE_ANNOTATIONS_MAX, sizeof(*c));
	struct arena a = ARENA_INIT;
	uint32_t sent = box_of(d, "Sent").id;
	size_t i;

	for (i = 0; i < STORE_ANNOTATIONS_MAX; i++) {
		c[i].name = bytes_str(arena_printf(&a, "/private/%zu", i));
		c[i].value = BYTES("");
	}
	assert_int_equal(store_annotate(d->s, sent, c,
	    STORE_ANNOTATIONS_MAX - 1, NULL), 0);
	assert_int_equal(set(d, 0, "/private/last", BYTES("")), 0);
	assert_int_equal(set(d, 0, "/private/more", BYTES("")), -1);
	assert_int_equal(errno, EOVERFLOW);
	assert_int_equal(set(d, 0, "/private/last", BYTES("new")), 0);
	c[0].remove = true;
	assert_int_equal(store_annotate(d->s, sent, c, 1, NULL), 0);
	assert_int_equal(set(d, 0, "/private/more", BYTES("")), 0);
	arena_free(&a);
	free(c);
}

static void
bytes_are_limited(void **state)
{
	struct account_dir *d = *state;
	size_t n = STORE_ANNOTATION_BYTES_MAX - 2 * 10;	/* two names */
	unsigned char *p = mem_zalloc(1, n + 1);
	struct store_annotation a;
	struct store_view *v;

	assert_int_equal(set(d, 0, "/private/a", BYTES("x")), 0);
	assert_int_equal(set(d, 1, "/private/b", bytes_of(p, n)), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(set(d, 1, "/private/b", bytes_of(p, n - 1)), 0);
	assert_int_equal(set(d, 0, "/private/a", BYTES("xy")), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(set(d, 0, "/private/a", BYTES("")), 0);
	v = store_view_open(d->s);
	assert_int_equal(store_annotation_get(v, 1, BYTES("/private/b"), &a),
	    1);
	assert_int_equal(a.value.n, n - 1);
	store_view_close(v);
	free(p);
}

/* All or none. */
static void
one_bad_change_leaves_all(void **state)
{
	struct account_dir *d = *state;
	struct store_annotation_change c[2] = {
		{ .name = BYTES("/private/a"), .value = BYTES("new") },
		{ .name = BYTES("/wrong"), .value = BYTES("x") } };
	char text[512];

	assert_int_equal(set(d, 0, "/private/a", BYTES("old")), 0);
	assert_int_equal(store_annotate(d->s, 0, c, 2, NULL), -1);
	assert_string_equal(all(d, 0, text), "/private/a=old ");
}

static void
changes_are_fed(void **state)
{
	struct account_dir *d = *state;
	uint32_t sent = box_of(d, "Sent").id;
	struct store_view *v = store_view_open(d->s);
	uint64_t since = store_view_modseq(v);
	struct store_change c;

	store_view_close(v);
	assert_int_equal(set(d, sent, "/Private/A", BYTES("x")), 0);
	assert_int_equal(set(d, 0, "/private/b", BYTES("x")), 0);
	v = store_view_open(d->s);
	assert_int_equal(store_change_first(v, since, &c), 1);
	assert_int_equal(c.kind, STORE_CHANGE_ANNOTATION);
	assert_int_equal(c.mailbox, sent);
	assert_true(bytes_eq(c.name, BYTES("/private/a")));
	assert_int_equal(store_change_next(v, &c), 1);
	assert_int_equal(c.kind, STORE_CHANGE_ANNOTATION);
	assert_int_equal(c.mailbox, 0);
	assert_int_equal(store_change_next(v, &c), 0);
	store_view_close(v);
}

/* ---- recent ---- */

static void
assert_taken(struct account_dir *d, uint32_t first, uint32_t end)
{
	uint32_t from, to;

	assert_int_equal(store_recent_take(d->s, box_of(d, "Sent").id, &from,
	    &to), 0);
	assert_int_equal(from == 0 ? 1 : from, first);
	assert_int_equal(to, end);
}

static void
recent_messages_are_taken_once(void **state)
{
	struct account_dir *d = *state;
	uint32_t from, to;
	uint64_t modseq;

	deliver(d, "Sent", "x");
	deliver(d, "Sent", "x");
	modseq = box_of(d, "Sent").modseq;
	assert_taken(d, 1, 3);
	assert_taken(d, 3, 3);
	deliver(d, "Sent", "x");
	reopen(d);
	assert_int_equal(box_of(d, "Sent").recent_from, 3);
	assert_taken(d, 3, 4);
	assert_int_equal(box_of(d, "Sent").recent_from, 4);
	assert_taken(d, 4, 4);
	/* It is no change that clients hear of. */
	assert_int_equal(box_of(d, "Sent").modseq, modseq + 1);
	assert_int_equal(store_recent_take(d->s, 999, &from, &to), -1);
	assert_int_equal(errno, ENOENT);
}

static void
made_without_subscribing(void **state)
{
	struct account_dir *d = *state;
	uint32_t id;

	assert_int_equal(store_mailbox_create_only(d->s, BYTES("A/B"),
	    STORE_USE_JUNK, &id), 0);
	assert_false(box_of(d, "A").subscribed);
	assert_false(box_of(d, "A/B").subscribed);
	assert_int_equal(box_of(d, "A/B").id, id);
	assert_int_equal(box_of(d, "A/B").use, STORE_USE_JUNK);
	assert_int_equal(store_mailbox_create(d->s, BYTES("A/C"), 0, NULL),
	    0);
	assert_false(box_of(d, "A").subscribed);
	assert_true(box_of(d, "A/C").subscribed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S-23 annotations are kept", annotations_are_kept),
		TEST("S-23 on rename kept, on delete removed",
		    annotations_follow_their_mailbox),
		TEST("S-23 names of annotations", names_are_checked),
		TEST("S-23 1000 annotations and one more",
		    number_is_limited),
		TEST("S-23 1 MB and one more", bytes_are_limited),
		TEST("S-23 all or none", one_bad_change_leaves_all),
		TEST("S-9 S-23 annotations are in the feed",
		    changes_are_fed),
		TEST("I-24 recent messages are taken once",
		    recent_messages_are_taken_once),
		TEST("S-11 made without subscribing",
		    made_without_subscribing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
