/*
 * mime_tree_test.c - the MIME tree, content, ENVELOPE, BODYSTRUCTURE, limits
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <errno.h>

#include "arena_check.h"
#include "mime/mime.h"

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
	/* RFC 9051 7.5.2: empty ones default to From as absent ones do. */
	assert_text(envelope("From: a@b\nSender: \nReply-To:\n"),
	    "NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) "
	    "((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL");
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

static const struct {
	const char *message;
	const char *structure;
	unsigned int flags;
} odd_bodies[] = {
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

static void
test_odd_bodies(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(odd_bodies) / sizeof(odd_bodies[0]); i++) {
		struct bytes m = bytes_str(odd_bodies[i].message);

		assert_text(structure(m, false), odd_bodies[i].structure);
		assert_int_equal(mime_parse(&arena, m)->flags,
		    odd_bodies[i].flags);
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

/* Each some megabytes; quadratic reading would take minutes. */
static void
test_hostile_messages(void **state)
{
	static const char *const heads[] = { "\n", "a: b\n", "a\n", " \n",
	    "=?", "=?a?q?", "=?a?q?b?=", "Content-Type: a/b;", "a/b;x*0=a;",
	    "Subject: x\n", "From: a@b,\n", "--", "--b\n", "\r", "<", "<!--",
	    "&", "[", "re:", "(fwd)", "\"", "(",
	    ("Content-Type: multipart/mixed; boundary=b\n\n--b\n"),
	    "Content-Type: message/rfc822\n\n", "" };
	static const char *const fronts[] = { "",
	    ("Content-Type: multipart/mixed; boundary=b\n\n"), "Subject: ",
	    "From: ", "Content-Type: a/b; x=",
	    "Content-Type: text/html\n\n" };
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
		T("hostile messages take linear time",
		    test_hostile_messages),
	};
	int r;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return r;
}
