/*
 * mime.h - header fields, encoded words, the MIME tree, IMAP's view of it
 *
 * A message is one struct bytes with LF or CRLF line ends, or both mixed.
 * Everything here reads; nothing fails on bad input: what is cut or guessed
 * is told in flags. Time is linear in the size of the message. Results point
 * into the message or live in the arena given.
 */
#ifndef MIME_H
#define MIME_H

#include "base/base.h"

/* ---- limits ---- */

/*
 * Bytes and fields of one header section that the tree and ENVELOPE look at;
 * what stands below is passed over. Its extent, and the functions that find
 * fields, have no limit.
 */
#define MIME_HEADER_MAX (1024 * 1024)
#define MIME_FIELDS_MAX 10000
/* Levels of nesting; deeper parts stay leaves. Real mail has below 20. */
#define MIME_DEPTH_MAX 100
/* Parts of one message; further ones belong to the epilogue. */
#define MIME_PARTS_MAX 10000
/* Parameters of one field. */
#define MIME_PARAMS_MAX 200
/* One decoded header value (RFC 2047 or 2231). */
#define MIME_VALUE_MAX (64 * 1024)
/* An RFC 2046 5.1.1 boundary has 70 at most; real ones go beyond. */
#define MIME_BOUNDARY_MAX 1000

/* ---- sizes ---- */

/* Size in bytes when each line ends in CRLF: LF without CR counts two. */
uint64_t mime_crlf_size(struct bytes s);
/* Number of LF. */
uint64_t mime_count_lines(struct bytes s);
/* Append s with CRLF line ends (a lone LF becomes CRLF). 0, -1 EMSGSIZE. */
int mime_add_crlf(struct buf *out, struct bytes s);
/* Append s with LF line ends (CRLF becomes LF, a lone CR stays). */
int mime_add_lf(struct buf *out, struct bytes s);

/* ---- header section ---- */

/* message without a leading mbox "From " line and ">From " line. */
struct bytes mime_skip_from_line(struct bytes message);
/*
 * Cut at the empty line: header without it, body after it. Without an empty
 * line all is header, and body is empty. No other guess is made.
 */
void mime_split(struct bytes message, struct bytes *header,
    struct bytes *body);

/*
 * A field as it stands. name is empty for a line that is no field (no colon,
 * a control or blank in the name; not an obsolete blank before the colon,
 * which is taken off the name).
 */
struct mime_field {
	struct bytes raw;	/* with folds and the final line end */
	struct bytes name;
	struct bytes body;	/* after the colon, without final line end */
};

/* Take the next field off *header, folds included; false at the end. */
bool mime_next_field(struct bytes *header, struct mime_field *out);
/* The nth field (from 0, from the top) of that name; ASCII case ignored. */
bool mime_find_field(struct bytes header, struct bytes name, size_t nth,
    struct mime_field *out);
/* The lowest one. */
bool mime_find_last(struct bytes header, struct bytes name,
    struct mime_field *out);
size_t mime_count_fields(struct bytes header, struct bytes name);
/*
 * A field body on one line: line ends taken away (RFC 5322 2.2.3), blanks at
 * both ends dropped. body itself (trimmed) when it holds none.
 */
struct bytes mime_unfold(struct arena *a, struct bytes body);
/* The unfolded first field of that name; empty if there is none. */
struct bytes mime_field_value(struct arena *a, struct bytes header,
    struct bytes name);

/*
 * RFC 2047 encoded words as UTF-8, blanks between two of them dropped; bad
 * ones are left as they stand. Other 8-bit bytes: as unicode_from_charset
 * does without a name. At most MIME_VALUE_MAX bytes.
 */
struct bytes mime_decode_words(struct arena *a, struct bytes s);
/* Unfolded and decoded first field of that name; empty if there is none. */
struct bytes mime_field_text(struct arena *a, struct bytes header,
    struct bytes name);
/*
 * Take the next msg-id off *s (a body of Message-ID, In-Reply-To,
 * References): what stands between < and >, without blanks and folds. False
 * at the end. Anything else is passed over.
 */
bool mime_next_msg_id(struct arena *a, struct bytes *s, struct bytes *id);
/*
 * The subject without reply and forward marks and trailers, folded for
 * comparison (RFC 5256 2.1 base subject); *is_reply if it had any.
 */
struct bytes mime_base_subject(struct arena *a, struct bytes subject_text,
    bool *is_reply);

/* ---- structured values ---- */

/*
 * Parameters in their order. Pieces of RFC 2231 continuations are joined
 * into one; name keeps a final "*" if the value is in RFC 2231 encoding.
 */
struct mime_param {
	struct bytes name;	/* case as given */
	struct bytes value;	/* unquoted */
	struct mime_param *next;
};

/* "type/subtype; params" or "word; params" (subtype empty). */
struct mime_value {
	struct bytes type;	/* case as given */
	struct bytes subtype;
	struct mime_param *params;
	bool is_valid;		/* false: no type/subtype could be read */
};

/* Content-Type. Never fails: see is_valid. */
void mime_parse_content_type(struct arena *a, struct bytes body,
    struct mime_value *out);
/* Content-Disposition and other "word; params" fields. */
void mime_parse_disposition(struct arena *a, struct bytes body,
    struct mime_value *out);
/*
 * The value of a parameter as UTF-8: RFC 2231, else RFC 2047 words (wrong but
 * common), else as it stands. Empty, and false, if it is not there.
 */
bool mime_param_text(struct arena *a, const struct mime_param *params,
    struct bytes name, struct bytes *out);

/* ---- the tree ---- */

enum {
	MIME_CUT_DEPTH = 1,	/* MIME_DEPTH_MAX reached */
	MIME_CUT_PARTS = 2,	/* MIME_PARTS_MAX reached */
	MIME_CUT_HEADER = 4,	/* MIME_HEADER_MAX or MIME_FIELDS_MAX */
	MIME_NO_END = 8,	/* a multipart without its final boundary */
	MIME_NO_BODY = 16,	/* a header section without an empty line */
	MIME_HAS_NUL = 32,	/* NUL bytes in the message */
	MIME_HAS_8BIT = 64,
	MIME_HAS_8BIT_HEADER = 128,	/* in any header section (U-20) */
};

struct mime_part {
	struct mime_part *parent;	/* NULL: the message itself */
	/* Of a multipart: its parts. Of message/rfc822: the message in it. */
	struct mime_part *children;
	struct mime_part *next;
	/* header has no empty line at its end; gap is that line. */
	struct bytes header;
	struct bytes gap;
	struct bytes body;
	bool is_multipart;
	bool is_message;		/* message/rfc822 or /global */
	bool is_text;
	/* Sizes with CRLF line ends; header_size includes the gap. */
	uint64_t header_size;
	uint64_t body_size;
	uint64_t body_lines;
	/*
	 * Without a usable Content-Type (has_type false) the default: text or,
	 * in a digest, a message. So is a multipart without boundary.
	 */
	struct mime_value type;
	bool has_type;
	/* On one line, blanks at the end kept; empty if absent. */
	struct bytes encoding;		/* the word alone, case as given */
	struct bytes id;
	struct bytes description;
	struct bytes location;
	struct bytes md5;
	struct bytes language;		/* raw list, see RFC 3282 */
	struct mime_value disposition;	/* type empty if absent */
};

struct mime_tree {
	struct bytes message;
	struct mime_part *root;
	size_t parts;
	unsigned int flags;
};

/*
 * Parse a message (an mbox From line must be gone). Views into message, the
 * rest in the arena. Never fails.
 */
struct mime_tree *mime_parse(struct arena *a, struct bytes message);
/* ASCII case ignored; subtype empty: any. */
bool mime_part_is(const struct mime_part *p, struct bytes type,
    struct bytes subtype);
/* All parts in order of their headers: the one after p, NULL at the end. */
const struct mime_part *mime_next_part(const struct mime_part *p);
/*
 * The part of an IMAP section number ("1", "2.1.3"; RFC 9051 6.4.5); NULL
 * with ENOENT if there is none, EBADMSG if it is no number list. The empty
 * section is the root.
 */
const struct mime_part *mime_find_part(const struct mime_tree *t,
    struct bytes section);
/*
 * Append p's section number. A multipart that is the whole body of a message
 * has none: it gets that of the message ("" for the root).
 */
int mime_format_section(struct buf *out, const struct mime_part *p);

enum mime_extent {
	MIME_BODY,	/* "n": the part's body */
	MIME_MIME,	/* "n.MIME": the part's header with the empty line */
	MIME_HEADER,	/* "n.HEADER": header of the message in the part, with
			 * the empty line; for the root: its own header */
	MIME_TEXT,	/* "n.TEXT": the body of that message */
};
/*
 * The bytes of a section as they stand in the message (the caller makes CRLF
 * of LF). 0, or -1 ENOENT: HEADER or TEXT of a part that is no message.
 */
int mime_part_extent(const struct mime_part *p, enum mime_extent what,
    struct bytes *out);

/*
 * The part's content with its Content-Transfer-Encoding taken off, appended
 * to out. 1; 0 for an unknown encoding (nothing appended: RFC 9051
 * UNKNOWN-CTE); -1 EMSGSIZE.
 */
int mime_decode_body(struct buf *out, const struct mime_part *p);
/*
 * A text part's content as UTF-8, at most limit bytes; unknown encodings as
 * they stand. It lies in the arena, or in the message where nothing had to be
 * converted. Flags of unicode_from_charset.
 */
unsigned int mime_part_text(struct arena *a, const struct mime_part *p,
    size_t limit, struct bytes *out);
/*
 * Each text part in turn:
 *	const struct mime_part *p = NULL;
 *	size_t left = 1 << 20;
 *	while (mime_next_text(a, t, &p, &left, &text)) ...
 * *left is the bound for all together and shrinks. False at the end or when
 * nothing is left.
 */
bool mime_next_text(struct arena *a, const struct mime_tree *t,
    const struct mime_part **p, size_t *left, struct bytes *text);
/* The file name a part suggests, as UTF-8; empty if none. */
struct bytes mime_part_name(struct arena *a, const struct mime_part *p);
/*
 * The beginning of the text a person sees, blanks collapsed, at most
 * max_chars code points (RFC 8970); empty if there is no text.
 */
struct bytes mime_preview(struct arena *a, const struct mime_tree *t,
    size_t max_chars);

/* ---- binary content (RFC 3030) ---- */

/* Takes a piece of the result; -1 with errno ends it. */
typedef int (*mime_add_fn)(void *ctx, struct bytes piece);
/*
 * A message with CRLF line ends and, in its parts, any bytes, becomes lines
 * in LF form that 8BITMIME can carry: a part that is none, or has lines of
 * more than 998 bytes, becomes base64, and no label says binary any more; the
 * structure stays. 0; -1 with *why constant text: EBADMSG bytes that are no
 * lines where nothing can be encoded (RFC 2045 6.4), ENOTSUP in a part that
 * may not be changed (signed, RFC 1847); other errno is add's. What came before
 * a failure is of no use.
 */
int mime_from_binary(struct arena *a, struct bytes message, mime_add_fn add,
    void *ctx, const char **why);

/* ---- IMAP text (RFC 9051 7.5.2, 9), without the outer parentheses ---- */

/*
 * Strings are quoted where they can be, else literals "{n}\r\n"; the text is
 * ready for the wire. 0, or -1 EMSGSIZE when out is full.
 */
int mime_format_envelope(struct arena *a, struct buf *out,
    struct bytes header);
/* BODY (extended false) or BODYSTRUCTURE. */
int mime_format_bodystructure(struct arena *a, struct buf *out,
    const struct mime_tree *t, bool extended);
/* The same of one part. */
int mime_format_part(struct arena *a, struct buf *out,
    const struct mime_part *p, bool extended);

#endif
