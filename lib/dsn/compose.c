/*
 * compose.c - a delivery status notification as a message
 *
 * RFC 3464 (message/delivery-status) in RFC 6522 (multipart/report), and RFC
 * 6533 where addresses beyond ASCII may stand as they are.
 */
#include "dsn/dsn.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "mime/mime.h"
#include "os/os.h"

/* What a peer said, in each place it is quoted. */
#define TEXT_MAX 1000
/* Octets of one encoded word's text, so that a line stays below 76. */
#define WORD_MAX 42
#define BOUNDARY_SIZE 40

const char *
dsn_action_text(enum dsn_action action)
{
	static const char *const words[] = { "failed", "delayed", "delivered",
	    "relayed", "expanded" };

	return words[action];
}

/* ---- outside bytes ---- */

/* Printable bytes; others become "?", runs of line ends the text newline. */
static void
add_clean(struct buf *out, struct bytes s, bool utf8, const char *newline)
{
	bool at_start = false;
	int c;

	s = bytes_trim(bytes_first(s, TEXT_MAX));
	while ((c = bytes_next(&s)) != -1) {
		if (at_start && ascii_is_space(c))
			continue;	/* never a line of blanks */
		at_start = c == '\n' || c == '\r';
		if (at_start)
			buf_adds(out, newline);
		else if (c == '\t')
			buf_addc(out, ' ');
		else if (ascii_is_ctl(c) || (c >= 0x80 && !utf8))
			buf_addc(out, '?');
		else
			buf_addc(out, c);
	}
}

static bool
is_clean(struct bytes s)
{
	int c;

	while ((c = bytes_next(&s)) != -1) {
		if (ascii_is_ctl(c))
			return false;
	}
	return true;
}

/* The code point at the front of valid UTF-8; a bad byte stands for itself. */
static unsigned int
next_code_point(struct bytes *s)
{
	unsigned int c = (unsigned int)bytes_next(s), more, next;

	if (c < 0xc0)
		return c;
	more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
	c &= 0x3fu >> more;
	for (; more > 0 && s->n > 0; more--) {
		next = s->p[0];
		if ((next & 0xc0) != 0x80)
			break;
		(void)bytes_next(s);	/* it was looked at */
		c = c << 6 | (next & 0x3f);
	}
	return c;
}

/* RFC 6533 3: utf-8-addr-xtext, for where only ASCII may stand. */
static void
add_addr_xtext(struct buf *out, struct bytes s)
{
	unsigned int c;

	while (s.n > 0) {
		c = next_code_point(&s);
		if (c > ' ' && c < 0x7f && c != '\\' && c != '+' && c != '=')
			buf_addc(out, (int)c);
		else
			buf_printf(out, "\\x{%X}", c);
	}
}

/* "rfc822; a@b", or the utf-8 type (RFC 6533 3). */
static void
add_recipient(struct buf *out, const char *field, struct bytes address,
    bool utf8)
{
	bool ascii = bytes_is_ascii(address);

	if (!is_clean(address))
		return;
	buf_printf(out, "%s: %s; ", field, ascii ? "rfc822" : "utf-8");
	if (ascii || utf8)
		buf_add(out, address);
	else
		add_addr_xtext(out, address);
	buf_addc(out, '\n');
}

/* ---- the header ---- */

/* RFC 2047 in UTF-8 and base64, cut between characters. */
static void
add_words(struct buf *out, struct bytes s)
{
	struct bytes piece;
	size_t n;

	while (s.n > 0) {
		n = s.n < WORD_MAX ? s.n : WORD_MAX;
		while (n < s.n && n > 1 && (s.p[n] & 0xc0) == 0x80)
			n--;
		(void)bytes_cut(&s, n, &piece);		/* n <= s.n */
		buf_adds(out, "=?utf-8?B?");
		base64_encode(out, piece);
		buf_adds(out, s.n > 0 ? "?=\n " : "?=");
	}
}

static const char *
subject_of(enum dsn_action action)
{
	static const char *const texts[] = { "Not delivered", "Delayed",
	    "Delivered", "Relayed", "Sent to a list" };

	return texts[action];
}

static void
add_header(struct buf *out, const struct dsn *d, const char *boundary)
{
	struct bytes subject = bytes_first(d->subject, 200);
	unsigned char random[8];

	buf_printf(out, "From: Mail delivery <%.*s>\nTo: <%.*s>\n",
	    BYTES_ARG(d->from), BYTES_ARG(d->to));
	buf_printf(out, "Subject: %s", subject_of(d->rcpts[0].action));
	if (subject.n > 0 && is_clean(subject)) {
		buf_adds(out, ":\n ");
		/* never UTF-8: who sends it needs no SMTPUTF8 for the field */
		if (bytes_is_ascii(subject))
			buf_add(out, subject);
		else
			add_words(out, subject);
	}
	buf_adds(out, "\nDate: ");
	date_format(out, d->now, date_local_zone(d->now));
	os_random(random, sizeof(random));
	buf_printf(out, "\nMessage-ID: <%.*s.%016llx@%.*s>\n",
	    BYTES_ARG(d->id), (unsigned long long)be64_get(random),
	    BYTES_ARG(d->hostname));
	/* one in UTF-8 (RFC 6532) cannot be written otherwise */
	if (d->message_id.n > 0 && is_clean(d->message_id) &&
	    (bytes_is_ascii(d->message_id) || !bytes_is_ascii(d->to)))
		buf_printf(out, "In-Reply-To: %.*s\nReferences: %.*s\n",
		    BYTES_ARG(d->message_id), BYTES_ARG(d->message_id));
	buf_printf(out, "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\n"
	    " boundary=\"%s\"\n\n", boundary);
}

/* ---- for people ---- */

static const char *
opening_of(enum dsn_action action)
{
	static const char *const texts[] = {
		"Your message was not delivered to these recipients, and "
		    "will not be\ntried again.",
		"Your message could not be delivered to these recipients "
		    "yet. There is\nnothing to do: it is tried again.",
		"Your message was delivered to these recipients, as you "
		    "asked to be told.",
		"Your message was handed to another server for these "
		    "recipients. That\nserver gives no notice of delivery.",
		"Your message was sent on to the members of these lists.",
	};

	return texts[action];
}

/* What the peer said, its own status in the text; or what we say. */
static void
add_code(struct buf *out, const struct dsn_rcpt *r)
{
	if (r->code > 0)
		buf_printf(out, "%llu ", (unsigned long long)r->code);
	else
		buf_printf(out, "%.*s ", BYTES_ARG(r->status));
}

static void
add_text_rcpt(struct buf *out, const struct dsn_rcpt *r)
{
	buf_adds(out, "\n<");
	add_clean(out, r->address, true, " ");
	buf_adds(out, ">\n");
	if (r->action != DSN_FAILED && r->action != DSN_DELAYED)
		return;
	if (r->note.n > 0) {
		buf_adds(out, "  ");
		add_clean(out, r->note, true, " ");
		buf_adds(out, "; the last:\n");
	}
	if (r->host.n > 0) {
		buf_adds(out, "  ");
		add_clean(out, r->host, true, " ");
		if (r->ip.n > 0)
			buf_printf(out, " [%.*s]", BYTES_ARG(r->ip));
		buf_adds(out, r->code > 0 ? " said:\n" : ":\n");
	}
	buf_adds(out, "  ");
	add_code(out, r);
	add_clean(out, r->text, true, "\n  ");
	buf_addc(out, '\n');
	if (r->action == DSN_DELAYED && r->retry_until > 0) {
		buf_adds(out, "  It is tried until ");
		date_format(out, r->retry_until,
		    date_local_zone(r->retry_until));
		buf_adds(out, ".\n");
	}
}

static bool
returns_all(const struct dsn *d)
{
	return d->full && d->original.n < DSN_FULL_MAX;
}

static void
add_text(struct buf *out, const struct dsn *d, const char *boundary)
{
	buf_printf(out, "--%s\nContent-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: 8bit\n\n%s\n", boundary,
	    opening_of(d->rcpts[0].action));
	for (size_t i = 0; i < d->count; i++)
		add_text_rcpt(out, &d->rcpts[i]);
	buf_printf(out, "\n%sThis notice was made by the mail server\n%.*s, "
	    "where the message has the number %.*s.\n",
	    d->original.n == 0 ? "" : returns_all(d)
	    ? "The message is below. " : "The message's header is below. ",
	    BYTES_ARG(d->hostname), BYTES_ARG(d->id));
}

/* ---- for programs ---- */

static void
add_date(struct buf *out, const char *field, int64_t when)
{
	if (when <= 0)
		return;
	buf_printf(out, "%s: ", field);
	date_format(out, when, date_local_zone(when));
	buf_addc(out, '\n');
}

static void
add_original_recipient(struct buf *out, struct bytes orcpt)
{
	struct bytes type;

	if (orcpt.n == 0 || !is_clean(orcpt) || !bytes_is_ascii(orcpt) ||
	    !bytes_split(&orcpt, ';', &type))
		return;
	buf_printf(out, "Original-Recipient: %.*s;%.*s\n", BYTES_ARG(type),
	    BYTES_ARG(orcpt));
}

static void
add_status_rcpt(struct buf *out, const struct dsn *d,
    const struct dsn_rcpt *r)
{
	buf_addc(out, '\n');
	add_original_recipient(out, r->orcpt);
	add_recipient(out, "Final-Recipient", r->address, d->utf8);
	buf_printf(out, "Action: %s\nStatus: %.*s\n",
	    dsn_action_text(r->action), BYTES_ARG(r->status));
	if (r->host.n > 0) {
		buf_adds(out, "Remote-MTA: dns; ");
		add_clean(out, r->host, false, " ");
		buf_addc(out, '\n');
	}
	if (r->code > 0) {
		buf_adds(out, "Diagnostic-Code: smtp; ");
		add_code(out, r);
		add_clean(out, r->text, d->utf8, "\n  ");
		buf_addc(out, '\n');
	}
	add_date(out, "Last-Attempt-Date", r->last);
	if (r->action == DSN_DELAYED)
		add_date(out, "Will-Retry-Until", r->retry_until);
}

/* The fields, for the message and for each recipient. */
static void
add_fields(struct buf *out, const struct dsn *d)
{
	buf_printf(out, "Reporting-MTA: dns; %.*s\n", BYTES_ARG(d->hostname));
	if (d->envid.n > 0) {
		buf_adds(out, "Original-Envelope-Id: ");
		add_clean(out, d->envid, false, " ");
		buf_addc(out, '\n');
	}
	add_date(out, "Arrival-Date", d->arrival);
	for (size_t i = 0; i < d->count; i++)
		add_status_rcpt(out, d, &d->rcpts[i]);
}

/* Anything beyond ASCII, in an address or in what a server said, makes it
 * RFC 6533's type, and is declared (RFC 2045 6.1: else it would be 7bit). */
static void
add_status(struct buf *out, const struct dsn *d, const char *boundary)
{
	struct buf fields = BUF_INIT(out->max);
	bool ascii;

	add_fields(&fields, d);
	ascii = bytes_is_ascii(buf_bytes(&fields));
	buf_printf(out, "\n--%s\nContent-Type: message/%s\n%s\n", boundary,
	    ascii ? "delivery-status" : "global-delivery-status",
	    ascii ? "" : "Content-Transfer-Encoding: 8bit\n");
	buf_add(out, buf_bytes(&fields));
	out->full |= fields.full;
	buf_free(&fields);
}

/* ---- the original ---- */

/* The header section as far as it may go back, ending with a whole line. */
static struct bytes
header_of(struct bytes original)
{
	struct bytes header, body;
	size_t at;

	mime_split(original, &header, &body);
	if (header.n <= DSN_HEADERS_MAX)
		return header;
	header = bytes_first(header, DSN_HEADERS_MAX);
	return bytes_rchr(header, '\n', &at) ? bytes_first(header, at + 1)
	    : BYTES_EMPTY;
}

static void
add_original(struct buf *out, const struct dsn *d, const char *boundary)
{
	struct bytes text = header_of(d->original);
	bool full = returns_all(d), ascii;

	if (d->original.n == 0)
		return;
	if (full)
		text = d->original;
	ascii = bytes_is_ascii(text);
	buf_printf(out, "\n--%s\nContent-Type: ", boundary);
	if (full)
		buf_adds(out, d->utf8 && !bytes_is_ascii(header_of(text))
		    ? "message/global\n" : "message/rfc822\n");
	else
		buf_adds(out, !ascii && d->utf8 ? "message/global-headers\n"
		    : "text/rfc822-headers\n");
	if (!ascii)
		buf_adds(out, "Content-Transfer-Encoding: 8bit\n");
	buf_addc(out, '\n');
	buf_add(out, text);
}

int
dsn_compose(struct buf *out, const struct dsn *d)
{
	char boundary[BOUNDARY_SIZE];
	struct buf hex = BUF_INIT(BOUNDARY_SIZE);
	unsigned char random[12];
	int n;

	if (d->count == 0 || !is_clean(d->to) || !is_clean(d->from)) {
		errno = EINVAL;
		return -1;
	}
	os_random(random, sizeof(random));
	hex_encode(&hex, bytes_of(random, sizeof(random)));
	n = snprintf(boundary, sizeof(boundary), "=_%.*s",
	    BYTES_ARG(buf_bytes(&hex)));
	assert(n > 0 && (size_t)n < sizeof(boundary));
	buf_free(&hex);
	add_header(out, d, boundary);
	add_text(out, d, boundary);
	add_status(out, d, boundary);
	add_original(out, d, boundary);
	buf_printf(out, "\n--%s--\n", boundary);
	if (out->full) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}
