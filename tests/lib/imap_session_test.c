/* imap_session_test.c - the IMAP machine after login, on a real store */
#include "imap_fixture.h"

static struct imap *
new_session(void)
{
	struct imap_options o = { .store = store, .account = "alice",
	    .tmp_dir = tmp_dir, .append_max = 200000 };
	struct imap *im = imap_new(&o, BYTES("t"));

	buf_reset(imap_output(im));
	return im;
}

/* Everything the machine says to in, given in pieces of at most piece. */
static char *
say(struct imap *im, struct bytes in, size_t piece,
    enum imap_action *last)
{
	struct buf said = BUF_INIT(64 * 1024 * 1024);
	enum imap_action a;
	struct bytes part;
	char *text;

	for (;;) {
		a = imap_step(im);
		buf_add(&said, buf_bytes(imap_output(im)));
		buf_reset(imap_output(im));
		if (a == IMAP_CLOSE)
			break;
		if (a == IMAP_WRITE || a == IMAP_BUSY)
			continue;
		if (in.n == 0)
			break;
		part = bytes_first(in, piece < imap_room(im) ? piece
		    : imap_room(im));
		assert_true(part.n > 0);
		imap_input(im, part);
		in = bytes_from(in, part.n);
	}
	if (last != NULL)
		*last = a;
	buf_addc(&said, 0);
	text = mem_strdup((const char *)said.p);
	buf_free(&said);
	return text;
}

static void
assert_says(struct imap *im, const char *in, const char *want)
{
	char *got = say(im, bytes_str(in), SIZE_MAX, NULL);

	assert_string_equal(got, want);
	free(got);
}

static void
assert_ends(struct imap *im, const char *in, const char *want)
{
	char *got = say(im, bytes_str(in), SIZE_MAX, NULL);
	size_t n = strlen(got), w = strlen(want);

	assert_true(n >= w);
	assert_string_equal(got + n - w, want);
	free(got);
}

static void
syntax_errors(void **state)
{
	static const struct {
		const char *in, *why;
	} cases[] = {
		{ "FETCH 1 (FLAGS", "syntax error" },
		{ "FETCH 0 FLAGS", "expected a set of numbers" },
		{ "FETCH 1 BODY[", "wrong section" },
		{ "FETCH 1 BODY[0]", "wrong section" },
		{ "FETCH 1 BODY[1.]", "wrong section" },
		{ "FETCH 1 BODY[MIME]", "wrong section" },
		{ "FETCH 1 BODY[HEADER.FIELDS ()]", "expected a string" },
		{ "FETCH 1 BODY[]<1>", "syntax error" },
		{ "FETCH 1 BODY[]<1.0>", "wrong partial" },
		{ "FETCH 1 ENVELOP", "unknown FETCH item" },
		{ "FETCH 1 (ALL)", "unknown FETCH item" },
		{ "FETCH 1 FLAGS x", "syntax error" },
		{ "FETCH 1 FLAGS (", "unknown FETCH modifier" },
		{ "FETCH 1 FLAGS (CHANGEDSINCE)", "syntax error" },
		{ "FETCH 1 FLAGS (CHANGEDSINCE 9223372036854775808)",
		    "expected a number" },
		{ "UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)",
		    "VANISHED needs QRESYNC, UID FETCH and CHANGEDSINCE" },
		{ "STORE 1 (UNCHANGEDSINCE x) FLAGS ()", "expected a number" },
		{ "STORE 1 (CHANGEDSINCE 1) FLAGS ()",
		    "unknown STORE modifier" },
		{ "SELECT INBOX (XYZ)", "unknown SELECT parameter" },
		{ "SELECT INBOX (CONDSTORE", "syntax error" },
		{ "SELECT INBOX (QRESYNC (1 1))", "ENABLE QRESYNC first" },
		{ "STORE 1 FLAG (x)", "expected FLAGS" },
		{ "STORE 1 FLAGS (\\Wrong)", "unknown system flag" },
		{ "STORE 1 FLAGS \"x\"", "expected an atom" },
		{ "SEARCH", "missing argument" },
		{ "SEARCH NOT", "missing argument" },
		{ "SEARCH OR SEEN", "missing argument" },
		{ "SEARCH XYZ", "unknown search key" },
		{ "SEARCH (SEEN", "syntax error" },
		{ "SEARCH RETURN", "unknown search key" },
		{ "SEARCH RETURN (XYZ) ALL", "unknown RETURN option" },
		{ "SEARCH RETURN (MIN", "syntax error" },
		{ "SEARCH RETURN () ", "unknown search key" },
		{ "SEARCH RETURN (PARTIAL 0:1) ALL",
		    "positions begin at 1" },
		{ "SEARCH RETURN (PARTIAL -1:2) ALL", "syntax error" },
		{ "SEARCH RETURN (PARTIAL 1:4294967296) ALL",
		    "expected a number" },
		{ "SEARCH RETURN (PARTIAL 1:2 ALL) ALL",
		    "PARTIAL and ALL together" },
		{ "SEARCH OLDER 0", "expected seconds" },
		{ "SEARCH YOUNGER x", "expected a number" },
		{ "SEARCH MODSEQ \"/flags/\\\\Seen\" any 1",
		    "unknown entry type" },
		{ "SEARCH EMAILID (x)", "expected an atom" },
		{ "FETCH 1 PREVIEW (EAGER)", "unknown FETCH modifier" },
		{ "FETCH 1 (FLAGS) (PARTIAL 1)", "syntax error" },
		{ "SEARCH SINCE 31-Feb-2026", "wrong date" },
		{ "SEARCH LARGER 9223372036854775808", "expected a number" },
		{ "COPY 1", "missing argument" },
		{ "LIST \"\"", "missing argument" },
		{ "STATUS INBOX ()", "expected an atom" },
		{ "STATUS INBOX (UNSEEN X)", "unknown STATUS item" },
		{ "CREATE \"unfinished", "unterminated string" },
		{ "CREATE \"wrong\\escape\"", "wrong escape in string" },
		{ "CREATE \"\xc3\xa4\"",
		    "mailbox name with 8-bit bytes, not modified UTF-7" },
		{ "CREATE \xc3\xa4", "expected a string" },
		{ "CREATE b\xc3\xa4",
		    "mailbox name with 8-bit bytes, not modified UTF-7" },
		{ "CREATE \"\xc3\"", "string is not UTF-8" },
		{ "UID NOOP", "unknown command" },
		{ "APPEND INBOX", "missing argument" },
	};
	struct imap *im = new_session();
	size_t i;

	(void)state;
	assert_ends(im, "a SELECT INBOX\r\n",
	    "a OK [READ-WRITE] SELECT done\r\n");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena a = ARENA_INIT;

		assert_says(im, arena_printf(&a, "a %s\r\nb NOOP\r\n",
		    cases[i].in), arena_printf(&a,
		    "a BAD %s\r\nb OK NOOP done\r\n", cases[i].why));
		arena_free(&a);
	}
	imap_free(im);
}

static void
needs_mailbox(void **state)
{
	struct imap *im = new_session();

	(void)state;
	assert_says(im, "a FETCH 1 FLAGS\r\n",
	    "a BAD select a mailbox first\r\n");
	assert_ends(im, "a EXAMINE INBOX\r\n",
	    "a OK [READ-ONLY] EXAMINE done\r\n");
	assert_says(im, "a EXPUNGE\r\n",
	    "a NO [READ-ONLY] mailbox is selected read-only\r\n");
	imap_free(im);
}

static void
first_command_of_preauth(void **state)
{
	struct imap_options o = { .store = store, .account = "alice",
	    .tmp_dir = tmp_dir };
	struct imap *im = imap_new(&o, BYTES_EMPTY);
	enum imap_action a;
	char *got;

	(void)state;
	got = say(im, BYTES("EHLO x\r\na NOOP\r\n"), SIZE_MAX, &a);
	assert_int_equal(a, IMAP_CLOSE);
	assert_non_null(strstr(got, "EHLO BAD unknown command\r\n"
	    "* BYE please speak IMAP\r\n"));
	assert_null(strstr(got, "a OK"));
	free(got);
	imap_free(im);
}

static void
append_and_fetch(void **state)
{
	struct imap *im = new_session();

	(void)state;
	assert_ends(im, "a CREATE T\r\nb SELECT T\r\n",
	    "b OK [READ-WRITE] SELECT done\r\n");
	assert_ends(im, "a APPEND T (\\Flagged) \" 5-Feb-2026 04:05:06 "
	    "+0200\" {32+}\r\nSubject: one\r\n\r\nline\r\n\r\nend\rcr\r\n"
	    "\r\n", "APPEND done\r\n");
	/* Bare CR is kept; CRLF is one line end however it is stored. */
	assert_says(im, "a FETCH 1 (RFC822.SIZE INTERNALDATE "
	    "BODY.PEEK[])\r\n", "* 1 FETCH (RFC822.SIZE 32 INTERNALDATE "
	    "\"05-Feb-2026 02:05:06 +0000\" BODY[] {32}\r\nSubject: one\r\n"
	    "\r\nline\r\n\r\nend\rcr\r\n)\r\na OK FETCH done\r\n");
	assert_says(im, "a FETCH 1 BODY.PEEK[TEXT]<5.4>\r\n",
	    "* 1 FETCH (BODY[TEXT]<5> {4}\r\n\n\r\ne)\r\n"
	    "a OK FETCH done\r\n");
	assert_says(im, "a FETCH 1 BODY.PEEK[]<32.1>\r\n",
	    "* 1 FETCH (BODY[]<32> {0}\r\n)\r\na OK FETCH done\r\n");
	assert_says(im, "a FETCH 1 BODY.PEEK[]<31.9999999999>\r\n",
	    "* 1 FETCH (BODY[]<31> {1}\r\n\n)\r\na OK FETCH done\r\n");
	assert_says(im, "a FETCH 2 FLAGS\r\nb FETCH 1:9 FLAGS\r\n"
	    "c UID FETCH 7:9 FLAGS\r\nd FETCH 9:* UID\r\n",
	    "a BAD no such message number\r\n"
	    "b BAD no such message number\r\nc OK UID FETCH done\r\n"
	    "* 1 FETCH (UID 1)\r\nd OK FETCH done\r\n");
	imap_free(im);
}

/* The same bytes in one piece or one by one give the same replies. */
static void
pieces_do_not_matter(void **state)
{
	static const char in[] = "a EXAMINE T\r\n"
	    "b FETCH 1 (BODY.PEEK[HEADER.FIELDS ({7+}\r\nSubject To)] "
	    "BODY.PEEK[]<3.12>)\r\nc SEARCH SUBJECT {3+}\r\none\r\n"
	    "d STATUS {1+}\r\nT (MESSAGES)\r\ne IDLE\r\nDONE\r\n"
	    "f NOOP\r\n";
	struct imap *im = new_session();
	char *whole = say(im, bytes_str(in), SIZE_MAX, NULL);
	size_t piece;

	(void)state;
	imap_free(im);
	assert_non_null(strstr(whole, "BODY[HEADER.FIELDS (Subject To)] "
	    "{16}\r\nSubject: one\r\n\r\n"));
	assert_non_null(strstr(whole, "* SEARCH 1\r\n"));
	assert_non_null(strstr(whole, "f OK NOOP done\r\n"));
	for (piece = 1; piece < 9; piece++) {
		char *parts;

		im = new_session();
		parts = say(im, bytes_str(in), piece, NULL);
		assert_string_equal(parts, whole);
		free(parts);
		imap_free(im);
	}
	free(whole);
}

/* A search key with a literal of n octets. */
static void
add_literal(struct buf *b, size_t n)
{
	buf_printf(b, " TEXT {%zu+}\r\n", n);
	assert_int_equal(buf_room(b, n), 0);
	memset(b->p + b->n, 'z', n);
	b->n += n;
}

static void
session_limits(void **state)
{
	struct buf b = BUF_INIT(4 * 1024 * 1024);
	struct imap *im = new_session();
	enum imap_action a;
	char *got;
	int i, over;

	(void)state;
	/* I-13: 1000 literals, then one more. */
	assert_ends(im, "a SELECT T\r\n", "SELECT done\r\n");
	for (over = 0; over <= 1; over++) {
		buf_reset(&b);
		buf_adds(&b, "a FETCH 1 BODY.PEEK[HEADER.FIELDS (");
		for (i = 0; i < IMAP_LITERALS_MAX + over; i++)
			buf_adds(&b, i == 0 ? "{1+}\r\nX" : " {1+}\r\nX");
		buf_adds(&b, ")]\r\n");
		got = say(im, buf_bytes(&b), SIZE_MAX, &a);
		assert_int_equal(a, over ? IMAP_CLOSE : IMAP_READ);
		if (over)
			assert_non_null(strstr(got, "* BYE [TOOBIG] more than"
			    " 1000 literals\r\n"));
		else
			assert_non_null(strstr(got, "a OK FETCH done\r\n"));
		free(got);
	}
	imap_free(im);
	/* One command of 1 MB, literals included, then one more octet. */
	for (over = 0; over <= 1; over++) {
		im = new_session();
		assert_ends(im, "a SELECT T\r\n", "SELECT done\r\n");
		buf_reset(&b);
		buf_adds(&b, "a SEARCH");
		for (i = 0; i < 10; i++)
			add_literal(&b, IMAP_LITERAL_MAX);
		/* " TEXT {24389+}" and CRLF are 16 octets. */
		add_literal(&b, IMAP_COMMAND_MAX - b.n - 16 +
		    (size_t)over);
		buf_adds(&b, "\r\n");
		got = say(im, buf_bytes(&b), SIZE_MAX, &a);
		assert_int_equal(a, over ? IMAP_CLOSE : IMAP_READ);
		assert_non_null(strstr(got, over
		    ? "* BYE [TOOBIG] command over 1048576"
		    : "a OK SEARCH done"));
		free(got);
		imap_free(im);
	}
	buf_free(&b);
}

static void
append_limits(void **state)
{
	struct buf b = BUF_INIT(1024 * 1024);
	struct imap *im = new_session();
	enum imap_action a;
	char *got;

	(void)state;
	/* At the limit (200000), far over that of other literals. */
	buf_adds(&b, "a APPEND T {200000}\r\n");
	assert_int_equal(buf_room(&b, 200000), 0);
	memset(b.p + b.n, 'm', 200000);
	b.n += 200000;
	buf_adds(&b, "\r\n");
	got = say(im, buf_bytes(&b), SIZE_MAX, &a);
	assert_int_equal(a, IMAP_READ);
	assert_non_null(strstr(got, "+ send the message\r\n"));
	assert_non_null(strstr(got, " APPEND done\r\n"));
	free(got);
	/* One past it: refused before it is sent. */
	assert_says(im, "b APPEND T {200001}\r\nc NOOP\r\n",
	    "b NO [TOOBIG] message over the size limit\r\n"
	    "c OK NOOP done\r\n");
	/* Sent without asking: the connection ends. */
	got = say(im, BYTES("d APPEND T {200001+}\r\n"), SIZE_MAX, &a);
	assert_int_equal(a, IMAP_CLOSE);
	assert_string_equal(got,
	    "d NO [TOOBIG] message over the size limit\r\n"
	    "* BYE [TOOBIG] message over the size limit\r\n");
	free(got);
	imap_free(im);
	buf_free(&b);
	/* No such mailbox: read over if it is sent without asking. */
	im = new_session();
	assert_says(im, "a APPEND Nope {5}\r\nb NOOP\r\n",
	    "a NO [TRYCREATE] no such mailbox\r\nb OK NOOP done\r\n");
	assert_says(im, "a APPEND Nope {5+}\r\nhello\r\nb NOOP\r\n",
	    "a NO [TRYCREATE] no such mailbox\r\nb OK NOOP done\r\n");
	assert_says(im, "a APPEND a//b {5}\r\nb NOOP\r\n",
	    "a NO [CANNOT] no mailbox can have this name\r\n"
	    "b OK NOOP done\r\n");
	imap_free(im);
}

static void
big_literal_is_refused(void **state)
{
	struct imap *im = new_session();

	(void)state;
	assert_says(im, "a CREATE {102401}\r\nb NOOP\r\n",
	    "a NO [TOOBIG] literal over 102400 bytes\r\n"
	    "b OK NOOP done\r\n");
	assert_says(im, "a CREATE {102401+}\r\n",
	    "* BYE [TOOBIG] literal over 102400 bytes\r\n");
	imap_free(im);
}

static void
search_depth(void **state)
{
	struct imap *im = new_session();
	struct buf b = BUF_INIT(100000);
	int over, i;

	(void)state;
	assert_ends(im, "a SELECT INBOX\r\n", "SELECT done\r\n");
	for (over = 0; over <= 1; over++) {
		buf_reset(&b);
		buf_adds(&b, "a SEARCH");
		/* The list of all keys is one level. */
		for (i = 1; i < IMAP_SEARCH_DEPTH_MAX + over; i++)
			buf_adds(&b, " NOT");
		buf_adds(&b, " SEEN\r\n");
		buf_addc(&b, 0);
		assert_says(im, (const char *)b.p, over
		    ? "a BAD search nested too deep\r\n"
		    : "* SEARCH\r\na OK SEARCH done\r\n");
		buf_reset(&b);
		buf_adds(&b, "a SEARCH");
		for (i = 1; i < IMAP_SEARCH_KEYS_MAX + over; i++)
			buf_adds(&b, " SEEN");
		buf_adds(&b, "\r\n");
		buf_addc(&b, 0);
		assert_says(im, (const char *)b.p, over
		    ? "a BAD too many search keys\r\n"
		    : "* SEARCH\r\na OK SEARCH done\r\n");
	}
	buf_free(&b);
	imap_free(im);
}

/* NUL cannot stand in a literal (RFC 3501 9 CHAR8). */
static void
nul_on_the_wire(void **state)
{
	struct imap *im = new_session();
	char *got;

	(void)state;
	assert_ends(im, "a CREATE N\r\nb SELECT N\r\n", "SELECT done\r\n");
	got = say(im, BYTES("a APPEND N {5+}\r\nA\0B\r\n\r\n"), SIZE_MAX,
	    NULL);
	assert_non_null(strstr(got, "APPEND done\r\n"));
	free(got);
	assert_says(im, "a FETCH 1 BODY.PEEK[]\r\n",
	    "* 1 FETCH (BODY[] {5}\r\nA\x80" "B\r\n)\r\n"
	    "a OK FETCH done\r\n");
	/* In a command it is refused. */
	got = say(im, BYTES("a CREATE {3+}\r\nx\0y\r\nb CREATE \"x\0y\"\r\n"),
	    SIZE_MAX, NULL);
	assert_string_equal(got, "a BAD NUL in literal\r\n"
	    "b BAD control byte in string\r\n");
	free(got);
	imap_free(im);
}

static void
two_sessions(void **state)
{
	struct imap *one = new_session(), *two = new_session();

	(void)state;
	assert_ends(one, "a CREATE S\r\n", "CREATE done\r\n");
	assert_ends(one, "a APPEND S {1+}\r\n1\r\n", "APPEND done\r\n");
	assert_ends(one, "a APPEND S {1+}\r\n2\r\n", "APPEND done\r\n");
	assert_ends(one, "a APPEND S {1+}\r\n3\r\n", "APPEND done\r\n");
	assert_ends(one, "a SELECT S\r\n", "SELECT done\r\n");
	assert_ends(two, "a SELECT S\r\n", "SELECT done\r\n");
	assert_says(one, "a STORE 2 +FLAGS.SILENT (\\Deleted)\r\n"
	    "b EXPUNGE\r\n", "a OK STORE done\r\n* 2 EXPUNGE\r\n"
	    "b OK EXPUNGE done\r\n");
	/* Numbers hold: message 2 is still the expunged one. No EXPUNGE
	 * among these replies. (Its file is gone, as no other process has
	 * the account open: imap-serve.t shows I-20.) */
	assert_says(two, "a FETCH 2:3 (UID BODY.PEEK[])\r\n",
	    "* 2 FETCH (UID 2 BODY[] NIL)\r\n"
	    "* 3 FETCH (UID 3 BODY[] {1}\r\n3)\r\na NO [EXPUNGEISSUED] "
	    "some messages are gone or cannot be read\r\n");
	assert_says(two, "a STORE 2:3 +FLAGS (\\Seen)\r\n",
	    "* 3 FETCH (FLAGS (\\Seen))\r\n"
	    "a NO [EXPUNGEISSUED] some messages have been deleted\r\n");
	assert_says(two, "a STORE 2:3 +FLAGS.SILENT (\\Seen)\r\n",
	    "a OK [EXPUNGEISSUED] some messages have been deleted\r\n");
	assert_says(two, "a SEARCH ALL\r\n",
	    "* SEARCH 1 3\r\na OK [EXPUNGEISSUED] SEARCH done\r\n");
	assert_says(two, "a NOOP\r\n", "* 2 EXPUNGE\r\na OK NOOP done\r\n");
	/* The other one's flag, and both expunging at once. */
	assert_says(one, "a NOOP\r\n",
	    "* 2 FETCH (UID 3 FLAGS (\\Recent \\Seen))\r\n"
	    "a OK NOOP done\r\n");
	assert_says(one, "a STORE 1:2 +FLAGS.SILENT (\\Deleted)\r\n",
	    "a OK STORE done\r\n");
	assert_says(two, "a EXPUNGE\r\n",
	    "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\na OK EXPUNGE done\r\n");
	assert_says(one, "a EXPUNGE\r\n",
	    "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\na OK EXPUNGE done\r\n");
	imap_free(one);
	imap_free(two);
}

static void
flag_changes_are_told_once(void **state)
{
	struct imap *one = new_session(), *two = new_session();

	(void)state;
	assert_ends(one, "a CREATE F\r\n", "CREATE done\r\n");
	assert_ends(one, "a APPEND F {1+}\r\n1\r\n", "APPEND done\r\n");
	assert_ends(one, "a SELECT F\r\n", "SELECT done\r\n");
	assert_ends(two, "a SELECT F\r\n", "SELECT done\r\n");
	/* A new keyword is named before it is used. */
	assert_says(one, "a STORE 1 FLAGS (Work \\Flagged)\r\n",
	    "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft "
	    "$Forwarded $Junk $NotJunk $Phishing $MDNSent work)\r\n"
	    "* 1 FETCH (FLAGS (\\Recent \\Flagged work))\r\n"
	    "a OK STORE done\r\n");
	assert_ends(two, "a NOOP\r\n",
	    "* 1 FETCH (UID 1 FLAGS (\\Flagged work))\r\na OK NOOP done\r\n");
	assert_says(one, "a STORE 1 -FLAGS.SILENT (work)\r\nb NOOP\r\n",
	    "a OK STORE done\r\nb OK NOOP done\r\n");
	assert_says(two, "a NOOP\r\n",
	    "* 1 FETCH (UID 1 FLAGS (\\Flagged))\r\na OK NOOP done\r\n");
	/* Reading sets \Seen and says so. */
	assert_says(two, "a FETCH 1 BODY[]\r\n",
	    "* 1 FETCH (FLAGS (\\Seen \\Flagged) BODY[] {1}\r\n1)\r\n"
	    "a OK FETCH done\r\n");
	assert_says(one, "a NOOP\r\n",
	    "* 1 FETCH (UID 1 FLAGS (\\Recent \\Seen \\Flagged))\r\n"
	    "a OK NOOP done\r\n");
	assert_says(one, "a NOOP\r\n", "a OK NOOP done\r\n");
	imap_free(one);
	imap_free(two);
}

static void
idle_tells_changes(void **state)
{
	struct imap *one = new_session(), *two = new_session();
	enum imap_action a;
	char *got;

	(void)state;
	assert_ends(one, "a SELECT F\r\n", "SELECT done\r\n");
	got = say(one, BYTES("b IDLE\r\n"), SIZE_MAX, &a);
	assert_string_equal(got, "+ idling\r\n");
	assert_int_equal(a, IMAP_IDLE);
	free(got);
	imap_trim(one);
	assert_ends(two, "a APPEND F {1+}\r\n2\r\n", "APPEND done\r\n");
	assert_says(one, "", "");
	imap_changed(one, false);
	assert_says(one, "", "* 2 EXISTS\r\n* 1 RECENT\r\n");
	assert_says(one, "DONE\r\n", "b OK IDLE done\r\n");
	assert_says(one, "b IDLE\r\nNOOP\r\nc NOOP\r\n",
	    "+ idling\r\nb BAD expected DONE\r\nc OK NOOP done\r\n");
	imap_free(one);
	imap_free(two);
}

/* I-17: what is off is neither announced nor to be enabled. */
static void
capabilities_off(void **state)
{
	struct imap_options o = { .store = store, .account = "alice",
	    .tmp_dir = tmp_dir, .append_max = 200000,
	    .capabilities_off = "LITERAL+ qresync IMAP4rev1 X-NONE" };
	struct imap *im = imap_new(&o, BYTES("t"));
	char *got = say(im, BYTES(""), SIZE_MAX, NULL);

	(void)state;
	assert_non_null(strstr(got, "t OK [CAPABILITY IMAP4rev1 IMAP4rev2 "
	    "LITERAL- SASL-IR "));
	assert_non_null(strstr(got, " CONDSTORE ESEARCH "));
	assert_null(strstr(got, "LITERAL+"));
	assert_null(strstr(got, "QRESYNC"));
	free(got);
	assert_says(im, "a ENABLE QRESYNC CONDSTORE\r\n",
	    "* ENABLED CONDSTORE\r\na OK ENABLE done\r\n");
	assert_says(im, "a SELECT INBOX (QRESYNC (1 1))\r\nb NOOP\r\n",
	    "a BAD ENABLE QRESYNC first\r\nb OK NOOP done\r\n");
	imap_free(im);
}

/* RFC 7888 5: 4096 bytes without asking, and one more. */
static void
literal_minus(void **state)
{
	struct imap_options o = { .store = store, .account = "alice",
	    .tmp_dir = tmp_dir, .append_max = 200000,
	    .capabilities_off = "LITERAL+" };
	struct imap *im = imap_new(&o, BYTES("t"));
	struct buf b = BUF_INIT(10000);
	enum imap_action a;
	char *got;

	(void)state;
	buf_reset(imap_output(im));
	buf_adds(&b, "a APPEND T {4096+}\r\n");
	assert_int_equal(buf_room(&b, IMAP_LITERAL_MINUS_MAX), 0);
	memset(b.p + b.n, 'm', IMAP_LITERAL_MINUS_MAX);
	b.n += IMAP_LITERAL_MINUS_MAX;
	buf_adds(&b, "\r\nb APPEND Nope {4097}\r\n");
	got = say(im, buf_bytes(&b), SIZE_MAX, &a);
	assert_int_equal(a, IMAP_READ);
	assert_non_null(strstr(got, "APPEND done\r\n"));
	assert_non_null(strstr(got, "b NO [TRYCREATE]"));
	free(got);
	got = say(im, BYTES("c APPEND T {4097+}\r\n"), SIZE_MAX, &a);
	assert_string_equal(got,
	    "* BYE [TOOBIG] literal over 4096 bytes unasked\r\n");
	assert_int_equal(a, IMAP_CLOSE);
	free(got);
	buf_free(&b);
	imap_free(im);
}

/* So many messages that a search of all their files takes several of the
 * shortest steps. */
#define MANY 3000

static void
long_search(void **state)
{
	struct imap_options o = { .store = store, .account = "alice",
	    .tmp_dir = tmp_dir, .append_max = 1000, .progress_ms = 1 };
	struct bytes piece = BYTES("Subject: x\n\nalpha beta gamma\n");
	struct store_incoming *m = mem_zalloc(MANY, sizeof(*m));
	struct imap *im;
	uint32_t id;
	size_t i, busy = 0;
	struct buf said = BUF_INIT(1024 * 1024);
	struct bytes told = BYTES("* OK [INPROGRESS (\"b\" "), line, s;
	uint64_t done = 0, last = 0, all;
	enum imap_action a;

	(void)state;
	for (i = 0; i < MANY; i++)
		m[i] = (struct store_incoming){ .pieces = &piece, .count = 1 };
	assert_int_equal(store_mailbox_create(store, BYTES("Many"), 0, &id),
	    0);
	assert_int_equal(store_append(store, id, m, MANY, NULL), 0);
	free(m);
	im = imap_new(&o, BYTES("t"));
	imap_input(im, BYTES("a SELECT Many\r\nb SEARCH BODY be\r\n"
	    "c NOOP\r\n"));
	while ((a = imap_step(im)) == IMAP_WRITE || a == IMAP_BUSY) {
		buf_add(&said, buf_bytes(imap_output(im)));
		buf_reset(imap_output(im));
		/* What comes meanwhile waits for its turn. */
		if (a == IMAP_BUSY && busy++ == 0)
			imap_input(im, BYTES("d NOOP\r\n"));
	}
	assert_true(busy > 1);
	for (s = buf_bytes(&said); bytes_line(&s, &line);) {
		if (!bytes_skip(&line, told))
			continue;
		assert_int_equal(num_cut(&line, MANY, &done), 0);
		assert_true(bytes_skip(&line, BYTES(" ")));
		assert_int_equal(num_cut(&line, MANY, &all), 0);
		assert_true(done > last && all == MANY);
		last = done;
	}
	assert_true(last > 0);
	assert_true(bytes_find(buf_bytes(&said), BYTES(" 2999 3000\r\n"
	    "b OK SEARCH done\r\nc OK NOOP done\r\nd OK NOOP done\r\n"),
	    &i));
	buf_free(&said);
	imap_free(im);

	/* One that is left in the middle, by its session. */
	im = imap_new(&o, BYTES("t"));
	imap_input(im, BYTES("a SELECT Many\r\nb SORT (SUBJECT) UTF-8 BODY "
	    "be\r\n"));
	while (imap_step(im) == IMAP_WRITE)
		buf_reset(imap_output(im));
	imap_bye(im, NULL, "bye");
	assert_int_equal(imap_step(im), IMAP_CLOSE);
	imap_free(im);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "I-1 syntax errors are BAD, the session goes on",
		    syntax_errors, NULL, NULL, NULL },
		{ "I-1 state and read-only are checked", needs_mailbox, NULL,
		    NULL, NULL },
		{ "I-12 first command invalid in a PREAUTH session",
		    first_command_of_preauth, NULL, NULL, NULL },
		{ "I-24 APPEND, then FETCH with sizes and partials",
		    append_and_fetch, NULL, NULL, NULL },
		{ "pieces of input do not matter", pieces_do_not_matter,
		    NULL, NULL, NULL },
		{ "I-13 1000 literals and 1 MB per command", session_limits,
		    NULL, NULL, NULL },
		{ "I-13 APPEND literal up to the size limit", append_limits,
		    NULL, NULL, NULL },
		{ "SEARCH nesting and keys are limited", search_depth, NULL,
		    NULL, NULL },
		{ "I-8 RFC 9585 INPROGRESS: a search runs in steps",
		    long_search, NULL, NULL, NULL },
		{ "NUL is 0x80 on the wire and refused in commands",
		    nul_on_the_wire, NULL, NULL, NULL },
		{ "I-1 two sessions: expunges, numbers, gone messages",
		    two_sessions, NULL, NULL, NULL },
		{ "S-12 flag changes are told once",
		    flag_changes_are_told_once, NULL, NULL, NULL },
		{ "I-2 IDLE tells changes", idle_tells_changes, NULL, NULL,
		    NULL },
		{ "I-17 capabilities switched off", capabilities_off, NULL,
		    NULL, NULL },
		{ "RFC 7888 LITERAL-: up to 4096 bytes unasked",
		    literal_minus, NULL, NULL, NULL },
		{ "I-13 a literal over the limit", big_literal_is_refused, NULL,
		    NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_store, remove_store);
}
