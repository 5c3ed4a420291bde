/*
 * mime_test.c - header fields, values and the MIME tree on own messages
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <errno.h>

#include "mime/mime.h"
#include "unicode/unicode.h"

static struct arena arena;

static int
reset(void **state)
{
	(void)state;
	arena_reset(&arena);
	return 0;
}

static void
assert_bytes(struct bytes got, struct bytes want)
{
	if (!bytes_eq(got, want))
		print_message("# got \"%.*s\", want \"%.*s\"\n",
		    BYTES_ARG(got), BYTES_ARG(want));
	assert_true(bytes_eq(got, want));
}

#define assert_text(got, want) assert_bytes((got), bytes_str(want))

static struct bytes
take(struct buf *b)
{
	struct bytes out = arena_bytes(&arena, buf_bytes(b));

	buf_free(b);
	return out;
}

static struct bytes
repeat(const char *head, size_t n, const char *tail)
{
	struct buf b = BUF_INIT((size_t)1 << 28);

	while (n-- > 0)
		(void)buf_adds(&b, head);
	(void)buf_adds(&b, tail);
	return take(&b);
}

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

/* ---- the tree ---- */

static const char sample[] =
    "From: Alice <alice@example.org>\n"
    "Subject: parts\n"
    "Content-Type: multipart/mixed; boundary=\"outer\"\n"
    "\n"
    "preamble\n"
    "--outer\n"
    "Content-Type: text/plain; charset=utf-8\n"
    "Content-Transfer-Encoding: quoted-printable\n"
    "\n"
    "gr=C3=BC=C3=9Fe\n"
    "\n"
    "--outer\n"
    "Content-Type: message/rfc822\n"
    "\n"
    "Subject: inner\n"
    "Content-Type: multipart/alternative; boundary=inner\n"
    "\n"
    "--inner\n"
    "\n"
    "first\n"
    "--inner\n"
    "Content-Type: text/html\n"
    "Content-Transfer-Encoding: base64\n"
    "\n"
    "PGI+eDwvYj4=\n"
    "--inner--\n"
    "\n"
    "--outer\n"
    "Content-Type: image/png; name=\"x.png\"\n"
    "Content-Transfer-Encoding: base64\n"
    "Content-Disposition: attachment; filename*=utf-8''%C3%A4.png\n"
    "Content-ID: <img@1>\n"
    "\n"
    "AAECAw==\n"
    "--outer--\n"
    "epilogue\n";

static struct bytes
section_text(const struct mime_tree *t, const char *section,
    enum mime_extent what)
{
	const struct mime_part *p = mime_find_part(t, bytes_str(section));
	struct bytes out;

	assert_non_null(p);
	assert_int_equal(mime_part_extent(p, what, &out), 0);
	return out;
}

static void
test_tree(void **state)
{
	struct mime_tree *t = mime_parse(&arena, bytes_str(sample));
	const struct mime_part *p;
	struct bytes out;

	(void)state;
	assert_int_equal(t->parts, 7);
	assert_int_equal(t->flags, 0);
	assert_true(t->root->is_multipart);
	assert_text(section_text(t, "1", MIME_BODY), "gr=C3=BC=C3=9Fe\n");
	assert_text(section_text(t, "2", MIME_HEADER), "Subject: inner\n"
	    "Content-Type: multipart/alternative; boundary=inner\n\n");
	assert_text(section_text(t, "2.1", MIME_BODY), "first");
	assert_text(section_text(t, "2.1", MIME_MIME), "\n");
	assert_text(section_text(t, "2.2", MIME_BODY), "PGI+eDwvYj4=");
	assert_text(section_text(t, "2.2", MIME_MIME), "Content-Type: "
	    "text/html\nContent-Transfer-Encoding: base64\n\n");
	assert_text(section_text(t, "3", MIME_BODY), "AAECAw==");
	assert_true(bytes_starts(section_text(t, "", MIME_HEADER),
	    BYTES("From: ")));
	assert_true(bytes_starts(section_text(t, "", MIME_TEXT),
	    BYTES("preamble\n--outer")));
	assert_true(bytes_starts(section_text(t, "2", MIME_TEXT),
	    BYTES("--inner")));
	assert_true(bytes_ends(section_text(t, "2", MIME_TEXT),
	    BYTES("--inner--\n")));
	p = mime_find_part(t, BYTES("3"));
	assert_text(mime_part_name(&arena, p), "\xc3\xa4.png");
	assert_text(p->id, "<img@1>");
	assert_int_equal(mime_part_extent(p, MIME_HEADER, &out), -1);
	assert_int_equal(errno, ENOENT);
	assert_true(mime_part_is(p, BYTES("IMAGE"), BYTES_EMPTY));
	assert_false(mime_part_is(p, BYTES("image"), BYTES("gif")));
}

static void
test_find_part(void **state)
{
	static const struct {
		const char *section;
		int err;
	} table[] = {
		{ "4", ENOENT }, { "1.1", ENOENT }, { "2.3", ENOENT },
		{ "2.1.1", ENOENT }, { "3.1", ENOENT }, { "0", EBADMSG },
		{ "a", EBADMSG }, { "1.", EBADMSG }, { ".1", EBADMSG },
		{ "1..2", EBADMSG }, { "4294967296", EBADMSG },
		{ "1.0", EBADMSG }, { "9.x", EBADMSG },
	};
	struct mime_tree *t = mime_parse(&arena, bytes_str(sample));
	const struct mime_part *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_null(mime_find_part(t, bytes_str(table[i].section)));
		assert_int_equal(errno, table[i].err);
	}
	/* Each part's own number finds it again. */
	for (p = t->root; p != NULL; p = mime_next_part(p)) {
		struct buf b = BUF_INIT(1000);
		const struct mime_part *q;

		assert_int_equal(mime_format_section(&b, p), 0);
		q = mime_find_part(t, buf_bytes(&b));
		if (p->is_multipart && p->parent != NULL)
			assert_ptr_equal(q, p->parent);
		else
			assert_ptr_equal(q, p);
		buf_free(&b);
	}
	/* A message that is no multipart has one part, itself. */
	t = mime_parse(&arena, BYTES("A: b\n\nx"));
	assert_ptr_equal(mime_find_part(t, BYTES("1")), t->root);
	assert_null(mime_find_part(t, BYTES("2")));
	assert_null(mime_find_part(t, BYTES("1.1")));
	/* A message as the whole content. */
	t = mime_parse(&arena, BYTES("Content-Type: message/rfc822\n\n"
	    "A: b\n\nx"));
	assert_text(section_text(t, "1", MIME_BODY), "A: b\n\nx");
	assert_text(section_text(t, "1.1", MIME_BODY), "x");
}

static struct bytes
decoded(const struct mime_tree *t, const char *section)
{
	const struct mime_part *p = mime_find_part(t, bytes_str(section));
	struct buf b = BUF_INIT(10000);

	assert_int_equal(mime_decode_body(&b, p), 1);
	return take(&b);
}

static struct bytes
all_text(const struct mime_tree *t, size_t limit)
{
	struct buf b = BUF_INIT(100000);
	const struct mime_part *p = NULL;
	struct bytes text;

	while (mime_next_text(&arena, t, &p, &limit, &text)) {
		(void)buf_add(&b, text);
		(void)buf_addc(&b, '|');
	}
	return take(&b);
}

static void
test_content(void **state)
{
	struct mime_tree *t = mime_parse(&arena, bytes_str(sample));
	struct buf b = BUF_INIT(2);

	(void)state;
	assert_text(decoded(t, "1"), "gr\xc3\xbc\xc3\x9f" "e\n");
	assert_text(decoded(t, "2.2"), "<b>x</b>");
	assert_bytes(decoded(t, "3"), BYTES("\0\1\2\3"));
	assert_text(all_text(t, 1000), "gr\xc3\xbc\xc3\x9f" "e\n|first|"
	    "<b>x</b>|");
	/* The limit holds for all together, and cuts between characters. */
	assert_text(all_text(t, 11), "gr\xc3\xbc\xc3\x9f" "e\n|fir|");
	assert_text(all_text(t, 4), "gr\xc3\xbc|");
	assert_int_equal(mime_decode_body(&b, mime_find_part(t, BYTES("3"))),
	    -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&b);
	t = mime_parse(&arena, BYTES("Content-Transfer-Encoding: x-odd\n\nx"));
	assert_int_equal(mime_decode_body(&b, t->root), 0);
	assert_text(all_text(t, 10), "x|");
	t = mime_parse(&arena, BYTES("Content-Transfer-Encoding: X-uuencode\n"
	    "\nhello\nbegin 644 x\n#8V%T\n \nend\nrest\n"));
	assert_text(decoded(t, "1"), "cat");
	t = mime_parse(&arena, BYTES("Content-Type: text/plain; charset="
	    "iso-2022-jp\n\n\x1b$B$\"\x1b(B"));
	assert_text(all_text(t, 10), "\xe3\x81\x82|");
}

static void
test_preview(void **state)
{
	struct mime_tree *t;

	(void)state;
	t = mime_parse(&arena, BYTES("\n  two\n\twords  \xc3\xa9 here"));
	assert_text(mime_preview(&arena, t, 100), "two words \xc3\xa9 here");
	assert_text(mime_preview(&arena, t, 11), "two words \xc3\xa9");
	t = mime_parse(&arena, BYTES("Content-Type: text/html\n\n<html><head>"
	    "<title>no</title><style>p{}</style></head><!-- a > b --><p>"
	    "Fish &amp; <b>chips</b>&#33;&#x21; &unknown; 1 < 2<script>x"
	    "</script></p>"));
	assert_text(mime_preview(&arena, t, 100), "Fish & chips !! &unknown; "
	    "1 < 2");
	t = mime_parse(&arena, BYTES("Content-Type: image/png\n\nx"));
	assert_text(mime_preview(&arena, t, 100), "");
}

static struct bytes
structure(struct bytes message, bool extended)
{
	struct mime_tree *t = mime_parse(&arena, message);
	struct buf b = BUF_INIT(1 << 20);

	assert_int_equal(mime_format_bodystructure(&arena, &b, t, extended),
	    0);
	return take(&b);
}

static void
test_bodystructure(void **state)
{
	(void)state;
	assert_text(structure(bytes_str(sample), true),
	    "(\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL "
	    "\"quoted-printable\" 17 1 NIL NIL NIL NIL)"
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 185 "
	    "(NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) "
	    "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
	    "5 0 NIL NIL NIL NIL)"
	    "(\"text\" \"html\" (\"charset\" \"us-ascii\") NIL NIL \"base64\" "
	    "12 0 NIL NIL NIL NIL) \"alternative\" (\"boundary\" \"inner\") "
	    "NIL NIL NIL) 12 NIL NIL NIL NIL)"
	    "(\"image\" \"png\" (\"name\" \"x.png\") \"<img@1>\" NIL "
	    "\"base64\" 8 NIL (\"attachment\" (\"filename*\" "
	    "\"utf-8''%C3%A4.png\")) NIL NIL) \"mixed\" (\"boundary\" "
	    "\"outer\") NIL NIL NIL");
	assert_text(structure(BYTES("A: b\n\nx\ny\n"), false),
	    "\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
	    "6 2");
	assert_text(structure(BYTES("Content-Type: a/b\n"
	    "Content-Language: de, en (c)\nContent-MD5: m\n"
	    "Content-Location: l\nContent-Description: \"d\"\n\n"), true),
	    "\"a\" \"b\" NIL NIL \"\\\"d\\\"\" \"7bit\" 0 \"m\" NIL "
	    "(\"de\" \"en\") \"l\"");
	/* A multipart without parts has an empty one: the syntax needs it. */
	assert_text(structure(BYTES("Content-Type: multipart/x; boundary=b\n"
	    "\nno parts\n"), false), "(\"text\" \"plain\" (\"charset\" "
	    "\"us-ascii\") NIL NIL \"7bit\" 0 0) \"x\"");
	/* Without a boundary it is text to read. */
	assert_text(structure(BYTES("Content-Type: multipart/x\n\nabc"),
	    false), "\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
	    "\"7bit\" 3 0");
}

static struct bytes
envelope(const char *header)
{
	struct buf b = BUF_INIT(1 << 20);

	assert_int_equal(mime_format_envelope(&arena, &b, bytes_str(header)),
	    0);
	return take(&b);
}

static void
test_envelope(void **state)
{
	struct buf b = BUF_INIT(10);

	(void)state;
	assert_text(envelope(""), "NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL");
	assert_text(envelope("Date: d\nSubject: s\nFrom: A <a@b>\nTo: c@d\n"
	    "Cc: G: e@f;\nBcc:\nIn-Reply-To: <r>\nMessage-ID: <m>\n"),
	    "\"d\" \"s\" ((\"A\" NIL \"a\" \"b\")) "
	    "((\"A\" NIL \"a\" \"b\")) ((\"A\" NIL \"a\" \"b\")) "
	    "((NIL NIL \"c\" \"d\")) ((NIL NIL \"G\" NIL)"
	    "(NIL NIL \"e\" \"f\")(NIL NIL NIL NIL)) NIL \"<r>\" \"<m>\"");
	assert_text(envelope("From: a@b\nSender: c@d\nReply-To: e@f\n"),
	    "NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"c\" \"d\")) "
	    "((NIL NIL \"e\" \"f\")) NIL NIL NIL NIL NIL");
	/* Two From fields are one list; of two subjects the last counts. */
	assert_text(envelope("From: a@b\nFrom: c@d\nSubject: x\nSubject: y\n"),
	    "NIL \"y\" ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) "
	    "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) "
	    "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) NIL NIL NIL NIL "
	    "NIL");
	/* Literals: quotes, folds, 8-bit; NUL cannot be sent. */
	assert_text(envelope("Subject: a \"b\"\n"), "NIL {5}\r\na \"b\" NIL "
	    "NIL NIL NIL NIL NIL NIL NIL");
	assert_text(envelope("Subject: a\n\t b\n"), "NIL {3}\r\na b NIL "
	    "NIL NIL NIL NIL NIL NIL NIL");
	assert_text(envelope("Subject: \xc3\xa9\n"), "NIL {2}\r\n\xc3\xa9 "
	    "NIL NIL NIL NIL NIL NIL NIL NIL");
	assert_text(structure(BYTES("Content-Type: a/b; x=\"\0\"\n\n"),
	    false), "\"a\" \"b\" (\"x\" {1}\r\n\x80) NIL NIL \"7bit\" 0");
	assert_text(envelope("From: \"a\\\"b\"@c\n"), "NIL NIL ((NIL NIL "
	    "\"a\\\"b\" \"c\")) ((NIL NIL \"a\\\"b\" \"c\")) ((NIL NIL "
	    "\"a\\\"b\" \"c\")) NIL NIL NIL NIL NIL");
	assert_int_equal(mime_format_envelope(&arena, &b, BYTES("")), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&b);
}

static void
test_empty_local_part(void **state)
{
	(void)state;
	assert_text(envelope("From: <\"\"@x>\n"), "NIL NIL ((NIL NIL \"\" "
	    "\"x\")) ((NIL NIL \"\" \"x\")) ((NIL NIL \"\" \"x\")) NIL NIL "
	    "NIL NIL NIL");
	assert_text(envelope("From: A <>\n"), "NIL NIL ((\"A\" NIL "
	    "\"MISSING_MAILBOX\" \"MISSING_DOMAIN\")) ((\"A\" NIL "
	    "\"MISSING_MAILBOX\" \"MISSING_DOMAIN\")) ((\"A\" NIL "
	    "\"MISSING_MAILBOX\" \"MISSING_DOMAIN\")) NIL NIL NIL NIL NIL");
}

static void
test_odd_bodies(void **state)
{
	static const struct {
		const char *message;
		const char *structure;
		unsigned int flags;
	} table[] = {
		{ "", "\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		  "\"7bit\" 0 0", MIME_NO_BODY },
		{ "no header at all", "\"text\" \"plain\" (\"charset\" "
		  "\"us-ascii\") NIL NIL \"7bit\" 0 0", MIME_NO_BODY },
		/* No final boundary. */
		{ "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n",
		  "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		  "\"7bit\" 3 1) \"mixed\"", MIME_NO_END },
		/* A part without an empty line, an empty part. */
		{ "Content-Type: multipart/mixed; boundary=b\n\n--b\nA: b\n"
		  "--b\n--b--\n", "(\"text\" \"plain\" (\"charset\" "
		  "\"us-ascii\") NIL NIL \"7bit\" 0 0)(\"text\" \"plain\" "
		  "(\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) \"mixed\"",
		  MIME_NO_BODY },
		/* An outer boundary ends an inner multipart. */
		{ "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
		  "Content-Type: multipart/alternative; boundary=c\n\n--c\n\n"
		  "x\n--b\n\ny\n--b--\n", "((\"text\" \"plain\" (\"charset\" "
		  "\"us-ascii\") NIL NIL \"7bit\" 1 0) \"alternative\")"
		  "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		  "\"7bit\" 1 0) \"mixed\"", MIME_NO_END },
		/* One boundary begins with the other. */
		{ "Content-Type: multipart/mixed; boundary=bb\n\n--bb\n"
		  "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n"
		  "--bb--\n", "((\"text\" \"plain\" (\"charset\" "
		  "\"us-ascii\") NIL NIL \"7bit\" 1 0) \"mixed\") \"mixed\"",
		  MIME_NO_END },
		/* Parts of a digest are messages. */
		{ "Content-Type: multipart/digest; boundary=b\n\n--b\n\n"
		  "Subject: s\n\nx\n--b--\n", "(\"message\" \"rfc822\" NIL "
		  "NIL NIL \"7bit\" 15 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL "
		  "NIL) (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL "
		  "NIL \"7bit\" 1 0) 2) \"digest\"", 0 },
		/* The empty line is the header's, not the boundary's. */
		{ "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
		  "Content-Type: message/rfc822\n\nA: b\n\n--b--\n",
		  "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 8 (NIL NIL "
		  "NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" "
		  "(\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) 2) "
		  "\"mixed\"", 0 },
		/* CRLF counts as LF does. */
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
		  "\r\nx\r\ny\r\n--b--\r\n", "(\"text\" \"plain\" (\"charset\""
		  " \"us-ascii\") NIL NIL \"7bit\" 4 1) \"mixed\"", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bytes m = bytes_str(table[i].message);

		assert_text(structure(m, false), table[i].structure);
		assert_int_equal(mime_parse(&arena, m)->flags,
		    table[i].flags);
	}
	assert_int_equal(mime_parse(&arena, BYTES("\nx\0y"))->flags,
	    MIME_HAS_NUL);
	assert_int_equal(mime_parse(&arena, BYTES("\n\xff"))->flags,
	    MIME_HAS_8BIT);
	assert_int_equal(mime_parse(&arena, BYTES("A: \xff\n\n"))->flags,
	    MIME_HAS_8BIT | MIME_HAS_8BIT_HEADER);
}

/* ---- limits and hostile messages ---- */

/* n multiparts in each other, and a text in the innermost. */
static struct bytes
nested(size_t n)
{
	struct buf b = BUF_INIT((size_t)1 << 28);
	size_t i;

	for (i = 0; i < n; i++)
		(void)buf_printf(&b, "Content-Type: multipart/mixed; "
		    "boundary=b%zu\n\n--b%zu\n", i, i);
	(void)buf_adds(&b, "\ntext\n");
	return take(&b);
}

static size_t
depth_of(const struct mime_tree *t)
{
	const struct mime_part *p, *q;
	size_t deepest = 0, n;

	for (p = t->root; p != NULL; p = mime_next_part(p)) {
		n = 0;
		for (q = p; q->parent != NULL; q = q->parent)
			n++;
		if (n > deepest)
			deepest = n;
	}
	return deepest;
}

static void
test_depth_limit(void **state)
{
	struct mime_tree *t;
	struct bytes m;

	(void)state;
	t = mime_parse(&arena, nested(MIME_DEPTH_MAX));
	assert_int_equal(depth_of(t), MIME_DEPTH_MAX);
	assert_int_equal(t->flags & MIME_CUT_DEPTH, 0);
	t = mime_parse(&arena, nested(MIME_DEPTH_MAX + 1));
	assert_int_equal(depth_of(t), MIME_DEPTH_MAX);
	assert_int_equal(t->flags & MIME_CUT_DEPTH, MIME_CUT_DEPTH);
	m = nested(1000);
	assert_int_equal(depth_of(mime_parse(&arena, m)), MIME_DEPTH_MAX);
	assert_true(structure(m, true).n > 1000);
	m = repeat("Content-Type: message/rfc822\n\n", 1000, "x");
	t = mime_parse(&arena, m);
	assert_int_equal(depth_of(t), MIME_DEPTH_MAX);
	assert_int_equal(t->flags & MIME_CUT_DEPTH, MIME_CUT_DEPTH);
	assert_true(structure(m, true).n > 1000);
	t = mime_parse(&arena, repeat("Content-Type: message/rfc822\n\n",
	    MIME_DEPTH_MAX, "x"));
	assert_int_equal(t->flags & MIME_CUT_DEPTH, 0);
}

static void
test_part_limit(void **state)
{
	static const char head[] = "Content-Type: multipart/mixed; "
	    "boundary=b\n\n";
	struct mime_tree *t;
	size_t extra;

	(void)state;
	for (extra = 0; extra <= 1; extra++) {
		struct bytes parts = repeat("--b\n\nx\n",
		    MIME_PARTS_MAX - 1 + extra, "--b--\n");

		t = mime_parse(&arena, bytes_str(arena_printf(&arena,
		    "%s%.*s", head, BYTES_ARG(parts))));
		assert_int_equal(t->parts, MIME_PARTS_MAX);
		assert_int_equal(t->flags, extra == 0 ? 0 : MIME_CUT_PARTS);
	}
}

static void
test_header_limits(void **state)
{
	struct mime_tree *t;
	struct bytes m;

	(void)state;
	m = repeat("X: y\n", MIME_FIELDS_MAX - 1, "Content-Type: a/b\n\n");
	t = mime_parse(&arena, m);
	assert_int_equal(t->flags, 0);
	assert_text(t->root->type.type, "a");
	m = repeat("X: y\n", MIME_FIELDS_MAX, "Content-Type: a/b\n\n");
	t = mime_parse(&arena, m);
	assert_int_equal(t->flags, MIME_CUT_HEADER);
	assert_text(t->root->type.type, "text");
	/* Finding has no limit: a From below must not go unseen. */
	assert_int_equal(mime_count_fields(t->root->header,
	    BYTES("Content-Type")), 1);
	assert_int_equal(t->root->header.n, m.n - 1);
	/* Bytes: "X: " and a line end make five. */
	m = repeat("x", MIME_HEADER_MAX - 4, "");
	m = bytes_str(arena_printf(&arena, "X: %.*s\n\nbody", BYTES_ARG(m)));
	t = mime_parse(&arena, m);
	assert_int_equal(t->flags, 0);
	m = repeat("x", MIME_HEADER_MAX - 3, "");
	m = bytes_str(arena_printf(&arena, "X: %.*s\n\nbody", BYTES_ARG(m)));
	t = mime_parse(&arena, m);
	assert_int_equal(t->flags, MIME_CUT_HEADER);
	assert_text(t->root->body, "body");
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

/* Each some megabytes; quadratic reading would take minutes. */
static void
test_hostile_messages(void **state)
{
	static const char *const heads[] = { "\n", "a: b\n", "a\n", " \n",
	    "=?", "=?a?q?", "=?a?q?b?=", "Content-Type: a/b;", "a/b;x*0=a;",
	    "Subject: x\n", "From: a@b,\n", "--", "--b\n", "\r", "<", "<!--",
	    "&", "[", "re:", "(fwd)", "\"", "(", "Content-Type: "
	    "multipart/mixed; boundary=b\n\n--b\n", "Content-Type: "
	    "message/rfc822\n\n", "\0" };
	static const char *const fronts[] = { "", "Content-Type: "
	    "multipart/mixed; boundary=b\n\n", "Subject: ", "From: ",
	    "Content-Type: a/b; x=", "Content-Type: text/html\n\n" };
	int64_t start = time_mono_ms();
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		for (j = 0; j < sizeof(fronts) / sizeof(fronts[0]); j++) {
			struct bytes m = repeat(heads[i], 100000, "");
			struct mime_tree *t;
			struct buf b = BUF_INIT((size_t)1 << 28);
			size_t left = 1 << 20;
			const struct mime_part *p = NULL;
			bool is_reply;

			(void)buf_adds(&b, fronts[j]);
			(void)buf_add(&b, m);
			m = take(&b);
			t = mime_parse(&arena, m);
			b = (struct buf)BUF_INIT((size_t)1 << 28);
			assert_int_equal(mime_format_envelope(&arena, &b,
			    t->root->header), 0);
			assert_int_equal(mime_format_bodystructure(&arena,
			    &b, t, true), 0);
			buf_free(&b);
			while (mime_next_text(&arena, t, &p, &left, &m))
				;
			m = mime_field_text(&arena, t->root->header,
			    BYTES("Subject"));
			(void)mime_base_subject(&arena, m, &is_reply);
			(void)mime_preview(&arena, t, 200);
			arena_reset(&arena);
		}
	}
	print_message("# %lld ms\n", (long long)(time_mono_ms() - start));
	assert_true(time_mono_ms() - start < 60000);
}

#define T(name, fn) { (name), (fn), reset, NULL, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("S-5 sizes with CRLF, and conversions", test_sizes),
		T("header and body apart, mbox From line", test_split),
		T("fields of a header section", test_fields),
		T("N-6 encoded words", test_words),
		T("message ids", test_msg_ids),
		T("base subjects", test_base_subject),
		T("types and parameters", test_values),
		T("N-6 RFC 2231 parameters as text", test_param_text),
		T("limit of parameters", test_param_limit),
		T("the tree of a message and its sections", test_tree),
		T("section numbers", test_find_part),
		T("decoded content and text", test_content),
		T("I-5 preview", test_preview),
		T("BODYSTRUCTURE", test_bodystructure),
		T("ENVELOPE", test_envelope),
		T("R-12 empty local part in ENVELOPE", test_empty_local_part),
		T("odd and broken bodies", test_odd_bodies),
		T("nesting is limited", test_depth_limit),
		T("the number of parts is limited", test_part_limit),
		T("header sections are limited", test_header_limits),
		T("decoded values are limited", test_value_limits),
		T("hostile messages take linear time",
		    test_hostile_messages),
	};
	int r;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return r;
}
