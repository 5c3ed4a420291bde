/*
 * unicode_test.c - UTF-8, normal forms, IDNA, PRECIS, charsets, UTF-7
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <errno.h>

#include "arena_check.h"
#include "unicode/unicode.h"
#include "vectors.h"

static void
test_utf8(void **state)
{
	static const struct {
		const char *s;
		bool valid;
	} table[] = {
		{ "", true }, { "abc", true }, { "\xc3\xa9", true },
		{ "\xef\xbf\xbf", true }, { "\xf0\x90\x80\x80", true },
		{ "\xf4\x8f\xbf\xbf", true }, { "\xf4\x90\x80\x80", false },
		{ "\xc0\xaf", false }, { "\xe0\x80\xaf", false },
		{ "\xed\xa0\x80", false }, { "\x80", false },
		{ "\xc3", false }, { "\xe2\x82", false }, { "\xff", false },
		{ "a\xc3(", false }, { "\xf0\x8f\xbf\xbf", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(unicode_valid_utf8(bytes_str(table[i].s)),
		    table[i].valid);
	assert_text(unicode_clean(&arena, BYTES("a\xff\xc3\xa9\xc3")),
	    "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd");
	assert_text(unicode_first(BYTES("a\xc3\xa9z"), 2), "a");
	assert_text(unicode_first(BYTES("a\xc3\xa9z"), 3), "a\xc3\xa9");
}

static void
test_code_points(void **state)
{
	static const uint32_t points[] = { 0, 0x7f, 0x80, 0x7ff, 0x800,
	    0xffff, 0x10000, 0x10ffff };
	struct buf b = BUF_INIT(100);
	struct bytes s;
	uint32_t c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		assert_int_equal(unicode_put(&b, points[i]), 0);
	s = buf_bytes(&b);
	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		assert_int_equal(unicode_next(&s, &c), 1);
		assert_int_equal(c, points[i]);
	}
	assert_int_equal(unicode_next(&s, &c), 0);
	buf_reset(&b);
	assert_int_equal(unicode_put(&b, 0xd800), 0);
	assert_int_equal(unicode_put(&b, 0x110000), 0);
	assert_text(buf_bytes(&b), "\xef\xbf\xbd\xef\xbf\xbd");
	s = BYTES("\xc3x");
	assert_int_equal(unicode_next(&s, &c), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(unicode_next(&s, &c), 1);
	assert_int_equal(c, 'x');
	buf_free(&b);
}

static void
test_normal_forms(void **state)
{
	struct bytes out;

	(void)state;
	assert_int_equal(unicode_nfc(&arena, BYTES("e\xcc\x81"), &out), 0);
	assert_text(out, "\xc3\xa9");
	assert_int_equal(unicode_nfc(&arena, BYTES("\xff"), &out), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(unicode_lower(&arena, BYTES("ABC\xc3\x89"), &out), 0);
	assert_text(out, "abc\xc3\xa9");
	assert_int_equal(unicode_lower(&arena, BYTES("XyZ"), &out), 0);
	assert_text(out, "xyz");
	assert_int_equal(unicode_lower(&arena, BYTES("E\xcc\x81"), &out), 0);
	assert_text(out, "\xc3\xa9");
	/* Full folding: sharp s is ss, in every writing. */
	assert_text(unicode_fold(&arena, BYTES("STRASSE")), "strasse");
	assert_text(unicode_fold(&arena, BYTES("Stra\xc3\x9f" "e")),
	    "strasse");
	/* Composed and decomposed fold to the same bytes. */
	out = unicode_fold(&arena, BYTES("\xc3\x89"));
	assert_true(bytes_eq(out, unicode_fold(&arena, BYTES("e\xcc\x81"))));
	assert_text(unicode_fold(&arena, BYTES("\xef\xbc\xa1")), "a");
	assert_text(unicode_fold(&arena, BYTES("A\xff")), "a\xef\xbf\xbd");
}

static void
test_mailbox_names(void **state)
{
	static const struct {
		const char *utf8;
		const char *utf7;
	} table[] = {
		{ "", "" }, { "INBOX", "INBOX" }, { "a&b", "a&-b" },
		{ "Entw\xc3\xbcrfe", "Entw&APw-rfe" },
		{ "\xe5\x8f\xb0\xe5\x8c\x97", "&U,BTFw-" },
		{ "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c"
		  "\xac\xe8\xaa\x9e", "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
		{ "\xf0\x9f\x98\x80", "&2D3eAA-" },
		{ "\xc3\xa4&", "&AOQ-&-" }, { "tab\t", "tab&AAk-" },
		{ "\xc3\xa4\xc3\xb6\xc3\xbc", "&AOQA9gD8-" },
	};
	struct bytes out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(imap_utf7_encode(&arena,
		    bytes_str(table[i].utf8), &out), 0);
		assert_text(out, table[i].utf7);
		assert_int_equal(imap_utf7_decode(&arena,
		    bytes_str(table[i].utf7), &out), 0);
		assert_text(out, table[i].utf8);
	}
	assert_int_equal(imap_utf7_encode(&arena, BYTES("\xff"), &out), -1);
	assert_int_equal(errno, EBADMSG);
}

static void
test_mailbox_names_strict(void **state)
{
	static const char *const bad[] = {
		"&", "&AOQ", "a&", "&AOQ&", "&AGE-", "&Jjo-&AOQ-", "&AOR-",
		"&A-", "&AOQA-", "\xc3\xa4", "a\tb", "a\x7f", "&2D0-",
		"&3gA-", "&AO Q-", "&AOQ=-", "&AOQ/-", "&2D3YPQ-",
	};
	struct bytes out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		if (imap_utf7_decode(&arena, bytes_str(bad[i]), &out) != -1)
			print_message("# accepted: %s\n", bad[i]);
		assert_int_equal(imap_utf7_decode(&arena, bytes_str(bad[i]),
		    &out), -1);
		assert_int_equal(errno, EBADMSG);
	}
}

static void
test_idna(void **state)
{
	static const struct {
		const char *in;
		const char *ascii;	/* NULL: refused */
		const char *text;
	} table[] = {
		{ "Example.ORG", "example.org", "example.org" },
		{ "example.org.", "example.org.", "example.org." },
		{ "M\xc3\xbcnchen.example", "xn--mnchen-3ya.example",
		  "m\xc3\xbcnchen.example" },
		{ "xn--mnchen-3ya.EXAMPLE", "xn--mnchen-3ya.example",
		  "m\xc3\xbcnchen.example" },
		{ "fa\xc3\x9f.de", "xn--fa-hia.de", "fa\xc3\x9f.de" },
		{ "\xe4\xbe\x8b\xe5\xad\x90\xe3\x80\x82\xe5\xb9\xbf\xe5\x91"
		  "\x8a", "xn--fsqu00a.xn--4rr70v",
		  "\xe4\xbe\x8b\xe5\xad\x90.\xe5\xb9\xbf\xe5\x91\x8a" },
		{ "ab--cd.example", "ab--cd.example", "ab--cd.example" },
		{ "_dmarc.example.org", "_dmarc.example.org",
		  "_dmarc.example.org" },
		{ "xn--a.example", NULL, NULL }, { "xn--.example", NULL, NULL },
		{ "", NULL, NULL }, { ".", NULL, NULL }, { "a..b", NULL, NULL },
		{ "\xff.example", NULL, NULL },
		{ "\xe2\x98\x83.example", NULL, NULL },
		{ "\xe2\x80\x8d.example", NULL, NULL },
		{ "\xe2\x89\xa0.example", NULL, NULL },
		{ "_dmarc.m\xc3\xbcnchen.example",
		  "_dmarc.xn--mnchen-3ya.example",
		  "_dmarc.m\xc3\xbcnchen.example" },
	};
	const char *why;
	struct bytes out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bytes in = bytes_str(table[i].in);

		why = NULL;
		if (table[i].ascii == NULL) {
			assert_int_equal(idna_to_ascii(&arena, in, &out,
			    &why), -1);
			assert_int_equal(errno, EBADMSG);
			assert_non_null(why);
			assert_int_equal(idna_to_unicode(&arena, in, &out,
			    NULL), -1);
			continue;
		}
		assert_int_equal(idna_to_ascii(&arena, in, &out, &why), 0);
		assert_text(out, table[i].ascii);
		assert_int_equal(idna_to_unicode(&arena, in, &out, &why), 0);
		assert_text(out, table[i].text);
	}
}

static void
test_idna_limits(void **state)
{
	char text[300];
	struct bytes out;
	size_t i;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(idna_to_ascii(&arena, bytes_of(text,
	    IDNA_LABEL_MAX), &out, NULL), 0);
	assert_int_equal(idna_to_ascii(&arena, bytes_of(text,
	    IDNA_LABEL_MAX + 1), &out, NULL), -1);
	for (i = 50; i < sizeof(text); i += 50)
		text[i] = '.';
	assert_int_equal(idna_to_ascii(&arena, bytes_of(text,
	    IDNA_DOMAIN_MAX), &out, NULL), 0);
	assert_int_equal(idna_to_ascii(&arena, bytes_of(text,
	    IDNA_DOMAIN_MAX + 1), &out, NULL), -1);
	/* A final dot does not count. */
	text[IDNA_DOMAIN_MAX] = '.';
	assert_int_equal(idna_to_ascii(&arena, bytes_of(text,
	    IDNA_DOMAIN_MAX + 1), &out, NULL), 0);
}

/* "\uXXXX" and "\x{XXXX}" of the data file. */
static struct bytes
unescape(struct bytes s)
{
	struct buf b = BUF_INIT(4096);
	struct bytes out;
	int c;

	while ((c = bytes_next(&s)) != -1) {
		uint32_t u = 0;
		int i;

		if (c == '\\' && bytes_skip(&s, BYTES("u"))) {
			for (i = 0; i < 4; i++)
				u = u << 4 |
				    (uint32_t)ascii_hex_value(bytes_next(&s));
			(void)unicode_put(&b, u);
		} else if (c == '\\' && bytes_skip(&s, BYTES("x{"))) {
			while ((c = bytes_next(&s)) != '}')
				u = u << 4 | (uint32_t)ascii_hex_value(c);
			(void)unicode_put(&b, u);
		} else {
			(void)buf_addc(&b, c);
		}
	}
	out = arena_bytes(&arena, buf_bytes(&b));
	buf_free(&b);
	return out;
}

struct idna_line {
	struct bytes column[5];
	struct bytes source;
	struct bytes ascii;
	bool is_error;
	bool is_excluded;		/* NV8, XV8: not IDNA2008 */
};

/* False: a comment, a transitional line, or one that cannot be UTF-8. */
static bool
read_idna_line(struct bytes line, struct idna_line *l)
{
	struct bytes text;
	size_t i;

	(void)bytes_split(&line, '#', &text);
	if (bytes_trim(text).n == 0)
		return false;
	for (i = 0; i < 5; i++) {
		(void)bytes_split(&text, ';', &l->column[i]);
		l->column[i] = bytes_trim(l->column[i]);
	}
	if (bytes_eq(l->column[0], BYTES("T")))
		return false;
	l->source = unescape(l->column[1]);
	l->ascii = l->column[3];
	if (l->ascii.n == 0)
		l->ascii = l->column[2];
	if (l->ascii.n == 0)
		l->ascii = l->column[1];
	l->is_error = bytes_at(l->ascii, 0) == '[';
	l->ascii = unescape(l->ascii);
	l->is_excluded = l->column[4].n > 0;
	return unicode_valid_utf8(l->source);
}

static void
test_idna_vectors(void **state)
{
	size_t right = 0, refused = 0, accepted = 0, wrong = 0, excluded = 0;
	struct idna_line l;
	struct bytes data, line, out;

	(void)state;
	if (!vectors_read(&arena, "idna/IdnaTest-subset.txt", &data))
		return;
	while (bytes_line(&data, &line)) {
		int r;

		if (!read_idna_line(line, &l))
			continue;
		r = idna_to_ascii(&arena, l.source, &out, NULL);
		if (l.is_excluded)
			excluded += r == -1;
		else if (l.is_error)
			*(r == -1 ? &right : &accepted) += 1;
		else if (r == 0 && bytes_eq(out, l.ascii))
			right++;
		else if (r == 0)
			wrong++;
		else
			refused++;
	}
	print_message("# IDNA: %zu right, %zu wrong, %zu refused, %zu "
	    "accepted too much, %zu refused as not IDNA2008\n", right, wrong,
	    refused, accepted, excluded);
	assert_true(right >= 900);
	assert_int_equal(wrong, 0);
	assert_true(refused <= 20);
	assert_true(accepted <= 40);
}

static void
test_passwords(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} table[] = {
		{ "correct horse", "correct horse" },
		{ "a\xc2\xa0" "b", "a b" }, { "e\xcc\x81", "\xc3\xa9" },
		{ "\xe2\x99\xa5", "\xe2\x99\xa5" }, { "l\xc2\xb7l",
		  "l\xc2\xb7l" },
		{ "", NULL }, { "a\tb", NULL }, { "a\x7f", NULL },
		{ "\xff", NULL }, { "a\xc2\xb7" "b", NULL },
		{ "\xe2\x80\x8d", NULL }, { "\xc2\xad", NULL },
		{ "\xe1\x84\x80", NULL }, { "\xee\x80\x80", NULL },
	};
	const char *why;
	struct bytes out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int r = precis_opaque_string(&arena, bytes_str(table[i].in),
		    &out, &why);

		if (table[i].out == NULL) {
			assert_int_equal(r, -1);
			assert_int_equal(errno, EBADMSG);
			continue;
		}
		assert_int_equal(r, 0);
		assert_text(out, table[i].out);
	}
}

static void
test_password_limits(void **state)
{
	unsigned char *p = arena_zalloc(&arena, 1025, 1);
	struct bytes out;

	(void)state;
	memset(p, 'x', 1025);
	assert_int_equal(precis_opaque_string(&arena, bytes_of(p, 1024), &out,
	    NULL), 0);
	assert_int_equal(precis_opaque_string(&arena, bytes_of(p, 1025), &out,
	    NULL), -1);
}

static void
test_precis_vectors(void **state)
{
	struct bytes data, out;
	const struct json *v;
	size_t right = 0, wrong = 0;

	(void)state;
	if (!vectors_read(&arena, "precis/golden.json", &data))
		return;
	for (v = json_parse(&arena, data, false)->children; v != NULL;
	    v = v->next) {
		const struct json *in = json_get(v, "input");
		const struct json *want = json_get(v, "output");
		int r;

		if (!bytes_eq(json_text(v, "profile"),
		    BYTES("OpaqueString")) || in->is_bad)
			continue;
		r = precis_opaque_string(&arena, in->text, &out, NULL);
		if (want->type == JSON_NULL ? r == -1
		    : r == 0 && bytes_eq(out, want->text)) {
			right++;
			continue;
		}
		wrong++;
		print_message("# OpaqueString differs on \"%.*s\"\n",
		    BYTES_ARG(in->text));
	}
	print_message("# OpaqueString: %zu right, %zu wrong\n", right, wrong);
	assert_true(right > 0);
	assert_int_equal(wrong, 0);
}

static void
test_charsets(void **state)
{
	static const struct {
		const char *charset;
		const char *in;
		const char *out;
		unsigned int flags;
	} table[] = {
		{ "utf-8", "\xc3\xa9", "\xc3\xa9", 0 },
		{ "UTF8", "a\xff", "a\xef\xbf\xbd", UNICODE_BAD_BYTES },
		{ "us-ascii", "abc", "abc", 0 },
		{ "us-ascii", "\xc3\xa9", "\xc3\xa9", UNICODE_BAD_BYTES },
		{ "us-ascii", "\xe9", "\xc3\xa9", UNICODE_BAD_BYTES },
		{ "", "\x93x\x94", "\xe2\x80\x9cx\xe2\x80\x9d",
		  UNICODE_BAD_BYTES },
		{ "ISO-8859-1", "\xe9\x80", "\xc3\xa9\xe2\x82\xac", 0 },
		{ "windows-1252", "\x81", "\xef\xbf\xbd", UNICODE_BAD_BYTES },
		{ "iso-8859-15", "\xa4", "\xe2\x82\xac", 0 },
		{ "ISO_8859-2:1987", "\xb1", "\xc4\x85", 0 },
		{ "iso8859-15", "\xa4", "\xe2\x82\xac", 0 },
		{ "koi8-r", "\xf0\xf2", "\xd0\x9f\xd0\xa0", 0 },
		{ "windows-1251", "\xcf\xf0", "\xd0\x9f\xd1\x80", 0 },
		{ "iso-2022-jp", "\x1b$B$\"\x1b(B", "\xe3\x81\x82", 0 },
		{ "shift_jis", "\x82\xa0", "\xe3\x81\x82", 0 },
		{ "gb2312", "\xc4\xe3", "\xe4\xbd\xa0", 0 },
		{ "big5", "\xa7\x41", "\xe4\xbd\xa0", 0 },
		{ "ks_c_5601-1987", "\xb0\xa1", "\xea\xb0\x80", 0 },
		{ "utf-7", "a+AOk-", "a\xc3\xa9", 0 },
		{ "x-unheard-of", "\xc3\xa9", "\xc3\xa9",
		  UNICODE_BAD_CHARSET | UNICODE_BAD_BYTES },
		{ "x-unheard-of", "\xe9", "\xc3\xa9",
		  UNICODE_BAD_CHARSET | UNICODE_BAD_BYTES },
		{ "utf-8//IGNORE", "a", "a", UNICODE_BAD_CHARSET },
		{ "big5", "a\xff" "b", "a\xef\xbf\xbd" "b",
		  UNICODE_BAD_BYTES },
		{ "iso-2022-jp", "\x1b$B$", "\xef\xbf\xbd",
		  UNICODE_BAD_BYTES },
	};
	struct bytes out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		unsigned int flags = unicode_from_charset(&arena,
		    bytes_str(table[i].charset), bytes_str(table[i].in), 1000,
		    &out);

		if (flags != table[i].flags)
			print_message("# %s: flags %u\n", table[i].charset,
			    flags);
		assert_text(out, table[i].out);
		assert_int_equal(flags, table[i].flags);
	}
}

static void
test_wide_charsets(void **state)
{
	struct bytes out;

	(void)state;
	assert_int_equal(unicode_from_charset(&arena, BYTES("utf-16"),
	    BYTES("\0a\0b"), 100, &out), 0);
	assert_text(out, "ab");
	assert_int_equal(unicode_from_charset(&arena, BYTES("utf-16"),
	    BYTES("\xff\xfe" "a\0b\0"), 100, &out), 0);
	assert_text(out, "ab");
	/* A lone surrogate goes, what follows stays in step. */
	assert_int_equal(unicode_from_charset(&arena, BYTES("utf-16be"),
	    BYTES("\xdc\0\0b"), 100, &out), UNICODE_BAD_BYTES);
	assert_text(out, "\xef\xbf\xbd" "b");
}

static void
test_charset_limit(void **state)
{
	struct bytes out;

	(void)state;
	assert_int_equal(unicode_from_charset(&arena, BYTES("iso-8859-1"),
	    BYTES("\xe9\xe9"), 4, &out), 0);
	assert_int_equal(out.n, 4);
	assert_int_equal(unicode_from_charset(&arena, BYTES("iso-8859-1"),
	    BYTES("\xe9\xe9"), 3, &out), UNICODE_CUT);
	assert_text(out, "\xc3\xa9");
	assert_int_equal(unicode_from_charset(&arena, BYTES("koi8-r"),
	    BYTES("\xf0\xf2"), 3, &out), UNICODE_CUT);
	assert_text(out, "\xd0\x9f");
	assert_int_equal(unicode_from_charset(&arena, BYTES("utf-8"),
	    BYTES("abcd"), 3, &out), UNICODE_CUT);
	assert_text(out, "abc");
	assert_true(unicode_charset_known(BYTES("KOI8-R")));
	assert_true(unicode_charset_known(BYTES("us-ascii")));
	assert_false(unicode_charset_known(BYTES("x-unheard-of")));
	assert_false(unicode_charset_known(BYTES("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T("UTF-8 is checked", test_utf8),
		T("code points there and back", test_code_points),
		T("N-2 normal forms and case", test_normal_forms),
		T("I-16 mailbox names in modified UTF-7", test_mailbox_names),
		T("I-16 one encoding per mailbox name",
		    test_mailbox_names_strict),
		T("N-1 domain names to A-labels and U-labels", test_idna),
		T("N-1 limits of domain names", test_idna_limits),
		T("N-1 IDNA vectors", test_idna_vectors),
		T("N-3 passwords as OpaqueString", test_passwords),
		T("N-3 limit of passwords", test_password_limits),
		T("N-3 PRECIS vectors", test_precis_vectors),
		T("N-6 charsets of mail", test_charsets),
		T("N-6 UTF-16", test_wide_charsets),
		T("N-6 limit of converted text", test_charset_limit),
	};
	int r;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return r;
}
