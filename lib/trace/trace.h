/*
 * trace.h - the fields a server puts in front of a message it received
 *
 * Received (RFC 5321 4.4), Authentication-Results (RFC 8601), Return-Path,
 * Delivered-To. Messages are in LF form here. Whatever a stranger chose (HELO
 * name, paths, DNS names) is filtered on its way into a field: control bytes
 * and bytes that are not UTF-8 become "?", so that none can end a field.
 *
 * The trusted block of a message is every field from its top down to and
 * including our own topmost Received field. What stands below was written by
 * strangers.
 */
#ifndef TRACE_H
#define TRACE_H

#include "base/base.h"

/* Received-id: 128 random bits in 22 characters of base64url and a NUL. */
#define TRACE_ID_SIZE 23
void trace_id(char out[TRACE_ID_SIZE]);

/* How a message came to us. Slices may be empty: not known. */
struct trace_envelope {
	struct bytes sender;	/* reverse-path without <>; empty: null */
	const struct bytes *recipients;	/* without <> */
	size_t nrecipients;
	struct bytes helo;
	struct bytes with;	/* ESMTP, SMTP, UTF8SMTP, LMTP, ... */
	struct bytes tls;	/* "TLSv1.3 TLS_AES_128_GCM_SHA256"; or empty */
	bool requiretls;	/* RFC 8689: "(requiretls)" after "with" */
	struct bytes id;	/* received-id */
	struct ip remote, local;	/* family 0: not known */
	int remote_port, local_port;	/* 0: not known */
	struct bytes remote_host;	/* verified reverse name, no last dot */
	int64_t time;		/* seconds since 1970, of the Received field */
};

/* A field made here is at most this long: long HELO names are cut. */
#define TRACE_FIELD_MAX 4096
/* An Authentication-Results field with many signatures may be longer. */
#define TRACE_RESULTS_MAX 65536

/*
 * Each appends one finished field, folded, with its LF. 0, or -1 with
 * EMSGSIZE. "for" is written only if there is exactly one recipient.
 */
int trace_received(struct buf *out, const struct trace_envelope *e,
    struct bytes hostname);
/* With no resinfo the text is "none" (RFC 8601 2.2). */
int trace_results(struct buf *out, struct bytes authserv_id,
    const struct bytes *resinfo, size_t n);
int trace_return_path(struct buf *out, struct bytes sender);
/* A Received field made by trace_received with "for", if it has none: in the
 * arena. As it is where it would be too long. */
struct bytes trace_received_for(struct arena *a, struct bytes field,
    struct bytes address);
int trace_delivered_to(struct buf *out, struct bytes address);

/*
 * Append s, a stranger's text, in a form that cannot leave its place: bytes
 * that would end or fold a field become "?"; with in_comment "(", ")" and
 * "\" are quoted too. At most max bytes of s are used.
 */
int trace_clean(struct buf *out, struct bytes s, bool in_comment, size_t max);

/*
 * Take one whole field (its lines with their LF) off the front of *message.
 * False at the end of the header section: an empty line, the end, or a line
 * that is no field.
 */
bool trace_field_cut(struct bytes *message, struct bytes *field);
/* Does the field have that name (without colon, case ignored)? */
bool trace_field_is(struct bytes field, struct bytes name);
/* The authserv-id of an Authentication-Results field; false: there is none.
 * Comments are skipped and quoted strings unquoted, in the arena. */
bool trace_results_id(struct arena *a, struct bytes field, struct bytes *id);

/* More fields, or more resinfo, than this in a trusted block: not ours. */
#define TRACE_BLOCK_MAX 1000
/* The trusted block, taken apart. Slices point into the message or arena. */
struct trace_block {
	struct bytes *top;	/* other fields, verbatim, in order */
	size_t ntop;
	struct bytes *resinfo;	/* of our Authentication-Results */
	size_t nresinfo;
	struct bytes *spf;	/* Received-SPF fields, verbatim */
	size_t nspf;
	bool has_results;	/* our Authentication-Results was there */
	struct bytes received;	/* our Received field, verbatim */
};

/* ---- one result ---- */

/* Properties of one result; the standards name at most ten. */
#define TRACE_PROPERTIES_MAX 32
struct trace_property {
	struct bytes ptype, name;	/* header, from; case as given */
	struct bytes value;		/* unquoted */
};
struct trace_resinfo {
	struct bytes method, result;	/* case as given */
	struct bytes reason;		/* unquoted; empty: none */
	struct trace_property property[TRACE_PROPERTIES_MAX];
	size_t nproperties;
	size_t result_end;		/* where in the text the result ends */
};
/*
 * Take one resinfo apart (RFC 8601 2.2), comments skipped. Values lie in the
 * arena, the rest points into resinfo. -1 EBADMSG: it is none, is longer than
 * TRACE_RESULTS_MAX or has more properties; *out is then of no use.
 */
int trace_resinfo_parse(struct arena *a, struct bytes resinfo,
    struct trace_resinfo *out);
/* The first property of that name, case ignored; false and no change: none. */
bool trace_resinfo_get(const struct trace_resinfo *r, const char *ptype,
    const char *name, struct bytes *value);
/*
 * Note in the block's first result of that method that it was not followed:
 * "dmarc=fail (override mailing_list) ...". override is one of our own words
 * ("mailing_list", "forwarded"): no text of strangers. For the
 * copy of one recipient (D-15): the list is made anew in the arena, so copies
 * of the struct that share it keep theirs. False: no such result.
 */
bool trace_block_override(struct arena *a, struct trace_block *block,
    struct bytes method, struct bytes override);

/* ---- the block and its fields ---- */

/*
 * Take the trusted block off the front of message: 1, and *rest is what
 * follows; 0 if the topmost Received field is not ours: "by" must name
 * hostname and, if id is not empty, its id must be that one.
 */
int trace_block_parse(struct arena *a, struct bytes message,
    struct bytes hostname, struct bytes id, struct trace_block *block,
    struct bytes *rest);
/* Append it in the order of R-35: other fields, Authentication-Results,
 * Received-SPF, Received. */
int trace_block_format(struct buf *out, const struct trace_block *block,
    struct bytes hostname);
/* Client address and HELO name out of a Received field made by
 * trace_received; false and no change if it has none. */
bool trace_received_from(struct bytes field, struct ip *ip,
    struct bytes *helo);
/* The id of one; false and no change: it has none. */
bool trace_received_id(struct bytes field, struct bytes *id);
/* TLS version and cipher out of one ("TLSv1.3 TLS_AES_128_GCM_SHA256"); false
 * and no change: it came without. */
bool trace_received_tls(struct bytes field, struct bytes *tls);

/*
 * The message without Authentication-Results fields whose authserv-id is ours
 * (RFC 8601 5), and Received-SPF fields whose receiver is: message itself if
 * there are none, else a copy in the arena.
 */
struct bytes trace_remove_forged(struct arena *a, struct bytes message,
    struct bytes hostname);

/* Fields of that name in the header section; counting stops past limit. */
size_t trace_count_fields(struct bytes message, struct bytes name,
    size_t limit);

#endif
