/*
 * mime_test.c - line ends, header fields, encoded words, parameters
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "arena_check.h"
#include "mime/mime.h"

/* ---- sizes ---- */

static void
test_sizes(void **state)
{
	static const struct {
		const char *in;
		uint64_t size, lines;
		const char *crlf;
		const char *lf;
	} table[] = {
		{ "", 0, 0, "", "" }, { "a", 1, 0, "a", "a" },
		{ "\n", 2, 1, "\r\n", "\n" }, { "\r\n", 2, 1, "\r\n", "\n" },
		{ "a\nb\r\nc\rd\n\n", 13, 4, "a\r\nb\r\nc\rd\r\n\r\n",
		  "a\nb\nc\rd\n\n" },
		{ "\r\r\n", 3, 1, "\r\r\n", "\r\n" },
		{ "\n\r", 3, 1, "\r\n\r", "\n\r" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bytes in = bytes_str(table[i].in);
		struct buf b = BUF_INIT(100);

		assert_int_equal(mime_crlf_size(in), table[i].size);
		assert_int_equal(mime_count_lines(in), table[i].lines);
		assert_int_equal(mime_add_crlf(&b, in), 0);
		assert_text(buf_bytes(&b), table[i].crlf);
		assert_int_equal(b.n, table[i].size);
		buf_reset(&b);
		assert_int_equal(mime_add_lf(&b, in), 0);
		assert_text(buf_bytes(&b), table[i].lf);
		buf_free(&b);
		b = (struct buf)BUF_INIT(1);
		if (in.n > 1)
			assert_int_equal(mime_add_crlf(&b, in), -1);
		buf_free(&b);
	}
}

/* ---- header section ---- */

static void
test_split(void **state)
{
	static const struct {
		const char *in;
		const char *header;
		const char *body;
	} table[] = {
		{ "A: b\n\nbody\n", "A: b\n", "body\n" },
		{ "A: b\r\n\r\nbody", "A: b\r\n", "body" },
		{ "A: b\r\n\nbody", "A: b\r\n", "body" },
		{ "\nbody", "", "body" }, { "\r\n", "", "" }, { "", "", "" },
		{ "A: b\n", "A: b\n", "" }, { "A: b", "A: b", "" },
		{ "A: b\n\r", "A: b\n\r", "" },
		{ "A: b\n \n\nc", "A: b\n \n", "c" },
		{ "no field\n\nc", "no field\n", "c" },
	};
	struct bytes header, body;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		mime_split(bytes_str(table[i].in), &header, &body);
		assert_text(header, table[i].header);
		assert_text(body, table[i].body);
	}
	assert_text(mime_skip_from_line(BYTES("From a Mon\n>From b\nA: b")),
	    "A: b");
	assert_text(mime_skip_from_line(BYTES("From: a\n")), "From: a\n");
	assert_text(mime_skip_from_line(BYTES("From a")), "");
}

static const char fields[] =
    "Subject: one\r\n"
    " \ttwo\n"
    "X-Empty:\n"
    "no colon here\n"
    "bad name: x\n"
    "Spaced  : y\n"
    "subject:three\n"
    ": nameless\n"
    "Last: z";

static void
test_fields(void **state)
{
	static const struct {
		const char *name;
		const char *body;
	} want[] = {
		{ "Subject", " one\r\n \ttwo" }, { "X-Empty", "" },
		{ "", "no colon here" }, { "", "bad name: x" },
		{ "Spaced", " y" }, { "subject", "three" },
		{ "", ": nameless" }, { "Last", " z" },
	};
	struct bytes header = bytes_str(fields);
	struct mime_field f;
	size_t i, total = 0;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(mime_next_field(&header, &f));
		assert_text(f.name, want[i].name);
		assert_text(f.body, want[i].body);
		total += f.raw.n;
	}
	assert_false(mime_next_field(&header, &f));
	assert_int_equal(total, strlen(fields));
	header = bytes_str(fields);
	assert_int_equal(mime_count_fields(header, BYTES("SUBJECT")), 2);
	assert_int_equal(mime_count_fields(header, BYTES("")), 0);
	assert_true(mime_find_field(header, BYTES("subject"), 1, &f));
	assert_text(f.body, "three");
	assert_false(mime_find_field(header, BYTES("subject"), 2, &f));
	assert_true(mime_find_last(header, BYTES("Subject"), &f));
	assert_text(f.body, "three");
	assert_false(mime_find_last(header, BYTES("Nothing"), &f));
	assert_text(mime_field_value(&arena, header, BYTES("Subject")),
	    "one \ttwo");
	assert_text(mime_field_value(&arena, header, BYTES("X-Empty")), "");
	/* A first line that continues nothing. */
	header = BYTES(" x\nA: b\n");
	assert_true(mime_next_field(&header, &f));
	assert_int_equal(f.name.n, 0);
	assert_true(mime_next_field(&header, &f));
	assert_text(f.name, "A");
}

static void
test_words(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} table[] = {
		{ "plain", "plain" }, { "", "" },
		{ "=?utf-8?q?J=C3=B6rg?=", "J\xc3\xb6rg" },
		{ "=?ISO-8859-1?Q?J=F6rg?= Smith", "J\xc3\xb6rg Smith" },
		{ "a =?utf-8?b?w7Y=?= b", "a \xc3\xb6 b" },
		{ "=?utf-8?q?a?= =?utf-8?q?b?=", "ab" },
		{ "=?utf-8?q?a?=\n\t=?utf-8?q?_b?=", "a b" },
		{ "=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b" },
		/* A character cut in two by the writer. */
		{ "=?utf-8?b?4oI=?= =?utf-8?b?rA==?=", "\xe2\x82\xac" },
		{ "=?utf-8?q?=E2?= =?iso-8859-1?q?x?=", "\xef\xbf\xbdx" },
		{ "=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore" },
		{ "=?iso-8859-1?q?with blanks?=", "with blanks" },
		{ "=?koi8-r?b?8NLJ18XU?=",
		  "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82" },
		/* Bad ones stay. */
		{ "=?utf-8?q?a", "=?utf-8?q?a" }, { "=?", "=?" },
		{ "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
		{ "=??q?a?=", "=??q?a?=" },
		{ "a=?utf-8?q?b?=c", "abc" },
		{ "8bit \xc3\xb6", "8bit \xc3\xb6" },
		{ "8bit \xf6", "8bit \xc3\xb6" },
		/* No line can be smuggled in. */
		{ "=?utf-8?q?a=0D=0Ab=00c?=", "a  b c" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_text(mime_decode_words(&arena,
		    bytes_str(table[i].in)), table[i].out);
	assert_text(mime_field_text(&arena, BYTES("X: y\nSubject: "
	    "=?utf-8?q?a?=\n =?utf-8?q?b?=\n"), BYTES("subject")), "ab");
	assert_text(mime_field_text(&arena, BYTES("X: y\n"),
	    BYTES("subject")), "");
}

static void
test_value_limits(void **state)
{
	struct bytes s = repeat("x", MIME_VALUE_MAX, "");

	(void)state;
	assert_int_equal(mime_decode_words(&arena, s).n, MIME_VALUE_MAX);
	s = repeat("x", MIME_VALUE_MAX + 1, "");
	assert_int_equal(mime_decode_words(&arena, s).n, MIME_VALUE_MAX);
	s = repeat("=?utf-8?q?abc?= ", 100000, "");
	assert_true(mime_decode_words(&arena, s).n <= MIME_VALUE_MAX);
}

static void
test_msg_ids(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} table[] = {
		{ "<a@b>", "a@b;" }, { " <a@b>\n\t<c@d> ", "a@b;c@d;" },
		{ "(c) <a@b> junk <c@d>", "a@b;c@d;" },
		{ "<a\n @b>", "a@b;" }, { "<>", "" }, { "", "" },
		{ "bare@id", "bare@id;" }, { "Your letter of Monday", "" },
		{ "<a@b", "" }, { "<<a@b>>", "a@b;" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bytes s = bytes_str(table[i].in), id;
		struct buf b = BUF_INIT(1000);

		while (mime_next_msg_id(&arena, &s, &id))
			(void)buf_printf(&b, "%.*s;", BYTES_ARG(id));
		assert_text(take(&b), table[i].out);
	}
}

static void
test_base_subject(void **state)
{
	static const struct {
		const char *in;
		const char *out;
		bool is_reply;
	} table[] = {
		{ "Hello", "hello", false }, { "Re: Hello", "hello", true },
		{ "RE:  Fwd: [list] Hello  there", "hello there", true },
		{ "[list] Re: Hello", "hello", true },
		{ "Fw: Hello (fwd)", "hello", true },
		{ "[Fwd: Hello]", "hello", true }, { "Re[2]: x", "x", true },
		{ "[only]", "[only]", false }, { "", "", false },
		{ "Re:", "", true }, { "Regarding", "regarding", false },
		{ "[a] [b] c", "c", false }, { "[fwd: [Fwd: x]]", "x", true },
	};
	bool is_reply;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_text(mime_base_subject(&arena,
		    bytes_str(table[i].in), &is_reply), table[i].out);
		assert_int_equal(is_reply, table[i].is_reply);
	}
}

/* ---- values ---- */

static struct bytes
show_value(const struct mime_value *v)
{
	struct buf b = BUF_INIT(1 << 16);
	const struct mime_param *p;

	(void)buf_printf(&b, "%.*s/%.*s", BYTES_ARG(v->type),
	    BYTES_ARG(v->subtype));
	for (p = v->params; p != NULL; p = p->next)
		(void)buf_printf(&b, ";%.*s=%.*s", BYTES_ARG(p->name),
		    BYTES_ARG(p->value));
	return take(&b);
}

static void
test_values(void **state)
{
	static const struct {
		const char *in;
		const char *out;
		bool is_valid;
	} table[] = {
		{ "text/plain", "text/plain", true },
		{ " TEXT / Plain ; Charset = utf-8", "TEXT/Plain;"
		  "Charset=utf-8", true },
		{ "text/plain; charset=\"us-ascii\" (c)",
		  "text/plain;charset=us-ascii", true },
		{ "a/b; x=\"q\\\"\\\\\"; y=z", "a/b;x=q\"\\;y=z", true },
		{ "a/b;\n x=1;\n\ty=2", "a/b;x=1;y=2", true },
		{ "a/b;; x=1", "a/b;x=1", true },
		{ "a/b x=1", "a/b;x=1", true },
		{ "a/b; junk; x=1", "a/b;x=1", true },
		{ "a/b; x=y=z", "a/b;x=y=z", true },
		{ "a/b; x=a(b).c", "a/b;x=a(b).c", true },
		{ "a/b; x=", "a/b;x=", true },
		{ "a/b; x=\"open", "a/b", true },
		{ "a", "a/", false }, { "a/", "a/", false },
		{ "/b", "/", false }, { "", "/", false },
		{ "; x=1", "/", false },
		/* RFC 2231. */
		{ "a/b; x*=utf-8'en'%C3%A9", "a/b;x*=utf-8'en'%C3%A9", true },
		{ "a/b; x*1=b; x*0=a; y=c", "a/b;y=c;x=ab", true },
		{ "a/b; x*0*=utf-8''%C3; x*1*=%A9; x*2=a%",
		  "a/b;x*=utf-8''%C3%A9a%25", true },
		{ "a/b; x*1=lost; x*3=too", "a/b;x*1=lost;x*3=too", true },
		{ "a/b; x*y=1", "a/b;x*y=1", true },
	};
	struct mime_value v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		mime_parse_content_type(&arena, bytes_str(table[i].in), &v);
		assert_text(show_value(&v), table[i].out);
		assert_int_equal(v.is_valid, table[i].is_valid);
	}
	mime_parse_disposition(&arena, BYTES("attachment; filename=a"), &v);
	assert_text(show_value(&v), "attachment/;filename=a");
	assert_true(v.is_valid);
}

static void
test_param_text(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} table[] = {
		{ "a/b; n=x", "x" }, { "a/b; N=x", "x" },
		{ "a/b; n*=utf-8'en'%C3%A9%20x", "\xc3\xa9 x" },
		{ "a/b; n*=iso-8859-1''%E9", "\xc3\xa9" },
		{ "a/b; n=plain; n*=utf-8''rich", "rich" },
		{ "a/b; n=\"=?utf-8?q?=C3=A9?=\"", "\xc3\xa9" },
		{ "a/b; n=\"\xe9\"", "\xc3\xa9" },
		{ "a/b; n*0*=utf-8''a%20; n*1=\"b%20\"", "a b%20" },
		{ "a/b; n*=nonsense%2", "nonsense%2" },
		{ "a/b; n*=utf-8''a%0Ab", "a b" },
	};
	struct mime_value v;
	struct bytes out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		mime_parse_content_type(&arena, bytes_str(table[i].in), &v);
		assert_true(mime_param_text(&arena, v.params, BYTES("n"),
		    &out));
		assert_text(out, table[i].out);
	}
	assert_false(mime_param_text(&arena, v.params, BYTES("none"), &out));
	assert_int_equal(out.n, 0);
}

static void
test_param_limit(void **state)
{
	size_t i;

	(void)state;
	for (i = MIME_PARAMS_MAX; i <= MIME_PARAMS_MAX + 1; i++) {
		struct bytes s = repeat("; x=1", i, "");
		struct mime_value v;
		struct mime_param *p;
		size_t n = 0;

		s = bytes_str(arena_printf(&arena, "a/b%.*s", BYTES_ARG(s)));
		mime_parse_content_type(&arena, s, &v);
		for (p = v.params; p != NULL; p = p->next)
			n++;
		assert_int_equal(n, MIME_PARAMS_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("S-5 sizes with CRLF, and conversions", test_sizes),
		T("header and body apart, mbox From line", test_split),
		T("fields of a header section", test_fields),
		T("N-6 encoded words", test_words),
		T("decoded values are limited", test_value_limits),
		T("message ids", test_msg_ids),
		T("base subjects", test_base_subject),
		T("types and parameters", test_values),
		T("N-6 RFC 2231 parameters as text", test_param_text),
		T("limit of parameters", test_param_limit),
	};
	int r;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return r;
}
