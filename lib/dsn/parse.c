/*
 * parse.c - what a received delivery status notification says
 */
#include "dsn/dsn.h"

#include <errno.h>

#include "mime/mime.h"

static int
fail(int err, const char *text, const char **why)
{
	*why = text;
	errno = err;
	return -1;
}

static bool
is_report(struct arena *a, const struct mime_part *p)
{
	struct bytes type;

	return mime_part_is(p, BYTES("multipart"), BYTES("report")) &&
	    mime_param_text(a, p->type.params, BYTES("report-type"), &type) &&
	    bytes_caseeq(type, BYTES("delivery-status"));
}

static const struct mime_part *
find_child(const struct mime_part *p, const char *type, const char *subtype)
{
	const struct mime_part *c = p->children;

	while (c != NULL &&
	    !mime_part_is(c, bytes_str(type), bytes_str(subtype)))
		c = c->next;
	return c;
}

/* RFC 6533 has names of its own. */
static const struct mime_part *
find_status(const struct mime_part *p)
{
	const struct mime_part *c = find_child(p, "message",
	    "delivery-status");

	return c != NULL ? c : find_child(p, "message",
	    "global-delivery-status");
}

/* Header of the message returned, or what there is of it. */
static struct bytes
original_header(const struct mime_part *p)
{
	static const struct {
		const char *type, *subtype;
	} forms[] = { { "message", "rfc822" }, { "message", "global" },
	    { "text", "rfc822-headers" }, { "message", "global-headers" } };
	const struct mime_part *c;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		c = find_child(p, forms[i].type, forms[i].subtype);
		if (c != NULL)
			return c->is_message && c->children != NULL
			    ? c->children->header : c->body;
	}
	return BYTES_EMPTY;
}

/* "type; value", RFC 3464 2.1.2: the value, trimmed. */
static struct bytes
typed_value(struct arena *a, struct bytes fields, const char *name)
{
	struct bytes v = mime_field_value(a, fields, bytes_str(name)), type;

	return bytes_split(&v, ';', &type) ? bytes_trim(v) : BYTES_EMPTY;
}

static bool
parse_action(struct bytes word, enum dsn_action *out)
{
	for (int i = DSN_FAILED; i <= DSN_EXPANDED; i++) {
		if (bytes_caseeq(word, bytes_str(
		    dsn_action_text((enum dsn_action)i)))) {
			*out = (enum dsn_action)i;
			return true;
		}
	}
	return false;
}

/* "5.1.1", perhaps with a comment behind it. */
static bool
parse_status(struct bytes s, struct bytes *out)
{
	struct bytes word, rest;
	size_t dots = 0;
	int c;

	if (!bytes_word(&s, &word) || word.n < 5 || word.n > 9)
		return false;
	rest = word;
	while ((c = bytes_next(&rest)) != -1) {
		if (c == '.')
			dots++;
		else if (!ascii_is_digit(c))
			return false;
	}
	*out = word;
	return dots == 2 && word.p[1] == '.' &&
	    (word.p[0] == '2' || word.p[0] == '4' || word.p[0] == '5');
}

/* "smtp; 550 5.1.1 text" */
static void
parse_diagnostic(struct arena *a, struct bytes fields, struct dsn_rcpt *r)
{
	struct bytes v = typed_value(a, fields, "Diagnostic-Code"), word,
	    rest = v;
	uint64_t code;

	r->text = v;
	if (bytes_word(&rest, &word) && word.n == 3 &&
	    num_parse(word, 200, 599, &code) == 0) {
		r->code = code;
		r->text = bytes_trim(rest);
	}
}

/* 1 a recipient, 0 nothing in the group, -1 malformed. */
static int
parse_group(struct arena *a, struct bytes fields, struct dsn_rcpt *r,
    const char **why)
{
	struct bytes word = mime_field_value(a, fields, BYTES("Action"));

	if (bytes_trim(fields).n == 0)
		return 0;
	*r = (struct dsn_rcpt){ .address = typed_value(a, fields,
	    "Final-Recipient"), .status = BYTES_EMPTY,
	    .text = BYTES_EMPTY, .ip = BYTES_EMPTY,
	    .host = typed_value(a, fields, "Remote-MTA"),
	    .orcpt = mime_field_value(a, fields,
	    BYTES("Original-Recipient")) };
	if (r->address.n == 0)
		return fail(EBADMSG, "a recipient without Final-Recipient",
		    why);
	if (!parse_action(bytes_trim(word), &r->action))
		return fail(EBADMSG, "no known Action", why);
	if (!parse_status(mime_field_value(a, fields, BYTES("Status")),
	    &r->status))
		return fail(EBADMSG, "no valid Status", why);
	parse_diagnostic(a, fields, r);
	return 1;
}

/* Up to the next empty line, which is taken off too. */
static struct bytes
cut_group(struct bytes *s)
{
	struct bytes all = *s, line;
	size_t before = 0;

	while (bytes_line(s, &line)) {
		/* a line of blanks goes on with the field above */
		if (line.n == 0)
			return bytes_first(all, before);
		before = all.n - s->n;
	}
	return all;
}

static size_t
count_groups(struct bytes s)
{
	size_t n = 0;

	while (s.n > 0)
		n += cut_group(&s).n > 0;
	return n;
}

static int
parse_status_part(struct arena *a, struct bytes body, struct dsn_report *out,
    const char **why)
{
	struct bytes first = cut_group(&body), group;
	size_t n = count_groups(body);
	int r;

	if (n > DSN_RCPTS_MAX)
		return fail(EMSGSIZE, "too many recipients", why);
	out->reporting_mta = typed_value(a, first, "Reporting-MTA");
	out->envid = bytes_trim(mime_field_value(a, first,
	    BYTES("Original-Envelope-Id")));
	out->rcpts = arena_zalloc(a, n, sizeof(*out->rcpts));
	while (body.n > 0) {
		group = cut_group(&body);
		if ((r = parse_group(a, group, &out->rcpts[out->count],
		    why)) == -1)
			return -1;
		out->count += (size_t)r;
	}
	if (out->count == 0)
		return fail(EBADMSG, "no recipient", why);
	return 1;
}

int
dsn_parse(struct arena *a, struct bytes message, struct dsn_report *out,
    const char **why)
{
	const struct mime_tree *t = mime_parse(a, message);
	const struct mime_part *status;
	struct buf body = BUF_INIT(DSN_FULL_MAX + DSN_HEADERS_MAX);
	struct bytes text;

	if (!is_report(a, t->root))
		return 0;
	*out = (struct dsn_report){ BYTES_EMPTY, BYTES_EMPTY, BYTES_EMPTY,
	    NULL, 0 };
	if ((status = find_status(t->root)) == NULL)
		return fail(EBADMSG, "no delivery-status part", why);
	if (mime_decode_body(&body, status) == -1) {
		buf_free(&body);
		return fail(EMSGSIZE, "the delivery-status part is too long",
		    why);
	}
	text = arena_bytes(a, body.n > 0 ? buf_bytes(&body) : status->body);
	buf_free(&body);
	out->message_id = bytes_trim(mime_field_value(a,
	    original_header(t->root), BYTES("Message-ID")));
	return parse_status_part(a, text, out, why);
}
