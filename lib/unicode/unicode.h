/*
 * unicode.h - UTF-8, normal forms, case, IDNA, PRECIS, charsets
 *
 * The one module that includes libunistring, libidn2 and iconv. Every result
 * lives in the arena given, or is the input itself where nothing changed: it
 * holds as long as both.
 */
#ifndef UNICODE_H
#define UNICODE_H

#include "base/base.h"

/* ---- UTF-8 ---- */

/* Well-formed UTF-8 (RFC 3629): no surrogates, no over-long forms. */
bool unicode_valid_utf8(struct bytes s);
/*
 * The next code point, taken off *s: 1. 0 at the end. -1 with EBADMSG where
 * no well-formed sequence stands; one byte is taken off then.
 */
int unicode_next(struct bytes *s, uint32_t *code_point);
/* The one at the front of s if it has two bytes, as those of most alphabets;
 * else 0. Nothing is taken off. */
static inline uint32_t
unicode_two(struct bytes s)
{
	if (s.n < 2 || s.p[0] < 0xc2 || s.p[0] >= 0xe0 ||
	    (s.p[1] & 0xc0) != 0x80)
		return 0;
	return (uint32_t)(s.p[0] & 0x1f) << 6 | (s.p[1] & 0x3f);
}
/* Append code_point as UTF-8; values that are no scalar become U+FFFD. */
int unicode_put(struct buf *out, uint32_t code_point);
/* s with each bad byte replaced by U+FFFD; s itself if it is well formed. */
struct bytes unicode_clean(struct arena *a, struct bytes s);
/* At most max_bytes of valid UTF-8, cut between code points. */
struct bytes unicode_first(struct bytes s, size_t max_bytes);

/* ---- normal form and case ---- */

/* Normal form C. -1 EBADMSG: not UTF-8. */
int unicode_nfc(struct arena *a, struct bytes s, struct bytes *out);
/*
 * Lower case (language neutral), then NFC: how local parts, keywords and
 * login names compare without case. -1 EBADMSG: not UTF-8.
 */
int unicode_lower(struct arena *a, struct bytes s, struct bytes *out);
/*
 * For searching without case, in the spirit of i;unicode-casemap (RFC 5051):
 * compatibility decomposition, case folding, decomposition again. Two texts
 * match if the folded one holds the other folded one as bytes. Bad bytes
 * count as U+FFFD, so it never fails.
 */
struct bytes unicode_fold(struct arena *a, struct bytes s);

/* ---- words ---- */

enum unicode_class {
	UNICODE_OTHER,		/* parts words */
	UNICODE_LETTER,
	UNICODE_DIGIT,		/* decimal ones */
	UNICODE_IDEOGRAPH,	/* a letter of a script that parts no words:
				 * Han, Hiragana, Katakana */
	UNICODE_IGNORABLE,	/* not seen within a word: marks, soft hyphen,
				 * joiners */
};
/* What a code point is; *lower gets it in lower case (one for one). */
enum unicode_class unicode_classify(uint32_t code_point, uint32_t *lower);

/* ---- domain names ---- */

#define IDNA_LABEL_MAX 63	/* octets of a label, RFC 1035 2.3.4 */
#define IDNA_DOMAIN_MAX 253	/* octets of a name as text, no final dot */

/*
 * UTS #46 non-transitional processing with the IDNA2008 checks, lower case.
 * To A-labels and to U-labels (NFC). A name that is ASCII without A-labels
 * comes out lower-cased; a final dot is kept. Underscores and other ASCII
 * are not judged (see addr_parse_domain). -1 EBADMSG: not a valid name, with
 * *why if why is not NULL.
 */
int idna_to_ascii(struct arena *a, struct bytes domain, struct bytes *out,
    const char **why);
int idna_to_unicode(struct arena *a, struct bytes domain, struct bytes *out,
    const char **why);

/* ---- PRECIS ---- */

/*
 * OpaqueString (RFC 8265 4.2): what a password becomes before it is used:
 * other spaces to U+0020, NFC; no controls, unassigned or private code
 * points, not empty. -1 EBADMSG with *why. Bytes are secret: the caller
 * wipes its own input, the result is in the arena.
 */
int precis_opaque_string(struct arena *a, struct bytes s, struct bytes *out,
    const char **why);

/* ---- charsets ---- */

enum {
	UNICODE_BAD_CHARSET = 1,	/* unknown name: guessed */
	UNICODE_BAD_BYTES = 2,		/* some became U+FFFD or were guessed */
	UNICODE_CUT = 4,		/* the limit was reached */
};

/*
 * s in the named charset as UTF-8, at most limit bytes. Never fails: what
 * cannot be converted becomes U+FFFD and is told in the returned flags (0:
 * all well). Names compare without case; common aliases, UTF-7 and the CJK
 * mail charsets are known. An empty name or us-ascii holding 8-bit bytes is
 * taken as UTF-8 if well formed, else as windows-1252; iso-8859-1 is read as
 * windows-1252 (what senders mean by it). Unknown charsets: the same guess.
 * Beyond UTF-8, ASCII, Latin 1 and windows-1252 the C library opens a file
 * per charset: in a sandbox without files such text is guessed as well.
 */
unsigned int unicode_from_charset(struct arena *a, struct bytes charset,
    struct bytes s, size_t limit, struct bytes *out);
/* Whether unicode_from_charset knows the name (IMAP SEARCH CHARSET). */
bool unicode_charset_known(struct bytes charset);

/* ---- modified UTF-7 (RFC 3501 5.1.3) ---- */

/* UTF-8 to modified UTF-7. -1 EBADMSG: not UTF-8. */
int imap_utf7_encode(struct arena *a, struct bytes utf8, struct bytes *out);
/*
 * Back, strictly: each text has one encoding only, so that two names never
 * mean the same. -1 EBADMSG otherwise (8-bit, controls, base64 for what may
 * stand for itself, missing "-", two shifts in a row, lone surrogates).
 */
int imap_utf7_decode(struct arena *a, struct bytes utf7, struct bytes *out);

#endif
