/* base_test - slices, arenas, buffers, numbers, encodings, addresses */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
assert_bytes(struct bytes got, struct bytes want)
{
	if (!bytes_eq(got, want))
		print_message("got \"%.*s\", want \"%.*s\"\n", BYTES_ARG(got),
		    BYTES_ARG(want));
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
}

static void
assert_text(struct bytes got, const char *want)
{
	assert_bytes(got, bytes_str(want));
}

static void
test_cut(void **state)
{
	struct bytes s = BYTES("abc"), head = BYTES("x");

	(void)state;
	assert_false(bytes_cut(&s, 4, &head));
	assert_text(s, "abc");
	assert_text(head, "x");
	assert_true(bytes_cut(&s, 3, &head));
	assert_text(head, "abc");
	assert_int_equal(s.n, 0);
	assert_int_equal(bytes_next(&s), -1);
	assert_int_equal(bytes_at(head, 2), 'c');
	assert_int_equal(bytes_at(head, 3), -1);
	assert_text(bytes_from(head, 1), "bc");
	assert_text(bytes_from(head, 3), "");
	assert_non_null(bytes_from(head, 9).p);
	assert_text(bytes_first(head, 2), "ab");
	assert_text(bytes_first(head, 9), "abc");
	assert_text(bytes_last(head, 2), "bc");
	assert_text(bytes_last(head, 9), "abc");
	assert_non_null(bytes_of(NULL, 0).p);
	assert_int_equal(bytes_str(NULL).n, 0);
}

static void
test_compare(void **state)
{
	static const struct {
		const char *a, *b;
		bool eq, caseeq;
		int cmp;
	} t[] = {
		{ "", "", true, true, 0 },
		{ "a", "", false, false, 1 },
		{ "abc", "abc", true, true, 0 },
		{ "aBc", "AbC", false, true, 1 },
		{ "ab", "abc", false, false, -1 },
		{ "a[", "a{", false, false, -1 },	/* no letters */
		{ "\xc3\x84", "\xc3\xa4", false, false, -1 },
		{ "\xff", "a", false, false, 1 },
	};
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		struct bytes a = bytes_str(t[i].a), b = bytes_str(t[i].b);

		assert_int_equal(bytes_eq(a, b), t[i].eq);
		assert_int_equal(bytes_equal_secret(a, b), t[i].eq);
		assert_int_equal(bytes_caseeq(a, b), t[i].caseeq);
		r = bytes_cmp(a, b);
		assert_int_equal((r > 0) - (r < 0), t[i].cmp);
	}
	assert_true(bytes_starts(BYTES("abc"), BYTES("ab")));
	assert_false(bytes_starts(BYTES("ab"), BYTES("abc")));
	assert_true(bytes_casestarts(BYTES("ABc"), BYTES("ab")));
	assert_false(bytes_casestarts(BYTES("a"), BYTES("ab")));
	assert_true(bytes_ends(BYTES("abc"), BYTES("bc")));
	assert_false(bytes_ends(BYTES("bc"), BYTES("abc")));
	assert_true(bytes_caseends(BYTES("aBC"), BYTES("bc")));
	assert_true(bytes_ends(BYTES("abc"), BYTES("")));
}

/* Words whose rarest byte is the first, in the middle, the last or none. */
static void
test_casefind(void **state)
{
	static const struct {
		const char *text, *word;
		int at;
	} row[] = {
		{ "a quick fox", "QUICK", 2 }, { "A FOX, a fox", "fox", 2 },
		{ "bacK bAck back", "back", 0 }, { "xback", "BACK", 1 },
		{ "ba back", "back", 3 }, { "tea tae TEA", "ea t", 1 },
		{ "Zz zZ", "zz z", 0 }, { "zZz7", "z7", 2 },
		{ "aaab", "aab", 1 }, { "aaab", "aabb", -1 },
		{ "ack b", "back", -1 }, { "bac", "back", -1 },
		{ "k", "K", 0 }, { "[", "{", -1 }, { "x@", "`", -1 },
		{ "\xc3\x9c\xe2", "\xe2", 2 }, { "\xc3", "\xe3", -1 },
	};
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		bool found = bytes_casefind(bytes_str(row[i].text),
		    bytes_str(row[i].word), &at);

		if (found != (row[i].at != -1) ||
		    (found && at != (size_t)row[i].at))
			fail_msg("%s in %s", row[i].word, row[i].text);
	}
}

/* A text of n bytes c with another one at a place. */
static void
check_block(const unsigned char *text, size_t n, size_t place)
{
	unsigned char low[80], high[80];
	struct bytes s = bytes_of(text, n);

	bytes_lower(low, s);
	bytes_upper(high, s);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(low[i], ascii_lower(text[i]));
		assert_int_equal(high[i], ascii_upper(text[i]));
	}
	bytes_lower(low, bytes_of(memcpy(low, text, n), n));
	assert_int_equal(low[place], ascii_lower(text[place]));
	assert_int_equal(bytes_is_ascii(s), text[place] < 0x80);
	assert_int_equal(bytes_count(s, text[place]),
	    text[place] == 'm' ? n : 1);
	assert_int_equal(bytes_count(s, 'm'), text[place] == 'm' ? n : n - 1);
}

/* Every byte at every place of the blocks that are looked at, and beyond. */
static void
test_blocks(void **state)
{
	static const size_t sizes[] = { 11, 64, 75, 80 };
	unsigned char text[80];
	struct bytes empty = BYTES_EMPTY;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		for (int c = 0; c < 256; c++) {
			for (size_t place = 0; place < sizes[i]; place++) {
				memset(text, 'm', sizeof(text));
				text[place] = (unsigned char)c;
				check_block(text, sizes[i], place);
			}
		}
	}
	assert_true(bytes_is_ascii(empty));
	assert_int_equal(bytes_count(empty, 0), 0);
	memset(text, 'x', sizeof(text));
	assert_int_equal(bytes_count(bytes_of(text, sizeof(text)), 'x'), 80);
}

static void
test_search(void **state)
{
	struct bytes s = BYTES("one two two\0x");
	size_t at = 99;

	(void)state;
	assert_true(bytes_chr(s, 't', &at) && at == 4);
	assert_true(bytes_rchr(s, 't', &at) && at == 8);
	assert_true(bytes_chr(s, '\0', &at) && at == 11);
	assert_false(bytes_chr(s, 'z', &at));
	assert_int_equal(at, 11);
	assert_true(bytes_find(s, BYTES("two"), &at) && at == 4);
	assert_true(bytes_find(s, BYTES("\0x"), &at) && at == 11);
	assert_false(bytes_find(s, BYTES("Two"), &at));
	assert_true(bytes_casefind(s, BYTES("TWO"), &at) && at == 4);
	assert_true(bytes_casefind(s, BYTES("O\0X"), &at) && at == 10);
	assert_false(bytes_casefind(BYTES("tw"), BYTES("two"), &at));
	assert_true(bytes_casefind(s, BYTES(""), &at) && at == 0);
	assert_true(bytes_has_nul(s));
	assert_false(bytes_has_nul(BYTES("abc")));
	assert_true(bytes_is_ascii(s));
	assert_true(bytes_is_ascii(BYTES("")));
	assert_false(bytes_is_ascii(BYTES("0123456789abcde\x80")));
	assert_false(bytes_is_ascii(BYTES("\xe4" "bcdefgh")));
	assert_false(bytes_is_ascii(BYTES("0123456789a\xff")));
}

static void
test_take_apart(void **state)
{
	struct bytes s = BYTES("a,b"), head;

	(void)state;
	assert_true(bytes_split(&s, ',', &head));
	assert_text(head, "a");
	assert_false(bytes_split(&s, ',', &head));
	assert_text(head, "b");
	assert_int_equal(s.n, 0);

	s = BYTES("x\r\n\ny\rz\r\n\rlast\r");
	assert_true(bytes_line(&s, &head));
	assert_text(head, "x");
	assert_true(bytes_line(&s, &head));
	assert_text(head, "");
	assert_true(bytes_line(&s, &head));
	assert_text(head, "y\rz");
	assert_true(bytes_line(&s, &head));
	assert_text(head, "\rlast\r");
	assert_false(bytes_line(&s, &head));

	s = BYTES(" \tone\t two ");
	assert_true(bytes_word(&s, &head));
	assert_text(head, "one");
	assert_true(bytes_word(&s, &head));
	assert_text(head, "two");
	assert_false(bytes_word(&s, &head));

	s = BYTES("Subject: x");
	assert_false(bytes_skip(&s, BYTES("subject:")));
	assert_true(bytes_caseskip(&s, BYTES("subject:")));
	assert_text(s, " x");
	assert_true(bytes_skip(&s, BYTES(" ")));
	assert_text(s, "x");
	assert_text(bytes_trim(BYTES(" \t\r\na b\n ")), "a b");
	assert_text(bytes_ltrim(BYTES(" a ")), "a ");
	assert_text(bytes_rtrim(BYTES(" a ")), " a");
	assert_text(bytes_trim(BYTES(" \t ")), "");
}

static void
test_arena(void **state)
{
	struct arena a = ARENA_INIT;
	unsigned char *p, *last = NULL;
	size_t i, n;

	(void)state;
	for (i = 0; i < 5000; i++) {
		n = i * 7 % 997;
		p = arena_alloc(&a, n);
		assert_non_null(p);
		assert_true(p != last);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		memset(p, 0xa5, n);
		last = p;
	}
	p = arena_alloc(&a, 3000000);
	memset(p, 1, 3000000);
	p = arena_zalloc(&a, 10, 100);
	for (i = 0; i < 1000; i++)
		assert_int_equal(p[i], 0);
	assert_string_equal(arena_printf(&a, "%s-%d", "x", 42), "x-42");
	assert_string_equal(arena_str(&a, BYTES("abc")), "abc");
	errno = 0;
	assert_null(arena_str(&a, BYTES("a\0b")));
	assert_int_equal(errno, EINVAL);
	assert_text(arena_lower(&a, BYTES("AbC\xc3\x84")), "abc\xc3\x84");
	assert_text(arena_bytes(&a, BYTES("")), "");
	assert_true(a.used_bytes > 3000000);
	arena_reset(&a);
	assert_int_equal(a.used_bytes, 0);
	assert_non_null(arena_alloc(&a, 10));
	arena_free(&a);
	assert_null(a.head);
	arena_reset(&a);
	arena_free(&a);
}

static void
test_buf_cap(void **state)
{
	struct buf b = BUF_INIT(10);

	(void)state;
	assert_int_equal(buf_bytes(&b).n, 0);
	assert_int_equal(buf_adds(&b, "123456789"), 0);
	assert_int_equal(buf_addc(&b, 'x'), 0);		/* at the cap */
	assert_false(b.full);
	errno = 0;
	assert_int_equal(buf_addc(&b, 'y'), -1);	/* one past it */
	assert_int_equal(errno, EMSGSIZE);
	assert_true(b.full);
	assert_text(buf_bytes(&b), "123456789x");
	buf_drop(&b, 5);
	assert_text(buf_bytes(&b), "6789x");
	assert_int_equal(buf_addc(&b, 'y'), -1);	/* stays full */
	buf_reset(&b);
	assert_int_equal(buf_addnum(&b, UINT64_MAX), -1);
	buf_reset(&b);
	assert_int_equal(buf_addnum(&b, 1234567890), 0);
	assert_int_equal(buf_addnum(&b, 0), -1);
	buf_reset(&b);
	assert_int_equal(buf_addnum(&b, 0), 0);
	assert_int_equal(buf_addnum(&b, 10), 0);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("010")));
	buf_reset(&b);
	assert_int_equal(buf_printf(&b, "%s%d", "abcdefgh", 12), 0);
	assert_text(buf_bytes(&b), "abcdefgh12");
	buf_reset(&b);
	assert_int_equal(buf_printf(&b, "%s%d", "abcdefgh", 123), -1);
	assert_int_equal(b.n, 0);
	buf_reset(&b);
	assert_int_equal(buf_room(&b, 10), 0);
	assert_int_equal(buf_room(&b, 11), -1);
	buf_reset(&b);
	buf_drop(&b, 3);
	assert_int_equal(b.n, 0);
	buf_free(&b);
	assert_int_equal(b.max, 10);
}

static void
test_buf_growth(void **state)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	char want[32];
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		assert_int_equal(buf_printf(&b, "%05d,", i), 0);
		assert_int_equal(buf_addc(&b, ';'), 0);
	}
	assert_int_equal(b.n, 140000);
	assert_int_equal(snprintf(want, sizeof(want), "%05d,;", 19999), 7);
	assert_text(bytes_last(buf_bytes(&b), 7), want);
	buf_free(&b);
}

static void
test_numbers(void **state)
{
	static const struct {
		const char *s;
		uint64_t min, max, want;
		int err;
	} t[] = {
		{ "0", 0, 10, 0, 0 },
		{ "10", 0, 10, 10, 0 },
		{ "11", 0, 10, 0, ERANGE },
		{ "1", 2, 10, 0, ERANGE },
		{ "0007", 0, 10, 7, 0 },
		{ "18446744073709551615", 0, UINT64_MAX, UINT64_MAX, 0 },
		{ "18446744073709551616", 0, UINT64_MAX, 0, ERANGE },
		{ "99999999999999999999999", 0, UINT64_MAX, 0, ERANGE },
		{ "", 0, 10, 0, EBADMSG },
		{ "1x", 0, 10, 0, EBADMSG },
		{ " 1", 0, 10, 0, EBADMSG },
		{ "+1", 0, 10, 0, EBADMSG },
		{ "-1", 0, 10, 0, EBADMSG },
		{ "99999999999999999999999x", 0, 10, 0, EBADMSG },
	};
	uint64_t v;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < COUNT(t); i++) {
		v = 77;
		errno = 0;
		r = num_parse(bytes_str(t[i].s), t[i].min, t[i].max, &v);
		assert_int_equal(r, t[i].err == 0 ? 0 : -1);
		assert_int_equal(errno, t[i].err);
		assert_true(v == (t[i].err == 0 ? t[i].want : 77));
	}
}

static void
test_signed_and_cut(void **state)
{
	struct bytes s = BYTES("123abc");
	int64_t v = 5;
	uint64_t u = 5;

	(void)state;
	assert_int_equal(num_parse_signed(BYTES("-9223372036854775808"),
	    INT64_MIN, INT64_MAX, &v), 0);
	assert_true(v == INT64_MIN);
	assert_int_equal(num_parse_signed(BYTES("9223372036854775807"),
	    INT64_MIN, INT64_MAX, &v), 0);
	assert_true(v == INT64_MAX);
	assert_int_equal(num_parse_signed(BYTES("9223372036854775808"),
	    INT64_MIN, INT64_MAX, &v), -1);
	assert_int_equal(num_parse_signed(BYTES("-9223372036854775809"),
	    INT64_MIN, INT64_MAX, &v), -1);
	assert_int_equal(num_parse_signed(BYTES("-6"), -5, 5, &v), -1);
	assert_int_equal(num_parse_signed(BYTES("-5"), -5, 5, &v), 0);
	assert_int_equal(num_parse_signed(BYTES("--5"), -5, 5, &v), -1);
	assert_int_equal(num_parse_signed(BYTES("-"), -5, 5, &v), -1);
	assert_int_equal(num_cut(&s, 122, &u), -1);
	assert_int_equal(errno, ERANGE);
	assert_text(s, "123abc");
	assert_int_equal(num_cut(&s, 123, &u), 0);
	assert_int_equal(u, 123);
	assert_text(s, "abc");
	assert_int_equal(num_cut(&s, 123, &u), -1);
	assert_int_equal(errno, EBADMSG);
}

static void
test_units(void **state)
{
	unsigned char out[8];
	uint64_t v = 0;

	(void)state;
	assert_int_equal(num_parse_size(BYTES("12"), 0, 99, &v), 0);
	assert_int_equal(v, 12);
	assert_int_equal(num_parse_size(BYTES("2K"), 0, 2048, &v), 0);
	assert_int_equal(v, 2048);
	assert_int_equal(num_parse_size(BYTES("2k"), 0, 2047, &v), -1);
	assert_int_equal(errno, ERANGE);
	assert_int_equal(num_parse_size(BYTES("3G"), 0, UINT64_MAX, &v), 0);
	assert_true(v == UINT64_C(3) << 30);
	assert_int_equal(num_parse_size(BYTES("99999999999G"), 0, UINT64_MAX,
	    &v), -1);
	assert_int_equal(num_parse_size(BYTES("M"), 0, 9, &v), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(num_parse_size(BYTES("1KM"), 0, 9, &v), -1);
	assert_int_equal(num_parse_duration(BYTES("90"), 0, 99, &v), 0);
	assert_int_equal(v, 90);
	assert_int_equal(num_parse_duration(BYTES("30s"), 0, 99, &v), 0);
	assert_int_equal(v, 30);
	assert_int_equal(num_parse_duration(BYTES("5m"), 0, 300, &v), 0);
	assert_int_equal(v, 300);
	assert_int_equal(num_parse_duration(BYTES("2h"), 0, 7200, &v), 0);
	assert_int_equal(num_parse_duration(BYTES("1d"), 0, 86400, &v), 0);
	assert_int_equal(num_parse_duration(BYTES("2w"), 0, 1209600, &v), 0);
	assert_int_equal(v, 1209600);
	assert_int_equal(num_parse_duration(BYTES("2w"), 0, 1209599, &v), -1);
	be64_put(out, UINT64_C(0x0102030405060708));
	assert_memory_equal(out, "\1\2\3\4\5\6\7\10", 8);
	assert_true(be64_get(out) == UINT64_C(0x0102030405060708));
	be32_put(out, 0xfffefdfc);
	assert_memory_equal(out, "\xff\xfe\xfd\xfc", 4);
	assert_true(be32_get(out) == 0xfffefdfc);
	assert_false(size_add(SIZE_MAX, 1, &(size_t){ 0 }));
	assert_false(size_mul(SIZE_MAX / 2 + 1, 2, &(size_t){ 0 }));
}

static void
test_exits(void **state)
{
	static const int perm[] = { EBADMSG, EMSGSIZE, EACCES, EINVAL, ERANGE };
	static const int temp[] = { EIO, ENOSPC, ENOMEM, EAGAIN, ETIMEDOUT,
	    EPROTO, ENOENT, 0, 99999 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(perm); i++)
		assert_int_equal(exit_for(perm[i]), EXIT_PERM);
	for (i = 0; i < COUNT(temp); i++)
		assert_int_equal(exit_for(temp[i]), EXIT_TEMP);
	assert_int_equal(exit_to_sysexits(0), 0);
	assert_int_equal(exit_to_sysexits(99), 0);
	assert_int_equal(exit_to_sysexits(100), 64);
	assert_int_equal(exit_to_sysexits(111), 75);
	assert_int_equal(exit_to_sysexits(42), 75);
	assert_int_equal(exit_from_sysexits(0), 0);
	assert_int_equal(exit_from_sysexits(64), 100);
	assert_int_equal(exit_from_sysexits(67), 100);
	assert_int_equal(exit_from_sysexits(75), 111);
	assert_int_equal(exit_from_sysexits(1), 111);
	assert_int_equal(exit_from_sysexits(255), 111);
}

static void
test_dirs(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("PIPEMAIL_VAR"), 0);
	assert_string_equal(dir_var(), VARDIR);
	assert_int_equal(setenv("PIPEMAIL_VAR", "", 1), 0);
	assert_string_equal(dir_var(), VARDIR);
	assert_int_equal(setenv("PIPEMAIL_VAR", "/elsewhere", 1), 0);
	assert_string_equal(dir_var(), "/elsewhere");
	assert_int_equal(setenv("PIPEMAIL_RUN", "/r", 1), 0);
	assert_string_equal(dir_run(), "/r");
	assert_int_equal(unsetenv("PIPEMAIL_ETC"), 0);
	assert_string_equal(dir_etc(), ETCDIR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "slices are cut within bounds", test_cut, NULL, NULL, NULL },
		{ "slices compare by bytes, ASCII case apart", test_compare,
		    NULL, NULL, NULL },
		{ "search finds first, last, any case", test_search,
		    NULL, NULL, NULL },
		{ "letters change their case, nothing else", test_blocks,
		    NULL, NULL, NULL },
		{ "words are found without case", test_casefind,
		    NULL, NULL, NULL },
		{ "lines, words, prefixes, white space", test_take_apart,
		    NULL, NULL, NULL },
		{ "arena memory is aligned and reusable", test_arena,
		    NULL, NULL, NULL },
		{ "buffer at its cap and one past it", test_buf_cap,
		    NULL, NULL, NULL },
		{ "buffer grows", test_buf_growth, NULL, NULL, NULL },
		{ "numbers at their bounds and past them", test_numbers,
		    NULL, NULL, NULL },
		{ "signed numbers, leading digits", test_signed_and_cut,
		    NULL, NULL, NULL },
		{ "sizes, durations, big-endian numbers", test_units,
		    NULL, NULL, NULL },
		{ "exit codes, sysexits both ways", test_exits,
		    NULL, NULL, NULL },
		{ "directories from the environment", test_dirs,
		    NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
