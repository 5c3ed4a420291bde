/*
 * junk_test.c - words of texts and messages (J-8)
 */
#include "junk/junk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the tokeniser ---- */

/* words: what comes out, in order, with blanks between. */
static const struct {
	const char *in, *words;
	unsigned int grams;
} tokens[] = {
	{ "", "", 1 },
	{ "One two THREE three", "one two three", 1 },
	{ "a ab abc", "ab abc", 1 },
	{ "don't 'quoted' rock'n'roll O'Neil dogs' 'tis",
	    "don't quoted rock'n'roll o'neil dogs tis", 1 },
	{ "don\xe2\x80\x99t", "don't", 1 },
	{ "12345 12 year2k mp3 ab1234 1a2b 12ab3 123ab 0x1f2 0x12345 face",
	    "year2k mp3 1a2b 12ab3 0x1f2 face", 1 },
	{ "bcdfg bcdfgh 2bcd3f4 strengths rhythms", "bcdfg strengths rhythms",
	    1 },
	{ "na\xc3\xafve GR\xc3\x96SSE \xce\x91\xce\x92\xce\x93",
	    "na\xc3\xafve gr\xc3\xb6sse \xce\xb1\xce\xb2\xce\xb3", 1 },
	{ "soft\xc2\xadhyphen zero\xe2\x80\x8bwidth \xe2\x80\x8d",
	    "softhyphen zerowidth", 1 },
	{ "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
	    "\xe6\x97\xa5\xe6\x9c\xac \xe6\x9c\xac\xe8\xaa\x9e", 1 },
	{ "bad\xff" "bytes\xc3", "bad bytes", 1 },
	{ "one two three", "one two|one two three|two three", 3 },
	{ "one 1234 two three", "one two|two three|one two three", 6 },
};

/* The words with "|" (pairs) or blanks between. */
static void
join(const struct junk_words *w, unsigned int grams, struct buf *out)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		if (i > 0)
			(void)buf_addc(out, grams == 1 ? ' ' : '|');
		(void)buf_add(out, junk_word_text(w, &w->word[i]));
	}
}

static void
words_of_text(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(tokens); i++) {
		struct buf b = BUF_INIT(1000);
		struct junk_words w;

		junk_words_init(&w, tokens[i].grams, true);
		junk_words_add(&w, BYTES_EMPTY, bytes_str(tokens[i].in));
		join(&w, tokens[i].grams, &b);
		if (tokens[i].grams == 3) {
			assert_true(junk_words_has(&w, BYTES("one")));
			assert_true(junk_words_has(&w, BYTES("one two")));
			assert_false(junk_words_has(&w,
			    BYTES("one two three")));
		} else if (!bytes_eq(buf_bytes(&b),
		    bytes_str(tokens[i].words))) {
			fail_msg("%s: %.*s", tokens[i].in,
			    BYTES_ARG(buf_bytes(&b)));
		}
		junk_words_free(&w);
		buf_free(&b);
	}
}

/* ---- messages ---- */

static const struct {
	const char *message, *has[12], *not[8];
} messages[] = {
	{ "From: Ann Other <ann@example.org>\nTo: me@example.net\n"
	    "Subject: =?utf-8?Q?Gr=C3=B6sse?= now\nReceived: hidden\n"
	    "Return-Path: <hidden@example.com>\nX-Spam-Status: hidden\n"
	    "MiME-Version: 1.0\n\nhello text\n",
	    { "from:ann", "from:other", "from:example", "to:example",
	    "subject:gr\xc3\xb6sse", "subject:now", "hello", "text",
	    "field:From", "field:MiME-Version", "type:text/plain" },
	    { "hidden", "from:hidden", "field:Received", "field:Return-Path",
	    "field:X-Spam-Status" } },
	{ "Content-Type: text/html; charset=iso-8859-1\n"
	    "Content-Transfer-Encoding: Quoted-Printable\n\n"
	    "<style>hidden</style><p>caf=E9<img alt=3D'alternative'>"
	    "V<b></b>iagra <a href=3D'http://User@WWW.Shop.Example:80/buy/now"
	    "'>click</a>\n",
	    { "caf\xc3\xa9", "alternative", "viagra", "click",
	    "url:www.shop.example", "url:.shop.example", "url:.example",
	    "path:buy", "type:text/html", "charset:iso-8859-1",
	    "encoding:quoted-printable" }, { "hidden", "style" } },
	{ "Content-Type: text/plain\n\nBUY Now!!! $100 50% $$$ see "
	    "https://10.0.0.1/offer\n",
	    { "buy", "^buy", "now", "=!!!", "=$100", "=50%", "=$$$",
	    "url:10.0.0.1", "url:[ip]", "path:offer" },
	    { "^now", "^buy now" } },
	{ "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\n"
	    "Content-Type: message/rfc822\n\nSubject: inside\n\nnested words\n"
	    "--b\nContent-Type: application/zip; name=A.ZIP\n\n"
	    "ignored\n--b--\n",
	    { "first", "nested", "words", "type:application/zip",
	    "file:.zip", "type:message/rfc822", "type:multipart/mixed" },
	    { "ignored", "subject:inside" } },
	/* who wrote it: the order of fields, Message-ID, spelling */
	{ "Received: x\nMessage-ID: <20020728.AB12cd-3@mail.example.org>\n"
	    "FROM: <a@example.org>\nDate: now\nContent-Type: TEXT/plain;\n"
	    "\tcharset=\"us-ascii\"; boundary=xyz\n\ntext\n",
	    { "order:^>message-id", "order:message-id>from",
	    "order:from>content-type", "id:<0.A0a-0", "id:@.from",
	    "content-type:TEXT/plain;\tcharset=\"us-ascii\"; " },
	    { "order:received>message-id", "order:from>date" } },
	{ "Message-Id: <9@EXAMPLE.org>\n"
	    "From: \"x@other.example\" <a@example.org>"
	    "\n\n", { "id:@from", "id:<0" }, { NULL } },
	{ "Message-Id: <9@a.b>\nFrom: a@example.org\n\n", { "id:@other" },
	    { "id:@.from" } },
	{ "Message-Id: <9@host>\nFrom: a@example.org\n\n", { "id:@name" },
	    { NULL } },
	{ "From: a@example.org\n\n", { "id:@none" }, { NULL } },
	/* the addresses whole, and how an author is named */
	{ "From: Ann <Ann.O12@Mail.example>\n"
	    "Reply-To: <b@c.example>, D@E.example\n"
	    "Subject: x\n\n", { "from:ann.o12@mail.example",
	    "from:@mail.example", "reply-to:d@e.example", "reply-to:@e.example",
	    "author:named", "author:digits" }, { "reply-to:@c.example" } },
	{ "From: <ann123@a.example>\n\n", { "author:unnamed", "author:number",
	    "title:none" }, { "author:bare" } },
	{ "From: ann@a.example\nSubject:\n\n", { "author:bare",
	    "author:letters", "title:empty" }, { "author:unnamed" } },
	{ "From: \"An\xe9\" <a@a.example>\nSubject: \xe9t\xe9\n\n",
	    { "author:quoted", "author:8bit", "title:8bit" }, { NULL } },
	/* how a subject is written; its words are those of the text too */
	{ "Subject: BUY THIS NOW!\n\ntext\n", { "title:capitals", "title:!",
	    "subject:buy", "buy", "^buy" }, { "title:title", "from:@" } },
	{ "Subject: Buy This Now   42\n\ntext\n", { "title:title", "title:0",
	    "title:blanks" }, { "title:capitals" } },
	{ "Subject: buy this =?utf-8?Q?n=C3=B6w?= and then\n\n",
	    { "title:sentence", "title:encoded", "title:a", "n\xc3\xb6w" },
	    { "title:8bit" } },
	/* what a list adds is one trait */
	{ "List-Id: <l.example.org>\nFrom: a@example.org\n"
	    "Sender: l@example.org\n"
	    "X-Mailman-Version: 2\nTo: l@example.org\n\n",
	    { "field:list-*", "order:^>from", "order:from>to" },
	    { "field:List-Id", "field:Sender", "sender:example",
	    "field:X-Mailman-Version", "order:from>sender",
	    "order:^>list-id" } },
	{ "PRECEDENCE: bulk\nFrom: a@example.org\nSender: l@example.org\n\n",
	    { "field:list-*" }, { "field:PRECEDENCE", "sender:example" } },
	{ "Sender: ann@example.org\nErrors-To: x@example.net\n"
	    "From: b@a.example\n"
	    "\n", { "field:Sender", "sender:ann", "order:^>from" },
	    { "field:list-*", "field:Errors-To" } },
	/* charsets that lie, types that are none */
	{ "Content-Type: text/plain; charset=x-lie\n\nna\xc3\xafve\n",
	    { "na\xc3\xafve", "charset:x-lie" }, { NULL } },
	{ "Content-Type: garbage\n\nread as text\n", { "read", "text" },
	    { NULL } },
	{ "\n\n<html><p>unsaid<script>hidden</script>", { "unsaid" },
	    { "hidden", "html" } },
};

static void
words_of_messages(void **state)
{
	struct junk_words w;
	size_t i, k;

	(void)state;
	junk_words_init(&w, 1, true);
	for (i = 0; i < COUNT(messages); i++) {
		junk_words_read(&w, bytes_str(messages[i].message));
		for (k = 0; k < 12 && messages[i].has[k] != NULL; k++) {
			if (!junk_words_has(&w,
			    bytes_str(messages[i].has[k])))
				fail_msg("%zu: no %s", i, messages[i].has[k]);
		}
		for (k = 0; k < 8 && messages[i].not[k] != NULL; k++) {
			if (junk_words_has(&w, bytes_str(messages[i].not[k])))
				fail_msg("%zu: %s", i, messages[i].not[k]);
		}
	}
	junk_words_free(&w);
}

/* ---- limits ---- */

static void
length_limits(void **state)
{
	char text[JUNK_WORD_MAX + 2];
	struct junk_words w;

	(void)state;
	junk_words_init(&w, 1, true);
	memset(text, 'a', sizeof(text));
	junk_words_add(&w, BYTES_EMPTY, bytes_of(text, JUNK_WORD_MAX));
	assert_int_equal(w.n, 1);
	junk_words_add(&w, BYTES_EMPTY, bytes_of(text, JUNK_WORD_MAX + 1));
	assert_int_equal(w.n, 1);
	junk_words_free(&w);
}

/* So many different words, and one more. */
static void
count_limit(void **state)
{
	struct buf b = BUF_INIT(JUNK_TEXT_MAX);
	struct junk_words w;
	size_t i;

	(void)state;
	junk_words_init(&w, 1, false);
	for (i = 0; i < JUNK_WORDS_MAX + 1; i++) {
		if (i == JUNK_WORDS_MAX) {
			junk_words_add(&w, BYTES_EMPTY, buf_bytes(&b));
			assert_int_equal(w.n, JUNK_WORDS_MAX);
		}
		assert_int_equal(buf_printf(&b, " w%c%c%c%ca",
		    (int)('a' + i % 26), (int)('a' + i / 26 % 26),
		    "aeio"[i / 676 % 4], (int)('a' + i / 2704)), 0);
	}
	junk_words_add(&w, BYTES_EMPTY, buf_bytes(&b));
	assert_int_equal(w.n, JUNK_WORDS_MAX);
	junk_words_free(&w);
	buf_free(&b);
}

static void
text_limit(void **state)
{
	struct buf b = BUF_INIT(2 * JUNK_TEXT_MAX);
	struct junk_words w;
	struct bytes body;

	(void)state;
	junk_words_init(&w, 1, true);
	assert_int_equal(buf_adds(&b, "Subject: x\n\n"), 0);
	body.n = b.n;
	while (b.n < body.n + JUNK_TEXT_MAX - 5)
		assert_int_equal(buf_addc(&b, '.'), 0);
	assert_int_equal(buf_adds(&b, " last past"), 0);
	junk_words_read(&w, buf_bytes(&b));
	assert_true(junk_words_has(&w, BYTES("last")));
	assert_false(junk_words_has(&w, BYTES("past")));
	junk_words_free(&w);
	buf_free(&b);
}

/* The URLs of a message: the last that counts, and the next. */
static void
url_limit(void **state)
{
	struct buf b = BUF_INIT(JUNK_TEXT_MAX);
	struct junk_words w;
	size_t i;

	(void)state;
	junk_words_init(&w, 1, true);
	assert_int_equal(buf_adds(&b, "\n"), 0);
	for (i = 0; i < JUNK_URLS_MAX - 1; i++)
		assert_int_equal(buf_adds(&b, "http://a/ "), 0);
	assert_int_equal(buf_adds(&b, "http://last/ http://past/"), 0);
	junk_words_read(&w, buf_bytes(&b));
	assert_true(junk_words_has(&w, BYTES("url:last")));
	assert_false(junk_words_has(&w, BYTES("url:past")));
	/* the next message begins anew */
	junk_words_read(&w, BYTES("\nhttp://next/"));
	assert_true(junk_words_has(&w, BYTES("url:next")));
	junk_words_free(&w);
	buf_free(&b);
}

/* The time for a message of n bytes made of a head and one unit again and
 * again. */
static int64_t
timed(struct junk_words *w, const char *head, const char *unit, size_t n)
{
	struct buf b = BUF_INIT(n + 1000);
	int64_t from;

	(void)buf_adds(&b, head);	/* room is there */
	while (b.n < n)
		(void)buf_adds(&b, unit);	/* room is there */
	from = time_mono_ms();
	junk_words_read(w, buf_bytes(&b));
	from = time_mono_ms() - from;
	buf_free(&b);
	return from;
}

static void
bounded_time(void **state)
{
	static const char html[] = "Content-Type: text/html\n\n";
	static const struct {
		const char *head, *unit;
	} rows[] = {
		{ "\n", "a" }, { "\n", "http://" }, { "\n", "a'" },
		{ "\n", "$" }, { "\n", "\xe6\x97\xa5" }, { "\n", "\xff" },
		{ html, "<div>" }, { html, "<a b='http://a/" },
		{ html, "<a b=http://a.b.c.d.e.f/g>" }, { html, "<!--" },
		{ "Subject: ", "=?utf-8?q?a?= " }, { "", "To: a@b\n" },
		{ "Subject: ", "a" },
		{ "Content-Type: text/plain; charset=utf-7\n\n", "+AAAA" },
		{ "Content-Transfer-Encoding: base64\n\n", "YWJj" },
		{ "Content-Type: multipart/mixed; boundary=x\n\n",
		    "--x\n\na\n" },
	};
	struct junk_words w;
	int64_t worst = 0;
	size_t i, at = 0;

	(void)state;
	junk_words_init(&w, 7, true);
	for (i = 0; i < COUNT(rows); i++) {
		int64_t ms = timed(&w, rows[i].head, rows[i].unit,
		    (size_t)16 << 20);

		if (ms > worst) {
			worst = ms;
			at = i;
		}
	}
	print_message("# worst of 16 MiB: %lld ms (row %zu)\n",
	    (long long)worst, at);
	assert_true(worst < 20000);
	junk_words_free(&w);
}

/* ---- the version of all that ---- */

/* Something of all that words come from. */
static const char specimen[] =
    "Return-Path: <b@bounce.example>\n"
    "Received: from h.example (h.example [192.0.2.7])\n"
    "\tby mx.example.org with ESMTPS id abc; Fri, 20 Nov 2026 12:00:00 +0000\n"
    "From: \"Shop News\" <news@shop.example>\n"
    "To: alice@example.org\n"
    "Reply-To: other@example.com\n"
    "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= FREE offer!!!\n"
    "List-Id: <news.shop.example>\n"
    "X-Mailer: Mailer 7\n"
    "Message-ID: <1@shop.example>\n"
    "MIME-Version: 1.0\n"
    "Content-Type: multipart/mixed; boundary=x\n\n"
    "--x\nContent-Type: text/plain; charset=iso-8859-1\n"
    "Content-Transfer-Encoding: quoted-printable\n\n"
    "Gr=FC=DFe aus K=F6ln, don't pay $1,000.00 or 10%\n"
    "--x\nContent-Type: text/html\n\n"
    "<p style='color:#fff'>Buy V<b></b>iagra &amp; more <a\n"
    "href=\"http://www.shop.example/buy?id=7\">click</a></p>\n"
    "<img src=\"https://img.example/x.png\">\n"
    "--x\nContent-Type: application/pdf; name=a.pdf\n"
    "Content-Disposition: attachment; filename=a.pdf\n"
    "Content-Transfer-Encoding: base64\n\nSGVsbG8=\n--x--\n";

/*
 * The words are those they were when the version was given: whoever changes
 * what is read raises JUNK_WORDS_VERSION, and puts the new numbers here.
 */
static void
words_have_a_version(void **state)
{
	static const struct {
		unsigned int grams;
		size_t n;
		uint64_t sum;
	} rows[] = {
		{ 1, 75, 0x191f34161d53270b },
		{ 7, 109, 0x685add3fcaa4156 },
	};
	struct junk_words w;
	uint64_t sum;
	size_t i, j;

	(void)state;		/* none */
	assert_int_equal(JUNK_WORDS_VERSION, 2);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		junk_words_init(&w, rows[i].grams, false);
		junk_words_read(&w, bytes_str(specimen));
		for (j = 0, sum = 0; j < w.n; j++)
			sum += w.word[j].hash;
		if (w.n != rows[i].n || sum != rows[i].sum)
			fail_msg("words changed: %zu, sum %#llx", w.n,
			    (unsigned long long)sum);
		junk_words_free(&w);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "J-8 words of texts, pairs and triples",
		    words_of_text, NULL, NULL, NULL },
		{ "J-8 words of messages: fields, HTML, MIME",
		    words_of_messages, NULL, NULL, NULL },
		{ "J-8 the longest word, and one byte more",
		    length_limits, NULL, NULL, NULL },
		{ "J-8 the most words, and one more",
		    count_limit, NULL, NULL, NULL },
		{ "J-8 the end of what is read of a text",
		    text_limit, NULL, NULL, NULL },
		{ "J-8 the last URL that counts, and one more",
		    url_limit, NULL, NULL, NULL },
		{ "J-8 bounded time on bad input",
		    bounded_time, NULL, NULL, NULL },
		{ "J-14 words have a version: others, another one",
		    words_have_a_version, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
