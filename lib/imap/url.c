/*
 * url.c - IMAP URLs that name a message or a section of one (RFC 5092)
 *
 * Absolute ones ("imap://joe@example.org/INBOX/;UID=20") and those relative
 * to this server ("/INBOX;UIDVALIDITY=1/;UID=20/;SECTION=1.2"), with PARTIAL
 * and what RFC 4467 adds: EXPIRE and URLAUTH.
 */
#include "imap/url.h"

#include <errno.h>

#include "unicode/unicode.h"

/* A URL comes in a command and goes into one. */
#define URL_MAX IMAP_LINE_MAX

static int
bad(void)
{
	errno = EBADMSG;
	return -1;
}

/* "%2F" to bytes (RFC 3986 2.1); a NUL is none of a name or section. */
static int
decode(struct arena *a, struct bytes s, struct bytes *out)
{
	struct buf b = BUF_INIT(s.n + 1), one = BUF_INIT(1);
	int c, r = 0;

	while (r == 0 && (c = bytes_next(&s)) != -1) {
		if (c == '%') {
			buf_reset(&one);
			r = hex_decode(&one, bytes_first(s, 2));
			c = r == 0 && one.n == 1 ? one.p[0] : 0;
			s = bytes_from(s, 2);
		}
		if (r == -1 || c == 0)
			r = bad();
		else
			buf_addc(&b, c);
	}
	if (r == 0)
		*out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	buf_free(&one);
	return r;
}

/* ";NAME=" in front of s; the value is what follows up to a stop. */
static bool
parameter(struct bytes *s, const char *name, const char *stops,
    struct bytes *value)
{
	size_t n = 0;

	if (!bytes_caseskip(s, bytes_str(name)))
		return false;
	while (n < s->n && strchr(stops, s->p[n]) == NULL)
		n++;
	return bytes_cut(s, n, value);
}

static int
number(struct bytes s, uint64_t max, uint64_t *out)
{
	return num_parse(s, 1, max, out);
}

/* "0.100" or "512". */
static int
parse_partial(struct bytes s, struct imap_url *out)
{
	struct bytes first;

	out->partial = true;
	out->length = UINT64_MAX;
	if (bytes_split(&s, '.', &first) &&
	    number(s, INT64_MAX, &out->length) == -1)
		return bad();
	return num_parse(first, 0, INT64_MAX, &out->offset);
}

/* RFC 3339: "2026-12-31T23:59:59Z", with a fraction or "+01:00". */
static int
parse_expire(struct arena *a, struct bytes s, int64_t *out)
{
	static const char form[] = "nnnn-nn-nnTnn:nn:nn";
	uint64_t v[6] = { 0 }, hours, minutes;
	struct bytes text;
	size_t i, field = 0;
	int sign;

	if (decode(a, s, &text) == -1)
		return -1;
	for (i = 0; form[i] != '\0'; i++) {
		int c = bytes_next(&text);

		if (form[i] != 'n' && (c != form[i] || ++field > 5))
			return bad();
		if (form[i] == 'n' && !ascii_is_digit(c))
			return bad();
		if (form[i] == 'n')
			v[field] = v[field] * 10 + (uint64_t)(c - '0');
	}
	if (v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31 || v[3] > 23 ||
	    v[4] > 59 || v[5] > 60)
		return bad();
	*out = date_to_unix((int)v[0], (int)v[1], (int)v[2], (int)v[3],
	    (int)v[4], (int)v[5]);
	if (bytes_skip(&text, BYTES(".")))
		while (ascii_is_digit(bytes_at(text, 0)))
			(void)bytes_next(&text);
	sign = bytes_next(&text);
	if (sign == 'Z')
		return text.n == 0 ? 0 : bad();
	if ((sign != '+' && sign != '-') || text.n != 5 || text.p[2] != ':' ||
	    num_parse(bytes_first(text, 2), 0, 23, &hours) == -1 ||
	    num_parse(bytes_last(text, 2), 0, 59, &minutes) == -1)
		return bad();
	*out -= (sign == '-' ? -1 : 1) * (int64_t)(hours * 60 + minutes) * 60;
	return 0;
}

/* "imap://user;AUTH=*@host:port" */
static int
parse_server(struct arena *a, struct bytes *s, struct imap_url *out)
{
	struct bytes server, user;
	size_t at;

	if (!bytes_caseskip(s, BYTES("imap://")))
		return 0;
	if (!bytes_chr(*s, '/', &at) || !bytes_cut(s, at, &server))
		return bad();
	if (bytes_rchr(server, '@', &at)) {
		struct bytes all = bytes_first(server, at);

		(void)bytes_split(&all, ';', &user);	/* AUTH= or none */
		server = bytes_from(server, at + 1);
		if (decode(a, user, &out->user) == -1 || out->user.n == 0)
			return bad();
	}
	if (server.n == 0)
		return bad();
	return decode(a, server, &out->host);
}

/* "/mailbox;UIDVALIDITY=1" up to "/;UID=" */
static int
parse_place(struct arena *a, struct bytes *s, struct imap_url *out)
{
	struct bytes mailbox, value;
	uint64_t n;
	size_t at;

	if (!bytes_skip(s, BYTES("/")) ||
	    !bytes_casefind(*s, BYTES("/;UID="), &at) ||
	    !bytes_cut(s, at, &mailbox))
		return bad();
	if (bytes_casefind(mailbox, BYTES(";UIDVALIDITY="), &at)) {
		value = bytes_from(mailbox, at + 13);
		mailbox = bytes_first(mailbox, at);
		if (number(value, UINT32_MAX, &n) == -1)
			return bad();
		out->uidvalidity = (uint32_t)n;
	}
	if (decode(a, mailbox, &out->mailbox) == -1 ||
	    out->mailbox.n == 0 || !unicode_valid_utf8(out->mailbox))
		return bad();
	(void)parameter(s, "/;UID=", "/;", &value);	/* it was found */
	if (number(value, UINT32_MAX, &n) == -1)
		return bad();
	out->uid = (uint32_t)n;
	return 0;
}

static int
parse_auth(struct arena *a, struct bytes whole, struct bytes *s,
    struct imap_url *out)
{
	struct bytes value;

	if (parameter(s, ";EXPIRE=", ";", &value) &&
	    parse_expire(a, value, &out->expire) == -1)
		return -1;
	if (!parameter(s, ";URLAUTH=", ":", &value))
		return out->expire == INT64_MAX ? 0 : bad();
	if (decode(a, value, &out->access) == -1 || out->access.n == 0)
		return bad();
	out->rump = bytes_first(whole, whole.n - s->n);
	if (!bytes_skip(s, BYTES(":")))
		return 0;
	if (!bytes_split(s, ':', &out->mechanism) || s->n == 0)
		return bad();
	out->token = *s;
	*s = BYTES_EMPTY;
	return 0;
}

int
url_parse(struct arena *a, struct bytes s, struct imap_url *out)
{
	struct imap_url u = { .user = BYTES_EMPTY, .host = BYTES_EMPTY,
	    .section = BYTES_EMPTY, .access = BYTES_EMPTY,
	    .rump = BYTES_EMPTY, .mechanism = BYTES_EMPTY,
	    .token = BYTES_EMPTY, .length = UINT64_MAX,
	    .expire = INT64_MAX };
	struct bytes whole = s, value;

	if (s.n > URL_MAX || parse_server(a, &s, &u) == -1 ||
	    parse_place(a, &s, &u) == -1)
		return bad();
	if (parameter(&s, "/;SECTION=", "/;", &value) &&
	    (decode(a, value, &u.section) == -1 || u.section.n == 0))
		return bad();
	if (parameter(&s, "/;PARTIAL=", "/;", &value) &&
	    parse_partial(value, &u) == -1)
		return bad();
	if (parse_auth(a, whole, &s, &u) == -1 ||
	    (s.n > 0 && !bytes_eq(s, BYTES("/"))))
		return bad();
	*out = u;
	return 0;
}

int
url_mailbox(struct imap *im, const struct imap_url *u,
    struct store_mailbox *out)
{
	struct store_view *v;
	struct bytes name;
	int r;

	if (store_name_check(&im->arena, u->mailbox, &name, NULL) == -1)
		return 0;
	if ((v = store_view_open(im->o.store)) == NULL)
		return -1;
	r = store_mailbox_find(v, name, out);
	store_view_close(v);
	return r == 1 && u->uidvalidity != 0 &&
	    u->uidvalidity != out->uidvalidity ? 0 : r;
}

/* Whether the message is there now. 1, 0, -1. */
static int
is_there(struct imap *im, uint32_t mailbox, uint32_t uid)
{
	struct store_view *v = store_view_open(im->o.store);
	struct store_message m;
	int r = v == NULL ? -1 : store_message_get(v, mailbox, uid, &m);

	store_view_close(v);
	return r;
}

int
url_item(struct imap *im, const struct imap_url *u, struct message *m,
    struct fetch_item *item)
{
	struct parser p = session_parser(im, u->section);
	struct store_mailbox box;
	int r = url_mailbox(im, u, &box);

	if (r == 1)
		r = is_there(im, box.id, u->uid);
	if (r != 1)
		return r;
	*item = (struct fetch_item){ .kind = ITEM_SECTION,
	    .part = BYTES_EMPTY, .offset = u->offset, .length = u->length };
	if (!parse_section_spec(&p, item))
		return 0;
	message_reset(m);
	m->uid = u->uid;
	m->mailbox = box.id;
	return 1;
}

int
url_stream(struct imap *im, struct message *m, const struct fetch_item *item,
    struct stream *out)
{
	struct bytes text;

	if (section_text(im, m, item, &text) == -1)
		return errno == ENOMSG || errno == ENOENT ? 0 : -1;
	stream_init(out, text, item->offset,
	    section_cut(item, mime_crlf_size(text)));
	return 1;
}

int
url_text(struct imap *im, const struct imap_url *u, struct message *m,
    struct stream *out)
{
	struct fetch_item item;
	int r = url_item(im, u, m, &item);

	return r == 1 ? url_stream(im, m, &item, out) : r;
}
