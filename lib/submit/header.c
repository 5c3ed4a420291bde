/*
 * header.c - the header section of a submitted message
 */
#include "submit/internal.h"

#include "mime/mime.h"
#include "trace/trace.h"

#define EXTRA "pipemail-extra-"
/* For listings. */
#define SUBJECT_MAX 200

/* Exactly one From field with exactly one address (R-37, U-17). */
static int
read_from(struct submit *s, struct bytes header, struct header *h,
    struct submit_reply *reply)
{
	const struct addr_member *m;
	struct addr_list list;
	struct mime_field f;
	const char *why = "malformed";

	if (mime_count_fields(header, BYTES("From")) != 1)
		return submit_fail(reply, 550, "5.6.0",
		    "exactly one From field is needed");
	(void)mime_find_field(header, BYTES("From"), 0, &f);	/* counted */
	addr_parse_list(s->a, f.body, &list);
	m = addr_next_mailbox(list.first);
	if (!addr_is_only(&list, m) ||
	    addr_member_path(s->a, m, &h->from, &why) == -1)
		return submit_fail(reply, 550, "5.6.0",
		    "the From field needs exactly one valid address");
	if (s->request->kind != QUEUE_FORWARD &&
	    !submit_may_use(s->config, s->a, s->request->account, &h->from))
		return submit_fail(reply, 550, "5.7.1", arena_printf(s->a,
		    "the From address <%.*s> is none of this account",
		    BYTES_ARG(addr_path_text(s->a, &h->from, false))));
	return 0;
}

/* ---- extra data (U-22) ---- */

static bool
extra_name(struct bytes name, struct bytes *key)
{
	*key = name;
	return bytes_caseskip(key, BYTES(EXTRA));
}

static bool
has_extra(struct bytes extra, struct bytes key)
{
	struct bytes name, value;

	while (bytes_split(&extra, '\0', &name) &&
	    bytes_split(&extra, '\0', &value)) {
		if (bytes_eq(name, key))
			return true;
	}
	return false;
}

static int
add_extra(struct submit *s, struct buf *extra, struct bytes key,
    const struct mime_field *f, struct submit_reply *reply)
{
	struct bytes value = bytes_trim(mime_decode_words(s->a,
	    mime_unfold(s->a, f->body)));

	key = arena_lower(s->a, key);
	if (key.n == 0 || key.n > SUBMIT_EXTRA_NAME_MAX ||
	    bytes_has_nul(value))
		return submit_fail(reply, 554, "5.6.0",
		    "a Pipemail-Extra field needs a name and plain text");
	if (has_extra(buf_bytes(extra), key))
		return submit_fail(reply, 554, "5.6.0", arena_printf(s->a,
		    "extra data \"%.*s\" is there twice", BYTES_ARG(key)));
	buf_add(extra, key);
	buf_addc(extra, '\0');
	buf_add(extra, value);
	buf_addc(extra, '\0');
	if (extra->full)
		return submit_fail(reply, 554, "5.3.4", arena_printf(s->a,
		    "more than %d bytes of extra data", QUEUE_EXTRA_MAX));
	return 0;
}

/* Take them out of the message: a copy of it without, if there are any. */
static int
take_extra(struct submit *s, struct submit_reply *reply)
{
	struct buf extra = BUF_INIT(QUEUE_EXTRA_MAX);
	struct buf rest = BUF_INIT(SIZE_MAX);
	struct bytes message = s->text, header, body, key, field;
	struct mime_field f;
	int r = 0;

	mime_split(message, &header, &body);
	while (r == 0 && trace_field_cut(&message, &field)) {
		header = field;
		if (mime_next_field(&header, &f) && extra_name(f.name, &key))
			r = add_extra(s, &extra, key, &f, reply);
		else
			buf_add(&rest, field);
	}
	s->body = s->text;
	if (r == 0 && extra.n > 0) {
		buf_add(&rest, message);
		s->body = arena_bytes(s->a, buf_bytes(&rest));
		s->message.extra = arena_bytes(s->a, buf_bytes(&extra));
	}
	buf_free(&rest);
	buf_free(&extra);
	return r;
}

/* ---- the rest ---- */

static bool
has_field(struct bytes header, const char *name)
{
	return mime_count_fields(header, bytes_str(name)) > 0;
}

/* U-20: whether any header section, also of parts, needs SMTPUTF8. */
static bool
needs_utf8(struct submit *s)
{
	if (bytes_is_ascii(s->body))
		return false;
	return (mime_parse(s->a, s->body)->flags & MIME_HAS_8BIT_HEADER) != 0;
}

int
submit_header(struct submit *s, struct header *h, struct submit_reply *reply)
{
	struct bytes header, body;
	bool has_extra_fields, own = s->request->kind != QUEUE_FORWARD;
	size_t at;

	mime_split(s->text, &header, &body);
	if (trace_count_fields(s->text, BYTES("Received"),
	    SUBMIT_RECEIVED_MAX) > SUBMIT_RECEIVED_MAX)
		return submit_fail(reply, 554, "5.4.6",
		    "too many Received fields, mail loop");
	if (read_from(s, header, h, reply) == -1)
		return -1;
	if (own && config_get_bool(s->config, "server", NULL, "pedantic") &&
	    has_field(header, "Return-Path"))
		return submit_fail(reply, 550, "5.6.0",
		    "a message that is sent has no Return-Path");
	has_extra_fields = own && bytes_casefind(header, BYTES(EXTRA), &at);
	s->body = s->text;
	if (has_extra_fields && take_extra(s, reply) == -1)
		return -1;
	h->has_date = has_field(header, "Date");
	h->message_id = bytes_trim(mime_field_value(s->a, header,
	    BYTES("Message-ID")));
	h->has_message_id = h->message_id.n > 0;
	h->subject = bytes_first(mime_field_text(s->a, header,
	    BYTES("Subject")), SUBJECT_MAX);
	h->tls_optional = bytes_caseeq(bytes_trim(mime_field_value(s->a,
	    header, BYTES("TLS-Required"))), BYTES("No"));
	h->needs_utf8 = needs_utf8(s);
	return 0;
}
