/* compress_test.c - connections compressed both ways (RFC 4978, RFC 1951) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "compress/compress.h"

/* What from sends arrives at to, read size bytes at a time. */
static void
send_all(struct compress *from, struct compress *to, struct bytes text,
    size_t size)
{
	struct buf packed = BUF_INIT(4 * 1024 * 1024);
	unsigned char part[COMPRESS_PIECE];
	struct bytes rest;
	ssize_t n;

	assert_int_equal(compress_out(from, text, &packed), 0);
	rest = buf_bytes(&packed);
	while (text.n > 0) {
		n = compress_in(to, &rest, part, size);
		assert_true(n > 0 && (size_t)n <= size);
		assert_memory_equal(part, text.p, (size_t)n);
		text = bytes_from(text, (size_t)n);
	}
	assert_int_equal(compress_in(to, &rest, part, size), 0);
	assert_int_equal(rest.n, 0);
	assert_false(compress_has_more(to));
	buf_free(&packed);
}

static unsigned char *
noise(size_t n)
{
	unsigned char *p = mem_alloc(n);
	uint32_t x = 1;
	size_t i;

	for (i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (unsigned char)(x >> 24);
	}
	return p;
}

static void
both_ways(void **state)
{
	static const size_t sizes[] = { 1, 2, 100, COMPRESS_PIECE };
	struct compress *a = compress_new(), *b = compress_new();
	size_t n = 100000, i;
	unsigned char *p = noise(n);

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		send_all(a, b, BYTES("a1 NOOP\r\n"), sizes[i]);
		send_all(b, a, BYTES("a1 OK NOOP done\r\n"), sizes[i]);
		send_all(a, b, bytes_of(p, n), sizes[i]);
	}
	free(p);
	compress_free(a);
	compress_free(b);
}

/* However much it becomes, no more comes out than there is room for, and
 * memory stays as it is. */
static void
bomb(void **state)
{
	struct compress *a = compress_new(), *b;
	size_t n = 64 * 1024 * 1024, total = 0, before, after;
	unsigned char *zeros = mem_zalloc(n, 1), part[COMPRESS_PIECE];
	struct buf packed = BUF_INIT(4 * 1024 * 1024);
	struct bytes rest;
	ssize_t got;

	(void)state;
	assert_int_equal(compress_out(a, bytes_of(zeros, n), &packed), 0);
	assert_true(packed.n < n / 500);
	before = mallinfo2().uordblks;
	b = compress_new();
	/* no more than it was given room for */
	rest = buf_bytes(&packed);
	assert_int_equal(compress_in(b, &rest, part, 1), 1);
	assert_true(compress_has_more(b));
	total = 1;
	while ((got = compress_in(b, &rest, part, sizeof(part))) > 0)
		total += (size_t)got;
	assert_int_equal(got, 0);
	assert_int_equal(total, n);
	after = mallinfo2().uordblks;
	assert_true(after - before <= COMPRESS_MEMORY_BYTES);
	assert_int_equal(compress_in(b, &rest, part, 0), 0);
	free(zeros);
	buf_free(&packed);
	compress_free(a);
	compress_free(b);
}

static void
malformed(void **state)
{
	static const struct bytes cases[] = {
		BYTES("a1 NOOP\r\n"),		/* not compressed at all */
		/* zlib's header */
		BYTES("\x78\x9c\x4b\x04\x00\x00\x62\x00\x62"),
		BYTES("\xff\xff\xff\xff"),
		BYTES("\x03\x00x"),		/* the end, and then more */
		BYTES("\x03\x00"),		/* the end */
	};
	unsigned char part[100];
	struct bytes rest;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct compress *c = compress_new();

		rest = cases[i];
		errno = 0;
		while (compress_in(c, &rest, part, sizeof(part)) > 0)
			continue;
		assert_int_equal(errno, EBADMSG);
		rest = BYTES("x");
		assert_int_equal(compress_in(c, &rest, part, sizeof(part)),
		    -1);
		compress_free(c);
	}
}

static void
full(void **state)
{
	struct compress *c = compress_new();
	struct buf out = BUF_INIT(COMPRESS_PIECE - 1);

	(void)state;
	errno = 0;
	assert_int_equal(compress_out(c, BYTES("x"), &out), -1);
	assert_int_equal(errno, EMSGSIZE);
	buf_free(&out);
	compress_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(bomb),
		cmocka_unit_test(malformed),
		cmocka_unit_test(full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
