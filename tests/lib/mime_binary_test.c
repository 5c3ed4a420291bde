/*
 * mime_binary_test.c - messages of any bytes become lines (RFC 3030)
 */
#include "mime/mime.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define S(s) BYTES(s)
#define MAX ((size_t)4 * 1024 * 1024)

static int
add(void *ctx, struct bytes piece)
{
	return buf_add(ctx, piece);
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n"
#define LF_MIXED "Content-Type: multipart/mixed; boundary=b\n"
#define SIGNED "Content-Type: multipart/signed; boundary=b\r\n"
#define IMAGE "Content-Type: image/png\r\n"
#define CTE "Content-Transfer-Encoding: "

static const struct {
	const char *what;
	struct bytes in;
	const char *out;	/* NULL: refused with err */
	int err;
} rows[] = {
	{ "plain text", S("From: a@b\r\n\r\ntext\r\n"),
	    "From: a@b\n\ntext\n", 0 },
	{ "without a line end at the end", S("From: a@b\r\n\r\ntext"),
	    "From: a@b\n\ntext\n", 0 },
	{ "nothing", S(""), "", 0 },
	{ "a header alone", S("From: a@b\r\n"), "From: a@b\n", 0 },
	{ "8-bit text that is called binary",
	    S("A: b\r\n" CTE "BINARY\r\nC: d\r\n\r\ngr\374n\r\n"),
	    "A: b\nC: d\n" CTE "8bit\n\ngr\374n\n", 0 },
	{ "the whole message binary, NUL in it",
	    S(CTE "binary\r\n" IMAGE "\r\na\0b"),
	    "Content-Type: image/png\n" CTE "base64\n\nYQBi\n", 0 },
	{ "its label folded, and there twice",
	    S(CTE "\r\n binary\r\nA: b\r\n" CTE "binary\r\n\r\na\rb"),
	    "A: b\n" CTE "base64\n\nYQ1i\n", 0 },
	{ "no label at all", S("A: b\r\n\r\na\nb"),
	    "A: b\n" CTE "base64\n\nYQpi\n", 0 },
	{ "parts: only what must be is encoded, byte for byte",
	    S(MIXED CTE "binary\r\n\r\npre\r\n--b\r\n\r\ntext\r\n--b\r\n"
	    IMAGE CTE "binary\r\n\r\n\r\n\1\n\0\r\r\n--b\r\n" IMAGE
	    CTE "base64\r\n\r\nYQ==\r\n--b--\r\nepi\r\n"),
	    LF_MIXED CTE "8bit\n\npre\n--b\n\ntext\n--b\nContent-Type: "
	    "image/png\n" CTE "base64\n\nDQoBCgAN\n--b\nContent-Type: "
	    "image/png\n" CTE "base64\n\nYQ==\n--b--\nepi\n", 0 },
	{ "an empty part", S(MIXED "\r\n--b\r\n" CTE "binary\r\n\r\n\r\n"
	    "--b--\r\n"),
	    LF_MIXED "\n--b\n" CTE "8bit\n\n\n--b--\n", 0 },
	{ "a part of a message in a message",
	    S("Content-Type: message/rfc822\r\n" CTE "binary\r\n\r\n"
	    "Subject: in\r\n" CTE "binary\r\n\r\n\0"),
	    "Content-Type: message/rfc822\n" CTE "8bit\n\nSubject: in\n"
	    CTE "base64\n\nAA==\n", 0 },
	{ "no end of a multipart", S(MIXED "\r\n--b\r\n\r\n\0"),
	    LF_MIXED "\n--b\n" CTE "base64\n\nAA==\n", 0 },
	{ "a signed part without binary content",
	    S(SIGNED "\r\n--b\r\nA: b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n"),
	    "Content-Type: multipart/signed; boundary=b\n\n--b\nA: b\n\nx\n"
	    "--b\n\ny\n--b--\n", 0 },

	{ "binary content in a signed part",
	    S(SIGNED "\r\n--b\r\n" MIXED "\r\n\0\r\n--b--\r\n"), NULL,
	    EBADMSG },
	{ "binary content below a signature",
	    S(SIGNED "\r\n--b\r\n\r\n\0\r\n--b--\r\n"), NULL, ENOTSUP },
	{ "a label below a signature",
	    S(SIGNED "\r\n--b\r\n" CTE "binary\r\n\r\nx\r\n--b--\r\n"), NULL,
	    ENOTSUP },
	{ "NUL in a header", S("A: \0\r\n\r\nx\r\n"), NULL, EBADMSG },
	{ "a bare LF in a header", S("A: b\nC: d\r\n\r\nx\r\n"), NULL,
	    EBADMSG },
	{ "a bare CR in a header", S("A: b\rC: d\r\n\r\nx\0\r\n"), NULL,
	    EBADMSG },
	{ "a bare LF between parts", S(MIXED "\r\n\n--b\r\n\r\nx\r\n--b--"),
	    NULL, EBADMSG },
	{ "a boundary behind a bare LF", S(MIXED "\r\n--b\r\n\r\nx\n--b--"),
	    NULL, EBADMSG },
	{ "NUL in a part that is encoded", S(CTE "base64\r\n\r\nYQ\0=="),
	    NULL, EBADMSG },
	{ "NUL in message/partial",
	    S("Content-Type: message/partial\r\n\r\n\0"), NULL, EBADMSG },
};

static void
test_rows(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT(MAX);
	const char *why;
	int r;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&out);
		errno = 0;
		r = mime_from_binary(&a, rows[i].in, add, &out, &why);
		if (rows[i].out == NULL ? r != -1 || errno != rows[i].err ||
		    why[0] == '\0' : r != 0 || !bytes_eq(buf_bytes(&out),
		    bytes_str(rows[i].out)))
			fail_msg("%s: %d, %d, %.*s", rows[i].what, r, errno,
			    (int)out.n, (const char *)out.p);
	}
	buf_free(&out);
	arena_free(&a);
}

/* 998 bytes are a line, one more is not; and a part of every length comes
 * back as it was. */
static void
test_lengths(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf in = BUF_INIT(MAX), out = BUF_INIT(MAX), back;
	struct mime_tree *t;
	const char *why;

	(void)state;
	for (size_t n = 0; n < 1200; n++) {
		buf_reset(&in);
		buf_reset(&out);
		buf_adds(&in, "A: b\r\n\r\n");
		for (size_t i = 0; i < n; i++)
			buf_addc(&in, n < 500 ? (int)(i * 7 % 256) : 'x');
		assert_int_equal(mime_from_binary(&a, buf_bytes(&in), add,
		    &out, &why), 0);
		t = mime_parse(&a, buf_bytes(&out));
		if (n >= 500)
			assert_int_equal(t->root->encoding.n > 0, n > 998);
		back = BUF_INIT(MAX);
		assert_int_equal(mime_decode_body(&back, t->root), 1);
		if (t->root->encoding.n > 0)
			assert_true(bytes_eq(buf_bytes(&back),
			    bytes_from(buf_bytes(&in), 8)));
		buf_free(&back);
		arena_reset(&a);
	}
	buf_free(&in);
	buf_free(&out);
	arena_free(&a);
}

static int
add_nothing(void *ctx, struct bytes piece)
{
	(void)ctx;
	(void)piece;
	errno = ENOSPC;
	return -1;
}

static void
test_full(void **state)
{
	struct arena a = ARENA_INIT;
	const char *why;

	(void)state;
	assert_int_equal(mime_from_binary(&a, S("A: b\r\n\r\nx\r\n"),
	    add_nothing, NULL, &why), -1);
	assert_int_equal(errno, ENOSPC);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "B-17 BINARYMIME: what becomes of parts", test_rows, NULL,
		    NULL, NULL },
		{ "B-17 BINARYMIME: a part of any length comes back",
		    test_lengths, NULL, NULL, NULL },
		{ "B-17 BINARYMIME: no room", test_full, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
