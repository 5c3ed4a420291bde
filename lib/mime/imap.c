/*
 * imap.c - ENVELOPE and BODYSTRUCTURE (RFC 9051 7.5.2)
 *
 * Where the message leaves a choice, the texts follow the most widely used
 * IMAP server, so that a client sees the same mail as before it moved here;
 * doc/mime-differences.md lists where they do not.
 */
#include "mime/mime.h"

#include <errno.h>

#include "addr/addr.h"
#include "mime/internal.h"

/* ---- strings ---- */

/* A NUL cannot be sent at all (RFC 9051 9, literal): 0x80 stands for it. */
static int
put_literal(struct buf *out, struct bytes s)
{
	struct bytes part;

	(void)buf_printf(out, "{%zu}\r\n", s.n);	/* full tells */
	while (bytes_split(&s, 0, &part)) {
		(void)buf_add(out, part);
		(void)buf_addc(out, 0x80);
	}
	(void)buf_add(out, part);
	return out->full ? -1 : 0;
}

static bool
can_be_quoted(struct bytes s)
{
	size_t at;

	return bytes_is_ascii(s) && !bytes_has_nul(s) &&
	    !bytes_chr(s, '\r', &at) && !bytes_chr(s, '\n', &at);
}

int
imap_put_string(struct buf *out, struct bytes s)
{
	int c;

	if (!can_be_quoted(s))
		return put_literal(out, s);
	(void)buf_addc(out, '"');		/* the last one tells */
	while ((c = bytes_next(&s)) != -1) {
		if (c == '"' || c == '\\')
			(void)buf_addc(out, '\\');
		(void)buf_addc(out, c);
	}
	return buf_addc(out, '"');
}

static struct bytes
skip_wsp(struct bytes s)
{
	while (ascii_is_wsp(bytes_at(s, 0)))
		s = bytes_from(s, 1);
	return s;
}

int
imap_put_line(struct arena *a, struct buf *out, struct bytes s)
{
	return imap_put_string(out, value_one_line(a, s));
}

int
imap_put_text(struct arena *a, struct buf *out, struct bytes s)
{
	unsigned char *p = arena_alloc(a, s.n);
	bool blank = false, plain = true;
	struct bytes rest = s;
	size_t n = 0;
	int c;

	while ((c = bytes_next(&rest)) != -1) {
		if (ascii_is_space(c)) {
			blank = n > 0;
			continue;
		}
		if (blank)
			p[n++] = ' ';
		blank = false;
		plain = plain && c != '"' && c != '\\';
		p[n++] = (unsigned char)c;
	}
	rest = bytes_of(p, n);
	/* A literal for all that was changed or needs care. */
	return plain && (bytes_eq(rest, s) || n == 0)
	    ? imap_put_string(out, rest) : put_literal(out, rest);
}

/* ---- ENVELOPE ---- */

enum { FROM, SENDER, REPLY_TO, TO, CC, BCC, ADDRESS_FIELDS };
enum { DATE, SUBJECT, IN_REPLY_TO, MESSAGE_ID, TEXT_FIELDS };

struct envelope {
	struct addr_list address[ADDRESS_FIELDS];
	struct bytes text[TEXT_FIELDS];
	bool has_text[TEXT_FIELDS];
};

static const char *const address_names[ADDRESS_FIELDS] = { "From", "Sender",
	"Reply-To", "To", "Cc", "Bcc" };
static const char *const text_names[TEXT_FIELDS] = { "Date", "Subject",
	"In-Reply-To", "Message-ID" };

/*
 * Several fields of one name count as one list, so that no client shows a
 * sender that a check has not seen.
 */
static void
add_addresses(struct arena *a, struct envelope *e, size_t i,
    struct bytes body)
{
	struct addr_list list;
	struct addr_member **end = &e->address[i].first;

	addr_parse_list(a, body, &list);
	while (*end != NULL)
		end = &(*end)->next;
	*end = list.first;
}

static void
read_envelope(struct arena *a, struct bytes header, struct envelope *e)
{
	struct field_walk walk;
	struct mime_field f;
	size_t i;

	field_walk_init(&walk, header);
	while (field_walk_next(&walk, &f)) {
		for (i = 0; i < ADDRESS_FIELDS; i++) {
			if (bytes_caseeq(f.name, bytes_str(address_names[i])))
				add_addresses(a, e, i, f.body);
		}
		for (i = 0; i < TEXT_FIELDS; i++) {
			if (!bytes_caseeq(f.name, bytes_str(text_names[i])))
				continue;
			e->text[i] = f.body;
			e->has_text[i] = true;
		}
	}
}

static int
put_nil(struct buf *out)
{
	return buf_adds(out, "NIL");
}

static int
put_address(struct arena *a, struct buf *out, const struct addr_member *m)
{
	bool is_mailbox = m->kind == ADDR_MAILBOX;
	struct bytes mailbox = m->mailbox, domain = m->domain;

	if (is_mailbox && !m->has_mailbox)
		mailbox = BYTES("MISSING_MAILBOX");
	if (is_mailbox && domain.n == 0)
		domain = BYTES("MISSING_DOMAIN");
	(void)buf_addc(out, '(');		/* the last one tells */
	(void)(m->has_name ? imap_put_text(a, out, m->display_name)
	    : put_nil(out));
	(void)buf_addc(out, ' ');
	(void)(m->has_route ? imap_put_string(out, m->route) : put_nil(out));
	(void)buf_addc(out, ' ');
	(void)(m->kind == ADDR_GROUP_END ? put_nil(out)
	    : imap_put_string(out, mailbox));
	(void)buf_addc(out, ' ');
	(void)(is_mailbox ? imap_put_string(out, domain) : put_nil(out));
	return buf_addc(out, ')');
}

static int
put_addresses(struct arena *a, struct buf *out, const struct addr_list *list)
{
	const struct addr_member *m;

	if (list->first == NULL)
		return put_nil(out);
	(void)buf_addc(out, '(');		/* the last one tells */
	for (m = list->first; m != NULL; m = m->next)
		(void)put_address(a, out, m);
	return buf_addc(out, ')');
}

static int
put_field(struct arena *a, struct buf *out, const struct envelope *e,
    size_t i)
{
	if (!e->has_text[i])
		return put_nil(out);
	if (i == SUBJECT)
		return imap_put_text(a, out, skip_wsp(e->text[i]));
	return imap_put_line(a, out, e->text[i]);
}

int
mime_format_envelope(struct arena *a, struct buf *out, struct bytes header)
{
	struct envelope *e = arena_zalloc(a, 1, sizeof(*e));
	size_t i;

	read_envelope(a, header, e);
	/* RFC 9051 7.5.2: both default to From, also when they are empty. */
	for (i = SENDER; i <= REPLY_TO; i++) {
		if (e->address[i].first == NULL)
			e->address[i] = e->address[FROM];
	}
	(void)put_field(a, out, e, DATE);	/* the last one tells */
	(void)buf_addc(out, ' ');
	(void)put_field(a, out, e, SUBJECT);
	for (i = FROM; i < ADDRESS_FIELDS; i++) {
		(void)buf_addc(out, ' ');
		(void)put_addresses(a, out, &e->address[i]);
	}
	(void)buf_addc(out, ' ');
	(void)put_field(a, out, e, IN_REPLY_TO);
	(void)buf_addc(out, ' ');
	return put_field(a, out, e, MESSAGE_ID);
}

/* ---- BODYSTRUCTURE ---- */

static int
put_params(struct buf *out, const struct mime_param *p, bool is_text)
{
	bool has_charset = false;
	const char *before = "(";

	for (; p != NULL; p = p->next) {
		has_charset |= bytes_caseeq(p->name, BYTES("charset"));
		(void)buf_adds(out, before);	/* the last one tells */
		(void)imap_put_string(out, p->name);
		(void)buf_addc(out, ' ');
		(void)imap_put_string(out, p->value);
		before = " ";
	}
	if (is_text && !has_charset) {
		(void)buf_printf(out, "%s\"charset\" \"us-ascii\"", before);
		before = " ";
	}
	return before[0] == '(' ? put_nil(out) : buf_addc(out, ')');
}

static int
put_optional(struct arena *a, struct buf *out, struct bytes s)
{
	(void)buf_addc(out, ' ');		/* the last one tells */
	return s.n == 0 ? put_nil(out) : imap_put_line(a, out, s);
}

/* RFC 3282: tags between commas, comments dropped. */
static int
put_language(struct buf *out, struct bytes s)
{
	const char *before = " (";

	while (s.n > 0) {
		struct bytes tag, token;

		(void)bytes_split(&s, ',', &tag);	/* the last has none */
		token = value_token(tag);
		if (token.n == 0)
			continue;
		(void)buf_adds(out, before);	/* the last one tells */
		(void)imap_put_string(out, token);
		before = " ";
	}
	return before[1] == '(' ? buf_adds(out, " NIL") : buf_addc(out, ')');
}

/* The end of the extended form that all parts share. */
static int
put_extension(struct arena *a, struct buf *out, const struct mime_part *p)
{
	if (p->disposition.type.n == 0) {
		(void)buf_adds(out, " NIL");	/* the last one tells */
	} else {
		(void)buf_adds(out, " (");
		(void)imap_put_string(out, p->disposition.type);
		(void)buf_addc(out, ' ');
		(void)put_params(out, p->disposition.params, false);
		(void)buf_addc(out, ')');
	}
	(void)put_language(out, p->language);
	return put_optional(a, out, p->location);
}

static int
put_structure(struct arena *a, struct buf *out, const struct mime_part *p,
    bool extended);

static int
put_multipart(struct arena *a, struct buf *out, const struct mime_part *p,
    bool extended)
{
	const struct mime_part *child;

	for (child = p->children; child != NULL; child = child->next) {
		(void)buf_addc(out, '(');	/* the last one tells */
		(void)put_structure(a, out, child, extended);
		(void)buf_addc(out, ')');
	}
	if (p->children == NULL)
		(void)buf_printf(out, "(\"text\" \"plain\" (\"charset\" "
		    "\"us-ascii\") NIL NIL \"7bit\" 0 0%s)",
		    extended ? " NIL NIL NIL NIL" : "");
	(void)buf_addc(out, ' ');
	(void)imap_put_string(out, p->type.subtype);
	if (!extended)
		return out->full ? -1 : 0;
	(void)buf_addc(out, ' ');
	(void)put_params(out, p->type.params, false);
	return put_extension(a, out, p);
}

/*
 * The most common message of all, text/plain in US-ASCII, is always written
 * one way, whatever the case of its fields.
 */
static bool
is_plain_7bit(const struct mime_part *p)
{
	const struct mime_param *q = p->type.params;

	return p->parent == NULL &&
	    mime_part_is(p, BYTES("text"), BYTES("plain")) &&
	    (q == NULL || (q->next == NULL &&
	    bytes_caseeq(q->name, BYTES("charset")) &&
	    bytes_caseeq(q->value, BYTES("us-ascii")))) &&
	    (p->encoding.n == 0 || bytes_caseeq(p->encoding, BYTES("7bit"))) &&
	    p->id.n == 0 && p->description.n == 0 && p->md5.n == 0 &&
	    p->disposition.type.n == 0 && p->language.n == 0 &&
	    p->location.n == 0;
}

static int
put_leaf(struct arena *a, struct buf *out, const struct mime_part *p,
    bool extended)
{
	const struct mime_value plain = { BYTES("text"), BYTES("plain"),
	    NULL, true };
	const struct mime_value *type = is_plain_7bit(p) ? &plain : &p->type;

	(void)imap_put_string(out, type->type);	/* the last one tells */
	(void)buf_addc(out, ' ');
	(void)imap_put_string(out, type->subtype);
	(void)buf_addc(out, ' ');
	(void)put_params(out, type->params, p->is_text);
	(void)put_optional(a, out, p->id);
	(void)put_optional(a, out, p->description);
	(void)buf_addc(out, ' ');
	(void)imap_put_string(out, p->encoding.n > 0 && type == &p->type
	    ? p->encoding : BYTES("7bit"));
	(void)buf_printf(out, " %llu", (unsigned long long)p->body_size);
	if (p->is_message) {
		(void)buf_adds(out, " (");
		(void)mime_format_envelope(a, out, p->children->header);
		(void)buf_adds(out, ") (");
		(void)put_structure(a, out, p->children, extended);
		(void)buf_addc(out, ')');
	}
	if (p->is_message || p->is_text)
		(void)buf_printf(out, " %llu",
		    (unsigned long long)p->body_lines);
	if (!extended)
		return out->full ? -1 : 0;
	(void)put_optional(a, out, p->md5);
	return put_extension(a, out, p);
}

/* Recursion is bounded by MIME_DEPTH_MAX. */
static int
put_structure(struct arena *a, struct buf *out, const struct mime_part *p,
    bool extended)
{
	if (p->is_multipart)
		return put_multipart(a, out, p, extended);
	return put_leaf(a, out, p, extended);
}

int
mime_format_part(struct arena *a, struct buf *out, const struct mime_part *p,
    bool extended)
{
	(void)put_structure(a, out, p, extended);	/* full tells */
	if (!out->full)
		return 0;
	errno = EMSGSIZE;
	return -1;
}

int
mime_format_bodystructure(struct arena *a, struct buf *out,
    const struct mime_tree *t, bool extended)
{
	return mime_format_part(a, out, t->root, extended);
}
