/* Tests of lib/judge: copies of refused mail, marks. */
#include "store_fixture.h"

#include "judge/ask.h"

static const struct judge_rejects rejects = { { (const unsigned char *)
    "Rejects", 7 }, false };
static const struct judge_rejects kept = { { (const unsigned char *)
    "Rejects", 7 }, true };

static uint32_t
total(struct store *s, const char *name)
{
	struct store_view *v = store_view_open(s);
	struct store_mailbox box;
	uint32_t n;

	assert_non_null(v);
	n = store_mailbox_find(v, bytes_str(name), &box) == 1 ? box.total : 0;
	store_view_close(v);
	return n;
}

/* Add a copy of a message that has a Message-ID, a hash, or neither. */
static int
add(struct store *s, const struct judge_rejects *r, const char *id,
    const char *hash, int64_t now)
{
	char text[200];
	struct buf facts = BUF_INIT(1000);
	struct bytes pieces[2] = { BYTES("Pipemail-Reason: x\n") };
	struct store_incoming m = { .pieces = pieces, .count = 2,
	    .flags = STORE_SEEN };
	int n;

	(void)snprintf(text, sizeof(text), "%s%s%sSubject: x\n\ntext\n",
	    id == NULL ? "" : "Message-ID: <", id == NULL ? "" : id,
	    id == NULL ? "" : ">\n");
	pieces[1] = bytes_str(text);
	if (hash != NULL)
		assert_int_equal(store_field_add(&facts,
		    STORE_TAG_MESSAGE_HASH, bytes_str(hash)), 0);
	assert_int_equal(store_field_add(&facts, STORE_TAG_REJECT,
	    BYTES("1")), 0);
	m.extension = buf_bytes(&facts);
	n = judge_rejects_add(s, r, &m, pieces[1], now);
	buf_free(&facts);
	return n;
}

static void
test_same(void **state)
{
	struct store *s = ((struct account_dir *)*state)->s;
	const struct judge_rejects none = { BYTES_EMPTY, false };
	int64_t now = time_wall_us() / 1000000;

	print_message("# J-10 one copy by Message-ID or by hash\n");
	assert_int_equal(add(s, &rejects, "1@a.example", "h1", now), 1);
	assert_int_equal(add(s, &rejects, "1@A.example", "h2", now), 0);
	assert_int_equal(add(s, &rejects, "2@a.example", "h1", now), 0);
	assert_int_equal(add(s, &rejects, NULL, "h1", now), 0);
	assert_int_equal(add(s, &rejects, NULL, "h3", now), 1);
	assert_int_equal(add(s, &rejects, NULL, NULL, now), 1);
	assert_int_equal(add(s, &rejects, NULL, NULL, now), 1);
	assert_int_equal(total(s, "Rejects"), 4);
	print_message("# J-10 without a mailbox none is kept\n");
	assert_int_equal(add(s, &none, "9@a.example", "h9", now), 0);
	assert_int_equal(total(s, "INBOX"), 0);
	print_message("# J-10 the same elsewhere is no copy\n");
	assert_int_equal(add(s, &(struct judge_rejects){ BYTES("Other"),
	    false }, "1@a.example", "h1", now), 1);
	print_message("# J-10 what is accepted goes from there\n");
	assert_int_equal(judge_rejects_forget(s, &rejects,
	    BYTES("Message-ID: <1@a.example>\n\nx\n")), 0);
	assert_int_equal(total(s, "Rejects"), 3);
	assert_int_equal(total(s, "Other"), 1);
	assert_int_equal(judge_rejects_forget(s, &rejects,
	    BYTES("Subject: x\n\nx\n")), 0);
	assert_int_equal(total(s, "Rejects"), 3);
}

static void
test_age(void **state)
{
	struct store *s = ((struct account_dir *)*state)->s;
	int64_t now = time_wall_us() / 1000000;
	const int64_t age = JUDGE_REJECTS_SECONDS;

	print_message("# J-10 removed after 14 days, not before\n");
	assert_int_equal(add(s, &rejects, "1@a.example", NULL, now), 1);
	assert_int_equal(add(s, &rejects, "2@a.example", NULL,
	    now + age - 60), 1);
	assert_int_equal(total(s, "Rejects"), 2);
	print_message("# J-10 KeepRejects: nothing is removed\n");
	assert_int_equal(add(s, &kept, "3@a.example", NULL, now + age + 60),
	    1);
	assert_int_equal(total(s, "Rejects"), 3);
	print_message("# J-10 the same as one that goes is kept anew\n");
	assert_int_equal(add(s, &rejects, "1@a.example", NULL,
	    now + age + 60), 1);
	assert_int_equal(total(s, "Rejects"), 1);
}

/* A message comes into Rejects otherwise, with or without the mark. */
static void
put(struct store *s, const char *text, bool refused)
{
	struct bytes piece = bytes_str(text);
	struct buf facts = BUF_INIT(100);
	struct store_incoming m = { .pieces = &piece, .count = 1 };

	if (refused)
		assert_int_equal(store_field_add(&facts, STORE_TAG_REJECT,
		    BYTES("1")), 0);
	m.extension = buf_bytes(&facts);
	assert_int_equal(store_deliver(s, BYTES("Rejects"), &m, NULL), 0);
	buf_free(&facts);
}

static void
test_others(void **state)
{
	struct store *s = ((struct account_dir *)*state)->s;
	const struct bytes text = BYTES("Message-ID: <1@a.example>\n\nx\n");
	int64_t now = time_wall_us() / 1000000;

	print_message("# J-10 what is delivered there is no copy: it stays\n");
	put(s, "Message-ID: <1@a.example>\n\nx\n", false);
	assert_int_equal(judge_rejects_forget(s, &rejects, text), 0);
	assert_int_equal(total(s, "Rejects"), 1);
	print_message("# J-10 nor does it get too old\n");
	assert_int_equal(add(s, &rejects, "2@a.example", NULL, now), 1);
	assert_int_equal(add(s, &rejects, "3@a.example", NULL,
	    now + JUDGE_REJECTS_SECONDS + 60), 1);
	assert_int_equal(total(s, "Rejects"), 2);
	print_message("# J-10 BEHAVIOUR 1.2 all copies of a message go\n");
	assert_int_equal(add(s, &rejects, "4@a.example", NULL, now), 1);
	put(s, "Message-ID: <4@a.example>\n\nx\n", true);
	assert_int_equal(total(s, "Rejects"), 4);
	assert_int_equal(judge_rejects_forget(s, &rejects,
	    BYTES("Message-ID: <4@a.example>\n\nx\n")), 0);
	assert_int_equal(total(s, "Rejects"), 2);
}

static void
test_limit(void **state)
{
	struct store *s = ((struct account_dir *)*state)->s;
	int64_t now = time_wall_us() / 1000000;
	struct bytes piece = BYTES("Subject: x\n\nx\n");
	struct store_incoming *m;
	struct store_mailbox box;
	struct store_view *v;

	print_message("# J-10 BEHAVIOUR 1.4 at most JUDGE_REJECTS_MAX\n");
	assert_int_equal(add(s, &rejects, "1@a.example", NULL, now), 1);
	v = store_view_open(s);
	assert_int_equal(store_mailbox_find(v, BYTES("Rejects"), &box), 1);
	store_view_close(v);
	m = calloc(JUDGE_REJECTS_MAX, sizeof(*m));
	assert_non_null(m);
	for (size_t i = 0; i < JUDGE_REJECTS_MAX; i++)
		m[i] = (struct store_incoming){ .pieces = &piece,
		    .count = 1, .extension = BYTES_EMPTY };
	assert_int_equal(store_append(s, box.id, m, JUDGE_REJECTS_MAX - 2,
	    NULL), 0);
	assert_int_equal(add(s, &rejects, "2@a.example", NULL, now), 1);
	assert_int_equal(total(s, "Rejects"), JUDGE_REJECTS_MAX);
	assert_int_equal(add(s, &rejects, "3@a.example", NULL, now), 0);
	assert_int_equal(total(s, "Rejects"), JUDGE_REJECTS_MAX);
	assert_int_equal(add(s, &kept, "3@a.example", NULL, now), 1);
	print_message("# J-10 KeepRejects: the newest are compared\n");
	assert_int_equal(add(s, &kept, NULL, "h", now), 1);
	assert_int_equal(add(s, &kept, NULL, "h", now), 0);
	assert_int_equal(store_append(s, box.id, m, JUDGE_REJECTS_MAX - 1,
	    NULL), 0);
	assert_int_equal(add(s, &kept, NULL, "h", now), 0);
	assert_int_equal(store_append(s, box.id, m, 1, NULL), 0);
	assert_int_equal(add(s, &kept, NULL, "h", now), 1);
	free(m);
}

/* The tags of the only message of a mailbox. */
static void
test_marks(void **state)
{
	struct store *s = ((struct account_dir *)*state)->s;
	struct judge_result r = { .accept = false, .destined =
	    BYTES("Lists/x") };
	struct buf b = BUF_INIT(1000), field = b;
	struct store_mailbox box, aside;
	struct store_destined d;
	struct bytes rest, value;
	struct store_view *v;
	enum store_tag tag;

	print_message("# J-10 J-17 the destined mailbox is made and noted\n");
	assert_int_equal(judge_add_marks(&b, &field, s, &r, BYTES("Aside")),
	    0);
	v = store_view_open(s);
	assert_int_equal(store_mailbox_find(v, BYTES("Lists/x"), &box), 1);
	assert_int_equal(store_mailbox_find(v, BYTES("Aside"), &aside), 1);
	store_view_close(v);
	rest = buf_bytes(&b);
	assert_int_equal(store_field_next(&rest, &tag, &value), 1);
	assert_int_equal(tag, STORE_TAG_DESTINED_MAILBOX);
	assert_int_equal(value.n, 4);
	assert_int_equal(be32_get(value.p), box.id);
	assert_int_equal(store_field_next(&rest, &tag, &value), 1);
	assert_int_equal(tag, STORE_TAG_REJECT);
	print_message("# J-10 in the file, too\n");
	assert_int_equal(store_destined_parse(buf_bytes(&field), &d), 0);
	assert_int_equal(d.mailbox, box.uidvalidity);
	assert_int_equal(d.aside, aside.uidvalidity);
	assert_true(d.refused);
	buf_reset(&b);
	buf_reset(&field);
	r = (struct judge_result){ .accept = true, .destined = BYTES_EMPTY };
	assert_int_equal(judge_add_marks(&b, &field, s, &r, BYTES("Aside")),
	    0);
	assert_int_equal(b.n, 0);
	assert_int_equal(field.n, 0);
	print_message("# D-7 accepted all the same, it has the mark\n");
	r.is_reject = true;
	assert_int_equal(judge_add_marks(&b, &field, s, &r, BYTES("Aside")),
	    0);
	rest = buf_bytes(&b);
	assert_int_equal(store_field_next(&rest, &tag, &value), 1);
	assert_int_equal(tag, STORE_TAG_REJECT);
	buf_free(&b);
	buf_free(&field);
}

/* What a new index knows such a message by. */
static void
test_field(void **state)
{
	static const struct {
		const char *text;
		struct store_destined d;
		bool good;
	} rows[] = {
		{ "Pipemail-Destined: 1; aside=2\n", { 1, 2, false }, true },
		{ "Pipemail-Destined: 4294967295; aside=7; refused\n",
		    { UINT32_MAX, 7, true }, true },
		{ "Pipemail-Destined: 4294967296; aside=7\n", { 0 }, false },
		{ "Pipemail-Destined: 0; aside=7\n", { 0 }, false },
		{ "Pipemail-Destined: 7; aside=0\n", { 0 }, false },
		{ "Pipemail-Destined: 7\n", { 0 }, false },
		{ "Pipemail-Destined: 7; aside=8; more\n", { 0 }, false },
		{ "Pipemail-Destined: 7; aside=8", { 0 }, false },
		{ "Pipemail-Destined:\n", { 0 }, false },
	};
	struct store_destined d;
	struct buf b = BUF_INIT(1000);

	(void)state;
	print_message("# J-10 the field: made, read, refused\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(store_destined_parse(bytes_str(rows[i].text),
		    &d), rows[i].good ? 0 : -1);
		if (!rows[i].good)
			continue;
		assert_int_equal(d.mailbox, rows[i].d.mailbox);
		assert_int_equal(d.aside, rows[i].d.aside);
		assert_int_equal(d.refused, rows[i].d.refused);
		buf_reset(&b);
		assert_int_equal(store_destined_format(&b, &d), 0);
		assert_true(bytes_eq(buf_bytes(&b), bytes_str(rows[i].text)));
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same, account_setup,
		    account_teardown),
		cmocka_unit_test_setup_teardown(test_age, account_setup,
		    account_teardown),
		cmocka_unit_test_setup_teardown(test_others, account_setup,
		    account_teardown),
		cmocka_unit_test_setup_teardown(test_limit, account_setup,
		    account_teardown),
		cmocka_unit_test_setup_teardown(test_marks, account_setup,
		    account_teardown),
		cmocka_unit_test(test_field),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
