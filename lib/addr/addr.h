/*
 * addr.h - SMTP paths, domains, and the address lists of header fields
 *
 * Two grammars with two attitudes: paths (RFC 5321 4.1.2, RFC 6531 3.3) are
 * checked strictly, address lists (RFC 5322 3.4 and 4.4) are read as far as
 * anything can be read. Results live in the arena given, or point into the
 * input; they hold as long as both.
 */
#ifndef ADDR_H
#define ADDR_H

#include "base/base.h"

/* ---- limits, RFC 5321 4.5.3.1 (octets) ---- */

#define ADDR_LOCAL_PART_MAX 64
/* Octets of a domain in A-labels (IDNA_DOMAIN_MAX), or of a literal. */
#define ADDR_DOMAIN_MAX 255
/*
 * local-part@domain with A-labels, as written: RFC 5321 4.5.3.1.3 has 256 for
 * a path with its brackets.
 */
#define ADDR_MAILBOX_MAX 254
/*
 * The whole between < and >, a source route and U-labels included: what we read
 * before the limits above can be applied.
 */
#define ADDR_PATH_MAX 2048

/* ---- paths ---- */

/*
 * A reverse-path or forward-path. Exactly one of these holds: is_null ("<>");
 * is_postmaster ("<postmaster>", no domain: local_part is "postmaster",
 * domain empty); an address with domain; an address with address literal
 * (is_literal).
 */
struct path {
	bool is_null;
	bool is_postmaster;
	bool is_literal;
	/* Unquoted, NFC (N-2), case as given; may be empty (`""@dom`). */
	struct bytes local_part;
	/* Lower case, U-labels in NFC; "[192.0.2.1]" for a literal. */
	struct bytes domain;
	/* The same in A-labels: for DNS and the wire without SMTPUTF8. */
	struct bytes domain_ascii;
	/* Of an IPv4 or IPv6 literal; family 0 for others. */
	struct ip literal;
	/* The path as given had 8-bit bytes: it needed SMTPUTF8. */
	bool is_utf8;
};

enum {
	ADDR_SMTPUTF8 = 1,	/* 8-bit bytes are allowed (RFC 6531) */
};

/*
 * Take a Path "<...>" off the front of *args (the text after "MAIL FROM:").
 * *content is what stands between the brackets; a ">" in a quoted string
 * does not end it. -1 EBADMSG, *args untouched.
 */
int addr_cut_path(struct bytes *args, struct bytes *content);
/*
 * The content of a Path, without the brackets. Empty: the null path. A source
 * route ("@a,@b:") is checked and dropped (RFC 5321 4.1.1.3). "postmaster"
 * in any case without domain is accepted: only RCPT may use it. -1 EBADMSG
 * or EMSGSIZE with *why (constant text), *out untouched.
 */
int addr_parse_path(struct arena *a, struct bytes content, unsigned int flags,
    struct path *out, const char **why);
/*
 * "local-part@domain" as in a configuration, an option or a login name: a
 * path with a domain, no source route, never null.
 */
int addr_parse_mailbox(struct arena *a, struct bytes s, unsigned int flags,
    struct path *out, const char **why);
/*
 * A domain name: letters, digits, hyphens and valid U-labels or A-labels,
 * no final dot. Both forms lower case. flags as above. -1 EBADMSG, EMSGSIZE.
 */
int addr_parse_domain(struct arena *a, struct bytes s, unsigned int flags,
    struct bytes *domain, struct bytes *domain_ascii, const char **why);
/*
 * "[192.0.2.1]", "[IPv6:...]" or "[tag:text]" (RFC 5321 4.1.3), brackets
 * included. The general form gives family 0. -1 EBADMSG.
 */
int addr_parse_literal(struct bytes s, struct ip *out, const char **why);

/*
 * The content of a Path again, without brackets: the local part quoted only
 * if it must be, ascii choosing domain_ascii. Null gives nothing. 0 or -1
 * EMSGSIZE.
 */
int addr_format_path(struct buf *out, const struct path *p, bool ascii);
/* A local part alone, quoted only if it must be. */
int addr_format_local_part(struct buf *out, struct bytes local_part);
/* The same as a string in the arena. */
struct bytes addr_path_text(struct arena *a, const struct path *p, bool ascii);
/* Same kind, same domain, same local part to the byte. */
bool addr_path_eq(const struct path *a, const struct path *b);
/* True if RFC 6531 is needed to carry it: a local part beyond ASCII. */
bool addr_needs_smtputf8(const struct path *p);

/* ---- address lists of header fields ---- */

/*
 * Members of one list at most; what stands beyond is not read, told by the
 * list's is_cut. Real lists have a few thousand.
 */
#define ADDR_LIST_MAX 10000

enum addr_kind {
	ADDR_MAILBOX,
	ADDR_GROUP_START,	/* mailbox is the group's name */
	ADDR_GROUP_END,
};

/*
 * One member, in the parts IMAP's ENVELOPE has (RFC 9051 7.5.2). Bytes as in
 * the field: comments and quoting taken away, encoded words left as they are
 * (see mime_decode_words). A comment after an address without display name
 * serves as its name.
 */
struct addr_member {
	enum addr_kind kind;
	bool has_name;			/* false: NIL, not "" */
	bool has_route;
	bool has_mailbox;		/* may be "", as in `""@example.org` */
	bool is_bad;			/* guessed from a syntax error */
	struct bytes display_name;
	struct bytes route;		/* "@a,@b" */
	struct bytes mailbox;		/* the local part, unquoted */
	struct bytes domain;		/* as given; empty: none */
	struct addr_member *next;
};

struct addr_list {
	struct addr_member *first;
	size_t count;			/* members of all kinds */
	bool is_cut;			/* ADDR_LIST_MAX reached */
	bool is_bad;			/* some member is bad */
	/* From where reading ended before the end, or from what begins and has
	 * no end. Other readers may see an address in it. */
	struct bytes rest;
};

/*
 * Read an address list from a field body (folded or not). Never fails;
 * linear time.
 */
void addr_parse_list(struct arena *a, struct bytes body,
    struct addr_list *out);
/* The next member from m (included) that is a mailbox with a domain. */
const struct addr_member *addr_next_mailbox(const struct addr_member *m);
/* Whether the mailbox m of the list is the one address that readers of any
 * kind see in it: there is no other one, and no "@" in what was not read.
 * NULL is not. */
bool addr_is_only(const struct addr_list *list, const struct addr_member *m);
/*
 * "local@domain" of a header mailbox as a path: NFC, lower-case domain. -1
 * EBADMSG if it is no valid address.
 */
int addr_member_path(struct arena *a, const struct addr_member *m,
    struct path *out, const char **why);

#endif
