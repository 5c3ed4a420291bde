/* imap_rest_test.c - a session that rests: message, seal, state */
#include "imap_fixture.h"

/* ---- the message ---- */

static const unsigned char seal[IMAP_SEAL_SIZE] = "a seal";

static void
message(void **state)
{
	struct imap_rest r = { IMAP_REST_LATE, 1800, bytes_of(seal,
	    sizeof(seal)), BYTES("alice"), BYTES("77"), BYTES("192.0.2.1"),
	    BYTES("/var/x"), BYTES("\r\n\0preface"), BYTES("st\0ate") }, got;
	struct buf b = BUF_INIT(2 * IMAP_REST_MAX);
	size_t need, i;

	(void)state;
	assert_int_equal(imap_rest_format(&r, &b), 0);
	assert_true(imap_is_rest(buf_bytes(&b)));
	for (i = 0; i < b.n; i++) {
		assert_int_equal(imap_rest_length(bytes_of(b.p, i), &need),
		    0);
		assert_int_equal(need, i < 8 ? 8 : b.n);
		assert_int_equal(imap_rest_parse(bytes_of(b.p, i), &got), -1);
	}
	assert_int_equal(imap_rest_parse(buf_bytes(&b), &got), 0);
	assert_int_equal(got.why, r.why);
	assert_int_equal(got.seconds, r.seconds);
	assert_true(bytes_eq(got.seal, r.seal));
	assert_true(bytes_eq(got.account, r.account));
	assert_true(bytes_eq(got.session, r.session));
	assert_true(bytes_eq(got.remote_ip, r.remote_ip));
	assert_true(bytes_eq(got.folder, r.folder));
	assert_true(bytes_eq(got.preface, r.preface));
	assert_true(bytes_eq(got.state, r.state));
	r.account = BYTES("a\0b");
	assert_int_equal(imap_rest_format(&r, &b), -1);
	assert_int_equal(errno, EINVAL);
	buf_free(&b);
}

static void
message_limit(void **state)
{
	static unsigned char text[IMAP_REST_MAX];
	struct imap_rest r = { IMAP_REST_WAIT, 1, bytes_of(seal,
	    sizeof(seal)), BYTES_EMPTY, BYTES_EMPTY, BYTES_EMPTY,
	    BYTES_EMPTY, BYTES_EMPTY, BYTES_EMPTY }, got;
	struct buf b = BUF_INIT(2 * IMAP_REST_MAX);

	(void)state;
	assert_int_equal(imap_rest_format(&r, &b), 0);
	r.state = bytes_of(text, IMAP_REST_MAX - b.n);
	buf_reset(&b);
	assert_int_equal(imap_rest_format(&r, &b), 0);
	assert_int_equal(b.n, IMAP_REST_MAX);
	assert_int_equal(imap_rest_parse(buf_bytes(&b), &got), 0);
	r.state.n++;
	assert_int_equal(imap_rest_format(&r, &b), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&b);
}

/* RFC 4231 4.2: a shorter key is one with zeros behind it. */
static void
seal_is_hmac(void **state)
{
	static const unsigned char want[8] = { 0xb0, 0x34, 0x4c, 0x61, 0xd8,
	    0xdb, 0x38, 0x53 };
	unsigned char key[IMAP_SEAL_SIZE] = { 0 }, got[IMAP_SEAL_SIZE];

	(void)state;
	memset(key, 0x0b, 20);
	imap_seal(key, BYTES("Hi There"), got);
	assert_memory_equal(got, want, sizeof(want));
}

/* ---- questions about URLs, and answers ---- */

static void
question(void **state)
{
	struct imap_ask q = { IMAP_ASK_BODY, bytes_of(seal, sizeof(seal)),
	    BYTES("alice"), BYTES("bob"), BYTES("77"), BYTES("192.0.2.1"),
	    BYTES("imap://") }, got;
	struct buf b = BUF_INIT(2 * IMAP_ASK_MAX);
	size_t need, i;

	(void)state;
	assert_int_equal(imap_ask_format(&q, &b), 0);
	assert_true(imap_is_ask(buf_bytes(&b)));
	assert_false(imap_is_rest(buf_bytes(&b)));
	for (i = 0; i < b.n; i++) {
		assert_int_equal(imap_ask_length(bytes_of(b.p, i), &need), 0);
		assert_int_equal(need, i < 8 ? 8 : b.n);
		assert_int_equal(imap_ask_parse(bytes_of(b.p, i), &got), -1);
	}
	assert_int_equal(imap_ask_parse(buf_bytes(&b), &got), 0);
	assert_int_equal(got.want, q.want);
	assert_true(bytes_eq(got.seal, q.seal));
	assert_true(bytes_eq(got.account, q.account));
	assert_true(bytes_eq(got.user, q.user));
	assert_true(bytes_eq(got.session, q.session));
	assert_true(bytes_eq(got.remote_ip, q.remote_ip));
	assert_true(bytes_eq(got.url, q.url));
	q.user = BYTES("a\0b");
	assert_int_equal(imap_ask_format(&q, &b), -1);
	assert_int_equal(errno, EINVAL);
	buf_free(&b);
}

static void
question_limit(void **state)
{
	static unsigned char text[IMAP_ASK_MAX];
	struct imap_ask q = { 0, bytes_of(seal, sizeof(seal)), BYTES_EMPTY,
	    BYTES_EMPTY, BYTES_EMPTY, BYTES_EMPTY, BYTES_EMPTY }, got;
	struct buf b = BUF_INIT(2 * IMAP_ASK_MAX);

	(void)state;
	assert_int_equal(imap_ask_format(&q, &b), 0);
	q.url = bytes_of(text, IMAP_ASK_MAX - b.n);
	buf_reset(&b);
	assert_int_equal(imap_ask_format(&q, &b), 0);
	assert_int_equal(b.n, IMAP_ASK_MAX);
	assert_int_equal(imap_ask_parse(buf_bytes(&b), &got), 0);
	q.url.n++;
	assert_int_equal(imap_ask_format(&q, &b), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&b);
}

static void
answer_head(void **state)
{
	static const struct {
		struct imap_answer a;
		int error;
	} rows[] = {
		{ { true, IMAP_DATA_TEXT, 0, 1000 }, 0 },
		{ { true, IMAP_DATA_BINARY, 7, 0 }, 0 },
		{ { true, IMAP_DATA_NIL, IMAP_ANSWER_STRUCTURE_MAX, 0 }, 0 },
		{ { false, IMAP_DATA_NONE, 0, 0 }, 0 },
		{ { true, IMAP_DATA_TEXT, 0, 1001 }, EMSGSIZE },
		{ { true, IMAP_DATA_TEXT, 0, UINT64_MAX }, EMSGSIZE },
		{ { true, IMAP_DATA_NIL, IMAP_ANSWER_STRUCTURE_MAX + 1, 0 },
		    EMSGSIZE },
		{ { true, IMAP_DATA_BINARY + 1, 0, 0 }, EBADMSG },
		{ { true, IMAP_DATA_NIL, 0, 1 }, EBADMSG },
		{ { false, IMAP_DATA_TEXT, 0, 0 }, EBADMSG },
		{ { false, IMAP_DATA_NONE, 1, 0 }, EBADMSG },
	};
	unsigned char head[IMAP_ANSWER_HEAD];
	struct imap_answer got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		imap_answer_format(&rows[i].a, head);
		errno = 0;
		assert_int_equal(imap_answer_parse(head, 1000, &got),
		    rows[i].error == 0 ? 0 : -1);
		assert_int_equal(errno, rows[i].error);
		if (rows[i].error != 0)
			continue;
		assert_int_equal(got.found, rows[i].a.found);
		assert_int_equal(got.data, rows[i].a.data);
		assert_int_equal(got.structure_bytes,
		    rows[i].a.structure_bytes);
		assert_int_equal(got.data_bytes, rows[i].a.data_bytes);
	}
	head[0] = 'x';
	assert_int_equal(imap_answer_parse(head, 1000, &got), -1);
}

/* ---- the state ---- */

static const struct imap_options *
options(void)
{
	static struct imap_options o;

	o = (struct imap_options){ .store = store, .account = "alice",
	    .tmp_dir = "/", .append_max = 1 };
	return &o;
}

/* Until it waits, a search that goes in steps included. */
static void
say_all(struct imap *im)
{
	enum imap_action a;

	while ((a = imap_step(im)) == IMAP_WRITE || a == IMAP_BUSY)
		buf_reset(imap_output(im));
	assert_int_equal(a, IMAP_IDLE);
}

/* In IDLE after these commands, all said. */
static struct imap *
idling(const char *commands)
{
	struct imap *im = imap_new(options(), BYTES("t"));

	imap_input(im, bytes_str(commands));
	imap_input(im, BYTES("i IDLE\r\n"));
	say_all(im);
	return im;
}

static void
add_messages(size_t n)
{
	struct bytes text = BYTES("Subject: x\n\nx\n");
	struct store_incoming *m = mem_zalloc(n, sizeof(*m));
	size_t i;

	for (i = 0; i < n; i++)
		m[i] = (struct store_incoming){ .pieces = &text, .count = 1 };
	assert_int_equal(store_append(store, 1, m, n, NULL), 0);
	free(m);
}

static void
saved_limit(void **state)
{
	const char *save = "s SELECT INBOX\r\nv SEARCH RETURN (SAVE) ALL\r\n";
	struct buf b = BUF_INIT(IMAP_REST_MAX);
	struct imap *im;

	(void)state;
	add_messages(IMAP_KEPT_SAVED_MAX);
	im = idling(save);
	assert_true(imap_keep(im, &b));
	imap_free(im);
	add_messages(1);
	im = idling(save);
	assert_false(imap_keep(im, &b));
	imap_free(im);
	buf_free(&b);
}

/* A new message, told to this session alone. */
static void
take_next(struct imap *im)
{
	add_messages(1);
	imap_changed(im, false);
	say_all(im);
}

/* The numbers a FETCH of flags calls recent, as "1 3 5 ". */
static void
recent_numbers(struct imap *im, struct buf *out)
{
	struct bytes s, line, number;
	enum imap_action a;
	size_t at;

	imap_input(im, BYTES("DONE\r\nf FETCH 1:* (FLAGS)\r\n"));
	buf_reset(out);
	do {
		a = imap_step(im);
		s = buf_bytes(imap_output(im));
		while (bytes_line(&s, &line)) {
			if (bytes_find(line, BYTES("\\Recent"), &at) &&
			    bytes_skip(&line, BYTES("* ")) &&
			    bytes_split(&line, ' ', &number))
				(void)buf_printf(out, "%.*s ",
				    BYTES_ARG(number));
		}
		buf_reset(imap_output(im));
	} while (a == IMAP_WRITE || a == IMAP_BUSY);
	assert_false(out->full);
}

static size_t
count_words(const struct buf *b)
{
	size_t i, n = 0;

	for (i = 0; i < b->n; i++)
		n += b->p[i] == ' ';
	return n;
}

/* Two sessions are told in turn: each has a range for each message. */
static void
recent_limit(void **state)
{
	struct buf b = BUF_INIT(IMAP_REST_MAX), kept = BUF_INIT(65536);
	struct buf own = BUF_INIT(65536);
	struct imap *x, *y, *back;
	size_t i;

	(void)state;
	x = idling("s SELECT INBOX\r\n");
	y = idling("s SELECT INBOX\r\n");
	for (i = 0; i < IMAP_KEPT_RECENT_MAX; i++) {
		take_next(x);
		take_next(y);
	}
	assert_true(imap_keep(y, &b));
	back = imap_restore(options(), buf_bytes(&b));
	assert_non_null(back);
	say_all(back);
	recent_numbers(back, &kept);
	assert_int_equal(count_words(&kept), IMAP_KEPT_RECENT_MAX);
	imap_free(back);
	/* One range more: it stays, and forgets none. */
	take_next(x);
	take_next(y);
	buf_reset(&b);
	assert_false(imap_keep(y, &b));
	recent_numbers(y, &own);
	assert_int_equal(count_words(&own), IMAP_KEPT_RECENT_MAX + 1);
	assert_true(bytes_starts(buf_bytes(&own), buf_bytes(&kept)));
	imap_free(y);
	imap_free(x);
	buf_free(&b);
	buf_free(&kept);
	buf_free(&own);
}

/* The bytes hold no context and no NOTIFY: a session with one stays, until it
 * is over. */
static void
contexts_stay(void **state)
{
	static const struct {
		const char *commands;
		bool rests;
	} rows[] = {
		{ "c SEARCH RETURN (ALL) ALL\r\n", true },
		{ "c SEARCH RETURN (UPDATE) ALL\r\n", false },
		{ "c UID SEARCH RETURN (UPDATE) SEEN\r\n", false },
		{ "c SORT RETURN (UPDATE) (SUBJECT) UTF-8 ALL\r\n", false },
		{ "c SEARCH RETURN (CONTEXT) ALL\r\n", true },
		{ "c SEARCH RETURN (UPDATE) ALL\r\n"
		    "d CANCELUPDATE \"c\"\r\n", true },
		{ "c SEARCH RETURN (UPDATE) ALL\r\n"
		    "d SEARCH RETURN (UPDATE) SEEN\r\n"
		    "e CANCELUPDATE \"c\"\r\n", false },
		{ "c SEARCH RETURN (UPDATE) ALL\r\nd CLOSE\r\n", true },
		{ "c NOTIFY SET (personal (MailboxName))\r\n", false },
		{ "c NOTIFY NONE\r\n", false },
	};
	struct buf b = BUF_INIT(IMAP_REST_MAX), text = BUF_INIT(1024);
	struct imap *im;
	size_t i;

	(void)state;
	add_messages(1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&b);
		buf_reset(&text);
		assert_int_equal(buf_printf(&text, "s SELECT INBOX\r\n%s",
		    rows[i].commands), 0);
		assert_int_equal(buf_addc(&text, 0), 0);
		im = idling((const char *)text.p);
		if (imap_keep(im, &b) != rows[i].rests)
			fail_msg("%s", rows[i].commands);
		imap_free(im);
	}
	buf_free(&b);
	buf_free(&text);
}

/* Nor one that asked for a URL of another account: the count would be lost. */
static void
asked_stays(void **state)
{
	struct imap_options o = *options();
	struct buf b = BUF_INIT(IMAP_REST_MAX);
	struct imap *im;
	int i;

	(void)state;
	o.asks = true;
	for (i = 0; i < 2; i++) {
		im = imap_new(&o, BYTES("t"));
		imap_input(im, BYTES("s SELECT INBOX\r\n"));
		if (i == 1)
			imap_input(im, BYTES("u URLFETCH imap://bob@h/I/;UID=1"
			    ";URLAUTH=authuser:INTERNAL:01\r\n"));
		imap_input(im, BYTES("i IDLE\r\n"));
		while (imap_step(im) == IMAP_WRITE)
			buf_reset(imap_output(im));
		if (i == 1) {
			assert_int_equal(imap_step(im), IMAP_ASK);
			assert_false(imap_keep(im, &b));
			imap_answered(im, NULL, -1);
			while (imap_step(im) == IMAP_WRITE)
				buf_reset(imap_output(im));
		}
		assert_int_equal(imap_step(im), IMAP_IDLE);
		assert_int_equal(imap_keep(im, &b), i == 0);
		imap_free(im);
	}
	buf_free(&b);
}

/* Nor a search that is under way, with IDLE waiting behind it. */
static void
search_stays(void **state)
{
	struct imap_options o = *options();
	struct buf b = BUF_INIT(IMAP_REST_MAX);
	struct imap *im;
	enum imap_action a;
	size_t busy = 0;

	(void)state;
	add_messages(1000);
	o.progress_ms = 1;
	im = imap_new(&o, BYTES("t"));
	imap_input(im, BYTES("s SELECT INBOX\r\nc SEARCH TEXT x\r\n"));
	imap_input(im, BYTES("i IDLE\r\n"));
	while ((a = imap_step(im)) == IMAP_WRITE)
		buf_reset(imap_output(im));
	for (; a == IMAP_BUSY || a == IMAP_WRITE; a = imap_step(im)) {
		buf_reset(imap_output(im));
		if (a != IMAP_BUSY)
			continue;
		busy++;
		assert_false(imap_keep(im, &b));
	}
	assert_true(busy > 0);
	assert_int_equal(a, IMAP_IDLE);
	assert_true(imap_keep(im, &b));
	imap_free(im);
	buf_free(&b);
}

/* Every byte of the state that is changed is found out, or changes what the
 * state says; nothing crashes. A view is never another one's. */
static void
damaged_state(void **state)
{
	struct buf b = BUF_INIT(IMAP_REST_MAX), c = BUF_INIT(IMAP_REST_MAX);
	struct imap *im = idling("s SELECT INBOX\r\n");
	size_t i;

	(void)state;
	assert_true(imap_keep(im, &b));
	imap_free(im);
	for (i = 0; i < b.n; i++) {
		assert_null(imap_restore(options(), bytes_of(b.p, i)));
		b.p[i] ^= 1;
		im = imap_restore(options(), buf_bytes(&b));
		/* Mailbox, uidvalidity, count, hash. */
		if ((i >= 10 && i < 18) || (i >= 34 && i < 38) ||
		    (i >= 42 && i < 50))
			assert_null(im);
		imap_free(im);
		b.p[i] ^= 1;
	}
	im = imap_restore(options(), buf_bytes(&b));
	assert_non_null(im);
	assert_int_equal(imap_step(im), IMAP_IDLE);
	assert_true(imap_keep(im, &c));
	assert_true(bytes_eq(buf_bytes(&b), buf_bytes(&c)));
	imap_free(im);
	buf_free(&b);
	buf_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "I-2 message to and from imap-idle", message, NULL, NULL,
		    NULL },
		{ "its size, at the limit and past it", message_limit, NULL,
		    NULL, NULL },
		{ "a seal is HMAC-SHA-256", seal_is_hmac, NULL, NULL, NULL },
		{ "a saved search of 1000 rests, one of 1001 does not",
		    saved_limit, NULL, NULL, NULL },
		{ "I-24 \\Recent in 200 ranges rests, in 201 it does not",
		    recent_limit, NULL, NULL, NULL },
		{ "I-2 a session with a context of searching stays",
		    contexts_stay, NULL, NULL, NULL },
		{ "I-2 a session that is searching stays", search_stays,
		    NULL, NULL, NULL },
		{ "I-2 a session that asked for another account's URL stays",
		    asked_stays, NULL, NULL, NULL },
		{ "RFC 4467 question to another account", question, NULL,
		    NULL, NULL },
		{ "its size, at the limit and past it", question_limit, NULL,
		    NULL, NULL },
		{ "RFC 4467 the head of the answer, and its limits",
		    answer_head, NULL, NULL, NULL },
		{ "I-2 state back and forth, and damaged", damaged_state,
		    NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_store, remove_store);
}
