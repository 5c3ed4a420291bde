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
/* TLS version and cipher out of one ("TLSv1.3 TLS_AES_128_GCM_SHA256"); false
 * and no change: it came without. */
bool trace_received_tls(struct bytes field, struct bytes *tls);

/*
 * The message without Authentication-Results fields whose authserv-id is ours
 * (RFC 8601 5): message itself if there are none, else a copy in the arena.
 */
struct bytes trace_remove_forged(struct arena *a, struct bytes message,
    struct bytes hostname);

/* Fields of that name in the header section; counting stops past limit. */
size_t trace_count_fields(struct bytes message, struct bytes name,
    size_t limit);

#endif
