/*
 * names.c - character references (WHATWG HTML 13.2.5.72, 13.5): those with
 * numbers and, of two thousand names, the ones that mail has
 */
#include "html/internal.h"

#include <stdlib.h>

#include "unicode/unicode.h"

/* The longest name here, and of digits more than any number needs. */
#define REFERENCE_MAX 16

struct name {
	const char *name;
	uint32_t code_point;
	bool bare;		/* also without ";" */
};

/* In byte order. */
static const struct name names[] = {
	{ "AElig", 0xc6, true }, { "AMP", 0x26, true },
	{ "Aacute", 0xc1, true }, { "Acirc", 0xc2, true },
	{ "Agrave", 0xc0, true }, { "Aring", 0xc5, true },
	{ "Atilde", 0xc3, true }, { "Auml", 0xc4, true },
	{ "COPY", 0xa9, true }, { "Ccedil", 0xc7, true },
	{ "Dagger", 0x2021, false }, { "Delta", 0x394, false },
	{ "ETH", 0xd0, true }, { "Eacute", 0xc9, true },
	{ "Ecirc", 0xca, true }, { "Egrave", 0xc8, true },
	{ "Euml", 0xcb, true }, { "GT", 0x3e, true },
	{ "Iacute", 0xcd, true }, { "Icirc", 0xce, true },
	{ "Igrave", 0xcc, true }, { "Iuml", 0xcf, true },
	{ "LT", 0x3c, true }, { "NewLine", 0xa, false },
	{ "Ntilde", 0xd1, true }, { "OElig", 0x152, false },
	{ "Oacute", 0xd3, true }, { "Ocirc", 0xd4, true },
	{ "Ograve", 0xd2, true }, { "Omega", 0x3a9, false },
	{ "Oslash", 0xd8, true }, { "Otilde", 0xd5, true },
	{ "Ouml", 0xd6, true }, { "Prime", 0x2033, false },
	{ "QUOT", 0x22, true }, { "REG", 0xae, true },
	{ "Scaron", 0x160, false }, { "Sigma", 0x3a3, false },
	{ "THORN", 0xde, true }, { "Tab", 0x9, false },
	{ "Uacute", 0xda, true }, { "Ucirc", 0xdb, true },
	{ "Ugrave", 0xd9, true }, { "Uuml", 0xdc, true },
	{ "Yacute", 0xdd, true }, { "Yuml", 0x178, false },
	{ "ZeroWidthSpace", 0x200b, false }, { "aacute", 0xe1, true },
	{ "acirc", 0xe2, true }, { "acute", 0xb4, true },
	{ "aelig", 0xe6, true }, { "agrave", 0xe0, true },
	{ "alpha", 0x3b1, false }, { "amp", 0x26, true },
	{ "apos", 0x27, false }, { "aring", 0xe5, true },
	{ "ast", 0x2a, false }, { "atilde", 0xe3, true },
	{ "auml", 0xe4, true }, { "bdquo", 0x201e, false },
	{ "beta", 0x3b2, false }, { "brvbar", 0xa6, true },
	{ "bsol", 0x5c, false }, { "bull", 0x2022, false },
	{ "ccedil", 0xe7, true }, { "cedil", 0xb8, true },
	{ "cent", 0xa2, true }, { "circ", 0x2c6, false },
	{ "clubs", 0x2663, false }, { "colon", 0x3a, false },
	{ "comma", 0x2c, false }, { "commat", 0x40, false },
	{ "copy", 0xa9, true }, { "curren", 0xa4, true },
	{ "dagger", 0x2020, false }, { "darr", 0x2193, false },
	{ "deg", 0xb0, true }, { "delta", 0x3b4, false },
	{ "diams", 0x2666, false }, { "divide", 0xf7, true },
	{ "dollar", 0x24, false }, { "eacute", 0xe9, true },
	{ "ecirc", 0xea, true }, { "egrave", 0xe8, true },
	{ "emsp", 0x2003, false }, { "ensp", 0x2002, false },
	{ "epsilon", 0x3b5, false }, { "equals", 0x3d, false },
	{ "eth", 0xf0, true }, { "euml", 0xeb, true },
	{ "euro", 0x20ac, false }, { "excl", 0x21, false },
	{ "fnof", 0x192, false }, { "frac12", 0xbd, true },
	{ "frac14", 0xbc, true }, { "frac34", 0xbe, true },
	{ "frasl", 0x2044, false }, { "gamma", 0x3b3, false },
	{ "ge", 0x2265, false }, { "gt", 0x3e, true },
	{ "harr", 0x2194, false }, { "hearts", 0x2665, false },
	{ "hellip", 0x2026, false }, { "hyphen", 0x2010, false },
	{ "iacute", 0xed, true }, { "icirc", 0xee, true },
	{ "iexcl", 0xa1, true }, { "igrave", 0xec, true },
	{ "image", 0x2111, false }, { "infin", 0x221e, false },
	{ "iquest", 0xbf, true }, { "iuml", 0xef, true },
	{ "lambda", 0x3bb, false }, { "laquo", 0xab, true },
	{ "larr", 0x2190, false }, { "ldquo", 0x201c, false },
	{ "le", 0x2264, false }, { "lowbar", 0x5f, false },
	{ "lpar", 0x28, false }, { "lrm", 0x200e, false },
	{ "lsaquo", 0x2039, false }, { "lsquo", 0x2018, false },
	{ "lt", 0x3c, true }, { "macr", 0xaf, true },
	{ "mdash", 0x2014, false }, { "micro", 0xb5, true },
	{ "middot", 0xb7, true }, { "minus", 0x2212, false },
	{ "mu", 0x3bc, false }, { "nbsp", 0xa0, true },
	{ "ndash", 0x2013, false }, { "ne", 0x2260, false },
	{ "not", 0xac, true }, { "ntilde", 0xf1, true },
	{ "num", 0x23, false }, { "oacute", 0xf3, true },
	{ "ocirc", 0xf4, true }, { "oelig", 0x153, false },
	{ "ograve", 0xf2, true }, { "oline", 0x203e, false },
	{ "omega", 0x3c9, false }, { "ordf", 0xaa, true },
	{ "ordm", 0xba, true }, { "oslash", 0xf8, true },
	{ "otilde", 0xf5, true }, { "ouml", 0xf6, true },
	{ "para", 0xb6, true }, { "percnt", 0x25, false },
	{ "period", 0x2e, false }, { "permil", 0x2030, false },
	{ "phi", 0x3c6, false }, { "pi", 0x3c0, false },
	{ "plus", 0x2b, false }, { "plusmn", 0xb1, true },
	{ "pound", 0xa3, true }, { "prime", 0x2032, false },
	{ "prod", 0x220f, false }, { "quest", 0x3f, false },
	{ "quot", 0x22, true }, { "radic", 0x221a, false },
	{ "raquo", 0xbb, true }, { "rarr", 0x2192, false },
	{ "rdquo", 0x201d, false }, { "reg", 0xae, true },
	{ "rlm", 0x200f, false }, { "rpar", 0x29, false },
	{ "rsaquo", 0x203a, false }, { "rsquo", 0x2019, false },
	{ "sbquo", 0x201a, false }, { "scaron", 0x161, false },
	{ "sect", 0xa7, true }, { "semi", 0x3b, false },
	{ "shy", 0xad, true }, { "sigma", 0x3c3, false },
	{ "sol", 0x2f, false }, { "spades", 0x2660, false },
	{ "sum", 0x2211, false }, { "sup1", 0xb9, true },
	{ "sup2", 0xb2, true }, { "sup3", 0xb3, true },
	{ "szlig", 0xdf, true }, { "tau", 0x3c4, false },
	{ "thinsp", 0x2009, false }, { "thorn", 0xfe, true },
	{ "tilde", 0x2dc, false }, { "times", 0xd7, true },
	{ "trade", 0x2122, false }, { "uacute", 0xfa, true },
	{ "uarr", 0x2191, false }, { "ucirc", 0xfb, true },
	{ "ugrave", 0xf9, true }, { "uml", 0xa8, true },
	{ "uuml", 0xfc, true }, { "yacute", 0xfd, true },
	{ "yen", 0xa5, true }, { "yuml", 0xff, true },
	{ "zwj", 0x200d, false }, { "zwnj", 0x200c, false },
};

/* What the numbers 0x80 to 0x9f mean; 0: themselves. */
static const uint32_t c1[32] = {
	0x20ac, 0, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,
	0x2030, 0x160, 0x2039, 0x152, 0, 0x17d, 0, 0, 0x2018, 0x2019, 0x201c,
	0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153,
	0, 0x17e, 0x178,
};

static int
compare(const void *key, const void *entry)
{
	const struct bytes *a = key;
	const struct name *b = entry;

	return bytes_cmp(*a, bytes_str(b->name));
}

/* A number after "&#"; digits past the greatest code point are read over. */
static size_t
read_number(struct bytes s, uint32_t *code_point)
{
	bool hex = bytes_at(s, 2) == 'x' || bytes_at(s, 2) == 'X';
	size_t i = hex ? 3 : 2, from = i;
	uint32_t n = 0;
	int v;

	for (; (v = ascii_hex_value(bytes_at(s, i))) != -1; i++) {
		if (!hex && v > 9)
			break;
		if (n <= 0x10ffff)
			n = n * (hex ? 16 : 10) + (uint32_t)v;
	}
	if (i == from)
		return 0;
	if (n >= 0x80 && n < 0xa0 && c1[n - 0x80] != 0)
		n = c1[n - 0x80];
	if (n == 0 || n > 0x10ffff)
		n = 0xfffd;
	*code_point = n;
	return i + (bytes_at(s, i) == ';');
}

size_t
html_reference(struct bytes s, uint32_t *code_point)
{
	const struct name *found;
	struct bytes name;
	size_t n = 1;

	if (bytes_at(s, 1) == '#')
		return read_number(s, code_point);
	while (n <= REFERENCE_MAX && ascii_is_alnum(bytes_at(s, n)))
		n++;
	name = bytes_of(s.p + 1, n - 1);
	found = bsearch(&name, names, sizeof(names) / sizeof(names[0]),
	    sizeof(names[0]), compare);
	if (found == NULL || (bytes_at(s, n) != ';' && !found->bare))
		return 0;
	*code_point = found->code_point;
	return n + (bytes_at(s, n) == ';');
}

int
html_decode(struct buf *out, struct bytes text)
{
	uint32_t code_point;
	size_t at, n;

	while (bytes_chr(text, '&', &at)) {
		if (buf_add(out, bytes_first(text, at)) == -1)
			return -1;
		text = bytes_from(text, at);
		n = html_reference(text, &code_point);
		if (n == 0 ? buf_addc(out, '&') == -1
		    : unicode_put(out, code_point) == -1)
			return -1;
		text = bytes_from(text, n == 0 ? 1 : n);
	}
	return buf_add(out, text);
}
