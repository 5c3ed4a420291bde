/* store_sent_test.c - S-17: whom mail was sent to */
#include "store_fixture.h"

static uint32_t
add(struct account_dir *d, const char *mailbox, const char *text,
    int64_t date)
{
	struct bytes piece = bytes_str(text);
	struct store_incoming in = { .pieces = &piece, .count = 1,
	    .internal_date = date };
	struct store_delivered out;

	assert_int_equal(store_deliver(d->s, bytes_str(mailbox), &in, &out),
	    0);
	return out.uid;
}

/* "local@domain count last name;" of all. */
static const char *
all_sent(struct account_dir *d, char out[4096])
{
	struct store_view *v = store_view_open(d->s);
	struct arena a = ARENA_INIT;
	struct bytes at = BYTES_EMPTY;
	struct store_sent x;
	size_t n = 0;
	int r;

	out[0] = '\0';
	while ((r = store_sent_next(v, &a, &at, &x)) == 1)
		n += (size_t)snprintf(out + n, 4096 - n, "%.*s@%.*s %u %lld "
		    "%.*s;", BYTES_ARG(x.local_part), BYTES_ARG(x.domain),
		    x.count, (long long)x.last, BYTES_ARG(x.name));
	assert_int_equal(r, 0);
	store_view_close(v);
	arena_free(&a);
	return out;
}

static const char letter[] =
    "From: me@example.net\n"
    "To: =?utf-8?q?J=C3=B6rg?= <Joerg@Example.ORG>, team:ann@a.example.org,"
    " bob@example.org;\n"
    "Cc: x@b\xc3\xbc" "cher.example\n"
    "Bcc: hidden@example.com\n"
    "Subject: x\n\nTo: body@example.org\n";

static void
recipients_are_kept(void **state)
{
	struct account_dir *d = *state;
	struct store_view *v;
	struct arena a = ARENA_INIT;
	struct store_sent x;
	char out[4096];
	int64_t last = 0;

	(void)add(d, "INBOX", letter, 1000);
	assert_string_equal(all_sent(d, out), "");
	(void)add(d, "Sent", letter, 1000);
	assert_string_equal(all_sent(d, out),
	    "hidden@example.com 1 1000 ;"
	    "x@xn--bcher-kva.example 1 1000 ;"
	    "bob@example.org 1 1000 ;joerg@example.org 1 1000 J\xc3\xb6rg;"
	    "ann@a.example.org 1 1000 ;");
	(void)add(d, "Sent", "To: JOERG@example.org, broken@, <a b>\n\n",
	    2000);
	v = store_view_open(d->s);
	assert_int_equal(store_sent_get(v, &a, BYTES("joerg"),
	    BYTES("example.org"), &x), 1);
	assert_int_equal(x.count, 2);
	assert_int_equal(x.last, 2000);
	assert_true(bytes_eq(x.name, BYTES("J\xc3\xb6rg")));
	assert_int_equal(store_sent_get(v, &a, BYTES("joerg"),
	    BYTES("ample.org"), &x), 0);
	assert_int_equal(store_sent_domain(v, BYTES("a.example.org"), false,
	    &last), 1);
	assert_int_equal(last, 1000);
	assert_int_equal(store_sent_domain(v, BYTES("A.Example.org"), true,
	    &last), 1);
	assert_int_equal(last, 2000);
	assert_int_equal(store_sent_domain(v, BYTES("org"), false, &last),
	    0);
	assert_int_equal(store_sent_domain(v, BYTES("b.org"), true, &last),
	    0);
	store_view_close(v);
	arena_free(&a);
	assert_content(d);
}

static void
copies_and_moves_count(void **state)
{
	struct account_dir *d = *state;
	uint32_t uid = add(d, "INBOX", "To: a@example.org\n\n", 500), new,
	    inbox = id_of(d, "INBOX"), sent = id_of(d, "Sent");
	char out[4096];

	assert_int_equal(store_copy(d->s, inbox, &uid, 1, sent, false, &new),
	    0);
	assert_string_equal(all_sent(d, out), "a@example.org 1 500 ;");
	assert_int_equal(store_copy(d->s, inbox, &uid, 1, sent, true, &new),
	    0);
	assert_string_equal(all_sent(d, out), "a@example.org 2 500 ;");
	uid = new;
	assert_int_equal(store_copy(d->s, sent, &uid, 1, sent, true, &new),
	    0);
	assert_string_equal(all_sent(d, out), "a@example.org 2 500 ;");
	put_file(d, "Maildir/.Sent/cur/1.mutt:2,S", "To: b@example.org\n\n");
	assert_int_equal(store_sync(d->s, sent, false), 1);
	assert_non_null(strstr(all_sent(d, out), "b@example.org 1"));
	assert_int_equal(store_rebuild(d->s), 0);
	assert_non_null(strstr(all_sent(d, out), "a@example.org 2"));
	assert_content(d);
}

/* 1000 addresses of a message, not one more. */
static void
long_lists_are_cut(void **state)
{
	struct account_dir *d = *state;
	struct buf b = BUF_INIT(1 << 20);
	struct store_view *v;
	int i;

	for (i = 0; i <= 1000; i++)
		assert_int_equal(buf_printf(&b, "To: u%d@example.org\n", i),
		    0);
	assert_int_equal(buf_addc(&b, '\n'), 0);
	assert_int_equal(buf_addc(&b, '\0'), 0);
	(void)add(d, "Sent", (const char *)b.p, 1);
	v = store_view_open(d->s);
	assert_int_equal(kv_count(v->t, TABLE_SENT_TO), 1000);
	store_view_close(v);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("S-17 recipients of sent mail are kept",
		    recipients_are_kept),
		TEST("S-17 also of what is copied, moved, put there",
		    copies_and_moves_count),
		TEST("S-17 long lists are cut", long_lists_are_cut),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
