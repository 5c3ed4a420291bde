/*
 * html_test.c - HTML as tokens and as text; bounded time on bad input
 */
#include "html/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *in, *out;
} texts[] = {
	{ "", "" },
	{ "a < b & c", "a < b & c" },
	{ "V<b></b>ia<!-- x -->gra", "Viagra" },
	{ "one<p>two</p>three<br>four", "one\ntwo\nthree\nfour" },
	{ "&lt;b&gt; &amp;amp; &eacute;&#233;&#xe9;&#xE9",
	    "<b> &amp; \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9" },
	{ "&copy 1 &bogus; &# &#; &#x;", "\xc2\xa9 1 &bogus; &# &#; &#x;" },
	{ "&#146;&#0;&#99999999999;", "\xe2\x80\x99\xef\xbf\xbd\xef\xbf\xbd" },
	{ "&hearts &hearts;", "&hearts \xe2\x99\xa5" },
	{ "<script>if (a<b) x('</p>')</script>y", "\n\ny" },
	{ "<STYLE>p{}</style >y", "\n\ny" },
	{ "<script>x</scripty></script>z", "\n\nz" },
	{ "<title>a &amp; <b></title>c", "\na & <b>\nc" },
	{ "<script>never ended", "\n" },
	{ "<svg><text>no</text></svg>yes", "\n\nyes" },
	{ "<svg><g>no<p>seen", "\n\nseen" },
	{ "<svg/>seen", "\nseen" },
	{ "<img src=x alt='a &lt; b'>c", "\na < b\nc" },
	{ "<img alt=free>", "\nfree\n" },
	{ "a<!-- > -- --!>b<!-->c<!--->d<!doctype x>e<?p?>f</ z>g", "abcdefg" },
	{ "a<!--!>b-->c<!----!>d<!--", "acd" },
	{ "a<!-- never ended", "a" },
	{ "<a title='>' href=\"x>y\">in</a>", "in" },
	{ "a<b", "a" },
	{ "a<a href='never ended>b", "a" },
	{ "1<2 <3 <", "1<2 <3 <" },
};

static void
text_of_html(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		struct buf b = BUF_INIT(1000);

		assert_int_equal(html_text(&b, bytes_str(texts[i].in)), 0);
		if (!bytes_eq(buf_bytes(&b), bytes_str(texts[i].out)))
			fail_msg("%s: %.*s", texts[i].in,
			    BYTES_ARG(buf_bytes(&b)));
		buf_free(&b);
	}
}

static void
attributes(void **state)
{
	struct html_token t;
	struct html h;
	struct bytes rest, name, value;

	(void)state;
	html_init(&h, BYTES("<A x =1 checked/b='2 3' =c=\"4\"/ d=5/>z"));
	assert_true(html_next(&h, &t));
	assert_true(t.kind == HTML_START && t.is_closed);
	assert_true(html_is(&t, BYTES("a")));
	rest = t.attributes;
	assert_true(html_attribute(&rest, &name, &value));
	assert_true(bytes_eq(name, BYTES("x")) && bytes_eq(value, BYTES("1")));
	assert_true(html_attribute(&rest, &name, &value));
	assert_true(bytes_eq(name, BYTES("checked")) && value.n == 0);
	assert_true(html_attribute(&rest, &name, &value));
	assert_true(bytes_eq(value, BYTES("2 3")));
	assert_true(html_attribute(&rest, &name, &value));
	assert_true(bytes_eq(name, BYTES("=c")) && bytes_eq(value, BYTES("4")));
	assert_true(html_attribute(&rest, &name, &value));
	assert_true(bytes_eq(value, BYTES("5/")));
	assert_false(html_attribute(&rest, &name, &value));
	assert_true(html_attribute_find(t.attributes, BYTES("b"), &value));
	assert_false(html_attribute_find(t.attributes, BYTES("e"), &value));
	assert_true(html_next(&h, &t) && t.kind == HTML_TEXT);
	assert_false(html_next(&h, &t));
}

/* What repeated unit until there are n bytes, and how long its text took. */
static int64_t
timed(const char *unit, size_t n)
{
	struct buf in = BUF_INIT(n + 100), out = BUF_INIT(4 * n);
	int64_t from;

	while (in.n < n)
		(void)buf_adds(&in, unit);	/* room is there */
	from = time_mono_ms();
	assert_int_equal(html_text(&out, buf_bytes(&in)), 0);
	from = time_mono_ms() - from;
	buf_free(&in);
	buf_free(&out);
	return from;
}

/* Each would take minutes if anything were squared. */
static void
bounded_time(void **state)
{
	static const char *const units[] = { "<div>", "<svg>", "<!--",
	    "<!-- --", "<script>", "</", "<a b='", "<a \"", "&", "&#",
	    "<a b=1 ", "<title>",
	    "</title", "<", "<img alt='&amp;&amp;'>", "<style></style" };
	int64_t worst = 0;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(units); i++) {
		int64_t ms = timed(units[i], (size_t)4 << 20);

		worst = ms > worst ? ms : worst;
	}
	print_message("# worst of 4 MiB: %lld ms\n", (long long)worst);
	assert_true(worst < 10000);
}

/* 100,000 deep, and an attribute of 1 MB. */
static void
deep_and_long(void **state)
{
	struct buf b = BUF_INIT(4 << 20), out = BUF_INIT(4 << 20);
	size_t i;

	(void)state;
	for (i = 0; i < 100000; i++)
		assert_int_equal(buf_adds(&b, "<div>"), 0);
	assert_int_equal(buf_adds(&b, "<p title='"), 0);
	for (i = 0; i < 1 << 20; i++)
		assert_int_equal(buf_addc(&b, 'x'), 0);
	assert_int_equal(buf_adds(&b, "'>end"), 0);
	assert_int_equal(html_text(&out, buf_bytes(&b)), 0);
	assert_true(bytes_ends(buf_bytes(&out), BYTES("\nend")));
	assert_int_equal(out.n, 100000 + 1 + 3);
	buf_free(&b);
	buf_free(&out);
}

static void
cut_at_the_limit(void **state)
{
	struct buf b = BUF_INIT(3);

	(void)state;
	assert_int_equal(html_text(&b, BYTES("abc")), 0);
	buf_reset(&b);
	assert_int_equal(html_text(&b, BYTES("ab<p>cd")), -1);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("ab\n")));
	buf_free(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "J-8 the text of HTML is what a reader sees",
		    text_of_html, NULL, NULL, NULL },
		{ "attributes and their values",
		    attributes, NULL, NULL, NULL },
		{ "J-8 no HTML takes squared time",
		    bounded_time, NULL, NULL, NULL },
		{ "J-8 100,000 elements deep, an attribute of 1 MB",
		    deep_and_long, NULL, NULL, NULL },
		{ "text is cut at the limit",
		    cut_at_the_limit, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
