/*
 * charset.c - the charsets of mail as UTF-8, by iconv
 *
 * Only charsets of the table below reach iconv: the C library loads a module
 * per charset, and rare ones have been a way in. UTF-8, ASCII, Latin 1 and
 * windows-1252, nine tenths of all mail, are converted here without it.
 */
#include "unicode/unicode.h"

#include <errno.h>
#include <iconv.h>

#include "unicode/internal.h"

/* Names in mail, lower case, and iconv's name for them. */
static const struct charset {
	const char *name;
	const char *iconv_name;
} charsets[] = {
	{ "big5", "BIG5-HKSCS" }, { "big5-hkscs", "BIG5-HKSCS" },
	{ "cn-big5", "BIG5-HKSCS" }, { "x-x-big5", "BIG5-HKSCS" },
	{ "cn-gb", "GB18030" }, { "gb18030", "GB18030" },
	{ "gb2312", "GB18030" }, { "gb_2312-80", "GB18030" },
	{ "gbk", "GB18030" }, { "x-gbk", "GB18030" }, { "cp936", "GB18030" },
	{ "windows-936", "GB18030" }, { "euc-cn", "GB18030" },
	{ "chinese", "GB18030" }, { "hz-gb-2312", "HZ" },
	{ "iso-2022-cn", "ISO-2022-CN" },
	{ "euc-jp", "EUC-JP-MS" }, { "x-euc-jp", "EUC-JP-MS" },
	{ "eucjp", "EUC-JP-MS" }, { "iso-2022-jp", "ISO-2022-JP" },
	{ "iso-2022-jp-1", "ISO-2022-JP" },
	{ "iso-2022-jp-2", "ISO-2022-JP-2" },
	{ "iso-2022-jp-3", "ISO-2022-JP-3" }, { "csiso2022jp", "ISO-2022-JP" },
	{ "cp50220", "ISO-2022-JP" }, { "cp50221", "ISO-2022-JP" },
	{ "cp932", "CP932" }, { "windows-31j", "CP932" },
	{ "ms_kanji", "CP932" }, { "shift_jis", "CP932" },
	{ "shift-jis", "CP932" }, { "sjis", "CP932" }, { "x-sjis", "CP932" },
	{ "cp949", "CP949" }, { "euc-kr", "CP949" }, { "euckr", "CP949" },
	{ "ks_c_5601-1987", "CP949" }, { "ks_c_5601", "CP949" },
	{ "ksc5601", "CP949" }, { "ksc_5601", "CP949" },
	{ "korean", "CP949" }, { "windows-949", "CP949" },
	{ "x-windows-949", "CP949" }, { "iso-2022-kr", "ISO-2022-KR" },
	{ "johab", "JOHAB" }, { "euc-tw", "EUC-TW" },
	{ "tis-620", "CP874" }, { "windows-874", "CP874" },
	{ "cp874", "CP874" }, { "iso-8859-11", "ISO-8859-11" },
	{ "viscii", "VISCII" }, { "tcvn", "TCVN" },
	{ "armscii-8", "ARMSCII-8" }, { "georgian-ps", "GEORGIAN-PS" },
	{ "koi8-r", "KOI8-R" }, { "koi8r", "KOI8-R" }, { "koi8", "KOI8-R" },
	{ "koi8-u", "KOI8-U" }, { "koi8-ru", "KOI8-U" }, { "koi8-t", "KOI8-T" },
	{ "iso-8859-2", "ISO-8859-2" }, { "iso-8859-3", "ISO-8859-3" },
	{ "iso-8859-4", "ISO-8859-4" }, { "iso-8859-5", "ISO-8859-5" },
	{ "iso-8859-6", "ISO-8859-6" }, { "iso-8859-6-e", "ISO-8859-6" },
	{ "iso-8859-6-i", "ISO-8859-6" }, { "iso-8859-7", "ISO-8859-7" },
	{ "iso-8859-8", "ISO-8859-8" }, { "iso-8859-8-e", "ISO-8859-8" },
	{ "iso-8859-8-i", "ISO-8859-8" }, { "iso-8859-9", "ISO-8859-9" },
	{ "iso-8859-10", "ISO-8859-10" }, { "iso-8859-13", "ISO-8859-13" },
	{ "iso-8859-14", "ISO-8859-14" }, { "iso-8859-15", "ISO-8859-15" },
	{ "iso-8859-16", "ISO-8859-16" }, { "latin2", "ISO-8859-2" },
	{ "latin-2", "ISO-8859-2" }, { "latin5", "ISO-8859-9" },
	{ "latin9", "ISO-8859-15" }, { "latin-9", "ISO-8859-15" },
	{ "windows-1250", "CP1250" }, { "cp1250", "CP1250" },
	{ "windows-1251", "CP1251" }, { "cp1251", "CP1251" },
	{ "windows-1253", "CP1253" }, { "cp1253", "CP1253" },
	{ "windows-1254", "CP1254" }, { "cp1254", "CP1254" },
	{ "windows-1255", "CP1255" }, { "cp1255", "CP1255" },
	{ "windows-1256", "CP1256" }, { "cp1256", "CP1256" },
	{ "windows-1257", "CP1257" }, { "cp1257", "CP1257" },
	{ "windows-1258", "CP1258" }, { "cp1258", "CP1258" },
	{ "cp437", "CP437" }, { "ibm437", "CP437" }, { "cp850", "CP850" },
	{ "ibm850", "CP850" }, { "cp852", "CP852" }, { "ibm852", "CP852" },
	{ "cp855", "CP855" }, { "ibm855", "CP855" }, { "cp857", "CP857" },
	{ "ibm857", "CP857" }, { "cp862", "CP862" }, { "ibm862", "CP862" },
	{ "cp866", "CP866" }, { "ibm866", "CP866" },
	{ "macintosh", "MACINTOSH" }, { "x-mac-roman", "MACINTOSH" },
	{ "mac", "MACINTOSH" }, { "x-mac-cyrillic", "MAC-CYRILLIC" },
	{ "x-mac-ce", "MAC-CENTRALEUROPE" },
	{ "hp-roman8", "HP-ROMAN8" }, { "nextstep", "NEXTSTEP" },
	{ "utf-7", "UTF-7" }, { "utf7", "UTF-7" },
	{ "unicode-1-1-utf-7", "UTF-7" }, { "x-unicode-1-1-utf-7", "UTF-7" },
	{ "utf-16", "UTF-16" }, { "utf-16be", "UTF-16BE" },
	{ "utf-16le", "UTF-16LE" }, { "unicode", "UTF-16" },
	{ "ucs-2", "UTF-16" }, { "iso-10646-ucs-2", "UTF-16BE" },
	{ "utf-32", "UTF-32" }, { "utf-32be", "UTF-32BE" },
	{ "utf-32le", "UTF-32LE" },
};

static const char *const utf8_names[] = { "utf-8", "utf8", "x-utf-8",
	"x-utf8", "unicode-1-1-utf-8", "utf-8-mac", "utf8mb4", "cp65001",
	"windows-65001" };
static const char *const ascii_names[] = { "us-ascii", "ascii", "usascii",
	"ansi_x3.4-1968", "ansi_x3.4-1986", "iso646-us", "iso-646-us",
	"iso_646.irv:1991", "646", "us", "7bit" };
static const char *const latin_names[] = { "iso-8859-1", "iso8859-1",
	"iso_8859-1", "iso-8859-1-windows-3.1-latin-1", "8859-1", "latin1",
	"latin-1", "l1", "windows-1252", "cp1252", "cp-1252", "win-1252",
	"x-ansi", "ansi", "cp819", "ibm819" };

static bool
listed(const char *const *names, size_t n, struct bytes name)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (bytes_caseeq(name, bytes_str(names[i])))
			return true;
	}
	return false;
}

#define LISTED(names, name) \
	listed((names), sizeof(names) / sizeof((names)[0]), (name))

enum method { BY_GUESS, BY_UTF8, BY_ASCII, BY_LATIN, BY_ICONV };

/* Longest name in use is below; the rest is no charset. */
#define CHARSET_NAME_MAX 64

static enum method
find_method(struct arena *a, struct bytes name, const char **iconv_name)
{
	size_t i;

	if (name.n == 0 || name.n > CHARSET_NAME_MAX)
		return BY_GUESS;
	if (LISTED(utf8_names, name))
		return BY_UTF8;
	if (LISTED(ascii_names, name))
		return BY_ASCII;
	/* "iso8859-15", "iso_8859-2", "iso-8859_2", "iso8859_9". */
	if (bytes_casestarts(name, BYTES("iso")) && name.n > 8) {
		unsigned char *p;
		size_t at;

		if (bytes_find(name, BYTES("8859"), &at) && at <= 4 &&
		    name.n > at + 5) {
			struct bytes rest = bytes_from(name, at + 5);
			struct bytes iso = BYTES("iso-8859-");
			size_t colon;

			if (bytes_chr(rest, ':', &colon))
				rest = bytes_first(rest, colon);
			p = arena_alloc(a, iso.n + rest.n);
			memcpy(p, iso.p, iso.n);
			memcpy(p + iso.n, rest.p, rest.n);
			name = bytes_of(p, iso.n + rest.n);
		}
	}
	if (bytes_casestarts(name, BYTES("x-cp125")))
		name = bytes_from(name, 2);
	if (LISTED(latin_names, name))
		return BY_LATIN;
	for (i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
		if (bytes_caseeq(name, bytes_str(charsets[i].name))) {
			*iconv_name = charsets[i].iconv_name;
			return BY_ICONV;
		}
	}
	return BY_GUESS;
}

/* windows-1252 where it differs from Latin 1: 0x80 to 0x9f. */
static const uint16_t windows_1252[32] = {
	0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
	0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

static unsigned int
add_latin(struct buf *b, struct bytes s)
{
	unsigned int flags = 0;
	int c;

	while (!b->full && (c = bytes_next(&s)) != -1) {
		uint32_t u = c >= 0x80 && c <= 0x9f ? windows_1252[c - 0x80]
		    : (uint32_t)c;

		if (u == REPLACEMENT)
			flags |= UNICODE_BAD_BYTES;
		(void)unicode_put(b, u);	/* b->full tells */
	}
	return flags;
}

static unsigned int
add_utf8(struct buf *b, struct bytes s)
{
	unsigned int flags = 0;
	uint32_t c;
	int r;

	while (!b->full && (r = unicode_next(&s, &c)) != 0) {
		if (r == -1) {
			flags |= UNICODE_BAD_BYTES;
			c = REPLACEMENT;
		}
		(void)unicode_put(b, c);	/* b->full tells */
	}
	return flags;
}

/* Bytes of a unit: how far to go on after what cannot be converted. */
static size_t
unit_size(const char *name)
{
	if (strncmp(name, "UTF-16", 6) == 0)
		return 2;
	return strncmp(name, "UTF-32", 6) == 0 ? 4 : 1;
}

/* RFC 2781 4.3: big-endian unless a mark says otherwise. */
static const char *
settle_order(const char *name, struct bytes *s)
{
	if (strcmp(name, "UTF-16") == 0) {
		if (bytes_skip(s, BYTES("\xff\xfe")))
			return "UTF-16LE";
		(void)bytes_skip(s, BYTES("\xfe\xff"));	/* or no mark */
		return "UTF-16BE";
	}
	if (strcmp(name, "UTF-32") == 0) {
		if (bytes_skip(s, BYTES("\xff\xfe\0\0")))
			return "UTF-32LE";
		(void)bytes_skip(s, BYTES("\0\0\xfe\xff"));
		return "UTF-32BE";
	}
	return name;
}

static int
add_iconv(struct buf *b, const char *name, struct bytes s,
    unsigned int *flags)
{
	/* iconv does not write to its input, it only lacks the const. */
	char *in, chunk[4096];
	size_t left, skip = unit_size(name);
	iconv_t cd;

	name = settle_order(name, &s);
	cd = iconv_open("UTF-8", name);
	if (cd == (iconv_t)-1)
		return -1;
	in = (char *)(uintptr_t)s.p;
	left = s.n;
	while (left > 0 && !b->full) {
		char *out = chunk;
		size_t room = sizeof(chunk), r;

		r = iconv(cd, &in, &left, &out, &room);
		/* The C library's UTF-16 lets lone surrogates through. */
		*flags |= add_utf8(b, bytes_of(chunk, sizeof(chunk) - room));
		if (r != (size_t)-1 || errno == E2BIG)
			continue;
		*flags |= UNICODE_BAD_BYTES;
		(void)unicode_put(b, REPLACEMENT);
		if (skip > left)
			skip = left;
		in += skip;
		left -= skip;
	}
	(void)iconv_close(cd);		/* frees only */
	return 0;
}

unsigned int
unicode_from_charset(struct arena *a, struct bytes charset, struct bytes s,
    size_t limit, struct bytes *out)
{
	const char *iconv_name = NULL;
	enum method how = find_method(a, bytes_trim(charset), &iconv_name);
	struct buf b = BUF_INIT(limit);
	unsigned int flags = 0;

	if (how == BY_GUESS && charset.n > 0)
		flags |= UNICODE_BAD_CHARSET;
	if (how == BY_ICONV &&
	    add_iconv(&b, iconv_name, s, &flags) == -1) {
		flags |= UNICODE_BAD_CHARSET;
		how = BY_GUESS;
	}
	if (how == BY_GUESS || how == BY_ASCII) {
		if (!bytes_is_ascii(s))
			flags |= UNICODE_BAD_BYTES;
		how = unicode_valid_utf8(s) ? BY_UTF8 : BY_LATIN;
	}
	if (how != BY_ICONV && (bytes_is_ascii(s) ||
	    (how == BY_UTF8 && s.n <= limit && unicode_valid_utf8(s)))) {
		*out = bytes_first(s, limit);
		return s.n > limit ? flags | UNICODE_CUT : flags;
	}
	if (how == BY_UTF8)
		flags |= add_utf8(&b, s);
	else if (how == BY_LATIN)
		flags |= add_latin(&b, s);
	if (b.full)
		flags |= UNICODE_CUT;
	*out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return flags;
}

bool
unicode_charset_known(struct bytes charset)
{
	struct arena a = ARENA_INIT;
	const char *name = NULL;
	enum method how = find_method(&a, charset, &name);
	iconv_t cd;

	arena_free(&a);
	if (how != BY_ICONV)
		return how != BY_GUESS;
	cd = iconv_open("UTF-8", name);
	if (cd == (iconv_t)-1)
		return false;
	(void)iconv_close(cd);		/* frees only */
	return true;
}
