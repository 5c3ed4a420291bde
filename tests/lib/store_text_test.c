/*
 * store_text_test.c - what searches may pass by: filters of messages' texts,
 * kept with every change
 */
#include "store_fixture.h"

#include "mime/mime.h"
#include "unicode/unicode.h"

static const char mixed[] =
    "From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\n"
    "Subject: =?utf-8?b?R3LDvMOfZQ==?= quarterly\n"
    "X-Beside:=?utf-8?q?c=C3=B6lon?=\n"
    "Content-Type: multipart/mixed; boundary=b\n"
    "\n"
    "--b\n"
    "Content-Type: text/plain; charset=iso-8859-1\n"
    "Content-Transfer-Encoding: quoted-printable\n"
    "\n"
    "M=FCnchen, the printable part\n"
    "--b\n"
    "Content-Type: text/plain; charset=utf-8\n"
    "Content-Transfer-Encoding: base64\n"
    "\n"
    "QSBzZWNyZXRseSBlbmNvZGVkIHNlbnRlbmNl\n"
    "--b\n"
    "Content-Type: application/octet-stream; name=minutes.odt\n"
    "\n"
    "attachment bytes\n"
    "--b--\n";

static int
maybe(struct account_dir *d, uint32_t mailbox, uint32_t uid,
    const char *word, bool header, bool body)
{
	struct store_view *v = store_view_open(d->s);
	struct arena a = ARENA_INIT;
	struct gram_query q;
	int r;

	assert_non_null(v);
	gram_query_make(&q, unicode_fold(&a, bytes_str(word)));
	r = store_text_maybe(v, mailbox, uid, &q, header, body);
	store_view_close(v);
	arena_free(&a);
	return r;
}

static uint32_t
add(struct account_dir *d, const char *text)
{
	struct bytes piece = bytes_str(text);
	struct store_incoming in = { .pieces = &piece, .count = 1 };
	struct store_delivered out;

	assert_int_equal(store_deliver(d->s, BYTES("INBOX"), &in, &out), 0);
	return out.uid;
}

static void
words_are_ruled_out(void **state)
{
	static const struct {
		const char *word;
		int header, body;
	} row[] = {
		{ "quarterly", 1, 0 }, { "QUARTERLY", 1, 0 },
		{ "Gr\xc3\xbc\xc3\x9f" "e", 1, 0 }, { "j\xc3\xb6rg", 1, 0 },
		{ "Subject: ", 1, 0 }, { "c\xc3\xb6lon", 1, 0 },
		    { "joerg@example", 1, 0 },
		{ "minutes.odt", 1, 0 }, { "; charset=iso-8859-1", 1, 0 },
		{ "M\xc3\xbcnchen", 0, 1 }, { "printable part", 0, 1 },
		{ "secretly encoded", 0, 1 }, { "SENTENCE", 0, 1 },
		{ "attachment bytes", 0, 0 }, { "QSBzZWNyZXRs", 0, 0 },
		{ "nothing of it", 0, 0 }, { "abc", 1, 1 }, { "", 1, 1 },
	};
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX"), uid = add(d, mixed);
	size_t i;

	for (i = 0; i < COUNT(row); i++) {
		if (maybe(d, id, uid, row[i].word, true, false) !=
		    row[i].header ||
		    maybe(d, id, uid, row[i].word, false, true) !=
		    row[i].body ||
		    maybe(d, id, uid, row[i].word, true, true) !=
		    (row[i].header | row[i].body))
			fail_msg("%s", row[i].word);
	}
	assert_int_equal(maybe(d, id, uid + 1, "nothing", true, true), 1);
	uid = add(d, "");
	assert_int_equal(maybe(d, id, uid, "word", true, true), 0);
	assert_content(d);
}

/* A field of which a search sees more than what one value may have. */
static void
long_fields_rule_out_nothing(void **state)
{
	struct account_dir *d = *state;
	size_t n = MIME_VALUE_MAX / 4;
	char *text = calloc(1, n + 100);
	uint32_t id = id_of(d, "INBOX"), uid;

	assert_non_null(text);
	memset(text, 'x', n + 10);
	memcpy(text, "A: ", 3);
	memcpy(text + n - 2, "\n\nbody\n", 8);	/* n - 1 bytes of field */
	uid = add(d, text);
	assert_int_equal(maybe(d, id, uid, "word", true, false), 0);
	text[n - 2] = 'x';
	text[n - 1] = 'x';
	memcpy(text + n - 1, "\n\nbody\n", 8);
	uid = add(d, text);
	assert_int_equal(maybe(d, id, uid, "word", true, false), 1);
	assert_int_equal(maybe(d, id, uid, "word", false, true), 0);
	free(text);
}

static void
filters_go_along(void **state)
{
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX"), to, uid = add(d, mixed), copy, moved;
	struct store_flag_change c = { .how = STORE_ADD,
	    .flags = STORE_SEEN, .unchanged_since = UINT64_MAX };

	assert_int_equal(store_mailbox_create(d->s, BYTES("To"), 0, &to), 0);
	assert_int_equal(store_flags(d->s, id, &uid, 1, &c, NULL, NULL), 0);
	assert_int_equal(maybe(d, id, uid, "nothing", true, true), 0);
	assert_int_equal(store_copy(d->s, id, &uid, 1, to, false, &copy), 0);
	assert_int_equal(maybe(d, to, copy, "nothing", true, true), 0);
	assert_int_equal(maybe(d, to, copy, "secretly", true, true), 1);
	assert_int_equal(store_copy(d->s, id, &uid, 1, to, true, &moved), 0);
	assert_int_equal(maybe(d, to, moved, "nothing", true, true), 0);
	assert_int_equal(maybe(d, to, moved, "secretly", true, true), 1);
	assert_int_equal(maybe(d, id, uid, "nothing", true, true), 1);
	assert_int_equal(store_expunge(d->s, to, &copy, 1, true, NULL), 0);
	assert_int_equal(maybe(d, to, copy, "nothing", true, true), 1);
	assert_content(d);
	assert_int_equal(store_mailbox_delete(d->s, BYTES("To")), 0);
	assert_content(d);
}

/* A file of another program, an index made anew. */
static void
filters_are_made_from_files(void **state)
{
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX");
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/Maildir/new/1.other", d->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fputs(mixed, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(store_sync(d->s, id, false), 1);
	assert_int_equal(maybe(d, id, 1, "nothing", true, true), 0);
	assert_int_equal(maybe(d, id, 1, "secretly", true, true), 1);
	assert_int_equal(store_text_drop(d->s), 0);
	assert_int_equal(maybe(d, id, 1, "nothing", true, true), 1);
	assert_int_equal(store_rebuild(d->s), 0);
	assert_int_equal(maybe(d, id, 1, "nothing", true, true), 0);
	assert_content(d);
}

static void
count_step(void *ctx, const struct store_text_fill *ask)
{
	assert_true(ask->seen <= ask->all && ask->made <= ask->seen);
	++*(int *)ctx;
}

static void
old_mail_gets_them(void **state)
{
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX"), uid = 0;
	int i, steps = 0;
	struct store_text_fill ask = { .progress = count_step,
	    .ctx = &steps };

	d->o.no_text = true;
	reopen(d);
	for (i = 0; i < 401; i++)
		uid = add(d, mixed);
	assert_int_equal(maybe(d, id, uid, "nothing", true, true), 1);
	d->o.no_text = false;
	reopen(d);
	assert_int_equal(add(d, mixed), uid + 1);
	assert_int_equal(store_text_fill(d->s, &ask), 0);
	assert_int_equal(ask.all, 402);
	assert_int_equal(ask.seen, 402);
	assert_int_equal(ask.made, 401);
	assert_int_equal(steps, 3);
	for (i = 1; i <= 402; i++) {
		assert_int_equal(maybe(d, id, (uint32_t)i, "nothing", true,
		    true), 0);
		assert_int_equal(maybe(d, id, (uint32_t)i, "secretly", true,
		    true), 1);
	}
	assert_int_equal(store_text_fill(d->s, &ask), 0);
	assert_int_equal(ask.made, 0);
	ask.anew = true;
	assert_int_equal(store_text_fill(d->s, &ask), 0);
	assert_int_equal(ask.made, 402);
	assert_content(d);
}

/* A record that is not the message's is a contradiction. */
static void
wrong_ones_are_found(void **state)
{
	struct account_dir *d = *state;
	struct store_verify ask = { 0 };
	uint32_t id = id_of(d, "INBOX");
	uint64_t count;
	struct work w;

	(void)add(d, mixed);
	assert_int_equal(work_begin(d->s, &w), 0);
	assert_int_equal(work_text_put(&w, id, 1, BYTES("\2\0\0\0\0\0x")), 0);
	assert_int_equal(work_text_put(&w, id, 2, BYTES("\2\0\0\0\0\0")), 0);
	assert_int_equal(work_commit(&w), 0);
	assert_int_equal(store_verify(d->s, &ask, &count), 0);
	assert_int_equal(count, 2);
}

/* Records that cannot be understood rule out nothing. */
static void
damaged_ones_rule_out_nothing(void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} row[] = {
		{ "\2", 1 }, { "\3\0\0\0\0\0", 6 }, { "\2\0\0\0\0\1", 6 },
		{ "\2\0\377\377\377\377", 6 }, { "\2\0\0\0\0\3abc", 9 },
	};
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX");
	struct work w;
	size_t i;

	(void)add(d, mixed);
	for (i = 0; i < COUNT(row); i++) {
		assert_int_equal(work_begin(d->s, &w), 0);
		assert_int_equal(work_text_put(&w, id, 1,
		    bytes_of(row[i].p, row[i].n)), 0);
		assert_int_equal(work_commit(&w), 0);
		assert_int_equal(maybe(d, id, 1, "nothing", true, false), 1);
	}
}

/* Whether the file was where its record says, and held text. */
static bool
quick(struct account_dir *d, uint32_t mailbox, uint32_t uid, const char *text)
{
	struct store_view *v = store_view_open(d->s);
	struct store_message m;
	struct bytes content;
	bool r;

	assert_int_equal(store_message_get(v, mailbox, uid, &m), 1);
	r = store_message_quick(v, &m, &content) == 1;
	store_view_close(v);
	if (r) {
		assert_true(bytes_eq(content, bytes_str(text)));
		store_unmap(content);
	}
	return r;
}

/* Those that had the first header alone rule out nothing; store-index -t
 * makes them anew, and only them. */
static void
old_ones_are_made_anew(void **state)
{
	struct account_dir *d = *state;
	struct store_text_fill ask = { 0 };
	struct store_verify verify = { 0 };
	uint32_t id = id_of(d, "INBOX"), uid = add(d, mixed);
	uint64_t count;
	struct work w;

	(void)add(d, mixed);
	assert_int_equal(work_begin(d->s, &w), 0);
	assert_int_equal(work_text_put(&w, id, uid, BYTES("\1\0\0\0\0\0")),
	    0);
	assert_int_equal(work_commit(&w), 0);
	assert_int_equal(maybe(d, id, uid, "nothing", true, false), 1);
	assert_int_equal(store_verify(d->s, &verify, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(store_text_fill(d->s, &ask), 0);
	assert_int_equal(ask.made, 1);
	assert_int_equal(maybe(d, id, uid, "nothing", true, false), 0);
	assert_int_equal(maybe(d, id, uid, "minutes", true, false), 1);
}

/* Where the record says, or a session put it; of that size, or not at all. */
static void
files_are_read_where_they_should_be(void **state)
{
	struct account_dir *d = *state;
	uint32_t id = id_of(d, "INBOX"), uid = add(d, mixed);
	char path[1024], cur[1200];
	int fd;

	assert_true(quick(d, id, uid, mixed));
	(void)file_of(d, path, id, uid);
	(void)snprintf(cur, sizeof(cur), "%s/Maildir/cur/%s:2,", d->dir,
	    strrchr(path, '/') + 1);
	assert_int_equal(rename(path, cur), 0);
	assert_true(quick(d, id, uid, mixed));
	(void)snprintf(path, sizeof(path), "%.*sF", 1000, cur);
	assert_int_equal(rename(cur, path), 0);
	assert_false(quick(d, id, uid, mixed));
	assert_int_equal(store_sync(d->s, id, false), 1);
	assert_true(quick(d, id, uid, mixed));
	fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_false(quick(d, id, uid, mixed));
	assert_int_equal(ftruncate(fd, 5), 0);
	assert_false(quick(d, id, uid, mixed));
	assert_int_equal(close(fd), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("words are ruled out, decoded and without case",
		    words_are_ruled_out),
		TEST("long fields rule out nothing",
		    long_fields_rule_out_nothing),
		TEST("filters go along with copies and moves",
		    filters_go_along),
		TEST("filters are made from files",
		    filters_are_made_from_files),
		TEST("old mail gets them", old_mail_gets_them),
		TEST("wrong ones are found", wrong_ones_are_found),
		TEST("damaged ones rule out nothing",
		    damaged_ones_rule_out_nothing),
		TEST("S-19 old ones are made anew", old_ones_are_made_anew),
		TEST("files are read where they should be",
		    files_are_read_where_they_should_be),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
