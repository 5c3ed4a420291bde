/*
 * store_left_test.c - an expunge of many messages (S-10): what their other
 * entries are while they wait to be removed, and that they are
 */
#include "store_fixture.h"

#define MORE 3			/* messages that stay */

static int64_t
rows(struct account_dir *d, unsigned int table)
{
	struct store_view *v = store_view_open(d->s);
	int64_t n;

	assert_non_null(v);
	n = kv_count(v->t, table);
	store_view_close(v);
	return n;
}

static void
assert_rows(struct account_dir *d, int64_t n)
{
	static const unsigned int tables[] = { TABLE_TEXT, TABLE_THREAD,
	    TABLE_MESSAGE_ID, TABLE_THREAD_MEMBER };
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		assert_int_equal(rows(d, tables[i]), n);
}

static void
expunge_first(struct account_dir *d, size_t count)
{
	uint32_t uids[LEFT_NOW + 1];
	uint64_t modseq;
	size_t i;

	for (i = 0; i < count; i++)
		uids[i] = (uint32_t)i + 1;
	assert_int_equal(store_expunge(d->s, 1, uids, count, true, &modseq),
	    0);
	assert_true(modseq != 0);
}

static void
deliver_text(struct account_dir *d, const char *text)
{
	struct bytes piece = bytes_str(text);
	struct store_incoming in = { .pieces = &piece, .count = 1 };
	struct store_delivered out;

	assert_int_equal(store_deliver(d->s, BYTES("INBOX"), &in, &out), 0);
}

/* Each with a Message-ID of its own, all in one thread. */
static void
deliver_thread(struct account_dir *d, unsigned int count)
{
	char text[256];
	unsigned int i;

	for (i = 1; i <= count; i++) {
		(void)snprintf(text, sizeof(text), "From: a@b.example\n"
		    "Message-ID: <m%u@b.example>\nReferences: <m1@b.example>\n"
		    "Subject: many\n\nwords number %u\n", i, i);
		deliver_text(d, text);
	}
	assert_rows(d, count);
}

/* The messages that a thread leads to, and a Message-ID. */
static void
led_to(struct account_dir *d, uint32_t uid, uint32_t gone, size_t *members,
    size_t *ids)
{
	struct store_view *v = store_view_open(d->s);
	struct store_place at = { 0, 0 };
	char id[32];
	struct store_thread t;

	assert_non_null(v);
	assert_int_equal(store_thread_get(v, 1, uid, &t), 1);
	for (*members = 0; store_thread_next(v, t.id, &at) == 1;)
		++*members;
	(void)snprintf(id, sizeof(id), "<m%u@b.example>", gone);
	at = (struct store_place){ 0, 0 };
	for (*ids = 0; store_message_id_next(v, store_message_id_hash(
	    bytes_str(id)), &at) == 1;)
		++*ids;
	store_view_close(v);
}

static void
a_few_leave_nothing(void **state)
{
	struct account_dir *d = *state;

	deliver_thread(d, LEFT_NOW + MORE);
	expunge_first(d, LEFT_NOW);
	assert_false(store_names_behind(d->s));
	assert_rows(d, MORE);
	assert_content(d);
}

static void
what_many_leave_is_not_seen_and_goes(void **state)
{
	struct account_dir *d = *state;
	size_t members, ids;

	deliver_thread(d, LEFT_NOW + 1 + MORE);
	expunge_first(d, LEFT_NOW + 1);
	assert_true(store_names_behind(d->s));
	assert_rows(d, LEFT_NOW + 1 + MORE);
	assert_content(d);
	led_to(d, LEFT_NOW + 2, 5, &members, &ids);
	assert_int_equal(members, MORE);
	assert_int_equal(ids, 0);
	/* A new one is no answer to what is gone. */
	deliver_text(d, "From: a@b.example\n"
	    "Message-ID: <new@b.example>\nReferences: <m5@b.example>\n"
	    "Subject: other\n\nwords\n");
	led_to(d, LEFT_NOW + 2 + MORE, 5, &members, &ids);
	assert_int_equal(members, 1);
	while (store_names(d->s) == 1)
		;
	assert_false(store_names_behind(d->s));
	assert_rows(d, MORE + 1);
	assert_int_equal(rows(d, TABLE_LEFT), 0);
	assert_content(d);
}

/* A process that ends right after its answer; the next one goes on. */
static void
what_a_killed_process_left_goes(void **state)
{
	struct account_dir *d = *state;
	pid_t pid;
	int status;

	deliver_thread(d, LEFT_NOW + 1 + MORE);
	store_close(d->s);
	pid = fork();
	if (pid == 0) {
		d->s = store_open(&d->o);
		if (d->s == NULL)
			_exit(1);
		expunge_first(d, LEFT_NOW + 1);
		_exit(rows(d, TABLE_LEFT) == 1 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	d->s = store_open(&d->o);
	assert_non_null(d->s);
	assert_int_equal(rows(d, TABLE_LEFT), 0);
	assert_rows(d, MORE);
	assert_content(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S-10 up to 64 messages go with all they had",
		    a_few_leave_nothing),
		TEST("S-10 what more of them leave is not seen, and goes",
		    what_many_leave_is_not_seen_and_goes),
		TEST("S-10 what a killed process left goes",
		    what_a_killed_process_left_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
